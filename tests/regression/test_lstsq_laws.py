"""What must not change an answer of `lstsq`, or must change it in a known way: L4-L6, L8, L9."""

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import augmented, backward_error, haar, problem
from scipy.sparse.linalg import aslinearoperator

import lrla

METHODS = ("auto", "gram", "spir", "fossils", "cqrrt", "direct")
WIDE = ("auto", "spir", "direct")
SEED = 90210


def close(got, want, tolerance=1e-8):
    # scaled first: squares of entries near 1e200 overflow
    scale = np.max(np.abs(want), initial=0.0) or 1.0
    np.testing.assert_allclose(got / scale, want / scale, rtol=0, atol=tolerance)


def solve(A, b, method, **options):
    return lrla.lstsq(A, b, method=method, rng=SEED, **options)


# -- L4 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("power", [-310, -300, -150, -7, 150, 290])
def test_L4_scaling_the_matrix_divides_the_solution(method, power):
    A, b, _ = problem(SEED, 300, 12, 1e3, 1e-2)
    A = A * 1e8  # so that numbers near 1e-310 keep some digits
    want = solve(A, b, method).x
    scaled = A * 2.0**-30 * 10.0 ** (power + 2) if power < -300 else A * 10.0**power
    factor = scaled[0, 0] / A[0, 0]
    right = b * 10.0**-20 if power < -200 else b
    digits = 1e-2 if power < -300 else 1e-8
    close(solve(scaled, right, method).x * factor, want * (right[0] / b[0]), digits)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("power", [-310, -200, 200, 300])
def test_L4_scaling_the_right_hand_side_scales_the_solution(method, power):
    A, b, _ = problem(SEED, 300, 12, 1e3, 1e-2)
    want = solve(A, b, method)
    got = solve(A, b * 10.0**power, method)
    close(got.x, want.x * 10.0**power, 1e-3 if power < -308 else 1e-8)
    close(got.residual_norm, want.residual_norm * 10.0**power, 1e-3 if power < -308 else 1e-8)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("spread", [3, 140, 300])
def test_L4_scaling_the_columns(method, spread):
    A, b, _ = problem(SEED, 300, 12, 1e3, 1e-2)
    powers = np.random.default_rng(SEED).integers(-spread, spread, 12)
    got = solve(A * 10.0**powers, b, method)
    close(got.x * 10.0**powers, solve(A, b, method).x)
    assert got.info.backward_error <= 1e-15


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=8)
def test_L4_permuting_the_rows(method, seed):
    A, b, _ = problem(seed, 500, 10, 1e4, 1e-2)
    order = np.random.default_rng(seed).permutation(500)
    close(solve(A[order], b[order], method).x, solve(A, b, method).x)


@pytest.mark.parametrize("method", METHODS)
def test_right_hand_sides_of_very_different_sizes(method):
    """Each is as accurate as alone."""
    A, B, _ = problem(SEED, 500, 20, 1e3, 1e-2, p=4)
    sizes = np.array([1e200, 1.0, 1e-200, 0.0])
    result = solve(A, B * sizes, method)
    assert result
    for j in range(3):
        close(result.x[:, j] / sizes[j], solve(A, B[:, j], method).x)
    assert not np.any(result.x[:, 3])


@pytest.mark.parametrize("method", METHODS)
def test_units_that_undo_each_other_do_not_overflow(method):
    """Between the units of A and those of b the coefficients are 2**1040."""
    A, b = np.zeros((100, 2)), np.zeros(100)
    A[:2], b[1] = [[1, 1], [0, 2.0**-40]], 1
    got = solve(A * 2.0**-1000, b * 2.0**-1000, method)
    close(got.x, np.array([-(2.0**40), 2.0**40]), 1e-3)  # the condition number is 1e12


@pytest.mark.parametrize("method", METHODS)
def test_norms_of_complex_residuals_of_any_size(method):
    A, B, _ = problem(SEED, 300, 12, 1e3, 1e-2, p=2)
    b = B[:, 0] + 1j * B[:, 1]
    want = solve(A, b, method)
    for size in (1e-250, 1e250):
        got = solve(A, b * size, method)
        np.testing.assert_allclose(got.residual_norm / size, want.residual_norm, rtol=1e-9)


