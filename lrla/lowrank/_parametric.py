"""`parametric_interpolant`: what depends on a parameter through an affine matrix, from few values."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.arrays import Array, numpy_space
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.numbers import whole
from lrla._core.random import Domain, key_of, seed_of, tag
from lrla._core.results import Info, Result, Status
from lrla.kernels import philox
from lrla.lowrank._eim import eim


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ParametricInterpolant(Result):
    """A function of a parameter, as a combination of its values at a few; call it with another.

    Parameters
    ----------
    points : array of shape (rank, k)
        Parameters at which the function was evaluated.
    values : list of length rank
        Its values there.
    weights : callable
        ``weights(x)``: the factors with which the values are combined at x, an array of shape
        (rank,). They do not depend on the function.
    error_bound : float
        Largest relative error at parameters that were held out. Measured there, not proven.
    rank : int
        Number of points.
    status : Status
        Whether that error is within the tolerance.
    info : Info
        ``checks``, how many parameters were held out; ``lebesgue_constant``, by how much errors of
        the values can grow; ``seed``; ``seconds``.
    """

    points: Any
    values: list[Any]
    weights: Callable[[Any], Any]
    error_bound: float
    rank: int
    status: Status
    info: Info

    def __call__(self, x: Any) -> Any:
        """Return the function at a parameter.

        Parameters
        ----------
        x : array of shape (k,), or float
            A parameter.

        Returns
        -------
        array or float
            The combination of the values.

        Raises
        ------
        ValueError
            If the check at parameters that were held out has failed, or x is outside.
        """
        if not self.status:
            raise ValueError(
                f"tol was not met where it was checked: the error was {self.error_bound:.1e}; raise "
                "degree, or take more parameters"
            )
        return _combined(self.weights(x), self.values)


class _Weights:
    """Interpolation weights that are right for a family of polynomials."""

    def __init__(self, family: _Family, inverse: Any) -> None:
        self.family, self.inverse = family, inverse

    def __call__(self, x: Any) -> Any:
        """Return the weights at a parameter between those that were given."""
        return self.family(self.family.inside(x)) @ self.inverse


class _Family:
    """Chebyshev polynomials of the coefficients of a matrix, up to a total degree."""

    def __init__(self, theta: Callable[[Any], Any], X: Any, degree: int) -> None:
        self.theta, self.low, self.high = theta, X.min(axis=0), X.max(axis=0)
        table = np.asarray([self._read(x) for x in X])
        self.middle = (table.max(axis=0) + table.min(axis=0)) / 2
        reach = (table.max(axis=0) - table.min(axis=0)) / 2
        varied = reach > 1e-13 * np.abs(self.middle)  # a constant one adds nothing
        self.varied, self.reach = varied, reach[varied]
        count = int(varied.sum())
        every = itertools.product(range(degree + 1), repeat=count)
        self.degrees = np.asarray([d for d in every if sum(d) <= degree], np.int64)

    def _read(self, x: Any) -> Any:
        found = np.atleast_1d(np.asarray(self.theta(x if x.size > 1 else x[0]), float))
        if found.ndim != 1 or not np.all(np.isfinite(found)):
            raise ValueError(f"theta must return finite real numbers, got {found!r} at {x}")
        return found

    def inside(self, x: Any) -> Any:
        """Check a parameter."""
        x = np.atleast_1d(np.asarray(x, float))
        if x.shape != self.low.shape or not np.all((x >= self.low) & (x <= self.high)):
            raise ValueError(
                f"x must be between {self.low} and {self.high}, where parameters were given, got {x}"
            )
        return x

    def __call__(self, x: Any) -> Any:
        """Evaluate all of them at a parameter."""
        t = (self._read(x)[self.varied] - self.middle[self.varied]) / self.reach
        return np.prod(np.cos(self.degrees * np.arccos(np.clip(t, -1, 1))), axis=1)


def parametric_interpolant(
    function: Callable[[Any], Any],
    theta: Callable[[Any], Any],
    X: Any,
    *,
    degree: int = 8,
    tol: float = 1e-6,
    n_checks: int = 5,
    rng: Any = None,
) -> ParametricInterpolant:
    """Interpolate what depends on a parameter through ``A(x) = sum_q theta_q(x) * A_q``.

    Such as the solution of a linear system, the inverse, or the logarithm of the determinant: the
    matrices are not looked at, only the function is called, at a few parameters.

    Parameters
    ----------
    function : callable
        ``function(x)`` for a parameter x, an array of shape (k,), or a float if k is 1: an array,
        always of the same shape, or a number.
    theta : callable
        ``theta(x)``: the coefficients of the matrix, real numbers.
    X : array of shape (m, k) or (m,)
        Parameters between which later ones will lie, some hundreds, of NumPy.
    degree : int, default 8
        Total degree of the polynomials in the coefficients.
    tol : float, default 1e-6
        Relative error to accept where it is checked.
    n_checks : int, default 5
        At how many of X, drawn at random, the error is measured.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    ParametricInterpolant
        Callable, with fields points, values, weights, error_bound, rank, status and info. Where the check
        failed it refuses calls.

    Raises
    ------
    ValueError
        If a parameter is out of range, or theta returns what is not finite.

    Warns
    -----
    AccuracyWarning
        If the check fails.

    See Also
    --------
    eim : the interpolation.
    logdet_shifted : for matrices that differ by multiples of the identity, exactly.

    Notes
    -----
    Powers of ``I - A(x) / s``, and so all that is a series of them, expand in products of the theta_q
    with coefficients that do not depend on x. So interpolation weights that are right for these
    products, which empirical interpolation finds together with the points [1]_, are right for the
    function: ``f(x) ~ sum_i w_i(x) f(x_i)``. How far the series has converged within the degree is
    not known beforehand: hence the check.

    Cost: the function at ``rank + n_checks`` parameters, and a singular value decomposition of m
    times the number of polynomials.

    References
    ----------
    .. [1] M. Barrault, Y. Maday, N. C. Nguyen and A. T. Patera, "An 'empirical interpolation'
       method: application to efficient reduced-basis discretization of partial differential
       equations", C. R. Math. 339, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.lowrank import parametric_interpolant
    >>> A = 2 * np.eye(30) - np.eye(30, k=1) - np.eye(30, k=-1)
    >>> def solution(c):
    ...     return np.linalg.solve(np.eye(30) + c * A, np.ones(30))
    >>> f = parametric_interpolant(solution, lambda c: [1.0, c], np.linspace(0.5, 2, 200), rng=7)
    >>> f.rank, bool(np.allclose(f(1.234), solution(1.234), rtol=1e-5))
    (9, True)
    """
    start = time.perf_counter()
    X = np.asarray(X, float)
    X = X[:, None] if X.ndim == 1 else X
    if X.ndim != 2 or X.shape[0] < 2 or X.shape[1] < 1 or not np.all(np.isfinite(X)):
        raise ValueError(f"X must be at least two finite parameters, got shape {X.shape}")
    degree = whole(degree, "degree", 1)
    if not 0 < tol < 1:
        raise ValueError(f"tol must be between 0 and 1, got {tol}")
    n_checks = whole(n_checks, "n_checks", 1)
    seed = seed_of(rng)
    family = _Family(theta, X, int(degree))
    G = np.asarray([family(x) for x in X])
    # what is interpolated is a sum of many of these: hence more than tol
    found = eim(G, tol=1e-2 * tol, method="qdeim")
    points = np.asarray(found.points)
    # the weights at x are those that reproduce all polynomials there: w @ G[points] = g(x)
    inverse = np.linalg.pinv(G[points], rcond=1e-13)
    places = [x if x.size > 1 else float(x[0]) for x in X]
    values = [function(places[i]) for i in points]
    u = philox.uniform(numpy_space(), key_of(seed), tag(Domain.TEST_MATRIX), 0, int(n_checks), 1)
    error = 0.0
    for i in np.minimum((u[:, 0] * len(X)).astype(int), len(X) - 1):
        exact = function(places[i])
        size = _size(exact)
        gap = _size(_combined(G[i] @ inverse, values) - exact)
        error = max(error, gap / size if size else gap) if math.isfinite(gap) else math.inf
    fine = error <= tol
    if not fine:
        warn(
            f"the error at parameters that were held out is {error:.1e}, above tol = {tol:g}; raise "
            "degree, or take more parameters",
            AccuracyWarning,
        )
    info = Info(
        checks=int(n_checks),
        lebesgue_constant=float(np.abs(G @ inverse).sum(axis=1).max()),
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    status = Status.CONVERGED if fine else Status.STAGNATED
    return ParametricInterpolant(
        X[points], values, _Weights(family, inverse), error, len(points), status, info
    )


def _combined(weights: Any, values: list[Any]) -> Array:
    return sum((float(w) * v for w, v in zip(weights, values, strict=True)), start=0 * values[0])


def _size(value: Any) -> float:
    """Return the largest absolute value."""
    flat = abs(value)
    return float(flat.max()) if hasattr(flat, "max") else float(flat)
