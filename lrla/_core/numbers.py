"""Numbers that users give as parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def whole(
    value: Any,
    name: str,
    least: float = -math.inf,
    most: float = math.inf,
    *,
    rule: str | None = None,
) -> int:
    """Return a parameter as an integer, if it is one from ``least`` to ``most``; 2.0 is one.

    ``rule`` is what the error says of that, by default "at least" and the number.
    """
    try:
        number = int(value)
        if number == value and least <= number <= most and not isinstance(value, bool | np.bool_):
            return number
    except (TypeError, ValueError, OverflowError):  # no number, NaN, infinity
        pass
    if rule is None:
        rule = f", at least {least}" if least > -math.inf else ""
    shown = repr(value) if isinstance(value, str) else value
    raise ValueError(f"{name} must be an integer{rule}, got {shown}")
