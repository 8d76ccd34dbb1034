"""Nystroem beside scikit-learn's."""

import pickle

import numpy as np
import pytest
import scipy.sparse
import sklearn.kernel_approximation
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import KernelPCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from lrla.sklearn import Nystroem


@parametrize_with_checks([
    Nystroem(n_components=5),
    Nystroem(landmarks="uniform", n_components=5, fit_inverse_transform=True),
])  # fmt: skip
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


CALLABLE = {"kernel": lambda x, y, scale=1.0: scale * float(x @ y), "n_components": 6}


@pytest.mark.parametrize("params", [
    {"gamma": 5.0}, {"gamma": 5.0, "degree": 4, "coef0": 0.0}, {"gamma": None}, {"gamma": 0.0},
    {"coef0": 0.3, "scale": 2.0}, {"degree": 1, "gamma": 0.1},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("own", [{}, {"gamma": 0.2}, {"degree": 2, "coef0": 0.7}], ids=str)
@pytest.mark.parametrize("kernel", ["rbf", "laplacian", "linear", "poly", "polynomial", "cosine"])
@pytest.mark.parametrize("make", [np.asarray, scipy.sparse.csr_array])
def test_kernel_params_are_those_of_scikit_learn(kernel, own, params, make):
    X, Y = data(), data(30)
    theirs = sklearn.kernel_approximation.Nystroem(
        kernel, n_components=8, kernel_params=dict(params), random_state=0, **own
    ).fit(X)
    model = Nystroem(kernel, landmarks=theirs.component_indices_, kernel_params=params, **own)
    Z, want = model.fit(make(X)).transform(make(Y)), theirs.transform(Y)
    want = want @ want.T
    np.testing.assert_allclose(Z @ Z.T, want, rtol=1e-4, atol=1e-5 * np.abs(want).max())
    assert model.kernel_params is params  # scikit-learn's writes into them


@pytest.mark.parametrize(
    ("params", "error"),
    [
        (
            {"kernel": "rbf ", "gamma": 1.0},
            "kernel must be callable or one of additive_chi2, .*'rbf '",
        ),
        ({"kernel": None}, "kernel must be callable or one of .*, precomputed, got None"),
        ({"kernel": "matern"}, "kernel must be callable or one of .* got 'matern'"),
        ({"gamma": -1}, "gamma must be a number, at least 0, got -1"),
        ({"gamma": "scale"}, "gamma must be a number, at least 0, got 'scale'"),
        ({"kernel": "poly", "degree": 0.5}, "degree must be a number, at least 1, got 0.5"),
        ({"kernel": "poly", "coef0": np.nan}, "coef0 must be a number, at least -inf, got nan"),
        ({"kernel_params": [1]}, r"kernel_params must be a dict or None, got \[1\]"),
        ({"n_jobs": "all"}, "n_jobs must be an integer or None, got 'all'"),
        (
            {**CALLABLE, "gamma": 5},
            "gamma, coef0 and degree must be None for a callable or precomp",
        ),
        (
            {**CALLABLE, "coef0": 5},
            "coef0=5, degree=None; parameters of a callable go into kernel_",
        ),
        ({**CALLABLE, "degree": 5}, "degree must be None for a callable .* degree=5"),
        (
            {"kernel": "precomputed", "gamma": 5},
            "must be None for a callable or precomputed kernel",
        ),
    ],
)
def test_what_scikit_learn_refuses(params, error):
    X = data(20) @ data(20).T if params.get("kernel") == "precomputed" else data(20)
    params = {"n_components": 5, **params}
    theirs = sklearn.kernel_approximation.Nystroem(**params)
    if params.get("coef0") is not np.nan:
        with pytest.raises(ValueError, match=r"parameter|Don't pass"):
            theirs.fit(X)
    with pytest.raises(ValueError, match=error):
        Nystroem(**params).fit(X)


def test_parameters_that_may_give_no_kernel_are_judged_by_the_data():
    X = data()
    Nystroem("poly", degree=2.0, coef0=0.5, n_components=5).fit(X)
    theirs = sklearn.kernel_approximation.Nystroem(
        "poly", degree=1.5, n_components=5, random_state=0
    )
    want = theirs.fit_transform(X)
    Z = Nystroem("poly", degree=1.5, landmarks=theirs.component_indices_).fit_transform(X)
    np.testing.assert_allclose(Z @ Z.T, want @ want.T, rtol=1e-4)
    with pytest.raises(ValueError, match="K must be positive semidefinite"):
        Nystroem("poly", coef0=-2.0, n_components=20).fit(X)


@pytest.mark.parametrize("make", [np.asarray, scipy.sparse.csr_array])
def test_precomputed_kernels(make):
    X, Y = data(), data(30) + 0.1
    K = pairwise_kernels(X, metric="rbf", gamma=0.3)
    cross = pairwise_kernels(Y, X, metric="rbf", gamma=0.3)
    for landmarks in ("rp_cholesky", "rls", "uniform", [3, 5, 90]):
        asked = {"n_components": 25, "landmarks": landmarks, "random_state": 3}
        model = Nystroem("precomputed", **asked).fit(make(K))
        points = Nystroem(gamma=0.3, **asked).fit(X)
        index = model.component_indices_
        np.testing.assert_array_equal(index, points.component_indices_)
        Z, want = model.transform(make(cross)), points.transform(Y)
        np.testing.assert_allclose(Z @ Z.T, want @ want.T, atol=1e-7)
        components = model.components_
        if scipy.sparse.issparse(components):
            components = components.toarray()
        np.testing.assert_array_equal(components, K[index])
    theirs = sklearn.kernel_approximation.Nystroem("precomputed", n_components=120, random_state=0)
    want = theirs.fit_transform(K)  # which it takes with all samples as landmarks alone
    Z = Nystroem("precomputed", n_components=120, random_state=0).fit_transform(K)
    np.testing.assert_allclose(Z @ Z.T, want @ want.T, atol=1e-6)


def test_precomputed_kernels_in_a_pipeline():
    X, y = load_digits(return_X_y=True)
    X, y = X[:300] / 16, y[:300] % 2
    asked = {"n_components": 40, "random_state": 3}
    K = pairwise_kernels(X, metric="rbf", gamma=0.05)
    precomputed = make_pipeline(Nystroem("precomputed", **asked), RidgeClassifier())
    points = make_pipeline(Nystroem(gamma=0.05, **asked), RidgeClassifier())
    np.testing.assert_array_equal(
        cross_val_score(precomputed, K, y, cv=3), cross_val_score(points, X, y, cv=3)
    )


def test_precomputed_kernels_that_are_none():
    K = data(20) @ data(20).T
    with pytest.raises(
        ValueError, match=r"X must be square, a precomputed kernel matrix, got shape"
    ):
        Nystroem("precomputed", n_components=5).fit(K[:, :10])
    with pytest.raises(ValueError, match="fit_inverse_transform must be False for kernel='precom"):
        Nystroem("precomputed", n_components=5, fit_inverse_transform=True).fit(K)
    with pytest.raises(ValueError, match="landmarks must be a name or a vector of indices"):
        Nystroem("precomputed", landmarks=K).fit(K)
    with pytest.raises(ValueError, match="K must be positive semidefinite"):
        Nystroem("precomputed", landmarks="uniform", n_components=5).fit(-K)
    with pytest.raises(ValueError, match="X has 5 features, but Nystroem is expecting 20 features"):
        Nystroem("precomputed", n_components=5).fit(K).transform(K[:, :5])


def test_frames_clones_and_pickles():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(data(), columns=list("abcdef"))
    model = clone(Nystroem(kernel_params={"gamma": 0.3}, n_components=4, random_state=3))
    frame = model.set_output(transform="pandas").fit_transform(X)
    assert list(frame.columns) == [f"nystroem{i}" for i in range(4)]
    assert model.feature_names_in_.tolist() == list("abcdef")
    again = pickle.loads(pickle.dumps(model)).transform(X)
    pandas.testing.assert_frame_equal(again, frame)


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


def noisy_digits():
    rng = np.random.default_rng(90210)
    X = load_digits().data[rng.permutation(1797)[:700]] / 16
    noisy = X + 0.25 * rng.standard_normal(X.shape)
    return noisy[:500], noisy[500:], X[500:]


@pytest.mark.parametrize(
    ("kernel", "params"),
    [("rbf", {"gamma": 0.05}), ("rbf", {}), ("linear", {}), ("poly", {"degree": 2, "coef0": 0.3})],
)
def test_the_way_back_is_that_of_kernel_pca_if_all_samples_are_landmarks(kernel, params):
    train, test, clean = noisy_digits()
    train, test, clean = train[:150], test[:40], clean[:40]
    asked = {"fit_inverse_transform": True, "alpha": 0.1, **params}
    ours = Nystroem(kernel, landmarks=np.arange(150), **asked).fit(train)
    found = ours.inverse_transform(ours.transform(test))
    if kernel == "rbf":  # their features are centred, which this kernel does not see
        theirs = KernelPCA(kernel=kernel, **asked).fit(train)
        want = theirs.inverse_transform(theirs.transform(train))
        again = ours.inverse_transform(ours.transform(train))
        np.testing.assert_allclose(again, want, atol=1e-8)
        # of other samples they leave out one direction more, that of the mean
        want = theirs.inverse_transform(theirs.transform(test))
        np.testing.assert_allclose(found, want, atol=2e-3)
        errors = [np.linalg.norm(back - clean) for back in (found, want)]
        assert errors[0] == pytest.approx(errors[1], rel=1e-3)
    else:
        Z, points = ours.transform(test), ours.transform(train)
        params = {**params, "gamma": 1 / 64} if kernel == "poly" else params
        K = pairwise_kernels(points, metric=kernel, **params) + 0.1 * np.eye(150)
        want = pairwise_kernels(Z, points, metric=kernel, **params) @ np.linalg.solve(K, train)
        np.testing.assert_allclose(found, want, atol=1e-6)


def test_noise_is_left_out_on_the_way_back():
    train, test, clean = noisy_digits()
    asked = {"kernel": "rbf", "gamma": 0.1, "fit_inverse_transform": True, "alpha": 0.3}

    def error(model):
        return np.mean((model.inverse_transform(model.transform(test)) - clean) ** 2)

    noise = np.mean((test - clean) ** 2)
    ours = error(Nystroem(n_components=100, random_state=3, **asked).fit(train))
    theirs = error(KernelPCA(n_components=100, **asked).fit(train))
    assert ours < 0.5 * noise
    assert ours < 1.05 * theirs


@pytest.mark.parametrize("alpha", [0.0, 1e-9])
def test_points_far_apart_are_found_again(alpha):
    X = 3 * data(40)
    model = Nystroem(
        gamma=0.3, n_components=40, fit_inverse_transform=True, alpha=alpha, random_state=3
    )
    np.testing.assert_allclose(model.inverse_transform(model.fit_transform(X)), X, atol=1e-5)


def test_ways_back_of_sparse_data_callables_points_and_single_precision():
    X = data() * (data() > 0.5)
    asked = {"gamma": 0.3, "n_components": 20, "fit_inverse_transform": True, "random_state": 1}
    dense = Nystroem(**asked).fit(X)
    want = dense.inverse_transform(dense.transform(X))
    sparse = Nystroem(**asked).fit(scipy.sparse.csr_array(X))
    Z = sparse.transform(scipy.sparse.csr_array(X))
    np.testing.assert_allclose(sparse.inverse_transform(Z), want, atol=1e-6)
    single = Nystroem(**asked).fit(X.astype("f4"))
    found = single.inverse_transform(single.transform(X.astype("f4")))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, want, atol=1e-2)
    linear = Nystroem(lambda x, y: float(x @ y), n_components=6, fit_inverse_transform=True,
                      alpha=0.0, random_state=1).fit(X)  # fmt: skip
    np.testing.assert_allclose(linear.inverse_transform(linear.transform(X)), X, atol=1e-8)
    points = Nystroem(gamma=0.3, landmarks=X[dense.component_indices_], fit_inverse_transform=True)
    points.fit(X)
    np.testing.assert_allclose(points.inverse_transform(points.transform(X)), want, atol=1e-6)


def test_twice_the_same_landmark_does_no_harm():
    X, index = data(), np.r_[np.arange(15), np.arange(15)]
    asked = {"gamma": 0.3, "fit_inverse_transform": True, "alpha": 1e-3}
    once = Nystroem(landmarks=index[:15], **asked).fit(X)
    twice = Nystroem(landmarks=index, **asked).fit(X)
    np.testing.assert_allclose(
        twice.inverse_transform(twice.transform(X)),
        once.inverse_transform(once.transform(X)),
        atol=1e-6,
    )


def test_ways_back_that_are_none():
    model = Nystroem(n_components=5).fit(data())
    with pytest.raises(NotFittedError, match="fit_inverse_transform must be True for inverse_tra"):
        model.inverse_transform(model.transform(data()))
    model = Nystroem(n_components=5, fit_inverse_transform=True).fit(data())
    with pytest.raises(ValueError, match="X must have 5 columns, one for each feature, got 6"):
        model.inverse_transform(data())
    with pytest.raises(ValueError, match="alpha must be a number, at least 0, got -1"):
        Nystroem(n_components=5, fit_inverse_transform=True, alpha=-1).fit(data())
    with pytest.raises(ValueError, match="fit_inverse_transform must be False for kernel='chi2'"):
        Nystroem("chi2", n_components=5, fit_inverse_transform=True).fit(data())
    model.set_params(fit_inverse_transform=True).fit(data()).set_params(fit_inverse_transform=False)
    with pytest.raises(NotFittedError, match="fit_inverse_transform must be True"):
        model.fit(data(20)).inverse_transform(data(20)[:, :5])  # not by what was learnt before
    assert not hasattr(model, "transformed_components_")


def test_the_chi2_kernel_keeps_its_own_scale():
    X = abs(data(20))
    F = Nystroem("chi2", n_components=20).fit_transform(X)
    np.testing.assert_allclose(F @ F.T, pairwise_kernels(X, metric="chi2"), atol=1e-8)
