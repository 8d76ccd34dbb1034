"""Look at the arguments of an l_p call once: rows without weight leave, those of a ridge join."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, as_array, as_number, check_finite, is_complex, space_of
from lrla._core.operators import Operator, as_operator
from lrla.blocks import as_blocks

_ROUNDING = 1e-13  # of right-hand sides: what coefficients that should vanish may leave
MOST = 1 << 28  # entries of a linear operator, which has to be formed: 2 GiB in double precision


@dataclass(frozen=True, slots=True, eq=False)
class Penalty:
    """Absolute values of some of the coefficients, added to what is minimised.

    Parameters
    ----------
    at : array of int
        Of which.
    size : array of shape (n_penalized,)
        Their factors, positive.
    in_rows : bool
        Whether rows of the data already are that, for the loss is absolute values, too.
    """

    at: Array
    size: Array
    in_rows: bool

    def value(self, x: Array) -> float:
        """Return the penalty of all coefficients x."""
        xp = space_of(x).xp
        return float(xp.sum(self.size * abs(xp.take(x, self.at))))

    def rows(self, op: Operator) -> Array:
        """Return rows of the identity, each as long as the column of the data that it is for."""
        space = op.space
        rows = column_norms(op) * space.eye(op.shape[1], space.xp.float64)
        return space.xp.astype(space.xp.take(rows, self.at, axis=0), op.dtype)

    def cleaned(self, x: Array, norms: Array, b: Array) -> Array:
        """Make zeros of coefficients that add no more than rounding to what b is fitted by."""
        xp = space_of(x).xp
        own = xp.take(x, self.at)
        tiny = abs(own) * xp.take(norms, self.at) <= _ROUNDING * linalg.norm(b)
        return self.put(x, xp.where(tiny, xp.zeros_like(own), own))

    def put(self, x: Array, values: Array) -> Array:
        """Return all coefficients with other values of those that are penalized."""
        space = space_of(x)
        x = space.xp.asarray(x, copy=True)[None, :]
        return space.with_columns(x, self.at, values[None, :])[0, :]


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """The rows to fit, and what the answer has to look like.

    Parameters
    ----------
    op : Operator
        The data with the rows that count: those of positive weight, then those of the ridge.
    B : array of shape (m, p)
        Right-hand sides in double precision.
    weights : array of shape (m,)
        Positive.
    mask : array of bool or None
        Which rows of the data these are; None for all.
    size : tuple of int
        Shape of the data.
    vector : bool
        Whether b had one dimension.
    dtype : dtype
        Of the solution.
    l1 : Penalty or None
        Of absolute values.
    data : tuple of Operator and array
        The data and right-hand sides in all rows, whatever their weight.
    """

    op: Operator
    B: Array
    weights: Array
    mask: Array | None
    size: tuple[int, int]
    vector: bool
    dtype: Any
    l1: Penalty | None
    data: tuple[Operator, Array]

    @property
    def n_data(self) -> int:
        """How many rows are data: those after them are of the ridge."""
        return self.size[0] if self.mask is None else int(self.op.space.xp.count_nonzero(self.mask))

    def coefficients(self, X: Array) -> Array:
        """Give solutions their dtype and shape."""
        X = self.op.space.xp.astype(X, self.dtype)
        return X[:, 0] if self.vector else X

    def ignored(self) -> tuple[Operator, Array] | None:
        """Return the rows without weight and their right-hand sides; None where all have some."""
        if self.mask is None:
            return None
        op, B = self.data
        index = op.space.xp.nonzero(~self.mask)[0]
        return _only(op, index), op.space.xp.take(B, index, axis=0)

    def over_rows(self, Y: Array, rest: Array | None = None) -> Array:
        """Return values over the rows of the data: zero, or the rest, where there is no weight."""
        xp, m, count = self.op.space.xp, self.size[0], self.n_data
        Y = Y[:count, :]
        if self.mask is not None:
            if rest is None:
                rest = self.op.space.zeros((m - count, int(Y.shape[1])), Y.dtype)
            weighty = xp.astype(self.mask, xp.int64)
            behind = count + xp.cumulative_sum(1 - weighty) - 1
            place = xp.where(self.mask, xp.cumulative_sum(weighty) - 1, behind)
            Y = xp.take(xp.concat((Y, rest), axis=0), place, axis=0)
        Y = xp.astype(Y, self.dtype)
        return Y[:, 0] if self.vector else Y

    def numbers(self, values: list[float]) -> Any:
        """Give one number for each right-hand side its shape."""
        if self.vector:
            return values[0]
        return self.op.space.asarray(values, self.op.space.xp.float64)


def look(
    A: Any, b: Any, weights: Any, ridge: Any, *, complex_ok: bool, l1: Any = 0.0,
    absolute: bool = False,
) -> Question:  # fmt: skip
    """Check data, right-hand sides, weights and ridge.

    The penalty l1 becomes rows, as a ridge, where the loss is absolute values.
    """
    op = as_operator(as_blocks(A))
    m, n = op.shape
    if op.kind == "sparse" and not op.space.is_numpy:
        raise TypeError(
            "A must be an array or a sparse matrix of SciPy, got a sparse matrix of CuPy; pass "
            "A.toarray()"
        )
    if m == 0 or n == 0:
        raise ValueError(f"A must have at least one row and one column, got shape {(m, n)}")
    if op.kind == "operator":  # every iteration weighs the rows anew
        op = _formed(op)
    b, weights = (v.compute() if hasattr(v, "dask") else v for v in (b, weights))
    b = as_array(b, "b", ndim=(1, 2))
    space = space_of(op.A if op.kind == "dense" else op.space.zeros((0,), op.dtype), b)
    xp = space.xp
    if b.shape[0] != m:
        raise ValueError(f"b must have as many rows as A, got shapes {tuple(b.shape)} and {(m, n)}")
    check_finite(b, "b")
    op.check_entries()
    if not complex_ok and (is_complex(b) or xp.isdtype(op.dtype, "complex floating")):
        raise TypeError(
            "A and b must be real for this loss, got complex numbers; 1 < p < inf takes them"
        )
    vector = b.ndim == 1
    B = b[:, None] if vector else b
    complex_any = is_complex(b) or xp.isdtype(op.dtype, "complex floating")
    B = xp.astype(B, xp.complex128 if complex_any else xp.float64, copy=False)
    dtype = _solution_dtype(xp, op.dtype, complex_any)
    w, mask = _weights(op, weights)
    whole = op, B
    D, L = _ridge(op, ridge, "ridge"), _ridge(op, l1, "l1")
    penalty = None
    if L is not None:
        at = xp.nonzero(L > 0)[0]
        penalty = Penalty(at, xp.take(L, at), absolute)
        if absolute:
            D = L if D is None else D + L
        elif complex_any:
            raise TypeError("A and b must be real for l1, got complex numbers")
    if mask is not None:
        kept = xp.nonzero(mask)[0]
        op, B = _only(op, kept), xp.take(B, kept, axis=0)
    if D is not None:
        op, B, w = _with_ridge(op, B, w, D)
    return Question(op, B, w, mask, (m, n), vector, dtype, penalty, whole)


def _only(op: Operator, index: Array) -> Operator:
    """Leave out all rows but those of an increasing index."""
    if op.kind == "blocks":
        data = op.A.only(index)
    else:
        data = op.A.tocsr()[index] if op.kind == "sparse" else op.space.xp.take(op.A, index, axis=0)
    return Operator(data, op.kind, op.space, op.dtype)


def _formed(op: Operator) -> Operator:
    """Form a linear operator, unless it is large."""
    m, n = op.shape
    if m * n > MOST:
        raise ValueError(
            f"A must have at most 2**{MOST.bit_length() - 1} entries if it is a linear operator, for it "
            f"is formed densely, got shape {(m, n)}; pass a sparse matrix, or a dask array in chunks "
            "of rows"
        )
    return Operator(op.todense(), "dense", op.space, op.dtype)


def _solution_dtype(xp: Any, dtype: Any, complex_any: bool) -> Any:
    if not complex_any or xp.isdtype(dtype, "complex floating"):
        return dtype
    return xp.complex64 if dtype == xp.float32 else xp.complex128


def _weights(op: Operator, weights: Any) -> tuple[Array, Array | None]:
    """Return the positive weights, and where they are, unless that is everywhere."""
    space, m = op.space, op.shape[0]
    xp = space.xp
    if weights is None:
        return xp.ones((m,), dtype=xp.float64, device=space.device), None
    w = as_array(weights, "weights", ndim=(1,))
    space_of(w, space.zeros((0,), op.dtype))
    if w.shape[0] != m:
        raise ValueError(f"weights must have one entry for each row of A, got {w.shape[0]} for {m}")
    if is_complex(w) or not bool(xp.all(xp.isfinite(w)) and xp.all(w >= 0) and xp.any(w > 0)):
        raise ValueError("weights must be real, finite, not negative, and not all zero")
    w = xp.astype(w, xp.float64)
    if bool(xp.all(w > 0)):
        return w, None
    mask = w > 0
    return xp.take(w, xp.nonzero(mask)[0]), mask


def _ridge(op: Operator, ridge: Any, name: str) -> Array | None:
    """Return one coefficient for each column; None for zero."""
    space, n = op.space, op.shape[1]
    xp = space.xp
    if isinstance(ridge, numbers.Real):
        values = xp.full((n,), float(ridge), dtype=xp.float64, device=space.device)
    else:
        values = as_array(ridge, name, ndim=(1,))
    if values.shape[0] != n:
        raise ValueError(
            f"{name} must be a number or have one entry for each column of A, got "
            f"{values.shape[0]} for {n}"
        )
    if is_complex(values) or not bool(xp.all(xp.isfinite(values)) and xp.all(values >= 0)):
        raise ValueError(f"{name} must be real, finite and not negative")
    return xp.astype(values, xp.float64) if bool(xp.any(values > 0)) else None


def _with_ridge(op: Operator, B: Array, w: Array, D: Array) -> tuple[Operator, Array, Array]:
    """Add a row of the identity with its ridge as weight for each column that has one."""
    space, n = op.space, op.shape[1]
    xp = space.xp
    kept = xp.nonzero(D > 0)[0]
    if op.kind == "sparse":
        import scipy.sparse

        E: Any = scipy.sparse.eye_array(n, dtype=op.dtype, format="csr")[kept]
    else:
        E = xp.take(space.eye(n, op.dtype), kept, axis=0)
    zero = space.zeros((int(kept.shape[0]), int(B.shape[1])), B.dtype)
    return below(op, E), xp.concat((B, zero), axis=0), xp.concat((w, xp.take(D, kept)))


def below(op: Operator, E: Any) -> Operator:
    """Put further rows, in memory, below those of the data."""
    if op.kind == "sparse":
        import scipy.sparse

        data: Any = scipy.sparse.vstack((op.A.tocsr(), scipy.sparse.csr_array(E)), format="csr")
    elif op.kind == "blocks":
        data = op.A.above(E)
    else:
        data = op.space.xp.concat((op.A, E), axis=0)
    return Operator(data, op.kind, op.space, op.dtype)


def column_norms(op: Operator) -> Array:
    """Return the norms of the columns, in double precision; those of zeros count as large."""
    xp = op.space.xp
    if op.kind == "sparse":
        size = xp.sqrt(
            xp.asarray(abs(op.A.astype(xp.result_type(op.dtype, xp.float64))).power(2).sum(axis=0))
        )
        size = size.reshape(-1)
    elif op.kind == "blocks":
        (squares,) = op.A.sum(
            lambda block, a, b: (xp.sum(abs(block) ** 2, axis=0, dtype=xp.float64),)
        )
        size = xp.sqrt(squares)
    else:
        size = xp.astype(linalg.norm(op.A, axis=0), xp.float64)
    top = float(xp.max(size))
    return xp.where(size > 0, size, xp.full_like(size, top if top > 0 else 1.0))


def check_options(tol: float, max_iter: int, p: float | None = None) -> None:
    """Check what all of these functions share."""
    value = None if p is None else as_number(p, "p")
    if not 0 < tol < 1:
        raise ValueError(f"tol must be between 0 and 1, got {tol}")
    if max_iter < 1:
        raise ValueError(f"max_iter must be at least 1, got {max_iter}")
    if value is not None and not (value >= 1 or math.isnan(value)):
        raise ValueError(f"p must be at least 1, got {p}: below, the problem is not convex")
    if value is not None and math.isnan(value):
        raise ValueError("p must be a number, at least 1, or inf; got nan")
