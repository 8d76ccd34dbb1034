"""How much of an l_p norm one row can hold: many small convex problems over one matrix.

For each row a, minimise norm_p(B x) subject to a.x = 1. The inverse of the minimum, to the power p,
is the sensitivity of a. Every x with a.x = 1 bounds it from below, by norm_p(B x)**-p, and every y
from above: as a.x = y.Bx + (a - B^T y).x, it is at most
(norm_q(y) + slack * norm_2(a - B^T y))**p with 1/p + 1/q = 1, where ``slack`` is any number with
norm_2(x) <= slack * norm_p(B x) for all x. Both bounds are evaluated here at the end, so that they
hold whatever happened on the way.

The definitions treat all rows side by side, as a GPU likes it; the Numba twins one after the other.
B should be near to whitened (its rows divided by a square root of a quadratic form that resembles
the norm, such as that of the Lewis weights): the start is the minimum of norm_2(x).
"""

from __future__ import annotations

import math

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel

Bounds = tuple[Array, Array, Array]  # from below, from above, and the minimisers

_SHIFT = 1e-14  # relative growth of the diagonals that are factored: they stay definite
_SMALL = 1e-6  # for p < 2, relative size below which residuals weigh as if they had it
_LIGHT = 1e-14  # for p > 2, smallest weight relative to the largest
_SEARCH = 30  # evaluations of the slope in one line search, of which one is the rule
_INSIDE = 0.9995  # part of the way to the boundary
_SHORT = 0.1  # after a step shorter than this, the next one only keeps away from the boundary


@kernel
def newton(
    rows: Array, B: Array, p: float, tol: float, max_iter: int, slack: float
) -> tuple[Array, Array, Array]:
    """Bound the sensitivities of some rows, 1 < p < infinity.

    Parameters
    ----------
    rows : array, float64, shape (k, n)
        The rows, none of them zero.
    B : array, float64, shape (m, n)
        The matrix, of full column rank.
    p : float
        The norm.
    tol : float
        A row is done when its upper bound is at most ``1 + tol`` times its lower bound.
    max_iter : int
        Number of Newton steps after which it is given up.
    slack : float
        See the module.

    Returns
    -------
    lower, upper : array, float64, shape (k,)
        Bounds.
    X : array, float64, shape (k, n)
        The minimisers, with ``sum(rows * X, axis=1) == 1``.

    Notes
    -----
    A step solves the weighted least-squares problem with weights abs(B x)**(p - 2), moves x along
    the line towards its solution z, by 1 / (p - 1) of the way first, and takes y from z: it is
    feasible, and second-order accurate.
    """
    space = space_of(rows)
    xp = space.xp
    q = p / (p - 1)
    X, R, bounds = _begin(rows, B)
    for _ in range(max_iter):
        peak = xp.max(xp.abs(R), axis=1)[:, None]
        below = _sum_power(R, p) ** -p
        W = _weights(R, peak, p)
        Z = _solve(_gram(W, B, rows), rows)
        Z = Z / xp.sum(rows * Z, axis=1)[:, None]
        goal = Z @ B.T
        dual = W * goal / xp.sum(W * goal * goal, axis=1)[:, None]
        missed = _length(rows - dual @ B)
        above = (_sum_power(dual, q) + slack * missed) ** p
        bounds, active = _tightened(bounds, below, above, X, tol)
        if not bool(xp.any(active)):
            break
        step = _line_search(R, goal - R, peak, p)
        X = _pick(active, X + step * (Z - X), X)
        R = _pick(active, R + step * (goal - R), R)
    return bounds


