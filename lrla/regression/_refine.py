"""Iterative refinement until the measured backward error says that the answer is right.

Every method of `lstsq` ends here; they differ in the preconditioner that they bring along.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, space_of
from lrla._core.iteration import Loop
from lrla._core.results import Status
from lrla.regression._factor import Factor
from lrla.regression._problem import Problem

ROUNDS = 4  # two suffice in theory (Epperly, Meier and Nakatsukasa, Theorem 4.1); two in reserve
_SURE = 2  # rounds that are always given their chance
_INNER = 100  # iterations of one round at most

Done = Callable[[Array, Array, Array], bool]
Inner = Callable[[Problem, Factor, Array, Done], Array]


def backward_error(factor: Factor, gradient: Array, Z: Array, squares: Array) -> Array:
    """Estimate the backward error of each solution, after Karlson and Walden.

    The relative size, in the Frobenius norm, of the smallest change of the equilibrated matrix
    whose exact solution is Z, within a factor of sqrt(2) (1 + eta) / (1 - eta) for a factor from a
    sketch of distortion eta.
    """
    xp = space_of(Z).xp
    size = linalg.norm(Z, axis=0)
    safe = xp.where(size > 0, size, xp.ones_like(size))
    omega = xp.sqrt(squares) / safe
    total = linalg.norm(factor.sigma)
    error = factor.gradient_size(gradient, omega) / (safe * (total if total > 0 else 1.0))
    return xp.where(size > 0, error, xp.zeros_like(error))


def refine(
    problem: Problem, factor: Factor, Z: Array, tol: float, loop: Loop, inner: Inner
) -> tuple[Array, Array, Array]:
    """Improve Z until its backward error is at most ``tol``.

    Returns
    -------
    Z : array of shape (n, p)
        The best iterate.
    error : array of shape (p,)
        Its measured backward errors.
    squares : array of shape (p,)
        Squares of its residual norms.
    """
    xp = problem.space.xp
    Z = factor.without_null(Z, problem.scale)
    C, squares, total = problem.gradient(Z)
    error = backward_error(factor, C, Z, total)
    best = Z, error, squares
    with loop.interruptible():
        for round_ in loop:
            worst = loop.report(_worst(xp, error), Z / problem.scale)
            if worst <= tol:
                loop.stop(Status.CONVERGED)
            if loop.status is not None or factor.rank == 0:
                loop.stop(Status.CONVERGED)
                break
            size = linalg.norm(Z, axis=0)
            omega = xp.sqrt(total) / xp.where(size > 0, size, xp.ones_like(size))
            goal = tol * size * linalg.norm(factor.sigma)
            step = _step_limit(problem, factor, size, total)

            def done(
                Y: Array, R: Array, moved: Array, first: bool = round_ == 1,
                omega: Array = omega, goal: Array = goal, step: Array = step,
            ) -> bool:  # fmt: skip
                # The recursive residual R predicts the backward error that Z + P Y would have in
                # exact arithmetic; the first round ends earlier, at what rounding lets it reach.
                small = factor.residual_size(R, omega) <= 0.25 * goal
                if first:
                    small = small | (moved <= step)
                return bool(xp.all(small))

            Y = inner(problem, factor, factor.adjoint_solve(C), done)
            Z = factor.without_null(Z + factor.solve(Y), problem.scale)
            C, squares, total = problem.gradient(Z)
            error = backward_error(factor, C, Z, total)
            if _worst(xp, error) < _worst(xp, best[1]):
                best = Z, error, squares
            elif loop.iteration > _SURE and _worst(xp, error) > 0.5 * worst:
                loop.stop(Status.STAGNATED)
    if loop.status is Status.MAX_ITER and _worst(xp, best[1]) <= tol:
        loop.status = Status.CONVERGED
    loop.history.append(_worst(xp, best[1]))
    return best


def _worst(xp: Any, error: Array) -> float:
    return float(xp.max(error)) if error.shape[0] else 0.0


def _step_limit(problem: Problem, factor: Factor, size: Array, squares: Array) -> Array:
    """Size of a step below which the first round cannot gain (SPIR, arXiv:2406.03468 v3)."""
    top = float(factor.sigma[0])
    norm = problem.space.xp.sqrt(squares)
    return 10 * problem.u * (top * size + 0.04 * factor.condition * norm)


def conjugate_gradients(problem: Problem, factor: Factor, C: Array, done: Done) -> Array:
    """Solve P^H (A^H W A + D) P Y = C from zero, each column with coefficients of its own."""
    xp = problem.space.xp
    Y, R, D = xp.zeros_like(C), C, C
    rho = linalg.dots(R, R)
    for _ in range(_INNER):
        Q = factor.adjoint_solve(problem.normal(factor.solve(D)))
        curvature = linalg.dots(D, Q)
        live = (curvature > 0) & (rho > 0)
        if not bool(xp.any(live)):
            break
        alpha = xp.where(live, rho, xp.zeros_like(rho)) / xp.where(
            live, curvature, xp.ones_like(rho)
        )
        Y, R = Y + alpha * D, R - alpha * Q
        if done(Y, R, alpha * linalg.norm(D, axis=0)):
            break
        new = linalg.dots(R, R)
        D = R + new / xp.where(live, rho, xp.ones_like(rho)) * D
        rho = new
    return Y
