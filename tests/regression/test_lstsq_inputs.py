"""What `lstsq` takes, what it refuses and how, and what it leaves alone."""

import concurrent.futures
import re

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from reference import problem
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import lrla
from lrla.regression import plan_lstsq

METHODS = ("auto", "gram", "spir", "fossils", "cqrrt", "direct")
SEED = 90210


def data(dtype="f8", m=600, n=12, p=None):
    return problem(SEED, m, n, 1e3, 1e-2, dtype, p)[:2]


# -- accepted ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("layout", ["C", "F", "strided", "reversed", "locked"])
def test_dtypes_and_layouts(method, dtype, layout):
    A, b = data(dtype)
    want = np.linalg.lstsq(A.astype("c16"), b.astype("c16"), rcond=None)[0]
    if layout == "F":
        A = np.asfortranarray(A)
    if layout == "strided":
        A, b = np.repeat(np.repeat(A, 2, axis=0), 3, axis=1)[::2, ::3], np.repeat(b, 2)[::2]
    if layout == "reversed":
        A, b = A[::-1].copy()[::-1], b[::-1].copy()[::-1]
    if layout == "locked":
        A.setflags(write=False)
        b.setflags(write=False)
    result = lrla.lstsq(A, b, method=method, rng=SEED)
    assert result.x.dtype == dtype
    assert np.linalg.norm(result.x - want) <= (1e-2 if dtype in ("f4", "c8") else 1e-10)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["i8", "u1", "?"])
def test_integers_become_float64(method, dtype):
    A = np.random.default_rng(SEED).integers(0, 3, (500, 6)).astype(dtype)
    b = np.arange(500)
    result = lrla.lstsq(A, b, method=method, rng=SEED)
    assert result.x.dtype == np.float64
    want = np.linalg.lstsq(A.astype("f8"), b.astype("f8"), rcond=None)[0]
    np.testing.assert_allclose(result.x, want, rtol=1e-8, atol=1e-8)


def test_lists():
    x, info = lrla.lstsq([[1, 2], [3, 4], [5, 6]], [3, 7, 11])
    np.testing.assert_allclose(x, [1, 1])
    assert info.method == "direct"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("form", ["plain", "weights", "ridge", "ridges", "several", "complex"])
def test_array_libraries(backend, method, form):
    """The answer lives where the data live, and is that of NumPy."""
    A, b = data("c16" if form == "complex" else "f8", p=3 if form == "several" else None)
    options = {}
    if form == "weights":
        options["weights"] = np.linspace(0, 1, 600)
    if form == "ridge":
        options["ridge"] = 0.5
    if form == "ridges":
        options["ridge"] = np.linspace(0, 1, 12)
    want = lrla.lstsq(A, b, method=method, rng=SEED, **options)
    options = {k: backend.asarray(v) if np.ndim(v) else v for k, v in options.items()}
    got = lrla.lstsq(backend.asarray(A), backend.asarray(b), method=method, rng=SEED, **options)
    assert type(got.x) is type(backend.asarray(b))
    np.testing.assert_allclose(backend.to_numpy(got.x), want.x, rtol=0, atol=1e-9)
    assert got.info.method == want.info.method
    norm = got.residual_norm
    norm = norm if isinstance(norm, float) else backend.to_numpy(norm)
    np.testing.assert_allclose(norm, want.residual_norm, rtol=1e-9)


@pytest.mark.parametrize("form", ["wide", "deficient", "huge", "integers", "single"])
def test_array_libraries_on_the_rare_paths(backend, form):
    A, b = data("f4" if form == "single" else "f8")
    if form == "wide":
        A, b = A.T.copy(), b[:12]
    if form == "deficient":
        A[:, 3] = A[:, 4]
        A[:, 5] = 0
    if form == "huge":
        A, b = A * 10.0 ** np.arange(-120, 120, 20), b * 1e120
    if form == "integers":
        A, b = (A * 1e4).astype(int), (b * 1e4).astype(int)
    want = lrla.lstsq(A, b, rng=SEED)
    got = lrla.lstsq(backend.asarray(A), backend.asarray(b), rng=SEED)
    scale = np.abs(want.x)
    tolerance = 1e-2 if form == "single" else 1e-8
    assert np.all(np.abs(backend.to_numpy(got.x) - want.x) <= tolerance * np.maximum(scale, 1e-3))
    assert got.rank == want.rank


