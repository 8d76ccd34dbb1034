"""Norms between one and infinity: Newton with exact line search, and a dual point at every step."""

from __future__ import annotations

import math
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, is_complex, space_of
from lrla._core.iteration import Loop
from lrla._core.results import Status
from lrla.kernels.power import power_line
from lrla.regression._near_one import PATIENCE, split
from lrla.regression._normal import Normal
from lrla.regression._norms import dual_norm, power_norm, real_dot
from lrla.regression._one import Answer, Minimum, Task, certified, equations, products

_SPLIT = 1.15  # below it, for real data, the interior point is faster, and does not stagnate
_NEAR = 2.5  # Newton from least squares is safe up to here; then p is doubled
_LOOSE = 1e-2  # gap at which the next p of the homotopy is taken
_LINE = 30  # steps of a line search; it needs three as a rule
PROJECTIONS = 2  # of the dual point in the end
INFEASIBLE = 1e-9  # of a dual point in the space of the rows, at most: rounding leaves less


def newton(task: Task, p: float) -> Answer:
    """Minimise ``sum(weights * abs(r)**p)``."""
    rows, xp = task.rows, task.rows.space.xp
    loop = task.loop("Newton")
    v = rows.fill((task.weights / xp.max(task.weights)) ** (1 / p), 1.0)
    r = task.start(loop, v ** min(p, 2.0))
    x, y, method = loop.origin, xp.zeros_like(task.b), "least squares"
    if task.is_rounding(r):
        loop.status = Status.CONVERGED
    else:
        near_one = rows.real and p < _SPLIT and rows.k > 0
        point = (split if near_one else minimise)(rows, r, v, p, task.tol, loop)
        y = (v * _feasible(rows, point.y, v))[: rows.count]
        x, method = task.met(x + rows.unwhiten(point.z)), "interior" if near_one else "newton"
        size = dual_norm(y, task.weights, p)
        y = y / (size if size > 0 else 1.0)
    r = task.b - products(task.op, x)
    objective, dual = power_norm(r, task.weights, p), real_dot(y, r)
    floor = task.noise() * power_norm(task.sizes(), task.weights, p)
    return certified(x, r, y, objective, dual, floor, task, loop, method)


def minimise(rows: Any, r: Array, v: Array, p: float, tol: float, loop: Loop) -> Minimum:
    """Minimise ``sum(abs(v (r - A z))^p)``.

    Parameters
    ----------
    rows : Rows or ComplexRows
        The data A.
    r : array of shape (m,)
        Residual at z = 0, of least squares as a rule.
    v : array of shape (m,)
        Scales of the rows, at most one: roots of weights. They stay what they are while p grows,
        for then each solution is near the next.
    p : float
        Above one, finite.
    tol : float
        Gap to reach, relative to the norm.
    loop : Loop
        Counts the iterations and reports the gap.
    """
    xp = rows.space.xp
    z, path = rows.space.zeros((rows.unknowns,), v.dtype), homotopy(p)
    one, r = xp.ones_like(v), v * r
    best, highest = None, -1.0
    previous, waited = math.inf, 0
    for _ in loop:
        now = path[0]
        unit = float(xp.max(abs(r)))
        if unit == 0:  # an exact fit
            best = xp.zeros_like(r)
            loop.report(0.0, z)
            loop.stop(Status.CONVERGED)
            break
        u = r / unit
        dual, dz, s = _direction(rows, u, v, now)
        size = power_norm(u, one, now)
        length = dual_norm(dual, one, now)
        bound = real_dot(dual, u) / length * unit if length > 0 else 0.0
        if len(path) > 1:
            gap = loop.report(max(size * unit - bound, 0.0) / (size * unit), z)
        else:
            if bound > highest:
                best, highest = dual, bound
            gap = loop.report(max(size * unit - highest, 0.0) / (size * unit), z)
            waited = 0 if gap < 0.9 * previous else waited + 1
            previous = min(gap, previous)
            if gap <= tol:
                loop.stop(Status.CONVERGED)
            elif waited > PATIENCE and gap < 1e-6:
                loop.stop(Status.STAGNATED)
        if loop.status is not None:
            break
        t = _line_search(u, s, one, now)
        z, r = z + (unit * t) * dz, r - (unit * t) * s
        if gap <= _LOOSE and len(path) > 1:
            path = path[1:]
    if best is None:
        best, _, _ = _direction(rows, r / xp.max(abs(r)), v, p)
    return Minimum(z, best)


