"""Block Lanczos bidiagonalisation: the leading singular triplets, by few products with blocks.

From a random block V_0 the recurrence of Golub, Luk and Overton (1981) makes, step by step,

    A V = U B        A^H U = V B^H + V_next L E^H

with B block bidiagonal and E^H selecting the last block of U. Singular triplets of B give those of A;
``norm(L @ p)``, p the last entries of a left singular vector of B, is the norm of what the triplet
leaves of A^H u - s v. Only the basis V of the short side is orthogonalised in full: U inherits what
matters, and the whole is backward stable (Simon and Zha 2000; Barlow 2013).

Of sparse data only V is held: its products cost less than a long basis does, and A V_k, k triplets
wanted, gives the left vectors at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint
from lrla._core.iteration import Loop
from lrla._core.random import Key
from lrla._core.results import Status
from lrla.lowrank._basis import Basis, inner, orthonormal
from lrla.lowrank._matrix import Side

PROBES = 10  # independent Gaussian vectors that measure the error: Halko et al. 2011, Lemma 4.1
# Halko, Martinsson and Tropp 2011, Lemma 4.1 with alpha = 10: fails with probability 10**-PROBES
BOUND = 10 * math.sqrt(2 / math.pi)
_FIRST_INJECTION = 8  # stream of the random block added first; start and probes have lower ones
_MEMORY = 1 << 27  # numbers in both bases before they are compressed: 1 GiB of float64
_SPARSE = 6  # times the columns wanted: where a basis of sparse data is compressed
_AMPLIFIED = 10.0  # rounding errors at most, in the first product after a restart
_GROWTH = 0.15  # least growth of the bases between two looks at the singular values


@dataclass(frozen=True, slots=True, eq=False)
class Triplets:
    """Singular values and vectors of the matrix seen from one side, with residuals."""

    U: Array
    s: Array
    V: Array
    residuals: Array | None
    size: int  # of the Krylov space that they came from


@dataclass(frozen=True, slots=True, eq=False)
class Ritz:
    """What a look at the bidiagonal matrix shows."""

    P: Array  # left singular vectors, in the basis U
    s: Array
    Q: Array  # right ones, in the basis V
    residuals: Array


class Bidiagonal:
    """The recurrence and its bases; that of the long side is held if ``long``.

    They begin with the block ``start``, a random one by default.
    """

    def __init__(
        self, side: Side, key: Key, block: int, *, long: bool, start: Array | None = None
    ) -> None:
        matrix, (m, n) = side.matrix, side.shape
        self.side, self.key = side, key
        self.space, self.dtype, self.u = matrix.space, matrix.op.dtype, matrix.u
        self.block = min(block, n)
        self.V = Basis(self.space, n, self.dtype)
        self.U = Basis(self.space, m, self.dtype) if long else None
        self.rows = 0  # columns of U, held or not
        self.taken = 0  # columns of V, including those that a restart left out
        self.before: tuple[Array, Array] | None = None  # V and s, for U = A V / s of a restart
        self.blocks: list[tuple[Array, Array]] = []  # (block above the diagonal, on the diagonal)
        self.injected = 0  # how often random columns were added
        self.drawn = self.block  # random columns in the space: multiplicities up to this many show
        self.random = True  # all columns of the next block are random
        self.empty = False  # a random block gave nothing: A maps all outside of the bases to zero
        self.peak = 0.0  # largest singular value seen
        start = matrix.gaussian(key, 0, n, self.block) if start is None else start
        self.next, _ = orthonormal(start, 0.0, self.u)
        self.last = self.space.zeros((m, 0), self.dtype)  # newest block of U
        self.coupling = self.space.zeros((self.next.shape[1], 0), self.dtype)  # L
        G = matrix.gaussian(key, 1, n, PROBES)
        width = self.next.shape[1]
        both = self.begin(self.space.xp.concat((self.next, G), axis=1))
        self.first: Array | None = both[:, :width]
        self.probes, self.image = G, both[:, width:]

    def begin(self, X: Array) -> Array:
        """Multiply for the first time: that tells the scale, and whether all is finite."""
        return self.side.matrix.trial(X, flipped=self.side.flipped)

    @property
    def norm(self) -> float:
        """Largest singular value seen."""
        return self.peak

    @property
    def floor(self) -> float:
        """Size of rounding errors in a product: directions that small are not followed."""
        return 4 * self.u * self.peak * math.sqrt(max(self.side.shape))

    @property
    def exhausted(self) -> bool:
        """True when the Krylov space of the start block is complete."""
        return self.next.shape[1] == 0

    def step(self) -> None:
        """Add a block to either basis: two passes over the data."""
        Vn, above = self.next, adjoint(self.coupling)
        W = self._left(Vn, above)
        if not self.peak:
            self.peak = linalg.norm(W)
        Un, R = orthonormal(W, self.floor, self.u)
        if self.U is not None:
            self.U.append(Un)
        self.rows += Un.shape[1]
        self.V.append(Vn)
        self.taken += Vn.shape[1]
        self.blocks.append((above, R))
        self.last = Un
        self.random, self.empty = False, self.random and Un.shape[1] == 0
        if Un.shape[1]:
            Z = self.side.back(Un) - Vn @ adjoint(R)
            self.next, self.coupling = self.V.against(Z, self.floor, self.u)
        else:
            self.next, self.coupling = Vn[:, :0], self.space.zeros((0, 0), self.dtype)

    def _left(self, Vn: Array, above: Array) -> Array:
        """Compute A V_n less its part in the newest block of U."""
        if self.first is not None:
            W, self.first = self.first, None
            return W
        if self.before is not None:
            (V, s), self.before = self.before, None
            return self.side.times(Vn - V @ (above / s[:, None]))
        W = self.side.times(Vn)
        return W - self.last @ above if self.last.shape[1] else W

    def inject(self, count: int) -> None:
        """Add random columns to the next block: what the first ones could not reach shows up."""
        n = self.side.shape[1]
        matrix, xp = self.side.matrix, self.space.xp
        self.random = self.exhausted
        G = matrix.gaussian(self.key, _FIRST_INJECTION + self.injected, n, count)
        both = Basis(self.space, n, self.dtype)
        both.append(self.V.columns)
        both.append(self.next)
        Q, _ = both.against(G, 1e-8 * math.sqrt(n), self.u)
        width = Q.shape[1]
        self.next = xp.concat((self.next, Q), axis=1)
        zeros = self.space.zeros((width, self.coupling.shape[1]), self.dtype)
        self.coupling = xp.concat((self.coupling, zeros), axis=0)
        self.injected += 1

    def matrix(self) -> Array:
        """Return B, with rows of zeros if it would have fewer rows than columns."""
        B = self.space.zeros((max(self.rows, self.V.size), self.V.size), self.dtype)
        row = column = 0
        for above, diagonal in self.blocks:
            r, b = diagonal.shape
            B[row - above.shape[0] : row, column : column + b] = above
            B[row : row + r, column : column + b] = diagonal
            row, column = row + r, column + b
        return B

    def pad(self, rank: int) -> None:
        """Give V ``rank`` columns, knowing that A maps the new ones to zero."""
        if self.V.size < rank:
            self.inject(rank - self.V.size)
            empty = self.space.zeros((0, self.next.shape[1]), self.dtype)
            self.blocks.append((empty, empty))
            self.V.append(self.next)
            self.next, self.coupling = self.next[:, :0], self.coupling[:0, :]

    def ritz(self) -> Ritz:
        """Compute the singular triplets of B, one for each column."""
        B = self.matrix()
        P, s, Qh = linalg.svd(B)
        rows = self.rows
        tail = P[rows - self.last.shape[1] : rows, :]
        residuals = linalg.norm(self.coupling @ tail, axis=0)
        self.peak = float(s[0])
        return Ritz(P[:rows, :], s, adjoint(Qh), residuals)

    def room(self, least: int) -> int:
        """Return the columns of V at which to restart, if products are cheap."""
        return _SPARSE * least

    def kept(self, least: int, most: int) -> int:
        """Return how many of ``most`` Ritz vectors a restart keeps, ``least`` or more."""
        return max(least, most // 2)

    def leave(self, ritz: Ritz, rank: int, ratio: float) -> bool:
        """Tell whether another recurrence should take over, with such an error over the tolerance."""
        return False

    def compressible(self, ritz: Ritz, keep: int) -> bool:
        """Tell whether a restart is possible without loss of digits."""
        s = ritz.s[:keep]
        return self.U is not None or (
            self.before is None
            and float(s[-1]) > self.floor
            and bool(self.space.xp.all(ritz.residuals[:keep] <= _AMPLIFIED * s))
        )

    def compress(self, ritz: Ritz, keep: int) -> None:
        """Keep only the leading Ritz vectors: the thick restart of Wu and Simon (2000)."""
        tail = ritz.P[self.rows - self.last.shape[1] : self.rows, :keep]
        V, s = self.V.columns @ ritz.Q[:, :keep], ritz.s[:keep]
        self.coupling = self.coupling @ tail
        if self.U is None:
            self.before, self.last = (
                (V, s),
                self.space.zeros((self.side.shape[0], keep), self.dtype),
            )
        else:
            self.last = self.U.columns @ ritz.P[:, :keep]
            self.U.size = 0
            self.U.append(self.last)
        diagonal = self.space.eye(keep, self.dtype) * s[None, :]
        self.blocks = [(self.space.zeros((0, keep), self.dtype), diagonal)]
        self.rows, self.V.size = keep, 0
        self.V.append(V)

    def shown(self, ritz: Ritz) -> Array:
        """Return what callbacks see."""
        return ritz.s

    def finish(self, ritz: Ritz, rank: int) -> Triplets:
        """Form the triplets in full, and measure their residuals in one more pass."""
        U, s, T = self._orthogonal(self._long(ritz, rank), ritz.s[:rank])
        V = self.V.columns @ (ritz.Q[:, :rank] @ T)
        residuals = linalg.norm(self.side.back(U) - V * s[None, :], axis=0)
        return Triplets(U, s, V, residuals, self.V.size)

    def _long(self, ritz: Ritz, rank: int) -> Array:
        """Form left Ritz vectors, up to a little of their orthogonality."""
        if self.U is not None:
            return self.U.columns @ ritz.P[:, :rank]
        xp, s = self.space.xp, ritz.s[:rank]
        some = s > self.u * self.norm  # the others are rounding
        safe = xp.where(some, s, xp.ones_like(s))
        inverse = xp.where(some, 1 / safe, xp.zeros_like(s))
        return self.side.times(self.V.columns @ (ritz.Q[:, :rank] * inverse[None, :]))

    def finish_half(self, rank: int) -> Triplets:
        """Form the triplets of U^H A, which is wider than B by the newest block of V."""
        xp, size = self.space.xp, self.rows
        extra = self.space.zeros((max(size, self.V.size), self.next.shape[1]), self.dtype)
        extra[size - self.last.shape[1] : size, :] = adjoint(self.coupling)
        assert self.U is not None
        P, s, Qh = linalg.svd(xp.concat((self.matrix(), extra), axis=1))
        U, s, T = self._orthogonal(self.U.columns @ P[:size, :rank], s[:rank])
        V = xp.concat((self.V.columns, self.next), axis=1) @ (adjoint(Qh[:rank, :]) @ T)
        return Triplets(U, s, V, None, self.V.size)

    def _orthogonal(self, W: Array, s: Array) -> tuple[Array, Array, Array]:
        """Repair W: one more Rayleigh-Ritz step makes its columns orthonormal."""
        Q, R = orthonormal(W, 0.1, self.u)
        if Q.shape[1] < W.shape[1]:  # singular values of zero: QR invents vectors for them
            Q, R = self.space.xp.linalg.qr(W, mode="reduced")
        left, s, Th = linalg.svd(R * s[None, :])
        return Q @ left, s, adjoint(Th)

    def remainder(self) -> Array:
        """Apply A - U B V^H to the probes."""
        X = inner(self.V.columns, self.probes)
        if self.U is None:
            return self.image - self.side.times(self.V.columns @ X)
        return self.image - self.U.columns @ (self.matrix()[: self.rows, :] @ X)

    def little_left(self, size: float) -> bool:
        """Tell whether the spectral norm of A - U B V^H is below ``size``, but for 1e-10."""
        longest = float(self.space.xp.max(linalg.norm(self.remainder(), axis=0)))
        return BOUND * longest <= size

    def error(self, U: Array, s: Array, V: Array) -> Array:
        """Apply the residual matrix A - U diag(s) V^H to the probes."""
        return self.image - U @ (s[:, None] * inner(V, self.probes))


def iterate(run: Bidiagonal, rank: int, loop: Loop, enough: Callable[[Ritz], float]) -> Ritz:
    """Take steps until ``enough(ritz)``, the error over the tolerance, is at most 1.

    ``rank`` is how many singular values are wanted; 0 if that is not known beforehand.
    """
    n, most = min(run.side.shape), _most(run, rank)
    following, seen = 0, (0, 0.0)
    # steps at which the newest random columns came in, and count as converged
    start, ripe = loop.iteration, 0
    for step in loop:
        run.step()
        full = run.V.size + 2 * run.next.shape[1] > most
        if run.empty:
            run.pad(rank)
        elif not (
            full or run.exhausted or run.V.size >= n
            or run.taken >= following or step == loop.max_iter
        ):  # fmt: skip
            continue
        ritz = run.ritz()
        ratio = loop.report(enough(ritz), run.shown(ritz))
        if loop.status is None and step < loop.max_iter and run.leave(ritz, rank, ratio):
            break
        good = ratio <= 1 and (step >= ripe or run.exhausted)
        if run.empty or run.V.size >= n or (good and not _hidden(run, ritz, rank)):
            loop.stop(Status.CONVERGED)
        if step == loop.max_iter:
            loop.stop(Status.MAX_ITER)
        if loop.status is not None:
            break  # with the bases that the Ritz vectors belong to
        if good or run.exhausted:
            # new columns need as many steps as the old ones before what they show can be judged
            start, ripe = step, 2 * step - start
            run.inject(run.block)
            run.drawn += run.block
        elif full:
            keep = run.kept(rank + run.block, most)
            if run.compressible(ritz, keep):
                run.compress(ritz, keep)
            else:
                most += most // 2
        elif 2 * run.next.shape[1] < run.block:  # narrow blocks cost as many passes as wide ones
            run.inject(run.block - run.next.shape[1])
        now = run.taken, ratio
        following, seen = _next_look(seen, now, run.block), now
    return ritz


def _most(run: Bidiagonal, rank: int) -> int:
    """Return the columns of V at which to restart."""
    least = rank + run.block
    memory = max(3 * least, _MEMORY // sum(run.side.shape))
    # of sparse data products are so cheap that a large basis costs more than some steps again
    return min(memory, run.room(least)) if rank and run.side.matrix.op.kind == "sparse" else memory


def _hidden(run: Bidiagonal, ritz: Ritz, rank: int) -> bool:
    """Tell whether a singular value may have copies that the random blocks so far cannot show.

    The Krylov space of s random vectors holds s vectors of each singular subspace of higher
    dimension, and values that differ by less than the tolerance look like copies. So a value that
    shows s times may have more copies; they matter if smaller values stand in their place, and if
    what is left of A is large enough to hold them.
    """
    s = [float(v) for v in ritz.s[:rank]]
    same, copies = _same(run), 1
    for i in range(1, len(s) + 1):
        if i < len(s) and s[i - 1] - s[i] <= same:
            copies += 1
        elif copies >= run.drawn and s[i - copies] - s[-1] > same:
            return s[-1] < -same or not run.little_left(same)
        else:
            copies = 1
    return False


def _same(run: Bidiagonal) -> float:
    return 2 * run.u ** (2 / 3) * run.norm


def _next_look(before: tuple[int, float], now: tuple[int, float], block: int) -> int:
    """Predict the size at which the tolerance is met; go most of the way there."""
    (size0, ratio0), (size1, ratio1) = before, now
    if not (1 < ratio1 < ratio0 < math.inf and size1 > size0):
        return size1 + max(block, int(_GROWTH * size1))
    rate = math.log(ratio0 / ratio1) / (size1 - size0)
    return size1 + max(block, min(int(0.9 * math.log(ratio1) / rate), size1 // 2))
