"""How likely each row is to be kept: scores scaled to a size, and capped at one."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from lrla._core.arrays import Array, Space, as_array, is_complex, space_of
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.numbers import whole

_TAME = 1e100  # scores up to this size are left as they are


class Scores(NamedTuple):
    """Scores as they were given, looked at once."""

    space: Space
    values: Array  # float64
    scaled: Array  # if huge or tiny, over the largest: what is nothing beside it is then zero
    dtype: Any  # of what is handed out
    positive: int  # how many are, after scaling


class Inclusion(NamedTuple):
    """Inclusion probabilities, float64, and how many of them are 1."""

    probs: Array
    certain: int


def look(scores: Any, name: str = "scores") -> Scores:
    """Check scores: real, finite, not negative, one dimension."""
    scores = as_array(scores, name, ndim=(1,))
    space = space_of(scores)
    xp = space.xp
    if is_complex(scores):
        raise TypeError(f"{name} must be real, got dtype {scores.dtype}")
    values = xp.astype(scores, xp.float64, copy=False)
    low, peak = (float(xp.min(values)), float(xp.max(values))) if 0 not in values.shape else (0, 0)
    if not (low >= 0 and peak < math.inf):  # neither is true of NaN
        good = (values >= 0) & xp.isfinite(values)
        first = int(xp.argmin(xp.astype(good, xp.int8)))
        raise ValueError(
            f"{name} must be finite and not negative, got {float(values[first])} at index {first}"
        )
    scaled = values if _TAME > peak > 1 / _TAME or peak == 0 else values / peak
    positive = int(xp.count_nonzero(scaled))
    return Scores(space, values, scaled, scores.dtype, positive)


def inclusion_probabilities(scores: Any, size: int) -> Array:
    """Scale scores to probabilities of being among ``size`` rows, none above 1.

    Parameters
    ----------
    scores : array of shape (m,)
        Not negative: how important each row is.
    size : int
        What the probabilities add up to, at least 1.

    Returns
    -------
    array of shape (m,)
        ``min(1, c * scores)`` with the one c for which they add up to ``size``; if no more than
        ``size`` scores are positive, 1 for these and 0 for the others.

    Raises
    ------
    ValueError
        If a score is negative or not finite, all are zero, or size is less than 1.

    See Also
    --------
    sample_rows : draw rows with these probabilities.

    Notes
    -----
    Cost: a few passes, and a sort of those scores, at most ``4 * size``, that exceed a quarter of
    the mean share ``sum(scores) / size``; of all scores in the rare case that this does not do.

    Examples
    --------
    >>> from lrla.sampling import inclusion_probabilities
    >>> inclusion_probabilities([6.0, 2.0, 1.0, 1.0, 0.0], 2)
    array([1.  , 0.5 , 0.25, 0.25, 0.  ])
    """
    looked = look(scores)
    size = whole(size, "size", 1)
    refuse_zeros(looked)
    return looked.space.xp.astype(capped(looked, size).probs, looked.dtype)


def refuse_zeros(scores: Scores) -> None:
    """Refuse scores of which none is positive."""
    if scores.positive == 0:
        raise ValueError(f"scores must not all be zero, got {scores.values.shape[0]} zeros")


def warn_if_too_few(scores: Scores, size: int) -> None:
    """Say that there are not as many rows as were asked for."""
    if size > scores.positive:
        warn(
            f"size is {size}, but only {scores.positive} of {scores.values.shape[0]} scores are "
            "positive: all of these rows are kept, with weight 1",
            AccuracyWarning,
        )


def warn_if_short(count: int, rank: int) -> None:
    """Say that a sample has fewer rows than its data have dimensions."""
    if count < rank:
        warn(
            f"{count} rows cannot span a space of dimension {rank}: some A @ x are lost; draw more",
            AccuracyWarning,
        )


def capped(scores: Scores, size: int) -> Inclusion:
    """Solve ``sum(min(1, c * scores)) == size`` for c; at least one score is positive."""
    xp, s = scores.space.xp, scores.scaled
    if size >= scores.positive:
        return Inclusion(xp.astype(s > 0, xp.float64), scores.positive)
    total = float(xp.sum(s))
    if size * float(xp.max(s)) < total:
        return Inclusion(s * (size / total), 0)
    # no more than 4 * size scores are above this, and seldom is one certain that is not
    cut, c = _water_level(scores.space, s, size, total / (4 * size)) or _water_level(
        scores.space, s, size, 0.0
    )
    certain = s >= cut
    one = scores.space.asarray(1.0, xp.float64)
    probs = xp.where(certain, one, xp.clip(s * c, max=1 - 2.0**-53))
    return Inclusion(probs, int(xp.count_nonzero(certain)))


def _water_level(space: Space, s: Array, size: int, floor: float) -> Any:
    """Return the least certain score and the factor of the others; None if the floor is too high.

    Only scores above the floor are looked at one by one, in decreasing order: the first k are
    certain for the first k with ``(size - k) * s[k] < sum of all but the first k``.
    """
    xp = space.xp
    above = s > floor
    top = xp.flip(xp.sort(s[above]))
    rest = float(xp.sum(xp.where(above, space.asarray(0.0, xp.float64), s)))
    # sums of all scores but the k largest, added up from the small end
    left = xp.flip(xp.cumulative_sum(xp.flip(top))) + rest
    rooms = size - xp.arange(top.shape[0], dtype=xp.float64, device=space.device)
    fits = rooms * top < left
    found = bool(xp.any(fits))
    k = int(xp.argmax(xp.astype(fits, xp.int8))) if found else int(top.shape[0])
    remaining = float(left[k]) if found else rest
    if (size - k) * floor > remaining:  # some row at or below the floor is certain, too
        return None
    return float(top[k - 1]), (size - k) / remaining if k < size else 0.0
