"""Index sets hold what their inequality says."""

import math

import numpy as np
import pytest

from lrla.approximation import total_degree


@pytest.mark.parametrize(("dim", "degree"), [(1, 0), (1, 5), (2, 4), (3, 3), (5, 2), (20, 1)])
def test_total_degree_holds_all_of_it_once(dim, degree):
    rows = total_degree(dim, degree)
    assert rows.shape == (math.comb(dim + degree, dim), dim)
    assert rows.dtype == np.int64
    assert np.all(rows >= 0)
    sums = rows.sum(axis=1)
    assert np.all(np.diff(sums) >= 0)
    assert sums[-1] == degree
    assert len(np.unique(rows, axis=0)) == len(rows)


@pytest.mark.parametrize(
    ("dim", "degree", "message"),
    [
        (0, 1, "dim must be an integer, at least 1, got 0"),
        (2, -1, "degree must be an integer, at least 0, got -1"),
        (2, 1.5, "degree must be an integer, at least 0, got 1.5"),
        (True, 1, "dim must be an integer, at least 1, got True"),
        (20, 20, "the index set has 137846528820 elements; take a smaller dim or degree"),
    ],
)
def test_what_is_no_index_set(dim, degree, message):
    with pytest.raises(ValueError, match=message):
        total_degree(dim, degree)
