"""Numba twin of `lrla.kernels.orthogonal`, on tiles of 32 points that vector instructions share.

Real and imaginary parts are kept in planes of their own: tables have the shape (parts, functions,
32), where parts is 1 or 2. Nothing is contracted, so that real values have the bits of the
definition.
"""

import math

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run

_GRAIN = 1024  # points in one piece of work for a thread: a multiple of the tile


@jit
def _polynomials(t, recurrence, first, last, table):
    for i in range(32):
        table[first, i] = 1.0
    for k in range(first, last - 1):
        a, b, c = recurrence[0, k], recurrence[1, k], recurrence[2, k]
        before = k - 1 if k > first else k
        b = b if k > first else 0.0
        for i in range(32):
            table[k + 1, i] = ((t[i] - a) * table[k, i] - b * table[before, i]) * c


@jit
def _waves(t, complex_, first, last, table):
    for i in range(32):
        angle = 2 * math.pi * (t[i] - np.rint(t[i]))
        c, s = math.cos(angle), math.sin(angle)
        x, y = 1.0, 0.0
        table[0, first, i] = x
        for k in range(first + 1, last, 2):
            x, y = x * c - y * s, x * s + y * c
            if complex_:
                table[0, k, i], table[1, k, i] = x, y
                table[0, k + 1, i], table[1, k + 1, i] = x, -y
            else:
                table[0, k, i], table[0, k + 1, i] = math.sqrt(2) * x, math.sqrt(2) * y


@jit
def _fill(T, start, kinds, first, recurrence, table):
    """Fill the table of one tile; points after the last repeat it."""
    t = np.empty(32)
    table[1:] = 0.0
    for j in range(kinds.size):
        for i in range(32):
            t[i] = T[min(start + i, T.shape[0] - 1), j]
        if kinds[j] == 0:
            _polynomials(t, recurrence, first[j], first[j + 1], table[0])
        else:
            _waves(t, kinds[j] == 2, first[j], first[j + 1], table)


@jit
def _multiply(table, parent, factor, work):
    work[0, 0] = 1.0
    work[1:, 0] = 0.0
    for s in range(1, parent.size):
        p, f = parent[s], factor[s]
        if work.shape[0] == 1:
            for i in range(32):
                work[0, s, i] = work[0, p, i] * table[0, f, i]
        else:
            for i in range(32):
                a, b, c, d = work[0, p, i], work[1, p, i], table[0, f, i], table[1, f, i]
                work[0, s, i] = a * c - b * d
                work[1, s, i] = a * d + b * c


@jit
def _deal(plane, slot, start, stop, out):
    """Copy a tile to its rows of the result, in blocks that fit the first cache."""
    for c in range(0, slot.size, 8):
        d = min(c + 8, slot.size)
        for i in range(start, stop):
            for k in range(c, d):
                out[i, k] = plane[slot[k], i - start]


@jit
def _values(T, kinds, first, recurrence, parent, factor, slot, out, a, b):
    table = np.empty((out.shape[2], first[-1], 32))
    work = np.empty((out.shape[2], parent.size, 32))
    for start in range(a, b, 32):
        _fill(T, start, kinds, first, recurrence, table)
        _multiply(table, parent, factor, work)
        for part in range(out.shape[2]):
            _deal(work[part], slot, start, min(start + 32, b), out[:, :, part])


@jit
def _squares(T, kinds, first, recurrence, parent, factor, slot, parts, out, a, b):
    table = np.empty((parts, first[-1], 32))
    work = np.empty((parts, parent.size, 32))
    total = np.empty(32)
    for start in range(a, b, 32):
        _fill(T, start, kinds, first, recurrence, table)
        _multiply(table, parent, factor, work)
        total[:] = 0.0
        for part in range(parts):
            for s in slot:
                for i in range(32):
                    total[i] += work[part, s, i] * work[part, s, i]
        for i in range(start, min(start + 32, b)):
            out[i] = total[i - start]


def _run(body, T, product, *rest):
    T = np.ascontiguousarray(T)
    n = T.shape[0]
    tables = (np.array(product.kinds, np.int64), product.first, product.recurrence,
              product.parent, product.factor, product.slot)  # fmt: skip
    work = 1e-9 * n * (product.parent.size + int(product.first[-1]))
    run(lambda a, b: body(T, *tables, *rest, a, b), ranges(n, _GRAIN), work=work)


def product_values(T, product):
    """See `lrla.kernels.orthogonal.product_values`."""
    dtype = np.complex128 if product.is_complex else np.float64
    out = np.empty((T.shape[0], product.slot.size), dtype)
    _run(_values, T, product, out.view(np.float64).reshape(*out.shape, -1) if out.size
         else np.empty((T.shape[0], 0, 1)))  # fmt: skip
    return out


def product_squares(T, product):
    """See `lrla.kernels.orthogonal.product_squares`."""
    out = np.empty(T.shape[0])
    _run(_squares, T, product, 2 if product.is_complex else 1, out)
    return out
