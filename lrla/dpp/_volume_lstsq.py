"""Least squares from the right-hand sides of rows that are drawn by volume."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, as_array, check_finite, space_of, to_host
from lrla._core.operators import as_operator
from lrla._core.random import key_of, seed_of
from lrla._core.results import Info, Result, Status
from lrla.blocks import as_blocks
from lrla.dpp._draw import Streams
from lrla.dpp._projection import Rows
from lrla.dpp._volume import Design


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
    design = Design(A, size, rescale, ridge, seed)
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
    rows = Rows(op, None).take(items)
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
