"""Cross leverage: entries of the hat matrix."""

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import aslinearoperator

from lrla.sampling import cross_leverage

SEED = 90210
ROWS = [41, 3, 299, 3]


def data(complex_=False):
    rng = np.random.default_rng(SEED)
    A = rng.standard_t(3, (300, 6))
    return A + 1j * A[::-1] if complex_ else A


def hat(A, w=None):
    Q = np.linalg.qr(A if w is None else np.sqrt(w)[:, None] * A)[0]
    return Q @ Q.conj().T


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["dense", "sparse", "operator", "dask"])
def test_rows_of_the_hat_matrix(kind, weighted, complex_):
    A = data(complex_)
    w = np.random.default_rng(7).uniform(0, 2, 300) if weighted else None
    form = {"sparse": sp.csr_array, "operator": aslinearoperator}.get(kind, np.asarray)
    given = da.from_array(A, chunks=(70, 6)) if kind == "dask" else form(A)
    H = hat(A, w)
    result = cross_leverage(given, ROWS, weights=w, rng=SEED)
    np.testing.assert_allclose(result.values, H[ROWS], atol=1e-12)
    np.testing.assert_array_equal(result.columns, np.tile(np.arange(300), (4, 1)))
    few = cross_leverage(given, ROWS, top=7, weights=w, rng=SEED)
    order = np.argsort(-abs(H[ROWS]), axis=1)[:, :7]
    np.testing.assert_array_equal(few.columns, order)
    np.testing.assert_allclose(few.values, np.take_along_axis(H[ROWS], order, 1), atol=1e-12)


def test_every_library(backend):
    A = data()
    few = cross_leverage(backend.asarray(A), backend.asarray(ROWS), top=5, rng=SEED)
    want = cross_leverage(A, ROWS, top=5, rng=SEED)
    np.testing.assert_allclose(backend.to_numpy(few.values), want.values, atol=1e-13)
    np.testing.assert_array_equal(backend.to_numpy(few.columns), want.columns)


@pytest.mark.parametrize("kind", ["dense", "sparse", "operator", "dask"])
def test_all_entries_by_size(kind):
    """``top=m`` asks for an order as any other number does; leaving it out asks for none."""
    A = np.array([[1.0], [3], [2]])
    form = {"sparse": sp.csr_array, "operator": aslinearoperator}.get(kind, np.asarray)
    given = da.from_array(A, chunks=(2, 1)) if kind == "dask" else form(A)
    result = cross_leverage(given, [0], top=3, rng=SEED)
    np.testing.assert_array_equal(result.columns, [[1, 2, 0]])
    np.testing.assert_allclose(result.values, [[3 / 14, 2 / 14, 1 / 14]])
    np.testing.assert_array_equal(cross_leverage(given, [0], rng=SEED).columns, [[0, 1, 2]])


def test_ridge_and_many_blocks(monkeypatch):
    from lrla.sampling import _cross

    monkeypatch.setattr(_cross, "_ENTRIES", 600)
    A = np.random.default_rng(SEED).standard_normal((2000, 4))
    want = A[ROWS] @ np.linalg.inv(A.T @ A + 3 * np.eye(4)) @ A.T
    order = np.argsort(-abs(want), axis=1)[:, :20]
    result = cross_leverage(A, ROWS, top=20, ridge=3.0, rng=SEED)
    np.testing.assert_array_equal(result.columns, order)
    np.testing.assert_allclose(result.values, np.take_along_axis(want, order, 1), rtol=1e-9)
    assert result.info.method in ("gram", "cholesky_qr")


def test_a_sketch_is_near():
    A = np.random.default_rng(SEED).standard_normal((5000, 10))
    exact = cross_leverage(A, [5], rng=SEED).values
    rough = cross_leverage(A, [5], method="sketch", rng=SEED)
    assert rough.info.sketch is not None
    assert np.linalg.norm(rough.values - exact) < 0.5 * np.linalg.norm(exact)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([], {}, "rows must be a sequence of one or more integers"),
        ([0.5], {}, "rows must be a sequence of one or more integers"),
        (3, {}, "rows must be a sequence of one or more integers"),
        ([-1], {}, "rows must be from 0 to 4, got -1 to -1"),
        ([0, 5], {}, "rows must be from 0 to 4, got 0 to 5"),
        ([0], {"top": 6}, "top must be an integer from 1 to 5, got 6"),
        ([0], {"method": "magic"}, "method must be one of auto"),
    ],
)
def test_errors(rows, options, message):
    with pytest.raises(ValueError, match=message):
        cross_leverage(np.eye(5, 3), rows, **options)
