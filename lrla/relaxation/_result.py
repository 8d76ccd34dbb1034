"""What every solver of this room returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lrla._core.arrays import Array
from lrla._core.results import Info, Result, Status


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SolveResult(Result):
    """Solution of a linear system and how far the solver got; unpacks as SciPy's ``(x, info)``.

    Parameters
    ----------
    x : array of shape (n,) or (n, p)
        The last iterate.
    residual_norm : float or array of shape (p,)
        ``norm(b - A @ x)``, computed from x when the solver had stopped.
    status : Status
        Why it stopped.
    info : Info
        ``iterations``; ``history`` of the residual norm, the largest one if there are several
        right-hand sides, each time that it was computed, and ``checks``, after how many iterations
        that was; ``rate``, by what factor an iteration last reduced it; ``omega``, the last
        relaxation factor, if there is one; ``method``; ``matvecs``, passes over the entries of A;
        ``seconds``.

    Notes
    -----
    ``x, code = result`` gives the iterate and an integer: 0 if the tolerance was met, -1 if the
    method broke down, else the number of iterations.
    """

    x: Array
    residual_norm: Any
    status: Status
    info: Info

    @property
    def code(self) -> int:
        """What SciPy's solvers return as their second value."""
        if self.status:
            return 0
        return -1 if self.status is Status.BREAKDOWN else max(1, int(self.info.iterations))

    def __iter__(self) -> Iterator[Any]:
        return iter((self.x, self.code))
