"""Which functions join a space, by what the residual shows of their coefficients."""

from __future__ import annotations

import math

import numpy as np

from lrla._core.arrays import adjoint
from lrla.approximation._basis import Basis
from lrla.approximation._fit import WeightedFit
from lrla.approximation._margins import neighbours, positions
from lrla.kernels.orthogonal import POLYNOMIAL

_WIDE = 2  # times as many candidates as are wanted, at least
_CLEAR = 2.0  # standard deviations by which a coefficient stands out


def following(space: Basis, found: WeightedFit, count: int) -> np.ndarray:
    """Choose multi-indices around those of a space, without leaving holes.

    By two estimates of their coefficients: an exponential decay along each coordinate, fitted to
    the coefficients that stand out of the noise, and inner products with the residual, where these
    do.
    """
    signed = np.array([family.form != POLYNOMIAL for family in space.families])
    rows = candidates(space.indices, signed, _WIDE * count)
    loo = np.asarray(found.loo_residuals)
    E = np.where(np.isfinite(loo), loo, np.asarray(found.residuals)).reshape(len(found.design), -1)
    C = np.asarray(found.coefficients).reshape(len(space), -1)
    unit = 2.0 ** (math.frexp(max(float(np.max(np.abs(C))), float(np.max(np.abs(E)))))[1] - 1)
    C, E = C / unit, E / unit  # squares stay in range, and choices the same in every unit
    weighted = found.design.weights[:, None] * E
    shown = adjoint(space.restricted(rows)(found.design.points)) @ weighted / len(E)
    noise = np.sum(np.abs(E) * np.abs(weighted)) / len(E) ** 2  # variance of these mean values
    squares = np.sum(np.abs(shown) ** 2, axis=1)
    known = np.sqrt(np.sum(np.abs(C) ** 2, axis=1))
    expected = decay(space.indices, known, _CLEAR * math.sqrt(noise), rows)
    sizes = np.sqrt(expected**2 + np.maximum(squares - _CLEAR**2 * noise, 0))
    order = np.lexsort((np.abs(rows).sum(axis=1), -enveloped(rows, sizes)))
    return rows[np.sort(order[:count])]


def decay(indices: np.ndarray, sizes: np.ndarray, floor: float, rows: np.ndarray) -> np.ndarray:
    """Extrapolate sizes above a floor by an exponential of the absolute values of the indices."""
    clear = sizes > floor
    degrees = np.abs(indices[clear]).astype(float)
    seen = np.any(degrees > 0, axis=0)
    columns = np.column_stack((np.ones(len(degrees)), -degrees[:, seen]))
    height, *found = np.linalg.lstsq(columns, np.log(sizes[clear]), rcond=None)[0]
    slow = np.array(found)[np.array(found) > 0].min(initial=1.0)
    # a coordinate in which nothing stands out has decayed below the floor in one step, if tried
    tried = np.any(indices != 0, axis=0)
    fast = max(height - math.log(max(floor, 1e-300)), slow)
    rates = np.where(tried, fast, slow)
    rates[seen] = np.maximum(found, 0.1 * slow)
    return np.exp(np.minimum(height - np.abs(rows) @ rates, 300.0))


def candidates(indices: np.ndarray, signed: np.ndarray, count: int) -> np.ndarray:
    """List at least so many indices around a set, by rising distance from it."""
    known = indices
    while len(known) - len(indices) < count:
        known = np.concatenate((known, neighbours(known, signed)))
    return known[len(indices) :]


def enveloped(rows: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Raise each size to the largest of the indices that are further from zero in all coordinates."""
    sizes = sizes.copy()
    levels = np.abs(rows).sum(axis=1)
    for level in np.unique(levels)[::-1]:
        here = np.flatnonzero(levels == level)
        for j in range(rows.shape[1]):
            inner = here[rows[here, j] != 0]
            parents = rows[inner].copy()
            parents[:, j] -= np.sign(parents[:, j])
            places = positions(parents, rows)
            np.maximum.at(sizes, places[places >= 0], sizes[inner[places >= 0]])
    return sizes
