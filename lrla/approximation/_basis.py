"""Product bases: descriptions that can be evaluated."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.arrays import Array, as_array, check_finite, real_dtype, space_of
from lrla.approximation._classical import Hermite, Laguerre, Legendre
from lrla.approximation._families import Family
from lrla.approximation._index_sets import as_indices
from lrla.approximation._margins import is_downward_closed
from lrla.approximation._plan import plan
from lrla.approximation._waves import Chebyshev, Fourier
from lrla.kernels.orthogonal import POLYNOMIAL, Product, product_squares, product_values

_NAMES: dict[str, Family] = {
    "legendre": Legendre(),
    "hermite": Hermite(),
    "laguerre": Laguerre(),
    "chebyshev": Chebyshev(),
    "fourier": Fourier(),
}
MEASURES = ("probability", "weight")


@dataclass(frozen=True, eq=False)
class Basis:
    """Products of functions of one variable, orthonormal in L2 of a product measure.

    Made by `basis`. Calling it evaluates: ``basis(X)`` for X of shape (n, dim) is an array of shape
    (n, m).

    Parameters
    ----------
    families : tuple
        The family of each coordinate.
    indices : numpy.ndarray of int64, shape (m, dim)
        Each row makes one function: its entries are degrees in the coordinates.
    mass : float
        Integral of one under the measure of the user; the basis is orthonormal under the
        probability measure that is proportional to it.

    Notes
    -----
    A value costs one multiplication, after all degrees of each coordinate by their orthonormal
    three-term recurrence: n m + n dim degree of them. They are computed in float64 and rounded to
    the precision of X. Complex families give complex values.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.approximation import basis, total_degree
    >>> space = basis("legendre", total_degree(2, 3))
    >>> len(space), space.dim
    (10, 2)
    >>> X = np.zeros((5, 2))
    >>> space(X).shape, bool(np.allclose(space.christoffel(X), np.sum(space(X) ** 2, axis=1)))
    ((5, 10), True)
    """

    families: tuple[Family, ...]
    indices: np.ndarray
    mass: float = 1.0

    def __getstate__(self) -> dict[str, Any]:
        return {"families": self.families, "indices": self.indices, "mass": self.mass}

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return len(self.families)

    def __len__(self) -> int:
        """Return m, the number of functions."""
        return len(self.indices)

    def __repr__(self) -> str:
        kinds = ", ".join(dict.fromkeys(repr(f) for f in self.families))
        return f"Basis({kinds}; dim={self.dim}, m={len(self)})"

    def __call__(self, X: Any) -> Array:
        """Evaluate the functions.

        Parameters
        ----------
        X : array of shape (n, dim)
            Points of the domain.

        Returns
        -------
        array of shape (n, m)
            Values, where X lives and in its precision.

        Raises
        ------
        ValueError
            If X has another number of columns, is not finite, or leaves the domain.
        TypeError
            If X is not an array of real numbers.
        """
        T, dtype = self._standard(X)
        values = product_values(T, self._product)
        xp = space_of(values).xp
        single = dtype == xp.float32
        if xp.isdtype(values.dtype, "complex floating"):
            return xp.astype(values, xp.complex64) if single else values
        return xp.astype(values, dtype, copy=False)

    def christoffel(self, X: Any) -> Array:
        """Sum up the squared absolute values of the functions, without keeping the values.

        Parameters
        ----------
        X : array of shape (n, dim)
            Points of the domain.

        Returns
        -------
        array of shape (n,)
            The inverse of the Christoffel function, ``k_m(x)``. Its mean under the measure is m.
        """
        T, dtype = self._standard(X)
        k = product_squares(T, self._product)
        return space_of(k).xp.astype(k, dtype, copy=False)

    def restricted(self, index_set: Any) -> Basis:
        """Take other functions of the same families.

        Parameters
        ----------
        index_set : array of int, shape (m, dim)
            Their multi-indices.

        Returns
        -------
        Basis
            With these indices.
        """
        return Basis(self.families, check_indices(index_set, self.families), self.mass)

    @functools.cached_property
    def downward_closed(self) -> bool:
        """Whether the span does not depend on the order of degrees: see `is_downward_closed`."""
        return is_downward_closed(self.indices)

    @property
    def integrals(self) -> np.ndarray:
        """Integral of each function under the probability measure: one for the constant."""
        return np.where(np.any(self.indices != 0, axis=1), 0.0, 1.0)

    @property
    def n_uniform(self) -> int:
        """How many uniform numbers make a point."""
        return self.dim + 1

    def from_uniform(self, u: Any) -> np.ndarray:
        """Turn uniform numbers into points of the Christoffel measure.

        Parameters
        ----------
        u : array of shape (n, dim + 1)
            Numbers in [0, 1], pseudo-random or of low discrepancy: the first one of a row chooses a
            function of the basis, the others become quantiles of its coordinates.

        Returns
        -------
        numpy.ndarray of shape (n, dim)
            Points.

        Raises
        ------
        ValueError
            For another shape, numbers outside of [0, 1], or degrees so high that the weight underflows.
        """
        u = check_uniform(u, self.n_uniform)
        chosen = np.minimum((u[:, 0] * len(self)).astype(np.int64), len(self) - 1)
        X = np.empty((len(u), self.dim))
        for j, family in enumerate(self.families):
            t = family.quantile(u[:, j + 1], self.indices[chosen, j])
            X[:, j] = np.clip(family.shift + family.unit * t, *family.support)
        return X

    def _standard(self, X: Any) -> tuple[Array, Any]:
        """Check points and bring them to the standard variables, in float64."""
        X = as_points(X, self.dim)
        space = space_of(X)
        xp = space.xp
        if xp.isdtype(X.dtype, "complex floating"):
            raise TypeError(f"X must be real, got dtype {X.dtype}")
        check_finite(X, "X")
        self._check_domain(X)
        shift = space.asarray([f.shift for f in self.families], xp.float64)
        unit = space.asarray([f.unit for f in self.families], xp.float64)
        return (xp.astype(X, xp.float64) - shift) / unit, real_dtype(xp, X.dtype)

    def _check_domain(self, X: Array) -> None:
        space = space_of(X)
        xp = space.xp
        low = space.asarray([f.support[0] for f in self.families], X.dtype)
        high = space.asarray([f.support[1] for f in self.families], X.dtype)
        outside = (low > X) | (high < X)
        if bool(xp.any(outside)):
            place = int(xp.argmax(xp.astype(xp.reshape(outside, (-1,)), xp.int8)))
            i, j = divmod(place, self.dim)
            a, b = self.families[j].support
            raise ValueError(
                f"X must lie in the domain, which is [{a:g}, {b:g}] in coordinate {j}, got "
                f"{float(X[i, j]):g} in row {i}; give the family another domain"
            )

    @functools.cached_property
    def _product(self) -> Product:
        return plan(self.families, self.indices)


def as_points(X: Any, dim: int) -> Array:
    """Refuse what are not points of so many coordinates, one a row."""
    X = as_array(X, "X", ndim=(1, 2))
    if X.ndim == 1:
        way, what = (
            ("X[:, None]", "points of the line") if dim == 1 else ("X[None, :]", "one point")
        )
        raise ValueError(
            f"X must have 2 dimensions, got shape {tuple(X.shape)}; pass {way} for {what}"
        )
    if X.shape[1] != dim:
        raise ValueError(
            f"X must have {dim} columns, one for each coordinate, got shape {tuple(X.shape)}"
        )
    return X


def check_uniform(u: Any, count: int) -> np.ndarray:
    """Refuse what are not rows of ``count`` numbers in [0, 1]."""
    u = np.asarray(u, np.float64)
    if u.ndim != 2 or u.shape[1] != count:
        raise ValueError(f"u must have shape (n, {count}), got {u.shape}")
    if not np.all((u >= 0) & (u <= 1)):
        raise ValueError("u must be between 0 and 1")
    return u


def basis(family: Any, index_set: Any, *, measure: str = "probability") -> Basis:
    """Describe a basis of products of orthonormal functions of one variable.

    Parameters
    ----------
    family : str, family, or sequence of them
        The family of all coordinates, or one for each: ``"legendre"``, ``"hermite"``,
        ``"laguerre"``, ``"chebyshev"``, ``"fourier"``, which have standard parameters, or one of
        `Legendre`, `Jacobi`, `Chebyshev`, `Hermite`, `Laguerre`, `Fourier` and `Recurrence`.
    index_set : array of int, shape (m, dim)
        Which products: entry (i, j) is the degree of function i in coordinate j, or its frequency
        for `Fourier`. As made by `total_degree`, `hyperbolic_cross`, `norm_ball` and
        `tensor_product`, or any other. One dimension: functions of one variable.
    measure : {"probability", "weight"}, default "probability"
        What integrals are taken with: the probability measure under which the basis is
        orthonormal, or the weight function of the family as such (one for Legendre polynomials, so
        that integrals are plain ones). It decides the field ``mass`` alone.

    Returns
    -------
    Basis
        The basis.

    Raises
    ------
    ValueError
        For an unknown name, a number of families that is not that of the coordinates, indices that
        are empty, repeated or not whole, or degrees that are negative.
    TypeError
        For what is no family.

    Examples
    --------
    >>> from lrla.approximation import Hermite, basis, hyperbolic_cross, mirrored, total_degree
    >>> basis("legendre", total_degree(2, 4))
    Basis(Legendre(low=-1.0, high=1.0); dim=2, m=15)
    >>> basis([Hermite(scale=2), "fourier"], mirrored(hyperbolic_cross(2, 9), columns=[1])).dim
    2
    """
    if measure not in MEASURES:
        raise ValueError(f"measure must be one of {', '.join(MEASURES)}, got {measure!r}")
    several = not isinstance(family, str) and isinstance(family, Sequence)
    named = [as_family(f) for f in (family if several else [family])]
    rows = np.asarray(index_set)
    if rows.ndim == 1:
        rows = rows[:, None]
    if not several and rows.ndim == 2:
        named = named * max(rows.shape[1], 1)
    families = tuple(named)
    mass = 1.0 if measure == "probability" else float(np.prod([f.mass for f in families]))
    return Basis(families, check_indices(rows, families), mass)


def as_family(family: Any) -> Family:
    """Turn a name into the family that it stands for."""
    if isinstance(family, Family):
        return family
    if isinstance(family, type) and issubclass(family, Family):
        raise TypeError(
            f"family must be a name or a family, got the class; call it: {family.__name__}(...)"
        )
    if not isinstance(family, str):
        raise TypeError(
            f"family must be a name or a family of lrla.approximation, got {type(family).__name__}"
        )
    if family not in _NAMES:
        raise ValueError(f"family must be one of {', '.join(_NAMES)}, got {family!r}")
    return _NAMES[family]


def check_indices(index_set: Any, families: tuple[Family, ...]) -> np.ndarray:
    """Return multi-indices as an array of our own that cannot be written to."""
    rows = as_indices(index_set)
    if rows.shape[1] != len(families):
        raise ValueError(
            f"there must be one family, or one for each of {rows.shape[1]} coordinates, got "
            f"{len(families)}"
        )
    polynomial = np.array([f.form == POLYNOMIAL for f in families])
    if np.any(rows[:, polynomial] < 0):
        raise ValueError(f"degrees must not be negative, got {rows[:, polynomial].min()}")
    if len(np.unique(rows, axis=0)) < len(rows):
        raise ValueError("index_set must not hold an index twice")
    rows.setflags(write=False)
    return rows
