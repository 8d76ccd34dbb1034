"""The rows of a matrix of any kind: look at them once, measure them in other coordinates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import (
    Array,
    adjoint,
    as_array,
    as_number,
    check_finite,
    is_complex,
    space_of,
)
from lrla._core.operators import Operator, as_operator
from lrla._core.threads import ranges
from lrla.blocks import as_blocks
from lrla.kernels.row_squares import row_squares, row_squares_csr

_COLUMNS = 64  # columns multiplied with a linear operator at a time


def look(A: Any) -> Operator:
    """Look at a data argument; sparse data come back in CSR form."""
    op = as_operator(as_blocks(A))
    if 0 in op.shape:
        raise ValueError(f"A must have at least one row and one column, got shape {op.shape}")
    if op.kind == "sparse" and op.A.format != "csr":
        return Operator(op.A.tocsr(), op.kind, op.space, op.dtype)
    return op


def as_p(p: Any, *, least: float, infinite: bool) -> float:
    """Check the exponent of a norm."""
    value = as_number(p, "p")
    if not value >= least or value == 0 or (math.isinf(value) and not infinite):
        rule = f"at least {least:g}" if least else "positive"
        raise ValueError(f"p must be {rule}{'' if infinite else ' and finite'}, got {p}")
    return value


def row_weights(op: Operator, weights: Any) -> Array | None:
    """Check weights of rows; None stands for ones."""
    if weights is None:
        return None
    w = as_array(weights, "weights", ndim=(1,))
    xp = space_of(w, op.space.zeros((0,), op.dtype)).xp
    if w.shape[0] != op.shape[0]:
        raise ValueError(
            f"weights must have one entry for each row of A, got {w.shape[0]} for {op.shape[0]}"
        )
    check_finite(w, "weights")
    if is_complex(w) or bool(xp.any(w < 0)):
        raise ValueError("weights must be real and not negative")
    return xp.astype(w, op.real_dtype, copy=False)


def squares(op: Operator, T: Array) -> Array:
    """Squared norms of the rows of A T."""
    if op.kind == "dense":
        return row_squares(op.A, T)
    if op.kind == "sparse":
        return row_squares_csr(*op.csr(), T)
    xp = op.space.xp
    if op.kind == "blocks":
        return xp.concat(op.A.map(lambda block, a, b: row_squares(block, T)), axis=0)
    out = op.space.zeros((op.shape[0],), op.real_dtype)
    for a, b in ranges(int(T.shape[1]), _COLUMNS):
        out = out + xp.sum(abs(op.matmat(T[:, a:b])) ** 2, axis=1)
    return out


def triangle(op: Operator, T: Array, w: Array | None) -> Array:
    """Return (A T)^H W A, which for orthonormal columns of sqrt(W) A T is their R factor."""
    n, k = int(T.shape[0]), int(T.shape[1])
    if n == k:
        return op.space.xp.linalg.inv(T)
    if op.kind == "blocks":
        (R,) = op.A.sum(lambda block, a, b: (_cross(block, T, None if w is None else w[a:b]),))
        return R
    if op.kind in ("dense", "sparse"):
        R = op.space.zeros((k, n), op.dtype)
        for a, b in ranges(op.shape[0], 4096):
            R = R + _cross(op.A[a:b, :], T, None if w is None else w[a:b])
        return R
    parts = []
    for a, b in ranges(k, _COLUMNS):
        Y = op.matmat(T[:, a:b])
        parts.append(adjoint(op.rmatmat(Y if w is None else w[:, None] * Y)))
    return op.space.xp.concat(parts, axis=0)


def _cross(block: Any, T: Array, w: Array | None) -> Array:
    Y = block @ T
    Y = Y if w is None else w[:, None] * Y
    if hasattr(block, "tocsr"):  # dense times sparse: SciPy wants the sparse one first
        return adjoint((block.conj() if block.dtype.kind == "c" else block).T @ Y)
    return adjoint(Y) @ block


def condition_bound(G: Array, inverse: Array) -> float:
    """Bound the condition number of the matrix whose Gram matrix and its inverse these are."""
    return float(np.sqrt(_size(G) * _size(inverse)))


def _size(G: Array) -> float:
    """Bound the spectral norm of a Hermitian matrix from above."""
    xp = space_of(G).xp
    return min(linalg.norm(G), float(xp.max(xp.sum(abs(G), axis=0))))
