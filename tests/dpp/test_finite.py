"""Finite determinantal processes against their definition, set by set."""

import fractions
import itertools

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import aslinearoperator
from scipy.stats import chi2

import lrla
from lrla.dpp import (
    KDPP,
    LEnsemble,
    MarginalKernel,
    NotAKernelError,
    NotOrthonormalError,
    NotPSDError,
    ProjectionDPP,
    RankError,
    SamplingError,
)
from lrla.dpp._bernoulli import expit, tilt
from lrla.kernels.poisson_binomial import inclusion
from lrla.testing import set_law, sets_p_value

ALARM = 1e-5  # probability that a right sampler fails one of the tests of its law below
DRAWS = 4000


def normal(shape, seed=90210, dtype=float):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal(shape)
    return A + 1j * rng.standard_normal(shape) if dtype is complex else A


def orthonormal(n, m, seed=90210, dtype=float):
    return np.linalg.qr(normal((n, m), seed, dtype))[0]


def psd(n, rank=None, seed=90210, dtype=float):
    B = normal((n, rank or n), seed, dtype)
    return B @ B.conj().T / n


def marginal(n, seed=90210, dtype=float):
    V = orthonormal(n, n, seed, dtype)
    return (V * np.random.default_rng(seed).uniform(0, 1, n)) @ V.conj().T


PROCESSES = {
    "projection": lambda t: ProjectionDPP(orthonormal(7, 3, dtype=t)),
    "factor": lambda t: ProjectionDPP.from_factor(normal((7, 3), dtype=t) * [1.0, 1e4, 1e-3]),
    "ensemble": lambda t: LEnsemble(psd(6, dtype=t)),
    "low rank": lambda t: LEnsemble(psd(6, 2, dtype=t)),
    "ensemble factor": lambda t: LEnsemble.from_factor(normal((6, 3), dtype=t)),
    "kernel": lambda t: MarginalKernel(marginal(6, dtype=t)),
    "k": lambda t: KDPP(psd(7, dtype=t), 3),
    "k factor": lambda t: KDPP.from_factor(normal((7, 4), dtype=t), 3),
}


def kinds():
    for name, dtype in itertools.product(PROCESSES, (float, complex)):
        yield pytest.param(PROCESSES[name](dtype), id=f"{name}-{dtype.__name__}")


@pytest.mark.parametrize("process", list(kinds()))
class TestEveryProcess:
    def test_probabilities_add_up_to_one(self, process):
        assert sum(set_law(process).values()) == pytest.approx(1, abs=1e-10)

    def test_marginals_are_those_of_the_law(self, process):
        expected = np.zeros(process.n)
        for S, p in set_law(process).items():
            expected[list(S)] += p
        np.testing.assert_allclose(process.marginals(), expected, atol=1e-10)

    @pytest.mark.statistical
    def test_draws_have_the_law(self, process):
        assert sets_p_value(process.sample(DRAWS, rng=71), set_law(process)) > ALARM

    def test_conditioning_is_that_of_the_law(self, process):
        full = set_law(process)  # less what rounding alone makes possible
        law = {S: p for S, p in full.items() if 1 in S and 4 not in S and p > 1e-12}
        total = sum(law.values())
        given = process.condition(include=[1], exclude=[4])
        assert list(given.labels) == [i for i in range(process.n) if i not in (1, 4)]
        for S, p in law.items():
            rest = [i for i in S if i != 1]
            assert given.log_prob(rest) == pytest.approx(np.log(p / total), abs=1e-6)
        S = given.sample(rng=5)
        assert tuple(sorted([*S, 1])) in law

    def test_conditioning_twice_is_conditioning_once(self, process):
        twice = process.condition(include=[5]).condition(exclude=[2])
        once = process.condition(include=[5], exclude=[2])
        assert list(twice.labels) == list(once.labels)
        np.testing.assert_allclose(twice.marginals(), once.marginals(), atol=1e-8)

    def test_seeds(self, process):
        one, other = process.sample(rng=5), process.sample(rng=5)
        assert np.array_equal(one, other)
        several = process.sample(4, rng=5)
        assert [list(S) for S in several[:3]] == [list(S) for S in process.sample(3, rng=5)]
        assert one.dtype == np.int64

    def test_items_are_checked(self, process):
        with pytest.raises(ValueError, match="distinct integers from 0 to"):
            process.log_prob([0, 0])
        with pytest.raises(ValueError, match="distinct integers from 0 to"):
            process.log_prob([99])
        with pytest.raises(ValueError, match="sequence of integers"):
            process.log_prob([0.5])
        with pytest.raises(ValueError, match="disjoint"):
            process.condition(include=[1], exclude=[1])
        with pytest.raises(ValueError, match="size must be None or an integer"):
            process.sample(-1)
        with pytest.raises(ValueError, match="not items of this process"):
            process.condition(exclude=[4]).log_prob([4])


