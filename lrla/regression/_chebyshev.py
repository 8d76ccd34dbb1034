"""The largest residual: a linear programme on few rows, until no other row objects."""

from __future__ import annotations

from dataclasses import dataclass

from lrla._core.arrays import Array, space_of
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
    if task.is_rounding(r) and not task.has_l1:
        loop.status = Status.CONVERGED
        return judge(task, loop.origin, y[: rows.count], None, loop, "least squares")
    d = w * r
    loop.size = float(xp.max(abs(d)))
    if loop.size == 0 and (task.l1 is None or task.l1.value(loop.origin) == 0):
        loop.status = Status.CONVERGED
        return judge(task, loop.origin, y[: rows.count], None, loop, "least squares")
    extra = None
    if task.l1 is not None:  # which may leave residuals as large as b
        top = max(loop.size, float(xp.max(task.weights * abs(task.b) / xp.max(task.weights))))
        loop.size = top if top > 0 else 1.0
        at = task.l1.at
        extra = Absolute(
            xp.take(rows.T, at, axis=0),
            -xp.take(loop.origin, at) / loop.size,
            task.l1.size / xp.max(task.weights),
        )
    d = d / loop.size
    z, s = space.zeros((rows.k,), d.dtype), None
    working = spanning(rows, abs(d), _FIRST * (rows.k + 1))
    for _ in loop:
        z, values, s = _on_few(rows, d, w, working, extra)
        left = abs(d - w * rows.product(z))
        low = limit = float(xp.sum(values * xp.take(d, working)))
        high = float(xp.max(left))
        if extra is not None:
            low, limit = low + extra.inner(s), float(xp.max(xp.take(left, working)))
            high = high + extra.value(z)
        y = _scatter(values, working, rows)
        if loop.report((high - low) / high if high > 0 else 0.0, z) <= max(task.tol * 1e-4, 1e-14):
            loop.stop(Status.CONVERGED)
            break
        inside = _scatter(xp.ones_like(values), working, rows) > 0
        outside = xp.where(inside, xp.zeros_like(left), left)
        more = int(xp.sum(xp.astype(outside > limit * (1 + 1e-14), xp.int64)))
        if more == 0:  # the rest is the accuracy of the linear programme
            loop.stop(Status.CONVERGED)
            break
        more = min(more, int(working.shape[0]))
        worst = xp.argsort(outside, descending=True)[:more]
        working = xp.concat((working, worst))
    x = task.met(loop.origin + rows.unwhiten(loop.size * z))
    y = (y * w)[: rows.count] * xp.max(task.weights)
    s = None if s is None else -s * xp.max(task.weights)
    return judge(task, x, y, s, loop, "active set")


@dataclass(frozen=True, slots=True, eq=False)
class Absolute:
    """Absolute values of ``b - K z``, times their sizes, to be added to the largest residual."""

    K: Array
    b: Array
    size: Array

    def value(self, z: Array) -> float:
        """Return their sum."""
        return float(space_of(z).xp.sum(self.size * abs(self.b - self.K @ z)))

    def inner(self, s: Array) -> float:
        """Return what their dual variables add to the lower bound."""
        return float(space_of(s).xp.sum(s * self.b))


def _on_few(
    rows: Rows, d: Array, w: Array, working: Array, extra: Absolute | None
) -> tuple[Array, Array, Array | None]:
    """Solve on a working set; return coefficients and dual values, of its rows and of a penalty.

    With e the largest residual, ``-e <= d - K z <= e`` is a problem with one bound for each side
    of each row: its dual values lie between 0 and 1, for they sum to 1.
    """
    xp, space = rows.space.xp, rows.space
    K = xp.take(w, working)[:, None] * rows.take(working)
    v = xp.take(d, working)
    count = int(v.shape[0])
    one = xp.ones((count, 1), dtype=v.dtype, device=space.device)
    both = xp.concat((xp.concat((K, one), axis=1), xp.concat((-K, one), axis=1)), axis=0)
    b, more, inside = xp.concat((v - 1, -v - 1)), 0, 1 / (2 * count)
    low, bound = xp.zeros_like(b), xp.ones_like(b)
    start = bound / (2 * count)
    if extra is not None:
        more = int(extra.b.shape[0])
        both = xp.concat((both, xp.concat((extra.K, xp.zeros_like(extra.b[:, None])), axis=1)))
        b, low = xp.concat((b, extra.b)), xp.concat((low, -extra.size))
        bound, start = xp.concat((bound, extra.size)), xp.concat((start, 0 * extra.size))
    few = Rows(as_operator(both), space.eye(rows.k + 1, v.dtype))
    c = xp.concat((xp.zeros_like(K[0, :]), xp.ones_like(v[:1])))
    box = Box(
        few.fill(b, -1.0),
        xp.stack((few.fill(low, 0.0), few.fill(bound, 1.0))),
        c,
        offset=1.0,
        inside=few.fill(start, inside),
    )
    point = solve_box(few, box, _INNER, Loop("interior point", max_iter=_STEPS))
    values = point.y[:count] - point.y[count : 2 * count]
    return point.x[: rows.k], values, None if extra is None else point.y[2 * count :][:more]


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


def judge(task: Task, x: Array, y: Array, s: Array | None, loop: Loop, method: str) -> Answer:
    """Measure objective and gap from the data."""
    xp, l1 = task.op.space.xp, task.l1
    r = task.b - products(task.op, x)
    size = float(xp.sum(abs(y) / task.weights))
    objective = float(xp.max(task.weights * abs(r)))
    if l1 is not None and s is not None:
        size = max(size, float(xp.max(abs(s) / l1.size)))
        objective = objective + l1.value(x)
    y = y / size if size > 1 else y
    bound = float(xp.sum(y * r))
    if l1 is not None and s is not None:
        bound = bound + float(xp.sum(s * xp.take(x, l1.at))) / max(size, 1.0)
    floor = task.noise() * float(xp.max(task.weights * task.sizes()))
    return certified(x, r, y, objective, bound, floor, task, loop, method)
