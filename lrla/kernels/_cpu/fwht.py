"""The Walsh-Hadamard transform in passes of up to four stages over pieces that fit the L1 cache.

A transform of N rows of ``first`` contiguous numbers is the part with strides ``first``,
``2 first``, ... of a transform of ``N first`` numbers. One routine is therefore enough for real
numbers (``first = 1``), complex ones (2) and matrices in C order of 8 or 64 columns.

Strides are compile-time constants in all inner loops: only then can LLVM see that the eight
streams of a butterfly do not overlap, and vectorise. Larger strides are brought to these constants
by copying rows of 64 numbers into a small tile, which also avoids the conflicts of power-of-two
strides in the caches.
"""

import numpy as np

from lrla._core import threads
from lrla._core.jit import jit
from lrla.kernels.fwht import check_length

_LINE = 64  # numbers that one row of a tile holds
_TILE = 4096  # numbers in a tile, 32 KiB of float64: the L1 cache
_GRAIN = 65536  # numbers that one task holds at least
_NS = 2e-9  # seconds for one number, roughly


@jit
def _h2(a, b):
    return a + b, a - b


@jit
def _h4(a, b, c, d):
    a, b = _h2(a, b)
    c, d = _h2(c, d)
    return a + c, b + d, a - c, b - d


@jit
def _h8(a, b, c, d, e, f, g, h):
    a, b, c, d = _h4(a, b, c, d)
    e, f, g, h = _h4(e, f, g, h)
    return a + e, b + f, c + g, d + h, a - e, b - f, c - g, d - h


def _radix2(stride):
    @jit
    def stage(y):
        for base in range(0, y.size, 2 * stride):
            x = y[base : base + 2 * stride]
            for j in range(stride):
                x[j], x[j + stride] = _h2(x[j], x[j + stride])

    return stage


def _radix4(stride):
    @jit
    def stages(y):
        for base in range(0, y.size, 4 * stride):
            x = y[base : base + 4 * stride]
            for j in range(stride):
                a, b, c, d = _h4(x[j], x[j + stride], x[j + 2 * stride], x[j + 3 * stride])
                x[j], x[j + stride], x[j + 2 * stride], x[j + 3 * stride] = a, b, c, d

    return stages


def _radix8(s):
    @jit
    def stages(y):
        for base in range(0, y.size, 8 * s):
            x = y[base : base + 8 * s]
            for j in range(s):
                a, b, c, d = x[j], x[j + s], x[j + 2 * s], x[j + 3 * s]
                e, f, g, h = x[j + 4 * s], x[j + 5 * s], x[j + 6 * s], x[j + 7 * s]
                a, b, c, d, e, f, g, h = _h8(a, b, c, d, e, f, g, h)
                x[j], x[j + s], x[j + 2 * s], x[j + 3 * s] = a, b, c, d
                x[j + 4 * s], x[j + 5 * s], x[j + 6 * s], x[j + 7 * s] = e, f, g, h

    return stages


def _radix16(s):
    @jit
    def stages(y):
        for base in range(0, y.size, 16 * s):
            x = y[base : base + 16 * s]
            for j in range(s):
                a, b, c, d = x[j], x[j + s], x[j + 2 * s], x[j + 3 * s]
                e, f, g, h = x[j + 4 * s], x[j + 5 * s], x[j + 6 * s], x[j + 7 * s]
                k, l, m, n = x[j + 8 * s], x[j + 9 * s], x[j + 10 * s], x[j + 11 * s]
                o, p, q, r = x[j + 12 * s], x[j + 13 * s], x[j + 14 * s], x[j + 15 * s]
                a, b, c, d, e, f, g, h = _h8(a, b, c, d, e, f, g, h)
                k, l, m, n, o, p, q, r = _h8(k, l, m, n, o, p, q, r)
                x[j], x[j + s], x[j + 2 * s], x[j + 3 * s] = a + k, b + l, c + m, d + n
                x[j + 4 * s], x[j + 5 * s] = e + o, f + p
                x[j + 6 * s], x[j + 7 * s] = g + q, h + r
                x[j + 8 * s], x[j + 9 * s] = a - k, b - l
                x[j + 10 * s], x[j + 11 * s] = c - m, d - n
                x[j + 12 * s], x[j + 13 * s] = e - o, f - p
                x[j + 14 * s], x[j + 15 * s] = g - q, h - r

    return stages


