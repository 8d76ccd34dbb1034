"""Points that repel each other: the projection process of a basis, and designs made of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lrla._core.arrays import numpy_space
from lrla._core.numbers import whole
from lrla._core.random import Domain, Key, key_of, seed_of, tag
from lrla._core.results import Info, Status
from lrla.approximation._basis import Basis
from lrla.approximation._christoffel import christoffel_points
from lrla.approximation._design import Design, optimal_weights
from lrla.approximation._empirical import EmpiricalBasis, check_basis
from lrla.approximation._ensembles import model_of
from lrla.dpp import SamplingError
from lrla.kernels import philox
from lrla.kernels.determinantal import join

_STREAMS = 4  # of random numbers for every draw: acceptance, model, order
_ACCEPT, _MODEL, _ORDER = range(3)
_ENTRIES = 1 << 19  # values that are evaluated at a time


def dpp_sample(basis: Basis | EmpiricalBasis, *, rng: Any = None) -> Design:
    """Draw as many points as a basis has functions, repelling each other: its projection process.

    The m points have the density ``det(K) / m!`` under the product measure, K the matrix of
    ``k(x_i, x_j) = sum(phi(x_i) * conj(phi(x_j)))`` over the orthonormal functions phi. Each of
    them follows the Christoffel measure alone, as the points of `christoffel_sample` do.

    Parameters
    ----------
    basis : Basis or EmpiricalBasis
        The space. The law depends on the span of its functions alone.
    rng : None, int, numpy.random.Generator or SeedSequence, optional
        Seed.

    Returns
    -------
    Design
        NumPy arrays ``points`` of shape (m, dim), in exchangeable order, and ``weights``
        ``m / k_m(x)``. Of info: seed; method, "tridiagonal" or "rejection"; n_proposals.

    Raises
    ------
    SamplingError
        If the budget of proposals is used up: the functions are not orthonormal to rounding.

    Notes
    -----
    Exact. All polynomials of one variable up to a degree, of a classical family, are drawn as the
    eigenvalues of a random tridiagonal matrix [1]_ [2]_ in O(m**2). Otherwise points of the
    Christoffel measure are proposed, and accepted with the share of ``phi(x)`` that is orthogonal
    to the points before [3]_: m (1 + 1/2 + ... + 1/m) proposals on average, whatever the
    dimension, and O(m**3) flops. The sum of ``f(x) / k_m(x)`` over the points is unbiased for the
    integral of f, with no more variance than for independent points. On an `EmpiricalBasis` the
    process is that of its candidates.

    References
    ----------
    .. [1] I. Dumitriu, A. Edelman, "Matrix models for beta ensembles", J. Math. Phys. 43, 2002.
    .. [2] R. Killip, I. Nenciu, "Matrix models for circular ensembles", IMRN 2004.
    .. [3] S. Barthelme, N. Tremblay, P.-O. Amblard, "A faster sampler for discrete determinantal
       point processes", AISTATS 2023; for densities as for items.

    Examples
    --------
    >>> from lrla.approximation import basis, dpp_sample, total_degree
    >>> space = basis("legendre", total_degree(2, 5))
    >>> design = dpp_sample(space, rng=7)
    >>> design.points.shape, design.info.method
    ((21, 2), 'rejection')
    """
    check_basis(basis)
    seed = seed_of(rng)
    points, method, n_proposals = _draw(basis, key_of(seed), 0)
    info = Info(seed=seed, method=method, n_proposals=n_proposals)
    return Design(points, optimal_weights(basis, points), "dpp", Status.CONVERGED, info)


def volume_rescaled_sample(
    basis: Basis | EmpiricalBasis, size: int, *, reference: Basis | None = None, rng: Any = None
) -> Design:
    """Draw points by the volume that they span: the law under which least squares have no bias.

    The density is proportional to ``det(G)`` under independent points of the Christoffel measure,
    G the mean of ``weight * phi(x) phi(x)^H``.

    Parameters
    ----------
    basis : Basis or EmpiricalBasis
        The space, of m functions.
    size : int
        Number of points n, at least m.
    reference : Basis, optional
        Another space of the same measure, whose Christoffel measure takes the place of that of
        ``basis``: the constant alone for the product measure itself, a larger space for points
        that will serve that one too.
    rng : None, int, numpy.random.Generator or SeedSequence, optional
        Seed.

    Returns
    -------
    Design
        NumPy arrays ``points`` of shape (size, dim), in random order, and ``weights``
        ``m / k_m(x)``, those of the reference. Info as of `dpp_sample`.

    Raises
    ------
    ValueError
        If ``size`` is less than m, or the reference has another measure.
    SamplingError
        As for `dpp_sample`.

    Notes
    -----
    A draw is one of `dpp_sample` and ``size - m`` independent points, in random order ([1]_,
    Theorem 2.4; [2]_ for measures). The weighted least-squares approximation of a function u from
    such points has the best approximation in L2 as its expectation; the expectation of the inverse
    of G is ``n / (n - m + 1)`` times the identity; and for ``size == m`` the expected squared error
    is ``1 + m`` times the least one. The tails are heavy for sizes near m. All of this holds for
    any reference [2]_, but only the default has weights that keep ``weight * k_m(x)`` at m.

    References
    ----------
    .. [1] M. Derezinski, M. K. Warmuth, D. Hsu, "Unbiased estimators for random design regression",
       JMLR 23, 2022.
    .. [2] A. Nouy, B. Michel, "Weighted least-squares approximation with determinantal point
       processes and generalized volume sampling", 2023, arXiv 2312.14057.

    Examples
    --------
    >>> from lrla.approximation import basis, total_degree, volume_rescaled_sample
    >>> len(volume_rescaled_sample(basis("legendre", total_degree(2, 5)), 40, rng=7))
    40
    """
    check_basis(basis)
    size, m = whole(size, "size", 0), len(basis)
    if size < m:
        raise ValueError(f"size must be at least the number of functions, {m}, got {size}")
    kind, other = ("volume", basis) if reference is None else ("generalized volume", reference)
    if reference is not None and _measure(reference) != _measure(basis):
        raise ValueError("reference must have the families of basis, for they are the measure")
    seed = seed_of(rng)
    key = key_of(seed)
    points, method, n_proposals = _draw(basis, key, 0)
    points = np.concatenate([points, christoffel_points(other, key, 1, 0, size - m)])
    points = points[_order(key, 0, size)]
    info = Info(seed=seed, method=method, n_proposals=n_proposals)
    return Design(points, optimal_weights(other, points), kind, Status.CONVERGED, info)


def repeated_dpp_sample(
    basis: Basis | EmpiricalBasis, n_repeats: int, *, rng: Any = None
) -> Design:
    """Draw several independent samples of the projection process of a basis.

    Parameters
    ----------
    basis : Basis or EmpiricalBasis
        The space, of m functions.
    n_repeats : int
        How many samples, at least 1.
    rng : None, int, numpy.random.Generator or SeedSequence, optional
        Seed.

    Returns
    -------
    Design
        NumPy arrays ``points`` of shape (n_repeats * m, dim), one sample after the other, and
        ``weights`` ``m / k_m(x)``. Info as of `dpp_sample`, and n_repeats.

    Raises
    ------
    ValueError
        If ``n_repeats`` is less than 1.
    SamplingError
        As for `dpp_sample`.

    Notes
    -----
    Least squares need stable points more than unbiased ones, and few repetitions are stable with
    high probability: this is the design for approximation [1]_. Samples repel within themselves
    only, and so the spread between them gives standard errors.

    References
    ----------
    .. [1] A. Nouy, B. Michel, "Weighted least-squares approximation with determinantal point
       processes and generalized volume sampling", 2023, arXiv 2312.14057, section 5.

    Examples
    --------
    >>> from lrla.approximation import basis, repeated_dpp_sample, total_degree
    >>> len(repeated_dpp_sample(basis("legendre", total_degree(2, 5)), 3, rng=7))
    63
    """
    check_basis(basis)
    n_repeats, seed = whole(n_repeats, "n_repeats", 1), seed_of(rng)
    draws = [_draw(basis, key_of(seed), i) for i in range(n_repeats)]
    points = np.concatenate([points for points, _, _ in draws])
    info = Info(
        seed=seed,
        n_repeats=n_repeats,
        method=draws[0][1],
        n_proposals=sum(asked for _, _, asked in draws),
    )
    return Design(points, optimal_weights(basis, points), "repeated_dpp", Status.CONVERGED, info)


def _measure(basis: Basis | EmpiricalBasis) -> Any:
    return basis.families if isinstance(basis, Basis) else id(basis)


def _uniform(key: Key, draw: int, what: int, start: int, stop: int) -> np.ndarray:
    which = tag(Domain.DPP, _STREAMS * draw + what)
    u: np.ndarray = philox.uniform(numpy_space(), key, which, start, stop, 1)[:, 0]
    return u


def _order(key: Key, draw: int, n: int) -> np.ndarray:
    return np.argsort(_uniform(key, draw, _ORDER, 0, n), kind="stable")


def _draw(basis: Basis | EmpiricalBasis, key: Key, draw: int) -> tuple[np.ndarray, str, int]:
    """Draw the sample of a number: points, how, and from how many proposals."""
    m = len(basis)
    model = model_of(basis)
    if model is not None:
        x = model(_uniform(key, draw, _MODEL, 0, 2 * m - 1))
        return x[_order(key, draw, m)][:, None], "tridiagonal", 0
    chosen, asked = join(_Proposals(basis, key, draw).some, m)
    points = np.concatenate(chosen)
    if len(points) < m:
        raise SamplingError(
            f"{asked} proposals gave {len(points)} of {m} points: the functions of the basis are "
            "not orthonormal under its measure"
        )
    return points, "rejection", asked


class _Proposals:
    """The points of one Christoffel stream with their values, many at a time."""

    def __init__(self, basis: Basis | EmpiricalBasis, key: Key, draw: int) -> None:
        self.basis, self.key, self.draw = basis, key, draw
        self.first = self.end = 0

    def some(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return points, values, and uniform numbers that decide: those still at hand."""
        if start >= self.end:
            self._fetch(start)
        part = slice(start - self.first, stop - self.first)
        return self.points[part], self.values[part], self.uniform[part]

    def _fetch(self, start: int) -> None:
        m = len(self.basis)
        likely = m if start else math.ceil(m * (1 + math.log(m)))  # to be enough
        count = max(min(likely, _ENTRIES // m), m)
        self.first, self.end = start, start + count
        self.points = christoffel_points(self.basis, self.key, 2 * self.draw, start, count)
        self.values = self.basis(self.points)
        self.uniform = _uniform(self.key, self.draw, _ACCEPT, start, self.end)
