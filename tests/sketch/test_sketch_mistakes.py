"""What users get wrong, and the sentence that tells them so."""

import math
import warnings

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as sla
from families import DIMS, FAMILIES, D, M

from lrla import sketch
from lrla._core.errors import AccuracyWarning

SEED = 77003
families = pytest.mark.parametrize("name", FAMILIES)


class Frame:
    """Looks like a pandas DataFrame to whoever asks."""

    shape = (M, 2)
    iloc = None

    def to_numpy(self):
        return np.ones(self.shape)


@families
@pytest.mark.parametrize(
    "form",
    [np.asarray, sp.csr_array, sp.csc_matrix, sla.aslinearoperator, da.from_array, np.ndarray.tolist],
)  # fmt: skip
@pytest.mark.parametrize("rows", [M - 1, M + 1, D, 1])
def test_wrong_number_of_rows(name, form, rows):
    """More rows and fewer rows, for every kind of data: none may be sketched in silence."""
    S, A = FAMILIES[name](SEED), np.ones((rows, 3))
    kind = type(S).__name__
    with pytest.raises(
        ValueError,
        match=rf"cannot apply {kind}\(d=12, m=45\) to A of shape \({rows}, 3\): A needs 45 rows",
    ):
        S @ form(A)
    with pytest.raises(ValueError, match=rf"{kind}\(d=12, m=45\) to A of shape \({rows},\): A "):
        S @ A[:, 0]
    with pytest.raises(
        ValueError, match=rf"cannot multiply A of shape \(3, {rows}\) with the transpose of {kind}"
    ):
        A.T @ S.T


@families
def test_wrong_rows_of_a_chunk(name):
    S = FAMILIES[name](SEED)
    for form in (np.asarray, sp.csr_array, sla.aslinearoperator, da.from_array):
        with pytest.raises(ValueError, match=r"to A of shape \(4, 2\) as rows 3:8: A needs 5 rows"):
            S.apply(form(np.ones((4, 2))), rows=slice(3, 8))
    for rows in (slice(0, 46), slice(0, 10, 2), slice(9, 3)):
        with pytest.raises(ValueError, match=r"rows must be a slice with step 1 inside 0:45, got"):
            S.apply(np.ones((4, 2)), rows=rows)
    for rows in (3, [1, 2], (0, 4)):
        with pytest.raises(TypeError, match="rows must be a slice, got"):
            S.apply(np.ones((4, 2)), rows=rows)


@families
def test_wrong_number_of_rows_for_the_adjoint(name):
    S = FAMILIES[name](SEED)
    for Y in (np.ones((M, 2)), np.ones(M)):
        with pytest.raises(ValueError, match=r"the adjoint of .* to Y of shape .*: Y needs 12 row"):
            S.T @ Y
    with pytest.raises(TypeError, match=r"Y must be an array, got csr_array; pass Y.toarray\(\)"):
        S.T @ sp.csr_array(np.ones((D, 2)))
    with pytest.raises(ValueError, match="Y must have 1 or 2 dimensions, got shape"):
        S.T @ np.ones((D, 2, 2))


