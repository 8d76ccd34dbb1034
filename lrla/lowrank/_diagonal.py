"""Diagonal of a matrix that is only a product."""

from __future__ import annotations

import time
from typing import Any

from lrla._core import linalg
from lrla._core.numbers import whole
from lrla._core.random import key_of, seed_of
from lrla._core.results import Info, Status
from lrla.lowrank._estimate import Estimate, rademacher
from lrla.lowrank._jackknife import deviation, without_each_xdiag
from lrla.lowrank._matrix import as_square, conj
from lrla.lowrank._trace import exact_diagonal


def diagonal(A: Any, budget: int | None = None, *, rng: Any = None) -> Estimate:
    """Estimate the diagonal of a matrix that is known by its products, with standard errors.

    Parameters
    ----------
    A : array of shape (n, n), sparse matrix, LinearOperator or dask array
        The matrix.
    budget : int, optional
        Number of products with A and its adjoint, half of them each. May be left out if the
        entries of A can be read.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    Estimate
        value and standard_error are arrays of shape (n,). Exact if the entries can be read or the
        budget is n or more.

    Raises
    ------
    ValueError
        If A is not square or not finite, or the budget is missing or less than 4.

    See Also
    --------
    trace : their sum, at less variance.

    Notes
    -----
    The XDiag estimator [1]_: with A Omega = Q R for random signs Omega, the diagonal of
    Q Q^H A is exact and that of the rest is the mean of ``conj(w) * (rest @ w)``, each vector w seeing
    the basis made from the others. Unbiased; exact if the rank is less than half the budget.

    Standard errors come from replicates that share all vectors but one, and fall short by up to a
    half. ``info.jackknife_error``, of which confidence intervals are made, does not: see `trace`.

    References
    ----------
    .. [1] E. N. Epperly, J. A. Tropp and R. J. Webber, "XTrace: making the most of every sample in
       stochastic trace estimation", SIAM J. Matrix Anal. Appl. 45, 2024, section 5.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse.linalg import aslinearoperator
    >>> from lrla.lowrank import diagonal
    >>> A = np.diag(0.7 ** np.arange(500))
    >>> result = diagonal(aslinearoperator(A), 100, rng=7)
    >>> bool(np.max(np.abs(result.value - np.diag(A))) < 1e-6)
    True
    """
    start = time.perf_counter()
    matrix = as_square(A)
    n, xp = matrix.shape[0], matrix.space.xp
    seed = seed_of(rng)
    readable = matrix.op.kind in ("dense", "sparse")
    if not readable and budget is None:
        raise ValueError("give budget, the number of products")
    if budget is not None:
        budget = whole(budget, "budget", 4)
    if readable or budget is None or budget >= n:
        value, method, samples = exact_diagonal(matrix), "exact", 1
        error = jackknife = xp.zeros_like(xp.abs(value))
        products = 0 if readable else n
    else:
        method, samples = "xdiag", budget // 2
        products = 2 * samples
        X = rademacher(matrix, key_of(seed), 0, samples)
        Q, R = xp.linalg.qr(matrix.trial(X), mode="reduced")
        Z = matrix.adjoint_times(Q)
        P, s, Th = linalg.svd(R)
        value = xp.sum(Q * conj(Z), axis=1)
        if float(s[-1]) <= 10 * matrix.u * float(s[0]):  # the basis holds the whole range
            error = jackknife = xp.zeros_like(xp.abs(value))
        else:
            S = P @ (Th / s[:, None])
            size = linalg.norm(S, axis=0)  # 1 / (s_i^H r_i)
            S = S / size[None, :]
            QS, L, X = Q @ S, conj(Z @ S), conj(X) / size[None, :]
            jackknife = deviation(without_each_xdiag(value, S, QS, L, X, matrix.u))
            samples_of = QS * (X - L)
            value = value + xp.mean(samples_of, axis=1)
            centred = samples_of - xp.mean(samples_of, axis=1, keepdims=True)
            error = linalg.norm(centred, axis=1) / (samples * (samples - 1)) ** 0.5
        value = value * matrix.scale
    info = Info(
        method=method,
        products=products,
        jackknife_error=jackknife * matrix.scale,
        samples=samples,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    return Estimate(value, error * matrix.scale, Status.CONVERGED, info)
