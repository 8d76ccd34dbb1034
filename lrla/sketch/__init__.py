"""Sketching: random matrices with few rows that keep lengths, as descriptions, never as state.

`SparseSign` is the one to start with (Camano, Epperly, Meyer, Tropp 2025); `Gaussian` has the
sharpest theory (Davidson, Szarek 2001); `SRHT` (Tropp 2011) and `SRTT` (Avron, Maymounkov, Toledo
2010) mix all rows by a fast transform; `TensorSketch` (Pham, Pagh 2013), `TensorSRHT` (Ahle et al.
2020) and `KhatriRao` sketch Kronecker products without forming them; `LESS` (Derezinski et al.
2021) inverts without bias; `RowSampling` keeps rows of the data; `CountSketch` (Clarkson, Woodruff 2013), `SparseUniform` (Nelson, Nguyen
2013), `Rademacher` and `VerySparse` (Li, Hastie, Church 2006) are here for comparison and for
distances. `whiten` uses a sketch to make
the columns of a tall matrix orthonormal (Fan, Guo, Lin 2021; Balabanov 2022).
"""

from lrla.sketch._base import SketchOperator
from lrla.sketch._dense import Gaussian, Rademacher
from lrla.sketch._distortion import distortion
from lrla.sketch._gather import LESS, RowSampling
from lrla.sketch._make import embedding_size, from_dict, make
from lrla.sketch._sparse import CountSketch, SparseSign, SparseUniform, VerySparse
from lrla.sketch._tensor import KhatriRao, TensorSketch, TensorSRHT
from lrla.sketch._trig import SRHT, SRTT
from lrla.sketch._whiten import Whitening, whiten

__all__ = [
    "LESS",
    "SRHT",
    "SRTT",
    "CountSketch",
    "Gaussian",
    "KhatriRao",
    "Rademacher",
    "RowSampling",
    "SketchOperator",
    "SparseSign",
    "SparseUniform",
    "TensorSRHT",
    "TensorSketch",
    "VerySparse",
    "Whitening",
    "distortion",
    "embedding_size",
    "from_dict",
    "make",
    "whiten",
]
