"""Frequent Directions: a small matrix with almost the same Gram matrix, and a proof."""

from __future__ import annotations

from dataclasses import dataclass

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, space_of
from lrla._core.numbers import whole
from lrla._core.results import Info, Result, Status
from lrla.streaming._rows import RowStream, same_kind


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DirectionsResult(Result):
    """Directions in which the rows seen are large.

    Parameters
    ----------
    B : array of shape (k, n)
        ``s[:, None] * Vh``: its Gram matrix stands for that of the rows.
    s : array of shape (k,)
        Singular values of B, decreasing; k is at most d.
    Vh : array of shape (k, n)
        Orthonormal rows: the directions.
    error_bound : float
        Certified: the eigenvalues of ``A.T @ A - B.T @ B`` are between 0 and this number.
    ridge : float
        Half of it: ``B.T @ B + ridge * I`` errs by at most ``error_bound / 2`` in norm.
    status : Status
        Always `Status.CONVERGED`.
    info : Info
        ``n_rows``, ``squares``, the squared Frobenius norm of the rows, and ``shrinks``, how often
        the sketch was shrunk.
    """

    B: Array
    s: Array
    Vh: Array
    error_bound: float
    ridge: float
    status: Status
    info: Info


class FrequentDirections(RowStream):
    """Summarise rows that are seen once by a matrix of few rows, deterministically.

    Parameters
    ----------
    n : int
        Number of columns.
    d : int
        Rows of the summary, at least 2.
    alpha : float, default 1
        Which share of the singular values gives way when room is needed, the smallest: 1 is
        Frequent Directions, and with less the large ones are kept better, at a weaker bound.

    Attributes
    ----------
    n_rows : int
        Number of rows seen.
    squares : float
        Squared Frobenius norm of the rows seen.
    error_bound : float
        Certified: the eigenvalues of ``A.T @ A - B.T @ B`` are between 0 and this number.

    Raises
    ------
    ValueError
        If n, d or alpha is out of range.

    See Also
    --------
    Oja : the leading directions alone, in less memory.
    top_eigenvector : the first one, from rows in random order.

    Notes
    -----
    For rows A and the sketch B, ``0 <= A.T @ A - B.T @ B <= error_bound * I``, and for every k
    below ``alpha * d``, ``error_bound <= norm(A - A_k, "fro")**2 / (alpha * d - k)``, where A_k is
    the best approximation of rank k [1]_, [2]_. Both hold for merged sketches, too, up to rounding
    of the size of the unit roundoff times ``squares``.

    A buffer of 2 d rows is shrunk when it is full: 8 n d flops for each row, in matrix products. How
    the rows are cut into blocks makes no difference, their order does. Memory: 2 d rows.

    References
    ----------
    .. [1] M. Ghashami, E. Liberty, J. M. Phillips and D. P. Woodruff, "Frequent directions: simple
       and deterministic matrix sketching", SIAM J. Comput. 45, 2016.
    .. [2] A. Desai, M. Ghashami and J. M. Phillips, "Improved practical matrix sketching with
       guarantees", IEEE Trans. Knowl. Data Eng. 28, 2016.
    .. [3] L. Luo, C. Chen, Z. Zhang, W.-J. Li and T. Zhang, "Robust frequent directions with
       application in online learning", JMLR 20, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.streaming import FrequentDirections
    >>> rng = np.random.default_rng(7)
    >>> A = rng.standard_normal((5000, 3)) @ rng.standard_normal((3, 50))
    >>> stream = FrequentDirections(50, 10)
    >>> for first in range(0, 5000, 700):
    ...     stream.partial_fit(A[first : first + 700])
    >>> result = stream.result()
    >>> bool(result.error_bound < 1e-8 * stream.squares)  # ten rows hold three directions exactly
    True
    """

    def __init__(self, n: int, d: int, *, alpha: float = 1.0) -> None:
        super().__init__(n)
        if not 0 < alpha <= 1:
            raise ValueError(f"alpha must be above 0 and at most 1, got {alpha}")
        self.d, self.alpha = whole(d, "d", 2), float(alpha)
        self.error_bound = 0.0
        self._shrinks = 0
        self._rows: Array = None  # at most 2 d of them

    def merge(self, other: FrequentDirections) -> None:
        """Add the rows that another summary has seen; the bounds add up.

        Parameters
        ----------
        other : FrequentDirections
            Of the same n, d and alpha. It is not changed.

        Raises
        ------
        ValueError
            If n, d or alpha differ.
        TypeError
            If the other is no `FrequentDirections`, or of another array library or device.
        """
        if not isinstance(other, FrequentDirections):
            raise TypeError(f"other must be a FrequentDirections, got {type(other).__name__}")
        mine, yours = (self.n, self.d, self.alpha), (other.n, other.d, other.alpha)
        if mine != yours:
            raise ValueError(
                f"summaries must have equal n, d and alpha to be merged, got {mine} and {yours}"
            )
        if other._rows is not None:
            same_kind(other._rows, self.n, self._rows)
            self._add(other._rows)
        self.n_rows += other.n_rows
        self.squares += other.squares
        self.error_bound += other.error_bound
        self._shrinks += other._shrinks

    def result(self) -> DirectionsResult:
        """Return the summary of the rows seen so far; more may follow.

        Returns
        -------
        DirectionsResult
            With fields B, s, Vh, error_bound, ridge, status and info.

        Raises
        ------
        ValueError
            If no row was seen.
        """
        if self._rows is None:
            raise ValueError("partial_fit must come before result: no row was seen")
        rows, bound = self._rows, self.error_bound
        if rows.shape[0] > self.d:
            rows, lost = shrink(rows, self.d, self.alpha)
            bound += lost
        _, s, Vh = linalg.svd(rows)
        info = Info(n_rows=self.n_rows, squares=self.squares, shrinks=self._shrinks)
        return DirectionsResult(
            s[:, None] * Vh, s, Vh, bound, bound / 2, Status.CONVERGED, info
        )  # fmt: skip

    def _like(self) -> Array | None:
        return self._rows

    def _add(self, rows: Array) -> None:
        xp = space_of(rows).xp
        first, m = 0, rows.shape[0]
        if self._rows is None:
            self._rows = rows[:0, :]
        while first < m:
            room = 2 * self.d - self._rows.shape[0]
            last = min(first + room, m)
            self._rows = xp.concat([self._rows, rows[first:last, :]], axis=0)
            first = last
            if self._rows.shape[0] == 2 * self.d:
                self._rows, lost = shrink(self._rows, self.d, self.alpha)
                self.error_bound += lost
                self._shrinks += 1


