"""Nystroem beside scikit-learn's."""

import numpy as np
import pytest
import scipy.sparse
import sklearn.kernel_approximation
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.utils.estimator_checks import parametrize_with_checks

from lrla.sklearn import Nystroem


@parametrize_with_checks([Nystroem(n_components=5), Nystroem(landmarks="uniform", n_components=5)])
def test_conventions_of_scikit_learn(estimator, check):
    check(estimator)


def data(n=120, p=6):
    return np.abs(np.random.default_rng(90210).standard_normal((n, p)))


KERNELS = {
    "rbf": {"gamma": 0.3},
    "laplacian": {"gamma": 0.3},
    "linear": {},
    "polynomial": {"degree": 2, "coef0": 0.5},
    "poly": {},
    "chi2": {"gamma": 0.2},
    "cosine": {},
}


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_same_features_as_scikit_learn_for_its_landmarks(kernel):
    X, Y, params = data(), data(30), KERNELS[kernel]
    theirs = sklearn.kernel_approximation.Nystroem(
        kernel, n_components=20, random_state=0, **params
    ).fit(X)
    ours = Nystroem(kernel, landmarks=theirs.component_indices_, **params).fit(X)
    np.testing.assert_array_equal(ours.components_, theirs.components_)
    want = theirs.transform(Y) @ theirs.transform(Y).T
    Z = ours.transform(Y)
    np.testing.assert_allclose(Z @ Z.T, want, rtol=1e-4, atol=1e-5 * np.abs(want).max())


@pytest.mark.parametrize(
    "landmarks", ["rp_cholesky", "nuclear", "greedy", "rls", "bless", "uniform"]
)
def test_error_is_that_of_the_training_data(landmarks):
    X = data()
    model = Nystroem(gamma=0.2, n_components=30, landmarks=landmarks, random_state=3).fit(X)
    Z = model.transform(X)
    error = 1 - np.sum(Z**2) / X.shape[0]
    assert model.relative_error_ == pytest.approx(error, abs=1e-10)
    assert len(set(model.component_indices_.tolist())) == 30
    again = Nystroem(gamma=0.2, n_components=30, landmarks=landmarks, random_state=3)
    np.testing.assert_array_equal(again.fit_transform(X), Z)


def test_points_as_landmarks():
    X, points = data(), data(9) + 0.1
    model = Nystroem(gamma=0.3, landmarks=points).fit(X)
    assert model.component_indices_ is None
    Z = model.transform(points)
    np.testing.assert_allclose(Z @ Z.T, pairwise_kernels(points, metric="rbf", gamma=0.3))
    assert model.get_feature_names_out().tolist() == [f"nystroem{i}" for i in range(9)]
    with pytest.raises(ValueError, match="landmarks must have 6 columns, as X has, got 5"):
        Nystroem(landmarks=points[:, :5]).fit(X)


def test_kernels_that_are_none():
    with pytest.raises(ValueError, match="K must be positive semidefinite"):
        Nystroem("additive_chi2", landmarks="uniform", n_components=20, random_state=1).fit(data())
    with pytest.raises(ValueError, match="K must have a positive diagonal entry, got zeros alone"):
        Nystroem("additive_chi2", n_components=20, random_state=1).fit(data())


def test_sparse_data_and_callables():
    X = data() * (data() > 0.5)
    kinds = [{"kernel": "rbf"}, {"kernel": lambda x, y, scale: scale * float(x @ y),
                                 "kernel_params": {"scale": 2.0}}]  # fmt: skip
    dense = Nystroem(n_components=10, gamma=0.3, random_state=1).fit_transform(X)
    sparse = Nystroem(n_components=10, gamma=0.3, random_state=1)
    np.testing.assert_allclose(sparse.fit_transform(scipy.sparse.csr_array(X)), dense, atol=1e-8)
    Z = Nystroem(**kinds[1], n_components=6, random_state=1).fit_transform(X)
    np.testing.assert_allclose(Z @ Z.T, 2 * X @ X.T, atol=1e-8)


def test_more_components_than_samples():
    with pytest.warns(UserWarning, match="n_components=50 is more than the 20 samples"):
        model = Nystroem(n_components=50).fit(data(20))
    assert model.components_.shape == (20, 6)


def test_generators_and_mistakes():
    one = Nystroem(n_components=5, random_state=np.random.default_rng(3)).fit(data())
    assert one.components_.shape == (5, 6)
    with pytest.raises(ValueError, match="landmarks must be indices or one of rp_cholesky"):
        Nystroem(landmarks="kmeans").fit(data())
    with pytest.raises(ValueError, match="landmarks must be between 0 and 119, got 0 to 120"):
        Nystroem(landmarks=[0, 120]).fit(data())


@pytest.mark.parametrize("bad", [2.5, None, "x", 0])
def test_numbers_of_landmarks_that_are_none(bad):
    with pytest.raises(ValueError, match="n_components must be an integer, at least 1, got"):
        Nystroem(n_components=bad).fit(data(20))
