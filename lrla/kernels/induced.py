"""Quantiles of induced distributions: p_k^2 dmu, for the k-th orthonormal function of a family.

Draws of their mixtures are the draws of the Christoffel measure of a space (Narayan, "Computation
of induced orthogonal polynomial distributions", ETNA 50, 2018). Here the distribution functions are
closed forms. For the classical weights w, the function w (p_k^2 - p_(k-1)^2) has the integral

    F_k - F_(k-1) = w ((q_0 + q_1 t) p_k^2 + q_2 p_k p_(k-1) + (q_3 + q_4 t) p_(k-1)^2),

so that F_k costs O(k) beside F_0, an incomplete beta or gamma function. For trigonometric
functions, and Chebyshev polynomials, F_k is Kepler's equation, and costs O(1).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel

UNIFORM, BETA, GAMMA, NORMAL = range(4)  # what F_0 is: of the measure itself
STEPS = 100  # bisection alone would end in 60
CLOSE = 1e-11  # a Newton step this small is the last one: the error after it is of second order
_TINY = 1e-300


class Law(NamedTuple):
    """The induced distributions of a classical family.

    Parameters
    ----------
    base : int
        Which kind of measure. UNIFORM and BETA live on [-1, 1], with the density of (1 + t) / 2;
        GAMMA on [0, inf); NORMAL on the line.
    a, b : float
        Exponents of the weight: ``(1 - t)**a (1 + t)**b``, or ``t**a exp(-t)``.
    steps : numpy.ndarray, shape (8, degree + 1)
        Columns k: three numbers of the recurrence that leads from p_k to p_(k+1), as in
        `lrla.kernels.orthogonal.Product`; and ``q_0 .. q_4`` of F_k - F_(k-1).
    """

    base: int
    a: float
    b: float
    steps: np.ndarray

    @property
    def terms(self) -> int:
        """How many terms of series and continued fractions suffice: some nine times sqrt(a)."""
        return 500 + int(20 * math.sqrt(max(self.a, self.b, 0)))

    @property
    def log_constant(self) -> float:
        """Logarithm of what makes the weight a probability density."""
        a, b = self.a, self.b
        if self.base == GAMMA:
            return -math.lgamma(a + 1)
        if self.base == NORMAL:
            return -math.log(2 * math.pi) / 2
        beta = math.lgamma(a + 1) + math.lgamma(b + 1) - math.lgamma(a + b + 2)
        return -(a + b + 1) * math.log(2) - beta


def _beta_fraction(x: Array, p: Array, q: Array, terms: int) -> Array:
    """Return the continued fraction of the incomplete beta function, by Lentz's method."""
    xp = space_of(x).xp
    c, d = xp.ones_like(x), 1 / _away(1 - (p + q) * x / (p + 1))
    h = d
    done = xp.zeros_like(x) > 0
    for m in range(1, terms):
        before = h
        for factor in (
            m * (q - m) * x / ((p + 2 * m - 1) * (p + 2 * m)),
            -(p + m) * (p + q + m) * x / ((p + 2 * m) * (p + 2 * m + 1)),
        ):
            d = 1 / _away(1 + factor * d)
            c = _away(1 + factor / c)
            h = xp.where(done, h, h * (c * d))
        done = done | (xp.abs(h - before) <= 3e-16 * xp.abs(h))
        if bool(xp.all(done)):
            break
    return h


def _away(x: Array) -> Array:
    xp = space_of(x).xp
    return xp.where(xp.abs(x) < _TINY, xp.zeros_like(x) + _TINY, x)


def _beta(t: Array, law: Law, w: Array) -> tuple[Array, Array]:
    """Return the distribution and the survival function of the density w of a BETA law."""
    xp = space_of(t).xp
    x, y = (1 + t) / 2, (1 - t) / 2
    lower = x * (law.a + law.b + 4) < law.b + 2  # where the fraction converges fast
    x = xp.where(lower, x, y)
    zeros = xp.zeros_like(t)
    p = xp.where(lower, zeros + (law.b + 1), zeros + (law.a + 1))
    q = xp.where(lower, zeros + (law.a + 1), zeros + (law.b + 1))
    tail = w * (1 - t * t) / (2 * p) * _beta_fraction(x, p, q, law.terms)
    return xp.where(lower, tail, 1 - tail), xp.where(lower, 1 - tail, tail)


