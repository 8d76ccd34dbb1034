"""What a family of functions of one variable is: orthonormal under a probability measure."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np

from lrla.kernels.orthogonal import POLYNOMIAL


class Family(ABC):
    """What a basis asks of the functions of one coordinate.

    Points x of the user are ``shift + unit * t``; everything else is about t.
    """

    @property
    def form(self) -> int:
        """How the functions are evaluated: as one of the kinds of `lrla.kernels.orthogonal`."""
        return POLYNOMIAL

    @property
    @abstractmethod
    def shift(self) -> float:
        """Where t = 0 is."""

    @property
    @abstractmethod
    def unit(self) -> float:
        """The length of x that is one of t."""

    @property
    @abstractmethod
    def support(self) -> tuple[float, float]:
        """The interval of x that the measure lives on."""

    @property
    @abstractmethod
    def mass(self) -> float:
        """Integral over x of the weight function that the measure normalizes."""

    def recurrence(self, n: int) -> np.ndarray:
        """Return the rows of `lrla.kernels.orthogonal.Product` for n polynomials; else zeros."""
        return np.zeros((3, n))

    def columns(self, index: np.ndarray) -> np.ndarray:
        """Say which columns of a table of all functions have some indices."""
        return index

    @abstractmethod
    def quantile(self, u: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Find t with ``F_k(t) = u``, F_k the distribution of ``abs(p_k) ** 2 dmu``."""


class OnInterval(Family):
    """A family on a bounded interval of x, which is [-1, 1] of t."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(
                f"low and high must be finite and low < high, got {self.low} and {self.high}"
            )

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


class Scaled(Family):
    """A family on an unbounded interval, with a place and a scale."""

    loc: float
    scale: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.loc) and math.isfinite(self.scale) and self.scale > 0):
            raise ValueError(
                f"loc must be finite, and scale finite and positive, got {self.loc} and "
                f"{self.scale}"
            )

    @property
    def shift(self) -> float:
        """The place."""
        return self.loc

    @property
    def unit(self) -> float:
        """The scale."""
        return self.scale


def exponent(value: float, name: str) -> None:
    """Refuse exponents with which a weight has no integral."""
    if not (math.isfinite(value) and value > -1):
        raise ValueError(f"{name} must be finite and greater than -1, got {value}")


def steps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Turn ``t p[k] = b[k+1] p[k+1] + a[k] p[k] + b[k] p[k-1]`` into what kernels use."""
    return np.stack([a, b[:-1], 1 / b[1:]])
