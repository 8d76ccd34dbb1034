"""Points of projection processes have their law; designs made of them do what they are made for."""

import functools
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import lrla
from lrla.approximation import (
    Basis,
    Chebyshev,
    Fourier,
    Hermite,
    Jacobi,
    Laguerre,
    Legendre,
    _processes,
    basis,
    dpp_sample,
    empirical_basis,
    hyperbolic_cross,
    repeated_dpp_sample,
    total_degree,
    volume_rescaled_sample,
)
from lrla.dpp import SamplingError

LINE = basis("legendre", np.arange(4))
GAPS = basis("legendre", [0, 1, 3, 6])
PLANE = basis("legendre", total_degree(2, 2))


def rule(dim, n=24):
    """Nodes and weights of Gauss quadrature for the uniform measure of the cube."""
    t, w = np.polynomial.legendre.leggauss(n)
    grid = np.stack(np.meshgrid(*[t] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    weights = np.stack(np.meshgrid(*[w / 2] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    return grid, weights.prod(axis=1)


@functools.cache
def samples(space, n, model=True, stream=0):
    """Draw n samples, each in the order in which points come; by rejection without a model."""
    keep = _processes.model_of
    _processes.model_of = keep if model else lambda basis: None
    try:
        return np.array([_processes._draw(space, (90210, stream), i)[0] for i in range(n)])
    finally:
        _processes.model_of = keep


def runge(X):
    return 1 / (1.3 + X[:, 0])


@pytest.mark.statistical
@pytest.mark.parametrize("model", [True, False])
@pytest.mark.parametrize("space", [LINE, GAPS, PLANE], ids=["line", "gaps", "plane"])
def test_linear_statistics(space, model):
    """First and second moments, which the two-point correlation gives: 6 and 7 standard errors.

    Below one false alarm in 1e8 each.
    """
    points = samples(space, 1000, model)
    X, w = rule(space.dim)
    V = space(X)
    for g in (lambda x: x[..., 0], lambda x: np.cos(4 * x[..., -1] + x[..., 0])):
        G = (V * (w * g(X))[:, None]).T @ V
        mean = np.trace(G)
        variance = np.sum(V**2 * (w * g(X) ** 2)[:, None]) - np.sum(G * G)
        sums = g(points).sum(axis=1)
        assert abs(sums.mean() - mean) <= 6 * np.sqrt(variance / len(points))
        squares = (sums - mean) ** 2
        assert abs(squares.mean() - variance) <= 7 * squares.std() / np.sqrt(len(points))


@pytest.mark.statistical
@pytest.mark.parametrize("which", [0, -1])
def test_every_point_follows_the_christoffel_measure(which):
    """Chi-square at 1e-6 on 20 bins of equal mass, for the first and the last point of samples."""
    x = samples(GAPS, 1000)[:, which, 0]
    edges = np.linspace(-1, 1, 4001)
    middle = (edges[1:] + edges[:-1]) / 2
    mass = np.cumsum(GAPS.christoffel(middle[:, None]))
    F = np.interp(x, edges, np.append(0, mass / mass[-1]))
    counts = np.bincount((F * 20).astype(int), minlength=20)
    assert stats.chisquare(counts).pvalue > 1e-6


@pytest.mark.statistical
@pytest.mark.parametrize("model", [True, False])
def test_pairs_have_the_joint_density(model):
    """Chi-square at 1e-6 on a 5 x 5 grid, for two points in the order in which they come."""
    space = LINE.restricted([0, 1])
    points = samples(space, 2000, model)[:, :, 0]
    edges = np.linspace(-1, 1, 6)
    t, w = np.polynomial.legendre.leggauss(8)
    moments = np.zeros((5, 2, 2))  # of the functions on each bin
    for b, (low, high) in enumerate(itertools.pairwise(edges)):
        V = space(((low + high) / 2 + (high - low) / 2 * t)[:, None])
        moments[b] = (V * (w / 2 * (high - low) / 2)[:, None]).T @ V
    mass = np.trace(moments, axis1=1, axis2=2)
    law = (np.outer(mass, mass) - np.einsum("aij,bij->ab", moments, moments)) / 2
    assert abs(law.sum() - 1) < 1e-12
    seen = np.histogram2d(points[:, 0], points[:, 1], [edges, edges])[0]
    assert stats.chisquare(seen.ravel(), law.ravel() * 2000).pvalue > 1e-6
    # the mutant of this test: independent points of the same measure
    shuffled = np.histogram2d(points[:, 0], np.roll(points[:, 1], 1), [edges, edges])[0]
    assert stats.chisquare(shuffled.ravel(), law.ravel() * 2000).pvalue < 1e-6


FAMILIES = {
    "legendre": Legendre(2, 5),
    "hermite": Hermite(loc=1, scale=2),
    "laguerre": Laguerre(0.5, loc=1, scale=3),
    "jacobi": Jacobi(-0.7, 1.3),
    "chebyshev1": Chebyshev(1),
    "chebyshev2": Chebyshev(2, 0, 4),
}


@pytest.mark.statistical
@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_tridiagonal_and_rejection_agree(family):
    """Kolmogorov-Smirnov on every order statistic: 4e-6 in all. One degree off would show."""
    space = basis(family, np.arange(4))
    one, other = (np.sort(samples(space, 600, model)[:, :, 0], axis=1) for model in (True, False))
    for j in range(4):
        assert stats.ks_2samp(one[:, j], other[:, j]).pvalue > 1e-6
    assert dpp_sample(space, rng=5).info.method == "tridiagonal"
    mutant = np.sort(samples(basis(family, np.arange(5)), 600)[:, :4, 0], axis=1)
    assert min(stats.ks_2samp(one[:, j], mutant[:, j]).pvalue for j in range(4)) < 1e-3


@pytest.mark.statistical
@pytest.mark.parametrize(
    "space",
    [
        basis(Fourier(), np.arange(-2, 3)),
        basis(Fourier(real=True), np.arange(-2, 3)),
        basis(Fourier(0, 2), [0, 3, 4]),
        basis("fourier", hyperbolic_cross(2, 2)),
    ],
    ids=["circle", "real", "gaps", "torus"],
)
def test_fourier(space):
    """First and second moments of linear statistics: 6 and 7 standard errors."""
    points = samples(space, 1000)
    grid = np.stack(np.meshgrid(*[np.arange(40) / 40] * space.dim), axis=-1).reshape(-1, space.dim)
    X = grid * space.families[0].unit
    V = space(X)
    for g in (lambda x: np.cos(2 * np.pi * x[..., 0]), lambda x: np.sin(6 * np.pi * x[..., -1])):
        G = (V.conj() * g(X)[:, None]).T @ V / len(X)
        mean = np.trace(G).real
        variance = np.sum(abs(V) ** 2 * g(X)[:, None] ** 2) / len(X) - np.sum(abs(G) ** 2)
        sums = g(points).sum(axis=1)
        assert abs(sums.mean() - mean) <= 6 * np.sqrt(variance / len(points))
        squares = (sums - mean) ** 2
        assert abs(squares.mean() - variance) <= 7 * squares.std() / np.sqrt(len(points))


def test_any_functions_under_any_measure():
    """Under the law of the candidates all is exact, so that k_m(x) has the integral m."""

    def functions(X):
        return np.column_stack([np.ones(len(X)), X, X[:, :1] * X[:, 1:], np.exp(X[:, 0])])

    space = empirical_basis(functions, lambda n, rng: rng.random((n, 2)), rng=90210)
    design = dpp_sample(space, rng=90210)
    assert design.info.method == "rejection"
    assert len(np.unique(design.points, axis=0)) == len(space) == 5
    assert len(volume_rescaled_sample(space, 9, rng=90210)) == 9
    assert len(volume_rescaled_sample(space, 9, reference=space, rng=90210)) == 9
    X = np.concatenate([_processes._draw(space, (90210, 0), i)[0] for i in range(400)])
    ratio = X[:, 0].reshape(400, 5) / space.christoffel(X).reshape(400, 5)
    sums = ratio.sum(axis=1)
    truth = space.candidates[:, 0].mean()
    assert abs(sums.mean() - truth) <= 6 * sums.std() / 20


@pytest.mark.statistical
def test_the_law_does_not_depend_on_the_order_of_the_functions():
    one = samples(PLANE, 1000)
    other = samples(PLANE.restricted(PLANE.indices[::-1]), 1000, stream=1)
    for g in (
        lambda x: x[..., 0].sum(axis=1),
        lambda x: x[..., 1].max(axis=1),
        lambda x: np.ptp(x[..., 0], axis=1),
    ):
        assert stats.ks_2samp(g(one), g(other)).pvalue > 1e-6


@pytest.mark.statistical
def test_sums_over_the_christoffel_function_are_integrals():
    X = samples(PLANE, 1000)
    values = np.exp(X[..., 0] - X[..., 1]) / PLANE.christoffel(X.reshape(-1, 2)).reshape(-1, 6)
    sums = values.sum(axis=1)
    assert abs(sums.mean() - np.sinh(1) ** 2) <= 6 * sums.std() / 1000**0.5


@pytest.mark.statistical
@pytest.mark.parametrize("reference", [None, GAPS.restricted([0])], ids=["own", "uniform"])
def test_volume_rescaled_points_give_the_inverse_moment_and_unbiased_least_squares(reference):
    """6 standard errors, with n - m large enough for the squares to have a variance."""
    n, draws, m = 10, 1000, len(GAPS)
    inverse, found = [], []
    X, w = rule(1)
    best = (GAPS(X) * (w * runge(X))[:, None]).sum(axis=0)
    for i in range(draws):
        design = volume_rescaled_sample(GAPS, n, reference=reference, rng=90210 + i)
        V, root = GAPS(design.points), np.sqrt(design.weights)
        inverse.append(np.linalg.inv((V * design.weights[:, None]).T @ V / n))
        found.append(np.linalg.lstsq(V * root[:, None], root * runge(design.points))[0])
    inverse, found = np.array(inverse), np.array(found)
    wanted = n / (n - m + 1) * np.eye(m)
    assert np.all(abs(inverse.mean(0) - wanted) <= 6 * inverse.std(0) / draws**0.5)
    assert np.all(abs(found.mean(0) - best) <= 6 * found.std(0) / draws**0.5)
    # independent points have another inverse moment, and the test would see it
    assert np.trace(inverse, axis1=1, axis2=2).std() / draws**0.5 < 0.02 * np.trace(wanted)


@pytest.mark.statistical
def test_one_function_and_one_point_double_the_least_error():
    """E norm(u - v)**2 = (1 + m) norm(e)**2 for n = m, where the square has a variance: m = 1."""
    x = samples(LINE.restricted([0]), 2000)[:, 0, 0]
    mean = np.sinh(1)
    least = np.sinh(2) / 2 - mean**2
    errors = least + (np.exp(x) - mean) ** 2
    assert abs(errors.mean() - 2 * least) <= 6 * errors.std() / 2000**0.5


@pytest.mark.statistical
def test_as_many_points_as_functions_cost_one_more_least_error_for_each():
    """The same for m = 2, where the square has no variance: within a tenth at this seed."""
    space = LINE.restricted([0, 1])
    points = samples(space, 8000).reshape(-1, 1)
    X, w = rule(1)
    best = (space(X) * (w * runge(X))[:, None]).sum(axis=0)
    least = w @ (runge(X) - space(X) @ best) ** 2
    found = np.linalg.solve(space(points).reshape(-1, 2, 2), runge(points).reshape(-1, 2, 1))
    errors = least + np.sum((found[..., 0] - best) ** 2, axis=1)
    assert abs(errors.mean() / least - 3) < 0.3


def test_a_volume_of_m_points_is_the_process_and_order_is_random():
    one, other = dpp_sample(PLANE, rng=90210), volume_rescaled_sample(PLANE, 6, rng=90210)
    np.testing.assert_array_equal(
        one.points[np.lexsort(one.points.T)], other.points[np.lexsort(other.points.T)]
    )
    assert not np.array_equal(one.points, other.points)
    assert other.kind == "volume"


def test_a_reference_decides_what_the_other_points_follow():
    space = basis("legendre", total_degree(2, 2))
    uniform = volume_rescaled_sample(space, 9, reference=space.restricted([[0, 0]]), rng=90210)
    np.testing.assert_array_equal(uniform.weights, 1)
    assert uniform.kind == "generalized volume"
    own = volume_rescaled_sample(space, 9, rng=90210)
    same = volume_rescaled_sample(space, 9, reference=space, rng=90210)
    np.testing.assert_array_equal(own.points, same.points)
    with pytest.raises(ValueError, match="reference must have the families of basis"):
        volume_rescaled_sample(space, 9, reference=basis([Legendre(0, 1)] * 2, [[0, 0]]))


def test_repeats_are_samples_of_their_own():
    three, five = (repeated_dpp_sample(PLANE, r, rng=90210) for r in (3, 5))
    assert len(three) == 18
    assert three.kind == "repeated_dpp"
    assert three.info.n_repeats == 3
    np.testing.assert_array_equal(five.points[:18], three.points)
    np.testing.assert_array_equal(dpp_sample(PLANE, rng=90210).points, three.points[:6])
    assert len(np.unique(five.points, axis=0)) == 30


@pytest.mark.statistical
def test_repeats_are_independent():
    """Rank correlation between the sums of two samples, p > 1e-6; within one it is strong."""
    sums = samples(LINE, 1000)[:, :, 0].reshape(500, 2, 4)
    assert stats.spearmanr(sums[:, 0].sum(1), sums[:, 1].sum(1)).pvalue > 1e-6
    assert stats.spearmanr(sums[:, 0, :2].sum(1), sums[:, 0, 2:].sum(1)).pvalue < 1e-6


@pytest.mark.parametrize("space", [LINE, PLANE], ids=["line", "plane"])
def test_designs(space):
    design = dpp_sample(space, rng=90210)
    assert design
    assert design.kind == "dpp"
    assert design.points.shape == (len(space), space.dim)
    np.testing.assert_allclose(design.weights, len(space) / (space(design.points) ** 2).sum(axis=1))
    again = dpp_sample(space, rng=design.info.seed)
    np.testing.assert_array_equal(again.points, design.points)
    assert design.info.method == ("tridiagonal" if space.dim == 1 else "rejection")
    assert (design.info.n_proposals == 0) == (space.dim == 1)


@given(st.data())
def test_any_space(data):
    """As many different points of the domain as functions, and values of full rank at them."""
    families = data.draw(st.lists(st.sampled_from([*FAMILIES.values(), Fourier()]), min_size=1))
    dim = min(len(families), 3)
    rows = st.tuples(*[st.integers(0, 6)] * dim)
    indices = data.draw(st.lists(rows, min_size=1, max_size=20, unique=True))
    space = basis(families[:dim], indices)
    design = dpp_sample(space, rng=data.draw(st.integers(0, 2**32)))
    assert design.points.shape == (len(space), dim)
    assert len(np.unique(design.points, axis=0)) == len(space)
    low, high = np.transpose([f.support for f in families[:dim]])
    assert np.all((design.points >= low) & (design.points <= high))
    V = space(design.points) * np.sqrt(design.weights / len(space))[:, None]
    assert np.linalg.matrix_rank(V) == len(space)


def test_which_spaces_have_a_model():
    shuffled = basis("legendre", [2, 0, 1])
    assert dpp_sample(shuffled, rng=90210).info.method == "tridiagonal"
    np.testing.assert_array_equal(
        dpp_sample(shuffled, rng=90210).points,
        dpp_sample(basis("legendre", range(3)), rng=90210).points,
    )
    assert dpp_sample(GAPS, rng=90210).info.method == "rejection"
    assert dpp_sample(basis("legendre", [1]), rng=90210).info.method == "rejection"


def test_affine_domains():
    family = Legendre(2, 5)
    x = dpp_sample(basis(family, np.arange(30)), rng=90210).points[:, 0]
    t = dpp_sample(basis("legendre", np.arange(30)), rng=90210).points[:, 0]
    np.testing.assert_allclose(x, 3.5 + 1.5 * t, rtol=1e-14)
    X = dpp_sample(basis([family, Legendre(0, 1)], total_degree(2, 3)), rng=90210).points
    assert np.all((X >= [2, 0]) & (X <= [5, 1]))


def test_one_function():
    for space in (basis("legendre", [0]), basis("legendre", [[0, 0]]), basis("legendre", [[3, 1]])):
        design = dpp_sample(space, rng=90210)
        assert design.points.shape == (1, space.dim)
        assert len(repeated_dpp_sample(space, 4, rng=5)) == len(volume_rescaled_sample(space, 4))


def test_large_spaces_keep_their_points_apart():
    space = basis("legendre", total_degree(3, 9))
    X = dpp_sample(space, rng=90210).points
    assert X.shape == (220, 3)
    s = np.linalg.svd(space(X) / np.sqrt(space.christoffel(X))[:, None], compute_uv=False)
    assert s[-1] > 1e-8


def test_threads_change_nothing():
    space = basis("legendre", total_degree(2, 20))
    with lrla.threads(1):
        one = dpp_sample(space, rng=90210).points
    with lrla.threads(3):
        np.testing.assert_array_equal(dpp_sample(space, rng=90210).points, one)


class Dependent(Basis):
    """Claims one function more than its span has."""

    def __call__(self, X):
        V = super().__call__(X)
        V[:, -1] = V[:, 0]
        return V


def test_a_budget_ends_what_cannot_succeed():
    space = Dependent(PLANE.families, PLANE.indices)
    with pytest.raises(SamplingError, match=r"\d+ proposals gave 5 of 6 points: the functions"):
        dpp_sample(space, rng=90210)


def test_mistakes():
    with pytest.raises(ValueError, match="size must be at least the number of functions, 6, got 5"):
        volume_rescaled_sample(PLANE, 5)
    with pytest.raises(ValueError, match=r"size must be an integer, at least 0, got 7\.5"):
        volume_rescaled_sample(PLANE, 7.5)
    with pytest.raises(ValueError, match="n_repeats must be an integer, at least 1, got 0"):
        repeated_dpp_sample(PLANE, 0)
    with pytest.raises(TypeError, match="rng must be None, an integer"):
        dpp_sample(PLANE, rng="seed")
