"""Leverage scores: against QR, on every kind of data, and the laws that they obey."""

import itertools
import math

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.sparse.linalg import aslinearoperator

import lrla
from lrla import AccuracyWarning, RankDeficientWarning, Status
from lrla.sampling import effective_dimension, leverage_scores, ridge_leverage_scores
from lrla.sampling._coordinates import tail

SEED = 90210
seeds = st.integers(0, 2**32 - 1)


def reference(A):
    """Squared row norms of an orthonormal basis, by SVD."""
    U, s, _ = np.linalg.svd(A, full_matrices=False)
    U = U[:, s > 1e-12 * s[0]]
    return np.sum(abs(U) ** 2, axis=1)


def graded(m, n, digits, seed=SEED):
    """Return A of condition 10**digits whose columns are alike in length, and its Q."""
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_t(2, (m, n)))[0]
    V = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return (Q * np.logspace(0, -digits, n)) @ V.T


def sparse(m, n, per_row=3, seed=SEED):
    rng = np.random.default_rng(seed)
    A = sp.csr_array(
        (
            rng.standard_normal(m * per_row),
            rng.integers(0, n, m * per_row),
            np.arange(m + 1) * per_row,
        ),
        shape=(m, n),
    )
    A.sum_duplicates()
    return A


# ------------------------------------------------------------------------------------ exact scores


@pytest.mark.parametrize("method", ["auto", "qr", "cholesky_qr", "gram"])
def test_exact_on_every_library(backend, method):
    A = np.random.default_rng(SEED).standard_normal((300, 5))
    result = leverage_scores(backend.asarray(A), method=method, rng=SEED)
    np.testing.assert_allclose(backend.to_numpy(result.scores), reference(A), rtol=1e-12)
    assert result.rank == 5
    assert result.status is Status.CONVERGED
    assert result.info.sum == pytest.approx(5)
    assert result.info.coherence == pytest.approx(reference(A).max() * 60)


@pytest.mark.parametrize("digits", [3, 6, 9, 12])
def test_as_accurate_as_householder_at_any_condition(digits):
    A = graded(3000, 20, digits)
    Q = np.linalg.qr(A)[0]
    result = leverage_scores(A, rng=SEED)
    assert 0.3 < result.info.condition / 10**digits < 3
    error = np.max(abs(result.scores / np.sum(Q**2, axis=1) - 1))
    assert error < 100 * 10.0**digits * 1.1e-16
    assert 0.003 < error / result.info.error_estimate < 300


def test_the_gram_matrix_loses_digits_and_says_so():
    A = graded(3000, 20, 6)
    exact = reference(A)
    gram = leverage_scores(A, method="gram", rng=SEED)
    good = leverage_scores(A, method="cholesky_qr", rng=SEED)
    errors = [np.max(abs(r.scores / exact - 1)) for r in (gram, good)]
    assert errors[0] > 100 * errors[1]
    assert gram.info.error_estimate > 1e4 * good.info.error_estimate


def test_a_sum_that_is_not_the_rank_is_reported(monkeypatch):
    from lrla.sampling import _coordinates

    whiten = _coordinates.whiten

    def wrong(*args, **kwargs):
        found = whiten(*args, **kwargs)
        found.T[:, 0] *= 1.01
        return found

    monkeypatch.setattr(_coordinates, "whiten", wrong)
    A = np.random.default_rng(SEED).standard_normal((300, 5))
    with pytest.warns(AccuracyWarning, match="add up to the rank, 5, but these to 5.02"):
        leverage_scores(A, rng=SEED)


@pytest.mark.parametrize("form", [sp.csr_array, sp.csc_array, sp.coo_array, sp.csr_matrix])
def test_sparse_data_by_the_quadratic_form(form):
    A = sparse(800, 20)
    result = leverage_scores(form(A), rng=SEED)
    assert result.info.method == "sparse"
    assert result.info.condition >= np.linalg.cond(A.toarray() / sp.linalg.norm(A, axis=0))
    np.testing.assert_allclose(result.scores, reference(A.toarray()), rtol=1e-11)
    np.testing.assert_allclose(result.at(A.toarray()[:9]), result.scores[:9], rtol=1e-11)


