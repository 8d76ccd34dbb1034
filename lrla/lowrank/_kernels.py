"""Kernel matrices, of which entries are computed when somebody asks for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from lrla._core.arrays import Array, Space, as_array, check_finite, is_complex, space_of
from lrla._core.memory import check_room
from lrla._core.numbers import whole
from lrla._core.operators import as_operator, is_sparse
from lrla._core.threads import ranges
from lrla.kernels.distances import manhattan, squared_euclidean

KERNELS = ("rbf", "laplacian", "matern", "linear", "polynomial")
PANEL = 1 << 19  # entries computed at a time: 4 MiB, which stay in the cache until they are used
DIRECT = 16  # coordinates up to which differences take less time than the kernel's function


class KernelMatrix:
    """The matrix of a kernel function between all pairs of points, never formed as a whole.

    Parameters
    ----------
    X : array of shape (n, p)
        The points, one a row; real.
    kernel : {"rbf", "laplacian", "matern", "linear", "polynomial"} or callable, default "rbf"
        "rbf": ``exp(-gamma * norm(x - y)**2)``. "laplacian": ``exp(-gamma * norm(x - y, 1))``.
        "matern": with smoothness ``nu`` and ``length_scale``. "linear": ``x @ y``. "polynomial":
        ``(gamma * x @ y + coef0)**degree``. These and their parameters are those of scikit-learn.
        A callable gets two arrays of points and returns all their kernel values, an array with a
        row for each point of the first and a column for each of the second.
    gamma : float, optional
        As above; the default is 1 / p.
    length_scale : float, default 1.0
        Unit of distances for "matern".
    nu : {0.5, 1.5, 2.5, inf}, default 1.5
        Smoothness for "matern".
    degree : int, default 3
        For "polynomial".
    coef0 : float, default 1.0
        For "polynomial".

    Attributes
    ----------
    X : array of shape (n, p)
        The points.
    shape : tuple of int
        (n, n).
    dtype : dtype
        That of the points.

    Raises
    ------
    ValueError
        If a parameter is out of its range or X is not finite.
    TypeError
        If X is not a real array.

    Notes
    -----
    Squared distances are sums of squared differences up to 16 coordinates, which keeps the small
    ones accurate where points lie far out; with more coordinates they come from inner products, by
    BLAS, after the points were moved so that their mean is zero.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.lowrank import KernelMatrix
    >>> K = KernelMatrix(np.array([[0.0], [1.0], [2.0]]), "rbf", gamma=1.0)
    >>> K.block([0], [0, 1, 2]).round(3)
    array([[1.   , 0.368, 0.018]])
    """

    def __init__(
        self,
        X: Any,
        kernel: str | Callable[[Array, Array], Array] = "rbf",
        *,
        gamma: float | None = None,
        length_scale: float = 1.0,
        nu: float = 1.5,
        degree: int = 3,
        coef0: float = 1.0,
    ) -> None:
        X = as_array(X, "X")
        if is_complex(X):
            raise TypeError("X must be real, got complex points")
        check_finite(X, "X")
        gamma = 1.0 / max(X.shape[1], 1) if gamma is None else gamma
        _check(kernel, gamma, length_scale, nu, degree, coef0)
        self.X, self.kernel, self.space = X, kernel, space_of(X)
        self.gamma, self.length_scale, self.nu = float(gamma), float(length_scale), float(nu)
        self.degree, self.coef0 = degree, float(coef0)
        self.shape, self.dtype = (int(X.shape[0]), int(X.shape[0])), X.dtype
        xp = self.space.xp
        self._center = None
        if kernel in ("rbf", "matern"):
            self._center = (
                xp.mean(X, axis=0, keepdims=True)
                if X.shape[0]
                else self.space.zeros((1, X.shape[1]), X.dtype)
            )
        self._points = self._moved(X)

    def _moved(self, Y: Array) -> tuple[Array, Array | None]:
        """Return points as they are compared, with their squared norms where these are needed."""
        if self._center is None:
            return Y, None
        Y = (Y - self._center) / (self.length_scale if self.kernel == "matern" else 1.0)
        return Y, self.space.xp.sum(Y * Y, axis=1)

    def diagonal(self) -> Array:
        """Return the diagonal: an array of shape (n,)."""
        xp, X = self.space.xp, self.X
        if callable(self.kernel):
            step = 16  # a few more entries than needed, and far fewer calls
            parts = [xp.linalg.diagonal(self.kernel(X[a:b, :], X[a:b, :]))
                     for a, b in ranges(self.shape[0], step)]  # fmt: skip
            return xp.concat(parts) if parts else self.space.zeros((0,), X.dtype)
        if self.kernel in ("linear", "polynomial"):
            return self._of_products(xp.sum(X * X, axis=1))
        return self.space.zeros((self.shape[0],), X.dtype) + 1.0

    def block(self, rows: Any, columns: Any) -> Array:
        """Compute the entries of some rows and columns.

        Parameters
        ----------
        rows : array of int
            Indices of points.
        columns : array of int or slice
            Indices of points.

        Returns
        -------
        array of shape (len(rows), len(columns))
            The entries.

        Raises
        ------
        MemoryError
            If there is no room for them.
        """
        first, second = (_pick(self.space, self._points, index) for index in (rows, columns))
        return self._panels(first, second)

    def cross(self, Y: Any, columns: Any) -> Array:
        """Compute the kernel between other points and some of these.

        Parameters
        ----------
        Y : array of shape (m, p)
            Points.
        columns : array of int or slice
            Indices of points of this matrix.

        Returns
        -------
        array of shape (m, len(columns))
            The entries.

        Raises
        ------
        ValueError
            If Y has not as many columns as X, or is not finite.
        """
        Y = as_array(Y, "Y")
        if Y.shape[1] != self.X.shape[1]:
            raise ValueError(f"Y must have {self.X.shape[1]} columns, as X has, got {Y.shape[1]}")
        check_finite(Y, "Y")
        other = _pick(self.space, self._points, columns)
        return self._panels(self._moved(Y), other)

    def _panels(
        self, first: tuple[Array, Array | None], second: tuple[Array, Array | None]
    ) -> Array:
        """Compute entries some rows at a time: on their way they take several times their memory."""
        shape = int(first[0].shape[0]), int(second[0].shape[0])
        height = max(1, PANEL // max(1, shape[1]))
        if shape[0] <= height:
            return self._between(first, second)
        what = "ask for fewer rows or columns, or for a method that works with a sample of them"
        check_room(self.space, shape, self.dtype, "the block of the kernel matrix", what)
        out = self.space.zeros(shape, self.dtype)
        for a, b in ranges(shape[0], height):
            out[a:b, :] = self._between(_pick(self.space, first, slice(a, b)), second)
        return out

    def _between(
        self, first: tuple[Array, Array | None], second: tuple[Array, Array | None]
    ) -> Array:
        (X, x), (Y, y) = first, second
        if callable(self.kernel):
            return self.kernel(X, Y)
        xp = self.space.xp
        if self.kernel == "laplacian":
            return xp.exp(-self.gamma * manhattan(X, Y))
        if x is None or y is None:
            return self._of_products(X @ Y.T)
        if X.shape[1] <= DIRECT:
            return self._of_squares(squared_euclidean(X, Y))
        D = (X * -2.0) @ Y.T
        D += x[:, None]
        D += y[None, :]
        return self._of_squares(D)

    def _of_products(self, P: Array) -> Array:
        if self.kernel == "linear":
            return P
        return (self.gamma * P + self.coef0) ** self.degree

    def _of_squares(self, D: Array) -> Array:
        """Turn squared distances, which are overwritten, into the kernel's values."""
        xp = self.space.xp
        if self.kernel == "rbf" or math.isinf(self.nu):
            D *= -self.gamma if self.kernel == "rbf" else -0.5
            return xp.exp(xp.clip(D, max=0.0))
        t = xp.sqrt(xp.clip(D, min=0.0)) * math.sqrt(2 * self.nu)
        if self.nu == 0.5:
            return xp.exp(-t)
        return xp.exp(-t) * (1.0 + t if self.nu == 1.5 else 1.0 + t + t * t / 3.0)

    def __repr__(self) -> str:
        name = self.kernel if isinstance(self.kernel, str) else "callable"
        return f"KernelMatrix({self.shape[0]} points in {self.X.shape[1]} dimensions, {name})"


