"""What a tuner has cost, and what the best fixed arm would have cost instead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.results import Info, Result, Status


@dataclass(frozen=True, slots=True)
class Outcome:
    """One trial that was told.

    Parameters
    ----------
    id : int
        Its number.
    arm : int or None
        The arm that was played.
    params : dict
        The parameters that were used.
    cost : float
        What it cost.
    status : str
        "ok", "capped" or "failed".
    probability : float or None
        With which the arm was chosen.
    context : float, list or None
        The context.
    """

    id: int
    arm: int | None
    params: dict[str, Any]
    cost: float
    status: str
    probability: float | None
    context: Any


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Regret(Result):
    """What was spent beyond the best fixed arm.

    Parameters
    ----------
    total : float
        What all trials cost together.
    best_arm : int
        The fixed arm of least (estimated) total.
    best_total : float
        That total.
    regret : float
        ``total - best_total``.
    standard_error : float
        Of ``best_total`` for that arm; 0 if the totals are exact.
    arm_totals : array of shape (n_arms,)
        Total of each arm.
    status : Status
        Always `Status.CONVERGED`.
    info : Info
        ``method``, ``n_trials``, ``standard_errors`` of all totals, and ``instance_optimal``, the
        total of the best arm of each trial, where a table tells it.
    """

    total: float
    best_arm: int
    best_total: float
    regret: float
    standard_error: float
    arm_totals: Any
    status: Status
    info: Info


def estimated(history: Sequence[Outcome], n_arms: int) -> Regret:
    """Estimate the total of every arm by importance weighting, without bias.

    What is weighted is by how much a cost differs from the mean of the arm's earlier costs, or of
    all earlier costs where there are none: that mean is known before the arm is drawn, so it leaves
    no bias, and arms that were hardly played do not seem to cost nothing.
    """
    drawn = [
        (h.id, h.arm, h.probability, h.cost)
        for h in history
        if h.arm is not None and h.probability is not None
    ]
    if len(drawn) < len(history):
        raise ValueError(
            "method='estimated' needs the probabilities of the arms, which this policy does not "
            "know; give a table of all costs"
        )
    totals, squares = np.zeros(n_arms), np.zeros(n_arms)
    sums, counts = np.zeros(n_arms), np.zeros(n_arms)
    total = 0.0
    for k, (_, arm, probability, cost) in enumerate(sorted(drawn)):
        overall = total / k if k else 0.0
        guess = np.where(counts > 0, sums / np.maximum(counts, 1), overall)
        totals += guess
        surprise = (cost - guess[arm]) / probability
        totals[arm] += surprise
        squares[arm] += (1 - probability) * surprise**2
        sums[arm] += cost
        counts[arm] += 1
        total += cost
    return _answer("estimated", total, totals, np.sqrt(squares), len(history), None)


def oracle(history: Sequence[Outcome], n_arms: int, table: Any) -> Regret:
    """Read the total of every arm from a table of all costs."""
    table = np.asarray(table, dtype=float)
    need = max((h.id for h in history), default=-1) + 1
    if table.ndim != 2 or table.shape[1] != n_arms or len(table) < need:
        raise ValueError(
            f"table must have a row for each of {need} trials and a column for each of {n_arms} "
            f"arms, got shape {table.shape}"
        )
    rows = table[[h.id for h in history]]
    total = math.fsum(h.cost for h in history)
    best = float(rows.min(axis=1).sum())
    return _answer("oracle", total, rows.sum(axis=0), np.zeros(n_arms), len(history), best)


def _answer(
    method: str, total: float, totals: Any, errors: Any, n_trials: int, optimal: float | None
) -> Regret:
    best = int(totals.argmin())
    info = Info(
        method=method, n_trials=n_trials, standard_errors=errors, instance_optimal=optimal
    )  # fmt: skip
    least = float(totals[best])
    return Regret(
        total, best, least, total - least, float(errors[best]), totals, Status.CONVERGED, info
    )
