"""The relaxation factor that theory prefers, and what it needs to know of the matrix."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.arrays import Array, adjoint, is_complex, space_of
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.linalg import norm
from lrla._core.random import Domain, key_of, seed_of, tag
from lrla._core.results import Info, Result, Status
from lrla.kernels.philox import normal
from lrla.kernels.triangles import diagonal
from lrla.relaxation._order import symmetric_pattern, two_colours
from lrla.relaxation._system import System, is_hermitian, on_host, read

_ARNOLDI = 100  # steps, at most, of Arnoldi, which keeps a vector of each
_STEPS = 300  # of Lanczos, at most; the error of beta falls like exp(-4 k sqrt(1 - beta))


def young(beta: float) -> float:
    """Return the best omega for a consistently ordered matrix of Jacobi radius beta."""
    return 1 + (beta / (1 + math.sqrt((1 - beta) * (1 + beta)))) ** 2


def young_eidson(real: float, imaginary: float) -> tuple[float, float]:
    """Return a good omega and its rate for Jacobi eigenvalues inside of an ellipse around 0."""
    root = 1 + math.sqrt((1 - real) * (1 + real) + imaginary**2)
    return 2 / root, ((real + imaginary) / root) ** 2


def axelsson(beta: float) -> float:
    """Return a good omega for conjugate gradients with SSOR, of a matrix of Jacobi radius beta.

    On the model problem it is ``2 / (1 + 2 sin(pi h / 2))``.
    """
    return 2 / (1 + 2 * math.sqrt((1 - beta) / 2))


def beta_from_rate(rate: float, omega: float) -> float:
    """Return the Jacobi radius for which SOR with a factor below the best one has this rate."""
    return (rate + omega - 1) / (omega * math.sqrt(rate))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OmegaResult(Result):
    """The best relaxation factor of a matrix; ``float(result)`` is the factor itself.

    Parameters
    ----------
    omega : float
        By Young's formula.
    beta : float
        Spectral radius of the Jacobi iteration, estimated from below.
    consistently_ordered : bool
        Whether Young's theory applies: the graph of A has two colours, and its pattern is
        symmetric. If not, omega is a heuristic.
    status : Status
        Whether 1 - beta is known to ``tol``.
    info : Info
        ``upper``: an upper bound for an eigenvalue of the Jacobi iteration next to beta; ``rate``:
        by what factor a sweep with omega reduces the error in the end; ``pcg_omega``: a factor for
        `ssor_pcg`; ``iterations`` of Lanczos or Arnoldi; ``seed``; ``seconds``.
    """

    omega: float
    beta: float
    consistently_ordered: bool
    status: Status
    info: Info

    def __float__(self) -> float:
        return self.omega


def optimal_omega(A: Any, *, tol: float = 0.05, rng: Any = None) -> OmegaResult:
    """Estimate the best relaxation factor of SOR.

    Parameters
    ----------
    A : array of shape (n, n) or sparse matrix
        Hermitian with a positive diagonal, or any with a nonzero one; never changed.
    tol : float, default 0.05
        Relative accuracy of 1 - beta at which to stop.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the first vector comes from.

    Returns
    -------
    OmegaResult
        With fields omega, beta, consistently_ordered, status and info.

    Raises
    ------
    ValueError
        If A is not square, or not finite.
    LinAlgError
        If a diagonal entry is not positive, or is zero if A is not Hermitian.

    Warns
    -----
    AccuracyWarning
        If A is not Hermitian: the factor is then a heuristic.

    Notes
    -----
    beta, the spectral radius of ``I - inv(D) @ A``, is the largest absolute value of a Ritz value
    of Lanczos for ``I - D**-0.5 @ A @ D**-0.5``. Ritz values lie inside the spectrum: beta is
    estimated from below, and so is omega. Lanczos stops when the residual of the Ritz vector is at
    most ``tol * (1 - beta)``, or after 300 steps.

    With beta < 1, Young's theorem [1]_ says that for a consistently ordered A the spectral radius
    of a sweep is least, and equal to omega - 1, for ``omega = 1 + (beta / (1 + sqrt(1 -
    beta**2)))**2``. Whether A is consistently ordered is decided by its graph; in natural order
    this holds for the usual grids, and for any graph of two colours in the order "redblack".

    For an A that is not Hermitian, Ritz values are those of at most 100 steps of Arnoldi. With a and
    b the largest real and imaginary part of one, omega is ``2 / (1 + sqrt(1 - a**2 + b**2))``, the
    best for eigenvalues in the ellipse with these semi-axes [2]_; Ritz values of such matrices may
    be far from all eigenvalues that matter.

    Cost: a product with A and some vectors for each step; with Arnoldi, as many vectors as steps.

    References
    ----------
    .. [1] D. M. Young, "Iterative Solution of Large Linear Systems", Academic Press, 1971.
    .. [2] D. M. Young and H. E. Eidson, "On the determination of the optimum relaxation factor for
       the SOR method when the eigenvalues of the Jacobi matrix are complex", Report CNA-1, University
       of Texas at Austin, 1970.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.relaxation import optimal_omega
    >>> A = 2 * np.eye(50) - np.eye(50, k=1) - np.eye(50, k=-1)
    >>> found = optimal_omega(A, tol=1e-3, rng=1)
    >>> round(found.omega, 3), found.consistently_ordered
    (1.884, True)
    >>> bool(np.isclose(found.omega, 2 / (1 + np.sin(np.pi / 51)), rtol=1e-4))
    True
    """
    start = time.perf_counter()
    if not 0 < tol < 1:
        raise ValueError(f"tol must be between 0 and 1, got {tol}")
    seed = seed_of(rng)
    system = read(A)
    if is_hermitian(system):
        beta, upper, steps = jacobi_radius(system, tol, seed, _STEPS)
        omega = young(min(beta, 1 - 1e-15))
        rate = omega - 1
    else:
        warn(
            "A is not Hermitian: omega comes from Ritz values of a few steps of Arnoldi, and is a "
            "heuristic",
            AccuracyWarning,
        )
        ritz, slack, steps = jacobi_ritz(system, tol, seed)
        beta = float(np.max(np.abs(ritz), initial=0.0))
        upper = beta + slack
        real = min(float(np.max(np.abs(ritz.real), initial=0.0)), 1 - 1e-15)
        omega, rate = young_eidson(real, float(np.max(np.abs(ritz.imag), initial=0.0)))
    fine = beta < 1 and upper - beta <= tol * (1 - beta)
    info = Info(
        upper=upper,
        rate=rate,
        pcg_omega=axelsson(min(beta, 1 - 1e-15)),
        iterations=steps,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    status = Status.CONVERGED if fine else Status.MAX_ITER
    return OmegaResult(omega, beta, consistently_ordered(system), status, info)


def consistently_ordered(system: System) -> bool:
    """Tell whether the pattern is symmetric and has two colours (Young's property A)."""
    indices, indptr = on_host(system.indices), on_host(system.indptr)
    pattern = symmetric_pattern(indices, indptr)
    rows = np.repeat(np.arange(system.n), np.diff(indptr))
    stored = int(np.count_nonzero(rows != indices))
    return pattern.nnz == stored and two_colours(pattern) is not None


def jacobi_radius(system: System, tol: float, seed: int, most: int) -> tuple[float, float, int]:
    """Estimate the spectral radius of Jacobi's iteration; return it, a bound, and steps done."""
    space, n = system.space, system.n
    xp = space.xp
    if n == 0:
        return 0.0, 0.0, 0
    entries = diagonal(system.data, system.indices, system.indptr)
    real = xp.real(entries) if is_complex(entries) else entries
    if not bool(xp.all(real > 0)):
        row = int(xp.argmin(xp.astype(real > 0, xp.int8)))
        raise np.linalg.LinAlgError(
            f"diagonal entries of A must be positive, got {float(real[row]):g} in row {row}"
        )
    s = 1 / xp.sqrt(real)
    v = xp.astype(normal(space, key_of(seed), tag(Domain.INIT), 0, n, 1)[:, 0], system.op.dtype)
    v, before = v / norm(v), xp.zeros_like(v)
    alphas: list[float] = []
    betas: list[float] = []
    while len(alphas) < min(most, n):
        w = v - s * _multiply(system, s * v)
        alphas.append(_inner(v, w))
        w = w - alphas[-1] * v - (betas[-1] * before if betas else 0.0)
        betas.append(norm(w))
        k = len(alphas)
        last = k == min(most, n) or betas[-1] <= 1e-14
        if last or k % 8 == 0:
            T = np.diag(alphas) + np.diag(betas[:-1], 1) + np.diag(betas[:-1], -1)
            values, vectors = np.linalg.eigh(T)
            i = int(np.argmax(np.abs(values)))
            beta = float(abs(values[i]))
            upper = beta + betas[-1] * abs(float(vectors[-1, i]))
            if last or upper - beta <= tol * (1 - beta):
                break
        before, v = v, w / betas[-1]
    return beta, upper, len(alphas)


def jacobi_ritz(system: System, tol: float, seed: int) -> tuple[np.ndarray[Any, Any], float, int]:
    """Return Ritz values of Jacobi's iteration by Arnoldi, the residual of the largest, and steps."""
    space, n = system.space, system.n
    xp = space.xp
    entries = diagonal(system.data, system.indices, system.indptr)
    if bool(xp.any(entries == 0)):
        row = int(xp.argmax(xp.astype(entries == 0, xp.int8)))
        raise np.linalg.LinAlgError(f"diagonal entries of A must be nonzero, got 0 in row {row}")
    v = xp.astype(normal(space, key_of(seed), tag(Domain.INIT), 0, n, 1)[:, 0], system.op.dtype)
    V = (v / norm(v))[:, None]
    most = min(_ARNOLDI, n)
    H = np.zeros((most + 1, most), complex)
    for k in range(most):
        w = V[:, k] - _multiply(system, V[:, k]) / entries
        for _ in range(2):  # twice is enough
            h = adjoint(V) @ w
            w = w - V @ h
            H[: k + 1, k] += np.asarray([complex(c) for c in h])
        H[k + 1, k] = rest = norm(w)
        last = k + 1 == most or rest <= 1e-14
        if last or (k + 1) % 10 == 0:
            values, vectors = np.linalg.eig(H[: k + 1, : k + 1])
            i = int(np.argmax(np.abs(values)))
            slack = rest * abs(vectors[k, i])
            if last or slack <= tol * (1 - abs(values[i])):
                break
        V = xp.concat([V, (w / rest)[:, None]], axis=1)
    return values, slack, k + 1


def _multiply(system: System, v: Array) -> Array:
    return system.op.matmat(v[:, None])[:, 0]


def _inner(x: Array, y: Array) -> float:
    xp = space_of(x).xp
    total = xp.sum(adjoint(x) * y)
    return float(xp.real(total)) if is_complex(total) else float(total)
