"""
Backward stable, or not
=======================

A randomized method may find a good solution and still not be as accurate as LAPACK. The difference
is the *backward error*: the relative size of the smallest change of A for which the computed x is
the exact solution. LAPACK's is about the unit roundoff u, however hard the problem. This script
repeats an experiment of Epperly, Meier and Nakatsukasa (`arXiv:2406.03468
<https://arxiv.org/abs/2406.03468>`_, Figure 2): two popular randomized methods lose digits where
problems are hard, and those of this library do not.
"""

import matplotlib.pyplot as plt
import numpy as np
import scipy.linalg
from scipy.linalg import solve_triangular
from scipy.sparse.linalg import LinearOperator, lsqr

import lrla
from lrla.sketch import SparseSign
from lrla.testing import backward_error

m, n, u = 4000, 50, 2.0**-53

# %%
# Problems of growing difficulty
# ------------------------------
#
# One number makes the problem hard in two ways: it is the condition number of A, and also the norm
# of the residual in units of u.


def problem(difficulty, rng):
    """Make A with norm 1, an x with norm 1, and a residual that is orthogonal to A."""
    U = np.linalg.qr(rng.standard_normal((m, n + 1)))[0]
    V = np.linalg.qr(rng.standard_normal((n, n)))[0]
    A = (U[:, :n] * np.logspace(0, -np.log10(difficulty), n)) @ V.T
    x = rng.standard_normal(n)
    return A, A @ (x / np.linalg.norm(x)) + u * difficulty * U[:, n]


# %%
# Two methods that are not backward stable
# ----------------------------------------
#
# Both start with a sketch S of 20 n rows and the R of a QR factorization of S A, and are right in
# exact arithmetic.


def sketch_and_precondition(A, b, S):
    """Run LSQR on A inv(R), from zero."""
    R = np.linalg.qr(S @ A, mode="r")
    preconditioned = LinearOperator(
        A.shape,
        matvec=lambda y: A @ solve_triangular(R, y),
        rmatvec=lambda z: solve_triangular(R, A.T @ z, trans="T"),
        dtype=A.dtype,
    )
    y = lsqr(preconditioned, b, atol=0, btol=0, conlim=0, iter_lim=60)[0]
    return solve_triangular(R, y)


def iterative_sketching(A, b, S):
    """Descend along gradients that R preconditions, with momentum."""
    Q, R = np.linalg.qr(S @ A)
    beta = A.shape[1] / S.d
    alpha = (1 - beta) ** 2
    x = last = solve_triangular(R, Q.T @ (S @ b))
    for _ in range(60):
        gradient = A.T @ (b - A @ x)
        step = solve_triangular(R, solve_triangular(R, gradient, trans="T"))
        x, last = x + alpha * step + beta * (x - last), x
    return x


# %%
# The experiment
# --------------
#
# All answers are judged alike, by :func:`lrla.testing.backward_error`, which uses a full SVD.

S = SparseSign(20 * n, m, rng=7)
methods = {
    "sketch-and-precondition": lambda A, b: sketch_and_precondition(A, b, S),
    "iterative sketching": lambda A, b: iterative_sketching(A, b, S),
    "LAPACK gelsd": lambda A, b: scipy.linalg.lstsq(A, b)[0],
    "lrla spir": lambda A, b: lrla.lstsq(A, b, method="spir", rng=7).x,
    "lrla fossils": lambda A, b: lrla.lstsq(A, b, method="fossils", rng=7).x,
    "lrla cqrrt": lambda A, b: lrla.lstsq(A, b, method="cqrrt", rng=7).x,
}
difficulties = np.logspace(0, 16, 21)
errors = {name: [] for name in methods}
auto = []
for difficulty in difficulties:
    A, b = problem(difficulty, np.random.default_rng(7))
    for name, solve in methods.items():
        errors[name].append(backward_error(A, b, solve(A, b)))
    result = lrla.lstsq(A, b, rng=7)
    auto.append((backward_error(A, b, result.x), result.info.backward_error, result.info.method))

# %%
# The two methods lose up to seven and three digits, the others none. On the far right all look well
# again, but only because the solutions themselves explode there, those of LAPACK too, and backward
# errors are measured relative to them.

styles = {
    "sketch-and-precondition": {"color": "C3", "marker": "v"},
    "iterative sketching": {"color": "C1", "marker": "^"},
    "LAPACK gelsd": {"color": "0.4", "marker": "s"},
    "lrla spir": {"color": "C0", "marker": "o"},
    "lrla fossils": {"color": "C2", "marker": "D"},
    "lrla cqrrt": {"color": "C4", "marker": "P"},
}
figure, ax = plt.subplots(figsize=(10, 4.8), layout="constrained")
for name, values in errors.items():
    ax.loglog(difficulties, values, ms=5, lw=1.2, label=name, **styles[name])
ax.axhline(u, color="k", lw=0.8, ls="--", label="unit roundoff u")
ax.set(
    xlabel="difficulty: condition number of A = norm of the residual / u",
    ylabel="backward error",
    title=f"Accuracy of least-squares solvers, A of shape {m} x {n}",
)
ax.grid(alpha=0.3)
ax.spines[["top", "right"]].set_visible(False)
figure.legend(loc="outside right upper", frameon=False)
plt.show()

# %%
# What the answer says about itself
# ---------------------------------
#
# With the default ``method="auto"`` the method follows the condition number: the Gram matrix where
# that is safe, a sketch where it is not. And ``info.backward_error`` reports the error without an
# SVD of A, within a small factor: it measures the columns of A by their own lengths, and takes the
# singular values from the preconditioner.

figure, ax = plt.subplots(figsize=(10, 4), layout="constrained")
true, reported, chosen = zip(*auto, strict=True)
ax.loglog(difficulties, true, "ko", mfc="none", label="by a full SVD")
for method in dict.fromkeys(chosen):
    some = np.array([name == method for name in chosen])
    label = f"info.backward_error, {method} chosen"
    ax.loglog(difficulties[some], np.array(reported)[some], ".", label=label)
ax.axhline(u, color="k", lw=0.8, ls="--", label="unit roundoff u")
ax.set(
    xlabel="difficulty: condition number of A = norm of the residual / u",
    ylabel="backward error",
    ylim=(1e-19, 1e-14),
    title='lrla.lstsq(A, b): "auto"',
)
ax.grid(alpha=0.3)
ax.spines[["top", "right"]].set_visible(False)
figure.legend(loc="outside right upper", frameon=False)
plt.show()
