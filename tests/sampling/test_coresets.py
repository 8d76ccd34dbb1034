"""Coresets of classification and robust losses, and the complexity that says how small."""

import re

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linprog, minimize
from sklearn.datasets import load_breast_cancer

import lrla
from lrla.sampling import (
    leverage_scores,
    lewis_weights,
    logistic_coreset,
    mu_complexity,
    robust_coreset,
)

SCHEMES = ("leverage", "mixed", "lewis", "root_leverage", "uniform")


def data(m=3000, n=5, seed=90210):
    """Features of which the last is an indicator that few rows carry, and labels -1 and 1."""
    rng = np.random.default_rng(seed)
    A = np.concatenate([np.ones((m, 1)), rng.standard_normal((m, n - 2)), np.zeros((m, 1))], axis=1)
    A[rng.permutation(m)[:12], -1] = 1.0
    y = np.where(rng.uniform(size=m) < 1 / (1 + np.exp(-A @ np.arange(n) / 2)), 1, -1)
    return A, y


def loss(Z, x, weights=None):
    values = np.logaddexp(0, -Z @ x)
    return values.sum() if weights is None else weights @ values


def fitted(Z, weights):
    """Minimise the weighted loss, with a touch of ridge for separable samples."""

    def objective(x):
        margin = Z @ x
        slope = -weights / (1 + np.exp(np.clip(margin, -500, 500)))
        return weights @ np.logaddexp(0, -margin) + 1e-3 * x @ x, Z.T @ slope + 2e-3 * x

    return minimize(objective, np.zeros(Z.shape[1]), jac=True, method="L-BFGS-B").x


@pytest.mark.statistical
@pytest.mark.parametrize("scheme", SCHEMES)
def test_losses_have_no_bias(scheme):
    """False alarm 1e-6."""
    A, y = data(600)
    Z, x = A * y[:, None], np.array([0.5, -1.0, 1.0, 2.0, 1.0])
    values = []
    for seed in range(200):
        core = logistic_coreset(A, 60, scheme=scheme, rng=seed)
        values.append(loss(Z[core.indices], x, core.weights))
    limit = stats.norm.isf(5e-7) * np.std(values) / np.sqrt(200)
    assert abs(np.mean(values) - loss(Z, x)) < limit


def test_scores_are_the_mixtures_that_are_named():
    A, _ = data()
    tau = leverage_scores(A, rng=1).scores / 5
    lewis = lewis_weights(A, 1, tol=1e-8).weights / 5
    root = np.sqrt(tau) / np.sqrt(tau).sum()
    wanted = {
        "leverage": tau + 1 / 3000,
        "mixed": tau + lewis + 1 / 3000,
        "lewis": lewis,
        "root_leverage": root + 1 / 3000,
        "uniform": np.ones(3000),
    }
    for scheme, scores in wanted.items():
        core = logistic_coreset(A, 30, scheme=scheme, design="poisson", rng=1)
        open_ = core.probs < 1
        ratio = (core.probs / scores[core.indices])[open_]
        spread = 1.7 if scheme in ("mixed", "lewis") else 1 + 1e-8  # rough weights are enough
        assert ratio.max() <= spread * ratio.min()
    rough = lewis_weights(A, 1, tol=0.5, rng=1).weights / 5  # those of the same seed
    core = logistic_coreset(A, 30, scheme="mixed", design="poisson", rng=1)
    ratio = (core.probs / (tau + rough + 1 / 3000)[core.indices])[core.probs < 1]
    assert ratio.max() <= (1 + 1e-8) * ratio.min()
    core = robust_coreset(A, 30, design="poisson", rng=1)
    scores = np.maximum(tau, lewis) + 1 / 3000
    ratio = (core.probs / scores[core.indices])[core.probs < 1]
    assert ratio.max() <= 1.7 * ratio.min()


def test_labels_change_nothing():
    A, y = data()
    for scheme in ("leverage", "mixed"):
        one = logistic_coreset(A, 100, scheme=scheme, rng=3)
        two = logistic_coreset(A * y[:, None], 100, scheme=scheme, rng=3)
        np.testing.assert_array_equal(one.indices, two.indices)
        np.testing.assert_allclose(one.weights, two.weights, rtol=1e-6)


