"""NumPy twin of `lrla.kernels.rejection`: right-looking, so that inner loops run along rows."""

import numpy as np

from lrla._core.jit import jit


def rejection_cholesky(H, bounds, uniform, count):
    """See `lrla.kernels.rejection.rejection_cholesky`."""
    # L is kept transposed: updates run along rows, which are contiguous
    U = np.array(H.T, order="C")
    accepted = np.zeros(H.shape[0], np.bool_)
    _eliminate(U, bounds, uniform, count, accepted)
    return U.T, accepted


@jit(fastmath={"contract"})
def _eliminate(U, bounds, uniform, count, accepted):
    b = U.shape[0]
    left = count
    for j in range(b):
        pivot = U[j, j].real
        for i in range(j):
            U[j, i] = 0
        if left <= 0 or not (pivot > 0 and uniform[j] * bounds[j] < pivot):
            U[j, j:] = 0
            continue
        accepted[j] = True
        left -= 1
        scale = 1 / np.sqrt(pivot)
        for i in range(j, b):
            U[j, i] *= scale
        for k in range(j + 1, b):
            factor = np.conj(U[j, k])
            for i in range(k, b):
                U[k, i] -= factor * U[j, i]
