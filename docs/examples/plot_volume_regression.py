"""
Few labels, no bias
===================

A regression needs a label for each row, and labels cost. How many rows must be labelled, and which?
Volume sampling draws rows by the volume that they span; least squares on these rows alone is then
unbiased, so that estimates can be averaged without an error that stays.
"""

# %%
# Disease progression of 442 patients, ten measurements each: with as many labels as columns, the
# expected loss is twelve times the least one, and no rule that looks at the rows alone does better.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from statsmodels.datasets import randhie

from lrla.dpp import volume_lstsq
from lrla.sampling import leverage_scores, sample_rows

A, b = load_diabetes(return_X_y=True)
A = np.column_stack([np.ones(len(A)), A])
x = np.linalg.lstsq(A, b)[0]
least = np.sum((A @ x - b) ** 2)

loss = [volume_lstsq(A, b, 11, rng=seed).residual_norm ** 2 / least for seed in range(1000)]
print(f"mean loss {np.mean(loss):.1f}, standard error {np.std(loss) / 1000**0.5:.1f}, theory: 12")

# %%
# The mean of estimates from 15 labels each comes to the answer that all labels give. Estimates from
# rows drawn independently, by their leverage or uniformly, keep a bias, however many are averaged.


def independent(seed, probabilities):
    """Solve from 15 rows drawn independently and weighted accordingly."""
    rows = np.random.default_rng(seed).choice(len(A), 15, p=probabilities)
    root = probabilities[rows] ** -0.5
    return np.linalg.lstsq(A[rows] * root[:, None], b[rows] * root)[0]


leverage = leverage_scores(A).scores / A.shape[1]
draws = 1000
estimates = {
    "volume": np.array([volume_lstsq(A, b, 15, rng=seed).x for seed in range(draws)]),
    "independent, by leverage": np.array([independent(seed, leverage) for seed in range(draws)]),
    "independent, uniform": np.array(
        [independent(seed, np.full(len(A), 1 / len(A))) for seed in range(draws)]
    ),
}
counts = np.unique(np.geomspace(1, draws, 40).astype(int))
fig, left = plt.subplots(figsize=(6, 4), layout="constrained")
for name, X in estimates.items():
    means = np.cumsum(X, axis=0)[counts - 1] / counts[:, None]
    excess = np.sum((A @ (means - x).T) ** 2, axis=0) / least
    left.loglog(counts, excess, label=name)
left.loglog(counts, 3 / counts, "k:", lw=1, label="1 / number")
left.set(xlabel="estimates averaged, 15 labels each", ylabel="excess loss over least loss",
         title="442 patients, 11 columns")  # fmt: skip
left.legend(frameon=False)

# %%
# Health insurance, 20190 households: the loss against the number of labels. For more labels than
# columns, rows are rescaled by their leverage. No row of these data stands out, so that once labels
# are many all ways to draw them are nearly alike; with few labels volume sampling is ahead.

data = randhie.load_pandas()
A = np.column_stack([np.ones(len(data.exog)), data.exog.to_numpy(float)])
b = np.log1p(data.endog.to_numpy(float))
x = np.linalg.lstsq(A, b)[0]
least = np.sum((A @ x - b) ** 2)
scores = leverage_scores(A).scores


def by_sample(size, seed, weights):
    """Solve from rows of a pivotal sample."""
    S = sample_rows(weights, size, rng=seed)
    rows, root = S.indices, S.weights**0.5
    solution = np.linalg.lstsq(A[rows] * root[:, None], b[rows] * root)[0]
    return np.sum((A @ solution - b) ** 2)


sizes = np.array([12, 16, 24, 40, 70, 120, 200])
curves = {
    "volume, rescaled": lambda k, s: volume_lstsq(A, b, k, rng=s).residual_norm ** 2,
    "volume, plain": lambda k, s: volume_lstsq(A, b, k, rescale=None, rng=s).residual_norm ** 2,
    "pivotal, by leverage": lambda k, s: by_sample(k, s, scores),
    "pivotal, uniform": lambda k, s: by_sample(k, s, np.ones(len(A))),
}
fig, right = plt.subplots(figsize=(6, 4), layout="constrained")
for name, run in curves.items():
    medians = [np.median([run(int(k), s) for s in range(11)]) / least - 1 for k in sizes]
    right.loglog(sizes, medians, "o-", ms=4, label=name)
right.set(xlabel="labels", ylabel="excess loss over least loss, median",
          title=f"{len(A)} households, {A.shape[1]} columns")  # fmt: skip
right.legend(frameon=False)
plt.show()
