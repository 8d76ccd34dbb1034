"""Independent coin flips whose number of heads has a given expectation."""

from __future__ import annotations

import numpy as np


def tilt(log_values: np.ndarray, size: float) -> float:
    """Find t with ``sum(1 / (1 + exp(-t - log_values))) = size``, by Newton inside a bracket."""
    low, high = -log_values.max() - 80, -log_values.min() + 80
    t = 0.5 * (low + high)
    for i in range(200):
        p = expit(t + log_values)
        excess = float(np.sum(p)) - size
        if abs(excess) <= 1e-13 * size:
            break
        low, high = (low, t) if excess > 0 else (t, high)
        slope = float(np.sum(p * expit(-t - log_values)))
        step = t - excess / slope if slope > 0 and i >= 5 else np.inf
        t = step if low < step < high else 0.5 * (low + high)
    return float(t)


def expit(x: np.ndarray) -> np.ndarray:
    """Logistic function, with all digits at both ends."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))
