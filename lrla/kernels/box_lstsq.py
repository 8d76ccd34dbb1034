"""Small least-squares problems with bounded coefficients, from their normal equations."""

from __future__ import annotations

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel

STEPS = 200  # bounds met or left; seldom more than there are coefficients
SLACK = 1e-12  # of a multiplier, relative to the terms that it is the sum of


@kernel
def box_lstsq(G: Array, h: Array, bound: Array, x0: Array) -> Array:
    """Minimise ``x @ G @ x / 2 - h @ x`` subject to ``abs(x) <= bound``.

    Parameters
    ----------
    G : array of shape (n, n), float64
        Symmetric and positive definite.
    h, bound : array of shape (n,), float64
        Right-hand side, and bounds, which are positive.
    x0 : array of shape (n,), float64
        Where to start: the result does not depend on it, the number of steps does.

    Returns
    -------
    array of shape (n,)
        The minimiser.

    Notes
    -----
    The active-set method of Stark and Parker, "Bounded-variable least-squares" (Computational
    Statistics 10, 1995), started with all coefficients free that are between their bounds. Each
    step lowers the objective or fixes a coefficient, so it is finite.
    """
    space = space_of(G)
    xp = space.xp
    n = h.shape[0]
    eye, index = space.eye(n, xp.float64), xp.arange(n, device=space.device)
    x = xp.where(x0 > bound, bound, xp.where(x0 < -bound, -bound, x0))
    zero, free = xp.zeros_like(x), xp.abs(x) < bound
    for _ in range(STEPS):
        fixed = xp.where(free, zero, x)
        system = xp.where(free[:, None] & free[None, :], G, eye)
        side = xp.where(free, h - G @ fixed, fixed)
        goal = xp.linalg.solve(system, side[:, None])[:, 0]
        outside = xp.abs(goal) > bound
        if bool(xp.any(outside)):  # go to the first bound in the way, and fix that coefficient
            move = goal - x
            wall = xp.where(move > 0, bound, -bound)
            share = (wall - x) / xp.where(outside, move, zero + 1.0)
            first = index == xp.argmin(xp.where(outside, share, zero + 2.0))
            x = xp.where(first, wall, x + xp.min(xp.where(outside, share, zero + 2.0)) * move)
            free = free & ~first
            continue
        x = goal
        slope = G @ x - h
        size = xp.abs(G) @ xp.abs(x) + xp.abs(h)
        inward = xp.where(free, zero, xp.where(x > 0, slope, -slope) - SLACK * size)
        if not bool(xp.any(inward > 0)):
            break
        free = free | (index == xp.argmax(inward))
    return x
