"""Samples that keep l_p norms: sizes, schemes, what they keep, and what is reported."""

import numpy as np
import pytest

import lrla
from lrla.sampling import distortion, leverage_scores, sample_rows, sensitivities, subspace_sample
from lrla.sampling._distortion import Measure
from lrla.sampling._lp_frame import dense
from lrla.sampling._subspace import _draw, _mixed, _scores
from lrla.testing import row_designs

CASES = [
    ("lewis", 1.5),
    ("leverage", 2),
    ("root_leverage", 1),
    ("sensitivity", 1),
    ("mixed", 3),
    ("uniform", 3),
]


def heavy(m, n, seed=90210):
    return np.random.default_rng(seed).standard_t(2, (m, n))


def errors(A, p, size, count=5, scheme="lewis"):
    """Return the distortion of several samples, as `subspace_sample` draws them."""
    op, _ = dense(A)
    leverage = leverage_scores(A)
    scores, measure = _scores(op, p, scheme, leverage, 1), Measure(op, p, 1)
    draws = [_draw(op, p, scheme, scores, leverage.rank, size, "pivotal", s) for s in range(count)]
    return [measure(sample).eps for sample, _ in draws]


@pytest.mark.parametrize(
    ("scheme", "p", "rows"),
    [("leverage", 2, 4 * 3), ("lewis", 1, 4 * 3), ("lewis", 4, 4 * 9), ("root_leverage", 1, 4 * 3)],
)
def test_eps_asks_for_four_times_what_theory_leaves_open(scheme, p, rows):
    sample = subspace_sample(heavy(4000, 3), p, eps=0.5, scheme=scheme, verify=False, rng=5)
    assert sample.info.size == rows / 0.5**2


@pytest.mark.statistical
@pytest.mark.parametrize(("scheme", "p"), CASES)
def test_sums_of_powers_are_unbiased(scheme, p):
    """The mean of 100 samples is off by 5 of its standard errors with probability 6e-7."""
    A, x = np.random.default_rng(90210).standard_normal((60, 2)), np.array([1.0, -0.5])
    want = np.sum(np.abs(A @ x) ** p)
    got = []
    for seed in range(100):
        sample = subspace_sample(A, p, size=25, scheme=scheme, verify=False, rng=seed)
        got.append(np.sum(np.abs(sample.rows(A, p) @ x) ** p))
    assert abs(np.mean(got) - want) < 5 * np.std(got) / 10


@pytest.mark.statistical
def test_distortion_falls_with_the_root_of_the_size():
    A = np.random.default_rng(90210).standard_normal((20_000, 8))
    sizes = [125, 250, 500, 1000, 2000]
    medians = [np.median(errors(A, 2, size)) for size in sizes]
    slope = np.polyfit(np.log(sizes), np.log(medians), 1)[0]
    assert -0.65 < slope < -0.4


@pytest.mark.slow
@pytest.mark.statistical
@pytest.mark.parametrize("p", [1, 3])
def test_mixed_is_never_much_worse_than_the_best(p):
    """Medians of 25 samples, which vary by a tenth of themselves."""
    for name, A in row_designs(1500, 6, rng=90210).items():
        mixed = np.median(errors(A, p, 200, 25, scheme="mixed"))
        others = ["lewis", "sensitivity", "leverage"] + ["root_leverage"] * (p < 2)
        best = min(np.median(errors(A, p, 200, 25, scheme=scheme)) for scheme in others)
        assert mixed <= 1.3 * best, name


def largest_leverage(A, p, q):
    """Return t of the notes of `subspace_sample`, times the size, for scores q."""
    q = q / q.sum()
    return np.max(leverage_scores(A, weights=q ** (1 - 2 / p)).scores / q)


@pytest.mark.parametrize("p", [2.5, 3, 4, 8])
def test_mixed_scores_bound_the_leverage_of_what_is_drawn(p):
    """The bound behind S**(2 - 4/p) rank**(2/p), which is not one of probability."""
    for name, A in row_designs(300, 5, rng=90210).items():
        scores = _scores(dense(A)[0], p, "mixed", leverage_scores(A), 1)
        bound = 2 * scores.total ** (1 - 2 / p) * 5 ** (2 / p)
        assert largest_leverage(A, p, scores.values) <= bound * 1.02, name  # s is known to 1e-2
        assert scores.need == pytest.approx(bound / 2 * scores.total ** (1 - 2 / p))


