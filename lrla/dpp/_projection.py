"""Projection processes: samples of fixed size from the rows of a matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import (
    Array,
    adjoint,
    as_array,
    check_finite,
    space_of,
    to_host,
    unit_roundoff,
)
from lrla._core.operators import Operator, as_operator
from lrla._core.threads import ranges
from lrla.blocks import as_blocks
from lrla.dpp._draw import Streams, cumulative, pick, projection
from lrla.dpp._errors import NotOrthonormalError, RankError
from lrla.dpp._process import FixedSize
from lrla.kernels import philox
from lrla.kernels.row_squares import row_squares, row_squares_csr
from lrla.sketch import whiten

_BLOCK = 1 << 16  # entries that are squared at a time: they stay in cache
_UNITS = 16  # rows of a linear operator that are asked for at a time


class Rows:
    """Rows of A T with orthonormal columns: formed when asked for, never stored as a whole."""

    def __init__(self, op: Operator, T: Array | None) -> None:
        self.op, self.T, self.space = op, T, op.space
        self.n = op.shape[0]
        self.size = op.shape[1] if T is None else int(T.shape[1])
        self._sums: Array | None = None
        self._scores: Array | None = None

    @property
    def scores(self) -> Array:
        """Leverage scores, summing to ``size``."""
        if self._scores is None:
            self._scores = self._row_squares()
        return self._scores

    def defect(self) -> float:
        """How far dense columns are from orthonormal, by V^H V z for a random z and by the trace.

        One pass instead of the product V^H V; finds the leverage scores on the way.
        """
        V, xp, m = self.op.A, self.space.xp, self.size
        if m == 0:
            return 0.0
        z = xp.astype(philox.normal(self.space, (0, 0), 0, 0, m, 1), V.dtype)
        product, squares = -z, []
        for a, b in ranges(self.n, max(256, _BLOCK // m)):
            block = V[a:b, :]
            squares.append(xp.sum(xp.abs(block) ** 2, axis=1))
            product = product + adjoint(block) @ (block @ z)
        self._scores = xp.concat(squares)
        trace = abs(float(xp.sum(self._scores)) - m) / m
        return max(trace, linalg.norm(product) / m**0.5)

    def _row_squares(self) -> Array:
        op, T, xp = self.op, self.T, self.space.xp
        if T is None:
            return xp.sum(xp.abs(op.A) ** 2, axis=1)
        if op.kind == "blocks":
            return xp.concat(op.A.map(lambda block, a, b: row_squares(block, T)))
        if op.kind == "operator":
            return xp.sum(xp.abs(op.matmat(T)) ** 2, axis=1)
        return row_squares_csr(*op.csr(), T) if op.kind == "sparse" else row_squares(op.A, T)

    def propose(self, u: Array) -> tuple[Array, Array]:
        """Propose items by their leverage scores; see `lrla.dpp._draw.Proposals`."""
        if self._sums is None:
            self._sums = cumulative(self.scores)
        items = pick(self._sums, u, self.space)
        return items, self.take(items)

    def take(self, items: Array) -> Array:
        """Form some rows."""
        op, xp = self.op, self.space.xp
        if op.kind == "dense":
            rows = self.space.rows(op.A, items)
        elif op.kind == "sparse":
            rows = op.A.tocsr()[items]
        elif op.kind == "blocks":
            order, back = np.unique(to_host(items), return_inverse=True)
            rows = xp.take(op.A.array[order].compute(), self.space.asarray(back), axis=0)
            rows = xp.astype(rows, op.dtype, copy=False)
        else:
            rows = self._rows_of_operator(items)
        return rows if self.T is None else rows @ self.T

    def _rows_of_operator(self, items: Array) -> Array:
        xp, wanted = self.space.xp, to_host(items)
        parts = []
        for a, b in ranges(len(wanted), _UNITS):
            E = np.zeros((self.n, b - a))
            E[wanted[a:b], np.arange(b - a)] = 1
            parts.append(adjoint(self.op.rmatmat(self.space.asarray(E, self.op.dtype))))
        return xp.concat(parts, axis=0)


class ProjectionDPP(FixedSize):
    """Determinantal point process whose kernel is a projection: samples of one fixed size.

    A set S of m of the n items has probability ``abs(det(V[S])) ** 2``, where the columns of V are
    orthonormal. Each item is in the sample with the probability of its leverage score.

    Parameters
    ----------
    V : array of shape (n, m)
        Orthonormal columns. The law depends on their span alone.

    Attributes
    ----------
    n : int
        Number of items.
    size : int
        Number of items in a sample.
    labels : numpy.ndarray of int64 or None
        What samples call the items, where they are not ``0 .. n - 1``: after `condition`.

    Raises
    ------
    NotOrthonormalError
        If the columns of V are not orthonormal to within the root of the unit roundoff.
    ValueError
        If V is not finite, or has more columns than rows.
    TypeError
        If V is not an array of numbers; for sparse matrices and operators see `from_factor`.

    Notes
    -----
    Exact. Setting up takes O(n m); a draw m (1 + 1/2 + ... + 1/m) proposals on average, O(m**3 log
    m) flops, whatever n (Barthelme, Tremblay and Amblard [1]_; in blocks, so that the work is
    matrix products). ``sample(rng=seed)`` is a function of V and the seed; the law, not the sample
    under one seed, is the same for another basis of the same span.

    References
    ----------
    .. [1] S. Barthelme, N. Tremblay, P.-O. Amblard, "A faster sampler for discrete determinantal
       point processes", AISTATS 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.dpp import ProjectionDPP
    >>> V = np.linalg.qr(np.random.default_rng(7).standard_normal((1000, 5)))[0]
    >>> dpp = ProjectionDPP(V)
    >>> dpp.sample(rng=7).shape, len(dpp.sample(3, rng=7))
    ((5,), 3)
    >>> bool(np.isclose(dpp.marginals().sum(), 5))
    True
    """

    def __init__(self, V: Any) -> None:
        V = as_array(V, "V")
        _refuse_empty(V)
        space = space_of(V)
        xp, (n, m) = space.xp, V.shape
        if m > n:
            raise ValueError(f"V must have at most as many columns as rows, got shape {(n, m)}")
        self._rows = Rows(as_operator(V), None)
        wrong = self._rows.defect()
        if not np.isfinite(wrong):
            check_finite(V, "V")
        if wrong > (2 * unit_roundoff(xp, abs(V[:1, :]).dtype)) ** 0.5:
            raise NotOrthonormalError(
                f"V must have orthonormal columns, got a defect of {wrong:.1e}; use "
                "ProjectionDPP.from_factor(V) for the process of their span"
            )
        self._describe(None)

    def _describe(self, labels: np.ndarray | None) -> None:
        self.n, self.size = self._rows.n, self._rows.size
        self.labels = labels

    @classmethod
    def from_factor(cls, A: Any, *, rank: int | str | None = None, rcond: float | None = None,
                    method: str = "auto", rng: Any = None) -> ProjectionDPP:  # fmt: skip
        """Make the process of the range of a matrix, without orthonormal columns being stored.

        Parameters
        ----------
        A : array of shape (n, m), sparse matrix, LinearOperator or dask array
            Its columns span the range. Linear operators are formed densely once.
        rank : "auto" or None
            With ``"auto"``, a rank below m gives the process of that size; None refuses it.
        rcond, method, rng
            As for `lrla.sketch.whiten`, which makes the columns orthonormal.

        Returns
        -------
        ProjectionDPP
            Of size m, or of the rank of A.

        Raises
        ------
        RankError
            If the columns of A are dependent and ``rank`` is not ``"auto"``.
        ValueError
            If A is empty or not finite.

        Warns
        -----
        RankDeficientWarning
            If the columns of A are dependent.

        Notes
        -----
        Cost: `lrla.sketch.whiten` and one more pass. Each draw reads O(m log m) rows of A.
        """
        op = as_operator(as_blocks(A))
        if rank not in (None, "auto"):
            raise ValueError(f"rank must be None or 'auto', got {rank!r}")
        data = op.todense() if op.kind == "operator" else A
        found = whiten(data, rcond=rcond, method=method, rng=rng)
        if found.rank < op.shape[1] and rank is None:
            raise RankError(
                f"A has rank {found.rank}, less than its {op.shape[1]} columns; remove those that "
                f"depend on others, or pass rank='auto' to ProjectionDPP.from_factor for samples of "
                f"{found.rank} items, a ridge to volume sampling"
            )
        return cls._of(Rows(op, found.T), None)

    @classmethod
    def _of(cls, rows: Rows, labels: np.ndarray | None) -> ProjectionDPP:
        out = object.__new__(cls)
        out._rows = rows
        out._describe(labels)
        return out

    def _draw(self, streams: Streams) -> Array:
        return self._named(projection(self._rows, streams)[0])

    def marginals(self) -> Array:
        """Probability of each item to be in the sample: its leverage score, in [0, 1]."""
        return self._rows.space.xp.clip(self._rows.scores, max=1.0)

    def log_prob(self, S: Any) -> float:
        """Logarithm of the probability of a set of items; minus infinity unless it has m."""
        S = self._positions(S)
        if len(S) != self.size:
            return -np.inf
        if self.size == 0:
            return 0.0
        F = self._rows.take(self._rows.space.asarray(S))
        s = linalg.svdvals(F)
        with np.errstate(divide="ignore"):
            return 2 * float(np.sum(np.log(to_host(s))))

    def _given(self, inside: np.ndarray, outside: np.ndarray) -> ProjectionDPP:
        space, xp = self._rows.space, self._rows.space.xp
        rest = np.setdiff1d(np.arange(self.n), np.concatenate([inside, outside]))
        F = self._rows.take(space.asarray(rest))
        u = 2 * unit_roundoff(xp, abs(F[:1, :]).dtype)
        if len(inside):
            # the rows of the others, in a basis of what is orthogonal to the rows of these
            G = self._rows.take(space.asarray(inside))
            _, s, Vh = xp.linalg.svd(G, full_matrices=True)
            if len(inside) > self.size or float(s[-1]) <= u**0.5:
                raise ValueError(
                    f"the items {self._relabel(inside).tolist()} are never in a sample together"
                )
            F = F @ adjoint(Vh)[:, len(inside) :]
        wanted = self.size - len(inside)
        labels = self._relabel(rest)
        if wanted == 0:
            return self._of(Rows(as_operator(F), None), labels)
        # what is left of the columns spans the range; its dimension is what is to be drawn
        s = linalg.svdvals(F) if len(rest) else space.zeros((0,), F.dtype)
        if s.shape[0] < wanted or float(s[wanted - 1]) <= u**0.5:
            raise ValueError("the conditioning event has probability 0")
        return self._of(Rows(as_operator(F), whiten(F, method="qr").T), labels)

    def __repr__(self) -> str:
        return f"ProjectionDPP(n={self.n}, size={self.size})"


def _refuse_empty(V: Array) -> None:
    if V.shape[0] == 0:
        raise ValueError(f"there must be at least one item, got shape {tuple(V.shape)}")
