"""The five ways to draw: each turns scores and a size into rows, counts and expected counts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from lrla._core.arrays import Array, Space
from lrla._core.random import Domain, Key, tag
from lrla.kernels import philox
from lrla.kernels.pivotal import pivotal as tournament
from lrla.sampling._order import random_order, spatial_order
from lrla.sampling._probabilities import Scores, capped

_DRAW, _ORDER = 0, 1  # streams of the domain of samples
_LEAST = 1e-290  # a key is an exponential variate over a score: it must not overflow


class Request(NamedTuple):
    """What to draw, all of it checked."""

    scores: Scores
    size: int
    key: Key
    deterministic: bool
    coords: Array | None
    row_offset: int


class Draw(NamedTuple):
    """The rows of a sample, increasing, and what is known about each."""

    indices: Array
    counts: Array  # int64
    probs: Array  # expectation of the counts, float64
    certain: int  # how many rows were kept without a draw
    expected: float  # number of distinct rows, or of draws with replacement
    keys: Array | None = None
    scores: Array | None = None
    threshold: float = math.inf


def _numbers(kernel: Any, space: Space, key: Key, label: int, start: int, stop: int) -> Array:
    """Draw number i for every start <= i < stop, two to a block."""
    pairs = kernel(space, key, label, start // 2, (stop + 1) // 2, 2)
    flat = space.xp.reshape(pairs, (-1,))
    return flat[start % 2 : start % 2 + stop - start]


def _once(space: Space, indices: Array, probs: Array, certain: int, expected: float) -> Draw:
    """Make a draw in which every row is taken once, of indices into probs."""
    counts = space.xp.ones_like(indices)
    return Draw(indices, counts, space.xp.take(probs, indices), certain, expected)


def poisson(ask: Request) -> Draw:
    """Keep each row by a coin of its own."""
    space = ask.scores.space
    probs, certain = capped(ask.scores, ask.size)
    label, first = tag(Domain.SAMPLE, _DRAW), ask.row_offset
    u = _numbers(philox.uniform, space, ask.key, label, first, first + probs.shape[0])
    expected = float(min(ask.size, ask.scores.positive))
    return _once(space, space.xp.nonzero(u < probs)[0], probs, certain, expected)


def _of_fixed_size(ask: Request, draw: Callable[[Request, Array, int], Array]) -> Draw:
    """Keep the certain rows, and draw the rest of the size from the others in some order."""
    xp = ask.scores.space.xp
    probs, certain = capped(ask.scores, ask.size)
    n, rest = probs.shape[0], min(ask.size, ask.scores.positive) - certain
    if certain == 0 and ask.scores.positive == n:
        order = _order(ask, n, ask.coords)
        picked = xp.sort(xp.take(order, draw(ask, xp.take(probs, order), rest)))
        return _once(ask.scores.space, picked, probs, 0, float(rest))
    picked = xp.nonzero(probs >= 1.0)[0]
    if rest > 0:
        others = xp.nonzero((probs > 0.0) & (probs < 1.0))[0]
        where = None if ask.coords is None else xp.take(ask.coords, others, axis=0)
        others = xp.take(others, _order(ask, others.shape[0], where))
        drawn = xp.take(others, draw(ask, xp.take(probs, others), rest))
        picked = xp.sort(xp.concat((picked, drawn)))
    return _once(ask.scores.space, picked, probs, certain, float(rest + certain))


def _order(ask: Request, n: int, where: Array | None) -> Array:
    space = ask.scores.space
    if where is None:
        return random_order(space, n, ask.key, tag(Domain.SAMPLE, _ORDER))
    return spatial_order(space, where)


def pivotal(ask: Request) -> Draw:
    """Let neighbours in the order compete."""
    return _of_fixed_size(ask, lambda ask, p, rest: tournament(p, ask.key, tag(Domain.SAMPLE)))


def systematic(ask: Request) -> Draw:
    """Walk along the order in equal steps from a random start."""
    return _of_fixed_size(ask, _equal_steps)


def _equal_steps(ask: Request, p: Array, rest: int) -> Array:
    space = ask.scores.space
    xp = space.xp
    start = float(philox.uniform(space, ask.key, tag(Domain.SAMPLE), 0, 1, 1)[0, 0])
    milestones = xp.floor(xp.cumulative_sum(p, include_initial=True)[:-1] + start)
    milestones = xp.minimum(milestones, xp.zeros_like(milestones) + rest)
    end = space.asarray([float(rest)], xp.float64)  # exactly, whatever was rounded
    return xp.nonzero(xp.concat((milestones[1:], end)) > milestones)[0]


def replacement(ask: Request) -> Draw:
    """Draw independently from one distribution; merge what was drawn twice."""
    space, s = ask.scores.space, ask.scores.scaled
    xp = space.xp
    size, certain, rest = ask.size, xp.zeros(0, dtype=xp.int64, device=space.device), s
    if ask.deterministic:
        probs, n = capped(ask.scores, size)
        if n:
            sure = probs >= 1.0
            certain, size = xp.nonzero(sure)[0], size - n
            rest = xp.where(sure, xp.zeros_like(s), s)
    ones = xp.ones_like(certain)
    if size <= 0 or ask.scores.positive == certain.shape[0]:
        n = int(certain.shape[0])
        return Draw(certain, ones, xp.astype(ones, xp.float64), n, float(n))
    cumulated = xp.cumulative_sum(rest)
    total = cumulated[-1]
    label = tag(Domain.SAMPLE, _DRAW)
    u = xp.sort(_numbers(philox.uniform, space, ask.key, label, 0, size))
    drawn = xp.searchsorted(cumulated, u * total, side="right")
    last = xp.searchsorted(cumulated, xp.reshape(total, (1,)), side="left")
    rows, counts = xp.unique_counts(xp.minimum(drawn, last))
    probs = xp.take(rest, rows) * (size / total)
    indices = xp.concat((certain, xp.astype(rows, xp.int64)))
    order = xp.argsort(indices)
    return Draw(
        xp.take(indices, order),
        xp.take(xp.concat((ones, xp.astype(counts, xp.int64))), order),
        xp.take(xp.concat((xp.astype(ones, xp.float64), probs)), order),
        int(certain.shape[0]),
        float(ask.size),
    )


def bottom_k(ask: Request) -> Draw:
    """Keep the smallest of exponential variates over scores; the next one is the threshold."""
    space, s = ask.scores.space, ask.scores.values
    xp = space.xp
    everywhere = float(xp.min(s)) >= _LEAST
    if not everywhere and bool(xp.any((s > 0) & (s < _LEAST))):
        raise ValueError(
            f"scores must be zero or at least {_LEAST} for design='bottom_k', got smaller ones; "
            "multiply them by a constant"
        )
    label, first = tag(Domain.EXPONENTIAL), ask.row_offset
    keys = _numbers(philox.exponential, space, ask.key, label, first, first + s.shape[0])
    if everywhere:
        keys = keys / s
    else:
        keys = xp.where(s > 0, keys / xp.where(s > 0, s, xp.ones_like(s)), math.inf)
    size = min(ask.size, int(xp.count_nonzero(s)))
    tame = size > 0 and ask.scores.scaled is s
    guess = 1.5 * size / float(xp.sum(s)) if tame else math.inf
    rows, threshold = smallest(space, keys, size, guess)
    return by_threshold(space, rows, xp.take(keys, rows), xp.take(s, rows), threshold)


def smallest(space: Space, keys: Array, size: int, guess: float) -> tuple[Array, float]:
    """Return the increasing positions of the ``size`` smallest keys, and the next larger key.

    If more keys than that are below the guess, only these are sorted.
    """
    xp, n = space.xp, keys.shape[0]
    if n <= size:
        return xp.arange(n, dtype=xp.int64, device=space.device), math.inf
    few = xp.nonzero(keys < guess)[0]
    if few.shape[0] <= size:
        few = xp.arange(n, dtype=xp.int64, device=space.device)
    order = xp.take(few, xp.argsort(xp.take(keys, few))[: size + 1])
    return xp.sort(order[:size]), float(keys[order[size]])


def by_threshold(
    space: Space, rows: Array, keys: Array, scores: Array, threshold: float
) -> Draw:  # fmt: skip
    """Give each row that is below the threshold the probability of being there."""
    xp = space.xp
    probs = -xp.expm1(-scores * threshold)
    n = int(rows.shape[0])
    certain = n if math.isinf(threshold) else 0
    return Draw(
        rows, xp.ones_like(rows), probs, certain, float(n), keys, scores, threshold
    )  # fmt: skip


DESIGNS: dict[str, Callable[[Request], Draw]] = {
    "pivotal": pivotal,
    "poisson": poisson,
    "systematic": systematic,
    "replacement": replacement,
    "bottom_k": bottom_k,
}
