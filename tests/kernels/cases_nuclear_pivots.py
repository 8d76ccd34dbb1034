"""Inputs for the twins of ``lrla/kernels/nuclear_pivots.py``."""

import numpy as np


def nuclear_pivots():
    for dtype in ("f4", "f8", "c8", "c16"):
        real = np.finfo(dtype).dtype
        for b, rank, candidates, count in (
            (0, 1, 2, 1),
            (1, 1, 1, 1),
            (1, 1, 3, 1),
            (1, 1, 1, 0),
            (7, 7, 1, 3),
            (9, 5, 2, 9),
            (40, 30, 4, 100),
            (41, 41, 3, 5),
        ):
            rng = np.random.default_rng([b, rank, candidates, 90210])
            X, S = rng.standard_normal((rank, b)), rng.standard_normal((rank, 50))
            if np.dtype(dtype).kind == "c":
                X = X + 1j * rng.standard_normal(X.shape)
            X = X * np.exp(rng.uniform(0, 2, b))
            H, W = X.conj().T @ X, X.conj().T @ S
            if b > 4:  # a proposal that comes twice
                H[:, b // 2] = H[:, 0]
                H[b // 2] = H[0]
                W[b // 2] = W[0]
            H, M = H.astype(dtype), (W @ W.conj().T).astype(dtype)
            bounds = (np.abs(np.diag(H)) * 1.1).astype(real)
            uniform = rng.uniform(size=b).astype(real)
            least = (1e-3 * bounds).astype(real)
            args = (H, M, bounds, uniform, least, candidates, count)
            yield f"{dtype}-{b}-{candidates}-{count}", args, 5000 * float(np.finfo(dtype).eps)
