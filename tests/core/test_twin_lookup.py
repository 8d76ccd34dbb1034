"""Kernels find their fast bodies by the name of their file, and say so when these are broken."""

import sys
import types

import numpy as np
import pytest

from lrla._core import dispatch
from lrla._core.arrays import Space, numpy_space


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A package of kernels: `plain` without twin, `fast` with one, `broken` with a bad one."""
    home = tmp_path / "somekernels"
    (home / "_cpu").mkdir(parents=True)
    (home / "__init__.py").write_text("")
    (home / "_cpu" / "__init__.py").write_text("")
    body = (
        "from lrla._core.dispatch import kernel\n"
        "@kernel\n"
        "def where(x, more=0):\n"
        "    '''Say where it ran.'''\n"
        "    return 'definition', more\n"
    )
    for name in ("plain", "fast", "broken", "other"):
        (home / f"{name}.py").write_text(body)
    (home / "_cpu" / "fast.py").write_text("def where(x, more=0):\n    return 'twin', more\n")
    (home / "_cpu" / "broken.py").write_text("import a_module_that_is_not_there\n")
    (home / "_cpu" / "other.py").write_text("def another(x):\n    return 'twin'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    dispatch.twin.cache_clear()
    yield "somekernels"
    dispatch.twin.cache_clear()
    for name in [m for m in sys.modules if m.startswith("somekernels")]:
        del sys.modules[name]


def load(room, name):
    return __import__(f"{room}.{name}", fromlist=["where"]).where


def test_the_twin_of_the_same_file_and_name_is_called(room):
    assert load(room, "fast")(np.ones(3), more=4) == ("twin", 4)
    assert load(room, "fast")(numpy_space()) == ("twin", 0)  # operations that make arrays
    assert load(room, "plain")(np.ones(3)) == ("definition", 0)
    assert load(room, "other")(np.ones(3)) == ("definition", 0)  # the file lacks the function


def test_the_definition_stays_at_hand(room):
    where = load(room, "fast")
    assert where.definition(np.ones(3)) == ("definition", 0)
    assert where.__name__ == "where"
    assert where.__doc__ == "Say where it ran."
    assert where.__module__ == "somekernels.fast"


def test_other_libraries_take_the_definition(room):
    strict = pytest.importorskip("array_api_strict")
    assert load(room, "fast")(strict.ones(3)) == ("definition", 0)
    unknown = types.ModuleType("some_library.numpy_like")
    assert dispatch.library(Space(unknown, None)) == "some_library"
    assert load(room, "fast")(Space(unknown, None)) == ("definition", 0)


def test_a_broken_twin_is_not_silently_slow(room):
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        load(room, "broken")(np.ones(3))


def test_names_of_libraries():
    assert dispatch.library(numpy_space()) == "numpy"
    wrapped = types.ModuleType("array_api_compat.torch")
    assert dispatch.library(Space(wrapped, "cpu")) == "torch"
    assert dispatch.twin("lrla.kernels.philox", "no_such_function", "numpy") is None
    assert dispatch.twin("lrla.kernels.philox", "normal", "torch") is None
