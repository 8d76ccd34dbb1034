"""Determinantal point processes: random sets of items that repel each other.

`ProjectionDPP` has samples of one size (Hough, Krishnapur, Peres, Virag 2006; drawn by rejection
from leverage scores after Barthelme, Tremblay, Amblard 2023); `LEnsemble` and `MarginalKernel` have
random sizes (drawn by a factorization with coin flips, Poulson 2020, or by eigenvectors); `KDPP` is
an L-ensemble given its size (Kulesza, Taskar 2011).
"""

from lrla.dpp._errors import NotAKernelError, NotPSDError, RankError, SamplingError
from lrla.dpp._kdpp import KDPP
from lrla.dpp._lensemble import LEnsemble
from lrla.dpp._marginal import MarginalKernel
from lrla.dpp._projection import ProjectionDPP

__all__ = [
    "KDPP",
    "LEnsemble",
    "MarginalKernel",
    "NotAKernelError",
    "NotPSDError",
    "ProjectionDPP",
    "RankError",
    "SamplingError",
]
