"""What the result of `lstsq` says: status, certificate, history, plan; how a caller steps in."""

import numpy as np
import pytest
import scipy.sparse as sp
from reference import backward_error, problem
from scipy.sparse.linalg import aslinearoperator

import lrla
from lrla import _core
from lrla._core.errors import ConvergenceWarning
from lrla._core.results import Status
from lrla.regression import plan_lstsq

METHODS = ("auto", "gram", "spir", "fossils", "cqrrt", "direct")
SEED = 90210
U = 2.0**-53


def data(cond=1e6, residual=1e-2, p=None):
    return problem(SEED, 2000, 25, cond, residual, p=p)[:2]


@pytest.mark.parametrize("method", METHODS)
def test_result(method):
    A, b = data()
    result = lrla.lstsq(A, b, method=method, rng=SEED)
    x, info = result
    assert x is result.x
    assert info is result.info
    assert result
    assert result.status is Status.CONVERGED
    assert result.rank == 25
    np.testing.assert_allclose(result.residual_norm, np.linalg.norm(b - A @ x), rtol=1e-12)
    text = repr(result)
    assert text.startswith("LstsqResult(x=<array (25,)>, residual_norm=0.01, rank=25, status=CONV")


@pytest.mark.parametrize("method", METHODS)
def test_info(method):
    A, b = data()
    info = lrla.lstsq(A, b, method=method, rng=SEED).info
    assert info.method == method or method == "auto"
    assert info.reason
    assert info.seed == SEED
    assert (info.sketch is None) == (info.method in ("gram", "direct"))
    assert info.iterations == len(info.history) - 1
    assert info.history[-1] == info.backward_error <= 10 * U
    assert all(a >= b for a, b in zip(info.history, info.history[1:], strict=False))
    # every round costs a gradient and at least one step; the data are first sketched or multiplied
    assert info.passes >= 2 + 2 * info.iterations
    assert info.seconds > 0
    s = np.linalg.svd(A / np.linalg.norm(A, axis=0), compute_uv=False)
    assert 1 / 3 <= info.condition / (s[0] / s[-1]) <= 3
    with pytest.raises(AttributeError, match="info has no entry 'residual'; it has backward_error"):
        info.residual  # noqa: B018


@pytest.mark.parametrize("method", METHODS)
def test_tolerance_below_what_rounding_allows_warns(method):
    A, b = data()
    with pytest.warns(ConvergenceWarning, match=r"above tol=1.0e-25: the error stopped") as caught:
        result = lrla.lstsq(A, b, method=method, tol=1e-25, rng=SEED)
    assert caught[0].filename == __file__
    assert not result
    assert result.status is Status.STAGNATED
    assert result.info.backward_error <= 10 * U
    assert result.info.iterations <= 4


@pytest.mark.parametrize("method", ["spir", "fossils"])
def test_loose_tolerance_saves_passes(method):
    A, b = data()
    loose = lrla.lstsq(A, b, method=method, tol=1e-6, rng=SEED)
    tight = lrla.lstsq(A, b, method=method, rng=SEED)
    assert loose
    assert loose.info.passes < tight.info.passes / 2
    assert backward_error(A, b, loose.x) <= 4e-6


@pytest.mark.parametrize("method", METHODS)
def test_callback_sees_every_round(method):
    A, b = data(1e7)
    states = []
    result = lrla.lstsq(A, b, method=method, callback=states.append, rng=SEED)
    assert [s.iteration for s in states] == list(range(1, len(states) + 1))
    assert tuple(s.error for s in states) == result.info.history
    assert {s.method for s in states} == {"lstsq"}
    np.testing.assert_array_equal(states[-1].x, result.x)


@pytest.mark.parametrize("form", ["vector", "matrix", "complex", "tamed", "wide"])
def test_callback_sees_solutions_as_the_caller_gets_them(form):
    A, B = data(p=2)
    b = {"matrix": B, "complex": B[:, 0] + 1j * B[:, 1]}.get(form, B[:, 0])
    if form == "tamed":
        A, b = A * 1e200, b * 1e250
    if form == "wide":
        A, b = A.T.copy(), b[:25]
    states = []
    result = lrla.lstsq(A, b, method="spir", callback=states.append, rng=SEED)
    assert {s.x.shape for s in states} == {result.x.shape}
    assert {s.x.dtype for s in states} == {result.x.dtype}
    np.testing.assert_array_equal(states[-1].x, result.x)


