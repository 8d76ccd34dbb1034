"""Counter-based random numbers: every one of them is a function of (key, tag, position, index).

The generator is Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy
as 1, 2, 3" (SC'11). It turns a counter of four 32-bit words and a key of two into four random
words. The counter is laid out as

    c0, c1   position, 64 bits: the global index along the long dimension
    c2       block: which four words of that position
    c3       tag: domain in the low 8 bits, stream in the high 24

so any range of any random object costs what that range costs, and nothing else has to agree for
chunks, threads, devices and recomputation to agree. Words are held in int64 with values below
2**32, as not every array library has unsigned integers.

Conventions of the arguments: ``key`` is a pair of integers below 2**32, ``tag`` an integer below
2**32, and positions run over ``start <= position < stop``.
"""

import functools

from lrla._core.arrays import Array, Space, space_of
from lrla._core.dispatch import kernel

_MASK = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)  # Salmon et al., table 2
_LN2_HIGH = 6.93147180369123816490e-01  # 32 bits: its multiples up to 2**21 are exact
_LN2_LOW = 1.90821492927058770002e-10
_WEYL = (0x9E3779B9, 0xBB67AE85)  # golden ratio and sqrt(3) - 1, ibid. section 3.3


def _multiply(x: Array, factor: int) -> tuple[Array, Array]:
    """Return the high and the low word of a product of two words, within int64."""
    upper = (x >> 16) * factor
    lower = (x & 0xFFFF) * factor
    return (upper + (lower >> 16)) >> 16, (((upper & 0xFFFF) << 16) + lower) & _MASK


def _philox(c0: Array, c1: Array, c2: Array, c3: Array, key: tuple[int, int]) -> list[Array]:
    k0, k1 = key
    for _ in range(10):
        h0, l0 = _multiply(c0, _MULTIPLIERS[0])
        h1, l1 = _multiply(c2, _MULTIPLIERS[1])
        c0, c1, c2, c3 = h1 ^ c1 ^ k0, l1, h0 ^ c3 ^ k1, l0
        k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
    return [c0, c1, c2, c3]


def _blocks(positions: Array, key: tuple[int, int], tag: int, first: int, count: int) -> Array:
    """Return the words of blocks ``first .. first + count - 1`` at positions: (len, 4 * count)."""
    space = space_of(positions)
    xp = space.xp
    n = positions.shape[0]
    block = xp.arange(first, first + count, dtype=xp.int64, device=space.device)[None, :]
    position = positions[:, None] + xp.zeros_like(block)
    counter = (position & _MASK, (position >> 32) & _MASK)
    block = xp.broadcast_to(block, position.shape)
    words = _philox(*counter, block, xp.zeros_like(position) + tag, key)
    return xp.reshape(xp.stack(words, axis=2), (n, 4 * count))


def _range(space: Space, start: int, stop: int) -> Array:
    return space.xp.arange(start, stop, dtype=space.xp.int64, device=space.device)


@kernel
def words(
    space: Space, key: tuple[int, int], tag: int, start: int, stop: int, first: int, count: int
) -> Array:
    """Draw the raw 32-bit words of some blocks at consecutive positions.

    Parameters
    ----------
    space : Space
        Where to make the array.
    key, tag, start, stop
        See the module.
    first, count : int
        The blocks ``first .. first + count - 1`` of every position.

    Returns
    -------
    array, int64, shape (stop - start, 4 * count)
        Values in ``[0, 2**32)``.
    """
    return _blocks(_range(space, start, stop), key, tag, first, count)


@kernel
def words_at(positions: Array, key: tuple[int, int], tag: int, block: int) -> Array:
    """Draw the four words of one block at any positions.

    Parameters
    ----------
    positions : array, int64, shape (n,)
        Not negative, in any order.
    key, tag
        See the module.
    block : int
        The block.

    Returns
    -------
    array, int64, shape (n, 4)
        Values in ``[0, 2**32)``.
    """
    return _blocks(positions, key, tag, block, 1)