def test_sparse_data_with_repeated_entries_and_stored_zeros():
    data = np.array([1.0, 2.0, 0.0, 3.0, -1.0, 4.0, 2.0])
    indices = np.array([0, 0, 1, 1, 0, 1, 1])
    A = sp.csr_array((data, indices, np.array([0, 3, 4, 4, 7])), shape=(4, 2))
    scores = leverage_scores(A, rng=SEED).scores
    np.testing.assert_allclose(scores, reference(A.toarray()), rtol=1e-12)
    assert scores[2] == 0


def test_ill_conditioned_sparse_data_take_another_way():
    A = sparse(800, 20)
    near = A[:, [0]] + 1e-7 * sparse(800, 1, 1, seed=7)
    B = sp.hstack((A, near)).tocsr()
    result = leverage_scores(B, rng=SEED, method="sparse")
    assert result.info.method == "cholesky_qr"
    assert "inaccurate" in result.info.reason
    np.testing.assert_allclose(result.scores, reference(B.toarray()), rtol=1e-7)


def test_long_sparse_rows_take_dense_products():
    A = sparse(800, 20, per_row=18)
    result = leverage_scores(A, rng=SEED)
    assert result.info.method in ("gram", "cholesky_qr")
    np.testing.assert_allclose(result.scores, reference(A.toarray()), rtol=1e-10)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("kind", ["dense", "sparse", "operator", "dask"])
def test_every_kind_and_dtype(kind, dtype):
    A = sparse(700, 12).toarray()
    if np.dtype(dtype).kind == "c":
        A = A * np.exp(1j * np.arange(700))[:, None] + 0.1j * A[::-1]
    A = A.astype(dtype)
    given = {
        "dense": lambda: A,
        "sparse": lambda: sp.csr_array(A),
        "operator": lambda: aslinearoperator(A),
        "dask": lambda: da.from_array(A, chunks=(150, 12)),
    }[kind]()
    result = leverage_scores(given, rng=SEED)
    assert result.scores.dtype == np.finfo(dtype).dtype
    accuracy = 1e-4 if np.finfo(dtype).bits == 32 else 1e-11
    np.testing.assert_allclose(result.scores, reference(A), rtol=accuracy)


def test_memory_order_and_strides_do_not_matter():
    A = np.random.default_rng(SEED).standard_normal((600, 8))
    room = np.zeros((1200, 16))
    room[::2, ::2] = A
    want = leverage_scores(A, rng=SEED).scores
    for B in (np.asfortranarray(A), room[::2, ::2]):
        np.testing.assert_allclose(leverage_scores(B, rng=SEED).scores, want, rtol=1e-12)


def test_integers_and_lists():
    A = [[1, 0], [0, 2], [3, 3]]
    np.testing.assert_allclose(leverage_scores(A, rng=SEED).scores, reference(np.array(A, float)))


# ------------------------------------------------------------------------------- degenerate shapes


def test_rank_deficient_data():
    A = np.random.default_rng(SEED).standard_normal((500, 6))
    B = np.concatenate((A, A[:, :2] - A[:, 2:4]), axis=1)
    with pytest.warns(RankDeficientWarning, match="rank 6, less than its 8 columns"):
        result = leverage_scores(B, rng=SEED)
    assert result.rank == 6
    np.testing.assert_allclose(result.scores, reference(A), rtol=1e-9)
    with pytest.warns(RankDeficientWarning, match="rank 6"):
        again = leverage_scores(sp.csr_array(B), rng=SEED)
    np.testing.assert_allclose(again.scores, reference(A), rtol=1e-9)


