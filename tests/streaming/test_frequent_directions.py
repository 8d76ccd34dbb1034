"""`FrequentDirections`: both sides of the bound, for every cut, merge, scale and library."""

import pickle

import dask.array as da
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from lrla.streaming import FrequentDirections
from lrla.streaming._frequent_directions import shrink


def decaying(seed, m, n, power=1.0, dtype=float):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, n))
    if np.dtype(dtype).kind == "c":
        A = A + 1j * rng.standard_normal((m, n))
    return (A * np.arange(1, n + 1) ** -power).astype(dtype)


def summary(A, d, **options):
    stream = FrequentDirections(A.shape[1], d, **options)
    stream.partial_fit(A)
    return stream


def lost(A, B):
    """Eigenvalues of what the summary leaves out, over the squared Frobenius norm."""
    A, B = np.asarray(A, np.complex128), np.asarray(B, np.complex128)
    return np.linalg.eigvalsh(A.conj().T @ A - B.conj().T @ B) / np.linalg.norm(A) ** 2


@given(
    seed=st.integers(0, 2**32 - 1),
    m=st.integers(1, 120),
    n=st.integers(1, 30),
    d=st.integers(2, 12),
    alpha=st.sampled_from([0.3, 0.7, 1.0]),
    power=st.sampled_from([0.0, 0.5, 2.0]),
)
def test_the_bound_holds_on_both_sides(seed, m, n, d, alpha, power):
    A = decaying(seed, m, n, power)
    stream = summary(A, d, alpha=alpha)
    result = stream.result()
    total = np.linalg.norm(A) ** 2
    left = lost(A, result.B)
    assert left[0] >= -1e-13
    assert left[-1] <= result.error_bound / total + 1e-13
    tails = np.cumsum(np.linalg.svd(A, compute_uv=False)[::-1] ** 2)[::-1]
    share = max(1, round(alpha * d))
    for k in range(min(share, len(tails))):
        assert result.error_bound <= tails[k] / (share - k) * (1 + 1e-10) + 1e-13 * total
    assert result.B.shape[0] <= d
    np.testing.assert_allclose(result.B, result.s[:, None] * result.Vh)
    eye = np.eye(len(result.s))
    np.testing.assert_allclose(result.Vh @ result.Vh.T, eye, atol=1e-12)
    middle = lost(A, result.B) - result.ridge / total
    assert np.all(abs(middle) <= result.ridge / total + 1e-13)
    assert stream.n_rows == m
    assert stream.squares == pytest.approx(total)


@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, 90), max_size=6).map(sorted))
def test_cuts_do_not_matter(seed, cuts):
    A = decaying(seed, 90, 11)
    stream = FrequentDirections(11, 5)
    for first, last in zip([0, *cuts], [*cuts, 90], strict=True):
        stream.partial_fit(A[first:last])
    whole = summary(A, 5)
    assert np.array_equal(stream._rows, whole._rows)
    assert stream.error_bound == whole.error_bound


