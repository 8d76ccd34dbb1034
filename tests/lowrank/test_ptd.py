"""Diagonalization of matrices that can hardly be diagonalized."""

import numpy as np
import pytest
import scipy.linalg

from lrla._core.errors import AccuracyWarning
from lrla.lowrank import ptd


def hippo(n):
    """Make the HiPPO-LegS matrix (Gu, Dao, Ermon, Rudra, Re 2020, theorem 2)."""
    root = np.sqrt(2 * np.arange(n) + 1.0)
    return -(np.tril(np.outer(root, root), -1) + np.diag(np.arange(n) + 1.0))


@pytest.mark.parametrize("name", ["jordan", "hippo", "random", "complex", "normal"])
@pytest.mark.parametrize("eps", [1e-3, 1e-6])
def test_backward_error_is_the_perturbation(name, eps):
    rng = np.random.default_rng(90210)
    A = {
        "jordan": np.eye(50, k=1),
        "hippo": hippo(64),
        "random": rng.standard_normal((40, 40)),
        "complex": rng.standard_normal((30, 30)) + 1j * rng.standard_normal((30, 30)),
        "normal": scipy.linalg.circulant(rng.standard_normal(20)),
    }[name]
    result = ptd(A, eps=eps, rng=7)
    n, size = A.shape[0], np.linalg.norm(A, 2)
    error = np.linalg.norm((result.vectors * result.eigenvalues) @ result.inverse - A, 2) / size
    assert result.info.backward_error == pytest.approx(error, rel=1e-6, abs=1e-14)
    slack = 10 * n * 1.1e-16 * result.condition
    assert eps * (1 - 1e-6) - slack <= error <= eps * (1 + 1e-6) + slack
    np.testing.assert_allclose(np.linalg.norm(result.vectors, axis=0), 1, atol=1e-12)
    assert result.condition == pytest.approx(np.linalg.cond(result.vectors), rel=1e-6)
    assert result.condition == min(result.info.conditions)
    assert len(result.info.conditions) == 8
    assert result.condition < 10 * n**1.5 / eps


def test_hippo_beside_a_plain_eigendecomposition():
    A = hippo(64)
    assert ptd(A, eps=1e-3, rng=7).condition < 1e4
    with pytest.warns(AccuracyWarning, match=r"eigenvectors have condition .*; raise eps"):
        plain = ptd(A, eps=0.0)
    assert plain.condition > 1e15
    assert plain.info.backward_error > 1


@pytest.mark.parametrize("name", ["jordan", "hippo"])
def test_refinements_help_and_stay_within_eps(name):
    A = np.eye(30, k=1) if name == "jordan" else hippo(30)
    plain, refined = (ptd(A, eps=1e-3, n_refinements=k, rng=7) for k in (0, 40))
    assert refined.info.conditions[:8] == plain.info.conditions
    assert len(refined.info.conditions) == 48
    assert refined.condition == min(refined.info.conditions) < 0.8 * plain.condition
    assert refined.info.backward_error == pytest.approx(1e-3, rel=1e-3)


def test_jordan_block_without_perturbation():
    with pytest.warns(AccuracyWarning, match="raise eps"):
        ptd(np.eye(20, k=1), eps=0.0)


def test_normal_matrices_need_none():
    A = scipy.linalg.circulant(np.arange(1.0, 11))
    result = ptd(A, eps=0.0)
    assert result.condition == pytest.approx(1, abs=1e-10)
    assert result.info.backward_error < 1e-13


def test_more_trials_are_no_worse():
    A = hippo(20)
    few, many = (ptd(A, n_trials=k, rng=7) for k in (2, 10))
    assert many.info.conditions[:2] == few.info.conditions
    assert many.condition <= few.condition


def test_scale_and_precision():
    A = hippo(12)
    plain = ptd(A, rng=7)
    for scale in (1e-150, 1e150):
        scaled = ptd(scale * A, rng=7)
        np.testing.assert_allclose(scaled.eigenvalues / scale, plain.eigenvalues, rtol=1e-9)
    assert ptd(A.astype("f4"), rng=7).vectors.dtype == np.complex64
    assert ptd(np.zeros((3, 3)), rng=7).info.backward_error == 0
    assert ptd([[2]], rng=7).condition == 1
    assert repr(plain).startswith("PTDResult(eigenvalues=<array (12,)>")


def test_what_is_refused():
    for A in (np.ones((3, 4)), np.ones((0, 0))):
        with pytest.raises(ValueError, match="A must be square and not empty, got shape"):
            ptd(A)
    with pytest.raises(ValueError, match="A must be finite, got NaN"):
        ptd(np.full((2, 2), np.nan))
    for eps in (-1e-3, 1.0, np.nan):
        with pytest.raises(ValueError, match="eps must be at least 0 and less than 1, got"):
            ptd(np.eye(2), eps=eps)
    for trials in (0, 1.5):
        with pytest.raises(ValueError, match="n_trials must be an integer, at least 1, got"):
            ptd(np.eye(2), n_trials=trials)
    with pytest.raises(ValueError, match="n_refinements must be an integer, at least 0, got -1"):
        ptd(np.eye(2), n_refinements=-1)


def test_libraries_without_eigenvalues(monkeypatch):
    strict = pytest.importorskip("array_api_strict")
    monkeypatch.delattr(strict.linalg, "eig", raising=False)
    with pytest.raises(TypeError, match=r"library with linalg\.eig.*array_api_strict"):
        ptd(strict.eye(3))
