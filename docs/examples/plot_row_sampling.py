"""
Fitting a few rows instead of all
=================================

A regression on a few hundred rows in place of all of them is as good as the rows are chosen. Here
the delays of flights are explained by carrier, origin and what is known at departure. Some carriers
have a handful of flights: a uniform sample misses them, and their coefficients cannot be determined
at all.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

import lrla
from lrla.datasets import flights
from lrla.regression import lp_regression
from lrla.sampling import subspace_sample

# %%
# Every 60th flight, and some twenty columns: dummies, and three numbers.

data = flights()
kept = ("intercept", "carrier=", "origin=", "dep_delay", "distance", "clock")
columns = [
    j
    for j, name in enumerate(data.names)
    if name.startswith(kept) and "*" not in name and "^" not in name
]
A, b = data.A[::60, columns], data.b[::60]
A = A[:, np.any(A != 0, axis=0)]
A.shape

# %%
# Rows are drawn for the matrix [A b], so that a small distortion for it is a small excess error of
# the regression. The yardstick is the solution from all rows.

C = np.column_stack([A, b])


def loss(x, p):
    return np.sum(np.abs(A @ x - b) ** p)


def solve(A, b, p):
    return lrla.lstsq(A, b, rng=0).x if p == 2 else lp_regression(A, b, p).x


best = {p: loss(solve(A, b, p), p) for p in (1, 2)}

# %%
# The excess of the sum of absolute values, or of squares, over its minimum: the median of three
# samples. A sample in which a column has become zero, or depends on others, has no unique solution;
# it counts as failed.

sizes = (100, 250, 600)
schemes = {1: ("uniform", "leverage", "root_leverage", "lewis"), 2: ("uniform", "leverage")}


def excess(p, scheme, size, seed):
    sample = subspace_sample(C, p, size=size, scheme=scheme, verify=False, rng=seed)
    B = sample.rows(C, p)
    if np.linalg.matrix_rank(B) < C.shape[1]:
        return np.inf
    return loss(solve(B[:, :-1], B[:, -1], p), p) / best[p] - 1


with warnings.catch_warnings():
    warnings.simplefilter("ignore", lrla.AccuracyWarning)  # uniform sampling is warned of
    results = {
        (p, scheme): [[excess(p, scheme, size, seed) for seed in range(3)] for size in sizes]
        for p, names in schemes.items()
        for scheme in names
    }

# %%
# Uniform samples of these sizes hardly ever determine all coefficients: crosses at the top.

figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), sharey=True)
top = 0.5
for axis, (p, names) in zip(axes, schemes.items(), strict=True):
    for k, scheme in enumerate(names):
        values = np.array(results[p, scheme])
        median = np.median(values, axis=1)
        failed = ~np.isfinite(median)
        shown = np.where(failed, np.nan, median)
        (line,) = axis.loglog(sizes, shown, "o-", label=scheme.replace("_", " "))
        axis.plot(
            np.array(sizes)[failed],
            np.full(failed.sum(), top / 1.15**k),
            "x",
            color=line.get_color(),
            markersize=9,
        )
    axis.set_title("least absolute deviations" if p == 1 else "least squares")
    axis.set_xlabel("rows in the sample")
    axis.legend()
axes[0].set_ylabel("excess error (crosses: most samples fail)")
figure.tight_layout()
plt.show()

# %%
# In figures: how many of the three uniform samples failed, and the excess of the others.

for (p, scheme), values in results.items():
    cells = [f"{np.median(v):8.1e} ({np.sum(~np.isfinite(v))} failed)" for v in np.array(values)]
    print(f"p = {p} {scheme:14}", *cells)
