"""Which values the parameters of a solver may take."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.numbers import whole


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"name must be the name of a keyword argument, got {name!r}")


@dataclass(frozen=True, slots=True)
class Grid:
    """A parameter with finitely many values.

    Parameters
    ----------
    name : str
        Name of the parameter, as the solver calls it.
    values : sequence
        The values: numbers, strings, booleans or None. For policies that learn across arms, numbers
        in increasing order, about equally spaced where the cost is smooth.

    Attributes
    ----------
    arms : list of dict
        The parameters that each arm stands for.

    Examples
    --------
    >>> from lrla.bandits import Grid
    >>> Grid("omega", [1.0, 1.5, 1.9]).arms[1]
    {'omega': 1.5}
    """

    name: str
    values: Sequence[Any]

    def __post_init__(self) -> None:
        _check_name(self.name)
        plain = [v.item() if isinstance(v, np.generic) else v for v in self.values]
        for v in plain:
            if not (v is None or isinstance(v, bool | int | float | str)):
                raise TypeError(f"values must be numbers, strings or None, got {type(v).__name__}")
            if isinstance(v, float) and not math.isfinite(v):
                raise ValueError(f"values must be finite, got {v}")
        if not plain:
            raise ValueError("values must not be empty")
        object.__setattr__(self, "values", tuple(plain))

    @property
    def arms(self) -> list[dict[str, Any]]:
        """The parameters that each arm stands for."""
        return [{self.name: v} for v in self.values]

    def nearest(self, value: float) -> Any:
        """Return the value of the grid that is nearest to a number.

        Parameters
        ----------
        value : float
            Any number.

        Returns
        -------
        float or int
            One of the values.
        """
        return min(self.values, key=lambda v: abs(v - value))


_WARPS: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "linear": (lambda x: x, lambda u: u),
    "log": (math.log, math.exp),
    "log2m": (lambda x: -math.log(2.0 - x), lambda u: 2.0 - math.exp(-u)),
}


@dataclass(frozen=True, slots=True)
class Interval:
    """A real parameter between two ends.

    Policies with arms get equally spaced ones; policies that choose numbers get the whole interval.

    Parameters
    ----------
    name : str
        Name of the parameter, as the solver calls it.
    low, high : float
        The ends.
    size : int, default 20
        Number of arms, at least 2.
    warp : {"linear", "log", "log2m"}, default "linear"
        Coordinate in which arms are equally spaced: x, log(x), or -log(2 - x), which suits a
        relaxation parameter close to 2.

    Attributes
    ----------
    arms : list of dict
        The parameters that each arm stands for.

    Examples
    --------
    >>> from lrla.bandits import Interval
    >>> [round(arm["omega"], 3) for arm in Interval("omega", 1, 1.96, size=3, warp="log2m").arms]
    [1.0, 1.8, 1.96]
    """

    name: str
    low: float
    high: float
    size: int = 20
    warp: str = "linear"

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.warp not in _WARPS:
            raise ValueError(f"warp must be one of {', '.join(_WARPS)}, got {self.warp!r}")
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(
                f"low and high must be finite, low < high; got {self.low}, {self.high}"
            )
        if (self.warp == "log" and self.low <= 0) or (self.warp == "log2m" and self.high >= 2):
            raise ValueError(
                f"low must be positive for warp 'log', high below 2 for 'log2m'; got {self.low}, "
                f"{self.high} for {self.warp!r}"
            )
        whole(self.size, "size", 2)

    @property
    def arms(self) -> list[dict[str, Any]]:
        """The parameters that each arm stands for."""
        there, back = _WARPS[self.warp]
        inner = np.linspace(there(self.low), there(self.high), int(self.size))[1:-1].tolist()
        values = [float(self.low), *map(back, inner), float(self.high)]
        return [{self.name: v} for v in values]

    def nearest(self, value: float) -> float:
        """Return the number of the interval that is nearest to a number.

        Parameters
        ----------
        value : float
            Any number.

        Returns
        -------
        float
            Between low and high.
        """
        return min(max(float(value), float(self.low)), float(self.high))


@dataclass(frozen=True, slots=True)
class Product:
    """Several parameters at once: every combination is an arm.

    Parameters
    ----------
    parts : sequence of Grid, Interval or Product
        At least one; their parameters have different names.

    Attributes
    ----------
    arms : list of dict
        The parameters that each arm stands for, those of the last part changing first.

    Examples
    --------
    >>> from lrla.bandits import Grid, Product
    >>> space = Product([Grid("sweep", ["forward", "symmetric"]), Grid("omega", [1.0, 1.5])])
    >>> space.arms[2]
    {'sweep': 'symmetric', 'omega': 1.0}
    """

    parts: Sequence[Grid | Interval | Product]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        names = [name for part in self.parts for name in part.arms[0]]
        if not names or len(names) != len(set(names)):
            raise ValueError(f"parts must have different names, at least one, got {names}")

    @property
    def arms(self) -> list[dict[str, Any]]:
        """The parameters that each arm stands for."""
        combined = itertools.product(*(part.arms for part in self.parts))
        return [{k: v for arm in arms for k, v in arm.items()} for arms in combined]


Parameters = Grid | Interval | Product


def to_dict(space: Parameters) -> dict[str, Any]:
    """Describe a space by JSON types."""
    if isinstance(space, Product):
        return {"product": [to_dict(part) for part in space.parts]}
    if isinstance(space, Grid):
        return {"grid": [space.name, list(space.values)]}
    return {"interval": [space.name, space.low, space.high, space.size, space.warp]}


def from_dict(data: dict[str, Any]) -> Parameters:
    """Undo `to_dict`."""
    if "product" in data:
        return Product([from_dict(part) for part in data["product"]])
    return Grid(*data["grid"]) if "grid" in data else Interval(*data["interval"])
