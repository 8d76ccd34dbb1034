"""Check what row samples cost and that they have no bias, beside numpy.random.Generator.choice.

One thread, processor time, in turns. Ends with an error if

- a sample without replacement takes longer than NumPy's (bottom-k, the design of the same law),
- a weighted total of ours is biased, or that of NumPy's draws without replacement is not,
- spatial pivotal samples have more than half the excess error of independent ones.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.samplers
"""

import datetime
import platform
import sys
import time

import numpy as np

import lrla
from lrla.sampling import leverage_scores, sample_rows

ROWS, SIZE, ROUNDS = 1_000_000, 20_000, 5
DESIGNS = ("bottom_k", "poisson", "replacement", "systematic", "pivotal")
REPEATS = 6000
TRIALS = 100


def times():
    """Time one sample of many rows; the generator of NumPy is fed probabilities that sum to one."""
    scores = np.random.default_rng(90210).lognormal(0, 1.5, ROWS)
    p = scores / scores.sum()
    rng = np.random.default_rng(7)
    calls = {
        f"lrla {design}": lambda seed, design=design: sample_rows(
            scores, SIZE, design=design, rng=seed
        )
        for design in DESIGNS
    }
    calls["numpy choice, with replacement"] = lambda seed: rng.choice(ROWS, SIZE, p=p)
    calls["numpy choice, without"] = lambda seed: rng.choice(ROWS, SIZE, replace=False, p=p)
    best = dict.fromkeys(calls, float("inf"))
    for call in calls.values():
        call(0)  # compiles
    for seed in range(ROUNDS):
        for name, call in calls.items():
            start = time.process_time()
            call(seed)
            best[name] = min(best[name], time.process_time() - start)
    print(f"\none sample of {SIZE} of {ROWS} rows, milliseconds, best of {ROUNDS}")
    for name, seconds in best.items():
        print(f"{name:32} {1e3 * seconds:8.1f}")
    return best["lrla bottom_k"] > best["numpy choice, without"]


def bias():
    """Estimate a total of 60 rows from 20, again and again."""
    rng = np.random.default_rng(61211)
    scores = rng.lognormal(0, 1, 60)
    y = scores * rng.uniform(0.5, 1.5, 60)
    p, total = scores / scores.sum(), y.sum()

    def ours(design):
        for seed in range(REPEATS):
            sample = sample_rows(scores, 20, design=design, rng=seed)
            yield sample.estimate(y[sample.indices]).value

    def theirs(replace):
        for _ in range(REPEATS):
            rows = rng.choice(60, 20, replace=replace, p=p)
            yield np.sum(y[rows] / (20 * p[rows]))

    samples = {f"lrla {design}": ours(design) for design in DESIGNS}
    samples["numpy choice, with replacement"] = theirs(True)
    samples["numpy choice, without"] = theirs(False)
    print(f"\na total of 60 rows from 20, {REPEATS} times; weights of NumPy's draws 1 / (size p)")
    print(f"{'':32} {'bias':>8} {'sigmas':>7} {'sd':>7}")
    sigmas = {}
    for name, draws in samples.items():
        values = np.fromiter(draws, float) / total - 1
        sigmas[name] = values.mean() / values.std() * np.sqrt(REPEATS)
        print(f"{name:32} {values.mean():8.2%} {sigmas[name]:7.1f} {values.std():7.2%}")
    biased = [name for name, z in sigmas.items() if abs(z) > 5]
    return biased != ["numpy choice, without"]


def grid():
    """Fit polynomials of degree 9 to an oscillator, a function of two variables on 70 x 70."""
    side = np.linspace(-1, 1, 70)
    X = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    V, W = (np.polynomial.legendre.legvander(X[:, k], 9) for k in (0, 1))
    A = np.stack([V[:, i] * W[:, j] for i in range(10) for j in range(10 - i)], axis=1)
    b = _swing(X)
    least = np.sum((A @ np.linalg.lstsq(A, b)[0] - b) ** 2)
    scores = leverage_scores(A, rng=0).scores

    def excess(size, **options):
        found = []
        for seed in range(TRIALS):
            sample = sample_rows(scores, size, rng=seed, **options)
            x = np.linalg.lstsq(sample.rows(A), sample.rows(b))[0]
            found.append(np.sum((A @ x - b) ** 2) / least - 1)
        return np.median(found)

    print(f"\nactive regression, {A.shape[0]} x {A.shape[1]}: median excess of {TRIALS} samples")
    print(f"{'labels':>8} {'Poisson':>9} {'pivotal':>9} {'spatial':>9} {'ratio':>6}")
    broken = False
    for size in (60, 100, 150, 200):
        coins, random, spatial = (
            excess(size, design="poisson"), excess(size), excess(size, coords=X)
        )  # fmt: skip
        print(f"{size:8} {coins:9.3f} {random:9.3f} {spatial:9.3f} {spatial / coins:6.2f}")
        broken |= spatial > 0.5 * coins
    return broken


def _swing(X):
    """Largest deflection of ``x'' + x'/2 + k x = cos(w t) / 2`` until t = 20, from rest."""
    k, w = X[:, 0] + 2, X[:, 1] + 1
    state, step, largest = np.zeros((2, len(X))), 0.05, np.zeros(len(X))

    def slope(t, s):
        return np.stack([s[1], np.cos(w * t) / 2 - s[1] / 2 - k * s[0]])

    for t in np.arange(0, 20, step):
        a = slope(t, state)
        b = slope(t + step / 2, state + step / 2 * a)
        c = slope(t + step / 2, state + step / 2 * b)
        d = slope(t + step, state + step * c)
        state = state + step / 6 * (a + 2 * b + 2 * c + d)
        largest = np.maximum(largest, abs(state[0]))
    return largest


def main():
    """Print the tables and check the bounds."""
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, lrla {lrla.__version__}"
    )
    with lrla.threads(1):
        broken = [times(), bias(), grid()]
    return any(broken)


if __name__ == "__main__":
    sys.exit(main())
