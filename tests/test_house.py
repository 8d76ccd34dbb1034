"""The house keeps its order: floors, names, words, and what is in the box."""

import ast
import configparser
import doctest
import enum
import importlib
import inspect
import io
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import lrla

PACKAGE = Path(lrla.__file__).parent
ROOT = Path(__file__).parents[1]
ROOMS = [name for name in lrla.__all__ if (PACKAGE / name).is_dir()]  # those that users enter
DOORS = ["lrla", *(f"lrla.{room}" for room in ROOMS)]


def modules():
    """Yield (dotted name, whether it is a package, syntax tree) for every file of the library."""
    for path in sorted(PACKAGE.rglob("*.py")):
        *parts, last = ("lrla", *path.relative_to(PACKAGE).with_suffix("").parts)
        package = last == "__init__"
        yield ".".join(parts if package else [*parts, last]), package, ast.parse(path.read_text())


def public(door):
    """Yield (name, object) for what a room offers; rooms themselves are walked separately."""
    module = importlib.import_module(door)
    for name in module.__all__:
        if name != "__version__" and not inspect.ismodule(getattr(module, name)):
            yield f"{door}.{name}", getattr(module, name)


# ---------------------------------------------------------------------------------------- floors

DOOR = 6  # lrla/__init__.py and lrla/__main__.py open on every room
FLOORS = {
    "_core": 0,
    **dict.fromkeys(("kernels", "blocks"), 1),
    "sketch": 2,
    **dict.fromkeys(("regression", "lowrank", "sampling", "dpp", "bandits", "streaming"), 3),
    **dict.fromkeys(
        ("completion", "recovery", "approximation", "tensor", "compression", "relaxation"), 4
    ),
    **dict.fromkeys(("plotting", "datasets", "sklearn", "testing"), 5),
}
# on floor 3 the order is sampling, lowrank, regression: a later one may use an earlier one
ALSO = {
    ("lowrank", "sampling"),
    ("regression", "sampling"),
    ("regression", "lowrank"),
    ("dpp", "sampling"),
    ("dpp", "lowrank"),
}
NEVER = {("bandits", "sketch")}  # bandits know no matrices


def room_of(module):
    """Name the room of a dotted module name; the front door is ``lrla`` itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOORS else "lrla"


def objection(importer, target):
    """Say what is wrong with one import, both sides being dotted names; None if nothing is."""
    here, there = room_of(importer), room_of(target)
    if here == there:
        return None
    above, below = FLOORS.get(here, DOOR), FLOORS.get(there, DOOR)
    if (above <= below and (here, there) not in ALSO) or (here, there) in NEVER:
        return f"{importer} (floor {above}) must not import {target} (floor {below})"
    hidden = [p for p in target.split(".")[2:] if p.startswith("_") and not p.endswith("__")]
    if hidden and there != "_core":
        return f"{importer} must not reach into another room for {target}"
    return None


def imports(name, package, tree):
    """Yield the dotted name of everything of this library that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] == "lrla")
        elif isinstance(node, ast.ImportFrom):
            base = name.split(".")[: -node.level + package or None] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            if origin.split(".")[0] == "lrla":
                yield from (f"{origin}.{a.name}" for a in node.names)


def test_imports_go_downstairs():
    objections = [
        found
        for name, package, tree in modules()
        for target in imports(name, package, tree)
        if (found := objection(name, target))
    ]
    assert objections == []


