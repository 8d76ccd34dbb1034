"""Finding the relaxation factor during the sweeps, from how fast their steps shrink."""

from __future__ import annotations

from lrla.relaxation._omega import beta_from_rate, young

# a factor is kept while its rate is better than this power of the best that theory allows it
# (Hageman and Young, Applied Iterative Methods, 1981, ch. 9, where it is called F)
_SATISFIED = 0.65
# The rest is tuned: on lines, squares, rectangles and cubes of 64 to 262144 unknowns, with smooth,
# random and single-point right-hand sides, 1.03 to 1.24 times the sweeps of the best factor.
_PATIENCE = 4.0  # sweeps after a change, times 2 - omega: what a Jordan block needs to calm down
_LEAST = 8  # sweeps after a change
_SETTLED = 0.5  # relative change of 1 - rate below which a rate is believed
_WORTH = 0.98  # a factor is changed if that makes 2 - omega smaller than this times what it was


class Adaptive:
    """Young's formula, fed with the rate at which steps shrink.

    Where omega is below its best value, the rate tends to an eigenvalue from which the spectral
    radius of the Jacobi iteration follows, and from that a better omega. Above, rates tell nothing:
    so factors only ever grow, and only where a rate has settled. It is that of the last quarter of
    all sweeps since the last change, and has settled if that of the quarter before was alike.
    """

    def __init__(self) -> None:
        self._moves: list[float] = []

    def react(self, moves: list[float], omega: float) -> float | None:
        """Take the step norms of some sweeps; return a better factor, or None."""
        self._moves += moves
        count = len(self._moves)
        if count < max(_LEAST, _PATIENCE / (2 - omega)):
            return None
        span = max(3, count // 4)
        now, then, before = (self._moves[-1 - k * span] for k in range(3))
        if not min(now, then, before) > 0:
            return None
        rate, earlier = (now / then) ** (1 / span), (then / before) ** (1 / span)
        if not max(omega - 1, 0.0) ** _SATISFIED < rate < 1:
            return None
        if abs(rate - earlier) > _SETTLED * (1 - rate):
            return None
        beta = beta_from_rate(rate, omega)
        if not beta < 1:
            return None
        better = young(beta)
        if 2 - better > _WORTH * (2 - omega):
            return None
        self._moves = []
        return better
