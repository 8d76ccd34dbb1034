"""Determinantal processes of random size: L-ensembles and marginal kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lrla._core.arrays import Array, is_complex
from lrla.dpp._bernoulli import tilt
from lrla.dpp._draw import Streams
from lrla.dpp._errors import RankError
from lrla.dpp._halves import flip_likelihood, marginal_kernel
from lrla.dpp._likelihood import Likelihood, likelihood_of_factor, likelihood_of_matrix
from lrla.dpp._marginal import flip
from lrla.dpp._process import RandomSize
from lrla.kernels.poisson_binomial import pmf


class LEnsemble(RandomSize):
    """Determinantal point process of a likelihood kernel: sets of random size.

    A set S has probability ``det(L[S, S]) / det(I + L)``.

    Parameters
    ----------
    L : array of shape (n, n)
        Hermitian and positive semidefinite.

    Attributes
    ----------
    n : int
        Number of items.
    labels : numpy.ndarray of int64 or None
        What samples call the items, where they are not ``0 .. n - 1``: after `condition`.

    Raises
    ------
    NotPSDError
        If L has a negative eigenvalue, beyond rounding.
    ValueError
        If L is not square, not Hermitian or not finite.
    TypeError
        If L is sparse or not a matrix of numbers; for factors see `from_factor`.

    Notes
    -----
    Two exact samplers. ``"ldl"`` factors the marginal kernel K = I - (I + L)^-1 with a coin flip
    at each pivot [1]_; it is formed for few items at a time, from Schur complements for those that
    are still open and in those that were chosen: 0.4 n**3 flops for each draw of few items.
    ``"spectral"`` diagonalises L, about 9 n**3 flops once, chooses eigenvectors by coin flips and
    draws from the projection process of their span [2]_ by rejection [3]_: O(r + k**3 log k) for
    each draw of k items, whatever n. Both are functions of L and the seed, but not the same one.

    References
    ----------
    .. [1] J. Poulson, "High-performance sampling of generic determinantal point processes", Phil.
       Trans. R. Soc. A 378, 2020.
    .. [2] J. B. Hough, M. Krishnapur, Y. Peres, B. Virag, "Determinantal processes and
       independence", Probability Surveys 3, 2006.
    .. [3] S. Barthelme, N. Tremblay, P.-O. Amblard, "A faster sampler for discrete determinantal
       point processes", AISTATS 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.dpp import LEnsemble
    >>> x = np.linspace(0, 1, 50)
    >>> dpp = LEnsemble(3 * np.exp(-((x[:, None] - x) ** 2) / 0.02))
    >>> round(dpp.expected_size, 2)
    9.05
    >>> S = dpp.sample(rng=7)
    >>> dpp.log_prob(S) > dpp.log_prob([0, 1, 2])  # neighbours repel each other
    True
    """

    def __init__(self, L: Any) -> None:
        self._describe(likelihood_of_matrix(L), None)

    @classmethod
    def from_factor(cls, B: Any) -> LEnsemble:
        """Make the process of the kernel ``B @ B.conj().T`` without forming it.

        Parameters
        ----------
        B : array of shape (n, r) or sparse matrix
            Features of the items, in rows.

        Returns
        -------
        LEnsemble
            With the sampler "spectral": 2 n r**2 flops once.
        """
        return cls._of(likelihood_of_factor(B), None)

    @classmethod
    def _of(cls, likelihood: Likelihood, labels: np.ndarray | None) -> LEnsemble:
        out = object.__new__(cls)
        out._describe(likelihood, labels)
        return out

    def _describe(self, likelihood: Likelihood, labels: np.ndarray | None) -> None:
        self._L, self.labels, self.n = likelihood, labels, likelihood.n
        self._K: Array | None = None

    def _marginal_kernel(self) -> Array:
        if self._K is None:
            self._K = marginal_kernel(self._L.L)
        return self._K

    def _sampler(self, method: str, *, several: bool) -> Callable[[Streams], Array]:
        if method == "ldl" and self._L.L is None:
            raise ValueError("method 'ldl' needs the matrix L, got a factor; use 'spectral'")
        if method == "ldl" or (method == "auto" and not several and self._L.L is not None):
            L, K = self._L.L, self._K
            if K is not None:  # for the marginals; the items are the same
                return lambda streams: flip(K, streams, hermitian=True)
            return lambda streams: flip_likelihood(L, streams)
        spectrum, share = self._L.spectrum, self._odds_share()
        return lambda streams: spectrum.flip(share, streams)

    def marginals(self) -> Array:
        """Probability of each item to be in the sample."""
        xp = self._L.space.xp
        if self._L.L is not None:
            d = xp.linalg.diagonal(self._marginal_kernel())
            return xp.real(d) if is_complex(d) else d
        return self._L.spectrum.weighted_squares(self._odds_share())

    def _odds_share(self) -> np.ndarray:
        values = self._L.spectrum.values
        return values / (1 + values)

    def log_prob(self, S: Any) -> float:
        """Logarithm of the probability of a set of items."""
        return self._L.log_det(self._positions(S)) - float(
            np.sum(np.log1p(self._L.spectrum.values))
        )

    @property
    def expected_size(self) -> float:
        """Expected number of items in a sample."""
        return float(np.sum(self._odds_share()))

    def size_pmf(self) -> np.ndarray:
        """Compute the probabilities of 0, 1, ... up to the rank of L items in a sample."""
        values = self._L.spectrum.values
        return pmf(values / (1 + values), 1 / (1 + values))

    def rescale(self, expected_size: float) -> LEnsemble:
        """Multiply L by the number that makes samples of a given expected size.

        Parameters
        ----------
        expected_size : float
            Between 0 and the rank of L, both excluded.

        Returns
        -------
        LEnsemble
            Of a multiple of L.

        Raises
        ------
        RankError
            If the rank of L is not larger than the size.
        """
        values = self._L.spectrum.values
        if not 0 < expected_size < len(values):
            raise RankError(
                f"expected_size must be between 0 and the rank {len(values)} of L, both excluded, "
                f"got {expected_size}"
            )
        factor = np.exp(tilt(np.log(values), float(expected_size)))
        return self._of(self._L.times(float(factor)), self.labels)

    def _given(self, inside: np.ndarray, outside: np.ndarray) -> LEnsemble:
        likelihood, rest = self._L.condition(inside, outside)
        return self._of(likelihood, self._relabel(rest))

    def __repr__(self) -> str:
        return f"LEnsemble(n={self.n})"
