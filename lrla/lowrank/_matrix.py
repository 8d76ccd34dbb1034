"""The matrix of a factorization as its methods see it: a product, its adjoint, and what they cost."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import array_api_compat as compat
import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, Space, adjoint, is_complex, unit_roundoff
from lrla._core.operators import Operator, as_operator
from lrla._core.random import Domain, Key, tag
from lrla._core.threads import ranges
from lrla.blocks import as_blocks
from lrla.kernels import narrow, philox
from lrla.kernels.three_terms import three_terms

_ROWS = 1 << 14  # rows of dense data that are looked at together: bounds temporaries


@dataclass(slots=True, eq=False)
class Matrix:
    """A matrix, its columns less their means if these are given, divided by a power of two.

    Parameters
    ----------
    op : Operator
        The data.
    mean : array of shape (1, n) or None
        Subtracted from every row.
    scale : float
        Power of two that brings the products to moderate size, so that their squares neither
        overflow nor underflow.
    """

    op: Operator
    mean: Array | None = None
    scale: float = 1.0
    passes: int = field(default=0, init=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return self.op.shape

    @property
    def space(self) -> Space:
        """Where products live."""
        return self.op.space

    @property
    def u(self) -> float:
        """Unit roundoff of the products."""
        return unit_roundoff(self.space.xp, self.op.real_dtype)

    def times(self, X: Array) -> Array:
        """Multiply with columns: one pass over the data."""
        self.passes += 1
        Y = narrow.times(self.op.A, X) if self.op.kind == "dense" else self.op.matmat(X)
        if self.mean is not None:
            Y = Y - self.mean @ X
        return Y if self.scale == 1.0 else Y / self.scale

    def adjoint_times(self, Y: Array) -> Array:
        """Multiply the adjoint with columns: one pass over the data."""
        self.passes += 1
        dense = self.op.kind == "dense"
        X = narrow.adjoint_times(self.op.A, Y) if dense else self.op.rmatmat(Y)
        if self.mean is not None:
            X = X - adjoint(self.mean) @ self.space.xp.sum(Y, axis=0, keepdims=True)
        return X if self.scale == 1.0 else X / self.scale

    def three_terms(self, X: Array, Y: Array, coefficients: tuple[float, float, float]) -> Array:
        """Compute a A X + b X + c Y for square A: one pass over the data."""
        a, b, c = coefficients
        A = self.op.A
        if self.op.kind != "sparse" or not self.space.is_numpy or A.format != "csr":
            return a * self.times(X) + b * X + c * Y
        self.passes += 1
        return three_terms(A.data, A.indices, A.indptr, X, Y, (a / self.scale, b, c))

    def compress_long_side(self) -> None:
        """Hold sparse data by rows if tall, by columns if wide.

        Then both products jump about in the block of the shorter side alone, which fits into a
        cache; that is worth a copy where products are many.
        """
        if self.op.kind == "sparse":
            m, n = self.shape
            A = self.op.A.tocsr() if m >= n else self.op.A.tocsc()
            self.op = replace(self.op, A=A)

    def gaussian(self, key: Key, stream: int, rows: int, count: int) -> Array:
        """Draw a standard normal matrix; complex, with unit variance, for complex data."""
        real = self._normal(key, 2 * stream, rows, count)
        xp = self.space.xp
        if not xp.isdtype(self.op.dtype, "complex floating"):
            return xp.astype(real, self.op.dtype, copy=False)
        imaginary = self._normal(key, 2 * stream + 1, rows, count)
        return xp.astype((real + 1j * imaginary) * math.sqrt(0.5), self.op.dtype, copy=False)

    def directions(self, key: Key, stream: int, rows: int, count: int) -> Array:
        """Draw a standard normal matrix; with orthogonal columns of its size if nearly square.

        Normal matrices that are nearly square may have any condition, and products with them lose
        as many digits. Up to half as many columns as rows they are well conditioned.
        """
        X = self.gaussian(key, stream, rows, count)
        return X if 2 * count < rows else self.space.xp.linalg.qr(X).Q * math.sqrt(rows)

    def _normal(self, key: Key, stream: int, rows: int, count: int) -> Array:
        drawn = philox.normal(self.space, key, tag(Domain.TEST_MATRIX, stream), 0, rows, count)
        return self.space.xp.astype(drawn, self.op.real_dtype, copy=False)

    def frobenius(self) -> float | None:
        """Frobenius norm in a pass over the entries; None for what has no entries."""
        if self.op.kind == "operator":
            return None
        if self.op.kind == "sparse":
            return self._sparse_norm() / self.scale
        if self.op.kind == "blocks":
            self.passes += 1
            parts = self.op.A.map(lambda block, a, b: self._dense_norm(block))
        else:
            parts = [self._dense_norm(self.op.A)]
        return _hypot(parts) / self.scale

    def _dense_norm(self, A: Array) -> float:
        xp = self.space.xp
        parts = []
        for a, b in ranges(A.shape[0], _ROWS):
            rows = A[a:b, :] if self.mean is None else A[a:b, :] - self.mean
            flat = xp.reshape(rows, (-1,))
            with np.errstate(over="ignore", invalid="ignore"):
                square = float(xp.real(xp.vecdot(flat, flat)))
            parts.append(square**0.5 if 1e-30 < square < 1e30 else linalg.norm(flat))
        return _hypot(parts)

    def _sparse_norm(self) -> float:
        if self.mean is None:
            return linalg.norm(self.op.A.data)
        A = self.op.A.tocsc()
        xp, stored = self.space.xp, A.indptr[1:] - A.indptr[:-1]
        rest = (self.shape[0] - stored) ** 0.5 * xp.abs(self.mean[0, :])
        column = xp.repeat(xp.arange(self.shape[1]), stored)
        return math.hypot(linalg.norm(A.data - self.mean[0, column]), linalg.norm(rest))

    def dense(self) -> Array:
        """Form the matrix."""
        self.passes += 1
        A = self.op.todense()
        A = A if self.mean is None else A - self.mean
        return A if self.scale == 1.0 else A / self.scale

    def trial(self, X: Array, *, flipped: bool = False) -> Array:
        """Multiply for the first time: refuse what is not finite, and choose the scale.

        Parameters
        ----------
        X : array of shape (n, b), or (m, b) if ``flipped``
            What to multiply.
        flipped : bool, default False
            Multiply the adjoint.

        Returns
        -------
        array
            The product, in the new scale.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            Y = self.adjoint_times(X) if flipped else self.times(X)
        xp = self.space.xp
        if 0 in Y.shape:
            return Y
        peak = float(xp.max(xp.abs(Y)))
        if not math.isfinite(peak):
            self._explain()
        limit = float(xp.finfo(self.op.real_dtype).max) ** 0.1
        if peak > 0 and not 1 / limit < peak < limit:
            self.scale *= 2.0 ** math.frexp(peak)[1]
            return Y / 2.0 ** math.frexp(peak)[1]
        return Y

    def _explain(self) -> None:
        if self.op.kind in ("dense", "sparse"):
            self.op.check_entries()
        raise ValueError(
            "products with A must be finite, got NaN or infinity; remove or impute such entries, "
            "or divide A by its largest entry"
        )


