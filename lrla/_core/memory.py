"""What does not fit into memory is refused before it is formed, and not by the system in the midst."""

from __future__ import annotations

import math
import pathlib
from typing import Any

import numpy as np

from lrla._core.arrays import Space

_LARGE = 1 << 30  # bytes below which nobody asks
_LIMITS = "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"
_SYSTEM = "/proc/meminfo"


def available() -> int | None:
    """Tell how many bytes can be had now; None where nobody says.

    The memory that Linux calls available, or what the limit of a container leaves if that is less.
    """
    found = []
    system = pathlib.Path(_SYSTEM)
    if system.exists():
        lines = dict(line.split(":", 1) for line in system.read_text().splitlines())
        found.append(int(lines["MemAvailable"].split()[0]) * 1024)
    limit, used = map(pathlib.Path, _LIMITS)
    if limit.exists() and (most := limit.read_text().strip()) != "max":
        found.append(int(most) - int(used.read_text()))
    return min(found, default=None)


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
