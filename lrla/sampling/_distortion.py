"""How much a sample of rows distorts an l_p norm: exactly for p = 2, else what a search finds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, Space, space_of
from lrla._core.errors import rank_told_once
from lrla._core.operators import Operator
from lrla._core.random import Domain, key_of, seed_of, tag
from lrla._core.threads import ranges
from lrla.kernels import philox
from lrla.sampling._lp_frame import dense, frame
from lrla.sampling._row_sample import RowSample, check_sample
from lrla.sampling._rows import as_p
from lrla.sketch import whiten

_RANDOM, _HEAVY, _STARTS, _ASCENT = 256, 100, 4, 60  # directions, rows, starts, steps of a search
_ANGLES, _ZOOM = 2048, 6  # first angles of a sweep, and how often it is made 16 times finer
_SMALL = 0.25  # Lewis weights of this p stand for those of smaller ones, whose powers overflow
_BLOCK = 1 << 21  # entries of products that are held at a time


@dataclass(frozen=True, slots=True, eq=False)
class Distortion:
    """Between what lies sum(weights * abs(A[indices] @ x)**p) / sum(abs(A @ x)**p).

    Parameters
    ----------
    low, high : float
        The smallest and the largest quotient, or, if not ``exact``, the most extreme that a search
        has found: the true range is at least as wide. Unpacks as ``low, high``.
    exact : bool
        Whether these are the extremes.
    x_low, x_high : array of shape (n,)
        Where they are attained.
    method : str
        "eigenvalues", "sweep" of angles for rank 2, or "search".
    """

    low: float
    high: float
    exact: bool
    x_low: Array
    x_high: Array
    method: str

    @property
    def eps(self) -> float:
        """The larger of ``1 - low`` and ``high - 1``."""
        return max(1 - self.low, self.high - 1)

    def __iter__(self) -> Iterator[float]:
        return iter((self.low, self.high))


@rank_told_once
def distortion(A: Any, sample: RowSample, p: float = 2, *, rng: Any = None) -> Distortion:
    """Measure how far a weighted sample of rows is from keeping the norm of every ``A @ x``.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data, real; formed densely.
    sample : RowSample
        Rows of A.
    p : float, default 2
        The norm, positive and finite.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the search comes from.

    Returns
    -------
    Distortion
        With fields low, high, exact, x_low, x_high and method; ``eps`` is the larger error.

    Raises
    ------
    ValueError
        If A is empty or not finite, p out of range, or the sample one of other rows.
    TypeError
        If A is not a matrix of real numbers, or the sample no `RowSample`.

    See Also
    --------
    subspace_sample : draw a sample of small distortion.

    Notes
    -----
    For p = 2 these are eigenvalues. Otherwise the quotient has many local extremes, and no fast
    method is known that finds the largest. The search evaluates, in the coordinates of the
    Lewis weights, 256 random directions, those of the rows with the largest Lewis weights and of
    the sampled rows that count most, and the eigenvectors of the sampled quadratic form, and goes
    uphill from the best four on either side. For rank 2 all angles are swept, 2048 at first and
    then more finely where it matters, which has found the extremes to 1e-6 wherever it was
    compared; for rank 1 there is but one direction.

    Cost: ``4 m r`` flops for each of some 1200 directions; eigenvalues ``2 m r**2``.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import distortion, leverage_scores, sample_rows
    >>> A = np.random.default_rng(7).standard_normal((2000, 5))
    >>> sample = sample_rows(leverage_scores(A).scores, 400, rng=7)
    >>> found = distortion(A, sample)
    >>> 0.6 < found.low < 1 < found.high < 1.4, found.exact
    (True, True)
    """
    p = as_p(p, least=0.0, infinite=False)
    op, _ = dense(A)
    check_sample(op, sample)
    return Measure(op, p, seed_of(rng))(sample)


class Measure:
    """Distortions of samples of one matrix: what they share is computed once."""

    def __init__(self, op: Operator, p: float, seed: int) -> None:
        self.space: Space = op.space
        self.p, self.seed = p, seed
        if p == 2:
            self.T = whiten(op.A, rng=seed).T
            self.U = op.A @ self.T
        else:
            self.q = max(p, _SMALL)
            found = frame(op, self.q, seed)
            self.T, self.U, self.lewis = found.T, found.U, found.weights
        self.rank = int(self.U.shape[1])

    def __call__(self, sample: RowSample) -> Distortion:
        """Measure one sample."""
        xp = self.space.xp
        rows = xp.take(self.U, sample.indices, axis=0)
        w = xp.astype(sample.weights, xp.float64)
        if self.rank == 0:
            zero = self.space.zeros((self.T.shape[0],), xp.float64)
            return Distortion(1.0, 1.0, True, zero, zero, "eigenvalues")
        if self.p == 2:
            values, X = xp.linalg.eigh(rows.T @ (w[:, None] * rows))
            return self._found(values, X, "eigenvalues", spanned=True)
        spanned = _spans(rows)
        if self.rank == 1:
            X = xp.ones_like(rows[:1, :])
            return self._found(self._quotients(rows, w, X), X, "eigenvalues", spanned=spanned)
        X = self._sweep(rows, w) if self.rank == 2 else self._search(sample, rows, w)
        how = "sweep" if self.rank == 2 else "search"
        return self._found(self._quotients(rows, w, X), X, how, spanned=spanned)

    def _found(self, values: Array, X: Array, method: str, *, spanned: bool) -> Distortion:
        xp = self.space.xp
        low, high = int(xp.argmin(values)), int(xp.argmax(values))
        least = max(float(values[low]), 0.0) if spanned else 0.0
        return Distortion(
            least, float(values[high]), method == "eigenvalues", self.T @ X[:, low],
            self.T @ X[:, high], method,
        )  # fmt: skip

    def _quotients(self, rows: Array, w: Array, X: Array) -> Array:
        """Return the quotient for each column of X."""
        some, _ = self._norms(rows, w, X, gradient=False)
        return some / self._norms(self.U, None, X, gradient=False)[0]

    def _uphill(self, rows: Array, w: Array, X: Array) -> tuple[Array, Array]:
        """Return the quotient for each column of X, and the gradient of its logarithm over p."""
        some, g = self._norms(rows, w, X, gradient=True)
        whole, G = self._norms(self.U, None, X, gradient=True)
        xp = self.space.xp
        safe = xp.where(some > 0, some, xp.ones_like(some))
        return some / whole, g / safe - G / whole

    def _norms(
        self, rows: Array, w: Array | None, X: Array, *, gradient: bool
    ) -> tuple[Array, Array]:
        """Return sum(w abs(rows X)**p) and rows^T (w abs(rows X)**(p-1) sign) by columns."""
        xp, k = self.space.xp, X.shape[1]
        total, slope = self.space.zeros((k,), X.dtype), xp.zeros_like(X)
        for a, b in ranges(rows.shape[0], max(1, _BLOCK // k)):
            Y = rows[a:b, :] @ X
            V = _signed_power(Y, self.p - 1)
            if w is not None:
                V = w[a:b, None] * V
            total = total + xp.sum(V * Y, axis=0)
            if gradient:
                slope = slope + rows[a:b, :].T @ V
        return total, slope

    def _sweep(self, rows: Array, w: Array) -> Array:
        """Find the extreme angles of rank 2."""
        xp, space = self.space.xp, self.space
        step = math.pi / _ANGLES
        angles = xp.arange(_ANGLES, dtype=xp.float64, device=space.device) * step
        for _ in range(_ZOOM):
            X = xp.stack((xp.cos(angles), xp.sin(angles)))
            order = xp.argsort(self._quotients(rows, w, X))
            best = xp.take(angles, xp.concat((order[:_STARTS], order[-_STARTS:])))
            step = step / 16
            near = xp.arange(-16, 17, dtype=xp.float64, device=space.device) * step
            angles = xp.reshape(best[:, None] + near, (-1,))
        return xp.stack((xp.cos(angles), xp.sin(angles)))

    def _search(self, sample: RowSample, rows: Array, w: Array) -> Array:
        """Find directions of extreme quotients."""
        xp = self.space.xp
        X = self._candidates(sample, rows, w)
        order = xp.argsort(self._quotients(rows, w, X))
        few = min(_STARTS, X.shape[1] // 2)
        best = xp.concat((order[:few], order[-few:]))
        sign = xp.concat((-xp.ones_like(w[:1]), xp.ones_like(w[:1])))
        sign = xp.repeat(sign, few)
        return _climb(
            xp.take(X, best, axis=1), sign, lambda X: self._uphill(rows, w, X)
        )  # fmt: skip

    def _candidates(self, sample: RowSample, rows: Array, w: Array) -> Array:
        xp, r = self.space.xp, self.rank
        key, label = key_of(self.seed), tag(Domain.INIT, 1)
        normal = philox.normal(self.space, key, label, 0, r, _RANDOM)
        lewis = xp.take(self.lewis, sample.indices)
        heavy = xp.flip(xp.argsort(self.lewis))[: min(_HEAVY, self.lewis.shape[0])]
        counting = xp.flip(xp.argsort(w * lewis))[: min(_HEAVY // 2, w.shape[0])]
        safe = xp.where(lewis > 0, lewis, xp.ones_like(lewis))
        form = rows.T @ ((w * safe ** (1 - 2 / self.q))[:, None] * rows)
        parts = [
            xp.astype(normal, xp.float64),
            xp.take(self.U, heavy, axis=0).T,
            xp.take(rows, counting, axis=0).T,
            xp.linalg.eigh(form)[1],
        ]
        return _unit(xp.concat(parts, axis=1))


def _climb(X: Array, sign: Array, quotients: Any) -> Array:
    """Go uphill from each column of X in sign times the logarithm of the quotient."""
    xp = space_of(X).xp
    step = 0.3 * xp.ones_like(sign)
    value, gradient = quotients(X)
    for _ in range(_ASCENT):
        slope = gradient - xp.sum(gradient * X, axis=0) * X
        size = xp.sqrt(xp.sum(slope * slope, axis=0))
        safe = xp.where(size > 0, size, xp.ones_like(size))
        trial = _unit(X + (sign * step / safe) * slope)
        new, change = quotients(trial)
        better = sign * new > sign * value
        X = xp.where(better, trial, X)
        value, gradient = xp.where(better, new, value), xp.where(better, change, gradient)
        step = step * xp.where(better, 1.3 * xp.ones_like(step), 0.5 * xp.ones_like(step))
    return X


def _unit(X: Array) -> Array:
    """Scale columns to norm one; columns of zeros, as rows of zeros give, become any direction."""
    xp = space_of(X).xp
    X = xp.where(xp.any(X != 0, axis=0), X, xp.ones_like(X))
    return X / xp.sqrt(xp.sum(X * X, axis=0))


def _signed_power(Y: Array, e: float) -> Array:
    """Return abs(Y)**e with the signs of Y."""
    xp = space_of(Y).xp
    if e in (0.0, 1.0, 2.0):
        return xp.sign(Y) if e == 0 else Y if e == 1 else Y * xp.abs(Y)
    size = xp.abs(Y)
    size = xp.where(size > 0, size, xp.ones_like(size))  # of exponents below 0
    return xp.sign(Y) * size**e


def _spans(rows: Array) -> bool:
    """Tell whether sampled rows have full column rank."""
    xp = space_of(rows).xp
    if rows.shape[0] < rows.shape[1]:
        return False
    size = linalg.norm(rows, axis=1)[:, None]
    s = xp.linalg.svdvals(rows / xp.where(size > 0, size, xp.ones_like(size)))
    return bool(s[-1] > 1e-13 * s[0])
