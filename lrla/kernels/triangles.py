"""The two triangles of a matrix with ones on its diagonal: solving with them, one or both at once.

`eisenstat_step` is what an iteration of conjugate gradients costs when the matrix is taken between
the two triangles of its own SSOR preconditioner: two triangular solves and no product at all [1]_.

References
----------
.. [1] S. C. Eisenstat, "Efficient implementation of a class of preconditioned conjugate gradient
   methods", SIAM J. Sci. Stat. Comput. 2 (1981) 1-4.
"""

from __future__ import annotations

from lrla._core.arrays import Array, is_complex, space_of
from lrla._core.dispatch import kernel
from lrla.kernels.sor import row_products, rows_of, sweeps


@kernel
def triangles(
    data: Array, indices: Array, indptr: Array, left: Array, right: Array
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Split a CSR matrix into its strict triangles, scaled by ``left_i * a_ij * right_j``.

    Parameters
    ----------
    data, indices, indptr : arrays
        A square CSR matrix, no column twice in a row, columns ascending.
    left, right : arrays of shape (n,)
        Factors of rows and columns.

    Returns
    -------
    data, indices, indptr : arrays
        Of the strict lower triangle, columns ascending.
    data, indices, indptr : arrays
        Of the strict upper triangle, columns descending: what a solve needs last comes last.
    """
    space = space_of(data)
    xp = space.xp
    n, nnz = indptr.shape[0] - 1, data.shape[0]
    rows, wide = rows_of(indptr, nnz), xp.astype(indices, xp.int64)
    scaled = data
    if nnz:
        scaled = data * xp.take(left, rows) * xp.take(right, wide)
    out: list[Array] = []
    for chosen, column in ((wide < rows, wide), (wide > rows, n - 1 - wide)):
        order = xp.argsort(rows * n + column)
        order = order[xp.take(chosen, order)] if nnz else order
        counts = xp.zeros(n + 1, dtype=xp.int64, device=space.device)
        ends = xp.arange(n, dtype=xp.int64, device=space.device)
        counts[1:] = xp.searchsorted(xp.take(rows, order), ends, side="right")
        out += [
            xp.take(scaled, order),
            xp.take(indices, order),
            xp.astype(counts, indptr.dtype),
        ]
    return out[0], out[1], out[2], out[3], out[4], out[5]


@kernel
def solve_triangle(
    b: Array,
    data: Array,
    indices: Array,
    indptr: Array,
    blocks: tuple[int, ...],
    independent: bool,
    reverse: bool,
) -> Array:
    """Solve ``(I + T) x = b`` for a strict triangle T.

    Parameters
    ----------
    b : array of shape (n,) or (n, p)
        Right-hand sides.
    data, indices, indptr : arrays
        T in CSR form: upper if `reverse`, else lower.
    blocks, independent
        As for `lrla.kernels.sor.sweeps`.
    reverse : bool
        Whether T is the upper triangle.

    Returns
    -------
    array of the shape of b
        A new array.
    """
    x, _ = sweeps.definition(
        b, b, data, indices, indptr, None, blocks, independent, 1, reverse, None
    )
    return x


@kernel
def triangle_product(x: Array, data: Array, indices: Array, indptr: Array) -> Array:
    """Compute ``x + T x`` for a strict triangle T.

    Parameters
    ----------
    x : array of shape (n,) or (n, p)
        Vectors.
    data, indices, indptr : arrays
        T in CSR form.

    Returns
    -------
    array of the shape of x
        A new array.
    """
    return x + row_products(x, data, indices, indptr, 0, x.shape[0])


@kernel
def diagonal(data: Array, indices: Array, indptr: Array) -> Array:
    """Read the diagonal of a CSR matrix, columns ascending; zero where nothing is stored."""
    space = space_of(data)
    xp = space.xp
    n, nnz = indptr.shape[0] - 1, data.shape[0]
    if nnz == 0:
        return space.zeros((n,), data.dtype)
    places = rows_of(indptr, nnz) * n + xp.astype(indices, xp.int64)
    wanted = xp.arange(n, dtype=xp.int64, device=space.device) * (n + 1)
    found = xp.minimum(xp.searchsorted(places, wanted), space.asarray(nnz - 1, xp.int64))
    entries = xp.take(data, found)
    return xp.where(xp.take(places, found) == wanted, entries, xp.zeros_like(entries))


@kernel
def eisenstat_step(
    p: Array,
    rest: Array,
    beta: float | Array,
    low_data: Array,
    low_indices: Array,
    low_indptr: Array,
    up_data: Array,
    up_indices: Array,
    up_indptr: Array,
    shift: float,
    blocks: tuple[int, ...],
    independent: bool,
    out: tuple[Array, Array, Array] | None,
) -> tuple[Array, Array, Array]:
    """Turn the direction and multiply it with ``inv(I + L) A inv(I + U)``, A scaled and split.

    Parameters
    ----------
    p, rest : arrays of shape (n,) or (n, p)
        Last directions and present residuals.
    beta : float, or real array of shape (p,)
        The new directions are ``rest + beta * p``.
    low_data, low_indices, low_indptr, up_data, up_indices, up_indptr : arrays
        Strict triangles L and U, each the adjoint of the other; A is ``(2 - shift) * I + L + U``.
    shift : float
        ``2 - omega``, where A, of unit diagonal, has been multiplied with omega.
    blocks, independent
        As for `lrla.kernels.sor.sweeps`.
    out : tuple of three arrays, or None
        Where the direction, the product and an intermediate result go.

    Returns
    -------
    direction, product : arrays of the shape of p
        The first two of ``out`` if that was given.
    curvature : array of shape () or (p,)
        Real parts of their inner products, in double precision.
    """
    xp = space_of(p).xp
    new = rest + beta * p
    u = solve_triangle.definition(new, up_data, up_indices, up_indptr, blocks, independent, True)
    y = solve_triangle.definition(
        new - shift * u, low_data, low_indices, low_indptr, blocks, independent, False
    )
    product = u + y
    together = xp.real(xp.conj(new) * product) if is_complex(p) else new * product
    curvature = xp.sum(xp.astype(together, xp.float64), axis=0)
    if out is not None:
        out[0][...], out[1][...] = new, product
        new, product = out[0], out[1]
    return new, product, curvature


@kernel
def axpy_pair(
    x: Array,
    rest: Array,
    p: Array,
    product: Array,
    step: float | Array,
    out: tuple[Array, Array] | None,
) -> tuple[Array, Array, Array]:
    """Compute ``x + step * p``, ``rest - step * product`` and the squared norms of the latter.

    Parameters
    ----------
    x, rest, p, product : arrays of shape (n,) or (n, p)
        Iterates, residuals, directions and their products.
    step : float, or real array of shape (p,)
        How far to go.
    out : tuple of two arrays, or None
        Where iterate and residual go; x and rest themselves for work in place.

    Returns
    -------
    x, rest : arrays of the shape of x
        Those of ``out`` if that was given.
    square : array of shape () or (p,)
        Squared norms of the new residuals, in double precision.
    """
    xp = space_of(x).xp
    new, left = x + step * p, rest - step * product
    square = xp.sum(xp.astype(xp.abs(left), xp.float64) ** 2, axis=0)
    if out is not None:
        out[0][...], out[1][...] = new, left
        new, left = out
    return new, left, square
