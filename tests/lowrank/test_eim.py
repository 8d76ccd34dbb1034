"""Interpolation from a few points."""

import itertools

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from spectra import low_rank

from lrla._core.results import Status
from lrla.lowrank import eim

methods = pytest.mark.parametrize("method", ["greedy", "qdeim"])


def curves(m=120, n=50):
    """Make snapshots of a function that travels with its parameter."""
    x, c = np.linspace(0, 1, m), np.linspace(0, 1, n)
    return 1 / (1 + 25 * (x[:, None] - c[None, :]) ** 2)


@methods
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_interpolates(backend, method, dtype):
    X = curves().astype(dtype)
    if dtype == "complex128":
        X = X * np.exp(1j * np.arange(50))[None, :]
    result = eim(backend.asarray(X), 9, method=method)
    points, basis = backend.to_numpy(result.points), backend.to_numpy(result.basis)
    unit = 1e-4 if dtype == "float32" else 1e-12
    assert len(set(points.tolist())) == 9 == result.rank
    assert basis.dtype == X.dtype
    got = backend.to_numpy(result.interpolate(backend.asarray(X[points])))
    np.testing.assert_allclose(got[points], X[points], atol=unit)
    assert result.info.error == pytest.approx(np.abs(got - X).max(), rel=1e-3, abs=unit)
    one = backend.to_numpy(result.interpolate(backend.asarray(X[points, 3])))
    np.testing.assert_allclose(one, got[:, 3], atol=unit)
    cardinal = basis @ np.linalg.inv(basis[points])
    assert result.info.lebesgue_constant == pytest.approx(
        np.abs(cardinal).sum(axis=1).max(), rel=1e-3
    )


def test_greedy_is_empirical_interpolation():
    """The definition, with the interpolant of every snapshot solved for at each step."""
    X = curves(60, 30)
    points, chosen, errors = [], [], []
    for _ in range(7):
        Q = X[:, chosen]
        inner = Q @ np.linalg.solve(X[np.ix_(points, chosen)], X[points]) if points else 0 * X
        rest = np.abs(X - inner)
        j = int(np.argmax(rest.max(axis=0)))
        errors.append(rest[:, j].max())
        points.append(int(np.argmax(rest[:, j])))
        chosen.append(j)
    result = eim(X, 7)
    assert result.points.tolist() == points
    np.testing.assert_allclose(result.info.history, errors, rtol=1e-8)
    B = result.basis[result.points]
    np.testing.assert_allclose(np.triu(B), np.eye(7), atol=1e-14)
    assert np.abs(result.basis).max() <= 1 + 1e-14
    for j in chosen:
        np.testing.assert_allclose(result.interpolate(X[points, j]), X[:, j], atol=1e-12)


@hypothesis.given(
    m=st.integers(1, 20), n=st.integers(1, 20), seed=st.integers(0, 2**32 - 1), data=st.data()
)
@methods
def test_low_rank_is_reproduced(method, m, n, seed, data):
    r = data.draw(st.integers(1, min(m, n)))
    X = low_rank(m, n, r, seed)
    result = eim(X, tol=1e-9, method=method)
    assert result.rank <= r
    assert np.abs(X - result.interpolate(X[result.points])).max() <= 1e-6 * np.abs(X).max()


@methods
def test_tolerance(method):
    X = curves()
    ranks = []
    for tol in (1e-2, 1e-5):
        result = eim(X, tol=tol, method=method)
        assert result
        assert result.info.relative_error <= tol
        ranks.append(result.rank)
        assert np.linalg.svd(X)[1][result.rank] < 200 * tol
    assert ranks[0] < ranks[1] < 50
    worse = eim(X, result.rank - 2, method=method)
    assert worse.info.relative_error > 1e-5


def test_errors_grow_no_more_than_the_constant_allows():
    history = eim(curves(), 20).info.history
    assert all(b <= 4 * a for a, b in itertools.pairwise(history))
    assert history[-1] < 1e-2 * history[0]


def test_qdeim_bound():
    """The norm of the inverse is within the bound of Drmac and Gugercin, lemma 2.1."""
    X, k = np.random.default_rng(3).standard_normal((60, 12)), 8
    result = eim(X, k, method="qdeim")
    np.testing.assert_allclose(result.basis.T @ result.basis, np.eye(k), atol=1e-12)
    worst = 1 / np.linalg.svd(result.basis[result.points])[1][-1]
    assert worst <= np.sqrt(60 - k + 1) * np.sqrt(4.0**k + 6 * k - 1) / 3


@methods
def test_degenerate(method):
    result = eim(np.zeros((4, 3)), 2, method=method)
    assert result.rank == 0
    assert result.interpolate(np.zeros((0, 2))).shape == (4, 2)
    for scale in (1e-150, 1e150):
        scaled = eim(scale * curves(), 6, method=method)
        np.testing.assert_array_equal(scaled.points, eim(curves(), 6, method=method).points)
    hopeless = eim(np.random.default_rng(1).standard_normal((9, 9)), tol=1e-30, method=method)
    assert hopeless.status in (Status.STAGNATED, Status.CONVERGED)
    assert hopeless.rank == 9


def test_what_is_refused():
    X = curves()
    with pytest.raises(ValueError, match="give either rank or tol, got neither"):
        eim(X)
    with pytest.raises(ValueError, match="give either rank or tol, got both"):
        eim(X, 3, tol=0.1)
    with pytest.raises(ValueError, match=r"rank must be an integer between 1 and .* = 50, got 51"):
        eim(X, 51)
    with pytest.raises(ValueError, match="tol must be between 0 and 1, got 2"):
        eim(X, tol=2)
    with pytest.raises(ValueError, match="method must be one of greedy, qdeim, got 'deim'"):
        eim(X, 3, method="deim")
    with pytest.raises(ValueError, match="X must have rows and columns, got shape"):
        eim(X[:0], 3)
    with pytest.raises(ValueError, match="X must be finite"):
        eim(X * np.nan, 3)
    with pytest.raises(ValueError, match=r"values must have 3 rows, .* got shape \(4,\)"):
        eim(X, 3).interpolate(np.ones(4))
