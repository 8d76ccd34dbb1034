"""The warnings of this library. Its errors are those of Python and NumPy."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path

_PACKAGE = str(Path(__file__).parent.parent)


class ConvergenceWarning(UserWarning):
    """A method stopped before its tolerance; its result is the best that it has."""


class AccuracyWarning(UserWarning):
    """The result is less accurate than asked for; its certificate says how accurate it is."""


class RankDeficientWarning(UserWarning):
    """The data have fewer independent directions than columns; the result says how many."""


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line of the user's code that called into this library."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
