"""Inputs for the twins of ``lrla/kernels/rejection.py``."""

import numpy as np


def rejection_cholesky():
    for dtype in ("f4", "f8", "c8", "c16"):
        real = np.finfo(dtype).dtype
        for b, rank, count in ((0, 1, 1), (1, 1, 1), (1, 1, 0), (7, 7, 3), (40, 30, 100)):
            rng = np.random.default_rng([b, rank, 90210])
            X = rng.standard_normal((rank + 3, b))
            if np.dtype(dtype).kind == "c":
                X = X + 1j * rng.standard_normal(X.shape)
            H = (X.conj().T @ X).astype(dtype)
            H[:, b // 2 :][:, :1] = H[:, :1]  # a proposal that comes twice
            H[b // 2 :][:1, :] = H[:1, :]
            bounds = (np.abs(np.diag(H)) * 1.1).astype(real)
            uniform = rng.uniform(size=b).astype(real)
            args = (H, bounds, uniform, count)
            yield f"{dtype}-{b}-{count}", args, 2000 * float(np.finfo(dtype).eps)
