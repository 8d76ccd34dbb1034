"""`huber_regression` and `tukey_regression`: known answers, certificates, and what is refused."""

import dataclasses
import re
import sys
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import lrla
from lrla.regression import huber_regression, lp_regression, tukey_regression

SEED = 90210
BOTH = pytest.mark.parametrize("fit", [huber_regression, tukey_regression])


def data(m=300, n=4, seed=SEED):
    rng = np.random.default_rng([seed, m, n])
    A = rng.standard_normal((m, n))
    A[:, 0] = 1
    return A, A @ np.ones(n) + rng.standard_t(2, m)


def huber_loss(r, t, weights=1.0):
    near = np.minimum(abs(r), t)
    return np.sum(weights * near * (abs(r) - near / 2))


def tukey_loss(r, c):
    return np.sum(c**2 / 6 * (1 - (1 - np.minimum(abs(r) / c, 1) ** 2) ** 3))


def check(result, A, b, threshold=1.345, weights=1.0):
    """Hold an answer of Huber's loss to its own certificate, recomputed."""
    t, r, y = threshold * result.scale, b - A @ result.x, result.dual
    value = huber_loss(r, t, weights)
    np.testing.assert_allclose(result.residuals, r, atol=1e-9 * max(1, abs(b).max()))
    assert result.objective == pytest.approx(value, rel=1e-9)
    assert np.all(abs(y) <= weights * t * (1 + 1e-9))
    assert np.linalg.norm(A.T @ y) <= 1e-10 * np.linalg.norm(A, 2) * np.linalg.norm(y)
    bound = y @ b - np.sum(y**2 / weights) / 2
    assert value - bound <= 1e-8 * value + 1e-12 * abs(y @ b)
    assert 0 <= result.gap <= 1e-8
    assert result


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("threshold", [0.1, 1.345, 5.0])
def test_huber_proves_itself(form, threshold):
    A, b = data()
    check(huber_regression(form(A), b, threshold=threshold, rng=SEED), A, b, threshold)


