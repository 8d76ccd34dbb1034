"""Inputs for the twins of ``lrla/kernels/set_chain.py``."""

import numpy as np

SHAPES = ((1, 0, 4), (1, 1, 4), (5, 5, 20), (9, 0, 60), (30, 12, 200))  # items, members, steps


def walk():
    for dtype in ("f4", "f8", "c16"):
        for n, k, steps in SHAPES:
            rng = np.random.default_rng([n, k, 90210])
            B = rng.standard_normal((n, 2 * n)) / np.sqrt(n)
            if dtype == "c16":
                B = B + 1j * rng.standard_normal(B.shape) / np.sqrt(n)
            L = (B @ B.conj().T).astype(dtype)
            S = rng.permutation(n)[:k]
            inverse = np.linalg.inv(L[np.ix_(S, S)]) if k else np.zeros((0, 0), dtype)
            u = rng.random((2, steps))
            for name, swap in (
                ("add-delete", np.zeros(steps, bool)),
                ("exchange", np.ones(steps, bool)),
                ("mixed", rng.random(steps) < 0.5),
            ):
                for most in (steps, 3):
                    args = (L, S, inverse, rng.integers(0, n, steps), *u, swap, most)
                    tolerance = 1e-3 if dtype == "f4" else 1e-9
                    yield f"{dtype}-{n}-{k}-{name}-{most}", args, tolerance
    yield "nothing", (np.eye(3), np.arange(1), np.eye(1), np.zeros(0, int), np.zeros(0),
                      np.zeros(0), np.zeros(0, bool), 5), 0  # fmt: skip
