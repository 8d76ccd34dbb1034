"""
Subspaces of coordinates, where sketches fail
=============================================

Most sketches do well on random data. Real designs have dummy variables, rare events and outliers:
columns that live on few rows. In the extreme the range of A is spanned by n coordinates, and this
script measures what the sketches of the library make of that.
"""

import matplotlib.pyplot as plt
import numpy as np

from lrla.sketch import SRHT, SRTT, Gaussian, SparseSign, distortion

m, n, draws = 2048, 64, 10

# %%
# What is measured
# ----------------
#
# :func:`lrla.sketch.distortion` returns the smallest and largest factor by which a sketch changes
# lengths in the range of a matrix. If the smallest is 0, a solution of the sketched problem may be
# anything; as a preconditioner, the sketch is worth the less the closer the factor is to 0.

A = np.eye(m, n)  # the first 64 coordinates
print(distortion(SparseSign(4 * n, m, rng=7), A))
print(distortion(SparseSign(4 * n, m, nnz_per_col=1, rng=7), A))

# %%
# Sizes and families
# ------------------

families = {
    "Gaussian": lambda d, seed: Gaussian(d, m, rng=seed),
    "SparseSign, 8 nonzeros": lambda d, seed: SparseSign(d, m, rng=seed),
    "SparseSign, 4 nonzeros": lambda d, seed: SparseSign(d, m, nnz_per_col=4, rng=seed),
    "SparseSign, 2 nonzeros": lambda d, seed: SparseSign(d, m, nnz_per_col=2, rng=seed),
    "CountSketch, 1 nonzero": lambda d, seed: SparseSign(d, m, nnz_per_col=1, rng=seed),
    "SRHT": lambda d, seed: SRHT(d, m, rng=seed),
    "SRHT, permute=False": lambda d, seed: SRHT(d, m, permute=False, rng=seed),
    "SRTT": lambda d, seed: SRTT(d, m, rng=seed),
    "SRTT, permute=False": lambda d, seed: SRTT(d, m, permute=False, rng=seed),
}
ratios = np.array([1.5, 2, 3, 4, 6, 8, 12])
worst = {
    name: [
        min(distortion(make(int(ratio * n), seed), A)[0] for seed in range(draws))
        for ratio in ratios
    ]
    for name, make in families.items()
}

# %%
# The worst of ten sketches
# -------------------------
#
# Eight nonzeros in a column do what a Gaussian does, at a fraction of the cost; this is why eight
# is the default. Two are not enough, and with one, columns collide: some pair of n coordinates
# falls into the same bucket unless d is of the order of n squared, and the sketch loses rank.
#
# The textbook Hadamard transform is singular here too. On 64 neighbouring coordinates its rows
# repeat with period 64, so d rows hold no more than 64 different ones, and not all of these until d
# is several times n. Permuting the rows of the data first, which is the default, repairs both
# transforms: the SRTT suffers in the same way without it, if less.

styles = {
    "Gaussian": {"color": "k", "marker": "s"},
    "SparseSign, 8 nonzeros": {"color": "C0", "marker": "o"},
    "SparseSign, 4 nonzeros": {"color": "C0", "marker": "v", "alpha": 0.75},
    "SparseSign, 2 nonzeros": {"color": "C0", "marker": "^", "alpha": 0.5},
    "CountSketch, 1 nonzero": {"color": "C3", "marker": "x"},
    "SRHT": {"color": "C2", "marker": "D"},
    "SRHT, permute=False": {"color": "C2", "marker": "D", "mfc": "none", "ls": ":"},
    "SRTT": {"color": "C1", "marker": "P"},
    "SRTT, permute=False": {"color": "C1", "marker": "P", "mfc": "none", "ls": ":"},
}
figure, ax = plt.subplots(figsize=(10, 5), layout="constrained")
for name, values in worst.items():
    ax.plot(ratios, values, ms=6, lw=1.3, label=name, **styles[name])
ax.plot(ratios, 1 - 1 / np.sqrt(ratios), "k--", lw=0.8, label="1 - sqrt(n/d)")
ax.set_xscale("log", base=2)
ax.set_xticks(ratios, [f"{ratio:g}" for ratio in ratios])
ax.minorticks_off()
ax.set(
    xlabel="rows of the sketch per dimension of the subspace, d / n",
    ylabel=f"smallest singular value, worst of {draws}",
    title=f"Sketches of the subspace of the first {n} of {m} coordinates",
    ylim=(-0.03, 0.85),
)
ax.grid(alpha=0.3)
ax.spines[["top", "right"]].set_visible(False)
figure.legend(loc="outside right upper", frameon=False)
plt.show()
