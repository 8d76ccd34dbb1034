"""The warnings of this library. Its errors are those of Python and NumPy."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import inspect
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")
_PACKAGE = str(Path(__file__).parent.parent)
_told: contextvars.ContextVar[dict[type[Warning], bool] | None] = contextvars.ContextVar(
    "lrla_told", default=None
)


class ConvergenceWarning(UserWarning):
    """A method stopped before its tolerance; its result is the best that it has."""


class AccuracyWarning(UserWarning):
    """The result is less accurate than asked for; its certificate says how accurate it is."""


class RankDeficientWarning(UserWarning):
    """The data have fewer independent directions than columns; the result says how many."""


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line of the user's code that called into this library."""
    told = _told.get()
    if told is not None and category in told:
        if told[category]:
            return
        told[category] = True
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


@contextlib.contextmanager
def once(category: type[Warning], *, told: bool = False) -> Iterator[None]:
    """Say one thing one time: of the warnings of a kind within the block, only the first is shown.

    Parameters
    ----------
    category : type
        The kind.
    told : bool, default False
        Whether it was shown already: then none is.
    """
    outer = _told.get() or {}
    if category in outer and not told:
        yield  # the outer block counts
        return
    inner = {**outer, category: told}
    token = _told.set(inner)
    try:
        yield
    finally:
        _told.reset(token)
        outer.update({other: inner[other] for other in outer if other is not category})


@contextlib.contextmanager
def callers_own() -> Iterator[None]:
    """Let code of the user's, called back from within `once`, have all of its own warnings."""
    token = _told.set(None)
    try:
        yield
    finally:
        _told.reset(token)


def rank_told_once(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let a function that asks for the rank of its data in several places warn of it one time."""

    @functools.wraps(function)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with once(RankDeficientWarning):
            return function(*args, **kwargs)

    return wrapper
