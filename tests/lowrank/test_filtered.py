"""`eigh` of sparse data by Lanczos with a polynomial, and the polynomial."""

from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given

from lrla import ConvergenceWarning, Status
from lrla.lowrank import _chebyshev, _filtered, _krylov, _matrix, _tridiagonal, eigh
from lrla.lowrank._chebyshev import Chebyshev, chebyshev
from tests.lowrank.reference import orthonormality


def rotated(w, dtype="f8", seed=90210):
    """Make a sparse Hermitian matrix with given eigenvalues: three rounds of plane rotations."""
    rng = np.random.default_rng(seed)
    n = len(w)
    A = sp.diags_array(np.asarray(w)).tocsr().astype(dtype)
    for _ in range(3):
        order, half = rng.permutation(n), n // 2
        t = rng.uniform(0, 2 * np.pi, half)
        turn = np.exp(1j * rng.uniform(0, 2 * np.pi, half)) if np.dtype(dtype).kind == "c" else 1.0
        i, j = order[:half], order[half : 2 * half]
        G = sp.lil_array((n, n), dtype=dtype)
        G[np.arange(n), np.arange(n)] = 1
        G[i, i], G[j, j] = np.cos(t), np.cos(t)
        G[i, j], G[j, i] = np.sin(t) * turn, -np.sin(t) * np.conj(turn)
        G = G.tocsr()
        A = G @ A @ G.conj().T
    return ((A + A.conj().T) / 2).tocsr()


def ordered(w, which):
    return w[np.argsort({"LM": -np.abs(w), "LA": -w, "SA": w}[which], kind="stable")]


@pytest.fixture
def filters(monkeypatch):
    """Collect the polynomials that were taken."""
    taken = []
    plain = _filtered.Filtered.__init__

    def init(self, before, ritz, rank):
        plain(self, before, ritz, rank)
        taken.append(self.filter)

    monkeypatch.setattr(_filtered.Filtered, "__init__", init)
    return taken


CROWDED = np.r_[np.linspace(-0.97, 1, 400), [-1.02, 1.01, 1.03]]


@pytest.mark.parametrize("which", ["LM", "LA", "SA"])
@pytest.mark.parametrize("dtype", ["f8", "c16"])
@pytest.mark.parametrize("form", [sp.csr_array, sp.csc_array])
def test_crowded_eigenvalues(filters, which, dtype, form):
    A = form(rotated(CROWDED, dtype))
    result = eigh(A, 6, which=which, method="krylov", rng=5)
    w, V = result
    assert filters[0].degree >= 3
    assert result.status is Status.CONVERGED
    assert np.allclose(w, ordered(CROWDED, which)[:6], rtol=0, atol=1e-12)
    assert orthonormality(V) < 1e-12
    residuals = np.linalg.norm(A @ V - V * w, axis=0)
    assert np.max(residuals) < 3e-11
    assert np.allclose(residuals, result.info.residuals, rtol=0, atol=1e-14)
    assert result.info.spectral_bound >= np.abs(ordered(CROWDED, "LM")[6]) or which != "LM"


@pytest.mark.parametrize("power", [-150, 150])
def test_the_scale_does_not_matter(filters, power):
    A = rotated(CROWDED) * 10.0**power
    w, V = eigh(A, 4, which="LA", method="krylov", rng=5)
    assert filters
    assert np.allclose(w / 10.0**power, ordered(CROWDED, "LA")[:4], rtol=0, atol=1e-12)
    assert orthonormality(V) < 1e-12


@pytest.mark.parametrize("rtol", [1e-5, 1e-9, 1e-12, 1e-14])
def test_any_tolerance_is_met(rtol):
    A = rotated(CROWDED)
    result = eigh(A, 5, rtol=rtol, method="krylov", rng=5)
    assert result.status is Status.CONVERGED
    assert np.max(np.linalg.norm(A @ result.eigenvectors - result.eigenvectors * result.eigenvalues,
                                 axis=0)) < 1.1 * max(rtol, 1e-14)  # fmt: skip


def test_convergence_is_of_residuals_of_the_matrix(filters):
    """Of many runs some end just below the tolerance, which a factor of two would spoil."""
    A, worst = rotated(CROWDED), []
    for seed in range(24):
        w, V = result = eigh(A, 5, rtol=1e-7, method="krylov", rng=seed)
        assert result.status is Status.CONVERGED
        worst.append(np.max(np.linalg.norm(A @ V - V * w, axis=0)) / 1.03)
    assert len(filters) == 24
    assert 0.5e-7 < max(worst) <= 1e-7 * (1 + 1e-6)


@pytest.mark.parametrize("memory", [1, 1 << 14, 1 << 16])
def test_little_memory(monkeypatch, memory):
    """Restarts come before, or beside, the polynomial."""
    monkeypatch.setattr(_krylov, "_MEMORY", memory)
    A = rotated(CROWDED)
    w, V = result = eigh(A, 6, method="krylov", rng=5)
    assert result.status is Status.CONVERGED
    assert np.allclose(w, ordered(CROWDED, "LM")[:6], rtol=0, atol=1e-12)
    assert orthonormality(V) < 1e-12


