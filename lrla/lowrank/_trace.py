"""Trace of a matrix that is only a product, from as few products as possible."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, is_complex, space_of
from lrla._core.errors import ConvergenceWarning, warn
from lrla._core.numbers import whole
from lrla._core.random import Key, key_of, seed_of
from lrla._core.results import Info, Status
from lrla._core.threads import ranges
from lrla.lowrank._basis import inner
from lrla.lowrank._estimate import Estimate, rademacher, sphere, spread
from lrla.lowrank._jackknife import deviation, without_each_xnystrace, without_each_xtrace
from lrla.lowrank._matrix import Matrix, as_square, conj

METHODS = ("auto", "xtrace", "xnystrace", "hutchpp", "hutchinson", "exact")
_FIRST = 12  # products of the first round towards a tolerance
_GROWTH = 1.4
# standard errors from leave-one-out replicates fall short of the truth by up to this, as measured
# on decaying spectra (benchmarks/claims/trace.py)
_SHORTFALL = 1.5
_COLUMNS = 64


class _Sum(NamedTuple):
    value: Any
    error: float
    samples: int
    jackknife: float


def trace(
    A: Any,
    budget: int | None = None,
    *,
    tol: float | None = None,
    psd: bool = False,
    method: str = "auto",
    rng: Any = None,
) -> Estimate:
    """Estimate the trace of a matrix that is known by its products, with a standard error.

    Parameters
    ----------
    A : array of shape (n, n), sparse matrix, LinearOperator or dask array
        The matrix.
    budget : int, optional
        Number of products of A with a vector; the limit, if ``tol`` is given as well. Give this or
        ``tol`` or both, unless the entries of A can be read.
    tol : float, optional
        Go on until 1.5 standard errors are at most ``tol`` times the trace, twice in a row.
    psd : bool, default False
        Say that A is positive semidefinite: the same accuracy then takes about half the products.
    method : {"auto", "xtrace", "xnystrace", "hutchpp", "hutchinson", "exact"}, default "auto"
        "xtrace": every product serves both the low-rank part and its remainder [1]_. "xnystrace":
        the same for positive semidefinite A [1]_. "hutchpp": a third of the products each for
        basis, trace on it, and remainder [2]_. "hutchinson": mean of quadratic forms [3]_. "exact":
        reads the diagonal, or multiplies with the identity. "auto" is "exact" where the diagonal
        can be read or the budget allows it, else "xnystrace" if ``psd``, else "xtrace".
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    Estimate
        With fields value, standard_error, status and info.

    Raises
    ------
    ValueError
        If A is not square or not finite, neither budget nor tol is given, the budget is too small
        for the method, or ``psd`` is not true.

    Warns
    -----
    ConvergenceWarning
        If the budget was spent before the tolerance was met.

    See Also
    --------
    diagonal : all diagonal entries.
    logdet : the trace of the logarithm.

    Notes
    -----
    "xtrace", "hutchpp" and "hutchinson" are unbiased; "xnystrace" up to rounding. If the rank of A is
    less than half the budget ("xtrace") or than the budget ("xnystrace"), they are exact. The variance
    of "hutchinson" falls as 1 / budget, that of the others at least as 1 / budget**2, and as fast as
    the singular values do.

    Standard errors of "xtrace" and "xnystrace" come from replicates that share all vectors but one;
    they fall short, up to a factor of two to four where the budget is a large part of n or the
    singular values fall fast. ``info.jackknife_error``, of which confidence intervals are made, does not:
    its square is in expectation at least the variance of the estimate from one vector fewer [4]_ [5]_,
    and exceeds it where that variance falls fast with the budget.

    Cost beside the products: O(n budget**2) flops, and 2 n budget numbers of memory.

    References
    ----------
    .. [1] E. N. Epperly, J. A. Tropp and R. J. Webber, "XTrace: making the most of every sample in
       stochastic trace estimation", SIAM J. Matrix Anal. Appl. 45, 2024.
    .. [2] R. A. Meyer, C. Musco, C. Musco and D. P. Woodruff, "Hutch++: optimal stochastic trace
       estimation", SOSA 2021.
    .. [3] M. F. Hutchinson, "A stochastic estimator of the trace of the influence matrix for
       Laplacian smoothing splines", Comm. Statist. Simulation Comput. 18, 1989.
    .. [4] B. Efron and C. Stein, "The jackknife estimate of variance", Ann. Statist. 9, 1981.
    .. [5] E. N. Epperly and J. A. Tropp, "Efficient error and variance estimation for randomized
       matrix computations", SIAM J. Sci. Comput. 46, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse.linalg import aslinearoperator
    >>> from lrla.lowrank import trace
    >>> A = np.diag(0.7 ** np.arange(1000))
    >>> result = trace(aslinearoperator(A), 100, rng=7)
    >>> abs(result.value - 1 / 0.3) < 1e-6
    True
    """
    start = time.perf_counter()
    matrix = as_square(A)
    n = matrix.shape[0]
    _check(n, budget, tol, method, METHODS, matrix)
    seed = seed_of(rng)
    key = key_of(seed)
    method, reason = _choose(matrix, budget, psd) if method == "auto" else (method, "asked for")
    limit = n if budget is None else int(budget)
    ledger = _Ledger(matrix, key, method)
    status = Status.CONVERGED
    if method == "exact":
        found = _exact(matrix)
    elif tol is None:
        found = ledger.spend(limit)
    else:
        found, status = _to_tolerance(ledger, tol, limit)
    scale = matrix.scale
    value = found.value * scale
    info = Info(
        method=method,
        reason=reason,
        products=ledger.products if method != "exact" else (0 if _readable(matrix) else n),
        jackknife_error=found.jackknife * scale,
        samples=found.samples,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    return Estimate(value, found.error * scale, status, info)


def _check(
    n: int, budget: int | None, tol: float | None, method: str, known: tuple[str, ...], matrix: Matrix
) -> None:  # fmt: skip
    if method not in known:
        raise ValueError(f"method must be one of {', '.join(known)}, got {method!r}")
    if tol is not None and not 0 < tol < 1:
        raise ValueError(f"tol must be between 0 and 1, got {tol}")
    if budget is not None:
        whole(budget, "budget", 1)
    free = method == "exact" or (method == "auto" and _readable(matrix))
    if budget is None and tol is None and not free:
        raise ValueError("give budget, the number of products, or tol, or both")


def _readable(matrix: Matrix) -> bool:
    return matrix.op.kind in ("dense", "sparse")


def _choose(matrix: Matrix, budget: int | None, psd: bool) -> tuple[str, str]:
    n = matrix.shape[0]
    if _readable(matrix):
        return "exact", "the diagonal can be read"
    if (budget is not None and budget >= n) or n <= _FIRST:
        return "exact", "the budget allows to multiply with the identity"
    if psd:
        return "xnystrace", "A is positive semidefinite"
    return "xtrace", "nothing is known about A"


def _exact(matrix: Matrix) -> _Sum:
    d = exact_diagonal(matrix)
    total = matrix.space.xp.sum(d)
    return _Sum(complex(total) if is_complex(d) else float(total), 0.0, 1, 0.0)


def exact_diagonal(matrix: Matrix) -> Array:
    """Read the diagonal, or find it by products with the identity."""
    n, xp = matrix.shape[0], matrix.space.xp
    if matrix.op.kind == "sparse":
        d = matrix.op.A.diagonal()
    elif matrix.op.kind == "dense":
        d = xp.linalg.diagonal(matrix.op.A)
    else:
        eye = matrix.space.eye(n, matrix.op.dtype)
        parts = [
            xp.linalg.diagonal(matrix.op.matmat(eye[:, a:b])[a:b, :])
            for a, b in ranges(n, _COLUMNS)
        ]
        d = xp.concat(parts)
    if not bool(xp.all(xp.isfinite(xp.abs(d)))):
        raise ValueError("A must be finite, got NaN or infinity on its diagonal")
    return d if matrix.scale == 1.0 else d / matrix.scale


def _to_tolerance(ledger: _Ledger, tol: float, limit: int) -> tuple[_Sum, Status]:
    if ledger.method == "hutchpp":
        raise ValueError("method 'hutchpp' takes budget, not tol: it does not grow; use 'xtrace'")
    spent, before = min(_FIRST, limit), False
    while True:
        found = ledger.spend(spent)
        good = _SHORTFALL * found.error <= tol * abs(found.value)
        if good and (before or found.error == 0):
            return found, Status.CONVERGED
        if spent >= limit:
            break
        before, spent = good, min(limit, math.ceil(spent * _GROWTH))
    if good:
        return found, Status.CONVERGED
    if limit >= ledger.matrix.shape[0] and not _readable(ledger.matrix):
        return _exact(ledger.matrix), Status.CONVERGED
    reached = found.error / abs(found.value) if found.value else math.inf
    warn(
        f"the relative standard error is {reached:.1e} after {limit} products, above tol={tol:.1e};"
        " raise budget",
        ConvergenceWarning,
    )
    return found, Status.MAX_ITER


class _Ledger:
    """Products made so far, so that a larger budget needs only the new ones."""

    def __init__(self, matrix: Matrix, key: Key, method: str) -> None:
        self.matrix, self.key, self.method = matrix, key, method
        self.products = 0
        empty = matrix.space.zeros((matrix.shape[0], 0), matrix.op.dtype)
        self.X = self.Y = self.Q = self.Z = empty
        self.R = matrix.space.zeros((0, 0), matrix.op.dtype)

    def spend(self, budget: int) -> _Sum:
        """Make products up to a budget and return what they say."""
        least = {"xtrace": 4, "xnystrace": 2, "hutchpp": 6, "hutchinson": 2}[self.method]
        if budget < least:
            raise ValueError(f"budget must be at least {least} for {self.method!r}, got {budget}")
        run: Callable[[int], _Sum] = getattr(self, "_" + self.method)
        return run(budget)

    def _multiply(self, X: Array) -> Array:
        self.products += X.shape[1]
        return self.matrix.times(X)

    def _grow(self, columns: int, draw: Callable[..., Array]) -> Array:
        """Draw and multiply columns up to so many, and return the new products."""
        held = self.X.shape[1]
        X = draw(self.matrix, self.key, 0, columns - held, held)
        if held == 0:
            self.products += X.shape[1]
            Y = self.matrix.trial(X)
        else:
            Y = self._multiply(X)
        xp = self.matrix.space.xp
        self.X = xp.concat((self.X, X), axis=1)
        self.Y = xp.concat((self.Y, Y), axis=1)
        return Y

    def _extend(self, Y: Array) -> None:
        """Append columns to the factorization Y = Q R, by Gram-Schmidt, twice."""
        xp, old = self.matrix.space.xp, self.Q
        D = inner(old, Y)
        W = Y - old @ D
        again = inner(old, W)
        Q, T = xp.linalg.qr(W - old @ again, mode="reduced")
        zeros = self.matrix.space.zeros((Q.shape[1], old.shape[1]), Y.dtype)
        upper = xp.concat((self.R, D + again), axis=1)
        self.R = xp.concat((upper, xp.concat((zeros, T), axis=1)), axis=0)
        self.Q = xp.concat((old, Q), axis=1)
        self.Z = xp.concat((self.Z, self._multiply(Q)), axis=1)

    def _xtrace(self, budget: int) -> _Sum:
        half = min(budget // 2, self.matrix.shape[0])
        if half > self.X.shape[1]:
            self._extend(self._grow(half, sphere))
        n, xp = self.matrix.shape[0], self.matrix.space.xp
        m = self.X.shape[1]
        H = inner(self.Q, self.Z)
        total = xp.sum(xp.linalg.diagonal(H))
        P, s, Th = linalg.svd(self.R)
        if m == n or float(s[-1]) <= 10 * self.matrix.u * float(s[0]):
            # fewer dimensions than vectors: the basis holds the whole range, and all trace is on it
            error = self.matrix.u * linalg.norm(H)
            return _Sum(_number(total), error, m, error)
        S = P @ (Th / s[:, None])  # R^-H
        size = linalg.norm(S, axis=0)
        S = S / size[None, :]
        W, T = inner(self.Q, self.X), inner(self.Z, self.X)
        along = _columns(S, W)
        X = W - S * along[None, :]  # the vectors on the basis without their own column
        inside = xp.real(_columns(W, W)) - xp.abs(along) ** 2
        rest = _columns(W - X, self.R) - _columns(T, X) + _columns(X, H @ X)
        samples = total - _columns(S, H @ S) + rest * ((n - m + 1) / (n - inside))
        jackknife = math.inf
        if m > 1:
            jackknife = deviation(without_each_xtrace(S, 1 / size, H, W, T, n, self.matrix.u))
        return _Sum(_number(xp.mean(samples)), spread(samples), m, jackknife)

    def _xnystrace(self, budget: int) -> _Sum:
        m = min(budget, self.matrix.shape[0])
        if m > self.X.shape[1]:
            self._grow(m, sphere)
        n, xp = self.matrix.shape[0], self.matrix.space.xp
        size = linalg.norm(self.Y)
        if size == 0:  # products with random vectors: A is zero
            return _Sum(_number(xp.sum(self.Y)), 0.0, m, 0.0)
        shift = self.matrix.u * size / math.sqrt(n)
        Y = self.Y + shift * self.X
        H = inner(self.X, Y)
        values, vectors = xp.linalg.eigh((H + adjoint(H)) / 2)
        positive(values, self.matrix.u)
        floor = self.matrix.u * float(values[-1])
        root = vectors / xp.sqrt(xp.where(values > floor, values, floor + 0 * values))[None, :]
        F = Y @ root  # F F^H is the Nystrom approximation
        inverse = xp.sum(xp.abs(root) ** 2, axis=1)  # diagonal of H^-1
        if m == n:  # nothing is left beside the approximation
            total, worst = linalg.norm(F) ** 2 - shift * n, max(float(values[0]), floor)
            error = self.matrix.u * total * float(values[-1]) / worst if total else 0.0
            return _Sum(total, error, m, error)
        S = (F @ adjoint(root)) / xp.sqrt(inverse)[None, :]
        R = xp.linalg.qr(self.X, mode="reduced").R
        R = xp.linalg.inv(R)
        outside = (n - m + 1) * xp.sum(xp.abs(R) ** 2, axis=1)
        along = xp.abs(_columns(S, self.X)) ** 2
        samples = linalg.norm(F) ** 2 - xp.real(_columns(S, S)) + along * outside - shift * n
        jackknife = math.inf
        if m > 1:
            others = without_each_xnystrace(F, root, R @ adjoint(R), shift, n, self.matrix.u)
            jackknife = deviation(others)
        return _Sum(_number(xp.mean(samples)), spread(samples), m, jackknife)

    def _hutchpp(self, budget: int) -> _Sum:
        third, xp = budget // 3, self.matrix.space.xp
        Y = self._grow(third, sphere)
        Q = xp.linalg.qr(Y, mode="reduced").Q
        head = xp.sum(_columns(Q, self._multiply(Q)))
        G = rademacher(self.matrix, self.key, 1, third)
        G = G - Q @ inner(Q, G)
        samples = _columns(G, self._multiply(G))
        error = spread(samples)
        return _Sum(_number(head + xp.mean(samples)), error, third, error)

    def _hutchinson(self, budget: int) -> _Sum:
        self._grow(budget, rademacher)
        samples = _columns(self.X, self.Y)
        error = spread(samples)
        return _Sum(_number(self.matrix.space.xp.mean(samples)), error, budget, error)


def positive(values: Array, u: float) -> None:
    """Refuse a matrix whose compression has a clearly negative eigenvalue."""
    low, high = float(values[0]), float(values[-1])
    if low < -math.sqrt(u) * max(high, 0.0):
        raise ValueError(
            f"A must be positive semidefinite, got a compression with eigenvalues from {low:.2g} "
            f"to {high:.2g}"
        )


def _columns(X: Array, Y: Array) -> Array:
    """Inner products of the columns of X with those of Y."""
    return space_of(X).xp.sum(conj(X) * Y, axis=0)


def _number(x: Array) -> Any:
    return complex(x) if is_complex(x) else float(x)
