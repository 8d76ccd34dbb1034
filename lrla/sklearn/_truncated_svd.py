"""`TruncatedSVD`: scikit-learn's estimator of this name, by `lrla.lowrank.svd`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from lrla.lowrank import SVDResult, svd


class TruncatedSVD(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Reduce dimensions by leading singular vectors, to full accuracy or to a tolerance.

    Parameters
    ----------
    n_components : int, default 2
        Number of components, at most that of features and samples; ignored if ``tol`` is given.
    tol : float, optional
        As many components as it takes for a relative error of ``tol`` in the Frobenius norm.
    center : bool, default False
        Subtract the mean of every feature, without making sparse data dense: principal components.
    method : str, default "auto"
        As for `lrla.lowrank.svd`.
    random_state : int, RandomState or None, default None
        Where the seed comes from.

    Attributes
    ----------
    components_ : array of shape (n_components, n_features)
        Right singular vectors.
    singular_values_ : array of shape (n_components,)
        Singular values.
    explained_variance_ : array of shape (n_components,)
        Variance of the transformed training data.
    mean_ : array of shape (n_features,)
        What ``transform`` subtracts: zero unless ``center``.
    result_ : SVDResult
        What `lrla.lowrank.svd` returned, with the errors that it measured.

    Notes
    -----
    The signs of the components are those of `lrla.lowrank.svd`. Cost: that of `lrla.lowrank.svd`.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sklearn import TruncatedSVD
    >>> X = np.random.default_rng(7).standard_normal((100, 5)) @ np.diag([9.0, 5, 1, 1, 1])
    >>> TruncatedSVD(2, random_state=7).fit_transform(X).shape
    (100, 2)
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        tol: float | None = None,
        center: bool = False,
        method: str = "auto",
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.tol = tol
        self.center = center
        self.method = method
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> TruncatedSVD:
        """Find the components.

        Parameters
        ----------
        X : array or sparse matrix of shape (n_samples, n_features)
            Data.
        y : None
            Ignored.
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Find the components and return the coordinates of the data on them.

        Parameters
        ----------
        X : array or sparse matrix of shape (n_samples, n_features)
            Data.
        y : None
            Ignored.
        """
        X = validate_data(self, X, accept_sparse=("csr", "csc"), dtype=(np.float64, np.float32))
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        rank = None if self.tol is not None else self.n_components
        self.result_: SVDResult = svd(
            X, rank, tol=self.tol, center=self.center, method=self.method, rng=int(seed)
        )
        self.components_ = self.result_.Vh
        self.singular_values_ = self.result_.s
        zero = np.zeros(X.shape[1], X.dtype)
        self.mean_ = np.asarray(X.mean(axis=0)).ravel().astype(X.dtype) if self.center else zero
        out = self.result_.U * self.result_.s
        self.explained_variance_ = np.var(out, axis=0)
        return out

    def transform(self, X: Any) -> Any:
        """Return the coordinates of data on the components.

        Parameters
        ----------
        X : array or sparse matrix of shape (n_samples, n_features)
            Data.
        """
        check_is_fitted(self)
        X = validate_data(
            self, X, accept_sparse=("csr", "csc"), dtype=(np.float64, np.float32), reset=False
        )
        return X @ self.components_.T - self.mean_ @ self.components_.T

    def inverse_transform(self, X: Any) -> Any:
        """Return the data that have given coordinates.

        Parameters
        ----------
        X : array of shape (n_samples, n_components)
            Coordinates.
        """
        check_is_fitted(self)
        return np.asarray(X) @ self.components_ + self.mean_

    @property
    def _n_features_out(self) -> int:
        return int(self.components_.shape[0])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
