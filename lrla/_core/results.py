"""What every answer carries beside its arrays: a status that is a sentence, and measurements."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar


class Status(enum.Enum):
    """Why a method stopped. The value is a sentence for a person."""

    CONVERGED = "the tolerance was met"
    MAX_ITER = "the iteration limit was reached; raise max_iter or loosen tol"
    STAGNATED = "the error stopped falling above the tolerance; tol is below what rounding allows"
    RANK = "the rank was used up before the tolerance was met; raise rank or loosen tol"
    BUDGET = "the budget was used up before the tolerance was met; raise budget or loosen tol"
    STOPPED = "the callback asked to stop"
    DIVERGED = "the error grew without bound; the method does not converge for this problem"
    BREAKDOWN = "the method broke down; the problem is not one that it can do"

    def __bool__(self) -> bool:
        return self is Status.CONVERGED


class Info(Mapping[str, Any]):
    """Measurements of one call, by name: read them as attributes or as items.

    Parameters
    ----------
    **entries
        The measurements. They cannot be changed afterwards.
    """

    __slots__ = ("_entries",)

    def __init__(self, **entries: Any) -> None:
        object.__setattr__(self, "_entries", entries)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_entries":  # what copy and pickle look for
            raise AttributeError(name)
        try:
            return self._entries[name]
        except KeyError:
            known = ", ".join(self._entries)
            raise AttributeError(f"info has no entry {name!r}; it has {known}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"info is read-only: cannot set {name!r}")

    def __getitem__(self, name: str) -> Any:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._entries]

    def __reduce__(self) -> Any:
        return _info, (self._entries,)

    def __repr__(self) -> str:
        return f"Info({', '.join(f'{k}={show(v)}' for k, v in self._entries.items())})"


def _info(entries: dict[str, Any]) -> Info:
    return Info(**entries)


def show(value: Any) -> str:
    """Show a value in one short piece: arrays by shape, floats by three digits."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if hasattr(value, "shape") and getattr(value, "ndim", 0) > 0:
        return f"<array {tuple(value.shape)}>"
    long = isinstance(value, tuple | list) and len(value) > 6
    if long or (isinstance(value, tuple | list) and any(hasattr(v, "shape") for v in value)):
        return f"<{len(value)} values>"
    return repr(value)


class Result:
    """Base of all results: what bool() and repr() of an answer say."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]  # all that inherit are dataclasses
    status: Status

    def __bool__(self) -> bool:
        return bool(self.status)

    def __repr__(self) -> str:
        fields = self.__dataclass_fields__
        parts = [
            f"{name}={value.name if isinstance(value, Status) else show(value)}"
            for name in fields
            if name != "info" and (value := getattr(self, name)) is not None
        ]
        return f"{type(self).__name__}({', '.join(parts)})"
