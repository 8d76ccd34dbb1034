"""Inputs for the twins of ``lrla/kernels/lp_sensitivity.py``."""

import numpy as np

TOL = 1e-6
STEPS = 40
# (rows asked for, rows of B, columns); the last is longer than a panel of the Gram matrix
SHAPES = ((0, 5, 2), (1, 1, 1), (3, 7, 1), (5, 9, 9), (18, 60, 5), (3, 700, 6))


def problem(k, m, n):
    """Make B with orthonormal columns and rows of different sizes, and rows of which B has some."""
    rng = np.random.default_rng([k, m, n, 90210])
    A = rng.standard_normal((m, n)) * rng.uniform(0.1, 10, (m, 1))
    B = np.linalg.qr(A)[0]
    rows = rng.standard_normal((k, n))
    rows[::2] = B[: len(rows[::2])]
    return rows, B


def newton():
    for k, m, n in SHAPES:
        for p in (1.25, 1.5, 2.3, 3.0, 6.0, 20.0):
            slack = 1.0 if p < 2 else m ** (0.5 - 1 / p)
            yield f"{k}-{m}x{n}-p{p}", (*problem(k, m, n), p, TOL, STEPS, slack), 1e-5
    rows, B = problem(4, 30, 3)
    rows[1, 2] = np.nan
    yield "nan", (rows, B, 1.5, TOL, STEPS, 1.0), 1e-5


def interior():
    for k, m, n in SHAPES:
        yield f"{k}-{m}x{n}", (*problem(k, m, n), TOL, STEPS, 1.0), 1e-5
    rows, B = problem(4, 30, 3)
    rows[1, 2] = np.nan
    yield "nan", (rows, B, TOL, STEPS, 1.0), 1e-5


def chebyshev():
    for k, m, n in SHAPES:
        yield f"{k}-{m}x{n}", (*problem(k, m, n), TOL, STEPS, m**0.5), 1e-5
    rows, B = problem(4, 30, 3)
    rows[1, 2] = np.nan
    yield "nan", (rows, B, TOL, STEPS, 30**0.5), 1e-5
