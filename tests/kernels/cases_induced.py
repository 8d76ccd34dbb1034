"""Inputs for the twins of ``lrla/kernels/induced.py``."""

import numpy as np

from lrla.approximation import Hermite, Jacobi, Laguerre, Legendre

LAWS = {
    "legendre": Legendre(),
    "jacobi": Jacobi(-0.5, 0.7),
    "skew": Jacobi(5.0, -0.8),
    "laguerre": Laguerre(),
    "gamma": Laguerre(2.5),
    "singular": Laguerre(-0.8),
    "hermite": Hermite(),
}


def quantile():
    rng = np.random.default_rng(90210)
    for name, family in LAWS.items():
        for n, top in ((0, 0), (1, 3), (8, 0), (8, 1), (8, 20)):
            degree = rng.integers(0, top + 1, n)
            u = rng.uniform(size=n)
            yield f"{name}-{n}-{top}", (u, degree, family.law(top)), 1e-12
        ends = np.array([0.0, 1e-300, 2.0**-53, 0.5, 1 - 2.0**-53, 1.0])
        yield f"{name}-ends", (ends, np.array([0, 1, 2, 3, 4, 5]), family.law(5)), 1e-7


def kepler():
    rng = np.random.default_rng(6021)
    for n in (0, 1, 300):
        for sign in (-1, 1):
            u = rng.uniform(size=n)
            u[:3] = np.array([0.0, 1.0, 0.5])[:n]
            yield f"{n}-{sign}", (u, rng.integers(0, 9, n), sign), 1e-14
