"""Numba twin of `lrla.kernels.power`: one power for each row, no temporaries."""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run

# Sums are reordered into vector lanes ("reassoc"), which changes rounding only; NaN and infinity
# keep their meaning.
_LANES = {"reassoc", "contract"}
_GRAIN = 16384  # rows to one partial sum: fixed, so that threads do not change the bits


def power_line(r, s, v, t, p):
    """See `lrla.kernels.power.power_line`."""
    r, s, v = (np.ascontiguousarray(x) for x in (r, s, v))
    parts = ranges(r.shape[0], _GRAIN)
    sums = np.zeros((len(parts), 3))
    twice = 2 * (p - 2)
    whole = int(twice) if twice == int(twice) and 0 <= twice <= 256 else -1
    run(
        lambda k, a, b: _line(r, s, v, t, p, whole, sums[k], a, b),
        [(k, a, b) for k, (a, b) in enumerate(parts)],
        work=r.shape[0] * 2e-8,
    )
    return sums.sum(axis=0)


@jit(fastmath=_LANES)
def _line(r, s, v, t, p, whole, sums, first, last):
    g = np.empty(256)
    f = slope = bend = 0.0
    for start in range(first, last, 256):
        count = min(256, last - start)
        if whole >= 0:  # p - 2 is a whole number or a half: products instead of powers
            for k in range(count):
                g[k] = v[start + k]
            bits, odd = whole // 2, whole % 2
            square = np.empty(256)
            for k in range(count):
                square[k] = abs(r[start + k] - t * s[start + k])
            if odd:
                for k in range(count):
                    g[k] *= np.sqrt(square[k])
            while bits > 0:
                if bits % 2:
                    for k in range(count):
                        g[k] *= square[k]
                bits //= 2
                if bits > 0:
                    for k in range(count):
                        square[k] *= square[k]
        else:
            for k in range(count):
                size = abs(r[start + k] - t * s[start + k])
                g[k] = v[start + k] * size ** (p - 2) if size > 0 or p > 2 else 0.0
        for k in range(count):
            u, d = r[start + k] - t * s[start + k], s[start + k]
            f += g[k] * u * u
            slope -= g[k] * u * d
            bend += g[k] * d * d
    sums[0], sums[1], sums[2] = f, slope, (p - 1) * bend
