"""Distortion: what a search finds against what there is."""

import warnings

import numpy as np
import pytest

import lrla
from lrla.sampling import (
    distortion,
    leverage_scores,
    lewis_weights,
    logistic_coreset,
    max_sensitivity,
    robust_coreset,
    sample_rows,
    sensitivities,
    subspace_sample,
    total_sensitivity,
)
from lrla.testing import row_designs


def heavy(m, n, seed=90210):
    return np.random.default_rng(seed).standard_t(2, (m, n))


def quotients(A, sample, p, X):
    rows, w = A[sample.indices], sample.weights
    return (w @ np.abs(rows @ X) ** p) / np.sum(np.abs(A @ X) ** p, axis=0)


def draw(A, p, size, seed=90210, **options):
    weights = lewis_weights(A, p, rng=seed).weights
    return sample_rows(weights, size, rng=seed, **options)


def test_two_is_eigenvalues():
    A = heavy(300, 5)
    sample = draw(A, 2, 60)
    found = distortion(A, sample)
    B = sample.rows(A)
    R = np.linalg.qr(A)[1]
    want = np.linalg.svd(np.linalg.solve(R.T, B.T), compute_uv=False) ** 2
    np.testing.assert_allclose(tuple(found), (want[-1], want[0]), rtol=1e-10)
    assert found.exact
    assert found.method == "eigenvalues"
    assert found.eps == max(1 - found.low, found.high - 1)


@pytest.mark.parametrize("p", [0.5, 1, 1.5, 2, 3, 7])
def test_witnesses_attain_what_is_said(p):
    for A in row_designs(200, 4, rng=90210).values():
        sample = draw(A, p, 60)
        found = distortion(A, sample, p, rng=90210)
        X = np.stack([found.x_low, found.x_high], axis=1)
        np.testing.assert_allclose(quotients(A, sample, p, X), tuple(found), rtol=1e-8, atol=1e-12)
        assert found.low <= 1 + 1e-9
        assert found.exact == (p == 2)


@pytest.mark.parametrize("p", [1, 1.5, 3, 6])
def test_a_sweep_of_two_dimensions_finds_the_extremes(p):
    angles = np.linspace(0, np.pi, 40_001)
    for name, A in row_designs(150, 2, rng=90210).items():
        if name == "dummies":
            A = A[:, -1:] * [1, 1] + np.eye(150, 2)  # its two columns make one dimension less
        sample = draw(A, p, 30)
        # fine where the norm is round: in the coordinates of a QR factorization
        X = np.linalg.solve(np.linalg.qr(A)[1], np.stack([np.cos(angles), np.sin(angles)]))
        want = quotients(A, sample, p, X)
        found = distortion(A, sample, p)
        assert found.method == "sweep"
        assert found.low <= want.min() * (1 + 1e-6)
        assert found.high >= want.max() * (1 - 1e-6)
        assert found.low >= want.min() * (1 - 1e-3)


@pytest.mark.parametrize("p", [1, 1.5, 3])
def test_a_search_finds_nearly_what_many_minimisers_find(p):
    """A local optimiser from 15 random starts on either side gets no further by a tenth."""
    from scipy.optimize import minimize

    for name, A in row_designs(200, 4, rng=90210).items():
        if name == "dummies":
            continue
        U = np.linalg.qr(A)[0]
        sample = draw(A, p, 60)
        found = distortion(A, sample, p, rng=1)
        starts = np.random.default_rng(6021).standard_normal((15, 4))
        for sign, value in ((1, found.low), (-1, found.high)):
            best = min(
                minimize(
                    lambda x, s=sign, U=U, sample=sample: (
                        s * np.log(quotients(U, sample, p, x[:, None])[0])
                    ),
                    x,
                    method="Nelder-Mead",
                    options={"maxfev": 120},
                ).fun
                for x in starts
            )
            assert sign * np.log(value) <= best + 0.1, name


def test_one_direction_is_exact():
    A = heavy(100, 1)
    sample = draw(A, 1, 20)
    found = distortion(A, sample, 1)
    want = quotients(A, sample, 1, np.ones((1, 1)))[0]
    np.testing.assert_allclose(tuple(found), (want, want), rtol=1e-12)
    assert found.exact


@pytest.mark.parametrize("p", [1, 2, 3])
def test_a_lost_direction_is_found(p):
    A = heavy(200, 4)
    A[:, 3] = 0
    A[17, 3] = 1
    sample = sample_rows(np.where(np.arange(200) == 17, 0, 1.0), 50, rng=90210)
    found = distortion(A, sample, p)
    assert found.low < 1e-12
    assert found.eps >= 1 - 1e-12
    few = sample_rows(np.ones(200), 3, rng=90210)
    assert distortion(A, few, p).low < 1e-12


@pytest.mark.parametrize("p", [1, 2, 3])
def test_all_rows_distort_nothing(p):
    A = heavy(50, 3)
    with pytest.warns(UserWarning, match="only 50 of 50"):
        sample = sample_rows(np.ones(50), 60)
    np.testing.assert_allclose(tuple(distortion(A, sample, p)), (1, 1), rtol=1e-12)