# -- L5 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_L5_integer_weights_repeat_rows(method):
    A, b, _ = problem(SEED, 400, 10, 1e3, 1e-1)
    w = np.random.default_rng(SEED).integers(0, 4, 400)
    got = solve(A, b, method, weights=w)
    want = solve(np.repeat(A, w, axis=0), np.repeat(b, w), method)
    close(got.x, want.x)
    close(got.residual_norm, want.residual_norm)


@pytest.mark.parametrize("method", METHODS)
@given(
    seed=st.integers(0, 2**32 - 1),
    spread=st.integers(0, 10),
    size=st.sampled_from((1e-300, 1e-30, 1.0, 1e30, 1e300)),
    dtype=st.sampled_from(("f8", "c16")),
)
@settings(max_examples=20)
def test_L5_weights_of_any_size_are_scaled_rows(method, seed, spread, size, dtype):
    A, b, _ = problem(seed, 300, 8, 10.0, 1.0, dtype)
    w = 10.0 ** np.random.default_rng(seed).uniform(-spread, 0, 300)
    w[::7] = 0
    result = solve(A, b, method, weights=w * size)
    rows, right = augmented(A, b, weights=w)
    assert backward_error(rows, right, result.x, rank=result.rank) <= 1.2e-15
    norm = np.linalg.norm(right - rows @ result.x)
    close(result.residual_norm / size**0.5, norm)


@pytest.mark.parametrize("method", METHODS)
@given(
    seed=st.integers(0, 2**32 - 1),
    ridge=st.sampled_from((1e-12, 1e-3, 1.0, 1e6)),
    vector=st.booleans(),
    weighted=st.booleans(),
    dtype=st.sampled_from(("f8", "c16")),
)
@settings(max_examples=20)
def test_L5_ridge_is_extra_rows(method, seed, ridge, vector, weighted, dtype):
    rng = np.random.default_rng(seed)
    A, b, _ = problem(seed, 300, 8, 1e3, 1e-1, dtype)
    w = rng.uniform(0, 2, 300) if weighted else None
    mu = ridge * rng.uniform(0, 1, 8) if vector else ridge
    result = solve(A, b, method, ridge=mu, weights=w)
    rows, right = augmented(A, b, w, mu)
    close(result.x, np.linalg.lstsq(rows, right, rcond=None)[0])
    plain, side = augmented(A, b, w)
    close(result.residual_norm, np.linalg.norm(side - plain @ result.x))


@pytest.mark.parametrize("method", METHODS)
def test_ridge_in_the_units_of_extreme_columns(method):
    """A column of 1e-300 under a ridge of 1 is shrunk to nothing; others do not notice."""
    A, b, _ = problem(SEED, 300, 5, 10.0, 1e-1)
    sizes = np.array([1e-300, 1, 1, 1, 1e300])
    got = solve(A * sizes, b, method, ridge=1.0).x
    rows, right = augmented(A[:, 1:], b, ridge=np.array([1.0, 1.0, 1.0, 1e-300]))
    close(got[1:4], np.linalg.lstsq(rows, right, rcond=None)[0][:3])
    assert abs(got[0]) < 1e-290


# -- L6 ------------------------------------------------------------------------------------------


