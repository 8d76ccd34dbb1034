"""Rows that come by once: reservoirs that merge, and online samples that stand for all rows."""

import re

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.sparse.linalg import aslinearoperator

from lrla.sampling import OnlineRowSampler, ReservoirSampler, sample_rows


def stream(m=2000, n=4, seed=90210):
    """Rows of very different length, and some that point where no others do."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, n)) * rng.lognormal(0, 1, (m, 1))
    A[:, -1] = 0
    A[rng.permutation(m)[:5], -1] = 3.0
    return A


# -------------------------------------------------------------------------------------- reservoir


def same(a, b):
    np.testing.assert_array_equal(a.sample.indices, b.sample.indices)
    np.testing.assert_array_equal(a.sample.weights, b.sample.weights)
    np.testing.assert_array_equal(a.rows, b.rows)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(1, 30), st.data())
def test_a_reservoir_is_the_bottom_k_sample_whatever_the_blocks(sizes, size, data):
    m = sum(sizes)
    rng = np.random.default_rng(m)
    A, s = rng.standard_normal((m, 2)), rng.lognormal(0, 2, m)
    s[rng.uniform(size=m) < 0.1] = 0
    ends = np.cumsum(sizes)
    blocks = list(zip(ends - sizes, ends, strict=True))
    one = ReservoirSampler(2, size, rng=7)
    parts = [ReservoirSampler(2, size, rng=7) for _ in range(2)]
    order = data.draw(st.permutations(range(len(blocks))))
    for a, b in blocks:
        one.partial_fit(A[a:b], s[a:b])
    for k in order:
        a, b = blocks[k]
        parts[k % 2].partial_fit(A[a:b], s[a:b], row_offset=a)
    parts[0].merge(parts[1])
    assert one.n_rows == parts[0].n_rows == m
    if not m:
        with pytest.raises(ValueError, match="partial_fit must come before finalize"):
            one.finalize()
        return
    got = one.finalize()
    same(got, parts[0].finalize())
    np.testing.assert_array_equal(got.rows, A[got.sample.indices])
    if np.count_nonzero(s) >= size:
        whole = sample_rows(s, size, design="bottom_k", rng=7)
        np.testing.assert_array_equal(got.sample.indices, whole.indices)
        np.testing.assert_array_equal(got.sample.weights, whole.weights)
        np.testing.assert_array_equal(got.scaled(), whole.rows(A))
        np.testing.assert_array_equal(got.scaled(1), whole.rows(A, 1))
    else:
        np.testing.assert_array_equal(got.sample.indices, np.flatnonzero(s))


def test_reservoirs_of_other_libraries_and_of_sparse_rows(backend):
    import scipy.sparse as sp

    A = stream(300)
    s = np.sum(A**2, axis=1)
    want, sparse, got = (ReservoirSampler(4, 20, rng=5) for _ in range(3))
    for a in range(0, 300, 100):
        want.partial_fit(A[a : a + 100], s[a : a + 100])
        sparse.partial_fit(sp.csc_array(A[a : a + 100]), s[a : a + 100])
        got.partial_fit(backend.asarray(A[a : a + 100]), backend.asarray(s[a : a + 100]))
    same(want.finalize(), sparse.finalize())
    got = got.finalize()
    np.testing.assert_array_equal(backend.to_numpy(got.rows), want.finalize().rows)
    np.testing.assert_allclose(backend.to_numpy(got.scaled()), want.finalize().scaled())


def test_mistakes_with_reservoirs():
    A, s = stream(50), np.ones(50)
    for options, message in (
        ({"n": 0, "size": 3}, "n must be an integer, at least 1, got 0"),
        ({"n": 4, "size": 0}, "size must be an integer, at least 1, got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            ReservoirSampler(**options)
    reservoir = ReservoirSampler(4, 5, rng=1)
    reservoir.partial_fit(A, s)
    for block, scores, offset, message in (
        (A[:, :3], s, None, "A must have 4 columns, got shape (50, 3)"),
        (A, s[:9], None, "scores must have one entry for each row of A, got 9 for 50"),
        (A, -s, None, "scores must be finite and not negative, got -1.0 at index 0"),
        (A * np.nan, s, None, "A must be finite"),
        (A, s, 20, "samples must be of different rows to be merged, got rows 20:70 twice"),
        (A, s, -1, "row_offset must be an integer, at least 0, got -1"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            reservoir.partial_fit(block, scores, offset)
    with pytest.raises(TypeError, match="A must be of the array library, device and dtype of the"):
        reservoir.partial_fit(A.astype(np.float32), s)
    with pytest.raises(ValueError, match=r"row_offset must be an integer, at least 0, got 1\.5"):
        reservoir.partial_fit(A, s, 1.5)
    with pytest.raises(ValueError, match=r"n must be an integer, at least 1, got 2\.5"):
        ReservoirSampler(2.5, 5)
    with pytest.raises(TypeError, match="A must be an array or a sparse matrix, got Matrix"):
        reservoir.partial_fit(aslinearoperator(A), s)
    with pytest.raises(ValueError, match="samplers must have equal n, size and seed to be merged"):
        reservoir.merge(ReservoirSampler(4, 5, rng=2))
    with pytest.raises(TypeError, match="other must be a ReservoirSampler, got StreamSample"):
        reservoir.merge(reservoir.finalize())
    single = ReservoirSampler(4, 5, rng=reservoir.finalize().info.seed)
    single.partial_fit(A.astype(np.float32), s, 50)
    with pytest.raises(TypeError, match="A must be of the array library, device and dtype of the"):
        reservoir.merge(single)
    assert reservoir.n_rows == 50
    np.testing.assert_array_equal(len(reservoir.finalize().sample), 5)


# ----------------------------------------------------------------------------------------- online


def error(A, B, ridge):
    """The largest of abs(norm(Bx)**2 - norm(Ax)**2) / (norm(Ax)**2 + ridge norm(x)**2)."""
    G = A.T @ A
    s, V = np.linalg.eigh(G)
    W = V / np.sqrt(s + ridge)
    return np.max(np.abs(np.linalg.eigvalsh(W.T @ (B.T @ B - G) @ W)))


def online(A, seed, ridge=1e-3, cuts=(), **options):
    sampler = OnlineRowSampler(A.shape[1], ridge, rng=seed, **options)
    for block in np.split(A, list(cuts)):
        sampler.partial_fit(block)
    return sampler


@pytest.mark.statistical
def test_the_spectral_guarantee_holds_and_is_not_for_nothing():
    """At most delta = 0.1 of the draws may fail; that more than 8 of 60 do has odds below 0.2."""
    A = np.tile(stream(), (4, 1))
    errors, sizes = [], []
    for seed in range(60):
        kept = online(A, seed, eps=0.9, delta=0.1).finalize()
        errors.append(error(A, kept.scaled(), 1e-3))
        assert kept.info.error == pytest.approx(errors[-1], rel=1e-8)
        sizes.append(len(kept.sample))
    assert np.sum(np.array(errors) > 0.9) == 0
    assert np.mean(sizes) < 0.25 * len(A)
    assert np.median(errors) > 0.05
    # the mutant: as many rows, all with the same odds, of data whose last column few rows fill
    rng = np.random.default_rng(5)
    uniform = []
    for _ in range(60):
        rows = rng.choice(len(A), int(np.mean(sizes)), replace=False)
        uniform.append(error(A, A[rows] * np.sqrt(len(A) / len(rows)), 1e-3))
    assert np.sum(np.array(uniform) > 0.9) > 8


@pytest.mark.statistical
def test_online_totals_have_no_bias_and_honest_errors():
    A = stream()
    y = np.abs(A[:, 0])
    values, squares = [], []
    for seed in range(300):
        sample = online(A, seed, eps=0.9).finalize().sample
        estimate = sample.estimate(y[sample.indices])
        values.append(estimate.value)
        squares.append(estimate.standard_error**2)
    limit = stats.norm.isf(5e-7) / np.sqrt(300)
    assert abs(np.mean(values) - y.sum()) < limit * np.std(values)
    noise = np.array(squares) - (np.array(values) - y.sum()) ** 2
    assert abs(np.mean(noise)) < limit * np.std(noise)


def test_scores_are_leverage_scores_of_what_was_kept():
    """The first group meets the ridge alone, the second what was kept of the first."""
    A = stream(512)
    ridge, eps, delta = 200.0, 0.5, 0.1
    kept = online(A, 3, ridge=ridge, eps=eps, delta=delta).finalize()
    rate = 4 * np.log(2 * 4 / delta) / eps**2
    assert kept.info.rate == rate
    M = ridge * np.eye(4)
    for a in (0, 256):
        X = A[a : a + 256]
        scores = np.einsum("ij,jk,ik->i", X, np.linalg.inv(M), X)
        probs = np.minimum(1, rate * np.minimum(1, (1 + eps) * scores))
        here = (kept.sample.indices >= a) & (kept.sample.indices < a + 256)
        rows = kept.sample.indices[here]
        np.testing.assert_allclose(kept.sample.probs[here], probs[rows - a], rtol=1e-10)
        np.testing.assert_array_equal(kept.rows[here], A[rows])
        M = M + (A[rows] / probs[rows - a][:, None]).T @ A[rows]
    assert np.isin(np.flatnonzero(probs == 1) + 256, kept.sample.indices).all()
    assert 20 < len(kept.sample) < 500


@pytest.mark.parametrize("chunks", [(700, 2), ((0, 1, 1999), 4), (256, 4)])
def test_dask_rows_come_block_by_block(chunks):
    A = stream()
    blocks = da.from_array(A, chunks=chunks)
    got = OnlineRowSampler(4, 50.0, rng=3)
    got.partial_fit(blocks)
    same(got.finalize(), online(A, 3, ridge=50.0).finalize())
    scores = np.abs(A).sum(axis=1).astype(np.float32)
    want, got = ReservoirSampler(4, 30, rng=3), ReservoirSampler(4, 30, rng=3)
    want.partial_fit(A, scores)
    got.partial_fit(blocks, scores)
    same(got.finalize(), want.finalize())
    assert got.finalize().sample.weights.dtype == np.float32
    with pytest.raises(ValueError, match="scores must have one entry for each row of A, got 9 for"):
        got.partial_fit(blocks, scores[:9])
    with pytest.raises(ValueError, match="A must have 3 columns, got shape"):
        OnlineRowSampler(3, 50.0).partial_fit(blocks)
    with pytest.raises(ValueError, match="A must have 3 columns, got shape"):
        ReservoirSampler(3, 30).partial_fit(blocks, scores)


@given(st.lists(st.integers(0, 2000), max_size=6))
def test_how_rows_are_cut_changes_nothing(cuts):
    A = stream()
    want = online(A, 3, ridge=50.0).finalize()
    same(online(A, 3, ridge=50.0, cuts=sorted(cuts)).finalize(), want)


def test_looking_does_not_disturb():
    A = stream()
    watched = OnlineRowSampler(4, 50.0, rng=3)
    for block in np.split(A, 13 * np.arange(1, 100)):
        watched.partial_fit(block)
        watched.finalize()
    same(watched.finalize(), online(A, 3, ridge=50.0).finalize())
    assert watched.n_rows == 2000


def test_merged_online_samples_stand_for_both():
    A = stream()
    left = online(A[:900], 3, eps=0.9, ridge=1.0)
    right = online(A[900:], 4, eps=0.9, ridge=1.0, row_offset=900)
    separately = [left.finalize(), right.finalize()]
    left.merge(right)
    both = left.finalize()
    assert left.n_rows == both.info.n_rows == 2000
    assert both.sample.info.ranges == ((0, 2000),)
    np.testing.assert_array_equal(both.rows, A[both.sample.indices])
    apart = np.concatenate([k.sample.indices for k in separately])
    # the rows of the last, incomplete group of the left are now measured with those of the right
    assert np.isin(both.sample.indices, apart).all()
    np.testing.assert_array_equal(np.setdiff1d(apart, both.sample.indices) // 256, 3)
    assert error(A, both.scaled(), 2.0) < 0.9
    with pytest.raises(ValueError, match="must be of different rows to be merged"):
        left.merge(right)
    with pytest.raises(ValueError, match="must be of different rows to be merged"):
        left.partial_fit(A[:10])
    right.partial_fit(A[:10])
    assert right.n_rows == 1110


def test_online_samples_of_other_libraries_and_of_sparse_rows(backend):
    import scipy.sparse as sp

    A = stream(700)
    want = online(A, 3, ridge=50.0).finalize()
    sparse = OnlineRowSampler(4, 50.0, rng=3)
    got = OnlineRowSampler(4, 50.0, rng=3)
    for a in range(0, 700, 100):
        sparse.partial_fit(sp.csr_array(A[a : a + 100]))
        got.partial_fit(backend.asarray(A[a : a + 100]))
    same(sparse.finalize(), want)
    got = got.finalize()
    np.testing.assert_array_equal(backend.to_numpy(got.sample.indices), want.sample.indices)
    np.testing.assert_allclose(backend.to_numpy(got.scaled()), want.scaled(), rtol=1e-9)


@pytest.mark.parametrize("dtype", ["f4", "c8", "c16"])
def test_online_samples_of_other_dtypes(dtype):
    A = stream(700).astype(dtype)
    if A.dtype.kind == "c":
        A = A * np.exp(1j * np.arange(700))[:, None].astype(dtype)
    kept = online(A, 3, ridge=50.0).finalize()
    assert kept.rows.dtype == A.dtype
    want = online(stream(700), 3, ridge=50.0).finalize()
    np.testing.assert_allclose(kept.sample.probs, want.sample.probs, rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-140, 1e140])
def test_scale_does_not_matter(scale):
    A = stream(700)
    want = online(A, 3, ridge=50.0).finalize()
    got = online(scale * A, 3, ridge=50.0 * scale**2).finalize()
    np.testing.assert_array_equal(got.sample.indices, want.sample.indices)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n must be an integer, at least 1, got 0"),
        ({"ridge": 0.0}, "ridge must be positive and finite, got 0.0"),
        ({"eps": 1.0}, "eps must be between 0 and 1, got 1.0"),
        ({"delta": 0.0}, "delta must be between 0 and 1, got 0.0"),
        ({"row_offset": -1}, "row_offset must be an integer, at least 0, got -1"),
    ],
)
def test_mistakes_with_online_samplers(options, message):
    with pytest.raises(ValueError, match=message):
        OnlineRowSampler(**{"n": 4, "ridge": 1.0, **options})


def test_merging_may_start_with_nothing():
    A = stream()
    parts = [online(A[:700], 1, ridge=50.0), online(A[700:], 2, ridge=50.0, row_offset=700)]
    empty = OnlineRowSampler(4, 50.0, rng=3)
    empty.merge(parts[0])
    same(empty.finalize(), parts[0].finalize())
    empty.merge(parts[1])
    both = empty.finalize()
    assert both.info.n_rows == len(A)
    np.testing.assert_array_equal(both.rows, A[both.sample.indices])
    assert both.info.error == pytest.approx(error(A, both.scaled(), 50.0), rel=1e-8)
    assert both.info.error < 0.5
    with pytest.raises(ValueError, match="must be of different rows to be merged"):
        empty.partial_fit(A[:1])


def test_more_mistakes_with_online_samplers():
    A = stream(300)
    sampler = OnlineRowSampler(4, 1.0)
    with pytest.raises(ValueError, match="partial_fit must come before finalize"):
        sampler.finalize()
    sampler.merge(OnlineRowSampler(4, 1.0))
    sampler.partial_fit(A[:0])
    with pytest.raises(ValueError, match="partial_fit must come before finalize"):
        sampler.finalize()
    sampler.partial_fit(A)
    with pytest.raises(ValueError, match=r"A must have 4 columns, got shape \(300, 3\)"):
        sampler.partial_fit(A[:, :3])
    with pytest.raises(ValueError, match="A must be finite"):
        sampler.partial_fit(np.full((5, 4), np.inf))
    with pytest.raises(TypeError, match="A must be of the array library, device and dtype"):
        sampler.partial_fit(A + 0j)
    with pytest.raises(ValueError, match="samplers must have equal n, ridge, p, eps and delta"):
        sampler.merge(OnlineRowSampler(4, 2.0))
    with pytest.raises(ValueError, match=r"the same budget, got ridge = 1\.0 and 2\.0"):
        sampler.merge(OnlineRowSampler(4, 2.0))
    with pytest.raises(TypeError, match="other must be an OnlineRowSampler, got int"):
        sampler.merge(3)
    assert sampler.n_rows == 300
