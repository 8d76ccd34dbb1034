"""Numba twin of `lrla.kernels.kaczmarz`: serial, since each projection needs the one before."""

import numpy as np

from lrla._core.jit import jit


def project_rows(x, b, data, indices, indptr, step, turns, out):
    new = _room(x, out)
    _project_rows(new, *map(np.ascontiguousarray, (b, data, indices, indptr, step, turns)))
    return _given(new, out)


def project_greedily(x, b, data, indices, indptr, step, turns, out):
    new = _room(x, out)
    _project_greedily(new, *map(np.ascontiguousarray, (b, data, indices, indptr, step, turns)))
    return _given(new, out)


def _room(x, out):
    return out if out is x and out.flags.c_contiguous else np.array(x, order="C")


def _given(new, out):
    if out is None or out is new:
        return new
    out[...] = new
    return out


@jit(fastmath={"contract"})
def _gap(x, b, data, indices, indptr, i):
    value = b[i]
    for s in range(indptr[i], indptr[i + 1]):
        value -= data[s] * x[indices[s]]
    return value


@jit(fastmath={"contract"})
def _project(x, b, data, indices, indptr, step, i):
    move = step[i] * _gap(x, b, data, indices, indptr, i)
    for s in range(indptr[i], indptr[i + 1]):
        x[indices[s]] += move * np.conj(data[s])


@jit(fastmath={"contract"})
def _project_rows(x, b, data, indices, indptr, step, turns):
    for i in turns:
        _project(x, b, data, indices, indptr, step, i)


@jit(fastmath={"contract"})
def _project_greedily(x, b, data, indices, indptr, step, turns):
    for t in range(turns.shape[0]):
        best, far = turns[t, 0], -1.0
        for k in range(turns.shape[1]):
            i = turns[t, k]
            gap = abs(_gap(x, b, data, indices, indptr, i)) * np.sqrt(step[i])
            if gap > far:
                best, far = i, gap
        _project(x, b, data, indices, indptr, step, best)


def project_both(
    x,
    z,
    b,
    data,
    indices,
    indptr,
    step,
    turns,
    col_data,
    col_indices,
    col_indptr,
    col_step,
    col_turns,
    out,
):
    new, left = (_room(x, out and out[0]), _room(z, out and out[1]))
    rest = (b, data, indices, indptr, step, turns)
    rest += (col_data, col_indices, col_indptr, col_step, col_turns)
    _project_both(new, left, *map(np.ascontiguousarray, rest))
    return _given(new, out and out[0]), _given(left, out and out[1])


@jit(fastmath={"contract"})
def _project_both(x, z, b, data, indices, indptr, step, turns, cd, ci, cp, cs, columns):
    for t in range(turns.size):
        j, i = columns[t], turns[t]
        gap = x.dtype.type(0)
        for s in range(cp[j], cp[j + 1]):
            gap -= cd[s] * z[ci[s]]
        gap *= cs[j]
        for s in range(cp[j], cp[j + 1]):
            z[ci[s]] += gap * np.conj(cd[s])
        value = b[i] - z[i]
        for s in range(indptr[i], indptr[i + 1]):
            value -= data[s] * x[indices[s]]
        value *= step[i]
        for s in range(indptr[i], indptr[i + 1]):
            x[indices[s]] += value * np.conj(data[s])