def deficient(rng, m=600, n=20, dtype="f8"):
    """Make a matrix with a repeated, an empty and two dependent columns."""
    A = rng.standard_normal((m, n)).astype(dtype)
    if dtype[0] == "c":
        A += 1j * rng.standard_normal((m, n))
    A[:, 5] = A[:, 3]
    A[:, 7] = 0
    A[:, 9] = A[:, 1] + A[:, 2]
    return A


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["f8", "c16"])
@pytest.mark.parametrize("form", ["dense", "csr", "csc", "weighted", "several"])
def test_L6_solution_of_least_norm(method, dtype, form):
    rng = np.random.default_rng(SEED)
    A, b = deficient(rng, dtype=dtype), rng.standard_normal(600)
    options = {"weights": rng.uniform(0, 1, 600)} if form == "weighted" else {}
    if form == "several":
        b = rng.standard_normal((600, 3))
    given = A if form in ("dense", "weighted", "several") else sp.csr_array(A).asformat(form)
    result = solve(given, b, method, **options)
    rows, right = augmented(A, b, **options)
    close(result.x, np.linalg.pinv(rows, rcond=1e-10) @ right)
    assert result.rank == 17
    assert result.info.backward_error <= 1e-15


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [1e-250, 1e-6, 1e6, 1e250])
def test_L6_least_norm_is_that_of_the_solution_as_given(method, size):
    """Equilibration and protection from overflow do not change which solution is the smallest."""
    rng = np.random.default_rng(SEED)
    A, b = rng.standard_normal((600, 10)), rng.standard_normal(600)
    A[:, 5] = 8 * A[:, 3]
    got = solve(A * size, b, method).x * size
    close(got, np.linalg.pinv(A, rcond=1e-10) @ b)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "form", ["dense", "csr", "weighted", "ridge", "several", "single", "operator"]
)
def test_L6_rcond_is_heeded(method, form):
    rng = np.random.default_rng(SEED)
    A, b = rng.standard_normal((3000, 12)), rng.standard_normal(3000)
    A[:, 1] = A[:, 0] + 1e-5 * A[:, 1]
    options, given, tolerance = {}, A, 1e-8
    if form == "csr":
        given = sp.csr_array(A)
    if form == "weighted":
        options["weights"] = rng.uniform(0.5, 1, 3000)
    if form == "ridge":
        options["ridge"] = 1e-8
    if form == "several":
        b = rng.standard_normal((3000, 3))
    if form == "single":
        A = given = A.astype("f4")
        tolerance = 1e-3
    if form == "operator":
        if method in ("gram", "cqrrt"):
            return
        given = aslinearoperator(A)
    rows, right = augmented(A.astype("f8"), b, **options)
    size = np.linalg.norm(rows, axis=0)
    result = solve(given, b, method, rcond=1e-3, **options)
    assert result
    assert result.rank == 11
    keep = np.linalg.pinv(rows / size, rcond=1e-3) @ right  # then of least norm, as A is given
    null = np.linalg.svd(rows / size)[2][-1:].T / size[:, None]
    want = keep / (size if keep.ndim == 1 else size[:, None])
    want = want - null @ np.linalg.lstsq(null, want, rcond=None)[0]
    close(result.x, want, tolerance)
    assert solve(given, b, method, rcond=1e-8, **options).rank == 12


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["dense", "operator"])
def test_L6_rcond_is_sharp(method, kind):
    """A sketch would show singular values beside rcond on either side of it."""
    if kind == "operator" and method in ("gram", "cqrrt"):
        return
    for seed in range(10):
        rng = np.random.default_rng(seed)
        s = np.r_[np.ones(14), 0.021, 0.0201, 0.0199, 0.019]
        A = haar(rng, 900, 18) * s @ haar(rng, 18, 18)
        A = np.linalg.qr(A)[0] @ (np.linalg.qr(A)[1] * rng.uniform(0.5, 2, 18))
        size = np.linalg.norm(A, axis=0)
        sigma = np.linalg.svd(A / size, compute_uv=False)
        middle = (sigma[15] * sigma[16]) ** 0.5 / sigma[0]
        b = rng.standard_normal(900)
        data = aslinearoperator(A) if kind == "operator" else A
        result = lrla.lstsq(data, b, method=method, rcond=middle, rng=seed)
        assert result
        assert result.rank == 16
        null = np.linalg.svd(A / size)[2][16:].T / size[:, None]
        want = np.linalg.pinv(A / size, rcond=middle) @ b / size
        close(result.x, want - null @ np.linalg.lstsq(null, want, rcond=None)[0], 1e-8)


@pytest.mark.parametrize("method", WIDE)
def test_L6_rcond_is_heeded_with_more_columns_than_rows(method):
    rng = np.random.default_rng(SEED)
    A, b = rng.standard_normal((12, 400)), rng.standard_normal(12)
    A[1] = A[0] + 1e-5 * A[1]
    result = solve(A, b, method, rcond=1e-3)
    assert result.rank == 11
    close(result.x, np.linalg.pinv(A, rcond=1e-3) @ b, 1e-4)
    assert solve(A, b, method).rank == 12


