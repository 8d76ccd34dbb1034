"""Bases of any functions under any measure that can be drawn from: orthonormal on many points."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.arrays import Array, as_array, check_finite, space_of
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.numbers import whole
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.approximation._basis import Basis, as_points, check_uniform
from lrla.kernels.row_squares import row_squares
from lrla.sketch import whiten

_LEAST, _FACTOR = 20000, 20  # candidates: at least so many, and so many times m log m
_DOUBLINGS = 6  # of their number, before an error above tol is accepted with a warning


@dataclass(frozen=True, eq=False, repr=False)
class EmpiricalBasis(Result):
    """Functions that are orthonormal on points drawn from a measure. Made by `empirical_basis`.

    Like `Basis`, it can be evaluated, ``basis(X)``, and drawn from.

    Parameters
    ----------
    function : callable
        Evaluates the functions that were given.
    T : numpy.ndarray of shape (k, m)
        Their combinations that are orthonormal on the candidates.
    candidates : numpy.ndarray of shape (size, dim)
        Points drawn from the measure. Christoffel points are drawn among them.
    scores : numpy.ndarray of shape (size,)
        Value of `christoffel` at each candidate, with which it is drawn in proportion.
    orthonormality_error : float
        Spectral norm of the difference between the identity and the Gram matrix on as many points
        again, drawn afresh.
    integrals : numpy.ndarray of shape (m,)
        Mean of each function over the candidates.
    status : Status
        `Status.CONVERGED`, or `Status.MAX_ITER` if the error is above the tolerance.
    info : Info
        seed; condition of the functions as they were given, scaled to norm one.
    """

    function: Callable[[np.ndarray], Any]
    T: np.ndarray
    candidates: np.ndarray
    scores: np.ndarray
    orthonormality_error: float
    integrals: np.ndarray
    status: Status
    info: Info

    mass = 1.0

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return self.candidates.shape[1]

    def __len__(self) -> int:
        """Return m, the number of functions."""
        return self.T.shape[1]

    def __repr__(self) -> str:
        error = f"orthonormality_error={self.orthonormality_error:.2g}"
        return f"EmpiricalBasis(dim={self.dim}, m={len(self)}, {error})"

    def __call__(self, X: Any) -> Array:
        """Evaluate the functions at points: shape (n, m) for X of shape (n, dim)."""
        return self._values(X) @ self.T

    def christoffel(self, X: Any) -> Array:
        """Sum up the squared absolute values of the functions: shape (n,)."""
        return row_squares(self._values(X), self.T)

    def _values(self, X: Any) -> np.ndarray:
        return _evaluate(self.function, as_points(X, self.dim), self.T.shape[0])

    @property
    def n_uniform(self) -> int:
        """How many uniform numbers make a point."""
        return 1

    def from_uniform(self, u: Any) -> np.ndarray:
        """Turn uniform numbers of shape (n, 1) into points of the Christoffel measure."""
        u = check_uniform(u, 1)
        sums = self._sums
        place = np.searchsorted(sums, u[:, 0] * sums[-1], side="right")
        return self.candidates[np.minimum(place, len(sums) - 1)]

    @functools.cached_property
    def _sums(self) -> np.ndarray:
        return np.cumsum(self.scores, dtype=np.float64)


def check_basis(basis: Any) -> None:
    """Refuse what is no basis."""
    if not isinstance(basis, Basis | EmpiricalBasis):
        raise TypeError(
            "basis must be a Basis or an EmpiricalBasis, as made by the functions basis and "
            f"empirical_basis, got {type(basis).__name__}"
        )


def empirical_basis(
    function: Callable[[np.ndarray], Any],
    sampler: Callable[[int, np.random.Generator], Any],
    *,
    size: int | None = None,
    tol: float = 0.1,
    rng: Any = None,
) -> EmpiricalBasis:
    """Make any functions orthonormal under any measure that points can be drawn from.

    For domains that are no boxes, measures that are no products, and functions that are not
    orthonormal, or nearly dependent.

    Parameters
    ----------
    function : callable
        ``function(X)`` for X of shape (n, dim) returns the values of k functions, shape (n, k), real
        or complex.
    sampler : callable
        ``sampler(n, rng)`` returns n points drawn from the measure, shape (n, dim), by a
        `numpy.random.Generator`.
    size : int, optional
        Number of points on which functions are made orthonormal. Default: ``max(20000, 20 k
        log(k))``, doubled until the error is below tol.
    tol : float, default 0.1
        Largest orthonormality error.
    rng : None, int, numpy.random.Generator or SeedSequence, optional
        Seed.

    Returns
    -------
    EmpiricalBasis
        The basis, of as many functions as are independent.

    Raises
    ------
    ValueError
        If size is less than k, or tol is not positive; if points or values have another shape or
        are not finite.

    Warns
    -----
    AccuracyWarning
        If the error on fresh points is above tol: weights and Gram matrices are then off by as much.
    RankDeficientWarning
        If the functions are dependent.

    Notes
    -----
    The measure is replaced by that of many points drawn from it, on which values are made
    orthonormal by `lrla.sketch.whiten`, and Christoffel points are drawn among these by leverage
    [1]_ [2]_. Under that discrete measure everything is exact; under the measure itself Gram matrices
    have an expectation that differs from the identity by ``orthonormality_error``, which is
    measured on fresh points. Costs O(size k**2).

    References
    ----------
    .. [1] G. Migliorati, "Multivariate approximation of functions on irregular domains by weighted
       least-squares methods", IMA J. Numer. Anal. 41, 2021.
    .. [2] B. Adcock, J. M. Cardenas, "Near-optimal sampling strategies for multivariate function
       approximation on general domains", SIAM J. Math. Data Sci. 2, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.approximation import christoffel_sample, empirical_basis
    >>> def disk(n, rng):
    ...     r, angle = np.sqrt(rng.random(n)), 2 * np.pi * rng.random(n)
    ...     return np.column_stack([r * np.cos(angle), r * np.sin(angle)])
    >>> def monomials(X):
    ...     return np.column_stack([X[:, 0]**i * X[:, 1]**j for i in range(4) for j in range(4 - i)])
    >>> space = empirical_basis(monomials, disk, rng=7)
    >>> len(space), space.orthonormality_error < 0.1
    (10, True)
    >>> christoffel_sample(space, 30, rng=7).points.shape
    (30, 2)
    """
    if not tol > 0:
        raise ValueError(f"tol must be positive, got {tol}")
    seed = seed_of(rng)
    probe = _draw(sampler, 1, seed, 0)
    k = _evaluate(function, probe, None).shape[1]
    if size is not None and whole(size, "size", 1) < k:
        raise ValueError(f"size must be at least the number of functions, {k}, got {size}")
    n = size or max(_LEAST, math.ceil(_FACTOR * k * math.log(max(k, 2))))
    candidates = _draw(sampler, n, seed, 1)
    values = _evaluate(function, candidates, k)
    turns = 0 if size is not None else _DOUBLINGS
    while True:
        white = whiten(values, rng=seed)
        T = white.T * math.sqrt(len(values))
        fresh = _draw(sampler, len(values), seed, 2 + turns)
        tested = _evaluate(function, fresh, k)
        error = _defect(tested @ T)
        if error <= tol or turns == 0:
            break
        turns -= 1  # what was fresh joins
        candidates = np.concatenate([candidates, fresh])
        values = np.concatenate([values, tested])
    if error > tol:
        warn(
            f"the functions are orthonormal up to {error:.2g} on fresh points, above tol={tol:g}; "
            "give a larger size, or a sampler of a measure that is nearer to the Christoffel measure",
            AccuracyWarning,
        )
    return EmpiricalBasis(
        function=function,
        T=T,
        candidates=candidates,
        scores=row_squares(values, T),
        orthonormality_error=error,
        integrals=np.mean(values, axis=0) @ T,
        status=Status.CONVERGED if error <= tol else Status.MAX_ITER,
        info=Info(seed=seed, condition=white.condition),
    )


def _draw(sampler: Callable[[int, np.random.Generator], Any], n: int, seed: int, part: int) -> Any:
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(part,)))
    X = as_array(sampler(n, rng), "the points of sampler")
    if X.shape[0] != n:
        raise ValueError(f"sampler must return {n} points, got shape {tuple(X.shape)}")
    check_finite(X, "the points of sampler")
    return X


def _evaluate(function: Callable[[np.ndarray], Any], X: np.ndarray, k: int | None) -> np.ndarray:
    own = space_of(X).xp.asarray(X, copy=True)  # functions may write into what they get
    V = as_array(function(own), "the values of function")
    if V.shape[0] != X.shape[0] or V.shape[1] == 0 or k not in (None, V.shape[1]):
        wanted = f"({X.shape[0]}, {'k' if k is None else k})"
        raise ValueError(f"function must return values of shape {wanted}, got {tuple(V.shape)}")
    check_finite(V, "the values of function")
    return V


def _defect(V: np.ndarray) -> float:
    G = V.conj().T @ V / len(V)
    return float(np.linalg.norm(G - np.eye(len(G)), 2))
