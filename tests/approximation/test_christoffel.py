"""Draws from the Christoffel measure have its law, and are functions of their numbers."""

import numpy as np
import pytest
from induced_laws import FAMILIES, distribution
from scipy import stats

import lrla
from lrla.approximation import (
    Chebyshev,
    Fourier,
    Hermite,
    Jacobi,
    Laguerre,
    Recurrence,
    basis,
    christoffel_sample,
    dpp_sample,
    hyperbolic_cross,
    mirrored,
    total_degree,
)
from lrla.approximation._christoffel import christoffel_points

K = np.arange(1.0, 12)
MIXED = basis(
    [
        Jacobi(1, -0.5, 0, 3),
        Fourier(real=True),
        Laguerre(1.5),
        Recurrence(0 * np.append(K, 0), np.sqrt(K), lambda x: np.exp(-x * x / 2)),
    ],
    total_degree(4, 3),
)
SPACES = {
    "legendre": basis("legendre", total_degree(2, 4)),
    "cross": basis([Hermite(2, 3), Chebyshev(2)], hyperbolic_cross(2, 9)),
    "mixed": MIXED,
    "holes": basis(["laguerre", "fourier"], [[0, 0], [5, -3], [2, 4], [0, 7]]),
}


def test_points_are_functions_of_their_numbers():
    for space in SPACES.values():
        key = (90210, 6021)
        whole = christoffel_points(space, key, 3, 0, 1000)
        parts = [
            christoffel_points(space, key, 3, a, b - a) for a, b in ((0, 1), (1, 700), (700, 1000))
        ]
        np.testing.assert_array_equal(np.concatenate(parts), whole)
        with lrla.threads(4):
            np.testing.assert_array_equal(christoffel_points(space, key, 3, 0, 1000), whole)
        assert not np.any(np.all(christoffel_points(space, key, 4, 0, 1000) == whole, axis=1))


def test_equal_seeds_give_equal_designs():
    one, two = (christoffel_sample(SPACES["mixed"], 50, rng=90210) for _ in range(2))
    np.testing.assert_array_equal(one.points, two.points)
    again = christoffel_sample(SPACES["mixed"], 50, rng=one.info.seed)
    np.testing.assert_array_equal(again.points, one.points)
    assert one.kind == "christoffel"
    assert one


@pytest.mark.statistical
@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("name", SPACES)
def test_the_weighted_gram_matrix_is_the_identity_on_average(name, stratified):
    """Entries of G - I beyond 6 standard errors: one false alarm in 1e8 for each of them."""
    space, n = SPACES[name], 12000
    design = christoffel_sample(space, n, stratified=stratified, rng=90210)
    V = space(design.points)
    terms = design.weights[:, None, None] * V[:, :, None] * V[:, None, :].conj()
    error = terms.mean(axis=0) - np.eye(len(space))
    assert np.all(np.abs(error) <= 6 * terms.std(axis=0) / n**0.5 + 1e-12)
    assert abs(design.weights.mean() - 1) <= 6 * design.weights.std() / n**0.5 + 1e-12
    unweighted = (terms / design.weights[:, None, None]).mean(axis=0) - np.eye(len(space))
    if name != "holes":  # the weights matter
        assert np.any(np.abs(unweighted) > 12 * terms.std(axis=0) / n**0.5)


@pytest.mark.statistical
def test_the_gram_matrix_converges_at_the_rate_of_independent_points():
    """Sixteen times the points: a quarter of the error, within a factor of 1.5 over 40 draws."""
    space = SPACES["legendre"]
    errors = []
    for n in (400, 6400):
        norms = []
        for seed in range(40):
            design = christoffel_sample(space, n, rng=seed)
            V = space(design.points)
            G = V.T @ (design.weights[:, None] * V) / n
            norms.append(np.linalg.norm(G - np.eye(len(space)), 2))
        errors.append(np.mean(norms))
    assert 4 / 1.5 < errors[0] / errors[1] < 4 * 1.5


@pytest.mark.statistical
@pytest.mark.parametrize("name", ["legendre", "hermite", "cosines", "table-laguerre"])
def test_points_of_one_function_follow_its_square(name):
    """Kolmogorov-Smirnov at 1e-6."""
    family, density = FAMILIES[name]
    x = christoffel_sample(basis(family, [7]), 4000, rng=90210).points[:, 0]
    t = (x - family.shift) / family.unit
    assert stats.kstest(distribution(family, density, 7, t), "uniform").pvalue > 1e-6


