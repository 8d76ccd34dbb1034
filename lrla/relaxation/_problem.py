"""One system with its right-hand sides, its tolerance and its start, in units of moderate size."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.arrays import Array, as_array, check_finite, is_complex, space_of
from lrla._core.errors import ConvergenceWarning, warn
from lrla._core.iteration import Callback, Loop
from lrla._core.linalg import norm
from lrla._core.operators import Operator
from lrla._core.results import Info, Status
from lrla.relaxation._result import SolveResult
from lrla.relaxation._system import right_hand_side

SHARED = {  # what the docstrings of all solvers say
    "system": """
        A : array of shape (n, n) or sparse matrix
            The matrix; never changed.
        b : array of shape (n,) or (n, p)
            Right-hand sides.
        x0 : array of the shape of b, optional
            Where to start; zero by default.
        """,
    "definite": """
        A : array of shape (n, n) or sparse matrix
            Hermitian positive definite; never changed.
        b : array of shape (n,) or (n, p)
            Right-hand sides.
        x0 : array of the shape of b, optional
            Where to start; zero by default.
        """,
    "places": """
        order : {"natural", "multicolor", "redblack"} or array of shape (n,), default "natural"
            Which unknown is moved when, as for `SweepPlan`.
        blocks : int or list of arrays of int, optional
            Unknowns that are moved together, as for `SweepPlan`.
        diag_shift : float, default 0
            What is added to the diagonal entries that rows are divided by, as for `SweepPlan`.
        """,
    "limits": """
        rtol, atol : float, default 1e-5 and 0
            The iteration ends when ``norm(b - A @ x) <= max(rtol * norm(b), atol)``, for each
            right-hand side.
        max_iter : int, default 10000
            Largest number of sweeps.
        check_every : int, default 10
            Largest number of sweeps between two looks at the true residual, which costs as much as
            a sweep. There is one after the first sweep, and when the tolerance is expected to be
            met. 1 makes ``info.iterations`` exact.
        callback : callable, optional
            ``callback(state)`` at each such look, with the residual norm as ``state.error``, for
            the worst right-hand side; returning true stops. It does not change the iterates.

        Returns
        -------
        SolveResult
            With fields x, residual_norm, status and info; ``x, code = result`` as in SciPy.
        """,
    "result": """
        Returns
        -------
        SolveResult
            With fields x, residual_norm, status and info; ``x, code = result`` as in SciPy.
        """,
    "tolerance": """
        rtol, atol : float, default 1e-5 and 0
            The iteration ends when ``norm(b - A @ x) <= max(rtol * norm(b), atol)``, for each
            right-hand side.
        max_iter : int, optional
            Largest number of iterations, 10 n by default.
        """,
    "refuses": """
        Raises
        ------
        ValueError
            If shapes do not fit, an entry is not finite, A is not Hermitian, or a parameter is out
            of range.
        LinAlgError
            If a diagonal entry is not positive; the message says which.
        """,
    "warns": """
        Warns
        -----
        ConvergenceWarning
            If the tolerance was not met; the status says why.
        """,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """When a solver ends, and who looks on.

    Parameters
    ----------
    rtol, atol, max_iter, check_every, callback
        As for `sor`.
    """

    rtol: float
    atol: float
    max_iter: int
    check_every: int
    callback: Callback | None


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Right-hand sides divided by a power of two, so that their squares stay in range.

    Parameters
    ----------
    op : Operator
        The matrix, of the dtype of the answer.
    b : array of shape (m,) or (m, p)
        Right-hand sides over ``unit``.
    x0 : array of shape (n,) or (n, p)
        Where to start, over ``unit``; an array of its own.
    target : NumPy array of shape (p,) or (1,)
        Residual norms to reach, over ``unit``.
    unit : float
        Power of two.
    """

    op: Operator
    b: Array
    x0: Array
    target: Any
    unit: float

    def residual(self, x: Array) -> Array:
        """Return ``b - A x``."""
        if self.b.ndim == 1 and self.op.kind == "operator":
            return self.b - self.op.matmat(x[:, None])[:, 0]
        return self.b - self.op.matmat(x)

    def sizes(self, r: Array) -> np.ndarray[Any, Any]:
        """Return norms of residuals, one for each right-hand side, on the host."""
        xp = self.op.space.xp
        with np.errstate(over="ignore", invalid="ignore"):
            square = xp.real(r * xp.conj(r)) if is_complex(r) else r * r
            return numbers(xp.sqrt(xp.sum(xp.astype(square, xp.float64, copy=False), axis=0)))

    def excess(self, sizes: np.ndarray[Any, Any]) -> float:
        """Return how many times a residual is larger than its target, at worst."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(sizes <= self.target, 0.0, sizes / self.target)
        return float(np.max(ratio, initial=0.0))


def pose(
    op: Operator, b: Any, x0: Any, rtol: float, atol: float, *, single: bool = False
) -> Problem:
    """Check right-hand side, start and tolerances, and bring them to a common dtype."""
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} must be finite and not negative, got {value}")
    b = right_hand_side(b, op)
    if single and b.ndim != 1:
        raise ValueError(
            f"b must have 1 dimension, got shape {tuple(b.shape)}; solve for one column at a time"
        )
    space = op.space
    xp = space.xp
    start = None if x0 is None else _start(x0, op, tuple(b.shape[1:]))
    dtype = xp.result_type(op.dtype, b.dtype, *(() if start is None else (start.dtype,)))
    peak = float(xp.max(xp.abs(b))) if 0 not in b.shape else 0.0
    unit = 1.0
    if peak and not 1e-30 < peak < 1e30:
        unit = 2.0 ** math.floor(math.log2(peak))
    b = xp.astype(b, dtype, copy=False) / unit
    if start is None:
        start = space.zeros((op.shape[1], *b.shape[1:]), dtype)
    start = xp.astype(start, dtype, copy=False) / unit
    columns = [norm(b)] if b.ndim == 1 else [float(v) for v in norm(b, axis=0)]
    target = np.maximum(rtol * np.asarray(columns, float), atol / unit)
    return Problem(_cast(op, dtype), b, start, target, unit)


def _start(x0: Any, op: Operator, columns: tuple[int, ...]) -> Array:
    """Check where to start."""
    x0 = as_array(x0, "x0", ndim=(1, 2))
    space_of(x0, op.space.zeros((0,), op.dtype))
    if tuple(x0.shape) != (op.shape[1], *columns):
        raise ValueError(
            "x0 must have as many rows as A has columns, and as many columns as b, got shape "
            f"{tuple(x0.shape)} instead of {(op.shape[1], *columns)}"
        )
    check_finite(x0, "x0")
    return x0


def _cast(op: Operator, dtype: Any) -> Operator:
    if op.dtype == dtype or op.kind == "operator":
        return Operator(op.A, op.kind, op.space, dtype)
    A = op.space.xp.astype(op.A, dtype) if op.kind == "dense" else op.A.astype(dtype)
    return Operator(A, op.kind, op.space, dtype)


def numbers(values: Array) -> np.ndarray[Any, Any]:
    """Bring what was summed over rows, one number or one for each column, to the host."""
    if isinstance(values, np.ndarray | np.generic):
        return np.atleast_1d(values)
    kind = complex if is_complex(values) else float
    return np.asarray([kind(v) for v in ([values] if values.ndim == 0 else values)], kind)


class Course:
    """The way of one solver: when residuals were computed, what they were, and how it ended.

    ``residual`` is that of the start.
    """

    def __init__(self, problem: Problem, loop: Loop) -> None:
        self.problem, self.loop = problem, loop
        self.start = time.perf_counter()
        self.checks: list[int] = [0]
        self.matvecs = 1
        self.residual = problem.residual(problem.x0)
        self.sizes = problem.sizes(self.residual)
        self.first = self.best = float(np.max(self.sizes, initial=0.0))
        self.history = [self.first * problem.unit]
        self.excess = problem.excess(self.sizes)
        if self.excess == 0:
            loop.stop(Status.CONVERGED)

    def check(self, sizes: np.ndarray[Any, Any], x: Array) -> float:
        """Record true residual norms after an iteration; return how far they are from the goal."""
        worst = float(np.max(sizes, initial=0.0))
        self.sizes, self.excess = sizes, self.problem.excess(sizes)
        self.history.append(worst * self.problem.unit)
        self.checks.append(self.loop.iteration)
        if self.excess == 0:
            self.loop.stop(Status.CONVERGED)
        elif not worst <= 1e5 * self.first:  # NaN, too
            self.loop.stop(Status.DIVERGED)
        self.loop.report(worst * self.problem.unit, x)
        return self.excess

    @property
    def rate(self) -> float:
        """By what factor an iteration reduced the residual, between the last two checks."""
        if len(self.history) < 2 or not self.history[-2] > 0:
            return math.nan
        sweeps = self.checks[-1] - self.checks[-2]
        return float((self.history[-1] / self.history[-2]) ** (1 / max(sweeps, 1)))

    def answer(self, method: str, x: Array, **measured: Any) -> SolveResult:
        """Make the result."""
        status = Status.MAX_ITER if self.loop.status is None else self.loop.status
        sizes = self.sizes * self.problem.unit
        info = Info(
            method=method,
            iterations=self.loop.iteration,
            history=tuple(self.history),
            checks=tuple(self.checks),
            rate=self.rate,
            matvecs=self.matvecs,
            **measured,
            seconds=time.perf_counter() - self.start,
        )
        space = self.problem.op.space
        norms: Any = float(sizes[0]) if x.ndim == 1 else space.asarray(sizes, space.xp.float64)
        return SolveResult(x * self.problem.unit, norms, status, info)


def announce(result: SolveResult) -> SolveResult:
    """Warn if a solver did not reach its tolerance, and was not told to stop."""
    if not result.status and result.status is not Status.STOPPED:
        worst: Sequence[float] = result.info.history
        warn(
            f"{result.info.method} stopped after {result.info.iterations} iterations with a "
            f"residual norm of {worst[-1]:.2e}: {result.status.value}",
            ConvergenceWarning,
        )
    return result


def check_limits(max_iter: int | None, check_every: int) -> None:
    """Refuse limits that cannot be kept."""
    if max_iter is not None and max_iter < 0:
        raise ValueError(f"max_iter must not be negative, got {max_iter}")
    if check_every < 1:
        raise ValueError(f"check_every must be at least 1, got {check_every}")
