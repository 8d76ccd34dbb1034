"""Eigenvectors chosen by coin flips, then the projection process of their span."""

from __future__ import annotations

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, numpy_space, space_of, to_host, unit_roundoff
from lrla._core.operators import Operator
from lrla.dpp._draw import Streams, projection

_DUAL = 1e5  # condition up to which V = B W / s is orthonormal enough: u * 1e5 is 1e-11


class Spectrum:
    """Positive eigenvalues and orthonormal eigenvectors of a positive semidefinite kernel.

    Parameters
    ----------
    values : array of shape (r,)
        Eigenvalues, positive.
    vectors : array of shape (n, r)
        Their eigenvectors.

    Notes
    -----
    Items are proposed from a mixture: one of the chosen eigenvectors at random, then an item by the
    squares of its entries. That is the law of the leverage scores of the chosen ones, and costs
    nothing that grows with n but a binary search.
    """

    def __init__(self, values: Array, vectors: Array) -> None:
        self.vectors, self.space = vectors, space_of(vectors)
        self.values = to_host(values).astype(np.float64)
        self._sums: Array | None = None

    @property
    def sums(self) -> Array:
        """Cumulated squares of all eigenvectors in one ascending row; each adds up to one."""
        if self._sums is None:
            xp = self.space.xp
            squares = xp.astype(xp.abs(self.vectors.T) ** 2, xp.float64)
            rows = xp.cumulative_sum(squares, axis=1)
            rows = rows / rows[:, -1:]
            first = xp.arange(rows.shape[0], dtype=xp.float64, device=self.space.device)
            self._sums = xp.reshape(rows + first[:, None], (-1,))
        return self._sums

    def draw(self, chosen: np.ndarray, streams: Streams) -> Array:
        """Draw from the projection process of the span of some eigenvectors."""
        return projection(_Mixture(self, chosen), streams)[0]

    def flip(self, probabilities: np.ndarray, streams: Streams) -> Array:
        """Choose eigenvectors by independent coin flips, then draw."""
        u = streams.uniform(numpy_space(), 0, len(probabilities), 1, part=1)[:, 0]
        return self.draw(np.flatnonzero(u < probabilities), streams)

    def weighted_squares(self, weights: np.ndarray) -> Array:
        """Sum the squares of the entries of each row of the eigenvectors, weighted."""
        squares = self.space.xp.abs(self.vectors) ** 2
        return squares @ self.space.asarray(weights, squares.dtype)


class _Mixture:
    """Proposals for the span of some eigenvectors; see `lrla.dpp._draw.Proposals`."""

    def __init__(self, spectrum: Spectrum, chosen: np.ndarray) -> None:
        self.spectrum, self.space = spectrum, spectrum.space
        self.size = len(chosen)
        self.chosen = self.space.asarray(chosen, self.space.xp.int64)

    def propose(self, u: Array) -> tuple[Array, Array]:
        """Use the first digits of u to choose an eigenvector, and the others to choose an item."""
        xp, V = self.space.xp, self.spectrum.vectors
        n = int(V.shape[0])
        which = xp.clip(xp.astype(u * self.size, xp.int64), max=self.size - 1)
        rest = u * self.size - xp.astype(which, xp.float64)
        column = xp.take(self.chosen, which)
        # below one even after the number of the eigenvector, up to 4096, has cost 12 bits
        target = xp.astype(column, xp.float64) + xp.clip(rest, max=1 - 2.0**-40)
        items = xp.searchsorted(self.spectrum.sums, target, side="right") - column * n
        return items, xp.take(self.space.rows(V, items), self.chosen, axis=1)


def of_matrix(L: Array) -> tuple[Spectrum, float]:
    """Diagonalise a Hermitian matrix; drop what is numerically zero; return the smallest, too."""
    xp = space_of(L).xp
    if space_of(L).is_numpy:
        import scipy.linalg

        values, vectors = scipy.linalg.eigh(L, check_finite=False, driver="evd")
    else:
        values, vectors = xp.linalg.eigh(L)
    n = int(L.shape[0])
    host = to_host(values)
    top = float(np.max(np.abs(host), initial=0.0))
    keep = host > n * 2 * unit_roundoff(xp, values.dtype) * top
    first = n - int(np.sum(keep))  # ascending: those that are dropped come first
    return Spectrum(values[first:], vectors[:, first:]), float(host[0]) if n else 0.0


def of_factor(op: Operator) -> Spectrum:
    """Diagonalise B B^H, from the small triangle of B where that leaves eigenvectors orthonormal."""
    xp = op.space.xp
    B = op.todense()
    n, r = B.shape
    u = 2 * unit_roundoff(xp, op.real_dtype)
    if n >= r:
        _, s, Vh = linalg.svd(linalg.qr_r(B))
        rank = linalg.rank_of(s, max(n, r) * u)
        if rank and float(s[0]) <= _DUAL * float(s[rank - 1]):
            return Spectrum(s[:rank] ** 2, B @ (adjoint(Vh)[:, :rank] / s[:rank]))
    U, s, _ = linalg.svd(B)
    rank = linalg.rank_of(s, max(n, r) * u)
    return Spectrum(s[:rank] ** 2, U[:, :rank])
