"""`ptd`: diagonalize a matrix that is no longer quite the same, but whose eigenvectors are usable."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, as_array, check_finite, space_of, unit_roundoff
from lrla._core.dispatch import library
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.numbers import whole
from lrla._core.random import Domain, key_of, seed_of, tag
from lrla._core.results import Info, Result, Status
from lrla.kernels import philox


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PTDResult(Result):
    """An approximate diagonalization ``A ~ vectors @ diag(eigenvalues) @ inverse``.

    Parameters
    ----------
    eigenvalues : array of shape (n,)
        Complex.
    vectors : array of shape (n, n)
        Columns of norm one.
    inverse : array of shape (n, n)
        Of ``vectors``.
    condition : float
        Spectral condition number of ``vectors``.
    status : Status
        Always `Status.CONVERGED`.
    info : Info
        ``backward_error``: ``norm(vectors @ diag(eigenvalues) @ inverse - A, 2) / norm(A, 2)``,
        measured; ``conditions``: of all trials and refinements; ``seed``; ``seconds``.
    """

    eigenvalues: Array
    vectors: Array
    inverse: Array
    condition: float
    status: Status
    info: Info


def ptd(
    A: Any, *, eps: float = 1e-3, n_trials: int = 8, n_refinements: int = 0, rng: Any = None
) -> PTDResult:
    """Perturb a matrix a little, then diagonalize it with eigenvectors that can be computed with.

    Parameters
    ----------
    A : array of shape (n, n)
        Any square matrix: diagonalizable, barely so, or not at all.
    eps : float, default 1e-3
        Norm of the perturbation relative to that of A. 0: none, a plain eigendecomposition.
    n_trials : int, default 8
        Perturbations that are tried; the one with the best conditioned eigenvectors is taken.
    n_refinements : int, default 0
        Changes of that perturbation that are tried after, one at a time; each is kept if it makes
        the eigenvectors better conditioned.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    PTDResult
        With fields eigenvalues, vectors, inverse, condition, status and info.

    Raises
    ------
    ValueError
        If A is not square, empty or not finite, or eps, n_trials or n_refinements is out of
        range.
    TypeError
        If A is not a matrix of numbers, or its array library has no ``linalg.eig``, which is in no
        standard.

    Warns
    -----
    AccuracyWarning
        If the eigenvectors are so ill-conditioned that A is not reproduced to three digits, as
        happens for ``eps=0``.

    Notes
    -----
    Perturbations are complex Gaussian matrices scaled to spectral norm ``eps * norm(A, 2)``. Every
    matrix has one of that size after which the condition number of the eigenvectors is at most
    c(n) / eps, and Gaussian ones do it [1]_; without, it can be infinite. The diagonalization is
    backward stable in the sense that it is nearly that of a matrix within eps of A: for functions
    of A, such as the transfer functions of state-space models, this is what counts [2]_.

    A refinement turns the perturbation towards another Gaussian matrix, by an angle that grows after
    a success and shrinks after a failure: [2]_ follows a gradient instead, which needs derivatives
    of eigenvectors. Sixty of them halved the condition number for a Jordan block and for a HiPPO
    matrix.

    Cost: n_trials and n_refinements times some 25 n**3 complex flops.

    References
    ----------
    .. [1] J. Banks, A. Kulkarni, S. Mukherjee and N. Srivastava, "Gaussian regularization of the
       pseudospectrum and Davies' conjecture", Comm. Pure Appl. Math. 74, 2021.
    .. [2] A. Yu, A. Nigmetov, D. Morozov, M. W. Mahoney and N. B. Erichson, "Robustifying
       state-space models for long sequences via approximate diagonalization", ICLR 2024,
       arXiv:2310.01698.

    Examples
    --------
    A Jordan block has one eigenvector. Nearby matrices have bases of them.

    >>> import numpy as np
    >>> from lrla.lowrank import ptd
    >>> result = ptd(np.eye(50, k=1), eps=1e-3, rng=7)
    >>> result.condition < 1e6, 0.9e-3 < result.info.backward_error < 1.1e-3
    (True, True)
    """
    start = time.perf_counter()
    A = as_array(A, "A")
    if A.shape[0] != A.shape[1] or A.shape[0] == 0:
        raise ValueError(f"A must be square and not empty, got shape {tuple(A.shape)}")
    check_finite(A, "A")
    if not 0 <= eps < 1:
        raise ValueError(f"eps must be at least 0 and less than 1, got {eps}")
    n_trials = whole(n_trials, "n_trials", 1)
    n_refinements = whole(n_refinements, "n_refinements", 0)
    space = space_of(A)
    if not hasattr(space.xp.linalg, "eig"):
        raise TypeError(
            "A must be an array of a library with linalg.eig, such as NumPy, got one of "
            f"{library(space)}; convert it"
        )
    seed, size = seed_of(rng), float(linalg.svdvals(A)[0])
    xp, u = space.xp, unit_roundoff(space.xp, A.dtype)
    single = str(A.dtype).endswith(("float32", "complex64"))
    A = xp.astype(A, xp.complex64 if single else xp.complex128)
    unit = A / size if size else A
    search = _Search(unit, eps if size else 0.0, seed)
    for trial in range(int(n_trials) if search.eps else 1):
        search.attempt(search.noise(trial))
    for trial in range(int(n_refinements) if search.eps else 0):
        search.refine(int(n_trials) + trial)
    (condition, w, V), conditions = search.best, search.conditions
    inverse, error = _inverse(V, w, unit)
    if not error <= eps + 1e-3 or condition * u > 1e-3:
        warn(
            f"the eigenvectors have condition {condition:.1e}: A is reproduced with a relative "
            f"error of {error:.1e}; raise eps",
            AccuracyWarning,
        )
    info = Info(
        backward_error=error,
        conditions=tuple(conditions),
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    return PTDResult(w * (size or 1.0), V, inverse, condition, Status.CONVERGED, info)


class _Search:
    """Perturbations of a matrix of norm one, of which the best is kept.

    Parameters
    ----------
    A : array of shape (n, n)
        Complex.
    eps : float
        Norm of the perturbations.
    seed : int
        Where they come from.
    """

    def __init__(self, A: Array, eps: float, seed: int) -> None:
        self.A, self.eps, self.seed = A, eps, seed
        self.conditions: list[float] = []
        self.best: tuple[float, Array, Array] = (math.inf, A, A)
        self.direction = A
        self.angle = 0.5

    def noise(self, trial: int) -> Array:
        """Draw a complex Gaussian matrix of spectral norm one."""
        space, n = space_of(self.A), self.A.shape[0]
        place = tag(Domain.TEST_MATRIX, trial)
        G = space.asarray(philox.normal(space, key_of(self.seed), place, 0, n, 2 * n), self.A.dtype)
        return _normalized(G[:, :n] + 1j * G[:, n:])

    def attempt(self, direction: Array) -> bool:
        """Diagonalize A after a perturbation; return whether that is the best so far."""
        w, V = space_of(self.A).xp.linalg.eig(self.A + self.eps * direction if self.eps else self.A)
        s = linalg.svdvals(V)
        smallest = float(s[-1])
        self.conditions.append(float(s[0]) / smallest if smallest else math.inf)
        better = self.conditions[-1] < self.best[0] or len(self.conditions) == 1
        if better:
            self.best, self.direction = (self.conditions[-1], w, V), direction
        return better

    def refine(self, trial: int) -> None:
        """Turn the best perturbation a little, as far as has helped lately."""
        across = math.cos(self.angle) * self.direction + math.sin(self.angle) * self.noise(trial)
        # one success in five keeps the angle as it is (Rechenberg's rule)
        self.angle *= 1.5 if self.attempt(_normalized(across)) else 1.5**-0.25
        self.angle = min(self.angle, 1.0)


def _normalized(E: Array) -> Array:
    return E / float(linalg.svdvals(E)[0])


def _inverse(V: Array, w: Array, A: Array) -> tuple[Array, float]:
    """Invert the eigenvectors, and measure how well they reproduce a matrix of norm one."""
    xp = space_of(V).xp
    try:
        inverse = xp.linalg.inv(V)
    except (np.linalg.LinAlgError, RuntimeError):
        return V * float("nan"), float("inf")
    rest = (V * w[None, :]) @ inverse - A
    finite = bool(xp.all(xp.isfinite(xp.abs(rest))))
    return inverse, float(linalg.svdvals(rest)[0]) if finite else float("inf")
