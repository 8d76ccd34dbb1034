"""The classical orthogonal polynomials, with induced distributions in closed form."""

from __future__ import annotations

import functools
import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from lrla.approximation._families import Family, OnInterval, Scaled, exponent, steps
from lrla.kernels.induced import BETA, GAMMA, NORMAL, UNIFORM, Law, quantile

_UNDERFLOW = -708.0  # logarithm of the smallest normal number


class _Classical(Family):
    """A family whose weight satisfies Pearson's equation."""

    @abstractmethod
    def law(self, degree: int) -> Law:
        """Describe the induced distributions up to a degree."""

    def recurrence(self, n: int) -> np.ndarray:
        """See `Family`."""
        return self.law(n - 1).steps[:3]

    def quantile(self, u: np.ndarray, index: np.ndarray) -> np.ndarray:
        """See `Family`."""
        law = _law(self, int(index.max(initial=0)).bit_length())
        t = quantile(u, index, law)
        # with a weight that underflows a polynomial is zero, and nothing behind can be found
        lost = (_log_weight(t, law) < _UNDERFLOW) & (u > 0) & (u < 1)
        if np.any(lost):
            raise ValueError(
                f"the weight underflows float64 at points of degree {index[lost].max()}; take lower "
                "degrees: Hermite polynomials reach some 300, Laguerre polynomials 150"
            )
        return t


def _log_weight(t: np.ndarray, law: Law) -> np.ndarray:
    if law.base == UNIFORM:
        return np.zeros_like(t)
    if law.base == NORMAL:
        return -t * t / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        if law.base == GAMMA:
            out = law.log_constant + law.a * np.log(t) - t
            return np.where(t > 0, out, 0.0)
        out = law.log_constant + law.a * np.log1p(-t) + law.b * np.log1p(t)
    return np.where(np.abs(t) < 1, out, 0.0)  # an end is where a quantile is rounded to


@functools.lru_cache(maxsize=64)
def _law(family: _Classical, bits: int) -> Law:
    """Keep the distributions of degrees below ``2**bits``: points are often drawn a few at a time."""
    return family.law((1 << bits) - 1)


class _JacobiType(_Classical, OnInterval):
    """Weights ``(1 - t)**a (1 + t)**b``."""

    a: float = 0.0
    b: float = 0.0

    @property
    def mass(self) -> float:
        """Integral of the weight."""
        a, b = self.a, self.b
        beta = math.lgamma(a + 1) + math.lgamma(b + 1) - math.lgamma(a + b + 2)
        return self.unit * 2 ** (a + b + 1) * math.exp(beta)

    def law(self, degree: int) -> Law:
        """See `_Classical`."""
        a, b, k = self.a, self.b, np.arange(degree + 2.0)
        n = 2 * k + a + b
        with np.errstate(divide="ignore", invalid="ignore"):  # k = 0 and 1 are put right below
            c = k * (k + a) * (k + b) * (k + a + b)
            diagonal = (b * b - a * a) / (n * (n + 2))
            off = np.sqrt(4 * c / (n**2 * (n**2 - 1)))
            half = 2 * k * (k + a + b)
            mixed = (
                2 * (half + a * (a + b)) * (half + b * (a + b)) / (n**2 * np.sqrt((n**2 - 1) * c))
            )
            g, upper, lower = (b * b - a * a) / n**2, 1 / (n + 1), 1 / (n - 1)
            q = np.stack([g * upper, upper, -mixed, g * lower, lower])
        diagonal[0] = (b - a) / (a + b + 2)
        off[0], off[1] = 0.0, math.sqrt(4 * (1 + a) * (1 + b) / ((2 + a + b) ** 2 * (3 + a + b)))
        q[:, 0] = 0
        q[:, 1] = self._first_step(diagonal[0], off[1])
        return Law(UNIFORM if a == b == 0 else BETA, a, b,
                   np.concatenate([steps(diagonal[:-1], off), q[:, :-1]]))  # fmt: skip

    def _first_step(self, a0: float, b1: float) -> tuple[float, ...]:
        """Return the quadratic form of F_1 - F_0, whose general formula has a gap at a + b = -1.

        The integral of ``(p_1**2 - 1) w`` is ``(1 - t**2) (r + s t) w``: compare coefficients.
        """
        a, b = self.a, self.b
        s = -1 / (b1 * b1 * (a + b + 3))
        r = ((b - a) * s + 2 * a0 / b1**2) / (a + b + 2)
        q1 = -s * b1 * b1
        q0 = -r * b1 * b1 + 2 * a0 * q1
        q2 = (s - q1 * (a0 / b1) ** 2 + 2 * a0 * q0 / b1**2) * b1
        return q0, q1, q2, r - q0 * (a0 / b1) ** 2 + q2 * a0 / b1, 0.0


