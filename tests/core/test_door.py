"""What arrays and matrices may enter, and what is said to the others."""

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as sla

from lrla._core import arrays
from lrla._core.operators import as_operator, is_sparse


def test_the_space_of_arrays(backend):
    xp, device = backend
    space = arrays.space_of(backend.asarray(np.ones(3)), None, backend.asarray(np.ones((2, 2))))
    assert space.xp is xp
    assert device is None or str(space.device) == str(device)
    assert space.is_numpy is (xp is arrays.numpy_space().xp)
    for made in (space.zeros((2, 3), xp.float32), space.eye(3, xp.float64), space.asarray([1.0])):
        assert arrays.space_of(made) == space
    assert space.zeros((2, 3), xp.float32).dtype == xp.float32


def test_libraries_and_devices_do_not_mix():
    strict = pytest.importorskip("array_api_strict")
    with pytest.raises(TypeError, match="arrays of array_api_strict, numpy together; convert them"):
        arrays.space_of(np.ones(2), strict.ones(2))
    here, there = strict.ones(2), strict.ones(2, device=strict.Device("device1"))
    with pytest.raises(
        TypeError, match=r"arguments are on different devices: .*; move them to one"
    ):
        arrays.space_of(here, there)
    assert arrays.space_of(here, here).xp is strict


def test_integers_become_doubles_and_halves_become_singles(backend):
    xp = backend.xp
    for dtype, want in (("int8", "float64"), ("uint16", "float64"), ("bool", "float64"),
                        ("float32", "float32"), ("complex64", "complex64")):  # fmt: skip
        x = backend.asarray(np.array([[1, 0]]), dtype=getattr(xp, dtype))
        assert arrays.as_array(x, "x").dtype == getattr(xp, want)
    assert arrays.as_array(np.ones((2, 2), np.float16), "x").dtype == np.float32
    assert arrays.as_array([[1, 2], [3, 4]], "x").dtype == np.float64


def test_floating_arrays_enter_without_a_copy(tmp_path):
    for x in (np.ones((3, 4)), np.ones((4, 3)).T, np.ones((6, 8))[::2, ::2]):
        assert np.shares_memory(arrays.as_array(x, "x"), x)
    np.save(tmp_path / "x.npy", np.ones((3, 2)))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    entered = arrays.as_array(mapped, "x")
    assert type(entered) is np.ndarray
    assert np.shares_memory(entered, mapped)


def foreign(x):
    """The same numbers with their bytes in the other order."""
    return x.astype(x.dtype.newbyteorder("S"))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c8", "c16", "i4", "u2"])
def test_foreign_byte_orders_become_native(dtype):
    x = np.arange(12).reshape(3, 4).astype(dtype)
    for given in (foreign(x), foreign(x).T, foreign(x)[::2]):
        entered = arrays.as_array(given, "x")
        assert entered.dtype == arrays.as_array(x, "x").dtype
        assert entered.dtype.isnative
        np.testing.assert_array_equal(entered, given)


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia"])
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_foreign_byte_orders_in_sparse_matrices_become_native(form, kind):
    A = getattr(sp, f"{form}_{kind}")(np.diag([1.0, 2.0, 3.0]))
    want = A.toarray()
    for part in ("data", "indices", "indptr", "coords", "offsets"):
        old = getattr(A, part, None)
        if old is not None:
            setattr(A, part, tuple(map(foreign, old)) if part == "coords" else foreign(old))
    op = as_operator(A)
    assert all(x.dtype.isnative for x in op.csr())
    assert op.dtype == np.float64
    np.testing.assert_array_equal(op.matmat(np.eye(3)), want)
    assert not A.data.dtype.isnative  # the user's own is as it was


def test_products_of_operators_are_floating_and_native():
    A = foreign(np.arange(6).reshape(3, 2))

    class Given:
        shape, dtype = A.shape, A.dtype

        def matmat(self, X):
            return foreign(A @ X)

        def rmatmat(self, Y):
            return A.T @ Y.astype(int)

    op = as_operator(Given())
    for out in (op.matmat(np.eye(2)), op.rmatmat(np.eye(3)).T):
        assert out.dtype == np.float64
        assert out.dtype.isnative
        np.testing.assert_array_equal(out, A)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, sp.csc_matrix])
@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_entries_that_are_not_finite_are_named_by_row_and_column(form, bad):
    A = np.diag(np.arange(1.0, 8.0))
    as_operator(form(A)).check_entries("B")
    A[5, 2] = bad
    with pytest.raises(
        ValueError, match=r"^B must be finite, got NaN or .* at index \(5, 2\); rem"
    ):
        as_operator(form(A)).check_entries("B")


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([["a"]], TypeError, "b must hold float32, .* got dtype <U1"),
        (np.ones((1, 1), object), TypeError, "b must hold float32, .* got dtype object"),
        (np.ma.ones((2, 2)), TypeError, "b must be an array, got MaskedArray; .* entries filled"),
        ("words", TypeError, r"b must be an array, got str; pass np.asarray\(b\)"),
        (sp.csr_array((2, 2)), TypeError, r"b must be an array, got csr_array; pass b.toarray\(\)"),
        (np.ones(3), ValueError, r"b must have 2 dimensions, got shape \(3,\)"),
    ],
    ids=["text", "object", "masked", "str", "sparse", "1d"],
)
def test_what_is_no_array_of_numbers(x, error, message):
    with pytest.raises(error, match=message):
        arrays.as_array(x, "b")


