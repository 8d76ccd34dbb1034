"""Weighted least squares on the values of a basis at points, and what a Gram matrix says of them."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, space_of, to_host, unit_roundoff
from lrla._core.errors import ConvergenceWarning, warn
from lrla._core.iteration import Loop
from lrla._core.results import Status
from lrla.kernels.gram import gram
from lrla.kernels.row_squares import row_squares
from lrla.lowrank import eigh

LARGE = 5000  # columns beyond which nothing of the order of their cube is computed
_SAFE = 1e4  # condition up to which Cholesky of the Gram matrix loses nothing after refinement
_ITERATIONS = 500


@dataclass(frozen=True, eq=False)
class Rows:
    """The values of a basis at n points, and their weights: of the problem, one row a point."""

    values: Array  # (n, m)
    weights: Array  # (n,)

    @functools.cached_property
    def scaled(self) -> Array:
        """Rows times the roots of weight / n: their Gram matrix is G."""
        return _root(self.weights / self.values.shape[0], self.values) * self.values

    @functools.cached_property
    def gram(self) -> Array:
        """The mean G of weight * values^H values, which is the identity in expectation."""
        xp = space_of(self.values).xp
        real = abs(self.values[:1, :1]).dtype
        return gram(self.values, xp.astype(self.weights / self.values.shape[0], real))


def _root(weights: Array, like: Array) -> Array:
    xp = space_of(like).xp
    return xp.astype(xp.sqrt(weights), abs(like[:1, :1]).dtype)[:, None]


def extremes(rows: Rows) -> tuple[float, float]:
    """Smallest and largest eigenvalue of G; estimates from inside by Lanczos if G is large."""
    m = int(rows.values.shape[1])
    if m > LARGE:
        return _lanczos(rows)
    xp = space_of(rows.values).xp
    found = to_host(xp.linalg.eigvalsh(rows.gram))
    low, high = float(found[0]), float(found[-1])
    if low > math.sqrt(unit_roundoff(xp, rows.weights.dtype)) * high or 0 in rows.values.shape:
        return low, high
    # squares have cost the digits of the smallest: singular values of the rows keep them
    sigma = to_host(linalg.svdvals(linalg.qr_r(rows.scaled)))
    fewer = rows.values.shape[0] < m
    return 0.0 if fewer else float(sigma[-1]) ** 2, float(sigma[0]) ** 2


class _Normal:
    """G as an operator, two products with the rows each."""

    def __init__(self, rows: Rows) -> None:
        self.A = rows.scaled
        m = int(self.A.shape[1])
        self.shape, self.dtype = (m, m), self.A.dtype

    def matmat(self, X: Array) -> Array:
        return adjoint(self.A) @ (self.A @ X)

    rmatmat = matmat


def _lanczos(rows: Rows) -> tuple[float, float]:
    op = _Normal(rows) if space_of(rows.values).is_numpy else rows.gram
    ends = [eigh(op, 1, which=end, rtol=1e-6, rng=0).eigenvalues for end in ("SA", "LA")]
    return max(float(ends[0][0]), 0.0), float(ends[1][0])


class Solution(NamedTuple):
    """Coefficients, and how every point took part in them."""

    coefficients: Array  # (m, q)
    residuals: Array  # (n, q)
    loo_residuals: Array | None  # (n, q); None with leverage
    leverage: Array | None  # (n,); None where it would cost the cube of m
    iterations: int


def choose(m: int, condition: float) -> str:
    """Name the method for m columns and this condition number of G."""
    if m > LARGE:
        return "cg"
    return "cholesky" if condition <= _SAFE else "qr"


def solve(rows: Rows, Y: Array, ends: tuple[float, float], method: str) -> Solution:
    """Minimise ``sum(weights * abs(Y - values @ coefficients)**2)`` for every column of Y.

    ``ends`` are the extreme eigenvalues of G. "cholesky" factors G and refines, which is as
    accurate as QR where G is well conditioned, as designs see to; "cg" needs products only.
    """
    xp = space_of(rows.values).xp
    dtype = xp.result_type(rows.values, Y)
    Y = xp.astype(Y, dtype, copy=False)
    values = xp.astype(rows.values, dtype, copy=False)
    A = Rows(values, rows.weights).scaled
    B = _root(rows.weights / values.shape[0], A) * Y
    T: Array | None = None
    iterations = 0
    if method == "cg":
        X, iterations = _gradients(A, B, ends)
    elif method == "cholesky":
        T = linalg.solve_triangular(linalg.cholesky(rows.gram), _eye(rows.values))
        T = xp.astype(T, dtype, copy=False)
        X = _refined(A, B, T)
    else:
        Q, R = linalg.qr(A)
        X = linalg.solve_triangular(R, adjoint(Q) @ B)
    E = Y - values @ X
    if method == "cg":
        return Solution(X, E, None, None, iterations)
    h = row_squares(A, T) if T is not None else xp.sum(abs(Q) ** 2, axis=1)
    noise = 64 * max(values.shape) * unit_roundoff(xp, h.dtype)
    noise *= ends[1] / ends[0] if T is not None else 1.0
    # as many points as coefficients: every residual is zero, and without a point nothing is fixed
    pinned = (h > 1 - noise) | (values.shape[0] == values.shape[1])
    return Solution(X, E, _loo(E, h, pinned), h, iterations)


def _eye(like: Array) -> Array:
    return space_of(like).eye(int(like.shape[1]), like.dtype)


def _loo(E: Array, h: Array, pinned: Array) -> Array:
    """Residuals as if their points were left out; infinite where the others do not fix them."""
    xp = space_of(h).xp
    factor = xp.astype(1 / xp.where(pinned, xp.ones_like(h), 1 - h), E.dtype)
    return xp.where(pinned[:, None], xp.zeros_like(E) + math.inf, E * factor[:, None])


def _refined(A: Array, B: Array, T: Array) -> Array:
    """Solve by whitened coordinates, and once more for what the first solution left."""
    X = T @ (adjoint(T) @ (adjoint(A) @ B))
    return X + T @ (adjoint(T) @ (adjoint(A) @ (B - A @ X)))


def _gradients(A: Array, B: Array, ends: tuple[float, float]) -> tuple[Array, int]:
    """Conjugate gradients on the normal equations, for all columns side by side."""
    space = space_of(A)
    xp = space.xp
    X = space.zeros((int(A.shape[1]), int(B.shape[1])), A.dtype)
    R, P = B, adjoint(A) @ B
    squares = linalg.dots(P, P)
    # what rounding leaves of the gradient of a solution that is exact
    goal = 16 * unit_roundoff(xp, squares.dtype) * math.sqrt(ends[1]) * linalg.norm(B, axis=0)
    loop = Loop("weighted least squares", max_iter=_ITERATIONS)
    for _ in loop:
        if bool(xp.all(xp.sqrt(squares) <= goal)):
            loop.stop(Status.CONVERGED)
            continue
        Q = A @ P
        below = linalg.dots(Q, Q)
        ones = xp.ones_like(below)
        steps = xp.where(below > 0, squares / xp.where(below > 0, below, ones), 0 * ones)
        X, R = X + steps * P, R - steps * Q
        S = adjoint(A) @ R
        found = linalg.dots(S, S)
        P = S + xp.where(squares > 0, found / xp.where(squares > 0, squares, ones), 0 * ones) * P
        squares = found
        loop.report(float(xp.max(xp.sqrt(squares))), X)
    if loop.status is not Status.CONVERGED:
        warn(f"conjugate gradients: {Status.MAX_ITER.value}", ConvergenceWarning)
    return X, len(loop.history)
