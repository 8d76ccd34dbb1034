"""The complexity of classification data: how lopsided a classifier can be on them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.arrays import is_complex
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.operators import Operator, as_operator
from lrla._core.results import Info, Result, Status

_SEPARABLE = 1e8
_TOLERANCE = 1e-10
_ROUNDS = 50


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MuComplexityResult(Result):
    """The complexity of labelled data.

    Parameters
    ----------
    mu : float
        The complexity, at least 1; infinite if the classes can be separated.
    x : array of shape (n,)
        Coefficients for which the ratio is mu; if it is infinite, coefficients that misclassify no
        row and classify some.
    status : Status
        `Status.CONVERGED`.
    info : Info
        ``violation``: ``norm(Z.T @ v, 1)`` over the sum of the sizes of all entries of Z, for the v
        that proves that no ratio is larger; ``iterations``, linear programs; ``seconds``.
    """

    mu: float
    x: np.ndarray
    status: Status
    info: Info


def mu_complexity(A: Any, labels: Any = None) -> MuComplexityResult:
    """Compute how lopsided a linear classifier can be: ``sup norm((Zx)+, 1) / norm((Zx)-, 1)``.

    Parameters
    ----------
    A : array of shape (m, n) or sparse matrix of SciPy
        The features, or, without labels, Z itself.
    labels : array of shape (m,), optional
        The class of each row, -1 or 1: the rows of Z are the labels times those of A.

    Returns
    -------
    MuComplexityResult
        With fields mu, x, status and info.

    Raises
    ------
    ValueError
        If A is empty or not finite, or the labels are not -1 and 1.
    TypeError
        If A is complex, or not an array of NumPy or a sparse matrix of SciPy.

    Warns
    -----
    AccuracyWarning
        If the classes are separable, wholly or in part: mu is infinite, and no small sample need
        keep the relative error of the loss.

    See Also
    --------
    logistic_coreset : samples whose size depends on mu.

    Notes
    -----
    Multiplying x by -1 inverts the ratio, so that mu >= 1, and mu = 1 means perfect balance. It is
    the number of [1]_ that says whether logistic regression has small coresets. It is found
    exactly: mu is the least M for which some v with ``1 <= v <= M`` solves ``Z^T v = 0``, and none
    does if and only if the classes are separable. Dinkelbach's method [2]_ climbs to it from below
    by linear programs with n constraints, solved by HiGHS. Ratios above 1e8 count as infinite, for
    the tolerance of linear programming does not tell them apart.

    References
    ----------
    .. [1] A. Munteanu, C. Schwiegelshohn, C. Sohler and D. P. Woodruff, "On coresets for logistic
       regression", NeurIPS 2018.
    .. [2] W. Dinkelbach, "On nonlinear fractional programming", Management Science 13, 1967.

    Examples
    --------
    >>> from lrla.sampling import mu_complexity
    >>> result = mu_complexity([[1.0], [2.0], [-1.0]])
    >>> round(result.mu, 9)
    3.0
    """
    start = time.perf_counter()
    Z, A_sparse = _look(A, labels)
    scale = _norms(Z)
    Z = Z / scale if not A_sparse else Z.multiply(1 / scale[None, :]).tocsr()
    x, mu, gain, rounds = _climb(Z)
    if math.isinf(mu):
        warn(
            "the classes are separable: mu is infinite, and a coreset with a small relative error "
            "need not exist",
            AccuracyWarning,
        )
    info = Info(violation=gain, iterations=rounds, seconds=time.perf_counter() - start)
    return MuComplexityResult(mu, x / scale, Status.CONVERGED, info)


def _look(A: Any, labels: Any) -> tuple[Any, bool]:
    op: Operator = as_operator(A)
    if op.kind not in ("dense", "sparse") or not op.space.is_numpy:
        raise TypeError(
            "A must be an array of NumPy or a sparse matrix of SciPy, for linear programming is "
            f"done by SciPy; got {type(A).__name__}"
        )
    if 0 in op.shape:
        raise ValueError(f"A must have at least one row and one column, got shape {op.shape}")
    entries = op.A.data if op.kind == "sparse" else op.A
    if is_complex(entries):
        raise TypeError(f"A must be real, got dtype {op.dtype}")
    op.check_entries()
    Z = op.A.astype(np.float64)
    if labels is not None:
        y = np.asarray(labels)
        if y.shape != (op.shape[0],) or not np.all((y == 1) | (y == -1)):
            raise ValueError(
                f"labels must be {op.shape[0]} numbers -1 or 1, got shape {y.shape} and values "
                f"{np.unique(y)[:4]}"
            )
        Z = Z.multiply(y[:, None]).tocsr() if op.kind == "sparse" else Z * y[:, None]
    return Z, op.kind == "sparse"


def _norms(Z: Any) -> np.ndarray:
    """Largest entry of each column, one for those that are zero: mu does not depend on units."""
    peak = np.asarray(abs(Z).max(axis=0).todense() if hasattr(Z, "todense") else abs(Z).max(axis=0))
    peak = np.ravel(peak)
    return np.where(peak > 0, peak, 1.0)


def _climb(Z: Any) -> tuple[np.ndarray, float, float, int]:
    """Raise the ratio by Dinkelbach's method: its next value is that of the x with most to gain.

    For a ratio M, ``max sum((Zx)+) - M sum((Zx)-)`` over ``abs(x) <= 1`` is zero if M is the
    largest ratio, and otherwise its x has a larger one. Its dual has n constraints: the least
    ``norm(Z.T @ v, 1)`` over ``1 <= v <= M``.
    """
    from scipy import sparse
    from scipy.optimize import linprog

    m, n = Z.shape
    total = np.asarray(Z.sum(axis=0)).ravel()
    size = float(abs(Z).sum())
    x, mu = total, _ratio(Z @ total)
    rows = sparse.hstack([sparse.csr_array(Z.T), sparse.eye_array(n), -sparse.eye_array(n)])
    cost = np.concatenate([np.zeros(m), np.ones(2 * n)])
    for k in range(_ROUNDS):
        if mu > _SEPARABLE:
            return x, math.inf, 0.0, k
        bounds = np.zeros((m + 2 * n, 2))
        bounds[:m, 1], bounds[m:, 1] = mu - 1, np.inf
        solved = linprog(cost, A_eq=rows.tocsr(), b_eq=-total, bounds=bounds, method="highs-ds")
        gain = float(solved.fun) / size if size else 0.0
        better = -np.asarray(solved.eqlin.marginals)
        ratio = _ratio(Z @ better)
        if gain < _TOLERANCE or ratio <= mu * (1 + _TOLERANCE):
            return x, mu, gain, k + 1
        x, mu = better, ratio
    return x, mu, gain, _ROUNDS


def _ratio(values: np.ndarray) -> float:
    right, wrong = float(values[values > 0].sum()), float(-values[values < 0].sum())
    if right == 0.0 and wrong == 0.0:
        return 1.0
    return right / wrong if wrong > 0 else math.inf
