"""Bases are orthonormal, live where their points live, and refuse what they cannot do."""

import copy
import pickle

import numpy as np
import pytest

from lrla.approximation import (
    Legendre,
    WeightedLeastSquares,
    basis,
    christoffel_sample,
    dpp_sample,
    integrate,
    repeated_dpp_sample,
    stable_design,
    total_degree,
    volume_rescaled_sample,
)


def test_values_are_products(backend):
    X = np.random.default_rng(90210).uniform(-1, 1, (50, 3))
    space = basis("legendre", total_degree(3, 4))
    got = space(backend.asarray(X))
    want = np.ones((50, len(space)))
    for j in range(3):
        values = np.polynomial.legendre.legvander(X[:, j], 4) * np.sqrt(2 * np.arange(5) + 1)
        want *= values[:, space.indices[:, j]]
    np.testing.assert_allclose(backend.to_numpy(got), want, rtol=1e-12, atol=1e-12)
    k = space.christoffel(backend.asarray(X))
    np.testing.assert_allclose(backend.to_numpy(k), np.sum(want**2, axis=1), rtol=1e-12)


def test_single_precision_stays_single(backend):
    X = np.random.default_rng(90210).uniform(-1, 1, (50, 2)).astype("f4")
    space = basis("legendre", total_degree(2, 9))
    got = space(backend.asarray(X))
    assert got.dtype == backend.xp.float32
    assert space.christoffel(backend.asarray(X)).dtype == backend.xp.float32
    want = space(X.astype("f8"))  # only the result is rounded
    np.testing.assert_array_equal(backend.to_numpy(got), want.astype("f4"))


def test_sets_that_are_not_downward_closed_keep_their_order():
    X = np.random.default_rng(90210).uniform(-1, 1, (40, 3))
    rows = np.array([[0, 3, 2], [5, 0, 0], [1, 1, 1], [0, 0, 7]])
    some = basis("legendre", rows)(X)
    everything = basis("legendre", total_degree(3, 7))
    for row, column in zip(rows, some.T, strict=True):
        (place,) = np.flatnonzero(np.all(everything.indices == row, axis=1))
        np.testing.assert_array_equal(column, everything(X)[:, place])


def test_restriction_takes_columns():
    space = basis("legendre", total_degree(2, 5))
    X = np.random.default_rng(90210).uniform(-1, 1, (9, 2))
    np.testing.assert_array_equal(space.restricted(space.indices[4:9])(X), space(X)[:, 4:9])


def test_domains_are_mapped():
    x = np.linspace(2, 5, 7)[:, None]
    got = basis(Legendre(2, 5), [0, 1, 2])(x)
    np.testing.assert_allclose(got, basis("legendre", [0, 1, 2])((x - 3.5) / 1.5), atol=1e-14)


def test_mass_is_that_of_the_weight_on_request():
    families = [Legendre(0, 3), Legendre(-1, 1)]
    assert basis(families, [[0, 0]]).mass == 1
    assert basis(families, [[0, 0]], measure="weight").mass == 6


def test_integrals_are_those_of_the_constant():
    space = basis("legendre", total_degree(2, 3))
    np.testing.assert_array_equal(space.integrals, [1] + [0] * 9)
    np.testing.assert_array_equal(space.restricted([[1, 0], [0, 0]]).integrals, [0, 1])


@pytest.mark.parametrize("n", [0, 1])
def test_few_points_and_only_the_constant(n):
    assert basis("legendre", total_degree(2, 3))(np.zeros((n, 2))).shape == (n, 10)
    space = basis("legendre", [[0] * 4])
    np.testing.assert_array_equal(space(np.zeros((n, 4))), np.ones((n, 1)))
    np.testing.assert_array_equal(space.christoffel(np.zeros((n, 4))), np.ones(n))


def test_many_coordinates_cost_what_their_products_cost():
    space = basis("legendre", total_degree(20, 1))
    X = np.random.default_rng(90210).uniform(-1, 1, (100, 20))
    np.testing.assert_allclose(space(X)[:, 1:], np.sqrt(3) * X, rtol=1e-15)


