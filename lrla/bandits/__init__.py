"""Bandits that choose the parameters of any solver from what its runs cost.

Ask a policy what to try, run it, tell the policy what it cost. `ParameterTuner` does so for named
parameters of any solver, over a whole sequence of problems.

`TsallisINF` (Zimmert, Seldin 2021) is the one to start with, since it trusts nothing about the
costs. `TsallisCB` and `ChebCB` (Khodak, Chow, Balcan, Talwalkar 2024) use a context, and so does
`SurfaceThompson` (after Agrawal, Goyal 2013), which learns fastest. `YoungHistory` (Young 1971) and
`SurrogateThompson` know the theory of SOR. `UCB` (Auer, Cesa-Bianchi, Fischer 2002; Audibert and
others 2009) and `ThompsonSampling` are what others would use.
"""

from lrla.bandits._chebyshev import ChebCB
from lrla.bandits._grid import GridSuggestion, suggest_grid
from lrla.bandits._index import UCB, ThompsonSampling
from lrla.bandits._policy import Policy, Trial
from lrla.bandits._regret import Outcome, Regret
from lrla.bandits._space import Grid, Interval, Product
from lrla.bandits._surface import SurfaceThompson
from lrla.bandits._tsallis import TsallisCB, TsallisINF
from lrla.bandits._tuner import ParameterTuner, Run
from lrla.bandits._young import SurrogateThompson, YoungHistory

__all__ = [
    "UCB",
    "ChebCB",
    "Grid",
    "GridSuggestion",
    "Interval",
    "Outcome",
    "ParameterTuner",
    "Policy",
    "Product",
    "Regret",
    "Run",
    "SurfaceThompson",
    "SurrogateThompson",
    "ThompsonSampling",
    "Trial",
    "TsallisCB",
    "TsallisINF",
    "YoungHistory",
    "suggest_grid",
]
