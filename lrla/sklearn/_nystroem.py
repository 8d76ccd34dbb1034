"""`Nystroem`: scikit-learn's, with a choice of landmarks, and a way back from features to data."""

from __future__ import annotations

import math
import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.metrics.pairwise import KERNEL_PARAMS, pairwise_kernels
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from lrla._core.numbers import whole
from lrla.lowrank import KernelMatrix, kernel_features
from lrla.regression import lstsq
from lrla.sklearn._parameters import seed_from

_OURS = {"rbf": "rbf", "laplacian": "laplacian", "linear": "linear"}
_OURS |= {"polynomial": "polynomial", "poly": "polynomial"}
_LEAST = {"gamma": 0, "coef0": -math.inf, "degree": 1}
_POSITIVE = ("chi2", "additive_chi2")  # kernels of what is nowhere negative, as features are


class Nystroem(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Approximate a kernel map by a subset of the training data, or by given points.

    Parameters
    ----------
    kernel : str or callable, default "rbf"
        As for scikit-learn's Nystroem: a name that ``pairwise_kernels`` knows, a function of two
        samples, or "precomputed". What is not positive semidefinite on the landmarks is refused, as
        "sigmoid" and "additive_chi2" often are not. With "precomputed" X is the kernel matrix of the
        training samples, and for ``transform`` that of samples with all training samples.
    gamma : float, optional
        Parameter of the rbf, laplacian, polynomial, sigmoid and chi2 kernels; like the next two
        ignored by other names, and refused with a callable or "precomputed".
    coef0 : float, optional
        Parameter of the polynomial and sigmoid kernels.
    degree : float, optional
        Parameter of the polynomial kernel.
    kernel_params : dict, optional
        Parameters of a callable, or the three above by their names.
    n_components : int, default 100
        Number of landmarks, and of features; fewer if the first three choices of landmarks have
        reached the rank of the kernel matrix.
    landmarks : array or str, default "rp_cholesky"
        "rp_cholesky", "nuclear", "greedy", "rls", "bless" or "uniform":
        how landmarks are chosen (`lrla.lowrank.kernel_features`), or which they are: a vector of
        indices of training samples, or a matrix of points, one a row. "uniform" is what
        scikit-learn's does.
    fit_inverse_transform : bool, default False
        Learn the way back from features to samples, as scikit-learn's KernelPCA does.
    alpha : float, default 1.0
        Ridge of the regression that learns it.
    random_state : int, RandomState, Generator or None, optional
        Where the seed comes from.
    n_jobs : int, optional
        For kernels that scikit-learn computes.

    Attributes
    ----------
    components_ : array of shape (n_components, n_features)
        The landmarks; their rows of a precomputed kernel.
    component_indices_ : array of shape (n_components,)
        Indices of the landmarks among the training samples; None if points were given.
    normalization_ : array of shape (n_components, n_components)
        Inverse square root of the kernel matrix of the landmarks.
    relative_error_ : float
        Trace of the error of the kernel matrix of the training data, relative to its trace; of that
        of the landmarks, if points were given.
    transformed_components_ : array of shape (n_components, n_components)
        Features of the landmarks; only with ``fit_inverse_transform``, as the next.
    dual_coef_ : array of shape (n_components, n_features)
        What ``inverse_transform`` multiplies kernel values between features and these with.
    n_features_in_ : int
        Number of features seen during ``fit``.

    See Also
    --------
    lrla.lowrank.kernel_features : the function that this covers.

    Notes
    -----
    ``inverse_transform`` is kernel ridge regression from features to samples, with the same kernel
    between features [1]_. scikit-learn's KernelPCA has a coefficient for every sample, and so takes
    n**3 operations; here it is one for every landmark, n k**2 + n k p for n samples of p numbers and
    k landmarks. With all samples as landmarks the two agree.

    References
    ----------
    .. [1] G. H. Bakir, J. Weston and B. Schoelkopf, "Learning to find pre-images", Advances in Neural
       Information Processing Systems 16, 2004.

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
        fit_inverse_transform: bool = False,
        alpha: Any = 1.0,
        random_state: Any = None,
        n_jobs: Any = None,
    ) -> None:
        self.kernel = kernel
        self.gamma = gamma
        self.coef0 = coef0
        self.degree = degree
        self.kernel_params = kernel_params
        self.n_components = n_components
        self.landmarks = landmarks
        self.fit_inverse_transform = fit_inverse_transform
        self.alpha = alpha
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
        self._check_kernel(X)
        if hasattr(self, "dual_coef_"):  # of an earlier fit
            del self.dual_coef_, self.transformed_components_
        if self.fit_inverse_transform:
            self._check_inverse()
        given = None if isinstance(self.landmarks, str) else np.asarray(self.landmarks)
        if given is not None and given.ndim == 2 and self.kernel != "precomputed":
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
        if self.fit_inverse_transform:
            self._fit_inverse(X)
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
        return self._features(X)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Compute samples from their features.

        Parameters
        ----------
        X : array of shape (n_samples, n_components)
            Features.

        Returns
        -------
        array of shape (n_samples, n_features)
            Samples of which these may be the features. What is no feature of the training data,
            such as noise, is mostly left out.

        Raises
        ------
        NotFittedError
            If ``fit_inverse_transform`` was not set.
        """
        check_is_fitted(self)
        if not hasattr(self, "dual_coef_"):
            raise NotFittedError(
                "fit_inverse_transform must be True for inverse_transform; set it and fit again"
            )
        X = check_array(X, dtype=[np.float64, np.float32])
        size = self.transformed_components_.shape[1]
        if X.shape[1] != size:
            raise ValueError(f"X must have {size} columns, one for each feature, got {X.shape[1]}")
        values = self._kernel_values(X, self.transformed_components_)
        return np.asarray(values @ self.dual_coef_, dtype=X.dtype)

    def _features(self, X: Any) -> np.ndarray:
        if self.kernel == "precomputed":
            values = X[:, self.component_indices_]
        else:
            values = self._kernel_values(X, self.components_)
        return np.asarray(values @ self.normalization_, dtype=X.dtype)

    def _fit_inverse(self, X: Any) -> None:
        """Learn samples from features: ridge regression on features of features."""
        points = self._features(self.components_)
        root = kernel_features(self._matrix(points), landmarks=np.arange(len(points)))
        Q, R = np.linalg.qr(self._kernel_values(self._features(X), points) @ root.normalization)
        coefficients = lstsq(R, (X.T @ Q).T, ridge=self.alpha, method="direct").x
        self.transformed_components_: np.ndarray = points
        self.dual_coef_: np.ndarray = np.asarray(root.normalization @ coefficients, dtype=X.dtype)

    def _check_kernel(self, X: Any) -> None:
        if not (callable(self.kernel) or self.kernel == "precomputed"):
            if not (isinstance(self.kernel, str) and self.kernel in KERNEL_PARAMS):
                raise ValueError(
                    f"kernel must be callable or one of {', '.join(KERNEL_PARAMS)}, precomputed, got "
                    f"{self.kernel!r}"
                )
        elif any(value is not None for value in self._own().values()):
            raise ValueError(
                "gamma, coef0 and degree must be None for a callable or precomputed kernel, got "
                f"gamma={self.gamma}, coef0={self.coef0}, degree={self.degree}; parameters of a "
                "callable go into kernel_params"
            )
        if not (self.kernel_params is None or isinstance(self.kernel_params, dict)):
            raise ValueError(f"kernel_params must be a dict or None, got {self.kernel_params!r}")
        for name, value in self._own().items():
            if value is not None and not (
                isinstance(value, Real) and _LEAST[name] <= float(value) < math.inf
            ):
                raise ValueError(f"{name} must be a number, at least {_LEAST[name]}, got {value!r}")
        if not (self.n_jobs is None or isinstance(self.n_jobs, Integral)):
            raise ValueError(f"n_jobs must be an integer or None, got {self.n_jobs!r}")
        if self.kernel == "precomputed" and X.shape[0] != X.shape[1]:
            raise ValueError(f"X must be square, a precomputed kernel matrix, got shape {X.shape}")

    def _check_inverse(self) -> None:
        if not (isinstance(self.alpha, Real) and 0 <= float(self.alpha) < math.inf):
            raise ValueError(f"alpha must be a number, at least 0, got {self.alpha!r}")
        if self.kernel == "precomputed":
            raise ValueError(
                "fit_inverse_transform must be False for kernel='precomputed', which knows no features"
            )
        if self.kernel in _POSITIVE:
            raise ValueError(
                f"fit_inverse_transform must be False for kernel={self.kernel!r}, which has no values "
                "for features, as these are negative, too"
            )

    def _kernel_values(self, X: Any, points: Any) -> Any:
        """Compute the kernel between samples, or features, and others."""
        matrix = self._matrix(points)
        if isinstance(matrix, KernelMatrix) and isinstance(X, np.ndarray):
            return matrix.cross(X, slice(None))
        return _pairwise(self, X, points)

    def _own(self) -> dict[str, Any]:
        return {"gamma": self.gamma, "coef0": self.coef0, "degree": self.degree}

    def _parameters(self) -> dict[str, Any]:
        """Return the parameters of the kernel that are set, or depend on the number of features."""
        params = dict(self.kernel_params or {})
        if callable(self.kernel):
            return params
        params |= {name: value for name, value in self._own().items() if value is not None}
        if params.get("gamma") is None and self.kernel != "chi2":  # features have another default
            params["gamma"] = 1.0 / self.n_features_in_
        known = KERNEL_PARAMS[self.kernel]
        return {
            name: value for name, value in params.items() if name in known and value is not None
        }

    def _rank(self, n: int) -> int:
        """Return the number of landmarks that there can be."""
        wanted = whole(self.n_components, "n_components", 1)
        if wanted <= n:
            return wanted
        warnings.warn(
            f"n_components={self.n_components} is more than the {n} samples, and was set to that",
            stacklevel=3,
        )
        return n

    def _matrix(self, X: Any) -> Any:
        """Return the kernel matrix of samples: ours where it is one that we have."""
        if self.kernel == "precomputed":
            return X
        ours = isinstance(self.kernel, str) and self.kernel in _OURS
        params = self._parameters()
        if ours and isinstance(X, np.ndarray) and _is_kernel(params):
            return KernelMatrix(X, _OURS[self.kernel], **params)
        return _Samples(self, X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.pairwise = self.kernel == "precomputed"
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _is_kernel(params: dict[str, Any]) -> bool:
    """Tell whether parameters give a kernel whatever the samples are."""
    degree = params.get("degree", 1)
    return params.get("gamma", 1) > 0 and params.get("coef0", 0) >= 0 and int(degree) == degree


def _pairwise(estimator: Nystroem, X: Any, Y: Any) -> Any:
    params = estimator._parameters()
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
