"""Designs that are drawn until they are stable."""

import numpy as np
import pytest
import scipy.stats

from lrla.approximation import (
    StabilityError,
    basis,
    christoffel_sample,
    christoffel_size,
    stable_design,
    total_degree,
)
from lrla.approximation._stable import sampler

LINE = basis("legendre", total_degree(1, 10))  # m = 11
DESIGNS = ("repeated_dpp", "volume", "christoffel")


def eigenvalues(space, design):
    V = space(design.points)
    return np.linalg.eigvalsh(V.T @ (design.weights[:, None] * V) / len(design))


def test_sizes_are_those_of_the_chernoff_inequality():
    # the sizes of the experiments of Haberstich, Nouy and Perrin, who round to the nearest
    assert christoffel_size(11, two_sided=True) == 265
    assert christoffel_size(21, two_sided=True) == 549
    # Cohen and Migliorati: delta = 1/2 has the rate (1 - log 2) / 2
    wanted = 30 * np.log(30 / 0.01) / ((1 - np.log(2)) / 2)
    assert christoffel_size(30, delta=0.5) == int(np.ceil(wanted))
    assert christoffel_size(1, delta=0.99, eta=0.99) == 1


@pytest.mark.statistical
def test_the_size_does_what_it_says():
    """False alarm below 1e-4: more than 24 of 200 failures of probability at most 1/20."""
    n = christoffel_size(11, eta=0.05)
    failures = sum(
        eigenvalues(LINE, christoffel_sample(LINE, n, rng=i))[0] < 0.1 for i in range(200)
    )
    assert scipy.stats.binom.sf(24, 200, 0.05) < 1e-4
    assert failures <= 24
    few = sum(eigenvalues(LINE, christoffel_sample(LINE, 22, rng=i))[0] < 0.1 for i in range(200))
    assert few > 50  # twice m independent points are stable in a third of all cases


@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize("design", DESIGNS)
def test_designs_are_stable(design, two_sided):
    drawn = stable_design(LINE, design, two_sided=two_sided, rng=90210)
    found = eigenvalues(LINE, drawn)
    np.testing.assert_allclose((drawn.info.lambda_min, drawn.info.lambda_max), found[[0, -1]])
    assert found[0] >= 0.1
    assert not two_sided or found[-1] <= 1.9
    assert drawn.kind == design
    assert drawn.info.acceptance == 1 / drawn.info.n_tries
    np.testing.assert_allclose(drawn.weights, 11 / LINE.christoffel(drawn.points))


@pytest.mark.parametrize("design", DESIGNS)
def test_seeds_repeat(design):
    one, two = (stable_design(LINE, design, rng=6021) for _ in range(2))
    np.testing.assert_array_equal(one.points, two.points)
    assert not np.array_equal(one.points, stable_design(LINE, design, rng=6022).points)


def test_the_first_stable_design_is_taken():
    draw = sampler(LINE, "christoffel", 22, None, 12, conditioned=True)
    lows = [eigenvalues(LINE, draw(i))[0] for i in range(30)]
    drawn = stable_design(LINE, "christoffel", size=22, rng=12)
    assert drawn.info.n_tries == 1 + int(np.argmax(np.array(lows) >= 0.1))
    assert drawn.info.n_tries > 1
    np.testing.assert_array_equal(drawn.points, draw(drawn.info.n_tries - 1).points)


def test_the_best_of_several_is_the_nearest_to_the_identity():
    draw = sampler(LINE, "christoffel", 60, None, 5, conditioned=True)
    distances = [np.abs(eigenvalues(LINE, draw(i)) - 1).max() for i in range(8)]
    drawn = stable_design(LINE, "christoffel", size=60, n_candidates=8, rng=5)
    assert drawn.info.n_tries == 1
    np.testing.assert_array_equal(drawn.points, draw(int(np.argmin(distances))).points)


def test_default_sizes():
    assert len(stable_design(LINE, rng=7)) == 22
    assert len(stable_design(LINE, n_repeats=3, rng=7)) == 33
    assert len(stable_design(LINE, "volume", rng=7)) == 11 + 27  # m log m = 26.4
    assert len(stable_design(LINE, "christoffel", rng=7)) == christoffel_size(11, eta=0.5)
    assert len(stable_design(basis("legendre", total_degree(1, 0)), "volume", rng=7)) == 3
    draw = sampler(LINE, "christoffel", None, None, 7, conditioned=False)
    assert len(draw(0)) == christoffel_size(11)


