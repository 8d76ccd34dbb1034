"""The solver behind `sensitivities`: convex problems over all rows, or over a sample of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lrla._core.arrays import Array
from lrla._core.operators import Operator
from lrla._core.threads import ranges
from lrla.kernels import lp_sensitivity
from lrla.sampling._leverage import leverage_scores
from lrla.sampling._lp_frame import Frame, frame
from lrla.sampling._sample_rows import sample_rows

_PAIR, _ROW = 8e-11, 3e-8  # seconds of a step for each row and pair of columns; for each row
_STEPS = 12  # of one problem, as a rule
_PATIENCE = 5.0  # seconds for which "auto" asks for all rows of the reference
_MAX_ITER = 100
_BLOCK = 1 << 22  # entries of residuals that are held at a time


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Scores with bounds, and whether all problems were solved to their tolerance."""

    scores: Array
    lower: Array
    upper: Array
    solved: bool


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """Bounds for some vectors c, x with c.x = 1 that give the lower ones, and whether all is solved."""

    lower: Array
    upper: Array
    X: Array
    solved: bool


class Solver:
    """Sensitivities of any rows of one matrix: what they share is computed once."""

    def __init__(
        self, op: Operator, p: float, method: str, size: int | None, tol: float, seed: int,
        count: int,
    ) -> None:  # fmt: skip
        self.op, self.p, self.tol = op, p, tol
        self.space, self.m = op.space, op.shape[0]
        self.leverage = p == 2
        if self.leverage:
            found = leverage_scores(op.A, rng=seed)
            self.rank, self.lewis_total = found.rank, float(found.rank)
            self.known = found.scores
            self.method, self.reason, self.size = "leverage", "p is 2", self.m
            return
        self.frame: Frame = frame(op, p, seed)
        self.rank = self.frame.rank
        self.lewis_total = float(self.space.xp.sum(self.frame.weights))
        wanted = default_size(self.rank, p) if size is None else int(size)
        seconds = count * self.m * _STEPS * (_PAIR * self.rank**2 + _ROW)
        full = seconds < _PATIENCE or wanted >= self.m or math.isinf(p)
        self.method, self.reason = method, "asked for"
        if method == "auto":
            self.method = "full" if full else "lewis"
            self.reason = f"all rows would take {seconds:.2g} seconds"
        self.B, self.size = self.frame.U, self.m
        sampled = self.method == "lewis" or (method == "grouped" and not full)
        if sampled and wanted < self.m and self.rank:
            sample = sample_rows(self.frame.weights, wanted, rng=seed)
            self.B, self.size = sample.rows(self.frame.U, p), len(sample)
        elif self.method == "lewis_bounds":
            self.size = 0

    def __call__(self, index: Array) -> Bounds:
        """Bound the sensitivities of the rows of these numbers."""
        xp = self.space.xp
        if self.leverage:
            s = xp.take(self.known, index)
            return Bounds(s, s, s, True)
        rows = xp.take(self.frame.U, index, axis=0)
        low, high = self.frame.bounds(rows)
        if self.method == "lewis_bounds" or self.rank == 0 or 0 in rows.shape:
            return Bounds(high, low, high, True)
        found = self.solve(rows)
        lower, upper = xp.maximum(found.lower, low), xp.minimum(found.upper, high)
        lower = xp.minimum(lower, upper)  # they may cross by rounding
        scores = lower if self.size < self.m else xp.sqrt(lower * upper)
        return Bounds(scores, lower, upper, found.solved)

    def solve(self, rows: Array) -> Solved:
        """Solve the problems of any vectors, in the coordinates of the frame, rows of A or not."""
        xp = self.space.xp
        nonzero = self.frame.lengths(rows) > 0
        places = xp.nonzero(nonzero)[0]
        if places.shape[0] == rows.shape[0]:
            return self._solve(rows)
        if not places.shape[0]:
            zero = xp.zeros_like(rows[:, 0])
            return Solved(zero, zero, xp.zeros_like(rows), True)
        found = self._solve(xp.take(rows, places, axis=0))
        back = xp.cumulative_sum(xp.astype(nonzero, xp.int64)) - 1
        back = xp.where(nonzero, back, xp.zeros_like(back))

        def spread(x: Array) -> Array:
            x = xp.take(x, back, axis=0)
            return xp.where(nonzero if x.ndim == 1 else nonzero[:, None], x, xp.zeros_like(x))

        return Solved(spread(found.lower), spread(found.upper), spread(found.X), found.solved)

    def _solve(self, rows: Array) -> Solved:
        """Solve the problems of vectors that are not zero."""
        xp, p, slack = self.space.xp, self.p, self.frame.slack
        lower, upper, minimisers, solved = [], [], [], True
        for a, b in ranges(rows.shape[0], max(32, _BLOCK // max(self.B.shape[0], 1))):
            part = rows[a:b, :]
            if p == 1:
                found = lp_sensitivity.interior(part, self.B, self.tol, _MAX_ITER, slack)
            elif math.isinf(p):
                found = lp_sensitivity.chebyshev(part, self.B, self.tol, _MAX_ITER, slack)
            else:
                found = lp_sensitivity.newton(part, self.B, p, self.tol, _MAX_ITER, slack)
            low, high, X = found
            solved = solved and bool(xp.all(high <= (1 + self.tol) * low))
            X = X / xp.sum(part * X, axis=1)[:, None]
            if self.size < self.m:
                low, high = self._everywhere(part, X)
            lower.append(low)
            upper.append(high)
            minimisers.append(X)
        return Solved(xp.concat(lower), xp.concat(upper), xp.concat(minimisers), solved)

    def _everywhere(self, rows: Array, X: Array) -> tuple[Array, Array]:
        """Evaluate solutions over all rows: the norms, and the dual vectors that they suggest."""
        xp, U, p = self.space.xp, self.frame.U, self.p
        norm = self.space.zeros((X.shape[0],), X.dtype)
        gradient = xp.zeros_like(X)
        for a, b in ranges(self.m, max(1, _BLOCK // max(X.shape[0], 1))):
            R = U[a:b, :] @ X.T
            V = xp.abs(R) ** (p - 1) * xp.sign(R)
            norm = norm + xp.sum(V * R, axis=0)
            gradient = gradient + V.T @ U[a:b, :]
        missed = self.frame.lengths(rows - gradient / norm[:, None])
        return 1 / norm, (norm ** (-1 / p) + self.frame.slack * missed) ** p


def default_size(rank: int, p: float) -> int:
    """Rows of a Lewis sample on which problems are solved."""
    if p < 2:
        return math.ceil(25 * rank + 10 * rank * math.log(max(rank, 1)))
    return min(20_000, math.ceil(25 * float(rank) ** min(p / 2, 20.0)))
