"""Rows under changing weights: the Gram matrix and the quadratic form of each step."""

from __future__ import annotations

import math

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, unit_roundoff
from lrla._core.errors import RankDeficientWarning, once
from lrla._core.operators import Operator
from lrla._core.threads import ranges
from lrla.kernels.gram import gram, gram_csr
from lrla.kernels.row_squares import quadratic_csr
from lrla.sampling._coordinates import LONG_ROWS, Task, row_pairs
from lrla.sampling._leverage import coordinates
from lrla.sampling._rows import condition_bound, squares
from lrla.sketch import whiten

_PRODUCT = 1 << 18  # entries of A T that are formed at a time
_COLUMNS = 64  # of products with a linear operator that are held at a time


class Frame:
    """The rows a_i of A, and ``q_i(w) = a_i^H (A^H W A)^+ a_i`` for any weights w.

    Parameters
    ----------
    op : Operator
        A.
    accuracy : float
        Relative error of q that is good enough.
    rcond : float or None
        As for `lrla.sketch.whiten`.
    seed : int
        Of the sketch that whitens A.

    Notes
    -----
    The Gram matrix is that of A T, where T whitens A with the weights of the step before, so that
    it is close to the identity once the weights settle. As long as the rounding of A^H W A, of
    order u condition**2, is within the accuracy, that is T^H (A^H W A) T; then blocks of A T are
    formed, at twice the cost.
    """

    def __init__(self, op: Operator, accuracy: float, rcond: float | None, seed: int) -> None:
        self.op, self.rcond, self.seed = op, rcond, seed
        u = unit_roundoff(op.space.xp, op.real_dtype)
        self.limit = math.sqrt(max(accuracy / u, 1.0))
        found = coordinates(Task(op, None, 0.0, rcond, seed, ""), "auto")
        self.T, self.rank, self.passes = found.T, found.rank, found.passes
        # columns of A are as long as rows of T are short, up to the condition
        size, most = (
            linalg.norm(self.T, axis=1),
            float(op.space.xp.finfo(op.real_dtype).max) ** 0.35,
        )
        tame = bool(op.space.xp.all((size > 1 / most) & (size < most)))
        self.plain = tame and self.rank == op.shape[1] and found.condition <= self.limit
        self.form = op.kind == "sparse" and row_pairs(op) <= LONG_ROWS * op.shape[1]

    def quadratic(self, w: Array) -> tuple[Array, Array]:
        """Return q(w) and coordinates T with (A T)^H W (A T) = I.

        Raises
        ------
        ArithmeticError
            If the rows that w leaves do not span what A spans.
        """
        R = None
        if self.plain and self.op.kind != "operator":
            whole = self._gram_of_rows(w)
            R = linalg.cholesky(adjoint(self.T) @ whole @ self.T)
            T = self._coordinates(R)
            self.plain = T is not None and self._scaled_condition(whole, T) <= self.limit
        if not self.plain or self.op.kind == "operator":
            R = linalg.cholesky(self._gram_of_products(w))
            T = self._coordinates(R if R is not None else self._rewhiten(w))
        self.T = T
        self.passes += 2
        if self.form and self.plain:
            return quadratic_csr(*self.op.csr(), T @ adjoint(T)), T
        return squares(self.op, T), T

    def _coordinates(self, R: Array | None) -> Array | None:
        if R is None:
            return None
        return self.T @ linalg.solve_triangular(R, self.op.space.eye(self.rank, R.dtype))

    def _scaled_condition(self, G: Array, T: Array) -> float:
        """Bound the condition number of sqrt(W) A, columns scaled, from its Gram matrix."""
        xp = self.op.space.xp
        size = xp.sqrt(xp.astype(abs(xp.linalg.diagonal(G)), self.op.real_dtype))
        T, size = size[:, None] * T, xp.where(size > 0, size, xp.ones_like(size))
        return condition_bound(G / size / size[:, None], T @ adjoint(T))

    def _rewhiten(self, w: Array) -> Array:
        """Take coordinates that suit these weights; return the R factor in them."""
        method = "sketch" if self.op.kind == "operator" else "cholesky_qr"
        with once(RankDeficientWarning, told=True):  # it is that of the weights, not of A
            W = whiten(self.op.A, weights=w, rcond=self.rcond, rng=self.seed, method=method)
        if W.rank < self.rank:
            raise ArithmeticError("rows of positive weight span less than all rows")
        self.T = W.T
        self.passes += W.info.passes
        R = linalg.cholesky(self._gram_of_products(w))
        if R is None:
            raise ArithmeticError("the Gram matrix is not positive definite")
        return R

    def _gram_of_rows(self, w: Array) -> Array:
        """Return A^H W A."""
        op = self.op
        if op.kind == "blocks":
            (G,) = op.A.sum(lambda block, a, b: (gram(block, w[a:b]),))
            return G
        return gram_csr(*op.csr(), op.shape[1], w) if op.kind == "sparse" else gram(op.A, w)

    def _gram_of_products(self, w: Array) -> Array:
        """Return (A T)^H W (A T)."""
        op, T = self.op, self.T
        if op.kind == "operator":
            parts = []
            for a, b in ranges(self.rank, _COLUMNS):
                parts.append(op.rmatmat(w[:, None] * op.matmat(T[:, a:b])))
            return adjoint(T) @ op.space.xp.concat(parts, axis=1)
        if op.kind == "blocks":
            (G,) = op.A.sum(lambda block, a, b: (gram(block @ T, w[a:b]),))
            return G
        G = op.space.zeros((self.rank, self.rank), op.dtype)
        for a, b in ranges(op.shape[0], max(256, _PRODUCT // self.rank)):
            G = G + gram(op.A[a:b, :] @ T, w[a:b])
        return G
