"""The methods of `lstsq`: each makes a preconditioner and a start, then all refine alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint
from lrla._core.iteration import Loop
from lrla.regression._factor import Factor, from_rows, from_triangle
from lrla.regression._heavy_ball import heavy_ball
from lrla.regression._plan import spir_rows
from lrla.regression._problem import Problem
from lrla.regression._refine import conjugate_gradients, refine
from lrla.sketch import SketchOperator, SparseSign


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """What a method found, and how.

    Parameters
    ----------
    X : array of shape (n, p)
        The solutions.
    error, squares : array of shape (p,)
        Their measured backward errors and the squares of their residual norms.
    factor : Factor
        The preconditioner.
    sketch : SketchOperator or None
        The sketch that it came from.
    """

    X: Array
    error: Array
    squares: Array
    factor: Factor
    sketch: SketchOperator | None


_LOWEST = 4
_MORE = 32  # rows that a sketch has beyond n at least: few could cancel on data with few entries
_BLUR = 4.0  # by which singular values of sketches are off at most, as a rule
Sketcher = Callable[[int], SketchOperator | None]


def sketcher(problem: Problem, seed: int) -> Sketcher:
    """Return d -> the sketch with d rows for the rows of a problem, None where it saves nothing."""

    def make(d: int) -> SketchOperator | None:
        d = max(d, problem.n + _MORE)
        return None if d >= problem.m else SparseSign(d, problem.m, rng=seed)

    return make


def gram(problem: Problem, tol: float, loop: Loop, rcond: float) -> Solution | None:
    """Cholesky of the Gram matrix; None if rounding has changed its smallest direction.

    The Gram matrix carries an error of order u relative to its norm, so a Cholesky factor R is
    believed up to a condition of 2 / sqrt(u), and beyond 5e-2 / sqrt(u) only if the span of its
    smallest singular directions, among which rounding mixes, passes a test with the data: the
    smallest singular value of A on it must agree with that of R.
    """
    xp = problem.space.xp
    G = problem.gram()
    size = xp.sqrt(xp.astype(abs(xp.linalg.diagonal(G)), problem.op.real_dtype))
    size = xp.where(size > 0, size, xp.ones_like(size))[:, None]
    R = linalg.cholesky(G / size / size.T)
    if R is None:
        return None
    problem.scale = size
    factor, _ = from_triangle(R, 0.0)
    if factor.rank < problem.n or factor.condition * problem.u**0.5 > 2:
        return None
    if factor.condition * problem.u**0.5 > 5e-2:
        V = factor.V[:, -_LOWEST:]
        seen = float(linalg.svdvals(adjoint(V) @ problem.normal(V))[-1]) ** 0.5
        if not 0.5 < seen / float(factor.sigma[-1]) < 2:
            return None
    factor = factor.truncated(rcond)
    Z = _start(problem, factor)
    return _refined(problem, factor, Z, tol, loop, conjugate_gradients, None)


def spir(problem: Problem, tol: float, loop: Loop, make: Sketcher, rcond: float) -> Solution:
    """Sketch, QR, SVD; then two rounds of preconditioned conjugate gradients."""
    S = make(spir_rows(problem) * problem.n)
    return _sketched(problem, tol, loop, S, rcond, conjugate_gradients)


def fossils(problem: Problem, tol: float, loop: Loop, make: Sketcher, rcond: float) -> Solution:
    """Do as `spir`, with the heavy-ball iteration, which needs no inner products, and 12 n rows."""
    S = make(12 * problem.n)
    ratio = problem.n / S.d if S is not None else 0.0
    return _sketched(problem, tol, loop, S, rcond, heavy_ball(ratio))


def direct(problem: Problem, tol: float, loop: Loop, rcond: float) -> Solution:
    """QR of all rows and SVD of its triangle: LAPACK's work, with the certificate added."""
    return _sketched(problem, tol, loop, None, rcond, conjugate_gradients)


def _sketched(
    problem: Problem, tol: float, loop: Loop, S: SketchOperator | None, rcond: float, inner: Any
) -> Solution:
    factor, Z = _factored(problem, S, rcond, sharp=False)
    return _refined(problem, factor, Z, tol, loop, inner, S)


def _factored(
    problem: Problem, S: SketchOperator | None, rcond: float, *, sharp: bool
) -> tuple[Factor, Array]:
    """Factor a sketch and solve it; with the singular values of the data if these are to be cut.

    What a sketch shows of singular values that are no rounding errors is off by a factor, and so
    are their directions: refinement would hardly converge in what is left.
    """
    exact = S is None or rcond <= problem.rcond
    factor, Z, _ = from_rows(problem, *problem.sketched(S), rcond if exact else problem.rcond)
    s = factor.sigma
    cut = not exact and factor.rank > 0 and float(s[-1]) <= _BLUR * rcond * float(s[0])
    if S is not None and (sharp or cut):
        factor = orthonormalized(problem, factor)
    if cut:
        factor = _equilibrated(problem, factor, rcond)
        Z = _start(problem, factor)
    return factor, Z


def _equilibrated(problem: Problem, factor: Factor, rcond: float) -> Factor:
    """Scale by column norms of the data, no longer by those of a sketch; then cut."""
    xp = problem.space.xp
    T = factor.sigma[:, None] * adjoint(factor.V)
    size = linalg.norm(T, axis=0)
    size = xp.where(size > 0, size, xp.ones_like(size))
    problem.scale = problem.scale * size[:, None]
    better, _ = from_triangle(T / size, rcond)
    null = size[:, None] * factor.null
    null = xp.linalg.qr(null).Q if null.shape[1] else null
    return replace(better, null=xp.concat((better.null, null), axis=1))


def _start(problem: Problem, factor: Factor) -> Array:
    """Solve by one step from zero."""
    C = problem.gradient(problem.space.zeros((problem.n, problem.p), problem.op.dtype))[0]
    return factor.solve(factor.adjoint_solve(C))


def _refined(
    problem: Problem, factor: Factor, Z: Array, tol: float, loop: Loop, inner: Any,
    S: SketchOperator | None,
) -> Solution:  # fmt: skip
    Z, error, squares = refine(problem, factor, Z, tol, loop, inner)
    return Solution(Z / problem.scale, error, squares, factor, S)


def cqrrt(problem: Problem, tol: float, loop: Loop, make: Sketcher, rcond: float) -> Solution:
    """Cholesky QR of the preconditioned data: no iteration, all work in matrix products."""
    S = make(4 * problem.n)
    factor, Z = _factored(problem, S, rcond, sharp=True)
    return _refined(problem, factor, Z, tol, loop, conjugate_gradients, S)


def orthonormalized(problem: Problem, factor: Factor) -> Factor:
    """Sharpen a factor from a sketch to the singular values of the data themselves.

    The sketch made the data well conditioned, the Gram matrix of the result makes them orthonormal
    to rounding (Fan, Guo and Lin 2021; Balabanov 2022: randomized Cholesky QR).
    """
    if factor.rank == 0:
        return factor
    R = linalg.cholesky(problem.preconditioned_gram(factor.V / factor.sigma))
    if R is None:  # the sketch failed: refinement shows how far it carries
        return factor
    better, _ = from_triangle((R * factor.sigma) @ adjoint(factor.V), 0.0)
    k = factor.rank
    return replace(better, sigma=better.sigma[:k], V=better.V[:, :k], null=factor.null)
