"""Matrices and dense formulas for the tests of relaxation."""

import numpy as np
import scipy.sparse


def poisson(*shape):
    """Make the Laplacian of a grid with Dirichlet boundary: 2 in each direction and -1 beside."""
    A = scipy.sparse.csr_array((int(np.prod(shape)),) * 2)
    for axis, n in enumerate(shape):
        line = scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(n, n))
        before = scipy.sparse.eye_array(int(np.prod(shape[:axis])))
        after = scipy.sparse.eye_array(int(np.prod(shape[axis + 1 :])))
        A = A + scipy.sparse.kron(scipy.sparse.kron(before, line), after)
    return scipy.sparse.csr_array(A)


def draw(rng, shape, dtype):
    A = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        A = A + 1j * rng.standard_normal(shape)
    return A.astype(dtype)


def random_sparse(seed, n, dtype=np.float64, density=0.3):
    """Make a sparse matrix as a dense array, its diagonal away from zero."""
    rng = np.random.default_rng(seed)
    A = np.where(rng.random((n, n)) < density, draw(rng, (n, n), dtype), 0).astype(dtype)
    A[np.arange(n), np.arange(n)] += (3 + rng.random(n)).astype(dtype)
    return A


def random_definite(seed, n, dtype=np.float64, condition=50.0):
    """Make a Hermitian positive definite dense array with many zeros."""
    A = random_sparse(seed, n, dtype, 0.15)
    A = A + A.conj().T
    low = np.linalg.eigvalsh(A)
    shift = (low[-1] - condition * low[0]) / (condition - 1)
    return (A + max(shift, 0) * np.eye(n)).astype(dtype)


def splitting(A, omega, direction):
    """Return W, for which a sweep is ``x += inv(W) (b - A x)``."""
    D, L, U = np.diag(np.diag(A)), np.tril(A, -1), np.triu(A, 1)
    forward, backward = D / omega + L, D / omega + U
    if direction == "forward":
        return forward
    if direction == "backward":
        return backward
    if direction == "jacobi":
        return D / omega
    return omega / (2 - omega) * forward @ np.linalg.inv(D) @ backward


def dense_sweep(A, x, b, omega, direction):
    return x + np.linalg.solve(splitting(A, omega, direction), b - A @ x)


def iteration_matrix(A, omega, direction):
    return np.eye(len(A)) - np.linalg.solve(splitting(A, omega, direction), A)
