"""What items are called, here and after conditioning."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla._core.arrays import Array, space_of, to_host


class Labelled:
    """Items that may be those that conditioning left: what they are called."""

    n: int
    labels: np.ndarray | None

    def _positions(self, S: Any) -> np.ndarray:
        """Find items by their labels."""
        if self.labels is None:
            return subset(S, self.n)
        wanted = subset(S, int(self.labels.max(initial=-1)) + 1)
        unknown = np.setdiff1d(wanted, self.labels)
        if len(unknown):
            raise ValueError(f"{unknown.tolist()} are not items of this process")
        return np.searchsorted(self.labels, wanted)

    def _named(self, items: Array) -> Array:
        if self.labels is None:
            return items
        space = space_of(items)
        return space.xp.take(space.asarray(self.labels, space.xp.int64), items)

    def _relabel(self, rest: np.ndarray) -> np.ndarray:
        return rest if self.labels is None else self.labels[rest]


def subset(S: Any, n: int) -> np.ndarray:
    """Check a set of items: distinct integers in [0, n)."""
    items = to_host(S)
    if items.size == 0:
        return np.zeros(0, np.int64)
    if items.ndim != 1 or items.dtype.kind not in "iu":
        raise ValueError(f"a set of items must be a sequence of integers, got {S!r}")
    if items.min() < 0 or items.max() >= n or len(np.unique(items)) != len(items):
        raise ValueError(f"items must be distinct integers from 0 to {n - 1}, got {items.tolist()}")
    return items.astype(np.int64)
