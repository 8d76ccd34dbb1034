"""Status, Info and Result: what every answer says about itself."""

import copy
import pickle
import warnings
from dataclasses import dataclass

import numpy as np
import pytest

import lrla
from lrla._core import errors
from lrla._core.results import Info, Result, Status, show


def info():
    return Info(method="gram", seed=2**100, error=1.25e-17, history=tuple(range(20)), items="mine")


def test_info_reads_as_attributes_and_as_a_mapping():
    i = info()
    assert i.method == i["method"] == "gram"
    assert list(i)[:2] == ["method", "seed"]
    assert len(i) == 5
    assert dict(i)["seed"] == 2**100
    assert "seed" in i
    assert "nothing" not in i
    assert i.get("nothing") is None
    assert "method" in dir(i)


def test_info_says_what_it_has():
    with pytest.raises(
        AttributeError, match="info has no entry 'passes'; it has method, seed, err"
    ):
        _ = info().passes
    with pytest.raises(KeyError):
        info()["passes"]
    assert not hasattr(info(), "__array__")
    assert not hasattr(Info.__new__(Info), "method")  # half made, as copy and pickle see it


def test_info_is_read_only():
    i = info()
    with pytest.raises(AttributeError, match="info is read-only: cannot set 'method'"):
        i.method = "other"
    with pytest.raises(TypeError):
        i["method"] = "other"
    with pytest.raises(AttributeError):
        del i.method
    entries = {"a": 1}
    made = Info(**entries)
    entries["a"] = 2
    assert made.a == 1


def test_info_can_be_stored_and_copied():
    i = info()
    for other in (pickle.loads(pickle.dumps(i)), copy.copy(i), copy.deepcopy(i)):
        assert type(other) is Info
        assert other == i
    assert pickle.loads(pickle.dumps(i)).method == "gram"


def test_show_is_short():
    assert repr(info()) == (
        f"Info(method='gram', seed={2**100}, error=1.25e-17, history=<20 values>, items='mine')"
    )
    assert show(np.ones((3, 4))) == "<array (3, 4)>"
    assert show(np.float64(1 / 3)) == "0.333"
    assert show((1, 2)) == "(1, 2)"
    assert show([np.ones(3), 2]) == "<2 values>"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Answer(Result):
    x: object
    status: Status
    info: Info
    extra: object = None


def test_results_say_whether_and_how():
    good = Answer(np.ones(3), Status.CONVERGED, Info())
    poor = Answer(np.ones((2, 2)), Status.MAX_ITER, Info(), extra=0.5)
    assert good
    assert not poor
    assert repr(good) == "Answer(x=<array (3,)>, status=CONVERGED)"
    assert repr(poor) == "Answer(x=<array (2, 2)>, status=MAX_ITER, extra=0.5)"
    assert [bool(s) for s in Status] == [s is Status.CONVERGED for s in Status]
    assert all(len(s.value.split()) > 3 for s in Status)


def test_one_thing_is_said_one_time():
    def say(message="a"):
        errors.warn(message, errors.AccuracyWarning)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with errors.once(errors.AccuracyWarning):
            say("first")
            with errors.once(errors.AccuracyWarning):  # within a block, the outer one counts
                say("second")
            with errors.once(errors.ConvergenceWarning):
                say("third")
                errors.warn("another kind", errors.ConvergenceWarning)
        with errors.once(errors.AccuracyWarning, told=True):
            say("fourth")
        say("fifth")
        with errors.once(errors.AccuracyWarning), errors.callers_own():
            say("sixth")
            say("seventh")  # whoever is called back says what they have to say
        with errors.once(errors.AccuracyWarning):
            with errors.once(errors.ConvergenceWarning):
                say("eighth")
            say("ninth")
    want = ["first", "another kind", "fifth", "sixth", "seventh", "eighth"]
    assert [str(w.message) for w in caught] == want


def test_warnings_point_at_the_line_that_called_the_library():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        errors.warn("look here", errors.AccuracyWarning)
        lrla.sketch.KhatriRao(4, (2,) * 7, rng=1)  # through frames of the library
    assert [w.filename for w in caught] == [__file__, __file__]
    assert caught[0].lineno + 1 == caught[1].lineno
    assert all(issubclass(w.category, UserWarning) for w in caught)