@pytest.mark.parametrize(
    ("A", "error", "message"),
    [
        (np.ones((M, 2, 2)), ValueError, r"A must have 1 or 2 dimensions, got shape \(45, 2, 2\)"),
        (np.float64(3), ValueError, r"A must have 1 or 2 dimensions, got shape \(\)"),
        (3.0, ValueError, r"A must have 1 or 2 dimensions, got shape \(\)"),
        (da.ones((M, 2, 2)), ValueError, r"A must have 1 or 2 dimensions, got shape"),
        (sp.coo_array(np.ones(M)), ValueError, r"A must have 2 dimensions, got shape \(45,\)"),
        (np.ma.masked_array(np.ones((M, 2))), TypeError, "MaskedArray; .* masked entries filled"),
        (np.asmatrix(np.ones((M, 2))), TypeError, r"A must be an array, got matrix; pass np.asarr"),
        (Frame(), TypeError, r"A must be an array, got Frame; pass np.asarray\(A\)"),
        (np.ones((M, 2), object), TypeError, "A must hold float32, .* got dtype object"),
        (np.full((M, 2), "a"), TypeError, "A must hold float32, .* got dtype <U1"),
        (np.ones((M, 2), "M8[s]"), TypeError, "A must hold float32, .* got dtype datetime64"),
        (np.ones((M, 2), np.longdouble), TypeError, "A must hold float32, .* got dtype float128"),
        (np.ones((M, 2), np.clongdouble), TypeError, "A must hold .* got dtype complex256"),
        (sp.csr_array(np.ones((M, 2), np.longdouble)), TypeError, "A must hold float32, .* float128"),
        ("word", TypeError, "A must be an array, got str"),
        (None, TypeError, "A must be an array, got NoneType"),
        ({}, TypeError, "A must be an array, got dict"),
        (iter([1.0]), TypeError, "A must be an array, got list_iterator"),
    ],
    ids=["3d", "0d", "number", "dask-3d", "sparse-1d", "masked", "np.matrix", "frame", "object",
         "text", "dates", "longdouble", "clongdouble", "sparse-longdouble", "str", "None", "dict",
         "iterator"],
)  # fmt: skip
def test_what_is_no_matrix_of_numbers(A, error, message):
    if "128" in message and np.dtype(np.longdouble).itemsize == 8:
        pytest.skip("long double is double on this platform")
    for name in ("gaussian", "sparse_sign", "srht"):
        with pytest.raises(error, match=message):
            FAMILIES[name](SEED) @ A


def test_left_operands_that_are_no_matrix_of_numbers():
    S = FAMILIES["gaussian"](SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # of the class itself
        with pytest.raises(TypeError, match="A must be an array, got matrix"):
            np.asmatrix(np.ones((2, M))) @ S.T
    with pytest.raises(TypeError):  # S has m columns: A @ S is no product that it knows
        np.ones((3, D)) @ S
    with pytest.raises(ValueError, match="dimensions, got shape"):
        np.ones((2, 2, M)) @ S.T


def test_left_operands_that_do_not_let_the_right_one_answer():
    """Documented beside `SketchOperator.T`; should one of these begin to work, drop the words."""
    strict = pytest.importorskip("array_api_strict")
    S, A = FAMILIES["gaussian"](SEED), np.ones((3, M))
    with pytest.raises(TypeError, match="Expected Array or Python scalar"):
        strict.asarray(A) @ S.T
    with pytest.raises(ValueError, match="expected 1-d or 2-d array"):
        sla.aslinearoperator(A) @ S.T
    np.testing.assert_allclose((S @ sla.aslinearoperator(A).T).T, A @ S.T)
    np.testing.assert_allclose(np.asarray((S @ strict.asarray(A).T).T), A @ S.T)


@families
def test_index_mistakes(name):
    S = FAMILIES[name](SEED)
    for index in (3, slice(0, 3), (slice(None), 3), (0, slice(0, 3)), (slice(None),) * 3, "a"):
        with pytest.raises(TypeError, match=r"index a sketch by two slices, as in S\[:, a:b\]"):
            S[index]
    for step in (2, -1):
        with pytest.raises(
            ValueError, match=f"columns of a sketch are cut with step 1, got {step}"
        ):
            S[:, ::step]
    for a, b in ((-1, 3), (3, 2), (0, 46)):
        with pytest.raises(ValueError, match=f"columns must satisfy 0 <= .* <= 45, got {a}:{b}"):
            S.block(a, b)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(M - 1), r"weights must be 45 real numbers, none negative, .* got shape \(44,\)"),
        (-np.ones(M), "weights must be 45 real numbers, none negative"),
        (np.ones(M, complex), "weights must be 45 real numbers, .* dtype complex128"),
        (np.where(np.arange(M) == 7, np.nan, 1), r"weights must be finite, .* at index \(7,\)"),
        (np.where(np.arange(M) == 9, np.inf, 1), r"weights must be finite, .* at index \(9,\)"),
        (np.full(M, 1e300), r"square roots of weights in float32 must be finite, .* \(0,\)"),
    ],
    ids=["short", "negative", "complex", "nan", "infinite", "overflowing"],
)
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, da.from_array])
def test_weights_that_are_none(weights, message, form):
    S, A = FAMILIES["sparse_sign"](SEED), np.ones((M, 2), np.float32)
    with np.errstate(over="ignore"), pytest.raises(ValueError, match=message):
        S.apply(form(A), weights=weights)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"family": "srht"}, "of a SRHT without d, m, seed, stream$"),
        ({"family": "srht", "d": 3, "m": 8, "seed": 1}, "got one of a SRHT without stream$"),
        ({"family": "tensor_sketch", "d": 3, "m": 8, "seed": 1, "stream": 0}, "without dims$"),
        ({"family": "stack"}, "description must be what to_dict returned, .* Stack without parts"),
    ],
)
def test_descriptions_with_holes(description, message):
    with pytest.raises(ValueError, match=message):
        sketch.from_dict(description)


