"""Regression over dask arrays: the answer of the array in memory, and never the array in memory."""

import contextlib
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import LinearOperator

from lrla._core.errors import RankDeficientWarning
from lrla._core.operators import Operator
from lrla.blocks import RowBlocks
from lrla.regression import (
    huber_regression,
    lp_regression,
    quantile_regression,
    tukey_regression,
)
from lrla.regression._block_rows import BlockRows
from lrla.regression._rows import ComplexRows, Rows

da = pytest.importorskip("dask.array")
dask = pytest.importorskip("dask")

SEED = 90210
NORMS = (1, 1.1, 1.5, 3, 8, math.inf)


@pytest.fixture(autouse=True)
def serial():
    with dask.config.set(scheduler="synchronous"):
        yield


def data(m=300, n=4, seed=SEED):
    rng = np.random.default_rng([seed, m, n])
    A = rng.standard_normal((m, n))
    A[:, 0] = 1
    return A, A @ np.arange(1.0, n + 1) + rng.standard_t(2, m)


def cut(A, ends, columns=3):
    """Cut rows at the given places; equal places make chunks without rows."""
    sizes = np.diff([0, *sorted(ends), A.shape[0]])
    return da.from_array(A, chunks=(A.shape[0], columns)).rechunk((tuple(sizes), columns))


def close(got, want, rtol=1e-9):
    """Hold two answers together where the solution is unique."""
    size = np.max(abs(want.x))
    np.testing.assert_allclose(got.x, want.x, rtol=rtol, atol=rtol * size)
    assert got.objective == pytest.approx(want.objective, rel=1e-9)
    assert got.rank == want.rank
    np.testing.assert_allclose(
        got.residuals, want.residuals, rtol=0, atol=rtol * max(abs(want.residuals).max(), size)
    )


# -- the same answers ----------------------------------------------------------------------------


@pytest.mark.parametrize("p", NORMS)
@settings(max_examples=20)
@given(
    ends=st.lists(st.integers(0, 300), max_size=3),
    columns=st.integers(1, 4),
    weighted=st.booleans(),
    ridge=st.sampled_from((0.0, 0.7)),
)
def test_answers_do_not_depend_on_chunks(p, ends, columns, weighted, ridge):
    A, b = data()
    weights = np.random.default_rng(SEED).integers(0, 3, 300) + 0.0 if weighted else None
    want = lp_regression(A, b, p, weights=weights, ridge=ridge, rng=SEED)
    got = lp_regression(cut(A, ends, columns), b, p, weights=weights, ridge=ridge, rng=SEED)
    close(got, want, 1e-6 if p == 1.1 else 1e-8)
    assert got
    assert got.gap <= 1e-8
    v = np.ones(300) if weights is None else weights
    r = b - A @ got.x
    np.testing.assert_allclose(got.residuals[v > 0], r[v > 0], rtol=0, atol=1e-9)
    if not ridge and not math.isinf(p):  # the proof, from the data
        y = got.dual
        assert np.linalg.norm(A.T @ y) <= 1e-9 * np.linalg.norm(y) * np.linalg.norm(A)
        value = np.sum(v * abs(r) ** p) ** (1 / p)
        assert value - y @ b <= 1.1e-8 * value


@pytest.mark.parametrize("method", ["interior", "pilot"])
@pytest.mark.parametrize("tau", [0.1, 0.5])
def test_methods_agree_with_each_other(method, tau):
    A, b = data(4000, 3)
    want = quantile_regression(A, b, tau, rng=SEED)
    got = quantile_regression(cut(A, [17, 18, 2500]), b, tau, method=method, rng=SEED)
    close(got, want)
    assert got.info.method == method
    assert got.gap < 1e-12


def test_several_levels_and_their_errors():
    A, b = data(2000, 3)
    D = da.from_array(A, chunks=(333, 2))
    for covariance in (None, "nid", "kernel"):
        want = quantile_regression(A, b, [0.3, 0.5], covariance=covariance, rng=SEED)
        got = quantile_regression(D, b, [0.3, 0.5], covariance=covariance, rng=SEED)
        np.testing.assert_allclose(got.x, want.x, rtol=1e-9)
        np.testing.assert_allclose(got.dual, want.dual, atol=1e-7)
        assert got.info.crossings == want.info.crossings
        if covariance:
            np.testing.assert_allclose(got.standard_errors, want.standard_errors, rtol=1e-6)


