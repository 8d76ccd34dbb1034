"""CUDA twin of `lrla.kernels.philox`: loads and launches ``philox.cu``."""

import cupy as cp
import numpy as np

from lrla.kernels._cuda._load import launch
from lrla.kernels.philox import half_bits

# a fused multiply-add would change the last bits of the normals
_OPTIONS = ("--std=c++17", "--fmad=false")


def _launch(name, work, out, *args):
    launch("philox", name, _OPTIONS, work, out, *args)
    return out


def _counter(key, tag):
    return np.uint32(key[0]), np.uint32(key[1]), np.uint32(tag)


def words(space, key, tag, start, stop, first, count):
    rows = stop - start
    out = cp.empty((rows, 4 * count), cp.int64)
    args = *_counter(key, tag), start, rows, np.uint32(first), count
    return _launch("words", rows * count, out, *args)


def words_at(positions, key, tag, block):
    positions = cp.ascontiguousarray(positions)
    n = positions.size
    out = cp.empty((n, 4), cp.int64)
    return _launch("words_at", n, out, positions, *_counter(key, tag), n, np.uint32(block))


def _variates(name, dtype, per, key, tag, start, stop, count, *bound):
    rows = stop - start
    out = cp.empty((rows, count), dtype)
    args = *_counter(key, tag), start, rows, count, *bound
    return _launch(name, rows * -(-count // per), out, *args)


def normal(space, key, tag, start, stop, count):
    return _variates("normal", cp.float32, 4, key, tag, start, stop, count)


def sign(space, key, tag, start, stop, count):
    return _variates("sign", cp.int8, 8, key, tag, start, stop, count)


def uniform(space, key, tag, start, stop, count):
    return _variates("uniform", cp.float64, 2, key, tag, start, stop, count)


def integer(space, key, tag, start, stop, count, bound):
    return _variates("integer", cp.int64, 4, key, tag, start, stop, count, bound)


def permute(positions, key, tag, size):
    positions = cp.ascontiguousarray(positions)
    n = positions.size
    out = cp.empty(n, cp.int64)
    args = positions, *_counter(key, tag), n, size, np.int32(half_bits(size))
    return _launch("permute", n, out, *args)
