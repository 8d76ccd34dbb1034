"""Rows in the coordinates of their Lewis weights: where l_p norms are nearly Euclidean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lrla._core.arrays import Array, Space, check_finite
from lrla._core.operators import Operator
from lrla.sampling._lewis import lewis_weights
from lrla.sampling._rows import look
from lrla.sketch import whiten

_CLOSE = 0.1  # accuracy of the Lewis weights: the bounds below hold for any weights
_LEAST = 1e-100  # weights below this are taken for it
_DIGITS = 250  # decimal exponents that powers of weights may use
_MAX_P = 32.0  # Lewis weights of this p stand for those of larger ones, which underflow


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A matrix in Lewis coordinates, and what these say about its l_p norm.

    Parameters
    ----------
    U : array, float64, shape (m, rank)
        The rows; ``U.T @ (w**(1 - 2/p)[:, None] * U)`` is the identity.
    T : array, float64, shape (n, rank)
        The coordinates: ``U = A @ T``.
    weights : array, float64, shape (m,)
        Approximate Lewis weights, 0 for rows of zeros.
    p : float
        The norm.
    slack : float
        ``norm_2(x) <= slack * norm_p(U @ x)`` for all x.
    reach : float
        ``norm_p(U @ x) <= norm_2(x) / reach`` for x among the rows of U.

    Notes
    -----
    With M = U^T W^(1 - 2/p) U = I, let c = max norm(u_j)**2 / w_j**(2/p) and s = sum(w). Hölder's
    inequality gives for p >= 2, x^T x <= s**(1 - 2/p) norm_p(U x)**2, and for p <= 2,
    norm_p(U x)**2 <= s**(2/p - 1) x^T x; bounding all but two powers of abs(u_j x) by
    norm(u_j) norm(x) <= sqrt(c) w_j**(1/p) norm(x) gives the opposite bounds, with c**(1 - 2/p) and
    c**(2/p - 1). For Lewis weights c = 1 and s is the rank; any weights are allowed.
    """

    U: Array
    T: Array
    weights: Array
    p: float
    slack: float
    reach: float
    space: Space

    @property
    def rank(self) -> int:
        """Numerical rank of the matrix."""
        return int(self.U.shape[1])

    def lengths(self, rows: Array) -> Array:
        """Euclidean norms of rows in these coordinates."""
        return self.space.xp.sqrt(self.space.xp.sum(rows * rows, axis=1))

    def power(self, x: Array) -> Array:
        """Turn largest quotients of norms into sensitivities: powers of p, if p is finite."""
        return x if math.isinf(self.p) else x**self.p

    def bounds(self, rows: Array) -> tuple[Array, Array]:
        """Bound sensitivities of some rows of U from below and above, by their lengths alone."""
        size = self.lengths(rows)
        xp, one = self.space.xp, self.space.xp.ones_like(size)
        low, high = self.power(self.reach * size), self.power(self.slack * size)
        return xp.minimum(low, one), xp.minimum(high, one)


def dense(A: Any) -> tuple[Operator, Any]:
    """Form a real, finite matrix in double precision; return also the dtype for answers."""
    op = look(A)
    if op.space.xp.isdtype(op.dtype, "complex floating"):
        raise TypeError(f"A must be real, got dtype {op.dtype}")
    X = op.todense()
    check_finite(X, "A")
    xp = op.space.xp
    wide = Operator(xp.astype(X, xp.float64, copy=False), "dense", op.space, xp.float64)
    return wide, op.dtype


def frame(op: Operator, p: float, seed: int) -> Frame:
    """Find Lewis weights and go over to their coordinates."""
    space, xp = op.space, op.space.xp
    q = min(p, _MAX_P)
    w = lewis_weights(op.A, q, tol=_CLOSE, rng=seed).weights
    zero = xp.max(xp.abs(op.A), axis=1) == 0
    w = xp.where(w > _LEAST, w, xp.zeros_like(w) + _LEAST)
    w = xp.where(zero, xp.zeros_like(w), w)
    safe = xp.where(zero, xp.ones_like(w), w)
    least = float(xp.min(safe))
    if p < 2 and 2 / p * math.log10(least) < -_DIGITS:
        raise ValueError(
            f"p must be larger for these data, got {p}: Lewis weights, the smallest {least:.1e}, to the "
            "power 2 / p leave the range of double precision"
        )
    e = 1.0 if math.isinf(p) else 1 - 2 / p
    T = whiten(op.A, weights=xp.where(zero, w, safe**e), rng=seed).T
    U = op.A @ T
    c = float(xp.max(xp.sum(U * U, axis=1) / safe ** (1 - e)))
    s = float(xp.sum(w))
    if T.shape[1] == 0:
        slack = reach = 1.0
    elif p < 2:
        slack, reach = c ** (1 / p - 0.5), s ** (0.5 - 1 / p)
    elif math.isinf(p):
        slack, reach = s**0.5, c**-0.5
    else:
        slack, reach = s ** (0.5 - 1 / p), c ** (1 / p - 0.5)
    return Frame(U, T, w, p, slack, reach, space)
