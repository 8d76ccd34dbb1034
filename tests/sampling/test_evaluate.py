"""Losses of all rows beside their estimates from a few."""

import math
import re

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from scipy import stats
from scipy.sparse.linalg import aslinearoperator

from lrla.regression import huber_regression, tukey_regression
from lrla.sampling import (
    RowSample,
    evaluate_coreset,
    logistic_coreset,
    robust_coreset,
    sample_rows,
)
from lrla.sampling import _evaluate as module

NAMES = ("logistic", "hinge", "relu", "huber", "tukey")


def data(m=500, n=4, seed=90210):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, n)) * rng.lognormal(0, 1, (m, 1))
    return A, np.where(rng.uniform(size=m) < 0.5, 1.0, -1.0), rng.standard_normal((n, 3))


def one_loss(name, product, label, t):
    """The definitions of the docstring, a row at a time."""
    z, r = label * product, product - label
    if name == "logistic":
        return math.log(1 + math.exp(-z))
    if name == "hinge":
        return max(0.0, 1 - z)
    if name == "relu":
        return max(0.0, -z)
    if name == "huber":
        return r**2 / 2 if abs(r) <= t else t * abs(r) - t**2 / 2
    return t**2 / 6 * (1 - (1 - min(1.0, (r / t) ** 2)) ** 3)


def by_hand(name, A, y, X, t):
    rows = [
        [one_loss(name, float(a @ x), label, t) for x in X.T] for a, label in zip(A, y, strict=True)
    ]
    return np.array(rows)


@pytest.mark.parametrize("name", NAMES)
def test_every_loss_is_its_definition(name):
    A, y, X = data()
    robust = name in ("huber", "tukey")
    sample = (robust_coreset if robust else logistic_coreset)(A, 60, rng=90210)
    t = {"huber": 1.345, "tukey": 4.685}.get(name)
    values = by_hand(name, A, y, X, t)
    found = evaluate_coreset(name, A, sample, X, labels=y)
    np.testing.assert_allclose(found.objective, values.sum(axis=0), rtol=1e-13)
    few = values[sample.indices]
    np.testing.assert_allclose(found.estimate, sample.weights @ few, rtol=1e-13)
    np.testing.assert_allclose(
        found.standard_error, sample.estimate(few).standard_error, rtol=1e-12
    )
    error = (found.estimate - found.objective) / found.objective
    np.testing.assert_allclose(found.relative_error, error, rtol=1e-12)
    assert found.eps == np.max(abs(error))
    assert found.worst == np.argmax(abs(error))
    assert found.approximate
    assert found
    assert (found.info.loss, found.info.threshold, found.info.size) == (name, t, 60)
    # labels are 1 for classes and 0 for right-hand sides where there are none
    plain = evaluate_coreset(name, A, sample, X)
    want = by_hand(name, A, np.zeros(500) if robust else np.ones(500), X, t)
    np.testing.assert_allclose(plain.objective, want.sum(axis=0), rtol=1e-13)


@pytest.mark.parametrize("name", ["huber", "tukey"])
def test_a_threshold(name):
    A, y, X = data()
    sample = robust_coreset(A, 60, rng=90210)
    found = evaluate_coreset(name, A, sample, X, labels=y, threshold=0.3)
    want = by_hand(name, A, y, X, 0.3)
    np.testing.assert_allclose(found.objective, want.sum(axis=0), rtol=1e-13)
    assert found.info.threshold == 0.3


@pytest.mark.parametrize("name", ["huber", "tukey"])
@pytest.mark.parametrize("threshold", [1e8, 1e200])
def test_a_threshold_out_of_reach_leaves_half_of_the_squares(name, threshold):
    A, y, X = data()
    sample = robust_coreset(A, 60, rng=90210)
    found = evaluate_coreset(name, A, sample, X, labels=y, threshold=threshold)
    want = np.sum((A @ X - y[:, None]) ** 2, axis=0) / 2
    np.testing.assert_allclose(found.objective, want, rtol=1e-12)


