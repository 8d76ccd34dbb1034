"""`eigh`, and `nystrom` for positive semidefinite matrices."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from scipy.sparse.linalg import aslinearoperator

import lrla
from lrla import ConvergenceWarning, Status
from lrla.lowrank import _krylov, eigh, nystrom
from tests.lowrank.reference import SPECTRA, haar, orthonormality, tail


def hermitian(w, dtype="f8", seed=90210):
    Q = haar(np.random.default_rng(seed), len(w), len(w), dtype)
    A = (Q * w) @ Q.conj().T
    return ((A + A.conj().T) / 2).astype(dtype)


def ordered(w, which):
    return w[np.argsort({"LM": -np.abs(w), "LA": -w, "SA": w}[which], kind="stable")]


@pytest.mark.parametrize("which", ["LM", "LA", "SA"])
@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_leading_eigenpairs(which, dtype):
    w = np.r_[-(0.85 ** np.arange(60)), 0.9 * 0.81 ** np.arange(90)]
    A = hermitian(w, dtype)
    result = eigh(A, 8, which=which, method="krylov", rng=5)
    values, V = result
    assert result.status is Status.CONVERGED
    assert np.allclose(values, ordered(w, which)[:8], atol=1e-12)
    assert orthonormality(V) < 1e-12
    truth = np.linalg.norm(A @ V - V * values, axis=0)
    assert np.allclose(result.info.residuals, truth, atol=1e-14)
    assert np.max(truth) < 3e-11
    reference = eigh(A, 8, which=which, method="lapack", rng=5)
    assert np.allclose(values, reference.eigenvalues, atol=1e-12)
    assert np.allclose(V, reference.eigenvectors, atol=1e-8)


@pytest.mark.parametrize("which", ["LM", "LA", "SA"])
def test_eigenvalues_with_many_copies(which):
    w = np.r_[np.full(20, -2.0), np.zeros(100), np.full(30, 1.0), [3.0]]
    found, V = eigh(hermitian(w), 40, which=which, method="krylov", rng=5)
    assert np.allclose(np.sort(found), np.sort(ordered(w, which)[:40]), atol=1e-10)
    assert orthonormality(V) < 1e-12


@pytest.mark.parametrize("which", ["LA", "SA"])
@pytest.mark.parametrize("shift", [0.0, 1.0, -1.0])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_many_eigenvalues_that_the_tolerance_does_not_tell_apart(which, shift, dtype):
    """They act as copies: of those near the shift, a Krylov space shows only a few at a time."""
    w = shift + 0.6 ** np.arange(46) * (-1.0) ** np.arange(46)
    A = hermitian(w, dtype)
    for rank in (14, 23, 36):
        found, V = eigh(A, rank, which=which, method="krylov", rng=5)
        slack = 3 * np.finfo(dtype).eps ** (2 / 3)
        assert np.max(np.abs(found - ordered(w, which)[:rank])) < slack
        assert np.linalg.norm(A @ V - V * found, 2) < slack


def test_zeros_of_a_matrix_of_low_rank_come_before_the_other_sign():
    w = np.r_[[-3.0, -2.0, -1.0], np.zeros(60), [1.0, 2.0, 3.0]]
    for which, sign in (("SA", 1.0), ("LA", -1.0)):
        for rank in (12, 25, 40):
            found, V = eigh(hermitian(w), rank, which=which, method="krylov", rng=5)
            wanted = sign * np.r_[[-3.0, -2.0, -1.0], np.zeros(rank - 3)]
            assert np.allclose(found, wanted, atol=1e-12)
            assert orthonormality(V) < 1e-12


def test_without_the_count_of_copies_some_are_missed(monkeypatch):
    monkeypatch.setattr(_krylov, "_hidden", lambda *_: False)
    w = np.r_[np.full(30, 2.0), np.linspace(1, 0.1, 120)]
    found, _ = eigh(hermitian(w), 20, method="krylov", rng=5)
    assert np.min(found) < 1.5


def test_the_components_of_a_graph():
    """A Laplacian has as many zeros as the graph has parts: more than fit into a block."""
    ring = sp.diags_array([2.0, -1, -1, -1, -1], offsets=[0, 1, -1, 19, -19], shape=(20, 20))
    laplacian = sp.block_diag([ring] * 15, format="csr")
    found, _ = eigh(laplacian, 17, which="SA", method="krylov", rng=5)
    assert np.allclose(found[:15], 0, atol=1e-10)
    assert found[15] == pytest.approx(2 - 2 * math.cos(2 * math.pi / 20), abs=1e-10)


def test_the_zero_matrix_and_the_identity():
    for A in (np.zeros((200, 200)), np.eye(200), -np.eye(200)):
        values, V = eigh(A, 12, method="krylov", rng=5)
        assert np.allclose(values, A[0, 0], atol=1e-12)
        assert orthonormality(V) < 1e-12


def test_bases_are_compressed_when_memory_is_short(monkeypatch):
    monkeypatch.setattr(_krylov, "_MEMORY", 1)
    w = np.linspace(-1, 1, 200) ** 3
    for form in (np.asarray, sp.csr_array):
        result = eigh(form(hermitian(w)), 5, which="LA", rng=5)
        assert result.info.size < 60
        assert result.info.passes > 8
        assert np.allclose(result.eigenvalues, ordered(w, "LA")[:5], atol=1e-10)


def test_bases_of_sparse_matrices_stay_short():
    """Double eigenvalues, close to each other: found through many restarts."""
    path = sp.diags_array([2.0, -1, -1], offsets=[0, 1, -1], shape=(30, 30))
    grid = sp.kronsum(path, path, format="csr")
    result = eigh(grid, 6, which="LA", method="krylov", rng=5)
    assert result.status is Status.CONVERGED
    assert result.info.size <= 3 * (6 + 4) + 64 < 4 * result.info.passes
    wanted = np.linalg.eigvalsh(grid.toarray())[::-1][:6]
    assert np.allclose(result.eigenvalues, wanted, atol=1e-12)
    assert orthonormality(result.eigenvectors) < 1e-12


def test_every_limit_of_steps_leaves_eigenpairs(monkeypatch):
    monkeypatch.setattr(_krylov, "_MEMORY", 1)
    A = sp.csr_array(hermitian(np.linspace(1, 0.5, 150)))
    for max_iter in range(3, 20):
        with pytest.warns(ConvergenceWarning):
            result = eigh(A, 4, method="krylov", max_iter=max_iter, rng=5)
        assert orthonormality(result.eigenvectors) < 1e-12


@given(
    n=st.integers(1, 50),
    part=st.floats(0, 1),
    dtype=st.sampled_from(["f4", "f8", "c8", "c16"]),
    power=st.sampled_from([-150, 0, 150]),
    which=st.sampled_from(["LM", "LA", "SA"]),
    method=st.sampled_from(["krylov", "lapack"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_size_dtype_and_scale(n, part, dtype, power, which, method, seed):
    rank = max(1, round(part * n))
    scale = 10.0 ** (power if dtype in ("f8", "c16") else power / 10)
    w = 0.6 ** np.arange(n) * (-1.0) ** np.arange(n)
    A = (hermitian(w, dtype, seed) * scale).astype(dtype)
    values, V = eigh(A, rank, which=which, method=method, rng=seed)
    u = np.finfo(dtype).eps
    assert (values.dtype, V.dtype, V.shape) == (np.abs(A).dtype, A.dtype, (n, rank))
    assert orthonormality(V) < 200 * u
    wanted = ordered(np.linalg.eigvalsh((A / scale).astype("c16")), which)[:rank]
    slack = 200 * u + 2 * u ** (2 / 3)
    key = np.abs if which == "LM" else np.asarray  # near ties in size may swap signs
    assert np.max(np.abs(key(values / scale) - key(wanted))) < slack


def test_inputs_agree(backend):
    w = 0.8 ** np.arange(150)
    A = hermitian(w)
    for method in ("krylov", "lapack"):
        values, V = eigh(backend.asarray(A), 5, method=method, rng=5)
        assert np.allclose(backend.to_numpy(values), w[:5])
        assert orthonormality(backend.to_numpy(V)) < 1e-12
    values, V = nystrom(backend.asarray(A), 5, rng=5)
    assert np.allclose(backend.to_numpy(values), w[:5], atol=0.1)


def test_sparse_implicit_and_chunked_agree():
    da = pytest.importorskip("dask.array")
    A = sp.random_array((300, 300), density=0.02, rng=np.random.default_rng(5))
    A = (A + A.T).tocsr()
    wanted = ordered(np.linalg.eigvalsh(A.toarray()), "LA")[:4]
    chunked = da.from_array(A.toarray(), chunks=(77, 100))
    for form in (A, A.tocsc(), aslinearoperator(A), chunked):
        result = eigh(form, 4, which="LA", method="krylov", rng=5)
        assert np.allclose(result.eigenvalues, wanted)
    assert isinstance(result.eigenvectors, da.Array)


def test_the_front_door_and_seeds():
    assert lrla.eigh is eigh
    A = hermitian(0.9 ** np.arange(200))
    first = eigh(A, 3, method="krylov")
    again = eigh(A, 3, method="krylov", rng=first.info.seed)
    assert np.array_equal(first.eigenvectors, again.eigenvectors)


def test_no_more_passes_than_are_needed():
    """And as many calls of the callback as would do to stop it in time."""
    rng = np.random.default_rng(90210)
    Q = np.linalg.qr(rng.standard_normal((600, 600)))[0]
    A = (Q * 0.97 ** np.arange(600)) @ Q.T
    seen = []
    result = eigh((A + A.T) / 2, 5, rng=7, callback=lambda state: seen.append(state.iteration))
    assert result.info.passes <= 30
    assert len(seen) >= 4
    assert max(np.diff(seen)) <= 8


@pytest.mark.parametrize("which", ["LM", "LA", "SA"])
def test_callbacks_see_eigenvalues(which):
    """Not values of the polynomials, which have long taken over."""
    n, seen = 900, []
    ones = np.ones(n - 1)
    A = sp.diags_array([ones, ones], offsets=[-1, 1]).tocsr()
    found = eigh(A, 4, which=which, rng=5, callback=lambda state: seen.append(state.x[:4]))
    assert len(seen) > 10
    assert np.max(np.abs(seen)) <= 2 * (1 + 1e-12)
    np.testing.assert_allclose(np.sort(seen[-1]), np.sort(found.eigenvalues), atol=1e-9)


def test_limits_are_reported():
    A = hermitian(np.linspace(0.9, 1, 300))
    with pytest.warns(ConvergenceWarning, match=r"times rtol=2\.3e-11"):
        result = eigh(A, 6, max_iter=2, rng=5)
    assert result.status is Status.MAX_ITER
    stopped = eigh(A, 6, callback=lambda state: True, rng=5)
    assert stopped.status is Status.STOPPED


# ------------------------------------------------------------------------------------- nystrom


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_f8_nystrom_lies_between_zero_and_the_matrix(name, dtype):
    A = hermitian(SPECTRA[name](60), dtype)
    w, V = nystrom(A, 10, rng=5)
    assert np.all(w >= 0)
    assert orthonormality(V) < 1e-12
    rest = np.linalg.eigvalsh(A - (V * w) @ V.conj().T)
    assert rest[0] > -1e-10


def test_nystrom_recovers_low_rank():
    A = hermitian(np.r_[np.linspace(2, 1, 9), np.zeros(91)])
    for rank in (9, 12):
        w, V = nystrom(A, rank, rng=5)
        assert np.allclose((V * w) @ V.T, A, atol=1e-10)
    assert nystrom(A, tol=1e-6, rng=5).rank == 9


@pytest.mark.parametrize("n", [1, 2, 5, 57, 200])
@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_nystrom_loses_nothing_where_sketches_are_square(n, dtype):
    s = np.where(np.arange(n) < max(1, n // 4), 1.0, 0.0)
    A = hermitian(s, dtype)
    for rank in {max(1, n // 2), (2 * n + 2) // 3, n}:  # with more columns they are as many as n
        for seed in range(30):
            w, V = nystrom(A, rank, rng=seed)
            assert orthonormality(V) < 1e-12
            rest = np.linalg.eigvalsh(A - (V * w) @ V.conj().T)
            assert np.abs(rest).max() < 1e-13


def test_nystrom_loses_nothing_where_sketches_grow_until_they_are_square():
    A = hermitian(np.linspace(1, 0.9, 33))
    for seed in range(30):
        w, V = result = nystrom(A, tol=1e-12, rng=seed)
        assert (result.status, result.rank) == (Status.CONVERGED, 33)
        assert np.linalg.norm(A - (V * w) @ V.T, 2) < 1e-13


@pytest.mark.parametrize("name", ["decaying", "step", "flat"])
@pytest.mark.parametrize("tol", [0.3, 1e-4, 1e-9])
def test_nystrom_keeps_tolerances(name, tol):
    s = SPECTRA[name](150)
    A = hermitian(s)
    result = nystrom(aslinearoperator(A), tol=tol, rng=5)
    w, V = result
    assert np.linalg.norm(A - (V * w) @ V.T) <= tol * np.linalg.norm(s)
    if name == "decaying":
        least = next(k for k in range(151) if tail(s, k) <= tol * np.linalg.norm(s))
        assert result.rank <= least + 4


@pytest.mark.statistical
def test_the_squared_error_estimate_of_nystrom_is_unbiased():
    """Mean of 300 ratios within 4.9 standard errors of 1: false alarms below 1e-6."""
    A = hermitian(SPECTRA["slow"](80))
    ratios = []
    for seed in range(300):
        w, V = result = nystrom(A, 6, rng=seed)
        left = A - (V * w) @ V.T
        ratios.append((result.info.error / np.linalg.norm(left)) ** 2)
        assert np.linalg.norm(left, 2) <= result.info.spectral_bound
    ratios = np.array(ratios)
    error = ratios.std() / math.sqrt(300)
    assert abs(ratios.mean() - 1) < 4.9 * error
    assert abs(1.3 * ratios.mean() - 1) > 4.9 * error


def test_a_tolerance_below_rounding_is_reported():
    A = hermitian(np.linspace(1, 0.5, 60))
    with pytest.warns(ConvergenceWarning, match="the error is .* tol=1.0e-17"):
        result = nystrom(A, tol=1e-17, rng=5)
    assert result.status is Status.STAGNATED


# ------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (eigh, {"rank": 0}, "rank must be an integer between 1 and n = 30, got 0"),
        (eigh, {"rank": 31}, "rank must be an integer between 1 and n = 30, got 31"),
        (eigh, {"rank": 3, "which": "SM"}, "which must be one of LM, LA, SA, got 'SM'"),
        (eigh, {"rank": 3, "method": "qr"}, "method must be one of auto, krylov, lapack, got 'qr'"),
        (eigh, {"rank": 3, "rtol": 1}, "rtol must be between 0 and 1, got 1"),
        (eigh, {"rank": 3, "max_iter": 0}, "max_iter must be at least 1, got 0"),
        (nystrom, {}, "give either rank or tol, got rank=None and tol=None"),
        (nystrom, {"rank": 31}, "rank must be an integer between 1 and n = 30, got 31"),
        (nystrom, {"tol": 2}, "tol must be between 0 and 1, got 2"),
    ],
)
def test_mistakes_are_explained(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(np.eye(30), **arguments)


def test_matrices_that_do_not_fit_are_refused():
    A = np.random.default_rng(5).standard_normal((150, 150))
    for method in ("krylov", "lapack"):
        with pytest.raises(ValueError, match="A must be Hermitian"):
            eigh(A, 3, method=method, rng=5)
    with pytest.raises(ValueError, match="A must be positive semidefinite"):
        nystrom(A + A.T, 30, rng=5)
    for function in (eigh, nystrom):
        with pytest.raises(ValueError, match=r"A must be square, got shape \(3, 4\)"):
            function(np.ones((3, 4)), 1)
        bad = np.eye(150)
        bad[4, 4] = np.inf
        with pytest.raises(ValueError, match=r"A must be finite.* at index \(4, 4\)"):
            function(bad, 3)
