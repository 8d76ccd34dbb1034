"""Partial Cholesky factors that grow by blocks of pivots: the loop of `rp_cholesky`."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, Space, adjoint, is_complex, real_dtype, unit_roundoff
from lrla._core.memory import check_room
from lrla._core.numbers import whole
from lrla._core.random import Domain, key_of, tag
from lrla._core.threads import ranges
from lrla.kernels import philox
from lrla.kernels.nuclear_pivots import nuclear_pivots
from lrla.kernels.rejection import rejection_cholesky
from lrla.lowrank._kernels import PANEL
from lrla.lowrank._selection import Draws

METHODS = ("accelerated", "simple", "nuclear", "block", "greedy", "uniform")
BLOCK = 10  # proposals in a first block: Epperly, Tropp and Webber 2024, sec. 2.3
SHARE = 0.25  # of the work, what rejection may take; ibid.
# Of pivots by nuclear scores. Measured with n = 40000, k = 1000: 4 proposals, and a tenth of the
# work for their scores, leave 3 % less error and take 10 % more time
CANDIDATES = 3  # proposals for a pivot
SCORES = 0.04  # of the work, what scores may take
CHOICE = 0.1  # and all of the choice
COLUMNS = 300  # for scores, at least
NEGATIVE = 1e-10  # of the trace: an eigenvalue below zero that no rounding explains
LOWEST = 16  # entries of the diagonal that are looked at for one


class Growth:
    """A factor that grows by blocks of pivots, and the diagonal that it leaves."""

    def __init__(self, K: Any, rank: int, tol: float, method: str, seed: int) -> None:
        n = K.shape[0]
        self.rank = whole(rank, "rank", 1, n, rule=f" between 1 and n = {n}")
        if not 0 <= tol < 1:
            raise ValueError(f"tol must be at least 0 and less than 1, got {tol}")
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
        self.K, self.tol, self.method, self.seed = K, tol, method, seed
        self.space: Space = K.space
        xp = self.xp = self.space.xp
        real = real_dtype(xp, K.dtype)
        self.first = xp.asarray(K.diagonal(), dtype=real, copy=True)
        self.trace = float(xp.sum(xp.astype(self.first, xp.float64)))
        if not np.isfinite(self.trace):
            raise ValueError("K must be finite, got NaN or infinity in its diagonal")
        if float(xp.min(self.first)) < 0:
            raise ValueError(
                f"K must be positive semidefinite, got {float(xp.min(self.first)):.3g} in its "
                "diagonal"
            )
        self.u = unit_roundoff(xp, K.dtype)
        # below this fraction of the diagonal nothing can be told, as far as is known
        self.noise = 20 * self.u
        shape = self.rank, n
        if tol == 0:  # otherwise nobody knows how many rows there will be, and zeros take nothing
            what = "ask for a smaller rank, or for a tolerance"
            check_room(self.space, shape, K.dtype, "the factor", what)
        self.G = self.space.zeros(shape, K.dtype)
        self.d = xp.asarray(self.first, copy=True)
        self.pivots = self.space.zeros((0,), xp.int64)
        self.count, self.entries, self.proposed = 0, n, 0
        self.history = [1.0 if self.trace else 0.0]
        self.size = {"simple": 1, "greedy": 1, "nuclear": CANDIDATES * BLOCK}.get(method, BLOCK)
        self.draws = Draws(seed)

    def grow(self) -> None:
        """Add pivots until there are enough of them, or too little is left."""
        while self.count < self.rank and self.history[-1] > max(self.tol, self.noise):
            if self.method == "uniform" and self.proposed == self.K.shape[0]:
                break
            before = self.proposed
            T, L = self._block()
            if T.shape[0] and not self._extend(T, L) and self.method == "uniform":
                self.proposed = before  # pivots without replacement have their turn again

    def _block(self) -> tuple[Array, Array]:
        """Choose pivots and factor what is left of K in their rows and columns."""
        xp, n = self.xp, self.K.shape[0]
        if self.method == "nuclear":
            return self._best()
        if self.method == "greedy":
            proposed = xp.reshape(xp.argmax(self.d), (1,))
            uniform = xp.zeros_like(self.d[:1])
        elif self.method == "uniform":
            last = min(n, self.proposed + max(self.size, min(256, self.rank - self.count)))
            place = xp.arange(self.proposed, last, dtype=xp.int64, device=self.space.device)
            key = key_of(self.seed)
            proposed = philox.permute(place, key, tag(Domain.SAMPLE), n)
            uniform = xp.zeros_like(proposed)
        else:
            proposed, uniform = self.draws.from_weights(self.d, self.size)
        self.proposed += int(proposed.shape[0])
        H = self._left(proposed)
        if self.method == "uniform":  # which of them comes first is free
            order = self.space.asarray(largest_first(self.space, H), xp.int64)
            proposed = xp.take(proposed, order)
            H = xp.take(xp.take(H, order, axis=0), order, axis=1)
        real = self.d.dtype
        bounds = xp.take(self.d, proposed)
        if self.method == "block":  # nearly dependent proposals go: they would mix in rounding
            uniform = xp.zeros_like(uniform) + 1.0 / self.size
            self.size = max(BLOCK, self.rank // 10)
        elif self.method != "accelerated":  # whatever is not yet spanned is taken
            uniform = xp.zeros_like(uniform)
        # a pivot that is all rounding would make a column that is
        least = self._rounding()
        if self.method == "uniform":  # nothing makes sure that pivots are large
            least = max(least, self.u ** (2 / 3))
        floor = least * xp.take(self.first, proposed)
        at_least = xp.maximum(xp.astype(uniform, real) * bounds, floor)
        L, accepted = rejection_cholesky(
            H, at_least, xp.ones_like(at_least), self.rank - self.count
        )
        (kept,) = xp.nonzero(accepted)
        if self.method == "accelerated":
            self._adapt(int(kept.shape[0]), 0)
        if not kept.shape[0] and self.method != "uniform":
            self._correct(proposed, H)  # the diagonal promised more than there is
        return xp.take(proposed, kept), xp.take(xp.take(L, kept, axis=0), kept, axis=1)

    def _best(self) -> tuple[Array, Array]:
        """Choose pivots of great nuclear score among proposals; as `_block`."""
        xp = self.xp
        proposed, uniform = self.draws.from_weights(self.d, self.size)
        self.proposed += self.size
        unit = self.trace / self.K.shape[0]  # sums of squares must not overflow
        H, rows = self._left(proposed), self._sampled(proposed, unit)
        bounds = xp.take(self.d, proposed)
        least = self._rounding() * xp.take(self.first, proposed)
        L, chosen = nuclear_pivots(
            H / unit,
            rows @ adjoint(rows),
            bounds / unit,
            xp.astype(uniform, bounds.dtype),
            xp.maximum(least, self.u**0.5 * bounds) / unit,  # scores need some digits
            CANDIDATES,
            self.rank - self.count,
        )
        (steps,) = xp.nonzero(chosen >= 0)
        if not steps.shape[0]:
            self._correct(proposed, H)
        kept = xp.take(chosen, steps)
        L = xp.take(xp.take(L, kept, axis=0), steps, axis=1)
        self._adapt(int(steps.shape[0]), int(rows.shape[1]))
        return xp.take(proposed, kept), L * unit**0.5

    def _sampled(self, indices: Array, unit: float) -> Array:
        """Compute rows of K - G^H G in some columns, so weighted that they have the right products.

        They are divided by ``unit``.

        Column j comes with probability d[j] / sum(d). The square of an entry (i, j) is at most
        d[i] d[j], so no column counts for more than its share of the greatest possible score.
        """
        xp, n = self.xp, self.K.shape[0]
        m = max(COLUMNS, min(int(SCORES * n / CANDIDATES), 4 * self.rank))
        P, G = xp.take(self.G[: self.count, :], indices, axis=1), self.G[: self.count, :]
        columns: Any = slice(0, n)
        weights = xp.ones_like(self.d[:1])
        if m < n:
            columns = xp.sort(self.draws.from_weights(self.d, m)[0])  # reads them in order
            G = self.space.columns(G, columns)
            d = self.d / unit
            weights = xp.take(d, columns) / xp.sum(d) * m
        rows = (self.K.block(indices, columns) - adjoint(P) @ G) / unit / xp.sqrt(weights)
        self.entries += int(rows.shape[0] * rows.shape[1])
        if not bool(xp.all(xp.isfinite(rows))):
            raise ValueError("K must be finite, got NaN or infinity in its rows")
        return rows

    def _left(self, indices: Array) -> Array:
        """Compute K - G^H G in some rows and columns, and look whether K is what it should be."""
        xp = self.xp
        H = self.K.block(indices, indices)
        self.entries += int(indices.shape[0]) ** 2
        skew = float(xp.max(xp.abs(H - adjoint(H))))
        if not skew <= max(1e-8, 100 * self.u) * float(xp.max(xp.abs(H))):
            raise ValueError(
                f"K must be Hermitian and finite, got a block that differs by {skew:.3g} from its "
                "adjoint"
            )
        P = xp.take(self.G[: self.count, :], indices, axis=1)
        return H - adjoint(P) @ P

    def _correct(self, indices: Array, H: Array) -> None:
        xp = self.xp
        true = xp.real(xp.linalg.diagonal(H)) if is_complex(H) else xp.linalg.diagonal(H)
        self._refuse_negative(true, indices, self.pivots)
        place = xp.arange(self.K.shape[0], dtype=indices.dtype, device=self.space.device)
        for i in range(indices.shape[0]):
            self.d = xp.where(place == indices[i], xp.zeros_like(self.d) + true[i], self.d)
        self._settle()

    def _extend(self, T: Array, L: Array) -> bool:
        """Add rows inv(L) (K[T] - G[:, T]^H G) to the factor, a panel of columns at a time.

        Returns whether they were worth keeping.
        """
        xp, c, a = self.xp, self.count, int(T.shape[0])
        n = self.K.shape[0]
        old = adjoint(xp.take(self.G[:c, :], T, axis=1))
        rest = xp.asarray(self.d, copy=True)
        width = max(64, PANEL // (c + a) // 64 * 64)
        for i, j in ranges(n, width):
            panel = self.K.block(T, slice(i, j))
            if c:
                panel = panel - old @ self.G[:c, i:j]
            panel = linalg.solve_triangular(L, panel, lower=True)
            self.G[c : c + a, i:j] = panel
            left = self.d[i:j] - xp.sum(xp.abs(panel) ** 2, axis=0)
            place = xp.arange(i, j, dtype=T.dtype, device=self.space.device)
            pivot = xp.any(T[:, None] == place[None, :], axis=0)
            rest[i:j] = xp.where(pivot, xp.zeros_like(left), left)
        self.entries += a * n
        kept = self._is_rounding(rest, xp.concat([self.pivots, xp.astype(T, xp.int64)]))
        if kept:
            self.count += a
            self.pivots = xp.concat([self.pivots, xp.astype(T, xp.int64)])
            self.d = rest
        self._settle()
        return kept

    def _rounding(self) -> float:
        """Return the fraction of the diagonal that may be rounding, in K or of ours."""
        alone = self.method in ("simple", "greedy")  # rounding of pivots one by one piles up
        return (50 if alone else 1) * self.noise + 2 * self.u * self.count

    def _is_rounding(self, rest: Array, pivots: Array) -> bool:
        """Tell whether what is below zero is rounding; if not, more of K is than was known.

        Pivots of the size of the errors in K make columns that grow from block to block. The first
        sign is a diagonal below zero: then the block is not taken, and ten times as much is called
        rounding.
        """
        allowed = self._rounding() * (self.first + self.trace / self.K.shape[0])
        if bool(self.xp.all(rest >= -allowed)):
            return True
        every = self.xp.arange(self.K.shape[0], dtype=pivots.dtype, device=self.space.device)
        self._refuse_negative(rest, every, pivots)
        self.noise *= 10
        return False

    def _settle(self) -> None:
        """Clear what rounding has left, and write down how much remains."""
        xp = self.xp
        known = self.d > self._rounding() * self.first
        self.d = xp.where(known, self.d, xp.zeros_like(self.d))
        self.history.append(float(xp.sum(xp.astype(self.d, xp.float64))) / self.trace)

    def _refuse_negative(self, left: Array, indices: Array, pivots: Array) -> None:
        """Raise an error if what pivots leave of the diagonal, at some indices, proves K indefinite.

        What small pivots leave is far below zero if entries of K have small errors. But with S the
        pivots and y the vector of 1 at i and ``-inv(K[S, S]) K[S, i]`` at S, what is left at i is
        ``y^H K y``, and over ``norm(y)**2`` no less than the least eigenvalue of K.
        """
        xp, k = self.xp, int(pivots.shape[0])
        if not bool(xp.all(xp.isfinite(left))):
            raise ValueError("K must be finite, got NaN or infinity in its rows")
        order = xp.argsort(left)[:LOWEST]
        worst, place = xp.take(left, order), xp.take(indices, order)
        Y = xp.take(self.G[:k, :], place, axis=1)
        if k:
            Y = linalg.solve_triangular(xp.triu(xp.take(self.G[:k, :], pivots, axis=1)), Y)
        least = float(xp.min(worst / (1 + xp.sum(xp.abs(Y) ** 2, axis=0))))
        if not least >= -max(NEGATIVE, 100 * self.u) * self.trace:
            raise ValueError(
                f"K must be positive semidefinite and finite, got a matrix of which {k} pivots leave "
                f"{float(worst[0]):.3g} in the diagonal: it has an eigenvalue of {least:.3g} or less"
            )

    def _adapt(self, kept: int, sampled: int) -> None:
        """Choose the size of the next block by what the choice of its pivots may take of the work."""
        b, c, n = self.size, self.count, self.K.shape[0]
        square = b * b * (2 * c + b + 100)
        update = max(kept, 1) * n * (2 * c + kept + 100)
        each, rest = 1, SHARE * update
        if sampled:
            square += b * b * (2 * sampled + 6 * kept)
            # the scores of few columns take more than their share, in blocks of any size
            each, scores = CANDIDATES, min(b * sampled * (2 * c + 100), SCORES * update)
            rest = CHOICE * update - scores
        limit = each * max(BLOCK, self.rank // 3)
        wanted = rest / square * b
        self.size = int(min(max(wanted, b / 3, each * BLOCK), 1.5 * b + 1, limit))


def largest_first(space: Space, H: Array) -> list[int]:
    """Order the rows of H so that each next pivot is the largest left: then Cholesky is stable."""
    xp, b = space.xp, int(H.shape[0])
    L = xp.zeros_like(H)
    left = xp.real(xp.linalg.diagonal(H)) if is_complex(H) else xp.linalg.diagonal(H)
    index = xp.arange(b, device=space.device)
    free = xp.ones_like(index) > 0
    order: list[int] = []
    while len(order) < b:
        j, p = len(order), int(xp.argmax(xp.where(free, left, xp.zeros_like(left) - np.inf)))
        if not float(left[p]) > 0:
            return order + [int(i) for i in xp.nonzero(free)[0]]
        column = (H[:, p] - L[:, :j] @ xp.conj(L[p, :j])) / float(left[p]) ** 0.5
        L[:, j] = column
        left = left - xp.abs(column) ** 2
        free = free & (index != p)
        order.append(p)
    return order
