"""`TruncatedSVD`: scikit-learn's estimator of this name, by `lrla.lowrank.svd`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.sparsefuncs import mean_variance_axis
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from lrla._core.numbers import whole
from lrla.lowrank import SVDResult, svd
from lrla.sklearn._parameters import seed_from

_METHODS = {"randomized": "rsvd", "arpack": "krylov"}  # by the names of scikit-learn
_ALGORITHMS = ("auto", "krylov", "rsvd", "single_pass", "lapack", *_METHODS)
_MORE = 10  # columns that svd's sketches have beyond the rank, at least


class TruncatedSVD(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Reduce dimensions by leading singular vectors, to full accuracy or to a tolerance.

    Parameters
    ----------
    n_components : int, default 2
        Number of components, at most that of features and samples; ignored if ``tol`` is given.
    algorithm : str, default "auto"
        A ``method`` of `lrla.lowrank.svd`, or by scikit-learn's names "randomized", which is "rsvd",
        or "arpack", which is "krylov".
    n_iter : int, optional
        Number of power iterations, for a result after ``2 * n_iter + 2`` passes over the data,
        whatever its accuracy; of the default algorithm steps of "krylov", which is more accurate
        after as many passes. By default "auto" and "krylov" go on to full accuracy, and "arpack"
        does in any case.
    n_oversamples : int, default 10
        At most 10: sketches have 10 columns more than components, or more.
    power_iteration_normalizer : {"auto", "QR"}, default "auto"
        Bases are always made by QR.
    random_state : int, RandomState, Generator or None, default None
        Where the seed comes from.
    tol : float, optional
        As many components as it takes for a relative error of ``tol`` in the Frobenius norm; none
        if zero. Not for "arpack", of which scikit-learn's ``tol`` is that of the iteration.
    center : bool, default False
        Subtract the mean of every feature, without making sparse data dense: principal components.

    Attributes
    ----------
    components_ : array of shape (n_components, n_features)
        Right singular vectors.
    singular_values_ : array of shape (n_components,)
        Singular values.
    explained_variance_ : array of shape (n_components,)
        Variance of the transformed training data.
    explained_variance_ratio_ : array of shape (n_components,)
        The same, relative to the sum of the variances of all features; zero if that is zero.
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
        algorithm: str = "auto",
        n_iter: int | None = None,
        n_oversamples: int = 10,
        power_iteration_normalizer: str = "auto",
        random_state: Any = None,
        tol: float | None = None,
        center: bool = False,
    ) -> None:
        self.n_components = n_components
        self.algorithm = algorithm
        self.n_iter = n_iter
        self.n_oversamples = n_oversamples
        self.power_iteration_normalizer = power_iteration_normalizer
        self.random_state = random_state
        self.tol = tol
        self.center = center

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
        rank, tol, passes = self._checked(min(X.shape))
        self.result_: SVDResult = svd(
            X,
            rank,
            tol=tol,
            method=_METHODS.get(self.algorithm, self.algorithm),
            passes=passes,
            center=self.center,
            rng=seed_from(self.random_state),
        )
        self.components_ = self.result_.Vh
        self.singular_values_ = self.result_.s
        zero = np.zeros(X.shape[1], X.dtype)
        self.mean_ = np.asarray(X.mean(axis=0)).ravel().astype(X.dtype) if self.center else zero
        accurate = rank and passes is None and self.result_.info.method in ("krylov", "lapack")
        out = self.result_.U * self.result_.s if accurate else self._coordinates(X)
        self.explained_variance_ = np.var(out, axis=0)
        dense = isinstance(X, np.ndarray)
        variances = np.var(X, axis=0) if dense else mean_variance_axis(X, axis=0)[1]
        total = variances.sum()
        self.explained_variance_ratio_ = self.explained_variance_ / (total if total else 1)
        return out

    def _checked(self, most: int) -> tuple[int | None, float | None, int | None]:
        """Return rank, tolerance and passes for `svd`."""
        if self.algorithm not in _ALGORITHMS:
            raise ValueError(
                f"algorithm must be one of {', '.join(_ALGORITHMS)}, got {self.algorithm!r}"
            )
        tol = self.tol or None
        rank = None if tol is not None else whole(self.n_components, "n_components", 1)
        if rank is not None and rank > most:
            raise ValueError(
                "n_components must be at most the numbers of samples and of features, "
                f"{most}, got {rank}"
            )
        passes = None if self.n_iter is None else 2 * whole(self.n_iter, "n_iter", 0) + 2
        passes = None if self.algorithm == "arpack" else passes
        if tol is not None and self.algorithm == "arpack":
            raise ValueError(
                "tol is here the error of the approximation, not the tolerance of ARPACK; leave it "
                "out, or take algorithm='krylov'"
            )
        if tol is not None and passes is not None:
            raise ValueError(
                f"n_iter must be None where tol is given, got {self.n_iter}: passes go on until the "
                "error is small enough"
            )
        if whole(self.n_oversamples, "n_oversamples", 1) > _MORE:
            raise ValueError(
                f"n_oversamples must be at most {_MORE}, got {self.n_oversamples}; raise n_iter, or "
                "leave it out for full accuracy"
            )
        if self.power_iteration_normalizer not in ("auto", "QR"):
            raise ValueError(
                "power_iteration_normalizer must be 'auto' or 'QR', got "
                f"{self.power_iteration_normalizer!r}"
            )
        return rank, tol, passes

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
        return self._coordinates(X)

    def _coordinates(self, X: Any) -> Any:
        return X @ self.components_.T - self.mean_ @ self.components_.T

    def inverse_transform(self, X: Any) -> Any:
        """Return the data that have given coordinates.

        Parameters
        ----------
        X : array of shape (n_samples, n_components)
            Coordinates.
        """
        check_is_fitted(self)
        return check_array(X) @ self.components_ + self.mean_

    @property
    def _n_features_out(self) -> int:
        return int(self.components_.shape[0])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
