"""Inputs for the twin of ``lrla/kernels/downdate.py``."""

import numpy as np


def extremes_without():
    for dtype, tolerance in (("f4", 3e-6), ("f8", 1e-14)):
        for k, m in ((0, 3), (1, 1), (5, 1), (4, 2), (30, 7), (600, 5), (3, 60)):
            rng = np.random.default_rng([k, m, 90210])
            A = rng.standard_normal((k + m, m))
            values, V = np.linalg.eigh(A.T @ A)
            squares = (A[:k] @ V) ** 2
            yield f"{dtype}-{k}x{m}", (values.astype(dtype), squares.astype(dtype)), tolerance
    rng = np.random.default_rng(6021)
    squares = rng.uniform(0, 1, (8, 6))
    squares[:4, 0] = 0  # no root next to an end: the eigenvalue itself stays
    squares[2:6, 5] = 0
    squares[3:7, 4] = 0
    squares[7] = 0
    yield "zeros", (np.linspace(1, 3, 6), squares), 1e-14
    yield "equal", (np.ones(6), squares), 1e-14
    yield "small", (1e-150 * np.linspace(1, 3, 6), 1e-150 * squares), 1e-14
    yield "large", (1e150 * np.linspace(1, 3, 6), 1e150 * squares), 1e-14
