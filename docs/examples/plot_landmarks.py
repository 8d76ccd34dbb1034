"""
Digits: which images stand for the others
=========================================

Eight by eight pixels, 1797 handwritten digits. A kernel between all pairs of them is approximated
from a few columns, and the matrix of the images themselves from a few images and a few pixels.
Which ones they are decides how well it works.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from lrla.lowrank import KernelMatrix, cur, interpolative, rp_cholesky

digits = load_digits()
images = digits.data / 16
print(images.shape)

# %%
# A kernel from a few columns
# ---------------------------
#
# Landmarks are mostly drawn uniformly. :func:`~lrla.lowrank.rp_cholesky` draws each in proportion
# to what the others have left of its diagonal, and so prefers what is not yet represented;
# ``method="nuclear"`` takes the best of a few such draws, by what its column explains. That
# matters where some kinds are rare. The digits come in equal numbers, and the gain is a few percent;
# so most of the higher ones are left out here, to have many zeros and few nines. The trace of the
# error is known exactly; the dashed line is the least that any matrix of the rank can leave.

kept = np.random.default_rng(0).random(len(images)) < 1 / (1 + digits.target) ** 2
print("of each digit:", np.bincount(digits.target[kept]))
few = images[kept]
K = KernelMatrix(few, gamma=0.1)
n = len(few)
eigenvalues = np.linalg.eigvalsh(K.block(np.arange(n), slice(None)))[::-1]
methods = ("uniform", "greedy", "accelerated", "nuclear")
curves = {}
for method in methods:
    runs = [
        rp_cholesky(K, 100, method=method, rng=seed).factor
        for seed in range(1 if method == "greedy" else 9)
    ]
    # the first k pivots are a run of their own, with the first k rows of the factor
    curves[method] = [1 - np.cumsum(np.sum(factor**2, axis=1)) / n for factor in runs]
    print(f"{method:12} error {np.mean(curves[method], axis=0)[-1]:.4f} with 100 columns")

# %%
# The bands show nine seeds. The images that were drawn first are of different digits, although most
# are zeros and ones; those drawn last are variants.

result = rp_cholesky(K, 100, rng=7)
figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.4), width_ratios=(3, 2), layout="constrained"
)
labels = ("uniform", "largest diagonal", "randomly pivoted", "by nuclear scores")
for color, label, method in zip(("0.55", "C1", "C0", "C2"), labels, methods, strict=True):
    ranks = np.arange(1, 101)
    left.semilogy(ranks, np.mean(curves[method], axis=0), color=color, label=label)
    spread = np.min(curves[method], axis=0), np.max(curves[method], axis=0)
    left.fill_between(ranks, *spread, color=color, alpha=0.2, lw=0)
least = 1 - np.cumsum(eigenvalues)[:100] / n
left.semilogy(ranks, least, "k--", lw=1, label="best of this rank")
left.set(
    xlabel="number of columns",
    ylabel="relative trace error",
    title="RBF kernel of digits, most of them small",
)
left.grid(alpha=0.3)
left.spines[["top", "right"]].set_visible(False)
left.legend(frameon=False)
shown = np.concatenate([result.pivots[:20], result.pivots[-20:]])
tiles = few[shown].reshape(4, 10, 8, 8)
tiles = np.pad(tiles, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=0.4)
mosaic = tiles.transpose(0, 2, 1, 3).reshape(36, 90)
right.imshow(np.insert(mosaic, 18, np.full((3, 90), np.nan), axis=0), cmap="gray_r")
right.set(title="drawn first (above) and last (below)", xticks=[], yticks=[])
right.spines[:].set_visible(False)
plt.show()

# %%
# Images from images, pixels from pixels
# --------------------------------------
#
# A CUR decomposition keeps columns and rows as they are: here pixels and images. Its columns say
# which pixels determine the others. Pixels that are always blank are never among them.

decomposition = cur(images, 20, rng=7)
print(
    f"20 pixels and 20 images: relative error {decomposition.info.relative_error:.3f}, "
    f"at most {decomposition.info.error_bound / np.linalg.norm(images):.3f}"
)
singular = np.linalg.svd(images)[1]
counts = np.arange(4, 41, 4)
curves = {
    "columns, sketched QR": [interpolative(images, k, rng=7).info for k in counts],
    "columns, strong QR": [interpolative(images, k, method="srrqr", rng=7).info for k in counts],
    "columns and rows": [cur(images, k, rng=7).info for k in counts],
}
figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.4), width_ratios=(3, 2), layout="constrained"
)
for name, infos in curves.items():
    left.plot(counts, [info.relative_error for info in infos], "o-", ms=4, label=name)
tails = [np.linalg.norm(singular[k:]) / np.linalg.norm(singular) for k in counts]
left.plot(counts, tails, "k--", lw=1, label="best of this rank")
left.set(xlabel="rank", ylabel="relative error (estimated)", title="The images, 1797 x 64")
left.grid(alpha=0.3)
left.spines[["top", "right"]].set_visible(False)
left.legend(frameon=False)
right.imshow(images.mean(axis=0).reshape(8, 8), cmap="gray_r")
y, x = np.divmod(decomposition.columns, 8)
right.plot(x, y, "C1s", ms=13, mfc="none", mew=2)
right.set(title="20 pixels that determine the others", xticks=[], yticks=[])
right.spines[:].set_visible(False)
plt.show()
