"""The pool of threads: order, errors, nesting, concurrency, fork, and one knob for all."""

import contextvars
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import threadpoolctl

import lrla
from lrla import sketch
from lrla._core import threads as pool

MUCH = 1.0  # seconds of work: enough to use the pool


def test_ranges_cover_once_whatever_the_threads():
    assert pool.ranges(10, 4) == [(0, 4), (4, 8), (8, 10)]
    assert pool.ranges(0, 4) == []
    for n in range(1, 40):
        covered = [i for a, b in pool.ranges(n, 7) for i in range(a, b)]
        assert covered == list(range(n))


@pytest.mark.parametrize("n", [1, 2, 4, 7])
def test_results_come_in_the_order_of_the_parts(n):
    def work(i):
        time.sleep(0.002 * (i % 3))
        return i, threading.get_ident()

    with lrla.threads(n):
        results = pool.run(work, [(i,) for i in range(24)], work=MUCH)
    assert [i for i, _ in results] == list(range(24))
    assert len({ident for _, ident in results}) <= n
    assert (len({ident for _, ident in results}) > 1) is (n > 1)
    with lrla.threads(n):
        assert pool.run(work, [], work=MUCH) == []


def test_little_work_stays_in_the_thread_that_asks():
    with lrla.threads(4):
        idents = pool.run(threading.get_ident, [()] * 8, work=1e-4)
    assert set(idents) == {threading.get_ident()}


def test_nested_work_does_not_block():
    def outer(i):
        inner = pool.run(lambda j: (time.sleep(0.001), 10 * i + j)[1],
                         [(j,) for j in range(5)], work=MUCH)  # fmt: skip
        return sum(inner)

    with lrla.threads(3):
        assert pool.run(outer, [(i,) for i in range(9)], work=MUCH) == [
            50 * i + 10 for i in range(9)
        ]


def test_errors_reach_the_caller_and_end_the_work():
    done = []

    def work(i):
        if i == 3:
            raise ValueError("part 3 is bad")
        time.sleep(0.002)
        done.append(i)
        return i

    for n in (1, 2, 4):
        done.clear()
        with lrla.threads(n), pytest.raises(ValueError, match="part 3 is bad"):
            pool.run(work, [(i,) for i in range(500)], work=MUCH)
        after = len(done)
        assert after < 30  # the rest was not begun
        time.sleep(0.02)
        assert len(done) == after  # and nothing is still running
        with lrla.threads(n):  # the pool is as good as before
            assert pool.run(lambda i: i, [(i,) for i in range(9)], work=MUCH) == list(range(9))


def blas():
    return [lib["num_threads"] for lib in threadpoolctl.threadpool_info()
            if lib["user_api"] == "blas"]  # fmt: skip


def test_contexts_nest_and_restore():
    default, before = pool.thread_count(), blas()
    with lrla.threads(3):
        assert pool.thread_count() == 3
        with lrla.threads(1):
            assert pool.thread_count() == 1
            assert set(blas()) <= {1}
        assert pool.thread_count() == 3
        with pytest.raises(RuntimeError), lrla.threads(2):
            raise RuntimeError
        assert pool.thread_count() == 3
    assert pool.thread_count() == default
    assert blas() == before


@pytest.mark.parametrize("last", [0, 1, 2])
def test_blocks_that_overlap_restore_what_was_there(last):
    """As those of several Python threads do: the setting of the BLAS is one for all."""
    before = blas()
    blocks = [(contextvars.copy_context(), lrla.threads(n)) for n in (3, 2, 4)]
    for context, block in blocks:
        context.run(block.__enter__)
    order = [i for i in (2, 0, 1) if i != last] + [last]
    for i in order:
        context, block = blocks[i]
        if i == last:
            assert set(blas()) <= {(3, 2, 4)[last]}
        context.run(block.__exit__, None, None, None)
    assert blas() == before


def test_a_serial_blas_stays_serial_whoever_asks_for_more():
    """Blocks that are opened by other threads meanwhile have to wait for their turn."""
    before = blas()
    other = contextvars.copy_context()
    block = lrla.threads(4)
    with lrla.threads(3):
        with pool.serial_blas():
            assert set(blas()) <= {1}
            other.run(block.__enter__)
            with pool.serial_blas():
                assert set(blas()) <= {1}
            assert set(blas()) <= {1}
            assert pool.thread_count() == 3
        assert set(blas()) <= {4}
    other.run(block.__exit__, None, None, None)
    assert blas() == before
    with pytest.raises(RuntimeError), pool.serial_blas():
        raise RuntimeError
    assert blas() == before


