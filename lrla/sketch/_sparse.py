"""Sparse families: a few nonzeros in each column of S."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from lrla._core.arrays import Array, Space, numpy_space, space_of
from lrla._core.operators import Operator
from lrla._core.random import Domain
from lrla._core.threads import ranges
from lrla.kernels import philox, sparse_sign, sparse_uniform
from lrla.sketch._base import SketchOperator, _count, draw_on

_UNIT = 1 << 31  # probabilities of very sparse sketches are multiples of 1/_UNIT
_TABLE = 1 << 24  # entries of the table of targets held at a time: 64 MiB


class SparseSign(SketchOperator):
    """A stack of CountSketches: ``nnz_per_col`` nonzeros +-1/sqrt(nnz_per_col) in each column.

    The d rows are cut into ``nnz_per_col`` blocks; each column has one nonzero in each block, at a
    random row and with a random sign (the SparseStack of [1]_). The default sketch of this
    library.

    Parameters
    ----------
    d : int
        Number of rows of S.
    m : int
        Number of columns of S: rows of the data.
    nnz_per_col : int, default 8
        Nonzeros in each column, at most d (and cut to it). With 8 of them and d at least 2n, the
        distortion measured on n-dimensional subspaces, coordinate subspaces included, is that of a
        Gaussian; with 4 it is larger, and with 1 the embedding can fail.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from; ``S.seed`` reproduces it.

    Notes
    -----
    In theory d of order n / eps**2 rows embed every n-dimensional subspace with distortion eps
    when each column has nearly 1 / eps nonzeros [2]_, and of order log n nonzeros suffice for the
    lower bound that least squares needs [1]_. Cost: ``nnz_per_col`` operations for each stored
    entry of A, one pass.

    References
    ----------
    .. [1] C. Camano, E. N. Epperly, R. A. Meyer and J. A. Tropp, "Faster linear algebra algorithms
       with structured random matrices", arXiv:2508.21189, 2025.
    .. [2] S. Chenakkod, M. Derezinski and X. Dong, "Optimal oblivious subspace embeddings with
       near-optimal sparsity", arXiv:2411.08773, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sketch import SparseSign
    >>> S = SparseSign(40, 1000, rng=7)
    >>> S[:, 3:5].nnz
    16
    """

    __slots__ = ()
    family = "sparse_sign"
    _layout: ClassVar[Any] = sparse_sign  # the kernels that know where entries may be
    _domain: ClassVar[Domain] = Domain.SPARSE_SIGN

    def __init__(self, d: int, m: int, *, nnz_per_col: int = 8, rng: Any = None) -> None:
        nnz = min(_count(nnz_per_col, "nnz_per_col"), _count(d, "d"))
        self._describe(d, m, rng, nnz_per_col=nnz)

    @property
    def _nnz(self) -> int:
        return self.nnz_per_col

    def _table(self, space: Space, start: int, stop: int) -> Array:
        """Rows and signs of the nonzeros of columns start:stop; see `lrla.kernels.sparse_sign`."""
        home = draw_on(space)
        drawn = self._layout.table(
            home, self.key, self._tag(self._domain), start, stop, self._nnz, self.d
        )
        return drawn if home == space else space.asarray(drawn)

    def _parts(self, rows: int) -> list[tuple[int, int]]:
        return ranges(rows, max(1, _TABLE // self._nnz))

    def _finish(self, out: Array) -> Array:
        if self._nnz > 1:
            out /= math.sqrt(self._nnz)  # in place, as the pages of another result cost more
        return out

    def _block(self, start: int, stop: int) -> Any:
        from scipy.sparse import csc_array

        table = self._table(numpy_space(), start, stop)
        signs = np.where(table < 0, -1.0, 1.0) / math.sqrt(self._nnz)
        rows = np.where(table < 0, ~table, table)
        order = np.argsort(rows, axis=1, kind="stable")
        indptr = np.arange(0, rows.size + 1, self._nnz)
        return csc_array(
            (
                np.take_along_axis(signs, order, 1).ravel(),
                np.take_along_axis(rows, order, 1).ravel(),
                indptr,
            ),
            shape=(self.d, stop - start),
        )

    def _apply_dense(self, A: Array, start: int) -> Array:
        space = space_of(A)
        out = None
        for a, b in self._parts(A.shape[0]):
            part = self._layout.apply(A[a:b, :], self._table(space, start + a, start + b), self.d)
            out = part if out is None else out + part
        return space.zeros((self.d, A.shape[1]), A.dtype) if out is None else self._finish(out)

    def _apply_sparse(self, op: Operator, start: int) -> Array:
        m, n = op.shape
        if op.A.format == "csc" and m * self._nnz <= _TABLE:
            table = self._table(op.space, start, start + m)
            return self._finish(
                sparse_sign.apply_csc(op.A.data, op.A.indices, op.A.indptr, table, self.d)
            )
        A = op.A.tocsr()
        out = op.space.zeros((self.d, n), op.dtype)
        for a, b in self._parts(m):
            part = A if b - a == m else A[a:b]
            table = self._table(op.space, start + a, start + b)
            out += self._layout.apply_csr(part.data, part.indices, part.indptr, table, self.d, n)
        return self._finish(out)

    def _adjoint_dense(self, Y: Array) -> Array:
        space = space_of(Y)
        parts = [sparse_sign.adjoint(Y, self._table(space, a, b)) for a, b in self._parts(self.m)]
        return self._finish(parts[0] if len(parts) == 1 else space.xp.concat(parts, axis=0))

    def _flops(self, size: int, n: int) -> float:
        return float(self._nnz * size)


class CountSketch(SparseSign):
    """One nonzero +-1 in each column: the cheapest sketch, and one that can fail.

    Parameters
    ----------
    d : int
        Number of rows of S.
    m : int
        Number of columns of S: rows of the data.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from; ``S.seed`` reproduces it.

    Notes
    -----
    To embed an n-dimensional subspace with distortion eps and probability 1 - delta it needs
    d >= (n**2 + n) / (eps**2 delta) rows [1]_: with d of order n, two columns of a design that
    lives on n rows collide and the sketch loses rank. `SparseSign` has no such failure at nearly
    the same cost. Cost: one operation for each stored entry of A.

    References
    ----------
    .. [1] J. Nelson and H. L. Nguyen, "OSNAP: faster numerical linear algebra algorithms via
       sparser subspace embeddings", FOCS 2013, Theorem 3.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sketch import CountSketch
    >>> S = CountSketch(40, 1000, rng=7)
    >>> S[:, :10].nnz
    10
    """

    __slots__ = ()
    family = "countsketch"

    def __init__(self, d: int, m: int, *, rng: Any = None) -> None:
        self._describe(d, m, rng)

    @property
    def _nnz(self) -> int:
        return 1


class SparseUniform(SparseSign):
    """``nnz_per_col`` nonzeros +-1/sqrt(nnz_per_col) in distinct rows of each column.

    The rows of a column are any of the d, every set of them as likely as any other (the OSNAP of
    [1]_ with independent draws; also called SASO). `SparseSign` has one in each block of rows.

    Parameters
    ----------
    d : int
        Number of rows of S.
    m : int
        Number of columns of S: rows of the data.
    nnz_per_col : int, default 8
        Nonzeros in each column, at most d (and cut to it).
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from; ``S.seed`` reproduces it.

    Notes
    -----
    It is here for comparison with the literature. On the subspaces that were tried it does what
    `SparseSign` does, whose blocks let threads share a product by rows of the result. Here they
    share dense data by columns, and products with CSR matrices keep to one thread; otherwise the
    cost is the same.

    References
    ----------
    .. [1] J. Nelson and H. L. Nguyen, "OSNAP: faster numerical linear algebra algorithms via
       sparser subspace embeddings", FOCS 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sketch import SparseUniform
    >>> S = SparseUniform(40, 1000, rng=7)
    >>> S[:, 3:5].nnz
    16
    """

    __slots__ = ()
    family = "sparse_uniform"
    _layout: ClassVar[Any] = sparse_uniform
    _domain: ClassVar[Domain] = Domain.SPARSE_UNIFORM


class VerySparse(SketchOperator):
    """Independent entries that are zero but with probability 1/s: for distances, not regression.

    Parameters
    ----------
    d : int
        Number of rows of S.
    m : int
        Number of columns of S: rows of the data.
    s : float, optional
        Between 1 and 2**31. Entries are +-sqrt(s/d), each with probability 1/(2s), else 0. The
        default sqrt(m) is that of [1]_; 3 is that of Achlioptas [2]_.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from; ``S.seed`` reproduces it.

    Notes
    -----
    It preserves distances between given points (Johnson-Lindenstrauss) when no coordinate
    dominates; on subspaces it promises nothing, because columns of S may be zero. The probability
    1/s is rounded to a multiple of 2**-31, and entries are scaled by what it became. Cost: d m / 4 random blocks, and d/s operations for each
    stored entry of A.

    References
    ----------
    .. [1] P. Li, T. J. Hastie and K. W. Church, "Very sparse random projections", KDD 2006.
    .. [2] D. Achlioptas, "Database-friendly random projections", J. Comput. Syst. Sci. 66, 2003.

    Examples
    --------
    >>> from lrla.sketch import VerySparse
    >>> VerySparse(40, 10_000, rng=7).s
    100.0
    """

    __slots__ = ()
    family = "very_sparse"
    _nested = True

    def __init__(self, d: int, m: int, *, s: float | None = None, rng: Any = None) -> None:
        s = math.sqrt(_count(m, "m")) if s is None else float(s)
        if not 1.0 <= s <= _UNIT:
            raise ValueError(f"s must be between 1 and 2**31, got {s}")
        self._describe(d, m, rng, s=s)

    def _block(self, start: int, stop: int) -> Any:
        from scipy.sparse import coo_array

        threshold = round(_UNIT / self.s)
        parts = []
        step = max(1, (1 << 22) // self.d)
        for a in range(start, max(stop, start + 1), step):  # once even if there is nothing
            b = min(a + step, stop)
            w = philox.words(
                numpy_space(), self.key, self._tag(Domain.VERY_SPARSE), a, b, 0, -(-self.d // 4)
            )[:, : self.d]
            columns, rows = np.nonzero((w >> 1) < threshold)
            signs = np.where(w[columns, rows] & 1, -1.0, 1.0)
            parts.append((signs, rows, columns + (a - start)))
        data, rows, columns = (np.concatenate(piece) for piece in zip(*parts, strict=True))
        # by the probability that was drawn with, so that E[S^T S] = I whatever it was rounded to
        values = data * math.sqrt(_UNIT / (threshold * self.d))
        return coo_array((values, (rows, columns)), shape=(self.d, stop - start)).tocsc()

    def _flops(self, size: int, n: int) -> float:
        return 2.0 * self.d / self.s * size
