"""Inner loops: one operation, one file, its definition first.

``NAME.py`` is the meaning of an operation, in array-API code that runs on every array library.
``_cpu/NAME.py`` is its Numba twin and ``_cuda/NAME.cu`` its CUDA twin, found by name
(`lrla._core.dispatch`) and held to the definition by ``tests/kernels/test_twins.py``.
"""
