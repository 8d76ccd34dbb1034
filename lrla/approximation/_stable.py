"""`stable_design`: points drawn until their Gram matrix is near the identity, before any evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from lrla._core.numbers import whole
from lrla._core.random import seed_of
from lrla._core.results import Info
from lrla.approximation._basis import Basis
from lrla.approximation._christoffel import christoffel_sample
from lrla.approximation._design import Design
from lrla.approximation._empirical import EmpiricalBasis, check_basis
from lrla.approximation._processes import (
    repeated_dpp_sample,
    volume_rescaled_sample,
)
from lrla.approximation._solve import Rows, extremes

DESIGNS = ("repeated_dpp", "volume", "christoffel")
_REPEATS = 2
_PATIENCE = 10  # tries before a default number of repeats is raised by one


class StabilityError(RuntimeError):
    """No design that was drawn is stable; the best of them is the attribute ``design``."""

    def __init__(self, message: str, design: Design) -> None:
        super().__init__(message)
        self.design = design


def christoffel_size(
    m: int, *, delta: float = 0.9, eta: float = 0.01, two_sided: bool = False
) -> int:
    """Compute how many points of Christoffel sampling are stable with a given probability.

    Parameters
    ----------
    m : int
        Number of basis functions.
    delta : float, default 0.9
        How far from the identity the Gram matrix G may be, between 0 and 1.
    eta : float, default 0.01
        Accepted probability that it is farther.
    two_sided : bool, default False
        Ask for ``norm(G - I) <= delta``; by default for ``lambda_min(G) >= 1 - delta`` alone.

    Returns
    -------
    int
        Number of points.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Notes
    -----
    The matrix Chernoff inequality for n independent points, of which each adds at most m / n [1]_:
    ``P(lambda_min < 1 - delta) <= m exp(-c n / m)`` with ``c = delta + (1 - delta) log(1 - delta)``
    and ``P(norm(G - I) > delta) <= 2 m exp(-d n / m)`` with ``d = (1 + delta) log(1 + delta) - delta``.

    References
    ----------
    .. [1] A. Cohen and G. Migliorati, "Optimal weighted least-squares methods", SMAI J. Comput.
       Math. 3, 2017.

    Examples
    --------
    >>> from lrla.approximation import christoffel_size
    >>> christoffel_size(11, two_sided=True)
    265
    """
    m, delta = whole(m, "m", 1), check_share(delta, "delta")
    eta = check_share(eta, "eta")
    return max(m, math.ceil(m / _rate(delta, two_sided) * math.log((1 + two_sided) * m / eta)))


def _rate(delta: float, two_sided: bool) -> float:
    if two_sided:
        return (1 + delta) * math.log1p(delta) - delta
    return delta + (1 - delta) * math.log1p(-delta)


def check_share(value: float, name: str) -> float:
    """Check a number that must lie between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"{name} must be between 0 and 1, got {value}")
    return float(value)


