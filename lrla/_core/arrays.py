"""What an input array is: its namespace, its device, and whether this library may take it."""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import array_api_compat as compat
import numpy as np

Array = Any  # no static type of "an array of any library" exists yet
_FLOATS = ("real floating", "complex floating")


class Space(NamedTuple):
    """Where a computation happens: an array namespace and one of its devices."""

    xp: ModuleType
    device: Any

    def asarray(self, x: Any, dtype: Any = None) -> Array:
        """Bring numbers that this library drew or computed on the host into the space."""
        return self.xp.asarray(x, dtype=dtype, device=self.device)

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """Make an array of zeros."""
        return self.xp.zeros(shape, dtype=dtype, device=self.device)

    def eye(self, n: int, dtype: Any) -> Array:
        """Make an identity matrix."""
        return self.xp.eye(n, dtype=dtype, device=self.device)

    def rows(self, X: Array, index: Array) -> Array:
        """Gather some rows; NumPy's take would first copy all of what is not in C order."""
        return X[index] if self.is_numpy else self.xp.take(X, index, axis=0)

    def columns(self, X: Array, index: Array) -> Array:
        """Gather some columns; NumPy's take needs twice the time, and returns them by rows."""
        return X[:, index] if self.is_numpy else self.xp.take(X, index, axis=1)

    def with_columns(self, X: Array, index: Array, values: Array) -> Array:
        """Replace some columns of X, which may be written into; the standard has no such index."""
        if self.is_numpy:
            X[:, index] = values
            return X
        every = self.xp.arange(X.shape[1], dtype=index.dtype, device=self.device)
        place = self.xp.astype(index[:, None] == every[None, :], X.dtype)
        inside = self.xp.any(place != 0, axis=0)
        return self.xp.where(inside[None, :], values @ place, X)

    @property
    def is_numpy(self) -> bool:
        """True for NumPy, where LAPACK and the Numba kernels are at hand."""
        return bool(compat.is_numpy_namespace(self.xp))


_NUMPY = Space(compat.array_namespace(np.empty(0)), "cpu")


def numpy_space() -> Space:
    """Return the space of NumPy arrays."""
    return _NUMPY


def space_of(*arrays: Any) -> Space:
    """Find the one namespace and device that the array arguments share.

    Raises
    ------
    TypeError
        If the arguments are of different libraries or on different devices: this library never
        moves data by itself.
    """
    real = [a for a in arrays if a is not None]
    if all(type(a) is np.ndarray for a in real):
        return _NUMPY
    try:
        xp = compat.array_namespace(*real)
    except TypeError as e:
        kinds = ", ".join(sorted({type(a).__module__.partition(".")[0] for a in real}))
        raise TypeError(
            f"cannot compute with arrays of {kinds} together; convert them to one array library"
        ) from e
    devices = {str(compat.device(a)): compat.device(a) for a in real}
    if len(devices) > 1:
        raise TypeError(
            f"arguments are on different devices: {', '.join(sorted(devices))}; move them to one"
        )
    return Space(xp, next(iter(devices.values()), None))


def as_array(x: Any, name: str, *, ndim: tuple[int, ...] = (2,)) -> Array:
    """Check a dense argument at the door and make it floating, in the byte order of the machine.

    Raises
    ------
    TypeError
        For what is not an array of numbers: masked arrays, ``numpy.matrix``, data frames, objects.
    ValueError
        For a number of dimensions not in ``ndim``.
    """
    if isinstance(x, np.matrix | np.ma.MaskedArray) or hasattr(x, "iloc"):
        raise TypeError(
            f"{name} must be an array, got {type(x).__name__}; pass np.asarray({name})"
            + (", with the masked entries filled" if isinstance(x, np.ma.MaskedArray) else "")
        )
    if isinstance(x, list | tuple | int | float | complex | np.generic):
        x = np.asarray(x)
    if isinstance(x, np.ndarray):
        if x.dtype.kind not in "biufc" or x.dtype.itemsize > (16 if x.dtype.kind == "c" else 8):
            raise TypeError(
                f"{name} must hold float32, float64, complex64, complex128 or integers, "
                f"got dtype {x.dtype}"
            )
        x = np.asarray(x)  # a subclass such as memmap becomes a plain view of the same memory
    elif not compat.is_array_api_obj(x):
        advice = f"{name}.toarray()" if hasattr(x, "toarray") else f"np.asarray({name})"
        raise TypeError(f"{name} must be an array, got {type(x).__name__}; pass {advice}")
    if x.ndim not in ndim:
        wanted = " or ".join(str(k) for k in ndim)
        raise ValueError(f"{name} must have {wanted} dimensions, got shape {tuple(x.shape)}")
    return as_floating(x)


