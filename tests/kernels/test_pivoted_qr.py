"""Pivoted QR: LAPACK's pivots, an orthonormal basis, and norms that can be relied on."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.linalg
import scipy.stats

import lrla.kernels._cpu.pivoted_qr as twin
from lrla.kernels.pivoted_qr import pivoted_qr

DTYPES = ("float32", "float64", "complex64", "complex128")
dtypes = pytest.mark.parametrize("dtype", DTYPES)
forms = pytest.mark.parametrize(
    "function", [pivoted_qr, pivoted_qr.definition], ids=["twin", "def"]
)


def matrix(m, n, dtype, seed=7007):
    random = np.random.default_rng(seed)
    A = random.standard_normal((m, n))
    if dtype.startswith("complex"):
        A = A + 1j * random.standard_normal((m, n))
    return A.astype(dtype)


def with_spectrum(m, n, s, seed=90210):
    rng = np.random.default_rng(seed)
    U, V = (np.linalg.qr(rng.standard_normal((size, len(s))))[0] for size in (m, n))
    return (U * s) @ V.T


def lapack(A, k):
    return scipy.linalg.qr(A, pivoting=True, mode="r")[1][:k]


def check(A, found, digits=100):
    """Hold a factorization to what it promises, in units of rounding."""
    columns, Q, R, left = found
    u, r = float(np.finfo(A.dtype).eps), len(columns)
    size = np.linalg.norm(A, axis=0)
    assert len(set(columns.tolist())) == r
    assert np.linalg.norm(Q.conj().T @ Q - np.eye(r)) <= digits * u
    T = R[:, columns]
    np.testing.assert_array_equal(T, np.triu(T))
    assert (T.diagonal().real > 0).all()
    np.testing.assert_array_equal(T.diagonal().imag, 0)
    assert (np.linalg.norm(A[:, columns] - Q @ T, axis=0) <= digits * u * size[columns]).all()
    rest = np.linalg.norm(A - Q @ R, axis=0)
    np.testing.assert_allclose(
        left, rest, rtol=10 * u**0.5, atol=0.3 * digits * u * size.max(initial=0)
    )
    np.testing.assert_array_equal(left[columns], 0)


@dtypes
@pytest.mark.parametrize("shape", [(6, 9), (9, 6), (1, 4), (4, 1), (30, 400), (60, 150)])
def test_pivots_of_lapack(backend, dtype, shape):
    A, k = matrix(*shape, dtype), min(*shape, 20)
    found = [backend.to_numpy(x) for x in pivoted_qr(backend.asarray(A), k)]
    np.testing.assert_array_equal(found[0], lapack(A, k))
    assert found[1].dtype == found[2].dtype == A.dtype
    check(A, found)


@forms
@pytest.mark.parametrize("ratio", [0.95, 0.7, 0.4])
def test_norms_do_not_drown_in_cancellation(function, ratio):
    """Norms fall by up to thirteen digits; downdated ones would be wrong after eight."""
    A = with_spectrum(40, 300, ratio ** np.arange(40))
    k = min(38, int(np.log(1e-13) / np.log(ratio)))
    found = function(A, k)
    check(A, found)
    np.testing.assert_array_equal(found[0], lapack(A, k))


def test_without_fresh_norms_it_fails(monkeypatch):
    """A mutant that never computes norms afresh takes other pivots."""
    A = with_spectrum(40, 300, 0.4 ** np.arange(40))
    want = lapack(A, 30)
    np.testing.assert_array_equal(pivoted_qr(A, 30)[0], want)

    def trusting(*given):
        honest(*given)
        return np.inf

    honest = twin._downdate
    monkeypatch.setattr(twin, "_downdate", trusting)
    assert not np.array_equal(pivoted_qr(A, 30)[0], want)


@forms
def test_graded_columns(function):
    """Columns of all sizes: errors are relative to the column that they belong to."""
    A = matrix(30, 200, "float64") * 10.0 ** np.linspace(-150, 150, 200)
    found = function(A, 25)
    check(A, found)
    np.testing.assert_array_equal(found[0], lapack(A, 25))


@forms
@pytest.mark.parametrize("n", [40, 300])
def test_nearly_dependent_columns(function, n):
    A = with_spectrum(40, n, np.logspace(0, -15, 30), 8128)
    columns, Q, R, left = function(A, 30)
    check(A, (columns, Q, R, left))
    assert len(columns) >= 26
    assert np.linalg.norm(A - Q @ R) < 1e-13


@forms
@dtypes
def test_dependent_columns_are_no_pivots(function, dtype):
    A = (matrix(30, 7, dtype) @ matrix(7, 300, dtype)).astype(dtype)
    for given in (A, A[:, :24]):
        columns, Q, R, left = function(given, 20)
        check(given, (columns, Q, R, left))
        assert columns.tolist() == lapack(given, 7).tolist()
        np.testing.assert_array_equal(left, 0)


@forms
def test_tiny_columns_are_pivots_but_not_what_is_left_of_large_ones(function):
    A = np.zeros((6, 5))
    A[0, :2] = 1, 3
    A[1:4, 1] = 1e-17
    A[:3, 2] = 1 / 3, 1e-17, 0
    A[4, 3] = 1e-30
    columns, _, _, left = function(A, 5)
    assert columns.tolist() == [1, 3]
    np.testing.assert_array_equal(left, 0)


@forms
def test_ties_go_to_the_first(function):
    assert function(np.eye(300)[:, 100:], 7)[0].tolist() == list(range(7))
    assert function(np.tile(np.eye(4), 100), 9)[0].tolist() == [0, 1, 2, 3]
    assert function(np.ones((3, 200)), 2)[0].tolist() == [0]
    x = np.linspace(-1, 1, 301)  # a symmetric curve: rounding does not decide on which side
    A = np.linalg.qr(np.stack([x**j for j in range(8)], axis=1))[0].T
    turned = scipy.stats.ortho_group(8, seed=7).rvs() @ A
    points = function(A, 8)[0]
    np.testing.assert_array_equal(function(turned, 8)[0], points)
    np.testing.assert_array_equal(function(np.pi * A[:, ::-1], 8)[0], points)


@forms
@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (3, 4)])
def test_nothing(function, shape):
    columns, Q, R, left = function(np.zeros(shape), 2)
    assert columns.shape == (0,)
    assert Q.shape == (shape[0], 0)
    assert R.shape == (0, shape[1])
    np.testing.assert_array_equal(left, np.zeros(shape[1]))


def test_no_steps():
    A = matrix(5, 7, "float64")
    columns, _, R, left = pivoted_qr(A, 0)
    assert (columns.shape, R.shape) == ((0,), (0, 7))
    np.testing.assert_allclose(left, np.linalg.norm(A, axis=0))


@hypothesis.given(
    m=st.integers(1, 12),
    n=st.integers(1, 200),
    seed=st.integers(0, 2**32 - 1),
    spread=st.sampled_from([0.0, 2.0, 12.0]),
)
def test_any_shape(m, n, seed, spread):
    """Every pivot is the longest of what is left, whatever was looked at."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, n)) * 10.0 ** (spread * rng.uniform(-1, 1, n))
    found = pivoted_qr(A, min(m, n))
    check(A, found)
    rest = A.copy()
    for j, p in enumerate(found[0]):
        norms = np.linalg.norm(rest, axis=0)
        noise = 1e-13 * np.linalg.norm(A, axis=0)
        assert norms[p] >= (np.where(norms > noise, norms, 0) * (1 - 1e-6)).max()
        q = found[1][:, j : j + 1]
        rest = rest - q @ (q.T @ rest)


@forms
def test_columns_that_nearly_repeat_others_are_not_rounding(function):
    """They differ by 1e-9: the digits of their norms cancel, and they have to be computed afresh."""
    rng = np.random.default_rng(90210)
    B = rng.standard_normal((60, 20))
    A = np.hstack([B, B + 1e-9 * rng.standard_normal((60, 20)), 1e-3 * B, 1e-3 * B])
    columns, _, R, left = function(A, 30)
    want = np.abs(scipy.linalg.qr(A, pivoting=True, mode="r")[0].diagonal()[:30])
    np.testing.assert_allclose(np.abs(R[np.arange(30), columns]), want, rtol=1e-5)
    assert 2e-9 < left.max() < want[-1]
