"""Many ridges for one problem: one factorization, one small correction each."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lrla._core.arrays import Array, as_array
from lrla._core.iteration import Callback, Loop
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.regression._factor import Factor, from_rows
from lrla.regression._input import Question, check_range, look, ridges_over
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
        If A has more columns than rows, a ridge is negative or not finite, shapes do not fit, or
        the result is beyond the largest number of its dtype.
    TypeError
        As for `lstsq`, and if b is complex and A is not.

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
    if not asked.vector:
        raise ValueError(
            "b must be one vector, got an array of 2 dimensions; use lstsq for each ridge"
        )
    if asked.parts:
        raise TypeError("b must be real where A is, got complex numbers; solve for b.real, b.imag")
    if problem.n > problem.m:
        raise ValueError(
            f"A must have at least as many rows as columns, got shape {(problem.m, problem.n)}; "
            "use lstsq for each ridge"
        )
    xp = problem.space.xp
    values = as_array(ridges, "ridges", ndim=(1,))
    if isinstance(ridges, list | tuple):
        values = problem.space.asarray(values)
    if values.shape[0] == 0:
        raise ValueError("ridges must hold at least one number, got none")
    shift = ridges_over(problem.op, values, "ridges", asked.root)
    seed = seed_of(rng)
    loop = Loop("ridge_path", max_iter=ROUNDS, callback=callback)
    goal, enough = goals(tol, problem.u)
    try:
        out = _solve(asked, shift, goal, loop, seed)
    except OutOfRangeError:
        problem.op.check_entries()
        raise ValueError(
            "A must have entries whose squares neither overflow nor underflow; divide it by its "
            "largest entry, and the ridges by the square of that"
        ) from None
    factor, S, X, error, squares, passes = out
    status = settled(loop, float(xp.max(error)), enough)
    energy = factor.sigma[:, None] ** 2
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
    with np.errstate(over="ignore"):
        X = xp.astype(X * asked.unit, problem.op.dtype)
        left = xp.sqrt(squares) * asked.root * asked.unit
    check_range(problem.space, x=X, residual_norm=left)
    dimension = xp.sum(energy / (energy + shift), axis=0)
    return RidgePathResult(X, values, dimension, left, status, info)


def _solve(
    asked: Question, shift: Array, tol: float, loop: Loop, seed: int
) -> tuple[Factor, SketchOperator | None, Array, Array, Array, int]:
    one = asked.problem
    xp, k = one.space.xp, int(shift.shape[0])
    S = sketcher(one, seed)(spir_rows(one) * one.n)
    factor, _, _ = from_rows(one, *one.sketched(S), one.u * max(30, one.n), equilibrate=False)
    if S is not None and one.op.kind != "operator":
        factor = orthonormalized(one, factor)
    factor = replace(factor, shift=shift[None, :])
    many = Problem(one.op, xp.broadcast_to(one.B, (one.m, k)), one.weights, shift[None, :])
    C = many.gradient(one.space.zeros((one.n, k), one.op.dtype))[0]
    Z = factor.solve(factor.adjoint_solve(C))
    X, error, squares = refine(many, factor, Z, tol, loop, conjugate_gradients)
    return factor, S, X, error, squares, one.passes + many.passes
