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
from lrla.approximation import WeightedLeastSquares, basis, total_degree
from lrla.bandits import Grid, ParameterTuner
from lrla.datasets import RegressionData, flights
from lrla.dpp import volume_lstsq
from lrla.regression import SketchedLstsqResult, lp_regression, sketch_and_solve
from lrla.relaxation import RelaxationSequence

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
    rows(data, exact)
    middle(data)
    directions(data)
    steps()
    simulation()
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


def rows(data: RegressionData, exact: np.ndarray) -> None:
    """Find the rows that no sample may miss, and solve from the labels of a few rows."""
    import scipy.sparse

    A = scipy.sparse.csr_array(data.A)
    small = scipy.sparse.random_array((500, 5), density=0.5, rng=np.random.default_rng(_SEED))
    volume_lstsq(small.tocsr(), np.ones(500), 5, rng=_SEED)  # compiles
    lrla.leverage_scores(small.tocsr(), rng=_SEED)
    start = time.perf_counter()
    found = lrla.leverage_scores(A, rng=_SEED)
    seconds = time.perf_counter() - start
    rare = int(np.sum(found.scores > 100 * found.rank / A.shape[0]))
    say(
        f"Rows: leverage scores by '{found.info.method}' in {seconds:.2f} s; they add up to the "
        f"rank, {float(np.sum(found.scores)):.6f}. {rare} flights have more than a hundred times "
        "the average: a uniform sample misses them, and what only they tell."
    )
    start = time.perf_counter()
    few = volume_lstsq(A, data.b, 2000, rng=_SEED)
    seconds = time.perf_counter() - start
    least = float(np.linalg.norm(data.A @ exact - data.b))
    say(
        f"Few labels: least squares from the delays of {few.indices.shape[0]} flights, drawn by the "
        f"volume that they span, without bias, in {seconds:.2f} s: a residual "
        f"{few.residual_norm / least - 1:.1%} above the least one."
    )


def middle(data: RegressionData) -> None:
    """Fit the median instead of the mean, with a proof."""
    names = np.array(data.names)
    chosen = [i for i, name in enumerate(names) if name.startswith(("intercept", "carrier="))]
    A = np.ascontiguousarray(data.A[:, chosen])
    small = np.random.default_rng(_SEED).standard_normal((100_000, 2))
    lp_regression(small[:, :1], small[:, 1], 1, rng=_SEED)  # compiles
    start = time.perf_counter()
    found = lp_regression(A, data.b, 1, rng=_SEED)
    seconds = time.perf_counter() - start
    say(
        f"The median: least absolute deviations on {A.shape[1]} columns by '{found.info.method}' in "
        f"{seconds:.2f} s; the dual proves the objective to be least to within {found.gap:.0e}."
    )


def directions(data: RegressionData) -> None:
    """Compute the leading singular vectors of the design, by products alone."""
    import scipy.sparse

    A = scipy.sparse.csr_array(data.A)
    lrla.svd(A[:20_000], 10, rng=_SEED)  # compiles
    start = time.perf_counter()
    found = lrla.svd(A, 10, rng=_SEED)
    seconds = time.perf_counter() - start
    worst = float(np.max(found.info.residuals)) / float(found.s[0])
    say(
        f"Low rank: ten singular triplets by '{found.info.method}' in {seconds:.2f} s and "
        f"{found.info.passes} passes; the largest residual is {worst:.0e} of the norm."
    )


def steps() -> None:
    """Solve the systems of a heat equation, and learn the relaxation factor on the way."""
    import scipy.sparse
    from scipy.sparse.linalg import cg

    side, count = 64, 150
    line = scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(side, side))
    eye = scipy.sparse.eye_array(side)
    K = (scipy.sparse.kron(line, eye) + scipy.sparse.kron(eye, line)).tocsr()
    sources = np.random.default_rng(_SEED).standard_normal((count, side**2))
    conductivity = 50 + 40 * np.sin(0.1 * np.arange(count))

    def system(t: int, u: np.ndarray) -> tuple[scipy.sparse.csr_array, np.ndarray]:
        return (scipy.sparse.eye_array(side**2) + conductivity[t] * K).tocsr(), u + sources[t]

    def run(sequence: RelaxationSequence) -> RelaxationSequence:
        u = np.zeros(side**2)
        for t in range(count):
            u = sequence.solve(*system(t, u)).x
        return sequence

    plain, u = 0, np.zeros(side**2)

    def tick(_: np.ndarray) -> None:
        nonlocal plain
        plain += 1

    for t in range(count):
        u = cg(*system(t, u), rtol=1e-8, callback=tick)[0]
    fixed, learned = (
        run(RelaxationSequence(rtol=1e-8, policy=ParameterTuner(Grid("omega", w), rng=_SEED)))
        for w in ([1.0], np.linspace(1, 1.95, 20).tolist())
    )
    say(
        f"Time steps: {count} systems of a heat equation on {side} x {side} points. Conjugate "
        f"gradients take {plain} iterations; with SSOR at omega = 1 {sum(fixed.iterations)}; with "
        f"an omega that a bandit learns from the counts {sum(learned.iterations)}, the last at "
        f"omega = {learned.omegas[-1]:.2f}."
    )


def simulation() -> None:
    """Approximate a function that costs a simulation each time, from few of them."""
    import scipy.sparse
    from scipy.sparse.linalg import spsolve

    side = 48
    line = scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(side, side))
    line *= (side + 1) ** 2
    eye = scipy.sparse.eye_array(side)
    across, along = scipy.sparse.kron(line, eye).tocsc(), scipy.sparse.kron(eye, line).tocsc()
    y, x = np.meshgrid(*2 * [np.arange(1, side + 1) / (side + 1)], indexing="ij")

    def temperature(X: np.ndarray) -> np.ndarray:
        """Warm a plate at one place, and return how warm it is in the middle."""
        values = []
        for conductivity, row, column in X:
            place = (y - 0.5 - 0.25 * row) ** 2 + (x - 0.5 - 0.25 * column) ** 2
            plate = (np.exp(conductivity) * across + along).tocsc()
            values.append(spsolve(plate, np.exp(-50 * place).ravel())[side * side // 2 + side // 2])
        return np.array(values)

    space = basis("legendre", total_degree(3, 6))
    WeightedLeastSquares(space, rng=_SEED).fit(lambda X: X[:, 0])  # compiles
    start = time.perf_counter()
    model = WeightedLeastSquares(space, rng=_SEED).fit(temperature)
    seconds = time.perf_counter() - start
    X = np.random.default_rng(_SEED).uniform(-1, 1, (100, 3))
    truth = temperature(X)
    error = float(np.sqrt(np.mean((model.predict(X) - truth) ** 2)))
    spread = float(np.linalg.norm(model.coef_[1:]))
    say(
        f"A simulation: the temperature in the middle of a plate depends on three parameters. "
        f"{len(model.design_)} runs at points of '{model.design_.kind}' and their fit by "
        f"{len(space)} polynomials took {seconds:.2f} s. Its error is {error / spread:.1%} of the "
        f"standard deviation over the parameters; leaving points out foretold "
        f"{model.loo_error_ / spread:.1%}. The mean is known at once, {model.coef_[0]:.5f}; as "
        f"many random runs would have a standard error of "
        f"{spread / len(model.design_) ** 0.5:.5f}."
    )


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
