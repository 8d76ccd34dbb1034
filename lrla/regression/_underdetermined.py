"""Fewer rows than columns: the solution of least norm, through the tall transpose."""

from __future__ import annotations

import math
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array
from lrla._core.iteration import Loop
from lrla._core.operators import Operator
from lrla._core.results import Status
from lrla.regression._factor import Factor, from_rows
from lrla.regression._methods import Solution, sketcher
from lrla.regression._plan import spir_rows
from lrla.regression._problem import Problem
from lrla.regression._refine import conjugate_gradients

WIDE_ROUNDS = 12  # each divides the error by 1 / (u condition), which may be a hundred
_IDLE = 2  # rounds in a row without gain that end it: one may be spent on errors of the one before


class _AdjointOperator:
    """The conjugate transpose of an operator, by its products."""

    def __init__(self, op: Operator) -> None:
        self.op, self.shape, self.dtype = op, op.shape[::-1], op.dtype

    def matmat(self, X: Array) -> Array:
        return self.op.rmatmat(X)

    def rmatmat(self, Y: Array) -> Array:
        return self.op.matmat(Y)


def transposed(op: Operator) -> Operator:
    """Return A^H without copying dense data."""
    complex_ = op.space.xp.isdtype(op.dtype, "complex floating")
    if op.kind == "sparse":
        return Operator((op.A.conj() if complex_ else op.A).T.tocsr(), "sparse", op.space, op.dtype)
    if op.kind == "dense" and not complex_:
        return Operator(op.A.T, "dense", op.space, op.dtype)
    return Operator(_AdjointOperator(op), "operator", op.space, op.dtype)


def least_norm(
    problem: Problem, tol: float, loop: Loop, *, seed: int, rcond: float, sketch: bool
) -> Solution:
    """Solve min norm(X) subject to A X = B, or to least squares if that has no solution.

    X = A^H P N^-1 P^H B with P from a sketch of A^H and N = P^H A A^H P, which is close to I: the
    formula holds for full row rank and, with P truncated, for least squares of least norm. A ridge
    becomes min norm([X; E]) subject to A X + sqrt(ridge) E = B.
    """
    xp, space, op = problem.space.xp, problem.space, problem.op
    root = 1.0 if problem.weights is None else xp.sqrt(problem.weights)[:, None]
    tall = Problem(transposed(op), space.zeros((problem.n, problem.p), op.dtype))
    tall.tame = problem.tame
    weigh = xp.ones((problem.m, 1), dtype=op.real_dtype, device=space.device) * root
    mu = None if problem.ridge is None else problem.ridge[:1, :]
    S = sketcher(tall, seed)(spir_rows(tall) * tall.n) if sketch else None
    SA, SB = tall.sketched(S)
    tall.ridge = None if mu is None else xp.zeros_like(weigh) + mu
    factor = _factor(tall, SA * weigh.T, SB, rcond)
    tall.scale = 1 / weigh
    if tall.ridge is not None:
        tall.ridge = tall.ridge * tall.scale**2
    B = root * problem.B
    X = space.zeros((problem.n, problem.p), op.dtype)
    E = xp.zeros_like(B)
    R = B
    error, squares = _error(problem, factor, R, X, E, mu)
    best, fresh, idle = (X, error, squares), False, 0
    with loop.interruptible():
        for _ in loop:
            worst, fresh = loop.report(_top(xp, best[1]), best[0]), False
            if worst <= tol or factor.rank == 0:
                loop.stop(Status.CONVERGED)
            if loop.status is not None:
                break
            goal = 0.25 * tol * linalg.norm(factor.sigma) * linalg.norm(X, axis=0)

            def done(Y: Array, Q: Array, moved: Array, goal: Array = goal) -> bool:
                # a residual Q of the preconditioned system changes X by about norm(Q)
                size = xp.where(
                    goal > 0, goal / factor.sigma[0], problem.u * linalg.norm(Y, axis=0)
                )
                return bool(xp.all(linalg.norm(Q, axis=0) <= size))

            # Where sigma is small, rounding errors of R would be blown up to changes of X that bring
            # in new ones: what is no larger than they are is left alone.
            C = factor.adjoint_solve(R)
            noise = 2 * problem.u * linalg.norm(factor.sigma) * linalg.norm(X, axis=0)
            small = abs(C) * factor.sigma[:, None] <= noise / math.sqrt(factor.rank)
            Y = conjugate_gradients(tall, factor, xp.where(small, xp.zeros_like(C), C), done)
            Z = factor.solve(Y) / tall.scale
            X = X + tall.op.matmat(xp.astype(Z, op.dtype))
            R = B - root * op.matmat(X)
            if mu is not None:
                E = E + mu**0.5 * Z / weigh
                R = R - mu**0.5 * E
            problem.passes += 2
            error, squares = _error(problem, factor, R, X, E, mu)
            new, fresh = (X, error, squares), True
            better = error < best[1]
            best = tuple(xp.where(better, a, b) for a, b in zip(new, best, strict=True))
            idle = idle + 1 if _top(xp, best[1]) > 0.5 * worst else 0
            if idle == _IDLE:
                loop.stop(Status.STAGNATED)
    if fresh:
        loop.history.append(_top(xp, best[1]))
    X, error, squares = best
    if loop.status is Status.MAX_ITER:
        loop.status = Status.CONVERGED if _top(xp, error) <= tol else Status.STAGNATED
    problem.passes += tall.passes
    return Solution(X, error, squares, factor, S)


def _top(xp: Any, error: Array) -> float:
    return float(xp.max(error)) if error.shape[0] else 0.0


def _factor(tall: Problem, SA: Array, SB: Array, rcond: float) -> Factor:
    """Factor without equilibration: dividing rows of A would change its least-squares solution."""
    return from_rows(tall, SA, SB, rcond, equilibrate=False)[0]


def _error(
    problem: Problem, factor: Factor, R: Array, X: Array, E: Array, mu: Array | None
) -> tuple[Array, Array]:
    """Karlson-Walden estimate with A^H R seen through the factor of A^H: no product with A.

    The gradient of the ridge problem is A^H R, too, for X and E come from the same multipliers.
    Returns also the squares of the residual norms.
    """
    sigma, size = factor.sigma[:, None], linalg.norm(X, axis=0)
    Y = factor.adjoint_solve(R) * sigma
    squares = linalg.norm(R if mu is None else R + mu**0.5 * E, axis=0) ** 2
    if mu is None:
        all_squares, total = squares, linalg.norm(factor.sigma)
    else:
        all_squares = squares + mu[0, :] * size**2
        total = (linalg.norm(factor.sigma) ** 2 + problem.n * mu[0, :]) ** 0.5
    error = factor.gradient_size(Y, size, all_squares)
    return (error / total if factor.rank else error), squares
