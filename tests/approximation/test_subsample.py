"""Fewer points out of a design: greedy removal and sparsification."""

import numpy as np
import pytest

from lrla._core.results import Info, Status
from lrla.approximation import (
    Design,
    StabilityError,
    basis,
    bss_subsample,
    christoffel_sample,
    greedy_subsample,
    total_degree,
)
from lrla.approximation._solve import Rows
from lrla.approximation._subsample import _remove

LINE = basis("legendre", total_degree(1, 10))  # m = 11
PLANE = basis("legendre", total_degree(2, 5))  # m = 21


def gram(space, design):
    V = space(design.points)
    return V.conj().T @ (design.weights[:, None] * V) / len(design)


def eigenvalues(space, design):
    return np.linalg.eigvalsh(gram(space, design))


class Waves:
    """Complex exponentials on [0, 1), orthonormal under the uniform distribution."""

    def __init__(self, frequencies):
        self.frequencies = np.asarray(frequencies)

    def __len__(self):
        return len(self.frequencies)

    def __call__(self, X):
        return np.exp(2j * np.pi * X[:, :1] * self.frequencies)

    def christoffel(self, X):
        return np.full(len(X), float(len(self)))


def waves(n, seed):
    X = np.random.default_rng(seed).uniform(size=(n, 1))
    return Waves(range(-3, 4)), Design(
        X, np.ones(n), "christoffel", Status.CONVERGED, Info(seed=seed)
    )


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize("space", [LINE, PLANE], ids=["line", "plane"])
def test_greedy_removal_stays_stable_and_removes_nearly_everything(space, two_sided, exact):
    m = len(space)
    design = christoffel_sample(space, 14 * m, rng=90210)
    small = greedy_subsample(space, design, two_sided=two_sided, exact=exact)
    found = eigenvalues(space, small)
    assert found[0] >= 0.1 - 1e-12
    assert not two_sided or found[-1] <= 1.9 + 1e-12
    assert m <= len(small) <= 1.2 * m
    assert small.info.subsample == "greedy"
    assert small.info.n_drawn == 14 * m
    assert small.info.ratio == 14
    np.testing.assert_allclose((small.info.lambda_min, small.info.lambda_max), found[[0, -1]])
    places = [np.flatnonzero(np.all(design.points == x, axis=1))[0] for x in small.points]
    assert places == sorted(places)
    np.testing.assert_array_equal(small.weights, design.weights[places])


def worst(rows, kept, two_sided):
    A = np.sqrt(rows.weights[kept])[:, None] * rows.values[kept]
    low, *_, high = np.linalg.eigvalsh(A.conj().T @ A / len(kept))
    return max(1 - low, high - 1) if two_sided else 1 - low


@pytest.mark.parametrize("two_sided", [False, True])
def test_exact_removal_takes_the_best_point_each_time(two_sided):
    design = christoffel_sample(LINE, 80, rng=6021)
    rows = Rows(LINE(design.points), design.weights)
    left = np.arange(80)
    for k in range(79, 70, -1):
        choices = [np.delete(left, j) for j in range(len(left))]
        left = min(choices, key=lambda kept: worst(rows, kept, two_sided))
        found = _remove(rows, k, 0.9, two_sided, exact=True)
        assert worst(rows, found, two_sided) == pytest.approx(
            worst(rows, left, two_sided), rel=1e-9
        )
        np.testing.assert_array_equal(found, left)


def test_complex_functions():
    space, design = waves(90, 3)
    small = greedy_subsample(space, design)
    assert eigenvalues(space, small)[0] >= 0.1
    assert len(small) <= 9
    sparse = bss_subsample(space, design, 21)
    assert np.linalg.cond(gram(space, sparse)) <= sparse.info.bound * np.linalg.cond(
        gram(space, design)
    )


def test_greedy_removal_stops_where_it_is_told_to():
    design = christoffel_sample(LINE, 120, rng=4)
    assert len(greedy_subsample(LINE, design, 77)) == 77
    assert len(greedy_subsample(LINE, design, 120)) == 120


def test_one_function_and_one_point():
    space = basis("legendre", total_degree(1, 0))
    design = christoffel_sample(space, 9, rng=5)
    small = greedy_subsample(space, design)
    assert len(small) == 1
    assert small.info.lambda_min == pytest.approx(1)
    assert bss_subsample(space, design, 3).info.lambda_max >= 1 - 1e-12


