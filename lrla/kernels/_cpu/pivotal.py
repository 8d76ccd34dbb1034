"""Numba twin of `lrla.kernels.pivotal`: each level of the tree is written over the one below."""

import numpy as np

from lrla._core.arrays import numpy_space
from lrla._core.jit import jit
from lrla.kernels import philox
from lrla.kernels.pivotal import depth


@jit
def _tournament(probs, uniforms, levels, chosen):
    n = probs.size
    leaves = 1 << levels
    who = np.empty(leaves, np.int64)
    p = np.empty(leaves)
    for k in range(leaves):
        i = (k * n) >> levels
        taken = ((k + 1) * n) >> levels > i
        who[k] = i if taken else 0
        p[k] = probs[i] if taken else 0.0
    for level in range(levels - 1, -1, -1):
        for k in range(1 << level):
            a, b = p[2 * k], p[2 * k + 1]
            u = uniforms[(1 << level) + k]
            total = a + b
            if total >= 1.0:
                first = u * (2.0 - total) < 1.0 - b
                chosen[who[2 * k] if first else who[2 * k + 1]] = True
                who[k] = who[2 * k + 1] if first else who[2 * k]
                p[k] = total - 1.0
            else:
                first = u * total < a
                who[k] = who[2 * k] if first else who[2 * k + 1]
                p[k] = total
    if p[0] > 0.5:
        chosen[who[0]] = True


def pivotal(probs, key, tag):
    """See `lrla.kernels.pivotal.pivotal`."""
    chosen = np.zeros(probs.size, np.bool_)
    if probs.size:
        levels = depth(probs.size)
        blocks = max(1, 1 << levels >> 1)
        uniforms = philox.uniform(numpy_space(), key, tag, 0, blocks, 2).ravel()
        _tournament(np.ascontiguousarray(probs), uniforms, levels, chosen)
    return np.flatnonzero(chosen)
