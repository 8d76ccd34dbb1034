"""Independent samples as one: their means, and errors from how far they are apart."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lrla.sampling import (
    distortion,
    evaluate_coreset,
    logistic_coreset,
    pool_samples,
    sample_rows,
    subspace_sample,
)

DESIGNS = ("pivotal", "systematic", "poisson", "replacement", "bottom_k")


def scores(m=200, seed=90210):
    s = np.random.default_rng(seed).lognormal(0, 1, m)
    s[::17] = 0
    s[3] = 1e3  # in every sample
    return s


def some(design="pivotal", count=4, size=20, first=0, m=200, **options):
    seeds = np.random.SeedSequence(first).spawn(count)
    return [sample_rows(scores(m), size, design=design, rng=seed, **options) for seed in seeds]


@pytest.mark.parametrize("design", DESIGNS)
def test_weights_and_estimates_are_the_means(design):
    samples = some(design)
    pool = pool_samples(samples)
    full = np.zeros((4, 200))
    counts = np.zeros(200, dtype=int)
    for row, sample in zip(full, samples, strict=True):
        row[sample.indices] = sample.weights
        counts[sample.indices] += sample.counts
    np.testing.assert_array_equal(pool.indices, np.flatnonzero(counts))
    np.testing.assert_array_equal(pool.counts, counts[pool.indices])
    np.testing.assert_array_equal(pool.replicates, full[:, pool.indices])
    np.testing.assert_allclose(pool.weights, full.mean(axis=0)[pool.indices], rtol=1e-14)
    np.testing.assert_allclose(pool.probs, pool.counts / pool.weights, rtol=1e-14)
    y = np.random.default_rng(5).standard_normal((200, 3))
    found = pool.estimate(y[pool.indices])
    each = [sample.estimate(y[sample.indices]).value for sample in samples]
    np.testing.assert_allclose(found.value, np.mean(each, axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.standard_error, stats.sem(each, axis=0), rtol=1e-10)
    assert found.approximate is False
    one = pool.estimate(y[pool.indices, 1] + 1j * y[pool.indices, 2])
    parts = np.hypot(found.standard_error[1], found.standard_error[2])
    assert one.standard_error == pytest.approx(parts)
    assert one.value == pytest.approx(found.value[1] + 1j * found.value[2])
    assert pool.design == "replicates"
    assert pool.info.n_certain == np.count_nonzero(np.all(full == 1, axis=0))
    assert pool.info.size == 80
    assert len(set(pool.info.seed)) == pool.info.n_samples == 4
    assert pool


def test_probabilities_add_up():
    s = scores()
    samples = some(count=3)
    pool = pool_samples(samples)
    for sample in samples:
        there = np.searchsorted(pool.indices, sample.indices)
        np.testing.assert_allclose(pool.probs[there], 3 * sample.probs, rtol=1e-12)
    sure = np.flatnonzero(pool.indices == 3)
    assert s[3] == s.max()
    assert pool.probs[sure] == pool.counts[sure] == 3
    assert pool.weights[sure] == 1
    assert pool.info.n_certain == samples[0].info.n_certain == 2


@pytest.mark.statistical
@pytest.mark.parametrize("design", ["systematic", "pivotal"])
def test_errors_are_right_where_those_of_one_sample_are_not(design):
    """Rows spread out in order: the variance is tiny, and only replicates know. False alarm 1e-6."""
    place = np.linspace(0, 1, 400)
    y = np.exp(place)
    options = {"design": design, "coords": place}
    errors, squares = [], []
    for k in range(250):
        seeds = np.random.SeedSequence([k, 90210]).spawn(5)
        pool = pool_samples([sample_rows(np.ones(400), 20, rng=seed, **options) for seed in seeds])
        found = pool.estimate(y[pool.indices])
        errors.append(found.value - y.sum())
        squares.append(found.standard_error**2)
    limit = stats.norm.isf(5e-7) / math.sqrt(250)
    noise = np.array(squares) - np.array(errors) ** 2
    assert abs(np.mean(errors)) < limit * np.std(errors)
    assert abs(np.mean(noise)) < limit * np.std(noise)
    one = sample_rows(np.ones(400), 100, rng=90210, **options)
    alone = one.estimate(y[one.indices]).standard_error ** 2
    assert alone > 10 * np.mean(squares)  # what it would be of rows that are not spread out


@given(st.lists(st.integers(1, 60), min_size=2, max_size=5), st.integers(0, 2**31))
def test_samples_of_any_sizes_and_designs(sizes, seed):
    seeds = np.random.SeedSequence(seed).spawn(len(sizes))
    samples = [
        sample_rows(scores(), size, design=DESIGNS[k % 5], rng=one)
        for k, (size, one) in enumerate(zip(sizes, seeds, strict=True))
    ]
    pool = pool_samples(samples)
    y = np.arange(200.0)
    want = np.mean([sample.weights @ y[sample.indices] for sample in samples])
    assert pool.weights @ y[pool.indices] == pytest.approx(want, rel=1e-12)
    assert np.all(np.diff(pool.indices) > 0)
    assert pool.info.size == sum(sizes)


def test_of_coresets_and_subspace_samples():
    rng = np.random.default_rng(90210)
    A = rng.standard_normal((400, 3))
    seeds = np.random.SeedSequence(90210).spawn(4)
    pool = pool_samples(logistic_coreset(A, 50, rng=seed) for seed in seeds)
    found = evaluate_coreset("logistic", A, pool, rng.standard_normal((3, 5)))
    assert not found.approximate
    assert np.all(abs(found.estimate - found.objective) < 12 * found.standard_error)  # t, 3 degrees
    pool = pool_samples(subspace_sample(A, 1, size=60, rng=seed) for seed in seeds)
    alone = [
        distortion(A, subspace_sample(A, 1, size=60, rng=seed), 1, rng=7).eps for seed in seeds
    ]
    assert distortion(A, pool, 1, rng=7).eps < np.mean(alone)
    assert pool.rows(A, 1).shape == (len(pool), 3)
    text = pool.explain()
    assert "weighted sums over them are unbiased" in text
    assert "of 4 independent samples, whose differences are the standard errors" in text


def test_samples_without_rows():
    seeds = np.random.SeedSequence(90210).spawn(30)
    samples = [sample_rows(np.ones(9), 1, design="poisson", rng=seed) for seed in seeds]
    sizes = [len(sample) for sample in samples]
    assert 0 in sizes
    assert pool_samples(samples).counts.sum() == sum(sizes)
    empty = pool_samples([sample for sample in samples if len(sample) == 0][:2])
    assert (len(empty), empty.estimate(np.zeros(0)).value) == (0, 0.0)


def test_all_rows():
    seeds = np.random.SeedSequence(3).spawn(2)
    pool = pool_samples(sample_rows(np.ones(5), 5, rng=seed) for seed in seeds)
    assert pool.estimate(np.arange(5.0)).value == 10
    assert pool.estimate(np.arange(5.0)).standard_error == 0
    np.testing.assert_array_equal(pool.weights, 1)


def test_every_array_library(backend):
    seeds = np.random.SeedSequence(3).spawn(3)
    want = pool_samples(sample_rows(scores(), 20, rng=seed) for seed in seeds)
    given = backend.asarray(scores())
    found = pool_samples(sample_rows(given, 20, rng=seed) for seed in seeds)
    for name in ("indices", "probs", "weights", "counts", "replicates"):
        np.testing.assert_array_equal(backend.to_numpy(getattr(found, name)), getattr(want, name))
    y = np.arange(200.0)[want.indices]
    assert found.estimate(backend.asarray(y)).standard_error == pytest.approx(
        want.estimate(y).standard_error
    )
    single = [sample_rows(scores().astype("f4"), 20, rng=seed) for seed in seeds]
    assert pool_samples(single).weights.dtype == np.float32
    again = pickle.loads(pickle.dumps(want))
    np.testing.assert_array_equal(again.replicates, want.replicates)


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        ([], ValueError, "samples must be at least two, got 0"),
        (
            some()[0],
            TypeError,
            "samples must be several RowSamples, in a list or so, got RowSample",
        ),
        (3, TypeError, "samples must be several RowSamples, in a list or so, got int"),
        (some(count=1), ValueError, "samples must be at least two, got 1: one has no other error"),
        ([*some(), 3], TypeError, "samples must be of RowSample, as sample_rows .*, got int among"),
        (some()[:1] * 2, ValueError, "samples must be independent, got two of the same seed"),
        (
            [*some(), *some(m=100, first=1)],
            ValueError,
            "samples must be of the same rows, got some of rows 0:100 and some of rows 0:200",
        ),
        (
            [*some(), sample_rows(np.ones(50), 9, design="bottom_k", row_offset=150, rng=5)],
            ValueError,
            "samples must be of the same rows, got some of rows 0:200 and some of rows 150:200",
        ),
        ([pool_samples(some()), *some(first=1)], ValueError, "samples must not be pooled twice"),
    ],
)
def test_mistakes(samples, error, message):
    with pytest.raises(error, match=message):
        pool_samples(samples)


def test_a_pool_does_not_merge():
    pool = pool_samples(some("bottom_k"))
    with pytest.raises(ValueError, match="design must be 'bottom_k' for samples to be merged"):
        pool.merge(pool)
