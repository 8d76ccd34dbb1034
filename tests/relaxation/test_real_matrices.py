"""Matrices that PyAMG ships: which methods solve them, and which say that they do not."""

import numpy as np
import pytest
import scipy.sparse

import lrla
from lrla._core.results import Status
from lrla.relaxation import gauss_seidel, jacobi, kaczmarz, sor, ssor_pcg

METHODS = {
    "gauss_seidel": lambda A, b: gauss_seidel(A, b, rtol=1e-6, max_iter=2000),
    "sor": lambda A, b: sor(A, b, rtol=1e-6, max_iter=2000),
    "jacobi": lambda A, b: jacobi(A, b, rtol=1e-6, max_iter=2000),
    "ssor_pcg": lambda A, b: ssor_pcg(A, b, omega=1.2, rtol=1e-6),
    "cgmn": lambda A, b: kaczmarz(A, b, rtol=1e-6, max_iter=2000),
}
# airfoil, knot: definite meshes; bar: elasticity; unit_square: singular, for nothing holds its
# boundary; recirc_flow: far from symmetric
SOLVED = {
    "airfoil": ("gauss_seidel", "sor", "jacobi", "ssor_pcg", "cgmn"),
    "bar": ("gauss_seidel", "sor", "ssor_pcg", "cgmn"),
    "knot": ("gauss_seidel", "sor", "ssor_pcg", "cgmn"),
    "recirc_flow": ("gauss_seidel", "sor", "cgmn"),
    "unit_square": ("gauss_seidel", "sor", "ssor_pcg", "cgmn"),
}
UNSOLVED = {
    ("bar", "jacobi"): Status.DIVERGED,
    ("recirc_flow", "jacobi"): Status.DIVERGED,
}


def load(name):
    gallery = pytest.importorskip("pyamg.gallery")
    A = scipy.sparse.csr_array(gallery.load_example(name)["A"])
    return A, A @ np.random.default_rng(90210).standard_normal(A.shape[0])


@pytest.mark.parametrize(("name", "method"), [(n, m) for n in SOLVED for m in SOLVED[n]])
def test_solved(name, method):
    A, b = load(name)
    result = METHODS[method](A, b)
    assert result.status is Status.CONVERGED
    assert np.linalg.norm(b - A @ result.x) <= 1.01e-6 * np.linalg.norm(b)


@pytest.mark.parametrize(("name", "method"), UNSOLVED)
def test_not_solved_and_said(name, method):
    A, b = load(name)
    with pytest.warns(lrla.ConvergenceWarning, match="stopped after"):
        result = METHODS[method](A, b)
    assert result.status is UNSOLVED[name, method]
    assert result.residual_norm > 1e-6 * np.linalg.norm(b)


def test_what_is_not_symmetric_is_refused():
    with pytest.raises(ValueError, match="A must be Hermitian"):
        ssor_pcg(*load("recirc_flow"))
