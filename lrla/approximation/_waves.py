"""Families that are cosines and sines: their induced distributions are Kepler's equation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lrla.approximation._families import OnInterval, steps
from lrla.kernels.induced import kepler
from lrla.kernels.orthogonal import EXPONENTIAL, TRIGONOMETRIC


@dataclass(frozen=True)
class Chebyshev(OnInterval):
    """Chebyshev polynomials: the arcsine or the semicircle distribution on an interval.

    Parameters
    ----------
    kind : {1, 2}, default 1
        First kind, with weight function ``1 / sqrt(1 - t**2)``, t from -1 at the low end to 1 at
        the high end; or second kind, ``sqrt(1 - t**2)``.
    low, high : float, default -1 and 1
        The interval.

    Raises
    ------
    ValueError
        For another kind, or no bounded interval.

    Examples
    --------
    >>> from lrla.approximation import Chebyshev, basis
    >>> basis(Chebyshev(2), [0, 1, 2])([[1.0]])
    array([[1., 2., 3.]])
    """

    kind: int = 1
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in (1, 2):
            raise ValueError(f"kind must be 1 or 2, got {self.kind!r}")

    @property
    def mass(self) -> float:
        """Integral of the weight."""
        return self.unit * math.pi / self.kind

    def recurrence(self, n: int) -> np.ndarray:
        """See `Family`."""
        off = np.full(n + 1, 0.5)
        off[0] = 0
        if self.kind == 1:
            off[1] = math.sqrt(0.5)
        return steps(np.zeros(n), off)

    def quantile(self, u: np.ndarray, index: np.ndarray) -> np.ndarray:
        """See `Family`: with t = -cos(pi s), the functions are cosines or sines of s."""
        first = self.kind == 1
        return -np.cos(np.pi * kepler(u, index if first else index + 1, 1 if first else -1))


@dataclass(frozen=True)
class Fourier(OnInterval):
    """Trigonometric functions: the uniform distribution on an interval that is one period.

    Parameters
    ----------
    low, high : float, default 0 and 1
        The interval.
    real : bool, default False
        Index k stands for ``exp(2 pi i k t)``, t from 0 at the low end to 1 at the high end; if
        real, for ``sqrt(2) cos(2 pi k t)`` with k > 0 and ``sqrt(2) sin(2 pi abs(k) t)`` with k < 0.

    Raises
    ------
    ValueError
        If the interval is not bounded.

    Notes
    -----
    The weight function is one. Indices may be negative here; `mirrored` completes an index set by
    those.

    Examples
    --------
    >>> from lrla.approximation import Fourier, basis
    >>> basis(Fourier(), [-1, 0, 1])([[0.5]]).real
    array([[-1.,  1., -1.]])
    """

    low: float = 0.0
    high: float = 1.0
    real: bool = False

    @property
    def form(self) -> int:
        """See `Family`."""
        return TRIGONOMETRIC if self.real else EXPONENTIAL

    @property
    def shift(self) -> float:
        """The low end."""
        return self.low

    @property
    def unit(self) -> float:
        """The period."""
        return self.high - self.low

    @property
    def mass(self) -> float:
        """The length: the weight function is one."""
        return self.high - self.low

    def columns(self, index: np.ndarray) -> np.ndarray:
        """See `Family`."""
        return np.where(index > 0, 2 * index - 1, -2 * index)

    def quantile(self, u: np.ndarray, index: np.ndarray) -> np.ndarray:
        """See `Family`: uniform for complex functions, whose absolute value is one."""
        if not self.real:
            return u
        # 2 cos(2 pi k t)**2 = 1 + cos(4 pi k t)
        return np.where(index >= 0, kepler(u, 2 * abs(index), 1), kepler(u, 2 * abs(index), -1))
