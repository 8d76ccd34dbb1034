"""Regression with piecewise linear loss by its bounded dual: Mehrotra's method, then a vertex.

Minimise ``sum_i max {y_i r_i - curvature y_i^2 / 2 : lower_i <= y_i <= upper_i} + c^T x`` over x,
with r = b - A x. Its dual is to maximise ``b^T y - curvature |y|^2 / 2`` over such y with
A^T y = c. Bounds -1 and 1 give the sum of absolute values, tau - 1 and tau the loss of quantile
regression, and a curvature of 1 that of Huber; c holds what rows of known sign contribute.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lrla._core import linalg
from lrla._core.arrays import Array
from lrla._core.iteration import Loop
from lrla._core.results import Status
from lrla.kernels.interior import interior_correct, interior_predict, interior_update
from lrla.regression._normal import Normal
from lrla.regression._rows import Rows
from lrla.regression._vertex import Vertex, find_vertex

_BOUNDARY = 0.99995  # of the way to the nearest bound: Portnoy and Koenker 1997
_CENTRED = 0.1  # multipliers that are zero at first get this, where residuals have size one
_INSIDE = 0.9  # of the way to a bound, at most, where y starts
_TRY = 1e-3  # relative gap from which on a vertex is looked for
_DIVERGED = 1e12  # size of x, where right-hand sides have one: the dual is not feasible
_FLOOR = 1e-13  # relative gap below which rounding rules


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """What distinguishes one such problem from another, for given rows.

    Parameters
    ----------
    b : array of shape (m,)
        Right-hand side, of the size of one.
    bounds : array of shape (2, m)
        Lower and upper bounds of y.
    c : array of shape (k,)
        What A^T y has to be.
    curvature : float
        See above.
    offset : float
        What rows that were left out add to the objective.
    inside : array of shape (m,) or None
        Where y starts, strictly inside its bounds; by default at the least y with A^T y = c.
    """

    b: Array
    bounds: Array
    c: Array
    curvature: float = 0.0
    offset: float = 0.0
    inside: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Where the iteration ended.

    Parameters
    ----------
    x : array of shape (k,)
        Coefficients.
    y : array of shape (m,)
        Dual variables, strictly inside their bounds or, at a vertex, also on them.
    vertex : bool
        Whether x interpolates k rows, and y proves that no other x is better.
    """

    x: Array
    y: Array
    vertex: bool


def solve_box(rows: Rows, box: Box, tol: float, loop: Loop) -> Point:
    """Iterate until the relative gap is at most tol, or a vertex is found that is optimal.

    Parameters
    ----------
    rows : Rows
        The data.
    box : Box
        The problem.
    tol : float
        Relative gap to reach.
    loop : Loop
        Counts the iterations and reports the gap.
    """
    xp, space = rows.space.xp, rows.space
    state, x = _start(rows, box), space.zeros((rows.k,), box.b.dtype)
    step, primal, dual = space.zeros((3, rows.m), box.b.dtype), 0.0, 0.0
    V, found, last, tried = state[:2, :], None, math.inf, 2 * _TRY
    for _ in loop:
        state, q, V, sums = interior_update(state, step, box.bounds, primal, dual, box.curvature)
        AV = rows.adjoint(V)
        gap, product = float(sums[0]), float(sums[1])
        size = abs(product + box.offset + float(xp.sum(box.c * x))) + gap
        residual = box.c - AV[1, :]
        error = loop.report(gap / size if size > 0 else 0.0, x)
        if not (math.isfinite(error) and linalg.norm(x) < _DIVERGED):
            loop.stop(Status.STAGNATED)
            break
        if error <= max(tol, _FLOOR) and linalg.norm(residual) <= 1e-6 * (1 + linalg.norm(V[1, :])):
            loop.stop(Status.CONVERGED)
        elif not error < last and error < 1e3 * _FLOOR:
            loop.stop(Status.STAGNATED)
        last = min(error, last)
        if box.curvature == 0 and (error < tried / 2 or loop.status):
            tried = error
            found = find_vertex(rows, box.b, box.bounds, box.c, q, V[1, :])
            if found is not None and found.optimal:
                loop.stop(Status.CONVERGED)
                return Point(found.x, found.y, True)
        if loop.status is not None:
            break
        normal = Normal(rows.gram(q))
        rhs = AV[0, :] - residual
        t = rows.product(normal.solve(rhs))
        dy, E, sums = interior_predict(state, q, t)
        slope, bend = float(sums[0]), float(sums[1])
        primal, dual = _steps(sums[2:], 1.0, box.curvature)
        ahead = gap * (1 - dual) + (primal - dual) * slope + primal * dual * bend
        centre = (max(ahead, 0.0) / gap) ** 3 * gap / (2 * rows.m)
        AE = rows.adjoint(E)
        dx = normal.solve(rhs + centre * AE[0, :] + AE[1, :])
        step, ratios = interior_correct(state, q, dy, rows.product(dx), centre)
        primal, dual = _steps(ratios, _BOUNDARY, box.curvature)
        x = x + dual * dx
    return _best(box, rows, x, V[1, :], found)


def _start(rows: Rows, box: Box) -> Array:
    """Start with multipliers whose difference is the residual at x = 0."""
    xp = rows.space.xp
    y = _inside(rows, box) if box.inside is None else box.inside
    r = box.b - box.curvature * y
    floor = _CENTRED * max(float(xp.sum(abs(r))) / rows.m, 1e-300)
    zero = xp.zeros_like(r)
    w, z = xp.maximum(r, zero) + floor, xp.maximum(-r, zero) + floor
    return xp.stack((y - box.bounds[0, :], box.bounds[1, :] - y, z, w))


def _inside(rows: Rows, box: Box) -> Array:
    """Find y with A^T y = c, or nearly so, well inside the bounds."""
    xp = rows.space.xp
    if not bool(xp.any(box.c != 0)):
        return xp.zeros_like(box.b)
    low, high = box.bounds[0, :], box.bounds[1, :]
    width = high - low
    y = width * rows.product(Normal(rows.gram(width)).solve(box.c))
    return xp.minimum(xp.maximum(y, _INSIDE * low), _INSIDE * high)


def _steps(ratios: Array, fraction: float, curvature: float) -> tuple[float, float]:
    """Step lengths of y and of the multipliers; a curvature couples them."""
    primal, dual = (min(1.0, fraction / max(float(ratios[k]), 1e-300)) for k in range(2))
    return (min(primal, dual),) * 2 if curvature else (primal, dual)


def _best(box: Box, rows: Rows, x: Array, y: Array, found: Vertex | None) -> Point:
    """Take the vertex if its objective is no worse than that of the last iterate."""
    if found is not None and value(rows, box, found.x) <= value(rows, box, x) * (1 + _FLOOR):
        return Point(found.x, y, False)
    return Point(x, y, False)


def value(rows: Rows, box: Box, x: Array) -> float:
    """Objective at x, for piecewise linear losses."""
    xp = rows.space.xp
    r = box.b - rows.product(x)
    loss = xp.maximum(box.bounds[0, :] * r, box.bounds[1, :] * r)
    return float(xp.sum(loss)) + float(xp.sum(box.c * x)) + box.offset
