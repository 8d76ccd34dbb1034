"""Many rows: pilots change nothing, and samples say what they cost."""

import numpy as np
import pytest
import scipy.sparse as sp

import lrla
from lrla.regression import lp_regression, quantile_regression

SEED = 90210


def gaussian(m=6000, n=5):
    rng = np.random.default_rng([SEED, m, n])
    A = rng.standard_normal((m, n))
    return A, A @ np.ones(n) + rng.standard_t(2, m)


def dummies(m=6000, n=12):
    """Whole numbers, sorted, and levels that few rows have: a uniform sample would miss some."""
    rng = np.random.default_rng([SEED, m])
    level = np.sort(np.minimum(rng.geometric(0.4, m), n - 1))
    level[-3:] = np.arange(n - 3, n)
    A = np.zeros((m, n))
    A[:, 0] = 1
    A[np.arange(m), level] = 1
    return A[:, : n - 1], np.round(3 * level + 4 * rng.standard_t(1.5, m))


def heavy(m=6000, n=5):
    """A few rows hold nearly all of the leverage."""
    A, b = gaussian(m, n)
    A[:20] *= 1e4
    return A, b + A @ np.arange(n)


DATA = {"gaussian": gaussian, "dummies": dummies, "heavy": heavy}


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("tau", [0.02, 0.5, 0.9])
@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_a_pilot_changes_nothing(name, tau, form):
    A, b = DATA[name]()
    data = A if form == "dense" else sp.csr_array(A)
    for seed in (1, 2):
        got = quantile_regression(data, b, tau, method="pilot", rng=seed)
        want = quantile_regression(A, b, tau, method="interior", rng=seed)
        assert got.objective == pytest.approx(want.objective, rel=1e-10)
        assert got.gap < 1e-8
        assert np.linalg.norm(A.T @ got.dual) <= 1e-9 * np.linalg.norm(A)
        assert np.all(got.dual >= tau - 1 - 1e-9)
        assert np.all(got.dual <= tau + 1e-9)
        if name == "gaussian":
            np.testing.assert_allclose(got.x, want.x, rtol=1e-9)


@pytest.mark.parametrize("name", DATA)
def test_a_pilot_with_weights_and_a_ridge(name):
    A, b = DATA[name]()
    options = {"weights": np.random.default_rng(SEED).uniform(0.1, 9, b.shape[0]), "ridge": 3.0}
    options["weights"][::7] = 0
    got = lp_regression(A, b, 1, method="pilot", rng=SEED, **options)
    want = lp_regression(A, b, 1, method="interior", rng=SEED, **options)
    assert got.objective == pytest.approx(want.objective, rel=1e-10)
    assert got.info.method == "pilot"


@pytest.mark.parametrize("m", [6, 40, 300])
def test_a_pilot_of_few_rows(m):
    A, b = gaussian(m, 3)
    got, want = lp_regression(A, b, 1, method="pilot", rng=SEED), lp_regression(A, b, 1, rng=SEED)
    assert got.objective == pytest.approx(want.objective, rel=1e-9)


@pytest.mark.parametrize("fit", [lp_regression, quantile_regression])
@pytest.mark.parametrize(("m", "repeated", "rank"), [(3, 1, 3), (3, 2, 3), (1, 1, 1), (8, 2, 4)])
def test_a_pilot_tells_the_rank_as_all_rows_do(fit, m, repeated, rank):
    """Fewer rows than columns are too few, and that is all there is to be told."""
    A, b = gaussian(m, 7 if repeated == 1 else 4)
    A = np.concatenate([A] * repeated, axis=1)
    level = 1 if fit is lp_regression else 0.4
    told = f"^A has rank {rank}, less than its {A.shape[1]} columns$"
    with pytest.warns(lrla.RankDeficientWarning, match=told) as caught:
        got = fit(A, b, level, method="pilot", rng=SEED)
    assert len(caught) == 1
    with pytest.warns(lrla.RankDeficientWarning, match=told):
        want = fit(A, b, level, method="interior", rng=SEED)
    assert got.rank == want.rank == rank
    np.testing.assert_allclose(got.objective, want.objective, rtol=1e-8, atol=1e-12)


