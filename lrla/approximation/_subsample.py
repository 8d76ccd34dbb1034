"""Fewer points out of a design, chosen by their positions alone: removal, and sparsification."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, space_of, to_host
from lrla._core.numbers import whole
from lrla._core.results import Info
from lrla.approximation._basis import Basis
from lrla.approximation._design import Design
from lrla.approximation._empirical import EmpiricalBasis
from lrla.approximation._solve import Rows, extremes
from lrla.approximation._stable import StabilityError, check_share, is_stable
from lrla.kernels.downdate import extremes_without

_SCREEN = 4  # points at each end that are looked at; one does not always find the best
_REFRESH = 50  # removals after which the Gram matrix is summed up anew


def greedy_subsample(
    basis: Basis | EmpiricalBasis,
    design: Design,
    size: int | None = None,
    *,
    delta: float = 0.9,
    two_sided: bool = False,
    exact: bool = False,
) -> Design:
    """Remove points from a design one by one, as long as it stays stable.

    Parameters
    ----------
    basis : Basis or EmpiricalBasis
        The m functions.
    design : Design
        Points, and weights, which stay as they are.
    size : int, optional
        Number of points at which to stop, at least m, which is the default.
    delta : float, default 0.9
        The smallest eigenvalue of the Gram matrix G stays at least 1 - delta.
    two_sided : bool, default False
        Keep ``norm(G - I) <= delta`` instead.
    exact : bool, default False
        Look at the effect of removing every point before each removal. By default at those of eight
        points, those furthest along the eigenvectors of the largest eigenvalue and those least
        along that of the smallest, and at all others only where none of these may go.

    Returns
    -------
    Design
        At least ``size`` of the points, in their order. Its ``info`` adds subsample, n_drawn (the
        number of points before), ratio (n_drawn / size), delta, two_sided, and the new lambda_min and lambda_max.

    Raises
    ------
    StabilityError
        If the design is not stable to begin with.
    ValueError
        If a parameter is out of range.

    Notes
    -----
    The point goes that leaves the largest smallest eigenvalue (with ``two_sided``, the smallest
    ``norm(G - I)``, as in [1]_). Eigenvalues without a point are roots of a secular equation, so
    the effect of a removal costs O(m) after one eigendecomposition. About m points are left for
    functions of one variable, up to 1.3 m of several; more, if the design has hardly more stability
    than ``delta`` asks for to begin with, or both ends of the spectrum are bounded. Cost for n points: (n - size)
    times m**3 + n m flops, with ``exact`` n m**2 in place of n m.

    References
    ----------
    .. [1] C. Haberstich, A. Nouy and G. Perrin, "Boosted optimal weighted least-squares", Math.
       Comp. 91, 2022.

    Examples
    --------
    >>> from lrla.approximation import basis, greedy_subsample, stable_design, total_degree
    >>> space = basis("legendre", total_degree(1, 10))
    >>> small = greedy_subsample(space, stable_design(space, rng=7))
    >>> len(small), small.info.lambda_min >= 0.1
    (11, True)
    """
    delta = check_share(delta, "delta")
    n, m = len(design), len(basis)
    size = m if size is None else _size(size, m, n)
    rows = Rows(basis(design.points), design.weights)
    low, high = extremes(rows)
    if not is_stable(low, high, delta, two_sided):
        raise StabilityError(
            f"the design must be stable before points are removed, got eigenvalues from {low:.3g} "
            f"to {high:.3g} for delta={delta}; draw it with stable_design",
            design,
        )
    kept = _remove(rows, size, delta, two_sided, exact)
    return _chosen(basis, design, kept, None, subsample="greedy", delta=delta, two_sided=two_sided,
                   ratio=n / size)  # fmt: skip


def _size(size: Any, m: int, n: int) -> int:
    size = whole(size, "size", 1)
    if not m <= size <= n:
        raise ValueError(
            f"size must be at least the number of functions, {m}, and at most that of points, {n}, "
            f"got {size}"
        )
    return size


def _chosen(
    basis: Basis | EmpiricalBasis,
    design: Design,
    kept: np.ndarray,
    factors: Array | None,
    **said: Any,
) -> Design:
    """Take points of a design, their weights multiplied by factors, and measure what comes out."""
    space = space_of(design.points)
    indices = space.asarray(kept, space.xp.int64)
    points = space.xp.take(design.points, indices, axis=0)
    weights = space.xp.take(design.weights, indices)
    if factors is not None:
        weights = weights * space.xp.astype(factors, weights.dtype)
    low, high = extremes(Rows(basis(points), weights))
    said.update(n_drawn=len(design), lambda_min=low, lambda_max=high)
    # of points that were chosen twice, what the first choice did to weights and numbers stays true
    if design.info.get("subsample") == "bss":
        said["subsample"] = "bss"
    if "ratio" in said:
        said["ratio"] *= design.info.get("ratio", 1.0)
    info = Info(**{**design.info, **said})
    return replace(design, points=points, weights=weights, info=info)


def _remove(rows: Rows, size: int, delta: float, two_sided: bool, exact: bool) -> np.ndarray:
    """Return the numbers of the points that are left, increasing."""
    A = rows.scaled * rows.values.shape[0] ** 0.5  # unit weight each: G = A^H A / number of rows
    space = space_of(A)
    xp = space.xp
    left = np.arange(A.shape[0])
    S = adjoint(A) @ A
    while len(left) > size:
        values, V = xp.linalg.eigh(S)
        k = len(left)
        worst, place = _best(A, values, V, np.arange(k) if exact else _screened(A, V), two_sided)
        if worst > delta and not exact:
            worst, place = _best(A, values, V, np.arange(k), two_sided)
        if worst > delta:
            break
        a = A[place : place + 1, :]
        left = np.delete(left, place)
        A = xp.concat((A[:place, :], A[place + 1 :, :]), axis=0)
        S = adjoint(A) @ A if k % _REFRESH == 0 else S - adjoint(a) @ a
    return left


def _best(
    A: Array, values: Array, V: Array, seen: np.ndarray, two_sided: bool
) -> tuple[float, int]:
    """Return how far from the identity G is without the best of some rows, and that row."""
    space = space_of(A)
    squares = space.xp.abs(space.xp.take(A, space.asarray(seen, space.xp.int64), axis=0) @ V) ** 2
    ends = to_host(extremes_without(values, squares)) / (A.shape[0] - 1)
    far = np.maximum(ends[:, 1] - 1, 1 - ends[:, 0]) if two_sided else 1 - ends[:, 0]
    best = int(np.argmin(far))
    return float(far[best]), int(seen[best])


def _screened(A: Array, V: Array) -> np.ndarray:
    """Choose points that weigh much in the largest eigenvalue, or little in the smallest."""
    xp = space_of(A).xp
    ends = xp.stack((V[:, 0], V[:, -1]), axis=1)
    share = to_host(xp.abs(A @ ends) ** 2)
    count = min(_SCREEN, len(share))
    little = np.argpartition(share[:, 0], count - 1)[:count]
    much = np.argpartition(-share[:, 1], count - 1)[:count]
    return np.unique(np.concatenate((little, much)))


def bss_subsample(basis: Basis | EmpiricalBasis, design: Design, size: int | None = None) -> Design:
    """Choose points of a design and new weights for them, with a bound for the condition of G.

    Parameters
    ----------
    basis : Basis or EmpiricalBasis
        The m functions.
    design : Design
        Points and weights, at least m of them.
    size : int, optional
        Number of choices, more than m; the default is 2 m, or the number of points if that is
        less. A point may be chosen several times, so there may be fewer points.

    Returns
    -------
    Design
        The points in their order, with new weights. Its ``info`` adds subsample, n_drawn (the
        number of points before), bound (on the condition number of G relative to that of the design), and the new
        lambda_min and lambda_max.

    Raises
    ------
    ValueError
        If ``size`` is out of range, or G is singular.

    Notes
    -----
    The twice-Ramanujan sparsifier [1]_, with b = size / m: the new G' satisfies
    ``G <= G' <= bound * G`` with ``bound = (b + 1 + 2 sqrt(b)) / (b + 1 - 2 sqrt(b))``, 34 for b = 2
    and 9 for b = 4; what comes out is better as a rule. Deterministic. Cost: size times m**3 +
    n m**2 flops. That single weights are bounded is not known, so that nothing is known of the
    expected error; the ``sup_constant`` of the certificate holds.

    References
    ----------
    .. [1] J. Batson, D. A. Spielman and N. Srivastava, "Twice-Ramanujan sparsifiers", SIAM J.
       Comput. 41, 2012.
    .. [2] F. Bartel, M. Schafer and T. Ullrich, "Constructive subsampling of finite frames with
       applications in optimal function recovery", Appl. Comput. Harmon. Anal. 65, 2023.

    Examples
    --------
    >>> from lrla.approximation import basis, bss_subsample, christoffel_sample, total_degree
    >>> space = basis("legendre", total_degree(1, 10))
    >>> small = bss_subsample(space, christoffel_sample(space, 300, rng=7), 33)
    >>> len(small) <= 33, small.info.lambda_max / small.info.lambda_min < 10
    (True, True)
    """
    n, m = len(design), len(basis)
    size = min(2 * m, n) if size is None else whole(size, "size", 1)
    if not m < size:
        raise ValueError(f"size must be more than the number of functions, {m}, got {size}")
    rows = Rows(basis(design.points), design.weights)
    R = linalg.cholesky(rows.gram)
    if R is None or n < m:
        raise ValueError(
            f"the {n} points of the design must determine the {m} coefficients, but their Gram "
            "matrix is singular; draw more"
        )
    V = adjoint(linalg.solve_triangular(adjoint(R), adjoint(rows.scaled), lower=True))
    chosen = _sparsified(V, size)
    kept = np.flatnonzero(chosen)
    space = space_of(V)
    xp = space.xp
    W = xp.take(V, space.asarray(kept, xp.int64), axis=0)
    factors = space.asarray(chosen[kept], abs(V[:1, 0]).dtype)
    low = float(xp.linalg.eigvalsh(adjoint(W) @ (xp.astype(factors, W.dtype)[:, None] * W))[0])
    factors = factors / low  # no direction gets less weight than it had
    root = math.sqrt(size / m)
    bound = ((root + 1) / (root - 1)) ** 2
    factors = factors * (len(kept) / n)
    return _chosen(basis, design, kept, factors, subsample="bss", bound=bound)


def _sparsified(V: Array, size: int) -> np.ndarray:
    """Return factors for the rows of V, whose columns are orthonormal, most of them zero."""
    space = space_of(V)
    xp = space.xp
    n, m = (int(k) for k in V.shape)
    root = math.sqrt(size / m)
    up = (root + 1) / (root - 1)  # by which the upper barrier moves; the lower one by 1
    lower, upper = -m * root, m * (root**2 + root) / (root - 1)
    S = space.zeros((m, m), V.dtype)
    factors = np.zeros(n)
    for _ in range(size):
        values, Q = xp.linalg.eigh(S)
        above = 1 / (upper + up - values)
        below = 1 / (values - lower - 1)
        gain = float(xp.sum(1 / (upper - values)) - xp.sum(above))
        loss = float(xp.sum(below) - xp.sum(1 / (values - lower)))
        squares = xp.abs(V @ Q) ** 2
        U = squares @ (above**2 / gain + above)
        L = squares @ (below**2 / loss - below)
        i = int(xp.argmax(L - U))
        step = 2 / float(U[i] + L[i])
        factors[i] += step
        v = V[i : i + 1, :]
        S = S + step * (adjoint(v) @ v)
        lower, upper = lower + 1, upper + up
    return factors
