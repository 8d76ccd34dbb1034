"""Inputs for the twins of ``lrla/kernels/interior.py``."""

import numpy as np

SIZES = (1, 5, 300, 40_000)
TOLERANCE = 1e-12


def states():
    for m in SIZES:
        rng = np.random.default_rng([m, 90210])
        state = 10.0 ** rng.uniform(-6, 1, (4, m))
        yield f"{m}", rng, state, rng.uniform(0.01, 1, m)


def interior_update():
    for label, rng, state, _ in states():
        step = rng.uniform(-1, 1, (3, state.shape[1])) * state[1:]
        step[0] = np.clip(step[0], -0.5 * state[0], 0.5 * state[1])
        lower = -state[0] - state[1]
        bounds = np.stack((lower, lower + state[0] + state[1]))
        for curvature in (0.0, 1.0):
            args = state, step, bounds, 0.75, 0.5, curvature
            yield f"{label}-{curvature:.0f}", args, TOLERANCE


def interior_predict():
    for label, rng, state, q in states():
        yield label, (state, q, rng.standard_normal(q.shape[0])), TOLERANCE


def interior_correct():
    for label, rng, state, q in states():
        dy = rng.uniform(-1, 1, q.shape[0]) * np.minimum(state[0], state[1])
        yield label, (state, q, dy, rng.standard_normal(q.shape[0]), 0.01), TOLERANCE
