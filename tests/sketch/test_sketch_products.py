"""P1 to P5, P10 and P15: a sketch is one matrix, however, wherever and on whatever it acts."""

import itertools

import dask.array as da
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as sla
from families import DIMS, FAMILIES, REFERENCES, D, M, assert_near, matrix
from hypothesis import given

import lrla
from lrla import sketch
from lrla.sketch import _base, _dense, _sparse, _trig

SEED = 90210
UNIT = {"f": 2e-6, "d": 1e-13, "F": 2e-6, "D": 1e-13}  # by dtype character
families = pytest.mark.parametrize("name", FAMILIES)
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(params=["whole", "cut"])
def cuts(request, monkeypatch):
    """Once as users run it, and once with the internal blocks so small that all have borders."""
    if request.param == "cut":
        monkeypatch.setattr(_base, "_BLOCK", 16)
        monkeypatch.setattr(_dense, "_ENTRIES", 16 * D)
        monkeypatch.setattr(_sparse, "_TABLE", 64)
        monkeypatch.setattr(_trig, "_COLUMNS", 2)
        monkeypatch.setattr(_trig, "_ENTRIES", 0)


def layouts(A):
    """Hold the same values in the memory orders that users have."""
    strided = np.zeros((2 * A.shape[0] + 1, 3 * A.shape[1] + 1), A.dtype)[1::2, 1::3][::-1]
    strided[...] = A
    locked = A.copy()
    locked.flags.writeable = False
    return {"C": np.ascontiguousarray(A), "F": np.asfortranarray(A), "strided": strided,
            "locked": locked, "transposed": np.ascontiguousarray(A.T).T}  # fmt: skip


@pytest.mark.parametrize("name", [k for k in FAMILIES if not k.startswith("stack")])
def test_entries_are_those_of_the_definition(name, cuts):
    S = FAMILIES[name](SEED)
    assert_near(S.toarray(), REFERENCES[S.family](S), unit=1e-14)


def test_stack_is_its_parts_weighted():
    S = FAMILIES["stack_srht"](SEED)
    parts = [p.toarray() * np.sqrt(p.d / S.d) for p in S.parts]
    assert [p.d for p in S.parts] == [8, 3, 1]
    np.testing.assert_array_equal(S.toarray(), np.vstack(parts))


@families
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i4", "u1", "b1"])
def test_p1_dense_product_in_every_memory_order(name, dtype, cuts):
    S, A = FAMILIES[name](SEED), matrix(M, 7, dtype, 60115)
    want = S.toarray() @ (A.astype(float) if A.dtype.kind in "biu" else A)
    for label, given_A in layouts(A).items():
        before = given_A.copy()
        out = S @ given_A
        assert type(out) is np.ndarray
        assert out.dtype == (np.float64 if A.dtype.kind in "biu" else A.dtype), label
        assert_near(out, want, unit=UNIT[out.dtype.char])
        np.testing.assert_array_equal(given_A, before)
        vector = given_A[:, 2]
        assert_near(S @ vector, want[:, 2], unit=2 * UNIT[out.dtype.char])
        assert_near(given_A.T @ S.T, want.T, unit=UNIT[out.dtype.char])
        assert_near(vector @ S.T, want[:, 2], unit=2 * UNIT[out.dtype.char])


@families
def test_p1_half_precision_and_lists(name):
    S, A = FAMILIES[name](SEED), matrix(M, 3, "i4", 60116)
    want = S.toarray() @ A
    half = S @ A.astype(np.float16)
    assert half.dtype == np.float32
    assert_near(half, want, unit=2e-6)
    assert_near(S @ A.tolist(), want)
    assert_near(S @ A[:, 0].tolist(), want[:, 0])
    assert_near(A.T.tolist() @ S.T, want.T)


