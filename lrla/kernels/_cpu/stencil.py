"""Numba twin of `lrla.kernels.stencil`.

One pass over the grid does both colours: the second one follows a plane behind the first, so that
what it reads is still in the cache, and has its new values. Coefficients that are the same in all
cells stay in registers.
"""

import numpy as np

from lrla._core.jit import jit


def stencil_sweeps(x, b, coefficients, wraps, n_sweeps, out):
    new = out if out is not None and out.flags.c_contiguous else np.array(x, order="C")
    if new is not x:
        new[...] = x
    sums = np.zeros(n_sweeps)
    if 0 not in x.shape:
        alike = not any(coefficients.strides[1:])
        c = np.ascontiguousarray(coefficients[:, :1, :1, :1] if alike else coefficients)
        args = np.ascontiguousarray(b), c, not alike, *wraps, np.zeros(x.shape[2], x.dtype)
        for k in range(n_sweeps):
            sums[k] = _sweep(new, *args)
    if out is not None and new is not out:
        out[...] = new
        new = out
    return new, sums


@jit
def _sweep(x, b, c, varied, wrap0, wrap1, wrap2, nothing):
    args = wrap0, wrap1, wrap2, nothing
    total, p = 0.0, x.shape[0]
    for i in range(p):
        total += _plane(x, b, c, varied, i, 0, *args)
        if i > 1 or (i == 1 and not wrap0):
            total += _plane(x, b, c, varied, i - 1, 1, *args)
    if p > 1 or not wrap0:
        total += _plane(x, b, c, varied, p - 1, 1, *args)
    if wrap0:  # the first plane is beside the last one, which needs its old values
        total += _plane(x, b, c, varied, 0, 1, *args)
    return total


@jit
def _plane(x, b, c, varied, i, colour, wrap0, wrap1, wrap2, nothing):
    """Move the cells of one colour in a plane."""
    p, q, _ = x.shape
    total = 0.0
    for j in range(q):
        before = x[i - 1, j] if i > 0 else (x[p - 1, j] if wrap0 else nothing)
        after = x[i + 1, j] if i + 1 < p else (x[0, j] if wrap0 else nothing)
        left = x[i, j - 1] if j > 0 else (x[i, q - 1] if wrap1 else nothing)
        right = x[i, j + 1] if j + 1 < q else (x[i, 0] if wrap1 else nothing)
        beside = before, after, left, right
        first = (i + j + colour) % 2
        row, rhs = x[i, j], b[i, j]
        if varied:
            total += _row(row, rhs, c[:, i, j], first, *beside, wrap2)
        else:
            total += _row_alike(row, rhs, c[:, 0, 0], first, *beside, wrap2, q == 1)
    return total


@jit(fastmath={"contract"})
def _row(row, b, c, first, before, after, left, right, wrap):
    """Move every other cell of a row."""
    c0, c1, c2, c3, c4, c5, c6 = c[0], c[1], c[2], c[3], c[4], c[5], c[6]
    zero, r, total = row.dtype.type(0), row.size, 0.0
    for k in range(first, r, 2):
        low = row[k - 1] if k > 0 else (row[r - 1] if wrap else zero)
        high = row[k + 1] if k + 1 < r else (row[0] if wrap else zero)
        value = b[k] - c0[k] * row[k] - c1[k] * before[k] - c2[k] * after[k]
        value = value - c3[k] * left[k] - c4[k] * right[k] - c5[k] * low - c6[k] * high
        step = value - row[k]
        total += step.real * step.real + step.imag * step.imag
        row[k] = value
    return total


@jit(fastmath={"contract"})
def _row_alike(row, b, c, first, before, after, left, right, wrap, flat):
    """Do what `_row` does with coefficients that are the same in all cells."""
    c0, c1, c2, c3, c4, c5, c6 = c[0, 0], c[1, 0], c[2, 0], c[3, 0], c[4, 0], c[5, 0], c[6, 0]
    zero, r, total = row.dtype.type(0), row.size, 0.0
    for k in range(first, r, 2):
        low = row[k - 1] if k > 0 else (row[r - 1] if wrap else zero)
        high = row[k + 1] if k + 1 < r else (row[0] if wrap else zero)
        value = b[k] - c0 * row[k] - c1 * before[k] - c2 * after[k]
        if not flat:
            value = value - c3 * left[k] - c4 * right[k]
        value = value - c5 * low - c6 * high
        step = value - row[k]
        total += step.real * step.real + step.imag * step.imag
        row[k] = value
    return total
