"""`qb`: an orthonormal basis that is as large as the tolerance needs."""

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from scipy.sparse.linalg import aslinearoperator

from lrla import ConvergenceWarning, Status
from lrla.lowrank import qb
from tests.lowrank.reference import SPECTRA, orthonormality, tail, with_values


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("tol", [0.5, 0.01, 1e-5, 1e-10])
@pytest.mark.parametrize("kind", ["array", "operator"])
def test_f9_tolerances_are_kept(name, tol, kind):
    s = SPECTRA[name](100)
    A = with_values(140, 100, s)
    Q, B = result = qb(A if kind == "array" else aslinearoperator(A), tol=tol, block=7, rng=5)
    error = np.linalg.norm(A - Q @ B)
    assert result.status is Status.CONVERGED
    assert error <= tol * np.linalg.norm(s) * (1 + 1e-9)
    assert orthonormality(Q) < 1e-12
    assert np.allclose(B, Q.T @ A, atol=1e-12)
    if result.info.error_exact:
        assert result.info.error == pytest.approx(error, rel=1e-4)
    least = next(k for k in range(101) if tail(s, k) <= tol * np.linalg.norm(s) * (1 + 1e-9))
    assert result.rank <= 2.5 * max(least, 1) + 14


@given(
    m=st.integers(1, 40),
    n=st.integers(1, 40),
    inner=st.integers(0, 40),
    part=st.floats(0, 1),
    block=st.integers(1, 50),
    dtype=st.sampled_from(["f4", "f8", "c8", "c16"]),
    power=st.sampled_from([-150, 0, 150]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_shape_rank_and_scale(m, n, inner, part, block, dtype, power, seed):
    least = min(m, n)
    rank = max(1, round(part * least))
    scale = 10.0 ** (power if dtype in ("f8", "c16") else power / 10)
    A = with_values(m, n, np.linspace(2, 1, min(inner, least)), dtype, seed) * scale
    A = A.astype(dtype)
    Q, B = qb(A, rank, block=block, rng=seed)
    u = np.finfo(dtype).eps
    assert (Q.shape, B.shape, Q.dtype, B.dtype) == ((m, rank), (rank, n), A.dtype, A.dtype)
    assert orthonormality(Q) < 100 * u
    left = np.linalg.norm((A - Q @ B) / scale)
    if rank >= inner or rank == least:
        assert left < 1e3 * u
    found = qb(A, tol=100 * u, block=block, rng=seed)
    assert found.rank <= max(1, min(inner, least))
    assert np.linalg.norm((A - found.Q @ found.B) / scale) < 1e3 * u * 10


def test_inputs_agree(backend):
    A = with_values(60, 50, SPECTRA["decaying"](50))
    Q, B = qb(backend.asarray(A), tol=1e-3, block=5, rng=5)
    Q, B = backend.to_numpy(Q), backend.to_numpy(B)
    assert np.linalg.norm(A - Q @ B) < 1e-3 * np.linalg.norm(A)


def test_sparse_and_chunked_agree():
    da = pytest.importorskip("dask.array")
    A = sp.random_array((200, 60), density=0.1, rng=np.random.default_rng(5))
    chunked = da.from_array(A.toarray(), chunks=(77, 60))
    whole = qb(A.toarray(), tol=0.5, rng=5)
    for form in (A, A.tocsr(), A.tocsc(), chunked):
        result = qb(form, tol=0.5, rng=5)
        assert result.rank == whole.rank
        assert np.allclose(np.asarray(result.Q) @ result.B, whole.Q @ whole.B)
    assert isinstance(result.Q, da.Array)


@pytest.mark.parametrize("shape", [(8, 5), (60, 20)])
def test_nothing_is_lost_where_blocks_are_square(shape):
    A = with_values(*shape, np.ones(shape[1]))
    for seed in range(150):
        Q, B = qb(A, shape[1], rng=seed)
        assert np.linalg.norm(A - Q @ B) < 1e-14


def test_passes_are_two_for_each_block():
    result = qb(with_values(90, 80, SPECTRA["slow"](80)), 30, block=10, rng=5)
    assert result.info.passes == 1 + 2 * 3


def test_a_tolerance_below_rounding_is_reported():
    with pytest.warns(ConvergenceWarning, match=r"tol=1\.0e-17"):
        result = qb(with_values(60, 50, SPECTRA["flat"](50)), tol=1e-17, rng=5)
    assert result.status is Status.STAGNATED
    assert result.rank == 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give either rank or tol, got rank=None and tol=None"),
        ({"rank": 3, "tol": 0.1}, "give either rank or tol, got rank=3 and tol=0.1"),
        ({"rank": 31}, "rank must be an integer between 1 and n = 30, got 31"),
        ({"tol": 0}, "tol must be between 0 and 1, got 0"),
        ({"rank": 3, "block": 0}, "block must be an integer, at least 1, got 0"),
    ],
)
def test_mistakes_are_explained(arguments, message):
    with pytest.raises(ValueError, match=message):
        qb(np.eye(40, 30), **arguments)


@pytest.mark.statistical
def test_tolerances_have_room_for_the_error_of_an_estimate():
    """Estimates by ten probes, times 2: each of 30 seeds misses with a probability far below 1 %."""
    A, missed = with_values(60, 60, np.append(np.ones(3), np.full(57, 0.1))), 0
    for seed in range(30):
        Q, B = qb(aslinearoperator(A), tol=0.2, block=1, rng=seed)
        missed += np.linalg.norm(A - Q @ B) > 0.2 * np.linalg.norm(A)
    assert missed <= 3


@pytest.mark.parametrize("size", [1e-3, 1e-5, 3e-6, 1e-6])
def test_the_spectral_bound_holds_where_squares_of_norms_cancel(size):
    rng = np.random.default_rng(90210)
    U, V = (np.linalg.qr(rng.standard_normal((m, 60)))[0] for m in (90, 60))
    A = (U * np.r_[np.ones(10), size, 1e-16 * np.ones(49)]) @ V.T
    for seed in range(20):
        Q, B = result = qb(A, rank=10, rng=seed)
        assert np.linalg.norm(A - Q @ B, 2) <= result.info.spectral_bound * (1 + 1e-12)