def test_a_pilot_of_an_exact_fit():
    A, _ = gaussian()
    result = lp_regression(A, A @ np.ones(5), 1, method="pilot", rng=SEED)
    np.testing.assert_allclose(result.x, 1, rtol=1e-12)
    assert result.gap == 0


def test_most_rows_fit_exactly():
    """Exact recovery under gross errors: nine of ten residuals are zero."""
    A, _ = gaussian()
    b = A @ np.ones(5)
    b[::10] += 100 * np.cos(np.arange(600))
    for method in ("pilot", "interior"):
        result = lp_regression(A, b, 1, method=method, rng=SEED)
        np.testing.assert_allclose(result.x, 1, rtol=1e-9)
        assert result.gap <= 1e-8


def test_rank_deficient_data():
    A, b = gaussian()
    A = np.hstack([A, A[:, :1] - A[:, 1:2]])
    with pytest.warns(lrla.RankDeficientWarning, match="rank 5"):
        got = lp_regression(A, b, 1, method="pilot", rng=SEED)
    assert got.rank == 5
    assert got.objective == pytest.approx(
        lp_regression(A[:, :5], b, 1, rng=SEED).objective, rel=1e-10
    )
    with pytest.warns(lrla.RankDeficientWarning, match="rank 5"):
        got = lp_regression(A, b, 1, method="sample", rng=SEED)
    assert got.rank == 5


def test_auto_takes_a_pilot_for_many_rows():
    A, b = gaussian(60_000, 3)
    assert lp_regression(A, b, 1, rng=SEED).info.method == "pilot"
    assert quantile_regression(A, b, 0.3, rng=SEED).info.method == "pilot"
    assert lp_regression(A[:49_000], b[:49_000], 1, rng=SEED).info.method == "interior"
    assert lp_regression(A, b, 1.5, rng=SEED).info.method == "newton"


def test_the_seed_repeats_the_call():
    A, b = gaussian()
    for method in ("pilot", "sample"):
        one = lp_regression(A, b, 1, method=method)
        two = lp_regression(A, b, 1, method=method, rng=one.info.seed)
        np.testing.assert_array_equal(one.x, two.x)


# -- samples -------------------------------------------------------------------------------------


@pytest.mark.statistical
@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("p", [1, 1.5, 3])
def test_a_sample_is_nearly_as_good_and_its_bound_holds(name, p):
    """Failing at 5 % of excess would take an error some ten times the usual one."""
    A, b = DATA[name](20_000)
    best = lp_regression(A, b, p, rng=SEED).objective
    for seed in range(3):
        got = lp_regression(A, b, p, method="sample", rng=seed)
        assert best * (1 - 1e-7) <= got.objective <= 1.05 * best
        assert got.objective * (1 - got.gap) <= best * (1 + 1e-7)
        assert got.gap < 0.5
        assert np.linalg.norm(A.T @ got.dual) <= 1e-8 * np.linalg.norm(A) * max(
            1, np.linalg.norm(got.dual)
        )
        r = b - A @ got.x
        assert got.objective == pytest.approx(np.sum(abs(r) ** p) ** (1 / p))


def test_more_rows_are_better():
    A, b = gaussian(20_000)
    best = lp_regression(A, b, 1, rng=SEED).objective

    def excess(size):
        found = [lp_regression(A, b, 1, method="sample", size=size, rng=seed) for seed in range(5)]
        return np.mean([r.objective / best - 1 for r in found])

    assert excess(4000) < 0.3 * excess(250)  # sixteen times the rows: a sixteenth on average


@pytest.mark.parametrize("p", [1, 1.5, 3])
def test_all_rows_in_the_sample(p):
    A, b = gaussian(300)
    got = lp_regression(A, b, p, method="sample", size=300, rng=SEED)
    want = lp_regression(A, b, p, rng=SEED)
    assert got.objective == pytest.approx(want.objective, rel=1e-7)


