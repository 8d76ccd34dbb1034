"""Small dense algebra that the array API standard lacks, or that LAPACK does better.

On NumPy these call LAPACK directly; elsewhere they are written with the standard's ``linalg``.
"""

from __future__ import annotations

from typing import Any

from numpy.linalg import LinAlgError

from lrla._core.arrays import Array, adjoint, is_complex, space_of


def norm(x: Array, axis: int | None = None) -> Any:
    """Euclidean norm of a whole array (as a float) or along an axis, without overflow."""
    space = space_of(x)
    xp = space.xp
    if 0 in x.shape:  # torch has a method called size
        return (
            0.0
            if axis is None
            else space.zeros(tuple(k for i, k in enumerate(x.shape) if i != axis), xp.abs(x).dtype)
        )
    size = xp.abs(x)
    peak = xp.max(size, axis=axis, keepdims=True)  # of each line, for lines may differ in scale
    usable = xp.isfinite(peak) & (peak > 0)
    scale = xp.where(usable, peak, xp.ones_like(peak))
    scaled = xp.where(usable, size / scale, xp.zeros_like(size))
    sums = scale * xp.sqrt(xp.sum(scaled**2, axis=axis, keepdims=True))
    out = xp.where(usable, sums, peak)
    return float(xp.reshape(out, ())) if axis is None else xp.squeeze(out, axis=axis)


def dots(X: Array, Y: Array) -> Array:
    """Real parts of the inner products of the columns of X with those of Y."""
    xp = space_of(X).xp
    if is_complex(X):
        return xp.sum(xp.real(xp.conj(X) * Y), axis=0)
    return xp.sum(X * Y, axis=0)


def qr_r(Y: Array) -> Array:
    """Triangular factor of a QR factorization, without forming the orthogonal one."""
    space = space_of(Y)
    if space.is_numpy:
        import scipy.linalg

        (R,) = scipy.linalg.qr(Y, mode="r", check_finite=False)
        return R[: min(Y.shape)]
    return space.xp.linalg.qr(Y).R


def cholesky(G: Array) -> Array | None:
    """Upper triangular R with R^H R = G, or None if G is not numerically positive definite."""
    space = space_of(G)
    xp = space.xp
    if space.is_numpy:
        import scipy.linalg

        (potrf,) = scipy.linalg.get_lapack_funcs(("potrf",), (G,))
        R, failed = potrf(G, lower=False, clean=True)
        # OpenBLAS takes NaN for a positive pivot; it then stands on the diagonal
        return R if failed == 0 and bool(xp.all(xp.isfinite(xp.abs(R.diagonal())))) else None
    try:
        R = adjoint(xp.linalg.cholesky(G))
    except (LinAlgError, RuntimeError):  # torch's own LinAlgError is a RuntimeError
        return None
    # CuPy reports failure by NaN
    return R if bool(xp.all(xp.isfinite(xp.abs(R)))) else None


def svd(R: Array) -> tuple[Array, Array, Array]:
    """Thin singular value decomposition U, s, Vh."""
    space = space_of(R)
    if space.is_numpy:
        import scipy.linalg

        try:
            return scipy.linalg.svd(R, full_matrices=False, check_finite=False)
        except scipy.linalg.LinAlgError:  # the divide-and-conquer driver fails once in a blue moon
            return scipy.linalg.svd(
                R, full_matrices=False, check_finite=False, lapack_driver="gesvd"
            )
    U, s, Vh = space.xp.linalg.svd(R, full_matrices=False)
    return U, s, Vh


def svdvals(R: Array) -> Array:
    """Singular values, decreasing."""
    space = space_of(R)
    if space.is_numpy:
        import scipy.linalg

        return scipy.linalg.svdvals(R, check_finite=False)
    return space.xp.linalg.svdvals(R)


def solve_triangular(R: Array, Y: Array, *, lower: bool = False) -> Array:
    """Solve R X = Y for a triangular matrix, upper by default."""
    space = space_of(R)
    if space.is_numpy:
        import scipy.linalg

        return scipy.linalg.solve_triangular(R, Y, lower=lower, check_finite=False)
    return space.xp.linalg.solve(R, Y)


def inverse(G: Array) -> Array | None:
    """Inverse of a Hermitian positive definite matrix, or None if it is not numerically that."""
    space = space_of(G)
    if not space.is_numpy:
        return None if cholesky(G) is None else space.xp.linalg.inv(G)
    import numpy as np
    import scipy.linalg

    R = cholesky(G)
    if R is None:
        return None
    (potri,) = scipy.linalg.get_lapack_funcs(("potri",), (G,))
    X, failed = potri(R, lower=False)
    return None if failed else np.triu(X) + np.triu(X, 1).conj().T
