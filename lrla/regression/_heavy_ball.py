"""The inner iteration of FOSSILS: gradient descent with momentum, without inner products."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint
from lrla.regression._factor import Factor
from lrla.regression._problem import Problem
from lrla.regression._refine import Done, Inner

_INNER = 100
_IDLE = 10
_LANCZOS = 8


def heavy_ball(ratio: float) -> Inner:
    """Return the iteration for a sketch with n / d = ratio.

    Y_{k+1} = Y_k + alpha (C - M Y_k) + beta (Y_k - Y_{k-1}) with alpha = (1 - ratio)^2 and
    beta = ratio, the optimum for eigenvalues in [1/(1 + sqrt(ratio))^2, 1/(1 - sqrt(ratio))^2].
    If steps grow three times in a row or do not shrink in ten the eigenvalues lie outside, or what
    is left are rounding errors: the eigenvalues are measured, once, by eight Lanczos steps.
    """

    def inner(problem: Problem, factor: Factor, C: Array, done: Done) -> Array:
        def M(Y: Array) -> Array:
            return factor.adjoint_solve(problem.normal(factor.solve(Y)))

        xp = problem.space.xp
        alpha, beta = (1 - ratio) ** 2, ratio
        Y = previous = xp.zeros_like(C)
        last, grown, low, idle, measured = math.inf, 0, xp.inf, 0, False
        for _ in range(_INNER):
            R = C - M(Y)
            step = alpha * R + beta * (Y - previous)
            moved = linalg.norm(step, axis=0)
            grown = grown + 1 if float(xp.max(moved)) > last else 0
            if grown == 3 or idle == _IDLE:
                if measured:
                    break
                alpha, beta = _coefficients(xp, M, C)
                Y, last, grown, low, idle, measured = previous, math.inf, 0, xp.inf, 0, True
                continue
            previous, Y, last = Y, Y + step, float(xp.max(moved))
            less = moved < 0.5 * low
            low, idle = xp.where(less, moved, low), 0 if bool(xp.any(less)) else idle + 1
            if done(Y, R, moved):
                break
        return Y

    return inner


def _coefficients(xp: Any, M: Callable[[Array], Array], C: Array) -> tuple[float, float]:
    """Measure the extreme eigenvalues of M and return the optimal step and momentum."""
    largest = int(xp.argmax(linalg.norm(C, axis=0)))
    q = C[:, largest : largest + 1]
    q = q / linalg.norm(q)
    basis, a, b = [q], [], []
    for _ in range(min(_LANCZOS, C.shape[0])):
        w = M(basis[-1])
        a.append(float(linalg.dots(basis[-1], w)[0]))
        Q = xp.concat(basis, axis=1)  # full reorthogonalisation: few vectors
        w = w - Q @ (adjoint(Q) @ w)
        size = linalg.norm(w)
        if size <= 1e-8 * abs(a[0]):
            break
        b.append(size)
        basis.append(w / size)
    T = np.diag(a) + np.diag(b[: len(a) - 1], 1) + np.diag(b[: len(a) - 1], -1)
    low, high = np.linalg.eigvalsh(T)[[0, -1]]
    low, high = math.sqrt(max(low, 1e-4 * high) * 0.9), math.sqrt(high * 1.1)
    return 4 / (high + low) ** 2, ((high - low) / (high + low)) ** 2
