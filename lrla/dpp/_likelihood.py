"""Likelihood kernels L, given as a matrix or as a factor B with L = B B^H."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import (
    Array,
    adjoint,
    as_array,
    check_finite,
    space_of,
    to_host,
    unit_roundoff,
)
from lrla._core.operators import Operator, as_operator
from lrla._core.threads import ranges
from lrla.dpp._errors import NotPSDError
from lrla.dpp._spectrum import Spectrum, of_factor, of_matrix

_SQUARE = 128  # side of the squares in which symmetry is checked


class Likelihood:
    """A positive semidefinite kernel: its entries, its spectrum, and what conditioning makes of it.

    Parameters
    ----------
    L : array of shape (n, n) or None
        The kernel, Hermitian.
    B : Operator or None
        Otherwise, the factor, of shape (n, r), dense or sparse.
    """

    def __init__(self, L: Array | None, B: Operator | None = None) -> None:
        self.L, self.B = L, B
        self.space = space_of(L) if B is None else B.space
        self.n = int(L.shape[0]) if B is None else B.shape[0]  # type: ignore[union-attr]
        self._spectrum: Spectrum | None = None

    @property
    def spectrum(self) -> Spectrum:
        """Eigenvalues and eigenvectors, found when first asked for."""
        if self._spectrum is None:
            self._spectrum = of_matrix(self.L)[0] if self.B is None else of_factor(self.B)
        return self._spectrum

    def block(self, S: np.ndarray) -> Array:
        """Return the rows and columns S of L."""
        xp = self.space.xp
        items = self.space.asarray(S, xp.int64)
        if self.L is not None:
            return xp.take(xp.take(self.L, items, axis=0), items, axis=1)
        F = rows_of(self.B, items)  # type: ignore[arg-type]
        return F @ adjoint(F)

    def log_det(self, S: np.ndarray) -> float:
        """Logarithm of the determinant of `block`."""
        if len(S) == 0:
            return 0.0
        if self.L is not None:
            sign, value = self.space.xp.linalg.slogdet(self.block(S))
            real = float(sign.real if hasattr(sign, "real") else sign)
            return float(value) if real > 0 else -np.inf
        F = rows_of(self.B, self.space.asarray(S, self.space.xp.int64))  # type: ignore[arg-type]
        if len(S) > F.shape[1]:
            return -np.inf
        s = linalg.svdvals(F)  # of the factor: twice the digits
        return 2 * float(self.space.xp.sum(self.space.xp.log(s))) if float(s[-1]) > 0 else -np.inf

    def condition(self, inside: np.ndarray, outside: np.ndarray) -> tuple[Likelihood, np.ndarray]:
        """Return the kernel of the other items, given these, and which items they are."""
        rest = np.setdiff1d(np.arange(self.n), np.concatenate([inside, outside]))
        xp, space = self.space.xp, self.space
        others, given = space.asarray(rest, xp.int64), space.asarray(inside, xp.int64)
        if self.B is not None:
            F, G = rows_of(self.B, others), rows_of(self.B, given)
            if len(inside):
                _, s, Vh = linalg.svd(G)
                self._refuse_impossible(inside, s, int(G.shape[1]))
                F = F - (F @ adjoint(Vh)) @ Vh
            return Likelihood(None, as_operator(F)), rest
        L = xp.take(xp.take(self.L, others, axis=0), others, axis=1)
        if len(inside):
            across = xp.take(xp.take(self.L, given, axis=0), others, axis=1)
            R = linalg.cholesky(self.block(inside))
            if R is None:
                self._refuse_impossible(inside, None, 0)
            else:
                half = linalg.solve_triangular(adjoint(R), across, lower=True)
                L = L - adjoint(half) @ half
        return Likelihood(L), rest

    def _refuse_impossible(self, inside: np.ndarray, s: Array | None, r: int) -> None:
        u = 2 * unit_roundoff(self.space.xp, self.space.xp.float64)
        if s is None or len(inside) > r or float(s[-1]) <= len(inside) * u * float(s[0]):
            raise ValueError(
                f"the conditioning event has probability 0: the items {inside.tolist()} are never "
                "in a sample together"
            )


def rows_of(B: Operator, items: Array) -> Array:
    """Return some rows of a dense or sparse factor, dense."""
    if B.kind == "sparse":
        return B.A.tocsr()[items].toarray()
    return B.space.xp.take(B.A, items, axis=0)


def hermitian(L: Any, name: str) -> Array:
    """Check a Hermitian matrix at the door."""
    if hasattr(L, "tocsr"):
        raise TypeError(f"{name} must be dense, got a sparse matrix; pass {name}.toarray()")
    L = as_array(L, name)
    n, columns = L.shape
    if n != columns:
        raise ValueError(f"{name} must be square, got shape {(n, columns)}")
    if n == 0:
        raise ValueError(f"{name} must have at least one item, got shape (0, 0)")
    check_finite(L, name)
    xp = space_of(L).xp
    top = float(xp.max(abs(L)))
    skew = 0.0
    for a, b in ranges(n, _SQUARE):  # squares that stay in cache, for one of the two is read across
        for c, d in ranges(b, _SQUARE):
            skew = max(skew, float(xp.max(abs(L[a:b, c:d] - adjoint(L[c:d, a:b])))))
    if skew > max(1e-8, 10 * unit_roundoff(xp, L.dtype)) * top:
        raise ValueError(
            f"{name} must be Hermitian, got {skew:.1e} in {name} - {name}^H; pass "
            f"({name} + {name}.conj().T) / 2 if that is rounding"
        )
    return L


def likelihood_of_matrix(L: Any) -> Likelihood:
    """Check that L is positive semidefinite, by a Cholesky factorization rather than eigenvalues."""
    L = hermitian(L, "L")
    space, n = space_of(L), int(L.shape[0])
    slack = 20 * n * unit_roundoff(space.xp, L.dtype)
    top = max(float(space.xp.max(abs(space.xp.linalg.diagonal(L)))), 1e-300)
    if linalg.cholesky(linalg.shifted(L, slack * top)) is None:
        values = to_host(space.xp.linalg.eigvalsh(L))
        if values[0] < -slack * max(abs(values[-1]), top):
            raise NotPSDError(
                f"L must be positive semidefinite, got eigenvalues from {values[0]:.3g} to "
                f"{values[-1]:.3g}"
            )
    return Likelihood(L)


def likelihood_of_factor(B: Any) -> Likelihood:
    """Check a factor at the door."""
    op = as_operator(B, "B")
    if op.kind not in ("dense", "sparse"):
        raise TypeError(f"B must be an array or a sparse matrix, got {type(B).__name__}")
    if op.shape[0] == 0:
        raise ValueError(f"B must have at least one row, got shape {op.shape}")
    check_finite(op.A if op.kind == "dense" else op.A.data, "B")
    return Likelihood(None, op)