def _gamma(x: Array, s: float, power: Array, terms: int) -> tuple[Array, Array]:
    """Return the incomplete gamma functions P and Q by series or by Lentz's method.

    The power is ``x**s exp(-x) / gamma(s)``, x not negative.
    """
    xp = space_of(x).xp
    small = x < s + 1
    y = xp.where(small, x, xp.zeros_like(x))
    term = xp.ones_like(x) / s
    total = term
    for m in range(1, terms):
        term = term * y / (s + m)
        total = total + term
        if bool(xp.all(term <= 1e-17 * total)):
            break
    z = xp.where(small, xp.zeros_like(x) + (s + 1), x)
    b = z + 1 - s
    c, d = xp.zeros_like(x) + 1 / _TINY, 1 / b
    h = d
    done = small
    for m in range(1, terms):
        before = h
        factor = -m * (m - s)
        b = b + 2
        d = 1 / _away(factor * d + b)
        c = _away(b + factor / c)
        h = xp.where(done, h, h * (c * d))
        done = done | (xp.abs(h - before) <= 3e-16 * xp.abs(h))
        if bool(xp.all(done)):
            break
    P, Q = power * total, power * h
    return xp.where(small, P, 1 - Q), xp.where(small, 1 - P, Q)


def _measure(t: Array, law: Law) -> tuple[Array, Array, Array]:
    """Return distribution and survival function of the measure, and its density."""
    xp = space_of(t).xp
    if law.base == UNIFORM:
        return (1 + t) / 2, (1 - t) / 2, xp.zeros_like(t) + 0.5
    if law.base == BETA:
        log_w = law.a * xp.log(_away(1 - t)) + law.b * xp.log(_away(1 + t)) + law.log_constant
        w = xp.where(xp.abs(t) < 1, xp.exp(log_w), xp.zeros_like(t))
        return *_beta(t, law, w), w
    if law.base == GAMMA:
        w = xp.exp(law.a * xp.log(_away(t)) - t + law.log_constant)
        w = xp.where(t > 0, w, xp.zeros_like(t))
        return *_gamma(t, law.a + 1, w * t, law.terms), w
    w = xp.exp(-t * t / 2 + law.log_constant)
    P, Q = _gamma(t * t / 2, 0.5, w * xp.abs(t), law.terms)
    positive = t > 0
    upper, lower = (1 + P) / 2, Q / 2
    return xp.where(positive, upper, lower), xp.where(positive, lower, upper), w


def _distribution(t: Array, degree: Array, top: int, law: Law) -> tuple[Array, Array, Array]:
    """Return F_k, 1 - F_k and the density of each point and its degree."""
    xp = space_of(t).xp
    F, survival, w = _measure(t, law)
    before, p = xp.zeros_like(t), xp.sqrt(w)  # with the root of the weight they do not overflow
    for k in range(1, top + 1):
        a, b, c = law.steps[:3, k - 1].tolist()
        q0, q1, q2, q3, q4 = law.steps[3:, k].tolist()
        here = degree >= k
        following = ((t - a) * p - b * before) * c
        before, p = xp.where(here, p, before), xp.where(here, following, p)
        gain = (q0 + q1 * t) * p * p + q2 * p * before + (q3 + q4 * t) * before * before
        F = xp.where(here, F + gain, F)
        survival = xp.where(here, survival - gain, survival)
    return F, survival, p * p


def _bracket(degree: Array, law: Law) -> tuple[Array, Array, Array]:
    """Return bounds that leave out less than 2**-54, and the middle and half of the bulk."""
    xp = space_of(degree).xp
    k = xp.astype(degree, xp.float64)
    if law.base in (UNIFORM, BETA):
        return xp.zeros_like(k) - 1, xp.zeros_like(k) + 1, xp.ones_like(k)
    if law.base == NORMAL:
        bulk = xp.sqrt(4 * k + 2)
        return -bulk - 9, bulk + 9, bulk
    bulk = 4 * k + 2 * law.a + 2
    return xp.zeros_like(k), bulk + 9 * xp.sqrt(bulk) + 40, bulk