def test_gram_keeps_directions_apart_more_sharply_than_a_sketch():
    """Where the Gram matrix is accurate, rcond costs no second method and no accuracy."""
    rng = np.random.default_rng(SEED)
    A, b = rng.standard_normal((20_000, 30)), rng.standard_normal(20_000)
    A[:, 1] = A[:, 0] + 1e-5 * A[:, 1]
    A /= np.linalg.norm(A, axis=0)
    result = solve(A, b, "auto", rcond=1e-3)
    assert (result.info.method, result.rank) == ("gram", 29)
    close(result.x, np.linalg.pinv(A, rcond=1e-3) @ b, 1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("m", [12, 300])
def test_L6_low_rank(method, m):
    rng = np.random.default_rng(SEED)
    A, b = rng.standard_normal((m, 3)) @ rng.standard_normal((3, 12)), rng.standard_normal(m)
    result = solve(A, b, method)
    assert result.rank == 3
    close(result.x, np.linalg.pinv(A, rcond=1e-10) @ b)


@pytest.mark.parametrize("method", METHODS)
def test_collinear_dummies(method):
    rng = np.random.default_rng(SEED)
    groups = [np.eye(5)[rng.integers(0, 5, 2000)] for _ in range(3)]
    A, b = np.concatenate([np.ones((2000, 1)), *groups], axis=1), rng.standard_normal(2000)
    result = solve(A.astype(int), b, method)
    assert result.rank == 13
    close(result.x, np.linalg.pinv(A, rcond=1e-10) @ b)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (400, 3), (3000, 20)])
def test_zero_data(method, shape):
    b = np.random.default_rng(SEED).standard_normal(shape[0])
    result = solve(np.zeros(shape), b, method)
    assert result
    assert result.rank == 0
    assert not np.any(result.x)
    close(result.residual_norm, np.linalg.norm(b))
    A = np.random.default_rng(SEED).standard_normal(shape)
    result = solve(A, np.zeros(shape[0]), method)
    assert result
    assert not np.any(result.x)
    assert result.residual_norm == result.info.backward_error == 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(1, 1), (7, 7), (300, 1), (8, 7)])
def test_small_shapes(method, shape):
    rng = np.random.default_rng(SEED)
    A, B = rng.standard_normal(shape), rng.standard_normal((shape[0], 2))
    want = np.linalg.lstsq(A, B, rcond=None)[0]
    close(solve(A, B, method).x, want)
    close(solve(A, B[:, 0], method).x, want[:, 0])


# -- more columns than rows ----------------------------------------------------------------------


@pytest.mark.parametrize("method", WIDE)
@given(
    m=st.integers(1, 30),
    more=st.integers(1, 300),
    form=st.sampled_from(("real", "complex", "mixed", "csr", "several")),
    weighted=st.booleans(),
    ridge=st.sampled_from((0.0, 0.1, 1e3)),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=25)
def test_underdetermined(method, m, more, form, weighted, ridge, seed):
    rng = np.random.default_rng(seed)
    A, b = rng.standard_normal((m, m + more)), rng.standard_normal(m)
    if form == "several":
        b = rng.standard_normal((m, 3))
    if form == "complex":
        A = A + 1j * rng.standard_normal(A.shape)
    if form in ("complex", "mixed"):
        b = b + 1j * rng.standard_normal(m)
    w = rng.uniform(0.1, 1, m) if weighted else None
    given = sp.csr_array(A) if form == "csr" else A
    result = solve(given, b, method, weights=w, ridge=ridge)
    rows, right = augmented(A, b, w, ridge)
    close(result.x, np.linalg.pinv(rows, rcond=1e-12) @ right, 1e-7)
    plain, side = augmented(A, b, w)
    left = np.linalg.norm(side - plain @ result.x, axis=0)
    np.testing.assert_allclose(result.residual_norm, left, rtol=1e-6, atol=1e-11)
    assert result


