"""`lp_regression` with a penalty on absolute values of coefficients: the lasso for every norm."""

import math
import re
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize
from sklearn.linear_model import Lasso, QuantileRegressor

import lrla
from lrla.regression import lp_regression
from lrla.regression._normal import Normal
from lrla.regression._shrink import Model

SEED = 90210
NORMS = (1, 1.05, 1.5, 2, 3, 8, 64, np.inf)
FEW = (1, 1.5, 2, 4, np.inf)


def data(m=90, n=8, seed=SEED):
    """Make data of which the first three columns matter."""
    rng = np.random.default_rng([seed, m, n])
    A = rng.standard_normal((m, n))
    return A, A[:, :3].sum(axis=1) + rng.standard_normal(m)


def largest(A, b, p, weights=None):
    """Return the penalty from which on, up to a little, x = 0 is the solution."""
    w = np.ones(len(b)) if weights is None else weights
    if np.isinf(p):
        return np.max(abs(w[:, None] * A))
    return (
        np.max(abs(A.T @ (p * w * abs(b) ** (p - 1) * np.sign(b))))
        if p > 1
        else np.max(abs(A).T @ w)
    )


def objective(A, b, p, l1, x, weights=None):
    w = np.ones(len(b)) if weights is None else weights
    r, penalty = abs(b - A @ x), np.sum(l1 * abs(x))
    if np.isinf(p):
        return np.max(w * r) + penalty
    peak = max(np.max(r), 1e-300)
    return peak * (np.sum(w * (r / peak) ** p) + penalty / peak**p) ** (1 / p)


def check(result, A, b, p, l1, weights=None, tol=1e-8):
    """Hold an answer to its own proof, from the data alone."""
    w = np.ones(len(b)) if weights is None else weights
    o, y = objective(A, b, p, l1, result.x, weights), result.dual
    assert result.objective == pytest.approx(o, rel=1e-9)
    np.testing.assert_allclose(result.residuals, b - A @ result.x, atol=1e-9 * abs(b).max())
    bound = l1 if p == 1 or np.isinf(p) else l1 / p * np.exp((1 - p) * np.log(o))
    slack = 1e-10 * np.linalg.norm(A, 2) * np.linalg.norm(y)
    assert np.all(abs(A.T @ y) <= bound * (1 + 1e-9) + slack)
    if p == 1:
        assert np.all(abs(y) <= w * (1 + 1e-12))
        proven = y @ b
    elif np.isinf(p):
        assert np.sum(abs(y) / w) <= 1 + 1e-12
        proven = y @ b
    else:
        proven = p * (y @ b) / o - (p - 1) * np.sum(w * (abs(y) / w) ** (p / (p - 1)))
        proven = o * max(proven, 0) ** (1 / p)
    assert proven <= o * (1 + 1e-9)
    assert o - proven <= (result.gap + 1e-7) * o
    assert 0 <= result.gap <= tol
    assert result


# -- against other solvers -----------------------------------------------------------------------


@pytest.mark.parametrize("share", [1e-3, 0.05, 0.5, 1.01])
@pytest.mark.parametrize(("m", "n"), [(60, 8), (200, 40), (30, 50)])
def test_two_is_the_lasso(share, m, n):
    A, b = data(m, n)
    l1 = share * largest(A, b, 2)
    result = lp_regression(A, b, 2, l1=l1, rng=SEED)
    check(result, A, b, 2, l1)
    lasso = Lasso(alpha=l1 / (2 * m), fit_intercept=False, tol=1e-14, max_iter=200_000).fit(A, b)
    np.testing.assert_allclose(result.x, lasso.coef_, atol=1e-7)
    np.testing.assert_array_equal(result.x == 0, lasso.coef_ == 0)
    assert result.objective <= objective(A, b, 2, l1, lasso.coef_) * (1 + 1e-12)


@pytest.mark.parametrize("share", [1e-3, 0.05, 0.3, 1.01])
@pytest.mark.parametrize(("m", "n"), [(60, 8), (20, 30)])
def test_one_is_that_of_quantile_regression(share, m, n):
    A, b = data(m, n)
    l1 = share * largest(A, b, 1)
    result = lp_regression(A, b, 1, l1=l1, rng=SEED)
    check(result, A, b, 1, l1)
    other = QuantileRegressor(quantile=0.5, alpha=l1 / (2 * m), fit_intercept=False).fit(A, b)
    assert result.objective == pytest.approx(objective(A, b, 1, l1, other.coef_), rel=1e-9)
    same = lp_regression(A, b, 1, ridge=l1, rng=SEED)
    np.testing.assert_allclose(result.x, same.x, atol=1e-12)


