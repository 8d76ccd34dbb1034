"""Sensitivities: against linear programs, the laws they obey, and the bounds that come with them."""

import math

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

import lrla
from lrla.sampling import (
    leverage_scores,
    lewis_weights,
    max_sensitivity,
    sensitivities,
    total_sensitivity,
)
from lrla.testing import row_designs

EXPONENTS = (1, 1.1, 1.5, 3, 4, 8, math.inf)


def heavy(m, n, seed=90210):
    return np.random.default_rng(seed).standard_t(2, (m, n))


def by_linear_program(A, i, p):
    """Solve the problem of row i for p = 1 or infinity as SciPy's users would."""
    m, n = A.shape
    k = m if p == 1 else 1  # one bound for each residual, or one for all
    bound = -np.eye(m) if p == 1 else -np.ones((m, 1))
    done = scipy.optimize.linprog(
        np.append(np.zeros(n), np.ones(k)),
        A_ub=np.block([[A, bound], [-A, bound]]),
        b_ub=np.zeros(2 * m),
        A_eq=np.append(A[i], np.zeros(k))[None],
        b_eq=[1],
        bounds=[(None, None)] * n + [(0, None)] * k,
    )
    return 1 / done.fun


@pytest.mark.parametrize("p", [1, math.inf])
@pytest.mark.parametrize(("name", "A"), list(row_designs(80, 4, rng=90210).items()))
def test_they_are_what_linear_programs_say(name, A, p):
    rows = np.arange(0, 80, 16)
    found = sensitivities(A, p, rows=rows, tol=1e-6)
    want = [by_linear_program(A, i, p) for i in rows]
    np.testing.assert_allclose(found.scores, want, rtol=2e-6)
    assert np.all(found.lower <= np.multiply(want, 1 + 1e-6))  # what the solver leaves open
    assert np.all(found.upper >= np.multiply(want, 1 - 1e-6))


@pytest.mark.parametrize("p", [1.3, 3.0, 6.0])
def test_they_are_what_a_general_minimiser_says(p):
    A = heavy(40, 3)
    found = sensitivities(A, p, rows=[0, 7])
    for i, s in zip((0, 7), found.scores, strict=True):
        Z = np.linalg.svd(A[i : i + 1])[2]
        start, free = Z[0] / (A[i] @ Z[0]), Z[1:].T
        best = scipy.optimize.minimize(
            lambda z, x=start, N=free: np.sum(np.abs(A @ (x + N @ z)) ** p) ** (1 / p),
            np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-12, "fatol": 1e-15},
        )  # fmt: skip
        np.testing.assert_allclose(s, best.fun**-p, rtol=1e-5)


@pytest.mark.parametrize("p", EXPONENTS)
@pytest.mark.parametrize(("name", "A"), list(row_designs(300, 5, rng=90210).items()))
def test_bounds_meet_and_hold(name, A, p):
    """Every x is a lower bound: none that is tried exceeds the upper bound."""
    found = sensitivities(A, p, method="full")
    assert found
    assert found.info.gap <= 1e-5
    assert np.all(found.lower <= found.scores)
    assert np.all(found.scores <= found.upper)
    assert np.all(found.upper <= 1)
    random = np.random.default_rng(6021).standard_normal((5, 300))
    R = np.abs(A @ np.hstack([random, np.linalg.pinv(A.T @ A) @ A.T]))
    size = R.max(axis=0) if math.isinf(p) else np.sum(R**p, axis=0) ** (1 / p)
    share = np.max(np.where(size > 1e-9 * size.max(), R / size, 0), axis=1)
    share = share if math.isinf(p) else share**p
    assert np.all(share <= found.upper * (1 + 1e-9))


