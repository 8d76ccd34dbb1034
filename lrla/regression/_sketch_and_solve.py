"""A quick answer from a sketch alone, with standard errors that say how quick and how dirty."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array
from lrla._core.numbers import whole
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.regression._factor import from_rows
from lrla.regression._input import Question, check_range, look
from lrla.regression._problem import OutOfRangeError, Problem
from lrla.sketch import SketchOperator, make

_DENSE = ("gaussian", "rademacher", "srht", "srtt")
_WHOLE = (*_DENSE, "sparse_sign", "sparse_uniform", "countsketch")  # these read all rows


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SketchedLstsqResult(Result):
    """Solution of a sketched least-squares problem and how far it may be from the exact one.

    Parameters
    ----------
    x : array of shape (n,) or (n, p)
        Solution of ``min norm(S @ (A @ x - b))``.
    standard_errors : array of shape (n,) or (n, p)
        Of each coefficient, as an estimate of the exact least-squares solution.
    residual_norm : float or array of shape (p,)
        Estimate of the norm of the exact residual.
    rank : int
        Numerical rank of the sketch.
    status : Status
        Always `Status.CONVERGED`: nothing iterates.
    info : Info
        ``error_estimate``: of ``norm(A @ (x - x_exact))``; ``max_error_estimate``: the bound
        ``eps / sqrt(n) * norm(r) * norm(pinv(A))`` of the l_inf guarantee, evaluated with estimates
        (None for "l2"), where ``d`` was given for the eps that so many rows reach; ``degrees_of_freedom``; ``sketch``, None if all rows were used; ``seed``;
        ``seconds``.
    """

    x: Array
    standard_errors: Array
    residual_norm: Any
    rank: int
    status: Status
    info: Info

    def confidence_interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Give intervals that hold each exact coefficient with probability ``level``.

        Parameters
        ----------
        level : float, default 0.95
            Coverage of each interval by itself, over draws of the sketch.

        Returns
        -------
        low, high : array
            ``x`` minus and plus a quantile of Student's t times the standard errors: exact for
            Gaussian sketches, asymptotic in d for the others.
        """
        if not 0 < level < 1:
            raise ValueError(f"level must be between 0 and 1, got {level}")
        from scipy.special import stdtrit

        df = self.info.degrees_of_freedom
        t = float(stdtrit(df, 0.5 + level / 2)) if math.isfinite(df) else 0.0
        return self.x - t * self.standard_errors, self.x + t * self.standard_errors


