"""SOR and its relatives: sweeps, solvers and preconditioners, tuned over a sequence of systems.

`sor` is Young's method (1950; book 1971), with the adaptive factor of Hageman and Young (1981).
`ssor_pcg` is conjugate gradients with an SSOR preconditioner by the trick of Eisenstat (1981).
`SweepPlan` holds the rows of a matrix as the sweeps want them.
"""

from lrla.relaxation._plan import SweepPlan
from lrla.relaxation._result import SolveResult
from lrla.relaxation._ssor_pcg import ssor_pcg
from lrla.relaxation._stationary import sor

__all__ = ["SolveResult", "SweepPlan", "sor", "ssor_pcg"]