def test_a_sample_with_weights_sparse_and_complex():
    A, b = gaussian()
    weights = np.random.default_rng(SEED).uniform(0.5, 2, 6000)
    for data, side, p in ((sp.csr_array(A), b, 1), (sp.csr_array(A), b, 3), (A * 1j, b, 1.5)):
        got = lp_regression(data, side, p, weights=weights, method="sample", rng=SEED)
        best = lp_regression(data, side, p, weights=weights, rng=SEED).objective
        assert best * (1 - 1e-7) <= got.objective <= 1.1 * best
        assert got.objective * (1 - got.gap) <= best * (1 + 1e-7)


def test_a_sample_of_an_exact_fit():
    A, _ = gaussian()
    result = lp_regression(A, A @ np.ones(5), 1.5, method="sample", rng=SEED)
    np.testing.assert_allclose(result.x, 1, rtol=1e-10)
    assert result.gap == 0


@pytest.mark.parametrize("p", [1, 1.5, 3])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_a_sample_that_does_not_span_is_refused(p, form):
    A, b = gaussian(300)
    message = "the 2 rows drawn span 2 of 5 dimensions; raise size, or give a ridge"
    with pytest.raises(ValueError, match=message):
        lp_regression(form(A), b, p, method="sample", size=2, rng=SEED)
    A[:, 4] = A[:, 3]
    with pytest.warns(lrla.RankDeficientWarning, match="rank 4"):
        result = lp_regression(form(A), b, p, method="sample", size=50, rng=SEED)
    assert result.rank == 4


def test_equal_rows_do_not_span():
    """There are enough of them, but they are one and the same."""
    A, b = np.ones((400, 2)), np.random.default_rng(SEED).standard_normal(400)
    A[:5, 1] = 0
    with pytest.raises(ValueError, match="the 3 rows drawn span 1 of 2 dimensions; raise size"):
        lp_regression(A, b, 1, method="sample", size=3, rng=1)
    assert lp_regression(A, b, 1, method="sample", size=3, rng=5).rank == 2


@pytest.mark.parametrize("p", [1, 1.5, 3])
def test_a_ridge_holds_what_a_small_sample_does_not(p):
    """Its rows are kept, all of them and as they are."""
    A, b = gaussian(300)
    weights = np.ones(300)
    weights[:50] = 0
    options = {"ridge": 3.0, "weights": weights, "method": "sample", "rng": SEED}
    result = lp_regression(A, b, p, size=2, **options)
    assert np.all(np.isfinite(result.x))
    best = lp_regression(A, b, p, ridge=3.0, weights=weights, rng=SEED)
    assert result.objective >= best.objective * (1 - 1e-7)
    assert result.objective * (1 - result.gap) <= best.objective * (1 + 1e-7)
    whole = lp_regression(A, b, p, size=250, **options)
    assert whole.objective == pytest.approx(best.objective, rel=1e-6)


@pytest.mark.parametrize("method", ["pilot", "sample"])
def test_array_libraries(backend, method):
    A, b = gaussian(1500, 3)
    want = lp_regression(A, b, 1, method=method, rng=SEED)
    got = lp_regression(backend.asarray(A), backend.asarray(b), 1, method=method, rng=SEED)
    assert type(got.x) is type(backend.asarray(b))
    np.testing.assert_allclose(backend.to_numpy(got.x), want.x, rtol=1e-7)
    assert got.gap == pytest.approx(want.gap, abs=1e-8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "sample", "size": 0}, "size must be at least 1, got 0"),
        ({"size": 10}, "size must be None for method 'auto'; it is for method 'sample'"),
        ({"method": "sample", "p": np.inf}, "method 'sample' needs a finite p, got inf"),
        (
            {"method": "pilot", "p": 2},
            "method must be one of auto, newton, sample for p = 2, got 'pilot'",
        ),
    ],
)
def test_mistakes(options, message):
    A, b = gaussian(60, 3)
    with pytest.raises(ValueError, match=message):
        lp_regression(A, b, **{"p": 1, **options})
    with pytest.raises(ValueError, match="method must be 'auto', 'interior' or 'pilot', got 'sim'"):
        quantile_regression(A, b, method="sim")