@pytest.mark.parametrize("p", EXPONENTS)
def test_lewis_bounds_hold_all_sensitivities(p):
    for A in row_designs(200, 5, rng=90210).values():
        exact = sensitivities(A, p, method="full")
        cheap = sensitivities(A, p, method="lewis_bounds")
        assert np.all(cheap.lower <= exact.upper)
        assert np.all(exact.lower <= cheap.upper)
        np.testing.assert_array_equal(cheap.scores, cheap.upper)


@pytest.mark.parametrize("p", [1.0, 1.5, 3.0, 5.0])
def test_they_lie_between_the_lewis_bounds_of_the_theory(p):
    A = heavy(200, 6)
    s, w = sensitivities(A, p), lewis_weights(A, p, tol=1e-9).weights
    low, high = sorted((1.0, 6 ** (p / 2 - 1)))
    assert np.all(s.upper >= low * w * (1 - 1e-7))
    assert np.all(s.lower <= high * w * (1 + 1e-7))


def test_two_is_leverage():
    A = heavy(100, 4)
    found = sensitivities(A, 2, rows=[5, 3])
    np.testing.assert_allclose(found.scores, leverage_scores(A).scores[[5, 3]], rtol=1e-13)
    np.testing.assert_allclose(
        sensitivities(A, 2 + 1e-7, rows=[5, 3]).scores, found.scores, rtol=1e-5
    )
    assert found.info.method == "leverage"


@pytest.mark.parametrize("p", EXPONENTS)
def test_a_row_without_which_the_rank_drops_has_sensitivity_one(p):
    A = heavy(60, 4)
    A[:, 3] = 0
    A[17, 3] = 1e-3
    found = sensitivities(A, p, rows=[17, 18])
    assert found.lower[0] > 1 - 1e-5
    assert found.scores[1] < 1 - 1e-3


@given(st.integers(0, 2**32 - 1), st.sampled_from(EXPONENTS))
def test_they_do_not_change_with_the_basis_and_do_not_rise_with_more_rows(seed, p):
    rng = np.random.default_rng(seed)
    m, n = int(rng.integers(6, 40)), int(rng.integers(1, 5))
    A = rng.standard_t(2, (m, n))
    rows = [0, m - 1]
    found = sensitivities(A, p, rows=rows, rng=1)
    same = sensitivities(A @ (rng.standard_normal((n, n)) + 3 * np.eye(n)), p, rows=rows, rng=2)
    np.testing.assert_allclose(same.scores, found.scores, rtol=1e-4)
    more = sensitivities(np.vstack([A, rng.standard_normal((3, n))]), p, rows=rows, rng=1)
    assert np.all(more.lower <= found.upper * (1 + 1e-9))


@pytest.mark.parametrize("p", [1, 1.5, 3])
def test_a_lewis_sample_gives_close_scores_and_certain_bounds(p):
    A = heavy(20_000, 5)
    rows = np.arange(0, 20_000, 500)
    exact = sensitivities(A, p, rows=rows, method="full")
    found = sensitivities(A, p, rows=rows, method="lewis", rng=90210)
    assert found.info.size < 3000
    np.testing.assert_allclose(found.scores, exact.scores, rtol=0.08)
    assert np.all(found.lower <= exact.upper)
    assert np.all(exact.lower <= found.upper)
    larger = sensitivities(A, p, rows=rows, method="lewis", size=6000, rng=90210)
    assert larger.info.gap < 0.7 * found.info.gap


def test_bounds_hold_whatever_the_lewis_sample_is():
    """Mutant: problems solved over a dozen rows give wrong minimisers, but no wrong bounds."""
    A = heavy(400, 3)
    exact = sensitivities(A, 1.5, method="full")
    wrong = sensitivities(A, 1.5, method="lewis", size=12, rng=90210)
    assert np.max(wrong.scores / exact.scores - 1) < 1e-5
    assert np.min(wrong.scores / exact.scores) < 0.99
    assert np.all(wrong.upper >= exact.lower)