@pytest.mark.parametrize("fit", [huber_regression, tukey_regression])
@pytest.mark.parametrize("weighted", [False, True])
def test_robust_losses(fit, weighted):
    A, b = data()
    b[5] += 1e4
    weights = np.random.default_rng(SEED).integers(0, 3, 300) + 0.0 if weighted else None
    want = fit(A, b, weights=weights, rng=SEED)
    got = fit(da.from_array(A, chunks=(77, 3)), b, weights=weights, rng=SEED)
    close(got, want, 1e-7)
    np.testing.assert_allclose(got.row_weights, want.row_weights, atol=1e-7)
    assert got.scale == pytest.approx(want.scale, rel=1e-9)


@pytest.mark.parametrize("p", [1, 1.5, 3])
@pytest.mark.parametrize("deficient", [False, True])
def test_samples(p, deficient):
    A, b = data(1500, 4)
    if deficient:
        A[:, 3] = A[:, 0] - A[:, 1]
    options = {"method": "sample", "size": 200, "rng": SEED}
    answers = []
    for form in (A, cut(A, [1, 900])):
        with pytest.warns(RankDeficientWarning) if deficient else contextlib.nullcontext():
            answers.append(lp_regression(form, b, p, **options))
    want, got = answers
    close(got, want, 1e-6)
    assert got.gap == pytest.approx(want.gap, rel=1e-4)


def test_complex_data():
    A, b = data(200, 3)
    rng = np.random.default_rng(SEED)
    A, b = A + 1j * rng.standard_normal(A.shape), b + 1j * rng.standard_normal(200)
    for p in (1.3, 4):
        want = lp_regression(A, b, p, rng=SEED)
        got = lp_regression(cut(A, [50, 51]), b, p, rng=SEED)
        close(got, want, 1e-6)
        assert got.x.dtype == np.complex128
    with pytest.raises(TypeError, match="must be real for this loss"):
        lp_regression(cut(A, [50]), b, 1)


def test_right_hand_sides_start_and_weights_may_be_chunked():
    A, b = data()
    B, w = np.stack([b, b**2], axis=1), np.arange(300) % 4 + 0.0
    want = lp_regression(A, B, 3, weights=w, x0=np.ones((4, 2)), rng=SEED)
    got = lp_regression(
        cut(A, [100]), da.from_array(B, chunks=(40, 1)), 3, weights=da.from_array(w, chunks=90),
        x0=np.ones((4, 2)), rng=SEED,
    )  # fmt: skip
    np.testing.assert_allclose(got.x, want.x, rtol=1e-7)
    np.testing.assert_allclose(got.objective, want.objective, rtol=1e-9)


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_schedulers_and_seeds_do_not_change_the_bits(scheduler):
    A, b = data(3000, 3)
    D = da.from_array(A, chunks=(170, 3))
    for p in (1, 1.5):
        want = lp_regression(D, b, p, rng=SEED)
        with dask.config.set(scheduler=scheduler):
            assert np.array_equal(lp_regression(D, b, p, rng=SEED).x, want.x)


# -- hard data -----------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [1, 1.5, math.inf])
@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_scales(p, scale):
    A, b = data()
    want = lp_regression(A, b, p, rng=SEED)
    got = lp_regression(cut(scale * A, [77, 200]), scale * b, p, rng=SEED)
    np.testing.assert_allclose(got.x, want.x, rtol=1e-8)
    assert got.objective == pytest.approx(scale * want.objective, rel=1e-8)


@pytest.mark.parametrize("p", [1, 1.5, 4, math.inf])
def test_ill_conditioned_columns(p):
    """Beyond a condition number of 1e5 blocks are whitened before they are multiplied."""
    A, b = data()
    A[:, 3] = A[:, 0] + 1e-7 * A[:, 3]
    want = lp_regression(A, b, p, rng=SEED)
    got = lp_regression(cut(A, [10, 290]), b, p, rng=SEED)
    assert want.info.condition > 1e6
    assert got.objective == pytest.approx(want.objective, rel=1e-7)
    assert got.gap <= 1e-8
    np.testing.assert_allclose(A @ got.x, A @ want.x, atol=1e-5)


@pytest.mark.parametrize("p", [1.5, 4])
def test_columns_so_near_that_blocks_have_to_be_whitened_first(p):
    """Products with A and T one after the other would leave no dual point that proves a thing."""
    A, b = data()
    A[:, 3] = A[:, 0] + 1e-9 * A[:, 3]
    got = lp_regression(cut(A, [10, 290]), b, p, rng=SEED)
    assert got
    y = got.dual
    assert np.linalg.norm(A.T @ y) <= 1e-9 * np.linalg.norm(y) * np.linalg.norm(A)


