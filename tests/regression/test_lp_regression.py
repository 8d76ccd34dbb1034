"""`lp_regression`: linear programmes, laws, certificates, and what is refused."""

import dataclasses
import math
import re
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse.linalg import aslinearoperator

import lrla
from lrla.regression import lp_regression, quantile_regression

SEED = 90210
NORMS = (1, 1.05, 1.3, 1.5, 2, 3, 8, 64, np.inf)


def data(m=120, n=5, seed=SEED, noise="t"):
    rng = np.random.default_rng([seed, m, n])
    A = rng.standard_normal((m, n))
    A[:, 0] = 1
    e = rng.standard_t(1.5, m) if noise == "t" else rng.standard_normal(m)
    return A, A @ np.arange(1.0, n + 1) + e


def norm(r, p, weights=None):
    v = np.ones(r.shape[0]) if weights is None else weights
    if np.isinf(p):
        return np.max(v * abs(r))
    peak = max(np.max(abs(r)), 1e-300)
    return peak * np.sum(v * (abs(r) / peak) ** p) ** (1 / p)


def dual_norm(y, p, weights=None):
    v = np.ones(y.shape[0]) if weights is None else weights
    if p == 1:
        return np.max(abs(y) / v)
    return np.sum(abs(y) / v) if np.isinf(p) else norm(y / v, p / (p - 1), v)


def check(result, A, b, p, weights=None, tol=1e-8):
    """Hold an answer to its own certificate, recomputed."""
    r = b - A @ result.x
    np.testing.assert_allclose(result.residuals, r, rtol=0, atol=1e-9 * max(1, abs(b).max()))
    value = norm(r, p, weights)
    assert result.objective == pytest.approx(value, rel=1e-10)
    assert dual_norm(result.dual, p, weights) <= 1 + 1e-9
    size = np.linalg.norm(result.dual) * np.linalg.norm(A, 2)
    assert np.linalg.norm(A.conj().T @ result.dual) <= 1e-10 * size
    bound = np.real(np.vdot(result.dual, b))
    assert value - bound <= (tol + 1e-9) * value + 1e-12 * abs(b).max()
    assert 0 <= result.gap <= tol
    assert result


def by_linprog(A, b, p, weights=None):
    m, n = A.shape
    v = np.ones(m) if weights is None else weights
    if p == 1:
        cost = np.concatenate([np.zeros(n), v, v])
        equal = np.hstack([A, np.eye(m), -np.eye(m)])
        bounds = [(None, None)] * n + [(0, None)] * (2 * m)
        return linprog(cost, A_eq=equal, b_eq=b, bounds=bounds).fun
    cost = np.append(np.zeros(n), 1.0)
    below = np.hstack([v[:, None] * A, -np.ones((m, 1))])
    above = np.hstack([-v[:, None] * A, -np.ones((m, 1))])
    side = np.concatenate([v * b, -v * b])
    return linprog(cost, np.vstack([below, above]), side, bounds=(None, None)).fun


# -- against other solvers -----------------------------------------------------------------------


@pytest.mark.parametrize("p", [1, np.inf])
@pytest.mark.parametrize(("m", "n"), [(2, 1), (7, 3), (60, 4), (200, 12)])
@pytest.mark.parametrize("weighted", [False, True])
def test_linear_programmes(p, m, n, weighted):
    A, b = data(m, n)
    weights = np.random.default_rng(SEED).uniform(0.2, 3, m) if weighted else None
    result = lp_regression(A, b, p, weights=weights, rng=SEED)
    check(result, A, b, p, weights)
    assert result.objective == pytest.approx(by_linprog(A, b, p, weights), rel=1e-9, abs=1e-9)


def test_two_is_least_squares():
    A, b = data()
    result = lp_regression(A, b, 2, rng=SEED)
    np.testing.assert_allclose(result.x, lrla.lstsq(A, b).x, rtol=1e-10)


@pytest.mark.parametrize("p", [1.2, 1.5, 3, 7.5])
def test_the_gradient_vanishes(p):
    A, b = data(noise="normal")
    result = lp_regression(A, b, p, tol=1e-11, rng=SEED)
    r = b - A @ result.x
    g = abs(r) ** (p - 1) * np.sign(r)
    assert np.linalg.norm(A.T @ g) <= 1e-4 * np.linalg.norm(g)


