"""Matrices with known singular values."""

import numpy as np

SPECTRA = {
    "1/i": lambda i: 1 / (i + 1.0),
    "1/i2": lambda i: 1 / (i + 1.0) ** 2,
    "1/sqrt(i)": lambda i: 1 / np.sqrt(i + 1.0),
    "0.8^i": lambda i: 0.8**i,
    "0.97^i": lambda i: 0.97**i,
    "step": lambda i: np.where(i < 15, 1.0, 1e-3),
}


def matrix(m, n, spectrum, seed, dtype="float64"):
    """Make a matrix and its singular values."""
    rng = np.random.default_rng(seed)
    k = min(m, n)

    def basis(rows):
        X = rng.standard_normal((rows, k))
        if dtype.startswith("complex"):
            X = X + 1j * rng.standard_normal((rows, k))
        return np.linalg.qr(X)[0]

    s = SPECTRA[spectrum](np.arange(k))
    return ((basis(m) * s) @ basis(n).conj().T).astype(dtype), s


def low_rank(m, n, rank, seed, dtype="float64"):
    """Make a matrix of exactly this rank, up to rounding."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, rank)) @ rng.standard_normal((rank, n))
    if dtype.startswith("complex"):
        A = A + 1j * (A @ np.diag(rng.standard_normal(n)) if rank == n else A)
    return A.astype(dtype)


def kahan(n, angle=1.2, shrink=1 - 1e-8):
    """Make Kahan's matrix, on which pivoted QR never pivots and misjudges the last column."""
    c, s = np.cos(angle), np.sin(angle)
    K = np.eye(n) - c * np.triu(np.ones((n, n)), 1)
    return (s ** np.arange(n))[:, None] * K * shrink ** np.arange(n)[None, :]
