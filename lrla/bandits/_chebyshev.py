"""Chebyshev regression of costs on a context, and a policy that explores by its gaps."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from lrla._core.docs import described
from lrla._core.numbers import whole
from lrla.bandits._policy import SHARED, ArmPolicy, Choice, Contexts, cost_interval
from lrla.kernels.box_lstsq import box_lstsq

_RIDGE = 1e-8  # relative to the number of trials: decides only what they leave open


class Chebyshev:
    """Products of Chebyshev polynomials of a context, up to a total degree."""

    def __init__(self, dims: int, degree: int) -> None:
        every = itertools.product(range(degree + 1), repeat=dims)
        self.degree = degree
        self.indices = sorted((i for i in every if sum(i) <= degree), key=lambda i: (sum(i), i))
        self.degrees = [sum(i) for i in self.indices]

    def __call__(self, point: tuple[float, ...]) -> Any:
        """Evaluate all of them at a point of the cube from -1 to 1."""
        tables = []
        for x in point:
            t = [1.0, x]
            for _ in range(self.degree - 1):
                t.append(2.0 * x * t[-1] - t[-2])
            tables.append(t)
        if len(tables) == 1:
            return np.array(tables[0][: self.degree + 1])
        values = [
            math.prod(t[i] for t, i in zip(tables, index, strict=True)) for index in self.indices
        ]
        return np.array(values)


@described(**SHARED)
class ChebCB(ArmPolicy):
    """Choose among arms by a context on which their costs depend smoothly.

    For each arm a Chebyshev series in the context is fitted to the costs seen, with bounded
    coefficients. Arms are drawn with probabilities that fall with the gap between their predicted
    cost and the least one.

    Parameters
    ----------
    n_arms : int
        Number of arms.
    {context_range}
    degree : int, default 5
        Degree of the series, at least 1; the total degree if the context has several dimensions.
    cost_range : (float, float or None), default (0, None)
        Between what costs lie; costs beyond count as the nearest end. If the upper end is None, it
        is the largest cost so far.
    {arms}

    See Also
    --------
    SurfaceThompson : also learns across arms.

    Notes
    -----
    This is SquareCB [2]_ over the least-squares oracle of [1]_, algorithm 3, whose theorem C.4
    bounds the regret against the best arm for *each* context. With costs at most K and Lipschitz
    constant L over a range of length C, coefficient 0 is at most K and coefficient j at most 2 C L
    / j in size. K and L are those seen so far, and the learning rate is that of the code published
    with the paper: the theorem's, times the number of trials, which explores less.

    Least squares are solved exactly, from sums over the trials of each arm: one ``ask`` and ``tell``
    take O(n_arms p + p**3) for p coefficients, except when a cost beyond all earlier ones moves the
    bounds of all arms.

    References
    ----------
    .. [1] M. Khodak, E. Chow, M.-F. Balcan and A. Talwalkar, "Learning to relax: setting solver
       parameters across a sequence of linear system instances", ICLR 2024.
    .. [2] D. J. Foster and A. Rakhlin, "Beyond UCB: optimal and efficient contextual bandits with
       regression oracles", ICML 2020.

    Examples
    --------
    >>> from lrla.bandits import ChebCB
    >>> policy = ChebCB(3, (0, 1), rng=7)
    >>> for k in range(500):
    ...     context = k % 11 / 10
    ...     trial = policy.ask(context)
    ...     policy.tell(trial, cost=20 + 10 * (context - trial.arm / 2) ** 2)
    >>> [int(policy.predict(c).argmin()) for c in (0.0, 0.5, 1.0)]
    [0, 1, 2]
    """

    _fields = ("_gram", "_moment", "_squares", "_theta", "_left", "_counts", "_online", "_seen")

    def __init__(
        self, n_arms: int, context_range: Any, *, degree: int = 5, cost_range: Any = (0.0, None),
        penalty: float = 2.0, max_open: int = 1000, rng: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(n_arms, penalty=penalty, max_open=max_open, rng=rng)
        degree = whole(degree, "degree", 1)
        self.cost_range = cost_interval(cost_range)
        self._contexts = Contexts(context_range)
        self._features = Chebyshev(len(self._contexts.low), int(degree))
        self._parameters |= {
            "context_range": self._contexts.pairs, "degree": int(degree),
            "cost_range": self.cost_range,
        }  # fmt: skip
        p = len(self._features.degrees)
        self._gram = np.zeros((self.n_arms, p, p))
        self._moment = np.zeros((self.n_arms, p))
        self._squares = np.zeros(self.n_arms)
        self._theta = np.zeros((self.n_arms, p))
        self._left = np.zeros(self.n_arms)  # squares that the fits leave
        self._counts = [0] * self.n_arms
        self._online = 0.0  # squares of the errors of predictions
        self._seen: list[float] = []  # least and largest loss

    def _look(self, context: Any) -> Any:
        return self._contexts.look(context)

    @property
    def _largest(self) -> float:
        low, high = self.cost_range
        if high is not None:
            return high - low
        return self._seen[1] if self._seen else 0.0

    @property
    def _variation(self) -> float:
        return self._seen[1] - self._seen[0] if self._seen else 0.0

    def predict(self, context: Any) -> Any:
        """Return the costs that the fits predict.

        Parameters
        ----------
        context : float or array
            The context.

        Returns
        -------
        array of shape (n_arms,)
            For arms that were never played, the lower end of ``cost_range``.
        """
        return self.cost_range[0] + self._theta @ self._features(self._look(context))

    def weights(self, context: Any) -> Any:
        """Return the probabilities with which the next arm would be drawn.

        Parameters
        ----------
        context : float or array
            The context.

        Returns
        -------
        array of shape (n_arms,)
            Their sum is 1 up to rounding.
        """
        return self._weights(self._theta @ self._features(self._look(context)))

    def _weights(self, predicted: Any) -> Any:
        d, t, K = self.n_arms, sum(self._counts), self._largest
        if t == 0 or K == 0:
            return np.full(d, 1.0 / d)
        m, CL = self._features.degree, self._variation
        N = 2.0 + 4.0 * CL * (1.0 + math.log(m)) / K
        alpha = (math.pi + 2 / math.pi * math.log(2 * m + 1)) * CL / (2 * K * N * (m + 1))
        R = max(self._online - float(self._left.sum()), 0.0) / (K * N) ** 2
        spread = R + 2.0 * alpha**2 * t
        best = int(predicted.argmin())
        gaps = (predicted - predicted[best]) / (K * N)
        if spread > 0:
            weights = 1.0 / (d + 2.0 * t * math.sqrt(d * t / spread) * gaps)
        else:  # nothing was ever predicted wrongly
            weights = np.where(gaps > 0, 0.0, 1.0 / d)
        weights[best] = 0.0
        weights[best] = 1.0 - weights.sum()
        return weights

    def _choose(self, id: int, context: Any) -> Choice:
        features = self._features(context)
        predicted = self._theta @ features
        weights = self._weights(predicted)
        arm = self._draw(id, weights)
        return Choice(arm, None, float(weights[arm]), context, float(predicted[arm]))

    def _learn(self, choice: Choice, cost: float, status: str, rate: float | None) -> None:
        low, high = self.cost_range
        loss = max(cost - low, 0.0)
        if high is not None:
            loss = min(loss, (high - low) * (1.0 if status == "ok" else self.penalty))
        i, _ = choice.drawn
        features = self._features(choice.context)
        self._gram[i] += features[:, None] * features
        self._moment[i] += loss * features
        self._squares[i] += loss * loss
        self._counts[i] += 1
        self._online += (choice.memory - loss) ** 2
        seen = (
            [min(loss, *self._seen[:1]), max(loss, *self._seen[1:])] if self._seen else [loss] * 2
        )
        moved, self._seen = seen != self._seen, seen
        bound = self._bound()
        for k in range(self.n_arms) if moved else (i,):
            self._fit(k, bound)

    def _bound(self) -> Any:
        K, CL = max(self._largest, *self._seen), self._variation
        sizes = [K if j == 0 else max(2.0 * CL / j, 1e-12 * K) for j in self._features.degrees]
        return np.array(sizes)

    def _fit(self, k: int, bound: Any) -> None:
        """Fit the costs of an arm by least squares with bounded coefficients."""
        count = self._counts[k]
        if count == 0 or bound[0] == 0:
            return
        G, h = self._gram[k], self._moment[k]
        padded = G + (_RIDGE * count) * np.eye(len(h))
        theta = box_lstsq(padded, h, bound, self._theta[k])
        self._theta[k] = theta
        self._left[k] = max(self._squares[k] - 2.0 * (h @ theta) + theta @ (G @ theta), 0.0)
