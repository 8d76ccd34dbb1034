"""One face for everything that can be multiplied with: arrays, sparse matrices, operators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lrla._core.arrays import (
    Array,
    Space,
    adjoint,
    as_array,
    as_floating,
    check_finite,
    native,
    not_finite,
    numpy_space,
    real_dtype,
    space_of,
)
from lrla._core.memory import check_room
from lrla._core.threads import ranges

Kind = Literal["dense", "sparse", "operator", "blocks"]
# columns multiplied with a linear operator at a time: bounds memory, keeps its products block-wise
_COLUMNS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """A matrix known by what it can do.

    Parameters
    ----------
    A : array, sparse matrix or linear operator
        The data as they were given, in CSR or CSC form if sparse.
    kind : {"dense", "sparse", "operator", "blocks"}
        Whether entries can be read, and how; "blocks" are those of `lrla.blocks`.
    space : Space
        Where its products live.
    dtype : dtype
        Floating dtype of its products.
    """

    A: Any
    kind: Kind
    space: Space
    dtype: Any

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        m, n = self.A.shape
        return int(m), int(n)

    @property
    def real_dtype(self) -> Any:
        """Dtype of norms."""
        return real_dtype(self.space.xp, self.dtype)

    def matmat(self, X: Array) -> Array:
        """Multiply with a matrix of columns."""
        if self.kind == "blocks":
            return self.space.xp.concat(self.A.map(lambda block, a, b: block @ X), axis=0)
        if self.kind == "operator":
            return as_floating(self.space.xp.asarray(self.A.matmat(X)))
        return self.A @ X

    def rmatmat(self, Y: Array) -> Array:
        """Multiply the conjugate transpose with a matrix of columns.

        Raises
        ------
        TypeError
            If a linear operator has no products with its adjoint.
        """
        if self.kind == "blocks":
            (out,) = self.A.sum(lambda block, a, b: (adjoint(block) @ Y[a:b, :],))
            return out
        if self.kind == "operator":
            return as_floating(self.space.xp.asarray(_adjoint_products(self.A, Y)))
        if self.kind == "sparse":
            return (self.A.conj() if self.A.dtype.kind == "c" else self.A).T @ Y
        return adjoint(self.A) @ Y

    def scaled_rows(self, factors: Array) -> Operator:
        """Multiply the rows by real numbers; of a sparse matrix only its data array is copied."""
        if self.kind == "sparse":
            A = self.A.tocsr(copy=True)
            A.data = A.data * factors.repeat(A.indptr[1:] - A.indptr[:-1])
        elif self.kind == "dense":
            A = factors[:, None] * self.A
        elif self.kind == "blocks":
            A = self.A.scaled(factors)
        else:
            A = _ScaledRows(self, factors[:, None])
        return Operator(A, self.kind, self.space, self.dtype)

    def csr(self) -> tuple[Array, Array, Array]:
        """Return data, indices and indptr of a sparse matrix in CSR form."""
        A = self.A.tocsr()
        return A.data, A.indices, A.indptr

    def check_entries(self, name: str = "A") -> None:
        """Refuse NaN and infinity among the entries, or in a product with an operator, saying where."""
        xp = self.space.xp
        if self.kind == "dense":
            check_finite(self.A, name)
            return
        if self.kind == "operator":
            product = self.matmat(
                xp.ones((self.shape[1], 1), dtype=self.dtype, device=self.space.device)
            )
            bad = ~xp.isfinite(product[:, 0])
            if bool(xp.any(bad)):
                row = int(xp.argmax(xp.astype(bad, xp.int8)))
                raise ValueError(
                    f"{name} must give finite products, got NaN or infinity in row {row} of its "
                    "product with a vector of ones"
                )
            return
        if self.kind == "blocks":
            self.A.map(lambda block, a, b: check_finite(block, name, start=a))
            return
        if bool(xp.all(xp.isfinite(self.A.data))):
            return
        entries = self.A.tocoo()
        first = int(xp.argmin(xp.isfinite(entries.data)))
        raise not_finite(name, (entries.row[first], entries.col[first]))

    def todense(self) -> Array:
        """Form the matrix; for operators by products with the columns of the identity.

        Raises
        ------
        MemoryError
            If there is no room for it.
        """
        if self.kind == "dense":
            return self.A
        check_room(
            self.space,
            self.shape,
            self.dtype,
            "the matrix, which is needed as a dense array here,",
            "choose a method that takes products or rows of it, or a sample of its rows",
        )
        if self.kind == "sparse":
            return self.A.toarray()
        if self.kind == "blocks":
            return self.space.xp.concat(self.A.map(lambda block, a, b: block), axis=0)
        n = self.shape[1]
        if n == 0:
            return self.space.zeros(self.shape, self.dtype)
        eye = self.space.eye(n, self.dtype)
        parts = [self.matmat(eye[:, i:j]) for i, j in ranges(n, _COLUMNS)]
        return self.space.xp.concat(parts, axis=1)


def _adjoint_products(A: Any, Y: Array) -> Any:
    """Multiply the adjoint of a linear operator; SciPy's without rmatvec fail in obscure ways."""
    try:
        return A.rmatmat(Y)
    except (TypeError, NotImplementedError) as error:
        try:
            A.rmatvec(Y[:, 0])
        except NotImplementedError:
            raise TypeError(
                "products with the adjoint of the linear operator are needed, and it has none; "
                "make it with rmatvec or rmatmat"
            ) from error
        raise


