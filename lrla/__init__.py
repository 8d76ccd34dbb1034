"""Low-rank and randomized linear algebra, with a certificate on every answer."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what editors and type checkers see
    from lrla import approximation as approximation
    from lrla import bandits as bandits
    from lrla import blocks as blocks
    from lrla import datasets as datasets
    from lrla import dpp as dpp
    from lrla import lowrank as lowrank
    from lrla import plotting as plotting
    from lrla import regression as regression
    from lrla import relaxation as relaxation
    from lrla import sampling as sampling
    from lrla import sketch as sketch
    from lrla import sklearn as sklearn
    from lrla import streaming as streaming
    from lrla import testing as testing
    from lrla._core.errors import AccuracyWarning as AccuracyWarning
    from lrla._core.errors import ConvergenceWarning as ConvergenceWarning
    from lrla._core.errors import RankDeficientWarning as RankDeficientWarning
    from lrla._core.iteration import progress as progress
    from lrla._core.results import Status as Status
    from lrla._core.threads import threads as threads
    from lrla.lowrank import eigh as eigh
    from lrla.lowrank import svd as svd
    from lrla.regression import lstsq as lstsq
    from lrla.sampling import leverage_scores as leverage_scores

# public name -> module that holds it; imported at first use, so that `import lrla` stays cheap
_HOME = {
    "AccuracyWarning": "lrla._core.errors",
    "ConvergenceWarning": "lrla._core.errors",
    "RankDeficientWarning": "lrla._core.errors",
    "Status": "lrla._core.results",
    "leverage_scores": "lrla.sampling",
    "lstsq": "lrla.regression",
    "eigh": "lrla.lowrank",
    "progress": "lrla._core.iteration",
    "svd": "lrla.lowrank",
    "threads": "lrla._core.threads",
}
_ROOMS = (
    "approximation",
    "bandits",
    "blocks",
    "datasets",
    "dpp",
    "lowrank",
    "plotting",
    "regression",
    "relaxation",
    "sampling",
    "sketch",
    "sklearn",
    "streaming",
    "testing",
)
__all__ = [
    "AccuracyWarning",
    "ConvergenceWarning",
    "RankDeficientWarning",
    "Status",
    "__version__",
    "approximation",
    "bandits",
    "blocks",
    "datasets",
    "dpp",
    "eigh",
    "leverage_scores",
    "lowrank",
    "lstsq",
    "plotting",
    "progress",
    "regression",
    "relaxation",
    "sampling",
    "sketch",
    "sklearn",
    "streaming",
    "svd",
    "testing",
    "threads",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":  # reading the installed metadata takes longer than all else here
        from importlib.metadata import version

        return version("lrla")
    if name in _ROOMS:
        return importlib.import_module(f"lrla.{name}")
    try:
        home = _HOME[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = globals()[name] = getattr(importlib.import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