# -- left alone ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [1.0, 1e200])
@pytest.mark.parametrize("form", ["dense", "csr", "csc"])
def test_arguments_are_not_changed(method, size, form):
    A, b = data()
    A, b = A * size, b * size
    A = A if form == "dense" else sp.csr_array(A).asformat(form)
    w, mu = np.linspace(0, 1, 600), np.linspace(0, 1, 12)
    arrays = [b, w, mu, *([A] if form == "dense" else [A.data, A.indices, A.indptr])]
    before = [a.copy() for a in arrays]
    lrla.lstsq(A, b, method=method, weights=w, ridge=mu, rng=SEED)
    for a, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, copy)


@pytest.mark.parametrize("method", METHODS)
def test_same_seed_same_bits(method):
    A, b = data()
    first = lrla.lstsq(A, b, method=method)
    again = lrla.lstsq(A, b, method=method, rng=first.info.seed)
    assert first.x.tobytes() == again.x.tobytes()
    if method in ("spir", "fossils"):
        other = lrla.lstsq(A, b, method=method, rng=first.info.seed + 1)
        assert first.x.tobytes() != other.x.tobytes()


def test_a_generator_moves_on_and_the_seed_is_reported():
    A, b = data()
    rng = np.random.default_rng(SEED)
    seeds = [lrla.lstsq(A, b, method="spir", rng=rng).info.seed for _ in range(2)]
    assert seeds[0] != seeds[1]


@pytest.mark.parametrize("form", ["dense", "csr"])
def test_threads_do_not_change_the_bits(form, monkeypatch):
    """Of what the library's own kernels compute: BLAS is held to one thread throughout."""
    from threadpoolctl import threadpool_limits

    from lrla._core import threads

    A, b = data(m=40_000, n=12)
    A = sp.csr_array(np.where(abs(A) > np.median(abs(A)), A, 0)) if form == "csr" else A
    bits = set()
    with threadpool_limits(1, user_api="blas"):
        for n in (1, 2, 4):
            token = threads._wanted.set(n)
            try:
                bits.add(lrla.lstsq(A, b, method="spir", rng=SEED).x.tobytes())
            finally:
                threads._wanted.reset(token)
    assert len(bits) == 1


def test_calls_from_many_python_threads():
    A, b = data(m=20_000)
    want = {m: lrla.lstsq(A, b, method=m, rng=SEED).x.tobytes() for m in METHODS}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        jobs = [(m, pool.submit(lrla.lstsq, A, b, method=m, rng=SEED)) for m in METHODS * 4]
        for method, job in jobs:
            assert job.result().x.tobytes() == want[method]


# -- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("m", [600, 70_000])
def test_entries_that_are_not_finite_are_located(method, bad, m):
    A, b = data(m=m, n=5)
    A[m - 7, 3] = bad
    with pytest.raises(ValueError, match=rf"^A must be finite, got NaN .* at index \({m - 7}, 3\)"):
        lrla.lstsq(A, b, method=method)
    with pytest.raises(ValueError, match=rf"^A must be finite, .* at index \({m - 7}, 3\)"):
        lrla.lstsq(A, b, method=method, weights=np.ones(m), ridge=1.0)
    with pytest.raises(ValueError, match=rf"^A must be finite, .* at index \({m - 7}, 3\)"):
        lrla.lstsq(sp.csr_array(A), b, method=method)
    b[5] = bad
    with pytest.raises(ValueError, match=r"^b must be finite, got NaN .* at index \(5,\)"):
        lrla.lstsq(data(m=m, n=5)[0], b, method=method)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_wide_entries_that_are_not_finite_are_located(bad):
    A = np.ones((5, 30))
    A[2, 20] = bad
    with pytest.raises(ValueError, match=r"^A must be finite, got NaN .* at index \(2, 20\)"):
        lrla.lstsq(A, np.ones(5))


@pytest.mark.parametrize("form", [aslinearoperator, lambda A: da.from_array(A, chunks=(100, -1))])
def test_operators_and_blocks_must_give_moderate_products(form):
    A, b = data()
    with pytest.raises(ValueError, match="A must give finite products of moderate size; scale"):
        lrla.lstsq(form(A * 1e200), b)


@pytest.mark.parametrize("method", METHODS)
def test_blocks_that_are_not_finite_are_located(method):
    A, b = data()
    A[577, 3] = np.nan
    with pytest.raises(ValueError, match=r"^A must be finite, got NaN .* at index \(577, 3\)"):
        lrla.lstsq(da.from_array(A, chunks=(100, -1)), b, method=method)


