"""Docstrings that share descriptions: said once, read by people wherever they look."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T", bound=Callable[..., Any])
_MARK = re.compile(r"^( *)\{(\w+)\}$", re.MULTILINE)


def described(**shared: str) -> Callable[[_T], _T]:
    """Replace each line ``{name}`` in the docstring of a function or class by a shared text.

    Parameters
    ----------
    **shared
        Texts by name; they are indented like the line that they replace.

    Returns
    -------
    callable
        The decorator.

    Raises
    ------
    KeyError
        When a docstring names a text that there is not.
    """

    def fill(function: _T) -> _T:
        if function.__doc__:  # there is none under python -OO
            function.__doc__ = _MARK.sub(
                lambda m: textwrap.indent(textwrap.dedent(shared[m[2]]).strip("\n"), m[1]),
                function.__doc__,
            )
        return function

    return fill
