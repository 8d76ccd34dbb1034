"""`svd` of sparse data by products with A^H A, as long as that is accurate enough."""

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given

import lrla
from lrla import ConvergenceWarning, Status, lowrank
from lrla.lowrank import _gram, _krylov
from tests.lowrank.reference import orthonormality, with_values

FORMS = (sp.csr_array, sp.csc_array)


def worst(A, result):
    """Measure the residuals of both sides, relative to the largest singular value."""
    U, s, Vh = result
    left = np.linalg.norm(A @ Vh.conj().T - U * s, axis=0)
    right = np.linalg.norm(A.conj().T @ U - Vh.conj().T * s, axis=0)
    return max(np.max(left), np.max(right)) / s[0]


@pytest.fixture
def fallen_back(monkeypatch):
    """Collect what the long way was taken for."""
    made = []
    plain = _krylov.Bidiagonal.step

    def step(self):
        made.append(self)
        plain(self)

    monkeypatch.setattr(_krylov.Bidiagonal, "step", step)
    return made


@pytest.mark.parametrize("dtype", ["f8", "c16"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(300, 120), (120, 300)])
def test_well_conditioned_triplets_take_one_pass_for_a_step(fallen_back, shape, form, dtype):
    s = 0.95 ** np.arange(120)
    A = with_values(*shape, s, dtype)
    result = lowrank.svd(form(A), 10, method="krylov", rng=5)
    assert result.status is Status.CONVERGED
    assert not fallen_back
    # first and last products, and those with the probes, beside one for each block of four
    assert result.info.passes <= result.info.size // 4 + 4
    assert np.allclose(result.s, s[:10], rtol=0, atol=1e-13)
    assert worst(A, result) < 3e-11
    assert abs(np.max(result.info.residuals) - worst(A, result)) < 1e-14
    assert orthonormality(result.U) < 1e-13
    assert orthonormality(result.Vh.conj().T) < 1e-13


@pytest.mark.parametrize("rtol", [1e-14, 1e-11, 1e-8])
@pytest.mark.parametrize("ratio", [1e-1, 1e-3, 1e-5, 1e-7, 1e-12, 0.0])
def test_the_tolerance_is_met_however_small_the_last_triplet(ratio, rtol):
    """Where A^H A hides it, the long way is taken; and only then."""
    s = np.r_[np.geomspace(1, max(ratio, 1e-16), 12), np.full(68, ratio / 3)]
    s[11] = ratio
    A = with_values(200, 80, s)
    result = lowrank.svd(sp.csr_array(A), 12, method="krylov", rtol=rtol, rng=5)
    assert result.status is Status.CONVERGED
    assert worst(A, result) <= max(rtol, 1e-14)
    assert np.max(np.abs(result.s - s[:12])) <= max(rtol, 1e-14)
    assert orthonormality(result.U) < 1e-12


def test_it_falls_back_early_and_only_where_it_has_to(fallen_back):
    A = sp.csr_array(with_values(200, 80, np.geomspace(1, 1e-8, 80)))
    lowrank.svd(A, 10, method="krylov", rng=5)
    assert not fallen_back
    lowrank.svd(A, 60, method="krylov", rng=5)
    assert fallen_back


def test_without_the_fall_back_small_triplets_are_lost(monkeypatch):
    monkeypatch.setattr(_gram, "_ROUNDING", 0.0)
    s = 10.0 ** (-np.arange(60) / 3)
    A = with_values(300, 60, s)
    result = lowrank.svd(sp.csr_array(A), 24, method="krylov", rtol=1e-12, rng=5)
    assert worst(A, result) > 1e-10


def test_single_precision_keeps_its_tolerance():
    s = 0.8 ** np.arange(80)
    A = with_values(200, 80, s, "f4")
    for rank in (3, 12, 30):
        result = lowrank.svd(sp.csr_array(A), rank, method="krylov", rng=5)
        assert worst(A, result) < 2.5e-5
        assert np.max(np.abs(result.s - s[:rank])) < 1e-5


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("dtype", "powers"), [("f8", (-290, -170, 160, 290)), ("c8", (-30, -22, 20, 30))]
)
def test_squares_of_the_entries_may_leave_the_range(dtype, powers, form):
    s, u = 0.8 ** np.arange(80), np.finfo(dtype).eps
    A = with_values(200, 80, s, dtype)
    for power in powers:
        scale = np.asarray(10.0**power, np.finfo(dtype).dtype)
        U, found, Vh = lowrank.svd(form(A * scale), 6, method="krylov", rng=5)
        assert np.allclose(found / scale, s[:6], rtol=0, atol=100 * u)
        assert orthonormality(U) < 100 * u
        assert orthonormality(Vh.conj().T) < 100 * u


