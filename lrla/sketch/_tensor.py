"""Sketches with Kronecker structure: applied to products of factors without forming them."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from lrla._core.arrays import Array, Space, as_array, numpy_space, space_of
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.random import Domain
from lrla._core.threads import ranges
from lrla.kernels import philox, sparse_sign, srht
from lrla.sketch._base import SketchOperator, _count, _side_by_side, _times, draw_on


class _Structured(SketchOperator):
    """A sketch of vectors of length ``prod(dims)``, the first factor's index varying slowest."""

    __slots__ = ()

    def _set(self, d: int, dims: Any, rng: Any, **parameters: Any) -> None:
        try:
            sizes = tuple(_count(k, "dims") for k in dims)
        except TypeError:
            sizes = ()
        if len(sizes) < 2:
            raise ValueError(f"dims must be two or more positive integers, got {dims!r}")
        self._describe(d, math.prod(sizes), rng, dims=sizes, **parameters)

    def __repr__(self) -> str:
        return super().__repr__().replace(f"{self.m}, dims=", "", 1)

    def khatri_rao(self, factors: Sequence[Any]) -> Array:
        """Sketch the columns ``a_j (x) b_j (x) ...`` of a Khatri-Rao product.

        Parameters
        ----------
        factors : sequence of arrays of shape (dims[k], n) or (dims[k],)
            The factors, all with n columns.

        Returns
        -------
        array of shape (d, n) or (d,)
            ``S @ khatri_rao(factors)``, without forming the product.

        Raises
        ------
        ValueError
            If the factors do not fit ``dims`` or each other.
        """
        arrays, vector = self._factors(factors)
        if len({a.shape[1] for a in arrays}) > 1:
            raise ValueError(
                "factors must have the same number of columns, got "
                f"{[int(a.shape[1]) for a in arrays]}"
            )
        out = self._product(arrays, pairs=False)
        return out[:, 0] if vector else out

    def kronecker(self, factors: Sequence[Any]) -> Array:
        """Sketch all columns ``a_i (x) b_j (x) ...`` of a Kronecker product.

        Parameters
        ----------
        factors : sequence of arrays of shape (dims[k], n_k) or (dims[k],)
            The factors.

        Returns
        -------
        array of shape (d, prod(n_k)) or (d,)
            ``S @ kron(factors)``, without forming the product.

        Raises
        ------
        ValueError
            If the factors do not fit ``dims``.
        """
        arrays, vector = self._factors(factors)
        out = self._product(arrays, pairs=True)
        return out[:, 0] if vector else out

    def _factors(self, factors: Sequence[Any]) -> tuple[list[Array], bool]:
        arrays = [as_array(a, f"factors[{k}]", ndim=(1, 2)) for k, a in enumerate(factors)]
        sizes = tuple(int(a.shape[0]) for a in arrays)
        if sizes != self.dims:
            raise ValueError(f"factors must have {self.dims} rows, got {sizes}")
        space_of(*arrays)
        vector = all(a.ndim == 1 for a in arrays)
        return [a[:, None] if a.ndim == 1 else a for a in arrays], vector

    def _product(self, arrays: list[Array], *, pairs: bool) -> Array:
        """Multiply sketched factors row by row: like columns, or all pairs of columns."""
        xp = space_of(*arrays).xp
        out, *others = self._modes(arrays)
        for part in others:
            if pairs:
                columns = out.shape[1] * part.shape[1]
                out = xp.reshape(out[:, :, None] * part[:, None, :], (out.shape[0], columns))
            else:
                out = out * part
        return self._assemble(out, arrays)

    def _assemble(self, product: Array, arrays: list[Array]) -> Array:
        return product / math.sqrt(self.d)

    @abstractmethod
    def _modes(self, arrays: list[Array]) -> list[Array]:
        """Each factor sketched by its own mode."""


class _FactorRows(_Structured):
    """Structured sketches whose rows are Kronecker products of rows of small factor matrices."""

    __slots__ = ()
    _nested = True

    @abstractmethod
    def _factor(self, mode: int) -> np.ndarray:
        """Form the (d, dims[mode]) factor matrix."""

    def _block(self, start: int, stop: int) -> np.ndarray:
        index = np.unravel_index(np.arange(start, stop), self.dims)
        out = np.full((self.d, stop - start), 1 / math.sqrt(self.d))
        for mode, i in enumerate(index):
            out *= self._factor(mode)[:, i]
        return out

    def _modes(self, arrays: list[Array]) -> list[Array]:
        space = space_of(*arrays)

        def sketched(mode: int, following: int) -> Array:
            return _times(space.asarray(self._factor(mode)), arrays[mode])

        size = max(self.d * a.shape[0] * a.shape[1] for a in arrays)
        return _side_by_side(space, sketched, ranges(len(arrays), 1), size)

    def _flops(self, size: int, n: int) -> float:
        return 2.0 * self.d * size


