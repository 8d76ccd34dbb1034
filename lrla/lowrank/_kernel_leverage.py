"""How much each point matters to a kernel matrix with a ridge."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from lrla._core.arrays import Array
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.lowrank._kernels import as_kernel
from lrla.lowrank._ridge_samples import (
    OVERSAMPLE,
    bless,
    diagonal_of,
    recursive,
    scores_by,
    spectrum_of,
)

METHODS = ("auto", "exact", "recursive", "bless")
SMALL = 2000  # points up to which an eigendecomposition is quick


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class KernelLeverageResult(Result):
    """Ridge leverage scores of a kernel matrix.

    Parameters
    ----------
    scores : array of shape (n,)
        Between 0 and 1: the diagonal of ``K @ inv(K + ridge * I)``.
    effective_dimension : float
        Their sum.
    status : Status
        Always `Status.CONVERGED`.
    info : Info
        ``method``; ``landmarks``, how many points the last estimate rests on (None if exact);
        ``entries``, how many kernel values were computed beside the diagonal; ``seed``;
        ``seconds``.
    """

    scores: Array
    effective_dimension: float
    status: Status
    info: Info


def kernel_leverage(
    K: Any, ridge: float, *, method: str = "auto", oversample: float = OVERSAMPLE, rng: Any = None
) -> KernelLeverageResult:
    """Compute the ridge leverage scores ``diag(K @ inv(K + ridge * I))`` of a kernel matrix.

    Parameters
    ----------
    K : array of shape (n, n), sparse matrix, KernelMatrix or object
        As for `rp_cholesky`.
    ridge : float
        Positive.
    method : {"auto", "exact", "recursive", "bless"}, default "auto"
        "exact": an eigendecomposition. "recursive": from a sample of points, drawn by scores that
        rest on a smaller sample, and so on [1]_. "bless": from a sample that starts with a large
        ridge and few points [2]_, for ridges that grow with n. "auto": exact up to 2000 points, then
        recursive.
    oversample : float, default 5.0
        For "recursive": points are kept with probability ``oversample`` times 3/2 of their score.
        For "bless": twice as many points are drawn as ``oversample`` times the sum of the scores.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the samples comes from.

    Returns
    -------
    KernelLeverageResult
        With fields scores, effective_dimension, status and info.

    Raises
    ------
    ValueError
        If K is not square, not finite, not Hermitian or not positive semidefinite, as far as has
        been seen ("exact" sees all of K); ridge or oversample is not positive; or there is no such
        method.
    TypeError
        If K has no entries that can be read.

    See Also
    --------
    kernel_features : features from points drawn by these scores, or otherwise.
    lrla.sampling.ridge_leverage_scores : of the rows of data, without a kernel.

    Notes
    -----
    The recursion keeps points by estimates that rest on a sample of a random half of them. Such
    estimates are not too small, and their sum is not much too large, whatever K is; a last sample
    of all points turns them into scores that are between 2/3 and 2 times the exact ones, with
    probability 1 - delta for ``oversample`` of order ``log(d / delta)``, d the sum of the scores
    [1]_. The default is smaller than the constants of the proof ask for.

    "bless" lowers the ridge by a factor of at most 2 from level to level, beginning with
    n max(K_ii), where ``K_ii / ridge`` will do as a score. At a level of ridge r it takes
    ``q n max(K_ii) / r`` uniform candidates, all points at most, scores them by the sample of the
    level before, and draws q times the sum of all scores, as the candidates foretell it, with
    replacement in proportion to the scores. [2]_ shows that all scores are within a constant factor
    with probability 1 - delta, at every level, if q is of order ``log(n / delta)``. The algorithm
    has the factor between ridges and q, one for candidates and one for draws, as parameters; 2 and
    q = 2 ``oversample`` for both are choices, smaller than a proof would ask for. Here candidates
    are drawn without replacement.

    Cost: 9 n**3 flops for "exact"; n s kernel values and n s**2 flops for samples of s points, s
    about 10 times the effective dimension at the default. "recursive" takes about twice that. What
    "bless" takes beside the last n s values depends on n / ridge alone, as long as the ridge is at
    least ``q max(K_ii)``: then it is the faster of the two, by up to a factor of 2; for small ridges,
    where all points are candidates several times, it is the slower one
    (``benchmarks/claims/bless.py``).

    References
    ----------
    .. [1] C. Musco and C. Musco, "Recursive sampling for the Nystrom method", NIPS 2017.
    .. [2] A. Rudi, D. Calandriello, L. Carratino and L. Rosasco, "On fast leverage score sampling and
       optimal learning", NeurIPS 2018, arXiv:1810.13258.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.lowrank import KernelMatrix, kernel_leverage
    >>> X = np.append(np.random.default_rng(7).standard_normal(500), 100.0)
    >>> result = kernel_leverage(KernelMatrix(X[:, None]), ridge=1.0)
    >>> int(result.scores.argmax()), bool(result.effective_dimension < 15)
    (500, True)
    """
    start = time.perf_counter()
    K = as_kernel(K)
    for name, value in (("ridge", ridge), ("oversample", oversample)):
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be positive and finite, got {value}")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    seed, n = seed_of(rng), K.shape[0]
    if method == "auto":
        method = "exact" if n <= SMALL else "recursive"
    xp = K.space.xp
    landmarks, entries, diagonal = None, n * n, diagonal_of(K)
    if method == "exact":
        index = xp.arange(n, dtype=xp.int64, device=K.space.device)
        w, V = spectrum_of(K, index)
        w = xp.clip(w, min=0.0)
        scores = xp.sum(xp.abs(V) ** 2 * (w / (w + ridge))[None, :], axis=1)
    else:
        draw = {"recursive": recursive, "bless": bless}[method]
        sample = draw(K, diagonal, ridge, oversample, seed)
        landmarks = int(sample.points.shape[0])
        place = xp.arange(n, dtype=xp.int64, device=K.space.device)
        scores = scores_by(K, diagonal, sample.points, sample.weights, ridge, place)
        entries = sample.entries + landmarks * (landmarks + n)
    info = Info(
        method=method,
        landmarks=landmarks,
        entries=entries,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    total = float(xp.sum(xp.astype(scores, xp.float64)))
    return KernelLeverageResult(scores, total, Status.CONVERGED, info)
