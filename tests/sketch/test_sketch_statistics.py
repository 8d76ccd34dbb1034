"""P6 to P9: what must hold on average and in distribution, and sketches for which it must not.

Every test here would fail under fresh seeds with probability at most 1e-6, by the Bonferroni
inequality over everything that it compares. Each has a mutant that the same check must refuse.
"""

import functools
import itertools
import math

import numpy as np
import pytest
import scipy.stats
from families import FAMILIES, M

from lrla import sketch

pytestmark = pytest.mark.statistical
ALARM = 1e-6


def quantile(tests):
    """How many standard errors one of ``tests`` normal statistics exceeds with chance ALARM."""
    return float(scipy.stats.norm.isf(ALARM / tests / 2))


def worst_z(samples, expected):
    """Largest deviation of the mean from ``expected``, in standard errors, over all entries."""
    samples = np.asarray(samples)
    error = samples.std(axis=0, ddof=1) / math.sqrt(len(samples))
    gap = np.abs(samples.mean(axis=0) - expected)
    # what never varies has to be right up to rounding
    return float(np.max(np.where(error > 1e-12, gap / np.maximum(error, 1e-300), gap * 1e10)))


SMALL = {  # m = 12, so that S^T S has few entries
    "gaussian": lambda rng: sketch.Gaussian(6, 12, rng=rng),
    "rademacher": lambda rng: sketch.Rademacher(6, 12, rng=rng),
    "sparse_sign": lambda rng: sketch.SparseSign(6, 12, nnz_per_col=4, rng=rng),
    "sparse_uniform": lambda rng: sketch.SparseUniform(6, 12, nnz_per_col=4, rng=rng),
    "countsketch": lambda rng: sketch.CountSketch(6, 12, rng=rng),
    "very_sparse": lambda rng: sketch.VerySparse(6, 12, rng=rng),
    "less": lambda rng: sketch.LESS(6, 12, nnz_per_row=4, rng=rng),
    "less_scores": lambda rng: sketch.LESS(
        6, 12, nnz_per_row=4, probabilities=np.arange(3, 15), rng=rng
    ),
    "row_sample": lambda rng: sketch.RowSampling(6, 12, rng=rng),
    "row_sample_scores": lambda rng: sketch.RowSampling(
        6, 12, probabilities=np.arange(3, 15), rng=rng
    ),
    "srht": lambda rng: sketch.SRHT(6, 12, rng=rng),
    "srht_plain": lambda rng: sketch.SRHT(6, 12, permute=False, rng=rng),
    "srht_stream": lambda rng: sketch.SRHT(6, 12, stream_block=4, rng=rng),
    "srtt": lambda rng: sketch.SRTT(6, 12, rng=rng),
    "tensor_sketch": lambda rng: sketch.TensorSketch(6, (3, 4), rng=rng),
    "tensor_srht": lambda rng: sketch.TensorSRHT(6, (3, 4), rng=rng),
    "khatri_rao": lambda rng: sketch.KhatriRao(6, (3, 4), rng=rng),
    "khatri_rao_signs": lambda rng: sketch.KhatriRao(6, (3, 4), base="rademacher", rng=rng),
    "khatri_rao_normal": lambda rng: sketch.KhatriRao(6, (3, 4), base="gaussian", rng=rng),
    "stack": lambda rng: sketch.SparseSign(4, 12, nnz_per_col=2, rng=rng).extend(2),
}
TRIALS = 2000


def mutant_scale(rng):
    return 1.05 * sketch.SparseSign(6, 12, nnz_per_col=4, rng=rng).toarray()


def mutant_sign(rng):
    S = sketch.SparseSign(6, 12, nnz_per_col=4, rng=rng).toarray()
    return np.where(np.random.default_rng(rng).random(S.shape) < 0.3, np.abs(S), S)


def mutant_column(rng):
    S = sketch.Gaussian(6, 12, rng=rng).toarray()
    S[:, 7] *= 1.1
    return S


MUTANTS = {"scale": mutant_scale, "sign": mutant_sign, "column": mutant_column}


def gram_z(make):
    samples = [(S := make(20_260 + t)).T @ S for t in range(TRIALS)]
    return worst_z(samples, np.eye(12))


@pytest.mark.parametrize("name", SMALL)
def test_p6_inner_products_are_right_on_average(name):
    """E[S^T S] = I entry by entry, which is E[<Sx, Sy>] = <x, y> for all x and y."""
    assert gram_z(lambda rng: SMALL[name](rng).toarray()) < quantile(144)


