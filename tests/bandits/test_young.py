"""`YoungHistory`, `SurrogateThompson` and `suggest_grid`: what the theory of SOR knows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrla.bandits import (
    Grid,
    Interval,
    ParameterTuner,
    Product,
    SurrogateThompson,
    YoungHistory,
    suggest_grid,
)


def best(beta):
    return 1 + (beta / (1 + math.sqrt(1 - beta**2))) ** 2


def radius(omega, beta):
    """Compute the spectral radius of SOR by Young's theory."""
    square = (omega * beta) ** 2 - 4 * (omega - 1)
    return omega - 1 if square < 0 else (omega * beta + math.sqrt(square)) ** 2 / 4


def solve(omega, beta, tol=1e-8, tau=0.2):
    """Return the iterations and the last rate of a solve as the theory has them."""
    r = radius(omega, beta)
    return 1 + math.log(tol) / math.log(r + tau * (1 - r)), r


@given(beta=st.floats(0.3, 0.9999), shift=st.floats(0, 3))
def test_one_rate_tells_the_best_omega(beta, shift):
    policy = YoungHistory(diagonal=2.0)
    there = beta * 2.0 / (2.0 + shift)
    trial = policy.ask(shift)
    assert trial.params == {"omega": 1.0}
    cost, rate = solve(1.0, there)
    policy.tell(trial, cost, rate=rate)
    if rate > 1e-3:
        assert policy.beta == pytest.approx(beta, rel=1e-9)
        reached = min(beta, 1 - 0.03 * (1 - there))  # radii are not extrapolated to 1
        assert policy.ask(0.0).params["omega"] == pytest.approx(best(reached), rel=1e-7)
        assert policy.ask(1.0).params["omega"] == pytest.approx(best(beta * 2 / 3), rel=1e-7)


def drive(policy, betas, tau=0.2):
    """Solve systems of diagonal 4 without shift; return the iterations of policy and optimum."""
    spent = ideal = 0.0
    for beta in betas:
        trial = policy.ask(0.0)
        cost, rate = solve(trial.params["omega"], beta, tau=tau)
        policy.tell(trial, cost, rate=rate)
        spent, ideal = spent + cost, ideal + solve(best(beta), beta, tau=tau)[0]
    return spent, ideal


def test_it_stays_close_to_the_best():
    spent, ideal = drive(YoungHistory(diagonal=4.0), [0.99] * 400)
    assert spent < 1.08 * ideal  # of which 3 % is the first solve, 3 % are measurements


def test_it_follows_a_matrix_that_changes():
    rising = drive(YoungHistory(diagonal=4.0), [0.95] * 100 + [0.995] * 400)
    falling = drive(YoungHistory(diagonal=4.0), [0.995] * 100 + [0.95] * 400)
    assert rising[0] < 1.25 * rising[1]
    assert falling[0] < 1.25 * falling[1]  # up to 50 solves until it is noticed


def test_transients_near_the_optimum_do_not_raise_omega():
    """There eigenvalues meet, and residuals fall like k rho**k: the last ratio is above rho."""
    policy = YoungHistory(diagonal=4.0)
    policy.tell(policy.ask(0.0), 460, rate=0.96)
    for k in range(300):
        trial = policy.ask(0.0)
        omega = trial.params["omega"]
        cost, rate = solve(omega, math.sqrt(0.96))
        transient = 1 + 1 / cost if rate == omega - 1 else 1
        policy.tell(trial, cost, rate=min(rate * transient, 0.999))
        assert policy.beta == pytest.approx(math.sqrt(0.96)), k


def test_radii_are_not_extrapolated_to_one():
    policy = YoungHistory(diagonal=4.0)
    policy.tell(policy.ask(1.0), 100, rate=0.7)  # at c = -0.7 the radius would be above 1
    omega = policy.ask(-0.7).params["omega"]
    assert omega == pytest.approx(best(1 - 0.03 * (1 - math.sqrt(0.7))))


def test_rates_that_say_nothing_are_not_learned_from():
    policy = YoungHistory(diagonal=4.0)
    policy.tell(policy.ask(), 100, rate=0.96)
    beta = policy.beta
    for rate in (policy.ask().params["omega"] - 1, 0.0, 1.0, 1.7):
        policy.tell(policy.ask(), 40, rate=rate)
    policy.tell(policy.ask(), status="failed")
    assert policy.beta == beta
    with pytest.raises(ValueError, match="rate must be given: this policy learns from it"):
        policy.tell(policy.ask(), 40)


