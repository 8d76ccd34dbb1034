"""Entries of a likelihood kernel, whether they are stored or computed when somebody asks."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla._core.arrays import Array, is_complex, space_of
from lrla.dpp._likelihood import hermitian


class Stored:
    """A kernel all of whose entries there are."""

    steps = 4096  # of a Markov chain whose entries are looked up together

    def __init__(self, L: Any) -> None:
        L = hermitian(L, "L")
        self.space = space_of(L)
        if self.space.is_numpy and not L.flags.c_contiguous:
            L = np.ascontiguousarray(L)  # once, rather than in each call of a kernel
        self.L, self.n = L, int(L.shape[0])

    def diagonal(self) -> Array:
        """Return the diagonal, real."""
        d = self.space.xp.linalg.diagonal(self.L)
        return self.space.xp.real(d) if is_complex(d) else d

    def row(self, j: int) -> Array:
        """Return one row."""
        return self.L[j, :]

    def block(self, S: np.ndarray) -> Array:
        """Return the entries among some items."""
        xp = self.space.xp
        items = self.space.asarray(S, xp.int64)
        return xp.take(xp.take(self.L, items, axis=0), items, axis=1)

    def among(self, items: np.ndarray) -> tuple[Array, np.ndarray]:
        """Return entries that contain those among some items, and which items they belong to."""
        return self.L, np.arange(self.n)


class Computed:
    """An object with ``shape``, ``diagonal()`` and ``block(rows, columns)``."""

    steps = 512

    def __init__(self, L: Any) -> None:
        self.L, self.n = L, int(L.shape[0])
        self.space = space_of(L.diagonal())

    def diagonal(self) -> Array:
        """Return the diagonal."""
        return self.L.diagonal()

    def row(self, j: int) -> Array:
        """Compute one row."""
        first = self.space.asarray([j], self.space.xp.int64)
        return self.L.block(first, slice(0, self.n))[0, :]

    def block(self, S: np.ndarray) -> Array:
        """Compute the entries among some items."""
        items = self.space.asarray(S, self.space.xp.int64)
        return self.L.block(items, items)

    def among(self, items: np.ndarray) -> tuple[Array, np.ndarray]:
        """Compute the entries among some items, each once; see `Stored`."""
        which = np.unique(items)
        return self.block(which), which


def entries_of(L: Any) -> Stored | Computed:
    """Look at a kernel at the door: what its entries are, and whether it may have them."""
    return Computed(L) if hasattr(L, "diagonal") and hasattr(L, "block") else Stored(L)
