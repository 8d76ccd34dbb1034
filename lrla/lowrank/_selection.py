"""Which columns represent a matrix: pivots of a sketch, of the matrix itself, or at random."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, numpy_space, space_of, unit_roundoff
from lrla._core.operators import Operator
from lrla._core.random import Domain, key_of, tag
from lrla._core.threads import ranges
from lrla.kernels import philox
from lrla.kernels.pivoted_qr import pivoted_qr
from lrla.kernels.rejection import rejection_cholesky
from lrla.lowrank._parts import (
    Rest,
    check_products,
    coordinates,
    dense,
    left_by_norms,
    places,
    take_columns,
)
from lrla.sketch import SketchOperator, make

OVERSAMPLE = 10  # rows of the sketch beyond the rank: Voronin and Martinsson 2017, sec. 5
DIGITS = 1e-10  # squares that fell by this much are computed afresh
SWAP = 2.0  # the factor f of Gu and Eisenstat


class Choice(NamedTuple):
    """Columns in the order of their pivots, and what chose them."""

    columns: Array
    tail: float = 0.0  # of the norm of a sketch, the part that columns like these leave
    sketch: SketchOperator | None = None
    left: Rest | None = None  # what they leave of A, where the choice has found it
    factor: Array | None = None  # triangular: of their QR factorization, in a sketch
    basis: tuple[Array, Array] | None = None  # Q of them, and Q^H A, where the choice has made them


class Search(NamedTuple):
    """What is looked for."""

    op: Operator
    rank: int  # at most so many columns
    tol: float  # fewer if they leave no more than this fraction of the norm
    seed: int


def _sketched(search: Search) -> tuple[Array, SketchOperator | None]:
    op, d = search.op, search.rank + OVERSAMPLE
    if d >= op.shape[0] and op.kind != "operator":
        return op.todense(), None
    S = make("sparse_sign", d, op.shape[0], rng=search.seed)
    return S @ op.A, S


def sketch_qrp(search: Search) -> Choice:
    """Choose the pivots of a QR of a sketch."""
    Y, S = _sketched(search)
    size = check_products(Y)
    columns, Q, R, left = pivoted_qr(Y, search.rank)
    tail = linalg.norm(left) / size if size else 0.0
    if S is None:
        return Choice(columns, tail, basis=(Q, R))
    return Choice(columns, tail, S, factor=search.op.space.xp.take(R, columns, axis=1))


def sketch_lupp(search: Search) -> Choice:
    """Pivot rows of the adjoint of a sketch by LU, then order the pivots by QR."""
    Y, S = _sketched(search)
    check_products(Y)
    xp, columns = search.op.space.xp, linalg.pivoted_lu(Y, search.rank)
    order, _, R, _ = pivoted_qr(xp.take(Y, columns, axis=1), columns.shape[0])
    return Choice(xp.take(columns, order), sketch=S, factor=xp.take(R, order, axis=1))


def _needs_entries(search: Search, method: str) -> Array:
    op = search.op
    if op.kind not in ("dense", "blocks"):
        what = "a sparse matrix" if op.kind == "sparse" else "a linear operator"
        raise ValueError(
            f"method {method!r} factors A itself, got {what}; use 'sketch_qrp', or make A dense"
        )
    return op.todense()


def qrp(search: Search) -> Choice:
    """Choose the pivots of a QR of the matrix."""
    return _cut(search, _needs_entries(search, "qrp"))


def _cut(search: Search, A: Array) -> Choice:
    """Choose by pivoted QR, no more columns than the tolerance asks for."""
    columns, Q, B, _ = pivoted_qr(A, search.rank)
    size = linalg.norm(A)
    left = left_by_norms(size, A.shape, B) or exactly(A - Q @ B)
    if search.tol > 0:
        k = shortest(B, left.error, search.tol * size)
        columns, left = columns[:k], left.and_more(linalg.norm(B[k:, :]))
        Q, B = Q[:, :k], B[:k, :]
    return Choice(columns, left=left, basis=(Q, B))


def exactly(E: Array) -> Rest:
    error = linalg.norm(E)
    return Rest(error, error)


def shortest(B: Array, tail: float, goal: float) -> int:
    """Return the least k for which rows k and on of B, and the tail, have at most norm goal."""
    xp = space_of(B).xp
    if not goal > tail:
        return int(B.shape[0])
    squares = xp.flip((linalg.norm(B, axis=1) / goal) ** 2)
    allowed = 1.0 - (tail / goal) ** 2
    return int(B.shape[0]) - int(xp.sum(xp.astype(xp.cumulative_sum(squares) <= allowed, xp.int64)))


def srrqr(search: Search) -> Choice:
    """Exchange pivots of a QR while an exchange raises the volume by more than `SWAP`."""
    A = _needs_entries(search, "srrqr")
    R = linalg.qr_r(A) if A.shape[0] > A.shape[1] else A
    order = pivoted_qr(R, search.rank)[0]
    order = order[: _independent(R, order)]
    most, k = order.shape[0], min(_cut(search, R).columns.shape[0], order.shape[0])
    while True:
        columns, left = _exchange(search.op, R, order[:k])
        if k == most or left.error <= search.tol * linalg.norm(R):
            return Choice(columns, left=left)
        k = min(most, k + max(1, k // 10))  # exchanges may cost some of the error


def _exchange(op: Operator, R: Array, columns: Array) -> tuple[Array, Rest]:
    xp, k, n = op.space.xp, columns.shape[0], R.shape[1]
    if k == 0:
        return columns, exactly(R)
    columns = xp.asarray(columns, copy=True)
    while True:
        Q, T = linalg.qr(xp.take(R, columns, axis=1))
        B = adjoint(Q) @ R
        far = linalg.norm(R - Q @ B, axis=0)
        near = linalg.norm(linalg.solve_triangular(T, op.space.eye(k, T.dtype)), axis=1)
        # squares of the factors by which exchanges change the volume: Gu and Eisenstat, lemma 3.1
        gain = xp.abs(linalg.solve_triangular(T, B)) ** 2 + (near[:, None] * far[None, :]) ** 2
        inside = xp.any(places(op, columns), axis=0)
        gain = xp.reshape(xp.where(inside[None, :], xp.zeros_like(gain), gain), (-1,))
        best = int(xp.argmax(gain))
        if not float(gain[best]) > SWAP**2:
            return columns, exactly(far)
        columns[best // n] = best % n


def _independent(R: Array, columns: Array) -> int:
    """Count the columns before the first one that depends on them, to rounding."""
    xp = space_of(R).xp
    if not columns.shape[0]:
        return 0
    sizes = xp.abs(xp.linalg.diagonal(linalg.qr(xp.take(R, columns, axis=1))[1]))
    full = sizes > max(R.shape) * float(xp.finfo(R.dtype).eps) * xp.max(sizes)
    return int(columns.shape[0]) if bool(xp.all(full)) else int(xp.argmin(xp.astype(full, xp.int8)))


def rpqr(search: Search) -> Choice:
    """Draw pivots by what is left of each column, several at a time by rejection."""
    op, xp = search.op, search.op.space.xp
    if op.kind == "operator":
        raise ValueError(
            "method 'rpqr' needs the norms of the columns of A, got a linear operator; use "
            "'sketch_qrp'"
        )
    lengths = _column_norms(op)
    unit = float(xp.max(lengths))
    if unit == 0:
        return Choice(_none(op))
    d = xp.astype((lengths / unit) ** 2, xp.float64)
    first, total, fresh = d, float(xp.sum(d)), float(xp.sum(d))
    columns, Q = _none(op), op.space.zeros((op.shape[0], 0), op.dtype)
    B = op.space.zeros((0, op.shape[1]), op.dtype)
    draw, rejected = Draws(search.seed), False
    while columns.shape[0] < search.rank:
        if rejected or float(xp.sum(d)) <= DIGITS * fresh:  # the differences are mostly rounding
            d = _left(op, Q, unit, first)
            fresh = float(xp.sum(d))
        if not fresh > 0 or float(xp.sum(d)) <= (search.tol / 2) ** 2 * total:
            break
        size = max(OVERSAMPLE, min(search.rank // 4, search.rank - columns.shape[0] + 10))
        proposed, uniform = draw.from_weights(d, size)
        C = dense(take_columns(op, proposed)) / unit
        C = C - Q @ (adjoint(Q) @ C)
        C = C - Q @ (adjoint(Q) @ C)
        count = search.rank - columns.shape[0]
        _, accepted = rejection_cholesky(adjoint(C) @ C, xp.take(d, proposed), uniform, count)
        (kept,) = xp.nonzero(accepted)
        rejected = not kept.shape[0]
        if rejected:
            continue
        columns = xp.concat([columns, xp.take(proposed, kept)])
        new = linalg.qr(xp.take(C, kept, axis=1))[0]
        Q = xp.concat([Q, new], axis=1)
        rows = coordinates(op, adjoint(new))
        B = xp.concat([B, rows], axis=0)
        d = d - xp.astype(linalg.norm(rows, axis=0) / unit, xp.float64) ** 2
        gone = (d <= 0) | xp.any(places(op, columns), axis=0)
        d = xp.where(gone, xp.zeros_like(d), d)
    return Choice(columns, basis=(Q, B))


def _left(op: Operator, Q: Array, unit: float, first: Array) -> Array:
    """Compute the squared norms of what is left of the columns, zero where that is rounding."""
    xp = op.space.xp
    parts = []
    for a, b in ranges(op.shape[1], 256):
        index = xp.arange(a, b, dtype=xp.int64, device=op.space.device)
        C = dense(take_columns(op, index)) / unit
        C = C - Q @ (adjoint(Q) @ C)
        parts.append(xp.astype(linalg.norm(C, axis=0), xp.float64) ** 2)
    d = xp.concat(parts)
    noise = 10 * max(op.shape) * unit_roundoff(xp, op.dtype)
    return xp.where(d > noise**2 * first, d, xp.zeros_like(d))


def _none(op: Operator) -> Array:
    return op.space.zeros((0,), op.space.xp.int64)


def _column_norms(op: Operator) -> Array:
    xp = op.space.xp
    if op.kind == "dense":
        return linalg.norm(op.A, axis=0)
    if op.kind == "blocks":
        return linalg.norm(
            xp.stack(op.A.map(lambda block, a, b: linalg.norm(block, axis=0))), axis=0
        )
    A = op.A.tocsc()
    peak = max(float(xp.max(xp.abs(A.data))), 1e-300) if A.nnz else 1.0
    scaled = abs(A) / peak
    return peak * xp.sqrt(op.space.asarray(scaled.multiply(scaled).sum(axis=0)).reshape(-1))


class Draws:
    """Numbers for one block of proposals after the other."""

    def __init__(self, seed: int) -> None:
        self.key = key_of(seed)
        self.block = 0

    def from_weights(self, weights: Array, size: int) -> tuple[Array, Array]:
        """Draw indices in proportion to weights, and a uniform number for each."""
        space = space_of(weights)
        xp = space.xp
        drawn = philox.uniform(numpy_space(), self.key, tag(Domain.SAMPLE, self.block), 0, size, 2)
        self.block += 1
        sums = xp.cumulative_sum(weights)
        places = xp.searchsorted(sums, space.asarray(drawn[:, 0]) * sums[-1], side="right")
        last = int(xp.max(xp.nonzero(weights)[0]))  # rounding may lead past it
        return xp.clip(xp.astype(places, xp.int64), max=last), space.asarray(drawn[:, 1])


METHODS: dict[str, Callable[[Search], Choice]] = {
    "sketch_qrp": sketch_qrp,
    "sketch_lupp": sketch_lupp,
    "rpqr": rpqr,
    "qrp": qrp,
    "srrqr": srrqr,
}
GROWING = ("sketch_qrp", "sketch_lupp")  # these are given a rank: a tolerance is sought by doubling
