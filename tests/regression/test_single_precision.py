"""Answers in single precision are measured for the coefficients that are returned."""

import numpy as np
import pytest
import scipy.sparse as sp

from lrla.regression import huber_regression, lp_regression, quantile_regression, tukey_regression

SEED = 90210


def data(noise=1e-5, size=100.0, dtype=np.float32):
    rng = np.random.default_rng(SEED)
    A = rng.standard_normal((400, 5)).astype(np.float32)
    x = size * rng.standard_normal(5)
    return A, (A.astype(float) @ x + noise * rng.standard_normal(400)).astype(dtype)


def left(A, b, x):
    return b.astype(float) - A.astype(float) @ x.astype(float)


@pytest.mark.parametrize("p", [1, 1.05, 1.5, 2, 4, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("noise", [1e-5, 1.0])
def test_objective_residuals_and_gap_are_those_of_x(p, dtype, noise):
    A, b = data(noise, dtype=dtype)
    got = lp_regression(A, b, p, rng=SEED)
    best = lp_regression(A.astype(float), b, p, rng=SEED).objective
    assert got
    assert got.x.dtype == got.residuals.dtype == np.float32
    r = left(A, b, got.x)
    assert got.objective == pytest.approx(np.linalg.norm(r, p), rel=1e-12)
    np.testing.assert_array_equal(got.residuals, r.astype(np.float32))
    assert got.gap == pytest.approx(1 - best / got.objective, abs=2e-8)
    # no more than rounding the coefficients moves the fits by
    slack = np.linalg.norm(2.0**-24 * abs(A).astype(float) @ abs(got.x).astype(float), p)
    assert got.objective <= best * (1 + 1e-8) + slack
    assert got.gap > 0.01 or noise == 1


@pytest.mark.parametrize("method", ["pilot", "sample"])
def test_other_methods_measure_x_as_well(method):
    A, b = data()
    got = lp_regression(A, b, 1, method=method, rng=SEED)
    assert got.objective == pytest.approx(np.sum(abs(left(A, b, got.x))), rel=1e-12)
    best = lp_regression(A.astype(float), b, 1, rng=SEED).objective
    assert got.gap >= 1 - best / got.objective - 1e-12


def test_several_sides_ridge_and_weights():
    A, b = data()
    B, w = np.stack([b, b[::-1]], axis=1), np.linspace(0.0, 2.0, 400)
    got = lp_regression(A, B, 3, ridge=1e-9, weights=w, rng=SEED)
    for j in range(2):
        r = left(A, B[:, j], got.x[:, j])
        want = np.sum(w * abs(r) ** 3) + 1e-9 * np.sum(abs(got.x[:, j].astype(float)) ** 3)
        assert got.objective[j] == pytest.approx(want ** (1 / 3), rel=1e-12)


@pytest.mark.parametrize("p", [1, 1.5, np.inf])
def test_a_lasso(p):
    A, b = data()
    got = lp_regression(A, b, p, l1=1e-9, rng=SEED)
    size = np.linalg.norm(left(A, b, got.x), p)
    penalty = 1e-9 * np.sum(abs(got.x.astype(float)))
    want = size + penalty if np.isinf(p) else (size**p + penalty) ** (1 / p)
    assert got.objective == pytest.approx(want, rel=1e-12)


def test_an_exact_fit_has_no_gap():
    A, _ = data()
    b = A.astype(float) @ np.full(5, 1 / 3)
    for p in (1, 1.5, 3, np.inf):
        got = lp_regression(A, b, p, rng=SEED)
        assert got
        assert got.gap == 0
        np.testing.assert_allclose(got.x, 1 / 3, rtol=1e-7)


@pytest.mark.parametrize("levels", [0.3, [0.3, 0.7]])
def test_quantiles(levels):
    A, b = data()
    got = quantile_regression(A, b, levels, rng=SEED)
    assert got
    for j, tau in enumerate(np.atleast_1d(levels)):
        r = left(A, b, got.x if np.ndim(levels) == 0 else got.x[:, j])
        want = np.sum(np.maximum(tau * r, (tau - 1) * r))
        assert np.atleast_1d(got.objective)[j] == pytest.approx(want, rel=1e-12)
        assert np.atleast_1d(got.gap)[j] > 0.01


@pytest.mark.parametrize("covariance", ["nid", "kernel"])
def test_errors_of_quantiles_keep_the_digits_that_x_lacks(covariance):
    A, b = data(noise=1e-3)
    single = quantile_regression(A, b, 0.5, covariance=covariance, rng=SEED)
    double = quantile_regression(A.astype(float), b, 0.5, covariance=covariance, rng=SEED)
    np.testing.assert_allclose(single.standard_errors, double.standard_errors, rtol=1e-5)


def test_losses_with_a_bend():
    A, b = data()
    huber = huber_regression(A, b, scale=1e-5, rng=SEED)
    r, t = left(A, b, huber.x), 1.345e-5
    assert huber
    assert huber.gap > 0.01
    size = np.minimum(abs(r), t)
    assert huber.objective == pytest.approx(np.sum(size * (abs(r) - size / 2)), rel=1e-12)
    tukey = tukey_regression(A, b, scale=1e-5, rng=SEED)
    r, t = left(A, b, tukey.x), 4.685e-5
    near = np.minimum(abs(r) / t, 1)
    assert tukey.objective == pytest.approx(np.sum(t**2 / 6 * (1 - (1 - near**2) ** 3)), rel=1e-12)
    np.testing.assert_allclose(tukey.row_weights, (1 - near**2) ** 2, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("fit", [huber_regression, tukey_regression])
@pytest.mark.parametrize("form", ["dense", "sparse", "dask"])
def test_a_default_scale_keeps_the_digits_that_x_lacks(fit, form):
    A, b = data()
    if form == "sparse":
        whole = sp.csr_array(A)
    elif form == "dask":
        whole = pytest.importorskip("dask.array").from_array(A, chunks=(150, -1))
    else:
        whole = A
    got, want = fit(whole, b, rng=SEED), fit(A.astype(float), b, rng=SEED)
    assert got.x.dtype == np.float32
    assert got.scale == pytest.approx(want.scale, rel=1e-6)