@pytest.mark.parametrize("p", [1, 1.5, math.inf])
def test_dependent_columns_single_precision_and_whole_numbers(p):
    A, b = data()
    A[:, 3] = A[:, 1] + A[:, 2]
    with pytest.warns(RankDeficientWarning, match="rank 3"):
        want = lp_regression(A, b, p, rng=SEED)
    with pytest.warns(RankDeficientWarning, match="rank 3"):
        got = lp_regression(cut(A, [150]), b, p, rng=SEED)
    np.testing.assert_allclose(A @ got.x, A @ want.x, rtol=0, atol=1e-6)
    A, b = data()
    for dtype, tol in ((np.float32, 1e-5), (np.int16, 1e-8)):
        small = (10 * A).astype(dtype)
        want = lp_regression(small, b, p, rng=SEED)
        got = lp_regression(cut(small, [150, 151]), b, p, rng=SEED)
        assert got.x.dtype == want.x.dtype
        np.testing.assert_allclose(got.x, want.x, rtol=tol, atol=tol)


@pytest.mark.parametrize("p", [1, 1.5, math.inf])
@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (3, 3), (5, 4)])
def test_few_rows(p, shape):
    A, b = data(*shape)
    want = lp_regression(A, b, p, rng=SEED)
    got = lp_regression(cut(A, range(1, shape[0]), 1), b, p, rng=SEED)
    np.testing.assert_allclose(got.residuals, want.residuals, rtol=0, atol=1e-9)
    zero = lp_regression(cut(A, [1], 1), 0 * b, p, rng=SEED)
    assert zero.objective == 0
    assert np.all(zero.x == 0)


@pytest.mark.parametrize("p", NORMS)
def test_nothing_but_zeros(p):
    b = data()[1]
    with pytest.warns(RankDeficientWarning, match="rank 0"):
        want = lp_regression(np.zeros((300, 2)), b, p, rng=SEED)
    with pytest.warns(RankDeficientWarning, match="rank 0"):
        got = lp_regression(da.zeros((300, 2), chunks=(70, 1)), b, p, rng=SEED)
    close(got, want)
    assert np.all(got.x == 0)
    assert got.gap < 1e-12
    v = abs(b).max() if math.isinf(p) else np.sum(abs(b) ** p) ** (1 / p)
    assert got.objective == pytest.approx(v, rel=1e-12)


@pytest.mark.parametrize("method", ["pilot", "interior"])
def test_levels_of_nothing_but_zeros(method):
    b = data()[1]
    with pytest.warns(RankDeficientWarning, match="rank 0"):
        got = quantile_regression(np.zeros((300, 2)), b, [0.01, 0.6], method=method, rng=SEED)
    assert got
    for k, tau in enumerate((0.01, 0.6)):
        assert got.objective[k] == pytest.approx(np.sum(np.maximum(tau * b, (tau - 1) * b)))


@pytest.mark.parametrize("p", [1, 1.5, math.inf])
@pytest.mark.parametrize("shape", [(2, 1), (3, 3), (3, 5)])
def test_few_weights_beside_empty_chunks(p, shape):
    A, b = data(*shape)
    w = np.ones(shape[0])
    w[0] = 0
    short = shape[0] - 1 < shape[1]
    answers = []
    for form in (A, cut(A, [0, 1, 1, 1, 1])):
        with pytest.warns(RankDeficientWarning) if short else contextlib.nullcontext():
            answers.append(lp_regression(form, b, p, weights=w, rng=SEED))
    want, got = answers
    np.testing.assert_allclose(got.residuals, want.residuals, rtol=0, atol=1e-9)


@pytest.mark.parametrize("p", [1, 3, math.inf])
def test_mistakes_are_told_by_their_row(p):
    A, b = data()
    A[211, 2] = np.nan
    with pytest.raises(ValueError, match=r"A must be finite, got NaN .* index \(211, 2\)"):
        lp_regression(cut(A, [100, 210]), b, p)
    with pytest.raises(ValueError, match="b must have as many rows as A"):
        lp_regression(cut(A, [100]), b[1:], p)
    with pytest.raises(ValueError, match="span those of A"):
        lp_regression(cut(data()[0], [100]), b, 1, method="sample", size=2)


# -- what is in memory ---------------------------------------------------------------------------