@pytest.mark.parametrize("name", MUTANTS)
def test_p6_refuses_mutants(name):
    assert gram_z(MUTANTS[name]) > quantile(144)


FLAT = np.where(np.arange(64) % 3 == 0, -1.0, 1.0) / 8
TALL = {
    "gaussian": lambda rng: sketch.Gaussian(32, 64, rng=rng),
    "rademacher": lambda rng: sketch.Rademacher(32, 64, rng=rng),
    "sparse_sign": lambda rng: sketch.SparseSign(32, 64, rng=rng),
    "sparse_uniform": lambda rng: sketch.SparseUniform(32, 64, rng=rng),
    "countsketch": lambda rng: sketch.CountSketch(32, 64, rng=rng),
    "very_sparse": lambda rng: sketch.VerySparse(32, 64, rng=rng),
    "less": lambda rng: sketch.LESS(32, 64, nnz_per_row=16, rng=rng),
    "row_sample": lambda rng: sketch.RowSampling(32, 64, rng=rng),
    "srht": lambda rng: sketch.SRHT(32, 64, rng=rng),
    "srht_stream": lambda rng: sketch.SRHT(32, 64, stream_block=8, rng=rng),
    "srtt": lambda rng: sketch.SRTT(32, 64, rng=rng),
}


def moments(apply):
    """How far the mean of ||Sx||^2 is from 1, in standard errors, and its variance."""
    squares = [float(np.sum(apply(40_100 + t) ** 2)) for t in range(TRIALS)]
    return worst_z(squares, 1.0), float(np.var(squares))


@pytest.mark.parametrize("name", TALL)
def test_p6_squared_norms_have_mean_one_and_variance_of_order_two_over_d(name):
    z, variance = moments(lambda rng: TALL[name](rng) @ FLAT)
    assert z < quantile(1)
    # (2 + c) / d; the estimate is off by sqrt(2 / 2000) = 3 % (more for heavy tails), and c = 1/2
    assert variance <= 2.5 / 32


def test_p6_refuses_a_wrong_scale_and_a_wrong_number_of_rows():
    z, _ = moments(lambda rng: 1.03 * (TALL["sparse_sign"](rng) @ FLAT))
    assert z > quantile(1)
    _, variance = moments(lambda rng: sketch.SparseSign(16, 64, rng=rng) @ FLAT)
    assert variance > 2.5 / 32


def uniform_p(values, bins):
    if bins == 1:  # nothing to be uneven
        return 1.0
    return scipy.stats.chisquare(np.bincount(values, minlength=bins)).pvalue


