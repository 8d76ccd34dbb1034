"""Numba twin of `lrla.kernels.sparse_sign`.

Every entry of a result is one sum in the order of the rows of A, whatever the memory order of A,
whoever owns which part of the result: so the bits depend neither on threads nor on layout. (In
``sign * x + sum`` the product is exact, so a fused multiply-add rounds like an addition; that is
why contraction is allowed here.)

Rows of A are spread over the rows of the result, two of these at a time: the loop over a row is
long and in vector instructions, and loads from A are shared. The limit is the traffic of the sums
between the caches: in C, on 100000 x 304 (Zen 4, d = 1216), the loop takes 31 to 34 ms even if A is
always in the first-level cache. So while one row is spread, memory is asked for the next one, past
the cache of the sums, and for the first lines of the rows that it will go to: 34 to 35 ms instead
of 39. That pays from some 64 columns on and with four targets or more; with fewer the request for
a row comes in one burst and costs up to a quarter. Copies of rows (of A in another order, or in
another precision than the sums) are in the cache already.

What was no faster, most of it in C on the same shape (the best of several runs on a machine whose
other work changed such figures by 2 ms and more; only large differences mean something):

- one, four or eight targets at a time: 36 to 42 ms;
- vectors of eight spelled out in numba: 38 to 41 ms, and 1 ms less than a plain loop with 300
  columns;
- rows of sums that begin at a cache line, with or without a line between them: no difference; if A
  begins at a line, 2 ms are saved, but to copy every row of another A there costs more;
- asking for 16 lines or all of each row of sums ahead: 42 to 47 ms; for rows of A into the
  second-level cache rather than past it: 38 to 41 ms; two or three rows ahead: 1 ms more than one;
- a chunk of rows for two blocks after the other, their sums in the second-level cache: 43 ms or
  more; strips of 16 to 152 columns: 70 ms or more, and with every row asked for ahead 54 to 66 ms,
  as sums from the second-level cache cost what those from the third do;
- the entries of a chunk sorted by target, four or eight rows added at a time: 42 ms or more;
- the entries of a chunk of 2048 rows sorted by target, on tiles of 16 columns, with sums in
  registers. The sums take 18 to 25 ms (d = 3648: 22 to 50). But copying tiles to be contiguous
  takes 12 ms or more on top, even if the next tile was asked for ahead, line by line; tiles in place
  take 64 ms, as every piece of a row straddles lines. Only if each row of A begins at a line do
  they take 29 to 33 ms, and with d = 3648 no less than the loop here;
- whole rows gathered from a chunk in the third-level cache: 45 ms or more.

One or two columns are no row to speak of, and are summed one column at a time.
"""

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from lrla._core.jit import jit
from lrla._core.threads import ranges, run, thread_count
from lrla.kernels._cpu import philox
from lrla.kernels.sparse_sign import FLUSH, widened

_LINE = 64  # bytes of a cache line, where rows had better begin
_CHUNK = 512  # rows that are converted to C order and to the precision of the sums at a time
_STRIP = 128  # columns below which a row is not worth sharing between threads
_AHEAD = 64  # real columns from which asking for the next row pays
_FEW = 2  # real columns that are summed one by one: a loop over so short a row costs more


