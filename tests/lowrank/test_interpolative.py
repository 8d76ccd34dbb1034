"""Columns, and columns and rows: choices, coefficients, and what is said of the error."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg
from spectra import SPECTRA, kahan, low_rank, matrix

import lrla.lowrank._parts as parts
import lrla.lowrank._selection as selection
from lrla._core.errors import ConvergenceWarning, RankDeficientWarning
from lrla._core.results import Status
from lrla.lowrank import column_subset, cur, interpolative
from lrla.lowrank._basis import preconditioned
from lrla.sketch import SparseSign

METHODS = ("sketch_qrp", "sketch_lupp", "rpqr", "qrp", "srrqr")
methods = pytest.mark.parametrize("method", METHODS)
DTYPES = ("float32", "float64", "complex64", "complex128")


def unit(dtype):
    return float(np.finfo(dtype).eps)


# ---------------------------------------------------------------------------------------- choices


@methods
def test_everywhere_the_same_identities(backend, method):
    A = low_rank(40, 30, 6, 90210) + 1e-3 * np.random.default_rng(1).standard_normal((40, 30))
    given = backend.asarray(A)
    result = interpolative(given, 6, method=method, rng=5)
    J, P = backend.to_numpy(result.columns), backend.to_numpy(result.coefficients)
    assert len(set(J.tolist())) == 6 == result.rank
    np.testing.assert_array_equal(P[:, J], np.eye(6))
    np.testing.assert_array_equal(backend.to_numpy(result.skeleton), A[:, J])
    want = np.linalg.lstsq(A[:, J], A, rcond=None)[0]
    np.testing.assert_allclose(P, want, atol=1e-12)
    assert result.info.largest_coefficient == pytest.approx(np.abs(P).max())
    assert bool(result)
    np.testing.assert_array_equal(backend.to_numpy(given), A)


@methods
@pytest.mark.parametrize("dtype", DTYPES)
def test_exact_when_the_rank_is_enough(method, dtype):
    A = low_rank(60, 45, 9, 8128, dtype)
    result = interpolative(A, 9, method=method, rng=5)
    assert result.coefficients.dtype == A.dtype
    error = np.linalg.norm(A - A[:, result.columns] @ result.coefficients)
    assert error < 100 * unit(dtype) * np.linalg.norm(A)
    assert result.info.relative_error < 100 * unit(dtype)


@methods
def test_more_columns_than_rank(method):
    A = low_rank(60, 45, 9, 8128)
    with pytest.warns(RankDeficientWarning, match=r"only 9 independent columns .* of rank=20"):
        result = interpolative(A, 20, method=method, rng=5)
    assert result.rank == 9
    assert result.coefficients.shape == (9, 45)
    assert result.info.relative_error < 1e-13


@hypothesis.given(
    m=st.integers(1, 30), n=st.integers(1, 30), seed=st.integers(0, 2**32 - 1), data=st.data()
)
@methods
def test_any_shape(method, m, n, seed, data):
    rank = data.draw(st.integers(1, min(m, n)))
    A = np.random.default_rng(seed).standard_normal((m, n))
    result = interpolative(A, rank, method=method, rng=seed)
    J, P = result.columns, result.coefficients
    assert result.rank == rank == len(set(J.tolist()))
    np.testing.assert_array_equal(P[:, J], np.eye(rank))
    error = np.linalg.norm(A - A[:, J] @ P)
    best = np.linalg.norm(np.linalg.svd(A)[1][rank:])
    assert error >= best - 1e-10 * np.linalg.norm(A)
    if rank in (n, m):
        assert error <= 1e-8 * np.linalg.norm(A)


@methods
def test_close_to_the_best_on_all_spectra(method):
    """Columns of a pivoted QR on these spectra leave 1.2 to 2.4 times the least error."""
    ratios = []
    for name in SPECTRA:
        A, s = matrix(200, 160, name, 7)
        result = interpolative(A, 20, method=method, rng=7)
        best = np.linalg.norm(s[20:])
        error = np.linalg.norm(A - result.skeleton @ result.coefficients)
        assert error >= best * (1 - 1e-12)
        ratios.append(error / best)
    assert np.median(ratios) < 2
    assert max(ratios) < 5


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_swaps_give_the_bounds_of_gu_and_eisenstat(dtype):
    n, k = 40, 39
    A = kahan(n)
    if dtype == "complex128":
        A = A * np.exp(1j * np.arange(n))[None, :] * np.exp(2j * np.arange(n))[:, None]
    s = np.linalg.svd(A)[1]
    bound = np.sqrt(1 + 4 * k * (n - k))
    plain, strong = (interpolative(A, k, method=m, rng=7) for m in ("qrp", "srrqr"))
    assert plain.info.largest_coefficient > 10  # what pivoting alone leaves here
    assert strong.info.largest_coefficient <= 2 * (1 + 1e-6)
    left = np.linalg.norm(A - strong.skeleton @ strong.coefficients, 2)
    assert left <= bound * s[k]
    chosen = np.linalg.svd(strong.skeleton)[1]
    assert (chosen >= s[:k] / bound).all()
    assert np.linalg.norm(A - plain.skeleton @ plain.coefficients, 2) > 100 * bound * s[k]


@hypothesis.given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 11))
def test_swaps_bound_every_coefficient(seed, k):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((12, 14)) * 10.0 ** rng.integers(-6, 3, (1, 14))
    result = interpolative(A, k, method="srrqr", rng=seed)
    assert np.abs(result.coefficients).max() <= 2 + 1e-6


def test_pivots_of_lapack():
    A = np.random.default_rng(17).standard_normal((30, 25))
    order = scipy.linalg.qr(A, pivoting=True, mode="r")[1]
    np.testing.assert_array_equal(interpolative(A, 8, method="qrp", rng=1).columns, order[:8])


@pytest.mark.statistical
def test_first_column_of_random_pivoting_follows_the_norms():
    """Chi-squared over 6 columns at level 1e-6; drawing uniformly fails it."""
    A = np.diag(np.sqrt([1.0, 2, 3, 4, 5, 9]))
    want = np.array([1, 2, 3, 4, 5, 9]) / 24
    counts = np.zeros(6)
    for seed in range(1000):
        counts[interpolative(A, 1, method="rpqr", rng=seed).columns[0]] += 1
    statistic = float(((counts - 1000 * want) ** 2 / (1000 * want)).sum())
    assert statistic < 35.9  # 1e-6 quantile of chi-squared with 5 degrees of freedom
    assert ((counts - 1000 / 6) ** 2 / (1000 / 6)).sum() > 35.9


# -------------------------------------------------------------------------------------- tolerances


@methods
@pytest.mark.parametrize("tol", [1e-2, 1e-7])
def test_tolerance(method, tol):
    A, s = matrix(150, 120, "0.8^i", 3)
    result = interpolative(A, tol=tol, method=method, rng=7)
    size = np.linalg.norm(A)
    needed = int(np.sum(np.sqrt(np.cumsum(s[::-1] ** 2))[::-1] > tol * size))
    assert bool(result)
    assert needed <= result.rank <= needed + 12
    error = np.linalg.norm(A - result.skeleton @ result.coefficients)
    assert error < 2 * tol * size  # the estimate is off by a factor of 2 with probability 1e-7
    assert result.info.relative_error <= tol * (1 + 1e-9)


@methods
def test_tolerance_that_rounding_forbids(method):
    A = np.random.default_rng(3).standard_normal((30, 40))
    with pytest.warns(ConvergenceWarning, match=r"relative error is .* above tol=1.0e-30"):
        result = interpolative(A, tol=1e-30, method=method, rng=7)
    assert not result
    assert result.rank == 30


def test_tolerance_beyond_the_first_sketch():
    """The rank has to be found by doubling: 32, 64, 128."""
    A, _ = matrix(300, 260, "0.97^i", 3)
    result = interpolative(A, tol=0.05, rng=7)
    assert 64 < result.rank < 140
    assert result.info.passes >= 4


# ------------------------------------------------------------------------------------------ inputs


def operator(A):
    return scipy.sparse.linalg.aslinearoperator(A)


@pytest.mark.parametrize("method", ["sketch_qrp", "sketch_lupp", "rpqr"])
@pytest.mark.parametrize("form", ["csr_array", "csc_matrix", "coo_array"])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_sparse_data_give_the_columns_of_dense_data(method, form, dtype):
    A = scipy.sparse.random(60, 50, 0.2, rng=5, format="csr").astype(dtype)
    if dtype == "complex128":
        A = A + 1j * scipy.sparse.random(60, 50, 0.1, rng=6, format="csr")
    dense = interpolative(A.toarray(), 12, method=method, rng=7)
    result = interpolative(getattr(scipy.sparse, form)(A), 12, method=method, rng=7)
    np.testing.assert_array_equal(result.columns, dense.columns)
    np.testing.assert_allclose(result.coefficients, dense.coefficients, atol=1e-10)
    assert scipy.sparse.issparse(result.skeleton)
    assert result.info.error_estimate == pytest.approx(dense.info.error_estimate)


@pytest.mark.parametrize("method", ["sketch_qrp", "sketch_lupp"])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_linear_operators_give_the_columns_of_dense_data(method, dtype):
    A, _ = matrix(60, 50, "1/i", 5, dtype)
    dense = interpolative(A, 12, method=method, rng=7)
    result = interpolative(operator(A), 12, method=method, rng=7)
    np.testing.assert_array_equal(result.columns, dense.columns)
    np.testing.assert_allclose(result.coefficients, dense.coefficients, atol=1e-10)


@methods
def test_row_blocks_give_the_columns_of_dense_data(method):
    da = pytest.importorskip("dask.array")
    A, _ = matrix(60, 50, "1/i", 5)
    dense = interpolative(A, 12, method=method, rng=7)
    result = interpolative(da.from_array(A, chunks=(17, 20)), 12, method=method, rng=7)
    np.testing.assert_array_equal(result.columns, dense.columns)
    np.testing.assert_allclose(result.coefficients, dense.coefficients, atol=1e-10)
    assert result.info.error_estimate == pytest.approx(dense.info.error_estimate)


def product(result):
    """Multiply the factors, in double precision."""
    if hasattr(result, "coefficients"):
        return result.skeleton.astype("f8") @ result.coefficients.astype("f8")
    parts = (result.C, result.left, result.core, result.right, result.R)
    C, left, core, right, R = (X.astype("f8") for X in parts)
    return C @ np.linalg.solve(left, core @ np.linalg.solve(right.T, R))


@pytest.mark.parametrize("function", [interpolative, cur])
@methods
def test_columns_that_are_left_out_count_in_the_error(function, method):
    """Some that a choice takes for independent are not so to rounding."""
    rng = np.random.default_rng(90210)
    U, V = (np.linalg.qr(rng.standard_normal((n, 120)))[0] for n in (400, 120))
    A = ((U * 0.3 ** np.arange(120)) @ V.T).astype("f4")
    with pytest.warns(RankDeficientWarning):
        result = function(A, 12, method=method, rng=5)
    with pytest.warns(ConvergenceWarning, match="the relative error is up to"):
        stagnated = function(A, tol=3e-6, method=method, rng=5)
    assert stagnated.status is Status.STAGNATED
    for found in (result, stagnated):
        assert found.rank < 12
        error = np.linalg.norm(A - product(found))
        assert found.info.error_bound >= 0.99 * error
        if method in ("qrp", "srrqr") and function is interpolative:
            assert found.info.error_estimate == pytest.approx(error, rel=0.05)


@methods
@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_scale_does_not_matter(method, scale):
    A, _ = matrix(50, 40, "1/i", 5)
    plain, scaled = (interpolative(c * A, 10, method=method, rng=7) for c in (1.0, scale))
    np.testing.assert_array_equal(scaled.columns, plain.columns)
    np.testing.assert_allclose(scaled.coefficients, plain.coefficients, atol=1e-9)
    assert scaled.info.error_estimate / scale == pytest.approx(plain.info.error_estimate)


@pytest.mark.parametrize("function", [interpolative, column_subset, cur])
@pytest.mark.parametrize(("dtype", "size"), [("f8", 1e-310), ("f4", 1e-40)])
def test_numbers_without_all_digits_are_refused(function, dtype, size):
    """Coefficients were NaN, for the inverse of such a number is infinite."""
    A = (size * np.random.default_rng(5).standard_normal((20, 10))).astype(dtype)
    for given in (A, scipy.sparse.csr_array(A)):
        with pytest.raises(ValueError, match=r"A must have a norm of at least .* multiply it by"):
            function(given, 3, rng=7)
    least = np.finfo(dtype).smallest_normal
    result = interpolative(A / A.dtype.type(size) * (2 * least), 3, rng=7)
    assert np.all(np.isfinite(result.coefficients))


@methods
def test_layout_does_not_matter(method):
    A, _ = matrix(50, 40, "1/i", 5)
    room = np.zeros((100, 80))
    room[::2, ::2] = A
    plain = interpolative(A, 10, method=method, rng=7)
    for other in (np.asfortranarray(A), room[::2, ::2]):
        result = interpolative(other, 10, method=method, rng=7)
        np.testing.assert_array_equal(result.columns, plain.columns)


@methods
def test_zero_matrix(method):
    with pytest.warns(RankDeficientWarning, match="only 0 independent columns"):
        result = interpolative(np.zeros((6, 5)), 2, method=method, rng=7)
    assert result.coefficients.shape == (0, 5)
    assert result.skeleton.shape == (6, 0)
    assert result.info.error_estimate == 0


def test_integers_and_lists():
    result = interpolative([[1, 2], [2, 4], [0, 0]], 1, rng=7)
    assert result.coefficients.dtype == np.float64
    np.testing.assert_allclose(result.skeleton @ result.coefficients, [[1, 2], [2, 4], [0, 0]])


def test_seeds():
    A, _ = matrix(80, 70, "1/i", 5)
    one, two = (interpolative(A, 10, method="rpqr", rng=r) for r in (7, np.random.default_rng(7)))
    again = interpolative(A, 10, method="rpqr", rng=two.info.seed)
    np.testing.assert_array_equal(again.columns, two.columns)
    assert set(one.columns.tolist()) != set(two.columns.tolist())


# ------------------------------------------------------------------------------------------- error


@pytest.mark.statistical
@pytest.mark.parametrize("rank", [1, 30])
def test_error_bound_holds_in_95_of_100(rank):
    """Of 600 seeds 30 are expected to fail at most; 65 has a probability below 1e-8.

    An error of rank one is the worst case, where the bound is sharp: fewer than 5 failures have a
    probability below 1e-8, too.
    """
    A = np.zeros((40, 31))
    A[:, :1] = 1
    A[:, 1 : 1 + rank] += np.random.default_rng(4).standard_normal((40, rank)) / 9
    failures = 0
    for seed in range(600):
        result = column_subset(A, 1, method="qrp", rng=seed)
        C = A[:, result.columns]
        error = np.linalg.norm(A - C @ np.linalg.lstsq(C, A, rcond=None)[0])
        failures += error > result.info.error_bound
    assert failures < 65
    if rank == 1:
        assert failures >= 5


def test_probes_do_not_choose():
    """Where only products are seen, the choice does not bias the mean square of the estimate."""
    A, _ = matrix(60, 50, "1/sqrt(i)", 9)
    squares = []
    for seed in range(60):
        result = interpolative(operator(A), 10, rng=seed)
        error = np.linalg.norm(A - result.skeleton @ result.coefficients)
        squares.append((result.info.error_estimate / error) ** 2)
    spread = np.std(squares) / np.sqrt(len(squares))
    assert abs(np.mean(squares) - 1) < 5 * spread < 0.2


@methods
@pytest.mark.parametrize("dtype", DTYPES)
def test_norms_tell_the_error(backend, method, dtype):
    """Entries are read: what is left is a difference of norms, and certain."""
    A = matrix(60, 50, "1/sqrt(i)", 9, dtype)[0].astype(dtype)
    given = backend.asarray(A)
    for result, passes in (
        (interpolative(given, 10, method=method, rng=7), 2),
        (cur(given, 10, method=method, rng=7), 3),
    ):
        J = backend.to_numpy(result.columns)
        if passes == 2:
            near = A[:, J] @ backend.to_numpy(result.coefficients)
        else:
            near = backend.to_numpy(result.toarray())
        error = np.linalg.norm(A - near)
        assert result.info.error_estimate == pytest.approx(error, rel=1e5 * unit(dtype))
        assert error * (1 - 1e-6) <= result.info.error_bound <= 1.02 * error
        assert result.info.passes == passes


@hypothesis.given(
    m=st.integers(2, 40),
    n=st.integers(2, 40),
    digits=st.floats(0, 9),
    seed=st.integers(0, 2**32 - 1),
    sparse=st.booleans(),
)
def test_what_norms_tell_is_right_to_a_twentieth(m, n, digits, seed, sparse):
    """Or probes are asked, in a third pass."""
    rng = np.random.default_rng(seed)
    k = 1 + int(rng.integers(min(m, n) - 1))
    A = rng.standard_normal((m, k)) @ rng.standard_normal((k, n))
    A += 10.0**-digits * rng.standard_normal((m, n))
    given = scipy.sparse.csr_array(A) if sparse else A
    result = interpolative(given, k, rng=seed)
    error = np.linalg.norm(A - A[:, result.columns] @ result.coefficients)
    by_norms = result.info.error_bound < 1.06 * result.info.error_estimate
    if error > 1e-5 * np.linalg.norm(A):
        assert by_norms
    if by_norms:
        assert result.info.error_estimate == pytest.approx(error, rel=0.055)
        assert error <= result.info.error_bound
    assert sparse or result.info.passes == (2 if by_norms else 3)


@methods
def test_norms_tell_nothing_where_all_but_rounding_cancels(monkeypatch, method):
    """Then probes do, and "qrp" and "srrqr" form what is left; trusting norms would be far off."""
    A = low_rank(80, 60, 9, 8128) + 1e-9 * np.random.default_rng(3).standard_normal((80, 60))

    def ratio():
        result = interpolative(A, 9, method=method, rng=7)
        error = np.linalg.norm(A - result.skeleton @ result.coefficients)
        assert result.info.passes == (2 if trusting or method in ("qrp", "srrqr") else 3)
        return result.info.error_estimate / error

    def difference(size, shape, B):
        error = size * max(0.0, 1 - (np.linalg.norm(B) / size) ** 2) ** 0.5
        return parts.Rest(error, error)

    trusting = False
    assert 0.5 < ratio() < 2
    trusting = True
    for module in (parts, selection):
        monkeypatch.setattr(module, "left_by_norms", difference)
    assert not 0.5 < ratio() < 2 or method == "srrqr"


@methods
def test_entries_that_repeat_are_one(method):
    """Norms are those of the sums, and the argument stays as it is."""
    if method in ("qrp", "srrqr"):
        pytest.skip("for dense data")
    rng = np.random.default_rng(90210)
    rows, columns = rng.integers(0, 40, 900), rng.integers(0, 30, 900)
    order = np.argsort(rows, kind="stable")
    start = np.searchsorted(rows[order], np.arange(41))
    given = scipy.sparse.csr_array(
        (rng.standard_normal(900), columns[order], start), shape=(40, 30)
    )
    before = given.data.copy()
    A = given.toarray()
    result = interpolative(given, 8, method=method, rng=7)
    error = np.linalg.norm(A - result.skeleton @ result.coefficients)
    assert result.info.error_estimate == pytest.approx(error)
    assert result.info.relative_error == pytest.approx(error / np.linalg.norm(A))
    np.testing.assert_array_equal(given.data, before)
    want = interpolative(A, 8, method=method, rng=7)
    np.testing.assert_array_equal(result.columns, want.columns)


# ------------------------------------------------------------------------------------------ subset


@pytest.mark.parametrize("method", [*METHODS, "greedy", "leverage"])
def test_column_subset_measures_its_projection(backend, method):
    A, _ = matrix(50, 40, "1/i", 3)
    result = column_subset(backend.asarray(A), 8, method=method, rng=7)
    C = A[:, backend.to_numpy(result.columns)]
    error = np.linalg.norm(A - C @ np.linalg.lstsq(C, A, rcond=None)[0])
    assert 0.5 < result.info.error_estimate / error < 2
    assert result.info.relative_error == pytest.approx(
        result.info.error_estimate / np.linalg.norm(A)
    )


def greedy(A, k):
    """Try every column, every time."""
    chosen = []
    for _ in range(k):
        errors = [np.inf] * A.shape[1]
        for j in set(range(A.shape[1])) - set(chosen):
            C = A[:, [*chosen, j]]
            errors[j] = np.linalg.norm(A - C @ np.linalg.lstsq(C, A, rcond=None)[0])
        chosen.append(int(np.argmin(errors)))
    return chosen


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("sparse", [False, True])
def test_greedy_is_greedy(dtype, sparse):
    A, _ = matrix(20, 15, "1/i", 31, dtype)
    A = A * (np.abs(A) > 0.01)
    given = scipy.sparse.csr_array(A) if sparse else A
    assert column_subset(given, 6, method="greedy", rng=1).columns.tolist() == greedy(A, 6)


def test_leverage_samples_what_cannot_be_missed():
    """Two columns that nothing else resembles have score one, and are drawn for certain."""
    rng = np.random.default_rng(5)
    A = rng.standard_normal((30, 1)) + 1e-3 * rng.standard_normal((30, 20))
    A[:2, :] = 0
    A[0, 4], A[1, 9] = 1e3, 1e3
    for given in (A, scipy.sparse.csr_array(A)):
        for seed in range(5):
            columns = column_subset(given, 3, method="leverage", rng=seed).columns
            assert {4, 9} <= set(columns.tolist())
            assert len(columns) == 3


def test_leverage_speaks_of_columns_alone():
    """What scores and samples of rows have to say would only confuse (warnings are errors here)."""
    A = np.random.default_rng(5).standard_normal((30, 20))
    nearly = np.outer(A[:, 0], A[0]) + 1e-14 * A
    assert column_subset(nearly, 1, method="leverage", rng=1).info.relative_error < 1e-12
    A[:, ::2] = 0
    with pytest.warns(RankDeficientWarning) as seen:
        result = column_subset(A, 20, method="leverage", rng=1)
    assert [str(w.message) for w in seen] == [
        "A has only 10 independent columns to rounding, of rank=20 asked for; the result has these"
    ]
    assert sorted(result.columns.tolist()) == list(range(1, 20, 2))


@pytest.mark.parametrize("method", ["greedy", "leverage", "sketch_qrp"])
def test_a_zero_matrix_has_no_columns_to_choose(method):
    with pytest.warns(RankDeficientWarning, match="A has only 0 independent columns"):
        result = column_subset(np.zeros((6, 5)), 2, method=method, rng=7)
    assert (result.rank, result.columns.shape, result.info.error_estimate) == (0, (0,), 0)


def test_greedy_stops_at_the_rank():
    with pytest.warns(RankDeficientWarning, match="only 3 independent"):
        result = column_subset(low_rank(20, 15, 3, 6), 5, method="greedy", rng=1)
    assert result.rank == 3


# --------------------------------------------------------------------------------------------- CUR


@methods
def test_cur_is_the_best_for_its_columns_and_rows(backend, method):
    A, _ = matrix(50, 40, "1/i", 3)
    result = cur(backend.asarray(A), 8, method=method, rng=7)
    C, R = (backend.to_numpy(x) for x in (result.C, result.R))
    np.testing.assert_array_equal(C, A[:, backend.to_numpy(result.columns)])
    np.testing.assert_array_equal(R, A[backend.to_numpy(result.rows), :])
    best = np.linalg.pinv(C) @ A @ np.linalg.pinv(R)
    np.testing.assert_allclose(backend.to_numpy(result.U), best, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(backend.to_numpy(result.toarray()), C @ best @ R, atol=1e-12)
    error = np.linalg.norm(A - C @ best @ R)
    assert 0.5 < result.info.error_estimate / error < 2
    X = np.random.default_rng(1).standard_normal((40, 3))
    for x in (X, X[:, 0]):
        got = backend.to_numpy(result.apply(backend.asarray(x)))
        np.testing.assert_allclose(got, C @ best @ R @ x, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_cur_of_low_rank_is_exact(dtype):
    A = low_rank(60, 45, 9, 8128, dtype)
    result = cur(A, 9, rng=5)
    assert result.U.dtype == A.dtype
    assert np.linalg.norm(A - result.toarray()) < 200 * unit(dtype) * np.linalg.norm(A)


def test_cur_where_the_intersection_is_nearly_singular():
    """Columns and rows of a Hilbert matrix are nearly dependent; the answer is as good as it gets."""
    A = scipy.linalg.hilbert(100)
    result = cur(A, 14, rng=5)
    error = np.linalg.norm(A - result.toarray()) / np.linalg.norm(A)
    s = np.linalg.svd(A)[1]
    assert error < 10 * np.linalg.norm(s[14:]) / np.linalg.norm(s) + 1e-15
    W = A[np.ix_(result.rows, result.columns)]
    inverted = result.C @ np.linalg.inv(W) @ result.R
    assert np.linalg.norm(A - inverted) / np.linalg.norm(A) > 2 * error


@pytest.mark.parametrize("form", ["csr_array", "csc_matrix"])
def test_sparse_cur_stays_sparse(form):
    A = scipy.sparse.random(60, 50, 0.2, rng=5, format="csr")
    dense = cur(A.toarray(), 12, rng=7)
    result = cur(getattr(scipy.sparse, form)(A), 12, rng=7)
    assert scipy.sparse.issparse(result.C)
    assert scipy.sparse.issparse(result.R)
    np.testing.assert_array_equal(result.rows, dense.rows)
    np.testing.assert_allclose(result.toarray(), dense.toarray(), atol=1e-10)
    np.testing.assert_allclose(result.apply(np.ones(50)), dense.apply(np.ones(50)), atol=1e-10)


def test_cur_of_operators_and_blocks():
    da = pytest.importorskip("dask.array")
    A, _ = matrix(60, 50, "1/i", 5, "complex128")
    dense = cur(A, 12, rng=7)
    for given in (operator(A), da.from_array(A, chunks=(17, 50))):
        result = cur(given, 12, rng=7)
        np.testing.assert_array_equal(result.rows, dense.rows)
        np.testing.assert_allclose(result.R, A[dense.rows])
        np.testing.assert_allclose(result.toarray(), dense.toarray(), atol=1e-10)


def test_cur_tolerance():
    A, _ = matrix(150, 120, "0.8^i", 3)
    result = cur(A, tol=1e-5, rng=7)
    assert result
    assert np.linalg.norm(A - result.toarray()) < 2e-5 * np.linalg.norm(A)
    assert 50 <= result.rank < 70
    with pytest.warns(ConvergenceWarning, match="above tol"):
        cur(A, tol=1e-30, rng=7)


# ------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize("function", [interpolative, cur])
def test_rank_or_tolerance(function):
    A = np.ones((5, 4))
    with pytest.raises(ValueError, match="give either rank or tol, got neither"):
        function(A)
    with pytest.raises(ValueError, match="give either rank or tol, got both"):
        function(A, 1, tol=0.1)
    for tol in (0.0, 1.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="tol must be between 0 and 1, got"):
            function(A, tol=tol)


@pytest.mark.parametrize("function", [interpolative, cur, column_subset])
def test_bad_arguments(function):
    A = np.ones((5, 4))
    for rank in (0, 5, -1, 1.5):
        with pytest.raises(ValueError, match=r"rank must be an integer between 1 and .* = 4, got"):
            function(A, rank)
    with pytest.raises(ValueError, match=r"method must be one of sketch_qrp, .*, got 'svd'"):
        function(A, 1, method="svd")
    with pytest.raises(ValueError, match=r"A must have rows and columns, got shape \(0, 4\)"):
        function(A[:0], 1)
    with pytest.raises(ValueError, match="A must have 2 dimensions"):
        function(A[0], 1)
    A[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"A must be finite, got NaN .* at index \(3, 2\)"):
        function(A, 1)
    with pytest.raises(ValueError, match=r"^A must be finite, got NaN"):
        function(scipy.sparse.csr_array(A), 1)
    for given in (operator(A),):
        with pytest.raises(ValueError, match="A must be finite, got products with NaN"):
            function(given, 1)


def test_methods_that_need_entries():
    A = np.ones((5, 4))
    for method in ("qrp", "srrqr"):
        with pytest.raises(ValueError, match=f"'{method}' factors A itself, got a sparse matrix"):
            interpolative(scipy.sparse.csr_array(A), 1, method=method)
    with pytest.raises(ValueError, match="'rpqr' needs the norms of the columns of A"):
        interpolative(operator(A), 1, method="rpqr")
    for method in ("greedy", "leverage"):
        with pytest.raises(ValueError, match=f"'{method}' needs the entries of A"):
            column_subset(operator(A), 1, method=method)


def test_apply_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"X must have 4 rows, as A has columns, got shape \(5,\)"):
        cur(np.eye(5, 4), 2, rng=1).apply(np.ones(5))


def test_a_sketch_that_ignored_rows_would_show(monkeypatch):
    """A mutant that sees the first rows alone misses columns that matter; ours does not."""
    A = np.random.default_rng(2).standard_normal((60, 40))
    A[40:, 20:] += 1e3 * np.eye(20)
    assert set(interpolative(A, 20, rng=7).columns.tolist()) == set(range(20, 40))
    first = SparseSign(30, 60, rng=7)
    monkeypatch.setattr(selection, "_sketched", lambda search: (search.op.A[:30], first))
    assert set(interpolative(A, 20, rng=7).columns.tolist()) != set(range(20, 40))


# ------------------------------------------------------------------------- bases of chosen columns


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("condition", [1.0, 1e3, 1e12])
def test_bases_by_cholesky_are_as_good_as_householders(backend, dtype, condition):
    """The factor of a sketch makes up for any condition of the columns."""
    A, k = matrix(300, 20, "1/sqrt(i)", 90210, dtype)[0], 20
    A = (A * np.logspace(0, -np.log10(condition), k)).astype(dtype)
    sketched = np.linalg.qr((np.sign(np.sin(np.arange(40 * 300.0) ** 2)).reshape(40, 300) / 6) @ A)
    R = backend.asarray(sketched.R.astype(dtype))
    Q, T = (backend.to_numpy(x) for x in preconditioned(backend.asarray(A), R))
    np.testing.assert_allclose(Q.conj().T @ Q, np.eye(k), atol=10 * k * unit(dtype))
    size = np.linalg.norm(A, axis=0)
    assert (np.linalg.norm(A - Q @ T, axis=0) <= 10 * k * unit(dtype) * size).all()
    np.testing.assert_array_equal(T, np.triu(T))


def test_bases_by_cholesky_know_when_they_fail():
    """A factor that is none of these columns leaves a condition that Cholesky cannot take."""
    A = np.random.default_rng(6).standard_normal((300, 20)) * np.logspace(0, -9, 20)
    A = A @ np.linalg.qr(np.random.default_rng(7).standard_normal((20, 20)))[0]
    assert preconditioned(A, np.eye(20)) is None
    good = preconditioned(A, np.linalg.qr(A).R)
    assert good is not None
    np.testing.assert_allclose(good[0] @ good[1], A, atol=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
def test_columns_whose_sketch_tells_nothing(monkeypatch, dtype):
    """Householder's reflections take over, and the answer is the same."""
    A = matrix(60, 50, "1/i", 5, dtype)[0]
    want = interpolative(A, 12, rng=7)
    monkeypatch.setattr(parts, "preconditioned", lambda C, R: None)
    result = interpolative(A, 12, rng=7)
    np.testing.assert_array_equal(result.columns, want.columns)
    np.testing.assert_allclose(result.coefficients, want.coefficients, atol=1e3 * unit(dtype))


