"""The most likely set, greedily."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.arrays import Array, space_of, to_host
from lrla._core.numbers import whole
from lrla._core.results import Info, Result, Status
from lrla.dpp._window import Window
from lrla.lowrank import rp_cholesky

_FIRST = 32  # items that are looked for at first where their number is not given


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GreedyMapResult(Result):
    """A likely set, in the order in which its items were chosen.

    Parameters
    ----------
    indices : array of int64, shape (k,)
        The items.
    gains : numpy.ndarray of shape (k,)
        By how much each item increased ``log(det(L[S, S]))``, S being those before it, or the
        latest of them; never increasing without a window.
    log_det : float
        Logarithm of the determinant of L on the set; without a window, the sum of the gains.
    status : Status
        `Status.CONVERGED`, or `Status.RANK` if fewer items than were asked for are independent.
    info : Info
        entries: how many entries of L were computed.
    """

    indices: Array
    gains: np.ndarray
    log_det: float
    status: Status
    info: Info


def greedy_map(L: Any, k: int | None = None, *, window: int | None = None) -> GreedyMapResult:
    """Choose items one after the other, each to make the determinant as large as possible.

    Parameters
    ----------
    L : array of shape (n, n), sparse matrix or `lrla.lowrank.KernelMatrix`
        Likelihood kernel, Hermitian and positive semidefinite.
    k : int, optional
        Number of items. By default as many as increase the determinant: the greedy approximation of
        the most likely set of the L-ensemble.
    window : int, optional
        Let each item differ from so many chosen before it, rather than from all: for lists of which
        few are seen at a time [1]_. Then k is needed, and no sparse matrix is taken.

    Returns
    -------
    GreedyMapResult
        With fields indices, gains, log_det, status and info.

    Raises
    ------
    ValueError
        If L is not square, not finite or not positive semidefinite, as far as has been seen; if k
        is not between 1 and n, or a window not at least 1.

    Notes
    -----
    Cholesky factorization with diagonal pivoting: O(k**2 n) flops, k + 1 columns' worth of entries
    of L (Chen, Zhang and Zhou [1]_). The determinant is at least ``1 / k!**2`` times the largest of
    k items [2]_. Of equal gains, the first item wins. With a window of w, rotations take the oldest
    item out of the factorization: O(k w n) flops, however long the list.

    References
    ----------
    .. [1] L. Chen, G. Zhang, H. Zhou, "Fast greedy MAP inference for determinantal point process to
       improve recommendation diversity", NeurIPS 2018.
    .. [2] A. Civril, M. Magdon-Ismail, "On selecting a maximum volume sub-matrix of a matrix and
       related problems", Theoretical Computer Science 410, 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.dpp import greedy_map
    >>> x = np.linspace(0, 1, 101)
    >>> result = greedy_map(np.exp(-((x[:, None] - x) ** 2) / 0.1), 3)
    >>> sorted(result.indices.tolist())
    [0, 50, 100]
    """
    n = int(L.shape[0])
    if window is not None:
        return _in_windows(L, k, window)
    if k is not None:
        found = rp_cholesky(L, k, method="greedy")
        return _result(found, None, short=found.rank < k)
    rank = min(_FIRST, n)
    while True:
        found = rp_cholesky(L, rank, method="greedy")
        gains = _gains(found)
        stop = int(np.argmax(gains <= 0)) if np.any(gains <= 0) else found.rank
        if stop < rank or rank == n or found.rank < rank:
            return _result(found, stop, short=False)
        rank = min(4 * rank, n)


def _in_windows(L: Any, k: int | None, window: int) -> GreedyMapResult:
    n = int(L.shape[0])
    k = whole(k, "k", 1, n, rule=f" between 1 and n = {n} with a window")
    state = Window(L, whole(window, "window", 1))
    S: list[int] = []
    gains: list[float] = []
    while len(S) < k and (best := state.choose()):
        state.take(*best)
        S.append(best[0])
        gains.append(best[1])
    return GreedyMapResult(
        state.space.asarray(S, state.space.xp.int64),
        np.log(np.array(gains, float)),
        state.log_det(S),
        Status.CONVERGED if len(S) == k else Status.RANK,
        Info(entries=n * (len(S) + 1)),
    )


def _gains(found: Any) -> np.ndarray:
    """Logarithms of the squared pivots."""
    space = space_of(found.factor)
    xp = space.xp
    pivots = [xp.real(found.factor[i, int(j)]) if xp.isdtype(found.factor.dtype, "complex floating")
              else found.factor[i, int(j)] for i, j in enumerate(to_host(found.pivots))]  # fmt: skip
    return 2 * np.log(np.array([float(p) for p in pivots]))


def _result(found: Any, stop: int | None, *, short: bool) -> GreedyMapResult:
    gains = _gains(found)[:stop]
    return GreedyMapResult(
        found.pivots[: len(gains)],
        gains,
        float(np.sum(gains)),
        Status.RANK if short else Status.CONVERGED,
        Info(entries=found.info.entries),
    )
