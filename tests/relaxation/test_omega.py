"""Relaxation factors: Young's formula, its inverse, the estimate, and what is learned."""

import numpy as np
import pytest
import scipy.sparse

from lrla._core.errors import AccuracyWarning
from lrla.bandits import Grid, ParameterTuner, TsallisINF
from lrla.relaxation import RelaxationSequence, optimal_omega, sor, ssor_pcg
from lrla.relaxation._omega import axelsson, beta_from_rate, young
from tests.relaxation.matrices import iteration_matrix, poisson, random_definite


@pytest.mark.parametrize("beta", [0.1, 0.9, 0.999])
def test_rates_give_back_the_radius_they_came_from(beta):
    best = young(beta)
    for omega in (0.7, 1.0, 1 + 0.9 * (best - 1)):
        root = (omega * beta + np.sqrt(omega**2 * beta**2 - 4 * (omega - 1))) / 2
        assert beta_from_rate(root**2, omega) == pytest.approx(beta, rel=1e-12)
    assert beta_from_rate(best - 1, best) == pytest.approx(beta, rel=1e-12)


def test_no_factor_beats_youngs():
    A = poisson(8, 7).toarray()
    found = optimal_omega(A, tol=1e-8, rng=90210)
    assert found.consistently_ordered
    assert found.status
    radius = [
        np.max(np.abs(np.linalg.eigvals(iteration_matrix(A, omega, "forward"))))
        for omega in (found.omega - 0.03, found.omega, found.omega + 0.03)
    ]
    assert radius[1] == pytest.approx(found.info.rate, abs=1e-3)
    assert radius[0] > radius[1] < radius[2]


@pytest.mark.parametrize("dtype", ["f4", "f8", "c16"])
@pytest.mark.parametrize("tol", [0.3, 0.01])
def test_the_estimate_is_as_near_as_it_says(dtype, tol):
    A = random_definite(3, 60, dtype, condition=300.0)
    d = np.sqrt(np.diag(A).real)
    exact = np.max(np.abs(np.linalg.eigvalsh(np.eye(60) - A / np.outer(d, d))))
    found = optimal_omega(A, tol=tol, rng=7)
    slack = 1e-4 if dtype == "f4" else 1e-10
    assert found.beta <= exact + slack
    assert found.info.upper >= found.beta
    if exact < 1:
        assert 1 - exact >= (1 - found.beta) * (1 - tol) - slack
    again = optimal_omega(A, tol=tol, rng=found.info.seed)
    assert float(again) == found.omega


def test_the_model_problem():
    n = 40
    found = optimal_omega(poisson(n, n), tol=1e-3, rng=1)
    assert found.beta == pytest.approx(np.cos(np.pi / (n + 1)), abs=1e-6)
    assert found.info.pcg_omega == pytest.approx(
        2 / (1 + 2 * np.sin(np.pi / (n + 1) / 2)), abs=1e-3
    )
    assert axelsson(found.beta) == found.info.pcg_omega


def test_what_is_not_consistently_ordered_is_said():
    assert not optimal_omega(3 * np.eye(3) + np.ones((3, 3)), rng=1).consistently_ordered
    lopsided = np.array([[2.0, 1, 0], [0, 2, 1], [0, 0, 2]])
    with pytest.warns(AccuracyWarning, match="A is not Hermitian: omega comes from Ritz values"):
        found = optimal_omega(lopsided, rng=1)
    assert not found.consistently_ordered
    assert found.omega == pytest.approx(1, abs=1e-4)
    empty = optimal_omega(scipy.sparse.csr_array((0, 0)))
    assert (empty.beta, empty.omega) == (0, 1)


@pytest.mark.parametrize("flow", [0.5, 1.5])
def test_flows_have_a_factor_too(flow):
    # upwind by less than what makes Jacobi eigenvalues complex, and by more
    n = 10
    line = scipy.sparse.diags_array([-1 - flow, 2.0, -1 + flow], offsets=[-1, 0, 1], shape=(n, n))
    eye = scipy.sparse.eye_array(n)
    A = scipy.sparse.csr_array(scipy.sparse.kron(eye, line) + scipy.sparse.kron(line, eye))
    values = np.linalg.eigvals(np.eye(n * n) - A.toarray() / 4)
    with pytest.warns(AccuracyWarning, match="A is not Hermitian"):
        found = optimal_omega(A, tol=1e-6, rng=3)
    assert found.beta == pytest.approx(np.max(np.abs(values)), rel=1e-5)
    radii = {
        omega: np.max(np.abs(np.linalg.eigvals(iteration_matrix(A.toarray(), omega, "forward"))))
        for omega in (0.85 * found.omega, found.omega, min(1.15 * found.omega, 1.95), 1.0)
    }
    assert min(radii.values()) >= radii[found.omega] - 0.02
    assert radii[found.omega] == pytest.approx(found.info.rate, abs=0.02)
    singular = np.array([[1.0, 2], [0, 0]])
    message = "entries of A must be nonzero, got 0 in row 1"
    with pytest.raises(np.linalg.LinAlgError, match=message), pytest.warns(AccuracyWarning):
        optimal_omega(singular, rng=1)


