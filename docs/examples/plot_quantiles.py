"""
Late flights, and how late: quantiles of 327346 delays
======================================================

A mean says little about delays: most flights are early, and a few are very late.
:func:`~lrla.regression.quantile_regression` fits the tenth, the median, the ninetieth percentile
instead, on all rows and to the last digit, and proves it: every answer comes with a dual solution,
whose objective bounds those of all other answers from below.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
import scipy.sparse
from statsmodels.datasets import engel

import lrla
from lrla.datasets import flights
from lrla.regression import huber_regression, lp_regression, quantile_regression, tukey_regression

# %%
# The classic first
# -----------------
#
# What 235 Belgian households spent on food in 1857, by income (Engel). Richer households spend
# more, and differ more: the quantiles fan out, which no mean shows.

frame = engel.load_pandas().data
income, food = frame["income"].to_numpy(), frame["foodexp"].to_numpy()
A = np.stack([np.ones(income.shape[0]), income], axis=1)
levels = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
classic = quantile_regression(A, food, levels, covariance="nid", rng=7)
for tau, x, error in zip(levels, classic.x.T, classic.standard_errors.T, strict=True):
    print(f"{tau:4.2f}: {x[0]:6.1f} + {x[1]:.3f} income, standard error {error[1]:.3f}")
print(f"largest gap: {max(classic.gap):.0e}")

# %%
# The delays
# ----------
#
# Arrival delays on an intercept and dummies for month, weekday, hour, airline and airport. Four of
# five entries are zero, so the design is passed as a sparse matrix. From 50000 rows on, a pilot on
# a few thousand rows finds out which residuals have a sure sign; the rest of the work is for the
# others, and all signs are verified.

data = flights()
kinds = ("intercept", "month", "weekday", "hour", "carrier", "origin")
used = np.array([name.partition("=")[0] in kinds for name in data.names])
names = np.array(data.names)[used]
X = scipy.sparse.csr_array(data.A[:, used])
start = time.perf_counter()
deciles = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
result = quantile_regression(X, data.b, deciles, rng=7)
print(
    f"{X.shape}, {len(deciles)} levels, {result.info.method}: {time.perf_counter() - start:.1f} s"
)
print(f"largest gap: {max(result.gap):.0e}")

# %%
# Through the day, the median flight gets a few minutes later. The ninetieth percentile gets later
# by almost an hour: delays pile up.

mean = lrla.lstsq(X, data.b, rng=7).x
hours = np.array([name.startswith("hour=") for name in names])
clock = np.array([int(name.partition("=")[2]) for name in names[hours]])
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
colours = plt.cm.viridis(np.linspace(0.05, 0.9, len(levels)))
left.plot(income, food, ".", color="0.7", ms=4)
ends = np.array([income.min(), income.max()])
for tau, x, colour in zip(levels, classic.x.T, colours, strict=True):
    left.plot(ends, x[0] + x[1] * ends, color=colour, lw=1.4, label=f"{tau:g}")
left.set(xlim=(300, 3000), ylim=(200, 2100), xlabel="income", ylabel="spent on food")
left.set_title("Households of 1857: quantiles")
left.legend(frameon=False, title="level", loc="upper left")
colours = plt.cm.viridis(np.linspace(0.05, 0.9, len(deciles)))
for tau, x, colour in zip(deciles, result.x.T, colours, strict=True):
    right.plot(clock, x[hours], "o-", color=colour, ms=3, lw=1.4, label=f"{tau:g}")
right.plot(clock, mean[hours], "k--", lw=1, label="mean")
right.set(xlabel="hour of departure", ylabel="minutes of delay more than at 5 am")
right.set_title("Flights of 2013: what the hour adds")
right.legend(frameon=False, title="level", loc="upper left")
for ax in (left, right):
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# Between squares and absolute values
# -----------------------------------
#
# Other losses trust large residuals less than squares do, too. What an airline adds to its typical
# flight is what the median says; Tukey's loss, which forgets the worst delays, and Huber's, which
# nearly does, say the same. Least squares adds what its worst days cost, and p = 1.5 is in between.

huber = huber_regression(X, data.b, rng=7)
print(f"scale {huber.scale:.1f} minutes, gap {huber.gap:.0e}")
answers = {
    "least squares": mean,
    "p = 1.5": lp_regression(X, data.b, 1.5, rng=7).x,
    "Huber": huber.x,
    "Tukey": tukey_regression(X, data.b, scale=huber.scale, x0=huber.x, tol=1e-6, rng=7).x,
    "median": result.x[:, 2],
}
airline = np.array([name.startswith("carrier=") for name in names])
order = np.flatnonzero(airline)[np.argsort(answers["median"][airline])]
figure, ax = plt.subplots(figsize=(11, 4), layout="constrained")
for (label, x), marker in zip(answers.items(), "osd^v", strict=True):
    ax.plot(range(order.shape[0]), x[order], marker, ms=6, alpha=0.8, label=label)
ax.set_xticks(range(order.shape[0]), [name.partition("=")[2] for name in names[order]])
ax.set(xlabel="airline", ylabel="minutes of delay at arrival", title="What an airline adds")
ax.axhline(0, color="0.8", lw=0.8, zorder=0)
ax.grid(alpha=0.3)
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, ncols=5, loc="upper center", bbox_to_anchor=(0.5, -0.16))
plt.show()