@given(m=st.integers(2, 60), n=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_huber_proves_itself_on_any_data(m, n, seed):
    A, b = data(max(m, n + 1), n, seed)
    check(huber_regression(A, b, scale=0.5, rng=seed), A, b)


@BOTH
def test_statsmodels(fit):
    """The same fixed point at the same scale."""
    robust = pytest.importorskip("statsmodels.api").robust
    from statsmodels.api import RLM

    A, b = data()
    result = fit(A, b, rng=SEED)
    loss = robust.norms.HuberT() if fit is huber_regression else robust.norms.TukeyBiweight()
    model = RLM(b, A, M=loss)
    want = model.fit(update_scale=False, start_scale=result.scale, tol=1e-13, maxiter=2000)
    np.testing.assert_allclose(result.x, want.params, rtol=1e-6)
    np.testing.assert_allclose(result.row_weights, want.weights, atol=1e-6)


def test_limits_of_hubers_loss():
    """A large threshold gives least squares, a small one least absolute deviations."""
    A, b = data()
    wide = huber_regression(A, b, threshold=1e6, rng=SEED)
    np.testing.assert_allclose(wide.x, lrla.lstsq(A, b).x, rtol=1e-9)
    assert np.all(wide.row_weights == 1)
    narrow = huber_regression(A, b, threshold=1e-5, rng=SEED)
    np.testing.assert_allclose(narrow.x, lp_regression(A, b, 1, rng=SEED).x, atol=1e-3)


def test_the_default_scale():
    A, b = data()
    rough = abs(lp_regression(A, b, 1, rng=SEED).residuals)
    want = np.median(rough) / 0.67448975
    assert huber_regression(A, b, rng=SEED).scale == pytest.approx(want, rel=1e-6)
    assert tukey_regression(A, b, rng=SEED).scale == pytest.approx(want, rel=1e-6)


@BOTH
def test_wild_values_do_not_matter(fit):
    A, b = data()
    clean = fit(A, b, rng=SEED)
    b[:30] += 1e6
    dirty = fit(A, b, rng=SEED)
    assert np.all(abs(dirty.x - clean.x) < 0.5)
    assert np.all(dirty.row_weights[:30] < 1e-5)
    if fit is tukey_regression:
        assert np.all(dirty.row_weights[:30] == 0)


def test_tukey_stops_where_its_gradient_vanishes():
    A, b = data()
    result = tukey_regression(A, b, rng=SEED)
    r = b - A @ result.x
    assert result.objective == pytest.approx(tukey_loss(r, 4.685 * result.scale))
    assert np.linalg.norm(A.T @ (result.row_weights * r)) <= 1e-5 * np.linalg.norm(A.T @ abs(r))
    assert result.gap is None
    assert result.dual is None
    for shift in 0.01 * np.eye(4):  # a minimum, not a saddle
        assert tukey_loss(r - A @ shift, 4.685 * result.scale) > result.objective


def test_tukey_has_more_than_one_minimum():
    """Two clusters: the start decides, and the docstring says so."""
    A, b = np.ones((20, 1)), np.repeat([0.0, 100.0], 10)
    low, high = (tukey_regression(A, b, scale=1.0, x0=[x]) for x in (1.0, 99.0))
    assert abs(low.x[0]) < 1e-6
    assert abs(high.x[0] - 100) < 1e-6


@BOTH
def test_weights_count_rows(fit):
    A, b = data()
    counts = np.random.default_rng(SEED).integers(0, 4, 300)
    got = fit(A, b, scale=1.0, weights=counts, rng=SEED)
    want = fit(np.repeat(A, counts, 0), np.repeat(b, counts), scale=1.0, rng=SEED)
    np.testing.assert_allclose(got.x, want.x, atol=1e-6)
    assert got.objective == pytest.approx(want.objective, rel=1e-8)
    assert got.residuals.shape == got.row_weights.shape == (300,)
    if fit is huber_regression:
        kept = counts > 0
        check_weights = counts[kept].astype(float)
        y = got.dual[kept]
        assert np.all(abs(y) <= check_weights * 1.345 * (1 + 1e-9))
        np.testing.assert_array_equal(got.dual[~kept], 0)


@BOTH
@pytest.mark.parametrize("unit", [1e-200, 1e-160, 1e-100, 1e-6, 1e9, 1e100, 1e160, 1e200])
def test_units(fit, unit):
    A, b = data()
    plain, scaled = fit(A, b, rng=SEED), fit(A, unit * b, rng=SEED)
    np.testing.assert_allclose(scaled.x, unit * plain.x, rtol=1e-6)
    assert scaled.scale == pytest.approx(unit * plain.scale, rel=1e-9)
    np.testing.assert_allclose(scaled.row_weights, plain.row_weights, atol=1e-6)
    assert scaled.objective == pytest.approx(unit * plain.objective * unit, rel=1e-3)
    assert scaled
    assert len(scaled.info.history) == len(plain.info.history)
    assert plain.gap is None or (max(plain.gap, scaled.gap) <= 1e-8)
    np.testing.assert_allclose(fit(A * 1e50, b, rng=SEED).x * 1e50, plain.x, rtol=1e-6)


@pytest.mark.parametrize("unit", [1.0, 1e-170, 1e160])
def test_the_gap_of_hubers_loss_is_measured_in_any_unit(unit, monkeypatch):
    """A dual point that is half of the best one proves less, whether or not squares exist."""
    module = sys.modules["lrla.regression._losses"]
    inside = module._polished

    def half(*args):
        x, y = inside(*args)
        return x, y / 2

    monkeypatch.setattr(module, "_polished", half)
    A, b = data()
    with pytest.warns(lrla.ConvergenceWarning, match="the relative gap is"):
        result = huber_regression(A, unit * b, scale=unit, rng=SEED)
    assert 0.1 < result.gap < 0.5


@BOTH
def test_residuals_far_below_the_threshold_leave_least_squares(fit):
    A, b = data()
    want = np.linalg.lstsq(A, b, rcond=None)[0]
    for unit in (1e-5, 1e-9, 1e-12, 1e-14, 1e-20, 1e-170):  # squares of the last vanish
        result = fit(A, unit * b, scale=1.0, rng=SEED)
        np.testing.assert_allclose(result.x, unit * want, rtol=1e-6)
    loss = np.sum((b - A @ want) ** 2) / 2
    assert fit(A, 1e-9 * b, scale=1.0, rng=SEED).objective == pytest.approx(1e-18 * loss, rel=1e-9)
    result = fit(A, 1e-9 * b, scale=1.0, x0=1e-3 * np.ones(4), rng=SEED)
    np.testing.assert_allclose(result.x, 1e-9 * want, rtol=1e-6)


@BOTH
def test_weights_count_rows_for_the_scale(fit):
    A, b = data()
    counts = np.random.default_rng(SEED).integers(0, 6, 300)
    want = fit(np.repeat(A, counts, 0), np.repeat(b, counts), rng=SEED)
    for unit in (1, 0.1, 1e-30):
        got = fit(A, b, weights=unit * counts, rng=SEED)
        assert got.scale == pytest.approx(want.scale, rel=1e-6)
        np.testing.assert_allclose(got.x, want.x, rtol=1e-5)
    assert abs(fit(A, b, rng=SEED).scale / want.scale - 1) > 0.01  # it can fail


@given(
    counts=st.lists(st.integers(1, 4), min_size=1, max_size=9),
    unit=st.sampled_from([1.0, 0.1, 3e-7, 1e9]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_median_of_counted_rows_is_that_of_repeated_ones(counts, unit, seed):
    module = sys.modules["lrla.regression._robust"]
    r = np.random.default_rng(seed).integers(-4, 5, len(counts)) / 8
    asked = module.look(np.ones((len(r), 1)), r, unit * np.array(counts), 0.0, complex_ok=False)
    got = module._median(r, np.zeros(1), asked)
    assert got == np.median(np.repeat(abs(r), counts))


def test_options_may_be_numbers_of_numpy(backend):
    A, b = data()
    number = {"threshold": np.float64(1.3), "scale": np.float64(0.7), "tol": np.float64(1e-8)}
    plain = {name: float(value) for name, value in number.items()}
    for fit in (huber_regression, tukey_regression):
        got = fit(backend.asarray(A), backend.asarray(b), rng=SEED, **number)
        want = fit(A, b, rng=SEED, **plain)
        np.testing.assert_allclose(backend.to_numpy(got.x), want.x, rtol=1e-6)


@BOTH
def test_ties_and_dummies(fit):
    rng = np.random.default_rng(SEED)
    A = np.zeros((2000, 8))
    A[np.arange(2000), rng.integers(0, 8, 2000)] = 1
    b = np.round(3 * rng.standard_t(1.5, 2000))
    result = fit(A, b, rng=SEED)
    assert result
    if fit is huber_regression:
        check(result, A, b)


@BOTH
def test_rank_deficient_data(fit):
    A, b = data()
    with pytest.warns(lrla.RankDeficientWarning, match="rank 4"):
        got = fit(np.hstack([A, A[:, :1]]), b, scale=1.0, rng=SEED)
    assert got.rank == 4
    assert got.objective == pytest.approx(fit(A, b, scale=1.0, rng=SEED).objective, rel=1e-7)


def test_exact_fits():
    A, _ = data()
    result = huber_regression(A, A @ np.ones(4), scale=1.0, rng=SEED)
    np.testing.assert_allclose(result.x, 1, rtol=1e-12)
    assert result.gap == 0
    for fit in (huber_regression, tukey_regression):
        with pytest.raises(ValueError, match="scale must be given where more than half"):
            fit(A, A @ np.ones(4), rng=SEED)


@BOTH
@pytest.mark.parametrize("column", [0, 1])
def test_residuals_beside_a_huge_trend(fit, column):
    """They are 1e-12 of the response, which keeps four digits of them."""
    A, b = data()
    x = np.ones(4)
    x[column] = 1e12
    b, wide = A @ x + b, np.longdouble
    rest = (b.astype(wide) - A.astype(wide) @ x.astype(wide)).astype(float)
    got, want = fit(A, b, rng=SEED), fit(A, rest, rng=SEED)
    assert got.scale == pytest.approx(want.scale, rel=2e-3)
    np.testing.assert_allclose(got.x - x, want.x, atol=2e-3)
    np.testing.assert_allclose(got.row_weights, want.row_weights, atol=2e-3)
    hidden = A @ (1e3 * x) + rest
    with pytest.raises(
        ValueError, match=r"so much smaller than b and A \* x that rounding hides them$"
    ):
        fit(A, hidden, rng=SEED)


@BOTH
def test_array_libraries(backend, fit):
    A, b = data()
    want = fit(A, b, weights=np.linspace(0, 1, 300), rng=SEED)
    got = fit(
        backend.asarray(A), backend.asarray(b), weights=backend.asarray(np.linspace(0, 1, 300)),
        rng=SEED,
    )  # fmt: skip
    for name in ("x", "residuals", "row_weights"):
        assert type(getattr(got, name)) is type(backend.asarray(b))
    np.testing.assert_allclose(backend.to_numpy(got.x), want.x, rtol=1e-6)


@BOTH
def test_float32_stays_float32(fit):
    A, b = data()
    got = fit(A.astype("f4"), b.astype("f4"), rng=SEED)
    assert got.x.dtype == got.residuals.dtype == "f4"
    np.testing.assert_allclose(got.x, fit(A, b, rng=SEED).x, rtol=1e-3)


@BOTH
def test_callback_and_limits(fit):
    A, b = data()
    seen = []
    full = fit(A, b, callback=seen.append, rng=SEED)
    assert full.info.history == tuple(s.error for s in seen)
    np.testing.assert_allclose(seen[-1].x, full.x, atol=1e-3)
    assert fit(A, b, callback=lambda s: True, rng=SEED).status is lrla.Status.STOPPED
    if fit is tukey_regression:
        with pytest.warns(lrla.ConvergenceWarning, match="relative gradient is .*, above tol"):
            assert not fit(A, b, max_iter=2, rng=SEED)


@BOTH
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"threshold": 0.0}, ValueError, "threshold must be positive and finite, got 0.0"),
        ({"scale": -1.0}, ValueError, "scale must be positive and finite, got -1.0"),
        ({"scale": np.nan}, ValueError, "scale must be positive and finite, got nan"),
        ({"b": np.ones((300, 2))}, ValueError, "b must have one dimension, got shape (300, 2)"),
        ({"weights": -np.ones(300)}, ValueError, "weights must be real, finite, not negative"),
        ({"x0": np.ones(3)}, ValueError, "x0 must have shape (4,), got (3,)"),
        ({"tol": 2.0}, ValueError, "tol must be between 0 and 1, got 2.0"),
        ({"A": np.ones((300, 2)) * 1j}, TypeError, "A and b must be real for this loss"),
    ],
)
def test_mistakes(fit, options, error, message):
    A, b = data()
    with pytest.raises(error, match=re.escape(message)):
        fit(**{"A": A, "b": b, **options})


