"""Coordinates in which the columns of a tall matrix are orthonormal, without forming Q."""

from __future__ import annotations

from dataclasses import dataclass
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
    unit_roundoff,
)
from lrla._core.errors import RankDeficientWarning, warn
from lrla._core.operators import Operator, as_operator
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.blocks import as_blocks
from lrla.kernels.gram import gram_of
from lrla.sketch._sparse import SparseSign

METHODS = ("auto", "qr", "cholesky_qr", "gram", "sketch")
_ROWS = 4  # rows of the sketch for each column: Fan, Guo and Lin 2021; distortion about 1/2


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Whitening(Result):
    """A matrix T for which the columns of sqrt(W) A T are orthonormal.

    Parameters
    ----------
    T : array of shape (n, rank)
        The coordinates: ``(A @ T).T @ (w[:, None] * (A @ T))`` is the identity. With ``ridge``,
        that of the rows of A and those of ``sqrt(ridge) * eye(n)`` together.
    rank : int
        Numerical rank of A.
    condition : float
        Largest over smallest singular value of A that counts, its columns scaled to norm one.
    status : Status
        `Status.CONVERGED`.
    info : Info
        method and reason; d, the rows of the sketch (0 without one); passes over A; seed.
    """

    T: Array
    rank: int
    condition: float
    status: Status
    info: Info


def whiten(
    A: Any,
    *,
    weights: Any = None,
    ridge: float = 0.0,
    rcond: float | None = None,
    method: str = "auto",
    rng: Any = None,
) -> Whitening:
    """Find T such that the columns of A T are orthonormal: randomized Cholesky QR.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data, tall as a rule.
    weights : array of shape (m,), optional
        Real and not negative: whitens ``sqrt(weights)[:, None] * A``.
    ridge : float, default 0
        Whitens A with the rows of ``sqrt(ridge) * eye(n)`` below it.
    rcond : float, optional
        Singular values of A, columns scaled to norm one, below this fraction of the largest count
        as zero. Default ``max(n, 30)`` times the unit roundoff.
    method : {"auto", "cholesky_qr", "gram", "qr", "sketch"}, default "auto"
        ``"cholesky_qr"``: QR of a sketch of 4 n rows makes A well conditioned, Cholesky of the Gram
        matrix of the result makes it orthonormal, as accurately as Householder QR at any condition
        number. ``"gram"``: the same by the Gram matrix of A itself, a third of the work; its error
        grows with the square of the condition number.
        ``"qr"``: Householder QR of all rows. ``"sketch"``: the first half of cholesky_qr alone;
        singular values of A T are then near one, by a factor of 2 as a rule. ``"auto"``: the sketch
        tells the condition number, which chooses between gram and cholesky_qr; qr, also of an
        operator, where the sketch would have as many rows as A.
    rng : None, int, numpy.random.Generator or SeedSequence, optional
        Seed of the sketch.

    Returns
    -------
    Whitening
        With fields T, rank, condition, status and info.

    Raises
    ------
    ValueError
        If A is empty or not finite, for negative weights or ridge, an unknown method, or a linear
        operator with another method than sketch.
    TypeError
        If A is not a matrix of numbers.

    Warns
    -----
    RankDeficientWarning
        If the rank is less than the number of columns.

    Notes
    -----
    Cost: 2 passes; 16 m n flops for the sketch, 3 m n rank for the Gram matrix. The sketch is a
    `SparseSign`. Where the distortion of the sketch is below one, A T from the sketch has condition
    at most (1 + e) / (1 - e) [1]_, and Cholesky of its Gram matrix loses nothing [2]_. Should the
    sketch fail, Cholesky does, too, and the rows are factored by Householder QR: info says so.
    "auto" takes the Gram matrix of A itself where its error, of order u condition**2, is below
    u**(5/8): condition up to 1e3 in float64, 22 in float32.

    References
    ----------
    .. [1] Y. Fan, Y. Guo, T. Lin, "A novel randomized XR-based preconditioned CholeskyQR
       algorithm", arXiv:2111.11148, 2021.
    .. [2] O. Balabanov, "Randomized Cholesky QR factorizations", arXiv:2210.09953, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla import sketch
    >>> A = np.random.default_rng(7).standard_normal((1000, 5)) * 10.0 ** np.arange(5)
    >>> Q = A @ sketch.whiten(A, rng=7).T
    >>> bool(np.allclose(Q.T @ Q, np.eye(5)))
    True
    """
    op = as_operator(as_blocks(A))
    if 0 in op.shape:
        raise ValueError(f"A must have at least one row and one column, got shape {op.shape}")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    if op.kind == "operator" and method not in ("auto", "sketch"):
        raise ValueError(f"method {method!r} needs the entries of A; use 'sketch'")
    if not (np.isfinite(ridge) and ridge >= 0):
        raise ValueError(f"ridge must be finite and not negative, got {ridge}")
    if rcond is not None and not 0 < rcond < 1:
        raise ValueError(f"rcond must be between 0 and 1, got {rcond}")
    seed = seed_of(rng)
    rows = _Rows(op, _weights(op, weights), float(ridge))
    found = _plan(rows, method, seed, rcond)
    if found.rank < op.shape[1]:
        warn(
            f"A has rank {found.rank}, less than its {op.shape[1]} columns",
            RankDeficientWarning,
        )
    return found


