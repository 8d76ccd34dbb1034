"""Independent draws from the Christoffel measure of a space, k_m / m times its own measure."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla._core.arrays import numpy_space
from lrla._core.random import Domain, Key, key_of, seed_of, tag
from lrla._core.results import Info, Status
from lrla.approximation._basis import Basis
from lrla.approximation._design import Design
from lrla.approximation._index_sets import check_count
from lrla.kernels import philox
from lrla.kernels.induced import quantile


def christoffel_points(basis: Basis, key: Key, stream: int, first: int, count: int) -> np.ndarray:
    """Draw the points numbered ``first .. first + count - 1`` of one stream.

    Each point is a function of (key, stream) and its number. It comes from the mixture of the
    induced distributions of all functions of the basis.
    """
    u = _uniform(basis, key, stream, first, count)
    return _points(basis, (u[:, 0] * len(basis)).astype(np.int64), u[:, 1:])


def _uniform(basis: Basis, key: Key, stream: int, first: int, count: int) -> np.ndarray:
    which = tag(Domain.CHRISTOFFEL, stream)
    return philox.uniform(numpy_space(), key, which, first, first + count, basis.dim + 1)


def _points(basis: Basis, chosen: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Turn numbers of functions and uniform numbers into points."""
    X = np.empty(u.shape)
    for j, family in enumerate(basis.families):
        degree = basis.indices[chosen, j]
        t = quantile(u[:, j], degree, family.law(int(abs(basis.indices[:, j]).max())))
        X[:, j] = np.clip(family.shift + family.unit * t, *family.support)
    return X


def christoffel_sample(
    basis: Basis, size: int, *, stratified: bool = False, rng: Any = None
) -> Design:
    """Draw independent points from the optimal measure of weighted least squares.

    Parameters
    ----------
    basis : Basis
        The space.
    size : int
        Number of points.
    stratified : bool, default False
        Whether every function of the basis contributes the same number of points, as far as
        ``size`` allows, instead of a random one. The weighted averages stay unbiased, with less
        variance.
    rng : None, int, numpy.random.Generator or SeedSequence, optional
        Seed.

    Returns
    -------
    Design
        NumPy arrays ``points`` of shape (size, dim), with weights ``m / k_m(x)``, whose mean is
        one in expectation.

    Raises
    ------
    ValueError
        If ``size`` is negative or not whole.

    Notes
    -----
    The measure has density ``k_m(x) / m``, ``k_m(x)`` the sum of the squares of the orthonormal
    functions, for which weighted least squares need the fewest points [1]_. It is the mixture of
    the m measures ``abs(phi_i) ** 2 dmu``: one is chosen, and each coordinate found as a quantile
    of its induced distribution [2]_, to rounding. O(dim degree) for a point. Points are a function
    of the seed and their number.

    References
    ----------
    .. [1] A. Cohen, G. Migliorati, "Optimal weighted least-squares methods", SMAI J. Comput. Math.
       3, 2017.
    .. [2] A. Narayan, "Computation of induced orthogonal polynomial distributions", Electron. Trans.
       Numer. Anal. 50, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.approximation import basis, christoffel_sample, total_degree
    >>> space = basis("legendre", total_degree(2, 5))
    >>> design = christoffel_sample(space, 2000, rng=7)
    >>> V = space(design.points)
    >>> G = V.T @ (design.weights[:, None] * V) / len(design)
    >>> bool(np.linalg.norm(G - np.eye(21), 2) < 0.5)
    True
    """
    size = check_count(size, "size")
    seed = seed_of(rng)
    key = key_of(seed)
    if stratified:
        u = _uniform(basis, key, 0, 0, size)
        stratum = philox.permute(np.arange(size), key, tag(Domain.CHRISTOFFEL, 1), max(size, 1))
        chosen = ((stratum + u[:, 0]) * (len(basis) / max(size, 1))).astype(np.int64)
        points = _points(basis, np.minimum(chosen, len(basis) - 1), u[:, 1:])
    else:
        points = christoffel_points(basis, key, 0, 0, size)
    weights = len(basis) / basis.christoffel(points)
    kind = "stratified christoffel" if stratified else "christoffel"
    return Design(points, weights, kind, Status.CONVERGED, Info(seed=seed))