@pytest.mark.parametrize("copies", [4, 9, 25, 40])
def test_more_copies_than_random_columns(copies):
    s = np.r_[3.0, np.ones(copies), np.full(90 - copies - 1, 0.1)]
    A = with_values(200, 90, s)
    result = lowrank.svd(sp.csr_array(A), copies + 3, method="krylov", rng=5)
    assert np.allclose(result.s, s[: copies + 3], atol=1e-12)
    assert worst(A, result) < 1e-10


def test_without_the_count_of_copies_some_are_missed(monkeypatch):
    monkeypatch.setattr(_krylov, "_hidden", lambda *_: False)
    s = np.r_[3.0, np.ones(25), np.linspace(0.4, 0.1, 64)]
    result = lowrank.svd(sp.csr_array(with_values(200, 90, s)), 20, method="krylov", rng=5)
    assert np.min(result.s) < 0.5


@pytest.mark.parametrize("form", FORMS)
def test_identity_projector_and_zero(form):
    for d in (np.ones(300), np.r_[np.ones(40), np.zeros(260)], np.zeros(300)):
        result = lowrank.svd(form(np.diag(d)), 50, method="krylov", rng=5)
        assert np.allclose(result.s, d[:50], atol=1e-12)
        assert orthonormality(result.U) < 1e-12
        assert orthonormality(result.Vh.T) < 1e-12


@given(
    m=st.integers(1, 60),
    n=st.integers(1, 60),
    part=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from(["f4", "f8", "c8", "c16"]),
    power=st.sampled_from([-290, -150, -20, 0, 20, 150, 290]),
    base=st.sampled_from([0.5, 0.9, 1.0]),
    form=st.sampled_from(FORMS),
)
def test_any_shape_dtype_and_scale(m, n, part, seed, dtype, power, base, form):
    rank = max(1, round(part * min(m, n)))
    scale = 10.0 ** (power if dtype in ("f8", "c16") else power / 10)
    A = with_values(m, n, base ** np.arange(min(m, n)) * scale, dtype, seed)
    result = lowrank.svd(form(A), rank, method="krylov", rng=seed)
    u = np.finfo(dtype).eps
    U, found, Vh = result
    assert (U.dtype, found.dtype, Vh.dtype) == (A.dtype, np.abs(A).dtype, A.dtype)
    assert orthonormality(U) < 100 * u
    assert orthonormality(Vh.conj().T) < 100 * u
    assert np.all(np.diff(found) <= 0)
    wanted = np.linalg.svd(A / scale, compute_uv=False)[:rank]
    assert np.max(np.abs(found / scale - wanted)) < u ** (2 / 3) + 200 * u


def test_every_limit_of_steps_leaves_a_factorization(fallen_back):
    A = with_values(150, 120, np.geomspace(1, 1e-9, 120))
    for max_iter in range(2, 16):
        with pytest.warns(ConvergenceWarning):
            result = lowrank.svd(sp.csr_array(A), 80, method="krylov", max_iter=max_iter, rng=5)
        assert result.status is Status.MAX_ITER
        assert orthonormality(result.U) < 1e-12
        assert np.linalg.norm(A @ result.Vh.T - result.U * result.s) < 1e-9


def test_threads_and_the_order_of_rows_do_not_matter():
    A = sp.random_array((20_000, 200), density=0.05, rng=np.random.default_rng(90210), format="csr")
    with lrla.threads(1):
        one = lowrank.svd(A, 4, rng=5, method="krylov")
    with lrla.threads(2):
        two = lowrank.svd(A, 4, rng=5, method="krylov")
    assert np.allclose(one.s, two.s, rtol=1e-13)
    order = np.random.default_rng(811).permutation(20_000)
    other = lowrank.svd(A[order], 4, rng=5, method="krylov")
    assert np.allclose(one.s, other.s, rtol=1e-13)
    assert np.allclose(one.U[order], other.U, atol=1e-8)


def test_a_callback_stops_it():
    A = sp.csr_array(with_values(500, 200, np.linspace(1, 0.9, 200)))
    seen = []
    result = lowrank.svd(A, 6, rng=5, method="krylov",
                         callback=lambda state: seen.append(state) or len(seen) == 2)  # fmt: skip
    assert result.status is Status.STOPPED
    assert np.all(seen[-1].x <= 1 + 1e-12)
    assert orthonormality(result.U) < 1e-12
