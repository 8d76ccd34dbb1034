"""How a CUDA twin gets from its file to the device."""

import functools
from importlib import resources

import cupy as cp

_THREADS = 256


@functools.cache
def _module(name, options):
    source = resources.files(__package__).joinpath(f"{name}.cu").read_text()
    return cp.RawModule(code=source, options=options)


def launch(module, function, options, work, *args):
    """Run a grid-stride kernel of ``module.cu`` on the current stream, for ``work`` elements."""
    if work > 0:
        blocks = min(-(-work // _THREADS), 1 << 16)
        _module(module, options).get_function(function)((blocks,), (_THREADS,), args)