@pytest.mark.parametrize("method", ["rpqr", "qrp"])
def test_a_basis_of_the_choice_is_taken_if_it_is_orthonormal(monkeypatch, method):
    """One that is not, by ten digits, is made again; the answer is the same."""
    A = matrix(60, 50, "1/i", 5)[0]
    want = interpolative(A, 12, method=method, rng=7)
    honest, made = selection.METHODS[method], []

    def spoilt(search):
        choice = honest(search)
        Q, B = choice.basis
        np.testing.assert_allclose(B, Q.T @ A, atol=1e-14)
        return choice._replace(basis=(Q + 1e-6, B))

    def project(*given):
        made.append(1)
        return factor(*given)

    factor = parts.linalg.qr
    monkeypatch.setitem(selection.METHODS, method, spoilt)
    monkeypatch.setattr(parts.linalg, "qr", project)
    result = interpolative(A, 12, method=method, rng=7)
    assert made
    np.testing.assert_array_equal(result.columns, want.columns)
    np.testing.assert_allclose(result.coefficients, want.coefficients, atol=1e-11)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_lost_to_rounding(method):
    """Rank 60 with singular values down to 1e-10 is found to the last digits."""
    rng = np.random.default_rng(5)
    U, V = (np.linalg.qr(rng.standard_normal((400, 60)))[0] for _ in range(2))
    A = (U * np.logspace(0, -10, 60)) @ V.T
    result = interpolative(A, 60, method=method, rng=5)
    assert result.rank == 60
    error = np.linalg.norm(A - result.skeleton @ result.coefficients)
    assert error < (3e-15 if method.startswith("sketch") else 1e-14) * np.linalg.norm(A)
    np.testing.assert_array_equal(result.coefficients[:, result.columns], np.eye(60))


@pytest.mark.statistical
@pytest.mark.parametrize("function", [interpolative, cur])
def test_tolerances_are_kept_where_only_products_are_seen(function):
    """Each of 40 seeds may fail with probability 0.05, ten or more with one below 1e-4."""
    s = np.append(np.ones(5), np.full(35, 0.1))
    rng = np.random.default_rng(90210)
    U, V = (np.linalg.qr(rng.standard_normal((size, 40)))[0] for size in (60, 40))
    A = (U * s) @ V.T
    op, missed = scipy.sparse.linalg.aslinearoperator(A), 0
    for seed in range(40):
        result = function(op, tol=0.15, rng=seed)
        found = result.toarray() if function is cur else A[:, result.columns] @ result.coefficients
        error = np.linalg.norm(A - found)
        missed += error > 0.15 * np.linalg.norm(A)
        assert 0.4 < result.info.relative_error / (error / np.linalg.norm(A)) < 2
    assert missed < 10
