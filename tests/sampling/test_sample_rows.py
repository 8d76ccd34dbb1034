"""Samples of rows: who is drawn, with which weight, and that every weighted total is unbiased.

Each statistical test fails with probability at most 1e-6 under fresh seeds.
"""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import lrla
from lrla import sketch
from lrla.sampling import inclusion_probabilities, sample_rows

ALARM = 1e-6
DESIGNS = ("pivotal", "systematic", "poisson", "replacement", "bottom_k")
FIXED = ("pivotal", "systematic", "bottom_k")
DRAWS = 2500


def population(m=24, seed=90210):
    """Scores of very different size, one of them zero, and a quantity that follows them loosely."""
    rng = np.random.default_rng(seed)
    s = rng.lognormal(0, 1.2, m)
    s[3] = 0.0
    y = s**0.8 * rng.uniform(0.5, 2, m)
    return s, y


def draws(s, size, count=DRAWS, **options):
    return [sample_rows(s, size, rng=seed, **options) for seed in range(count)]


def far(values, mean, tests=1):
    """Say whether the mean of independent values is further off than chance allows."""
    values = np.asarray(values)
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    return np.any(np.abs(values.mean(axis=0) - mean) > stats.norm.isf(ALARM / 2 / tests) * error)


# ----------------------------------------------------------------------------------- expectations


@pytest.mark.statistical
@pytest.mark.parametrize("design", DESIGNS)
def test_counts_totals_and_standard_errors(design):
    s, y = population()
    samples = draws(s, 8, design=design)
    total = y.sum()
    estimates = [sample.estimate(y[sample.indices]) for sample in samples]
    values = np.array([e.value for e in estimates])
    assert not far(values, total)
    assert far(1.05 * values, total)  # the test has teeth

    counts = np.zeros((len(samples), s.size))
    for row, sample in zip(counts, samples, strict=True):
        row[sample.indices] = sample.counts
    assert np.all(counts[:, 3] == 0)
    if design != "bottom_k":  # whose inclusion probabilities are conditional
        pi = inclusion_probabilities(s, 8)
        sure = pi == 1
        assert sure.sum() == 2  # one of them more than once in expectation without the cap
        assert np.all(counts[:, sure] == 1)
        rest = ~sure & (pi > 0)
        assert not far(counts[:, rest], pi[rest], rest.sum())
        # no two counts have the same variance, so these are not quite a chi-square test
        again = sample_rows(s, 8, design=design, rng=5)
        np.testing.assert_allclose(again.probs, pi[again.indices], rtol=1e-12)

    squares = np.array([e.standard_error**2 for e in estimates])
    approximate = estimates[0].approximate
    assert approximate == (design in ("pivotal", "systematic"))
    if not approximate:
        # the mean of squares against the mean of squared deviations, both with their noise
        assert not far(squares - (values - total) ** 2, 0.0)
    else:
        assert 0.4 < squares.mean() / values.var() < 2.5


@pytest.mark.statistical
def test_without_a_cap_some_rows_come_several_times():
    s, y = population()
    samples = draws(s, 30, design="replacement", deterministic=False)
    assert not far([x.estimate(y[x.indices]).value for x in samples], y.sum())
    counts = np.zeros((len(samples), s.size))
    for row, sample in zip(counts, samples, strict=True):
        row[sample.indices] = sample.counts
    assert np.all(counts.sum(axis=1) == 30)
    assert counts.max() > 5
    mean = 30 * s / s.sum()
    assert not far(counts[:, mean > 0], mean[mean > 0], s.size)
    # all counts together: Pearson's statistic of a multinomial
    observed, expected = counts.sum(axis=0)[mean > 0], len(samples) * mean[mean > 0]
    assert stats.chisquare(observed, expected).pvalue > ALARM


