"""Determinantal processes given by the probabilities that items are in the sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import (
    Array,
    adjoint,
    as_array,
    check_finite,
    is_complex,
    space_of,
    to_host,
    unit_roundoff,
)
from lrla.dpp._draw import Streams
from lrla.dpp._errors import NotAKernelError
from lrla.dpp._likelihood import hermitian as check_hermitian
from lrla.dpp._process import RandomSize
from lrla.dpp._spectrum import Spectrum, of_matrix
from lrla.kernels.determinantal import ldl
from lrla.kernels.poisson_binomial import pmf

_SLACK = 1e-8  # by which rounding may push a conditional probability out of [0, 1]


class MarginalKernel(RandomSize):
    """Determinantal point process of a marginal kernel: sets of random size.

    A set A is contained in the sample with probability ``det(K[A, A])``.

    Parameters
    ----------
    K : array of shape (n, n)
        Hermitian, with eigenvalues in [0, 1]; or any matrix that is a kernel of a process.
    hermitian : bool, default True
        Whether K is Hermitian. If not, whether it is a kernel shows in the draws alone: as soon as
        a conditional probability is not one, an error is raised.

    Attributes
    ----------
    n : int
        Number of items.
    labels : numpy.ndarray of int64 or None
        What samples call the items, where they are not ``0 .. n - 1``: after `condition`.

    Raises
    ------
    NotAKernelError
        If K has an eigenvalue outside [0, 1], beyond rounding.
    ValueError
        If K is not square, not Hermitian though it should be, or not finite.

    Notes
    -----
    The samplers of `LEnsemble`; without symmetry the first alone, by LU at twice the cost.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.dpp import MarginalKernel
    >>> dpp = MarginalKernel([[0.5, 0.5], [0.5, 0.5]])  # a projection: one of two items
    >>> len(dpp.sample(rng=7))
    1
    """

    def __init__(self, K: Any, *, hermitian: bool = True) -> None:
        K = _checked_kernel(K) if hermitian else _square(K)
        self._describe(K, hermitian, None)

    def _describe(self, K: Array, symmetric: bool, labels: np.ndarray | None) -> None:
        self._K, self._hermitian, self.labels = K, symmetric, labels
        self.n = int(K.shape[0])
        self._spectrum: Spectrum | None = None

    def _sampler(self, method: str, *, several: bool) -> Callable[[Streams], Array]:
        if method == "spectral" and not self._hermitian:
            raise ValueError("method 'spectral' needs a Hermitian kernel; use 'ldl'")
        if method == "ldl" or (method == "auto" and not (several and self._hermitian)):
            K, symmetric = self._K, self._hermitian
            return lambda streams: flip(K, streams, hermitian=symmetric)
        spectrum = self._eigen()
        return lambda streams: spectrum.flip(np.minimum(spectrum.values, 1.0), streams)

    def _eigen(self) -> Spectrum:
        if self._spectrum is None:
            self._spectrum = of_matrix(self._K)[0]
        return self._spectrum

    def marginals(self) -> Array:
        """Probability of each item to be in the sample: the diagonal of K."""
        d = self._K_space().xp.linalg.diagonal(self._K)
        return self._K_space().xp.real(d) if is_complex(d) else d

    def _K_space(self) -> Any:
        return space_of(self._K)

    def log_prob(self, S: Any) -> float:
        """Logarithm of the probability of a set of items: ``abs(det(K - diag(not in S)))``."""
        outside = np.ones(self.n)
        outside[self._positions(S)] = 0
        space = self._K_space()
        _, value = space.xp.linalg.slogdet(
            self._K - space.asarray(outside, self._K.dtype) * space.eye(self.n, self._K.dtype)
        )
        return float(value)

    @property
    def expected_size(self) -> float:
        """Expected number of items in a sample: the trace of K."""
        return float(self._K_space().xp.sum(self.marginals()))

    def size_pmf(self) -> np.ndarray:
        """Compute the probabilities of 0, 1, ... up to the rank of K items in a sample.

        Returns
        -------
        numpy.ndarray of shape (rank + 1,)
            They add up to one.

        Raises
        ------
        ValueError
            If K is not Hermitian: eigenvalues are then not probabilities.
        """
        if not self._hermitian:
            raise ValueError("the law of the size needs a Hermitian kernel")
        share = np.minimum(self._eigen().values, 1.0)
        return pmf(share, 1 - share)

    def _given(self, inside: np.ndarray, outside: np.ndarray) -> MarginalKernel:
        space, xp = self._K_space(), self._K_space().xp
        given = np.concatenate([inside, outside])
        rest = np.setdiff1d(np.arange(self.n), given)
        a, b = space.asarray(given, xp.int64), space.asarray(rest, xp.int64)

        def part(i: Array, j: Array) -> Array:
            return xp.take(xp.take(self._K, i, axis=0), j, axis=1)

        K = part(b, b)
        if len(given):
            shift = np.concatenate([np.zeros(len(inside)), np.ones(len(outside))])
            # Schur complement of K - diag(not in the sample), whose determinant is the probability
            G = part(a, a) - space.asarray(shift, K.dtype) * space.eye(len(given), K.dtype)
            s = to_host(linalg.svdvals(G))
            if s[-1] <= 4 * len(given) * unit_roundoff(xp, abs(K[:1, :1]).dtype) * max(s[0], 1):
                raise ValueError("the conditioning event has probability 0")
            K = K - part(b, a) @ xp.linalg.solve(G, part(a, b))
            K = (K + adjoint(K)) / 2 if self._hermitian else K
        out = object.__new__(MarginalKernel)
        out._describe(K, self._hermitian, self._relabel(rest))
        return out

    def __repr__(self) -> str:
        return f"MarginalKernel(n={self.n})"


def _square(K: Any) -> Array:
    K = as_array(K, "K")
    if K.shape[0] != K.shape[1] or K.shape[0] == 0:
        raise ValueError(f"K must be square and not empty, got shape {tuple(K.shape)}")
    check_finite(K, "K")
    return K


def _checked_kernel(K: Any) -> Array:
    K = check_hermitian(K, "K")
    space, n = space_of(K), int(K.shape[0])
    slack = 10 * n * 2 * unit_roundoff(space.xp, K.dtype)
    low, high = linalg.shifted(K, slack), linalg.shifted(-K, 1 + slack)
    if linalg.cholesky(low) is None or linalg.cholesky(high) is None:
        values = to_host(space.xp.linalg.eigvalsh(K))
        if values[0] < -slack or values[-1] > 1 + slack:
            raise NotAKernelError(
                "K must have eigenvalues between 0 and 1, got eigenvalues between "
                f"{values[0]:.3g} and {values[-1]:.3g}; for a likelihood kernel use LEnsemble"
            )
    return K


def flip(K: Array, streams: Streams, *, hermitian: bool) -> Array:
    """Draw from a marginal kernel by elimination."""
    u = streams.uniform(space_of(K), 0, int(K.shape[0]), 1)[:, 0]
    return eliminate(K, u, hermitian=hermitian)


def eliminate(K: Array, u: Array, *, hermitian: bool) -> Array:
    """Keep the items whose coin falls below their conditional probability, which is checked."""
    xp, n = space_of(K).xp, int(K.shape[0])
    keep, pivots = ldl(K, u, hermitian)
    d = xp.real(pivots) if is_complex(pivots) else pivots
    slack = max(_SLACK, 1e3 * unit_roundoff(xp, d.dtype)) if n else 0.0
    if n and not (float(xp.min(d)) >= -slack and float(xp.max(d)) <= 1 + slack):
        raise NotAKernelError(
            "no process has this kernel: a conditional probability would be "
            f"{float(xp.min(d)):.3g} or {float(xp.max(d)):.3g}"
        )
    return xp.nonzero(keep)[0]