def _pick(space: Space, points: tuple[Array, Array | None], index: Any) -> tuple[Array, Any]:
    X, x = points
    if isinstance(index, slice):
        start, stop, _ = index.indices(int(X.shape[0]))
        return X[start:stop, :], None if x is None else x[start:stop]
    index = space.asarray(index, space.xp.int64)
    take = space.xp.take
    return take(X, index, axis=0), None if x is None else take(x, index)


def _check(
    kernel: Any, gamma: float, length_scale: float, nu: float, degree: int, coef0: float
) -> None:
    if not callable(kernel) and kernel not in KERNELS:
        raise ValueError(f"kernel must be callable or one of {', '.join(KERNELS)}, got {kernel!r}")
    for name, value in (("gamma", gamma), ("length_scale", length_scale)):
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be positive and finite, got {value}")
    if nu not in (0.5, 1.5, 2.5, math.inf):
        raise ValueError(f"nu must be 0.5, 1.5, 2.5 or inf, got {nu}")
    whole(degree, "degree", 1)
    if not 0 <= coef0 < math.inf:
        raise ValueError(f"coef0 must not be negative, or no kernel results, got {coef0}")


class Dense:
    """A matrix that exists, with the face of `KernelMatrix`."""

    def __init__(self, K: Array) -> None:
        self.K, self.space, self.dtype = K, space_of(K), K.dtype
        self.shape = (int(K.shape[0]), int(K.shape[1]))

    def diagonal(self) -> Array:
        xp = self.space.xp
        d = xp.linalg.diagonal(self.K)
        return xp.real(d) if is_complex(d) else d

    def block(self, rows: Array, columns: Any) -> Array:
        xp = self.space.xp
        if isinstance(columns, slice):
            return self.space.rows(self.K[:, columns], rows)
        if self.space.is_numpy:
            return self.K[rows[:, None], columns]
        return xp.take(xp.take(self.K, rows, axis=0), columns, axis=1)


