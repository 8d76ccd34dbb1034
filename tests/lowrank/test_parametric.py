"""Functions of a parameter from few of their values."""

import numpy as np
import pytest

from lrla._core.errors import AccuracyWarning
from lrla.lowrank import parametric_interpolant


def family(n=20, seed=90210):
    rng = np.random.default_rng(seed)
    parts = [M @ M.T / n for M in rng.standard_normal((2, n, n))]
    return lambda x: 3 * np.eye(n) + x[0] * parts[0] + np.sin(x[1]) * parts[1]


def coefficients(x):
    return [3.0, x[0], np.sin(x[1])]


def box(count=300, seed=5):
    return np.random.default_rng(seed).uniform([0.5, 0.0], [1.5, 1.0], (count, 2))


@pytest.mark.parametrize("quantity", ["inverse", "solution", "logdet"])
def test_held_out_parameters_are_met(quantity):
    A, b = family(), np.arange(20.0)
    function = {
        "inverse": lambda x: np.linalg.inv(A(x)),
        "solution": lambda x: np.linalg.solve(A(x), b),
        "logdet": lambda x: np.linalg.slogdet(A(x))[1],
    }[quantity]
    calls = []

    def counted(x):
        calls.append(x)
        return function(x)

    X = box()
    f = parametric_interpolant(counted, coefficients, X, degree=8, tol=1e-5, rng=7)
    assert f.status
    assert len(calls) == f.rank + 5 == len(f.values) + 5
    assert f.rank <= 45  # polynomials of two variables and degree 8
    assert f.error_bound <= 1e-5
    assert f.info.lebesgue_constant < 100
    inner = X[(X > [0.55, 0.05]).all(axis=1) & (X < [1.45, 0.95]).all(axis=1)] + 1e-3
    for x in inner[:20]:
        exact = function(x)
        assert np.max(np.abs(f(x) - exact)) <= 2e-5 * np.max(np.abs(exact))
    for i, point in enumerate(f.points):  # values that are known come back
        np.testing.assert_allclose(f.weights(point), np.eye(f.rank)[i], atol=1e-6)


def test_polynomials_of_the_coefficients_are_exact():
    f = parametric_interpolant(
        lambda x: 1 + x[0] ** 2 * np.sin(x[1]) - 5 * x[0], coefficients, box(), degree=3, tol=1e-9,
        rng=1,
    )  # fmt: skip
    for x in box(10, seed=8) * 0.9 + [0.1, 0.05]:
        assert f(x) == pytest.approx(1 + x[0] ** 2 * np.sin(x[1]) - 5 * x[0], abs=1e-8)


def test_seeds_repeat_and_one_parameter_is_a_number():
    X = np.linspace(1, 2, 50)
    f, g = (parametric_interpolant(np.log, lambda c: c, X, tol=1e-5, rng=3) for _ in range(2))
    assert f(1.5) == g(1.5) == pytest.approx(np.log(1.5), abs=1e-5)
    assert f.error_bound == g.error_bound


def test_what_does_not_converge_is_refused():
    with pytest.warns(AccuracyWarning, match=r"parameters that were held out is .* above tol"):
        f = parametric_interpolant(
            lambda c: 1 / (c - 0.501) ** 2, lambda c: [1.0, c], np.linspace(0.51, 2, 100), rng=7
        )
    assert not f.status
    with pytest.raises(ValueError, match="tol was not met where it was checked"):
        f(1.0)


def test_values_that_are_not_finite_are_no_success():
    with pytest.warns(AccuracyWarning):
        f = parametric_interpolant(lambda c: np.nan, lambda c: c, np.linspace(0, 1, 9), rng=1)
    assert f.error_bound == np.inf


LINE = np.linspace(0, 1, 9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: parametric_interpolant(abs, abs, [1.0]), "X must be at least two finite"),
        (lambda: parametric_interpolant(abs, abs, LINE, degree=0), "degree must be an integer, at"),
        (lambda: parametric_interpolant(abs, abs, LINE, tol=0), "tol must be between 0 and 1"),
        (lambda: parametric_interpolant(abs, abs, LINE, n_checks=0), "n_checks must be an integer"),
        (
            lambda: parametric_interpolant(abs, lambda x: np.inf, LINE),
            "theta must return finite real numbers",
        ),
        (lambda: parametric_interpolant(abs, abs, LINE, rng=1)(1.5), "x must be between"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