@pytest.fixture
def read(monkeypatch):
    """Count the rows that are brought into memory together; forming the matrix is an error."""
    rows = []
    take = RowBlocks.take

    def counted(self, index):
        rows.append(int(index.shape[0]))
        return take(self, index)

    def refuse(self):
        raise AssertionError("the matrix was formed")

    monkeypatch.setattr(RowBlocks, "take", counted)
    monkeypatch.setattr(Operator, "todense", refuse)
    return rows


@pytest.mark.parametrize("tau", [0.5, 0.9])
def test_pilots_read_the_rows_in_doubt_only(read, tau):
    A, b = data(20_000, 3)
    result = quantile_regression(da.from_array(A, chunks=(3000, 3)), b, tau, rng=SEED)
    assert result.info.method == "pilot"
    assert len(read) >= 2
    assert max(read) < 2 * 3**0.5 * 20_000 ** (2 / 3)  # twice the pilot: the band is .8 of it


@pytest.mark.parametrize(("p", "most"), [(1.5, 0), (3, 0), (math.inf, 200)])
def test_other_norms_read_next_to_nothing(read, p, most):
    A, b = data(3000, 4)
    lp_regression(da.from_array(A, chunks=(700, 4)), b, p, rng=SEED)
    assert max(read, default=0) <= most


def test_passes_are_as_many_as_the_notes_say(monkeypatch):
    A, b = data(3000, 4)
    D, passes = da.from_array(A, chunks=(700, 4)), []
    made = RowBlocks._delayed

    def counted(self, *args, **options):
        passes.append(1)
        return made(self, *args, **options)

    monkeypatch.setattr(RowBlocks, "_delayed", counted)
    for p, each in ((1.1, 4), (1.5, 2), (2, 2), (6, 2)):
        passes.clear()
        result = lp_regression(D, b, p, rng=SEED)
        assert len(passes) <= 13 + each * result.info.iterations


def test_large_operators_are_refused_before_anything_is_formed():
    def never(x):
        raise AssertionError("a product was made")

    op = LinearOperator((2**20, 257), matvec=never, rmatvec=never, dtype=np.float64)
    message = "A must have at most 2**28 entries if it is a linear operator"
    for fit in (lambda: lp_regression(op, np.ones(2**20), 1), lambda: huber_regression(op, 1.0)):
        with pytest.raises(ValueError, match=re.escape(message)):
            fit()


# -- the rows as the solvers see them ------------------------------------------------------------


@given(
    ends=st.lists(st.integers(0, 23), max_size=4),
    condition=st.sampled_from((1.0, 1e9)),
    kind=st.sampled_from((np.float64, np.complex128)),
)
def test_products_are_those_of_the_rows_in_memory(ends, condition, kind):
    rng = np.random.default_rng(SEED)
    A, T = rng.standard_normal((23, 4)).astype(kind), rng.standard_normal((4, 3)).astype(kind)
    if kind is np.complex128:
        A, T = A * (1 + 2j) + A[::-1], T + 1j * T[::-1]
    dense = Operator(A, "dense", RowBlocks(cut(A, [])).space, A.dtype)
    want = (ComplexRows if kind is np.complex128 else Rows)(dense, T)
    blocks = RowBlocks(cut(A, ends, 4))
    rows = BlockRows(Operator(blocks, "blocks", blocks.space, A.dtype), T, condition)
    assert (rows.real, rows.k, rows.unknowns, rows.count) == (
        want.real, want.k, want.unknowns, want.count,
    )  # fmt: skip
    z, v = rng.standard_normal(rows.unknowns), rng.standard_normal((2, 23)).astype(kind)
    g = rng.uniform(size=23)

    def filled(x):
        return want.fill(x, 0.0)

    same = {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(rows.product(z), want.product(z)[:23], **same)
    np.testing.assert_allclose(rows.unwhiten(z), want.unwhiten(z), **same)
    full = np.stack([filled(v[0]), filled(v[1])])
    np.testing.assert_allclose(rows.adjoint(v), want.adjoint(full), **same)
    for u in (None, v[0]):
        np.testing.assert_allclose(
            rows.hessian(g, u, 3.0), want.hessian(filled(g), None if u is None else filled(u), 3.0), **same
        )  # fmt: skip
    G, w = rows.equations(g, v[0])
    np.testing.assert_allclose(G, want.hessian(filled(g), None, 2.0), **same)
    np.testing.assert_allclose(w, want.adjoint(filled(v[0])[None, :])[0], **same)
    if rows.real:
        index = np.asarray([22, 0, 7, 0])
        np.testing.assert_allclose(rows.take(index), want.take(index), **same)
