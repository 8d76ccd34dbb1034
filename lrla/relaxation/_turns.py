"""The order of a sweep, and the rows of a matrix in that order."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla._core.arrays import Array, Space
from lrla.relaxation._order import Order, coloured, natural
from lrla.relaxation._system import on_host

ORDERS = ("natural", "multicolor", "redblack")


class Turns:
    """In which order unknowns take their turns, and how vectors and rows get there and back.

    Parameters
    ----------
    indices, indptr : arrays
        Structure of the matrix, in CSR form.
    order : str or array of int
        As for `SweepPlan`.
    space : Space
        Where the matrix lives.
    """

    def __init__(self, indices: Array, indptr: Array, order: Any, space: Space) -> None:
        self.xp = space.xp
        self.order, self._source, self.structure = ordered(indices, indptr, order, space)
        self._turns = self._back = None
        if self.order.turns is not None:
            self._turns = space.asarray(self.order.turns, space.xp.int64)
            self._back = space.xp.argsort(self._turns)

    @property
    def layout(self) -> tuple[tuple[int, ...], bool]:
        """Bounds of blocks of rows, and whether rows of a block are independent."""
        return self.order.blocks, self.order.independent

    def entries(self, data: Array) -> Array:
        """Put the entries of the matrix into the order of the sweeps."""
        return data if self._source is None else self.xp.take(data, self._source)

    def enter(self, v: Array) -> Array:
        """Put a vector into the order of the sweeps."""
        return v if self._turns is None else self.xp.take(v, self._turns, axis=0)

    def leave(self, v: Array) -> Array:
        """Put a vector back into the order of the unknowns."""
        return v if self._back is None else self.xp.take(v, self._back, axis=0)

    def check_diagonal(self, fine: Array, rule: str, advice: str) -> None:
        """Refuse a diagonal of which not all entries are fine; name the first row that is not."""
        if bool(self.xp.all(fine)):
            return
        turns = np.flatnonzero(~on_host(self.xp.astype(fine, self.xp.int8)).astype(bool))
        row = int(np.min(turns if self.order.turns is None else self.order.turns[turns]))
        raise np.linalg.LinAlgError(
            f"diagonal entries of A must be {rule}, got another one in row {row}; {advice}"
        )


def ordered(
    indices: Array, indptr: Array, order: Any, space: Space
) -> tuple[Order, Array | None, tuple[Array, Array]]:
    """Look at a structure; return the order, where its entries come from, and its CSR arrays."""
    where = on_host(indices), on_host(indptr)
    if isinstance(order, str):
        if order not in ORDERS:
            raise ValueError(
                f"order must be one of {', '.join(ORDERS)}, or an array, got {order!r}"
            )
        if order == "natural":
            return natural(*where), None, (indices, indptr)
        found = coloured(*where, order)
    else:
        found = Order(_given(order, where[1].size - 1), (0, where[1].size - 1), False)
    source, inner, ends = permuted(*where, found.turns)
    if not found.independent:
        found = Order(found.turns, natural(inner, ends).blocks, False)
    xp = space.xp
    structure = space.asarray(inner, indices.dtype), space.asarray(ends, indptr.dtype)
    return found, space.asarray(source, xp.int64), structure


def _given(order: Any, n: int) -> np.ndarray[Any, Any]:
    turns = np.asarray(order)
    if turns.shape != (n,) or not np.array_equal(np.sort(turns), np.arange(n)):
        raise ValueError(
            f"order must hold each of the unknowns 0 to {n - 1} once, got shape {turns.shape}"
        )
    return turns


def permuted(
    indices: np.ndarray[Any, Any], indptr: np.ndarray[Any, Any], turns: Any
) -> tuple[Any, Any, Any]:
    """Permute rows and columns of a CSR structure; say where each of its entries was."""
    place = np.empty_like(turns)
    place[turns] = np.arange(turns.size)
    counts = np.diff(indptr)
    rows = np.repeat(place, counts)
    source = np.lexsort((place[indices], rows))
    ends = np.concatenate([[0], np.cumsum(counts[turns])])
    return source, place[indices][source], ends
