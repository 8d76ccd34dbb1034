"""Whitening: orthonormal columns at any condition number, rank, scale and kind of data."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import aslinearoperator

import lrla
from lrla import RankDeficientWarning, sketch


def graded(m, n, condition, seed=90210, dtype=float):
    rng = np.random.default_rng(seed)
    U = np.linalg.qr(rng.standard_normal((m, n)))[0]
    V = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return ((U * np.geomspace(1, 1 / condition, n)) @ V.T).astype(dtype)


def error(A, T, weights=None, ridge=0.0):
    Q = A @ T
    G = Q.conj().T @ (Q if weights is None else weights[:, None] * Q) + ridge * T.conj().T @ T
    return np.linalg.norm(G - np.eye(T.shape[1]), 2)


@pytest.mark.parametrize("method", ["auto", "qr", "cholesky_qr", "gram"])
@pytest.mark.parametrize("condition", [1.0, 1e3, 1e6])
def test_columns_become_orthonormal(method, condition):
    A = graded(2000, 12, condition)
    found = sketch.whiten(A, method=method, rng=5)
    power = 2 if found.info.method == "gram" else 1
    assert found.rank == 12
    assert found.condition < 30 * condition
    assert error(A, found.T) < 100 * 1.2e-16 * condition**power


@pytest.mark.parametrize("method", ["auto", "qr", "cholesky_qr", "gram", "sketch"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (6, 6), (9, 8), (35, 3), (4, 7)])
def test_rows_no_more_than_those_of_a_sketch_are_not_sketched(shape, method):
    """A square sketch is singular for half of the seeds: all 30 would hide that once in 1e9 times."""
    A = np.random.default_rng(1).standard_normal(shape)
    rank, expected = min(shape), [] if shape[1] <= shape[0] else [RankDeficientWarning]
    for seed in range(30):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = sketch.whiten(A, method=method, rng=seed)
        assert [w.category for w in told] == expected
        assert (found.rank, found.info.d) == (rank, 0)
        assert error(A, found.T) < 1e-10


def test_the_sketch_decides_between_the_gram_matrix_and_cholesky_qr():
    assert sketch.whiten(graded(2000, 12, 1e2), rng=5).info.method == "gram"
    assert sketch.whiten(graded(2000, 12, 1e5), rng=5).info.method == "cholesky_qr"
    assert sketch.whiten(graded(40, 12, 1e2), rng=5).info.method == "qr"


def test_leverage_is_as_accurate_as_that_of_householder_qr():
    # the claim that matters for row sampling: not Q itself but its row norms
    A = graded(4000, 20, 1e12)
    exact = np.sum(graded(4000, 20, 1.0) ** 2, axis=1)  # the same range, orthonormal columns
    ours = np.sum((A @ sketch.whiten(A, rng=5).T) ** 2, axis=1)
    theirs = np.sum(np.linalg.qr(A)[0] ** 2, axis=1)
    wrong = np.max(abs(ours / exact - 1))
    assert wrong < 10 * np.max(abs(theirs / exact - 1))
    with pytest.raises(np.linalg.LinAlgError):  # what plain Cholesky makes of this
        np.linalg.cholesky(A.T @ A)


def test_the_sketch_alone_is_within_its_distortion():
    A = graded(5000, 20, 1e8)
    found = sketch.whiten(A, method="sketch", rng=5)
    s = np.linalg.svd(A @ found.T, compute_uv=False)
    low, high = sketch.distortion(sketch.SparseSign(80, 5000, rng=5), A)
    np.testing.assert_allclose([s[-1], s[0]], [1 / high, 1 / low], rtol=1e-6)
    assert found.info.passes == 1


@pytest.mark.parametrize("form", [sp.csr_array, sp.csc_array])
@pytest.mark.parametrize("method", ["auto", "cholesky_qr", "gram", "qr"])
def test_sparse_is_dense(form, method):
    rng = np.random.default_rng(90210)
    A = sp.random_array((900, 8), density=0.3, rng=rng)
    w = rng.uniform(0, 2, 900)
    w[:100] = 0
    found = sketch.whiten(form(A), weights=w, ridge=0.5, method=method, rng=5)
    assert error(A.toarray(), found.T, w, 0.5) < 1e-12


def test_dask_is_dense():
    da = pytest.importorskip("dask.array")
    A = graded(1200, 6, 1e5)
    w = np.linspace(0, 1, 1200)
    for method in ("cholesky_qr", "gram", "qr", "sketch"):
        ours = sketch.whiten(da.from_array(A, chunks=(500, 3)), weights=w, method=method, rng=5)
        theirs = sketch.whiten(A, weights=w, method=method, rng=5)
        np.testing.assert_allclose(A @ ours.T, A @ theirs.T, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (9, 8), (20, 20), (40, 8)])
def test_all_rows_of_operators_that_are_nearly_square_are_taken(shape):
    """A square sparse sign matrix is singular more often than not."""
    for seed in range(20):
        A = np.random.default_rng(seed).standard_normal(shape)
        found = sketch.whiten(aslinearoperator(A), rng=seed)
        assert (found.rank, found.info.d) == (shape[1], 0)
        np.testing.assert_allclose((A @ found.T).T @ A @ found.T, np.eye(shape[1]), atol=1e-9)


def test_a_linear_operator_is_sketched():
    A = graded(1200, 6, 1e3)
    found = sketch.whiten(aslinearoperator(A), rng=5)
    assert found.info.method == "sketch"
    np.testing.assert_allclose(found.T, sketch.whiten(A, method="sketch", rng=5).T, rtol=1e-9)
    with pytest.raises(ValueError, match="needs the entries of A; use 'sketch'"):
        sketch.whiten(aslinearoperator(A), method="qr")


@pytest.mark.parametrize("method", ["auto", "cholesky_qr", "gram", "qr"])
def test_rank_deficiency_is_found_and_said(method):
    A = graded(900, 5, 10.0)
    A = np.hstack([A, A[:, :2] @ np.ones((2, 2)), np.zeros((900, 1))])
    with pytest.warns(lrla.RankDeficientWarning, match="rank 5, less than its 8 columns"):
        found = sketch.whiten(A, method=method, rng=5)
    assert found.T.shape == (8, 5)
    assert error(A, found.T) < 1e-12


def test_degenerate_shapes():
    with pytest.warns(lrla.RankDeficientWarning, match="rank 0"):
        assert sketch.whiten(np.zeros((50, 3))).T.shape == (3, 0)
    with pytest.warns(lrla.RankDeficientWarning, match="rank 2"):
        wide = sketch.whiten(graded(5, 2, 3.0).T)
    assert error(graded(5, 2, 3.0).T, wide.T) < 1e-13
    assert abs(float(sketch.whiten([[-4.0]]).T[0, 0])) == pytest.approx(0.25)


def test_what_cannot_be_inverted_is_refused():
    A = np.random.default_rng(3).standard_normal((200, 5))
    A[:, 2] *= 1e-310
    with pytest.raises(ValueError, match=r"as small as 1.*e-309 in a column, .* scale A up"):
        sketch.whiten(A, rng=5)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
@pytest.mark.parametrize("method", ["auto", "cholesky_qr", "qr"])
def test_scales(scale, method):
    A = graded(900, 5, 10.0)
    found = sketch.whiten(scale * A, method=method, rng=5)
    assert error(scale * A, found.T) < 1e-12


@pytest.mark.parametrize("dtype", ["f4", "c8", "c16"])
def test_dtypes(dtype):
    rng = np.random.default_rng(90210)
    A = graded(900, 6, 100.0) + (1j * rng.standard_normal((900, 6)) if dtype[0] == "c" else 0)
    A = A.astype(dtype)
    found = sketch.whiten(A, rng=5)
    assert found.T.dtype == A.dtype
    assert error(A, found.T) < 2e3 * np.finfo(dtype).eps


def test_every_library(backend):
    A = graded(700, 5, 1e4)
    w = np.linspace(0.1, 1, 700)
    found = sketch.whiten(backend.asarray(A), weights=backend.asarray(w), ridge=1e-3, rng=5)
    assert error(A, backend.to_numpy(found.T), w, 1e-3) < 1e-9


def test_same_seed_same_answer_and_input_unchanged():
    A = graded(900, 5, 1e4)
    before = A.copy()
    with lrla.threads(1):
        one = sketch.whiten(A, rng=5)
    assert np.array_equal(one.T, sketch.whiten(A, rng=5).T)
    assert np.array_equal(A, before)
    assert one.info.seed == 5
    assert not np.array_equal(one.T, sketch.whiten(A, rng=6).T)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "lu"}, "method must be one of auto, qr"),
        ({"ridge": -1.0}, "ridge must be finite and not negative, got -1.0"),
        ({"rcond": 2.0}, "rcond must be between 0 and 1, got 2.0"),
        ({"weights": np.ones(3)}, r"weights must be one for each of 40 rows, got shape \(3,\)"),
        ({"weights": -np.ones(40)}, "weights must be real and not negative"),
        ({"weights": np.full(40, np.inf)}, "weights must be finite"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        sketch.whiten(np.ones((40, 2)), **arguments)


def test_bad_data():
    A = graded(300, 3, 2.0)
    A[17, 1] = np.nan
    with pytest.raises(ValueError, match=r"A must be finite.*\(17, 1\)"):
        sketch.whiten(A)
    with pytest.raises(ValueError, match="A must be finite"):
        sketch.whiten(sp.csr_array(A))
    with pytest.raises(ValueError, match="at least one row and one column"):
        sketch.whiten(np.empty((0, 3)))


def test_apply_takes_weights():
    rng = np.random.default_rng(90210)
    A, w = rng.standard_normal((300, 4)), rng.uniform(0, 3, 300)
    S = sketch.SparseSign(40, 300, rng=5)
    expected = S @ (np.sqrt(w)[:, None] * A)
    for data in (A, sp.csr_array(A), sp.csc_array(A), aslinearoperator(A)):
        np.testing.assert_allclose(S.apply(data, weights=w), expected, atol=1e-12)
    part = S.apply(A[:100], rows=slice(0, 100), weights=w[:100])
    rest = S.apply(A[100:], rows=slice(100, 300), weights=w[100:])
    np.testing.assert_allclose(part + rest, expected, atol=1e-12)
    with pytest.raises(ValueError, match="weights must be 300 real numbers, none negative"):
        S.apply(A, weights=-w)
    with pytest.raises(ValueError, match="weights must be 300 real numbers"):
        S.apply(A, weights=w[:5])
