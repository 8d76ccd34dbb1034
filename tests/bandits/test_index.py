"""`UCB` and `ThompsonSampling`, and the sequence on which they fail."""

import math

import numpy as np
import pytest

from lrla.bandits import UCB, ThompsonSampling, TsallisINF


def pull(policy, costs):
    for row in costs:
        trial = policy.ask()
        policy.tell(trial, row[trial.arm])


@pytest.mark.parametrize("variant", ["ucb1", "ucb_v"])
@pytest.mark.parametrize("cost_range", [(0, None), (0, 5)])
def test_ucb_plays_the_least_index(variant, cost_range):
    rng = np.random.default_rng(90210)
    costs = rng.exponential([1.0, 1.2, 0.8, 2.0], size=(60, 4))
    policy = UCB(4, variant=variant, cost_range=cost_range)
    seen = [[] for _ in range(4)]
    for t, row in enumerate(costs):
        trial = policy.ask()
        if t < 4:
            assert trial.arm == t
        else:
            every = np.concatenate(seen)
            reach = np.ptp(every) if cost_range[1] is None else 5.0
            index = [
                np.mean(s) - reach * math.sqrt(2 * math.log(t) / len(s))
                if variant == "ucb1"
                else np.mean(s)
                - math.sqrt(2 * np.var(s) * math.log(t) / len(s))
                - 3 * reach * math.log(t) / len(s)
                for s in seen
            ]
            assert trial.arm == np.argmin(index)
        seen[trial.arm].append(row[trial.arm])
        policy.tell(trial, row[trial.arm])
    with pytest.raises(ValueError, match="variant must be 'ucb1' or 'ucb_v', got 'ucb2'"):
        UCB(4, variant="ucb2")


@pytest.mark.statistical
def test_thompson_draws_from_what_it_believes():
    """Compare frequencies of 4000 choices with normal draws: false alarm below 1e-6 (5 sigma)."""
    policy = ThompsonSampling(3, rng=90210)
    pull(policy, np.random.default_rng(5).normal([10.0, 10.3, 11.0], 1.0, size=(40, 3)))
    sd = np.sqrt(np.maximum(policy._squares / policy._counts, 1e-3 * policy._means**2))
    z = np.random.default_rng(7).standard_normal((200_000, 3))
    want = (
        np.bincount((policy._means + sd / np.sqrt(policy._counts) * z).argmin(axis=1), minlength=3)
        / 200_000
    )
    got = np.bincount([policy.ask().arm for _ in range(4000)], minlength=3) / 4000
    assert np.all(abs(got - want) < 5 * np.sqrt(want * (1 - want) / 4000 + 1e-6))


@pytest.mark.parametrize("make", [UCB, ThompsonSampling])
def test_late_costs_do_not_keep_new_arms_waiting(make):
    policy = make(3)
    trials = [policy.ask() for _ in range(6)]
    assert [t.arm for t in trials] == [0, 1, 2, 0, 1, 2]
    policy.tell(trials[0], 1.0)
    assert policy.ask().arm in (1, 2)


def switching(seed, T, gap=0.125, d=4):
    """Means (0, gap, ...) and (1 - gap, 1, ...) in turn, for times that grow: arm 0 is best."""
    means = np.empty((T, d))
    t, k = 0, 1
    while t < T:
        n = int(1.6**k) + 1
        means[t : t + n, 0] = 0.0 if k % 2 else 1.0 - gap
        means[t : t + n, 1:] = gap if k % 2 else 1.0
        t, k = t + n, k + 1
    return (np.random.default_rng([seed, 90210]).random((T, d)) < means).astype(float)


def regrets(make, seeds=4, T=16_000, gap=0.125):
    """Return the regret after a quarter of the time and after all of it, for each seed."""
    out = np.zeros((seeds, 2))
    for seed in range(seeds):
        policy = make(seed)
        wrong = np.zeros(T)
        for t, row in enumerate(switching(seed, T, gap)):
            trial = policy.ask()
            policy.tell(trial, row[trial.arm])
            wrong[t] = gap * (trial.arm != 0)
        out[seed] = wrong[: T // 4].sum(), wrong.sum()
    return out


@pytest.mark.statistical
@pytest.mark.slow
def test_only_tsallis_inf_withstands_switching():
    """The instance of Zimmert and Seldin (2021, section 7): gaps are constant, levels are not.

    Four times the time multiplies the regret of UCB1 and UCB-V by 3.6, that of Tsallis-INF by 1.4.
    Means over four seeds; the ratios asserted for these are at least three standard errors away
    from what is seen, so fresh seeds alarm with up to 1e-3. Thompson sampling fails for some seeds
    only: what is asserted for it is about the seeds here.
    """
    rv = regrets(lambda seed: TsallisINF(4, cost_range=(0, 1), rng=seed))
    iw = regrets(lambda seed: TsallisINF(4, estimator="iw", cost_range=(0, 1), rng=seed))
    for safe in (rv, iw):
        assert safe[:, 1].max() < 250
        assert safe[:, 1].mean() < 2 * safe[:, 0].mean()
    for variant in ("ucb1", "ucb_v"):
        optimist = regrets(lambda seed, v=variant: UCB(4, variant=v, cost_range=(0, 1)))
        assert optimist[:, 1].mean() > 4 * iw[:, 1].mean()
        assert optimist[:, 1].mean() > 2.5 * optimist[:, 0].mean()
    thompson = regrets(lambda seed: ThompsonSampling(4, rng=seed), seeds=8)
    assert thompson[:, 1].max() > 2 * iw[:, 1].max()
