"""How one operation finds its fastest body: by the name of the file that it is defined in.

``kernels/fwht.py`` holds the definition of an operation in array-API code. A Numba twin of the
same name lives in ``kernels/_cpu/fwht.py``, a CUDA twin in ``kernels/_cuda/fwht.py``; neither has
to exist. Callers see one function and never mention a backend.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

from lrla._core.arrays import Space, space_of

_P = ParamSpec("_P")
_R = TypeVar("_R")
_TWINS = {"numpy": "_cpu", "cupy": "_cuda"}


def library(space: Space) -> str:
    """Name the array library of a space: ``"numpy"``, ``"cupy"``, ``"torch"``, ..."""
    name: str = space.xp.__name__
    return name.removeprefix("array_api_compat.").partition(".")[0]


@functools.cache
def twin(module: str, function: str, lib: str) -> Callable[..., Any] | None:
    """Find the twin of ``module.function`` for an array library; None where there is none."""
    if lib not in _TWINS:
        return None
    room, _, name = module.rpartition(".")
    home = f"{room}.{_TWINS[lib]}.{name}"
    try:
        found = importlib.import_module(home)
    except ModuleNotFoundError as e:
        if e.name != home:  # the twin exists, but something that it needs does not
            raise
        return None
    return getattr(found, function, None)


class Kernel(Generic[_P, _R]):
    """An operation that runs as the twin of its definition that fits the first argument.

    Parameters
    ----------
    definition : callable
        The meaning of the operation. It stays reachable as ``.definition``: it is what the tests
        hold every twin to, and what runs where there is no twin.
    """

    def __init__(self, definition: Callable[_P, _R]) -> None:
        self.definition = definition
        functools.update_wrapper(self, definition)

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Run the operation; the first argument is an array, or a `Space` to make arrays in."""
        first: Any = args[0]
        space = first if isinstance(first, Space) else space_of(first)
        body = twin(self.definition.__module__, self.definition.__name__, library(space))
        return (body or self.definition)(*args, **kwargs)


def kernel(definition: Callable[_P, _R]) -> Kernel[_P, _R]:
    """Wire a definition to its twins by name."""
    return Kernel(definition)