def table(space, key, tag, start, stop, nnz, d):
    words = philox.words(space, key, tag, start, stop, 0, -(-nnz // 4))
    out = np.empty((stop - start, nnz), np.int32)
    q = np.arange(nnz, dtype=np.int64)
    height = d // nnz + (q < d % nnz)
    offset = np.cumsum(height) - height
    parts = ranges(out.shape[0], 1 << 14)
    run(lambda a, b: _table(out, words, offset, height, a, b), parts, work=1e-9 * out.size)
    return out


@jit
def _table(out, words, offset, height, a, b):
    for i in range(a, b):
        for q in range(out.shape[1]):
            w = words[i, q]
            row = offset[q] + (((w >> 1) * height[q]) >> 31)
            out[i, q] = row ^ -(w & 1)


def apply(A, table, d):
    k, n = A.shape
    dtype, flush = _precision(A.dtype, d, n)
    sums = _zeros(d, n, dtype)
    if flush:
        for a, b in ranges(k, FLUSH):
            part = _zeros(d, n, dtype)
            _add(part, A, table, a, b)
            sums += part
    else:
        _add(sums, A, table, 0, k)
    return sums.astype(A.dtype, copy=False)


def _precision(dtype, d, n):
    """Return the dtype of the sums, and whether they are single and need to be flushed."""
    double = {"f": np.dtype(np.float64), "F": np.dtype(np.complex128)}.get(dtype.char)
    wide = double is not None and widened(dtype.itemsize, d, n)
    return (double if wide else dtype), double is not None and not wide


def _zeros(d, n, dtype):
    """Make zeros that start at a cache line."""
    dtype = np.dtype(dtype)
    room = np.zeros(d * n + _LINE // dtype.itemsize, dtype)
    skip = -room.ctypes.data % _LINE // dtype.itemsize
    return room[skip : skip + d * n].reshape(d, n)


def _add(sums, A, table, a, b):
    """Add rows ``a .. b - 1``; threads own blocks of rows of the result, and strips of columns."""
    codes = np.ascontiguousarray(table)
    nnz, n = codes.shape[1], A.shape[1]
    real = sums.real.dtype
    parts = sums.dtype.itemsize // real.itemsize  # re and im are columns of their own
    direct = A.flags.c_contiguous and A.dtype == sums.dtype

    spread = _spread_few if parts * n <= _FEW else _spread

    def part(q0, q1, c0, c1):
        out, t = sums.view(real), codes[:, q0:q1]
        width = parts * (c1 - c0)
        if direct:
            share = -(-width // (t.shape[1] // 2)) if t.shape[1] >= 4 and width >= _AHEAD else None
            spread(out, A.view(real), t, a, b, parts * c0, parts * c1, 0, share)
            return
        rows = _zeros(min(_CHUNK, b - a), c1 - c0, sums.dtype)
        for i, j in ranges(b - a, _CHUNK):  # converted and put into C order, still in the cache
            rows[: j - i] = A[a + i : a + j, c0:c1]
            spread(out, rows.view(real), t[a + i : a + j], 0, j - i, 0, width, parts * c0, None)

    work = 2e-10 * (b - a) * n * parts * nnz
    run(part, _shares(nnz, n, thread_count()), work=work)


def _shares(nnz, n, threads):
    """Cut the result into (block, block, column, column) ranges, one or more for each thread."""
    pairs = max(1, -(-nnz // 2))
    owners = min(threads, pairs)
    strips = -(-threads // owners)
    blocks = ranges(nnz, 2 * -(-pairs // owners))
    columns = ranges(n, max(_STRIP, -(-n // strips)))
    return [(*q, *c) for q in blocks for c in columns]


@intrinsic(prefer_literal=True)
def _prefetch(typing, array, i, j, level):
    """Ask for the cache line of ``array[i, j]``, as ``llvm.prefetch`` does, with its locality."""

    def generate(context, builder, signature, args):
        kind = signature.args[0]
        value = context.make_array(kind)(context, builder, args[0])
        place = cgutils.get_item_pointer(context, builder, kind, value, args[1:3])
        place = builder.bitcast(place, cgutils.voidptr_t)
        number = cgutils.int32_t
        form = ir.FunctionType(ir.VoidType(), [place.type, number, number, number])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [place.type], form)
        builder.call(fetch, [place, number(0), number(level.literal_value), number(1)])

    return types.void(array, types.intp, types.intp, level), generate


@jit
def _fetch(sums, A, codes, i, q, c, c1, s0):
    """Ask for what targets q and q + 1 of row i will need first, and for columns of the row."""
    for p in range(q, q + 2):
        t = np.int64(codes[i, p])
        t ^= t >> 31
        _prefetch(sums, t, s0, 2)  # how the row begins: what follows, the processor foresees
        _prefetch(sums, t, s0 + 8, 2)
    while c < c1:
        _prefetch(A, i, c, 0)  # read but once, so kept out of the cache of the sums
        c += 8


@jit(fastmath={"contract"})
def _spread(sums, A, codes, a, b, c0, c1, shift, share):
    """Add signed rows, columns ``c0 .. c1 - 1``, to columns from ``c0 + shift``, two at a time.

    With every pair of targets, ``share`` columns of the next row are asked for. It is None where
    that does not pay: then nothing of it is compiled, as even a test would cost short rows 5 %.
    """
    real = A.dtype.type
    nnz = codes.shape[1]
    s0, s1 = c0 + shift, c1 + shift
    for i in range(a, b):
        x = A[i, c0:c1]
        for q in range(0, nnz - 1, 2):
            if share is not None:
                first = c0 + (q >> 1) * share
                _fetch(sums, A, codes, min(i + 1, b - 1), q, first, min(first + share, c1), s0)
            t, u = np.int64(codes[i, q]), np.int64(codes[i, q + 1])
            y = sums[t ^ (t >> 31), s0:s1]  # the complement of a negative code
            z = sums[u ^ (u >> 31), s0:s1]
            # signs are computed, as a choice would become a branch inside the loop
            f, g = real((t >> 31) | 1), real((u >> 31) | 1)
            for c in range(x.size):
                y[c] += f * x[c]
                z[c] += g * x[c]
        if nnz % 2 == 1:
            t = np.int64(codes[i, nnz - 1])
            y = sums[t ^ (t >> 31), s0:s1]
            f = real((t >> 31) | 1)
            for c in range(x.size):
                y[c] += f * x[c]


@jit(fastmath={"contract"})
def _spread_few(sums, A, codes, a, b, c0, c1, shift, share):
    """Do as `_spread` does, one column after the other."""
    real = A.dtype.type
    for c in range(c0, c1):
        y = sums[:, c + shift]
        for i in range(a, b):
            x = A[i, c]
            for q in range(codes.shape[1]):
                t = np.int64(codes[i, q])
                # an unsigned index is not tested for being counted from the end
                y[np.uint64(t ^ (t >> 31))] += real((t >> 31) | 1) * x


def _contiguous(*arrays):
    """Copy what is not contiguous, lest a kernel is compiled for every mixture of strides."""
    return [np.ascontiguousarray(a) for a in arrays]


def apply_csr(data, indices, indptr, table, d, n):
    dtype, flush = _precision(data.dtype, d, n)
    sums = _zeros(d, n, dtype)
    data, indices, indptr, table = _contiguous(data, indices, indptr, table)
    # what is flushed is counted in stored entries here, as these are the terms of the sums
    for a, b in ranges(data.size, FLUSH if flush else max(data.size, 1)):
        part = _zeros(d, n, dtype) if flush else sums
        _add_csr(part, data, indices, indptr, table, a, b)
        if flush:
            sums += part
    return sums.astype(data.dtype, copy=False)


def _add_csr(sums, data, indices, indptr, table, a, b):
    """Add stored entries ``a .. b - 1``; threads own blocks of rows of the result."""
    nnz = table.shape[1]
    parts = ranges(nnz, max(1, -(-nnz // thread_count())))
    args = sums, data, indices, indptr, table, a, b
    run(lambda *part: _apply_csr(*args, *part), parts, work=5e-9 * (b - a) * nnz)


@jit
def _apply_csr(out, data, indices, indptr, codes, first, last, q0, q1):
    i = np.searchsorted(indptr, first, side="right") - 1
    while i < codes.shape[0] and indptr[i] < last:
        e0, e1 = max(first, indptr[i]), min(last, indptr[i + 1])
        for q in range(q0, q1):
            t = codes[i, q]
            if t < 0:
                o = out[~t]
                for e in range(e0, e1):
                    o[indices[e]] -= data[e]
            else:
                o = out[t]
                for e in range(e0, e1):
                    o[indices[e]] += data[e]
        i += 1


def apply_csc(data, indices, indptr, table, d):
    n = indptr.size - 1
    out = np.empty((d, n), data.dtype)
    data, indices, indptr, table = _contiguous(data, indices, indptr, table)
    sums = np.dtype({"f": np.float64, "F": np.complex128}.get(data.dtype.char, data.dtype))
    parts = ranges(n, max(1, n // 64))
    work = 5e-9 * data.size * table.shape[1] + 2e-9 * out.size
    run(
        lambda a, b: _apply_csc(out, np.empty(d, sums), data, indices, indptr, table, a, b),
        parts,
        work=work,
    )
    return out


@jit
def _apply_csc(out, sums, data, indices, indptr, codes, a, b):
    """Sum one column at a time, for which there is always room in double."""
    for j in range(a, b):
        sums[:] = 0
        for e in range(indptr[j], indptr[j + 1]):
            t = codes[indices[e]]
            v = data[e]
            for q in range(t.size):
                if t[q] < 0:
                    sums[~t[q]] -= v
                else:
                    sums[t[q]] += v
        for r in range(sums.size):
            out[r, j] = sums[r]


def adjoint(Y, table):
    Y = np.ascontiguousarray(Y)
    out = np.zeros((table.shape[0], Y.shape[1]), Y.dtype)
    real = Y.real.dtype
    args = out.view(real), Y.view(real), np.ascontiguousarray(table)
    parts = ranges(table.shape[0], 2048)
    run(lambda a, b: _adjoint(*args, a, b), parts, work=3e-10 * out.size * table.shape[1])
    return out


@jit(fastmath={"contract"})
def _adjoint(out, Y, codes, a, b):
    """Gather signed rows, four at a time, each sum in the order of the blocks."""
    real = Y.dtype.type
    nnz = codes.shape[1]
    for i in range(a, b):
        o = out[i]
        q = 0
        while q + 4 <= nnz:
            t0, t1, t2, t3 = codes[i, q], codes[i, q + 1], codes[i, q + 2], codes[i, q + 3]
            y0, y1 = Y[t0 ^ (t0 >> 31)], Y[t1 ^ (t1 >> 31)]
            y2, y3 = Y[t2 ^ (t2 >> 31)], Y[t3 ^ (t3 >> 31)]
            s0, s1 = real((t0 >> 31) | 1), real((t1 >> 31) | 1)
            s2, s3 = real((t2 >> 31) | 1), real((t3 >> 31) | 1)
            for c in range(o.size):
                o[c] = (((o[c] + s0 * y0[c]) + s1 * y1[c]) + s2 * y2[c]) + s3 * y3[c]
            q += 4
        while q < nnz:
            t = codes[i, q]
            y = Y[t ^ (t >> 31)]
            s = real((t >> 31) | 1)
            for c in range(o.size):
                o[c] += s * y[c]
            q += 1
