"""The orthonormal discrete cosine transform along the first axis, and its inverse."""

from __future__ import annotations

import math
from typing import Any

import array_api_compat as compat

from lrla._core.arrays import Array
from lrla._core.dispatch import kernel


def _evens_then_odds(xp: Any, m: int, device: Any) -> Array:
    """Makhoul's order, in which a cosine transform is a Fourier transform of the same length.

    0, 2, 4, ... upwards and then ..., 5, 3, 1 downwards.
    """
    odds = xp.arange(1, m, 2, device=device)
    return xp.concat((xp.arange(0, m, 2, device=device), xp.flip(odds)))


def _complex_dtype(xp: Any, X: Array) -> Any:
    return xp.complex64 if X.dtype == xp.float32 else xp.complex128


def _complex(xp: Any, X: Array) -> Array:
    return xp.astype(X, _complex_dtype(xp, X))


def _twiddles(xp: Any, X: Array) -> Array:
    """Make the column of sqrt(2/m) exp(-i pi k / 2m), k < m, with 1/sqrt(m) for k = 0."""
    m = X.shape[0]
    k = xp.arange(m, dtype=xp.float64, device=compat.device(X))
    scale = xp.where(k == 0, xp.full_like(k, math.sqrt(1 / m)), math.sqrt(2 / m))
    turns = xp.exp(-1j * math.pi / (2 * m) * xp.astype(k, xp.complex128))
    column = xp.reshape(scale * turns, (m,) + (1,) * (X.ndim - 1))
    return xp.astype(column, _complex_dtype(xp, X))


def _by_parts(transform: Any, X: Array) -> Array:
    """Apply a real transform to the real and the imaginary part."""
    xp = compat.array_namespace(X)
    if not xp.isdtype(X.dtype, "complex floating"):
        return transform(X)
    return _complex(xp, transform(xp.real(X))) + 1j * _complex(xp, transform(xp.imag(X)))


def _dct(X: Array) -> Array:
    xp = compat.array_namespace(X)
    order = _evens_then_odds(xp, X.shape[0], compat.device(X))
    spectrum = xp.fft.fft(_complex(xp, xp.take(X, order, axis=0)), axis=0)
    return xp.real(_twiddles(xp, X) * spectrum)


def _idct(X: Array) -> Array:
    # the transpose of _dct: each of its three factors transposed, in reverse order
    xp = compat.array_namespace(X)
    order = _evens_then_odds(xp, X.shape[0], compat.device(X))
    mixed = xp.real(xp.fft.fft(_twiddles(xp, X) * _complex(xp, X), axis=0))
    return xp.take(mixed, xp.argsort(order), axis=0)


@kernel
def dct(X: Array) -> Array:
    """Compute the orthonormal cosine transform (DCT-II) of every column.

    Parameters
    ----------
    X : array of shape (m,) or (m, n)
        Floating-point data; a complex array stands for its real and its imaginary part.

    Returns
    -------
    array of the shape and dtype of X
        ``C @ X`` with ``C[k, j] = sqrt((2 - (k == 0)) / m) * cos(pi * k * (2*j + 1) / (2*m))``,
        an orthogonal matrix.

    Notes
    -----
    One complex Fourier transform of length m for every column, after reordering [1]_.

    References
    ----------
    .. [1] J. Makhoul, "A fast cosine transform in one and two dimensions", IEEE Transactions on
       Acoustics, Speech, and Signal Processing 28 (1980) 27-34.
    """
    if 0 in X.shape:
        return compat.array_namespace(X).asarray(X, copy=True)
    return _by_parts(_dct, X)


@kernel
def idct(X: Array) -> Array:
    """Compute ``C.T @ X``, the inverse and the adjoint of `dct` (DCT-III).

    Parameters
    ----------
    X : array of shape (m,) or (m, n)
        Floating-point data, real or complex.

    Returns
    -------
    array of the shape and dtype of X
    """
    if 0 in X.shape:
        return compat.array_namespace(X).asarray(X, copy=True)
    return _by_parts(_idct, X)
