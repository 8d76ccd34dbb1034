"""Row sampling while rows come by: decide about each at once, and never again."""

from __future__ import annotations

import math
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, Space, real_dtype, space_of
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.numbers import whole
from lrla._core.random import Domain, key_of, seed_of, tag
from lrla._core.results import Info, Status
from lrla.blocks import RowBlocks, as_blocks
from lrla.kernels import philox
from lrla.kernels.row_squares import row_squares
from lrla.sampling._coordinates import as_fraction
from lrla.sampling._designs import Draw
from lrla.sampling._online_budget import Kept, extended, fitted
from lrla.sampling._online_budget import joined as together
from lrla.sampling._online_lewis import factor, online_weights
from lrla.sampling._online_measure import Measured, measured, squares, summed
from lrla.sampling._row_sample import described, joined, row_sample
from lrla.sampling._rows import as_p
from lrla.sampling._streams import StreamSample, as_rows

_STREAM = 2  # of the domain of samples
_BLOCK = 256  # rows that meet one and the same factor
_EPS = 0.5  # where neither accuracy nor budget is asked for


class OnlineRowSampler:
    """Keep few rows of a stream that stand for all of them, in the Euclidean or another norm.

    Parameters
    ----------
    n : int
        Number of columns.
    ridge : float
        Positive: squared lengths below which the approximation may be coarse.
    p : float, default 2
        Which norm: positive and finite.
    eps : float, optional
        Accuracy, between 0 and 1; 0.5 by default, or as good as the budget allows if there is one.
        With B the scaled rows that are kept and ``norm(y)`` the p-norm,
        ``abs(norm(B @ x)**p - norm(A @ x)**p) <= eps * (norm(A @ x)**p + r)`` for all x at once, r
        the power p of ``sqrt(ridge)`` times the Euclidean norm of x. For p other than 2 this is a
        goal, not proven: see Notes.
    delta : float, default 0.1
        Probability with which that may fail, for p = 2.
    budget : int, optional
        Most rows to keep, at least 2 n. If more are chosen, some are dropped, and later ones have a
        smaller chance: all totals stay without bias, but what eps promises may be lost. Then
        ``info.eps`` says what the rows that are left stand for, and for p = 2 ``info.error`` how far
        off they are.
    row_offset : int, default 0
        Number of the first row, if others look at the rows before.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Attributes
    ----------
    n_rows : int
        Number of rows that came by.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or n, row_offset or budget no integer.
    TypeError
        If p, eps or delta is not a number.

    See Also
    --------
    leverage_scores, sample_rows : for data that can be passed over twice.
    ReservoirSampler : if scores are known.

    Notes
    -----
    p = 2. Row a is kept with probability ``min(1, c * l)``, ``l = min(1, (1 + eps) a (B^H B +
    ridge I)^-1 a^H)`` its leverage score with respect to what was kept before, and then divided by
    the root of that probability [1]_. Scores of later rows only fall, so that nothing is ever
    taken back. The number of rows kept is O(n log(n) log(norm(A)**2 / ridge) / eps**2).

    The rate is ``c = 4 log(2 n / delta) / eps**2``; [1]_ has ``8 log(n) / eps**2``, for a
    probability of failure of about 1 / n, and its additive error is ``eps * ridge`` here. Such
    constants are generous: eps is an upper limit, and the error is a fraction of it as a rule.

    Other p. The score is an online Lewis weight w: with ``t = (1 + eps) a Q^-1 a^H``, the solution of
    ``w**(2/p) = t / (1 + w**(1 - 2/p) t)``, which makes w the leverage of the row in Q once the row,
    times ``w**(1/2 - 1/p)``, is part of it. Q is ``ridge I`` and the sum of
    ``w**(1 - 2/p) a^H a / probability`` over what was kept. Weights are never computed again. The
    rate is that of p = 2, times ``max(1, p/2 n**(p/2 - 1))``. That few rows can do is shown in [2]_,
    of the order of n / eps**2 for p < 2 and of n**(p/2) / eps**2 for p > 2 but for logarithms, with
    a sampler of its own; its theorems are not claimed for this one. What is known here:

    - ``sum(weights * abs(rows @ x)**p)`` is without bias for every x, since the probability of a row
      depends on the row and on the draws before it alone; so are all totals.
    - One row at a time, at most ``1 + c (1 + eps)`` rows are kept on average for every unit of
      ``log det(Q / ridge)``, which is at most n times the logarithm of how much Q grew: the least
      that a row adds to it, times the odds to be kept, is ``log(1 + 1 / (c (1 + eps)))`` times these.
    - Were Q made of all rows, and p <= 2, then ``abs(a x)**2 <= w**(2/p) x^H Q x`` and
      ``(x^H Q x)**(p/2) <= norm(A @ x)**p + r``, so that no row has more than the share w of the
      right-hand side above, and by Bernstein's inequality that bound fails for any one x with a
      probability below delta / n.
    - The rest is measured (``benchmarks/claims/online.py``): for p from 1 to 3 the largest error was
      a sixth of eps, and the median over six kinds of rows 1.4 to 1.7 times the error of as many rows
      drawn by the Lewis weights of all.

    Rows are decided on in groups of 256, counted from the first row, with the factor of the rows
    kept before the group: the scores can only be larger for that. How rows are cut into calls of
    ``partial_fit`` changes nothing.

    A row in a new direction, far longer than the root of the ridge, is kept with certainty. Rows of
    zeros never are: totals of anything that is not zero there, like the number of rows, lack them.

    Budget. Each row i draws one uniform number u once, and is kept for as long as ``u < q``, q its
    probability. When rows exceed the budget, their scores are computed anew, by the factor of all that is
    kept, and q becomes ``min(q, c * score)`` for the largest rate c, no larger than before, for
    which three quarters of the budget are left on average: the resampling of Kelner and Levin [3]_.
    Later rows have that rate. Given all draws before, u is uniform below the old q: a row stays with the
    ratio of the new q to the old, while its weight 1 / q grows by as much. Whatever decides when to
    drop rows, and how many, the expectation of its weight remains 1, and weights of different rows
    uncorrelated: totals have no bias, nor have their variances. As old scores have fallen since, a budget
    of some ``2 c n`` rows costs no accuracy: memory does not grow with the length of the stream,
    as it does without. That this keeps norms is proven in [4]_ for p = 2, graphs and a row at a
    time, and measured here (``benchmarks/claims/online.py``): for p from 1 to 3 and six kinds of
    rows, the median error within a budget of 40 n was 0.7 to 1.6 times that of as many rows drawn by
    the Lewis weights of all. ``info.eps`` is what the last rate stands for, and no
    promise if it is more than was asked for; above 1 nothing is promised at all.

    What is measured. The squares A^H A of all rows are added up. For p = 2 they give the largest error
    itself, ``info.error``, the least eps for which the bound above holds, and it decides whether what
    was asked for is met. For all p they tell the directions in which ``norm(A @ x)**2`` is more than
    ``ridge * norm(x)**2``; that nothing was kept of some of these is said, with or without eps. Squares
    below 1e-12 of the largest, columns scaled, are not told from rounding: with a smaller ridge there
    may be no ``info.error``.

    Cost: ``4 n**2`` flops a row (and a QR factorization of those kept, and another at each cut);
    memory, the rows kept, a group, and 2 n**2.

    References
    ----------
    .. [1] M. B. Cohen, C. Musco and J. Pachocki, "Online row sampling", Theory of Computing 16(15),
       2020.
    .. [2] D. P. Woodruff and T. Yasuda, "Online Lewis weight sampling", SODA 2023,
       arXiv:2207.08268.
    .. [3] J. A. Kelner and A. Levin, "Spectral sparsification in the semi-streaming setting",
       Theory Comput. Syst. 53, 2013.
    .. [4] D. Calandriello, A. Lazaric and M. Valko, "Analysis of Kelner and Levin graph
       sparsification algorithm for a streaming setting", 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import OnlineRowSampler
    >>> rng = np.random.default_rng(7)
    >>> A = rng.standard_normal((50_000, 5))
    >>> online = OnlineRowSampler(5, 1.0, rng=7)
    >>> for block in np.split(A, 50):
    ...     online.partial_fit(block)
    >>> kept = online.finalize()
    >>> len(kept.sample) < 10_000
    True
    >>> ratios = np.linalg.eigvalsh(kept.scaled().T @ kept.scaled()) / 50_000
    >>> bool(np.all(abs(ratios - 1) < 0.5))
    True

    No more than 300 rows, whatever comes:

    >>> online = OnlineRowSampler(5, 1.0, budget=300, rng=7)
    >>> online.partial_fit(A)
    >>> kept = online.finalize()
    >>> len(kept.sample) <= 300
    True
    >>> bool(abs(kept.sample.weights.sum() / 50_000 - 1) < 0.2)
    True
    """

    def __init__(
        self,
        n: int,
        ridge: float,
        *,
        p: float = 2,
        eps: float | None = None,
        delta: float = 0.1,
        budget: int | None = None,
        row_offset: int = 0,
        rng: Any = None,
    ) -> None:
        n = whole(n, "n", 1)
        if not 0 < ridge < math.inf:
            raise ValueError(f"ridge must be positive and finite, got {ridge}")
        as_fraction(eps, "eps")
        as_fraction(delta, "delta")
        if budget is not None:  # fewer rows cannot stand for n columns
            budget = whole(budget, "budget", 2 * n, rule=f", at least 2 * n = {2 * n}")
        self.n, self.p = n, as_p(p, least=0.0, infinite=False)
        self.ridge, self.delta = float(ridge), float(delta)
        self.budget = budget
        self.eps = _EPS if eps is None and budget is None else eps
        self._first, self._seed = whole(row_offset, "row_offset", 0), seed_of(rng)
        self._unit = 4 * math.log(2 * n / delta) * factor(self.p, n)  # the rate for eps = 1
        self._slack = _EPS if self.eps is None else self.eps
        self._rate = math.inf if self.eps is None else self._unit / self.eps**2
        self._decided = self._first  # all rows before this one
        self._pending: Array = None  # rows of a group that is not complete
        self._factor: Array = None  # upper triangular: R^H R = B^H B + ridge I
        self._squares: Array = None  # of all rows decided on: A^H A / ridge
        self._kept: list[Kept] = []
        self._lowered = False  # whether rows were dropped
        self._ranges: tuple[tuple[int, int], ...] = ()  # of merged samplers

    @property
    def n_rows(self) -> int:
        """Number of rows that came by."""
        waiting = 0 if self._pending is None else int(self._pending.shape[0])
        others = sum(b - a for a, b in self._ranges)
        return self._decided - self._first + waiting + others

    def partial_fit(self, A: Any) -> None:
        """Look at a block of rows, in the order of the stream.

        Parameters
        ----------
        A : array of shape (k, n), sparse matrix or dask array
            The rows; those that are kept become dense. Dask arrays are computed block by block.

        Raises
        ------
        ValueError
            If A has another number of columns or an entry that is not finite.
        TypeError
            If A is of another array library, device or dtype than the blocks before.
        """
        A = as_blocks(A)
        if isinstance(A, RowBlocks):
            for a, b in A.bounds:
                self.partial_fit(A.array[a:b].compute())
            return
        op = as_rows(A, self.n, self._pending)
        space, k = op.space, op.shape[0]
        self._begin(space, op.dtype)
        if self._ranges:
            end = self._decided + int(self._pending.shape[0])
            joined(((end, end + k),), self._ranges)
        a = 0
        while a < k:
            room = _BLOCK - int(self._pending.shape[0])
            b = min(a + room, k)
            rows = op.A[a:b].toarray() if op.kind == "sparse" else op.A[a:b, :]
            self._pending = space.xp.concat((self._pending, rows), axis=0)
            if int(self._pending.shape[0]) == _BLOCK:
                self._decide(space)
            a = b

    def _begin(self, space: Space, dtype: Any) -> None:
        """Start, if no row was seen, from the ridge alone."""
        if self._factor is None:
            self._pending = space.zeros((0, self.n), dtype)
            self._factor = math.sqrt(self.ridge) * space.eye(self.n, dtype)
            self._squares = squares(self._pending, self.ridge)

    def _decide(self, space: Space) -> None:
        kept, self._squares = self._choice(space), self._seen()
        self._decided += int(self._pending.shape[0])
        self._pending = self._pending[:0, :]
        self._add(kept)

    def _seen(self) -> Array:
        """Add up the squares of all rows."""
        return summed(self._squares, squares(self._pending, self.ridge))

    def _choice(self, space: Space) -> Kept:
        """Choose among the rows that are pending, by the factor of those before them."""
        xp, X = space.xp, self._pending
        T = linalg.solve_triangular(self._factor, space.eye(self.n, X.dtype))
        scores = xp.astype(row_squares(X, T), xp.float64) * (1 + self._slack)
        scores = xp.clip(scores, max=1.0) if self.p == 2 else online_weights(scores, self.p)
        if math.isinf(self._rate):
            probs = xp.astype(scores > 0, xp.float64)
        else:
            probs = xp.clip(self._rate * scores, max=1.0)
        first = self._decided
        label = tag(Domain.SAMPLE, _STREAM)
        u = philox.uniform(space, key_of(self._seed), label, first, first + int(X.shape[0]), 1)
        picked = xp.nonzero(u[:, 0] < probs)[0]
        every = xp.arange(first, first + int(X.shape[0]), dtype=picked.dtype, device=space.device)
        return Kept(every, u[:, 0], scores, probs, X).only(picked)

    def _add(self, kept: Kept) -> None:
        """Take rows into the sample and into the factor, as far as the budget goes."""
        if int(kept.rows.shape[0]):
            self._factor = extended(self._factor, kept, self.p)
            self._kept.append(kept)
            if self._exceeds(self._kept):
                left, self._factor, self._rate = self._fitted(together(self._kept), self._factor)
                self._kept, self._lowered = [left], True

    def _exceeds(self, parts: list[Kept]) -> bool:
        count = sum(int(part.numbers.shape[0]) for part in parts)
        return self.budget is not None and count > self.budget

    def _fitted(self, kept: Kept, R: Array) -> tuple[Kept, Array, float]:
        if self.budget is None:
            return kept, R, self._rate
        return fitted(kept, R, self._rate, self.budget, self.p, self._slack, self.ridge)

    def merge(self, other: OnlineRowSampler) -> None:
        """Add what another sampler has kept of other rows.

        Parameters
        ----------
        other : OnlineRowSampler
            With the same n, ridge, p, eps, delta and budget, over other rows (``row_offset``). It is not
            changed.

        Raises
        ------
        ValueError
            If a parameter differs, or a row was seen by both.
        TypeError
            If the other is no `OnlineRowSampler`, or its rows are of another array library, device or
            dtype.

        Notes
        -----
        The errors add up: the ridge counts once for each of the merged samplers, and so does delta.
        """
        if not isinstance(other, OnlineRowSampler):
            raise TypeError(f"other must be an OnlineRowSampler, got {type(other).__name__}")
        for name in ("n", "ridge", "p", "eps", "delta", "budget"):
            mine, yours = getattr(self, name), getattr(other, name)
            if mine != yours:
                raise ValueError(
                    "samplers must have equal n, ridge, p, eps and delta to be merged, and the same "
                    f"budget, got {name} = {mine} and {yours}"
                )
        joined(self._spans(), other._spans())
        if other._factor is None:
            return
        space = as_rows(other._pending, self.n, self._pending).space
        self._begin(space, other._pending.dtype)
        kept = list(other._kept)
        if int(other._pending.shape[0]):
            kept.append(other._choice(space))
        self._rate, self._lowered = min(self._rate, other._rate), self._lowered or other._lowered
        self._squares = summed(self._squares, other._seen())
        for part in kept:
            self._add(part)
        self._ranges = tuple(sorted((*self._ranges, *other._spans())))

    def _spans(self) -> tuple[tuple[int, int], ...]:
        others = sum(b - a for a, b in self._ranges)
        own = (self._first, self._first + self.n_rows - others)
        return (own, *self._ranges) if own[1] > own[0] else self._ranges

    def finalize(self) -> StreamSample:
        """Return the rows kept so far; more may follow.

        Returns
        -------
        StreamSample
            With fields rows, sample, status and info, and the method ``scaled``. The variance of
            ``sample.estimate`` is without bias: the draws are uncorrelated.

        Raises
        ------
        ValueError
            If no row came by.

        Warns
        -----
        AccuracyWarning
            If the rows kept do not do for the eps that was asked for, or nothing was kept of some
            direction.
        """
        if self.n_rows == 0:
            raise ValueError("partial_fit must come before finalize: no row was seen")
        space = space_of(self._pending)
        xp = space.xp
        last = self._choice(space)  # of a copy, as it were: nothing is decided
        parts = [*self._kept, last]
        lowered = self._lowered or self._exceeds(parts)
        R = extended(self._factor, last, self.p)
        kept, _, rate = self._fitted(together(parts), R)
        eps = math.sqrt(self._unit / rate)
        if self.eps is not None and rate >= self._unit / self.eps**2:
            eps = self.eps
        found = measured(self._seen(), kept, self.ridge, self.p)
        status = self._judge(eps, found)
        numbers, probs, rows = kept.numbers, kept.probs, kept.rows
        order = xp.argsort(numbers)
        numbers, probs = xp.take(numbers, order), xp.take(probs, order)
        n = int(numbers.shape[0])
        certain = int(xp.count_nonzero(probs >= 1))
        draw = Draw(numbers, xp.ones_like(numbers), probs, certain, float(n))
        spans = joined(self._spans(), ())
        dtype = real_dtype(xp, rows.dtype)
        sample = described(
            row_sample(draw, "online", n, self.n_rows, dtype, spans, self._seed),
            eps=eps, ridge=self.ridge, p=self.p, delta=self.delta, merged=bool(self._ranges),
            budget=self.budget, lowered=lowered, error=found.error, lost=found.lost,
        )  # fmt: skip
        return StreamSample(
            xp.take(rows, order, axis=0),
            sample,
            status,
            Info(
                n_rows=self.n_rows,
                eps=eps,
                ridge=self.ridge,
                p=self.p,
                delta=self.delta,
                rate=rate,
                error=found.error,
                rank=found.rank,
                lost=found.lost,
                seed=self._seed,
            ),
        )

    def _judge(self, eps: float, found: Measured) -> Status:
        """Say whether what was asked for is met: by what is measured, else by what the rate is for."""
        more = "raise budget" if self.budget is not None else "lower eps"
        if found.lost:
            warn(
                f"of {found.lost} of the {found.rank} directions in which rows are longer than the root "
                f"of the ridge nothing was kept; {more}",
                AccuracyWarning,
            )
            return Status.BUDGET
        if self.eps is None:
            return Status.CONVERGED
        if found.error is not None:
            if found.error <= self.eps:
                return Status.CONVERGED
            warn(f"the error is {found.error:.2g}, and eps={self.eps:g} was asked for; {more}",
                 AccuracyWarning)  # fmt: skip
            return Status.BUDGET
        if eps <= self.eps:
            return Status.CONVERGED
        warn(
            f"{self.budget} rows do for eps={eps:.2g}, and eps={self.eps:g} was asked for; raise "
            "budget, or leave eps out",
            AccuracyWarning,
        )
        return Status.BUDGET
