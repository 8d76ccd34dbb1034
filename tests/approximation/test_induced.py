"""Quantiles of induced distributions are those of quadrature, to rounding."""

import numpy as np
import pytest
from induced_laws import FAMILIES, distribution, interval, squares
from scipy import special, stats

from lrla.approximation import Fourier, Hermite, Jacobi, Laguerre, Legendre, Recurrence

U = np.concatenate([np.linspace(0.001, 0.999, 60), [1e-9, 1e-6, 0.5, 1 - 1e-6]])


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("k", [0, 1, 2, 3, 12, 60, 120])
def test_quantiles_invert_the_distribution_function(name, k):
    """Up to 1e-14 in the probability, or to a few units of rounding in t at singular ends."""
    family, density = FAMILIES[name]
    for index in (k, -k) if isinstance(family, Fourier) else (k,):
        t = family.quantile(U, np.full(len(U), index))
        low, high = interval(family, k)
        with np.errstate(divide="ignore"):
            rate = density(t - low, high - t) * squares(family, index, t)
        wrong = abs(distribution(family, density, index, t) - U)
        inside = (t > low) & (t < high)
        assert inside.sum() >= len(U) - 2
        assert np.all(wrong[inside] <= (1e-14 + 1e-15 * rate * (1 + abs(t)))[inside] * (1 + k / 30))


@pytest.mark.parametrize("name", FAMILIES)
def test_quantiles_at_the_ends_are_in_the_domain(name):
    family, _ = FAMILIES[name]
    u = np.array([0.0, 2.0**-53, 1e-300, 1 - 2.0**-53, 1.0])
    low, high = ((x - family.shift) / family.unit for x in family.support)
    for k in (0, 1, 7, 40):
        t = family.quantile(u, np.full(5, k))
        assert np.all(np.isfinite(t))
        assert np.all((t >= low) & (t <= high))


@pytest.mark.parametrize("name", FAMILIES)
def test_degrees_may_be_mixed(name):
    family, _ = FAMILIES[name]
    k = np.tile([5, 0, 17, 2], 15)
    t = family.quantile(U[:60], k)
    for degree in (0, 2, 5, 17):
        these = k == degree
        np.testing.assert_array_equal(t[these], family.quantile(U[:60][these], k[these]))


def test_upper_tails_keep_their_relative_accuracy():
    for family, law in ((Hermite(), stats.norm), (Laguerre(2.5), stats.gamma(3.5))):
        u = 1 - 2.0 ** -np.arange(2.0, 54)
        t = family.quantile(u, np.zeros(52, np.int64))
        np.testing.assert_allclose(law.sf(t), 1 - u, rtol=1e-12)


@pytest.mark.parametrize(
    ("family", "law"),
    [
        (Jacobi(1000.0, 3.0), stats.beta(4, 1001, -1, 2)),
        (Jacobi(3e4, 2e4), stats.beta(20001, 30001, -1, 2)),
        (Laguerre(1000.0), stats.gamma(1001)),
        (Laguerre(1e5), stats.gamma(100001)),
    ],
)
def test_extreme_exponents(family, law):
    """To what subtracting logarithms of gamma functions leaves of rounding."""
    t = family.quantile(U, np.zeros(len(U), np.int64))
    size = special.gammaln(family.a + getattr(family, "b", 0) + 2)
    np.testing.assert_allclose(law.cdf(t), U, rtol=0, atol=3e-16 * size)


@pytest.mark.statistical
@pytest.mark.parametrize("name", FAMILIES)
def test_uniform_numbers_become_induced_distributions(name):
    """Kolmogorov-Smirnov at 1e-7 for each degree; the degree before is told apart."""
    family, density = FAMILIES[name]
    rng = np.random.default_rng(90210)
    for k in (0, 1, 2, 9):
        t = family.quantile(rng.random(3000), np.full(3000, k))
        assert stats.kstest(distribution(family, density, k, t), "uniform").pvalue > 1e-7
        if k == 1 and name != "fourier":
            wrong = distribution(family, density, 0, t)
            assert stats.kstest(wrong, "uniform").pvalue < 1e-7


def test_without_a_density_points_are_gauss_nodes():
    k = np.arange(1.0, 12)
    family = Recurrence(0 * np.append(k, 0), k / np.sqrt(4 * k * k - 1))
    nodes = np.polynomial.legendre.leggauss(12)[0]
    t = family.quantile(np.linspace(0, 1, 500), np.full(500, 4))
    assert np.all(np.min(abs(t[:, None] - nodes), axis=1) < 1e-13)
    mean = np.mean([t**2, t**4], axis=1)  # of P_4^2, which the rule integrates exactly
    exact = Legendre().quantile(np.linspace(0, 1, 500), np.full(500, 4))
    np.testing.assert_allclose(mean, np.mean([exact**2, exact**4], axis=1), atol=0.01)


def test_a_density_must_belong_to_its_coefficients():
    k = np.arange(1.0, 12)
    off = k / np.sqrt(4 * k * k - 1)
    wrong = Recurrence(0 * np.append(k, 0), off, lambda x: 1 + x, -1, 1)
    with pytest.raises(ValueError, match=r"do not belong together: .* degree 2 .* inner product"):
        wrong.quantile(np.array([0.5]), np.array([2]))
    negative = Recurrence(0 * np.append(k, 0), off, lambda x: x, -1, 1)
    with pytest.raises(ValueError, match="density must be finite and not negative"):
        negative.quantile(np.array([0.5]), np.array([2]))


@pytest.mark.parametrize(
    ("family", "degree"), [(Hermite(), 400), (Laguerre(), 200), (Jacobi(1000.0, 1000.0), 500)]
)
def test_quantiles_where_the_weight_underflows_are_refused(family, degree):
    """They would all have been the last point that can be told from its neighbours."""
    u = np.linspace(0.0, 1.0, 501)
    with pytest.raises(ValueError, match=f"weight underflows float64 at points of degree {degree}"):
        family.quantile(u, np.full(501, degree))
    middle = np.array([0.3, 0.5])
    below = np.full(2, degree // 4)
    assert np.all(np.diff(family.quantile(middle, below)) > 0)
