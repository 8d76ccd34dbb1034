"""Chebyshev acceleration of SSOR: its polynomials, its bound, and its ends of the spectrum."""

import numpy as np
import pytest

import lrla
from lrla._core.results import Status
from lrla.relaxation import chebyshev_ssor, ssor_pcg
from tests.relaxation.matrices import draw, poisson, random_definite, splitting


def preconditioned(A, omega):
    """Return the eigenvalues of inv(M) A, ascending."""
    return np.sort(np.linalg.eigvals(np.linalg.solve(splitting(A, omega, "symmetric"), A)).real)


@pytest.mark.parametrize("dtype", ["f8", "c16"])
@pytest.mark.parametrize("omega", [0.8, 1.0, 1.6])
def test_iterates_are_those_of_the_recurrence(dtype, omega):
    A = random_definite(7, 20, dtype)
    b = draw(np.random.default_rng(3), (20,), dtype)
    low, high = 0.1, 1.1
    M = splitting(A, omega, "symmetric")
    x, d, rho = np.zeros(20, dtype), 0, (high - low) / (high + low)
    for k in range(6):  # Saad, algorithm 12.1, preconditioned
        z = np.linalg.solve(M, b - A @ x)
        if k == 0:
            d = z / ((high + low) / 2)
        else:
            new = 1 / (2 * (high + low) / (high - low) - rho)
            d, rho = new * rho * d + 4 * new / (high - low) * z, new
        x = x + d
    with pytest.warns(lrla.ConvergenceWarning):
        found = chebyshev_ssor(A, b, omega=omega, lower=low, upper=high, rtol=0, max_iter=6)
    np.testing.assert_allclose(found.x, x, rtol=1e-11, atol=1e-12)


def test_the_error_keeps_its_bound():
    A = poisson(12, 12).toarray()
    values = preconditioned(A, 1.5)
    want = np.random.default_rng(1).standard_normal(144)
    c = np.sqrt(1 / values[0])
    q = (c - 1) / (c + 1)
    energy = np.sqrt(want @ A @ want)
    for k in (5, 10, 20):
        with pytest.warns(lrla.ConvergenceWarning):
            x = chebyshev_ssor(A, A @ want, omega=1.5, lower=values[0], rtol=0, max_iter=k).x
        error = np.sqrt((x - want) @ A @ (x - want))
        assert error <= 2 * q**k / (1 + q ** (2 * k)) * energy * (1 + 1e-9)


@pytest.mark.parametrize("shape", [(30, 30), (8, 9, 10)])
@pytest.mark.parametrize("omega", [1.0, 1.6])
def test_the_lower_end_is_found(shape, omega):
    A = poisson(*shape)
    found = chebyshev_ssor(A, np.ones(A.shape[0]), omega=omega, rtol=1e-8)
    exact = preconditioned(A.toarray(), omega)[0]
    assert 0.9 * exact <= found.info.lower <= 1.3 * exact
    assert found.status is Status.CONVERGED
    other = ssor_pcg(A, np.ones(A.shape[0]), omega=omega, rtol=1e-8)
    np.testing.assert_allclose(found.x, other.x, rtol=1e-6)
    assert found.info.iterations <= 3 * other.info.iterations + 20


def test_several_right_hand_sides_and_rounding():
    A = poisson(10, 10)
    B = np.random.default_rng(2).standard_normal((100, 3)) * [1, 1e-3, 0]
    result = chebyshev_ssor(A, B, omega=1.5, rtol=1e-10)
    assert result.status is Status.CONVERGED
    assert np.all(np.linalg.norm(B - A @ result.x, axis=0) <= 1e-10 * np.linalg.norm(B, axis=0))
    with pytest.warns(lrla.ConvergenceWarning, match="Chebyshev-SSOR stopped after"):
        chebyshev_ssor(A, B, omega=1.5, rtol=1e-18, max_iter=2000)


def test_small_shapes():
    assert chebyshev_ssor(np.eye(1), np.ones(1)).x == pytest.approx(1, rel=1e-5)
    assert chebyshev_ssor(np.zeros((0, 0)), np.zeros(0)).x.shape == (0,)
    np.testing.assert_allclose(chebyshev_ssor(np.diag([1.0, 4, 9]), np.ones(3)).x, [1, 1 / 4, 1 / 9],
                               rtol=1e-4)  # fmt: skip


def test_other_array_libraries(backend):
    xp, device = backend
    A, b = poisson(4, 5).toarray(), np.arange(20.0)
    found = chebyshev_ssor(xp.asarray(A, device=device), xp.asarray(b, device=device), rtol=1e-9)
    want = chebyshev_ssor(A, b, rtol=1e-9)
    assert found.info.iterations == want.info.iterations
    np.testing.assert_allclose([float(v) for v in found.x], want.x, rtol=1e-8)


@pytest.mark.parametrize("bounds", [{"lower": 0.0}, {"lower": 1.0}, {"upper": np.inf}])
def test_mistakes_are_named(bounds):
    with pytest.raises(ValueError, match="lower and upper must be positive and finite, lower less"):
        chebyshev_ssor(np.eye(3), np.ones(3), **bounds)
