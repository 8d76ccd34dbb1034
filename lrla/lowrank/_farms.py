"""`farms_alpha`: how heavy the tail of a spectrum is, whatever the shape of the matrix."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from lrla._core.arrays import Array, adjoint, as_array, check_finite, space_of
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.numbers import whole
from lrla._core.results import Info, Result, Status

_ENTRIES = 1 << 22  # of the windows that are decomposed at a time


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TailResult(Result):
    """Exponent of a power law that the largest eigenvalues follow.

    Parameters
    ----------
    alpha : float
        Their density falls like ``value**-alpha``; infinity if they are all equal.
    standard_error : float
        ``(alpha - 1) / sqrt(k)``, from k eigenvalues: of alpha, were they independent. Those of one
        matrix, or of windows that overlap, are not.
    eigenvalues : array of shape (count,)
        All that were pooled, ascending.
    status : Status
        Always `Status.CONVERGED`.
    info : Info
        ``windows``, how many submatrices there were; ``k``, how many eigenvalues the exponent is
        from; ``seconds``.
    """

    alpha: float
    standard_error: float
    eigenvalues: Array
    status: Status
    info: Info


def farms_alpha(
    A: Any,
    *,
    block_size: int = 100,
    aspect: float = 2.0,
    step: int = 10,
    fraction: float = 0.5,
    tol: float = 1e-5,
) -> TailResult:
    """Estimate how heavy the tail of a spectrum is, from submatrices of equal shape.

    Parameters
    ----------
    A : array of shape (m, n)
        A matrix, for instance of the weights of a layer of a network.
    block_size : int, default 100
        Smaller side of the submatrices.
    aspect : float, default 2
        Their larger side over their smaller one, at least 1.
    step : int, default 10
        By how many rows or columns a submatrix is moved to become the next one.
    fraction : float, default 0.5
        Which share of the eigenvalues, the largest ones, counts as the tail.
    tol : float, default 1e-5
        Eigenvalues below this fraction of the largest one are left out.

    Returns
    -------
    TailResult
        With fields alpha, standard_error, eigenvalues, status and info.

    Raises
    ------
    ValueError
        If A is not finite, zero, or has less than two eigenvalues that count, or a parameter is out
        of range.

    Warns
    -----
    AccuracyWarning
        If A is smaller than one submatrix, and is taken as a whole.

    Notes
    -----
    Spectra of random matrices depend on their aspect ratio, so that tails of matrices of unlike
    shapes cannot be compared. Submatrices of one shape can [1]_: the eigenvalues of ``S @ S^H`` of
    all of them, windows that slide along both sides of A, are pooled. With N of them and k =
    fraction N, Hill's estimator is ``alpha = 1 + k / sum(log(l_i / l_(k+1)))`` over the k largest
    [2]_. A matrix with more rows than columns is transposed first.

    Cost: ``2 aspect block_size**3`` flops and an eigendecomposition for each of about ``m n /
    step**2`` windows.

    References
    ----------
    .. [1] Y. Hu, K. Goel, V. Killiakov and Y. Yang, "Eigenspectrum analysis of neural networks
       without aspect ratio bias", ICML 2025, arXiv:2506.06280.
    .. [2] B. M. Hill, "A simple general approach to inference about the tail of a distribution",
       Ann. Statist. 3 (1975) 1163-1174.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.lowrank import farms_alpha
    >>> rng = np.random.default_rng(7)
    >>> light, heavy = rng.standard_normal((150, 300)), rng.standard_t(2, (150, 300))
    >>> farms_alpha(light).alpha > farms_alpha(heavy).alpha
    True
    """
    start = time.perf_counter()
    block_size, step = whole(block_size, "block_size", 1), whole(step, "step", 1)
    if not 1 <= aspect < math.inf:
        raise ValueError(f"aspect must be at least 1, got {aspect}")
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must be between 0 and 1, got {fraction}")
    if not 0 <= tol < 1:
        raise ValueError(f"tol must be at least 0 and less than 1, got {tol}")
    A = as_array(A, "A")
    check_finite(A, "A")
    if A.shape[0] > A.shape[1]:
        A = adjoint(A)
    height, width = int(block_size), int(aspect * block_size)
    if A.shape[0] < height or A.shape[1] < width:
        warn(
            f"A, {A.shape[0]} x {A.shape[1]}, is smaller than a window of {height} x {width} and is "
            "taken as a whole: the exponent depends on its shape; make block_size smaller",
            AccuracyWarning,
        )
        height, width = A.shape
    values, windows = _pooled(A, height, width, int(step))
    xp = space_of(A).xp
    largest = float(values[-1]) if windows and values.shape[0] else 0.0
    values = values[int(xp.sum(xp.astype(values < tol * largest, xp.int64))) :]
    count = int(values.shape[0])
    k = int(fraction * count)
    if largest == 0 or k < 1:
        raise ValueError(
            f"A must have at least two eigenvalues that count, and fraction of them one, got {count}"
        )
    logs = xp.log(values[count - k - 1 :])
    total = float(xp.sum(logs[1:] - logs[0]))
    alpha = 1 + k / total if total > 0 else math.inf
    info = Info(windows=windows, k=k, seconds=time.perf_counter() - start)
    error = (alpha - 1) / math.sqrt(k)
    return TailResult(alpha, error, values, Status.CONVERGED, info)


def _pooled(A: Array, height: int, width: int, step: int) -> tuple[Array, int]:
    """Return the squared singular values of all windows, ascending, and their number."""
    space = space_of(A)
    xp = space.xp
    if 0 in A.shape:
        return space.zeros((0,), xp.float64), 0
    places = [
        (i, j)
        for i in range(0, A.shape[0] - height + 1, step)
        for j in range(0, A.shape[1] - width + 1, step)
    ]
    # in units of the largest entry, so that squares stay in range
    A = A / xp.where(xp.max(xp.abs(A)) > 0, xp.max(xp.abs(A)), xp.ones_like(xp.max(xp.abs(A))))
    many = max(1, _ENTRIES // (height * width))
    found = []
    for first in range(0, len(places), many):
        S = xp.stack([A[i : i + height, j : j + width] for i, j in places[first : first + many]])
        squares = xp.linalg.svdvals(S) ** 2
        found.append(xp.reshape(squares, (-1,)))
    return xp.sort(xp.concat(found)), len(places)