@dataclass(frozen=True)
class Legendre(_JacobiType):
    """Legendre polynomials: the uniform distribution on an interval.

    Parameters
    ----------
    low, high : float, default -1 and 1
        The interval.

    Notes
    -----
    The weight function is one.

    Examples
    --------
    >>> from lrla.approximation import Legendre, basis
    >>> basis(Legendre(0, 1), [0, 1])([[1.0]]).round(4)
    array([[1.    , 1.7321]])
    """

    low: float = -1.0
    high: float = 1.0


@dataclass(frozen=True)
class Jacobi(_JacobiType):
    """Jacobi polynomials: a beta distribution on an interval.

    Parameters
    ----------
    a, b : float
        Exponents of the weight function, greater than -1: ``(1 - t)**a * (1 + t)**b``, t from -1 at
        the low end to 1 at the high end.
    low, high : float, default -1 and 1
        The interval.

    Raises
    ------
    ValueError
        For other exponents, or no bounded interval.

    Examples
    --------
    >>> from lrla.approximation import Jacobi, basis
    >>> basis(Jacobi(1, 1), [0, 1, 2])([[0.0]]).round(4)
    array([[ 1.    ,  0.    , -0.9354]])
    """

    a: float
    b: float
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        exponent(self.a, "a")
        exponent(self.b, "b")


@dataclass(frozen=True)
class Hermite(_Classical, Scaled):
    """Hermite polynomials: a normal distribution.

    Parameters
    ----------
    loc : float, default 0
        Its mean.
    scale : float, default 1
        Its standard deviation.

    Raises
    ------
    ValueError
        If ``loc`` is not finite, or ``scale`` not positive.

    Notes
    -----
    The weight function is ``exp(-t**2 / 2)``, with ``t = (x - loc) / scale``.

    Examples
    --------
    >>> from lrla.approximation import Hermite, basis
    >>> basis(Hermite(loc=5), [0, 1, 2])([[6.0]])
    array([[1., 1., 0.]])
    """

    loc: float = 0.0
    scale: float = 1.0

    @property
    def support(self) -> tuple[float, float]:
        """The line."""
        return -math.inf, math.inf

    @property
    def mass(self) -> float:
        """Integral of the weight."""
        return self.scale * math.sqrt(2 * math.pi)

    def law(self, degree: int) -> Law:
        """See `_Classical`."""
        k = np.arange(degree + 2.0)
        q = np.zeros((5, degree + 1))
        q[2, 1:] = -1 / np.sqrt(k[1:-1])
        return Law(NORMAL, 0.0, 0.0, np.concatenate([steps(0 * k[1:], np.sqrt(k)), q]))


@dataclass(frozen=True)
class Laguerre(_Classical, Scaled):
    """Laguerre polynomials: an exponential or gamma distribution.

    Parameters
    ----------
    a : float, default 0
        Exponent, greater than -1: the distribution is gamma with shape ``a + 1``.
    loc : float, default 0
        Where it begins.
    scale : float, default 1
        Its scale.

    Raises
    ------
    ValueError
        For another exponent, if ``loc`` is not finite, or ``scale`` not positive.

    Notes
    -----
    The weight function is ``t**a * exp(-t)``, with ``t = (x - loc) / scale``. Leading coefficients
    are positive, unlike those of the usual Laguerre polynomials of odd degree.

    Examples
    --------
    >>> from lrla.approximation import Laguerre, basis
    >>> basis(Laguerre(), [0, 1, 2])([[2.0]])
    array([[ 1.,  1., -1.]])
    """

    a: float = 0.0
    loc: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        exponent(self.a, "a")

    @property
    def support(self) -> tuple[float, float]:
        """From the place on."""
        return self.loc, math.inf

    @property
    def mass(self) -> float:
        """Integral of the weight."""
        return self.scale * math.gamma(self.a + 1)

    def law(self, degree: int) -> Law:
        """See `_Classical`."""
        a, k = self.a, np.arange(degree + 2.0)
        off = np.sqrt(k * (k + a))
        q = np.zeros((5, degree + 1))
        q[[0, 3], 1:] = -1
        q[2, 1:] = -(2 * k[1:-1] + a) / off[1:-1]
        return Law(GAMMA, a, 0.0, np.concatenate([steps(2 * k[:-1] + a + 1, off), q]))
