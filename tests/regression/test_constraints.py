"""`lp_regression` with equations that the solution has to satisfy."""

import math
import re
import warnings
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from reference import problem
from scipy.linalg import lapack, null_space
from scipy.optimize import linprog, minimize
from scipy.sparse.linalg import aslinearoperator

import lrla
from lrla.regression import lp_regression
from lrla.regression._constraints import Constraints

SEED = 90210
NORMS = (1, 1.05, 1.5, 2, 3, 8, 64, np.inf)
FEW = (1, 1.5, 4, np.inf)


def data(m=90, n=6, q=2, seed=SEED):
    rng = np.random.default_rng([seed, m, n, q])
    A, C = rng.standard_normal((m, n)), rng.standard_normal((q, n))
    b = A @ np.arange(1.0, n + 1) + rng.standard_t(2, m)
    return A, b, C, rng.standard_normal(q)


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


def holds(x, C, c):
    """Say whether equations hold to rounding in their own terms."""
    return np.all(abs(C @ x - c) <= 1e-14 * (abs(C) @ abs(x) + abs(c)))


def check(result, A, b, p, C, c, weights=None, tol=1e-8):
    """Hold an answer to its equations and its proof, from the data alone."""
    assert holds(result.x, C, c)
    r, y = b - A @ result.x, result.dual
    np.testing.assert_allclose(result.residuals, r, rtol=0, atol=1e-9 * max(1, abs(b).max()))
    value = norm(r, p, weights)
    assert result.objective == pytest.approx(value, rel=1e-9, abs=1e-12 * abs(b).max())
    assert dual_norm(y, p, weights) <= 1 + 1e-9
    multipliers = np.linalg.lstsq(C.conj().T, A.conj().T @ y)[0]
    left = A.conj().T @ y - C.conj().T @ multipliers
    assert np.linalg.norm(left) <= 1e-9 * np.linalg.norm(y) * np.linalg.norm(A, 2)
    bound = np.real(np.vdot(y, b) - np.vdot(multipliers, c))
    scale = max(abs(b).max(), np.linalg.norm(A, 2) * np.linalg.norm(result.x))
    assert value - bound <= (tol + 1e-9) * value + 1e-11 * scale
    assert 0 <= result.gap <= tol
    assert result


def by_linprog(A, b, p, C, c):
    m, n = A.shape
    if p == 1:
        cost = np.concatenate([np.zeros(n), np.ones(2 * m)])
        equal = np.block([[A, np.eye(m), -np.eye(m)], [C, np.zeros((len(c), 2 * m))]])
        bounds = [(None, None)] * n + [(0, None)] * (2 * m)
        return linprog(cost, A_eq=equal, b_eq=np.append(b, c), bounds=bounds).fun
    cost, side = np.append(np.zeros(n), 1.0), np.concatenate([b, -b])
    below = np.block([[A, -np.ones((m, 1))], [-A, -np.ones((m, 1))]])
    equal = np.hstack([C, np.zeros((len(c), 1))])
    return linprog(cost, below, side, A_eq=equal, b_eq=c, bounds=(None, None)).fun


def by_elimination(A, b, C, c):
    """Solve for least squares in rational numbers, by the equations of Lagrange."""
    A, b, C, c = (np.vectorize(Fraction, otypes=[object])(v) for v in (A, b, C, c))
    n, q = A.shape[1], C.shape[0]
    zero = np.full((q, q), Fraction(0), dtype=object)
    M = np.block([[A.T @ A, C.T, (A.T @ b)[:, None]], [C, zero, c[:, None]]])
    for i in range(n + q):
        k = next(k for k in range(i, n + q) if M[k, i] != 0)
        M[[i, k]] = M[[k, i]]
        M[i] = M[i] / M[i, i]
        for k in range(n + q):
            if k != i:
                M[k] = M[k] - M[k, i] * M[i]
    return M[:n, -1].astype(float)


# -- against other solvers -----------------------------------------------------------------------


@pytest.mark.parametrize("p", [1, np.inf])
@pytest.mark.parametrize(("m", "n", "q"), [(7, 3, 1), (60, 4, 3), (200, 12, 5), (5, 9, 6)])
def test_linear_programmes(p, m, n, q):
    A, b, C, c = data(m, n, q)
    result = lp_regression(A, b, p, constraints=(C, c), rng=SEED)
    check(result, A, b, p, C, c)
    assert result.objective == pytest.approx(by_linprog(A, b, p, C, c), rel=1e-9)


