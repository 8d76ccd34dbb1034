"""Block Lanczos for A^H A: singular triplets of sparse data, which is then read once for each step.

``A^H (A X)`` is formed row by row, and nothing of the length of the long side is ever stored, let
alone made orthonormal: with few entries to a row that was most of the time. The price is accuracy:
rounding errors of u s_1^2 in A^H A leave residuals of u s_1^2 / s_i in the triplets. Where that is
too much for the tolerance, `Gram.leave` says so, and `Bidiagonal` is the one to take.
"""

from __future__ import annotations

import math

from lrla._core.arrays import Array
from lrla._core.random import Key
from lrla.kernels.row_lengths import by_length, normal_times
from lrla.lowrank._krylov import Bidiagonal, Ritz
from lrla.lowrank._matrix import Side, conj
from lrla.lowrank._tridiagonal import Tridiagonal

_ROUNDING = 4.0  # times u s_1^2: errors of the recurrence, measured
_SETTLED = 0.5  # relative error of an eigenvalue of A^H A that tells its size


class Gram(Tridiagonal):
    """The recurrence A^H A V = V T + V_next L E^H, for triplets with residuals of ``rtol``."""

    def __init__(self, side: Side, key: Key, block: int, rtol: float) -> None:
        super().__init__(side, key, block, "LM", rtol)
        self.first = side.back(self.first)
        A, self.rows_by_length = side.matrix.op.A, None
        if self.space.is_numpy:
            data, indices, indptr = by_length(A.data, A.indices, A.indptr)
            data /= side.matrix.scale  # before they are squared, which may leave the range
            self.rows_by_length = data, indices, indptr

    @property
    def norm(self) -> float:
        """Largest singular value seen."""
        return math.sqrt(self.peak)

    @property
    def noise(self) -> float:
        """Errors of A^H A v that rounding leaves."""
        return _ROUNDING * self.u * self.peak

    def product(self, X: Array) -> Array:
        """Multiply A^H A with columns."""
        side = self.side
        if self.rows_by_length is None:
            return side.back(side.times(X))
        side.matrix.passes += 1
        # CSC arrays are those of the rows of A^T, so of A^H but for conjugates
        Z = normal_times(*self.rows_by_length, conj(X) if side.flipped else X)
        return conj(Z) if side.flipped else Z

    def ritz(self) -> Ritz:
        """Compute singular values, and the residuals of their triplets if A v / s is the left vector."""
        xp, found = self.space.xp, super().ritz()
        s = xp.sqrt(xp.where(found.P > 0, found.P, xp.zeros_like(found.P)))
        least = math.sqrt(self.u) * self.norm or 1.0
        residuals = (found.residuals + self.noise) / xp.where(s > least, s, xp.ones_like(s) * least)
        return Ritz(found.P, s, found.Q, residuals)

    def leave(self, ritz: Ritz, rank: int, ratio: float) -> bool:
        """Tell whether rounding keeps a triplet that is wanted from its tolerance."""
        xp, size = self.space.xp, int(ritz.s.shape[0])
        # of fewer columns than are wanted the last ones may belong to the other end of the spectrum
        count = rank if size >= rank else size // 2
        s, residuals = ritz.s[:count], ritz.residuals[:count]
        small = 0.5 * self.rtol * self.norm * s < self.noise
        known = s * residuals < _SETTLED * s * s + 2 * self.noise
        return bool(xp.any(small & known))

    remainder = Bidiagonal.remainder
