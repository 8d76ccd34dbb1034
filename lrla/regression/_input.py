"""Look at the arguments of a least-squares call once, and give its answers their shape back."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lrla._core.arrays import Array, as_array, check_finite, is_complex, space_of
from lrla._core.operators import Operator, as_operator
from lrla.regression._problem import Problem


@dataclass(frozen=True, slots=True)
class Question:
    """The problem, and what its answer has to look like."""

    problem: Problem
    vector: bool  # b had one dimension
    parts: bool  # b was complex and A is not: its real and imaginary parts are two right-hand sides
    unit: float  # b was divided by this power of two

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
        sizes = sizes * self.unit
        if self.parts:
            p = sizes.shape[0] // 2
            sizes = (sizes[:p] ** 2 + sizes[p:] ** 2) ** 0.5
        return float(sizes[0]) if self.vector else sizes


def look(A: Any, b: Any, weights: Any, ridge: Any) -> Question:
    """Check every argument once."""
    op = as_operator(A)
    m, n = op.shape
    if m == 0 or n == 0:
        raise ValueError(f"A must have at least one row and one column, got shape {(m, n)}")
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
    peak = float(xp.max(abs(B))) if B.size else 0.0
    limit = float(xp.finfo(op.real_dtype).max) ** 0.35
    unit = 2.0 ** math.frexp(peak)[1] if peak > 0 and not 1 / limit < peak < limit else 1.0
    B = xp.astype(B if unit == 1.0 else B / unit, op.dtype, copy=False)
    return Question(
        Problem(op, B, _weights(op, weights), ridge_column(op, ridge)), vector, parts, unit
    )


def _weights(op: Operator, weights: Any) -> Array | None:
    if weights is None:
        return None
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
    return xp.astype(w, op.real_dtype, copy=False)


def ridge_column(op: Operator, ridge: Any) -> Array | None:
    """Return the ridge as a column of n entries; None for zero."""
    if isinstance(ridge, int | float | np.number):
        values = op.space.xp.full(
            (op.shape[1],), float(ridge), dtype=op.real_dtype, device=op.space.device
        )
    else:
        values = op.space.xp.astype(as_array(ridge, "ridge", ndim=(1,)), op.real_dtype, copy=False)
    xp = op.space.xp
    if values.shape[0] != op.shape[1]:
        raise ValueError(
            f"ridge must be a number or have one entry for each column of A, got "
            f"{values.shape[0]} for {op.shape[1]}"
        )
    if not bool(xp.all(xp.isfinite(values)) and xp.all(values >= 0)):
        raise ValueError("ridge must be finite and not negative")
    return values[:, None] if bool(xp.any(values > 0)) else None
