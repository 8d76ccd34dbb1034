"""Block Lanczos for Hermitian matrices: the recurrence of `eigh`."""

from __future__ import annotations

import math

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint
from lrla._core.random import Key
from lrla.lowrank._basis import inner
from lrla.lowrank._chebyshev import Chebyshev, chebyshev
from lrla.lowrank._krylov import Bidiagonal, Ritz
from lrla.lowrank._matrix import Side

# columns beyond three times those wanted, at which a basis of sparse data is compressed
_SPARE = 64
_EARLY = 3  # times the columns wanted and a block: the spectrum is known well enough, measured
FAR = 1e3  # errors over the tolerance for which another start pays


class Tridiagonal(Bidiagonal):
    """The recurrence A V = V T + V_next L E^H of a Hermitian matrix."""

    def __init__(
        self, side: Side, key: Key, block: int, which: str, rtol: float,
        start: Array | None = None,
    ) -> None:  # fmt: skip
        super().__init__(side, key, block, long=False, start=start)
        self.which, self.rtol = which, rtol
        self.poly: Chebyshev | None = None  # what should take over

    @property
    def asked(self) -> tuple[str, float]:
        """What is wanted of A, and its norm as far as it was seen."""
        return self.which, self.peak

    def step(self) -> None:
        """Add a block: one pass over the data."""
        Vn, previous = self.next, self.last
        Z = self.first if self.V.size == 0 else self.product(Vn)
        above = adjoint(self.coupling)
        if previous.shape[1]:
            Z = Z - previous @ above
        D = inner(Vn, Z)
        if not self.peak:
            self.peak = linalg.norm(Z)
        if linalg.norm(D - adjoint(D)) > math.sqrt(self.u) * max(self.peak, linalg.norm(D)):
            raise ValueError(
                "A must be Hermitian, got a matrix whose products say otherwise; use svd, or "
                "(A + A.conj().T) / 2"
            )
        D = (D + adjoint(D)) / 2
        self.V.append(Vn)
        self.taken += Vn.shape[1]
        self.blocks.append((above, D))
        self.last = Vn
        self.empty = self.random and linalg.norm(Z) <= self.floor
        self.random = False
        self.next, self.coupling = self.V.against(Z - Vn @ D, self.floor, self.u)

    def product(self, X: Array) -> Array:
        """Multiply what the recurrence is of with columns."""
        if self.side.matrix.op.kind == "sparse":
            return self.side.matrix.three_terms(X, X, (1.0, 0.0, 0.0))
        return self.side.times(X)

    def matrix(self) -> Array:
        """Return T."""
        T = self.space.zeros((self.V.size, self.V.size), self.dtype)
        place = 0
        for above, diagonal in self.blocks:
            b = diagonal.shape[0]
            T[place : place + b, place : place + b] = diagonal
            T[place - above.shape[0] : place, place : place + b] = above
            T[place : place + b, place - above.shape[0] : place] = adjoint(above)
            place += b
        return T

    def pad(self, rank: int) -> None:
        """Give V columns enough for ``rank`` eigenvalues, knowing that A maps the new ones to zero."""
        if self.which != "LM":  # zeros come before the values of the other sign
            ahead = int(
                self.space.xp.sum(self.space.xp.astype(self.ritz().s > 0, self.space.xp.int64))
            )
            rank = min(self.V.size + max(rank - ahead, 0), self.side.shape[1])
        if self.V.size < rank:
            self.inject(rank - self.V.size)
            b = self.next.shape[1]
            zeros = self.space.zeros((b, b), self.dtype)
            self.blocks.append((zeros[:0, :], zeros))
            self.V.append(self.next)
            self.last, self.next, self.coupling = self.next, self.next[:, :0], zeros[:0, :]

    def remainder(self) -> Array:
        """Apply A - V T V^H to the probes."""
        return self.image - self.V.columns @ (self.matrix() @ inner(self.V.columns, self.probes))

    def ritz(self) -> Ritz:
        """Compute the eigenpairs of T, in the order asked for; ``s`` is what orders them."""
        xp = self.space.xp
        w, Q = xp.linalg.eigh(self.matrix())
        self.peak = float(xp.max(xp.abs(w)))
        order = xp.argsort({"LM": -xp.abs(w), "LA": -w, "SA": w}[self.which])
        w, Q = xp.take(w, order), xp.take(Q, order, axis=1)
        tail = Q[Q.shape[0] - self.last.shape[1] :, :]
        key = {"LM": xp.abs(w), "LA": w, "SA": -w}[self.which]
        return Ritz(w, key, Q, linalg.norm(self.coupling @ tail, axis=0))

    def shown(self, ritz: Ritz) -> Array:
        """Return eigenvalues."""
        return ritz.P

    def ratio(self, ritz: Ritz, rank: int) -> float:
        """Return the worst residual over the tolerance."""
        worst = float(self.space.xp.max(ritz.residuals[:rank]))
        return worst / (self.rtol * self.peak) if worst else 0.0

    def pairs(self, ritz: Ritz, rank: int) -> tuple[Array, Array, Array]:
        """Compute eigenvalues and eigenvectors, and measure their residuals in one more pass."""
        w, V = ritz.P[:rank], self.V.columns @ ritz.Q[:, :rank]
        return w, V, linalg.norm(self.side.times(V) - V * w[None, :], axis=0)

    def leave(self, ritz: Ritz, rank: int, ratio: float) -> bool:
        """Tell whether a polynomial should take over: of sparse data, unless little is left to do."""
        op, least = self.side.matrix.op, rank + self.block
        # the polynomial begins with the first columns of V: they have to be there
        first = self.taken == self.V.size and not self.injected and not self.exhausted
        known = first and self.V.size >= _EARLY * least
        if op.kind == "sparse" and known and ratio > FAR:
            edge = float(ritz.s[self.kept(least, self.V.size)])
            # hardly any eigenvalue is further away from the last Ritz value (Zhou and Li 2011)
            last = float(self.space.xp.min(ritz.s)) - linalg.norm(self.coupling)
            self.poly = chebyshev(self.which, float(ritz.s[0]), edge, last, *self.costs(least))
        return self.poly is not None

    def costs(self, least: int) -> tuple[float, float]:
        """Return what `chebyshev` asks for: entries of the basis for one of A, and rounding errors."""
        cost = self.room(least) * self.side.shape[0] / max(self.side.matrix.op.A.nnz, 1)
        return cost, self.floor / (self.rtol * self.peak)

    def heir(self, ritz: Ritz, rank: int) -> Array:
        """Make the first block of what takes over: this one's, but for what is not wanted."""
        kept = ritz.Q[:, : self.kept(rank + self.block, self.V.size)]
        return self.V.columns @ (kept @ adjoint(kept[: self.block, :]))

    def room(self, least: int) -> int:
        """Return the columns of V at which to restart, if products are cheap."""
        return 3 * least + _SPARE

    def kept(self, least: int, most: int) -> int:
        """Return how many Ritz vectors a restart keeps.

        It costs no pass, unlike that of `svd`, and few vectors leave much room until the next.
        """
        return least + (most - least) // 4

    def compressible(self, ritz: Ritz, keep: int) -> bool:
        """Say yes: a restart needs nothing but V."""
        return True

    def compress(self, ritz: Ritz, keep: int) -> None:
        """Keep only the leading Ritz vectors."""
        V = self.V.columns @ ritz.Q[:, :keep]
        tail = ritz.Q[ritz.Q.shape[0] - self.last.shape[1] :, :keep]
        self.coupling, self.last = self.coupling @ tail, V
        diagonal = self.space.eye(keep, self.dtype) * ritz.P[None, :keep]
        self.blocks = [(self.space.zeros((0, keep), self.dtype), diagonal)]
        self.V.size = 0
        self.V.append(V)
