"""How much a sketch distorts a subspace: measured, not estimated."""

from __future__ import annotations

from typing import Any

from lrla._core import linalg
from lrla._core.arrays import real_dtype, unit_roundoff
from lrla._core.operators import as_operator
from lrla.sketch._base import SketchOperator


def distortion(S: SketchOperator, A: Any) -> tuple[float, float]:
    """Measure the smallest and largest singular value of S restricted to range(A).

    Parameters
    ----------
    S : SketchOperator
        The sketch, of shape (d, m).
    A : array of shape (m, n), sparse matrix or LinearOperator
        Spans the subspace. It is formed densely.

    Returns
    -------
    smallest, largest : float
        ``smallest * norm(y) <= norm(S @ y) <= largest * norm(y)`` for every y in range(A), with
        equality for some. The smallest is 0 if d is less than the rank of A. (1, 1) if A = 0.

    Raises
    ------
    TypeError
        If S is not a sketch.

    Notes
    -----
    The range is that of the singular vectors whose singular values exceed max(m, n) * eps times
    the largest. Cost: an SVD of A.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla import sketch
    >>> A = np.eye(1000, 20)
    >>> low, high = sketch.distortion(sketch.SparseSign(200, 1000, rng=7), A)
    >>> 0.5 < low < high < 1.5
    True
    """
    if not isinstance(S, SketchOperator):
        raise TypeError(f"S must be a sketch, such as SparseSign(d, m), got {type(S).__name__}")
    op = as_operator(A)
    U, s, _ = linalg.svd(op.todense())
    if s.shape[0] == 0 or float(s[0]) == 0.0:
        return 1.0, 1.0
    u = unit_roundoff(op.space.xp, real_dtype(op.space.xp, op.dtype))
    rank = linalg.rank_of(s, 2 * u * max(op.shape))
    values = linalg.svd(S @ U[:, :rank])[1]
    smallest = float(values[-1]) if S.d >= rank else 0.0
    return smallest, float(values[0])
