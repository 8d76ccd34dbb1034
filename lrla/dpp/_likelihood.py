"""Likelihood kernels L, given as a matrix or as a factor B with L = B B^H."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import (
    Array,
    Space,
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


class Likelihood(ABC):
    """A positive semidefinite kernel: its entries, its spectrum, and what conditioning makes of it."""

    space: Space
    n: int
    L: Array | None = None  # the matrix, where there is one
    _spectrum: Spectrum | None = None

    @property
    def spectrum(self) -> Spectrum:
        """Eigenvalues and eigenvectors, found when first asked for."""
        if self._spectrum is None:
            self._spectrum = self._diagonalised()
        return self._spectrum

    def condition(self, inside: np.ndarray, outside: np.ndarray) -> tuple[Likelihood, np.ndarray]:
        """Return the kernel of the other items, given these, and which items they are."""
        rest = np.setdiff1d(np.arange(self.n), np.concatenate([inside, outside]))
        xp, space = self.space.xp, self.space
        others, given = space.asarray(rest, xp.int64), space.asarray(inside, xp.int64)
        left = self._left(others, given)
        if left is None:
            raise ValueError(
                f"the conditioning event has probability 0: the items {inside.tolist()} are never "
                "in a sample together"
            )
        return left, rest

    @abstractmethod
    def log_det(self, S: np.ndarray) -> float:
        """Logarithm of the determinant of the rows and columns S of L."""

    @abstractmethod
    def times(self, factor: float) -> Likelihood:
        """Return a multiple of this kernel."""

    @abstractmethod
    def _diagonalised(self) -> Spectrum:
        """Find eigenvalues and eigenvectors."""

    @abstractmethod
    def _left(self, others: Array, given: Array) -> Likelihood | None:
        """Return what the given items leave to the others; None if they are never together."""


class OfMatrix(Likelihood):
    """A kernel given as a Hermitian array of shape (n, n)."""

    L: Array

    def __init__(self, L: Array) -> None:
        self.L, self.space, self.n = L, space_of(L), int(L.shape[0])

    def _diagonalised(self) -> Spectrum:
        return of_matrix(self.L)[0]

    def _part(self, rows: Array, columns: Array) -> Array:
        return self.space.xp.take(self.space.rows(self.L, rows), columns, axis=1)

    def log_det(self, S: np.ndarray) -> float:
        if len(S) == 0:
            return 0.0
        items = self.space.asarray(S, self.space.xp.int64)
        sign, value = self.space.xp.linalg.slogdet(self._part(items, items))
        real = float(sign.real if hasattr(sign, "real") else sign)
        return float(value) if real > 0 else -np.inf

    def times(self, factor: float) -> OfMatrix:
        return OfMatrix(factor * self.L)

    def _left(self, others: Array, given: Array) -> OfMatrix | None:
        L = self._part(others, others)
        if given.shape[0] == 0:
            return OfMatrix(L)
        R = linalg.cholesky(self._part(given, given))
        if R is None:
            return None
        half = linalg.solve_triangular(adjoint(R), self._part(given, others), lower=True)
        return OfMatrix(L - adjoint(half) @ half)


class OfFactor(Likelihood):
    """A kernel B B^H given as its factor of shape (n, r), dense or sparse."""

    def __init__(self, B: Operator) -> None:
        self.B, self.space, self.n = B, B.space, B.shape[0]

    def _diagonalised(self) -> Spectrum:
        return of_factor(self.B)

    def _rows(self, items: Array) -> Array:
        if self.B.kind == "sparse":
            return self.B.A.tocsr()[items].toarray()
        return self.space.rows(self.B.A, items)

    def log_det(self, S: np.ndarray) -> float:
        if len(S) == 0:
            return 0.0
        F = self._rows(self.space.asarray(S, self.space.xp.int64))
        if len(S) > F.shape[1]:
            return -np.inf
        s = linalg.svdvals(F)  # of the factor: twice the digits
        return 2 * float(self.space.xp.sum(self.space.xp.log(s))) if float(s[-1]) > 0 else -np.inf

    def times(self, factor: float) -> OfFactor:
        B = self.B
        return OfFactor(Operator(factor**0.5 * B.A, B.kind, B.space, B.dtype))

    def _left(self, others: Array, given: Array) -> OfFactor | None:
        F, G = self._rows(others), self._rows(given)
        k = int(G.shape[0])
        if k:
            _, s, Vh = linalg.svd(G)
            u = 2 * unit_roundoff(self.space.xp, self.space.xp.float64)
            if k > G.shape[1] or float(s[-1]) <= k * u * float(s[0]):
                return None
            F = F - (F @ adjoint(Vh)) @ Vh
        return OfFactor(as_operator(F))


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
    return OfMatrix(L)


def likelihood_of_factor(B: Any) -> Likelihood:
    """Check a factor at the door."""
    op = as_operator(B, "B")
    if op.kind not in ("dense", "sparse"):
        raise TypeError(f"B must be an array or a sparse matrix, got {type(B).__name__}")
    if op.shape[0] == 0:
        raise ValueError(f"B must have at least one row, got shape {op.shape}")
    op.check_entries("B")
    return OfFactor(op)