def by_linprog(A, b, l1, C=None, c=None):
    m, n = A.shape
    cost = np.concatenate([np.broadcast_to(l1, n), np.broadcast_to(l1, n), [1.0]])
    below, one = np.hstack([A, -A]), np.ones((m, 1))
    rows = np.block([[below, -one], [-below, -one]])
    equal = None if C is None else np.hstack([C, -C, np.zeros((len(c), 1))])
    return linprog(cost, rows, np.concatenate([b, -b]), A_eq=equal, b_eq=c).fun


@pytest.mark.parametrize("share", [1e-4, 0.01, 0.1, 1.01])
@pytest.mark.parametrize(("m", "n"), [(60, 8), (300, 20), (20, 30)])
def test_the_largest_residual(share, m, n):
    A, b = data(m, n)
    l1 = share * largest(A, b, np.inf)
    result = lp_regression(A, b, np.inf, l1=l1, rng=SEED)
    check(result, A, b, np.inf, l1)
    assert result.objective == pytest.approx(by_linprog(A, b, l1), rel=1e-9)


@pytest.mark.parametrize("p", [1.5, 3, 6])
@pytest.mark.parametrize("share", [0.01, 0.2])
@pytest.mark.parametrize("held", [False, True])
def test_sequential_quadratic_programming(p, share, held):
    A, b = data(40, 4)
    l1, n = share * largest(A, b, p), 4
    C, c = np.array([[1.0, 1, 1, 1]]), np.array([0.5])
    both = np.hstack([A, -A])
    equal = {"type": "eq", "fun": lambda u: C @ (u[:n] - u[n:]) - c}
    other = minimize(
        lambda u: (np.sum(abs(b - both @ u) ** p) + l1 * np.sum(u)) / 40,
        np.full(2 * n, 0.1),
        bounds=[(0, None)] * (2 * n),
        constraints=[equal] if held else (),
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    result = lp_regression(A, b, p, l1=l1, constraints=(C, c) if held else None, rng=SEED)
    assert result
    assert result.objective**p / 40 == pytest.approx(other.fun, rel=1e-6)
    assert result.objective**p / 40 <= other.fun * (1 + 1e-7)


# -- laws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", NORMS)
@given(
    m=st.integers(1, 40), n=st.integers(1, 8), share=st.floats(-4, 0.1),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_every_answer_proves_itself(p, m, n, share, seed):
    m, n = max(m, n), min(m, n)
    A, b = data(m, n, seed)
    l1 = 10**share * largest(A, b, p)
    check(lp_regression(A, b, p, l1=l1, rng=seed), A, b, p, l1)


@pytest.mark.parametrize("p", NORMS)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(-3, 0), steps=st.integers(1, 3))
def test_the_gap_is_an_upper_bound(p, seed, share, steps):
    A, b = data(30, 5, seed)
    C, c = np.ones((1, 5)), np.ones(1)
    l1 = 10**share * largest(A, b, p)
    for held in (None, (C, c)):
        best = lp_regression(A, b, p, l1=l1, constraints=held, rng=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", lrla.ConvergenceWarning)
            early = lp_regression(A, b, p, l1=l1, constraints=held, max_iter=steps, rng=1)
        assert early.objective * (1 - early.gap) <= best.objective * (1 + 1e-10)
        assert early.objective >= best.objective * (1 - 1e-8)
        assert best


@pytest.mark.parametrize("m", [12, 80])
@pytest.mark.parametrize("seed", range(20))
def test_no_proof_near_one_is_too_good(m, seed):
    """Where a dual point to the power of p / (p - 1) leaves the range of numbers."""
    p = 1.0001
    A, b = data(m, 2, seed)
    A[:, 1] = np.round(A[:, 1])
    weights = 10 ** np.random.default_rng(seed).uniform(-3, 3, m)
    l1 = 1e-3 * largest(A, b, p, weights)
    result = lp_regression(A, b, p, weights=weights, l1=l1, rng=SEED)
    check(result, A, b, p, l1, weights)
    assert min(result.info.history) >= 0
    one = lp_regression(A, b, 1, weights=weights, l1=l1, rng=SEED)
    assert result.objective <= objective(A, b, p, l1, one.x, weights) * (1 + 1e-8)


@pytest.mark.parametrize("p", FEW)
@pytest.mark.parametrize("seed", range(10))
def test_equations_that_leave_nothing_free(p, seed):
    """Residuals and objective are those of x, however little the way there is but rounding."""
    rng = np.random.default_rng(seed)
    A, b = rng.standard_normal((12, 3)), rng.standard_normal(12)
    A[:, 2] = A[:, 0]
    C, x = rng.standard_normal((3, 3)), rng.standard_normal(3)
    result = lp_regression(A, b, p, l1=100, constraints=(C, C @ x), rng=SEED)
    np.testing.assert_allclose(result.x, x, rtol=1e-10)
    np.testing.assert_allclose(result.residuals, b - A @ x, atol=1e-10)
    assert result.objective == pytest.approx(objective(A, b, p, 100, x), rel=1e-10)
    assert result.gap <= 1e-8


@pytest.mark.parametrize("p", NORMS)
def test_a_worse_answer_has_no_proof(p):
    A, b = data()
    l1 = 0.1 * largest(A, b, p)
    result = lp_regression(A, b, p, l1=l1, rng=SEED)
    with pytest.raises(AssertionError):
        check(lp_regression(A, b, p, l1=0.5 * l1, rng=SEED), A, b, p, l1)
    with pytest.raises(AssertionError):
        check(result, A, b, p, 0.99 * l1)


@pytest.mark.parametrize("p", NORMS)
def test_the_optimum_by_its_neighbours(p):
    A, b = data(60, 4)
    l1 = np.array([0.0, 0.05, 0.2, 0.4]) * largest(A, b, p)
    result = lp_regression(A, b, p, l1=l1, rng=SEED)
    check(result, A, b, p, l1)
    rng = np.random.default_rng(SEED)
    for size in (1e-1, 1e-3):
        for d in size * np.concatenate([np.eye(4), -np.eye(4), rng.standard_normal((20, 4))]):
            assert objective(A, b, p, l1, result.x + d) >= result.objective * (1 - 1e-8)


@pytest.mark.parametrize("p", NORMS)
def test_units(p):
    """The penalty has the unit of the p-th power over that of x."""
    A, b = data(60, 4)
    l1 = 0.1 * largest(A, b, p)
    plain = lp_regression(A, b, p, l1=l1, rng=SEED)
    rough = 1e-9 if p in (1, 2, np.inf) else 1e-4
    for k in (1e-3, 1e3):
        change = 1.0 if np.isinf(p) else k ** (p - 1)
        got = lp_regression(A, k * b, p, l1=change * l1, rng=SEED)
        assert got.objective == pytest.approx(k * plain.objective, rel=1e-7)
        np.testing.assert_allclose(got.x, k * plain.x, rtol=rough, atol=rough * k)
        units = k ** np.arange(-1.0, 3.0)
        got = lp_regression(A * units, b, p, l1=l1 * units, rng=SEED)
        np.testing.assert_allclose(got.x * units, plain.x, rtol=rough, atol=rough)
    flipped = lp_regression(A * [1, -1, 1, -1], b, p, l1=l1, rng=SEED)
    np.testing.assert_allclose(flipped.x * [1, -1, 1, -1], plain.x, rtol=rough, atol=rough)


@pytest.mark.parametrize("p", NORMS)
def test_weights_and_ridge(p):
    A, b = data(80, 4)
    weights = np.random.default_rng(SEED).integers(0, 3, 80).astype(float)
    l1 = 0.1 * largest(A, b, p)
    ridge = np.array([0.0, 2.0, 0.5, 0.0])
    got = lp_regression(A, b, p, weights=weights, ridge=ridge, l1=l1, rng=SEED)
    v, d = (weights, ridge) if np.isinf(p) else (weights ** (1 / p), ridge ** (1 / p))
    rows, side = np.vstack([v[:, None] * A, np.diag(d)]), np.append(v * b, np.zeros(4))
    want = lp_regression(rows, side, p, l1=l1, rng=SEED)
    assert got.objective == pytest.approx(want.objective, rel=2e-8)
    check(want, rows, side, p, l1)
    assert got.dual.shape == (80,)
    assert np.all(got.dual[weights == 0] == 0)


@pytest.mark.parametrize("p", NORMS)
def test_no_penalty_changes_nothing(p):
    A, b = data()
    want = lp_regression(A, b, p, rng=SEED)
    np.testing.assert_array_equal(lp_regression(A, b, p, l1=0, rng=SEED).x, want.x)
    tiny = lp_regression(A, b, p, l1=1e-12, rng=SEED)
    assert tiny.objective == pytest.approx(want.objective, rel=2e-8)
    assert np.linalg.norm(tiny.dual - want.dual) <= 1e-3 * np.linalg.norm(want.dual) or p == 1


@pytest.mark.parametrize("p", NORMS)
def test_a_large_penalty_leaves_nothing(p):
    A, b = data()
    result = lp_regression(A, b, p, l1=1e3 * largest(A, b, p), rng=SEED)
    np.testing.assert_array_equal(result.x, 0)
    assert result.gap <= 1e-8
    part = np.where(np.arange(8) < 5, 1e3 * largest(A, b, p), 0)
    result = lp_regression(A, b, p, l1=part, rng=SEED)
    np.testing.assert_array_equal(result.x[:5], 0)
    alone = lp_regression(A[:, 5:], b, p, rng=SEED)
    assert result.objective == pytest.approx(alone.objective, rel=2e-8)


@pytest.mark.parametrize("l1", [1e2, 1e6])
def test_a_huge_penalty_beside_equations(l1):
    """Columns of very different length: what rounding leaves of the proof is taken off twice."""
    A, b = data(12, 25)
    A = A * 10.0 ** np.random.default_rng(SEED).uniform(-4, 4, 25)
    result = lp_regression(A, b, 2.5, l1=l1, constraints=(np.ones((1, 25)), [0.0]), rng=SEED)
    assert result.gap <= 1e-8


@pytest.mark.parametrize("p", NORMS)
def test_zeros_are_exact(p):
    A, b = data(100, 12)
    result = lp_regression(A, b, p, l1=0.3 * largest(A, b, p), rng=SEED)
    assert np.sum(result.x == 0) >= 4
    assert np.all((result.x == 0) | (abs(result.x) > 1e-9))


# -- constraints, rank, shapes -------------------------------------------------------------------


@pytest.mark.parametrize("p", NORMS)
def test_equations(p):
    A, b = data(80, 6)
    rng = np.random.default_rng(SEED)
    C, c = rng.standard_normal((2, 6)), rng.standard_normal(2)
    l1 = 0.2 * largest(A, b, p)
    result = lp_regression(A, b, p, l1=l1, constraints=(C, c), rng=SEED)
    assert result.gap <= 1e-8
    assert np.all(abs(C @ result.x - c) <= 1e-14 * (abs(C) @ abs(result.x) + abs(c)))
    if np.isinf(p):
        assert result.objective == pytest.approx(by_linprog(A, b, l1, C, c), rel=1e-9)
    every = np.linalg.svd(C)[2][2:].T
    for d in np.concatenate([1e-2 * every.T, -1e-2 * every.T]):
        assert objective(A, b, p, l1, result.x + d) >= result.objective * (1 - 1e-8)


@pytest.mark.parametrize("p", NORMS)
@pytest.mark.parametrize("value", [0.0, 2.0])
def test_equations_that_fix_coefficients(p, value):
    """The problem is that of the other columns."""
    A, b = data(40, 5)
    rows = A.copy()
    rows[:, 3] *= 1e3
    l1 = 0.05 * largest(A, b, p)
    C = np.zeros((1, 5))
    C[0, 3] = 2.0
    got = lp_regression(rows, b, p, l1=l1, constraints=(C, [2 * value]), rng=SEED)
    assert got.x[3] == value
    rest = [0, 1, 2, 4]
    x = lp_regression(A[:, rest], b - value * rows[:, 3], p, l1=l1, rng=SEED).x
    x = np.insert(x, 3, value)
    assert got.gap <= 1e-8
    assert got.objective == pytest.approx(objective(rows, b, p, l1, x), rel=2e-8)
    np.testing.assert_array_equal(got.x == 0, x == 0)


@pytest.mark.parametrize("p", FEW)
def test_columns_that_depend_on_each_other(p):
    """The penalty tells apart what the data do not, and no warning says otherwise."""
    A, b = data(60, 4)
    twice = np.hstack([A, 2 * A])
    l1 = 0.1 * largest(A, b, p)
    result = lp_regression(twice, b, p, l1=l1, rng=SEED)
    check(result, twice, b, p, l1)
    assert result.rank == 8
    want = lp_regression(2 * A, b, p, l1=l1, rng=SEED)
    assert result.objective == pytest.approx(want.objective, rel=2e-8)
    np.testing.assert_allclose(result.x[:4], 0, atol=1e-7)
    with pytest.warns(lrla.RankDeficientWarning, match="rank 6"):
        lp_regression(twice, b, p, l1=np.where(np.arange(8) % 4 < 2, l1, 0), rng=SEED)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 6, np.inf])
