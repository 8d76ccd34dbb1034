"""Small dense algebra that the array API standard lacks, or that LAPACK does better.

On NumPy these call LAPACK directly; elsewhere they are written with the standard's ``linalg``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from lrla._core.arrays import Array, adjoint, is_complex, space_of

TAME = 32.0  # mean condition of a triangle up to which its inverse is as good as substitution


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
    if axis is None and space.is_numpy:  # by BLAS in one pass, unless squares leave the range
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            out = float(np.linalg.norm(x))
        if math.sqrt(_least_square(x)) < out < math.inf:
            return out
    if axis is not None and space.is_numpy and x.ndim == 2:
        return _line_norms(x, axis)
    return _scaled_norm(x, axis)


def _least_square(x: Array) -> float:
    """Return what a sum of squares has to exceed for those that vanished not to matter."""
    return float(space_of(x).xp.finfo(x.dtype).smallest_normal) * 1e16


def _line_norms(x: Array, axis: int) -> Array:
    """Norms of rows or columns in one pass, and in others where squares leave the range."""
    lines = "ij,ij->j" if axis == 0 else "ij,ij->i"
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        squares = np.einsum(lines, x.real, x.real)
        if is_complex(x):
            squares = squares + np.einsum(lines, x.imag, x.imag)
        out = np.sqrt(squares)
    outside = ~((squares > _least_square(x)) & (squares < math.inf))
    if outside.any():
        out[outside] = _scaled_norm(x[:, outside] if axis == 0 else x[outside], axis)
    return out


def _scaled_norm(x: Array, axis: int | None) -> Any:
    xp = space_of(x).xp
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


def qr(Y: Array) -> tuple[Array, Array]:
    """Thin QR factorization Q, R."""
    space = space_of(Y)
    if space.is_numpy:
        import scipy.linalg

        return scipy.linalg.qr(Y, mode="economic", check_finite=False)
    Q, R = space.xp.linalg.qr(Y)
    return Q, R


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


def rank_of(s: Array, rcond: float) -> int:
    """Count the singular values, given in descending order, above ``rcond`` times the largest."""
    if 0 in s.shape:
        return 0
    xp = space_of(s).xp
    return int(xp.sum(xp.astype(s > rcond * float(s[0]), xp.int64)))


def solve_triangular(R: Array, Y: Array, *, lower: bool = False) -> Array:
    """Solve R X = Y for a triangular matrix, upper by default."""
    space = space_of(R)
    if not space.is_numpy:
        return space.xp.linalg.solve(R, Y)
    if Y.ndim == 2 and not Y.flags.f_contiguous:  # in rows, as BLAS reads it: X^T R^T = Y^T
        return divide_triangular(Y.T, R.T, lower=not lower).T
    import scipy.linalg

    return scipy.linalg.solve_triangular(R, Y, lower=lower, check_finite=False)


def divide_triangular(Y: Array, R: Array, *, lower: bool = False) -> Array:
    """Compute Y R^-1 for a triangular matrix, upper by default."""
    space = space_of(R)
    if not space.is_numpy or 0 in Y.shape:
        return solve_triangular(R.T, Y.T, lower=not lower).T
    import scipy.linalg

    if not R.diagonal().all():
        raise LinAlgError("the triangular matrix is singular: its diagonal has a zero")
    (trsm,) = scipy.linalg.get_blas_funcs(("trsm",), (R, Y))
    flip = R.flags.c_contiguous  # its transpose is what BLAS takes without a copy
    return trsm(1.0, R.T if flip else R, Y, side=1, lower=lower != flip, trans_a=flip)


def divide_upper(Y: Array, R: Array, *, transposed: bool = False) -> Array:
    """Compute Y R^-1 or, transposed, Y R^-T for an upper triangular R with zeros below.

    Where R is well conditioned this is a product with its inverse, which is as good as substitution
    then, and takes half of the time.
    """
    space = space_of(R)
    if space.is_numpy and 0 not in Y.shape:
        import scipy.linalg

        (trtri,) = scipy.linalg.get_lapack_funcs(("trtri",), (R,))
        X, singular = trtri(R)
        if not singular and norm(R) * norm(X) <= TAME * R.shape[0]:
            (trmm,) = scipy.linalg.get_blas_funcs(("trmm",), (X, Y))
            return trmm(1.0, X, Y, side=1, trans_a=transposed)
    return divide_triangular(Y, R.T if transposed else R, lower=transposed)


def shifted(G: Array, t: float) -> Array:
    """Return G + t I, in one pass over a copy where arrays can be written into."""
    space = space_of(G)
    if not space.is_numpy:
        return G + t * space.eye(int(G.shape[0]), G.dtype)
    G = G.copy()
    G.reshape(-1)[:: G.shape[0] + 1] += t  # a fresh copy is contiguous: this is a view
    return G


def inverse(G: Array) -> Array | None:
    """Inverse of a Hermitian positive definite matrix, or None if it is not numerically that."""
    space = space_of(G)
    if not space.is_numpy:
        return None if cholesky(G) is None else space.xp.linalg.inv(G)
    import scipy.linalg

    R = cholesky(G)
    if R is None:
        return None
    (potri,) = scipy.linalg.get_lapack_funcs(("potri",), (G,))
    X, failed = potri(R, lower=False)  # below the diagonal there are still the zeros of R
    if failed:
        return None
    d = X.diagonal().real.copy()
    X = X + X.conj().T
    X.reshape(-1, order="A")[:: len(d) + 1] = d
    return X


def _size(x: Array) -> Array:
    """Measure pivots as LAPACK does: real and imaginary parts apart."""
    xp = space_of(x).xp
    return xp.abs(xp.real(x)) + xp.abs(xp.imag(x)) if is_complex(x) else xp.abs(x)


def pivoted_lu(Y: Array, k: int) -> Array:
    """Choose k columns of Y by Gaussian elimination of its adjoint with partial pivoting."""
    space = space_of(Y)
    if space.is_numpy:
        import scipy.linalg

        (getrf,) = scipy.linalg.get_lapack_funcs(("getrf",), (Y,))
        swaps = getrf(Y.T)[1]  # a pivot that vanishes is no fault here
        order = np.arange(Y.shape[1])
        for i, j in enumerate(swaps.tolist()):
            order[[i, j]] = order[[j, i]]
        return order[: min(k, *Y.shape)]
    xp = space.xp
    rest, chosen = xp.asarray(Y, copy=True), []
    taken = xp.zeros_like(xp.abs(Y[0, :]))
    for i in range(min(k, *Y.shape)):
        sizes = _size(rest[i, :]) - taken
        best = int(xp.argmax(sizes))
        chosen.append(best)
        if float(sizes[best]) > 0:
            rest = rest - (rest[:, best : best + 1] / rest[i, best]) @ rest[i : i + 1, :]
        taken[best] = math.inf
    return space.asarray(chosen, xp.int64)
