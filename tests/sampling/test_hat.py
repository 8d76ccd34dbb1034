"""Hat statistics: against statsmodels, and against fitting again without each row."""

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import aslinearoperator
from statsmodels.regression.linear_model import OLS

from lrla import RankDeficientWarning
from lrla.sampling import hat_statistics

SEED = 90210
SCALES = {"f4": (1e-35, 1e-25, 1e20, 1e35), "f8": (1e-290, 1e-200, 1e140, 1e200, 1e300)}


def problem(m=60, n=5, seed=SEED):
    rng = np.random.default_rng(seed)
    A = rng.standard_t(3, (m, n))
    return A, A @ np.ones(n) + rng.standard_normal(m)


def test_against_statsmodels():
    A, b = problem()
    want = OLS(b, A).fit().get_influence()
    result = hat_statistics(A, b, rng=SEED)
    np.testing.assert_allclose(result.leverage, want.hat_matrix_diag, rtol=1e-11)
    np.testing.assert_allclose(result.residuals, want.resid, rtol=1e-10)
    np.testing.assert_allclose(result.loo_residuals, want.resid_press, rtol=1e-10)
    np.testing.assert_allclose(result.standardized, want.resid_studentized_internal, rtol=1e-10)
    np.testing.assert_allclose(result.studentized, want.resid_studentized_external, rtol=1e-10)
    np.testing.assert_allclose(result.cooks_distance, want.cooks_distance[0], rtol=1e-10)
    assert result.press == pytest.approx(np.sum(want.resid_press**2))
    assert result.sigma == pytest.approx(np.sqrt(want.results.scale))
    np.testing.assert_allclose(result.x, want.results.params, rtol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["dense", "sparse", "operator", "dask", "complex"])
def test_against_fitting_again(kind, weighted):
    A, b = problem(30, 4)
    w = np.random.default_rng(7).uniform(0.5, 3, 30) if weighted else np.ones(30)
    if kind == "complex":
        A, b = A + 1j * A[::-1], b * (1 + 2j)
    form = {"sparse": sp.csr_array, "operator": aslinearoperator}.get(kind, np.asarray)
    given = da.from_array(A, chunks=(11, 4)) if kind == "dask" else form(A)
    result = hat_statistics(given, b, weights=w if weighted else None, rng=SEED)
    root = np.sqrt(w)
    for i in range(30):
        keep = np.arange(30) != i
        x = np.linalg.lstsq((root[:, None] * A)[keep], (root * b)[keep], rcond=None)[0]
        assert result.loo_residuals[i] == pytest.approx(b[i] - A[i] @ x, rel=1e-8)
        rest = root[keep] * (b - A @ x)[keep]
        sigma = np.linalg.norm(rest) / np.sqrt(25)
        t = root[i] * result.residuals[i] / (sigma * np.sqrt(1 - result.leverage[i]))
        assert result.studentized[i] == pytest.approx(t, rel=1e-8)
        moved = root * (A @ (result.x - x))
        cook = np.linalg.norm(moved) ** 2 / (4 * result.sigma**2)
        assert result.cooks_distance[i] == pytest.approx(cook, rel=1e-8)
    assert result.press == pytest.approx(np.sum(w * abs(result.loo_residuals) ** 2))
    assert result.info.degrees_of_freedom == 26


def test_every_library(backend):
    A, b = problem()
    result = hat_statistics(backend.asarray(A), backend.asarray(b), rng=SEED)
    want = hat_statistics(A, b, rng=SEED)
    for name in ("residuals", "loo_residuals", "studentized", "cooks_distance", "x"):
        got = backend.to_numpy(getattr(result, name))
        np.testing.assert_allclose(got, getattr(want, name), rtol=1e-9)


def test_rows_that_are_fitted_whatever_they_say_are_flagged():
    A, b = problem()
    A[:, 4] = 0
    A[7, 4] = 1e-3
    result = hat_statistics(A, b, rng=SEED)
    assert result.info.n_pinned == 1
    assert result.leverage[7] == pytest.approx(1)
    for name in ("loo_residuals", "standardized", "studentized", "cooks_distance"):
        values = getattr(result, name)
        assert np.isinf(values[7])
        assert np.all(np.isfinite(np.delete(values, 7)))
    assert result.press == np.inf
    # the others do not notice
    rest = hat_statistics(np.delete(A, 7, 0)[:, :4], np.delete(b, 7), rng=SEED)
    np.testing.assert_allclose(np.delete(result.studentized, 7), rest.studentized, rtol=1e-8)
    assert result.sigma == pytest.approx(rest.sigma)


def test_degenerate_problems():
    A, b = problem(60, 4)
    with pytest.warns(RankDeficientWarning, match="rank 4"):
        twice = hat_statistics(np.concatenate((A, A[:, :2]), axis=1), b, rng=SEED)
    once = hat_statistics(A, b, rng=SEED)
    np.testing.assert_allclose(twice.studentized, once.studentized, rtol=1e-8)
    assert twice.info.degrees_of_freedom == 56
    square = hat_statistics(A[:4], b[:4], rng=SEED)
    assert np.isnan(square.sigma)
    assert square.info.n_pinned == 4
    assert np.all(np.isinf(square.cooks_distance))
    perfect = hat_statistics(A, np.zeros(60), rng=SEED)
    np.testing.assert_array_equal(perfect.studentized, np.zeros(60))
    assert perfect.press == 0
    one = hat_statistics(A[:5], b[:5], rng=SEED)  # no row can be spared to estimate the noise
    assert np.all(np.isinf(one.studentized))
    assert np.all(np.isfinite(one.standardized))


