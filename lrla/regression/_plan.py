"""Which method, and what it will cost: a model with fixed constants, so that choices repeat."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, is_complex
from lrla.kernels.gram import gram
from lrla.regression._problem import Problem

# One core of a current server, float64 (measured; only their ratios matter, and a choice by the
# clock would make answers depend on the load of the machine).
_PRODUCT = 4.0e10  # flops per second of syrk and gemm
_QR = 2.0e10  # flops per second of QR and SVD of the sketch
_STREAM = 2.4e10  # bytes per second of a pass over dense data
_ENTRY = 2.0e-9  # seconds for each stored entry of sparse data in a pass
_PILOT = 8  # sampled rows for each column in the pilot
_RARE = 8  # rows: fewer do not tell whether a column depends on others
_GOLDEN = 0.6180339887498949  # multiples of it modulo 1 spread evenly over any length


@dataclass(frozen=True, slots=True)
class Plan:
    """A method, why it was chosen, and the predicted seconds of all that could do.

    Parameters
    ----------
    method : str
        The choice.
    reason : str
        One sentence.
    seconds : dict
        Prediction for each method, on one core.
    """

    method: str
    reason: str
    seconds: dict[str, float]


def _pass_seconds(problem: Problem) -> float:
    """Seconds of one product with A and one with its adjoint."""
    if problem.op.kind in ("dense", "blocks"):
        number = 8.0 if problem.u < 1e-10 else 4.0
        number *= 2.0 if is_complex(problem.B) else 1.0
        return problem.m * problem.n * number / _STREAM * max(1.0, problem.p / 4)
    stored = problem.op.A.nnz if problem.op.kind == "sparse" else problem.m * problem.n
    return _ENTRY * float(stored) * problem.p


def spir_rows(problem: Problem) -> int:
    """Rows of the sketch of `spir`, as a multiple of n, that balance its QR and the iterations."""
    return min((4, 6, 8, 12, 16, 24, 32), key=lambda k: _spir_seconds(problem, k))


def _spir_seconds(problem: Problem, k: int) -> float:
    """Sketch, QR of k n rows, SVD, and iterations of rate sqrt(1/k) down to u in two rounds."""
    n = float(problem.n)
    passes = 4 - 2 * math.log(problem.u) / math.log(k)
    factoring = (2.0 * k * n**3 + 15.0 * n**3) / _QR
    one = _pass_seconds(problem)
    return (4.0 + k / 8) * one + factoring + passes * one


def predict(problem: Problem) -> dict[str, float]:
    """Predict seconds for each method that can do the problem."""
    m, n = problem.m, float(problem.n)
    seconds = {"spir": _spir_seconds(problem, spir_rows(problem))}
    if problem.op.kind == "operator":
        return seconds
    one, small = _pass_seconds(problem), 15.0 * n**3 / _QR
    if problem.op.kind in ("dense", "blocks"):
        products = m * n**2 / _PRODUCT
    else:
        products = _ENTRY * problem.op.A.nnz * (problem.op.A.nnz / max(m, 1))
    seconds["gram"] = products + small + 6 * one
    seconds["cqrrt"] = 4 * one + 8.0 * n**3 / _QR + 3 * m * n**2 / _PRODUCT + small + 6 * one
    seconds["direct"] = 2 * m * n**2 / _QR + small
    return seconds


def choose(problem: Problem) -> Plan:
    """Choose a method for a problem with at least as many rows as columns."""
    seconds = predict(problem)
    if problem.op.kind == "operator":
        return Plan("spir", "A is known by its products only", seconds)
    square = problem.m < 4 * problem.n and problem.op.kind != "sparse"  # whose rows stay sparse
    if square or problem.m * problem.n <= 1 << 15:
        return Plan("direct", "A is too small or too square for a sketch to pay", seconds)
    cheap = seconds["gram"] <= 1.5 * min(seconds["spir"], seconds["cqrrt"])
    if cheap and _well_conditioned(problem):
        return Plan("gram", "cheapest, and a sample of rows is well conditioned", seconds)
    best = min(("spir", "cqrrt"), key=seconds.__getitem__)
    why = (
        "a sample of rows is too ill-conditioned for a Gram matrix"
        if cheap
        else ("a Gram matrix of so many columns costs more than a sketch")
    )
    return Plan(best, why, seconds)


def _well_conditioned(problem: Problem) -> bool:
    """Look at about 8 n rows and tell whether their Gram matrix is far from singular.

    A guess that costs next to nothing. If it is wrong, `gram` notices, for it tests the factor that
    it uses. Single rows all over the data are looked at, since neighbours may be alike.
    """
    space, n, m = problem.space, problem.n, problem.m
    xp = space.xp
    if problem.op.kind in ("sparse", "blocks"):
        return True  # its Gram matrix costs less than a look, or a look a pass
    count = min(m, _PILOT * n)
    places = space.asarray((np.arange(1, count + 1) * _GOLDEN % 1.0 * m).astype(np.int64))
    rows = problem.op.space.rows(problem.op.A, places)
    if problem.weights is not None:
        rows = rows * xp.sqrt(xp.take(problem.weights, places))[:, None]
    size: Array = linalg.norm(rows, axis=0)
    if not bool(xp.all(xp.isfinite(size))):
        return True  # `gram` looks at all of A, and says what is wrong with it
    rows = rows / xp.where(size > 0, size, xp.ones_like(size))
    # Columns that live on a handful of the sampled rows (rare dummies) look dependent by accident:
    # they are taken for independent.
    squares = abs(rows) ** 2
    rare = xp.astype(xp.sum(squares * squares, axis=0) * _RARE >= 1, rows.dtype)
    rare = xp.where(size > 0, rare, xp.ones_like(rare))
    R = linalg.cholesky(gram(rows, None) + rare * space.eye(n, rows.dtype))
    if R is None:
        return False
    _, s, Vh = linalg.svd(R)
    # rounding may make dependent columns look independent in R, but not in the rows themselves
    v = adjoint(Vh[-1:, :])
    smallest = linalg.norm(xp.concat((rows @ v, rare[:, None] * v), axis=0))
    return bool(min(float(s[-1]), smallest) > 0.5 * problem.u**0.5 * float(s[0]))
