"""The library's own threads: one small pool, one knob, and results that do not depend on either.

Kernels are serial functions over index ranges that release the GIL. The boundaries of the ranges
depend on the work alone, never on the number of threads, and partial results are combined in the
order of the ranges: so neither do the bits of any answer.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

from lrla._core.numbers import whole

_T = TypeVar("_T")
_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None
_pool_size = 0
_inside = threading.local()  # set in pool threads: work that is asked for there runs there
_wanted: contextvars.ContextVar[int | None] = contextvars.ContextVar("lrla_threads", default=None)
_blas_blocks: list[list[int]] = []  # what the blocks that are open want of the BLAS, oldest first
_blas_holds: list[list[int]] = []  # computations that need it to be serial: these go first
_blas_before: list[tuple[Any, int]] = []  # what it was set to before the oldest of either


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
    kernels compute, and for products with sketches. What else BLAS and LAPACK compute may differ in
    rounding.

    Examples
    --------
    >>> import lrla
    >>> with lrla.threads(1):
    ...     result = lrla.lstsq([[1.0], [2.0]], [2.0, 4.0])
    >>> result.x
    array([2.])
    """
    n = whole(n, "n", 1)
    token = _wanted.set(n)
    try:
        with _blas(_blas_blocks, n):
            yield
    finally:
        _wanted.reset(token)


def serial_blas() -> contextlib.AbstractContextManager[None]:
    """Hold the BLAS to one thread: for products that are cut into fixed parts for `run`.

    Left alone, it cuts a product by the number of its threads, and so rounds by it.
    """
    return _blas(_blas_holds, 1)


# The BLAS has one setting for the whole process, while blocks of several Python threads overlap in
# any order: were each to restore what it found, the last one could leave what another one wanted.


@contextlib.contextmanager
def _blas(blocks: list[list[int]], n: int) -> Iterator[None]:
    global _blas_before
    block = [n]
    with _lock:
        if blocks is _blas_blocks:
            _libraries.cache_clear()  # some may have been loaded lately; finding them takes 1 ms
        if not (_blas_blocks or _blas_holds):
            _blas_before = [(library, library.num_threads) for library in _libraries()]
        blocks.append(block)
        _set_blas()
    try:
        yield
    finally:
        with _lock:
            blocks[:] = [other for other in blocks if other is not block]
            _set_blas()


def _set_blas() -> None:
    if _blas_blocks or _blas_holds:
        n = 1 if _blas_holds else _blas_blocks[-1][0]
        wanted = [(library, n) for library in _libraries()]
    else:
        wanted = _blas_before
    for library, n in wanted:
        if library.num_threads == n:
            continue  # setting it costs some 20 microseconds
        # since 3.8 threadpoolctl is deaf to all threads but the first that sets a number, until
        # that one gives it up; here it is the lock that keeps them apart
        give_up = getattr(library, "clear_controlling_thread", lambda force: None)
        give_up(force=True)
        library.set_num_threads(n)
        give_up(force=True)


@functools.cache
def _libraries() -> list[Any]:
    import scipy.linalg  # noqa: F401  (it brings a BLAS of its own, which has to be there by now)
    from threadpoolctl import ThreadpoolController

    found: list[Any] = ThreadpoolController().select(user_api="blas").lib_controllers
    return found


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
    _blas_holds.clear()


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
