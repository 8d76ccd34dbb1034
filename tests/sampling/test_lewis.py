"""Lewis weights: the fixed point, its laws, and how few iterations it takes."""

import math
import warnings

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import aslinearoperator

from lrla import AccuracyWarning, ConvergenceWarning, RankDeficientWarning, Status
from lrla.sampling import leverage_scores, lewis_weights

SEED = 90210
seeds = st.integers(0, 2**32 - 1)
norms = st.sampled_from([0.3, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0])


def scores_of(A, w, p):
    """Leverage scores of w**(1/2 - 1/p) A, by QR; rows of small weight as accurate as others."""
    keep = w > 0
    scores = np.zeros(A.shape[0])
    c = 1 - 2 / p
    R = np.linalg.qr(w[keep, None] ** (c / 2) * A[keep], mode="r")
    rows = np.linalg.solve(R.conj().T, A[keep].conj().T)
    scores[keep] = w[keep] ** c * np.sum(abs(rows) ** 2, axis=0)
    return scores


def residual_of(A, w, p):
    keep = w > 0
    return np.max(abs(np.log(scores_of(A, w, p)[keep] / w[keep])))


def designs(m=3000, n=12):
    """Five designs, from harmless to coherent."""
    rng = np.random.default_rng(SEED)
    yield "gauss", rng.standard_normal((m, n))
    yield "heavy", rng.standard_t(1.2, (m, n))
    yield "scaled", rng.standard_normal((m, n)) * np.exp(rng.normal(0, 2, (m, 1)))
    A = rng.standard_normal((m, n))
    A[:, n // 2 :] *= rng.random((m, 1)) < 0.01
    yield "coherent", A
    A = np.zeros((m, n))
    A[np.arange(m), rng.integers(0, n - 2, m)] = 1
    A[:, -2:] = rng.standard_normal((m, 2))
    yield "dummies", A


# most iterations over five designs that published methods, or this one without acceleration, took
LIMITS = {0.5: 23, 1: 15, 3: 13, 4: 18, 8: 32, 16: 57}


@pytest.mark.parametrize("p", LIMITS)
def test_iterations_and_fixed_point(p):
    for _, A in designs():
        result = lewis_weights(A, p, tol=1e-10, rng=SEED)
        assert result.status is Status.CONVERGED
        assert result.residual <= 1e-10
        assert result.info.iterations <= LIMITS[p]
        assert residual_of(A, result.weights, p) < 1e-8
        assert result.weights.sum() == pytest.approx(12, abs=1e-8)
        Q = result.weights[:, None] ** (0.5 - 1 / p) * A @ result.T
        np.testing.assert_allclose(Q.T @ Q, np.eye(12), atol=1e-8)


@pytest.mark.parametrize("method", ["auto", "one_sided"])
@pytest.mark.parametrize("p", [0.5, 1, 4, 16, math.inf])
def test_the_sum_is_the_rank_up_to_the_residual(p, method):
    if method == "one_sided" and p < 2:
        pytest.skip("for p >= 2 only")
    for _, A in designs():
        found = lewis_weights(A, p, tol=0.3, method=method, rng=SEED)
        assert abs(math.log(found.weights.sum() / 12)) <= found.residual + 1e-12


@pytest.mark.parametrize("p", [1, 3])
def test_cohen_and_peng_agree_and_take_longer(p):
    for _, A in designs():
        slow = lewis_weights(A, p, tol=1e-10, method="fixed_point", rng=SEED)
        fast = lewis_weights(A, p, tol=1e-10, rng=SEED)
        np.testing.assert_allclose(slow.weights, fast.weights, rtol=1e-8)
        assert slow.info.iterations > 2 * fast.info.iterations
        # the contraction that Cohen and Peng prove
        history = np.array(slow.info.history)
        assert np.all(history[1:] <= abs(p / 2 - 1) * history[:-1] + 1e-12)


def test_large_p_underflows_and_says_so():
    A = dict(designs())["scaled"]
    with pytest.warns(AccuracyWarning, match="positive weights are too small for float64"):
        result = lewis_weights(A, 64, rng=SEED)
    assert result.status is Status.CONVERGED
    assert result.info.n_underflow == np.sum(result.weights == 0) > 0
    assert result.weights.sum() == pytest.approx(12, rel=0.02)


@pytest.mark.parametrize("p", [100, 200, 400, 1000])
@pytest.mark.parametrize("n", [4, 10])
def test_large_p_by_smaller_ones(p, n):
    """Started from equal weights the iteration does not get there, and once lost a direction."""
    A = np.random.default_rng(0).standard_normal((20 * n, n))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)  # of underflow
        result = lewis_weights(A, p, rng=SEED)
    assert result
    assert result.residual <= 1e-2
    assert result.weights.sum() == pytest.approx(n, rel=0.01)
    # w_i = q_i(w)**(p/2), where that is not below rounding
    q = np.sum((A @ result.T) ** 2, axis=1)
    seen = result.weights > 1e-12
    assert seen.sum() >= n
    np.testing.assert_allclose(np.log(q[seen]) * p / 2, np.log(result.weights[seen]), atol=0.01 * p)


