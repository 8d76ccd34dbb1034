"""Sweeps are what their formulas say, in any order, on any threads, from any format."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

import lrla
from lrla.relaxation import SweepPlan
from tests.relaxation.matrices import (
    dense_sweep,
    draw,
    iteration_matrix,
    poisson,
    random_definite,
    random_sparse,
)

DTYPES = ("f4", "f8", "c8", "c16")
DIRECTIONS = ("forward", "backward", "symmetric", "jacobi")
seeds = st.integers(0, 2**32 - 1)


def tolerance(dtype):
    return 2e-13 if np.finfo(dtype).dtype == np.float64 else 2e-4


@given(
    seeds,
    st.integers(1, 25),
    st.sampled_from(DTYPES),
    st.sampled_from(DIRECTIONS),
    st.floats(0.1, 1.9),
    st.sampled_from([(), (1,), (4,)]),
)
def test_p1_a_sweep_is_the_dense_formula(seed, n, dtype, direction, omega, columns):
    A = random_sparse(seed, n, dtype)
    rng = np.random.default_rng([seed, 1])
    x, b = draw(rng, (n, *columns), dtype), draw(rng, (n, *columns), dtype)
    want = dense_sweep(A.astype("c16"), x.astype("c16"), b.astype("c16"), omega, direction)
    plan = SweepPlan(scipy.sparse.csr_array(A), omega=omega)
    before = x.copy()
    steps = plan.sweep(x, b, direction=direction)
    growth = np.max(np.abs(want)) + np.max(np.abs(before))
    np.testing.assert_allclose(x, want, rtol=0, atol=50 * tolerance(dtype) * growth)
    if direction != "symmetric":
        move = np.linalg.norm((want - before).ravel())
        assert steps[0] == pytest.approx(move, rel=1e-3, abs=1e-3 * tolerance(dtype) * growth)


@given(seeds, st.integers(1, 20), st.sampled_from(DIRECTIONS), st.floats(0.1, 1.9))
def test_p2_the_solution_stays(seed, n, direction, omega):
    A = random_sparse(seed, n)
    x = np.random.default_rng(seed).standard_normal(n)
    b, start = A @ x, x.copy()
    SweepPlan(A, omega=omega).sweep(x, b, direction=direction)
    assert np.max(np.abs(x - start)) <= 1e-10 * np.max(np.abs(np.linalg.inv(A))) * np.max(abs(b))


@given(
    seeds,
    st.integers(2, 20),
    st.sampled_from(["f8", "c16"]),
    st.sampled_from(DIRECTIONS[:3]),
    st.floats(0.02, 1.98),
)
def test_p3_the_energy_of_the_error_falls(seed, n, dtype, direction, omega):
    """Ostrowski and Reich: for every omega between 0 and 2 if A is positive definite."""
    A = random_definite(seed, n, dtype)
    rng = np.random.default_rng([seed, 3])
    x, plan = draw(rng, n, dtype), SweepPlan(A, omega=omega)
    energy = [np.vdot(x, A @ x).real]
    for _ in range(4):
        plan.sweep(x, np.zeros(n, dtype), direction=direction)
        energy.append(np.vdot(x, A @ x).real)
    assert np.all(np.diff(energy) < 0)


def test_p4_triangular_systems_are_solved_by_one_sweep_in_the_right_order():
    A = np.tril(random_sparse(90210, 12))
    x, b = np.zeros(12), np.arange(12.0)
    SweepPlan(A).sweep(x, b)
    np.testing.assert_allclose(A @ x, b, atol=1e-13)
    y = np.zeros(12)
    SweepPlan(A.T.copy()).sweep(y, b, 12)
    np.testing.assert_allclose(A.T @ y, b, atol=1e-12)


@given(seeds, st.integers(1, 20), st.floats(0.1, 1.9))
def test_p5_backward_is_forward_with_the_order_reversed(seed, n, omega):
    A = random_sparse(seed, n)
    x, b = np.random.default_rng(seed).standard_normal((2, n))
    mirrored = x[::-1].copy()
    SweepPlan(A[::-1, ::-1].copy(), omega=omega).sweep(mirrored, b[::-1].copy(), 2)
    by_order = x.copy()
    SweepPlan(A, omega=omega, order=np.arange(n)[::-1]).sweep(by_order, b, 2)
    SweepPlan(A, omega=omega).sweep(x, b, 2, direction="backward")
    np.testing.assert_allclose(x, mirrored[::-1], rtol=1e-12, atol=1e-12 * np.max(np.abs(x)))
    np.testing.assert_allclose(x, by_order, rtol=1e-12, atol=1e-12 * np.max(np.abs(x)))


@pytest.mark.parametrize("order", ["natural", "redblack", "multicolor"])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("columns", [(), (2,)])
def test_p6_threads_do_not_change_a_bit(order, direction, columns):
    A = poisson(600, 600)
    plan = SweepPlan(A, omega=1.7, order=order)
    assert plan.n_colors == (0 if order == "natural" else 2)
    b = np.random.default_rng(90210).standard_normal((A.shape[0], *columns))
    answers = []
    for n in (1, 2, 3):
        x = np.zeros_like(b)
        with lrla.threads(n):
            steps = plan.sweep(x, b, 4, direction=direction)
        answers.append((x.tobytes(), steps.tobytes()))
    assert len(set(answers)) == 1


def test_waves_of_sweeps_respect_the_reach_of_rows():
    """Blocks too short for the bandwidth give other numbers: the law above can fail."""
    A = poisson(600, 600)
    plan, wrong = SweepPlan(A, omega=1.7), SweepPlan(A, omega=1.7)
    assert np.min(np.diff(plan._sweeper.turns.order.blocks)[:-1]) == 601
    b = np.random.default_rng(90210).standard_normal(A.shape[0])
    short = (*range(0, 360_000, 150), 360_000)
    wrong._sweeper.turns.order = type(wrong._sweeper.turns.order)(None, short, False)
    x, y = np.zeros_like(b), np.zeros_like(b)
    with lrla.threads(2):
        plan.sweep(x, b, 5)
        wrong.sweep(y, b, 5)
    assert not np.array_equal(x, y)


@pytest.mark.parametrize("direction", ["forward", "backward", "symmetric"])
@pytest.mark.parametrize("shape", [(40, 70), (5, 6, 90), (300,), (2, 600)])
def test_rows_that_repeat_each_other_change_no_bit(shape, direction):
    A = poisson(*shape)
    n = A.shape[0]
    # beside a matrix whose rows are all unlike, no use is made of those that are alike
    mixed = scipy.sparse.block_diag([A, random_sparse(7, n, density=5 / n)], format="csr")
    rng = np.random.default_rng(8)
    x, b = rng.standard_normal((2, 2 * n))
    alone = x[:n].copy()
    SweepPlan(A, omega=1.3).sweep(alone, b[:n], 3, direction=direction)
    SweepPlan(mixed, omega=1.3).sweep(x, b, 3, direction=direction)
    assert np.array_equal(alone, x[:n])


def test_p7_the_example_of_wikipedia():
    A = np.array([[4.0, -1, -6, 0], [-5, -4, 10, 8], [0, 9, 4, -2], [1, 0, -7, 5]])
    x, b = np.zeros(4), np.array([2.0, 21, -12, -6])
    plan = SweepPlan(A, omega=0.5)
    plan.sweep(x, b)
    np.testing.assert_allclose(x, [0.25, -2.78125, 1.6289062, 0.5152344], rtol=1e-7)
    plan.sweep(x, b, 200)
    np.testing.assert_allclose(x, [3, -2, 2, 1], rtol=1e-9)


@pytest.mark.parametrize(
    ("omega", "radius"), [(1.0, 0.989765), (1.816253, 0.816253), (1.866253, 0.866253)]
)
def test_p9_the_spectral_radius_on_the_model_problem(omega, radius):
    """Thirty by thirty: one sweep of each unit vector gives the iteration matrix."""
    A = poisson(30, 30)
    X = np.eye(900)
    SweepPlan(A, omega=omega).sweep(X, np.zeros((900, 900)))
    found = np.max(np.abs(np.linalg.eigvals(X)))
    # near the best factor eigenvalues coalesce: their digits halve
    assert found == pytest.approx(radius, abs=3e-3 if omega == 1.816253 else 2e-6)


@pytest.mark.parametrize("kind", ["csr", "csc", "bsr", "coo", "dense", "matrix", "duplicates"])
def test_formats_agree_to_the_last_bit(kind):
    A = scipy.sparse.csr_array(random_sparse(7, 24))
    given = {
        "csr": A,
        "csc": A.tocsc(),
        "bsr": A.tobsr((4, 4)),
        "coo": A.tocoo(),
        "dense": A.toarray(),
        "matrix": scipy.sparse.csr_matrix(A),
        "duplicates": scipy.sparse.csr_array(
            (np.repeat(A.data / 2, 2), np.repeat(A.indices, 2), 2 * A.indptr), shape=A.shape
        ),
    }[kind]
    before = given.copy()
    b = np.arange(24.0)
    x, y = np.zeros(24), np.zeros(24)
    SweepPlan(A, omega=1.3).sweep(x, b, 3)
    SweepPlan(given, omega=1.3).sweep(y, b, 3)
    np.testing.assert_array_equal(x, y)
    same = (given != before).sum() if kind == "dense" else abs(given - before).sum()
    assert same == 0


def test_int64_indices_and_views_of_memory():
    A = poisson(9, 7)
    wide = scipy.sparse.csr_array(A)
    wide.indices, wide.indptr = wide.indices.astype("i8"), wide.indptr.astype("i8")
    b = np.arange(63.0)
    x, room = np.zeros(63), np.zeros((63, 3))
    SweepPlan(A, omega=1.3).sweep(x, b, 3)
    SweepPlan(wide, omega=1.3).sweep(room[:, 1], b, 3)
    np.testing.assert_array_equal(room[:, 1], x)
    assert not room[:, ::2].any()


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("order", ["natural", "multicolor"])
def test_other_array_libraries(backend, direction, order):
    A = random_sparse(11, 12)
    b = np.random.default_rng(11).standard_normal(12)
    want = np.zeros(12)
    SweepPlan(A, omega=1.2, order=order).sweep(want, b, 2, direction=direction)
    xp, device = backend
    x = xp.zeros(12, dtype=xp.float64, device=device)
    plan = SweepPlan(backend.asarray(A), omega=1.2, order=order)
    steps = plan.sweep(x, backend.asarray(b), 2, direction=direction)
    np.testing.assert_allclose(backend.to_numpy(x), want, rtol=1e-12)
    assert steps.shape == (2,)


def test_colours_are_independent_and_few():
    A = scipy.sparse.csr_array(random_definite(5, 40))
    plan = SweepPlan(A, order="multicolor")
    order = plan._sweeper.turns.order
    for first, last in zip(order.blocks[:-1], order.blocks[1:], strict=True):
        members = order.turns[first:last]
        inner = A.toarray()[np.ix_(members, members)]
        assert np.count_nonzero(inner - np.diag(np.diag(inner))) == 0
    assert plan.n_colors <= 1 + max(np.diff(A.indptr))


def test_red_black_needs_a_graph_of_two_colours():
    triangle = np.array([[2.0, 1, 1], [1, 2, 1], [1, 1, 2]])
    with pytest.raises(ValueError, match=r"order 'redblack' must have .* odd cycle; use order='mu"):
        SweepPlan(triangle, order="redblack")
    assert SweepPlan(triangle, order="multicolor").n_colors == 3


@given(seeds, st.sampled_from([1, 2, 3, 6]), st.floats(0.2, 1.8), st.sampled_from(["f8", "c16"]))
def test_block_sweeps_are_the_block_formula(seed, k, omega, dtype):
    A = random_sparse(seed, 12, dtype) + 5 * np.eye(12)
    x, b = draw(np.random.default_rng(seed), (2, 12), dtype)
    want = x.copy()
    for a in range(0, 12, k):
        rows = slice(a, a + k)
        want[rows] += omega * np.linalg.solve(A[rows, rows], b[rows] - A[rows] @ want)
    y = x.copy()
    members = [np.arange(a, a + k) for a in range(0, 12, k)]
    SweepPlan(scipy.sparse.bsr_array(A), omega=omega, blocks=k).sweep(x, b)
    SweepPlan(A, omega=omega, blocks=members).sweep(y, b)
    np.testing.assert_allclose(x, want, rtol=1e-11, atol=1e-11)
    np.testing.assert_array_equal(x, y)


def test_blocks_of_unlike_sizes():
    A = random_sparse(3, 7) + 4 * np.eye(7)
    parts = [np.array([5]), np.array([0, 3, 1]), np.array([2, 6, 4])]
    order = np.concatenate(parts)
    x, b = np.zeros(7), np.arange(7.0)
    want = np.zeros(7)
    for part in parts:
        want[part] += np.linalg.solve(A[np.ix_(part, part)], b[part] - A[part] @ want)
    SweepPlan(A, order=order, blocks=parts).sweep(x, b)
    np.testing.assert_allclose(x, want, rtol=1e-12)


@pytest.mark.parametrize("direction", ["forward", "backward", "jacobi"])
@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_shifted_diagonals_change_the_way_and_not_the_end(direction, dtype):
    A = random_sparse(5, 12, dtype)
    A[3, 3] = A[7, 7] = 0
    x, b = draw(np.random.default_rng(6), (2, 12), dtype)
    D, shift = np.diag(np.diag(A)), 2.5
    W = (D + shift * np.eye(12)) / 1.2
    W += {"forward": np.tril(A, -1), "backward": np.triu(A, 1), "jacobi": 0}[direction]
    want = x.copy()
    for _ in range(2):
        want += np.linalg.solve(W, b - A @ want)
    plan = SweepPlan(scipy.sparse.csr_array(A), omega=1.2, diag_shift=shift)
    plan.sweep(x, b, 2, direction=direction)
    np.testing.assert_allclose(x, want, rtol=1e-11, atol=1e-11)
    end = np.linalg.solve(A, b)
    plan.sweep(end, b, direction=direction)
    np.testing.assert_allclose(end, np.linalg.solve(A, b), rtol=1e-9, atol=1e-9)


def test_shifted_diagonals_elsewhere(backend):
    xp, device = backend
    A = np.array([[0.0, 1, 0], [1, 3, 1], [0, 1, 0]])
    b, x = xp.ones(3, dtype=xp.float64, device=device), xp.zeros(3, dtype=xp.float64, device=device)
    SweepPlan(xp.asarray(A, device=device), diag_shift=2.0).sweep(x, b)
    np.testing.assert_allclose([float(v) for v in x], [0.5, 0.1, 0.45])
    with pytest.raises(ValueError, match="diag_shift must be finite, and 0 where blocks are given"):
        SweepPlan(xp.asarray(A, device=device), diag_shift=1.0, blocks=1)


def test_update_is_a_new_plan():
    A = poisson(8, 8)
    B = A + scipy.sparse.eye_array(64, format="csr")
    b = np.arange(64.0)
    for order in ("natural", "redblack", np.random.default_rng(1).permutation(64)):
        plan = SweepPlan(A, omega=1.1, order=order)
        plan.sweep(np.zeros(64), b, direction="backward")
        x, y = np.zeros(64), np.zeros(64)
        assert plan.update(omega=1.6, data=B.data) is plan
        plan.sweep(x, b, 2, direction="symmetric")
        SweepPlan(B, omega=1.6, order=order).sweep(y, b, 2, direction="symmetric")
        np.testing.assert_array_equal(x, y)
        assert plan.omega == 1.6


def test_a_failed_update_leaves_the_plan_alone():
    A = poisson(4)
    plan, b = SweepPlan(A, omega=1.2), np.arange(4.0)
    x, y = np.zeros(4), np.zeros(4)
    plan.sweep(x, b)
    with pytest.raises(np.linalg.LinAlgError, match="got another one in row 0"):
        plan.update(omega=1.4, data=np.zeros_like(A.data))
    plan.sweep(y, b)
    np.testing.assert_array_equal(x, y)
    assert plan.omega == 1.2


def test_small_shapes():
    empty = SweepPlan(np.zeros((0, 0)))
    x = np.zeros(0)
    assert empty.sweep(x, np.zeros(0), 3).tolist() == [0, 0, 0]
    assert SweepPlan(scipy.sparse.csr_array((0, 0)), order="multicolor").n_colors == 1
    one, x = SweepPlan(np.array([[4.0]]), omega=0.5), np.zeros(1)
    one.sweep(x, np.ones(1))
    assert x[0] == 0.125
    assert one.sweep(x, np.ones(1), 0).shape == (0,)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_scales(scale):
    A, b = poisson(6, 6), np.arange(36.0)
    x, y = np.zeros(36), np.zeros(36)
    SweepPlan(A, omega=1.5).sweep(x, b, 3)
    SweepPlan(scale * A, omega=1.5).sweep(y, scale * b, 3)
    np.testing.assert_allclose(x, y, rtol=1e-12)


MISTAKES = [
    (lambda A: SweepPlan(A[:3]), ValueError, r"A must be square, got shape \(3, 4\); kaczmarz"),
    (lambda A: SweepPlan(A, omega=2.0), ValueError, "omega must be between 0 and 2, got 2.0; out"),
    (lambda A: SweepPlan(A, omega=np.nan), ValueError, "omega must be between 0 and 2, got nan"),
    (
        lambda A: SweepPlan(A - 4 * np.eye(4)),
        np.linalg.LinAlgError,
        "got another one in row 0; permute",
    ),
    (lambda A: SweepPlan(np.tril(A, -1)), np.linalg.LinAlgError, "got another one in row 0"),
    (lambda A: SweepPlan(A * np.nan), ValueError, "A must be finite"),
    (lambda A: SweepPlan(A, order="rcm"), ValueError, "order must be one of natural, multicolor,"),
    (lambda A: SweepPlan(A, order=[0, 0, 1, 2]), ValueError, "order must hold each of the unknow"),
    (lambda A: SweepPlan(A, blocks=3), ValueError, "blocks must divide .* unknowns, 4, got 3"),
    (lambda A: SweepPlan(A, blocks=[[0, 1]]), ValueError, "blocks must hold each .* got 2 entries"),
    (
        lambda A: SweepPlan(np.kron(np.eye(2), np.ones((2, 2))), blocks=2),
        np.linalg.LinAlgError,
        "diagonal blocks of A must be regular, got a singular one, number 0",
    ),
    (
        lambda A: SweepPlan(scipy.sparse.linalg.aslinearoperator(A)),
        TypeError,
        "A must be an array or a sparse matrix, got MatrixLinearOperator; a sweep reads",
    ),
    (
        lambda A: SweepPlan(A).sweep(np.zeros(4), np.ones(3)),
        ValueError,
        r"b must have as many rows as A, got shapes \(3,\) and \(4, 4\)",
    ),
    (
        lambda A: SweepPlan(A).sweep(np.zeros(4, "f4"), np.ones(4)),
        ValueError,
        r"x must be of dtype float64 and of the shape of b, \(4,\), got float32",
    ),
    (
        lambda A: SweepPlan(A).sweep(np.zeros(4), np.ones(4), direction="up"),
        ValueError,
        "direction must be one of forward, backward, symmetric, jacobi, got 'up'",
    ),
    (
        lambda A: SweepPlan(A).sweep(np.zeros(4), np.ones(4), -1),
        ValueError,
        "n_sweeps must not be negative, got -1",
    ),
    (
        lambda A: SweepPlan(scipy.sparse.csr_array(A)).update(data=np.ones(3)),
        ValueError,
        r"data must have one number for each stored entry, 10, got shape \(3,\)",
    ),
    (lambda A: SweepPlan(A).update(data=np.ones(10)), ValueError, "data must be .* sparse A only"),
]


@pytest.mark.parametrize(("call", "error", "message"), MISTAKES)
def test_mistakes_are_named(call, error, message):
    A = 4 * np.eye(4) - np.eye(4, k=1) - np.eye(4, k=-1)
    with pytest.raises(error, match=message):
        call(A)


def test_rates_are_those_of_the_iteration_matrix():
    A = random_definite(17, 15)
    x = np.random.default_rng(17).standard_normal(15)
    steps = SweepPlan(A, omega=1.0).sweep(x, np.zeros(15), 60)
    radius = np.max(np.abs(np.linalg.eigvals(iteration_matrix(A, 1.0, "forward"))))
    assert steps[50] / steps[49] == pytest.approx(radius, rel=1e-3)
