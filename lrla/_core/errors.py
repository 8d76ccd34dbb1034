"""The warnings and errors of this library, beside those of Python and NumPy."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path

from numpy.linalg import LinAlgError

_PACKAGE = str(Path(__file__).parent.parent)


class ConvergenceWarning(UserWarning):
    """A method stopped before its tolerance; its result is the best that it has."""


class RankWarning(UserWarning):
    """The data have a lower numerical rank than their shape; the result says which was used."""


class AccuracyWarning(UserWarning):
    """The result is less accurate than asked for; its certificate says how accurate it is."""


class SingularError(LinAlgError):
    """A factorization that the method cannot do without does not exist."""


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line of the user's code that called into this library."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
