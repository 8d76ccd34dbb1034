"""Block Lanczos for a Chebyshev polynomial of A: fewer steps, each of several products.

Where products are cheap, the time of Lanczos goes into keeping its basis orthogonal. The polynomial
T_d that maps the unwanted part of the spectrum into [-1, 1] spreads what lies outside, by up to d^2
at the edge, so that fewer steps do, with few more products in all (Saad 1984).

Where the edge of what is unwanted lies is guessed early, and known better with each restart. In a
crowded spectrum it turns out to be far nearer to what is wanted, and then a polynomial of higher
degree takes over.
"""

from __future__ import annotations

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint
from lrla.lowrank._basis import inner
from lrla.lowrank._chebyshev import Chebyshev, chebyshev
from lrla.lowrank._krylov import Ritz
from lrla.lowrank._tridiagonal import FAR, Tridiagonal

_NEAR = 1e3  # error over the tolerance at which it is first measured: some looks before the last


class Filtered(Tridiagonal):
    """The recurrence of a polynomial of A, begun where another one has come to."""

    def __init__(self, before: Tridiagonal, ritz: Ritz, rank: int) -> None:
        self.wanted, self.scale = before.asked
        which = "LM" if before.which == "LM" else "LA"
        self.filter, start = _chosen(before), before.heir(ritz, rank)
        super().__init__(before.side, before.key, before.block, which, before.rtol, start)
        self.factor = 1 / self.filter.slope  # residuals of A over those of the polynomial
        self.seen: tuple[Ritz, tuple[Array, Array, Array]] | None = None  # the last pairs

    @property
    def asked(self) -> tuple[str, float]:
        """What is wanted of A, and its norm."""
        return self.wanted, self.scale

    def begin(self, X: Array) -> Array:
        """Multiply for the first time: the scale is known."""
        return self.product(X)

    def product(self, X: Array) -> Array:
        """Multiply the polynomial of A with columns, by the recurrence of Chebyshev."""
        matrix, p = self.side.matrix, self.filter
        a, b = p.sign / p.half, -p.middle / p.half
        before, X = X, matrix.three_terms(X, X, (a, b, 0.0))
        for _ in range(1, p.degree):
            before, X = X, matrix.three_terms(X, before, (2 * a, 2 * b, -1.0))
        return X

    def leave(self, ritz: Ritz, rank: int, ratio: float) -> bool:
        """Tell whether a polynomial of twice the degree should take over, for the edge as it is now."""
        p, least = self.filter, rank + self.block
        if self.V.size <= least or self.injected or self.exhausted or ratio <= FAR:
            return False
        edge = float(ritz.s[self.kept(least, self.V.size)])
        if edge <= 1:
            return False
        first, last = p.back(float(ritz.s[0])), p.middle - p.half
        poly = chebyshev(self.wanted, first, p.back(edge), last, *self.costs(least), known=True)
        self.poly = poly if poly and poly.degree >= 2 * p.degree else None
        return self.poly is not None

    def heir(self, ritz: Ritz, rank: int) -> Array:
        """Add up the vectors that are wanted, and some more, to as many as a block has.

        After restarts nothing is left of the first block.
        """
        xp, least = self.space.xp, rank + self.block
        index = xp.arange(least, device=self.space.device)
        place = (index % self.block)[:, None] == index[None, : self.block]
        return self.V.columns @ (ritz.Q[:, :least] @ xp.astype(place, self.dtype))

    def shown(self, ritz: Ritz) -> Array:
        """Return eigenvalues of A where the polynomial tells them: of the wanted, the others are cut."""
        xp, p = self.space.xp, self.filter
        top = xp.clip(ritz.s, min=1.0)
        found = p.middle + p.half * xp.cosh(xp.acosh(top) / p.degree)
        return xp.where(ritz.P < 0, -found, found) if self.wanted == "LM" else p.sign * found

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
