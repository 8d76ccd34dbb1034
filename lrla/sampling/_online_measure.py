"""Measure what an online sample keeps: beside the squares of all rows, which are added up."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lrla._core.arrays import Array, adjoint, is_complex, space_of
from lrla.sampling._online_budget import Kept

_NOISE = 1e-12  # squares below this fraction of the largest, columns scaled, are not told from zero
_LOST = 1e-8  # of what was to be kept of a direction


class Measured(NamedTuple):
    """What a sample keeps of the rows that came by.

    Parameters
    ----------
    error : float or None
        For p = 2 the largest ``abs(norm(B @ x)**2 - norm(A @ x)**2) / (norm(A @ x)**2 + ridge *
        norm(x)**2)``; None for other p, and where double precision does not tell.
    rank : int
        Number of directions in which ``norm(A @ x)**2`` exceeds ``ridge * norm(x)**2``.
    lost : int
        Of how many of these nothing was kept.
    """

    error: float | None
    rank: int
    lost: int


def squares(X: Array, ridge: float) -> Array:
    """Return X^H X / ridge in double precision; infinite or NaN where that leaves the range."""
    with np.errstate(over="ignore", invalid="ignore"):
        Y = _wide(X, 1 / math.sqrt(ridge))
        return adjoint(Y) @ Y


def summed(G: Array, H: Array) -> Array:
    """Add squares up; what is out of range stays so."""
    with np.errstate(over="ignore", invalid="ignore"):
        return G + H


def measured(G: Array, kept: Kept, ridge: float, p: float) -> Measured:
    """Hold the rows that were kept against the squares of all, both in units of the ridge."""
    xp = space_of(G).xp
    size = xp.sqrt(xp.real(xp.linalg.diagonal(G)) + 1)
    if not bool(xp.all(xp.isfinite(size))):
        return Measured(None, 0, 0)
    e, V = xp.linalg.eigh(G / size / size[:, None] + _diagonal(1 / size**2))
    first = int(xp.count_nonzero(e <= _NOISE * e[-1]))  # eigenvalues rise
    W = V[:, first:] / size[:, None] / xp.sqrt(e[first:])
    seen = adjoint(W) @ G @ W  # all directions, those of no rows at 0, the long ones near 1
    Y = _wide(kept.rows, 1 / math.sqrt(ridge)) @ W / xp.sqrt(kept.probs)[:, None]
    H = adjoint(Y) @ Y
    known = p == 2 and first == 0
    error = float(xp.max(xp.abs(xp.linalg.eigvalsh(H - seen)))) if known else None
    g, U = xp.linalg.eigh(seen)
    short = int(xp.count_nonzero(g <= 0.5))
    Z = U[:, short:]
    left = xp.linalg.eigvalsh(adjoint(Z) @ H @ Z) if Z.shape[1] else g[:0]
    return Measured(error, int(Z.shape[1]), int(xp.count_nonzero(left < _LOST)))


def _wide(X: Array, factor: float) -> Array:
    xp = space_of(X).xp
    return factor * xp.astype(X, xp.complex128 if is_complex(X) else xp.float64, copy=False)


def _diagonal(x: Array) -> Array:
    space = space_of(x)
    return space.eye(int(x.shape[0]), x.dtype) * x
