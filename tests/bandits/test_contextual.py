"""`ChebCB` and `SurfaceThompson`: regression on contexts, and what is explored."""

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

from lrla import AccuracyWarning
from lrla.bandits import ChebCB, SurfaceThompson
from lrla.bandits._chebyshev import Chebyshev


def test_features_are_chebyshev_polynomials():
    x = 0.37
    want = np.polynomial.chebyshev.chebvander(x, 5)[0]
    np.testing.assert_allclose(Chebyshev(1, 5)((x,)), want, atol=1e-15)
    two = Chebyshev(2, 3)
    assert len(two.indices) == 10
    grid = np.polynomial.chebyshev.chebvander2d(x, -0.8, [3, 3]).reshape(4, 4)
    np.testing.assert_allclose(two((x, -0.8)), [grid[i] for i in two.indices], atol=1e-15)
    assert two.degrees == sorted(two.degrees)


def feed(policy, steps, cost, seed=90210):
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        c = rng.random()
        trial = policy.ask(c)
        policy.tell(trial, cost(trial.arm, c))


def bowl(arm, c):
    return 20 + 3 * arm + 8 * (c - arm / 3) ** 2


@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(0, 80), d=st.integers(1, 9))
def test_probabilities_are_those_of_squarecb(seed, steps, d):
    policy = ChebCB(d, (0, 1), rng=seed % 1000)
    feed(policy, steps, lambda arm, c: bowl(arm, c) + seed % 7 * np.sin(9 * c), seed)
    w, predicted = policy.weights(0.4), policy.predict(0.4)
    assert np.all(w >= 0)
    assert abs(w.sum() - 1) < 1e-12
    others = np.delete(w, predicted.argmin()) if steps else w
    assert np.all(others <= 1 / d + 1e-15)
    gaps = np.argsort(predicted)
    if steps:
        assert np.all(np.diff(w[gaps][1:]) <= 1e-15)  # a larger gap, a smaller probability


def test_learning_rate_is_that_of_the_published_code():
    policy = ChebCB(4, (2, 4), rng=5)
    rng = np.random.default_rng(90210)
    told, online = [], 0.0
    for _ in range(60):
        c = rng.uniform(2, 4)
        trial = policy.ask(c)
        cost = bowl(trial.arm, c - 2) + rng.random()
        online += (policy._open[trial.id].memory - cost) ** 2
        told.append((trial.arm, c, cost))
        policy.tell(trial, cost)
    costs = np.array([t[2] for t in told])
    K, CL, m, d, t = costs.max(), np.ptp(costs), 5, 4, 60
    N = 2 + 4 * CL * (1 + np.log(m)) / K
    alpha = (np.pi + 2 / np.pi * np.log(2 * m + 1)) * CL / (2 * K * N * (m + 1))
    F = np.polynomial.chebyshev.chebvander(np.array([t[1] for t in told]) - 3, m)
    fit = np.sum(F * policy._theta[[t[0] for t in told]], axis=1)
    R = (online - np.sum((fit - costs) ** 2)) / (K * N) ** 2
    eta = 2 * t * np.sqrt(d * t / (R + 2 * alpha**2 * t))
    predicted = policy.predict(3.3)
    gap = (predicted - predicted.min()) / (K * N)
    want = 1 / (d + eta * gap)
    want[predicted.argmin()] = 0
    want[predicted.argmin()] = 1 - want.sum()
    np.testing.assert_allclose(policy.weights(3.3), want, rtol=1e-6)


def test_the_state_equals_a_fit_from_scratch():
    """Sums and warm starts forget nothing: SciPy on the whole history gives the same series."""
    policy = ChebCB(3, (0, 1), rng=90210)
    rng = np.random.default_rng(90210)
    told = [[] for _ in range(3)]
    for _ in range(240):
        c = rng.random()
        trial = policy.ask(c)
        cost = bowl(trial.arm, c) + 5 * (c > 0.5) + rng.exponential()
        told[trial.arm].append((c, cost))
        policy.tell(trial, cost)
    least, most = (f(x for arm in told for _, x in arm) for f in (min, max))
    bound = np.array([most, *(2 * (most - least) / np.arange(1, 6))])
    for arm in range(3):
        c, cost = np.array(told[arm]).T
        F = np.polynomial.chebyshev.chebvander(2 * c - 1, 5)
        best = scipy.optimize.lsq_linear(F, cost, (-bound, bound), method="bvls", tol=1e-14)
        np.testing.assert_allclose(policy._theta[arm], best.x, atol=1e-4 * most)
        np.testing.assert_allclose(policy._left[arm], 2 * best.cost, rtol=1e-4)


