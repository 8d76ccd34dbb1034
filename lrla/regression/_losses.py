"""Losses that grow slowly: Huber's by its dual, Tukey's by reweighting."""

from __future__ import annotations

import math
from dataclasses import replace

from lrla._core import linalg
from lrla._core.arrays import Array, space_of
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.iteration import Loop
from lrla._core.results import Status
from lrla.regression._interior import Box, Point, solve_box
from lrla.regression._normal import Normal
from lrla.regression._one import Answer, Task, certified, equations, products
from lrla.regression._rows import Rows
from lrla.regression._stages import in_stages

_SPANS = 1e-12  # of the Gram matrix of all rows: what few rows far from any span leaves is rounding
_FAR = 8.0  # times the largest response: residuals of a start that no solution has
_POLISH = 12  # Newton steps after the interior point; the sets of rows are final after one or two


def huber(task: Task, kink: Array) -> Answer:
    """Minimise ``sum(r**2 / 2)``, with ``kink * abs(r) - kink**2 / 2`` where abs(r) > kink."""
    rows, xp = task.rows, task.rows.space.xp
    loop = task.loop("interior point")
    one = xp.ones_like(task.b)
    r = task.start(loop, rows.fill(one, 0.0))
    if task.is_rounding(r):
        loop.status = Status.CONVERGED
        return _judge(task, kink, loop.origin, xp.zeros_like(one), loop, "least squares")
    c = rows.space.zeros((rows.k,), r.dtype)

    def fit(b: Array) -> tuple[Array, Array]:
        far = linalg.norm(
            b
        )  # no residual of the solution is larger, unless the loss is linear there
        t = rows.fill(xp.minimum(kink / loop.size, far * one), 1.0)
        box = Box(b, xp.stack((-t, t)), c, curvature=1.0)
        point = solve_box(rows, box, task.tol, loop)
        if loop.status is Status.STOPPED:
            return point.x, loop.size * point.y
        z, y = _polished(rows, box, t, point)
        return z, loop.size * y

    x, y = in_stages(task, loop, r, fit, linear=float(xp.max(kink)))
    return _judge(task, kink, x, y[: rows.count], loop, "interior")


def clipping(r: Array, kink: Array | float) -> Array:
    """Weights of Huber's loss: one up to the kink, ``kink / abs(r)`` beyond."""
    xp = space_of(r).xp
    size = abs(r)
    beyond = size > kink
    return xp.where(beyond, kink / xp.where(beyond, size, xp.ones_like(size)), 1.0)


def _polished(rows: Rows, box: Box, t: Array, point: Point) -> tuple[Array, Array]:
    """Solve the linear system that holds once it is known which rows are beyond their kink.

    Where the sets of rows are wrong such steps may lead anywhere: they have to halve the gradient.
    """
    xp = rows.space.xp
    z, y, best = point.x, point.y, math.inf
    trial, r = z, box.b - rows.product(z)
    for step in range(_POLISH):
        cut = xp.minimum(xp.maximum(r, -t), t)
        gradient = rows.adjoint(cut[None, :])[0, :]
        size = linalg.norm(gradient)
        if not size < 0.5 * best:
            break
        best = size
        inside = xp.astype(abs(r) <= t, r.dtype)
        dz = Normal(rows.gram(inside)).solve(gradient)
        s = rows.product(dz)
        if step:
            z, y = trial, cut - inside * s  # A^T of this is zero
        trial, r = trial + dz, r - s
    return z, y


def _judge(task: Task, kink: Array, x: Array, y: Array, loop: Loop, method: str) -> Answer:
    """Measure objective and gap from the data."""
    xp = task.op.space.xp
    r = task.b - products(task.op, x)
    over = xp.max(abs(y) / kink)
    y = y / xp.where(over > 1, over, xp.ones_like(over))
    near = xp.minimum(abs(r), kink)
    unit = float(xp.max(near)) or 1.0  # products in it neither overflow nor vanish
    v, objective = y / unit, _huber_sum(r, near, unit)
    dual = float(xp.sum(v * (r / unit))) - float(xp.sum(v * v)) / 2
    floor = float(xp.sum((task.noise() * abs(task.b) / unit) ** 2))
    answer = certified(x, r, y, objective, dual, floor, task, loop, method)
    return replace(answer, objective=answer.objective * unit * unit)


