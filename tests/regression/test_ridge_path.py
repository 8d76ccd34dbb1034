"""`ridge_path`: each solution is the ridge solution, and the certificate says so."""

import dask.array as da
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.linalg import aslinearoperator

from lrla import regression as R

RIDGES = [0.0, 1e-6, 1.0, 300.0, 1e9]


def reference(A, b, ridge):
    n = A.shape[1]
    rows = np.concatenate([A, np.sqrt(ridge) * np.eye(n)])
    return np.linalg.lstsq(rows, np.concatenate([b, np.zeros(n)]))[0]


def problem(seed, m=900, n=12, cond=1e4):
    rng = np.random.default_rng(seed)
    U, V = (np.linalg.qr(rng.standard_normal((k, n)))[0] for k in (m, n))
    A = U * np.logspace(0, -np.log10(cond), n) @ V.T * 50
    return A, A @ rng.standard_normal(n) + rng.standard_normal(m)


@pytest.mark.parametrize("kind", ["C", "F", "csr", "operator"])
def test_each_column_is_a_ridge_solution(kind):
    A, b = problem(88123)
    data = {
        "C": A,
        "F": np.asfortranarray(A),
        "csr": scipy.sparse.csr_array(A),
        "operator": aslinearoperator(A),
    }[kind]
    path = R.ridge_path(data, b, RIDGES, rng=4)
    s = np.linalg.svd(A, compute_uv=False)
    for k, ridge in enumerate(RIDGES):
        want = reference(A, b, ridge)
        np.testing.assert_allclose(path.x[:, k], want, rtol=1e-7, atol=1e-9 * abs(want).max())
        np.testing.assert_allclose(path.residual_norm[k], np.linalg.norm(b - A @ want), rtol=1e-9)
        if kind != "operator":
            np.testing.assert_allclose(
                path.effective_dimension[k], np.sum(s**2 / (s**2 + ridge)), rtol=1e-8
            )
    assert path.status
    assert np.all(path.info.backward_error <= 1.2e-16)


def test_it_agrees_with_lstsq_and_weights():
    A, b = problem(5512)
    w = np.random.default_rng(7).uniform(0, 2, 900)
    path = R.ridge_path(A, b, [2.0], weights=w, rng=4)
    np.testing.assert_allclose(path.x[:, 0], R.lstsq(A, b, weights=w, ridge=2.0).x, rtol=1e-8)


def test_dependent_columns_and_no_ridge_give_least_norm():
    A, b = problem(31, cond=10)
    A = np.concatenate([A, A[:, :2]], axis=1)
    path = R.ridge_path(A, b, [0.0, 1.0], rng=4)
    assert path.info.rank == 12
    np.testing.assert_allclose(path.x[:, 0], np.linalg.pinv(A, rcond=1e-12) @ b, rtol=1e-8)
    np.testing.assert_allclose(path.x[:, 1], reference(A, b, 1.0), rtol=1e-8)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 12), more=st.sampled_from((0, 1, 5, 40)))
def test_operators_are_dense_also_where_they_are_nearly_square(seed, n, more):
    A = np.random.default_rng(seed).standard_normal((n + more, n))
    b = np.ones(n + more)
    got, want = (R.ridge_path(X, b, [1.0, 10.0], rng=seed) for X in (aslinearoperator(A), A))
    assert got.status
    np.testing.assert_allclose(got.x, want.x, rtol=1e-8, atol=1e-10)
    if more < 40:
        np.testing.assert_allclose(got.effective_dimension, want.effective_dimension)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 8))
def test_solutions_shrink_and_residuals_grow(seed, n):
    A, b = problem(seed, m=120, n=n, cond=100)
    path = R.ridge_path(A, b, [0.0, 0.1, 1.0, 10.0], rng=seed)
    sizes = np.linalg.norm(path.x, axis=0)
    slack = 1 + 1e-10
    assert np.all(sizes[1:] <= sizes[:-1] * slack)
    assert np.all(path.residual_norm[1:] * slack >= path.residual_norm[:-1])
    assert np.all(path.effective_dimension[1:] <= path.effective_dimension[:-1] * slack)