@families
@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "c16", "i4", "b1"])
def test_p1_sparse_product(name, kind, dtype, cuts):
    S, A = FAMILIES[name](SEED), matrix(M, 11, dtype, 52301)
    A[np.random.default_rng(52302).random(A.shape) < 0.7] = 0
    A[5:9] = 0  # empty rows and an empty column
    A[:, 4] = 0
    want = S.toarray() @ (A.astype(float) if A.dtype.kind in "biu" else A)
    for form in ("csr", "csc", "coo", "lil", "dok"):
        X = getattr(sp, f"{form}_{kind}")(A)
        out = S @ X
        assert type(out) is np.ndarray, form
        assert out.dtype == (np.float64 if A.dtype.kind in "biu" else A.dtype)
        assert_near(out, want, unit=UNIT[out.dtype.char])
        assert_near(X.T @ S.T, want.T, unit=UNIT[out.dtype.char])
        assert type(X.T @ S.T) is np.ndarray


@families
def test_p1_sparse_product_with_many_columns(name, cuts):
    """Transforms do not make so many columns dense."""
    S, A = FAMILIES[name](SEED), sp.random_array((M, 90), density=0.1, format="csr",
                                                 rng=np.random.default_rng(52303))  # fmt: skip
    for X in (A, A.tocsc()):
        assert_near(S @ X, S.toarray() @ A.toarray())
        assert_near(S.apply(X[7:30], rows=slice(7, 30)), S.toarray()[:, 7:30] @ A[7:30].toarray())


@families
def test_p1_sparse_matrices_in_disorder(name):
    """Unsorted indices and repeated entries, which SciPy allows."""
    rows = np.array([3, 3, 40, 7, 3, 44])
    columns = np.array([2, 0, 1, 1, 2, 0])
    values = np.array([1.0, -2.0, 3.0, 5.0, 10.0, 0.0])
    S, coo = FAMILIES[name](SEED), sp.coo_array((values, (rows, columns)), shape=(M, 3))
    order = np.argsort(rows, kind="stable")
    indptr = np.searchsorted(rows[order], np.arange(M + 1))
    csr = sp.csr_array((values[order], columns[order], indptr), shape=(M, 3))
    assert not csr.has_canonical_format
    stored = csr.indices.copy()
    want = S.toarray() @ coo.toarray()
    assert_near(S @ csr, want)
    assert_near(S @ coo, want)
    np.testing.assert_array_equal(csr.indices, stored)  # not sorted in the user's hands


@families
@pytest.mark.parametrize("dtype", ["f4", "f8", "c16"])
def test_p1_linear_operator(name, dtype, cuts):
    S, A = FAMILIES[name](SEED), matrix(M, 6, dtype, 33107)
    want = S.toarray() @ A
    op = sla.aslinearoperator(A)
    unit = UNIT[np.dtype(dtype).char]
    assert_near(S @ op, want, unit=unit)
    assert_near((S @ sla.aslinearoperator(A.T.copy()).T).T, want.T, unit=unit)
    assert_near(S.apply(sla.aslinearoperator(A[10:30]), rows=slice(10, 30)),
                S.toarray()[:, 10:30] @ A[10:30], unit=unit)  # fmt: skip


@families
def test_p1_and_p5_as_a_linear_operator(name):
    S = FAMILIES[name](SEED)
    op, dense = S.as_linear_operator(), S.toarray()
    A, Y = matrix(M, 3, "f8", 411), matrix(D, 3, "f8", 412)
    assert op.shape == (D, M)
    assert_near(op @ A, dense @ A)
    assert_near(op.rmatmat(Y), dense.T @ Y)
    assert_near(op.matvec(A[:, 0]), dense @ A[:, 0])
    assert_near(op.T @ Y[:, 0], dense.T @ Y[:, 0])


@families
def test_p1_dask(name):
    S, A = FAMILIES[name](SEED), matrix(M, 6, "f8", 70077)
    for chunks in ((45, 6), (7, 6), (10, 4), ((1, 0, 44), 6)):
        chunked = da.from_array(A, chunks=chunks)
        assert_near(S @ chunked, S.toarray() @ A)
        assert_near(chunked.T @ S.T, A.T @ S.toarray().T)
    assert_near(S @ da.from_array(A[:, 0], chunks=8), S.toarray() @ A[:, 0])
    part = da.from_array(A[9:31], chunks=(5, 6))
    assert_near(S.apply(part, rows=slice(9, 31)), S.toarray()[:, 9:31] @ A[9:31])


