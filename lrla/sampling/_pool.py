"""Independent samples of the same rows as one: what they disagree by is the error."""

from __future__ import annotations

import math
from collections.abc import Iterable

from lrla._core.arrays import Array, space_of
from lrla._core.results import Info, Status
from lrla.sampling._row_sample import RowSample, spelled


def pool_samples(samples: Iterable[RowSample]) -> RowSample:
    """Join independent samples of the same rows into one that knows its errors without assumptions.

    Parameters
    ----------
    samples : iterable of RowSample
        At least two, of the same rows and drawn by different seeds: with any sizes, scores and designs.

    Returns
    -------
    RowSample
        All rows that are in any of them, of the design "replicates". A weight is the mean of those
        that the row has in the samples, 0 where it is not in one, and a count the sum of its counts;
        ``probs`` are counts over weights, which is the sum of the probabilities if they are alike.
        Estimates are the means of those of the samples, and their standard errors come from how far
        the samples are apart. Its info has ``n_samples`` and, as ``seed``, all seeds.

    Raises
    ------
    ValueError
        If there are fewer than two samples, of different rows, or two have the same seed.
    TypeError
        If one is no `RowSample`, or of another array library or device.

    See Also
    --------
    RowSample.estimate : totals of a sample, with standard errors.
    RowSample.merge : for samples of different rows.

    Notes
    -----
    The estimates t_1, ..., t_R of a total from R independent samples have no bias, and so ``sum((t_r -
    mean(t))**2) / (R (R - 1))`` has none as an estimate of the variance of their mean, whatever the
    designs: this is the method of random groups [1]_. One "systematic" sample, or a "pivotal" one that
    spreads out by coordinates, does not tell its own variance. The price: R samples spread out less
    than one of their size together, and R - 1 degrees of freedom are few, so that intervals need the
    quantiles of Student's t. Ten samples are a good number.

    A row that is certain to be drawn is in every sample, and is counted R times.

    References
    ----------
    .. [1] K. M. Wolter, "Introduction to variance estimation", 2nd edition, Springer, 2007, chapter 2.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import pool_samples, sample_rows
    >>> place = np.linspace(0, 1, 10_000)
    >>> height = np.exp(place) + 0.01 * np.sin(1000 * place)
    >>> seeds = np.random.SeedSequence(7).spawn(10)
    >>> samples = [sample_rows(np.ones(10_000), 50, coords=place, rng=seed) for seed in seeds]
    >>> pool = pool_samples(samples)
    >>> found = pool.estimate(height[pool.indices])
    >>> bool(abs(found.value - height.sum()) < 4 * found.standard_error), found.approximate
    (True, False)

    The error that one sample estimates for itself does not know how well its rows are spread:

    >>> one = sample_rows(np.ones(10_000), 500, coords=place, rng=7)
    >>> bool(one.estimate(height[one.indices]).standard_error > 10 * found.standard_error)
    True
    """
    if isinstance(samples, RowSample) or not isinstance(samples, Iterable):
        raise TypeError(
            f"samples must be several RowSamples, in a list or so, got {type(samples).__name__}"
        )
    given = list(samples)
    _check(given)
    space = space_of(*(sample.weights for sample in given))
    xp = space.xp
    indices = xp.sort(xp.unique_values(xp.concat([sample.indices for sample in given])))
    counts = sum(
        (_spread(sample, sample.counts, indices) for sample in given), start=xp.zeros_like(indices)
    )
    replicates = xp.stack([_spread(sample, sample.weights, indices) for sample in given])
    replicates = xp.astype(replicates, xp.float64)
    weights = xp.mean(replicates, axis=0)
    probs = xp.astype(counts, xp.float64) / weights
    dtype = xp.result_type(*(sample.weights.dtype for sample in given))
    return RowSample(
        indices,
        xp.astype(probs, dtype),
        xp.astype(weights, dtype),
        counts,
        "replicates",
        given[0].m,
        None,
        None,
        Status.CONVERGED,
        Info(
            size=sum(sample.info.size for sample in given),
            expected_size=sum(sample.info.expected_size for sample in given),
            n_certain=int(xp.count_nonzero(xp.all(replicates == 1, axis=0))),
            n_positive=max(sample.info.n_positive for sample in given),
            threshold=math.inf,
            ranges=given[0].info.ranges,
            seed=tuple(sample.info.seed for sample in given),
            n_samples=len(given),
        ),
        replicates,
    )


def _check(samples: list[RowSample]) -> None:
    for sample in samples:
        if not isinstance(sample, RowSample):
            raise TypeError(
                "samples must be of RowSample, as sample_rows returns one, got "
                f"{type(sample).__name__} among them"
            )
        if sample.replicates is not None:
            raise ValueError("samples must not be pooled twice; pool all of them at once")
    if len(samples) < 2:
        raise ValueError(
            f"samples must be at least two, got {len(samples)}: one has no other error"
        )
    rows = sorted({sample.info.ranges for sample in samples})
    if len(rows) > 1:
        raise ValueError(
            f"samples must be of the same rows, got some of {spelled(rows[0])} and some of "
            f"{spelled(rows[1])}"
        )
    seeds = [sample.info.seed for sample in samples]
    if len(set(seeds)) < len(seeds):
        raise ValueError(
            "samples must be independent, got two of the same seed; give each its own rng"
        )


def _spread(sample: RowSample, values: Array, indices: Array) -> Array:
    """Return the values of a sample at the given rows, 0 where it has none."""
    xp = space_of(indices).xp
    if len(sample) == 0:
        return xp.zeros_like(indices, dtype=values.dtype)
    place = xp.clip(xp.searchsorted(sample.indices, indices), max=len(sample) - 1)
    there = xp.take(sample.indices, place) == indices
    values = xp.take(values, place)
    return xp.where(there, values, xp.zeros_like(values))