@pytest.mark.parametrize("method", WIDE)
@pytest.mark.parametrize("case", ["low rank", "inconsistent", "zero row", "equal columns", "wide"])
def test_underdetermined_and_deficient(method, case):
    rng = np.random.default_rng(SEED)
    A, b = rng.standard_normal((20, 300)), rng.standard_normal(20)
    if case in ("low rank", "inconsistent"):
        A = rng.standard_normal((20, 4)) @ rng.standard_normal((4, 300))
    if case == "low rank":
        b = A @ rng.standard_normal(300)
    if case == "zero row":
        A[3] = 0
    if case == "equal columns":
        A = np.concatenate([A[:, :30], A[:, :30]], axis=1)
    if case == "wide":
        A = rng.standard_normal((20, 4000))
    result = solve(A, b, method)
    close(result.x, np.linalg.pinv(A, rcond=1e-10) @ b)
    assert result.rank == {"low rank": 4, "inconsistent": 4, "zero row": 19}.get(case, 20)


@pytest.mark.parametrize("method", WIDE)
@pytest.mark.parametrize("size", [1e-250, 1e-160, 1e160, 1e250])
def test_underdetermined_of_any_size(method, size):
    rng = np.random.default_rng(SEED)
    A, b = rng.standard_normal((20, 100)), rng.standard_normal(20)
    want = np.linalg.pinv(A) @ b
    close(solve(A * size, b, method).x * size, want)
    close(solve(A, b * size, method).x / size, want)
    # rows of sizes so different that the small ones are null beside the large
    result = solve(A * np.where(np.arange(20) < 9, size, 1)[:, None], b, method)
    assert np.all(np.isfinite(result.x))


@pytest.mark.parametrize("method", WIDE)
@given(
    m=st.integers(2, 25),
    more=st.sampled_from((1, 3, 200)),
    digits=st.floats(6, 14),
    steps=st.booleans(),
    kind=st.sampled_from(("real", "complex", "operator")),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=50)
def test_underdetermined_is_solved_backward_stably(method, m, more, digits, steps, kind, seed):
    """At any condition; corrections of the small directions once brought in errors of their own."""
    rng = np.random.default_rng(seed)
    n, dtype = m + more, "c16" if kind == "complex" else "f8"
    s = np.logspace(0, -digits, m)
    s = np.where(s > 10 ** (-digits / 2), 1, s[-1]) if steps else s
    A = (haar(rng, m, m, dtype) * s) @ haar(rng, n, m, dtype).conj().T
    b = rng.standard_normal(m)
    data = aslinearoperator(A) if kind == "operator" else A
    result = lrla.lstsq(data, b, method=method, rng=seed)
    assert result
    assert result.rank == m
    size = np.linalg.norm(A) * np.linalg.norm(result.x)
    assert np.linalg.norm(b - A @ result.x) <= 5e-16 * size
    want = np.linalg.lstsq(A, b, rcond=1e-15)[0]
    close(result.x, want, 1e-14 * 10**digits)


def test_underdetermined_with_a_huge_ridge():
    """The answer is A^T b / ridge, which an SVD of the augmented matrix gets wrong."""
    rng = np.random.default_rng(SEED)
    A, b = rng.standard_normal((20, 100)), rng.standard_normal(20)
    for method in WIDE:
        close(solve(A, b, method, ridge=1e20).x * 1e20, A.T @ b, 1e-14)


@pytest.mark.parametrize("method", WIDE)
def test_underdetermined_with_a_ridge_for_each_column(method):
    rng = np.random.default_rng(SEED)
    A, b = rng.standard_normal((20, 60)), rng.standard_normal(20)
    for mu in (np.linspace(0.1, 1, 60), np.r_[0, np.linspace(0.1, 1, 59)]):
        rows, right = augmented(A, b, ridge=mu)
        close(solve(A, b, method, ridge=mu).x, np.linalg.pinv(rows) @ right)


# -- L8, L9 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_L8_several_right_hand_sides_are_solved_one_by_one(method, dtype):
    A, B, _ = problem(SEED, 500, 20, 1e4, 1e-2, dtype, p=5)
    result = solve(A, B, method)
    assert result.residual_norm.shape == (5,)
    for j in range(5):
        one = solve(A, B[:, j], method)
        close(result.x[:, j], one.x)
        close(result.residual_norm[j], one.residual_norm)
    assert solve(A, B[:, :0], method).x.shape == (20, 0)
    assert solve(A, B[:, :1], method).x.shape == (20, 1)