def stable_design(
    basis: Basis | EmpiricalBasis,
    design: str = "repeated_dpp",
    *,
    size: int | None = None,
    n_repeats: int | None = None,
    delta: float = 0.9,
    two_sided: bool = False,
    n_candidates: int = 1,
    max_tries: int = 100,
    rng: Any = None,
) -> Design:
    """Draw points until their Gram matrix is near the identity.

    Parameters
    ----------
    basis : Basis or EmpiricalBasis
        The m functions.
    design : {"repeated_dpp", "volume", "christoffel"}, default "repeated_dpp"
        How points are drawn: `repeated_dpp_sample`, `volume_rescaled_sample`, `christoffel_sample`.
    size : int, optional
        Number of points for "volume", by default ``m + max(ceil(m log(m)), 2)``, and for
        "christoffel", by default `christoffel_size` with probability 1/2.
    n_repeats : int, optional
        Number of processes of m points each for "repeated_dpp". By default 2, and one more after
        every 10 tries that are not stable, as happens for many functions of many variables.
    delta : float, default 0.9
        The smallest eigenvalue of the Gram matrix G has to be at least 1 - delta.
    two_sided : bool, default False
        Ask for ``norm(G - I) <= delta`` instead.
    n_candidates : int, default 1
        Take the one nearest to the identity of so many designs in every try.
    max_tries : int, default 100
        Number of tries after which to give up.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Seed.

    Returns
    -------
    Design
        Its ``info`` adds to that of the sampler lambda_min and lambda_max; n_tries, of designs of
        this size; acceptance, the share of them that were stable, and acceptance_bound, what its
        expectation is known to exceed (None for other designs than "christoffel"); delta, two_sided
        and n_candidates.

    Raises
    ------
    StabilityError
        If no try was stable. The best design is its attribute ``design``.
    ValueError
        If a parameter is out of range, or does not belong to the design.

    Notes
    -----
    No function is evaluated. Of each design an m x m matrix is formed, n m**2 flops, and its
    eigenvalues computed. Choosing the best of several is the boosting of [1]_: few points suffice
    where independent ones are stable with small probability only, but repeated projection processes
    are stable with so few points at once.

    References
    ----------
    .. [1] C. Haberstich, A. Nouy and G. Perrin, "Boosted optimal weighted least-squares", Math.
       Comp. 91, 2022.

    Examples
    --------
    >>> from lrla.approximation import basis, stable_design, total_degree
    >>> design = stable_design(basis("legendre", total_degree(1, 10)), rng=7)
    >>> design.points.shape, design.info.lambda_min >= 0.1
    ((22, 1), True)
    """
    seed = seed_of(rng)
    delta, M = check_share(delta, "delta"), whole(n_candidates, "n_candidates", 1)
    draw = sampler(basis, design, size, n_repeats, seed, conditioned=True)
    nearest: tuple[float, Design] | None = None
    grows = design == "repeated_dpp" and n_repeats is None
    for n_tries in range(1, whole(max_tries, "max_tries", 1) + 1):
        if grows and n_tries % _PATIENCE == 1:
            more = _REPEATS + n_tries // _PATIENCE
            draw = sampler(basis, design, size, more, seed, conditioned=True)
        tried = [_measured(basis, draw(i)) for i in range((n_tries - 1) * M, n_tries * M)]
        distance, found = min(tried, key=lambda pair: pair[0])
        if is_stable(found.info.lambda_min, found.info.lambda_max, delta, two_sided):
            break
        if nearest is None or distance < nearest[0]:
            nearest = distance, found
    else:
        assert nearest is not None
        raise _gave_up(basis, nearest[1], max_tries * M, delta, design)
    n, m = len(found), len(basis)
    failing = (1 + two_sided) * m * math.exp(-_rate(delta, two_sided) * n / m)
    # the nearest is stable if one is; on one side alone, where it may be another, if all are
    failing *= 1 if two_sided else M
    if grows:  # those with so many repeats: the ones before were other designs
        n_tries = (n_tries - 1) % _PATIENCE + 1
    said = {
        "seed": seed,
        "conditioned": True,
        "n_tries": n_tries,
        "acceptance": 1 / n_tries,
        "acceptance_bound": max(1 - failing, 0.0) if design == "christoffel" else None,
        "delta": delta,
        "two_sided": two_sided,
        "n_candidates": M,
    }
    return replace(found, info=Info(**{**found.info, **said}))


def is_stable(low: float, high: float, delta: float, two_sided: bool) -> bool:
    """Tell whether a Gram matrix with these extreme eigenvalues is near enough to the identity."""
    return low >= 1 - delta and (not two_sided or high <= 1 + delta)


def _measured(basis: Basis | EmpiricalBasis, design: Design) -> tuple[float, Design]:
    """Return the distance of G from the identity, and the design with what was found."""
    low, high = extremes(Rows(basis(design.points), design.weights))
    info = Info(**design.info, lambda_min=low, lambda_max=high)
    return max(high - 1, 1 - low), replace(design, info=info)


def _gave_up(
    basis: Basis | EmpiricalBasis, best: Design, n_designs: int, delta: float, design: str
) -> StabilityError:
    low, high = best.info.lambda_min, best.info.lambda_max
    more = "n_repeats" if design == "repeated_dpp" else "size"
    return StabilityError(
        f"none of {n_designs} designs of {len(best)} points for {len(basis)} functions is stable: "
        f"the best has eigenvalues from {low:.3g} to {high:.3g} and delta is {delta}; raise {more} "
        "or delta",
        best,
    )


def sampler(
    basis: Basis | EmpiricalBasis,
    design: str,
    size: int | None,
    n_repeats: int | None,
    seed: int,
    *,
    conditioned: bool,
) -> Callable[[int], Design]:
    """Check the parameters of a design and return what draws the design of a number."""
    check_basis(basis)
    m = len(basis)
    if design not in DESIGNS:
        raise ValueError(f"design must be one of {', '.join(DESIGNS)}, got {design!r}")
    if design == "repeated_dpp":
        if size is not None:
            raise ValueError(
                f"size must be None for design 'repeated_dpp', got {size}; pass n_repeats"
            )
        r = _REPEATS if n_repeats is None else whole(n_repeats, "n_repeats", 1)
        return lambda i: repeated_dpp_sample(basis, r, rng=child(seed, i))
    if n_repeats is not None:
        raise ValueError(
            f"n_repeats must be None for design {design!r}, got {n_repeats}; pass size"
        )
    if size is not None and whole(size, "size", 1) < m:
        raise ValueError(f"size must be at least the number of functions, {m}, got {size}")
    if design == "volume":
        n = m + max(math.ceil(m * math.log(m)), 2) if size is None else int(size)
        return lambda i: volume_rescaled_sample(basis, n, rng=child(seed, i))
    eta = 0.5 if conditioned else 0.01
    n = christoffel_size(m, eta=eta) if size is None else int(size)
    return lambda i: christoffel_sample(basis, n, rng=child(seed, i))


def child(seed: int, i: int) -> np.random.SeedSequence:
    """Make the seed of the draw of a number."""
    return np.random.SeedSequence(seed, spawn_key=(i,))
