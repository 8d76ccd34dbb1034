"""Absolute values and quantiles: one right-hand side, by all rows."""

from __future__ import annotations

from lrla._core.arrays import Array, space_of
from lrla._core.iteration import Loop
from lrla._core.results import Status
from lrla.regression._interior import Box, solve_box
from lrla.regression._one import Answer, Task, certified, products
from lrla.regression._stages import in_stages


def interior(task: Task, tau: float) -> Answer:
    """Minimise the sum of ``weights * max(tau * r, (tau - 1) * r)``."""
    rows, xp = task.rows, task.rows.space.xp
    loop = task.loop("interior point")
    w = rows.fill(task.weights / xp.mean(task.weights), 1.0)
    r = task.start(loop, w)
    if task.is_rounding(r):
        loop.status = Status.CONVERGED
        return judge(task, tau, loop.origin, xp.zeros_like(task.b), loop, "least squares")
    bounds, c = xp.stack((w * (tau - 1), w * tau)), rows.space.zeros((rows.k,), r.dtype)

    def fit(b: Array) -> tuple[Array, Array]:
        point = solve_box(rows, Box(b, bounds, c), task.tol, loop)
        return point.x, point.y

    x, y = in_stages(task, loop, r, fit)
    return judge(task, tau, x, y[: rows.count] * xp.mean(task.weights), loop, "interior")


def tilted_loss(r: Array, w: Array, tau: float) -> float:
    """Return the sum of ``w * max(tau * r, (tau - 1) * r)``."""
    xp = space_of(r).xp
    return float(xp.sum(w * xp.maximum(tau * r, (tau - 1) * r)))


def judge(task: Task, tau: float, x: Array, y: Array, loop: Loop, method: str) -> Answer:
    """Measure objective and gap from the data."""
    xp = task.op.space.xp
    r = task.b - products(task.op, x)
    upper, lower = task.weights * tau, task.weights * (tau - 1)
    over = xp.max(xp.maximum(y / upper, y / lower))
    y = y / xp.where(over > 1, over, xp.ones_like(over))
    objective = tilted_loss(r, task.weights, tau)
    dual = float(xp.sum(y * r))
    floor = task.noise() * float(xp.sum(task.weights * task.sizes()))
    return certified(x, r, y, objective, dual, floor, task, loop, method)
