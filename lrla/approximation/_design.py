"""Where functions are evaluated, and how much each value counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.arrays import Array
from lrla._core.results import Info, Result, Status


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Design(Result):
    """Points with weights, for weighted least squares or quadrature.

    Parameters
    ----------
    points : array of shape (n, dim)
        Where to evaluate.
    weights : array of shape (n,)
        Density of the measure of the basis with respect to the law of the points,
        ``len(basis) / basis.christoffel(points)`` for optimal ones: weighted averages over the
        points estimate integrals.
    kind : str
        How the points were drawn.
    status : Status
        `Status.CONVERGED`.
    info : Info
        seed, and what else is known of how the points came about.
    """

    points: Array
    weights: Array
    kind: str
    status: Status
    info: Info

    def __len__(self) -> int:
        """Return the number of points."""
        return int(self.points.shape[0])


def optimal_weights(basis: Any, points: np.ndarray) -> np.ndarray:
    """Return m / k_m at points, the density of the measure with respect to its Christoffel measure.

    Raises
    ------
    ValueError
        If the squares of the functions overflow.
    """
    k = basis.christoffel(points)
    if not np.all(np.isfinite(k)):
        raise ValueError(
            "the squares of the functions overflow float64 at points of the Christoffel measure; "
            "take lower degrees: Hermite polynomials reach some 300, Laguerre polynomials 150"
        )
    return len(basis) / k
