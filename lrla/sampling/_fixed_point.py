"""The iterations behind `lewis_weights`, in logarithms of the weights."""

from __future__ import annotations

import contextlib
import math
from typing import Any

from lrla._core.arrays import Array, space_of, unit_roundoff
from lrla._core.iteration import Loop
from lrla._core.results import Status
from lrla.sampling._frame import Frame

_MEMORY = 10  # steps that Anderson acceleration looks back on
_WORSE = 2.0  # times the best residual: the memory is of no use
_NOISE = 1e-12  # eigenvalues of the small problem below this fraction of the largest are rounding
_SAFE = 5  # steps of plain descent after that
_LARGE = 64.0  # p up to which the same weights for all rows are a good start
_LOOSE = 0.5  # residual at which p is doubled
_PATIENCE = 60  # iterations without a better residual after which rounding is to blame


class Iterate:
    """The current weights, and what they reproduce.

    Parameters
    ----------
    frame : Frame
        The rows.
    p : float
        The norm.

    Attributes
    ----------
    l : array of shape (m,)
        Logarithms of the weights; for rows of zeros without meaning.
    T : array of shape (n, rank)
        Coordinates of the last step.
    noise : float
        Residual that rounding leaves: smaller ones are chance.
    """

    def __init__(self, frame: Frame, p: float) -> None:
        self.frame, self.p = frame, p
        space, self.real = frame.op.space, frame.op.real_dtype
        self.xp = space.xp
        m = frame.op.shape[0]
        # logarithms of weights need the precision of their dtype at sizes up to hundreds
        self.l = space.zeros((m,), self.xp.float64) + math.log(max(frame.rank, 1) / m)
        self.zero: Array | None = None
        self.T = frame.T
        u = unit_roundoff(self.xp, self.real)
        self.noise = 8 * u * math.sqrt(frame.rank)

    def step(self) -> tuple[Array, Array]:
        """Return f = log s - l, zero for rows of zeros, and s: the leverage scores for l."""
        xp, c = self.xp, 1 - 2 / self.p
        exponent = c * self.l
        if self.frame.rank == 0:
            self.zero = self.l == self.l
            return xp.zeros_like(self.l), xp.zeros_like(self.l)
        if self.zero is not None:
            exponent = xp.where(self.zero, -math.inf, exponent)
        shift = xp.max(exponent)
        q, T = self.frame.quadratic(xp.astype(xp.exp(exponent - shift), self.real))
        self.T = T * math.exp(-float(shift) / 2)
        q = xp.astype(q, xp.float64)
        if self.zero is None:
            self.zero = q == 0  # for a well-conditioned start nothing else is
            exponent = xp.where(self.zero, -math.inf, exponent)
        log_q = xp.log(xp.where(self.zero | (q <= 0), xp.ones_like(q), q)) - shift
        f = log_q if math.isinf(self.p) else log_q - (2 / self.p) * self.l
        f = xp.where(self.zero | (q <= 0), xp.zeros_like(q), f)
        return f, xp.where(self.zero, xp.zeros_like(q), xp.exp(exponent + log_q))

    def weights(self) -> tuple[Array, int]:
        """Return the weights in the dtype of the data, and how many underflowed."""
        xp = self.xp
        w = xp.astype(xp.exp(self.l), self.real)
        if self.zero is None:
            return w, 0
        lost = int(xp.sum(xp.astype((w == 0) & ~self.zero, xp.int64)))
        return xp.where(self.zero, xp.zeros_like(w), w), lost


def plain(state: Iterate, loop: Loop, tol: float) -> float:
    """Iterate as Cohen and Peng do: w_i = q_i(w^(1 - 2/p))^(p/2)."""
    return _descend(state, loop, tol, lambda f, s: state.p / 2 * f)


def accelerated(state: Iterate, loop: Loop, tol: float) -> float:
    """Damp by p / sqrt(p + 2) and accelerate by Anderson's method.

    That damping is between the best without acceleration, 2p / (p + 2), and p / 2, which ends the
    error of all rows that follow the others; for p <= 2 it is the latter. Large p is doubled step by
    step, each solution the start of the next.
    """
    p, residual = state.p, math.inf
    path = [p]
    while path[0] > _LARGE:
        path.insert(0, path[0] / 2)
    for state.p in path:
        last = state.p == p
        residual = _descend(state, loop, tol if last else max(tol, _LOOSE), Anderson(state.p))
        if last or loop.status in (Status.STOPPED, Status.MAX_ITER):
            break
        loop.status = None
    if state.p != p:
        state.p, residual = p, math.inf
        with contextlib.suppress(ArithmeticError):
            residual = float(state.xp.max(abs(state.step()[0])))
    return residual


