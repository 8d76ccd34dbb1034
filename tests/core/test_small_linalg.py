"""The small dense algebra, on LAPACK and on the bare array standard."""

import numpy as np
import pytest
import scipy.linalg

from lrla._core import linalg

UNITS = {"float32": 1e-6, "float64": 1e-14, "complex64": 1e-6, "complex128": 1e-14}
dtypes = pytest.mark.parametrize("dtype", UNITS)


def matrix(m, n, dtype, seed=7007):
    random = np.random.default_rng(seed)
    A = random.standard_normal((m, n))
    if dtype.startswith("complex"):
        A = A + 1j * random.standard_normal((m, n))
    return A.astype(dtype)


@dtypes
def test_norms_neither_overflow_nor_underflow(backend, dtype):
    huge = {"float32": 1e37, "complex64": 1e37}.get(dtype, 1e300)
    A = matrix(50, 4, dtype)
    want, columns = np.linalg.norm(A), np.linalg.norm(A, axis=0)
    for scale in (1.0, huge, 1 / huge):
        x = backend.asarray((A * np.asarray(scale, A.real.dtype)).astype(dtype))
        got = linalg.norm(x)
        assert type(got) is float
        np.testing.assert_allclose(got / scale, want, rtol=1e-5 if "4" in dtype[-2:] or
                                   dtype == "float32" else 1e-12)  # fmt: skip
        by_column = backend.to_numpy(linalg.norm(x, axis=0)).astype(float) / scale
        np.testing.assert_allclose(by_column, columns, rtol=1e-5)


def test_norms_of_columns_of_different_scale(backend):
    """A column is not lost because another one is 10**400 times as long."""
    x = np.array([[3e200, 3e-200, 3.0, 0.0], [4e200, 4e-200, 4.0, 0.0]])
    got = backend.to_numpy(linalg.norm(backend.asarray(x), axis=0))
    np.testing.assert_allclose(got, [5e200, 5e-200, 5.0, 0.0], rtol=1e-14)
    rows = backend.to_numpy(linalg.norm(backend.asarray(x.T.copy()), axis=1))
    np.testing.assert_allclose(rows, [5e200, 5e-200, 5.0, 0.0], rtol=1e-14)


def test_norms_of_nothing_and_of_what_is_not_finite(backend):
    assert linalg.norm(backend.asarray(np.zeros((3, 0)))) == 0.0
    assert linalg.norm(backend.asarray(np.zeros((3, 0))), axis=0).shape == (0,)
    assert linalg.norm(backend.asarray(np.zeros((3, 0))), axis=1).shape == (3,)
    assert linalg.norm(backend.asarray(np.zeros((2, 2)))) == 0.0
    assert linalg.norm(backend.asarray(np.array([1e200, np.inf]))) == np.inf
    assert np.isnan(linalg.norm(backend.asarray(np.array([1.0, np.nan, np.inf]))))
    columns = linalg.norm(backend.asarray(np.array([[np.inf, np.nan, 3.0], [1, 2, 4]])), axis=0)
    np.testing.assert_array_equal(backend.to_numpy(columns), [np.inf, np.nan, 5.0])


@dtypes
@pytest.mark.parametrize("shape", [(20, 6), (6, 6), (4, 9), (5, 1)])
def test_triangular_factor(backend, dtype, shape):
    A = matrix(*shape, dtype)
    given = backend.asarray(A)
    R = backend.to_numpy(linalg.qr_r(given))
    assert R.shape == (min(shape), shape[1])
    assert R.dtype == A.dtype
    np.testing.assert_array_equal(R, np.triu(R))
    scale = np.linalg.norm(A) ** 2
    np.testing.assert_allclose(R.conj().T @ R, A.conj().T @ A, atol=50 * UNITS[dtype] * scale)
    np.testing.assert_array_equal(backend.to_numpy(given), A)


@dtypes
def test_cholesky(backend, dtype):
    A = matrix(20, 6, dtype)
    G = (A.conj().T @ A).astype(dtype)
    R = backend.to_numpy(linalg.cholesky(backend.asarray(G)))
    np.testing.assert_array_equal(R, np.triu(R))
    np.testing.assert_allclose(R.conj().T @ R, G, atol=50 * UNITS[dtype] * np.linalg.norm(G))
    assert linalg.cholesky(backend.asarray(-G)) is None
    indefinite = G.copy()
    indefinite[5, 5] = -1
    assert linalg.cholesky(backend.asarray(indefinite)) is None
    assert linalg.cholesky(backend.asarray(np.zeros((3, 3), dtype))) is None
    given = backend.asarray(G)
    linalg.cholesky(given)
    np.testing.assert_array_equal(backend.to_numpy(given), G)


def test_cholesky_of_what_is_not_a_number():
    assert linalg.cholesky(np.full((3, 3), np.nan)) is None
    late = np.eye(400)
    late[350, 350] = np.nan  # beyond the first block of the factorization
    assert linalg.cholesky(late) is None


@dtypes
@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (3, 0), (1, 1)])
def test_singular_values(backend, dtype, shape):
    if 0 in shape and backend.xp.__name__.endswith("torch"):
        pytest.skip("torch has its own idea of empty decompositions")
    A = matrix(*shape, dtype)
    U, s, Vh = (backend.to_numpy(x) for x in linalg.svd(backend.asarray(A)))
    k = min(shape)
    assert (U.shape, s.shape, Vh.shape) == ((shape[0], k), (k,), (k, shape[1]))
    np.testing.assert_allclose((U * s) @ Vh, A, atol=50 * UNITS[dtype])
    assert np.all(np.diff(s) <= 0)


