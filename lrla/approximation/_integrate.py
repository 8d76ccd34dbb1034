"""Integrals from the values at points of projection processes, with standard errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lrla._core import linalg
from lrla._core.numbers import whole
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.approximation._basis import Basis
from lrla.approximation._empirical import EmpiricalBasis, check_basis
from lrla.approximation._fit import check_values, finite_values
from lrla.approximation._processes import repeated_dpp_sample
from lrla.approximation._solve import Rows, Solution, choose, extremes, solve
from lrla.approximation._stable import stable_design


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class IntegralResult(Result):
    """An integral, and how far it may be off.

    Parameters
    ----------
    estimate : float, complex or array of shape (q,)
        The integral of each component of the function.
    standard_error : float, array of shape (q,) or None
        Standard error of each; None where nothing is known of it.
    n_evaluations : int
        At how many points the function was evaluated.
    status : Status
        `Status.CONVERGED`.
    info : Info
        method; n_repeats; estimates, that of each repeat where there is one; lambda_min, the least
        eigenvalue of the Gram matrix, for "wls"; seed.
    """

    estimate: Any
    standard_error: Any
    n_evaluations: int
    status: Status
    info: Info


class _Points(NamedTuple):
    """What is known of the function: repeats along the first axis, then points."""

    V: np.ndarray  # (r, m, m), values of the basis
    weights: np.ndarray  # (r, m)
    y: np.ndarray  # (r, m, q)
    integrals: np.ndarray  # (m,), of the basis


def integrate(
    f: Callable[[np.ndarray], Any],
    basis: Basis | EmpiricalBasis,
    *,
    method: str = "wls",
    n_repeats: int = 3,
    rng: Any = None,
) -> IntegralResult:
    """Integrate a function by its values at points that repel each other.

    Parameters
    ----------
    f : callable
        From points of shape (n, dim) to values of shape (n,), or (n, q) for q functions at once.
        It is called once.
    basis : Basis or EmpiricalBasis
        Which space of functions the points are made for, and the measure: the product measure of
        its families, times ``basis.mass``; for an `EmpiricalBasis` that of its candidates.
    method : {"wls", "control_variate", "bardenet_hardy", "ermakov_zolotukhin"}, default "wls"
        "wls": the integral of the weighted least-squares approximation of f. "control_variate":
        for each repeat, that of the approximation from the others, and the integral of what it
        leaves as for "bardenet_hardy"; their mean. "bardenet_hardy": the sum of f(x) / k_m(x) over
        the points of a repeat, and the mean of these. "ermakov_zolotukhin": the integral of what
        interpolates f at the points of a repeat, and the mean of these.
    n_repeats : int, default 3
        How many independent samples of ``len(basis)`` points are drawn; for "control_variate" at
        least two. With one, "wls" is "ermakov_zolotukhin".
    rng : None, int, numpy.random.Generator or SeedSequence, optional
        Seed.

    Returns
    -------
    IntegralResult
        With fields estimate, standard_error, n_evaluations, status and info.

    Raises
    ------
    ValueError
        If f returns another number of values, or values that are not finite; if the basis does not
        hold the constant function where the method needs it.
    SamplingError
        As for `dpp_sample`.
    StabilityError
        As for `stable_design`, which draws the points for "wls".

    Notes
    -----
    With e what the best approximation of f in the space leaves of it, m functions and r repeats:

    - "bardenet_hardy" [1]_ is unbiased, with no more variance than r m independent points of the
      Christoffel measure. For the Jacobi families, all degrees up to a bound in each coordinate and
      f of class C1 with support inside the cube it is of the order ``m**(-1 - 1 / dim) / r``
      instead of ``1 / (r m)``.
    - "ermakov_zolotukhin" [2]_ is unbiased, with variance ``norm(e)**2 / r`` exactly, but heavy
      tails: now and then one interpolation is poor.
    - "wls" has no such tails, since points are drawn until they are stable, and is not unbiased. Its
      error is of the order of ``norm(e) / sqrt(r m)``: the most accurate where the space
      approximates f.
    - "control_variate" is unbiased for every r of at least 2, and near "wls" from 3 on.

    The standard error of "wls" is that of the jackknife over points. Points of a sample repel each
    other, and so it is too large, as a rule by a third to a factor of two. For the other methods it
    comes from the spread of the repeats, which is r - 1 degrees of freedom; for one repeat,
    "bardenet_hardy" has the standard error of independent points, which is an upper bound in
    expectation, and "ermakov_zolotukhin" none.

    References
    ----------
    .. [1] R. Bardenet, A. Hardy, "Monte Carlo with determinantal point processes", Ann. Appl.
       Probab. 30, 2020.
    .. [2] S. M. Ermakov, V. G. Zolotukhin, "Polynomial approximations and the Monte-Carlo method",
       Theory Probab. Appl. 5, 1960; G. Gautier, R. Bardenet, M. Valko, "On two ways to use
       determinantal point processes for Monte Carlo integration", NeurIPS 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.approximation import basis, integrate, total_degree
    >>> space = basis("legendre", total_degree(2, 8), measure="weight")
    >>> result = integrate(lambda X: np.exp(X[:, 0] + X[:, 1]), space, rng=7)
    >>> result.n_evaluations, abs(result.estimate - (np.e - 1 / np.e) ** 2) < 1e-6
    (135, True)
    """
    if method not in _METHODS:
        raise ValueError(f"method must be one of {', '.join(_METHODS)}, got {method!r}")
    check_basis(basis)
    n_repeats = whole(n_repeats, "n_repeats", 2 if method == "control_variate" else 1)
    # what the basis has of the constant function, whose norm is one
    held = float(np.sum(abs(basis.integrals) ** 2))
    if method in ("wls", "ermakov_zolotukhin") and abs(held - 1) > 1e-6:
        raise ValueError(
            f"the basis must hold the constant function, whose degrees are all zero, for {method!r}"
        )
    if method == "wls" and n_repeats == 1:
        method = "ermakov_zolotukhin"  # what least squares from m points are
    seed = seed_of(rng)
    if method == "wls":
        design = stable_design(basis, n_repeats=n_repeats, rng=seed)
    else:
        design = repeated_dpp_sample(basis, n_repeats, rng=seed)
    y = _values(f, design.points)
    shape = (n_repeats, len(basis), -1)
    points = _Points(
        basis(design.points).reshape(shape),
        design.weights.reshape(shape[:2]),
        y.reshape(shape),
        basis.integrals,
    )
    estimate, error, measured = _METHODS[method](points)

    def finish(x: Any) -> Any:
        x = basis.mass * (x if np.iscomplexobj(y) else np.real(x))
        x = x if y.ndim == 2 else x[..., 0]
        return x if x.ndim else x.item()

    if "estimates" in measured:
        measured["estimates"] = finish(measured["estimates"])
    if method == "wls":
        measured["lambda_min"] = design.info.lambda_min
    return IntegralResult(
        finish(estimate),
        None if error is None else finish(error),
        len(design),
        Status.CONVERGED,
        Info(
            method=method,
            n_repeats=n_repeats,
            **measured,
            seed=seed,
        ),
    )


def _values(f: Callable[[np.ndarray], Any], X: np.ndarray) -> np.ndarray:
    y: np.ndarray = check_values(f(X.copy()), X, "f(X)")
    fine, problem = finite_values(y, X)
    if not np.all(fine):
        raise ValueError(f"f must be finite, got {problem}")
    return y


def _fitted(V: np.ndarray, weights: np.ndarray, y: np.ndarray) -> tuple[Rows, Solution]:
    m, q = V.shape[-1], y.shape[-1]
    rows = Rows(V.reshape(-1, m), weights.reshape(-1))
    ends = extremes(rows)
    return rows, solve(rows, y.reshape(-1, q), ends, choose(m, ends[1] / ends[0]))


def _wls(points: _Points) -> tuple[Any, Any, dict[str, Any]]:
    rows, found = _fitted(points.V, points.weights, points.y)
    error = None
    if found.loo_residuals is not None:
        # how much of the value at each point is in the estimate
        share = rows.values @ np.linalg.solve(rows.gram, points.integrals.conj())
        moves = (rows.weights / len(share) * abs(share))[:, None] * abs(found.loo_residuals)
        error = linalg.norm(moves, axis=0)  # moves: of the estimate, without a point
    return points.integrals @ found.coefficients, error, {}


def _interpolate(points: _Points) -> tuple[Any, Any, dict[str, Any]]:
    # rows of unbounded families differ by many powers of ten, which pivots mind
    root = np.sqrt(points.weights)[..., None]
    found = np.linalg.solve(root * points.V, root * points.y)
    return _spread(np.einsum("k,rkq->rq", points.integrals, found))


def _control(points: _Points) -> tuple[Any, Any, dict[str, Any]]:
    estimates = []
    for j in range(len(points.y)):
        others = np.arange(len(points.y)) != j
        _, found = _fitted(points.V[others], points.weights[others], points.y[others])
        left = points.y[j] - points.V[j] @ found.coefficients
        correction = np.mean(points.weights[j, :, None] * left, axis=0)
        estimates.append(points.integrals @ found.coefficients + correction)
    return _spread(np.array(estimates))


def _sums(points: _Points) -> tuple[Any, Any, dict[str, Any]]:
    terms = points.weights[..., None] * points.y
    r, m, _ = terms.shape
    estimate, error, measured = _spread(np.mean(terms, axis=1))
    if r == 1 and m > 1:  # the points repel: independent ones would have more variance
        error = linalg.norm(terms[0] - estimate, axis=0) / math.sqrt(m * (m - 1))
    return estimate, error, measured


def _spread(estimates: np.ndarray) -> tuple[Any, Any, dict[str, Any]]:
    r = len(estimates)
    mean = np.mean(estimates, axis=0)
    error = None
    if r > 1:
        error = linalg.norm(estimates - mean, axis=0) / math.sqrt(r * (r - 1))
    return mean, error, {"estimates": estimates}


_METHODS = {
    "wls": _wls,
    "control_variate": _control,
    "bardenet_hardy": _sums,
    "ermakov_zolotukhin": _interpolate,
}
