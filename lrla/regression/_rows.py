"""Tall data as the l_p solvers see them: in coordinates in which their columns are orthonormal."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla._core.arrays import Array, adjoint, space_of
from lrla._core.operators import Operator
from lrla.kernels.gram import gram, gram_csr
from lrla.kernels.gram import gram_of as chunked_gram
from lrla.kernels.panels import panel_adjoint, panel_gram, panel_product, panel_width, panels

# A sparse Gram matrix takes this many times longer for each pair of entries than a dense one:
# 0.6 ns against 0.035 ns, measured on designs of 20 to 200 columns
_PAIRS = 17.0
SAFE = 1e5  # condition numbers up to which Gram matrices of A itself lose less than 6 digits


class Rows:
    """The matrix A T, or some of its rows.

    Parameters
    ----------
    op : Operator
        A, dense or sparse.
    T : array of shape (n, k)
        The coordinates, in float64.
    condition : float
        Condition number of A: how much a Gram matrix of A itself may lose.
    index : array of int, optional
        Which rows; all by default.

    Notes
    -----
    Dense data are copied into panels, which end with rows of zeros (`m` counts them too); sparse
    ones stay as they are and T is applied to the results.
    """

    real = True

    def __init__(
        self, op: Operator, T: Array, condition: float = 1.0, index: Array | None = None
    ) -> None:
        self.space, self.T, self.condition = op.space, T, condition
        self.k = self.unknowns = int(T.shape[1])
        A = op.A
        if op.kind == "sparse":
            A = A.tocsr() if index is None else A.tocsr()[np.asarray(index)]
        elif index is not None:
            A = op.space.rows(A, index)
        self.count = int(A.shape[0])  # rows without those filled up
        self.A: Any = None
        if op.kind == "sparse" and _stays_sparse(A, condition):
            self.A = A.astype(T.dtype)
            self.At = self.A.T.tocsr()
            self.m = self.count
            return
        width = panel_width(self.count)
        self.P = panels(A, T, width) if op.kind == "dense" else _sparse_panels(A, T, width)
        self.m = int(self.P.shape[0]) * width

    def unwhiten(self, x: Array) -> Array:
        """Return T x: the coefficients of A."""
        return self.T @ x

    def product(self, x: Array) -> Array:
        """Return A T x."""
        if self.A is not None:
            return self.A @ (self.T @ x)
        return panel_product(self.P, x)

    def adjoint(self, V: Array) -> Array:
        """Return (A T)^T v for each row v of V, again as rows."""
        if self.A is not None:
            return (self.At @ V.T).T @ self.T
        return panel_adjoint(self.P, V)

    def gram(self, q: Array) -> Array:
        """Return (A T)^T diag(q) A T."""
        if self.A is not None:
            A = self.A
            return self.T.T @ gram_csr(A.data, A.indices, A.indptr, A.shape[1], q) @ self.T
        return panel_gram(self.P, q)

    def hessian(self, g: Array, u: Array | None, p: float) -> Array:
        """Return second derivatives of a sum over residuals u, up to a factor."""
        return self.gram(g)

    def take(self, index: Array) -> Array:
        """Return a few rows of A T, one after the other."""
        xp = self.space.xp
        if self.A is not None:
            return self.A[np.asarray(index)].toarray() @ self.T
        width = self.P.shape[2]
        if self.space.is_numpy:
            return self.P[index // width, :, index % width]
        rows = [self.P[int(i) // width, :, int(i) % width] for i in index]
        return xp.stack(rows) if rows else self.space.zeros((0, self.k), self.T.dtype)

    def fill(self, v: Array, value: float) -> Array:
        """Give a vector over the rows entries for the rows of zeros, too."""
        more = self.m - self.count
        if more == 0:
            return v
        xp = self.space.xp
        return xp.concat((v, xp.full((more,), value, dtype=v.dtype, device=self.space.device)))


class ComplexRows:
    """Complex data with real unknowns: the real parts of the coefficients, then the imaginary ones.

    Parameters
    ----------
    op : Operator
        A, dense or sparse.
    T : array of shape (n, k)
        The coordinates, complex.
    """

    real = False

    def __init__(self, op: Operator, T: Array) -> None:
        A = op.A if op.kind == "sparse" else op.space.xp.astype(op.A, T.dtype, copy=False)
        self.A, self.T = A @ T, T
        self.space = space_of(self.A)
        self.count, self.k = (int(v) for v in self.A.shape)
        self.unknowns = 2 * self.k

    def fill(self, v: Array, value: float) -> Array:
        """Return the vector: there are no rows to fill up."""
        return v

    def unwhiten(self, z: Array) -> Array:
        """Return T z: the coefficients of A."""
        return self.T @ (z[: self.k] + 1j * z[self.k :])

    def product(self, z: Array) -> Array:
        """Return A z."""
        return self.A @ (z[: self.k] + 1j * z[self.k :])

    def adjoint(self, V: Array) -> Array:
        """Return A^H v for each row v of V."""
        xp = self.space.xp
        C = xp.conj(xp.conj(V) @ self.A)
        return xp.concat((xp.real(C), xp.imag(C)), axis=1)

    def hessian(self, g: Array, u: Array | None, p: float) -> Array:
        """Return the second derivatives: g across u, and p - 1 times as much along it."""
        xp = self.space.xp
        if u is None:
            C = xp.conj(self.A).T @ (g[:, None] * self.A)
            top, low = xp.real(C), xp.imag(C)
            upper = xp.concat((top, -low), axis=1)
            return xp.concat((upper, xp.concat((low, top), axis=1)), axis=0)
        size = abs(u)
        turn = xp.where(size > 0, xp.conj(u) / xp.where(size > 0, size, 1.0), 1.0 + 0.0 * u)
        B = (xp.sqrt(g) * turn)[:, None] * self.A
        along = xp.concat((xp.real(B), -xp.imag(B)), axis=1)
        across = xp.concat((xp.imag(B), xp.real(B)), axis=1)
        return along.T @ along * (p - 1) + across.T @ across


def gram_of(op: Operator, T: Array, g: Array) -> Array:
    """Return T^H A^H diag(g) A T from the data as they are, for one-off use."""
    xp = op.space.xp
    if op.kind == "blocks":
        return chunked_gram(op, g, T)
    if op.kind == "sparse":
        A = op.A.tocsr()
        data = A.data.astype(np.result_type(A.dtype, np.float64))
        G = gram_csr(data, A.indices, A.indptr, op.shape[1], g)
    else:
        G = gram(xp.astype(op.A, T.dtype, copy=False), g)
    return adjoint(T) @ xp.astype(G, T.dtype) @ T


def _stays_sparse(A: Any, condition: float) -> bool:
    """Tell whether products with sparse rows are accurate enough, and not slower."""
    if condition > SAFE:
        return False
    counts = np.diff(A.indptr).astype(float)
    return bool(_PAIRS * np.sum(counts**2) < A.shape[0] * float(A.shape[1]) ** 2)


def _sparse_panels(A: Any, T: Array, width: int) -> Array:
    m, k = A.shape[0], T.shape[1]
    P = np.zeros((-(-m // width), k, width))
    for p in range(P.shape[0]):
        block = A[p * width : (p + 1) * width] @ T
        P[p, :, : block.shape[0]] = block.T
    return P