@pytest.mark.parametrize("regression", [huber_regression, tukey_regression])
def test_the_objective_is_that_of_the_regression(regression):
    A, _, X = data()
    b = A @ X[:, 0] + np.random.default_rng(90210).standard_t(2, 500)
    fit = regression(A, b, threshold=2.0, scale=0.7, rng=90210)
    name = regression.__name__.partition("_")[0]
    sample = robust_coreset(np.column_stack([A, b]), 60, rng=90210)
    found = evaluate_coreset(name, A, sample, fit.x, labels=b, threshold=1.4)
    assert found.objective == pytest.approx(fit.objective, rel=1e-12)
    together = evaluate_coreset(
        name, np.column_stack([A, b]), sample, np.append(fit.x, -1.0), threshold=1.4
    )
    assert together.estimate == pytest.approx(found.estimate, rel=1e-12)


def test_one_vector_gives_numbers():
    A, y, X = data()
    sample = logistic_coreset(A, 60, rng=90210)
    many = evaluate_coreset("logistic", A, sample, X, labels=y)
    one = evaluate_coreset("logistic", A, sample, X[:, 1], labels=y)
    for name in ("objective", "estimate", "standard_error", "relative_error"):
        value = getattr(one, name)
        assert type(value) is float
        assert value == pytest.approx(getattr(many, name)[1], rel=1e-12)
    assert (one.worst, one.eps) == (0, abs(one.relative_error))


def test_a_function_of_products_and_labels():
    A, y, X = data()
    sample = logistic_coreset(A, 60, rng=90210)

    def poisson(Y, labels):
        return np.exp(Y / 100) - labels * Y

    found = evaluate_coreset(poisson, A, sample, X, labels=y)
    values = np.exp(A @ X / 100) - y[:, None] * (A @ X)
    np.testing.assert_allclose(found.objective, values.sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.estimate, sample.weights @ values[sample.indices], rtol=1e-12)
    assert found.info.loss == "poisson"
    squares = evaluate_coreset(np.square, A, sample, X)
    np.testing.assert_allclose(squares.objective, ((A @ X) ** 2).sum(axis=0), rtol=1e-12)
    count = evaluate_coreset(lambda Y: np.ones(Y.shape, dtype=int), A, sample, X)
    np.testing.assert_allclose(count.objective, 500)
    np.testing.assert_allclose(count.estimate, sample.weights.sum())


def test_every_kind_of_data(backend):
    A, y, X = data(120)
    A[A < 0.3] = 0.0
    sample = logistic_coreset(A, 30, rng=90210)
    want = evaluate_coreset("logistic", A, sample, X, labels=y)
    kinds = [
        sp.csr_array(A), sp.csc_matrix(A), sp.coo_array(A), np.asfortranarray(A), A[::-1][::-1],
        aslinearoperator(A), da.from_array(A, chunks=(37, 3)), da.from_array(A, chunks=(1, 4)),
    ]  # fmt: skip
    for other in kinds:
        found = evaluate_coreset("logistic", other, sample, X, labels=y)
        np.testing.assert_allclose(found.objective, want.objective, rtol=1e-12)
        np.testing.assert_allclose(found.estimate, want.estimate, rtol=1e-12)
        np.testing.assert_allclose(found.standard_error, want.standard_error, rtol=1e-10)
    scores = backend.asarray(np.ones(120))
    for name in NAMES:
        there = evaluate_coreset(
            name, backend.asarray(A), sample_rows(scores, 30, rng=7), backend.asarray(X),
            labels=backend.asarray(y),
        )  # fmt: skip
        here = evaluate_coreset(name, A, sample_rows(np.ones(120), 30, rng=7), X, labels=y)
        np.testing.assert_allclose(backend.to_numpy(there.objective), here.objective, rtol=1e-12)
        np.testing.assert_allclose(backend.to_numpy(there.estimate), here.estimate, rtol=1e-12)


def test_many_columns_of_an_operator():
    A, _, _ = data(50)
    X = np.random.default_rng(90210).standard_normal((4, 150))
    sample = sample_rows(np.ones(50), 20, rng=90210)
    found = evaluate_coreset("hinge", aslinearoperator(A), sample, X)
    want = evaluate_coreset("hinge", A, sample, X)
    np.testing.assert_allclose(found.objective, want.objective, rtol=1e-12)
    np.testing.assert_allclose(found.estimate, want.estimate, rtol=1e-12)