@pytest.mark.parametrize(("d", "nnz"), [(40, 8), (43, 8), (7, 3), (16, 1), (9, 9)])
def test_p7_columns_of_a_sparse_sign_sketch(d, nnz):
    """Exactly nnz entries +-nnz**-1/2, one in each block; rows and signs uniform together."""
    S, m = sketch.SparseSign(d, 20_000, nnz_per_col=nnz, rng=271_828), 20_000
    block = S[:, :m]
    assert np.all(np.diff(block.indptr) == nnz)
    np.testing.assert_array_equal(np.abs(block.data), 1 / math.sqrt(nnz))
    rows = block.indices.reshape(m, nnz)
    signs = block.data.reshape(m, nnz) > 0
    heights = [d // nnz + (q < d % nnz) for q in range(nnz)]
    borders = np.concatenate([[0], np.cumsum(heights)])
    assert borders[-1] == d
    for q in range(nnz):
        place = rows[:, q] - borders[q]
        assert place.min() >= 0
        assert place.max() < heights[q]
        assert uniform_p(2 * place + signs[:, q], 2 * heights[q]) > ALARM / 2 / nnz
    if nnz > 1:  # neighbours in a column, and neighbouring columns, know nothing of each other
        pairs = (rows[:, 0] - borders[0]) * heights[1] + rows[:, 1] - borders[1]
        assert uniform_p(pairs, heights[0] * heights[1]) > ALARM / 4
    else:
        assert uniform_p(rows[::2, 0] * d + rows[1::2, 0], d * d) > ALARM / 4
    parity = signs[:-1, 0] ^ signs[1:, 0]
    assert scipy.stats.binomtest(int(parity.sum()), m - 1).pvalue > ALARM / 4


def rows_p(rows, d, nnz):
    """Test whether the rows of columns are uniform over all d rows, nnz distinct ones in each.

    As those of a column exclude each other, their counts scatter less than those of independent
    draws: each has the variance m p (1 - p) with p = nnz / d, any two the covariance
    -m p (1 - p) / (d - 1).
    """
    m = len(rows)
    counts = np.bincount(rows.ravel(), minlength=d)
    mean, spread = m * nnz / d, m * nnz / d * (1 - nnz / d) * d / (d - 1)
    return scipy.stats.chi2.sf(np.sum((counts - mean) ** 2) / spread, d - 1)


@pytest.mark.parametrize(("d", "nnz"), [(40, 8), (43, 8), (7, 3), (16, 1), (9, 2)])
def test_p7_columns_of_a_sparse_uniform_sketch(d, nnz):
    """Exactly nnz entries +-nnz**-1/2 in distinct rows; each of the sets, rows and signs alike."""
    S, m = sketch.SparseUniform(d, 20_000, nnz_per_col=nnz, rng=271_829), 20_000
    block = S[:, :m]
    assert np.all(np.diff(block.indptr) == nnz)
    np.testing.assert_array_equal(np.abs(block.data), 1 / math.sqrt(nnz))
    rows = block.indices.reshape(m, nnz)
    assert np.all(np.diff(rows, axis=1) > 0)  # sorted and distinct
    assert rows.min() == 0
    assert rows.max() == d - 1
    assert rows_p(rows, d, nnz) > ALARM / 4
    signs = block.data > 0
    for r in (0, d // 2, d - 1):
        here = signs[block.indices == r]
        assert scipy.stats.binomtest(int(here.sum()), here.size).pvalue > ALARM / 4 / 3
    if nnz > 1:  # one pair of a column, any two of its rows
        pick = np.random.default_rng(60_102).permuted(rows, axis=1)[:, :2]
        pairs = pick[:, 0] * d + pick[:, 1]
        off = np.flatnonzero(~np.eye(d, dtype=bool).ravel())
        counts = np.bincount(pairs, minlength=d * d)
        assert counts[:: d + 1].sum() == 0
        assert scipy.stats.chisquare(counts[off]).pvalue > ALARM / 4
    else:
        assert uniform_p(rows[::2, 0] * d + rows[1::2, 0], d * d) > ALARM / 4
    parity = signs[::nnz][:-1] ^ signs[::nnz][1:]
    assert scipy.stats.binomtest(int(parity.sum()), m - 1).pvalue > ALARM / 4


def test_p7_every_set_of_rows_is_as_likely():
    """All 35 sets of 4 among 7 rows, and the blocks of the other layout, which are not uniform."""
    index = np.zeros(1 << 7, int)
    index[[sum(1 << i for i in c) for c in itertools.combinations(range(7), 4)]] = np.arange(35)
    rows = sketch.SparseUniform(7, 20_000, nnz_per_col=4, rng=8_118)[:, :].indices.reshape(-1, 4)
    assert uniform_p(index[(1 << rows).sum(axis=1)], 35) > ALARM
    rows = sketch.SparseSign(7, 20_000, nnz_per_col=4, rng=8_118)[:, :].indices.reshape(-1, 4)
    assert uniform_p(index[(1 << rows).sum(axis=1)], 35) < ALARM
    assert rows_p(rows, 7, 4) < ALARM  # blocks of two rows and of one


def test_p7_refuses_mutants():
    """Three per cent too many pluses; the first row a third too often."""
    random = np.random.default_rng(5_771)
    rows, signs = random.integers(0, 5, 20_000), random.random(20_000) < 0.53
    assert uniform_p(2 * rows + signs, 10) < ALARM
    often = np.where(random.random(20_000) < 1 / 12, 0, rows)
    assert uniform_p(2 * often + (random.random(20_000) < 0.5), 10) < ALARM


def test_p7_signs_of_a_rademacher_sketch():
    plus = sketch.Rademacher(64, 5000, rng=60_606).toarray() > 0
    assert scipy.stats.binomtest(int(plus.sum()), plus.size).pvalue > ALARM / 3
    for other in (plus[1:] ^ plus[:-1], plus[:, 1:] ^ plus[:, :-1]):
        assert scipy.stats.binomtest(int(other.sum()), other.size).pvalue > ALARM / 3


def test_p7_entries_of_a_very_sparse_sketch():
    S = sketch.VerySparse(40, 5000, s=9, rng=80_800)
    block = S[:, :5000]
    drawn = round(2**31 / 9) / 2**31
    np.testing.assert_allclose(np.abs(block.data), 1 / math.sqrt(drawn * 40), rtol=1e-14)
    assert scipy.stats.binomtest(block.nnz, 200_000, 1 / 9).pvalue > ALARM / 3
    assert scipy.stats.binomtest(int((block.data > 0).sum()), block.nnz).pvalue > ALARM / 3
    assert uniform_p(block.indices, 40) > ALARM / 3


def test_p6_very_sparse_sketches_are_scaled_by_the_probability_that_is_drawn():
    """A probability of 2000.4 / 2**31 becomes 2000 / 2**31: E[entry**2] = 1/d is for that one."""
    S = sketch.VerySparse(4096, 4096, s=2**31 / 2000.4, rng=11_100)
    hits = S[:, :].data
    assert 2 <= hits.size <= 50  # 15.6 are to be expected
    np.testing.assert_allclose(hits**2 * (2000 / 2**31), 1 / 4096, rtol=1e-14)


def test_p7_places_of_a_less_sketch():
    """Draws go where the probabilities say."""
    p = np.arange(1, 9) / 36
    S = sketch.LESS(4000, 8, nnz_per_row=1, probabilities=p, rng=31_313)
    counts = np.diff(S[:, :8].indptr)
    assert scipy.stats.chisquare(counts, 4000 * p).pvalue > ALARM / 2
    uniform = sketch.LESS(4000, 8, nnz_per_row=1, rng=31_314)
    assert scipy.stats.chisquare(np.diff(uniform[:, :8].indptr)).pvalue > ALARM / 2
    assert scipy.stats.chisquare(counts).pvalue < ALARM  # so the test can fail


def test_p7_rows_of_a_row_sample():
    """Rows go where the probabilities say, and draws know nothing of each other."""
    p = np.arange(1, 9) / 36
    S = sketch.RowSampling(8000, 8, probabilities=36 * p, rng=31_315)
    block = S[:, :].tocsr()
    assert np.all(np.diff(block.indptr) == 1)
    rows = block.indices
    np.testing.assert_allclose(block.data, 1 / np.sqrt(8000 * p[rows]), rtol=1e-14)
    counts = np.bincount(rows, minlength=8)
    assert scipy.stats.chisquare(counts, 8000 * p).pvalue > ALARM / 3
    pairs = np.bincount(rows[::2] * 8 + rows[1::2], minlength=64)
    assert scipy.stats.chisquare(pairs, 4000 * np.outer(p, p).ravel()).pvalue > ALARM / 3
    uniform = sketch.RowSampling(8000, 8, rng=31_316)[:, :]
    assert scipy.stats.chisquare(np.diff(uniform.indptr)).pvalue > ALARM / 3
    assert scipy.stats.chisquare(counts).pvalue < ALARM  # so the test can fail


def test_p9_leverage_scores_embed_the_subspaces_that_equal_probabilities_lose():
    for name, U in subspaces().items():
        scores = np.sum(U**2, axis=1)
        low = min(
            sketch.distortion(
                sketch.RowSampling(8 * ROWS, LONG, probabilities=scores, rng=seed), U
            )[0]
            for seed in SEEDS[:10]
        )
        assert low >= 0.30, name


def test_p7_slots_and_samples_of_transforms_are_uniform():
    """Where a row goes, and which outputs are kept, over many seeds."""
    first, kept = [], []
    for seed in range(9_100, 12_100):
        S = sketch.SRTT(2, 10, rng=seed)
        first.append(int(S._slots(3, 4)[0]))
        kept += S._sample().tolist()
    assert uniform_p(np.array(first), 10) > ALARM / 2
    assert uniform_p(np.array(kept), 10) > ALARM / 2


def test_p8_entries_of_a_gaussian_sketch_are_normal():
    S = sketch.Gaussian(200, 2000, rng=123_457)
    z = (S.toarray() * math.sqrt(200)).ravel()
    assert scipy.stats.kstest(z, "norm").pvalue > ALARM / 4
    assert scipy.stats.kstest(z**2, "chi2", args=(1,)).pvalue > ALARM / 4
    n = z.size
    assert abs(scipy.stats.kurtosis(z)) < quantile(4) * math.sqrt(24 / n)
    neighbours = float(np.mean(S.toarray()[1:] * S.toarray()[:-1]) * 200)
    assert abs(neighbours) < quantile(4) / math.sqrt(n - 2000)


def test_p8_refuses_mutants():
    z = (sketch.Gaussian(200, 2000, rng=123_457).toarray() * math.sqrt(200)).ravel()
    assert scipy.stats.kstest(1.02 * z, "norm").pvalue < ALARM
    twelve = np.random.default_rng(2).random((z.size, 12)).sum(axis=1) - 6  # a well-known shortcut
    assert abs(scipy.stats.kurtosis(twelve)) > quantile(4) * math.sqrt(24 / z.size)


# P9 at n = 64, d = 4 n, for the kinds of subspaces that tell embeddings apart
LONG, N, ROWS, SEEDS = 2048, 64, 256, range(86_000, 86_050)
GOOD = {
    "gaussian": lambda rng: sketch.Gaussian(ROWS, LONG, rng=rng),
    "rademacher": lambda rng: sketch.Rademacher(ROWS, LONG, rng=rng),
    "sparse_sign": lambda rng: sketch.SparseSign(ROWS, LONG, nnz_per_col=8, rng=rng),
    "sparse_uniform": lambda rng: sketch.SparseUniform(ROWS, LONG, nnz_per_col=8, rng=rng),
    "srht": lambda rng: sketch.SRHT(ROWS, LONG, rng=rng),
    "srht_stream": lambda rng: sketch.SRHT(ROWS, LONG, stream_block=512, rng=rng),
    "srtt": lambda rng: sketch.SRTT(ROWS, LONG, rng=rng),
    "stack": lambda rng: sketch.SparseSign(ROWS // 2, LONG, rng=rng).extend(ROWS // 2),
}
BAD = {
    "srht_plain": lambda rng: sketch.SRHT(ROWS, LONG, permute=False, rng=rng),
    "srtt_plain": lambda rng: sketch.SRTT(ROWS, LONG, permute=False, rng=rng),
    "countsketch": lambda rng: sketch.CountSketch(ROWS, LONG, rng=rng),
    "very_sparse": lambda rng: sketch.VerySparse(ROWS, LONG, rng=rng),
    "row_sample": lambda rng: sketch.RowSampling(ROWS, LONG, rng=rng),
}


@functools.cache
def subspaces():
    haar = np.linalg.qr(np.random.default_rng(991).standard_normal((LONG, N)))[0]
    coordinate = np.eye(LONG, N)
    strided = np.zeros((LONG, N))
    strided[np.arange(N) * (LONG // N), np.arange(N)] = 1
    mixed = np.linalg.qr(np.hstack([coordinate[:, : N // 2], haar[:, : N // 2]]))[0]
    return {"haar": haar, "coordinate": coordinate, "strided": strided, "mixed": mixed}


def smallest(make):
    """The smallest singular value on each kind of subspace, over all seeds."""
    U = np.hstack(list(subspaces().values()))
    low = np.full(len(subspaces()), np.inf)
    for seed in SEEDS:
        Y = make(seed) @ U
        for k in range(low.size):
            values = np.linalg.svd(Y[:, k * N : (k + 1) * N], compute_uv=False)
            low[k] = min(low[k], values[-1])
    return dict(zip(subspaces(), low, strict=True))


@pytest.mark.parametrize("name", GOOD)
def test_p9_embeds_every_subspace(name):
    """A Gaussian's value is below 0.30 = 1 - sqrt(n/d) - 0.2 with probability exp(-d 0.2^2 / 2)
    by the theorem of Davidson and Szarek, in fact far less: 0.46 was the worst seen.
    """
    low = smallest(GOOD[name])
    assert min(low.values()) >= 0.30, low


@pytest.mark.parametrize("name", BAD)
def test_p9_refuses_sketches_that_lose_coordinates(name):
    """Without these failures the test above would show nothing."""
    low = smallest(BAD[name])
    assert low["haar"] >= 0.30, low  # on most subspaces nothing is wrong with them
    assert low["coordinate"] < 0.30, low
    assert low["strided"] < 0.30, low


def test_less_sketches_invert_with_little_bias():
    """The mean of n/tr(...) over draws: d / (d - n) within a few per cent, as a Gaussian's."""
    n, d, m = 5, 40, 200
    A = np.linalg.qr(np.random.default_rng(55).standard_normal((m, n)))[0]
    scores = np.sum(A**2, axis=1)
    traces = []
    for seed in range(47_000, 48_000):
        S = sketch.LESS(d, m, nnz_per_row=n, probabilities=scores, rng=seed)
        Y = S @ A
        traces.append(np.trace(np.linalg.inv(Y.T @ Y)) / n)
    mean, error = np.mean(traces), np.std(traces) / math.sqrt(len(traces))
    assert abs(mean - d / (d - n)) < 0.05 + quantile(1) * error
    assert mean - 1 > quantile(1) * error  # the bias that the factor corrects is there


def test_families_of_the_moment_tests_are_all_families():
    assert {SMALL[k](1).family for k in SMALL} == {FAMILIES[k](1).family for k in FAMILIES}
    assert M == 45