def as_number(value: Any, name: str) -> float:
    """Turn an argument into a real number; text that reads like one is none."""
    try:
        if not isinstance(value, str | bytes):
            return float(value)
    except (TypeError, ValueError):
        pass
    raise TypeError(f"{name} must be a number, got {value!r}")


def as_floating(x: Array) -> Array:
    """Promote integers and booleans to float64, float16 to float32; put bytes into native order."""
    xp = compat.array_namespace(x)
    x = native(x)
    if xp.isdtype(x.dtype, _FLOATS):
        return xp.astype(x, xp.float32) if str(x.dtype).endswith("float16") else x
    return xp.astype(x, xp.float64)


def native(x: Array) -> Array:
    """Copy an array of the other byte order, as FITS files hold, into the one compiled code reads."""
    if isinstance(x, np.ndarray) and not x.dtype.isnative:
        return x.astype(x.dtype.newbyteorder("="))
    return x


def real_dtype(xp: ModuleType, dtype: Any) -> Any:
    """Return the dtype of absolute values of ``dtype``."""
    if dtype == xp.complex64:
        return xp.float32
    return xp.float64 if dtype == xp.complex128 else dtype


def unit_roundoff(xp: ModuleType, dtype: Any) -> float:
    """Return u = eps / 2 of a floating dtype: 1.1e-16 for float64."""
    return float(xp.finfo(dtype).eps) / 2


def is_complex(x: Array) -> bool:
    """Tell whether an array holds complex numbers."""
    return bool(compat.array_namespace(x).isdtype(x.dtype, "complex floating"))


def adjoint(x: Array) -> Array:
    """Return the conjugate transpose of a matrix, or the conjugate of a vector."""
    if is_complex(x):
        x = compat.array_namespace(x).conj(x)
    return x if x.ndim < 2 else x.T


def to_host(x: Any) -> np.ndarray:
    """Copy a few numbers to the host, where decisions are taken: eigenvalues, indices.

    For what is small and steers a computation, never for the data themselves.
    """
    if type(x).__module__.startswith("array_api_strict"):
        xp = compat.array_namespace(x)
        x = xp.asarray(x, device=xp.Device("CPU_DEVICE"))
    return np.asarray(x.get() if hasattr(x, "get") else x)


def check_finite(x: Array, name: str, *, start: int = 0) -> None:
    """Refuse NaN and infinity, saying where the first one is, of rows from ``start`` on."""
    xp = compat.array_namespace(x)
    finite = xp.isfinite(x)
    if bool(xp.all(finite)):
        return
    flat = xp.reshape(finite, (-1,))
    first = int(xp.argmin(xp.astype(flat, xp.int8)))
    place = np.unravel_index(first, tuple(x.shape))
    raise not_finite(name, (*(start + i for i in place[:1]), *place[1:]))


def not_finite(name: str, index: tuple[Any, ...]) -> ValueError:
    """Say where NaN or infinity stands."""
    return ValueError(
        f"{name} must be finite, got NaN or infinity at index {tuple(int(i) for i in index)}; "
        "remove or impute such entries first"
    )
