"""Numba twin of `lrla.kernels.triangles`.

As in the twin of `lrla.kernels.sor`, the entry that waits for the row before stands last and takes
its value from a register. The sums of `_update` are reordered into vectors: it only streams through
memory, and one sum after the other would take twice as long. Solves are serial unless rows come in
blocks that are independent of each other.
"""

from itertools import pairwise

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run

_GRAIN = 1 << 14  # rows of one colour that are one piece of work
_SPEED = 1e-9  # seconds for a multiplication, on the slow side


def triangles(data, indices, indptr, left, right):
    n = indptr.size - 1
    data, indices, indptr, left, right = map(
        np.ascontiguousarray, (data, indices, indptr, left, right)
    )
    below, above = np.zeros(n + 1, indptr.dtype), np.zeros(n + 1, indptr.dtype)
    _count(indices, indptr, below, above)
    low = np.empty(below[-1], data.dtype), np.empty(below[-1], indices.dtype), below
    high = np.empty(above[-1], data.dtype), np.empty(above[-1], indices.dtype), above
    parts = ranges(n, 1 << 16)
    args = data, indices, indptr, left, right, *low, *high
    run(lambda a, b: _split(*args, a, b), parts, work=4 * _SPEED * data.size)
    return *low, *high


@jit
def _count(indices, indptr, below, above):
    for i in range(indptr.size - 1):
        low = high = 0
        for s in range(indptr[i], indptr[i + 1]):
            low += indices[s] < i
            high += indices[s] > i
        below[i + 1], above[i + 1] = below[i] + low, above[i] + high


@jit
def _split(data, indices, indptr, left, right, ld, li, lp, ud, ui, up, first, last):
    for i in range(first, last):
        low, high = lp[i], up[i + 1]
        for s in range(indptr[i], indptr[i + 1]):
            j = indices[s]
            if j < i:
                ld[low], li[low] = data[s] * left[i] * right[j], j
                low += 1
            elif j > i:
                high -= 1
                ud[high], ui[high] = data[s] * left[i] * right[j], j


def _plain(*triangle):
    """Make arrays contiguous, and indices unsigned."""
    data, indices, indptr = map(np.ascontiguousarray, triangle)
    unsigned = {4: np.uint32, 8: np.uint64}
    return data, indices.view(unsigned[indices.itemsize]), indptr.view(unsigned[indptr.itemsize])


def _pieces(n, size, blocks, independent, reverse):
    """List lists of (first, last) that may be done side by side, and the seconds of a row."""
    if not independent:
        return [[(0, n)]], 0.0
    turns = [[(a + s, a + e) for s, e in ranges(z - a, _GRAIN)] for a, z in pairwise(blocks)]
    return turns[:: -1 if reverse else 1], _SPEED * size / max(n, 1)


def solve_triangle(b, data, indices, indptr, blocks, independent, reverse):
    x = np.array(b, order="C")
    triangle = _plain(data, indices, indptr)
    body = (_back if reverse else _forth) if b.ndim == 1 else _solve_few
    args = (x, *triangle) if b.ndim == 1 else (x, *triangle, reverse)
    turns, seconds = _pieces(x.shape[0], triangle[0].size, blocks, independent, reverse)
    for pieces in turns:
        work = seconds * sum(e - s for s, e in pieces)
        run(lambda s, e: body(*args, s, e), pieces, work=work)
    return x


@jit(fastmath={"contract"})
def _forth(x, data, indices, indptr, first, last):
    one = np.uint64(1)
    i, end = np.uint64(first), np.uint64(last)
    before = x[i - one] if i > 0 else x.dtype.type(0)
    while i < end:
        value = x[i]
        s, t = np.uint64(indptr[i]), np.uint64(indptr[i + one])
        if s < t:
            t -= one
            while s < t:
                value -= data[s] * x[indices[s]]
                s += one
            j = np.uint64(indices[s])
            value -= data[s] * (before if j + one == i else x[j])
        x[i] = value
        before = value
        i += one


