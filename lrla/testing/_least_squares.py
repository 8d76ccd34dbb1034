"""How wrong a least-squares solution is, computed by the dearest and safest means."""

from __future__ import annotations

from typing import Any

import numpy as np


def backward_error(A: Any, b: Any, x: Any, *, equilibrate: bool = False) -> float:
    """Compute the backward error of a least-squares solution with a full SVD.

    Parameters
    ----------
    A : array of shape (m, n)
        The matrix, NumPy, with m at least n.
    b : array of shape (m,)
        The right-hand side.
    x : array of shape (n,)
        The solution to judge.
    equilibrate : bool, default False
        Divide the columns of A by their norms first, as `lrla.regression.lstsq` does in its own
        estimate.

    Returns
    -------
    float
        ``norm((A^H A + w**2 I)^(-1/2) A^H r) / (norm(x) norm(A, "fro"))`` with ``r = b - A x`` and
        ``w = norm(r) / norm(x)``: the relative size of the smallest change of A for which x is
        exact, within a factor of sqrt(2). 0 for x = 0.

    Notes
    -----
    The residual is computed in extended precision where NumPy has it. Cost: an SVD of A.

    References
    ----------
    .. [1] R. Karlson and B. Walden, "Estimation of optimal backward perturbation bounds for the
       linear least squares problem", BIT 37, 1997.
    .. [2] S. Gratton, P. Jiranek and D. Titley-Peloquin, "On the accuracy of the Karlson-Walden
       estimate of the backward error for linear least squares problems", SIAM J. Matrix Anal. Appl.
       33, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.testing import backward_error
    >>> A = np.random.default_rng(7).standard_normal((50, 4))
    >>> b = np.arange(50.0)
    >>> backward_error(A, b, np.linalg.lstsq(A, b)[0]) < 1e-15
    True
    """
    A, b, x = (np.asarray(value) for value in (A, b, x))
    wide = np.clongdouble if np.iscomplexobj(A) or np.iscomplexobj(b) else np.longdouble
    r = (b.astype(wide) - A.astype(wide) @ x.astype(wide)).astype(np.result_type(A, b))
    if equilibrate:
        size = np.linalg.norm(A, axis=0)
        size[size == 0] = 1.0
        A, x = A / size, x * size
    length = np.linalg.norm(x)
    if length == 0:
        return 0.0
    U, s, _ = np.linalg.svd(A, full_matrices=False)
    w = np.linalg.norm(r) / length
    root = np.sqrt(s**2 + w**2)
    part = np.divide(s, root, out=np.zeros_like(s), where=root > 0) * (U.conj().T @ r)
    return float(np.linalg.norm(part) / (length * np.linalg.norm(s)))
