"""Landmarks, features and ridge leverage scores of kernels."""

import numpy as np
import pytest

from lrla.lowrank import KernelMatrix, kernel_features, kernel_leverage, rp_cholesky
from lrla.lowrank._ridge_samples import bless, scores_by


def clusters(n=600, seed=5):
    rng = np.random.default_rng(seed)
    w = 1 / np.arange(1, 41.0)
    centers = 5 * rng.standard_normal((40, 3))
    return centers[rng.choice(40, n, p=w / w.sum())] + 0.2 * rng.standard_normal((n, 3))


@pytest.mark.parametrize(
    "landmarks", ["rp_cholesky", "nuclear", "greedy", "rls", "bless", "uniform"]
)
def test_features(backend, landmarks):
    X = clusters(150)
    K = KernelMatrix(backend.asarray(X), gamma=0.1)
    result = kernel_features(K, 30, landmarks=landmarks, rng=7)
    S = backend.to_numpy(result.indices)
    full = np.exp(-0.1 * ((X[:, None] - X[None]) ** 2).sum(-1))
    Z = backend.to_numpy(result.transform(backend.asarray(X)))
    want = full[:, S] @ np.linalg.pinv(full[np.ix_(S, S)], rcond=1e-13, hermitian=True) @ full[S]
    assert len(set(S.tolist())) == 30
    np.testing.assert_allclose(Z @ Z.T, want, atol=1e-7)
    assert result.info.trace_error == pytest.approx(np.trace(full - Z @ Z.T), abs=1e-6)
    N = backend.to_numpy(result.normalization)
    np.testing.assert_allclose(N, N.T, atol=1e-9 * np.abs(N).max())


def test_pivots_as_landmarks_reproduce_the_factor():
    K = KernelMatrix(clusters(200), gamma=0.1)
    features, factor = kernel_features(K, 40, rng=7), rp_cholesky(K, 40, rng=7)
    np.testing.assert_array_equal(features.indices, factor.pivots)
    assert features.info.relative_error == pytest.approx(factor.info.relative_error, rel=1e-4)


def test_given_landmarks_and_points_that_come_twice():
    X = clusters(50)
    X[7] = X[3]
    K = KernelMatrix(X, gamma=0.1)
    result = kernel_features(K, landmarks=[3, 7, 11], rng=1)
    assert result.rank == 2
    assert result.normalization.shape == (3, 3)
    Z = result.transform(X[[3, 11]])
    np.testing.assert_allclose(Z @ Z.T, K.block([3, 11], [3, 11]), atol=1e-12)


def test_matrices_have_no_transform():
    result = kernel_features(np.eye(4), 2, rng=1)
    with pytest.raises(TypeError, match="cannot transform points: K is known by its entries"):
        result.transform(np.ones((1, 4)))


def test_scores_beside_uniform():
    """Leverage scores find the small clusters that uniform draws miss."""
    K = KernelMatrix(clusters(1500), gamma=0.5)
    errors = {
        name: np.mean([kernel_features(K, 60, landmarks=name, rng=s).info.relative_error
                       for s in range(4)])
        for name in ("rp_cholesky", "rls", "bless", "uniform")
    }  # fmt: skip
    assert errors["rp_cholesky"] < 0.8 * errors["uniform"]
    assert errors["rls"] < errors["uniform"]
    assert errors["bless"] < errors["uniform"]


# ------------------------------------------------------------------------------------------ scores


def exact(K, ridge):
    return np.diag(np.linalg.solve(K + ridge * np.eye(K.shape[0]), K))


@pytest.mark.parametrize("ridge", [1e-3, 1.0, 30.0])
def test_exact_scores(backend, ridge):
    X = clusters(120)
    K = KernelMatrix(backend.asarray(X), gamma=0.1)
    result = kernel_leverage(K, ridge)
    full = np.exp(-0.1 * ((X[:, None] - X[None]) ** 2).sum(-1))
    scores = backend.to_numpy(result.scores)
    np.testing.assert_allclose(scores, exact(full, ridge), atol=1e-9)
    assert result.effective_dimension == pytest.approx(scores.sum())
    assert result.info.method == "exact"


