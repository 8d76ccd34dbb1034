"""Thompson sampling with one smooth surface for all arms and contexts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lrla._core.docs import described
from lrla.bandits._chebyshev import Chebyshev
from lrla.bandits._policy import SHARED, ArmPolicy, Choice, Contexts

_ARM_DEGREE, _CONTEXT_DEGREE = 3, 4
_NOISE = 0.02  # least standard deviation of the logarithm of a cost


@described(**SHARED)
class SurfaceThompson(ArmPolicy):
    """Choose among ordered arms by one smooth surface over arms and contexts.

    The logarithm of the cost is a polynomial in the position of the arm and in the context, with a
    normal prior on its coefficients. Each choice is the best arm of a surface drawn from what is
    believed after all trials so far.

    Parameters
    ----------
    n_arms : int
        Number of arms, at least 2. Their order means something: costs are smooth in their number.
    {context_range}
    {arms}

    See Also
    --------
    ChebCB : one curve for each arm, and a guarantee.

    Notes
    -----
    Products of Chebyshev polynomials, of degree 3 in the arm and of total degree 4 in the context;
    the prior standard deviation of the one of degrees i and j is ``3 / (1 + i + j)``. The noise is
    what the fit leaves, at least 2 %. Since arms learn from each other, a few dozen trials do. There
    is no bound on the regret; without a context, or with one that does not determine the costs, it
    can lock on to a wrong arm. One ``ask`` and ``tell`` take some 100 microseconds.

    References
    ----------
    .. [1] S. Agrawal and N. Goyal, "Thompson sampling for contextual bandits with linear payoffs",
       ICML 2013.

    Examples
    --------
    >>> from lrla.bandits import SurfaceThompson
    >>> policy = SurfaceThompson(11, (0, 1), rng=7)
    >>> for k in range(60):
    ...     context = k % 7 / 6
    ...     trial = policy.ask(context)
    ...     policy.tell(trial, cost=20 + 40 * (context - trial.arm / 10) ** 2)
    >>> [int(policy.predict(c).argmin()) for c in (0.0, 0.5, 1.0)]
    [0, 5, 10]
    """

    _fields = ("_gram", "_moment", "_squares", "_count")

    def __init__(
        self, n_arms: int, context_range: Any, *, penalty: float = 2.0, max_open: int = 1000,
        rng: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(n_arms, penalty=penalty, max_open=max_open, rng=rng)
        if n_arms < 2:
            raise ValueError(f"n_arms must be at least 2 for a surface, got {n_arms}")
        self._contexts = Contexts(context_range)
        self._parameters["context_range"] = self._contexts.pairs
        self._features = Chebyshev(len(self._contexts.low), _CONTEXT_DEGREE)
        across = Chebyshev(1, _ARM_DEGREE)
        self._arms = np.array([across((x,)) for x in np.linspace(-1, 1, self.n_arms).tolist()])
        degrees = np.add.outer(across.degrees, self._features.degrees).ravel()
        self._prior = ((1.0 + degrees) / 3.0) ** 2
        p = len(degrees)
        self._gram = np.zeros((p, p))
        self._moment = np.zeros(p)
        self._squares = 0.0
        self._count = 0

    def _look(self, context: Any) -> Any:
        return self._contexts.look(context)

    def _posterior(self) -> tuple[Any, Any, float]:
        """Return the mean, the Cholesky factor of the precision times noise**2, and the noise."""
        mean, _ = self._fit(_NOISE)
        left = self._squares - 2 * (mean @ self._moment) + mean @ self._gram @ mean
        noise = max(_NOISE, math.sqrt(max(left, 0.0) / max(self._count, 1)))
        return *self._fit(noise), noise  # the fit tells the noise, and that how far to trust it

    def _fit(self, noise: float) -> tuple[Any, Any]:
        factor = np.linalg.cholesky(self._gram + noise**2 * np.diag(self._prior))
        return np.linalg.solve(factor.T, np.linalg.solve(factor, self._moment)), factor

    def predict(self, context: Any) -> Any:
        """Return the costs of the mean surface.

        Parameters
        ----------
        context : float or array
            The context.

        Returns
        -------
        array of shape (n_arms,)
            Geometric means.
        """
        mean, _, _ = self._posterior()
        shape = (self._arms.shape[1], -1)
        return np.exp(self._arms @ (mean.reshape(shape) @ self._features(self._look(context))))

    def _choose(self, id: int, context: Any) -> Choice:
        mean, factor, noise = self._posterior()
        features = self._features(context)
        drawn = mean + noise * np.linalg.solve(factor.T, self._normals(id, len(mean)))
        surface = self._arms @ (drawn.reshape(self._arms.shape[1], -1) @ features)
        return Choice(int(surface.argmin()), None, None, context, None)

    def _learn(self, choice: Choice, cost: float, status: str, rate: float | None) -> None:
        features = np.outer(self._arms[choice.arm], self._features(choice.context)).ravel()
        target = math.log(max(cost, 1e-6 * (self.worst or 1.0)))  # a cost of 0 has no logarithm
        self._gram += features[:, None] * features
        self._moment += target * features
        self._squares += target**2
        self._count += 1
