"""Low-rank factorizations by randomized methods, and traces of what is only a product.

`svd` is the one to start with: block Lanczos from a random start (Golub, Luk, Overton 1981; Musco,
Musco 2015), with randomized subspace iteration (Halko, Martinsson, Tropp 2011) and generalized
Nystrom (Nakatsukasa 2020) for few passes.

Columns and rows of the matrix itself: `interpolative`, `column_subset` and `cur` choose them by
sketched pivoting (Voronin and Martinsson 2017), randomly pivoted QR (Epperly, Tropp and Webber
2024), strong rank-revealing QR (Gu and Eisenstat 1996) or greedily (Farahat et al. 2015); rows of a
CUR by Sorensen and Embree 2016.
"""

from lrla.lowrank._column_subset import ColumnSubsetResult, column_subset
from lrla.lowrank._cur import CURResult, cur
from lrla.lowrank._interpolative import InterpolativeResult, interpolative
from lrla.lowrank._svd import SVDResult, svd

__all__ = [
    "CURResult",
    "ColumnSubsetResult",
    "InterpolativeResult",
    "SVDResult",
    "column_subset",
    "cur",
    "interpolative",
    "svd",
]
