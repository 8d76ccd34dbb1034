"""Samples of the points of a kernel that ridge leverage scores can be told from."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import (
    Array,
    adjoint,
    is_complex,
    numpy_space,
    real_dtype,
    space_of,
    unit_roundoff,
)
from lrla._core.random import Domain, key_of, tag
from lrla._core.threads import ranges
from lrla.kernels import philox
from lrla.lowrank._kernels import PANEL
from lrla.sampling import sample_rows

OVERSAMPLE = 5.0
_LEAF = 200  # points that the recursion takes as they are
_STEP = 2.0  # by how much the ridge falls from one level of "bless" to the next, at most
_BLESS = 512  # first stream of its random numbers, beyond those of the recursion
_SKEW = 1e-8  # what rounding may do to a kernel, relative to its size, and at least 100 u
_MORE = 2.0  # draws of "bless", and candidates, for each time that ``oversample`` asks for a point


class Sample(NamedTuple):
    """Points and weights, and what it took to find them.

    Parameters
    ----------
    points : array of int
        Indices of the points.
    weights : array
        Of how many points each of them is one, on average.
    entries : int
        Kernel values that were computed, but for the diagonal.
    candidates : array of int
        The points among which the last were drawn.
    scores : array
        The scores of these, with which they were drawn.
    """

    points: Array
    weights: Array
    entries: int
    candidates: Array
    scores: Array


def diagonal_of(K: Any) -> Array:
    """Read the diagonal of K, and refuse what no positive semidefinite matrix has there."""
    xp, d = K.space.xp, K.diagonal()
    if not bool(xp.all(xp.isfinite(d))):
        raise ValueError("K must be finite, got NaN or infinity in its diagonal")
    if 0 not in d.shape and float(xp.min(d)) < -_rounding(K) * float(xp.max(xp.abs(d))):
        raise ValueError(
            f"K must be positive semidefinite, got {float(xp.min(d)):.3g} in its diagonal"
        )
    return d


def block_of(K: Any, points: Array) -> Array:
    """Read the entries of K between points, and refuse what is not finite or not Hermitian."""
    xp, M = K.space.xp, K.block(points, points)
    if 0 in M.shape:
        return M
    if not bool(xp.all(xp.isfinite(M))):
        raise ValueError("K must be finite, got a block with NaN or infinity")
    skew = float(xp.max(xp.abs(M - adjoint(M))))
    if skew > _rounding(K) * float(xp.max(xp.abs(M))):
        raise ValueError(
            f"K must be Hermitian, got a block that differs by {skew:.3g} from its adjoint"
        )
    return (M + adjoint(M)) / 2


def spectrum_of(K: Any, points: Array) -> tuple[Array, Array]:
    """Return eigenvalues and eigenvectors of the block of points, and refuse negative ones."""
    xp = K.space.xp
    w, V = xp.linalg.eigh(block_of(K, points))
    noise = max(_rounding(K), 10 * w.shape[0] * unit_roundoff(xp, K.dtype))
    if 0 not in w.shape and float(w[0]) < -noise * float(xp.max(xp.abs(w))):
        raise ValueError(
            f"K must be positive semidefinite, got an eigenvalue {float(w[0]):.3g} of a block"
        )
    return w, V


def _rounding(K: Any) -> float:
    return max(_SKEW, 100 * unit_roundoff(K.space.xp, K.dtype))


def _trace(M: Array) -> float:
    xp = space_of(M).xp
    d = xp.linalg.diagonal(M)
    return float(xp.sum(xp.real(d) if is_complex(d) else d))


def recursive(K: Any, diagonal: Array, ridge: float, oversample: float, seed: int) -> Sample:
    """Halve the points until few are left; on the way back, keep points by their scores."""
    space, n = K.space, K.shape[0]
    xp, key = space.xp, key_of(seed)
    place = xp.arange(n, dtype=xp.int64, device=space.device)
    order = philox.permute(place, key, tag(Domain.SAMPLE), n)
    sizes = [n]
    while sizes[-1] > _LEAF:
        sizes.append(-(-sizes[-1] // 2))
    kept = candidates = order[: sizes[-1]]
    weights = scores = space.zeros((kept.shape[0],), real_dtype(xp, K.dtype)) + 1.0
    entries = 0
    for level in range(len(sizes) - 2, -1, -1):
        candidates = order[: sizes[level]]
        entries += _entries(kept, candidates)
        scores = scores_by(K, diagonal, kept, weights, ridge, candidates)
        probability = xp.clip(1.5 * oversample * scores, max=1.0)
        drawn = philox.uniform(
            numpy_space(), key, tag(Domain.SAMPLE, 1 + level), 0, sizes[level], 1
        )[:, 0]
        (index,) = xp.nonzero(space.asarray(drawn) < xp.astype(probability, xp.float64))
        if not index.shape[0]:
            index = xp.reshape(xp.argmax(probability), (1,))
        kept, weights = xp.take(candidates, index), 1.0 / xp.take(probability, index)
    return Sample(kept, weights, entries, candidates, scores)


def bless(
    K: Any, diagonal: Array, ridge: float, oversample: float, seed: int, least: int = 1
) -> Sample:
    """Lower the ridge step by step, and draw from few uniform candidates by their scores.

    With n the points and q = 2 ``oversample``, a level of ridge r takes ``q n max(diagonal) / r``
    candidates, ``least`` at least and all points at most, and q points for each unit of the sum of
    all scores that these foretell.
    """
    space, n, q = K.space, K.shape[0], _MORE * oversample
    xp, key = space.xp, key_of(seed)
    top = n * float(xp.max(diagonal))
    levels = max(1, math.ceil(math.log(top / ridge) / math.log(_STEP))) if top > 0 else 0
    kept = candidates = xp.arange(0, dtype=xp.int64, device=space.device)
    weights = scores = space.zeros((0,), real_dtype(xp, K.dtype))
    entries = 0
    for level in range(levels):
        r = ridge * (top / ridge) ** (1 - (level + 1) / levels)
        size = min(n, max(least, math.ceil(q * max(1.0, top / r))))
        place = xp.arange(size, dtype=xp.int64, device=space.device)
        candidates = philox.permute(place, key, tag(Domain.SAMPLE, _BLESS + level), n)
        entries += _entries(kept, candidates)
        scores = scores_by(K, diagonal, kept, weights, r, candidates)
        total = float(xp.sum(xp.astype(scores, xp.float64))) * n / size
        if total == 0:  # nothing was met yet: the sample before says as much
            continue
        drawn = sample_rows(
            scores,
            max(1, math.ceil(q * total)),
            design="replacement",
            deterministic=False,
            rng=np.random.SeedSequence(seed, spawn_key=(level,)),
        )
        kept, weights = xp.take(candidates, drawn.indices), drawn.weights * (n / size)
    return Sample(kept, weights, entries, candidates, scores)


def _entries(kept: Array, candidates: Array) -> int:
    return int(kept.shape[0]) * (int(kept.shape[0]) + int(candidates.shape[0]))


def scores_by(
    K: Any, diagonal: Array, kept: Array, weights: Array, ridge: float, candidates: Array
) -> Array:
    """Compute (K - K S inv(S^H K S + ridge) S^H K)_ii / ridge, S the weighted sample."""
    xp, s = K.space.xp, int(kept.shape[0])
    if not s:
        return xp.clip(xp.take(diagonal, candidates) / ridge, min=0.0, max=1.0)
    root, block, eye = xp.sqrt(weights), block_of(K, kept), K.space.eye(s, K.dtype)
    M = block * root[:, None] * root[None, :]
    shift = ridge + 10 * s * unit_roundoff(xp, K.dtype) * float(xp.max(xp.abs(M)))
    R = linalg.cholesky(M + shift * eye)
    # the ridge hides negative eigenvalues that are smaller
    small = _rounding(K) * (max(_trace(block), 0.0) + ridge)
    if R is None or linalg.cholesky(block + small * eye) is None:
        raise ValueError("K must be positive semidefinite, got a block that is not")
    parts = []
    for a, b in ranges(int(candidates.shape[0]), max(64, PANEL // s)):
        rows = candidates[a:b]
        B = root[:, None] * K.block(kept, rows)
        Z = linalg.solve_triangular(adjoint(R), B, lower=True)
        parts.append((xp.take(diagonal, rows) - xp.sum(xp.abs(Z) ** 2, axis=0)) / ridge)
    scores = xp.concat(parts)
    if not bool(xp.all(xp.isfinite(scores))):
        raise ValueError("K must be finite, got a block with NaN or infinity")
    return xp.clip(scores, min=0.0, max=1.0)