def test_single_precision():
    A = rotated(CROWDED).astype("f4")
    w, V = eigh(A, 5, method="krylov", rng=5)
    assert w.dtype == V.dtype == np.float32
    assert np.allclose(w, ordered(CROWDED, "LM")[:5], rtol=0, atol=1e-5)


# both signs: an even polynomial could not tell these apart
BOTH = np.r_[np.full(12, -2.0), np.full(12, 2.0), np.linspace(-1.95, 1.96, 300)]


@pytest.mark.parametrize("which", ["LM", "LA", "SA"])
@pytest.mark.parametrize("rank", [7, 20])
def test_copies_on_both_sides(filters, which, rank):
    A = rotated(BOTH)
    w, V = result = eigh(A, rank, which=which, method="krylov", rng=5)
    assert filters
    assert result.status is Status.CONVERGED
    assert np.allclose(np.abs(w), np.abs(ordered(BOTH, which)[:rank]), rtol=0, atol=1e-10)
    assert np.max(np.linalg.norm(A @ V - V * w, axis=0)) < 5e-11


def test_an_even_degree_confuses_the_signs(monkeypatch):
    monkeypatch.setattr(
        _tridiagonal, "chebyshev", lambda which, first, edge, *_: Chebyshev(1.0, 0.0, edge, 4)
    )
    A = rotated(BOTH)
    with pytest.warns(ConvergenceWarning):
        eigh(A, 7, method="krylov", max_iter=150, rng=5)


def test_without_it_there_are_more_steps(filters, monkeypatch):
    A = rotated(CROWDED)
    steps = []
    for highest in (7, 1):
        monkeypatch.setattr(_chebyshev, "_HIGHEST", highest)
        last = []
        eigh(A, 5, method="krylov", rng=5, callback=lambda state, last=last: last.append(state))
        steps.append(last[-1].iteration)
    assert len(filters) == 1
    assert 1.5 * steps[0] < steps[1]


def path(n, last=1.0):
    """Make the Laplacian of a path, or of a ring: eigenvalues 2 - 2 cos, crowded at both ends."""
    A = sp.diags_array([2.0, -1, -1], offsets=[0, 1, -1], shape=(n, n)).tolil()
    A[0, 0] = A[n - 1, n - 1] = last
    if last == 2:
        A[0, n - 1] = A[n - 1, 0] = -1
    return A.tocsr()


@pytest.mark.parametrize("which", ["LM", "SA"])
@pytest.mark.parametrize("rank", [1, 6, 20])
def test_the_ends_of_a_path(filters, which, rank):
    """Gaps are a millionth of the spectrum; the first polynomial alone took more than 1000 steps."""
    A = path(3000)
    result = eigh(A, rank, which=which, rng=5)
    w, V = result
    assert result.status is Status.CONVERGED
    every = 2 - 2 * np.cos(np.pi * np.arange(3000) / 3000)
    assert np.allclose(w, ordered(every, which)[:rank], rtol=0, atol=1e-13)
    assert orthonormality(V) < 1e-12
    assert np.max(np.linalg.norm(A @ V - V * w, axis=0)) < 4 * 2.4e-11
    degrees = [p.degree for p in filters]
    assert degrees[-1] > 7
    assert all(2 * a <= b for a, b in pairwise(degrees))
    # the edges come nearer to what is wanted, and never beyond
    edges = [p.middle + p.half for p in filters]
    key = {"LM": every, "SA": -every}[which]
    assert np.all(np.diff(edges) > 0)
    assert edges[-1] < np.sort(key)[-rank]


def test_the_ends_of_a_ring(filters):
    """All eigenvalues but two are double, and those at either end are equal but for their sign."""
    n = 1501
    A = path(n, 2) - sp.eye_array(n) * 2
    every = -2 * np.cos(2 * np.pi * np.arange(n) / n)
    for which in ("LM", "LA", "SA"):
        w, V = result = eigh(A, 7, which=which, rng=5)
        assert result.status is Status.CONVERGED
        assert np.allclose(w, ordered(every, which)[:7], rtol=0, atol=1e-13)
        assert orthonormality(V) < 1e-12
    assert max(p.degree for p in filters) > 7


@pytest.mark.parametrize("power", [-150, 150])
@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_later_polynomials_see_any_scale_and_phase(filters, power, dtype):
    n = 1500
    phase = np.exp(1j * np.arange(n)) if dtype == "c16" else np.ones(n)
    A = (sp.diags_array(phase) @ path(n) @ sp.diags_array(phase.conj())) * 10.0**power
    w, V = result = eigh(A.tocsr(), 5, which="SA", rng=5)
    assert result.status is Status.CONVERGED
    assert filters[-1].degree > 7
    every = 2 - 2 * np.cos(np.pi * np.arange(n) / n)
    assert np.allclose(w / 10.0**power, every[:5], rtol=0, atol=1e-13)
    assert orthonormality(V) < 1e-12


