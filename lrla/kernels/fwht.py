"""The fast Walsh-Hadamard transform, the mixing step of subsampled Hadamard sketches."""

from __future__ import annotations

import array_api_compat as compat

from lrla._core.arrays import Array
from lrla._core.dispatch import kernel


def check_length(n: int) -> None:
    """Refuse a length for which no Hadamard matrix of Sylvester's kind exists."""
    if n < 1 or n & (n - 1):
        padded = 1 << max(n - 1, 0).bit_length()
        raise ValueError(
            f"the last axis must have a power of two as its length, got {n}; "
            f"pad with zeros to {padded}"
        )


@kernel
def fwht(X: Array) -> Array:
    """Transform along the last axis with the unnormalised Hadamard matrix of Sylvester.

    Parameters
    ----------
    X : array of shape (N,) or (m, N)
        Floating-point data, real or complex; N is a power of two.

    Returns
    -------
    array of the shape and dtype of X
        ``X @ H``, a new array. H is symmetric, its entries are 1 and -1,
        ``H_{2N} = [[H_N, H_N], [H_N, -H_N]]``, ``H_1 = [[1]]``, and ``H @ H = N I``.

    Raises
    ------
    ValueError
        If N is not a power of two.

    Notes
    -----
    N log2 N additions a row [1]_.

    References
    ----------
    .. [1] B. J. Fino and V. R. Algazi, "Unified matrix treatment of the fast Walsh-Hadamard
       transform", IEEE Transactions on Computers C-25 (1976) 1142-1146.
    """
    xp = compat.array_namespace(X)
    *rows, n = X.shape
    check_length(n)
    Y = xp.asarray(X, copy=True)
    half = 1
    while half < n:
        pairs = xp.reshape(Y, (*rows, n // (2 * half), 2, half))
        a, b = pairs[..., 0, :], pairs[..., 1, :]
        Y = xp.reshape(xp.stack((a + b, a - b), axis=-2), X.shape)
        half *= 2
    return Y
