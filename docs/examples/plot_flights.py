"""
Delayed flights: a quick answer with error bars
===============================================

What makes a flight late? The 327346 flights that left New York City in 2013 give a regression with
197 coefficients: the airline, the airport, the hour, the day, and more. A sketch answers in one
pass over the data, and says how far its answer may be from that of all rows.

The intervals on this page are about the sketch: they should hold the coefficient that *all* rows
give. How well those rows tell the truth about airlines is another question.
"""

import matplotlib.pyplot as plt
import numpy as np

import lrla
from lrla.datasets import flights
from lrla.regression import StreamingLstsq, sketch_and_solve

data = flights()
A, b = data.A, data.b
names = np.array(data.names)
print(A.shape, "from", names[0], "to", names[-1])

# %%
# The exact answer
# ----------------
#
# The columns are in their natural units, minutes, miles and their powers, so the condition number is
# large. :func:`lrla.lstsq <lrla.regression.lstsq>` measures each column by its own length;
# ``info.condition`` is what remains.

exact = lrla.lstsq(A, b, rng=7)
info = exact.info
print(f"{info.method}, condition {info.condition:.0f}, backward error {info.backward_error:.0e}")

# %%
# Error against the size of the sketch
# ------------------------------------
#
# ``eps`` is the error of the fit relative to the residual. It decides the number of rows, and the
# result estimates the error from the sketch alone.

tolerances = (0.5, 0.25, 0.125)
results = [sketch_and_solve(A, b, eps=eps, rng=7) for eps in tolerances]


def coverage(result, level=0.95):
    """Count in how many intervals the exact coefficient lies."""
    low, high = result.confidence_interval(level)
    return np.mean((low <= exact.x) & (exact.x <= high))


errors = [np.linalg.norm(A @ (result.x - exact.x)) for result in results]
for eps, result, error in zip(tolerances, results, errors, strict=True):
    print(
        f"eps {eps:5.3f}: {result.info.sketch.d:5d} rows, error {error / exact.residual_norm:.3f}, "
        f"estimated {result.info.error_estimate / result.residual_norm:.3f}, "
        f"coverage {coverage(result):.0%}"
    )

# %%
# Four times the rows halve an interval. Airlines are compared with Endeavor Air (9E), the first in
# the alphabet. Few flights make wide intervals: those of Hawaiian Airlines (HA, 342 flights) and
# SkyWest (OO, 29) leave the picture.

airline = np.array([name.startswith("carrier=") for name in names])
order = np.flatnonzero(airline)[np.argsort(exact.x[airline])]
figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.6), width_ratios=(2, 3), layout="constrained"
)
left.loglog(tolerances, np.array(errors) / exact.residual_norm, "ko", label="measured error")
left.loglog(
    tolerances,
    [result.info.error_estimate / result.residual_norm for result in results],
    "C0_", ms=14, mew=2, label="estimated by the sketch",
)  # fmt: skip
left.loglog(tolerances, tolerances, color="0.6", lw=0.8, ls="--", label="eps")
left.set_xticks(tolerances, [f"{eps:g}" for eps in tolerances])
left.set_yticks(tolerances, [f"{eps:g}" for eps in tolerances])
left.minorticks_off()
left.set(xlabel="eps", ylabel="error of the fit / norm of the residual", title="Accuracy")
for k, result in enumerate((results[0], results[-1])):
    low, high = result.confidence_interval(0.95)
    place = np.arange(order.shape[0]) + 0.24 * (k - 0.5)
    label = f"95 % interval, d = {result.info.sketch.d}"
    right.vlines(place, low[order], high[order], color=f"C{k}", lw=4, alpha=0.6, label=label)
right.plot(np.arange(order.shape[0]), exact.x[order], "k_", ms=12, label="all rows")
right.set_xticks(range(order.shape[0]), [name.partition("=")[2] for name in names[order]])
right.axhline(0, color="0.8", lw=0.8, zorder=0)
right.set(
    xlabel="airline",
    ylabel="minutes of delay at arrival",
    ylim=(-40, 60),
    title="What an airline adds",
)
for ax in (left, right):
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False, ncols=2)
right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False, ncols=3)
plt.show()

# %%
# Month by month
# --------------
#
# Data that arrive in pieces need not be kept: the sketch of all months is the sum of theirs. What
# is needed is each row's number, here counted on from month to month.

months = np.ones(b.shape[0], dtype=int)  # January has no column of its own
for month in range(2, 13):
    months[A[:, names == f"month={month}"][:, 0] == 1] = month
stream = StreamingLstsq(A.shape[1], d=20 * A.shape[1], rng=7)
watched = np.flatnonzero(names == "carrier=UA")[0]
history = []
for month in range(1, 13):
    rows = months == month
    stream.partial_fit(A[rows], b[rows])
    result = stream.solve()
    low, high = result.confidence_interval(0.95)
    history.append((result.x[watched], low[watched], high[watched]))
print(f"{stream.n_rows} rows seen, {stream.sketch.d} kept, rank {result.rank}")

# %%
# After each month the interval is about the rows so far, as the exact answers after four, eight and
# twelve months show. It does not shrink as rows come in: its width depends on the rows of the sketch
# and not on those of the data. In the first months some columns are still zero; the answer is then
# the solution of least norm.

thirds = {12: exact.x[watched]}
for month in (4, 8):
    seen = months <= month
    thirds[month] = lrla.lstsq(A[seen], b[seen], rng=7).x[watched]
x, low, high = np.array(history).T
figure, ax = plt.subplots(figsize=(10, 4), layout="constrained")
ax.vlines(range(1, 13), low, high, color="C0", lw=6, alpha=0.4, label="95 % interval, stream")
ax.plot(range(1, 13), x, "C0o", ms=5, label="stream")
ax.plot(list(thirds), list(thirds.values()), "k_", ms=16, mew=2, label="exact, all rows so far")
ax.set_xticks(range(1, 13), list("JFMAMJJASOND"))
ax.set(
    xlabel="rows seen up to the end of",
    ylabel="minutes of delay at arrival",
    title="What United Airlines (UA) adds",
)
ax.axhline(0, color="0.8", lw=0.8, zorder=0)
ax.grid(alpha=0.3)
ax.spines[["top", "right"]].set_visible(False)
figure.legend(loc="outside right upper", frameon=False)
plt.show()
