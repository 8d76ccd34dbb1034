"""What every test shares: one thread, one compile cache, Hypothesis profiles, array libraries."""

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Before NumPy is imported: tests run several processes side by side, each with one BLAS thread.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(__file__).parents[1] / ".cache" / "numba"))
os.environ.setdefault("MPLBACKEND", "agg")

import array_api_compat as compat
import hypothesis
import numpy as np
import pytest

# A fixture here is a namespace or a matrix: drawing many examples against one of them is meant.
# The first example of a test may compile a kernel, which is slow and says nothing about the test.
_fine = [hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    max_examples=60,
    print_blob=True,
    suppress_health_check=_fine,
)
hypothesis.settings.register_profile(
    "search", deadline=None, max_examples=2000, suppress_health_check=_fine
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@dataclass(frozen=True)
class Backend:
    """An array namespace and one of its devices; unpacks as ``xp, device``."""

    xp: Any
    device: Any
    readonly: bool = False

    def __iter__(self):
        return iter((self.xp, self.device))

    def asarray(self, x, dtype=None):
        """Bring host data here; a fresh copy, so that no backend can write into the original."""
        x = self.xp.asarray(np.array(x), dtype=dtype, device=self.device)
        if self.readonly:
            x.flags.writeable = False
        return x

    def to_numpy(self, x):
        """Bring a result home, for comparison."""
        if type(x).__module__.startswith("array_api_strict"):
            x = self.xp.asarray(x, device=self.xp.Device("CPU_DEVICE"))
        return x.get() if hasattr(x, "get") else np.asarray(x)


# id -> (module, device or None for its default one)
BACKENDS = {
    "numpy": ("numpy", None),
    "numpy:readonly": ("numpy", None),
    "strict": ("array_api_strict", None),
    "strict:device1": ("array_api_strict", "device1"),  # catches what lands on the default device
    "torch:cpu": ("torch", "cpu"),
    "cupy": ("cupy", None),
}
_ALWAYS = {"numpy", "array_api_strict"}  # a run that skips these has tested nothing: it fails


def _load(name):
    if name in _ALWAYS:
        return importlib.import_module(name)
    module = pytest.importorskip(name, exc_type=ImportError)
    if name == "cupy":
        try:
            module.cuda.runtime.getDeviceCount()  # CuPy imports happily without a device
        except module.cuda.runtime.CUDARuntimeError as e:
            pytest.skip(f"CuPy is installed but has no device: {e}")
    return module


@pytest.fixture(params=BACKENDS)
def backend(request):
    """(xp, device): a namespace under test and a device of it that is not always the default."""
    name, device = BACKENDS[request.param]
    module = _load(name)
    if name == "array_api_strict":
        module.set_array_api_strict_flags(api_version="2024.12")
        device = module.Device(device) if device else None
    return Backend(
        compat.array_namespace(module.empty(0)), device, readonly=request.param.endswith("readonly")
    )
