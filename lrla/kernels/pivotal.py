"""Pivotal sampling: inclusion probabilities decided by a tournament of random duels.

Two units with probabilities a and b meet. If a + b < 1, one of them is out and the other goes on
with a + b; otherwise one of them is in and the other goes on with a + b - 1, the odds being those
that keep the expectation of both (Deville and Tille, "Unequal probability sampling without
replacement through a splitting method", Biometrika 85, 1998). When all have met, the sum of the
probabilities is the size of the sample. Here the duels form a balanced binary tree over consecutive
positions, as for the spatial trees of Shimizu, Cheng, Musco and Weare, arXiv:2310.04966, so that all
duels of a level are independent of each other and neighbours meet first.
"""

from __future__ import annotations

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel
from lrla.kernels import philox


def depth(n: int) -> int:
    """Return the number of levels of the tree over n positions.

    Node k of the 2**j nodes of level j covers the positions from ``(k * n) >> j`` up to and without
    ``((k + 1) * n) >> j``, so that a node of the last level covers one position or none.
    """
    return max(n - 1, 0).bit_length()


@kernel
def pivotal(probs: Array, key: tuple[int, int], tag: int) -> Array:
    """Draw a sample of fixed size with given inclusion probabilities.

    Parameters
    ----------
    probs : array of shape (n,), float64
        Between 0 and 1, with a whole sum up to rounding.
    key, tag
        See `lrla.kernels.philox`. The duel at node k of level j takes uniform number ``2**j + k``.

    Returns
    -------
    array, int64
        Positions of the sample, increasing.
    """
    space = space_of(probs)
    xp, n, levels = space.xp, probs.shape[0], depth(probs.shape[0])
    if n == 0:
        return space.zeros((0,), xp.int64)
    leaf = xp.arange((1 << levels) + 1, dtype=xp.int64, device=space.device) * n >> levels
    taken = leaf[1:] > leaf[:-1]
    who = xp.where(taken, leaf[:-1], xp.zeros_like(leaf[1:]))
    p = xp.take(probs, who)
    p = xp.where(taken, p, xp.zeros_like(p))
    blocks = max(1, 1 << levels >> 1)
    uniforms = xp.reshape(philox.uniform.definition(space, key, tag, 0, blocks, 2), (-1,))
    chosen = []
    for level in reversed(range(levels)):
        a, b = p[0::2], p[1::2]
        total = a + b
        over = total >= 1.0
        u = uniforms[1 << level : 2 << level]
        first = xp.where(over, u * (2.0 - total) < 1.0 - b, u * total < a)
        winner = xp.where(first, who[0::2], who[1::2])
        loser = xp.where(first, who[1::2], who[0::2])
        chosen.append(winner[over])
        who = xp.where(over, loser, winner)
        p = xp.where(over, total - 1.0, total)
    chosen.append(who[p > 0.5])  # what is left is 0 or 1 up to rounding
    return xp.sort(xp.concat(chosen))