def test_one_column_of_ones_gives_the_centres_of_old():
    b = np.array([5.0, 1.0, 2.0, 10.0, 3.0])
    A = np.ones((5, 1))
    assert lp_regression(A, b, 1).x[0] == pytest.approx(3, abs=1e-12)
    assert lp_regression(A, b, 2).x[0] == pytest.approx(4.2, abs=1e-12)
    assert lp_regression(A, b, np.inf).x[0] == pytest.approx(5.5, abs=1e-12)


@pytest.mark.parametrize("p", [1, np.inf])
def test_a_vertex_is_exact(p):
    """Rows are interpolated to rounding, as by the simplex method."""
    A, b = data(500, 6)
    result = lp_regression(A, b, p, rng=SEED)
    r = np.sort(abs(result.residuals))
    assert (r[5] if p == 1 else r[-1] - r[-7]) < 1e-12 * abs(b).max()
    assert result.gap < 1e-13


# -- laws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", NORMS)
@given(m=st.integers(1, 60), n=st.integers(1, 6), seed=st.integers(0, 2**32 - 1))
def test_every_answer_proves_itself(p, m, n, seed):
    if m < n:
        m, n = n, m
    A, b = data(m, n, seed)
    check(lp_regression(A, b, p, rng=seed), A, b, p)


@pytest.mark.parametrize("p", NORMS)
def test_equivariance(p):
    A, b = data(300, 4, noise="normal")
    plain = lp_regression(A, b, p, tol=1e-12 if 1 < p < 20 else 1e-8, rng=SEED)
    z, T = np.array([3.0, -1.0, 0.5, 2.0]), np.random.default_rng(5).standard_normal((4, 4))
    rough = 1e-9 if p in (1, 2, np.inf) else 1e-4
    for x, got in (
        (plain.x + z, lp_regression(A, b + A @ z, p, rng=SEED)),
        (-3 * plain.x, lp_regression(A, -3 * b, p, rng=SEED)),
        (np.linalg.solve(T, plain.x), lp_regression(A @ T, b, p, rng=SEED)),
    ):
        np.testing.assert_allclose(got.x, x, rtol=rough, atol=rough)
    last = lp_regression(A[::-1], b[::-1], p, rng=SEED)
    assert last.objective == pytest.approx(plain.objective, rel=1e-8)


@pytest.mark.parametrize("p", NORMS)
def test_weights_count_rows(p):
    A, b = data(80, 3)
    counts = np.random.default_rng(SEED).integers(0, 4, 80)
    weights = np.minimum(counts, 1) if np.isinf(p) else counts
    weighted = lp_regression(A, b, p, weights=weights, rng=SEED)
    repeated = lp_regression(np.repeat(A, counts, 0), np.repeat(b, counts), p, rng=SEED)
    assert weighted.objective == pytest.approx(repeated.objective, rel=1e-8)
    assert np.all(weighted.dual[counts == 0] == 0)
    np.testing.assert_allclose(
        weighted.residuals[counts > 0], (b - A @ weighted.x)[counts > 0], atol=1e-12
    )


@pytest.mark.parametrize("p", [1.1, 8, 33, 100, 200])
@pytest.mark.parametrize("complex_", [False, True])
def test_weights_over_many_decades(p, complex_):
    # their p-th roots scale the rows, and for large p hardly differ
    A, b = data(m=80, n=4)
    b = b + 1j * np.roll(b, 7) if complex_ else b
    weights = 10.0 ** np.random.default_rng([SEED, 3]).uniform(-8, 8, 80)
    result = lp_regression(A, b, p, weights=weights, rng=7)
    v = weights ** (1 / p)
    check(lp_regression(v[:, None] * A, v * b, p, rng=7), v[:, None] * A, v * b, p)
    assert result
    assert result.info.iterations <= 40
    value = norm(v * (b - A @ result.x), p)
    assert result.objective == pytest.approx(value, rel=1e-10)
    assert norm(result.dual / v, p / (p - 1)) <= 1 + 1e-9
    assert np.linalg.norm(A.T @ result.dual) <= 1e-10 * np.linalg.norm(result.dual)
    assert value - np.vdot(result.dual, b).real <= 1e-7 * value