def test_every_folder_is_in_the_floor_plan():
    folders = {p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert folders <= set(FLOORS)


@pytest.mark.parametrize(
    ("importer", "target", "fine"),
    [
        ("lrla.sketch._srht", "lrla.kernels.fwht", True),
        ("lrla.sketch._srht", "lrla.sketch._base", True),
        ("lrla.sketch._srht", "lrla._core.random", True),
        ("lrla.sketch", "lrla.regression.lstsq", False),
        ("lrla.sketch", "lrla.threads", False),  # through the front door, from inside
        ("lrla.regression", "lrla.sketch._base", False),
        ("lrla.regression", "lrla.kernels._cpu.fwht", False),
        ("lrla.blocks", "lrla.kernels.fwht", False),
        ("lrla.sampling", "lrla.regression.lstsq", False),
        ("lrla.regression", "lrla.sampling.leverage_scores", True),
        ("lrla.bandits", "lrla.sketch.Gaussian", False),
        ("lrla.completion", "lrla.tensor.cp", False),
        ("lrla.datasets", "lrla.testing.laws", False),
        ("lrla.__main__", "lrla.datasets.flights", True),
        ("lrla", "lrla._core.threads.threads", True),
    ],
)
def test_the_floor_rule_itself(importer, target, fine):
    assert (objection(importer, target) is None) == fine


@pytest.mark.parametrize(
    ("name", "package", "line", "target"),
    [
        ("lrla.sketch._srht", False, "from ._base import Operator", "lrla.sketch._base.Operator"),
        ("lrla.sketch._srht", False, "from ..kernels import fwht", "lrla.kernels.fwht"),
        ("lrla.sketch", True, "from . import _base", "lrla.sketch._base"),
        ("lrla.sketch", True, "from lrla import threads", "lrla.threads"),
        ("lrla.sketch", True, "import lrla._core.random as r", "lrla._core.random"),
    ],
)
def test_the_reading_of_imports(name, package, line, target):
    assert list(imports(name, package, ast.parse(line))) == [target]


# ------------------------------------------------------------------------------------- lightness


def loaded_after(statement, *heavy):
    """Name those of the heavy packages that a fresh interpreter holds after one statement."""
    code = f"import sys; {statement}; print(*(m for m in {heavy!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


HEAVY = ("numba", "tensorly", "cupy", "torch", "dask", "sklearn", "pandas", "matplotlib", "tqdm")


def test_importing_the_library_imports_nothing():
    assert loaded_after("import lrla", "numpy", "scipy", *HEAVY) == []


@pytest.mark.parametrize("door", DOORS[1:])
def test_entering_a_room_leaves_heavy_libraries_alone(door):
    assert loaded_after(f"import {door}", "scipy.sparse", *HEAVY) == []


# ---------------------------------------------------------------------------------------- manners

GLOBAL_STATE = {"filterwarnings", "simplefilter", "seterr", "set_printoptions", "basicConfig"}


def test_nothing_prints_or_touches_global_state():
    calls = [
        f"{name}:{node.lineno} calls {called}"
        for name, _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for called in [getattr(node.func, "attr", getattr(node.func, "id", ""))]
        if called in GLOBAL_STATE or (called == "print" and name != "lrla.__main__")
    ]
    assert calls == []


# ------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize("door", DOORS)
def test_every_public_name_resolves(door):
    module = importlib.import_module(door)
    assert len(module.__all__) == len(set(module.__all__))
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert missing == []
    assert set(module.__all__) <= set(dir(module))


def test_an_unknown_name_says_so():
    with pytest.raises(AttributeError, match="module 'lrla' has no attribute 'lstsqr'"):
        lrla.lstsqr  # noqa: B018


def glossary():
    """Read the parameter names that CONTRIBUTING.md explains."""
    section = (ROOT / "CONTRIBUTING.md").read_text().split("## Parameter glossary")[1]
    rows = re.findall(r"^\| (`[^|]+) \| .+ \|$", section.split("\n## ")[0], re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


def signatures(name, obj):
    """Yield (name, signature) of a public function, or of a class and its public methods."""
    if inspect.isclass(obj):
        if issubclass(obj, (enum.Enum, Exception)):
            return
        for base in obj.__mro__:
            if base.__module__.split(".")[0] == "lrla":
                for key, method in vars(base).items():
                    method = getattr(method, "__func__", method)
                    if inspect.isfunction(method) and not key.startswith("_"):
                        yield f"{name}.{key}", inspect.signature(method)
    if callable(obj):
        yield name, inspect.signature(obj)


@pytest.mark.parametrize("door", DOORS)
def test_parameters_are_in_the_glossary(door):
    known = {"self", "cls", *glossary()}
    strangers = {
        parameter: where
        for name, obj in public(door)
        for where, signature in signatures(name, obj)
        for parameter in signature.parameters
        if parameter not in known
    }
    assert strangers == {}


def test_the_glossary_explains_each_name_once():
    names = glossary()
    assert names
    assert sorted(names) == sorted(set(names))


# ------------------------------------------------------------------------------------------ words


@pytest.mark.parametrize("door", DOORS)
def test_the_reference_lists_what_is_public(door):
    page = (ROOT / "docs" / "api" / f"{door.removeprefix('lrla.')}.rst").read_text()
    blocks = re.findall(r"^\.\. autosummary::\n((?:[ ]+.*\n|\n)+)", page, re.MULTILINE)
    listed = re.findall(r"^ +(?:\w+\.)?(\w+)$", "".join(blocks), re.MULTILINE)
    assert sorted(listed) == sorted(name.rpartition(".")[2] for name, _ in public(door))


def sections(function):
    """Name the numpydoc sections that a public function needs."""
    signature = inspect.signature(function)
    yield "Examples"
    if signature.parameters:
        yield "Parameters"
    if not str(signature.return_annotation).startswith(("None", "Iterator")):  # context managers
        yield "Returns"


@pytest.mark.parametrize("door", DOORS)
def test_public_functions_are_documented_with_an_example(door):
    faults = []
    for name, obj in public(door):
        text = inspect.getdoc(obj)
        if not text:
            faults.append(f"{name} has no docstring")
        elif inspect.isfunction(obj):
            missing = [s for s in sections(obj) if f"{s}\n{'-' * len(s)}\n" not in text]
            faults += [f"{name} has no section {s}" for s in missing]
    assert faults == []


def failures(example):
    """Run the lines of one doctest and return what it had to complain about."""
    report = io.StringIO()
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    doctest.DocTestRunner(optionflags=flags, verbose=False).run(example, out=report.write)
    return report.getvalue()


@pytest.mark.parametrize("door", DOORS)
def test_examples_of_docstrings_run(door, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    find = doctest.DocTestFinder().find
    reports = [
        failures(example) for name, obj in public(door) for example in find(obj, name, globs={})
    ]
    assert "".join(reports) == ""


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.rst"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_examples_of_pages_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = re.sub(r"^```.*$", "", page.read_text(), flags=re.MULTILINE)  # a fence is not output
    example = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    assert failures(example) == ""


# ---------------------------------------------------------------------------------------- the box


def test_names_of_test_modules_are_their_own():
    """pytest imports a module by its name alone: a second one of that name cannot be collected."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_setup_cfg_holds_no_metadata():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    assert not {"metadata", "options"} & {s.split(".")[0] for s in settings.sections()}


@pytest.mark.slow
def test_the_wheel_holds_everything(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, source / "lrla", ignore=ignore)
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = f"import setuptools.build_meta as b; b.build_wheel({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")

    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(source).as_posix()
        for path in (source / "lrla").rglob("*")
        if path.is_file() and path.suffix in {".py", ".cu", ".typed", ".csv", ".npz"}
    }
    assert "lrla/py.typed" in wanted
    assert wanted <= held
    rest = {name for name in held - wanted if ".dist-info/" not in name}
    assert rest == set()
    assert any(name.endswith("licenses/LICENSE") for name in held)
