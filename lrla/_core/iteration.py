"""The one loop of all iterative methods: limits, callbacks, history, interrupts and progress."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lrla._core.errors import callers_own
from lrla._core.numbers import whole
from lrla._core.results import Status

_bars: contextvars.ContextVar[Callable[..., Any] | None] = contextvars.ContextVar(
    "lrla_progress", default=None
)


@dataclass(frozen=True, slots=True, eq=False)
class IterationState:
    """What a callback sees after each iteration.

    Parameters
    ----------
    method : str
        The method that iterates.
    iteration : int
        Number of iterations done, from 1.
    error : float
        The quantity that the method drives below its tolerance; its docstring says which.
    x : array or None
        The current iterate; do not change it.
    """

    method: str
    iteration: int
    error: float
    x: Any


Callback = Callable[[IterationState], Any]


@contextlib.contextmanager
def progress() -> Iterator[None]:
    """Show a progress bar for whatever iterates inside a ``with`` block.

    Raises
    ------
    ImportError
        If tqdm, which draws the bars in terminals and notebooks, is not installed.

    Examples
    --------
    >>> import lrla
    >>> with lrla.progress():  # doctest: +SKIP
    ...     lrla.lstsq(A, b)
    """
    try:
        from tqdm.auto import tqdm
    except ImportError as e:
        raise ImportError("progress bars need tqdm: pip install 'lrla[progress]'") from e
    token = _bars.set(tqdm)
    try:
        yield
    finally:
        _bars.reset(token)


class Loop:
    """Count iterations and own how they end.

    ::

        loop = Loop("CG", max_iter=100, callback=callback)
        for _ in loop:
            ...
            if loop.report(error, x) <= tol:
                loop.stop(Status.CONVERGED)

    Parameters
    ----------
    method : str
        Name for callbacks and progress bars.
    max_iter : int
        Number of iterations after which the loop ends with `Status.MAX_ITER`.
    callback : callable, optional
        Called as ``callback(state)`` by each report; the loop ends with `Status.STOPPED` when it
        returns true.

    Raises
    ------
    ValueError
        If max_iter is not an integer.

    Notes
    -----
    A KeyboardInterrupt passes through; its ``state`` attribute is then the last state reported, so
    that the best iterate so far is not lost.
    """

    def __init__(self, method: str, *, max_iter: int, callback: Callback | None = None) -> None:
        self.method = method
        self.max_iter = whole(max_iter, "max_iter")
        self.callback = callback
        self.status: Status | None = None
        self.history: list[float] = []
        self.iteration = 0
        self._state: IterationState | None = None

    def __iter__(self) -> Iterator[int]:
        make = _bars.get()
        bar = make(desc=self.method, total=self.max_iter, leave=False) if make else None
        try:
            while self.status is None and self.iteration < self.max_iter:
                self.iteration += 1
                yield self.iteration
                if bar is not None:
                    bar.update()
                    if self.history:
                        bar.set_postfix_str(f"error {self.history[-1]:.1e}")
        finally:
            if bar is not None:
                bar.close()
        if self.status is None:
            self.status = Status.MAX_ITER

    def report(self, error: float, x: Any = None) -> float:
        """Record the error of this iteration, tell the callback, and return the error."""
        self.history.append(error)
        self._state = IterationState(self.method, self.iteration, error, x)
        if self.callback is not None:
            with callers_own():
                stop = self.callback(self._state)
            if stop:
                self.stop(Status.STOPPED)
        return error

    def stop(self, status: Status) -> None:
        """End the loop after this iteration, unless something ended it already."""
        if self.status is None:
            self.status = status

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Attach the last state to a KeyboardInterrupt that leaves the block."""
        try:
            yield
        except KeyboardInterrupt as e:
            if self._state is not None:
                e.state = self._state  # type: ignore[attr-defined]
                e.add_note(
                    f"interrupted in {self.method} after iteration {self._state.iteration}; "
                    "the last iterate is this exception's state.x"
                )
            raise