@kernel
def interior(
    rows: Array, B: Array, tol: float, max_iter: int, slack: float
) -> tuple[Array, Array, Array]:
    """Bound the sensitivities of some rows for p = 1.

    Parameters
    ----------
    rows, B, tol, max_iter, slack
        As for `newton`.

    Returns
    -------
    lower, upper, X
        As for `newton`.

    Notes
    -----
    Mehrotra's predictor-corrector method on the dual linear program: maximise t over
    B^T y = t a, abs(y) <= 1, from y = 0; u and v are the multipliers of y <= 1 and y >= -1, the
    positive and the negative part of B x.
    """
    space = space_of(rows)
    xp = space.xp
    k, m = rows.shape[0], B.shape[0]
    X, R, bounds = _begin(rows, B)
    y, start = xp.zeros_like(R), xp.mean(xp.abs(R), axis=1)[:, None]
    u, v = (xp.abs(R) + R) / 2 + start, (xp.abs(R) - R) / 2 + start
    short = space.zeros((k, 1), xp.bool)
    for _ in range(max_iter + 1):
        held = y @ B
        t = xp.sum(held * rows, axis=1) / xp.sum(rows * rows, axis=1)
        below = 1 / xp.sum(xp.abs(X @ B.T), axis=1)
        ahead = t > 0
        t = xp.where(ahead, t, xp.ones_like(t))
        missed = _length(rows - held / t[:, None])
        above = xp.max(xp.abs(y), axis=1) / t + slack * missed
        above = xp.where(ahead, above, xp.zeros_like(above) + math.inf)
        bounds, active = _tightened(bounds, below, above, X, tol)
        if not bool(xp.any(active)):
            break
        s, z = 1 - y, 1 + y
        weight = 1 / (u / s + v / z)
        G = _gram(weight, B, rows)
        along = _solve(G, rows)
        _, dy = _towards(B, rows, G, weight, along, held, xp.zeros_like(y))
        du, dv = u * (dy / s - 1), -v * (dy / z + 1)
        a, b = _inside(u, du, v, dv), _inside(s, -dy, z, dy)
        gap = xp.sum(u * s + v * z, axis=1)[:, None]
        left = (u + a * du) * (s - b * dy) + (v + a * dv) * (z + b * dy)
        mu, second = _centre(xp.sum(left, axis=1)[:, None], gap, short, m)
        up, down = (mu + second * du * dy) / s, (mu - second * dv * dy) / z
        x, dy = _towards(B, rows, G, weight, along, held, up - down)
        du, dv = up + u * (dy / s - 1), down - v * (dy / z + 1)
        a, b = _INSIDE * _inside(u, du, v, dv), _INSIDE * _inside(s, -dy, z, dy)
        short = xp.minimum(a, b) < _SHORT
        a = xp.where(active[:, None], a, xp.zeros_like(a))
        b = xp.where(active[:, None], b, xp.zeros_like(b))
        X, u, v, y = X + a * (x - X), u + a * du, v + a * dv, y + b * dy
    return bounds


