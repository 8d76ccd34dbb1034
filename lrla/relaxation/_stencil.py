"""`RedBlackStencil`: sweeps over grids whose matrix need not be stored."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla._core.arrays import Array, as_array, check_finite, numpy_space, space_of
from lrla.kernels.stencil import stencil_sweeps
from lrla.relaxation._plan import check_omega

BOUNDARIES = ("dirichlet", "neumann", "periodic")


class RedBlackStencil:
    """Red-black sweeps of SOR over a grid in two or three dimensions.

    Parameters
    ----------
    shape : tuple of two or three int
        Sizes of the grid.
    coefficients : array of shape (k,) or (k,) + shape, optional
        The row of the matrix, the same for all cells or one for each: of the cell itself, then of
        its neighbours before and after along the first axis, and so on: k is 5 or 7. By default
        that of the Laplacian: 2 for each axis, and -1.
    boundary : str or tuple of str, default "dirichlet"
        What is beyond the ends, for all axes or one each: "dirichlet", zeros; "neumann", the value
        of the last cell; "periodic", the cell at the other end, for even sizes.
    omega : float, default 1
        Relaxation factor, between 0 and 2.

    Raises
    ------
    ValueError
        If a size, a boundary, omega or the shape of the coefficients is not as described.
    LinAlgError
        If a diagonal entry is zero; the message says in which cell.

    See Also
    --------
    SweepPlan : with ``order="redblack"``, for any matrix whose graph has two colours.

    Notes
    -----
    Cells whose indices have an even sum are moved first, then the others: each colour only sees the
    other one. The sweep is that of `SweepPlan` for `matrix` in the order "redblack" [1]_, up to
    rounding.

    Cost: 4 k flops for a cell; with constant coefficients only the right-hand side and the iterate
    pass through memory, once for both colours. One thread.

    References
    ----------
    .. [1] D. M. Young, "Iterative Solution of Large Linear Systems", Academic Press, 1971.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.relaxation import RedBlackStencil
    >>> stencil = RedBlackStencil((20, 30), omega=1.75)
    >>> x = np.zeros((20, 30))
    >>> steps = stencil.sweep(x, np.ones((20, 30)), 100)
    >>> bool(np.allclose(stencil.matrix() @ x.ravel(), 1))
    True
    """

    def __init__(
        self,
        shape: Any,
        *,
        coefficients: Any = None,
        boundary: Any = "dirichlet",
        omega: float = 1.0,
    ) -> None:
        sizes = tuple(shape)
        if len(sizes) not in (2, 3) or any(k < 1 or int(k) != k for k in sizes):
            raise ValueError(f"shape must be two or three positive integers, got {shape!r}")
        self.shape = tuple(int(k) for k in sizes)
        self.omega = check_omega(omega)
        ends = (boundary,) * len(sizes) if isinstance(boundary, str) else tuple(boundary)
        if len(ends) != len(sizes) or any(e not in BOUNDARIES for e in ends):
            raise ValueError(
                f"boundary must be one of {', '.join(BOUNDARIES)}, or one of them for each axis, "
                f"got {boundary!r}"
            )
        for size, end in zip(self.shape, ends, strict=True):
            if end == "periodic" and size % 2:
                raise ValueError(
                    f"shape must be even along a periodic axis, got {self.shape}: two colours do "
                    "not close the circle"
                )
        self.boundary = ends
        k = 1 + 2 * len(self.shape)
        if coefficients is None:
            coefficients = numpy_space().asarray([k - 1.0] + [-1.0] * (k - 1), np.float64)
            self._anywhere = True
        else:
            coefficients = as_array(coefficients, "coefficients", ndim=(1, 1 + len(self.shape)))
            self._anywhere = False
            check_finite(coefficients, "coefficients")
        if tuple(coefficients.shape) not in ((k,), (k, *self.shape)):
            raise ValueError(
                f"coefficients must have shape {(k,)} or {(k, *self.shape)}, got "
                f"{tuple(coefficients.shape)}"
            )
        self._coefficients = self._beside_the_ends(coefficients)
        self._check_diagonal()

    def _beside_the_ends(self, c: Array) -> Array:
        """Bring coefficients to three dimensions; those beyond a Neumann end join the diagonal."""
        space = space_of(c)
        xp, grid = space.xp, self._grid
        if c.ndim == 1:
            c = xp.reshape(c, (c.shape[0], *(1 for _ in self.shape)))
        if len(self.shape) == 2:  # an axis of length 1 between
            c = xp.concat([c[:3, ...], xp.zeros_like(c[:2, ...]), c[3:, ...]], axis=0)
            c = c[:, :, None, :]
        diagonal = c[0, ...]
        for axis, end in zip(self._axes, self.boundary, strict=True):
            if end != "neumann":
                continue
            # what is not there is multiplied as a zero, so that only the diagonal changes
            shape = tuple(grid[axis] if k == axis else 1 for k in range(3))
            line = xp.reshape(xp.arange(grid[axis], device=space.device), shape)
            for side, place in ((1, 0), (2, grid[axis] - 1)):
                share = c[2 * axis + side, ...]
                diagonal = diagonal + xp.where(line == place, share, xp.zeros_like(share))
        shape = tuple(max(k, m) for k, m in zip(diagonal.shape, c.shape[1:], strict=True))
        full = xp.broadcast_to(diagonal, shape)[None, ...]
        return xp.concat([full, xp.broadcast_to(c[1:, ...], (6, *shape))], axis=0)

    def _check_diagonal(self) -> None:
        c = self._coefficients
        xp = space_of(c).xp
        zero = c[0, ...] == 0
        if bool(xp.any(zero)):
            flat = xp.reshape(xp.broadcast_to(zero, self._grid), (-1,))
            first = int(xp.argmax(xp.astype(flat, xp.int8)))
            cell = tuple(int(i) for i in np.unravel_index(first, self.shape))
            raise np.linalg.LinAlgError(
                f"diagonal coefficients must be nonzero, got another one in cell {cell}"
            )

    @property
    def _grid(self) -> tuple[int, int, int]:
        """Shape in three dimensions."""
        first, last = self.shape[0], self.shape[-1]
        return (first, 1 if len(self.shape) == 2 else self.shape[1], last)

    @property
    def _axes(self) -> tuple[int, ...]:
        """Which of the three dimensions are there."""
        return (0, 2) if len(self.shape) == 2 else (0, 1, 2)

    def __repr__(self) -> str:
        return f"RedBlackStencil({self.shape}, {', '.join(self.boundary)}, omega={self.omega:.6g})"

    def sweep(self, x: Array, b: Any, n_sweeps: int = 1) -> Array:
        """Sweep over all cells, of either colour; x is changed in place.

        Parameters
        ----------
        x : array of the shape of the grid
            The iterate; it becomes the new one.
        b : array of the shape of the grid
            Right-hand side, of the dtype of x.
        n_sweeps : int, default 1
            Number of sweeps.

        Returns
        -------
        array of shape (n_sweeps,)
            ``norm(new - old)`` of each sweep, in double precision.

        Raises
        ------
        ValueError
            If x and b do not have the shape of the grid or differ in dtype.
        """
        if n_sweeps < 0:
            raise ValueError(f"n_sweeps must not be negative, got {n_sweeps}")
        b = as_array(b, "b", ndim=(len(self.shape),))
        check_finite(b, "b")
        if tuple(x.shape) != self.shape or tuple(b.shape) != self.shape or x.dtype != b.dtype:
            raise ValueError(
                f"x and b must have shape {self.shape} and the same dtype, got {tuple(x.shape)} "
                f"of {x.dtype} and {tuple(b.shape)} of {b.dtype}"
            )
        space = space_of(x, b)
        xp, c = space.xp, self._coefficients
        if self._anywhere:
            c = space.asarray(c if space.is_numpy else c.tolist(), x.dtype)
        space_of(x, c)
        if xp.result_type(c.dtype, x.dtype) != x.dtype:
            raise ValueError(
                f"x must have a dtype that holds coefficients of {c.dtype}, got {x.dtype}"
            )
        c = xp.astype(c, x.dtype, copy=False)
        scale = self.omega / c[0, ...]
        own = xp.full_like(c[:1, ...], self.omega - 1)
        c = xp.concat([own, c[1:, ...] * scale[None, ...]], axis=0)
        c = xp.broadcast_to(c, (7, *self._grid))
        ends = dict(zip(self._axes, self.boundary, strict=True))
        first, middle, last = (ends.get(axis) == "periodic" for axis in range(3))
        rhs = xp.reshape(b, self._grid) * scale
        y, steps = stencil_sweeps(
            xp.reshape(x, self._grid), rhs, c, (first, middle, last), n_sweeps, None
        )
        x[...] = xp.reshape(y, self.shape)
        return xp.sqrt(steps)

    def matrix(self) -> Any:
        """Return the matrix, cells in the order of ``x.ravel()``, for other solvers.

        Returns
        -------
        scipy.sparse.csr_array
            Of shape (n, n) for n cells.

        Raises
        ------
        TypeError
            If the coefficients are of another array library than NumPy.
        """
        if not space_of(self._coefficients).is_numpy:
            raise TypeError(
                "coefficients must be of NumPy for a matrix of SciPy, got another array"
            )
        import scipy.sparse

        cells = np.arange(int(np.prod(self._grid))).reshape(self._grid)
        c = np.broadcast_to(self._coefficients, (7, *self._grid))
        rows, columns, data = [cells.ravel()], [cells.ravel()], [c[0].ravel()]
        for axis, end in zip(self._axes, self.boundary, strict=True):
            for side, step in ((1, 1), (2, -1)):
                there = np.roll(cells, step, axis)
                keep = np.ones(self._grid, bool)
                if end != "periodic":
                    edge = [slice(None)] * 3
                    edge[axis] = slice(0, 1) if side == 1 else slice(-1, None)
                    keep[tuple(edge)] = False
                rows.append(cells[keep])
                columns.append(there[keep])
                data.append(c[2 * axis + side][keep])
        entries = np.concatenate(data), (np.concatenate(rows), np.concatenate(columns))
        return scipy.sparse.csr_array(scipy.sparse.coo_array(entries, shape=(cells.size,) * 2))
