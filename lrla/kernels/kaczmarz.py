"""Projections onto the hyperplanes of single equations, one after the other."""

from __future__ import annotations

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel


@kernel
def project_rows(
    x: Array,
    b: Array,
    data: Array,
    indices: Array,
    indptr: Array,
    step: Array,
    turns: Array,
    out: Array | None,
) -> Array:
    """Move x towards the equations of a CSR matrix: ``x += step_i (b_i - <a_i, x>) conj(a_i)``.

    Parameters
    ----------
    x : array of shape (n,)
        Where to start.
    b : array of shape (m,)
        Right-hand sides.
    data, indices, indptr : arrays
        A CSR matrix of m rows.
    step : array of shape (m,)
        Real: relaxation factor over the squared norm of each row.
    turns : array of int
        Rows in the order of their turns.
    out : array of the shape and dtype of x, or None
        Where the result goes; x itself for work in place.

    Returns
    -------
    array of shape (n,)
        ``out`` if that was given.
    """
    new = space_of(x).xp.asarray(x, copy=True)
    for turn in range(turns.shape[0]):
        new = _project(new, b, data, indices, indptr, step, int(turns[turn]))
    return _given(new, out)


@kernel
def project_greedily(
    x: Array,
    b: Array,
    data: Array,
    indices: Array,
    indptr: Array,
    step: Array,
    turns: Array,
    out: Array | None,
) -> Array:
    """Do as `project_rows`, each turn with that row of several whose equation is farthest off.

    Parameters
    ----------
    x, b, data, indices, indptr, step, out
        As for `project_rows`.
    turns : array of int, of shape (t, s)
        For each of t turns, s rows to choose from by ``abs(b_i - <a_i, x>) * sqrt(step_i)``; the
        first of equals is taken.

    Returns
    -------
    array of shape (n,)
        ``out`` if that was given.
    """
    xp = space_of(x).xp
    new = xp.asarray(x, copy=True)
    for turn in range(turns.shape[0]):
        rows = [int(turns[turn, k]) for k in range(turns.shape[1])]
        gaps = [
            float(xp.abs(_gap(new, b, data, indices, indptr, i))) * float(step[i]) ** 0.5
            for i in rows
        ]
        chosen = rows[max(range(len(rows)), key=gaps.__getitem__)]
        new = _project(new, b, data, indices, indptr, step, chosen)
    return _given(new, out)


def _gap(x: Array, b: Array, data: Array, indices: Array, indptr: Array, i: int) -> Array:
    xp = space_of(x).xp
    first, last = int(indptr[i]), int(indptr[i + 1])
    return b[i] - xp.sum(data[first:last] * xp.take(x, indices[first:last]))


def _project(
    x: Array, b: Array, data: Array, indices: Array, indptr: Array, step: Array, i: int
) -> Array:
    space = space_of(x)
    xp = space.xp
    first, last = int(indptr[i]), int(indptr[i + 1])
    move = xp.astype(step[i], x.dtype) * _gap(x, b, data, indices, indptr, i)
    for s in range(first, last):
        entry = xp.conj(data[s]) if xp.isdtype(x.dtype, "complex floating") else data[s]
        j = int(indices[s])
        x[j] = x[j] + move * entry
    return x


def _given(x: Array, out: Array | None) -> Array:
    if out is None:
        return x
    out[...] = x
    return out


@kernel
def project_both(
    x: Array,
    z: Array,
    b: Array,
    data: Array,
    indices: Array,
    indptr: Array,
    step: Array,
    turns: Array,
    col_data: Array,
    col_indices: Array,
    col_indptr: Array,
    col_step: Array,
    col_turns: Array,
    out: tuple[Array, Array] | None,
) -> tuple[Array, Array]:
    """Alternate between taking a column out of z and moving x towards a row of ``A x = b - z``.

    Parameters
    ----------
    x : array of shape (n,)
        Where to start.
    z : array of shape (m,)
        Tends to the part of b that A cannot reach.
    b, data, indices, indptr, step, turns
        As for `project_rows`.
    col_data, col_indices, col_indptr, col_step, col_turns : arrays
        The same for the adjoint of A; as many turns.
    out : tuple of two arrays, or None
        Where x and z go; x and z themselves for work in place.

    Returns
    -------
    x, z : arrays
        Those of ``out`` if that was given.
    """
    xp = space_of(x).xp
    new, left, none = xp.asarray(x, copy=True), xp.asarray(z, copy=True), xp.zeros_like(x)
    for turn in range(turns.shape[0]):
        j, i = int(col_turns[turn]), int(turns[turn])
        left = _project(left, none, col_data, col_indices, col_indptr, col_step, j)
        new = _project(new, b - left, data, indices, indptr, step, i)
    if out is not None:
        out[0][...], out[1][...] = new, left
        return out
    return new, left
