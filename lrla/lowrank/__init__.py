"""Low-rank factorizations by randomized methods, and traces of what is only a product.

`svd` is the one to start with: block Lanczos from a random start (Golub, Luk, Overton 1981; Musco,
Musco 2015), with randomized subspace iteration (Halko, Martinsson, Tropp 2011) and generalized
Nystrom (Nakatsukasa 2020) for few passes.
"""

from lrla.lowrank._svd import SVDResult, svd

__all__ = ["SVDResult", "svd"]