@pytest.mark.parametrize("b", [1.2, 1.5, 2, 4])
@pytest.mark.parametrize("space", [LINE, PLANE], ids=["line", "plane"])
def test_sparsification_keeps_its_promise(space, b):
    m = len(space)
    design = christoffel_sample(space, 20 * m, rng=77)
    size = int(np.ceil(b * m))
    sparse = bss_subsample(space, design, size)
    root = np.sqrt(size / m)
    assert sparse.info.bound == pytest.approx((size / m + 1 + 2 * root) / (size / m + 1 - 2 * root))
    before, after = gram(space, design), gram(space, sparse)
    L = np.linalg.cholesky(before)
    ratios = np.linalg.eigvalsh(np.linalg.solve(L, np.linalg.solve(L, after).T))
    assert ratios[0] == pytest.approx(1, abs=1e-10)
    assert ratios[-1] <= sparse.info.bound * (1 + 1e-10)
    assert len(sparse) <= size
    assert sparse.info.lambda_min >= np.linalg.eigvalsh(before)[0] - 1e-12


def test_sparsification_beats_the_same_number_of_random_points():
    """The guarantee is about the choice: the first points of the design do worse."""
    design = christoffel_sample(PLANE, 600, rng=78)
    sparse = bss_subsample(PLANE, design, 42)
    first = Design(design.points[:42], design.weights[:42], "first", Status.CONVERGED, Info())
    assert np.linalg.cond(gram(PLANE, sparse)) < 0.5 * np.linalg.cond(gram(PLANE, first))


def test_points_may_be_chosen_twice():
    """What certificates rest on is remembered."""
    design = christoffel_sample(LINE, 120, rng=84)
    half = greedy_subsample(LINE, design, 60)
    assert greedy_subsample(LINE, half, 20).info.ratio == pytest.approx(120 / 20)
    sparse = bss_subsample(LINE, design, 60)
    assert greedy_subsample(LINE, sparse, 20).info.subsample == "bss"
    assert bss_subsample(LINE, half, 30).info.subsample == "bss"


def test_a_point_may_be_repeated():
    design = christoffel_sample(LINE, 60, rng=79)
    twice = Design(
        np.repeat(design.points, 2, axis=0), np.repeat(design.weights, 2), "christoffel",
        Status.CONVERGED, design.info,
    )  # fmt: skip
    assert eigenvalues(LINE, greedy_subsample(LINE, twice))[0] >= 0.1


def test_removal_on_every_array_library(backend):
    design = christoffel_sample(LINE, 60, rng=80)
    rows = Rows(LINE(design.points), design.weights)
    wanted = _remove(rows, 11, 0.9, False, True)
    given = Rows(backend.asarray(rows.values), backend.asarray(rows.weights))
    np.testing.assert_array_equal(_remove(given, 11, 0.9, False, True), wanted)


@pytest.mark.parametrize("call", [greedy_subsample, bss_subsample])
def test_sparsification_and_removal_on_every_array_library(backend, call):
    design = christoffel_sample(LINE, 60, rng=81)
    there = Design(
        backend.asarray(design.points), backend.asarray(design.weights), "christoffel",
        Status.CONVERGED, design.info,
    )  # fmt: skip
    found, wanted = call(LINE, there, 25), call(LINE, design, 25)
    np.testing.assert_allclose(backend.to_numpy(found.points), wanted.points)
    np.testing.assert_allclose(backend.to_numpy(found.weights), wanted.weights, rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda d: greedy_subsample(LINE, d, 10),
            r"size must be at least .* functions, 11, .* got 10",
        ),
        (lambda d: greedy_subsample(LINE, d, 99), r"at most that of points, 60, got 99"),
        (
            lambda d: greedy_subsample(LINE, d, 12.5),
            "size must be an integer, at least 1, got 12.5",
        ),
        (lambda d: greedy_subsample(LINE, d, delta=1.0), "delta must be between 0 and 1, got 1.0"),
        (lambda d: bss_subsample(LINE, d, 11), "size must be more than .* functions, 11, got 11"),
        (lambda d: bss_subsample(PLANE, first(d, 20), 25), "20 points .* must determine the 21"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call(christoffel_sample(LINE, 60, rng=82))


def first(design, k):
    X = np.column_stack((design.points[:k, 0], design.points[-k:, 0]))
    return Design(X, np.ones(k), "first", Status.CONVERGED, Info())


def test_an_unstable_design_is_refused():
    design = christoffel_sample(LINE, 12, rng=83)
    with pytest.raises(StabilityError, match="must be stable before points are removed") as caught:
        greedy_subsample(LINE, design)
    assert caught.value.design is design
