"""Conjugate gradients preconditioned by SSOR, with Eisenstat's trick."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lrla._core.arrays import Array, is_complex
from lrla._core.docs import described
from lrla._core.iteration import Callback, Loop
from lrla._core.results import Status
from lrla.kernels.triangles import (
    axpy_pair,
    diagonal,
    eisenstat_step,
    solve_triangle,
    triangle_product,
    triangles,
)
from lrla.relaxation._plan import check_omega
from lrla.relaxation._problem import SHARED, Course, Problem, announce, check_limits, numbers, pose
from lrla.relaxation._result import SolveResult
from lrla.relaxation._system import System, is_hermitian, read
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
    name: str = "SSOR-CG",
    kind: type[Run] | None = None,
    **facts: float,
) -> SolveResult:
    """Iterate until the true residuals are small; the unchecked body of `ssor_pcg`."""
    loop = Loop(name, max_iter=max_iter, callback=callback)
    course = Course(problem, loop)
    run = (kind or Run)(problem, split, course.residual, **facts)
    x: Any = None
    known = -1  # after which iteration x and its true residuals were computed
    with loop.interruptible():
        for _ in loop:
            if not run.step():
                loop.stop(Status.BREAKDOWN)
                continue
            if run.due(check_every):
                sizes = run.measure()
                course.matvecs += 1
                x = None
                if (run.live & (sizes <= problem.target)).any():
                    x = run.x()  # the recursion says so: ask the system itself
                    sizes = problem.sizes(problem.residual(x))
                    course.matvecs += 1
                    known = loop.iteration
                    run.settle(x, sizes)
                elif callback is not None:
                    x = run.x()
                excess = course.check(sizes, None if x is None else x * problem.unit)
                if excess > 0 and not run.live.any():
                    loop.stop(Status.STAGNATED)
    if known != loop.iteration:
        x = run.x()
        course.sizes = problem.sizes(problem.residual(x))
        course.matvecs += 1
    course.matvecs += loop.iteration
    return course.answer(name, x, omega=split.omega, **facts)


class Run:
    """Conjugate gradients between the triangles, for one or several right-hand sides.

    Each has scalars of its own, in arrays of shape (p,), and rests when it is done.
    """

    def __init__(self, problem: Problem, split: SplitMatrix, residual: Array) -> None:
        self.problem, self.split = problem, split
        self.since = 0
        self.sizes = sizes = problem.sizes(residual)  # what is known of the residuals
        self.live = sizes > problem.target
        self.replaced = np.full(sizes.shape, math.inf)
        self.start = problem.x0
        self.rest = self._rest(residual)
        xp = split.system.space.xp
        self.z = xp.zeros_like(self.rest)
        self.buffers = tuple(xp.zeros_like(self.rest) for _ in range(3))
        self.rho = problem.sizes(self.rest) ** 2
        self.beta = self.length = np.zeros(sizes.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            self.ratio = np.where(self.rho > 0, sizes / np.sqrt(self.rho), 1.0)

    def _rest(self, residual: Array) -> Array:
        split = self.split
        residual = split.turns.enter(residual)
        return split.forth(residual * _beside(split.s, residual))

    def _scalars(self, values: np.ndarray[Any, Any]) -> Any:
        """Bring one number for each right-hand side to where these are."""
        problem = self.problem
        if problem.b.ndim == 1:
            return float(values[0])
        return problem.op.space.asarray(values, problem.op.real_dtype)

    def step(self) -> bool:
        """Do one iteration; False if a curvature is not positive."""
        p, product, curve = self._direction()
        if not ((curve > 0) & (curve < math.inf) | ~self.live).all():
            return False
        self.length = self._over(self.rho, curve)
        before = self.rho
        self._move(p, product, self.length)
        self.beta = self._over(self.rho, before)
        return True

    def _direction(self) -> tuple[Array, Array, np.ndarray[Any, Any]]:
        """Return the new directions, their products, and the curvatures."""
        split = self.split
        p, product, curvature = eisenstat_step(
            self.buffers[0], self.rest, self._scalars(self.beta), *split.lower, *split.upper,
            2 - split.omega, *split.turns.layout, self.buffers,
        )  # fmt: skip
        return p, product, numbers(curvature)

    def _move(self, p: Array, product: Array, length: np.ndarray[Any, Any]) -> None:
        """Go along the directions."""
        _, _, square = axpy_pair(
            self.z, self.rest, p, product, self._scalars(length), (self.z, self.rest)
        )
        self.rho = numbers(square)
        self.since += 1

    def _over(self, one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> Any:
        """Divide where something is left to do; elsewhere the answer is 0."""
        if self.live.all():
            return one / other
        return np.where(self.live, one / np.where(self.live, other, 1.0), 0.0)

    def due(self, check_every: int) -> bool:
        """Tell whether to look at the residuals of the system now."""
        near = self.ratio * np.sqrt(self.rho) <= 1.2 * self.problem.target
        return self.since >= check_every or bool((near & self.live).any())

    def measure(self) -> np.ndarray[Any, Any]:
        """Return the norms of the residuals that belong to the recursion, of those that live."""
        self.since = 0
        rest = triangle_product(self.rest, *self.split.lower)
        sizes = self.problem.sizes(rest / _beside(self.split.s, rest))
        self.sizes = sizes if self.live.all() else np.where(self.live, sizes, self.sizes)
        fine = self.live & (self.rho > 0)
        self.ratio = np.where(fine, sizes / np.sqrt(np.where(fine, self.rho, 1.0)), self.ratio)
        return self.sizes

    def x(self) -> Array:
        """Form the iterate."""
        split = self.split
        z = split.back(self.z)
        return self.start + split.turns.leave(split.omega * _beside(split.s, z) * z)

    def settle(self, x: Array, sizes: np.ndarray[Any, Any]) -> None:
        """Look at those whose recursion says that they are done, given their true residuals.

        They rest if that is so. Where rounding has carried the recursion off, they begin anew from
        where they are, as long as that helps.
        """
        claimed = self.live & (self.sizes <= self.problem.target)
        again = claimed & (sizes > self.problem.target) & (sizes <= self.replaced / 2)
        self.replaced = np.where(again, sizes, self.replaced)
        self.live = self.live & (again | ~claimed)
        self.sizes = np.where(claimed, sizes, self.sizes)
        if np.any(again):
            space = self.problem.op.space
            mask = space.asarray(again, space.xp.bool)
            self.start = space.xp.where(mask, x, self.start)
            self.rest = space.xp.where(mask, self._rest(self.problem.residual(x)), self.rest)
            self.z = space.xp.where(mask, 0 * self.z, self.z)
            self.rho = np.where(again, self.problem.sizes(self.rest) ** 2, self.rho)
            self.beta = np.where(again, 0.0, self.beta)


def _beside(s: Array, v: Array) -> Array:
    """Shape a vector so that it multiplies the rows of v."""
    return s if v.ndim == 1 else s[:, None]


def check_hermitian(system: System) -> None:
    """Refuse a matrix that is not Hermitian."""
    if not is_hermitian(system):
        raise ValueError(
            "A must be Hermitian, got one for which <u, A v> and <A u, v> differ; use sor, kaczmarz "
            "or a solver of SciPy for others"
        )


@described(**SHARED)
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
    {definite}
    omega : float, default 1
        Relaxation factor of the preconditioner, between 0 and 2.
    order : {"natural", "multicolor", "redblack"} or array of shape (n,), default "natural"
        Which unknown is moved when, as for `SweepPlan`. By colours, one iteration can use several
        threads, and more iterations are needed.
    {tolerance}
    check_every : int, default 10
        Largest number of iterations between two looks at the residual norm, which costs half a
        product with A; there is one whenever the tolerance is expected to be met. 1 makes
        ``info.iterations`` exact.
    callback : callable, optional
        ``callback(state)`` at each such look, with the residual norm as ``state.error``, for the
        worst right-hand side; returning true stops. It does not change the iterates.

    {result}

    {refuses}
    TypeError
        If A is a linear operator, or A and b are of different array libraries.

    {warns}

    Notes
    -----
    The iterates are those of preconditioned conjugate gradients with ``M = omega / (2 - omega) * W
    @ inv(D) @ W^H``, ``W = D / omega + L``. By Eisenstat's trick [1]_ an iteration takes two
    triangular solves, each half a product with A, and no product: 2 nnz(A) + 10 n flops.

    Several right-hand sides are iterated side by side, each with its own step lengths, until its
    own residual is small: a pass over the entries of A serves all.

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
    problem = pose(system.op, b, x0, rtol, atol)
    check_hermitian(system)
    split = SplitMatrix(system.astype(problem.b.dtype), omega, order)
    limit = 10 * system.n if max_iter is None else max_iter
    return announce(
        conjugate_until(problem, split, max_iter=limit, check_every=check_every, callback=callback)
    )
