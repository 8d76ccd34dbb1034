"""The sampler behind all of them: a projection process by rejection from leverage scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from lrla._core.arrays import Array, Space, space_of
from lrla._core.random import Domain, Key, key_of, seed_of, tag
from lrla.dpp._errors import SamplingError
from lrla.kernels import philox
from lrla.kernels.determinantal import join


class Streams(NamedTuple):
    """The random numbers of one draw: what is proposed, and what else is decided."""

    key: Key
    draw: int

    def uniform(self, space: Space, start: int, stop: int, count: int, *, part: int = 0) -> Array:
        """Uniform numbers of shape (stop - start, count), by position."""
        which = tag(Domain.DPP, 4 * self.draw + part)
        return philox.uniform(space, self.key, which, start, stop, count)


class Proposals(Protocol):
    """Where items come from that are proposed with probability proportional to leverage."""

    space: Space
    size: int  # of the sample

    def propose(self, u: Array) -> tuple[Array, Array]:
        """Turn uniform numbers into items and their rows of an orthonormal basis."""
        ...


def projection(source: Proposals, streams: Streams) -> tuple[Array, int]:
    """Draw one sample of a projection process: items as they came, and how many were proposed."""
    m, space = source.size, source.space
    if m == 0:
        return space.zeros((0,), space.xp.int64), 0

    def propose(start: int, stop: int) -> tuple[Array, Array, Array]:
        u = streams.uniform(space, start, stop, 2)
        return *source.propose(u[:, 0]), u[:, 1]

    chosen, asked = join(propose, m)
    items = space.xp.concat(chosen)
    if items.shape[0] < m:
        raise SamplingError(
            f"{asked} proposals gave {items.shape[0]} of {m} items: the columns are not "
            "orthonormal, or their rank is smaller than their number"
        )
    return items, asked


def draws(one: Callable[[Streams], Array], size: int | None, rng: Any) -> Any:
    """Call ``one`` for each draw that is asked for: an array for None, a list otherwise."""
    if size is not None and (isinstance(size, bool) or int(size) != size or size < 0):
        raise ValueError(f"size must be None or an integer, not negative, got {size!r}")
    key = key_of(seed_of(rng))
    if size is None:
        return one(Streams(key, 0))
    return [one(Streams(key, i)) for i in range(int(size))]


def cumulative(weights: Array) -> Array:
    """Sum up weights for `pick`, in float64."""
    xp = space_of(weights).xp
    return xp.cumulative_sum(xp.astype(weights, xp.float64))


def pick(sums: Array, u: Array, space: Space) -> Array:
    """Choose items with probability proportional to their weights; never one of weight zero."""
    xp = space.xp
    top = sums[-1]
    below = xp.minimum(u * top, (1 - 2.0**-52) * top)  # the product may round up to the total
    return xp.searchsorted(sums, below, side="right")
