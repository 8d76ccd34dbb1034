"""
Handwritten digits: how good is a low-rank approximation?
=========================================================

An approximation without an error is a guess. Here are 1000 pictures of handwritten digits, with all
products of two pixels as features: a matrix of 1000 x 2145, much of it redundant. How many singular
values does it take, and what does each method say about its own error?
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.sparse.linalg import LinearOperator
from sklearn.datasets import load_digits
from sklearn.preprocessing import PolynomialFeatures

import lrla
from lrla.lowrank import trace

X = load_digits().data[:1000] / 16
A = PolynomialFeatures(2).fit_transform(X)
truth = np.linalg.svd(A, compute_uv=False)
print(A.shape, "norm", np.linalg.norm(A))

# %%
# As many as it takes
# -------------------
#
# With ``tol`` the number of singular values follows from the accuracy: the error, in the Frobenius
# norm, is at most so many times that of A.

for tol in (0.5, 0.3, 0.1):
    result = lrla.svd(A, tol=tol, rng=7)
    print(f"tol {tol}: rank {result.rank}, error {result.info.error / np.linalg.norm(A):.4f}")

# %%
# Errors, true and estimated
# --------------------------
#
# Ten random vectors go along in the first pass; what the factors do to them estimates the error,
# and bounds it in the spectral norm. A linear operator has no entries to compare with, so this is
# then all there is, and it is enough. The best error of any matrix of that rank is known here from
# LAPACK. Reading the data once costs accuracy; the estimate says how much.

operator = LinearOperator(A.shape, matvec=lambda x: A @ x, rmatvec=lambda y: A.T @ y,
                          matmat=lambda x: A @ x, rmatmat=lambda y: A.T @ y, dtype=A.dtype)  # fmt: skip
ranks = (5, 10, 20, 40, 80)
best = [np.linalg.norm(truth[rank:]) for rank in ranks]
figure, left = plt.subplots(figsize=(6, 4.4), layout="constrained")
methods = {"krylov": {}, "rsvd": {"passes": 2}, "single_pass": {}}
for color, (method, options) in zip(("C0", "C1", "C2"), methods.items(), strict=True):
    results = [lrla.svd(operator, rank, method=method, rng=7, **options) for rank in ranks]
    errors = [np.linalg.norm(A - (r.U * r.s) @ r.Vh) for r in results]
    left.loglog(ranks, errors, color=color, label=method)
    estimates = [r.info.error for r in results]
    left.loglog(ranks, estimates, "o", color=color, mfc="none", label=f"{method}, estimated")
left.loglog(ranks, best, "k--", lw=0.9, label="best possible")
left.set_xticks(ranks, [str(rank) for rank in ranks])
left.minorticks_off()
left.set(xlabel="rank", ylabel="error, Frobenius norm", title="Errors of approximations")


def tidy(ax):
    """Leave out what a curve does not need."""
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)


tidy(left)

# %%
# The trace of a kernel
# ---------------------
#
# How many directions does ridge regression with a Gaussian kernel use? The answer is the trace of
# K (K + c I)^-1, and it takes a linear system for each product. So every product counts:
# :func:`lrla.lowrank.trace` uses each for both a low-rank part and its remainder.

squares = np.sum((X[:600, None, :] - X[None, :600, :]) ** 2, axis=2)
w, V = np.linalg.eigh(np.exp(-squares / 20))
shrink = w / (w + 1.0)
kernel = LinearOperator(
    (600, 600), matvec=lambda x: V @ (shrink * (V.T @ x)),
    matmat=lambda x: V @ (shrink[:, None] * (V.T @ x)), dtype=A.dtype,
)  # fmt: skip
kernel.rmatmat = kernel.matmat
print(f"effective dimension {shrink.sum():.1f}")

# %%
# The mean of quadratic forms (Hutchinson) gains a factor of two from four times the products. The
# others gain more as soon as their products outnumber the directions that matter.

budgets = (20, 40, 80, 160, 320)
names = {"hutchinson": "C7", "hutchpp": "C1", "xtrace": "C0", "xnystrace": "C2"}
figure, right = plt.subplots(figsize=(6, 4.4), layout="constrained")
for method, color in names.items():
    wrong = []
    for budget in budgets:
        seeds = range(10)
        values = [trace(kernel, budget, method=method, rng=seed).value for seed in seeds]
        wrong.append(np.sqrt(np.mean((np.array(values) / shrink.sum() - 1) ** 2)))
    right.loglog(budgets, wrong, "o-", color=color, ms=4, label=method)
right.set_xticks(budgets, [str(budget) for budget in budgets])
right.minorticks_off()
right.set(xlabel="products", ylabel="relative error", title="Effective dimension")
tidy(right)
plt.show()