@pytest.mark.statistical
def test_more_rows_are_better_and_the_worst_draw_is_safe():
    A, y = data()
    Z = A * y[:, None]
    least = loss(Z, fitted(Z, np.ones(len(Z))))

    def excess(scheme, size, count=25):
        cores = [logistic_coreset(A, size, scheme=scheme, rng=seed) for seed in range(count)]
        fits = [fitted(Z[c.indices], c.weights) for c in cores]
        return np.array([loss(Z, x) / least - 1 for x in fits])

    few, many = excess("leverage", 100), excess("leverage", 1600)
    assert np.median(many) < 0.25 * np.median(few)
    uniform = excess("uniform", 100)
    assert np.max(few) < np.max(uniform)


def test_kinds_of_data(backend):
    import dask.array as da
    import scipy.sparse as sp

    A, _ = data(400)
    want = logistic_coreset(A, 40, scheme="mixed", rng=3)
    for other in (sp.csr_array(A), da.from_array(A, chunks=(90, 5)), backend.asarray(A)):
        got = logistic_coreset(other, 40, scheme="mixed", rng=3)
        np.testing.assert_array_equal(backend.to_numpy(got.indices), want.indices)
        robust = robust_coreset(other, 40, rng=3)
        np.testing.assert_array_equal(
            backend.to_numpy(robust.indices), robust_coreset(A, 40, rng=3).indices
        )


def test_mistakes():
    A, _ = data(100)
    with pytest.raises(ValueError, match=r"scheme must be one of leverage, mixed, .*, got 'norm'"):
        logistic_coreset(A, 10, scheme="norm")
    with pytest.raises(ValueError, match="design must be one of pivotal"):
        logistic_coreset(A, 10, design="best")
    with pytest.raises(ValueError, match="size must be an integer, at least 1, got 0"):
        robust_coreset(A, 0)


@pytest.mark.parametrize("coreset", [logistic_coreset, robust_coreset])
def test_fewer_rows_than_the_rank(coreset):
    A, _ = data(100)
    with pytest.warns(lrla.AccuracyWarning, match="2 rows cannot span a space of dimension 5"):
        core = coreset(A, 2, rng=90210)
    assert (len(core), core.info.rank) == (2, 5)
    assert "fewer rows than the rank, 5" in core.explain()


@pytest.mark.parametrize(("scheme", "power"), [("mixed", "mu"), ("lewis", "mu**2")])
def test_coresets_say_what_theory_promises(scheme, power):
    A, _ = data(100)
    core = logistic_coreset(A, 40, scheme=scheme, design="replacement", rng=90210)
    text, eps = core.explain(), (5 / len(core)) ** 0.5
    assert f"loss 'logistic', scheme '{scheme}': rank * {power} rows per 1 / eps**2 suffice" in text
    assert f"eps = {eps:.2g} * sqrt({power}) with {len(core)} rows" in text
    assert "assumption" not in text
    assert "independent draws" in logistic_coreset(A, 40, scheme=scheme, rng=90210).explain()


def test_coresets_say_what_is_not_known():
    A, _ = data(100)
    for scheme in ("leverage", "root_leverage", "uniform"):
        text = logistic_coreset(A, 40, scheme=scheme, rng=90210).explain()
        assert f"theory promises nothing for loss 'logistic' and scheme '{scheme}'" in text
    assert "a rule of thumb" in robust_coreset(A, 40, rng=90210).explain()
    assert "no error" in robust_coreset(A, 100, rng=90210).explain()


# ---------------------------------------------------------------------------------- mu complexity


