"""Check how much faster than LAPACK's gelsd `lrla.lstsq` is, at the same backward error.

One thread, processor time, both in turns in one run, the best of several rounds. The bounds are
ratios to gelsd's time, for problems of condition 10**6 and 10**8, and a backward error (relative to
norm(A)_F) of 1e-16 or gelsd's own, whichever is larger.

    python -m benchmarks.claims.lstsq_dense [--quick] [--wall]

``--quick`` makes the problems ten times shorter and checks nothing but the backward error. ``--wall``
adds wall-clock times with two threads, which say little on a machine that does other work, too.
Ends with an error if a bound is broken.
"""

import datetime
import platform
import sys
import time

import numpy as np
import scipy

import lrla
from benchmarks import peers
from benchmarks.data import backward_error, least_squares

# rows, columns, digits of the condition, largest ratio to gelsd's time
CLAIMS = (
    (50_000, 100, 6, 0.25),
    (50_000, 100, 8, None),
    (100_000, 300, 6, 0.25),
    (100_000, 300, 8, 0.45),
    (200_000, 500, 6, 0.22),
    (200_000, 500, 8, 0.27),
)
ROUNDS = 3
METHODS = ("gram", "spir", "fossils", "cqrrt", "direct")


def best(clock, rounds, *functions):
    """Return the shortest time of each function, called in turns."""
    shortest = [float("inf")] * len(functions)
    for _ in range(rounds):
        for i, function in enumerate(functions):
            start = clock()
            function()
            shortest[i] = min(shortest[i], clock() - start)
    return shortest


def compare(m, n, digits, bound, quick, wall):
    """Print one line of the table; return what is broken."""
    A, b = least_squares(m, n, digits)
    result = lrla.lstsq(A, b, rng=1)
    ours, theirs = result.x, peers.lstsq_gelsd(A, b)
    errors = backward_error(A, b, ours), backward_error(A, b, theirs)
    with lrla.threads(1):
        times = best(
            time.process_time,
            1 if quick else ROUNDS,
            lambda: lrla.lstsq(A, b, rng=1),
            lambda: peers.lstsq_gelsd(A, b),
        )
        each = [
            best(
                time.process_time, 1, lambda method=method: lrla.lstsq(A, b, method=method, rng=1)
            )[0]
            for method in METHODS
        ]
    ratio = times[0] / times[1]
    print(
        f"{m:7} x {n:3}  1e{digits}  {result.info.method:5} {times[0]:7.3f} {times[1]:7.3f}"
        f"  {ratio:5.2f} {bound or float('nan'):5.2f}   {errors[0]:7.0e} {errors[1]:7.0e}   "
        + " ".join(f"{t:7.3f}" for t in each),
        flush=True,
    )
    if wall:
        with lrla.threads(2):
            walls = best(
                time.perf_counter,
                3,
                lambda: lrla.lstsq(A, b, rng=1),
                lambda: peers.lstsq_gelsd(A, b),
            )
        print(f"{'':14} two threads, wall, noisy: {walls[0]:.3f} {walls[1]:.3f}", flush=True)
    broken = []
    if errors[0] > max(1e-16, errors[1]):
        broken.append(f"{m} x {n}, 1e{digits}: backward error {errors[0]:.1e}")
    if bound is not None and not quick and ratio > bound:
        broken.append(f"{m} x {n}, 1e{digits}: ratio {ratio:.2f} above {bound}")
    return broken


def main():
    """Print the table."""
    quick, wall = "--quick" in sys.argv, "--wall" in sys.argv
    print(
        f"{datetime.date.today()}, {platform.machine()}, Python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, lrla {lrla.__version__}; one thread, "
        f"processor seconds, best of {1 if quick else ROUNDS}"
    )
    print(
        "                              lrla   gelsd  ratio bound   backward error    "
        + " ".join(f"{name:>7}" for name in METHODS)
    )
    print("                                                          lrla   gelsd")
    broken = []
    for m, n, digits, bound in CLAIMS:
        broken += compare(m // 10 if quick else m, n, digits, bound, quick, wall)
    if broken:
        sys.exit("broken: " + "; ".join(broken))


if __name__ == "__main__":
    main()
