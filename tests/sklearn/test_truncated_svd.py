"""TruncatedSVD beside scikit-learn's."""

import numpy as np
import pytest
import scipy.sparse
import sklearn.decomposition
from sklearn.utils.estimator_checks import parametrize_with_checks

from lrla.sklearn import TruncatedSVD


@parametrize_with_checks(
    [
        TruncatedSVD(),
        TruncatedSVD(center=True),
        TruncatedSVD(tol=0.5),
        TruncatedSVD(algorithm="randomized", n_iter=5),
    ]
)
def test_conventions_of_scikit_learn(estimator, check):
    check(estimator)


def data():
    rng = np.random.default_rng(90210)
    return scipy.sparse.random_array((400, 150), density=0.1, rng=rng, format="csr")


@pytest.mark.parametrize("kind", ["csr", "csc", "dense"])
def test_the_same_as_scikit_learn(kind):
    X = data()
    X = X.toarray() if kind == "dense" else X.asformat(kind)
    theirs = sklearn.decomposition.TruncatedSVD(4, algorithm="arpack", random_state=7).fit(X)
    ours = TruncatedSVD(4, algorithm="krylov", random_state=7)
    coordinates = ours.fit_transform(X)
    np.testing.assert_allclose(ours.singular_values_, theirs.singular_values_, rtol=1e-10)
    np.testing.assert_allclose(
        np.abs(ours.components_ @ theirs.components_.T), np.eye(4), atol=1e-8
    )
    np.testing.assert_allclose(ours.explained_variance_, theirs.explained_variance_, rtol=1e-6)
    np.testing.assert_allclose(
        ours.explained_variance_ratio_, theirs.explained_variance_ratio_, rtol=1e-6
    )
    np.testing.assert_allclose(ours.transform(X), coordinates, atol=1e-9)
    np.testing.assert_allclose(
        ours.inverse_transform(coordinates), coordinates @ ours.components_, atol=1e-12
    )


def test_centred_it_is_principal_components():
    X = data() + scipy.sparse.csr_array(np.ones((400, 150)))
    theirs = sklearn.decomposition.PCA(4, svd_solver="full").fit(X.toarray())
    ours = TruncatedSVD(4, center=True, algorithm="krylov", random_state=7).fit(X)
    np.testing.assert_allclose(ours.singular_values_, theirs.singular_values_, rtol=1e-9)
    np.testing.assert_allclose(ours.mean_, theirs.mean_)
    np.testing.assert_allclose(
        ours.explained_variance_ratio_, theirs.explained_variance_ratio_, rtol=1e-8
    )
    np.testing.assert_allclose(
        np.abs(ours.transform(X)), np.abs(theirs.transform(X.toarray())), atol=1e-8
    )


def test_a_tolerance_chooses_the_number_of_components():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((300, 7)) @ rng.standard_normal((7, 200))
    model = TruncatedSVD(tol=1e-6, random_state=7).fit(X)
    assert model.components_.shape == (7, 200)
    assert len(model.get_feature_names_out()) == 7
    np.testing.assert_allclose(model.inverse_transform(model.transform(X)), X, atol=1e-9)
    assert model.result_.info.error < 1e-6 * np.linalg.norm(X)


def test_too_many_components_are_refused():
    with pytest.raises(ValueError, match=r"n_components must be at most .*, 150, got 151"):
        TruncatedSVD(151).fit(data())


@pytest.mark.parametrize("algorithm", ["randomized", "arpack"])
def test_every_parameter_of_scikit_learn_is_known(algorithm):
    """The defaults of theirs, and what their algorithms give after many iterations."""
    chosen = {"n_iter": 100} if algorithm == "randomized" else {}
    theirs = sklearn.decomposition.TruncatedSVD(4, algorithm=algorithm, **chosen, random_state=7)
    ours = TruncatedSVD(**theirs.get_params())
    assert set(theirs.get_params()) < set(ours.get_params())
    X = data()
    coordinates = ours.fit_transform(X)
    theirs.fit(X)
    np.testing.assert_allclose(ours.singular_values_, theirs.singular_values_, rtol=1e-8)
    np.testing.assert_allclose(
        ours.explained_variance_ratio_, theirs.explained_variance_ratio_, rtol=1e-4
    )
    np.testing.assert_allclose(ours.transform(X), coordinates, atol=1e-12)
    assert ours.result_.info.method == {"randomized": "rsvd", "arpack": "krylov"}[algorithm]


@pytest.mark.parametrize("algorithm", ["auto", "krylov", "randomized"])
def test_power_iterations_are_passes(algorithm):
    X = data()
    for n_iter in (0, 1, 5):
        model = TruncatedSVD(4, algorithm=algorithm, n_iter=n_iter, random_state=7)
        coordinates = model.fit_transform(X)
        assert model.result_.info.passes == 2 * n_iter + 2
        np.testing.assert_allclose(model.transform(X), coordinates, atol=1e-12)


def test_features_that_do_not_vary_explain_nothing():
    model = TruncatedSVD(1, random_state=7).fit(np.ones((20, 5)))
    np.testing.assert_allclose(model.explained_variance_ratio_, [0.0], atol=1e-25)


def test_every_source_of_randomness():
    X = data()

    def fit(state):
        return TruncatedSVD(3, algorithm="randomized", n_iter=0, random_state=state).fit(X)

    for make in (lambda: 3, lambda: np.random.RandomState(3), lambda: np.random.default_rng(3)):
        np.testing.assert_array_equal(fit(make()).components_, fit(make()).components_)
    rng = np.random.default_rng(3)
    assert np.any(fit(rng).components_ != fit(rng).components_)
    assert fit(None).components_.shape == (3, 150)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_components": 2.5}, "n_components must be an integer, at least 1, got 2.5"),
        ({"n_components": 0}, "n_components must be an integer, at least 1, got 0"),
        ({"n_components": None}, "n_components must be an integer, at least 1, got None"),
        ({"n_components": "x"}, "n_components must be an integer, at least 1, got 'x'"),
        ({"n_iter": -1}, "n_iter must be an integer, at least 0, got -1"),
        ({"n_iter": -1, "algorithm": "arpack"}, "n_iter must be an integer, at least 0, got -1"),
        ({"n_iter": 3, "tol": 0.1}, "n_iter must be None where tol is given, got 3"),
        ({"n_oversamples": 20}, "n_oversamples must be at most 10, got 20; raise n_iter"),
        ({"n_oversamples": 0}, "n_oversamples must be an integer, at least 1, got 0"),
        ({"power_iteration_normalizer": "LU"}, "power_iteration_normalizer must be 'auto' or 'QR'"),
        ({"algorithm": "arpack", "tol": 0.1}, "tol is here the error of the approximation, not"),
        ({"algorithm": "randomized", "tol": 0.1}, "method 'rsvd' takes rank, not tol"),
        ({"algorithm": "lobpcg"}, "algorithm must be one of auto, .*, arpack, got 'lobpcg'"),
    ],
)
def test_mistakes_are_explained(parameters, message):
    with pytest.raises(ValueError, match=message):
        TruncatedSVD(**parameters).fit(data())


def test_coordinates_are_checked_on_the_way_back():
    X = np.random.default_rng(90210).standard_normal((20, 6))
    for estimator in (sklearn.decomposition.TruncatedSVD(3), TruncatedSVD(3)):
        Z = estimator.fit_transform(X)
        with pytest.raises(TypeError, match=r"[Ss]parse"):
            estimator.inverse_transform(scipy.sparse.csr_array(Z))
        with pytest.raises(ValueError, match="NaN"):
            estimator.inverse_transform(Z * np.nan)
