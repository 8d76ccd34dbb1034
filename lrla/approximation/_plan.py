"""Which function of a product basis comes from which by one multiplication."""

from __future__ import annotations

import numpy as np

from lrla.approximation._families import Family
from lrla.approximation._margins import positions
from lrla.kernels.orthogonal import POLYNOMIAL, Product


def plan(families: tuple[Family, ...], indices: np.ndarray) -> Product:
    """Plan the evaluation of the products with given multi-indices."""
    wanted = np.column_stack([f.columns(k) for f, k in zip(families, indices.T, strict=True)])
    polynomial = np.array([f.form == POLYNOMIAL for f in families])
    top = wanted.max(axis=0)
    sizes = np.where(polynomial, top + 1, 2 * ((top + 1) // 2) + 1)  # waves come in pairs
    first = np.concatenate([[0], np.cumsum(sizes)])
    recurrence = np.zeros((3, first[-1]))
    for j in np.flatnonzero(polynomial):
        recurrence[:, first[j] : first[j + 1]] = families[j].recurrence(int(sizes[j]))

    needed = [wanted]  # every function needs the one without its last factor, down to the constant
    while np.any(needed[-1]):
        needed.append(np.unique(_without_last(needed[-1]), axis=0))
    functions = np.unique(np.concatenate([*needed, np.zeros_like(wanted[:1])]), axis=0)
    level = np.sum(functions != 0, axis=1)
    functions = functions[np.argsort(level, kind="stable")]
    last = _last(functions)
    return Product(
        kinds=tuple(f.form for f in families),
        first=first,
        recurrence=recurrence,
        parent=positions(_without_last(functions), functions),
        factor=first[last] + functions[np.arange(len(functions)), last],
        levels=(0, *(int(c) for c in np.cumsum(np.bincount(level)))),
        slot=positions(wanted, functions),
    )


def _last(rows: np.ndarray) -> np.ndarray:
    """Return the last coordinate of each row that is not zero; 0 where all are."""
    places = np.where(rows != 0, np.arange(rows.shape[1]), 0)
    return places.max(axis=1)


def _without_last(rows: np.ndarray) -> np.ndarray:
    out = rows.copy()
    out[np.arange(len(rows)), _last(rows)] = 0
    return out
