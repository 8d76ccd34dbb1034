"""Pivots by score against rows that are projected one by one, as the definition of a score says."""

import numpy as np
import pytest

from lrla.kernels.nuclear_pivots import nuclear_pivots


def slow(R, W, bounds, uniform, least, candidates, count):
    """Choose from rows W of what is left, and R its block, by forming both after each pivot."""
    R, W = R.copy(), W.copy()
    offered, chosen, fresh = [], [], 0
    for j in range(len(R)):
        if R[j, j].real > max(uniform[j] * bounds[j], least[j]):
            offered.append(j)
            fresh += 1
        if len(chosen) == count or not (fresh == candidates or (fresh and j == len(R) - 1)):
            continue
        scores = {
            i: max(np.linalg.norm(W[i]) ** 2 / R[i, i].real, R[i, i].real)
            for i in offered
            if i not in chosen and R[i, i].real > least[i]
        }
        best = max(scores, key=scores.get)
        chosen.append(best)
        column = R[:, best] / R[best, best]
        W = W - np.outer(column, W[best])
        R = R - np.outer(column, R[best])
        fresh = 0
    return chosen


@pytest.mark.parametrize("twin", [nuclear_pivots, nuclear_pivots.definition], ids=["twin", "plain"])
@pytest.mark.parametrize(("candidates", "count"), [(1, 90), (2, 90), (3, 90), (7, 90), (3, 5)])
@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_scores_are_those_of_what_is_left(twin, candidates, count, dtype):
    rng = np.random.default_rng([candidates, count, 90210])
    X, b = rng.standard_normal((60, 200)), 90
    if dtype == "c16":
        X = X + 1j * rng.standard_normal(X.shape)
    X = X * np.exp(rng.uniform(0, 1.5, 200))
    K = X.conj().T @ X
    index = rng.choice(200, b)  # some of them more than once
    R, W = K[np.ix_(index, index)], K[index]
    bounds = 1.2 * np.diag(R).real
    rest = bounds, rng.uniform(size=b), 1e-6 * bounds, candidates, count
    L, chosen = twin(R, W @ W.conj().T, *rest)
    want = slow(R, W, *rest)
    assert chosen[chosen >= 0].tolist() == want
    assert len(want) > 3
    factor = L[np.ix_(want, np.flatnonzero(chosen >= 0))]
    np.testing.assert_allclose(factor, np.linalg.cholesky(R[np.ix_(want, want)]), atol=1e-8)
