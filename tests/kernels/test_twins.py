"""Every twin of every kernel is held to the definition that it stands in for.

The inputs of ``lrla/kernels/NAME.py`` are given by ``cases_NAME.py`` beside this file. For every
decorated function of the kernel it has a generator of the same name, without arguments, that
yields ``(label, args, tolerance)``:

- ``args`` are the positional arguments: NumPy arrays, numbers, tuples; the string ``"space"``
  stands for the `Space` of the array library at hand.
- ``tolerance`` is how far a twin may be from the definition, relative to the largest finite value
  of the definition; 0 asks for equality in every bit.

A set ``BLAS`` in the module names the functions that leave sums to BLAS, whose order may depend on
the number of threads: these are held to the tolerance then, all others to the last bit.

The walk below varies memory order, strides and write protection of the array arguments by itself,
and the number of threads; the cases vary dtypes, shapes (0 and 1 included) and values (NaN).
"""

import importlib
import importlib.util
import inspect
import pathlib
import pkgutil

import numpy as np
import pytest

import lrla.kernels
from lrla._core.arrays import Space, numpy_space
from lrla._core.dispatch import twin
from lrla._core.threads import threads

HERE = pathlib.Path(__file__).parent
KERNELS = sorted(
    m.name for m in pkgutil.iter_modules(lrla.kernels.__path__) if not m.name.startswith("_")
)


def functions(name):
    """List the decorated functions that a kernel module defines."""
    module = importlib.import_module(f"lrla.kernels.{name}")
    return [
        f
        for _, f in inspect.getmembers(module, callable)
        if hasattr(f, "definition") and f.__module__ == module.__name__
    ]


def cases_of(name):
    path = HERE / f"cases_{name}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases(name, function):
    """Return the cases of one function; that there are any is a test of its own."""
    return list(getattr(cases_of(name), function)())


def walk():
    for name in KERNELS:
        if not (HERE / f"cases_{name}.py").exists():
            continue  # test_every_kernel_has_cases says so
        for function in functions(name):
            try:
                found = cases(name, function.__name__)
            except AttributeError:
                continue
            for label, args, tolerance in found:
                title = f"{name}.{function.__name__}-{label}"
                yield pytest.param(function, args, tolerance, id=title)


def in_space(args, space):
    """Fill in the space and bring the arrays into it."""
    return tuple(
        space
        if isinstance(a, str) and a == "space"
        else space.xp.asarray(a, device=space.device)
        if isinstance(a, np.ndarray)
        else a
        for a in args
    )


def strict_space():
    strict = pytest.importorskip("array_api_strict")
    strict.set_array_api_strict_flags(api_version="2024.12")
    return Space(strict, strict.Device("device1"))


def every_other(a):
    """Hold the same values in memory that skips along every axis, backwards along the first."""
    room = np.zeros(tuple(2 * n + 1 for n in a.shape), a.dtype)
    view = room[tuple(slice(1, 1 + 2 * n, 2) for n in a.shape)]
    view = view[::-1] if a.ndim else view
    view[...] = a
    return view


def locked(a):
    a = a.copy()
    a.setflags(write=False)
    return a


LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "strided": every_other,
    "locked": locked,
}


def laid_out(args, layout):
    change = LAYOUTS[layout]
    return tuple(change(a) if isinstance(a, np.ndarray) and a.ndim else a for a in args)


def parts(result):
    return result if isinstance(result, tuple) else (result,)


def assert_close(got, want, tolerance):
    for g, w in zip(parts(got), parts(want), strict=True):
        assert type(g) is np.ndarray
        assert g.dtype == w.dtype
        assert g.shape == w.shape
        if tolerance == 0:
            np.testing.assert_array_equal(g, w)
            continue
        finite = np.isfinite(w)
        np.testing.assert_array_equal(np.isfinite(g), finite)
        np.testing.assert_array_equal(np.isnan(g), np.isnan(w))
        scale = np.max(np.abs(w[finite]), initial=0.0)
        np.testing.assert_allclose(g[finite], w[finite], rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("name", KERNELS)
def test_every_kernel_has_cases(name):
    """A kernel that lands without cases for each of its functions does not land."""
    assert (HERE / f"cases_{name}.py").exists()
    for function in functions(name):
        assert cases(name, function.__name__), function.__name__


@pytest.mark.parametrize("name", KERNELS)
def test_twins_have_the_arguments_of_their_definitions(name):
    for function in functions(name):
        body = twin(function.__module__, function.__name__, "numpy")
        if body is not None:
            wanted = inspect.signature(function.definition).parameters
            assert list(inspect.signature(body).parameters) == list(wanted)


@pytest.mark.parametrize(("function", "args", "tolerance"), list(walk()))
def test_twin_equals_definition(function, args, tolerance):
    args = in_space(args, numpy_space())
    want = function.definition(*args)
    if twin(function.__module__, function.__name__, "numpy") is None:
        return
    module = function.__module__.rpartition(".")[2]
    by_blas = function.__name__ in getattr(cases_of(module), "BLAS", ())
    for layout in LAYOUTS:
        given = laid_out(args, layout)
        before = laid_out(args, "C")
        with threads(1):
            one = function(*given)
        assert_close(one, want, tolerance)
        for a, b in zip(given, before, strict=True):
            if isinstance(a, np.ndarray):
                np.testing.assert_array_equal(a, b)
        for n in (2, 4):
            with threads(n):
                many = function(*given)
            if by_blas:
                assert_close(many, want, tolerance)
                continue
            for x, y in zip(parts(many), parts(one), strict=True):
                assert x.tobytes() == y.tobytes()


@pytest.mark.parametrize(("function", "args", "tolerance"), list(walk()))
def test_definition_runs_on_the_strict_standard(function, args, tolerance):
    """On a device other than the default one, so that a scalar made elsewhere shows."""
    space = strict_space()
    result = function(*in_space(args, space))
    want = function.definition(*in_space(args, numpy_space()))
    assert all(r.device == space.device for r in parts(result))
    home = space.xp.Device("CPU_DEVICE")
    host = tuple(np.asarray(r.to_device(home)) for r in parts(result))
    assert_close(host, parts(want), tolerance)
