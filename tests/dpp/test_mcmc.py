"""Markov chains over sets: their law, their steps, and what they say of themselves."""

import numpy as np
import pytest

import lrla
from lrla import Status
from lrla.dpp import KDPP, LEnsemble, RankError, SamplingError, greedy_map, mcmc_sample
from lrla.dpp._mcmc import _effective
from lrla.kernels.set_chain import walk
from lrla.lowrank import KernelMatrix
from lrla.testing import set_law, sets_p_value

ALARM = 1e-5  # probability that a right sampler fails one of the tests of its law below


def psd(n, rank=None, seed=90210, dtype=float):
    rng = np.random.default_rng(seed)
    B = rng.standard_normal((n, rank or n))
    B = B + 1j * rng.standard_normal(B.shape) if dtype is complex else B
    return B @ B.conj().T / n


@pytest.mark.statistical
@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize(
    ("k", "method"), [(3, "exchange"), (None, "add_delete"), (None, "mixed"), (1, "auto")]
)
def test_the_law_is_that_of_the_process(k, method, dtype):
    # 80 steps apart, the sets are as good as independent: 6 items
    L = psd(6, dtype=dtype)
    result = mcmc_sample(L, k, size=2500, n_iter=80, method=method, rng=71)
    law = set_law(KDPP(L, k) if k else LEnsemble(L))
    assert sets_p_value(result.samples, law) > ALARM
    assert result.status is Status.CONVERGED


@pytest.mark.statistical
def test_a_chain_that_accepts_too_much_fails():
    L, rng = psd(6), np.random.default_rng(72)
    S, samples = np.arange(3), []
    for _ in range(2500):
        u = rng.random((2, 80))
        inverse = np.linalg.inv(L[np.ix_(S, S)])
        every = np.ones(80, bool)
        S = walk(L, S, inverse, rng.integers(0, 6, 80), u[0], 0.6 * u[1], every, 80)[0]
        samples.append(S)
    assert sets_p_value(samples, set_law(KDPP(L, 3))) < 1e-12


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_steps_are_those_of_the_definition(dtype, share):
    """Ratios of determinants, each computed from nothing."""
    L, rng = psd(9, dtype=dtype) * 3, np.random.default_rng(73)
    items, (places, coins) = rng.integers(0, 9, 300), rng.random((2, 300))
    swap = rng.random(300) < share
    S = [4, 1, 7]
    start = np.linalg.inv(L[np.ix_(S, S)])
    found, moved, sizes, gains = walk(L, np.array(S), start, items, places, coins, swap, 300)

    def det(T):
        return np.linalg.det(L[np.ix_(T, T)]).real if T else 1.0

    for i in range(300):
        t, T = int(items[i]), list(S)
        if swap[i] and t not in S and S:
            out = int(places[i] * len(S))
            T[out] = T[-1]
            T = [*T[:-1], t]
        elif not swap[i] and t in S:
            T[T.index(t)] = T[-1]
            T = T[:-1]
        elif not swap[i]:
            T = [*T, t]
        accepted = set(T) != set(S) and coins[i] < det(T) / det(S)
        assert accepted == moved[i]
        if accepted:
            assert gains[i] == pytest.approx(np.log(det(T) / det(S)), abs=1e-8)
            S = T
        assert sizes[i] == len(S)
    assert list(found) == S


def test_what_is_reported():
    L = psd(40) + 0.01 * np.eye(40)
    result = mcmc_sample(L, 8, size=5, n_iter=700, rng=5)
    assert len(result.samples) == 5
    assert result.log_dets.shape == result.sizes.shape == (3500,)
    for i, S in enumerate(result.samples):
        assert list(S) == sorted(set(S.tolist()))
        assert S.dtype == np.int64
        value = np.linalg.slogdet(L[np.ix_(S, S)])[1]
        assert result.log_dets[700 * (i + 1) - 1] == pytest.approx(value, abs=1e-9)
    changes = np.count_nonzero(np.abs(np.diff(result.log_dets)) > 1e-11)
    assert result.acceptance == pytest.approx(changes / 3500, abs=2 / 3500)
    assert result.info.drift < 1e-9
    assert result.info.ess_size is None
    assert 10 < result.effective_samples < 3500
    assert mcmc_sample(L, 8, n_iter=300, rng=result.info.seed).log_dets == pytest.approx(
        result.log_dets[:300], abs=1e-9
    )
    assert "shape" not in repr(result)
    assert "<1 values>" in repr(mcmc_sample(L, 8, n_iter=300, rng=5))


def test_it_starts_at_the_greedy_set():
    L = psd(30) + 0.01 * np.eye(30)
    with pytest.warns(lrla.AccuracyWarning, match="resemble the start; raise n_iter"):
        result = mcmc_sample(L, 6, n_iter=1, rng=5)
    assert result.status is Status.MAX_ITER
    assert len(set(result.samples[0]) & set(greedy_map(L, 6).indices.tolist())) >= 5
    with pytest.warns(lrla.AccuracyWarning):
        result = mcmc_sample(L, 2, n_iter=1, x0=[3, 9], rng=5)
    assert len({3, 9} & set(result.samples[0].tolist())) >= 1