@pytest.mark.parametrize("block", [1, 7, 300, 10_000])
def test_blocks_change_nothing(block, monkeypatch):
    A, y, X = data()
    sample = sample_rows(np.ones(500), 60, design="replacement", rng=90210)
    want = evaluate_coreset("huber", A, sample, X, labels=y)
    monkeypatch.setattr(module, "_BLOCK", block)
    found = evaluate_coreset("huber", A, sample, X, labels=y)
    np.testing.assert_allclose(found.objective, want.objective, rtol=1e-13)
    np.testing.assert_allclose(found.estimate, want.estimate, rtol=1e-13)


def test_single_precision_is_added_up_in_double():
    A = np.full((200_000, 1), 0.1, dtype=np.float32)
    sample = sample_rows(np.ones(200_000, dtype=np.float32), 10, rng=90210)
    found = evaluate_coreset(lambda Y: Y, A, sample, [1.0])
    assert found.objective == pytest.approx(200_000 * float(np.float32(0.1)), rel=1e-12)


def test_all_rows_have_no_error():
    A, y, X = data(50)
    sample = sample_rows(np.ones(50), 50, rng=90210)
    found = evaluate_coreset("relu", A, sample, X, labels=y)
    assert found.eps < 1e-14
    np.testing.assert_array_equal(found.standard_error, 0)


def test_losses_of_zero():
    A = np.abs(data(50)[0])
    sample = sample_rows(np.ones(50), 10, rng=90210)
    found = evaluate_coreset("relu", A, sample, np.ones((4, 2)))
    np.testing.assert_array_equal(found.relative_error, 0)
    assert found.eps == 0

    def balanced(Y):  # adds up to zero, but not in the sample
        return np.where(np.arange(50) < 25, 1.0, -1.0)[:, None] + 0 * Y

    some = evaluate_coreset(balanced, A, sample_rows(np.ones(50), 9, rng=90210), np.ones(4))
    assert some.objective == 0
    assert abs(some.relative_error) == math.inf == some.eps


def test_a_sample_of_nothing():
    empty = next(
        s for seed in range(100)
        if not len(s := sample_rows(np.ones(50), 1, design="poisson", rng=seed))
    )  # fmt: skip
    found = evaluate_coreset("hinge", data(50)[0], empty, np.zeros(4))
    assert (found.objective, found.estimate, found.relative_error) == (50, 0, -1)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
@pytest.mark.parametrize("name", NAMES)
def test_data_of_any_size(name, scale):
    A, y, X = data()
    sample = logistic_coreset(A, 60, rng=90210)
    want = evaluate_coreset(name, A, sample, X, labels=y)
    found = evaluate_coreset(name, scale * A, sample, X / scale, labels=y)
    np.testing.assert_allclose(found.objective, want.objective, rtol=1e-12)
    far = evaluate_coreset(name, scale * A, sample, X, labels=y)
    assert np.all(np.isfinite(far.objective))


@pytest.mark.statistical
@pytest.mark.parametrize("design", ["replacement", "poisson", "bottom_k", "pivotal"])
def test_error_bars_hold(design):
    """Errors over their standard errors are standard normal, nearly. False alarm 1e-6."""
    A, y, X = data(2000)
    x = X[:, :1] / 3
    scores = np.abs(A).sum(axis=1) + 1
    z = []
    for seed in range(300):
        sample = sample_rows(scores, 200, design=design, rng=seed)
        found = evaluate_coreset("logistic", A, sample, x, labels=y)
        z.append(float((found.estimate - found.objective)[0] / found.standard_error[0]))
    assert abs(np.mean(z)) < stats.norm.isf(2.5e-7) * 1.3 / math.sqrt(300)
    spread = np.sum(np.square(z))
    assert stats.chi2(300).ppf(2.5e-7) < spread < 1.25 * stats.chi2(300).isf(2.5e-7)
    assert np.sum(np.square(z) * 4) > 1.25 * stats.chi2(300).isf(2.5e-7)  # bars of half the length


def test_the_fit_to_a_sample_is_nearly_best():
    """Its excess is at most (1 + eps) / (1 - eps) - 1, eps of both fits: as the docstring says."""
    A, _, X = data(3000)
    b = A @ X[:, 0] + np.random.default_rng(90210).standard_normal(3000)
    sample = robust_coreset(np.column_stack([A, b]), 300, rng=90210)
    rows = sample.indices
    few = huber_regression(A[rows], b[rows], weights=sample.weights, scale=1.0, rng=90210)
    best = huber_regression(A, b, scale=1.0, rng=90210)
    found = evaluate_coreset("huber", A, sample, np.stack([few.x, best.x], axis=1), labels=b)
    assert found.objective[1] == pytest.approx(best.objective)
    assert found.estimate[0] == pytest.approx(few.objective)
    excess = found.objective[0] / found.objective[1] - 1
    assert 0 < excess < (1 + found.eps) / (1 - found.eps) - 1


