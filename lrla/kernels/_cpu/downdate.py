"""NumPy twin of `lrla.kernels.downdate`: roots of the secular equation instead of eigenvalues."""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run

_ROWS = 256  # in one piece of work


def extremes_without(values, squares):
    """See `lrla.kernels.downdate.extremes_without`."""
    squares = np.ascontiguousarray(squares)
    out = np.empty((len(squares), 2), values.dtype)
    exact = np.ascontiguousarray(values, np.float64)

    def part(first, last):
        _roots(exact, squares, out, first, last)

    run(part, ranges(len(squares), _ROWS), work=squares.size * 3e-8)
    return out


@jit(fastmath={"contract"})
def _secular(values, squares, t):
    """Return ``sum(squares / (values - t))`` and its derivative, which is not negative."""
    total, slope = 0.0, 0.0
    for i in range(len(values)):
        if squares[i] != 0:
            share = squares[i] / (values[i] - t)
            total += share
            slope += share / (values[i] - t)
    return total, slope


@jit(fastmath={"contract"})
def _root(values, squares, low, high):
    """Find where the sum is one between two neighbouring poles, or the end that it approaches.

    It increases there, so bisection always works; Newton's steps are taken where they stay inside.
    """
    floor = 2.0**-52 * max(abs(values[0]), abs(values[-1]), abs(low))
    t = 0.5 * (low + high)
    while high - low > floor:
        total, slope = _secular(values, squares, t)
        if total > 1:
            high = t
        else:
            low = t
        # of 1 / total, close to linear next to a pole, rather than of total
        step = total * (1 - total) / slope if total > 0 else np.inf
        following = t + step
        if not low < following < high:
            following = 0.5 * (low + high)
        elif abs(step) <= floor:
            return following
        t = following
        if not low < t < high:
            break
    return 0.5 * (low + high)


@jit(fastmath={"contract"})
def _roots(values, squares, out, first, last):
    m = len(values)
    for i in range(first, last):
        z = squares[i]
        whole = 0.0
        for j in range(m):
            whole += z[j]
        out[i, 0] = _root(values, z, values[0] - whole, values[0])
        if m == 1:
            out[i, 1] = out[i, 0]
        else:
            out[i, 1] = _root(values, z, values[m - 2], values[m - 1])
