"""Huge residuals cut to size, where they would hide all others from the stopping test.

A loss that grows linearly does not ask how far out a row is: its solution stays what it is where
such a residual shrinks and keeps its sign. A gap relative to the sum of all residuals does ask, and
so does rounding, of which the largest has as much as the smallest are long.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from lrla._core.arrays import Array
from lrla._core.results import Status
from lrla.regression._one import Report, Task, products

FAR = 1e3  # medians: residuals beyond are cut, and a mean beyond asks for another stage
_STAGES = 8  # at most; each gains some eight digits
_CUT_SHORT = (Status.STOPPED, Status.MAX_ITER)


def in_stages(
    task: Task, loop: Report, r: Array, solve: Callable[[Array], tuple[Array, Array]],
    linear: float = 0.0,
) -> tuple[Array, Array]:  # fmt: skip
    """Solve for residuals r at the loop's origin, and again near the solution while that helps.

    Parameters
    ----------
    task : Task
        What to fit.
    loop : Report
        Counts the iterations of all stages; its origin and size become those of the last one.
    r : array
        Residuals at the origin, filled up.
    solve : callable
        ``solve(r / loop.size)`` returns the change of coefficients, in units of the loop's size,
        and dual variables.
    linear : float, default 0
        Size of residuals from which on the loss is linear.

    Returns
    -------
    x : array of shape (n,)
        The solution.
    y : array
        The dual variables.
    """
    rows, xp = task.rows, task.rows.space.xp
    x, y, cut, median = loop.origin, xp.zeros_like(r), xp.zeros_like(task.b), math.inf
    for stage in range(_STAGES):
        loop.size = float(xp.sum(abs(r))) / rows.count
        change, dual = solve(r / loop.size)
        trial = task.met(loop.origin + rows.unwhiten(loop.size * change))
        left = task.b - products(task.op, trial)
        cut_short = loop.status in _CUT_SHORT
        if stage and (cut_short or bool(xp.any(cut * left < 0))):
            break  # what the stage before has found is right as far as it goes
        if not stage or float(xp.sum((dual - y)[: left.shape[0]] * left)) >= 0:
            y = dual  # any feasible one is a bound: the higher is kept
        x = trial
        small = typical(task, left, loop.size / FAR)
        if cut_short or not small < 0.5 * median:
            break
        median, limit = small, max(FAR * small, 2 * linear)
        near = xp.clip(left, -limit, limit)
        cut = left - near
        loop.origin, loop.status, r = x, None, rows.fill(near, 0.0)
    return x, y


def typical(task: Task, r: Array, bound: float) -> float:
    """Return the median of the sizes of residuals, or infinity if it is not below the bound.

    Residuals that are nothing but rounding do not count.
    """
    xp, b = task.op.space.xp, task.b
    size = abs(r)
    counts = size > task.noise() * xp.maximum(abs(b), abs(b - r))
    number, below = (int(xp.count_nonzero(mask)) for mask in (counts, counts & (size < bound)))
    if 2 * below <= number:
        return math.inf
    size = xp.where(counts, size, xp.full_like(size, math.inf))
    half = number // 2
    return float((xp.partition(size, half) if task.op.space.is_numpy else xp.sort(size))[half])
