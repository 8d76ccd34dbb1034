"""
A hundred simulations instead of 4900
=====================================

How far does a driven, damped oscillator swing, for any stiffness and any frequency of the drive? A
polynomial of two variables answers quickly, once it is fitted; each label costs a simulation, so we
want few. This is an experiment of Shimizu, Cheng, Musco and Weare (ICLR 2024), on another grid.
"""

import matplotlib.pyplot as plt
import numpy as np

from lrla.regression import active_regression, lstsq
from lrla.sampling import leverage_scores, sample_rows

side = np.linspace(-1, 1, 70)
X = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)


def swing(points):
    """Simulate ``x'' + x'/2 + k x = cos(w t) / 2`` from rest to t = 20; return max(abs(x))."""
    k, w = points[:, 0] + 2, points[:, 1] + 1
    state, step, largest = np.zeros((2, len(points))), 0.05, np.zeros(len(points))

    def slope(t, s):
        return np.stack([s[1], np.cos(w * t) / 2 - s[1] / 2 - k * s[0]])

    for t in np.arange(0, 20, step):  # the classical method of Runge and Kutta
        a = slope(t, state)
        b = slope(t + step / 2, state + step / 2 * a)
        c = slope(t + step / 2, state + step / 2 * b)
        d = slope(t + step, state + step * c)
        state = state + step / 6 * (a + 2 * b + 2 * c + d)
        largest = np.maximum(largest, abs(state[0]))
    return largest


# %%
# The design
# ----------
#
# All products of Legendre polynomials of total degree 9: 55 columns, a row for each point of the
# grid. For once all labels are computed, to see how good the answers are.

V, W = (np.polynomial.legendre.legvander(X[:, k], 9) for k in (0, 1))
A = np.stack([V[:, i] * W[:, j] for i in range(10) for j in range(10 - i)], axis=1)
b = swing(X)
best = lstsq(A, b, rng=0)
print(f"{A.shape[0]} points, {A.shape[1]} columns")
print(f"residual of the best polynomial: {best.residual_norm / np.linalg.norm(b):.3f} of the data")

# %%
# A hundred labels
# ----------------
#
# ``query`` is called once, with the points that were chosen. With ``coords``, pivotal sampling
# lets neighbours compete, and so spreads the sample out.

result = active_regression(A, lambda i: swing(X[i]), 100, coords=X, rng=7)
error = np.linalg.norm(A @ result.x - b)
print(f"{result.info.n_queried} labels")
print(f"residual over all points: {error / best.residual_norm:.2f} times the least")
print(f"as estimated from the labels: {result.residual_norm / best.residual_norm:.2f} times")

# %%
# Designs compared
# ----------------
#
# All designs draw by the same leverage scores; what differs is how rows are drawn together.

scores = leverage_scores(A, rng=0).scores
sizes = (60, 80, 100, 150, 200)
designs = {
    "with replacement": {"design": "replacement"},
    "Poisson": {"design": "poisson"},
    "pivotal, random order": {},
    "pivotal, by coordinates": {"coords": X},
}
excess = {}
for name, options in designs.items():
    excess[name] = np.zeros((len(sizes), 30))
    for row, size in zip(excess[name], sizes, strict=True):
        for seed in range(row.size):
            sample = sample_rows(scores, size, rng=seed, **options)
            x = np.linalg.lstsq(sample.rows(A), sample.rows(b))[0]
            row[seed] = np.sum((A @ x - b) ** 2) / best.residual_norm**2 - 1
    print(f"{name:24}", *(f"{np.median(row):8.2f}" for row in excess[name]))

figure, axes = plt.subplots(1, 3, figsize=(12, 4.2), width_ratios=(2, 2, 3), layout="constrained")
poisson = sample_rows(scores, 100, design="poisson", rng=7)
chosen = (("Poisson", poisson.indices), ("pivotal, by coordinates", result.indices))
for ax, (name, rows) in zip(axes, chosen, strict=False):
    ax.pcolormesh(side, side, b.reshape(70, 70).T, cmap="Greys", alpha=0.6, linewidth=0)
    ax.plot(*X[rows].T, "C3o", ms=4)
    ax.set(title=f"{name}, {len(rows)} points", xticks=(-1, 0, 1), yticks=(-1, 0, 1), aspect=1)
    ax.set(xlabel="stiffness", ylabel="frequency")
for k, (name, table) in enumerate(excess.items()):
    low, middle, high = np.quantile(table, (0.25, 0.5, 0.75), axis=1)
    axes[2].plot(sizes, middle, f"C{k}o-", ms=4, label=name)
    axes[2].fill_between(sizes, low, high, color=f"C{k}", alpha=0.12, linewidth=0)
axes[2].set_yscale("log")
axes[2].set(
    xlabel="labels",
    ylabel="squared residual, relative excess",
    title="Medians and quartiles of 30 samples",
)
axes[2].legend(frameon=False)
axes[2].grid(alpha=0.3)
axes[2].spines[["top", "right"]].set_visible(False)
plt.show()
