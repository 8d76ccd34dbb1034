"""`Oja`: the recursion, what it finds, and that cuts of the stream do not matter."""

import math

import dask.array as da
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from lrla.streaming import Oja


def spiked(seed, m=20_000, n=15, rank=2):
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    s = np.ones(n)
    s[:rank] = [3.0, 2.0, 1.5][:rank]
    return rng.standard_normal((m, n)) * s @ Q.T, Q[:, :rank]


def run(A, rank=1, **options):
    stream = Oja(A.shape[1], rank, **{"rng": 90210, **options})
    stream.partial_fit(A)
    return stream.result()


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_it_finds_the_leading_directions(rank):
    A, V = spiked(90210, rank=rank)
    result = run(A, rank)
    cosines = np.linalg.svd(V.T @ result.vectors, compute_uv=False)
    assert cosines.min() > 0.98
    np.testing.assert_allclose(result.vectors.T @ result.vectors, np.eye(rank), atol=1e-12)
    largest = np.linalg.eigvalsh(A.T @ A)[::-1][:rank]
    np.testing.assert_allclose(result.values, largest, rtol=0.1)


@pytest.mark.parametrize("rate", [None, 0.01])
def test_the_recursion_is_that_of_the_papers(rate):
    A, _ = spiked(5, m=50, n=6)
    stream = Oja(6, learning_rate=rate, batch=8, rng=31)
    stream.partial_fit(A[:8])
    v = Oja(6, rng=31)._begin(A).V[:, 0]
    squares, growth = 0.0, 0.0
    for first in range(0, 50, 8):
        X = A[first : first + 8]
        g = X.T @ (X @ v)
        squares += g @ g
        v = v + (g / math.sqrt(squares) if rate is None else rate * g)
        growth += math.log(np.linalg.norm(v))
        v = v / np.linalg.norm(v)
    stream.partial_fit(A[8:])
    result = stream.result()
    np.testing.assert_allclose(result.vectors[:, 0], v, rtol=1e-12)
    assert result.info.log_growth == pytest.approx(growth)
    again = stream.result()  # asking changes nothing
    assert np.array_equal(again.vectors, result.vectors)


@given(cuts=st.lists(st.integers(0, 400), max_size=6).map(sorted), rank=st.integers(1, 3))
def test_cuts_do_not_matter(cuts, rank):
    A, _ = spiked(7, m=400, n=6)
    stream = Oja(6, rank, batch=32, rng=90210)
    for first, last in zip([0, *cuts], [*cuts, 400], strict=True):
        stream.partial_fit(A[first:last])
    want = run(A, rank, batch=32)
    assert np.array_equal(stream.result().vectors, want.vectors)
    assert np.array_equal(stream.result().values, want.values)


def test_values_are_means_over_the_last_half_or_more():
    A = np.tile([[2.0, 0.0]], (1000, 1))
    A[:400] = [1.0, 0.0]
    result = run(A, batch=10)
    assert 1000 < result.values[0] <= 4000
    steady = run(np.tile([[2.0, 0.0]], (3000, 1)), batch=10)
    np.testing.assert_allclose(steady.values, 3000 * 4.0, rtol=1e-2)


def test_every_kind_of_rows(backend):
    A, _ = spiked(5, m=700, n=6)
    want = run(A, 2).vectors
    result = run(backend.asarray(A), 2)
    np.testing.assert_allclose(backend.to_numpy(result.vectors), want, atol=1e-9)
    for rows in (scipy.sparse.csr_array(A), da.from_array(A, chunks=(90, 6)), iter(list(A))):
        stream = Oja(6, 2, rng=90210)
        stream.partial_fit(rows)
        np.testing.assert_allclose(stream.result().vectors, want, atol=1e-9)


@pytest.mark.parametrize("dtype", ["f4", "c8", "c16"])
def test_dtypes(dtype):
    rng = np.random.default_rng(90210)
    v = rng.standard_normal(8) + (1j * rng.standard_normal(8) if dtype[0] == "c" else 0)
    v /= np.linalg.norm(v)
    z = rng.standard_normal((9000, 1)) + (
        1j * rng.standard_normal((9000, 1)) if dtype[0] == "c" else 0
    )
    A = (3 * z * v.conj() + 0.3 * rng.standard_normal((9000, 8))).astype(dtype)
    result = run(A, 2)
    assert result.vectors.dtype == A.dtype
    assert abs(v.conj() @ result.vectors[:, 0]) > 0.99


@pytest.mark.parametrize("scale", [1e-150, 1e-3, 1e140])
def test_steps_adapt_to_the_scale(scale):
    A, V = spiked(31, m=4000)
    result = run(A * scale)
    assert abs(V[:, 0] @ result.vectors[:, 0]) > 0.9


def test_zeros_and_seeds():
    result = run(np.zeros((100, 4)), 2)
    assert np.all(result.values == 0)
    np.testing.assert_allclose(result.vectors.T @ result.vectors, np.eye(2), atol=1e-12)
    A, _ = spiked(7, m=100)
    assert np.array_equal(run(A, rng=3).vectors, run(A, rng=3).vectors)
    assert run(A, rng=3).info.seed == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Oja(0), "n must be an integer, at least 1, got 0"),
        (lambda: Oja(3, 4), "rank must be an integer between 1 and n = 3, got 4"),
        (lambda: Oja(3, learning_rate=0), "learning_rate must be positive and finite, got 0"),
        (lambda: Oja(3, batch=0), "batch must be an integer, at least 1, got 0"),
        (lambda: Oja(3).result(), "partial_fit must come before result: no row was seen"),
        (lambda: run(np.full((9, 2), np.inf)), "A must be finite, got NaN or infinity"),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()
