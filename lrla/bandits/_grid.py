"""How fine a grid of relaxation parameters is worth learning on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.numbers import whole
from lrla._core.results import Info, Result, Status


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GridSuggestion(Result):
    """A grid of relaxation parameters.

    Parameters
    ----------
    values : array of shape (k,)
        The grid, for `Grid`.
    excess : float
        Bound on the expected number of iterations beyond those of the best fixed omega.
    status : Status
        Always `Status.CONVERGED`.
    info : Info
        ``alpha``, the slowest contraction on the grid; ``cost_bound``, the most iterations of one
        solve.
    """

    values: Any
    excess: float
    status: Status
    info: Info


def suggest_grid(horizon: int, *, tol: float, beta: float, tau: float = 0.2) -> GridSuggestion:
    """Suggest values of omega for SOR on which Tsallis-INF has a known bound.

    Parameters
    ----------
    horizon : int
        Number of systems that will be solved.
    tol : float
        Tolerance of the solver, relative to the initial residual.
    beta : float
        Largest spectral radius of the Jacobi iteration among the systems.
    tau : float, default 0.2
        How far the solves are from their asymptotic rate, between 0 and 1.

    Returns
    -------
    GridSuggestion
        With fields values, excess, status and info.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    With ``alpha = tau + (1 - tau) max(beta**2, w - 1)``, where w is the best omega for beta, ``k =
    ceil((T / (2 log(alpha)**2))**(1/3))`` values at equal steps from 1, which is left out, to w,
    and Tsallis-INF on them, the excess is at most ``3 log(1/tol) (2 T**2 / log(alpha)**4)**(1/3)``
    in expectation [1]_. The bound is below one iteration for each digit of accuracy and system only
    after tens of thousands of systems; grids of 20 values do well much sooner.

    References
    ----------
    .. [1] M. Khodak, E. Chow, M.-F. Balcan and A. Talwalkar, "Learning to relax: setting solver
       parameters across a sequence of linear system instances", ICLR 2024, theorem 2.1.

    Examples
    --------
    >>> from lrla.bandits import suggest_grid
    >>> grid = suggest_grid(5000, tol=1e-8, beta=0.9)
    >>> grid.values.shape, round(grid.values[0], 3), round(grid.values[-1], 3)
    ((46,), np.float64(1.009), np.float64(1.393))
    """
    horizon = whole(horizon, "horizon", 1)
    for name, value in (("tol", tol), ("beta", beta), ("tau", tau)):
        if not 0 < value < 1:
            raise ValueError(f"{name} must be between 0 and 1, got {value}")
    largest = 1.0 + (beta / (1.0 + math.sqrt(1.0 - beta**2))) ** 2
    alpha = tau + (1.0 - tau) * max(beta**2, largest - 1.0)
    square = math.log(alpha) ** 2
    size = math.ceil((horizon / (2.0 * square)) ** (1.0 / 3.0))
    excess = -3.0 * math.log(tol) * (2.0 * horizon**2 / square**2) ** (1.0 / 3.0)
    info = Info(alpha=alpha, cost_bound=math.log(tol) / math.log(alpha))
    values = 1.0 + (largest - 1.0) * np.arange(1, size + 1) / size
    return GridSuggestion(values, excess, Status.CONVERGED, info)
