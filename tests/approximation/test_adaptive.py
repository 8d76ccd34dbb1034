"""Spaces that grow, and keep every evaluation."""

import numpy as np
import pytest

from lrla._core.errors import ConvergenceWarning
from lrla._core.results import Status
from lrla.approximation import AdaptiveLeastSquares, StabilityError, basis, total_degree
from lrla.approximation._adaptive import _Mixture
from lrla.approximation._neighbours import candidates, decay, enveloped, neighbours

LINE = basis("legendre", total_degree(1, 1))
PLANE = basis("legendre", total_degree(2, 1))
SETS = [total_degree(1, k) for k in (3, 7, 15)]


def runge(X):
    return 1 / (1 + 5 * X[:, 0] ** 2)


def rms(model, f, dim):
    X = np.random.default_rng(5).uniform(-1, 1, (3000, dim))
    return np.sqrt(np.mean((model.predict(X) - f(X)) ** 2) / np.mean(f(X) ** 2))


def test_a_tolerance_is_met():
    model = AdaptiveLeastSquares(LINE, tol=1e-6, rng=7).fit(runge)
    assert model.result_.status is Status.CONVERGED
    assert rms(model, runge, 1) < 1e-6
    last = model.history_[-1]
    assert (last.m, last.n_points) == (len(model.coef_), len(model.design_))
    assert last.loo_error == model.loo_error_
    assert [step.m for step in model.history_] == [2 * 2**k for k in range(len(model.history_))]
    assert model.result_.info.history[-1] <= 1e-6 < model.result_.info.history[-2]


def test_every_evaluation_is_kept_and_none_is_repeated():
    asked = []

    def f(X):
        asked.append(X)
        return runge(X)

    model = AdaptiveLeastSquares(LINE, tol=1e-3, rng=7).fit(f)
    np.testing.assert_array_equal(np.concatenate(asked), model.design_.points)
    assert len(np.unique(model.design_.points, axis=0)) == len(model.design_)
    assert [len(X) for X in asked] == np.diff([0, *(s.n_points for s in model.history_)]).tolist()
    assert model.result_.info.n_evaluations == len(model.design_)


def test_every_step_is_stable():
    model = AdaptiveLeastSquares(PLANE, tol=1e-4, rng=3).fit(lambda X: np.exp(X[:, 0] * X[:, 1]))
    assert all(step.lambda_min >= 0.1 for step in model.history_)
    assert model.certificate
    assert model.certificate.expected_constant is None
    assert "until the design was stable" in model.certificate.premises[0]


def test_spaces_follow_the_function():
    """A coordinate that matters little gets low degrees."""

    def f(X):
        return np.exp(X[:, 0] + 0.01 * X[:, 1])

    for seed in range(4):
        model = AdaptiveLeastSquares(PLANE, tol=1e-5, rng=seed).fit(f)
        assert len(model.coef_) <= 24  # total degrees, without looking, need 28
        high = model.basis_.indices.max(axis=0)
        assert high[0] >= 2 * high[1]
        assert rms(model, f, 2) < 1e-5


def test_index_sets_that_are_given():
    model = AdaptiveLeastSquares(LINE, index_sets=SETS, rng=7).fit(runge)
    assert [step.m for step in model.history_] == [2, 4, 8, 16]
    assert model.result_.status is Status.CONVERGED
    np.testing.assert_array_equal(np.sort(model.basis_.indices[:, 0]), np.arange(16))
    assert rms(model, runge, 1) < 2e-3
    early = AdaptiveLeastSquares(LINE, index_sets=SETS, tol=0.1, rng=7).fit(runge)
    assert len(early.history_) < 4
    with pytest.warns(ConvergenceWarning, match="the relative error is .*: the iteration limit"):
        late = AdaptiveLeastSquares(LINE, index_sets=SETS, tol=1e-9, rng=7).fit(runge)
    assert late.result_.status is Status.MAX_ITER


def test_the_order_of_given_indices_does_not_matter():
    shuffled = [SETS[0], SETS[1][[7, 3, 5, 0, 1, 2, 6, 4]]]
    one = AdaptiveLeastSquares(LINE, index_sets=SETS[:2], rng=7).fit(runge)
    two = AdaptiveLeastSquares(LINE, index_sets=shuffled, rng=7).fit(runge)
    assert set(two.basis_.indices[:, 0].tolist()) == set(range(8))
    np.testing.assert_array_equal(one.basis_.indices[:4], two.basis_.indices[:4])