@pytest.mark.parametrize("S", [3, np.eye(M), None])
def test_distortion_is_of_a_sketch(S):
    with pytest.raises(TypeError, match=r"S must be a sketch, such as SparseSign\(d, m\), got"):
        sketch.distortion(S, np.eye(M, 2))


CLASSES = {
    "Gaussian": sketch.Gaussian,
    "Rademacher": sketch.Rademacher,
    "SparseSign": sketch.SparseSign,
    "SparseUniform": sketch.SparseUniform,
    "CountSketch": sketch.CountSketch,
    "VerySparse": sketch.VerySparse,
    "LESS": lambda d, m: sketch.LESS(d, m, nnz_per_row=2),
    "RowSampling": sketch.RowSampling,
    "SRHT": sketch.SRHT,
    "SRTT": sketch.SRTT,
}


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize(
    "bad", [0, -3, 2.5, math.nan, math.inf, "ten", None, 1j, [2]], ids=lambda value: repr(value)
)
def test_sizes_are_positive_integers(name, bad):
    with pytest.raises(ValueError, match="d must be a positive integer, got"):
        CLASSES[name](bad, 10)
    with pytest.raises(ValueError, match="m must be a positive integer, got"):
        CLASSES[name](4, bad)


def test_integers_of_numpy_are_sizes():
    S = sketch.SparseSign(np.int32(4), np.uint8(10), nnz_per_col=np.int64(2), rng=np.int64(5))
    assert sketch.SparseSign(4, 10, nnz_per_col=2, rng=5) == S
    assert all(type(v) is int for v in (S.d, S.m, S.seed, S.nnz_per_col))
    assert sketch.Gaussian(4.0, 10, rng=5) == sketch.Gaussian(4, 10, rng=5)


def test_parameters_of_families():
    for value in (0, -1, 1.5, "8"):
        with pytest.raises(ValueError, match="nnz_per_col must be a positive integer, got"):
            sketch.SparseSign(4, 10, nnz_per_col=value)
        with pytest.raises(ValueError, match="nnz_per_row must be a positive integer, got"):
            sketch.LESS(4, 10, nnz_per_row=value)
    for value in (0.5, 0, -1, 2.0**31 + 1, 1e12, math.inf, math.nan):
        with pytest.raises(ValueError, match=r"s must be between 1 and 2\*\*31, got"):
            sketch.VerySparse(4, 10, s=value)
    for value in (3, 12, 0, -2, 1.5):
        with pytest.raises(
            ValueError, match=r"stream_block must be a (power of two|positive integ)"
        ):
            sketch.SRHT(4, 10, stream_block=value)
    with pytest.raises(ValueError, match=r"d must be at most 16, the length of the transform, got"):
        sketch.SRHT(17, 10)
    with pytest.raises(
        ValueError, match=r"d must be at most 10, .* with so many rows no sketch is"
    ):
        sketch.SRTT(11, 10)
    with pytest.raises(ValueError, match=r"m must be at most 2\*\*31, got 4294967296; use SRHT"):
        sketch.SRTT(4, 2**32)
    with pytest.raises(ValueError, match=r"m must be at most 2\*\*31, got 4294967296"):
        sketch.LESS(4, 2**32, nnz_per_row=2)
    with pytest.raises(TypeError):
        sketch.LESS(4, 10)  # how many draws is the user's to say
    with pytest.raises(TypeError):
        sketch.Gaussian(4, 10, 3)  # the seed goes by name


