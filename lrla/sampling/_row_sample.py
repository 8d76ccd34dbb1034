"""A sample of rows: which, how likely each was, and the weight that makes up for the others."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, Space, as_array, real_dtype, space_of
from lrla._core.operators import Operator, as_operator
from lrla._core.results import Info, Result, Status
from lrla.blocks import as_blocks
from lrla.sampling._designs import Draw, by_threshold, smallest
from lrla.sampling._explain import explain
from lrla.sampling._rows import as_p

_HAJEK = ("pivotal", "systematic")


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """An estimated total over all rows, and how far off it may be.

    Parameters
    ----------
    value : float or array of shape (p,)
        The estimate; its expectation is the total.
    standard_error : float or array of shape (p,)
        Estimated standard deviation of the estimate; NaN where one draw says nothing about it.
    approximate : bool
        Whether the square of ``standard_error`` is only an approximation of the variance, not an
        unbiased estimate of it.
    """

    value: Any
    standard_error: Any
    approximate: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RowSample(Result):
    """Rows drawn from many, with weights that make every weighted total unbiased.

    Parameters
    ----------
    indices : array of shape (k,), int64
        The rows, increasing, each once.
    probs : array of shape (k,)
        How often each row was to be expected: its probability of inclusion, or with replacement
        the expectation of its count. For "bottom_k" given the keys of all other rows.
    weights : array of shape (k,)
        ``counts / probs``: ``sum(weights * f(rows))`` has the expectation of f's total.
    counts : array of shape (k,), int64
        How often each row was drawn: 1, but for draws with replacement.
    design : str
        How the rows were drawn.
    m : int
        Number of rows of the data.
    keys, scores : array of shape (k,) or None
        What "bottom_k" compared, and the scores of the rows drawn; None for the other designs.
    status : Status
        Always `Status.CONVERGED`: nothing iterates.
    info : Info
        ``size``, as asked for; ``expected_size``; ``n_certain``, rows with probability 1;
        ``n_positive``, rows with a positive score; ``threshold``, the smallest key that was left
        out, infinite if none was; ``ranges``, which rows were looked at; ``seed``.
    replicates : array of shape (r, k) or None
        Of what `pool_samples` has joined, the weights in each of the samples.
    """

    indices: Array
    probs: Array
    weights: Array
    counts: Array
    design: str
    m: int
    keys: Array | None
    scores: Array | None
    status: Status
    info: Info
    replicates: Array | None = None

    def __len__(self) -> int:
        return int(self.indices.shape[0])

    @property
    def effective_size(self) -> float:
        """Kish's effective sample size, ``sum(w)**2 / sum(w**2)``: k if all weights are equal."""
        w = _wide(self.weights)
        xp = space_of(w).xp
        if len(self) == 0:
            return 0.0
        w = w / xp.max(w)
        return float(xp.sum(w)) ** 2 / float(xp.sum(w * w))

    @property
    def design_effect(self) -> float:
        """How many times fewer rows of equal weight would do: ``k / effective_size``."""
        return len(self) / self.effective_size if len(self) else 1.0

    def explain(self) -> str:
        """Say in words what theory promises for this sample, by whom, and what was measured.

        Returns
        -------
        str
            One fact to a line. Bounds are known of what `subspace_sample`, the coresets and
            `OnlineRowSampler` draw; whether their assumptions hold is said, too.
        """
        return explain(len(self), self.m, self.design, self.info)

    def scale(self, p: float = 2) -> Array:
        """Return the factors of the rows that keep p-norms, ``weights ** (1 / p)``.

        Parameters
        ----------
        p : float, default 2
            Positive; infinity gives ones.

        Returns
        -------
        array of shape (k,)
            With ``B = scale(p)[:, None] * A[indices]``, ``sum(abs(B @ x)**p)`` has the expectation
            ``sum(abs(A @ x)**p)`` for every x.
        """
        return self.weights ** (1 / as_p(p, least=0.0, infinite=True))

    def rows(self, A: Any, p: float = 2) -> Any:
        """Take the rows of the sample out of the data and scale them to keep p-norms.

        Parameters
        ----------
        A : array of shape (m, n) or (m,), sparse matrix or dask array
            The data, or right-hand sides to go with them.
        p : float, default 2
            Which norm: see `scale`. Infinity leaves the rows as they are.

        Returns
        -------
        array of shape (k, n) or (k,), or CSR matrix
            Of the dtype of A.

        Raises
        ------
        ValueError
            If A has not as many rows as there were scores.
        TypeError
            If A is a linear operator, which has no rows to take, or of another library or device.
        """
        factors = self.scale(p)
        if getattr(A, "ndim", 2) == 1 or isinstance(A, list | tuple):
            A = as_array(A.compute() if hasattr(A, "dask") else A, "A", ndim=(1, 2))
        if getattr(A, "ndim", 2) == 1:
            self._fits(A.shape[0])
            xp = space_of(A, factors).xp
            return xp.take(A, self.indices) * xp.astype(factors, real_dtype(xp, A.dtype))
        op = as_operator(as_blocks(A))
        self._fits(op.shape[0])
        if op.kind == "operator":
            raise TypeError(
                "A must be an array or a sparse matrix, got a linear operator; multiply its "
                "adjoint with columns of the identity instead"
            )
        space = space_of(op.space.zeros((0,), op.dtype), factors)
        factors = space.xp.astype(factors, op.real_dtype)
        return self._taken(op, space, factors)

    def _fits(self, m: int) -> None:
        if m != self.m:
            raise ValueError(f"A must have {self.m} rows, as there were scores, got {m}")

    def _taken(self, op: Operator, space: Space, factors: Array) -> Any:
        xp, indices = space.xp, self.indices
        if op.kind == "sparse":
            B = op.A.tocsr()[indices]
            counts = B.indptr[1:] - B.indptr[:-1]
            B.data *= xp.repeat(factors, counts)  # B is a copy
            return B
        B = op.A.take(indices) if op.kind == "blocks" else xp.take(op.A, indices, axis=0)
        return B * factors[:, None]

    def estimate(self, values: Any) -> Estimate:
        """Estimate the total of a quantity over all rows from its values at the rows drawn.

        Parameters
        ----------
        values : array of shape (k,) or (k, p)
            The quantity, or several, at the rows ``indices``.

        Returns
        -------
        Estimate
            The estimate, its standard error, and whether that is approximate.

        Raises
        ------
        ValueError
            If there is not one value for each row drawn.

        Notes
        -----
        The estimate is ``sum(weights * values)``, after Hansen and Hurwitz for draws with
        replacement and Horvitz and Thompson for the rest. The variance is estimated without bias
        for "replacement", "poisson" and "bottom_k" (whose rows are uncorrelated [1]_). For
        "pivotal" and "systematic" it is Hájek's approximation for designs of fixed size and high
        entropy [2]_; where the order of the rows spreads the sample over what matters, the true
        variance is smaller, and only independent samples tell: see `pool_samples`. Samples that `subspace_sample` drew in several
        rounds are treated as if one round had had the probabilities of all together.

        References
        ----------
        .. [1] E. Cohen and H. Kaplan, "Summarizing data using bottom-k sketches", PODC 2007.
        .. [2] J. Hájek, "Asymptotic theory of rejective sampling with varying probabilities from a
           finite population", Annals of Mathematical Statistics 35, 1964.
        """
        y = as_array(values, "values", ndim=(1, 2))
        xp = space_of(y, self.weights).xp
        if y.shape[0] != len(self):
            raise ValueError(f"values must have {len(self)} rows, one for each row drawn, "
                             f"got shape {tuple(y.shape)}")  # fmt: skip
        vector = y.ndim == 1
        Y = _wide(y)[:, None] if vector else _wide(y)
        p, counts = _wide(self.probs)[:, None], _wide(self.counts)[:, None]
        total = xp.sum(counts / p * Y, axis=0)
        error = self._deviation(Y, p, counts)
        if vector:
            kind = complex if xp.isdtype(total.dtype, "complex floating") else float
            return Estimate(kind(total[0]), float(error[0]), self._approximate)
        return Estimate(total, error, self._approximate)

    @property
    def _approximate(self) -> bool:
        """Whether variances are not estimated without bias."""
        return self.design in _HAJEK or self.info.get("rounds", 1) > 1

    def _deviation(self, Y: Array, p: Array, counts: Array) -> Array:
        """Estimate the standard deviation of the estimated totals of the columns of Y."""
        xp = space_of(Y).xp
        if self.replicates is not None:
            totals = xp.astype(self.replicates, Y.dtype) @ Y
            r = int(totals.shape[0])
            return linalg.norm(totals - xp.mean(totals, axis=0), axis=0) / math.sqrt(r * (r - 1))
        open_ = p < 1 if self.info.n_certain else p > 0
        Z = Y / p  # what each draw adds to the total
        zero = xp.zeros_like(p)
        if self.design == "replacement":
            share = xp.where(open_, counts, zero)
            draws = int(xp.sum(share))
            mean = xp.sum(share * Z, axis=0) / max(draws, 1)
            factor = draws / (draws - 1) if draws > 1 else math.nan if draws else 0.0
            return linalg.norm(xp.sqrt(factor * share) * (Z - mean), axis=0)
        share = xp.where(open_, 1 - p, zero)
        drawn = int(xp.count_nonzero(open_))
        if self.design not in _HAJEK or drawn == 0:
            return linalg.norm(xp.sqrt(share) * Z, axis=0)
        mean = xp.sum(share * Z, axis=0) / xp.sum(share)
        factor = drawn / (drawn - 1) if drawn > 1 else math.nan
        return linalg.norm(xp.sqrt(factor * share) * (Z - mean), axis=0)

    def merge(self, other: RowSample) -> RowSample:
        """Join two "bottom_k" samples of different rows into the one sample of all of them.

        Parameters
        ----------
        other : RowSample
            Drawn by the same design with the same size and seed from other rows (``row_offset``).

        Returns
        -------
        RowSample
            What `sample_rows` returns for the scores of both, equal in every bit.

        Raises
        ------
        ValueError
            If a sample has another design, or the sizes or seeds differ, or the rows overlap.
        TypeError
            If the other is no sample, or of another array library or device.
        """
        if not isinstance(other, RowSample):
            raise TypeError(
                f"other must be a RowSample, as sample_rows returns one, got {type(other).__name__}"
            )
        if self.design != "bottom_k" or other.design != "bottom_k":
            raise ValueError(
                f"design must be 'bottom_k' for samples to be merged, got {self.design!r} and "
                f"{other.design!r}: what other designs keep depends on the scores of all rows"
            )
        if (self.info.size, self.info.seed) != (other.info.size, other.info.seed):
            raise ValueError(
                "size and seed must agree for samples to be merged, got sizes "
                f"{self.info.size} and {other.info.size}, seeds {self.info.seed} and "
                f"{other.info.seed}; give both the same size and integer rng"
            )
        ranges = joined(self.info.ranges, other.info.ranges)
        space = space_of(self.weights, other.weights)
        xp = space.xp
        indices = xp.concat((self.indices, other.indices))
        order = xp.argsort(indices)

        def both(name: str) -> Array:
            return xp.take(xp.concat((getattr(self, name), getattr(other, name))), order)

        keys = both("keys")
        rows, threshold = smallest(space, keys, self.info.size, math.inf)
        threshold = min(threshold, self.info.threshold, other.info.threshold)
        draw = by_threshold(
            space, xp.take(xp.take(indices, order), rows), xp.take(keys, rows),
            xp.take(both("scores"), rows), threshold,
        )  # fmt: skip
        positive = self.info.n_positive + other.info.n_positive
        return row_sample(
            draw, "bottom_k", self.info.size, positive, self.weights.dtype, ranges, self.info.seed
        )


