"""Few weighted rows on which a loss is what it is on all: for classification and robust losses."""

from __future__ import annotations

from typing import Any

from lrla._core.arrays import Array, space_of
from lrla._core.errors import rank_told_once
from lrla._core.random import seed_of
from lrla.blocks import as_blocks
from lrla.sampling._leverage import leverage_scores
from lrla.sampling._lewis import lewis_weights
from lrla.sampling._probabilities import warn_if_short
from lrla.sampling._row_sample import RowSample, described
from lrla.sampling._sample_rows import sample_rows

SCHEMES = ("leverage", "mixed", "lewis", "root_leverage", "uniform")
_CLOSE = 0.5  # of Lewis weights: a factor of exp(0.5) is more than good enough to draw by


@rank_told_once
def logistic_coreset(
    A: Any,
    size: int,
    *,
    scheme: str = "leverage",
    design: str = "pivotal",
    coords: Any = None,
    rng: Any = None,
) -> RowSample:
    """Choose weighted rows on which the logistic loss is nearly that of all rows.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix or dask array
        The features of all rows, with a column of ones if the model has an intercept. Labels are
        not needed: a change of sign of a row, which is what a label does to it, changes no score.
    size : int
        Number of rows to draw.
    scheme : {"leverage", "mixed", "lewis", "root_leverage", "uniform"}, default "leverage"
        By which scores, each scaled to sum one: "leverage", leverage + 1 / m; "mixed", leverage +
        l_1 Lewis weights + 1 / m [1]_; "lewis", l_1 Lewis weights [2]_; "root_leverage", square
        roots of leverage + 1 / m, near to the scores of [3]_; "uniform", for comparison.
    design : str, default "pivotal"
        How rows are drawn: see `sample_rows`.
    coords : array of shape (m, k), optional
        Where the rows lie in space: see `sample_rows`.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    RowSample
        Fit the model to ``A[indices]`` with sample weights ``weights``: any library that takes
        sample weights will do. Its info has also ``loss``, ``scheme`` and ``rank``.

    Raises
    ------
    ValueError
        If the scheme or the design is unknown, the size is less than 1, or A is not finite.

    Warns
    -----
    AccuracyWarning
        If there are fewer rows in the sample than dimensions in A.
    RankDeficientWarning
        If the columns of A are dependent.

    See Also
    --------
    evaluate_coreset : how far off the loss is at given coefficients.
    mu_complexity : whether the data have small coresets at all.
    sample_rows : for scores of one's own.

    Notes
    -----
    The loss of a coefficient vector on the weighted rows is an unbiased estimate of that on all
    rows, for every scheme. How far it may be off for *all* coefficients depends on the data
    through their complexity mu (`mu_complexity`): O(mu n / eps**2) rows drawn by "mixed" give a
    relative error of eps up to logarithms [1]_, and O(mu**2 n / eps**2) by "lewis" [2]_. For mu =
    inf, separable classes, no such coreset need exist.

    What a good scheme buys is safety: on data with rare indicator columns a uniform sample misses
    some of them, and its worst draws are bad, while the median gain is modest. See the gallery.

    Cost: leverage scores, 2 passes, and for "mixed" and "lewis" a few times as much.

    References
    ----------
    .. [1] A. Munteanu and S. Omlor, "Optimal bounds for l_p sensitivity sampling via l_2
       augmentation", ICML 2024, arXiv:2406.00328.
    .. [2] T. Mai, C. Musco and A. Rao, "Coresets for classification - simplified and strengthened",
       NeurIPS 2021, arXiv:2106.04254.
    .. [3] A. Munteanu, C. Schwiegelshohn, C. Sohler and D. P. Woodruff, "On coresets for logistic
       regression", NeurIPS 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import evaluate_coreset, logistic_coreset
    >>> rng = np.random.default_rng(7)
    >>> A = np.concatenate([np.ones((20_000, 1)), rng.standard_normal((20_000, 3))], axis=1)
    >>> core = logistic_coreset(A, 1000, rng=7)
    >>> found = evaluate_coreset("logistic", A, core, [0.5, 1.0, -1.0, 2.0])
    >>> bool(abs(found.estimate - found.objective) < 4 * found.standard_error)
    True
    >>> found.eps < 0.05
    True
    """
    if scheme not in SCHEMES:
        raise ValueError(f"scheme must be one of {', '.join(SCHEMES)}, got {scheme!r}")
    seed = seed_of(rng)
    scores, rank = _mixture(as_blocks(A), scheme, seed)
    sample = sample_rows(scores, size, design=design, coords=coords, rng=seed)
    warn_if_short(len(sample), rank)
    return described(sample, loss="logistic", scheme=scheme, rank=rank)


