"""
Leverage: the flights that decide a coefficient
===============================================

The leverage of a row says how much a regression listens to it: from 0, not at all, to 1, a
coefficient is there for this row alone. Of the 327346 flights that left New York City in 2013, most
have next to none, and a few dozen decide what is said about small airlines and far destinations.
Anyone who samples rows without looking at leverage loses them.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.sparse import csr_array, hstack

import lrla
from lrla.datasets import flights
from lrla.sampling import hat_statistics, lewis_weights

data = flights()
kinds = ("intercept", "month", "weekday", "carrier", "origin", "dest", "dep_delay", "distance")
used = np.array([name.partition("=")[0] in kinds for name in data.names])
A, b = csr_array(data.A[:, used]), data.b  # most entries are zero
names = np.array(data.names)[used]
m, n = A.shape
print(f"{m} flights, {n} columns, {A.nnz / m:.0f} entries in a row")

# %%
# The textbook formula, and where it fails
# ----------------------------------------
#
# By the textbook, leverage is the diagonal of A (A\ :sup:`T` A)\ :sup:`-1` A\ :sup:`T`. Much code
# forms that inverse. Exact leverage depends on the column space alone, so nothing should change
# where every airline gets a column of its own, as one-hot encoders make them: the columns then add
# up to the intercept. But now there is no inverse. Rounding hides that, and the textbook gives
# numbers all the same. Leverage adds up to the rank of A: that is a test worth doing.

is_carrier = np.char.startswith(names, "carrier=")
first = 1 - A[:, is_carrier].sum(axis=1)  # Endeavor Air (9E) is the first and has no column
one_hot = hstack([A, csr_array(first[:, None])]).tocsr()


def textbook(A):
    """Compute leverage by an explicit inverse."""
    return A.multiply(A @ np.linalg.inv((A.T @ A).toarray())).sum(axis=1)


result = lrla.leverage_scores(A, rng=7)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    again = lrla.leverage_scores(one_hot, rng=7)
for label, scores in (
    ("first airline left out, inverse", textbook(A)),
    ("first airline left out, lrla", result.scores),
    ("all airlines, inverse", textbook(one_hot)),
    ("all airlines, lrla", again.scores),
):
    print(f"{label:32} sum {scores.sum():12.4f}, from {scores.min():9.2e} to {scores.max():9.2e}")
print(f"warned: {caught[0].message}; methods: {result.info.method}, {again.info.method}")

# %%
# Who matters
# -----------
#
# Ranked by leverage, a flight at the top counts as much as thousands of those in the middle. One has
# leverage 1: the only flight to Lexington, which that airport's column fits whatever its delay was.
# The 29 flights of SkyWest (OO) have a column for them alone. Lewis weights are what leverage
# becomes when absolute instead of squared residuals are summed; they are less extreme.

scores = result.scores
carrier = np.full(m, "9E")
for k in np.flatnonzero(is_carrier):
    carrier[A[:, [k]].toarray()[:, 0] == 1] = names[k].partition("=")[2]
labels, flown = np.unique(carrier, return_counts=True)
order = np.argsort(flown)
lonely = int(scores.argmax())
to = [name for name in names[A[[lonely]].indices] if name.startswith("dest=")]
print(f"leverage {scores[lonely]:.6f}: the flight with {to[0]}")
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
ranks = np.arange(1, m + 1)
left.loglog(ranks, np.sort(scores)[::-1], "C0", label="leverage")
l1 = lewis_weights(A, 1, tol=0.05, rng=7)
left.loglog(ranks, np.sort(l1.weights)[::-1], "C1", label="Lewis weights, p = 1")
left.axhline(n / m, color="0.6", lw=0.8, ls="--", label="mean, n / m")
left.set(xlabel="rank of the flight", ylabel="score", title="A few flights matter")
left.legend(frameon=False)
right.boxplot(
    [scores[carrier == labels[k]] for k in order],
    showfliers=False,
    tick_labels=labels[order],
    medianprops={"color": "C0"},
    whis=(1, 99),
)
right.set(
    yscale="log",
    xlabel=f"airline, from {flown[order[0]]} flights to {flown[order[-1]]}",
    ylabel="leverage",
    title="Small airlines have much",
)
right.axhline(n / m, color="0.6", lw=0.8, ls="--")
for ax in (left, right):
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# Sampling without looking loses a coefficient
# --------------------------------------------
#
# In a uniform sample of 2000 rows, columns of rare airlines and destinations are often all zero.

counts = [
    np.sum(A[np.random.default_rng(seed).choice(m, 2000, replace=False)].max(axis=0).toarray() == 0)
    for seed in range(20)
]
print(f"columns lost by a uniform sample of 2000 rows: {min(counts)} to {max(counts)}")

# %%
# What each flight does to the fit
# --------------------------------
#
# Hat statistics say, for every flight, by how much the prediction for it would be off had it not
# been there to learn from, and how far the whole fit would move without it (Cook's distance), all
# without fitting twice.

hat = hat_statistics(A, b, rng=7)
known = np.isfinite(hat.loo_residuals)
ratio = np.linalg.norm(hat.loo_residuals[known]) / np.linalg.norm(hat.residuals[known])
print(f"{m - np.sum(known)} flight cannot be predicted from the others")
print(
    f"sigma {hat.sigma:.2f} minutes; for the others predictions are {ratio - 1:.3%} worse than the fit"
)
worst = np.argsort(np.where(known, hat.cooks_distance, 0))[::-1][:6]
for i in worst:
    print(
        f"{carrier[i]}: delay {b[i]:6.0f}, residual {hat.residuals[i]:7.1f}, leave-one-out "
        f"{hat.loo_residuals[i]:7.1f}, leverage {hat.leverage[i]:.3f}, Cook {hat.cooks_distance[i]:.3f}"
    )
figure, ax = plt.subplots(figsize=(9, 4.8), layout="constrained")
ax.scatter(hat.leverage, hat.studentized, s=3, color="0.6", lw=0, rasterized=True)
for name, color in zip(("OO", "HA", "AS", "F9", "YV"), ("C3", "C0", "C2", "C1", "C4"), strict=True):
    mine = carrier == name
    ax.scatter(hat.leverage[mine], hat.studentized[mine], s=8, color=color, lw=0, label=name)
h = np.geomspace(hat.leverage.min(), 0.999, 200)
for distance in (1e-4, 1e-3):
    curve = np.sqrt(distance * hat.rank * (1 - h) / h)
    for sign in (1, -1):
        ax.plot(h, sign * curve, color="k", lw=0.6, ls=":")
    place = np.searchsorted(-curve, -9.0)
    ax.annotate(f" {distance:g}", (h[place], curve[place]), fontsize=9)
ax.set(
    xscale="log",
    ylim=(-9, 14),
    xlabel="leverage",
    ylabel="studentized residual",
    title="Influence: leverage and surprise. Dotted: Cook's distance",
)
ax.legend(
    frameon=False, ncols=5, loc="upper right", markerscale=3, title="airlines with few flights"
)
ax.grid(alpha=0.3)
ax.spines[["top", "right"]].set_visible(False)
plt.show()
