"""p-norms between one and infinity, their duals, and the product that bounds one by the other."""

from __future__ import annotations

from lrla._core.arrays import Array, is_complex, space_of


def power_norm(u: Array, w: Array, p: float) -> float:
    """Return ``sum(w abs(u)^p)^(1/p)``, without overflow."""
    xp = space_of(u).xp
    size = abs(u)
    peak = float(xp.max(size))
    if peak == 0:
        return 0.0
    return peak * float(xp.sum(w * (size / peak) ** p)) ** (1 / p)


def dual_norm(y: Array, w: Array, p: float) -> float:
    """Return the norm dual to the weighted p-norm."""
    return power_norm(y / w, w, p / (p - 1))


def real_dot(y: Array, u: Array) -> float:
    """Return the real part of y^H u."""
    xp = space_of(u).xp
    return float(xp.sum(xp.real(xp.conj(y) * u)) if is_complex(u) else xp.sum(y * u))