@pytest.mark.parametrize(
    "probabilities",
    [np.ones(9), np.zeros(10), [-1.0, *[1.0] * 9], [math.nan, *[1.0] * 9], [math.inf, *[1.0] * 9],
     np.full(10, 1e308), np.ones((10, 1))],
    ids=["short", "zero", "negative", "nan", "infinite", "overflowing", "column"],
)  # fmt: skip
def test_probabilities_that_are_none(probabilities):
    with (
        pytest.raises(ValueError, match="probabilities must be 10 finite non-negative numbers, no"),
        np.errstate(over="ignore"),
    ):
        sketch.LESS(4, 10, nnz_per_row=2, probabilities=probabilities)
    with (
        pytest.raises(ValueError, match="probabilities must be 10 finite non-negative numbers, no"),
        np.errstate(over="ignore"),
    ):
        sketch.RowSampling(4, 10, probabilities=probabilities)


def test_probabilities_may_be_zero_and_need_not_sum_to_one():
    p = np.array([0, 0, 3.0, 0, 1.0, 0])
    S = sketch.LESS(50, 6, nnz_per_row=2, probabilities=p, rng=404)
    assert set(np.flatnonzero(np.abs(S.toarray()).sum(axis=0))) == {2, 4}
    scaled = sketch.LESS(50, 6, nnz_per_row=2, probabilities=p / 8, rng=404)
    np.testing.assert_array_equal(scaled.toarray(), S.toarray())


@pytest.mark.parametrize("make", [sketch.TensorSketch, sketch.TensorSRHT, sketch.KhatriRao])
def test_structured_mistakes(make):
    for dims in (45, (45,), (), None):
        with pytest.raises(ValueError, match="dims must be two or more positive integers, got"):
            make(D, dims)
    for dims in ((5, 0), (5, 2.5), (5, "a")):
        with pytest.raises(ValueError, match="dims must be a positive integer, got"):
            make(D, dims)
    S = make(D, DIMS, rng=SEED)
    a, b = np.ones((5, 2)), np.ones((9, 2))
    for product in (S.khatri_rao, S.kronecker):
        with pytest.raises(ValueError, match=r"factors must have \(5, 9\) rows, got \(9, 5\)"):
            product([b, a])
        with pytest.raises(ValueError, match=r"factors must have \(5, 9\) rows, got \(5,\)"):
            product([a])
        with pytest.raises(ValueError, match=r"factors\[1\] must have 1 or 2 dimensions, got sha"):
            product([a, np.ones((9, 2, 2))])
        with pytest.raises(TypeError, match=r"factors\[0\] must be an array, got str"):
            product(["a", b])
    with pytest.raises(
        ValueError, match=r"factors must have the same number of columns, got \[2, "
    ):
        S.khatri_rao([a, np.ones((9, 3))])


def test_khatri_rao_words():
    with pytest.raises(
        ValueError, match="base must be 'spherical', 'rademacher' or 'gaussian', go"
    ):
        sketch.KhatriRao(4, (2, 3), base="normal")
    with pytest.warns(AccuracyWarning, match="7 factors needs .* use TensorSRHT or TensorSketch"):
        sketch.KhatriRao(4, (2,) * 7)


def test_mixed_libraries_are_refused():
    strict = pytest.importorskip("array_api_strict")
    S = sketch.KhatriRao(D, DIMS, rng=SEED)
    with pytest.raises(
        TypeError, match="cannot compute with arrays of array_api_strict, numpy tog"
    ):
        S.khatri_rao([np.ones((5, 2)), strict.ones((9, 2))])