def test_callback_can_stop():
    A, b = data(1e9)
    result = lrla.lstsq(A, b, method="spir", callback=lambda state: True, rng=SEED)
    assert result.status is Status.STOPPED
    assert not result
    assert result.info.iterations == 0
    assert result.info.backward_error == pytest.approx(backward_error(A, b, result.x), rel=3)


def test_interrupt_carries_the_best_iterate():
    A, b = data(1e9)

    def interrupt(state):
        if state.iteration == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        lrla.lstsq(A, b, method="spir", callback=interrupt, rng=SEED)
    state = caught.value.state
    assert state.iteration == 2
    assert state.x.shape == (25,)
    assert backward_error(A, b, state.x) <= 4 * state.error
    assert "interrupted in lstsq after iteration 2" in caught.value.__notes__[0]


def test_fossils_measures_what_its_sketch_did_not_promise():
    """A sketch of few rows may miss the interval that the fixed coefficients are made for."""
    rng = np.random.default_rng(SEED)
    for seed in range(20):
        A, b = rng.standard_normal((600, 8)), rng.standard_normal(600)
        assert lrla.lstsq(A, b, method="fossils", rng=seed)


# -- the plan ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_plan_says_what_is_done(seed):
    rng = np.random.default_rng(seed)
    tall = rng.standard_normal((20_000, 40))
    dependent = tall.copy()
    dependent[:, 3] = dependent[:, 4]
    cases = {
        "gram": tall,
        "direct": tall[:100],
        "spir": aslinearoperator(tall),
    }
    for method, A in cases.items():
        b = np.ones(A.shape[0])
        plan = plan_lstsq(A, b)
        result = lrla.lstsq(A, b, rng=SEED)
        assert plan.method == result.info.method == method
        assert plan.reason == result.info.reason
        assert plan.seconds == result.info.predicted_seconds
    plan = plan_lstsq(dependent, np.ones(20_000))
    assert plan.method in ("spir", "cqrrt")
    assert "too ill-conditioned for a Gram matrix" in plan.reason
    assert set(plan.seconds) == {"gram", "spir", "cqrrt", "direct"}


def test_plan_of_sparse_and_wide_data():
    rng = np.random.default_rng(SEED)
    A = sp.random_array((20_000, 50), density=0.05, rng=rng, format="csr")
    b = np.ones(20_000)
    assert plan_lstsq(A, b).method == lrla.lstsq(A, b, rng=SEED).info.method
    for shape, method in (
        ((800, 400), "gram"), ((1500, 500), "gram"), ((300, 100), "direct"), ((400, 500), "direct"),
    ):  # fmt: skip
        A = sp.random_array(shape, density=0.02, rng=rng, format="csr")
        assert plan_lstsq(A, np.ones(shape[0])).method == method
    wide = rng.standard_normal((10, 400))
    assert plan_lstsq(wide, np.ones(10)).method == lrla.lstsq(wide, np.ones(10)).info.method
    assert "least norm" in plan_lstsq(wide, np.ones(10)).reason
    assert plan_lstsq(wide, np.ones(10), ridge=np.arange(400)).method == "direct"


def test_progress_bars(monkeypatch):
    """`lrla.progress` shows the rounds, and only inside the block."""
    seen = []

    class Bar:
        def __init__(self, desc, total, leave):
            seen.append(desc)

        def update(self):
            seen.append("update")

        def set_postfix_str(self, text):
            assert text.startswith("error ")

        def close(self):
            seen.append("close")

    A, b = data()
    token = _core.iteration._bars.set(Bar)
    try:
        lrla.lstsq(A, b, rng=SEED)
    finally:
        _core.iteration._bars.reset(token)
    assert seen[0] == "lstsq"
    assert seen[-1] == "close"