def test_realisable_costs_are_found_exactly():
    """Polynomial costs without noise, six or more plays of each arm: the best arm everywhere."""
    policy = ChebCB(4, (0, 1), degree=3, rng=90210)
    for k in range(4 * 8):
        trial = policy.ask(k // 4 / 7)
        policy._open[trial.id] = policy._open[trial.id]._replace(arm=k % 4)
        policy.tell(trial, bowl(k % 4, k // 4 / 7))
    for c in np.linspace(0, 1, 41):
        want = [bowl(arm, c) for arm in range(4)]
        np.testing.assert_allclose(policy.predict(c), want, rtol=1e-5)
        assert policy.predict(c).argmin() == np.argmin(want)


def test_a_new_worst_cost_moves_all_bounds():
    policy = ChebCB(2, (0, 1), rng=90210)
    feed(policy, 60, lambda arm, c: 20 + 10 * np.cos(5 * np.arccos(2 * c - 1)))
    assert np.all(
        abs(policy._theta[:, 5]) == 2 * policy._variation / 5
    )  # T_5 may not be that large
    before = policy._theta.copy()
    trial = policy.ask(0.5)
    policy.tell(trial, 500.0)
    other = 1 - trial.arm
    assert np.any(policy._theta[other] != before[other])
    again = ChebCB.from_json(policy.to_json())
    for arm in range(2):
        again._theta[arm] = 0
        again._fit(arm, again._bound())
    np.testing.assert_allclose(again._theta, policy._theta, atol=1e-5)


@pytest.mark.parametrize("make", [ChebCB, SurfaceThompson])
def test_contexts_of_two_dimensions(make):
    def cost(arm, c):
        return 20 + 30 * (arm / 4 - 0.5 * c[0] - 0.25 * (c[1] + 1)) ** 2

    policy = make(5, [(0, 1), (-1, 1)], rng=90210)
    rng = np.random.default_rng(7)
    late = []
    for k in range(900):
        c = rng.random(2) * [1, 2] - [0, 1]
        trial = policy.ask(c)
        policy.tell(trial, cost(trial.arm, c))
        if k > 600:
            late.append(cost(trial.arm, c) - min(cost(a, c) for a in range(5)))
    assert np.mean(late) < 1.0  # of a range of 30


@pytest.mark.parametrize("make", [ChebCB, SurfaceThompson])
def test_they_follow_the_context(make):
    def cost(arm, c):
        return 30 + 60 * (arm / 9 - 0.8 * c) ** 2

    policy = make(10, (0, 1), rng=90210)
    rng = np.random.default_rng(31)
    spent, best, fixed = 0.0, 0.0, np.zeros(10)
    for _ in range(1500):
        c = rng.random()
        trial = policy.ask(c)
        costs = np.array([cost(a, c) for a in range(10)]) * np.exp(0.05 * rng.standard_normal())
        policy.tell(trial, costs[trial.arm])
        spent, best, fixed = spent + costs[trial.arm], best + costs.min(), fixed + costs
    assert spent < 0.98 * fixed.min()
    assert spent < 1.06 * best


def test_a_surface_learns_from_few_trials():
    policy = SurfaceThompson(20, (0, 1), rng=90210)
    feed(policy, 40, lambda arm, c: 20 + 2 * abs(arm - 4 - 12 * c) ** 1.5)
    for c in (0.1, 0.5, 0.9):
        assert abs(policy.predict(c).argmin() - 4 - 12 * c) < 3


def test_the_surface_is_the_ridge_regression():
    policy = SurfaceThompson(6, (0, 1), rng=90210)
    rng = np.random.default_rng(5)
    rows, logs = [], []
    for _ in range(30):
        c = rng.random()
        trial = policy.ask(c)
        cost = 10 + bowl(trial.arm, c) * rng.random()
        policy.tell(trial, cost)
        t = np.polynomial.chebyshev.chebvander([-1 + 0.4 * trial.arm, 2 * c - 1], 4)
        rows.append(np.outer(t[0, :4], t[1]).ravel())
        logs.append(np.log(cost))
    A, y = np.array(rows), np.array(logs)
    degrees = np.add.outer(np.arange(4), np.arange(5)).ravel()
    prior = np.diag(((1 + degrees) / 3.0) ** 2)
    mean, factor, noise = policy._posterior()
    first = np.linalg.solve(A.T @ A + 0.02**2 * prior, A.T @ y)
    assert noise == pytest.approx(max(0.02, np.sqrt(np.mean((y - A @ first) ** 2))), rel=1e-6)
    P = A.T @ A + noise**2 * prior
    np.testing.assert_allclose(mean, np.linalg.solve(P, A.T @ y), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(factor @ factor.T, P, rtol=1e-9, atol=1e-12)


def test_mistakes():
    for degree in (0, 1.5):
        with pytest.raises(
            ValueError, match=f"degree must be an integer, at least 1, got {degree}"
        ):
            ChebCB(3, (0, 1), degree=degree)
    with pytest.raises(ValueError, match="n_arms must be at least 2 for a surface, got 1"):
        SurfaceThompson(1, (0, 1))
    for make in (ChebCB, SurfaceThompson):
        with pytest.raises(ValueError, match="context must be given: this policy chooses by it"):
            make(3, (0, 1)).ask()
        with pytest.warns(AccuracyWarning, match=r"context -1 is outside of context_range"):
            make(3, (0, 1)).ask(-1)


def test_costs_of_zero():
    for policy in (ChebCB(3, (0, 1), rng=1), SurfaceThompson(3, (0, 1), rng=1)):
        feed(policy, 30, lambda arm, c: 0.0)
        assert np.all(np.isfinite(policy.predict(0.5)))
