"""Approximation of functions from their values at few points, with the points chosen well.

`basis` describes a space: products of orthonormal functions of one variable, which are `Legendre`,
`Jacobi`, `Chebyshev`, `Hermite`, `Laguerre` or `Fourier` functions or come from a `Recurrence`, on a
set of multi-indices; `empirical_basis` one of any functions under any measure (Migliorati 2021;
Adcock, Cardenas 2020). `christoffel_sample` draws from the measure for which weighted least squares
need the fewest points, by quantiles of induced distributions (Narayan 2018), and `christoffel_size`
says how many they are (Cohen, Migliorati 2017). `dpp_sample` draws points that repel each other, by
rejection (Barthelme, Tremblay, Amblard 2023) or as eigenvalues (Dumitriu, Edelman 2002; Killip,
Nenciu 2004); `repeated_dpp_sample` draws several such samples, and `volume_rescaled_sample` points
under which least squares have no bias (Nouy, Michel 2023; Derezinski, Warmuth, Hsu 2022). Whatever
draws points returns a `Design`.

`WeightedLeastSquares` approximates a function from its values at such points (Nouy, Michel 2023),
which `stable_design` draws until they are stable and `greedy_subsample` thins (Haberstich, Nouy,
Perrin 2022), or `bss_subsample` (Batson, Spielman, Srivastava 2012); a `Certificate` says how good
the approximation is. `AdaptiveLeastSquares` lets the space grow and keeps all values (Arras,
Bachmayr, Cohen 2019).

`integrate` takes integrals from points that repel each other (Bardenet, Hardy 2020; Ermakov,
Zolotukhin 1960).
"""

from lrla.approximation._adaptive import AdaptiveLeastSquares, Step
from lrla.approximation._basis import Basis, basis
from lrla.approximation._certificate import Certificate
from lrla.approximation._christoffel import christoffel_sample
from lrla.approximation._classical import Hermite, Jacobi, Laguerre, Legendre
from lrla.approximation._design import Design
from lrla.approximation._empirical import EmpiricalBasis, empirical_basis
from lrla.approximation._estimator import WeightedLeastSquares
from lrla.approximation._fit import WeightedFit
from lrla.approximation._index_sets import (
    hyperbolic_cross,
    mirrored,
    norm_ball,
    tensor_product,
    total_degree,
)
from lrla.approximation._integrate import IntegralResult, integrate
from lrla.approximation._margins import is_downward_closed, margin, reduced_margin
from lrla.approximation._processes import (
    dpp_sample,
    repeated_dpp_sample,
    volume_rescaled_sample,
)
from lrla.approximation._recurrence import Recurrence
from lrla.approximation._stable import StabilityError, christoffel_size, stable_design
from lrla.approximation._subsample import bss_subsample, greedy_subsample
from lrla.approximation._waves import Chebyshev, Fourier

__all__ = [
    "AdaptiveLeastSquares",
    "Basis",
    "Certificate",
    "Chebyshev",
    "Design",
    "EmpiricalBasis",
    "Fourier",
    "Hermite",
    "IntegralResult",
    "Jacobi",
    "Laguerre",
    "Legendre",
    "Recurrence",
    "StabilityError",
    "Step",
    "WeightedFit",
    "WeightedLeastSquares",
    "basis",
    "bss_subsample",
    "christoffel_sample",
    "christoffel_size",
    "dpp_sample",
    "empirical_basis",
    "greedy_subsample",
    "hyperbolic_cross",
    "integrate",
    "is_downward_closed",
    "margin",
    "mirrored",
    "norm_ball",
    "reduced_margin",
    "repeated_dpp_sample",
    "stable_design",
    "tensor_product",
    "total_degree",
    "volume_rescaled_sample",
]
