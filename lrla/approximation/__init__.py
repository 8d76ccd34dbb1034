"""Approximation of functions from their values at few points, with the points chosen well.

`basis` describes a space: products of orthonormal functions of one variable (`Legendre`) on a set
of multi-indices (`total_degree`). `christoffel_sample` draws from the measure for which weighted
least squares need the fewest points (Cohen, Migliorati 2017), by quantiles of induced distributions
(Narayan 2018). Whatever draws points returns a `Design`.
"""

from lrla.approximation._basis import Basis, basis
from lrla.approximation._christoffel import christoffel_sample
from lrla.approximation._design import Design
from lrla.approximation._families import Legendre
from lrla.approximation._index_sets import total_degree

__all__ = ["Basis", "Design", "Legendre", "basis", "christoffel_sample", "total_degree"]