@pytest.mark.parametrize("seed", [29, 60, 71, 74])
def test_a_dual_point_that_rounding_spoils_proves_nothing(seed):
    """Weights over 24 orders of magnitude: projected twice, it is off by a thousandth and more."""
    rng = np.random.default_rng([90210, seed])
    A = rng.standard_normal((20, 4))
    b = A @ np.ones(4) + rng.standard_normal(20)
    weights = 10.0 ** rng.uniform(-12, 12, 20)
    with pytest.warns(lrla.ConvergenceWarning, match="the relative gap is"):
        result = lp_regression(A, b, 1.1, weights=weights, rng=1)
    y = result.dual
    assert np.linalg.norm(A.T @ y) <= 1e-7 * np.linalg.norm(A) * np.linalg.norm(y)
    assert result.gap == pytest.approx(1 - y @ b / result.objective, abs=1e-6)
    assert not result


@pytest.mark.parametrize("p", [1.1, 4, 33, 100])
def test_dual_points_are_feasible_whatever_happens(p):
    # rows of size 1e-6 to 1e6: weights of the iteration spread so far that it may fail, and says so
    rng = np.random.default_rng([SEED, 19])
    for _ in range(8):
        A = rng.standard_normal((15, 5)) * 10.0 ** rng.integers(-6, 7, (15, 1))
        b = rng.standard_normal(15)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", lrla.ConvergenceWarning)
            result = lp_regression(A, b, p, rng=7)
        y = result.dual
        size = np.linalg.norm(A, axis=1) @ abs(y)
        assert np.linalg.norm(A.T @ y) <= 1e-8 * size
        assert dual_norm(y, p) <= 1 + 1e-9
        objective = norm(b - A @ result.x, p)
        proven = 1 - y @ b / objective
        assert bool(result) == (result.gap <= 1e-8)
        assert abs(proven - result.gap) <= 1e-6 * (1 + np.linalg.norm(b) / objective)


@pytest.mark.parametrize("p", [1, 1.5, 4, np.inf])
def test_small_residuals_are_no_rounding(p):
    # of 1e-11 of the right-hand side, where rounding is 1e-16 of it
    A, e = data(m=60, n=3)
    e = e - A @ np.linalg.lstsq(A, e)[0]
    b = A @ [3.0, 2.0, 1.0] + 1e-11 * e
    # which leaves five digits of the gap
    result, scaled = (lp_regression(A, v, p, tol=1e-4, rng=7) for v in (b, e))
    assert result.objective == pytest.approx(1e-11 * scaled.objective, rel=1e-3)
    stopped = lp_regression(A, b, p, rng=7, callback=lambda state: True)
    assert stopped.objective > (1 + 1e-3) * result.objective
    assert stopped.gap >= 0.999 * (1 - result.objective / stopped.objective)


@pytest.mark.parametrize("p", [1.001, 1.05, 1.1, 1.2])
def test_samples_prove_something_near_one(p):
    A, b = data(3000, 6, noise="normal")
    result = lp_regression(A, b, p, method="sample", rng=SEED)
    least = lp_regression(A, b, p, rng=SEED).objective
    assert 1 - least / result.objective <= result.gap <= 0.1
    assert dual_norm(result.dual, p) <= 1 + 1e-9
    size = np.linalg.norm(A, 2) * np.linalg.norm(result.dual)
    assert np.linalg.norm(A.T @ result.dual) <= 1e-12 * size


@pytest.mark.parametrize("seed", [17, 18, 33])
def test_dual_points_of_samples_are_in_their_box(seed):
    # one row of its kind, 50 times as long: what is left to correct falls on few
    rng = np.random.default_rng(seed)
    A, b = np.eye(3)[rng.integers(0, 3, 180)], rng.standard_cauchy(180)
    A[0] *= 50
    result = lp_regression(A, b, 1, method="sample", size=15, rng=1)
    assert np.max(abs(result.dual)) <= 1 + 1e-12
    least = lp_regression(A, b, 1, rng=1).objective
    assert result.gap >= 1 - least / result.objective - 1e-12


