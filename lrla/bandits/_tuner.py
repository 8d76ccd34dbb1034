"""Tuning the parameters of any solver over a sequence of problems."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import astuple, replace
from types import TracebackType
from typing import Any, Self

import numpy as np

from lrla._core.docs import described
from lrla.bandits import _regret
from lrla.bandits._chebyshev import ChebCB
from lrla.bandits._index import UCB, ThompsonSampling
from lrla.bandits._policy import FORMAT, SHARED, Policy, Trial
from lrla.bandits._regret import Outcome, Regret
from lrla.bandits._space import Grid, Interval, Parameters, Product, from_dict, to_dict
from lrla.bandits._surface import SurfaceThompson
from lrla.bandits._tsallis import TsallisCB, TsallisINF

_COSTS = ("seconds", "iterations")
_BROKEN = ("BREAKDOWN", "DIVERGED")  # what a solver calls it when more iterations would not help
_BLIND: dict[str, type] = {
    "tsallis_inf": TsallisINF, "ucb": UCB, "thompson": ThompsonSampling,
}  # fmt: skip
_SEEING: dict[str, type] = {
    "chebcb": ChebCB, "tsallis_cb": TsallisCB, "surface_thompson": SurfaceThompson,
}  # fmt: skip


class ParameterTuner:
    """Choose the parameters of a solver, run after run, so that the runs cost little.

    Parameters
    ----------
    space : Grid, Interval or Product
        The parameters and their values.
    policy : str or Policy, default "auto"
        How to choose: "tsallis_inf", "ucb" or "thompson"; with a context "chebcb", "tsallis_cb" or
        "surface_thompson"; "auto" is the first of these. Or a policy with as many arms as the space
        has, or one that chooses numbers for a single parameter, such as `YoungHistory`.
    context_range : (float, float), optional
        Between what contexts lie: for the policies that use a context, and only for those.
    cost : {"seconds", "iterations"} or callable, default "seconds"
        What `wrap` and `trial` count: wall time; ``result.info.iterations``; or ``cost(result)``.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the policy comes from; only with the name of a policy.

    Attributes
    ----------
    arms : list of dict
        The parameters that each arm stands for.
    history : list of Outcome
        All trials that were told, in the order of telling.

    Raises
    ------
    ValueError
        If the policy is not known, or does not fit the space or the context.

    See Also
    --------
    TsallisINF : the guarantee.

    Notes
    -----
    The state can be written by `to_json` at any time, open trials included; what is restored from
    it makes identical choices.

    Wall time depends on what else the machine does. Iterations do not, and fit wherever they cost
    the same for all values.

    Examples
    --------
    >>> from lrla.bandits import Interval, ParameterTuner
    >>> tuner = ParameterTuner(Interval("omega", 1, 1.9, size=10), rng=7)
    >>> for _ in range(500):
    ...     trial = tuner.ask()
    ...     iterations = 20 + 100 * abs(trial.params["omega"] - 1.6)
    ...     tuner.tell(trial, iterations)
    >>> tuner.regret().best_arm, tuner.arms[6]
    (6, {'omega': 1.6})
    """

    def __init__(
        self, space: Grid | Interval | Product, *, policy: str | Policy = "auto",
        context_range: Any = None, cost: str | Callable[[Any], float] = "seconds", rng: Any = None,
    ) -> None:  # fmt: skip
        if not isinstance(space, Parameters):
            raise TypeError(
                f"space must be a Grid, Interval or Product, got {type(space).__name__}"
            )
        if not (callable(cost) or cost in _COSTS):
            raise ValueError(f"cost must be one of {', '.join(_COSTS)} or callable, got {cost!r}")
        self.space = space
        self.arms = space.arms
        self.policy = _policy(policy, len(self.arms), context_range, rng)
        if not hasattr(self.policy, "n_arms") and isinstance(space, Product):
            raise ValueError(
                f"{type(self.policy).__name__} chooses one number: space must be a Grid or Interval"
            )
        self.cost = cost
        self.history: list[Outcome] = []
        self._used: dict[int, Trial] = {}

    @described(**SHARED)
    def ask(self, context: Any = None) -> Trial:
        """Choose the parameters of the next run.

        Parameters
        ----------
        {context}

        Returns
        -------
        Trial
            Run the solver with ``**trial.params``.

        {needs_context}
        """
        trial = self.policy.ask(context)
        if trial.arm is not None:
            trial = replace(trial, params=dict(self.arms[trial.arm]))
        else:
            line, chosen = self.space, trial.params
            assert not isinstance(line, Product)  # as __init__ has seen to
            assert chosen is not None
            value = line.nearest(chosen["omega"])
            self.policy._use(trial.id, value)
            trial = replace(trial, params={line.name: value})
        self._used[trial.id] = trial
        while len(self._used) > self.policy.max_open:
            del self._used[next(iter(self._used))]
        return trial

    @described(**SHARED)
    def tell(
        self,
        trial: Trial | int,
        cost: float | None = None,
        *,
        status: str = "ok",
        rate: float | None = None,
    ) -> None:
        """Report what a run cost.

        Parameters
        ----------
        {told}
        cost : float
            What it cost; finite and not negative. May be left out if the run failed.
        status : {"ok", "capped", "failed"}, default "ok"
            As for `Policy.tell`.
        rate : float, optional
            Last ratio of residual norms, for the policies that use it.

        {tell}
        ValueError
            As for `Policy.tell`.
        """
        self.policy.tell(trial, cost, status=status, rate=rate)
        id = trial.id if isinstance(trial, Trial) else trial
        used = self._used.pop(id)
        if cost is None:  # a failure counts as what the policy took it for
            cost = self.policy.penalty * (self.policy.worst or 0.0)
        context = used.context
        context = context if context is None or np.ndim(context) == 0 else np.ravel(context)
        plain = context.tolist() if isinstance(context, np.ndarray | np.generic) else context
        params = used.params or {}
        self.history.append(
            Outcome(id, used.arm, params, float(cost), status, used.probability, plain)
        )

    @described(**SHARED)
    def trial(self, context: Any = None) -> Run:
        """Open a trial for a ``with`` block, which is told at its end.

        Parameters
        ----------
        {context}

        Returns
        -------
        Run
            Its ``params`` are those to use; set its ``cost``, unless the tuner counts seconds, and
            its ``status`` if it is not "ok". An exception in the block counts as a failure.

        Examples
        --------
        >>> from lrla.bandits import Grid, ParameterTuner
        >>> tuner = ParameterTuner(Grid("omega", [1.0, 1.5]), rng=7)
        >>> with tuner.trial() as run:
        ...     run.cost = 10 * run.params["omega"]
        >>> len(tuner.history)
        1
        """
        return Run(self, context)

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Make a solver choose its parameters by itself.

        Parameters
        ----------
        function : callable
            The solver; it takes the parameters of the space as keywords.

        Returns
        -------
        callable
            Called like the solver, without these parameters, and with ``context=`` if the policy
            uses it. It returns what the solver returns. A result with a ``status`` that is false
            counts as capped, a breakdown or an exception as a failure.

        Examples
        --------
        >>> from lrla.bandits import Grid, ParameterTuner
        >>> tuner = ParameterTuner(Grid("power", [1, 2]), cost=lambda result: result, rng=7)
        >>> solve = tuner.wrap(lambda x, power: x**power)
        >>> costs = [solve(3.0) for _ in range(100)]
        >>> costs.count(3.0) > costs.count(9.0)
        True
        """

        def tuned(*args: Any, context: Any = None, **options: Any) -> Any:
            with self.trial(context) as run:
                result = function(*args, **options, **run.params)
                if self.cost == "iterations":
                    run.cost = result.info.iterations
                elif callable(self.cost):
                    run.cost = self.cost(result)
                status = getattr(result, "status", True)
                if not status:
                    broken = getattr(status, "name", "") in _BROKEN
                    run.status = "failed" if broken else "capped"
                run.rate = getattr(getattr(result, "info", None), "rate", None)
            return result

        return tuned

    def regret(self, *, method: str = "estimated", table: Any = None) -> Regret:
        """Compare what was spent with the best fixed arm.

        Parameters
        ----------
        method : {"estimated", "oracle"}, default "estimated"
            "estimated" weights costs by the inverse of the probability of their arm: unbiased, with
            a standard error. "oracle" reads them from the table.
        table : array of shape (n_trials, n_arms), optional
            For "oracle": the cost of each arm in each trial, by the number of the trial.

        Returns
        -------
        Regret
            With fields total, best_arm, best_total, regret, standard_error and arm_totals.

        Raises
        ------
        ValueError
            If nothing was told yet, the policy does not know probabilities, or the table does not
            fit.
        """
        if not self.history:
            raise ValueError("regret needs at least one trial that was told")
        if method == "oracle":
            return _regret.oracle(self.history, len(self.arms), table)
        if method != "estimated" or table is not None:
            raise ValueError(
                f"method must be 'estimated', without a table, or 'oracle'; got {method!r}"
            )
        return _regret.estimated(self.history, len(self.arms))

    def report(self) -> str:
        """Describe what was tried and what it cost.

        Returns
        -------
        str
            A table with one line for each arm that was played.
        """
        total = sum(h.cost for h in self.history)
        lines = [
            f"{type(self.policy).__name__}: {len(self.history)} trials, total cost {total:.6g}, "
            f"{len(self._used)} open, {self.policy.n_expired} expired",
            f"{'trials':>7} {'mean cost':>12} {'capped':>7} {'failed':>7}  parameters",
        ]
        groups: dict[str, list[Outcome]] = {}
        keys = {h.arm: str(h.params) for h in self.history}
        for h in self.history:
            groups.setdefault(keys[h.arm] if h.arm is not None else "chosen freely", []).append(h)
        for key, group in sorted(groups.items(), key=lambda item: -len(item[1])):
            mean = sum(h.cost for h in group) / len(group)
            capped = sum(h.status == "capped" for h in group)
            failed = sum(h.status == "failed" for h in group)
            lines.append(f"{len(group):7d} {mean:12.6g} {capped:7d} {failed:7d}  {key}")
        return "\n".join(lines)

    def to_json(self) -> str:
        """Write the whole state as text.

        Returns
        -------
        str
            JSON, for `from_json`, history included.
        """
        data = {
            "lrla": FORMAT,
            "space": to_dict(self.space),
            "policy": json.loads(self.policy.to_json()),
            "history": [astuple(h) for h in self.history],
            "open": [
                [t.id, t.arm, t.params, t.probability, np.array(t.context).tolist()]
                for t in self._used.values()
            ],
        }
        return json.dumps(data, allow_nan=False)

    @classmethod
    def from_json(
        cls, text: str, *, cost: str | Callable[[Any], float] = "seconds"
    ) -> ParameterTuner:
        """Restore a tuner, open trials included: it goes on exactly as the original would.

        Parameters
        ----------
        text : str
            What `to_json` has written.
        cost : {"seconds", "iterations"} or callable, default "seconds"
            As for the constructor; a function cannot be written as text.

        Returns
        -------
        ParameterTuner
            The tuner.

        Raises
        ------
        ValueError
            If the text is not the state of a tuner.
        """
        data = json.loads(text)
        if not (isinstance(data, dict) and "space" in data and data.get("lrla") == FORMAT):
            raise ValueError("text must be what to_json of a ParameterTuner wrote")
        policy = Policy.from_json(json.dumps(data["policy"]))
        out = cls(from_dict(data["space"]), policy=policy, cost=cost)
        out.history = [Outcome(*h) for h in data["history"]]
        out._used = {t[0]: Trial(*t) for t in data["open"]}
        return out


