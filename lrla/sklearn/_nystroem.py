"""`Nystroem`: scikit-learn's, with a choice of landmarks."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.metrics.pairwise import KERNEL_PARAMS, pairwise_kernels
from sklearn.utils.validation import check_is_fitted, validate_data

from lrla.lowrank import KernelMatrix, kernel_features
from lrla.sklearn._parameters import count, seed_from

_OURS = {"rbf": "rbf", "laplacian": "laplacian", "linear": "linear"}
_OURS |= {"polynomial": "polynomial", "poly": "polynomial"}


class Nystroem(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Approximate a kernel map by a subset of the training data, or by given points.

    Parameters
    ----------
    kernel : str or callable, default "rbf"
        As for scikit-learn's Nystroem: a name that ``pairwise_kernels`` knows, or a function of two
        samples. What is not positive semidefinite on the landmarks is refused, as "sigmoid" and
        "additive_chi2" often are not.
    gamma : float, optional
        Parameter of the rbf, laplacian, polynomial, sigmoid and chi2 kernels.
    coef0 : float, optional
        Parameter of the polynomial and sigmoid kernels.
    degree : float, optional
        Parameter of the polynomial kernel.
    kernel_params : dict, optional
        Further parameters of a callable.
    n_components : int, default 100
        Number of landmarks, and of features.
    landmarks : array or str, default "rp_cholesky"
        "rp_cholesky", "nuclear", "greedy", "rls", "bless" or "uniform":
        how landmarks are chosen (`lrla.lowrank.kernel_features`), or which they are: a vector of
        indices of training samples, or a matrix of points, one a row. "uniform" is what
        scikit-learn's does.
    random_state : int, RandomState, Generator or None, optional
        Where the seed comes from.
    n_jobs : int, optional
        For kernels that scikit-learn computes.

    Attributes
    ----------
    components_ : array of shape (n_components, n_features)
        The landmarks.
    component_indices_ : array of shape (n_components,)
        Indices of the landmarks among the training samples; None if points were given.
    normalization_ : array of shape (n_components, n_components)
        Inverse square root of the kernel matrix of the landmarks.
    relative_error_ : float
        Trace of the error of the kernel matrix of the training data, relative to its trace; of that
        of the landmarks, if points were given.
    n_features_in_ : int
        Number of features seen during ``fit``.

    See Also
    --------
    lrla.lowrank.kernel_features : the function that this covers.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from lrla.sklearn import Nystroem
    >>> X = load_digits().data / 16
    >>> Nystroem(gamma=0.2, n_components=50, random_state=7).fit_transform(X).shape
    (1797, 50)
    """

    def __init__(
        self,
        kernel: Any = "rbf",
        *,
        gamma: float | None = None,
        coef0: float | None = None,
        degree: float | None = None,
        kernel_params: dict[str, Any] | None = None,
        n_components: int = 100,
        landmarks: Any = "rp_cholesky",
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.kernel = kernel
        self.gamma = gamma
        self.coef0 = coef0
        self.degree = degree
        self.kernel_params = kernel_params
        self.n_components = n_components
        self.landmarks = landmarks
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Nystroem:
        """Choose the landmarks and compute their normalization.

        Parameters
        ----------
        X : array or sparse matrix of shape (n_samples, n_features)
            Training data.
        y : object
            Ignored.

        Returns
        -------
        Nystroem
            The estimator itself.
        """
        X = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32])
        given = None if isinstance(self.landmarks, str) else np.asarray(self.landmarks)
        if given is not None and given.ndim == 2:
            if given.shape[1] != X.shape[1]:
                raise ValueError(
                    f"landmarks must have {X.shape[1]} columns, as X has, got {given.shape[1]}"
                )
            points = given.astype(X.dtype)
            features = kernel_features(self._matrix(points), landmarks=np.arange(len(points)))
            self.components_, self.component_indices_ = points, None
        else:
            rank = self._rank(X.shape[0]) if given is None else None
            state = seed_from(self.random_state)
            landmarks = self.landmarks if given is None else given
            features = kernel_features(self._matrix(X), rank, landmarks=landmarks, rng=state)
            self.component_indices_ = np.asarray(features.indices)
            self.components_ = X[self.component_indices_]
        self.normalization_ = np.asarray(features.normalization, dtype=X.dtype)
        self.relative_error_ = float(features.info.relative_error)
        self._n_features_out = self.normalization_.shape[1]
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Compute the features of samples.

        Parameters
        ----------
        X : array or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        array of shape (n_samples, n_components)
            Their features.
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False)
        matrix = self._matrix(self.components_)
        if isinstance(matrix, KernelMatrix) and isinstance(X, np.ndarray):
            values = matrix.cross(X, slice(None))
        else:
            values = _pairwise(self, X, self.components_)
        return np.asarray(values @ self.normalization_, dtype=X.dtype)

    def _rank(self, n: int) -> int:
        """Return the number of landmarks that there can be."""
        wanted = count("n_components", self.n_components, 1)
        if wanted <= n:
            return wanted
        warnings.warn(
            f"n_components={self.n_components} is more than the {n} samples, and was set to that",
            stacklevel=3,
        )
        return n

    def _matrix(self, X: Any) -> Any:
        """Return the kernel matrix of samples: ours where it is one that we have."""
        ours = isinstance(self.kernel, str) and self.kernel in _OURS
        if ours and isinstance(X, np.ndarray) and not self.kernel_params:
            chosen: dict[str, Any] = {
                "gamma": self.gamma,
                "coef0": self.coef0,
                "degree": self.degree,
            }
            chosen = {k: v for k, v in chosen.items() if v is not None}
            return KernelMatrix(X, _OURS[self.kernel], **chosen)
        return _Samples(self, X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _pairwise(estimator: Nystroem, X: Any, Y: Any) -> Any:
    params = dict(estimator.kernel_params or {})
    if not callable(estimator.kernel):
        known = KERNEL_PARAMS.get(estimator.kernel, ())
        for name in ("gamma", "coef0", "degree"):
            value = getattr(estimator, name)
            if value is not None and name in known:
                params[name] = value
    return pairwise_kernels(X, Y, metric=estimator.kernel, n_jobs=estimator.n_jobs, **params)


class _Samples:
    """The kernel matrix of samples by scikit-learn's kernels."""

    def __init__(self, estimator: Nystroem, X: Any) -> None:
        self.estimator, self.X = estimator, X
        self.shape, self.dtype = (X.shape[0], X.shape[0]), X.dtype

    def diagonal(self) -> np.ndarray:
        parts = [self.X[i : i + 16] for i in range(0, self.shape[0], 16)]
        blocks = [np.diagonal(_pairwise(self.estimator, part, part)) for part in parts]
        return np.asarray(np.concatenate(blocks), dtype=self.dtype)

    def block(self, rows: Any, columns: Any) -> np.ndarray:
        values = _pairwise(self.estimator, self.X[np.asarray(rows)], self.X[columns])
        return np.asarray(values, dtype=self.dtype)