SAMPLE = sample_rows(np.ones(20), 5, rng=90210)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"loss": "log"},
            ValueError,
            "loss must be a function or one of logistic, hinge, relu, hu",
        ),
        ({"loss": None}, ValueError, "loss must be a function or one of logistic, .*, got None"),
        (
            {"A": np.ones((19, 2))},
            ValueError,
            "A must have 20 rows, as the sample is one of so many",
        ),
        ({"A": np.ones((0, 2))}, ValueError, "A must have at least one row and one column"),
        ({"A": np.ones((20, 2)) + 0j}, TypeError, "A must be real, got dtype complex128"),
        ({"sample": [1, 2]}, TypeError, "sample must be a RowSample, .*, got list"),
        (
            {"sample": sample_rows(np.ones(8), 5, design="bottom_k", row_offset=12, rng=5)},
            ValueError,
            "sample must be one of all rows of A, got one of rows 12:20 of 20; merge those",
        ),
        ({"X": np.ones(3)}, ValueError, r"X must have 2 rows, one for each column .* shape \(3,\)"),
        ({"X": np.ones((2, 0))}, ValueError, r"at least one column, got shape \(2, 0\)"),
        ({"X": np.ones(2) + 0j}, TypeError, "X must be real, got dtype complex128"),
        (
            {"X": [1.0, np.nan]},
            ValueError,
            r"X must be finite, got NaN or infinity at index \(1,\)",
        ),
        (
            {"labels": np.ones(19)},
            ValueError,
            "labels must have one entry for each row of A, got 19",
        ),
        ({"labels": np.zeros(20)}, ValueError, "labels must be -1 or 1 for loss='logistic', got 0"),
        ({"labels": [math.inf] * 20}, ValueError, "labels must be finite"),
        ({"labels": [1j] * 20}, TypeError, "labels must be real, got dtype complex128"),
        (
            {"threshold": 1.0},
            ValueError,
            "threshold must be None for a loss that is none of huber, t",
        ),
        (
            {"loss": "huber", "threshold": 0},
            ValueError,
            "threshold must be positive and finite, got",
        ),
        ({"loss": len}, TypeError, r"loss must return an array of shape \(20, 1\).* got int"),
        ({"loss": np.ravel}, TypeError, r"loss must return an array of shape \(20, 1\).*\(20,\)"),
        (
            {"loss": lambda Y: Y + 1j},
            TypeError,
            "loss must return real numbers, got dtype complex128",
        ),
        ({"loss": lambda Y: Y / 0.0}, ValueError, "losses must be finite, got NaN or infinity at"),
    ],
)
def test_mistakes(change, error, message):
    given = {"loss": "logistic", "A": np.ones((20, 2)), "sample": SAMPLE, "X": np.ones(2), **change}
    data = [given.pop(name) for name in ("loss", "A", "sample", "X")]
    with pytest.raises(error, match=message), np.errstate(divide="ignore"):
        evaluate_coreset(*data, **given)


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, lambda A: da.from_array(A, (6, 2))])
def test_what_is_not_finite_is_found_where_it_is(kind, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 10)
    A = np.ones((20, 2))
    A[13, 1] = np.nan
    message = re.escape("A @ X must be finite, got NaN or infinity at index (13, 0)")
    with pytest.raises(ValueError, match=message):
        evaluate_coreset("relu", kind(A), SAMPLE, np.ones((2, 3)))


def test_libraries_are_not_mixed():
    strict = pytest.importorskip("array_api_strict")
    with pytest.raises(TypeError, match="cannot compute with arrays of"):
        evaluate_coreset("relu", np.ones((20, 2)), SAMPLE, strict.ones(2))


def test_nothing_is_changed():
    A, y, X = data(50)
    before = [x.copy() for x in (A, y, X)]
    sample = sample_rows(np.ones(50), 10, rng=90210)
    assert isinstance(sample, RowSample)
    for name in NAMES:
        evaluate_coreset(name, A, sample, X, labels=y)
    for x, old in zip((A, y, X), before, strict=True):
        np.testing.assert_array_equal(x, old)
