"""What all policies share: open trials, costs, contexts, and a state that goes on exactly."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrla import AccuracyWarning
from lrla.bandits import (
    UCB,
    ChebCB,
    Policy,
    SurfaceThompson,
    SurrogateThompson,
    ThompsonSampling,
    TsallisCB,
    TsallisINF,
    YoungHistory,
)

MAKERS = {
    "tsallis_inf": lambda **o: TsallisINF(4, **o),
    "tsallis_inf iw": lambda **o: TsallisINF(4, estimator="iw", **o),
    "tsallis_cb": lambda **o: TsallisCB(4, (0, 1), n_bins=3, **o),
    "chebcb": lambda **o: ChebCB(4, (0, 1), **o),
    "surface_thompson": lambda **o: SurfaceThompson(4, (0, 1), **o),
    "ucb1": lambda **o: UCB(4, **o),
    "ucb_v": lambda **o: UCB(4, variant="ucb_v", **o),
    "thompson": lambda **o: ThompsonSampling(4, **o),
    "young_history": lambda **o: YoungHistory(diagonal=2.0, **o),
    "surrogate_thompson": lambda **o: SurrogateThompson(tol=1e-6, diagonal=2.0, **o),
}
BLIND = {"tsallis_inf", "tsallis_inf iw", "ucb1", "ucb_v", "thompson"}


@pytest.fixture(params=MAKERS)
def make(request):
    def made(rng=90210, **options):
        policy = MAKERS[request.param](rng=rng, **options)
        policy.context = None if request.param in BLIND else 0.3
        return policy

    return made


def cost_of(trial, k):
    """Make up a cost, deterministic and different for all trials."""
    where = trial.arm if trial.arm is not None else 10 * (trial.params["omega"] - 1.5)
    return 20.0 + 3 * abs(where - 1) + (k * 7919 % 13) / 13


def run(policy, steps, first=0):
    """Ask and tell; return what was chosen."""
    out = []
    for k in range(first, first + steps):
        trial = policy.ask(policy.context)
        out.append((trial.arm, trial.params, trial.probability))
        policy.tell(trial, cost_of(trial, k), rate=0.9)
    return out


def test_seeds_repeat(make):
    one = run(make(), 80)
    assert run(make(), 80) == one
    assert make(rng=None).seed != make(rng=None).seed
    again = make(rng=make(rng=np.random.default_rng(3)).seed)
    assert run(again, 20) == run(make(rng=np.random.default_rng(3)), 20)


def test_trials_may_be_told_in_any_order(make):
    policy = make()
    assert run(policy, 10)
    trials = [policy.ask(policy.context) for _ in range(6)]
    assert [t.id for t in trials] == list(range(10, 16))
    for t in trials[::-1]:
        policy.tell(t.id if t.id % 2 else t, 5.0, rate=0.5)
    assert policy.n_told == 16
    assert policy._open == {}


@given(cut=st.integers(0, 60), steps=st.integers(1, 40))
def test_a_restored_state_goes_on_exactly(make, cut, steps):
    policy = make()
    run(policy, cut)
    held = [policy.ask(policy.context) for _ in range(3)]
    copy = Policy.from_json(policy.to_json())
    copy.context = policy.context
    assert type(copy) is type(policy)
    for p in (policy, copy):
        p.tell(held[2], 7.5, rate=0.9)
        p.tell(held[0].id, status="failed")
        p.tell(held[1], 33.0, status="capped", rate=0.8)
    assert run(copy, steps, cut) == run(policy, steps, cut)
    assert json.loads(copy.to_json()) == json.loads(policy.to_json())


def test_unknown_and_repeated_trials_are_refused(make):
    policy = make()
    trial = policy.ask(policy.context)
    with pytest.raises(KeyError, match=r"there is no trial 1; ask\(\) has given 1 of them"):
        policy.tell(1, 2.0)
    with pytest.raises(KeyError, match="there is no trial 'x'"):
        policy.tell("x", 2.0)
    policy.tell(trial, 2.0, rate=0.5)
    with pytest.raises(ValueError, match="trial 0 was told before, or expired"):
        policy.tell(trial, 2.0, rate=0.5)


@pytest.mark.parametrize("cost", [math.nan, -1.0, math.inf])
def test_impossible_costs_are_refused(make, cost):
    policy = make()
    trial = policy.ask(policy.context)
    before = policy.to_json()
    with pytest.raises(ValueError, match="cost must be finite and not negative, got"):
        policy.tell(trial, cost, rate=0.5)
    with pytest.raises(ValueError, match="cost must be given unless status='failed'"):
        policy.tell(trial, rate=0.5)
    with pytest.raises(ValueError, match="status must be one of ok, capped, failed, got 'late'"):
        policy.tell(trial, 1.0, status="late", rate=0.5)
    with pytest.raises(ValueError, match="rate must be a number or None, got nan"):
        policy.tell(trial, 1.0, rate=math.nan)
    assert policy.to_json() == before  # nothing was learned, and the trial is still open
    policy.tell(trial, 0.0, rate=0.5)


def test_old_trials_expire(make):
    policy = make(max_open=3)
    trials = [policy.ask(policy.context) for _ in range(5)]
    assert policy.n_expired == 2
    for t in trials[2:]:
        policy.tell(t, 1.0, rate=0.5)
    with pytest.raises(ValueError, match="more than max_open = 3 trials were open"):
        policy.tell(trials[0], 1.0)


def test_failures_before_any_cost_wait_for_one(make):
    policy = make()
    for _ in range(3):
        policy.tell(policy.ask(policy.context), status="failed")
    assert policy.worst is None
    assert len(policy._waiting) == 3
    policy = Policy.from_json(policy.to_json())
    policy.context = make().context
    policy.tell(policy.ask(policy.context), 5.0, rate=0.5)
    assert policy._waiting == []
    assert policy.n_told == 4


def test_bad_arms_are_left_alone():
    policy = TsallisINF(3, rng=90210)
    plays = np.zeros(3, int)
    for _ in range(600):
        trial = policy.ask()
        plays[trial.arm] += 1
        if trial.arm == 0:
            policy.tell(trial, status="failed")
        elif trial.arm == 1:
            policy.tell(trial, 50.0, status="capped")
        else:
            policy.tell(trial, 60.0)  # a cap of 50 means that arm 1 costs more
    assert plays[2] > 400


def test_a_state_of_something_else_is_refused():
    text = TsallisINF(3, rng=1).to_json()
    with pytest.raises(ValueError, match="to_json of TsallisCB wrote, got policy 'TsallisINF'"):
        TsallisCB.from_json(text)
    with pytest.raises(ValueError, match="to_json of Policy wrote, got policy None"):
        Policy.from_json("[1]")
    with pytest.raises(ValueError, match="to_json of Policy wrote"):
        Policy.from_json(text.replace('"lrla": 1', '"lrla": 999'))


def test_contexts_are_looked_at():
    policy = TsallisCB(2, (0, 1), rng=1)
    with pytest.raises(ValueError, match="context must be given: this policy chooses by it"):
        policy.ask()
    for wrong in (math.nan, [0.1, 0.2]):
        with pytest.raises(ValueError, match=r"context must be 1 finite number\(s\)"):
            policy.ask(wrong)
    with pytest.warns(AccuracyWarning, match=r"context 1.5 is outside of context_range"):
        assert policy.ask(1.5).context == 1.5
    policy.ask(2.5)  # once is enough
    TsallisCB(2, (0, 1), rng=1).ask(1 + 1e-12)  # rounding is not outside
    policy.ask(np.float32(0.5))
