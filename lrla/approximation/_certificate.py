"""`Certificate`: what the points of a weighted least-squares approximation say about its error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import space_of, unit_roundoff
from lrla._core.results import Result
from lrla.approximation._solve import LARGE, Rows, extremes
from lrla.kernels.row_squares import row_squares

# samplers of which E[G] = I and the variance of averages is at most that of independent points
SAMPLERS = ("christoffel", "stratified christoffel", "volume", "repeated_dpp", "dpp")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Certificate(Result):
    """Bounds for the error of a weighted least-squares approximation, and what they rest on.

    G is the mean over the points of ``weight * phi(x) phi(x)^H``, phi the m orthonormal functions.
    Norms are those of L2(mu), e is what the best approximation leaves of the function. True if
    ``lambda_min >= 1 - delta``.

    Parameters
    ----------
    n_points : int
        Number n of points.
    lambda_min, lambda_max : float
        Extreme eigenvalues of G.
    condition : float
        ``lambda_max / lambda_min``.
    delta : float
        How far from the identity G may be: 1 - delta is what ``lambda_min`` is asked to reach.
    sup_constant : float
        C in ``norm(u - v) <= C * sup|u - w|`` for the approximation v of u and every w in the
        space: certain, for these points, for every u.
    expected_constant : float or None
        C in ``E[norm(u - v)**2] <= C * norm(e)**2``, over the draws of the design that the
        ``premises`` are about; None where nothing is known.
    noise_factor : float or None
        Independent noise of variance s**2 in the values adds ``s**2 * noise_factor`` to the
        expected squared error, for these points. None where it would cost the cube of m > 5000.
    unbiased : bool
        Whether the expectation of the approximation, over the draws of the design, is the best one.
    premises : tuple of str
        What has to hold for ``expected_constant``, or why it is None. Then what all constants rest
        on: that functions are orthonormal, where they are so approximately, and that eigenvalues
        are the extreme ones, where a Lanczos iteration found them, beyond 5000 functions.

    Notes
    -----
    ``sup_constant`` is ``1 + sqrt(mean(weights) / lambda_min)``. For n points drawn by
    `christoffel_sample`, `volume_rescaled_sample` or `repeated_dpp_sample` until the design is
    stable, which has the probability P, the best of M designs each time, ``expected_constant`` is
    ``1 + M m / (n (1 - delta)**2 P)``: the error is e and, orthogonal to it, G^-1 g, where g, the
    mean of ``weight * phi e``, has E[g] = 0 and ``E[norm(g)**2] <= m / n * norm(e)**2``. If points
    of it are left out by `greedy_subsample`, r being how many times fewer it may leave,
    ``1 + r M / ((1 - delta) P)`` [1]_.

    References
    ----------
    .. [1] C. Haberstich, A. Nouy and G. Perrin, "Boosted optimal weighted least-squares", Math.
       Comp. 91, 2022.
    """

    n_points: int
    lambda_min: float
    lambda_max: float
    condition: float
    delta: float
    sup_constant: float
    expected_constant: float | None
    noise_factor: float | None
    unbiased: bool
    premises: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.lambda_min >= 1 - self.delta


def certify(
    rows: Rows,
    kind: str,
    info: Mapping[str, Any],
    delta: float,
    *,
    ends: tuple[float, float] | None = None,
) -> Certificate:
    """Make the certificate of points of a kind; ``info`` says what was done to their design."""
    n, m = (int(k) for k in rows.values.shape)
    low, high = extremes(rows) if ends is None else ends
    xp = space_of(rows.weights).xp
    mean = float(xp.mean(rows.weights))
    if kind in SAMPLERS and info.get("subsample") != "bss" and not _fits(rows):
        kind = f"{kind} for another space"
    constant, premises = _expected(kind, info, n, m, low)
    if m > LARGE:
        premises = (*premises, "the extreme eigenvalues are those that a Lanczos iteration found")
    return Certificate(
        n_points=n,
        lambda_min=low,
        lambda_max=high,
        condition=high / low if low > 0 else math.inf,
        delta=delta,
        sup_constant=1 + math.sqrt(mean / low) if low > 0 else math.inf,
        expected_constant=constant,
        noise_factor=_noise(rows) if low > 0 and m <= LARGE else None,
        unbiased=_unbiased(kind, info),
        premises=premises,
    )


def _fits(rows: Rows) -> bool:
    """Tell whether weights are m / k_m for these functions, as samplers choose them."""
    xp = space_of(rows.values).xp
    n, m = rows.values.shape
    totals = n * xp.sum(abs(rows.scaled) ** 2, axis=1)
    return bool(xp.all(abs(totals - m) <= m * math.sqrt(unit_roundoff(xp, totals.dtype))))


def _noise(rows: Rows) -> float | None:
    """Trace of the covariance of the coefficients for noise of variance one."""
    inverse = linalg.inverse(rows.gram)
    if inverse is None:
        return None
    # column i of G^-1 Phi^H W / n is what the value at point i does to the coefficients
    squares = row_squares(rows.values, inverse)
    xp = space_of(squares).xp
    return float(xp.sum(squares * xp.astype((rows.weights / squares.shape[0]) ** 2, squares.dtype)))


def _unbiased(kind: str, info: Mapping[str, Any]) -> bool:
    """Tell whether the law of the points is volume-rescaled, with nothing done to it."""
    one = kind in ("volume", "generalized volume", "dpp") or (
        kind == "repeated_dpp" and info.get("n_repeats") == 1
    )
    return one and not any(info.get(key) for key in ("conditioned", "subsample", "omitted"))


def _expected(
    kind: str, info: Mapping[str, Any], n: int, m: int, low: float
) -> tuple[float | None, tuple[str, ...]]:
    if kind == "nested":
        return None, ("samples were added until the design was stable, for spaces that grew",)
    if kind not in SAMPLERS:
        return None, (f"nothing is known of how points of kind {kind!r} were drawn",)
    if info.get("omitted"):
        return None, ("points were left out where the function is not finite",)
    if not info.get("conditioned"):
        return None, ("the design was not drawn until it was stable",)
    delta = info["delta"]  # which the design was drawn for, whatever is asked of it now
    if low < 1 - delta:
        return None, ("the design is not stable",)
    if info.get("subsample") == "bss":
        return None, ("the weights that sparsification chooses are not bounded beforehand",)
    M, P = info["n_candidates"], info["acceptance"]
    source = f"estimated: 1 of {info['n_tries']} tries was"
    if (info["acceptance_bound"] or 0) >= 0.5:  # certain, and costs a factor of two at most
        P, source = info["acceptance_bound"], "at least, by a matrix Chernoff inequality"
    premises = [
        f"points are drawn by {kind} sampling until stable",
        f"P(stable) = {P:.3g}, {source}",
    ]
    if info.get("subsample"):
        premises.append("points are chosen among them without looking at the function")
        return 1 + info["ratio"] * M / ((1 - delta) * P), tuple(premises)
    return 1 + M * m / (n * (1 - delta) ** 2 * P), tuple(premises)


def averaged(certificates: list[Certificate]) -> Certificate:
    """Combine the certificates of independent estimates into that of their average."""
    q = len(certificates)
    noise = [c.noise_factor for c in certificates if c.noise_factor is not None]
    return replace(
        min(certificates, key=lambda c: c.lambda_min),
        n_points=sum(c.n_points for c in certificates),
        lambda_max=max(c.lambda_max for c in certificates),
        condition=max(c.condition for c in certificates),
        sup_constant=sum(c.sup_constant for c in certificates) / q,
        noise_factor=sum(noise) / q**2 if len(noise) == q else None,
        unbiased=all(c.unbiased for c in certificates),
    )
