"""Draws from the Christoffel measure have its law, and are functions of their numbers."""

import numpy as np
import pytest
from scipy import stats

from lrla.approximation import basis, christoffel_sample, total_degree
from lrla.approximation._christoffel import christoffel_points


def test_points_are_functions_of_their_numbers():
    space = basis("legendre", total_degree(2, 4))
    key = (90210, 6021)
    whole = christoffel_points(space, key, 3, 0, 1000)
    parts = [
        christoffel_points(space, key, 3, a, b - a) for a, b in ((0, 1), (1, 700), (700, 1000))
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert not np.any(christoffel_points(space, key, 4, 0, 1000) == whole)


@pytest.mark.statistical
@pytest.mark.parametrize("stratified", [False, True])
def test_the_weighted_gram_matrix_is_the_identity_on_average(stratified):
    """Entries of G - I beyond 6 standard errors: fewer than one false alarm in 1e6 each."""
    space = basis("legendre", total_degree(2, 4))
    n = 30000
    design = christoffel_sample(space, n, stratified=stratified, rng=90210)
    V = space(design.points)
    terms = design.weights[:, None, None] * V[:, :, None] * V[:, None, :]
    error = terms.mean(axis=0) - np.eye(len(space))
    assert np.all(np.abs(error) <= 6 * terms.std(axis=0) / n**0.5)
    assert abs(design.weights.mean() - 1) <= 6 * design.weights.std() / n**0.5


@pytest.mark.statistical
@pytest.mark.parametrize("k", [0, 1, 2, 7, 40])
def test_induced_distributions(k):
    """Kolmogorov-Smirnov at 1e-6 against quadrature of p_k^2."""
    x = christoffel_sample(basis("legendre", [k]), 4000, rng=90210).points[:, 0]
    nodes, w = np.polynomial.legendre.leggauss(k + 2)
    half = (x[:, None] + 1) / 2
    values = basis("legendre", [k])((half * (nodes + 1) - 1).reshape(-1, 1)).reshape(4000, -1)
    F = np.sum(values**2 * w, axis=1) * half[:, 0] / 2
    assert stats.kstest(F, "uniform").pvalue > 1e-6


def test_strata_are_equally_large():
    space = basis("legendre", [0, 9])
    design = christoffel_sample(space, 3000, stratified=True, rng=90210)
    assert len(design) == 3000
    assert design.kind == "stratified christoffel"


def test_no_points():
    design = christoffel_sample(basis("legendre", [0, 1]), 0, rng=90210)
    assert design.points.shape == (0, 1)
    assert design.weights.shape == (0,)


@pytest.mark.parametrize("size", [-1, 2.5, True])
def test_sizes_are_whole(size):
    with pytest.raises(ValueError, match="size must be an integer, at least 0, got"):
        christoffel_sample(basis("legendre", [0]), size)
