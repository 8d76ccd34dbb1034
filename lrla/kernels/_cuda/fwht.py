"""CUDA twin of `lrla.kernels.fwht`: passes of up to three stages over the device's memory."""

import cupy as cp

from lrla.kernels._cuda._load import launch
from lrla.kernels.fwht import check_length

_OPTIONS = ("--std=c++17",)


def fwht(X):
    check_length(X.shape[-1])
    Y = cp.array(X, order="C")
    y = Y.reshape(-1).view({"F": cp.float32, "D": cp.float64}.get(X.dtype.char, X.dtype))
    stride = 2 if X.dtype.kind == "c" else 1  # a complex number is two real ones, side by side
    length = X.shape[-1] * stride
    while stride < length:
        radix = min(8, length // stride)
        name = f"radix{radix}_{y.dtype.str[1:]}"
        launch("fwht", name, _OPTIONS, y.size // radix, y, y.size, stride)
        stride *= radix
    return Y
