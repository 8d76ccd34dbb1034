"""
Diverse subsets
===============

Twenty pictures out of 1797, or a few hundred pixels out of a photograph: drawn at random, some are
nearly alike and whole regions are left out. Items of a determinantal process repel each other.
"""

# %%
# Handwritten digits: the kernel of two pictures falls with their distance, and sets are drawn with
# probability proportional to the determinant of the kernel among them.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, load_sample_image

from lrla.dpp import KDPP

X, digit = load_digits(return_X_y=True)
squares = np.sum(X**2, axis=1)
distance = np.maximum(squares[:, None] + squares - 2 * X @ X.T, 0)
dpp = KDPP(np.exp(-0.2 * distance / np.median(distance)), 20)
diverse = dpp.sample(rng=7)
uniform = np.random.default_rng(7).choice(len(X), 20, replace=False)

fig, axes = plt.subplots(2, 1, figsize=(10, 2.6), layout="constrained")
for ax, chosen, name in ((axes[0], diverse, "k-DPP"), (axes[1], uniform, "uniform")):
    order = chosen[np.argsort(digit[chosen])]
    ax.imshow(np.hstack(X[order].reshape(20, 8, 8)), cmap="gray_r")
    ax.set(title=f"{name}: {len(np.unique(digit[chosen]))} different digits", xticks=[], yticks=[])
plt.show()

# %%
# Over many draws: how near to each other the nearest two of the chosen pictures are, and how many of
# the ten digits are there.

nearest, kinds = {"k-DPP": [], "uniform": []}, {"k-DPP": [], "uniform": []}
rng = np.random.default_rng(8)
for S in dpp.sample(100, rng=8):
    for name, chosen in (("k-DPP", S), ("uniform", rng.choice(len(X), 20, replace=False))):
        among = distance[np.ix_(chosen, chosen)] + np.diag(np.full(20, np.inf))
        nearest[name].append(np.sqrt(among.min()))
        kinds[name].append(len(np.unique(digit[chosen])))
for name in nearest:
    print(f"{name:8} nearest two {np.mean(nearest[name]):.1f}, digits {np.mean(kinds[name]):.2f}")

# %%
# A photograph: pixels with their colour as items. Random Fourier features stand for the Gaussian
# kernel of colours and places, so the 17 thousand pixels need no matrix of their squares.

photo = load_sample_image("china.jpg")[::4, ::4] / 255.0
height, width, _ = photo.shape
row, column = np.mgrid[:height, :width]
place = np.column_stack([row.ravel(), column.ravel()]) / height
points = np.column_stack([place / 0.12, photo.reshape(-1, 3) / 0.5])
rng = np.random.default_rng(9)
phase = points @ rng.standard_normal((5, 200))
features = np.hstack([np.cos(phase), np.sin(phase)])
dpp = KDPP.from_factor(features, 200)
diverse = dpp.sample(rng=9)
uniform = rng.choice(len(points), 200, replace=False)

fig, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for ax, chosen, name in ((axes[0], diverse, "k-DPP"), (axes[1], uniform, "uniform")):
    ax.imshow(photo, alpha=0.6)
    ax.scatter(column.ravel()[chosen], row.ravel()[chosen], s=9, c="k", lw=0)
    ax.set(title=f"{name}: 200 pixels", xticks=[], yticks=[])
plt.show()