def test_weight_zero_is_prediction():
    A, b = problem()
    w = np.ones(60)
    w[::4] = 0
    result = hat_statistics(A, b, weights=w, rng=SEED)
    kept = hat_statistics(A[w > 0], b[w > 0], rng=SEED)
    np.testing.assert_allclose(result.studentized[w > 0], kept.studentized, rtol=1e-9)
    np.testing.assert_array_equal(result.leverage[w == 0], 0)
    predicted = (b - A @ kept.x)[w == 0]
    np.testing.assert_allclose(result.loo_residuals[w == 0], predicted, rtol=1e-9)
    assert result.sigma == pytest.approx(kept.sigma)


@pytest.mark.parametrize("seed", range(12))
def test_rows_of_weight_zero_that_the_others_do_not_span(backend, seed):
    """Whatever the units of the columns, and where a column is zero in all rows with weight."""
    rng = np.random.default_rng([seed, 90210])
    A = rng.standard_normal((25, 3)) @ rng.standard_normal((3, 6))
    A[:, 5] = 0
    units = 10.0 ** rng.integers(-9, 9, 6)
    w, outside = np.ones(25), np.zeros(25, bool)
    w[:6], outside[:3] = 0, True
    A[0] += rng.standard_normal(6)
    A[1, 5] = 1e-3
    A[2, 0] += 0.01
    b = rng.standard_normal(25)
    with pytest.warns(RankDeficientWarning):
        result = hat_statistics(
            *(backend.asarray(x) for x in (A * units, b)), weights=backend.asarray(w), rng=seed
        )
    assert result.rank == 3
    loo = backend.to_numpy(result.loo_residuals)
    np.testing.assert_array_equal(np.isinf(loo), outside)
    x = np.linalg.lstsq(A[6:], b[6:], rcond=1e-10)[0]
    np.testing.assert_allclose(loo[3:6], (b - A @ x)[3:6], rtol=1e-6)


def test_infinite_statistics_of_complex_data_are_no_nan():
    A = np.array([[1.0, 0], [1, 0], [2, 0], [0, 1j]])
    result = hat_statistics(A, np.array([1j, 2, 3, 4 + 1j]), rng=SEED)
    for statistic in (result.loo_residuals, result.standardized, result.studentized):
        assert not np.isnan(statistic).any()
        assert np.isinf(statistic[3])


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1e-160, 1e160, 1e300])
def test_data_of_any_size(scale):
    A, b = problem()
    want, result = hat_statistics(A, b, rng=SEED), hat_statistics(scale * A, scale * b, rng=SEED)
    np.testing.assert_allclose(result.x, want.x, rtol=1e-12)
    np.testing.assert_allclose(result.studentized, want.studentized, rtol=1e-9)
    np.testing.assert_allclose(result.loo_residuals / scale, want.loo_residuals, rtol=1e-9)
    assert result.sigma / scale == pytest.approx(want.sigma)


def test_ill_conditioned_and_large_numbers():
    A, b = problem(400, 5)
    A[:, 4] = A[:, 3] + 1e-7 * A[:, 4]
    result = hat_statistics(A * np.array([1, 1e100, 1e-100, 1, 1]), b, rng=SEED)
    Q = np.linalg.qr(A)[0]
    np.testing.assert_allclose(result.residuals, b - Q @ (Q.T @ b), atol=1e-7)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("dtype", "scale"),
    [(dtype, scale) for dtype, scales in SCALES.items() for scale in scales],
)
def test_right_hand_sides_of_any_size(dtype, scale, weighted):
    """What has no unit does not change; the rest is multiplied by the scale, press by its square."""
    A, b = problem()
    weights = np.linspace(0.5, 2, 60).astype(dtype) if weighted else None
    want = hat_statistics(A.astype(dtype), b.astype(dtype), weights=weights, rng=SEED)
    got = hat_statistics(A.astype(dtype), (scale * b).astype(dtype), weights=weights, rng=SEED)
    rtol = 1e-4 if dtype == "f4" else 1e-11
    assert got.sigma == pytest.approx(scale * want.sigma, rel=rtol)
    assert got.press == pytest.approx(scale * scale * want.press, rel=rtol, abs=0)
    for name in ("standardized", "studentized", "cooks_distance"):
        np.testing.assert_allclose(
            getattr(got, name), getattr(want, name), rtol=rtol, atol=rtol / 10
        )
    for name in ("residuals", "loo_residuals", "x"):
        small = rtol * np.max(abs(b))
        np.testing.assert_allclose(getattr(got, name) / scale, getattr(want, name), rtol, small)


def test_errors():
    A, b = problem()
    with pytest.raises(ValueError, match="b must have one entry for each row of A, got 3 for 60"):
        hat_statistics(A, b[:3])
    with pytest.raises(ValueError, match="b must be finite"):
        hat_statistics(A, b * np.nan)
    with pytest.raises(ValueError, match=r"method must be one of auto, qr.*got 'jl'"):
        hat_statistics(A, b, method="jl")
