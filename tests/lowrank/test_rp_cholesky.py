"""Partial Cholesky factors: laws of the pivots, what the factor reproduces, and what is refused."""

import collections
import itertools
import math

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse
import scipy.stats
from spectra import low_rank

from lrla._core.results import Status
from lrla.lowrank import KernelMatrix, rp_cholesky
from lrla.lowrank._growth import CANDIDATES

METHODS = ("accelerated", "simple", "nuclear", "block", "greedy", "uniform")
methods = pytest.mark.parametrize("method", METHODS)


def psd(n, seed, dtype="float64", decay=0.7):
    """Make a positive definite matrix whose eigenvalues fall geometrically."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, n))
    if dtype.startswith("complex"):
        X = X + 1j * rng.standard_normal((n, n))
    Q = np.linalg.qr(X)[0]
    K = (Q * decay ** np.arange(n)) @ Q.conj().T
    return ((K + K.conj().T) / 2).astype(dtype)


@methods
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_factor_reproduces_the_rows_of_pivots(backend, method, dtype):
    K = psd(30, 90210, dtype)
    result = rp_cholesky(backend.asarray(K), 12, method=method, rng=5)
    F, T = backend.to_numpy(result.factor), backend.to_numpy(result.pivots)
    d = backend.to_numpy(result.residual)
    assert F.shape == (12, 30)
    assert F.dtype == K.dtype
    assert len(set(T.tolist())) == 12 == result.rank
    unit = 200 * float(np.finfo(dtype).eps)
    E = K - F.conj().T @ F
    np.testing.assert_allclose(E[T], 0, atol=unit)
    np.testing.assert_allclose(np.diag(E), d, atol=unit)
    assert np.linalg.eigvalsh(E)[0] > -unit
    np.testing.assert_array_equal(d[T], 0)
    assert result.info.trace_error == pytest.approx(np.trace(E).real, abs=30 * unit)
    assert result.info.relative_error == pytest.approx(
        result.info.trace_error / np.trace(K).real, rel=1e-3
    )
    history = result.info.history
    assert history[0] == 1
    assert all(b <= a for a, b in itertools.pairwise(history))
    want = K[:, T] @ np.linalg.pinv(K[np.ix_(T, T)].astype("complex128")) @ K[T]
    np.testing.assert_allclose(F.conj().T @ F, want, atol=30 * unit)


@hypothesis.given(n=st.integers(1, 25), seed=st.integers(0, 2**32 - 1), data=st.data())
@methods
def test_any_size_and_rank(method, n, seed, data):
    rank, r = data.draw(st.integers(1, n)), data.draw(st.integers(1, n))
    B = np.random.default_rng(seed).standard_normal((r, n))
    K = B.T @ B
    result = rp_cholesky(K, rank, method=method, rng=seed)
    spare = 2 if method == "uniform" else 0  # it takes what is hardly more than rounding
    assert result.rank <= min(rank, r + spare)
    assert result.factor.shape == (result.rank, n)
    E = K - result.factor.T @ result.factor
    trace = np.trace(K)
    assert np.linalg.eigvalsh(E)[0] > -1e-9 * trace
    assert (result.residual >= 0).all()
    if rank >= r:
        assert np.abs(E).max() < 1e-9 * trace
        if method != "uniform":
            assert result.info.relative_error < 1e-9
    assert result


@methods
def test_stops_at_the_rank(method):
    B = low_rank(200, 200, 15, 3)
    result = rp_cholesky(B @ B.T, 100, method=method, rng=5)
    assert 15 <= result.rank <= (17 if method == "uniform" else 15)
    assert result.info.relative_error < 1e-12


@methods
@pytest.mark.parametrize("scale", [1e-290, 1e-150, 1e150, 1e290])
def test_scale_does_not_matter(method, scale):
    K = psd(30, 90210)
    plain, scaled = (rp_cholesky(c * K, 10, method=method, rng=5) for c in (1.0, scale))
    np.testing.assert_array_equal(plain.pivots, scaled.pivots)
    np.testing.assert_allclose(scaled.factor / scale**0.5, plain.factor, atol=1e-12)
    assert scaled.info.relative_error == pytest.approx(plain.info.relative_error)


@methods
def test_zero_matrix(method):
    result = rp_cholesky(np.zeros((4, 4)), 2, method=method, rng=5)
    assert result.factor.shape == (0, 4)
    assert result.info.relative_error == 0
    assert result


# -------------------------------------------------------------------------------------------- laws


def two_pivots(K):
    """Compute the probability of every ordered pair of first pivots, by the definition."""
    n = K.shape[0]
    law = np.zeros((n, n))
    for i in range(n):
        left = np.diag(K) - K[i] ** 2 / K[i, i]
        left[i] = 0
        law[i] = K[i, i] / np.trace(K) * left / left.sum()
    return law


def two_pivots_by_score(K, candidates):
    """Compute the same where each pivot has the best score of some draws and of earlier losers."""
    n = K.shape[0]

    def pivots(R, losers):
        """List pivot, losers and probability for all draws."""
        d = np.diag(R).clip(0)
        squares = (R * R).sum(axis=1)
        for drawn in itertools.product(np.flatnonzero(d > 1e-12), repeat=candidates):
            offered = losers | {int(j) for j in drawn}
            best = max(offered, key=lambda j: squares[j] / d[j])
            yield best, frozenset(offered - {best}), np.prod(d[list(drawn)] / d.sum())

    firsts, law = collections.Counter(), np.zeros((n, n))
    for i, losers, p in pivots(K, frozenset()):
        firsts[i, losers] += p
    for (i, losers), p in firsts.items():
        R = K - np.outer(K[i], K[i]) / K[i, i]
        for j, _, q in pivots(R, losers):
            law[i, j] += p * q
    return law


def chi_squared(method, K, draws, law):
    counts = np.zeros(K.shape)
    for seed in range(draws):
        i, j = rp_cholesky(K, 2, method=method, rng=seed).pivots
        counts[i, j] += 1
    possible = law > 0
    assert counts[~possible].sum() == 0
    return float(((counts - draws * law)[possible] ** 2 / (draws * law)[possible]).sum())


@pytest.mark.statistical
@pytest.mark.slow
@pytest.mark.parametrize("method", ["accelerated", "simple"])
def test_law_of_the_first_two_pivots(method):
    """All 30 pairs at level 1e-6; "block", which draws both from one diagonal, fails."""
    X = np.array([0.0, 0.2, 0.4, 1.0, 1.1, 3.0])
    K = np.exp(-((X[:, None] - X[None, :]) ** 2)) * np.outer(*[np.array([1, 1, 2, 1, 3, 1.0])] * 2)
    limit = 79.6  # 1 - 1e-6 quantile of chi-squared with 29 degrees of freedom
    law = two_pivots(K)
    assert chi_squared(method, K, 2000, law) < limit
    if method == "accelerated":
        assert chi_squared("block", K, 2000, law) > limit


@pytest.mark.statistical
@pytest.mark.slow
def test_law_of_the_first_two_pivots_by_score():
    """All pairs at level 1e-6; one candidate more or less, or none compared, fails."""
    X = np.array([0.0, 0.3, 0.5, 1.0, 1.2, 3.0])
    K = np.exp(-((X[:, None] - X[None, :]) ** 2)) * np.outer(*[np.array([1, 1, 2, 1, 3, 1.5])] * 2)
    laws = [two_pivots_by_score(K, c) for c in (CANDIDATES, CANDIDATES - 1, CANDIDATES + 1)]
    limits = [scipy.stats.chi2.isf(1e-6, np.count_nonzero(law) - 1) for law in laws]
    assert laws[0].sum() == pytest.approx(1)
    assert chi_squared("nuclear", K, 4000, laws[0]) < limits[0]
    for law, limit in zip(laws[1:], limits[1:], strict=True):
        assert chi_squared("nuclear", K, 4000, law) > limit
    assert np.abs(laws[0] - two_pivots(K)).sum() > 0.2


@pytest.mark.statistical
@pytest.mark.parametrize("method", ["accelerated", "nuclear", "uniform"])
def test_trace_of_the_error_is_bounded_as_in_the_theorem(method):
    """Means of 200 draws, 5 standard errors: false alarms below 1e-5 by Chebyshev's fourth moment.

    Few large points and many small ones: then the recursion that the theorem is proven with is
    nearly an equation for the first pivot. Uniform pivots break it.
    """
    r, eps = 4, 0.5
    values = np.repeat([1.0, 0.02], [r, 56])
    K, tail = np.diag(values), values[r:].sum()

    def errors(k):
        some = [rp_cholesky(K, k, method=method, rng=s).info.trace_error for s in range(200)]
        return np.mean(some), 5 * np.std(some) / 200**0.5

    mean, margin = errors(math.ceil(r / eps + r * math.log(values.sum() / (eps * tail))))
    fulfilled = [mean <= (1 + eps) * tail + margin]
    bound = values.sum()
    for k in range(1, 8):
        bound -= (bound - tail) ** 2 / (r * bound)
        mean, margin = errors(k)
        fulfilled.append(mean <= bound + margin)
    assert all(fulfilled) if method != "uniform" else not any(fulfilled[1:])


def left_after(K, k, method="nuclear"):
    """Return a factor that has grown to some rank, and what it leaves of K."""
    from lrla.lowrank._growth import Growth
    from lrla.lowrank._kernels import as_kernel

    growth = Growth(as_kernel(K), k, 0.0, method, 7)
    growth.grow()
    F = growth.G[: growth.count]
    return growth, K - F.conj().T @ F


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_scores_are_of_what_is_left(dtype):
    """Up to 300 columns the rows are all there is."""
    K = psd(120, 4, dtype, decay=0.95)
    growth, R = left_after(K, 40)
    rows = np.array([3, 77, 3, 5])
    np.testing.assert_allclose(growth._sampled(rows, 2.0), R[rows] / 2.0, atol=1e-12)


@pytest.mark.statistical
def test_products_of_sampled_rows_have_the_right_mean():
    """5 standard errors in 10 means of 180000 terms: a false alarm in 10**5 runs.

    A sample that ignores the weights, or starts from K, is far off.
    """
    rng = np.random.default_rng(90210)
    X = rng.standard_normal((40, 400)) * np.exp(rng.uniform(-2, 2, 400))
    growth, R = left_after(X.T @ X, 12)
    rows = np.setdiff1d(np.arange(400), growth.pivots)[[0, 130, 299, 387]]
    draws = np.array([(s := growth._sampled(rows, 1.0)) @ s.T for _ in range(600)])
    assert growth._sampled(rows, 1.0).shape == (4, 300)
    want, error = R[rows] @ R[rows].T, draws.std(axis=0) / 600**0.5
    assert (np.abs(draws.mean(axis=0) - want) < 5 * error).all()
    assert (5 * error < 0.05 * np.sqrt(np.outer(want.diagonal(), want.diagonal()))).all()
    for wrong in ((X.T @ X)[rows] @ (X.T @ X)[:, rows], want * np.diag(R)[rows]):
        assert (np.abs(wrong - want) > 10 * error).any()


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_sampled_scores_in_every_library(backend, dtype):
    rng = np.random.default_rng(90210)
    X = rng.standard_normal((30, 700)) * np.exp(rng.uniform(-1, 1, 700))
    K = (X.T @ X).astype(dtype)
    want = rp_cholesky(K, 12, method="nuclear", rng=5)
    result = rp_cholesky(backend.asarray(K), 12, method="nuclear", rng=5)
    np.testing.assert_array_equal(backend.to_numpy(result.pivots), want.pivots)
    F = backend.to_numpy(result.factor)
    np.testing.assert_allclose(
        F, want.factor, atol=1e3 * float(np.finfo(dtype).eps) * np.abs(F).max()
    )


@pytest.mark.parametrize("scale", [1e-37, 1e-30, 1e30, 1e35])
def test_scores_in_single_precision_at_any_scale(scale):
    K = KernelMatrix(np.random.default_rng(3).standard_normal((700, 3)))
    K = K.block(np.arange(700), slice(None))
    want, result = (
        rp_cholesky((K * s).astype("f4"), 12, method="nuclear", rng=5) for s in (1.0, scale)
    )
    np.testing.assert_array_equal(result.pivots, want.pivots)


def test_scores_leave_less():
    """Sampled columns: 3000 points, of which a score sees 300."""
    rng = np.random.default_rng(5)
    K = KernelMatrix(rng.standard_normal((3000, 4)), gamma=0.5)
    error = {
        m: np.mean([rp_cholesky(K, 100, method=m, rng=s).info.relative_error for s in range(5)])
        for m in ("nuclear", "accelerated", "uniform")
    }
    assert error["nuclear"] < 0.95 * min(error["accelerated"], error["uniform"])


def test_scores_where_no_column_knows_of_another():
    """A sample of columns sees nothing of most rows then; their own column counts always."""
    d = np.ones(5000)
    d[::50] = 10
    result = rp_cholesky(scipy.sparse.diags_array(d).tocsr(), 100, method="nuclear", rng=3)
    assert result.rank == 100
    assert np.mean(d[result.pivots] == 10) > 0.4


def test_greedy_takes_the_largest():
    K = psd(20, 4)
    chosen, d = [], np.diag(K).copy()
    E = K.copy()
    for _ in range(6):
        i = int(np.argmax(d))
        chosen.append(i)
        E = E - np.outer(E[:, i], E[i]) / E[i, i]
        d = np.diag(E)
    assert rp_cholesky(K, 6, method="greedy").pivots.tolist() == chosen


@pytest.mark.parametrize("method", ["accelerated", "nuclear"])
def test_seeds_and_threads(method):
    import lrla

    X = np.random.default_rng(3).standard_normal((500, 3))
    K = KernelMatrix(X)
    one = rp_cholesky(K, 60, method=method, rng=7)
    with lrla.threads(2):
        two = rp_cholesky(K, 60, method=method, rng=one.info.seed)
    np.testing.assert_array_equal(one.pivots, two.pivots)
    np.testing.assert_allclose(one.factor, two.factor, atol=1e-9)
    other = rp_cholesky(K, 60, method=method, rng=8)
    assert set(other.pivots.tolist()) != set(one.pivots.tolist())


def test_entries_are_counted():
    class Counted:
        def __init__(self, K):
            self.K, self.shape, self.seen = K, K.shape, K.shape[0]

        def diagonal(self):
            return self.K.diagonal()

        def block(self, rows, columns):
            out = self.K.block(rows, columns)
            self.seen += out.size
            return out

    K = Counted(KernelMatrix(np.random.default_rng(3).standard_normal((400, 3))))
    for method in METHODS:
        K.seen = 400
        result = rp_cholesky(K, 40, method=method, rng=7)
        assert result.info.entries == K.seen
    assert result.rank == 40


def test_better_than_uniform_on_clusters_of_unequal_size():
    rng = np.random.default_rng(5)
    weights = 1 / np.arange(1, 101.0)
    centers = 5 * rng.standard_normal((100, 4))
    X = centers[rng.choice(100, 3000, p=weights / weights.sum())]
    K = KernelMatrix(X + 0.1 * rng.standard_normal(X.shape), gamma=0.5)
    random, uniform = (
        rp_cholesky(K, 80, method=m, rng=7).info.relative_error for m in ("accelerated", "uniform")
    )
    assert random < 0.7 * uniform


# ------------------------------------------------------------------------------------------ inputs


@methods
def test_the_same_pivots_whatever_holds_the_entries(method):
    X = np.random.default_rng(3).standard_normal((60, 3))
    K = KernelMatrix(X, gamma=0.3)
    full = K.block(np.arange(60), slice(None))
    want = rp_cholesky(full, 20, method=method, rng=7)
    for given in (K, scipy.sparse.csr_array(full), scipy.sparse.coo_array(full), full.tolist()):
        result = rp_cholesky(given, 20, method=method, rng=7)
        np.testing.assert_array_equal(result.pivots, want.pivots)
        np.testing.assert_allclose(result.factor, want.factor, atol=1e-9)


@methods
@pytest.mark.parametrize("gamma", [1e-4, 0.3])
def test_entries_less_accurate_than_their_dtype(method, gamma):
    """Points far out, by inner products: small distances have errors of 1e-12 of their own.

    Pivots as small as these errors once made columns that grew to several units in the diagonal.
    """
    rng = np.random.default_rng(90210)
    X = rng.standard_normal((400, 2))
    X[:100] *= 100
    X = np.concatenate([X, X[:60]])
    D = (X * X).sum(1)[:, None] - 2 * X @ X.T + (X * X).sum(1)
    D = (D + D.T) / 2
    np.fill_diagonal(D, 0)
    K = np.exp(-gamma * D)
    for seed in range(3):
        result = rp_cholesky(K, 400, method=method, rng=seed)
        E = K - result.factor.T @ result.factor
        assert np.linalg.eigvalsh(E)[0] > -1e-9 * K.shape[0]
        assert result.info.trace_error == pytest.approx(np.trace(E), abs=1e-8)


def test_tolerance():
    K = psd(80, 4)
    result = rp_cholesky(K, 80, tol=1e-3, rng=7)
    assert result.info.relative_error <= 1e-3
    assert 20 <= result.rank <= 60
    assert result.status is Status.CONVERGED
    short = rp_cholesky(K, 5, tol=1e-3, rng=7)
    assert short.status is Status.RANK
    assert not short


def test_what_is_refused():
    K = psd(6, 4)
    for rank in (0, 7, 1.5, -1):
        with pytest.raises(ValueError, match="rank must be an integer between 1 and n = 6, got"):
            rp_cholesky(K, rank)
    for tol in (-0.1, 1.0, np.nan):
        with pytest.raises(ValueError, match="tol must be at least 0 and less than 1, got"):
            rp_cholesky(K, 2, tol=tol)
    with pytest.raises(ValueError, match=r"method must be one of accelerated, .*, got 'random'"):
        rp_cholesky(K, 2, method="random")
    with pytest.raises(ValueError, match=r"K must be square, got shape \(5, 6\)"):
        rp_cholesky(K[:5], 2)
    with pytest.raises(TypeError, match="K must have entries, got a linear operator"):
        rp_cholesky(scipy.sparse.linalg.aslinearoperator(K), 2)


@methods
def test_not_positive_semidefinite(method):
    with pytest.raises(ValueError, match="K must be positive semidefinite, got -1 in its diagonal"):
        rp_cholesky(np.diag([1.0, -1.0]), 1, method=method)
    with pytest.raises(
        ValueError, match=r"pivots leave -3 in the diagonal: it has an eigenvalue of"
    ):
        rp_cholesky(np.array([[1.0, 2.0], [2.0, 1.0]]), 2, method=method, rng=1)


def noisy(n, level, dtype="f8"):
    """Make a kernel matrix with entries that are wrong by about ``level``."""
    rng = np.random.default_rng(90210)
    X, E = rng.standard_normal((n, 2)), level * rng.standard_normal((n, n))
    K = np.exp(-0.1 * np.sum((X[:, None] - X[None]) ** 2, axis=2)) + (E + E.T) / 2
    if dtype == "c16":
        phase = np.exp(1j * rng.standard_normal(n))
        K = phase[:, None] * K * phase.conj()[None, :]
    return K


@methods
@pytest.mark.parametrize("level", [1e-11, 1e-10, 1e-9])
@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_small_errors_of_entries_are_no_proof(method, level, dtype):
    """What they leave is 100 times further below zero than any eigenvalue of K, and was refused."""
    K = noisy(300, level, dtype)
    assert np.linalg.eigvalsh(K)[0] < 0
    for seed in range(3 if method in ("simple", "greedy") else 12):
        result = rp_cholesky(K, 150, method=method, rng=seed)
        assert 20 < result.rank < 80
        left = np.real(np.trace(K - result.factor.conj().T @ result.factor)) / 300
        assert left <= result.info.relative_error + 10 * result.info.noise
        assert result.info.noise < 1e4 * level


def test_the_fraction_that_is_noise_is_told():
    exact = rp_cholesky(psd(60, 5), 5, rng=1)
    assert exact.info.noise == 10 * np.finfo(float).eps
    K = noisy(300, 1e-9)
    assert rp_cholesky(K, 150, tol=1e-4, rng=1).status is Status.CONVERGED
    result = rp_cholesky(K, 150, tol=1e-13, rng=1)
    assert 1e-11 < result.info.noise < 1e-5
    assert result.status is Status.STAGNATED  # not converged: nobody knows what is left
    assert not result


@methods
@pytest.mark.parametrize("dtype", ["f8", "c16"])
@pytest.mark.parametrize("size", [1e-6, 1e-3, 0.1])
def test_what_is_refused_has_a_negative_eigenvalue_and_the_error_names_one(method, dtype, size):
    rng = np.random.default_rng(311)
    K = noisy(100, 0.0, dtype)
    v = rng.standard_normal(100)
    K = K - 100 * size * np.outer(v, v) / (v @ v)
    least = np.linalg.eigvalsh(K)[0]
    for seed in range(4):
        with pytest.raises(ValueError, match=r"it has an eigenvalue of -.* or less") as e:
            rp_cholesky(K, 100, method=method, rng=seed)
        told = float(str(e.value).split("eigenvalue of ")[1].split()[0])
        assert least * 1.01 <= told < 0


@methods
def test_not_hermitian_or_not_finite(method):
    K = psd(12, 4) + np.triu(np.ones((12, 12)), 1)
    with pytest.raises(ValueError, match=r"K must be Hermitian and finite|positive semidefinite"):
        rp_cholesky(K, 12, method=method, rng=1)
    for n in (12, 60):  # many numbers may hide one that is none
        K = psd(n, 4)
        K[3, 4] = K[4, 3] = np.nan
        with pytest.raises(ValueError, match="finite"):
            rp_cholesky(K, n, method=method, rng=1)
    K = psd(12, 4)
    K[3, 3] = np.nan
    with pytest.raises(ValueError, match="K must be finite, got NaN or infinity in its diagonal"):
        rp_cholesky(K, 12, method=method, rng=1)
