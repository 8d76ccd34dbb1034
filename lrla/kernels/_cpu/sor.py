"""Numba twin of `lrla.kernels.sor`.

What a row waits for is the unknown just before it. That one stands last in its row, and its value
is taken from a register instead of from the memory that it was just written to: on the Laplacian of
a square of 512 x 512 a sweep then takes 0.9 ms, and 1.1 ms without (Zen 3, where SciPy's product
with the matrix takes 1.0 ms). Indices are read as unsigned numbers, since signed ones are tested
for being counted from the end: 1.9 ms. Contraction makes a multiplication and the subtraction after
it one instruction, with one rounding; sums keep the order in which they are written.

That matrix is 16 MB, and where it is not in the cache, reading it is what bounds a sweep: 1.6 ms
(Zen 4). So rows that repeat the row before, as those of grids do, are not read: the first of them
serves all. What does not wait is subtracted first, four unknowns in one pass, and all that is left
of a row is one multiplication and one subtraction: 0.5 ms, to the same bits.

Several sweeps in natural order go over the matrix as a wave: at time t, sweep k works on block t - 2
k. Blocks are at least as high as the matrix is wide, so that what is worked on at one time neither
touches nor reads one another, and every row reads what it would have read. A block then serves all
sweeps while it is in the cache: ten of them on the square of 1024 x 1024 take 3.7 ms each instead
of 6.1. Threads share the sweeps, some for each, a few blocks apart.

Sums over rows are made block by block, and blocks depend on the matrix alone: so neither do the
bits depend on the number of threads. Where rows of a block are independent, as those of one colour
are, blocks are cut further and shared between threads.
"""

from itertools import pairwise

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run, thread_count

_GRAIN = 1 << 14  # rows of one colour that are one piece of work
_SPEED = 1e-9  # seconds for a multiplication, on the slow side
_TOGETHER = 512  # rows that repeat each other and are moved together: they stay in the first cache
_ALONE = 4  # rows: fewer are moved one by one


def arrange(data, indices, indptr, omega, shift, reverse):
    n = indptr.size - 1
    data, indices, indptr = map(np.ascontiguousarray, (data, indices, indptr))
    out = np.empty_like(data), np.empty_like(indices), np.empty(n, data.dtype)
    work = 4 * _SPEED * data.size
    args = data, indices, indptr, data.dtype.type(omega), data.dtype.type(shift), reverse, *out
    run(lambda a, b: _arrange(*args, a, b), ranges(n, 1 << 16), work=work)
    return out


@jit
def _arrange(data, indices, indptr, omega, shift, reverse, out, columns, scale, first, last):
    one = data.dtype.type(1)
    for i in range(first, last):
        a, e = indptr[i], indptr[i + 1]
        d = a
        while d < e and indices[d] < i:
            d += 1
        if d == e or indices[d] != i or data[d] + shift == 0:
            scale[i] = np.inf
            continue
        s = omega / (data[d] + shift)
        scale[i] = s
        out[a], columns[a] = (omega if shift == 0 else s * data[d]) - one, i
        t = a + 1
        if reverse:
            for k in range(d - 1, a - 1, -1):
                out[t], columns[t] = data[k] * s, indices[k]
                t += 1
            for k in range(e - 1, d, -1):
                out[t], columns[t] = data[k] * s, indices[k]
                t += 1
        else:
            for k in range(d + 1, e):
                out[t], columns[t] = data[k] * s, indices[k]
                t += 1
            for k in range(a, d):
                out[t], columns[t] = data[k] * s, indices[k]
                t += 1


def repeats(data, indices, indptr):
    starts = np.empty(indptr.size, np.int64)
    data, indices, indptr = map(np.ascontiguousarray, (data, indices, indptr))
    return starts[: _repeats(data, indices, indptr, starts)].copy()


@jit
def _repeats(data, indices, indptr, starts):
    n, found = indptr.size - 1, 0
    for i in range(n):
        a, e = indptr[i], indptr[i + 1]
        width = e - a
        alike = i > 0 and a - indptr[i - 1] == width
        while alike and a < e:
            alike = indices[a] - indices[a - width] == 1 and data[a] == data[a - width]
            a += 1
        if not alike:
            starts[found] = i
            found += 1
    starts[found] = n
    return found + 1


