"""Designs on which ways to sample rows differ."""

import numpy as np


def designs(m, n, seed=90210):
    """Yield (name, matrix): even rows, heavy rows, rare columns, scales, polynomials, dummies."""
    rng = np.random.default_rng(seed)
    even = rng.standard_normal((m, n))
    yield "gauss", even
    yield "heavy", rng.standard_t(1.2, (m, n))
    rare = even.copy()
    rare[:, n // 2 :] = 0
    for j in range(n // 2, n):
        rows = rng.choice(m, 3 + 2 * (j - n // 2), replace=False)
        rare[rows, j] = rng.standard_normal(len(rows))
    yield "rare", rare
    yield "scales", even * np.exp(2 * rng.standard_normal(m))[:, None]
    yield "poly", np.polynomial.chebyshev.chebvander(np.linspace(-1, 1, m), n - 1)
    dummies = np.zeros((m, n))
    dummies[np.arange(m), np.minimum(rng.geometric(0.5, m) - 1, n - 2)] = 1
    dummies[:, -1] = rng.standard_normal(m)
    yield "dummies", dummies
