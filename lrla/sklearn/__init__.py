"""Estimators for scikit-learn's pipelines: thin covers of this library's functions.

`Nystroem` approximates a kernel by features, with landmarks chosen by randomly pivoted Cholesky or
given by the user; elsewhere as scikit-learn's. `TruncatedSVD` is `lrla.svd`, centred on request.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lrla.sklearn._nystroem import Nystroem
    from lrla.sklearn._truncated_svd import TruncatedSVD

__all__ = ["Nystroem", "TruncatedSVD"]

_HOME = {  # scikit-learn is imported when one is used
    "Nystroem": "lrla.sklearn._nystroem",
    "TruncatedSVD": "lrla.sklearn._truncated_svd",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