@pytest.mark.statistical
@pytest.mark.parametrize("real", [False, True])
def test_trigonometric_spaces_give_uniform_points_of_weight_one(real):
    """Kolmogorov-Smirnov at 1e-6."""
    space = basis(Fourier(0, 2, real=real), mirrored(total_degree(2, 4)))
    design = christoffel_sample(space, 5000, rng=90210)
    np.testing.assert_allclose(design.weights, 1, rtol=1e-12)
    for x in design.points.T:
        assert stats.kstest(x / 2, "uniform").pvalue > 1e-6


def test_strata_are_equally_large():
    """The supports of the two functions are told apart by their points."""
    space = basis(Laguerre(), [0, 40])
    design = christoffel_sample(space, 3000, stratified=True, rng=90210)
    u = (np.arange(3000) + 0.5) / 3000
    split = [np.mean(space.families[0].quantile(u, np.full(3000, k)) > 20) for k in (0, 40)]
    assert abs(np.mean(design.points > 20) - np.mean(split)) < 0.02
    assert len(design) == 3000
    assert design.kind == "stratified christoffel"


def test_numbers_of_low_discrepancy_integrate_better():
    space = basis("legendre", total_degree(2, 3))
    u = stats.qmc.Sobol(space.n_uniform, rng=np.random.default_rng(90210)).random(4096)
    X = space.from_uniform(u)
    w = len(space) / space.christoffel(X)
    f = np.exp(X[:, 0] + X[:, 1] ** 2)
    nodes, weights = np.polynomial.legendre.leggauss(20)
    exact = np.sum(weights / 2 * np.exp(nodes)) * np.sum(weights / 2 * np.exp(nodes**2))
    assert abs(np.mean(w * f) - exact) < np.std(w * f) / 64 / 5  # a fifth of a standard error


@pytest.mark.parametrize(
    ("u", "message"),
    [
        ([[0.5, 0.5]], r"u must have shape \(n, 3\), got \(1, 2\)"),
        ([[0.5, 0.5, 1.5]], "u must be between 0 and 1"),
        ([[0.5, 0.5, np.nan]], "u must be between 0 and 1"),
    ],
)
def test_what_are_no_uniform_numbers(u, message):
    with pytest.raises(ValueError, match=message):
        SPACES["legendre"].from_uniform(u)


def test_no_points_and_the_constant():
    for stratified in (False, True):
        design = christoffel_sample(SPACES["mixed"], 0, stratified=stratified, rng=90210)
        assert design.points.shape == (0, 4)
        assert design.weights.shape == (0,)
    design = christoffel_sample(basis("hermite", [[0] * 20]), 3, rng=90210)
    assert design.points.shape == (3, 20)
    np.testing.assert_array_equal(design.weights, 1)


def test_ends_of_uniform_numbers_stay_in_the_domain():
    u = np.array([[0.0] * 5, [1.0] * 5, [1 - 2.0**-53] * 5])
    X = MIXED.from_uniform(u)
    assert np.all(np.isfinite(X))
    assert MIXED(X).shape == (3, len(MIXED))


@pytest.mark.parametrize("size", [-1, 2.5, True])
def test_sizes_are_whole(size):
    with pytest.raises(ValueError, match="size must be an integer, at least 0, got"):
        christoffel_sample(basis("legendre", [0]), size)


def test_overflow_is_an_error():
    with pytest.raises(ValueError, match="the weight underflows float64 at points of degree 300"):
        christoffel_sample(basis("laguerre", [300]), 100, rng=90210)
    with pytest.raises(ValueError, match="squares of the functions overflow float64"):
        dpp_sample(basis("laguerre", range(300)), rng=90210)


@pytest.mark.statistical
def test_strata_that_hold_parts_of_functions_are_not_biased():
    """False alarm below 1e-6: five standard errors of the mean of 1000 designs."""
    space = basis("legendre", range(3))
    means = []
    for seed in range(1000):
        design = christoffel_sample(space, 2, stratified=True, rng=seed)
        means.append(design.weights @ space(design.points)[:, 1] ** 2 / 2)
    assert abs(np.mean(means) - 1) < 5 * np.std(means) / np.sqrt(1000)
