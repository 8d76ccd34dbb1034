#!/usr/bin/env python3
"""Set everything up in .venv and run one task.

  python3 dev.py TASK [arguments for the tool behind it]

  demo    the tour: a real problem, solved, timed and certified
  test    all tests               python3 dev.py test -m "not slow"  for the quick ones
  lint    ruff: rules and format
  types   mypy
  docs    build the documentation into docs/_build/html, warnings are errors
  bench   asv on this commit      python3 dev.py bench --quick       for a smoke run
  cuda    compile the CUDA kernels and run their text on the processor; no GPU needed
  review  check the repository against the Scientific Python guide

Needs nothing but a Python of at least 3.11: it makes .venv, puts uv into it, and uv does the rest.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
ASV = ["asv", "--config", str(ROOT / "benchmarks" / "asv.conf.json")]  # it changes directory

# task -> (extras, dependency groups, commands; the last one gets the remaining arguments)
TASKS = {
    "demo": (["tour"], [], [["python", "-m", "lrla"]]),
    "test": ([], ["test"], [["python", "-m", "pytest", "-n", "2", "--dist", "worksteal"]]),
    "lint": ([], ["lint"], [["ruff", "format", "--check", "."], ["ruff", "check", "."]]),
    "types": ([], ["lint"], [["mypy"]]),
    "docs": ([], ["docs"], [["sphinx-build", "-W", "--keep-going", "docs", "docs/_build/html"]]),
    "bench": (
        [],
        ["bench"],
        [
            [*ASV, "machine", "--yes"],
            [*ASV, "run", "--python=same", "--set-commit-hash=HEAD", "--show-stderr"],
        ],
    ),
    "cuda": ([], ["cuda-source"], [["python", "-m", "pytest", "tests/kernels", "-k", "cuda"]]),
    "review": ([], ["review"], [["sp-repo-review", "."]]),
}

# Your own settings win over these.
ENVIRONMENT = {
    "NUMBA_CACHE_DIR": str(ROOT / ".cache" / "numba"),  # compiled kernels stay in the workspace
    "UV_SYSTEM_CERTS": "1",  # networks with certificates of their own have installed them there
}
# Tests run two processes side by side, and benchmarks compare like with like.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run(*command, **environment):
    """Show a command and run it in the root of the repository."""
    print("+", *command, flush=True)
    subprocess.run(command, cwd=ROOT, env={**ENVIRONMENT, **environment, **os.environ}, check=True)


def install(extras, groups):
    """Bring .venv up to date with pyproject.toml for one task."""
    python, uv = str(BIN / "python"), str(BIN / "uv")
    if not BIN.exists():
        try:
            import ensurepip  # noqa: F401
            import venv
        except ImportError:
            sys.exit("this Python cannot make environments; on Debian: apt install python3-venv")
        venv.create(VENV, with_pip=True)
    if not list(BIN.glob("uv*")):  # an environment of your own making will do as well
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv")
    package = ".[" + ",".join(extras) + "]" if extras else "."
    run(
        *(uv, "pip", "install", "--quiet", "--python", python, "--editable", package),
        *("--group=" + group for group in groups),
    )


def main():
    """Run the task that the command line names."""
    task, *rest = sys.argv[1:] or ["--help"]
    if sys.version_info < (3, 11):
        sys.exit("lrla needs Python 3.11 or newer, this is " + sys.version.split()[0])
    if task not in TASKS:
        sys.exit(__doc__)
    extras, groups, commands = TASKS[task]
    install(extras, groups)
    environment = ONE_THREAD if task in ("test", "docs", "bench", "cuda") else {}
    for command in commands:
        tool, *arguments = command
        run(str(BIN / tool), *arguments, *(rest if command is commands[-1] else ()), **environment)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as e:
        sys.exit(e.returncode)
