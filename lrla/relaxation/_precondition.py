"""SSOR as a linear operator, for everybody's Krylov methods."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla.kernels.triangles import diagonal, solve_triangle, triangles
from lrla.relaxation._plan import check_omega
from lrla.relaxation._system import read
from lrla.relaxation._turns import Turns


def ssor_preconditioner(A: Any, *, omega: float = 1.0, order: Any = "natural") -> Any:
    """Make the inverse of the SSOR matrix of A, as a linear operator of SciPy.

    Parameters
    ----------
    A : array of shape (n, n) or sparse matrix
        The matrix, of NumPy or SciPy, with no zero on its diagonal; never changed.
    omega : float, default 1
        Relaxation factor, between 0 and 2; 1 is symmetric Gauss-Seidel.
    order : {"natural", "multicolor", "redblack"} or array of shape (n,), default "natural"
        As for `SweepPlan`.

    Returns
    -------
    scipy.sparse.linalg.LinearOperator
        Multiplies with ``inv(M)``: as ``M=`` it fits `cg`, and ``cg``, ``minres`` and ``gmres`` of
        `scipy.sparse.linalg`, where M stands for the inverse, too.

    Raises
    ------
    ValueError
        If A is not square or not finite, or omega is not between 0 and 2.
    LinAlgError
        If a diagonal entry is zero; the message says which.
    TypeError
        If A is of another array library.

    See Also
    --------
    ssor_pcg : the same preconditioner inside conjugate gradients, without products with A.

    Notes
    -----
    ``M = omega / (2 - omega) * (D / omega + L) @ inv(D) @ (D / omega + U)``. It is Hermitian
    positive definite if A is, and multiplying with its inverse is what a symmetric sweep from zero
    does, in two triangular solves: 2 nnz(A) flops.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse.linalg import cg
    >>> from lrla.relaxation import ssor_preconditioner
    >>> A = 2 * np.eye(50) - np.eye(50, k=1) - np.eye(50, k=-1)
    >>> x, code = cg(A, np.ones(50), M=ssor_preconditioner(A, omega=1.8), rtol=1e-10)
    >>> code, bool(np.allclose(A @ x, 1))
    (0, True)
    """
    omega = check_omega(omega)
    system = read(A)
    if not system.space.is_numpy:
        raise TypeError(
            "A must be of NumPy or SciPy: ssor_preconditioner makes operators of SciPy, got an "
            "array of another library; SweepPlan sweeps those"
        )
    from scipy.sparse.linalg import LinearOperator

    turns = Turns(system.indices, system.indptr, order, system.space)
    data, indices, indptr = turns.entries(system.data), *turns.structure
    entries = diagonal(data, indices, indptr)
    turns.check_diagonal(entries != 0, "nonzero", "permute the rows")
    scale = omega / entries
    parts = triangles(data, indices, indptr, scale, np.ones_like(scale))
    lower, upper, layout = parts[:3], parts[3:], turns.layout

    def multiply(b: Any) -> Any:
        v = turns.enter(np.asarray(b).astype(np.result_type(scale, b), copy=False))
        if v.dtype != scale.dtype:  # complex right-hand sides of a real matrix
            return multiply(v.real) + 1j * multiply(v.imag)
        v = (2 - omega) * (scale if v.ndim == 1 else scale[:, None]) * v
        v = solve_triangle(v, *lower, *layout, False)
        return turns.leave(solve_triangle(v, *upper, *layout, True))

    return LinearOperator(system.op.shape, matvec=multiply, matmat=multiply, dtype=data.dtype)
