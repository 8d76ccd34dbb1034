"""The Hadamard matrix between some rows of a large space and some others, and its adjoint."""

from __future__ import annotations

import array_api_compat as compat

from lrla._core.arrays import Array
from lrla._core.dispatch import kernel
from lrla.kernels.fwht import fwht


def _placed(A: Array, slots: Array, N: int) -> Array:
    """Make the matrix of N rows whose row ``slots[i]`` is ``A[i]`` and whose others are zero.

    It takes rows where one would rather write them, because array libraries need not write
    through an array of indices.
    """
    xp, device = compat.array_namespace(A), compat.device(A)
    k, n = A.shape
    order = xp.argsort(slots)
    sorted_slots = xp.take(slots, order)
    all_slots = xp.arange(N, dtype=slots.dtype, device=device)
    first = xp.searchsorted(sorted_slots, all_slots, side="left")
    last = xp.searchsorted(sorted_slots, all_slots, side="right")
    nothing = xp.full((1,), k, dtype=order.dtype, device=device)
    owner = xp.where(last > first, xp.take(xp.concat((order, nothing)), first), nothing)
    with_zero_row = xp.concat((A, xp.zeros((1, n), dtype=A.dtype, device=device)))
    return xp.take(with_zero_row, owner, axis=0)


def _hadamard(A: Array, slots: Array, N: int, rows: Array) -> Array:
    """Compute ``H_N[rows][:, slots] @ A``."""
    xp = compat.array_namespace(A)
    return xp.take(fwht(_placed(A, slots, N).T).T, rows, axis=0)


def _signed(A: Array, signs: Array) -> Array:
    xp = compat.array_namespace(A)
    return A * xp.astype(signs, A.dtype)[:, None]


@kernel
def apply(A: Array, slots: Array, signs: Array, N: int, rows: Array) -> Array:
    """Compute ``H_N[rows][:, slots] @ (signs[:, None] * A)``, unscaled.

    This is a subsampled randomized Hadamard transform [1]_ of A, whose rows are padded with zeros
    and permuted as ``slots`` says.

    Parameters
    ----------
    A : array of shape (k, n)
        Floating-point data, real or complex.
    slots : int64 array of shape (k,)
        Where the rows of A go among N: distinct numbers in [0, N).
    signs : int8 array of shape (k,)
        1 or -1 for each row of A.
    N : int
        Order of the Hadamard matrix, a power of two.
    rows : int64 array of shape (d,)
        The rows of the Hadamard matrix to keep, in [0, N).

    Returns
    -------
    array of shape (d, n)
        ``result[r] = sum_i H_N[rows[r], slots[i]] * signs[i] * A[i]``, where
        ``H_N[p, q] = (-1)**popcount(p & q)``.

    Notes
    -----
    At most ``n N log2 N`` additions, one pass over A.

    References
    ----------
    .. [1] J. A. Tropp, "Improved analysis of the subsampled randomized Hadamard transform",
       Advances in Adaptive Data Analysis 3 (2011) 115-126.
    """
    return _hadamard(_signed(A, signs), slots, N, rows)


@kernel
def adjoint(Y: Array, slots: Array, signs: Array, N: int, rows: Array) -> Array:
    """Compute ``signs[:, None] * (H_N[slots][:, rows] @ Y)``, the transpose of `apply`.

    Parameters
    ----------
    Y : array of shape (d, n)
        Floating-point data, real or complex.
    slots : int64 array of shape (k,)
        Distinct numbers in [0, N).
    signs : int8 array of shape (k,)
        1 or -1.
    N : int
        Order of the Hadamard matrix, a power of two.
    rows : int64 array of shape (d,)
        Distinct rows of the Hadamard matrix.

    Returns
    -------
    array of shape (k, n)
        ``result[i] = signs[i] * sum_r H_N[rows[r], slots[i]] * Y[r]``.
    """
    return _signed(_hadamard(Y, rows, N, slots), signs)