def tukey(task: Task, kink: Array) -> Answer:
    """Minimise ``sum(kink**2 / 6 * (1 - (1 - min(1, abs(r) / kink)**2)**3))`` locally.

    Iteratively reweighted least squares, which never increases the objective. The gap of the answer
    is that of its gradient: how much of the weighted residual the data still explain.
    """
    rows, xp = task.rows, task.rows.space.xp
    loop = task.loop("reweighting")
    r = task.start(loop, rows.fill(xp.ones_like(task.b), 0.0))
    t = rows.fill(kink, 1.0)
    # from there, rounding drowns residuals: at the end the iteration starts again, from near
    far = float(xp.max(abs(r))) > _FAR * float(xp.max(abs(task.b)))
    z = rows.space.zeros((rows.k,), r.dtype)
    for _ in loop:
        g = bisquare(r, t)
        G, v = equations(rows, g, g * r)
        dz = Normal(G).solve(v)
        left = linalg.norm(xp.sqrt(g) * r) or 1.0
        gradient = math.sqrt(max(float(xp.sum((v / left) * (dz / left))), 0.0))
        if loop.report(gradient, z) <= task.tol:
            if not far:
                loop.stop(Status.CONVERGED)
                break
            far, loop.origin, z = False, loop.origin + rows.unwhiten(z), xp.zeros_like(z)
            r = rows.fill(task.b - products(task.op, loop.origin), 0.0)
            continue
        z, r = z + dz, r - rows.product(dz)
    x = loop.origin + rows.unwhiten(z)
    r = task.b - products(task.op, x)
    near = xp.minimum(abs(r) / kink, xp.ones_like(r))
    objective = tukey_loss(r, kink)
    status = Status.MAX_ITER if loop.status is None else loop.status
    within = rows.fill(xp.astype(near < 1, r.dtype), 0.0)
    values = xp.linalg.eigvalsh(rows.gram(within))  # those of all rows are one
    spanned = int(xp.count_nonzero(values > _SPANS))
    if spanned < rows.k and status is not Status.STOPPED:
        status = Status.BREAKDOWN
        warn(
            f"residuals below threshold * scale span {spanned} of {rows.k} dimensions: nothing holds x "
            "in the others; raise scale, or leave x0 out",
            AccuracyWarning,
        )
    error = loop.history[-1]
    y = xp.zeros_like(r)
    return Answer(x, r, y, objective, error, status, loop.history, loop.iteration, "reweighting")


def huber_loss(r: Array, kink: Array) -> float:
    """Return ``sum(r**2 / 2)``, with ``kink * abs(r) - kink**2 / 2`` where abs(r) > kink."""
    xp = space_of(r).xp
    near = xp.minimum(abs(r), kink)
    unit = float(xp.max(near)) or 1.0
    return _huber_sum(r, near, unit) * unit * unit


def _huber_sum(r: Array, near: Array, unit: float) -> float:
    """Return Huber's loss in units, for residuals whose parts up to the kink are given."""
    near, size = near / unit, abs(r) / unit
    return float(space_of(r).xp.sum(near * (size - near / 2)))


def tukey_loss(r: Array, kink: Array) -> float:
    """Return ``sum(kink**2 / 6 * (1 - (1 - min(1, abs(r) / kink)**2)**3))``."""
    xp = space_of(r).xp
    squares, unit = xp.minimum(abs(r) / kink, xp.ones_like(r)) ** 2, float(xp.max(kink))
    losses = (kink / unit) ** 2 / 6 * squares * (3 - 3 * squares + squares**2)
    return float(xp.sum(losses)) * unit * unit


def bisquare(r: Array, kink: Array | float) -> Array:
    """Weights of Tukey's loss: ``(1 - (r / kink)**2)**2``, zero beyond the kink."""
    xp = space_of(r).xp
    near = xp.minimum(abs(r) / kink, xp.ones_like(r))
    return (1 - near**2) ** 2