@dtypes
@pytest.mark.parametrize("shape", [(6, 9), (9, 6), (1, 4), (4, 1)])
def test_pivots_of_lu(backend, dtype, shape):
    A = matrix(*shape, dtype)
    got = linalg.pivoted_lu(backend.asarray(A), 4)
    permutation = scipy.linalg.lu(A.T, p_indices=True)[0]
    want = np.argsort(permutation)[: min(4, *shape)]
    np.testing.assert_array_equal(backend.to_numpy(got), want)


def test_pivots_of_zeros(backend):
    assert linalg.pivoted_lu(backend.asarray(np.zeros((3, 4))), 2).shape == (2,)


@dtypes
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("lower", [False, True])
def test_triangular_systems(backend, dtype, order, lower):
    R, Y = np.triu(matrix(5, 5, dtype)) + 5 * np.eye(5, dtype=dtype), matrix(5, 8, dtype, 5)
    R, Y = np.array(R.T if lower else R, order=order), np.array(Y, order=order)
    given = backend.asarray(R), backend.asarray(Y)
    X = backend.to_numpy(linalg.solve_triangular(*given, lower=lower))
    np.testing.assert_allclose(R @ X, Y, atol=100 * UNITS[dtype])
    over = backend.asarray(np.array(Y.T, order=order))
    X = backend.to_numpy(linalg.divide_triangular(over, given[0], lower=lower))
    np.testing.assert_allclose(X @ R, Y.T, atol=100 * UNITS[dtype])
    assert X.dtype == R.dtype
    x = backend.to_numpy(linalg.solve_triangular(given[0], given[1][:, 0], lower=lower))
    np.testing.assert_allclose(R @ x, Y[:, 0], atol=100 * UNITS[dtype])
    np.testing.assert_array_equal(backend.to_numpy(given[1]), Y)
    np.testing.assert_array_equal(backend.to_numpy(over), Y.T)


@dtypes
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("ratio", [0.9, 0.1])
def test_upper_triangles_of_any_condition(backend, dtype, order, transposed, ratio):
    """By the inverse or not, what is left over is rounding in every row and column."""
    R = np.triu(matrix(7, 7, dtype)) / 7 + np.eye(7, dtype=dtype)
    R = np.array((ratio ** np.arange(7))[:, None] * R, dtype, order=order)
    Y = np.array(matrix(9, 7, dtype, 5) * np.logspace(0, -6, 9)[:, None] @ R, dtype, order=order)
    given = backend.asarray(Y), backend.asarray(R)
    X = backend.to_numpy(linalg.divide_upper(*given, transposed=transposed))
    A = R.T if transposed else R
    assert X.dtype == R.dtype
    assert (np.abs(X @ A - Y) <= 20 * UNITS[dtype] * (np.abs(X) @ np.abs(A))).all()
    np.testing.assert_array_equal(backend.to_numpy(given[0]), Y)
    np.testing.assert_array_equal(backend.to_numpy(given[1]), R)


def test_upper_triangles_are_inverted_only_if_well_conditioned(monkeypatch):
    """The residual of an inverse grows with the condition, that of substitution does not."""
    R = np.triu(matrix(9, 9, "float64"))
    R[np.diag_indices(9)] = np.logspace(0, -3, 9)
    Y = matrix(5, 9, "float64") @ R
    want = linalg.divide_triangular(Y, R)
    np.testing.assert_array_equal(linalg.divide_upper(Y, R), want)
    monkeypatch.setattr(linalg, "TAME", np.inf)
    inverted = linalg.divide_upper(Y, R)
    residual, rounding = np.abs(inverted @ R - Y), np.abs(inverted) @ np.abs(R)
    assert (residual > 1e4 * np.finfo("float64").eps * rounding).any()
    with pytest.raises(np.linalg.LinAlgError, match="singular"):
        linalg.divide_upper(Y[:, :3], np.diag([1.0, 0.0, 2.0]))
    assert linalg.divide_upper(np.zeros((0, 3)), np.eye(3)).shape == (0, 3)
    assert linalg.divide_upper(np.zeros((4, 0)), np.zeros((0, 0))).shape == (4, 0)


@pytest.mark.parametrize("lower", [False, True])
def test_the_other_triangle_is_not_read(lower):
    R = np.tril(matrix(4, 4, "float64")) + 4 * np.eye(4)
    R = R if lower else R.T
    spoilt = R + (
        np.triu(np.full((4, 4), np.nan), 1) if lower else np.tril(np.full((4, 4), np.nan), -1)
    )
    Y = matrix(4, 6, "float64")
    for given in (Y, np.asfortranarray(Y)):
        np.testing.assert_allclose(R @ linalg.solve_triangular(spoilt, given, lower=lower), Y)
        np.testing.assert_allclose(linalg.divide_triangular(given.T, spoilt, lower=lower) @ R, Y.T)


def test_singular_triangles():
    R = np.diag([1.0, 0.0, 2.0])
    for Y in (np.ones((3, 2)), np.ones(3)):
        with pytest.raises(np.linalg.LinAlgError, match="singular"):
            linalg.solve_triangular(R, Y)
    with pytest.raises(np.linalg.LinAlgError, match="singular: its diagonal has a zero"):
        linalg.divide_triangular(np.ones((2, 3)), R)
    assert linalg.divide_triangular(np.zeros((0, 3)), R).shape == (0, 3)
    assert linalg.solve_triangular(np.zeros((0, 0)), np.zeros((0, 4))).shape == (0, 4)
