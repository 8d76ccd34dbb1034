"""NumPy twin of `lrla.kernels.gram`: BLAS syrk on row blocks, so that nothing large is copied."""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run

_BLOCK = 1 << 23  # bytes: large enough for BLAS, small enough for a copy of it not to matter


def gram(A, w):
    """See `lrla.kernels.gram.gram`."""
    m, n = A.shape
    if w is None and A.dtype == np.float64:
        return A.T @ A  # NumPy calls syrk and mirrors the triangle
    step = max(256, _BLOCK // max(1, n * A.itemsize))
    G = np.zeros((n, n), np.result_type(A.dtype, np.float64))
    for a in range(0, m, step):
        B = A[a : a + step]
        if w is not None:
            B = np.sqrt(w[a : a + step, None]).astype(np.real(B[:0]).dtype) * B
        G += (B.conj() if B.dtype.kind == "c" else B).T @ B
    return G.astype(A.dtype)


def gram_csr(data, indices, indptr, n, w):
    """See `lrla.kernels.gram.gram_csr`."""
    m = indptr.shape[0] - 1
    v = np.ones(1) if w is None else w
    parts = ranges(m, max(1 << 16, -(-m // 4)))  # each part keeps an n x n sum of its own
    G = np.zeros((max(len(parts), 1), n, n), data.dtype)

    def part(k, first, last):
        _pairs(data, indices, indptr, v, w is not None, first, last, G[k])

    run(part, [(k, a, b) for k, (a, b) in enumerate(parts)], work=data.size * 1e-8)
    return G.sum(axis=0)


@jit
def _pairs(data, indices, indptr, w, has_w, first, last, G):
    for i in range(first, last):
        for s in range(indptr[i], indptr[i + 1]):
            a = np.conj(data[s]) * w[i] if has_w else np.conj(data[s])
            row = indices[s]
            for t in range(indptr[i], indptr[i + 1]):
                G[row, indices[t]] += a * data[t]