@pytest.mark.parametrize("p", NORMS)
@pytest.mark.parametrize("m", [1, 2])
def test_an_exact_fit_from_a_bad_start(p, m):
    A, b = np.eye(2)[:m], np.array([3.0, -1.0])[:m]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lrla.RankDeficientWarning)
        result = lp_regression(A, b, p, x0=np.array([-7.0, 0.1]), rng=7)
    assert result
    np.testing.assert_allclose(A @ result.x, b, rtol=1e-12)


@pytest.mark.parametrize("p", [1, 1.1, 2, 5, 100, np.inf])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(3, 6), (5, 5)])
def test_an_exact_fit_of_rows_of_any_size_is_optimal(p, weighted, shape):
    rng = np.random.default_rng([SEED, 23])
    for _ in range(6):
        A = rng.standard_normal(shape) * 10.0 ** rng.integers(-6, 7, (shape[0], 1))
        b = rng.standard_normal(shape[0])
        weights = 10.0 ** rng.uniform(-8, 8, shape[0]) if weighted else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", lrla.RankDeficientWarning)
            result = lp_regression(A, b, p, weights=weights, rng=7)
        assert result
        assert result.gap <= 1e-8
        sizes = abs(A) @ abs(result.x) + abs(b)
        assert np.all(abs(b - A @ result.x) <= 1e-12 * sizes)


@pytest.mark.parametrize("p", NORMS)
def test_a_ridge_is_rows_of_the_identity(p):
    A, b = data(60, 3)
    ridge = np.array([0.0, 2.0, 5.0])
    got = lp_regression(A, b, p, ridge=ridge, rng=SEED)
    root = ridge if np.isinf(p) else ridge ** (1 / p)
    below = np.diag(root)[1:]
    want = lp_regression(np.vstack([A, below]), np.append(b, [0, 0]), p, rng=SEED)
    assert got.objective == pytest.approx(want.objective, rel=1e-8)
    assert got.residuals.shape == got.dual.shape == (60,)


@pytest.mark.parametrize("one", [1, np.int64(1), np.float32(1), True])
def test_a_ridge_may_be_any_number(one):
    A, b = data()
    want = lp_regression(A, b, 1, ridge=1.0, rng=7).x
    np.testing.assert_array_equal(lp_regression(A, b, 1, ridge=one, rng=7).x, want)


def test_a_large_lasso_penalty_leaves_nothing():
    A, b = data(60, 3)
    assert np.all(abs(lp_regression(A, b, 1, ridge=1e4).x) < 1e-14)


@pytest.mark.parametrize("p", [1, 1.5, 4, np.inf])
def test_several_sides_are_so_many_problems(p):
    A, b = data(90, 4)
    B = np.stack([b, -b, np.zeros(90), np.cos(b)], axis=1)
    together = lp_regression(A, B, p, rng=SEED)
    assert together.x.shape == (4, 4)
    assert together.dual.shape == together.residuals.shape == (90, 4)
    assert together.gap.shape == together.objective.shape == (4,)
    for j in range(4):
        alone = lp_regression(A, B[:, j], p, rng=SEED)
        np.testing.assert_array_equal(together.x[:, j], alone.x)
    np.testing.assert_array_equal(together.x[:, 2], 0)


def test_a_larger_norm_approaches_the_largest_residual():
    A, b = data(200, 4, noise="normal")
    limit = lp_regression(A, b, np.inf, rng=SEED)
    sizes = [lp_regression(A, b, p, rng=SEED).objective for p in (4, 16, 64, 256)]
    assert sizes == sorted(sizes, reverse=True)
    assert limit.objective < sizes[-1] < limit.objective * 200 ** (1 / 256)


def test_a_start_does_not_change_the_answer():
    A, b = data(300, 4)
    for p in (1, 1.5, 4, np.inf):
        plain = lp_regression(A, b, p, rng=SEED)
        again = lp_regression(A, b, p, x0=plain.x, rng=SEED)
        assert again.objective == pytest.approx(plain.objective, rel=1e-8)
        assert again.info.iterations <= plain.info.iterations


@pytest.mark.parametrize("p", NORMS)
def test_a_worse_answer_has_no_proof(p):
    """The check above fails for a slightly wrong x, and for a dual point that is not one."""
    A, b = data()
    result = lp_regression(A, b, p, rng=SEED)
    worse = result.x + 1e-2
    wrong = dataclasses.replace(
        result, x=worse, residuals=b - A @ worse, objective=norm(b - A @ worse, p)
    )
    with pytest.raises(AssertionError):
        check(wrong, A, b, p)
    with pytest.raises(AssertionError):
        check(dataclasses.replace(result, dual=1.01 * result.dual + 1e-6), A, b, p)


