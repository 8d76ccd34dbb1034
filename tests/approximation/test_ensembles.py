"""Tridiagonal matrices have the eigenvalues of the projection processes of their weights."""

import numpy as np
import pytest

from lrla.approximation import _ensembles


def recurrence_jacobi(alpha, beta, n):
    k = np.arange(1.0, n)
    s = 2 * k + alpha + beta
    a = np.append((beta - alpha) / (alpha + beta + 2), (beta**2 - alpha**2) / (s * (s + 2)))
    square = 4 * k * (k + alpha) * (k + beta) * (k + alpha + beta) / (s**2 * (s + 1) * (s - 1))
    square[0] = 4 * (1 + alpha) * (1 + beta) / ((2 + alpha + beta) ** 2 * (3 + alpha + beta))
    return a, np.sqrt(square)


def recurrence_laguerre(alpha, n):
    k = np.arange(float(n))
    return 2 * k + alpha + 1, np.sqrt(k * (k + alpha))[1:]


CASES = {
    "legendre": (lambda m, u: _ensembles.jacobi(m, 0, 0, u), lambda n: recurrence_jacobi(0, 0, n)),
    "jacobi": (
        lambda m, u: _ensembles.jacobi(m, -0.7, 1.3, u),
        lambda n: recurrence_jacobi(-0.7, 1.3, n),
    ),
    "chebyshev": (
        lambda m, u: _ensembles.jacobi(m, 0.5, 0.5, u),
        lambda n: recurrence_jacobi(0.5, 0.5, n),
    ),
    "hermite": (_ensembles.hermite, lambda n: (np.zeros(n), np.sqrt(np.arange(1.0, n)))),
    "laguerre": (
        lambda m, u: _ensembles.laguerre(m, 0.0, u),
        lambda n: recurrence_laguerre(0.0, n),
    ),
    "laguerre-0.6": (
        lambda m, u: _ensembles.laguerre(m, -0.6, u),
        lambda n: recurrence_laguerre(-0.6, n),
    ),
}


def moments(recurrence, m, g):
    """Mean and variance of sum g(x) over the process of m polynomials, by Gauss quadrature."""
    a, b = recurrence(3 * m + 8)
    t, V = np.linalg.eigh(np.diag(a) + np.diag(b, 1) + np.diag(b, -1))
    weights, P = V[0] ** 2, V[:m] / V[0]
    G = (P * (weights * g(t))) @ P.T
    return np.trace(G), np.sum((P**2 * (weights * g(t) ** 2)).sum()) - np.sum(G * G)


@pytest.mark.statistical
@pytest.mark.parametrize("m", [1, 2, 5])
@pytest.mark.parametrize("name", CASES)
def test_linear_statistics(name, m):
    """Means within 6 standard errors, variances within 7: below one false alarm in 1e8 each."""
    model, recurrence = CASES[name]
    rng = np.random.default_rng([90210, m])
    n = 3000
    x = np.array([model(m, rng.random(2 * m - 1)) for _ in range(n)])
    scale = 1 + 2 * m if name.startswith(("laguerre", "hermite")) else 1  # keeps moments light
    for g in (lambda t: np.tanh(t / scale), lambda t: np.cos(2 * t / scale)):
        sums = g(x).sum(axis=1)
        mean, variance = moments(recurrence, m, g)
        assert abs(sums.mean() - mean) <= 6 * np.sqrt(variance / n)
        squares = (sums - mean) ** 2
        assert abs(squares.mean() - variance) <= 7 * squares.std() / np.sqrt(n)


@pytest.mark.parametrize("u", [0.0, 1 - 2.0**-53])
@pytest.mark.parametrize("name", CASES)
def test_extreme_random_numbers_give_points_of_the_domain(name, u):
    x = CASES[name][0](4, np.full(7, u))
    assert np.all(np.isfinite(x))
    if name.startswith("laguerre"):
        assert np.all(x >= 0)


@pytest.mark.parametrize("name", CASES)
def test_one_polynomial_gives_the_quantile_of_the_weight(name):
    """With m = 1 the matrix is one number: the quantile itself, but for Laguerre's detour."""
    from scipy import stats

    laws = {
        "legendre": stats.uniform(-1, 2),
        "jacobi": stats.beta(2.3, 0.3, -1, 2),
        "chebyshev": stats.beta(1.5, 1.5, -1, 2),
        "hermite": stats.norm(),
        "laguerre": stats.expon(),
        "laguerre-0.6": stats.gamma(0.4),
    }
    for u in (0.01, 0.3, 0.97):
        np.testing.assert_allclose(
            CASES[name][0](1, np.array([u]))[0], laws[name].ppf(u), rtol=1e-12, atol=1e-14
        )


def test_large_matrices_fill_the_support():
    rng = np.random.default_rng(90210)
    x = _ensembles.hermite(500, rng.random(999))
    assert 0.95 < np.max(np.abs(x)) / (2 * np.sqrt(500)) < 1.05
    x = _ensembles.laguerre(500, 0.0, rng.random(999))
    assert 0.9 < np.max(x) / 2000 < 1.1
    x = _ensembles.jacobi(500, 0.0, 0.0, rng.random(999))
    assert np.max(np.abs(np.sort(np.arccos(x)) / np.pi - (np.arange(500) + 0.5) / 500)) < 0.01
