"""Stationary methods: sweeps until the true residual is small enough."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lrla._core.arrays import unit_roundoff
from lrla._core.docs import described
from lrla._core.iteration import Callback, Loop
from lrla._core.results import Status
from lrla.relaxation._adaptive import Adaptive
from lrla.relaxation._plan import check_omega
from lrla.relaxation._problem import (
    SHARED,
    Course,
    Limits,
    Problem,
    announce,
    check_limits,
    pose,
)
from lrla.relaxation._result import SolveResult
from lrla.relaxation._sweeper import Sweeper
from lrla.relaxation._system import read

SWEEPS = ("forward", "backward", "symmetric")
_ASTRAY = 100  # growth of the residual that says that an adaptive factor is not for this matrix


def sweep_until(
    name: str,
    problem: Problem,
    sweeper: Sweeper,
    *,
    direction: str,
    adaptive: Adaptive | None = None,
    max_iter: int = 10_000,
    check_every: int = 10,
    callback: Callback | None = None,
) -> SolveResult:
    """Sweep until the residual is small; the unchecked body of all stationary methods."""
    loop = Loop(name, max_iter=max_iter, callback=callback)
    course = Course(problem, loop)
    x = sweeper.turns.enter(problem.x0)
    rhs = sweeper.rhs(problem.b)
    u = unit_roundoff(problem.op.space.xp, problem.op.real_dtype)
    chunk, done, kept, heights = 1, 0, x, [course.first]
    with loop.interruptible():
        for _ in loop:
            steps = sweeper.run(x, rhs, min(chunk, max_iter - done), direction)
            done += int(steps.shape[0])
            loop.iteration = done
            moves = [math.sqrt(float(s)) for s in steps]
            here = sweeper.turns.leave(x)
            sizes = problem.sizes(problem.residual(here))
            if adaptive is not None and not sizes.max(initial=0) <= _ASTRAY * min(heights):
                adaptive, x = None, kept  # not a factor for this matrix: back, with 1
                sweeper.change(1.0)
                rhs, here = sweeper.rhs(problem.b), sweeper.turns.leave(x)
                sizes = problem.sizes(problem.residual(here))
            heights.append(float(sizes.max(initial=0)))
            course.check(sizes, here * problem.unit)
            course.matvecs = done * (2 if direction == "symmetric" else 1) + len(course.checks)
            if moves[-1] <= 4 * u * float(np.linalg.norm(problem.sizes(here))):
                loop.stop(Status.STAGNATED)
            better = None if adaptive is None else adaptive.react(moves, sweeper.omega)
            if better is not None:
                kept = problem.op.space.xp.asarray(x, copy=True)
                sweeper.change(better)
                rhs = sweeper.rhs(problem.b)
            chunk = _next(course, check_every)
    return course.answer(name, sweeper.turns.leave(x), omega=sweeper.omega)


def _next(course: Course, most: int) -> int:
    """Predict after how many sweeps the tolerance is met: that is when to look next."""
    rate = course.rate
    if not 0 < rate < 1 or not math.isfinite(course.excess) or course.excess == 0:
        return most
    return max(1, min(most, math.ceil(-math.log(course.excess) / math.log(rate))))


@described(**SHARED)
def sor(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    omega: Any = "adaptive",
    sweep: str = "forward",
    order: Any = "natural",
    blocks: Any = None,
    diag_shift: float = 0.0,
    rtol: float = 1e-5,
    atol: float = 0.0,
    max_iter: int = 10_000,
    check_every: int = 10,
    callback: Callback | None = None,
) -> SolveResult:
    """Solve ``A @ x = b`` by successive over-relaxation.

    Parameters
    ----------
    {system}
    omega : float or "adaptive", default "adaptive"
        Relaxation factor, between 0 and 2. "adaptive" starts with 1 and raises it by Young's
        formula, from the rate at which steps shrink [2]_.
    sweep : {"forward", "backward", "symmetric"}, default "forward"
        Direction of the sweeps; a symmetric one goes there and back.
    {places}
    {limits}

    Raises
    ------
    ValueError
        If shapes do not fit, an entry is not finite, or a parameter is out of range.
    LinAlgError
        If a diagonal entry, or block, is zero or singular; the message says which.
    TypeError
        If A is a linear operator, or A and b are of different array libraries.

    {warns}

    See Also
    --------
    ssor_pcg : the same sweeps as a preconditioner of conjugate gradients, many times as fast for
        Hermitian positive definite matrices.
    SweepPlan : sweeps without a stopping rule.

    Notes
    -----
    Converges for all omega between 0 and 2 if A is Hermitian positive definite (Ostrowski and
    Reich). Other matrices may diverge; that is noticed, and said.

    For a consistently ordered A with Jacobi radius beta, the best omega is ``1 + (beta / (1 +
    sqrt(1 - beta**2)))**2``, and the error then falls by omega - 1 a sweep [1]_. For others, the
    adaptive factor is a heuristic; where the residual grows a hundredfold, it goes back to 1 and
    stays there.

    Cost: 2 nnz(A) flops a sweep, as much as a product with A.

    References
    ----------
    .. [1] D. M. Young, "Iterative Solution of Large Linear Systems", Academic Press, 1971.
    .. [2] L. A. Hageman and D. M. Young, "Applied Iterative Methods", Academic Press, 1981, ch. 9.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.relaxation import sor
    >>> A = 2 * np.eye(50) - np.eye(50, k=1) - np.eye(50, k=-1)
    >>> x, code = sor(A, np.ones(50), rtol=1e-8)
    >>> code, bool(np.allclose(A @ x, 1))
    (0, True)
    """
    if sweep not in SWEEPS:
        raise ValueError(f"sweep must be one of {', '.join(SWEEPS)}, got {sweep!r}")
    adaptive = Adaptive() if isinstance(omega, str) and omega == "adaptive" else None
    if adaptive is None and isinstance(omega, str):
        raise ValueError(f"omega must be a number or 'adaptive', got {omega!r}")
    if adaptive is not None and sweep == "symmetric":
        raise ValueError(
            "omega must be a number for symmetric sweeps, got 'adaptive': no formula is known that "
            "makes the best one from their rate"
        )
    start = 1.0 if adaptive is not None else omega
    limits = Limits(rtol, atol, max_iter, check_every, callback)
    return _solved("SOR", sweep, A, b, x0, start, order, blocks, diag_shift, limits, adaptive)


@described(**SHARED)
def ssor(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    omega: float = 1.0,
    order: Any = "natural",
    blocks: Any = None,
    diag_shift: float = 0.0,
    rtol: float = 1e-5,
    atol: float = 0.0,
    max_iter: int = 10_000,
    check_every: int = 10,
    callback: Callback | None = None,
) -> SolveResult:
    """Solve ``A @ x = b`` by symmetric successive over-relaxation: each sweep there and back.

    Parameters
    ----------
    {system}
    omega : float, default 1
        Relaxation factor, between 0 and 2.
    {places}
    {limits}

    See Also
    --------
    ssor_pcg : the same iteration accelerated by conjugate gradients: many times as fast.

    Notes
    -----
    Errors, whether raised or warned of, are those of `sor`. 4 nnz(A) flops an iteration. For
    Hermitian positive definite A the iteration matrix has real eigenvalues in [0, 1), so that
    nothing oscillates.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.relaxation import ssor
    >>> A = 2 * np.eye(50) - np.eye(50, k=1) - np.eye(50, k=-1)
    >>> bool(ssor(A, np.ones(50), omega=1.9))
    True
    """
    limits = Limits(rtol, atol, max_iter, check_every, callback)
    return _solved("SSOR", "symmetric", A, b, x0, omega, order, blocks, diag_shift, limits)


@described(**SHARED)
def gauss_seidel(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    sweep: str = "forward",
    order: Any = "natural",
    blocks: Any = None,
    diag_shift: float = 0.0,
    rtol: float = 1e-5,
    atol: float = 0.0,
    max_iter: int = 10_000,
    check_every: int = 10,
    callback: Callback | None = None,
) -> SolveResult:
    """Solve ``A @ x = b`` by the iteration of Gauss and Seidel: `sor` with ``omega=1``.

    Parameters
    ----------
    {system}
    sweep : {"forward", "backward", "symmetric"}, default "forward"
        Direction of the sweeps.
    {places}
    {limits}

    Notes
    -----
    Errors, whether raised or warned of, are those of `sor`. Converges for Hermitian positive
    definite and for strictly diagonally dominant matrices.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.relaxation import gauss_seidel
    >>> gauss_seidel(np.array([[4.0, 1], [2, 5]]), np.array([5.0, 7]), rtol=1e-8).x.round(6)
    array([1., 1.])
    """
    if sweep not in SWEEPS:
        raise ValueError(f"sweep must be one of {', '.join(SWEEPS)}, got {sweep!r}")
    limits = Limits(rtol, atol, max_iter, check_every, callback)
    return _solved("Gauss-Seidel", sweep, A, b, x0, 1.0, order, blocks, diag_shift, limits)


@described(**SHARED)
def jacobi(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    omega: float = 1.0,
    blocks: Any = None,
    diag_shift: float = 0.0,
    rtol: float = 1e-5,
    atol: float = 0.0,
    max_iter: int = 10_000,
    check_every: int = 10,
    callback: Callback | None = None,
) -> SolveResult:
    """Solve ``A @ x = b`` by the iteration of Jacobi: all unknowns at once.

    Parameters
    ----------
    {system}
    omega : float, default 1
        Damping factor: ``x += omega * inv(D) @ (b - A @ x)``.
    blocks : int or list of arrays of int, optional
        As for `SweepPlan`.
    diag_shift : float, default 0
        As for `SweepPlan`.
    {limits}

    Notes
    -----
    Errors, whether raised or warned of, are those of `sor`. Converges for strictly diagonally
    dominant matrices; for Hermitian positive definite A if and only if 2 D / omega - A is positive
    definite, too.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.relaxation import jacobi
    >>> jacobi(np.array([[4.0, 1], [2, 5]]), np.array([5.0, 7]), rtol=1e-8).x.round(6)
    array([1., 1.])
    """
    limits = Limits(rtol, atol, max_iter, check_every, callback)
    return _solved("Jacobi", "jacobi", A, b, x0, omega, "natural", blocks, diag_shift, limits)


def _solved(
    name: str,
    direction: str,
    A: Any,
    b: Any,
    x0: Any,
    omega: Any,
    order: Any,
    blocks: Any,
    diag_shift: float,
    limits: Limits,
    adaptive: Adaptive | None = None,
) -> SolveResult:
    """Look at the arguments, sweep, and warn if that did not do."""
    omega = check_omega(omega)
    check_limits(limits.max_iter, limits.check_every)
    system = read(A)
    problem = pose(system.op, b, x0, limits.rtol, limits.atol)
    sweeper = Sweeper(system.astype(problem.b.dtype), omega, order, blocks, diag_shift)
    return announce(
        sweep_until(
            name,
            problem,
            sweeper,
            direction=direction,
            adaptive=adaptive,
            max_iter=limits.max_iter,
            check_every=limits.check_every,
            callback=limits.callback,
        )
    )
