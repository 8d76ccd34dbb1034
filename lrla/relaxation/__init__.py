"""SOR and its relatives: sweeps, solvers and preconditioners, tuned over a sequence of systems.

`sor`, `ssor`, `gauss_seidel` and `jacobi` are the stationary methods (Young 1971), with the
adaptive factor of Hageman and Young (1981); `optimal_omega` is Young's formula. `ssor_pcg` is
conjugate gradients with an SSOR preconditioner by the trick of Eisenstat (1981). `cg` takes any
preconditioner, also one that changes (Notay 2000), and `multishift_cg` many shifts at once
(Jegerlehner 1996); `chebyshev_ssor` needs no inner products (Golub and Varga 1961). `RelaxationSequence` learns the factor from one system to the next (Khodak,
Chow, Balcan, Talwalkar 2024). `kaczmarz` is for systems of any shape (Strohmer, Vershynin 2009;
Bjorck, Elfving 1979; Zouzias, Freris 2013). `SweepPlan`,
`RedBlackStencil` and `ssor_preconditioner` are for methods of one's own.
"""

from lrla.relaxation._cg import cg, multishift_cg
from lrla.relaxation._chebyshev import chebyshev_ssor
from lrla.relaxation._kaczmarz import kaczmarz
from lrla.relaxation._omega import OmegaResult, optimal_omega
from lrla.relaxation._plan import SweepPlan
from lrla.relaxation._precondition import ssor_preconditioner
from lrla.relaxation._result import SolveResult
from lrla.relaxation._sequence import RelaxationSequence
from lrla.relaxation._ssor_pcg import ssor_pcg
from lrla.relaxation._stationary import gauss_seidel, jacobi, sor, ssor
from lrla.relaxation._stencil import RedBlackStencil

__all__ = [
    "OmegaResult",
    "RedBlackStencil",
    "RelaxationSequence",
    "SolveResult",
    "SweepPlan",
    "cg",
    "chebyshev_ssor",
    "gauss_seidel",
    "jacobi",
    "kaczmarz",
    "multishift_cg",
    "optimal_omega",
    "sor",
    "ssor",
    "ssor_pcg",
    "ssor_preconditioner",
]