def test_sensitivities_alone_or_with_the_leverage_of_the_data_do_not():
    """Mutants: even rows, and a column with one large entry, of little leverage."""
    n, p, ones = 16, 4, 100_000
    even = np.random.default_rng(90210).standard_normal((600, n))
    column = np.append(np.ones(ones), (10 * ones) ** 0.25)
    A = np.zeros((len(even) + len(column), n + 1))
    A[: len(even), :n] = even
    A[len(even) :, n] = column
    s = np.append(sensitivities(even, p, tol=1e-2).scores, column**p / np.sum(column**p))
    leverage = leverage_scores(A)
    assert leverage.scores[-1] < 0.02
    assert s[-1] > 0.9
    mixed = _mixed(dense(A)[0], p, s, leverage, 1)
    bound = 2 * s.sum() ** (1 - 2 / p) * (n + 1) ** (2 / p)
    assert largest_leverage(A, p, mixed) < 0.6 * bound
    assert largest_leverage(A, p, s) > 1.05 * bound
    plain = s / s.sum() + leverage.scores / (n + 1)
    assert largest_leverage(A, p, plain) > 1.2 * bound


@pytest.mark.statistical
@pytest.mark.parametrize("p", [1, 2, 3])
def test_uniform_samples_fail_where_few_rows_carry_much(p):
    A = row_designs(2000, 6, rng=90210)["rare"]
    with pytest.warns(lrla.AccuracyWarning, match="uniform samples of 200 rows miss"):
        subspace_sample(A, p, size=200, scheme="uniform", verify=False)
    assert np.median(errors(A, p, 200, scheme="uniform")) > 0.99
    assert np.max(errors(A, p, 200)) < 0.6


@pytest.mark.statistical
def test_one_round_of_root_leverage_is_not_enough():
    """The mutant: one draw by tau**(p/2). Most of its rows are those of the even part."""
    rng = np.random.default_rng(90210)
    m, n = 20_000, 6
    A = np.zeros((m, n))
    A[:, 0] = 1
    for j in range(1, n):  # blocks of 40 rows each, which the sample must not lose
        A[40 * j : 40 * j + 40, j] = rng.standard_normal(40)
    once = leverage_scores(A).scores ** 0.5
    bad = [distortion(A, sample_rows(once, 150, rng=s), 1).eps for s in range(5)]
    good = errors(A, 1, 150, scheme="root_leverage")
    assert np.median(good) < 0.6 * np.median(bad)
    sample = subspace_sample(A, 1, size=150, scheme="root_leverage", rng=1)
    assert sample.info.rounds > 2
    assert len(sample) == 150
    assert sample.m == m
    np.testing.assert_allclose(sample.weights * sample.probs, sample.counts)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 4])
@pytest.mark.statistical
def test_eps_is_met(p):
    """By construction: a sample that is found to be worse is not returned without a warning."""
    for A in row_designs(2000, 3, rng=90210).values():
        sample = subspace_sample(A, p, eps=0.5, rng=90210)
        assert sample
        assert sample.info.distortion.eps <= 0.5
        assert distortion(A, sample, p, rng=1).eps <= 0.6
        assert sample.info.doublings <= 1
        assert len(sample) < 2000


def test_the_zero_set_is_kept():
    A = heavy(3000, 5)
    A[:, 4] = 0
    A[[3, 40], 4] = 1e-6  # two tiny rows that alone have this direction
    for p in (1, 2, 3):
        for scheme in ("lewis", "sensitivity", "mixed"):
            sample = subspace_sample(A, p, size=150, scheme=scheme, verify=False, rng=90210)
            assert np.linalg.matrix_rank(sample.rows(A, p) / [1, 1, 1, 1, 1e-6]) == 5