# -- hard data -----------------------------------------------------------------------------------


@pytest.mark.parametrize("p", NORMS)
def test_ties(p):
    """Whole numbers and dummies: hundreds of residuals are zero at once, and x is not unique."""
    rng = np.random.default_rng(SEED)
    A = np.zeros((1500, 9))
    A[:, 0] = 1
    A[np.arange(1500), 1 + rng.integers(0, 8, 1500)] = 1
    A[:, 8] = rng.integers(-2, 3, 1500)
    b = np.round(A @ rng.integers(-5, 6, 9) + 3 * rng.standard_t(2, 1500))
    check(lp_regression(A, b, p, rng=SEED), A, b, p)


def uneven(kind, seed, m, n):
    """Rows, responses or weights over twelve decades, or errors with no mean at all."""
    rng = np.random.default_rng([SEED, seed])
    A, scale = rng.standard_normal((m, n)), 10.0 ** rng.uniform(-6, 6, m)
    b = A @ np.ones(n) + rng.standard_normal(m)
    if kind == "rows":
        return A * scale[:, None], scale * b, None
    if kind == "rows of A":
        return A * scale[:, None], rng.standard_normal(m) * 10.0 ** rng.uniform(-6, 6, m), None
    if kind == "weights":
        return A, b, scale
    return A, b + rng.standard_cauchy(m) ** 3, None


@pytest.mark.parametrize("kind", ["rows", "rows of A", "weights", "wild errors"])
@pytest.mark.parametrize("p", [1 + 1e-7, 1.0001, 1.001, 1.01, 1.03, 1.1])
def test_norms_just_above_one(p, kind):
    """Where one residual in a million tells its dual variable; Newton's method lost one in six."""
    for seed, (m, n) in enumerate([(15, 5), (40, 3), (300, 8), (1000, 12), (30, 1), (600, 20)]):
        A, b, weights = uneven(kind, seed, m, n)
        result = lp_regression(A, b, p, weights=weights, rng=SEED)
        assert result.info.method == "interior"
        assert result.info.iterations <= 40
        assert result.gap <= 1e-8
        value = norm(b - A @ result.x, p, weights)
        assert result.objective == pytest.approx(value, rel=1e-9)
        assert dual_norm(result.dual, p, weights) <= 1 + 1e-9
        assert value - result.dual @ (b - A @ result.x) <= 2e-8 * value
        sizes = np.linalg.norm(A, axis=1) @ abs(result.dual)
        assert np.linalg.norm(A.T @ result.dual) <= 1e-10 * sizes


@pytest.mark.parametrize("p", [12, 33, 64, 200, 1000, 1e4])
def test_line_searches_that_start_far_beyond_the_minimum(p):
    """Heavy rows are far from their place when light ones are: steps shrink by 1/p of the way only."""
    for seed in range(12):
        m, n = (400, 6) if seed % 2 else (3000, 12)
        A, b, _ = uneven("rows of A", seed, m, n)
        if seed % 3 == 0:
            b = np.random.default_rng(seed).standard_normal(m)
        result = lp_regression(A, b, p, rng=SEED)
        assert result, (seed, result)
        assert result.objective == pytest.approx(norm(b - A @ result.x, p), rel=1e-9)
        assert dual_norm(result.dual, p) <= 1 + 1e-9


def test_a_norm_near_one_is_near_least_absolute_deviations():
    A, b = data(400, 4)
    limit = lp_regression(A, b, 1, rng=SEED)
    near = [lp_regression(A, b, 1 + e, tol=1e-11, rng=SEED) for e in (1e-2, 1e-4, 1e-6)]
    distances = [np.linalg.norm(r.x - limit.x) for r in near]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 1e-4
    assert near[-1].objective == pytest.approx(limit.objective, rel=1e-4)


@pytest.mark.parametrize("p", NORMS)
def test_a_rare_column(p):
    """One row alone carries a column: it is fitted exactly, and everybody needs it."""
    A, b = data(3000, 4)
    A[:, 3] = 0
    A[1234, 3] = 1e-3
    result = lp_regression(A, b, p, rng=SEED)
    check(result, A, b, p)
    assert np.isfinite(result.x).all()


