"""Red-black sweeps over a grid whose matrix is a stencil: neither indices nor rows are stored.

Cells are coloured like a chessboard. Those of one colour see only those of the other one, so that
all of them are moved at once.
"""

from __future__ import annotations

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel


@kernel
def stencil_sweeps(
    x: Array,
    b: Array,
    coefficients: Array,
    wraps: tuple[bool, bool, bool],
    n_sweeps: int,
    out: Array | None,
) -> tuple[Array, Array]:
    """Move the cells with an even sum of indices, then the others, ``n_sweeps`` times.

    Parameters
    ----------
    x, b : arrays of shape (p, q, r)
        Where to start, and right-hand side over the diagonal, times omega.
    coefficients : array of shape (7, p, q, r)
        Of the cell itself, and of its neighbours before and after along each axis, over the
        diagonal, times omega; for the cell itself, minus one. May be broadcast.
    wraps : tuple of three bool
        Whether the first and the last cell along an axis are neighbours; if not, the neighbours of
        either outside of the grid are zero.
    n_sweeps : int
        Number of sweeps.
    out : array of the shape and dtype of x, or None
        Where the result goes; x itself for work in place.

    Returns
    -------
    x : array
        ``out`` if that was given.
    steps : array of shape (n_sweeps,)
        For each sweep, the sum of ``abs(new - old)**2``, in double precision.
    """
    space = space_of(x)
    xp = space.xp
    colour = space.zeros(x.shape, xp.int64)
    for axis, length in enumerate(x.shape):
        line = xp.arange(length, dtype=xp.int64, device=space.device)
        colour = colour + xp.reshape(line, tuple(length if k == axis else 1 for k in range(3)))
    red = colour % 2 == 0
    new, sums = xp.asarray(x, copy=True), []
    for _ in range(n_sweeps):
        old = new
        for chosen in (red, ~red):
            moved = b - coefficients[0, ...] * new
            for axis, wrap in enumerate(wraps):
                for k, forward in ((2 * axis + 1, False), (2 * axis + 2, True)):
                    moved = moved - coefficients[k, ...] * _shifted(new, axis, wrap, forward)
            new = xp.where(chosen, moved, new)
        sums.append(xp.sum(xp.astype(xp.abs(new - old), xp.float64) ** 2))
    if out is not None:
        out[...] = new
        new = out
    return new, xp.stack(sums) if sums else space.zeros((0,), xp.float64)


def _shifted(x: Array, axis: int, wrap: bool, forward: bool) -> Array:
    """Return the neighbours of all cells before or after along an axis."""
    xp = space_of(x).xp
    length = x.shape[axis]

    def part(start: int, stop: int) -> Array:
        return x[tuple(slice(start, stop) if k == axis else slice(None) for k in range(3))]

    if length == 0:
        return x
    beyond = part(0, 1) if forward else part(length - 1, length)
    beyond = beyond if wrap else xp.zeros_like(beyond)
    if forward:
        return xp.concat([part(1, length), beyond], axis=axis)
    return xp.concat([beyond, part(0, length - 1)], axis=axis)