def test_what_is_reported():
    A = heavy(2000, 4)
    info = subspace_sample(A, 1, size=200, scheme="mixed", rng=90210).info
    assert info.scheme == "mixed"
    assert info.distortion_kind == "lower bound"
    assert info.rank == 4
    assert info.size == 200
    assert 1 < info.total_sensitivity < 4
    assert 0 < info.effective_size <= 200
    assert 1 <= info.weight_range[0] < info.weight_range[1]
    assert info.coherence == pytest.approx(leverage_scores(A).info.coherence)
    assert info.rounds == 1
    plain = subspace_sample(A, size=200, verify=False, rng=90210).info
    assert plain.distortion is None
    assert plain.distortion_kind is None
    assert plain.scheme == "leverage"
    exact = subspace_sample(A, eps=0.4, rng=90210)
    assert exact.info.distortion_kind == "exact"
    again = subspace_sample(A, eps=0.4, rng=90210)
    np.testing.assert_array_equal(exact.indices, again.indices)


def test_an_accuracy_that_is_not_reached_is_said(monkeypatch):
    monkeypatch.setattr("lrla.sampling._subspace._FACTOR", 0.05)  # a theory that is too optimistic
    A = np.random.default_rng(90210).standard_normal((4000, 8))
    with pytest.warns(lrla.AccuracyWarning, match=r"above eps=0\.4, with \d+ rows"):
        sample = subspace_sample(A, 2, eps=0.4, rng=1)
    assert not sample
    assert sample.info.doublings == 3


def test_doubling_ends_with_all_rows():
    A = heavy(60, 4)
    sample = subspace_sample(A, 1, eps=0.01, rng=1)
    assert len(sample) == 60
    assert sample.info.distortion.eps < 1e-9


@pytest.mark.parametrize("design", ["pivotal", "systematic", "poisson", "replacement", "bottom_k"])
def test_every_design(design):
    A = heavy(1000, 4)
    sample = subspace_sample(A, 1.5, size=300, design=design, rng=90210)
    assert sample.design == design
    assert sample.info.distortion.eps < 0.7


def test_fewer_rows_than_the_rank():
    with pytest.warns(lrla.AccuracyWarning, match="3 rows cannot span a space of dimension 5"):
        sample = subspace_sample(heavy(100, 5), 1, size=3, rng=1)
    assert sample.info.distortion.low < 1e-12


def test_rows_of_zeros_and_dependent_columns():
    A = heavy(100, 3)
    A[::2] = 0
    for scheme in ("lewis", "mixed", "root_leverage"):
        sample = subspace_sample(A, 1, size=20, scheme=scheme, rng=1)
        assert np.all(sample.indices % 2 == 1)
    with pytest.warns(lrla.AccuracyWarning, match="uniform samples of 20 rows"):
        sample = subspace_sample(A, 1, size=20, scheme="uniform", rng=1)
    assert np.all(sample.indices % 2 == 1)
    with pytest.warns(lrla.RankDeficientWarning):
        twice = subspace_sample(np.hstack([A, A]), 1, size=20, rng=1)
    assert twice.info.rank == 3


@pytest.mark.parametrize(("scheme", "p"), [("lewis", 1), ("mixed", 3), ("root_leverage", 1)])
def test_every_array_library(backend, scheme, p):
    A = heavy(80, 3)
    want = subspace_sample(A, p, size=30, scheme=scheme, rng=90210)
    found = subspace_sample(backend.asarray(A), p, size=30, scheme=scheme, rng=90210)
    np.testing.assert_array_equal(backend.to_numpy(found.indices), want.indices)
    np.testing.assert_allclose(backend.to_numpy(found.weights), want.weights, rtol=1e-3)


def test_single_precision_and_sparse():
    from scipy.sparse import csr_array

    A = heavy(300, 3).astype(np.float32)
    sample = subspace_sample(A, 1, size=50, rng=1)
    assert sample.weights.dtype == np.float32
    assert sample.rows(A, 1).dtype == np.float32
    sparse = subspace_sample(csr_array(A.astype(float)), 1, size=50, rng=1)
    assert sparse.rows(csr_array(A), 1).shape == (50, 3)