@pytest.mark.parametrize("k", [5, None])
def test_entries_on_demand_give_the_same_walk(k):
    X = np.random.default_rng(74).uniform(size=(200, 2))
    K = KernelMatrix(X, gamma=20.0)
    every = np.arange(200)
    lazy = mcmc_sample(K, k, size=3, n_iter=1500, rng=5)
    stored = mcmc_sample(K.block(every, every), k, size=3, n_iter=1500, rng=5)
    for S, T in zip(lazy.samples, stored.samples, strict=True):
        assert list(S) == list(T)


def test_a_long_walk_keeps_its_digits():
    x = np.linspace(0, 1, 300)
    L = np.exp(-((x[:, None] - x) ** 2) / 1e-3) + 1e-6 * np.eye(300)
    result = mcmc_sample(L, 25, n_iter=20_000, rng=5)
    S = result.samples[0]
    assert result.log_dets[-1] == pytest.approx(np.linalg.slogdet(L[np.ix_(S, S)])[1], abs=1e-6)


def test_effective_samples():
    rng = np.random.default_rng(75)
    noise = rng.standard_normal(20_000)
    assert _effective(noise) == pytest.approx(20_000, rel=0.1)
    x = np.zeros(20_000)
    for i in range(1, 20_000):  # a share (1 - a) / (1 + a) of the steps is effective
        x[i] = 0.9 * x[i - 1] + noise[i]
    assert _effective(x) == pytest.approx(20_000 * 0.1 / 1.9, rel=0.25)
    assert _effective(np.full(50, 3.0)) is None


def test_degenerate_kernels():
    ones = mcmc_sample(np.eye(5), 2, n_iter=200, rng=5)  # every set is as likely
    assert ones.acceptance > 0.4
    with pytest.warns(lrla.AccuracyWarning):
        assert mcmc_sample(np.eye(4), 0, n_iter=20, rng=5).samples[0].shape == (0,)
    with pytest.warns(lrla.AccuracyWarning):  # one set, and no way out of it
        full = mcmc_sample(psd(4), 4, n_iter=20, rng=5)
    assert list(full.samples[0]) == [0, 1, 2, 3]
    assert full.acceptance == 0
    with pytest.warns(lrla.AccuracyWarning):
        assert len(mcmc_sample(np.zeros((4, 4)), n_iter=20, x0=[], rng=5).samples[0]) == 0
    tiny = mcmc_sample(1e-150 * psd(7), 3, n_iter=500, rng=5)
    assert list(tiny.samples[0]) == list(mcmc_sample(psd(7), 3, n_iter=500, rng=5).samples[0])


def test_every_library(backend):
    L = psd(12) * 4
    for k in (4, None):
        expected = mcmc_sample(L, k, size=2, n_iter=150, rng=5)
        found = mcmc_sample(backend.asarray(L), k, size=2, n_iter=150, rng=5)
        for S, T in zip(found.samples, expected.samples, strict=True):
            assert np.array_equal(backend.to_numpy(S), T)
        np.testing.assert_allclose(found.log_dets, expected.log_dets, atol=1e-9)


def test_single_precision():
    L = (psd(30) + 0.01 * np.eye(30)).astype(np.float32)
    result = mcmc_sample(L, 6, n_iter=2000, rng=5)
    S = result.samples[0]
    assert result.log_dets[-1] == pytest.approx(
        np.linalg.slogdet(L[np.ix_(S, S)].astype(float))[1], abs=1e-2
    )


def test_mistakes():
    L = psd(6)
    for name, value in (("size", 0), ("n_iter", 0), ("k", -1)):
        options = {"k": 2, name: value}
        with pytest.raises(ValueError, match=f"{name} must be an integer, at least"):
            mcmc_sample(L, **options)
    with pytest.raises(ValueError, match="method must be one of auto, exchange"):
        mcmc_sample(L, method="gibbs")
    with pytest.raises(ValueError, match="method must be 'exchange' for sets of k items"):
        mcmc_sample(L, 3, method="mixed")
    with pytest.raises(ValueError, match="method must be 'exchange' for sets of k items"):
        mcmc_sample(L, method="exchange")
    with pytest.raises(ValueError, match="x0 must have k=3 items, got 2"):
        mcmc_sample(L, 3, x0=[0, 1])
    with pytest.raises(ValueError, match="x0 must have a positive probability"):
        mcmc_sample(np.ones((4, 4)), 2, x0=[0, 1])
    with pytest.raises(RankError, match="k must be at most the number of items, 6, got 7"):
        mcmc_sample(L, 7)
    with pytest.raises(RankError, match="k must be at most the rank of the kernel, 2, got 3"):
        mcmc_sample(psd(6, 2), 3)
    with pytest.raises(ValueError, match="L must be Hermitian"):
        mcmc_sample(np.triu(np.ones((3, 3))))


def test_a_walk_into_a_singular_set_is_an_error():
    class Broken:
        """A kernel whose entries stop being those of a positive semidefinite matrix."""

        shape, calls = (6, 6), 0

        def diagonal(self):
            return np.ones(6)

        def block(self, rows, columns):
            self.calls += 1
            scale = 1.0 if self.calls > 3 else 0.0
            return np.where(np.asarray(rows)[:, None] == np.asarray(columns), 1.0, scale)

    with pytest.raises(SamplingError, match="is singular to rounding; use KDPP or LEnsemble"):
        mcmc_sample(Broken(), 3, x0=[0, 1, 2], n_iter=5000, rng=5)
