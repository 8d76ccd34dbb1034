"""Row sampling with guarantees: whom to keep of many rows, and with which weight.

`leverage_scores` say how much each row matters to the column space (Drineas et al. 2012), with
`ridge_leverage_scores` and `effective_dimension` (Alaoui, Mahoney 2015) where a ridge is added.
"""

from lrla.sampling._leverage import (
    LeverageResult,
    effective_dimension,
    leverage_scores,
    ridge_leverage_scores,
)

__all__ = [
    "LeverageResult",
    "effective_dimension",
    "leverage_scores",
    "ridge_leverage_scores",
]
