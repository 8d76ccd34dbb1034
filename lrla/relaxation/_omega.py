"""The relaxation factor that theory prefers."""

from __future__ import annotations

import math


def young(beta: float) -> float:
    """Return the best omega for a consistently ordered matrix of Jacobi radius beta."""
    return 1 + (beta / (1 + math.sqrt((1 - beta) * (1 + beta)))) ** 2


def beta_from_rate(rate: float, omega: float) -> float:
    """Return the Jacobi radius for which SOR with a factor below the best one has this rate."""
    return (rate + omega - 1) / (omega * math.sqrt(rate))