def test_with_the_first_polynomial_alone_there_are_more_steps(filters, monkeypatch):
    steps = []
    for many in (_chebyshev._MANY, np.inf):
        monkeypatch.setattr(_chebyshev, "_MANY", many)
        monkeypatch.setattr(_chebyshev, "_HIGHEST", 7 if many < np.inf else 3)
        last = []
        eigh(path(1000), 6, rng=5, callback=lambda state, last=last: last.append(state.iteration))
        steps.append(last[-1])
    assert 1.5 * steps[0] < steps[1]


def test_later_polynomials_begin_with_all_that_is_wanted(filters):
    """And not with a block of it: then some would have to come out of rounding errors."""
    first = []
    plain = _filtered.Filtered.heir

    def heir(self, ritz, rank):
        X = plain(self, ritz, rank)
        wanted = self.V.columns @ ritz.Q[:, :rank]
        first.append(np.linalg.norm(wanted.T @ X, axis=1))
        assert X.shape[1] == self.block < rank
        assert np.allclose(np.linalg.norm(wanted @ (wanted.T @ X), axis=0),
                           np.sqrt([2, 2, 1, 1]))  # fmt: skip
        return X

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_filtered.Filtered, "heir", heir)
        eigh(path(3000), 6, rng=5)
    assert first
    assert np.allclose(first, 1)


def test_the_scale_is_looked_for_once(filters, monkeypatch):
    calls = []
    plain = _matrix.Matrix.trial
    monkeypatch.setattr(
        _matrix.Matrix, "trial", lambda self, X, **how: calls.append(1) or plain(self, X, **how)
    )
    eigh(path(3000), 6, rng=5)
    assert len(filters) > 1
    assert len(calls) == 1


def test_limits_and_callbacks(filters):
    A = rotated(CROWDED)
    with pytest.warns(ConvergenceWarning, match=r"the error is .* times rtol=2\.3e-11"):
        result = eigh(A, 6, method="krylov", max_iter=14, rng=5)
    assert filters
    assert result.status is Status.MAX_ITER
    assert orthonormality(result.eigenvectors) < 1e-12
    stopped = eigh(A, 6, method="krylov", rng=5, callback=lambda state: state.iteration > 14)
    assert stopped.status is Status.STOPPED
    assert orthonormality(stopped.eigenvectors) < 1e-12


def test_the_size_is_that_of_the_last_space(monkeypatch):
    """And not of the one in which the polynomial began."""
    last = []
    plain = _filtered.Filtered.step
    monkeypatch.setattr(
        _filtered.Filtered, "step", lambda self: plain(self) or last.append(self.V.size)
    )
    result = eigh(rotated(CROWDED), 12, method="krylov", rng=5)
    assert result.info.size == last[-1]


def test_equal_seeds_give_equal_answers():
    A = rotated(CROWDED)
    one, two = eigh(A, 5, method="krylov", rng=5), eigh(A, 5, method="krylov", rng=5)
    assert np.array_equal(one.eigenvectors, two.eigenvectors)


@given(
    which=st.sampled_from(["LM", "LA", "SA"]),
    first=st.floats(0.1, 10),
    edge=st.floats(0.01, 0.99),
    last=st.floats(-1, 0.9),
    cost=st.floats(0, 30),
    rounding=st.floats(1e-6, 1),
)
def test_the_polynomial_keeps_the_order(which, first, edge, last, cost, rounding):
    edge, last = edge * first, last * edge * first
    p = chebyshev(which, first, edge, last, cost, rounding)
    if p is None:
        return
    assert p.degree in (3, 5, 7)
    later = chebyshev(which, first, edge, last, cost, rounding, known=True)
    assert later.degree >= p.degree
    assert later.degree % 2 == 1
    assert (later.middle, later.half) == (p.middle, p.half)
    low = -first if which == "LM" else last - first
    x = np.sort(np.r_[np.linspace(low, first, 201), edge, -edge if which == "LM" else last])
    value = np.polynomial.chebyshev.chebval((x - p.middle) / p.half, [0] * p.degree + [1])
    assert value[-1] <= 100 * (1 + 1e-9)
    wanted = x > edge
    assert np.allclose([p.back(v) for v in value[wanted]], x[wanted], rtol=1e-7)
    assert np.all(np.diff(value[wanted]) > 0)
    assert np.all(value[wanted] > 1)
    inside = (x <= edge) & (x >= 2 * p.middle - edge)
    assert np.all(np.abs(value[inside]) <= 1 + 1e-9)
    assert np.all(value[~inside & ~wanted] < -1 + 1e-9)
    assert np.all(np.diff(value[wanted]) >= p.slope * np.diff(x[wanted]) * (1 - 1e-6))
