"""Upper bounds on sensitivities from fewer problems than rows: signed sums of groups of rows."""

from __future__ import annotations

import math
from typing import NamedTuple

from lrla._core.arrays import Array, Space
from lrla._core.random import Domain, Key, key_of, tag
from lrla.kernels import philox
from lrla.sampling._order import random_order
from lrla.sampling._sensitivity_solver import Bounds, Solver

_PARTITION = 3  # of the domain of samples
_FEWER = 4  # times less problems than rows, by default


class Groups(NamedTuple):
    """How many rows are put together, how often signs are drawn, and the problems that result."""

    size: int
    draws: int
    n_problems: int


def plan(count: int, size: int | None, delta: float) -> Groups:
    """Draw signs so often that all rows are bounded with probability 1 - delta."""
    count = max(count, 1)
    draws = max(1, math.ceil(math.log2(count / delta)))
    size = min(size or _FEWER * draws, count)
    return Groups(size, draws, -(-count // size) * draws)


def by_groups(solver: Solver, index: Array, group: int, draws: int, seed: int) -> Bounds:
    """Bound the sensitivities of the rows of these numbers, as the notes of `sensitivities` say."""
    count = index.shape[0]
    if solver.leverage or 0 in (solver.rank, count):
        return solver(index)
    space, xp, key = solver.space, solver.space.xp, key_of(seed)
    order = partition(space, count, key)
    rows = xp.take(xp.take(solver.frame.U, index, axis=0), order, axis=0)
    low, high = solver.frame.bounds(rows)
    blocks = _blocked(space, rows, group)
    signs = philox.sign(space, key, tag(Domain.RADEMACHER), 0, count, draws)
    signs = _blocked(space, xp.astype(signs, xp.float64), group)
    sums = xp.matrix_transpose(signs) @ blocks  # of shape (groups, draws, rank)
    found = solver.solve(xp.reshape(sums, (-1, solver.rank)))
    shape = sums.shape[:2]
    most = xp.max(xp.reshape(found.upper, shape), axis=1)
    # a minimiser of a sum is one of the x that rows are to be tried with, too
    shares = blocks @ xp.matrix_transpose(xp.reshape(found.X, sums.shape))
    least = solver.frame.power(xp.abs(shares)) * xp.reshape(found.lower, shape)[:, None, :]
    least = xp.reshape(xp.max(least, axis=2), (-1,))[:count]
    lower = xp.minimum(xp.maximum(least, low), xp.ones_like(low))  # rounding aside
    upper = xp.minimum(xp.repeat(most, group)[:count], high)
    upper = xp.maximum(lower, upper)  # where signs fail, the row itself may tell
    back = xp.argsort(order)
    lower, upper = xp.take(lower, back), xp.take(upper, back)
    return Bounds(upper, lower, upper, found.solved)


def partition(space: Space, count: int, key: Key) -> Array:
    """Order rows at random: each ``group`` of them that follow each other are a group."""
    return random_order(space, count, key, tag(Domain.SAMPLE, _PARTITION))


def _blocked(space: Space, X: Array, group: int) -> Array:
    """Cut into groups of rows, with zeros at the end: shape (groups, group, columns)."""
    short = -X.shape[0] % group
    if short:
        X = space.xp.concat((X, space.zeros((short, X.shape[1]), X.dtype)))
    return space.xp.reshape(X, (-1, group, X.shape[1]))
