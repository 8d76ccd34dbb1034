"""Matrices on which ways to choose rows differ."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla._core.random import seed_of


def row_designs(m: int, n: int, *, rng: Any = None) -> dict[str, np.ndarray]:
    """Make matrices whose rows matter in different ways.

    Parameters
    ----------
    m, n : int
        Numbers of rows and columns; there are at least two columns.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    dict from str to array of shape (m, n)
        "gauss": rows alike. "heavy": entries of infinite variance. "rare": half of the columns live
        in a few rows each. "scales": rows of very different sizes. "poly": polynomials on a grid.
        "dummies": categories, half of the rows in the first, and one column of noise.

    Raises
    ------
    ValueError
        If there are fewer than two columns.

    Examples
    --------
    >>> from lrla.testing import row_designs
    >>> list(row_designs(100, 4, rng=7))
    ['gauss', 'heavy', 'rare', 'scales', 'poly', 'dummies']
    """
    if n < 2:
        raise ValueError(f"n must be at least 2, got {n}")
    numbers = np.random.default_rng(seed_of(rng))
    even = numbers.standard_normal((m, n))
    heavy = numbers.standard_t(1.2, (m, n))
    rare = even.copy()
    rare[:, n // 2 :] = 0
    for j in range(n // 2, n):
        rows = numbers.choice(m, min(m, 3 + 2 * (j - n // 2)), replace=False)
        rare[rows, j] = numbers.standard_normal(len(rows))
    scales = even * np.exp(2 * numbers.standard_normal(m))[:, None]
    poly = np.polynomial.chebyshev.chebvander(np.linspace(-1, 1, m), n - 1)
    dummies = np.zeros((m, n))
    dummies[np.arange(m), np.minimum(numbers.geometric(0.5, m) - 1, n - 2)] = 1
    dummies[:, -1] = numbers.standard_normal(m)
    return {
        "gauss": even,
        "heavy": heavy,
        "rare": rare,
        "scales": scales,
        "poly": poly,
        "dummies": dummies,
    }
