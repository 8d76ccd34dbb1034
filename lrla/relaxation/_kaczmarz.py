"""`kaczmarz`: systems of any shape, one equation at a time."""

from __future__ import annotations

import math
from typing import Any

from lrla._core.arrays import is_complex
from lrla._core.iteration import Callback, Loop
from lrla._core.linalg import norm
from lrla._core.operators import as_operator
from lrla._core.random import seed_of
from lrla._core.results import Status
from lrla.relaxation._plan import check_omega
from lrla.relaxation._problem import Course, Problem, announce, check_limits, pose
from lrla.relaxation._projections import PASSES, Rows
from lrla.relaxation._result import SolveResult
from lrla.relaxation._system import with_rows

METHODS = (*PASSES, "cgmn")


def kaczmarz(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    method: str = "cgmn",
    omega: float = 1.0,
    block_size: int = 32,
    n_candidates: int = 16,
    rtol: float = 1e-5,
    atol: float = 0.0,
    max_iter: int = 10_000,
    check_every: int = 10,
    callback: Callback | None = None,
    rng: Any = None,
) -> SolveResult:
    """Solve ``A @ x = b``, for A of any shape, by projections onto its equations.

    Parameters
    ----------
    A : array of shape (m, n) or sparse matrix
        The matrix; never changed.
    b : array of shape (m,)
        Right-hand side.
    x0 : array of shape (n,), optional
        Where to start; zero by default. Of the solutions, the one next to it is found.
    method : str, default "cgmn"
        Which equation has its turn: "cyclic", one after the other; "symmetric", there and back;
        "random", with probability proportional to the squared norm of its row [1]_; "greedy", the
        one that is farthest off among ``n_candidates`` that are drawn like that; "block", groups of
        ``block_size`` consecutive ones together; "extended", random, with columns in turn, for
        least squares [2]_. "cgmn" accelerates "symmetric" by conjugate gradients [3]_.
    omega : float, default 1
        Relaxation factor, between 0 and 2.
    block_size : int, default 32
        Number of equations in a block.
    n_candidates : int, default 16
        Number of equations that "greedy" compares.
    rtol, atol : float, default 1e-5 and 0
        The iteration ends when ``norm(b - A @ x) <= max(rtol * norm(b), atol)``; with "extended"
        also when ``norm(A^H @ (b - A @ x)) <= rtol * norm(A) * norm(b - A @ x)``, with the
        Frobenius norm of A.
    max_iter : int, default 10000
        Largest number of passes: of m projections, 2 m for "symmetric" and "cgmn".
    check_every : int, default 10
        Number of passes between two looks at the residual; "cgmn" looks at it each time.
    callback : callable, optional
        ``callback(state)`` at each such look, with the residual norm as ``state.error``; returning
        true stops.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of "random", "greedy" and "extended" comes from.

    Returns
    -------
    SolveResult
        With fields x, residual_norm, status and info; ``info.seed`` as ``rng`` repeats the call.

    Raises
    ------
    ValueError
        If shapes do not fit, an entry is not finite, a parameter is out of range, or a row of zeros
        has a right-hand side that is not zero.
    TypeError
        If A is a linear operator, or A and b are of different array libraries.

    Warns
    -----
    ConvergenceWarning
        If the tolerance was not met, as for a system without a solution; the status says why.

    See Also
    --------
    lrla.regression.lstsq : for systems much taller than wide.

    Notes
    -----
    A projection is ``x += omega * (b_i - <a_i, x>) / norm(a_i)**2 * conj(a_i)``; the iterates stay
    in the row space of A shifted by x0. It is Gauss-Seidel for ``A @ A^H @ y = b`` with ``x = A^H @
    y``.

    For consistent systems and omega = 1, "random" has ``E norm(x_k - x)**2 <= (1 - s**2 /
    norm(A)**2)**k norm(x_0 - x)**2`` after k projections, with s the least singular value that is
    not zero and the Frobenius norm of A ([1]_, theorem 2).

    Cost: 4 nnz(A) flops a pass; "greedy" n_candidates times as many.

    References
    ----------
    .. [1] T. Strohmer and R. Vershynin, "A randomized Kaczmarz algorithm with exponential
       convergence", J. Fourier Anal. Appl. 15 (2009) 262-278.
    .. [2] A. Zouzias and N. M. Freris, "Randomized extended Kaczmarz for solving least squares",
       SIAM J. Matrix Anal. Appl. 34 (2013) 773-793.
    .. [3] A. Bjorck and T. Elfving, "Accelerated projection methods for computing pseudoinverse
       solutions of systems of linear equations", BIT 19 (1979) 145-163.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.relaxation import kaczmarz
    >>> A = np.array([[1.0, 2, 0], [0, 1, 1]])
    >>> result = kaczmarz(A, np.array([5.0, 3]), rtol=1e-10)
    >>> bool(np.allclose(result.x, np.linalg.pinv(A) @ [5, 3]))
    True
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    omega = check_omega(omega)
    check_limits(max_iter, check_every)
    for name, value in (("block_size", block_size), ("n_candidates", n_candidates)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    op = as_operator(A)
    if op.kind not in ("dense", "sparse"):
        raise TypeError(
            f"A must be an array or a sparse matrix, got {type(A).__name__}; projections read "
            "single rows, which a linear operator does not have"
        )
    problem = pose(op, b, x0, rtol, atol, single=True)
    problem.op.check_entries()
    system = with_rows(problem.op)
    rows = Rows(system, problem.b, omega, seed_of(rng), block_size, n_candidates)
    if method == "cgmn":
        return announce(_accelerated(problem, rows, max_iter, callback))
    return announce(_passes(problem, rows, method, rtol, max_iter, check_every, callback))


def _passes(
    problem: Problem,
    rows: Rows,
    method: str,
    rtol: float,
    max_iter: int,
    check_every: int,
    callback: Callback | None,
) -> SolveResult:
    loop = Loop(f"Kaczmarz ({method})", max_iter=max_iter, callback=callback)
    course = Course(problem, loop)
    x = problem.x0
    last = problem.op.space.xp.asarray(x, copy=True)
    u = float(problem.op.space.xp.finfo(problem.op.real_dtype).eps)
    scale = rows.norm
    with loop.interruptible():
        for done in loop:
            x = rows.sweep(x, method, done - 1)
            if done % check_every and done != max_iter:
                continue
            r = problem.residual(x)
            if method == "extended":
                gradient = norm(problem.op.rmatmat(r[:, None]))
                if gradient <= rtol * scale * norm(r):
                    loop.stop(Status.CONVERGED)
            course.check(problem.sizes(r), x * problem.unit)
            if norm(x - last) <= 2 * u * norm(x):  # a limit cycle: the system has no solution
                loop.stop(Status.STAGNATED)
            last = problem.op.space.xp.asarray(x, copy=True)
    course.sizes = problem.sizes(problem.residual(x))
    course.matvecs = len(course.checks) + 2 * loop.iteration
    return course.answer(loop.method, x, omega=rows.omega, seed=rows.seed)


def _accelerated(
    problem: Problem, rows: Rows, max_iter: int, callback: Callback | None
) -> SolveResult:
    """Conjugate gradients for ``x = Q x + c``, the fixed point of a symmetric pass."""
    loop = Loop("CGMN", max_iter=max_iter, callback=callback)
    course = Course(problem, loop)
    x = problem.x0
    xp = problem.op.space.xp
    best = math.inf
    r = rows.sweep(xp.asarray(x, copy=True), "symmetric", 0) - x
    p, rho = r, norm(r) ** 2
    with loop.interruptible():
        for _ in loop:
            product = p - rows.linear(p)
            total = xp.sum(xp.conj(p) * product) if is_complex(p) else xp.sum(p * product)
            curve = float(xp.real(total)) if is_complex(p) else float(total)
            if not 0 < curve < math.inf:
                loop.stop(Status.STAGNATED)
                continue
            x, r = x + (rho / curve) * p, r - (rho / curve) * product
            rho, old = norm(r) ** 2, rho
            p = r + (rho / old) * p
            sizes = problem.sizes(problem.residual(x))
            course.check(sizes, x * problem.unit)
            if loop.iteration % 50 == 0:  # as many iterations, and nothing gained: no solution
                if not float(sizes[0]) < 0.999 * best:
                    loop.stop(Status.STAGNATED)
                best = float(sizes[0])
    course.sizes = problem.sizes(problem.residual(x))
    course.matvecs = len(course.checks) + 4 * loop.iteration
    return course.answer("CGMN", x, omega=rows.omega, seed=rows.seed)
