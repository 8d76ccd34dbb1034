"""Numba twin of `lrla.kernels.induced`: 16 points of one degree at a time.

Each point is in a lane of its own, which the next one takes when it is done, so that none depends
on those beside it. The recurrence is contracted: its chain of products and sums is the running time.
"""

import math

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run
from lrla.kernels.induced import CLOSE, STEPS

_GRAIN = 1024  # points in one piece of work for a thread


@jit
def _away(x):
    return 1e-300 if abs(x) < 1e-300 else x


@jit
def _beta_fraction(x, p, q, terms):
    c, d = 1.0, 1 / _away(1 - (p + q) * x / (p + 1))
    h = d
    for m in range(1, terms):
        before = h
        factor = m * (q - m) * x / ((p + 2 * m - 1) * (p + 2 * m))
        d = 1 / _away(1 + factor * d)
        c = _away(1 + factor / c)
        h *= c * d
        factor = -(p + m) * (p + q + m) * x / ((p + 2 * m) * (p + 2 * m + 1))
        d = 1 / _away(1 + factor * d)
        c = _away(1 + factor / c)
        h *= c * d
        if abs(h - before) <= 3e-16 * abs(h):
            break
    return h


@jit
def _beta(t, a, b, w, terms):
    x, p, q = (1 + t) / 2, b + 1, a + 1
    lower = x * (a + b + 4) < b + 2
    if not lower:
        x, p, q = (1 - t) / 2, q, p
    tail = w * (1 - t * t) / (2 * p) * _beta_fraction(x, p, q, terms)
    return (tail, 1 - tail) if lower else (1 - tail, tail)


@jit
def _gamma(x, s, power, terms):
    if x < s + 1:
        term = 1 / s
        total = term
        for m in range(1, terms):
            term *= x / (s + m)
            total += term
            if term <= 1e-17 * total:
                break
        return power * total, 1 - power * total
    b = x + 1 - s
    c, d = 1e300, 1 / b
    h = d
    for m in range(1, terms):
        before = h
        factor = -m * (m - s)
        b += 2
        d = 1 / _away(factor * d + b)
        c = _away(b + factor / c)
        h *= c * d
        if abs(h - before) <= 3e-16 * abs(h):
            break
    return 1 - power * h, power * h


@jit
def _measure(t, base, a, b, constant, terms):
    if base == 0:
        return (1 + t) / 2, (1 - t) / 2, 0.5
    if base == 1:
        w = math.exp(a * math.log(_away(1 - t)) + b * math.log(_away(1 + t)) + constant)
        w = w if abs(t) < 1 else 0.0
        F, survival = _beta(t, a, b, w, terms)
        return F, survival, w
    if base == 2:
        w = math.exp(a * math.log(_away(t)) - t + constant) if t > 0 else 0.0
        F, survival = _gamma(t, a + 1, w * t, terms)
        return F, survival, w
    root = math.sqrt(0.5)
    w = math.exp(-t * t / 2 + constant)
    return math.erfc(-t * root) / 2, math.erfc(t * root) / 2, w


@jit(fastmath={"contract"})
def _climb(t, degree, steps, p, before, gain):
    """Run the recurrence for all lanes, and sum up what the distribution functions gain."""
    for k in range(1, degree + 1):
        a, b, c = steps[k, 0], steps[k, 1], steps[k, 2]
        q0, q1, q2, q3, q4 = steps[k, 3], steps[k, 4], steps[k, 5], steps[k, 6], steps[k, 7]
        for i in range(16):
            x, y = t[i], p[i]
            z = (a * x - b) * y - c * before[i]
            gain[i] += ((q0 + q1 * x) * z + q2 * y) * z + (q3 + q4 * x) * y * y
            before[i] = y
            p[i] = z


@jit
def _start(u, k, base, a):
    """Return a bracket and a first guess."""
    low, high, bulk = -1.0, 1.0, 1.0
    if base == 2:
        bulk = 4.0 * k + 2 * a + 2
        low, high = 0.0, bulk + 9 * math.sqrt(bulk) + 40
    elif base == 3:
        bulk = math.sqrt(4.0 * k + 2)
        low, high = -bulk - 9, bulk + 9
    t = -bulk * math.cos(math.pi * u)
    return low, high, (bulk + t) / 2 if base == 2 else t


@jit
def _step(t, v, error, density, low, high, base, close):
    """Return the next point and whether it is the last."""
    step = error / _away(density)
    inside = low < t + step < high
    scale = 1.0 if base == 3 else t if base == 2 else 1 - abs(t)
    done = abs(step) <= close * scale
    if abs(error) <= 2e-15 * v or (done and not inside):
        return t, True
    new = t + step if inside else (low + high) / 2
    return new, done or new == t


@jit
def _quantile(u, degree, order, base, a, b, constant, steps, out, limits, first, last):
    """Solve for the points numbered in order[first:last], whose degrees rise."""
    close, most, terms = limits
    t, F, survival = np.zeros(16), np.empty(16), np.empty(16)
    p, before, gain = np.empty(16), np.empty(16), np.empty(16)
    low, high = np.empty(16), np.empty(16)
    place, turns = np.full(16, -1), np.zeros(16, np.int64)
    while first < last:
        k = degree[order[first]]
        busy = True
        while busy:
            busy = False
            for i in range(16):  # whoever is done makes room for the next of this degree
                if place[i] < 0 and first < last and degree[order[first]] == k:
                    place[i], turns[i] = order[first], 0
                    low[i], high[i], t[i] = _start(u[place[i]], k, base, a)
                    first += 1
                busy |= place[i] >= 0
                F[i], survival[i], w = _measure(t[i], base, a, b, constant, terms)
                p[i], before[i], gain[i] = math.sqrt(w), 0.0, 0.0
            if not busy:
                break
            _climb(t, k, steps, p, before, gain)
            for i in range(16):
                if place[i] < 0:
                    continue
                x = u[place[i]]
                v = x if x <= 0.5 else 1 - x
                error = v - (F[i] + gain[i]) if x <= 0.5 else (survival[i] - gain[i]) - v
                if error > 0:
                    low[i] = t[i]
                else:
                    high[i] = t[i]
                t[i], done = _step(t[i], v, error, p[i] * p[i], low[i], high[i], base, close)
                turns[i] += 1
                if done or turns[i] == most:
                    out[place[i]] = t[i]
                    place[i] = -1


def quantile(u, degree, law):
    """See `lrla.kernels.induced.quantile`."""
    out = np.empty(u.shape[0])
    limits = (CLOSE, STEPS, law.terms)
    steps = np.ascontiguousarray(law.steps.T)
    a, b, c = law.steps[:3, :-1]
    steps[1:, :3] = np.stack([c, a * c, b * c], axis=1)
    narrow = np.min_scalar_type(steps.shape[0])  # short integers are sorted by their digits
    order = np.argsort(degree.astype(narrow), kind="stable")
    measure = (law.base, law.a, law.b, law.log_constant, steps)
    work = 1e-6 * u.shape[0]
    run(
        lambda a, b: _quantile(u, degree, order, *measure, out, limits, a, b),
        ranges(u.shape[0], _GRAIN),
        work=work,
    )
    return out