def _direction(rows: Any, u: Array, v: Array, p: float) -> tuple[Array, Array, Array]:
    """Return a dual point, Newton's direction and its product with the rows scaled by v.

    The residuals u are scaled alike. With weights g, ``(v A)^H g (u - v A dz) = 0`` for the solution
    of least squares dz: a dual point for nothing. Newton's direction is the same, but for complex
    data, where the curvature differs along u and across it.
    """
    g = curvature(u, p)
    G, rhs = equations(rows, v * v * g, v * g * u)
    dz = Normal(G).solve(rhs)
    s = v * rows.product(dz)
    dual = g * (u - s)
    if not rows.real:
        dz = Normal(rows.hessian(v * v * g, u, p)).solve(rhs)
        s = v * rows.product(dz)
    return dual, dz, s


def _feasible(rows: Any, y: Array, v: Array) -> Array:
    """Take off a dual point what rounding has left in it of the space of the rows scaled by v.

    That can be much of it where weights spread over many orders of magnitude. A point for which
    this does not help proves nothing, and becomes zero.
    """
    xp = rows.space.xp
    G, left = equations(rows, v * v, v * y)
    normal = Normal(G)
    for _ in range(PROJECTIONS):
        y = y - v * rows.product(normal.solve(left))
        left = rows.adjoint((v * y)[None, :])[0, :]
    return y if linalg.norm(left) <= INFEASIBLE * linalg.norm(v * y) else xp.zeros_like(y)


def homotopy(p: float) -> list[float]:
    """Go from 2 to p through exponents for each of which the last solution is a good start."""
    path = [p]
    if p > 2:
        while path[0] > 2 * _NEAR:
            path.insert(0, path[0] / 2)
        if path[0] > _NEAR:
            path.insert(0, _NEAR)
    else:
        while path[0] < 1.25:  # halve the conjugate exponent
            path.insert(0, path[0] / (2 - path[0]))
    return path


def curvature(u: Array, p: float) -> Array:
    """Second derivatives of ``abs(u)^p`` over p (p - 1), kept away from zero and infinity.

    The largest entry of u is one.
    """
    xp = space_of(u).xp
    size = abs(u)
    floor = 1e-12 if p > 2 else 1e-10
    size = xp.where(size > floor, size, xp.full_like(size, floor))
    g = size ** (p - 2)
    return g + 1e-12 if p > 2 else g


def _along(u: Array, s: Array, w: Array, t: float, p: float) -> tuple[float, float]:
    """First and second derivative of ``sum(w abs(u - t s)^p) / p`` by t."""
    xp = space_of(w).xp
    if not is_complex(u):
        _, slope, bend = (float(v) for v in power_line(u, s, w, t, p))
        return slope, bend
    v = u - t * s
    size = abs(v)
    safe = xp.where(size > 0, size, xp.ones_like(size))
    g = xp.where(size > 0, w * safe ** (p - 2), xp.zeros_like(w))
    cross = xp.real(xp.conj(v) * s)
    bend = g * (abs(s) ** 2 + (p - 2) * (cross / safe) ** 2)
    return -float(xp.sum(g * cross)), float(xp.sum(bend))


def _line_search(u: Array, s: Array, w: Array, p: float) -> float:
    """Find the minimum along a direction of descent by Newton's method, kept in a bracket.

    Far beyond the minimum a Newton step goes back by 1 / (p - 1) of the way only: steps have to
    halve, or the bracket is halved.
    """
    low, high, t = 0.0, math.inf, 1 / (p - 1) if p > 2 else 1.0
    first, _ = _along(u, s, w, 0.0, p)
    last = math.inf
    for _ in range(_LINE):
        slope, bend = _along(u, s, w, t, p)
        if abs(slope) <= 1e-6 * abs(first):
            return t
        low, high = (t, high) if slope < 0 else (low, t)
        step = t - slope / bend if bend > 0 else math.inf
        if not low < step < high or abs(step - t) > last / 2:
            step = (low + high) / 2 if math.isfinite(high) else 2 * t
        last, t = abs(step - t), step
    return low or t
