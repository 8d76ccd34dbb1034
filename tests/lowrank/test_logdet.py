"""`logdet` and its relatives: unbiased, with error bars that hold, and smooth along paths."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.linalg import LinAlgError
from scipy.sparse.linalg import aslinearoperator

from lrla import ConvergenceWarning, Status
from lrla.lowrank import logdet, logdet_path, logdet_shifted
from tests.lowrank.reference import haar

N = 150


def definite(w, dtype="f8", seed=90210):
    Q = haar(np.random.default_rng(seed), len(w), len(w), dtype)
    A = (Q * w) @ Q.conj().T
    return (A + A.conj().T) / 2


W = np.linspace(0.2, 4, N)


def lattice(side):
    """Laplacian of a grid plus the identity."""
    line = sp.diags_array([2.0, -1.0, -1.0], offsets=[0, 1, -1], shape=(side, side))
    return sp.kronsum(line, line, format="csr") + sp.eye_array(side * side)


@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_few_distinct_eigenvalues_need_as_many_steps(dtype):
    """Each quadratic form is then exact, so with all coordinates of a diagonal matrix known."""
    w = np.repeat([0.5, 1.0, 3.0], N // 3)
    A = np.diag(w).astype(dtype)
    result = logdet(aslinearoperator(A), max_iter=3, rng=5)
    assert result.value == pytest.approx(np.sum(np.log(w)), rel=1e-12)  # signs: z_i**2 = 1
    assert result.standard_error < 1e-10
    result = logdet(aslinearoperator(definite(w, dtype)), rng=5)
    assert result.info.quadrature_error < 1e-8


@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_cholesky_is_exact(dtype):
    A = definite(W, dtype)
    result = logdet(A)
    assert result.info.method == "cholesky"
    assert result.value == pytest.approx(np.sum(np.log(W)), rel=1e-10)
    assert result.standard_error == 0


@pytest.mark.statistical
def test_estimates_are_unbiased():
    """Mean over 100 seeds within 4.9 standard errors: false alarms below 1e-6."""
    op = aslinearoperator(definite(W))
    values = np.array([logdet(op, n_probes=8, rng=seed).value for seed in range(100)])
    error = values.std() / 10
    assert abs(values.mean() - np.sum(np.log(W))) < 4.9 * error
    assert abs(values.mean() + 10 * error - np.sum(np.log(W))) > 4.9 * error


@pytest.mark.statistical
@pytest.mark.parametrize("rank", [0, 15])
def test_t6_error_bars_hold(rank):
    """95 % intervals over 60 seeds cover at least 48: false alarms below 1e-5."""
    w = 2.0 * 0.8 ** np.arange(N) + 0.05
    op, truth = aslinearoperator(definite(w)), np.sum(np.log(w))
    hits = 0
    for seed in range(60):
        low, high = logdet(op, n_probes=16, rank=rank, rng=seed).confidence_interval(0.95)
        hits += low <= truth <= high
    assert hits >= 48


@pytest.mark.statistical
@pytest.mark.parametrize("max_iter", [23, 40])
def test_too_few_steps_are_told_and_counted(max_iter):
    """The bias is ten standard errors: intervals without it hold nothing, with it 19 of 20 or more."""
    w = 0.9 ** np.arange(200)
    op, truth = aslinearoperator(definite(w)), np.sum(np.log(w))
    hits = 0
    for seed in range(20):
        with pytest.warns(ConvergenceWarning, match="raise max_iter or rank"):
            result = logdet(op, n_probes=16, max_iter=max_iter, rng=seed)
        assert result.status is Status.MAX_ITER
        low, high = result.confidence_interval(0.95)
        hits += low <= truth <= high
        spread = math.sqrt(result.standard_error**2 - result.info.quadrature_error**2)
        assert result.value - truth > 5 * spread  # a Gauss rule is above the logarithm
    assert hits >= 16


def test_too_few_steps_for_shifts_and_paths():
    w = 0.9 ** np.arange(200)
    A, truth = definite(w), np.sum(np.log(w))
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        shifted = logdet_shifted(A, [0.0, 1.0], max_iter=30, rng=5)
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        path = logdet_path(lambda t: A, [0.0], max_iter=30, rng=5)
    for result in (shifted, path):
        assert result.status is Status.MAX_ITER
        assert abs(result.value[0] - truth) < 3 * result.standard_error[0]


def test_deflation_takes_the_variance_away():
    w = 50 * 0.7 ** np.arange(N) + 0.1
    op = aslinearoperator(definite(w))
    plain, deflated = (logdet(op, rank=rank, rng=5) for rank in (0, 25))
    assert deflated.value == pytest.approx(np.sum(np.log(w)), abs=5 * deflated.standard_error)
    assert deflated.standard_error < 0.2 * plain.standard_error
    assert deflated.info.products < plain.info.products


def test_tolerances_are_met_or_reported():
    A = lattice(40)
    truth = np.linalg.slogdet(A.toarray())[1]
    result = logdet(aslinearoperator(A), n_probes=500, tol=0.01, rng=5)
    assert result.status is Status.CONVERGED
    assert result.info.samples < 500
    assert abs(result.value - truth) < 4 * 0.01 * truth
    with pytest.warns(ConvergenceWarning, match=r"above tol=1\.0e-06 times"):
        result = logdet(aslinearoperator(A), n_probes=9, tol=1e-6, rng=5)
    assert result.status is Status.MAX_ITER
    assert result.info.samples == 9


@pytest.mark.parametrize("power", [-100, 0, 100])
def test_scales(power):
    A = definite(W) * 10.0**power
    truth = np.sum(np.log(W)) + N * power * math.log(10)
    for method in ("cholesky", "slq"):
        result = logdet(A, method=method, rng=5)
        assert abs(result.value - truth) <= 4 * result.standard_error + 1e-9


def test_inputs_agree(backend):
    A = definite(W)
    reference = logdet(A, method="slq", rng=5)
    result = logdet(backend.asarray(A), method="slq", rng=5)
    assert result.value == pytest.approx(reference.value, rel=1e-10)
    shifted = logdet_shifted(backend.asarray(A), [0.0, 1.0], n_probes=4, rng=5)
    assert backend.to_numpy(shifted.value).shape == (2,)


def test_sparse_and_chunked_agree():
    da = pytest.importorskip("dask.array")
    A = lattice(12)
    values = [
        logdet(form, method="slq", n_probes=8, rng=5).value
        for form in (A, A.tocsc(), A.toarray(), aslinearoperator(A),
                     da.from_array(A.toarray(), chunks=(50, 144)))
    ]  # fmt: skip
    assert np.allclose(values, values[0], rtol=1e-10)


# ------------------------------------------------------------------------------------- shifts


def test_shifts_equal_separate_runs():
    A, shifts = definite(W), [0.0, 0.3, 2.0]
    together = logdet_shifted(A, shifts, n_probes=6, rng=5)
    for c, value, error in zip(shifts, together.value, together.standard_error, strict=True):
        alone = logdet(A + c * np.eye(N), method="slq", n_probes=6, rng=5)
        drift = together.info.quadrature_error + alone.info.quadrature_error
        assert value == pytest.approx(alone.value, abs=2 * drift + 1e-10 * abs(value))
        assert error > 0
    full = logdet_shifted(A, shifts, n_probes=6, max_iter=N, rng=5)
    assert np.allclose(full.value, together.value, atol=10 * together.info.quadrature_error)


def test_negative_shifts_are_allowed_while_positive_definite():
    result = logdet_shifted(definite(W), [-0.1, 0.0], rng=5)
    truth = [np.sum(np.log(W - 0.1)), np.sum(np.log(W))]
    assert np.all(np.abs(result.value - truth) < 5 * result.standard_error)
    with pytest.raises(LinAlgError, match=r"A must be positive definite, got .* Ritz value"):
        logdet_shifted(definite(W), [-0.5, 0.0], rng=5)


# -------------------------------------------------------------------------------------- paths


def test_paths_are_smooth_and_gradients_fit():
    A, points = definite(W), np.linspace(0.5, 1.5, 9)
    path = logdet_path(
        lambda t: A + t * np.eye(N), points, derivative=lambda t: np.eye(N), n_probes=8, rng=5
    )
    truth = np.array([np.sum(np.log(W + t)) for t in points])
    slope = np.array([np.sum(1 / (W + t)) for t in points])
    assert np.all(np.abs(path.value - truth) < 5 * path.standard_error)
    assert np.all(np.abs(path.gradient - slope) < 5 * path.gradient_error)
    step = points[1] - points[0]
    wiggle = np.abs(np.diff(path.value - truth, 3))
    assert np.max(wiggle) < 0.1 * np.mean(path.standard_error)  # independent ones: 4.5 of them
    central = (path.value[2:] - path.value[:-2]) / (2 * step)
    assert np.allclose(central, path.gradient[1:-1], rtol=5e-2)
    assert logdet_path(lambda t: A, [0.0], rng=5).gradient is None


def test_a_path_of_kernels():
    x = np.random.default_rng(3).uniform(0, 1, 120)
    squares = (x[:, None] - x) ** 2

    def kernel(t):
        return np.exp(-squares / (2 * t**2)) + 0.1 * np.eye(120)

    def slope(t):
        return np.exp(-squares / (2 * t**2)) * squares / t**3

    path = logdet_path(kernel, [0.1, 0.2], derivative=slope, n_probes=64, rng=5)
    for t, value, error, gradient, spread in zip(
        [0.1, 0.2], path.value, path.standard_error, path.gradient, path.gradient_error, strict=True
    ):
        assert abs(value - np.linalg.slogdet(kernel(t))[1]) < 5 * error
        assert abs(gradient - np.trace(np.linalg.solve(kernel(t), slope(t)))) < 5 * spread


# ------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_probes": 1}, "n_probes must be at least 2, got 1"),
        ({"max_iter": 1}, "max_iter must be at least 2, got 1"),
        ({"tol": 0}, "tol must be between 0 and 1, got 0"),
        ({"rank": 20}, "rank must be between 0 and n - 1 = 19, got 20"),
        ({"method": "lu"}, "method must be one of auto, slq, cholesky, got 'lu'"),
    ],
)
def test_mistakes_are_explained(arguments, message):
    with pytest.raises(ValueError, match=message):
        logdet(np.eye(20), **arguments)


def test_matrices_that_do_not_fit_are_refused():
    indefinite = np.diag(np.linspace(-1, 1, 40))
    for method in ("slq", "cholesky"):
        with pytest.raises(LinAlgError, match="A must be positive definite"):
            logdet(indefinite, method=method, rng=5)
    with pytest.raises(ValueError, match="A must be square"):
        logdet(np.ones((3, 4)))
    bad = np.eye(20)
    bad[2, 2] = np.nan
    with pytest.raises(ValueError, match=r"A must be finite.* at index \(2, 2\)"):
        logdet(bad)
    with pytest.raises(ValueError, match="shifts must hold at least one number"):
        logdet_shifted(np.eye(20), [])
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"shifts must be finite, got \[1.0, (nan|inf)\]"):
            logdet_shifted(np.eye(20), [1.0, bad])
    with pytest.raises(ValueError, match="points must hold at least one"):
        logdet_path(lambda t: np.eye(3), [])
    with pytest.raises(ValueError, match="derivative must have the shape of A"):
        logdet_path(lambda t: np.eye(3), [1], derivative=lambda t: np.eye(4))
