"""Subsampled Hadamard transforms, a few columns and a block of their rows at a time.

Write a row number of H_N as ``high * B + low``: then ``H_N = kron(H_Q, H_B)`` with ``Q = N / B``.
Block q of the slots is gathered into a tile, transformed by H_B inside the L2 cache, and added
with the signs ``H_Q[high, q]`` to the results of the few rows that are wanted, so that H_Q is
never applied to the others. The adjoint does the same three steps transposed, in reverse order.
"""

import numpy as np

from lrla._core import threads
from lrla._core.jit import jit
from lrla.kernels._cpu.fwht import transform_pieces
from lrla.kernels.fwht import check_length

_LANES = 8  # columns that lie side by side in a tile: a cache line of float64
_COLUMNS = 16  # columns of one task: two neighbouring lines of a row of A
_BLOCK = 4096  # rows of a tile: 512 KiB of float64, half of a common L2 cache
_NS = 2e-9  # seconds for one number, roughly


def apply(A, slots, signs, N, rows):
    """Compute ``H_N[rows][:, slots] @ (signs[:, None] * A)``; see the definition."""
    plan = _Plan(slots, signs, N, rows)
    return plan.over_columns(plan.forward, A, len(rows))


def adjoint(Y, slots, signs, N, rows):
    """Compute the transpose of `apply`; see the definition."""
    plan = _Plan(slots, signs, N, rows)
    return plan.over_columns(plan.backward, Y, len(slots))


class _Plan:
    def __init__(self, slots, signs, N, rows):
        check_length(N)
        # H_Q costs len(rows) * Q additions, that is 2 N at most
        self.block = min(N, max(_BLOCK, 1 << (len(rows) // 2).bit_length()))
        self.n_blocks = N // self.block
        self.N = N
        self.owner = np.full(N, -1)  # which row of A sits in a slot
        self.owner[slots] = np.arange(len(slots))
        self.signs = np.ascontiguousarray(signs)
        self.low = np.asarray(rows) % self.block
        self.flips = _flips(np.asarray(rows) // self.block, self.n_blocks)

    def over_columns(self, task, X, height):
        """Run ``task`` on strips of columns; complex numbers are two real columns."""
        n = X.shape[1]
        out = np.empty((height, n), X.dtype)
        pairs = [(X.real, out.real), (X.imag, out.imag)] if X.dtype.kind == "c" else [(X, out)]
        strips = [
            (x[:, a:b], y[:, a:b]) for x, y in pairs for a, b in threads.ranges(n, _COLUMNS)
        ]
        threads.run(task, strips, work=_NS * self.N * n)
        return out

    def tile(self, X):
        n = X.shape[1]
        lanes = 1 if n == 1 else _LANES
        return np.zeros((-(-n // lanes), self.block, lanes), X.dtype)

    def transform(self, tile):
        lanes = tile.shape[2]
        transform_pieces(tile.reshape(-1), tile.reshape(-1), lanes, self.block * lanes, 0, tile.size)

    def forward(self, X, out):
        tile = self.tile(X)
        sums = np.zeros((len(tile), len(out), tile.shape[2]), X.dtype)
        for q in range(self.n_blocks):
            owner = self.owner[q * self.block : (q + 1) * self.block]
            _load(X, owner, self.signs, tile)
            self.transform(tile)
            _take(tile, self.low, self.flips[q], sums)
        _unpack(sums, out)

    def backward(self, Y, out):
        tile = self.tile(Y)
        for q in range(self.n_blocks):
            owner = self.owner[q * self.block : (q + 1) * self.block]
            tile[...] = 0
            _put(Y, self.low, self.flips[q], tile)
            self.transform(tile)
            _store(tile, owner, self.signs, out)


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
def _load(A, owner, signs, tile):
    n = A.shape[1]
    lanes = tile.shape[2]
    whole = n // 8
    for j in range(owner.size):
        i = owner[j]
        if i < 0:
            tile[:, j] = 0
            continue
        sign = tile.dtype.type(signs[i])
        for s in range(whole):
            for c in range(8):
                tile[s, j, c] = sign * A[i, 8 * s + c]
        for c in range(8 * whole, n):
            tile[c // lanes, j, c % lanes] = sign * A[i, c]


@jit
def _take(tile, low, flips, sums):
    for s in range(tile.shape[0]):
        for r in range(low.size):
            sign = tile.dtype.type(flips[r])
            for c in range(tile.shape[2]):
                sums[s, r, c] += sign * tile[s, low[r], c]


@jit
def _unpack(sums, out):
    lanes = sums.shape[2]
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            out[r, c] = sums[c // lanes, r, c % lanes]


@jit
def _put(Y, low, flips, tile):
    lanes = tile.shape[2]
    for r in range(low.size):
        sign = tile.dtype.type(flips[r])
        for c in range(Y.shape[1]):
            tile[c // lanes, low[r], c % lanes] += sign * Y[r, c]


@jit
def _store(tile, owner, signs, out):
    lanes = tile.shape[2]
    for j in range(owner.size):
        i = owner[j]
        if i >= 0:
            sign = tile.dtype.type(signs[i])
            for c in range(out.shape[1]):
                out[i, c] = sign * tile[c // lanes, j, c % lanes]