def test_more_columns_than_rows(p):
    A, b = data(20, 45)
    for share in (1e-2, 0.3):
        l1 = share * largest(A, b, p)
        result = lp_regression(A, b, p, l1=l1, rng=SEED)
        check(result, A, b, p, l1)
        assert np.sum(result.x != 0) <= 20


@pytest.mark.parametrize("p", FEW)
def test_several_sides_are_so_many_problems(p):
    A, b = data(50, 4)
    B, l1 = np.stack([b, -b, np.zeros(50)], axis=1), 0.1 * largest(A, b, p)
    together = lp_regression(A, B, p, l1=l1, rng=SEED)
    for j in range(3):
        alone = lp_regression(A, B[:, j], p, l1=l1, rng=SEED)
        np.testing.assert_allclose(together.x[:, j], alone.x, atol=1e-12)
    np.testing.assert_array_equal(together.x[:, 2], 0)
    assert together.objective[2] == together.gap[2] == 0


@pytest.mark.parametrize("p", FEW)
def test_starts_and_callbacks(p):
    A, b = data(100, 5)
    l1 = 0.1 * largest(A, b, p)
    plain = lp_regression(A, b, p, l1=l1, rng=SEED)
    again = lp_regression(A, b, p, l1=l1, x0=plain.x, rng=SEED)
    assert again.objective == pytest.approx(plain.objective, rel=2e-8)
    assert again.info.iterations <= plain.info.iterations
    stopped = lp_regression(A, b, p, l1=l1, callback=lambda state: True, rng=SEED)
    assert stopped.info.iterations == 1
    assert stopped.objective * (1 - stopped.gap) <= plain.objective * (1 + 1e-12)