def row_sample(
    draw: Draw, design: str, size: int, positive: int, dtype: Any,
    ranges: tuple[tuple[int, int], ...], seed: int,
) -> RowSample:  # fmt: skip
    """Make the answer from a draw."""
    xp = space_of(draw.indices).xp
    weights = xp.astype(draw.counts, xp.float64) / draw.probs
    return RowSample(
        draw.indices,
        xp.astype(draw.probs, dtype),
        xp.astype(weights, dtype),
        draw.counts,
        design,
        ranges[-1][1],
        draw.keys,
        draw.scores,
        Status.CONVERGED,
        Info(
            size=size,
            expected_size=draw.expected,
            n_certain=draw.certain,
            n_positive=positive,
            threshold=draw.threshold,
            ranges=ranges,
            seed=seed,
        ),
    )


def check_sample(op: Operator, sample: Any) -> None:
    """Refuse what is no sample of the rows of a matrix."""
    if not isinstance(sample, RowSample):
        raise TypeError(
            f"sample must be a RowSample, as sample_rows returns one, got {type(sample).__name__}"
        )
    if sample.m != op.shape[0]:
        raise ValueError(f"A must have {sample.m} rows, as the sample is one of so many, got "
                         f"{op.shape[0]}")  # fmt: skip
    if sample.info.ranges != ((0, sample.m),):
        raise ValueError(
            f"sample must be one of all rows of A, got one of {spelled(sample.info.ranges)} of "
            f"{sample.m}; merge those of the other rows into it"
        )
    space_of(op.space.zeros((0,), op.dtype), sample.weights)