def test_finite_or_where_not(backend):
    x = np.ones((3, 4))
    arrays.check_finite(backend.asarray(x), "A")
    for bad in (np.nan, np.inf, -np.inf):
        x = np.ones((3, 4))
        x[1, 2] = x[2, 0] = bad
        with pytest.raises(
            ValueError, match=r"A must be finite, .* at index \(1, 2\); remove or imp"
        ):
            arrays.check_finite(backend.asarray(x), "A")
    with pytest.raises(ValueError, match=r"at index \(41, 2\)"):
        arrays.check_finite(backend.asarray(x), "A", start=40)
    with pytest.raises(ValueError, match=r"p must be finite, .* at index \(\)"):
        arrays.check_finite(backend.asarray(np.array(np.nan)), "p", start=40)


def test_adjoint_and_dtypes(backend):
    xp = backend.xp
    x = backend.asarray(np.array([[1 + 2j, 3]]), dtype=xp.complex128)
    np.testing.assert_array_equal(backend.to_numpy(arrays.adjoint(x)), [[1 - 2j], [3]])
    np.testing.assert_array_equal(backend.to_numpy(arrays.adjoint(x[0, :])), [1 - 2j, 3])
    assert arrays.real_dtype(xp, xp.complex64) == xp.float32
    assert arrays.real_dtype(xp, xp.complex128) == xp.float64
    assert arrays.real_dtype(xp, xp.float32) == xp.float32
    assert arrays.unit_roundoff(xp, xp.float64) == 2.0**-53
    assert arrays.unit_roundoff(xp, xp.complex64) == 2.0**-24


DENSE = np.arange(12.0).reshape(4, 3) - 5


def test_operators_of_every_kind_multiply_alike(backend):
    for A in (DENSE, DENSE + 2j * DENSE[::-1]):
        if backend.xp is arrays.numpy_space().xp:
            kinds = [A, sp.csr_array(A), sp.csc_matrix(A), sp.coo_array(A), sp.dia_matrix(A),
                     sla.aslinearoperator(A)]  # fmt: skip
        else:
            kinds = [backend.asarray(A)]
        X, Y = np.ones((3, 2)) + 1j, np.arange(8.0).reshape(4, 2) + 0j
        for kind in kinds:
            op = as_operator(kind)
            assert op.shape == (4, 3)
            assert op.real_dtype == backend.xp.float64
            complex_op = op if A.dtype.kind == "c" else None
            B, C = (X, Y) if complex_op else (X.real, Y.real)
            to = backend.to_numpy
            np.testing.assert_allclose(to(op.matmat(backend.asarray(B))), A @ B)
            np.testing.assert_allclose(to(op.rmatmat(backend.asarray(C))), A.conj().T @ C)
            np.testing.assert_allclose(to(op.todense()), A)
            if op.kind == "sparse":
                data, indices, indptr = op.csr()
                np.testing.assert_allclose(
                    sp.csr_array((data, indices, indptr), A.shape).todense(), A
                )


def test_dtypes_of_operators():
    for dtype, want in (("i4", "f8"), ("?", "f8"), ("f4", "f4"), ("c8", "c8")):
        for A in (DENSE.astype(dtype), sp.csr_array(DENSE.astype(dtype))):
            assert as_operator(A).dtype == np.dtype(want)
    assert as_operator(sla.aslinearoperator(DENSE.astype("f4"))).dtype == np.float32
    assert as_operator(sla.aslinearoperator(DENSE.astype("i4"))).dtype == np.float64
    untyped = type("Untyped", (), {"shape": (4, 3), "dtype": None, "matmat": None, "rmatmat": None})
    assert as_operator(untyped()).dtype == np.float64


def test_operators_without_columns_are_formed():
    op = as_operator(sla.aslinearoperator(np.zeros((4, 0))))
    assert op.todense().shape == (4, 0)


@pytest.mark.parametrize(
    ("A", "error", "message"),
    [
        (sp.coo_array(np.ones(3)), ValueError, r"M must have 2 dimensions, got shape \(3,\)"),
        (sp.csr_array(np.ones((2, 2), np.longdouble)), TypeError, "M must hold float32, .* float"),
        (np.ones(3), ValueError, "M must have 2 dimensions"),
        (
            type("Odd", (), {"shape": (3,), "matmat": 0, "rmatmat": 0})(),
            ValueError,
            "M must have 2",
        ),
        (object(), TypeError, "M must be an array, got object"),
        (
            type("Forward", (), {"matmat": 0})(),
            TypeError,
            "M must have the method rmatmat, .* Forward",
        ),
    ],
    ids=["sparse-1d", "longdouble", "1d", "odd", "object", "forward"],
)
def test_what_is_no_matrix(A, error, message):
    with pytest.raises(error, match=message):
        as_operator(A, "M")


def test_sparse_is_what_can_be_made_csr():
    assert is_sparse(sp.eye_array(3))
    assert is_sparse(sp.eye(3, format="lil"))
    assert not is_sparse(DENSE)
    assert not is_sparse(sla.aslinearoperator(DENSE))


def test_columns(backend):
    """Gathered in any order, and replaced, repeatedly."""
    A = np.arange(12.0).reshape(3, 4)
    space = arrays.space_of(backend.asarray(A))
    index = backend.asarray(np.array([3, 0]))
    got = backend.to_numpy(space.columns(backend.asarray(A), index))
    np.testing.assert_array_equal(got, A[:, [3, 0]])
    new = backend.asarray(np.array([[1.0, np.pi], [3, 4], [5, 1e300]]))
    room = space.xp.asarray(backend.asarray(A), copy=True)
    want = A.copy()
    want[:, [3, 0]] = backend.to_numpy(new)
    np.testing.assert_array_equal(backend.to_numpy(space.with_columns(room, index, new)), want)