@pytest.mark.parametrize("ridge", [0.3, 10.0])
def test_recursive_scores(backend, ridge):
    X = clusters(600)
    K = KernelMatrix(backend.asarray(X), gamma=0.1)
    result = kernel_leverage(K, ridge, method="recursive", rng=7)
    full = np.exp(-0.1 * ((X[:, None] - X[None]) ** 2).sum(-1))
    ratio = backend.to_numpy(result.scores) / exact(full, ridge)
    assert ratio.min() > 0.5
    assert ratio.max() < 2.5
    assert 0.8 < np.median(ratio) < 1.2
    assert result.info.landmarks < 500


def test_recursive_scores_of_few_points_are_exact():
    X = clusters(150)
    K = KernelMatrix(X, gamma=0.1)
    result = kernel_leverage(K, 1.0, method="recursive", rng=7)
    np.testing.assert_allclose(result.scores, kernel_leverage(K, 1.0).scores, atol=1e-9)


@pytest.mark.statistical
@pytest.mark.parametrize("ridge", [0.3, 10.0, 100.0])
def test_bottom_up_scores(ridge):
    """In 900 runs with other seeds all ratios were between 0.46 and 5.2: no false alarm of these."""
    X = clusters(600)
    K = KernelMatrix(X, gamma=0.1)
    full = np.exp(-0.1 * ((X[:, None] - X[None]) ** 2).sum(-1))
    want = exact(full, ridge)
    for seed in range(10):
        result = kernel_leverage(K, ridge, method="bless", rng=seed)
        ratio = result.scores / want
        assert ratio.min() > 0.4
        assert ratio.max() < 6
        assert 0.8 < np.median(ratio) < 1.3
        assert 0.9 < result.effective_dimension / want.sum() < 1.3
        assert result.info.landmarks <= 10 * 1.3 * want.sum() + 1
        assert result.info.method == "bless"


def test_bottom_up_scores_of_other_libraries(backend):
    X = clusters(250)
    result = kernel_leverage(
        KernelMatrix(backend.asarray(X), gamma=0.1), 10.0, method="bless", rng=7
    )
    want = kernel_leverage(KernelMatrix(X, gamma=0.1), 10.0, method="bless", rng=7)
    np.testing.assert_allclose(backend.to_numpy(result.scores), want.scores, rtol=1e-8)
    assert result.info.landmarks == want.info.landmarks


def test_bottom_up_scores_of_equal_points_and_without_weights():
    """Points that come many times have small scores each; that takes the weights of the sample."""
    X = np.repeat(clusters(40), 50, axis=0)
    K = KernelMatrix(X, gamma=0.1)
    scores = kernel_leverage(K, 1.0, method="bless", rng=7).scores
    want = kernel_leverage(K, 1.0, method="exact").scores
    assert np.min(scores / want) > 0.4
    assert np.max(scores / want) < 6
    diagonal, place = np.ones(2000), np.arange(2000)
    sample = bless(K, diagonal, 1.0, 5.0, 7)
    assert np.sum(sample.weights) == pytest.approx(2000, rel=0.1)
    without = scores_by(K, diagonal, sample.points, np.ones_like(sample.weights), 1.0, place)
    assert np.median(without / want) > 3


class Counted:
    """A kernel matrix that counts what is asked of it."""

    def __init__(self, K):
        self.K, self.shape, self.dtype, self.entries = K, K.shape, K.dtype, 0

    def diagonal(self):
        return self.K.diagonal()

    def block(self, rows, columns):
        values = self.K.block(rows, columns)
        self.entries += values.size
        return values


