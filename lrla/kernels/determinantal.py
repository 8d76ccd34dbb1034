"""Sequential choices of determinantal processes: acceptance by residual, and LDL with coin flips."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from lrla._core.arrays import Array, adjoint, is_complex, space_of, unit_roundoff
from lrla._core.dispatch import kernel

_BUDGET = 50  # times the expected number of proposals; fewer runs than 1 in e**50 exceed it
_BATCH = (32, 512)  # proposals at a time
_PANEL = 32  # acceptances in a batch: more make reflections slow that are not yet a matrix product


def join(
    propose: Callable[[int, int], tuple[Array, Array, Array]], m: int
) -> tuple[list[Array], int]:
    """Draw a sample of a projection process by rejection; see `accept`.

    What is proposed with probability proportional to its squared row is accepted with the share of
    the row that is new. All m acceptances take m (1 + 1/2 + ... + 1/m) proposals on average,
    whatever there is to choose from (Barthelme, Tremblay and Amblard, "A faster sampler for
    discrete determinantal point processes", AISTATS 2023).

    Parameters
    ----------
    propose : callable
        From numbers ``start, stop`` of proposals to what is proposed, its rows, each of m entries,
        and uniform numbers in [0, 1); at most so many, from the first on.
    m : int
        How many are wanted, at least 1.

    Returns
    -------
    chosen : list of array
        What was accepted, in that order, in pieces. Fewer than m in all if the budget is used up.
    asked : int
        How many were proposed.
    """
    chosen: list[Array] = []
    rest: Array | None = None
    left, asked = m, 0
    while left and asked <= _BUDGET * m * (1 + math.log(m)):
        wanted = m * min(_PANEL / left, 1 + math.log(left))
        batch = min(max(math.ceil(wanted), _BATCH[0]), _BATCH[1])
        items, rows, u = propose(asked, asked + batch)
        space = space_of(rows)
        if rest is None:
            rest = space.eye(m, rows.dtype)
        positions, rest = accept(rows, u, rest)
        chosen.append(space.xp.take(items, positions, axis=0))
        left, asked = int(rest.shape[0]), asked + int(rows.shape[0])
    return chosen, asked


@kernel
def accept(F: Array, u: Array, Z: Array) -> tuple[Array, Array]:
    """Let rows join, one after the other, with the share of them that is new as probability.

    Row f joins if u times its squared norm is less than the squared norm of its part orthogonal to
    all that joined before. What is numerically dependent on them never joins.

    Parameters
    ----------
    F : array of shape (b, m)
        Rows that ask in this order.
    u : array of shape (b,)
        Uniform numbers in [0, 1), float64.
    Z : array of shape (k, m)
        Orthonormal rows that span what is orthogonal to all that joined earlier: the identity at
        first. It is the smaller side for most rows, as they ask when nearly all have joined. At
        most k rows join.

    Returns
    -------
    positions : array of int64
        Which rows joined.
    rest : array of shape (k - len(positions), m)
        The same as Z for those that ask next.
    """
    space = space_of(F)
    xp = space.xp
    size = _squares(F, xp)
    floor = 64 * 2 * unit_roundoff(xp, size.dtype)
    bar = xp.where(u > floor, u, xp.zeros_like(u) + floor) * size
    G = F @ adjoint(Z)  # coordinates of what is new in each
    positions: list[int] = []
    done = 0
    while Z.shape[0] > 0 and done < F.shape[0]:
        waiting = xp.arange(F.shape[0], device=space.device) >= done
        fits = (_squares(G, xp) > bar) & waiting
        if not bool(xp.any(fits)):
            break
        t = int(xp.argmax(xp.astype(fits, xp.int8)))
        done = t + 1
        v = _reflector(G[t, :], xp)
        tau = 2 / xp.sum(xp.abs(v) ** 2)
        w = _conj(v, xp)
        G = (G - tau * (G @ w)[:, None] * v[None, :])[:, 1:]
        Z = (Z - tau * w[:, None] * (v @ Z)[None, :])[1:, :]
        positions.append(t)
    return space.asarray(positions, xp.int64), Z


def _reflector(g: Array, xp: Any) -> Array:
    """Find the vector v whose Householder reflection turns a row g into its first coordinate."""
    size = xp.sqrt(xp.sum(xp.abs(g) ** 2))
    first = g[:1]
    one = xp.ones_like(first)
    phase = xp.where(first == 0, one, first / xp.where(first == 0, one, xp.abs(first) * one))
    return xp.concat((first + phase * size, g[1:]))


def _squares(X: Array, xp: Any) -> Array:
    return xp.sum(xp.abs(X) ** 2, axis=1)


def _conj(x: Array, xp: Any) -> Array:
    return xp.conj(x) if is_complex(x) else x


@kernel
def ldl(K: Array, u: Array, hermitian: bool) -> tuple[Array, Array]:
    """Eliminate a kernel symmetrically, keeping each pivot by the flip of a coin of its own weight.

    Parameters
    ----------
    K : array of shape (n, n)
        A marginal kernel.
    u : array of shape (n,)
        Uniform numbers in [0, 1), float64.
    hermitian : bool
        Whether only the lower triangle may be read.

    Returns
    -------
    keep : array of bool, shape (n,)
        Item j is kept if ``u[j]`` is less than its pivot; one is subtracted from it otherwise.
    pivots : array of shape (n,)
        The pivots before that: conditional probabilities, if K is a kernel.

    References
    ----------
    J. Poulson, "High-performance sampling of generic determinantal point processes", Phil. Trans.
    R. Soc. A 378, 2020, Algorithms 1 and 4.
    """
    space = space_of(K)
    xp = space.xp
    n = int(K.shape[0])
    A = xp.tril(K) + adjoint(xp.tril(K, k=-1)) if hermitian else K
    keep, pivots = [], []
    for j in range(n):
        d = A[0, 0]
        pivots.append(d)
        keep.append(u[j] < xp.real(d) if is_complex(A) else u[j] < d)
        d = xp.where(keep[-1], d, d - 1)
        A = A[1:, 1:] - (A[1:, :1] / d) @ A[:1, 1:]
    if n == 0:
        return space.zeros((0,), xp.bool), space.zeros((0,), K.dtype)
    return xp.stack(keep), xp.stack(pivots)
