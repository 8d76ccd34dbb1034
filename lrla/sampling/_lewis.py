"""`lewis_weights`: leverage scores for l_p norms, the fixed point of a reweighting."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from lrla._core.arrays import Array
from lrla._core.errors import AccuracyWarning, ConvergenceWarning, warn
from lrla._core.iteration import Callback, Loop
from lrla._core.numbers import whole
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.sampling._fixed_point import Iterate, accelerated, averaged, plain
from lrla.sampling._frame import Frame
from lrla.sampling._john import john
from lrla.sampling._rows import as_p, look

METHODS = ("auto", "fixed_point", "one_sided")
_ROUNDING = 1e4  # times the residual that rounding leaves: larger ones have other causes
_ADVICE = {  # by whether p exceeds 2
    False: "the iteration does not get closer",
    True: "the iteration does not get closer; method 'one_sided' does, and so do the weights of p=inf, "
    "which are near those of a large p",
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LewisResult(Result):
    """Lewis weights of the rows of a matrix.

    Parameters
    ----------
    weights : array of shape (m,)
        One positive number for each row that is not zero; they add up to the rank, up to a factor
        ``exp(residual)`` at most.
    residual : float
        ``max(abs(log(s / weights)))``, s the leverage scores of ``weights**(1/2 - 1/p) * A``: zero
        for exact weights. For "one_sided" and p = infinity ``max(log(s / weights))``.
    rank : int
        Numerical rank of A.
    T : array of shape (n, rank)
        The change of basis of Lewis: the columns of ``weights**(1/2 - 1/p) * A @ T`` are
        orthonormal, for the weights of the best step. For p = infinity the ellipsoid
        ``norm(T.T @ y) <= 1`` is the smallest around 0 that holds all rows, up to ``exp(tol)``.
    status : Status
        Whether the residual is at most ``tol``; if not, whether rounding is to blame
        (`Status.STAGNATED`) or the iteration (`Status.BREAKDOWN`).
    info : Info
        ``method``; ``iterations``, each of the cost of exact leverage scores; ``history`` of the
        residual; ``n_underflow``, rows whose positive weight is too small for the dtype and was
        set to zero; ``seed``; ``passes`` over A; ``seconds``.
    """

    weights: Array
    residual: float
    rank: int
    T: Array
    status: Status
    info: Info


def lewis_weights(
    A: Any,
    p: float,
    *,
    tol: float = 1e-2,
    max_iter: int = 500,
    method: str = "auto",
    rcond: float | None = None,
    callback: Callback | None = None,
    rng: Any = None,
) -> LewisResult:
    """Compute the l_p Lewis weights of all rows: ``w_i**(2/p) = a_i^H (A^H W^(1-2/p) A)^-1 a_i``.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data; never changed.
    p : float
        Positive; ``numpy.inf`` for the weights of the ellipsoid of John and Loewner.
    tol : float, default 1e-2
        Goal for the residual ``max(abs(log(s / w)))``, s the leverage scores of
        ``w**(1/2 - 1/p) * A``: weights within a factor of ``1 +- tol`` of what reproduces them. For
        sampling rows, 0.5 is enough.
    max_iter : int, default 500
        Number of iterations after which to stop.
    method : {"auto", "fixed_point", "one_sided"}, default "auto"
        "auto": a damped iteration with Anderson acceleration, for all p. "fixed_point": that of
        Cohen and Peng [1]_, for p < 4. "one_sided": the mean of ``log(m / n) / log(1 + tol)``
        undamped steps, for p >= 2, which is known to bound the scores from above,
        ``s <= (1 + tol) * w`` [2]_: enough for sampling, in a number of steps known beforehand.
    rcond : float, optional
        As for `leverage_scores`.
    callback : callable, optional
        ``callback(state)`` after each iteration, with the residual as ``state.error`` and the
        weights as ``state.x``; returning true stops.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the sketch that whitens A comes from; the weights depend on it by
        rounding only.

    Returns
    -------
    LewisResult
        With fields weights, residual, rank, T, status and info.

    Raises
    ------
    ValueError
        If p is not positive, or not in the range of the method; if A is empty or not
        finite.
    TypeError
        If A is not a matrix of numbers, or p is none.

    Warns
    -----
    ConvergenceWarning
        If the residual stayed above ``tol``.
    AccuracyWarning
        If weights underflow, which for large p the smallest do.
    RankDeficientWarning
        If the columns of A are dependent.

    See Also
    --------
    leverage_scores : the weights for p = 2.

    Notes
    -----
    The weights exist and are unique for every p > 0 [1]_ [3]_. Sampling rows by them keeps
    ``norm(A @ x, p)`` for all x. They do not change when A is multiplied from the right by an
    invertible matrix, or by a number.

    In l = log w, the leverage scores s of ``exp(l (1/2 - 1/p)) * A`` give the residual
    f = log s - l. Near the solution the map l -> log s has the derivative (1 - 2/p) (I - M), M with
    eigenvalues in [0, 1], so a step theta f contracts by max over mu in [0, 1] of
    ``abs(1 - theta (2/p + (1 - 2/p) mu))``: by abs(p/2 - 1) for theta = p/2, which is the iteration
    of [1]_, and by abs(p - 2) / (p + 2) for theta = 2p / (p + 2), the best there is. Most of the
    eigenvalues mu are zero or small, which Anderson acceleration makes use of: in the inner product
    with weights s, where M is self-adjoint, with the last ten steps, and with the direction of
    constants, for which the derivative is known. Where the residual more than doubles over the best
    one, the memory is dropped and five steps with theta = min(1, p/2) follow, which descend. Beyond 64,
    p is doubled step by step. In the thousands not even that may be enough.

    For p = infinity the weights maximise ``logdet(A^H W A)`` at a given sum, and most are zero. Few
    rows have weight: after five undamped steps, an interior-point method finds the weights of
    those that may, and rows outside of the ellipsoid that results join them, until there are none
    beyond ``exp(tol)``: a certificate. Its own cost is that of 20 linear systems in as many
    unknowns as there are such rows, 10 n or so.

    Cost of an iteration: one Gram matrix and one triangular product, 2 m n**2 flops in 2 passes, twice
    that where ``tol`` is too small for the Gram matrix of A itself; the quadratic form of each row
    for sparse A.

    References
    ----------
    .. [1] M. B. Cohen and R. Peng, "L_p row sampling by Lewis weights", STOC 2015.
    .. [2] M. B. Cohen, B. Cousins, Y. T. Lee and X. Yang, "A near-optimal algorithm for
       approximating the John ellipsoid", COLT 2019.
    .. [3] D. R. Lewis, "Finite dimensional subspaces of L_p", Studia Math. 63, 1978.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import lewis_weights
    >>> A = np.random.default_rng(7).standard_normal((1000, 4))
    >>> result = lewis_weights(A, 1, tol=1e-8, rng=7)
    >>> round(float(result.weights.sum()), 6), result.residual < 1e-8
    (4.0, True)
    """
    start = time.perf_counter()
    op = look(A)
    p = as_p(p, least=0.0, infinite=True)
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    if method == "fixed_point" and p >= 4:
        raise ValueError(f"method 'fixed_point' converges for p < 4 only, got p={p}; use 'auto'")
    if method == "one_sided" and p < 2:
        raise ValueError(f"method 'one_sided' is for p >= 2, got p={p}; use 'auto'")
    if not tol > 0:
        raise ValueError(f"tol must be positive, got {tol}")
    max_iter = whole(max_iter, "max_iter", 1)
    seed = seed_of(rng)
    state = Iterate(Frame(op, 0.1 * tol, rcond, seed), p)
    loop = Loop("Lewis weights", max_iter=max_iter, callback=callback)
    best = john if math.isinf(p) else accelerated
    solve = {"auto": best, "fixed_point": plain, "one_sided": averaged}[method]
    with loop.interruptible():
        residual = max(solve(state, loop, tol), state.noise)
    status = Status.CONVERGED if loop.status is None else loop.status
    why = status.value
    if status in (Status.CONVERGED, Status.STAGNATED) and residual > tol:
        status = Status.STAGNATED if residual <= _ROUNDING * state.noise else Status.BREAKDOWN
        why = status.value if status is Status.STAGNATED else _ADVICE[p > 2]
    if status is not Status.CONVERGED and status is not Status.STOPPED:
        warn(f"the residual is {residual:.1e}, above tol={tol:.1e}: {why}", ConvergenceWarning)
    weights, n_underflow = state.weights()
    n_underflow = 0 if math.isinf(p) else n_underflow  # there zeros are right
    if n_underflow:
        warn(
            f"{n_underflow} positive weights are too small for {weights.dtype} and were set to zero",
            AccuracyWarning,
        )
    info = Info(
        method=method,
        iterations=len(loop.history),
        history=tuple(loop.history),
        n_underflow=n_underflow,
        seed=seed,
        passes=state.frame.passes,
        seconds=time.perf_counter() - start,
    )
    return LewisResult(weights, residual, state.frame.rank, state.T, status, info)