def _policy(policy: str | Policy, n_arms: int, context_range: Any, rng: Any) -> Policy:
    """Make the policy, or look whether the one given fits."""
    if isinstance(policy, Policy):
        if context_range is not None or rng is not None:
            raise ValueError("context_range and rng belong to the policy; give them to it")
        own = getattr(policy, "n_arms", n_arms)
        if own != n_arms:
            raise ValueError(f"policy has {own} arms, but the space has {n_arms}")
        return policy
    if policy == "auto":
        policy = "tsallis_inf" if context_range is None else "chebcb"
    if policy in _SEEING:
        if context_range is None:
            raise ValueError(f"policy {policy!r} chooses by a context: it needs context_range")
        seeing: Policy = _SEEING[policy](n_arms, context_range, rng=rng)
        return seeing
    if policy not in _BLIND:
        known = ", ".join(["auto", *_BLIND, *_SEEING])
        raise ValueError(f"policy must be a Policy or one of {known}; got {policy!r}")
    if context_range is not None:
        raise ValueError(f"policy {policy!r} uses no context: leave context_range out")
    blind: Policy = _BLIND[policy](n_arms, rng=rng)
    return blind


class Run:
    """An open trial in a ``with`` block.

    Parameters
    ----------
    tuner : ParameterTuner
        Whose trial it is.
    context : float or array, optional
        What is known about the problem.

    Attributes
    ----------
    params : dict
        The parameters to use.
    cost : float or None
        What the run cost; to be set in the block, unless the tuner counts seconds.
    status : {"ok", "capped", "failed"}
        How it ended.
    rate : float or None
        Last ratio of residual norms, for the policies that use it.
    """

    def __init__(self, tuner: ParameterTuner, context: Any = None) -> None:
        self._tuner, self._context = tuner, context
        self.params: dict[str, Any] = {}
        self.cost: float | None = None
        self.status = "ok"
        self.rate: float | None = None

    def __enter__(self) -> Self:
        self._trial = self._tuner.ask(self._context)
        self.params = dict(self._trial.params or {})
        self._start = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            if issubclass(kind, Exception):
                self._tuner.tell(self._trial, self.cost, status="failed")
            return  # an interrupt says nothing about the parameters
        cost = self.cost
        if cost is None and self._tuner.cost == "seconds" and self.status != "failed":
            cost = time.perf_counter() - self._start
        self._tuner.tell(self._trial, cost, status=self.status, rate=self.rate)