@pytest.mark.parametrize("p", [1.5, 3, 8])
def test_sequential_quadratic_programming(p):
    A, b, C, c = data(40, 4, 2)
    result = lp_regression(A, b, p, constraints=(C, c), rng=SEED)
    other = minimize(
        lambda x: np.sum(abs(b - A @ x) ** p) ** (1 / p),
        np.zeros(4),
        constraints={"type": "eq", "fun": lambda x: C @ x - c},
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert result.objective == pytest.approx(other.fun, rel=1e-6)
    assert result.objective <= other.fun * (1 + 1e-8)


@pytest.mark.parametrize("condition", [1e2, 1e6, 1e10])
@pytest.mark.parametrize("residual", [1e-6, 1.0])
def test_two_is_as_accurate_as_lapack(condition, residual):
    A, b, _ = problem(3, 60, 5, condition, residual)
    rng = np.random.default_rng(SEED)
    C, c = rng.standard_normal((2, 5)), rng.standard_normal(2)
    exact = by_elimination(A, b, C, c)
    result = lp_regression(A, b, 2, constraints=(C, c), rng=SEED)
    error = np.linalg.norm(result.x - exact)
    theirs = np.linalg.norm(lapack.dgglse(A, C, b, c)[3] - exact)
    rounding = 1e-16 * np.linalg.cond(A @ null_space(C)) * np.linalg.norm(exact)
    assert error <= 10 * max(theirs, rounding)  # LAPACK is luckier than it has to be, at times
    assert holds(result.x, C, c)


@pytest.mark.parametrize("p", NORMS)
def test_elimination_by_hand(p):
    """The same problem in coordinates of the null space."""
    A, b, C, c = data(150, 6, 2)
    start, N = np.linalg.lstsq(C, c)[0], null_space(C)
    result = lp_regression(A, b, p, constraints=(C, c), rng=SEED)
    check(result, A, b, p, C, c)
    free = lp_regression(A @ N, b - A @ start, p, rng=SEED)
    assert result.objective == pytest.approx(free.objective, rel=2e-8)


# -- laws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", NORMS)
@given(
    m=st.integers(1, 40), n=st.integers(1, 6), q=st.integers(1, 6), seed=st.integers(0, 2**32 - 1)
)
def test_every_answer_proves_itself(p, m, n, q, seed):
    n, q = max(n, q), min(n, q)
    A, b, C, c = data(max(m, n - q), n, q, seed)
    check(lp_regression(A, b, p, constraints=(C, c), rng=seed), A, b, p, C, c)


@pytest.mark.parametrize("p", NORMS)
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 3))
def test_the_gap_is_an_upper_bound(p, seed, steps):
    """Stopped too early: no point that satisfies the equations is better than the proof says."""
    A, b, C, c = data(30, 4, 1, seed)
    best = lp_regression(A, b, p, constraints=(C, c), rng=1).objective
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lrla.ConvergenceWarning)
        early = lp_regression(A, b, p, constraints=(C, c), max_iter=steps, rng=1)
    assert holds(early.x, C, c)
    assert early.objective * (1 - early.gap) <= best * (1 + 1e-12)
    assert early.objective >= best * (1 - 1e-8)


@pytest.mark.parametrize("p", NORMS)
def test_equivariance(p):
    A, b, C, c = data(200, 4, 2)
    b = A @ np.ones(4) + np.random.default_rng(SEED).standard_normal(200)
    plain = lp_regression(A, b, p, constraints=(C, c), rng=SEED)
    z, T = np.array([3.0, -1.0, 0.5, 2.0]), np.random.default_rng(5).standard_normal((4, 4))
    L = np.array([[2.0, 0.0], [-300.0, 0.01]])
    rough = 1e-9 if p in (1, 2, np.inf) else 1e-4
    for x, other in (
        (plain.x + z, (A, b + A @ z, C, c + C @ z)),
        (-3 * plain.x, (A, -3 * b, C, -3 * c)),
        (np.linalg.solve(T, plain.x), (A @ T, b, C @ T, c)),
        (plain.x, (A, b, L @ C, L @ c)),
        (plain.x, (A[::-1], b[::-1], C[::-1], c[::-1])),
    ):
        got = lp_regression(other[0], other[1], p, constraints=other[2:], rng=SEED)
        np.testing.assert_allclose(got.x, x, rtol=rough, atol=rough)


