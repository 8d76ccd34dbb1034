"""Iterative refinement until the measured backward error says that the answer is right.

Every method of `lstsq` ends here; they differ in the preconditioner that they bring along.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array
from lrla._core.errors import ConvergenceWarning, warn
from lrla._core.iteration import Loop
from lrla._core.results import Status
from lrla.regression._factor import Factor
from lrla.regression._problem import Problem

ROUNDS = 4  # two suffice in theory (Epperly, Meier and Nakatsukasa); two are in reserve
_SURE = 2  # rounds that are always given their chance
_INNER = 100  # iterations of one round at most

Done = Callable[[Array, Array, Array], bool]
Inner = Callable[[Problem, Factor, Array, Done], Array]


def backward_error(factor: Factor, Y: Array, size: Array, squares: Array) -> Array:
    """Estimate the backward error of solutions, after Karlson and Walden.

    The relative size, in the Frobenius norm, of the smallest change of the equilibrated matrix for
    which they are exact, within a factor of sqrt(2) (1 + eta) / (1 - eta) for a factor from a
    sketch of distortion eta.

    Parameters
    ----------
    factor : Factor
        What stands for the matrix.
    Y : array of shape (k, p)
        Preconditioned gradients.
    size, squares : array of shape (p,)
        Norms of the solutions, squares of those of the residuals.
    """
    total = linalg.norm(factor.sigma)
    return factor.gradient_size(Y, size, squares) / (total if total > 0 else 1.0)


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

    def look(Z: Array) -> tuple[Array, Array, Array, Array, Array]:
        C, squares, total = problem.gradient(Z)
        Y, size = factor.adjoint_solve(C), linalg.norm(Z, axis=0)
        return Y, size, squares, total, backward_error(factor, Y, size, total)

    Z = factor.without_null(Z, problem.metric)
    C, size, squares, total, error = look(Z)
    best, fresh = (Z, error, squares), False
    with loop.interruptible():
        for round_ in loop:
            worst, fresh = loop.report(_worst(xp, best[1]), best[0] / problem.scale), False
            if worst <= tol:
                loop.stop(Status.CONVERGED)
            if loop.status is not None or factor.rank == 0:
                loop.stop(Status.CONVERGED)
                break
            step = _step_limit(problem, factor, size, total)

            def done(
                Y: Array, R: Array, moved: Array, first: bool = round_ == 1,
                size: Array = size, total: Array = total, step: Array = step,
            ) -> bool:  # fmt: skip
                # The recursive residual R predicts the backward error that Z + P Y would have in
                # exact arithmetic; the first round ends earlier, at what rounding lets it reach.
                small = backward_error(factor, R, size, total) <= 0.25 * tol
                if first:
                    small = small | (moved <= step)
                return bool(xp.all(small))

            Y = inner(problem, factor, C, done)
            Z = factor.without_null(Z + factor.solve(Y), problem.metric)
            C, size, squares, total, error = look(Z)
            new, fresh = (Z, error, squares), True
            better = (error < best[1]) | (best[1] != best[1])  # or NaN so far
            best = tuple(xp.where(better, a, b) for a, b in zip(new, best, strict=True))
            if loop.iteration > _SURE and _worst(xp, best[1]) > 0.5 * worst:
                loop.stop(Status.STAGNATED)
    if fresh:  # the loop ended right after a round
        loop.history.append(_worst(xp, best[1]))
    if loop.status is Status.MAX_ITER:
        reached = _worst(xp, best[1]) <= tol
        loop.status = Status.CONVERGED if reached else Status.STAGNATED
    return best


def goals(tol: float | None, u: float) -> tuple[float, float]:
    """Return the backward error that is aimed at, and the one that is enough."""
    if tol is not None and not 0 < tol < 1:
        raise ValueError(f"tol must be between 0 and 1, got {tol}")
    return (u, 10 * u) if tol is None else (tol, tol)


def settled(loop: Loop, worst: float, enough: float) -> Status:
    """Say how the rounds ended, with a warning if the error stayed above what is enough."""
    status = Status.CONVERGED if loop.status is None else loop.status
    if status is not Status.STAGNATED:
        return status
    if worst <= enough:
        return Status.CONVERGED
    warn(
        f"the backward error is {worst:.1e}, above tol={enough:.1e}: {status.value}",
        ConvergenceWarning,
    )
    return status


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