def sketch_and_solve(
    A: Any,
    b: Any,
    *,
    eps: float = 0.5,
    guarantee: str = "l2",
    delta: float = 0.01,
    sizing: str = "calibrated",
    family: str | None = None,
    d: int | None = None,
    force: bool = False,
    n_sketches: int = 1,
    weights: Any = None,
    rng: Any = None,
) -> SketchedLstsqResult:
    """Solve a sketch of a least-squares problem, and say how far the answer may be off.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data; one pass is made over them.
    b : array of shape (m,) or (m, p)
        Right-hand sides.
    eps : float, default 0.5
        Accuracy, see ``guarantee``; it determines the number of rows of the sketch.
    guarantee : {"l2", "linf"}, default "l2"
        "l2": the root mean square of ``norm(A @ (x - x_exact))`` is at most ``eps * norm(r)``, r
        the exact residual. "linf": ``max(abs(x - x_exact))`` is at most
        ``eps / sqrt(n) * norm(r) * norm(pinv(A))`` with probability 1 - delta [1]_ [2]_; that
        needs a dense family.
    delta : float, default 0.01
        Probability of failure of the "linf" guarantee.
    sizing : {"calibrated", "theory"}, default "calibrated"
        Rows for "linf": ``n (1 + 2 log(2n/delta) / eps**2)``, from the law that the error has for
        Gaussian sketches, or ``n log(m/delta)**3 / eps**2``, the bound of [1]_ for the SRHT with
        its unknown constant taken as 1.
    family : str, optional
        Family of the sketch; the default is "sparse_sign" for "l2" and "srht" for "linf".
    d : int, optional
        Rows of the sketch; eps and ``sizing`` are then not used. As many as A has, or more: the
        exact solution is returned.
    force : bool, default False
        Allow a sparse family for "linf", against what is known.
    n_sketches : int, default 1
        Average the solutions of this many independent sketches.
    weights : array of shape (m,), optional
        Non-negative weights of the rows.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the sketch comes from.

    Returns
    -------
    SketchedLstsqResult
        With fields x, standard_errors, residual_norm, rank, status and info, and the method
        ``confidence_interval``.

    Raises
    ------
    ValueError
        If shapes do not fit, an entry is not finite, a parameter is out of its range, the sketch
        has fewer than n + 2 rows, A has more columns than rows, a sparse family is asked for the
        "linf" guarantee, or the result is beyond the largest number of its dtype.
    TypeError
        As for `lstsq`.

    See Also
    --------
    lstsq : the exact solution, at little more cost.

    Notes
    -----
    Given A and b, the error of a sketched solution has the law of a regression coefficient: with
    Gaussian S the rows of S [A b] are independent normals, so ``(x - x_exact)_j / se_j`` follows
    Student's t with d - n degrees of freedom, ``se_j = norm(S r_s) / sqrt(d - n) *
    norm(row j of inv(R))``, R from the QR of S A; for the other families it does so asymptotically
    [3]_. Also then E norm(A (x - x_exact))**2 = n / (d - n - 1) norm(r)**2.

    Sparse families miss the "linf" guarantee: for A = [I; 0] and b = e_(n+1), CountSketch puts all
    of the error into one coefficient, sqrt(n) times too much, with probability about n / d [2]_.
    More rows make that rarer, not smaller.

    Cost: one pass, the sketch, and 2 d n**2 flops.

    References
    ----------
    .. [1] Z. Song, M. Ye, J. Yin and L. Zhang, "A nearly-optimal bound for fast regression with
       l_inf guarantee", arXiv:2302.00248, 2023.
    .. [2] E. Price, Z. Song and D. P. Woodruff, "Fast regression with an l_inf guarantee", ICALP
       2017.
    .. [3] D. C. Ahfock, W. J. Astle and S. Richardson, "Statistical properties of sketching
       algorithms", Biometrika 108, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.regression import sketch_and_solve
    >>> rng = np.random.default_rng(7)
    >>> A = rng.standard_normal((20_000, 10))
    >>> result = sketch_and_solve(A, A.sum(axis=1) + rng.standard_normal(20_000), eps=0.1, rng=7)
    >>> low, high = result.confidence_interval(0.999)
    >>> bool(np.all((low < 1) & (1 < high)))
    True
    """
    start = time.perf_counter()
    asked = look(A, b, weights, 0.0)
    problem = asked.problem
    if problem.n > problem.m:
        raise ValueError(
            f"A must have at least as many rows as columns, got shape {(problem.m, problem.n)}; "
            "use lstsq"
        )
    family, rows = _size(problem, eps, guarantee, delta, sizing, family, d, force)
    if whole(n_sketches, "n_sketches") < 1:
        raise ValueError(f"n_sketches must be at least 1, got {n_sketches}")
    seed = seed_of(rng)
    sketches = _sketches(problem, family, rows, int(n_sketches), seed)
    if sketches[0] is not None and family not in _WHOLE:
        problem.op.check_entries()
    try:
        out = _averaged(problem, sketches)
    except OutOfRangeError:
        asked = asked.tamed()
        out = _averaged(asked.problem, sketches)
    bound = None
    if guarantee == "linf":
        eps = eps if d is None else _reached(problem.n, rows, delta)
        sizes = (eps / math.sqrt(problem.n) * out.inverse) * out.residual * asked.unit
        exact = sketches[0] is None or problem.p == 0
        bound = 0.0 if exact else float(problem.space.xp.max(sizes))
    return answer(asked, out, bound, sketches[0], seed, time.perf_counter() - start)


def _size(
    problem: Problem, eps: float, guarantee: str, delta: float, sizing: str,
    family: str | None, d: int | None, force: bool,
) -> tuple[str, int]:  # fmt: skip
    m, n = problem.m, problem.n
    for name, value, known in (
        ("guarantee", guarantee, ("l2", "linf")),
        ("sizing", sizing, ("calibrated", "theory")),
    ):
        if value not in known:
            raise ValueError(f"{name} must be {known[0]!r} or {known[1]!r}, got {value!r}")
    if not eps > 0:
        raise ValueError(f"eps must be positive, got {eps}")
    if not 0 < delta < 1:
        raise ValueError(f"delta must be between 0 and 1, got {delta}")
    family = family or ("srht" if guarantee == "linf" else "sparse_sign")
    if guarantee == "linf" and family not in _DENSE and not force:
        raise ValueError(
            f"family must be one of {', '.join(_DENSE)} for guarantee='linf', got {family!r}: a "
            "sparse sketch can err by sqrt(n) too much, as on A = [I; 0], b = e_(n+1), and more "
            "rows make that rarer, not smaller; force=True uses it all the same"
        )
    if d is None:
        if guarantee == "l2":
            size = max(4.0 * n, n * (1 + 1 / eps / eps) + 1)
        elif sizing == "calibrated":
            size = n * (1 + 2 * math.log(2 * n / delta) / eps / eps)
        else:
            size = n * math.log(m / delta) ** 3 / eps / eps
        d = math.ceil(min(size, m))
    d = whole(d, "d")
    if d - n < 2 and d < m:
        raise ValueError(f"d must be at least n + 2 = {n + 2}, got {d}")
    return family, d


