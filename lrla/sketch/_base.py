"""What every sketch is: a description that can be applied, cut, transposed, stored and grown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np

from lrla._core.arrays import (
    Array,
    Space,
    as_array,
    check_finite,
    is_complex,
    numpy_space,
    real_dtype,
    space_of,
)
from lrla._core.dispatch import library
from lrla._core.operators import Operator, as_operator, is_sparse
from lrla._core.random import Domain, Key, key_of, seed_of, tag
from lrla._core.threads import ranges, run, serial_blas, thread_count
from lrla.blocks import RowBlocks, as_blocks

# columns of S that a fallback forms at a time; a multiple of every family's own granularity
_BLOCK = 4096
_ROWS = 1 << 16  # rows of dense data that are weighted at a time: bounds the copy
_RESERVED = 1 << 12  # streams kept for the extensions of one operator


class Cost(NamedTuple):
    """Predicted work of one application."""

    flops: float
    bytes: float


class SketchOperator(ABC):
    """A random matrix S of shape (d, m) with E[S^T S] = I, known by its description alone.

    It holds no entries: every entry is a function of the seed and its place, so the same
    description gives the same matrix on every array library, device, thread count and cut.
    Instances are immutable, compare by description, pickle in a few hundred bytes, and survive
    JSON through `to_dict` and `from_dict`.

    ``S @ A`` sketches the columns of A, ``A @ S.T`` its rows, ``S.T @ Y`` applies the adjoint,
    ``S[:, a:b]`` gives explicit columns.
    """

    __slots__ = ("_parameters", "d", "m", "seed", "stream")
    __array_ufunc__ = None  # let NumPy hand `A @ S.T` over to us
    family: ClassVar[str]
    _nested: ClassVar[bool] = False  # more rows: the same first rows, up to the scale
    d: int
    m: int
    seed: int
    stream: int
    _parameters: tuple[tuple[str, Any], ...]

    def _describe(self, d: Any, m: Any, rng: Any, **parameters: Any) -> None:
        d, m = _count(d, "d"), _count(m, "m")
        values = {"d": d, "m": m, "seed": seed_of(rng), "stream": 0}
        for name, value in values.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_parameters", tuple(parameters.items()))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot set {name!r}")

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            for key, value in self._parameters:
                if key == name:
                    return value
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # -- identity ---------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns (d, m)."""
        return self.d, self.m

    @property
    def key(self) -> Key:
        """The 64-bit Philox key that the seed stands for."""
        return key_of(self.seed)

    def _name(self) -> str:
        """How messages call the operator."""
        return f"{type(self).__name__}(d={self.d}, m={self.m})"

    def _tag(self, domain: Domain, part: int = 0) -> int:
        return tag(domain, self.stream + part * _RESERVED)

    def to_dict(self) -> dict[str, Any]:
        """Describe the operator by values that JSON can hold; see `from_dict`."""
        parameters = {
            k: list(v) if isinstance(v, tuple) else v for k, v in self._parameters
        }  # fmt: skip
        return {
            "family": self.family,
            "d": self.d,
            "m": self.m,
            "seed": self.seed,
            "stream": self.stream,
            **parameters,
        }

    def _identity(self) -> tuple[Any, ...]:
        return self.family, self.d, self.m, self.seed, self.stream, self._parameters

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SketchOperator) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __reduce__(self) -> Any:
        from lrla.sketch._make import from_dict

        return from_dict, (self.to_dict(),)

    def __repr__(self) -> str:
        extra = "".join(f", {k}={v!r}" for k, v in self._parameters if not _long(v))
        stream = f", stream={self.stream}" if self.stream else ""
        return f"{type(self).__name__}({self.d}, {self.m}{extra}, rng={self.seed}{stream})"

    def _sibling(self, d: int, stream: int) -> SketchOperator:
        """Return an operator of the same family and seed on another stream: independent rows."""
        from lrla.sketch._make import from_dict

        return from_dict({**self.to_dict(), "d": d, "stream": stream})

    # -- products ---------------------------------------------------------------------------

    def __matmul__(self, A: Any) -> Array:
        return self.apply(A)

    @property
    def T(self) -> Adjoint:
        """The transpose, for ``S.T @ Y`` and ``A @ S.T``.

        Left operands that do not let the right one answer, such as SciPy's LinearOperator and the
        arrays of array-api-strict, need ``(S @ A.T).T`` instead of ``A @ S.T``.
        """
        return Adjoint(self)

    def apply(self, A: Any, *, rows: slice | None = None, weights: Array | None = None) -> Array:
        """Compute S @ A, or the contribution ``S[:, rows] @ A`` of some rows.

        Parameters
        ----------
        A : array of shape (m, n) or (m,), sparse matrix, LinearOperator or dask array
            The data; only the rows ``rows`` of it if these are given.
        rows : slice, optional
            Which rows of the whole data A holds: contributions of disjoint slices that cover all
            rows add up to S @ (whole data).
        weights : array of shape (m,), optional
            Real and not negative, one for each row of A: sketches sqrt(W) A, without a copy of
            more than some rows of A if it is dense. Not for vectors.

        Returns
        -------
        array of shape (d, n) or (d,)
            In the array library, on the device and in the dtype of A (float64 for integers).

        Raises
        ------
        ValueError
            If A does not have m rows, or as many rows as the slice; if weights are negative, not
            finite, or not one for each row.
        TypeError
            If A is not an array, sparse matrix or linear operator of numbers.
        """
        start, stop = _bounds(rows, self.m)
        vector = len(getattr(A, "shape", ())) == 1 and not is_sparse(A)
        A = as_blocks(A[:, None] if vector and type(A).__module__.startswith("dask") else A)
        chunked = isinstance(A, RowBlocks)
        dense = not (chunked or is_sparse(A) or hasattr(A, "rmatmat"))
        if dense:
            A = as_array(A, "A", ndim=(1, 2))
        if A.shape[0] != stop - start:
            place = "" if rows is None else f" as rows {start}:{stop}"
            raise ValueError(
                f"cannot apply {self._name()} to A of shape {tuple(A.shape)}{place}: "
                f"A needs {stop - start} rows"
            )
        root = None if weights is None else _roots(weights, A, stop - start)
        if chunked:
            out = self._apply_blocks(A, start, root)
            return out[:, 0] if vector else out
        vector = dense and A.ndim == 1
        op = as_operator(A[:, None] if vector else A)
        if root is not None and op.kind != "dense":
            op = op.scaled_rows(root)
        if op.kind == "dense":
            out = (
                self._apply_dense(op.A, start) if root is None else self._weighted(op, root, start)
            )
        elif op.kind == "sparse":
            out = self._apply_sparse(op, start)
        else:
            out = self._apply_operator(op, start)
        return out[:, 0] if vector else out

    def block(self, start: int, stop: int) -> Any:
        """Form the columns ``start:stop`` of S.

        Returns
        -------
        ndarray or scipy.sparse.csc_array of shape (d, stop - start)
            float64; sparse for the families whose columns are.
        """
        if not 0 <= start <= stop <= self.m:
            raise ValueError(
                f"columns must satisfy 0 <= start <= stop <= {self.m}, got {start}:{stop}"
            )
        return self._block(start, stop)

    def __getitem__(self, index: Any) -> Any:
        if not (isinstance(index, tuple) and len(index) == 2):
            raise TypeError("index a sketch by two slices, as in S[:, a:b]")
        rows, columns = index
        if not (isinstance(rows, slice) and isinstance(columns, slice)):
            raise TypeError("index a sketch by two slices, as in S[:, a:b]")
        start, stop, step = columns.indices(self.m)
        if step != 1:
            raise ValueError(f"columns of a sketch are cut with step 1, got {step}")
        block = self._block(start, max(start, stop))
        return block if rows == slice(None) else block[rows]

    def toarray(self) -> np.ndarray:
        """Form S as a dense float64 NumPy array of shape (d, m)."""
        block = self._block(0, self.m)
        return block.toarray() if is_sparse(block) else np.asarray(block)

    def as_linear_operator(self) -> Any:
        """Wrap S as a `scipy.sparse.linalg.LinearOperator`."""
        from scipy.sparse.linalg import LinearOperator

        return LinearOperator(
            self.shape,
            matvec=self.apply,
            rmatvec=self.T.apply,
            matmat=self.apply,
            rmatmat=self.T.apply,
            dtype=np.float64,
        )

    def extend(self, d: int) -> SketchOperator:
        """Return an operator with ``d`` further, independent rows.

        Its first rows are those of this operator times ``sqrt(S.d / (S.d + d))``, so what was
        sketched already can be used again.

        Parameters
        ----------
        d : int
            Number of rows to add.
        """
        rows = _count(d, "d")
        if self._nested:
            return self._sibling(self.d + rows, self.stream)
        from lrla.sketch._stack import Stack

        return Stack.of(self, self._sibling(rows, self.stream + 1))

    def cost(self, A: Any) -> Cost:
        """Predict floating-point operations and bytes moved by ``S @ A``."""
        n = 1 if len(A.shape) == 1 else int(A.shape[1])
        size = A.nnz if is_sparse(A) else self.m * n
        itemsize = A.dtype.itemsize if hasattr(A.dtype, "itemsize") else 8
        return Cost(self._flops(size, n), itemsize * (size + self.d * n))

    # -- what a family provides -------------------------------------------------------------

    @abstractmethod
    def _block(self, start: int, stop: int) -> Any:
        """Columns start:stop in float64, dense NumPy or CSC."""

    @abstractmethod
    def _flops(self, size: int, n: int) -> float:
        """Operations to sketch n columns with ``size`` stored entries."""

    def _apply_dense(self, A: Array, start: int) -> Array:
        """S[:, start:start+k] @ A by explicit blocks: right for every family and library."""
        return self._by_blocks(A, start, self._on, _BLOCK)

    def _adjoint_dense(self, Y: Array) -> Array:
        return self._adjoint_by_blocks(Y, lambda *part: self._on(*part).T, _BLOCK)

    def _by_blocks(
        self, A: Array, start: int, block: Callable[[Space, int, int], Any], step: int
    ) -> Array:
        """S[:, start:start+k] @ A from columns ``block(space, first, last)`` of S, step at a time.

        Threads make and multiply blocks side by side, each with a BLAS of one thread; the sum is in
        the order of the blocks. So the number of threads does not change any bit.
        """
        space = space_of(A)
        out = space.zeros((self.d, A.shape[1]), A.dtype)

        def term(a: int, b: int) -> Array:
            return _times(block(space, start + a, start + b), A[a:b, :])

        parts = ranges(A.shape[0], step)
        with serial_blas():
            for i, j in ranges(len(parts), thread_count()):  # as many in memory as are being made
                products = _side_by_side(space, term, parts[i:j], self.d * A.shape[1])
                while products:  # none is kept: their memory is wanted for the next
                    out += products.pop(0)
        return out

    def _adjoint_by_blocks(
        self, Y: Array, block: Callable[[Space, int, int], Any], step: int
    ) -> Array:
        """S.T @ Y from rows ``block(space, first, last)`` of S.T, step at a time."""
        space = space_of(Y)
        parts = _side_by_side(
            space, lambda a, b: _times(block(space, a, b), Y), ranges(self.m, step),
            self.d * Y.shape[1],
        )  # fmt: skip
        return space.xp.concat(parts, axis=0)

    def _on(self, space: Space, start: int, stop: int) -> Any:
        """Explicit columns in the space; sparse only where the space's library has that."""
        block = self._block(start, stop)
        if not is_sparse(block):
            return space.asarray(block)
        if space.is_numpy:
            return block
        if library(space) == "cupy":
            import cupyx.scipy.sparse

            return cupyx.scipy.sparse.csc_matrix(block)
        return space.asarray(block.toarray())

    def _apply_sparse(self, op: Operator, start: int) -> Array:
        """S[:, start:start+k] @ A by explicit blocks of S, for each block of rows of A."""
        A = op.A.tocsr()
        out = op.space.zeros((self.d, A.shape[1]), op.dtype)
        for a, b in ranges(A.shape[0], _BLOCK):
            product = self._on(op.space, start + a, start + b) @ A[a:b]
            out = out + (product.toarray() if is_sparse(product) else product)
        return op.space.xp.astype(out, op.dtype, copy=False)

    def _apply_operator(self, op: Operator, start: int) -> Array:
        """Use products with A or with its adjoint, whichever are fewer, some columns at a time."""
        space, (k, n) = op.space, op.shape
        parts = []
        width = max(1, min(64, (1 << 22) // self.m))  # columns of length m at a time: 32 MiB
        if n <= self.d:  # S A = S (A I)
            for a, b in ranges(n, width):
                unit = space.asarray(np.eye(n, b - a, -a), op.dtype)
                parts.append(self._apply_dense(op.matmat(unit), start))
            return space.xp.concat(parts, axis=1) if n else space.zeros((self.d, 0), op.dtype)
        for a, b in ranges(self.d, width):  # S A = (A^H S^T)^H
            unit = space.asarray(np.eye(self.d, b - a, -a), op.real_dtype)
            Y = self.T.apply(unit)[start : start + k, :]
            parts.append(_conj(op.rmatmat(space.xp.astype(Y, op.dtype))).T)
        return space.xp.concat(parts, axis=0)

    def _apply_blocks(self, A: RowBlocks, start: int, root: Array | None) -> Array:
        """Sketch each block of rows where it is, and add up."""

        def contribution(block: Array, a: int, b: int) -> tuple[Array]:
            block = block if root is None else root[a:b, None] * block
            return (self.apply(block, rows=slice(start + a, start + b)),)

        (out,) = A.sum(contribution)
        return out

    def _weighted(self, op: Operator, root: Array, start: int) -> Array:
        """S[:, start:start+k] @ (root A), some rows at a time."""
        out = op.space.zeros((self.d, op.shape[1]), op.dtype)
        for a, b in ranges(op.shape[0], _ROWS):
            out = out + self._apply_dense(root[a:b, None] * op.A[a:b, :], start + a)
        return out


class Adjoint:
    """The transpose of a sketch: ``S.T @ Y`` and ``A @ S.T``."""

    __slots__ = ("T",)
    __array_ufunc__ = None
    T: SketchOperator

    def __init__(self, S: SketchOperator) -> None:
        self.T = S

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns (m, d)."""
        return self.T.m, self.T.d

    def __repr__(self) -> str:
        return f"{self.T!r}.T"

    def apply(self, Y: Any) -> Array:
        """Compute S.T @ Y for a dense Y of shape (d, n) or (d,)."""
        Y = as_array(Y, "Y", ndim=(1, 2))
        if Y.shape[0] != self.T.d:
            raise ValueError(
                f"cannot apply the adjoint of {self.T._name()} to Y of shape {tuple(Y.shape)}: "
                f"Y needs {self.T.d} rows"
            )
        out = self.T._adjoint_dense(Y[:, None] if Y.ndim == 1 else Y)
        return out[:, 0] if Y.ndim == 1 else out

    def __matmul__(self, Y: Any) -> Array:
        return self.apply(Y)

    def __rmatmul__(self, A: Any) -> Array:
        """Compute A @ S.T as (S @ A.T).T, for A of shape (n, m) or (m,)."""
        if isinstance(A, list | tuple):
            A = np.asarray(A)
        if A.shape[-1] != self.T.m:
            raise ValueError(
                f"cannot multiply A of shape {tuple(A.shape)} with the transpose of "
                f"{self.T._name()}: A needs {self.T.m} columns"
            )
        return self.T.apply(A) if len(A.shape) == 1 else self.T.apply(A.T).T


def _side_by_side(
    space: Space, function: Callable[..., Array], parts: list[tuple[Any, ...]], size: float
) -> list[Array]:
    """Call a function that multiplies for every part, in threads where this library has any.

    ``size`` is the number of multiplications for each step of a range in ``parts``.
    """
    if not space.is_numpy:
        return [function(*part) for part in parts]
    work = 1e-10 * size * sum(b - a for a, b in parts)
    with serial_blas():
        return run(function, parts, work=work)


def _times(S: Any, A: Array) -> Array:
    """Multiply a real S with A in A's own precision, without making S complex."""
    if is_sparse(S):
        return (S.astype(np.float32) if str(A.dtype) in ("float32", "complex64") else S) @ A
    xp = space_of(A).xp
    real = real_dtype(xp, A.dtype)
    S = xp.astype(S, real, copy=False)
    if A.dtype == real:
        return S @ A
    return S @ xp.real(A) + xp.astype(S @ xp.imag(A), A.dtype) * 1j


def _conj(x: Array) -> Array:
    xp = space_of(x).xp
    return xp.conj(x) if xp.isdtype(x.dtype, "complex floating") else x


def _long(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) > 8


def _roots(weights: Any, A: Any, m: int) -> Array:
    """Check weights and return their square roots in the real dtype of A."""
    weights = as_array(weights, "weights", ndim=(1,))
    xp = space_of(weights).xp
    if weights.shape[0] != m or is_complex(weights) or bool(xp.any(weights < 0)):
        raise ValueError(
            f"weights must be {m} real numbers, none negative, one for each row of A; got shape "
            f"{tuple(weights.shape)}, dtype {weights.dtype}"
        )
    check_finite(weights, "weights")
    root = xp.astype(xp.sqrt(weights), as_operator(A).real_dtype, copy=False)
    check_finite(root, f"square roots of weights in {root.dtype}")
    return root


def _count(value: Any, name: str) -> int:
    """Check a size."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if number != value or number < 1:
        raise ValueError(f"{name} must be a positive integer, got {value!r}")
    return number


def _bounds(rows: slice | None, m: int) -> tuple[int, int]:
    if rows is None:
        return 0, m
    if not isinstance(rows, slice):
        raise TypeError(f"rows must be a slice, got {type(rows).__name__}")
    start, stop, step = rows.indices(m)
    if step != 1 or stop < start or (rows.stop is not None and rows.stop > m):
        raise ValueError(
            f"rows must be a slice with step 1 inside 0:{m}, got "
            f"{rows.start}:{rows.stop}:{rows.step}"
        )
    return start, stop


def draw_on(space: Space) -> Space:
    """Where to draw random numbers for data in a space: on NumPy and CuPy there, else on the host.

    Other libraries do not promise IEEE square roots or unsigned arithmetic; they get the host's
    bits.
    """
    return space if library(space) in ("numpy", "cupy") else numpy_space()