def test_auto_avoids_what_would_take_long():
    A = heavy(3000, 4)
    assert sensitivities(A, 1, rows=[0]).info.method == "full"
    solver_all = sensitivities(heavy(60_000, 3), 1, rows=np.arange(3))
    assert solver_all.info.method == "full"
    assert "seconds" in solver_all.info.reason
    from lrla.sampling._lp_frame import dense
    from lrla.sampling._sensitivity_solver import Solver

    assert Solver(dense(A)[0], 1.0, "auto", None, 1e-3, 1, 10**7).method == "lewis"


@pytest.mark.parametrize("p", [1, 3, math.inf])
def test_degenerate_data(p):
    A = heavy(30, 3)
    A[4] = 0
    found = sensitivities(A, p)
    assert found.scores[4] == found.lower[4] == found.upper[4] == 0
    assert np.all(found.scores[np.arange(30) != 4] > 0)
    with pytest.warns(lrla.RankDeficientWarning):
        wide = sensitivities(np.eye(2, 4), p)
    np.testing.assert_allclose(wide.scores, 1, rtol=1e-5)
    with pytest.warns(lrla.RankDeficientWarning):
        twice = sensitivities(np.hstack([A, A]), p)
    np.testing.assert_allclose(twice.scores, found.scores, rtol=1e-4)
    with pytest.warns(lrla.RankDeficientWarning):
        nothing = sensitivities(np.zeros((5, 2)), p)
    assert nothing.total == 0
    assert nothing.rank == 0
    np.testing.assert_allclose(sensitivities([[2.0]], p).scores, [1.0], rtol=1e-5)
    assert sensitivities(A, p, rows=[]).scores.shape == (0,)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
@pytest.mark.parametrize("p", [1, 3])
def test_scales(scale, p):
    A = heavy(50, 3)
    want = sensitivities(A, p, rows=[1, 2]).scores
    np.testing.assert_allclose(sensitivities(scale * A, p, rows=[1, 2]).scores, want, rtol=1e-4)


def test_single_precision_rounds_outwards():
    A = heavy(50, 3).astype(np.float32)
    found = sensitivities(A, 1)
    want = sensitivities(A.astype(np.float64), 1)
    assert found.scores.dtype == found.lower.dtype == found.upper.dtype == np.float32
    assert np.all(found.lower.astype(float) <= want.lower)
    assert np.all(found.upper.astype(float) >= np.minimum(want.upper, 1))


def test_kinds_of_input():
    from scipy.sparse import csr_array

    A = heavy(40, 3)
    A[np.abs(A) < 0.5] = 0
    want = sensitivities(A, 1.5, rng=1).scores
    np.testing.assert_allclose(sensitivities(csr_array(A), 1.5, rng=1).scores, want, rtol=1e-9)
    np.testing.assert_allclose(sensitivities(np.asfortranarray(A), 1.5).scores, want, rtol=1e-4)
    dask = pytest.importorskip("dask.array")
    chunks = dask.from_array(A, chunks=(11, 3))
    np.testing.assert_allclose(sensitivities(chunks, 1.5, rng=1).scores, want, rtol=1e-4)


@pytest.mark.parametrize("p", [1, 1.5, 4, math.inf])
def test_every_array_library(backend, p):
    A = heavy(30, 3)
    want = sensitivities(A, p, rng=1)
    found = sensitivities(backend.asarray(A), p, rows=[0, 3], rng=1)
    np.testing.assert_allclose(backend.to_numpy(found.scores), want.scores[[0, 3]], rtol=1e-4)
    if p != math.inf:
        few = sensitivities(backend.asarray(A), p, rows=[3], method="lewis", size=20, rng=1)
        assert float(few.lower[0]) <= want.upper[3]


def test_totals_on_every_array_library(backend):
    A = heavy(300, 3)
    found = total_sensitivity(backend.asarray(A), 1.5, eps=0.1, rng=1)
    want = total_sensitivity(A, 1.5, eps=0.1, rng=1)
    assert found.value == pytest.approx(want.value, rel=1e-3)
    assert max_sensitivity(backend.asarray(A), 1.5).index == max_sensitivity(A, 1.5).index