@pytest.mark.statistical
def test_the_sequential_draws_of_numpy_are_biased_under_the_same_test():
    """The mutant: weights 1 / (size * p) for `Generator.choice` without replacement."""
    rng = np.random.default_rng(61211)
    s = rng.lognormal(0, 1, 60)
    p, y = s / s.sum(), s**0.5
    values = []
    for _ in range(DRAWS):
        rows = rng.choice(60, 20, replace=False, p=p)
        values.append(np.sum(y[rows] / (20 * p[rows])))
    assert far(values, y.sum())
    ours = [x.estimate(y[x.indices]).value for x in draws(s, 20)]
    assert not far(ours, y.sum())
    assert np.std(ours) < np.std(values)


@pytest.mark.statistical
def test_rows_keep_the_gram_matrix_in_expectation():
    rng = np.random.default_rng(17)
    A = rng.standard_normal((24, 3))
    s = population()[0] + 0.1
    for p in (1, 2, 3):
        x = np.array([1.0, -2.0, 0.5])
        sums = [np.sum(np.abs(q.rows(A, p) @ x) ** p) for q in draws(s, 8, 2000)]
        assert not far(sums, np.sum(np.abs(A @ x) ** p), 3)


@pytest.mark.statistical
def test_pairs_are_not_positively_correlated_under_pivotal():
    s, _ = population(9)
    samples = draws(s, 4)
    counts = np.zeros((len(samples), s.size))
    for row, sample in zip(counts, samples, strict=True):
        row[sample.indices] = 1
    together = counts.T @ counts / len(samples)
    pi = inclusion_probabilities(s, 4)
    bound = np.outer(pi, pi)
    noise = np.sqrt(bound * (1 - bound) / len(samples))
    above = together - bound > stats.norm.isf(ALARM / 36) * noise
    assert not np.any(above[np.triu_indices(9, 1)])
    # and clearly negative for some: independent coins would fail here
    assert np.any(bound - together > stats.norm.isf(ALARM) * noise)


@pytest.mark.statistical
def test_orders_are_random_unless_coordinates_say_otherwise():
    """Rows beside each other never meet first by more than chance."""
    near = np.zeros(DRAWS)
    for seed in range(DRAWS):
        near[seed] = np.any(np.diff(sample_rows(np.ones(16), 2, rng=seed).indices) == 1)
    assert not far(near, 15 / 120)


# ----------------------------------------------------------------------------------------- design


@given(st.integers(0, 2**40), st.integers(2, 400), st.floats(0, 3), st.floats(0, 1))
def test_fixed_sizes_are_fixed(seed, m, spread, share):
    s = np.random.default_rng(seed).lognormal(0, spread, m)
    size = 1 + int(share * (m - 2))
    pi = inclusion_probabilities(s, size)
    for design in FIXED:
        sample = sample_rows(s, size, design=design, rng=seed)
        assert len(sample) == size
        assert np.all(np.diff(sample.indices) > 0)
        assert np.all(sample.weights >= 1)
        assert np.all(np.isfinite(sample.weights))
        if design != "bottom_k":
            assert np.all(np.isin(np.flatnonzero(pi == 1), sample.indices))
            np.testing.assert_array_equal(sample.probs, pi[sample.indices])


