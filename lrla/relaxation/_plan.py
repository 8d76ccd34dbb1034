"""`SweepPlan`: what is worth knowing about a matrix before many sweeps."""

from __future__ import annotations

from typing import Any

from lrla._core.arrays import Array, check_finite
from lrla.relaxation._sweeper import Sweeper
from lrla.relaxation._system import System, read, right_hand_side

DIRECTIONS = ("forward", "backward", "symmetric", "jacobi")


def check_omega(omega: Any) -> float:
    """Refuse relaxation factors for which no theorem says anything but divergence."""
    if not 0 < omega < 2:
        raise ValueError(
            f"omega must be between 0 and 2, got {omega}; outside, no sweep converges (Kahan)"
        )
    return float(omega)


class SweepPlan:
    """Rows of a matrix, arranged for sweeps of SOR, Gauss-Seidel and Jacobi.

    Parameters
    ----------
    A : array of shape (n, n) or sparse matrix
        The matrix; never changed. Copied once, row by row, in the form that the sweeps read.
    omega : float, default 1
        Relaxation factor, between 0 and 2; 1 is Gauss-Seidel.
    order : {"natural", "multicolor", "redblack"} or array of shape (n,), default "natural"
        Which unknown is moved when. "multicolor" takes them colour by colour, those of one colour
        being independent of each other: two colours where the graph of A + A^T allows it, else
        greedily; "redblack" insists on two. An array lists the unknowns in their order.
    blocks : int or list of arrays of int, optional
        Unknowns that are moved together, by the inverse of their diagonal block: the size of
        consecutive blocks, or the members of each.
    diag_shift : float, default 0
        What is added to the diagonal entries that rows are divided by, and nowhere else, so that
        the solution stays what it is: for zeros there.

    Raises
    ------
    ValueError
        If A is not square or has an entry that is not finite, omega is not between 0 and 2, or
        diag_shift is not finite.
    LinAlgError
        If a diagonal entry, or block, is zero or singular; the message says which.
    TypeError
        If A is a linear operator, which has no rows to read.

    See Also
    --------
    sor : sweeps until a tolerance is met.
    ssor_preconditioner : one symmetric sweep as a linear operator.

    Notes
    -----
    With A = D + L + U, the diagonal and the strict triangles, a forward sweep is ``x += W^{-1} (b -
    A x)`` with ``W = D / omega + L``: row after row, ``x_i += omega / a_ii (b_i - sum_j a_ij x_j)``
    with those x_j that are already new. A backward sweep takes ``D / omega + U``.

    Cost: one pass over the entries of A now, 2 nnz(A) flops a sweep. A backward sweep needs a
    second arrangement, made when it is first asked for.

    Where `lrla.threads` allows more than one, several sweeps in natural order overlap like a wave,
    sweep k + 1 two blocks of rows behind sweep k, and rows of one colour are shared out. Both
    compute what one thread computes, to the last bit.

    Other array libraries take sweeps by definitions in array-API code: one step for each colour, or
    for each row in natural order, which is slow there.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.relaxation import SweepPlan
    >>> A = np.array([[4.0, -1, -6, 0], [-5, -4, 10, 8], [0, 9, 4, -2], [1, 0, -7, 5]])
    >>> x = np.zeros(4)
    >>> steps = SweepPlan(A, omega=0.5).sweep(x, np.array([2.0, 21, -12, -6]))
    >>> x.round(4)
    array([ 0.25  , -2.7812,  1.6289,  0.5152])
    """

    def __init__(
        self,
        A: Any,
        *,
        omega: float = 1.0,
        order: Any = "natural",
        blocks: Any = None,
        diag_shift: float = 0.0,
    ) -> None:
        self._sweeper = Sweeper(read(A), check_omega(omega), order, blocks, diag_shift)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return self._sweeper.system.op.shape

    @property
    def dtype(self) -> Any:
        """Dtype of the entries, and of the vectors that sweeps work on."""
        return self._sweeper.system.data.dtype

    @property
    def omega(self) -> float:
        """Relaxation factor."""
        return self._sweeper.omega

    @property
    def n_colors(self) -> int:
        """Number of colours; 0 where the order is not by colours."""
        order = self._sweeper.turns.order
        return len(order.blocks) - 1 if order.independent else 0

    def __repr__(self) -> str:
        return f"SweepPlan({self.shape[0]} x {self.shape[1]}, {self.dtype}, omega={self.omega:.6g})"

    def update(self, *, omega: float | None = None, data: Any = None) -> SweepPlan:
        """Change the relaxation factor or the entries, and keep what was found out about structure.

        Parameters
        ----------
        omega : float, optional
            New relaxation factor.
        data : array of shape (nnz,), optional
            New entries in the same places: ``.data`` of the matrix in CSR form, columns ascending.

        Returns
        -------
        SweepPlan
            This plan, changed.

        Raises
        ------
        ValueError
            If omega is not between 0 and 2, or data are not as many finite numbers as before.
        LinAlgError
            If a diagonal entry, or block, is now zero or singular; the plan stays what it was.
        """
        omega = self.omega if omega is None else check_omega(omega)
        if data is None:
            self._sweeper.change(omega)
        else:
            self._sweeper.change(omega, _refilled(self._sweeper.system, data))
        return self

    def sweep(self, x: Array, b: Any, n_sweeps: int = 1, *, direction: str = "forward") -> Array:
        """Sweep over all unknowns; x is changed in place.

        Parameters
        ----------
        x : array of shape (n,) or (n, p)
            The iterate, of the dtype of the plan; it becomes the new one.
        b : array of the shape of x
            Right-hand sides.
        n_sweeps : int, default 1
            Number of sweeps.
        direction : {"forward", "backward", "symmetric", "jacobi"}, default "forward"
            From the first unknown to the last, from the last to the first, one after the other, or
            all at once with their old values.

        Returns
        -------
        array of shape (n_sweeps,)
            ``norm(new - old)`` of each sweep, in double precision; of a symmetric one, that of its
            backward half. Ratios of successive ones tend to the rate of convergence.

        Raises
        ------
        ValueError
            If x and b are not of fitting shapes, or x is of another dtype.
        """
        if direction not in DIRECTIONS:
            raise ValueError(f"direction must be one of {', '.join(DIRECTIONS)}, got {direction!r}")
        if n_sweeps < 0:
            raise ValueError(f"n_sweeps must not be negative, got {n_sweeps}")
        sweeper = self._sweeper
        xp = sweeper.system.space.xp
        b = right_hand_side(b, sweeper.system.op)
        if getattr(x, "dtype", None) != self.dtype or tuple(x.shape) != tuple(b.shape):
            raise ValueError(
                f"x must be of dtype {self.dtype} and of the shape of b, {tuple(b.shape)}, got "
                f"{getattr(x, 'dtype', type(x).__name__)} and {tuple(getattr(x, 'shape', ()))}"
            )
        rhs = sweeper.rhs(xp.astype(b, self.dtype, copy=False))
        y = sweeper.turns.enter(x)
        steps = sweeper.run(y, rhs, n_sweeps, direction)
        if y is not x:
            x[...] = sweeper.turns.leave(y)
        return xp.sqrt(steps)


def _refilled(system: System, data: Any) -> System:
    """Put other entries into a system, in its sparse form."""
    data = system.space.asarray(data, system.data.dtype)
    if data.shape != system.data.shape:
        raise ValueError(
            f"data must have one number for each stored entry, {system.data.shape[0]}, got shape "
            f"{tuple(data.shape)}"
        )
    check_finite(data, "data")
    return system.refilled(data)
