"""Look at the arguments of a least-squares call once, and give its answers their shape back."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lrla._core import linalg
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
        X = self.problem.space.xp.astype(self._undone(X), self.problem.op.dtype)
        if self.parts:
            p = X.shape[1] // 2
            X = X[:, :p] + 1j * X[:, p:]
        return X[:, 0] if self.vector else X

    def spreads(self, E: Array) -> Array:
        """Do as `coefficients` for standard errors."""
        E = self._joined(self._undone(E))
        return E[:, 0] if self.vector else E

    def norms(self, sizes: Array) -> Any:
        """Do the same for norms in the units of b, one for each right-hand side."""
        xp = self.problem.space.xp  # weights may make them too large for single precision
        sizes = self._joined(xp.astype(sizes, xp.float64) * self.root * self.unit)
        return float(sizes[0]) if self.vector else sizes

    def _undone(self, X: Array) -> Array:
        """Undo the units of solutions; no product leaves the range that its result does not leave."""
        units, unit = self.problem.units, self.unit
        if isinstance(units, float) or isinstance(unit, float):
            return X * units * unit
        xp = self.problem.space.xp
        opposite = (units > 1) != (unit > 1)
        both = xp.where(opposite, units * unit, units)
        return X * both * xp.where(opposite, xp.ones_like(unit), unit)

    def _joined(self, sizes: Array) -> Array:
        """Join sizes of complex parts, along the last axis."""
        if not self.parts:
            return sizes
        p = sizes.shape[-1] // 2
        pair = self.problem.space.xp.stack((sizes[..., :p], sizes[..., p:]))
        return linalg.norm(pair, axis=0)


def check_range(space: Space, **results: Any) -> None:
    """Refuse results, given by name, that are beyond the largest number of their dtype."""
    xp = space.xp
    for name, value in results.items():
        scalar = isinstance(value, float)
        if math.isfinite(value) if scalar else bool(xp.all(xp.isfinite(value))):
            continue
        top = float(xp.finfo(xp.float64 if scalar else value.dtype).max)
        raise ValueError(
            f"{name} must be within the range of floating point, up to {top:.0e}, and it is not; "
            "divide b by a power of ten"
        )


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
    B, parts, unit = right_sides(op, space, b[:, None] if vector else b)
    w, root = _weights(op, weights)
    return Question(Problem(op, B, w, ridge_column(op, ridge, root)), vector, parts, unit, root)


def right_sides(op: Operator, space: Space, B: Array) -> tuple[Array, bool, Any]:
    """Bring right-hand sides to the dtype of A and to moderate size.

    Returns
    -------
    B : array of shape (m, p)
        The columns, or twice as many: first real, then imaginary parts.
    parts : bool
        Whether it is that.
    unit : array of shape (p,) or float
        What they were divided by.
    """
    xp = space.xp
    parts = is_complex(B) and not xp.isdtype(op.dtype, "complex floating")
    if parts:
        B = xp.concat((xp.real(B), xp.imag(B)), axis=1)
    unit = _units(op, space, B)
    if unit is not None:
        B = B / unit
    return xp.astype(B, op.dtype, copy=False), parts, 1.0 if unit is None else unit


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
    if values.shape[0] != n:
        raise ValueError(
            f"ridge must be a number or have one entry for each column of A, got "
            f"{values.shape[0]} for {n}"
        )
    values = ridges_over(op, values, "ridge", root)
    return values[:, None] if bool(space.xp.any(values > 0)) else None


def ridges_over(op: Operator, values: Array, name: str, root: float) -> Array:
    """Check ridges and return them over root**2, in the dtype of norms."""
    xp = space_of(values, op.space.zeros((0,), op.dtype)).xp
    top = float(xp.finfo(op.real_dtype).max) * root * root
    top = min(top, float(xp.finfo(xp.float64).max))
    real = xp.isdtype(values.dtype, "real floating")
    values = xp.astype(values, xp.float64, copy=False) if real else values
    if not real or not bool(xp.all((values >= 0) & (values <= top))):  # NaN is not
        raise ValueError(f"{name} must be real, not negative, and at most {top:.0e}")
    return xp.astype(values / root / root, op.real_dtype, copy=False)
