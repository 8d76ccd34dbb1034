"""Least squares over data that arrive in blocks, once, in any order, on any machine."""

from __future__ import annotations

import time
from bisect import bisect_left
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, as_array, check_finite, is_complex, space_of
from lrla._core.numbers import whole
from lrla._core.operators import Operator, as_operator
from lrla._core.random import seed_of
from lrla.regression._input import Question, ridge_column, right_sides
from lrla.regression._problem import Problem
from lrla.regression._sketch_and_solve import SketchedLstsqResult, answer, solve_rows
from lrla.sketch import make

_ROWS = 1 << 62  # rows that a stream may have: sketches are descriptions, so this costs nothing
_FAMILIES = ("sparse_sign", "sparse_uniform", "gaussian", "rademacher", "countsketch")


class StreamingLstsq:
    """Sketch rows as they come, solve at any time.

    The sketch of a row depends on its number, not on when it comes: any order and any split of the
    rows over blocks, streams and machines gives the same sketch up to rounding.

    Parameters
    ----------
    n : int
        Number of columns.
    d : int, optional
        Rows of the sketch, at least n + 2; the default is 5 n, which makes the root mean square of
        ``norm(A @ (x - x_exact))`` half of the norm of the residual.
    family : {"sparse_sign", "sparse_uniform", "gaussian", "rademacher", "countsketch"}, optional
        Family of the sketch; one whose columns can be computed alone.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from. Streams that shall be merged need the same seed.

    Attributes
    ----------
    n_rows : int
        Number of rows seen.
    sketch : SketchOperator
        The sketch, of shape (d, 2**62).
    squares : float or array of shape (p,)
        ``norm(b)**2`` over the rows seen.

    Raises
    ------
    ValueError
        If n or d is no integer or out of range, or the family is none of these.

    See Also
    --------
    sketch_and_solve : the same for data at hand.

    Notes
    -----
    NaN and infinity are refused. State: the sketch S A of d rows, S b, and the ranges of rows seen;
    it can be pickled. What is left after most rows were taken out has the rounding errors of all
    that was added: the numerical rank is decided relative to the largest S A that there was.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.regression import StreamingLstsq
    >>> rng = np.random.default_rng(7)
    >>> stream = StreamingLstsq(3, d=40, rng=7)
    >>> for _ in range(10):
    ...     A = rng.standard_normal((100, 3))
    ...     stream.partial_fit(A, A @ [1.0, 2.0, 3.0])
    >>> stream.solve().x.round(6)
    array([1., 2., 3.])
    """

    def __init__(
        self, n: int, d: int | None = None, *, family: str = "sparse_sign", rng: Any = None
    ) -> None:
        n = whole(n, "n")
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        d = max(5 * n, n + 2) if d is None else whole(d, "d")
        if d < n + 2:
            raise ValueError(f"d must be at least n + 2 = {n + 2}, got {d}")
        if family not in _FAMILIES:
            raise ValueError(f"family must be one of {', '.join(_FAMILIES)}, got {family!r}")
        self.n = n
        self.sketch = make(family, d, _ROWS, rng=seed_of(rng))
        self._ranges: list[tuple[int, int]] = []  # disjoint, sorted, merged where they touch
        self._forget()

    def _forget(self) -> None:
        self.squares: Any = 0.0
        self._SA: Array = None
        self._SB: Array = None
        self._largest: Array = None  # column norms of the largest SA so far
        self._vector = True

    @property
    def n_rows(self) -> int:
        """Number of rows seen."""
        return sum(b - a for a, b in self._ranges)

    def partial_fit(self, A: Any, b: Any, row_offset: int | None = None) -> None:
        """Add a block of rows.

        Parameters
        ----------
        A : array of shape (k, n) or sparse matrix
            The rows.
        b : array of shape (k,) or (k, p)
            Their right-hand sides.
        row_offset : int, optional
            Number of the first row; the default is the one after the largest seen.

        Raises
        ------
        ValueError
            If shapes do not fit, an entry is not finite, sums over- or underflow, or a row was seen
            before.
        TypeError
            If A and b are of another array library or device than the blocks before.
        """
        start = self._next() if row_offset is None else whole(row_offset, "row_offset")
        self._add(A, b, start, 1)

    def downdate(self, A: Any, b: Any, row_offset: int) -> None:
        """Take a block of rows out again, exactly as it was added.

        When no row is left the stream is as new.

        Parameters
        ----------
        A : array of shape (k, n) or sparse matrix
            The rows.
        b : array of shape (k,) or (k, p)
            Their right-hand sides.
        row_offset : int
            Number of the first row.

        Raises
        ------
        ValueError
            If shapes do not fit, or a row is not among those seen.
        """
        self._add(A, b, whole(row_offset, "row_offset"), -1)

    def merge(self, other: StreamingLstsq) -> None:
        """Add the rows that another stream has seen.

        Parameters
        ----------
        other : StreamingLstsq
            A stream with the same sketch, over other rows. It is not changed.

        Raises
        ------
        ValueError
            If the sketches differ or a row was seen by both.
        TypeError
            If it is no stream, or of another array library or device.
        """
        if not isinstance(other, StreamingLstsq):
            raise TypeError(f"other must be a StreamingLstsq, got {type(other).__name__}")
        if other.sketch != self.sketch:
            raise ValueError(
                "streams must have equal sketches to be merged; give them the same n, d, family "
                "and integer rng"
            )
        if other._SA is None:
            return
        ranges = list(self._ranges)
        for a, b in other._ranges:
            ranges = _with(ranges, a, b)
        if self._SA is not None:
            if tuple(other._SB.shape) != tuple(self._SB.shape):
                raise ValueError("streams must have the same number of right-hand sides")
            space_of(self._SA, other._SA)
        self._change(other._SA, other._SB, other.squares, other._vector, 1)
        self._largest = space_of(self._SA).xp.maximum(self._largest, other._largest)
        self._ranges = ranges

    def solve(self, *, ridge: Any = 0.0) -> SketchedLstsqResult:
        """Solve the sketched problem over the rows seen.

        Parameters
        ----------
        ridge : float or array of shape (n,), default 0
            Non-negative: add ``sum(ridge * abs(x)**2)``. Standard errors are then those of the
            ridge solution for fixed data, and approximate.

        Returns
        -------
        SketchedLstsqResult
            As from `sketch_and_solve`.

        Raises
        ------
        ValueError
            If there are no rows, the ridge is negative or of the wrong length, or the result is
            beyond the largest number of its dtype.
        """
        begin = time.perf_counter()
        if self._SA is None:
            raise ValueError("partial_fit must come before solve: there are no rows")
        op = as_operator(self._SA)
        B, parts, unit = right_sides(op, op.space, self._SB)
        problem = Problem(op, B, None, ridge_column(op, ridge))
        out = solve_rows(problem, self._SA, B, self.sketch.d, self._largest)
        asked = Question(problem, self._vector, parts, unit)
        seconds = time.perf_counter() - begin
        return answer(asked, out, None, self.sketch, self.sketch.seed, seconds)

    def _next(self) -> int:
        return self._ranges[-1][1] if self._ranges else 0

    def _add(self, A: Any, b: Any, start: int, sign: int) -> None:
        op, B, vector = self._block(A, b)
        stop = start + op.shape[0]
        if not 0 <= start <= stop <= _ROWS:
            raise ValueError(f"row_offset must be between 0 and 2**62, got {start}")
        if start == stop:
            return
        ranges = (_with if sign > 0 else _without)(self._ranges, start, stop)
        rows = slice(start, stop)
        SA, SB = self.sketch.apply(op.A, rows=rows), self.sketch.apply(B, rows=rows)
        xp = op.space.xp
        if not bool(xp.all(xp.isfinite(SA))):
            op.check_entries()
        with np.errstate(over="ignore"):
            squares = xp.sum(xp.astype(abs(B), xp.float64) ** 2, axis=0)
        self._change(SA, SB, float(squares[0]) if vector else squares, vector, sign)
        self._ranges = ranges
        if not ranges:
            self._forget()

    def _change(self, SA: Array, SB: Array, squares: Any, vector: bool, sign: int) -> None:
        """Add to the sums, or take out of them, unless they overflow."""
        first = self._SA is None
        xp = space_of(SA).xp
        with np.errstate(over="ignore", invalid="ignore"):
            SA = SA if first else self._SA + sign * SA
            SB = SB if first else self._SB + sign * SB
            squares = self.squares + sign * squares
        if not bool(xp.all(xp.isfinite(SA))):
            raise ValueError(
                "A must be of moderate size, for sums of its rows overflow; scale it down"
            )
        if not (
            np.isfinite(squares)
            if isinstance(squares, float)
            else bool(xp.all(xp.isfinite(squares)))
        ):
            raise ValueError("b must have squares whose sum is finite; scale it down")
        size = linalg.norm(SA, axis=0)
        self._largest = size if first else xp.maximum(self._largest, size)
        self._SA, self._SB, self.squares = SA, SB, squares
        self._vector = vector if first else self._vector

    def _block(self, A: Any, b: Any) -> tuple[Operator, Array, bool]:
        op = as_operator(A)
        if op.kind == "operator":
            raise TypeError("A must be an array or a sparse matrix, got a linear operator")
        b = as_array(b, "b", ndim=(1, 2))
        check_finite(b, "b")
        if op.shape[1] != self.n or b.shape[0] != op.shape[0]:
            raise ValueError(
                f"A must have {self.n} columns and b as many rows as A, got shapes {op.shape} and "
                f"{tuple(b.shape)}"
            )
        B = b[:, None] if b.ndim == 1 else b
        if self._SA is not None:
            if space_of(self._SA) != op.space:
                raise TypeError("A must be of the array library and device of the blocks before")
            if B.shape[1] != self._SB.shape[1]:
                raise ValueError(
                    f"b must have {self._SB.shape[1]} columns like before, got {B.shape[1]}"
                )
        xp = op.space.xp
        if not is_complex(B):
            with np.errstate(over="ignore"):  # seen when its squares are added
                B = xp.astype(B, op.dtype, copy=False)
        return op, B, b.ndim == 1


def _with(ranges: list[tuple[int, int]], start: int, stop: int) -> list[tuple[int, int]]:
    """Add a range of row numbers to disjoint sorted ranges."""
    i = bisect_left(ranges, (start, start))
    before, after = ranges[:i], ranges[i:]
    if (before and before[-1][1] > start) or (after and after[0][0] < stop):
        raise ValueError(f"rows {start}:{stop} overlap rows seen before; each counts once")
    if before and before[-1][1] == start:
        start = before.pop()[0]
    if after and after[0][0] == stop:
        stop = after.pop(0)[1]
    return [*before, (start, stop), *after]


def _without(ranges: list[tuple[int, int]], start: int, stop: int) -> list[tuple[int, int]]:
    """Remove a range of row numbers that one of the ranges contains."""
    for i, (a, b) in enumerate(ranges):
        if a <= start and stop <= b:
            kept = [r for r in ((a, start), (stop, b)) if r[0] < r[1]]
            return [*ranges[:i], *kept, *ranges[i + 1 :]]
    raise ValueError(f"rows {start}:{stop} are not all among those seen")