def test_neighbours_compete():
    """With halves, of every two neighbours exactly one stays."""
    for seed in range(20):
        for design in ("pivotal", "systematic"):
            sample = sample_rows(np.ones(64), 32, design=design, coords=np.arange(64), rng=seed)
            np.testing.assert_array_equal(sample.indices // 2, np.arange(32))


def test_the_order_of_coordinates_and_not_of_rows_counts():
    place = np.random.default_rng(3).permutation(64)
    for seed in range(10):
        sample = sample_rows(np.ones(64), 32, coords=place.astype(float), rng=seed)
        np.testing.assert_array_equal(np.sort(place[sample.indices] // 2), np.arange(32))


@pytest.mark.parametrize("size", [4, 16, 64])
def test_a_square_is_cut_into_squares(size):
    side, cells = 16, int(size**0.5)
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    turn = np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])
    rows = np.random.default_rng(5).permutation(side * side)
    grid = grid[rows]
    for seed in range(10):
        for coords in (1.0 * grid, 1e3 + grid, 1e-5 * grid):
            sample = sample_rows(np.ones(side * side), size, coords=coords, rng=seed)
            cell = grid[sample.indices] // (side // cells)
            assert len({(int(a), int(b)) for a, b in cell}) == size
    spread = sample_rows(np.ones(side * side), 4, coords=grid @ turn, rng=1)
    assert len(spread) == 4


def test_certain_and_impossible_rows_take_no_part_in_the_tree():
    s = np.ones(66)
    s[[10, 40]] = 0.0, 1e6
    place = np.delete(np.arange(66), [10, 40])
    sample = sample_rows(s, 33, coords=np.arange(66), rng=2)
    others = sample.indices[sample.indices != 40]
    assert others.size == 32
    np.testing.assert_array_equal(np.searchsorted(place, others) // 2, np.arange(32))


def test_systematic_steps_are_equal():
    s = population(200)[0]
    sample = sample_rows(s, 20, design="systematic", coords=np.arange(200), rng=4)
    pi = inclusion_probabilities(s, 20)
    rest = pi < 1
    ends = np.cumsum(np.where(rest, pi, 0))
    drawn = sample.indices[rest[sample.indices]]
    step = np.arange(drawn.size)
    # one start in [0, 1) for which every step ends within the share of the row that it drew
    start, stop = ends[drawn] - pi[drawn] - step, ends[drawn] - step
    assert max(start.max(), 0) < min(stop.min(), 1) + 1e-9


def test_bottom_k_weights_follow_from_the_threshold():
    s, _ = population(50)
    sample = sample_rows(s, 12, design="bottom_k", rng=9)
    t = sample.info.threshold
    assert np.all(sample.keys < t)
    np.testing.assert_allclose(sample.probs, 1 - np.exp(-s[sample.indices] * t), rtol=1e-12)
    np.testing.assert_array_equal(sample.scores, s[sample.indices])
    larger = sample_rows(s, 13, design="bottom_k", rng=9)
    np.testing.assert_array_equal(np.setdiff1d(sample.indices, larger.indices), [])
    assert larger.keys.max() == t


# ------------------------------------------------------------------------------------------ merge


def same(a, b):
    for name in ("indices", "probs", "weights", "counts", "keys", "scores"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert (a.m, a.info.threshold, a.info.ranges) == (b.m, b.info.threshold, b.info.ranges)
    assert a.info.n_positive == b.info.n_positive


@given(st.integers(0, 2**32), st.integers(3, 200), st.integers(1, 40), st.data())
def test_a_merged_sample_is_the_sample_of_all(seed, m, size, data):
    rng = np.random.default_rng(seed)
    s = rng.lognormal(0, 2, m)
    s[rng.uniform(size=m) < 0.2] = 0
    cuts = sorted(data.draw(st.lists(st.integers(1, m - 1), min_size=2, max_size=2)))
    cuts = [0, *cuts, m]
    parts = []
    for a, b in itertools.pairwise(cuts):
        if s[a:b].any():
            options = {"design": "bottom_k", "row_offset": a, "rng": seed}
            k = min(size, np.count_nonzero(s[a:b]))
            if k == size:
                parts.append(sample_rows(s[a:b], size, **options))
            else:
                with pytest.warns(lrla.AccuracyWarning, match="only"):
                    parts.append(sample_rows(s[a:b], size, **options))
    covered = np.concatenate([np.arange(*r) for p in parts for r in p.info.ranges])
    if covered.size < m or np.count_nonzero(s) < size:
        return
    whole = sample_rows(s, size, design="bottom_k", rng=seed)
    left = right = parts[0]
    for part in parts[1:]:
        left = left.merge(part)
    for part in reversed(parts[1:]):
        right = part.merge(right)
    same(left, whole)
    same(right, whole)


def test_poisson_samples_do_not_depend_on_what_else_is_drawn():
    s = np.full(100, 1.0)
    whole = sample_rows(s, 20, design="poisson", rng=5)
    part = sample_rows(s[33:], 67 // 5, design="poisson", row_offset=33, rng=5)
    wanted = whole.indices[whole.indices >= 33]  # the same coins, nearly the same odds
    assert np.isin(part.indices, wanted).all()
    assert part.m == 100


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ({"design": "pivotal"}, {}, "design must be 'bottom_k' for samples to be merged, got"),
        (
            {"rng": 3},
            {},
            "size and seed must agree for samples to be merged, got sizes 4 and 4, seeds",
        ),
        (
            {"size": 5},
            {},
            "size and seed must agree for samples to be merged, got sizes 5 and 4, seeds",
        ),
        ({}, {"row_offset": 9}, "samples must be of different rows to be merged, got rows 9:19"),
    ],
)
def test_samples_that_cannot_be_merged(one, other, message):
    options = {"size": 4, "design": "bottom_k", "rng": 2}
    a = sample_rows(np.ones(10), **{**options, **one})
    b = sample_rows(np.ones(10), **{**options, "row_offset": 10, **other})
    with pytest.raises(ValueError, match=message):
        a.merge(b)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e300])
