"""Whole numbers at the door."""

import math

import numpy as np
import pytest

from lrla._core.numbers import whole


@pytest.mark.parametrize("value", [3, 3.0, np.int8(3), np.float32(3), np.asarray(3)])
def test_whole_numbers_of_any_type(value):
    found = whole(value, "size", 3, 3)
    assert found == 3
    assert type(found) is int


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (2.5, "2.5"),
        (0, "0"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (None, "None"),
        ("3", "'3'"),
        (True, "True"),
        (np.bool_(True), "True"),
        (3j, "3j"),
    ],
)
def test_what_is_no_whole_number_or_too_small(value, shown):
    with pytest.raises(ValueError, match=f"^size must be an integer, at least 1, got {shown}$"):
        whole(value, "size", 1)


def test_bounds_and_words_for_them():
    assert whole(-7, "row_offset") == -7
    with pytest.raises(ValueError, match=r"^row_offset must be an integer, got 0\.5$"):
        whole(0.5, "row_offset")
    with pytest.raises(ValueError, match=r"^rank must be an integer between 1 and n = 4, got 5$"):
        whole(5, "rank", 1, 4, rule=" between 1 and n = 4")
