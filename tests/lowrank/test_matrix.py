"""Numbers that say how many: the same in all functions of the room, with the same errors."""

import numpy as np
import pytest

from lrla.lowrank import (
    column_subset,
    cur,
    diagonal,
    eigh,
    eim,
    interpolative,
    kernel_features,
    nystrom,
    qb,
    rp_cholesky,
    svd,
    trace,
    weighted_lowrank,
)

X = np.random.default_rng(90210).standard_normal((20, 12))
K = X @ X.T + np.eye(20)
WEIGHTS = np.random.default_rng(311).uniform(0.5, 1, X.shape)
OF_RANK = {
    "svd": lambda k: svd(X, k, rng=7).s,
    "eigh": lambda k: eigh(K, k, rng=7).eigenvalues,
    "qb": lambda k: qb(X, rank=k, rng=7).B,
    "nystrom": lambda k: nystrom(K, k, rng=7).eigenvalues,
    "interpolative": lambda k: interpolative(X, k, rng=7).columns,
    "column_subset": lambda k: column_subset(X, k, rng=7).columns,
    "cur": lambda k: cur(X, k, rng=7).columns,
    "rp_cholesky": lambda k: rp_cholesky(K, k, rng=7).pivots,
    "kernel_features": lambda k: kernel_features(K, k, rng=7).indices,
    "weighted_lowrank": lambda k: weighted_lowrank(X, WEIGHTS, k, rng=7).s,
    "eim": lambda k: eim(X, k).points,
}


@pytest.mark.parametrize("name", OF_RANK)
@pytest.mark.parametrize("rank", [2.0, np.int8(2), np.float32(2), np.array(2)])
def test_ranks_that_are_integers(name, rank):
    np.testing.assert_array_equal(OF_RANK[name](rank), OF_RANK[name](2))


@pytest.mark.parametrize("name", OF_RANK)
@pytest.mark.parametrize("rank", [0, -1, 1.5, 21, np.nan, np.inf, "3", [2], 2j])
def test_ranks_that_are_none(name, rank):
    with pytest.raises(ValueError, match=r"rank must be an integer between 1 and .*, got "):
        OF_RANK[name](rank)


@pytest.mark.parametrize("function", [trace, diagonal])
@pytest.mark.parametrize("budget", [0, 4.5, np.nan, np.inf, "9", [9]])
def test_budgets_that_are_none(function, budget):
    with pytest.raises(ValueError, match=r"budget must be an integer, at least [14], got "):
        function(K, budget=budget)


def test_other_numbers():
    with pytest.raises(ValueError, match=r"block must be an integer, at least 1, got 2\.5"):
        qb(X, rank=2, block=2.5)
    with pytest.raises(ValueError, match=r"passes must be an integer, at least 1, got 2\.5"):
        svd(X, 2, passes=2.5)
    with pytest.raises(ValueError, match="got '3'"):
        svd(X, "3")
    assert trace(K, budget=12.0, method="xtrace", rng=7).value == pytest.approx(
        trace(K, budget=12, method="xtrace", rng=7).value
    )
