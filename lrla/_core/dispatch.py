"""How one operation finds its fastest body: by the name of the file that it is defined in.

``kernels/fwht.py`` holds the definition of an operation in array-API code. A Numba twin of the
same name lives in ``kernels/_cpu/fwht.py``, a CUDA twin in ``kernels/_cuda/fwht.py``; neither has
to exist. Callers see one function and never mention a backend.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any, TypeVar

from lrla._core.arrays import Space, space_of

_F = TypeVar("_F", bound=Callable[..., Any])
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


def kernel(definition: _F) -> _F:
    """Call the twin of ``definition`` that fits the first argument, or else ``definition`` itself.

    The first argument is an array, or a `Space` for operations that make arrays from nothing.
    The undecorated function stays reachable as ``.definition``: it is what the tests hold every
    twin to.
    """

    @functools.wraps(definition)
    def call(first: Any, *args: Any, **kwargs: Any) -> Any:
        space = first if isinstance(first, Space) else space_of(first)
        body = twin(definition.__module__, definition.__name__, library(space)) or definition
        return body(first, *args, **kwargs)

    call.definition = definition  # type: ignore[attr-defined]
    return call  # type: ignore[return-value]
