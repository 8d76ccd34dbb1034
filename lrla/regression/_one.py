"""One right-hand side: where its iteration starts, what it reports, and what comes out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, as_array, check_finite, is_complex, unit_roundoff
from lrla._core.errors import ConvergenceWarning, warn
from lrla._core.iteration import Callback, Loop
from lrla._core.operators import Operator
from lrla._core.results import Info, Status
from lrla.regression._block_rows import BlockRows
from lrla.regression._constraints import Constraints
from lrla.regression._input import check_range
from lrla.regression._lp_input import Penalty, Question, column_norms
from lrla.regression._normal import Normal
from lrla.regression._rows import ComplexRows, Rows

# Units of roundoff times sqrt(n), of the sizes of all that is added up. Rounding left up to half of
# that where three of ten rows were wild and the others exact, less than a tenth as a rule.
_ROUNDING = 100
_RIDGE = 1e-10  # relative to the data: keeps in bounds what they do not determine
_EXACT = 4  # units of roundoff of these sizes, that a residual of an exact fit may have


class Report(Loop):
    """A loop whose states show iterates as the caller will get them."""

    origin: Any = 0.0
    size = 1.0
    rows: Any = None

    def report(self, error: float, x: Any = None) -> float:
        """Record the error, and show the iterate in the user's coordinates."""
        if x is not None and self.callback is not None:
            x = self.origin + self.rows.unwhiten(self.size * x)
        return super().report(error, x)


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One right-hand side to fit.

    Parameters
    ----------
    op : Operator
        The data.
    rows : Rows, ComplexRows or BlockRows
        The same, whitened.
    b : array of shape (m,)
        Right-hand side.
    weights : array of shape (m,)
        Positive.
    tol : float
        Relative gap to reach.
    max_iter : int
        Most iterations.
    x0 : array of shape (n,) or None
        Where to start; the weighted least-squares solution by default.
    callback : callable or None
        As for `Loop`.
    held : Constraints or None
        What the solution has to satisfy: ``rows`` lead from one such point to another.
    l1 : Penalty or None
        Of absolute values of coefficients.
    loss : callable or None
        ``loss(task, x, r)`` is the objective where the residuals are r, up to a factor. None if it
        has many minima, of which ``x0`` selects one.
    """

    op: Operator
    rows: Any
    b: Array
    weights: Array
    tol: float
    max_iter: int
    x0: Array | None
    callback: Callback | None
    held: Constraints | None = None
    l1: Penalty | None = None
    loss: Callable[[Task, Array, Array], float] | None = None

    def loop(self, name: str) -> Report:
        """Make the loop that will count the iterations."""
        return Report(name, max_iter=self.max_iter, callback=self.callback)

    def start(self, loop: Report, w: Array) -> Array:
        """Set the loop's origin; return the residual there, filled up.

        A start is taken only where it beats least squares: from further out, residuals are so much
        larger than the solution's that rounding drowns these. Where all rows can be fitted exactly,
        it would only be in the way.
        """
        rows, first = self.rows, None
        loop.rows = rows
        free = rows.count == rows.k  # to fit all rows exactly, whatever their weights
        if free:
            w = rows.fill(rows.space.xp.ones_like(self.weights), 1.0)
        elif self.x0 is not None:
            first = self.b - products(self.op, self.x0)
            if self.loss is None:
                loop.origin = self.x0
                return rows.fill(first, 0.0)
        z, r = rows.space.zeros((rows.unknowns,), w.dtype), rows.fill(self.from_point(), 0.0)
        G, rhs = equations(rows, w, w * r)
        if self.has_l1:  # which tells apart solutions, where these are not unique
            G = linalg.shifted(G, _RIDGE * (1 + float(rows.space.xp.linalg.trace(G))))
        normal = Normal(G)
        for refined in (False, True):
            step = normal.solve(rows.adjoint((w * r)[None, :])[0, :] if refined else rhs)
            z, r = z + step, r - rows.product(step)
        change = rows.unwhiten(z)
        loop.origin = change if self.held is None else self.met(self.held.point() + change)
        if first is not None and self.loss is not None:
            least = self.loss(self, loop.origin, r[: rows.count])
            if self.loss(self, self.x0, first) < least:
                loop.origin, r = self.x0, rows.fill(first, 0.0)
        return r

    @property
    def has_l1(self) -> bool:
        """Whether there is a penalty that is not in the rows."""
        return self.l1 is not None and not self.l1.in_rows

    def met(self, x: Array) -> Array:
        """Return coefficients with what rounding has left of the constraints taken off."""
        return x if self.held is None else self.held.meet(x)

    def cleaned(self, x: Array, norms: Array) -> Array:
        """Return coefficients with zeros where a penalty leaves nothing but rounding."""
        if self.l1 is not None:
            x = self.l1.cleaned(x, norms, self.b)
        return x if self.held is None else self.held.meet_beside_zeros(x)

    def from_point(self) -> Array:
        """Return the residual from where the constraints are met: b where there are none."""
        return self.b if self.held is None else self.b - products(self.op, self.held.point())

    def is_rounding(self, r: Array) -> bool:
        """Tell whether residuals are what rounding leaves of an exact fit."""
        xp = self.op.space.xp
        return float(xp.max(abs(r))) <= self.noise() * float(xp.max(self.sizes()))

    def sizes(self) -> Array:
        """Return the sizes of what is fitted, and of what has to be for the sake of constraints."""
        size = abs(self.b)
        return size if self.held is None else size + magnitudes(self.op, self.held.point())

    def is_exact(self, x: Array, r: Array) -> bool:
        """Tell whether each residual is what rounding leaves in the product of its row with x."""
        size = abs(self.b) + magnitudes(self.op, x)
        least = _EXACT * unit_roundoff(self.op.space.xp, self.weights.dtype)
        return bool(self.op.space.xp.all(abs(r) <= least * size))

    def noise(self) -> float:
        """Size of rounding errors of products with rows, relative to right-hand sides."""
        xp = self.op.space.xp
        return 8 * max(self.op.shape[1], 4) * unit_roundoff(xp, self.weights.dtype)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Solution for one right-hand side.

    Parameters
    ----------
    x : array of shape (n,)
        Coefficients.
    r : array of shape (m,)
        Residuals.
    y : array of shape (m,)
        Dual variables, feasible up to rounding.
    objective : float
        Value of the loss or the norm.
    gap : float
        Between it and the dual objective, relative to it.
    status : Status
        How the iteration ended.
    history : list of float
        What it reported.
    iterations : int
        How many there were.
    method : str
        What was done.
    """

    x: Array
    r: Array
    y: Array
    objective: float
    gap: float
    status: Status
    history: list[float]
    iterations: int
    method: str


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """Where the iteration for a p-norm of residuals ended, their rows scaled by v.

    Parameters
    ----------
    z : array of shape (k,)
        Coefficients.
    y : array of shape (m,)
        Dual variables of the scaled rows, nearly feasible.
    """

    z: Array
    y: Array


