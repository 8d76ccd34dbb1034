"""The problem that every method sees: products, never the kind of matrix behind them."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, Space, adjoint, unit_roundoff
from lrla._core.operators import Operator
from lrla._core.threads import ranges
from lrla.kernels.gram import gram, gram_of
from lrla.kernels.normal import normal_residual, normal_residual_csr
from lrla.sketch import SketchOperator

_COLUMNS = 64  # multiplied with an operator at a time
_ROWS = 1 << 16  # rows whose sizes are formed at a time: bounds the copy


def power_of_two(sizes: Any, finfo: Any) -> Any:
    """Return powers of two (NumPy) by which numbers of these sizes become about 1, where possible.

    Far below the largest number in any case, so that one over it and products with it exist.
    """
    room = int(np.frexp(float(finfo.max))[1]) - 24
    sizes = np.minimum(np.asarray(sizes, float), float(finfo.max))
    return np.ldexp(1.0, np.clip(np.frexp(sizes)[1], -room, room))


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
        self.rcond = self.u * max(30, self.n)  # singular values below this are rounding errors
        self.scale = op.space.xp.ones((self.n, 1), dtype=op.real_dtype, device=op.space.device)
        self.units: Array | float = 1.0  # solutions times these are those of the data as given
        self.tame = False
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

    def _normal(self, X: Array, B: Array | None) -> tuple[Array, Array]:
        self.passes += 1
        xp, op, w = self.space.xp, self.op, self.weights
        X = xp.astype(X, op.dtype, copy=False)
        if op.kind == "dense":
            return normal_residual(op.A, X, B, w)
        if op.kind == "blocks":
            return op.A.sum(
                lambda block, a, b: normal_residual(
                    block, X, None if B is None else B[a:b, :], None if w is None else w[a:b]
                )
            )
        if op.kind == "sparse" and op.A.format == "csr":
            return normal_residual_csr(op.A.data, op.A.indices, op.A.indptr, X, B, w)
        R = -op.matmat(X) if B is None else B - op.matmat(X)
        WR = R if w is None else w[:, None] * R
        return op.rmatmat(WR), linalg.dots(R, WR)

    # -- once each, before the iteration ----------------------------------------------------

    def gram(self) -> Array:
        """Return A^H W A + D, unscaled; D must be a column."""
        self.passes += 1
        G = gram_of(self.op, self.weights)
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
        fine = (sizes == 0) | ((sizes < limit) & (sizes > 1 / limit))
        if not (self.tame or bool(xp.all(fine))):
            raise OutOfRangeError

    @property
    def metric(self) -> Array:
        """Scaled variables over these are solutions for the data as given."""
        return self.scale / self.units

    def tamed(self) -> Problem:
        """Divide columns by powers of two, in a copy, so that products neither over- nor underflow.

        The only copy that is ever made of A, for data beyond 1e108 or below 1e-108 (float64). All
        columns are divided alike where the solution of least norm is wanted from fewer rows than
        columns, or the ridge has to stay a multiple of the identity.

        Raises
        ------
        ValueError
            If the reason is that A is not finite.
        """
        xp, op, ridge = self.space.xp, self.op, self.ridge
        if op.kind not in ("dense", "sparse"):
            op.check_entries()
            raise ValueError("A must give finite products of moderate size; scale its columns")
        peak = self._peaks()
        if ridge is not None and ridge.shape[0] == self.n:
            peak = xp.maximum(peak, xp.sqrt(ridge[:, 0]))
        if self.n > self.m or (ridge is not None and ridge.shape[0] != self.n):
            peak = xp.zeros_like(peak) + xp.max(peak)
        inverse = power_of_two([float(v) for v in peak], xp.finfo(op.real_dtype))
        units = self.space.asarray(1 / inverse, op.real_dtype)
        if op.kind == "sparse":
            A = op.A.copy().tocsc()
            A.data = A.data * units.repeat(A.indptr[1:] - A.indptr[:-1])
            A = A.asformat(op.A.format)
        else:
            A = op.A * units
        if ridge is not None:
            column = units[:, None] if ridge.shape[0] == self.n else units[:1, None]
            ridge = (xp.sqrt(ridge) * column) ** 2
        out = Problem(Operator(A, op.kind, op.space, op.dtype), self.B, self.weights, ridge)
        out.units, out.tame = units[:, None], True
        return out

    def _peaks(self) -> Array:
        """Return the largest entry of each column of sqrt(W) A."""
        xp, op = self.space.xp, self.op
        root = None if self.weights is None else xp.sqrt(self.weights)
        if op.kind == "sparse":
            op.check_entries()
            size = Operator(abs(op.A), op.kind, op.space, op.real_dtype)
            A = (size if root is None else size.scaled_rows(root)).A
            return A.max(axis=0).toarray().ravel()
        peaks = []
        for a, b in ranges(self.m, _ROWS):
            sizes = abs(op.A[a:b, :])
            peaks.append(xp.max(sizes if root is None else root[a:b, None] * sizes, axis=0))
        peak = xp.max(xp.stack(peaks), axis=0)
        if not bool(xp.all(xp.isfinite(peak))):
            op.check_entries()
        return peak

    def _sketched(self, S: SketchOperator | None) -> tuple[Array, Array]:
        self.passes += 1
        xp, op = self.space.xp, self.op
        root = None if self.weights is None else xp.sqrt(self.weights)[:, None]
        WB = self.B if root is None else root * self.B
        if S is None:
            A = op.todense()
            return A if root is None else root * A, WB
        return S.apply(op.A, weights=self.weights), S @ WB

    def preconditioned_gram(self, P: Array) -> Array:
        """Return P^H (A^H W A + D) P over s twice, for a matrix P of scaled directions."""
        xp = self.space.xp
        if self.op.kind == "operator":
            parts = [self.normal(P[:, i:j]) for i, j in ranges(int(P.shape[1]), _COLUMNS)]
            return adjoint(P) @ xp.concat(parts, axis=1)
        X = P / self.scale
        self.passes += 1
        out = gram_of(self.op, self.weights, X)
        if self.ridge is not None:
            out = out + gram(xp.sqrt(self.ridge) * X, None)
        return out
