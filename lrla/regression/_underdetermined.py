"""Fewer rows than columns: the solution of least norm, through the tall transpose."""

from __future__ import annotations

from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint
from lrla._core.iteration import Loop
from lrla._core.operators import Operator
from lrla._core.results import Status
from lrla.regression._factor import Factor, from_rows
from lrla.regression._methods import Solution, sketcher
from lrla.regression._plan import spir_rows
from lrla.regression._problem import Problem
from lrla.regression._refine import _SURE, conjugate_gradients


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
    R, error = B, _error(xp, factor, B, X)
    best, fresh = (X, error, R, E), False
    with loop.interruptible():
        for _ in loop:
            worst, fresh = loop.report(_top(xp, error), X), False
            if (loop.iteration > 1 and worst <= tol) or factor.rank == 0:
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

            Y = conjugate_gradients(tall, factor, factor.adjoint_solve(R), done)
            Z = factor.solve(Y) / tall.scale
            X = X + tall.op.matmat(xp.astype(Z, op.dtype))
            R = B - root * op.matmat(X)
            if mu is not None:
                E = E + mu**0.5 * Z / weigh
                R = R - mu**0.5 * E
            problem.passes += 2
            error, fresh = _error(xp, factor, R, X), True
            if loop.iteration == 1 or _top(xp, error) < _top(xp, best[1]):
                best = X, error, R, E
            elif loop.iteration > _SURE and _top(xp, error) > 0.5 * worst:
                loop.stop(Status.STAGNATED)
    if fresh:
        loop.history.append(_top(xp, error))
    X, error, R, E = best
    if loop.status is Status.MAX_ITER:
        loop.status = Status.CONVERGED if _top(xp, error) <= tol else Status.STAGNATED
    problem.passes += tall.passes
    squares = linalg.norm(R if mu is None else R + mu**0.5 * E, axis=0) ** 2
    return Solution(X, error, squares, factor, S)


def _top(xp: Any, error: Array) -> float:
    return float(xp.max(error)) if error.shape[0] else 0.0


def _factor(tall: Problem, SA: Array, SB: Array, rcond: float) -> Factor:
    """Factor without equilibration: dividing rows of A would change its least-squares solution."""
    return from_rows(tall, SA, SB, rcond, equilibrate=False)[0]


def _error(xp: Any, factor: Factor, R: Array, X: Array) -> Array:
    """Karlson-Walden estimate with A^H R seen through the factor of A^H: no product with A."""
    size = linalg.norm(X, axis=0)
    safe = xp.where(size > 0, size, xp.ones_like(size))
    inside = adjoint(factor.V) @ R
    omega = linalg.norm(R, axis=0) / safe
    sigma = factor.sigma[:, None]
    part = linalg.norm(inside * (sigma / (sigma**2 + omega**2 + factor.shift) ** 0.5), axis=0)
    total = linalg.norm(factor.sigma)
    return part / (safe * (total if total > 0 else 1.0))
