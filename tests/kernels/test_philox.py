"""Known answers, addresses and distributions of the counter-based random numbers.

Statistical tests fail with probability at most 1e-6 under a fresh key, all their checks together.
"""

import functools
import itertools
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lrla._core.arrays import numpy_space
from lrla.kernels import philox

SPACE = numpy_space()
KEY = (0x7C3A91E5, 0x1B5D02F7)
ALARM = 1e-6

ONES = 2**32 - 1
PI = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
KNOWN = [  # (counter, key, words): the published vectors of Random123
    ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    (PI, (0xA4093822, 0x299F31D0), "d16cfe09 94fdcceb 5001e420 24126ea1"),
]

BODIES = pytest.mark.parametrize(
    "body", [philox.words_at, philox.words_at.definition], ids=["twin", "definition"]
)


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN, ids=["zeros", "pi"])
@BODIES
def test_known_answers(counter, key, words, body):
    c0, c1, block, tag = counter
    # positions are signed: the upper half of the 64-bit range is reached by wrapping around
    position = np.array([c0 | c1 << 32], np.uint64).astype(np.int64)
    got = body(position, key, tag, block)
    assert [f"{w:08x}" for w in got[0]] == words.split()


@BODIES
def test_known_answer_of_all_ones(body):
    got = body(np.array([-1]), (ONES, ONES), ONES, ONES)
    assert [f"{w:08x}" for w in got[0]] == ["408f276d", "41c83b0e", "a20bc7c6", "6d5451fd"]


def philox4x64(counter, key):
    """The same rounds on 64-bit words, in Python's integers."""
    mask = 2**64 - 1
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = c[0] * 0xD2E7470EE14C6C93, c[2] * 0xCA5A826395121157
        c = [(p1 >> 64) ^ c[1] ^ k[0], p1 & mask, (p0 >> 64) ^ c[3] ^ k[1], p0 & mask]
        k = [(k[0] + 0x9E3779B97F4A7C15) & mask, (k[1] + 0xBB67AE8584CAA73B) & mask]
    return c


def test_the_wider_generator_of_the_same_rounds_is_that_of_numpy():
    """Ties the round function, as it is written here, to an implementation of others."""
    key = [0x0123456789ABCDEF, 0xFEDCBA9876543210]
    raw = np.random.Philox(key=np.array(key, np.uint64)).random_raw(8)
    assert [int(w) for w in raw[:4]] == philox4x64((1, 0, 0, 0), key)
    assert [int(w) for w in raw[4:]] == philox4x64((2, 0, 0, 0), key)


VARIATES = {
    "normal": philox.normal,
    "sign": philox.sign,
    "uniform": philox.uniform,
    "exponential": philox.exponential,
    "integer": functools.partial(philox.integer, bound=77),
}


@pytest.mark.parametrize("name", VARIATES)
@settings(deadline=None, max_examples=30)
@given(
    start=st.integers(0, 2**62),
    cut=st.integers(0, 40),
    rows=st.integers(0, 40),
    count=st.integers(0, 300),
    fewer=st.integers(0, 300),
)
def test_any_part_is_the_part_of_the_whole(name, start, cut, rows, count, fewer):
    draw = functools.partial(VARIATES[name], SPACE, KEY, 5)
    cut, fewer = min(cut, rows), min(fewer, count)
    whole = draw(start=start, stop=start + rows, count=count)
    upper = draw(start=start, stop=start + cut, count=count)
    lower = draw(start=start + cut, stop=start + rows, count=count)
    np.testing.assert_array_equal(np.concatenate([upper, lower]), whole)
    narrow = draw(start=start, stop=start + rows, count=fewer)
    np.testing.assert_array_equal(narrow, whole[:, :fewer])


def test_words_at_are_words():
    whole = philox.words(SPACE, KEY, 9, 100, 200, 3, 2)
    positions = np.random.default_rng(66120).permutation(np.arange(100, 200))
    for block in (3, 4):
        at = philox.words_at(positions, KEY, 9, block)
        columns = slice(4 * (block - 3), 4 * (block - 3) + 4)
        np.testing.assert_array_equal(at, whole[positions - 100, columns])


