"""Plain values for JSON, and back: floats come back as the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np


def encode(value: Any) -> Any:
    """Turn arrays, tuples, dictionaries of any keys and what they hold into JSON types."""
    if isinstance(value, np.ndarray):
        kind = value.dtype.str
        return {"array": value.ravel().tolist(), "dtype": kind, "shape": list(value.shape)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple):
        return {"tuple": [encode(v) for v in value]}
    if isinstance(value, dict):
        return {"items": [[encode(k), encode(v)] for k, v in value.items()]}
    if isinstance(value, list):
        return [encode(v) for v in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} has no form in JSON; use numbers and strings")


def decode(value: Any) -> Any:
    """Undo `encode`."""
    if isinstance(value, list):
        return [decode(v) for v in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return np.array(value["array"], value["dtype"]).reshape(value["shape"])
    if "tuple" in value:
        return tuple(decode(v) for v in value["tuple"])
    return {decode(k): decode(v) for k, v in value["items"]}
