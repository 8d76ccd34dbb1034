"""Stationary methods with a fixed factor, conjugate gradients, preconditioners, and shifts."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from hypothesis import given
from hypothesis import strategies as st

import lrla
from lrla._core.results import Status
from lrla.relaxation import (
    SweepPlan,
    cg,
    gauss_seidel,
    jacobi,
    multishift_cg,
    sor,
    ssor,
    ssor_pcg,
    ssor_preconditioner,
)
from tests.relaxation.matrices import (
    dense_sweep,
    draw,
    poisson,
    random_definite,
    random_sparse,
    splitting,
)

seeds = st.integers(0, 2**32 - 1)

STATIONARY = {
    "forward": gauss_seidel,
    "backward": lambda A, b, **k: gauss_seidel(A, b, sweep="backward", **k),
    "symmetric": lambda A, b, **k: ssor(A, b, omega=1.0, **k),
    "jacobi": jacobi,
}


@pytest.mark.parametrize("direction", STATIONARY)
@pytest.mark.parametrize("columns", [(), (3,)])
def test_stationary_methods_count_as_their_formulas(direction, columns):
    A = random_definite(90210, 15, condition=4.0) + 4 * np.eye(15)
    b = np.random.default_rng(2).standard_normal((15, *columns))
    x, count = np.zeros_like(b), 0
    while np.any(np.linalg.norm(b - A @ x, axis=0) > 1e-8 * np.linalg.norm(b, axis=0)):
        x, count = dense_sweep(A, x, b, 1.0, direction), count + 1
    result = STATIONARY[direction](scipy.sparse.csr_array(A), b, rtol=1e-8, check_every=1)
    assert result.info.iterations == count
    np.testing.assert_allclose(result.x, x, rtol=1e-10)


def test_p4_gauss_seidel_is_sor_with_one():
    A, b = poisson(9, 9), np.arange(81.0)
    one, other = gauss_seidel(A, b, rtol=1e-6), sor(A, b, omega=1.0, rtol=1e-6)
    np.testing.assert_array_equal(one.x, other.x)
    assert (one.info.method, other.info.method) == ("Gauss-Seidel", "SOR")


def test_block_iterations_need_fewer_sweeps():
    """Lines of a grid as blocks: twice the rate of points (Varga)."""
    A, b = poisson(16, 16), np.ones(256)
    points = gauss_seidel(A, b, rtol=1e-6, check_every=1)
    lines = gauss_seidel(A, b, rtol=1e-6, check_every=1, blocks=16)
    assert lines.info.iterations == pytest.approx(points.info.iterations / 2, rel=0.1)


@given(seeds, st.integers(1, 20), st.sampled_from(["f8", "c16"]), st.floats(0.2, 1.8))
def test_p8_the_preconditioner_is_a_symmetric_sweep_from_zero(seed, n, dtype, omega):
    A = random_sparse(seed, n, dtype)
    b = draw(np.random.default_rng(seed), n, dtype)
    M = ssor_preconditioner(scipy.sparse.csr_array(A), omega=omega)
    x = np.zeros(n, dtype)
    SweepPlan(A, omega=omega).sweep(x, b, direction="symmetric")
    want = np.linalg.solve(splitting(A, omega, "symmetric"), b)
    scale = np.max(np.abs(want))
    np.testing.assert_allclose(M @ b, want, rtol=0, atol=1e-9 * scale)
    np.testing.assert_allclose(x, want, rtol=0, atol=1e-9 * scale)
    np.testing.assert_allclose(M @ np.stack([b, 2 * b], 1), np.stack([M @ b, 2 * (M @ b)], 1))


@given(seeds, st.integers(2, 20), st.sampled_from(["f8", "c16"]), st.floats(0.2, 1.8))
def test_p8_it_is_hermitian_and_positive(seed, n, dtype, omega):
    M = ssor_preconditioner(random_definite(seed, n, dtype), omega=omega)
    dense = M @ np.eye(n, dtype=dtype)
    assert np.max(np.abs(dense - dense.conj().T)) <= 1e-12 * np.max(np.abs(dense))
    assert np.linalg.eigvalsh(dense).min() > 0


@pytest.mark.parametrize("solver", ["cg", "minres", "gmres"])
def test_krylov_methods_of_scipy_take_it(solver):
    A, b = poisson(20, 20), np.arange(400.0)
    M = ssor_preconditioner(A, omega=1.7)
    x, code = getattr(scipy.sparse.linalg, solver)(A, b, M=M, rtol=1e-10)
    assert code == 0
    assert np.linalg.norm(A @ x - b) <= 1e-3 * np.linalg.norm(b)  # minres has another test
    again = cg(A, b, M=M, rtol=1e-10)
    assert again.status
    assert (
        again.info.iterations
        == ssor_pcg(A, b, omega=1.7, rtol=1e-10, check_every=1).info.iterations
    )


def test_p11_one_is_symmetric_gauss_seidel():
    A, b = poisson(12, 12), np.arange(144.0)
    plan = SweepPlan(A)

    def both_ways(r):
        z = np.zeros_like(r)
        plan.sweep(z, r, direction="symmetric")
        return z

    by_sweeps = cg(A, b, M=both_ways, rtol=1e-9)
    by_trick = ssor_pcg(A, b, omega=1.0, rtol=1e-9, check_every=1)
    assert by_sweeps.info.iterations == by_trick.info.iterations
    np.testing.assert_allclose(by_sweeps.x, by_trick.x, rtol=1e-7)


@given(seeds, st.integers(1, 25), st.sampled_from(["f8", "c16"]))
def test_cg_solves_and_tells_the_true_residual(seed, n, dtype):
    A = random_definite(seed, n, dtype)
    b, start = draw(np.random.default_rng(seed), (2, n), dtype)
    result = cg(A, b, start, rtol=1e-10)
    assert result.status
    true = np.linalg.norm(b - A @ result.x)
    assert true <= 1e-10 * np.linalg.norm(b) * 1.01
    assert result.residual_norm == pytest.approx(true, rel=1e-3, abs=1e-14)


def test_cg_counts_as_scipy_does():
    A, b = poisson(25, 25), np.random.default_rng(1).standard_normal(625)
    count = []
    x, _ = scipy.sparse.linalg.cg(A, b, rtol=1e-8, callback=lambda x: count.append(1))
    result = cg(scipy.sparse.linalg.aslinearoperator(A), b, rtol=1e-8)
    assert abs(result.info.iterations - len(count)) <= 1
    np.testing.assert_allclose(result.x, x, rtol=1e-6)


def test_memory_helps_where_the_preconditioner_changes():
    A = poisson(20, 20)
    b = np.random.default_rng(5).standard_normal(400)
    calls = []

    def inner(r):
        calls.append(1)
        with pytest.warns(lrla.ConvergenceWarning):
            return cg(A, r, rtol=1e-12, max_iter=4 + 5 * (len(calls) % 3)).x

    flexible = cg(A, b, M=inner, memory=8, rtol=1e-8)
    usual = cg(A, b, M=inner, rtol=1e-8)
    assert flexible.status
    assert flexible.info.iterations < usual.info.iterations


@given(seeds, st.integers(1, 20), st.sampled_from(["f8", "c16"]), st.integers(1, 5))
def test_shifted_systems_are_solved_as_if_one_by_one(seed, n, dtype, k):
    A = random_definite(seed, n, dtype)
    rng = np.random.default_rng(seed)
    b, shifts = draw(rng, n, dtype), 10 * rng.random(k) * np.linalg.norm(A, 2)
    result = multishift_cg(A, b, shifts, rtol=1e-10)
    want = np.stack([np.linalg.solve(A + c * np.eye(n), b) for c in shifts], 1)
    assert result.status
    np.testing.assert_allclose(result.x, want, rtol=0, atol=1e-8 * np.max(np.abs(want)))
    alone = cg(A + shifts.min() * np.eye(n), b, rtol=1e-10)
    assert abs(result.info.iterations - alone.info.iterations) <= 1


def test_shifts_far_apart_and_none():
    A, b = poisson(10, 10), np.ones(100)
    result = multishift_cg(A, b, [-0.1, 0.0, 1e12], rtol=1e-10)
    assert result.status
    np.testing.assert_allclose(1e12 * result.x[:, 2], b, rtol=1e-9)
    assert multishift_cg(A, b, np.zeros(0)).x.shape == (100, 0)
    with pytest.warns(lrla.ConvergenceWarning, match="multishift CG stopped .* broke down"):
        assert multishift_cg(A, b, [-5.0, 1.0]).status is Status.BREAKDOWN


def test_cg_notices_what_is_not_definite_and_what_rounding_does_not_allow():
    with pytest.warns(lrla.ConvergenceWarning, match="CG stopped after 1 iterations .* broke down"):
        assert cg(np.diag([1.0, -1.0]), np.ones(2)).code == -1
    with pytest.warns(lrla.ConvergenceWarning, match="stopped falling"):
        assert cg(poisson(15, 15), np.ones(225), rtol=1e-30).status is Status.STAGNATED
    seen = []
    stopped = cg(poisson(15, 15), np.ones(225), callback=lambda s: seen.append(s) or len(seen) == 3)
    assert stopped.status is Status.STOPPED
    assert stopped.info.iterations == 3


@pytest.mark.parametrize("solver", [cg, lambda A, b, **k: multishift_cg(A, b, [0.0, 2.0], **k)])
def test_other_array_libraries(backend, solver):
    A, b = poisson(4, 4).toarray(), np.arange(16.0)
    want, got = solver(A, b, rtol=1e-9), solver(backend.asarray(A), backend.asarray(b), rtol=1e-9)
    np.testing.assert_allclose(backend.to_numpy(got.x), want.x, rtol=1e-9)


MISTAKES = [
    (
        lambda A, b: cg(A[:2], b[:2]),
        ValueError,
        r"A must be square, got shape \(2, 4\); lrla.lstsq",
    ),
    (lambda A, b: cg(A, b, memory=0), ValueError, "memory must be at least 1, got 0"),
    (lambda A, b: cg(A, b, max_iter=-2), ValueError, "max_iter must not be negative, got -2"),
    (lambda A, b: cg(A, b, M=A[:2]), ValueError, r"M must have the shape of A, \(4, 4\), got \(2,"),
    (lambda A, b: multishift_cg(A[:2], b, [1]), ValueError, "A must be square, got shape"),
    (lambda A, b: multishift_cg(A, b, [np.inf]), ValueError, r"shifts must be finite, got \[inf\]"),
    (lambda A, b: gauss_seidel(A, b, sweep="x"), ValueError, "sweep must be one of forward, back"),
    (lambda A, b: jacobi(A, b, omega=3), ValueError, "omega must be between 0 and 2, got 3"),
    (lambda A, b: ssor(A, b, check_every=0), ValueError, "check_every must be at least 1, got 0"),
    (
        lambda A, b: ssor_preconditioner(A - 4 * np.eye(4)),
        np.linalg.LinAlgError,
        "diagonal entries of A must be nonzero, got another one in row 0; permute the rows",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), MISTAKES)
def test_mistakes_are_named(call, error, message):
    A = 4 * np.eye(4) - np.eye(4, k=1) - np.eye(4, k=-1)
    with pytest.raises(error, match=message):
        call(A, np.ones(4))


def test_operators_of_scipy_are_not_made_from_other_libraries():
    strict = pytest.importorskip("array_api_strict")
    with pytest.raises(TypeError, match="ssor_preconditioner makes operators of SciPy"):
        ssor_preconditioner(strict.asarray(np.eye(3)))
