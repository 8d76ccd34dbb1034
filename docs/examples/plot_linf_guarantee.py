"""
An error bound for every coefficient
====================================

Solving a sketch of a least-squares problem bounds the error of the fit. Does it also leave each
coefficient no more than its fair share of that error? With a dense sketch it does, with a sparse
one not always. Price, Song and Woodruff found the guarantee and the counter-example (2017), and
Song, Ye, Yin and Zhang (`arXiv:2302.00248 <https://arxiv.org/abs/2302.00248>`_) a number of rows
that is close to the best possible.

The guarantee bounds the error of each coefficient by ``eps / sqrt(n) * norm(r) * norm(pinv(A))``,
where r is the residual of the exact solution. So we measure ::

    sqrt(n) * max(abs(x - x_exact)) / (norm(r) * norm(pinv(A)))

which should be about eps. It would be about sqrt(n) if one coefficient had to bear all of r.
"""

import math
import textwrap

import matplotlib.pyplot as plt
import numpy as np

from lrla.regression import sketch_and_solve
from lrla.sketch import SparseSign

m, n = 4096, 64
sides = 32  # right-hand sides that share a sketch

# %%
# Two problems
# ------------
#
# Both have an exact solution of zero, a residual of norm 1 and ``norm(pinv(A)) = 1``. In the first,
# each row of A touches one coefficient, and all of the residual is in one row that touches none: A
# is [I; 0], the right-hand sides are further unit vectors. In the second, no row of A or of b is
# more important than another.

rng = np.random.default_rng(7)
Q = np.linalg.qr(rng.standard_normal((m, n + sides)))[0]
problems = {
    "A = [I; 0], b = a further unit vector": (np.eye(m, n), np.eye(m, sides, -n)),
    "A, b without structure": (Q[:, :n], Q[:, n:]),
}

# %%
# Sparse families are refused
# ---------------------------

try:
    sketch_and_solve(Q[:, :n], Q[:, n:], guarantee="linf", family="countsketch")
except ValueError as e:
    print(textwrap.fill(str(e), 72))

# %%
# The experiment
# --------------
#
# ``force=True`` overrules the refusal. With four nonzeros in a column in place of eight, the
# solution is written out.


def solver(family):
    """Return a function of the problem, the rows of the sketch and the seed."""
    return lambda A, B, d, seed: (
        sketch_and_solve(A, B, guarantee="linf", family=family, d=d, force=True, rng=seed).x
    )


def four_nonzeros(A, B, d, seed):
    """Solve with a SparseSign of four nonzeros in each column."""
    S = SparseSign(d, m, nnz_per_col=4, rng=seed)
    return np.linalg.lstsq(S @ A, S @ B)[0]


solvers = {
    "Gaussian": solver("gaussian"),
    "SRHT": solver("srht"),
    "SparseSign\n8 nonzeros": solver("sparse_sign"),
    "SparseSign\n4 nonzeros": four_nonzeros,
    "CountSketch\n1 nonzero": solver("countsketch"),
}
sizes = (8 * n, 32 * n)
ratios = {}  # (problem, solver, d) -> one value for each right-hand side of each sketch
for title, (A, B) in problems.items():
    for name, solve in solvers.items():
        for d in sizes:
            draws = 8 if name == "Gaussian" else 32  # the entries of a Gaussian take their time
            errors = [abs(solve(A, B, d, seed)).max(axis=0) for seed in range(draws)]
            ratios[title, name, d] = math.sqrt(n) * np.concatenate(errors)

# %%
# Each point is one solution, each bar the 99 % quantile of a column. The dashed lines are the eps
# for which ``sketch_and_solve(A, b, eps=eps, guarantee="linf", delta=0.01)`` takes that many rows.
#
# With dense sketches the quantile stays below the line and falls as rows are added. On the left,
# CountSketch reaches sqrt(n) = 8 at either size: with probability about n / d the row that holds
# the residual falls into the same bucket as a row of A, and then all of it goes into one
# coefficient. More rows make that rarer, never smaller. More nonzeros do make it smaller, since
# they spread it over several coefficients. On the right all families are alike: random data do not
# tell them apart.

figure, axes = plt.subplots(1, 2, figsize=(11, 4.8), sharey=True, layout="constrained")
jitter = np.random.default_rng(7)
for ax, title in zip(axes, problems, strict=True):
    for k, d in enumerate(sizes):
        color = f"C{k}"
        eps = math.sqrt(2 * math.log(2 * n / 0.01) / (d / n - 1))
        ax.axhline(eps, color=color, ls="--", lw=1, label=f"eps that gives d = {d // n} n")
        for place, name in enumerate(solvers):
            values = ratios[title, name, d]
            top = np.quantile(values, 0.99)
            x = place + 0.4 * (k - 0.5)
            spread = x + jitter.uniform(-0.12, 0.12, values.shape[0])
            ax.plot(spread, values, ".", color=color, ms=2.5, alpha=0.25, zorder=1)
            ax.hlines(top, x - 0.17, x + 0.17, color=color, lw=3, zorder=2,
                      label=f"99 % quantile, d = {d // n} n" if place == 0 else None)  # fmt: skip
            ax.annotate(f"{top:.2f}", (x, top), xytext=(0, 5), textcoords="offset points",
                        ha="center", fontsize=9, zorder=3,
                        bbox={"fc": "w", "ec": "none", "pad": 0.6, "alpha": 0.8})  # fmt: skip
    ax.axhline(math.sqrt(n), color="k", ls=":", lw=1, label="sqrt(n)")
    ax.set_xticks(range(len(solvers)), list(solvers))
    ax.set(title=title, ylim=(0, 9))
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("largest error of a coefficient,\nin units of its share")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5,
              frameon=False)  # fmt: skip
plt.show()