def test_threads_change_nothing_but_rounding():
    A = heavy(500, 4)
    with lrla.threads(1):
        one = sensitivities(A, 1.5, method="full", rng=1).lower
    with lrla.threads(2):
        two = sensitivities(A, 1.5, method="full", rng=1).lower
    np.testing.assert_allclose(one, two, rtol=1e-12)


@pytest.mark.parametrize("p", [1, 1.5, 3])
@pytest.mark.parametrize("name", ["heavy", "rare", "poly"])
@pytest.mark.statistical
def test_the_total_is_estimated_within_its_error(name, p):
    """Each interval misses with probability 2e-6, as 1 - level, if t is the right law."""
    A = row_designs(1500, 6, rng=90210)[name]
    exact = sensitivities(A, p, method="full").total
    found = total_sensitivity(A, p, eps=0.02, method="full", rng=90210)
    assert found
    assert found.standard_error <= 0.02 * found.value
    low, high = found.confidence_interval(1 - 2e-6)
    assert low <= exact <= high
    assert abs(found.value / exact - 1) < 0.12
    narrow = found.confidence_interval(0.5)
    assert low <= narrow[0] <= narrow[1] <= high


@pytest.mark.parametrize("p", [4, 20, 50, math.inf])
@pytest.mark.statistical
def test_the_total_for_large_p_is_not_that_of_the_rows_with_weight(p):
    """Each interval misses with probability 0.05, more than 6 of 20 with probability 3e-4 in all."""
    A = heavy(400, 4)
    exact = sensitivities(A, p, method="full").total
    found = [total_sensitivity(A, p, eps=0.15, rng=seed) for seed in range(20)]
    assert all(found)
    intervals = [f.confidence_interval() for f in found]
    assert sum(not low <= exact * (1 + 1e-4) <= high * (1 + 2e-4) for low, high in intervals) <= 6
    assert np.mean([f.value for f in found]) == pytest.approx(exact, rel=0.15)
    assert sum(f.standard_error > 0 for f in found) > 10  # by samples, not by all rows


def test_a_total_of_few_rows_is_exact():
    A = heavy(50, 3)
    found = total_sensitivity(A, 1)
    assert found.standard_error == 0
    assert found.info.n_rows == 50
    np.testing.assert_allclose(found.value, sensitivities(A, 1).total, rtol=1e-3)
    assert found.confidence_interval() == (found.value, found.value)
    assert total_sensitivity(A, 2).value == pytest.approx(3)


@pytest.mark.parametrize("p", [1, 1.5, 2, 4, math.inf])
def test_the_maximum_is_that_of_all(p):
    for name, A in row_designs(600, 4, rng=90210).items():
        scores = sensitivities(A, p).scores
        found = max_sensitivity(A, p)
        assert found
        assert found.upper <= found.lower * (1 + 1e-3)
        assert found.lower <= np.max(scores) * (1 + 1e-3)
        assert found.upper >= np.max(scores) * (1 - 1e-3)
        assert scores[found.index] >= np.max(scores) * (1 - 1e-3)
        if name == "heavy":
            assert found.info.n_rows < 200


@pytest.mark.slow
def test_real_data_have_far_less_than_the_worst_case():
    """Digits, p = 1: 61 columns are not zero, and the sum of all sensitivities is 19."""
    sklearn = pytest.importorskip("sklearn.datasets")
    A = sklearn.load_digits().data
    with pytest.warns(lrla.RankDeficientWarning):
        found = total_sensitivity(A, 1, rng=90210)
    assert found.rank == 61
    assert 16 < found.value < 22


CALLS = (sensitivities, total_sensitivity, max_sensitivity)


