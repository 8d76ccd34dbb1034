"""Certificates: what they say of errors holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrla.approximation import (
    WeightedLeastSquares,
    basis,
    christoffel_sample,
    greedy_subsample,
    stable_design,
    total_degree,
    volume_rescaled_sample,
)
from lrla.approximation._certificate import certify
from lrla.approximation._solve import Rows
from lrla.approximation._stable import sampler

M = 6
LINE = basis("legendre", total_degree(1, M - 1))
NODES, SHARES = np.polynomial.legendre.leggauss(200)
NODES, SHARES = NODES[:, None], SHARES / 2  # of the probability measure


def u(X):
    return 1 / (1 + 5 * X[:, 0] ** 2)


VALUES = LINE(NODES)
BEST = VALUES.T @ (SHARES * u(NODES))
LEFT = float(np.sqrt(SHARES @ (u(NODES) - VALUES @ BEST) ** 2))  # norm of e


def error(coefficients):
    return float(np.sqrt(SHARES @ (u(NODES) - VALUES @ coefficients) ** 2))


def rows_of(design):
    return Rows(LINE(design.points), design.weights)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["christoffel", "repeated_dpp", "volume"]))
def test_the_sup_constant_is_certain(seed, kind):
    """For any design and any perturbation of a function of the space, also the worst one."""
    design = sampler(LINE, kind, None, None, seed, conditioned=False)(0)
    model = WeightedLeastSquares(LINE, design=design, condition=False)
    rng = np.random.default_rng(seed)
    inside = rng.standard_normal(M)
    A = rows_of(design).scaled
    # signs that a fit amplifies most, as far as one sweep of the power method finds them
    signs = np.sign(A @ np.linalg.svd(A)[2][-1])
    for noise in (signs, rng.choice([-1.0, 1.0], len(design)), rng.uniform(-1, 1, len(design))):
        model.fit(design, LINE(design.points) @ inside + noise)
        # the function is inside + s with sup|s| = 1, s one of these values at the points, else zero
        assert np.linalg.norm(model.coef_ - inside) <= model.certificate.sup_constant - 1 + 1e-10


def test_the_sup_constant_is_sharp_for_constants():
    space = basis("legendre", total_degree(1, 0))
    model = WeightedLeastSquares(space, rng=3).fit(lambda X: np.ones(len(X)))
    assert model.certificate.sup_constant == pytest.approx(2)


def squares_of_projected_errors(kind, draws, **sizes):
    """Return norm(g)**2 for many designs: g is the mean of weight * phi * e."""
    size, repeats = sizes.get("size"), sizes.get("n_repeats")
    draw = sampler(LINE, kind, size, repeats, 90210, conditioned=False)
    found = []
    for i in range(draws):
        design = draw(i)
        V = LINE(design.points)
        e = u(design.points) - V @ BEST
        found.append(np.sum((V.T @ (design.weights * e) / len(design)) ** 2))
    return np.array(found) / (M / len(design) * LEFT**2)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        ("christoffel", {"size": 12}),
        ("volume", {"size": 12}),
        ("volume", {"size": 6}),
        ("repeated_dpp", {"n_repeats": 2}),
    ],
)
def test_the_variance_that_the_expected_constant_rests_on(kind, sizes):
    """E[norm(g)**2] <= m / n * norm(e)**2, with equality for independent points.

    False alarm below 1e-6 each: five standard errors.
    """
    found = squares_of_projected_errors(kind, 800, **sizes)
    mean, error = found.mean(), found.std() / np.sqrt(len(found))
    assert mean <= 1 + 5 * error
    if kind == "christoffel":
        assert mean >= 1 - 5 * error
    if kind == "repeated_dpp":  # points repel: the bound is far from sharp, and the test can fail
        assert mean <= 0.9


@pytest.mark.statistical
@pytest.mark.parametrize("subsample", [None, "greedy"])
@pytest.mark.parametrize("kind", ["christoffel", "volume", "repeated_dpp"])
def test_expected_errors_are_below_their_constants(kind, subsample):
    """On stable designs norm(G^-1) <= 1 / (1 - delta), so that squares of errors have variances.

    False alarm below 1e-6: six standard errors, and the bound is far from sharp.
    """
    squares, constants = [], []
    for seed in range(60):
        model = WeightedLeastSquares(LINE, design=kind, subsample=subsample, rng=seed).fit(u)
        squares.append(error(model.coef_) ** 2)
        constants.append(model.certificate.expected_constant)
    mean, spread = np.mean(squares), np.std(squares) / np.sqrt(60)
    assert mean + 6 * spread <= np.median(constants) * LEFT**2
    assert mean >= LEFT**2


def test_the_constants_are_the_formulas():
    design = stable_design(LINE, "christoffel", size=120, n_candidates=3, delta=0.8, rng=4)
    info = design.info
    P = info.acceptance_bound
    assert 0.5 < P < 1
    found = certify(rows_of(design), design.kind, info, 0.8)
    assert found.expected_constant == pytest.approx(1 + 3 * M / (120 * 0.2**2 * P))
    assert "Chernoff" in found.premises[1]
    small = greedy_subsample(LINE, design, 10, delta=0.8)
    found = certify(rows_of(small), small.kind, small.info, 0.8)
    assert found.expected_constant == pytest.approx(1 + 12 * 3 / (0.2 * P))
    design = stable_design(LINE, "christoffel", size=7, delta=0.95, rng=16)
    assert design.info.n_tries > 1
    found = certify(rows_of(design), design.kind, design.info, 0.95)
    wanted = 1 + M / (7 * 0.05**2) * design.info.n_tries
    assert found.expected_constant == pytest.approx(wanted)
    assert f"1 of {design.info.n_tries} tries was" in found.premises[1]


def test_expected_errors_are_claimed_only_where_something_is_known():
    design = stable_design(LINE, rng=5)

    def claims(kind=design.kind, **info):
        return certify(rows_of(design), kind, {**design.info, **info}, 0.9)

    assert claims().expected_constant > 1
    # the event that was conditioned on counts, not what is asked afterwards
    asked = certify(rows_of(design), design.kind, design.info, 0.95)
    assert asked.expected_constant == claims().expected_constant
    for found, reason in (
        (claims(kind="given"), "nothing is known of how points of kind 'given'"),
        (claims(omitted=1), "left out where the function is not finite"),
        (claims(conditioned=False), "not drawn until it was stable"),
        (claims(delta=0.01), "not stable"),
        (claims(subsample="bss"), "not bounded beforehand"),
    ):
        assert found.expected_constant is None
        assert reason in found.premises[0]


def test_what_is_unbiased_says_so():
    design = sampler(LINE, "volume", 9, None, 6, conditioned=False)(0)
    rows = rows_of(design)
    assert certify(rows, "volume", {}, 0.9).unbiased
    assert certify(rows, "dpp", {}, 0.9).unbiased
    assert certify(rows, "repeated_dpp", {"n_repeats": 1}, 0.9).unbiased
    assert not certify(rows, "repeated_dpp", {"n_repeats": 2}, 0.9).unbiased
    assert not certify(rows, "christoffel", {}, 0.9).unbiased
    for done in ("conditioned", "subsample", "omitted"):
        info = {done: True, "n_candidates": 1, "acceptance": 1, "acceptance_bound": None,
                "n_tries": 1, "ratio": 1, "delta": 0.9}  # fmt: skip
        assert not certify(rows, "volume", info, 0.9).unbiased


def test_the_noise_factor_is_the_trace_of_the_covariance():
    design = christoffel_sample(LINE, 40, rng=7)
    root = np.sqrt(design.weights)[:, None]
    inverse = np.linalg.pinv(root * LINE(design.points)) * root.T  # values to coefficients
    found = certify(rows_of(design), "christoffel", {}, 0.9)
    assert found.noise_factor == pytest.approx(np.sum(inverse**2), rel=1e-12)


def test_a_singular_design_has_no_bounds():
    design = christoffel_sample(LINE, 3, rng=8)
    found = certify(rows_of(design), "christoffel", {}, 0.9)
    assert not found
    assert found.lambda_min < 1e-12
    assert found.condition > 1e12
    assert found.sup_constant > 1e6


def test_truth_and_words():
    design = stable_design(LINE, rng=9)
    found = certify(rows_of(design), design.kind, design.info, 0.9)
    assert found
    assert found.condition == found.lambda_max / found.lambda_min
    assert "lambda_min=0." in repr(found)
    assert not certify(rows_of(design), design.kind, design.info, 1e-9)


@pytest.mark.parametrize("kind", ["christoffel", "volume", "repeated_dpp"])
def test_nothing_is_said_of_points_that_were_drawn_for_another_space(kind):
    other = basis("legendre", range(len(LINE) - 2))
    drawn = stable_design(LINE, kind, rng=7)
    right = WeightedLeastSquares(LINE, condition=False).fit(drawn, u(drawn.points)).certificate
    wrong = WeightedLeastSquares(other, condition=False).fit(drawn, u(drawn.points)).certificate
    assert right.expected_constant > 1
    assert wrong.expected_constant is None
    assert wrong.premises == (
        f"nothing is known of how points of kind '{kind} for another space' were drawn",
    )
    drawn = volume_rescaled_sample(LINE, 20, rng=7)
    for space, unbiased in ((LINE, True), (other, False)):
        model = WeightedLeastSquares(space, condition=False).fit(drawn, u(drawn.points))
        assert model.certificate.unbiased is unbiased
