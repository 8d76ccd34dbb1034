"""The greedy most likely set against the definition."""

import numpy as np
import pytest

from lrla import Status
from lrla.dpp import greedy_map
from lrla.lowrank import KernelMatrix


def psd(n, rank=None, seed=90210):
    B = np.random.default_rng(seed).standard_normal((n, rank or n))
    return B @ B.T


def by_definition(L, k):
    chosen = []
    for _ in range(k):
        value = [
            -np.inf if i in chosen else np.linalg.slogdet(L[np.ix_([*chosen, i], [*chosen, i])])[1]
            for i in range(len(L))
        ]
        chosen.append(int(np.argmax(value)))
    return chosen


@pytest.mark.parametrize("dtype", [float, complex])
def test_it_is_the_greedy_choice(dtype):
    L = psd(12).astype(dtype)
    if dtype is complex:
        B = L + 1j * psd(12, seed=5)
        L = B @ B.conj().T
    found = greedy_map(L, 6)
    assert found.indices.tolist() == by_definition(L, 6)
    expected = np.linalg.slogdet(L[np.ix_(found.indices, found.indices)])[1]
    assert found.log_det == pytest.approx(expected)
    assert np.all(np.diff(found.gains) <= 1e-12)
    assert found.status is Status.CONVERGED


def test_without_a_number_it_stops_where_the_determinant_does():
    L = psd(60) / 60
    found = greedy_map(L)
    assert np.all(found.gains > 0)
    more = greedy_map(L, len(found.indices) + 1)
    assert more.gains[-1] <= 0
    assert np.array_equal(more.indices[:-1], found.indices)
    assert greedy_map(0.5 * np.eye(3)).indices.shape == (0,)
    assert greedy_map(2 * np.eye(80)).indices.tolist() == list(range(80))


def test_rank_and_all():
    found = greedy_map(psd(9, 4), 6)
    assert len(found.indices) == 4
    assert found.status is Status.RANK
    assert sorted(greedy_map(psd(5), 5).indices.tolist()) == [0, 1, 2, 3, 4]


def test_kernels_need_no_matrix():
    X = np.random.default_rng(7).standard_normal((200, 2))
    K = KernelMatrix(X, gamma=0.5)
    found = greedy_map(K, 10)
    assert np.array_equal(
        found.indices, greedy_map(K.block(np.arange(200), slice(None)), 10).indices
    )


def test_every_library(backend):
    L = psd(20)
    found = greedy_map(backend.asarray(L), 5)
    assert np.array_equal(backend.to_numpy(found.indices), greedy_map(L, 5).indices)


def test_bad_input():
    with pytest.raises(ValueError, match="rank must be an integer between 1 and n"):
        greedy_map(psd(4), 5)
    with pytest.raises(ValueError, match="semidefinite"):
        greedy_map(-np.eye(3), 1)


def in_windows(L, k, w):
    """Choose by determinants, each from the last w alone."""
    chosen, gains = [], []
    for _ in range(k):
        last = chosen[-w:]
        base = np.linalg.det(L[np.ix_(last, last)]).real if last else 1.0
        value = [
            -np.inf if i in chosen else np.linalg.det(L[np.ix_([*last, i], [*last, i])]).real / base
            for i in range(len(L))
        ]
        chosen.append(int(np.argmax(value)))
        gains.append(np.log(max(value)))
    return chosen, gains


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("w", [1, 3, 7, 20])
def test_windows(w, dtype):
    L = psd(14).astype(dtype)
    if dtype is complex:
        B = np.random.default_rng(71).standard_normal((14, 14, 2)) @ [1, 1j]
        L = B @ B.conj().T
    result = greedy_map(L, 14 if w == 7 else 10, window=w)
    chosen, gains = in_windows(L, 14 if w == 7 else 10, w)
    assert result.indices.tolist() == chosen
    np.testing.assert_allclose(result.gains, gains, atol=1e-8)
    S = result.indices
    value = np.linalg.slogdet(L[np.ix_(S, S)])[1]
    assert result.log_det == pytest.approx(value, abs=1e-8)
    if w == 20:
        assert result.indices.tolist() == greedy_map(L, 10).indices.tolist()


def test_a_window_goes_beyond_the_rank():
    X = np.random.default_rng(72).standard_normal((60, 4))
    K = KernelMatrix(X, "linear")
    assert greedy_map(K, 20).status is Status.RANK
    result = greedy_map(K, 20, window=3)
    assert len(set(result.indices.tolist())) == 20
    assert result.log_det == -np.inf
    assert result.status is Status.CONVERGED
    assert result.indices.tolist() == greedy_map(X @ X.T, 20, window=3).indices.tolist()
    ones = greedy_map(np.ones((5, 5)), 4, window=1)
    assert ones.status is Status.RANK
    assert ones.indices.tolist() == [0]


def test_windows_in_every_library(backend):
    L = psd(12)
    found = greedy_map(backend.asarray(L), 9, window=4)
    assert backend.to_numpy(found.indices).tolist() == greedy_map(L, 9, window=4).indices.tolist()


def test_windows_are_checked():
    with pytest.raises(ValueError, match="k must be an integer between 1 and n = 5 with a window"):
        greedy_map(psd(5), window=2)
    with pytest.raises(ValueError, match="window must be an integer, at least 1, got 0"):
        greedy_map(psd(5), 3, window=0)
