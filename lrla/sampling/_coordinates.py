"""Coordinates T in which squared lengths of rows are leverage scores, exactly or nearly."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, check_finite, unit_roundoff
from lrla._core.errors import RankDeficientWarning, warn
from lrla._core.operators import Operator
from lrla._core.threads import ranges
from lrla.kernels.gram import gram_csr
from lrla.sampling._rows import condition_bound, triangle
from lrla.sketch import Gaussian, SketchOperator, SparseSign, whiten

_ROWS = 4  # rows of a sketch for each column where no accuracy is asked for
LONG_ROWS = 4  # pairs of entries in a row, over n, from which dense products with T cost less
_COLUMNS = 64  # of products with a linear operator that are held at a time


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """Coordinates and what is known about them.

    Parameters
    ----------
    T : array of shape (n, k)
        ``norm(T.T @ a)**2`` is the leverage score of a row a, before its weight.
    rank : int
        Number of directions that count.
    condition : float
        Of A with its columns scaled to norm one.
    method, reason : str
        How they were made, and why so.
    error : float
        Relative error of the scores to be expected: from rounding, or a standard deviation.
    passes : int
        Over A, so far.
    sketch : SketchOperator or None
        The sketch that the scores depend on.
    form : array of shape (n, n) or None
        T T^H, where scores of sparse rows are to be computed as a quadratic form.
    """

    T: Array
    rank: int
    condition: float
    method: str
    reason: str
    error: float
    passes: int
    sketch: SketchOperator | None = None
    form: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What all methods need to know."""

    op: Operator
    weights: Array | None
    ridge: float
    rcond: float | None
    seed: int
    reason: str

    @property
    def u(self) -> float:
        """Unit roundoff."""
        return unit_roundoff(self.op.space.xp, self.op.real_dtype)


def whitened(task: Task, method: str) -> Coordinates:
    """Exact coordinates, by `lrla.sketch.whiten`."""
    op = task.op
    if op.kind == "operator":
        return _by_products(task)
    W = whiten(
        op.A, weights=task.weights, ridge=task.ridge, rcond=task.rcond, method=method, rng=task.seed
    )
    reason = task.reason if W.info.method == method else W.info.reason
    error = task.u * W.condition ** (2 if W.info.method == "gram" else 1)
    return Coordinates(W.T, W.rank, W.condition, W.info.method, reason, error, W.info.passes)


def _by_products(task: Task) -> Coordinates:
    """Cholesky QR of what a sketch has whitened, by products with a linear operator alone."""
    op, w = task.op, task.weights
    W = whiten(op.A, weights=w, ridge=task.ridge, rcond=task.rcond, method="sketch", rng=task.seed)
    T = W.T
    if W.rank:
        parts = []
        for a, b in ranges(W.rank, _COLUMNS):
            Y = op.matmat(T[:, a:b])
            parts.append(op.rmatmat(Y if w is None else w[:, None] * Y) + task.ridge * T[:, a:b])
        R = linalg.cholesky(adjoint(T) @ op.space.xp.concat(parts, axis=1))
        if R is None:
            raise ValueError(
                "A must be finite, of moderate size and linear: its sketch and its products disagree"
            )
        T = T @ linalg.solve_triangular(R, op.space.eye(W.rank, R.dtype))
    reason = "A is known by its products only"
    return Coordinates(
        T, W.rank, W.condition, "cholesky_qr", reason, task.u * W.condition, W.info.passes + 2
    )


def wide(task: Task) -> Coordinates:
    """Coordinates of fewer rows than columns: singular vectors of all of A."""
    op, xp = task.op, task.op.space.xp
    B = _few_rows(op)
    if not bool(xp.all(xp.isfinite(B))):
        check_finite(B, "A")
    if task.weights is not None:
        B = xp.sqrt(task.weights)[:, None] * B
    size = linalg.norm(B, axis=0)
    if task.ridge:  # it acts on columns as they are
        size = xp.ones_like(size)
    size = xp.where(size > 0, size, xp.ones_like(size))
    V, s, _ = linalg.svd(adjoint(B / size))  # LAPACK is twice as fast with the long side first
    rank = linalg.rank_of(s, max(op.shape[1], 30) * task.u if task.rcond is None else task.rcond)
    if rank < op.shape[0]:
        warn(f"A has rank {rank}, less than its {op.shape[0]} rows", RankDeficientWarning)
    root = xp.full_like(s[:rank], math.sqrt(task.ridge))
    T = V[:, :rank] / xp.hypot(s[:rank], root) / size[:, None]
    condition = float(s[0]) / float(s[rank - 1]) if rank else 1.0
    reason = "A has more columns than rows"
    return Coordinates(T, rank, condition, "qr", reason, task.u * condition, 1)


def _few_rows(op: Operator) -> Array:
    """Form a matrix; of an operator by as many products as it has rows."""
    if op.kind != "operator":
        return op.todense()
    eye = op.space.eye(op.shape[0], op.dtype)
    parts = [op.rmatmat(eye[:, a:b]) for a, b in ranges(op.shape[0], _COLUMNS)]
    return adjoint(op.space.xp.concat(parts, axis=1))


def row_pairs(op: Operator) -> float:
    """Count pairs of entries in a row of a CSR matrix, on average."""
    counts = op.A.indptr[1:] - op.A.indptr[:-1]
    return float((counts * counts.astype(np.float64)).sum()) / op.shape[0]


