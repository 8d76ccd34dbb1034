"""Landmarks, features and ridge leverage scores of kernels."""

import numpy as np
import pytest

from lrla.lowrank import KernelMatrix, kernel_features, kernel_leverage, rp_cholesky


def clusters(n=600, seed=5):
    rng = np.random.default_rng(seed)
    w = 1 / np.arange(1, 41.0)
    centers = 5 * rng.standard_normal((40, 3))
    return centers[rng.choice(40, n, p=w / w.sum())] + 0.2 * rng.standard_normal((n, 3))


@pytest.mark.parametrize("landmarks", ["rp_cholesky", "greedy", "rls", "uniform"])
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
        for name in ("rp_cholesky", "rls", "uniform")
    }  # fmt: skip
    assert errors["rp_cholesky"] < 0.8 * errors["uniform"]
    assert errors["rls"] < errors["uniform"]


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
    with pytest.raises(ValueError, match=r"landmarks must be indices or one of .*, got 'bless'"):
        kernel_features(K, 3, landmarks="bless")
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
    with pytest.raises(ValueError, match="method must be one of auto, exact, recursive, got 'qr'"):
        kernel_leverage(K, 1.0, method="qr")
    indefinite = np.full((300, 300), 2.0) - np.eye(300)
    with pytest.raises(ValueError, match="K must be positive semidefinite, got a block"):
        kernel_leverage(indefinite, 0.5, method="recursive", rng=1)