def _hypot(parts: list[float]) -> float:
    return math.hypot(*parts)


def as_matrix(A: Any, *, center: bool = False) -> Matrix:
    """Look at a matrix argument once."""
    out = Matrix(as_operator(as_blocks(A)))
    m, n = out.shape
    if m == 0 or n == 0:
        raise ValueError(f"A must have at least one row and one column, got shape {(m, n)}")
    if center:
        ones = out.space.zeros((m, 1), out.op.dtype) + 1
        out.mean = adjoint(out.adjoint_times(ones)) / m
        if not bool(out.space.xp.all(out.space.xp.isfinite(out.space.xp.abs(out.mean)))):
            out._explain()
    return out


def as_square(A: Any) -> Matrix:
    """Look at the argument of a function that needs a square matrix."""
    out = as_matrix(A)
    m, n = out.shape
    if m != n:
        raise ValueError(f"A must be square, got shape {(m, n)}")
    return out


@dataclass(slots=True, eq=False)
class Side:
    """A matrix, or its adjoint where that is the one with fewer columns."""

    matrix: Matrix
    flipped: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns, as seen from this side."""
        m, n = self.matrix.shape
        return (n, m) if self.flipped else (m, n)

    def times(self, X: Array) -> Array:
        """Multiply with columns."""
        return self.matrix.adjoint_times(X) if self.flipped else self.matrix.times(X)

    def back(self, Y: Array) -> Array:
        """Multiply the adjoint with columns."""
        return self.matrix.times(Y) if self.flipped else self.matrix.adjoint_times(Y)


def home(matrix: Matrix, U: Array) -> Array:
    """Return a factor with one row for each row of A in the form of A: chunked if A was."""
    if matrix.op.kind != "blocks":
        return U
    import dask.array

    rows = tuple(b - a for a, b in matrix.op.A.bounds)
    return dask.array.from_array(U, chunks=(rows, U.shape[1]))


def conj(x: Array) -> Array:
    """Conjugate of complex arrays; real ones as they are."""
    return compat.array_namespace(x).conj(x) if is_complex(x) else x