@pytest.mark.parametrize("p", NORMS)
def test_rank_deficient_data(p):
    A, b = data(90, 3)
    A = np.hstack([A, A @ np.array([[1.0], [2.0], [0.0]])])
    with pytest.warns(
        lrla.RankDeficientWarning, match="A has rank 3, less than its 4 columns"
    ) as seen:
        result = lp_regression(A, b, p, rng=SEED)
    assert len(seen) == 1
    assert result.rank == 3
    check(result, A, b, p)
    full = lp_regression(A[:, :3], b, p, rng=SEED)
    assert result.objective == pytest.approx(full.objective, rel=1e-8)


@pytest.mark.parametrize("p", NORMS)
def test_more_columns_than_rows(p):
    A, b = data(4, 9)
    with pytest.warns(lrla.RankDeficientWarning, match="rank 4"):
        result = lp_regression(A, b, p, rng=SEED)
    np.testing.assert_allclose(A @ result.x, b, atol=1e-12)
    assert result.gap == 0


@pytest.mark.parametrize("p", NORMS)
def test_nothing_but_zeros(p):
    A, b = data(30, 3)
    result = lp_regression(A, np.zeros(30), p, rng=SEED)
    assert result.objective == result.gap == 0
    np.testing.assert_array_equal(result.x, 0)
    with pytest.warns(lrla.RankDeficientWarning, match="rank 0"):
        result = lp_regression(np.zeros((30, 3)), b, p, rng=SEED)
    np.testing.assert_array_equal(result.x, 0)
    assert result.objective == pytest.approx(norm(b, p))
    assert result.gap <= 1e-8


@pytest.mark.parametrize("p", NORMS)
@pytest.mark.parametrize("scale", [1e-150, 1e-12, 1e12, 1e150])
def test_scales(p, scale):
    A, b = data(150, 3, noise="normal")
    plain = lp_regression(A, b, p, rng=SEED)
    scaled = lp_regression(A, scale * b, p, rng=SEED)
    assert scaled.objective == pytest.approx(scale * plain.objective, rel=1e-7)
    assert scaled.gap <= 1e-8
    scaled = lp_regression(A * scale, b, p, rng=SEED)
    assert scaled.objective == pytest.approx(plain.objective, rel=1e-7)


@pytest.mark.parametrize("p", [1, 1.5, 4, np.inf])
def test_columns_of_very_different_size(p):
    A, b = data(400, 5)
    units = 10.0 ** np.array([-9, -3, 0, 4, 9])
    plain, scaled = lp_regression(A, b, p, rng=SEED), lp_regression(A * units, b, p, rng=SEED)
    assert scaled.objective == pytest.approx(plain.objective, rel=1e-8)


@pytest.mark.parametrize("p", [1, 1.5, 4, np.inf])
def test_nearly_dependent_columns(p):
    A, b = data(400, 5)
    A[:, 4] = A[:, 3] + 1e-6 * A[:, 4]
    check(lp_regression(A, b, p, rng=SEED), A, b, p)


# -- forms of data -------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [1, 1.5, 4, np.inf])
@pytest.mark.parametrize("columns", [4, 60])
@pytest.mark.parametrize("form", [sp.csr_array, sp.csc_array, sp.coo_matrix])
def test_sparse_data(p, columns, form):
    rng = np.random.default_rng(SEED)
    A = np.zeros((700, columns))
    A[:, 0] = 1
    A[np.arange(700), 1 + rng.integers(0, columns - 1, 700)] = rng.standard_normal(700)
    b = rng.standard_normal(700)
    got, want = lp_regression(form(A), b, p, rng=SEED), lp_regression(A, b, p, rng=SEED)
    check(got, A, b, p)
    assert got.objective == pytest.approx(want.objective, rel=1e-8)
    weights = np.where(rng.uniform(size=700) < 0.5, 0, 2.0)
    got = lp_regression(form(A), b, p, weights=weights, ridge=1e-3, rng=SEED)
    want = lp_regression(A, b, p, weights=weights, ridge=1e-3, rng=SEED)
    assert got.objective == pytest.approx(want.objective, rel=1e-8)


