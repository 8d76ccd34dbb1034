"""Orders in which unknowns take their turns: as numbered, by colour, or as the user says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla.kernels.colouring import greedy_colours

Integers = np.ndarray[Any, Any]

_LEAST = 512  # rows of a block: fewer would not be worth the bookkeeping


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Turns of the unknowns.

    Parameters
    ----------
    turns : array of int or None
        Which unknown is moved when; None for their own order.
    blocks : tuple of int
        Bounds of consecutive blocks of turns.
    independent : bool
        Whether unknowns of a block do not refer to each other: colours.
    """

    turns: Integers | None
    blocks: tuple[int, ...]
    independent: bool


def natural(indices: Integers, indptr: Integers) -> Order:
    """Keep the order, in blocks that refer to none beyond their neighbours."""
    n = indptr.size - 1
    if n == 0 or indices.size == 0:
        return Order(None, (0, n), False)
    filled = np.flatnonzero(np.diff(indptr))
    reach = max(
        int(np.max(filled - indices[indptr[filled]])),
        int(np.max(indices[indptr[filled + 1] - 1] - filled)),
    )
    height = max(reach + 1, _LEAST)
    return Order(None, (*range(0, n, height), n), False)


def coloured(indices: Integers, indptr: Integers, name: str) -> Order:
    """Take unknowns colour by colour: two if the graph allows it, else greedily."""
    pattern = symmetric_pattern(indices, indptr)
    colours = two_colours(pattern)
    if colours is None:
        if name == "redblack":
            raise ValueError(
                "order 'redblack' must have a matrix whose graph has two colours, got one with an "
                "odd cycle; use order='multicolor'"
            )
        colours = greedy_colours(pattern.indices, pattern.indptr)
    turns = np.argsort(colours, kind="stable")
    counts = np.bincount(colours) if colours.size else np.zeros(1, np.int64)
    return Order(turns, (0, *(int(e) for e in np.cumsum(counts))), True)


def symmetric_pattern(indices: Integers, indptr: Integers) -> Any:
    """Return the CSR pattern of A + A^T, without its diagonal."""
    import scipy.sparse

    n = indptr.size - 1
    rows = np.repeat(np.arange(n), np.diff(indptr))
    off = rows != indices
    ones = np.ones(int(off.sum()), bool)
    half = scipy.sparse.csr_array((ones, (rows[off], indices[off])), shape=(n, n))
    return (half + half.T).tocsr()


def two_colours(pattern: Any) -> Integers | None:
    """Colour a symmetric pattern with two colours; None if it has an odd cycle.

    In the double cover of a graph, each vertex twice and each edge between unlike copies, the two
    copies of a vertex are connected exactly if an odd cycle is.
    """
    import scipy.sparse
    from scipy.sparse.csgraph import connected_components

    n = pattern.shape[0]
    if n == 0:
        return np.zeros(0, np.int64)
    cover = scipy.sparse.block_array([[None, pattern], [pattern.T, None]], format="csr")
    _, label = connected_components(cover, directed=False)
    one, other = label[:n], label[n:]
    return None if np.any(one == other) else (one > other).astype(np.int64)