def spelled(ranges: tuple[tuple[int, int], ...]) -> str:
    """Say which rows."""
    return "rows " + ", ".join(f"{start}:{stop}" for start, stop in ranges)


def described(sample: RowSample, **facts: Any) -> RowSample:
    """Add to the info of a sample what its scores were."""
    return replace(sample, info=Info(**{**sample.info, **facts}))


def joined(
    a: tuple[tuple[int, int], ...], b: tuple[tuple[int, int], ...]
) -> tuple[tuple[int, int], ...]:  # fmt: skip
    """Unite ranges of rows that must not overlap."""
    ranges: list[tuple[int, int]] = []
    for start, stop in sorted((*a, *b)):
        if ranges and start < ranges[-1][1]:
            raise ValueError(
                f"samples must be of different rows to be merged, got rows {start}:{stop} twice; "
                "give the scores of the second block their row_offset"
            )
        if ranges and start == ranges[-1][1]:
            start = ranges.pop()[0]
        ranges.append((start, stop))
    return tuple(ranges)


def _wide(x: Array) -> Array:
    """Turn numbers into double precision."""
    xp = space_of(x).xp
    complex_ = xp.isdtype(x.dtype, "complex floating")
    return xp.astype(x, xp.complex128 if complex_ else xp.float64, copy=False)