def test_an_iteration_that_fails_does_not_blame_rounding():
    A = np.random.default_rng(0).standard_normal((80, 4))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = lewis_weights(A, 1e4, rng=SEED)
    assert result.status is Status.BREAKDOWN
    told = [str(w.message) for w in caught if w.category is ConvergenceWarning]
    assert len(told) == 1
    assert "the iteration does not get closer; method 'one_sided' does" in told[0]
    assert not [w for w in caught if w.category is RankDeficientWarning]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        assert lewis_weights(A, 1e4, method="one_sided", tol=0.5, rng=SEED)
    assert lewis_weights(A, np.inf, rng=SEED)


def test_limits_hold_on_the_way_to_a_large_p():
    A = np.random.default_rng(0).standard_normal((80, 4))
    with pytest.warns(ConvergenceWarning, match="the iteration limit was reached"):
        result = lewis_weights(A, 1000, max_iter=5, rng=SEED)
    assert result.info.iterations == 5
    assert result.residual > 1e-2


@pytest.mark.parametrize("p", [0.5, 1, 3, 8])
def test_no_residual_is_below_rounding(p):
    """Single precision cannot tell less: that some residual was 1e-15 was chance."""
    A = np.random.default_rng(0).standard_normal((80, 4)).astype("f4")
    with pytest.warns(ConvergenceWarning, match="tol is below what rounding allows"):
        result = lewis_weights(A, p, tol=1e-10, rng=SEED)
    assert result.status is Status.STAGNATED
    assert result.info.iterations < 20
    true = residual_of(A.astype(float), result.weights.astype(float), p)
    assert true <= 2 * result.residual < 1e-5


@pytest.mark.parametrize("p", [2, 2.5, 4, 12, 100])
@pytest.mark.parametrize("tol", [0.5, 0.05])
def test_one_sided_weights_bound_their_scores(p, tol):
    for _, A in designs(600, 6):
        result = lewis_weights(A, p, method="one_sided", tol=tol, rng=SEED)
        assert result.status is Status.CONVERGED
        assert result.info.iterations <= math.ceil(math.log(100) / tol) + 1
        assert np.all(scores_of(A, result.weights, p) <= math.exp(tol) * result.weights + 1e-9)
        assert result.weights.sum() == pytest.approx(6, rel=1e-6)


# ------------------------------------------------------------------------------------------- laws


@settings(max_examples=40)
@given(seeds, norms, st.integers(1, 6), st.integers(2, 60))
def test_laws(seed, p, n, extra):
    rng = np.random.default_rng(seed)
    m = n + extra
    A = rng.standard_normal((m, n)) * np.exp(rng.normal(0, 1, (m, 1)))
    tight = {"tol": 1e-9, "rng": seed}
    w = lewis_weights(A, p, **tight).weights
    assert w.sum() == pytest.approx(n, rel=1e-7)
    # another basis, another scale, another order
    T = rng.standard_normal((n, n)) + 3 * np.eye(n)
    order = rng.permutation(m)
    same = lewis_weights(7.0 * (A @ T)[order], p, **tight).weights
    np.testing.assert_allclose(same, w[order], rtol=1e-6)
    # a row in three equal parts shares its weight
    part = A[:1] / 3 ** (1 / p)
    split = lewis_weights(np.concatenate((part, part, part, A[1:])), p, **tight).weights
    np.testing.assert_allclose(split[:3], w[0] / 3, rtol=1e-6)
    np.testing.assert_allclose(split[3:], w[1:], rtol=1e-6)