@families
@given(cuts_at=st.lists(st.integers(0, M), max_size=5), n=st.integers(0, 5), seed=seeds)
def test_p2_contributions_of_any_partition_add_up(name, cuts_at, n, seed):
    S, A = FAMILIES[name](seed), matrix(M, n, "f8", seed)
    borders = [0, *sorted(cuts_at), M]
    total = np.zeros((D, n))
    for a, b in itertools.pairwise(borders):
        total += S.apply(A[a:b], rows=slice(a, b))
    assert_near(total, S @ A)
    sparse_total = sum(
        S.apply(sp.csc_array(A[a:b]), rows=slice(a, b)) for a, b in itertools.pairwise(borders)
    )
    assert_near(sparse_total, S @ A)


@given(cuts_at=st.lists(st.integers(0, 400), max_size=6), seed=seeds)
def test_p2_countsketch_of_integers_is_bitwise_the_same_in_chunks(cuts_at, seed):
    S = sketch.CountSketch(13, 400, rng=seed)
    A = np.random.default_rng(seed).integers(-(2**40), 2**40, (400, 3)).astype(float)
    borders = [0, *sorted(cuts_at), 400]
    pieces = [S.apply(A[a:b], rows=slice(a, b)) for a, b in itertools.pairwise(borders)]
    np.testing.assert_array_equal(sum(pieces), S @ A)
    chunks = (tuple(np.diff(borders).tolist()), 3)
    np.testing.assert_array_equal(S @ da.from_array(A, chunks=chunks), S @ A)


@pytest.mark.parametrize("stream_block", [None, 64, 512])
def test_p2_srht_in_long_chunks(stream_block):
    """Chunks long enough for a transform of their own, aligned to the block or not."""
    S = sketch.SRHT(40, 3000, stream_block=stream_block, rng=7741)
    A = matrix(3000, 4, "f8", 7742)
    want = S.toarray() @ A
    for step in (512, 700, 2999):
        parts = [S.apply(A[a : a + step], rows=slice(a, min(a + step, 3000)))
                 for a in range(0, 3000, step)]  # fmt: skip
        assert_near(sum(parts), want)
    srtt = sketch.SRTT(40, 3000, rng=7743)
    parts = [srtt.apply(A[a : a + 1500], rows=slice(a, a + 1500)) for a in (0, 1500)]
    assert_near(sum(parts), srtt.toarray() @ A)


def large(name):
    """The same family at a size that the pool is used for."""
    S, m, dims = FAMILIES[name](SEED), 30_000, (50, 90)
    if name == "stack_srht":
        return sketch.SRHT(30, m, rng=SEED).extend(10)
    if name == "stack":
        return sketch.SparseSign(30, m, rng=SEED).extend(10)
    parameters = {**S.to_dict(), "d": 40, "m": m}
    if "dims" in parameters:
        parameters.update(dims=dims, m=dims[0] * dims[1])
    if parameters.get("probabilities") is not None:
        parameters["probabilities"] = np.resize(parameters["probabilities"], m)
    return sketch.from_dict(parameters)