@pytest.mark.parametrize("method", METHODS)
def test_L8_real_data_and_complex_right_hand_sides(method):
    A, B, _ = problem(SEED, 500, 20, 1e4, 1e-2, p=2)
    b = B[:, 0] + 1j * B[:, 1]
    result = solve(A, b, method)
    want = solve(A, B, method)
    close(result.x, want.x[:, 0] + 1j * want.x[:, 1])
    close(result.residual_norm, np.linalg.norm(b - A @ result.x))


def sparse_data(dtype="f8"):
    """Draw entries with empty rows, an empty column and stored zeros."""
    rng = np.random.default_rng(SEED)
    A = sp.random_array((1500, 25), density=0.1, rng=rng, format="lil").astype(dtype)
    if dtype[0] == "c":
        A = A * (1 + 2j)
    A = A.tolil()
    A[200:230] = 0
    A[:, 7] = 0
    A = A.tocsr()
    A.data[::9] = 0
    return A, rng.standard_normal(1500).astype(dtype)


FORMATS = ("csr_array", "csc_array", "coo_array", "csr_matrix", "csc_matrix", "coo_matrix")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c16"])
def test_L9_sparse_is_dense(method, name, dtype):
    A, b = sparse_data(dtype)
    got = solve(getattr(sp, name)(A), b, method)
    close(got.x, solve(A.toarray(), b, method).x, 1e-4 if dtype == "f4" else 1e-8)
    assert got.x.dtype == dtype
    assert got.rank == 24
    w = np.random.default_rng(SEED).uniform(0, 2, 1500)
    options = {"weights": w, "ridge": 0.1}
    got = solve(getattr(sp, name)(A), np.stack([b, 2 * b], axis=1), method, **options).x
    want = solve(A.toarray(), b, method, **options).x
    close(got, np.stack([want, 2 * want], axis=1), 1e-4 if dtype == "f4" else 1e-8)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("index", ["i4", "i8"])
def test_L9_unsorted_and_repeated_entries(method, index):
    rng = np.random.default_rng(SEED)
    indices = rng.integers(0, 25, 6000).astype(index)
    indptr = np.arange(0, 6001, 4).astype(index)
    A = sp.csr_array((rng.standard_normal(6000), indices, indptr), shape=(1500, 25))
    before = A.indices.copy(), A.data.copy()
    b = rng.standard_normal(1500)
    close(solve(A, b, method).x, solve(A.toarray(), b, method).x)
    close(solve(A.tocsc(), b, method).x, solve(A.toarray(), b, method).x)
    np.testing.assert_array_equal(A.indices, before[0])
    np.testing.assert_array_equal(A.data, before[1])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("spread", [140, 300])
def test_L9_sparse_columns_of_any_size(method, spread):
    A, b = sparse_data()
    powers = 10.0 ** np.random.default_rng(SEED).integers(-spread, spread, 25)
    got = solve(sp.csr_array(A * powers), b, method).x
    close(got * powers, solve(A, b, method).x)


@pytest.mark.parametrize("method", ["auto", "spir", "fossils", "direct"])
@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_L9_operator_is_dense(method, dtype):
    A, b, _ = problem(SEED, 500, 20, 1e4, 1e-2, dtype)
    close(solve(aslinearoperator(A), b, method).x, solve(A, b, method).x)
    options = {"weights": np.linspace(0, 1, 500), "ridge": 1e-3}
    close(solve(aslinearoperator(A), b, method, **options).x, solve(A, b, method, **options).x)


@pytest.mark.parametrize("method", ["auto", "spir", "fossils", "direct"])
@given(
    n=st.integers(1, 20),
    shape=st.sampled_from(("square", "one more", "twice", "fifty more", "wide", "very wide")),
    form=st.sampled_from(("real", "complex", "single", "weighted", "ridge", "ridges", "several")),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60)