def test_more_columns_than_rows():
    A = np.random.default_rng(SEED).standard_normal((5, 40))
    result = leverage_scores(A, rng=SEED)
    np.testing.assert_allclose(result.scores, 1)
    assert result.rank == 5
    with pytest.warns(RankDeficientWarning, match="rank 4, less than its 5 rows"):
        result = leverage_scores(A[[0, 1, 2, 3, 3]], rng=SEED)
    np.testing.assert_allclose(result.scores, [1, 1, 1, 0.5, 0.5])
    want = np.diag(A @ np.linalg.inv(A.T @ A + 2 * np.eye(40)) @ A.T)
    np.testing.assert_allclose(leverage_scores(A, ridge=2.0, rng=SEED).scores, want)


@pytest.mark.parametrize(("shape", "want"), [((1, 1), [1]), ((1, 3), [1]), ((3, 1), [1, 4, 9])])
def test_smallest_shapes(shape, want):
    A = np.arange(1.0, 1 + math.prod(shape)).reshape(shape)
    want = np.array(want) / (14 if shape == (3, 1) else 1)
    np.testing.assert_allclose(leverage_scores(A, rng=SEED).scores, want, rtol=1e-14)


def test_all_zero():
    with pytest.warns(RankDeficientWarning, match="rank 0"):
        result = leverage_scores(np.zeros((30, 3)), rng=SEED)
    np.testing.assert_array_equal(result.scores, np.zeros(30))
    assert (result.rank, result.info.sum, result.info.coherence) == (0, 0, 0)


@pytest.mark.parametrize("scale", [1e-150, 1e-30, 1e30, 1e150])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_scale_does_not_matter(scale, form):
    A = sparse(400, 6).toarray()
    factors = np.array([1, scale, 1, 1, scale, 1])
    result = leverage_scores(form(A * factors), rng=SEED)
    np.testing.assert_allclose(result.scores, reference(A), rtol=1e-10)


@pytest.mark.parametrize("scale", [1e-200, 1e200, 1e300])
@pytest.mark.parametrize("method", ["gram", "qr", "cholesky_qr", "sketch", "jl"])
def test_scale_does_not_matter_to_any_method(scale, method):
    """Squares are out of range: here a RuntimeWarning is an error."""
    A = np.random.default_rng(SEED).standard_normal((200, 4))
    want = leverage_scores(A, method=method, rng=SEED).scores
    found = leverage_scores(scale * A, method=method, rng=SEED)
    np.testing.assert_allclose(found.scores, want, rtol=1e-10)


def test_zero_rows_score_zero_and_a_lonely_row_one():
    A = np.random.default_rng(SEED).standard_normal((200, 4))
    A[7] = 0
    A[:, 3] = 0
    A[11, 3] = 1e-3
    scores = leverage_scores(A, rng=SEED).scores
    assert scores[7] == 0
    assert scores[11] == pytest.approx(1, abs=1e-14)
    assert scores.max() <= 1


# ------------------------------------------------------------------------ ridge, weights, and rank


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, aslinearoperator])
def test_ridge_and_weights_against_the_formula(form):
    A = sparse(500, 10).toarray()
    w = np.random.default_rng(SEED).uniform(0, 3, 500)
    w[::7] = 0
    inverse = np.linalg.inv(A.T @ (w[:, None] * A) + 4.0 * np.eye(10))
    want = w * np.einsum("ij,jk,ik->i", A, inverse, A)
    result = leverage_scores(form(A), ridge=4.0, weights=w, rng=SEED)
    np.testing.assert_allclose(result.scores, want, rtol=1e-10)
    assert effective_dimension(form(A), 4.0, weights=w, rng=SEED) == pytest.approx(want.sum())


def test_effective_dimension_is_that_of_the_singular_values():
    A = graded(400, 12, 3)
    s = np.linalg.svd(A)[1]
    for ridge in (1e-8, 1e-3, 1.0, 1e6):
        want = np.sum(s**2 / (s**2 + ridge))
        assert effective_dimension(A, ridge, rng=SEED) == pytest.approx(want, rel=1e-6)


