"""Products of functions of one variable: all degrees by recurrences, all products by one each.

The functions of all coordinates at one point stand in a table of ``first[-1]`` columns; those of
coordinate j from column ``first[j]`` on. Every function of the basis is the product of another one
and one entry of the table: its `parent` is what is left without its last factor that is not
constant. So a value costs one multiplication, whatever the number of coordinates.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lrla._core.arrays import Array, Space, space_of
from lrla._core.dispatch import kernel

POLYNOMIAL, TRIGONOMETRIC, EXPONENTIAL = range(3)  # kinds of coordinates


class Product(NamedTuple):
    """How the functions of a product basis come about.

    Parameters
    ----------
    kinds : tuple of int
        For each coordinate: polynomials by their recurrence; ``1, sqrt(2) cos(2 pi t), sqrt(2)
        sin(2 pi t), sqrt(2) cos(4 pi t), ...``; or ``1, exp(2 pi i t), exp(-2 pi i t), ...``.
    first : numpy.ndarray of int64, shape (dim + 1,)
        First column of each coordinate in the table.
    recurrence : numpy.ndarray, shape (3, first[-1])
        ``p[k + 1] = ((t - r[0, k]) * p[k] - r[1, k] * p[k - 1]) * r[2, k]``.
    parent, factor : numpy.ndarray of int64, shape (count,)
        Function s is function ``parent[s]`` times column ``factor[s]``. Function 0 is one.
    levels : tuple of int
        Functions ``levels[l] .. levels[l + 1] - 1`` have l factors that are not constant.
    slot : numpy.ndarray of int64, shape (m,)
        Which functions are asked for, in order.
    """

    kinds: tuple[int, ...]
    first: np.ndarray
    recurrence: np.ndarray
    parent: np.ndarray
    factor: np.ndarray
    levels: tuple[int, ...]
    slot: np.ndarray

    @property
    def is_complex(self) -> bool:
        """Whether the values are complex."""
        return EXPONENTIAL in self.kinds


def _polynomials(t: Array, recurrence: np.ndarray) -> list[Array]:
    xp = space_of(t).xp
    before, p = xp.zeros_like(t), xp.ones_like(t)
    columns = [p]
    for a, b, c in recurrence.T[:-1].tolist():
        before, p = p, ((t - a) * p - b * before) * c
        columns.append(p)
    return columns


def _waves(t: Array, kind: int, count: int) -> list[Array]:
    xp = space_of(t).xp
    angle = 2 * math.pi * (t - xp.round(t))
    c, s = xp.cos(angle), xp.sin(angle)
    x, y = xp.ones_like(t), xp.zeros_like(t)
    columns = [x]
    for _ in range(count // 2):
        x, y = x * c - y * s, x * s + y * c
        columns += [math.sqrt(2) * x, math.sqrt(2) * y] if kind == TRIGONOMETRIC else [x, y]
    if kind == TRIGONOMETRIC:
        return columns
    first, rest = columns[0], columns[1:]
    out = [first + 0j]
    for x, y in zip(rest[::2], rest[1::2], strict=True):
        out += [x + 1j * y, x - 1j * y]
    return out


def _table(T: Array, product: Product) -> Array:
    xp = space_of(T).xp
    columns: list[Array] = []
    for j, kind in enumerate(product.kinds):
        a, b = int(product.first[j]), int(product.first[j + 1])
        if kind == POLYNOMIAL:
            columns += _polynomials(T[:, j], product.recurrence[:, a:b])
        else:
            columns += _waves(T[:, j], kind, b - a)
    dtype = xp.complex128 if product.is_complex else xp.float64
    return xp.stack([xp.astype(c, dtype, copy=False) for c in columns], axis=1)


def _functions(T: Array, product: Product) -> Array:
    """Return the values of all functions, those that are not asked for among them."""
    space = space_of(T)
    xp = space.xp
    table = _table(T, product)
    values = xp.ones((T.shape[0], 1), dtype=table.dtype, device=space.device)
    for a, b in zip(product.levels[1:-1], product.levels[2:], strict=True):
        parents = xp.take(values, _indices(space, product.parent[a:b]), axis=1)
        factors = xp.take(table, _indices(space, product.factor[a:b]), axis=1)
        values = xp.concat((values, parents * factors), axis=1)
    return values


def _indices(space: Space, x: np.ndarray) -> Array:
    return space.asarray(x, space.xp.int64)


@kernel
def product_values(T: Array, product: Product) -> Array:
    """Evaluate a product basis.

    Parameters
    ----------
    T : array of shape (n, dim)
        Points, float64.
    product : Product
        The basis.

    Returns
    -------
    array of shape (n, m)
        Values: float64, or complex128 where a coordinate is of the exponential kind.
    """
    space = space_of(T)
    return space.xp.take(_functions(T, product), _indices(space, product.slot), axis=1)


@kernel
def product_squares(T: Array, product: Product) -> Array:
    """Sum up the squared absolute values of the functions of a product basis.

    Parameters
    ----------
    T, product
        As for `product_values`.

    Returns
    -------
    array of shape (n,)
        Sums, float64.
    """
    values = abs(product_values.definition(T, product))
    return space_of(T).xp.sum(values * values, axis=1)
