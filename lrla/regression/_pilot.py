"""Many rows: a pilot tells which of them have a sure sign, and only the others need to be solved."""

from __future__ import annotations

import math
from dataclasses import replace

from lrla._core.arrays import Array, space_of
from lrla._core.errors import RankDeficientWarning, once, warn
from lrla._core.operators import Operator
from lrla._core.results import Status
from lrla.regression._interior import Box, Point, solve_box
from lrla.regression._one import Answer, Report, Task, adjoint_product, prepare, products, taken
from lrla.regression._piecewise import interior, judge
from lrla.regression._rows import Rows
from lrla.regression._stages import FAR, typical
from lrla.sampling import LeverageResult, leverage_scores, sample_rows

_PILOT_TOL = 1e-4  # gap of the pilot: below the error that its sample has anyway
_BAND = 0.8  # rows kept for each row of the pilot: Portnoy and Koenker 1997
_NEAR = 3.0  # times sqrt(k m): rows kept where the fit of a level nearby is the pilot
_FEW = 0.1  # of these may have had the wrong sign before the band is doubled
_ROUNDS = 8  # of mistakes put right; in the last of them all rows are taken


def pays(op: Operator) -> bool:
    """Tell whether there are enough rows for a pilot to pay.

    It saves passes: where each of these makes the rows anew, pilot and band need only be smaller
    than half of the rows.
    """
    m, n = op.shape
    if op.kind == "blocks":
        return 2 * (1 + _BAND) * n**0.5 * m ** (2 / 3) < m
    return m >= 50_000 and m > 50 * n


def likely(op: Operator, weights: Array, seed: int) -> LeverageResult:
    """Find scores to draw a pilot by; warn of a rank below the number of columns, as for all rows."""
    with once(RankDeficientWarning, told=True):  # of fewer rows than columns it would say less
        found = leverage_scores(op.A, weights=weights**2, rng=seed)
    if found.rank < op.shape[1]:
        warn(f"A has rank {found.rank}, less than its {op.shape[1]} columns", RankDeficientWarning)
    return found


def near_enough(op: Operator, one: float, other: float) -> bool:
    """Tell whether the fit of one level makes a better pilot of the other than a sample does."""
    m, n = op.shape
    if m < 10_000 or m <= 50 * n:
        return False
    return _near_width(m, n, other - one) <= _BAND * n**0.5 * m ** (-1 / 3)


def _near_width(m: int, k: int, shift: float) -> float:
    return _NEAR * math.sqrt(k / m) + abs(shift) / 2


def piloted(
    task: Task,
    tau: float,
    found: LeverageResult,
    seed: int,
    near: tuple[float, Answer] | None = None,
) -> Answer:
    """Minimise the sum of ``weights * max(tau * r, (tau - 1) * r)`` by as few rows as that takes.

    Portnoy and Koenker's preprocessing: fit a sample, sum up the rows whose residual is too large
    for its sign to be in doubt, solve for the others, verify the signs. The pilot is drawn by
    leverage scores, not uniformly, so that it has full rank whatever the data; the same scores say
    how far each prediction of the pilot may be off. The fit of a level nearby makes a better pilot,
    for nothing: the preprocessing of Chernozhukov, Fernández-Val and Melly (2022).
    """
    xp, op = task.op.space.xp, task.op
    m, k = op.shape[0], int(found.T.shape[1])
    T = xp.astype(found.T, task.b.dtype)
    size = math.ceil(k**0.5 * m ** (2 / 3))
    if k == 0 or (near is None and size >= m):  # nothing but zeros, or a pilot of all rows
        return _whole(task, T, found, tau, None)
    if near is None:
        drawn = sample_rows(found.scores / k + 1 / m, size, design="poisson", rng=seed)
        draw = xp.astype(drawn.weights, task.b.dtype)
        pilot = interior(_part(task, T, found, drawn.indices, draw, _PILOT_TOL), tau)
        shift, width = 0.0, _BAND * size / m
    else:
        pilot = replace(near[1], history=[], iterations=0)
        # in ranks of residuals the quantiles of parallel planes differ by their levels
        shift = tau - near[0]
        width = _near_width(m, k, shift)
    x, history, count = pilot.x, list(pilot.history), pilot.iterations
    r = task.b - products(op, x)
    if task.is_rounding(r):
        loop = task.loop("pilot")
        loop.status = Status.CONVERGED
        return judge(task, tau, x, xp.zeros_like(r), loop, "pilot")
    w = task.weights / xp.mean(task.weights)
    spread = xp.sqrt(xp.astype(found.scores, r.dtype)) / w
    tiny = float(xp.max(spread)) * 1e-8
    z = r / xp.where(spread > tiny, spread, xp.full_like(spread, tiny))
    pilot_at, wrong = (x, r), None
    few = _FEW * width * m
    far = FAR * typical(task, r, math.inf)
    centre = float(xp.sum(xp.where(r < 0, w, xp.zeros_like(w)))) / m + shift
    for turn in range(_ROUNDS):
        if wrong is None:
            x, r = pilot_at
            low, high = _sides(z, w, centre, width)
            width = 2 * width
            if bool(xp.any(low | high)):
                low, high = low | (r < -far), high | (r > far)
        else:
            low, high = low & ~wrong, high & ~wrong
        if turn == _ROUNDS - 1 or not bool(xp.any(low | high)):
            answer = _whole(task, T, found, tau, x)
            history, count = history + answer.history, count + answer.iterations
            return replace(answer, history=history, iterations=count)
        middle = ~(low | high)
        y = xp.where(low, w * (tau - 1), xp.where(high, w * tau, xp.zeros_like(r)))
        point, loop, x = _middle(task, T, found, tau, xp.nonzero(middle)[0], x, r, y, w, far)
        history, count = history + loop.history, count + loop.iteration
        r = task.b - products(op, x)
        wrong = y * r < 0
        mistakes = int(xp.sum(xp.astype(wrong, xp.int64)))
        converged = loop.status is Status.CONVERGED
        if loop.status is Status.STOPPED or (mistakes == 0 and converged):
            break
        if mistakes > few or not converged:
            wrong = None
    y = _put(y, point.y, middle)
    answer = judge(task, tau, x, y * xp.mean(task.weights), loop, "pilot")
    return replace(answer, history=history, iterations=count)