@pytest.mark.statistical
@pytest.mark.parametrize("method", ["ldl", "spectral"])
@pytest.mark.parametrize("dtype", [float, complex])
def test_both_samplers_have_the_law(method, dtype):
    for process in (LEnsemble(psd(6, dtype=dtype)), MarginalKernel(marginal(6, dtype=dtype))):
        S = process.sample(DRAWS, method=method, rng=72)
        assert sets_p_value(S, set_law(process)) > ALARM


@pytest.mark.statistical
def test_a_wrong_sampler_fails():
    # the same items, drawn independently with the right marginals: what repulsion changes
    process = LEnsemble(4 * psd(6))
    p = process.marginals()
    u = np.random.default_rng(73).random((DRAWS, 6))
    independent = [np.flatnonzero(row < p) for row in u]
    assert sets_p_value(independent, set_law(process)) < 1e-12


@pytest.mark.statistical
def test_draws_that_span_many_blocks_have_the_right_marginals_and_pairs():
    # 60 items of 500 need some 280 proposals, more than one block of them
    V = orthonormal(500, 60)
    process = ProjectionDPP(V)
    samples = process.sample(1500, rng=74)
    count = np.zeros(500)
    pair = 0
    for S in samples:
        assert len(set(S.tolist())) == 60
        count[S] += 1
        pair += {3, 4} <= set(S.tolist())
    p = process.marginals()
    np.testing.assert_allclose(p, np.sum(V**2, axis=1), atol=1e-14)
    z = (count - 1500 * p) / np.sqrt(1500 * p * (1 - p))
    # 500 two-sided tests at once
    assert np.max(np.abs(z)) < 5.5
    both = p[3] * p[4] - (V[3] @ V[4]) ** 2
    assert abs(pair - 1500 * both) < 5 * np.sqrt(1500 * both)


@pytest.mark.statistical
def test_the_law_does_not_depend_on_the_basis_nor_the_order_of_elimination():
    V, O = orthonormal(7, 3), orthonormal(3, 3, 5)
    law = set_law(ProjectionDPP(V))
    assert sets_p_value(ProjectionDPP(V @ O).sample(DRAWS, rng=75), law) > ALARM
    K = marginal(6)
    order = np.random.default_rng(76).permutation(6)
    shuffled = MarginalKernel(K[np.ix_(order, order)])
    back = [order[S] for S in shuffled.sample(DRAWS, method="ldl", rng=77)]
    assert sets_p_value(back, set_law(MarginalKernel(K))) > ALARM


@pytest.mark.statistical
def test_kernels_without_symmetry():
    rng = np.random.default_rng(78)
    X = rng.standard_normal((6, 6))
    L = psd(6) + 0.8 * (X - X.T)  # nonnegative principal minors
    K = np.eye(6) - np.linalg.inv(np.eye(6) + L)
    process = MarginalKernel(K, hermitian=False)
    law = set_law(process)
    for S, p in law.items():
        minor = np.linalg.det(L[np.ix_(S, S)]) if S else 1.0
        assert p == pytest.approx(minor / np.linalg.det(np.eye(6) + L), rel=1e-8)
    assert sets_p_value(process.sample(DRAWS, rng=79), law) > ALARM
    with pytest.raises(ValueError, match="'spectral' needs a Hermitian kernel"):
        process.sample(method="spectral")
    with pytest.raises(NotAKernelError, match="a conditional probability would be"):
        MarginalKernel([[0.5, 3.0], [1.0, 0.5]], hermitian=False).sample(50, rng=5)