class _ScaledRows:
    """A linear operator whose rows are multiplied by numbers."""

    def __init__(self, op: Operator, factors: Array) -> None:
        self.op, self.factors = op, factors
        self.shape, self.dtype = op.shape, op.dtype

    def matmat(self, X: Array) -> Array:
        return self.factors * self.op.matmat(X)

    def rmatmat(self, Y: Array) -> Array:
        return self.op.rmatmat(self.factors * Y)


def is_sparse(A: Any) -> bool:
    """Recognise sparse matrices and arrays of SciPy and CuPy by what they can do."""
    return hasattr(A, "tocsr") and hasattr(A, "nnz")


def as_operator(A: Any, name: str = "A") -> Operator:
    """Look at a matrix argument once: what it is, where it lives, and that its dtype is floating.

    Raises
    ------
    TypeError
        For what is neither an array, nor sparse, nor has ``shape``, ``dtype``, ``matmat`` and
        ``rmatmat``.
    ValueError
        If it does not have two dimensions.
    """
    if is_sparse(A):
        return _sparse(A, name)
    if hasattr(A, "map") and hasattr(A, "bounds"):
        return Operator(A, "blocks", A.space, A.dtype)
    if hasattr(A, "matmat") and hasattr(A, "rmatmat"):
        return _linear_operator(A, name)
    if hasattr(A, "matmat"):
        raise TypeError(
            f"{name} must have the method rmatmat, for products with its adjoint, beside matmat; got "
            f"{type(A).__name__} without it"
        )
    A = as_array(A, name)
    return Operator(A, "dense", space_of(A), A.dtype)


def _sparse(A: Any, name: str) -> Operator:
    if A.ndim != 2:
        raise ValueError(f"{name} must have 2 dimensions, got shape {tuple(A.shape)}")
    if not A.dtype.isnative:
        A = A.astype(A.dtype.newbyteorder("="))
    if A.format not in ("csr", "csc"):
        A = A.tocsr()
    if not (A.indices.dtype.isnative and A.indptr.dtype.isnative):
        A = type(A)((A.data, native(A.indices), native(A.indptr)), shape=A.shape)
    kind = A.dtype.kind
    if kind in "biu" or A.dtype == np.float16:
        A = A.astype(np.float32 if kind == "f" else np.float64)
    elif kind not in "fc" or A.dtype.itemsize > (16 if kind == "c" else 8):
        raise TypeError(f"{name} must hold float32, float64, complex64 or complex128 numbers, "
                        f"got dtype {A.dtype}")  # fmt: skip
    return Operator(A, "sparse", space_of(A.data), A.dtype)


def _linear_operator(A: Any, name: str) -> Operator:
    if len(A.shape) != 2:
        raise ValueError(f"{name} must have 2 dimensions, got shape {tuple(A.shape)}")
    if type(A).__module__.startswith("cupyx"):
        import cupy

        space = space_of(cupy.empty(0))
    else:
        space = numpy_space()
    dtype = np.result_type(np.dtype(A.dtype if A.dtype is not None else np.float64), np.float32)
    return Operator(A, "operator", space, dtype)