def _reached(n: int, d: int, delta: float) -> float:
    """Return the eps for which "linf" holds with d rows, by the law that Gaussian sketches have.

    Given A and b, entries of x - x_exact are norm(r) times norms of rows of pinv(A) times Student's
    t over the square root of its d - n + 1 degrees of freedom; n of them, and two sides.
    """
    from scipy.special import stdtrit

    df = d - n + 1
    return -math.sqrt(n / df) * float(stdtrit(df, delta / (2 * n)))


def _sketches(
    problem: Problem, family: str, d: int, count: int, seed: int
) -> list[SketchOperator | None]:
    if d >= problem.m:
        return [None]
    extra: dict[str, Any] = {"nnz_per_row": problem.n} if family == "less" else {}
    first = make(family, d, problem.m, rng=seed, **extra)
    return [first._sibling(d, stream) for stream in range(count)]


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Solutions of one or several sketched problems, all arrays with one column for each side."""

    X: Array
    errors: Array  # standard errors
    residual: Array  # estimated norms of the exact residuals
    distance: Array  # estimated norms of A (X - X_exact)
    df: float
    rank: int
    inverse: float  # estimated norm of the pseudoinverse


def solve_rows(
    problem: Problem, SA: Array, SB: Array, d: int | None, largest: Array | None = None
) -> Estimate:
    """Solve a sketched problem; d is None if the rows are all there are, and the answer exact.

    ``largest`` are column norms that rounding errors of SA are relative to, if not its own.
    """
    xp = problem.space.xp
    rcond = problem.u * max(30, problem.n)
    factor, Z, residual = from_rows(problem, SA, SB, rcond, largest=largest)
    X = factor.without_null(Z, problem.metric) / problem.scale
    spread = linalg.norm(factor.V / factor.sigma, axis=1)[:, None] / problem.scale
    top = problem.units if isinstance(problem.units, float) else float(xp.max(problem.units))
    inverse = factor.V / factor.sigma / problem.scale * (problem.units / top)
    size = float(linalg.svdvals(inverse)[0]) * top if factor.rank else 0.0
    if d is None:
        zero = xp.zeros_like(residual)
        return Estimate(X, spread * zero, residual, zero, math.inf, factor.rank, size)
    df = d - factor.rank
    exact = residual * math.sqrt(d / df)
    distance = exact * math.sqrt(factor.rank / max(df - 1, 1))
    return Estimate(X, spread * residual / math.sqrt(df), exact, distance, df, factor.rank, size)


def _averaged(problem: Problem, sketches: list[SketchOperator | None]) -> Estimate:
    """Average the solutions of independent sketches: the variance falls with their number."""
    parts = [solve_rows(problem, *problem.sketched(S), S.d if S else None) for S in sketches]
    q = len(parts)
    if q == 1:
        return parts[0]
    return Estimate(
        sum(p.X for p in parts) / q,
        sum(p.errors**2 for p in parts) ** 0.5 / q,
        sum(p.residual for p in parts) / q,
        sum(p.distance**2 for p in parts) ** 0.5 / q,
        sum(p.df for p in parts),
        min(p.rank for p in parts),
        sum(p.inverse for p in parts) / q,
    )


def answer(
    asked: Question, out: Estimate, bound: float | None, S: SketchOperator | None, seed: int,
    seconds: float,
) -> SketchedLstsqResult:  # fmt: skip
    """Give estimates the shape that was asked for."""
    with np.errstate(over="ignore"):  # looked for
        x, errors = asked.coefficients(out.X), asked.spreads(out.errors)
        left, distance = asked.norms(out.residual), asked.norms(out.distance)
    space = asked.problem.space
    check_range(space, x=x, standard_errors=errors, residual_norm=left, error_estimate=distance)
    info = Info(
        error_estimate=distance,
        max_error_estimate=bound,
        degrees_of_freedom=out.df,
        sketch=S,
        seed=seed,
        seconds=seconds,
    )
    return SketchedLstsqResult(x, errors, left, out.rank, Status.CONVERGED, info)
