"""Matrices with known singular values, and measures of a factorization."""

import numpy as np


def haar(rng, m, n, dtype="f8"):
    """Draw m x n with orthonormal columns."""
    G = rng.standard_normal((m, n))
    if np.dtype(dtype).kind == "c":
        G = G + 1j * rng.standard_normal((m, n))
    return np.linalg.qr(G)[0]


def with_values(m, n, s, dtype="f8", seed=90210):
    """Make a matrix with the singular values ``s`` and random singular vectors."""
    rng = np.random.default_rng([m, n, seed])
    U, V = haar(rng, m, len(s), dtype), haar(rng, n, len(s), dtype)
    return ((U * s) @ V.conj().T).astype(dtype)


SPECTRA = {
    "decaying": lambda n: 0.8 ** np.arange(n),
    "slow": lambda n: 1 / np.arange(1.0, n + 1),
    "flat": lambda n: np.ones(n),
    "nearly flat": lambda n: np.linspace(1, 0.5, n),
    "step": lambda n: np.where(np.arange(n) < 25, 1.0, 1e-3),
}


def tail(s, rank):
    """Norm of the singular values beyond a rank."""
    return float(np.linalg.norm(np.sort(s)[::-1][rank:]))


def orthonormality(Q):
    """Return the largest entry of Q^H Q - I."""
    return float(np.max(np.abs(Q.conj().T @ Q - np.eye(Q.shape[1])), initial=0.0))