def test_a_basis_is_a_small_description():
    space = basis("legendre", total_degree(2, 9))
    X = np.zeros((1, 2))
    space(X)
    assert len(pickle.dumps(space)) < 2000
    for twin in (pickle.loads(pickle.dumps(space)), copy.deepcopy(space)):
        np.testing.assert_array_equal(twin(X), space(X))
    with pytest.raises(ValueError, match="read-only"):
        space.indices[0, 0] = 1


@pytest.mark.parametrize(
    ("family", "index_set", "error", "message"),
    [
        ("legendr", [0], ValueError, "family must be one of legendre, .*, got 'legendr'"),
        (Legendre, [0], TypeError, r"got the class; call it: Legendre\(\.\.\.\)"),
        (3, [0], TypeError, "family must be a name or a family of lrla.approximation, got int"),
        (["legendre"], [[0, 1]], ValueError, "one for each of 2 coordinates, got 1"),
        ("legendre", [[0, -1]], ValueError, "degrees must not be negative, got -1"),
        ("legendre", [[0.5]], ValueError, "index_set must hold integers, got dtype float64"),
        ("legendre", 5, ValueError, r"pass range\(6\), or total_degree\(dim, 5\) in several var"),
        ("legendre", None, ValueError, r"with at least one row, got shape \(\)"),
        ("legendre", [], ValueError, r"at least one row, got shape \(0, 1\)"),
        ("legendre", [[[0]]], ValueError, r"must have shape \(m, dim\).*got shape \(1, 1, 1\)"),
        ("legendre", [[0, 1], [0, 1]], ValueError, "must not hold an index twice"),
    ],
)
def test_what_is_no_basis(family, index_set, error, message):
    with pytest.raises(error, match=message):
        basis(family, index_set)


def test_measures_have_names():
    with pytest.raises(ValueError, match="measure must be one of probability, weight, got 'leb"):
        basis("legendre", [0], measure="lebesgue")


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (0, np.inf), (np.nan, 1)])
def test_intervals_are_bounded(low, high):
    with pytest.raises(ValueError, match="low and high must be finite and low < high, got"):
        Legendre(low, high)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([[0.0]], ValueError, r"X must have 2 columns, one for each coordinate, got .*\(1, 1\)"),
        ([0.0, 1.0], ValueError, r"X must have 2 dimensions, got shape \(2,\); pass X\[None, :\]"),
        ([[0.0, np.nan]], ValueError, r"X must be finite, got NaN or infinity at index \(0, 1\)"),
        ([[0, 0], [0, 3.5]], ValueError, r"is \[0, 3\] in coordinate 1, got 3.5 in row 1"),
        ([[-2.0, 0.0]], ValueError, r"is \[-1, 1\] in coordinate 0, got -2 in row 0"),
        ([[1j, 0]], TypeError, "X must be real, got dtype complex128"),
        ("abc", TypeError, "X must be an array, got str"),
    ],
)
def test_what_are_no_points(X, error, message):
    space = basis([Legendre(), Legendre(0, 3)], total_degree(2, 2))
    with pytest.raises(error, match=message):
        space(X)
    with pytest.raises(error, match=message):
        space.christoffel(X)


def test_a_vector_is_no_column_of_points():
    with pytest.raises(ValueError, match=r"got shape \(3,\); pass X\[:, None\] for points of the"):
        basis("legendre", range(6))([0.0, 0.5, 1.0])


@pytest.mark.parametrize(
    "draw",
    [
        lambda b: christoffel_sample(b, 9),
        dpp_sample,
        lambda b: volume_rescaled_sample(b, 9),
        lambda b: repeated_dpp_sample(b, 2),
        stable_design,
        lambda b: integrate(np.sum, b),
        lambda b: WeightedLeastSquares(b).fit(np.sum),
    ],
    ids=["christoffel", "dpp", "volume", "repeated", "stable", "integrate", "fit"],
)
def test_a_name_is_no_basis(draw):
    with pytest.raises(TypeError, match=r"basis must be a Basis or an EmpiricalBasis, .* got str"):
        draw("legendre")


def test_ends_of_a_domain_belong_to_it_in_every_precision():
    space = basis(Legendre(0.1, 0.7), [0, 1])
    for dtype in ("f4", "f8"):
        assert space(np.array([[0.1], [0.7]], dtype)).shape == (2, 2)
