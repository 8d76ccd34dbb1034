"""`quantile_regression`: published numbers, counts, certificates, standard errors."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import linprog

import lrla
from lrla.regression import lp_regression, quantile_regression

SEED = 90210


def data(m=200, n=4, seed=SEED):
    rng = np.random.default_rng([seed, m, n])
    A = rng.standard_normal((m, n))
    A[:, 0] = 1
    return A, A @ np.ones(n) + rng.standard_normal(m) * (1 + 0.3 * abs(A[:, -1]))


def loss(r, tau):
    return np.sum(np.maximum(tau * r, (tau - 1) * r))


@pytest.fixture(scope="module")
def engel():
    """Food expenditure of 235 Belgian households: the classic of quantile regression."""
    frame = pytest.importorskip("statsmodels.datasets").engel.load_pandas().data
    income = frame["income"].to_numpy()
    return np.stack([np.ones(235), income], axis=1), frame["foodexp"].to_numpy()


def test_the_households_of_engel(engel):
    result = quantile_regression(*engel, [0.1, 0.5], rng=SEED)
    want = [[110.1415742, 81.48224742], [0.40176576, 0.56018055]]
    np.testing.assert_allclose(result.x, want, rtol=2e-8)
    assert np.all(result.gap < 1e-12)


def test_standard_errors_of_quantreg(engel):
    """Those that the vignette of R's quantreg prints for ``se = "nid"``."""
    result = quantile_regression(*engel, 0.5, covariance="nid", rng=SEED)
    np.testing.assert_allclose(result.standard_errors, [19.25066, 0.02828], rtol=2e-4)


@pytest.mark.parametrize("heavy", [False, True])
def test_kernel_standard_errors_are_those_of_quantreg(heavy):
    """The lines of R's ``summary.rq(se = "ker")``; heavy tails make the quartiles tell the spread."""
    rng = np.random.default_rng(SEED)
    A = np.hstack([np.ones((300, 1)), rng.standard_normal((300, 2))])
    e = rng.standard_cauchy(300) if heavy else rng.uniform(-1, 1, 300)
    b, tau = A @ [1.0, 2.0, 3.0] + e, 0.3
    result = quantile_regression(A, b, tau, covariance="kernel", rng=SEED)
    x0 = stats.norm.ppf(tau)
    f0, z = stats.norm.pdf(x0), stats.norm.ppf(0.975)
    wide = 300 ** (-1 / 3) * z ** (2 / 3) * (1.5 * f0**2 / (2 * x0**2 + 1)) ** (1 / 3)
    u = b - A @ result.x
    spreads = np.std(u, ddof=1), np.subtract(*np.quantile(u, [0.75, 0.25])) / 1.34
    assert (np.argmin(spreads) == 1) == heavy
    h = (stats.norm.ppf(tau + wide) - stats.norm.ppf(tau - wide)) * min(spreads)
    H = np.linalg.inv(A.T @ (stats.norm.pdf(u / h)[:, None] / h * A))
    want = np.sqrt(np.diag(tau * (1 - tau) * H @ (A.T @ A) @ H))
    np.testing.assert_allclose(result.standard_errors, want, rtol=1e-8)


@pytest.mark.statistical
@pytest.mark.parametrize("covariance", ["nid", "kernel"])
def test_standard_errors_of_a_known_law(covariance):
    """Independent normal errors: sqrt(tau (1 - tau) / f^2 (A^T A)^-1), f the density at 0."""
    rng = np.random.default_rng(SEED)
    A = np.hstack([np.ones((40_000, 1)), rng.standard_normal((40_000, 2))])
    b = A @ [1.0, 2.0, 3.0] + rng.standard_normal(40_000)
    result = quantile_regression(A, b, 0.5, covariance=covariance, rng=SEED)
    want = np.sqrt(0.25 * 2 * np.pi / 40_000)
    np.testing.assert_allclose(result.standard_errors, want, rtol=0.1)
    assert np.all(abs(result.x - [1, 2, 3]) < 6 * want)  # a false alarm in 1e8


