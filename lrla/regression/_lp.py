"""`lp_regression`: look at the input, plan, compute, certify."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

from lrla._core.arrays import Array
from lrla._core.errors import RankDeficientWarning, once
from lrla._core.iteration import Callback
from lrla._core.operators import Operator
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.regression._chebyshev import chebyshev
from lrla.regression._constraints import Constraints, constraints_of
from lrla.regression._lasso import lasso, together
from lrla.regression._lp_input import Question, below, check_options, look
from lrla.regression._newton import newton
from lrla.regression._norms import power_norm
from lrla.regression._one import Answer, Task, predicted, prepare, solve, summary
from lrla.regression._piecewise import interior
from lrla.regression._pilot import likely, pays, piloted
from lrla.regression._sampled import check_size, sampled
from lrla.sketch import Whitening, whiten


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LpResult(Result):
    """Solution of a regression in some norm, and a proof of how good it is.

    Parameters
    ----------
    x : array of shape (n,) or (n, k)
        The solution.
    objective : float or array of shape (k,)
        ``sum(weights * abs(r)**p) ** (1 / p)``, ridge and l1 included; for ``p = inf``
        ``max(weights * abs(r))``, and l1.
    gap : float or array of shape (k,)
        The objective exceeds the least possible one by at most this fraction of itself: it is
        compared with that of ``dual``. Zero where the residual is nothing but rounding. All of this
        is measured at the x returned: see Notes for x in single precision.
    dual : array of shape (m,) or (m, k)
        y with A^H y = 0 and dual norm at most one, so that the real part of ``y^H b`` is a lower
        bound of every objective. The dual norm of p = 1 is ``max(abs(y) / weights)``. With
        constraints, A^H y is a combination C^H v of their rows, and the bound the real part of
        ``y^H b - v^H c``. With l1, what is left of A^H y is not zero, but at most l1 in size, for
        1 < p < inf at most ``l1 / (p * objective**(p - 1))``: see Notes. With a ridge, these are
        the entries that belong to rows of A.
    residuals : array of shape (m,) or (m, k)
        ``b - A @ x``, in rows of weight zero, too.
    rank : int
        Numerical rank of the rows of A and of the constraints together, and of l1 as of a ridge.
    status : Status
        Whether the gap was at most the tolerance before x was rounded to its dtype, and if not, why.
    info : Info
        ``method``; ``iterations`` and ``history`` of the gap, for all right-hand sides one after
        the other; ``condition`` of A (and the constraints), its columns scaled to norm one;
        ``seed``, which as ``rng`` repeats the call; ``seconds``.
    """

    x: Array
    objective: Any
    gap: Any
    dual: Array
    residuals: Array
    rank: int
    status: Status
    info: Info


def lp_regression(
    A: Any,
    b: Any,
    p: float,
    *,
    weights: Any = None,
    ridge: Any = 0.0,
    l1: Any = 0.0,
    constraints: Any = None,
    method: str = "auto",
    size: int | None = None,
    tol: float = 1e-8,
    max_iter: int = 100,
    x0: Any = None,
    callback: Callback | None = None,
    rng: Any = None,
) -> LpResult:
    """Minimise the p-norm of ``A @ x - b``, for any p from one to infinity.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data; never changed. Complex only for 1 < p < inf. Dask arrays are walked by blocks of
        rows; operators are formed densely, up to 2**28 entries.
    b : array of shape (m,) or (m, k)
        Right-hand sides, each a problem of its own.
    p : float
        From 1 (least absolute deviations) to inf (Chebyshev).
    weights : array of shape (m,), optional
        Not negative: minimise ``sum(weights * abs(A @ x - b)**p)``, or for infinite p
        ``max(weights * abs(A @ x - b))``. Rows of weight zero are predicted: they have residuals,
        and no part in anything else.
    ridge : float or array of shape (n,), default 0
        Not negative: add ``sum(ridge * abs(x)**p)`` to the sum, or ``ridge * abs(x)`` to what the
        maximum is taken of. For p = 1 this is the same as l1.
    l1 : float or array of shape (n,), default 0
        The penalty of the lasso, not negative: add ``sum(l1 * abs(x))`` to the sum of p-th powers,
        or to the maximum. Coefficients that it keeps from the model are exactly zero. Real data
        only.
    constraints : tuple of two arrays, of shape (q, n) and (q,) or (q, k), optional
        ``(C, c)``: only x with ``C @ x = c`` are looked at, for each right-hand side its column of
        c. Equations that follow from others are left out; C may be sparse.
    method : {"auto", "interior", "pilot", "newton", "active_set", "sample"}, default "auto"
        "interior": Mehrotra's interior-point method on the dual, then a vertex; for p = 1 [1]_.
        "pilot": for p = 1, the same without the rows whose sign a pilot tells; the answer is the
        same, and its signs are verified. "newton": for 1 < p < inf; near one it is an interior-point
        method, too. "active_set": for p = inf.
        "auto" takes the one for p, and a pilot from 50000 rows on, for dask arrays from
        47 n**1.5 rows on. "sample": rows drawn by the Lewis weights of [A b], and a few passes over
        all rows for objective and gap.
    size : int, optional
        Rows to be drawn by method "sample", at least the rank of A; 100 (rank + 1) by default. Rows
        of a ridge join them, and fewer may then do.
    tol : float, default 1e-8
        Gap between the objective and its lower bound to reach, relative to the objective.
    max_iter : int, default 100
        Most iterations for each right-hand side.
    x0 : array of shape (n,) or (n, k), optional
        Where to start, as the last solution of a similar problem. By default, and where that has a
        lower objective, the weighted least-squares solution.
    callback : callable, optional
        ``callback(state)`` after each iteration, with the gap as ``state.error``; returning true
        stops.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the sketch comes from that conditions the data.

    Returns
    -------
    LpResult
        With fields x, objective, gap, dual, residuals, rank, status and info.

    Raises
    ------
    ValueError
        If p is less than 1, shapes do not fit, an entry is not finite, weights, ridge or l1 are
        negative, no x satisfies the constraints, the rows drawn by method "sample" do not span the
        rows of A, a linear operator has more than 2**28 entries, or x is beyond the largest number
        of its dtype.
    TypeError
        If A is not a matrix of numbers, or complex for p = 1, p = inf or l1, p is not a number, or
        constraints are not a pair, or these or x0 complex where A and b are real.

    Warns
    -----
    RankDeficientWarning
        If the rank is less than the number of columns, in spite of constraints: x is then the
        shortest solution in coordinates in which A is orthonormal.
    ConvergenceWarning
        If the gap stayed above the tolerance.

    See Also
    --------
    quantile_regression : asymmetric absolute values.
    lstsq : p = 2, to full accuracy.

    Notes
    -----
    Every answer proves itself: any y with A^H y = 0 and dual norm at most one bounds all objectives
    from below by ``real(y^H b)``, and ``gap`` compares the objective with that of ``dual``.

    The data are brought into coordinates in which they are orthonormal
    (`lrla.sketch.whiten`), as a copy in panels of rows in double precision; sparse data stay as
    they are where that is faster.

    x has the dtype of A. For A in single precision all is computed in double, and x rounded in the
    end, which moves the fits by up to ``2**-24 * abs(A) @ abs(x)``. Residuals, objective and gap are
    those of the rounded x: where residuals are not much larger than that, the gap tells what the
    digits are worth that x has lost, and ``A.astype("f8")`` keeps them.

    Constraints are eliminated: in coordinates T in which the columns of A T are orthonormal and C T
    is zero, the problem is one without them, in as many unknowns fewer as there are equations. T is
    that of the rows of A and C together times a basis of the null space of C there: it costs some
    multiple of n**2 (n + q) flops, one pass over the data for the norms of their columns, and a
    copy of dense A in memory. What rounding leaves of ``C @ x - c`` is taken off in the end. For
    p = 2 this is as accurate as LAPACK's ``gglse``. The proof holds for a y whose A^H y = C^H v is a
    combination of rows of C: ``real(y^H (b - A x)) = real(y^H b - v^H c)`` for all x that satisfy
    them.

    With l1 the objective is ``(sum(weights * abs(r)**p) + sum(l1 * abs(x)))**(1 / p)``: of
    scikit-learn's ``Lasso(alpha)``, p = 2, this is l1 = 2 m alpha. For p = 1 it is so many rows
    more, for p = inf so many terms more in the linear programme, and for 1 < p < inf the model of
    Newton's method has it as it is, to be minimised by an interior-point method for n coefficients
    and a system of equations for those that are not zero: some n**3 flops beside the m n**2 of an
    iteration. By Fenchel's inequality, for every y and any part s of A^H y, but for a combination of
    rows of C, with ``abs(s) <= l1``, the least sum is at least
    ``real(y^H b) - (p - 1) * sum(weights * (abs(y) / (p * weights))**(p / (p - 1)))``. ``dual`` is
    such a y over ``p * objective**(p - 1)``: o for the objective and ``size`` for its dual norm,
    the p-th power of no objective is less than ``o**p * (p * real(y^H b) / o - (p - 1) *
    size**(p / (p - 1)))``, which without l1, and size one, is the bound above to first order. Where
    the rank of A is not full, the penalty tells solutions apart; if it is so small that rounding
    hides it, the gap says so.

    A sample of rows by Lewis weights of [A b] keeps all p-norms up to a factor 1 +- eps if its size
    is of order n / eps**2 for p < 2, n**(p/2) / eps**2 above, up to logarithms [3]_: with "sample"
    the objective is too large by some tenths of a percent as a rule. The gap is a proof, but larger
    than that, since a dual point made in a few passes is not the best one; the status is that of
    the sample's own problem. With l1 and p > 1, up to five Newton steps over all rows make the dual
    point, and x better on the way; below p = 1.2 that may still prove little.

    p = 1: an interior-point iteration costs one Gram matrix, m n**2 flops, and five products with
    the data; 10 to 20 of them are needed whatever the size. From a relative gap of 1e-3 on, a
    vertex is looked for: n rows that x interpolates, chosen by pivoted QR among those that are
    furthest from their bounds, and dual values that prove it optimal. It is found before the
    iteration ends as a rule, and the answer is then exact up to rounding. Where most residuals are a
    thousand times smaller than their mean, the problem is solved again from there, with those far
    out cut to a thousand medians: as long as they keep their signs, which is verified, the solution
    is the same, and its digits are no longer lost beside a huge outlier. In the history, the gaps
    of such a stage are relative to the objective that is cut.

    1 < p < inf: Newton's method with exact line search, m n**2 flops and about ten passes over m
    numbers for an iteration. The weights of each iteration make a dual point for nothing. Beyond 5,
    p is doubled step by step, each solution the start of the next. Adil, Peng and Sachdeva [2]_ have
    the theory of such a homotopy for another iteration; no bound on the number of Newton steps is
    claimed here. Below 1.15, residuals no longer tell their dual variables: an interior-point method
    finds both, in 10 to 30 iterations however near p is to one. Of complex data Newton's method does
    so, with a homotopy again, and the gap may stay above 1e-8 as p falls below 1.01, and says so.

    p = inf: the linear programme on the rows that matter, with others added until none has a larger
    residual, as in the exchange method of Remez.

    Dask arrays: the answer is that of the array in memory, up to rounding, whatever the chunks. In
    memory are some twenty vectors of m numbers, thirty-five for interior-point methods and Huber's
    loss, and one chunk for each worker; of A, for p = 1, only the rows of the pilot and then those
    whose sign is in doubt, about ``n**0.5 * m**(2/3)``. All else is passes over the chunks: a dozen
    or two with a pilot; 13 and 2 for each iteration for 1 < p < inf, 4 below 1.15; 10 and 5 to 7
    for each iteration without a pilot. The last one measures objective and gap over all rows. Each pass
    makes the chunks anew: ``A.persist()`` keeps those that fit. It has to make the same numbers
    each time: of random chunks without a seed the passes see different data, and x, residuals and
    gap belong to none. The entries of a linear operator are had by n products with columns of the
    identity, once.

    References
    ----------
    .. [1] S. Portnoy and R. Koenker, "The Gaussian hare and the Laplacian tortoise: computability
       of squared-error versus absolute-error estimators", Statist. Sci. 12, 1997.
    .. [2] D. Adil, R. Peng and S. Sachdeva, "Fast, provably convergent IRLS algorithm for p-norm
       linear regression", NeurIPS 2019.
    .. [3] M. B. Cohen and R. Peng, "L_p row sampling by Lewis weights", STOC 2015.

    Examples
    --------
    One wild value does not move a line that is fitted by absolute values:

    >>> import numpy as np
    >>> from lrla.regression import lp_regression
    >>> t = np.arange(6.0)
    >>> A = np.stack([np.ones(6), t], axis=1)
    >>> b = 1 + 2 * t
    >>> b[3] = 100.0
    >>> result = lp_regression(A, b, 1)
    >>> np.round(result.x, 10) + 0.0
    array([1., 2.])
    >>> result.gap < 1e-12
    True
    """
    start = time.perf_counter()
    check_options(tol, max_iter, p)
    p, seed = float(p), seed_of(rng)
    fitting = "interior" if p == 1 else "active_set" if math.isinf(p) else "newton"
    known = ("auto", fitting, "sample") + (("pilot",) if p == 1 else ())
    if method not in known:
        raise ValueError(f"method must be one of {', '.join(known)} for p = {p:g}, got {method!r}")
    if method == "sample":
        check_size(size, p)
    elif size is not None:
        raise ValueError(f"size must be None for method {method!r}; it is for method 'sample'")
    asked = look(A, b, weights, ridge, complex_ok=1 < p < math.inf, l1=l1, absolute=p == 1)
    xp, op = asked.op.space.xp, asked.op
    held = None if constraints is None else constraints_of(constraints, asked)
    options = (tol, max_iter, x0, callback, held)

    def loss(task: Task, x: Array, r: Array) -> float:
        return _objective(task, x, r, p)

    if method == "pilot" or (method == "auto" and p == 1 and x0 is None and pays(op)):
        if held is None:
            scores = likely(op, asked.weights, seed)
        else:
            scores = held.leverage(op, asked.weights**2, seed)
        rank, condition = scores.rank, float(scores.info.condition)
        answers = solve(
            asked,
            None,
            lambda task: piloted(_doubled(task), 0.5, scores, seed),
            *options,
            loss=loss,
        )
    else:
        white = _whitened(asked, held, seed)
        rank, condition = white.rank, white.condition
        T = xp.astype(white.T, asked.B.dtype)
        if method == "sample":
            answers = solve(
                asked,
                None,
                lambda task: sampled(
                    task, T, p, size, asked.n_data, seed, lambda part: prepare(part, T, condition),
                    lambda few: _one(few, p),
                ),
                *options,
                loss=loss,
            )  # fmt: skip
        else:
            answers = solve(
                asked, prepare(op, T, condition), lambda task: _one(task, p), *options, loss=loss
            )
    status, info = summary(answers, condition, seed, tol, start)
    return LpResult(
        asked.coefficients(xp.stack([a.x for a in answers], axis=1)),
        asked.numbers([a.objective for a in answers]),
        asked.numbers([a.gap for a in answers]),
        asked.over_rows(xp.stack([a.y for a in answers], axis=1)),
        asked.over_rows(
            xp.stack([a.r for a in answers], axis=1), predicted(asked, [a.x for a in answers])
        ),
        rank,
        status,
        info,
    )


def _whitened(asked: Question, held: Constraints | None, seed: int) -> Whitening:
    """Find coordinates for all that matters: a penalty tells apart what the data do not."""

    def of(op: Operator) -> Whitening:
        return whiten(op.A, rng=seed) if held is None else held.whiten(op, seed)

    if asked.l1 is None or asked.l1.in_rows:
        return of(asked.op)
    with once(RankDeficientWarning, told=True):
        white = of(asked.op)
    if white.rank == asked.size[1]:
        return white
    return of(below(asked.op, asked.l1.rows(asked.op)))


def _objective(task: Task, x: Array, r: Array, p: float) -> float:
    """Return the norm of the residuals r, with the penalty unless it is in them."""
    if math.isinf(p):
        size = float(task.op.space.xp.max(task.weights * abs(r)))
        return size + (task.l1.value(x) if task.l1 is not None else 0.0)
    size = power_norm(r, task.weights, p)
    return together(size, task.l1.value(x), p) if task.l1 is not None and task.has_l1 else size


def _doubled(task: Task) -> Task:
    """Make absolute values of what is half of them: the loss of the median."""
    return replace(task, weights=2 * task.weights)


def _one(task: Task, p: float) -> Answer:
    if p == 1:
        return interior(_doubled(task), 0.5)
    if math.isinf(p):
        return chebyshev(task)
    return newton(task, p) if task.l1 is None else lasso(task, p, task.l1)
