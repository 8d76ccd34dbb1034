"""`WeightedLeastSquares`: draw points, ask a function for its values, solve, and say how good it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lrla._core.arrays import Array, as_array, check_finite, is_complex, space_of
from lrla._core.numbers import whole
from lrla._core.random import seed_of
from lrla._core.results import Info, Status
from lrla.approximation._basis import Basis, as_points
from lrla.approximation._design import Design
from lrla.approximation._empirical import EmpiricalBasis, check_basis
from lrla.approximation._fit import Fitted, average, check_values, fit_design
from lrla.approximation._stable import check_share, sampler, stable_design
from lrla.approximation._subsample import bss_subsample, greedy_subsample

SUBSAMPLES = (None, "greedy", "bss")
POLICIES = ("raise", "omit")


class WeightedLeastSquares(Fitted):
    """Approximate a function from few of its values, at points that are drawn for it.

    Parameters
    ----------
    basis : Basis or EmpiricalBasis
        The m functions that are combined.
    design : {"repeated_dpp", "volume", "christoffel"} or Design, default "repeated_dpp"
        How points are drawn, as for `stable_design`, or where they are.
    size, n_repeats : int, optional
        How many, as for `stable_design`.
    delta, two_sided, n_candidates, max_tries
        When a design is stable, as for `stable_design`.
    condition : bool, default True
        Whether designs are drawn until they are stable.
    subsample : {None, "greedy", "bss"}, default None
        Whether points are left out by `greedy_subsample` or `bss_subsample` before the function is
        evaluated.
    subsample_size : int, optional
        Their ``size``.
    n_estimators : int, default 1
        Average so many independent estimates, without any bias: this needs
        ``design="volume", condition=False``.
    nan_policy : {"raise", "omit"}, default "raise"
        What happens where a value is not finite: an error, or the point is left out.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Seed.

    Attributes
    ----------
    coef_ : array of shape (m,) or (m, q)
        Coefficients.
    design_ : Design
        Where the function was evaluated.
    certificate : Certificate
        Bounds for the error.
    loo_error_ : float, array of shape (q,) or None
        Leave-one-out estimate of the error.
    result_ : WeightedFit
        All of these, with residuals, status and info.

    See Also
    --------
    AdaptiveLeastSquares : for a tolerance, in spaces that grow.
    stable_design : the points alone.

    Notes
    -----
    Minimises ``sum(weights * abs(u(x) - v(x))**2)`` over the points x, with weights
    ``m / sum(abs(phi(x))**2)``. Two or three m points from projection processes [1]_ give an error
    near the best one as a rule, and thinned designs [2]_ get by with m to 1.3 m; independent points
    need m log m [3]_. That the others need a factor of log m less is what is seen, not what is
    proven.

    Exact are the laws of the points, the solution, ``sup_constant`` of the certificate, and that
    ``design="volume"`` without conditioning is unbiased. From n = m points its error has heavy
    tails; a larger n, from m + 2 on, cures that. So does conditioning on stability, which costs the
    unbiasedness, as leaving points out does. Constants for expected errors rest on premises, which
    the certificate names.

    Cost: n m**2 + m**3 flops for each design that is looked at, and twice that for the solution: by
    Cholesky, with one step of refinement, where the Gram matrix G is well conditioned, by QR where
    it is not. Beyond 5000 functions by conjugate gradients, whose number of iterations depends on
    the condition of G alone.

    References
    ----------
    .. [1] A. Nouy and B. Michel, "Weighted least-squares approximation with determinantal point
       processes and generalized volume sampling", arXiv:2312.14057.
    .. [2] C. Haberstich, A. Nouy and G. Perrin, "Boosted optimal weighted least-squares", Math.
       Comp. 91, 2022.
    .. [3] A. Cohen and G. Migliorati, "Optimal weighted least-squares methods", SMAI J. Comput.
       Math. 3, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.approximation import WeightedLeastSquares, basis, total_degree
    >>> space = basis("legendre", total_degree(2, 8))
    >>> model = WeightedLeastSquares(space, rng=7)
    >>> model = model.fit(lambda X: np.exp(X[:, 0] * X[:, 1]))
    >>> len(model.design_), bool(model.certificate), model.loo_error_ < 1e-3
    (90, True, True)
    >>> model.predict([[0.5, 0.5]]).round(3)
    array([1.284])
    """

    def __init__(
        self,
        basis: Basis | EmpiricalBasis,
        *,
        design: str | Design = "repeated_dpp",
        size: int | None = None,
        n_repeats: int | None = None,
        delta: float = 0.9,
        two_sided: bool = False,
        n_candidates: int = 1,
        max_tries: int = 100,
        condition: bool = True,
        subsample: str | None = None,
        subsample_size: int | None = None,
        n_estimators: int = 1,
        nan_policy: str = "raise",
        rng: Any = None,
    ) -> None:
        self.basis = basis
        self.design = design
        self.size = size
        self.n_repeats = n_repeats
        self.delta = delta
        self.two_sided = two_sided
        self.condition = condition
        self.n_candidates = n_candidates
        self.max_tries = max_tries
        self.subsample = subsample
        self.subsample_size = subsample_size
        self.n_estimators = n_estimators
        self.nan_policy = nan_policy
        self.rng = rng

    def fit(
        self,
        X: Callable[[Array], Array] | Design | Array,
        y: Array | None = None,
        *,
        weights: Array | None = None,
    ) -> WeightedLeastSquares:
        """Approximate a function, or values at points.

        Parameters
        ----------
        X : callable, Design, or array of shape (n, dim)
            A function of points, an array of shape (n, dim), that returns their values, of shape
            (n,) or (n, q): it is called once, with the points of the design. Or points, which then
            take the place of the design.
        y : array of shape (n,) or (n, q), optional
            Values at these points.
        weights : array of shape (n,), optional
            Positive, of points in an array. The default, ``m / sum(abs(phi(x))**2)``, fits points
            from any sampler of this room; ones fit points drawn from the measure of the basis.

        Returns
        -------
        WeightedLeastSquares
            The estimator itself.

        Raises
        ------
        StabilityError
            If no design was stable.
        ValueError
            If a value is not finite, shapes do not fit, there are fewer points than functions or
            they do not determine the coefficients, or parameters contradict each other.

        Warns
        -----
        AccuracyWarning
            If the points that were given, or were left by ``nan_policy``, are not stable although
            ``condition`` asks for it.
        """
        start = time.perf_counter()
        self._check()
        seed = seed_of(self.rng)
        if callable(X) and not isinstance(X, Design):
            if y is not None or weights is not None:
                raise ValueError("y and weights must be None if X is a function")
            designs = self._designs(seed)
            points = designs[0].points
            if len(designs) > 1:
                points = space_of(points).xp.concat([d.points for d in designs], axis=0)
            # a copy: functions that change their argument do not move the points
            own = space_of(points).xp.asarray(points, copy=True)
            values = check_values(X(own), points, "the values of the function")
        else:
            if self.subsample is not None or self.n_estimators > 1:
                raise ValueError(
                    "subsample must be None and n_estimators 1 with points that have values, got "
                    f"{self.subsample!r} and {self.n_estimators}: they choose points beforehand"
                )
            designs = [self._given(X, weights)]
            if y is None:
                raise ValueError("y must be given with points: the values there")
            values = check_values(y, designs[0].points, "y")
        fits, first = [], 0
        for design in designs:
            part = values[first : first + len(design), ...]
            fits.append(
                fit_design(
                    self.basis,
                    design,
                    part,
                    delta=float(self.delta),
                    insist=self.condition,
                    omit=self.nan_policy == "omit",
                )
            )
            first += len(design)
        found = fits[0] if len(fits) == 1 else average(fits)
        n = int(values.shape[0])
        seconds = time.perf_counter() - start
        info = Info(**found.info, n_evaluations=n, n_omitted=n - len(found.design), seed=seed,
                    seconds=seconds)  # fmt: skip
        self.basis_ = self.basis
        self.result_ = replace(found, info=info)
        return self

    def _check(self) -> None:
        check_basis(self.basis)
        check_share(self.delta, "delta")
        if self.subsample not in SUBSAMPLES:
            raise ValueError(f"subsample must be None, 'greedy' or 'bss', got {self.subsample!r}")
        if self.subsample is None and self.subsample_size is not None:
            raise ValueError("subsample_size must be None unless subsample is 'greedy' or 'bss'")
        if isinstance(self.design, Design) and (self.size, self.n_repeats) != (None, None):
            raise ValueError(
                f"size and n_repeats must be None with a Design, which has {len(self.design)} "
                f"points, got {self.size} and {self.n_repeats}"
            )
        if not self.condition and self.n_candidates != 1:
            raise ValueError(
                "n_candidates must be 1 with condition=False, which takes designs as they are "
                f"drawn, got {self.n_candidates}"
            )
        if self.nan_policy not in POLICIES:
            raise ValueError(f"nan_policy must be 'raise' or 'omit', got {self.nan_policy!r}")
        if whole(self.n_estimators, "n_estimators", 1) == 1:
            return
        if self.condition:
            raise ValueError(
                "condition must be False with n_estimators: estimates on conditioned designs are "
                "biased, and averaging does not help them"
            )
        if self.design != "volume" or self.subsample is not None:
            raise ValueError(
                "n_estimators needs design='volume' and subsample=None: other estimates are biased, "
                f"got design={self.design!r} and subsample={self.subsample!r}"
            )

    def _designs(self, seed: int) -> list[Design]:
        """Draw the designs of all estimates, and leave out points as asked for."""
        if isinstance(self.design, Design):
            drawn = [self.design]
        elif self.condition:
            drawn = [
                stable_design(
                    self.basis,
                    self.design,
                    size=self.size,
                    n_repeats=self.n_repeats,
                    delta=self.delta,
                    two_sided=self.two_sided,
                    n_candidates=self.n_candidates,
                    max_tries=self.max_tries,
                    rng=seed,
                )
            ]
        else:
            draw = sampler(
                self.basis, self.design, self.size, self.n_repeats, seed, conditioned=False
            )
            drawn = [draw(i) for i in range(int(self.n_estimators))]
        if self.subsample is None:
            return drawn
        if self.subsample == "bss":
            return [bss_subsample(self.basis, drawn[0], self.subsample_size)]
        return [
            greedy_subsample(
                self.basis,
                drawn[0],
                self.subsample_size,
                delta=self.delta,
                two_sided=self.two_sided,
            )
        ]

    def _given(self, X: Any, weights: Any) -> Design:
        """Make a design of points that the user has."""
        if isinstance(X, Design):
            if weights is not None:
                raise ValueError("weights must be None if X is a Design, which has its own")
            return X
        X = as_points(X, self.basis.dim)
        if weights is None:
            k = self.basis.christoffel(X)
            xp = space_of(k).xp
            if not bool(xp.all(xp.isfinite(k))):
                raise ValueError(
                    "the squares of the functions overflow at points of X; take lower degrees"
                )
            # where all functions vanish a point says nothing, with any weight
            weights = xp.where(k > 0, len(self.basis) / xp.where(k > 0, k, xp.ones_like(k)), 0 * k)
        else:
            weights = as_array(weights, "weights", ndim=(1,))
            space_of(X, weights)
            check_finite(weights, "weights")
            if is_complex(weights) or not bool(space_of(weights).xp.all(weights > 0)):
                raise ValueError("weights must be positive; leave out points that do not count")
            if weights.shape[0] != X.shape[0]:
                raise ValueError(
                    f"weights must be one for each of {X.shape[0]} points, got {weights.shape[0]}"
                )
        return Design(X, weights, "given", Status.CONVERGED, Info())