def _pairs(words: Array) -> tuple[Array, Array]:
    """Split words into those of even and those of odd index."""
    pairs = space_of(words).xp.reshape(words, (words.shape[0], words.shape[1] // 2, 2))
    return pairs[:, :, 0], pairs[:, :, 1]


def _minus_log(word: Array) -> Array:
    """Return ``-2 ln((word + 1/2) / 2**32)`` in float32, from the series of atanh."""
    space = space_of(word)
    xp = space.xp
    x = xp.astype(word, xp.float32) + 0.5
    # the exponent by bisection on the integer 2 x: no array standard has frexp
    doubled = xp.astype(2.0 * x, xp.int64)
    e = xp.zeros_like(doubled) - 1
    for step in (32, 16, 8, 4, 2, 1):
        large = (doubled >> step) > 0
        e = xp.where(large, e + step, e)
        doubled = xp.where(large, doubled >> step, doubled)
    powers = space.asarray([2.0**-k for k in range(-1, 33)], dtype=xp.float32)
    m = x * xp.reshape(xp.take(powers, xp.reshape(e + 1, (-1,))), x.shape)
    above = m > 1.4142135
    m = xp.where(above, m * 0.5, m)
    e = xp.where(above, e + 1, e)
    s = (m - 1.0) / (m + 1.0)
    s2 = s * s
    log_m = s * (2.0 + s2 * (0.6666667 + s2 * (0.4 + s2 * (0.2857143 + s2 * 0.22222222))))
    r2 = -2.0 * (log_m + xp.astype(e - 32, xp.float32) * 0.69314718)
    return xp.where(r2 > 0.0, r2, xp.zeros_like(r2))


def _cos_sin(word: Array) -> tuple[Array, Array]:
    """Return cosine and sine of ``2 pi word / 2**32`` in float32, by quadrants."""
    xp = space_of(word).xp
    quadrant = (word + 2**29) >> 30  # 0 .. 4, where 4 is 0 again
    t = xp.astype(word - (quadrant << 30), xp.float32) * 2.0**-30
    t2 = t * t
    s = t * (1.5707963 + t2 * (-0.6459641 + t2 * (0.0796926 + t2 * -0.0046817541)))
    c = 1.0 + t2 * (-1.2337006 + t2 * (0.2536695 + t2 * (-0.0208634808 + t2 * 0.00091926027)))
    odd = (quadrant & 1) == 1
    c, s = xp.where(odd, s, c), xp.where(odd, c, s)
    flip_c = ((quadrant + 1) & 2) == 2
    flip_s = (quadrant & 2) == 2
    return xp.where(flip_c, -c, c), xp.where(flip_s, -s, s)


@kernel
def normal(
    space: Space, key: tuple[int, int], tag: int, start: int, stop: int, count: int
) -> Array:
    """Draw standard normal numbers by the method of Box and Muller, the same bits everywhere.

    Parameters
    ----------
    space : Space
        Where to make the array.
    key, tag, start, stop
        See the module.
    count : int
        How many numbers at each position.

    Returns
    -------
    array, float32, shape (stop - start, count)
        Entry ``(j, i)`` is number ``i % 4`` of block ``i // 4`` at position ``start + j``.

    Notes
    -----
    Logarithm, sine and cosine are polynomials of which every step is one IEEE operation in
    float32, for a library's functions differ between machines in their last bits. The absolute
    error against exact arithmetic is some 1e-5 (and up to 3e-4 in the one pair of 10**6 whose
    radius is nearly 0), and no number exceeds 6.77 in size.
    """
    xp = space.xp
    x, y = _pairs(words.definition(space, key, tag, start, stop, 0, -(-count // 4)))
    r = xp.sqrt(_minus_log(x))
    c, s = _cos_sin(y)
    z = xp.stack([r * c, r * s], axis=2)
    return xp.reshape(z, (z.shape[0], 2 * z.shape[1]))[:, :count]


@kernel
def sign(space: Space, key: tuple[int, int], tag: int, start: int, stop: int, count: int) -> Array:
    """Draw signs, 128 to a block: a bit that is set means -1.

    Parameters
    ----------
    space : Space
        Where to make the array.
    key, tag, start, stop
        See the module.
    count : int
        How many signs at each position.

    Returns
    -------
    array, int8, shape (stop - start, count)
        Entry ``(j, i)`` is bit ``i % 32`` of word ``i // 32`` at position ``start + j``.
    """
    xp = space.xp
    w = words.definition(space, key, tag, start, stop, 0, -(-count // 128))
    bits = (w[:, :, None] >> _range(space, 0, 32)) & 1
    signs = xp.astype(1 - 2 * bits, xp.int8)
    return xp.reshape(signs, (w.shape[0], 32 * w.shape[1]))[:, :count]


@kernel
def uniform(
    space: Space, key: tuple[int, int], tag: int, start: int, stop: int, count: int
) -> Array:
    """Draw uniform numbers in [0, 1) with 53 bits, two to a block.

    Parameters
    ----------
    space : Space
        Where to make the array.
    key, tag, start, stop
        See the module.
    count : int
        How many numbers at each position.

    Returns
    -------
    array, float64, shape (stop - start, count)
        Entry ``(j, i)`` comes from words ``2 i`` and ``2 i + 1`` of position ``start + j``.
    """
    x, y = _pairs(words.definition(space, key, tag, start, stop, 0, -(-count // 2)))
    bits = ((x >> 5) << 26) + (y >> 6)
    return (space.xp.astype(bits, space.xp.float64) * 2.0**-53)[:, :count]


def _natural_log(x: Array) -> Array:
    """Return ``ln(x 2**-53)`` in float64 for whole ``1 <= x <= 2**53``, from the atanh series.

    Every step is one IEEE operation: logarithms of libraries differ in their last bits.
    """
    space = space_of(x)
    xp = space.xp
    bits = xp.astype(x, xp.int64)
    e = xp.zeros_like(bits) - 1
    for step in (32, 16, 8, 4, 2, 1):  # the exponent by bisection, as above
        large = (bits >> step) > 0
        e = xp.where(large, e + step, e)
        bits = xp.where(large, bits >> step, bits)
    e = e + 1
    powers = space.asarray([2.0**-k for k in range(54)], dtype=xp.float64)
    m = x * xp.reshape(xp.take(powers, xp.reshape(e, (-1,))), x.shape)
    above = m > 1.4142135623730951
    m = xp.where(above, m * 0.5, m)
    e = xp.astype(xp.where(above, e + 1, e) - 53, xp.float64)
    s = (m - 1.0) / (m + 1.0)  # at most 0.172, so the first term left out is below 2**-57
    s2 = s * s
    p = xp.zeros_like(s)
    for k in range(21, 1, -2):
        p = s2 * (p + 2.0 / k)
    return e * _LN2_HIGH + (s * (2.0 + p) + e * _LN2_LOW)


@kernel
def exponential(
    space: Space, key: tuple[int, int], tag: int, start: int, stop: int, count: int
) -> Array:
    """Draw standard exponential numbers, two to a block, the same bits everywhere.

    Parameters
    ----------
    space : Space
        Where to make the array.
    key, tag, start, stop
        See the module.
    count : int
        How many numbers at each position.

    Returns
    -------
    array, float64, shape (stop - start, count)
        ``-ln(1 - u)``, u what `uniform` draws there: from 0 to 36.74.
    """
    u = uniform.definition(space, key, tag, start, stop, count)
    return abs(_natural_log((1.0 - u) * 2.0**53))  # abs: no negative zero


@kernel
def integer(
    space: Space, key: tuple[int, int], tag: int, start: int, stop: int, count: int, bound: int
) -> Array:
    """Draw integers in ``[0, bound)``, four to a block.

    Parameters
    ----------
    space : Space
        Where to make the array.
    key, tag, start, stop
        See the module.
    count : int
        How many integers at each position.
    bound : int
        At most 2**31. A value's probability is off by at most ``2**-31``, which is nothing to a
        sketch; exact sampling needs 64-bit words and rejection.

    Returns
    -------
    array, int64, shape (stop - start, count)
        Entry ``(j, i)`` comes from word ``i`` of position ``start + j``.
    """
    w = words.definition(space, key, tag, start, stop, 0, -(-count // 4))
    return (((w >> 1) * bound) >> 31)[:, :count]


def half_bits(size: int) -> int:
    """Return the width of a Feistel half: the least h with ``4**h >= size``, and at least 4.

    Four rounds on halves of 2 bits permute 4 or 5 numbers with a fifth of the probability in the
    wrong places, on 3 bits with 2 %, on 4 bits with none that 10**5 draws could show. The cycles
    that lead back into a small range are 256 steps for all of it together.
    """
    return max(4, -(-(size - 1).bit_length() // 2))


@kernel
def permute(positions: Array, key: tuple[int, int], tag: int, size: int) -> Array:
    """Say where a random permutation of ``range(size)`` sends some positions.

    Parameters
    ----------
    positions : array, int64, shape (n,)
        Values in ``[0, size)``.
    key, tag
        See the module.
    size : int
        At least 1, at most 2**62.

    Returns
    -------
    array, int64, shape (n,)
        Values in ``[0, size)``, different ones for different positions.

    Notes
    -----
    A Feistel network of four rounds (Luby and Rackoff, 1988) permutes the numbers of ``2 h`` bits;
    its round function is word 0 of the block numbered by the round, at the position given by the
    half. Numbers that leave the range go round again until they are back (Black and Rogaway,
    "Ciphers with arbitrary finite domains", 2002).
    """
    space = space_of(positions)
    xp = space.xp
    h = half_bits(size)
    mask = (1 << h) - 1

    def feistel(x: Array) -> Array:
        left, right = x >> h, x & mask
        for r in range(4):
            left, right = right, left ^ (_blocks(right, key, tag, r, 1)[:, 0] & mask)
        return (left << h) | right

    step = feistel
    if h == 4:  # long walks in a small room: look them up
        image = feistel(_range(space, 0, 256))
        step = functools.partial(xp.take, image)
    y = step(positions)
    while bool(xp.any(y >= size)):
        y = xp.where(y >= size, step(y), y)
    return y
