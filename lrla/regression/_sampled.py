"""A sample of the rows in place of all of them, and a few passes over the data that say how well."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, is_complex
from lrla._core.operators import Operator
from lrla.regression._lp_input import Penalty, below
from lrla.regression._newton import curvature
from lrla.regression._normal import Normal
from lrla.regression._norms import dual_norm, power_norm, real_dot
from lrla.regression._one import Answer, Task, adjoint_product, products, taken
from lrla.regression._rows import gram_of
from lrla.sampling import lewis_weights, sample_rows

_ACCURACY = 0.5  # of the Lewis weights: enough for sampling
_ROWS = 100  # of a sample for each column, where no size is given
_OUTSIDE = 0.1  # weight of a row at its bound, for columns that none but such rows have
_INDEPENDENT = 1e-13  # singular value of rows of norm one from which on they are
_STEPS = 5  # of Newton's method, each with a pass over the data
_SMALL = 0.05  # of the mean: smaller residuals are smoothed, too, for many may be zero
_SMOOTH = 1.3  # p from which on one step of reweighting makes the better dual point
_KINK = 0.1  # of the rows have their absolute values smoothed for a dual point


def sampled(
    task: Task, T: Array, p: float, size: int | None, n_data: int, seed: int,
    prepare: Callable[[Operator], Any], solve: Callable[[Task], Answer],
) -> Answer:  # fmt: skip
    """Minimise the p-norm over rows drawn by the Lewis weights of [A b].

    Not by those of A: where b is far from the column space in few rows, these are the ones that
    matter. The residual of least squares stands for b, for it spans the same space with A. Rows
    after the first ``n_data``, those of a ridge, are all kept.
    """
    xp, op, b = task.op.space.xp, task.op, task.b
    k = int(T.shape[1])
    size = min(n_data, _ROWS * (k + 1) if size is None else size)
    rest = task.from_point()
    rest = rest - products(op, T @ (adjoint(T) @ adjoint_product(op, rest)))
    rest = None if task.is_rounding(rest) else rest
    data = _beside(op, T, rest, task.weights ** (1 / p))
    scores = lewis_weights(data, p, tol=_ACCURACY, rng=seed)
    drawn = sample_rows(scores.weights[:n_data], size, rng=seed)
    kept = xp.arange(n_data, op.shape[0], dtype=xp.int64, device=op.space.device)
    index = xp.concat((drawn.indices, kept))
    part = taken(op, index)
    _refuse_gaps(part, T, int(kept.shape[0]), task.l1 if task.has_l1 else None)
    draws = xp.concat((xp.astype(drawn.weights, xp.float64), xp.ones_like(kept, dtype=xp.float64)))
    weights = xp.take(task.weights, index) * draws
    few = replace(task, op=part, rows=prepare(part), b=xp.take(b, index), weights=weights)
    found = solve(few)
    if task.has_l1:  # the proof is made by a few steps over all rows, which also make x better
        whole = solve(replace(task, rows=prepare(op), x0=found.x, max_iter=_STEPS, callback=None))
        return replace(
            whole, status=found.status, history=found.history, iterations=found.iterations,
            method="sample",
        )  # fmt: skip
    r = b - products(op, found.x)
    objective = power_norm(r, task.weights, p)
    floor = task.noise() * power_norm(b, task.weights, p)
    if objective <= floor:
        return replace(
            found, r=r, y=xp.zeros_like(b), objective=objective, gap=0.0, method="sample"
        )
    w = task.weights
    y = _best_dual_point(op, T, r, w, p)
    gap = max((objective - real_dot(y, r)) / objective, 0.0)
    return replace(found, r=r, y=y, objective=objective, gap=gap, method="sample")


def _refuse_gaps(part: Operator, T: Array, kept: int, l1: Penalty | None) -> None:
    """Refuse a sample that leaves coefficients free."""
    xp, k = part.space.xp, int(T.shape[1])
    if l1 is not None:
        rows = l1.rows(part)
        part, kept = below(part, rows), kept + int(rows.shape[0])
    A = part.A if part.kind == "sparse" else xp.astype(part.A, T.dtype)
    Z = A @ T
    size = linalg.norm(adjoint(Z), axis=0)[:, None]
    Z = Z / xp.where(size > 0, size, xp.ones_like(size))
    spanned = linalg.rank_of(linalg.svdvals(linalg.qr_r(Z)), _INDEPENDENT)
    if spanned < k:
        raise ValueError(
            f"size must be large enough for rows that span those of A: the {part.shape[0] - kept} rows "
            f"drawn span {spanned} of {k} dimensions; raise size, or give a ridge"
        )


def _beside(op: Operator, T: Array, rest: Array | None, root: Array) -> Any:
    """Return root * [A rest], with A T for A if the rank of A is not full."""
    xp = op.space.xp
    if op.kind == "blocks":
        data = op.A if T.shape[1] == T.shape[0] else op.A.times(T)
        return (data if rest is None else data.beside(rest[:, None])).scaled(root)
    if op.kind == "sparse" and T.shape[1] == T.shape[0]:
        import scipy.sparse

        A = op.A if rest is None else scipy.sparse.hstack((op.A, rest[:, None]))
        return (scipy.sparse.diags_array(root) @ A).tocsr()
    A = op.A if op.kind == "sparse" else xp.astype(op.A, T.dtype)
    A = A if T.shape[1] == T.shape[0] else A @ T
    return root[:, None] * (A if rest is None else xp.concat((A, rest[:, None]), axis=1))


def _best_dual_point(op: Operator, T: Array, r: Array, w: Array, p: float) -> Array:
    """Return the dual point for p or, where the loss has almost a kink, that of p = 1 if it is better."""
    if p == 1:
        return _bounded_dual_point(op, T, r, w)
    y = _dual_point(op, T, r, w, p)
    if p > _SMOOTH or is_complex(r):
        return y
    kinked = _bounded_dual_point(op, T, r, w)
    kinked = kinked / dual_norm(kinked, w, p)
    return kinked if real_dot(kinked, r) > real_dot(y, r) else y


def _dual_point(op: Operator, T: Array, r: Array, w: Array, p: float) -> Array:
    """Return y with A^H y = 0 and dual norm one, near what it is where r is optimal.

    That is the residual of one step of reweighted least squares, times its weights.
    """
    xp = op.space.xp
    v = w ** (1 / p)
    u = v * r
    g = v * v * curvature(u / xp.max(abs(u)), p)
    G, rhs = gram_of(op, T, g), adjoint(T) @ adjoint_product(op, g * r)
    z = xp.linalg.solve(G, rhs[:, None])[:, 0] if is_complex(G) else Normal(G).solve(rhs)
    y = g * (r - products(op, T @ z))
    return y / dual_norm(y, w, p)


def _bounded_dual_point(op: Operator, T: Array, r: Array, w: Array) -> Array:
    """Do so for p = 1, where signs are dual values of all but the smallest residuals.

    Those are smoothed to ``r / kink``. A few steps of Newton's method for this loss, which is
    Huber's, make A^T y small; the last correction is left to the rows well inside, so that no
    others leave their bounds.
    """
    xp = op.space.xp
    place = min(max(int(_KINK * r.shape[0]), 5 * int(T.shape[1])), int(r.shape[0])) - 1
    for turn in range(_STEPS + 1):
        last = turn == _STEPS
        kink = max(float(xp.sort(abs(r))[place]), _SMALL * float(xp.mean(abs(r))))
        y = xp.minimum(xp.maximum(r / kink, -xp.ones_like(r)), xp.ones_like(r))
        inside = abs(y) < (0.5 if last else 1.0)
        g = xp.where(inside, w, (1e-3 if last else _OUTSIDE) * w)
        normal = Normal(gram_of(op, T, g))
        s = products(op, T @ normal.solve(T.T @ adjoint_product(op, w * y)))
        r = r - kink * s
    y = w * y - g * s
    return y / max(1.0, float(xp.max(abs(y) / w)))


def check_size(size: int | None, p: float) -> None:
    """Check how many rows are to be drawn."""
    if size is not None and size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    if math.isinf(p):
        raise ValueError(
            "method 'sample' needs a finite p, got inf: every row may hold the maximum"
        )
