"""Numba twin of `lrla.kernels.set_chain`: the inverse is updated in place, with room to grow."""

import numpy as np

from lrla._core.jit import jit

_LANES = {"contract", "reassoc"}  # reassoc: inner products of the inverse with columns


def walk(L, members, inverse, items, places, coins, swap, most):
    """See `lrla.kernels.set_chain.walk`."""
    L, steps = np.ascontiguousarray(L), len(items)
    k, room = len(members), min(len(members) + min(most, steps), len(L))
    S, M = np.empty(room, np.int64), np.zeros((room, room), L.dtype)
    S[:k], M[:k, :k] = members, inverse
    where = np.full(len(L), -1)
    where[members] = np.arange(k)
    moved, sizes = np.zeros(steps, np.bool_), np.zeros(steps, np.int64)
    gains = np.zeros(steps, L.real.dtype)
    proposals = (np.ascontiguousarray(x) for x in (items, places, coins, swap))
    k, used = _walk(L, S, M, k, where, *proposals, most, moved, sizes, gains)
    return S[:k], moved[:used], sizes[:used], gains[:used]


@jit(fastmath=_LANES)
def _walk(L, S, M, k, where, items, places, coins, swap, most, moved, sizes, gains):
    b, v = np.empty(len(S), L.dtype), np.empty(len(S), L.dtype)
    count = 0
    for i in range(len(items)):
        if count == most:
            return k, i
        sizes[i] = k
        t, exchange = items[i], swap[i]
        inside = where[t] >= 0
        if exchange and (inside or k == 0):
            continue
        leaves, joins = exchange or inside, exchange or not inside
        a = int(places[i] * k) if exchange else where[t]
        ratio = _new(L, M, S, k, t, b, v) if joins else 1.0
        if leaves:
            ratio *= M[a, a].real
        if exchange:
            ratio += (v[a] * np.conj(v[a])).real
        if not coins[i] < ratio:
            continue
        if leaves:
            k = _without(M, S, where, k, a)
        if joins:
            rest = _new(L, M, S, k, t, b, v)
            k = _with(M, S, where, k, t, v, rest)
        moved[i], sizes[i], gains[i] = True, k, np.log(ratio)
        count += 1
    return k, len(items)


@jit(fastmath=_LANES)
def _new(L, M, S, k, t, b, v):
    row = L[t]
    for j in range(k):
        b[j] = np.conj(row[S[j]])
    rest = row[t].real
    for i in range(k):
        s = row[t] * 0
        for j in range(k):
            s += M[i, j] * b[j]
        v[i] = s
        rest -= (np.conj(b[i]) * s).real
    return rest


@jit(fastmath=_LANES)
def _without(M, S, where, k, a):
    pivot = M[a, a].real
    for i in range(k):
        if i != a:
            s = M[i, a] / pivot
            for j in range(k):
                if j != a:
                    M[i, j] -= s * M[a, j]
    last = k - 1
    where[S[a]] = -1
    if a != last:
        for j in range(last):
            M[a, j] = M[last, j]
        for i in range(last):
            M[i, a] = M[i, last]
        M[a, a] = M[last, last]
        S[a] = S[last]
        where[S[a]] = a
    return last


@jit(fastmath=_LANES)
def _with(M, S, where, k, t, v, rest):
    for i in range(k):
        s = v[i] / rest
        for j in range(k):
            M[i, j] += s * np.conj(v[j])
        M[i, k], M[k, i] = -s, -np.conj(s)
    M[k, k] = 1 / rest
    S[k], where[t] = t, k
    return k + 1
