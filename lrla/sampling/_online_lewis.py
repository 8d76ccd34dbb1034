"""The Lewis weight that a row gives itself beside rows whose quadratic form is known."""

from __future__ import annotations

import math

from lrla._core.arrays import Array, space_of

_STEPS = 30  # at most 10 were ever taken, at p = 1000: see the test of the equation
_LARGE = 1e300  # quotients beyond this are taken for it: the weight is 1 in any case


def online_weights(quotients: Array, p: float) -> Array:
    """Solve ``w**(2/p) = t / (1 + w**(1 - 2/p) * t)`` for each quotient t = a M^-1 a^H >= 0.

    That is, the weight w at which a has the leverage ``w`` in M + w^(1 - 2/p) a^H a once it is
    scaled by w^(1/2 - 1/p): w^(2/p) = t (1 - w). With w = 1 / (1 + exp(-z)) the logarithm of both
    sides is ``(2/p) * softplus(-z) - softplus(z) + log(t) = 0``, of which the left falls with a slope
    between 1 and 2/p, and is convex or concave: Newton's steps for z converge from anywhere, and
    after the first one from one side.

    Parameters
    ----------
    quotients : array of shape (k,), float64
        Not negative; infinite ones are allowed.
    p : float
        Positive.

    Returns
    -------
    array of shape (k,), float64
        Between 0 and 1; 0 for a quotient of 0.
    """
    xp, e = space_of(quotients).xp, 2 / p
    zero = quotients == 0
    goal = xp.log(xp.clip(xp.where(zero, xp.ones_like(quotients), quotients), max=_LARGE))
    z = xp.where(goal > 0, goal, goal / e)
    for _ in range(_STEPS):
        rest = softplus(-z)
        w = xp.exp(-rest)
        step = (e * rest - softplus(z) + goal) / (e * (1 - w) + w)
        z = z + step
        if bool(xp.all(xp.abs(step) <= 1e-13 * (1 + xp.abs(z)))):
            break
    return xp.where(zero, xp.zeros_like(z), xp.exp(-softplus(-z)))


def softplus(z: Array) -> Array:
    """log(1 + exp(z)), without overflow."""
    xp = space_of(z).xp
    return xp.clip(z, min=0.0) + xp.log1p(xp.exp(-xp.abs(z)))


def factor(p: float, n: int) -> float:
    """Rows that p needs beyond those of p = 2, as a factor: ``max(1, p / 2 * n**(p/2 - 1))``.

    For p > 2, n**(p/2) rows are needed, and the weights of a steady stream add up to 2/p of the
    Lewis weights of all of its rows.
    """
    return max(1.0, p / 2 * math.pow(n, p / 2 - 1))
