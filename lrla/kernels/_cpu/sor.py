"""Numba twin of `lrla.kernels.sor`.

What a row waits for is the unknown just before it. That one stands last in its row, and its value
is taken from a register instead of from the memory that it was just written to: on the Laplacian of
a square of 512 x 512 a sweep then takes 0.9 ms, and 1.1 ms without (Zen 3, where SciPy's product
with the matrix takes 1.0 ms). Indices are read as unsigned numbers, since signed ones are tested
for being counted from the end: 1.9 ms. Contraction makes a multiplication and the subtraction after
it one instruction, with one rounding; sums keep the order in which they are written.

Sums over rows are made block by block, and blocks depend on the matrix alone: so neither do the
bits depend on the number of threads. Where rows of a block are independent, blocks of one colour
are cut further and shared between threads. Else sweep k works on block t - 2 k at time t: such
blocks neither touch nor read one another, and every row reads what it would have read.
"""

from itertools import pairwise

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run, thread_count

_GRAIN = 1 << 14  # rows of one colour that are one piece of work
_SPEED = 1e-9  # seconds for a multiplication, on the slow side


def arrange(data, indices, indptr, omega, reverse):
    n = indptr.size - 1
    data, indices, indptr = map(np.ascontiguousarray, (data, indices, indptr))
    out = np.empty_like(data), np.empty_like(indices), np.empty(n, data.dtype)
    work = 4 * _SPEED * data.size
    args = data, indices, indptr, data.dtype.type(omega), reverse, *out
    run(lambda a, b: _arrange(*args, a, b), ranges(n, 1 << 16), work=work)
    return out


@jit
def _arrange(data, indices, indptr, omega, reverse, out, columns, scale, first, last):
    one = data.dtype.type(1)
    for i in range(first, last):
        a, e = indptr[i], indptr[i + 1]
        d = a
        while d < e and indices[d] < i:
            d += 1
        if d == e or indices[d] != i or data[d] == 0:
            scale[i] = np.inf
            continue
        s = omega / data[d]
        scale[i] = s
        out[a], columns[a] = omega - one, i
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


def sweeps(x, b, data, indices, indptr, blocks, independent, n_sweeps, reverse, out):
    new, target = _room(x, out)
    args = new, *_plain(b, data, indices, indptr)
    if independent:
        pieces = [[(a + s, a + e) for s, e in ranges(z - a, _GRAIN)]
                  for a, z in pairwise(blocks)]  # fmt: skip
    else:
        pieces = [[(a, z)] for a, z in pairwise(blocks)]
    bounds = np.array([0, *(z for piece in pieces for _, z in piece)], np.int64)
    sums = np.zeros((n_sweeps, bounds.size - 1))
    body = _few if x.ndim == 2 else _one
    width = x.shape[1] if x.ndim == 2 else 1

    def part(k0, k1, g0, g1):
        body(*args, bounds, sums, k0, k1, g0, g1, reverse)

    step = _SPEED * data.size * width / max(bounds.size - 1, 1)  # seconds for a piece, on average
    if thread_count() == 1 or step * sums.size < 1e-3:
        part(0, n_sweeps, 0, bounds.size - 1)
    else:
        for together in _order([len(p) for p in pieces], independent, n_sweeps, reverse):
            run(part, together, work=step * len(together))
    if target is not new:
        target[...] = new
    return target, sums.sum(axis=1)


def _order(counts, independent, n_sweeps, reverse):
    """Yield lists of (sweep, sweep + 1, piece, piece + 1) that may be done side by side."""
    turns = list(range(len(counts)))[:: -1 if reverse else 1]
    first = np.cumsum([0, *counts])
    if independent:
        for k in range(n_sweeps):
            for c in turns:
                yield [(k, k + 1, int(g), int(g) + 1) for g in range(first[c], first[c + 1])]
        return
    for t in range(len(turns) + 2 * (n_sweeps - 1)):
        ready = [(k, t - 2 * k) for k in range(n_sweeps) if 0 <= t - 2 * k < len(turns)]
        yield [(k, k + 1, turns[place], turns[place] + 1) for k, place in ready]


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


@jit(fastmath={"contract"})
def _one(x, b, data, indices, indptr, bounds, sums, k0, k1, g0, g1, reverse):
    one = np.uint64(1)
    for k in range(k0, k1):
        for turn in range(g0, g1):
            g = g0 + g1 - 1 - turn if reverse else turn
            total = 0.0
            if reverse:
                i, end = np.uint64(bounds[g + 1]), np.uint64(bounds[g])
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
                i, end = np.uint64(bounds[g]), np.uint64(bounds[g + 1])
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
            sums[k, g] = total


@jit(fastmath={"contract"})
def _few(x, b, data, indices, indptr, bounds, sums, k0, k1, g0, g1, reverse):
    values = np.empty(x.shape[1], x.dtype)
    for k in range(k0, k1):
        for turn in range(g0, g1):
            g = g0 + g1 - 1 - turn if reverse else turn
            total = 0.0
            for place in range(bounds[g], bounds[g + 1]):
                i = bounds[g] + bounds[g + 1] - 1 - place if reverse else place
                values[:] = b[i]
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
        values[:] = b[i]
        for s in range(indptr[i], indptr[i + 1]):
            entry, row = data[s], x[indices[s]]
            for c in range(values.size):
                values[c] -= entry * row[c]
        for c in range(values.size):
            step = values[c] - x[i, c]
            total += step.real * step.real + step.imag * step.imag
    sums[k, g] = total
