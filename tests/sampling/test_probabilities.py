"""Inclusion probabilities: proportional to scores, capped at one, adding up to the size."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrla.sampling import inclusion_probabilities


def by_bisection(scores, size):
    """Find the factor by halving intervals: slow, and without a special case."""
    s = np.asarray(scores, np.float64)
    s = s / s.max()
    if size >= np.count_nonzero(s):
        return (s > 0).astype(float)
    low, high = 0.0, 2.0 * size / s[s > 0].min()
    for _ in range(2000):
        c = math.sqrt(low * high) if low else high / 2**30
        if np.minimum(1, c * s).sum() < size:
            low = c
        else:
            high = c
        if high <= low * (1 + 1e-15) and low:
            break
    return np.minimum(1, high * s)


def scores_of(seed, m, spread, zeros):
    rng = np.random.default_rng(seed)
    s = rng.lognormal(0, spread, m)
    s[rng.permutation(m)[: min(zeros, m - 1)]] = 0
    return s


@given(
    st.integers(0, 2**32), st.integers(1, 300), st.floats(0, 4), st.integers(0, 50), st.floats(0, 1)
)
def test_they_are_those_of_a_bisection(seed, m, spread, zeros, share):
    s = scores_of(seed, m, spread, zeros)
    size = 1 + int(share * (np.count_nonzero(s) - 1))
    got = inclusion_probabilities(s, size)
    np.testing.assert_allclose(got, by_bisection(s, size), rtol=1e-9, atol=1e-15)
    assert math.isclose(got.sum(), size, rel_tol=1e-11)
    assert np.all(got[s == 0] == 0)
    assert np.all((got >= 0) & (got <= 1))


@pytest.mark.parametrize("size", [1, 7, 30, 59, 60])
def test_scores_that_halve_and_halve(size):
    """Almost all rows are certain one after the other: a guess at the level must give way."""
    s = 2.0 ** -np.arange(60)
    got = inclusion_probabilities(s, size)
    np.testing.assert_allclose(got, by_bisection(s, size), rtol=1e-9)
    assert np.count_nonzero(got == 1) == {1: 0, 7: 6, 30: 29, 59: 58, 60: 60}[size]


def test_ties_at_the_cap():
    got = inclusion_probabilities([3.0, 1.0, 3.0, 3.0, 1.0, 1.0], 4)
    np.testing.assert_array_equal(got, [1, 1 / 3, 1, 1, 1 / 3, 1 / 3])
    np.testing.assert_array_equal(inclusion_probabilities(np.ones(4), 2), np.full(4, 0.5))


@pytest.mark.parametrize("scale", [1e-307, 1e-150, 1e150, 1e307])
def test_scale_does_not_matter(scale):
    s = scores_of(4, 50, 2, 5)
    want = inclusion_probabilities(s, 20)
    np.testing.assert_allclose(inclusion_probabilities(s / s.max() * scale, 20), want, rtol=1e-12)


def test_what_is_nothing_beside_the_largest_counts_as_zero():
    got = inclusion_probabilities([1e300, 1e300, 1e-300, 1e-300], 3)
    np.testing.assert_array_equal(got, [1, 1, 0, 0])


def test_libraries_and_dtypes(backend):
    xp, _ = backend
    s = scores_of(5, 100, 1.5, 10)
    got = inclusion_probabilities(backend.asarray(s), 30)
    np.testing.assert_allclose(backend.to_numpy(got), inclusion_probabilities(s, 30), rtol=1e-14)
    got = inclusion_probabilities(backend.asarray(s, xp.float32), 30)
    assert got.dtype == xp.float32
    np.testing.assert_allclose(backend.to_numpy(got), inclusion_probabilities(s, 30), rtol=1e-5)
    whole = inclusion_probabilities(backend.asarray([3, 1, 0, 2]), 2)
    assert whole.dtype == xp.float64
    np.testing.assert_allclose(backend.to_numpy(whole), [1, 1 / 3, 0, 2 / 3])


@pytest.mark.parametrize(
    ("scores", "size", "error", "message"),
    [
        ([1.0, -2.0], 1, ValueError, "scores must be finite and not negative, got -2.0 at index 1"),
        ([1.0, 2.0, np.nan], 1, ValueError, "got nan at index 2"),
        ([np.inf, 2.0], 1, ValueError, "got inf at index 0"),
        ([0.0, 0.0], 1, ValueError, "scores must not all be zero, got 2 zeros"),
        (np.zeros(0), 1, ValueError, "scores must not all be zero, got 0 zeros"),
        ([1.0, 2.0], 0, ValueError, "size must be an integer, at least 1, got 0"),
        ([1.0, 2.0], 1.5, ValueError, "size must be an integer, at least 1, got 1.5"),
        ([1j, 2.0], 1, TypeError, "scores must be real, got dtype complex128"),
        (np.ones((2, 2)), 1, ValueError, "scores must have 1 dimensions, got shape (2, 2)"),
    ],
)
def test_mistakes(scores, size, error, message):
    with pytest.raises(error, match=re.escape(message)):
        inclusion_probabilities(scores, size)