def sweeps(x, b, data, indices, indptr, runs, blocks, independent, n_sweeps, reverse, out):
    new, target = _room(x, out)
    args = new, *_plain(b, data, indices, indptr)
    colours = [_pieces(a, z) for a, z in pairwise(blocks)] if independent else []
    ends = [z for colour in colours for _, z in colour] if independent else blocks[1:]
    bounds = np.array([0, *ends], np.int64)
    sums = np.zeros((n_sweeps, bounds.size - 1))
    width = x.shape[1] if x.ndim == 2 else 1
    body = _one
    if x.ndim == 2:
        body = _few
    elif runs is not None:
        body, args = _one_of_runs, (*args, runs)
    step = _SPEED * data.size * width / max(bounds.size - 1, 1)  # seconds for a block, on average
    if independent:
        plan = _by_colours([len(c) for c in colours], n_sweeps, reverse)
    else:
        plan = _waves(bounds.size - 1, n_sweeps, step)

    def part(*place):
        body(*args, bounds, sums, *place, reverse)

    for together in plan:
        run(part, together, work=sum(step * (k1 - k0) * (u1 - u0) for k0, k1, u0, u1 in together))
    if target is not new:
        target[...] = new
    return target, sums.sum(axis=1)


def _pieces(a, z):
    """Cut rows of one colour into pieces of work."""
    return [(a + s, a + e) for s, e in ranges(z - a, _GRAIN)]


def _by_colours(counts, n_sweeps, reverse):
    """Yield lists of (sweep, sweep + 1, time, time + 1) that may be done side by side."""
    total = sum(counts)
    ends = np.cumsum([0, *counts])
    for k in range(n_sweeps):
        for c in range(len(counts))[:: -1 if reverse else 1]:
            pieces = range(ends[c], ends[c + 1])
            # a sweep there and back counts its time from its own beginning
            yield [(k, k + 1, u, u + 1) for u in (total - 1 - g if reverse else g for g in pieces)]


