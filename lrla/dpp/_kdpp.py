"""Determinantal processes conditioned on their size."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla._core.arrays import Array, numpy_space
from lrla._core.numbers import whole
from lrla.dpp._bernoulli import expit, tilt
from lrla.dpp._draw import Streams
from lrla.dpp._errors import RankError, SamplingError
from lrla.dpp._likelihood import Likelihood, likelihood_of_factor, likelihood_of_matrix
from lrla.dpp._process import FixedSize
from lrla.kernels.poisson_binomial import inclusion

_TRIES = 8  # choices of eigenvectors that are drawn at a time
_BUDGET = 100  # times the expected number of tries: exceeded by 1 run in e**100


class KDPP(FixedSize):
    """Determinantal point process conditioned on samples of k items.

    A set S of k items has probability proportional to ``det(L[S, S])``. It is not a determinantal
    process itself, unless k is the rank of L.

    Parameters
    ----------
    L : array of shape (n, n)
        Hermitian and positive semidefinite.
    k : int
        Number of items in a sample, from 0 to the rank of L.

    Attributes
    ----------
    n, k : int
        Number of items, and how many of them are in a sample.
    labels : numpy.ndarray of int64 or None
        What samples call the items, where they are not ``0 .. n - 1``: after `condition`.

    Raises
    ------
    RankError
        If k is larger than the numerical rank of L.
    NotPSDError
        If L has a negative eigenvalue, beyond rounding.
    ValueError
        If L is not square, not Hermitian or not finite, or k is negative.

    Notes
    -----
    Exact. Eigenvectors are chosen by independent coin flips with odds proportional to the
    eigenvalues, again and again until there are k of them; scaling the odds does not change the law
    of the choice given its size (Chen, Dempster and Liu [1]_), and the scale is the one at which k
    is expected, so that about ``sqrt(2 pi k)`` choices are enough. Nothing over- or underflows, as
    elementary symmetric polynomials would. Then items are drawn as for `LEnsemble`: O(k**3 log k)
    for each draw, whatever n.

    References
    ----------
    .. [1] X.-H. Chen, A. P. Dempster, J. S. Liu, "Weighted finite population sampling to maximize
       entropy", Biometrika 81, 1994.
    .. [2] A. Kulesza, B. Taskar, "k-DPPs: fixed-size determinantal point processes", ICML 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.dpp import KDPP
    >>> x = np.linspace(0, 1, 200)
    >>> dpp = KDPP(np.exp(-((x[:, None] - x) ** 2) / 0.02), 6)
    >>> S = np.sort(dpp.sample(rng=7))
    >>> len(S), bool(np.diff(S).min() > 5)
    (6, True)
    """

    def __init__(self, L: Any, k: int) -> None:
        self._describe(likelihood_of_matrix(L), k, None)

    @classmethod
    def from_factor(cls, B: Any, k: int) -> KDPP:
        """Make the process of the kernel ``B @ B.conj().T`` without forming it.

        Parameters
        ----------
        B : array of shape (n, r) or sparse matrix
            Features of the items, in rows.
        k : int
            Number of items in a sample, from 0 to the rank of B.

        Returns
        -------
        KDPP
            Of the same law as that of the matrix.
        """
        return cls._of(likelihood_of_factor(B), k, None)

    @classmethod
    def _of(cls, likelihood: Likelihood, k: int, labels: np.ndarray | None) -> KDPP:
        out = object.__new__(cls)
        out._describe(likelihood, k, labels)
        return out

    def _describe(self, likelihood: Likelihood, k: int, labels: np.ndarray | None) -> None:
        k = whole(k, "k", 0, rule=", not negative")
        self._L, self.k, self.labels, self.n = likelihood, k, labels, likelihood.n
        values = likelihood.spectrum.values if k else np.ones(1)
        if k > len(values):
            raise RankError(
                f"k must be at most the rank of the kernel, {len(values)}, got {k}; add features, "
                "or ask for fewer items"
            )
        self._log_values = np.log(values)
        self._t = 0.0 if k in (0, len(values)) else tilt(self._log_values, k)
        self._p = expit(self._t + self._log_values)
        self._q = expit(-self._t - self._log_values)

    def _draw(self, streams: Streams) -> Array:
        if self.k == 0:
            return self._L.space.zeros((0,), self._L.space.xp.int64)
        return self._named(self._L.spectrum.draw(self._choice(streams), streams))

    def _choice(self, streams: Streams) -> np.ndarray:
        r = len(self._p)
        if self.k == r:
            return np.arange(r)
        spread = 2 * np.pi * (float(np.sum(self._p * self._q)) + 1)
        for start in range(0, int(_BUDGET * spread**0.5) + 1, _TRIES):
            u = streams.uniform(numpy_space(), start, start + _TRIES, r, part=1)
            hits = u < self._p
            fits = np.flatnonzero(np.sum(hits, axis=1) == self.k)
            if len(fits):
                return np.flatnonzero(hits[fits[0]])
        raise SamplingError(f"no choice of {self.k} among {r} eigenvectors was found")

    def _selection(self) -> tuple[np.ndarray, float]:
        """Return the probability of each eigenvector to be chosen, and that k are."""
        if self.k in (0, len(self._p)):
            return np.full(len(self._p), float(self.k > 0)), 1.0
        inside, total = inclusion(self._p, self._q, self.k)
        return inside, float(total)

    def marginals(self) -> Array:
        """Probability of each item to be in the sample; they add up to k."""
        if self.k == 0:
            return self._L.space.zeros((self.n,), self._L.space.xp.float64)
        return self._L.spectrum.weighted_squares(self._selection()[0])

    def log_prob(self, S: Any) -> float:
        """Logarithm of the probability of a set of items; minus infinity unless it has k."""
        S = self._positions(S)
        if len(S) != self.k:
            return -np.inf
        return self._L.log_det(S) - self._log_normalizer()

    def _log_normalizer(self) -> float:
        """Logarithm of the k-th elementary symmetric polynomial of the eigenvalues."""
        if self.k == 0:
            return 0.0
        if self.k == len(self._p):
            return float(np.sum(self._log_values))
        total = np.log(self._selection()[1])
        return float(total - self.k * self._t - np.sum(np.log(self._q)))

    def _given(self, inside: np.ndarray, outside: np.ndarray) -> KDPP:
        if len(inside) > self.k:
            raise ValueError(f"include must hold at most k={self.k} items, got {len(inside)}")
        likelihood, rest = self._L.condition(inside, outside)
        return self._of(likelihood, self.k - len(inside), self._relabel(rest))

    def __repr__(self) -> str:
        return f"KDPP(n={self.n}, k={self.k})"