@pytest.mark.statistical
def test_the_gram_matrix_of_nested_samples_is_the_identity_in_expectation():
    """False alarm below 1e-5: 5.5 standard errors for 36 entries. Weights of each alone fail."""
    sets = [np.arange(2), np.arange(2, 3), np.arange(3, 8)]
    spaces = [LINE.restricted(s) for s in sets]
    whole = LINE.restricted(np.arange(8))
    grams, wrong = [], []
    for seed in range(400):
        mixture = _Mixture(1, seed)
        for space in spaces:
            mixture.add(space, 2)
        mixture.add(spaces[0], 5)
        design = mixture.design()
        V = whole(design.points)
        grams.append(V.T @ (design.weights[:, None] * V) / len(design))
        alone = 8 / whole.christoffel(design.points)
        wrong.append(V.T @ (alone[:, None] * V) / len(design))

    def distance(found):
        found = np.array(found) - np.eye(8)
        return np.max(np.abs(found.mean(axis=0)) / found.std(axis=0) * len(found) ** 0.5)

    assert distance(grams) < 5.5
    assert distance(wrong) > 5.5


def test_without_further_samples_weights_are_those_of_the_whole_space():
    mixture = _Mixture(1, 4)
    for s in (np.arange(2), np.arange(2, 6)):
        mixture.add(LINE.restricted(s), 3)
    design = mixture.design()
    whole = LINE.restricted(np.arange(6))
    np.testing.assert_allclose(design.weights, 6 / whole.christoffel(design.points), rtol=1e-12)
    assert len(design) == 18


def test_several_functions_share_a_space():
    def f(X):
        return np.stack((runge(X), np.sin(X[:, 0])), axis=1)

    model = AdaptiveLeastSquares(LINE, tol=1e-4, rng=7).fit(f)
    assert model.coef_.shape[1] == 2
    assert model.predict([[0.1], [0.2]]).shape == (2, 2)
    relative = model.loo_error_ / np.sqrt(np.mean(model.design_.weights[:, None] * f(model.design_.points) ** 2, axis=0))  # fmt: skip
    assert relative.max() == pytest.approx(model.result_.info.history[-1])


def test_a_function_that_is_zero_is_done_at_once():
    model = AdaptiveLeastSquares(PLANE, tol=1e-8, rng=7).fit(lambda X: 0 * X[:, 0])
    assert len(model.history_) == 1
    assert np.all(model.coef_ == 0)


def test_the_budget_holds():
    with pytest.warns(ConvergenceWarning, match="the budget was used up"):
        model = AdaptiveLeastSquares(LINE, tol=1e-12, budget=50, rng=7).fit(runge)
    assert model.result_.status is Status.BUDGET
    assert len(model.design_) <= 50
    assert not model.result_


def test_a_callback_sees_every_step_and_may_stop():
    seen = []

    def callback(state):
        seen.append((state.iteration, state.error, len(state.x)))
        return len(seen) == 3

    model = AdaptiveLeastSquares(LINE, tol=1e-9, callback=callback, rng=7).fit(runge)
    assert model.result_.status is Status.STOPPED
    assert [s[0] for s in seen] == [1, 2, 3]
    assert [s[2] for s in seen] == [step.m for step in model.history_]
    assert tuple(s[1] for s in seen) == model.result_.info.history


def test_seeds_repeat():
    one, two = (AdaptiveLeastSquares(PLANE, tol=1e-3, rng=11).fit(runge) for _ in range(2))
    np.testing.assert_array_equal(one.coef_, two.coef_)
    np.testing.assert_array_equal(one.basis_.indices, two.basis_.indices)


def test_neighbours_go_away_from_zero():
    found = neighbours(np.array([[0, 0], [1, 0]]), np.array([False, False]))
    assert sorted(map(tuple, found.tolist())) == [(0, 1), (1, 1), (2, 0)]
    found = neighbours(np.array([[0], [1], [-1]]), np.array([True]))
    assert sorted(found[:, 0].tolist()) == [-2, 2]
    wide = candidates(np.array([[0, 0, 0]]), np.zeros(3, bool), 7)
    assert len(wide) >= 7
    assert len(np.unique(wide, axis=0)) == len(wide)
    assert np.abs(wide).sum(axis=1).tolist() == sorted(np.abs(wide).sum(axis=1).tolist())


def test_sizes_reach_what_is_nearer_to_zero():
    rows = np.array([[1, 0], [0, 1], [1, 1], [2, 1], [-1, 0], [-1, 1]])
    found = enveloped(rows, np.array([1.0, 2, 3, 4, 5, 1]))
    assert found.tolist() == [4, 4, 4, 4, 5, 1]


