"""Row sampling with guarantees: whom to keep of many rows, and with which weight.

`leverage_scores` say how much each row matters to the column space (Drineas et al. 2012), with
`ridge_leverage_scores` and `effective_dimension` (Alaoui, Mahoney 2015) where a ridge is added;
`cross_leverage` and `hat_statistics` (Cook, Weisberg 1982) are the rest of the hat matrix;
`lewis_weights` are leverage for other norms (Lewis 1978; Cohen, Peng 2015).

`sample_rows` draws rows in proportion to scores in five ways, each with weights without bias:
pivotal (Deville, Tillé 1998; by coordinates Shimizu, Cheng, Musco, Weare 2024), systematic,
Poisson, with replacement (rows of probability 1 kept surely: Larsen, Kolda 2022), and bottom-k
(Cohen, Kaplan 2007). Its `RowSample` scales rows, estimates totals with standard errors, and merges.
`ReservoirSampler` does bottom-k for rows that come by once; `OnlineRowSampler` finds the leverage
scores on the way (Cohen, Musco, Pachocki 2020).

`logistic_coreset` chooses rows for classification (Mai, Musco, Rao 2021; Munteanu, Omlor 2024), and
`mu_complexity` says whether few can do; `robust_coreset` is for losses between l_1 and l_2.
"""

from lrla.sampling._coresets import logistic_coreset, robust_coreset
from lrla.sampling._cross import CrossLeverageResult, cross_leverage
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
from lrla.sampling._probabilities import inclusion_probabilities
from lrla.sampling._row_sample import Estimate, RowSample
from lrla.sampling._sample_rows import sample_rows
from lrla.sampling._streams import ReservoirSampler, StreamSample

__all__ = [
    "CrossLeverageResult",
    "Estimate",
    "HatStatistics",
    "LeverageResult",
    "LewisResult",
    "MuComplexityResult",
    "OnlineRowSampler",
    "ReservoirSampler",
    "RowSample",
    "StreamSample",
    "cross_leverage",
    "effective_dimension",
    "hat_statistics",
    "inclusion_probabilities",
    "leverage_scores",
    "lewis_weights",
    "logistic_coreset",
    "mu_complexity",
    "ridge_leverage_scores",
    "robust_coreset",
    "sample_rows",
]