class TensorSketch(_Structured):
    """CountSketch of a Kronecker product, by one CountSketch per mode and the FFT.

    Parameters
    ----------
    d : int
        Number of rows of S.
    dims : sequence of int
        Lengths of the factors; S has ``prod(dims)`` columns.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from; ``S.seed`` reproduces it.

    Notes
    -----
    The row of entry (i_1, ..., i_q) is the sum of the modes' targets modulo d, its sign the product
    of theirs. Embedding an n-dimensional subspace takes d >= (2 + 3**q) n**2 / (eps**2 delta)
    rows [1]_. Cost for one column of q factors: their stored entries plus q d log d.

    References
    ----------
    .. [1] H. Avron, H. L. Nguyen and D. P. Woodruff, "Subspace embeddings for the polynomial
       kernel", NIPS 2014, Lemma 1 and Theorem 1.
    .. [2] N. Pham and R. Pagh, "Fast and scalable polynomial kernels via explicit feature maps",
       KDD 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sketch import TensorSketch
    >>> S = TensorSketch(50, (20, 30), rng=7)
    >>> a, b = np.arange(20.0), np.ones(30)
    >>> bool(np.allclose(S.khatri_rao([a, b]), S @ np.kron(a, b)))
    True
    """

    __slots__ = ()
    family = "tensor_sketch"

    def __init__(self, d: int, dims: Sequence[int], *, rng: Any = None) -> None:
        self._set(d, dims, rng)

    def _mode_table(self, space: Space, mode: int) -> Array:
        home = draw_on(space)
        tag = self._tag(Domain.TENSOR, mode)
        drawn = sparse_sign.table(home, self.key, tag, 0, self.dims[mode], 1, self.d)
        return drawn if home == space else space.asarray(drawn)

    def _table(self, start: int, stop: int) -> np.ndarray:
        index = np.unravel_index(np.arange(start, stop), self.dims)
        rows = np.zeros(stop - start, dtype=np.int64)
        minus = np.zeros(stop - start, dtype=bool)
        for mode, i in enumerate(index):
            t = self._mode_table(numpy_space(), mode)[i, 0]
            rows += np.where(t < 0, ~t, t)
            minus ^= t < 0
        rows %= self.d
        return np.where(minus, ~rows, rows).astype(np.int32)[:, None]

    def _block(self, start: int, stop: int) -> Any:
        from scipy.sparse import csc_array

        t = self._table(start, stop)[:, 0]
        data, rows = np.where(t < 0, -1.0, 1.0), np.where(t < 0, ~t, t)
        return csc_array(
            (data, rows, np.arange(stop - start + 1)), shape=(self.d, stop - start)
        )  # fmt: skip

    def _apply_dense(self, A: Array, start: int) -> Array:
        table = space_of(A).asarray(self._table(start, start + A.shape[0]))
        return sparse_sign.apply(A, table, self.d)

    def _modes(self, arrays: list[Array]) -> list[Array]:
        space = space_of(*arrays)
        xp = space.xp
        sketched = [
            sparse_sign.apply(a, self._mode_table(space, k), self.d) for k, a in enumerate(arrays)
        ]
        if self._is_complex(arrays):
            dtype = xp.result_type(xp.complex64, *[a.dtype for a in arrays])
            return [xp.fft.fft(xp.astype(y, dtype), axis=0) for y in sketched]
        return [xp.fft.rfft(y, axis=0) for y in sketched]

    @staticmethod
    def _is_complex(arrays: list[Array]) -> bool:
        xp = space_of(*arrays).xp
        return any(xp.isdtype(a.dtype, "complex floating") for a in arrays)

    def _assemble(self, product: Array, arrays: list[Array]) -> Array:
        xp = space_of(product).xp
        if self._is_complex(arrays):
            return xp.fft.ifft(product, axis=0)
        # a real result has d // 2 + 1 independent coefficients: only those were computed
        return xp.fft.irfft(product, n=self.d, axis=0)

    def _flops(self, size: int, n: int) -> float:
        return float(size)


