"""The one loop of all iterative methods, and its progress bars."""

import pickle
import sys

import numpy as np
import pytest

import lrla
from lrla._core import iteration
from lrla._core.errors import AccuracyWarning, once, warn
from lrla._core.iteration import Loop
from lrla._core.results import Status


def halve(loop, tol=0.0, x=1.0):
    """A method that halves its error."""
    with loop.interruptible():
        for _ in loop:
            x /= 2
            if loop.report(x, x) <= tol:
                loop.stop(Status.CONVERGED)
    return x


def test_ends_by_tolerance_or_by_limit():
    loop = Loop("halving", max_iter=100)
    assert halve(loop, tol=0.1) == 0.0625
    assert loop.status is Status.CONVERGED
    assert loop.history == [0.5, 0.25, 0.125, 0.0625]
    assert loop.iteration == 4
    loop = Loop("halving", max_iter=3)
    halve(loop)
    assert loop.status is Status.MAX_ITER
    assert len(loop.history) == 3
    loop = Loop("halving", max_iter=0)
    halve(loop)
    assert (loop.status, loop.history) == (Status.MAX_ITER, [])
    loop = Loop("halving", max_iter=4)  # the last iteration allowed is the one that converges
    halve(loop, tol=0.1)
    assert loop.status is Status.CONVERGED


def test_callbacks_see_every_iteration_and_may_stop_it():
    seen = []
    loop = Loop("halving", max_iter=50, callback=seen.append)  # returns None: go on
    halve(loop, tol=0.1)
    assert [(s.method, s.iteration, s.error, s.x) for s in seen] == [
        ("halving", k, 2.0**-k, 2.0**-k) for k in (1, 2, 3, 4)
    ]
    with pytest.raises(AttributeError):
        seen[0].error = 3.0
    loop = Loop("halving", max_iter=50, callback=lambda state: state.iteration == 2)
    halve(loop)
    assert loop.status is Status.STOPPED
    assert len(loop.history) == 2


def test_limits_are_integers():
    assert len(list(Loop("test", max_iter=np.int64(3)))) == 3
    with pytest.raises(ValueError, match=r"max_iter must be an integer, got 1\.5"):
        Loop("test", max_iter=1.5)


def test_the_first_reason_to_stop_counts():
    loop = Loop("halving", max_iter=50, callback=lambda state: state.error <= 0.1)
    halve(loop, tol=0.1)
    assert loop.status is Status.STOPPED
    loop.stop(Status.STAGNATED)
    assert loop.status is Status.STOPPED


def test_errors_of_callbacks_pass_through():
    def broken(state):
        raise RuntimeError("from the callback")

    with pytest.raises(RuntimeError, match="from the callback"):
        halve(Loop("halving", max_iter=5, callback=broken))


def test_interrupts_carry_the_last_state():
    def interrupt(state):
        if state.iteration == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        halve(Loop("halving", max_iter=50, callback=interrupt))
    assert caught.value.state.iteration == 3
    assert caught.value.state.x == 0.125
    assert any("interrupted in halving after iteration 3" in n for n in caught.value.__notes__)
    assert pickle.loads(pickle.dumps(caught.value.state.x)) == 0.125


def test_interrupts_before_the_first_report_have_nothing_to_carry():
    def early(loop):
        with loop.interruptible():
            for _ in loop:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        early(Loop("halving", max_iter=5))
    assert not hasattr(caught.value, "state")


class Bar:
    """Stands for tqdm and remembers."""

    made: list = []  # noqa: RUF012

    def __init__(self, desc, total, leave):
        self.desc, self.total, self.steps, self.closed, self.text = desc, total, 0, False, ""
        Bar.made.append(self)

    def update(self):
        self.steps += 1

    def set_postfix_str(self, text):
        self.text = text

    def close(self):
        self.closed = True


@pytest.fixture
def bars():
    Bar.made = []
    token = iteration._bars.set(Bar)
    yield Bar.made
    iteration._bars.reset(token)


def test_bars_follow_the_loop_and_always_close(bars):
    halve(Loop("halving", max_iter=100), tol=0.1)
    assert (bars[0].desc, bars[0].total, bars[0].steps) == ("halving", 100, 4)
    assert bars[0].text == "error 6.2e-02"
    assert bars[0].closed

    def broken(state):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        halve(Loop("halving", max_iter=5, callback=broken))
    assert len(bars) == 2
    for _ in Loop("left early", max_iter=5):
        break
    assert all(bar.closed for bar in bars)


def test_progress_is_for_its_block_only(capsys):
    pytest.importorskip("tqdm")
    assert iteration._bars.get() is None
    with lrla.progress():
        outer = iteration._bars.get()
        with lrla.progress():
            assert iteration._bars.get() is not None
        assert iteration._bars.get() is outer
        halve(Loop("halving", max_iter=100), tol=0.1)
    assert "halving" in capsys.readouterr().err
    assert iteration._bars.get() is None
    with pytest.raises(RuntimeError), lrla.progress():
        raise RuntimeError
    assert iteration._bars.get() is None
    halve(Loop("halving", max_iter=100), tol=0.1)
    assert capsys.readouterr() == ("", "")  # nothing is shown outside


def test_progress_says_how_to_get_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"pip install 'lrla\[progress\]'"), lrla.progress():
        pass


def test_callbacks_have_their_own_warnings():
    loop = Loop("test", max_iter=2, callback=lambda state: warn("mine", AccuracyWarning))

    @once(AccuracyWarning)
    def work():
        for _ in loop:
            loop.report(1.0)

    with pytest.warns(AccuracyWarning) as caught:
        work()
    assert len(caught) == 2