# Shorter inner loops than these LLVM unrolls completely before it tries to vectorise them.
_stages_4_to_32 = _radix16(4)
_stages_8_to_32 = _radix8(8)
_stage_64, _stages_64_to_128, _stages_64_to_256 = _radix2(64), _radix4(64), _radix8(64)
_stage_512, _stages_512_to_1024, _stages_512_to_2048 = _radix2(512), _radix4(512), _radix8(512)


@jit
def _stages_1_to_2(y):
    for i in range(y.size // 4):
        a, b, c, d = _h4(y[4 * i], y[4 * i + 1], y[4 * i + 2], y[4 * i + 3])
        y[4 * i], y[4 * i + 1], y[4 * i + 2], y[4 * i + 3] = a, b, c, d


@jit
def _stage_2(y):
    for i in range(y.size // 4):
        a, b, c, d = y[4 * i], y[4 * i + 1], y[4 * i + 2], y[4 * i + 3]
        y[4 * i], y[4 * i + 1], y[4 * i + 2], y[4 * i + 3] = a + c, b + d, a - c, b - d


@jit
def _inside_lines(y, first):
    """Do the stages with strides from ``first``, which is 1, 2, 8 or 64, to 32."""
    if first == 1:
        _stages_1_to_2(y)
    elif first == 2:
        _stage_2(y)
    if first <= 2:
        _stages_4_to_32(y)
    elif first == 8:
        _stages_8_to_32(y)


@jit
def _across_lines(y, length):
    """Do the stages with strides from 64 to 2048 of transforms of ``length`` numbers."""
    if length >= 512:
        _stages_64_to_256(y)
    elif length == 256:
        _stages_64_to_128(y)
    elif length == 128:
        _stage_64(y)
    if length >= 4096:
        _stages_512_to_2048(y)
    elif length == 2048:
        _stages_512_to_1024(y)
    elif length == 1024:
        _stage_512(y)


@jit
def _across_tiles(y, length, tile):
    """Do the stages with strides from 4096."""
    stride = tile.size  # not the constant: Numba would compile what follows for it, too
    while stride < length:
        lines = min(_LINE, length // stride)
        part = tile[: lines * _LINE]
        for base in range(0, y.size, lines * stride):
            for column in range(base, base + stride, _LINE):
                _gather(y, column, stride, part)
                _across_lines(part, part.size)
                _scatter(y, column, stride, part)
        stride *= lines


@jit
def _copy(source, target):
    for j in range(target.size):  # the loop must not look short, or LLVM unrolls it into scalars
        target[j] = source[j]


@jit
def _gather(y, start, stride, tile):
    for i in range(tile.size // _LINE):
        at = start + i * stride
        _copy(y[at : at + _LINE], tile[i * _LINE : (i + 1) * _LINE])


@jit
def _scatter(y, start, stride, tile):
    for i in range(tile.size // _LINE):
        at = start + i * stride
        _copy(tile[i * _LINE : (i + 1) * _LINE], y[at : at + _LINE])


@jit
def _short(y, first, length):
    """Do all stages of transforms of fewer than 64 numbers."""
    stride = first
    while stride < length:
        for base in range(0, y.size, 2 * stride):
            for j in range(base, base + stride):
                y[j], y[j + stride] = _h2(y[j], y[j + stride])
        stride *= 2


@jit
def transform_pieces(y, first, length, start, stop):
    """Transform the pieces of ``length`` numbers of y[start:stop], each by kron(H, eye(first)).

    It works in place; ``first`` is 1, 2, 8 or 64.
    """
    if length < _LINE:
        _short(y[start:stop], first, length)
        return
    tile = np.empty(_TILE, y.dtype)
    piece = max(length, _TILE)
    for a in range(start, stop, piece):
        b = min(a + piece, stop)
        for i in range(a, b, _TILE):
            block = y[i : min(i + _TILE, b)]
            _inside_lines(block, first)
            _across_lines(block, length)
        _across_tiles(y[a:b], length, tile)


def fwht(X):
    """Transform along the last axis; see the definition."""
    check_length(X.shape[-1])
    # NumPy's copy goes around the caches: faster than to read X and to write Y in the first pass
    Y = np.array(X, order="C")
    y = Y.reshape(-1).view(Y.real.dtype)
    first = 2 if Y.dtype.kind == "c" else 1
    length = X.shape[-1] * first
    grain = max(length, _GRAIN // length * length)
    parts = [(y, first, length, a, b) for a, b in threads.ranges(y.size, grain)]
    threads.run(transform_pieces, parts, work=_NS * y.size)
    return Y
