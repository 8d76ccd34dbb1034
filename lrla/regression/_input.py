"""Look at the arguments of a least-squares call once, and give its answers their shape back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lrla._core.arrays import Array, Space, as_array, check_finite, is_complex, space_of
from lrla._core.operators import Operator, as_operator
from lrla.blocks import as_blocks
from lrla.regression._problem import Problem, power_of_two


@dataclass(frozen=True, slots=True)
class Question:
    """The problem, and what its answer has to look like."""

    problem: Problem
    vector: bool  # b had one dimension
    parts: bool  # b was complex and A is not: its real and imaginary parts are two right-hand sides
    unit: Any  # b was divided by this power of two, one for each right-hand side
    root: float = 1.0  # and sqrt(weights) by this one

    def tamed(self) -> Question:
        """Ask the same of a copy of A whose columns are neither huge nor tiny."""
        return replace(self, problem=self.problem.tamed())

    def coefficients(self, X: Array) -> Array:
        """Undo the units of solutions, join complex parts, and drop the axis that b did not have."""
        X = self.problem.space.xp.astype(X * self.problem.units * self.unit, self.problem.op.dtype)
        if self.parts:
            p = X.shape[1] // 2
            X = X[:, :p] + 1j * X[:, p:]
        return X[:, 0] if self.vector else X

    def spreads(self, E: Array) -> Array:
        """Do as `coefficients` for standard errors."""
        E = E * self.problem.units * self.unit
        if self.parts:
            p = E.shape[1] // 2
            E = (E[:, :p] ** 2 + E[:, p:] ** 2) ** 0.5
        return E[:, 0] if self.vector else E

    def norms(self, sizes: Array) -> Any:
        """Do the same for norms in the units of b, one for each right-hand side."""
        sizes = sizes * (self.unit * self.root)
        if self.parts:
            p = sizes.shape[0] // 2
            sizes = (sizes[:p] ** 2 + sizes[p:] ** 2) ** 0.5
        return float(sizes[0]) if self.vector else sizes


def look(A: Any, b: Any, weights: Any, ridge: Any) -> Question:
    """Check every argument once."""
    op = as_operator(as_blocks(A))
    m, n = op.shape
    if m == 0 or n == 0:
        raise ValueError(f"A must have at least one row and one column, got shape {(m, n)}")
    if hasattr(b, "compute") and hasattr(b, "dask"):  # a right-hand side fits in memory
        b = b.compute()
    b = as_array(b, "b", ndim=(1, 2))
    space = space_of(op.A if op.kind == "dense" else op.space.zeros((0,), op.dtype), b)
    if b.shape[0] != m:
        raise ValueError(f"b must have as many rows as A, got shapes {tuple(b.shape)} and {(m, n)}")
    check_finite(b, "b")
    vector = b.ndim == 1
    B = b[:, None] if vector else b
    xp = space.xp
    parts = is_complex(B) and not xp.isdtype(op.dtype, "complex floating")
    if parts:
        B = xp.concat((xp.real(B), xp.imag(B)), axis=1)
    unit: Any = _units(op, space, B)
    if unit is not None:
        B = B / unit
    w, root = _weights(op, weights)
    problem = Problem(op, xp.astype(B, op.dtype, copy=False), w, ridge_column(op, ridge, root))
    return Question(problem, vector, parts, 1.0 if unit is None else unit, root)


def _units(op: Operator, space: Space, B: Array) -> Array | None:
    """Return powers of two that bring columns to moderate size; None if all of them have it."""
    xp = space.xp
    if 0 in B.shape:
        return None
    peak = xp.max(abs(B), axis=0)
    limit = float(xp.finfo(op.real_dtype).max) ** 0.35
    fine = (peak == 0) | ((peak > 1 / limit) & (peak < limit))
    if bool(xp.all(fine)):
        return None
    powers = power_of_two([float(v) for v in peak], xp.finfo(B.dtype))
    return xp.where(fine, xp.ones_like(peak), space.asarray(powers, peak.dtype))


def _weights(op: Operator, weights: Any) -> tuple[Array | None, float]:
    """Check the weights; divide them by a power of four if they are huge or tiny."""
    if weights is None:
        return None, 1.0
    w = as_array(weights, "weights", ndim=(1,))
    xp = space_of(w, op.space.zeros((0,), op.dtype)).xp
    if w.shape[0] != op.shape[0]:
        raise ValueError(
            f"weights must have one entry for each row of A, got {w.shape[0]} for {op.shape[0]}"
        )
    if not xp.isdtype(w.dtype, "real floating") or not bool(
        xp.all(xp.isfinite(w)) and xp.all(w >= 0) and xp.any(w > 0)
    ):
        raise ValueError("weights must be finite, not negative, and not all zero")
    if op.shape[1] > op.shape[0] and not bool(xp.all(w > 0)):
        raise ValueError(
            "weights must be positive when A has more columns than rows; leave out rows of weight 0"
        )
    peak, root = float(xp.max(w)), 1.0
    limit = float(xp.finfo(op.real_dtype).max) ** 0.1  # their products with squares stay in range
    if not 1 / limit < peak < limit:
        root = float(power_of_two([peak**0.5], xp.finfo(w.dtype))[0])
        w = w / root / root
    return xp.astype(w, op.real_dtype, copy=False), root


def ridge_column(op: Operator, ridge: Any, root: float = 1.0) -> Array | None:
    """Return the ridge, over root**2, as a column of n entries; None for zero."""
    space, n = op.space, op.shape[1]
    if isinstance(ridge, int | float | np.integer | np.floating):
        values = space.asarray([float(ridge)] * n, space.xp.float64)
    else:
        values = as_array(ridge, "ridge", ndim=(1,))
    xp = space_of(values, space.zeros((0,), op.dtype)).xp
    if values.shape[0] != n:
        raise ValueError(
            f"ridge must be a number or have one entry for each column of A, got "
            f"{values.shape[0]} for {n}"
        )
    top = float(xp.finfo(op.real_dtype).max)
    real = xp.isdtype(values.dtype, "real floating")
    values = xp.astype(values, xp.float64, copy=False) if real else values
    if not real or not bool(xp.all((values >= 0) & (values <= top * root * root))):  # NaN is not
        raise ValueError(f"ridge must be real, not negative, and at most {top:.0e}")
    values = xp.astype(values / root / root, op.real_dtype, copy=False)
    return values[:, None] if bool(xp.any(values > 0)) else None