@pytest.mark.parametrize("tau", [0.1, 0.4])
def test_counts_alone_do_almost_as_well(tau):
    policy = SurrogateThompson(tol=1e-8, diagonal=4.0, rng=90210)
    drive(policy, [0.99] * 20, tau)
    spent, ideal = drive(policy, [0.99] * 100, tau)
    assert spent < 1.1 * ideal


def test_capped_counts_are_lower_bounds():
    capped, done = (SurrogateThompson(tol=1e-8, rng=5) for _ in range(2))
    capped.tell(capped.ask(), 100, status="capped")
    done.tell(done.ask(), 100)

    def mean(policy):
        p = np.exp(policy._log_posterior)
        return float((p * policy._BETA).sum() / p.sum())

    assert mean(capped) > mean(done)
    bounds = 1 + math.log(1e-8) / np.log(capped._BETA**2 + capped._TAU * (1 - capped._BETA**2))
    assert np.all(capped._log_posterior[bounds > 100] == 0)
    assert np.all(capped._log_posterior[bounds < 50] < -10)
    before = capped._log_posterior.copy()
    capped.tell(capped.ask(), 100, status="failed")
    assert np.array_equal(capped._log_posterior, before)


def test_the_posterior_is_that_of_bayes():
    policy = SurrogateThompson(tol=1e-8, diagonal=4.0, rng=5)
    policy.tell(policy.ask(1.0), 60)
    i, j = 40, 17
    beta, tau = float(policy._BETA[i, 0]) * 4 / 5, float(policy._TAU[0, j])
    want = -((math.log(60) - math.log(solve(1.0, beta, tau=tau)[0])) ** 2) / (2 * 0.12**2)
    peak = -policy._log_posterior[i, j] + want
    i2 = 70
    beta2 = float(policy._BETA[i2, 0]) * 4 / 5
    want2 = -((math.log(60) - math.log(solve(1.0, beta2, tau=tau)[0])) ** 2) / (2 * 0.12**2)
    assert policy._log_posterior[i2, j] == pytest.approx(want2 - peak, rel=1e-9)


def test_tuners_take_them():
    t = ParameterTuner(Interval("w", 1.1, 1.5), policy=YoungHistory(diagonal=4.0))
    trial = t.ask(0.0)
    assert trial.params == {"w": 1.1}  # 1 is not in the interval
    cost, rate = solve(1.1, 0.9)
    t.tell(trial, cost, rate=rate)
    assert t.policy.beta == pytest.approx(0.9)  # measured at what was used
    assert t.ask(0.0).params["w"] == pytest.approx(best(0.9))
    assert "chosen freely" in t.report()
    again = ParameterTuner.from_json(t.to_json())
    assert again.ask(0.5).params == t.ask(0.5).params

    grid = ParameterTuner(Grid("omega", [1.0, 1.4, 1.9]), policy=YoungHistory(diagonal=4.0))
    grid.tell(grid.ask(), 50, rate=0.81)
    assert grid.ask().params == {"omega": 1.4}
    with pytest.raises(ValueError, match="needs the probabilities of the arms"):
        grid.regret()
    with pytest.raises(ValueError, match="YoungHistory chooses one number: space must be a Grid"):
        ParameterTuner(Product([Grid("a", [1, 2])]), policy=YoungHistory())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: YoungHistory(diagonal=0), "diagonal must be positive and finite, got 0"),
        (lambda: YoungHistory().ask(0.5), "context needs diagonal="),
        (lambda: YoungHistory(diagonal=2).ask(-2), "context must be finite and above -2.0, got -2"),
        (lambda: YoungHistory(diagonal=2).ask(math.nan), "context must be finite and above"),
        (lambda: SurrogateThompson(tol=1), "tol must be between 0 and 1, got 1"),
        (lambda: suggest_grid(0, tol=0.1, beta=0.9), "horizon must be an integer, at least 1"),
        (lambda: suggest_grid(9, tol=0.1, beta=1.0), "beta must be between 0 and 1, got 1.0"),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_suggested_grid_is_that_of_the_theorem():
    """The paper's remark: for beta = 0.9, tau = 0.2 the bound pays from T of about 73000."""
    tol = 1e-8
    assert suggest_grid(73_000, tol=tol, beta=0.9).excess > 73_000 * math.log(1 / tol)
    out = suggest_grid(73_200, tol=tol, beta=0.9)
    assert out.excess < 73_200 * math.log(1 / tol)
    assert out.info.alpha == pytest.approx(0.2 + 0.8 * 0.81)
    assert out.values[-1] == pytest.approx(best(0.9))
    np.testing.assert_allclose(np.diff(out.values), out.values[0] - 1)
