"""Norms between one and infinity with a penalty on absolute values: proximal Newton, with proof.

Minimise ``sum(weights * abs(r)**p) + sum(l1 * abs(x))``. Each step minimises a quadratic model of
the sum plus the penalty itself (`Model`), and its gradient is a dual point: for every y and s with
A^T y = s and abs(s) <= l1,

    sum(weights * abs(r)**p) + sum(l1 * abs(x)) >= y^T r + s^T x - h(y),
    h(y) = (p - 1) * sum(weights * (abs(y) / (p * weights))**(p / (p - 1))),

by Fenchel's inequality, and the right-hand side is y^T b - h(y), whatever x is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from lrla._core import linalg
from lrla._core.arrays import Array, space_of
from lrla._core.results import Status
from lrla.kernels.power import power_line
from lrla.regression._lp_input import Penalty
from lrla.regression._near_one import PATIENCE
from lrla.regression._newton import INFEASIBLE, PROJECTIONS, curvature
from lrla.regression._normal import Normal
from lrla.regression._norms import dual_norm, power_norm
from lrla.regression._one import Answer, Report, Task, certified, equations, products
from lrla.regression._shrink import Model

_LINE = 40  # steps of a line search; it needs three as a rule
_CLEAN = 1e-14  # of a gradient: how far off a dual point may be without being corrected
_INEXACT = 1e-10  # and of the bound, which is off by as much as it proves nothing otherwise
_MOST = 700.0  # logarithm of the largest penalty: beyond, it is infinite anyway


@dataclass(frozen=True, slots=True, eq=False)
class _Proof:
    """A dual point, where the norm that everything is measured by was ``unit``."""

    y: Array
    s: Array
    value: float
    unit: float

    def seen_from(self, unit: float, p: float) -> float:
        """Return the bound in terms of another unit."""
        return self.value * math.exp(min(p * math.log(self.unit / unit), _MOST))


def lasso(task: Task, p: float, l1: Penalty) -> Answer:
    """Minimise the sum of powers and the penalty of a task that has one."""
    rows, xp = task.rows, task.rows.space.xp
    loop, top = task.loop("Newton"), xp.max(task.weights)
    v = rows.fill((task.weights / top) ** (1 / p), 1.0)
    scaled = replace(l1, size=l1.size / top)
    r = _start(task, loop, v, scaled, p)
    z, pen, zero, proof = _minimise(task, loop, v * r, v, scaled, p)
    x = task.met(loop.origin + rows.unwhiten(z))
    x = l1.put(x, xp.where(pen == 0, 0 * pen, xp.take(x, l1.at)))  # zeros are exact
    r, objective = _measured(task, l1, x, p)
    clean = l1.put(x, xp.where(zero, 0 * pen, xp.take(x, l1.at)))  # as the last model says
    measured = _measured(task, l1, clean, p)
    if task.held is None and measured[1] <= objective:
        x, (r, objective) = clean, measured
    start = _measured(task, l1, loop.origin, p)
    if not objective <= start[1] * (1 + 1e-12):  # spoiled by rounding, as by a huge penalty
        x, (r, objective), loop.status = loop.origin, start, Status.STAGNATED
    floor = task.noise() * power_norm(task.sizes(), task.weights, p)
    if objective <= floor:
        y, bound = xp.zeros_like(task.b), objective
    else:
        root = float(top) ** (1 / p)
        factor = root / p * _power(proof.unit * root / objective, p - 1)
        y, s = _feasible(task, v, replace(l1, size=_scaled(scaled.size, proof.unit, p)), proof)
        y, s = factor * (v * y)[: rows.count], factor * s
        y, bound = _judged(task, l1, x, r, y, s, objective, p)
    return certified(x, r, y, objective, bound, floor, task, loop, "newton")


def _measured(task: Task, l1: Penalty, x: Array, p: float) -> tuple[Array, float]:
    """Return residuals and objective."""
    r = task.b - products(task.op, x)
    return r, together(power_norm(r, task.weights, p), l1.value(x), p)


def together(size: float, penalty: float, p: float) -> float:
    """Return ``(size**p + penalty)**(1 / p)``, without overflow."""
    if size == 0 or penalty == 0:
        return size + penalty ** (1 / p)
    ratio = math.log(penalty) - p * math.log(size)
    if ratio > 0:
        return penalty ** (1 / p) * math.exp(math.log1p(math.exp(-ratio)) / p)
    return size * math.exp(math.log1p(math.exp(ratio)) / p)


def _power(base: float, exponent: float) -> float:
    """Return a power, at most the largest that can be squared."""
    return math.exp(min(exponent * math.log(base), _MOST / 2)) if base > 0 else 0.0


def root_gap(value: float, p: float) -> float:
    """Return ``1 - value**(1 / p)``, for a bound in units of what it bounds."""
    return -math.expm1(math.log(value) / p) if value > 0 else 1.0


def best_multiple(inner: float, length: float, most: float, p: float) -> tuple[float, float]:
    """Return the multiple of a dual point, up to the most, whose bound is highest, and that bound.

    ``t * inner - (p - 1) * (t * length)**(p / (p - 1))`` is what t times the point proves. Near one
    the power of the length alone may leave the range where that of the product does not.
    """
    if not (inner > 0 and math.isfinite(length)):
        return 0.0, 0.0
    t = most
    if length > 0:
        log = (p - 1) * (math.log(inner) - math.log(p)) - p * math.log(length)
        t = min(t, math.exp(min(log, _MOST)))
    used = _power(t * length, p / (p - 1))
    return t, t * inner - (p - 1) * used


def _start(task: Task, loop: Report, v: Array, l1: Penalty, p: float) -> Array:
    """Start where the sum is smallest on the way to that of least squares; return residuals."""
    rows, xp = task.rows, task.rows.space.xp
    r = task.start(loop, v ** min(p, 2.0))
    if loop.origin is task.x0 or rows.unknowns == 0:
        return r
    first = xp.zeros_like(loop.origin) if task.held is None else task.held.point()
    before, change = rows.fill(task.from_point(), 0.0), loop.origin - first
    R, x, d = v * before, xp.take(first, l1.at), xp.take(change, l1.at)
    unit = together(power_norm(R, xp.ones_like(v), p), float(xp.sum(l1.size * abs(x))), p)
    if unit == 0:
        return r
    step = v * (before - r) / unit
    t = _line_search(_Line(R / unit, step, x / unit, d / unit, _scaled(l1.size, unit, p), p))
    loop.origin = task.met(first + t * change)
    return before + t * (r - before)


def _minimise(
    task: Task, loop: Report, R: Array, v: Array, l1: Penalty, p: float
) -> tuple[Array, Array, Array, _Proof]:
    """Minimise ``sum(abs(R - v A z)^p)`` plus the penalty."""
    rows, xp = task.rows, task.rows.space.xp
    one, T = xp.ones_like(v), xp.take(rows.T, l1.at, axis=0)
    z, pen = rows.space.zeros((rows.unknowns,), v.dtype), xp.take(loop.origin, l1.at)
    sign, previous, waited = xp.sign(pen), math.inf, 0
    best = _Proof(xp.zeros_like(R), xp.zeros_like(pen), 0.0, 1.0)
    slope, least = (
        p * max(1.0, p - 1),
        task.noise() * power_norm(v * rows.fill(task.b, 0.0), one, p),
    )
    for _ in loop:
        unit = together(power_norm(R, one, p), float(xp.sum(l1.size * abs(pen))), p)
        if unit <= least:  # an exact fit, and no penalty
            loop.report(0.0, z)
            loop.stop(Status.CONVERGED)
            break
        u, x, kappa = R / unit, pen / unit, _scaled(l1.size, unit, p)
        peak = float(xp.max(abs(u)))
        peak = peak if peak > 0 else 1.0
        g = peak ** (p - 2) * curvature(u / peak, p)
        G, rhs = equations(rows, v * v * g, v * g * u)
        found = Model(slope * G, p * rhs, T, x, kappa).minimise(sign)
        sign = xp.sign(found.x)
        step = v * rows.product(found.z)
        y, s = g * (p * u - slope * step), found.s
        left = p * rhs - slope * (G @ found.z) - s @ T
        size = linalg.norm(p * rhs) + linalg.norm(s @ T)
        for _ in range(PROJECTIONS):
            if linalg.norm(left) <= _CLEAN * size:
                break
            change, more = _correction(G, T, s, kappa, left)
            y, s = y - g * (v * rows.product(change)), s + more
            left = left - G @ change - more @ T
        inner = float(xp.sum(y * u)) + float(xp.sum(s * x))
        most = 1 / max(float(xp.max(abs(s) / kappa)), 1e-300)
        t, value = best_multiple(inner, dual_norm(y / p, one, p), most, p)
        proves = linalg.norm(left) <= _INEXACT * inner
        if proves and value > best.seen_from(unit, p):
            best = _Proof(t * y, t * s, value, unit)
        gap = loop.report(root_gap(best.seen_from(unit, p), p), z)
        waited = 0 if gap < 0.9 * previous else waited + 1
        previous = min(gap, previous)
        if gap <= task.tol:
            loop.stop(Status.CONVERGED)
        elif waited > PATIENCE and gap < 1e-6:
            loop.stop(Status.STAGNATED)
        if loop.status is not None:
            break
        t = _line_search(_Line(u, step, x, found.x - x, kappa, p))
        if t == 0:
            loop.stop(Status.STAGNATED)
            break
        z, R = z + (unit * t) * found.z, R - (unit * t) * step
        pen = unit * (found.x if t == 1 else x + t * (found.x - x))
    return z, pen, sign == 0, best


def _scaled(size: Array, unit: float, p: float) -> Array:
    """Return penalties in units in which the sum of all is one."""
    xp = space_of(size).xp
    log = xp.log(size) + (1 - p) * math.log(unit)
    return xp.exp(xp.clip(log, -_MOST, _MOST))


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """The sum of ``abs(u - t s)^p`` and ``kappa abs(x + t d)`` along a line."""

    u: Array
    s: Array
    x: Array
    d: Array
    kappa: Array
    p: float

    def slopes(self, t: float) -> tuple[float, float, float]:
        """Return the derivatives by t from either side, over p, and the second one."""
        xp = space_of(self.u).xp
        _, slope, bend = (
            float(k) for k in power_line(self.u, self.s, xp.ones_like(self.u), t, self.p)
        )
        x = self.x + t * self.d
        x = xp.where(abs(x) <= 4e-16 * abs(self.x), xp.zeros_like(x), x)
        slope += float(xp.sum(self.kappa * xp.sign(x) * self.d)) / self.p
        edge = float(xp.sum(xp.where(x == 0, self.kappa * abs(self.d), xp.zeros_like(x)))) / self.p
        return slope - edge, slope + edge, bend


def _line_search(line: _Line) -> float:
    """Find the minimum along a direction of descent by Newton's method, kept in a bracket."""
    low, high, t = 0.0, math.inf, 1.0
    _, first, _ = line.slopes(0.0)
    last = math.inf
    if first >= 0:
        return 0.0
    for _ in range(_LINE):
        left, right, bend = line.slopes(t)
        if left <= 1e-6 * abs(first) and right >= -1e-6 * abs(first):
            return t
        slope = left if left > 0 else right
        low, high = (low, t) if slope > 0 else (t, high)
        step = t - slope / bend if bend > 0 else math.inf
        if not low < step < high or abs(step - t) > last / 2:
            step = (low + high) / 2 if math.isfinite(high) else 2 * t
        last, t = abs(step - t), step
    return low if low > 0 else t


