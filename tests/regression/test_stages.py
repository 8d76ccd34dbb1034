"""Huge outliers: losses that grow linearly do not feel how huge they are, so nor do the answers."""

import numpy as np
import pytest
import scipy.sparse as sp

from lrla.regression import huber_regression, lp_regression, quantile_regression, tukey_regression

SEED = 90210
FITS = {
    "interior": lambda A, b: lp_regression(A, b, 1, rng=SEED),
    "pilot": lambda A, b: lp_regression(A, b, 1, method="pilot", rng=SEED),
    "weights": lambda A, b: lp_regression(A, b, 1, weights=np.linspace(0.1, 9, 150), rng=SEED),
    "ridge": lambda A, b: lp_regression(A, b, 1, ridge=2.0, rng=SEED),
    "sparse": lambda A, b: lp_regression(sp.csr_array(A), b, 1, rng=SEED),
    "start": lambda A, b: lp_regression(A, b, 1, x0=np.full(4, 1e6), rng=SEED),
    "lower": lambda A, b: quantile_regression(A, b, 0.1, rng=SEED),
    "upper": lambda A, b: quantile_regression(A, b, 0.9, rng=SEED),
    "quantile by a pilot": lambda A, b: quantile_regression(A, b, 0.3, method="pilot", rng=SEED),
    "huber": lambda A, b: huber_regression(A, b, rng=SEED),
    "huber from least squares": lambda A, b: huber_regression(A, b, scale=1.0, rng=SEED),
    "huber, low": lambda A, b: huber_regression(A, b, scale=0.01, rng=SEED),
    "tukey of a scale": lambda A, b: tukey_regression(A, b, scale=1.0, rng=SEED),
    "tukey": lambda A, b: tukey_regression(A, b, rng=SEED),
}


def data(m=150):
    rng = np.random.default_rng([SEED, m])
    A = rng.standard_normal((m, 4))
    A[:, 0] = 1
    return A, A @ np.ones(4) + rng.standard_t(2, m)


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("size", [1e8, 1e10, 1e12, 1e15])
def test_an_outlier_may_grow(name, size):
    A, b = data()
    b[17] = 1e4
    want = FITS[name](A, b)
    b[17] = size
    got = FITS[name](A, b)
    np.testing.assert_allclose(got.x, want.x, rtol=0, atol=1e-12)
    assert got


@pytest.mark.parametrize("fit", ["interior", "pilot", "huber from least squares"])
def test_many_outliers_of_many_sizes(fit):
    """A third of all rows, on both sides."""
    A, b = data()
    rng = np.random.default_rng(SEED)
    rows, side = rng.choice(150, 45, replace=False), np.sign(rng.standard_normal(45))
    b[rows] = side * 1e4
    want = FITS[fit](A, b).x
    b[rows] = side * 10 ** rng.uniform(5, 15, 45)
    np.testing.assert_allclose(FITS[fit](A, b).x, want, rtol=0, atol=1e-11)


def test_a_vertex_beside_an_outlier_is_exact():
    """All rows but one are fitted exactly."""
    t = np.arange(6.0)
    A = np.stack([np.ones(6), t], axis=1)
    b = 1 + 2 * t
    b[3] = 1e15
    np.testing.assert_allclose(lp_regression(A, b, 1, rng=SEED).x, [1, 2], atol=1e-12)


def test_more_zeros_than_not():
    b = np.zeros(150)
    b[100:] = np.random.default_rng(SEED).standard_normal(50)
    b[0] = 1e15
    assert abs(lp_regression(np.ones((150, 1)), b, 1, rng=SEED).x[0]) < 1e-12


def test_where_an_outlier_moves_the_solution_it_does():
    """It crosses to the other side: the median of an even number is that of its neighbours."""
    A, b = np.ones((5, 1)), np.array([0.0, 1, 2, 3, -1e12])
    assert lp_regression(A, b, 1, rng=SEED).x[0] == pytest.approx(1, abs=1e-12)
    b[4] = 1e12
    assert lp_regression(A, b, 1, rng=SEED).x[0] == pytest.approx(2, abs=1e-12)


def test_a_sample_beside_an_outlier():
    A, b = data(20_000)
    b[17] = 1e12
    whole = lp_regression(A, b, 1, rng=SEED).x
    drawn = lp_regression(A, b, 1, method="sample", rng=SEED).x
    assert np.max(abs(drawn - whole)) < 0.5


def test_many_levels_beside_an_outlier():
    """Each fit is the pilot of the next."""
    A, b = data(20_000)
    levels = np.linspace(0.4, 0.6, 5)
    b[17] = 1e4
    want = quantile_regression(A, b, levels, rng=SEED).x
    b[17] = 1e14
    np.testing.assert_allclose(quantile_regression(A, b, levels, rng=SEED).x, want, atol=1e-11)


def test_iterations_of_all_stages_are_counted():
    A, b = data()
    b[17] = 1e12
    seen = []
    result = lp_regression(A, b, 1, callback=seen.append, rng=SEED)
    assert result.info.iterations == len(result.info.history) == len(seen)
    assert [state.iteration for state in seen] == list(range(1, len(seen) + 1))
    np.testing.assert_allclose(seen[-1].x, result.x, atol=0.1)  # a vertex is a last jump
    assert lp_regression(A, b, 1, max_iter=4, rng=SEED).info.iterations == 4


def test_array_libraries(backend):
    A, b = data()
    b[17] = 1e4
    want = lp_regression(A, b, 1, rng=SEED).x
    b[17] = 1e13
    got = lp_regression(backend.asarray(A), backend.asarray(b), 1, rng=SEED).x
    np.testing.assert_allclose(backend.to_numpy(got), want, atol=1e-12)


def test_the_better_proof_is_kept():
    """Outliers of many sizes, 6 rows for 4 coefficients: a later stage finds a poorer dual."""
    g = np.random.default_rng(1_000_364)
    n = int(g.integers(1, 6))
    m = int(g.integers(n + 2, 60))
    A = g.standard_normal((m, n))
    A[:, 0] = 1
    for _ in (g.random(m), g.choice([8, 12, 16]), g.choice([-1, 1], m)):
        pass  # found with other errors drawn before
    e = g.standard_normal(m)
    e[g.random(m) < 0.3] *= 1e12
    assert quantile_regression(A, A @ g.standard_normal(n) + e, 0.25, rng=364)
