"""Bounded least squares: optimality conditions, and SciPy's solver."""

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

from lrla.kernels.box_lstsq import box_lstsq


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 12),
    tight=st.sampled_from([1e-6, 0.01, 0.3, 1.0, 10.0, 1e6]),
)
def test_it_is_optimal_from_anywhere(seed, n, tight):
    rng = np.random.default_rng(seed)
    A, b = rng.standard_normal((n + 3, n)), rng.standard_normal(n + 3)
    bound = tight * rng.uniform(0.1, 1, n)
    G, h = A.T @ A, A.T @ b
    x = box_lstsq(G, h, bound, np.zeros(n))
    assert np.all(abs(x) <= bound)
    slope = G @ x - h
    size = abs(G) @ abs(x) + abs(h)
    inside = abs(x) < bound
    assert np.all(abs(slope[inside]) <= 1e-8 * size[inside])
    assert np.all((slope * np.sign(x))[~inside] <= 1e-8 * size[~inside])
    again = box_lstsq(G, h, bound, rng.uniform(-2, 2, n) * bound)
    np.testing.assert_allclose(again, x, rtol=1e-6, atol=1e-9 * np.max(abs(x)))


@pytest.mark.parametrize("seed", [5, 31, 90210])
def test_it_agrees_with_scipy(seed):
    rng = np.random.default_rng(seed)
    A, b = rng.standard_normal((40, 6)), 3 * rng.standard_normal(40)
    bound = np.array([1.0, 0.3, 0.2, 0.1, 0.1, 0.05])
    want = scipy.optimize.lsq_linear(A, b, (-bound, bound), method="bvls", tol=1e-14).x
    got = box_lstsq(A.T @ A, A.T @ b, bound, np.zeros(6))
    np.testing.assert_allclose(got, want, atol=1e-9)
    assert np.any(abs(got) == bound)
