"""`lstsq`: look at the input, plan, compute, certify."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.arrays import Array
from lrla._core.iteration import Callback, Loop
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.regression import _methods
from lrla.regression._input import Question, check_range, look
from lrla.regression._plan import Plan, choose, predict
from lrla.regression._problem import OutOfRangeError, Problem
from lrla.regression._refine import ROUNDS, goals, settled
from lrla.regression._underdetermined import WIDE_ROUNDS, least_norm

METHODS = ("auto", "gram", "spir", "fossils", "cqrrt", "direct")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LstsqResult(Result):
    """Solution of a least-squares problem and how good it is.

    Parameters
    ----------
    x : array of shape (n,) or (n, p)
        The solution, of least norm where it is not unique.
    residual_norm : float or array of shape (p,)
        ``norm(sqrt(weights) * (b - A @ x))``.
    rank : int
        Numerical rank of A.
    status : Status
        Whether the measured backward error is at most the tolerance, and if not, why.
    info : Info
        ``backward_error``: relative to the column norms, the size of the smallest change of A for
        which x is exact, estimated within a factor of about 3 (Karlson and Walden);
        ``condition``: condition number of the equilibrated A, estimated within a factor of about
        3; ``method``, ``reason``, ``predicted_seconds``; ``seed``, which as ``rng`` repeats the
        call; ``sketch``; ``passes``, products with A and its adjoint for all right-hand sides
        together; ``iterations`` (refinement rounds) and ``history`` of the backward error;
        ``seconds``.
    """

    x: Array
    residual_norm: Any
    rank: int
    status: Status
    info: Info

    def __iter__(self) -> Iterator[Any]:
        return iter((self.x, self.info))


def lstsq(
    A: Any,
    b: Any,
    *,
    method: str = "auto",
    weights: Any = None,
    ridge: Any = 0.0,
    rcond: float | None = None,
    tol: float | None = None,
    callback: Callback | None = None,
    rng: Any = None,
) -> LstsqResult:
    """Solve ``min_x norm(A @ x - b)`` to the accuracy of LAPACK, in a fraction of its time.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data; never changed. Copied, and sparse data and operators made dense, only where all
        rows go into a QR ("direct", and the others if A has no more rows than their sketch), or
        where squares of its entries overflow or underflow.
    b : array of shape (m,) or (m, p)
        Right-hand sides, in the array library of A.
    method : {"auto", "gram", "spir", "fossils", "cqrrt", "direct"}, default "auto"
        "gram": Cholesky of A^H A, refined to full accuracy; up to a condition of 2 / sqrt(u), 2e8
        in float64, and given up for "spir" where a test with the data says that rounding has
        changed its smallest directions. "spir": sketch, then conjugate gradients in two rounds
        [1]_; for any condition. "fossils": the same with the heavy-ball iteration [1]_. "cqrrt":
        Cholesky QR of the preconditioned data [2]_; for many right-hand sides. "direct": QR of A.
        "auto" chooses by predicted time among those that a look at the data says are safe;
        `plan_lstsq` shows how.
    weights : array of shape (m,), optional
        Non-negative: minimise ``sum(weights * abs(A @ x - b)**2)``.
    ridge : float or array of shape (n,), default 0
        Non-negative: add ``sum(ridge * abs(x)**2)``.
    rcond : float, optional
        Singular values of the equilibrated A below ``rcond`` times the largest count as zero; if
        n > m those of A itself, or of its sketch for "spir", which are within a factor of 3. The
        default is u * max(30, n), u the unit roundoff of the dtype of A.
    tol : float, optional
        Backward error to reach. By default the unit roundoff u is aimed at, and 10 u is enough.
    callback : callable, optional
        ``callback(state)`` after each refinement round, with the backward error as
        ``state.error``; returning true stops.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the sketch comes from.

    Returns
    -------
    LstsqResult
        With fields x, residual_norm, rank, status and info. x has the dtype of A (float64 for
        integers).

    Raises
    ------
    ValueError
        If shapes do not fit, A has no rows or columns, an entry is not finite, weights or ridge
        are negative, the method cannot do the problem, or the result is beyond the largest number
        of its dtype.
    TypeError
        If A and b are of different array libraries or devices, or are not numbers.

    Warns
    -----
    ConvergenceWarning
        If the backward error stayed above the tolerance.

    See Also
    --------
    sketch_and_solve : a quick answer with error bars, from a sketch alone.
    ridge_path : many ridges at once.
    StreamingLstsq : data that arrive in blocks.

    Notes
    -----
    Every method but "auto" makes a preconditioner P with A P nearly orthonormal and a first
    solution, then refines: x += P y with P^H A^H A P y = P^H A^H (b - A x), until the backward
    error of Karlson and Walden, evaluated with the singular values that P was made from, is at
    most ``tol``. Two rounds make the answer backward stable [1]_.

    Cost in flops and passes over A: gram m n**2 and about 6 passes; spir 8 nnz(A),
    (2 k + 15) n**3 and 20 to 50 passes, with k n rows of the sketch, k from 4 to 32 where the two
    balance; cqrrt 3 m n**2 and 6 passes; direct 2 m n**2.

    If n > m, or the rank is less than n, x is the solution of least norm.

    References
    ----------
    .. [1] E. N. Epperly, M. Meier and Y. Nakatsukasa, "Fast randomized least-squares solvers can
       be just as accurate and stable as classical direct solvers", arXiv:2406.03468.
    .. [2] O. Balabanov, "Randomized Cholesky QR factorizations", arXiv:2210.09953.

    Examples
    --------
    >>> import numpy as np
    >>> import lrla
    >>> A = np.random.default_rng(7).standard_normal((2000, 20))
    >>> result = lrla.lstsq(A, A @ np.ones(20), rng=7)
    >>> bool(np.allclose(result.x, 1)), result.rank, result.info.backward_error < 1e-15
    (True, 20, True)
    """
    start = time.perf_counter()
    asked = look(A, b, weights, ridge)
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    if rcond is not None and not 0 < rcond < 1:
        raise ValueError(f"rcond must be between 0 and 1, got {rcond}")
    goal, enough = goals(tol, asked.problem.u)
    seed = seed_of(rng)
    rcond = asked.problem.rcond if rcond is None else rcond
    rounds = ROUNDS if asked.problem.m >= asked.problem.n else WIDE_ROUNDS
    loop = _Rounds("lstsq", max_iter=rounds, callback=callback)
    with np.errstate(over="ignore", invalid="ignore"):  # a guard looks for what this hides
        try:
            loop.asked = asked
            plan, solution = _solve(asked.problem, method, goal, rcond, loop, seed)
        except OutOfRangeError:
            loop.asked = asked = asked.tamed()
            plan, solution = _solve(asked.problem, method, goal, rcond, loop, seed)
        x, left = asked.coefficients(solution.X), asked.norms(solution.squares**0.5)
    space = asked.problem.space
    check_range(space, x=x, residual_norm=left)
    xp = space.xp
    worst = float(xp.max(solution.error)) if solution.error.shape[0] else 0.0
    status = settled(loop, worst, enough)
    info = Info(
        backward_error=worst,
        condition=solution.factor.condition,
        method=plan.method,
        reason=plan.reason,
        predicted_seconds=plan.seconds,
        seed=seed,
        sketch=solution.sketch,
        passes=asked.problem.passes,
        iterations=len(loop.history) - 1,
        history=tuple(loop.history),
        seconds=time.perf_counter() - start,
    )
    return LstsqResult(x, left, solution.factor.rank, status, info)


def plan_lstsq(A: Any, b: Any, *, weights: Any = None, ridge: Any = 0.0) -> Plan:
    """Say which method `lstsq` would choose, why, and how long each is predicted to take.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data.
    b : array of shape (m,) or (m, p)
        Right-hand sides.
    weights : array of shape (m,), optional
        As for `lstsq`.
    ridge : float or array of shape (n,), default 0
        As for `lstsq`.

    Returns
    -------
    Plan
        With fields method, reason and seconds. Seconds are for one core of a current server; their
        ratios are what the choice rests on.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.regression import plan_lstsq
    >>> plan_lstsq(np.random.default_rng(7).standard_normal((30_000, 30)), np.ones(30_000)).method
    'gram'
    """
    problem = look(A, b, weights, ridge).problem
    return choose(problem) if problem.m >= problem.n else _wide_plan(problem)


class _Rounds(Loop):
    """A loop whose states show iterates as the caller will get them."""

    asked: Question

    def report(self, error: float, x: Any = None) -> float:
        return super().report(error, self.asked.coefficients(x))


def _wide_plan(problem: Problem) -> Plan:
    if problem.ridge is not None and not _even(problem):
        return Plan(
            "direct", "A has more columns than rows, and the ridge differs between them", {}
        )
    small = problem.op.kind != "operator" and problem.n < 4 * problem.m
    return Plan(
        "direct" if small else "spir",
        "A has more columns than rows: the solution of least norm",
        predict(problem),
    )


def _even(problem: Problem) -> bool:
    """Tell whether the ridge is one multiple of the identity."""
    xp = problem.space.xp
    return problem.ridge is not None and bool(xp.all(problem.ridge == problem.ridge[0, 0]))


def _solve(
    problem: Problem, method: str, tol: float, rcond: float, loop: Loop, seed: int
) -> tuple[Plan, _methods.Solution]:
    wide = problem.n > problem.m
    if method == "auto":
        plan = _wide_plan(problem) if wide else choose(problem)
    else:
        plan = Plan(method, "asked for", predict(problem))
    if wide and plan.method not in ("direct", "spir"):
        raise ValueError(
            f"method must be 'auto', 'direct' or 'spir' when A has more columns than rows, got "
            f"{method!r}"
        )
    if problem.op.kind == "operator" and plan.method in ("gram", "cqrrt"):
        raise ValueError(
            f"method {plan.method!r} needs the entries of A, got a linear operator; use 'spir'"
        )
    if wide and (problem.ridge is None or _even(problem)):
        sketch = plan.method == "spir"
        return plan, least_norm(problem, tol, loop, seed=seed, rcond=rcond, sketch=sketch)
    if plan.method == "gram":
        solution = _methods.gram(problem, tol, loop, rcond)
        if solution is not None:
            return plan, solution
        plan = Plan("spir", f"{plan.reason}; but its Gram matrix has lost digits", plan.seconds)
    if plan.method == "direct":
        return plan, _methods.direct(problem, tol, loop, rcond)
    make = _methods.sketcher(problem, seed)
    return plan, getattr(_methods, plan.method)(problem, tol, loop, make, rcond)