@settings(max_examples=20)
@given(seeds)
def test_two_is_leverage(seed):
    A = np.random.default_rng(seed).standard_t(2, (80, 5))
    want = leverage_scores(A, rng=seed).scores
    np.testing.assert_allclose(lewis_weights(A, 2, rng=seed).weights, want, rtol=1e-9)


@pytest.mark.parametrize("p", [2.5, 4, 8])
def test_undamped_steps_climb_a_potential_for_large_p(p):
    """logdet(A' W^(1-2/p) A) / (1 - 2/p) - sum(w): a mutant with too long steps does not climb."""
    for _, A in designs(500, 5):

        def potential(w, A=A):
            c = 1 - 2 / p
            return np.linalg.slogdet(A.T @ (w[:, None] ** c * A))[1] / c - w.sum()

        w = np.full(500, 5 / 500)
        values = [potential(w)]
        for _ in range(10):
            w = scores_of(A, w, p)
            values.append(potential(w))
        assert np.all(np.diff(values) > -1e-9)
        exact = lewis_weights(A, p, tol=1e-9, rng=SEED).weights
        assert potential(exact) >= values[-1] - 1e-9


# ------------------------------------------------------------------------------- kinds and shapes


@pytest.mark.parametrize("p", [1, 5])
def test_every_library(backend, p):
    A = np.random.default_rng(SEED).standard_normal((300, 5))
    result = lewis_weights(backend.asarray(A), p, tol=1e-8, rng=SEED)
    assert residual_of(A, backend.to_numpy(result.weights), p) < 2e-8


@pytest.mark.parametrize("dtype", ["f4", "f8", "c16"])
@pytest.mark.parametrize("p", [1, 6])
@pytest.mark.parametrize("digits", [0, 6])
def test_every_kind(p, dtype, digits):
    rng = np.random.default_rng(SEED)
    A = rng.standard_normal((400, 6)) * (rng.random((400, 6)) < 0.4)
    A = A @ np.diag([1, 1, 1, 1, 1, 10.0**-digits])
    if digits and dtype != "f4":
        A[:, 4] = A[:, 5] + 1e-6 * A[:, 4]
    A = A.astype(dtype) * (np.exp(1j * np.arange(400))[:, None] if dtype == "c16" else 1)
    tol = 1e-4 if dtype == "f4" else 1e-8
    kinds = (A, sp.csr_array(A), sp.csc_array(A), da.from_array(A, chunks=(90, 6)))
    for given_ in (*kinds, aslinearoperator(A)):
        result = lewis_weights(given_, p, tol=tol, rng=SEED)
        assert result.weights.dtype == np.finfo(dtype).dtype
        assert residual_of(A.astype("c16"), result.weights.astype(float), p) < 20 * tol


def test_zero_rows_weigh_nothing():
    A = np.random.default_rng(SEED).standard_normal((200, 4))
    A[[3, 50]] = 0
    for p in (0.5, 4):
        for form in (np.asarray, sp.csr_array):
            w = lewis_weights(form(A), p, tol=1e-9, rng=SEED).weights
            assert (w[3], w[50]) == (0, 0)
            rest = np.delete(A, [3, 50], axis=0)
            want = lewis_weights(rest, p, tol=1e-9, rng=SEED).weights
            np.testing.assert_allclose(np.delete(w, [3, 50]), want, rtol=1e-7)


