"""Row sampling with guarantees: whom to keep of many rows, and with which weight.

`leverage_scores` say how much each row matters to the column space (Drineas et al. 2012), with
`ridge_leverage_scores` and `effective_dimension` (Alaoui, Mahoney 2015) where a ridge is added;
`cross_leverage` and `hat_statistics` (Cook, Weisberg 1982) are the rest of the hat matrix;
`lewis_weights` are leverage for other norms (Lewis 1978; Cohen, Peng 2015).

`sample_rows` draws rows in proportion to scores in five ways, each with weights without bias:
pivotal (Deville, Tillé 1998; by coordinates Shimizu, Cheng, Musco, Weare 2024), systematic,
Poisson, with replacement (rows of probability 1 kept surely: Larsen, Kolda 2022), and bottom-k
(Cohen, Kaplan 2007). Its `RowSample` scales rows, estimates totals with standard errors, and merges;
`pool_samples` gets errors from independent samples (random groups: Wolter 2007).
`ReservoirSampler` does bottom-k for rows that come by once; `OnlineRowSampler` finds the leverage
scores on the way (Cohen, Musco, Pachocki 2020), or weights for other norms (Woodruff, Yasuda 2023).

`logistic_coreset` chooses rows for classification (Mai, Musco, Rao 2021; Munteanu, Omlor 2024), and
`mu_complexity` says whether few can do; `robust_coreset` is for losses between l_1 and l_2.
`evaluate_coreset` measures what they lose.

`sensitivities` are the largest share of an l_p norm that a row can have, bounded on both sides;
`total_sensitivity` is their sum, from a few of them, and `max_sensitivity` their maximum
(Padmanabhan, Woodruff, Zhang 2023). `subspace_sample` draws few rows that keep the l_p norm of a
column space, by any of these scores (Cohen, Peng 2015; Woodruff, Yasuda 2023; Munteanu, Omlor 2024),
and `distortion` measures what they keep.
"""

from lrla.sampling._coresets import logistic_coreset, robust_coreset
from lrla.sampling._cross import CrossLeverageResult, cross_leverage
from lrla.sampling._distortion import Distortion, distortion
from lrla.sampling._evaluate import CoresetEvaluation, evaluate_coreset
from lrla.sampling._hat import HatStatistics, hat_statistics
from lrla.sampling._leverage import (
    LeverageResult,
    effective_dimension,
    leverage_scores,
    ridge_leverage_scores,
)
from lrla.sampling._lewis import LewisResult, lewis_weights
from lrla.sampling._mu import MuComplexityResult, mu_complexity
from lrla.sampling._online import OnlineRowSampler
from lrla.sampling._pool import pool_samples
from lrla.sampling._probabilities import inclusion_probabilities
from lrla.sampling._row_sample import Estimate, RowSample
from lrla.sampling._sample_rows import sample_rows
from lrla.sampling._sensitivities import SensitivityResult, sensitivities
from lrla.sampling._streams import ReservoirSampler, StreamSample
from lrla.sampling._subspace import subspace_sample
from lrla.sampling._total_sensitivity import (
    MaxSensitivity,
    TotalSensitivity,
    max_sensitivity,
    total_sensitivity,
)

__all__ = [
    "CoresetEvaluation",
    "CrossLeverageResult",
    "Distortion",
    "Estimate",
    "HatStatistics",
    "LeverageResult",
    "LewisResult",
    "MaxSensitivity",
    "MuComplexityResult",
    "OnlineRowSampler",
    "ReservoirSampler",
    "RowSample",
    "SensitivityResult",
    "StreamSample",
    "TotalSensitivity",
    "cross_leverage",
    "distortion",
    "effective_dimension",
    "evaluate_coreset",
    "hat_statistics",
    "inclusion_probabilities",
    "leverage_scores",
    "lewis_weights",
    "logistic_coreset",
    "max_sensitivity",
    "mu_complexity",
    "pool_samples",
    "ridge_leverage_scores",
    "robust_coreset",
    "sample_rows",
    "sensitivities",
    "subspace_sample",
    "total_sensitivity",
]