def test_variates_come_from_the_words_that_the_documentation_names():
    w = philox.words(SPACE, KEY, 2, 10, 15, 0, 2)
    bits = (w[:, :, None] >> np.arange(32)) & 1
    signs = philox.sign(SPACE, KEY, 2, 10, 15, 256)
    np.testing.assert_array_equal(signs, (1 - 2 * bits).reshape(5, 256))
    uniforms = philox.uniform(SPACE, KEY, 2, 10, 15, 4)
    np.testing.assert_array_equal(
        uniforms, ((w[:, ::2] >> 5) * 2.0**26 + (w[:, 1::2] >> 6)) * 2.0**-53
    )
    integers = philox.integer(SPACE, KEY, 2, 10, 15, 8, 1000)
    np.testing.assert_array_equal(integers, ((w >> 1) * 1000) >> 31)


def test_exponentials_are_logarithms_of_uniforms_to_the_last_digits():
    u = philox.uniform(SPACE, KEY, 2, 0, 50000, 2)
    e = philox.exponential(SPACE, KEY, 2, 0, 50000, 2)
    exact = -np.log1p(-u)
    np.testing.assert_allclose(e, exact, rtol=2.3e-16 * 2, atol=0)
    extreme = philox._natural_log(np.array([1.0, 2.0, 2.0**53 - 1, 2.0**53]))
    exact = np.array([-53 * np.log(2), -52 * np.log(2), -(2.0**-53), 0.0])
    np.testing.assert_allclose(extreme, exact, rtol=2.3e-16, atol=0)