@pytest.mark.parametrize("p", NORMS)
def test_weights_and_ridge(p):
    A, b, C, c = data(80, 4, 2)
    weights = np.random.default_rng(SEED).integers(0, 3, 80).astype(float)
    ridge = np.array([0.0, 2.0, 0.5, 0.0])
    got = lp_regression(A, b, p, weights=weights, ridge=ridge, constraints=(C, c), rng=SEED)
    root = [ridge, weights] if np.isinf(p) else [ridge ** (1 / p), weights ** (1 / p)]
    rows = np.vstack([root[1][:, None] * A, np.diag(root[0])])
    side = np.concatenate([root[1] * b, np.zeros(4)])
    want = lp_regression(rows, side, p, constraints=(C, c), rng=SEED)
    assert got.objective == pytest.approx(want.objective, rel=2e-8)
    assert got.residuals.shape == got.dual.shape == (80,)
    assert holds(got.x, C, c)


@pytest.mark.parametrize("p", FEW)
def test_several_sides_are_so_many_problems(p):
    A, b, C, c = data(90, 4, 2)
    B, sides = np.stack([b, -b, np.cos(b)], axis=1), np.stack([c, c, 2 * c], axis=1)
    together = lp_regression(A, B, p, constraints=(C, sides), rng=SEED)
    for j in range(3):
        alone = lp_regression(A, B[:, j], p, constraints=(C, sides[:, j]), rng=SEED)
        np.testing.assert_allclose(together.x[:, j], alone.x, rtol=1e-12, atol=1e-12)
    same = lp_regression(A, B, p, constraints=(C, c), rng=SEED)
    np.testing.assert_allclose(same.x[:, :2], together.x[:, :2], rtol=1e-12, atol=1e-12)
    assert holds(same.x[:, 2], C, c)


@pytest.mark.parametrize("p", FEW)
def test_a_start_is_made_feasible(p):
    A, b, C, c = data(100, 4, 2)
    plain = lp_regression(A, b, p, constraints=(C, c), rng=SEED)
    again = lp_regression(A, b, p, constraints=(C, c), x0=plain.x + 0.1, rng=SEED)
    check(again, A, b, p, C, c)
    assert again.objective == pytest.approx(plain.objective, rel=2e-8)
    seen = []
    lp_regression(A, b, p, constraints=(C, c), callback=lambda s: seen.append(s.x), rng=SEED)
    for x in seen:
        np.testing.assert_allclose(C @ x, c, atol=1e-12)


@pytest.mark.parametrize("p", [1.2, 2, 5])
def test_complex_data(p):
    A, b, C, c = data(70, 4, 2)
    A, C = A + 1j * np.roll(A, 3, axis=0), C * (1 + 1j * np.arange(4))
    result = lp_regression(A, b + 1j, p, constraints=(C, c), rng=SEED)
    check(result, A, b + 1j, p, C, c)
    N = null_space(C)
    start = np.linalg.lstsq(C, c.astype(complex))[0]
    free = lp_regression(A @ N, b + 1j - A @ start, p, rng=SEED)
    assert result.objective == pytest.approx(free.objective, rel=2e-8)


# -- what the equations are for ------------------------------------------------------------------


@pytest.mark.parametrize("p", FEW)
def test_dummies_that_sum_to_zero(p):
    """A has not full rank, but A and C together do: there is one answer, and no warning."""
    rng = np.random.default_rng(SEED)
    levels = rng.integers(0, 4, 120)
    A = np.column_stack([np.ones(120), np.eye(4)[levels]])
    b = levels + rng.standard_normal(120)
    C, c = np.array([[0.0, 1, 1, 1, 1]]), np.zeros(1)
    result = lp_regression(A, b, p, constraints=(C, c), rng=SEED)
    check(result, A, b, p, C, c)
    assert result.rank == 5
    assert result.objective == pytest.approx(
        lp_regression(A[:, 1:], b, p, rng=SEED).objective, rel=2e-8
    )