def shrink(rows: Array, d: int, alpha: float) -> tuple[Array, float]:
    """Return fewer than d rows with a smaller Gram matrix, and by how much smaller at most.

    The singular value number d is taken off the square of each of the last ``alpha * d``. That
    needs the left singular vectors alone: those of a wide matrix come from its small Gram matrix,
    whose rounding moves neither side of the bound by more than its own size.
    """
    space = space_of(rows)
    xp = space.xp
    peak = float(xp.max(xp.abs(rows)))
    if peak == 0.0:
        return rows[: min(d - 1, rows.shape[0]), :], 0.0
    Y = rows / peak
    if Y.shape[0] < Y.shape[1]:
        squares, U = xp.linalg.eigh(Y @ adjoint(Y))
        squares, U = xp.flip(squares), xp.flip(U, axis=1)
    else:
        U, s, _ = linalg.svd(Y)
        squares = s**2
    if squares.shape[0] < d:
        return adjoint(U) @ rows, 0.0
    squares = xp.where(squares > 0.0, squares, xp.zeros_like(squares))
    cut = float(squares[d - 1])
    kept = d - max(1, round(alpha * d))  # of which nothing is taken
    place = xp.arange(squares.shape[0], device=space.device)
    safe = xp.where(squares > 0.0, squares, xp.ones_like(squares))
    share = xp.where(squares > cut, 1.0 - cut / safe, xp.zeros_like(squares))
    share = xp.where(place < kept, xp.ones_like(share), share)
    factors = xp.sqrt(share[: d - 1])
    smaller = factors[:, None] * (adjoint(U[:, : d - 1]) @ Y)
    return smaller * peak, cut * peak * peak
