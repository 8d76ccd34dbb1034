"""Numba twin of `lrla.kernels.philox`.

Counters are worked off in tiles of 64: ten rounds run over arrays of 64 words that stay in the
first-level cache, in loops that compile to vector instructions. A tile runs over the *flattened*
index ``position * blocks + block``, so it is full whatever the shape.
"""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run
from lrla.kernels.philox import half_bits

_TILE = 64
_GRAIN = 1 << 14  # blocks in one piece of work for a thread: a multiple of the tile


@jit
def _rounds(c0, c1, c2, c3, k0, k1):
    """Run the ten rounds on four arrays of counter words, in place."""
    for _ in range(10):
        for i in range(c0.size):
            p0 = np.uint64(c0[i]) * np.uint64(0xD2511F53)
            p1 = np.uint64(c2[i]) * np.uint64(0xCD9E8D57)
            x1 = c1[i]
            x3 = c3[i]
            c0[i] = np.uint32(p1 >> np.uint64(32)) ^ x1 ^ k0
            c1[i] = np.uint32(p1)
            c2[i] = np.uint32(p0 >> np.uint64(32)) ^ x3 ^ k1
            c3[i] = np.uint32(p0)
        k0 = np.uint32(k0 + np.uint32(0x9E3779B9))
        k1 = np.uint32(k1 + np.uint32(0xBB67AE85))


@jit
def _tile(w, key, tag, start, first, count, g):
    """Fill a tile with the words of flattened blocks ``g, g + 1, ...``."""
    position = start + g // count
    block = g % count
    for i in range(64):
        w[0, i] = np.uint32(position & 0xFFFFFFFF)
        w[1, i] = np.uint32((position >> 32) & 0xFFFFFFFF)
        w[2, i] = np.uint32(first + block)
        w[3, i] = tag
        block += 1
        if block == count:
            block = 0
            position += 1
    _rounds(w[0], w[1], w[2], w[3], key[0], key[1])


@jit
def _words(out, key, tag, start, first, count, a, b):
    w = np.empty((4, 64), np.uint32)
    flat = out.reshape(-1)
    for g in range(a, b, 64):
        _tile(w, key, tag, start, first, count, g)
        for i in range(min(64, b - g)):
            for k in range(4):
                flat[4 * (g + i) + k] = w[k, i]


@jit
def _words_at(out, positions, key, tag, block, a, b):
    w = np.empty((4, 64), np.uint32)
    for g in range(a, b, 64):
        size = min(64, b - g)
        for i in range(64):
            p = positions[g + min(i, size - 1)]
            w[0, i] = np.uint32(p & 0xFFFFFFFF)
            w[1, i] = np.uint32((p >> 32) & 0xFFFFFFFF)
            w[2, i] = block
            w[3, i] = tag
        _rounds(w[0], w[1], w[2], w[3], key[0], key[1])
        for i in range(size):
            for k in range(4):
                out[g + i, k] = w[k, i]


@jit
def _box_muller(x, y, cos_out, sin_out):
    """Turn words into pairs of normals: each line one IEEE operation in single precision."""
    one, two = np.float32(1.0), np.float32(2.0)
    for i in range(x.size):
        f = np.float32(x[i]) + np.float32(0.5)
        bits = np.float32(f).view(np.uint32)
        e = np.int32(bits >> np.uint32(23)) - np.int32(127)
        m = np.uint32((bits & np.uint32(0x7FFFFF)) | np.uint32(0x3F800000)).view(np.float32)
        above = m > np.float32(1.4142135)
        m = m * np.float32(0.5) if above else m
        e = e + np.int32(1) if above else e
        s = (m - one) / (m + one)
        s2 = s * s
        p = np.float32(0.2857143) + s2 * np.float32(0.22222222)
        p = np.float32(0.4) + s2 * p
        p = np.float32(0.6666667) + s2 * p
        log_m = s * (two + s2 * p)
        r2 = -two * (log_m + np.float32(e - np.int32(32)) * np.float32(0.69314718))
        r2 = r2 if r2 > np.float32(0.0) else np.float32(0.0)
        r = np.sqrt(r2)
        quadrant = np.uint32(y[i] + np.uint32(1 << 29)) >> np.uint32(30)
        t = np.float32(np.int32(np.uint32(y[i] - np.uint32(quadrant << np.uint32(30)))))
        t = t * np.float32(2.0**-30)
        t2 = t * t
        p = np.float32(0.0796926) + t2 * np.float32(-0.0046817541)
        p = np.float32(-0.6459641) + t2 * p
        sine = t * (np.float32(1.5707963) + t2 * p)
        p = np.float32(-0.0208634808) + t2 * np.float32(0.00091926027)
        p = np.float32(0.2536695) + t2 * p
        p = np.float32(-1.2337006) + t2 * p
        cosine = one + t2 * p
        odd = (quadrant & np.uint32(1)) != np.uint32(0)
        c = sine if odd else cosine
        s = cosine if odd else sine
        cos_out[i] = r * (-c if ((quadrant + np.uint32(1)) & np.uint32(2)) != 0 else c)
        sin_out[i] = r * (-s if (quadrant & np.uint32(2)) != 0 else s)


@jit
def _normal(out, key, tag, start, a, b):
    count = out.shape[1]
    blocks = (count + 3) // 4
    w = np.empty((4, 64), np.uint32)
    z = np.empty((4, 64), np.float32)
    flat = out.reshape(-1)
    for g in range(a, b, 64):
        _tile(w, key, tag, start, 0, blocks, g)
        _box_muller(w[0], w[1], z[0], z[1])
        _box_muller(w[2], w[3], z[2], z[3])
        size = min(64, b - g)
        if count % 4 == 0:
            for i in range(size):
                for k in range(4):
                    flat[4 * (g + i) + k] = z[k, i]
        else:
            for i in range(size):
                j, q = (g + i) // blocks, (g + i) % blocks
                for k in range(min(4, count - 4 * q)):
                    out[j, 4 * q + k] = z[k, i]