def test_decay_is_found_and_continued():
    indices = total_degree(2, 4)
    sizes = 3 * np.exp(-0.5 * indices[:, 0] - 2.0 * indices[:, 1])
    sizes[indices[:, 0] == 3] = 0  # a gap, as of even functions, does not count
    rows = np.array([[5, 0], [0, 5], [6, 1]])
    wanted = 3 * np.exp(-0.5 * rows[:, 0] - 2.0 * rows[:, 1])
    np.testing.assert_allclose(decay(indices, sizes, 1e-9, rows), wanted, rtol=1e-10)
    noisy = decay(indices, sizes, 0.5, rows)  # of the second coordinate nothing stands out
    assert noisy[1] < 1e-2 * noisy[0]
    assert np.all(decay(indices, np.zeros(15), 0.1, rows) < 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "tol must be given without index_sets"),
        ({"tol": 0}, "tol must be positive, got 0"),
        ({"tol": 1e-3, "growth": 1}, "growth must be finite and more than 1, got 1"),
        ({"tol": 1e-3, "budget": 3}, "budget must allow the 4 evaluations for the first 2 functions, got 3"),
        ({"tol": 1e-3, "budget": 0}, "budget must be an integer, at least 1, got 0"),
        ({"tol": 1e-3, "n_repeats": 0}, "n_repeats must be an integer, at least 1, got 0"),
        ({"tol": 1e-3, "delta": 1}, "delta must be between 0 and 1, got 1"),
        ({"index_sets": [[[0], [2]]]}, "index_sets must be nested"),
        ({"index_sets": [[[0], [1]]]}, "index_sets must grow"),
    ],
)  # fmt: skip
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        AdaptiveLeastSquares(LINE, rng=7, **arguments).fit(runge)


def test_errors_of_functions():
    with pytest.raises(ValueError, match="NaN or infinity at"):
        AdaptiveLeastSquares(LINE, tol=1e-3, rng=7).fit(lambda X: X[:, 0] + np.nan)
    widths = iter([1, 2, 3])
    with pytest.raises(ValueError, match=r"must keep their shape, got \(4, 2\) after \(4, 1\)"):
        AdaptiveLeastSquares(LINE, tol=1e-9, rng=7).fit(
            lambda X: np.tile(runge(X)[:, None], (1, next(widths)))
        )
    with pytest.raises(TypeError, match="X must be a function of points, got ndarray"):
        AdaptiveLeastSquares(LINE, tol=1e-3).fit(np.ones((3, 1)))
    with pytest.raises(TypeError, match="basis must be a Basis of products, got str"):
        AdaptiveLeastSquares("legendre", tol=1e-3).fit(runge)


def test_a_design_that_does_not_become_stable_raises(monkeypatch):
    from lrla.approximation import _adaptive

    monkeypatch.setattr(_adaptive, "_MORE", 1)
    with pytest.raises(StabilityError, match="1 further samples of 2 points do not make") as caught:
        AdaptiveLeastSquares(LINE, tol=1e-3, delta=0.01, n_repeats=1, rng=7).fit(runge)
    assert len(caught.value.design) == 2


def test_repr_shows_what_differs_from_the_defaults():
    model = AdaptiveLeastSquares(LINE, tol=1e-3, growth=2)
    assert repr(model) == f"AdaptiveLeastSquares({LINE!r}, tol=0.001)"
    sets = [np.arange(4)[:, None], np.arange(8)[:, None]]
    assert "index_sets=<2 values>" in repr(AdaptiveLeastSquares(LINE, index_sets=sets))


def test_functions_may_change_the_array_that_they_get():
    def halved(X):
        X *= 0.5
        return np.exp(X[:, 0])

    found = AdaptiveLeastSquares(LINE, tol=1e-6, rng=7).fit(halved)
    wanted = AdaptiveLeastSquares(LINE, tol=1e-6, rng=7).fit(lambda X: np.exp(0.5 * X[:, 0]))
    np.testing.assert_array_equal(found.coef_, wanted.coef_)


def test_nothing_is_predicted_before_a_fit():
    with pytest.raises(AttributeError, match="fit must be called first"):
        AdaptiveLeastSquares(LINE, tol=1e-3).predict([[0.0]])


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-500, 2.0**500, 2.0**1000])
def test_choices_do_not_depend_on_the_unit_of_the_function(scale):
    def f(X):
        return 1 / (1.5 + X[:, 0] + 0.2 * X[:, 1])

    plain = AdaptiveLeastSquares(PLANE, tol=1e-4, rng=7).fit(f)
    found = AdaptiveLeastSquares(PLANE, tol=1e-4, rng=7).fit(lambda X: scale * f(X))
    assert len(plain.history_) > 2
    np.testing.assert_array_equal(found.basis_.indices, plain.basis_.indices)
    np.testing.assert_allclose(found.coef_ / scale, plain.coef_, rtol=1e-12)
