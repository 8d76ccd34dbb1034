"""From a point inside to a vertex: k rows that the solution interpolates, and a proof by duality."""

from __future__ import annotations

from dataclasses import dataclass

from lrla._core.arrays import Array, space_of
from lrla.regression._rows import Rows

_TIE = 1e-9  # residuals below this, where one is their usual size, may have any dual value
_OUTSIDE = 1e-9  # of its range: how far rounding may put a dual value outside it
_CANDIDATES = 4  # rows looked at for each one chosen; four times as many, should these not span
_MOST = 50  # rows for each one chosen beyond which no vertex is looked for at this point


@dataclass(frozen=True, slots=True, eq=False)
class Vertex:
    """A point that interpolates k independent rows.

    Parameters
    ----------
    x : array of shape (k,)
        Coefficients.
    y : array of shape (m,)
        Dual values with A^T y = c, inside their bounds where the vertex is optimal.
    optimal : bool
        Whether they are.
    """

    x: Array
    y: Array
    optimal: bool


def find_vertex(rows: Rows, b: Array, bounds: Array, c: Array, q: Array, y: Array) -> Vertex | None:
    """Interpolate the rows that an interior point is least sure about.

    Parameters
    ----------
    rows : Rows
        The data.
    b : array of shape (m,)
        Right-hand side.
    bounds : array of shape (2, m)
        Of the dual values.
    c : array of shape (k,)
        What A^T y has to be.
    q : array of shape (m,)
        Weights of the normal equations: large where neither bound is active.
    y : array of shape (m,)
        Dual values of the interior point; they are kept for ties.

    Returns
    -------
    Vertex or None
        None if the rows do not have full rank.
    """
    xp, space = rows.space.xp, rows.space
    basis = _basis(rows, q)
    if basis is None:
        return None
    index, B = basis
    target = xp.take(b, index)
    x = xp.linalg.solve(B, target[:, None])[:, 0]
    x = x + xp.linalg.solve(B, (target - B @ x)[:, None])[:, 0]
    r = b - rows.product(x)
    places = xp.zeros_like(b)
    if space.is_numpy:
        places[index] = 1.0
    else:
        at = xp.arange(rows.m, device=space.device)
        for i in index:
            places = places + xp.astype(at == i, b.dtype)
    inside = places > 0
    y = xp.where(abs(r) <= _TIE, y, xp.where(r > 0, bounds[1, :], bounds[0, :]))
    y = xp.where(inside, xp.zeros_like(y), y)
    rest = c - rows.adjoint(y[None, :])[0, :]
    own = xp.linalg.solve(B.T, rest[:, None])[:, 0]
    own = own + xp.linalg.solve(B.T, (rest - B.T @ own)[:, None])[:, 0]
    low, high = (xp.take(bounds[k, :], index) for k in range(2))
    slack = _OUTSIDE * (high - low)
    optimal = bool(xp.all((own >= low - slack) & (own <= high + slack)))
    own = xp.minimum(xp.maximum(own, low), high)
    if space.is_numpy:
        y[index] = own
    else:
        for i, v in zip(index, own, strict=True):
            y = xp.where(at == i, v, y)
    return Vertex(x, y, optimal)


def _basis(rows: Rows, q: Array) -> tuple[Array, Array] | None:
    """Choose k independent rows with the largest weights."""
    xp, k = rows.space.xp, rows.k
    count = min(rows.m, _CANDIDATES * k + 16)
    while True:
        index = _largest(q, count)
        C = rows.take(index)
        chosen = independent(C, xp.sqrt(xp.take(q, index)))
        if chosen is not None:
            return xp.take(index, chosen), xp.take(C, chosen, axis=0)
        if count == rows.m or count > _MOST * k:
            return None
        count = min(rows.m, 4 * count)


def spanning(rows: Rows, q: Array, count: int) -> Array:
    """Return the rows with the largest weights, and more of them until they have full rank."""
    xp = rows.space.xp
    count = min(rows.m, max(count, rows.k))
    while True:
        index = _largest(q, count)
        C = rows.take(index)
        if count == rows.m or independent(C, xp.ones_like(xp.take(q, index))) is not None:
            return index
        count = min(rows.m, 4 * count)


def _largest(q: Array, count: int) -> Array:
    space = space_of(q)
    if space.is_numpy:
        return space.xp.argpartition(q, q.shape[0] - count)[q.shape[0] - count :]
    return space.xp.argsort(q, descending=True)[:count]


def independent(C: Array, weight: Array) -> Array | None:
    """Choose as many independent rows as there are columns, heavy ones first, if there are so many.

    This is QR with pivoting of the weighted rows; a row counts as dependent if what is left of it
    is less than 1e-10 of it. None where independent rows are too few.
    """
    space = space_of(C)
    xp, k = space.xp, int(C.shape[1])
    if int(C.shape[0]) < k:
        return None
    if k == 0:
        return space.asarray([], xp.int64)
    size = xp.sqrt(xp.sum(C**2, axis=1))
    size = xp.where(size > 0, size, xp.ones_like(size))
    W = C * weight[:, None]
    if space.is_numpy:
        import scipy.linalg

        R, pivots = scipy.linalg.qr(W.T, mode="r", pivoting=True, check_finite=False)
        left = abs(R.diagonal()) / (weight * size)[pivots[:k]]
        return pivots[:k] if bool(xp.all(left > 1e-10)) else None
    chosen = []
    for _ in range(k):
        left = xp.sqrt(xp.sum(W**2, axis=1))
        i = int(xp.argmax(left))
        if not float(left[i]) > 1e-10 * float(weight[i] * size[i]):
            return None
        chosen.append(i)
        direction = W[i, :] / left[i]
        W = W - (W @ direction)[:, None] * direction
    return space.asarray(chosen, xp.int64)
