"""Low-rank factorizations by randomized methods, and traces of what is only a product.

`svd` is the one to start with: block Lanczos from a random start (Golub, Luk, Overton 1981; Musco,
Musco 2015), with randomized subspace iteration (Halko, Martinsson, Tropp 2011) and generalized
Nystrom (Nakatsukasa 2020) for few passes. `eigh` is the same for Hermitian matrices (Golub,
Underwood 1977), `nystrom` for positive semidefinite ones in one pass (Tropp, Yurtsever, Udell,
Cevher 2017), and `qb` an orthonormal basis for a tolerance (Yu, Gu, Li 2018).

`trace` and `diagonal` are XTrace, XNysTrace and XDiag (Epperly, Tropp, Webber 2024), with Hutch++
(Meyer, Musco, Musco, Woodruff 2021) for comparison. `logdet`, `logdet_shifted` and `logdet_path`
are stochastic Lanczos quadrature (Ubaru, Chen, Saad 2017; Dong et al. 2017). `weighted_lowrank`
weighs each entry (Gabriel, Zamir 1979).

Columns and rows of the matrix itself: `interpolative`, `column_subset` and `cur` choose them by
sketched pivoting (Voronin and Martinsson 2017), randomly pivoted QR (Epperly, Tropp and Webber
2024), strong rank-revealing QR (Gu and Eisenstat 1996) or greedily (Farahat et al. 2015); rows of a
CUR by Sorensen and Embree 2016.

Kernels and other positive semidefinite matrices: `KernelMatrix` computes entries when they are
needed, and `rp_cholesky` chooses columns at random (Chen, Epperly, Tropp and Webber 2022; by
rejection Epperly, Tropp and Webber 2024), or by nuclear scores among such (Fornace and Lindsey
2024). `kernel_features` makes features of the pivots or other landmarks (Williams and Seeger 2000),
`kernel_leverage` the scores of points (Musco and Musco 2017; Rudi and others 2018).

And two that need little: `ptd` diagonalizes what can hardly be diagonalized, after a perturbation
(Banks, Kulkarni, Mukherjee and Srivastava 2021; Yu et al. 2024); `eim` finds the points from whose
values functions follow (Barrault, Maday, Nguyen and Patera 2004; Drmac and Gugercin 2016).
`parametric_interpolant` does so for what depends on a parameter through an affine matrix. And
`farms_alpha` tells how heavy the tail of a spectrum is (Hu, Goel, Killiakov and Yang 2025).
"""

from lrla.lowrank._column_subset import ColumnSubsetResult, column_subset
from lrla.lowrank._cur import CURResult, cur
from lrla.lowrank._diagonal import diagonal
from lrla.lowrank._eigh import EighResult, eigh
from lrla.lowrank._eim import EIMResult, eim
from lrla.lowrank._estimate import Estimate
from lrla.lowrank._farms import TailResult, farms_alpha
from lrla.lowrank._interpolative import InterpolativeResult, interpolative
from lrla.lowrank._kernel_features import KernelFeaturesResult, kernel_features
from lrla.lowrank._kernel_leverage import KernelLeverageResult, kernel_leverage
from lrla.lowrank._kernels import KernelMatrix
from lrla.lowrank._logdet import LogdetPath, logdet, logdet_path, logdet_shifted
from lrla.lowrank._nystrom import nystrom
from lrla.lowrank._parametric import ParametricInterpolant, parametric_interpolant
from lrla.lowrank._ptd import PTDResult, ptd
from lrla.lowrank._qb import QBResult, qb
from lrla.lowrank._rp_cholesky import RPCholeskyResult, rp_cholesky
from lrla.lowrank._svd import SVDResult, svd
from lrla.lowrank._trace import trace
from lrla.lowrank._weighted import WeightedLowRankResult, weighted_lowrank

__all__ = [
    "CURResult",
    "ColumnSubsetResult",
    "EIMResult",
    "EighResult",
    "Estimate",
    "InterpolativeResult",
    "KernelFeaturesResult",
    "KernelLeverageResult",
    "KernelMatrix",
    "LogdetPath",
    "PTDResult",
    "ParametricInterpolant",
    "QBResult",
    "RPCholeskyResult",
    "SVDResult",
    "TailResult",
    "WeightedLowRankResult",
    "column_subset",
    "cur",
    "diagonal",
    "eigh",
    "eim",
    "farms_alpha",
    "interpolative",
    "kernel_features",
    "kernel_leverage",
    "logdet",
    "logdet_path",
    "logdet_shifted",
    "nystrom",
    "parametric_interpolant",
    "ptd",
    "qb",
    "rp_cholesky",
    "svd",
    "trace",
    "weighted_lowrank",
]
