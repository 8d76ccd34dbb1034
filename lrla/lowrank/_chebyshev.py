"""The polynomials that spread what is wanted of a spectrum, and hold down the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass

_HIGHEST = 7  # degree: with more, steps would be so long that the last one is mostly too much
_MANY = 4.0  # steps in which _STEEP is reached: more are to come, and the last one is little
_STEEP = 100.0  # largest value of the polynomial: it amplifies rounding errors, too
_COSTS = 0.8  # entries of the basis that take as long to pass over as an entry of A to multiply


@dataclass(frozen=True, slots=True, eq=False)
class Chebyshev:
    """T_d of (sign A - middle) / half, for odd d: it keeps the order of all beyond -1 and 1."""

    sign: float
    middle: float
    half: float
    degree: int

    def back(self, value: float) -> float:
        """Return where the polynomial has a value of 1 or more."""
        return self.middle + self.half * math.cosh(math.acosh(value) / self.degree)

    @property
    def slope(self) -> float:
        """Derivative at the edge of what is not wanted: it is larger where something is."""
        return self.degree**2 / self.half


def chebyshev(
    which: str, first: float, edge: float, last: float, cost: float, rounding: float,
    *, known: bool = False,
) -> Chebyshev | None:  # fmt: skip
    """Choose a polynomial; None if it does not pay.

    Parameters
    ----------
    which : {"LM", "LA", "SA"}
        What is wanted: absolute values, values, or negated values.
    first, edge, last : float
        Of these, the largest, the one below which none is wanted, and about the smallest.
    cost : float
        Entries of the basis for each entry of A: what a step costs, in products.
    rounding : float
        Rounding errors of a step, relative to the errors that may be made.
    known : bool, default False
        Whether the edge is near to where it will be, so that it tells how many steps are to come.
    """
    low = -edge if which == "LM" else last
    middle, half = (edge + low) / 2, (edge - low) / 2
    highest = min(_STEEP, 1 / rounding)  # errors are divided by slope, at least 9 / half
    if half <= 0 or first <= edge or highest <= 1:
        return None
    steep = math.acosh(highest) / math.acosh((first - middle) / half)
    most = max(_HIGHEST, steep / _MANY) if known else _HIGHEST
    degree = 2 * int((min(_COSTS * cost, most, steep) - 1) / 2) + 1
    sign = -1.0 if which == "SA" else 1.0
    return Chebyshev(sign, middle, half, degree) if degree > 1 else None
