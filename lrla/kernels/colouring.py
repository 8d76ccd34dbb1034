"""Colours for the vertices of a graph, so that neighbours differ."""

from __future__ import annotations

from itertools import pairwise

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel


@kernel
def greedy_colours(indices: Array, indptr: Array) -> Array:
    """Give each vertex in turn the smallest number that none of its neighbours has yet.

    Parameters
    ----------
    indices, indptr : arrays
        Neighbours in CSR form, symmetric; a vertex beside itself is ignored.

    Returns
    -------
    array of shape (n,)
        Colours from 0, int64; at most one more than the largest number of neighbours.
    """
    space = space_of(indices)
    ends = [int(e) for e in indptr]
    neighbours = [int(j) for j in indices]
    colours: list[int] = []
    for i, (start, stop) in enumerate(pairwise(ends)):
        taken = {colours[j] for j in neighbours[start:stop] if j < i}
        colours.append(next(c for c in range(len(taken) + 1) if c not in taken))
    return space.asarray(colours, space.xp.int64)