@jit
def _sign(out, signs, key, tag, start, a, b):
    count = out.shape[1]
    blocks = (count + 127) // 128
    w = np.empty((4, 64), np.uint32)
    for g in range(a, b, 64):
        _tile(w, key, tag, start, 0, blocks, g)
        for i in range(min(64, b - g)):
            j, q = (g + i) // blocks, (g + i) % blocks
            for byte in range(min(16, (count - 128 * q + 7) // 8)):
                pattern = signs[(w[byte // 4, i] >> np.uint32(8 * (byte % 4))) & np.uint32(255)]
                c = 128 * q + 8 * byte
                for k in range(min(8, count - c)):
                    out[j, c + k] = pattern[k]


@jit
def _uniform(out, key, tag, start, a, b):
    count = out.shape[1]
    blocks = (count + 1) // 2
    w = np.empty((4, 64), np.uint32)
    for g in range(a, b, 64):
        _tile(w, key, tag, start, 0, blocks, g)
        for i in range(min(64, b - g)):
            j, q = (g + i) // blocks, (g + i) % blocks
            for k in range(min(2, count - 2 * q)):
                upper = np.int64(w[2 * k, i] >> np.uint32(5)) << 26
                lower = np.int64(w[2 * k + 1, i] >> np.uint32(6))
                out[j, 2 * q + k] = np.float64(upper + lower) * 2.0**-53


@jit
def _integer(out, key, tag, start, bound, a, b):
    count = out.shape[1]
    blocks = (count + 3) // 4
    w = np.empty((4, 64), np.uint32)
    for g in range(a, b, 64):
        _tile(w, key, tag, start, 0, blocks, g)
        for i in range(min(64, b - g)):
            j, q = (g + i) // blocks, (g + i) % blocks
            for k in range(min(4, count - 4 * q)):
                out[j, 4 * q + k] = (np.int64(w[k, i] >> np.uint32(1)) * bound) >> 31


@jit
def _permute(out, positions, key, tag, h, size, a, b):
    """Walk 64 positions at a time; one that is home makes room for the next."""
    w = np.empty((4, 64), np.uint32)
    x = np.zeros(64, np.int64)
    home = np.zeros(64, np.int64)
    mask = (1 << h) - 1
    following = a
    busy = 0
    while following < b or busy > 0:
        while busy < 64 and following < b:
            x[busy] = positions[following]
            home[busy] = following
            busy += 1
            following += 1
        for r in range(4):
            for i in range(64):
                w[0, i] = np.uint32(x[i] & mask)
                w[1, i] = np.uint32(0)
                w[2, i] = np.uint32(r)
                w[3, i] = tag
            _rounds(w[0], w[1], w[2], w[3], key[0], key[1])
            for i in range(64):
                right = x[i] & mask
                x[i] = (right << h) | ((x[i] >> h) ^ (np.int64(w[0, i]) & mask))
        kept = 0
        for i in range(busy):
            if x[i] < size:
                out[home[i]] = x[i]
            else:
                x[kept] = x[i]
                home[kept] = home[i]
                kept += 1
        busy = kept


def _key(key):
    return np.array(key, np.uint32)


def _run(kernel, blocks, *args):
    """Call a kernel on ranges of flattened blocks; one costs some 4 nanoseconds or more."""
    run(lambda a, b: kernel(*args, a, b), ranges(blocks, _GRAIN), work=4e-9 * blocks)


def words(space, key, tag, start, stop, first, count):
    out = np.empty((stop - start, 4 * count), np.int64)
    blocks = out.shape[0] * count
    _run(_words, blocks, out, _key(key), np.uint32(tag), start, first, count)
    return out


def words_at(positions, key, tag, block):
    out = np.empty((positions.size, 4), np.int64)
    _run(_words_at, positions.size, out, positions, _key(key), np.uint32(tag), np.uint32(block))
    return out


def normal(space, key, tag, start, stop, count):
    out = np.empty((stop - start, count), np.float32)
    _run(_normal, out.shape[0] * -(-count // 4), out, _key(key), np.uint32(tag), start)
    return out


def sign(space, key, tag, start, stop, count):
    out = np.empty((stop - start, count), np.int8)
    blocks = out.shape[0] * -(-count // 128)
    _run(_sign, blocks, out, _SIGNS, _key(key), np.uint32(tag), start)
    return out


def uniform(space, key, tag, start, stop, count):
    out = np.empty((stop - start, count), np.float64)
    _run(_uniform, out.shape[0] * -(-count // 2), out, _key(key), np.uint32(tag), start)
    return out


def integer(space, key, tag, start, stop, count, bound):
    out = np.empty((stop - start, count), np.int64)
    _run(_integer, out.shape[0] * -(-count // 4), out, _key(key), np.uint32(tag), start, bound)
    return out


def permute(positions, key, tag, size):
    out = np.empty(positions.size, np.int64)
    h = half_bits(size)
    _run(_permute, out.size, out, positions, _key(key), np.uint32(tag), h, size)
    return out


# the eight signs that a byte of random bits stands for, lowest bit first
_SIGNS = (1 - 2 * ((np.arange(256)[:, None] >> np.arange(8)) & 1)).astype(np.int8)
