"""`AdaptiveLeastSquares`: spaces that grow until a tolerance is met, and every evaluation is kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from lrla._core.arrays import Array
from lrla._core.errors import ConvergenceWarning, warn
from lrla._core.iteration import Callback, Loop
from lrla._core.numbers import whole
from lrla._core.random import seed_of
from lrla._core.results import Info, Status
from lrla.approximation._basis import Basis
from lrla.approximation._design import Design
from lrla.approximation._fit import (
    Fitted,
    WeightedFit,
    check_values,
    fit_design,
    mean_square,
)
from lrla.approximation._margins import positions
from lrla.approximation._neighbours import following
from lrla.approximation._processes import dpp_sample
from lrla.approximation._solve import Rows, extremes
from lrla.approximation._stable import StabilityError, check_share, child

_STEPS = 60
_MORE = 50  # samples that may be added to make one design stable


class Step(NamedTuple):
    """One space of an `AdaptiveLeastSquares`.

    Parameters
    ----------
    m : int
        Number of functions.
    n_points : int
        Number of evaluations so far.
    lambda_min : float
        Smallest eigenvalue of the Gram matrix.
    loo_error : float or array of shape (q,)
        Leave-one-out estimate of the error.
    """

    m: int
    n_points: int
    lambda_min: float
    loo_error: Any


class _Mixture:
    """Points drawn from processes of several spaces, weighed as draws from all of them together."""

    def __init__(self, dim: int, seed: int) -> None:
        self.points = np.empty((0, dim))
        self.spaces: list[Basis] = []
        self.counts: list[int] = []
        self.seed, self.drawn = seed, 0

    def add(self, space: Basis, count: int = 1) -> None:
        """Draw samples of the process of a space."""
        self.spaces.append(space)
        self.counts.append(count)
        for _ in range(count):
            more = dpp_sample(space, rng=child(self.seed, self.drawn)).points
            self.points = np.concatenate((self.points, more))
            self.drawn += 1

    def design(self) -> Design:
        """Weigh all points: with these weights the expectation of G is the identity."""
        density = np.zeros(len(self.points))
        for space, count in zip(self.spaces, self.counts, strict=True):
            density += count * space.christoffel(self.points)
        info = Info(seed=self.seed, n_samples=self.drawn)
        weights = len(self.points) / density
        return Design(self.points, weights, "nested", Status.CONVERGED, info)


class AdaptiveLeastSquares(Fitted):
    """Approximate a function to a tolerance in spaces that grow, keeping every evaluation.

    Parameters
    ----------
    basis : Basis
        The space to start from.
    index_sets : sequence of arrays of int, optional
        Index sets of the spaces that follow, each containing the one before. By default the values
        choose: indices next to those at hand join, by the size that the residual shows for their
        coefficients.
    tol : float, optional
        Error to reach, relative to the norm of the function, both in L2(mu) and estimated: by
        leaving points out, and by the values. Required without ``index_sets``; with them, by
        default all of them are used.
    budget : int, default 10000
        Most evaluations of the function.
    growth : float, default 2
        Factor by which the number of functions grows in each step that the values choose.
    n_repeats : int, default 2
        Samples of the process of what is added to the space, in every step.
    delta : float, default 0.9
        In every step the smallest eigenvalue of the Gram matrix G reaches at least 1 - delta.
    callback : callable, optional
        ``callback(state)`` after each step, with the relative error as ``state.error`` and the
        coefficients as ``state.x``; returning true stops.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Seed.

    Attributes
    ----------
    basis_ : Basis
        The last space.
    coef_ : array of shape (m,) or (m, q)
        Coefficients.
    design_ : Design
        All points where the function was evaluated.
    certificate : Certificate
        Bounds for the error, except for its expectation.
    loo_error_ : float or array of shape (q,)
        Leave-one-out estimate of the error.
    history_ : tuple of Step
        m, n_points, lambda_min and loo_error of every space.
    result_ : WeightedFit
        The last fit, with residuals, status and info.

    See Also
    --------
    WeightedLeastSquares : for one space.

    Notes
    -----
    When functions that span W join, ``n_repeats`` samples of the projection process of W are added.
    With those before, they have the intensity of as many samples of the whole space, so with the
    weights of a mixture, n over the sum of the intensities at a point, the expectation of G is the
    identity, as for optimal points that are all drawn anew, if the spaces do not depend on the
    values [1]_. Samples of the whole space are added, and count in the weights, while G is not
    stable. One function at a time these would be stratified independent points; large steps keep
    more of the stability of projection processes, whence the default of doubling.

    Values choose by the inner products of the residual with functions around those at hand, the
    largest first, together with all functions nearer to zero, so that an index set without holes
    stays so.

    References
    ----------
    .. [1] B. Arras, M. Bachmayr and A. Cohen, "Sequential sampling for optimal weighted least
       squares approximations in hierarchical spaces", SIAM J. Math. Data Sci. 1, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.approximation import AdaptiveLeastSquares, basis, total_degree
    >>> model = AdaptiveLeastSquares(basis("legendre", total_degree(2, 1)), tol=1e-6, rng=7)
    >>> model = model.fit(lambda X: np.exp(X[:, 0] + 0.1 * X[:, 1]))
    >>> bool(model.result_), [step.m for step in model.history_][:3], model.loo_error_ < 1e-5
    (True, [3, 6, 12], True)
    """

    def __init__(
        self,
        basis: Basis,
        *,
        index_sets: Sequence[Any] | None = None,
        tol: float | None = None,
        budget: int = 10_000,
        growth: float = 2.0,
        n_repeats: int = 2,
        delta: float = 0.9,
        callback: Callback | None = None,
        rng: Any = None,
    ) -> None:
        self.basis = basis
        self.index_sets = index_sets
        self.tol = tol
        self.budget = budget
        self.growth = growth
        self.n_repeats = n_repeats
        self.delta = delta
        self.callback = callback
        self.rng = rng

    def fit(self, X: Callable[[Array], Array]) -> AdaptiveLeastSquares:
        """Approximate a function.

        Parameters
        ----------
        X : callable
            A function of points, an array of shape (n, dim), that returns their values, of shape
            (n,) or (n, q). It is called once in every step, with the new points.

        Returns
        -------
        AdaptiveLeastSquares
            The estimator itself.

        Raises
        ------
        StabilityError
            If a design does not become stable.
        ValueError
            If a value is not finite, the budget does not suffice for the first space, index sets
            are not nested, or parameters are out of range.
        TypeError
            If X is not a function, or the basis is none of products.

        Warns
        -----
        ConvergenceWarning
            If the tolerance was not met.
        """
        start = time.perf_counter()
        spaces = self._check(X)
        seed = seed_of(self.rng)
        mixture = _Mixture(self.basis.dim, seed)
        last = _STEPS if spaces is None else len(spaces)
        loop = Loop("adaptive least squares", max_iter=last, callback=self.callback)
        steps: list[Step] = []
        space, before = self.basis, 0
        values: np.ndarray | None = None
        found: WeightedFit | None = None
        with loop.interruptible():
            for step in loop:
                if spaces is not None:
                    space = spaces[step - 1]
                elif found is not None:
                    space = self._grown(space, found)
                design = self._stable(mixture, space, before)
                if len(design) > self.budget:
                    loop.stop(Status.BUDGET)
                    continue
                values = _extended(values, X, design.points)
                found = fit_design(space, design, values, delta=self.delta, insist=True, omit=False)
                low, error = found.certificate.lambda_min, found.loo_error
                steps.append(Step(len(space), len(design), low, error))
                self.basis_, before = space, len(space)
                relative = loop.report(_relative(found, values), found.coefficients)
                if self.tol is not None and relative <= self.tol:
                    loop.stop(Status.CONVERGED)
        if found is None:
            raise ValueError(
                f"budget must allow the {len(design)} evaluations for the first {len(space)} "
                f"functions, got {self.budget}"
            )
        status = loop.status
        assert status is not None
        if self.tol is None and status is Status.MAX_ITER:
            status = Status.CONVERGED  # all the spaces that were asked for
        if status not in (Status.CONVERGED, Status.STOPPED):
            warn(f"the relative error is {relative:.1e}: {status.value}", ConvergenceWarning)
        info = Info(**found.info, n_evaluations=steps[-1].n_points, n_omitted=0,
                    history=tuple(loop.history), seed=seed,
                    seconds=time.perf_counter() - start)  # fmt: skip
        self.history_ = tuple(steps)
        self.result_ = replace(found, status=status, info=info)
        return self

    def _check(self, X: Any) -> list[Basis] | None:
        """Check the parameters, and list the spaces if they are given."""
        if not callable(X):
            raise TypeError(f"X must be a function of points, got {type(X).__name__}")
        if not isinstance(self.basis, Basis):
            raise TypeError(f"basis must be a Basis of products, got {type(self.basis).__name__}")
        check_share(self.delta, "delta")
        whole(self.budget, "budget", 1)
        whole(self.n_repeats, "n_repeats", 1)
        if not 1 < self.growth < math.inf:
            raise ValueError(f"growth must be finite and more than 1, got {self.growth}")
        if self.tol is not None and not self.tol > 0:
            raise ValueError(f"tol must be positive, got {self.tol}")
        if self.index_sets is None:
            if self.tol is None:
                raise ValueError(
                    "tol must be given without index_sets: nothing else ends the growth"
                )
            return None
        spaces = [self.basis]
        for index_set in self.index_sets:
            space = self.basis.restricted(index_set)
            if np.any(positions(spaces[-1].indices, space.indices) < 0):
                raise ValueError(
                    f"index_sets must be nested, but that of {len(space)} functions does not contain "
                    f"the one of {len(spaces[-1])} before it"
                )
            # those that were there come first
            new = space.indices[positions(space.indices, spaces[-1].indices) < 0]
            if len(new) == 0:
                raise ValueError(
                    f"index_sets must grow, but two of them have the same {len(space)}"
                )
            spaces.append(self.basis.restricted(np.concatenate((spaces[-1].indices, new))))
        return spaces

    def _grown(self, space: Basis, found: WeightedFit) -> Basis:
        """Let functions join, as the residual says."""
        count = max(math.ceil((self.growth - 1) * len(space)), 1)
        new = following(space, found, count)
        return space.restricted(np.concatenate((space.indices, new)))

    def _stable(self, mixture: _Mixture, space: Basis, before: int) -> Design:
        """Draw points for the functions that joined, and more until the design is stable."""
        mixture.add(space.restricted(space.indices[before:]), int(self.n_repeats))
        for _ in range(_MORE):
            design = mixture.design()
            low, high = extremes(Rows(space(design.points), design.weights))
            if low >= 1 - self.delta or len(design) > self.budget:
                return design
            mixture.add(space, 1)
        raise StabilityError(
            f"{_MORE} further samples of {len(space)} points do not make the design stable: its "
            f"eigenvalues are from {low:.3g} to {high:.3g} and delta is {self.delta}; raise delta",
            design,
        )


def _extended(values: np.ndarray | None, function: Callable[[Array], Array], points: Array) -> Any:
    """Ask for the values at the points after those that are known."""
    known = 0 if values is None else len(values)
    more = check_values(
        function(points[known:].copy()), points[known:], "the values of the function"
    )
    if values is None:
        return more
    if more.shape[1:] != values.shape[1:]:
        raise ValueError(
            f"the values of the function must keep their shape, got {more.shape} after {values.shape}"
        )
    return np.concatenate((values, more))


def _relative(found: WeightedFit, values: np.ndarray) -> float:
    """Leave-one-out error over the norm of the function, the largest over several functions."""
    if found.loo_error is None:
        return math.inf
    norms = np.atleast_1d(mean_square(found.design, values.reshape(len(values), -1)))
    errors = np.atleast_1d(found.loo_error)
    return float(np.max(np.where(norms > 0, errors / np.where(norms > 0, norms, 1), 0.0)))