class Sparse(Dense):
    """A sparse matrix with the same face."""

    def __init__(self, K: Any) -> None:
        self.K = K.tocsr()
        self.space, self.dtype, self.shape = space_of(self.K.data), K.dtype, K.shape

    def diagonal(self) -> Array:
        return self.K.diagonal().real

    def block(self, rows: Array, columns: Any) -> Array:
        return self.K[rows][:, columns].toarray()


class Asked:
    """Somebody else's object with ``shape``, ``diagonal()`` and ``block(rows, columns)``."""

    def __init__(self, K: Any) -> None:
        d = as_array(K.diagonal(), "K.diagonal()", ndim=(1,))
        self.K, self.space, self.shape, self._diagonal = K, space_of(d), K.shape, d
        self.dtype = getattr(K, "dtype", d.dtype)

    def diagonal(self) -> Array:
        return self._diagonal

    def block(self, rows: Array, columns: Any) -> Array:
        return self.K.block(rows, columns)


def as_kernel(K: Any) -> Any:
    """Look at a positive semidefinite argument once: give it ``diagonal`` and ``block``."""
    if isinstance(K, KernelMatrix):
        return K
    if not is_sparse(K) and hasattr(K, "diagonal") and hasattr(K, "block"):
        out: Any = Asked(K)
    elif is_sparse(K):
        op = as_operator(K, "K")
        op.check_entries("K")
        out = Sparse(op.A)
    else:
        if hasattr(K, "matmat"):
            raise TypeError(
                "K must have entries, got a linear operator; pass an array, a KernelMatrix, or an "
                "object with diagonal() and block(rows, columns)"
            )
        K = as_array(K, "K")
        out = Dense(K)
    if len(out.shape) != 2 or out.shape[0] != out.shape[1]:
        raise ValueError(f"K must be square, got shape {tuple(out.shape)}")
    return out
