"""What does not fit into memory is refused before it is formed, and not by the system in the midst."""

from __future__ import annotations

import math
import pathlib
import re
from typing import Any

import numpy as np

from lrla._core.arrays import Space

_LARGE = 1 << 30  # bytes below which nobody asks
_SYSTEM = pathlib.Path("/proc/meminfo")
_CONTAINER = pathlib.Path("/sys/fs/cgroup")  # as version 2 shows it inside
_COPIES = "inactive_file", "active_file", "slab_reclaimable"
_LINE = re.compile(r"(\S*?)\s*(\d+)( kB)?$")


def available() -> int | None:
    """Tell how many bytes can be had now; None where nobody says.

    The memory that Linux calls available, or what the limit of a container (version 2 of control
    groups) leaves if that is less; copies of files count as available in both.
    """
    found = []
    if "MemAvailable:" in (system := _fields(_SYSTEM)):
        found.append(system["MemAvailable:"] * 1024)
    most, used = (_fields(_CONTAINER / f"memory.{what}") for what in ("max", "current"))
    if "" in most and "" in used:  # otherwise there is no limit, or nobody tells
        usage = _fields(_CONTAINER / "memory.stat")
        copies = sum(usage.get(name, 0) for name in _COPIES)
        found.append(most[""] - used[""] + copies)
    return min(found, default=None)


def _fields(path: pathlib.Path) -> dict[str, int]:
    """Read what lines say that have a name, or none, and a number; nothing if nobody wrote any."""
    if not path.is_file():
        return {}
    found = (_LINE.match(line) for line in path.read_text().splitlines())
    return {line[1]: int(line[2]) for line in found if line}


def check_room(space: Space, shape: tuple[int, ...], dtype: Any, what: str, instead: str) -> None:
    """Refuse to form an array that is larger than the memory that is left.

    Parameters
    ----------
    space : Space
        Where it would live. Only for NumPy anything is checked: devices refuse by themselves.
    shape : tuple of int
        Its shape.
    dtype : dtype
        Its dtype.
    what : str
        What would be formed, the subject of the message.
    instead : str
        What to do.
    """
    if not space.is_numpy:
        return
    needed = math.prod(shape) * np.dtype(dtype).itemsize
    if needed < _LARGE:
        return
    room = available()
    if room is not None and needed > room:
        raise MemoryError(
            f"{what} has shape {shape} and takes {needed / 1e9:.3g} GB, and {max(room, 0) / 1e9:.3g} GB "
            f"can be had; {instead}"
        )