@pytest.mark.parametrize("p", FEW)
@pytest.mark.parametrize("form", [sp.csr_array, sp.csc_array])
def test_sparse_data(p, form):
    rng = np.random.default_rng(SEED)
    A = np.zeros((400, 20))
    A[:, 0] = 1
    A[np.arange(400), 1 + rng.integers(0, 19, 400)] = rng.standard_normal(400)
    b = rng.standard_normal(400)
    l1 = 0.05 * largest(A, b, p) * (np.arange(20) > 0)
    got = lp_regression(form(A), b, p, l1=l1, rng=SEED)
    check(got, A, b, p, l1)
    wide = form(A[:15])
    l1 = 0.05 * largest(A[:15], b[:15], p)
    check(lp_regression(wide, b[:15], p, l1=l1, rng=SEED), A[:15], b[:15], p, l1)


@pytest.mark.parametrize("p", FEW)
def test_chunks_are_their_matrices(p):
    da = pytest.importorskip("dask.array")
    A, b = data(90, 4)
    l1 = 0.1 * largest(A, b, p)
    want = lp_regression(A, b, p, l1=l1, rng=SEED)
    got = lp_regression(da.from_array(A, chunks=(25, 4)), b, p, l1=l1, rng=SEED)
    np.testing.assert_allclose(got.x, want.x, rtol=1e-8, atol=1e-10)
    assert got.objective == pytest.approx(want.objective, rel=1e-9)


