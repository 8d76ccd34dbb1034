"""NumPy twin of `lrla.kernels.pivoted_qr`: most columns are looked at once in many steps.

Norms only fall. So a column is out of the question as long as the norm that it once had is below
that of the best candidate now; and while candidates, the `_WIDTH` longest columns, are ahead of all
others, pivots are found among them alone. Then the rows of R of these steps follow for all columns
by one product of matrices. The pivots are those of the definition: nothing is left out.

If more than half of the columns are to be pivots, LAPACK is faster (300 x 300, all: 2 of 10 ms).
"""

import math

import numpy as np

from lrla._core.jit import jit
from lrla.kernels.pivoted_qr import EQUAL, FALL, NOISE

_WIDTH = 128  # candidates
_SOON = 100.0  # norms that lack two digits of being stale are computed afresh with those that are


def pivoted_qr(Y, k):
    """See `lrla.kernels.pivoted_qr.pivoted_qr`."""
    m, n = Y.shape
    k = min(k, m, n)
    found = _by_lapack(Y, k) if 2 * k > n else None
    return _by_candidates(Y, k) if found is None else found


def _by_lapack(Y, k):
    """Take all steps; None if before step k a pivot is rounding, which only the definition skips."""
    import scipy.linalg

    Q, T, order = scipy.linalg.qr(Y, mode="economic", pivoting=True, check_finite=False)
    pivots, size = T.diagonal()[:k], _norms(Y.T)
    sizes = np.abs(pivots)
    if not (sizes > _rounding(Y, size)[order[:k]]).all():
        return None
    phase = pivots / sizes
    R, left = np.empty((k, len(order)), T.dtype), np.zeros_like(size)
    R[:, order] = phase.conj()[:, None] * T[:k]
    R[np.arange(k), order[:k]] = sizes
    left[order[k:]] = _norms(T[k:, k:].T)
    return order[:k].astype(np.int64), Q[:, :k] * phase, R, left


def _by_candidates(Y, k):
    m, n = Y.shape
    rows = np.ascontiguousarray(Y.T)  # columns of Y, each in one piece
    Y = Y if Y.flags.c_contiguous else rows.T
    size = _norms(rows)
    noise = _rounding(Y, size)
    left, fresh, lost = size.copy(), size.copy(), np.empty_like(size)
    Q, R = np.empty((k, m), Y.dtype), np.empty((k, n), Y.dtype)
    columns, lengths, j = np.empty(k, np.int64), np.empty(k, size.dtype), 0
    eps = float(np.finfo(size.dtype).eps)
    equal, stale = 1 - EQUAL * eps, math.sqrt(eps)
    while j < k and left.max(initial=0) > 0:
        tried, bound = _candidates(left, equal)
        first, now = j, left[tried]
        j = _steps(
            rows, tried, now, fresh[tried], size, noise, bound, equal, stale, Q, columns, lengths, j
        )
        left[tried[now < 0]] = 0
        if j == first:  # of none of these is anything left
            continue
        np.matmul(Q[first:j].conj(), Y, out=R[first:j])
        left[columns[first:j]] = 0
        if _downdate(R[first:j], left, fresh, size, lost) <= stale:
            (old,) = np.nonzero(lost <= _SOON * stale)
            again = _norms(rows[old] - R[:j, old].T @ Q[:j])
            left[old] = fresh[old] = np.where(again > noise[old], again, 0)
    columns, R = columns[:j], R[:j]
    R[:, columns] = np.triu(R[:, columns], 1)
    R[np.arange(j), columns] = lengths[:j]
    return columns, Q[:j].T, R, left


def _rounding(Y, size):
    """Return the norm below which what is left of a column is rounding."""
    return (NOISE * float(np.finfo(size.dtype).eps) * math.sqrt(len(Y))) * size


def _candidates(left, equal):
    """Return the longest columns in ascending order, and a norm that no other one exceeds."""
    n = len(left)
    if n <= _WIDTH:
        return np.arange(n), 0.0
    longest = left.max()
    bound = _bound(left, longest, _WIDTH)
    if not equal * longest > bound:  # more columns than that are equally long
        return np.array([np.argmax(left >= equal * longest)]), 0.0
    return np.flatnonzero(left > bound), bound


