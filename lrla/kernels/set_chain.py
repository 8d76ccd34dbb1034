"""Steps of Markov chains over sets whose weights are determinants of a kernel."""

from __future__ import annotations

import math
from typing import Any

from lrla._core.arrays import Array, adjoint, is_complex, real_dtype, space_of, to_host
from lrla._core.dispatch import kernel


@kernel
def walk(
    L: Array, members: Array, inverse: Array, items: Array, places: Array, coins: Array,
    swap: Array, most: int,
) -> tuple[Array, Array, Array, Array]:  # fmt: skip
    """Add, delete and exchange items, each with the ratio of the determinants as probability.

    Step i proposes item t = items[i]. Where ``swap[i]`` holds, t is to replace the member at place
    ``places[i]`` of as many as there are; nothing happens if t is a member. Otherwise t joins, or
    leaves if it is a member. The proposal is as likely as that of the way back, so accepting it with
    probability det(L[T, T]) / det(L[S, S]) keeps the law in proportion to determinants.

    Parameters
    ----------
    L : array of shape (n, n)
        Hermitian and positive semidefinite.
    members : array of int64, shape (k,)
        The set S.
    inverse : array of shape (k, k)
        Inverse of L[S, S]. It is updated, and loses digits with every step that is accepted.
    items : array of int64, shape (steps,)
        What is proposed.
    places, coins : array of float64, shape (steps,)
        Uniform in [0, 1).
    swap : array of bool, shape (steps,)
        Which proposals are exchanges.
    most : int
        Return after so many accepted steps.

    Returns
    -------
    members : array of int64
        The set after the last step.
    moved : array of bool, shape (used,)
        Which steps were accepted, of those that were used.
    sizes : array of int64, shape (used,)
        How many members there were after each.
    gains : array of shape (used,)
        By how much each increased log(det(L[S, S])).

    References
    ----------
    C. Li, S. Jegelka, S. Sra, "Fast mixing Markov chains for strongly Rayleigh measures, DPPs, and
    constrained sampling", NeurIPS 2016.
    """
    space = space_of(L)
    S, M = [int(i) for i in to_host(members)], inverse
    moved: list[bool] = []
    sizes: list[int] = []
    gains: list[float] = []
    proposals = zip(*(to_host(x).tolist() for x in (items, places, coins, swap)), strict=True)
    for t, place, coin, exchange in proposals:
        if sum(moved) == most:
            break
        leaves, joins = exchange or t in S, exchange or t not in S
        ratio = 0.0
        if not (exchange and (t in S or not S)):
            a = int(place * len(S)) if exchange else S.index(t) if leaves else 0
            v, rest = _new(L, M, S, t) if joins else (None, 1.0)
            ratio = rest
            if leaves:
                ratio *= _real(M[a, a])
            if exchange and v is not None:
                ratio += abs(_number(v[a])) ** 2
        moved.append(coin < ratio)
        if moved[-1]:
            if leaves:
                S, M = _without(S, M, a)
            if joins:
                v, rest = _new(L, M, S, t)
                S, M = _with(S, M, t, v, rest)
        sizes.append(len(S))
        gains.append(math.log(ratio) if moved[-1] else 0.0)
    xp = space.xp
    return (
        space.asarray(S, xp.int64),
        space.asarray(moved, xp.bool),
        space.asarray(sizes, xp.int64),
        space.asarray(gains, real_dtype(xp, L.dtype)),
    )


def _number(x: Array) -> Any:
    return complex(x) if is_complex(x) else float(x)


def _real(x: Array) -> float:
    return float(_number(x).real)


def _new(L: Array, M: Array, S: list[int], t: int) -> tuple[Array, float]:
    """Return the coefficients of item t on the members, and what of its diagonal they leave."""
    space = space_of(L)
    b = space.xp.take(L[:, t], space.asarray(S, space.xp.int64))
    v = M @ b
    return v, _real(L[t, t]) - _real(space.xp.sum(adjoint(b) * v))


def _without(S: list[int], M: Array, a: int) -> tuple[list[int], Array]:
    """Take out the member at place a; the last one takes its place."""
    space = space_of(M)
    M = M - M[:, a][:, None] * (M[a, :] / M[a, a])[None, :]
    order = list(range(len(S)))
    order[a] = order[-1]
    keep = space.asarray(order[:-1], space.xp.int64)
    M = space.xp.take(space.xp.take(M, keep, axis=0), keep, axis=1)
    return [S[i] for i in order[:-1]], M


def _with(S: list[int], M: Array, t: int, v: Array, rest: float) -> tuple[list[int], Array]:
    xp = space_of(M).xp
    side = -v[:, None] / rest
    corner = space_of(M).eye(1, M.dtype) / rest
    M = M + (v[:, None] / rest) * adjoint(v)[None, :]
    rows = (xp.concat((M, side), axis=1), xp.concat((adjoint(side), corner), axis=1))
    return [*S, t], xp.concat(rows, axis=0)
