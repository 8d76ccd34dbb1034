"""How well a sample of rows stands for all of them in a loss: measured, beside its error bars."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lrla._core.arrays import Array, as_array, check_finite, is_complex, space_of
from lrla._core.operators import Operator
from lrla._core.results import Info, Result, Status
from lrla._core.threads import ranges
from lrla.sampling._online_lewis import softplus
from lrla.sampling._row_sample import RowSample, check_sample
from lrla.sampling._rows import look

# entries of products that are held at a time: they and theirs stay in the L2 cache
_BLOCK = 1 << 15
_DEVICE_BLOCK = 1 << 21  # and elsewhere, where a call costs as much as many entries
_COLUMNS = 64  # of products with a linear operator that are held at a time
_CLASSES = ("logistic", "hinge", "relu")
_KINKS = {"huber": 1.345, "tukey": 4.685}  # 95 % efficient for normal errors of scale one
LOSSES = (*_CLASSES, *_KINKS)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CoresetEvaluation(Result):
    """A loss on all rows beside its estimate from a few: of each vector of coefficients.

    Parameters
    ----------
    objective : float or array of shape (p,)
        The sum of the losses of all rows.
    estimate : float or array of shape (p,)
        The weighted sum of those of the sample.
    standard_error : float or array of shape (p,)
        Estimated standard deviation of ``estimate``, as `RowSample.estimate` finds it in the sample
        alone: what one knows without the other rows.
    relative_error : float or array of shape (p,)
        ``(estimate - objective) / abs(objective)``; 0 where both are zero.
    eps : float
        The largest absolute relative error.
    worst : int
        Which column of X has it.
    approximate : bool
        Whether the square of ``standard_error`` is only an approximation of the variance.
    status : Status
        `Status.CONVERGED`.
    info : Info
        ``loss``, by name; ``threshold`` of robust losses; ``size`` of the sample; ``passes`` over
        A; ``seconds``.
    """

    objective: Any
    estimate: Any
    standard_error: Any
    relative_error: Any
    eps: float
    worst: int
    approximate: bool
    status: Status
    info: Info


def evaluate_coreset(
    loss: str | Callable[..., Any],
    A: Any,
    sample: RowSample,
    X: Any,
    *,
    labels: Any = None,
    threshold: float | None = None,
) -> CoresetEvaluation:
    """Compare a loss on all rows with its estimate from a sample, for given coefficients.

    Parameters
    ----------
    loss : {"logistic", "hinge", "relu", "huber", "tukey"} or callable
        Of each row; see Notes. A callable gets products ``Y = A[rows] @ X`` of shape (k, p), and, if
        there are labels, those of these rows as a second argument of shape (k, 1), and returns the
        losses, of the shape of Y. It is called on blocks of rows, by Dask in threads.
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data, real, as the sample was drawn from.
    sample : RowSample
        Rows of A and their weights, of `logistic_coreset`, `robust_coreset` or any other.
    X : array of shape (n,) or (n, p)
        Coefficients at which the loss is wanted, one vector in each column.
    labels : array of shape (m,), optional
        For classification the classes, -1 or 1, by default all 1; for robust losses the right-hand
        sides, by default all 0.
    threshold : float, optional
        Of robust losses, where they change, in units of ``A @ X``: the product of ``threshold`` and
        ``scale`` of `lrla.regression.huber_regression` and `lrla.regression.tukey_regression`. By
        default 1.345 and 4.685.

    Returns
    -------
    CoresetEvaluation
        With fields objective, estimate, standard_error, relative_error, eps, worst, approximate,
        status and info.

    Raises
    ------
    ValueError
        If shapes do not fit, the loss is unknown, a class is not -1 or 1, the threshold is not
        positive or given for a loss without one, or a product or a loss is not finite.
    TypeError
        If the data are not real, the sample is no `RowSample`, or a callable returns no array.

    See Also
    --------
    RowSample.estimate : the estimates and their errors from the sampled rows alone.
    distortion : the largest error of all coefficients, for norms.

    Notes
    -----
    With ``z = labels * (A @ x)`` and ``r = A @ x - labels`` the losses of a row are::

        logistic  log(1 + exp(-z))
        hinge     max(0, 1 - z)
        relu      max(0, -z)
        huber     r**2 / 2, but t abs(r) - t**2 / 2 where abs(r) > t, the threshold
        tukey     t**2 / 6 (1 - (1 - min(1, (r / t)**2))**3)

    A small error at a few coefficients says nothing of others: what makes a coreset is that the error
    is small for all. Those worth a look are the solution of the sample and that of all rows: the loss
    of the first exceeds the least one by at most ``2 * eps``, relative to it, up to terms of the order
    of ``eps**2``. For logistic regression see `mu_complexity`.

    Cost: ``2 m n p`` flops in one pass. Rows are looked at in blocks, sums are in double precision.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import evaluate_coreset, logistic_coreset
    >>> rng = np.random.default_rng(7)
    >>> A = np.concatenate([np.ones((20_000, 1)), rng.standard_normal((20_000, 3))], axis=1)
    >>> labels = np.where(rng.uniform(size=20_000) < 1 / (1 + np.exp(-A @ [0.5, 1, -1, 2])), 1, -1)
    >>> core = logistic_coreset(A, 1000, rng=7)
    >>> found = evaluate_coreset("logistic", A, core, rng.standard_normal((4, 50)), labels=labels)
    >>> found.eps < 0.1
    True
    >>> bool(np.all(abs(found.estimate - found.objective) < 5 * found.standard_error))
    True
    """
    start = time.perf_counter()
    op = look(A)
    if op.space.xp.isdtype(op.dtype, "complex floating"):
        raise TypeError(f"A must be real, got dtype {op.dtype}")
    check_sample(op, sample)
    X = _coefficients(op, X)
    y = None if labels is None else _labels(op, labels, loss)
    kink = _kink(loss, threshold)
    values = _Values(op, X if X.ndim == 2 else X[:, None], y, _losses(loss, kink))
    objective, few = values(sample.indices)
    guess = sample.estimate(few)
    error = _relative(guess.value, objective)
    xp = op.space.xp
    worst = int(xp.argmax(abs(error)))

    def shaped(x: Array) -> Any:
        return x if X.ndim == 2 else float(x[0])

    return CoresetEvaluation(
        objective=shaped(objective),
        estimate=shaped(guess.value),
        standard_error=shaped(guess.standard_error),
        relative_error=shaped(error),
        eps=abs(float(error[worst])),
        worst=worst,
        approximate=guess.approximate,
        status=Status.CONVERGED,
        info=Info(
            loss=loss if isinstance(loss, str) else getattr(loss, "__name__", repr(loss)),
            threshold=kink,
            size=len(sample),
            passes=1,
            seconds=time.perf_counter() - start,
        ),
    )


def _coefficients(op: Operator, X: Any) -> Array:
    X = as_array(X, "X", ndim=(1, 2))
    n = op.shape[1]
    if X.shape[0] != n or 0 in X.shape:
        raise ValueError(
            f"X must have {n} rows, one for each column of A, and at least one column, got shape "
            f"{tuple(X.shape)}"
        )
    return _like_products(op, X, "X")


def _labels(op: Operator, labels: Any, loss: Any) -> Array:
    y = as_array(labels, "labels", ndim=(1,))
    if y.shape[0] != op.shape[0]:
        raise ValueError(
            f"labels must have one entry for each row of A, got {y.shape[0]} for {op.shape[0]}"
        )
    y = _like_products(op, y, "labels")
    if isinstance(loss, str) and loss in _CLASSES:
        other = abs(y) != 1
        if bool(op.space.xp.any(other)):
            got = float(y[int(op.space.xp.argmax(op.space.xp.astype(other, op.space.xp.int8)))])
            raise ValueError(f"labels must be -1 or 1 for loss={loss!r}, got {got:g}")
    return y[:, None]


def _like_products(op: Operator, x: Array, name: str) -> Array:
    """Check further data, and bring them to the dtype of A."""
    space_of(x, op.space.zeros((0,), op.dtype))
    if is_complex(x):
        raise TypeError(f"{name} must be real, got dtype {x.dtype}")
    check_finite(x, name)
    return op.space.xp.astype(x, op.dtype, copy=False)


def _kink(loss: Any, threshold: float | None) -> float | None:
    if not callable(loss) and loss not in LOSSES:
        raise ValueError(f"loss must be a function or one of {', '.join(LOSSES)}, got {loss!r}")
    if callable(loss) or loss not in _KINKS:
        if threshold is not None:
            raise ValueError(
                f"threshold must be None for a loss that is none of {', '.join(_KINKS)}"
            )
        return None
    if threshold is None:
        return _KINKS[loss]
    if not 0 < threshold < math.inf:
        raise ValueError(f"threshold must be positive and finite, got {threshold}")
    return float(threshold)


def _losses(loss: Any, kink: float | None) -> Callable[[Array, Array | None], Array]:
    """Return what turns products and labels into losses."""
    if loss in _CLASSES:
        f = {"logistic": _logistic, "hinge": _hinge, "relu": _relu}[loss]
        return lambda Y, y: f(Y if y is None else y * Y)
    if loss in _KINKS:
        g, t = {"huber": _huber, "tukey": _tukey}[loss], float(kink or 0.0)
        return lambda Y, y: g(abs(Y if y is None else Y - y), t)

    def call(Y: Array, y: Array | None) -> Array:
        out = loss(Y) if y is None else loss(Y, y)
        if getattr(out, "shape", None) != Y.shape:
            raise TypeError(
                f"loss must return an array of shape {tuple(Y.shape)}, that of the products it got, got "
                f"{tuple(out.shape) if hasattr(out, 'shape') else type(out).__name__}"
            )
        if is_complex(as_array(out, "loss(A @ X)")):
            raise TypeError(f"loss must return real numbers, got dtype {out.dtype}")
        return out

    return call


def _logistic(z: Array) -> Array:
    return softplus(-z)


def _hinge(z: Array) -> Array:
    return space_of(z).xp.clip(1 - z, min=0.0)


def _relu(z: Array) -> Array:
    return space_of(z).xp.clip(-z, min=0.0)


def _huber(size: Array, t: float) -> Array:
    near = space_of(size).xp.clip(size, max=t)
    return near * (size - near / 2)


def _tukey(size: Array, t: float) -> Array:
    near = space_of(size).xp.clip(size, max=t)
    s = (near / t) ** 2
    return near * near / 6 * (3 - s * (3 - s))  # written out: small parts of one have lost digits


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """The losses of all rows, of which blocks are held at a time."""

    op: Operator
    X: Array
    labels: Array | None
    losses: Callable[[Array, Array | None], Array]

    def __call__(self, indices: Array) -> tuple[Array, Array]:
        """Add up the losses of all rows, and return those of some: both by columns of X."""
        op, xp = self.op, self.op.space.xp
        m, p = op.shape[0], int(self.X.shape[1])

        def part(Y: Array, a: int, b: int) -> tuple[Array, Array]:
            values = self._of(Y, a, b)
            first, last = (int(xp.count_nonzero(indices < end)) for end in (a, b))
            return xp.sum(values, axis=0), op.space.rows(values, indices[first:last] - a)

        if op.kind == "operator":
            columns = [part(op.matmat(self.X[:, a:b]), 0, m) for a, b in ranges(p, _COLUMNS)]
            return tuple(xp.concat(both, axis=-1) for both in zip(*columns, strict=True))
        if op.kind == "blocks":
            parts = op.A.map(lambda block, a, b: part(block @ self.X, a, b))
        else:
            step = max(1, (_BLOCK if op.space.is_numpy else _DEVICE_BLOCK) // p)
            parts = [part(op.A[a:b, :] @ self.X, a, b) for a, b in ranges(m, step)]
        total = sum((found[0] for found in parts), start=op.space.zeros((p,), xp.float64))
        return total, xp.concat([found[1] for found in parts], axis=0)

    def _of(self, Y: Array, a: int, b: int) -> Array:
        xp = self.op.space.xp
        check_finite(Y, "A @ X", start=a)
        values = self.losses(Y, None if self.labels is None else self.labels[a:b, :])
        check_finite(values, "losses", start=a)
        return xp.astype(values, xp.float64, copy=False)


def _relative(estimate: Array, objective: Array) -> Array:
    xp = space_of(estimate).xp
    off, size = estimate - objective, abs(objective)
    zero = size == 0
    quotient = off / xp.where(zero, xp.ones_like(size), size)
    return xp.where(zero & (off != 0), xp.copysign(xp.zeros_like(off) + math.inf, off), quotient)
