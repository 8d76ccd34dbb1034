"""Families are orthonormal under their measures, which have the mass of their weights."""

import math
import pickle

import numpy as np
import pytest
from induced_laws import FAMILIES, indices, rule
from scipy import special

from lrla.approximation import (
    Chebyshev,
    Fourier,
    Hermite,
    Jacobi,
    Laguerre,
    Legendre,
    Recurrence,
    basis,
)


@pytest.mark.parametrize("name", FAMILIES)
def test_functions_are_orthonormal(name):
    family, density = FAMILIES[name]
    top = 120 if name.startswith(("laguerre", "table", "fourier")) else 200
    t, w = rule(family, density, top)
    V = basis(family, indices(family, top))(family.shift + family.unit * t[:, None])
    np.testing.assert_allclose(V.conj().T @ (w[:, None] * V), np.eye(V.shape[1]), atol=5e-14)


@pytest.mark.parametrize(
    ("family", "values", "points"),
    [
        (Legendre(), special.eval_legendre, (-1, 1)),
        (Jacobi(-0.5, 0.7), lambda k, x: special.eval_jacobi(k, -0.5, 0.7, x), (-1, 1)),
        (Hermite(), special.eval_hermitenorm, (-6, 6)),
        (Laguerre(1.5), lambda k, x: (-1) ** k * special.eval_genlaguerre(k, 1.5, x), (0, 20)),
        (Chebyshev(), special.eval_chebyt, (-1, 1)),
        (Chebyshev(2), special.eval_chebyu, (-1, 1)),
    ],
)
def test_classical_polynomials_up_to_their_norms(family, values, points):
    """Leading coefficients are positive."""
    x = np.linspace(*points, 41)
    V = basis(family, np.arange(30))(x[:, None])
    for k in range(30):
        want = values(k, x)
        scale = V[20, k] / want[20] if abs(want[20]) > 1e-3 * abs(want).max() else V[7, k] / want[7]
        assert scale > 0
        np.testing.assert_allclose(V[:, k], scale * want, atol=1e-11 * abs(V[:, k]).max())


def test_trigonometric_functions():
    x = np.linspace(2, 5, 17)
    t = (x - 2) / 3
    V = basis(Fourier(2, 5), [0, 3, -3])(x[:, None])
    np.testing.assert_allclose(V, np.exp(2j * np.pi * np.outer(t, [0, 3, -3])), atol=1e-14)
    V = basis(Fourier(2, 5, real=True), [0, 3, -3])(x[:, None])
    want = [np.ones(17), 2**0.5 * np.cos(6 * np.pi * t), 2**0.5 * np.sin(6 * np.pi * t)]
    np.testing.assert_allclose(V.T, want, atol=1e-14)


@pytest.mark.parametrize(
    ("family", "mass"),
    [
        (Legendre(0, 5), 5),
        (Jacobi(1, 1, 0, 1), 0.5 * 4 / 3),
        (Chebyshev(), math.pi),
        (Chebyshev(2), math.pi / 2),
        (Hermite(3, 2), 2 * math.sqrt(2 * math.pi)),
        (Laguerre(2, 1, 3), 3 * 2),
        (Fourier(0, 7), 7),
        (Recurrence([0, 0], [0.5], lambda x: 0.75 * (1 - x * x), -1, 1), 1),
        (Recurrence([0, 0], [0.5]), 1),
    ],
)
def test_masses_are_integrals_of_weights(family, mass):
    assert basis(family, [0], measure="weight").mass == pytest.approx(mass, rel=1e-13)
    assert basis(family, [0]).mass == 1


def test_families_are_plain_values():
    assert pickle.loads(pickle.dumps(Jacobi(1, 2))) == Jacobi(1, 2)
    assert Hermite() != Hermite(1)


def test_families_of_coordinates_may_differ(backend):
    families = [Laguerre(1.5), Fourier(), Chebyshev(2, 0, 3), Fourier(real=True)]
    rows = np.array([[2, -1, 0, 3], [0, 0, 0, 0], [1, 2, 3, -1], [0, 1, 0, 0], [3, 0, 2, 0]])
    X = np.random.default_rng(90210).uniform(0, 1, (20, 4))
    got = basis(families, rows)(backend.asarray(X))
    want = np.ones((20, 5), complex)
    for j, family in enumerate(families):
        for i, k in enumerate(rows[:, j]):
            want[:, i] *= basis(family, [k])(X[:, j : j + 1])[:, 0]
    np.testing.assert_allclose(backend.to_numpy(got), want, atol=1e-12)
    k = basis(families, rows).christoffel(backend.asarray(X))
    np.testing.assert_allclose(backend.to_numpy(k), np.sum(abs(want) ** 2, axis=1), rtol=1e-12)
    single = basis(families, rows)(backend.asarray(X.astype("f4")))
    assert single.dtype == backend.xp.complex64


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Jacobi(-1, 0), "a must be finite and greater than -1, got -1"),
        (lambda: Jacobi(0, math.nan), "b must be finite and greater than -1, got nan"),
        (lambda: Jacobi(0, 0, 1, 1), "low and high must be finite and low < high, got 1 and 1"),
        (lambda: Laguerre(-2), "a must be finite and greater than -1, got -2"),
        (lambda: Laguerre(0, 0, 0), "scale finite and positive, got 0 and 0"),
        (lambda: Hermite(math.inf), "loc must be finite, .* got inf and 1"),
        (lambda: Chebyshev(3), "kind must be 1 or 2, got 3"),
        (lambda: Fourier(1, 0), "low and high must be finite and low < high, got 1 and 0"),
        (lambda: Recurrence([0], [1]), r"one number more .* got shapes \(1,\) and \(1,\)"),
        (lambda: Recurrence([0, 0], [-1]), "off_diagonal finite and positive"),
        (lambda: Recurrence([0, math.nan], [1]), "diagonal must be finite"),
        (lambda: Recurrence([0], [], low=1, high=0), "low must be less than high, got 1 and 0"),
        (lambda: basis(Recurrence([0, 0], [1]), [2])([[0]]), "degrees up to 1, and 2 is asked for"),
    ],
)
def test_what_is_no_family(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_points_stay_in_half_lines():
    with pytest.raises(ValueError, match=r"is \[2, inf\] in coordinate 0, got 1 in row 0"):
        basis(Laguerre(loc=2), [0])([[1.0]])
    assert basis("hermite", [0])([[-1e300]]) == 1
