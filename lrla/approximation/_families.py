"""Families of functions of one variable, orthonormal under a probability measure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lrla.kernels.induced import LEGENDRE, Law
from lrla.kernels.orthogonal import POLYNOMIAL


class Family:
    """What a basis asks of the functions of one coordinate.

    Points x of the user are ``shift + scale * t``; everything here is about t.
    """

    kind: ClassVar[int] = POLYNOMIAL

    @property
    def shift(self) -> float:
        """Where t = 0 is."""
        raise NotImplementedError

    @property
    def unit(self) -> float:
        """The length of x that is one of t."""
        raise NotImplementedError

    @property
    def support(self) -> tuple[float, float]:
        """The interval of x that the measure lives on."""
        raise NotImplementedError

    @property
    def mass(self) -> float:
        """Integral over x of the weight function that the measure normalizes."""
        raise NotImplementedError

    def coefficients(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a and b of ``t p[k] = b[k+1] p[k+1] + a[k] p[k] + b[k] p[k-1]``, k < n."""
        raise NotImplementedError

    def law(self, degree: int) -> Law:
        """Describe the distributions ``abs(p[k]) ** 2 dmu`` for k up to a degree."""
        raise NotImplementedError

    def recurrence(self, n: int) -> np.ndarray:
        """Return the rows of `lrla.kernels.orthogonal.Product` for n functions."""
        a, b = self.coefficients(n)
        return np.stack([a[:n], b[:n], 1 / b[1 : n + 1]])


def check_interval(low: float, high: float) -> None:
    """Refuse what is not a bounded interval."""
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"low and high must be finite and low < high, got {low} and {high}")


@dataclass(frozen=True)
class Legendre(Family):
    """Legendre polynomials: the uniform distribution on an interval.

    Parameters
    ----------
    low, high : float, default -1 and 1
        The interval.

    Examples
    --------
    >>> from lrla.approximation import Legendre, basis
    >>> basis(Legendre(0, 1), [[0], [1]])([[1.0]]).round(4)
    array([[1.    , 1.7321]])
    """

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        check_interval(self.low, self.high)

    @property
    def shift(self) -> float:
        """The middle."""
        return (self.low + self.high) / 2

    @property
    def unit(self) -> float:
        """Half of the length."""
        return (self.high - self.low) / 2

    @property
    def support(self) -> tuple[float, float]:
        """The interval."""
        return self.low, self.high

    @property
    def mass(self) -> float:
        """The length: the weight function is one."""
        return self.high - self.low

    def coefficients(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """See `Family`."""
        k = np.arange(n + 1.0)
        return np.zeros(n), k / np.sqrt(np.abs(4 * k * k - 1))

    def law(self, degree: int) -> Law:
        """See `Family`."""
        return Law(LEGENDRE, ())
