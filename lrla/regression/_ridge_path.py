"""Many ridges for one problem: one factorization, one small correction each."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from lrla._core.arrays import Array, as_array
from lrla._core.iteration import Callback, Loop
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.regression._factor import Factor, from_rows
from lrla.regression._input import Question, look
from lrla.regression._methods import orthonormalized, sketcher
from lrla.regression._plan import spir_rows
from lrla.regression._problem import OutOfRangeError, Problem
from lrla.regression._refine import ROUNDS, conjugate_gradients, goals, refine, settled
from lrla.sketch import SketchOperator


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RidgePathResult(Result):
    """Ridge solutions for a list of ridges.

    Parameters
    ----------
    x : array of shape (n, k)
        One solution in each column.
    ridges : array of shape (k,)
        The ridges.
    effective_dimension : array of shape (k,)
        ``sum(s**2 / (s**2 + ridge))`` over the singular values s of A: degrees of freedom of the
        fit.
    residual_norm : array of shape (k,)
        ``norm(sqrt(weights) * (b - A @ x))``.
    status : Status
        Whether all backward errors are at most the tolerance.
    info : Info
        ``backward_error`` of each solution, ``singular_values`` of A, ``rank``, ``seed``,
        ``sketch``, ``passes``, ``history`` and ``seconds``.
    """

    x: Array
    ridges: Array
    effective_dimension: Array
    residual_norm: Array
    status: Status
    info: Info


def ridge_path(
    A: Any,
    b: Any,
    ridges: Any,
    *,
    weights: Any = None,
    tol: float | None = None,
    callback: Callback | None = None,
    rng: Any = None,
) -> RidgePathResult:
    """Solve ``min norm(A @ x - b)**2 + ridge * norm(x)**2`` for many ridges at once.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data, with m at least n.
    b : array of shape (m,)
        The right-hand side.
    ridges : array of shape (k,)
        Non-negative, in any order.
    weights : array of shape (m,), optional
        Non-negative weights of the rows.
    tol : float, optional
        Backward error to reach. By default the unit roundoff u is aimed at, and 10 u is enough.
    callback : callable, optional
        ``callback(state)`` after each refinement round; returning true stops.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the sketch comes from.

    Returns
    -------
    RidgePathResult
        With fields x, ridges, effective_dimension, residual_norm, status and info.

    Raises
    ------
    ValueError
        If A has more columns than rows, a ridge is negative or not finite, or shapes do not fit.
    TypeError
        As for `lstsq`.

    Warns
    -----
    ConvergenceWarning
        If a backward error stayed above the tolerance.

    See Also
    --------
    lstsq : one ridge, also one for each coefficient.

    Notes
    -----
    The SVD of the preconditioned data (randomized Cholesky QR) gives all solutions; two refinement
    rounds over all ridges together make them accurate. For a LinearOperator the singular values are
    those of the sketch, within the square root of its distortion. The columns of A are not
    equilibrated, since a ridge acts on them as they are. Cost: 3 m n**2 flops, and some passes over
    A with k columns.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.regression import ridge_path
    >>> A = np.random.default_rng(7).standard_normal((2000, 20))
    >>> path = ridge_path(A, A.sum(axis=1), [0.0, 10.0, 1000.0], rng=7)
    >>> path.effective_dimension.round(1)
    array([20. , 19.9, 13.3])
    """
    start = time.perf_counter()
    asked = look(A, b, weights, 0.0)
    problem = asked.problem
    if not asked.vector or asked.parts:
        raise ValueError(f"b must be one vector in the dtype of A, got shape {tuple(b.shape)}")
    if problem.n > problem.m:
        raise ValueError(
            f"A must have at least as many rows as columns, got shape {(problem.m, problem.n)}; "
            "use lstsq for each ridge"
        )
    xp = problem.space.xp
    if isinstance(ridges, list | tuple):
        ridges = problem.space.asarray(ridges, problem.op.real_dtype)
    values = as_array(ridges, "ridges", ndim=(1,))
    if values.shape[0] == 0 or not bool(xp.all(xp.isfinite(values)) and xp.all(values >= 0)):
        raise ValueError("ridges must be finite, not negative, and at least one")
    seed = seed_of(rng)
    loop = Loop("ridge_path", max_iter=ROUNDS, callback=callback)
    goal, enough = goals(tol, problem.u)
    try:
        out = _solve(asked, values, goal, loop, seed)
    except OutOfRangeError:
        raise ValueError(
            "A must have entries whose squares neither overflow nor underflow; divide it by its "
            "largest entry, and the ridges by the square of that"
        ) from None
    factor, S, X, error, squares, passes = out
    status = settled(loop, float(xp.max(error)), enough)
    sigma = factor.sigma[:, None] * asked.root
    info = Info(
        backward_error=error,
        singular_values=factor.sigma * asked.root,
        rank=factor.rank,
        seed=seed,
        sketch=S,
        passes=passes,
        history=tuple(loop.history),
        seconds=time.perf_counter() - start,
    )
    return RidgePathResult(
        xp.astype(X * asked.unit, problem.op.dtype),
        values,
        xp.sum(sigma**2 / (sigma**2 + values), axis=0),
        xp.sqrt(squares) * (asked.unit * asked.root),
        status,
        info,
    )


def _solve(
    asked: Question, values: Array, tol: float, loop: Loop, seed: int
) -> tuple[Factor, SketchOperator | None, Array, Array, Array, int]:
    one = asked.problem
    xp, k = one.space.xp, int(values.shape[0])
    S = sketcher(one, seed)(spir_rows(one) * one.n)
    factor, _, _ = from_rows(one, *one.sketched(S), one.u * max(30, one.n), equilibrate=False)
    if S is not None and one.op.kind != "operator":
        factor = orthonormalized(one, factor)
    shift = xp.astype(values / asked.root / asked.root, one.op.real_dtype)[None, :]
    factor = replace(factor, shift=shift)
    many = Problem(one.op, xp.broadcast_to(one.B, (one.m, k)), one.weights, shift)
    C = many.gradient(one.space.zeros((one.n, k), one.op.dtype))[0]
    Z = factor.solve(factor.adjoint_solve(C))
    X, error, squares = refine(many, factor, Z, tol, loop, conjugate_gradients)
    return factor, S, X, error, squares, one.passes + many.passes