def test_kernel_values_that_are_computed():
    """The count is right, and for a ridge in proportion to n the last pass alone grows with n."""
    apart = []
    for n in (4000, 8000, 16_000):
        X = np.random.default_rng(90210).standard_normal((n, 3))
        K = Counted(KernelMatrix(X, gamma=0.1))
        result = kernel_leverage(K, n / 200, method="bless", rng=7)
        assert result.info.entries == K.entries
        s = result.info.landmarks
        apart.append(K.entries - s * (s + n))
    assert max(apart) < 1.3 * min(apart)
    assert apart[-1] < 0.2 * K.entries
    choice = {}
    for landmarks in ("rls", "bless"):
        K.entries = 0
        assert kernel_features(K, 40, landmarks=landmarks, rng=7).indices.shape == (40,)
        choice[landmarks] = K.entries - 40 * 40 - 40 * n  # the rest is features and their error
    assert choice["bless"] < 0.5 * choice["rls"]
    K.entries = 0
    result = kernel_leverage(K, 80.0, method="recursive", rng=7)
    assert result.info.entries == K.entries
    assert kernel_leverage(np.eye(4), 1.0).info.entries == 16


@pytest.mark.parametrize("ridge", [1e-8, 0.5, 1e9])
def test_bottom_up_scores_of_degenerate_kernels(ridge):
    def scores(K):
        return kernel_leverage(K, ridge, method="bless", rng=7).scores

    np.testing.assert_array_equal(scores(np.zeros((5, 5))), 0)
    np.testing.assert_allclose(scores(np.ones((1, 1))), 1 / (1 + ridge), rtol=1e-6)
    s = np.array([4.0, 2.0, 1.0, 0.0])
    np.testing.assert_allclose(scores(np.diag(s)), s / (s + ridge), rtol=0.6)
    one = np.zeros((300, 300))  # all but one of the points are zero
    one[17, 17] = 1.0
    found = scores(one)
    assert found[17] == pytest.approx(1 / (1 + ridge), rel=0.6)
    assert np.count_nonzero(found) == 1
    rank = scores(np.ones((300, 300)))  # all points are equal
    np.testing.assert_allclose(rank, 1 / (300 + ridge), rtol=0.6)
    for scale in (2.0**-400, 2.0**400):
        scaled = kernel_leverage(np.full((300, 300), scale), scale * ridge, method="bless", rng=7)
        np.testing.assert_array_equal(scaled.scores, rank)


def test_landmarks_where_few_points_are_not_zero():
    K = np.zeros((1000, 1000))
    K[[3, 500], [3, 500]] = 1.0
    for landmarks in ("rls", "bless"):
        result = kernel_features(K, 2, landmarks=landmarks, rng=7)
        assert sorted(result.indices.tolist()) == [3, 500]
        assert result.info.trace_error == pytest.approx(0, abs=1e-12)


def test_effective_dimension_of_a_diagonal():
    s = np.array([4.0, 2.0, 1.0, 0.0])
    result = kernel_leverage(np.diag(s), 2.0)
    np.testing.assert_allclose(result.scores, s / (s + 2))