@kernel
def chebyshev(
    rows: Array, B: Array, tol: float, max_iter: int, slack: float
) -> tuple[Array, Array, Array]:
    """Bound the sensitivities of some rows for p = infinity, where they are a.x / max(abs(B x)).

    Parameters
    ----------
    rows, B, tol, max_iter, slack
        As for `newton`.

    Returns
    -------
    lower, upper, X
        As for `newton`.

    Notes
    -----
    Mehrotra's predictor-corrector method on the linear program: minimise c over
    abs(B x) <= c, a.x = 1; u and v are the multipliers of B x <= c and B x >= -c, and y is
    u - v over the t with B^T (u - v) = t a.
    """
    space = space_of(rows)
    xp = space.xp
    k, m = rows.shape[0], B.shape[0]
    X, R, bounds = _begin(rows, B)
    c = 1.5 * xp.max(xp.abs(R), axis=1)[:, None]
    u, v = 0.5 / (c - R), 0.5 / (c + R)
    total = xp.sum(u + v, axis=1)[:, None]
    u, v = u / total, v / total
    short = space.zeros((k, 1), xp.bool)
    for _ in range(max_iter + 1):
        held = (u - v) @ B
        t = xp.sum(held * rows, axis=1) / xp.sum(rows * rows, axis=1)
        below = 1 / xp.max(xp.abs(R), axis=1)
        ahead = t > 0
        t = xp.where(ahead, t, xp.ones_like(t))
        missed = _length(rows - held / t[:, None])
        above = xp.sum(xp.abs(u - v), axis=1) / t + slack * missed
        above = xp.where(ahead, above, xp.zeros_like(above) + math.inf)
        bounds, active = _tightened(bounds, below, above, X, tol)
        if not bool(xp.any(active)):
            break
        s, z = c - R, c + R
        plus, minus = u / s + v / z, u / s - v / z
        lean, stiff = minus @ B, xp.sum(plus, axis=1)[:, None]
        G = _gram(plus, B, rows) - lean[:, :, None] * (lean / stiff)[:, None, :]
        along, nothing = _solve(G, rows), xp.zeros_like(R)
        _, dR, dc = _slide(B, rows, G, lean, stiff, along, nothing, nothing)
        du, dv = -u * (1 + (dc - dR) / s), -v * (1 + (dc + dR) / z)
        a, b = _inside(s, dc - dR, z, dc + dR), _inside(u, du, v, dv)
        gap = xp.sum(u * s + v * z, axis=1)[:, None]
        left = (u + b * du) * (s + a * (dc - dR)) + (v + b * dv) * (z + a * (dc + dR))
        mu, second = _centre(xp.sum(left, axis=1)[:, None], gap, short, m)
        up = (mu - second * du * (dc - dR)) / s
        down = (mu - second * dv * (dc + dR)) / z
        dx, dR, dc = _slide(B, rows, G, lean, stiff, along, up, down)
        du, dv = up - u * (1 + (dc - dR) / s), down - v * (1 + (dc + dR) / z)
        a = _INSIDE * _inside(s, dc - dR, z, dc + dR)
        b = _INSIDE * _inside(u, du, v, dv)
        short = xp.minimum(a, b) < _SHORT
        a = xp.where(active[:, None], a, xp.zeros_like(a))
        b = xp.where(active[:, None], b, xp.zeros_like(b))
        X, R, c, u, v = X + a * dx, R + a * dR, c + a * dc, u + b * du, v + b * dv
    return bounds


def _begin(rows: Array, B: Array) -> tuple[Array, Array, Bounds]:
    """Start at the minimum of norm_2(x), with bounds that say nothing."""
    space = space_of(rows)
    X = rows / _inner(rows, rows)
    nothing = space.zeros((rows.shape[0],), rows.dtype)
    return X, X @ B.T, (nothing, nothing + math.inf, X)


def _tightened(
    bounds: Bounds, below: Array, above: Array, X: Array, tol: float
) -> tuple[Bounds, Array]:
    """Keep what is better than before; tell also which rows are not done."""
    lower, upper, best = bounds
    better = below > lower
    best, lower = _pick(better, X, best), _pick(better, below, lower)
    upper = _pick(above < upper, above, upper)
    return (lower, upper, best), upper > (1 + tol) * lower


def _towards(
    B: Array, rows: Array, G: Array, weight: Array, along: Array, held: Array, h: Array
) -> tuple[Array, Array]:
    """Solve the Newton system of `interior` for a right-hand side h: new x, and change of y."""
    rest = _solve(G, (weight * h) @ B - held)
    x = rest + along * ((1 - _inner(rows, rest)) / _inner(rows, along))
    return x, weight * (x @ B.T - h)


def _slide(
    B: Array, rows: Array, G: Array, lean: Array, stiff: Array, along: Array, up: Array, down: Array
) -> tuple[Array, Array, Array]:
    """Solve that of `chebyshev` for targets over slacks: changes of x, of B x and of c."""
    excess = space_of(up).xp.sum(up + down, axis=1)[:, None] - 1
    rest = _solve(G, lean * (excess / stiff) - (up - down) @ B)
    dx = rest - along * (_inner(rows, rest) / _inner(rows, along))
    return dx, dx @ B.T, (excess + _inner(lean, dx)) / stiff


def _inner(X: Array, Y: Array) -> Array:
    """Return the inner product of each row of X with that of Y, as a column."""
    return space_of(X).xp.sum(X * Y, axis=1)[:, None]


