"""Volume sampling: rows for least squares, chosen with the volume that they span."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, Space, as_array, check_finite, space_of, to_host
from lrla._core.operators import as_operator
from lrla._core.random import key_of, seed_of
from lrla._core.results import Info, Result, Status
from lrla.blocks import as_blocks
from lrla.dpp._draw import Streams, cumulative, pick, projection
from lrla.dpp._errors import SamplingError
from lrla.dpp._projection import ProjectionDPP
from lrla.kernels.volume import thin

_TRIES = 4  # tries for each row to be removed that are drawn at first: two are expected
_MOST = 1 << 24  # tries after which regularized sampling gives up


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class VolumeSample(Result):
    """Rows drawn with probability proportional to a volume.

    Parameters
    ----------
    indices : array of int64, shape (size,)
        The rows: in the order drawn, and with repetitions, if they were rescaled; ascending if not.
    weights : array of shape (size,)
        Weights under which least squares on these rows are unbiased: ones, or with rescaling
        ``n / (size * leverage)`` (n columns), so that the weighted Gram matrix of the rows has the
        expectation of that of all rows.
    status : Status
        `Status.CONVERGED`.
    info : Info
        rank of A; rescale; ridge; seed; log_prob, the logarithm of the probability of this set, or of
        this sequence if rescaled; proposals, how many items were proposed (both None with a ridge).
    """

    indices: Array
    weights: Array
    status: Status
    info: Info


def volume_sample(
    A: Any, size: int, *, rescale: str | None = "auto", ridge: float = 0.0, rng: Any = None
) -> VolumeSample:
    """Draw rows with probability proportional to the squared volume that they span.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data, of rank n. A linear operator is formed densely.
    size : int
        Number of rows, at least n.
    rescale : {"auto", "leverage", None}, default "auto"
        None: sets of ``size`` different rows S with probability proportional to
        ``det(A[S].T @ A[S])``. "leverage": sequences of rows, repetitions allowed, with density
        proportional to ``det(sum(a a.T / q))`` under independent draws with probability
        q = leverage / n. "auto": None if ``size == n``, "leverage" otherwise.
    ridge : float, default 0
        Regularized volume sampling [3]_: ``det(A[S].T @ A[S] + ridge * I)`` decides, row by row from
        the back. Then ``size`` may be less than n, ``rescale`` must not be "leverage", and A must
        be a dense array.
    rng : None, int, numpy.random.Generator or SeedSequence, optional
        Seed.

    Returns
    -------
    VolumeSample
        With fields indices, weights, status and info.

    Raises
    ------
    RankError
        If the columns of A are dependent and ``ridge`` is 0.
    ValueError
        If there are not enough rows or too few are asked for; if A is not finite.
    SamplingError
        If regularized sampling uses up its budget: ``size`` far below n with a tiny ridge.

    Notes
    -----
    Exact. By the formula of Cauchy and Binet both laws are a sample of the projection process of
    the range of A and, independent of it, rows drawn uniformly from the others or independently by
    leverage [1]_. Cost: leverage scores, and O(n**3 log n) for the draw. With plain volume sampling
    of more than n rows a few rows of high leverage are lost among many others, and the loss need
    not come near the least one; with rescaling, size of the order n log n + n / eps gives 1 + eps
    times the least loss with high probability [2]_.

    References
    ----------
    .. [1] M. Derezinski, M. K. Warmuth, D. Hsu, "Unbiased estimators for random design regression",
       JMLR 23, 2022, Theorem 2.4.
    .. [2] M. Derezinski, M. K. Warmuth, D. Hsu, "Leveraged volume sampling for linear regression",
       NeurIPS 2018.
    .. [3] M. Derezinski, M. K. Warmuth, "Subsampling for ridge regression via regularized volume
       sampling", AISTATS 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.dpp import volume_sample
    >>> A = np.random.default_rng(7).standard_normal((1000, 4))
    >>> volume_sample(A, 12, rng=7).indices.shape
    (12,)
    """
    seed = seed_of(rng)
    design = _Design(A, size, rescale, ridge, seed)
    indices, weights, proposals = design.draw(Streams(key_of(seed), 0))
    info = Info(
        rank=design.n,
        rescale=design.rescale,
        ridge=float(ridge),
        log_prob=design.log_prob(indices),
        proposals=proposals,
        seed=seed,
    )
    return VolumeSample(indices, weights, Status.CONVERGED, info)


class _Design:
    """What the draws from one matrix share: its process, its size, and how to complete a draw."""

    def __init__(self, A: Any, size: int, rescale: str | None, ridge: float, seed: int) -> None:
        op = as_operator(as_blocks(A))
        self.m, self.n = op.shape
        self.space: Space = op.space
        if isinstance(size, bool) or int(size) != size or size < 1:
            raise ValueError(f"size must be a positive integer, got {size!r}")
        if rescale not in ("auto", "leverage", None):
            raise ValueError(f"rescale must be 'auto', 'leverage' or None, got {rescale!r}")
        if not (math.isfinite(ridge) and ridge >= 0):
            raise ValueError(f"ridge must be finite and not negative, got {ridge}")
        self.size, self.ridge = int(size), float(ridge)
        if rescale == "auto":
            rescale = None if ridge or size == self.n else "leverage"
        self.rescale = rescale
        if ridge and rescale:
            raise ValueError("rescale must be None with a ridge: its law is that of plain volumes")
        if self.size < self.n and not ridge:
            raise ValueError(
                f"size must be at least the number of columns, {self.n}, got {size}; pass a ridge"
            )
        if rescale is None and self.size > self.m:
            raise ValueError(f"size must be at most the number of rows, {self.m}, got {size}")
        self.A: Array | None = None
        if ridge:
            if op.kind != "dense":
                raise TypeError("A must be a dense array for a ridge")
            check_finite(op.A, "A")
            self.A = op.A
        else:
            self.process = ProjectionDPP.from_factor(A, rng=seed)

    def draw(self, streams: Streams) -> tuple[Array, Array, int | None]:
        """Draw rows; return them, their weights, and how many were proposed."""
        space, xp = self.space, self.space.xp
        if self.A is not None:
            indices = self._thinned(streams)
            return indices, xp.ones_like(xp.astype(indices, xp.float64)), None
        rows = self.process._rows
        items, asked = projection(rows, streams)
        more = self.size - self.n
        if self.rescale is None:
            if more:
                u = streams.uniform(space, 0, self.m, 1, part=1)[:, 0]
                u = to_host(u).copy()
                u[to_host(items)] = 2.0  # the process has them already
                others = space.asarray(np.argpartition(u, more - 1)[:more], xp.int64)
                items = xp.concat((items, others))
            items = xp.sort(items)
            return items, xp.ones_like(xp.astype(items, xp.float64)), asked
        scores = xp.astype(rows.scores, xp.float64)
        u = streams.uniform(space, 0, self.size, 2, part=1)
        independent = pick(cumulative(scores), u[: self.size - self.n, 0], space)
        items = xp.concat((items, independent))
        items = xp.take(items, xp.argsort(u[:, 1]))
        return items, self.n / self.size / xp.take(scores, items), asked

    def log_prob(self, items: Array) -> float | None:
        """Logarithm of the probability of a draw, by the volume of orthonormal coordinates."""
        if self.A is not None:
            return None
        xp, rows, (k, n) = self.space.xp, self.process._rows, (self.size, self.n)
        F, ways = rows.take(items), math.lgamma(k - n + 1)
        if self.rescale is None:
            # sets of k rows that contain one of n: they share its volume
            ways = math.lgamma(self.m - n + 1) - math.lgamma(self.m - k + 1) - ways
            return 2 * float(xp.sum(xp.log(linalg.svdvals(F)))) - ways
        q = xp.take(xp.astype(rows.scores, xp.float64), items) / n
        volume = linalg.svdvals(F / xp.astype(xp.sqrt(q), rows.scores.dtype)[:, None])
        product = 2 * float(xp.sum(xp.log(volume))) + float(xp.sum(xp.log(q)))
        return product + ways - math.lgamma(k + 1)

    def _thinned(self, streams: Streams) -> Array:
        tries = _TRIES * self.m
        while tries <= max(_MOST, _TRIES * self.m):
            u = streams.uniform(self.space, 0, tries, 2, part=1)
            indices = thin(self.A, self.ridge, self.size, u)
            if indices.shape[0] == self.size:
                return indices
            tries *= 4
        raise SamplingError(
            f"after {tries // 4} tries {indices.shape[0]} rows are left instead of {self.size}; "
            "increase size or ridge"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class VolumeLstsqResult(Result):
    """Least squares from the right-hand sides of a few rows.

    Parameters
    ----------
    x : array of shape (n,) or (n, p)
        The coefficients; their expectation is that of all rows.
    standard_errors : array like x, or None
        Of each coefficient, from the spread of the estimates; None if there is one.
    indices : array of int64
        The rows whose right-hand sides were asked for, ascending, each once.
    residual_norm : float, array of shape (p,) or None
        ``norm(A @ x - b)`` over all rows; None where b is a function.
    status : Status
        `Status.CONVERGED`.
    info : Info
        size; rescale; ridge; n_estimators; expected_loss, the expectation of the squared residual
        norm over its least value where it is known (``n + 1`` for one estimate from n rows); seed.
    """

    x: Array
    standard_errors: Array | None
    indices: Array
    residual_norm: Any
    status: Status
    info: Info


def volume_lstsq(
    A: Any,
    b: Array | Callable[[Array], Array],
    size: int | None = None,
    *,
    rescale: str | None = "auto",
    ridge: float = 0.0,
    n_estimators: int = 1,
    rng: Any = None,
) -> VolumeLstsqResult:
    """Solve a least-squares problem from the right-hand sides of a few rows, without bias.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data, of rank n.
    b : array of shape (m,) or (m, p), or callable
        Right-hand sides; or a function that gets the numbers of rows, an array of int64, and
        returns their right-hand sides. It is called once.
    size : int, optional
        Number of rows for each estimate. Default ``n + ceil(n * max(log(n), 1))``, but at most m.
    rescale, ridge
        As for `volume_sample`. With a ridge the estimates are those of ridge regression, which are
        biased.
    n_estimators : int, default 1
        How many independent estimates are averaged: the variance is divided by it, and nothing is
        added, for there is no bias.
    rng : None, int, numpy.random.Generator or SeedSequence, optional
        Seed.

    Returns
    -------
    VolumeLstsqResult
        With fields x, standard_errors, indices, residual_norm, status and info.

    Raises
    ------
    RankError
        If the columns of A are dependent and ``ridge`` is 0.
    ValueError
        If shapes do not match, values are not finite, or parameters are out of range.

    Notes
    -----
    ``E[x]`` is the solution with all rows, for any b, with one estimate as with many [1]_. From n
    rows the expected squared residual norm is n + 1 times the least one if no n rows of A are
    dependent, and no method does better with n rows [2]_.

    References
    ----------
    .. [1] M. Derezinski, M. K. Warmuth, D. Hsu, "Unbiased estimators for random design regression",
       JMLR 23, 2022.
    .. [2] M. Derezinski, M. K. Warmuth, "Unbiased estimates for linear regression via volume
       sampling", NeurIPS 2017, Theorem 5.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.dpp import volume_lstsq
    >>> A = np.random.default_rng(7).standard_normal((1000, 3))
    >>> asked = []
    >>> def measure(rows):
    ...     asked.extend(rows)
    ...     return A[rows] @ [1.0, 2.0, 3.0]
    >>> result = volume_lstsq(A, measure, 5, rng=7)
    >>> bool(np.allclose(result.x, [1, 2, 3])), len(asked) <= 5
    (True, True)
    """
    op = as_operator(as_blocks(A))
    m, n = op.shape
    if size is None:
        size = min(m, n + math.ceil(n * max(math.log(max(n, 1)), 1)))
    if isinstance(n_estimators, bool) or int(n_estimators) != n_estimators or n_estimators < 1:
        raise ValueError(f"n_estimators must be a positive integer, got {n_estimators!r}")
    given = None if callable(b) else _right_hand_sides(b, m, n)
    seed = seed_of(rng)
    design = _Design(A, size, rescale, ridge, seed)
    samples = [design.draw(Streams(key_of(seed), i)) for i in range(int(n_estimators))]
    space, xp = design.space, design.space.xp
    wanted = np.unique(np.concatenate([to_host(items) for items, *_ in samples]))
    asked = space.asarray(wanted, xp.int64)
    known = _answers(b, asked) if given is None else xp.take(given, asked, axis=0)
    vector = known.ndim == 1
    known = known[:, None] if vector else known
    F = _gathered(op, asked)
    estimates = []
    for items, weights, _ in samples:
        places = space.asarray(np.searchsorted(wanted, to_host(items)), xp.int64)
        estimates.append(_solve(xp.take(F, places, axis=0), xp.take(known, places, axis=0),
                                weights, ridge))  # fmt: skip
    X = xp.stack(estimates)
    x = xp.mean(X, axis=0)
    errors = None
    if n_estimators > 1:
        errors = (xp.sum(xp.abs(X - x) ** 2, axis=0) / (n_estimators * (n_estimators - 1))) ** 0.5
        errors = errors[:, 0] if vector else errors
    norm = None
    if given is not None:
        R = op.matmat(x) - (given[:, None] if vector else given)
        norm = linalg.norm(R, axis=0)
        norm = float(norm[0]) if vector else norm
    known_loss = n_estimators == 1 and size == n and design.rescale is None and not ridge
    info = Info(
        size=int(size),
        rescale=design.rescale,
        ridge=float(ridge),
        n_estimators=int(n_estimators),
        expected_loss=float(n + 1) if known_loss else None,
        seed=seed,
    )
    x = x[:, 0] if vector else x
    return VolumeLstsqResult(x, errors, asked, norm, Status.CONVERGED, info)


def _right_hand_sides(b: Any, m: int, n: int) -> Array:
    b = as_array(b, "b", ndim=(1, 2))
    if b.shape[0] != m:
        raise ValueError(f"b must have as many rows as A, got shapes {tuple(b.shape)} and {(m, n)}")
    check_finite(b, "b")
    return b


def _answers(b: Any, asked: Array) -> Array:
    """Ask for right-hand sides and check what comes back."""
    values = as_array(b(asked), "b(rows)", ndim=(1, 2))
    if values.shape[0] != asked.shape[0]:
        raise ValueError(
            f"b(rows) must return one value for each of {asked.shape[0]} rows, got shape "
            f"{tuple(values.shape)}"
        )
    space_of(values, asked)
    check_finite(values, "b(rows)")
    return values


def _gathered(op: Any, items: Array) -> Array:
    """Rows of A, dense."""
    from lrla.dpp._projection import _Rows

    rows = _Rows(op, None).take(items)
    return rows.toarray() if hasattr(rows, "toarray") else rows


def _solve(F: Array, Y: Array, weights: Array, ridge: float) -> Array:
    """Solve a small weighted least-squares problem by QR."""
    space = space_of(F)
    xp = space.xp
    root = xp.astype(xp.sqrt(weights), abs(F[:1, :]).dtype)[:, None]
    F, Y = root * F, root * xp.astype(Y, xp.result_type(F, Y))
    n = int(F.shape[1])
    if ridge:
        F = xp.concat((F, ridge**0.5 * space.eye(n, F.dtype)), axis=0)
        Y = xp.concat((Y, space.zeros((n, Y.shape[1]), Y.dtype)), axis=0)
    R = linalg.qr_r(xp.concat((xp.astype(F, Y.dtype), Y), axis=1))
    return linalg.solve_triangular(R[:n, :n], R[:n, n:])
