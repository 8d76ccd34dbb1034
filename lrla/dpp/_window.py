"""Greedy choices that have to differ from the latest ones only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, is_complex, to_host, unit_roundoff
from lrla.dpp._entries import entries_of


class Window:
    """Coordinates of all items on the latest choices, in the order in which they were made.

    C = V^-1 L[W, :] for the Cholesky factor V of L[W, W] and the window W, and ``left`` is what C
    leaves of the diagonal of L: by how much the determinant grows with each item.
    """

    def __init__(self, L: Any, size: int) -> None:
        self.L, self.size = entries_of(L), size
        self.space = self.L.space
        self.left = self.L.diagonal()
        self.floor = self.L.n * 2 * unit_roundoff(self.space.xp, self.left.dtype)
        self.floor *= float(self.space.xp.max(self.left))
        self.free = self.space.xp.ones_like(self.left, dtype=self.space.xp.bool)
        self.C: list[Array] = []  # a row for each item of the window
        self.V = np.zeros((0, 0), complex if is_complex(self.L.row(0)) else float)

    def choose(self) -> tuple[int, float] | None:
        """Find the best item that is left, and by how much it multiplies the determinant."""
        xp = self.space.xp
        best = xp.where(self.free, self.left, xp.zeros_like(self.left) - 1.0)
        j = int(xp.argmax(best))
        gain = float(best[j])
        return (j, gain) if gain > self.floor else None

    def take(self, j: int, gain: float) -> None:
        """Add item j, and let the oldest one go if there are too many."""
        xp = self.space.xp
        row, head = self.L.row(j), [to_host(c[j]).item() for c in self.C]
        for c, h in zip(self.C, head, strict=True):
            row = row - h.conjugate() * c
        row = row / gain**0.5
        self.C.append(row)
        self.left = self.left - xp.abs(row) ** 2
        mask = xp.arange(self.L.n, device=self.space.device) != j
        self.free = self.free & mask
        below = np.zeros((1, 1), self.V.dtype) + gain**0.5
        self.V = np.block([[self.V, np.zeros((len(head), 1))], [np.conj([head]), below]])
        if len(self.C) > self.size:
            self._forget()

    def _forget(self) -> None:
        """Rotate the first column of V into the others, and the rows of C alike (Givens)."""
        first, V, xp = self.V[1:, 0].copy(), self.V[1:, 1:], self.space.xp
        oldest, rest = self.C[0], self.C[1:]
        for i, c in enumerate(rest):
            z, d = first[i].item(), float(V[i, i].real)
            r = math.hypot(abs(z), d)
            z, d = z / r, d / r
            first, V[:, i] = d * first - z * V[:, i], z.conjugate() * first + d * V[:, i]
            oldest, rest[i] = d * oldest - z.conjugate() * c, z * oldest + d * c
        self.C, self.V = rest, V
        self.left = self.left + xp.abs(oldest) ** 2

    def log_det(self, S: list[int]) -> float:
        """Logarithm of the determinant of L on a set, by a factorization."""
        xp = self.space.xp
        R = linalg.cholesky(self.L.block(np.asarray(S, np.int64)))
        if R is None:
            return -np.inf
        return 2 * float(xp.sum(xp.log(xp.abs(xp.linalg.diagonal(R)))))
