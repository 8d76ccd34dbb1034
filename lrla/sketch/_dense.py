"""Dense families: independent entries, made in blocks and multiplied by BLAS."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from lrla._core.arrays import Array, Space, numpy_space
from lrla._core.random import Domain
from lrla.kernels import philox
from lrla.sketch._base import SketchOperator, draw_on

_ENTRIES = 1 << 20  # entries of S formed at a time: 4 MiB of float32, inside the L3 cache


class _Dense(SketchOperator):
    """Common to families with independent entries: generate a block of columns, multiply."""

    __slots__ = ()
    _nested = True
    _kernel: ClassVar[Any]
    _domain: ClassVar[Domain]

    def __init__(self, d: int, m: int, *, rng: Any = None) -> None:
        self._describe(d, m, rng)

    def _columns(self, space: Space, start: int, stop: int) -> Array:
        """S[:, start:stop].T without the scale, drawn where it is used."""
        home = draw_on(space)
        drawn = self._kernel(home, self.key, self._tag(self._domain), start, stop, self.d)
        return drawn if home == space else space.asarray(drawn)

    def _step(self) -> int:
        return max(16, _ENTRIES // self.d)

    def _block(self, start: int, stop: int) -> np.ndarray:
        columns = self._columns(numpy_space(), start, stop).astype(np.float64)
        return columns.T / math.sqrt(self.d)

    def _apply_dense(self, A: Array, start: int) -> Array:
        out = self._by_blocks(A, start, lambda *part: self._columns(*part).T, self._step())
        return out / math.sqrt(self.d)

    def _adjoint_dense(self, Y: Array) -> Array:
        return self._adjoint_by_blocks(Y, self._columns, self._step()) / math.sqrt(self.d)

    def _flops(self, size: int, n: int) -> float:
        return 2.0 * self.d * size


class Gaussian(_Dense):
    """Independent normal entries N(0, 1/d): the sketch with the sharpest theory.

    Parameters
    ----------
    d : int
        Number of rows of S.
    m : int
        Number of columns of S: rows of the data.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from; ``S.seed`` reproduces it.

    Notes
    -----
    For a subspace of dimension n the smallest singular value of S restricted to it is at least
    ``1 - sqrt(n/d) - t`` with probability ``1 - exp(-d t**2 / 2)`` [1]_.

    Entries are float32 normals widened exactly, so S is the same matrix for both precisions, and
    an operator with more rows has the rows of one with fewer, up to the scale 1/sqrt(d).
    Cost: 2 d times the stored entries of A, plus d m normals drawn.

    References
    ----------
    .. [1] K. R. Davidson and S. J. Szarek, "Local operator theory, random matrices and Banach
       spaces", Handbook of the Geometry of Banach Spaces, vol. 1, 2001, Theorem II.13.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sketch import Gaussian
    >>> S = Gaussian(40, 1000, rng=7)
    >>> (S @ np.ones((1000, 3))).shape
    (40, 3)
    """

    __slots__ = ()
    family = "gaussian"
    _kernel = staticmethod(philox.normal)
    _domain = Domain.NORMAL


class Rademacher(_Dense):
    """Independent entries +-1/sqrt(d).

    Parameters
    ----------
    d : int
        Number of rows of S.
    m : int
        Number of columns of S: rows of the data.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from; ``S.seed`` reproduces it.

    Notes
    -----
    Drawing costs 1/32 of a Gaussian's; the product is the same. An operator with more rows has the
    rows of one with fewer, up to the scale.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sketch import Rademacher
    >>> S = Rademacher(4, 100, rng=7)
    >>> float(np.abs(S.toarray()).min())
    0.5
    """

    __slots__ = ()
    family = "rademacher"
    _kernel = staticmethod(philox.sign)
    _domain = Domain.RADEMACHER
