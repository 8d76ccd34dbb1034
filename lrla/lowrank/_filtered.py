"""Block Lanczos for a Chebyshev polynomial of A: fewer steps, each of several products.

Where products are cheap, the time of Lanczos goes into keeping its basis orthogonal. The polynomial
T_d that maps the unwanted part of the spectrum into [-1, 1] spreads what lies outside, by up to d^2
at the edge, so that fewer steps do, with few more products in all (Saad 1984).
"""

from __future__ import annotations

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint
from lrla.lowrank._basis import inner
from lrla.lowrank._chebyshev import Chebyshev
from lrla.lowrank._krylov import Ritz
from lrla.lowrank._tridiagonal import Tridiagonal

_NEAR = 1e3  # error over the tolerance at which it is first measured: some looks before the last


class Filtered(Tridiagonal):
    """The recurrence of a polynomial of A, begun where one of A itself has come to."""

    def __init__(self, before: Tridiagonal, ritz: Ritz, rank: int) -> None:
        # the start block, but for what it has of the vectors that are not wanted
        kept = ritz.Q[:, : before.kept(rank + before.block, before.V.size)]
        start = before.V.columns @ (kept @ adjoint(kept[: before.block, :]))
        which = "LM" if before.which == "LM" else "LA"
        super().__init__(before.side, before.key, before.block, which, before.rtol, start)
        self.filter, self.wanted, self.scale = _chosen(before), before.which, before.peak
        self.factor = 1 / self.filter.slope  # residuals of A over those of the polynomial
        self.seen: tuple[Ritz, tuple[Array, Array, Array]] | None = None  # the last pairs
        self.first = self.product(self.next)
        self.image = self.product(self.probes)

    def product(self, X: Array) -> Array:
        """Multiply the polynomial of A with columns, by the recurrence of Chebyshev."""
        matrix, p = self.side.matrix, self.filter
        a, b = p.sign / p.half, -p.middle / p.half
        before, X = X, matrix.three_terms(X, X, (a, b, 0.0))
        for _ in range(1, p.degree):
            before, X = X, matrix.three_terms(X, before, (2 * a, 2 * b, -1.0))
        return X

    def leave(self, ritz: Ritz, rank: int, ratio: float) -> bool:
        """Say no: this is the last recurrence."""
        return False

    def ratio(self, ritz: Ritz, rank: int) -> float:
        """Return the worst residual over the tolerance.

        It is measured with A once the polynomial's says that it may be near, and again, by the factor
        between the two that was seen then, when it should be small enough.
        """
        goal = self.rtol * self.scale
        worst = float(self.space.xp.max(ritz.residuals[:rank]))
        near = _NEAR if self.seen is None else 1.0
        if worst > 0 and worst * self.factor > near * goal:
            return worst * self.factor / goal
        measured = float(self.space.xp.max(self.pairs(ritz, rank)[2]))
        self.factor = measured / worst if worst else self.factor
        return measured / goal

    def pairs(self, ritz: Ritz, rank: int) -> tuple[Array, Array, Array]:
        """Compute eigenpairs of A in the span of the leading Ritz vectors, a block more than wanted."""
        if self.seen is None or self.seen[0] is not ritz:
            self.seen = ritz, self._pairs(ritz, rank)
        return self.seen[1]

    def _pairs(self, ritz: Ritz, rank: int) -> tuple[Array, Array, Array]:
        xp = self.space.xp
        X = self.V.columns @ ritz.Q[:, : rank + self.block]
        Y = self.side.times(X)
        H = inner(X, Y)
        w, T = xp.linalg.eigh((H + adjoint(H)) / 2)
        order = xp.argsort({"LM": -xp.abs(w), "LA": -w, "SA": w}[self.wanted])[:rank]
        w, T = xp.take(w, order), xp.take(T, order, axis=1)
        V = X @ T
        return w, V, linalg.norm(Y @ T - V * w[None, :], axis=0)


def _chosen(before: Tridiagonal) -> Chebyshev:
    assert before.poly is not None
    return before.poly