@pytest.mark.parametrize("p", FEW)
def test_a_column_that_only_the_equations_know(p):
    A, b, C, c = data(50, 4, 2)
    A[:, 2] = 0
    check(lp_regression(A, b, p, constraints=(C, c), rng=SEED), A, b, p, C, c)
    C[:, 2] = 0
    with pytest.warns(
        lrla.RankDeficientWarning, match="A and the constraints together have rank 3"
    ):
        result = lp_regression(A, b, p, constraints=(C, c), rng=SEED)
    check(result, A, b, p, C, c)
    assert result.rank == 3
    assert result.x[2] == 0


@pytest.mark.parametrize("p", NORMS)
def test_as_many_equations_as_unknowns(p):
    A, b, C, c = data(30, 3, 3)
    result = lp_regression(A, b, p, constraints=(C, c), rng=SEED)
    np.testing.assert_allclose(result.x, np.linalg.solve(C, c), rtol=1e-12)
    assert result.objective == pytest.approx(norm(b - A @ result.x, p))
    assert result.gap <= 1e-8


@pytest.mark.parametrize("p", FEW)
def test_equations_that_follow_from_others(p):
    A, b, C, c = data(60, 5, 2)
    want = lp_regression(A, b, p, constraints=(C, c), rng=SEED)
    more = np.array([[1.0, 0], [0, 1], [1, 1], [0.3, -7], [0, 0]])
    got = lp_regression(A, b, p, constraints=(more @ C, more @ c), rng=SEED)
    assert got.objective == pytest.approx(want.objective, rel=2e-8)
    assert holds(got.x, C, c)


@pytest.mark.parametrize("seed", range(20))
def test_equations_that_follow_from_others_where_columns_differ_in_length(seed):
    rng = np.random.default_rng([seed, 90210])
    A = rng.standard_normal((12, 5)) * 10.0 ** rng.integers(-5, 6, 5)
    C = rng.standard_normal((4, 5))
    C = np.concatenate((C, 2 * C[:1]))
    c = C @ rng.standard_normal(5)
    assert holds(lp_regression(A, np.ones(12), 2, constraints=(C, c)).x, C, c)
    c[4] *= 1 + 1e-9
    with pytest.raises(ValueError, match="constraints must have a solution"):
        lp_regression(A, np.ones(12), 2, constraints=(C, c))


@pytest.mark.parametrize("p", FEW)
def test_equations_that_contradict_each_other(p):
    A, b, C, c = data(60, 5, 2)
    message = re.escape("constraints must have a solution: C has rank 2, and the nearest x leaves")
    for k in (1.0, 1e-9):
        with pytest.raises(ValueError, match=message):
            lp_regression(A, b, p, constraints=(C[[0, 1, 0]], c[[0, 1, 0]] + [0, 0, k]))
    with pytest.raises(ValueError, match="C has rank 0"):
        lp_regression(A, b, p, constraints=(0 * C, c))


@pytest.mark.parametrize("p", FEW)
@pytest.mark.parametrize("scale", [1e-140, 1e-12, 1e12, 1e140])
def test_scales(p, scale):
    A, b, C, c = data(80, 3, 1)
    b = A @ np.ones(3) + np.random.default_rng(SEED).standard_normal(80)
    plain = lp_regression(A, b, p, constraints=(C, c), rng=SEED)
    for A1, b1, C1, c1, size in (
        (A, scale * b, C, scale * c, scale),
        (A * scale, scale * b, C, c, scale),
        (A, b, C * scale, c * scale, 1),
        (A * scale, b, C * scale, c, 1),
    ):
        got = lp_regression(A1, b1, p, constraints=(C1, c1), rng=SEED)
        assert got.objective == pytest.approx(size * plain.objective, rel=2e-8)
        assert got.gap <= 1e-8


@pytest.mark.parametrize("p", FEW)
def test_columns_of_very_different_size(p):
    A, b, C, c = data(300, 5, 2)
    units = 10.0 ** np.array([-9, -3, 0, 4, 9])
    plain = lp_regression(A, b, p, constraints=(C, c), rng=SEED)
    got = lp_regression(A * units, b, p, constraints=(C * units, c), rng=SEED)
    assert got.objective == pytest.approx(plain.objective, rel=2e-8)
    check(lp_regression(A * units, b, p, constraints=(C, c), rng=SEED), A * units, b, p, C, c)