def test_any_thread_may_set_the_blas():
    before = blas()
    seen = []

    def other():
        with lrla.threads(3):
            seen.append(blas())
            with pool.serial_blas():
                seen.append(blas())

    with lrla.threads(2):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert set(blas()) <= {2}
    assert [set(found) <= {n} for found, n in zip(seen, (3, 1), strict=True)] == [True, True]
    assert blas() == before


def test_threads_of_the_pool_have_no_threads_of_their_own():
    with lrla.threads(3):
        assert pool.run(lambda i: pool.thread_count(), [(i,) for i in range(9)], work=0) == [3] * 9
        with pool.inline():
            assert pool.thread_count() == 1
        counts = pool.run(lambda i: (time.sleep(0.002), threading.get_ident(), pool.thread_count()),
                          [(i,) for i in range(30)], work=MUCH)  # fmt: skip
    here = threading.get_ident()
    assert {n for _, ident, n in counts if ident != here} == {1}


def test_the_knob_belongs_to_its_context():
    """What one thread asks for is not what another gets."""
    with lrla.threads(5), ThreadPoolExecutor(1) as other:
        assert other.submit(pool.thread_count).result() == pool._default()
        copied = contextvars.copy_context()
        assert other.submit(copied.run, pool.thread_count).result() == 5


@pytest.mark.parametrize("n", [0, -1, 1.5])
def test_counts_that_are_none(n):
    with pytest.raises(ValueError, match=f"n must be an integer, .* {n}"), lrla.threads(n):
        pass


def test_defaults_from_the_environment(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("LRLA_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(6)), raising=False)
    for omp, own, want in ((None, None, 6), ("4", None, 4), ("4", "2", 2), ("1", "3", 1),
                           ("many", "", 6), ("0", "64", 6)):  # fmt: skip
        for name, value in (("OMP_NUM_THREADS", omp), ("LRLA_NUM_THREADS", own)):
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        assert pool.thread_count() == want


def problem():
    A = np.random.default_rng(321).standard_normal((20_000, 40))
    return sketch.SparseSign(160, 20_000, rng=322), A


def test_bits_are_equal_for_any_number_of_threads():
    S, A = problem()
    results = []
    for n in (1, 2, 4, 7):
        with lrla.threads(n):
            results.append((S @ A).tobytes())
    assert len(set(results)) == 1


def test_eight_python_threads_at_once():
    """With pools of different sizes, so that the pool grows while others use it."""
    S, A = problem()
    want = S @ A

    def call(i):
        with lrla.threads(1 + i % 5):
            same = [np.array_equal(S @ A, want) for _ in range(3)]
            same.append(pool.run(lambda j: j, [(j,) for j in range(50)], work=MUCH)
                        == list(range(50)))  # fmt: skip
        return all(same)

    with ThreadPoolExecutor(8) as callers:
        assert all(callers.map(call, range(32)))


def test_a_smaller_pool_is_not_taken_from_its_users(monkeypatch):
    """A thread that has just been given the pool may hand work to it after it was replaced."""
    monkeypatch.setattr(pool, "_pool", None)
    small = pool._executor(1)
    assert pool._executor(3) is not small
    assert small.submit(lambda: 5).result(timeout=10) == 5
    assert pool._executor(2) is pool._executor(3)


FORKED = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of forking where there are threads
import numpy as np
import lrla
from lrla import sketch
S, A = sketch.SparseSign(160, 20_000, rng=322), np.ones((20_000, 40))
with lrla.threads(3):
    want = S @ A
    pid = os.fork()
    if pid == 0:
        os._exit(0 if np.array_equal(S @ A, want) else 7)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert np.array_equal(S @ A, want)
sys.exit(code)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_a_forked_child_computes():
    """In a process of its own, so that nothing else is forked with it."""
    run = subprocess.run(
        [sys.executable, "-c", FORKED], timeout=120, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_inline_work_stays_in_the_calling_thread():
    def name(k):
        return threading.current_thread().name

    here = threading.current_thread().name
    with lrla.threads(4):
        with pool.inline(), pool.inline():
            assert set(pool.run(name, [(k,) for k in range(8)], work=1.0)) == {here}
        with pool.inline():
            pass
        gate = threading.Barrier(2, timeout=10)  # outside again, two parts really run side by side
        pool.run(lambda k: gate.wait(), [(0,), (1,)], work=1.0)
