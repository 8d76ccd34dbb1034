"""The relaxation parameter of SOR, chosen by Young's theory from what solves have shown."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lrla._core.docs import described
from lrla.bandits._policy import SHARED, Choice, Policy

_MARGIN = 1e-3  # a rate must exceed omega - 1 by so much to say anything about beta
_REACH = 0.03  # of the least distance from 1 measured: how close to 1 radii are extrapolated
_REFRESH = 50  # solves between two that measure beta afresh
_REST = 10  # solves that follow a measurement at least
_SLOW = 1.25  # how much slower than lately calls for a measurement


def optimal(beta: float) -> float:
    """Return the best relaxation parameter for a Jacobi spectral radius."""
    return 1.0 + (beta / (1.0 + math.sqrt((1.0 - beta) * (1.0 + beta)))) ** 2


class _Relaxation(Policy):
    """Choose omega for systems A + c I, of which c is the context."""

    def __init__(self, diagonal: float | None, **shared: Any) -> None:
        super().__init__(**shared)
        if diagonal is not None and not 0 < diagonal < math.inf:
            raise ValueError(f"diagonal must be positive and finite, got {diagonal}")
        self.diagonal = None if diagonal is None else float(diagonal)
        self._parameters["diagonal"] = self.diagonal

    def _look(self, context: Any) -> Any:
        """Return the factor by which a shift changes the Jacobi spectral radius."""
        if context is None:
            return 1.0
        if self.diagonal is None:
            raise ValueError("context needs diagonal=, the diagonal of A: it is c of A + c I")
        c = float(context)
        if not (math.isfinite(c) and self.diagonal + c > 0):
            raise ValueError(f"context must be finite and above {-self.diagonal}, got {context}")
        return self.diagonal / (self.diagonal + c)


@described(**SHARED)
class YoungHistory(_Relaxation):
    """Choose omega of SOR by Young's formula, from the rates of earlier solves.

    For consistently ordered matrices the last ratio of residual norms of one solve tells the
    spectral radius of the Jacobi iteration, and that the best omega, for all shifts A + c I.

    Parameters
    ----------
    {diagonal}
    {trials}
    {no_rng}

    Attributes
    ----------
    beta : float or None
        Spectral radius of the Jacobi iteration for A; None before the first solve.
    {counts}

    See Also
    --------
    SurrogateThompson : needs the costs alone.
    ChebCB : assumes nothing about the matrix.

    Notes
    -----
    An eigenvalue q of the SOR iteration and beta of the Jacobi iteration satisfy ``q + omega - 1 =
    omega * beta * sqrt(q)``, for consistently ordered matrices [1]_; the best omega is ``1 + (beta
    / (1 + sqrt(1 - beta**2)))**2``. Near the best omega the rate says nothing: eigenvalues meet
    there. So every 50 solves, and when solves become slower than lately by a quarter, one is spent
    at 80 % of the way from 1 to the best omega, where the rate does tell; if it does not, omega has
    been too large, and the next goes on from there.

    The first trials are at omega = 1. For other matrices the formula is a heuristic.

    References
    ----------
    .. [1] D. M. Young, "Iterative solution of large linear systems", Academic Press, 1971.

    Examples
    --------
    The rate at omega = 1 is ``beta**2``:

    >>> from lrla.bandits import YoungHistory
    >>> policy = YoungHistory(diagonal=4.0)
    >>> trial = policy.ask(0.0)
    >>> trial.params
    {'omega': 1.0}
    >>> policy.tell(trial, cost=460, rate=0.96)
    >>> round(policy.ask(0.0).params["omega"], 3), round(policy.ask(1.0).params["omega"], 3)
    (1.667, 1.234)
    """

    _fields = ("beta", "_gap", "_since", "_level", "_slow")
    _needs_rate = True

    def __init__(
        self, *, diagonal: float | None = None, penalty: float = 2.0, max_open: int = 1000,
        rng: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(diagonal, penalty=penalty, max_open=max_open, rng=rng)
        self.beta: float | None = None
        self._gap = 1.0  # least distance of a measured radius from 1
        self._since = 0  # solves since beta was measured afresh
        self._level: float | None = None  # what solves have cost lately, in units of theory
        self._slow = False

    def _choose(self, id: int, context: Any) -> Choice:
        if self.beta is None:
            return Choice(None, 1.0, None, context, True)
        best = optimal(min(self.beta * context, 1.0 - _REACH * self._gap))
        measure = self._since >= _REFRESH or (self._slow and self._since >= _REST)
        if measure:
            self._since, self._slow = 0, False
            return Choice(None, 1.0 + 0.8 * (best - 1.0), None, context, True)
        self._since += 1
        return Choice(None, best, None, context, False)

    def _learn(self, choice: Choice, cost: float, status: str, rate: float | None) -> None:
        omega, q = choice.number, rate
        if q is None:
            return
        if choice.memory and omega - 1.0 + _MARGIN < q < 1.0:
            beta = min((q + omega - 1.0) / (omega * math.sqrt(q)), 1.0 - 1e-12)
            self.beta = beta / choice.context
            self._gap = min(self._gap, 1.0 - beta)
        elif choice.memory and omega > 1.0 and 0.0 <= q < 1.0:
            # even here omega was large enough: measure again, with less
            self.beta = 2.0 * math.sqrt(omega - 1.0) / omega / choice.context
            self._since = _REFRESH
        if not choice.memory and 1.0 < omega < 2.0:
            level = -cost * math.log(omega - 1.0)
            self._level = level if self._level is None else self._level
            self._slow = self._slow or level > _SLOW * self._level
            self._level += 0.1 * (level - self._level)


@described(**SHARED)
class SurrogateThompson(_Relaxation):
    """Choose omega of SOR by Thompson sampling from a model of its iteration counts.

    Parameters
    ----------
    tol : float
        Tolerance of the solver, relative to the initial residual.
    {diagonal}
    penalty : float, default 2
        What the cost of a trial that failed is multiplied with.
    {max_open}
    {rng}

    Attributes
    ----------
    {seed}
    {counts}

    See Also
    --------
    YoungHistory : learns faster where the solver tells its rate.

    Notes
    -----
    Costs must be iteration counts. They are modelled by the bound of [1]_, lemma 2.1, with unknown
    beta and tau: ``U(omega) = 1 + log(tol) / log(r + tau (1 - r))``, where r is the spectral radius
    of SOR by Young's theory for consistently ordered matrices, with a normal error of 0.12 in the
    logarithm. The posterior is kept on a grid of 120 x 40 values, forgets by 0.1 % with each trial,
    and treats capped counts as lower bounds; failures say nothing. The best omega for a draw is
    Young's. There is no bound on the regret.

    References
    ----------
    .. [1] M. Khodak, E. Chow, M.-F. Balcan and A. Talwalkar, "Learning to relax: setting solver
       parameters across a sequence of linear system instances", ICLR 2024.

    Examples
    --------
    >>> from lrla.bandits import SurrogateThompson
    >>> policy = SurrogateThompson(tol=1e-8, rng=7)
    >>> for _ in range(20):
    ...     trial = policy.ask()
    ...     policy.tell(trial, cost=40 + 200 * abs(trial.params["omega"] - 1.6))
    >>> abs(policy.ask().params["omega"] - 1.6) < 0.1
    True
    """

    _fields = ("_log_posterior",)
    _BETA = 1.0 - np.geomspace(0.5, 1e-6, 120)[:, None]
    _TAU = np.linspace(0.02, 0.8, 40)[None, :]
    _SIGMA, _KEEP = 0.12, 0.999

    def __init__(
        self, *, tol: float, diagonal: float | None = None, penalty: float = 2.0,
        max_open: int = 1000, rng: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(diagonal, penalty=penalty, max_open=max_open, rng=rng)
        if not 0 < tol < 1:
            raise ValueError(f"tol must be between 0 and 1, got {tol}")
        self.tol = float(tol)
        self._parameters["tol"] = self.tol
        self._log_posterior = np.zeros((self._BETA.size, self._TAU.size))

    def _choose(self, id: int, context: Any) -> Choice:
        if self.n_told == 0:  # where the rate depends on beta most clearly
            return Choice(None, 1.0, None, context, None)
        p = np.exp(self._log_posterior - self._log_posterior.max()).sum(axis=1)
        ends = p.cumsum()
        drawn = min(int(ends.searchsorted(self._uniform(id) * ends[-1], "right")), len(p) - 1)
        beta = float(self._BETA[drawn, 0])
        return Choice(None, optimal(min(beta * context, 1.0 - 1e-12)), None, context, None)

    def _learn(self, choice: Choice, cost: float, status: str, rate: float | None) -> None:
        if status == "failed":
            return
        count = max(cost / self.penalty if status == "capped" else cost, 1.0)
        beta = np.minimum(self._BETA * choice.context, 1.0 - 1e-12)
        w = choice.number
        root = 0.5 * (w * beta + np.sqrt(np.maximum((w * beta) ** 2 - 4.0 * (w - 1.0), 0.0)))
        r = np.where((w * beta) ** 2 >= 4.0 * (w - 1.0), root**2, w - 1.0)
        bound = 1.0 + math.log(self.tol) / np.log(r + self._TAU * (1.0 - r))
        z = (math.log(count) - np.log(bound)) / self._SIGMA
        # of a normal error, or of its being at least so large
        log_p = -0.5 * z * z if status == "ok" else -0.5 * np.maximum(z, 0.0) ** 2
        self._log_posterior = self._KEEP * self._log_posterior + log_p
        self._log_posterior -= self._log_posterior.max()
