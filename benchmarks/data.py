"""Problems that more than one benchmark solves."""

from __future__ import annotations

import numpy as np


def zipf_clusters(n, dimension=10, clusters=300, seed=2207_06503):
    """Make points in Gaussian clusters whose sizes follow Zipf's law."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, clusters + 1.0)
    centers = 4 * rng.standard_normal((clusters, dimension))
    member = rng.choice(clusters, n, p=weights / weights.sum())
    return centers[member] + 0.5 * rng.standard_normal((n, dimension))


def least_squares(m, n, digits, residual=1e-3, seed=2406_03468):
    """Make A of norm 1 and condition 10**digits, and b = A x + r with unit x and r orthogonal to A.

    The singular values are spaced evenly on a logarithmic scale; the singular vectors are random.
    """
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((m, n + 1)))[0]
    V = np.linalg.qr(rng.standard_normal((n, n)))[0]
    x = rng.standard_normal(n)
    A = (Q[:, :n] * np.logspace(0, -digits, n)) @ V.T
    return A, A @ (x / np.linalg.norm(x)) + residual * Q[:, n]


def sparse_least_squares(m=200_000, n=400, per_row=4, digits=5, residual=1e-3, seed=2406_03468):
    """Make a CSR matrix with about ``per_row`` random entries in each row.

    The last column repeats the one before but for a part in 10**digits, which gives the matrix a
    condition of about 2 * 10**digits: one small singular value, the kind that Krylov methods
    without preconditioner find quickly, and that scaling the columns does not remove.
    """
    from scipy.sparse import coo_array

    rng = np.random.default_rng(seed)
    rows = np.repeat(np.arange(m), per_row)
    columns = rng.integers(0, n - 1, m * per_row)
    values = rng.standard_normal(m * per_row)
    twin = columns == n - 2
    near = values[twin] * (1 + 10.0**-digits * rng.standard_normal(np.count_nonzero(twin)))
    entries = np.append(values, near)
    places = np.append(rows, rows[twin]), np.append(columns, np.full(near.size, n - 1))
    A = coo_array((entries, places), shape=(m, n)).tocsr()
    x, noise = rng.standard_normal(n), rng.standard_normal(m)
    return A, A @ (x / np.linalg.norm(x)) + residual * noise / np.linalg.norm(noise)


def backward_error(A, b, x):
    """Evaluate the normwise backward error of Karlson and Walden by the Gram matrix's eigenvectors.

    Relative to norm(A)_F, within a factor of sqrt(2). The eigenvectors come from a QR factorization
    and an SVD for dense data; the columns are taken as they are, as LAPACK does.
    """
    R = np.linalg.qr(A if isinstance(A, np.ndarray) else A.toarray(), mode="r")
    s, Vh = np.linalg.svd(R)[1:]
    r = b - A @ x
    omega = np.linalg.norm(r) / np.linalg.norm(x)
    c = (Vh @ (A.T @ r)) / np.sqrt(s**2 + omega**2)
    return float(np.linalg.norm(c) / np.linalg.norm(x) / np.linalg.norm(s))


def with_ridge(A, b, ridge):
    """Write a ridge as extra rows."""
    n = A.shape[1]
    return np.append(A, ridge**0.5 * np.eye(n), axis=0), np.append(b, np.zeros(n))


def row_designs(m, n, seed=2406_03468):
    """Make five tall matrices, from harmless to coherent, by name."""
    rng = np.random.default_rng(seed)
    rare = rng.standard_normal((m, n))
    rare[:, n // 2 :] *= rng.random((m, 1)) < 0.01
    dummies = np.zeros((m, n))
    dummies[np.arange(m), rng.integers(0, n - 2, m)] = 1
    dummies[:, -2:] = rng.standard_normal((m, 2))
    return {
        "normal": rng.standard_normal((m, n)),
        "heavy tails": rng.standard_t(1.2, (m, n)),
        "uneven rows": rng.standard_normal((m, n)) * np.exp(rng.normal(0, 2, (m, 1))),
        "rare columns": rare,
        "dummies": dummies,
    }


def leverage_exact(A):
    """Compute leverage scores in extended precision, of A preconditioned by a QR in double precision."""
    from scipy.linalg import qr, solve_triangular

    wide = np.longdouble
    A = A.astype(wide)
    T = np.eye(A.shape[1], dtype=wide)
    for _ in range(2):
        B = A @ T
        R = qr(B.astype(float), mode="r")[0][: A.shape[1]]
        T = T @ solve_triangular(R, np.eye(A.shape[1])).astype(wide)
    B = A @ T
    G = B.T @ B  # the identity, up to the rounding of double precision
    # G^-1 = I - E + E^2 - ... with E of order 1e-13
    E = G - np.eye(A.shape[1])
    return np.sum((B - (B @ E) + (B @ E) @ E) * B, axis=1)


def laplacian(*shape):
    """Make the Laplacian of a grid in CSR form, with int32 indices and zero boundary values."""
    import pyamg
    from scipy.sparse import csr_array

    return csr_array(pyamg.gallery.poisson(shape, format="csr").astype(np.float64))


def with_spectrum(m, n, name, seed=7):
    """Make a dense m x n matrix with singular values 0.9**i, 1/i, or fifty ones above 0.01."""
    i = np.arange(n)
    s = {"decaying": 0.9**i, "slow": 1 / (i + 1.0), "step": np.where(i < 50, 1.0, 0.01)}[name]
    rng = np.random.default_rng(seed)
    U = np.linalg.qr(rng.standard_normal((m, n)))[0]
    V = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return (U * s) @ V.T


def text_like(m, n, per_row=10, seed=7):
    """Make a sparse matrix whose columns are as unevenly filled as words in texts."""
    from scipy.sparse import csr_array

    rng = np.random.default_rng(seed)
    rows = rng.integers(0, m, m * per_row)
    columns = (n * rng.random(m * per_row) ** 3).astype(np.int32)
    return csr_array((rng.standard_normal(m * per_row), (rows, columns)), shape=(m, n))
