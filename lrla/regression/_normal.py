"""Normal equations that stay solvable while their weights spread over twenty orders of magnitude."""

from __future__ import annotations

from lrla._core import linalg
from lrla._core.arrays import Array, space_of

_SHIFT = 1e-15  # first one tried when Cholesky fails; then ten times as much, and so on
_ROUNDS = 2  # of refinement: the shift is then gone unless the matrix is singular


class Normal:
    """Cholesky factor of a symmetric positive semidefinite matrix, columns scaled to one.

    Parameters
    ----------
    G : array of shape (k, k)
        The matrix.

    Notes
    -----
    Near the solution of a linear programme few weights are large, and the matrix is singular to
    rounding where the solution is not unique. A shift relative to the scaled diagonal, as small as
    Cholesky allows, and refinement then give the steps that matter.
    """

    def __init__(self, G: Array) -> None:
        space = space_of(G)
        xp, k = space.xp, int(G.shape[0])
        eye = space.eye(k, G.dtype)
        diagonal = xp.sum(G * eye, axis=0)
        usable = diagonal > 0
        self.scale = xp.where(usable, xp.where(usable, diagonal, 1.0) ** -0.5, 1.0)
        self.G = G * self.scale * self.scale[:, None]
        R, self.shift = linalg.cholesky(self.G), 0.0
        most = max(linalg.norm(self.G), 1.0)  # enough, whatever rounding has made of it
        while R is None and self.shift < most:
            self.shift = max(_SHIFT, 10 * self.shift)
            R = linalg.cholesky(self.G + self.shift * eye)
        if R is None:
            raise FloatingPointError("the normal equations are not finite")
        self.inverse = linalg.solve_triangular(R, eye)

    def solve(self, v: Array) -> Array:
        """Solve G x = v."""
        v = v * self.scale
        x = self._once(v)
        for _ in range(_ROUNDS):
            x = x + self._once(v - self.G @ x)
        return x * self.scale

    def root(self) -> Array:
        """Return F with F F^T the inverse of G."""
        return self.scale[:, None] * self.inverse

    def _once(self, v: Array) -> Array:
        return self.inverse @ (self.inverse.T @ v)