@pytest.mark.parametrize("design", DESIGNS)
def test_errors_of_totals_of_any_size(design, scale):
    """Their squares are beyond the range: here a RuntimeWarning is an error."""
    s = np.random.default_rng(90210).lognormal(0, 1, 60)
    sample = sample_rows(s, 20, design=design, rng=3)
    y = np.random.default_rng(5).standard_normal((len(sample), 2))
    want, found = sample.estimate(y), sample.estimate(scale * y)
    np.testing.assert_allclose(found.value, scale * want.value, rtol=1e-12)
    np.testing.assert_allclose(found.standard_error, scale * want.standard_error, rtol=1e-12)


@pytest.mark.parametrize("other", [3, None, [1, 2], np.ones(3)])
def test_only_samples_merge(other):
    sample = sample_rows(np.ones(10), 4, design="bottom_k", rng=2)
    kind = type(other).__name__
    with pytest.raises(TypeError, match=f"other must be a RowSample, as sample_rows .* got {kind}"):
        sample.merge(other)


# ------------------------------------------------------------------------------- seeds, libraries


@pytest.mark.parametrize("design", DESIGNS)
def test_one_seed_is_one_sample_everywhere(design, backend):
    xp, _ = backend
    s, y = population(80)
    where = np.random.default_rng(8).uniform(size=(80, 3))
    for coords in (None, where) if design in ("pivotal", "systematic") else (None,):
        want = sample_rows(s, 20, design=design, coords=coords, rng=7)
        given = None if coords is None else backend.asarray(coords)
        got = sample_rows(backend.asarray(s), 20, design=design, coords=given, rng=7)
        np.testing.assert_array_equal(backend.to_numpy(got.indices), want.indices)
        np.testing.assert_array_equal(backend.to_numpy(got.counts), want.counts)
        np.testing.assert_allclose(backend.to_numpy(got.weights), want.weights, rtol=1e-13)
        assert got.indices.dtype == xp.int64
        values = xp.take(backend.asarray(y), got.indices)
        ours, theirs = got.estimate(values), want.estimate(y[want.indices])
        np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-12)
        np.testing.assert_allclose(ours.standard_error, theirs.standard_error, rtol=1e-9)
        rows = got.rows(backend.asarray(np.outer(y, [1.0, 2.0])))
        np.testing.assert_allclose(
            backend.to_numpy(rows), want.rows(np.outer(y, [1.0, 2.0])), rtol=1e-12
        )
        assert got.design_effect == pytest.approx(want.design_effect)
    with lrla.threads(2):
        again = sample_rows(s, 20, design=design, rng=np.random.default_rng(1))
    assert again.info.seed != 7
    repeated = sample_rows(s, 20, design=design, rng=again.info.seed)
    np.testing.assert_array_equal(again.indices, repeated.indices)


