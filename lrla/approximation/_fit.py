"""From values at the points of a design to a fit that says how good it is."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, as_array, is_complex, space_of, to_host, unit_roundoff
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.results import Info, Result, Status, show
from lrla.approximation._basis import Basis
from lrla.approximation._certificate import Certificate, averaged, certify
from lrla.approximation._design import Design
from lrla.approximation._empirical import EmpiricalBasis
from lrla.approximation._solve import Rows, choose, extremes, solve

_LISTED = 5  # points that an error message shows


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WeightedFit(Result):
    """A weighted least-squares approximation and what is known of its error.

    Parameters
    ----------
    coefficients : array of shape (m,) or (m, q)
        Of the basis functions.
    standard_errors : array like coefficients, or None
        Of each coefficient, from the spread of several estimates; None if there is one.
    design : Design
        Where the function was evaluated; without points left out by ``nan_policy``.
    residuals : array of shape (n,) or (n, q)
        What the approximation leaves of the values.
    loo_residuals : array of shape (n,) or (n, q), or None
        What it would leave of each value without knowing it; infinite where the other points do not
        determine the coefficients. None beyond 5000 functions, where leverage costs too much.
    residual_norm : float or array of shape (q,)
        ``sqrt(mean(weights * abs(residuals)**2))``, less than the error in L2(mu) as a rule.
    loo_error : float, array of shape (q,) or None
        The same of ``loo_residuals``: an estimate of the error in L2(mu), slightly large.
    certificate : Certificate
        Bounds for the error.
    status : Status
        `Status.CONVERGED`.
    info : Info
        method ("cholesky", "qr" or "cg"); iterations of the last; n_evaluations of the function;
        n_omitted points; seed; seconds.
    """

    coefficients: Array
    standard_errors: Array | None
    design: Design
    residuals: Array
    loo_residuals: Array | None
    residual_norm: Any
    loo_error: Any
    certificate: Certificate
    status: Status
    info: Info


class Fitted:
    """What estimators show of their parameters, and of their last fit."""

    result_: WeightedFit
    basis_: Basis | EmpiricalBasis

    def __repr__(self) -> str:
        parts = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value, default = getattr(self, name), parameter.default
            text = repr(value) if isinstance(value, float) else show(value)
            if default is parameter.empty:
                parts.append(text)
            elif not (
                value is default or (isinstance(value, float | int | str) and value == default)
            ):
                parts.append(f"{name}={text}")
        return f"{type(self).__name__}({', '.join(parts)})"

    @property
    def coef_(self) -> Array:
        """Coefficients of the basis functions."""
        return self._fitted().coefficients

    @property
    def design_(self) -> Design:
        """Where the function was evaluated."""
        return self._fitted().design

    @property
    def certificate(self) -> Certificate:
        """Bounds for the error."""
        return self._fitted().certificate

    @property
    def loo_error_(self) -> Any:
        """Leave-one-out estimate of the error."""
        return self._fitted().loo_error

    def predict(self, X: Array) -> Array:
        """Evaluate the approximation.

        Parameters
        ----------
        X : array of shape (n, dim)
            Points of the domain.

        Returns
        -------
        array of shape (n,) or (n, q)
            Values.
        """
        coefficients = self.coef_  # says so if there are none yet
        return combine(self.basis_, X, coefficients)

    def _fitted(self) -> WeightedFit:
        if not hasattr(self, "result_"):
            raise AttributeError("fit must be called first: there is no approximation yet")
        return self.result_


def fit_design(
    basis: Basis | EmpiricalBasis,
    design: Design,
    Y: Array,
    *,
    delta: float,
    insist: bool,
    omit: bool,
) -> WeightedFit:
    """Solve on one design; ``insist`` on its stability by a warning, ``omit`` what is not finite."""
    design, Y = _finite(design, Y, omit)
    rows = _rows(basis, design)
    n, m = (int(k) for k in rows.values.shape)
    if n < m:
        raise ValueError(
            f"there must be at least as many points as functions, got {n} points for {m}"
        )
    low, high = ends = extremes(rows)
    u = unit_roundoff(space_of(rows.values).xp, abs(rows.values[:1, :1]).dtype)
    if low <= (4 * max(n, m) * u) ** 2 * high:
        raise ValueError(
            f"the points must determine the coefficients, but {n} points for {m} functions have "
            f"a Gram matrix with eigenvalues from {low:.1e} to {high:.1e}; give more points"
        )
    certificate = certify(rows, design.kind, design.info, delta, ends=ends)
    if isinstance(basis, EmpiricalBasis):
        rests = (
            f"the functions are orthonormal, which they are up to {basis.orthonormality_error:.1g}"
        )
        certificate = replace(certificate, premises=(*certificate.premises, rests))
    if insist and not certificate:
        warn(
            f"the smallest eigenvalue of the Gram matrix is {low:.3g}, less than 1 - delta = "
            f"{1 - delta:.3g}: values are amplified up to {certificate.sup_constant:.3g}",
            AccuracyWarning,
        )
    method = choose(m, certificate.condition)
    vector = Y.ndim == 1
    solution = solve(rows, Y[:, None] if vector else Y, ends, method)

    def shaped(Z: Array | None) -> Any:
        return Z[:, 0] if vector and Z is not None else Z

    loo = None if solution.loo_residuals is None else mean_square(design, solution.loo_residuals)
    norm = mean_square(design, solution.residuals)
    return WeightedFit(
        coefficients=shaped(solution.coefficients),
        standard_errors=None,
        design=design,
        residuals=shaped(solution.residuals),
        loo_residuals=shaped(solution.loo_residuals),
        residual_norm=float(norm[0]) if vector else norm,
        loo_error=float(loo[0]) if vector and loo is not None else loo,
        certificate=certificate,
        status=Status.CONVERGED,
        info=Info(method=method, iterations=solution.iterations),
    )


def _rows(basis: Basis | EmpiricalBasis, design: Design) -> Rows:
    """Evaluate the basis, and check what designs that users make may have."""
    values, weights = basis(design.points), design.weights
    xp = space_of(values, weights).xp
    if tuple(weights.shape) != (values.shape[0],):
        raise ValueError(
            f"weights of a design must be one for each of its {values.shape[0]} points, got shape "
            f"{tuple(weights.shape)}"
        )
    if is_complex(weights) or not bool(xp.all(xp.isfinite(weights) & (weights >= 0))):
        raise ValueError("weights of a design must be real, finite and not negative")
    if not bool(xp.all(xp.isfinite(values))):
        raise ValueError("the functions of basis overflow at the points; take lower degrees")
    return Rows(values, weights)


def _finite(design: Design, Y: Array, omit: bool) -> tuple[Design, Array]:
    """Refuse values that are not finite, or leave their points out."""
    fine, problem = finite_values(Y, design.points)
    if bool(np.all(fine)):
        return design, Y
    if not omit:
        raise ValueError(
            f"values must be finite, got {problem}; pass nan_policy='omit' to leave them out"
        )
    xp = space_of(Y).xp
    space = space_of(design.points)
    kept = space.asarray(np.flatnonzero(fine), space.xp.int64)
    design = replace(
        design,
        points=xp.take(design.points, kept, axis=0),
        weights=xp.take(design.weights, kept),
        info=Info(**{**design.info, "omitted": int(np.sum(~fine))}),
    )
    return design, xp.take(Y, kept, axis=0)


def finite_values(Y: Array, points: Array) -> tuple[np.ndarray, str]:
    """Tell which rows of values are finite, and in words which points the others belong to."""
    xp = space_of(Y).xp
    finite = xp.isfinite(Y)
    fine = to_host(finite if Y.ndim == 1 else xp.all(finite, axis=1))
    bad = np.flatnonzero(~fine)
    shown = to_host(points)[bad[:_LISTED]].tolist()
    more = ", ..." if len(bad) > _LISTED else ""
    return fine, (
        f"NaN or infinity at {len(bad)} of {len(fine)} points, "
        f"numbers {bad[:_LISTED].tolist()}{more}, which are {shown}{more}"
    )


def combine(basis: Basis | EmpiricalBasis, X: Any, coefficients: Array) -> Array:
    """Evaluate a combination of basis functions."""
    values = basis(X)
    xp = space_of(values, coefficients).xp
    dtype = xp.result_type(values, coefficients)
    return xp.astype(values, dtype, copy=False) @ xp.astype(coefficients, dtype, copy=False)


def check_values(y: Any, points: Array, name: str) -> Array:
    """Look at the values at points."""
    y = as_array(y, name, ndim=(1, 2))
    space_of(y, points)
    if y.shape[0] != points.shape[0]:
        raise ValueError(
            f"{name} must be one for each of {points.shape[0]} points, got shape {tuple(y.shape)}"
        )
    return y


def mean_square(design: Design, E: Array) -> Array:
    """Root of the weighted mean of squares, column by column."""
    xp = space_of(E).xp
    size = abs(E)
    w = xp.astype(xp.sqrt(design.weights / len(design)), size.dtype)
    return linalg.norm(w[:, None] * size, axis=0)


def average(fits: list[WeightedFit]) -> WeightedFit:
    """Average independent estimates; residuals stay those of each on its own points."""
    q, xp = len(fits), space_of(fits[0].coefficients).xp
    X = xp.stack([fit.coefficients for fit in fits])
    mean = xp.mean(X, axis=0)
    spread = linalg.norm(X - mean, axis=0) / math.sqrt(q * (q - 1))
    first = fits[0].design
    design = replace(
        first,
        points=xp.concat([fit.design.points for fit in fits], axis=0),
        weights=xp.concat([fit.design.weights for fit in fits]),
        info=Info(**{**first.info, "n_estimators": q}),
    )
    loo = [fit.loo_residuals for fit in fits]
    return replace(
        fits[0],
        coefficients=mean,
        standard_errors=spread,
        design=design,
        residuals=xp.concat([fit.residuals for fit in fits], axis=0),
        loo_residuals=None if loo[0] is None else xp.concat(loo, axis=0),
        residual_norm=_rootmean_square([fit.residual_norm for fit in fits]),
        loo_error=None if loo[0] is None else _rootmean_square([fit.loo_error for fit in fits]),
        certificate=averaged([fit.certificate for fit in fits]),
    )


def _rootmean_square(values: list[Any]) -> Any:
    if isinstance(values[0], float):
        return math.hypot(*values) / math.sqrt(len(values))
    return linalg.norm(space_of(*values).xp.stack(values), axis=0) / math.sqrt(len(values))