LOOSE = (
    "residuals below threshold \\* scale span {} of 4 dimensions: .*; raise scale, or leave x0 out"
)


def test_a_start_beyond_all_data_is_no_solution():
    A, b = data()
    with pytest.warns(lrla.AccuracyWarning, match=LOOSE.format(0)):
        result = tukey_regression(A, b, x0=np.full(4, 1e9), rng=SEED)
    assert not result
    assert result.status is lrla.Status.BREAKDOWN
    assert result.row_weights.sum() == 0


def test_a_start_near_a_few_rows_is_no_solution():
    """Three rows are fitted exactly; there are four unknowns."""
    A, b = data()
    x0 = np.full(4, 1e7)
    b = A @ np.ones(4)
    b[:3] = A[:3] @ x0
    with pytest.warns(lrla.AccuracyWarning, match=LOOSE.format(3)):
        result = tukey_regression(A, b, scale=1.0, x0=x0, rng=SEED)
    assert result.status is lrla.Status.BREAKDOWN
    assert result.row_weights.sum() == pytest.approx(3)


@BOTH
@pytest.mark.parametrize("unit", [1e-9, 1e-14, 1e-17])
def test_a_start_far_out_costs_no_digits(fit, unit):
    """Residuals there are so large that what is left of them in the end is rounding."""
    A, b = data()
    got = fit(A, unit * b, scale=1.0, x0=np.ones(4), rng=SEED)
    plain = fit(A, unit * b, scale=1.0, rng=SEED)
    np.testing.assert_allclose(got.x, plain.x, rtol=1e-6)
    assert np.linalg.norm(A.T @ got.residuals) <= 1e-8 * np.linalg.norm(got.residuals)


