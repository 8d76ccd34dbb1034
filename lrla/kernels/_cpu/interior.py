"""Numba twins of `lrla.kernels.interior`: one pass over the rows, all temporaries in the L1 cache."""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run

# Sums are reordered into vector lanes ("reassoc"), which changes rounding only; NaN and infinity
# keep their meaning.
_LANES = {"reassoc", "contract"}
_GRAIN = 16384  # rows to one partial sum: fixed, so that threads do not change the bits
_SECONDS = 4e-9  # for one row of any of these


def _run(body, m, *args):
    """Call ``body(*args, sums, first, last)`` on ranges of rows; return their sums in order."""
    parts = ranges(m, _GRAIN)
    sums = np.zeros((len(parts), 4))
    numbered = [(k, a, b) for k, (a, b) in enumerate(parts)]
    run(lambda k, a, b: body(*args, sums[k], a, b), numbered, work=m * _SECONDS)
    return sums


def interior_update(state, step, bounds, primal, dual, curvature):
    """See `lrla.kernels.interior.interior_update`."""
    state, step, bounds = (np.ascontiguousarray(x) for x in (state, step, bounds))
    m = state.shape[1]
    new, q, V = np.empty((4, m)), np.empty(m), np.empty((2, m))
    sums = _run(_update, m, state, step, bounds, primal, dual, curvature, new, q, V)
    return new, q, V, sums[:, :2].sum(axis=0)


def interior_predict(state, q, t):
    """See `lrla.kernels.interior.interior_predict`."""
    state, q, t = (np.ascontiguousarray(x) for x in (state, q, t))
    m = state.shape[1]
    dy, E = np.empty(m), np.empty((2, m))
    sums = _run(_predict, m, state, q, t, dy, E)
    slope, bend = sums[:, :2].sum(axis=0)
    top = sums[:, 2:].max(axis=0)
    return dy, E, np.array([slope, bend, top[0], 1 + top[1]])


def interior_correct(state, q, dy, t, centre):
    """See `lrla.kernels.interior.interior_correct`."""
    state, q, dy, t = (np.ascontiguousarray(x) for x in (state, q, dy, t))
    m = state.shape[1]
    step = np.empty((3, m))
    sums = _run(_correct, m, state, q, dy, t, centre, step)
    return step, sums[:, 2:].max(axis=0)


@jit(fastmath=_LANES)
def _update(state, step, bounds, primal, dual, curvature, new, q, V, sums, first, last):
    gap = product = 0.0
    for i in range(first, last):
        a, s = state[0, i] + primal * step[0, i], state[1, i] - primal * step[0, i]
        z, w = state[2, i] + dual * step[1, i], state[3, i] + dual * step[2, i]
        y = bounds[0, i] + a if a < s else bounds[1, i] - s
        r, p = w - z, 1 / (curvature + z / a + w / s)
        new[0, i], new[1, i], new[2, i], new[3, i] = a, s, z, w
        q[i], V[0, i], V[1, i] = p, p * r, y
        gap += a * z + s * w
        product += y * r
    sums[0], sums[1] = gap, product


@jit(fastmath=_LANES)
def _predict(state, q, t, dy, E, sums, first, last):
    room = np.empty((2, 256))
    slope = bend = 0.0
    sums[2] = sums[3] = -np.inf
    for start in range(first, last, 256):
        count = min(256, last - start)
        for k in range(count):
            i = start + k
            a, s, z, w = state[0, i], state[1, i], state[2, i], state[3, i]
            below, above = 1 / a, 1 / s
            d = q[i] * (w - z - t[i])
            low, high = d * below, d * above
            dz, dw = -z * (1 + low), w * (high - 1)
            dy[i] = d
            E[0, i] = q[i] * (below - above)
            E[1, i] = -q[i] * d * (dz * below + dw * above)
            slope += d * (z - w)
            bend += d * (dz - dw)
            room[0, k] = max(-low, high)
            room[1, k] = max(low, -high)
        _raise_to(sums, 2, room, count)
    sums[0], sums[1] = slope, bend


@jit(fastmath=_LANES)
def _correct(state, q, dy, t, centre, step, sums, first, last):
    room = np.empty((2, 256))
    sums[2] = sums[3] = -np.inf
    for start in range(first, last, 256):
        count = min(256, last - start)
        for k in range(count):
            i = start + k
            a, s, z, w = state[0, i], state[1, i], state[2, i], state[3, i]
            u, v = 1 / a, 1 / s
            below = (centre + dy[i] * z * (1 + dy[i] * u)) * u
            above = (centre + dy[i] * w * (dy[i] * v - 1)) * v
            d = q[i] * (w - z - t[i] + below - above)
            low, high = d * u, d * v
            dz, dw = below - z * (1 + low), above + w * (high - 1)
            step[0, i], step[1, i], step[2, i] = d, dz, dw
            room[0, k] = max(-low, high)
            room[1, k] = max(-dz / z, -dw / w)
        _raise_to(sums, 2, room, count)


@jit
def _raise_to(sums, at, room, count):
    """Take maxima in four lanes, for the compiler does not reorder a maximum by itself."""
    for c in range(2):
        m0 = m1 = m2 = m3 = -np.inf
        k = 0
        while k + 4 <= count:
            m0 = max(m0, room[c, k])
            m1 = max(m1, room[c, k + 1])
            m2 = max(m2, room[c, k + 2])
            m3 = max(m3, room[c, k + 3])
            k += 4
        while k < count:
            m0 = max(m0, room[c, k])
            k += 1
        sums[at + c] = max(sums[at + c], max(max(m0, m1), max(m2, m3)))
