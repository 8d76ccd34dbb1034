"""P11: sketches with Kronecker structure, applied to factors, are the matrix on their product."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from families import assert_near, matrix
from hypothesis import given

from lrla import sketch

MAKERS = {
    "tensor_sketch": sketch.TensorSketch,
    "tensor_srht": sketch.TensorSRHT,
    "khatri_rao": sketch.KhatriRao,
    "khatri_rao_signs": lambda d, dims, rng: sketch.KhatriRao(d, dims, base="rademacher", rng=rng),
    "khatri_rao_normal": lambda d, dims, rng: sketch.KhatriRao(d, dims, base="gaussian", rng=rng),
}
makers = pytest.mark.parametrize("name", MAKERS)


def kronecker(factors):
    """Columns in the order of numpy.kron, one product after the other."""
    out = factors[0]
    for F in factors[1:]:
        out = np.kron(out, F)
    return out


def khatri_rao(factors):
    """Column by column."""
    columns = []
    for j in range(factors[0].shape[1]):
        column = np.ones(1)
        for F in factors:
            column = np.kron(column, F[:, j])
        columns.append(column)
    return np.array(columns).T.reshape(math.prod(F.shape[0] for F in factors), -1)


@makers
@given(
    dims=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    d=st.integers(1, 9),
    n=st.integers(1, 3),
    complex_data=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_p11_factors(name, dims, d, n, complex_data, seed):
    S, dtype = MAKERS[name](d, dims, rng=seed), "c16" if complex_data else "f8"
    factors = [matrix(size, n, dtype, [seed, k]) for k, size in enumerate(dims)]
    before = [F.copy() for F in factors]
    # the FFT adds up rounding of the size of its largest term
    unit = 1e-12
    assert_near(S.khatri_rao(factors), S @ khatri_rao(factors), unit=unit)
    assert_near(S.khatri_rao(factors), S.toarray() @ khatri_rao(factors), unit=unit)
    assert_near(S.kronecker(factors), S.toarray() @ kronecker(factors), unit=unit)
    vectors = [F[:, 0] for F in factors]
    assert S.khatri_rao(vectors).shape == (d,)
    assert_near(S.khatri_rao(vectors), S.toarray() @ khatri_rao(factors)[:, 0], unit=unit)
    assert_near(S.kronecker(vectors), S.khatri_rao(vectors), unit=unit)
    for F, old in zip(factors, before, strict=True):
        np.testing.assert_array_equal(F, old)


@makers
def test_p11_factors_with_different_columns_and_orders(name):
    S = MAKERS[name](20, (5, 9, 3), rng=31415)
    factors = [
        np.asfortranarray(matrix(5, 2, "f8", 1)),
        matrix(9, 4, "f8", 2)[::-1],
        matrix(3, 1, "f8", 3),
    ]
    out = S.kronecker(factors)
    assert out.shape == (20, 8)
    assert_near(out, S.toarray() @ kronecker(factors), unit=1e-12)
    mixed = [factors[0], factors[1], factors[2][:, 0]]
    assert_near(S.kronecker(mixed), out)
    integers = [matrix(size, 2, "i4", size) for size in (5, 9, 3)]
    assert_near(S.khatri_rao(integers), S.toarray() @ khatri_rao(integers), unit=1e-12)
    assert S.kronecker([np.ones((5, 0)), np.ones((9, 2)), np.ones((3, 2))]).shape == (20, 0)
    assert S.khatri_rao([np.ones((size, 0)) for size in (5, 9, 3)]).shape == (20, 0)


@makers
@pytest.mark.parametrize("dtype", ["float32", "complex64", "float64", "complex128"])
def test_p11_in_every_array_library(name, dtype, backend):
    S, xp = MAKERS[name](20, (5, 9), rng=27182), backend.xp
    factors = [matrix(5, 3, dtype, 4), matrix(9, 3, dtype, 5)]
    given_factors = [backend.asarray(F) for F in factors]
    unit = 5e-6 if dtype in ("float32", "complex64") else 1e-12
    for out, want in (
        (S.khatri_rao(given_factors), S.toarray() @ khatri_rao(factors)),
        (S.kronecker(given_factors), S.toarray() @ kronecker(factors)),
    ):
        assert out.dtype == getattr(xp, dtype)
        assert str(getattr(out, "device", "")) == str(getattr(given_factors[0], "device", ""))
        assert_near(backend.to_numpy(out), want, unit=unit)


@makers
def test_p11_a_complex_factor_among_real_ones(name, backend):
    S = MAKERS[name](20, (5, 9), rng=16180)
    a, b = matrix(5, 3, "f8", 6), matrix(9, 3, "c16", 7)
    out = S.khatri_rao([backend.asarray(a), backend.asarray(b)])
    assert out.dtype == backend.xp.complex128
    assert_near(backend.to_numpy(out), S.toarray() @ khatri_rao([a, b]), unit=1e-12)


@makers
def test_p11_the_product_is_never_formed(name):
    """Its columns would have 10**15 entries."""
    S = MAKERS[name](64, (100_000, 100_000, 100_000), rng=57721)
    factors = [matrix(100_000, 1, "f8", k)[:, 0] for k in range(3)]
    y = S.khatri_rao(factors)
    norm = math.prod(np.linalg.norm(F) for F in factors)
    assert y.shape == (64,)
    assert 0.01 < np.linalg.norm(y) / norm < 100


def test_spherical_base_rows_lie_on_their_sphere():
    S = sketch.KhatriRao(30, (7, 11), rng=14142)
    rows = np.linalg.norm(S.toarray(), axis=1)
    np.testing.assert_allclose(rows, math.sqrt(77 / 30), rtol=1e-14)
