"""`svd`: the triplets are right, the certificate is true, and every input is served."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from scipy.sparse.linalg import aslinearoperator

import lrla
from lrla import Status, lowrank
from lrla._core.errors import ConvergenceWarning
from lrla.lowrank import _gram, _krylov
from tests.lowrank.reference import SPECTRA, haar, orthonormality, tail, with_values

METHODS = ("krylov", "rsvd", "single_pass", "lapack")


def measured(A, result):
    """Return the norm of what the factorization leaves."""
    U, s, Vh = result
    return float(np.linalg.norm(A - (np.asarray(U) * s) @ Vh))


def check(A, result, s, digits=1e-12):
    """Hold triplets against the true singular values, and the certificate against the truth."""
    U, found, Vh = result
    assert np.max(np.abs(found - s[: result.rank])) <= digits * s[0]
    assert orthonormality(U) < 1e-12
    assert orthonormality(Vh.conj().T) < 1e-12
    assert np.linalg.norm(A @ Vh.conj().T - U * found) < 1e-9 * s[0]
    assert np.linalg.norm(A.conj().T @ U - Vh.conj().T * found) < 1e-9 * s[0]


# ------------------------------------------------------------------------------- the triplets


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("shape", [(300, 90), (90, 300)])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, sp.csc_array])
def test_krylov_finds_the_leading_triplets(name, shape, form):
    s = SPECTRA[name](90)
    A = with_values(*shape, s)
    result = lowrank.svd(form(A), 10, method="krylov", rng=90210)
    assert result.status is Status.CONVERGED
    check(A, result, s)
    assert np.max(result.info.residuals) < 1e-10


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(80, 50), (50, 80)])
def test_f1_low_rank_is_recovered(method, shape):
    s = np.linspace(2, 1, 12)
    A = with_values(*shape, s)
    for rank in (12, 15):
        result = lowrank.svd(A, rank, method=method, rng=41)
        assert measured(A, result) < 1e-10
        assert orthonormality(result.U) < 1e-12
        assert orthonormality(result.Vh.T) < 1e-12
        assert np.max(result.s[12:], initial=0.0) < 1e-12
        assert result.info.error < 1e-10


@pytest.mark.parametrize("method", ["rsvd", "single_pass"])
@pytest.mark.parametrize("dtype", ["f8", "c16"])
@pytest.mark.parametrize("shape", [(3, 3), (8, 5), (30, 30), (60, 20)])
def test_nothing_is_lost_where_sketches_are_square(method, dtype, shape):
    A = with_values(*shape, np.ones(shape[1]), dtype)
    passes = 2 if method == "rsvd" else None
    for seed in range(150):  # of square normal matrices one in so many has a condition of 1000
        result = lowrank.svd(A, shape[1], method=method, passes=passes, rng=seed)
        assert measured(A, result) < 3e-14


@pytest.mark.parametrize("method", ["krylov", "rsvd"])
@pytest.mark.parametrize("name", SPECTRA)
def test_f2_singular_values_are_never_too_large(method, name):
    s = SPECTRA[name](60)
    A = with_values(70, 60, s)
    result = lowrank.svd(A, 20, method=method, passes=2, rng=7311)
    assert np.all(result.s <= s[:20] + 1e-12)


@pytest.mark.statistical
def test_f3_halko_martinsson_tropp_bound():
    """Theorem 10.5 for the mean over 200 sketches; false alarms below 1e-6: the bound has slack."""
    s = SPECTRA["slow"](60)
    A = with_values(80, 60, s)
    rank, extra = 6, 10
    squares = []
    for seed in range(200):
        U, _, _ = lowrank.svd(A, rank + extra, method="rsvd", passes=2, rng=seed)
        # the sketch has ten columns more than the rank asked for, here 26 in all
        squares.append(np.linalg.norm(A - U @ (U.T @ A)) ** 2)
    assert np.mean(squares) <= (1 + rank / (extra - 1)) * tail(s, rank) ** 2
    assert np.mean(squares) >= tail(s, rank + extra) ** 2


@pytest.mark.statistical
@pytest.mark.parametrize("method", ["krylov", "rsvd", "single_pass"])
def test_f4_the_squared_error_estimate_is_unbiased(method):
    """Mean of 200 ratios within 4.9 standard errors of 1: false alarms below 1e-6."""
    A = aslinearoperator(with_values(80, 60, SPECTRA["slow"](60)))
    dense = A.A
    ratios = []
    for seed in range(200):
        result = lowrank.svd(A, 5, method=method, passes=None if method == "single_pass" else 2,
                             rng=seed)  # fmt: skip
        assert not result.info.error_exact
        ratios.append((result.info.error / measured(dense, result)) ** 2)
    ratios = np.array(ratios)
    assert abs(ratios.mean() - 1) < 4.9 * ratios.std() / math.sqrt(200)
    assert abs(1.3 * ratios.mean() - 1) > 4.9 * ratios.std() / math.sqrt(200)  # it can tell


@pytest.mark.parametrize("method", ["rsvd", "krylov", "lapack"])
@pytest.mark.parametrize("size", [1e-3, 1e-5, 3e-6, 1e-6])
def test_the_spectral_bound_holds_where_squares_of_norms_cancel(method, size):
    """The error is of rank one, and its norm a difference of squares with few digits left."""
    rng = np.random.default_rng(90210)
    U, V = (np.linalg.qr(rng.standard_normal((m, 60)))[0] for m in (90, 60))
    A = (U * np.r_[np.ones(10), size, 1e-16 * np.ones(49)]) @ V.T
    for seed in range(20):
        U, s, Vh = result = lrla.svd(A, 10, method=method, rng=seed)
        assert np.linalg.norm(A - (U * s) @ Vh, 2) <= result.info.spectral_bound * (1 + 1e-12)


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("method", METHODS)
def test_the_spectral_bound_holds(name, method):
    A = with_values(80, 60, SPECTRA[name](60))
    for seed in range(20):
        result = lowrank.svd(A, 5, method=method, rng=seed)
        left = np.linalg.norm(A - (result.U * result.s) @ result.Vh, 2)
        assert left <= result.info.spectral_bound * (1 + 1e-12)
        if result.info.error_exact:
            assert result.info.error == pytest.approx(measured(A, result), rel=1e-6)


def test_residuals_are_measured():
    A = with_values(300, 90, SPECTRA["slow"](90))
    U, s, Vh = result = lowrank.svd(A, 5, method="krylov", rtol=1e-3, rng=7)
    truth = np.linalg.norm(A.T @ U - Vh.T * s, axis=0)
    assert np.allclose(result.info.residuals, truth, atol=1e-14)
    assert 1e-9 < truth.max() <= 1e-3  # no more than was asked for, and no better than needed


@given(
    m=st.integers(1, 60),
    n=st.integers(1, 60),
    part=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from(["f4", "f8", "c8", "c16"]),
    power=st.sampled_from([-150, -20, 0, 20, 150]),
    method=st.sampled_from(METHODS),
)
def test_any_shape_dtype_and_scale(m, n, part, seed, dtype, power, method):
    rank = max(1, round(part * min(m, n)))
    scale = 10.0 ** (power if dtype in ("f8", "c16") else power / 10)
    s = 0.5 ** np.arange(min(m, n))
    A = with_values(m, n, s * scale, dtype, seed)
    result = lowrank.svd(A, rank, method=method, rng=seed)
    u = np.finfo(dtype).eps
    U, found, Vh = result
    assert (U.dtype, found.dtype, Vh.dtype) == (A.dtype, np.abs(A).dtype, A.dtype)
    assert (U.shape, found.shape, Vh.shape) == ((m, rank), (rank,), (rank, n))
    assert orthonormality(U) < 100 * u
    assert orthonormality(Vh.conj().T) < 100 * u
    assert np.all(np.diff(found) <= 0)
    slack = {"lapack": 0.0, "krylov": u ** (2 / 3), "rsvd": 1e-2, "single_pass": 0.3}[method]
    wanted = np.linalg.svd(A / scale, compute_uv=False)[:rank]
    assert np.max(np.abs(found / scale - wanted)) < slack + 200 * u
    largest = U[np.argmax(np.abs(U), axis=0), np.arange(rank)]
    assert np.all(np.abs(np.angle(largest)) < 1e-3)


@pytest.mark.parametrize("power", [-300, -200, 200, 300])
@pytest.mark.parametrize("arguments", [{"passes": 1}, {"passes": 4}, {"method": "rsvd"}])
@pytest.mark.parametrize("center", [False, True])
def test_squares_beyond_the_range_do_not_matter(power, arguments, center):
    A = with_values(90, 60, 0.9 ** np.arange(60.0))
    result = lowrank.svd(A * 10.0**power, 3, rng=7, center=center, **arguments)
    plain = lowrank.svd(A, 3, rng=7, center=center, **arguments)
    np.testing.assert_allclose(result.s / 10.0**power, plain.s, rtol=1e-10)
    assert result.info.error / 10.0**power == pytest.approx(plain.info.error, rel=1e-10)


# -------------------------------------------------------------------- values that occur many times


@pytest.mark.parametrize("copies", [8, 9, 25, 40])
def test_more_copies_than_random_columns(copies):
    s = np.r_[3.0, np.ones(copies), np.full(90 - copies - 1, 0.1)]
    A = with_values(200, 90, s)
    result = lowrank.svd(A, copies + 3, method="krylov", rng=5)
    check(A, result, s, 1e-10)


@pytest.mark.parametrize("distinct", [2, 5, 12])
def test_copies_of_slowly_converging_values(distinct):
    """Each value has more copies than a block, and the gaps are narrow."""
    s = np.repeat(np.linspace(1, 0.8, distinct), 12)
    s = np.r_[s, np.linspace(0.79, 0.01, 200 - len(s))]
    result = lowrank.svd(with_values(260, 200, s), 24, method="krylov", rng=5)
    check(with_values(260, 200, s), result, s, 1e-10)


def test_without_the_count_of_copies_some_are_missed(monkeypatch):
    monkeypatch.setattr(_krylov, "_hidden", lambda *_: False)
    s = np.r_[3.0, np.ones(25), np.linspace(0.4, 0.1, 64)]
    result = lowrank.svd(with_values(200, 90, s), 20, method="krylov", rng=5)
    assert np.min(result.s) < 0.5


def test_identity_and_projector():
    for A, rank in ((np.eye(300), 30), (np.diag(np.r_[np.ones(40), np.zeros(260)]), 50)):
        result = lowrank.svd(A, rank, method="krylov", rng=5)
        assert np.allclose(result.s, np.diag(A)[:rank], atol=1e-12)
        assert orthonormality(result.U) < 1e-12
        assert orthonormality(result.Vh.T) < 1e-12


def test_the_zero_matrix():
    for method in METHODS:
        U, s, Vh = result = lowrank.svd(np.zeros((40, 30)), 3, method=method, rng=5)
        assert np.all(s == 0)
        assert orthonormality(U) < 1e-12
        assert orthonormality(Vh.T) < 1e-12
        assert result.info.error == 0
    result = lowrank.svd(np.zeros((400, 300)), tol=0.1, rng=5)
    assert result.rank == 1
    assert result.s[0] == 0


# ---------------------------------------------------------------------------------- a tolerance


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("tol", [0.6, 0.05, 1e-4, 1e-10])
@pytest.mark.parametrize("kind", ["array", "operator"])
def test_f9_tolerances_are_kept(name, tol, kind):
    s = SPECTRA[name](150)
    A = with_values(200, 150, s)
    result = lowrank.svd(A if kind == "array" else aslinearoperator(A), tol=tol, method="krylov",
                         rng=6151)  # fmt: skip
    assert result.status is Status.CONVERGED
    error = measured(A, result) / np.linalg.norm(s)
    assert error <= tol * (1 + 1e-6)
    if kind == "array":  # and no more than it takes, up to what Ritz values lack
        least = next(k for k in range(151) if tail(s, k) <= tol * np.linalg.norm(s) * (1 + 1e-6))
        assert result.rank <= max(1, least) * 1.1 + 1


def test_a_tolerance_by_lapack():
    s = SPECTRA["slow"](40)
    result = lowrank.svd(with_values(60, 40, s), tol=0.1)
    assert result.info.method == "lapack"
    assert tail(s, result.rank) <= 0.1 * np.linalg.norm(s) < tail(s, result.rank - 1)


# ------------------------------------------------------------------------------------- the inputs


def test_every_library_and_device(backend):
    s = SPECTRA["decaying"](140)
    A = with_values(160, 140, s)
    for method in METHODS:
        U, found, Vh = lowrank.svd(backend.asarray(A), 6, method=method, rng=5)
        U, found, Vh = (backend.to_numpy(x) for x in (U, found, Vh))
        assert np.allclose(found, s[:6], atol=1e-12 if method in ("krylov", "lapack") else 0.1)
        assert orthonormality(U) < 1e-12
    result = lowrank.svd(backend.asarray(A), tol=0.1, rng=5)
    assert tail(s, result.rank) <= 0.1 * np.linalg.norm(s)


@pytest.mark.parametrize("dtype", ["f8", "c16"])
@pytest.mark.parametrize("center", [False, True])
def test_dense_sparse_implicit_and_chunked_agree(dtype, center):
    da = pytest.importorskip("dask.array")
    rng = np.random.default_rng(811)
    A = sp.random_array((400, 150), density=0.1, rng=rng).astype(dtype)
    if dtype == "c16":
        A.data = A.data * (1 + 0.3j)
    dense = A.toarray()
    reference = np.linalg.svd(dense - center * dense.mean(axis=0), compute_uv=False)[:5]
    forms = (dense, np.asfortranarray(dense), A.tocsr(), A.tocsc(), sp.csr_matrix(A),
             aslinearoperator(dense), da.from_array(dense, chunks=(123, 150)))  # fmt: skip
    for form in forms:
        result = lowrank.svd(form, 5, method="krylov", center=center, rng=5)
        assert np.allclose(result.s, reference, rtol=1e-12)
        left = dense - center * dense.mean(axis=0) - (np.asarray(result.U) * result.s) @ result.Vh
        if result.info.error_exact:
            assert result.info.error == pytest.approx(np.linalg.norm(left), rel=1e-8)


def test_f7_chunks_do_not_matter_and_factors_live_where_the_data_live():
    da = pytest.importorskip("dask.array")
    A = with_values(300, 200, SPECTRA["slow"](200))
    for method in ("krylov", "rsvd", "single_pass"):
        whole = lowrank.svd(A, 4, method=method, passes=None if method == "krylov" else 2, rng=5)
        for rows in (300, 77):
            chunked = da.from_array(A, chunks=(rows, 90))
            result = lowrank.svd(
                chunked, 4, method=method, passes=None if method == "krylov" else 2, rng=5
            )
            assert isinstance(result.U, da.Array)
            assert result.U.chunks[0] == chunked.chunks[0]
            assert isinstance(result.Vh, np.ndarray)
            assert np.allclose(result.s, whole.s, rtol=1e-10)


def test_seeds_repeat_and_inputs_are_left_alone():
    A = with_values(300, 200, SPECTRA["slow"](200))
    kept = A.copy()
    first = lowrank.svd(A, 4)
    again = lowrank.svd(A, 4, rng=first.info.seed)
    assert np.array_equal(first.U, again.U)
    assert np.array_equal(first.Vh, again.Vh)
    assert not np.array_equal(first.Vh, lowrank.svd(A, 4, rng=1).Vh)
    assert np.array_equal(A, kept)


def test_strided_and_integer_data():
    rng = np.random.default_rng(5)
    A = rng.integers(-5, 6, (400, 400))
    wanted = np.linalg.svd(A[::2, ::2].astype(float), compute_uv=False)[:3]
    assert np.allclose(lowrank.svd(A[::2, ::2], 3, rng=5).s, wanted)


def test_the_front_door_is_the_same_function():
    assert lrla.svd is lowrank.svd
    U, s, Vh = lrla.svd([[-3.0, 0.0], [0.0, 2.0]], 1)
    assert np.allclose(U[:, 0], [1, 0])
    assert np.allclose(s, 3)
    assert np.allclose(Vh[0], [-1, 0])


# ------------------------------------------------------------------------------ how it ends


def test_passes_are_counted_and_kept():
    A = with_values(300, 200, SPECTRA["slow"](200))
    for method, passes in (("krylov", 2), ("krylov", 5), ("rsvd", 2), ("rsvd", 6), ("auto", 1)):
        seen = []

        class Counted:
            shape, dtype = A.shape, A.dtype

            def matmat(self, X):
                seen.append(X.shape)  # noqa: B023
                return A @ X

            def rmatmat(self, Y):
                seen.append(Y.shape)  # noqa: B023
                return A.T @ Y

        result = lowrank.svd(Counted(), 4, method=method, passes=passes, rng=5)
        assert result.info.passes <= passes
        assert len(seen) == max(2, result.info.passes)  # a single pass gives both products


@pytest.mark.parametrize("shape", [(400, 150), (150, 400)])
@pytest.mark.parametrize("passes", [2, 3, 6])
def test_a_number_of_passes_over_sparse_data(shape, passes):
    A = sp.random_array(shape, density=0.1, rng=np.random.default_rng(90210), format="csr")
    sparse = lowrank.svd(A, 4, passes=passes, rng=7)
    dense = lowrank.svd(A.toarray(), 4, passes=passes, method="krylov", rng=7)
    assert sparse.info.passes == dense.info.passes
    np.testing.assert_allclose(sparse.s, dense.s, rtol=1e-10)
    np.testing.assert_allclose(sparse.U, dense.U, atol=1e-8)


def test_few_passes_of_krylov_beat_subspace_iteration():
    s = SPECTRA["slow"](200)
    A = with_values(300, 200, s)
    errors = [
        np.max(np.abs(lowrank.svd(A, 10, method=method, passes=6, rng=5).s - s[:10]))
        for method in ("krylov", "rsvd")
    ]
    assert errors[0] < 0.1 * errors[1]


def test_bases_are_compressed_when_memory_is_short(monkeypatch):
    monkeypatch.setattr(_krylov, "_MEMORY", 1)
    s = np.linspace(1, 0.2, 150)
    for shape in ((200, 150), (150, 200)):
        A = with_values(*shape, s)
        result = lowrank.svd(A, 6, method="krylov", rng=5)
        assert result.info.size < 80
        assert result.info.passes > 40
        check(A, result, s, 1e-10)


def test_small_values_of_sparse_single_precision_are_not_rounding():
    """Orthogonal columns with norms down to 5e-5: twice what is asked for, and both residuals tell."""
    m, n = 50_000, 500
    random = np.random.default_rng(90210)
    s = np.zeros(n)
    s[:12] = np.logspace(0, -4.3, 12)
    rows = np.arange(m)
    A = sp.csr_array((random.standard_normal(m).astype("f4"), (rows, rows % n)), shape=(m, n))
    A = A @ sp.diags_array((s / np.sqrt(A.power(2).sum(axis=0))).astype("f4"))
    found = lowrank.svd(sp.csr_array(A, dtype=np.float32), 12, rng=0)
    np.testing.assert_allclose(found.s, s[:12], rtol=0.02)
    left = np.linalg.norm(A @ found.Vh.T - found.U * found.s, axis=0)
    assert (left <= 1e-5).all()
    assert (found.info.residuals <= 1e-5).all()


@pytest.mark.parametrize("amplified", [_krylov._AMPLIFIED, 0.0])  # zero: a restart is never safe
@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_sparse_bases_are_compressed_for_speed_where_that_loses_no_digits(
    monkeypatch, amplified, dtype
):
    monkeypatch.setattr(_krylov, "_AMPLIFIED", amplified)
    monkeypatch.setattr(_gram.Gram, "leave", lambda *_: True)
    s = np.linspace(1, 0.2, 150)
    for shape in ((200, 150), (150, 200)):
        A = with_values(*shape, s, dtype=dtype)
        result = lowrank.svd(sp.csr_array(A), 6, rng=5, method="krylov", rtol=1e-12)
        assert (result.info.size <= 60) == (amplified > 0)
        assert result.info.passes > 40
        assert np.max(result.info.residuals) < 2e-12
        check(A, result, s)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_small_triplets_keep_both_residuals_small(form):
    """Left vectors as A v / s have noise of size u / s: it must not reach the residuals."""
    s = 10.0 ** (-np.arange(60) / 2)
    for shape in ((300, 60), (60, 300)):
        A = with_values(*shape, s)
        U, found, Vh = lowrank.svd(form(A), 24, method="krylov", rtol=1e-13, rng=90210)
        assert np.max(np.abs(found - s[:24])) < 1e-14
        assert np.max(np.abs(found[:12] / s[:12] - 1)) < 1e-8
        assert np.max(np.linalg.norm(A @ Vh.T - U * found, axis=0)) < 2e-13
        assert np.max(np.linalg.norm(A.T @ U - Vh.T * found, axis=0)) < 2e-13
        assert orthonormality(U) < 1e-12


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_every_limit_of_steps_leaves_a_factorization(monkeypatch, form):
    """Also one that ends between two looks, or where the bases are about to be compressed."""
    monkeypatch.setattr(_krylov, "_MEMORY", 1)
    A = with_values(150, 120, np.linspace(1, 0.5, 120))
    for max_iter in range(2, 24):
        with pytest.warns(ConvergenceWarning):
            result = lowrank.svd(form(A), 4, method="krylov", max_iter=max_iter, rng=5)
        assert result.status is Status.MAX_ITER
        assert orthonormality(result.U) < 1e-12
        assert np.linalg.norm(A @ result.Vh.T - result.U * result.s) < 1e-9


def test_the_limit_of_steps_is_reported():
    A = with_values(500, 400, np.linspace(1, 0.9, 400))
    with pytest.warns(ConvergenceWarning, match=r"the error is .* times rtol=2\.3e-11"):
        result = lowrank.svd(A, 6, max_iter=3, rng=5)
    assert result.status is Status.MAX_ITER
    assert not result
    assert np.all(result.s <= 1)


def test_a_callback_sees_and_stops():
    A = with_values(500, 400, np.linspace(1, 0.9, 400))
    states = []
    result = lowrank.svd(A, 6, callback=lambda state: states.append(state) or len(states) == 2,
                         rng=5)  # fmt: skip
    assert result.status is Status.STOPPED
    assert len(states) == 2
    assert states[0].x.shape[0] >= 6


# ---------------------------------------------------------------------------------- mistakes

GOOD = with_values(60, 40, SPECTRA["slow"](40))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give either rank or tol, got rank=None and tol=None"),
        ({"rank": 3, "tol": 0.1}, "give either rank or tol, got rank=3 and tol=0.1"),
        ({"rank": 41}, r"rank must be an integer between 1 and min\(m, n\) = 40, got 41"),
        ({"rank": 0}, "rank must be an integer between 1 and .* got 0"),
        ({"rank": 2.5}, "rank must be an integer between 1 and .* got 2.5"),
        ({"tol": 0}, "tol must be between 0 and 1, got 0"),
        ({"rank": 3, "rtol": 2}, "rtol must be between 0 and 1, got 2"),
        ({"rank": 3, "passes": 0}, "passes must be an integer, at least 1, got 0"),
        ({"rank": 3, "max_iter": 0}, "max_iter must be at least 1, got 0"),
        ({"tol": 0.1, "passes": 2}, "passes needs rank"),
        ({"rank": 3, "method": "arpack"}, "method must be one of auto, krylov, .* got 'arpack'"),
        ({"tol": 0.1, "method": "rsvd"}, "method 'rsvd' takes rank, not tol or rtol"),
        ({"rank": 3, "passes": 1, "method": "rsvd"}, "passes must be at least 2 for method 'rsvd'"),
        ({"rank": 3, "passes": 1, "method": "krylov"}, "passes must be at least 2 .* 'krylov'"),
    ],
)
def test_mistakes_are_explained(arguments, message):
    with pytest.raises(ValueError, match=message):
        lowrank.svd(GOOD, **arguments)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_not_finite_is_refused(method):
    bad = GOOD.copy()
    bad[7, 3] = np.nan
    for form, message in (
        (bad, r"A must be finite, got NaN or infinity at index \(7, 3\)"),
        (sp.csr_array(bad), r"A must be finite, got NaN or infinity at index \(7, 3\)"),
        (aslinearoperator(bad), "products with A must be finite"),
    ):
        with pytest.raises(ValueError, match=message):
            lowrank.svd(form, 3, method=method, rng=5)


def test_empty_and_misshapen_matrices_are_refused():
    with pytest.raises(
        ValueError, match=r"A must have at least one row and one column, got shape .0, 3"
    ):
        lowrank.svd(np.zeros((0, 3)), 1)
    with pytest.raises(ValueError, match="A must have 2 dimensions"):
        lowrank.svd(np.zeros(3), 1)


@pytest.mark.statistical
def test_f6_orthogonal_changes_of_basis_keep_the_distribution():
    """Two-sample Kolmogorov-Smirnov over 200 seeds each: false alarms 1e-6."""
    from scipy.stats import ks_2samp

    s = SPECTRA["slow"](40)
    rng = np.random.default_rng(3)
    A, B = np.diag(s), haar(rng, 40, 40) @ np.diag(s) @ haar(rng, 40, 40).T
    errors = [
        [measured(M, lowrank.svd(M, 3, method="rsvd", passes=2, rng=seed)) for seed in seeds]
        for M, seeds in ((A, range(200)), (B, range(200, 400)), (1.2 * A, range(200)))
    ]
    assert ks_2samp(errors[0], errors[1]).pvalue > 1e-6
    assert ks_2samp(errors[0], errors[2]).pvalue < 1e-6


@pytest.mark.parametrize("method", ["lapack", "krylov"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_tolerance_below_rounding_is_reported(method, dtype):
    A = np.random.default_rng(90210).standard_normal((200, 150)).astype(dtype)
    with pytest.warns(ConvergenceWarning, match=r"tol=1\.0e-17"):
        U, s, Vh = result = lrla.svd(A, tol=1e-17, method=method, rng=5)
    assert result.status is Status.STAGNATED
    true = np.linalg.norm(A.astype("f8") - (U.astype("f8") * s) @ Vh)
    assert true / 2 < result.info.error < 2 * true
