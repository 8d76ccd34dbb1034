"""Markov chains over sets: for kernels of which only entries can be had."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, numpy_space, to_host, unit_roundoff
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.numbers import whole
from lrla._core.random import key_of, seed_of
from lrla._core.results import Info, Result, Status
from lrla._core.threads import ranges
from lrla.dpp._draw import Streams
from lrla.dpp._entries import entries_of
from lrla.dpp._errors import RankError, SamplingError
from lrla.dpp._greedy import greedy_map
from lrla.dpp._labels import subset
from lrla.kernels.set_chain import walk

METHODS = ("auto", "exchange", "add_delete", "mixed")
_SWAPS = {"exchange": 1.0, "add_delete": 0.0, "mixed": 0.5}  # share of exchanges
_REFRESH = 256  # accepted steps after which the inverse is computed anew
_ENOUGH = 10  # effective samples below which the start still shows


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MCMCResult(Result):
    """States of a Markov chain over sets, and what is known of how far they forgot its start.

    Parameters
    ----------
    samples : tuple of array of int64
        The sets after every ``n_iter`` steps, items ascending.
    log_dets : numpy.ndarray of shape (steps,)
        ``log(det(L[S, S]))`` after each step.
    sizes : numpy.ndarray of int64, shape (steps,)
        Number of items after each step.
    acceptance : float
        Share of the steps that were accepted.
    effective_samples : float
        So many independent draws would tell the mean of ``log_dets`` and ``sizes`` as well as these
        steps do, the smaller of both numbers.
    status : Status
        `Status.CONVERGED` if there are at least ten of them, `Status.MAX_ITER` otherwise.
    info : Info
        method; n_iter; ess_log_det and ess_size (None for what never changed); drift, the largest
        error of the updated log-determinants that a factorization found; factorizations; seed;
        seconds.
    """

    samples: tuple[Array, ...]
    log_dets: np.ndarray
    sizes: np.ndarray
    acceptance: float
    effective_samples: float
    status: Status
    info: Info


def mcmc_sample(
    L: Any,
    k: int | None = None,
    *,
    size: int = 1,
    n_iter: int | None = None,
    method: str = "auto",
    x0: Any = None,
    rng: Any = None,
) -> MCMCResult:
    """Draw sets approximately, by a Markov chain: for kernels too large to be factored.

    Parameters
    ----------
    L : array of shape (n, n), `lrla.lowrank.KernelMatrix` or object
        Likelihood kernel, Hermitian and positive semidefinite. An object needs ``shape``,
        ``diagonal()`` and ``block(rows, columns)``, as for `lrla.lowrank.rp_cholesky`.
    k : int, optional
        Number of items in a set, for the process of `KDPP`; by default sets of any size, for that
        of `LEnsemble`.
    size : int, default 1
        How many sets are recorded.
    n_iter : int, optional
        Steps before each of them. Default ``10 * n``.
    method : {"auto", "exchange", "add_delete", "mixed"}, default "auto"
        What a step tries: to exchange a member for another item, to add or delete an item, or one
        or the other by the flip of a coin. "auto": exchange if k is given, mixed if not.
    x0 : sequence of int, optional
        The set to start from. By default that of `greedy_map`.
    rng : None, int, numpy.random.Generator or SeedSequence, optional
        Seed.

    Returns
    -------
    MCMCResult
        With fields samples, log_dets, sizes, acceptance, effective_samples, status and info.

    Raises
    ------
    RankError
        If fewer than k items are independent.
    ValueError
        If L is not square, not Hermitian or not finite; if x0 has not k items or probability 0; if
        parameters are out of range.
    SamplingError
        If the kernel of the current set becomes singular to rounding.

    Warns
    -----
    AccuracyWarning
        If there are fewer than ten effective samples: the sets then resemble the start.

    See Also
    --------
    LEnsemble, KDPP : exact samples, and faster where L can be factored; also of a low-rank factor.

    Notes
    -----
    *Approximate*, unlike all else here: the law of the sets tends to that of the process, with the
    number of steps. For exchanges in k-DPPs, as in any strongly Rayleigh law, a number of steps of
    the order ``n k log(1 / (eps P(x0)))`` is enough for a distance eps in total variation [2]_; for
    sets of any size no bound is stated here. The effective samples are an estimate from the
    correlations along the chain (initial positive sequence [3]_): few of them prove that the chain
    is too short, many do not prove that it is long enough.

    A step costs O(k**2): the inverse of L[S, S] is updated [1]_, and computed anew after 256
    accepted steps, or sooner where its errors grow.

    References
    ----------
    .. [1] C. Li, S. Jegelka, S. Sra, "Fast mixing Markov chains for strongly Rayleigh measures,
       DPPs, and constrained sampling", NeurIPS 2016.
    .. [2] N. Anari, S. Oveis Gharan, A. Rezaei, "Monte Carlo Markov chain algorithms for sampling
       strongly Rayleigh distributions and determinantal point processes", COLT 2016.
    .. [3] C. J. Geyer, "Practical Markov chain Monte Carlo", Statistical Science 7, 1992.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.dpp import mcmc_sample
    >>> from lrla.lowrank import KernelMatrix
    >>> X = np.random.default_rng(7).uniform(size=(5000, 2))
    >>> result = mcmc_sample(KernelMatrix(X, gamma=50.0), 20, rng=7)
    >>> len(result.samples[0]), result.effective_samples > 100
    (20, True)
    """
    start = time.perf_counter()
    entries = entries_of(L)
    n = entries.n
    n_iter = 10 * n if n_iter is None else n_iter
    for name, value, least in (("size", size, 1), ("n_iter", n_iter, 1), ("k", k, 0)):
        if value is not None:
            whole(value, name, least)
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    if method == "auto":
        method = "mixed" if k is None else "exchange"
    if (method == "exchange") != (k is not None):
        raise ValueError(
            f"method must be 'exchange' for sets of k items and another one for sets of any size, "
            f"got {method!r} and k={k}"
        )
    seed = seed_of(rng)
    chain = _Chain(entries, _start(L, k, x0, n), _SWAPS[method], Streams(key_of(seed), 0))
    samples = tuple(chain.after(int(n_iter)) for _ in range(int(size)))
    log_dets, sizes = np.concatenate(chain.log_dets), np.concatenate(chain.sizes)
    of_det, of_size = _effective(log_dets), _effective(sizes.astype(float))
    effective = min((e for e in (of_det, of_size) if e is not None), default=float(chain.accepted))
    if effective < _ENOUGH:
        warn(
            f"{len(sizes)} steps are worth {effective:.1f} independent draws, and resemble the "
            "start; raise n_iter",
            AccuracyWarning,
        )
    info = Info(
        method=method,
        n_iter=int(n_iter),
        ess_log_det=of_det,
        ess_size=of_size,
        drift=chain.drift,
        factorizations=chain.factorizations,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    status = Status.CONVERGED if effective >= _ENOUGH else Status.MAX_ITER
    share = chain.accepted / len(sizes)
    return MCMCResult(samples, log_dets, sizes, share, float(effective), status, info)


def _start(L: Any, k: int | None, x0: Any, n: int) -> np.ndarray:
    if x0 is not None:
        S = subset(x0, n)
        if k is not None and len(S) != k:
            raise ValueError(f"x0 must have k={k} items, got {len(S)}")
        return S
    if k == 0:
        return np.zeros(0, np.int64)
    if k is not None and k > n:
        raise RankError(f"k must be at most the number of items, {n}, got {k}")
    found = greedy_map(L, k)
    S = to_host(found.indices)
    if k is not None and len(S) < k:
        raise RankError(f"k must be at most the rank of the kernel, {len(S)}, got {k}")
    return S


class _Chain:
    """A set, and the steps that it has taken."""

    def __init__(self, entries: Any, S: np.ndarray, swaps: float, streams: Streams) -> None:
        self.entries, self.S, self.swaps, self.streams = entries, S, swaps, streams
        self.log_dets: list[np.ndarray] = []
        self.sizes: list[np.ndarray] = []
        self.accepted = self.factorizations = self.steps = 0
        self.drift, self.most = 0.0, _REFRESH
        self._log_det: float | None = None

    def after(self, n_iter: int) -> Array:
        """Take some steps, and return the set."""
        for first, last in ranges(n_iter, self.entries.steps):
            start, count = self.steps, last - first
            u = self.streams.uniform(numpy_space(), start, start + count, 4)
            self.steps += count
            while len(u):
                u = u[self._walk(u) :]
        space = self.entries.space
        return space.asarray(np.sort(self.S), space.xp.int64)

    def _walk(self, u: np.ndarray) -> int:
        """Take steps until the inverse has to be computed anew; return how many."""
        space = self.entries.space
        xp = space.xp
        items = np.minimum((u[:, 0] * self.entries.n).astype(np.int64), self.entries.n - 1)
        L, which = self.entries.among(np.concatenate([self.S, items]))
        S = space.asarray(np.searchsorted(which, self.S), xp.int64)
        inverse, log_det = self._factored(L, S)
        proposed = space.asarray(np.searchsorted(which, items), xp.int64)
        places, coins = (space.asarray(u[:, j], xp.float64) for j in (1, 2))
        swap = space.asarray(u[:, 3] < self.swaps, xp.bool)
        S, moved, sizes, gains = walk(L, S, inverse, proposed, places, coins, swap, self.most)
        trace = log_det + np.cumsum(to_host(gains).astype(np.float64))
        self.S, self._log_det = which[to_host(S)], float(trace[-1])
        self.accepted += int(np.sum(to_host(moved)))
        self.log_dets.append(trace)
        self.sizes.append(to_host(sizes))
        return len(trace)

    def _factored(self, L: Array, S: Array) -> tuple[Array, float]:
        """Return the inverse and the logarithm of the determinant of the kernel of the set."""
        space = self.entries.space
        xp, k = space.xp, int(S.shape[0])
        self.factorizations += 1
        if k == 0:
            return space.zeros((0, 0), L.dtype), 0.0
        G = xp.take(xp.take(L, S, axis=0), S, axis=1)
        R, inverse = linalg.cholesky(G), linalg.inverse(G)
        if R is None or inverse is None:
            if self._log_det is None:
                raise ValueError("x0 must have a positive probability, got a singular kernel of it")
            raise SamplingError(
                f"after {self.accepted} accepted steps the kernel of the {k} items is singular to "
                "rounding; use KDPP or LEnsemble, or add a multiple of the identity to L"
            )
        log_det = 2 * float(xp.sum(xp.log(xp.abs(xp.linalg.diagonal(R)))))
        if self._log_det is not None:
            error = abs(log_det - self._log_det)
            self.drift = max(self.drift, error)
            if error > (2 * unit_roundoff(xp, L.dtype)) ** 0.5 * max(1, k):
                self.most = max(1, self.most // 2)
        return inverse, log_det


def _effective(trace: np.ndarray) -> float | None:
    """Estimate how many independent draws a trace is worth; None if nothing ever changes."""
    y = trace - np.mean(trace)
    n = len(y)
    if n < 4 or np.max(np.abs(y)) <= 1e-12 * max(1.0, float(np.max(np.abs(trace)))):
        return None
    f = np.fft.rfft(y, 1 << (2 * n - 1).bit_length())
    correlations = np.fft.irfft(np.abs(f) ** 2)[: n - n % 2]
    pairs = np.sum(np.reshape(correlations / correlations[0], (-1, 2)), axis=1)
    falls = np.flatnonzero(pairs <= 0)
    pairs = np.minimum.accumulate(pairs[: falls[0]] if len(falls) else pairs)
    return float(n / max(2 * np.sum(pairs) - 1, 1.0))