def _waves(n_blocks, n_sweeps, step):
    """Yield lists of (first sweep, last + 1, first time, last + 1) that may be done side by side.

    Each thread has some sweeps and does a stretch of their wave at a time. It is two stretches
    behind the thread before, and a stretch is longer than the waves are deep.
    """
    small = n_sweeps < 2 or step * n_blocks * n_sweeps < 1e-3
    threads = 1 if small else thread_count()
    if threads == 1:
        yield [(0, n_sweeps, 0, n_blocks + 2 * max(n_sweeps - 1, 0))]
        return
    depth = -(-n_sweeps // threads)
    groups = ranges(n_sweeps, depth)
    stretch = max(2 * depth, int(3e-4 / (step * depth)) + 1)
    tiles = ranges(n_blocks + 2 * (depth - 1), stretch)
    for t in range(len(tiles) + 2 * (len(groups) - 1)):
        ready = [(group, t - 2 * q) for q, group in enumerate(groups)]
        yield [(*group, *tiles[place]) for group, place in ready if 0 <= place < len(tiles)]


def _room(x, out):
    """Return the contiguous array to work in, which holds x, and the one that is to hold the end."""
    if out is None:
        new = np.array(x, order="C")
        return new, new
    if out.flags.c_contiguous:
        if out is not x:
            out[...] = x
        return out, out
    return np.array(x, order="C"), out


def _plain(b, data, indices, indptr):
    """Make arrays contiguous, and indices unsigned."""
    indices, indptr = np.ascontiguousarray(indices), np.ascontiguousarray(indptr)
    unsigned = {4: np.uint32, 8: np.uint64}
    return (
        np.ascontiguousarray(b),
        np.ascontiguousarray(data),
        indices.view(unsigned[indices.itemsize]),
        indptr.view(unsigned[indptr.itemsize]),
    )


@jit
def _one(x, b, data, indices, indptr, bounds, sums, k0, k1, u0, u1, reverse):
    """Do the wave of sweeps ``k0 .. k1 - 1`` from time u0 to u1."""
    blocks = bounds.size - 1
    for u in range(u0, u1):
        for k in range(k0, k1):
            g = u - 2 * (k - k0)
            if 0 <= g < blocks:
                g = blocks - 1 - g if reverse else g
                place = bounds[g], bounds[g + 1]
                sums[k, g] = _rows(x, b, data, indices, indptr, *place, 0.0, reverse)


@jit
def _one_of_runs(x, b, data, indices, indptr, runs, bounds, sums, k0, k1, u0, u1, reverse):
    """Do what `_one` does, rows that repeat their first one together."""
    room = np.empty(_TOGETHER, x.dtype)
    blocks = bounds.size - 1
    for u in range(u0, u1):
        for k in range(k0, k1):
            g = u - 2 * (k - k0)
            if g < 0 or g >= blocks:
                continue
            g = blocks - 1 - g if reverse else g
            first, last = bounds[g], bounds[g + 1]
            total = 0.0
            if reverse:
                r = np.searchsorted(runs, last) - 1
                while first < last:
                    a = max(first, runs[r], last - _TOGETHER)
                    total = _run(x, b, data, indices, indptr, room, a, last, total, True)
                    last = a
                    r -= a == runs[r]
            else:
                r = np.searchsorted(runs, first, side="right")
                while first < last:
                    z = min(last, runs[r], first + _TOGETHER)
                    total = _run(x, b, data, indices, indptr, room, first, z, total, False)
                    first = z
                    r += z == runs[r]
            sums[k, g] = total


@jit(fastmath={"contract"})
def _rows(x, b, data, indices, indptr, first, last, total, reverse):
    """Move the unknowns of some rows; return the total with the squares of their steps."""
    one = np.uint64(1)
    if reverse:
        i, end = np.uint64(last), np.uint64(first)
        before = x[i] if i < x.size else x[i - one]
        while i > end:
            s, t = np.uint64(indptr[i - one]), np.uint64(indptr[i]) - one
            i -= one
            value = b[i]
            while s < t:
                value -= data[s] * x[indices[s]]
                s += one
            j = np.uint64(indices[s])
            value -= data[s] * (before if j == i + one else x[j])
            step = value - x[i]
            total += step.real * step.real + step.imag * step.imag
            x[i] = value
            before = value
    else:
        i, end = np.uint64(first), np.uint64(last)
        before = x[i - one] if i > 0 else x[i]
        s = np.uint64(indptr[i])
        while i < end:
            t = np.uint64(indptr[i + one]) - one
            value = b[i]
            while s < t:
                value -= data[s] * x[indices[s]]
                s += one
            j = np.uint64(indices[s])
            value -= data[s] * (before if j + one == i else x[j])
            s += one
            step = value - x[i]
            total += step.real * step.real + step.imag * step.imag
            x[i] = value
            before = value
            i += one
    return total


@jit(fastmath={"contract"})
def _run(x, b, data, indices, indptr, room, first, last, total, reverse):
    """Do what `_rows` does where every row repeats the first one, one place to the right."""
    s, end, m = indptr[first], indptr[first + 1], last - first
    near = s  # the first entry that stands for an unknown of these rows that will be new
    while near < end:
        behind = np.int64(indices[near]) - first
        if 0 < (behind if reverse else -behind) < m:
            break
        near += 1
    following = near + 1 == end and abs(np.int64(indices[near]) - first) == 1
    if m < _ALONE or not (near == end or following):
        return _rows(x, b, data, indices, indptr, first, last, total, reverse)
    left, here = b[first:last], x[first:last]
    while s < near and not (following and near - s == 4):
        c, j = data[s], np.int64(indices[s])
        other = x[j : j + m]
        for t in range(m):
            room[t] = left[t] - c * other[t]
        left = room[:m]
        s += 1
    if not following:
        for t in range(m):
            step = left[t] - here[t]
            total += step.real * step.real + step.imag * step.imag
            here[t] = left[t]
        return total
    d = data[near]
    before = x[last] if reverse else x[first - 1]
    if s == near:
        for k in range(m):
            t = m - 1 - k if reverse else k
            value = left[t] - d * before
            step = value - here[t]
            total += step.real * step.real + step.imag * step.imag
            here[t] = before = value
        return total
    c0, c1, c2, c3 = data[s], data[s + 1], data[s + 2], data[s + 3]
    j0, j1 = np.int64(indices[s]), np.int64(indices[s + 1])
    j2, j3 = np.int64(indices[s + 2]), np.int64(indices[s + 3])
    x0, x1, x2, x3 = x[j0 : j0 + m], x[j1 : j1 + m], x[j2 : j2 + m], x[j3 : j3 + m]
    for k in range(m):
        t = m - 1 - k if reverse else k
        value = left[t] - c0 * x0[t] - c1 * x1[t] - c2 * x2[t] - c3 * x3[t] - d * before
        step = value - here[t]
        total += step.real * step.real + step.imag * step.imag
        here[t] = before = value
    return total


@jit(fastmath={"contract"})
def _few(x, b, data, indices, indptr, bounds, sums, k0, k1, u0, u1, reverse):
    values = np.empty(x.shape[1], x.dtype)
    blocks = bounds.size - 1
    for u in range(u0, u1):
        for k in range(k0, k1):
            g = u - 2 * (k - k0)
            if g < 0 or g >= blocks:
                continue
            g = blocks - 1 - g if reverse else g
            total = 0.0
            for place in range(bounds[g], bounds[g + 1]):
                i = bounds[g] + bounds[g + 1] - 1 - place if reverse else place
                for c in range(values.size):  # to assign slices takes two seconds to compile
                    values[c] = b[i, c]
                for s in range(indptr[i], indptr[i + 1]):
                    entry, row = data[s], x[indices[s]]
                    for c in range(values.size):
                        values[c] -= entry * row[c]
                row = x[i]
                for c in range(values.size):
                    step = values[c] - row[c]
                    total += step.real * step.real + step.imag * step.imag
                    row[c] = values[c]
            sums[k, g] = total


def jacobi_sweeps(x, b, data, indices, indptr, n_sweeps, out):
    old = np.array(x, order="C")
    new = np.empty_like(old)
    args = _plain(b, data, indices, indptr)
    parts = ranges(x.shape[0], _GRAIN)
    sums = np.zeros((n_sweeps, len(parts)))
    body = _jacobi_few if x.ndim == 2 else _jacobi_one
    work = _SPEED * data.size * (x.shape[1] if x.ndim == 2 else 1)
    for k in range(n_sweeps):
        cells = [(a, z, k, g) for g, (a, z) in enumerate(parts)]
        run(lambda *cell, old=old, new=new: body(old, new, *args, sums, *cell), cells, work=work)
        old, new = new, old
    if out is not None:
        out[...] = old
        old = out
    return old, sums.sum(axis=1)


@jit(fastmath={"contract"})
def _jacobi_one(x, out, b, data, indices, indptr, sums, first, last, k, g):
    total = 0.0
    for i in range(first, last):
        value = b[i]
        for s in range(indptr[i], indptr[i + 1]):
            value -= data[s] * x[indices[s]]
        step = value - x[i]
        total += step.real * step.real + step.imag * step.imag
        out[i] = value
    sums[k, g] = total


@jit(fastmath={"contract"})
def _jacobi_few(x, out, b, data, indices, indptr, sums, first, last, k, g):
    total = 0.0
    for i in range(first, last):
        values = out[i]
        for c in range(values.size):
            values[c] = b[i, c]
        for s in range(indptr[i], indptr[i + 1]):
            entry, row = data[s], x[indices[s]]
            for c in range(values.size):
                values[c] -= entry * row[c]
        for c in range(values.size):
            step = values[c] - x[i, c]
            total += step.real * step.real + step.imag * step.imag
    sums[k, g] = total
