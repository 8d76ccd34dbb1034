"""The linear algebra of weighted least squares on values of a basis."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrla.approximation import _solve
from lrla.approximation._solve import Rows, choose, extremes, solve


def problem(n, m, q, seed, *, kind="f", spread=0.0):
    """Values whose Gram matrix has condition 10**(2 spread), weights, and right-hand sides."""
    rng = np.random.default_rng([n, m, q, seed])
    V, Y = rng.standard_normal((n, m)), rng.standard_normal((n, q))
    if kind == "c":
        V, Y = V + 1j * rng.standard_normal((n, m)), Y + 1j * rng.standard_normal((n, q))
    V = np.linalg.qr(V)[0] * np.sqrt(n) * np.logspace(0, -spread, m)
    return Rows(V, rng.uniform(0.2, 3, n)), Y


def reference(rows, Y):
    root = np.sqrt(rows.weights)[:, None]
    return np.linalg.lstsq(root * rows.values, root * Y, rcond=None)[0]


@pytest.mark.parametrize("kind", ["f", "c"])
@pytest.mark.parametrize("method", ["cholesky", "qr", "cg"])
@pytest.mark.parametrize(
    ("n", "m", "q"), [(1, 1, 1), (7, 7, 1), (30, 4, 3), (60, 20, 2), (5, 1, 1)]
)
def test_every_method_solves(n, m, q, method, kind):
    rows, Y = problem(n, m, q, 90210, kind=kind, spread=0.5)
    found = solve(rows, Y, extremes(rows), method)
    wanted = reference(rows, Y)
    np.testing.assert_allclose(found.coefficients, wanted, rtol=0, atol=1e-12 * abs(wanted).max())
    np.testing.assert_allclose(found.residuals, Y - rows.values @ wanted, atol=1e-11)


@pytest.mark.parametrize("kind", ["f", "c"])
@pytest.mark.parametrize(("method", "spread"), [("cholesky", 0.5), ("qr", 0.5), ("qr", 4.0)])
def test_leaving_one_out_is_refitting(method, spread, kind):
    rows, Y = problem(25, 6, 2, 6021, kind=kind, spread=spread)
    found = solve(rows, Y, extremes(rows), method)
    for i in range(25):
        rest = np.arange(25) != i
        x = reference(Rows(rows.values[rest], rows.weights[rest]), Y[rest])
        wanted = Y[i] - rows.values[i] @ x
        np.testing.assert_allclose(found.loo_residuals[i], wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", ["f", "c"])
@pytest.mark.parametrize("method", ["cholesky", "qr"])
def test_a_point_that_alone_fixes_a_coefficient_has_no_leave_one_out(method, kind):
    rows, Y = problem(12, 3, 1, 11, kind=kind)
    rows.values[:, 2] = 0
    rows.values[4, 2] = 3  # the third function is seen at one point only
    found = solve(rows, Y, extremes(rows), method)
    assert np.flatnonzero(~np.isfinite(found.loo_residuals[:, 0])).tolist() == [4]
    assert np.real(found.loo_residuals[4, 0]) == np.inf


def test_as_many_points_as_functions_leave_nothing_out():
    rows, Y = problem(6, 6, 1, 12)
    assert np.all(np.isinf(solve(rows, Y, extremes(rows), "qr").loo_residuals))


def test_the_method_follows_size_and_condition():
    assert choose(100, 19.0) == "cholesky"
    assert choose(100, 1e8) == "qr"
    assert choose(100, np.inf) == "qr"
    assert choose(6000, 19.0) == "cg"


@given(st.integers(1, 12), st.integers(0, 20), st.integers(0, 2**32 - 1))
def test_extremes_are_eigenvalues_of_the_gram_matrix(m, more, seed):
    rows, _ = problem(m + more, m, 1, seed, kind="c" if seed % 2 else "f")
    G = (rows.values * rows.weights[:, None]).conj().T @ rows.values / (m + more)
    np.testing.assert_allclose(extremes(rows), np.linalg.eigvalsh(G)[[0, -1]], rtol=1e-10)


@pytest.mark.parametrize("kind", ["f", "c"])
@pytest.mark.parametrize("spread", [0.0, 3.0, 6.0, 7.5])
def test_extremes_keep_their_digits(spread, kind):
    """Eigenvalues of the Gram matrix computed as such would be wrong beyond a condition of 1e16."""
    rows, _ = problem(40, 5, 1, 18, kind=kind, spread=spread)
    rows = Rows(rows.values, np.ones(40))
    np.testing.assert_allclose(extremes(rows), (10 ** (-2 * spread), 1.0), rtol=1e-7)


def test_fewer_points_than_functions_have_no_smallest_eigenvalue():
    rows, _ = problem(9, 5, 1, 19)
    assert extremes(Rows(rows.values[:4], rows.weights[:4]))[0] == 0
    assert extremes(Rows(np.zeros((3, 2)), np.ones(3))) == (0.0, 0.0)


def test_lanczos_finds_the_extremes_of_large_matrices(monkeypatch):
    rows, _ = problem(300, 120, 1, 13, spread=0.5)
    wanted = extremes(rows)
    monkeypatch.setattr(_solve, "LARGE", 100)
    np.testing.assert_allclose(extremes(rows), wanted, rtol=1e-6)


def test_gradients_take_few_iterations_for_a_stable_design():
    rows, Y = problem(4000, 400, 2, 14, spread=0.5)  # condition of G near 10, as of a design
    found = solve(rows, Y, extremes(rows), "cg")
    assert found.iterations < 80
    assert found.leverage is None
    np.testing.assert_allclose(found.coefficients, reference(rows, Y), atol=1e-12)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
@pytest.mark.parametrize("method", ["cholesky", "qr", "cg"])
def test_values_of_any_scale(method, scale):
    rows, Y = problem(40, 5, 1, 15)
    found = solve(rows, scale * Y, extremes(rows), method)
    np.testing.assert_allclose(found.coefficients, scale * reference(rows, Y), rtol=1e-10)


@pytest.mark.parametrize("method", ["cholesky", "qr", "cg"])
def test_every_array_library(backend, method):
    rows, Y = problem(20, 4, 2, 16, spread=0.3)
    given = Rows(backend.asarray(rows.values), backend.asarray(rows.weights))
    ends = extremes(given)
    found = solve(given, backend.asarray(Y), ends, method)
    np.testing.assert_allclose(backend.to_numpy(found.coefficients), reference(rows, Y), atol=1e-12)


@pytest.mark.parametrize("method", ["cholesky", "qr", "cg"])
def test_single_precision_stays(method):
    rows, Y = problem(40, 5, 1, 17, spread=0.3)
    single = Rows(rows.values.astype("f4"), rows.weights)
    found = solve(single, Y.astype("f4"), extremes(single), method)
    assert found.coefficients.dtype == np.float32
    np.testing.assert_allclose(found.coefficients, reference(rows, Y), atol=1e-4)
