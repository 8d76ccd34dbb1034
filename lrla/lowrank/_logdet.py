"""Logarithms of determinants of positive definite matrices that are only a product."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.linalg import LinAlgError

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint
from lrla._core.errors import ConvergenceWarning, warn
from lrla._core.random import Key, key_of, seed_of
from lrla._core.results import Info, Result, Status
from lrla.lowrank._basis import inner
from lrla.lowrank._estimate import Estimate, rademacher, spread
from lrla.lowrank._lanczos import TOGETHER, Quadratures, lanczos
from lrla.lowrank._matrix import Matrix, as_square
from lrla.lowrank._nystrom import Sketch

_ACCEPT = 0.1  # of a standard error: what the quadrature may contribute
_EXTRA = 10  # columns of the sketch beyond the eigenpairs taken out: Halko et al. 2011, sec. 4.2
_DENSE = 2000  # size up to which a Cholesky factorization is at hand


def logdet(
    A: Any,
    *,
    n_probes: int = 32,
    rank: int = 0,
    tol: float | None = None,
    method: str = "auto",
    max_iter: int = 200,
    rng: Any = None,
) -> Estimate:
    """Estimate the logarithm of the determinant of a positive definite matrix.

    Parameters
    ----------
    A : array of shape (n, n), sparse matrix, LinearOperator or dask array
        Hermitian positive definite.
    n_probes : int, default 32
        Number of random vectors; with ``tol``, the most.
    rank : int, default 0
        Take so many leading eigenpairs out first, by `nystrom`: for matrices such as kernels plus a
        ridge, whose spectrum is flat beyond them, the variance then nearly vanishes.
    tol : float, optional
        Stop as soon as the standard error is at most ``tol`` times the absolute value.
    method : {"auto", "slq", "cholesky"}, default "auto"
        "slq": stochastic Lanczos quadrature [1]_. "cholesky": exact, of the dense matrix. "auto"
        takes "cholesky" up to n = 2000 if A has entries.
    max_iter : int, default 200
        Limit of the Lanczos steps for each vector.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    Estimate
        With fields value, standard_error, status and info; ``info.quadrature_error`` is what the
        last Lanczos steps still changed, or, where they did not suffice, an estimate of what others
        would change; it is part of the standard error.

    Raises
    ------
    ValueError
        If A is not square or not finite, or a parameter is out of its range.
    numpy.linalg.LinAlgError
        If A is seen not to be positive definite.

    Warns
    -----
    ConvergenceWarning
        If the tolerance was not met with all vectors, or ``max_iter`` steps were not enough: the
        condition number is too large for them.

    See Also
    --------
    logdet_shifted : of A + c I for many c at once.
    logdet_path : along a path of matrices, with gradients.

    Notes
    -----
    The value is tr log A = E z^H log(A) z for random signs z, and each quadratic form is a Gauss
    quadrature from Lanczos, whose error falls as ((sqrt(k) - 1) / (sqrt(k) + 1))**(2 steps) with the
    condition k. Vectors go side by side, eight at a time, with full reorthogonalisation; steps are
    added until the quadrature moves by less than a tenth of the standard error. With ``rank``, the
    preconditioner P of [2]_ splits the value into log det P, known, and
    tr log(P^-1/2 A P^-1/2), estimated.

    Cost: n_probes times steps products, and as many times 4 n steps flops.

    References
    ----------
    .. [1] S. Ubaru, J. Chen and Y. Saad, "Fast estimation of tr(f(A)) via stochastic Lanczos
       quadrature", SIAM J. Matrix Anal. Appl. 38, 2017.
    .. [2] Z. Frangella, J. A. Tropp and M. Udell, "Randomized Nystrom preconditioning", SIAM J.
       Matrix Anal. Appl. 44, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import diags_array
    >>> from lrla.lowrank import logdet
    >>> A = diags_array([np.full(5000, 3.0), np.full(4999, -1.0), np.full(4999, -1.0)],
    ...                 offsets=[0, 1, -1])
    >>> result = logdet(A, rng=7)
    >>> exact = 5000 * np.log((3 + 5**0.5) / 2)
    >>> low, high = result.confidence_interval(0.999)
    >>> bool(low < exact < high), bool(result.standard_error < 0.002 * exact)
    (True, True)
    """
    start = time.perf_counter()
    matrix = as_square(A)
    n = matrix.shape[0]
    _check(n_probes, max_iter, tol)
    if method not in ("auto", "slq", "cholesky"):
        raise ValueError(f"method must be one of auto, slq, cholesky, got {method!r}")
    if not 0 <= rank < n:
        raise ValueError(f"rank must be between 0 and n - 1 = {n - 1}, got {rank}")
    seed = seed_of(rng)
    matrix.trial(matrix.gaussian(key_of(seed), 1, n, 1))
    reason = "asked for"
    if method == "auto":
        small = n <= _DENSE and matrix.op.kind in ("dense", "sparse")
        method = "cholesky" if small else "slq"
        reason = "the matrix is small" if small else "the matrix is large or has no entries"
    if method == "cholesky":
        found = _Found(_by_cholesky(matrix), 0.0, 0.0, 1, 0, Status.CONVERGED)
    else:
        found = _slq(matrix, seed, n_probes, rank, tol, max_iter)
    info = Info(
        quadrature_error=found.drift,
        method=method,
        reason=reason,
        products=found.products,
        samples=found.samples,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    value = found.value + n * math.log(matrix.scale)
    return Estimate(value, math.hypot(found.error, found.drift), found.status, info)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    value: float
    error: float
    drift: float
    samples: int
    products: int
    status: Status


def _check(n_probes: int, max_iter: int, tol: float | None) -> None:
    if n_probes < 2:
        raise ValueError(f"n_probes must be at least 2, got {n_probes}")
    if max_iter < 2:
        raise ValueError(f"max_iter must be at least 2, got {max_iter}")
    if tol is not None and not 0 < tol < 1:
        raise ValueError(f"tol must be between 0 and 1, got {tol}")


def _by_cholesky(matrix: Matrix) -> float:
    xp = matrix.space.xp
    D = matrix.dense()
    R = linalg.cholesky((D + adjoint(D)) / 2)
    if R is None:
        raise LinAlgError("A must be positive definite, got one without a Cholesky factor")
    return 2 * float(xp.sum(xp.log(xp.real(xp.linalg.diagonal(R)))))


def _batches(
    matrix: Matrix, key: Key, n_probes: int, product: Callable[[Array], Array], max_iter: int,
    function: Callable[[Array], Array],
) -> Any:  # fmt: skip
    """Yield the quadratures of all random vectors, a few at a time."""
    for first in range(0, n_probes, TOGETHER):
        count = min(TOGETHER, n_probes - first)
        Z = rademacher(matrix, key, 0, count, first)
        # the error bars of all vectors together are shorter than those of one batch
        accept = _ACCEPT * math.sqrt(count / n_probes)
        yield lanczos(
            product, Z, matrix.space, matrix.u, max_iter, accept=accept, function=function
        )


def _slq(
    matrix: Matrix, seed: int, n_probes: int, rank: int, tol: float | None, max_iter: int
) -> _Found:
    xp, key = matrix.space.xp, key_of(seed)
    product: Callable[[Array], Array] = matrix.times
    known, products = 0.0, 0
    if rank:
        product, known = _deflated(matrix, seed, rank)
        products = min(rank + _EXTRA, matrix.shape[0])
    samples: Array = matrix.space.zeros((0,), matrix.op.real_dtype)
    drift, settled, status, value, error = 0.0, True, Status.CONVERGED, 0.0, math.inf
    for q in _batches(matrix, key, n_probes, product, max_iter, xp.log):
        samples = xp.concat((samples, q.samples(xp.log, matrix.u)))
        drift, settled = max(drift, q.drift), settled and q.settled
        products += q.T.shape[0] * q.T.shape[1]
        value, error = known + float(xp.mean(samples)), spread(samples)
        if tol is not None and math.hypot(error, drift) <= tol * abs(value):
            break
    else:
        if tol is None:
            status = _judge(settled, drift, max_iter, "raise max_iter or rank")
        else:
            status = Status.MAX_ITER
            warn(
                f"the standard error is {error:.1e} and that of the quadrature {drift:.1e}, above "
                f"tol={tol:.1e} times {abs(value):.3g}; raise n_probes, max_iter or rank",
                ConvergenceWarning,
            )
    return _Found(value, error, drift, int(samples.shape[0]), products, status)


def _judge(settled: bool, drift: float, max_iter: int, advice: str) -> Status:
    """Say so where Lanczos was cut short."""
    if settled:
        return Status.CONVERGED
    warn(
        f"{max_iter} Lanczos steps are too few for matrices as ill-conditioned as this one: others "
        f"may change the value by {drift:.1e}; {advice}",
        ConvergenceWarning,
    )
    return Status.MAX_ITER


def _deflated(matrix: Matrix, seed: int, rank: int) -> tuple[Callable[[Array], Array], float]:
    """Return P^-1/2 A P^-1/2 as a product, and log det P."""
    xp, n = matrix.space.xp, matrix.shape[0]
    w, V = Sketch(matrix, seed).factors(min(rank + _EXTRA, n))
    w, V = w[:rank], V[:, :rank]
    last = max(float(w[-1]), 10 * matrix.u * float(w[0]))
    w = xp.where(w > last, w, last + 0 * w)
    root, rest = (w**-0.5)[:, None], last**-0.5

    def half(X: Array) -> Array:
        C = inner(V, X)
        return rest * X + V @ ((root - rest) * C)

    known = float(xp.sum(xp.log(w))) + (n - rank) * math.log(last)
    return lambda X: half(matrix.times(half(X))), known


def logdet_shifted(
    A: Any, shifts: Any, *, n_probes: int = 32, max_iter: int = 200, rng: Any = None
) -> Estimate:
    """Estimate log det(A + c I) for many shifts c, from one run of Lanczos.

    Parameters
    ----------
    A : array of shape (n, n), sparse matrix, LinearOperator or dask array
        Hermitian.
    shifts : sequence of float
        The shifts; A + c I must be positive definite for all of them.
    n_probes : int, default 32
        Number of random vectors, the same for all shifts.
    max_iter : int, default 200
        Limit of the Lanczos steps for each vector.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    Estimate
        value and standard_error are arrays, one entry for each shift.

    Raises
    ------
    ValueError
        As for `logdet`, and if there are no shifts or one is not finite.
    numpy.linalg.LinAlgError
        If A + c I is seen not to be positive definite for a shift.

    Warns
    -----
    ConvergenceWarning
        If ``max_iter`` steps were not enough.

    See Also
    --------
    logdet : of one matrix.

    Notes
    -----
    Lanczos on A + c I makes the same vectors for all c, and the tridiagonal matrix T + c I. Steps are
    added until the quadrature for the smallest shift, the hardest, is good enough. Since all shifts
    share their random vectors, differences between them are much more accurate than values.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.lowrank import logdet_shifted
    >>> A = np.diag(np.linspace(0, 1, 300))
    >>> result = logdet_shifted(A, [0.1, 1.0], rng=7)
    >>> exact = [np.sum(np.log(np.diag(A) + c)) for c in (0.1, 1.0)]
    >>> bool(np.allclose(result.value, exact, rtol=1e-3))
    True
    """
    start = time.perf_counter()
    matrix = as_square(A)
    _check(n_probes, max_iter, None)
    offsets = [float(c) for c in shifts]
    if not offsets:
        raise ValueError("shifts must hold at least one number, got none")
    if not all(math.isfinite(c) for c in offsets):
        raise ValueError(f"shifts must be finite, got {offsets}")
    seed = seed_of(rng)
    n, xp = matrix.shape[0], matrix.space.xp
    matrix.trial(matrix.gaussian(key_of(seed), 1, n, 1))
    least, scaled = min(offsets) / matrix.scale, [c / matrix.scale for c in offsets]
    rows: list[list[Array]] = [[] for _ in offsets]
    drift, settled, products = 0.0, True, 0
    hard = _shifted(matrix, least)
    for q in _batches(matrix, key_of(seed), n_probes, hard, max_iter, xp.log):
        for row, c in zip(rows, scaled, strict=True):
            row.append(q.samples(lambda t, c=c: xp.log(t + (c - least)), matrix.u))
        drift, settled = max(drift, q.drift), settled and q.settled
        products += q.T.shape[0] * q.T.shape[1]
    samples = [xp.concat(row) for row in rows]
    unit = n * math.log(matrix.scale)
    value = matrix.space.asarray([float(xp.mean(x)) + unit for x in samples], matrix.op.real_dtype)
    errors = [math.hypot(spread(x), drift) for x in samples]
    info = Info(
        quadrature_error=drift,
        method="slq",
        reason="asked for",
        products=products,
        samples=n_probes,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    error = matrix.space.asarray(errors, matrix.op.real_dtype)
    return Estimate(value, error, _judge(settled, drift, max_iter, "raise max_iter"), info)


def _shifted(matrix: Matrix, c: float) -> Callable[[Array], Array]:
    return lambda X: matrix.times(X) + c * X


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LogdetPath(Result):
    """Values of log det A(t) along a path, with gradients from the same random vectors.

    Parameters
    ----------
    value : array of shape (k,)
        The estimates.
    standard_error : array of shape (k,)
        Their standard errors.
    gradient : array of shape (k,) or None
        Estimates of tr(A(t)^-1 A'(t)); None if no derivative was given.
    gradient_error : array of shape (k,) or None
        Their standard errors.
    status : Status
        How it ended.
    info : Info
        ``products``, ``samples``, ``seed``, ``seconds``.
    """

    value: Array
    standard_error: Array
    gradient: Array | None
    gradient_error: Array | None
    status: Status
    info: Info


def logdet_path(
    function: Callable[[Any], Any],
    points: Sequence[Any],
    *,
    derivative: Callable[[Any], Any] | None = None,
    n_probes: int = 32,
    max_iter: int = 200,
    rng: Any = None,
) -> LogdetPath:
    """Estimate log det A(t) along a path, with the same random vectors at each point.

    Parameters
    ----------
    function : callable
        ``function(t)`` returns A(t), Hermitian positive definite: an array, sparse matrix,
        LinearOperator or dask array.
    points : sequence
        The points t.
    derivative : callable, optional
        ``derivative(t)`` returns the derivative of A at t, in any of these forms.
    n_probes : int, default 32
        Number of random vectors.
    max_iter : int, default 200
        Limit of the Lanczos steps for each vector.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    LogdetPath
        With fields value, standard_error, gradient, gradient_error, status and info.

    Raises
    ------
    ValueError
        As for `logdet`, and if there are no points.
    numpy.linalg.LinAlgError
        If a matrix is seen not to be positive definite.

    Warns
    -----
    ConvergenceWarning
        If ``max_iter`` steps were not enough at some point.

    See Also
    --------
    logdet_shifted : for A + c I, in one run.

    Notes
    -----
    With common random numbers the values lie on a smooth curve, so that an optimiser can follow it,
    and their differences are much more accurate than they are. The gradient is the mean of
    ``z^H A' A^-1 z``, with A^-1 z from the Lanczos basis of the value, at no further product with A [1]_.

    References
    ----------
    .. [1] K. Dong, D. Eriksson, H. Nickisch, D. Bindel and A. G. Wilson, "Scalable log determinants
       for Gaussian process kernel learning", NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.lowrank import logdet_path
    >>> d = np.linspace(0, 1, 200)
    >>> path = logdet_path(lambda t: np.diag(d + t), [0.5, 1.0], derivative=lambda t: np.eye(200),
    ...                    rng=7)
    >>> bool(np.allclose(path.gradient, [np.sum(1 / (d + t)) for t in (0.5, 1)], rtol=0.1))
    True
    """
    start = time.perf_counter()
    _check(n_probes, max_iter, None)
    if len(points) == 0:
        raise ValueError("points must hold at least one, got none")
    seed = seed_of(rng)
    values, errors, gradients, gradient_errors, products = [], [], [], [], 0
    worst, settled = 0.0, True
    for t in points:
        matrix = as_square(function(t))
        slope = None if derivative is None else as_square(derivative(t))
        if slope is not None and slope.shape != matrix.shape:
            raise ValueError(
                f"derivative must have the shape of A, got {slope.shape} and {matrix.shape}"
            )
        samples, slopes, drift, done, count = _both(matrix, slope, seed, n_probes, max_iter)
        worst, settled = max(worst, drift), settled and done
        unit = matrix.shape[0] * math.log(matrix.scale)
        values.append(float(matrix.space.xp.mean(samples)) + unit)
        errors.append(math.hypot(spread(samples), drift))
        products += count
        if slopes is not None:
            gradients.append(float(matrix.space.xp.mean(slopes)))
            gradient_errors.append(spread(slopes))
    space, dtype = matrix.space, matrix.op.real_dtype
    info = Info(products=products, samples=n_probes, seed=seed,
                seconds=time.perf_counter() - start)  # fmt: skip
    return LogdetPath(
        space.asarray(values, dtype),
        space.asarray(errors, dtype),
        space.asarray(gradients, dtype) if gradients else None,
        space.asarray(gradient_errors, dtype) if gradients else None,
        _judge(settled, worst, max_iter, "raise max_iter"),
        info,
    )


def _both(
    matrix: Matrix, slope: Matrix | None, seed: int, n_probes: int, max_iter: int
) -> tuple[Array, Array | None, float, bool, int]:
    """Return the samples of the value and of the gradient at one point, and how Lanczos ended."""
    xp, n = matrix.space.xp, matrix.shape[0]
    matrix.trial(matrix.gaussian(key_of(seed), 1, n, 1))
    values: list[Array] = []
    slopes: list[Array] = []
    drift, settled, products = 0.0, True, 0
    batch: Quadratures
    for batch in _batches(matrix, key_of(seed), n_probes, matrix.times, max_iter, xp.log):
        values.append(batch.samples(xp.log, matrix.u))
        drift, settled = max(drift, batch.drift), settled and batch.settled
        products += batch.T.shape[0] * batch.T.shape[1]
        if slope is not None:
            Y = slope.times(batch.solutions(matrix.space)) / matrix.scale
            slopes.append(linalg.dots(batch.start, Y))
    gradient = xp.concat(slopes) if slopes else None
    return xp.concat(values), gradient, drift, settled, products
