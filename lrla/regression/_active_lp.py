"""Active regression in other norms than the Euclidean: two samples that watch each other."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.arrays import Array, space_of
from lrla._core.errors import RankDeficientWarning, once
from lrla._core.operators import as_operator, is_sparse
from lrla._core.results import Status
from lrla.regression._lp import lp_regression
from lrla.sampling import RowSample, lewis_weights, sample_rows

_CLOSE = 0.5  # of Lewis weights: a factor of exp(0.5) is good enough to draw by
_ENOUGH = 4  # labels for each dimension from which on they are split in two
_TOO_MUCH = 10.0  # of the loss of all rows that one row may stand for; a choice of ours


@dataclass(frozen=True, slots=True, eq=False)
class Active:
    """What a regression with few labels found."""

    x: Array
    indices: Array
    labels: Array
    residual_norm: Any
    rank: int
    spanned: int
    samples: tuple[RowSample, ...]
    status: Status
    n_clipped: int


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A sample with its rows and labels."""

    sample: RowSample
    rows: Any
    labels: Array

    def fit(self, p: float, seed: int) -> Any:
        with once(RankDeficientWarning, told=True):  # it is that of the sample, not of A
            return lp_regression(self.rows, self.labels, p, weights=self.sample.weights, rng=seed)

    def residual(self, x: Array) -> Array:
        op = as_operator(self.rows)
        vector = x.ndim == 1
        return self.labels - (op.matmat(x[:, None])[:, 0] if vector else op.matmat(x))


def solve(
    A: Any, query: Callable[[Array], Array], budget: int, p: float, design: str, coords: Any,
    seed: int,
) -> Active:  # fmt: skip
    """Draw by Lewis weights, ask once, fit; with labels enough, guard against outlying ones."""
    lewis = lewis_weights(A, p, tol=_CLOSE, rng=seed)
    m = int(lewis.weights.shape[0])
    if budget < lewis.rank:
        raise ValueError(
            f"budget must be at least the rank of A, which is {lewis.rank}, got {budget}"
        )
    split = _ENOUGH * lewis.rank <= budget < m
    size, count = (budget // 2, 2) if split else (min(budget, m), 1)
    seeds = np.random.SeedSequence(seed).generate_state(count, np.uint64)
    samples = tuple(
        sample_rows(lewis.weights, size, design=design, coords=coords, rng=int(s)) for s in seeds
    )
    xp = space_of(lewis.weights).xp
    indices = xp.unique_values(xp.concat([sample.indices for sample in samples]))
    rows = [sample.rows(A, math.inf) for sample in samples]
    labels = query(indices)
    places = [xp.searchsorted(indices, sample.indices) for sample in samples]
    parts = [
        _Part(s, r, xp.take(labels, i, axis=0))
        for s, r, i in zip(samples, rows, places, strict=True)
    ]
    if not split:
        fit = parts[0].fit(p, seed)
        norm = _unknown(fit) if size < m else fit.objective  # every label has its part in the fit
        clipped = 0
    else:
        fit, norm, clipped = _watched(parts, lewis.rank, p, seed)
    return Active(fit.x, indices, labels, norm, lewis.rank, fit.rank, samples, fit.status, clipped)


def _watched(parts: list[_Part], rank: int, p: float, seed: int) -> tuple[Any, Any, int]:
    """Fit each half, judge it by the other, tame labels far out, and fit both together.

    A half that spans less than all rows judges nothing: its fit may be anything where it has no rows.
    """
    xp = space_of(parts[0].labels).xp
    fits = [part.fit(p, seed) for part in parts]
    able = all(fit.rank == rank for fit in fits)
    least = xp.minimum(*(_as_array(xp, fit.objective, parts[0].labels) for fit in fits))
    residuals = [part.residual(other.x) for part, other in zip(parts, reversed(fits), strict=True)]
    unit = xp.max(xp.abs(xp.concat(residuals, axis=0)), axis=0)
    unit = xp.where(unit > 0, unit, xp.ones_like(unit))  # powers shall neither overflow nor vanish
    held_out, labels, clipped = 0.0, [], 0
    for part, r in zip(parts, residuals, strict=True):
        size = xp.abs(r)
        held_out = held_out + part.sample.estimate((size / unit) ** p).value / 2
        w = xp.astype(part.sample.weights, size.dtype)
        w = w if r.ndim == 1 else w[:, None]
        far = (w > 1) & (w ** (1 / p) * size > _TOO_MUCH ** (1 / p) * least)
        far = far if able else xp.zeros_like(far)
        clipped += int(xp.count_nonzero(far))
        labels.append(xp.where(far, part.labels - r, part.labels))
    weights = xp.concat([part.sample.weights for part in parts]) / 2
    stacked = _stacked([part.rows for part in parts])
    with once(RankDeficientWarning, told=True):
        fit = lp_regression(stacked, xp.concat(labels, axis=0), p, weights=weights, rng=seed)
    if not able:
        return fit, _unknown(fit), clipped
    norm = unit * held_out ** (1 / p)
    return fit, float(norm) if norm.ndim == 0 else norm, clipped


def _unknown(fit: Any) -> Any:
    """Return infinity for each right-hand side."""
    return math.inf if fit.x.ndim == 1 else fit.objective * 0 + math.inf


def _as_array(xp: Any, value: Any, like: Array) -> Array:
    """Bring a number, or one for each right-hand side, beside the labels."""
    real = xp.abs(like[:0, ...]).dtype
    device = space_of(like).device
    return xp.asarray(value, dtype=real, device=device)


def _stacked(rows: list[Any]) -> Any:
    if is_sparse(rows[0]):
        from scipy import sparse

        return sparse.vstack(rows, format="csr")
    return space_of(rows[0]).xp.concat(rows, axis=0)