def test_array_libraries_agree(backend):
    A, b = problem(8123, cond=100)
    want = R.ridge_path(A, b, RIDGES, rng=2).x
    for ridges in (RIDGES, backend.asarray(np.array(RIDGES))):
        got = R.ridge_path(backend.asarray(A), backend.asarray(b), ridges, rng=2)
        np.testing.assert_allclose(backend.to_numpy(got.x), want, rtol=1e-9, atol=1e-12)


def test_mistakes_are_named():
    A, b = problem(3)
    for bad in ([1.0, -1.0], [np.nan], [np.inf], [1j], np.array([1.0, 2j])):
        with pytest.raises(ValueError, match=r"ridges must be real, not negative, .* most 2e\+308"):
            R.ridge_path(A, b, bad)
    with pytest.raises(ValueError, match=r"ridges must be real, not negative, .* most 3e\+38"):
        R.ridge_path(A.astype("f4"), b, [1e300])
    with pytest.raises(ValueError, match=r"at most 3e\+08"):
        R.ridge_path(A, b, [1e10], weights=np.full(900, 1e-300))
    with pytest.raises(ValueError, match="ridges must hold at least one number, got none"):
        R.ridge_path(A, b, [])
    for tol in (10.0, np.nan, -1, 0):
        with pytest.raises(ValueError, match=f"tol must be between 0 and 1, got {tol}"):
            R.ridge_path(A, b, [1.0], tol=tol)
    with pytest.raises(ValueError, match="use lstsq for each ridge"):
        R.ridge_path(A.T, np.ones(12), [1.0])
    for B in (np.ones((900, 2)), np.ones((900, 2)).tolist(), np.ones((900, 1))):
        with pytest.raises(ValueError, match="b must be one vector, got an array of 2 dimensions"):
            R.ridge_path(A, B, [1.0])
    with pytest.raises(TypeError, match=r"b must be real where A is, got .*; solve for b.real"):
        R.ridge_path(A, b * 1j, [1.0])
    with pytest.raises(
        ValueError, match=r"^x must be within the range .*, up to 2e\+308, and it is"
    ):
        R.ridge_path(A * 1e-60, b * 1e300, [0.0])
    with pytest.raises(ValueError, match="divide it by its largest entry"):
        R.ridge_path(A * 1e200, b, [1.0])
    bad = A.copy()
    bad[77, 2] = np.nan
    for data in (bad, scipy.sparse.csr_array(bad), da.from_array(bad, chunks=(100, 12))):
        with pytest.raises(ValueError, match=r"^A must be finite, got NaN .* at index \(77, 2\)"):
            R.ridge_path(data, b, [1.0])
    with pytest.raises(ValueError, match=r"^A must give finite products, got NaN .* in row 77 of"):
        R.ridge_path(aslinearoperator(bad), b, [1.0])


def test_lists_and_sizes_of_any_kind():
    A, b = problem(41, m=60, n=4, cond=10)
    want = R.ridge_path(A, b, [0.0, 1.0], rng=1)
    got = R.ridge_path(A.tolist(), b.tolist(), [0, 1], rng=1)
    np.testing.assert_allclose(got.x, want.x, rtol=1e-12)
    for size in (1e-200, 1e200):
        got = R.ridge_path(A, b * size, [0.0, 1.0], rng=1)
        np.testing.assert_allclose(got.x / size, want.x, rtol=1e-12)
        np.testing.assert_allclose(got.residual_norm / size, want.residual_norm, rtol=1e-12)
        got = R.ridge_path(A, b, [0.0, size], weights=np.full(60, size), rng=1)
        np.testing.assert_allclose(got.x, want.x, rtol=1e-12)
        np.testing.assert_allclose(got.effective_dimension, want.effective_dimension, rtol=1e-12)


def test_a_callback_can_stop_it():
    A, b = problem(3)
    seen = []
    path = R.ridge_path(A, b, RIDGES, callback=lambda s: seen.append(s) or True, rng=3)
    assert path.status.name == "STOPPED"
    assert len(seen) == 1
    assert seen[0].x.shape == (12, 5)