def _correction(G: Array, T: Array, s: Array, kappa: Array, left: Array) -> tuple[Array, Array]:
    """Return changes of coefficients and dual variables that make up for what is left.

    Those of the penalty take their part, in proportion to their squared bounds, where those of the
    rows may change by one: where the data have not full rank, nothing else can.
    """
    xp = space_of(s).xp
    D = xp.minimum(kappa, xp.max(abs(s))) ** 2
    change = Normal(G + (T.T * D) @ T).solve(left)
    return change, D * (T @ change)


def _feasible(task: Task, v: Array, kappa: Penalty, proof: _Proof) -> tuple[Array, Array]:
    """Take off a dual point what rounding has left in it; see `lrla.regression._newton`."""
    rows, xp = task.rows, task.rows.space.xp
    y, s, T = proof.y, proof.s, xp.take(rows.T, kappa.at, axis=0)
    G, left = equations(rows, v * v, v * y)
    left = left - s @ T
    for _ in range(PROJECTIONS):
        change, more = _correction(G, T, s, kappa.size, left)
        y, s = y - v * rows.product(change), s + more
        left = rows.adjoint((v * y)[None, :])[0, :] - s @ T
    if linalg.norm(left) <= INFEASIBLE * proof.value:
        return y, s
    return xp.zeros_like(y), xp.zeros_like(s)


def _judged(
    task: Task, l1: Penalty, x: Array, r: Array, y: Array, s: Array, objective: float, p: float
) -> tuple[Array, float]:
    """Return the best multiple of a dual point, and the bound of the objective that it proves.

    All in units in which the sum is one at the objective, and y the gradient of the norm.
    """
    xp = task.op.space.xp
    limit = _scaled(l1.size, objective, p) / p
    over = float(xp.max(abs(s) / limit))
    inner = p * (float(xp.sum(y * r)) + float(xp.sum(s * xp.take(x, l1.at)))) / objective
    most = 1 / over if over > 0 else math.inf
    t, value = best_multiple(inner, dual_norm(y, task.weights, p), most, p)
    return t * y, objective * (1 - root_gap(value, p))