@pytest.mark.parametrize("shape", [(5, 12), (60, 5)])
@pytest.mark.parametrize(
    ("size", "ridge"), [(1e160, 1.0), (1e150, 1e300), (1e-140, 1e-280), (1e-160, 1.0)]
)
def test_ridge_scores_of_any_size(shape, size, ridge):
    A = size * np.random.default_rng(90210).standard_normal(shape)
    U, s, _ = np.linalg.svd(A, full_matrices=False)
    want = np.sum((U / np.hypot(1, math.sqrt(ridge) / s)) ** 2, axis=1)
    found = ridge_leverage_scores(A, ridge, rng=SEED)
    np.testing.assert_allclose(found.scores, want, atol=1e-12)


def test_ridge_scores_fall_as_the_ridge_grows():
    A = np.random.default_rng(SEED).standard_normal((300, 7))
    scores = [ridge_leverage_scores(A, r, rng=SEED).scores for r in (1e-6, 1.0, 50.0, 1e5)]
    for larger, smaller in itertools.pairwise(scores):
        assert np.all(smaller < larger)
    np.testing.assert_allclose(scores[0], reference(A), rtol=1e-7)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, aslinearoperator, da.from_array])
@pytest.mark.parametrize("dependent", [False, True])
def test_leading_subspace(form, dependent):
    A = graded(400, 10, 2)
    if dependent:
        A = np.concatenate((A, A[:, :3] @ np.ones((3, 2))), axis=1)
    U = np.linalg.svd(A, full_matrices=False)[0][:, :4]
    w = np.ones(400)
    if dependent:
        with pytest.warns(RankDeficientWarning, match="rank 10"):
            result = leverage_scores(form(A), rank=4, weights=w, rng=SEED)
    else:
        result = leverage_scores(form(A), rank=4, weights=w, rng=SEED)
    assert result.rank == 4
    assert "singular value 5 is 0." in result.info.reason
    np.testing.assert_allclose(result.scores, np.sum(U**2, axis=1), rtol=1e-8)