def test_the_median_is_half_of_least_absolute_deviations():
    A, b = data()
    half, whole = quantile_regression(A, b, rng=SEED), lp_regression(A, b, 1, rng=SEED)
    np.testing.assert_allclose(half.x, whole.x, rtol=1e-12)
    assert half.objective == pytest.approx(whole.objective / 2)


@pytest.mark.parametrize("tau", [0.03, 0.5, 0.8])
@pytest.mark.parametrize(("m", "n"), [(1, 1), (9, 2), (150, 6)])
def test_linear_programmes(tau, m, n):
    A, b = data(m, n)
    cost = np.concatenate([np.zeros(n), np.full(m, tau), np.full(m, 1 - tau)])
    equal = np.hstack([A, np.eye(m), -np.eye(m)])
    bounds = [(None, None)] * n + [(0, None)] * (2 * m)
    want = linprog(cost, A_eq=equal, b_eq=b, bounds=bounds).fun
    assert quantile_regression(A, b, tau).objective == pytest.approx(want, rel=1e-9, abs=1e-12)


@given(
    m=st.integers(1, 80), n=st.integers(1, 5), tau=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_every_answer_proves_itself(m, n, tau, seed):
    m = max(m, n)
    A, b = data(m, n, seed)
    result = quantile_regression(A, b, tau, rng=seed)
    y, r = result.dual, b - A @ result.x
    assert np.all(y >= tau - 1 - 1e-9)
    assert np.all(y <= tau + 1e-9)
    assert np.linalg.norm(A.T @ y) <= 1e-10 * np.linalg.norm(A)
    scale = np.sum(abs(b))
    assert loss(r, tau) - y @ b <= 1e-8 * loss(r, tau) + 1e-12 * scale
    # general position: at most tau m residuals are negative, at most (1 - tau) m positive
    size = 1e-11 * scale
    assert np.sum(r < -size) <= tau * m + 1e-9
    assert np.sum(r > size) <= (1 - tau) * m + 1e-9


def test_levels_mirror_and_move_with_the_data():
    A, b = data()
    low, high = quantile_regression(A, b, 0.2, rng=SEED), quantile_regression(A, -b, 0.8, rng=SEED)
    np.testing.assert_allclose(low.x, -high.x, rtol=1e-9)
    z = np.array([4.0, -2.0, 1.0, 0.0])
    moved = quantile_regression(A, 10 * b + A @ z, 0.2, rng=SEED)
    np.testing.assert_allclose(moved.x, 10 * low.x + z, rtol=1e-9)


def test_levels_together_are_levels_alone():
    A, b = data()
    levels = np.array([0.1, 0.5, 0.9])
    result = quantile_regression(A, b, levels, covariance="kernel", rng=SEED)
    assert result.x.shape == result.standard_errors.shape == (4, 3)
    assert result.dual.shape == result.residuals.shape == (200, 3)
    assert result.info.covariance == "kernel"
    for j, tau in enumerate(levels):
        alone = quantile_regression(A, b, float(tau), covariance="kernel", rng=SEED)
        np.testing.assert_array_equal(result.x[:, j], alone.x)
        np.testing.assert_array_equal(result.standard_errors[:, j], alone.standard_errors)
        assert result.objective[j] == alone.objective
    one = quantile_regression(A, b, [0.5], rng=SEED)
    assert one.x.shape == (4, 1)
    assert one.standard_errors is None
    for scalar in (np.float32(0.5), np.array(0.5)):
        assert quantile_regression(A, b, scalar, rng=SEED).x.shape == (4,)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_fit_of_a_level_is_the_pilot_of_the_next(weighted):
    """The answers are those of all rows, in the order asked for, whatever the levels are near to."""
    rng = np.random.default_rng(SEED)
    A, b = data(16_000, 5)
    weights = rng.integers(0, 4, 16_000).astype(float) if weighted else None
    levels = [0.1217, 0.5031, 0.1017, 0.9023, 0.9124, 0.5031]
    got = quantile_regression(A, b, levels, weights=weights, rng=SEED)
    want = quantile_regression(A, b, levels, weights=weights, method="interior", rng=SEED)
    np.testing.assert_allclose(got.x, want.x, rtol=1e-9)
    np.testing.assert_allclose(got.objective, want.objective, rtol=1e-12)
    assert np.all(got.gap < 1e-8)
    assert (got.info.method, want.info.method) == ("pilot", "interior")
    np.testing.assert_array_equal(got.tau, levels)


def test_standard_errors_do_not_change_with_the_neighbours():
    A, b = data(12_000, 3)
    both = quantile_regression(A, b, [0.3, 0.6], covariance="nid", rng=SEED)
    alone = quantile_regression(A, b, 0.6, covariance="nid", rng=SEED)
    np.testing.assert_allclose(both.standard_errors[:, 1], alone.standard_errors, rtol=1e-6)


def crossing():
    """Few rows, and curves of near levels: some cross."""
    rng = np.random.default_rng(SEED)
    x = rng.uniform(-1, 1, 30)
    A = np.stack([np.ones(30), x, x**2], axis=1)
    return A, rng.standard_normal(30)


def test_crossings_are_counted_and_predictions_sorted():
    A, b = crossing()
    levels = np.array([0.7, 0.3, 0.5, 0.4, 0.6])
    result = quantile_regression(A, b, levels, rng=SEED)
    raw = result.predict(A, monotone=False)
    np.testing.assert_allclose(raw, b[:, None] - result.residuals, atol=1e-12)
    order = np.argsort(levels)
    crossed = np.any(np.diff(raw[:, order], axis=1) < -1e-9, axis=1)
    assert 0 < result.info.crossings == np.sum(crossed)
    sorted_ = result.predict(A)
    assert np.all(np.diff(sorted_[:, order], axis=1) >= 0)
    np.testing.assert_allclose(np.sort(raw, axis=1), sorted_[:, order])
    np.testing.assert_allclose(sorted_[~crossed], raw[~crossed], rtol=1e-12)
    one = quantile_regression(A, b, 0.5, rng=SEED)
    assert one.info.crossings == 0
    assert one.tau == 0.5
    np.testing.assert_array_equal(one.predict(A), A @ one.x)
    with pytest.raises(ValueError, match=r"as many columns as there are coefficients, 3, got sh"):
        one.predict(A[:, :1])


def test_sorted_predictions_are_nearer_to_the_truth():
    """The law of the data is known: sorting never takes any row farther from it."""
    rng = np.random.default_rng(SEED)
    x = rng.uniform(0, 1, 80)
    A = np.stack([np.ones(80), x, x**2], axis=1)
    levels = np.linspace(0.1, 0.9, 17)
    result = quantile_regression(A, rng.random(80), levels, rng=SEED)
    grid = np.linspace(-0.2, 1.2, 50)
    new = np.stack([np.ones(50), grid, grid**2], axis=1)
    raw, kept = result.predict(new, monotone=False), result.predict(new)
    for order in (1, 2, 5):
        before = np.sum(abs(raw - levels) ** order, axis=1)
        after = np.sum(abs(kept - levels) ** order, axis=1)
        assert np.all(after <= before * (1 + 1e-12))
        assert np.any(after < 0.9 * before)


def test_weights_count_rows():
    A, b = data()
    counts = np.random.default_rng(SEED).integers(0, 4, 200)
    got = quantile_regression(A, b, 0.3, weights=counts, rng=SEED)
    want = quantile_regression(np.repeat(A, counts, 0), np.repeat(b, counts), 0.3, rng=SEED)
    np.testing.assert_allclose(got.x, want.x, rtol=1e-9)
    assert got.objective == pytest.approx(want.objective)


def test_extreme_levels_bound_the_data():
    A, b = data()
    assert np.all(quantile_regression(A, b, 1e-4, rng=SEED).residuals > -1e-9)
    assert np.all(quantile_regression(A, b, 1 - 1e-4, rng=SEED).residuals < 1e-9)


def test_array_libraries(backend):
    A, b = data()
    want = quantile_regression(A, b, [0.2, 0.7], covariance="nid", rng=SEED)
    got = quantile_regression(
        backend.asarray(A), backend.asarray(b), [0.2, 0.7], covariance="nid", rng=SEED
    )
    new = backend.asarray(A[:7])
    np.testing.assert_allclose(backend.to_numpy(got.predict(new)), want.predict(A[:7]), atol=1e-7)
    for name in ("x", "dual", "residuals", "standard_errors"):
        found = getattr(got, name)
        assert type(found) is type(backend.asarray(b))
        np.testing.assert_allclose(backend.to_numpy(found), getattr(want, name), atol=1e-7)
    kernel = quantile_regression(
        backend.asarray(A), backend.asarray(b), 0.5, covariance="kernel", rng=SEED
    )
    assert kernel.standard_errors.shape == (4,)


def test_too_few_iterations():
    A, b = data()
    with pytest.warns(lrla.ConvergenceWarning, match="above tol"):
        result = quantile_regression(A, b, 0.5, max_iter=1, rng=SEED)
    assert not result


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"tau": 0.0}, ValueError, "tau must be strictly between 0 and 1, got 0.0"),
        ({"tau": [0.5, 1.0]}, ValueError, "tau must be strictly between 0 and 1, got [0.5, 1.0]"),
        ({"tau": []}, ValueError, "tau must be strictly between 0 and 1, got []"),
        ({"b": np.ones((200, 2))}, ValueError, "b must have one dimension, got shape (200, 2)"),
        (
            {"covariance": "iid"},
            ValueError,
            "covariance must be None, 'nid', 'kernel' or 'bootstrap', got 'iid'",
        ),
        (
            {"covariance": "nid", "weights": np.ones(200)},
            ValueError,
            "weights must be None where a covariance is asked for; repeat rows instead",
        ),
        ({"A": np.ones((200, 2)) * 1j}, TypeError, "A and b must be real for this loss"),
    ],
)
def test_mistakes(change, error, message):
    A, b = data()
    with pytest.raises(error, match=re.escape(message)):
        quantile_regression(**{"A": A, "b": b, **change})


