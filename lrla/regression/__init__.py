"""Regression: least squares as accurate as LAPACK and faster, and every other norm, with proof.

`lstsq` chooses among refined Cholesky, SPIR and FOSSILS (Epperly, Meier, Nakatsukasa 2024),
randomized Cholesky QR (Fan, Guo, Lin 2021; Balabanov 2022) and plain QR, and returns the measured
backward error. `ridge_path` solves for many ridges at once. `sketch_and_solve` answers from a sketch
alone, with standard errors (Ahfock, Astle, Richardson 2021) and the l_inf guarantee (Song, Ye, Yin,
Zhang 2023); `StreamingLstsq` does so for rows that arrive in blocks. `active_regression` asks for a
few right-hand sides only (Shimizu, Cheng, Musco, Weare 2024).

`lp_regression` minimises any p-norm from 1 to infinity and `quantile_regression` the loss of
Koenker and Bassett (1978), by an interior point and a vertex (Portnoy and Koenker 1997), Newton
with a homotopy in p, or exchange; a dual point in every answer proves how good it is. The penalty
of the lasso (Tibshirani 1996) and linear constraints can be had with each of them.
`huber_regression` (Huber 1964) is solved and proven alike; `tukey_regression` (Beaton and Tukey
1974) is not convex, and finds a local minimum.
"""

from lrla.regression._active import ActiveRegressionResult, active_regression
from lrla.regression._lp import LpResult, lp_regression
from lrla.regression._lstsq import LstsqResult, lstsq, plan_lstsq
from lrla.regression._plan import Plan
from lrla.regression._quantile import QuantileResult, quantile_regression
from lrla.regression._ridge_path import RidgePathResult, ridge_path
from lrla.regression._robust import RobustResult, huber_regression, tukey_regression
from lrla.regression._sketch_and_solve import SketchedLstsqResult, sketch_and_solve
from lrla.regression._streaming import StreamingLstsq

__all__ = [
    "ActiveRegressionResult",
    "LpResult",
    "LstsqResult",
    "Plan",
    "QuantileResult",
    "RidgePathResult",
    "RobustResult",
    "SketchedLstsqResult",
    "StreamingLstsq",
    "active_regression",
    "huber_regression",
    "lp_regression",
    "lstsq",
    "plan_lstsq",
    "quantile_regression",
    "ridge_path",
    "sketch_and_solve",
    "tukey_regression",
]
