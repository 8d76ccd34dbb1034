"""Inputs for the twins of ``lrla/kernels/orthogonal.py``."""

import numpy as np

from lrla.kernels.orthogonal import Product

EPS = float(np.finfo(float).eps)


def product(kinds, degree):
    """All columns of the tables of two coordinates, and all products of them."""
    width = 2 * degree + 1
    first = np.arange(len(kinds) + 1) * width
    k = np.arange(first[-1]) % width
    recurrence = np.stack([0.1 + 0 * k, 0.5 + 0 * k, 2.0 + 0 * k])
    parent, factor, levels = [0], [0], [0, 1]
    parent += [0] * (width - 1) * len(kinds)
    factor += [f for f in range(first[-1]) if f % width]
    levels.append(len(parent))
    if len(kinds) > 1:
        for p in range(1, width):
            parent += [p] * (width - 1)
            factor += range(width + 1, 2 * width)
        levels.append(len(parent))
    slot = np.arange(len(parent))[::-2].copy()
    parent, factor = np.array(parent), np.array(factor)
    return Product(kinds, first, recurrence, parent, factor, tuple(levels), slot)


def points():
    for kinds in ((0,), (1,), (2,), (0, 0), (0, 1), (0, 2), (1, 2)):
        for n in (0, 1, 31, 1100):
            T = np.random.default_rng([n, 90210]).uniform(-1, 1, (n, len(kinds)))
            label = "".join("pte"[k] for k in kinds)
            yield f"{label}-{n}", T, product(kinds, 5), 2 not in kinds and 1 not in kinds
    T = np.random.default_rng(6021).uniform(-1, 1, (40, 2))
    T[7, 1] = np.nan
    yield "nan", T, product((0, 0), 4), True
    one = Product((0,), np.array([0, 1]), np.zeros((3, 1)), np.array([0]), np.array([0]), (0, 1),
                  np.array([0]))  # fmt: skip
    yield "constant", T[:7, :1], one, True


def product_values():
    for label, T, what, exact in points():
        yield label, (T, what), 0 if exact else 50 * EPS


def product_squares():
    for label, T, what, _ in points():
        yield label, (T, what), 50 * EPS
