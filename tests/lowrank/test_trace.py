"""`trace` and `diagonal`: unbiased, exact where they should be, with error bars that hold."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from scipy.sparse.linalg import aslinearoperator

from lrla import ConvergenceWarning, Status
from lrla.lowrank import diagonal, trace
from tests.lowrank.reference import haar

N = 200
X_METHODS = ("xtrace", "xnystrace")
ESTIMATORS = (*X_METHODS, "hutchpp", "hutchinson")
SPECTRA = {
    "poly": np.arange(1, N + 1.0) ** -2,
    "exp": 0.7 ** np.arange(N),
    "flat": np.linspace(3, 1, N),
    "step": np.where(np.arange(N) < 20, 1.0, 1e-3),
}


def psd(s, seed=90210):
    Q = haar(np.random.default_rng(seed), len(s), len(s))
    return (Q * s) @ Q.T


def general(rank, dtype, seed=4711):
    rng = np.random.default_rng(seed)
    A, B = rng.standard_normal((2, N, rank))
    if dtype == "c16":
        A = A + 1j * rng.standard_normal((N, rank))
    return A @ B.T


def estimates(A, method, budget, count):
    op = aslinearoperator(A)
    results = [trace(op, budget, method=method, rng=seed) for seed in range(count)]
    return np.array([r.value for r in results]), np.array([r.standard_error for r in results])


# -------------------------------------------------------------------------------- exactness


@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_t1_xtrace_is_exact_for_low_rank(dtype):
    A = general(15, dtype)
    for budget in (36, 60):
        result = trace(aslinearoperator(A), budget, method="xtrace", rng=5)
        assert result.value == pytest.approx(np.trace(A), rel=1e-10)
        assert result.standard_error < 1e-8


def test_t1_xnystrace_is_exact_for_low_rank():
    A = psd(np.r_[np.linspace(2, 1, 15), np.zeros(N - 15)])
    result = trace(aslinearoperator(A), 18, method="xnystrace", rng=5)
    assert result.value == pytest.approx(np.trace(A), rel=1e-10)


def test_t1_diagonal_is_exact_for_low_rank():
    A = general(15, "c16")
    result = diagonal(aslinearoperator(A), 36, rng=5)
    assert np.allclose(result.value, np.diag(A), atol=1e-10)


@pytest.mark.parametrize("budget", [N, 2 * N, 5 * N])
def test_t4_a_large_budget_is_exact(budget):
    A = general(N, "f8")
    result = trace(aslinearoperator(A), budget)
    assert result.value == pytest.approx(np.trace(A), rel=1e-12)
    assert (result.info.method, result.info.products) == ("exact", N)
    assert np.allclose(diagonal(aslinearoperator(A), budget).value, np.diag(A))


def test_entries_that_can_be_read_are_read():
    A = sp.random_array((50, 50), density=0.3, rng=np.random.default_rng(5))
    for form in (A, A.tocsr(), A.toarray(), np.asfortranarray(A.toarray())):
        result = trace(form)
        assert result.value == pytest.approx(A.diagonal().sum())
        assert (result.standard_error, result.info.products) == (0, 0)
        assert np.allclose(diagonal(form).value, A.diagonal())


# --------------------------------------------------------------------------------- statistics


@pytest.mark.statistical
@pytest.mark.parametrize("method", ESTIMATORS)
@pytest.mark.parametrize("name", ["poly", "step"])
def test_t2_estimates_are_unbiased(method, name):
    """Mean over 400 seeds within 4.9 standard errors: false alarms below 1e-6 each."""
    s = SPECTRA[name]
    value, _ = estimates(psd(s), method, 30, 400)
    error = value.std() / 20
    assert abs(value.mean() - s.sum()) < 4.9 * error
    assert abs(value.mean() + 10 * error - s.sum()) > 4.9 * error


@pytest.mark.parametrize("n", [1, 2, 8, 50])
@pytest.mark.parametrize("budget", [6, 20, 100])
@pytest.mark.parametrize("method", ["xtrace", "xnystrace"])
def test_multiples_of_the_identity_are_exact(n, budget, method):
    # replicates without two vectors divide by zero where these are the same: warnings are errors
    A = 2 * np.eye(n) + 1e-15 * psd(np.ones(n))
    value, error = estimates(A, method, budget, 5)
    np.testing.assert_allclose(value, 2 * n, rtol=1e-10)
    assert np.all(error <= 1e-6 * n)


@pytest.mark.statistical
@pytest.mark.parametrize("method", ["xtrace", "xnystrace"])
def test_t2_every_dimension_counts(method):
    """Of ten: a scale of n - m instead of n - m + 1 would show. False alarms below 1e-6 each."""
    A = np.diag(np.arange(1.0, 11.0))
    budget = 6 if method == "xtrace" else 3
    value, _ = estimates(A, method, budget, 1500)
    error = value.std() / math.sqrt(1500)
    assert abs(value.mean() - 55) < 4.9 * error
    assert error < 0.3  # an eighth of the remainder, which is most of the trace, is 4 or more


@pytest.mark.statistical
def test_t2_nonsymmetric_complex_is_unbiased():
    A = general(30, "c16") + 0.1 * general(N, "f8")
    value, _ = estimates(A, "xtrace", 40, 400)
    assert abs(value.mean() - np.trace(A)) < 4.9 * value.std() / 20


@pytest.mark.statistical
@pytest.mark.parametrize("method", ESTIMATORS)
@pytest.mark.parametrize("name", ["poly", "flat"])
def test_t3_standard_errors_tell_the_spread(method, name):
    value, error = estimates(psd(SPECTRA[name]), method, 60, 200)
    ratio = math.sqrt(np.mean(error**2)) / value.std()
    assert 1 / 3 < ratio < 3


@pytest.mark.statistical
def test_t5_the_order_of_the_methods():
    for name, slack in (("poly", 1.5), ("exp", 0.1)):
        s = SPECTRA[name]
        plain, nystrom, hutchpp, hutchinson = (
            float(np.median(np.abs(estimates(psd(s), method, 60, 60)[0] - s.sum())))
            for method in ESTIMATORS
        )
        assert nystrom < slack * plain  # close on slow decay, where few directions stand out
        assert plain < hutchpp < 0.1 * hutchinson


@pytest.mark.statistical
def test_diagonals_are_unbiased_and_their_errors_are_told():
    A = general(40, "f8") + 0.3 * general(N, "f8")
    results = [diagonal(aslinearoperator(A), 60, rng=seed) for seed in range(200)]
    values = np.array([r.value for r in results])
    wrong = (values.mean(axis=0) - np.diag(A)) / (values.std(axis=0) / math.sqrt(200))
    assert np.max(np.abs(wrong)) < 6.1  # Bonferroni over 200 entries: 1e-6 in all
    told = np.sqrt(np.mean([r.standard_error**2 for r in results], axis=0))
    assert np.median(told / values.std(axis=0)) == pytest.approx(1, abs=0.3)


@pytest.mark.statistical
def test_confidence_intervals_cover():
    """95 % intervals over 150 seeds cover at least 80 % (leave-one-out errors fall short)."""
    A = psd(SPECTRA["flat"])
    op = aslinearoperator(A)
    for method, least in (("hutchinson", 0.9), ("xtrace", 0.8), ("xnystrace", 0.75)):
        hits = 0
        for seed in range(150):
            low, high = trace(op, 60, method=method, rng=seed).confidence_interval(0.95)
            hits += low <= np.trace(A) <= high
        assert least < hits / 150 < 0.995


# ------------------------------------------------------------------------------- a tolerance


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("positive", [False, True])
def test_tolerances_are_met(name, positive):
    s = SPECTRA[name]
    for tol in (0.1, 1e-3):
        result = trace(aslinearoperator(psd(s)), tol=tol, psd=positive, rng=41)
        assert result.status is Status.CONVERGED
        assert abs(result.value - s.sum()) < 3 * tol * s.sum()
    if name == "exp":
        assert result.info.products < N / 2


def test_rounds_reuse_products():
    s, seen = SPECTRA["poly"], []
    A = psd(s)

    class Counted:
        shape, dtype = A.shape, A.dtype

        def matmat(self, X):
            seen.append(X.shape[1])
            return A @ X

        def rmatmat(self, Y):
            raise AssertionError("the trace needs no adjoint")

    result = trace(Counted(), tol=1e-3, rng=5)
    assert len(seen) > 4
    assert sum(seen) == result.info.products
    direct = trace(aslinearoperator(A), result.info.products, method="xtrace", rng=5)
    assert direct.value == pytest.approx(result.value, rel=1e-10)


def test_a_spent_budget_is_reported():
    with pytest.warns(ConvergenceWarning, match=r"after 40 products, above tol=1\.0e-06"):
        result = trace(aslinearoperator(psd(SPECTRA["flat"])), 40, tol=1e-6, rng=5)
    assert result.status is Status.MAX_ITER


# ------------------------------------------------------------------------------------ inputs


@given(
    n=st.integers(1, 40),
    budget=st.integers(6, 60),
    dtype=st.sampled_from(["f4", "f8", "c8", "c16"]),
    power=st.sampled_from([-100, 0, 100]),
    method=st.sampled_from(ESTIMATORS),
    rank=st.integers(0, 40),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_size_rank_and_scale(n, budget, dtype, power, method, rank, seed):
    rng = np.random.default_rng(seed)
    scale = 10.0 ** (power if dtype in ("f8", "c16") else power / 10)
    B = rng.standard_normal((n, min(rank, n)))
    if np.dtype(dtype).kind == "c":
        B = B + 1j * rng.standard_normal(B.shape)
    A = (B @ B.conj().T).astype(dtype)
    result = trace(aslinearoperator((A * scale).astype(dtype)), budget, method=method, rng=seed)
    value, truth = result.value / scale, np.trace(A)
    assert np.isfinite(value)
    if method in X_METHODS and rank < budget // 2 - 2 and rank < n:
        assert abs(value - truth) <= 1e3 * np.finfo(dtype).eps * max(truth.real, 1)
    else:
        assert abs(value - truth) <= 3 * max(truth.real, 1)


def test_every_library_and_device(backend):
    A = psd(SPECTRA["exp"])
    for method in ESTIMATORS:
        result = trace(backend.asarray(A), 60, method=method, rng=5)
        assert isinstance(result.value, float)
        same = trace(A, 60, method=method, rng=5)
        assert result.value == pytest.approx(same.value, rel=1e-6)
    assert np.allclose(backend.to_numpy(diagonal(backend.asarray(A)).value), np.diag(A))


def test_dask_arrays():
    da = pytest.importorskip("dask.array")
    A = psd(SPECTRA["exp"])
    chunked = da.from_array(A, chunks=(70, 200))
    assert trace(chunked, 60, rng=5).value == pytest.approx(
        trace(A, 60, method="xtrace", rng=5).value
    )
    assert np.allclose(diagonal(chunked, 400).value, np.diag(A))


def test_seeds_repeat():
    op = aslinearoperator(psd(SPECTRA["poly"]))
    result = trace(op, 40)
    assert trace(op, 40, rng=result.info.seed).value == result.value
    assert trace(op, 40, rng=1).value != result.value


@pytest.mark.parametrize("method", ESTIMATORS)
@pytest.mark.parametrize("dtype", ["f4", "c16"])
def test_the_zero_matrix(method, dtype):
    op = aslinearoperator(np.zeros((70, 70), dtype))
    result = trace(op, 20, method=method, rng=5)
    assert (result.value, result.standard_error) == (0, 0)
    if method != "hutchpp":
        assert trace(op, tol=1e-3, method=method, rng=5).status is Status.CONVERGED
    found = diagonal(op, 20, rng=5)
    assert not np.any(found.value)
    assert not np.any(found.standard_error)


# ---------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give budget, the number of products, or tol, or both"),
        ({"budget": 0}, "budget must be an integer, at least 1, got 0"),
        ({"budget": 2.5}, "budget must be an integer, at least 1, got 2.5"),
        ({"budget": 3, "method": "xtrace"}, "budget must be at least 4 for 'xtrace', got 3"),
        ({"tol": 1.5}, "tol must be between 0 and 1, got 1.5"),
        ({"tol": 0.1, "method": "hutchpp"}, "method 'hutchpp' takes budget, not tol"),
        ({"budget": 9, "method": "xdiag"}, "method must be one of auto, xtrace, .* got 'xdiag'"),
    ],
)
def test_mistakes_are_explained(arguments, message):
    with pytest.raises(ValueError, match=message):
        trace(aslinearoperator(np.eye(50)), **arguments)


def test_matrices_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"A must be square, got shape \(3, 4\)"):
        trace(np.ones((3, 4)))
    indefinite = aslinearoperator(np.diag(np.linspace(-1, 1, 50)))
    with pytest.raises(ValueError, match="A must be positive semidefinite, got a compression"):
        trace(indefinite, 20, psd=True, rng=5)
    bad = np.eye(50)
    bad[3, 3] = np.nan
    with pytest.raises(ValueError, match="A must be finite, got NaN or infinity on its diagonal"):
        trace(bad)
    with pytest.raises(ValueError, match="products with A must be finite"):
        trace(aslinearoperator(bad), 20)
    with pytest.raises(ValueError, match="give budget"):
        diagonal(aslinearoperator(np.eye(50)))
    with pytest.raises(ValueError, match="budget must be an integer, at least 4, got 2"):
        diagonal(aslinearoperator(np.eye(50)), 2)
    with pytest.raises(ValueError, match="level must be between 0 and 1, got 2"):
        trace(np.eye(3)).confidence_interval(2)