# -- forms of data and methods -------------------------------------------------------------------


@pytest.mark.parametrize("p", FEW)
@pytest.mark.parametrize("columns", [4, 60])
def test_sparse_data(p, columns):
    rng = np.random.default_rng(SEED)
    A = np.zeros((700, columns))
    A[:, 0] = 1
    A[np.arange(700), 1 + rng.integers(0, columns - 1, 700)] = rng.standard_normal(700)
    b, C, c = rng.standard_normal(700), np.ones((1, columns)), np.array([2.0])
    want = lp_regression(A, b, p, constraints=(C, c), rng=SEED)
    got = lp_regression(sp.csr_array(A), b, p, constraints=(sp.csr_array(C), c), rng=SEED)
    check(got, A, b, p, C, c)
    assert got.objective == pytest.approx(want.objective, rel=2e-8)


@pytest.mark.parametrize("p", FEW)
def test_operators_and_chunks_are_their_matrices(p):
    da = pytest.importorskip("dask.array")
    A, b, C, c = data(90, 4, 2)
    want = lp_regression(A, b, p, constraints=(C, c), rng=SEED)
    for M in (aslinearoperator(A), da.from_array(A, chunks=(25, 4))):
        got = lp_regression(M, b, p, constraints=(C, c), rng=SEED)
        np.testing.assert_allclose(got.x, want.x, rtol=1e-10, atol=1e-12)
        assert got.objective == pytest.approx(want.objective)


@pytest.mark.parametrize("p", NORMS)
def test_array_libraries(backend, p):
    A, b, C, c = data(100, 4, 2)
    want = lp_regression(A, b, p, constraints=(C, c), rng=SEED)
    A1, b1, C1, c1 = (backend.asarray(v) for v in (A, b, C, c))
    got = lp_regression(A1, b1, p, constraints=(C1, c1), rng=SEED)
    assert type(got.x) is type(b1)
    assert got.objective == pytest.approx(want.objective, rel=2e-8)
    assert holds(backend.to_numpy(got.x), C, c)


@pytest.mark.parametrize("p", FEW)
def test_single_precision(p):
    A, b, C, c = data(100, 4, 2)
    A1, b1, C1, c1 = (v.astype("f4") for v in (A, b, C, c))
    got = lp_regression(A1, b1, p, constraints=(C1, c1), rng=SEED)
    assert got.x.dtype == np.float32
    want = lp_regression(*(v.astype("f8") for v in (A1, b1)), p, constraints=(C1, c1), rng=SEED)
    assert got.objective == pytest.approx(want.objective, rel=1e-7)
    np.testing.assert_allclose(C1 @ got.x, c1, atol=1e-5)
    again = np.vstack([C1, C1.sum(axis=0)]), np.append(c1, c1.sum())  # rounded: still dependent
    same = lp_regression(A1, b1, p, constraints=again, rng=SEED)
    assert same.objective == pytest.approx(want.objective, rel=1e-6)


def test_pilots():
    A, b, C, c = data(4000, 5, 2)
    weights = np.random.default_rng(SEED).uniform(1e-4, 1e-3, 4000)
    want = lp_regression(A, b, 1, weights=weights, constraints=(C, c), method="interior", rng=SEED)
    got = lp_regression(A, b, 1, weights=weights, constraints=(C, c), method="pilot", rng=SEED)
    check(got, A, b, 1, C, c, weights)
    assert got.info.method == "pilot"
    np.testing.assert_allclose(got.x, want.x, rtol=1e-9)


@pytest.mark.parametrize("p", [1, 1.5, 3])
def test_samples(p):
    A, b, C, c = data(6000, 4, 2)
    b = b + 1e3 * A @ np.ones(4)  # far from the equations: A x alone says nothing of the residual
    want = lp_regression(A, b, p, constraints=(C, c), rng=SEED)
    got = lp_regression(A, b, p, constraints=(C, c), method="sample", rng=SEED)
    assert holds(got.x, C, c)
    assert got.objective * (1 - got.gap) <= want.objective <= got.objective <= 1.1 * want.objective
    assert got.gap < 0.1


