"""Independent draws from the Christoffel measure of a space, k_m / m times its own measure."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla._core.arrays import numpy_space
from lrla._core.numbers import whole
from lrla._core.random import Domain, Key, key_of, seed_of, tag
from lrla._core.results import Info, Status
from lrla.approximation._basis import Basis
from lrla.approximation._design import Design, optimal_weights
from lrla.approximation._empirical import EmpiricalBasis, check_basis
from lrla.kernels import philox

_SAMPLE, _STRATA = range(2)  # streams


def christoffel_points(
    basis: Basis | EmpiricalBasis, key: Key, stream: int, first: int, count: int
) -> np.ndarray:
    """Draw the points numbered ``first .. first + count - 1`` of one stream.

    Each point is a function of (key, stream) and its number. For a `Basis` it comes from the mixture
    of the induced distributions of all functions.
    """
    return basis.from_uniform(_uniform(basis, key, stream, first, count))


def _uniform(
    basis: Basis | EmpiricalBasis, key: Key, stream: int, first: int, count: int
) -> np.ndarray:
    which = tag(Domain.CHRISTOFFEL, stream)
    return philox.uniform(numpy_space(), key, which, first, first + count, basis.n_uniform)


def christoffel_sample(
    basis: Basis | EmpiricalBasis, size: int, *, stratified: bool = False, rng: Any = None
) -> Design:
    """Draw independent points from the optimal measure of weighted least squares.

    Parameters
    ----------
    basis : Basis or EmpiricalBasis
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
        If ``size`` is negative or not whole, or degrees are so high that squares of the functions
        overflow or weights underflow.

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
    check_basis(basis)
    size = whole(size, "size", 0)
    seed = seed_of(rng)
    key = key_of(seed)
    if stratified:
        u = _uniform(basis, key, _SAMPLE, 0, size)
        which = tag(Domain.CHRISTOFFEL, _STRATA)
        stratum = philox.permute(np.arange(size), key, which, max(size, 1))
        u[:, 0] = (stratum + u[:, 0]) / max(size, 1)
        points = basis.from_uniform(u)
    else:
        points = christoffel_points(basis, key, _SAMPLE, 0, size)
    kind = "stratified christoffel" if stratified else "christoffel"
    weights = optimal_weights(basis, points)
    return Design(points, weights, kind, Status.CONVERGED, Info(seed=seed))
