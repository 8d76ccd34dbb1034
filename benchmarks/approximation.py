"""Product bases and draws from their Christoffel measures."""

import numpy as np

from benchmarks import peers
from lrla.approximation import (
    basis,
    christoffel_sample,
    empirical_basis,
    hyperbolic_cross,
    total_degree,
)

SETS = {
    "total degree, d=2": total_degree(2, 20),
    "total degree, d=6": total_degree(6, 5),
    "hyperbolic cross, d=4": hyperbolic_cross(4, 30),
}


class Evaluate:
    """Values of all Legendre products at 2000 points."""

    params = (["lrla", "numpy", "scipy"], list(SETS))
    param_names = ("library", "index set")

    def setup(self, library, name):
        """Draw points, and compile."""
        indices = SETS[name]
        X = np.random.default_rng(90210).uniform(-1, 1, (2000, indices.shape[1]))
        space = basis("legendre", indices)
        self.call = {
            "lrla": lambda: space(X),
            "numpy": lambda: peers.legendre_products_numpy(X, indices),
            "scipy": lambda: peers.legendre_products_scipy(X, indices),
        }[library]
        self.call()

    def time_values(self, library, name):
        """Evaluate."""
        self.call()


class Induced:
    """2000 quantiles of induced distributions of Legendre polynomials of mixed degrees."""

    params = (["lrla", "quadrature", "rejection"], [10, 60])
    param_names = ("method", "largest degree")

    def setup(self, method, degree):
        """Draw degrees and uniform numbers, and compile."""
        rng = np.random.default_rng(90210)
        k, u = rng.integers(0, degree + 1, 2000), rng.random(2000)
        family = basis("legendre", [0]).families[0]
        self.call = {
            "lrla": lambda: family.quantile(u, k),
            "quadrature": lambda: peers.induced_quantile_scipy(u, k),
            "rejection": lambda: peers.induced_rejection_numpy(k, rng),
        }[method]
        self.call()

    def time_quantiles(self, method, degree):
        """Draw."""
        self.call()


class Draw:
    """1000 points of the Christoffel measure in three dimensions, with their weights."""

    params = (["legendre", "hermite", "laguerre", "chebyshev", "fourier"],)
    param_names = ("family",)

    def setup(self, family):
        """Describe the space, and compile."""
        self.space = basis(family, total_degree(3, 10))
        self.time_draw(family)

    def time_draw(self, family):
        """Draw."""
        christoffel_sample(self.space, 1000, rng=5)


class Empirical:
    """Functions that become orthonormal on 20000 points."""

    def setup(self):
        """Compile."""
        self.time_orthonormalize()

    def time_orthonormalize(self):
        """Make 28 monomials orthonormal on the square."""
        rows = total_degree(2, 6)
        empirical_basis(
            lambda X: np.prod(X[:, None, :] ** rows, axis=2),
            lambda n, rng: rng.uniform(-1, 1, (n, 2)),
            size=20000,
            tol=1,
            rng=5,
        )
