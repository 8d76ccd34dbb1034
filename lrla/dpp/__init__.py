"""Determinantal point processes: random sets of items that repel each other.

`ProjectionDPP` has samples of one size (Hough, Krishnapur, Peres, Virag 2006; drawn by rejection
from leverage scores after Barthelme, Tremblay, Amblard 2023); `LEnsemble` and `MarginalKernel` have
random sizes (drawn by a factorization with coin flips, Poulson 2020, or by eigenvectors); `KDPP` is
an L-ensemble given its size (Kulesza, Taskar 2011); `greedy_map` looks for the most likely set (Chen,
Zhang, Zhou 2018), and `mcmc_sample` walks to likely sets where only entries of a kernel can be had
(Li, Jegelka, Sra 2016). `volume_sample` draws rows for regression by the
volume that they span, and `volume_lstsq` solves from their right-hand sides alone, without bias
(Derezinski, Warmuth 2017; Derezinski, Warmuth, Hsu 2018 and 2022).
"""

from lrla.dpp._errors import (
    NotAKernelError,
    NotOrthonormalError,
    NotPSDError,
    RankError,
    SamplingError,
)
from lrla.dpp._greedy import GreedyMapResult, greedy_map
from lrla.dpp._kdpp import KDPP
from lrla.dpp._lensemble import LEnsemble
from lrla.dpp._marginal import MarginalKernel
from lrla.dpp._mcmc import MCMCResult, mcmc_sample
from lrla.dpp._projection import ProjectionDPP
from lrla.dpp._volume import VolumeSample, volume_sample
from lrla.dpp._volume_lstsq import VolumeLstsqResult, volume_lstsq

__all__ = [
    "KDPP",
    "GreedyMapResult",
    "LEnsemble",
    "MCMCResult",
    "MarginalKernel",
    "NotAKernelError",
    "NotOrthonormalError",
    "NotPSDError",
    "ProjectionDPP",
    "RankError",
    "SamplingError",
    "VolumeLstsqResult",
    "VolumeSample",
    "greedy_map",
    "mcmc_sample",
    "volume_lstsq",
    "volume_sample",
]
