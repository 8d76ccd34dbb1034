"""Standard errors of quantiles by random weights: what they are, and what they are worth."""

import numpy as np
import pytest
import scipy.sparse as sp

import lrla
from lrla._core.arrays import space_of
from lrla._core.random import Domain, key_of, tag
from lrla.kernels.philox import exponential
from lrla.regression import quantile_regression

SEED = 90210


def data(m=300, n=3, seed=SEED):
    """Errors whose spread grows with a column, so that all quantiles are linear."""
    rng = np.random.default_rng([seed, m, n])
    A = rng.uniform(0, 2, (m, n))
    A[:, 0] = 1
    return A, A @ np.arange(1.0, n + 1) + (1 + A[:, -1]) * rng.standard_normal(m)


def errors(A, b, tau=0.5, rng=SEED, **options):
    return quantile_regression(
        A, b, tau, covariance="bootstrap", rng=rng, **options
    ).standard_errors


def weights(m, replicate, rng=SEED):
    space = space_of(np.zeros(1))
    drawn = exponential.definition(space, key_of(rng), tag(Domain.BOOTSTRAP, replicate), 0, m, 1)
    return drawn[:, 0]


def one_by_one(A, b, tau, draw, replicates):
    """Fit each replicate by all of its rows."""
    fits = [quantile_regression(A, b, tau, weights=draw(j), rng=SEED).x for j in range(replicates)]
    return np.std(fits, axis=0, ddof=1)


@pytest.mark.parametrize(("m", "n", "tau"), [(40, 3, 0.5), (300, 3, 0.1), (4000, 2, 0.8)])
def test_replicates_are_fits_of_weighted_rows(m, n, tau, monkeypatch):
    """Of 40 rows all are in the band, of 4000 a ninth; 40 replicates are two and a half batches."""
    monkeypatch.setattr("lrla.regression._bootstrap.REPLICATES", 40)
    A, b = data(m, n)
    want = one_by_one(A, b, tau, lambda j: weights(m, j), 40)
    np.testing.assert_allclose(errors(A, b, tau), want, rtol=1e-5)
    assert not np.allclose(errors(A, b, tau, rng=1), want, rtol=1e-3)


def test_signs_beyond_the_band_are_verified(monkeypatch):
    """A band that is too narrow costs time, but changes nothing."""
    monkeypatch.setattr("lrla.regression._bootstrap.REPLICATES", 40)
    A, b = data(4000, 2)
    want = errors(A, b)
    monkeypatch.setattr("lrla.regression._bootstrap._BAND", 0.5)
    fits, made = [], lrla.regression._bootstrap._Replicates._all

    def counted(self, w):
        fits.append(1)
        return made(self, w)

    monkeypatch.setattr("lrla.regression._bootstrap._Replicates._all", counted)
    np.testing.assert_allclose(errors(A, b), want, rtol=1e-5)
    assert 20 < len(fits) <= 40


def test_the_band_holds_nearly_all_replicates(monkeypatch):
    made = lrla.regression._bootstrap._Replicates._all
    fits = []

    def counted(self, w):
        fits.append(1)
        return made(self, w)

    monkeypatch.setattr("lrla.regression._bootstrap._Replicates._all", counted)
    errors(*data(5000, 4), 0.3)
    assert len(fits) <= 5


@pytest.mark.statistical
def test_the_households_of_engel():
    """Those of an independent bootstrap, near the kernel's, within a factor 2 of quantreg's "nid".

    The ratio of the two bootstraps has a standard deviation of 7 %: a false alarm in 1e6.
    """
    frame = pytest.importorskip("statsmodels.datasets").engel.load_pandas().data
    income = frame["income"].to_numpy()
    A, b = np.stack([np.ones(235), income], axis=1), frame["foodexp"].to_numpy()
    got, rng = errors(A, b), np.random.default_rng(SEED)
    want = one_by_one(A, b, 0.5, lambda j: rng.exponential(size=235), 200)
    np.testing.assert_allclose(got, want, rtol=0.35)
    assert np.all((got > [19.25066 / 2, 0.02828 / 2]) & (got < [2 * 19.25066, 2 * 0.02828]))
    kernel = quantile_regression(A, b, covariance="kernel", rng=SEED).standard_errors
    np.testing.assert_allclose(got, kernel, rtol=0.3)


@pytest.mark.statistical
@pytest.mark.parametrize("tau", [0.3, 0.5])
def test_it_agrees_with_nid_where_quantiles_are_linear(tau):
    """Within four standard deviations of 5 % for 200 replicates: four false alarms in 1e4."""
    A, b = data(20_000, 2)
    nid = quantile_regression(A, b, tau, covariance="nid", rng=SEED).standard_errors
    np.testing.assert_allclose(errors(A, b, tau), nid, rtol=0.2)


