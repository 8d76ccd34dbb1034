"""`kernel_features`: the Nystrom approximation of a kernel, by landmarks."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.arrays import Array, adjoint, unit_roundoff
from lrla._core.numbers import whole
from lrla._core.random import Domain, key_of, seed_of, tag
from lrla._core.results import Info, Result, Status
from lrla._core.threads import ranges
from lrla.kernels import philox
from lrla.lowrank._kernel_leverage import SMALL, kernel_leverage
from lrla.lowrank._kernels import PANEL, as_kernel
from lrla.lowrank._ridge_samples import OVERSAMPLE, bless, block_of, diagonal_of, spectrum_of
from lrla.lowrank._rp_cholesky import rp_cholesky
from lrla.sampling import sample_rows

LANDMARKS = ("rp_cholesky", "nuclear", "greedy", "rls", "bless", "uniform")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class KernelFeaturesResult(Result):
    """Landmarks, and what turns kernel values with them into features.

    Parameters
    ----------
    indices : array of shape (k,)
        The landmarks, as indices of points.
    normalization : array of shape (k, k)
        The inverse square root of the kernel matrix of the landmarks. Features of a point are its
        kernel values with the landmarks times this matrix.
    rank : int
        Rank of the kernel matrix of the landmarks.
    K : KernelMatrix or other
        The kernel matrix as it was given.
    status : Status
        Always `Status.CONVERGED`.
    info : Info
        ``trace_error``: trace of what the features leave of K, exactly but for rounding, which in
        the features may reach the square root of the unit roundoff where the kernel matrix of the
        landmarks is singular; ``relative_error``: the same divided by the trace of K;
        ``landmarks``, how they were chosen; ``seed``; ``seconds``.
    """

    indices: Array
    normalization: Array
    rank: int
    K: Any
    status: Status
    info: Info

    def transform(self, Y: Any) -> Array:
        """Compute features of points.

        Parameters
        ----------
        Y : array of shape (m, p)
            Points; K must be a `KernelMatrix`.

        Returns
        -------
        array of shape (m, k)
            Features, whose inner products approximate the kernel.

        Raises
        ------
        TypeError
            If K was given by its entries, which say nothing of other points.
        """
        if not hasattr(self.K, "cross"):
            raise TypeError("cannot transform points: K is known by its entries, pass KernelMatrix")
        return self.K.cross(Y, self.indices) @ self.normalization


def kernel_features(
    K: Any, rank: int | None = None, *, landmarks: Any = "rp_cholesky", rng: Any = None
) -> KernelFeaturesResult:
    """Approximate a kernel by features: kernel values with a few landmarks, normalized.

    Parameters
    ----------
    K : array of shape (n, n), sparse matrix, KernelMatrix or object
        As for `rp_cholesky`.
    rank : int, optional
        Number of landmarks, from 1 to n; not for given ones.
    landmarks : {"rp_cholesky", "nuclear", "greedy", "rls", "bless", "uniform"} or array of int
        How they are chosen, or which they are. "rp_cholesky", "nuclear" and "greedy": the pivots of
        `rp_cholesky` with its default method, or with that of the name. "rls": a sample by ridge
        leverage scores (`kernel_leverage`), with a ridge for which their sum is half the number of
        landmarks. "bless": the same, but only the scores of the last candidates of
        ``kernel_leverage(K, ridge, method="bless")`` are computed and drawn by. "uniform": any.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    KernelFeaturesResult
        With fields indices, normalization, rank, status and info, and the method transform.

    Raises
    ------
    ValueError
        If rank is out of range or missing, landmarks are no indices of points, or K is not
        positive semidefinite.
    TypeError
        If K has no entries that can be read.

    See Also
    --------
    rp_cholesky : the same approximation of K as a factor, without features for new points.
    lrla.sklearn.Nystroem : this as a transformer.

    Notes
    -----
    With S the landmarks, the kernel of the features is ``K[:, S] @ pinv(K[S, S]) @ K[S, :]``.
    Eigenvalues of ``K[S, S]`` below rounding are left out. Points that are no data can be landmarks,
    too: make a KernelMatrix of them, and let all of its points be landmarks.

    Cost: the choice of landmarks, n k kernel values, n k**2 and 9 k**3 flops.

    References
    ----------
    .. [1] C. K. I. Williams and M. Seeger, "Using the Nystrom method to speed up kernel machines",
       NIPS 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.lowrank import KernelMatrix, kernel_features
    >>> X = np.random.default_rng(7).standard_normal((500, 2))
    >>> K = KernelMatrix(X, gamma=0.5)
    >>> features = kernel_features(K, 80, rng=7)
    >>> Z = features.transform(X[:3])
    >>> bool(np.allclose(Z @ Z.T, K.block([0, 1, 2], [0, 1, 2]), atol=1e-4))
    True
    """
    start = time.perf_counter()
    given, K = K, as_kernel(K)
    xp, n, seed = K.space.xp, K.shape[0], seed_of(rng)
    if isinstance(landmarks, str):
        if landmarks not in LANDMARKS:
            raise ValueError(
                f"landmarks must be indices or one of {', '.join(LANDMARKS)}, got {landmarks!r}"
            )
        rank = whole(rank, "rank", 1, n, rule=f" between 1 and n = {n}")
        indices, left = _choose(K, rank, landmarks, seed)
    else:
        indices, left = _given(K, landmarks), None
        if rank is not None and rank != indices.shape[0]:
            raise ValueError(f"rank must be left out when landmarks are given, got {rank}")
    if not indices.shape[0]:
        raise ValueError("K must have a positive diagonal entry, got zeros alone")
    w, V = spectrum_of(K, indices)
    full = w > 10 * w.shape[0] * unit_roundoff(xp, K.dtype) * float(xp.max(xp.abs(w)))
    roots = xp.where(full, 1 / xp.sqrt(xp.where(full, w, xp.ones_like(w))), xp.zeros_like(w))
    normalization = (V * roots[None, :]) @ adjoint(V)
    trace = float(xp.sum(xp.astype(diagonal_of(K), xp.float64)))
    if left is None:
        left = max(trace - _captured(K, indices, V * roots[None, :]), 0.0)
    info = Info(
        trace_error=left,
        relative_error=left / trace if trace else 0.0,
        landmarks=landmarks if isinstance(landmarks, str) else "given",
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    rank = int(xp.sum(xp.astype(full, xp.int64)))
    return KernelFeaturesResult(indices, normalization, rank, given, Status.CONVERGED, info)


def _given(K: Any, landmarks: Any) -> Array:
    """Check indices of landmarks."""
    xp = K.space.xp
    indices = K.space.asarray(landmarks)
    if indices.ndim != 1 or not indices.shape[0] or not xp.isdtype(indices.dtype, "integral"):
        raise ValueError(
            "landmarks must be a name or a vector of indices, got an array of shape "
            f"{tuple(indices.shape)} and dtype {indices.dtype}"
        )
    low, high = int(xp.min(indices)), int(xp.max(indices))
    if low < 0 or high >= K.shape[0]:
        raise ValueError(f"landmarks must be between 0 and {K.shape[0] - 1}, got {low} to {high}")
    return xp.astype(indices, xp.int64)


def _choose(K: Any, rank: int, landmarks: str, seed: int) -> tuple[Array, float | None]:
    """Choose landmarks, and return the trace of what they leave if it is known already."""
    if landmarks in ("rp_cholesky", "nuclear", "greedy"):
        method = "accelerated" if landmarks == "rp_cholesky" else landmarks
        found = rp_cholesky(K, rank, method=method, rng=seed)
        return found.pivots, found.info.trace_error
    if landmarks == "uniform":
        return _uniform(K, rank, seed), None
    ridge = _ridge(K, rank, seed)
    if landmarks == "bless":
        sample = bless(K, K.diagonal(), ridge, OVERSAMPLE, seed, least=4 * rank)
        drawn = sample_rows(sample.scores, rank, rng=seed).indices
        return K.space.xp.take(sample.candidates, drawn), None
    scores = kernel_leverage(K, ridge, rng=seed).scores
    return K.space.asarray(sample_rows(scores, rank, rng=seed).indices), None


def _uniform(K: Any, size: int, seed: int) -> Array:
    xp = K.space.xp
    place = xp.arange(size, dtype=xp.int64, device=K.space.device)
    return philox.permute(place, key_of(seed), tag(Domain.SAMPLE), K.shape[0])


def _ridge(K: Any, rank: int, seed: int) -> float:
    """Find the ridge whose effective dimension is half the rank, from the spectrum of a sample."""
    size = min(K.shape[0], max(4 * rank, 200), max(SMALL, rank))
    index = _uniform(K, size, seed)
    spectrum = K.space.xp.clip(K.space.xp.linalg.eigvalsh(block_of(K, index)), min=0.0)
    s = spectrum * (K.shape[0] / size)
    total = float(K.space.xp.sum(s))
    if total == 0:  # of the sample
        total = float(K.space.xp.sum(K.diagonal()))
        if not total > 0:
            raise ValueError("K must have a positive diagonal entry, got zeros alone")
        return total / rank
    low, high = np.log(1e-14 * total), np.log(1e3 * total)
    for _ in range(40):
        middle = float(np.exp((low + high) / 2))
        if float(K.space.xp.sum(s / (s + middle))) > rank / 2:
            low = np.log(middle)
        else:
            high = np.log(middle)
    return float(np.exp(high))


def _captured(K: Any, indices: Array, root: Array) -> float:
    """Return the trace of the approximation."""
    xp, captured = K.space.xp, 0.0
    for a, b in ranges(K.shape[0], max(64, PANEL // int(indices.shape[0]))):
        Z = adjoint(root) @ K.block(indices, slice(a, b))
        captured += float(xp.sum(xp.abs(Z) ** 2))
    if not math.isfinite(captured):
        raise ValueError("K must be finite, got NaN or infinity in columns of landmarks")
    return captured
