"""`backward_error` against the definition: a perturbed matrix for which x is exact."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrla.testing import backward_error


def test_it_is_zero_for_exact_solutions_of_exact_problems():
    A = np.eye(6, 3)
    assert backward_error(A, np.array([1.0, 2, 3, 0, 0, 0]), [1.0, 2, 3]) == 0
    assert backward_error(A, np.ones(6), np.zeros(3)) == 0


@given(seed=st.integers(0, 2**32 - 1), size=st.floats(1e-12, 1e-3))
def test_a_known_perturbation_bounds_it(seed, size):
    # x solves the problem of A + E exactly, so the backward error is at most |E|, sqrt(2) aside
    rng = np.random.default_rng(seed)
    A, b = rng.standard_normal((30, 4)), rng.standard_normal(30)
    E = size * rng.standard_normal((30, 4))
    x = np.linalg.lstsq(A + E, b)[0]
    bound = np.linalg.norm(E) / np.linalg.norm(A)
    assert backward_error(A, b, x) <= 1.5 * bound + 1e-15


@pytest.mark.parametrize("dtype", [float, complex])
def test_a_wrong_solution_is_found_out(dtype):
    rng = np.random.default_rng(512)
    A = rng.standard_normal((30, 4)).astype(dtype)
    b = rng.standard_normal(30).astype(dtype)
    x = np.linalg.lstsq(A, b)[0]
    assert backward_error(A, b, x) < 1e-15
    assert backward_error(A, b, x * (1 + 1e-6)) > 1e-8


def test_equilibrated_it_does_not_depend_on_units():
    rng = np.random.default_rng(77)
    A, b = rng.standard_normal((30, 4)), rng.standard_normal(30)
    x = np.linalg.lstsq(A, b)[0] * (1 + 1e-6)
    units = np.array([1.0, 1e8, 1e-8, 1e3])
    want = backward_error(A, b, x, equilibrate=True)
    assert np.isclose(backward_error(A * units, b, x / units, equilibrate=True), want)
    assert not np.isclose(backward_error(A * units, b, x / units), want)