@jit
def _bound(left, longest, width):
    """Halve until at most ``width`` norms are larger; at least half of that many, if they differ."""
    low, bound, count = 0.0, longest, 0
    while 2 * count < width:
        middle = low + (bound - low) / 2
        if not low < middle < bound:
            break
        count = 0
        for x in left:
            count += x > middle
        if count > width:
            low, count = middle, 0
        else:
            bound = middle
    return bound


# Sums in several lanes ("reassoc"): the loops are dot products of contiguous vectors.
@jit(fastmath={"reassoc", "contract"})
def _steps(rows, tried, left, fresh, size, noise, bound, equal, stale, Q, columns, lengths, j):
    """Take pivots among candidates until another column may be longer, or a norm is stale."""
    q = np.empty(rows.shape[1], rows.dtype)
    current = True
    while j < Q.shape[0] and current:
        longest = equal * np.max(left)
        if not longest > bound:
            break
        best = 0
        while left[best] < longest:
            best += 1
        left[best] = 0
        p = tried[best]
        for t in range(q.size):
            q[t] = rows[p, t] / size[p]
        before, length = np.inf, _orthogonalise(q, Q, j)
        while 0 < length < before / 2:  # at least once
            before, length = length, _orthogonalise(q, Q, j)
        if not length * size[p] > noise[p]:
            left[best] = -1  # while zero may be a norm whose digits have cancelled
            continue
        for t in range(q.size):
            Q[j, t] = q[t] / length
        columns[j], lengths[j] = p, length * size[p]
        for c in range(tried.size):
            if left[c] > 0:
                part = abs(_dot(Q[j], rows[tried[c]])) / left[c]
                left[c] *= math.sqrt(max(0.0, (1 - part) * (1 + part)))
                current &= _digits(left[c], fresh[c], size[tried[c]]) > stale
        j += 1
    return j


@jit(fastmath={"reassoc", "contract"})
def _dot(x, y):
    total = x.dtype.type(0)
    for t in range(x.size):
        total += np.conj(x[t]) * y[t]
    return total


@jit(fastmath={"reassoc", "contract"})
def _orthogonalise(q, Q, j):
    """Take its parts along the first j rows of Q out of q; return the norm of what is left."""
    for i in range(j):
        part = _dot(Q[i], q)
        for t in range(q.size):
            q[t] -= part * Q[i, t]
    return math.sqrt(_dot(q, q).real)


@jit
def _digits(left, fresh, size):
    fall = left / fresh
    return fall * (left / size) if fall <= FALL else np.inf


def _downdate(R, left, fresh, size, lost):
    """Lower norms by rows of R; return the least of what says how many digits they have."""
    _lower(R, left, fresh, size, lost)
    return lost.min()


# No branches, and no least value on the way: so all of it is done in vectors.
@jit(fastmath={"contract"})
def _lower(R, left, fresh, size, lost):
    n = left.size
    part, inverse = np.ones_like(left), np.zeros_like(left)
    for i in range(n):
        inverse[i] = 1 / left[i] if left[i] > 0 else 0.0
    for j in range(R.shape[0]):
        row = R[j]
        for i in range(n):
            x = abs(row[i]) * inverse[i]
            part[i] -= x * x
    for i in range(n):
        now = left[i] * math.sqrt(max(0.0, part[i]))
        fall = now / fresh[i]
        digits = fall * (now / size[i])
        lost[i] = digits if left[i] > 0 and fall <= FALL else np.inf
        left[i] = now


def _norms(Z):
    Z = np.ascontiguousarray(Z)
    out = np.empty(Z.shape[0], Z.real.dtype)
    _lengths(Z.view(out.dtype), float(np.finfo(out.dtype).tiny), out)
    return out


@jit(fastmath={"reassoc", "contract"})
def _lengths(Z, tiny, out):
    """Euclidean norms of real rows, in a second pass if squares overflow or vanish."""
    for i in range(Z.shape[0]):
        square = _dot(Z[i], Z[i])
        if tiny * 1e16 < square < np.inf:
            out[i] = math.sqrt(square)
            continue
        peak = 0.0
        for t in range(Z.shape[1]):
            peak = max(peak, abs(Z[i, t]))
        out[i] = 0
        if peak > 0:
            scaled = Z[i] / peak
            out[i] = peak * math.sqrt(_dot(scaled, scaled))
