"""Numba twins of `lrla.kernels.row_lengths`: four columns at a time, which stay in registers."""

import itertools

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import run

_PARTS = (
    8  # sums at most, each over a part of the rows: fixed, so that threads do not change the bits
)
_SHARE = 64  # entries for each column in a part, so that to clear and to add up the sums is little


def by_length(data, indices, indptr):
    """See `lrla.kernels.row_lengths.by_length`."""
    lengths = np.diff(indptr)
    short = lengths.max(initial=0) < 1 << 16  # then NumPy sorts by counting
    order = np.argsort(lengths.astype(np.uint16) if short else lengths, kind="stable")
    ends = np.zeros(indptr.size, np.int64)
    np.cumsum(lengths[order], out=ends[1:])
    out = np.empty(ends[-1], data.dtype), np.empty(ends[-1], np.int32)
    _copy(data, indices, indptr, order, *out)
    return *out, ends


@jit
def _copy(data, indices, indptr, order, to_data, to_indices):
    at = 0
    for i in order:
        for t in range(indptr[i], indptr[i + 1]):
            to_data[at], to_indices[at] = data[t], indices[t]
            at += 1


def normal_times(data, indices, indptr, X):
    """See `lrla.kernels.row_lengths.normal_times`."""
    n, p = X.shape
    parts = _parts(indptr, n)
    starts = range(0, p, 4)
    # what a row reads and what it adds to lie side by side, in one line of the cache for float64
    rooms = {(c, part): _aligned(n, X.dtype) for c in starts for part in parts}

    def product(c, part):
        W = rooms[c, part]
        _load(X, c, W)
        _rows(data, indices, indptr, W, *part)

    run(product, list(rooms), work=data.size * p * 8e-10)
    out = np.zeros((n, p), X.dtype)
    for (c, _), W in rooms.items():
        _add(W, c, out)
    return out


@jit
def _load(X, c, W):
    for i in range(X.shape[0]):
        for k in range(4):
            W[i, k] = X[i, c + k] if c + k < X.shape[1] else 0
            W[i, 4 + k] = 0


@jit
def _add(W, c, out):
    for i in range(out.shape[0]):
        for k in range(min(4, out.shape[1] - c)):
            out[i, c + k] += W[i, 4 + k]


def _parts(indptr, n):
    """Cut the rows into parts of about equal numbers of entries."""
    count = int(min(_PARTS, max(1, indptr[-1] // (_SHARE * max(n, 1)))))
    cuts = np.searchsorted(indptr, np.arange(count + 1) * indptr[-1] // count)
    cuts[0], cuts[-1] = 0, indptr.size - 1
    return list(itertools.pairwise(cuts.tolist()))


def _aligned(n, dtype):
    """Make an array of 8 columns whose rows begin where lines of the cache do."""
    room = np.empty(8 * n * dtype.itemsize + 64, np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + 8 * n * dtype.itemsize].view(dtype).reshape(n, 8)


@jit(fastmath={"contract"})
def _rows(data, indices, indptr, W, first, last):
    # unsigned indices need no check for negative ones
    zero, U = data.dtype.type(0), np.uintp
    for i in range(first, last):
        start, stop = U(indptr[i]), U(indptr[i + 1])
        s0 = s1 = s2 = s3 = zero
        for t in range(start, stop):
            v, j = data[t], U(indices[t])
            s0 += v * W[j, U(0)]
            s1 += v * W[j, U(1)]
            s2 += v * W[j, U(2)]
            s3 += v * W[j, U(3)]
        for t in range(start, stop):
            v, j = np.conj(data[t]), U(indices[t])
            W[j, U(4)] += v * s0
            W[j, U(5)] += v * s1
            W[j, U(6)] += v * s2
            W[j, U(7)] += v * s3
