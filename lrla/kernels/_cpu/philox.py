"""Numba twin of `lrla.kernels.philox`.

Counters are worked off in tiles of 64, over the *flattened* index ``position * blocks + block``:
so tiles are full whatever the shape. Words sit in 64-bit lanes, of which the upper halves may
hold rubbish between the rounds, because that is how vector units multiply them. Each kernel turns
a tile of words into a tile of variates, and `_deal` hands these out to the rows of the result.

Nothing here may be compiled with fastmath: a fused multiply-add would change the normals.
"""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run
from lrla.kernels.philox import _LN2_HIGH, _LN2_LOW, half_bits

_GRAIN = 1 << 14  # blocks in one piece of work for a thread: a multiple of the tile


@jit
def _rounds(w, key):
    """Run the ten rounds on 64 counters, in place."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for i in range(64):
        c0, c1, c2, c3 = w[0, i], w[1, i], w[2, i], w[3, i]
        k0, k1 = np.uint64(key[0]), np.uint64(key[1])
        for _ in range(10):
            p0 = (c0 & low) * np.uint64(0xD2511F53)
            p1 = (c2 & low) * np.uint64(0xCD9E8D57)
            c0, c1, c2, c3 = (p1 >> half) ^ c1 ^ k0, p1, (p0 >> half) ^ c3 ^ k1, p0
            k0 = (k0 + np.uint64(0x9E3779B9)) & low
            k1 = (k1 + np.uint64(0xBB67AE85)) & low
        w[0, i], w[1, i], w[2, i], w[3, i] = c0 & low, c1 & low, c2 & low, c3 & low


@jit
def _tile(w, key, tag, start, first, blocks, g):
    """Fill a tile with the words of flattened blocks ``g, g + 1, ...``."""
    position = start + g // blocks
    block = g % blocks
    if block + 64 <= blocks:  # all at one position: vector instructions fill this
        for i in range(64):
            w[0, i] = position
            w[1, i] = position >> 32
            w[2, i] = first + block + i
            w[3, i] = tag
        _rounds(w, key)
        return
    for i in range(64):
        w[0, i] = position
        w[1, i] = position >> 32
        w[2, i] = first + block
        w[3, i] = tag
        block += 1
        if block == blocks:
            block = 0
            position += 1
    _rounds(w, key)


@jit
def _deal(out, tile, g, size):
    """Copy the variates of ``size`` flattened blocks from a tile to where they belong."""
    per = tile.shape[1]
    if out.shape[1] % per == 0:
        out = out.reshape(1, out.size)  # no row ends inside a block: as good as one row
    count = out.shape[1]
    blocks = (count + per - 1) // per
    j, q = g // blocks, g % blocks
    i = 0
    while i < size:  # one run of blocks of one row at a time
        values = tile[i:].reshape(-1)
        row = out[j, q * per :]
        for k in range(min((size - i) * per, row.size)):
            row[k] = values[k]
        i += blocks - q
        j, q = j + 1, 0


@jit
def _words(out, key, tag, start, first, a, b):
    w = np.empty((4, 64), np.uint64)
    tile = np.empty((64, 4), np.int64)
    for g in range(a, b, 64):
        _tile(w, key, tag, start, first, out.shape[1] // 4, g)
        for i in range(64):
            for k in range(4):
                tile[i, k] = w[k, i]
        _deal(out, tile, g, min(64, b - g))


@jit
def _words_at(out, positions, key, tag, block, a, b):
    w = np.empty((4, 64), np.uint64)
    for g in range(a, b, 64):
        size = min(64, b - g)
        for i in range(64):
            p = positions[g + min(i, size - 1)]
            w[0, i] = p
            w[1, i] = p >> 32
            w[2, i] = block
            w[3, i] = tag
        _rounds(w, key)
        for i in range(size):
            for k in range(4):
                out[g + i, k] = w[k, i]


@jit
def _box_muller(x, y):
    """Turn two words into two normals: each line one IEEE operation in single precision."""
    one, two, half = np.float32(1.0), np.float32(2.0), np.float32(0.5)
    f = np.float32(x) + half
    bits = np.float32(f).view(np.uint32)
    e = np.int32(bits >> np.uint32(23)) - np.int32(127)
    m = np.uint32((bits & np.uint32(0x7FFFFF)) | np.uint32(0x3F800000)).view(np.float32)
    above = m > np.float32(1.4142135)
    m = m * half if above else m
    e = np.int32(e + np.int32(1)) if above else np.int32(e)
    s = (m - one) / (m + one)
    s2 = s * s
    p = np.float32(0.2857143) + s2 * np.float32(0.22222222)
    p = np.float32(0.4) + s2 * p
    p = np.float32(0.6666667) + s2 * p
    log_m = s * (two + s2 * p)
    r2 = -two * (log_m + np.float32(np.int32(e - np.int32(32))) * np.float32(0.69314718))
    r = np.sqrt(r2 if r2 > np.float32(0.0) else np.float32(0.0))

    quadrant = np.uint32(np.uint32(y + np.uint32(1 << 29)) >> np.uint32(30))
    t = np.float32(np.int32(y - np.uint32(quadrant << np.uint32(30)))) * np.float32(2.0**-30)
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
    c = -c if ((quadrant + np.uint32(1)) & np.uint32(2)) != np.uint32(0) else c
    s = -s if (quadrant & np.uint32(2)) != np.uint32(0) else s
    return r * c, r * s


@jit
def _normal(out, key, tag, start, a, b):
    w = np.empty((4, 64), np.uint64)
    z = np.empty((4, 64), np.float32)
    tile = np.empty((64, 4), np.float32)
    for g in range(a, b, 64):
        _tile(w, key, tag, start, 0, (out.shape[1] + 3) // 4, g)
        for k in (0, 2):
            for i in range(64):
                z[k, i], z[k + 1, i] = _box_muller(np.uint32(w[k, i]), np.uint32(w[k + 1, i]))
        for i in range(64):
            tile[i, 0], tile[i, 1], tile[i, 2], tile[i, 3] = z[0, i], z[1, i], z[2, i], z[3, i]
        _deal(out, tile, g, min(64, b - g))


@jit
def _sign(out, octets, key, tag, start, a, b):
    """Look up the signs of a byte at once; ``octets`` has eight of them in each 64-bit entry."""
    w = np.empty((4, 64), np.uint64)
    tile = np.empty((64, 128), np.int8)
    packed = tile.view(np.uint64)
    used = min(4, (out.shape[1] + 31) // 32)  # words of a block
    for g in range(a, b, 64):
        _tile(w, key, tag, start, 0, (out.shape[1] + 127) // 128, g)
        for i in range(64):
            for k in range(used):
                x = w[k, i]
                for byte in range(4):
                    packed[i, 4 * k + byte] = octets[(x >> np.uint64(8 * byte)) & np.uint64(255)]
        _deal(out, tile, g, min(64, b - g))


@jit
def _uniform(out, key, tag, start, a, b):
    w = np.empty((4, 64), np.uint64)
    tile = np.empty((64, 2), np.float64)
    for g in range(a, b, 64):
        _tile(w, key, tag, start, 0, (out.shape[1] + 1) // 2, g)
        for i in range(64):
            for k in range(2):
                upper = (w[2 * k, i] >> np.uint64(5)) << np.uint64(26)
                lower = w[2 * k + 1, i] >> np.uint64(6)
                tile[i, k] = np.float64(np.int64(upper | lower)) * 2.0**-53
        _deal(out, tile, g, min(64, b - g))


@jit
def _minus_log(x, high, low):
    """Return -ln(x 2**-53) of a whole number: each line one IEEE operation in double precision."""
    bits = np.float64(x).view(np.int64)
    e = (bits >> 52) - 1023
    m = np.int64((bits & 0xFFFFFFFFFFFFF) | (1023 << 52)).view(np.float64)
    above = m > 1.4142135623730951
    m = m * 0.5 if above else m
    e = np.float64((e + 1 if above else e) - 53)
    s = (m - 1.0) / (m + 1.0)
    s2 = s * s
    p = 0.0
    for k in range(21, 1, -2):
        p = s2 * (p + 2.0 / k)
    return np.abs(e * high + (s * (2.0 + p) + e * low))


@jit
def _exponential(out, key, tag, start, high, low, a, b):
    w = np.empty((4, 64), np.uint64)
    tile = np.empty((64, 2), np.float64)
    for g in range(a, b, 64):
        _tile(w, key, tag, start, 0, (out.shape[1] + 1) // 2, g)
        for i in range(64):
            for k in range(2):
                upper = (w[2 * k, i] >> np.uint64(5)) << np.uint64(26)
                lower = w[2 * k + 1, i] >> np.uint64(6)
                tile[i, k] = _minus_log((1 << 53) - np.int64(upper | lower), high, low)
        _deal(out, tile, g, min(64, b - g))


@jit
def _integer(out, key, tag, start, bound, a, b):
    w = np.empty((4, 64), np.uint64)
    tile = np.empty((64, 4), np.int64)
    for g in range(a, b, 64):
        _tile(w, key, tag, start, 0, (out.shape[1] + 3) // 4, g)
        for i in range(64):
            for k in range(4):
                tile[i, k] = (np.int64(w[k, i] >> np.uint64(1)) * bound) >> 31
        _deal(out, tile, g, min(64, b - g))


@jit
def _permute(out, positions, key, tag, h, size, a, b):
    """Walk 64 positions at a time; one that is home makes room for the next."""
    w = np.empty((4, 64), np.uint64)
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
                w[0, i], w[1, i], w[2, i], w[3, i] = x[i] & mask, 0, r, tag
            _rounds(w, key)
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
    return np.array(key, np.uint64)


def _run(kernel, blocks, *args):
    """Call a kernel on ranges of flattened blocks; one costs some 4 nanoseconds or more."""
    run(lambda a, b: kernel(*args, a, b), ranges(blocks, _GRAIN), work=4e-9 * blocks)


def words(space, key, tag, start, stop, first, count):
    out = np.empty((stop - start, 4 * count), np.int64)
    blocks = out.shape[0] * count
    _run(_words, blocks, out, _key(key), tag, start, first)
    return out


def words_at(positions, key, tag, block):
    positions = np.ascontiguousarray(positions)
    out = np.empty((positions.size, 4), np.int64)
    _run(_words_at, positions.size, out, positions, _key(key), tag, block)
    return out


def normal(space, key, tag, start, stop, count):
    out = np.empty((stop - start, count), np.float32)
    _run(_normal, out.shape[0] * -(-count // 4), out, _key(key), tag, start)
    return out


def sign(space, key, tag, start, stop, count):
    out = np.empty((stop - start, count), np.int8)
    blocks = out.shape[0] * -(-count // 128)
    _run(_sign, blocks, out, _OCTETS, _key(key), tag, start)
    return out


def uniform(space, key, tag, start, stop, count):
    out = np.empty((stop - start, count), np.float64)
    _run(_uniform, out.shape[0] * -(-count // 2), out, _key(key), tag, start)
    return out


def exponential(space, key, tag, start, stop, count):
    out = np.empty((stop - start, count), np.float64)
    blocks = out.shape[0] * -(-count // 2)
    _run(_exponential, blocks, out, _key(key), tag, start, _LN2_HIGH, _LN2_LOW)
    return out


def integer(space, key, tag, start, stop, count, bound):
    out = np.empty((stop - start, count), np.int64)
    _run(_integer, out.shape[0] * -(-count // 4), out, _key(key), tag, start, bound)
    return out


def permute(positions, key, tag, size):
    positions = np.ascontiguousarray(positions)
    out = np.empty(positions.size, np.int64)
    h = half_bits(size)
    _run(_permute, out.size, out, positions, _key(key), tag, h, size)
    return out


# the eight signs that a byte of random bits stands for, lowest bit first, in one 64-bit entry
_OCTETS = (1 - 2 * ((np.arange(256)[:, None] >> np.arange(8)) & 1)).astype(np.int8)
_OCTETS = _OCTETS.view(np.uint64)[:, 0].copy()