@pytest.mark.parametrize("p", NORMS)
def test_array_libraries(backend, p):
    A, b = data(60, 5)
    l1 = 0.2 * largest(A, b, p)
    want = lp_regression(A, b, p, l1=l1, rng=SEED)
    sizes = backend.asarray(np.full(5, l1))
    got = lp_regression(backend.asarray(A), backend.asarray(b), p, l1=sizes, rng=SEED)
    assert type(got.x) is type(backend.asarray(b))
    assert got.objective == pytest.approx(want.objective, rel=2e-8)
    x = backend.to_numpy(got.x)
    assert objective(A, b, p, l1, x) <= want.objective * (1 + 1e-7)
    np.testing.assert_array_equal(x == 0, want.x == 0)


@pytest.mark.parametrize("p", FEW)
def test_single_precision(p):
    A, b = data(80, 5)
    A, b = A.astype("f4"), b.astype("f4")
    l1 = float(0.2 * largest(A, b, p))
    got = lp_regression(A, b, p, l1=l1, rng=SEED)
    assert got.x.dtype == np.float32
    want = lp_regression(A.astype("f8"), b.astype("f8"), p, l1=l1, rng=SEED)
    assert got.objective == pytest.approx(want.objective, rel=1e-7)


@pytest.mark.parametrize("p", [1, 1.5, 3])
def test_samples(p):
    A, b = data(6000, 6)
    l1 = 0.1 * largest(A, b, p)
    want = lp_regression(A, b, p, l1=l1, rng=SEED)
    got = lp_regression(A, b, p, l1=l1, method="sample", rng=SEED)
    assert got.info.method == "sample"
    assert got.objective * (1 - got.gap) <= want.objective * (1 + 1e-12)
    assert want.objective * (1 - 1e-8) <= got.objective <= 1.02 * want.objective
    assert got.gap < (0.1 if p == 1 else 1e-6)


