"""Projection processes of all polynomials up to a degree, as eigenvalues of tridiagonal matrices.

The process of the first m orthonormal polynomials of a classical weight is the law of the
eigenvalues of a unitarily invariant random matrix, and that matrix can be made tridiagonal with
independent entries: Dumitriu and Edelman, "Matrix models for beta ensembles", J. Math. Phys. 43,
2002 (Hermite, Laguerre); Killip and Nenciu, "Matrix models for circular ensembles", IMRN 2004
(Jacobi, on canonical moments). O(m**2) instead of the O(m**3) of rejection.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lrla.approximation._basis import Basis
from lrla.approximation._classical import Hermite, Jacobi, Laguerre, Legendre
from lrla.approximation._empirical import EmpiricalBasis
from lrla.approximation._families import Family
from lrla.approximation._waves import Chebyshev

Model = Callable[[np.ndarray], np.ndarray]  # from 2 m - 1 uniform numbers to m points


def model_of(basis: Basis | EmpiricalBasis) -> Model | None:
    """Find the tridiagonal model of a basis; None where none is known."""
    if not isinstance(basis, Basis) or basis.dim > 1:
        return None
    m, family = len(basis), basis.families[0]
    standard = _standard(family, m)
    if standard is None or set(basis.indices[:, 0]) != set(range(m)):
        return None
    return lambda u: np.clip(family.shift + family.unit * standard(u), *family.support)


def _standard(family: Family, m: int) -> Model | None:
    """Find the model of all degrees below m in the standard variable of a family."""
    match family:
        case Hermite():
            return lambda u: hermite(m, u)
        case Laguerre(a=a):
            return lambda u: laguerre(m, a, u)
        case Legendre():
            return lambda u: jacobi(m, 0.0, 0.0, u)
        case Jacobi(a=a, b=b):
            return lambda u: jacobi(m, a, b, u)
        case Chebyshev(kind=kind):
            return lambda u: jacobi(m, kind - 1.5, kind - 1.5, u)
    return None


def hermite(m: int, u: np.ndarray) -> np.ndarray:
    """Eigenvalues for the normal distribution: normal diagonal, roots of gammas beside it."""
    from scipy.special import gammaincinv, ndtri

    diagonal = ndtri(np.maximum(u[:m], 2.0**-54))  # numbers of 53 bits: no infinity
    return _eigenvalues(diagonal, np.sqrt(gammaincinv(np.arange(m - 1.0, 0, -1), u[m:])))


def laguerre(m: int, alpha: float, u: np.ndarray) -> np.ndarray:
    """Eigenvalues for the density ``t**alpha * exp(-t)``: squared singular values of a bidiagonal.

    They come from the tridiagonal matrix of twice the size with the entries of the bidiagonal one
    beside a zero diagonal, where none can be negative and small ones keep their digits.
    """
    from scipy.special import gammaincinv

    beside = np.empty(2 * m - 1)
    beside[::2] = np.sqrt(gammaincinv(alpha + np.arange(m, 0.0, -1), u[:m]))
    beside[1::2] = np.sqrt(gammaincinv(np.arange(m - 1.0, 0, -1), u[m:]))
    return _eigenvalues(np.zeros(2 * m), beside)[m:] ** 2


def jacobi(m: int, alpha: float, beta: float, u: np.ndarray) -> np.ndarray:
    """Eigenvalues for the density ``(1 - t)**alpha * (1 + t)**beta``, from canonical moments."""
    from scipy.special import betaincinv

    k = np.arange(m - 1.0, -1, -1)
    p = np.empty(2 * m - 1)
    p[::2] = betaincinv(k + beta + 1, k + alpha + 1, u[:m])
    p[1::2] = betaincinv(k[:-1], k[:-1] + alpha + beta + 1, u[m:])
    zeta = p.copy()
    zeta[1:] *= 1 - p[:-1]
    diagonal = zeta[::2].copy()
    diagonal[1:] += zeta[1::2]
    # twice the matrix on [0, 1], less one
    return _eigenvalues(2 * diagonal - 1, 2 * np.sqrt(zeta[:-1:2] * zeta[1::2]))


def _eigenvalues(diagonal: np.ndarray, beside: np.ndarray) -> np.ndarray:
    import scipy.linalg

    found: np.ndarray = scipy.linalg.eigvalsh_tridiagonal(
        diagonal, beside, lapack_driver="sterf", check_finite=False
    )
    return found
