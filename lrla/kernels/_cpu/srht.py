"""Subsampled Hadamard transforms, a few columns and a block of their rows at a time.

Write a row number of H_N as ``high * B + low``: then ``H_N = kron(H_Q, H_B)`` with ``Q = N / B``.
Block q of the slots is gathered into a tile, transformed by H_B inside the caches, and added
with the signs ``H_Q[high, q]`` to the results of the few rows that are wanted, so that H_Q is
never applied to the others. The adjoint does the same three steps transposed, in reverse order.
"""

import numpy as np

from lrla._core import threads
from lrla._core.jit import jit
from lrla.kernels._cpu.fwht import transform_pieces
from lrla.kernels.fwht import check_length

_TILE = 262144  # numbers in a tile, 2 MiB of float64: measured, a quarter of it costs 10 % more
_NS = 2e-9  # seconds for one number, roughly


def apply(A, slots, signs, N, rows):
    """Compute ``H_N[rows][:, slots] @ (signs[:, None] * A)``; see the definition."""
    by_columns = A.flags.f_contiguous and A.dtype.kind != "c"
    lanes = 1 if by_columns else _lanes(A)
    plan = _Plan(slots, signs, N, rows, lanes)
    return plan.over_columns(_forward, A if by_columns else np.ascontiguousarray(A), len(rows))


def adjoint(Y, slots, signs, N, rows):
    """Compute the transpose of `apply`; see the definition."""
    plan = _Plan(slots, signs, N, rows, _lanes(Y))
    return plan.over_columns(_backward, np.ascontiguousarray(Y), len(slots))


def _lanes(X):
    """Choose how many real columns lie side by side in a tile: 1, 8 or 64."""
    columns = X.shape[1] * (2 if X.dtype.kind == "c" else 1)
    return 1 if columns == 1 else 8 if columns <= 32 else 64


class _Plan:
    def __init__(self, slots, signs, N, rows, lanes):
        check_length(N)
        self.lanes = lanes
        # applying H_Q costs len(rows) * Q additions a column: at most 2 N
        self.height = min(N, max(_TILE // lanes, 1 << (len(rows) // 2).bit_length()))
        self.owner = np.full(N, len(slots))  # which row of A sits in a slot; the last is no row
        self.owner[slots] = np.arange(len(slots))
        self.signs = np.ascontiguousarray(signs)
        self.low = rows % self.height
        self.flips = _flips(rows // self.height, N // self.height)

    def blocks(self):
        """Say who sits in each block of the slots, and the signs of H_Q for that block."""
        return zip(self.owner.reshape(-1, self.height), self.flips, strict=True)

    def transform(self, tile):
        """Apply H_B."""
        y = tile.reshape(-1)
        transform_pieces(y, self.lanes, y.size, 0, y.size)

    def over_columns(self, task, X, height):
        """Run ``task`` on strips of columns; a complex column is two real ones."""
        out = np.empty((height, X.shape[1]), X.dtype)
        if X.dtype.kind == "c":
            x, y = X.view(X.real.dtype), out.view(X.real.dtype)
        else:
            x, y = X, out
        strips = [(self, x, y, a, b) for a, b in threads.ranges(x.shape[1], self.lanes)]
        threads.run(task, strips, work=_NS * self.owner.size * x.shape[1])
        return out


def _forward(plan, A, out, a, b):
    tile = np.zeros((plan.height, plan.lanes), A.dtype)
    sums = np.zeros((len(out), plan.lanes), A.dtype)
    if plan.lanes == 1:  # read a column in order, into the cache, before it is read at random
        column = np.append(plan.signs * A[:, a], A.dtype.type(0))
    for owner, flips in plan.blocks():
        if plan.lanes == 1:
            _load_column(column, owner, tile[:, 0])
        else:
            _load(A, a, b, owner, plan.signs, tile)
        plan.transform(tile)
        _take(tile, plan.low, flips, sums)
    out[:, a:b] = sums[:, : b - a]


def _backward(plan, Y, out, a, b):
    tile = np.empty((plan.height, plan.lanes), Y.dtype)
    for owner, flips in plan.blocks():
        tile[...] = 0
        _put(Y, a, b, plan.low, flips, tile)
        plan.transform(tile)
        _store(tile, owner, plan.signs, out, a, b)


@jit
def _flips(high, n_blocks):
    """Tabulate the signs ``H_Q[high, q]``, one row for each q."""
    flips = np.empty((n_blocks, high.size), np.int8)
    for q in range(n_blocks):
        for r in range(high.size):
            bits = high[r] & q
            parity = 0
            while bits:
                bits &= bits - 1
                parity ^= 1
            flips[q, r] = 1 - 2 * parity
    return flips


@jit
def _load(A, a, b, owner, signs, tile):
    for j in range(owner.size):
        i = owner[j]
        line = tile[j]
        if i == signs.size:
            line[:] = 0
            continue
        row = A[i, a:b]
        sign = tile.dtype.type(signs[i])
        for c in range(row.size):
            line[c] = sign * row[c]


@jit
def _load_column(x, owner, tile):
    for j in range(owner.size):
        tile[j] = x[owner[j]]


@jit
def _take(tile, low, flips, sums):
    for r in range(low.size):
        line, total = tile[low[r]], sums[r]
        sign = tile.dtype.type(flips[r])
        for c in range(total.size):
            total[c] += sign * line[c]


@jit
def _put(Y, a, b, low, flips, tile):
    for r in range(low.size):
        line, row = tile[low[r]], Y[r, a:b]
        sign = tile.dtype.type(flips[r])
        for c in range(row.size):
            line[c] += sign * row[c]


@jit
def _store(tile, owner, signs, out, a, b):
    for j in range(owner.size):
        i = owner[j]
        if i < signs.size:
            line, row = tile[j], out[i, a:b]
            sign = tile.dtype.type(signs[i])
            for c in range(row.size):
                row[c] = sign * line[c]