def test_single_precision_stays_single(backend):
    xp, _ = backend
    s = population(80)[0]
    sample = sample_rows(backend.asarray(s, xp.float32), 20, rng=7)
    assert sample.weights.dtype == sample.probs.dtype == xp.float32
    A = backend.asarray(np.ones((80, 2)), xp.float32)
    assert sample.rows(A).dtype == xp.float32
    mixed = sample_rows(backend.asarray(s), 20, rng=7)
    assert mixed.rows(A).dtype == xp.float32


# --------------------------------------------------------------------------------- what it is for


def test_rows_of_every_kind_of_data():
    import dask.array as da
    import scipy.sparse as sp

    rng = np.random.default_rng(90)
    A = rng.standard_normal((60, 4)) * (rng.uniform(size=(60, 4)) < 0.5)
    b = rng.standard_normal(60)
    sample = sample_rows(rng.uniform(size=60), 15, rng=3)
    for p in (1, 2, 3.5):
        want = sample.weights[:, None] ** (1 / p) * A[sample.indices]
        np.testing.assert_allclose(sample.rows(A, p), want, rtol=1e-14)
        np.testing.assert_allclose(sample.rows(1j * A, p), 1j * want, rtol=1e-14)
        for kind in (sp.csr_array, sp.csc_array, sp.coo_array, sp.csr_matrix):
            B = sample.rows(kind(A), p)
            assert B.format == "csr"
            np.testing.assert_allclose(B.toarray(), want, rtol=1e-14)
        chunked = da.from_array(A, chunks=(17, 3))
        np.testing.assert_allclose(sample.rows(chunked, p), want, rtol=1e-14)
        side = sample.weights ** (1 / p) * b[sample.indices]
        np.testing.assert_allclose(sample.rows(b, p), side, rtol=1e-14)
        np.testing.assert_allclose(sample.rows(list(b), p), side, rtol=1e-14)
        np.testing.assert_allclose(sample.rows(da.from_array(b, chunks=20), p), side, rtol=1e-14)
    np.testing.assert_array_equal(sample.rows(A, np.inf), A[sample.indices])


def test_what_rows_refuses():
    from scipy.sparse.linalg import aslinearoperator

    sample = sample_rows(np.ones(10), 4, rng=1)
    with pytest.raises(ValueError, match="A must have 10 rows, as there were scores, got 9"):
        sample.rows(np.ones((9, 2)))
    with pytest.raises(ValueError, match="A must have 10 rows, as there were scores, got 9"):
        sample.rows(np.ones(9))
    with pytest.raises(TypeError, match="A must be an array or a sparse matrix, got a linear op"):
        sample.rows(aslinearoperator(np.ones((10, 2))))
    with pytest.raises(ValueError, match="p must be positive, got 0"):
        sample.rows(np.ones((10, 2)), p=0)
    with pytest.raises(ValueError, match=r"values must have 4 rows, one for each row drawn"):
        sample.estimate(np.ones(10))


def test_standard_errors_are_the_textbook_formulas():
    s, y = population(40)
    x = sample_rows(s, 12, rng=6)
    p, z = x.probs, y[x.indices] / x.probs
    open_ = p < 1
    assert x.info.n_certain == np.sum(~open_) > 0
    share = (1 - p)[open_]
    centre = np.sum(share * z[open_]) / share.sum()
    n = open_.sum()
    want = np.sqrt(n / (n - 1) * np.sum(share * (z[open_] - centre) ** 2))
    assert x.estimate(y[x.indices]).standard_error == pytest.approx(want)

    x = sample_rows(s, 12, design="poisson", rng=6)
    z = y[x.indices] / x.probs
    want = np.sqrt(np.sum((1 - x.probs) * z**2))
    assert x.estimate(y[x.indices]).standard_error == pytest.approx(want)

    x = sample_rows(s, 12, design="replacement", deterministic=False, rng=6)
    each = np.repeat(12 * y[x.indices] / x.probs, x.counts)
    assert x.estimate(y[x.indices]).value == pytest.approx(each.mean())
    want = each.std(ddof=1) / np.sqrt(12)
    assert x.estimate(y[x.indices]).standard_error == pytest.approx(want)


