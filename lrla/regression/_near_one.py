"""Norms just above one: an interior point, where Newton's method would see nothing but kinks.

As p falls to one, the derivative of ``abs(r)^p`` becomes a step, and a residual no longer tells its
dual variable: those of 1e-16 and of 1e-300 have dual variables 0.96 and 0.5 for p = 1.001. So both
are unknowns. Residuals are split into their positive and negative parts u and l, and
``sum(w (u^p + l^p)) / p`` is minimised under ``A x + u - l = b``. That is the dual problem of p = 1,
in the box ``-w <= y <= w``, with bounds that move: ``-w l^(p - 1) <= y <= w u^(p - 1)``. Powers
change slowly where their logarithm does, so that the logarithmic barrier of u and l suits them: the
iterations are as many as for p = 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lrla._core.arrays import Array, space_of
from lrla._core.iteration import Loop
from lrla._core.results import Status
from lrla.regression._normal import Normal
from lrla.regression._norms import dual_norm, power_norm, real_dot
from lrla.regression._one import Minimum, equations

_FLOOR = 0.1  # of the mean residual: what the parts of all residuals exceed at first
_BOUNDARY = 0.995  # of the way to the nearest bound
PATIENCE = 4  # iterations without progress that are called stagnation


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """Parts of residuals, distances of y to its bounds, which are their multipliers, and y.

    Parameters
    ----------
    parts : array of shape (2, m)
        Positive and negative parts u and l of the residuals.
    slack : array of shape (2, m)
        ``w u^(p - 1) - y`` and ``w l^(p - 1) + y``, up to second-order terms.
    y : array of shape (m,)
        Dual variables, with A^T y = 0.
    """

    parts: Array
    slack: Array
    y: Array


def split(rows: Any, r: Array, v: Array, p: float, tol: float, loop: Loop) -> Minimum:
    """Minimise ``sum(abs(v (r - A z))^p)``, for real data.

    Parameters
    ----------
    rows : Rows or BlockRows
        The data A.
    r : array of shape (m,)
        Residual at z = 0, of least squares as a rule.
    v : array of shape (m,)
        Scales of the rows, at most one: roots of weights.
    p : float
        Above one.
    tol : float
        Gap to reach, relative to the norm.
    loop : Loop
        Counts the iterations and reports the gap.
    """
    xp, w = rows.space.xp, v**p
    z, unit = rows.space.zeros((rows.k,), r.dtype), float(xp.sum(abs(r))) / rows.count
    r = r / unit
    parts = xp.stack((xp.maximum(r, xp.zeros_like(r)), xp.maximum(-r, xp.zeros_like(r)))) + _FLOOR
    state = _State(parts, w * parts ** (p - 1), xp.zeros_like(r))
    best, highest, previous, waited = state.y, 0.0, math.inf, 0
    for _ in loop:
        length = dual_norm(state.y, w, p)
        bound = real_dot(state.y, r) / length if length > 0 else 0.0
        if bound > highest:
            best, highest = state.y, bound
        size = power_norm(r, w, p)
        gap = loop.report(max(size - highest, 0.0) / size if size > 0 else 0.0, unit * z)
        waited = 0 if gap < 0.9 * previous else waited + 1
        previous = min(gap, previous)
        if gap <= tol:
            loop.stop(Status.CONVERGED)
        elif waited > PATIENCE and gap < 1e-6:
            loop.stop(Status.STAGNATED)
        if loop.status is not None:
            break
        dz, s, step = _direction(rows, r, w, p, state)
        t = _length(state, step, _BOUNDARY)
        z, r = z + t * dz, r - t * s
        state = _State(
            state.parts + t * step.parts, state.slack + t * step.slack, state.y + t * step.y
        )
    return Minimum(unit * z, best / v)


def _direction(
    rows: Any, r: Array, w: Array, p: float, state: _State
) -> tuple[Array, Array, _State]:
    """Mehrotra's direction: the affine one says how far to centre, and its second-order terms.

    Linearised, the equations leave ``A^T q A dz = A^T (q h + y)`` with weights q and a vector h of
    what is to be made up for: the rest of the residuals, and what products of parts and slack are
    to become.
    """
    xp = rows.space.xp
    parts, slack, y = state.parts, state.slack, state.y
    sign = rows.space.asarray([[1.0], [-1.0]], r.dtype)
    bounds = w * parts ** (p - 1)
    off = bounds - sign * y - slack  # what the power has bent away since the last iteration
    bent = slack + (p - 1) * bounds
    q = 1 / xp.sum(parts / bent, axis=0)
    rest = r - (parts[0, :] - parts[1, :])
    product = parts * slack

    def solve(normal: Normal | None, target: Array) -> tuple[Normal, Array, Array, _State]:
        """Lead the products of parts and slack to a target."""
        target = target - product - parts * off
        h = q * (rest - xp.sum(sign * target / bent, axis=0))
        if normal is None:
            G, rhs = equations(rows, q, h + y)
            normal = Normal(G)
        else:
            rhs = rows.adjoint((h + y)[None, :])[0, :]
        dz = normal.solve(rhs)
        s = rows.product(dz)
        dy = h - q * s
        change = (target + sign * parts * dy) / bent
        bend = (p - 1) * bounds / parts
        return normal, dz, s, _State(change, bend * change - sign * dy + off, dy)

    normal, _, _, step = solve(None, xp.zeros_like(product))
    t = _length(state, step, 1.0)
    now = float(xp.sum(product))
    ahead = float(xp.sum((parts + t * step.parts) * (slack + t * step.slack)))
    centre = (max(ahead, 0.0) / now) ** 3 * now / (2 * rows.m)
    _, dz, s, step = solve(normal, centre - step.parts * step.slack)
    return dz, s, step


def _length(state: _State, step: _State, fraction: float) -> float:
    """Return how far to go: so much of the way to where a part or a slack is zero, at most all."""
    xp = space_of(state.y).xp
    pairs = ((state.parts, step.parts), (state.slack, step.slack))
    nearest = max(float(xp.max(-change / value)) for value, change in pairs)
    return min(1.0, fraction / max(nearest, 1e-300))
