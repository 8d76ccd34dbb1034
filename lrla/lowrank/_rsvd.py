"""Singular triplets from one sketch: a few passes over the data, or a single one."""

from __future__ import annotations

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint
from lrla._core.random import Key
from lrla.lowrank._basis import inner
from lrla.lowrank._krylov import PROBES, Triplets
from lrla.lowrank._matrix import Matrix

_TRUNCATE = (
    10.0  # times u: singular values of the core that are left out (Nakatsukasa 2020, sec. 4)
)


def width(rank: int, least: int) -> int:
    """Return the columns of a sketch for a rank: 10 or half as many more."""
    return min(rank + max(10, rank // 2), least)


def subspace(matrix: Matrix, rank: int, passes: int, key: Key) -> tuple[Triplets, Array]:
    """Randomized subspace iteration (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1).

    Returns the triplets and A - U S V^H applied to the probes.
    """
    if passes < 2:
        raise ValueError("passes must be at least 2 for method 'rsvd', got 1; use 'single_pass'")
    m, n = matrix.shape
    columns, xp = width(rank, min(m, n)), matrix.space.xp
    start, G = matrix.directions(key, 0, n, columns), matrix.gaussian(key, 1, n, PROBES)
    both = matrix.trial(xp.concat((start, G), axis=1))
    Y, image = both[:, :columns], both[:, columns:]
    for _ in range(passes // 2 - 1):
        Q, _ = xp.linalg.qr(Y, mode="reduced")
        Q, _ = xp.linalg.qr(matrix.adjoint_times(Q), mode="reduced")
        Y = matrix.times(Q)
    Q, _ = xp.linalg.qr(Y, mode="reduced")
    T, R = xp.linalg.qr(matrix.adjoint_times(Q), mode="reduced")
    P, s, Wh = linalg.svd(adjoint(R))
    U, s, V = Q @ P[:, :rank], s[:rank], T @ adjoint(Wh[:rank, :])
    triplets = Triplets(U, s, V, None, columns)
    return triplets, image - U @ (s[:, None] * inner(V, G))


def single_pass(matrix: Matrix, rank: int, key: Key) -> tuple[Triplets, Array]:
    """Generalized Nystrom, A X (Y^H A X)^+ Y^H A, its core truncated (Nakatsukasa 2020).

    Both products are of the same pass; here each counts as half of it.
    """
    m, n = matrix.shape
    xp = matrix.space.xp
    right = min(2 * rank + 10, m, n)
    left = min(2 * right + 1, m)  # Tropp, Yurtsever, Udell and Cevher 2019, sec. 5.4
    X, G = matrix.directions(key, 0, n, right), matrix.gaussian(key, 1, n, PROBES)
    Y = matrix.directions(key, 2, m, left)
    both = matrix.trial(xp.concat((X, G), axis=1))
    AX, image = both[:, :right], both[:, right:]
    AY = matrix.adjoint_times(Y)
    matrix.passes -= 1
    P, core, Th = linalg.svd(inner(AY, X))
    kept = core > _TRUNCATE * matrix.u * core[0]
    inverse = xp.where(kept, 1 / xp.where(kept, core, xp.ones_like(core)), xp.zeros_like(core))
    # A ~ (AX T / core) (AY P)^H, both factors through their QR
    Q1, R1 = xp.linalg.qr(AX @ (adjoint(Th) * inverse[None, :]), mode="reduced")
    Q2, R2 = xp.linalg.qr(AY @ P, mode="reduced")
    L, s, Wh = linalg.svd(R1 @ adjoint(R2))
    U, s, V = Q1 @ L[:, :rank], s[:rank], Q2 @ adjoint(Wh[:rank, :])
    triplets = Triplets(U, s, V, None, right)
    return triplets, image - U @ (s[:, None] * inner(V, G))