def test_estimates_of_several_and_of_complex_quantities():
    s, y = population(40)
    for design in DESIGNS:
        x = sample_rows(s, 12, design=design, rng=6)
        Y = np.stack([y, 2j * y], axis=1)[x.indices]
        both = x.estimate(Y)
        one = x.estimate(y[x.indices])
        np.testing.assert_allclose(both.value, [one.value, 2j * one.value])
        np.testing.assert_allclose(
            both.standard_error, [one.standard_error, 2 * one.standard_error]
        )
        assert isinstance(x.estimate(1j * y[x.indices]).value, complex)
        assert x.estimate(s[x.indices] * 0).value == 0


def test_a_single_draw_has_no_standard_error():
    for design in ("pivotal", "replacement"):
        x = sample_rows(np.ones(5), 1, design=design, rng=6)
        assert np.isnan(x.estimate([1.0]).standard_error)


def test_scores_in_proportion_give_exact_totals():
    s, _ = population(40)
    for design in ("pivotal", "systematic", "replacement"):
        x = sample_rows(s, 12, design=design, rng=6)
        estimate = x.estimate(s[x.indices])
        assert estimate.value == pytest.approx(s.sum())
        assert estimate.standard_error == pytest.approx(0, abs=1e-6)


def test_effective_size_and_design_effect():
    x = sample_rows(population(40)[0], 12, rng=6)
    w = x.weights
    assert x.effective_size == pytest.approx(w.sum() ** 2 / np.sum(w**2))
    assert x.design_effect == pytest.approx(1 + w.var() / w.mean() ** 2)
    assert sample_rows(np.ones(40), 12, rng=6).effective_size == pytest.approx(12)


