"""Pictures of what bandits have chosen and what it has cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lrla._core.docs import described
from lrla._core.numbers import whole
from lrla.bandits import ParameterTuner

_SHARED = {
    "costs": """
        costs : ParameterTuner, array of shape (n_trials,), or mapping of names to these
            What each trial has cost, in the order of the trials. Names go into the legend.
        """,
    "tuner": """
        tuner : ParameterTuner
            With trials that were told.
        """,
    "ax": """
        ax : matplotlib.axes.Axes, optional
            Where to draw; new axes by default.
        """,
    "drawn": """
        matplotlib.axes.Axes
            What was drawn on.
        """,
    "missing": """
        ImportError
            If matplotlib is missing.
        """,
}


@described(**_SHARED)
def work_left(costs: Any, *, table: Any = None, ax: Any = None) -> Any:
    """Draw how many problems are left after what cost.

    Parameters
    ----------
    {costs}
    table : array of shape (n_trials, n_arms), optional
        What each arm would have cost in each trial. It adds the best fixed arm and the best arm of
        each trial.
    {ax}

    Returns
    -------
    {drawn}

    Raises
    ------
    ValueError
        If there are no trials, costs are not finite, or the table has another number of rows.
    {missing}

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.plotting import work_left
    >>> table = np.random.default_rng(7).uniform(5, 9, (100, 3))
    >>> ax = work_left({"always the first": table[:, 0]}, table=table)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['always the first', 'best fixed arm', 'best arm each time']
    """
    ax = _axes(ax)
    spent = _by_name(costs)
    for name, values, style in _curves(spent, None if table is None else _table(table, spent)):
        left = np.arange(len(values), -1, -1)
        ax.plot(np.concatenate(([0.0], np.cumsum(values))), left, style, label=name)
    ax.set(xlabel="total cost", ylabel="problems left", xlim=(0, None), ylim=(0, None))
    return _legend(ax)


@described(**_SHARED)
def regret(costs: Any, table: Any, *, ax: Any = None) -> Any:
    """Draw what was spent beyond the best fixed arm, over the trials.

    Parameters
    ----------
    {costs}
    table : array of shape (n_trials, n_arms)
        What each arm would have cost in each trial.
    {ax}

    Returns
    -------
    {drawn}

    Raises
    ------
    ValueError
        If there are no trials, costs are not finite, or the table has another number of rows.
    {missing}

    Notes
    -----
    The best fixed arm is that of all trials together. Below zero a policy beats every fixed choice,
    which only those that see a context can do for long.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.bandits import Grid, ParameterTuner
    >>> from lrla.plotting import regret
    >>> table = np.random.default_rng(7).uniform(5, 9, (100, 3))
    >>> tuner = ParameterTuner(Grid("omega", [1.0, 1.5, 1.9]), rng=7)
    >>> for row in table:
    ...     trial = tuner.ask()
    ...     tuner.tell(trial, row[trial.arm])
    >>> regret(tuner, table).get_ylabel()
    'regret'
    """
    ax = _axes(ax)
    spent = _by_name(costs)
    table = _table(table, spent)
    fixed = _best_fixed(table)
    for name, values, style in _curves(spent, table):
        total = np.cumsum(values - fixed[: len(values)])
        ax.plot(np.arange(1, len(values) + 1), total, style, label=name)
    ax.set(xlabel="trial", ylabel="regret", xlim=(0, None))
    return _legend(ax)


@described(**_SHARED)
def arm_shares(tuner: ParameterTuner, *, window: int | None = None, ax: Any = None) -> Any:
    """Draw which share of the trials played each arm, over time.

    Parameters
    ----------
    {tuner}
    window : int, optional
        Trials that a share is of; by default a twentieth of all, at least 10.
    {ax}

    Returns
    -------
    {drawn}

    Raises
    ------
    ValueError
        If nothing was told yet, the policy does not choose among arms, or window is not positive.
    {missing}

    Examples
    --------
    >>> from lrla.bandits import Grid, ParameterTuner
    >>> from lrla.plotting import arm_shares
    >>> tuner = ParameterTuner(Grid("restart", [10, 30]), rng=7)
    >>> for _ in range(50):
    ...     trial = tuner.ask()
    ...     tuner.tell(trial, trial.params["restart"])
    >>> len(arm_shares(tuner).collections)
    2
    """
    told = _told(tuner)
    if any(h.arm is None for h in told):
        raise ValueError(
            "tuner must choose among arms; choices() draws policies that choose numbers"
        )
    window = max(10, len(told) // 20) if window is None else whole(window, "window", 1)
    played = np.equal.outer(np.arange(len(tuner.arms)), [h.arm for h in told])
    sums = np.cumsum(np.pad(played, ((0, 0), (1, 0))), axis=1)
    stop = np.arange(1, len(told) + 1)
    start = np.maximum(stop - int(window), 0)
    shares = (sums[:, stop] - sums[:, start]) / (stop - start)
    ax = _axes(ax)
    labels = [", ".join(f"{k} = {_short(v)}" for k, v in arm.items()) for arm in tuner.arms]
    ax.stackplot(stop, shares, labels=labels, colors=_colors(len(labels)))
    ax.set(xlabel="trial", ylabel="share of the trials", xlim=(1, max(2, len(told))), ylim=(0, 1))
    return _legend(ax) if len(labels) <= 10 else ax


@described(**_SHARED)
def choices(
    tuner: ParameterTuner, parameter: str | None = None, *, against: str = "trial",
    cost_map: Any = None, ax: Any = None,
) -> Any:  # fmt: skip
    """Draw the values of a parameter that were chosen, on a map of what they cost.

    Parameters
    ----------
    {tuner}
    parameter : str, optional
        Which; may be left out if there is only one.
    against : {"trial", "context"}, default "trial"
        What they are drawn over.
    cost_map : tuple (positions, values, costs), optional
        Costs of shape (len(values), len(positions)), drawn as contours below: of values of the
        parameter, at numbers of trials or contexts.
    {ax}

    Returns
    -------
    {drawn}

    Raises
    ------
    ValueError
        If nothing was told yet, there is no such parameter, it has values that are not numbers, or
        contexts are missing or not numbers.
    {missing}

    Examples
    --------
    >>> from lrla.bandits import Interval, ParameterTuner
    >>> from lrla.plotting import choices
    >>> tuner = ParameterTuner(Interval("omega", 1, 1.9, size=10), rng=7)
    >>> for _ in range(50):
    ...     trial = tuner.ask()
    ...     tuner.tell(trial, 20 + abs(trial.params["omega"] - 1.6))
    >>> choices(tuner).get_ylabel()
    'omega'
    """
    told = _told(tuner)
    names = list(told[0].params)
    if parameter is None and len(names) == 1:
        parameter = names[0]
    if parameter not in names:
        raise ValueError(f"parameter must be one of {', '.join(names)}, got {parameter!r}")
    if against not in ("trial", "context"):
        raise ValueError(f"against must be 'trial' or 'context', got {against!r}")
    values = _numbers([h.params[parameter] for h in told], f"values of {parameter}")
    place = np.arange(1.0, len(told) + 1)
    if against == "context":
        place = _numbers([h.context for h in told], "contexts")
    ax = _axes(ax)
    if cost_map is not None:
        x, y, z = (np.asarray(part, dtype=float) for part in cost_map)
        if z.shape != (len(y), len(x)):
            raise ValueError(
                f"the costs of cost_map must have shape (values, positions) = {(len(y), len(x))}, "
                f"got {z.shape}"
            )
        drawn = ax.contourf(x, y, z, 12, cmap="Greys", extend="both")
        ax.figure.colorbar(drawn, ax=ax, label="cost")
    ax.plot(place, values, ".", ms=3, alpha=0.6)
    ax.set(xlabel=against, ylabel=parameter)
    return ax


_FIXED, _EACH = "best fixed arm", "best arm each time"


def _curves(
    spent: dict[str, np.ndarray], table: np.ndarray | None
) -> list[tuple[str, np.ndarray, str]]:
    """List what is drawn: name, cost of each trial, and style of the line."""
    curves = [(name, values, "-") for name, values in spent.items()]
    if table is not None:
        curves += [(_FIXED, _best_fixed(table), "k--"), (_EACH, table.min(axis=1), "k:")]
    return curves


def _best_fixed(table: np.ndarray) -> np.ndarray:
    return np.asarray(table[:, table.sum(axis=0).argmin()])


def _by_name(costs: Any) -> dict[str, np.ndarray]:
    if isinstance(costs, Mapping):
        if not costs:
            raise ValueError("costs must name at least one policy, got an empty mapping")
        return {str(name): _spent(values) for name, values in costs.items()}
    named = type(costs.policy).__name__ if isinstance(costs, ParameterTuner) else "cost"
    return {named: _spent(costs)}


def _spent(costs: Any) -> np.ndarray:
    if isinstance(costs, ParameterTuner):
        return np.array([h.cost for h in _told(costs)])
    values = np.asarray(costs, dtype=float)
    if values.ndim != 1 or not values.size or not np.all(np.isfinite(values)):
        raise ValueError(
            f"costs must be finite numbers, one for each trial, got an array of shape {values.shape}"
        )
    return values


def _table(table: Any, spent: dict[str, np.ndarray]) -> np.ndarray:
    values = np.asarray(table, dtype=float)
    longest = max(map(len, spent.values()))
    if values.ndim != 2 or len(values) != longest or not values.shape[1]:
        raise ValueError(
            f"table must have a row for each of {longest} trials and a column for each arm, got "
            f"shape {values.shape}"
        )
    if not np.all(np.isfinite(values)):
        raise ValueError("table must be finite")
    return values


def _told(tuner: ParameterTuner) -> list[Any]:
    """Return what was told, in the order of asking."""
    if not isinstance(tuner, ParameterTuner):
        raise TypeError(f"tuner must be a ParameterTuner, got {type(tuner).__name__}")
    if not tuner.history:
        raise ValueError("there is nothing to draw: no trial was told yet")
    return sorted(tuner.history, key=lambda h: h.id)


def _numbers(values: list[Any], what: str) -> np.ndarray:
    try:
        numbers = np.array(values, dtype=float)
    except (TypeError, ValueError):
        numbers = np.empty((0, 0))
    if numbers.ndim != 1 or not np.all(np.isfinite(numbers)):
        raise ValueError(f"{what} must be numbers to be drawn, got {values[0]!r}")
    return numbers


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    return _pyplot().subplots(layout="constrained")[1]


def _colors(count: int) -> Any:
    return _pyplot().colormaps["viridis"](np.linspace(0, 1, count))


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as e:
        raise ImportError("pictures need matplotlib: pip install 'lrla[plot]'") from e
    return plt


def _legend(ax: Any) -> Any:
    ax.legend(frameon=False)
    return ax
