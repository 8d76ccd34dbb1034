"""How many of several independent events happen, and which, given how many."""

from __future__ import annotations

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel


@kernel
def pmf(p: Array, q: Array) -> Array:
    """Compute the law of the number of events that happen.

    Parameters
    ----------
    p, q : arrays of shape (r,)
        Probabilities that each happens and that it does not, float64; q is given since 1 - p would
        lose the digits of small ones.

    Returns
    -------
    array of shape (r + 1,)
        Probabilities of 0 .. r events. All terms are positive: each has full relative accuracy.
    """
    space = space_of(p)
    xp = space.xp
    r = int(p.shape[0])
    T = xp.concat((space.asarray([1.0]), space.zeros((r,), xp.float64)))
    zero = space.zeros((1,), xp.float64)
    for j in range(r):
        T = q[j] * T + p[j] * xp.concat((zero, T[:-1]))
    return T


@kernel
def inclusion(p: Array, q: Array, k: int) -> tuple[Array, Array]:
    """Compute the probability of each event, given that exactly k of them happen.

    Parameters
    ----------
    p, q : arrays of shape (r,)
        As for `pmf`.
    k : int
        Between 0 and r.

    Returns
    -------
    inside : array of shape (r,)
        Conditional probability of each event.
    total : array of shape ()
        Probability that k events happen.
    """
    space = space_of(p)
    xp = space.xp
    r = int(p.shape[0])
    if r == 0:
        return space.zeros((0,), xp.float64), space.asarray(1.0)
    total = pmf.definition(p, q)[k]
    out = []
    for j in range(r):
        others = pmf.definition(xp.concat((p[:j], p[j + 1 :])), xp.concat((q[:j], q[j + 1 :])))
        out.append(p[j] * others[k - 1] / total if k else 0.0 * p[j])
    return xp.stack(out), total
