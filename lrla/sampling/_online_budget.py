"""Keep an online sample within a budget: lower probabilities, and drop the rows that then fall out."""

from __future__ import annotations

import math
from typing import NamedTuple

from lrla._core import linalg
from lrla._core.arrays import Array, real_dtype, space_of
from lrla.kernels.row_squares import row_squares
from lrla.sampling._probabilities import inclusion_probabilities

_FILL = 0.75  # of the budget is left after a cut, so that there is not one for each group of rows
_STEPS = 4  # towards Lewis weights; each leaves abs(p - 2) / (p + 2) of the error or less
_LEAST = 1e-300  # scores below this, to which large p bring them, count as this


class Kept(NamedTuple):
    """Rows that were chosen.

    Parameters
    ----------
    numbers : array of shape (k,), int64
        Which rows of the stream they are.
    uniforms : array of shape (k,), float64
        What each drew: it is kept for as long as this is below its probability.
    scores : array of shape (k,), float64
        How important they are: Lewis weights.
    probs : array of shape (k,), float64
        Their probabilities.
    rows : array of shape (k, n)
        Themselves.
    """

    numbers: Array
    uniforms: Array
    scores: Array
    probs: Array
    rows: Array

    def only(self, index: Array) -> Kept:
        """Take some of them."""
        xp = space_of(self.rows).xp
        return Kept(*(xp.take(column, index, axis=0) for column in self))


def joined(parts: list[Kept]) -> Kept:
    """Put parts of a sample together."""
    xp = space_of(parts[0].rows).xp
    return Kept(*(xp.concat(columns, axis=0) for columns in zip(*parts, strict=True)))


def extended(R: Array, kept: Kept, p: float) -> Array:
    """Take rows into the triangular factor of the form."""
    if not int(kept.rows.shape[0]):
        return R
    xp = space_of(R).xp
    scale = 1 / xp.sqrt(kept.probs)
    if p != 2:
        scale = scale * kept.scores ** (0.5 - 1 / p)
    scale = xp.astype(scale, real_dtype(xp, kept.rows.dtype))
    return linalg.qr_r(xp.concat((R, scale[:, None] * kept.rows), axis=0))


def _anew(kept: Kept, R: Array, p: float, slack: float, ridge: float) -> Array:
    """Compute the Lewis weights of the rows kept, in a few damped steps from those they had."""
    xp, scores = space_of(R).xp, kept.scores
    eye = space_of(R).eye(int(R.shape[0]), R.dtype)
    theta = 2 * p / (p + 2)
    for step in range(1 if p == 2 else _STEPS):
        R = extended(math.sqrt(ridge) * eye, kept._replace(scores=scores), p) if step else R
        squares = row_squares(kept.rows, linalg.solve_triangular(R, eye))
        leverage = (1 + slack) * xp.astype(squares, xp.float64)
        if p != 2:  # of the rows as they are in the form
            leverage = (leverage * scores ** (1 - 2 / p)) ** theta * scores ** (1 - theta)
        scores = xp.clip(leverage, min=_LEAST, max=1.0)
    return scores


def fitted(
    kept: Kept, R: Array, rate: float, budget: int, p: float, slack: float, ridge: float
) -> tuple[Kept, Array, float]:
    """Drop rows until no more than the budget are left; return them, their factor and the rate.

    Scores are computed anew, from the factor of all rows kept so far, and the rate is lowered as far
    as it takes for three quarters of the budget to be left on average with probabilities
    ``min(probs, rate * scores)``. As the uniforms of the rows kept so far are uniform below their
    probabilities, whatever the past, a row stays with the ratio of the new one to the old.
    """
    xp = space_of(kept.rows).xp
    eye = space_of(kept.rows).eye(int(kept.rows.shape[1]), kept.rows.dtype)
    while int(kept.rows.shape[0]) > budget:
        scores = _anew(kept, R, p, slack, ridge)
        shares = scores / kept.probs
        stay = inclusion_probabilities(shares, int(_FILL * budget))
        rate = min(rate, float(xp.max(stay / shares)))
        probs = xp.minimum(kept.probs, rate * scores)
        left = xp.nonzero(kept.uniforms < probs)[0]
        kept = kept._replace(scores=scores, probs=probs).only(left)
        R = extended(math.sqrt(ridge) * eye, kept, p)
    return kept, R, rate
