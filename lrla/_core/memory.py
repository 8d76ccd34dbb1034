"""What does not fit into memory is refused before it is formed, and not by the system in the midst."""

from __future__ import annotations

import math
import pathlib
from typing import Any

import numpy as np

from lrla._core.arrays import Space

_LARGE = 1 << 30  # bytes below which nobody asks
_SYSTEM = pathlib.Path("/proc/meminfo")
_CONTAINER = pathlib.Path("/sys/fs/cgroup")  # as version 2 shows it inside


def available() -> int | None:
    """Tell how many bytes can be had now; None where nobody says.

    The memory that Linux calls available, or what the limit of a container leaves if that is less;
    copies of files that nobody uses now count as available in both.
    """
    found = []
    if _SYSTEM.exists():
        found.append(_fields(_SYSTEM)["MemAvailable:"] * 1024)
    limit = _CONTAINER / "memory.max"
    if limit.exists() and (most := limit.read_text().strip()) != "max":
        used = int((_CONTAINER / "memory.current").read_text())
        found.append(int(most) - used + _fields(_CONTAINER / "memory.stat")["inactive_file"])
    return min(found, default=None)


def _fields(path: pathlib.Path) -> dict[str, int]:
    """Read lines of a name and a number."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {name: int(value) for name, value, *_ in lines}


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