def test_projections_that_are_certain():
    V = np.eye(9)[:, [1, 4, 8]]
    assert sorted(ProjectionDPP(V).sample(rng=5)) == [1, 4, 8]
    assert sorted(ProjectionDPP(orthonormal(5, 5)).sample(rng=5)) == [0, 1, 2, 3, 4]
    assert ProjectionDPP(np.zeros((4, 0))).sample(rng=5).shape == (0,)
    assert sorted(MarginalKernel(np.diag([1.0, 0, 1])).sample(rng=5)) == [0, 2]
    F = np.fft.fft(np.eye(8))[:, :3] / np.sqrt(8)
    np.testing.assert_allclose(ProjectionDPP(F).marginals(), 3 / 8)


def test_equal_rows_exclude_each_other():
    V = orthonormal(6, 3)
    V[5] = V[0]
    A = np.vstack([V, np.zeros((1, 3))])
    for S in ProjectionDPP.from_factor(A).sample(200, rng=5):
        assert not {0, 5} <= set(S.tolist())
        assert 6 not in S


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, sp.csc_array, aslinearoperator])
def test_factors_of_every_kind_give_the_same_draws(form):
    A = normal((300, 5))
    A[np.abs(A) < 0.7] = 0
    expected = ProjectionDPP.from_factor(A, rng=5, method="qr")
    found = ProjectionDPP.from_factor(form(A), rng=5, method="qr")
    np.testing.assert_allclose(found.marginals(), expected.marginals(), atol=1e-12)
    assert [list(S) for S in found.sample(5, rng=6)] == [list(S) for S in expected.sample(5, rng=6)]


def test_factors_on_disk(tmp_path):
    A = normal((3000, 4))
    np.save(tmp_path / "A.npy", A)
    mapped = np.load(tmp_path / "A.npy", mmap_mode="r")
    found = ProjectionDPP.from_factor(mapped, rng=5).sample(3, rng=6)
    expected = ProjectionDPP.from_factor(A, rng=5).sample(3, rng=6)
    assert [list(S) for S in found] == [list(S) for S in expected]


def test_labels_in_messages():
    process = ProjectionDPP(np.eye(6)[:, :3]).condition(exclude=[4])
    with pytest.raises(ValueError, match=r"the items \[5\] are never in a sample together"):
        process.condition(include=[5])
    with pytest.raises(ValueError, match=r"must be disjoint, both have \[5\]"):
        process.condition(include=[5], exclude=[5])


def test_factors_as_dask_arrays():
    da = pytest.importorskip("dask.array")
    A = normal((300, 5))
    expected = ProjectionDPP.from_factor(A, rng=5).sample(3, rng=6)
    found = ProjectionDPP.from_factor(da.from_array(A, chunks=(70, 5)), rng=5).sample(3, rng=6)
    assert [list(S) for S in found] == [list(S) for S in expected]


def test_rank_of_a_factor():
    A = normal((40, 3)) @ normal((3, 5), 5)
    with (
        pytest.warns(lrla.RankDeficientWarning, match="rank 3"),
        pytest.raises(
            RankError, match=r"less than its 5 columns; remove those .* or pass rank='auto'"
        ),
    ):
        ProjectionDPP.from_factor(A)
    with pytest.warns(lrla.RankDeficientWarning, match="rank 3"):
        process = ProjectionDPP.from_factor(A, rank="auto")
    assert process.size == 3
    expected = ProjectionDPP(np.linalg.svd(A, full_matrices=False)[0][:, :3]).marginals()
    np.testing.assert_allclose(process.marginals(), expected, atol=1e-10)


