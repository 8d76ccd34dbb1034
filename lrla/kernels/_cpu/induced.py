"""Numba twin of `lrla.kernels.induced`: each point by itself.

The recurrence is contracted, because its chain of products and sums is the running time.
"""

import math

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run
from lrla.kernels.induced import CLOSE, STEPS, TERMS

_GRAIN = 256  # points in one piece of work for a thread


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
def _distribution(t, degree, base, a, b, constant, steps, terms):
    F, survival, w = _measure(t, base, a, b, constant, terms)
    before, p = 0.0, math.sqrt(w)
    gain = 0.0
    for k in range(1, degree + 1):
        # what waits for p is one product and one sum: the chain of these is the running time
        s = steps[k]
        before, p = p, (s[0] * t - s[1]) * p - s[2] * before
        gain += ((s[3] + s[4] * t) * p + s[5] * before) * p + (s[6] + s[7] * t) * before * before
    return F + gain, survival - gain, p * p


@jit
def _quantile(u, degree, base, a, b, constant, steps, out, limits, first, last):
    close, most, terms = limits
    for i in range(first, last):
        k = degree[i]
        below = u[i] <= 0.5
        v = u[i] if below else 1 - u[i]
        low, high, bulk = -1.0, 1.0, 1.0
        if base == 2:
            bulk = 4.0 * k + 2 * a + 2
            low, high = 0.0, bulk + 9 * math.sqrt(bulk) + 40
        elif base == 3:
            bulk = math.sqrt(4.0 * k + 2)
            low, high = -bulk - 9, bulk + 9
        t = -bulk * math.cos(math.pi * u[i])
        if base == 2:
            t = (bulk + t) / 2
        for _ in range(most):
            F, survival, density = _distribution(t, k, base, a, b, constant, steps, terms)
            error = v - F if below else survival - v
            if error > 0:
                low = t
            else:
                high = t
            step = error / _away(density)
            inside = low < t + step < high
            scale = 1.0 if base == 3 else t if base == 2 else 1 - abs(t)
            done = abs(step) <= close * scale
            if abs(error) <= 2e-15 * v or (done and not inside):
                break
            new = t + step if inside else (low + high) / 2
            done = done or new == t
            t = new
            if done:
                break
        out[i] = t


def quantile(u, degree, law):
    """See `lrla.kernels.induced.quantile`."""
    out = np.empty(u.shape[0])
    limits = (CLOSE, STEPS, TERMS)
    steps = np.ascontiguousarray(law.steps.T)
    a, b, c = law.steps[:3, :-1]
    steps[1:, :3] = np.stack([c, a * c, b * c], axis=1)
    measure = (law.base, law.a, law.b, law.log_constant, steps)
    work = 1e-6 * u.shape[0]
    run(
        lambda a, b: _quantile(u, degree, *measure, out, limits, a, b),
        ranges(u.shape[0], _GRAIN),
        work=work,
    )
    return out
