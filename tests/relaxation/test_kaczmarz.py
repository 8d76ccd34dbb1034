"""Projections land on their equations, and end where the theory says."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

import lrla
from lrla._core.results import Status
from lrla.relaxation import SweepPlan, kaczmarz
from tests.relaxation.matrices import draw

seeds = st.integers(0, 2**32 - 1)
METHODS = ("cyclic", "symmetric", "random", "greedy", "block", "extended", "cgmn")


def system(seed, m, n, dtype=np.float64, condition=6.0):
    """Make a consistent system of moderate condition and its solution of least norm."""
    rng = np.random.default_rng(seed)
    U, _, Vh = np.linalg.svd(draw(rng, (m, n), dtype), full_matrices=False)
    A = (U * np.geomspace(1, 1 / condition, min(m, n))) @ Vh
    A = (A * rng.uniform(0.5, 2, (m, 1))).astype(dtype)
    b = A @ draw(rng, n, dtype)
    return A, b, np.linalg.pinv(A) @ b


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(12, 7), (7, 12), (8, 8), (1, 5), (5, 1)])
@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_the_solution_of_least_norm_is_found(method, shape, dtype):
    A, b, want = system(90210, *shape, dtype)
    result = kaczmarz(scipy.sparse.csr_array(A), b, method=method, rtol=1e-9, rng=1, block_size=3)
    assert result.status
    assert np.linalg.norm(b - A @ result.x) <= 1.01e-9 * np.linalg.norm(b) or method == "extended"
    np.testing.assert_allclose(result.x, want, rtol=0, atol=1e-6 * np.linalg.norm(want))
    x, code = result
    assert code == 0
    assert x is result.x


@pytest.mark.parametrize("method", METHODS)
def test_the_solution_next_to_the_start_is_found(method):
    A, b, want = system(3, 5, 11)
    start = np.random.default_rng(4).standard_normal(11)
    kept = start.copy()
    result = kaczmarz(A, b, start, method=method, rtol=1e-10, rng=1)
    away = start - np.linalg.pinv(A) @ (A @ start)
    np.testing.assert_allclose(result.x, want + away, atol=1e-7)
    np.testing.assert_array_equal(start, kept)


@given(seeds, st.integers(1, 8), st.integers(1, 8), st.floats(0.1, 1.9))
def test_a_pass_is_a_sweep_for_the_normal_equations_of_the_second_kind(seed, m, n, omega):
    """Cyclic Kaczmarz is SOR for ``A A^T y = b`` with ``x = A^T y``."""
    A, b, _ = system(seed, m, n)
    with pytest.warns(lrla.ConvergenceWarning):
        x = kaczmarz(A, b + 1, method="cyclic", omega=omega, max_iter=1, rtol=0).x
    y = np.zeros(m)
    SweepPlan(A @ A.T, omega=omega).sweep(y, b + 1)
    np.testing.assert_allclose(x, A.T @ y, rtol=0, atol=1e-9 * max(1, np.max(np.abs(x))))


def test_the_last_equation_holds_after_its_projection():
    A, b, _ = system(5, 9, 6)
    with pytest.warns(lrla.ConvergenceWarning):
        x = kaczmarz(A, b, method="cyclic", max_iter=3, rtol=0).x
    assert abs(b[-1] - A[-1] @ x) < 1e-14


def test_block_passes_are_their_formula():
    A, b, _ = system(6, 10, 14)
    x = np.zeros(14)
    for first in range(0, 10, 4):
        rows = slice(first, min(first + 4, 10))
        x += 0.8 * np.linalg.pinv(A[rows]) @ (b[rows] - A[rows] @ x)
    with pytest.warns(lrla.ConvergenceWarning):
        got = kaczmarz(A, b, method="block", block_size=4, omega=0.8, max_iter=1, rtol=0).x
    np.testing.assert_allclose(got, x, atol=1e-13)


@pytest.mark.statistical
def test_the_expected_error_of_random_projections_keeps_its_bound():
    """Strohmer and Vershynin, theorem 2; above it by five standard errors: once in 3e6."""
    A, b, want = system(7, 20, 5, condition=3.0)
    s = np.linalg.svd(A, compute_uv=False)
    passes, runs = 3, 100
    errors = []
    for seed in range(runs):
        with pytest.warns(lrla.ConvergenceWarning):
            x = kaczmarz(A, b, method="random", max_iter=passes, rtol=0, rng=seed).x
        errors.append(np.sum((x - want) ** 2))
    bound = (1 - s[-1] ** 2 / np.sum(s**2)) ** (20 * passes) * np.sum(want**2)
    assert np.mean(errors) <= bound + 5 * np.std(errors) / runs**0.5
    assert np.mean(errors) >= 1e-3 * bound  # a bound that is never near says nothing


@pytest.mark.statistical
def test_rows_are_drawn_by_their_squared_norms():
    """Chi-squared with 5 degrees of freedom stays below 40 but for once in 7e6."""
    from lrla._core.operators import as_operator
    from lrla.relaxation._projections import Rows
    from lrla.relaxation._system import with_rows

    A = np.diag([1.0, 2.0, 0.5, 3.0, 1.5, 0.7])
    rows = Rows(with_rows(as_operator(A)), np.zeros(6), 1.0, 90210, 1, 1)
    drawn = np.concatenate([rows._drawn(rows._squares, k, 500, 0).ravel() for k in range(10)])
    expected = 30_000 * np.diag(A) ** 2 / np.sum(A**2)
    counts = np.bincount(drawn, minlength=6)
    assert np.sum((counts - expected) ** 2 / expected) < 40
    assert np.sum((counts - 5000) ** 2 / 5000) > 40  # uniform draws would fail


def test_least_squares_by_the_extended_method():
    rng = np.random.default_rng(8)
    A, _, _ = system(8, 30, 6)
    b = rng.standard_normal(30)
    want = np.linalg.lstsq(A, b)[0]
    result = kaczmarz(A, b, method="extended", rtol=1e-9, rng=3)
    assert result.status
    np.testing.assert_allclose(result.x, want, atol=1e-6)
    assert result.residual_norm == pytest.approx(np.linalg.norm(b - A @ want), rel=1e-9)


@pytest.mark.parametrize("method", ["cyclic", "symmetric", "block", "cgmn"])
def test_systems_without_solution_are_noticed(method):
    A = np.array([[1.0, 0.3], [0.2, 1], [1, 1]])
    with pytest.warns(lrla.ConvergenceWarning, match="stopped"):
        result = kaczmarz(A, np.array([1.0, 1, 3]), method=method, block_size=1)
    assert result.status is Status.STAGNATED
    assert result.code > 0


@pytest.mark.parametrize("method", ["random", "greedy", "extended"])
def test_seeds_repeat(method):
    A, b, _ = system(9, 15, 6)
    one = kaczmarz(A, b, method=method, rtol=1e-6)
    again = kaczmarz(A, b, method=method, rtol=1e-6, rng=one.info.seed)
    np.testing.assert_array_equal(one.x, again.x)
    other = kaczmarz(A, b, method=method, rtol=1e-6, rng=one.info.seed + 1)
    assert not np.array_equal(one.x, other.x)


def test_greedy_needs_fewer_passes_than_random():
    A, b, _ = system(10, 60, 30, condition=20.0)
    greedy = kaczmarz(A, b, method="greedy", rtol=1e-6, rng=1).info.iterations
    assert greedy < kaczmarz(A, b, method="random", rtol=1e-6, rng=1).info.iterations


def test_acceleration_pays():
    A, b, _ = system(11, 60, 60, condition=50.0)
    slow = kaczmarz(A, b, method="symmetric", rtol=1e-6).info.iterations
    assert kaczmarz(A, b, rtol=1e-6).info.iterations < slow / 10


def test_rows_of_zeros():
    A, b, want = system(12, 6, 4)
    A, b = np.insert(A, 2, 0, axis=0), np.insert(b, 2, 0)
    for method in METHODS:
        result = kaczmarz(A, b, method=method, rtol=1e-10, rng=1)
        np.testing.assert_allclose(result.x, want, atol=1e-7)
    b[2] = 1
    with pytest.raises(ValueError, match=r"b must be zero where a row of A is, got 1.0 in row 2"):
        kaczmarz(A, b)


def test_nothing_to_do():
    result = kaczmarz(np.ones((3, 2)), np.zeros(3))
    assert result.status
    assert result.info.iterations == 0


@pytest.mark.parametrize("method", METHODS)
def test_other_array_libraries(backend, method):
    A, b, _ = system(13, 6, 4)
    want = kaczmarz(A, b, method=method, rtol=1e-3, rng=1, block_size=2, n_candidates=2)
    got = kaczmarz(backend.asarray(A), backend.asarray(b), method=method, rtol=1e-3, rng=1,
                   block_size=2, n_candidates=2)  # fmt: skip
    np.testing.assert_allclose(backend.to_numpy(got.x), want.x, rtol=1e-9)


MISTAKES = [
    (lambda A, b: kaczmarz(A, b, method="best"), ValueError, "method must be one of cyclic, symm"),
    (lambda A, b: kaczmarz(A, b, omega=2), ValueError, "omega must be between 0 and 2, got 2"),
    (lambda A, b: kaczmarz(A, b, block_size=0), ValueError, "block_size must be at least 1, got 0"),
    (lambda A, b: kaczmarz(A, b, n_candidates=0), ValueError, "n_candidates must be at least 1"),
    (lambda A, b: kaczmarz(A, b, b), ValueError, r"x0 must have as many rows as A has columns"),
    (lambda A, b: kaczmarz(A, b[:2]), ValueError, "b must have as many rows as A, got shapes"),
    (lambda A, b: kaczmarz(A * np.nan, b), ValueError, "A must be finite"),
    (
        lambda A, b: kaczmarz(scipy.sparse.linalg.aslinearoperator(A), b),
        TypeError,
        "A must be an array or a sparse matrix, got MatrixLinearOperator; projections read",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), MISTAKES)
def test_mistakes_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones((3, 2)), np.ones(3))