@pytest.mark.parametrize("p", [0.5, 1, 4])
def test_degenerate_data(p):
    A = np.random.default_rng(SEED).standard_normal((4, 9))
    np.testing.assert_allclose(lewis_weights(A, p, tol=1e-9, rng=SEED).weights, 1, rtol=1e-8)
    np.testing.assert_allclose(lewis_weights(A[:, :1], p, tol=1e-9, rng=SEED).weights.sum(), 1)
    with pytest.warns(RankDeficientWarning):
        result = lewis_weights(np.zeros((30, 2)), p, rng=SEED)
    np.testing.assert_array_equal(result.weights, np.zeros(30))
    assert (result.rank, result.residual) == (0, 0)
    B = np.random.default_rng(SEED).standard_normal((200, 3))
    with pytest.warns(RankDeficientWarning, match="rank 3"):
        result = lewis_weights(np.concatenate((B, B[:, :1] + B[:, 1:2]), axis=1), p, rng=SEED)
    np.testing.assert_allclose(result.weights, lewis_weights(B, p, rng=SEED).weights, rtol=1e-7)


def test_one_column_has_a_formula():
    a = np.array([[1.0], [-2.0], [3.0]])
    for p in (0.5, 1, 3, 20):
        want = abs(a[:, 0]) ** p / np.sum(abs(a) ** p)
        got = lewis_weights(a, p, tol=1e-12, rng=SEED).weights
        np.testing.assert_allclose(got, want, rtol=1e-10)


# --------------------------------------------------------------------------------------- infinity


@pytest.mark.parametrize("tol", [1e-2, 1e-6, 1e-10])
def test_the_ellipsoid_of_john(tol):
    for _, A in designs():
        result = lewis_weights(A, math.inf, tol=tol, rng=SEED)
        assert result.status is Status.CONVERGED
        assert result.info.iterations < 15
        w = result.weights
        assert w.sum() == pytest.approx(12, rel=1e-9)
        inverse = np.linalg.inv(A.T @ (w[:, None] * A))
        q = np.einsum("ij,jk,ik->i", A, inverse, A)
        assert np.max(q) <= math.exp(tol) * (1 + 1e-9)
        assert np.sum(w[q < 1 - 1e-3]) < 12 * 1000 * tol  # weight is on the boundary only
        # the rows themselves lie in the ellipsoid that T maps to the unit ball
        assert np.max(np.linalg.norm(A @ result.T, axis=1)) <= 1 + tol


def test_known_ellipsoids():
    angles = np.linspace(0, np.pi, 7)[:-1]
    circle = np.column_stack((np.cos(angles), np.sin(angles)))
    ellipse = np.concatenate((circle, 0.9 * circle)) * [3, 0.5]
    result = lewis_weights(ellipse, math.inf, tol=1e-9, rng=SEED)
    np.testing.assert_allclose(result.weights[6:], 0, atol=1e-7)
    shape = result.T @ result.T.T
    np.testing.assert_allclose(shape, np.diag([1 / 9, 4]), atol=1e-7)
    cube = np.array([[x, y, z] for x in (-1.0, 1) for y in (-1, 1) for z in (-1, 1)])
    ball = lewis_weights(cube, math.inf, tol=1e-9, rng=SEED).T
    np.testing.assert_allclose(ball @ ball.T, np.eye(3) / 3, atol=1e-7)


@pytest.mark.parametrize("complex_", [False, True])
def test_john_on_every_kind(complex_):
    rng = np.random.default_rng(SEED)
    A = rng.standard_normal((400, 5)) * (rng.random((400, 5)) < 0.5)
    A = A + 1j * A[::-1] if complex_ else A
    A[17] = 0
    want = lewis_weights(A, math.inf, tol=1e-9, rng=SEED).weights
    assert want[17] == 0
    for form in (sp.csr_array, aslinearoperator, lambda X: da.from_array(X, chunks=(90, 5))):
        got = lewis_weights(form(A), math.inf, tol=1e-9, rng=SEED).weights
        np.testing.assert_allclose(got, want, atol=1e-5)


def test_john_on_every_library(backend):
    A = np.random.default_rng(SEED).standard_normal((300, 4))
    result = lewis_weights(backend.asarray(A), math.inf, tol=1e-6, rng=SEED)
    w = backend.to_numpy(result.weights)
    q = np.einsum("ij,jk,ik->i", A, np.linalg.inv(A.T @ (w[:, None] * A)), A)
    assert np.max(q) <= 1 + 2e-6


