"""Sweeps over stencils are the red-black sweeps of their matrices."""

import numpy as np
import pytest

from lrla.relaxation import RedBlackStencil, SweepPlan
from tests.relaxation.matrices import draw, poisson

CASES = [
    ((6, 7), "dirichlet"),
    ((1, 5), "neumann"),
    ((4, 6), "periodic"),
    ((2, 3), ("periodic", "neumann")),
    ((3, 4, 5), "dirichlet"),
    ((4, 3, 2), ("periodic", "dirichlet", "periodic")),
    ((3, 2, 4), ("neumann", "periodic", "neumann")),
]


def colours(shape):
    """List the cells, those with an even sum of indices first."""
    return np.argsort(np.indices(shape).sum(axis=0).ravel() % 2, kind="stable")


@pytest.mark.parametrize(("shape", "boundary"), CASES)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c16"])
@pytest.mark.parametrize("varied", [False, True])
def test_sweeps_are_those_of_the_matrix(shape, boundary, dtype, varied):
    rng = np.random.default_rng([*shape, 90210])
    c = 0.3 * draw(rng, (1 + 2 * len(shape), *(shape if varied else ())), dtype)
    c[0] += 3
    stencil = RedBlackStencil(shape, coefficients=c, boundary=boundary, omega=1.3)
    x, b = draw(rng, (2, *shape), dtype)
    want = x.ravel().copy()
    plan = SweepPlan(stencil.matrix(), omega=1.3, order=colours(shape))
    far = plan.sweep(want, b.ravel(), 3)
    steps = stencil.sweep(x, b, 3)
    tol = 1e-12 if np.finfo(dtype).bits == 64 else 1e-4
    np.testing.assert_allclose(x.ravel(), want, rtol=tol, atol=tol)
    np.testing.assert_allclose(steps, far, rtol=10 * tol)
    assert x.dtype == np.dtype(dtype)


@pytest.mark.parametrize("shape", [(5, 8), (3, 4, 6)])
def test_the_matrix_is_the_laplacian(shape):
    assert abs(RedBlackStencil(shape).matrix() - poisson(*shape)).max() == 0
    closed = RedBlackStencil((4, 6), boundary=("neumann", "periodic")).matrix()
    assert abs(closed @ np.ones(24)).max() == 0  # nothing is lost at the ends
    assert abs(closed - closed.T).max() == 0


def test_other_array_libraries(backend):
    xp, device = backend
    rng = np.random.default_rng(7)
    c, b = 0.3 * rng.standard_normal((5, 4, 6)), rng.standard_normal((4, 6))
    c[0] += 3
    for coefficients in (None, c):
        want, x = np.zeros((4, 6)), xp.zeros((4, 6), dtype=xp.float64, device=device)
        options = {"boundary": ("periodic", "neumann"), "omega": 1.2}
        steps = RedBlackStencil((4, 6), coefficients=coefficients, **options).sweep(want, b, 2)
        if coefficients is not None:
            coefficients = xp.asarray(c, device=device)
        stencil = RedBlackStencil((4, 6), coefficients=coefficients, **options)
        found = stencil.sweep(x, xp.asarray(b, device=device), 2)
        for mine, its in ((x, want), (found, steps)):
            np.testing.assert_allclose([float(v) for v in xp.reshape(mine, (-1,))], its.ravel())


def test_nothing_to_do_and_views_of_memory():
    x, b = np.ones((4, 6)), np.ones((4, 6))
    assert RedBlackStencil((4, 6)).sweep(x, b, 0).shape == (0,)
    assert np.array_equal(x, b)
    room = np.ones((6, 8))
    RedBlackStencil((4, 6)).sweep(x, b, 2)
    RedBlackStencil((4, 6)).sweep(room.T[1:7, :4].T, b, 2)
    assert np.array_equal(room[:4, 1:7], x)
    assert np.array_equal(room[4:], np.ones((2, 8)))


ONES = np.ones((4, 6))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: RedBlackStencil((4,)), ValueError, "shape must be two or three positive"),
        (lambda: RedBlackStencil((4, 0)), ValueError, r"positive integers, got \(4, 0\)"),
        (lambda: RedBlackStencil((4, 6), omega=2), ValueError, "omega must be between 0 and 2"),
        (lambda: RedBlackStencil((4, 6), boundary="open"), ValueError, "boundary must be one of"),
        (
            lambda: RedBlackStencil((4, 5), boundary="periodic"),
            ValueError,
            r"shape must be even along a periodic axis, got \(4, 5\)",
        ),
        (
            lambda: RedBlackStencil((4, 6), coefficients=np.ones(7)),
            ValueError,
            r"coefficients must have shape \(5,\) or \(5, 4, 6\), got \(7,\)",
        ),
        (
            lambda: RedBlackStencil((4, 6), coefficients=np.array([0.0, 1, 1, 1, 1])),
            np.linalg.LinAlgError,
            r"diagonal coefficients must be nonzero, got another one in cell \(0, 0\)",
        ),
        (
            lambda: RedBlackStencil((4, 6)).sweep(np.ones((6, 4)), ONES),
            ValueError,
            r"x and b must have shape \(4, 6\)",
        ),
        (
            lambda: RedBlackStencil((4, 6), coefficients=np.ones(5) * 1j).sweep(ONES.copy(), ONES),
            ValueError,
            "x must have a dtype that holds coefficients of complex128",
        ),
        (
            lambda: RedBlackStencil((4, 6)).sweep(ONES.copy(), ONES, -1),
            ValueError,
            "n_sweeps must not be negative, got -1",
        ),
    ],
)
def test_mistakes_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