def by_form(task: Task) -> Coordinates | None:
    """Coordinates and the quadratic form of sparse rows, from their Gram matrix.

    None if rounding in the Gram matrix would show: its error is of order u condition**2, for which
    a fourth of the digits are given up here, or if it cannot be factored.
    """
    op, xp, n = task.op, task.op.space.xp, task.op.shape[1]
    G = gram_csr(*op.csr(), n, task.weights)
    size = xp.sqrt(xp.astype(abs(xp.linalg.diagonal(G)), op.real_dtype))
    if not bool(xp.all(xp.isfinite(size))):
        op.check_entries()
        return None
    if task.ridge:
        G = G + task.ridge * op.space.eye(n, G.dtype)
        size = xp.sqrt(size**2 + task.ridge)
    limit = float(xp.finfo(op.real_dtype).max) ** 0.35
    if bool(xp.any((size == 0) | (size < 1 / limit) | (size > limit))):
        return None
    G = G / size / size[:, None]
    R = linalg.cholesky(G)
    if R is None:
        return None
    T = linalg.solve_triangular(R, op.space.eye(n, R.dtype))
    form = T @ adjoint(T)
    condition = condition_bound(G, form)
    if not condition <= task.u ** (-1 / 4):
        return None
    form, T = form / size / size[:, None], T / size[:, None]
    error = task.u * condition**2
    return Coordinates(T, n, condition, "sparse", task.reason, error, 1, form=form)


def sketched(task: Task, d: int) -> Coordinates:
    """Coordinates from a sketch of d rows, free of the bias that inverting it has.

    For a Gaussian sketch and no ridge, the scores divided by the true ones are d / chi^2 with
    d - rank + 1 degrees of freedom, all with the same mean d / (d - rank - 1): an inverse Wishart
    matrix. With a ridge, the mean of the inverse is that for the ridge over 1 - d_eff / d, up to
    the same factor, d_eff the effective dimension.
    """
    op, xp, m = task.op, task.op.space.xp, task.op.shape[0]
    S = SparseSign(d, m, rng=task.seed)
    B = S.apply(op.A, weights=task.weights)
    if not bool(xp.all(xp.isfinite(B))):
        op.check_entries()
        raise ValueError("A must be finite and of moderate size, got NaN or infinity in it")
    keep = 1.0
    if task.ridge:
        s2 = linalg.svdvals(linalg.qr_r(B)) ** 2
        for _ in range(20):
            keep = 1 - (float(xp.sum(s2 / (s2 + keep * task.ridge))) + 1) / d
    W = whiten(B, ridge=keep * task.ridge, rcond=task.rcond, method="qr", rng=task.seed)
    if not task.ridge:
        keep = 1 - (W.rank + 1) / d
    error = math.sqrt(2 / (keep * d))
    return Coordinates(
        W.T * keep**0.5, W.rank, W.condition, "sketch", task.reason, error, 1, sketch=S
    )


def projected(task: Task, found: Coordinates, k: int) -> Coordinates:
    """Replace coordinates by k random combinations of them (Johnson and Lindenstrauss)."""
    Z = Gaussian(k, int(found.T.shape[1]), rng=task.seed)
    T = Z.apply(found.T.T).T
    error = math.hypot(found.error, math.sqrt(2 / k))
    return replace(found, T=T, method="jl", error=error)


def leading(task: Task, found: Coordinates, rank: int) -> Coordinates:
    """Turn coordinates into those of the leading left singular subspace."""
    if rank >= found.rank:
        return found
    R = triangle(task.op, found.T, task.weights)
    if R.shape[0] < R.shape[1]:
        R = adjoint(linalg.qr_r(adjoint(R)))  # of the same left singular vectors
    U, s, _ = linalg.svd(R)
    gap = float(s[rank] / s[rank - 1])
    reason = f"{found.reason}; singular value {rank + 1} is {gap:.3g} times the one before"
    T = found.T @ U[:, :rank]
    return replace(found, T=T, rank=rank, reason=reason, form=None, passes=found.passes + 1)


def default_rows(n: int) -> int:
    """Rows of a sketch where no accuracy is asked for."""
    return max(_ROWS * n, n + 32)


def tail(eps: float, draws: int, delta: float) -> int:
    """Degrees of freedom k with which ``draws`` values of chi^2_k / k, and inverses, are 1 +- eps.

    From P(chi^2_k >= k (1 + t)) <= exp(-k (t - log(1 + t)) / 2), and the same below for -t.
    """
    t = eps / (1 + eps)
    worst = min(t - math.log1p(t), -t - math.log1p(-t))
    return math.ceil(2 * math.log(2 * draws / delta) / worst)


def as_fraction(value: Any, name: str) -> float | None:
    """Check a number between 0 and 1, or None."""
    if not (value is None or isinstance(value, int | float | np.number)):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if value is not None and not 0 < value < 1:
        raise ValueError(f"{name} must be between 0 and 1, got {value}")
    return None if value is None else float(value)


def as_ridge(value: Any) -> float:
    """Check a ridge."""
    if not (isinstance(value, int | float | np.number) and 0 <= value < np.inf):
        raise ValueError(f"ridge must be a finite number, not negative, got {value}")
    return float(value)