@rank_told_once
def robust_coreset(
    A: Any, size: int, *, design: str = "pivotal", coords: Any = None, rng: Any = None
) -> RowSample:
    """Choose weighted rows on which losses between l_1 and l_2 are nearly those of all rows.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix or dask array
        The data; for a regression whose right-hand side b is known, ``[A b]``.
    size : int
        Number of rows to draw.
    design : str, default "pivotal"
        How rows are drawn: see `sample_rows`.
    coords : array of shape (m, k), optional
        Where the rows lie in space: see `sample_rows`.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    RowSample
        For regression on ``A[indices]`` with row weights ``weights``. Its info has also ``loss``,
        ``scheme`` and ``rank``.

    Raises
    ------
    ValueError
        If the design is unknown, the size is less than 1, or A is not finite.

    Warns
    -----
    AccuracyWarning
        If there are fewer rows in the sample than dimensions in A.
    RankDeficientWarning
        If the columns of A are dependent.

    See Also
    --------
    logistic_coreset : for classification.
    evaluate_coreset : how far off the loss is at given coefficients.

    Notes
    -----
    The scores are the larger of leverage and l_1 Lewis weight, each scaled to sum one, plus 1 / m:
    the Huber loss is quadratic for small residuals and linear for large ones, and no row matters
    more to it, up to constants and logarithms, than to the worse of the two. [1]_ proves that
    sampling can work for the Huber loss with O(n**(4 - 2 sqrt(2))) rows, n the number of columns,
    by a recursive scheme that this is not; here the scores are a rule of thumb. For losses that are
    flat far out, as Tukey's, the last term counts what is cut off, and no bound is claimed.

    References
    ----------
    .. [1] C. Musco, C. Musco, D. P. Woodruff and T. Yasuda, "Active linear regression for l_p norms
       and beyond", FOCS 2022, arXiv:2111.04888.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import evaluate_coreset, robust_coreset
    >>> rng = np.random.default_rng(7)
    >>> A = rng.standard_t(2, (20_000, 5))
    >>> core = robust_coreset(A, 500, rng=7)
    >>> found = evaluate_coreset("huber", A, core, [1.0, 0.5, 0.0, -0.5, 1.0], threshold=1.0)
    >>> bool(abs(found.estimate - found.objective) < 4 * found.standard_error)
    True
    """
    seed = seed_of(rng)
    A = as_blocks(A)
    (tau, rank), (lewis, _) = _leverage(A, seed), _lewis(A, seed)
    xp = space_of(tau).xp
    scores = xp.maximum(tau, lewis) + 1 / tau.shape[0]
    sample = sample_rows(scores, size, design=design, coords=coords, rng=seed)
    warn_if_short(len(sample), rank)
    return described(sample, loss="robust", scheme="maximum", rank=rank)


def _leverage(A: Any, seed: int) -> tuple[Array, int]:
    found = leverage_scores(A, rng=seed)
    return found.scores / max(found.rank, 1), found.rank


def _lewis(A: Any, seed: int) -> tuple[Array, int]:
    found = lewis_weights(A, 1, tol=_CLOSE, rng=seed)
    return found.weights / max(found.rank, 1), found.rank


def _mixture(A: Any, scheme: str, seed: int) -> tuple[Array, int]:
    """Add up the scores of a scheme, each scaled to sum one; return also the rank."""
    if scheme == "lewis":
        return _lewis(A, seed)
    tau, rank = _leverage(A, seed)
    xp, m = space_of(tau).xp, tau.shape[0]
    if scheme == "uniform":
        return xp.ones_like(tau) / m, rank
    if scheme == "root_leverage":
        root = xp.sqrt(tau)
        return root / xp.sum(root) + 1 / m, rank
    return tau + 1 / m + (_lewis(A, seed)[0] if scheme == "mixed" else 0.0), rank