@pytest.mark.parametrize("m", [12, 600])
def test_products_that_are_not_finite_are_located(m):
    A, b = data(m=m)
    A[7, 3] = np.inf
    with pytest.raises(
        ValueError, match=r"^A must give finite products, got NaN .* in row 7 of its"
    ):
        lrla.lstsq(aslinearoperator(A), b)


class OneSided(LinearOperator):
    def __init__(self, A):
        super().__init__(dtype="f8", shape=A.shape)
        self.A = A

    def _matvec(self, x):
        return self.A @ x


def one_sided(A):
    return LinearOperator(A.shape, matvec=lambda x: A @ x, dtype="f8")


@pytest.mark.parametrize("m", [6, 3000])
@pytest.mark.parametrize("make", [one_sided, OneSided])
def test_operators_need_products_with_the_adjoint(make, m):
    with pytest.raises(TypeError, match="it has none; make it with rmatvec or rmatmat"):
        lrla.lstsq(make(np.ones((m, 2))), np.ones(m))


def test_errors_of_operators_are_not_changed():
    def broken(y):
        raise TypeError("mine")

    A_ = LinearOperator((6, 2), matvec=lambda x: A @ x, rmatvec=broken, dtype="f8")
    with pytest.raises(TypeError, match=r"^mine$"):
        lrla.lstsq(A_, B)


@pytest.mark.parametrize("shape", [(3, 3), (300, 3), (3, 300)])
@pytest.mark.parametrize("dtype", ["f4", "f8", "c16"])
def test_results_beyond_the_range_are_refused(shape, dtype):
    A, b = np.eye(*shape, dtype=dtype), np.ones(shape[0], dtype)
    small, large = (1e-30, 1e30) if dtype == "f4" else (1e-200, 1e200)
    small, large = np.asarray(small, A.real.dtype), np.asarray(large, A.real.dtype)
    with pytest.raises(ValueError, match=r"^x must be within .*; divide b by a power of ten$"):
        lrla.lstsq(A * small, b * large)
    result = lrla.lstsq(A * small, b)
    np.testing.assert_allclose(result.x[:3] * small, 1, rtol=1e-6)


def test_norms_of_residuals_beyond_the_range_are_refused():
    A, b = data()
    with pytest.raises(
        ValueError, match=r"^residual_norm must be within the range of floating point"
    ):
        lrla.lstsq(A * 1e3, 1.7e308 * np.sign(b))
    with pytest.raises(ValueError, match=r"^x must be within .* up to 3e\+38"):
        lrla.lstsq(A.astype("f4"), b * 1e200)
    heavy = lrla.lstsq(A.astype("f4"), b, weights=np.full(600, 1e200))  # it is but the weights
    np.testing.assert_allclose(
        heavy.residual_norm, 1e100 * lrla.lstsq(A, b).residual_norm, rtol=1e-4
    )


class Frame:
    iloc = None


