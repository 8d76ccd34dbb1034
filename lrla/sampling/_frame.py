"""Rows under changing weights: the Gram matrix and the quadratic form of each step."""

from __future__ import annotations

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, unit_roundoff
from lrla._core.operators import Operator
from lrla._core.threads import ranges
from lrla.kernels.gram import gram, gram_csr
from lrla.kernels.row_squares import quadratic_csr
from lrla.sampling._coordinates import LONG_ROWS, Task, row_pairs, wide
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
    rcond : float or None
        As for `lrla.sketch.whiten`.
    seed : int
        Of the sketch that whitens A.

    Notes
    -----
    The Gram matrix is that of A T, T whitening A, so that only what w does to the condition number
    counts. Where A is well conditioned, that is T^H (A^H W A) T; otherwise blocks of A T are
    formed, at twice the cost.
    """

    def __init__(self, op: Operator, rcond: float | None, seed: int) -> None:
        self.op, self.rcond, self.seed = op, rcond, seed
        self.u = unit_roundoff(op.space.xp, op.real_dtype)
        if op.shape[0] < op.shape[1] and op.kind != "operator":
            found = wide(Task(op, None, 0.0, rcond, seed, ""))
            self.T, self.rank, self.passes, self.plain = found.T, found.rank, found.passes, False
        else:
            method = "sketch" if op.kind == "operator" else "auto"
            W = whiten(op.A, rcond=rcond, rng=seed, method=method)
            self.T, self.rank, self.passes = W.T, W.rank, W.info.passes
            self.plain = W.condition <= self.u ** (-3 / 16)  # the rule of `whiten`
        self.form = op.kind == "sparse" and self.plain and row_pairs(op) <= LONG_ROWS * op.shape[1]

    def quadratic(self, w: Array) -> tuple[Array, Array]:
        """Return q(w) and coordinates T with (A T)^H W (A T) = I.

        Raises
        ------
        ArithmeticError
            If the rows that w leaves do not span what A spans.
        """
        G = self._gram(w)
        R = linalg.cholesky(G)
        if R is None:
            G, R = self._rewhiten(w)
        inverse = linalg.solve_triangular(R, self.op.space.eye(self.rank, R.dtype))
        T = self.T @ inverse
        self.passes += 2
        if self.form and condition_bound(G, inverse @ adjoint(inverse)) <= self.u ** (-1 / 4):
            return quadratic_csr(*self.op.csr(), T @ adjoint(T)), T
        return squares(self.op, T), T

    def _rewhiten(self, w: Array) -> tuple[Array, Array]:
        """Take coordinates that suit these weights, and keep them."""
        method = "sketch" if self.op.kind == "operator" else "cholesky_qr"
        W = whiten(self.op.A, weights=w, rcond=self.rcond, rng=self.seed, method=method)
        if W.rank < self.rank:
            raise ArithmeticError("rows of positive weight span less than all rows")
        self.T, self.plain, self.form = W.T, False, False
        self.passes += W.info.passes
        G = self._gram(w)
        R = linalg.cholesky(G)
        if R is None:
            raise ArithmeticError("the Gram matrix is not positive definite")
        return G, R

    def _gram(self, w: Array) -> Array:
        op, T = self.op, self.T
        if op.kind == "operator":
            parts = []
            for a, b in ranges(self.rank, _COLUMNS):
                parts.append(op.rmatmat(w[:, None] * op.matmat(T[:, a:b])))
            return adjoint(T) @ op.space.xp.concat(parts, axis=1)
        if self.plain:
            if op.kind == "blocks":
                (G,) = op.A.sum(lambda block, a, b: (gram(block, w[a:b]),))
            elif op.kind == "sparse":
                G = gram_csr(*op.csr(), op.shape[1], w)
            else:
                G = gram(op.A, w)
            return adjoint(T) @ G @ T
        if op.kind == "blocks":
            (G,) = op.A.sum(lambda block, a, b: (gram(block @ T, w[a:b]),))
            return G
        G = op.space.zeros((self.rank, self.rank), op.dtype)
        for a, b in ranges(op.shape[0], max(256, _PRODUCT // self.rank)):
            G = G + gram(op.A[a:b, :] @ T, w[a:b])
        return G
