"""Solvers end where they say they end, and count as the formulas do."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

import lrla
from lrla._core.results import Status
from lrla.relaxation import cg, kaczmarz, sor, ssor_pcg
from tests.relaxation.matrices import (
    dense_sweep,
    draw,
    poisson,
    random_definite,
    random_sparse,
    splitting,
)

seeds = st.integers(0, 2**32 - 1)


def residual(A, x, b):
    return np.linalg.norm(b - A @ x, axis=0)


@given(seeds, st.integers(1, 20), st.sampled_from(["f8", "c16"]), st.floats(0.3, 1.7))
def test_sor_counts_sweeps_as_the_dense_formula_does(seed, n, dtype, omega):
    A = random_definite(seed, n, dtype, condition=8.0)
    b = draw(np.random.default_rng(seed), n, dtype)
    x, sweeps = np.zeros(n, dtype), 0
    while residual(A, x, b) > 1e-6 * np.linalg.norm(b) * (1 + 1e-9):
        x, sweeps = dense_sweep(A, x, b, omega, "forward"), sweeps + 1
    result = sor(scipy.sparse.csr_array(A), b, omega=omega, rtol=1e-6, check_every=1)
    assert result.info.iterations == sweeps
    assert result.residual_norm == pytest.approx(residual(A, result.x, b), rel=1e-6)
    np.testing.assert_allclose(result.x, x, rtol=1e-9, atol=1e-9 * np.max(np.abs(x)))
    assert result.status
    assert result.info.omega == omega


@pytest.mark.parametrize("solver", [sor, ssor_pcg])
def test_looking_less_often_changes_no_iterate(solver):
    A, b = poisson(20, 20), np.arange(400.0)
    often = solver(A, b, omega=1.7, rtol=1e-8, check_every=1)
    rarely = solver(A, b, omega=1.7, rtol=1e-8)
    seen = []
    solver(A, b, omega=1.7, rtol=1e-8, check_every=1, callback=lambda s: seen.append(s.x.copy()))
    assert len(rarely.info.checks) < len(often.info.checks)
    assert often.info.iterations <= rarely.info.iterations <= often.info.iterations + 2
    assert len(seen) == often.info.iterations
    np.testing.assert_allclose(seen[-1], often.x, rtol=1e-14)
    watched = solver(A, b, omega=1.7, rtol=1e-8, callback=lambda s: None)
    np.testing.assert_array_equal(watched.x, rarely.x)
    assert watched.info.history == rarely.info.history


@pytest.mark.parametrize("solver", [sor, ssor_pcg])
@pytest.mark.parametrize("order", ["natural", "multicolor", "redblack"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_solvers_solve(solver, order, dtype):
    A = poisson(12, 9).astype(dtype)
    b = draw(np.random.default_rng(8), 108, dtype)
    rtol = 1e-4 if np.finfo(dtype).dtype == np.float32 else 1e-11
    result = solver(A, b, omega=1.5, order=order, rtol=rtol)
    assert result.status is Status.CONVERGED
    assert result.x.dtype == np.dtype(dtype)
    assert residual(A, result.x, b) <= 1.01 * rtol * np.linalg.norm(b)
    x, code = result
    assert code == 0
    assert x is result.x


@pytest.mark.parametrize("solver", [sor, ssor_pcg])
def test_nothing_is_changed_and_any_start_will_do(solver):
    A, b = poisson(10, 10), np.arange(100.0)
    start = np.random.default_rng(4).standard_normal(100)
    kept = A.copy(), b.copy(), start.copy()
    result = solver(A, b, start, omega=1.5, rtol=1e-9)
    np.testing.assert_allclose(A @ result.x, b, atol=1e-5)
    np.testing.assert_array_equal(start, kept[2])
    np.testing.assert_array_equal(b, kept[1])
    np.testing.assert_array_equal(A.data, kept[0].data)
    again = solver(A, b, result.x, omega=1.5, rtol=1e-8)
    assert again.info.iterations == 0
    np.testing.assert_array_equal(again.x, result.x)


@pytest.mark.parametrize("solver", [sor, ssor_pcg])
def test_zero_right_hand_side(solver):
    result = solver(poisson(5), np.zeros(5), omega=1.2)
    assert result.status
    assert result.info.iterations == 0
    assert not result.x.any()


@pytest.mark.parametrize("solver", [sor, ssor_pcg])
@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e150, 1e300])
def test_scales_of_the_right_hand_side(solver, scale):
    A, b = poisson(8, 8), np.arange(64.0)
    small = solver(A, b, omega=1.5, rtol=1e-9)
    large = solver(A, scale * b, omega=1.5, rtol=1e-9)
    assert small.info.iterations == large.info.iterations
    np.testing.assert_allclose(large.x / scale, small.x, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["f8", "c16"])
@pytest.mark.parametrize("order", ["natural", "redblack"])
def test_several_right_hand_sides_end_together(order, dtype):
    A = poisson(10, 10).astype(dtype)
    B = draw(np.random.default_rng(2), (100, 3), dtype) * [1, 1e-3, 1e3]
    for solver in (sor, ssor_pcg):
        result = solver(A, B, omega=1.5, order=order, rtol=1e-8)
        assert result.residual_norm.shape == (3,)
        assert np.all(residual(A, result.x, B) <= 1e-8 * np.linalg.norm(B, axis=0))


@pytest.mark.parametrize("solver", [ssor_pcg, cg])
@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_columns_are_iterated_as_if_alone(solver, dtype):
    A = random_definite(5, 60, dtype, condition=1e4)
    rng = np.random.default_rng(6)
    # an eigenvector is found at once, zero is there already, the start of the last is its solution
    B = draw(rng, (60, 4), dtype)
    B[:, 1], B[:, 2] = np.linalg.eigh(A)[1][:, 7], 0
    X0 = np.zeros_like(B)
    X0[:, 3] = np.linalg.solve(A, B[:, 3])
    options = {"rtol": 1e-9} | ({"check_every": 1} if solver is ssor_pcg else {})
    together = solver(A, B, X0, **options)
    assert together
    counts = [solver(A, B[:, j], X0[:, j], **options).info.iterations for j in range(4)]
    assert abs(together.info.iterations - max(counts)) <= 1
    assert counts[2] == counts[3] == 0
    for j in range(4):
        alone = solver(A, B[:, j], X0[:, j], **options).x
        np.testing.assert_allclose(together.x[:, j], alone, rtol=0, atol=1e-6)
    assert np.array_equal(together.x[:, 2:], X0[:, 2:])


@pytest.mark.parametrize("solver", [ssor_pcg, cg])
def test_one_column_beyond_rounding_does_not_stop_the_others(solver):
    A = poisson(10, 10)
    B = np.random.default_rng(2).standard_normal((100, 2))
    B[:, 0] *= 1e9
    with pytest.warns(lrla.ConvergenceWarning, match="stopped falling"):
        result = solver(A, B, rtol=0, atol=1e-9)
    assert result.status is Status.STAGNATED
    assert result.residual_norm[1] <= 1e-9 < result.residual_norm[0] < 1e-3


def test_divergence_is_noticed_and_said():
    A = np.array([[1.0, 3.0], [3.0, 1.0]])
    with pytest.warns(lrla.ConvergenceWarning, match="SOR stopped after .* grew without bound"):
        result = sor(A, np.ones(2), omega=1.0)
    assert result.status is Status.DIVERGED
    assert result.code == result.info.iterations > 0


@pytest.mark.parametrize("solver", [sor, ssor_pcg])
def test_limits_are_kept_and_said(solver):
    A, b = poisson(30, 30), np.ones(900)
    for limit in (0, 1, 13):
        with pytest.warns(lrla.ConvergenceWarning, match=f"after {limit} iterations"):
            result = solver(A, b, omega=1.2, rtol=1e-12, max_iter=limit)
        assert result.status is Status.MAX_ITER
        assert result.info.iterations == limit
        assert result.residual_norm == pytest.approx(residual(A, result.x, b), rel=1e-10)


@pytest.mark.parametrize("solver", [sor, ssor_pcg])
def test_more_than_rounding_allows_is_said(solver):
    A, b = poisson(15, 15), np.ones(225)
    with pytest.warns(lrla.ConvergenceWarning, match="stopped falling"):
        result = solver(A, b, omega=1.7, rtol=1e-30)
    assert result.status is Status.STAGNATED
    assert result.residual_norm < 1e-11 * np.linalg.norm(b)


@pytest.mark.parametrize("solver", [sor, ssor_pcg])
def test_a_callback_stops(solver):
    result = solver(poisson(20, 20), np.ones(400), omega=1.2, callback=lambda s: s.iteration >= 5)
    assert result.status is Status.STOPPED
    assert 5 <= result.info.iterations <= 20


@pytest.mark.parametrize("n", [64, 128])
@pytest.mark.parametrize("kind", ["random", "ones"])
def test_adaptive_factors_cost_little(n, kind):
    """At most 1.3 times the sweeps of the best factor, which is not known to them."""
    A = poisson(n, n)
    b = np.ones(n * n) if kind == "ones" else np.random.default_rng(5).standard_normal(n * n)
    best = 2 / (1 + np.sin(np.pi / (n + 1)))
    exact = sor(A, b, omega=best, rtol=1e-8)
    found = sor(A, b, rtol=1e-8)
    assert found.status
    assert found.info.iterations <= 1.3 * exact.info.iterations
    assert 1.5 < found.info.omega < 2


@given(seeds, st.integers(1, 25), st.sampled_from(["f8", "c16"]), st.floats(0.2, 1.9))
def test_p10_ssor_pcg_is_pcg_with_the_ssor_matrix(seed, n, dtype, omega):
    A = random_definite(seed, n, dtype)
    rng = np.random.default_rng([seed, 10])
    b, start = draw(rng, n, dtype), draw(rng, n, dtype)
    M = np.linalg.inv(splitting(A, omega, "symmetric"))
    x = start.copy()
    r = b - A @ x
    z = M @ r
    p, rho = z.copy(), np.vdot(r, z).real
    seen = []
    count = min(n, 6)
    ssor_pcg(A, b, start, omega=omega, rtol=1e-13, check_every=1, max_iter=10 * n + 50,
             callback=lambda s: seen.append(s.x.copy()))  # fmt: skip
    for k in range(min(count, len(seen))):
        q = A @ p
        step = rho / np.vdot(p, q).real
        x, r = x + step * p, r - step * q
        if np.linalg.norm(r) < 1e-9 * np.linalg.norm(b):
            break
        np.testing.assert_allclose(seen[k], x, rtol=0, atol=1e-8 * np.linalg.norm(x))
        z = M @ r
        rho, before = np.vdot(r, z).real, rho
        p = z + rho / before * p


@given(seeds, st.integers(1, 20), st.floats(0.1, 1.9))
def test_p12_the_preconditioned_spectrum_ends_at_one(seed, n, omega):
    A = random_definite(seed, n)
    found = np.linalg.eigvals(np.linalg.solve(splitting(A, omega, "symmetric"), A)).real
    assert found.min() > 0
    assert found.max() < 1 + 1e-10


def test_ssor_pcg_needs_few_iterations_on_the_model_problem():
    """The counts that a prototype had on 256 x 256, 67, and on 64 x 64 x 64, 32."""
    n = 128
    A, b = poisson(n, n), np.random.default_rng(3).standard_normal(n * n)
    omega = 2 / (1 + 2 * np.sin(np.pi / (n + 1) / 2))
    assert ssor_pcg(A, b, omega=omega, rtol=1e-8).info.iterations < 60


def test_indefinite_matrices_break_down():
    A = np.diag([1.0, 2.0, 3.0]) + 4 * (np.eye(3, k=1) + np.eye(3, k=-1))
    with pytest.warns(lrla.ConvergenceWarning, match="broke down"):
        result = ssor_pcg(A, np.ones(3))
    assert result.status is Status.BREAKDOWN
    assert result.code == -1


MISTAKES = [
    (lambda A, b: sor(A, b, omega="best"), ValueError, "omega must be a number or 'adaptive', go"),
    (lambda A, b: sor(A, b, omega=-1), ValueError, "omega must be between 0 and 2, got -1"),
    (lambda A, b: sor(A, b, sweep="up"), ValueError, "sweep must be one of forward, backward, sym"),
    (lambda A, b: sor(A, b, sweep="symmetric"), ValueError, "omega must be a number for symmetric"),
    (lambda A, b: sor(A, b, rtol=-1), ValueError, "rtol must be finite and not negative, got -1"),
    (lambda A, b: sor(A, b, max_iter=-1), ValueError, "max_iter must not be negative, got -1"),
    (lambda A, b: sor(A, b, check_every=0), ValueError, "check_every must be at least 1, got 0"),
    (lambda A, b: sor(A, b[:3]), ValueError, r"b must have as many rows as A, got shapes \(3,\)"),
    (
        lambda A, b: sor(A, b, b[:, None]),
        ValueError,
        r"x0 must have as many rows as A has columns, and",
    ),
    (lambda A, b: sor(A, b * np.inf), ValueError, "b must be finite"),
    (
        lambda A, b: kaczmarz(A, b[:, None]),
        ValueError,
        r"b must have 1 dimension, got shape \(4, 1",
    ),
    (lambda A, b: ssor_pcg(A, b, max_iter=-1), ValueError, "max_iter must not be negative, got"),
    (lambda A, b: ssor_pcg(A, b, check_every=0), ValueError, "check_every must be at least 1, got"),
    (lambda A, b: ssor_pcg(np.triu(A), b), ValueError, "A must be Hermitian, got one for which"),
    (
        lambda A, b: ssor_pcg(A - 5 * np.eye(4), b),
        np.linalg.LinAlgError,
        "diagonal entries of A must be positive, got another one in row 0; A is not",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), MISTAKES)
def test_mistakes_are_named(call, error, message):
    A = 4 * np.eye(4) - np.eye(4, k=1) - np.eye(4, k=-1)
    with pytest.raises(error, match=message):
        call(A, np.ones(4))


@pytest.mark.parametrize("solver", [sor, ssor_pcg])
def test_other_array_libraries(backend, solver):
    A, b = poisson(4, 4).toarray(), np.arange(16.0)
    want = solver(A, b, omega=1.3, rtol=1e-9)
    got = solver(backend.asarray(A), backend.asarray(b), omega=1.3, rtol=1e-9)
    assert got.info.iterations == want.info.iterations
    np.testing.assert_allclose(backend.to_numpy(got.x), want.x, rtol=1e-9)


def test_solvers_take_a_sparse_matrix_that_is_not_square_as_a_mistake():
    with pytest.raises(ValueError, match="A must be square"):
        sor(scipy.sparse.csr_array(random_sparse(1, 4)[:2]), np.ones(2))
