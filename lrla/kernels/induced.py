"""Quantiles of induced distributions: p_k^2 dmu, for the k-th orthonormal function of a family.

Draws of their mixtures are the draws of the Christoffel measure of a space (Narayan, "Computation
of induced orthogonal polynomial distributions", ETNA 50, 2018). Here the distribution functions are
closed forms, which cost O(k).
"""

from __future__ import annotations

from typing import NamedTuple

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel

LEGENDRE = 0


class Law(NamedTuple):
    """The induced distributions of one family.

    Parameters
    ----------
    kind : int
        Which family.
    parameters : tuple of float
        Its parameters.
    """

    kind: int
    parameters: tuple[float, ...]


_STEPS = 100  # bisection alone ends in 60


def _legendre(t: Array, degree: Array, top: int) -> tuple[Array, Array]:
    """Return F_k(t) and its density: F_k = F_(k-1) + (t (P_k^2 + P_(k-1)^2) - 2 P_k P_(k-1)) / 2."""
    xp = space_of(t).xp
    F, before, P = (1 + t) / 2, xp.zeros_like(t), xp.ones_like(t)
    for k in range(1, top + 1):
        here = degree >= k
        before, P = (
            xp.where(here, P, before),
            xp.where(here, ((2 * k - 1) * t * P - (k - 1) * before) / k, P),
        )
        F = xp.where(here, F + (t * (P * P + before * before) - 2 * P * before) / 2, F)
    return F, (2 * xp.astype(degree, xp.float64) + 1) * P * P / 2


@kernel
def quantile(u: Array, degree: Array, law: Law) -> Array:
    """Find t with ``F_k(t) = u`` for each u and its degree k, by Newton's method in a bracket.

    Parameters
    ----------
    u : array of shape (n,)
        Probabilities in [0, 1), float64.
    degree : array of int64, shape (n,)
        Degrees.
    law : Law
        The family.

    Returns
    -------
    array of shape (n,)
        Quantiles, in the standard variable of the family.
    """
    space = space_of(u)
    xp = space.xp
    if u.shape[0] == 0:
        return xp.zeros_like(u)
    top = int(xp.max(degree))
    # the densities are even: the lower half is enough, and has the better relative accuracy
    v = xp.minimum(u, 1 - u)
    low, high = xp.zeros_like(v) - 1, xp.zeros_like(v)
    t = -xp.cos(3.141592653589793 * v)
    for _ in range(_STEPS):
        F, density = _legendre(t, degree, top)
        left = v > F
        low, high = xp.where(left, t, low), xp.where(left, high, t)
        step = (v - F) / xp.where(density > 0, density, xp.ones_like(density))
        new = t + step
        new = xp.where((new > low) & (new < high), new, (low + high) / 2)
        done = (xp.abs(F - v) <= 1e-15) | (high - low <= 2e-16)
        if bool(xp.all(done)):
            break
        t = xp.where(done, t, new)
    return xp.where(u > 0.5, -t, t)
