"""The exponent of the tail of a spectrum does not depend on the shape of the matrix."""

import math

import numpy as np
import pytest

from lrla._core.errors import AccuracyWarning
from lrla.lowrank import farms_alpha


def hill(values, k):
    top = np.sort(values)[::-1]
    return 1 + k / np.sum(np.log(top[:k] / top[k]))


@pytest.mark.parametrize("dtype", ["f8", "c16"])
@pytest.mark.parametrize("shape", [(40, 70), (70, 40)])
def test_it_is_hills_estimator_of_the_pooled_spectra(shape, dtype):
    rng = np.random.default_rng(90210)
    A = rng.standard_normal(shape).astype(dtype)
    A = A + 1j * rng.standard_normal(shape) if dtype == "c16" else A
    result = farms_alpha(A, block_size=20, aspect=1.5, step=7, fraction=0.3)
    wide = A if shape[0] < shape[1] else A.T
    windows = [wide[i : i + 20, j : j + 30] for i in (0, 7, 14) for j in range(0, 41, 7)]
    values = np.concatenate([np.linalg.svd(S, compute_uv=False) ** 2 for S in windows])
    values = values[values >= 1e-5 * values.max()]
    k = int(0.3 * len(values))
    assert result.alpha == pytest.approx(hill(values, k), rel=1e-9)
    assert (result.info.windows, result.info.k) == (18, k)
    assert result.eigenvalues.shape == values.shape
    assert result.standard_error == pytest.approx((result.alpha - 1) / math.sqrt(k))


def test_the_shape_matters_less_than_without_windows():
    rng = np.random.default_rng(51)
    windows, whole = [], []
    for ratio in (1, 2, 4, 8):
        A = rng.standard_normal((120, 120 * ratio))
        windows.append(farms_alpha(A, block_size=60).alpha)
        values = np.linalg.svd(A, compute_uv=False) ** 2
        whole.append(hill(values[values >= 1e-5 * values.max()], 60))
    assert 3 * np.ptp(windows) < np.ptp(whole)


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_scales(scale):
    A = np.random.default_rng(4).standard_normal((30, 60))
    want = farms_alpha(A, block_size=25).alpha
    assert farms_alpha(scale * A, block_size=25).alpha == pytest.approx(want, rel=1e-9)


@pytest.mark.statistical
@pytest.mark.parametrize("alpha", [1.8, 2.5, 4.0])
def test_power_laws_are_found(alpha):
    # six standard errors: a false alarm in 5e8, three times
    values = np.random.default_rng(7).pareto(alpha - 1, 400) + 1
    with pytest.warns(AccuracyWarning, match="is taken as a whole"):
        result = farms_alpha(np.diag(np.sqrt(values)), block_size=401, tol=0)
    assert abs(result.alpha - alpha) < 6 * (alpha - 1) / math.sqrt(result.info.k)


def test_equal_eigenvalues_have_no_tail():
    assert farms_alpha(np.eye(8), block_size=4, aspect=1, step=4).alpha == math.inf


def test_other_array_libraries(backend):
    xp, device = backend
    A = np.random.default_rng(5).standard_normal((30, 60))
    result = farms_alpha(xp.asarray(A, device=device), block_size=20)
    want = farms_alpha(A, block_size=20)
    assert result.alpha == pytest.approx(want.alpha, rel=1e-9)
    assert result.eigenvalues.shape == want.eigenvalues.shape


A = np.random.default_rng(1).standard_normal((20, 40))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: farms_alpha(A, block_size=0), "block_size must be an integer, at least 1, got 0"),
        (lambda: farms_alpha(A, step=1.5), "step must be an integer, at least 1, got 1.5"),
        (lambda: farms_alpha(A, aspect=0.5), "aspect must be at least 1, got 0.5"),
        (lambda: farms_alpha(A, fraction=1), "fraction must be between 0 and 1, got 1"),
        (lambda: farms_alpha(A, tol=-1), "tol must be at least 0 and less than 1, got -1"),
        (lambda: farms_alpha(0 * A, block_size=10), "at least two eigenvalues that count"),
        (lambda: farms_alpha(A * np.inf), "A must be finite"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
