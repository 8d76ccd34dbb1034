"""Finding the relaxation factor during the sweeps, from how fast their steps shrink."""

from __future__ import annotations

from lrla.relaxation._omega import beta_from_rate, young

# a factor is kept while its rate is better than this power of the best that theory allows it
# (Hageman and Young, Applied Iterative Methods, 1981, ch. 9, where it is called F)
_SATISFIED = 0.75
_SETTLED = 0.1  # relative change of 1 - ratio, over three sweeps, below which a ratio is believed
_PATIENCE = 3.0  # sweeps after a change, times 2 - omega: what a Jordan block needs to calm down


class Adaptive:
    """Young's formula, fed with the ratios of successive steps.

    Where omega is below its best value, the ratio tends to an eigenvalue from which the spectral
    radius of the Jacobi iteration follows, and from that a better omega. Above, ratios tell
    nothing: so factors only ever grow, and only where a ratio has settled.
    """

    def __init__(self) -> None:
        self._count = 0
        self._last: list[float] = []

    def react(self, moves: list[float], omega: float) -> float | None:
        """Take the step norms of some sweeps; return a better factor, or None."""
        self._count += len(moves)
        self._last = [*self._last, *moves][-5:]
        if self._count < max(8.0, _PATIENCE / (2 - omega)) or not min(self._last) > 0:
            return None
        rate, before = self._last[-1] / self._last[-2], self._last[-4] / self._last[-5]
        if not max(omega - 1, 0.0) ** _SATISFIED < rate < 1:
            return None
        if abs(rate - before) > _SETTLED * (1 - rate):
            return None
        beta = beta_from_rate(rate, omega)
        if not beta < 1:
            return None
        better = young(beta)
        if 2 - better > 0.98 * (2 - omega):  # not worth arranging the rows again
            return None
        self._count, self._last = 0, []
        return better