def test_L9_operators_of_any_shape(method, n, shape, form, seed):
    """Nearly square ones have no rows to spare for a sketch."""
    m = {"square": n, "one more": n + 1, "twice": 2 * n, "fifty more": n + 50}.get(shape, n)
    n = {"wide": n + 3, "very wide": 7 * n + 3}.get(shape, n)
    if m < n and method == "fossils":
        return
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, n)) + 3 * np.eye(m, n)
    b = rng.standard_normal((m, 3) if form == "several" else m)
    options = {}
    if form == "complex":
        A = A + 1j * rng.standard_normal((m, n))
    if form == "single":
        A = A.astype("f4")
    if form == "weighted":
        options["weights"] = rng.uniform(0.5, 2, m)
    if form in ("ridge", "ridges"):
        options["ridge"] = 0.1 if form == "ridge" else rng.uniform(0, 0.1, n)
    result = lrla.lstsq(aslinearoperator(A), b, method=method, rng=seed, **options)
    assert result
    rows, right = augmented(A.astype("c16" if form == "complex" else "f8"), b, **options)
    s = np.linalg.svd(rows / np.linalg.norm(rows, axis=0), compute_uv=False)
    assert result.rank == (n if form == "ridges" else min(m, n))
    digits = (1e-6 if form == "single" else 1e-14) * (s[0] / s[min(rows.shape) - 1]) ** 2
    close(result.x, np.linalg.pinv(rows, rcond=1e-12) @ right, 100 * digits)


@pytest.mark.parametrize("method", METHODS)
@given(
    n=st.integers(2, 16),
    rows=st.sampled_from(("square", "wide", "one more", "twice", "few more", "four times", "many")),
    kind=st.sampled_from(("dense", "csr", "dask", "operator")),
    dropped=st.integers(0, 3),
    weighted=st.booleans(),
    complex_=st.booleans(),
    p=st.sampled_from((None, 1, 3)),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60)
def test_rcond_for_data_of_any_kind_and_shape(
    method, n, rows, kind, dropped, weighted, complex_, p, seed
):
    """Singular values of 1e-9 count or do not, as they are told to."""
    m = {"square": n, "wide": n - 1, "one more": n + 1, "twice": 2 * n, "few more": n + 33}.get(
        rows
    )
    m = m or {"four times": 4 * n, "many": 40 * n}[rows]
    if (m < n and method not in WIDE) or (kind == "operator" and method in ("gram", "cqrrt")):
        return
    rng = np.random.default_rng(seed)
    k = min(m, n)
    s = np.where(np.arange(k) < max(k - dropped, 1), 1.0, 1e-9)
    A = haar(rng, m, k) * s @ haar(rng, n, k).T
    A = A * (1 + 1j if complex_ else 1)
    b = rng.standard_normal((m,) if p is None else (m, p))
    w = rng.uniform(0.5, 1, m) if weighted else None
    given = {
        "dense": lambda: A,
        "csr": lambda: sp.csr_array(A),
        "dask": lambda: da.from_array(A, chunks=(max(m // 3, 1), n)),
        "operator": lambda: aslinearoperator(A),
    }[kind]()
    cut = lrla.lstsq(given, b, method=method, weights=w, rcond=1e-5, rng=seed)
    full = lrla.lstsq(given, b, method=method, weights=w, rng=seed)
    assert cut
    assert full
    assert cut.rank == np.sum(s == 1)
    assert full.rank == k
    plain, right = augmented(A, b, w)
    close(cut.x, np.linalg.pinv(plain, rcond=1e-5) @ right, 1e-6)


@pytest.mark.parametrize("method", ["spir", "fossils", "cqrrt"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_sketches_of_few_columns_keep_data_with_few_entries(method, n):
    """Columns of a sketch of 4 n rows cancel on two entries once in sixteen draws for n = 1."""
    A = np.zeros((400, n))
    A[: 2 * n] = np.tile(np.eye(n), (2, 1))
    for seed in range(60):
        result = lrla.lstsq(A, np.ones(400), method=method, rng=seed)
        assert result.rank == n
        np.testing.assert_allclose(result.x, 1)


@pytest.mark.parametrize("method", METHODS)
def test_L9_memory_maps_are_arrays(method, tmp_path):
    A, b, _ = problem(SEED, 500, 20, 1e4, 1e-2)
    np.save(tmp_path / "A.npy", A)
    mapped = np.load(tmp_path / "A.npy", mmap_mode="r")
    result = solve(mapped, b, method)
    assert type(result.x) is np.ndarray
    np.testing.assert_array_equal(result.x, solve(A, b, method).x)
