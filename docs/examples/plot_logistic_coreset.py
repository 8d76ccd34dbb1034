"""
Late or not: logistic regression on a few flights
=================================================

Which flights arrive more than a quarter of an hour late? Logistic regression on all of them takes a
while; on a few weighted rows it takes no time. Which rows? Airlines and airports with a handful of
flights have columns of their own, and a uniform sample misses some of them.
"""

import matplotlib.pyplot as plt
import numpy as np

import lrla
from lrla.datasets import flights
from lrla.sampling import evaluate_coreset, logistic_coreset

data = flights()
names = np.array(data.names)
# what is known long before departure: airline, airport, hour, month and distance
kept = ("intercept", "carrier=", "origin=", "hour=", "month=", "distance")
wanted = np.array([n.startswith(kept) and "*" not in n for n in names])
some = slice(None, None, 10)
A = data.A[some][:, wanted]
late = np.where(data.b[some] > 15, 1.0, -1.0)
A = A[:, A.any(axis=0)]
A = A / np.max(abs(A), axis=0)
print(f"{A.shape[0]} flights, {A.shape[1]} columns, {np.mean(late > 0):.0%} late")
rare = np.sum(A != 0, axis=0)
print("flights in the smallest columns:", np.sort(rare)[:6])

# %%
# Fitting
# -------
#
# Newton's method is a sequence of weighted least-squares problems, which :func:`lrla.lstsq
# <lrla.regression.lstsq>` solves. A slight ridge keeps the coefficients of columns finite in which
# all flights of a sample were late, or none.

RIDGE = 1e-3


def objective(A, y, x, weights):
    return weights @ np.logaddexp(0, -y * (A @ x)) + RIDGE / 2 * x @ x


def fit(A, y, weights):
    """Minimise the weighted logistic loss by damped Newton steps."""
    x = np.zeros(A.shape[1])
    value = objective(A, y, x, weights)
    for _ in range(30):
        margin = A @ x
        chance = 1 / (1 + np.exp(-margin))
        curvature = weights * np.maximum(chance * (1 - chance), 1e-9)
        pull = weights * ((y + 1) / 2 - chance)
        target = margin + pull / curvature  # its weighted least-squares fit is Newton's step
        step = lrla.lstsq(A, target, weights=curvature, ridge=RIDGE, rng=0).x - x
        length = 1.0
        while (new := objective(A, y, x + length * step, weights)) > value and length > 1e-6:
            length /= 2
        x = x + length * step
        if value - new < 1e-9 * abs(value):
            break
        value = new
    return x


everything = np.ones(A.shape[0])
exact = fit(A, late, everything)
least = objective(A, late, exact, everything)
print(f"loss of all flights: {least / A.shape[0]:.4f} each")

# %%
# Excess loss against the size of the sample
# ------------------------------------------
#
# Each fit to a sample is judged by its loss on *all* flights. The lines are medians of five
# samples, the ends of the bars the best and the worst of them.

sizes = (500, 1000, 2000)
schemes = ("uniform", "lewis", "root_leverage", "leverage")
excess = {scheme: np.zeros((len(sizes), 5)) for scheme in schemes}
for scheme, table in excess.items():
    for row, size in zip(table, sizes, strict=True):
        for seed in range(row.size):
            core = logistic_coreset(A, size, scheme=scheme, rng=seed)
            x = fit(A[core.indices], late[core.indices], core.weights)
            row[seed] = objective(A, late, x, everything) / least - 1
    print(f"{scheme:14}", *(f"{np.median(r):.4f} (worst {r.max():.3f})" for r in table))

figure, ax = plt.subplots(figsize=(8, 4.6), layout="constrained")
place = np.arange(len(sizes))
for k, (scheme, table) in enumerate(excess.items()):
    x = place + 0.16 * (k - 1.5)
    color = "0.5" if scheme == "uniform" else f"C{k - 1}"
    ax.vlines(x, table.min(axis=1), table.max(axis=1), color=color, lw=6, alpha=0.4)
    ax.plot(x, np.median(table, axis=1), "_", color=color, ms=14, mew=2.5, label=scheme)
ax.set_yscale("log")
ticks = (0.02, 0.05, 0.1, 0.2, 0.5)
ax.set_yticks(ticks, [f"{tick:.0%}" for tick in ticks])
ax.minorticks_off()
ax.set_xticks(place, [str(size) for size in sizes])
ax.set(
    xlabel="flights in the sample",
    ylabel="loss of all flights, relative excess",
    title="Five samples each: best, median and worst",
)
ax.grid(alpha=0.3)
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.16))
plt.show()

# %%
# In the middle the gain is modest; the worst samples gain more, and nobody knows which sample one has
# got. No scheme asked for a label.

# %%
# What a sample knows of itself
# -----------------------------
#
# Any sample estimates the loss of all flights, with an error bar that needs none of the others;
# :func:`~lrla.sampling.evaluate_coreset` holds it against the loss itself. At coefficients that do
# not come from the sample the bar is right. At those that were fitted to it the estimate is too low,
# as on any training set.

core = logistic_coreset(A, 2000, rng=0)
fits = np.stack([exact, fit(A[core.indices], late[core.indices], core.weights)], axis=1)
found = evaluate_coreset("logistic", A, core, fits, labels=late)
for k, name in enumerate(("all flights", "the sample")):
    guess, bar, truth = (
        float(x[k]) / A.shape[0] for x in (found.estimate, found.standard_error, found.objective)
    )
    print(f"fitted to {name:11}: {guess:.4f} +- {bar:.4f} each by the sample, {truth:.4f} in fact")
