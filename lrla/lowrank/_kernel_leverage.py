"""How much each point matters to a kernel matrix with a ridge."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, numpy_space, real_dtype, unit_roundoff
from lrla._core.random import Domain, key_of, seed_of, tag
from lrla._core.results import Info, Result, Status
from lrla._core.threads import ranges
from lrla.kernels import philox
from lrla.lowrank._kernels import PANEL, as_kernel

METHODS = ("auto", "exact", "recursive")
SMALL = 2000  # points up to which an eigendecomposition is quick
LEAF = 200  # points that the recursion takes as they are


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
        ``seed``; ``seconds``.
    """

    scores: Array
    effective_dimension: float
    status: Status
    info: Info


def kernel_leverage(
    K: Any, ridge: float, *, method: str = "auto", oversample: float = 5.0, rng: Any = None
) -> KernelLeverageResult:
    """Compute the ridge leverage scores ``diag(K @ inv(K + ridge * I))`` of a kernel matrix.

    Parameters
    ----------
    K : array of shape (n, n), sparse matrix, KernelMatrix or object
        As for `rp_cholesky`.
    ridge : float
        Positive.
    method : {"auto", "exact", "recursive"}, default "auto"
        "exact": an eigendecomposition. "recursive": from a sample of points, drawn by scores that
        rest on a smaller sample, and so on [1]_. "auto": exact up to 2000 points.
    oversample : float, default 5.0
        For "recursive": points are kept with probability ``oversample`` times 3/2 of their score.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the samples comes from.

    Returns
    -------
    KernelLeverageResult
        With fields scores, effective_dimension, status and info.

    Raises
    ------
    ValueError
        If K is not square, ridge or oversample is not positive, or there is no such method.
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

    Cost: 9 n**3 flops for "exact"; n s kernel values and n s**2 flops for samples of s points, s
    about 10 times the effective dimension at the default.

    References
    ----------
    .. [1] C. Musco and C. Musco, "Recursive sampling for the Nystrom method", NIPS 2017.

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
    landmarks = None
    if method == "exact":
        index = xp.arange(n, dtype=xp.int64, device=K.space.device)
        w, V = xp.linalg.eigh(K.block(index, slice(0, n)))
        w = xp.clip(w, min=0.0)
        scores = xp.sum(xp.abs(V) ** 2 * (w / (w + ridge))[None, :], axis=1)
    else:
        scores, landmarks = _recursive(K, ridge, oversample, seed)
    info = Info(method=method, landmarks=landmarks, seed=seed, seconds=time.perf_counter() - start)
    total = float(xp.sum(xp.astype(scores, xp.float64)))
    return KernelLeverageResult(scores, total, Status.CONVERGED, info)


def _recursive(K: Any, ridge: float, oversample: float, seed: int) -> tuple[Array, int]:
    """Halve the points until few are left; on the way back, keep points by their scores."""
    space, n = K.space, K.shape[0]
    xp, key = space.xp, key_of(seed)
    place = xp.arange(n, dtype=xp.int64, device=space.device)
    order = philox.permute(place, key, tag(Domain.SAMPLE), n)
    sizes = [n]
    while sizes[-1] > LEAF:
        sizes.append(-(-sizes[-1] // 2))
    kept = order[: sizes[-1]]
    weights = space.zeros((kept.shape[0],), real_dtype(xp, K.dtype)) + 1.0
    for level in range(len(sizes) - 2, -1, -1):
        candidates = order[: sizes[level]]
        scores = _scores(K, kept, weights, ridge, candidates)
        probability = xp.clip(1.5 * oversample * scores, max=1.0)
        drawn = philox.uniform(
            numpy_space(), key, tag(Domain.SAMPLE, 1 + level), 0, sizes[level], 1
        )[:, 0]
        (index,) = xp.nonzero(space.asarray(drawn) < xp.astype(probability, xp.float64))
        if not index.shape[0]:
            index = xp.reshape(xp.argmax(probability), (1,))
        kept, weights = xp.take(candidates, index), 1.0 / xp.take(probability, index)
    return _scores(K, kept, weights, ridge, place), int(kept.shape[0])


def _scores(K: Any, kept: Array, weights: Array, ridge: float, candidates: Array) -> Array:
    """Compute (K - K S inv(S^H K S + ridge) S^H K)_ii / ridge, S the weighted sample."""
    xp = K.space.xp
    root = xp.sqrt(weights)
    M = K.block(kept, kept) * root[:, None] * root[None, :]
    s = int(kept.shape[0])
    shift = ridge + 10 * s * unit_roundoff(xp, K.dtype) * float(xp.max(xp.abs(M)))
    R = linalg.cholesky((M + adjoint(M)) / 2 + shift * K.space.eye(s, M.dtype))
    if R is None:
        raise ValueError("K must be positive semidefinite, got a block that is not")
    diagonal, parts = K.diagonal(), []
    for a, b in ranges(int(candidates.shape[0]), max(64, PANEL // max(s, 1))):
        rows = candidates[a:b]
        B = root[:, None] * K.block(kept, rows)
        Z = linalg.solve_triangular(adjoint(R), B, lower=True)
        parts.append((xp.take(diagonal, rows) - xp.sum(xp.abs(Z) ** 2, axis=0)) / ridge)
    return xp.clip(xp.concat(parts), min=0.0, max=1.0)
