"""Sums of powers of residuals along a line: what an exact line search asks for."""

from __future__ import annotations

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel


@kernel
def power_line(r: Array, s: Array, v: Array, t: float, p: float) -> Array:
    """Compute ``sum(v abs(u)^p)`` for u = r - t s, and its derivatives by t over p.

    Parameters
    ----------
    r, s : array of shape (m,)
        Residuals, and their change along the line.
    v : array of shape (m,)
        Weights, not negative.
    t : float
        Place on the line.
    p : float
        Above one. Below two, an entry of u that is zero adds nothing to the second derivative.

    Returns
    -------
    array of shape (3,)
        The sum, ``-sum(v abs(u)^(p-2) u s)`` and ``(p - 1) sum(v abs(u)^(p-2) s^2)``.
    """
    xp = space_of(r).xp
    u = r - t * s
    size = xp.abs(u)
    if p < 2:
        zero = size == 0
        g = xp.where(zero, xp.zeros_like(v), v * xp.where(zero, xp.ones_like(u), size) ** (p - 2))
    else:
        g = v * size ** (p - 2)
    return xp.stack((xp.sum(g * u * u), -xp.sum(g * u * s), (p - 1) * xp.sum(g * s * s)))
