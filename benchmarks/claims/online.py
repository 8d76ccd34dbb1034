"""Show what online samples of rows keep, beside Lewis weights of all rows at the same size.

Two samples of equal size: one decided row by row in one pass, and one by exact Lewis weights, which
need all rows first. Distortions are exact for p = 2, otherwise what a search finds; medians and
largest of some draws. Then the size against the length of a stream, and samples within a budget.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.online

Ends with an error if a distortion exceeds eps, or if the rows added by a doubling of the stream are
more than 1.3 times those of the doubling before, if a budget is exceeded, or if for some norm the
median error within a budget is more than twice that of as many rows by Lewis weights.
"""

import datetime
import platform
import sys
import time
import warnings

import numpy as np

import lrla
from lrla.sampling import OnlineRowSampler, distortion, lewis_weights, sample_rows
from lrla.testing import row_designs

DRAWS, SHAPE, EPS, RIDGE = 5, (20_000, 10), 0.9, 1e-3
NORMS = (1, 1.5, 2, 3)
BUDGET, FEW = 400, 3


def online(A, p, seed, **options):
    """Return the sample of one pass."""
    sampler = OnlineRowSampler(A.shape[1], RIDGE, p=p, rng=seed, **options)
    sampler.partial_fit(A)
    return sampler.finalize().sample


def by_design(p):
    """Compare with offline Lewis weights on all designs; return the largest error and all ratios."""
    worst, ratios = 0.0, []
    for name, A in row_designs(*SHAPE, rng=7).items():
        w = lewis_weights(A, p, rng=7).weights
        ours, theirs, sizes = [], [], []
        for seed in range(DRAWS):
            sample = online(A, p, seed, eps=EPS)
            offline = sample_rows(w, len(sample), design="poisson", rng=seed)
            sizes.append(len(sample))
            ours.append(distortion(A, sample, p, rng=7).eps)
            theirs.append(distortion(A, offline, p, rng=7).eps)
        ratios.append(np.median(ours) / np.median(theirs))
        worst = max(worst, *ours)
        print(
            f"{p:4} {name:8} {np.mean(sizes):7.0f}   {np.median(ours):6.3f}/{max(ours):6.3f}"
            f"   {np.median(theirs):6.3f}/{max(theirs):6.3f}   {ratios[-1]:6.2f}",
            flush=True,
        )
    return worst, ratios


def by_length():
    """Watch the size of samples of Gaussian rows while their number doubles."""
    A = np.random.default_rng(7).standard_normal((256_000, 10))
    lengths = [4000 << k for k in range(7)]
    print(f"\nrows kept of {lengths} Gaussian rows of length {A.shape[1]}, eps = {EPS}")
    broken = False
    for p in NORMS:
        sampler, sizes, start = OnlineRowSampler(10, RIDGE, p=p, eps=EPS, rng=7), [], 0
        begin = time.process_time()
        for stop in lengths:
            sampler.partial_fit(A[start:stop])
            sizes.append(len(sampler.finalize().sample))
            start = stop
        added = np.diff(sizes)
        broken |= bool(np.any(added[2:] > 1.3 * added[1:-1]))
        seconds = time.process_time() - begin
        print(f"p = {p:3}: {sizes}, {1e6 * seconds / len(A):.2f} us a row")
    return broken


def by_budget():
    """Compare samples within a budget with offline Lewis weights."""
    print(f"\nat most {BUDGET} rows, median distortions of {FEW}: online/Lewis weights, (rows)")
    broken = False
    for p in NORMS:
        ratios, cells = [], []
        for name, A in row_designs(*SHAPE, rng=7).items():
            w = lewis_weights(A, p, rng=7).weights
            ours, theirs, sizes = [], [], []
            for seed in range(FEW):
                sample = online(A, p, seed, budget=BUDGET)
                offline = sample_rows(w, len(sample), design="poisson", rng=seed)
                sizes.append(len(sample))
                ours.append(distortion(A, sample, p, rng=7).eps)
                theirs.append(distortion(A, offline, p, rng=7).eps)
            broken |= max(sizes) > BUDGET
            mine, other = np.median(ours), np.median(theirs)
            ratios.append(mine / other)
            cells.append(f"{name} {mine:.3f}/{other:.3f} ({np.mean(sizes):.0f})")
        print(f"p = {p:3}: {', '.join(cells)}; median ratio {np.median(ratios):.2f}", flush=True)
        broken |= np.median(ratios) > 2
    return broken


def main():
    """Print the tables and check the bounds."""
    warnings.simplefilter("ignore", lrla.AccuracyWarning)
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, lrla {lrla.__version__}"
    )
    print(f"\n{SHAPE[0]} x {SHAPE[1]}, eps = {EPS}, median/largest distortion of {DRAWS}")
    print("   p data        rows   online          Lewis weights    ratio")
    broken = False
    with lrla.threads(1):
        for p in NORMS:
            worst, ratios = by_design(p)
            broken |= worst > EPS
            print(f"{p:4} largest error {worst:.3f}, median ratio {np.median(ratios):.2f}")
        broken |= by_length()
        broken |= by_budget()
    return broken


if __name__ == "__main__":
    sys.exit(main())
