"""Kernel matrices beside scikit-learn's, and far from the origin."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import Matern
from sklearn.metrics.pairwise import laplacian_kernel, linear_kernel, polynomial_kernel, rbf_kernel

from lrla.lowrank import KernelMatrix

REFERENCE = {
    "rbf": ({"gamma": 0.3}, lambda X, Y: rbf_kernel(X, Y, 0.3)),
    "rbf default": ({}, rbf_kernel),
    "laplacian": ({"gamma": 0.3}, lambda X, Y: laplacian_kernel(X, Y, 0.3)),
    "matern 1/2": ({"nu": 0.5, "length_scale": 2.0}, Matern(2.0, nu=0.5)),
    "matern 3/2": ({"nu": 1.5, "length_scale": 2.0}, Matern(2.0, nu=1.5)),
    "matern 5/2": ({"nu": 2.5, "length_scale": 2.0}, Matern(2.0, nu=2.5)),
    "matern inf": ({"nu": np.inf, "length_scale": 2.0}, Matern(2.0, nu=np.inf)),
    "linear": ({}, linear_kernel),
    "polynomial": (
        {"degree": 4, "gamma": 0.2, "coef0": 0.5},
        lambda X, Y: polynomial_kernel(X, Y, 4, 0.2, 0.5),
    ),
    "polynomial default": ({}, polynomial_kernel),
}


def make(name, X):
    return KernelMatrix(X, name.split()[0], **REFERENCE[name][0])


@pytest.mark.parametrize("name", REFERENCE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_entries(backend, name, dtype):
    rng = np.random.default_rng(90210)
    X, Y = rng.standard_normal((20, 3)).astype(dtype), rng.standard_normal((7, 3)).astype(dtype)
    K = make(name, backend.asarray(X))
    want = REFERENCE[name][1](X.astype("f8"), X.astype("f8"))
    unit = 1e-5 if dtype == "float32" else 1e-13
    rows = np.array([4, 4, 0, 19])
    for columns in (slice(None), slice(3, 9), np.array([2, 4])):
        at = columns if isinstance(columns, slice) else backend.asarray(columns)
        got = backend.to_numpy(K.block(backend.asarray(rows), at))
        assert got.dtype == X.dtype
        np.testing.assert_allclose(got, want[rows][:, columns], rtol=unit, atol=unit)
    np.testing.assert_allclose(backend.to_numpy(K.diagonal()), np.diag(want), rtol=unit)
    got = backend.to_numpy(K.cross(backend.asarray(Y), slice(0, 5)))
    np.testing.assert_allclose(
        got, REFERENCE[name][1](Y.astype("f8"), X[:5].astype("f8")), rtol=unit, atol=unit
    )
    assert K.shape == (20, 20)


def test_callables():
    X = np.random.default_rng(5).standard_normal((40, 3))
    K = KernelMatrix(X, lambda A, B: (A @ B.T) ** 2)
    np.testing.assert_allclose(K.diagonal(), (X**2).sum(axis=1) ** 2)
    np.testing.assert_allclose(K.block([3], slice(None)), ((X @ X[3]) ** 2)[None])
    assert "callable" in repr(K)


@pytest.mark.parametrize("name", ["rbf", "matern 3/2"])
def test_far_from_the_origin(name):
    """Squared distances by inner products lose 12 digits here, unless points are moved first."""
    X = np.random.default_rng(5).standard_normal((40, 3))
    near, far = (
        make(name, points).block(np.arange(40), slice(None)) for points in (X, X + 2.0**20)
    )
    np.testing.assert_allclose(far, near, atol=1e-8)


@pytest.mark.parametrize("name", ["rbf", "matern 1/2"])
def test_near_each_other_and_far_out(name):
    """Inner products would leave three digits of these distances."""
    X = np.concatenate([np.full((20, 2), 1e3), np.zeros((20, 2))])
    X[:20] += np.linspace(0, 1e-4, 20)[:, None]
    exact = [[float(sum((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(x, y, strict=True)))
              for y in X[:20]] for x in X[:20]]  # fmt: skip
    parameters = REFERENCE[name][0]
    squares = np.array(exact)
    want = {
        "rbf": np.expm1(-parameters.get("gamma", 0) * squares),
        "matern 1/2": np.expm1(-np.sqrt(squares) / parameters.get("length_scale", 1)),
    }[name]
    got = make(name, X).block(np.arange(20), slice(0, 20)) - 1
    np.testing.assert_allclose(got, want, atol=4e-16)


def test_no_points():
    K = KernelMatrix(np.zeros((0, 3)))
    assert K.diagonal().shape == (0,)
    assert K.block(np.zeros(0, int), slice(None)).shape == (0, 0)
    assert KernelMatrix(np.zeros((4, 3))).cross(np.zeros((0, 3)), [0, 1]).shape == (0, 2)


def test_what_is_refused():
    X = np.ones((4, 2))
    for name, value, rule in (
        ("gamma", 0, "positive and finite"),
        ("gamma", np.inf, "positive and finite"),
        ("length_scale", -1.0, "positive and finite"),
        ("nu", 2, "0.5, 1.5, 2.5 or inf"),
        ("degree", 1.5, "an integer, at least 1"),
        ("degree", 0, "an integer, at least 1"),
        ("coef0", -1.0, "not be negative"),
    ):
        with pytest.raises(ValueError, match=f"{name} must .*{rule}.*, got"):
            KernelMatrix(X, **{name: value})
    with pytest.raises(
        ValueError, match=r"kernel must be callable or one of rbf, .*, got 'cosine'"
    ):
        KernelMatrix(X, "cosine")
    with pytest.raises(TypeError, match="X must be real, got complex points"):
        KernelMatrix(1j * X)
    with pytest.raises(ValueError, match="X must be finite, got NaN"):
        KernelMatrix(X * np.nan)
    with pytest.raises(ValueError, match="Y must have 2 columns, as X has, got 3"):
        KernelMatrix(X).cross(np.ones((1, 3)), [0])
    with pytest.raises(ValueError, match="Y must be finite"):
        KernelMatrix(X).cross(np.full((1, 2), np.inf), [0])