@pytest.mark.parametrize("delta", [0.5, 0.9])
def test_the_bound_of_the_acceptance_is_the_one_of_the_size(delta):
    n = christoffel_size(11, delta=delta, eta=0.02)
    drawn = stable_design(LINE, "christoffel", size=n, delta=delta, rng=8)
    assert 0.98 <= drawn.info.acceptance_bound < 0.99
    assert stable_design(LINE, rng=8).info.acceptance_bound is None


def test_the_nearest_of_several_designs_is_stable_if_all_of_them_are():
    """On one side the nearest to the identity may be another than the stable one."""
    for two_sided, share in ((False, 0.06), (True, 0.02)):
        n = christoffel_size(11, eta=0.02, two_sided=two_sided)
        drawn = stable_design(
            LINE, "christoffel", size=n, n_candidates=3, two_sided=two_sided, rng=8
        )
        assert 1 - share <= drawn.info.acceptance_bound < 1 - share + 0.01


def test_repeats_grow_where_two_are_not_enough():
    cube = basis("legendre", total_degree(6, 3))  # m = 84
    drawn = stable_design(cube, delta=0.7, rng=3)
    assert drawn.info.n_repeats > 2
    assert len(drawn) == 84 * drawn.info.n_repeats
    assert 1 <= drawn.info.n_tries <= 10
    assert drawn.info.acceptance == 1 / drawn.info.n_tries
    with pytest.raises(StabilityError, match="none of 100 designs of 168 points"):
        stable_design(cube, n_repeats=2, delta=0.7, rng=3)


def test_giving_up_hands_over_the_best_design():
    with pytest.raises(
        StabilityError, match=r"none of 6 designs of 11 points .* raise size"
    ) as caught:
        stable_design(LINE, "christoffel", size=11, max_tries=3, n_candidates=2, rng=9)
    draw = sampler(LINE, "christoffel", 11, None, 9, conditioned=True)
    best = min(range(6), key=lambda i: np.abs(eigenvalues(LINE, draw(i)) - 1).max())
    np.testing.assert_array_equal(caught.value.design.points, draw(best).points)
    with pytest.raises(StabilityError, match="raise n_repeats"):
        stable_design(LINE, n_repeats=1, delta=0.3, max_tries=1, rng=9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"design": "sobol"},
            "design must be one of repeated_dpp, volume, christoffel, got 'sobol'",
        ),
        ({"size": 30}, "size must be None for design 'repeated_dpp', got 30; pass n_repeats"),
        ({"design": "volume", "n_repeats": 2}, "n_repeats must be None for design 'volume', got 2"),
        (
            {"design": "volume", "size": 10},
            "size must be at least the number of functions, 11, got 10",
        ),
        ({"n_repeats": 0}, "n_repeats must be an integer, at least 1, got 0"),
        ({"delta": 0}, "delta must be between 0 and 1, got 0"),
        ({"n_candidates": 0}, "n_candidates must be an integer, at least 1, got 0"),
        ({"max_tries": 0}, "max_tries must be an integer, at least 1, got 0"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        stable_design(LINE, rng=7, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"m": 0}, "m must be an integer, at least 1, got 0"),
        ({"m": 3, "eta": 1.0}, "eta must be between 0 and 1, got 1.0"),
        ({"m": 3, "delta": -1}, "delta must be between 0 and 1, got -1"),
    ],
)
def test_errors_of_the_size(arguments, message):
    with pytest.raises(ValueError, match=message):
        christoffel_size(**arguments)


def test_both_sides_hold_where_they_are_asked_for():
    one, both = (
        [
            stable_design(LINE, "christoffel", size=60, two_sided=two_sided, rng=seed).info
            for seed in range(12)
        ]
        for two_sided in (False, True)
    )
    assert max(info.lambda_max for info in one) > 1.9 > max(info.lambda_max for info in both)
    assert min(info.lambda_min for info in one + both) >= 1 - 0.9
