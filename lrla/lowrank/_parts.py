"""Columns, rows and projections of a matrix that may be dense, sparse, chunked or an operator."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, space_of, unit_roundoff
from lrla._core.operators import Operator, as_operator
from lrla.blocks import as_blocks
from lrla.lowrank._basis import is_orthonormal, preconditioned
from lrla.sketch import Gaussian

PROBES = 10
LEVEL = 0.95  # probability that the error is at most its bound
DOUBT = 0.1  # part of a difference of squared norms that may be rounding


def look(A: Any, name: str = "A") -> tuple[Operator, float | None]:
    """Check a matrix at the door: not empty, and neither infinite nor without digits, as far as seen.

    The second result is the Frobenius norm, where that takes no further pass.
    """
    op = as_operator(as_blocks(A), name)
    if 0 in op.shape:
        raise ValueError(f"{name} must have rows and columns, got shape {op.shape}")
    if op.kind not in ("dense", "sparse"):
        return op, None
    if op.kind == "sparse" and not op.A.has_canonical_format:
        A = op.A.copy()
        A.sum_duplicates()  # entries of one place are one entry, of which norms are made
        op = replace(op, A=A)
    size = linalg.norm(op.A if op.kind == "dense" else op.A.data)
    if not math.isfinite(size):  # overflow or worse
        op.check_entries(name)
    least = float(op.space.xp.finfo(op.dtype).smallest_normal)
    if 0 < size < least:  # the inverse of such a number is none
        raise ValueError(
            f"{name} must have a norm of at least {least:.1e}, the least number with all digits, got "
            f"{size:.1e}; multiply it by a power of two"
        )
    return op, size


def check_products(Y: Array, name: str = "A") -> float:
    """Refuse a matrix of which only products can be seen, if these are not finite; tell their norm."""
    size: float = linalg.norm(Y)
    if not math.isfinite(size):
        raise ValueError(f"{name} must be finite, got products with NaN or infinity")
    return size


def _units(op: Operator, size: int, indices: Array) -> Array:
    """Return the columns of the identity that these indices name."""
    xp = op.space.xp
    place = xp.arange(size, dtype=xp.int64, device=op.space.device)
    return xp.astype(place[:, None] == indices[None, :], op.dtype)


def places(op: Operator, columns: Array) -> Array:
    """Return ``eye(n)[columns]`` as a mask."""
    index = op.space.xp.arange(op.shape[1], dtype=columns.dtype, device=op.space.device)
    return columns[:, None] == index[None, :]


def take_columns(op: Operator, indices: Array) -> Any:
    """Return ``A[:, indices]``, sparse if A is."""
    xp = op.space.xp
    if op.kind == "operator":
        return op.matmat(_units(op, op.shape[1], indices))
    if op.kind == "sparse":
        return op.A[:, indices]
    if op.kind == "blocks":
        return xp.concat(op.A.map(lambda block, a, b: xp.take(block, indices, axis=1)), axis=0)
    return op.space.columns(op.A, indices)


def take_rows(op: Operator, indices: Array) -> Any:
    """Return ``A[indices, :]``, sparse if A is."""
    xp = op.space.xp
    if op.kind == "operator":
        return adjoint(op.rmatmat(_units(op, op.shape[0], indices)))
    if op.kind == "sparse":
        return op.A.tocsr()[indices, :]
    if op.kind == "blocks":
        order = xp.argsort(indices)
        ascending = xp.take(indices, order)

        def part(block: Array, a: int, b: int) -> Array:
            return xp.take(block, ascending[(ascending >= a) & (ascending < b)] - a, axis=0)

        return xp.take(xp.concat(op.A.map(part), axis=0), xp.argsort(order), axis=0)
    return op.space.rows(op.A, indices)


def dense(A: Any) -> Array:
    """Return some columns or rows as an array."""
    return A.toarray() if hasattr(A, "toarray") else A


def coordinates(op: Operator, Qh: Array) -> Array:
    """Multiply a few rows with A."""
    return Qh @ op.A if op.kind == "dense" else adjoint(op.rmatmat(adjoint(Qh)))


class Projection(NamedTuple):
    """Columns of A and a basis of them: A ~ Q Q^H A."""

    columns: Array  # their indices
    C: Any  # the columns
    Q: Array  # orthonormal
    T: Array  # C = Q T, upper triangular
    coordinates: Array | None  # Q^H A, where that is known

    def cut(self, k: int) -> Projection:
        """Keep the first k columns."""
        B = None if self.coordinates is None else self.coordinates[:k, :]
        return Projection(self.columns[:k], self.C[:, :k], self.Q[:, :k], self.T[:k, :k], B)


def project(
    op: Operator, columns: Array, factor: Array | None, basis: tuple[Array, Array] | None,
    rcond: float,
) -> Projection:  # fmt: skip
    """Factor some columns: of those that depend on the ones before them, none is kept.

    With the triangular factor of a sketch of them this is done by Cholesky, in less than the time
    of Householder's reflections; a basis with its coordinates, if it is orthonormal, is the answer.
    """
    xp = op.space.xp
    C, B = take_columns(op, columns), None
    if basis is not None and is_orthonormal(basis[0]):
        Q, B = basis
        T = xp.triu(xp.take(B, columns, axis=1))
    else:
        found = None if factor is None else preconditioned(dense(C), factor)
        Q, T = found or linalg.qr(dense(C))
    base = Projection(columns, C, Q, T, B)
    if columns.shape[0]:
        sizes = xp.abs(xp.linalg.diagonal(T))
        full = sizes > rcond * xp.max(sizes)
        if not bool(xp.all(full)):
            return base.cut(int(xp.argmin(xp.astype(full, xp.int8))))
    return base


def frobenius(op: Operator, Y: Array) -> float:
    """Return the Frobenius norm of A; where entries cannot be read, that of a sketch Y of it."""
    if op.kind == "dense":
        return linalg.norm(op.A)
    if op.kind == "sparse":
        return linalg.norm(op.A.data)
    if op.kind == "blocks":
        return float(np.linalg.norm(op.A.map(lambda block, a, b: linalg.norm(block))))
    return linalg.norm(Y)  # probes or a sketch: their squared norm has the mean of that of A


def probes(op: Operator, seed: int) -> Array:
    """Draw a few Gaussian vectors, which tell how far anything is from A.

    With N(0, 1/q) entries of the q columns of G, ``norm(G^H @ E)**2`` has mean ``norm(E)**2``.
    """
    G = Gaussian(PROBES, op.shape[0], rng=seed).T.apply(np.eye(PROBES))
    return op.space.asarray(G, op.dtype)


class Rest(NamedTuple):
    """The norm of what an approximation leaves of a matrix, or an estimate, and a bound of it."""

    error: float
    bound: float
    passes: int = 0  # over the matrix that it took to find out

    def and_more(self, norm: float) -> Rest:
        """Add what is orthogonal to it."""
        return Rest(math.hypot(self.error, norm), math.hypot(self.bound, norm), self.passes)


def doubt_of_squares(shape: tuple[int, ...], k: int, u: float) -> float:
    """Bound what rounding may do to a difference of squared norms, relative to that of A.

    It comes from sums of squares and products, and from what bases of k vectors lack of being
    orthonormal.
    """
    return (4 * math.prod(shape) ** 0.5 + 10 * k) * u


def left_by_norms(size: float, shape: tuple[int, ...], B: Array) -> Rest | None:
    """Measure ``A - Q B`` or ``A - Q B V^H`` by Pythagoras, Q and V orthonormal, B coordinates of A.

    None if rounding may be more than a tenth of the difference of the squared norms of A and B.
    """
    if not size > 0:
        return None
    part = linalg.norm(B) / size
    square = (1 - part) * (1 + part)
    doubt = doubt_of_squares(shape, min(B.shape), unit_roundoff(space_of(B).xp, B.dtype))
    if not doubt <= DOUBT * square:
        return None
    return Rest(size * square**0.5, size * (square + doubt) ** 0.5)


def left_by(
    op: Operator, size: float, factors: tuple[Array, ...], seed: int,
    probed: tuple[Array, Array] | None,
) -> Rest:  # fmt: skip
    """Measure ``A - Q B`` or ``A - Q B V^H``, as `left_by_norms` does, or else by probes.

    So for a linear operator, whose norm is not known. Probes, with their products with A, are those
    at hand, if there are any.
    """
    if op.kind != "operator":
        left = left_by_norms(size, op.shape, factors[1])
        if left is not None:
            return left
    G, GA = probed or probe(op, seed)
    image = adjoint(G)
    for factor in factors:
        image = image @ factor
    error = linalg.norm(GA - image)
    return Rest(error, bound_of(error), 0 if probed else 1)


def probe(op: Operator, seed: int) -> tuple[Array, Array]:
    """Return a few Gaussian vectors G, and G^H A."""
    G = probes(op, seed)
    return G, coordinates(op, adjoint(G))


def bound_of(error: float) -> float:
    """Turn an estimate by probes into a bound that holds with probability `LEVEL`.

    The squared estimate is a sum of chi-squared variables with weights. Its lower quantile is
    least if the error has rank one, when it is that of chi-squared with as many degrees of freedom
    as there are probes; so the bound holds for every spectrum.
    """
    from scipy.special import gammaincinv

    return error * (PROBES / (2 * float(gammaincinv(PROBES / 2, 1 - LEVEL)))) ** 0.5
