"""The largest residual: a linear programme on few rows, until no other row objects."""

from __future__ import annotations

from lrla._core.arrays import Array
from lrla._core.iteration import Loop
from lrla._core.operators import as_operator
from lrla._core.results import Status
from lrla.regression._interior import Box, solve_box
from lrla.regression._one import Answer, Task, certified, products
from lrla.regression._rows import Rows
from lrla.regression._vertex import spanning

_FIRST = 5  # rows of the first working set for each column
_INNER = 1e-12  # gap of the linear programmes, where no vertex is found before
_STEPS = 60  # of the interior-point method, at most


def chebyshev(task: Task) -> Answer:
    """Minimise ``max(weights * abs(r))``."""
    rows, xp, space = task.rows, task.rows.space.xp, task.rows.space
    loop = task.loop("active set")
    w = rows.fill(task.weights / xp.max(task.weights), 1.0)
    r = task.start(loop, w)
    y = xp.zeros_like(r)
    if task.is_rounding(r):
        loop.status = Status.CONVERGED
        return judge(task, loop.origin, y[: rows.count], loop, "least squares")
    d = w * r
    loop.size = float(xp.max(abs(d)))
    d = d / loop.size
    z = space.zeros((rows.k,), d.dtype)
    working = spanning(rows, abs(d), _FIRST * (rows.k + 1))
    for _ in loop:
        z, values = _on_few(rows, d, w, working)
        left = abs(d - w * rows.product(z))
        low = float(xp.sum(values * xp.take(d, working)))
        high = float(xp.max(left))
        y = _scatter(values, working, rows)
        if loop.report((high - low) / high, z) <= max(task.tol * 1e-4, 1e-14):
            loop.stop(Status.CONVERGED)
            break
        inside = _scatter(xp.ones_like(values), working, rows) > 0
        outside = xp.where(inside, xp.zeros_like(left), left)
        more = int(xp.sum(xp.astype(outside > low * (1 + 1e-14), xp.int64)))
        if more == 0:  # the rest is the accuracy of the linear programme
            loop.stop(Status.CONVERGED)
            break
        more = min(more, int(working.shape[0]))
        worst = xp.argsort(outside, descending=True)[:more]
        working = xp.concat((working, worst))
    x = task.met(loop.origin + rows.unwhiten(loop.size * z))
    y = (y * w)[: rows.count] * xp.max(task.weights)
    return judge(task, x, y, loop, "active set")


def _on_few(rows: Rows, d: Array, w: Array, working: Array) -> tuple[Array, Array]:
    """Solve on a working set; return the coefficients and the dual values of its rows.

    With e the largest residual, ``-e <= d - K z <= e`` is a problem with one bound for each side
    of each row: its dual values lie between 0 and 1, for they sum to 1.
    """
    xp, space = rows.space.xp, rows.space
    K = xp.take(w, working)[:, None] * rows.take(working)
    v = xp.take(d, working)
    count = int(v.shape[0])
    one = xp.ones((count, 1), dtype=v.dtype, device=space.device)
    both = xp.concat((xp.concat((K, one), axis=1), xp.concat((-K, one), axis=1)), axis=0)
    few = Rows(as_operator(both), space.eye(rows.k + 1, v.dtype))
    full = few.m
    c = xp.concat((xp.zeros_like(K[0, :]), xp.ones_like(v[:1])))
    zero, unit = space.zeros((full,), v.dtype), xp.ones((full,), dtype=v.dtype, device=space.device)
    box = Box(
        few.fill(xp.concat((v - 1, -v - 1)), -1.0),
        xp.stack((zero, unit)),
        c,
        offset=1.0,
        inside=few.fill(unit[: 2 * count] / (2 * count), 1 / (2 * count)),
    )
    point = solve_box(few, box, _INNER, Loop("interior point", max_iter=_STEPS))
    return point.x[: rows.k], point.y[:count] - point.y[count : 2 * count]


def _scatter(values: Array, working: Array, rows: Rows) -> Array:
    """Put the values of working rows where they belong among all."""
    space, xp = rows.space, rows.space.xp
    order = xp.argsort(working)
    sorted_rows, values = xp.take(working, order), xp.take(values, order)
    every = xp.arange(rows.m, device=space.device)
    at = xp.searchsorted(sorted_rows, every)
    at = xp.where(at < sorted_rows.shape[0], at, xp.zeros_like(at))
    hit = xp.take(sorted_rows, at) == every
    return xp.where(
        hit, xp.take(values, at), xp.zeros((1,), dtype=values.dtype, device=space.device)
    )


def judge(task: Task, x: Array, y: Array, loop: Loop, method: str) -> Answer:
    """Measure objective and gap from the data."""
    xp = task.op.space.xp
    r = task.b - products(task.op, x)
    size = float(xp.sum(abs(y) / task.weights))
    y = y / size if size > 1 else y
    objective = float(xp.max(task.weights * abs(r)))
    floor = task.noise() * float(xp.max(task.weights * abs(task.b)))
    return certified(x, r, y, objective, float(xp.sum(y * r)), floor, task, loop, method)