KINDS = {
    "dense": np.asarray,
    "fortran": np.asfortranarray,
    "csr": sp.csr_array,
    "csc": sp.csc_array,
    "operator": aslinearoperator,
    "rows": lambda A: da.from_array(A, chunks=(17, A.shape[1])),
    "columns": lambda A: da.from_array(A, chunks=(A.shape[0], 17)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("shape", [(5, 200), (60, 7)])
def test_scores_of_columns_are_those_of_the_transpose(kind, complex_, shape):
    rng = np.random.default_rng(SEED)
    A = rng.standard_normal(shape) * rng.lognormal(0, 1, shape[1])
    A = A + 1j * rng.standard_normal(shape) if complex_ else A
    given = KINDS[kind](A)
    _, s, Vh = np.linalg.svd(A, full_matrices=False)
    result = leverage_scores(given.T, rng=SEED)
    np.testing.assert_allclose(result.scores, np.sum(abs(Vh) ** 2, axis=0), rtol=1e-10)
    leading = leverage_scores(given.T, rank=3, rng=SEED)
    np.testing.assert_allclose(leading.scores, np.sum(abs(Vh[:3]) ** 2, axis=0), rtol=1e-10)
    np.testing.assert_allclose(
        np.sum(abs(A.T @ leading.T) ** 2, axis=1), leading.scores, rtol=1e-10
    )
    assert leading.T.shape == (shape[0], 3)
    ridge = leverage_scores(given.T, ridge=5.0, rng=SEED)
    shrunk = (s**2 / (s**2 + 5.0)) @ abs(Vh) ** 2
    np.testing.assert_allclose(ridge.scores, shrunk, rtol=1e-10)


@pytest.mark.parametrize("rank", [None, 2])
def test_fewer_rows_than_columns_on_every_library(backend, rank):
    A = np.random.default_rng(SEED).standard_normal((5, 40))
    result = leverage_scores(backend.asarray(A), rank=rank, rng=SEED)
    U = np.linalg.svd(A)[0][:, :rank]
    np.testing.assert_allclose(backend.to_numpy(result.scores), np.sum(U**2, axis=1), rtol=1e-10)


def test_rank_of_all_directions_is_no_rank():
    A = np.random.default_rng(SEED).standard_normal((300, 4))
    np.testing.assert_allclose(leverage_scores(A, rank=4, rng=SEED).scores, reference(A))


# ------------------------------------------------------------------------------------------- laws


@given(seeds, st.integers(1, 8), st.integers(0, 60))
def test_laws(seed, n, extra):
    rng = np.random.default_rng(seed)
    m = n + 1 + extra
    A = rng.standard_normal((m, n)) * np.exp(rng.normal(0, 2, (m, 1)))
    scores = leverage_scores(A, rng=seed).scores
    assert scores.sum() == pytest.approx(n, rel=1e-9)
    assert np.all((scores >= 0) & (scores <= 1))
    # another basis of the same space, and another order of the rows
    basis = np.linalg.qr(rng.standard_normal((n, n)))[0] * np.exp(rng.normal(0, 1, n))
    order = rng.permutation(m)
    np.testing.assert_allclose(
        leverage_scores((A @ basis)[order], rng=seed).scores, scores[order], atol=1e-8
    )
    # k copies of a row share the leverage that sqrt(k) times the row has
    together = A.copy()
    together[0] *= math.sqrt(3)
    apart = np.concatenate((A[:1], A[:1], A))
    shared = leverage_scores(apart, rng=seed).scores
    np.testing.assert_allclose(
        shared[:3], leverage_scores(together, rng=seed).scores[0] / 3, atol=1e-8
    )
    # a further row takes leverage from all others
    further = leverage_scores(np.concatenate((A, rng.standard_normal((1, n)))), rng=seed).scores
    assert np.all(further[:-1] <= scores + 1e-9)


@given(seeds)
def test_chunks_and_seeds_change_rounding_only(seed):
    A = np.random.default_rng(seed).standard_normal((120, 4))
    want = leverage_scores(A, rng=seed).scores
    for chunk in (7, 50, 120):
        got = leverage_scores(da.from_array(A, chunks=(chunk, 4)), rng=seed + 1).scores
        np.testing.assert_allclose(got, want, rtol=1e-10)


def test_equal_seeds_give_equal_sketches():
    A = np.random.default_rng(SEED).standard_normal((2000, 10))
    one, two = (leverage_scores(A, method="sketch", rng=7) for _ in range(2))
    np.testing.assert_array_equal(one.scores, two.scores)
    again = leverage_scores(A, method="sketch", rng=one.info.seed).scores
    np.testing.assert_array_equal(one.scores, again)
    assert np.any(leverage_scores(A, method="sketch", rng=8).scores != one.scores)


# ---------------------------------------------------------------------------------------- sketches


def ratios(A, exact, repeats, **options):
    """Return sketched over exact scores for many seeds."""
    results = [leverage_scores(A, rng=SEED + k, **options) for k in range(repeats)]
    return np.array([r.scores for r in results]) / exact, results[0].info


@pytest.mark.statistical
@pytest.mark.parametrize("method", ["sketch", "jl"])
@pytest.mark.parametrize("ridge", [0.0, 30.0])
def test_sketched_scores_have_no_bias(method, ridge):
    """The mean over rows and 60 seeds; false alarms at 6 standard errors: below 1e-8."""
    A = np.random.default_rng(SEED).standard_normal((1500, 80))
    exact = leverage_scores(A, ridge=ridge, rng=SEED).scores
    found, info = ratios(A, exact, 60, method=method, ridge=ridge)
    means = found.mean(axis=1)  # of one seed: rows share the sketch
    error = means.std(ddof=1) / math.sqrt(60)
    assert abs(means.mean() - 1) < 6 * error + 0.002  # the Gaussian law is an approximation here
    assert error < 0.01
    # without the correction it would be off by a third or so
    d = info.sketch.d
    assert d / (d - 81) - 1 > 10 * (6 * error + 0.002)
    assert 0.85 < found.std() / info.error_estimate < 1.15


@pytest.mark.statistical
def test_the_one_in_the_bias_factor_counts():
    """Few more rows than columns, 600 seeds; false alarms at 5 standard errors: below 1e-6."""
    A = np.random.default_rng(SEED).standard_normal((300, 3))
    sums = [leverage_scores(A, method="sketch", eps=0.5, rng=SEED + k).info.sum for k in range(600)]
    mean, error = np.mean(sums) / 3, np.std(sums, ddof=1) / 3 / math.sqrt(600)
    bound = 5 * error + 0.025  # the Gaussian law is an approximation here
    assert abs(mean - 1) < bound
    k = 8  # d = n + 1 + k: with d / (d - n) the scores would be larger by 1 / k
    assert mean * (1 + 1 / k) - 1 > bound


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_exact_scores_that_are_not_say_so(form):
    # squared, the condition number leaves two digits, and the sum of the scores need not tell
    rng = np.random.default_rng(SEED)
    A = rng.standard_normal((200, 4))
    A[:, 3] = A[:, 0] + 1e-7 * A[:, 3]
    with pytest.warns(AccuracyWarning, match="cholesky_qr"):
        wrong = leverage_scores(form(A), method="gram", rng=SEED)
    right = leverage_scores(form(A), rng=SEED)
    assert np.max(abs(wrong.scores - right.scores)) > 1e-4
    assert right.info.error_estimate < 1e-6


def test_eps_decides_the_size():
    A = np.random.default_rng(SEED).standard_normal((5000, 6))
    exact = leverage_scores(A, rng=SEED).scores
    found, info = ratios(A, exact, 20, method="sketch", eps=0.1)
    assert info.sketch.d == 6 + 1 + 200
    assert 0.07 < found.std() < 0.13


@pytest.mark.statistical
def test_delta_bounds_all_scores_at_once():
    """Allowed to fail with probability 1e-3 for each of 10 seeds; the bound is generous."""
    A = np.random.default_rng(SEED).standard_normal((4000, 5))
    exact = leverage_scores(A, rng=SEED).scores
    found, info = ratios(A, exact, 10, method="sketch", eps=0.5, delta=1e-3)
    assert info.sketch.d < 1000
    assert np.max(abs(found - 1)) < 0.5


@pytest.mark.parametrize("eps", [0.05, 0.3, 0.9])
def test_the_bound_behind_delta(eps):
    """chi^2_k / k and its inverse leave 1 +- eps with probability at most delta / draws."""
    k = tail(eps, 1000, 0.01)
    law = stats.chi2(k, scale=1 / k)
    high, low = min(1 + eps, 1 / (1 - eps)), max(1 - eps, 1 / (1 + eps))
    assert law.sf(high) + law.cdf(low) <= 0.01 / 1000
    fewer = stats.chi2(k // 4, scale=4 / k)
    assert fewer.sf(high) + fewer.cdf(low) > 0.01 / 1000


def test_auto_takes_the_cheapest_that_is_good_enough():
    A = np.random.default_rng(SEED).standard_normal((20_000, 60))
    assert leverage_scores(A, rng=SEED).info.sketch is None
    loose = leverage_scores(A, eps=0.3, rng=SEED)
    assert loose.info.method in ("sketch", "jl")
    assert "least work" in loose.info.reason
    assert leverage_scores(A, eps=0.001, rng=SEED).info.sketch is None


def test_a_sketch_that_saves_nothing_is_not_made():
    A = np.random.default_rng(SEED).standard_normal((60, 20))
    result = leverage_scores(A, method="sketch", rng=SEED)
    assert result.info.sketch is None
    assert "as many rows as A" in result.info.reason
    np.testing.assert_allclose(result.scores, reference(A))


@pytest.mark.parametrize("options", [{}, {"method": "sketch"}, {"eps": 0.5}])
@pytest.mark.parametrize("shape", [(4, 4), (9, 8), (16, 8)])
def test_all_rows_of_operators_that_are_nearly_square_are_taken(shape, options):
    for seed in range(10):
        A = np.random.default_rng(seed).standard_normal(shape)
        want = leverage_scores(A, method="qr").scores
        got = leverage_scores(aslinearoperator(A), rng=seed, **options).scores
        np.testing.assert_allclose(got, want, atol=1e-8)


def test_products_are_all_that_an_operator_needs():
    A = graded(1200, 90, 6)
    counted = {"matmat": 0, "rmatmat": 0}

    class Products:
        shape, dtype = A.shape, A.dtype

        def matmat(self, X):
            counted["matmat"] += X.shape[1]
            return A @ X

        def rmatmat(self, X):
            counted["rmatmat"] += X.shape[1]
            return A.T @ X

    result = leverage_scores(Products(), rng=SEED)
    np.testing.assert_allclose(result.scores, reference(A), rtol=1e-7)
    assert counted == {"matmat": 270, "rmatmat": 90}
    rough = leverage_scores(Products(), method="jl", rng=SEED)
    assert 0.1 < np.std(rough.scores / result.scores) < 0.3


# ------------------------------------------------------------------------------- answers and errors


def test_the_front_door_and_the_answer():
    assert lrla.leverage_scores is leverage_scores
    A = np.random.default_rng(SEED).standard_normal((300, 3))
    result = leverage_scores(A, rng=SEED)
    assert repr(result).startswith("LeverageResult(scores=<array (300,)>, rank=3, T=")
    Q = A @ result.T
    np.testing.assert_allclose(Q.T @ Q, np.eye(3), atol=1e-13)
    np.testing.assert_allclose(result.at(A), result.scores)
    assert result.info.passes >= 2
    assert result.info.seconds > 0
    with pytest.raises(ValueError, match=r"X must have 3 columns as A, got shape \(2, 4\)"):
        result.at(np.ones((2, 4)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "magic"}, r"method must be one of auto, qr, cholesky_qr.*got 'magic'"),
        ({"ridge": -1.0}, "ridge must be a finite number, not negative, got -1.0"),
        ({"ridge": np.nan}, "ridge must be a finite number"),
        ({"rcond": 2.0}, "rcond must be between 0 and 1, got 2.0"),
        ({"eps": 0.0}, "eps must be between 0 and 1, got 0.0"),
        ({"eps": 0.5, "delta": 1.5}, "delta must be between 0 and 1, got 1.5"),
        ({"delta": 0.5}, "delta must come with eps"),
        ({"rank": 0}, "rank must be an integer from 1 to 4, got 0"),
        ({"rank": 2.5}, "rank must be an integer from 1 to 4, got 2.5"),
        ({"rank": 2, "ridge": 1.0}, "rank and ridge must not be given together"),
        ({"weights": -np.ones(9)}, "weights must be real and not negative"),
        ({"weights": np.ones(8)}, "weights must have one entry for each row of A, got 8 for 9"),
        ({"weights": np.full(9, np.nan)}, "weights must be finite"),
        ({"method": "sparse"}, "method 'sparse' needs a sparse matrix, got dense data"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        leverage_scores(np.eye(9, 4), rng=SEED, **options)


@pytest.mark.parametrize("name", ["eps", "rcond"])
def test_fractions_are_numbers(name):
    with pytest.raises(TypeError, match=f"{name} must be a number, got 'small'"):
        leverage_scores(np.eye(3), **{name: "small"})


def test_errors_about_the_data():
    with pytest.raises(ValueError, match=r"at least one row and one column, got shape \(0, 3\)"):
        leverage_scores(np.zeros((0, 3)))
    with pytest.raises(
        ValueError, match="method 'qr' needs the entries of A, got a linear operato"
    ):
        leverage_scores(aslinearoperator(np.eye(4)), method="qr")
    with pytest.raises(ValueError, match="ridge must be positive, got 0"):
        ridge_leverage_scores(np.eye(3), 0)
    with pytest.raises(TypeError, match="A must hold float32"):
        leverage_scores(np.array([["a"]]))


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, aslinearoperator])
@pytest.mark.parametrize("shape", [(400, 4), (3, 5)])
@pytest.mark.parametrize("options", [{}, {"method": "sketch"}])
def test_nan_is_refused(form, shape, options):
    A = np.random.default_rng(SEED).standard_normal(shape)
    A[2, 3] = np.nan
    with pytest.raises(ValueError, match=r"A must (be finite|give finite products), got NaN"):
        leverage_scores(form(A), rng=SEED, **options)
