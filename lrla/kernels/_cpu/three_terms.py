"""Numba twin of `lrla.kernels.three_terms`: four columns at a time, which stay in registers."""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run

_GRAIN = 4096  # rows to one piece of work for a thread


def three_terms(data, indices, indptr, X, Y, coefficients):
    """See `lrla.kernels.three_terms.three_terms`."""
    n, p = X.shape
    a, b, c = (data.dtype.type(x) for x in coefficients)
    parts = [np.empty((n, 4), X.dtype) for _ in range(0, p, 4)]
    panels = [(_panel(X, 4 * k), _panel(Y, 4 * k), Z) for k, Z in enumerate(parts)]
    run(
        lambda k, first, last: _rows(data, indices, indptr, *panels[k], a, b, c, first, last),
        [(k, *rows) for k in range(len(parts)) for rows in ranges(n, _GRAIN)],
        work=data.size * p * 5e-10,
    )
    return parts[0] if p == 4 else np.concatenate([X[:, :0], *parts], axis=1)[:, :p]


def _panel(X, k):
    """Hold up to four columns in rows of four."""
    if X.shape[1] == 4 and X.flags.c_contiguous:
        return X
    out = np.zeros((X.shape[0], 4), X.dtype)
    out[:, : X.shape[1] - k] = X[:, k : k + 4]
    return out


@jit(fastmath={"contract"})
def _rows(data, indices, indptr, X, Y, out, a, b, c, first, last):
    # unsigned indices need no check for negative ones
    zero, U = data.dtype.type(0), np.uintp
    for row in range(first, last):
        i = U(row)
        s0 = s1 = s2 = s3 = zero
        for t in range(U(indptr[row]), U(indptr[row + 1])):
            v, j = data[t], U(indices[t])
            s0 += v * X[j, U(0)]
            s1 += v * X[j, U(1)]
            s2 += v * X[j, U(2)]
            s3 += v * X[j, U(3)]
        out[i, U(0)] = a * s0 + b * X[i, U(0)] + c * Y[i, U(0)]
        out[i, U(1)] = a * s1 + b * X[i, U(1)] + c * Y[i, U(1)]
        out[i, U(2)] = a * s2 + b * X[i, U(2)] + c * Y[i, U(2)]
        out[i, U(3)] = a * s3 + b * X[i, U(3)] + c * Y[i, U(3)]