# -- data that do not tell standard errors -------------------------------------------------------

NO_DENSITY = (
    "standard errors at tau={} are NaN: too many residuals are equal or hidden by rounding, or too few "
    "are near"
)


def point_mass(m=150):
    b = np.zeros(m)
    b[100:] = np.random.default_rng(SEED).standard_normal(m - 100)
    return np.ones((m, 1)), b


@pytest.mark.parametrize("covariance", ["nid", "kernel"])
@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_no_standard_errors_of_an_exact_fit(covariance, scale):
    A = data(150)[0]
    with pytest.warns(lrla.AccuracyWarning, match="4 of 4 " + NO_DENSITY.format(0.5)):
        result = quantile_regression(A, scale * A.sum(1), covariance=covariance, rng=SEED)
    assert np.isnan(result.standard_errors).all()
    np.testing.assert_allclose(result.x, scale * np.ones(4), rtol=1e-10)


@pytest.mark.parametrize("covariance", ["nid", "kernel"])
def test_no_standard_errors_where_most_responses_are_equal(covariance):
    with pytest.warns(lrla.AccuracyWarning, match="1 of 1 " + NO_DENSITY.format(0.5)):
        result = quantile_regression(*point_mass(), covariance=covariance, rng=SEED)
    assert np.isnan(result.standard_errors).all()
    assert abs(result.x[0]) < 1e-12