@families
def test_p3_bits_do_not_depend_on_threads_or_repetition(name):
    S = large(name)
    A = matrix(S.m, 64, "f8", 80808)
    X = sp.random_array((S.m, 24), density=0.1, format="csr", rng=np.random.default_rng(80809))
    rows = slice(S.m // 3, S.m // 3 + 40)
    few = slice(S.m // 5, S.m // 2)
    results = []
    for n in (1, 2, 4, 1):
        with lrla.threads(n):
            block = S[:, rows]
            out = [block.toarray() if sp.issparse(block) else block]
            out += [S @ A, S @ np.asfortranarray(A[:, :24]), S @ A[:, 0], S @ A.astype(complex)]
            out += [S.apply(A[few], rows=few), S.T @ A[: S.d], S.T @ A[: S.d, 0], S @ X]
            out += [S @ X.tocsc(), S @ da.from_array(A, chunks=(S.m // 3, 64))]
            if hasattr(S, "dims"):
                factors = [A[:k, :30] for k in S.dims]
                out += [S.khatri_rao(factors), S.kronecker(factors)]
            results.append([x.tobytes() for x in out])
    assert results[0] == results[1] == results[2] == results[3]


@families
@given(a=st.integers(0, M), b=st.integers(0, M))
def test_p4_cut_columns_are_those_of_the_matrix(name, a, b):
    S = FAMILIES[name](SEED)
    a, b = min(a, b), max(a, b)
    dense = S.toarray()
    for block in (S[:, a:b], S.block(a, b)):
        assert block.dtype == np.float64
        assert block.shape == (D, b - a)
        values = block.toarray() if sp.issparse(block) else block
        np.testing.assert_array_equal(values, dense[:, a:b])
    rows = S[2:9:3, a:b]
    np.testing.assert_array_equal(rows.toarray() if sp.issparse(rows) else rows, dense[2:9:3, a:b])


@families
def test_p4_sparse_families_cut_sparse(name):
    S = FAMILIES[name](SEED)
    sparse = S.family in (
        "sparse_sign", "sparse_uniform", "countsketch", "very_sparse", "less", "row_sample",
        "tensor_sketch",
    ) or name == "stack"  # fmt: skip
    assert sp.issparse(S[:, 3:9]) is sparse
    if sparse:
        assert S[:, 3:9].format == "csc"
        assert S[:, 3:9].has_sorted_indices


@families
@given(n=st.integers(0, 4), complex_data=st.booleans(), seed=seeds)
def test_p5_adjoint(name, n, complex_data, seed):
    S, dtype = FAMILIES[name](seed), "c16" if complex_data else "f8"
    X, Y = matrix(M, n, dtype, seed), matrix(D, n, dtype, seed ^ 0x5A5A5A5A)
    left, right = np.sum(Y.conj() * (S @ X)), np.sum((S.T @ Y).conj() * X)
    scale = 1 + np.linalg.norm(X) * np.linalg.norm(Y)
    assert abs(left - right) <= 1e-13 * scale
    assert_near(S.T @ Y, S.toarray().T @ Y)
    if n:
        assert_near(S.T @ Y[:, 0], S.toarray().T @ Y[:, 0])


@families
@pytest.mark.parametrize("dtype", ["f4", "c8", "i8"])
def test_p5_adjoint_in_other_dtypes_and_orders(name, dtype, cuts):
    S, Y = FAMILIES[name](SEED), matrix(D, 5, dtype, 2929)
    want = S.toarray().T @ Y
    for given_Y in layouts(Y).values():
        out = S.T @ given_Y
        assert out.dtype == (np.float64 if dtype == "i8" else Y.dtype)
        assert_near(out, want, unit=UNIT[out.dtype.char])
    assert S.T.shape == (M, D)
    assert S.T.T is S


@families
@given(seed=seeds)
def test_linear(name, seed):
    S, A, B = FAMILIES[name](seed), matrix(M, 2, "f8", seed), matrix(M, 2, "f8", seed ^ 1)
    assert_near(S @ (2.5 * A - 3 * B), 2.5 * (S @ A) - 3 * (S @ B), unit=1e-12)


@pytest.mark.parametrize("m", [1, 2, 32, 64])
def test_p10_all_outputs_of_a_transform_are_an_isometry(m):
    for S in (sketch.SRHT(m, m, rng=5501), sketch.SRTT(m, m, rng=5502),
              sketch.SRHT(m, m, stream_block=4, rng=5503)):  # fmt: skip
        dense = S.toarray()
        np.testing.assert_allclose(dense.T @ dense, np.eye(m), rtol=0, atol=1e-14)
        X = S @ np.eye(m)
        np.testing.assert_allclose(X.T @ X, np.eye(m), rtol=0, atol=1e-14)


def test_p10_rows_of_a_transform_are_orthogonal():
    for S in (sketch.SRHT(20, 64, rng=5504), sketch.SRTT(20, 50, rng=5505)):
        dense = S.toarray()
        np.testing.assert_allclose(dense @ dense.T, S.m / S.d * np.eye(20), rtol=0, atol=1e-13)
    padded = sketch.SRHT(64, 50, rng=5506).toarray()
    np.testing.assert_allclose(padded.T @ padded, np.eye(50), rtol=0, atol=1e-14)


@families
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_p15_same_matrix_in_every_array_library(name, dtype, backend):
    """Products with the identity are the entries, to the bit; the cosine transform rounds."""
    S, xp = FAMILIES[name](SEED), backend.xp
    out = S @ backend.asarray(np.eye(M), dtype=getattr(xp, dtype))
    assert out.dtype == getattr(xp, dtype)
    if S.family == "srtt":
        assert_near(backend.to_numpy(out), S.toarray(), unit=1e-5 if dtype == "float32" else 1e-14)
    elif dtype == "float64" or S.family == "countsketch":
        np.testing.assert_array_equal(backend.to_numpy(out), S @ np.eye(M))
        assert_near(backend.to_numpy(out), S.toarray(), unit=5e-16)
    else:
        assert_near(backend.to_numpy(out), S.toarray(), unit=3e-7)


@families
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int64"])
def test_products_stay_in_the_library_and_on_the_device(name, dtype, backend, cuts):
    S, A = FAMILIES[name](SEED), matrix(M, 4, dtype, 6161)
    Y = matrix(D, 4, dtype, 6162)
    xp, X = backend.xp, backend.asarray(A)
    out, back = S @ X, S.T @ backend.asarray(Y)
    for result in (out, back):
        assert type(result) is type(X)
        assert str(getattr(result, "device", None)) == str(getattr(X, "device", None))
        assert result.dtype == (xp.float64 if dtype == "int64" else X.dtype)
    unit = 2e-6 if dtype in ("float32", "complex64") else 1e-13
    assert_near(backend.to_numpy(out), S.toarray() @ A, unit=unit)
    assert_near(backend.to_numpy(back), S.toarray().T @ Y, unit=unit)
    vector = S @ X[:, 1]
    assert vector.shape == (D,)
    assert_near(backend.to_numpy(vector), S.toarray() @ A[:, 1], unit=2 * unit)
    part = S.apply(X[9:30, :], rows=slice(9, 30))
    assert_near(backend.to_numpy(part), S.toarray()[:, 9:30] @ A[9:30], unit=unit)
    assert_near(backend.to_numpy((S @ X).T), (S.toarray() @ A).T, unit=unit)


def test_memory_maps_are_read_in_place(tmp_path):
    A = matrix(M, 4, "f8", 123321)
    np.save(tmp_path / "A.npy", A)
    S = sketch.SparseSign(D, M, rng=SEED)
    for name in FAMILIES:
        S = FAMILIES[name](SEED)
        out = S @ np.load(tmp_path / "A.npy", mmap_mode="r")
        assert type(out) is np.ndarray
        np.testing.assert_array_equal(out, S @ A)


@families
@pytest.mark.parametrize("exponent", [-150, 150])
def test_huge_and_tiny_data_only_scale_the_result(name, exponent):
    """Powers of two, so that nothing rounds: an overflow or underflow inside would show."""
    S, A, Y = FAMILIES[name](SEED), matrix(M, 3, "f8", 818), matrix(D, 3, "f8", 819)
    factor = 2.0 ** round(exponent * np.log2(10))
    np.testing.assert_array_equal(S @ (factor * A), factor * (S @ A))
    np.testing.assert_array_equal(S.T @ (factor * Y), factor * (S.T @ Y))


@families
def test_not_a_number_reaches_the_result(name):
    S, A = FAMILIES[name](SEED), matrix(M, 3, "f8", 820)
    j = int(np.argmax(np.abs(S.toarray()).sum(axis=0)))  # a column of S that is not zero
    A[j, 1] = np.nan
    out = S @ A
    assert np.isnan(out[:, 1]).any()
    assert np.isfinite(out[:, [0, 2]]).all()


SMALL = {
    "gaussian": lambda d, m: sketch.Gaussian(d, m, rng=31),
    "rademacher": lambda d, m: sketch.Rademacher(d, m, rng=31),
    "sparse_sign": lambda d, m: sketch.SparseSign(d, m, rng=31),
    "sparse_uniform": lambda d, m: sketch.SparseUniform(d, m, rng=31),
    "countsketch": lambda d, m: sketch.CountSketch(d, m, rng=31),
    "very_sparse": lambda d, m: sketch.VerySparse(d, m, rng=31),
    "less": lambda d, m: sketch.LESS(d, m, nnz_per_row=1, rng=31),
    "row_sample": lambda d, m: sketch.RowSampling(d, m, rng=31),
    "srht": lambda d, m: sketch.SRHT(d, m, rng=31),
    "srht_stream": lambda d, m: sketch.SRHT(d, m, stream_block=1, rng=31),
    "srtt": lambda d, m: sketch.SRTT(d, m, rng=31),
    "tensor_sketch": lambda d, m: sketch.TensorSketch(d, (m, 1), rng=31),
    "tensor_srht": lambda d, m: sketch.TensorSRHT(d, (1, m), rng=31),
    "khatri_rao": lambda d, m: sketch.KhatriRao(d, (m, 1), rng=31),
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(("d", "m"), [(1, 1), (1, 2), (2, 2), (1, 45), (3, 3)])
@pytest.mark.parametrize("n", [0, 1])
def test_degenerate_shapes(name, d, m, n):
    S = SMALL[name](d, m)
    A, Y = np.ones((m, n)), np.ones((d, n))
    assert_near(S @ A, S.toarray() @ A)
    assert_near(S.T @ Y, S.toarray().T @ Y)
    assert_near(S @ sp.csr_array(A), S.toarray() @ A)
    assert_near(S @ sp.csc_array(A), S.toarray() @ A)
    assert_near(S @ sla.aslinearoperator(A), S.toarray() @ A)
    assert S.apply(np.ones((0, n)), rows=slice(m, m)).shape == (d, n)
    np.testing.assert_array_equal(S.apply(np.ones((0, n)), rows=slice(0, 0)), np.zeros((d, n)))
    assert S[:, 0:0].shape == (d, 0)


VAST = {
    "gaussian": lambda m: sketch.Gaussian(16, m, rng=99),
    "rademacher": lambda m: sketch.Rademacher(16, m, rng=99),
    "sparse_sign": lambda m: sketch.SparseSign(16, m, rng=99),
    "sparse_uniform": lambda m: sketch.SparseUniform(16, m, rng=99),
    "countsketch": lambda m: sketch.CountSketch(16, m, rng=99),
    "very_sparse": lambda m: sketch.VerySparse(16, m, s=3, rng=99),
    "srht": lambda m: sketch.SRHT(16, m, rng=99),
    "srht_stream": lambda m: sketch.SRHT(16, m, stream_block=64, rng=99),
    "tensor_sketch": lambda m: sketch.TensorSketch(16, (2**20, m // 2**20), rng=99),
    "tensor_srht": lambda m: sketch.TensorSRHT(16, (2**20, m // 2**20), rng=99),
    "gaussian_extended": lambda m: sketch.Gaussian(8, m, rng=99).extend(8),
    "stack": lambda m: sketch.SparseSign(8, m, rng=99).extend(8),
}


@pytest.mark.parametrize("name", VAST)
def test_data_of_a_trillion_rows_are_sketched_a_few_at_a_time(name):
    """The position of a row is 64 bits long, and nothing of the length of the data is made."""
    m, first = 2**40, 2**39 + 12345
    S, A = VAST[name](m), matrix(10, 3, "f8", 4004)
    block = S[:, first : first + 10]
    block = block.toarray() if sp.issparse(block) else block
    rows = slice(first, first + 10)
    assert_near(S.apply(A, rows=rows), block @ A)
    assert_near(S.apply(sp.csr_array(A), rows=rows), block @ A)
    assert np.unique(block, axis=1).shape[1] > 5  # positions differ in the low word
    other = S[:, first + 2**33 : first + 2**33 + 10]  # and in the high one
    assert not np.array_equal(other.toarray() if sp.issparse(other) else other, block)


def test_kronecker_dimensions_match_the_products(cuts):
    """The last index varies fastest, as in numpy.kron."""
    a, b = matrix(DIMS[0], 1, "f8", 1), matrix(DIMS[1], 1, "f8", 2)
    for name in ("tensor_sketch", "tensor_srht", "khatri_rao"):
        S = FAMILIES[name](SEED)
        assert_near(S.kronecker([a, b]), S.toarray() @ np.kron(a, b))