class TestKDPP:
    def test_choices_of_eigenvectors_against_exact_rationals(self):
        # eigenvalues over 24 decades: elementary symmetric polynomials in rational arithmetic
        lam = 10.0 ** np.random.default_rng(80).uniform(-12, 12, 30)
        for k in (1, 10, 19, 29):
            exact = [fractions.Fraction(x) for x in lam]

            def elementary(values, order):
                e = [fractions.Fraction(1)] + [fractions.Fraction(0)] * order
                for x in values:
                    for j in range(order, 0, -1):
                        e[j] += x * e[j - 1]
                return e[order]

            total = elementary(exact, k)
            inside = [
                float(x * elementary(exact[:i] + exact[i + 1 :], k - 1) / total)
                for i, x in enumerate(exact)
            ]
            t = tilt(np.log(lam), k)
            p, q = expit(t + np.log(lam)), expit(-t - np.log(lam))
            found, chosen = inclusion(p, q, k)
            np.testing.assert_allclose(found, inside, rtol=1e-9)
            log_total = np.log(chosen) - k * t - np.sum(np.log(q))
            assert log_total == pytest.approx(float(np.log(float(total))), abs=1e-9)

    @pytest.mark.parametrize("lam", [1e-3, 10.0, None])
    def test_sizes_at_which_elementary_polynomials_overflow(self, lam):
        n, k = 900, 300
        values = np.full(n, lam) if lam else 1.0 / np.arange(1, n + 1) ** 2
        process = KDPP.from_factor(sp.diags_array(np.sqrt(values)).tocsr(), k)
        assert process.marginals().sum() == pytest.approx(k, rel=1e-9)
        assert np.isfinite(process.log_prob(np.arange(k)))

    def test_full_rank_is_the_projection(self):
        B = normal((7, 3))
        law, projection = set_law(KDPP.from_factor(B, 3)), set_law(ProjectionDPP.from_factor(B))
        assert law == pytest.approx(projection, rel=1e-8)

    def test_sizes(self):
        assert KDPP(psd(5), 0).sample(rng=5).shape == (0,)
        assert KDPP(psd(5), 0).log_prob([]) == 0
        assert KDPP(psd(5), 3).log_prob([1]) == -np.inf
        assert sorted(KDPP(psd(5), 5).sample(rng=5)) == [0, 1, 2, 3, 4]
        with pytest.raises(RankError, match="k must be at most the rank of the kernel, 2, got 3"):
            KDPP(psd(5, 2), 3)
        with pytest.raises(ValueError, match="k must be an integer, not negative"):
            KDPP(psd(5), -1)
        with pytest.raises(ValueError, match="include must hold at most k=1"):
            KDPP(psd(5), 1).condition(include=[0, 1])


class TestLEnsemble:
    def test_sizes(self):
        for process in (LEnsemble(psd(6)), MarginalKernel(marginal(6))):
            expected = np.zeros(7)
            for S, p in set_law(process).items():
                expected[len(S)] += p
            np.testing.assert_allclose(process.size_pmf(), expected, atol=1e-12)
            assert process.expected_size == pytest.approx(expected @ np.arange(7))
        with pytest.raises(ValueError, match="the law of the size needs a Hermitian kernel"):
            MarginalKernel(marginal(3), hermitian=False).size_pmf()

    @pytest.mark.parametrize("size", [0.01, 2.5, 5.9])
    def test_rescale(self, size):
        for process in (LEnsemble(psd(6)), LEnsemble.from_factor(normal((9, 6)))):
            scaled = process.rescale(size)
            assert scaled.expected_size == pytest.approx(size, rel=1e-9)
            assert np.sum(scaled.marginals()) == pytest.approx(size, rel=1e-9)
        with pytest.raises(RankError, match="between 0 and the rank 6 of L"):
            process.rescale(6)

    def test_both_samplers_at_size(self):
        x = np.linspace(0, 1, 300)
        process = LEnsemble(np.exp(-((x[:, None] - x) ** 2) / 1e-3) + 1e-3 * np.eye(300))
        mean = process.expected_size
        for method in ("ldl", "spectral"):
            sizes = [len(S) for S in process.sample(60, method=method, rng=81)]
            deviation = np.sqrt(np.arange(301) ** 2 @ process.size_pmf() - mean**2)
            assert abs(np.mean(sizes) - mean) < 5 * deviation / np.sqrt(60)

    def test_nothing_and_everything(self):
        assert LEnsemble(np.zeros((4, 4))).sample(rng=5).shape == (0,)
        assert LEnsemble(np.zeros((4, 4))).sample(2, rng=5)[0].shape == (0,)
        assert list(LEnsemble(1e12 * np.eye(3)).sample(rng=5)) == [0, 1, 2]
        with pytest.raises(ValueError, match="'ldl' needs the matrix L"):
            LEnsemble.from_factor(np.eye(3)).sample(method="ldl")
        with pytest.raises(ValueError, match="method must be one of auto, ldl, spectral"):
            LEnsemble(np.eye(3)).sample(method="gs")