A, B = np.ones((6, 2)), np.ones(6)
REFUSED = [
    ({"A": np.ones((2, 3, 4))}, ValueError, "A must have 2 dimensions, got shape (2, 3, 4)"),
    ({"A": B}, ValueError, "A must have 2 dimensions, got shape (6,)"),
    ({"A": np.ones((0, 2)), "b": np.ones(0)}, ValueError, "at least one row and one column, got"),
    ({"A": np.ones((6, 0))}, ValueError, "A must have at least one row and one column, got shape"),
    ({"A": A.astype(object)}, TypeError, "A must hold float32, float64, complex64, complex128 or"),
    ({"A": A.astype("g")}, TypeError, "got dtype float128"),
    ({"A": sp.csr_array(A.astype("g"))}, TypeError, "got dtype float128"),
    ({"A": np.ma.array(A)}, TypeError, "got MaskedArray; pass np.asarray(A), with the masked"),
    ({"A": np.matrix(A)}, TypeError, "A must be an array, got matrix; pass np.asarray(A)"),
    ({"A": Frame()}, TypeError, "A must be an array, got Frame; pass np.asarray(A)"),
    ({"A": None}, TypeError, "A must be an array, got NoneType"),
    ({"b": None}, TypeError, "b must be an array, got NoneType"),
    ({"b": np.ones(5)}, ValueError, "b must have as many rows as A, got shapes (5,) and (6, 2)"),
    ({"b": np.ones((6, 1, 1))}, ValueError, "b must have 1 or 2 dimensions, got shape (6, 1, 1)"),
    ({"b": ["a"] * 6}, TypeError, "b must hold float32"),
    ({"b": sp.csr_array(A)}, TypeError, "b must be an array, got csr_array; pass b.toarray()"),
    ({"weights": np.ones(5)}, ValueError, "weights must have one entry for each row of A, got 5"),
    ({"weights": 2.0}, ValueError, "weights must have 1 dimensions, got shape ()"),
    ({"weights": -B}, ValueError, "weights must be finite, not negative, and not all zero"),
    ({"weights": 0 * B}, ValueError, "weights must be finite, not negative, and not all zero"),
    ({"weights": np.nan * B}, ValueError, "weights must be finite, not negative, and not all"),
    ({"weights": 1j * B}, ValueError, "weights must be finite, not negative, and not all zero"),
    (
        {"A": np.ones((2, 6)), "b": np.ones(2), "weights": np.arange(2)},
        ValueError,
        "weights must be positive when A has more columns than rows; leave out rows of weight 0",
    ),
    ({"ridge": -1}, ValueError, "ridge must be real, not negative, and at most 2e+308"),
    ({"ridge": np.nan}, ValueError, "ridge must be real, not negative, and at most 2e+308"),
    ({"ridge": np.inf}, ValueError, "ridge must be real, not negative, and at most 2e+308"),
    ({"ridge": [1.0, -1.0]}, ValueError, "ridge must be real, not negative, and at most"),
    ({"ridge": [1j, 1j]}, ValueError, "ridge must be real, not negative, and at most 2e+308"),
    ({"ridge": "1"}, TypeError, "ridge must be an array, got str"),
    ({"ridge": np.ones(3)}, ValueError, "ridge must be a number or have one entry for each column"),
    ({"A": A.astype("f4"), "ridge": 1e50}, ValueError, "not negative, and at most 3e+38"),
]
ONLY_LSTSQ = [
    ({"method": "qr"}, ValueError, "method must be one of auto, gram, spir, fossils, cqrrt, dir"),
    ({"tol": 0}, ValueError, "tol must be between 0 and 1, got 0"),
    ({"tol": np.nan}, ValueError, "tol must be between 0 and 1, got nan"),
    ({"rcond": 1}, ValueError, "rcond must be between 0 and 1, got 1"),
    ({"rng": -3}, ValueError, "rng must not be negative, got -3"),
    ({"rng": "3"}, TypeError, "rng must be None, an integer, or a SeedSequence"),
    (
        {"A": np.ones((2, 6)), "b": np.ones(2), "method": "gram"},
        ValueError,
        "method must be 'auto', 'direct' or 'spir' when A has more columns than rows, got 'gram'",
    ),
    (
        {"A": aslinearoperator(A), "method": "cqrrt"},
        ValueError,
        "method 'cqrrt' needs the entries of A, got a linear operator; use 'spir'",
    ),
]


@pytest.mark.parametrize(("change", "error", "message"), REFUSED + ONLY_LSTSQ)
def test_mistakes_are_explained(change, error, message):
    arguments = {"A": A, "b": B, **change}
    with pytest.raises(error, match=re.escape(message)):
        lrla.lstsq(arguments.pop("A"), arguments.pop("b"), **arguments)


@pytest.mark.parametrize(("change", "error", "message"), REFUSED)
def test_the_plan_explains_the_same_mistakes(change, error, message):
    arguments = {"A": A, "b": B, **change}
    with pytest.raises(error, match=re.escape(message)):
        plan_lstsq(arguments.pop("A"), arguments.pop("b"), **arguments)


def test_libraries_are_not_mixed():
    strict = pytest.importorskip("array_api_strict")
    a, b = strict.asarray(A), strict.asarray(B)
    message = "cannot compute with arrays of array_api_strict, numpy together; convert them"
    for call in (
        lambda: lrla.lstsq(a, B),
        lambda: lrla.lstsq(A, b),
        lambda: lrla.lstsq(a, b, weights=B),
        lambda: lrla.lstsq(a, b, ridge=np.ones(2)),
        lambda: lrla.lstsq(sp.csr_array(A), b),
    ):
        with pytest.raises(TypeError, match=message):
            call()


def test_devices_are_not_mixed():
    strict = pytest.importorskip("array_api_strict")
    a, b = strict.asarray(A), strict.asarray(B, device=strict.Device("device1"))
    with pytest.raises(
        TypeError, match=r"arguments are on different devices: .*; move them to one"
    ):
        lrla.lstsq(a, b)
