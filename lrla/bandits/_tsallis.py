"""Tsallis-INF: optimal whether costs are drawn at random or chosen by an adversary."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lrla._core.docs import described
from lrla._core.numbers import whole
from lrla.bandits._policy import SHARED, ArmPolicy, Choice, Contexts, cost_interval
from lrla.bandits._quantile import fresh, quantile, update
from lrla.kernels.tsallis import tsallis_weights

_CLIP = 3.0  # in units of the running quantile: what a single loss may weigh


class _Tsallis(ArmPolicy):
    """Independent Tsallis-INF learners, one for each bin of contexts."""

    _fields = ("_sums", "_counts", "_marks")

    def __init__(
        self, n_arms: int, n_bins: int, estimator: str, horizon: int | None, cost_range: Any,
        **shared: Any,
    ) -> None:  # fmt: skip
        super().__init__(n_arms, **shared)
        if estimator not in ("rv", "iw"):
            raise ValueError(f"estimator must be 'rv' or 'iw', got {estimator!r}")
        if horizon is not None and (horizon < 1 or estimator != "iw"):
            raise ValueError(
                "horizon must be at least 1, and needs estimator='iw', for which the bound is "
                f"proven; got horizon={horizon}, estimator={estimator!r}"
            )
        self.estimator, self.horizon = estimator, horizon
        self.cost_range = cost_interval(cost_range)
        self._parameters |= {
            "estimator": estimator, "horizon": horizon, "cost_range": self.cost_range,
        }  # fmt: skip
        self._sums = np.zeros((n_bins, self.n_arms))  # of estimated losses, in units of the costs
        self._counts = [0] * n_bins
        self._marks = [fresh() for _ in range(n_bins)]

    def _bin(self, context: Any) -> int:
        return 0

    def _scale(self, k: int) -> float:
        low, high = self.cost_range
        return quantile(self._marks[k]) if high is None else high - low

    def _rate(self, k: int) -> float:
        if self.horizon is not None:
            return 1.0 / math.sqrt(self.horizon)
        return (4.0 if self.estimator == "rv" else 2.0) / math.sqrt(self._counts[k] + 1)

    def weights(self, context: Any = None) -> Any:
        """Return the probabilities with which the next arm would be drawn.

        Parameters
        ----------
        context : float, optional
            The context, for policies that use it.

        Returns
        -------
        array of shape (n_arms,)
            Their sum is 1 up to rounding.
        """
        k = self._bin(self._look(context))
        return self._weights(k, self._rate(k), self._scale(k))

    def _weights(self, k: int, eta: float, scale: float) -> Any:
        # the weights are 4 / (eta (L_i - x))**2 with losses L = sums / scale
        return tsallis_weights(self._sums[k] * (0.5 * eta / scale if scale > 0 else 0.0))

    def _choose(self, id: int, context: Any) -> Choice:
        k = self._bin(context)
        eta, scale = self._rate(k), self._scale(k)
        weights = self._weights(k, eta, scale)
        arm = self._draw(id, weights)
        # a guess of each arm's loss that lowers the variance where arms are played often
        reduced = self.estimator == "rv"
        baseline = 0.5 * scale * (weights >= eta * eta) if reduced else None
        return Choice(arm, None, float(weights[arm]), context, (k, baseline))

    def _learn(self, choice: Choice, cost: float, status: str, rate: float | None) -> None:
        k, baseline = choice.memory
        arm, probability = choice.drawn
        low, high = self.cost_range
        loss = max(cost - low, 0.0)
        if high is not None:
            loss = min(loss, (high - low) * (1.0 if status == "ok" else self.penalty))
        else:
            marks = self._marks[k]
            known = quantile(marks)
            if known > 0:
                loss = min(loss, _CLIP * known)
            update(marks, loss)
        sums = self._sums[k]
        if baseline is not None:
            loss -= float(baseline[arm])
            sums += baseline
        sums[arm] += loss / probability
        self._counts[k] += 1


@described(**SHARED)
class TsallisINF(_Tsallis):
    """Choose among arms by Tsallis-INF, without context.

    Parameters
    ----------
    n_arms : int
        Number of arms.
    estimator : {"rv", "iw"}, default "rv"
        How the losses of all arms are estimated from that of one: with reduced variance, or by
        importance weighting alone. Both are unbiased.
    horizon : int, optional
        Number of trials, if it is known beforehand; for "iw" only. By default the learning rate
        falls with the number of trials told, which needs no such knowledge.
    cost_range : (float, float or None), default (0, None)
        Between what costs lie; costs beyond count as the nearest end. If the upper end is None, the
        scale is a running 0.9-quantile of the costs, and no cost counts for more than three times
        of it.
    {arms}

    See Also
    --------
    TsallisCB, ChebCB : for costs that depend on a context.

    Notes
    -----
    With cost_range (0, K) and d arms, the expected regret against the best arm after T trials is at
    most ``4 K sqrt(d T) + 1`` for "iw", and at most ``2 K sqrt(2 d T)`` with ``horizon=T`` [2]_,
    whatever the costs; if they are drawn independently it grows like the logarithm of T [1]_.
    Capped trials count for more than K, so that the bound holds if there are none.

    The probabilities are computed to rounding by Newton's method from the side on which it cannot
    fail. One ``ask`` and ``tell`` take O(n_arms) and some microseconds.

    References
    ----------
    .. [1] J. Zimmert and Y. Seldin, "Tsallis-INF: an optimal algorithm for stochastic and
       adversarial bandits", JMLR 22, 2021.
    .. [2] M. Khodak, E. Chow, M.-F. Balcan and A. Talwalkar, "Learning to relax: setting solver
       parameters across a sequence of linear system instances", ICLR 2024.

    Examples
    --------
    >>> from lrla.bandits import TsallisINF
    >>> policy = TsallisINF(3, rng=7)
    >>> for _ in range(300):
    ...     trial = policy.ask()
    ...     policy.tell(trial, cost=[40, 25, 60][trial.arm])
    >>> policy.weights().argmax()
    np.int64(1)
    """

    def __init__(
        self, n_arms: int, *, estimator: str = "rv", horizon: int | None = None,
        cost_range: Any = (0.0, None), penalty: float = 2.0, max_open: int = 1000, rng: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            n_arms, 1, estimator, horizon, cost_range,
            penalty=penalty, max_open=max_open, rng=rng,
        )  # fmt: skip


@described(**SHARED)
class TsallisCB(_Tsallis):
    """Choose among arms by one Tsallis-INF for each bin of contexts.

    Parameters
    ----------
    n_arms : int
        Number of arms.
    context_range : (float, float)
        Between what contexts lie. A context outside counts as the nearest inside, with a warning.
    n_bins : int, default 5
        Number of bins of equal length.
    estimator : {"rv", "iw"}, default "rv"
        As for `TsallisINF`.
    cost_range : (float, float or None), default (0, None)
        As for `TsallisINF`.
    {trials}
    {rng}

    Attributes
    ----------
    n_arms, n_bins : int
        Number of arms and of bins.
    {seed}
    {counts}

    See Also
    --------
    ChebCB : learns across bins when costs depend on the context smoothly.

    Notes
    -----
    In expectation, with costs up to K that are Lipschitz in the context, the total is at most ``m +
    4 K sqrt(d m T)`` plus the error of holding the context fixed in each of m bins, against the
    best arm for each context [1]_. More bins fit better and learn slower.

    References
    ----------
    .. [1] M. Khodak, E. Chow, M.-F. Balcan and A. Talwalkar, "Learning to relax: setting solver
       parameters across a sequence of linear system instances", ICLR 2024, algorithm 5.

    Examples
    --------
    >>> from lrla.bandits import TsallisCB
    >>> policy = TsallisCB(2, (0, 1), n_bins=2, rng=7)
    >>> for k in range(400):
    ...     context = k % 2
    ...     trial = policy.ask(context)
    ...     policy.tell(trial, cost=10 + abs(context - trial.arm))
    >>> policy.weights(0).argmax(), policy.weights(1).argmax()
    (np.int64(0), np.int64(1))
    """

    def __init__(
        self, n_arms: int, context_range: Any, *, n_bins: int = 5, estimator: str = "rv",
        cost_range: Any = (0.0, None), penalty: float = 2.0, max_open: int = 1000, rng: Any = None,
    ) -> None:  # fmt: skip
        n_bins = whole(n_bins, "n_bins", 1)
        super().__init__(
            n_arms, n_bins, estimator, None, cost_range,
            penalty=penalty, max_open=max_open, rng=rng,
        )  # fmt: skip
        self.n_bins = n_bins
        self._contexts = Contexts(context_range)
        if len(self._contexts.low) != 1:
            raise ValueError("context_range must be one pair (low, high): bins are intervals")
        del self._parameters["horizon"]
        self._parameters |= {"n_bins": self.n_bins, "context_range": self._contexts.pairs[0]}

    def _look(self, context: Any) -> Any:
        return self._contexts.look(context)

    def _bin(self, context: Any) -> int:
        return min(int((context[0] + 1.0) * 0.5 * self.n_bins), self.n_bins - 1)
