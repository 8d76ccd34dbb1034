"""Standard errors of quantiles from fits of rows with random weights: the multiplier bootstrap.

Exponential weights are those of Bose and Chatterjee (2003). None is zero, so that no replicate loses
a column that few rows carry. Replicates lie near the fit: rows far from it keep their sign in all of
them, are summed up, and their signs verified afterwards, as Portnoy and Koenker's preprocessing does
with a pilot. One band of rows serves all replicates; neither are the data factored again, nor is
more than the band read again for each iteration.
"""

from __future__ import annotations

import math
from typing import Any

from lrla._core.arrays import Array, space_of
from lrla._core.errors import ConvergenceWarning, warn
from lrla._core.iteration import Loop
from lrla._core.operators import Operator
from lrla._core.random import Domain, Key, tag
from lrla._core.results import Status
from lrla.kernels.philox import exponential
from lrla.regression._interior import Box, solve_box
from lrla.regression._one import Answer, prepare, taken
from lrla.regression._rows import Rows

# Standard errors vary by 5 % with the seed, as (2 * 200)**-0.5 says; from one sample of 300 rows to
# the next they were measured to vary by 20 %, so that more replicates would say little more.
REPLICATES = 200
_BAND = 5.0  # times sqrt(k m) rows, half as many on either side, are in the band
_FEWEST = 20  # rows of the band for each column
_TOGETHER = 16  # replicates that share a pass over the data
_TOL = (
    1e-4  # times k / m: gap of a replicate. Standard errors move objectives by some k / m of them
)
_MOST = 100  # iterations for a replicate


def bootstrap(
    op: Operator, T: Array, condition: float, scores: Array, fit: Answer, tau: float, key: Key
) -> Array:  # fmt: skip
    """Estimate standard errors of the coefficients by `REPLICATES` fits of rows with random weights.

    Parameters
    ----------
    op : Operator
        The data A.
    T : array of shape (n, k)
        Coordinates in which they are orthonormal.
    condition : float
        Condition number of A.
    scores : array of shape (m,)
        Leverage scores of the rows.
    fit : Answer
        The fit of all rows.
    tau : float
        Its level.
    key : Key
        Where the weights come from: equal for all levels, so that replicates of these belong together.
    """
    space, xp, m, k = op.space, op.space.xp, op.shape[0], int(T.shape[1])
    unit = float(xp.mean(abs(fit.r)))
    if k == 0 or unit == 0 or k == m:  # any weights give the same fit
        return space.zeros((op.shape[1],), T.dtype)
    if op.kind == "dense":
        op = Operator(xp.astype(op.A, T.dtype, copy=False), op.kind, space, T.dtype)
    problem = _Replicates(op, T, condition, fit.r / unit, tau, _band(fit.r, scores, k))
    found, missed = [], 0
    for first in range(0, REPLICATES, _TOGETHER):
        several = range(first, min(first + _TOGETHER, REPLICATES))
        draws = [exponential(space, key, tag(Domain.BOOTSTRAP, j), 0, m, 1) for j in several]
        D, failed = problem.fit(xp.concat(draws, axis=1))
        found.append(D)
        missed += failed
    if missed:
        warn(
            f"{missed} of {REPLICATES} replicates for standard errors at tau={tau:g} ended above their "
            "tolerance",
            ConvergenceWarning,
        )
    return unit * xp.std(T @ xp.concat(found, axis=1), axis=1, correction=1)


def _band(r: Array, scores: Array, k: int) -> Array | None:
    """Return where the rows are that may change sides, or None if they are more than half of all.

    Replicates move the fit of a row by the root of its leverage score, times what does not depend on
    the row.
    """
    xp, m = space_of(r).xp, int(r.shape[0])
    count = max(math.ceil(_BAND * (k * m) ** 0.5), _FEWEST * k)
    if 2 * count > m:
        return None
    root = xp.sqrt(xp.astype(scores, r.dtype))
    z = abs(r) / xp.where(root > 0, root, xp.full_like(root, float(xp.max(root)) * 1e-8))
    near = z <= xp.sort(z)[count - 1]  # with all that tie
    return near if 2 * int(xp.count_nonzero(near)) <= m else None


class _Replicates:
    """Fits of one level with any weights, near a fit with residuals r."""

    def __init__(
        self, op: Operator, T: Array, condition: float, r: Array, tau: float, near: Array | None
    ) -> None:
        xp = op.space.xp
        self.op, self.T, self.condition, self.r, self.tau = op, T, condition, r, tau
        self.tol = _TOL * int(T.shape[1]) / int(r.shape[0])
        self.index: Any = None
        self.whole: Any = None
        if near is not None:
            zero = xp.zeros_like(r)
            slope = xp.where(r > 0, zero + tau, zero + (tau - 1))
            self.index, self.slope = xp.nonzero(near)[0], xp.where(near, zero, slope)[:, None]
            self.rows = Rows(taken(op, self.index), T, condition)
            self.inside = xp.take(r, self.index)

    def fit(self, W: Array) -> tuple[Array, int]:
        """Fit by each column of weights; return changes of coefficients, and how many failed."""
        xp, count = self.op.space.xp, int(W.shape[1])
        if self.index is None:
            ends = [self._all(W[:, j]) for j in range(count)]
            return xp.stack([x for x, _ in ends], axis=1), sum(not ok for _, ok in ends)
        Y = W * self.slope
        C, offsets = -(self.T.T @ self.op.rmatmat(Y)), self.r @ Y
        inside = xp.take(W, self.index, axis=0)
        ends = [
            self._solved(self.rows, self.inside, inside[:, j], C[:, j], float(offsets[j]))
            for j in range(count)
        ]
        moved = self.op.matmat(self.T @ xp.stack([x for x, _ in ends], axis=1))
        wrong = xp.any(self.slope * (self.r[:, None] - moved) < 0, axis=0)
        for j in range(count):
            if bool(wrong[j]) or not ends[j][1]:
                ends[j] = self._all(W[:, j])
        return xp.stack([x for x, _ in ends], axis=1), sum(not ok for _, ok in ends)

    def _all(self, w: Array) -> tuple[Array, bool]:
        """Fit all rows."""
        if self.whole is None:
            self.whole = prepare(self.op, self.T, self.condition)
        return self._solved(
            self.whole, self.r, w, self.op.space.zeros((self.whole.k,), w.dtype), 0.0
        )

    def _solved(self, rows: Any, r: Array, w: Array, c: Array, offset: float) -> tuple[Array, bool]:
        xp, v = self.op.space.xp, rows.fill(w, 1.0)
        loop = Loop("replicate", max_iter=_MOST)
        bounds = xp.stack((v * (self.tau - 1), v * self.tau))
        point = solve_box(rows, Box(rows.fill(r, 0.0), bounds, c, offset=offset), self.tol, loop)
        return point.x, loop.status is Status.CONVERGED
