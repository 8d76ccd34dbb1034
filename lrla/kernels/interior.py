"""What an interior-point iteration does to each row, between two products with the data.

The problem has one dual variable y for each row, between a lower and an upper bound. Its state is
(a, s, z, w): the distances a = y - lower and s = upper - y, both kept because either may be far
smaller than y, and their multipliers. Rows do not know of one another but by the products that the
caller makes: every function here is one pass over the rows.
"""

from __future__ import annotations

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel


@kernel
def interior_update(
    state: Array, step: Array, bounds: Array, primal: float, dual: float, curvature: float
) -> tuple[Array, Array, Array, Array]:
    """Take a step, and prepare the normal equations.

    Parameters
    ----------
    state : array of shape (4, m)
        Distances to the bounds and their multipliers: a, s, z, w.
    step : array of shape (3, m)
        Directions of a, z and w; that of s is the one of a, negated.
    bounds : array of shape (2, m)
        Lower and upper bounds of y.
    primal, dual : float
        How far to go in a and s, and in z and w.
    curvature : float
        Coefficient of ``-y**2 / 2`` in the dual objective.

    Returns
    -------
    state : array of shape (4, m)
        The new one.
    q : array of shape (m,)
        Weights of the normal equations, ``1 / (curvature + z / a + w / s)``.
    V : array of shape (2, m)
        ``q * (w - z)`` and y.
    sums : array of shape (2,)
        Of ``a z + s w`` and of ``y (w - z)``.
    """
    xp = space_of(state).xp
    a, s = state[0, :] + primal * step[0, :], state[1, :] - primal * step[0, :]
    z, w = state[2, :] + dual * step[1, :], state[3, :] + dual * step[2, :]
    y = xp.where(a < s, bounds[0, :] + a, bounds[1, :] - s)
    q = 1 / (curvature + z / a + w / s)
    sums = xp.stack((xp.sum(a * z + s * w), xp.sum(y * (w - z))))
    return xp.stack((a, s, z, w)), q, xp.stack((q * (w - z), y)), sums


@kernel
def interior_predict(state: Array, q: Array, t: Array) -> tuple[Array, Array, Array]:
    """Find the affine direction, how far it leads, and what the corrector needs of it.

    Parameters
    ----------
    state : array of shape (4, m)
        As for `interior_update`.
    q : array of shape (m,)
        Weights of the normal equations.
    t : array of shape (m,)
        The data times the affine direction of the coefficients.

    Returns
    -------
    dy : array of shape (m,)
        Affine direction of y.
    E : array of shape (2, m)
        What centring by one unit, and the second-order terms, add to ``q * h``.
    sums : array of shape (4,)
        Of ``dy (z - w)`` and ``dy (dz - dw)``; then the largest of ``-da / a, -ds / s``, and of
        ``-dz / z, -dw / w``: steps up to one over these stay inside.
    """
    xp = space_of(state).xp
    a, s, z, w = (state[k, :] for k in range(4))
    dy = q * (w - z - t)
    low, high = dy / a, dy / s
    dz, dw = -z * (1 + low), w * (high - 1)
    E = xp.stack((q / a - q / s, -q * dy * (dz / a + dw / s)))
    sums = (
        xp.sum(dy * (z - w)),
        xp.sum(dy * (dz - dw)),
        xp.maximum(xp.max(-low), xp.max(high)),
        1 + xp.maximum(xp.max(low), xp.max(-high)),
    )
    return dy, E, xp.stack(sums)


@kernel
def interior_correct(
    state: Array, q: Array, dy: Array, t: Array, centre: float
) -> tuple[Array, Array]:
    """Find the corrected direction and how far it leads.

    Parameters
    ----------
    state : array of shape (4, m)
        As for `interior_update`.
    q : array of shape (m,)
        Weights of the normal equations.
    dy : array of shape (m,)
        Affine direction of y.
    t : array of shape (m,)
        The data times the corrected direction of the coefficients.
    centre : float
        Value that ``a z`` and ``s w`` are led to.

    Returns
    -------
    step : array of shape (3, m)
        As `interior_update` takes it.
    ratios : array of shape (2,)
        As the last two sums of `interior_predict`.
    """
    xp = space_of(state).xp
    a, s, z, w = (state[k, :] for k in range(4))
    below = (centre + dy * z * (1 + dy / a)) / a  # what centring and second order give to z
    above = (centre + dy * w * (dy / s - 1)) / s
    step = q * (w - z - t + below - above)
    low, high = step / a, step / s
    dz, dw = below - z * (1 + low), above + w * (high - 1)
    ratios = (
        xp.maximum(xp.max(-low), xp.max(high)),
        xp.maximum(xp.max(-dz / z), xp.max(-dw / w)),
    )
    return xp.stack((step, dz, dw)), xp.stack(ratios)