def test_a_mutant_that_shrinks_too_little_fails():
    """Incremental SVD keeps singular values as they are: what it loses has no bound."""
    A = np.vstack([np.eye(40)[k % 40] * (1 + k // 40 * 1e-3) for k in range(4000)])
    stream = FrequentDirections(40, 5, alpha=1e-9)  # only the last one is shrunk
    stream.partial_fit(A)
    share = stream.error_bound / np.linalg.norm(A) ** 2
    assert share > 0  # alpha = 1 has at most 1 / d
    honest = summary(A, 5)
    assert honest.error_bound / np.linalg.norm(A) ** 2 <= 1 / 5
    rows, cut = shrink(A[:10].copy(), 5, 1.0)
    assert lost(A[:10], rows)[-1] * 10 == pytest.approx(cut)
    assert lost(A[:10], rows * 1.01)[0] <= 0  # a larger summary breaks the other side


def test_merges_keep_the_bound():
    A = decaying(90210, 900, 30, 0.3)
    streams = [summary(A[i : i + 300], 8) for i in (0, 300, 600)]
    before = streams[1].result().B
    for other in streams[1:]:
        streams[0].merge(other)
    result = streams[0].result()
    left = lost(A, result.B)
    total = np.linalg.norm(A) ** 2
    assert left[0] >= -1e-13
    assert left[-1] <= result.error_bound / total
    tails = np.cumsum(np.linalg.svd(A, compute_uv=False)[::-1] ** 2)[::-1]
    assert all(result.error_bound <= tails[k] / (8 - k) for k in range(8))
    assert result.info.n_rows == 900
    assert np.array_equal(streams[1].result().B, before)
    empty = FrequentDirections(30, 8)
    empty.merge(FrequentDirections(30, 8))
    empty.merge(streams[0])
    np.testing.assert_allclose(empty.result().s, result.s)


def test_few_rows_are_kept_exactly():
    A = decaying(5, 7, 20)
    stream = summary(A, 10)
    assert stream.error_bound == 0
    assert np.max(abs(lost(A, stream.result().B))) < 1e-14
    thin = summary(decaying(5, 500, 3), 10)  # fewer columns than rows of the summary
    assert thin.result().error_bound <= 1e-13 * thin.squares


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e15])
def test_dtypes_and_scales(dtype, scale):
    A = (decaying(90210, 300, 12, 0.5, dtype) * scale).astype(dtype)
    result = summary(A, 6).result()
    assert result.B.dtype == A.dtype
    tolerance = 100 * np.finfo(dtype).eps
    left = lost(A, result.B)
    assert left[0] >= -tolerance
    assert left[-1] <= result.error_bound / np.linalg.norm(A.astype("c16")) ** 2 + tolerance


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_extreme_scales(scale):
    A = decaying(90210, 300, 12, 0.5)
    small, large = summary(A, 6).result(), summary(A * scale, 6).result()
    np.testing.assert_allclose(large.s / scale, small.s, rtol=1e-10)
    assert large.error_bound == pytest.approx(small.error_bound * scale**2, rel=1e-9)


def test_every_kind_of_rows():
    A = decaying(31, 200, 9)
    A[A < -0.2] = 0
    want = summary(A, 5).result().B
    for rows in (
        scipy.sparse.csr_array(A),
        scipy.sparse.coo_matrix(A),
        da.from_array(A, chunks=(37, 4)),
        iter([A[:50], scipy.sparse.csc_array(A[50:51]), A[51], A[52:]]),
        (row for row in A),
        A.tolist(),
        A[::-1][::-1],
    ):
        stream = FrequentDirections(9, 5)
        stream.partial_fit(rows)
        np.testing.assert_allclose(abs(stream.result().B), abs(want), atol=1e-10)
    integers = np.arange(60).reshape(20, 3)
    stream = FrequentDirections(3, 2)
    stream.partial_fit(integers)
    assert stream.result().B.dtype == float


def test_any_array_library(backend):
    A = decaying(90210, 150, 9)
    stream = FrequentDirections(9, 4)
    stream.partial_fit(backend.asarray(A[:70]))
    stream.partial_fit(backend.asarray(A[70:]))
    result = stream.result()
    B = backend.to_numpy(result.B)
    left = lost(A, B)
    assert left[0] >= -1e-13
    assert left[-1] <= result.error_bound / np.linalg.norm(A) ** 2 + 1e-13
    wide = FrequentDirections(9, 20)
    wide.partial_fit(backend.asarray(A))
    assert wide.result().error_bound <= 1e-12


def test_zeros_and_pickles():
    stream = summary(np.zeros((50, 4)), 3)
    assert stream.result().error_bound == 0
    assert not stream.result().s.any()
    stream = pickle.loads(pickle.dumps(summary(decaying(5, 50, 4), 3)))
    stream.partial_fit(np.zeros((0, 4)))
    assert stream.n_rows == 50
    assert FrequentDirections(4, 3).error_bound == 0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: FrequentDirections(0, 3), ValueError, "n must be an integer, at least 1, got 0"),
        (lambda: FrequentDirections(3, 1), ValueError, "d must be an integer, at least 2, got 1"),
        (lambda: FrequentDirections(3, 2, alpha=0), ValueError, "alpha must be above 0 and at mos"),
        (lambda: FrequentDirections(3, 2).result(), ValueError, "partial_fit must come before res"),
        (lambda: summary(np.ones((2, 3)), 2).partial_fit(np.ones((2, 4))), ValueError, "3 columns"),
        (lambda: summary(np.full((2, 3), np.nan), 2), ValueError, "A must be finite, got NaN or"),
        (lambda: summary(np.ones((2, 3)), 2).partial_fit(np.ones((2, 3), "f4")), TypeError,
         "A must have dtype float64 like the rows before, got float32"),
        (lambda: summary(np.ones((2, 3)), 2).merge(FrequentDirections(3, 4)), ValueError,
         "summaries must have equal n, d and alpha to be merged"),
        (lambda: FrequentDirections(3, 2).merge(3), TypeError,
         "other must be a FrequentDirections, got int"),
    ],
)  # fmt: skip
def test_mistakes(make, error, message):
    with pytest.raises(error, match=message):
        make()
