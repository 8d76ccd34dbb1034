"""Conjugate gradients: plain, preconditioned, flexible, and for several shifts at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lrla._core.arrays import Array, as_array, is_complex, real_dtype, space_of
from lrla._core.docs import described
from lrla._core.iteration import Callback, Loop
from lrla._core.operators import Operator, as_operator
from lrla._core.results import Status
from lrla.kernels.triangles import axpy_pair
from lrla.relaxation._problem import SHARED, Course, Problem, announce, check_limits, numbers, pose
from lrla.relaxation._result import SolveResult

Apply = Callable[[Array], Array]


@described(**SHARED)
def cg(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    M: Any = None,
    memory: int = 1,
    rtol: float = 1e-5,
    atol: float = 0.0,
    max_iter: int | None = None,
    callback: Callback | None = None,
) -> SolveResult:
    """Solve ``A @ x = b`` by conjugate gradients, with any preconditioner, constant or not.

    Parameters
    ----------
    A : array of shape (n, n), sparse matrix or LinearOperator
        Hermitian positive definite; never changed.
    b : array of shape (n,) or (n, p)
        Right-hand sides.
    x0 : array of the shape of b, optional
        Where to start; zero by default.
    M : array of shape (n, n), sparse matrix, LinearOperator or callable, optional
        Approximates the *inverse* of A, as in SciPy; or ``M(r)`` does, for r of the shape of b.
        Hermitian positive definite.
    memory : int, default 1
        To how many earlier directions a new one is made conjugate. 1 is the usual method; more is
        flexible CG [1]_, for an M that changes from call to call, such as an inner iteration.
    {tolerance}
    callback : callable, optional
        ``callback(state)`` after each iteration, with the norm of the recursive residual as
        ``state.error``; returning true stops. It does not change the iterates.

    {result}

    Raises
    ------
    ValueError
        If shapes do not fit, an entry of b is not finite, or a parameter is out of range.
    TypeError
        If the arguments are of different array libraries.

    {warns}

    See Also
    --------
    ssor_pcg : with the SSOR preconditioner, at half the price.

    Notes
    -----
    One product with A and one with M an iteration. When the recursive residual is small enough, the
    true one is computed, and decides; where rounding has carried them apart, the iteration starts
    again from where it is, as long as that helps.

    References
    ----------
    .. [1] Y. Notay, "Flexible conjugate gradients", SIAM J. Sci. Comput. 22 (2000) 1444-1460.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.relaxation import cg, ssor_preconditioner
    >>> A = 2 * np.eye(50) - np.eye(50, k=1) - np.eye(50, k=-1)
    >>> plain = cg(A, np.ones(50), rtol=1e-10)
    >>> better = cg(A, np.ones(50), M=ssor_preconditioner(A, omega=1.8), rtol=1e-10)
    >>> bool(np.allclose(plain.x, better.x)), better.info.iterations < plain.info.iterations
    (True, True)
    """
    check_limits(max_iter, 1)
    if memory < 1:
        raise ValueError(f"memory must be at least 1, got {memory}")
    op = as_operator(A)
    if op.shape[0] != op.shape[1]:
        raise ValueError(f"A must be square, got shape {op.shape}; lrla.lstsq solves other systems")
    problem = pose(op, b, x0, rtol, atol)
    most = 10 * op.shape[0] if max_iter is None else max_iter
    precondition = _preconditioner(M, problem)
    return announce(conjugate("CG", problem, precondition, memory, most, callback))


def _preconditioner(M: Any, problem: Problem) -> Apply | None:
    if M is None:
        return None
    if callable(M) and not hasattr(M, "matmat"):
        return M
    op = as_operator(M, "M")
    if op.shape != problem.op.shape:
        raise ValueError(f"M must have the shape of A, {problem.op.shape}, got {op.shape}")
    return lambda r: multiply(op, r)


def conjugate(
    name: str,
    problem: Problem,
    precondition: Apply | None,
    memory: int,
    max_iter: int,
    callback: Callback | None,
) -> SolveResult:
    """Iterate until the true residual is small; the unchecked body of `cg`."""
    loop = Loop(name, max_iter=max_iter, callback=callback)
    course = Course(problem, loop)
    x = problem.x0
    r = problem.residual(x)
    live, replaced = course.sizes > problem.target, np.full(course.sizes.shape, math.inf)
    sizes = course.sizes
    past: list[tuple[Array, Array, np.ndarray[Any, Any]]] = []
    with loop.interruptible():
        for _ in loop:
            p = r if precondition is None else precondition(r)
            for old, product, curve in past:
                p = p - scalars(inner(product, p) / curve, p) * old
            product = multiply(problem.op, p)
            curve, share = np.real(inner(p, product)), np.real(inner(p, r))
            if not np.all((curve > 0) & (curve < math.inf) & (share > 0) | ~live):
                loop.stop(Status.BREAKDOWN)
                continue
            curve = np.where(live, curve, 1.0)
            step = np.where(live, share / curve, 0.0)
            x, r, square = axpy_pair(x, r, p, product, scalars(step, r), None)
            past = [(p, product, curve), *past[: memory - 1]]
            sizes = np.where(live, np.sqrt(numbers(square)), sizes)
            course.matvecs += 1
            claimed = live & (sizes <= problem.target)
            if np.any(claimed):  # the recursion says so: ask the system itself
                true = problem.residual(x)
                measured, course.matvecs = problem.sizes(true), course.matvecs + 1
                sizes = np.where(claimed, measured, sizes)
                again = claimed & (sizes > problem.target)
                live = live & ~(claimed & ~(again & (sizes <= replaced / 2)))
                replaced = np.where(again, sizes, replaced)
                if np.any(again & live):  # rounding has carried the recursion off: begin anew
                    r = _chosen(again, true, r)
                    past = [(_chosen(again, 0 * old, old), *rest) for old, *rest in past]
                r = _chosen(live, r, 0 * r)  # those that are done rest
            if course.check(sizes, x * problem.unit) > 0 and not np.any(live):
                loop.stop(Status.STAGNATED)
    course.sizes = problem.sizes(problem.residual(x))
    course.matvecs += 1
    return course.answer(name, x)


def multiply(op: Operator, v: Array) -> Array:
    """Multiply with one vector or several."""
    if op.kind in ("dense", "sparse"):
        return op.A @ v
    return op.matmat(v) if v.ndim == 2 else op.matmat(v[:, None])[:, 0]


def inner(x: Array, y: Array) -> np.ndarray[Any, Any]:
    """Return ``x^H y``, one number for each column, on the host."""
    xp = space_of(x).xp
    return numbers(xp.sum((xp.conj(x) if is_complex(x) else x) * y, axis=0))


def _chosen(columns: np.ndarray[Any, Any], one: Array, other: Array) -> Array:
    """Take some columns of one, and the rest of the other."""
    space = space_of(one)
    return space.xp.where(space.asarray(columns, space.xp.bool), one, other)


def scalars(values: np.ndarray[Any, Any], like: Array) -> Any:
    """Bring a number for each column to where these are."""
    if like.ndim == 1:
        return values[0].item()
    space = space_of(like)
    real = real_dtype(space.xp, like.dtype)
    return space.asarray(values, like.dtype if values.dtype.kind == "c" else real)


def multishift_cg(
    A: Any,
    b: Any,
    shifts: Any,
    *,
    rtol: float = 1e-5,
    atol: float = 0.0,
    max_iter: int | None = None,
    callback: Callback | None = None,
) -> SolveResult:
    """Solve ``(A + c * I) @ x = b`` for many shifts c in the iterations that the worst one needs.

    Parameters
    ----------
    A : array of shape (n, n), sparse matrix or LinearOperator
        Hermitian; A plus the smallest shift is positive definite. Never changed.
    b : array of shape (n,)
        Right-hand side.
    shifts : array of shape (k,)
        Real numbers.
    rtol, atol : float, default 1e-5 and 0
        The iteration ends when ``norm(b - (A + c * I) @ x) <= max(rtol * norm(b), atol)`` for all.
    max_iter : int, optional
        Largest number of iterations, 10 n by default.
    callback : callable, optional
        ``callback(state)`` after each iteration, with the largest residual norm as ``state.error``;
        returning true stops.

    Returns
    -------
    SolveResult
        ``x`` has shape (n, k), ``residual_norm`` shape (k,).

    Raises
    ------
    ValueError
        If shapes do not fit, or an entry is not finite.

    Warns
    -----
    ConvergenceWarning
        If a tolerance was not met; the status says why.

    Notes
    -----
    Krylov spaces do not change with shifts, and residuals of all systems stay parallel: those of
    others are multiples, by recursion, of that of the smallest shift [1]_. One product with A an
    iteration, and 4 n k flops. There is no preconditioner, which would destroy this, and no start.

    References
    ----------
    .. [1] B. Jegerlehner, "Krylov space solvers for shifted linear systems", hep-lat/9612014.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.relaxation import multishift_cg
    >>> A = 2 * np.eye(50) - np.eye(50, k=1) - np.eye(50, k=-1)
    >>> X = multishift_cg(A, np.ones(50), [0.1, 1.0, 10.0], rtol=1e-10).x
    >>> bool(np.allclose((A + 10 * np.eye(50)) @ X[:, 2], 1))
    True
    """
    check_limits(max_iter, 1)
    op = as_operator(A)
    if op.shape[0] != op.shape[1]:
        raise ValueError(f"A must be square, got shape {op.shape}")
    problem = pose(op, b, None, rtol, atol, single=True)
    wanted = [float(c) for c in as_array(shifts, "shifts", ndim=(1,))]
    if not all(math.isfinite(c) for c in wanted):
        raise ValueError(f"shifts must be finite, got {wanted}")
    most = 10 * op.shape[0] if max_iter is None else max_iter
    return announce(_shifted(problem, np.asarray(wanted), most, callback))


def _shifted(
    problem: Problem, shifts: np.ndarray[Any, Any], max_iter: int, callback: Callback | None
) -> SolveResult:
    space = problem.op.space
    k = shifts.size
    base = float(np.min(shifts)) if k else 0.0
    extra = shifts - base
    several = Problem(
        problem.op, problem.b[:, None] + space.zeros((problem.op.shape[0], k), problem.b.dtype),
        space.zeros((problem.op.shape[0], k), problem.b.dtype), np.repeat(problem.target, k),
        problem.unit,
    )  # fmt: skip
    loop = Loop("multishift CG", max_iter=max_iter, callback=callback)
    course = Course(several, loop)
    X, r, p = several.x0, problem.b, problem.b
    P = several.b
    zeta, before = np.ones(k), np.ones(k)
    rho, last, ratio = float(np.real(inner(r, r)[0])), 1.0, 0.0
    goal = float(np.min(problem.target))
    real = problem.op.real_dtype
    with loop.interruptible():
        for _ in loop:
            product = multiply(problem.op, p) + base * p
            curve = float(np.real(inner(p, product)[0]))
            if not 0 < curve < math.inf:
                loop.stop(Status.BREAKDOWN)
                continue
            step = rho / curve
            # columns whose residual is far below its target rest, before their zeta underflows
            live = zeta * math.sqrt(rho) > 1e-3 * goal
            down = step * ratio * (before - zeta) + before * last * (1 + extra * step)
            new = np.where(live, zeta * before * last / np.where(live, down, 1.0), zeta)
            X = X + space.asarray(np.where(live, step * new / zeta, 0.0), real)[None, :] * P
            r = r - step * product
            rho, old = float(np.real(inner(r, r)[0])), rho
            share = rho / old
            turn = np.where(live, share * (new / zeta) ** 2, 0.0)
            P = space.asarray(new, real)[None, :] * r[:, None] + space.asarray(turn, real) * P
            p = r + share * p
            before, zeta, last, ratio = np.where(live, zeta, before), new, step, share
            course.matvecs += 1
            sizes = zeta * math.sqrt(rho)
            if several.excess(sizes) == 0:
                sizes = _true_sizes(several, X, shifts, space)
                if several.excess(sizes) > 0:
                    loop.stop(Status.STAGNATED)
            course.check(sizes, X * problem.unit)
    course.sizes = _true_sizes(several, X, shifts, space)
    return course.answer("multishift CG", X, shifts=tuple(shifts))


def _true_sizes(problem: Problem, X: Array, shifts: Any, space: Any) -> np.ndarray[Any, Any]:
    c = space.asarray(shifts, problem.op.real_dtype)
    return problem.sizes(problem.residual(X) - c[None, :] * X)