def by_one_program(Z):
    """The definition as one linear program: 1 + max 1'Zx over sum(t) <= 1, t >= -Zx, t >= 0."""
    m, n = Z.shape
    cost = np.concatenate([-Z.sum(axis=0), np.zeros(m)])
    above = np.block([[-Z, -np.eye(m)], [np.zeros((1, n)), np.ones((1, m))]])
    limits = np.append(np.zeros(m), 1.0)
    bounds = [(None, None)] * n + [(0, None)] * m
    return 1 - linprog(cost, A_ub=above, b_ub=limits, bounds=bounds).fun


@pytest.mark.parametrize("seed", range(8))
def test_mu_is_the_optimum_of_its_definition(seed):
    rng = np.random.default_rng([seed, 90210])
    m, n = 40 + 10 * seed, 1 + seed % 4
    A = rng.standard_normal((m, n)) * rng.lognormal(0, 1, (m, 1))
    y = np.where(rng.uniform(size=m) < 1 / (1 + np.exp(-A[:, 0])), 1.0, -1.0)
    Z = A * y[:, None]
    result = mu_complexity(A, y)
    assert result.mu == pytest.approx(by_one_program(Z), rel=1e-7)
    assert mu_complexity(Z).mu == result.mu
    assert mu_complexity(-Z).mu == pytest.approx(result.mu)
    values = Z @ result.x
    assert result.mu == pytest.approx(values[values > 0].sum() / -values[values < 0].sum())
    assert result.info.violation < 1e-10
    scaled = mu_complexity(Z * 10.0 ** np.arange(-3, n - 3))
    assert scaled.mu == pytest.approx(result.mu, rel=1e-7)


def test_mu_of_real_data():
    """Five features of the breast cancer data and an intercept: an independent solver's value."""
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    A = np.concatenate([np.ones((len(X), 1)), X[:, :5]], axis=1)
    assert mu_complexity(A, 2 * y - 1).mu == pytest.approx(87.284, abs=5e-4)


def test_separable_classes():
    rng = np.random.default_rng(4)
    A = rng.standard_normal((200, 3))
    y = np.sign(A @ [1.0, -2.0, 0.5])
    with pytest.warns(lrla.AccuracyWarning, match="the classes are separable: mu is infinite"):
        result = mu_complexity(A, y)
    assert result.mu == np.inf
    assert np.min(y * (A @ result.x)) > -1e-9
    assert np.max(y * (A @ result.x)) > 0
    partly = np.concatenate([[[1.0, 0.0, 0.0]] * 3 + [[-1.0, 0, 0]] * 3, np.eye(3)[1:] * 2])
    with pytest.warns(lrla.AccuracyWarning, match="separable"):
        assert mu_complexity(partly).mu == np.inf


def test_mu_of_sparse_and_of_balanced_data():
    import scipy.sparse as sp

    A, y = data(300)
    dense = mu_complexity(A[:, :4], y)
    for kind in (sp.csr_array, sp.csc_matrix):
        assert mu_complexity(kind(A[:, :4]), y).mu == pytest.approx(dense.mu)
    Z = np.random.default_rng(2).standard_normal((50, 3))
    assert mu_complexity(np.concatenate([Z, -Z])).mu == pytest.approx(1.0)
    assert mu_complexity(np.zeros((5, 2))).mu == 1.0
    assert mu_complexity([[3], [-1], [-1]]).mu == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((np.ones((3, 1)), [0, 1, 1]), ValueError, "labels must be 3 numbers -1 or 1, got shape"),
        ((np.ones((3, 1)), [1, -1]), ValueError, "labels must be 3 numbers -1 or 1, got shape (2,"),
        ((np.full((3, 1), np.nan),), ValueError, "A must be finite"),
        ((np.ones((0, 2)),), ValueError, "A must have at least one row and one column"),
        ((1j * np.ones((3, 1)),), TypeError, "A must be real, got dtype complex128"),
    ],
)
def test_mistakes_with_mu(args, error, message):
    with pytest.raises(error, match=re.escape(message)):
        mu_complexity(*args)


def test_mu_of_other_libraries_is_refused():
    strict = pytest.importorskip("array_api_strict")
    with pytest.raises(TypeError, match="A must be an array of NumPy or a sparse matrix of SciPy"):
        mu_complexity(strict.ones((3, 1)))
