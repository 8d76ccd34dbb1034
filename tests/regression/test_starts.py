"""Where to start is a hint: no start, however bad, spoils the answer."""

import numpy as np
import pytest

from lrla.regression import huber_regression, lp_regression, tukey_regression

SEED = 90210
NORMS = [1, 1.1, 1.5, 2, 2.2, 2.5, 4, np.inf]


def data(noise, seed=SEED, m=30):
    rng = np.random.default_rng([SEED, seed])
    A = rng.standard_normal((m, 4))
    return A, A @ np.ones(4) + noise * rng.standard_normal(m), rng.standard_normal(4)


@pytest.mark.parametrize("p", NORMS)
@pytest.mark.parametrize("size", [1, 1e6])
def test_a_bad_start_is_not_felt_where_residuals_are_small(p, size):
    """From there, residuals of 1e-7 would be lost beside those of the start."""
    for seed in range(4):
        A, b, x0 = data(1e-7, seed)
        want = lp_regression(A, b, p, rng=SEED)
        got = lp_regression(A, b, p, x0=size * x0, rng=SEED)
        assert want
        assert got
        assert got.objective <= want.objective * (1 + 1e-8)


@pytest.mark.parametrize("p", NORMS)
@pytest.mark.parametrize("size", [1, 1e6])
def test_an_exact_fit_is_found_from_anywhere(p, size):
    for seed in range(4):
        A, b, x0 = data(0.0, seed)
        for right, want in ((b, 1.0), (0 * b, 0.0)):
            got = lp_regression(A, right, p, x0=size * x0, rng=SEED)
            assert got
            assert got.gap == 0
            np.testing.assert_allclose(got.x, want, atol=1e-13)


@pytest.mark.parametrize("p", [1, 1.1, 3, np.inf])
def test_small_exact_problems_have_no_zero_to_divide_by(p):
    for seed in range(60):
        rng = np.random.default_rng([SEED, 4, seed])
        A, x, x0 = rng.standard_normal((4, 2)), rng.standard_normal(2), rng.standard_normal(2)
        for b in (A @ x, np.zeros(4)):
            got = lp_regression(A, b, p, x0=x0, rng=SEED)
            assert got
            assert got.gap == 0
    column = np.array([[0.0], [0.3606], [2.0]])
    got = lp_regression(column, np.zeros(3), p, x0=[26.67], rng=SEED)
    assert (got.x, got.objective, got.gap) == (0, 0, 0)


@pytest.mark.parametrize("p", [1, 1.5, 3, np.inf])
def test_a_bad_start_of_a_lasso(p):
    for noise in (1e-7, 1.0):
        A, b, x0 = data(noise)
        want = lp_regression(A, b, p, l1=noise**p / 9 if p < 9 else 0.1, rng=SEED)
        got = lp_regression(A, b, p, l1=noise**p / 9 if p < 9 else 0.1, x0=1e6 * x0, rng=SEED)
        assert want
        assert got
        assert got.objective <= want.objective * (1 + 1e-8)


def test_a_bad_start_for_a_loss_with_a_bend():
    A, b, x0 = data(1e-7)
    want = huber_regression(A, b, scale=1e-7, rng=SEED)
    got = huber_regression(A, b, scale=1e-7, x0=1e6 * x0, rng=SEED)
    assert want
    assert got
    assert got.objective <= want.objective * (1 + 1e-8)
    exact = huber_regression(A, A @ np.ones(4), scale=1.0, x0=1e6 * x0, rng=SEED)
    assert exact
    assert exact.gap == 0


@pytest.mark.parametrize("p", [1, 1.1, 1.5, 2.2, 2.5])
def test_a_good_start_is_taken(p):
    A, b, _ = data(1.0, m=300)
    b[:30] += 100.0
    least = lp_regression(A, b, p, rng=SEED)
    seen = []

    def stop(state):
        seen.append(state.x)
        return True

    lp_regression(A, b, p, x0=least.x, callback=stop, rng=SEED)
    np.testing.assert_array_equal(seen[0], least.x)


def test_a_loss_with_many_minima_keeps_its_start():
    A, b = np.ones((20, 1)), np.repeat([0.0, 100.0], [15, 5])
    near, far = (tukey_regression(A, b, scale=1.0, x0=[x]).x[0] for x in (1.0, 99.0))
    assert (near, far) == (pytest.approx(0, abs=1e-6), pytest.approx(100))


@pytest.mark.parametrize("fit", [lp_regression, huber_regression])
def test_a_start_is_real_where_the_data_are(fit):
    A, b, x0 = data(1.0)
    more = {"p": 3} if fit is lp_regression else {}
    with pytest.raises(TypeError, match="x0 must be real where A and b are, got complex numbers"):
        fit(A, b, x0=1j * x0, **more)
