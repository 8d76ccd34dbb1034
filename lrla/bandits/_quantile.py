"""The running 0.9-quantile of numbers of which none is kept."""

from __future__ import annotations

from bisect import bisect_right, insort

_Q = 0.9
_STEPS = (0.0, _Q / 2, _Q, (1 + _Q) / 2, 1.0)  # where the five markers want to be


def fresh() -> list[float]:
    """Return the state of a quantile of nothing: the count, five heights, five positions."""
    return [0]


def quantile(marks: list[float]) -> float:
    """Return the estimate: 0 before the first number, the largest of the first four."""
    count = marks[0]
    if count == 0:
        return 0.0
    return marks[-1] if count < 5 else marks[3]


def update(marks: list[float], x: float) -> None:
    """Add a number, by the P-square algorithm of Jain and Chlamtac (CACM 28, 1985)."""
    marks[0] += 1
    count = marks[0]
    if count <= 5:
        rest = marks[1:]
        insort(rest, x)
        marks[1:] = rest if count < 5 else [*rest, 1, 2, 3, 4, 5]
        return
    h = marks[1:6]
    n = marks[6:11]
    h[0], h[4] = min(h[0], x), max(h[4], x)
    for i in range(min(bisect_right(h, x), 4), 5):
        n[i] += 1
    for i in (1, 2, 3):
        lag = 1 + (count - 1) * _STEPS[i] - n[i]
        if (lag >= 1 and n[i + 1] - n[i] > 1) or (lag <= -1 and n[i - 1] - n[i] < -1):
            d = 1 if lag > 0 else -1
            up, down = n[i + 1] - n[i], n[i] - n[i - 1]
            rise, fall = (h[i + 1] - h[i]) / up, (h[i] - h[i - 1]) / down
            curve = h[i] + d / (up + down) * ((down + d) * rise + (up - d) * fall)
            line = h[i] + d * (h[i + d] - h[i]) / (n[i + d] - n[i])
            h[i] = curve if h[i - 1] < curve < h[i + 1] else line
            n[i] += d
    marks[1:6], marks[6:11] = h, n