def _centre(left: Array, gap: Array, short: Array, m: int) -> tuple[Array, Array]:
    """Return the complementarity to aim at, by Mehrotra's rule, and the weight of second order."""
    xp = space_of(gap).xp
    mu, second = left**3 / gap**2 / (2 * m), xp.ones_like(gap)
    return xp.where(short, gap / (4 * m), mu), xp.where(short, 0 * second, second)


def _length(X: Array) -> Array:
    return space_of(X).xp.sum(X * X, axis=1) ** 0.5


def _pick(which: Array, x: Array, y: Array) -> Array:
    """Take the rows of x where ``which`` holds, those of y elsewhere."""
    return space_of(x).xp.where(which if x.ndim == 1 else which[:, None], x, y)


def _sum_power(R: Array, p: float) -> Array:
    """Return the l_p norm of each row."""
    xp = space_of(R).xp
    peak = xp.max(xp.abs(R), axis=1)
    V = xp.abs(R) / peak[:, None]
    return peak * xp.sum(V**p, axis=1) ** (1 / p)


def _weights(R: Array, peak: Array, p: float) -> Array:
    xp = space_of(R).xp
    V = xp.abs(R) / peak
    floor = _SMALL if p < 2 else _LIGHT ** (1 / (p - 2))
    return xp.where(floor < V, V, xp.full_like(V, floor)) ** (p - 2)


def _gram(W: Array, B: Array, rows: Array) -> Array:
    """Return B^T diag(w) B for each row w of W, its diagonal grown a little, plus c a a^T.

    The multiple of a a^T changes nothing where a.x = 1 is asked for, but x itself would else be
    nearly a null vector at the end.
    """
    space = space_of(B)
    xp = space.xp
    G = (B.T * W[:, None, :]) @ B
    G = G * (1 + _SHIFT * space.eye(B.shape[1], B.dtype))
    size = xp.sum(W * xp.sum(B * B, axis=1), axis=1) / xp.sum(rows * rows, axis=1)
    return G + size[:, None, None] * (rows[:, :, None] * rows[:, None, :])


def _solve(G: Array, right: Array) -> Array:
    return space_of(G).xp.linalg.solve(G, right[:, :, None])[:, :, 0]


def _inside(x: Array, dx: Array, y: Array, dy: Array) -> Array:
    """Return the largest step of at most 1 that keeps x and y from changing sign."""
    xp = space_of(x).xp
    most = xp.ones_like(x[:, :1])
    for value, change in ((x, dx), (y, dy)):
        falls = change < 0
        ratio = xp.where(falls, -value / xp.where(falls, change, -xp.ones_like(change)), 1.0 + most)
        most = xp.minimum(most, xp.min(ratio, axis=1)[:, None])
    return most


def _line_search(R: Array, move: Array, peak: Array, p: float) -> Array:
    """Find for each row where the slope of norm_p(R + step * move) falls to a tenth."""
    xp = space_of(R).xp
    first = xp.abs(_slopes(R, move, peak, p)[0])
    low = xp.zeros_like(first)
    high = low + math.inf
    step = low + 1 / (p - 1)
    for _ in range(_SEARCH):
        slope, bend = _slopes(R + step * move, move, peak, p)
        done = xp.abs(slope) <= 0.1 * first
        if bool(xp.all(done)):
            break
        low = xp.where(~done & (slope < 0), step, low)
        high = xp.where(~done & (slope > 0), step, high)
        guess = step - slope / bend
        limit = xp.where(high < math.inf, high, 4 * low)
        fits = (guess > low) & (guess < limit)
        guess = xp.where(fits, guess, (low + limit) / 2)
        step = xp.where(done, step, guess)
    return step


def _slopes(R: Array, move: Array, peak: Array, p: float) -> tuple[Array, Array]:
    """Return the first and second derivative of sum(abs(R / peak + step * move)**p) / p."""
    xp = space_of(R).xp
    W = _weights(R, peak, p)
    slope = xp.sum(W * R * move, axis=1)[:, None]
    return slope, (p - 1) * xp.sum(W * move * move, axis=1)[:, None]