def test_degenerate_data():
    sample = sample_rows(np.ones(20), 5, rng=1)
    with pytest.warns(UserWarning, match="rank 0"):
        found = distortion(np.zeros((20, 2)), sample, 1)
    assert tuple(found) == (1, 1)
    A = heavy(20, 2)
    want = tuple(distortion(A, sample, 1))
    np.testing.assert_allclose(tuple(distortion(1e150 * A, sample, 1)), want, rtol=1e-6)
    np.testing.assert_allclose(tuple(distortion(1e-150 * A, sample, 1)), want, rtol=1e-6)
    with pytest.warns(UserWarning, match="rank 2"):
        twice = distortion(np.hstack([A, A]), sample, 1)
    np.testing.assert_allclose(tuple(twice), want, rtol=1e-6)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_every_array_library(backend, p):
    A = heavy(60, 3)
    scores = lewis_weights(A, p, rng=1).weights
    sample = sample_rows(backend.asarray(scores), 30, rng=1)
    want = distortion(A, sample_rows(scores, 30, rng=1), p, rng=1)
    found = distortion(backend.asarray(A), sample, p, rng=1)
    np.testing.assert_allclose(tuple(found), tuple(want), rtol=1e-3)
    assert found.x_low.shape == (3,)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_sampled_rows_of_zeros_span_nothing(p):
    A = heavy(40, 3)
    A[1::2] = 0
    few = np.zeros(40)
    few[[0, 1, 2, 3]] = 1
    found = distortion(A, sample_rows(few, 4, rng=1), p, rng=1)
    assert found.low == pytest.approx(0, abs=1e-14 if p == 2 else 0)


def test_mistakes():
    A = heavy(20, 2)
    sample = sample_rows(np.ones(20), 5, rng=1)
    with pytest.raises(ValueError, match="A must have 20 rows, as the sample is one of so many"):
        distortion(A[:19], sample)
    with pytest.raises(ValueError, match="p must be positive and finite, got inf"):
        distortion(A, sample, np.inf)
    with pytest.raises(ValueError, match="p must be positive and finite, got 0"):
        distortion(A, sample, 0)
    with pytest.raises(TypeError, match="A must be real"):
        distortion(A + 0j, sample)


@pytest.mark.parametrize("sample", [[1, 2], np.arange(3), None])
def test_a_sample_is_one(sample):
    message = f"sample must be a RowSample, as sample_rows returns one, got {type(sample).__name__}"
    with pytest.raises(TypeError, match=message):
        distortion(np.eye(5, 2), sample)


@pytest.mark.parametrize("p", [0.001, 0.01, 0.1])
def test_tiny_p(p):
    """Powers of Lewis weights of such a p overflow: those of a larger one show where to look."""
    A = np.random.default_rng(90210).standard_normal((150, 4))
    sample = subspace_sample(A, p, size=60, rng=90210)
    found = distortion(A, sample, p, rng=90210)
    assert 0.5 < found.low < 1 < found.high < 2
    np.testing.assert_allclose(tuple(found), tuple(sample.info.distortion), rtol=0.2)


@pytest.mark.parametrize("scale", [1e-200, 1e200, 1e300])
@pytest.mark.parametrize("p", [1, 2, 3])
def test_data_of_any_size(p, scale):
    """And without a RuntimeWarning: here these are errors."""
    A = np.random.default_rng(90210).standard_normal((150, 4))
    sample = sample_rows(np.ones(150), 60, rng=90210)
    want = tuple(distortion(A, sample, p, rng=90210))
    np.testing.assert_allclose(tuple(distortion(scale * A, sample, p, rng=90210)), want, rtol=1e-3)


CALLS = {
    "distortion": lambda A: distortion(A, sample_rows(np.ones(150), 60, rng=7), 1, rng=7),
    "lewis": lambda A: subspace_sample(A, 1, size=60, rng=7),
    "leverage": lambda A: subspace_sample(A, 2, size=60, rng=7),
    "mixed": lambda A: subspace_sample(A, 1, size=60, scheme="mixed", rng=7),
    "root": lambda A: subspace_sample(A, 1, size=40, scheme="root_leverage", rng=7),
    "sensitivities": lambda A: sensitivities(A, 1, rng=7),
    "total": lambda A: total_sensitivity(A, 1, rng=7),
    "max": lambda A: max_sensitivity(A, 1, rng=7),
    "logistic": lambda A: logistic_coreset(A, 60, scheme="mixed", rng=7),
    "robust": lambda A: robust_coreset(A, 60, rng=7),
}


@pytest.mark.parametrize("name", CALLS)
def test_dependent_columns_are_told_once(name):
    A = np.random.default_rng(90210).standard_normal((150, 4))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CALLS[name](np.column_stack((A, A[:, 1])))
    assert [w.category for w in caught] == [lrla.RankDeficientWarning]
    assert "A has rank 4, less than its 5 columns" in str(caught[0].message)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("p", [1, 3])
def test_a_search_finds_more_than_many_random_directions(p):
    for seed in range(3):
        rng = np.random.default_rng([90210, seed])
        A = rng.standard_t(2, (60, 4))
        sample = sample_rows(leverage_scores(A).scores + 0.1, 30, rng=seed)
        found = distortion(A, sample, p, rng=1)
        X = rng.standard_normal((4, 20_000))
        some = np.sum(sample.weights[:, None] * abs(A[sample.indices] @ X) ** p, axis=0)
        quotients = some / np.sum(abs(A @ X) ** p, axis=0)
        assert found.low <= quotients.min()
        assert found.high >= quotients.max()