# ------------------------------------------------------------------------------- mistakes, corners


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"design": "sequential"}, ValueError, "design must be one of pivotal, poisson, system"),
        ({"deterministic": False}, ValueError, "deterministic must be True for design='pivotal'"),
        ({"design": "poisson", "coords": np.ones(10)}, ValueError, "coords must be None for des"),
        ({"row_offset": 3}, ValueError, "row_offset must be 0 for design='pivotal'"),
        (
            {"design": "poisson", "row_offset": -1},
            ValueError,
            "row_offset must be an integer, at least 0, got -1",
        ),
        ({"row_offset": 1.5}, ValueError, "row_offset must be an integer, at least 0, got 1.5"),
        ({"coords": np.ones(9)}, ValueError, "coords must have a row for each score, got shapes"),
        ({"coords": np.ones((10, 0))}, ValueError, "coords must have at least one column"),
        ({"coords": 1j * np.ones(10)}, TypeError, "coords must be real, got dtype complex128"),
        ({"coords": np.full(10, np.nan)}, ValueError, "coords must be finite"),
        ({"rng": "7"}, TypeError, "rng must be None, an integer"),
    ],
)
def test_mistakes(options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        sample_rows(np.ones(10), 4, **options)


def test_scores_too_small_for_keys():
    with pytest.raises(ValueError, match="scores must be zero or at least 1e-290 for design='bo"):
        sample_rows([1e-300, 0.0, 1.0], 1, design="bottom_k")
    x = sample_rows([1e-280, 0.0, 1e-280], 1, design="bottom_k", rng=1)
    assert 0 < x.probs[0] < 1


@pytest.mark.parametrize("design", DESIGNS)
def test_when_there_are_no_more_rows_than_asked_for(design):
    s = np.array([0.0, 2.0, 1.0, 0.0, 4.0])
    x = sample_rows(s, 3, design=design, rng=1)
    np.testing.assert_array_equal(x.indices, [1, 2, 4])
    np.testing.assert_array_equal(x.weights, 1)
    estimate = x.estimate([1.0, 2.0, 3.0])
    assert (estimate.value, estimate.standard_error) == (6.0, 0.0)
    with pytest.warns(lrla.AccuracyWarning, match="size is 4, but only 3 of 5 scores are pos"):
        x = sample_rows(s, 4, design=design, rng=1)
    np.testing.assert_array_equal(x.indices, [1, 2, 4])
    one = sample_rows([5.0], 1, design=design, rng=1)
    assert (len(one), one.weights[0]) == (1, 1.0)


def test_a_poisson_sample_may_be_empty():
    empty = next(
        x
        for seed in range(200)
        if not len(x := sample_rows(np.ones(9), 1, design="poisson", rng=seed))
    )
    assert empty.effective_size == 0
    assert empty.design_effect == 1
    assert empty.estimate(np.zeros(0)).value == 0
    assert empty.rows(np.ones((9, 2))).shape == (0, 2)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
@pytest.mark.parametrize("design", DESIGNS)
def test_scale_does_not_matter(design, scale):
    s = population(60)[0]
    want, got = (sample_rows(c * s, 20, design=design, rng=4) for c in (1, scale))
    np.testing.assert_array_equal(got.indices, want.indices)
    np.testing.assert_allclose(got.weights, want.weights, rtol=1e-12)


def test_arguments_are_left_alone_and_strides_do_not_matter():
    s = population(60)[0]
    wide = np.repeat(s, 3)
    before = wide.copy()
    for design in DESIGNS:
        got = sample_rows(wide[::3], 20, design=design, rng=4)
        np.testing.assert_array_equal(got.indices, sample_rows(s, 20, design=design, rng=4).indices)
    np.testing.assert_array_equal(wide, before)


def test_a_sample_shows_itself_and_travels():
    import pickle

    x = sample_rows(np.ones(60), 20, rng=4)
    assert repr(x).startswith("RowSample(indices=<array (20,)>, probs=<array (20,)>")
    assert x
    back = pickle.loads(pickle.dumps(x))
    np.testing.assert_array_equal(back.indices, x.indices)
    assert back.info.seed == 4


@pytest.mark.parametrize("size", [1, 6, 33])
@pytest.mark.parametrize("equal", [True, False])
def test_sampling_with_replacement_is_the_row_sample_of_the_same_seed(size, equal):
    """Merged here, row by row there: both keep the same sums of squares."""
    scores = np.ones(40) if equal else np.arange(40.0) % 7
    sample = sample_rows(scores, size, design="replacement", deterministic=False, rng=60_606)
    S = sketch.RowSampling(size, 40, probabilities=None if equal else scores, rng=60_606)
    squares = np.zeros(40)
    squares[sample.indices] = sample.weights
    np.testing.assert_allclose(S.toarray().T @ S.toarray(), np.diag(squares), rtol=1e-13)


@pytest.mark.parametrize("design", ["pivotal", "systematic"])
@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e300])
def test_coordinates_of_any_size(design, scale):
    X = np.random.default_rng(90210).standard_normal((150, 3))
    want = sample_rows(np.ones(150), 60, coords=X, design=design, rng=7)
    got = sample_rows(np.ones(150), 60, coords=scale * X, design=design, rng=7)
    np.testing.assert_array_equal(got.indices, want.indices)


def test_a_norm_is_a_number():
    with pytest.raises(TypeError, match="p must be a number, got 'one'"):
        sample_rows(np.ones(5), 2, rng=7).scale("one")
