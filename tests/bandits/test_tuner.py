"""`ParameterTuner`: spaces, runs, regret, and a state that goes on exactly."""

import dataclasses
import json
import types

import numpy as np
import pytest

from lrla.bandits import Grid, Interval, ParameterTuner, Product, TsallisINF

OMEGAS = [1.0, 1.2, 1.5, 1.8]


def tuner(**options):
    return ParameterTuner(Grid("omega", OMEGAS), **{"rng": 90210, **options})


def cost_of(omega, k=0):
    return 20 + 50 * abs(omega - 1.5) + k * 7919 % 13


# ----------------------------------------------------------------------------------------- spaces


def test_grids_hold_plain_values():
    grid = Grid("solver", ["cg", None, True, 3, np.float64(0.5)])
    assert [arm["solver"] for arm in grid.arms] == ["cg", None, True, 3, 0.5]
    assert type(grid.values[4]) is float
    assert Grid("x", np.arange(3)).nearest(1.4) == 1


def test_intervals_space_their_arms_in_the_warped_coordinate():
    arms = [a["omega"] for a in Interval("omega", 1.0, 1.99, size=5, warp="log2m").arms]
    np.testing.assert_allclose(np.diff(np.log(2 - np.array(arms))), np.log(0.01) / 4)
    assert arms[0] == 1.0
    assert arms[-1] == 1.99
    tols = [a["tol"] for a in Interval("tol", 1e-6, 1e-2, size=5, warp="log").arms]
    np.testing.assert_allclose(tols, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2])
    line = Interval("omega", 0, 1, size=3)
    assert [a["omega"] for a in line.arms] == [0.0, 0.5, 1.0]
    assert [line.nearest(v) for v in (-3, 0.3, 7)] == [0.0, 0.3, 1.0]


def test_products_hold_every_combination():
    space = Product([Grid("a", [1, 2]), Product([Grid("b", "xy"), Interval("c", 0, 1, size=3)])])
    assert len(space.arms) == 12
    assert space.arms[4] == {"a": 1, "b": "y", "c": 0.5}


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Grid("a b", [1]), ValueError, "name must be the name of a keyword argument"),
        (lambda: Grid("a", []), ValueError, "values must not be empty"),
        (lambda: Grid("a", [[1]]), TypeError, "values must be numbers, strings or None, got list"),
        (lambda: Grid("a", [np.nan]), ValueError, "values must be finite, got nan"),
        (lambda: Interval("a", 1, 0), ValueError, "low and high must be finite, low < high"),
        (lambda: Interval("a", 0, 1, warp="log"), ValueError, "low must be positive"),
        (lambda: Interval("a", 1, 2, warp="log2m"), ValueError, "high below 2 for 'log2m'"),
        (lambda: Interval("a", 0, 1, warp="exp"), ValueError, "warp must be one of linear, log"),
        (lambda: Interval("a", 0, 1, size=1), ValueError, "size must be an integer, at least 2"),
        (lambda: Product([]), ValueError, "parts must have different names"),
        (lambda: Product([Grid("a", [1]), Grid("a", [2])]), ValueError, "different names"),
        (lambda: ParameterTuner([1, 2]), TypeError, "space must be a Grid, Interval or Product"),
        (lambda: tuner(policy="ucbx"), ValueError, "policy must be a Policy or one of auto, tsal"),
        (lambda: tuner(policy="tsallis_cb"), ValueError, "it needs context_range"),
        (lambda: tuner(policy="tsallis_inf", context_range=(0, 1)), ValueError, "uses no context"),
        (lambda: tuner(policy=TsallisINF(4)), ValueError, "belong to the policy; give them to it"),
        (lambda: tuner(policy=TsallisINF(3), rng=None), ValueError, "3 arms, but the space has 4"),
        (lambda: tuner(cost="steps"), ValueError, "cost must be one of seconds, iterations or"),
    ],
)
def test_mistakes(make, error, message):
    with pytest.raises(error, match=message):
        make()


# ------------------------------------------------------------------------------------------- runs


def test_arms_are_parameters():
    t = tuner()
    trial = t.ask()
    assert trial.params == t.arms[trial.arm]
    trial.params["omega"] = 7  # of the user's own
    assert t.arms == [{"omega": w} for w in OMEGAS]
    t.tell(trial, 3.0)
    assert t.history[0].arm == trial.arm


def test_with_blocks_tell_at_their_end():
    t = tuner(cost="iterations")
    with t.trial() as run:
        run.cost = cost_of(**run.params)
    with t.trial() as run:
        run.cost, run.status = 9.0, "capped"
    with pytest.raises(ZeroDivisionError), t.trial():
        raise ZeroDivisionError
    assert [h.status for h in t.history] == ["ok", "capped", "failed"]
    worst = 2 * max(t.history[0].cost, 2 * 9.0)
    assert t.history[2].cost == worst  # nobody said what it had cost
    with pytest.raises(ValueError, match="cost must be given"), t.trial():
        pass
    with pytest.raises(KeyboardInterrupt), t.trial():
        raise KeyboardInterrupt
    assert len(t.history) == 3


def test_seconds_are_measured():
    t = tuner()
    with t.trial():
        sum(range(100_000))
    assert 0 < t.history[0].cost < 10


