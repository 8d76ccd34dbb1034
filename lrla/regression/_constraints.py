"""Linear equations that a solution has to satisfy: what is left free is a smaller problem.

In coordinates T in which the columns of A T are orthonormal and C T vanishes, a problem with
constraints is one without them. T is found from the rows of A and those of C together: these have
full rank whenever the solution is unique, even if those of A alone do not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import (
    Array,
    adjoint,
    as_array,
    check_finite,
    is_complex,
    space_of,
    unit_roundoff,
)
from lrla._core.errors import RankDeficientWarning, once, warn
from lrla._core.operators import Operator, is_sparse
from lrla.regression._lp_input import Question, below, column_norms
from lrla.sampling import LeverageResult, leverage_scores
from lrla.sketch import Whitening, whiten

_SLACK = 100  # times the threshold of the rank: how far equations may be from having a solution
_FIXED = 1e-14  # of how far others can go: what a coefficient can that the equations determine


@dataclass(frozen=True, slots=True, eq=False)
class Constraints:
    """Equations ``C x = c``, and what is needed to get from any point to one that satisfies them.

    Parameters
    ----------
    C : array of shape (q, n)
        Coefficients.
    c : array of shape (q, p) or (q,)
        Right-hand sides, one for each of the problem, or for one of them.
    scale : array of shape (n,)
        Norms of the columns of A: what is small and large is measured in these units.
    V : array of shape (n, k)
        An orthonormal basis of the rows of C in these units.
    P : array of shape (n, q)
        The pseudoinverse of C in these units.
    """

    C: Array
    c: Array
    scale: Array
    V: Array
    P: Array

    def meet(self, X: Array, P: Array | None = None) -> Array:
        """Return the nearest points that satisfy the equations."""
        P = self.P if P is None else P
        for _ in range(2):  # the second time for what rounding has left
            X = X + P @ (self.c - self.C @ X)
        return X

    def meet_beside_zeros(self, x: Array) -> Array:
        """Return the nearest point, in the norm of all columns, that has the same zeros."""
        xp = space_of(x).xp
        free = xp.astype(x != 0, x.dtype) / self.scale
        C = self.C * free
        size = linalg.norm(adjoint(C), axis=0)[:, None]
        size = xp.where(size > 0, size, xp.ones_like(size))
        return self.meet(x, free[:, None] * xp.linalg.pinv(C / size) / size[:, 0])

    def side(self, j: int) -> Constraints:
        """Return the equations for one right-hand side."""
        return replace(self, c=self.c[:, j])

    def point(self) -> Array:
        """Return the shortest solution of the equations, in units of the columns."""
        return self.meet(self.P @ self.c)

    def whiten(self, op: Operator, seed: int) -> Whitening:
        """Do as `lrla.sketch.whiten` for what the equations leave free."""
        with once(RankDeficientWarning, told=True):
            white = whiten(self._with_rows(op).A, rng=seed)
        return replace(white, T=self._free(white.T, white.rank))

    def leverage(self, op: Operator, weights: Array, seed: int) -> LeverageResult:
        """Do as `lrla.sampling.leverage_scores` alike; the scores are upper bounds."""
        xp = op.space.xp
        more = xp.mean(weights) * xp.ones(
            (self.V.shape[1],), dtype=weights.dtype, device=op.space.device
        )
        with once(RankDeficientWarning, told=True):
            found = leverage_scores(
                self._with_rows(op).A, weights=xp.concat((weights, more)), rng=seed
            )
        T = self._free(found.T, found.rank)
        return replace(found, T=T, scores=found.scores[: op.shape[0]])

    def _with_rows(self, op: Operator) -> Operator:
        rows = adjoint(self.V) * self.scale
        return below(op, op.space.xp.astype(rows, op.dtype))

    def _free(self, T: Array, rank: int) -> Array:
        """Return coordinates within those of A and C together in which C vanishes.

        The columns are turned so that each is as large as what it stands for: as in A alone, what
        is well determined does not suffer from what is not.
        """
        n, q = (int(v) for v in self.V.shape)
        xp = space_of(self.V).xp
        if rank < n:
            warn(
                f"A and the constraints together have rank {rank}, less than the {n} columns",
                RankDeficientWarning,
            )
        T = self.scale[:, None] * xp.astype(T, self.V.dtype)
        Vh = xp.linalg.svd(adjoint(self.V) @ T, full_matrices=True).Vh
        T = T @ adjoint(Vh[q:, :])
        if T.shape[1]:
            U, s, _ = linalg.svd(T)
            T = U * s
        T = T / self.scale[:, None]
        T = T - self.P @ (self.C @ T)
        size = linalg.norm(adjoint(T), axis=0) * self.scale
        most = xp.max(size) if T.shape[1] else 1.0
        return xp.where((size > _FIXED * most)[:, None], T, xp.zeros_like(T))


def constraints_of(constraints: Any, asked: Question) -> Constraints:
    """Check the equations, and leave out what follows from others."""
    op, xp, n = asked.op, asked.op.space.xp, asked.size[1]
    C, c = _pair(constraints, asked)
    threshold = max(int(C.shape[0]), n, 30) * unit_roundoff(xp, C.dtype)
    C, c = (xp.astype(v, asked.B.dtype) for v in (C, c))
    scale = column_norms(op)
    rows = C / scale
    size = linalg.norm(adjoint(rows), axis=0)[:, None]
    size = xp.where(size > 0, size, xp.ones_like(size))
    U, s, Vh = linalg.svd(rows / size)
    rank = linalg.rank_of(s, threshold)
    U, V = U[:, :rank], adjoint(Vh[:rank, :])
    P = (V / s[:rank]) @ adjoint(U / size) / scale[:, None]
    held = Constraints(C, c, scale, V, P)
    x = held.point()
    terms = abs(C) @ abs(x) + abs(c)
    left = abs(C @ x - c) / xp.where(terms > 0, terms, xp.ones_like(terms))
    worst = float(xp.max(left))
    if worst > _SLACK * threshold:
        raise ValueError(
            f"constraints must have a solution: C has rank {rank}, and the nearest x leaves "
            f"{worst:.1e} of the terms of an equation"
        )
    return held


def _pair(constraints: Any, asked: Question) -> tuple[Array, Array]:
    """Return C and c as matrices of the library of the data."""
    n, sides = asked.size[1], int(asked.B.shape[1])
    if not isinstance(constraints, tuple | list) or len(constraints) != 2:
        raise TypeError(
            f"constraints must be a pair (C, c), for C @ x = c, got {type(constraints).__name__}"
        )
    C, c = constraints
    C = as_array(C.toarray() if is_sparse(C) else C, "C in constraints")
    c = as_array(c, "c in constraints", ndim=(1, 2))
    space = space_of(asked.B, C, c)
    if C.shape[1] != n:
        raise ValueError(
            f"C in constraints must have one column for each of A, got {C.shape[1]} for {n}"
        )
    q = int(C.shape[0])
    if q == 0:
        raise ValueError("C in constraints must have at least one row; pass None for none")
    shapes = [(q,)] if asked.vector else [(q,), (q, sides)]
    if tuple(c.shape) not in shapes:
        raise ValueError(
            f"c in constraints must have shape {' or '.join(map(str, shapes))}, got "
            f"{tuple(c.shape)}"
        )
    check_finite(C, "C in constraints")
    check_finite(c, "c in constraints")
    if (is_complex(C) or is_complex(c)) and not is_complex(asked.B):
        raise TypeError("constraints must be real where A and b are, got complex numbers")
    c = c[:, None] + space.zeros((q, sides), c.dtype) if c.ndim == 1 else c
    return C, c