class TensorSRHT(_FactorRows):
    """Randomly signed Hadamard transforms of the modes, sampled together.

    Row r of S is ``d**-0.5`` times the Kronecker product of the rows i_(r,k) of H_k D_k, with random
    signs D_k, Hadamard matrices H_k of entries +-1 and indices drawn with replacement.

    Parameters
    ----------
    d : int
        Number of rows of S.
    dims : sequence of int
        Lengths of the factors; S has ``prod(dims)`` columns.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from; ``S.seed`` reproduces it.

    Notes
    -----
    Cost for one column of q factors: the sum of N_k log2(N_k), N_k the next power of two, plus d q.
    Like the SRHT without a permutation it is not meant for factors that live on few coordinates.

    References
    ----------
    .. [1] T. D. Ahle, M. Kapralov, J. B. T. Knudsen, R. Pagh, A. Velingker, D. P. Woodruff and A.
       Zandieh, "Oblivious sketching of high-degree polynomial kernels", SODA 2020.
    .. [2] Z. Song, M. Ye, J. Yin and L. Zhang, "A nearly-optimal bound for fast regression with
       l_inf guarantee", arXiv:2302.00248, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sketch import TensorSRHT
    >>> S = TensorSRHT(50, (20, 30), rng=7)
    >>> a, b = np.arange(20.0), np.ones(30)
    >>> bool(np.allclose(S.khatri_rao([a, b]), S @ np.kron(a, b)))
    True
    """

    __slots__ = ()
    family = "tensor_srht"

    def __init__(self, d: int, dims: Sequence[int], *, rng: Any = None) -> None:
        self._set(d, dims, rng)

    def _mode(self, mode: int) -> tuple[int, np.ndarray, np.ndarray]:
        """Length of the transform, signs of the factor's entries, and sampled outputs."""
        space, size = numpy_space(), self.dims[mode]
        N = 1 << (size - 1).bit_length()
        signs = philox.sign(space, self.key, self._tag(Domain.SRHT_SIGN, mode), 0, size, 1)[:, 0]
        rows = philox.integer(space, self.key, self._tag(Domain.TENSOR, mode), 0, self.d, 1, N)
        return N, signs, rows[:, 0]

    def _factor(self, mode: int) -> np.ndarray:
        _, signs, rows = self._mode(mode)
        odd = np.bitwise_count(rows[:, None] & np.arange(signs.shape[0])) & 1
        return np.where(odd, -1.0, 1.0) * signs

    def _modes(self, arrays: list[Array]) -> list[Array]:
        space, out = space_of(*arrays), []
        for mode, A in enumerate(arrays):
            N, signs, rows = self._mode(mode)
            slots = np.arange(signs.shape[0], dtype=np.int64)
            out.append(
                srht.apply(A, space.asarray(slots), space.asarray(signs), N, space.asarray(rows))
            )
        return out


class KhatriRao(_FactorRows):
    """Rows that are Kronecker products of random base rows.

    Parameters
    ----------
    d : int
        Number of rows of S.
    dims : sequence of int
        Lengths of the factors; S has ``prod(dims)`` columns.
    base : {"spherical", "rademacher", "gaussian"}, default "spherical"
        Distribution of the base rows, all with mean zero and covariance I: uniform on the sphere
        of radius sqrt(dims[k]), signs, or normals.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from; ``S.seed`` reproduces it.

    Notes
    -----
    The number of rows that embeds a subspace grows exponentially with the number of factors [1]_;
    more than 6 factors warn. Cost for one column of factors: 2 d sum(dims).

    References
    ----------
    .. [1] C. Camano, E. N. Epperly, R. A. Meyer and J. A. Tropp, "Faster linear algebra algorithms
       with structured random matrices", arXiv:2508.21189, 2025.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sketch import KhatriRao
    >>> S = KhatriRao(50, (20, 30), rng=7)
    >>> a, b = np.arange(20.0), np.ones(30)
    >>> bool(np.allclose(S.khatri_rao([a, b]), S @ np.kron(a, b)))
    True
    """

    __slots__ = ()
    family = "khatri_rao"

    def __init__(
        self, d: int, dims: Sequence[int], *, base: str = "spherical", rng: Any = None
    ) -> None:
        if base not in ("spherical", "rademacher", "gaussian"):
            raise ValueError(
                f"base must be 'spherical', 'rademacher' or 'gaussian', got {base!r}"
            )  # fmt: skip
        self._set(d, dims, rng, base=base)
        if len(self.dims) > 6:
            warn(
                f"a Khatri-Rao sketch of {len(self.dims)} factors needs a number of rows that is "
                "exponential in them; use TensorSRHT or TensorSketch",
                AccuracyWarning,
            )

    def _factor(self, mode: int) -> np.ndarray:
        # positions are rows of S, so an operator with more rows has the rows of one with fewer
        draw = philox.sign if self.base == "rademacher" else philox.normal
        tag = self._tag(Domain.KHATRI_RAO, mode)
        F = draw(numpy_space(), self.key, tag, 0, self.d, self.dims[mode]).astype(np.float64)
        if self.base == "spherical":
            F *= math.sqrt(self.dims[mode]) / np.linalg.norm(F, axis=1, keepdims=True)
        return F
