"""Orthogonal polynomials of a measure that is given by its recurrence coefficients."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial import legendre

from lrla.approximation._families import Family, steps
from lrla.kernels.induced import CLOSE, STEPS

_NODES = 20  # of the quadrature in each panel, which has at most one wave of a polynomial
_GRADES = 200  # panels at each end: halves towards an end, and growing by a quarter to infinity
_DEFECT = 1e-8  # of the norms of polynomials under a density that does not belong to them


@dataclass(frozen=True, eq=False)
class Recurrence(Family):
    """Orthonormal polynomials by their three-term recurrence.

    ``x p[k] = off_diagonal[k] p[k+1] + diagonal[k] p[k] + off_diagonal[k-1] p[k-1]``, p[0] = 1.

    Parameters
    ----------
    diagonal : array of shape (n,)
        First coefficients. There are polynomials of degrees 0 to n - 1.
    off_diagonal : array of shape (n - 1,)
        Second coefficients, positive.
    density : callable, optional
        Density of the measure, not necessarily normalized: takes and returns an array of one
        dimension. Without it points are drawn from the n nodes of the Gauss rule, on which, with
        its weights, the polynomials are orthonormal, too: moments up to 2 n - 1 are all that the
        coefficients say about the measure.
    low, high : float, default -inf and inf
        Where the measure lives.

    Raises
    ------
    ValueError
        For coefficients that are not finite, of wrong number, or not positive; if low is not less
        than high. Drawing raises it if density and coefficients do not belong together.

    Notes
    -----
    The weight function is the density, and has the mass one if there is none. Induced distributions
    are tabulated: quadrature of degree 39 between the zeros of the polynomial of the next degree,
    and panels that shrink, or grow, towards the ends.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.approximation import Recurrence, basis
    >>> k = np.arange(1, 10)
    >>> legendre = Recurrence(np.zeros(10), k / np.sqrt(4.0 * k**2 - 1), low=-1, high=1)
    >>> basis(legendre, [0, 1])([[1.0]]).round(4)
    array([[1.    , 1.7321]])
    """

    diagonal: Any
    off_diagonal: Any
    density: Callable[[np.ndarray], Any] | None = None
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        a, b = (np.array(c, np.float64) for c in (self.diagonal, self.off_diagonal))
        if a.ndim != 1 or b.ndim != 1 or len(a) != len(b) + 1:
            raise ValueError(
                "diagonal must have one number more than off_diagonal, got shapes "
                f"{a.shape} and {b.shape}"
            )
        if not (np.all(np.isfinite(a)) and np.all(np.isfinite(b)) and np.all(b > 0)):
            raise ValueError("diagonal must be finite, and off_diagonal finite and positive")
        if not self.low < self.high:
            raise ValueError(f"low must be less than high, got {self.low} and {self.high}")
        for name, value in (("diagonal", a), ("off_diagonal", b)):
            value.setflags(write=False)
            object.__setattr__(self, name, value)

    @property
    def shift(self) -> float:
        """None: coefficients belong to x itself."""
        return 0.0

    @property
    def unit(self) -> float:
        """One."""
        return 1.0

    @property
    def support(self) -> tuple[float, float]:
        """Where the measure lives."""
        return self.low, self.high

    @property
    def mass(self) -> float:
        """Integral of the density, and one without it."""
        return 1.0 if self.density is None else _table(self, 0).mass

    def recurrence(self, n: int) -> np.ndarray:
        """See `Family`."""
        if n > len(self.diagonal):
            raise ValueError(
                f"the recurrence has coefficients for degrees up to {len(self.diagonal) - 1}, and "
                f"{n - 1} is asked for; give more of them"
            )
        off = np.ones(n + 1)  # the last one makes a polynomial that is not asked for
        off[0], off[1:n] = 0, self.off_diagonal[: n - 1]
        return steps(self.diagonal[:n], off)

    def quantile(self, u: np.ndarray, index: np.ndarray) -> np.ndarray:
        """See `Family`."""
        out = np.empty(len(u))
        for k in np.unique(index).tolist():
            these = index == k
            invert = _nodes if self.density is None else _points
            out[these] = invert(self, k, u[these])
        return out


def _nodes(family: Recurrence, k: int, u: np.ndarray) -> np.ndarray:
    """Draw nodes of the Gauss rule by its weights times the square of a polynomial."""
    nodes, vectors = _gauss(family, len(family.diagonal))
    sums = np.cumsum(vectors[k] ** 2)
    place = np.searchsorted(sums, u * sums[-1], side="right")
    return nodes[np.minimum(place, len(nodes) - 1)]


def _gauss(family: Recurrence, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the nodes of the Gauss rule and, in rows, root of weight times polynomials there."""
    from scipy.linalg import eigh_tridiagonal

    return eigh_tridiagonal(family.diagonal[:n], family.off_diagonal[: n - 1])


