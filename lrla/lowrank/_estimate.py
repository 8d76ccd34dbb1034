"""Estimates with error bars, and the random vectors that they come from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, space_of
from lrla._core.random import Domain, Key, tag
from lrla._core.results import Info, Result, Status
from lrla.kernels import philox
from lrla.lowrank._matrix import Matrix


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Estimate(Result):
    """A number, or an array of them, with standard errors.

    Parameters
    ----------
    value : float, complex or array
        The estimate.
    standard_error : float or array
        Its standard error, estimated from the same random vectors; 0 where the value is exact. It
        may fall short where the function says so.
    status : Status
        Whether the tolerance was met, if there was one.
    info : Info
        ``method``, ``reason``, ``products`` (columns multiplied with A or its adjoint),
        ``samples`` (random vectors behind the standard error), ``seed``, ``seconds``, and what the
        function adds; of `trace` and `diagonal` ``jackknife_error``, a standard error that does not
        fall short in expectation, and may be too large.
    """

    value: Any
    standard_error: Any
    status: Status
    info: Info

    def confidence_interval(self, level: float = 0.95) -> tuple[Any, Any]:
        """Return the ends of a confidence interval from Student's t and ``info.jackknife_error``.

        Parameters
        ----------
        level : float, default 0.95
            Coverage, as far as errors are normal; more where ``info.jackknife_error`` is too large.

        Returns
        -------
        low, high : float or array
            The ends.
        """
        if not 0 < level < 1:
            raise ValueError(f"level must be between 0 and 1, got {level}")
        from scipy.stats import t

        reach = float(t.ppf((1 + level) / 2, max(self.info.samples - 1, 1)))
        half = self.info.get("jackknife_error", self.standard_error) * reach
        return self.value - half, self.value + half


def sphere(matrix: Matrix, key: Key, stream: int, count: int, skip: int = 0) -> Array:
    """Draw columns, uniform on the sphere of radius sqrt(n)."""
    n = matrix.shape[1]
    G = matrix.gaussian(key, stream, n, skip + count)[:, skip:]
    return G * (math.sqrt(n) / linalg.norm(G, axis=0))[None, :]


def rademacher(matrix: Matrix, key: Key, stream: int, count: int, skip: int = 0) -> Array:
    """Draw columns of signs."""
    n = matrix.shape[1]
    drawn = philox.sign(matrix.space, key, tag(Domain.RADEMACHER, stream), 0, n, skip + count)
    return matrix.space.xp.astype(drawn[:, skip:], matrix.op.dtype)


def spread(samples: Array) -> float:
    """Return the standard error of the mean of samples."""
    count = samples.shape[0]
    if count < 2:
        return math.inf
    xp = space_of(samples).xp
    return linalg.norm(samples - xp.mean(samples)) / math.sqrt(count * (count - 1))