def _weights(op: Operator, weights: Any) -> Array | None:
    if weights is None:
        return None
    w = as_array(weights, "weights", ndim=(1,))
    if w.shape[0] != op.shape[0]:
        raise ValueError(
            f"weights must be one for each of {op.shape[0]} rows, got shape {tuple(w.shape)}"
        )
    if is_complex(w) or bool(op.space.xp.any(w < 0)):
        raise ValueError("weights must be real and not negative")
    check_finite(w, "weights")
    return op.space.xp.astype(w, op.real_dtype, copy=False)


class _Rows:
    """Weighted rows of A and of a ridge: what can be computed of them."""

    def __init__(self, op: Operator, weights: Array | None, ridge: float) -> None:
        self.op, self.weights, self.ridge = op, weights, ridge
        self.m, self.n = op.shape
        self.u = unit_roundoff(op.space.xp, op.real_dtype)
        self.passes = 0

    def stacked(self, d: int, seed: int) -> Array:
        """Return d sketched rows, or all of them for d = 0, with those of the ridge."""
        self.passes += 1
        op, xp = self.op, self.op.space.xp
        if d:
            B = SparseSign(d, self.m, rng=seed).apply(op.A, weights=self.weights)
        else:
            B = op.todense()
            B = B if self.weights is None else xp.sqrt(self.weights)[:, None] * B
        if not bool(xp.all(xp.isfinite(B))):
            op.check_entries()
            raise ValueError("A must be finite and of moderate size, got NaN or infinity in it")
        if self.ridge:
            B = xp.concat((B, self.ridge**0.5 * op.space.eye(self.n, op.dtype)), axis=0)
        return B

    def gram(self, T: Array, *, of_rows: bool) -> Array:
        """Return T^H (A^H W A + ridge) T, by A^H W A if ``of_rows`` is false."""
        self.passes += 1
        if of_rows:
            G = gram_of(self.op, self.weights, T)
        else:
            G = adjoint(T) @ gram_of(self.op, self.weights) @ T
        return G + self.ridge * (adjoint(T) @ T) if self.ridge else G


def _plan(rows: _Rows, method: str, seed: int, rcond: float | None) -> Whitening:
    d = max(_ROWS * rows.n, rows.n + 32)
    reason = "asked for"
    if method == "auto" and rows.op.kind == "operator":
        method, reason = "sketch", "A is a linear operator"
    if d >= rows.m:
        d = 0  # coordinates from all rows: a square sketch would be singular as often as not
        if method != "gram":
            method, reason = "qr", "a sketch would have as many rows as A"
    if method == "qr":
        d = 0
    B = rows.stacked(d, seed)
    T, condition = _coordinates(B, rows.u, rcond)
    if method == "auto":
        plain = condition <= rows.u ** (-3 / 16) and _moderate(B)
        method = "gram" if plain else "cholesky_qr"
        reason = f"the condition number is {condition:.1e}"
    if method in ("gram", "cholesky_qr") and T.shape[1]:
        sound = method == "cholesky_qr" or _moderate(B)
        R = linalg.cholesky(rows.gram(T, of_rows=method == "cholesky_qr")) if sound else None
        if R is None:
            reason, method, d = f"{method} failed: the sketch or the condition number", "qr", 0
            T, condition = _coordinates(rows.stacked(0, seed), rows.u, rcond)
        else:
            T = T @ linalg.solve_triangular(R, rows.op.space.eye(int(R.shape[0]), R.dtype))
    info = Info(method=method, reason=reason, d=d, passes=rows.passes, seed=seed)
    return Whitening(T, int(T.shape[1]), condition, Status.CONVERGED, info)


def _moderate(B: Array) -> bool:
    """Tell whether squares of the columns' sizes neither over- nor underflow."""
    xp = space_of(B).xp
    size = linalg.norm(B, axis=0)
    limit = float(xp.finfo(size.dtype).max) ** 0.35
    return bool(xp.all((size == 0) | ((size < limit) & (size > 1 / limit))))


def _coordinates(B: Array, u: float, rcond: float | None) -> tuple[Array, float]:
    """Whiten a small matrix: V / sigma of its R factor, its columns scaled to norm one first."""
    n, xp = int(B.shape[1]), space_of(B).xp
    size = linalg.norm(B, axis=0)
    size = xp.where(size > 0, size, xp.ones_like(size))
    _, s, Vh = linalg.svd(linalg.qr_r(B / size))
    rank = linalg.rank_of(s, max(n, 30) * u if rcond is None else rcond)
    condition = float(s[0]) / float(s[rank - 1]) if rank else 1.0
    least = float(s[rank - 1]) * float(xp.min(size)) if rank else 1.0
    if least < 1 / float(xp.finfo(size.dtype).max):
        raise ValueError(
            f"A must not be as small as {float(xp.min(size)):.3g} in a column, for its inverse "
            "overflows; scale A up"
        )
    return adjoint(Vh)[:, :rank] / s[:rank] / size[:, None], condition