def certified(
    x: Array, r: Array, y: Array, objective: float, dual: float, floor: float, task: Task,
    loop: Loop, method: str,
) -> Answer:  # fmt: skip
    """Make an answer; its status follows from the gap that was measured in the end."""
    gap = max((objective - dual) / objective, 0.0) if objective > floor else 0.0
    unpaid = task.l1 is None or task.l1.in_rows or task.l1.value(x) == 0
    if gap > task.tol and unpaid and task.is_exact(x, r):
        gap, y = 0.0, task.op.space.xp.zeros_like(y)
    status = Status.MAX_ITER if loop.status is None else loop.status
    if gap <= task.tol and status is not Status.STOPPED:
        status = Status.CONVERGED
    elif gap > task.tol and status is Status.CONVERGED:
        status = Status.STAGNATED
    return Answer(x, r, y, objective, gap, status, loop.history, loop.iteration, method)


def settled(
    answer: Answer, op: Operator, b: Array, x: Array, dtype: Any,
    loss: Callable[[Array, Array], float],
) -> Answer:  # fmt: skip
    """Round coefficients to the dtype that they are to have, and measure the answer for these.

    How the iteration ended stays what it was.
    """
    space, own = op.space, x.dtype
    xp = space.xp
    with np.errstate(over="ignore", invalid="ignore"):  # looked for
        x = xp.astype(x, dtype)
        check_range(space, x=x)
        x = xp.astype(x, own)
        if bool(xp.all(x == answer.x)):
            return answer
        r = b - products(op, x)
        objective, gap = loss(x, r), answer.gap
    if objective > 0 and bool(xp.any(answer.y != 0)):  # if not, all is rounding
        gap = max((objective - answer.objective * (1 - gap)) / objective, 0.0)
    return replace(answer, x=x, r=r, objective=objective, gap=gap)


def products(op: Operator, x: Array) -> Array:
    """Return A x in double precision, for data of any floating dtype."""
    if op.kind == "blocks":
        return op.matmat(x[:, None])[:, 0]
    A = op.A
    if op.kind == "dense":
        A = op.space.xp.astype(A, x.dtype, copy=False)
    return (A @ x[:, None])[:, 0]


def predicted(asked: Question, X: list[Array]) -> Array | None:
    """Return ``b - A x`` in the rows without weight, for each right-hand side; None without any."""
    found = asked.ignored()
    if found is None:
        return None
    op, B = found
    with np.errstate(over="ignore", invalid="ignore"):  # they may be of any size
        columns = [B[:, j] - products(op, x) for j, x in enumerate(X)]
    return op.space.xp.stack(columns, axis=1)


