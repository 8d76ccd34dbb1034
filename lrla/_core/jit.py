"""The one way in which this library compiles a host kernel."""

import numba as nb


def jit(function=None, *, fastmath=False):
    """Compile lazily, cache on disk where that is possible, release the GIL; never ``parallel``.

    ``error_model="numpy"`` lets divisions vectorise: they give infinity instead of an exception.
    ``no_cfunc_wrapper``: nothing calls kernels from C, and each wrapper takes time to compile.
    """
    if function is None:
        return lambda f: jit(f, fastmath=fastmath)
    options = {
        "nogil": True,
        "no_cfunc_wrapper": True,
        "error_model": "numpy",
        "fastmath": fastmath,
    }
    try:
        return nb.njit(cache=True, **options)(function)
    except RuntimeError as e:  # numba finds no directory that it may write to, and says so at once
        if "no locator available" not in str(e):
            raise
        return nb.njit(**options)(function)
