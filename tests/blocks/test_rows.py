"""Dask arrays as row blocks: the same answers as in memory, whatever the scheduler."""

import numpy as np
import pytest
import scipy.sparse

import lrla
from lrla import regression as R
from lrla import sketch
from lrla.blocks import RowBlocks, as_blocks

da = pytest.importorskip("dask.array")
dask = pytest.importorskip("dask")


def data(m=5000, n=20):
    rng = np.random.default_rng(40917)
    A = rng.standard_normal((m, n))
    return A, A.sum(axis=1) + rng.standard_normal(m), rng.uniform(0, 2, m)


def chunked(A, rows=700, columns=7):
    return da.from_array(A, chunks=(rows, columns))


def test_blocks_cover_the_rows_in_order():
    A, _, _ = data()
    blocks = as_blocks(chunked(A))
    assert isinstance(blocks, RowBlocks)
    assert blocks.shape == (5000, 20)
    assert blocks.bounds[0] == (0, 700)
    assert blocks.bounds[-1] == (4900, 5000)
    assert np.array_equal(np.concatenate(blocks.map(lambda block, a, b: block)), A)
    (total,) = blocks.sum(lambda block, a, b: (block.sum(axis=0),))
    np.testing.assert_allclose(total, A.sum(axis=0), rtol=1e-12)
    assert as_blocks(A) is A


def test_integers_become_floats_in_the_blocks():
    blocks = as_blocks(da.from_array(np.arange(12).reshape(6, 2), chunks=(4, 2)))
    assert blocks.dtype == np.float64
    assert all(block.dtype == np.float64 for block in blocks.map(lambda block, a, b: block))


def foreign(x):
    return x.astype(x.dtype.newbyteorder("S"))


def test_foreign_byte_orders_become_native():
    A, b, w = data(m=900)
    given = da.from_array(foreign(A), chunks=(200, 20))
    blocks = as_blocks(given)
    assert blocks.dtype == np.float64
    assert blocks.dtype.isnative
    assert all(block.dtype.isnative for block in blocks.map(lambda block, a, b: block))
    S = sketch.SparseSign(60, 900, rng=5)
    np.testing.assert_array_equal(S @ given, S @ chunked(A, rows=200))
    got = lrla.lstsq(given, foreign(b), weights=foreign(w), ridge=foreign(np.ones(20)), rng=5)
    want = lrla.lstsq(chunked(A, rows=200), b, weights=w, ridge=np.ones(20), rng=5)
    np.testing.assert_array_equal(got.x, want.x)


def masked(block):
    return np.ma.masked_array(block, mask=block > 2)


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (masked, r"A must be an array, got MaskedArray; .* masked entries filled"),
        (lambda block: block.astype(object), "A must hold float32, .* got dtype object"),
        (lambda block: block.astype(str), "A must hold float32, .* got dtype <U"),
        (scipy.sparse.csr_matrix, r"A must be an array, got csr_matrix; pass A.toarray\(\)"),
    ],
    ids=["masked", "object", "text", "sparse"],
)
def test_chunks_pass_the_checks_that_arrays_pass(change, message, known):
    """Also those chunks of which dask does not know what they are."""
    A, b, _ = data(m=900)
    meta = change(np.empty((0, 0))) if known else np.empty((0, 0))
    given = chunked(A, rows=200, columns=20).map_blocks(change, meta=meta)
    for use in (lambda: lrla.lstsq(given, b), lambda: sketch.Gaussian(9, 900, rng=1) @ given):
        with pytest.raises(TypeError, match=message):
            use()


def test_masked_vectors_are_refused():
    given = da.ma.masked_array(da.ones(900, chunks=200), mask=da.zeros(900, chunks=200) == 0)
    with pytest.raises(TypeError, match="A must be an array, got MaskedArray"):
        sketch.Gaussian(9, 900, rng=1) @ given


def test_the_sum_is_a_fixed_tree():
    A, _, _ = data()
    blocks = as_blocks(chunked(A, rows=37))

    def total():
        return blocks.sum(lambda block, a, b: (block.T @ block,))[0]

    with dask.config.set(scheduler="synchronous"):
        serial = total()
    with dask.config.set(scheduler="threads", num_workers=4):
        assert np.array_equal(total(), serial)


