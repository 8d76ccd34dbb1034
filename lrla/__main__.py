"""The tour: ``python -m lrla`` solves real problems, and says how long it took and how good it is.

It downloads nothing, takes less than a minute, and leaves a picture, ``tour.png``.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import time
from pathlib import Path

import numpy as np

import lrla
from lrla.datasets import RegressionData, flights
from lrla.regression import SketchedLstsqResult, sketch_and_solve

_SEED = 20130101


def main(arguments: list[str] | None = None) -> int:
    """Run the tour; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m lrla", description=__doc__.splitlines()[0])
    parser.add_argument("--picture", default="tour.png", help="where the picture goes")
    picture = Path(parser.parse_args(arguments).picture)
    print("lrla", lrla.__version__, "- the tour\n")
    try:
        data = flights()
    except ImportError as e:
        print(e, file=sys.stderr)
        return 1
    say(f"The data: {data.description} {data.A.shape[0]} rows, {data.A.shape[1]} columns.")
    exact, times = least_squares(data)
    quick = error_bars(data, exact)
    draw(data, exact, quick, times, picture)
    return 0


def say(text: str) -> None:
    """Print a paragraph."""
    print(textwrap.fill(text, 88), end="\n\n")


def least_squares(data: RegressionData) -> tuple[np.ndarray, dict[str, float]]:
    """Solve the regression by LAPACK and by lrla, dense and sparse, and compare."""
    import scipy.linalg
    import scipy.sparse

    A, b = data.A, data.b
    lrla.lstsq(A[:20_000], b[:20_000], method="gram")  # compile the kernels outside the clock
    lrla.lstsq(A[:20_000], b[:20_000], method="spir")
    lrla.lstsq(scipy.sparse.csr_array(A[:20_000]), b[:20_000])
    judge = Judge(data)
    rows = []
    start = time.perf_counter()
    x = scipy.linalg.lstsq(A, b)[0]
    seconds = time.perf_counter() - start
    times = {"LAPACK gelsd": seconds}
    rows.append(("dense", "LAPACK gelsd", seconds, judge(x), ""))
    for name, matrix, method in (
        ("dense", A, "auto"),
        ("dense", A, "spir"),
        ("sparse", scipy.sparse.csr_array(A), "auto"),
    ):
        start = time.perf_counter()
        result = lrla.lstsq(matrix, b, method=method, rng=_SEED)
        seconds, info = time.perf_counter() - start, result.info
        times[f"lrla {info.method}, {name}"] = seconds
        rows.append((name, f"lrla {info.method}", seconds, judge(result.x), info.reason))
    print(
        f"{'data':7} {'method':14} {'seconds':>8} {'ratio':>6} {'backward error':>15}  chosen because"
    )
    for name, method, seconds, error, reason in rows:
        ratio = seconds / rows[0][2]
        print(f"{name:7} {method:14} {seconds:8.2f} {ratio:6.2f} {error:15.1e}  {reason}")
    print()
    say(
        "The backward error is the relative size of the smallest change of the data for which the "
        "answer would be exact, each column measured by its own length; here it was computed for "
        "all answers in the same way, from a QR of all rows. "
        f"Seed of the sketches: {_SEED}."
    )
    return result.x, times


class Judge:
    """Measure backward errors with one QR of the equilibrated data (Karlson and Walden 1997)."""

    def __init__(self, data: RegressionData) -> None:
        self.data = data
        self.size = np.linalg.norm(data.A, axis=0)
        _, self.s, self.Vh = np.linalg.svd(np.linalg.qr(data.A / self.size, mode="r"))

    def __call__(self, x: np.ndarray) -> float:
        """Return the backward error of a solution."""
        r = self.data.b - self.data.A @ x
        gradient = self.Vh @ ((self.data.A.T @ r) / self.size)
        length = np.linalg.norm(x * self.size)
        root = np.hypot(self.s, np.linalg.norm(r) / length)
        return float(np.linalg.norm(gradient / root) / (length * np.linalg.norm(self.s)))


def error_bars(data: RegressionData, exact: np.ndarray) -> SketchedLstsqResult:
    """Solve a sketch of the problem and look whether its intervals hold the exact answer."""
    sketch_and_solve(data.A[:20_000], data.b[:20_000], eps=0.5, rng=_SEED)
    start = time.perf_counter()
    result = sketch_and_solve(data.A, data.b, eps=0.2, rng=_SEED)
    seconds = time.perf_counter() - start
    low, high = result.confidence_interval(0.95)
    inside = np.mean((low <= exact) & (exact <= high))
    S = result.info.sketch
    say(
        f"A quick answer: sketched to {S.d} rows and solved in {seconds:.2f} s. Of its "
        f"{exact.shape[0]} intervals of 95 % confidence, {inside:.0%} hold the exact coefficient."
    )
    return result


def draw(
    data: RegressionData,
    exact: np.ndarray,
    quick: SketchedLstsqResult,
    times: dict[str, float],
    path: Path,
) -> None:
    """Draw the times, and the destinations' effects with their intervals."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        say("No picture: it needs matplotlib (pip install 'lrla[tour]').")
        return
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 2))
    bars = left.barh(list(times), list(times.values()), color=["0.6", *["C0"] * (len(times) - 1)])
    left.bar_label(bars, fmt="%.2f s", padding=3)
    left.set(
        xlabel="seconds", title="least squares, 327346 x 197", xlim=(0, 1.25 * max(times.values()))
    )
    left.invert_yaxis()
    left.spines[["top", "right"]].set_visible(False)
    names = np.array(data.names)
    chosen = np.flatnonzero([name.startswith("carrier=") for name in names])
    order = chosen[np.argsort(exact[chosen])]
    low, high = quick.confidence_interval(0.95)
    place = np.arange(order.shape[0])
    right.vlines(place, low[order], high[order], color="C0", lw=5, alpha=0.4,
                 label="95 % interval from the sketch")  # fmt: skip
    right.plot(place, exact[order], "k.", label="exact")
    right.set_xticks(place, [name.partition("=")[2] for name in names[order]])
    right.set(xlabel="airline", ylabel="minutes of delay at arrival",
              title="what the airline adds, all else equal")  # fmt: skip
    right.axhline(0, color="0.8", zorder=0)
    right.legend(frameon=False, loc="upper left")
    right.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    say(f"Picture: {path}")


if __name__ == "__main__":
    sys.exit(main())