def test_wrapped_solvers_choose_by_themselves():
    seen = []

    def solve(A, b, *, omega, tol=1e-3):
        seen.append((A, b, omega, tol))
        info = types.SimpleNamespace(iterations=30 if omega == 1.5 else 60, rate=0.5)
        return types.SimpleNamespace(info=info, status=omega != 1.0)

    t = tuner(cost="iterations")
    tuned = t.wrap(solve)
    for _ in range(300):
        tuned(1, 2, tol=1e-9)
    assert {s[:2] + s[3:] for s in seen} == {(1, 2, 1e-9)}
    used = [s[2] for s in seen]
    assert used.count(1.5) > 200
    assert {h.status for h in t.history if h.params["omega"] == 1.0} == {"capped"}

    by_function = tuner(cost=lambda result: result.info.iterations + 1)
    by_function.wrap(solve)(1, 2)
    assert by_function.history[0].cost in (31, 61)
    with pytest.raises(TypeError):
        t.wrap(solve)()  # the solver's own error
    assert t.history[-1].status == "failed"


def test_contexts_pass_through():
    t = tuner(context_range=(0, 1), cost=float)
    t.wrap(lambda omega: cost_of(omega))(context=np.float64(0.25))
    assert t.history[0].context == 0.25
    with pytest.raises(ValueError, match="context must be given"):
        t.ask()


# ----------------------------------------------------------------------------------------- regret


def test_oracle_regret_is_exact():
    table = np.random.default_rng(90210).exponential(size=(200, 4)) + np.array([2, 1, 0, 2])
    t = tuner()
    trials = [t.ask() for _ in range(200)]
    for trial in trials[::-1]:
        t.tell(trial, table[trial.id, trial.arm])
    out = t.regret(method="oracle", table=table)
    played = sum(table[k, trial.arm] for k, trial in enumerate(trials))
    assert out.best_arm == 2
    assert out.total == pytest.approx(played)
    assert out.best_total == pytest.approx(table[:, 2].sum())
    assert out.regret == pytest.approx(played - table[:, 2].sum())
    assert out.standard_error == 0
    assert out.info.instance_optimal == pytest.approx(table.min(axis=1).sum())
    with pytest.raises(ValueError, match="table must have a row for each of 200 trials and a col"):
        t.regret(method="oracle", table=table[:, :3])
    with pytest.raises(ValueError, match="method must be 'estimated', without a table, or"):
        t.regret(table=table)


@pytest.mark.statistical
def test_estimated_totals_are_unbiased_with_honest_errors():
    """Mean over 300 seeds within 5 standard errors for 3 arms: false alarm below 2e-6."""
    table = np.random.default_rng(90210).uniform(1, 2, (40, 3)) + np.array([0.0, 0.5, 1.0])
    true = table.sum(axis=0)
    errors, claimed = [], []
    for seed in range(300):
        t = ParameterTuner(Grid("x", [0, 1, 2]), rng=seed)
        for row in table:
            trial = t.ask()
            t.tell(trial, row[trial.arm])
        out = t.regret()
        errors.append(out.arm_totals - true)
        claimed.append(out.info.standard_errors)
    errors = np.array(errors)
    assert np.all(abs(errors.mean(axis=0)) < 5 * errors.std(axis=0) / np.sqrt(300))
    honest = np.sqrt(np.mean(np.square(claimed), axis=0)) / errors.std(axis=0)
    assert np.all((honest > 0.7) & (honest < 1.4))


def test_regret_needs_something_to_go_by():
    t = tuner()
    with pytest.raises(ValueError, match="regret needs at least one trial that was told"):
        t.regret()
    t.tell(t.ask(), 1.0)
    t.history[0] = dataclasses.replace(t.history[0], probability=None)
    with pytest.raises(ValueError, match="needs the probabilities of the arms"):
        t.regret()


def test_the_report_counts():
    t = tuner()
    for k in range(50):
        trial = t.ask()
        t.tell(trial, cost_of(**trial.params), status="capped" if k == 0 else "ok")
    t.ask()
    lines = t.report().splitlines()
    assert lines[0].startswith("TsallisINF: 50 trials, total cost")
    assert "1 open, 0 expired" in lines[0]
    assert sum(int(line.split()[0]) for line in lines[2:]) == 50
    assert sum(int(line.split()[2]) for line in lines[2:]) == 1


# ------------------------------------------------------------------------------------------ state


def test_a_restored_tuner_goes_on_exactly():
    space = Product([Interval("omega", 1, 1.9, size=4, warp="log2m"), Grid("sweep", ["f", "s"])])
    one = ParameterTuner(space, context_range=(0, 2), rng=90210)

    def steps(t, n):
        out = []
        for k in range(n):
            trial = t.ask(k % 3 * 0.7)
            out.append(trial)
            t.tell(trial, cost_of(trial.params["omega"], k), status="failed" if k == 5 else "ok")
        return out

    steps(one, 40)
    open_trial = one.ask(np.array([0.5]))
    two = ParameterTuner.from_json(one.to_json(), cost="iterations")
    assert two.space == space
    assert two.cost == "iterations"
    for t in (one, two):
        t.tell(open_trial.id, 30.0)
    assert steps(one, 40) == steps(two, 40)
    assert one.history == two.history
    assert json.loads(one.to_json()) == json.loads(two.to_json())
    with pytest.raises(ValueError, match="text must be what to_json of a ParameterTuner wrote"):
        ParameterTuner.from_json(one.policy.to_json())


def test_lost_trials_do_not_pile_up():
    t = ParameterTuner(Grid("x", [1, 2]), policy=TsallisINF(2, max_open=5, rng=3))
    for _ in range(20):
        t.ask()
    assert len(t._used) == 5
    assert "5 open, 15 expired" in t.report()
