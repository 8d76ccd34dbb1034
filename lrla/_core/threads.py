"""The library's own threads: one small pool, one knob, and results that do not depend on either.

Kernels are serial functions over index ranges that release the GIL. The boundaries of the ranges
depend on the work alone, never on the number of threads, and partial results are combined in the
order of the ranges: so neither do the bits of any answer.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

_T = TypeVar("_T")
_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None
_pool_size = 0
_inside = threading.local()  # set in pool threads: work that is asked for there runs there
_wanted: contextvars.ContextVar[int | None] = contextvars.ContextVar("lrla_threads", default=None)
_blas_blocks: list[list[int]] = []  # what the blocks that are open want of the BLAS, oldest first
_blas_before: Any = None  # what it was set to before the oldest of them


def _default() -> int:
    try:
        n = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS or Windows
        n = os.cpu_count() or 1
    for name in ("LRLA_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdigit() and int(value) > 0:
            n = min(n, int(value))
    return n


def thread_count() -> int:
    """Return the number of threads that kernels may use here: one inside a thread of the pool."""
    return 1 if getattr(_inside, "value", False) else _wanted.get() or _default()


@contextlib.contextmanager
def threads(n: int) -> Iterator[None]:
    """Let this library and the BLAS under it use at most ``n`` threads inside a ``with`` block.

    Parameters
    ----------
    n : int
        Number of threads, at least 1. Outside any such block it is the number of processors that
        this process may run on, or ``LRLA_NUM_THREADS`` or ``OMP_NUM_THREADS`` where these are
        smaller.

    Raises
    ------
    ValueError
        If ``n`` is less than 1.

    Notes
    -----
    Results do not depend on ``n``, down to the last bit, for everything that this library's own
    kernels compute; products that BLAS computes may differ in rounding.

    Examples
    --------
    >>> import lrla
    >>> with lrla.threads(1):
    ...     result = lrla.lstsq([[1.0], [2.0]], [2.0, 4.0])
    >>> result.x
    array([2.])
    """
    if n < 1 or int(n) != n:
        raise ValueError(f"n must be an integer, at least 1, got {n}")
    token, block = _wanted.set(int(n)), [int(n)]
    _open(block)
    try:
        yield
    finally:
        _close(block)
        _wanted.reset(token)


# The BLAS has one setting for the whole process, while blocks of several Python threads overlap in
# any order: were each to restore what it found, the last one could leave what another one wanted.


def _open(block: list[int]) -> None:
    global _blas_before
    from threadpoolctl import threadpool_limits

    with _lock:
        limits = threadpool_limits(block[0], user_api="blas")
        if not _blas_blocks:
            _blas_before = limits
        _blas_blocks.append(block)


def _close(block: list[int]) -> None:
    global _blas_before
    from threadpoolctl import threadpool_limits

    with _lock:
        _blas_blocks[:] = [other for other in _blas_blocks if other is not block]
        if _blas_blocks:
            threadpool_limits(_blas_blocks[-1][0], user_api="blas")
        else:
            _blas_before.restore_original_limits()
            _blas_before = None


def _executor(n: int) -> ThreadPoolExecutor:
    global _pool, _pool_size
    with _lock:
        if _pool is None or _pool_size < n:
            # the smaller pool is not shut down: another thread may be about to hand work to it;
            # its threads end when the last such caller has let go of it
            _pool, _pool_size = ThreadPoolExecutor(n, "lrla", initializer=_mark), n
        return _pool


def _mark() -> None:
    _inside.value = True


@contextlib.contextmanager
def inline() -> Iterator[None]:
    """Keep to the calling thread: for work that somebody else runs many of side by side."""
    before = getattr(_inside, "value", False)
    _inside.value = True
    try:
        yield
    finally:
        _inside.value = before


def _forget() -> None:
    # a forked child inherits the pool object but none of its threads
    global _pool, _lock
    _pool, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def ranges(n: int, grain: int) -> list[tuple[int, int]]:
    """Cut ``0..n`` into consecutive ranges of ``grain`` (the last may be shorter)."""
    return [(a, min(a + grain, n)) for a in range(0, n, grain)]


def run(function: Callable[..., _T], parts: Sequence[tuple[Any, ...]], *, work: float) -> list[_T]:
    """Call ``function(*part)`` for every part, in threads if it pays, and return in order.

    ``work`` is the estimated total time in seconds on one thread. Handing work to the pool costs
    some 20 microseconds, so below 300 microseconds it stays in the calling thread; so does work
    asked for by a pool thread.
    """
    small = len(parts) <= 1 or work < 3e-4
    n = 1 if small else min(thread_count(), len(parts))
    if n <= 1:
        return [function(*part) for part in parts]
    pool = _executor(n)
    following = iter(range(len(parts)))
    results: list[Any] = [None] * len(parts)
    guard = threading.Lock()

    def worker() -> None:
        while True:
            with guard:
                i = next(following, None)
            if i is None:
                return
            try:
                results[i] = function(*parts[i])
            except BaseException:
                with guard:  # nobody starts on the rest
                    for _ in following:
                        pass
                raise

    # n - 1 helpers and the calling thread: n threads in all, whatever the size of the pool
    helpers = [pool.submit(worker) for _ in range(n - 1)]
    try:
        worker()
    finally:
        wait(helpers)  # no thread of ours works on after an error
    for helper in helpers:
        helper.result()
    return results
