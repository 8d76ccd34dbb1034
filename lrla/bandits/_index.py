"""The two policies that most people know: optimism, and Thompson sampling."""

from __future__ import annotations

import abc
import math
from typing import Any

import numpy as np

from lrla._core.docs import described
from lrla.bandits._policy import SHARED, ArmPolicy, Choice, cost_interval

_FLOOR = 1e-3  # of the squared mean: what the variance of a cost is at least taken for


class _Moments(ArmPolicy):
    """Count, mean and sum of squared deviations of the costs of each arm."""

    _fields: tuple[str, ...] = ("_asked", "_counts", "_means", "_squares")

    def __init__(self, n_arms: int, **shared: Any) -> None:
        super().__init__(n_arms, **shared)
        self._asked = np.zeros(self.n_arms, dtype=int)
        self._counts = np.zeros(self.n_arms)
        self._means = np.zeros(self.n_arms)
        self._squares = np.zeros(self.n_arms)

    def _choose(self, id: int, context: Any) -> Choice:
        known = self._counts > 0
        if known.all():
            arm = int(self._index(id).argmin())
        else:  # once each, and while costs are late in turn
            asked = np.where(known, np.iinfo(int).max, self._asked)
            arm = int(asked.argmin())
        self._asked[arm] += 1
        return Choice(arm, None, None, context, None)

    @abc.abstractmethod
    def _index(self, id: int) -> Any:
        """Return what the arm to play has least of."""

    def _learn(self, choice: Choice, cost: float, status: str, rate: float | None) -> None:
        i = choice.arm
        self._counts[i] += 1
        step = cost - self._means[i]
        self._means[i] += step / self._counts[i]
        self._squares[i] += step * (cost - self._means[i])


@described(**SHARED)
class UCB(_Moments):
    """Choose the arm that may be the best: optimism in the face of uncertainty.

    Parameters
    ----------
    n_arms : int
        Number of arms.
    variant : {"ucb1", "ucb_v"}, default "ucb1"
        Whether confidence depends on the range of costs alone, or on their variances, too.
    cost_range : (float, float or None), default (0, None)
        Between what costs lie. If the upper end is None, it is the largest cost so far, and the
        lower end the least.
    {trials}
    {no_rng}

    Attributes
    ----------
    n_arms : int
        Number of arms.
    {counts}

    See Also
    --------
    TsallisINF : nearly as good on independent costs, and safe on all others.

    Notes
    -----
    The index of [1]_ is ``mean - range * sqrt(2 log(t) / n)`` for n trials of the arm out of t;
    that of [2]_ is ``mean - sqrt(2 var log(t) / n) - 3 range log(t) / n``. If costs are independent
    with a fixed law, regret is O(log t). If they change over time it can grow linearly: a sequence
    of problems is seldom independent.

    References
    ----------
    .. [1] P. Auer, N. Cesa-Bianchi and P. Fischer, "Finite-time analysis of the multiarmed bandit
       problem", Machine Learning 47, 2002.
    .. [2] J.-Y. Audibert, R. Munos and C. Szepesvari, "Exploration-exploitation tradeoff using
       variance estimates in multi-armed bandits", Theoretical Computer Science 410, 2009.

    Examples
    --------
    >>> from lrla.bandits import UCB
    >>> policy = UCB(3)
    >>> plays = [0, 0, 0]
    >>> for _ in range(300):
    ...     trial = policy.ask()
    ...     policy.tell(trial, cost=[40, 25, 60][trial.arm])
    ...     plays[trial.arm] += 1
    >>> max(plays) == plays[1]
    True
    """

    _fields = (*_Moments._fields, "_seen")

    def __init__(
        self, n_arms: int, *, variant: str = "ucb1", cost_range: Any = (0.0, None),
        penalty: float = 2.0, max_open: int = 1000, rng: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(n_arms, penalty=penalty, max_open=max_open, rng=rng)
        if variant not in ("ucb1", "ucb_v"):
            raise ValueError(f"variant must be 'ucb1' or 'ucb_v', got {variant!r}")
        self.variant = variant
        self.cost_range = cost_interval(cost_range)
        self._parameters |= {"variant": variant, "cost_range": self.cost_range}
        self._seen: list[float] = []  # least and largest cost

    def _index(self, id: int) -> Any:
        low, high = self.cost_range
        least, most = self._seen
        reach = most - least if high is None else high - low
        log_t = math.log(self._counts.sum())
        if self.variant == "ucb1":
            return self._means - reach * np.sqrt(2.0 * log_t / self._counts)
        variances = self._squares / self._counts
        slack = 3.0 * reach * log_t / self._counts
        return self._means - np.sqrt(2.0 * variances * log_t / self._counts) - slack

    def _learn(self, choice: Choice, cost: float, status: str, rate: float | None) -> None:
        super()._learn(choice, cost, status, rate)
        least, most = self._seen or (cost, cost)
        self._seen = [min(least, cost), max(most, cost)]


@described(**SHARED)
class ThompsonSampling(_Moments):
    """Choose the arm that is best in a draw from what is believed about their mean costs.

    Parameters
    ----------
    n_arms : int
        Number of arms.
    {arms}

    See Also
    --------
    TsallisINF : nearly as good on independent costs, and safe on all others.

    Notes
    -----
    A mean cost is believed to be normal, with the variance of the arm's costs divided by their
    number; that variance is at least 0.001 of the square of the mean. Often the best where costs
    are independent with a fixed law. Where they change over time it can lock on to an arm that was
    good once.

    References
    ----------
    .. [1] S. Agrawal and N. Goyal, "Further optimal regret bounds for Thompson sampling", AISTATS
       2013.

    Examples
    --------
    >>> from lrla.bandits import ThompsonSampling
    >>> policy = ThompsonSampling(3, rng=7)
    >>> plays = [0, 0, 0]
    >>> for _ in range(300):
    ...     trial = policy.ask()
    ...     policy.tell(trial, cost=[40, 25, 60][trial.arm])
    ...     plays[trial.arm] += 1
    >>> plays[1] > 280
    True
    """

    def __init__(
        self, n_arms: int, *, penalty: float = 2.0, max_open: int = 1000, rng: Any = None
    ) -> None:
        super().__init__(n_arms, penalty=penalty, max_open=max_open, rng=rng)

    def _index(self, id: int) -> Any:
        variances = np.maximum(self._squares / self._counts, _FLOOR * self._means**2)
        z = self._normals(id, self.n_arms)
        return self._means + np.sqrt(variances / self._counts) * z