@jit(fastmath={"contract"})
def _back(x, data, indices, indptr, first, last):
    one = np.uint64(1)
    i, end = np.uint64(last), np.uint64(first)
    before = x[i] if i < x.size else x.dtype.type(0)
    while i > end:
        s, t = np.uint64(indptr[i - one]), np.uint64(indptr[i])
        i -= one
        value = x[i]
        if s < t:
            t -= one
            while s < t:
                value -= data[s] * x[indices[s]]
                s += one
            j = np.uint64(indices[s])
            value -= data[s] * (before if j == i + one else x[j])
        x[i] = value
        before = value


@jit(fastmath={"contract"})
def _solve_few(x, data, indices, indptr, reverse, first, last):
    for turn in range(first, last):
        i = first + last - 1 - turn if reverse else turn
        values = x[i]
        for s in range(indptr[i], indptr[i + 1]):
            entry, row = data[s], x[indices[s]]
            for c in range(values.size):
                values[c] -= entry * row[c]


def triangle_product(x, data, indices, indptr):
    out = np.empty(x.shape, x.dtype)
    args = out, np.ascontiguousarray(x), *_plain(data, indices, indptr)
    body = _product if x.ndim == 1 else _product_few
    work = _SPEED * data.size * max(x.size // max(x.shape[0], 1), 1)
    run(lambda a, b: body(*args, a, b), ranges(x.shape[0], _GRAIN), work=work)
    return out


@jit(fastmath={"contract"})
def _product(out, x, data, indices, indptr, first, last):
    for i in range(first, last):
        value = x[i]
        for s in range(indptr[i], indptr[i + 1]):
            value += data[s] * x[indices[s]]
        out[i] = value


@jit(fastmath={"contract"})
def _product_few(out, x, data, indices, indptr, first, last):
    for i in range(first, last):
        values = out[i]
        values[:] = x[i]
        for s in range(indptr[i], indptr[i + 1]):
            entry, row = data[s], x[indices[s]]
            for c in range(values.size):
                values[c] += entry * row[c]


def diagonal(data, indices, indptr):
    out = np.zeros(indptr.size - 1, data.dtype)
    data, indices, indptr = map(np.ascontiguousarray, (data, indices, indptr))
    _diagonal(data, indices, indptr, out)
    return out


@jit
def _diagonal(data, indices, indptr, out):
    for i in range(out.size):
        for s in range(indptr[i], indptr[i + 1]):
            if indices[s] == i:
                out[i] = data[s]
                break


def eisenstat_step(
    p,
    rest,
    beta,
    low_data,
    low_indices,
    low_indptr,
    up_data,
    up_indices,
    up_indptr,
    shift,
    blocks,
    independent,
    out,
):
    new, product, between = out if out is not None else (np.empty_like(p) for _ in range(3))
    if out is None or new is not p:
        new[...] = p
    rest = np.ascontiguousarray(rest)
    n, real = p.shape[0], p.real.dtype.type
    forth, back = (_multiply, _turn) if p.ndim == 1 else (_multiply_few, _turn_few)
    beta = real(beta) if p.ndim == 1 else np.asarray(beta, real)
    high = _plain(up_data, up_indices, up_indptr)
    low = _plain(low_data, low_indices, low_indptr)
    turns, seconds = _pieces(n, high[0].size, blocks, independent, True)
    for pieces in turns:
        work = seconds * sum(e - s for s, e in pieces)
        run(lambda s, e: back(new, rest, beta, *high, product, s, e), pieces, work=work)
    total = np.zeros(p.shape[1:])
    for pieces in turns[::-1]:
        work = seconds * sum(e - s for s, e in pieces)
        total = sum(
            run(
                lambda s, e: forth(new, product, between, *low, real(shift), s, e),
                pieces,
                work=work,
            ),
            total,
        )
    return new, product, np.asarray(total)


@jit(fastmath={"contract"})
def _turn(p, rest, beta, data, indices, indptr, u, first, last):
    one = np.uint64(1)
    i, end = np.uint64(last), np.uint64(first)
    before = u[i] if i < u.size else u.dtype.type(0)
    while i > end:
        s, t = np.uint64(indptr[i - one]), np.uint64(indptr[i])
        i -= one
        value = rest[i] + beta * p[i]
        p[i] = value
        if s < t:
            t -= one
            while s < t:
                value -= data[s] * u[indices[s]]
                s += one
            j = np.uint64(indices[s])
            value -= data[s] * (before if j == i + one else u[j])
        u[i] = value
        before = value


@jit(fastmath={"contract"})
def _turn_few(p, rest, beta, data, indices, indptr, u, first, last):
    for i in range(last - 1, first - 1, -1):
        values, direction, left = u[i], p[i], rest[i]
        for c in range(values.size):
            direction[c] = left[c] + beta[c] * direction[c]
            values[c] = direction[c]
        for s in range(indptr[i], indptr[i + 1]):
            entry, row = data[s], u[indices[s]]
            for c in range(values.size):
                values[c] -= entry * row[c]


@jit(fastmath={"contract"})
def _multiply(p, u, y, data, indices, indptr, shift, first, last):
    one, total = np.uint64(1), 0.0
    i, end = np.uint64(first), np.uint64(last)
    before = y[i - one] if i > 0 else y.dtype.type(0)
    while i < end:
        value = p[i] - shift * u[i]
        s, t = np.uint64(indptr[i]), np.uint64(indptr[i + one])
        if s < t:
            t -= one
            while s < t:
                value -= data[s] * y[indices[s]]
                s += one
            j = np.uint64(indices[s])
            value -= data[s] * (before if j + one == i else y[j])
        y[i] = value
        before = value
        value += u[i]
        u[i] = value
        total += p[i].real * value.real + p[i].imag * value.imag
        i += one
    return total


@jit(fastmath={"contract"})
def _multiply_few(p, u, y, data, indices, indptr, shift, first, last):
    totals = np.zeros(p.shape[1])
    for i in range(first, last):
        values, direction, product = y[i], p[i], u[i]
        for c in range(values.size):
            values[c] = direction[c] - shift * product[c]
        for s in range(indptr[i], indptr[i + 1]):
            entry, row = data[s], y[indices[s]]
            for c in range(values.size):
                values[c] -= entry * row[c]
        for c in range(values.size):
            product[c] += values[c]
            d, value = direction[c], product[c]
            totals[c] += d.real * value.real + d.imag * value.imag
    return totals


def axpy_pair(x, rest, p, product, step, out):
    new, left = out if out is not None else (np.array(x, order="C"), np.array(rest, order="C"))
    if out is not None:
        for target, source in ((new, x), (left, rest)):
            if target is not source:
                target[...] = source
    real = x.real.dtype.type
    args = new, left, np.ascontiguousarray(p), np.ascontiguousarray(product)
    parts = ranges(x.shape[0], _GRAIN)
    body = _update if x.ndim == 1 else _update_few
    step = real(step) if x.ndim == 1 else np.asarray(step, real)
    sums = run(lambda a, b: body(*args, step, a, b), parts, work=_SPEED * x.size)
    return new, left, np.asarray(sum(sums, np.zeros(x.shape[1:])))


@jit(fastmath={"contract", "reassoc"})
def _update(x, rest, p, product, step, first, last):
    total = 0.0
    for i in range(first, last):
        x[i] += step * p[i]
        value = rest[i] - step * product[i]
        rest[i] = value
        total += value.real * value.real + value.imag * value.imag
    return total


@jit(fastmath={"contract"})
def _update_few(x, rest, p, product, step, first, last):
    totals = np.zeros(x.shape[1])
    for i in range(first, last):
        values, left, direction, other = x[i], rest[i], p[i], product[i]
        for c in range(values.size):
            values[c] += step[c] * direction[c]
            value = left[c] - step[c] * other[c]
            left[c] = value
            totals[c] += value.real * value.real + value.imag * value.imag
    return totals
