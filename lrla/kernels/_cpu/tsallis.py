"""Numba twin of `lrla.kernels.tsallis`: a microsecond for some tens of arms."""

import numpy as np

from lrla._core.jit import jit
from lrla.kernels.tsallis import STEPS, TOLERANCE


@jit
def _weights(losses, steps, tolerance):
    k = losses.size
    least = losses[0]
    for i in range(1, k):
        least = min(least, losses[i])
    z, lowest = -1.0, -np.sqrt(k)
    w = np.empty(k)
    total = 0.0
    for _ in range(steps + 1):
        total, slope = 0.0, 0.0
        for i in range(k):
            root = 1.0 / ((losses[i] - least) - z)
            w[i] = root * root
            total += w[i]
            slope += w[i] * root
        step = max(z - (total - 1.0) / (2.0 * slope), lowest)
        if total - 1.0 <= tolerance or step >= z:
            break
        z = step
    for i in range(k):
        w[i] /= total
    return w


def tsallis_weights(losses):
    """See `lrla.kernels.tsallis.tsallis_weights`."""
    return _weights(losses, STEPS, TOLERANCE)
