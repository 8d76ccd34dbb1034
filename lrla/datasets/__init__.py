"""Real data for the tour, the gallery and the benchmarks; every loader works without a network."""

from lrla.datasets._flights import flights
from lrla.datasets._regression import RegressionData

__all__ = ["RegressionData", "flights"]