@pytest.mark.parametrize("p", FEW)
def test_the_proof_needs_both_halves(monkeypatch, p):
    """Coordinates that leave the equations, or no way back onto them: the checks here notice."""
    A, b, C, c = data(60, 4, 2)
    with monkeypatch.context() as patch:
        patch.setattr(Constraints, "_free", lambda self, T, rank: T)
        with pytest.raises((AssertionError, lrla.ConvergenceWarning)):
            check(lp_regression(A, b, p, constraints=(C, c), rng=SEED), A, b, p, C, c)
    A = A * 10.0 ** np.array([-6, -3, 3, 6])
    b, c = b + A @ np.ones(4), C @ np.ones(4)
    with monkeypatch.context() as patch:
        patch.setattr(Constraints, "meet", lambda self, X: X)
        x = lp_regression(A, b, p, constraints=(C, c), rng=SEED).x
    assert not holds(x, C, c)
    assert holds(lp_regression(A, b, p, constraints=(C, c), rng=SEED).x, C, c)


def test_numbers_may_be_whole():
    A, b, _, _ = data(30, 3)
    got = lp_regression(A, b, 1.5, constraints=([[1, 1, 1]], [2]), rng=SEED)
    want = lp_regression(A, b, 1.5, constraints=(np.ones((1, 3)), np.array([2.0])), rng=SEED)
    np.testing.assert_array_equal(got.x, want.x)


def test_nothing_is_changed_or_kept():
    A, b, C, c = data()
    copies = [v.copy() for v in (A, b, C, c)]
    first = lp_regression(A, b, 1.5, constraints=(C, c), rng=SEED)
    again = lp_regression(A, b, 1.5, constraints=(C, c), rng=first.info.seed)
    np.testing.assert_array_equal(first.x, again.x)
    for now, before in zip((A, b, C, c), copies, strict=True):
        np.testing.assert_array_equal(now, before)


@pytest.mark.parametrize(
    ("constraints", "error", "message"),
    [
        (
            np.ones((1, 3)),
            TypeError,
            "constraints must be a pair (C, c), for C @ x = c, got ndarray",
        ),
        ((np.ones((1, 3)),), TypeError, "constraints must be a pair (C, c)"),
        ((np.ones(3), 1.0), ValueError, "C in constraints must have 2 dimensions, got shape (3,)"),
        ((np.ones((1, 4)), [0.0]), ValueError, "one column for each of A, got 4 for 3"),
        ((np.ones((0, 3)), []), ValueError, "C in constraints must have at least one row"),
        ((np.ones((2, 3)), [0.0]), ValueError, "c in constraints must have shape (2,), got (1,)"),
        ((np.ones((1, 3)), [np.nan]), ValueError, "c in constraints must be finite"),
        ((np.full((1, 3), np.inf), [0.0]), ValueError, "C in constraints must be finite"),
        ((np.ones((1, 3)) * 1j, [0.0]), TypeError, "constraints must be real where A and b are"),
    ],
)
def test_mistakes(constraints, error, message):
    A, b, _, _ = data(30, 3)
    with pytest.raises(error, match=re.escape(message)):
        lp_regression(A, b, 1.5, constraints=constraints)


@pytest.mark.parametrize("p", [1, 1.5, math.inf])
def test_sides_have_to_fit(p):
    A, b, C, _ = data(30, 3)
    B = np.stack([b, b], axis=1)
    with pytest.raises(
        ValueError, match=re.escape("c in constraints must have shape (2,) or (2, 2)")
    ):
        lp_regression(A, B, p, constraints=(C, np.ones((2, 3))))


@pytest.mark.parametrize("p", [1, 1.05, 1.5, 2.3, 6, np.inf])
def test_rounding_of_a_fit_that_constraints_make_exact_is_no_residual(p):
    """b is zero: all that is added up in residuals comes from x, which constraints hold."""
    for seed in range(12):
        rng = np.random.default_rng([SEED, 31, seed])
        A, x, C = rng.standard_normal((7, 3)), rng.standard_normal(3), rng.standard_normal((1, 3))
        A = A - np.outer(A @ x, x) / (x @ x)
        for x0 in (None, 100 * rng.standard_normal(3)):
            got = lp_regression(A, np.zeros(7), p, constraints=(C, C @ x), x0=x0, rng=SEED)
            assert got
            assert got.gap == 0
            np.testing.assert_allclose(got.x, x, atol=1e-11)