def drowned(size, column):
    """Residuals of size one in a response that is so much larger, as it is rounded, and they alone."""
    A, b = data(400)
    x = np.ones(4)
    x[column] = size
    b = A @ x + b
    wide = np.longdouble
    return A, b, (b.astype(wide) - A.astype(wide) @ x.astype(wide)).astype(float), x


@pytest.mark.parametrize("covariance", ["nid", "kernel"])
@pytest.mark.parametrize("column", [0, 1])
def test_standard_errors_beside_a_huge_trend(covariance, column):
    """The response keeps four digits of its residuals, and standard errors have three."""
    A, b, rest, x = drowned(1e12, column)
    got, want = (quantile_regression(A, v, covariance=covariance, tol=1e-5) for v in (b, rest))
    np.testing.assert_allclose(got.x - x, want.x, atol=2e-3)
    np.testing.assert_allclose(got.standard_errors, want.standard_errors, rtol=5e-3)


@pytest.mark.parametrize("covariance", ["nid", "kernel"])
@pytest.mark.parametrize("column", [0, 1])
@pytest.mark.parametrize("size", [1e13, 1e14, 1e15])
def test_no_standard_errors_where_rounding_hides_residuals(covariance, column, size):
    A, b, _, _ = drowned(size, column)
    with pytest.warns(lrla.AccuracyWarning, match="4 of 4 " + NO_DENSITY.format(0.5)):
        result = quantile_regression(A, b, covariance=covariance, tol=1e-1)
    assert np.isnan(result.standard_errors).all()


