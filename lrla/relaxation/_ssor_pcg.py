"""Conjugate gradients preconditioned by SSOR, with Eisenstat's trick."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lrla._core.arrays import Array, adjoint, is_complex, space_of, unit_roundoff
from lrla._core.iteration import Callback, Loop
from lrla._core.linalg import norm
from lrla._core.random import Domain, key_of, tag
from lrla._core.results import Status
from lrla.kernels.philox import normal
from lrla.kernels.triangles import (
    axpy_pair,
    diagonal,
    eisenstat_step,
    solve_triangle,
    triangle_product,
    triangles,
)
from lrla.relaxation._plan import check_omega
from lrla.relaxation._problem import Course, Problem, announce, check_limits, pose
from lrla.relaxation._result import SolveResult
from lrla.relaxation._system import System, read
from lrla.relaxation._turns import Turns


class SplitMatrix:
    """A Hermitian matrix, scaled to unit diagonal and split into triangles times omega.

    With ``S = diag(A)**-0.5`` and ``S A S = I + L + L^H``, the SSOR preconditioner is, up to a
    factor, ``S^-1 P P^H S^-1`` with ``P = I + omega L``; conjugate gradients run on ``P^-1 S A S
    P^-H``, which costs two triangular solves and no product with A:
    ``omega P^-1 S A S P^-H p = u + P^-1 (p - (2 - omega) u)`` with ``u = P^-H p``.

    Parameters
    ----------
    system : System
        The matrix.
    omega : float
        Relaxation factor.
    order : str or array of int
        As for `SweepPlan`.
    """

    def __init__(self, system: System, omega: float, order: Any = "natural") -> None:
        self.turns = Turns(system.indices, system.indptr, order, system.space)
        self.change(omega, system)

    def change(self, omega: float, system: System) -> None:
        """Take other entries in the same places, or another relaxation factor."""
        xp = system.space.xp
        rows = self.turns.entries(system.data), *self.turns.structure
        entries = diagonal(*rows)
        real = xp.real(entries) if is_complex(entries) else entries
        self.turns.check_diagonal(real > 0, "positive", "A is not positive definite")
        self.system, self.omega = system, omega
        self.s = xp.astype(1 / xp.sqrt(real), system.data.dtype)
        parts = triangles(*rows, omega * self.s, self.s)
        self.lower, self.upper = parts[:3], parts[3:]

    def forth(self, v: Array) -> Array:
        """Solve with ``P``."""
        return solve_triangle(v, *self.lower, *self.turns.layout, False)

    def back(self, v: Array) -> Array:
        """Solve with ``P^H``."""
        return solve_triangle(v, *self.upper, *self.turns.layout, True)


def conjugate_until(
    problem: Problem,
    split: SplitMatrix,
    *,
    max_iter: int,
    check_every: int = 10,
    callback: Callback | None = None,
) -> SolveResult:
    """Iterate until the true residual is small; the unchecked body of `ssor_pcg`."""
    loop = Loop("SSOR-CG", max_iter=max_iter, callback=callback)
    course = Course(problem, loop)
    run = _Run(problem, split)
    with loop.interruptible():
        for _ in loop:
            if not run.step():
                loop.stop(Status.BREAKDOWN)
                continue
            if run.due(course, check_every):
                size = run.measure()
                course.matvecs += 1
                if problem.excess(size) > 0:
                    course.check(size, run.x() * problem.unit if callback is not None else None)
                    continue
                x = run.x()  # the recursion says so: ask the system itself
                size = problem.sizes(problem.residual(x))
                course.matvecs += 1
                if course.check(size, x * problem.unit) > 0 and not run.restart(x, size):
                    loop.stop(Status.STAGNATED)
    x = run.x()
    course.sizes = problem.sizes(problem.residual(x))
    course.matvecs += 1 + loop.iteration
    return course.answer("SSOR-CG", x, omega=split.omega)


class _Run:
    """Conjugate gradients between the triangles, from one start."""

    def __init__(self, problem: Problem, split: SplitMatrix) -> None:
        self.problem, self.split = problem, split
        self.replaced = math.inf
        self.since = 0
        self.begin(problem.x0)

    def begin(self, x: Array) -> None:
        """Start anew from x."""
        split = self.split
        self.start = x
        residual = split.turns.enter(self.problem.residual(x))
        self.rest = split.forth(residual * split.s)
        xp = split.system.space.xp
        self.z = xp.zeros_like(self.rest)
        self.buffers = tuple(xp.zeros_like(self.rest) for _ in range(3))
        self.rho = float(self.problem.sizes(self.rest)[0]) ** 2
        size = float(self.problem.sizes(residual)[0])
        self.ratio = size / math.sqrt(self.rho) if self.rho > 0 else 1.0
        self.beta = 0.0

    def step(self) -> bool:
        """Do one iteration; False if the curvature is not positive."""
        split = self.split
        p, product, curvature = eisenstat_step(
            self.buffers[0], self.rest, self.beta, *split.lower, *split.upper, 2 - split.omega,
            *split.turns.layout, self.buffers,
        )  # fmt: skip
        curve = float(curvature)
        if not 0 < curve < math.inf:
            return False
        _, _, square = axpy_pair(
            self.z, self.rest, p, product, self.rho / curve, (self.z, self.rest)
        )
        rho = float(square)
        self.beta, self.rho = rho / self.rho, rho
        self.since += 1
        return True

    def due(self, course: Course, check_every: int) -> bool:
        """Tell whether to look at the residual of the system now."""
        target = float(self.problem.target[0])
        return self.since >= check_every or self.ratio * math.sqrt(self.rho) <= 1.2 * target

    def measure(self) -> np.ndarray[Any, Any]:
        """Return the norm of the residual that belongs to the recursion."""
        self.since = 0
        size = self.problem.sizes(triangle_product(self.rest, *self.split.lower) / self.split.s)
        if self.rho > 0:
            self.ratio = float(size[0]) / math.sqrt(self.rho)
        return size

    def x(self) -> Array:
        """Form the iterate."""
        split = self.split
        return self.start + split.turns.leave(split.omega * split.s * split.back(self.z))

    def restart(self, x: Array, size: np.ndarray[Any, Any]) -> bool:
        """Replace a residual that rounding has carried off; False if that no longer helps."""
        if not float(size[0]) <= self.replaced / 2:
            return False
        self.replaced = float(size[0])
        self.begin(x)
        return True


def check_hermitian(system: System) -> None:
    """Refuse a matrix that is not Hermitian, by one product on either side."""
    space, n = system.space, system.n
    xp = space.xp
    u, v = (
        xp.astype(
            normal(space, key_of(1981), tag(Domain.TEST_MATRIX, i), 0, n, 1)[:, 0], system.op.dtype
        )
        for i in range(2)
    )
    Au, Av = (system.op.matmat(w[:, None])[:, 0] for w in (u, v))
    gap = abs(_inner(u, Av) - _inner(Au, v))
    if gap > unit_roundoff(xp, system.op.real_dtype) ** 0.5 * norm(Au) * norm(v):
        raise ValueError(
            "A must be Hermitian, got one for which <u, A v> and <A u, v> differ; use sor, kaczmarz "
            "or a solver of SciPy for others"
        )


def _inner(x: Array, y: Array) -> complex:
    return complex(space_of(x).xp.sum(adjoint(x) * y))


def ssor_pcg(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    omega: float = 1.0,
    order: Any = "natural",
    rtol: float = 1e-5,
    atol: float = 0.0,
    max_iter: int | None = None,
    check_every: int = 10,
    callback: Callback | None = None,
) -> SolveResult:
    """Solve ``A @ x = b`` by conjugate gradients with SSOR preconditioning, in half the work.

    Parameters
    ----------
    A : array of shape (n, n) or sparse matrix
        Hermitian positive definite; never changed.
    b : array of shape (n,)
        Right-hand side.
    x0 : array of shape (n,), optional
        Where to start; zero by default.
    omega : float, default 1
        Relaxation factor of the preconditioner, between 0 and 2.
    order : {"natural", "multicolor", "redblack"} or array of shape (n,), default "natural"
        Which unknown is moved when, as for `SweepPlan`. By colours, one iteration can use several
        threads, and more iterations are needed.
    rtol, atol : float, default 1e-5 and 0
        The iteration ends when ``norm(b - A @ x) <= max(rtol * norm(b), atol)``.
    max_iter : int, optional
        Largest number of iterations, 10 n by default.
    check_every : int, default 10
        Largest number of iterations between two looks at the residual norm, which costs half a
        product with A; there is one whenever the tolerance is expected to be met. 1 makes
        ``info.iterations`` exact.
    callback : callable, optional
        ``callback(state)`` at each such look, with the residual norm as ``state.error``; returning
        true stops. It does not change the iterates.

    Returns
    -------
    SolveResult
        With fields x, residual_norm, status and info; ``x, code = result`` as in SciPy.

    Raises
    ------
    ValueError
        If shapes do not fit, an entry is not finite, A is not Hermitian, or a parameter is out of
        range.
    LinAlgError
        If a diagonal entry is not positive; the message says which.
    TypeError
        If A is a linear operator, or A and b are of different array libraries.

    Warns
    -----
    ConvergenceWarning
        If the tolerance was not met; the status says why.

    Notes
    -----
    The iterates are those of preconditioned conjugate gradients with ``M = omega / (2 - omega) * W
    @ inv(D) @ W^H``, ``W = D / omega + L``. By Eisenstat's trick [1]_ an iteration takes two
    triangular solves, each half a product with A, and no product: 2 nnz(A) + 10 n flops.

    The residual that decides is the true one. Where rounding has carried the recursion away from
    it, the iteration starts again from where it is, as long as that helps.

    References
    ----------
    .. [1] S. C. Eisenstat, "Efficient implementation of a class of preconditioned conjugate
       gradient methods", SIAM J. Sci. Stat. Comput. 2 (1981) 1-4.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.relaxation import ssor_pcg
    >>> A = 2 * np.eye(50) - np.eye(50, k=1) - np.eye(50, k=-1)
    >>> result = ssor_pcg(A, np.ones(50), omega=1.8, rtol=1e-10)
    >>> result.status.name, bool(np.allclose(A @ result.x, 1))
    ('CONVERGED', True)
    """
    omega = check_omega(omega)
    check_limits(max_iter, check_every)
    system = read(A)
    problem = pose(system.op, b, x0, rtol, atol, single=True)
    check_hermitian(system)
    split = SplitMatrix(system.astype(problem.b.dtype), omega, order)
    limit = 10 * system.n if max_iter is None else max_iter
    return announce(
        conjugate_until(problem, split, max_iter=limit, check_every=check_every, callback=callback)
    )
