"""Draws from a likelihood kernel whose marginal kernel is formed for a few items at a time."""

from __future__ import annotations

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, space_of
from lrla.dpp._draw import Streams
from lrla.dpp._errors import NotAKernelError
from lrla.dpp._marginal import eliminate

_LEAF = 256  # items for which the marginal kernel is formed: 2 n**3 flops, in few calls


def marginal_kernel(L: Array) -> Array:
    """Return I - (I + L)^-1."""
    inverse = linalg.inverse(linalg.shifted(L, 1.0))
    if inverse is None:
        raise NotAKernelError("I + L is not positive definite to rounding")
    return linalg.shifted(-inverse, 1.0)


def flip_likelihood(L: Array, streams: Streams) -> Array:
    """Draw from a likelihood kernel: the items that elimination of I - (I + L)^-1 keeps."""
    u = streams.uniform(space_of(L), 0, int(L.shape[0]), 1)[:, 0]
    items = _kept(L, u)
    # where the items chosen are nearly dependent, the marginal kernel still has the digits
    return eliminate(marginal_kernel(L), u, hermitian=True) if items is None else items


def _kept(L: Array, u: Array) -> Array | None:
    """Draw from the first half of the items, whatever the others are, and then from the others.

    Both are processes of likelihood kernels again: Schur complements of I + L in the others, and of
    L in what the first half gave. None if the latter is singular to rounding.
    """
    space, n = space_of(L), int(L.shape[0])
    xp = space.xp
    if n <= _LEAF:
        return eliminate(marginal_kernel(L), u, hermitian=True)
    h = n // 2
    R = linalg.cholesky(linalg.shifted(L[h:, h:], 1.0))
    if R is None:
        raise NotAKernelError("I + L is not positive definite to rounding")
    first = _kept(_less(L[:h, :h], R, L[h:, :h]), u[:h])
    if first is None:
        return None
    rest = L[h:, h:]
    if first.shape[0]:
        rows = space.rows(L, first)
        R = linalg.cholesky(xp.take(rows, first, axis=1))
        if R is None:
            return None
        rest = _less(rest, R, rows[:, h:])
    second = _kept(rest, u[h:])
    return None if second is None else xp.concat((first, second + h))


def _less(L: Array, R: Array, across: Array) -> Array:
    """Subtract across^H (R^H R)^-1 across."""
    W = linalg.solve_triangular(adjoint(R), across, lower=True)
    return L - adjoint(W) @ W