def test_john_of_few_rows():
    A = np.random.default_rng(SEED).standard_normal((4, 9))
    np.testing.assert_allclose(lewis_weights(A, math.inf, rng=SEED).weights, 1, rtol=1e-8)
    a = np.array([[1.0], [-2.0], [0.5]])
    got = lewis_weights(a, math.inf, tol=1e-9, rng=SEED).weights
    np.testing.assert_allclose(got, [0, 1, 0], atol=1e-8)
    with pytest.warns(RankDeficientWarning):
        zero = lewis_weights(np.zeros((30, 2)), math.inf, rng=SEED)
    np.testing.assert_array_equal(zero.weights, 0)
    with pytest.warns(ConvergenceWarning, match="iteration limit"):
        lewis_weights(np.eye(30, 2) + 1, math.inf, tol=1e-9, max_iter=2, rng=SEED)


def test_undamped_steps_reach_john_slowly_but_surely():
    A = dict(designs(600, 6))["heavy"]
    slow = lewis_weights(A, math.inf, method="one_sided", tol=0.1, rng=SEED)
    inverse = np.linalg.inv(A.T @ (slow.weights[:, None] * A))
    assert np.max(np.einsum("ij,jk,ik->i", A, inverse, A)) <= math.exp(0.1)
    assert slow.info.iterations <= math.ceil(math.log(100) / 0.1) + 1


# ------------------------------------------------------------------------------- answers and errors


def test_limits_and_callbacks():
    A = dict(designs())["heavy"]
    with pytest.warns(ConvergenceWarning, match=r"residual is .*, above tol=1.0e-10: the iterati"):
        result = lewis_weights(A, 1, tol=1e-10, max_iter=4, rng=SEED)
    assert result.status is Status.MAX_ITER
    assert result.info.iterations == 4
    assert residual_of(A, result.weights, 1) == pytest.approx(result.residual, rel=1e-6)
    seen = []
    result = lewis_weights(
        A, 1, tol=1e-10, rng=SEED, callback=lambda state: seen.append(state) or len(seen) == 3
    )
    assert result.status is Status.STOPPED
    assert result.residual == min(state.error for state in seen)
    assert seen[2].x.shape == (3000,)


def test_rounding_ends_the_iteration():
    A = dict(designs())["heavy"].astype("f4")
    with pytest.warns(ConvergenceWarning, match="tol is below what rounding allows"):
        result = lewis_weights(A, 1, tol=1e-14, rng=SEED)
    assert result.status is Status.STAGNATED
    assert result.residual < 1e-3


@pytest.mark.parametrize(
    ("p", "options", "message"),
    [
        (0, {}, "p must be positive, got 0"),
        (-1, {}, "p must be positive"),
        (np.nan, {}, "p must be positive"),
        (4, {"method": "fixed_point"}, "converges for p < 4 only, got p=4.0; use 'auto'"),
        (1, {"method": "one_sided"}, "'one_sided' is for p >= 2, got p=1.0; use 'auto'"),
        (1, {"method": "magic"}, "method must be one of auto, fixed_point"),
        (1, {"tol": 0}, "tol must be positive, got 0"),
        (1, {"max_iter": 0}, "max_iter must be an integer, at least 1, got 0"),
    ],
)
def test_errors(p, options, message):
    with pytest.raises(ValueError, match=message):
        lewis_weights(np.eye(5, 3), p, rng=SEED, **options)


def test_a_norm_is_a_number():
    with pytest.raises(TypeError, match="p must be a number, got 'one'"):
        lewis_weights(np.eye(5, 3), "one")


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e300])
@pytest.mark.parametrize("p", [0.5, 1, 3, np.inf])
def test_data_of_any_size(p, scale):
    """And without a RuntimeWarning: here these are errors."""
    A = np.random.default_rng(SEED).standard_normal((150, 4))
    want = lewis_weights(A, p, tol=1e-8, rng=SEED)
    got = lewis_weights(scale * A, p, tol=1e-8, rng=SEED)
    np.testing.assert_allclose(got.weights, want.weights, rtol=1e-6, atol=1e-9)


def test_nan_is_refused():
    A = np.ones((50, 2))
    A[4, 1] = np.nan
    for form in (np.asarray, sp.csr_array):
        with pytest.raises(ValueError, match=r"A.* must be finite"):
            lewis_weights(form(A), 1, rng=SEED)