def test_normals_are_box_muller_of_the_words():
    rows, count = 4000, 256
    z = philox.normal(SPACE, KEY, 0, 0, rows, count).astype(np.float64)
    w = philox.words(SPACE, KEY, 0, 0, rows, 0, count // 4)
    r = np.sqrt(-2 * np.log((w[:, ::2] + 0.5) * 2.0**-32))
    angle = 2 * np.pi * w[:, 1::2] * 2.0**-32
    ample = r > 0.01  # near 0 the square root magnifies the error of the logarithm
    for got, exact in ((z[:, ::2], r * np.cos(angle)), (z[:, 1::2], r * np.sin(angle))):
        error = np.abs(got - exact)
        assert np.max(error[ample]) < 2e-5
        assert np.max(error) < 3e-4


def test_the_extreme_words_give_finite_normals():
    """Word 0 gives the largest radius, the largest word a radius of 0, whatever the rounding."""
    word = np.array([0, 1, 2**23, 2**24 - 1, ONES - 1, ONES])
    r2 = philox._minus_log(word)
    assert np.all(np.isfinite(r2))
    assert np.all(r2 >= 0)
    assert 6.76 < np.sqrt(r2[0]) < 6.77


def test_normals_are_compiled_without_fused_multiply_add(tmp_path):
    """In a process of its own, without a cache: numba shows no code that it did not compile."""
    script = """
from lrla._core.arrays import numpy_space
from lrla.kernels import philox
from lrla.kernels._cpu import philox as twin
philox.normal(numpy_space(), (1, 2), 0, 0, 3, 5)
print("".join(twin._normal.inspect_asm().values()))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"\bv?(mul|div|sqrt)[sp]s\b|\bfmul\b", done.stdout)  # it is the real thing
    assert not re.search(r"\bvfn?m(add|sub)|\bfn?m(add|sub)\b|\bfml[as]\b", done.stdout)


@settings(deadline=None, max_examples=40)
@given(size=st.integers(1, 3000), key=st.tuples(st.integers(0, ONES), st.integers(0, ONES)))
def test_permute_permutes(size, key):
    image = philox.permute(np.arange(size), key, 5, size)
    np.testing.assert_array_equal(np.sort(image), np.arange(size))


@given(st.integers(1, 2**62))
@settings(deadline=None)
def test_permute_stays_in_range_and_apart(size):
    positions = np.unique(np.linspace(0, size - 1, 50).astype(np.int64).clip(0, size - 1))
    image = philox.permute(positions, KEY, 5, size)
    assert np.all((image >= 0) & (image < size))
    assert np.unique(image).size == positions.size


def fair(counts, alarm):
    """Say whether counts of equally likely outcomes look so."""
    return stats.chisquare(np.ravel(counts)).pvalue > alarm


@pytest.mark.statistical
def test_normals_are_normal():
    z = philox.normal(SPACE, KEY, 0, 0, 4000, 1000).ravel().astype(np.float64)
    n = z.size
    assert stats.kstest(z, "norm").pvalue > ALARM / 5
    limit = stats.norm.isf(ALARM / 10)
    # the variance of z^k is E z^2k - (E z^k)^2
    for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs(np.mean(z**power) - mean) < limit * np.sqrt(variance / n)
    assert stats.kstest(1.01 * z, "norm").pvalue < ALARM  # the test has teeth


@pytest.mark.statistical
@pytest.mark.parametrize("bound", [2, 100, 1009])
def test_integers_are_uniform(bound):
    drawn = philox.integer(SPACE, KEY, 1, 0, 50000, 8, bound)
    assert fair(np.bincount(drawn.ravel(), minlength=bound), ALARM)


@pytest.mark.statistical
def test_signs_and_uniforms_are_fair():
    signs = philox.sign(SPACE, KEY, 2, 0, 20000, 128).astype(np.int64)
    limit = stats.norm.isf(ALARM / 2 / 130)
    assert abs(signs.sum()) < limit * np.sqrt(signs.size)
    assert np.all(np.abs(signs.sum(axis=0)) < limit * np.sqrt(20000))
    u = philox.uniform(SPACE, KEY, 3, 0, 50000, 4).ravel()
    assert np.all((u >= 0) & (u < 1))
    assert stats.kstest(u, "uniform").pvalue > ALARM / 130
    e = philox.exponential(SPACE, KEY, 3, 0, 50000, 4).ravel()
    assert np.all((e >= 0) & (e < 36.75))
    assert stats.kstest(e, "expon").pvalue > ALARM / 130


@pytest.mark.statistical
def test_neighbours_are_not_correlated():
    """Adjacent positions, blocks, keys, tags: correlations within 1 / sqrt(n) times a quantile."""
    rows, count = 20000, 20

    def draw(key=KEY, tag=0, start=0):
        return philox.normal(SPACE, key, tag, start, start + rows, count).astype(np.float64)

    z = draw()
    pairs = [
        (z[1:], z[:-1]),
        (z[:, 1:], z[:, :-1]),
        (z[:, 4:], z[:, :-4]),
        (z, draw(key=(KEY[0] + 1, KEY[1]))),
        (z, draw(key=(KEY[0], KEY[1] + 1))),
        (z, draw(tag=1)),
        (z, draw(tag=1 << 8)),
        (z, draw(start=2**32)),
    ]
    limit = stats.norm.isf(ALARM / 2 / (2 * len(pairs)))
    for x, y in pairs:
        assert abs(np.mean(x * y)) < limit / np.sqrt(x.size)
        # squares have variance 2 each, so their product has 4
        assert abs(np.mean((x**2 - 1) * (y**2 - 1))) < 2.5 * limit / np.sqrt(x.size)


@pytest.mark.statistical
@pytest.mark.parametrize("size", [2, 3, 4])
def test_permutations_of_few_are_equally_likely(size):
    draws = 3000
    orders = {p: i for i, p in enumerate(itertools.permutations(range(size)))}
    counts = np.zeros(len(orders))
    for tag in range(draws):
        image = philox.permute(np.arange(size), KEY, 5 | tag << 8, size)
        counts[orders[tuple(int(i) for i in image)]] += 1
    assert fair(counts, ALARM)


@pytest.mark.statistical
def test_permutations_of_many_send_everything_everywhere():
    size, draws = 50, 4000
    table = np.zeros((size, size))
    for tag in range(draws):
        table[np.arange(size), philox.permute(np.arange(size), KEY, 5 | tag << 8, size)] += 1
    # rows and columns sum to a constant: (size - 1)^2 degrees of freedom
    statistic = np.sum((table - draws / size) ** 2) * size / draws * (size - 1) / size
    assert stats.chi2.sf(statistic, (size - 1) ** 2) > ALARM / 2
    assert stats.chi2.cdf(statistic, (size - 1) ** 2) > ALARM / 2
