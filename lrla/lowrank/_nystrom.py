"""`nystrom`: positive semidefinite matrices from one block of products."""

from __future__ import annotations

import math
import time
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint
from lrla._core.errors import ConvergenceWarning, warn
from lrla._core.random import key_of, seed_of
from lrla._core.results import Info, Status
from lrla.lowrank._basis import Basis, inner
from lrla.lowrank._eigh import EighResult, check_rank
from lrla.lowrank._krylov import BOUND, PROBES
from lrla.lowrank._matrix import Matrix, as_square, conj, home
from lrla.lowrank._rsvd import width
from lrla.lowrank._svd import SAFETY, least_rank, signs
from lrla.lowrank._trace import positive

_FIRST = 16  # columns of the first sketch towards a tolerance; doubled from there


def nystrom(
    A: Any, rank: int | None = None, *, tol: float | None = None, rng: Any = None
) -> EighResult:
    """Approximate a positive semidefinite matrix from its products with a few random vectors.

    Parameters
    ----------
    A : array of shape (n, n), sparse matrix, LinearOperator or dask array
        Positive semidefinite.
    rank : int, optional
        Rank of the approximation. Give this or ``tol``.
    tol : float, optional
        Double the sketch until ``norm(A - V diag(w) V^H) <= tol * norm(A)`` in the Frobenius norm,
        as estimated with a factor of 2 to spare.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    EighResult
        eigenvalues (not negative, decreasing) and eigenvectors of the approximation, status, info.

    Raises
    ------
    ValueError
        If A is not square, not finite or visibly not positive semidefinite, or not exactly one of
        rank and tol is given.

    Warns
    -----
    ConvergenceWarning
        If all n columns do not reach the tolerance, which is then below rounding.

    See Also
    --------
    eigh : eigenpairs to full accuracy, with more products.

    Notes
    -----
    The approximation is ``(A X) (X^H A X)^+ (A X)^H`` for a Gaussian X of 10 or rank / 2 columns more
    than the rank, which is made orthonormal before, then truncated: the best from these products,
    and never larger than A in the Loewner order. A shift of the order of rounding errors is added and taken off again, which makes
    it stable [1]_. The expected error in the spectral norm is at most a small multiple of that of
    the best approximation of a slightly lower rank (Theorem 4.1 of [1]_).

    Ten more Gaussian vectors go along to measure the error, as for `svd`.

    Cost: one pass with 1.5 rank + 10 columns, and 4 n (1.5 rank)**2 flops.

    References
    ----------
    .. [1] J. A. Tropp, A. Yurtsever, M. Udell and V. Cevher, "Fixed-rank approximation of a
       positive-semidefinite matrix from streaming data", NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.lowrank import nystrom
    >>> x = np.linspace(0, 1, 300)
    >>> A = np.exp(-((x[:, None] - x) ** 2))
    >>> w, V = result = nystrom(A, tol=1e-8, rng=7)
    >>> bool(np.linalg.norm(A - (V * w) @ V.T) < 1e-8 * np.linalg.norm(A)), result.rank < 12
    (True, True)
    """
    start = time.perf_counter()
    matrix = as_square(A)
    n, xp = matrix.shape[0], matrix.space.xp
    if (rank is None) == (tol is None):
        raise ValueError(f"give either rank or tol, got rank={rank} and tol={tol}")
    if rank is not None:
        rank = check_rank(rank, n)
    if tol is not None and not 0 < tol < 1:
        raise ValueError(f"tol must be between 0 and 1, got {tol}")
    seed = seed_of(rng)
    sketch = Sketch(matrix, seed)
    status, columns = Status.CONVERGED, min(_FIRST, n) if rank is None else width(rank, n)
    while True:
        w, V = sketch.factors(columns)
        rest = sketch.error(w, V)
        if tol is None:
            rank = rank or columns
            break
        goal = tol * linalg.norm(w)
        if SAFETY * rest <= goal or columns == n:
            rank = least_rank(w, SAFETY * rest, goal)
            if SAFETY * rest > goal:
                status = Status.STAGNATED
                warn(f"the error is {rest / linalg.norm(w):.1e}, tol={tol:.1e}: {status.value}",
                     ConvergenceWarning)  # fmt: skip
            break
        columns = min(2 * columns, n)
    w, V = w[:rank], V[:, :rank]
    remainder = sketch.image - V @ (w[:, None] * inner(V, sketch.probes))
    phase, scale = signs(V), matrix.scale
    info = Info(
        error=linalg.norm(remainder) / math.sqrt(PROBES) * scale,
        spectral_bound=BOUND * scale * float(xp.max(linalg.norm(remainder, axis=0))),
        residuals=None,
        method="nystrom",
        reason="asked for",
        seed=seed,
        passes=matrix.passes,
        history=(),
        size=columns,
        seconds=time.perf_counter() - start,
    )
    values = xp.astype(w * scale, matrix.op.real_dtype, copy=False)
    return EighResult(values, home(matrix, V * conj(phase)[None, :]), status, info)


class Sketch:
    """Products with a basis of random directions that grows, and the probes that go along.

    The basis is orthonormal before A is multiplied with it, for a square Gaussian matrix, or nearly
    square, may have any condition, and no division of products mends what that lost.
    """

    def __init__(self, matrix: Matrix, seed: int) -> None:
        self.matrix, self.key = matrix, key_of(seed)
        n = matrix.shape[0]
        self.probes = matrix.gaussian(self.key, 1, n, PROBES)
        self.basis = Basis(matrix.space, n, matrix.op.dtype)
        self.Y = self.image = matrix.space.zeros((n, 0), matrix.op.dtype)

    def _grow(self, columns: int) -> None:
        n, held, xp = self.matrix.shape[0], self.basis.size, self.matrix.space.xp
        X = self.matrix.gaussian(self.key, 0, n, columns)[:, held:]
        X = self.basis.against(X, 0.0, self.matrix.u)[0]
        if held == 0:
            Y = self.matrix.trial(xp.concat((X, self.probes), axis=1))
            Y, self.image = Y[:, : X.shape[1]], Y[:, X.shape[1] :]
        else:
            Y = self.matrix.times(X)
        self.basis.append(X)
        self.Y = xp.concat((self.Y, Y), axis=1)

    def factors(self, columns: int) -> tuple[Array, Array]:
        """Return eigenvalues and eigenvectors of the approximation from so many columns."""
        if columns > self.basis.size:
            self._grow(columns)
        xp, u, X = self.matrix.space.xp, self.matrix.u, self.basis.columns
        shift = u * linalg.norm(self.Y)
        Y = self.Y + shift * X
        H = inner(X, Y)
        values, vectors = xp.linalg.eigh((H + adjoint(H)) / 2)
        positive(values, u)
        floor = u * float(values[-1]) if float(values[-1]) > 0 else 1.0
        root = xp.sqrt(xp.where(values > floor, values, floor + 0 * values))
        V, s, _ = linalg.svd(Y @ (vectors / root[None, :]))
        w = s**2 - shift
        return xp.where(w > 0, w, xp.zeros_like(w)), V

    def error(self, w: Array, V: Array) -> float:
        """Estimate the error in the Frobenius norm."""
        left = self.image - V @ (w[:, None] * inner(V, self.probes))
        return linalg.norm(left) / math.sqrt(PROBES)