def _whole(task: Task, T: Array, found: LeverageResult, tau: float, x0: Array | None) -> Answer:
    """Solve for all rows after all."""
    rows = prepare(task.op, T, float(found.info.condition))
    return replace(interior(replace(task, rows=rows, x0=x0), tau), method="pilot")


def _middle(
    task: Task, T: Array, found: LeverageResult, tau: float, index: Array, x: Array, r: Array,
    y: Array, w: Array, far: float,
) -> tuple[Point, Report, Array]:  # fmt: skip
    """Solve for the rows of an index, given dual values y of the others, which are summed up.

    Residuals further out than ``far`` count as that in the size of the gap.
    """
    xp = task.op.space.xp
    rows = _part(task, T, found, index, None, task.tol).rows
    loop = task.loop("interior point")
    inside = xp.take(r, index)
    loop.origin, loop.rows = x, rows
    loop.size = max(float(xp.sum(abs(inside))) / int(index.shape[0]), 1e-300)
    v = rows.fill(xp.take(w, index), 1.0)
    box = Box(
        rows.fill(inside / loop.size, 0.0),
        xp.stack((v * (tau - 1), v * tau)),
        -(T.T @ adjoint_product(task.op, y)),
        offset=float(xp.sum(y * xp.clip(r, -far, far))) / loop.size,
    )
    point = solve_box(rows, box, task.tol, loop)
    return point, loop, task.met(x + loop.size * rows.unwhiten(point.x))


def _part(
    task: Task, T: Array, found: LeverageResult, index: Array, draw: Array | None, tol: float
) -> Task:
    """Take some of the rows, with the weights of their draw."""
    xp, op = task.op.space.xp, task.op
    part = taken(op, index)
    weights = xp.take(task.weights, index)
    return replace(
        task,
        op=part,
        rows=Rows(part, T, float(found.info.condition)),
        b=xp.take(task.b, index),
        weights=weights if draw is None else weights * draw,
        tol=tol,
        x0=None,
        callback=None if draw is not None else task.callback,
    )


def _sides(z: Array, w: Array, centre: float, width: float) -> tuple[Array, Array]:
    """Tell which values lie surely below and above zero: outside a band of ranks around it.

    Of ranks and not of values, so that the dual values of the rows inside the band can make up for
    those outside; around the rank of zero, which is that of tau only where the model has an
    intercept.
    """
    space = space_of(z)
    xp, m = space.xp, int(z.shape[0])
    below, above = centre - width / 2, centre + width / 2
    if bool(xp.all(w == w[0])):
        places = [min(max(int(level * m), 0), m - 1) for level in (below, above)]
        sort = xp.partition(z, places) if space.is_numpy else xp.sort(z)
        cuts = [float(sort[k]) for k in places]
    else:
        order = xp.argsort(z)
        levels = xp.cumulative_sum(xp.take(w, order)) / xp.sum(w)
        counts = [int(xp.sum(xp.astype(levels < level, xp.int64))) for level in (below, above)]
        cuts = [float(z[int(order[min(k, m - 1)])]) for k in counts]
    nowhere = xp.zeros_like(z) > 0
    return z < cuts[0] if below > 0 else nowhere, z > cuts[1] if above < 1 else nowhere


def _put(y: Array, values: Array, middle: Array) -> Array:
    """Put values, in order, where middle is true."""
    xp = space_of(y).xp
    place = xp.cumulative_sum(xp.astype(middle, xp.int64)) - 1
    return xp.where(middle, xp.take(values, xp.where(middle, place, xp.zeros_like(place))), y)