def test_impossible_conditions():
    L = np.ones((3, 3))  # rank 1: no two items together
    for process in (LEnsemble(L), LEnsemble.from_factor(np.ones((3, 1))), KDPP(psd(3, 2), 2)):
        with pytest.raises(ValueError, match=r"probability 0|never in a sample together|at most k"):
            process.condition(include=[0, 1, 2])
    with pytest.raises(ValueError, match="never in a sample together"):
        ProjectionDPP(np.eye(4)[:, :2]).condition(include=[3])
    with pytest.raises(ValueError, match="probability 0"):
        ProjectionDPP(np.eye(4)[:, :2]).condition(exclude=[0])
    with pytest.raises(ValueError, match="probability 0"):
        MarginalKernel(np.diag([1.0, 0.5])).condition(exclude=[0])


def test_kernels_are_checked():
    with pytest.raises(NotPSDError, match="got eigenvalues from -1 to 1"):
        LEnsemble(np.diag([1.0, -1.0]))
    with pytest.raises(NotPSDError):
        KDPP(np.diag([1.0, -1.0]), 1)
    with pytest.raises(NotAKernelError, match=r"between 0\.5 and 1\.5; for a likelihood kernel"):
        MarginalKernel(np.diag([0.5, 1.5]))
    with pytest.raises(ValueError, match="L must be Hermitian"):
        LEnsemble([[1.0, 2.0], [0.0, 1.0]])
    with pytest.raises(ValueError, match="L must be square"):
        LEnsemble(np.ones((2, 3)))
    with pytest.raises(ValueError, match="L must be finite"):
        LEnsemble([[np.nan]])
    with pytest.raises(TypeError, match="L must be dense"):
        LEnsemble(sp.eye_array(3).tocsr())
    with pytest.raises(NotOrthonormalError, match="V must have orthonormal columns, got a defect"):
        ProjectionDPP(normal((5, 2)))
    skewed = orthonormal(200, 4)
    skewed[:, 3] = (skewed[:, 3] + skewed[:, 2]) / np.sqrt(2)  # unit norms, not orthogonal
    with pytest.raises(ValueError, match="V must have orthonormal columns"):
        ProjectionDPP(skewed)
    with pytest.raises(ValueError, match="V must be finite"):
        ProjectionDPP([[np.nan], [0.0]])
    with pytest.raises(ValueError, match="at most as many columns as rows"):
        ProjectionDPP(np.ones((2, 3)))
    with pytest.raises(ValueError, match="rank must be None or 'auto'"):
        ProjectionDPP.from_factor(np.eye(3), rank=2)
    with pytest.raises(TypeError, match="B must be an array or a sparse matrix"):
        LEnsemble.from_factor(aslinearoperator(np.eye(3)))


def test_a_budget_that_is_used_up_raises(monkeypatch):
    process = ProjectionDPP(orthonormal(50, 4))
    process._rows.op.A[:, 3] = process._rows.op.A[:, 2]  # somebody wrote into the columns
    with pytest.raises(SamplingError, match="proposals gave 3 of 4 items"):
        process.sample(rng=5)


def test_semidefinite_to_rounding_is_accepted():
    L = psd(60, 3)
    L = (L + L.T) / 2
    assert np.linalg.eigvalsh(L)[0] < 0  # rounding
    assert len(LEnsemble(L).sample(rng=5)) <= 3
    assert KDPP(L, 3).sample(rng=5).shape == (3,)


