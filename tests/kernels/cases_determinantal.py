"""Inputs for the twins of ``lrla/kernels/determinantal.py``."""

import numpy as np

DTYPES = ("f4", "f8", "c8", "c16")
BLAS = {"accept", "ldl"}


def draw(rng, shape, dtype):
    A = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        A = A + 1j * rng.standard_normal(shape)
    return A


def orthonormal(rng, m, i, dtype):
    return np.linalg.qr(draw(rng, (m, m), dtype))[0][:i].astype(dtype)


def accept():
    for dtype in DTYPES:
        for b, m, i in ((0, 3, 1), (1, 1, 0), (4, 1, 1), (9, 5, 0), (40, 12, 7), (64, 30, 30)):
            rng = np.random.default_rng([b, m, i, 90210])
            F = draw(rng, (b, m), dtype).astype(dtype)
            args = (F, rng.random(b), orthonormal(rng, m, m - i, dtype))
            yield f"{dtype}-{b}x{m}-{i}", args, 1e3 * float(np.finfo(dtype).eps)
    rng = np.random.default_rng(90210)
    F = draw(rng, (20, 6), "f8")
    F[5:9] = F[4]  # what joined cannot join again
    F[12] = 0
    yield "repeated", (F, np.zeros(20), np.eye(6)), 1e-12


def kernel_of(rng, n, dtype):
    V = np.linalg.qr(draw(rng, (n, n), dtype))[0]
    return ((V * rng.uniform(0.05, 0.95, n)) @ V.conj().T).astype(dtype)


def ldl():
    for dtype in DTYPES:
        for n in (0, 1, 2, 7, 130):
            rng = np.random.default_rng([n, 90210])
            K = kernel_of(rng, n, dtype) if n else np.zeros((0, 0), dtype)
            args = (K, rng.random(n))
            tolerance = 1e4 * float(np.finfo(dtype).eps)
            yield f"{dtype}-{n}-hermitian", (*args, True), tolerance
            yield f"{dtype}-{n}-general", (*args, False), tolerance
    rng = np.random.default_rng(6021)
    X = 0.2 * rng.standard_normal((60, 60))
    general = np.linalg.solve(np.eye(60) + X - X.T, X - X.T) * 0.5 + 0.5 * np.eye(60)
    yield "not-hermitian", (general, rng.random(60), False), 1e-10