def test_a_scale_does_not_change_the_start():
    """Least squares would start where the loss has given up on all rows."""
    A, b = data()
    b[:60] += 1e6
    free = tukey_regression(A, b, rng=SEED)
    given = tukey_regression(A, b, scale=free.scale, rng=SEED)
    np.testing.assert_allclose(given.x, free.x, rtol=1e-6)
    assert np.max(abs(given.x - 1)) < 0.5
    assert given


@pytest.mark.parametrize("fit", [huber_regression, tukey_regression])
def test_solutions_beyond_the_range_are_refused(fit):
    A, b = data()
    for scale in (None, 1e200):
        with pytest.raises(
            ValueError, match=r"^x must be within the range .*; divide b by a power"
        ):
            fit(A * 1e-200, b * 1e200, scale=scale)


@BOTH
def test_dependent_columns_are_told_once(fit):
    A, b = data()
    with pytest.warns(lrla.RankDeficientWarning) as caught:
        fit(np.column_stack((A, A[:, 1])), b, rng=SEED)
    assert len(caught) == 1


@BOTH
@pytest.mark.parametrize("gap", [1e-4, 0.1])
def test_a_poor_start_is_told(fit, gap, monkeypatch):
    """Of no more than what rounding leaves of its gap, nobody hears."""

    def poor(*arguments, **options):
        with lrla._core.errors.once(lrla.ConvergenceWarning):
            lrla._core.errors.warn("not its own tolerance", lrla.ConvergenceWarning)
        found = lp_regression(*arguments, **options)
        return dataclasses.replace(found, gap=gap, status=lrla.Status.MAX_ITER)

    monkeypatch.setattr("lrla.regression._robust.lp_regression", poor)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert fit(*data(), rng=SEED)
    want = "where scale and start come from, is 1.0e-01"
    assert [want in str(w.message) for w in caught] == ([True] if gap == 0.1 else [])