@pytest.mark.parametrize("call", CALLS)
def test_mistakes(call):
    A = heavy(20, 3)
    with pytest.raises(ValueError, match=r"p must be at least 1, got 0\.5"):
        call(A, 0.5)
    with pytest.raises(ValueError, match="p must be at least 1, got nan"):
        call(A, math.nan)
    with pytest.raises(TypeError, match=r"p must be a number, got '1\.5'"):
        call(A, "1.5")
    with pytest.raises(TypeError, match="p must be a number, got 'one'"):
        call(A, "one")
    with pytest.raises(ValueError, match="method must be one of auto, full"):
        call(A, 1, method="exact")
    with pytest.raises(ValueError, match="tol must be between 0 and 1, got 0"):
        call(A, 1, tol=0)
    with pytest.raises(ValueError, match="size must be an integer, at least 1, got 0"):
        call(A, 1, size=0)
    with pytest.raises(ValueError, match=r"'lewis' for infinite p.*; use 'auto'"):
        call(A, math.inf, method="lewis")
    with pytest.raises(TypeError, match="A must be real, got dtype complex128"):
        call(A + 0j, 1)
    with pytest.raises(ValueError, match="A must be finite"):
        call(np.where(A > 1, np.nan, A), 1)
    with pytest.raises(ValueError, match="at least one row"):
        call(A[:0], 1)


def test_mistakes_of_their_own():
    A = heavy(20, 3)
    with pytest.raises(ValueError, match="rows must be at least 0 and less than 20"):
        sensitivities(A, 1, rows=[20])
    with pytest.raises(ValueError, match=r"rows must have 1 dimensions, got shape \(\)"):
        sensitivities(A, 1, rows=3)
    with pytest.raises(ValueError, match="rows must be a vector of integers, got float64"):
        sensitivities(A, 1, rows=[0.5])
    with pytest.raises(ValueError, match="p must be positive, got 0"):
        sensitivities(A, 0, method="lewis_bounds")
    with pytest.raises(ValueError, match="eps must be between 0 and 1, got 2"):
        total_sensitivity(A, 1, eps=2)
    with pytest.raises(ValueError, match="level must be between 0 and 1, got 1"):
        total_sensitivity(A, 1).confidence_interval(1)
    for call in CALLS[1:]:
        with pytest.raises(ValueError, match="'full' or 'lewis', got 'lewis_bounds'"):
            call(A, 1, method="lewis_bounds")


def test_small_p_has_lewis_bounds():
    found = sensitivities(heavy(100, 3), 0.5, method="lewis_bounds")
    assert np.all(found.lower <= found.upper)


def test_a_tolerance_below_rounding_is_said_not_to_be_met():
    A = heavy(100, 4)
    with pytest.warns(lrla.ConvergenceWarning, match="not every problem was solved to tol"):
        found = sensitivities(A, 1, tol=1e-15)
    assert not found
    assert found.info.gap < 1e-5


def test_a_p_whose_powers_overflow_is_refused():
    A = np.random.default_rng(90210).standard_normal((150, 4))
    message = (
        "p must be larger for these data, got 0.001: Lewis weights, the smallest .*, to the power"
    )
    with pytest.raises(ValueError, match=message):
        sensitivities(A, 1e-3, method="lewis_bounds")
    assert np.all(sensitivities(A, 0.1, method="lewis_bounds").scores <= 1)


@pytest.mark.parametrize("p", [1, 4])
def test_the_largest_is_found_among_rows_that_look_alike(p):
    A = np.random.default_rng(90210).standard_normal((300, 3))
    A /= np.linalg.norm(A, axis=1)[:, None]  # all bounds by Lewis weights are near each other
    most, all_ = max_sensitivity(A, p), sensitivities(A, p, method="full")
    assert most.info.n_rows > 64
    assert most.lower <= all_.upper.max()
    assert most.upper >= all_.lower.max()
    assert most.lower == pytest.approx(all_.scores.max(), rel=1e-3)