def _descend(state: Iterate, loop: Loop, tol: float, move: Any) -> float:
    """Add steps to l until the residual is small; leave the best l in the state."""
    xp = state.xp
    best, best_l, best_T, since = math.inf, state.l, state.T, 0
    for _ in loop:
        try:
            f, s = state.step()
        except ArithmeticError:  # weights so uneven that rows which matter are lost in rounding
            loop.stop(Status.STAGNATED)
            break
        error = max(float(xp.max(abs(f))), state.noise)
        since += 1
        if error < best:
            best, best_l, best_T, since = error, state.l, state.T, 0
        if loop.report(error, xp.exp(state.l)) <= tol:
            loop.stop(Status.CONVERGED)
        elif since > _PATIENCE or error <= state.noise:
            loop.stop(Status.STAGNATED)
        state.l = state.l + move(f, s)
    state.l, state.T = best_l, best_T
    return best


class Anderson:
    """Steps that combine the last ones so that the linear part of the residual is smallest.

    Parameters
    ----------
    p : float
        The norm.
    """

    def __init__(self, p: float) -> None:
        self.p, self.damping = p, min(p / 2, p / math.sqrt(p + 2))
        self.steps: list[Array] = []
        self.changes: list[Array] = []
        self.last: tuple[Array, Array] | None = None
        self.best, self.careful = math.inf, 0

    def __call__(self, f: Array, s: Array) -> Array:
        """Return the step to take, given the residual and the leverage scores."""
        xp = space_of(f).xp
        error = float(xp.max(abs(f)))
        if self.last is not None:
            step, before = self.last
            self.steps, self.changes = (
                [*self.steps, step][-_MEMORY:],
                [*self.changes, f - before][-_MEMORY:],
            )
        if error > _WORSE * self.best:
            self.steps, self.changes, self.careful = [], [], _SAFE
        self.best = min(self.best, error)
        damping = min(1.0, self.p / 2) if self.careful > 0 else self.damping
        self.careful -= 1
        step = self._combine(f, s, damping)
        self.last = step, f
        return step

    def _combine(self, f: Array, s: Array, damping: float) -> Array:
        xp = space_of(f).xp
        # constants are one more direction: f changes by -1 where l changes by 1
        F = xp.stack([*self.changes, -xp.ones_like(f)])
        L = xp.stack([*self.steps, xp.ones_like(f)])
        weighted = F * s
        H, h = weighted @ F.T, weighted @ f
        size = xp.sqrt(xp.linalg.diagonal(H))
        size = xp.where(size > 0, size, xp.ones_like(size))
        values, V = xp.linalg.eigh(H / size / size[:, None])
        kept = values > _NOISE * values[-1]
        inverse = xp.where(kept, 1 / xp.where(kept, values, xp.ones_like(values)), 0.0)
        g = V @ (inverse * (V.T @ (h / size))) / size
        return damping * f - g @ (L + damping * F)


def averaged(state: Iterate, loop: Loop, tol: float) -> float:
    """Average so many undamped steps that exp(tol) times the mean bounds its scores from above.

    For p >= 2 the map w -> log(s_i(w) / w_i) is convex, so at the mean of T iterates it is at most
    the mean of log(w_(t+1) / w_t), which is log(w_(T+1) / w_1) / T <= log(m / rank) / T.
    """
    xp = state.xp
    rounds = max(1, math.ceil(math.log(state.l.shape[0] / max(state.frame.rank, 1)) / tol))
    total: Array = xp.zeros_like(state.l)
    error = math.inf
    for k in loop:
        if k > rounds:
            state.l = xp.log(xp.where(total > 0, total / rounds, xp.ones_like(total)))
        f, s = state.step()
        error = float(xp.max(f))
        if loop.report(error, xp.exp(state.l)) <= tol:
            loop.stop(Status.CONVERGED)
        elif k > rounds:
            loop.stop(Status.STAGNATED)
        else:
            total = total + xp.where(s > 0, xp.exp(state.l), xp.zeros_like(s))
            if loop.iteration < loop.max_iter:
                state.l = state.l + f
    return error