def equations(rows: Any, g: Array, v: Array) -> tuple[Array, Array]:
    """Return ``(A T)^H diag(g) A T`` and ``(A T)^H v``, of blocks in one pass."""
    if isinstance(rows, BlockRows):
        return rows.equations(g, v)
    return rows.hessian(g, None, 2.0), rows.adjoint(v[None, :])[0, :]


def adjoint_product(op: Operator, v: Array) -> Array:
    """Return A^H v in double precision."""
    if op.kind == "dense":
        A = op.space.xp.astype(op.A, v.dtype, copy=False)
        op = Operator(A, op.kind, op.space, v.dtype)
    return op.rmatmat(v[:, None])[:, 0]


def taken(op: Operator, index: Array) -> Operator:
    """Return some of the rows, in memory."""
    if op.kind == "blocks":
        return Operator(op.A.take(index), "dense", op.space, op.dtype)
    A = op.A.tocsr()[index] if op.kind == "sparse" else op.space.rows(op.A, index)
    return Operator(A, op.kind, op.space, op.dtype)


def rounding(op: Operator, x: Array, b: Array | None = None) -> Array:
    """Return sizes up to which entries of A x, or b - A x, may be nothing but rounding."""
    size = magnitudes(op, x)
    least = _ROUNDING * op.shape[1] ** 0.5 * unit_roundoff(op.space.xp, x.dtype)
    return least * (size if b is None else size + abs(b))


def magnitudes(op: Operator, x: Array) -> Array:
    """Return abs(A) abs(x): the sizes of what is added up in A x."""
    if op.kind == "blocks":
        return op.space.xp.concat(op.A.map(lambda block, a, b: abs(block) @ abs(x)))
    return products(Operator(abs(op.A), op.kind, op.space, op.dtype), abs(x))


def prepare(op: Operator, T: Array, condition: float) -> Any:
    """Whiten the rows."""
    if op.kind == "blocks":
        return BlockRows(op, T, condition)
    if op.space.xp.isdtype(T.dtype, "complex floating"):
        return ComplexRows(op, T)
    return Rows(op, T, condition)


def solve(
    asked: Question, rows: Any, how: Callable[[Task], Answer], tol: float, max_iter: int,
    x0: Array | None, callback: Callback | None, held: Constraints | None = None, *,
    loss: Callable[[Task, Array, Array], float],
) -> list[Answer]:  # fmt: skip
    """Answer for one right-hand side after the other."""
    starts = initial(asked, x0)
    if held is not None and starts is not None:
        starts = held.meet(starts)
    tasks = [
        Task(
            asked.op, rows, asked.B[:, j], asked.weights, tol, max_iter,
            None if starts is None else starts[:, j], callback,
            None if held is None else held.side(j), asked.l1, loss,
        )
        for j in range(asked.B.shape[1])
    ]  # fmt: skip
    with np.errstate(over="ignore", invalid="ignore"):  # looked for
        answers = [how(task) for task in tasks]
        size = None if asked.l1 is None else column_norms(asked.op)
        answers = [
            settled(
                a, task.op, task.b, a.x if size is None else task.cleaned(a.x, size), asked.dtype,
                partial(loss, task),
            )
            for a, task in zip(answers, tasks, strict=True)
        ]  # fmt: skip
    return answers


def initial(asked: Question, x0: Any) -> Array | None:
    """Check where to start."""
    if x0 is None:
        return None
    X = as_array(x0, "x0", ndim=(1, 2))
    check_finite(X, "x0")
    want = (asked.size[1],) if asked.vector else (asked.size[1], int(asked.B.shape[1]))
    if tuple(X.shape) != want:
        raise ValueError(f"x0 must have shape {want}, got {tuple(X.shape)}")
    if is_complex(X) and not is_complex(asked.B):
        raise TypeError("x0 must be real where A and b are, got complex numbers")
    X = asked.op.space.xp.astype(X, asked.B.dtype)
    return X[:, None] if asked.vector else X


def summary(
    answers: list[Answer], condition: float, seed: int, tol: float, start: float, **more: Any
) -> tuple[Status, Info]:
    """Say how the worst of the answers ended, with a warning if it missed its tolerance."""
    worst = max(answers, key=lambda a: (not a.status, a.gap))
    if worst.status not in (Status.CONVERGED, Status.STOPPED):
        warn(
            f"the relative gap is {worst.gap:.1e}, above tol={tol:.1e}: {worst.status.value}",
            ConvergenceWarning,
        )
    info = Info(
        method=answers[0].method,
        iterations=sum(a.iterations for a in answers),
        history=tuple(v for a in answers for v in a.history),
        condition=condition,
        **more,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    return worst.status, info
