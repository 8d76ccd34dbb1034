"""Families whose rows are sums of few rows of the data, drawn one by one."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import numpy as np

from lrla._core.arrays import Array, numpy_space, real_dtype, space_of
from lrla._core.random import Domain
from lrla.kernels import philox
from lrla.sketch._base import SketchOperator, _count


class _Gather(SketchOperator):
    """Common to families whose rows are sums of a few rows of the data, drawn one by one."""

    __slots__ = ()
    _nested = True

    @abstractmethod
    def _draws(self) -> tuple[np.ndarray, np.ndarray]:
        """Column indices and values of the draws, both (d, draws in a row)."""

    def _block(self, start: int, stop: int) -> Any:
        from scipy.sparse import coo_array

        index, value = self._draws()
        rows = np.broadcast_to(np.arange(self.d)[:, None], index.shape)
        keep = (index >= start) & (index < stop)
        return coo_array(
            (value[keep], (rows[keep], index[keep] - start)), shape=(self.d, stop - start)
        ).tocsc()

    def _apply_dense(self, A: Array, start: int) -> Array:
        """Gather rows: a column of draws at a time, so that nothing of length m is made."""
        space = space_of(A)
        if space.is_numpy:
            S = self._block(start, start + A.shape[0]).tocsr()
            return S.astype(real_dtype(space.xp, A.dtype)) @ A
        index, value = self._draws()
        inside = (index >= start) & (index < start + A.shape[0])
        value = np.where(inside, value, 0.0)
        index = np.where(inside, index - start, 0)
        out = space.zeros((self.d, A.shape[1]), A.dtype)
        if A.shape[0] == 0:
            return out
        for t in range(index.shape[1]):
            rows = space.xp.take(A, space.asarray(index[:, t]), axis=0)
            out = out + space.asarray(value[:, t : t + 1], real_dtype(space.xp, A.dtype)) * rows
        return out

    def _adjoint_dense(self, Y: Array) -> Array:
        space = space_of(Y)
        if not space.is_numpy:
            return super()._adjoint_dense(Y)
        return self._block(0, self.m).T.astype(real_dtype(space.xp, Y.dtype)) @ Y


class LESS(_Gather):
    """Leverage-score sparsified rows: each row of S has a few nonzeros at random places.

    Parameters
    ----------
    d : int
        Number of rows of S.
    m : int
        Number of columns of S: rows of the data.
    nnz_per_row : int
        Number of draws s that make up each row; as many as the data have columns in [1]_.
    probabilities : array of shape (m,), optional
        With which rows of the data are drawn: (approximate) leverage scores give LESS, the default
        of equal probabilities LESS-uniform. They need not sum to 1. They are part of the
        description, so such an operator is as large as they are.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from; ``S.seed`` reproduces it.

    Notes
    -----
    A row is ``sum_t r_t e_(i_t) / sqrt(s d p_(i_t))`` over s independent draws i_t with random
    signs r_t. Sketched covariances invert almost without bias: the inverse of (SA)^T SA is on
    average close to d / (d - n) times that of A^T A [1]_. Cost: d s operations for each column of
    A, whatever m.

    References
    ----------
    .. [1] M. Derezinski, Z. Liao, E. Dobriban and M. W. Mahoney, "Sparse sketches with small
       inversion bias", COLT 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sketch import LESS
    >>> S = LESS(40, 1000, nnz_per_row=5, rng=7)
    >>> (S @ np.ones(1000)).shape
    (40,)
    """

    __slots__ = ()
    family = "less"

    def __init__(
        self,
        d: int,
        m: int,
        *,
        nnz_per_row: int,
        probabilities: Any = None,
        rng: Any = None,
    ) -> None:
        s, m = _count(nnz_per_row, "nnz_per_row"), _count(m, "m")
        probabilities = _probabilities(probabilities, m)
        if probabilities is None and m > 1 << 31:
            raise ValueError(f"m must be at most 2**31, got {m}")
        self._describe(d, m, rng, nnz_per_row=s, probabilities=probabilities)

    def _draws(self) -> tuple[np.ndarray, np.ndarray]:
        space, s = numpy_space(), self.nnz_per_row
        tag = self._tag(Domain.LESS)
        sign = philox.sign(space, self.key, self._tag(Domain.LESS, 1), 0, self.d, s)
        if self.probabilities is None:
            index = philox.integer(space, self.key, tag, 0, self.d, s, self.m)
            return index, sign * math.sqrt(self.m / (s * self.d))
        u = philox.uniform(space, self.key, tag, 0, self.d, s)
        index, p = _placed(u, np.asarray(self.probabilities))
        return index, sign / np.sqrt(s * self.d * p)

    def _flops(self, size: int, n: int) -> float:
        return 2.0 * self.d * self.nnz_per_row * n


class RowSampling(_Gather):
    """Rows of the data themselves: drawn with given probabilities, and scaled.

    Row r of S is ``e_i / sqrt(d p_i)`` for a row i of the data that is drawn with probability p_i,
    independently of the others.

    Parameters
    ----------
    d : int
        Number of rows of S: draws.
    m : int
        Number of columns of S: rows of the data.
    probabilities : array of shape (m,), optional
        With which rows of the data are drawn, leverage scores for example; the default is equal
        probabilities. They need not sum to 1. They are part of the description, so such an operator
        is as large as they are.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from; ``S.seed`` reproduces it.

    Notes
    -----
    With leverage scores, d of the order of n log(n) / eps**2 rows embed the column space of A with
    distortion eps [1]_. With equal probabilities, rows that matter much more than others are lost. Rows of probability zero are never drawn, and E[S^T S] = I
    holds without them. Cost: d operations for each column of A, whatever m.

    `lrla.sampling.sample_rows` with ``design="replacement"`` and ``deterministic=False`` draws the
    same rows from the same seed, says how good they are, and merges rows that were drawn twice; its
    other designs need fewer rows.

    References
    ----------
    .. [1] D. P. Woodruff, "Sketching as a tool for numerical linear algebra", Found. Trends Theor.
       Comput. Sci. 10, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sketch import RowSampling
    >>> S = RowSampling(4, 100, rng=7)
    >>> S @ np.ones(100)
    array([5., 5., 5., 5.])
    """

    __slots__ = ()
    family = "row_sample"

    def __init__(self, d: int, m: int, *, probabilities: Any = None, rng: Any = None) -> None:
        self._describe(d, m, rng, probabilities=_probabilities(probabilities, _count(m, "m")))

    def _draws(self) -> tuple[np.ndarray, np.ndarray]:
        tag = self._tag(Domain.SAMPLE)  # two draws to a block, as those of lrla.sampling
        u = philox.uniform(numpy_space(), self.key, tag, 0, -(-self.d // 2), 2)
        u = u.reshape(-1, 1)[: self.d]
        if self.probabilities is None:
            index = (u * self.m).astype(np.int64)
            return index, np.full(u.shape, math.sqrt(self.m / self.d))
        index, p = _placed(u, np.asarray(self.probabilities))
        return index, 1 / np.sqrt(self.d * p)

    def _flops(self, size: int, n: int) -> float:
        return float(self.d * n)


def _probabilities(given: Any, m: int) -> tuple[float, ...] | None:
    """Check probabilities of m rows; None stands for equal ones."""
    if given is None:
        return None
    p = np.asarray(given, dtype=np.float64)
    if p.shape != (m,) or np.any(p < 0) or not 0 < p.sum() < math.inf:
        raise ValueError(
            f"probabilities must be {m} finite non-negative numbers, not all zero, got "
            f"shape {p.shape} and sum {p.sum()}"
        )
    return tuple(p.tolist())  # as given: scaling twice is not scaling once


def _placed(u: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn uniform variates into rows, and say with which probability each was drawn."""
    cumulative = np.cumsum(p)
    total = cumulative[-1]
    # u * total may round up to total, where there is no entry
    place = np.minimum(u * total, np.nextafter(total, 0.0))
    index = np.searchsorted(cumulative, place, side="right")
    return index, p[index] / total