@pytest.mark.parametrize("method", ["auto", "gram", "spir", "fossils", "cqrrt", "direct"])
def test_L9_lstsq_on_chunks_is_lstsq(method):
    A, b, w = data()
    for options in ({}, {"weights": w, "ridge": 2.0}):
        want = lrla.lstsq(A, b, rng=5, **options)
        got = lrla.lstsq(chunked(A), b, method=method, rng=5, **options)
        np.testing.assert_allclose(got.x, want.x, rtol=1e-10)
        np.testing.assert_allclose(got.residual_norm, want.residual_norm, rtol=1e-10)
        assert got.info.backward_error <= 1.2e-16


def test_schedulers_do_not_change_the_bits():
    A, b, _ = data()
    answers = []
    for scheduler in ("synchronous", "threads"):
        with dask.config.set(scheduler=scheduler):
            answers.append(lrla.lstsq(chunked(A), b, method="spir", rng=5).x)
    assert np.array_equal(*answers)


def test_other_functions_take_chunks():
    A, b, _ = data()
    D = chunked(A)
    np.testing.assert_allclose(
        R.sketch_and_solve(D, da.from_array(b), rng=5).x, R.sketch_and_solve(A, b, rng=5).x
    )
    np.testing.assert_allclose(
        R.ridge_path(D, b, [0.0, 3.0], rng=5).x, R.ridge_path(A, b, [0.0, 3.0], rng=5).x
    )
    S = sketch.Gaussian(30, 5000, rng=5)
    np.testing.assert_allclose(S @ D, S @ A, rtol=1e-11, atol=1e-12)
    wide = lrla.lstsq(chunked(A.T[:, :300], rows=6, columns=100), np.ones(20))
    np.testing.assert_allclose(wide.x, np.linalg.lstsq(A.T[:, :300], np.ones(20))[0], rtol=1e-9)


def test_what_cannot_be_is_said():
    A, b, _ = data()
    D = chunked(A)
    with pytest.raises(ValueError, match=r"A.compute_chunk_sizes\(\) first"):
        as_blocks(D[D[:, 0] > 0])
    bad = A.copy()
    bad[4321, 3] = np.nan
    with pytest.raises(ValueError, match="A must"):
        lrla.lstsq(chunked(bad), b)


@pytest.mark.parametrize("index", [[], [4, 4, 0], [6, 1, 5, 0], list(range(9))])
def test_rows_are_taken_in_the_order_asked_for(index):
    A = np.arange(18.0).reshape(9, 2)
    blocks = as_blocks(da.from_array(A, chunks=((0, 2, 0, 5, 2), 2)))
    np.testing.assert_array_equal(blocks.take(np.asarray(index, dtype=np.int64)), A[index])


def test_blocks_without_a_wanted_row_are_not_made():
    A, made = np.arange(18.0).reshape(9, 2), []

    def make(block, block_info=None):
        made.append(block_info[0]["chunk-location"][0])
        return block

    blocks = as_blocks(da.from_array(A, chunks=(2, 2)).map_blocks(make, meta=np.empty((0, 0))))
    with dask.config.set(scheduler="synchronous"):
        np.testing.assert_array_equal(blocks.take(np.asarray([5, 4, 8])), A[[5, 4, 8]])
    assert sorted(made) == [2, 4]


@pytest.mark.parametrize("sizes", [(0, 2, 0, 0), (0, 0, 1, 0, 1)])
def test_rows_are_left_out_beside_more_blocks_than_rows(sizes):
    A = np.arange(4.0).reshape(2, 2)
    blocks = as_blocks(da.from_array(A, chunks=(sizes, 2)))
    for index in ([0], [1], [0, 1]):
        only = blocks.only(np.asarray(index))
        np.testing.assert_array_equal(np.concatenate(only.map(lambda block, a, b: block)), A[index])


@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.float64])
def test_blocks_that_are_changed_as_they_are_made(dtype):
    A = np.arange(18).reshape(9, 2).astype(dtype)
    blocks = as_blocks(da.from_array(A, chunks=(4, 1)))
    factors, columns = np.linspace(1, 2, 9), np.ones((9, 3))
    rows, T, index = np.full((2, 2), 0.5), np.asarray([[1.0], [2.0]]), np.asarray([0, 3, 4, 8])
    for got, want in (
        (blocks.scaled(factors), factors[:, None] * A),
        (blocks.beside(columns), np.hstack([A, columns])),
        (blocks.above(rows), np.vstack([A, rows])),
        (blocks.times(T), A @ T),
        (blocks.only(index), A[index]),
    ):
        assert isinstance(got, RowBlocks)
        assert got.shape == want.shape
        assert got.array.numblocks[1] == 1
        np.testing.assert_allclose(np.concatenate(got.map(lambda block, a, b: block)), want)