@pytest.mark.statistical
def test_intervals_cover(monkeypatch):
    """60 data sets, two coefficients: of 120 intervals at 95 % at least 102 cover.

    Of 600 such intervals 94.8 % were seen to cover. Then fewer do once in 20000 times, and always if
    standard errors are half as long: 70 % were seen to.
    """
    monkeypatch.setattr("lrla.regression._bootstrap.REPLICATES", 50)
    truth, covered, halved = np.array([1, 2]), 0, 0
    for seed in range(60):
        A, b = data(150, 2, seed)
        result = quantile_regression(A, b, covariance="bootstrap", rng=seed)
        distance = abs(result.x - truth) / result.standard_errors
        covered += np.count_nonzero(distance < 1.96)
        halved += np.count_nonzero(distance < 0.98)
    assert covered >= 102
    assert halved < 102


def test_seeds_and_levels(monkeypatch):
    monkeypatch.setattr("lrla.regression._bootstrap.REPLICATES", 20)
    A, b = data(4000, 2)
    first = errors(A, b, [0.2, 0.7])
    assert first.shape == (2, 2)
    np.testing.assert_array_equal(first, errors(A, b, [0.2, 0.7]))
    assert not np.array_equal(first, errors(A, b, [0.2, 0.7], rng=1))
    for j, tau in enumerate((0.2, 0.7)):
        np.testing.assert_allclose(first[:, j], errors(A, b, tau), rtol=1e-6)
    with lrla.threads(3):
        np.testing.assert_allclose(errors(A, b, [0.2, 0.7]), first, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_the_unit_of_the_response(scale):
    A, b = data()
    np.testing.assert_allclose(errors(A, scale * b) / scale, errors(A, b), rtol=1e-6)


def test_forms_of_data(monkeypatch):
    monkeypatch.setattr("lrla.regression._bootstrap.REPLICATES", 20)
    da = pytest.importorskip("dask.array")
    for m in (1000, 60):
        A, b = data(m, 2)
        want = errors(A, b)
        for form in (sp.csr_array(A), da.from_array(A, chunks=(25 + m // 5, 2))):
            np.testing.assert_allclose(errors(form, b), want, rtol=1e-5)
    single = errors(A.astype("f4"), b.astype("f4"))
    assert single.dtype == "f4"
    np.testing.assert_allclose(single, want, rtol=1e-2)


@pytest.mark.parametrize("m", [60, 1000])
def test_array_libraries(backend, m, monkeypatch):
    monkeypatch.setattr("lrla.regression._bootstrap.REPLICATES", 20)
    A, b = data(m, 2)
    got = errors(backend.asarray(A), backend.asarray(b))
    assert type(got) is type(backend.asarray(b))
    np.testing.assert_allclose(backend.to_numpy(got), errors(A, b), rtol=1e-5)


def test_data_without_a_density():
    """An exact fit has errors of rounding only, a point mass none, and a column of one row some."""
    A, b = data(150, 3)
    assert np.all(errors(A, A @ np.ones(3)) < 1e-13)
    half = np.where(np.arange(150) < 100, 0.0, b)
    assert errors(np.ones((150, 1)), half)[0] < 1e-12
    lone = np.zeros((150, 1))
    lone[0] = 1
    with_lone = errors(np.hstack([A, lone]), b)
    assert np.all(np.isfinite(with_lone))
    assert np.all(errors(A, np.zeros(150)) == 0)


@pytest.mark.parametrize(("m", "n"), [(4, 4), (3, 5), (1, 1)])
@pytest.mark.filterwarnings("ignore::lrla.RankDeficientWarning")
def test_fits_that_interpolate_all_rows_do_not_vary(m, n):
    rng = np.random.default_rng(SEED)
    A, b = rng.standard_normal((m, n)), rng.standard_normal(m)
    np.testing.assert_array_equal(errors(A, b), 0)


def test_dependent_columns():
    A, b = data(1000, 2)
    with pytest.warns(lrla.RankDeficientWarning) as caught:
        doubled = errors(np.hstack([A, A[:, 1:]]), b)
    assert len(caught) == 1
    assert np.all(np.isfinite(doubled))
    np.testing.assert_allclose(doubled[0], errors(A, b)[0], rtol=1e-5)
    with pytest.warns(lrla.RankDeficientWarning):
        assert np.all(errors(np.zeros((30, 2)), b[:30]) == 0)


@pytest.mark.parametrize("m", [60, 4000])
def test_replicates_that_do_not_end_are_told(m, monkeypatch):
    monkeypatch.setattr("lrla.regression._bootstrap._MOST", 2)
    A, b = data(m, 2)
    with pytest.warns(
        lrla.ConvergenceWarning, match="200 of 200 replicates for standard errors at tau=0.5 ended"
    ):
        errors(A, b)
