"""
A graph in a few numbers per node
=================================

FastRP [1]_ embeds the nodes of a graph by a very sparse random projection of powers of its
transition matrix, none of which is ever formed: each power is one more product of a sparse matrix
with a thin one. It takes a dozen lines, which is why it is an example here and not a function.

The graph links every handwritten digit to the ten images nearest to it. The embedding never sees an
image, and no label.

.. [1] H. Chen, S. F. Sultan, Y. Tian, M. Chen and S. Skiena, "Fast and accurate network embeddings
   via very sparse random projection", CIKM 2019.
"""

import matplotlib.pyplot as plt
import numpy as np
import scipy.sparse
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier, kneighbors_graph

from lrla.lowrank import svd
from lrla.sketch import VerySparse

digits = load_digits()
graph = kneighbors_graph(digits.data, 10)
graph = scipy.sparse.csr_array(graph.maximum(graph.T))
print(f"{graph.shape[0]} nodes, {graph.nnz // 2} edges")

# %%
# The embedding
# -------------
#
# Columns of the projection are nodes, so ``S.T`` has a row for each of them. Degrees to a negative
# power keep popular nodes from dominating; rows of every power are normalized before they are
# weighted and added.


def fastrp(graph, dimension, weights, beta=-0.5, seed=7):
    """Add up weighted powers of the transition matrix, applied to a random projection."""
    n = graph.shape[0]
    degree = np.asarray(graph.sum(axis=1)).ravel()
    walk = scipy.sparse.diags_array(1 / np.maximum(degree, 1)) @ graph
    projection = VerySparse(dimension, n, s=3, rng=seed).toarray().T
    power = (np.maximum(degree, 1) / degree.sum())[:, None] ** beta * projection
    total = np.zeros((n, dimension))
    for weight in weights:
        power = walk @ power
        length = np.linalg.norm(power, axis=1, keepdims=True)
        total += weight * power / np.where(length > 0, length, 1)
    return total


def accuracy(features):
    """Classify every node by its five neighbours among the others."""
    return cross_val_score(KNeighborsClassifier(5), features, digits.target, cv=3).mean()


powers = np.arange(1, 9)
scores = [
    [accuracy(fastrp(graph, dimension, np.arange(1, q + 1) == q)) for q in powers]
    for dimension in (8, 32)
]
print("accuracy with 32 numbers per node:", np.round(scores[1], 3))

# %%
# One step of the walk knows a node's neighbours, and few nodes have the same. A few steps know the
# cluster: 32 numbers are then as good as the 64 pixels that the graph was made of.

embedding = fastrp(graph, 32, (0, 0, 1, 1, 1, 1))
leading = svd(embedding - embedding.mean(axis=0), 2, rng=7)
place = leading.U * leading.s
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
for values, label in zip(scores, ("8 numbers", "32 numbers"), strict=True):
    left.plot(powers, values, "o-", label=f"{label} per node")
left.axhline(accuracy(digits.data), color="k", ls="--", lw=1, label="the images themselves")
left.set(xlabel="power of the transition matrix", ylabel="accuracy of five neighbours")
left.set(title="Which power knows most")
left.grid(alpha=0.3)
left.legend(frameon=False)
right.scatter(*place.T, c=digits.target, cmap="tab10", s=6, vmin=-0.5, vmax=9.5)
for digit in range(10):
    middle = np.median(place[digits.target == digit], axis=0)
    right.text(*middle, str(digit), fontsize=16, weight="bold", ha="center", va="center")
right.set(title="Powers 3 to 6, two leading directions", xticks=[], yticks=[])
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
