"""TruncatedSVD beside scikit-learn's."""

import numpy as np
import pytest
import scipy.sparse
import sklearn.decomposition
from sklearn.utils.estimator_checks import parametrize_with_checks

from lrla.sklearn import TruncatedSVD


@parametrize_with_checks([TruncatedSVD(), TruncatedSVD(center=True), TruncatedSVD(tol=0.5)])
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
    ours = TruncatedSVD(4, method="krylov", random_state=7)
    coordinates = ours.fit_transform(X)
    np.testing.assert_allclose(ours.singular_values_, theirs.singular_values_, rtol=1e-10)
    np.testing.assert_allclose(
        np.abs(ours.components_ @ theirs.components_.T), np.eye(4), atol=1e-8
    )
    np.testing.assert_allclose(ours.explained_variance_, theirs.explained_variance_, rtol=1e-6)
    np.testing.assert_allclose(ours.transform(X), coordinates, atol=1e-9)
    np.testing.assert_allclose(
        ours.inverse_transform(coordinates), coordinates @ ours.components_, atol=1e-12
    )


def test_centred_it_is_principal_components():
    X = data() + scipy.sparse.csr_array(np.ones((400, 150)))
    theirs = sklearn.decomposition.PCA(4, svd_solver="full").fit(X.toarray())
    ours = TruncatedSVD(4, center=True, method="krylov", random_state=7).fit(X)
    np.testing.assert_allclose(ours.singular_values_, theirs.singular_values_, rtol=1e-9)
    np.testing.assert_allclose(ours.mean_, theirs.mean_)
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
    with pytest.raises(ValueError, match=r"rank must be an integer between 1 and .* got 151"):
        TruncatedSVD(151).fit(data())
