"""Sensitivities of groups of rows: what signs promise, what groups cost, and what is reported."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats

import lrla
from lrla._core.arrays import numpy_space
from lrla._core.random import key_of
from lrla.sampling import leverage_scores, max_sensitivity, sensitivities, total_sensitivity
from lrla.sampling._lp_frame import dense
from lrla.sampling._sensitivity_groups import by_groups, partition, plan
from lrla.sampling._sensitivity_solver import Solver
from lrla.testing import row_designs

EXPONENTS = (1, 1.5, 3, math.inf)


def heavy(m, n, seed=90210):
    return np.random.default_rng(seed).standard_t(2, (m, n))


def solver(A, p):
    return Solver(dense(A)[0], p, "grouped", None, 1e-5, 1, len(A))


def grouped(A, p, **options):
    return sensitivities(A, p, method="grouped", rng=90210, **options)


@pytest.mark.parametrize("p", EXPONENTS)
def test_half_of_all_signs_keep_the_sensitivity_of_each_row(p):
    """The lemma, over all signs; the mutant, sums without signs, loses rows that add up to zero."""
    A = heavy(40, 3)
    A[4] = -A[:4].sum(axis=0)
    exact = sensitivities(A, p, method="full", rows=range(5))
    signs = np.array(list(itertools.product([1.0, -1.0], repeat=5)))
    one = solver(A, p)
    of_sums = one.solve(signs @ one.frame.U[:5]).upper
    kept = np.mean(of_sums[:, None] >= exact.lower * (1 - 1e-9), axis=0)
    assert np.all(kept >= 0.5)
    assert of_sums[0] < 1e-9 < exact.lower.min()


@pytest.mark.statistical
@pytest.mark.parametrize("p", [1, 3])
def test_the_upper_bounds_hold_with_the_probability_promised(p):
    """100 partitions with delta = 0.1; more fail than 26 with probability 2e-6 at most."""
    A = np.repeat(heavy(12, 3), 5, axis=0)  # equal rows cancel in half of the cases
    exact, one, rows = sensitivities(A, p, method="full"), solver(A, p), np.arange(60)

    def failures(draws, group=6):
        found = (by_groups(one, rows, group, draws, seed) for seed in range(100))
        return sum(bool(np.any(f.upper < exact.lower * (1 - 1e-9))) for f in found)

    most = scipy.stats.binom.isf(2e-6, 100, 0.1)
    assert failures(plan(60, 6, 0.1).draws) <= most
    assert failures(1) > most  # the mutant: signs are drawn but once


@pytest.mark.parametrize("p", EXPONENTS)
@pytest.mark.parametrize("name", ["gauss", "heavy", "rare"])
def test_no_signs_exceed_what_the_group_has_together(name, p):
    A, group = row_designs(120, 4, rng=90210)[name], 7
    exact, one = sensitivities(A, p, method="full"), solver(A, p)
    for seed in range(3):
        found = by_groups(one, np.arange(120), group, 9, seed)
        order = partition(numpy_space(), 120, key_of(seed))
        assert sorted(order) == list(range(120))
        for first in range(0, 120, group):
            part = order[first : first + group]
            most = np.sum(exact.upper[part]) * (1 if math.isinf(p) else group ** (p - 1))
            assert np.all(found.upper[part] <= max(most, np.max(exact.upper[part])) * (1 + 1e-4))


@pytest.mark.parametrize("p", EXPONENTS)
def test_lower_bounds_are_certain_and_tell_much(p):
    for name, A in row_designs(300, 4, rng=90210).items():
        exact = sensitivities(A, p, method="full")
        cheap = sensitivities(A, p, method="lewis_bounds")
        found = grouped(A, p)
        assert np.all(found.lower <= exact.upper * (1 + 1e-9)), name
        assert np.all(exact.lower <= found.upper * (1 + 1e-9)), name  # no seed of chance: this one
        assert np.all(found.lower >= cheap.lower * 0.9)  # the weights are not the same, but near
        assert np.sum(found.lower) > 0.6 * exact.total, name
        np.testing.assert_array_equal(found.scores, found.upper)
        assert np.all(found.upper <= 1)


def test_large_sensitivities_are_found_in_their_groups():
    """Rows of very different sizes, p = 1: the bounds by Lewis weights are not as close."""
    A = row_designs(600, 8, rng=90210)["scales"]
    exact = sensitivities(A, 1, method="full")
    cheap = sensitivities(A, 1, method="lewis_bounds")
    found = grouped(A, 1, group=20)
    assert found.total < 0.9 * cheap.total
    large = np.argsort(exact.scores)[-10:]
    ratio = found.upper[large] / exact.scores[large]
    assert np.median(ratio) < 0.9 * np.median(cheap.upper[large] / exact.scores[large])


def test_what_is_reported():
    A = heavy(500, 3)
    found = grouped(A, 1)
    info = found.info
    assert found
    assert info.method == "grouped"
    assert info.draws == math.ceil(math.log2(500 / 0.01)) == 16
    assert info.group == 64
    assert info.n_problems == 8 * 16
    assert info.gap > 0
    few = grouped(A, 1, rows=[7, 3, 400], group=2, delta=0.5)
    assert (few.info.group, few.info.draws, few.info.n_problems) == (2, 3, 6)
    assert few.scores.shape == (3,)
    assert np.all(few.lower <= few.upper)
    assert grouped(A, 1, rows=[7, 3], group=50).info.group == 2
    full = sensitivities(A, 1, rows=[4, 5])
    assert full.info.group is None
    assert full.info.draws is None
    assert full.info.n_problems == 2
    assert sensitivities(A, 1, method="lewis_bounds").info.n_problems == 0


def test_equal_seeds_give_equal_answers_and_other_seeds_other_groups():
    A = row_designs(200, 4, rng=90210)["scales"]
    first, again, other = (
        sensitivities(A, 1, method="grouped", group=20, rng=r) for r in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.upper, again.upper)
    assert np.any(first.upper != other.upper)


def test_one_row_to_a_group_is_that_row():
    A = heavy(60, 3)
    exact, found = sensitivities(A, 1.5, method="full"), grouped(A, 1.5, group=1)
    np.testing.assert_allclose(found.upper, exact.upper, rtol=1e-4)
    np.testing.assert_allclose(found.lower, exact.lower, rtol=1e-4)


def test_two_is_leverage():
    A = heavy(60, 3)
    found = grouped(A, 2)
    np.testing.assert_allclose(found.scores, leverage_scores(A).scores, rtol=1e-12)
    assert found.info.n_problems == 0


@pytest.mark.parametrize("p", [1, 3])
def test_a_sample_of_rows_as_the_reference(p, monkeypatch):
    """Where all rows would take long, problems are solved over a Lewis sample, and bounds still hold."""
    A = heavy(3000, 3)
    rows = np.arange(0, 3000, 20)
    exact = sensitivities(A, p, rows=rows, method="full")
    monkeypatch.setattr("lrla.sampling._sensitivity_solver._PATIENCE", 0.0)
    found = grouped(A, p, rows=rows, group=10, size=300)
    assert found.info.size == 300
    assert np.all(found.lower <= exact.upper * (1 + 1e-9))
    assert np.all(exact.lower <= found.upper * (1 + 1e-9))


@pytest.mark.parametrize("p", [1, 3, math.inf])
def test_degenerate_data(p):
    A = np.repeat(heavy(15, 3), 4, axis=0)
    A[4:8] = 0
    found = grouped(A, p, group=4)
    assert np.all(found.upper[4:8] == 0)
    assert np.all(found.lower[8:] > 0)
    assert grouped(A, p, rows=[]).scores.shape == (0,)
    assert grouped(A, p, rows=[4, 5]).total == 0
    np.testing.assert_allclose(grouped([[2.0]], p).scores, [1.0], rtol=1e-5)
    with pytest.warns(lrla.RankDeficientWarning):
        twice = grouped(np.hstack([A, A]), p, group=4)
    np.testing.assert_allclose(twice.upper, found.upper, rtol=1e-3)
    with pytest.warns(lrla.RankDeficientWarning):
        assert grouped(np.zeros((5, 2)), p).total == 0


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_scales(scale):
    A = heavy(50, 3)
    want = grouped(A, 1, group=5)
    np.testing.assert_allclose(grouped(scale * A, 1, group=5).upper, want.upper, rtol=1e-4)


def test_single_precision_and_sparse():
    from scipy.sparse import csr_array

    A = heavy(50, 3).astype(np.float32)
    found = grouped(A, 1, group=5)
    want = grouped(A.astype(float), 1, group=5)
    assert found.upper.dtype == np.float32
    assert np.all(found.upper >= want.upper * (1 - 1e-12))
    sparse = grouped(csr_array(A.astype(float)), 1, group=5)
    np.testing.assert_allclose(sparse.upper, want.upper, rtol=1e-4)


@pytest.mark.parametrize("p", [1, 3, math.inf])
def test_every_array_library(backend, p):
    A = heavy(40, 3)
    want = grouped(A, p, group=6)
    found = grouped(backend.asarray(A), p, group=6)
    np.testing.assert_allclose(backend.to_numpy(found.upper), want.upper, rtol=1e-4)
    np.testing.assert_allclose(backend.to_numpy(found.lower), want.lower, rtol=1e-2)


def test_mistakes():
    A = heavy(20, 3)
    with pytest.raises(ValueError, match="group must be an integer, at least 1, got 0"):
        grouped(A, 1, group=0)
    with pytest.raises(ValueError, match=r"group must be an integer, at least 1, got 2\.5"):
        grouped(A, 1, group=2.5)
    with pytest.raises(ValueError, match="delta must be between 0 and 1, got 1"):
        grouped(A, 1, delta=1)
    for call in (total_sensitivity, max_sensitivity):
        with pytest.raises(ValueError, match="'full' or 'lewis', got 'grouped'"):
            call(A, 1, method="grouped")


def test_few_rows_are_solved_one_by_one():
    A = np.random.default_rng(90210).standard_normal((5, 2))
    found, want = grouped(A, 1), sensitivities(A, 1, method="full")
    assert (found.info.method, found.info.n_problems, found.info.group) == ("full", 5, None)
    np.testing.assert_array_equal(found.scores, want.scores)


def test_leverage_scores_have_no_groups():
    A = np.random.default_rng(90210).standard_normal((500, 2))
    info = grouped(A, 2).info
    assert (info.method, info.n_problems, info.group, info.draws) == ("leverage", 0, None, None)
