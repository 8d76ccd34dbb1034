"""In which order rows meet: at random, or neighbours in space first."""

from __future__ import annotations

import math

from lrla._core.arrays import Array, Space
from lrla._core.random import Key
from lrla.kernels import philox
from lrla.kernels.pivotal import depth


def random_order(space: Space, n: int, key: Key, label: int) -> Array:
    """Return a random permutation of ``range(n)``."""
    positions = space.xp.arange(n, dtype=space.xp.int64, device=space.device)
    return philox.permute(positions, key, label, n) if n else positions


def spatial_order(space: Space, X: Array) -> Array:
    """Order the leaves of a tree that halves a set of points along its principal direction.

    The nodes of the tree are those of `lrla.kernels.pivotal`, so that in its tournament the points
    of a small region meet first (Shimizu et al., arXiv:2310.04966, algorithm 2). All nodes of a
    level are split at once: in each, the points are sorted along their first principal component.
    """
    xp, n = space.xp, X.shape[0]
    order = xp.arange(n, dtype=xp.int64, device=space.device)
    for level in range(depth(n)):
        ends = xp.arange((1 << level) + 1, dtype=xp.int64, device=space.device) * n >> level
        first, size = ends[:-1, None], (ends[1:] - ends[:-1])[:, None]
        widest = -(-n >> level)
        within = xp.arange(widest, dtype=xp.int64, device=space.device)[None, :]
        valid = within < size
        place = xp.where(valid, first + within, xp.broadcast_to(first, valid.shape))
        points = xp.take(X, xp.take(order, xp.reshape(place, (-1,))), axis=0)
        points = xp.reshape(points, (*place.shape, X.shape[1]))
        height = _along(space, points, valid[:, :, None], size[:, :, None])
        height = xp.where(valid, height, xp.zeros_like(height) + math.inf)
        inner = xp.argsort(height, axis=1, stable=True)  # the padding stays at the end
        order = xp.take(order, (first + inner)[valid])
    return order


def _along(space: Space, points: Array, valid: Array, size: Array) -> Array:
    """Project the points of each node, shape (nodes, widest, k), on their principal direction."""
    xp, k = space.xp, points.shape[2]
    if k == 1:
        return points[:, :, 0]
    zero = xp.zeros_like(points)
    mean = xp.sum(xp.where(valid, points, zero), axis=1, keepdims=True) / xp.astype(
        size, points.dtype
    )
    D = xp.where(valid, points - mean, zero)
    C = xp.matrix_transpose(D) @ D
    # where two directions are equally long, as in a square, the earlier axis wins on every machine
    bonus = xp.arange(k, 0, -1, dtype=points.dtype, device=space.device) * 1e-9
    trace = xp.sum(D * D, axis=(1, 2))[:, None, None]
    C = C + trace * (space.eye(k, points.dtype) * bonus)
    v = xp.linalg.eigh(C)[1][:, :, -1]
    # and the sign is that of the first entry of some size
    large = xp.abs(v) >= 0.5 * xp.max(xp.abs(v), axis=1, keepdims=True)
    lead = xp.arange(k, dtype=xp.int64, device=space.device)[None, :]
    here = lead == xp.argmax(xp.astype(large, xp.int8), axis=1)[:, None]
    sign = xp.sign(xp.sum(xp.where(here, v, xp.zeros_like(v)), axis=1, keepdims=True))
    return (D @ (v * sign)[:, :, None])[:, :, 0]
