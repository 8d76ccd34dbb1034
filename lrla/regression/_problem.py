"""The problem that every method sees: products, never the kind of matrix behind them."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, Space, check_finite, unit_roundoff
from lrla._core.operators import Operator
from lrla._core.threads import ranges
from lrla.kernels.gram import gram, gram_csr
from lrla.kernels.normal import normal_residual, normal_residual_csr
from lrla.sketch import SketchOperator

_ROWS = 1 << 16  # rows that are weighted at a time before sketching: bounds the copy


class OutOfRangeError(ArithmeticError):
    """Squares of the data overflow or underflow, or the data are not finite."""


class Problem:
    """Minimise ``norm(sqrt(W) (A X - B))**2 + norm(sqrt(D) X)**2`` in the variables Z = s X.

    Parameters
    ----------
    op : Operator
        A, of shape (m, n).
    B : array of shape (m, p)
        Right-hand sides in the dtype of A.
    weights : array of shape (m,) or None
        Diagonal of W, real.
    ridge : array of shape (n, 1) or (1, p) or None
        Diagonal of D; a row holds one multiple of the identity for each right-hand side.

    Notes
    -----
    The columns of A are equilibrated by dividing the variables, never the data: ``scale`` is s,
    set once by whoever knows the column norms first.
    """

    def __init__(
        self, op: Operator, B: Array, weights: Array | None = None, ridge: Array | None = None
    ) -> None:
        self.op, self.B, self.weights, self.ridge = op, B, weights, ridge
        self.m, self.n = op.shape
        self.p = int(B.shape[1])
        self.space: Space = op.space
        self.u = unit_roundoff(op.space.xp, op.real_dtype)
        self.scale = op.space.xp.ones((self.n, 1), dtype=op.real_dtype, device=op.space.device)
        self.units: Array | float = 1.0  # solutions times these are those of the data as given
        self.passes = 0

    # -- in the scaled variables ------------------------------------------------------------

    def gradient(self, Z: Array) -> tuple[Array, Array, Array]:
        """Return A^H W (B - A X) - D X over s, the squares of the residual, and those of D with it."""
        X = Z / self.scale
        C, squares = self._normal(X, self.B)
        if self.ridge is None:
            return C / self.scale, squares, squares
        total = squares + self.space.xp.sum(self.ridge * abs(X) ** 2, axis=0)
        return (C - self.ridge * X) / self.scale, squares, total

    def normal(self, Z: Array) -> Array:
        """Return (A^H W A + D) X over s."""
        X = Z / self.scale
        C = -self._normal(X, None)[0]
        if self.ridge is not None:
            C = C + self.ridge * X
        return C / self.scale

    def lengths(self, Z: Array) -> Array:
        """Return the norms of the columns of [sqrt(W) A; sqrt(D)] X."""
        X = Z / self.scale
        squares = self._normal(X, None)[1]
        if self.ridge is not None:
            squares = squares + self.space.xp.sum(self.ridge * abs(X) ** 2, axis=0)
        return self.space.xp.sqrt(squares)

    def _normal(self, X: Array, B: Array | None) -> tuple[Array, Array]:
        self.passes += 1
        xp, op, w = self.space.xp, self.op, self.weights
        X = xp.astype(X, op.dtype, copy=False)
        if op.kind == "dense":
            return normal_residual(op.A, X, B, w)
        if op.kind == "sparse" and op.A.format == "csr":
            return normal_residual_csr(op.A.data, op.A.indices, op.A.indptr, X, B, w)
        R = -op.matmat(X) if B is None else B - op.matmat(X)
        WR = R if w is None else w[:, None] * R
        return op.rmatmat(WR), linalg.dots(R, WR)

    # -- once each, before the iteration ----------------------------------------------------

    def gram(self) -> Array:
        """Return A^H W A + D, unscaled; D must be a column."""
        self.passes += 1
        if self.op.kind == "sparse":
            G = gram_csr(*self.op.csr(), self.n, self.weights)
        else:
            G = gram(self.op.A, self.weights)
        xp = self.space.xp
        self._guard(abs(xp.linalg.diagonal(G)), 2)
        if self.ridge is not None:
            G = G + self.ridge * self.space.eye(self.n, self.op.real_dtype)
        return G

    def sketched(self, S: SketchOperator | None) -> tuple[Array, Array]:
        """Return S sqrt(W) A and S sqrt(W) B; without S the weighted data themselves."""
        SA, SB = self._sketched(S)
        self._guard(self.space.xp.max(abs(SA), axis=0), 1)
        return SA, SB

    def _guard(self, sizes: Array, power: int) -> None:
        """Refuse column sizes (or their squares) that leave no room for products of the data."""
        xp = self.space.xp
        limit = float(xp.finfo(self.op.real_dtype).max) ** (0.35 * power)
        if not bool(xp.all((sizes == 0) | ((sizes < limit) & (sizes > 1 / limit)))):
            raise OutOfRangeError

    def tamed(self) -> Problem:
        """Divide columns by powers of two, in a copy, so that products neither over- nor underflow.

        The only copy that is ever made of A, for data beyond 1e108 or below 1e-108 (float64).

        Raises
        ------
        ValueError
            If the reason is that A is not finite.
        """
        xp, op = self.space.xp, self.op
        if op.kind == "operator":
            raise ValueError("A must give finite products of moderate size; scale its columns")
        if op.kind == "sparse":
            check_finite(op.A.data, "A.data")
            peak = abs(op.A).max(axis=0).toarray().ravel()
        else:
            blocks = [xp.max(abs(op.A[a : a + _ROWS, :]), axis=0) for a in range(0, self.m, _ROWS)]
            peak = xp.max(xp.stack(blocks), axis=0)
            if not bool(xp.all(xp.isfinite(peak))):
                check_finite(op.A, "A")
        exponents = np.frexp(np.asarray([float(v) for v in peak]))[1]
        units = self.space.asarray(np.ldexp(1.0, -exponents), op.real_dtype)
        if op.kind == "sparse":
            A = op.A.copy().tocsc()
            A.data = A.data * units.repeat(A.indptr[1:] - A.indptr[:-1])
            A = A.asformat(op.A.format)
        else:
            A = op.A * units
        ridge = self.ridge
        if ridge is not None:
            ridge = (xp.sqrt(ridge) * units[:, None]) ** 2
        out = Problem(Operator(A, op.kind, op.space, op.dtype), self.B, self.weights, ridge)
        out.units = units[:, None]
        return out

    def _sketched(self, S: SketchOperator | None) -> tuple[Array, Array]:
        self.passes += 1
        xp, op = self.space.xp, self.op
        root = None if self.weights is None else xp.sqrt(self.weights)[:, None]
        WB = self.B if root is None else root * self.B
        if S is None:
            A = op.todense()
            return A if root is None else root * A, WB
        SB = S @ WB
        if root is None:
            return S @ op.A, SB
        if op.kind == "sparse":
            return S @ _scaled_rows(op.A, root[:, 0]), SB
        if op.kind == "operator":
            return S @ _WeightedOperator(op, root), SB
        SA: Any = 0.0
        for a, b in ranges(self.m, _ROWS):
            SA = SA + S.apply(root[a:b, :] * op.A[a:b, :], rows=slice(a, b))
        return SA, SB

    def preconditioned_gram(self, P: Array) -> Array:
        """Return P^H (A^H W A + D) P over s twice, for a matrix P of scaled directions."""
        X = P / self.scale
        self.passes += 1
        xp, out = self.space.xp, self.space.zeros((P.shape[1], P.shape[1]), P.dtype)
        rows = max(256, (1 << 23) // max(1, 8 * P.shape[1]))
        data = self.op.A.tocsr() if self.op.kind == "sparse" else self.op.A
        for a, b in ranges(self.m, rows):
            part = data[a:b, :] @ X
            w = None if self.weights is None else self.weights[a:b]
            out = out + gram(xp.asarray(part), w)
        if self.ridge is not None:
            D = xp.sqrt(self.ridge) * X
            out = out + gram(D, None)
        return out


class _WeightedOperator:
    """A linear operator with weighted rows."""

    def __init__(self, op: Operator, root: Array) -> None:
        self.op, self.root = op, root
        self.shape, self.dtype = op.shape, op.dtype

    def matmat(self, X: Array) -> Array:
        return self.root * self.op.matmat(X)

    def rmatmat(self, Y: Array) -> Array:
        return self.op.rmatmat(self.root * Y)


def _scaled_rows(A: Any, root: Array) -> Any:
    """Multiply the rows of a sparse matrix; only its data array is copied."""
    A = A.tocsr(copy=True)
    counts = A.indptr[1:] - A.indptr[:-1]
    A.data = A.data * root.repeat(counts)
    return A
