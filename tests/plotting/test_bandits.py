"""Pictures of bandits: what is drawn is what was chosen and spent."""

import sys

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
from matplotlib import pyplot as plt

from lrla.bandits import Grid, Interval, ParameterTuner, Product, YoungHistory
from lrla.plotting import arm_shares, choices, regret, work_left


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def played(n_trials=60, reverse=False):
    """Play three arms; tell the trials in the order of asking or in reverse."""
    table = np.random.default_rng(5).uniform(5, 9, (n_trials, 3))
    table[:, 1] -= 2
    tuner = ParameterTuner(Grid("omega", [1.0, 1.5, 1.9]), rng=7)
    trials = [tuner.ask() for _ in range(n_trials)] if reverse else []
    for i in range(n_trials):
        trial = trials[-1 - i] if reverse else tuner.ask()
        tuner.tell(trial, table[trial.id, trial.arm])
    return tuner, table


def lines(ax):
    return {line.get_label(): line.get_xydata() for line in ax.lines}


@pytest.mark.parametrize("reverse", [False, True])
def test_regret_is_what_was_spent_beyond_the_best_fixed_arm(reverse):
    tuner, table = played(reverse=reverse)
    drawn = lines(regret({"bandit": tuner}, table))
    assert drawn["bandit"][-1] == pytest.approx(
        (60, tuner.regret(method="oracle", table=table).regret)
    )
    by_trial = [h.cost for h in sorted(tuner.history, key=lambda h: h.id)]
    np.testing.assert_allclose(drawn["bandit"][:, 1], np.cumsum(by_trial - table[:, 1]))
    assert np.all(drawn["best fixed arm"][:, 1] == 0)
    np.testing.assert_allclose(
        drawn["best arm each time"][:, 1], np.cumsum(table.min(axis=1) - table[:, 1])
    )


def test_work_left_ends_at_the_total():
    tuner, table = played()
    drawn = lines(work_left({"bandit": tuner, "first": table[:, 0]}, table=table))
    total = sum(h.cost for h in tuner.history)
    assert drawn["bandit"][0].tolist() == [0, 60]
    assert drawn["bandit"][-1] == pytest.approx((total, 0))
    assert drawn["first"][-1] == pytest.approx((table[:, 0].sum(), 0))
    assert drawn["best fixed arm"][30] == pytest.approx((table[:30, 1].sum(), 30))
    assert list(lines(work_left(tuner))) == ["TsallisINF"]
    assert list(lines(work_left(table[:, 2]))) == ["cost"]


def test_shares_add_up_to_one():
    tuner, _ = played()
    ax = arm_shares(tuner, window=7)
    played_last = np.bincount([h.arm for h in tuner.history[-7:]], minlength=3) / 7
    tops = []
    for part in ax.collections:
        vertices = part.get_paths()[0].vertices
        tops.append(vertices[vertices[:, 0] == 60][:, 1].max())
    np.testing.assert_allclose(tops, np.cumsum(played_last), atol=1e-12)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["omega = 1", "omega = 1.5", "omega = 1.9"]
    many = ParameterTuner(Interval("omega", 1, 1.9, size=30), rng=7)
    many.tell(many.ask(), 1.0)
    assert arm_shares(many).get_legend() is None


def test_choices_over_trials_and_contexts():
    tuner = ParameterTuner(Interval("omega", 1, 1.9, size=10), context_range=(0, 4), rng=7)
    rng = np.random.default_rng(5)
    for _ in range(30):
        trial = tuner.ask(rng.uniform(0, 4))
        tuner.tell(trial, 20 + trial.params["omega"])
    told = tuner.history
    wanted = [h.params["omega"] for h in told]
    ax = choices(tuner)
    np.testing.assert_allclose(ax.lines[0].get_xydata(), np.c_[np.arange(1, 31), wanted])
    costs = np.add.outer(np.arange(3.0), np.arange(5.0))
    ax = choices(tuner, "omega", against="context",
                 cost_map=(np.linspace(0, 4, 5), [1.0, 1.5, 1.9], costs))  # fmt: skip
    np.testing.assert_allclose(ax.lines[0].get_xydata(), np.c_[[h.context for h in told], wanted])
    assert len(ax.figure.axes) == 2  # the bar of colours


def test_axes_are_those_that_were_given():
    tuner, table = played(20)
    ax = plt.figure().add_subplot()
    before = plt.get_fignums()
    for drawn in (
        work_left(tuner, ax=ax), regret(tuner, table, ax=ax), choices(tuner, ax=ax),
        arm_shares(tuner, ax=ax),
    ):  # fmt: skip
        assert drawn is ax
    assert plt.get_fignums() == before


def test_mistakes():
    tuner, table = played(20)
    fresh = ParameterTuner(Grid("omega", [1.0, 1.5]), rng=7)
    for draw in (work_left, arm_shares, choices):
        with pytest.raises(ValueError, match="nothing to draw: no trial was told yet"):
            draw(fresh)
    with pytest.raises(ValueError, match="a row for each of 20 trials and a column for each arm"):
        regret(tuner, table[:5])
    with pytest.raises(ValueError, match="table must be finite"):
        regret(tuner, table * np.nan)
    with pytest.raises(ValueError, match="costs must be finite numbers, one for each trial"):
        work_left([[1.0, 2.0]])
    with pytest.raises(ValueError, match="costs must name at least one policy"):
        work_left({})
    with pytest.raises(ValueError, match="window must be an integer, at least 1, got 0"):
        arm_shares(tuner, window=0)
    with pytest.raises(TypeError, match="tuner must be a ParameterTuner, got list"):
        choices([1.0])
    with pytest.raises(ValueError, match="parameter must be one of omega, got 'restart'"):
        choices(tuner, "restart")
    with pytest.raises(ValueError, match="against must be 'trial' or 'context', got 'time'"):
        choices(tuner, against="time")
    with pytest.raises(ValueError, match="contexts must be numbers to be drawn, got None"):
        choices(tuner, against="context")
    with pytest.raises(ValueError, match=r"shape \(values, positions\) = \(1, 2\), got \(2, 1\)"):
        choices(tuner, cost_map=([0, 1], [1.5], [[1], [2]]))
    kinds = ParameterTuner(Product([Grid("solver", ["lu", "cg"]), Grid("tol", [1e-3])]), rng=7)
    kinds.tell(kinds.ask(), 1.0)
    with pytest.raises(ValueError, match="values of solver must be numbers to be drawn, got '"):
        choices(kinds, "solver")
    free = ParameterTuner(Interval("omega", 1, 1.9, size=10), policy=YoungHistory(diagonal=4.0))
    free.tell(free.ask(0.1), 30.0, rate=0.5)
    with pytest.raises(ValueError, match=r"tuner must choose among arms; choices\(\) draws"):
        arm_shares(free)


def test_matplotlib_may_be_missing(monkeypatch):
    tuner, _ = played(5)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'lrla\[plot\]'"):
        work_left(tuner)
