"""What all processes have in common: how sets are drawn from them, and how one conditions on items."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from lrla._core.arrays import Array
from lrla.dpp._draw import Streams, draws
from lrla.dpp._labels import Labelled

METHODS = ("auto", "ldl", "spectral")


class Process(Labelled, ABC):
    """A law of sets of items."""

    def condition(self, *, include: Any = (), exclude: Any = ()) -> Self:
        """Condition on items to be in the sample, and on others not to be.

        Parameters
        ----------
        include, exclude : sequences of int
            Disjoint sets of items.

        Returns
        -------
        process of the same class
            Of the other items of the sample. It calls them by their labels here; where samples have
            one size, it is less by the number of those included.

        Raises
        ------
        ValueError
            If the sets overlap, the event has probability 0, or more items are included than a
            sample has.
        """
        inside, outside = self._positions(include), self._positions(exclude)
        both = np.intersect1d(inside, outside)
        if len(both):
            names = self._relabel(both).tolist()
            raise ValueError(f"include and exclude must be disjoint, both have {names}")
        return self._given(inside, outside)

    @abstractmethod
    def _given(self, inside: np.ndarray, outside: np.ndarray) -> Self:
        """Condition on items by their positions."""


class FixedSize(Process):
    """A process whose samples have one size."""

    def sample(self, size: int | None = None, *, rng: Any = None) -> Any:
        """Draw sets of items.

        Parameters
        ----------
        size : int, optional
            How many sets; one, not in a list, by default.
        rng : None, int, numpy.random.Generator or SeedSequence, optional
            Seed.

        Returns
        -------
        array of int64, or list of them
            The items of each set, in the order in which they were accepted.

        Raises
        ------
        SamplingError
            If a budget of proposals or random choices is used up.
        """
        return draws(self._draw, size, rng)

    @abstractmethod
    def _draw(self, streams: Streams) -> Array:
        """Draw one set."""


class RandomSize(Process):
    """A process whose samples have random sizes, with two ways to draw them."""

    def sample(self, size: int | None = None, *, method: str = "auto", rng: Any = None) -> Any:
        """Draw sets of items.

        Parameters
        ----------
        size : int, optional
            How many sets; one, not in a list, by default.
        method : {"auto", "ldl", "spectral"}, default "auto"
            "auto" takes spectral for several draws and for factors, ldl for one draw from a matrix
            and for kernels that are not Hermitian.
        rng : None, int, numpy.random.Generator or SeedSequence, optional
            Seed.

        Returns
        -------
        array of int64, or list of them
            The items of each set; ascending with ldl.

        Raises
        ------
        NotAKernelError
            If a conditional probability is not between 0 and 1.
        ValueError
            For an unknown method, ldl with a factor, or spectral without symmetry.
        """
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
        draw = self._sampler(method, several=size not in (None, 1))
        return draws(lambda streams: self._named(draw(streams)), size, rng)

    @abstractmethod
    def _sampler(self, method: str, *, several: bool) -> Callable[[Streams], Array]:
        """Choose how to draw, and prepare it."""
