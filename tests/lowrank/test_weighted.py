"""`weighted_lowrank`: exact for product weights, monotone and stationary for all others."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from lrla import AccuracyWarning, ConvergenceWarning, Status
from lrla.lowrank import weighted_lowrank
from tests.lowrank.reference import orthonormality

TALL = np.random.default_rng(90210).standard_normal((30, 20))
WEIGHTS = np.random.default_rng(311).uniform(0.1, 1, TALL.shape)


def objective(A, W, result):
    U, s, Vh = result
    return float(np.sum(W * np.abs(A - (U * s) @ Vh) ** 2))


def test_equal_weights_are_the_svd():
    result = weighted_lowrank(TALL, np.full(TALL.shape, 2.5), 4)
    s = np.linalg.svd(TALL, compute_uv=False)
    assert np.allclose(result.s, s[:4])
    assert result.objective == pytest.approx(2.5 * np.sum(s[4:] ** 2))
    assert result.lower_bound == result.objective
    assert result.info.method == "svd"


def test_product_weights_have_a_closed_solution():
    rng = np.random.default_rng(5)
    p, q = rng.uniform(0.1, 2, 30), rng.uniform(0.1, 2, 20)
    W = np.outer(p, q)
    result = weighted_lowrank(TALL, W, 3)
    best = np.sum(np.linalg.svd(np.sqrt(W) * TALL, compute_uv=False)[3:] ** 2)
    assert result.objective == pytest.approx(best, rel=1e-10)
    assert objective(TALL, W, result) == pytest.approx(best, rel=1e-10)
    # the alternating method finds nothing better, and the same where weights differ by a hair
    nearly = W * (1 + 1e-9 * rng.standard_normal(W.shape))
    other = weighted_lowrank(TALL, nearly, 3, tol=1e-8, rng=5)
    assert other.info.method == "als"
    assert other.objective == pytest.approx(best, rel=1e-6)


@given(
    m=st.integers(1, 15),
    n=st.integers(1, 15),
    part=st.floats(0, 1),
    zeros=st.floats(0, 0.9),
    dtype=st.sampled_from(["f8", "c16"]),
    power=st.sampled_from([-100, 0, 100]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_objective_never_increases(m, n, part, zeros, dtype, power, seed):
    rng = np.random.default_rng(seed)
    rank = max(1, round(part * min(m, n)))
    A = rng.standard_normal((m, n)).astype(dtype)
    if dtype == "c16":
        A = A + 1j * rng.standard_normal((m, n))
    W = rng.uniform(0, 1, (m, n)) * (rng.uniform(0, 1, (m, n)) >= zeros)
    W[0, 0] = 1
    scale = 10.0**power
    result = weighted_lowrank(A * scale, W, rank, tol=0.9999, max_iter=5, rng=seed)
    again = weighted_lowrank(A, W, rank, tol=0.5, max_iter=60, rng=seed)
    sweeps = np.array(again.info.objectives)
    top = np.sum(W * np.abs(A) ** 2)
    assert np.all(np.diff(sweeps) <= 1e-9 * top)
    assert again.objective == pytest.approx(objective(A, W, again), abs=1e-8 * top)
    assert result.lower_bound <= result.objective * (1 + 1e-12)
    assert orthonormality(result.U) < 1e-10
    assert orthonormality(result.Vh.conj().T) < 1e-10


def test_what_it_finds_is_stationary_and_hard_to_beat():
    result = weighted_lowrank(TALL, WEIGHTS, 3, tol=1e-8, rng=5)
    assert result.status is Status.CONVERGED
    U, s, Vh = result
    G = WEIGHTS * (TALL - (U * s) @ Vh)
    goal = 1e-8 * np.linalg.norm(WEIGHTS * TALL)
    assert np.hypot(np.linalg.norm(G @ Vh.T), np.linalg.norm(U.T @ G)) < 1.01 * goal
    assert result.lower_bound < result.objective
    rng = np.random.default_rng(5)
    for _ in range(20):  # random directions on the rank-3 matrices
        V = (Vh + 1e-3 * rng.standard_normal(Vh.shape)).T
        X = np.stack([
            V @ np.linalg.lstsq(np.sqrt(w)[:, None] * V, np.sqrt(w) * a, rcond=None)[0]
            for w, a in zip(WEIGHTS, TALL, strict=True)
        ])  # fmt: skip
        assert np.sum(WEIGHTS * (TALL - X) ** 2) > result.objective - 1e-9


def test_it_beats_ignoring_the_weights_and_holds_the_bound():
    W = WEIGHTS**3
    U, s, Vh = np.linalg.svd(TALL, full_matrices=False)
    plain = np.sum(W * (TALL - (U[:, :3] * s[:3]) @ Vh[:3]) ** 2)
    result = weighted_lowrank(TALL, W, 3, rng=5)
    assert result.lower_bound < result.objective < 0.9 * plain
    flat = weighted_lowrank(TALL, 1 + 0.01 * WEIGHTS, 3, rng=5)  # nearly equal: the bound is sharp
    assert flat.lower_bound > 0.98 * flat.objective


def test_missing_entries_of_a_low_rank_matrix_are_found():
    rng = np.random.default_rng(8)
    A = rng.standard_normal((60, 2)) @ rng.standard_normal((2, 50))
    W = (rng.uniform(size=A.shape) < 0.5).astype(float)
    U, s, Vh = result = weighted_lowrank(np.where(W > 0, A, 99.0), W, 2, tol=1e-10, rng=5)
    assert np.allclose((U * s) @ Vh, A, atol=1e-6)
    assert result.lower_bound == 0


def test_entries_without_weight_have_no_say():
    W = WEIGHTS * (np.random.default_rng(8).uniform(size=TALL.shape) < 0.7)
    results = [
        weighted_lowrank(np.where(W > 0, TALL, hidden), W, 3, rng=5)
        for hidden in (0.0, 99.0, 1e300)
    ]
    for result in results[1:]:
        assert np.array_equal(result.U, results[0].U)
        assert result.objective == results[0].objective > 0


def test_rows_and_columns_without_weight_do_no_harm():
    W = WEIGHTS.copy()
    W[3] = 0
    W[:, 7] = 0
    result = weighted_lowrank(TALL, W, 4, rng=5)
    assert np.all(np.isfinite(result.U))
    assert objective(TALL, W, result) == pytest.approx(result.objective, rel=1e-8)


def test_inputs_agree(backend):
    reference = weighted_lowrank(TALL, WEIGHTS, 3, rng=5)
    result = weighted_lowrank(backend.asarray(TALL), backend.asarray(WEIGHTS), 3, rng=5)
    assert result.objective == pytest.approx(reference.objective, rel=1e-6)


@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e200, 1e300])
@pytest.mark.parametrize("product", [False, True])
def test_an_objective_that_is_no_float_is_told(size, product):
    W = np.ones_like(WEIGHTS) if product else WEIGHTS
    plain = weighted_lowrank(TALL, W, 3, rng=5)
    assert plain.info.relative_objective == pytest.approx(
        plain.objective / np.sum(W * TALL**2), rel=1e-12
    )
    how = "large for a float, got inf" if size > 1 else "small for a float, got 0"
    with pytest.warns(AccuracyWarning, match=f"objective and lower_bound are too {how}; read info"):
        result = weighted_lowrank(TALL * size, W, 3, rng=5)
    assert result.status is Status.CONVERGED
    assert result.objective == result.lower_bound == (np.inf if size > 1 else 0.0)
    digits = 1e-9 if size > 1e-300 else 1e-3
    assert result.info.relative_objective == pytest.approx(
        plain.info.relative_objective, rel=digits
    )
    assert np.allclose(result.s / size, plain.s, rtol=digits)
    assert np.allclose(result.U * result.s @ result.Vh / size, plain.U * plain.s @ plain.Vh,
                       rtol=0, atol=10 * digits)  # fmt: skip


@pytest.mark.parametrize(("size", "unit"), [(1e200, 1e-300), (1e-200, 1e300)])
def test_only_the_objective_counts_and_not_how_it_is_multiplied(size, unit):
    plain = weighted_lowrank(TALL, WEIGHTS, 3, rng=5)
    result = weighted_lowrank(TALL * size, WEIGHTS * unit, 3, rng=5)
    whole = 1e100 if size > 1 else 1e-100
    assert result.objective == pytest.approx(plain.objective * whole, rel=1e-9)
    assert result.lower_bound == pytest.approx(plain.lower_bound * whole, rel=1e-9)
    assert np.all(np.diff(result.info.objectives) <= 0)


def test_weights_beyond_the_precision_of_the_matrix():
    A = TALL.astype("f4")
    plain = weighted_lowrank(A, WEIGHTS, 3, rng=5)
    result = weighted_lowrank(A, WEIGHTS * 1e200, 3, rng=5)
    assert result.U.dtype == np.float32
    assert result.objective == pytest.approx(plain.objective * 1e200, rel=1e-4)


def test_zeros_and_exact_ranks():
    zero = weighted_lowrank(0 * TALL, WEIGHTS, 3, rng=5)
    assert zero.objective == zero.lower_bound == zero.info.relative_objective == 0
    assert np.all(zero.s == 0)
    one = weighted_lowrank(np.outer(TALL[:, 0], TALL[0]), WEIGHTS, 1, rng=5)
    assert one.lower_bound == 0  # and no rounding
    assert one.info.relative_objective < 1e-20


def test_limits_are_reported():
    with pytest.warns(ConvergenceWarning, match="the relative gradient is .* above tol=1.0e-12"):
        result = weighted_lowrank(TALL, WEIGHTS, 3, tol=1e-12, max_iter=3, rng=5)
    assert result.status is Status.MAX_ITER
    stopped = weighted_lowrank(TALL, WEIGHTS, 3, callback=lambda state: True, rng=5)
    assert stopped.status is Status.STOPPED
    assert len(stopped.info.history) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TALL, WEIGHTS[:5], 3), r"weights must have the shape of A, got \(5, 20\) and \(30, 20\)"),
        ((TALL, -WEIGHTS, 3), "weights must be finite, not negative, and not all zero"),
        ((TALL, 0 * WEIGHTS, 3), "weights must be finite, not negative, and not all zero"),
        ((TALL, WEIGHTS, 21), "rank must be an integer between 1 and n = 20, got 21"),
        ((TALL + np.inf, WEIGHTS, 3), r"A must be finite, got NaN or infinity at index \(0, 0\)"),
        ((TALL[:0], WEIGHTS[:0], 3), "A must have at least one row and one column"),
    ],
)
def test_mistakes_are_explained(arguments, message):
    with pytest.raises(ValueError, match=message):
        weighted_lowrank(*arguments)


def test_parameters_are_checked():
    with pytest.raises(ValueError, match="tol must be between 0 and 1, got 0"):
        weighted_lowrank(TALL, WEIGHTS, 3, tol=0)
    with pytest.raises(ValueError, match="max_iter must be at least 1, got 0"):
        weighted_lowrank(TALL, WEIGHTS, 3, max_iter=0)
