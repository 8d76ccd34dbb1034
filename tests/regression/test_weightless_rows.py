"""Rows of weight zero: predicted like all others, and without a part in anything else."""

import math

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp

from lrla.regression import (
    huber_regression,
    lp_regression,
    quantile_regression,
    tukey_regression,
)

SEED = 90210
NORMS = [1, 1.05, 1.5, 2, 6, math.inf]
FORMS = {
    "array": np.asarray,
    "csr": sp.csr_array,
    "csc": sp.csc_array,
    "dask": lambda A: da.from_array(A, chunks=((13, 1, 20, 26), 3)),
}


def data(dtype=float):
    """Sixty rows, twenty of them without weight: the first, the last, and all of a chunk."""
    rng = np.random.default_rng(SEED)
    A = rng.standard_normal((60, 3))
    b = A @ np.array([1.0, 2.0, 3.0]) + rng.standard_t(2, 60)
    w = rng.integers(1, 4, 60) + 0.0
    w[rng.permutation(60)[:17]] = 0
    w[[0, 13, 59]] = 0
    b[w == 0] *= 1e3  # they would be told, had they a part in the fit
    return A.astype(dtype), b.astype(dtype), w


def check(result, A, b, w, tol=1e-10):
    """Residuals are those of x everywhere; dual values are zero where weights are."""
    np.testing.assert_allclose(
        result.residuals, b - A @ result.x, rtol=tol, atol=tol * abs(b).max()
    )
    assert np.all(result.dual[w == 0] == 0)
    assert np.any(result.dual[w > 0] != 0)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("p", NORMS)
def test_residuals_of_all_rows(p, form):
    A, b, w = data()
    kept = w > 0
    result = lp_regression(FORMS[form](A), b, p, weights=w, rng=SEED)
    alone = lp_regression(A[kept], b[kept], p, weights=w[kept], rng=SEED)
    check(result, A, b, w)
    np.testing.assert_allclose(result.x, alone.x, rtol=1e-4)  # each is one of many near the best
    assert result.objective == pytest.approx(alone.objective, rel=1e-8)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("p", "options"),
    [
        (1, {"method": "pilot"}),
        (1, {"method": "sample", "size": 30}),
        (1.5, {"method": "sample", "size": 30}),
        (1.5, {"ridge": 2.0}),
        (math.inf, {"ridge": 2.0}),
        (1, {"l1": 2.0}),
        (3, {"l1": 2.0}),
        (math.inf, {"l1": 0.1}),
        (1, {"constraints": (np.ones((1, 3)), np.ones(1))}),
    ],
)
def test_residuals_of_all_rows_whatever_the_method(p, options, form):
    A, b, w = data()
    result = lp_regression(FORMS[form](A), b, p, weights=w, rng=SEED, tol=0.5, **options)
    np.testing.assert_allclose(result.residuals, b - A @ result.x, rtol=1e-10, atol=1e-8)
    assert np.all(result.dual[w == 0] == 0)


@pytest.mark.parametrize("form", FORMS)
def test_several_right_hand_sides_and_complex_ones(form):
    A, b, w = data()
    B = np.stack([b, b**2], axis=1)
    for A_, B_ in ((A, B), (A * (1 + 2j), B - 1j * B[::-1])):
        result = lp_regression(FORMS[form](A_), B_, 1.5, weights=w, rng=SEED)
        assert result.residuals.shape == (60, 2)
        check(result, A_, B_, w)


@pytest.mark.parametrize("form", FORMS)
def test_levels(form):
    A, b, w = data()
    one = quantile_regression(FORMS[form](A), b, 0.3, weights=w, rng=SEED)
    check(one, A, b, w)
    two = quantile_regression(FORMS[form](A), b, [0.6, 0.3], weights=w, rng=SEED)
    check(two, A, b[:, None], w)
    np.testing.assert_allclose(two.residuals[:, 1], one.residuals, atol=1e-8)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fit", [huber_regression, tukey_regression])
def test_losses_trust_rows_that_they_have_not_seen_as_all_others(fit, form):
    A, b, w = data()
    b[w == 0] /= 1e3  # some of them near the fit, some far from it
    result = fit(FORMS[form](A), b, weights=w, rng=SEED)
    r = b - A @ result.x
    np.testing.assert_allclose(result.residuals, r, atol=1e-10)
    size = abs(r) / result.scale
    if fit is huber_regression:
        want = np.minimum(1, 1.345 / size)
        assert np.all(result.dual[w == 0] == 0)
    else:
        want = (1 - np.minimum(size / 4.685, 1) ** 2) ** 2
    np.testing.assert_allclose(result.row_weights, want, atol=1e-9)
    unseen = result.row_weights[w == 0]
    assert 0 <= unseen.min() < 0.7
    assert unseen.max() > 0.95


@pytest.mark.parametrize("p", [1, 1.5, math.inf])
def test_dtypes(p):
    A, b, w = data(np.float32)
    result = lp_regression(A, b, p, weights=w, rng=SEED)
    assert result.residuals.dtype == np.float32
    np.testing.assert_allclose(result.residuals, b - A @ result.x, rtol=1e-3, atol=1e-2)


def test_array_libraries(backend):
    A, b, w = data()
    there = [backend.asarray(v) for v in (A, b, w)]
    for p in (1, 1.5, math.inf):
        got = lp_regression(there[0], there[1], p, weights=there[2], rng=SEED)
        want = b - A @ backend.to_numpy(got.x)
        np.testing.assert_allclose(backend.to_numpy(got.residuals), want, rtol=1e-9, atol=1e-8)
    for fit in (huber_regression, tukey_regression, quantile_regression):
        got = fit(there[0], there[1], weights=there[2], rng=SEED)
        want = b - A @ backend.to_numpy(got.x)
        np.testing.assert_allclose(backend.to_numpy(got.residuals), want, rtol=1e-9, atol=1e-8)


def test_rows_without_weight_may_be_beyond_the_range_of_the_others():
    A, b, w = data()
    A[0] = 1e308
    result = lp_regression(A, b, 1.5, weights=w, rng=SEED)
    assert result.residuals[0] == -math.inf
    assert np.all(np.isfinite(result.residuals[1:]))