@pytest.mark.parametrize("p", NORMS)
def test_array_libraries(backend, p):
    A, b = data(200, 4)
    weights = np.linspace(0, 2, 200)
    want = lp_regression(A, b, p, weights=weights, rng=SEED)
    got = lp_regression(
        backend.asarray(A), backend.asarray(b), p, weights=backend.asarray(weights), rng=SEED
    )
    for name in ("x", "dual", "residuals"):
        assert type(getattr(got, name)) is type(backend.asarray(b))
    assert got.objective == pytest.approx(want.objective, rel=1e-8)
    assert got.gap <= 1e-8
    x = backend.to_numpy(got.x)
    assert norm(b - A @ x, p, weights) <= want.objective * (1 + 1e-7)


@pytest.mark.parametrize("p", [1, 1.5, 3, np.inf])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "?"])
def test_dtypes(p, dtype):
    rng = np.random.default_rng(SEED)
    A = rng.integers(0, 2, (100, 3)).astype(dtype)
    b = rng.integers(0, 9, 100).astype("f4" if dtype == "f4" else "f8")
    result = lp_regression(A, b, p, rng=SEED)
    assert result.x.dtype == result.dual.dtype == ("f4" if dtype == "f4" else "f8")
    want = lp_regression(A.astype("f8"), b.astype("f8"), p, rng=SEED)
    assert result.objective == pytest.approx(want.objective, rel=1e-6)


@pytest.mark.parametrize("p", [1.1, 1.5, 2, 3, 16])
@pytest.mark.parametrize("both", [False, True])
def test_complex_data(p, both):
    A, b = data(150, 3, noise="normal")
    other, side = data(150, 3, seed=7, noise="normal")
    A = A + 1j * other if both else A
    b = b + 1j * side
    result = lp_regression(A, b, p, rng=SEED)
    assert result.x.dtype == "c16"
    check(result, A, b, p)
    if p == 2:
        np.testing.assert_allclose(result.x, np.linalg.lstsq(A, b, rcond=None)[0], rtol=1e-9)


@pytest.mark.parametrize("layout", ["F", "strided", "locked", "list"])
def test_layouts_and_no_mutation(layout):
    A, b = data(50, 3)
    want = lp_regression(A, b, 1, rng=SEED).x
    given = {
        "F": np.asfortranarray(A),
        "strided": np.repeat(np.repeat(A, 2, axis=0), 3, axis=1)[::2, ::3],
        "locked": A.copy(),
        "list": A.tolist(),
    }[layout]
    if layout == "locked":
        given.setflags(write=False)
        b.setflags(write=False)
    np.testing.assert_allclose(lp_regression(given, b, 1, rng=SEED).x, want, rtol=1e-12)


def test_threads_do_not_change_bits():
    A, b = data(40_000, 8)
    for p in (1, 3):
        with lrla.threads(1):
            one = lp_regression(A, b, p, rng=SEED)
        with lrla.threads(3):
            three = lp_regression(A, b, p, rng=SEED)
        np.testing.assert_allclose(one.x, three.x, rtol=1e-9)


# -- how it ends ---------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [1, 1.5, 8, np.inf])
def test_callback(p):
    A, b = data(300, 4)
    seen = []
    full = lp_regression(A, b, p, callback=seen.append, rng=SEED)
    assert full.info.history == tuple(s.error for s in seen)
    assert all(s.x.shape == (4,) for s in seen)
    stopped = lp_regression(A, b, p, callback=lambda state: True, rng=SEED)
    assert stopped.status is lrla.Status.STOPPED
    assert stopped.objective >= full.objective * (1 - 1e-9)
    assert stopped.gap <= 1


@pytest.mark.parametrize("p", [1, 1.5, 64])
def test_too_few_iterations(p):
    A, b = data(3000, 4)
    with pytest.warns(lrla.ConvergenceWarning, match=r"relative gap is .* above tol=1.0e-08"):
        result = lp_regression(A, b, p, max_iter=2, rng=SEED)
    assert result.status is lrla.Status.MAX_ITER
    best = lp_regression(A, b, p, rng=SEED).objective
    assert best <= result.objective * (1 + 1e-9)
    assert result.objective * (1 - result.gap) <= best * (1 + 1e-9)  # the bound holds


