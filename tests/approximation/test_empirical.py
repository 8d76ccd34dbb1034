"""Any functions under any measure become orthonormal, as far as the certificate says."""

import numpy as np
import pytest

from lrla import AccuracyWarning, RankDeficientWarning
from lrla.approximation import (
    WeightedLeastSquares,
    basis,
    christoffel_sample,
    dpp_sample,
    empirical_basis,
)


def disk(n, rng):
    r, angle = np.sqrt(rng.random(n)), 2 * np.pi * rng.random(n)
    return np.column_stack([r * np.cos(angle), r * np.sin(angle)])


def square(n, rng):
    return rng.uniform(-1, 1, (n, 2))


def monomials(X):
    return np.column_stack([X[:, 0] ** i * X[:, 1] ** j for i in range(5) for j in range(5 - i)])


def test_functions_become_orthonormal():
    space = empirical_basis(monomials, disk, rng=90210)
    assert space
    assert (len(space), space.dim, space.mass) == (15, 2, 1)
    X = disk(100000, np.random.default_rng(6021))
    V = space(X)
    G = V.T @ V / len(X)
    error = np.linalg.norm(G - np.eye(15), 2)
    assert error < 2 * space.orthonormality_error < 0.2
    np.testing.assert_allclose(space.christoffel(X), np.sum(V**2, axis=1), rtol=1e-10)
    C = space(space.candidates)  # here it is exact
    np.testing.assert_allclose(C.T @ C / len(C), np.eye(15), atol=1e-12)
    np.testing.assert_allclose(space.integrals, C.mean(axis=0), atol=1e-13)
    np.testing.assert_allclose(space.scores, space.christoffel(space.candidates), rtol=1e-13)


@pytest.mark.statistical
def test_draws_are_from_the_christoffel_measure_of_the_candidates():
    """Entries of G - I beyond 6 standard errors: one false alarm in 1e8 for each of them."""
    space = empirical_basis(monomials, disk, size=3000, tol=1, rng=90210)
    n = 30000
    for stratified in (False, True):
        design = christoffel_sample(space, n, stratified=stratified, rng=90210)
        V = space(design.points)
        terms = design.weights[:, None, None] * V[:, :, None] * V[:, None, :]
        assert np.all(np.abs(terms.mean(axis=0) - np.eye(15)) <= 6 * terms.std(axis=0) / n**0.5)


def test_the_space_is_that_of_the_functions():
    """Under a product measure k_m is the one of the orthonormal polynomials."""
    space = empirical_basis(monomials, square, size=200000, rng=90210)
    exact = basis("legendre", [[i, j] for i in range(5) for j in range(5 - i)])
    X = square(50, np.random.default_rng(6021))
    np.testing.assert_allclose(space.christoffel(X), exact.christoffel(X), rtol=0.05)


def test_complex_functions():
    space = empirical_basis(lambda X: np.exp(1j * X @ [[1, 2, 5]]), lambda n, rng: rng.random((n, 1)),
                            rng=90210)  # fmt: skip
    X = np.random.default_rng(6021).random((50, 1))
    assert space(X).dtype == np.complex128
    np.testing.assert_allclose(space.christoffel(X), np.sum(abs(space(X)) ** 2, axis=1), rtol=1e-10)
    assert christoffel_sample(space, 20, rng=5).weights.dtype == np.float64


def test_processes_and_least_squares_take_the_space():
    space = empirical_basis(
        lambda X: X ** np.arange(5), lambda n, rng: rng.normal(size=(n, 1)), rng=90210
    )
    assert dpp_sample(space, rng=90210).points.shape == (5, 1)
    fit = WeightedLeastSquares(space, rng=90210).fit(lambda X: X[:, 0] ** 3 - X[:, 0])
    x = np.linspace(-2, 2, 9)
    np.testing.assert_allclose(fit.predict(x[:, None]), x**3 - x, atol=1e-10)


def test_seeds_decide():
    one, two, other = (empirical_basis(monomials, disk, rng=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.T, two.T)
    np.testing.assert_array_equal(one.candidates, two.candidates)
    assert one.orthonormality_error == two.orthonormality_error
    assert not np.array_equal(one.candidates, other.candidates)
    assert repr(one).startswith("EmpiricalBasis(dim=2, m=15, orthonormality_error=")


def test_dependent_functions_span_fewer_dimensions():
    with pytest.warns(RankDeficientWarning):
        space = empirical_basis(lambda X: np.column_stack([X, X.sum(axis=1)]), square, rng=90210)
    assert len(space) == 2


def test_candidates_become_more_until_they_suffice():
    space = empirical_basis(monomials, square, tol=0.04, rng=90210)
    assert len(space.candidates) > 20000
    assert space.orthonormality_error <= 0.04


def test_too_few_candidates_are_not_hidden():
    with pytest.warns(AccuracyWarning, match=r"orthonormal up to .* above tol=0.1; give a larger"):
        space = empirical_basis(monomials, square, size=60, rng=90210)
    assert not space
    assert space.orthonormality_error > 0.1


@pytest.mark.parametrize(
    ("function", "sampler", "options", "message"),
    [
        (monomials, square, {"tol": 0}, "tol must be positive, got 0"),
        (monomials, square, {"size": 10}, "at least the number of functions, 15, got 10"),
        (monomials, square, {"size": 2.5}, "size must be an integer, at least 1, got 2.5"),
        (monomials, lambda n, rng: np.zeros((3, 2)), {}, r"return 1 points, got shape \(3, 2\)"),
        (monomials, lambda n, rng: np.full((n, 2), np.nan), {}, "points of sampler must be finite"),
        (lambda X: X[:, 0], square, {}, "values of function must have 2 dimensions"),
        (lambda X: X[:0], square, {}, r"return values of shape \(1, k\), got \(0, 2\)"),
        (lambda X: np.ones((len(X), 1 + (len(X) > 1))), square, {}, r"shape \(20000, 1\), got"),
        (lambda X: X / 0, square, {}, "values of function must be finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_is_no_space(function, sampler, options, message):
    with pytest.raises(ValueError, match=message):
        empirical_basis(function, sampler, rng=90210, **options)


def test_points_have_the_right_number_of_coordinates():
    space = empirical_basis(monomials, square, rng=90210)
    with pytest.raises(
        ValueError, match=r"X must have 2 columns, one for each .* got shape \(1, 3\)"
    ):
        space([[0.0, 0.0, 0.0]])
    with pytest.raises(ValueError, match=r"u must have shape \(n, 1\), got \(4, 2\)"):
        space.from_uniform(np.zeros((4, 2)))


def test_functions_may_change_the_array_that_they_get():
    def halved(X):
        X *= 0.5
        return monomials(X)

    found = empirical_basis(halved, square, size=400, tol=9, rng=7)
    wanted = empirical_basis(lambda X: monomials(0.5 * X), square, size=400, tol=9, rng=7)
    np.testing.assert_array_equal(found.candidates, wanted.candidates)
    X = np.full((2, 2), 0.5)
    np.testing.assert_array_equal(found(X), wanted(X))
    np.testing.assert_array_equal(X, 0.5)
