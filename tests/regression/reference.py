"""Slow, plain references for the tests of least squares."""

import numpy as np


def haar(rng, m, n, dtype=np.float64):
    """Draw m x n orthonormal columns from the Haar measure."""
    G = rng.standard_normal((m, n))
    if np.dtype(dtype).kind == "c":
        G = G + 1j * rng.standard_normal((m, n))
    Q, R = np.linalg.qr(G)
    d = np.diagonal(R)
    return Q * (d / np.abs(d))


def problem(seed, m, n, cond=1e3, residual=1e-3, dtype=np.float64, p=None):
    """Make A = U diag(logspace) V^H of norm 1, b = A x + r with unit x and r orthogonal to A.

    Returns A, b and the x that is exact for the numbers before they were rounded to ``dtype``.
    """
    rng = np.random.default_rng(seed)
    complex_ = np.dtype(dtype).kind == "c"
    k = 1 if p is None else p
    Q = haar(rng, m, min(m, n + k), dtype)
    V = haar(rng, n, n, dtype)
    s = np.logspace(0, -np.log10(cond), n)
    A = (Q[:, :n] * s) @ V.conj().T
    x = rng.standard_normal((n, k))
    if complex_:
        x = x + 1j * rng.standard_normal((n, k))
    x /= np.linalg.norm(x, axis=0)
    b = A @ x
    outside = Q[:, n:]
    if outside.shape[1] == k:
        b = b + residual * outside
    if p is None:
        b, x = b[:, 0], x[:, 0]
    return A.astype(dtype), b.astype(dtype), x


def augmented(A, b, weights=None, ridge=0.0):
    """Write weights and ridge as rows of a plain problem."""
    n = A.shape[1]
    if weights is not None:
        root = np.sqrt(np.asarray(weights, float))
        A = root[:, None] * A
        b = (root * b.T).T
    ridge = np.broadcast_to(np.asarray(ridge, float), (n,))
    if np.any(ridge > 0):
        A = np.concatenate([A, np.diag(np.sqrt(ridge)).astype(A.dtype)])
        b = np.concatenate([b, np.zeros((n, *b.shape[1:]), b.dtype)])
    return A, b


def backward_error(A, b, x, *, rank=None, equilibrate=True):
    """Evaluate the formula of Karlson and Walden by a full SVD of the equilibrated matrix.

    The size, relative in the Frobenius norm, of the smallest change of A for which x is a
    least-squares solution, within a factor sqrt(2). Residual and gradient are computed in extended
    precision. Of several right-hand sides the worst counts. ``rank`` leaves out directions that
    count as null. Exact for powers of two: columns of any size can be given.
    """
    wide = np.clongdouble if A.dtype.kind == "c" or b.dtype.kind == "c" else np.longdouble
    A, b, x = A.astype(wide), b.astype(wide), np.asarray(x).astype(wide)
    if b.ndim == 1:
        b, x = b[:, None], x[:, None]
    if equilibrate:
        size = np.sqrt(np.sum(np.abs(A) ** 2, axis=0))
        size[size == 0] = 1
        A, x = A / size, x * size[:, None]
    r = b - A @ x
    gradient = A.conj().T @ r
    small = np.complex128 if wide is np.clongdouble else np.float64
    norm_x = np.sqrt(np.sum(np.abs(x) ** 2, axis=0))
    norm_r = np.sqrt(np.sum(np.abs(r) ** 2, axis=0))
    _, s, Vh = np.linalg.svd(A.astype(small), full_matrices=False)
    worst = 0.0
    for j in range(b.shape[1]):
        if norm_x[j] == 0:
            continue
        omega = norm_r[j] / norm_x[j]
        # scaled before leaving extended precision, whose range is larger
        g = (gradient[:, j] / norm_x[j]).astype(small)
        c = (Vh @ g) / np.sqrt(s**2 + float(omega) ** 2)
        c = c[:rank]
        worst = max(worst, float(np.linalg.norm(c) / np.linalg.norm(s)))
    return worst