def test_info():
    A, b = data()
    info = lp_regression(A, b, 1, rng=SEED).info
    assert info.method == "interior"
    assert info.seed == SEED
    assert len(info.history) == info.iterations
    assert info.seconds > 0
    assert lp_regression(A, b, 3).info.method == "newton"
    assert lp_regression(A, b, np.inf).info.method == "active set"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"p": "one"}, TypeError, "p must be a number, got 'one'"),
        ({"p": "1.5"}, TypeError, "p must be a number, got '1.5'"),
        ({"p": 0.5}, ValueError, "p must be at least 1, got 0.5: below, the problem is not convex"),
        ({"p": np.nan}, ValueError, "p must be a number, at least 1, or inf; got nan"),
        ({"tol": 0.0}, ValueError, "tol must be between 0 and 1, got 0.0"),
        ({"max_iter": 0}, ValueError, "max_iter must be at least 1, got 0"),
        (
            {"method": "newton"},
            ValueError,
            "method must be one of auto, interior, sample, pilot for p = 1, got 'newton'",
        ),
        ({"b": np.ones(29)}, ValueError, "b must have as many rows as A, got shapes (29,) and"),
        ({"b": np.full(30, np.nan)}, ValueError, "b must be finite, got NaN or infinity at index"),
        (
            {"A": np.full((30, 3), np.inf)},
            ValueError,
            "A must be finite, got NaN or infinity at index (0, 0)",
        ),
        ({"A": np.ones((0, 3)), "b": np.ones(0)}, ValueError, "at least one row and one column"),
        ({"A": np.ones((30, 0))}, ValueError, "A must have at least one row and one column"),
        ({"A": np.ones(30)}, ValueError, "A must have 2 dimensions, got shape (30,)"),
        ({"A": np.ones((30, 3)) * 1j}, TypeError, "A and b must be real for this loss"),
        ({"b": np.ones(30) * 1j, "p": np.inf}, TypeError, "A and b must be real for this loss"),
        ({"weights": -np.ones(30)}, ValueError, "weights must be real, finite, not negative"),
        ({"weights": np.zeros(30)}, ValueError, "not negative, and not all zero"),
        ({"weights": np.ones(3)}, ValueError, "weights must have one entry for each row of A"),
        ({"ridge": -1.0}, ValueError, "ridge must be real, finite and not negative"),
        ({"ridge": np.ones(4)}, ValueError, "one entry for each column of A, got 4 for 3"),
        ({"x0": np.ones(4)}, ValueError, "x0 must have shape (3,), got (4,)"),
    ],
)
def test_mistakes(change, error, message):
    A, b = data(30, 3)
    arguments = {"A": A, "b": b, "p": 1, **change}
    with pytest.raises(error, match=re.escape(message)):
        lp_regression(**arguments)


@pytest.mark.parametrize("p", [1, 1.5, np.inf])
def test_operators_and_chunks_are_their_matrices(p):
    da = pytest.importorskip("dask.array")
    A, b = data(90, 4)
    want = lp_regression(A, b, p, rng=SEED)
    operator = lp_regression(aslinearoperator(A), b, p, rng=SEED)
    chunks = da.from_array(A, chunks=(25, 4))
    chunked = lp_regression(chunks, da.from_array(b, chunks=25), p, rng=SEED)
    for got in (operator, chunked):
        np.testing.assert_allclose(got.x, want.x, rtol=1e-12)
        np.testing.assert_allclose(got.dual, want.dual, rtol=1e-9, atol=1e-12)
        assert got.objective == pytest.approx(want.objective)
    low, same = (quantile_regression(M, b, 0.3, rng=SEED).x for M in (chunks, A))
    np.testing.assert_allclose(low, same, rtol=1e-12)


@pytest.mark.parametrize("p", [1, 1.5, 3, math.inf])
def test_solutions_beyond_the_range_are_refused(p):
    A, b = data(30, 3)
    with pytest.raises(ValueError, match=r"^x must be within the range .*; divide b by a power"):
        lp_regression(A * 1e-200, b * 1e200, p)
    with pytest.raises(ValueError, match=r"^x must be within the range .*, up to 3e\+38"):
        lp_regression(A.astype("f4"), b * 1e100, p)
