"""What choosing costs, and how well it chooses on a simple problem with a context."""

import numpy as np

from lrla.bandits import (
    UCB,
    ChebCB,
    Interval,
    ParameterTuner,
    Policy,
    SurfaceThompson,
    ThompsonSampling,
    TsallisCB,
    TsallisINF,
)

POLICIES = {
    "TsallisINF": lambda d: TsallisINF(d, rng=5),
    "TsallisINF iw": lambda d: TsallisINF(d, estimator="iw", rng=5),
    "TsallisCB": lambda d: TsallisCB(d, (0, 1), rng=5),
    "ChebCB": lambda d: ChebCB(d, (0, 1), rng=5),
    "SurfaceThompson": lambda d: SurfaceThompson(d, (0, 1), rng=5),
    "UCB": UCB,
    "ThompsonSampling": lambda d: ThompsonSampling(d, rng=5),
}


def problem(steps, d):
    """Contexts, and the cost of each arm: a valley that moves with the context."""
    rng = np.random.default_rng(90210)
    contexts = rng.random(steps)
    place = np.linspace(0, 1, d)
    costs = 30 + 200 * (place[None, :] - 0.2 - 0.6 * contexts[:, None]) ** 2
    return contexts.tolist(), costs * rng.uniform(0.9, 1.1, (steps, 1))


def play(policy, contexts, costs):
    """Return what was spent."""
    spent = 0.0
    for context, row in zip(contexts, costs, strict=True):
        trial = policy.ask(context)
        spent += row[trial.arm]
        policy.tell(trial, row[trial.arm])
    return spent


class Choosing:
    """A thousand trials."""

    params = (list(POLICIES), [8, 32])
    param_names = ("policy", "arms")

    def setup(self, policy, arms):
        self.contexts, self.costs = problem(1000, arms)
        play(POLICIES[policy](arms), self.contexts[:20], self.costs[:20])

    def time_ask_and_tell(self, policy, arms):
        play(POLICIES[policy](arms), self.contexts, self.costs)

    def track_cost_over_best_fixed(self, policy, arms):
        spent = play(POLICIES[policy](arms), self.contexts, self.costs)
        return spent / self.costs.sum(axis=0).min()


class State:
    """A tuner with a thousand trials behind it, written as text and read again."""

    def setup(self):
        contexts, costs = problem(1000, 20)
        self.tuner = ParameterTuner(Interval("x", 0, 1, size=20), context_range=(0, 1), rng=5)
        for context, row in zip(contexts, costs, strict=True):
            trial = self.tuner.ask(context)
            self.tuner.tell(trial, row[trial.arm])
        self.text = self.tuner.policy.to_json()

    def time_tuner_to_json(self):
        self.tuner.to_json()

    def time_policy_round_trip(self):
        Policy.from_json(self.text).to_json()

    def time_estimated_regret(self):
        self.tuner.regret()