def test_pilots():
    A, b = data(4000, 6)
    l1 = 0.1 * largest(A, b, 1)
    got = lp_regression(A, b, 1, l1=l1, method="pilot", rng=SEED)
    check(got, A, b, 1, l1)
    assert got.info.method == "pilot"


# -- the model of a step -------------------------------------------------------------------------


@example(k=1, n=4, rank=0, size=1.0, seed=0)  # rounding put dual variables outside of their bounds
@given(
    k=st.integers(1, 12), n=st.integers(1, 12), rank=st.integers(0, 12), size=st.floats(-6, 1),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_models_are_minimised(k, n, rank, size, seed):
    """By the conditions of optimality, whatever the rank, where the minimum is bounded."""
    rng = np.random.default_rng(seed)
    k = min(k, n)  # the penalty bounds it
    F = rng.standard_normal((min(rank, k), k))
    T, x = rng.standard_normal((n, k)), np.where(rng.random(n) < 0.5, 0, rng.standard_normal(n))
    kappa = 10**size * rng.uniform(0.5, 2, n)
    H, g = F.T @ F, F.T @ rng.standard_normal(len(F))
    found = Model(H, g, T, x, kappa).minimise(np.sign(rng.standard_normal(n)))
    assert np.all(abs(found.s) <= kappa)
    scale = np.linalg.norm(g) + np.linalg.norm(kappa) * np.linalg.norm(T, 2)
    assert np.linalg.norm(H @ found.z - g + found.s @ T) <= 1e-6 * scale
    np.testing.assert_allclose(found.x, x + T @ found.z, atol=1e-6 * (1 + abs(x).max()))
    slack = np.sum(kappa * abs(found.x) - found.s * found.x)
    assert slack <= 1e-7 * (1 + np.sum(kappa * abs(x)))


def test_equations_that_rounding_has_spoiled_have_an_answer():
    """A step that is no good is found out; there is none of numbers that are not finite."""
    G = np.array([[1.0, 5.0], [5.0, 1.0]])
    assert np.all(np.isfinite(Normal(G).solve(np.ones(2))))
    with pytest.raises(FloatingPointError, match=r"^the normal equations are not finite$"):
        Normal(G * math.nan)


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("l1", "message"),
    [
        (-1.0, "l1 must be real, finite and not negative"),
        (math.nan, "l1 must be real, finite and not negative"),
        (np.ones(4), "l1 must be a number or have one entry for each column of A, got 4 for 3"),
    ],
)
def test_mistakes(l1, message):
    A, b = data(30, 3)
    for p in (1, 1.5, np.inf):
        with pytest.raises(ValueError, match=re.escape(message)):
            lp_regression(A, b, p, l1=l1)


def test_complex_data_have_no_penalty():
    A, b = data(30, 3)
    with pytest.raises(TypeError, match=r"^A and b must be real for l1, got complex numbers"):
        lp_regression(A, b * 1j, 1.5, l1=1.0)
