"""Bandits that choose the parameters of any solver from what its runs cost.

Ask a policy what to try, run it, tell the policy what it cost. `ParameterTuner` does so for named
parameters of any solver, over a whole sequence of problems.

`TsallisINF` (Zimmert, Seldin 2021) is the one to start with, since it trusts nothing about the
costs. `TsallisCB` and `ChebCB` (Khodak, Chow, Balcan, Talwalkar 2024) use a context.
"""

from lrla.bandits._policy import Policy, Trial
from lrla.bandits._regret import Outcome, Regret
from lrla.bandits._space import Grid, Interval, Product
from lrla.bandits._tsallis import TsallisCB, TsallisINF
from lrla.bandits._tuner import ParameterTuner, Run

__all__ = [
    "Grid",
    "Interval",
    "Outcome",
    "ParameterTuner",
    "Policy",
    "Product",
    "Regret",
    "Run",
    "Trial",
    "TsallisCB",
    "TsallisINF",
]