def test_estimates_refuse_what_they_cannot_do():
    with pytest.raises(ValueError, match="tol must be between 0 and 1, got 0"):
        optimal_omega(np.eye(2), tol=0)
    with pytest.raises(np.linalg.LinAlgError, match=r"diagonal entries .* got -1 in row 1"):
        optimal_omega(np.diag([1.0, -1.0]))


def shifted(count, n=15):
    A = poisson(n, n)
    rng = np.random.default_rng(90210)
    for c in rng.uniform(0, 0.4, count):
        yield (
            scipy.sparse.csr_array(A + c * scipy.sparse.eye_array(n * n)),
            rng.standard_normal(n * n),
            c,
        )


@pytest.mark.parametrize("method", ["sor", "ssor_pcg"])
def test_a_sequence_gives_what_the_solver_gives(method):
    solver = {"sor": sor, "ssor_pcg": ssor_pcg}[method]
    sequence = RelaxationSequence(method, rtol=1e-8)
    for A, b, _ in shifted(6):
        before = A.copy()
        result = sequence.solve(A, b)
        alone = solver(A, b, omega=sequence.omegas[-1], rtol=1e-8)
        np.testing.assert_array_equal(result.x, alone.x)
        assert sequence.iterations[-1] == alone.info.iterations
        np.testing.assert_array_equal(A.data, before.data)
    assert sequence.n_analyses == 1


def test_young_learns_the_factor_within_a_few_solves():
    sequence = RelaxationSequence("sor", rtol=1e-8)
    A = poisson(20, 20)
    rng = np.random.default_rng(1)
    for _ in range(5):
        assert sequence.solve(A, rng.standard_normal(400)).status
    best = optimal_omega(A, tol=1e-6, rng=1)
    exact = sor(A, rng.standard_normal(400), omega=best.omega, rtol=1e-8)
    assert sequence.iterations[-1] <= 1.25 * exact.info.iterations
    assert sequence.omegas[0] == 1
    assert sequence.omegas[-1] == pytest.approx(best.omega, abs=0.03)


def test_a_tuner_finds_the_better_factor():
    tuner = ParameterTuner(Grid("omega", [1.0, 1.7]), cost="iterations", rng=90210)
    sequence = RelaxationSequence("sor", policy=tuner, rtol=1e-8)
    for A, b, _ in shifted(120, 12):
        sequence.solve(A, b)
    assert sequence.omegas[-40:].count(1.7) > 30
    assert len(tuner.history) == 120


def test_a_sequence_of_changing_patterns_and_starts():
    sequence = RelaxationSequence(warm_start=True, rtol=1e-9, policy=_Always(1.5))
    A, b = poisson(6, 6), np.ones(36)
    first = sequence.solve(A, b)
    assert sequence.solve(A, b).info.iterations <= 1 < first.info.iterations
    sequence.solve(poisson(36), b)
    sequence.solve(poisson(5, 5), np.ones(25))
    sequence.solve(poisson(5, 5).astype("f4"), np.ones(25, "f4"))
    assert sequence.n_analyses == 4
    assert sequence.policy.told == ["ok"] * 5


def test_starts_from_where_the_last_solutions_point_to():
    A, b = poisson(12, 12), np.random.default_rng(4).standard_normal(144)
    spent = {}
    for start in (False, True, "extrapolate"):
        sequence = RelaxationSequence("sor", warm_start=start, rtol=1e-8)
        for t in range(12):
            result = sequence.solve(A, (1 + 0.01 * t) * b)
            assert np.linalg.norm(
                (1 + 0.01 * t) * b - A @ result.x
            ) <= 1e-8 * 1.12 * np.linalg.norm(b)
        spent[start] = sum(sequence.iterations[4:])
    # the right-hand side grows linearly, and so do the solutions
    assert spent["extrapolate"] < 0.2 * spent[True] < 0.2 * spent[False]


def test_failures_are_told():
    policy = _Always(1.2)
    sequence = RelaxationSequence("sor", policy=policy, max_iter=2)
    sequence.solve(poisson(9, 9), np.ones(81))
    sequence.solve(np.array([[1.0, 9], [9, 1]]), np.ones(2))
    with pytest.raises(np.linalg.LinAlgError, match="must be nonzero"):
        sequence.solve(np.array([[0.0, 1], [1, 0]]), np.ones(2))
    assert policy.told == ["capped", "capped", "failed"]
    assert sequence.iterations == [2, 2]


class _Always:
    """A policy that has made up its mind."""

    def __init__(self, omega):
        self.omega, self.told = omega, []

    def ask(self, context=None):
        return type("Trial", (), {"params": {"omega": self.omega}})()

    def tell(self, trial, cost, *, status="ok", rate=None):
        self.told.append(status)


def test_sequences_refuse_what_they_cannot_use():
    with pytest.raises(ValueError, match="method must be one of ssor_pcg, sor, got 'cg'"):
        RelaxationSequence("cg")
    with pytest.raises(ValueError, match="max_iter must not be negative"):
        RelaxationSequence(max_iter=-1)
    with pytest.raises(ValueError, match="warm_start must be True, False or 'extrapolate', got 2"):
        RelaxationSequence(warm_start=2)
    arms = RelaxationSequence(policy=TsallisINF(3, rng=1))
    with pytest.raises(
        ValueError, match="policy must choose a parameter omega, got trials without"
    ):
        arms.solve(np.eye(2), np.ones(2))
