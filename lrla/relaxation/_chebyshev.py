"""`chebyshev_ssor`: SSOR accelerated by polynomials that are known beforehand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lrla._core.docs import described
from lrla._core.iteration import Callback
from lrla._core.random import Domain, key_of, tag
from lrla.kernels.philox import normal
from lrla.relaxation._plan import check_omega
from lrla.relaxation._problem import SHARED, Problem, announce, check_limits, pose
from lrla.relaxation._result import SolveResult
from lrla.relaxation._ssor_pcg import Run, SplitMatrix, check_hermitian, conjugate_until
from lrla.relaxation._system import read

_STEPS = 300  # of conjugate gradients, at most, to find the least eigenvalue
_SETTLED = 0.02  # relative change of it in five steps


class _Chebyshev(Run):
    """Steps of Chebyshev's iteration in place of those of conjugate gradients."""

    def __init__(
        self, problem: Problem, split: SplitMatrix, residual: Any, *, lower: float, upper: float
    ) -> None:
        super().__init__(problem, split, residual)
        unit = 2 - split.omega  # of the eigenvalues, for the scaled matrix
        self.middle, self.reach = (upper + lower) / 2 / unit, (upper - lower) / 2 / unit
        self._renew(np.ones(self.sizes.shape, bool))

    def _renew(self, which: Any) -> None:
        """Begin the polynomials anew."""
        self.length = np.where(which, 1 / self.middle, self.length)
        self.share = np.where(which, self.reach / self.middle, getattr(self, "share", 0.0))
        self.beta = np.where(which, 0.0, self.beta)

    def step(self) -> bool:
        """Do one iteration."""
        p, product, _ = self._direction()
        self._move(p, product, np.where(self.live, self.length, 0.0))
        # Saad, Iterative Methods for Sparse Linear Systems, algorithm 12.1, directions over lengths
        self.beta = np.where(self.live, self.share * self.reach * self.length / 2, 0.0)
        self.share = 1 / (2 * self.middle / self.reach - self.share)
        self.length = 2 * self.share / self.reach
        return True

    def settle(self, x: Any, sizes: Any) -> None:
        """Do what `Run.settle` does, and begin the polynomials of those anew that begin anew."""
        before = self.replaced
        super().settle(x, sizes)
        self._renew(self.replaced != before)


def least_eigenvalue(split: SplitMatrix) -> float:
    """Estimate the least eigenvalue of the preconditioned matrix, from above, by Lanczos."""
    from scipy.linalg import eigh_tridiagonal

    system = split.system
    space, n = system.space, system.n
    b = normal(space, key_of(1956), tag(Domain.TEST_MATRIX), 0, n, 1)[:, 0]
    b = space.xp.astype(b, system.data.dtype)
    problem = Problem(system.op, b, space.xp.zeros_like(b), np.zeros(1), 1.0)
    run = Run(problem, split, b)
    diagonal: list[float] = []
    beside: list[float] = []
    least, beta, length = math.inf, 0.0, 1.0
    while len(diagonal) < min(_STEPS, n) and float(run.rho[0]) > 0 and run.step():
        diagonal.append(1 / float(run.length[0]) + beta / length)
        beta, length = float(run.beta[0]), float(run.length[0])
        if len(diagonal) % 5 == 0 or len(diagonal) == n:
            found = eigh_tridiagonal(
                diagonal, beside, eigvals_only=True, select="i", select_range=(0, 0)
            )
            if abs(float(found[0]) - least) <= _SETTLED * least and len(diagonal) >= 15:
                break
            least = float(found[0])
        beside.append(math.sqrt(beta) / length)
    if not 0 < least < math.inf:
        least = min(diagonal, default=1.0)
    return (2 - split.omega) * least


@described(**SHARED)
def chebyshev_ssor(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    omega: float = 1.0,
    lower: float | None = None,
    upper: float = 1.0,
    order: Any = "natural",
    rtol: float = 1e-5,
    atol: float = 0.0,
    max_iter: int | None = None,
    check_every: int = 10,
    callback: Callback | None = None,
) -> SolveResult:
    """Solve ``A @ x = b`` by SSOR with Chebyshev acceleration: no inner product decides a step.

    Parameters
    ----------
    {definite}
    omega : float, default 1
        Relaxation factor, between 0 and 2.
    lower, upper : float, default None and 1
        Ends of the spectrum of ``inv(M) @ A`` with the SSOR matrix M, which is never beyond 1. By
        default the lower one is estimated, which costs some iterations; ``info.lower`` is what was
        taken, for the next solve.
    order : {"natural", "multicolor", "redblack"} or array of shape (n,), default "natural"
        Which unknown is moved when, as for `SweepPlan`.
    {tolerance}
    check_every : int, default 10
        As for `ssor_pcg`.
    callback : callable, optional
        As for `ssor_pcg`.

    {result}

    {refuses}

    {warns}

    See Also
    --------
    ssor_pcg : conjugate gradients, which need no bounds and fewer iterations.

    Notes
    -----
    After k iterations the error in the norm of A is at most ``2 * q**k / (1 + q**(2 k))`` of the
    first one, with ``q = (sqrt(c) - 1) / (sqrt(c) + 1)`` and ``c = upper / lower``, if these bound
    the spectrum [1]_. A lower end that is too large slows down, and does no other harm; one that is
    too small slows down, too. The steps are known beforehand: nothing waits for a sum over all
    unknowns, which is what counts where they are spread over many processors. Each costs what one of
    `ssor_pcg` costs.

    References
    ----------
    .. [1] G. H. Golub and R. S. Varga, "Chebyshev semi-iterative methods, successive overrelaxation
       iterative methods, and second order Richardson iterative methods", Numer. Math. 3 (1961)
       147-168.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.relaxation import chebyshev_ssor
    >>> A = 2 * np.eye(50) - np.eye(50, k=1) - np.eye(50, k=-1)
    >>> first = chebyshev_ssor(A, np.ones(50), omega=1.8, rtol=1e-10)
    >>> again = chebyshev_ssor(A, np.arange(50.0), omega=1.8, lower=first.info.lower, rtol=1e-10)
    >>> bool(first), bool(again), bool(np.allclose(A @ again.x, np.arange(50)))
    (True, True, True)
    """
    omega = check_omega(omega)
    check_limits(max_iter, check_every)
    if not (0 < upper < math.inf and (lower is None or 0 < lower < upper)):
        raise ValueError(
            f"lower and upper must be positive and finite, lower less, got {lower} and {upper}"
        )
    system = read(A)
    problem = pose(system.op, b, x0, rtol, atol)
    check_hermitian(system)
    split = SplitMatrix(system.astype(problem.b.dtype), omega, order)
    if lower is None:
        # Ritz values come from above
        lower = min(0.95 * least_eigenvalue(split), 0.99 * upper) if system.n else upper / 2
    most = 10 * system.n if max_iter is None else max_iter
    return announce(
        conjugate_until(problem, split, max_iter=most, check_every=check_every, callback=callback,
                        name="Chebyshev-SSOR", kind=_Chebyshev, lower=lower, upper=upper)
    )  # fmt: skip