def test_what_is_refused():
    K = KernelMatrix(clusters(20))
    with pytest.raises(ValueError, match="rank must be an integer between 1 and n = 20, got None"):
        kernel_features(K)
    with pytest.raises(ValueError, match="rank must be an integer between 1 and n = 20, got 21"):
        kernel_features(K, 21)
    with pytest.raises(ValueError, match=r"landmarks must be indices or one of .*, got 'any'"):
        kernel_features(K, 3, landmarks="any")
    with pytest.raises(ValueError, match="rank must be left out when landmarks are given, got 3"):
        kernel_features(K, 3, landmarks=[1, 2])
    for bad in ([], [[1, 2]], [0.5]):
        with pytest.raises(ValueError, match="landmarks must be a name or a vector of indices"):
            kernel_features(K, landmarks=bad)
    with pytest.raises(ValueError, match="landmarks must be between 0 and 19, got -1 to 3"):
        kernel_features(K, landmarks=[-1, 3])
    with pytest.raises(ValueError, match="K must be positive semidefinite, got an eigenvalue"):
        kernel_features(np.array([[1.0, 2.0], [2.0, 1.0]]), landmarks=[0, 1])
    for ridge in (0.0, -1.0, np.inf):
        with pytest.raises(ValueError, match="ridge must be positive and finite, got"):
            kernel_leverage(K, ridge)
    with pytest.raises(ValueError, match="oversample must be positive and finite, got 0"):
        kernel_leverage(K, 1.0, oversample=0)
    with pytest.raises(ValueError, match=r"method must be one of auto, exact, .*, bless, got 'qr'"):
        kernel_leverage(K, 1.0, method="qr")
    indefinite = np.full((300, 300), 2.0) - np.eye(300)
    for method in ("recursive", "bless"):
        with pytest.raises(ValueError, match="K must be positive semidefinite, got a block"):
            kernel_leverage(indefinite, 0.5, method=method, rng=1)
    for landmarks in ("rls", "bless"):
        with pytest.raises(ValueError, match="K must have a positive diagonal entry, got zeros"):
            kernel_features(np.zeros((5, 5)), 2, landmarks=landmarks, rng=1)


@pytest.mark.parametrize("method", ["exact", "recursive", "bless"])
@pytest.mark.parametrize("n", [100, 300])
def test_scores_of_what_is_no_kernel_are_refused(method, n):
    """On the diagonal or beside it; the blocks of a sample show what holds everywhere."""
    X = clusters(n)
    K = np.exp(-0.5 * ((X[:, None] - X[None]) ** 2).sum(-1))
    beside, on = K.copy(), K.copy()
    beside[:, 3] = beside[3, :] = np.nan
    beside[3, 3], on[7, 7] = 1, np.inf
    cases = [
        (K * np.nan, "K must be finite, got NaN or infinity in its diagonal"),
        (on, "K must be finite, got NaN or infinity in its diagonal"),
        (beside, "K must be finite, got a block"),
        (K + np.triu(K), r"K must be Hermitian, got a block that differs by \S+ from its adjoint"),
        (K - 0.5 * np.eye(n), "K must be positive semidefinite, got"),
        (-K, r"K must be positive semidefinite, got -1 in its diagonal"),
    ]
    for bad, message in cases:
        with pytest.raises(ValueError, match=message):
            kernel_leverage(bad, 1.0, method=method, rng=5)


def test_one_bad_entry_is_seen_by_exact_scores():
    K = np.eye(50)
    K[3, 8] = K[8, 3] = np.nan
    with pytest.raises(ValueError, match="K must be finite, got a block with NaN or infinity"):
        kernel_leverage(K, 1.0)


@pytest.mark.parametrize("method", ["exact", "recursive", "bless"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_rounding_is_not_taken_for_a_negative_eigenvalue(method, dtype, size):
    """Rank 4 of 400, small and large: the other eigenvalues are rounding, with either sign."""
    rng = np.random.default_rng(90210)
    G = rng.standard_normal((400, 4))
    if dtype[0] == "c":
        G = G + 1j * rng.standard_normal(G.shape)
    G = (G * size**0.5).astype(dtype)
    result = kernel_leverage(G @ G.conj().T, size, method=method, rng=5)
    assert 3 < result.effective_dimension < 8


def test_features_of_what_is_not_finite_are_refused():
    K = np.eye(6)
    K[1, 2] = K[2, 1] = np.nan
    with pytest.raises(ValueError, match="K must be finite, got a block with NaN or infinity"):
        kernel_features(K, landmarks=[1, 2, 3])
    with pytest.raises(ValueError, match="K must be finite, got NaN or infinity in columns of"):
        kernel_features(K, landmarks=[1, 3])
    K[4, 4] = np.nan
    with pytest.raises(ValueError, match="K must be finite, got NaN or infinity in its diagonal"):
        kernel_features(K, landmarks=[3])