def test_no_standard_errors_of_the_outermost_level():
    """150 rows have no quantiles on both sides of 0.999; those of the median stay what they are."""
    A, b = data(150)
    with pytest.warns(lrla.AccuracyWarning, match="4 of 4 " + NO_DENSITY.format(0.999)):
        result = quantile_regression(A, b, [0.5, 0.999], covariance="nid", rng=SEED)
    want = quantile_regression(A, b, 0.5, covariance="nid", rng=SEED).standard_errors
    np.testing.assert_allclose(result.standard_errors[:, 0], want)
    assert np.isnan(result.standard_errors[:, 1]).all()


def test_a_column_of_one_row_has_no_standard_error_and_changes_no_other():
    A, b = data(150)
    want = quantile_regression(A[1:], b[1:], covariance="nid", rng=SEED).standard_errors
    lone = np.zeros((150, 1))
    lone[0] = 1
    with pytest.warns(lrla.AccuracyWarning, match="1 of 5 " + NO_DENSITY.format(0.5)):
        result = quantile_regression(np.hstack([A, lone]), b, covariance="nid", rng=SEED)
    # the bandwidth depends on the number of rows
    np.testing.assert_allclose(result.standard_errors[:4], want, rtol=0.05)
    assert np.isnan(result.standard_errors[4])


@pytest.mark.parametrize("covariance", ["nid", "kernel"])
@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_standard_errors_have_the_unit_of_the_response(covariance, scale):
    A, b = data(150)
    want = quantile_regression(A, b, covariance=covariance, rng=SEED).standard_errors
    got = quantile_regression(A, scale * b, covariance=covariance, rng=SEED).standard_errors
    np.testing.assert_allclose(got / scale, want, rtol=1e-6)


def test_solutions_beyond_the_range_are_refused():
    A, b = np.array([[1.0, 0], [1, 1], [1, 2], [1, 3]]), np.array([1.0, 3, 2, 5])
    with pytest.raises(ValueError, match=r"^x must be within the range .*; divide b by a power"):
        quantile_regression(A * 1e-200, b * 1e200, 0.5)


def test_levels_are_numbers():
    with pytest.raises(TypeError, match="tau must be a number or an array of numbers, got 'half'"):
        quantile_regression(*data(), "half")
