"""What the Hadamard and cosine transforms are, against matrices that others have written out."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

from lrla._core.threads import threads
from lrla.kernels import dct, srht
from lrla.kernels.fwht import fwht

DTYPES = ("f4", "f8", "c8", "c16")
EVERYWHERE = pytest.mark.parametrize("fwht", [fwht, fwht.definition], ids=["twin", "definition"])
seeds = st.integers(0, 2**32 - 1)


def normal(random, shape, dtype="f8"):
    X = random.standard_normal(shape)
    return (X + 1j * random.standard_normal(shape) if dtype[0] == "c" else X).astype(dtype)


def description(random, k, d, N):
    signs = random.choice(np.array([-1, 1], dtype=np.int8), k)
    return random.permutation(N)[:k], signs, N, random.permutation(N)[:d]


def dense(slots, signs, N, rows):
    return scipy.linalg.hadamard(N)[np.ix_(rows, slots)] * signs


@EVERYWHERE
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 4, 32, 64, 128, 1024, 8192])
def test_fwht_is_the_product_with_sylvesters_matrix(fwht, n, dtype):
    X = normal(np.random.default_rng([90210, n]), (3, n), dtype)
    got = fwht(X)
    want = X @ scipy.linalg.hadamard(n)
    assert got.dtype == X.dtype
    np.testing.assert_allclose(got, want, atol=20 * np.finfo(dtype).eps * np.sqrt(n), rtol=0)
    np.testing.assert_array_equal(fwht(X[1]), got[1])


@given(log2=st.integers(0, 17), rows=st.integers(0, 3), seed=seeds)
def test_fwht_twice_is_n_times_the_input(log2, rows, seed):
    n = 1 << log2
    X = normal(np.random.default_rng(seed), (rows, n))
    np.testing.assert_allclose(fwht(fwht(X)), n * X, atol=1e-12 * n)


@given(log2=st.integers(0, 13), seed=seeds)
def test_fwht_of_whole_numbers_is_exact_and_linear(log2, seed):
    random = np.random.default_rng(seed)
    x, y = random.integers(-99, 100, (2, 1 << log2)).astype("f8")
    np.testing.assert_array_equal(fwht(3 * x - 2 * y), 3 * fwht(x) - 2 * fwht(y))
    np.testing.assert_array_equal(fwht(x), fwht.definition(x))


def test_fwht_of_a_vector_longer_than_a_tile_of_tiles():
    x = np.random.default_rng(60601).integers(-9, 10, 1 << 20).astype("f8")
    np.testing.assert_array_equal(fwht(x), fwht.definition(x))


def test_fwht_returns_a_new_array_even_of_length_one():
    X = np.ones((4, 1))
    for transform in (fwht, fwht.definition):
        Y = transform(X)
        Y[0] = 7
        assert X[0] == 1


@EVERYWHERE
@pytest.mark.parametrize(
    ("shape", "advice"), [((0,), "to 1"), ((3,), "to 4"), ((2, 1000), "to 1024")]
)
def test_fwht_says_what_to_do_about_other_lengths(fwht, shape, advice):
    with pytest.raises(ValueError, match=rf"power of two.*got {shape[-1]};.*zeros {advice}$"):
        fwht(np.zeros(shape))


def test_fwht_lets_nan_reach_its_own_row_only():
    X = np.ones((3, 256))
    X[1, 200] = np.nan
    np.testing.assert_array_equal(np.isnan(fwht(X)).all(axis=1), [False, True, False])
    np.testing.assert_array_equal(np.isnan(fwht(X)).any(axis=1), [False, True, False])


def test_fwht_has_the_same_bits_for_every_number_of_threads():
    X = normal(np.random.default_rng(8675309), (300, 1024), "f4")
    with threads(1):
        one = fwht(X)
    for n in (2, 3):
        with threads(n):
            np.testing.assert_array_equal(fwht(X), one)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 5, 40, 130])
def test_srht_is_the_product_with_its_matrix(dtype, n, order):
    random = np.random.default_rng([31337, n])
    S = description(random, 1500, 200, 2048)
    A = normal(random, (1500, n), dtype).copy(order)
    Y = normal(random, (200, n), dtype).copy(order)
    tolerance = 1000 * np.finfo(dtype).eps
    np.testing.assert_allclose(srht.apply(A, *S), dense(*S) @ A, atol=tolerance, rtol=0)
    np.testing.assert_allclose(srht.adjoint(Y, *S), dense(*S).T @ Y, atol=tolerance, rtol=0)


@given(
    log2=st.integers(0, 13), n=st.integers(0, 9), fractions=st.tuples(*[st.floats(0, 1)] * 2),
    seed=seeds,
)  # fmt: skip
def test_srht_and_its_adjoint_are_adjoint(log2, n, fractions, seed):
    N = 1 << log2
    k, d = (int(f * N) for f in fractions)
    random = np.random.default_rng(seed)
    S = description(random, k, d, N)
    A, Y = normal(random, (k, n), "c16"), normal(random, (d, n), "c16")
    left, right = np.vdot(srht.apply(A, *S), Y), np.vdot(A, srht.adjoint(Y, *S))
    assert abs(left - right) <= 1e-11 * N * max(n, 1)


def test_srht_of_all_rows_is_orthogonal_up_to_its_scale():
    random = np.random.default_rng(424243)
    N = 4096
    S = description(random, 3000, N, N)
    A = normal(random, (3000, 3))
    np.testing.assert_allclose(srht.adjoint(srht.apply(A, *S), *S), N * A, atol=1e-10)


def test_srht_may_take_a_row_twice():
    random = np.random.default_rng(77003)
    slots, signs, N, rows = description(random, 50, 6, 64)
    A = normal(random, (50, 2))
    once = srht.apply(A, slots, signs, N, rows)
    np.testing.assert_array_equal(
        srht.apply(A, slots, signs, N, np.repeat(rows, 2)), np.repeat(once, 2, axis=0)
    )


def test_srht_refuses_other_sizes():
    S = description(np.random.default_rng(5), 3, 2, 12)
    with pytest.raises(ValueError, match=r"power of two.*got 12"):
        srht.apply(np.ones((3, 1)), *S)


@pytest.mark.parametrize("transform", [dct.dct, dct.dct.definition], ids=["twin", "definition"])
@pytest.mark.parametrize("m", [1, 2, 3, 8, 37])
def test_dct_is_an_orthogonal_matrix_of_cosines(transform, m):
    C = transform(np.eye(m))
    k, j = np.arange(m)[:, None], np.arange(m)
    want = np.sqrt((2 - (k == 0)) / m) * np.cos(np.pi * k * (2 * j + 1) / (2 * m))
    np.testing.assert_allclose(C, want, atol=1e-14)
    np.testing.assert_allclose(C @ C.T, np.eye(m), atol=1e-14)


@given(m=st.integers(1, 300), dtype=st.sampled_from(DTYPES), seed=seeds)
def test_idct_is_inverse_and_adjoint(m, dtype, seed):
    random = np.random.default_rng(seed)
    X, Y = normal(random, (2, m, 2), dtype)
    tolerance = 200 * np.finfo(dtype).eps
    np.testing.assert_allclose(dct.idct(dct.dct(X)), X, atol=tolerance)
    assert abs(np.vdot(dct.dct(X), Y) - np.vdot(X, dct.idct(Y))) <= tolerance * m
