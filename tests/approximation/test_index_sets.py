"""Index sets hold what their inequality says, and know what is around them."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrla.approximation import (
    hyperbolic_cross,
    is_downward_closed,
    margin,
    mirrored,
    norm_ball,
    reduced_margin,
    tensor_product,
    total_degree,
)

BY_HAND = [
    (total_degree(3, 4), lambda a: sum(a) <= 4),
    (total_degree(3, 6, weights=[1, 2.5, 0.5]), lambda a: a[0] + 2.5 * a[1] + a[2] / 2 <= 6),
    (hyperbolic_cross(3, 7), lambda a: math.prod(k + 1 for k in a) <= 8),
    (hyperbolic_cross(3, 8, weights=[1, 2, 0.9]), lambda a: (
        (a[0] + 1) * (a[1] + 1) ** 2 * (a[2] + 1) ** 0.9 <= 9 * (1 + 1e-12))),
    (norm_ball(3, 5, 2), lambda a: sum(k * k for k in a) <= 25),
    (norm_ball(3, 9, 0.5), lambda a: sum(k**0.5 for k in a) <= 3 + 1e-12),
    (norm_ball(3, 4, math.inf, weights=[1, 2, 4]), lambda a: a[0] <= 4 and a[1] <= 2 and a[2] <= 1),
    (tensor_product([3, 0, 5]), lambda a: a[0] <= 3 and a[1] == 0 and a[2] <= 5),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "belongs"), BY_HAND)
def test_sets_hold_what_belongs_to_them(rows, belongs):
    want = {a for a in itertools.product(range(14), repeat=3) if belongs(a)}
    assert {tuple(a) for a in rows.tolist()} == want
    assert len(rows) == len(want)
    assert rows.dtype == np.int64
    sums = rows.sum(axis=1)
    assert np.all(np.diff(sums) >= 0)
    assert is_downward_closed(rows)


@pytest.mark.parametrize(("dim", "degree"), [(1, 0), (1, 5), (2, 4), (5, 2), (20, 1), (100, 1)])
def test_sizes_of_total_degree(dim, degree):
    assert total_degree(dim, degree).shape == (math.comb(dim + degree, dim), dim)
    assert norm_ball(dim, degree, 1).tolist() == total_degree(dim, degree).tolist()


def test_many_coordinates():
    assert len(hyperbolic_cross(50, 3)) == 1 + 3 * 50 + math.comb(50, 2)
    assert norm_ball(4, 0, 2).tolist() == [[0, 0, 0, 0]]


def test_signs():
    assert mirrored([[0, 2], [1, 1]]).tolist() == [
        [1, 1], [1, -1], [0, 2], [0, -2], [-1, 1], [-1, -1]
    ]  # fmt: skip
    assert mirrored([[0, 2], [1, 1]], columns=[1]).tolist() == [[1, 1], [1, -1], [0, 2], [0, -2]]
    assert is_downward_closed(mirrored(total_degree(2, 3)))
    assert not is_downward_closed([[0], [-2]])


@given(st.integers(1, 3), st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=12))
def test_margins_by_their_definition(dim, drawn):
    inside = {a[:dim] for a in drawn}
    rows = np.array(sorted(inside))
    around, reduced = set(), set()
    for a in itertools.product(range(5), repeat=dim):
        below = [(*a[:j], a[j] - 1, *a[j + 1 :]) for j in range(dim) if a[j] > 0]
        if a not in inside:
            around |= {a} if any(b in inside for b in below) else set()
            reduced |= {a} if below and all(b in inside for b in below) else set()
    assert {tuple(a) for a in margin(rows).tolist()} == around
    assert {tuple(a) for a in reduced_margin(rows).tolist()} == reduced
    closed = all(
        (*a[:j], a[j] - 1, *a[j + 1 :]) in inside for a in inside for j in range(dim) if a[j] > 0
    )
    assert is_downward_closed(rows) == closed


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: total_degree(0, 1), "dim must be an integer, at least 1, got 0"),
        (lambda: total_degree(2, -1), "degree must be an integer, at least 0, got -1"),
        (lambda: total_degree(2, 1.5), "degree must be an integer, at least 0, got 1.5"),
        (lambda: total_degree(True, 1), "dim must be an integer, at least 1, got True"),
        (lambda: total_degree(20, 20), "more than 1677721 elements; take a smaller degree or dim"),
        (lambda: total_degree(2, 3, weights=[1]), r"weights must be 2 positive numbers, got \[1\]"),
        (lambda: hyperbolic_cross(2, 3, weights=[1, 0]), "weights must be 2 positive numbers"),
        (lambda: hyperbolic_cross(1, 3, weights=[1e-3]), "too many elements; take larger weights"),
        (lambda: norm_ball(2, 3, 0), "p must be positive, got 0"),
        (lambda: norm_ball(2, 3, math.nan), "p must be positive, got nan"),
        (
            lambda: tensor_product(5),
            r"one for each coordinate, got the number 5; pass \[5\] \* dim",
        ),
        (lambda: tensor_product([]), "the number of degrees must be an integer, at least 1, got 0"),
        (lambda: tensor_product([2, -1]), "degrees must be an integer, at least 0, got -1"),
        (lambda: mirrored([[0, 1]], columns=[2]), "columns must be less than dim = 2, got 2"),
        (lambda: margin([[0, -1]]), "index_set must not be negative, got -1"),
        (lambda: reduced_margin([[0, -2]]), "index_set must not be negative, got -2"),
        (lambda: is_downward_closed([[0.5]]), "index_set must hold integers, got dtype float64"),
        (lambda: margin(np.zeros((0, 2), int)), r"at least one row, got shape \(0, 2\)"),
    ],
)
def test_what_is_no_index_set(make, message):
    with pytest.raises(ValueError, match=message):
        make()
