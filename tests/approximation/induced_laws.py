"""Families beside their densities, and quadrature that knows nothing of polynomials."""

import math

import numpy as np
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
    mirrored,
)

K = np.arange(1.0, 130)


def _jacobi(a, b):
    constant = 2.0 ** (-a - b - 1) / special.beta(a + 1, b + 1)
    return lambda left, right: constant * right**a * left**b


def _gamma(a):
    return lambda left, right: left**a * np.exp(-left) / math.gamma(a + 1)


def _normal(left, right):
    return np.exp(-(((left - right) / 2) ** 2) / 2) / math.sqrt(2 * math.pi)


def _one(left, right):
    return np.ones_like(left)


# name -> (family, density of t by the distances to the ends of `interval`)
FAMILIES = {
    "legendre": (Legendre(), _jacobi(0, 0)),
    "jacobi-half": (Jacobi(-0.5, 0.7), _jacobi(-0.5, 0.7)),
    "jacobi-large": (Jacobi(10.0, 2.0), _jacobi(10, 2)),
    "jacobi-gap": (Jacobi(-0.6, -0.4), _jacobi(-0.6, -0.4)),
    "jacobi-equal": (Jacobi(1.5, 1.5), _jacobi(1.5, 1.5)),
    "hermite": (Hermite(), _normal),
    "laguerre": (Laguerre(), _gamma(0)),
    "laguerre-high": (Laguerre(2.5), _gamma(2.5)),
    "laguerre-low": (Laguerre(-0.4), _gamma(-0.4)),
    "chebyshev": (Chebyshev(), _jacobi(-0.5, -0.5)),
    "chebyshev-second": (Chebyshev(2), _jacobi(0.5, 0.5)),
    "cosines": (Fourier(real=True), _one),
    "fourier": (Fourier(), _one),
    "table-legendre": (
        Recurrence(0 * np.append(K, 0), K / np.sqrt(4 * K * K - 1), np.ones_like, -1, 1),
        _jacobi(0, 0),
    ),
    "table-laguerre": (
        Recurrence(
            2 * np.append(0, K) + 0.5, np.sqrt(K * (K - 0.5)), lambda x: np.exp(-x) / x**0.5, 0
        ),
        _gamma(-0.5),
    ),
    "table-normal": (
        Recurrence(0 * np.append(K, 0), np.sqrt(K), lambda x: np.exp(-x * x / 2)),
        _normal,
    ),
}


def interval(family, degree):
    """The standard interval, cut off where nothing is left."""
    low, high = ((x - family.shift) / family.unit for x in family.support)
    if math.isinf(low):
        return -2 * (degree + 1) ** 0.5 - 10, 2 * (degree + 1) ** 0.5 + 10
    return low, 4 * degree + 60 + 12 * (degree + 1) ** 0.5 if math.isinf(high) else high


def rule(family, density, degree, at=()):
    """Composite quadrature in the distance from the nearer end: (t, weights, part of `at` or -1).

    Panels hold at most a wave of a polynomial, and halve towards the ends 300 times.
    """
    low, high = interval(family, degree)
    middle, length = (low + high) / 2, high - low
    z, w = special.roots_legendre(20)
    at = np.asarray(at)
    waves = length * (1 - np.cos(np.linspace(0, np.pi / 2, degree + 20))) / 2
    parts = []
    for distance in (at[at < middle] - low, high - at[at >= middle]):
        cuts = np.concatenate([waves, length * 0.5 ** np.arange(1.0, 300), distance])
        cuts = np.unique(cuts[cuts <= length / 2])
        half = np.diff(cuts)[:, None] / 2
        near = cuts[:-1, None] + half * (1 + z)
        parts.append((near, half * w))
    (left, w_left), (right, w_right) = parts
    left, right = left.reshape(-1), right.reshape(-1)[::-1]
    weights = np.concatenate([w_left.reshape(-1), w_right.reshape(-1)[::-1]])
    t = np.concatenate([low + left, high - right])
    rho = density(np.append(left, length - right), np.append(length - left, right))
    return t, weights * rho


def indices(family, degree):
    """All indices up to a degree, or frequencies of both signs."""
    return mirrored(np.arange(degree + 1)) if isinstance(family, Fourier) else np.arange(degree + 1)


def squares(family, k, t):
    """Squares of one function."""
    return abs(basis(family, [k])(family.shift + family.unit * t[:, None])[:, 0]) ** 2


def distribution(family, density, k, at):
    """Distribution function of an induced measure at some points, by quadrature."""
    t, w = rule(family, density, abs(k), at)
    sums = np.append(0, np.cumsum(w * squares(family, k, t)))
    return sums[np.searchsorted(t, at)]