class _Table(NamedTuple):
    edges: np.ndarray  # of the panels, (P + 1,)
    density: np.ndarray  # p_k^2 times density of each panel, a Legendre series of integral one
    sums: np.ndarray  # distribution function at the edges, (P + 1,)
    mass: float  # of the density


@functools.lru_cache(maxsize=512)
def _table(family: Recurrence, degree: int) -> _Table:
    """Tabulate an induced distribution."""
    z, w = legendre.leggauss(_NODES)
    edges = _edges(family, degree)
    half = np.diff(edges) / 2
    x = (edges[:-1] + half)[:, None] + half[:, None] * z
    assert family.density is not None  # who has none takes nodes of the Gauss rule
    rho = np.asarray(family.density(x.reshape(-1)), np.float64).reshape(x.shape)
    if not np.all(np.isfinite(rho)) or np.any(rho < 0):
        raise ValueError("density must be finite and not negative inside its interval")
    before, p = 0 * x, np.sqrt(rho)  # far out polynomials alone would overflow
    for a, b, c in family.recurrence(degree + 1).T[:-1]:
        before, p = p, ((x - a) * p - b * before) * c
    mass, mixed = (float(np.sum(f * w * half[:, None])) for f in (rho, p * before))
    parts = np.sum(p * p * w, axis=1) * half
    norm = float(np.sum(parts)) / mass
    if not max(abs(norm - 1), abs(mixed) / mass) <= _DEFECT:
        raise ValueError(
            "density and recurrence coefficients do not belong together: the polynomial of degree "
            f"{degree} has the squared norm {norm:.10g}, which should be 1, and the inner product "
            f"{mixed / mass:.2g} with the one before"
        )
    sums = np.append(0, np.cumsum(parts))
    fit = (legendre.legvander(z, _NODES - 1) * w[:, None]).T * (np.arange(_NODES) + 0.5)[:, None]
    series = fit @ (p * p).T
    series = series / np.where(series[0] > 0, 2 * series[0], 1)
    return _Table(edges, series, sums / sums[-1], mass)


def _edges(family: Recurrence, degree: int) -> np.ndarray:
    """Cut the interval at the zeros of the polynomial of the next degree, and finer at the ends."""
    zeros = _gauss(family, degree + 1)[0]
    zeros = zeros[(zeros > family.low) & (zeros < family.high)]
    gap = np.ptp(zeros) / len(zeros) if len(zeros) > 1 else 1.0
    shrinking = 0.5 ** np.arange(_GRADES + 1.0)
    growing = gap * (1.25 ** np.arange(_GRADES // 4) - 1)
    if math.isinf(family.low):
        left = zeros[0] - growing
    else:
        left = family.low + (zeros[-1] - family.low) * shrinking
    if math.isinf(family.high):
        right = zeros[-1] + growing
    else:
        right = family.high - (family.high - zeros[0]) * shrinking
    ends = [e for e in family.support if math.isfinite(e)]
    return np.unique(np.concatenate([ends, left, zeros, right]))


def _points(family: Recurrence, k: int, u: np.ndarray) -> np.ndarray:
    """Solve for the quantile in its panel, where the density is a Legendre series."""
    table = _table(family, k)
    sums, edges = table.sums, table.edges
    panel = np.clip(np.searchsorted(sums, u, side="right") - 1, 0, len(sums) - 2)
    width = sums[panel + 1] - sums[panel]
    target = (u - sums[panel]) / np.where(width > 0, width, 1)  # within the panel
    density = table.density[:, panel]  # fitted once for all: no bit depends on who is asked beside
    F = legendre.legint(density, lbnd=-1)
    low, high, s = np.full(len(u), -1.0), np.ones(len(u)), 2 * target - 1
    done = np.zeros(len(u), bool)
    for _ in range(STEPS):
        error = target - legendre.legval(s, F, tensor=False)
        slope = legendre.legval(s, density, tensor=False)
        low, high = np.where(error > 0, s, low), np.where(error > 0, high, s)
        step = error / np.where(slope > 0, slope, 1e-300)
        inside = (s + step > low) & (s + step < high)
        close = (abs(step) <= CLOSE) | (high - low <= 1e-15)
        stay = (abs(error) <= 2e-16) | (close & ~inside)  # steps are wild where p_k is zero
        new = np.where(stay, s, np.where(inside, s + step, (low + high) / 2))
        s = np.where(done, s, new)
        done |= close | stay
        if np.all(done):
            break
    return edges[panel] + (edges[panel + 1] - edges[panel]) * ((s + 1) / 2)
