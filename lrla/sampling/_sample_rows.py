"""Draw rows with given probabilities, five ways."""

from __future__ import annotations

from typing import Any

from lrla._core.arrays import as_array, check_finite, is_complex, space_of
from lrla._core.numbers import whole
from lrla._core.random import key_of, seed_of
from lrla.sampling._designs import DESIGNS, Request
from lrla.sampling._probabilities import Scores, look, refuse_zeros, warn_if_too_few
from lrla.sampling._row_sample import RowSample, row_sample

_TAME = 1e100  # coordinates up to this size have squares
_BY_ROW = ("bottom_k", "poisson")  # each row has a random number of its own


def sample_rows(
    scores: Any,
    size: int,
    *,
    design: str = "pivotal",
    deterministic: bool = True,
    coords: Any = None,
    row_offset: int = 0,
    rng: Any = None,
) -> RowSample:
    """Draw rows with probabilities in proportion to scores, and weight them without bias.

    Parameters
    ----------
    scores : array of shape (m,)
        Not negative: how important each row is. A row of score zero is never drawn.
    size : int
        Number of rows to draw.
    design : {"pivotal", "systematic", "poisson", "replacement", "bottom_k"}, default "pivotal"
        How rows are drawn together; see the notes.
    deterministic : bool, default True
        Whether rows that are expected ``size`` times or more often than 1 are kept surely, once,
        also with replacement. Without replacement that is so by necessity, and False is refused.
    coords : array of shape (m, k) or (m,), optional
        Where the rows lie in space: for "pivotal" and "systematic", the sample then spreads out
        there. By default the order is random. ``coords=arange(m)`` takes the order as it is.
    row_offset : int, default 0
        Number of the first row, if the scores are those of a block of the rows; for "poisson" and
        "bottom_k", where each row has random numbers of its own.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from. One seed is one sample, for any array library and device.

    Returns
    -------
    RowSample
        With fields indices, probs, weights, counts, design and more, and methods to scale rows,
        estimate totals and merge.

    Raises
    ------
    ValueError
        If a score is negative or not finite, all are zero, size is less than 1, the design is
        unknown, or an option does not go with it.
    TypeError
        If scores are complex, or coords of another library or device.

    Warns
    -----
    AccuracyWarning
        If fewer than ``size`` scores are positive: all of these rows are kept, with weight 1.

    See Also
    --------
    inclusion_probabilities : the probabilities of all rows.

    Notes
    -----
    Let pi be the `inclusion_probabilities`. All designs but two keep row i with probability pi_i
    exactly and give it the weight 1 / pi_i (Horvitz and Thompson); rows with pi_i = 1 are kept
    surely.

    - "pivotal": a tournament of random duels between neighbours in a binary tree [1]_, by coords
      the tree that halves the rows along their principal direction [2]_. The size is fixed, no two
      rows are positively correlated, and O(n log(n)) rows drawn by leverage scores do for n columns,
      as many as of independent draws, up to constants [2]_.
    - "systematic": equal steps along the cumulated probabilities from one random start. The size is
      fixed; variance is hard to estimate.
    - "poisson": a coin for each row. The size is random.
    - "replacement": independent draws, merged; what most theorems are about. ``deterministic``
      makes it the hybrid scheme of [3]_.
    - "bottom_k": row i gets the key E_i / scores_i, E_i exponential, and the ``size`` smallest keys
      are kept. Given the next larger key t, row i is kept with probability
      1 - exp(-scores_i t), which makes weighted totals unbiased [4]_. One pass, and samples of
      parts can be merged.

    Sequential draws without replacement, as by ``numpy.random.Generator.choice(p=...)``, have no
    tractable inclusion probabilities: weights 1 / (size * p) make totals biased. They are not
    offered.

    Everything is computed where the scores are. Random numbers are functions of the seed and the
    row or duel, by Philox. Cost: a few passes over the scores, O(m); by coords O(m log(m)**2).

    References
    ----------
    .. [1] J.-C. Deville and Y. Tillé, "Unequal probability sampling without replacement through a
       splitting method", Biometrika 85, 1998.
    .. [2] A. Shimizu, X. Cheng, C. Musco and J. Weare, "Improved active learning via dependent
       leverage score sampling", ICLR 2024, arXiv:2310.04966.
    .. [3] B. W. Larsen and T. G. Kolda, "Practical leverage-based sampling for low-rank tensor
       decomposition", SIAM Journal on Matrix Analysis and Applications 43, 2022.
    .. [4] E. Cohen and H. Kaplan, "Summarizing data using bottom-k sketches", PODC 2007.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import sample_rows
    >>> income = np.random.default_rng(7).lognormal(0.0, 2.0, 10_000)
    >>> sample = sample_rows(income, 100, rng=7)
    >>> len(sample)
    100
    >>> total = sample.estimate(income[sample.indices] ** 0.9)
    >>> bool(abs(total.value - np.sum(income**0.9)) < 4 * total.standard_error)
    True
    """
    looked = look(scores)
    size = whole(size, "size", 1)
    offset = whole(row_offset, "row_offset", 0)
    _check(design, deterministic, coords, offset)
    refuse_zeros(looked)
    where = _coordinates(looked, coords)
    if deterministic:
        warn_if_too_few(looked, size)
    seed = seed_of(rng)
    draw = DESIGNS[design](Request(looked, size, key_of(seed), deterministic, where, offset))
    if offset:
        draw = draw._replace(indices=draw.indices + offset)
    rows = (offset, offset + looked.values.shape[0])
    return row_sample(draw, design, size, looked.positive, looked.dtype, (rows,), seed)


def _check(design: str, deterministic: bool, coords: Any, offset: int) -> None:
    if design not in DESIGNS:
        raise ValueError(f"design must be one of {', '.join(DESIGNS)}, got {design!r}")
    if not deterministic and design != "replacement":
        raise ValueError(
            f"deterministic must be True for design={design!r}: without replacement a row of "
            "probability 1 is kept whatever happens"
        )
    if coords is not None and design not in ("pivotal", "systematic"):
        raise ValueError(f"coords must be None for design={design!r}, which knows no order")
    if offset and design not in _BY_ROW:
        raise ValueError(
            f"row_offset must be 0 for design={design!r}, which needs the scores of all rows; "
            "'bottom_k' samples of blocks can be merged"
        )


def _coordinates(scores: Scores, coords: Any) -> Any:
    if coords is None:
        return None
    X = as_array(coords, "coords", ndim=(1, 2))
    space = space_of(scores.values, X)
    if is_complex(X):
        raise TypeError(f"coords must be real, got dtype {X.dtype}; pass real and imaginary parts")
    if X.shape[0] != scores.values.shape[0]:
        raise ValueError(
            f"coords must have a row for each score, got shapes {tuple(X.shape)} and "
            f"{tuple(scores.values.shape)}"
        )
    check_finite(X, "coords")
    X = X[:, None] if X.ndim == 1 else X
    if X.shape[1] == 0:
        raise ValueError(f"coords must have at least one column, got shape {tuple(X.shape)}")
    X = space.xp.astype(X, space.xp.float64, copy=False)
    peak = float(space.xp.max(abs(X))) if 0 not in X.shape else 0.0
    return X if 1 / _TAME < peak < _TAME or peak == 0 else X / peak
