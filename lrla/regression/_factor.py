"""A preconditioner: singular values and vectors of a small matrix that stands for the data."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, space_of, unit_roundoff
from lrla.regression._problem import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """Directions V / sigma in which the (scaled) data are close to orthonormal.

    Parameters
    ----------
    sigma : array of shape (k,)
        Singular values that are kept, decreasing.
    V : array of shape (n, k)
        Their right singular vectors.
    null : array of shape (n, n - k)
        The right singular vectors whose singular values count as zero.
    shift : array of shape (1, p) or float
        Ridge that is not in sigma: one for each right-hand side.
    """

    sigma: Array
    V: Array
    null: Array
    shift: Array | float = 0.0

    @property
    def rank(self) -> int:
        """Number of singular values kept."""
        return int(self.sigma.shape[0])

    @property
    def condition(self) -> float:
        """Largest over smallest of the singular values kept."""
        return float(self.sigma[0] / self.sigma[-1]) if self.rank else 1.0

    def truncated(self, rcond: float) -> Factor:
        """Count singular values below ``rcond`` times the largest as zero, too."""
        k = linalg.rank_of(self.sigma, rcond)
        if k == self.rank:
            return self
        null = space_of(self.V).xp.concat((self.V[:, k:], self.null), axis=1)
        return replace(self, sigma=self.sigma[:k], V=self.V[:, :k], null=null)

    def _root(self) -> Array:
        return (self.sigma[:, None] ** 2 + self.shift) ** 0.5

    def solve(self, Y: Array) -> Array:
        """Map preconditioned variables to scaled ones."""
        return self.V @ (Y / self._root())

    def adjoint_solve(self, C: Array) -> Array:
        """Map gradients to preconditioned ones."""
        return (adjoint(self.V) @ C) / self._root()

    def gradient_size(self, Y: Array, size: Array, squares: Array) -> Array:
        """Norms of (size**2 G + squares)^(-1/2) C with G the Gram matrix that this stands for.

        C is the gradient whose preconditioned form (`adjoint_solve`) is Y.
        """
        root = self._root()
        below = (root**2 * size**2 + squares) ** 0.5
        xp = space_of(Y).xp
        return linalg.norm(Y * (root / xp.where(below > 0, below, xp.ones_like(below))), axis=0)

    def without_null(self, Z: Array, metric: Array) -> Array:
        """Remove what the data do not determine, so that X = Z / metric has least norm."""
        if self.null.shape[1] == 0:
            return Z
        xp = space_of(Z).xp
        # what rounding left in entries that should be zero would rule where columns differ in size
        noise = 16 * unit_roundoff(xp, self.sigma.dtype)
        null = xp.where(abs(self.null) > noise, self.null, xp.zeros_like(self.null))
        N = xp.linalg.qr(null / metric).Q
        X = Z / metric
        return (X - N @ (adjoint(N) @ X)) * metric


def from_triangle(R: Array, rcond: float) -> tuple[Factor, Array]:
    """Factor a small matrix; return also the left singular vectors that belong to it."""
    U, s, Vh = linalg.svd(R)
    rank = linalg.rank_of(s, rcond)
    V = adjoint(Vh)
    return Factor(s[:rank], V[:, :rank], V[:, rank:]), U[:, :rank]


def from_rows(
    problem: Problem,
    SA: Array,
    SB: Array,
    rcond: float,
    *,
    equilibrate: bool = True,
    largest: Array | None = None,
) -> tuple[Factor, Array, Array]:
    """Factor sketched (or all) rows; set the problem's scale; solve the sketched problem.

    Parameters
    ----------
    problem : Problem
        What the rows stand for.
    SA, SB : array of shape (d, n) and (d, p)
        The rows.
    rcond : float
        Fraction of the largest singular value below which others count as zero.
    equilibrate : bool, default True
        Whether to divide columns by their norms.
    largest : array of shape (n,), optional
        Column norms that SA had once: its rounding errors are relative to these.

    Returns
    -------
    factor : Factor
        Of the equilibrated rows, ridge included if it is a column.
    Z : array of shape (n, p)
        Scaled solution of the sketched problem.
    residual : array of shape (p,)
        Its residual norms.
    """
    xp, space, n = problem.space.xp, problem.space, problem.n
    if problem.ridge is not None:
        D = xp.sqrt(problem.ridge) * space.eye(n, SA.dtype)
        SA = xp.concat((SA, D), axis=0)
        SB = xp.concat((SB, space.zeros((n, SB.shape[1]), SB.dtype)), axis=0)
    if equilibrate:
        size = linalg.norm(SA, axis=0)[:, None]
        size = size if largest is None else xp.maximum(size, largest[:, None])
        problem.scale = xp.where(size > 0, size, xp.ones_like(size))
    SA = SA / problem.scale.T
    if largest is not None and (left := linalg.norm(SA)) > 0:
        rcond = rcond * max(1.0, math.sqrt(n) / left)
    R = linalg.qr_r(xp.concat((SA, SB), axis=1))
    k = min(n, R.shape[0])
    factor, U = from_triangle(R[:k, :n], rcond)
    inside = adjoint(U) @ R[:k, n:]
    outside = R[:k, n:] - U @ inside
    residual = (linalg.norm(outside, axis=0) ** 2 + linalg.norm(R[k:, n:], axis=0) ** 2) ** 0.5
    Z = factor.V @ (inside / factor.sigma[:, None])
    return factor, Z, residual