def test_every_library(backend):
    V, L, B = orthonormal(40, 4), psd(12), normal((40, 5))
    expected = {
        "V": ProjectionDPP(V).sample(2, rng=5),
        "A": ProjectionDPP.from_factor(B, rng=6).sample(2, rng=5),
        "L": LEnsemble(L).sample(2, method="ldl", rng=5),
        "K": KDPP.from_factor(B, 3).sample(2, rng=5),
    }
    put = backend.asarray
    found = {
        "V": ProjectionDPP(put(V)).sample(2, rng=5),
        "A": ProjectionDPP.from_factor(put(B), rng=6).sample(2, rng=5),
        "L": LEnsemble(put(L)).sample(2, method="ldl", rng=5),
        "K": KDPP.from_factor(put(B), 3).sample(2, rng=5),
    }
    for name in expected:
        for S, T in zip(expected[name], found[name], strict=True):
            assert sorted(backend.to_numpy(T).tolist()) == sorted(S.tolist()), name
    process = LEnsemble(put(L))
    assert process.expected_size == pytest.approx(LEnsemble(L).expected_size)
    law = [process.log_prob([1, 2]), process.condition(include=[1]).log_prob([2])]
    assert law[0] == pytest.approx(LEnsemble(L).log_prob([1, 2]), abs=1e-10)
    assert np.isfinite(law[1])
    marginals = backend.to_numpy(
        MarginalKernel(put(marginal(6))).condition(exclude=[0]).marginals()
    )
    np.testing.assert_allclose(
        marginals, MarginalKernel(marginal(6)).condition(exclude=[0]).marginals(), atol=1e-12
    )


def test_single_precision():
    V = orthonormal(300, 5).astype("f4")
    assert len(set(ProjectionDPP(V).sample(rng=5).tolist())) == 5
    L = psd(40, 10).astype("f4")
    L = (L + L.T) / 2
    assert len(LEnsemble(L).sample(rng=5)) <= 10
    assert KDPP(L, 4).sample(rng=5).shape == (4,)


@pytest.mark.statistical
def test_proposals_are_as_many_as_harmonic_numbers_say():
    from lrla.kernels import determinantal

    V = orthonormal(400, 30)
    counts = []
    original = determinantal.accept

    def counting(F, u, Z):
        positions, rest = original(F, u, Z)
        counts[-1] += len(F) if len(rest) else int(positions[-1]) + 1
        return positions, rest

    process = ProjectionDPP(V)
    determinantal.accept = counting
    try:
        for seed in range(300):
            counts.append(0)
            process.sample(rng=seed)
    finally:
        determinantal.accept = original
    expected = 30 * sum(1 / i for i in range(1, 31))
    error = np.std(counts) / np.sqrt(len(counts))
    assert abs(np.mean(counts) - expected) < 5 * error  # false alarm: 6e-7


def test_chi_square_helper():
    law = {(0,): 0.5, (1,): 0.5}
    assert sets_p_value([(2,)], law) == 0
    assert sets_p_value([(0,)] * 100 + [(1,)] * 140, law) == pytest.approx(
        chi2.sf(2 * 20**2 / 120, 1)
    )
    with pytest.raises(ValueError, match="at most 20 items"):
        set_law(LEnsemble(np.eye(21)))


def test_threads_do_not_change_draws():
    process = LEnsemble(psd(150))
    with lrla.threads(1):
        one = process.sample(2, rng=5)
    with lrla.threads(2):
        two = process.sample(2, rng=5)
    assert [list(S) for S in one] == [list(S) for S in two]


@pytest.mark.parametrize("dtype", [float, complex])
def test_halves_are_the_elimination_of_the_whole(dtype):
    x = np.linspace(0, 1, 700)
    smooth = np.exp(-((x[:, None] - x) ** 2) / 1e-4) * np.exp(9j * (x[:, None] - x))
    smooth = smooth if dtype is complex else smooth.real
    for L in (psd(700, dtype=dtype), psd(600, 30, dtype=dtype), 50 * smooth, 1e3 * smooth):
        L = (L + L.conj().T) / 2
        n = len(L)
        K = np.eye(n) - np.linalg.inv(np.eye(n) + L)
        ensemble = LEnsemble(L)
        kernel = MarginalKernel((K + K.conj().T) / 2)
        for seed in range(3):
            S = ensemble.sample(method="ldl", rng=seed)
            assert list(S) == list(kernel.sample(method="ldl", rng=seed))
        ensemble.marginals()
        assert list(ensemble.sample(method="ldl", rng=seed)) == list(S)


def test_halves_of_nearly_dependent_choices(monkeypatch):
    from lrla.dpp import _halves

    L = psd(600)
    expected = LEnsemble(L).sample(rng=5)
    whole = _halves.linalg.cholesky

    def lose(G):
        return None if np.max(np.diag(G)) < 1.6 else whole(G)  # not those of I + L

    monkeypatch.setattr(_halves.linalg, "cholesky", lose)
    assert list(LEnsemble(L).sample(rng=5)) == list(expected)
