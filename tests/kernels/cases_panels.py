"""Inputs for the twins of ``lrla/kernels/panels.py``."""

import numpy as np

BLAS = {"panels"}
SHAPES = ((0, 3, 8), (1, 1, 8), (3, 4, 16), (2, 7, 24), (5, 21, 256))
TOLERANCE = 1e-13


def shapes():
    for count, n, width in SHAPES:
        rng = np.random.default_rng([count, n, width, 90210])
        yield f"{count}x{n}x{width}", rng, rng.standard_normal((count, n, width))


def panels():
    for m, n, k, width in ((0, 2, 2, 8), (1, 1, 1, 8), (20, 3, 2, 8), (600, 5, 5, 256)):
        rng = np.random.default_rng([m, n, k, width, 6021])
        for dtype in ("f4", "f8"):
            args = rng.standard_normal((m, n)).astype(dtype), rng.standard_normal((n, k)), width
            yield f"{dtype}-{m}x{n}x{k}-{width}", args, TOLERANCE


def panel_product():
    for label, rng, P in shapes():
        yield label, (P, rng.standard_normal(P.shape[1])), TOLERANCE
    P = np.random.default_rng(90210).standard_normal((2, 3, 8))
    P[1, 2, 5] = np.nan
    yield "nan", (P, np.ones(3)), TOLERANCE


def panel_adjoint():
    for label, rng, P in shapes():
        for c in (1, 2):
            yield f"{label}-{c}", (P, rng.standard_normal((c, P.shape[0] * P.shape[2]))), TOLERANCE


def panel_gram():
    for label, rng, P in shapes():
        yield label, (P, rng.uniform(-1, 2, P.shape[0] * P.shape[2])), TOLERANCE
    P = np.random.default_rng(90210).standard_normal((2, 5, 8))
    P[1, 4, 5] = np.inf
    yield "inf", (P, np.ones(16)), TOLERANCE