def _scale(t: Array, law: Law) -> Array:
    """Return the length over which a density changes: it may be singular at an end."""
    xp = space_of(t).xp
    if law.base == NORMAL:
        return xp.ones_like(t)
    return t if law.base == GAMMA else 1 - xp.abs(t)


@kernel
def quantile(u: Array, degree: Array, law: Law) -> Array:
    """Find t with ``F_k(t) = u`` for each u and its degree k, by Newton's method in a bracket.

    Above the median the equation for 1 - F_k is solved, so that both tails are accurate. The
    probability is met up to rounding, and where the density is large up to rounding in t.

    Parameters
    ----------
    u : array of shape (n,)
        Probabilities in [0, 1), float64.
    degree : array of int64, shape (n,)
        Degrees, at most the last one of the law.
    law : Law
        The family.

    Returns
    -------
    array of shape (n,)
        Quantiles, float64.
    """
    space = space_of(u)
    xp = space.xp
    if u.shape[0] == 0:
        return xp.zeros_like(u)
    top = int(xp.max(degree))
    below = u <= 0.5
    v = xp.where(below, u, 1 - u)
    low, high, bulk = _bracket(degree, law)
    t = -bulk * xp.cos(math.pi * u)  # zeros of the polynomials have about this distribution
    t = (bulk + t) / 2 if law.base == GAMMA else t
    done = xp.zeros_like(t) > 0
    for _ in range(STEPS):
        F, survival, density = _distribution(t, degree, top, law)
        error = xp.where(below, v - F, survival - v)  # positive where t is too small
        low, high = xp.where(error > 0, t, low), xp.where(error > 0, high, t)
        step = error / _away(density)
        inside = (t + step > low) & (t + step < high)
        close = xp.abs(step) <= CLOSE * _scale(t, law)
        stay = (xp.abs(error) <= 2e-15 * v) | (close & ~inside)  # steps are wild where p_k is zero
        new = xp.where(stay, t, xp.where(inside, t + step, (low + high) / 2))
        last = close | (new == t)
        t = xp.where(done, t, new)
        done = done | last
        if bool(xp.all(done)):
            break
    return t


@kernel
def kepler(u: Array, frequency: Array, sign: int) -> Array:
    """Solve ``t + sign * sin(2 pi n t) / (2 pi n) = u`` for t in [0, 1], with n a whole number.

    Parameters
    ----------
    u : array of shape (n,)
        Probabilities in [0, 1), float64.
    frequency : array of int64, shape (n,)
        n, not negative; 0 gives u.
    sign : int
        1 or -1.

    Returns
    -------
    array of shape (n,)
        Solutions.
    """
    xp = space_of(u).xp
    n = xp.astype(xp.where(frequency > 0, frequency, xp.ones_like(frequency)), xp.float64)
    shift = 0.5 if sign > 0 else 0.0  # a plus is a minus half a period later
    c = n * u + shift
    whole = xp.floor(c)
    f = c - whole
    upper = f > 0.5
    f = xp.where(upper, 1 - f, f)
    # x - sin(2 pi x) / (2 pi) = f on [0, 1/2]: convex, and above the cubic of its first term
    x = xp.minimum((f * (1.5 / math.pi**2)) ** (1 / 3), xp.zeros_like(f) + 0.5)
    for _ in range(10):
        slope = 1 - xp.cos(2 * math.pi * x)
        step = (x - xp.sin(2 * math.pi * x) / (2 * math.pi) - f) / _away(slope)
        x = xp.where(slope > 1e-12, xp.clip(x - step, 0.0, 0.5), x)
    x = whole + xp.where(upper, 1 - x, x) - shift
    return xp.where(frequency > 0, x / n, u)
