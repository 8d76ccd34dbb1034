"""Subsampled trigonometric transforms: mix all rows by a fast transform, keep some."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import numpy as np

from lrla._core.arrays import Array, numpy_space, space_of
from lrla._core.operators import Operator
from lrla._core.random import Domain
from lrla._core.threads import ranges
from lrla.kernels import dct, philox, srht
from lrla.sketch._base import SketchOperator, _count

_ENTRIES = 1 << 22  # entries of sparse data made dense at a time, unless _COLUMNS need more
_COLUMNS = 32  # columns transformed at a time: bounds the workspace to 32 m numbers


class _Trigonometric(SketchOperator):
    """Common to SRHT and SRTT: signs, a permutation of the rows, and a sample of the outputs."""

    __slots__ = ()

    @abstractmethod
    def _size(self) -> int:
        """Length of the transform."""

    def _signs(self, start: int, stop: int) -> np.ndarray:
        tag = self._tag(Domain.SRHT_SIGN)
        signs: np.ndarray = philox.sign(numpy_space(), self.key, tag, start, stop, 1)[:, 0]
        return signs

    def _slots(self, start: int, stop: int) -> np.ndarray:
        """Where the rows start:stop of the data stand when the transform begins."""
        rows = np.arange(start, stop, dtype=np.int64)
        if not self.permute:
            return rows
        slots: np.ndarray = philox.permute(
            rows, self.key, self._tag(Domain.SRHT_PERMUTATION), self._size()
        )
        return slots

    def _sample(self) -> np.ndarray:
        """Choose the d outputs of the transform that are kept, without replacement."""
        sample: np.ndarray = philox.permute(
            np.arange(self.d, dtype=np.int64),
            self.key,
            self._tag(Domain.SRHT_PERMUTATION, 1),
            self._size(),
        )
        return sample

    def _apply_sparse(self, op: Operator, start: int) -> Array:
        """Transform a few columns made dense, unless they are so many that entries of S pay."""
        k, n = op.shape
        # an entry of S costs about ten additions of the transform
        if n == 0 or n * math.log2(max(self._size(), 2)) > 10 * self.d:
            return super()._apply_sparse(op, start)
        A, width = op.A.tocsc(), max(_COLUMNS, _ENTRIES // max(k, 1))
        parts = [self._apply_dense(A[:, i:j].toarray(), start) for i, j in ranges(n, width)]
        return op.space.xp.concat(parts, axis=1)

    def _check_size(self, d: int, size: int) -> None:
        if _count(d, "d") > size:
            raise ValueError(
                f"d must be at most {size}, the length of the transform, got {d}; with so many "
                "rows no sketch is needed"
            )


class SRHT(_Trigonometric):
    """Subsampled randomized Hadamard transform, safe on coordinate subspaces.

    S = sqrt(N/d) P H D Pi Z with zero padding Z to N = 2**ceil(log2 m) rows, a random permutation
    Pi, random signs D, the orthonormal Hadamard matrix H, and P keeping d of the N outputs without
    replacement.

    Parameters
    ----------
    d : int
        Number of rows of S, at most N.
    m : int
        Number of columns of S: rows of the data.
    permute : bool, default True
        Without the permutation this is the textbook SRHT, which is singular on some subspaces
        spanned by coordinates, as designs with dummy variables have: columns of H in an aligned
        block depend on the row index modulo the block length only.
    stream_block : int, optional
        A power of two: rows are permuted within blocks of that many only, so that any aligned block
        of rows can be sketched alone at the cost of its own transform. Part of the identity of S.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from; ``S.seed`` reproduces it.

    Notes
    -----
    With d >= 4 (sqrt(n) + sqrt(8 log(N n)))**2 log(n) rows all singular values on an n-dimensional
    subspace lie between 0.40 and 1.48 with probability 1 - O(1/n) [1]_; in practice d = 2n with
    the permutation does. Cost: about N log2(N) additions for each column, whatever d.

    References
    ----------
    .. [1] J. A. Tropp, "Improved analysis of the subsampled randomized Hadamard transform", Adv.
       Adapt. Data Anal. 3, 2011, Theorem 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sketch import SRHT
    >>> S = SRHT(128, 100, rng=7)  # all 128 outputs: an isometry
    >>> x = np.arange(100.0)
    >>> bool(np.isclose(np.linalg.norm(S @ x), np.linalg.norm(x)))
    True
    """

    __slots__ = ()
    family = "srht"

    def __init__(
        self,
        d: int,
        m: int,
        *,
        permute: bool = True,
        stream_block: int | None = None,
        rng: Any = None,
    ) -> None:
        size = 1 << (_count(m, "m") - 1).bit_length()
        self._check_size(d, size)
        if stream_block is not None:
            block = _count(stream_block, "stream_block")
            if block & (block - 1):
                raise ValueError(f"stream_block must be a power of two, got {block}")
            stream_block = min(block, size)
        self._describe(d, m, rng, permute=bool(permute), stream_block=stream_block)

    def _size(self) -> int:
        return 1 << (self.m - 1).bit_length()

    def _slots(self, start: int, stop: int) -> np.ndarray:
        if self.stream_block is None or not self.permute:
            return super()._slots(start, stop)
        B, (k0, k1) = self.stream_block, self.key
        parts = [np.empty(0, np.int64)]
        for a in range(start - start % B, stop, B):
            rows = np.arange(max(a, start), min(a + B, stop), dtype=np.int64) - a
            key = k0, (k1 + 0x9E3779B9 * (a // B)) % 2**32  # every block permutes by its own key
            tag = self._tag(Domain.SRHT_PERMUTATION)
            parts.append(a + philox.permute(rows, key, tag, B))
        return np.concatenate(parts)

    def _block(self, start: int, stop: int) -> np.ndarray:
        slots, signs = self._slots(start, stop), self._signs(start, stop)
        odd = np.bitwise_count(self._sample()[:, None] & slots) & 1
        return np.where(odd, -1.0, 1.0) * signs / math.sqrt(self.d)

    def _apply_dense(self, A: Array, start: int) -> Array:
        k, N = A.shape[0], self._size()
        if k == self.m or (self.stream_block is None and 2 * self.d * k > N * math.log2(N)):
            return self._transform(A, start, self._slots(start, start + k), N, self._sample())
        if self.stream_block is None:
            return super()._apply_dense(A, start)  # few rows: cheaper one by one
        return self._apply_stream(A, start)

    def _transform(
        self, A: Array, start: int, slots: np.ndarray, N: int, sample: np.ndarray
    ) -> Array:
        space = space_of(A)
        signs = self._signs(start, start + A.shape[0])
        out = srht.apply(A, space.asarray(slots), space.asarray(signs), N, space.asarray(sample))
        out /= math.sqrt(self.d)  # in place: it is ours
        return out

    def _apply_stream(self, A: Array, start: int) -> Array:
        """H_N[r, cB + j] = (-1)^popcount((r // B) & c) H_B[r mod B, j]: one small transform each."""
        space, B, sample = space_of(A), self.stream_block, self._sample()
        out = space.zeros((self.d, A.shape[1]), A.dtype)
        stop = start + A.shape[0]
        for a in range(start - start % B, stop, B):
            first, last = max(a, start), min(a + B, stop)
            part = self._transform(
                A[first - start : last - start, :], first, self._slots(first, last) - a, B,
                sample % B,
            )  # fmt: skip
            odd = np.bitwise_count((sample // B) & (a // B)) & 1
            sign = space.asarray(np.where(odd, -1.0, 1.0)[:, None])
            out = out + part * space.xp.astype(sign, A.dtype)
        return out

    def _adjoint_dense(self, Y: Array) -> Array:
        space = space_of(Y)
        slots, signs = self._slots(0, self.m), self._signs(0, self.m)
        out = srht.adjoint(
            Y, space.asarray(slots), space.asarray(signs), self._size(),
            space.asarray(self._sample()),
        )  # fmt: skip
        out /= math.sqrt(self.d)  # in place: it is ours
        return out

    def _flops(self, size: int, n: int) -> float:
        N = self._size()
        return float(N * math.log2(max(N, 2)) * n)


class SRTT(_Trigonometric):
    """Subsampled randomized cosine transform: the SRHT without padding.

    S = sqrt(m/d) P C D Pi with a random permutation Pi, random signs D, the orthonormal DCT-II
    matrix C of size m, and P keeping d outputs without replacement.

    Parameters
    ----------
    d : int
        Number of rows of S, at most m.
    m : int
        Number of columns of S: rows of the data.
    permute : bool, default True
        Without the permutation the embedding is poor on coordinate subspaces.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from; ``S.seed`` reproduces it.

    Notes
    -----
    Cost: of order m log m for each column, by the FFT of the array library.

    References
    ----------
    .. [1] H. Avron, P. Maymounkov and S. Toledo, "Blendenpik: supercharging LAPACK's least-squares
       solver", SIAM J. Sci. Comput. 32, 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sketch import SRTT
    >>> S = SRTT(100, 100, rng=7)
    >>> bool(np.allclose(S.toarray().T @ S.toarray(), np.eye(100)))
    True
    """

    __slots__ = ()
    family = "srtt"

    def __init__(self, d: int, m: int, *, permute: bool = True, rng: Any = None) -> None:
        self._check_size(d, _count(m, "m"))
        if m > 1 << 31:  # the angles of the cosines would overflow
            raise ValueError(f"m must be at most 2**31, got {m}; use SRHT")
        self._describe(d, m, rng, permute=bool(permute))

    def _size(self) -> int:
        return self.m

    def _block(self, start: int, stop: int) -> np.ndarray:
        r = self._sample()[:, None]
        angle = (2 * self._slots(start, stop) + 1) * r % (4 * self.m) * (np.pi / (2 * self.m))
        scale = np.where(r == 0, math.sqrt(1 / self.d), math.sqrt(2 / self.d))
        return scale * np.cos(angle) * self._signs(start, stop)

    def _apply_dense(self, A: Array, start: int) -> Array:
        k = A.shape[0]
        if k < self.m and self.d * k <= self.m * math.log2(self.m):
            return super()._apply_dense(A, start)
        space = space_of(A)
        xp = space.xp
        order = np.full(self.m, -1, dtype=np.int64)
        order[self._slots(start, start + k)] = np.arange(k)
        present = space.asarray((order >= 0)[:, None])
        source = space.asarray(np.maximum(order, 0))
        signs = xp.astype(space.asarray(self._signs(start, start + k))[:, None], A.dtype)
        sample = space.asarray(self._sample())
        parts = []
        for i, j in ranges(A.shape[1], _COLUMNS):
            X = xp.take(A[:, i:j] * signs, source, axis=0)
            X = X if k == self.m else xp.where(present, X, xp.zeros_like(X))
            parts.append(xp.take(dct.dct(X), sample, axis=0))
        out = xp.concat(parts, axis=1) if parts else space.zeros((self.d, 0), A.dtype)
        return out * math.sqrt(self.m / self.d)

    def _adjoint_dense(self, Y: Array) -> Array:
        space = space_of(Y)
        xp = space.xp
        order = np.full(self.m, -1, dtype=np.int64)
        order[self._sample()] = np.arange(self.d)
        kept, source = space.asarray((order >= 0)[:, None]), space.asarray(np.maximum(order, 0))
        slots = space.asarray(self._slots(0, self.m))
        signs = xp.astype(space.asarray(self._signs(0, self.m))[:, None], Y.dtype)
        parts = []
        for i, j in ranges(Y.shape[1], _COLUMNS):
            X = xp.take(Y[:, i:j], source, axis=0)
            X = dct.idct(xp.where(kept, X, xp.zeros_like(X)))
            parts.append(xp.take(X, slots, axis=0) * signs)
        out = xp.concat(parts, axis=1) if parts else space.zeros((self.m, 0), Y.dtype)
        return out * math.sqrt(self.m / self.d)

    def _flops(self, size: int, n: int) -> float:
        return 2.5 * self.m * math.log2(max(self.m, 2)) * n