def test_mistakes():
    A = heavy(30, 2)
    with pytest.raises(ValueError, match="give either eps or size, got eps=None and size=None"):
        subspace_sample(A)
    with pytest.raises(ValueError, match=r"give either eps or size, got eps=0\.5 and size=9"):
        subspace_sample(A, eps=0.5, size=9)
    with pytest.raises(ValueError, match=r"eps must be between 0 and 1, got 1\.5"):
        subspace_sample(A, eps=1.5)
    with pytest.raises(ValueError, match="size must be an integer, at least 1, got 0"):
        subspace_sample(A, size=0)
    with pytest.raises(ValueError, match="scheme must be one of auto, lewis"):
        subspace_sample(A, size=5, scheme="best")
    with pytest.raises(ValueError, match="scheme 'root_leverage' is for p < 2, got p=3"):
        subspace_sample(A, 3, size=5, scheme="root_leverage")
    with pytest.raises(ValueError, match=r"scheme 'mixed' is for p >= 1, got p=0\.5"):
        subspace_sample(A, 0.5, size=5, scheme="mixed")
    with pytest.raises(ValueError, match="design must be one of pivotal"):
        subspace_sample(A, size=5, design="lucky")
    with pytest.raises(ValueError, match="which design 'bottom_k' cannot"):
        subspace_sample(A, 1, size=5, scheme="root_leverage", design="bottom_k")
    with (
        pytest.warns(lrla.RankDeficientWarning),
        pytest.raises(ValueError, match="A must not be zero"),
    ):
        subspace_sample(np.zeros((5, 2)), size=3)


# ------------------------------------------------------------------------------------- in words


@pytest.mark.parametrize(
    ("scheme", "p", "need"),
    [
        ("leverage", 2, lambda i: i.rank),
        ("lewis", 1, lambda i: i.rank),
        ("lewis", 3, lambda i: i.rank**1.5),
        ("root_leverage", 1, lambda i: i.rank),
        ("sensitivity", 1, lambda i: i.total_sensitivity * i.rank**0.5),
        ("sensitivity", 4, lambda i: i.total_sensitivity**1.5),
        ("mixed", 1, lambda i: i.total_sensitivity + i.rank),
        ("mixed", 4, lambda i: i.rank**0.5 * i.total_sensitivity),
        ("uniform", 2, lambda i: i.rank * i.coherence),
    ],
)
def test_samples_say_what_theory_promises(scheme, p, need):
    A = np.random.default_rng(90210).standard_normal((300, 3))
    sample = subspace_sample(
        A,
        p,
        size=100,
        scheme=scheme,
        design="replacement" if scheme != "root_leverage" else "poisson",
        rng=7,
    )
    text = sample.explain()
    eps = (need(sample.info) / len(sample)) ** 0.5
    assert f"eps = {eps:.2g} with {len(sample)} rows" in text
    assert f"scheme {scheme!r}, p = {p}" in text
    assert f"measured is {sample.info.distortion.eps:.2g}: {sample.info.distortion_kind}" in text
    assert "assumption" not in text


def test_samples_say_what_is_not_known():
    A = np.random.default_rng(90210).standard_normal((300, 3))
    pivotal = subspace_sample(A, 2, size=100, verify=False, rng=7).explain()
    assert "assumption not met: independent draws" in pivotal
    assert "not measured" in pivotal
    assert "promises nothing" in subspace_sample(A, 3, size=100, scheme="leverage", rng=7).explain()
    assert "no error" in subspace_sample(A, 2, size=300, rng=7).explain()
    with pytest.warns(lrla.AccuracyWarning):
        few = subspace_sample(A, 2, size=2, rng=7)
    assert "fewer rows than the rank, 3" in few.explain()
    own = sample_rows(np.ones(300), 100, rng=7).explain()
    assert own.startswith("100 of 300 rows, design 'pivotal'")
    assert "what the scores promise is not known here" in own


@pytest.mark.statistical
@pytest.mark.parametrize("design", ["pivotal", "poisson", "replacement", "systematic"])
def test_standard_errors_know_of_all_rounds(design):
    """Of 100 intervals for 95 % at least 70 hold the total; false alarms below 1e-9 at 90 %."""
    A, x = heavy(800, 3), np.array([1.0, -0.5, 0.3])
    values, total = np.abs(A @ x), np.sum(np.abs(A @ x))
    held = 0
    for seed in range(100):
        sample = subspace_sample(
            A, 1, size=60, scheme="root_leverage", design=design, verify=False, rng=seed
        )
        estimate = sample.estimate(values[sample.indices])
        assert estimate.approximate
        held += abs(estimate.value - total) <= 1.96 * estimate.standard_error
    assert held >= 70
