"""Inputs for the twin of ``lrla/kernels/pivoted_qr.py``."""

import numpy as np

BLAS = {"pivoted_qr"}
DTYPES = ("f4", "f8", "c8", "c16")
# fewer columns than candidates, and more; few steps, and most (for which LAPACK is asked)
SHAPES = ((0, 3, 2), (3, 0, 2), (1, 1, 1), (5, 3, 3), (6, 40, 6), (30, 300, 20), (40, 20, 15))


def draw(shape, dtype):
    rng = np.random.default_rng([*shape, 90210])
    A = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        A = A + 1j * rng.standard_normal(shape)
    return A


def decaying(m, n, ratio, dtype="f8"):
    """Singular values fall by a constant ratio."""
    U, V = (np.linalg.qr(draw((size, min(m, n)), dtype))[0] for size in (m, n))
    return (U * ratio ** np.arange(min(m, n))) @ V.conj().T


def pivoted_qr():
    for dtype in DTYPES:
        eps = float(np.finfo(dtype).eps)
        for m, n, k in SHAPES:
            yield f"{dtype}-{m}x{n}-{k}", (draw((m, n), dtype).astype(dtype), k), 50 * eps
        # norms are computed afresh, several times, and have half of their digits in between
        A = decaying(40, 300, 0.7 if eps < 1e-10 else 0.85, dtype).astype(dtype)
        yield f"{dtype}-decaying", (A, 30), 10 * eps**0.5
        scaled = draw((20, 200), dtype) * 10.0 ** np.linspace(-6, 6, 200)
        yield f"{dtype}-graded", (scaled.astype(dtype), 15), 1e3 * eps
    low = draw((30, 7), "f8") @ draw((7, 200), "f8")
    yield "low-rank", (low, 20), 1e-13
    yield "low-rank-most", (low[:, :25], 20), 1e-13
    yield "zeros", (np.zeros((4, 200)), 3), 0
    yield "zero-columns", (draw((20, 300), "f8") * (np.arange(300) % 3 == 0), 15), 1e-13
    yield "equal-columns", (np.tile(np.eye(5), 60), 5), 0
    yield "orthonormal", (np.eye(200), 60), 0
    yield "orthonormal-all", (np.eye(30), 30), 0
    for scale in (1e-150, 1e150):
        yield f"{scale}", (scale * draw((20, 200), "f8"), 10), 1e-13
