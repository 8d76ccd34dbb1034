"""Whether random sets have the law that they should have."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

Law = dict[tuple[int, ...], float]


def set_law(process: Any, *, size: int | None = None) -> Law:
    """List the probability of every set of items of a small process.

    Parameters
    ----------
    process : object
        With ``n`` items and a method ``log_prob(S)``, as those of `lrla.dpp`.
    size : int, optional
        Only the sets of this size; all of them by default.

    Returns
    -------
    dict
        From ascending tuples of items to probabilities; impossible sets are left out.

    Raises
    ------
    ValueError
        If there are more than 20 items.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.dpp import LEnsemble
    >>> from lrla.testing import set_law
    >>> law = set_law(LEnsemble(np.eye(2)))
    >>> law[(0,)]
    0.25
    """
    if process.n > 20:
        raise ValueError(f"process must have at most 20 items, got {process.n}: too many sets")
    sizes = range(process.n + 1) if size is None else (size,)
    law = {
        S: float(np.exp(process.log_prob(S)))
        for k in sizes
        for S in itertools.combinations(range(process.n), k)
    }
    return {S: p for S, p in law.items() if p > 0}


def sets_p_value(samples: Iterable[Any], law: Mapping[tuple[int, ...], float]) -> float:
    """Test by chi-square whether sets were drawn from a law.

    Parameters
    ----------
    samples : sequence of sequences of int
        The sets that were drawn, items in any order.
    law : dict
        From ascending tuples of items to probabilities, as by `set_law`.

    Returns
    -------
    float
        Probability of a worse fit if the law is right; 0 if a set that cannot occur did. Sets
        expected fewer than five times are counted as one.

    Examples
    --------
    >>> from lrla.testing import sets_p_value
    >>> sets_p_value([(0,), (1,)] * 50, {(0,): 0.5, (1,): 0.5})
    1.0
    """
    from scipy.stats import chi2

    counts = Counter(tuple(sorted(int(i) for i in S)) for S in samples)
    n = sum(counts.values())
    if set(counts) - set(law):
        return 0.0
    seen = np.array([counts[S] for S in law], float)
    expected = np.array(list(law.values())) * n
    rare = expected < 5
    if rare.any():
        seen = np.append(seen[~rare], seen[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    statistic = float(np.sum((seen - expected) ** 2 / np.maximum(expected, 1e-300)))
    return float(chi2.sf(statistic, max(len(seen) - 1, 1)))
