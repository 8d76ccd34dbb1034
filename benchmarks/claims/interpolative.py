"""Check that an interpolative decomposition takes a twentieth of SciPy's time, at its error.

1500 x 1500, rank 100, six spectra; one thread, processor time, in turns. Errors are divided by
that of the best rank 100. SciPy's ``rand=True`` takes its deterministic path on arrays of this
size, with the same columns, so one run of SciPy stands for both.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.interpolative

Ends with an error if a bound on the median over the spectra is broken.
"""

import datetime
import platform
import sys
import time

import numpy as np
import scipy

import lrla
from benchmarks import peers
from lrla.lowrank import interpolative

N, RANK, ROUNDS = 1500, 100, 5
FASTER, WORSE = 20.0, 1.1
INDEX = np.arange(N)
SPECTRA = {
    "1/i": 1 / (INDEX + 1.0),
    "1/i**2": 1 / (INDEX + 1.0) ** 2,
    "1/sqrt(i)": 1 / np.sqrt(INDEX + 1.0),
    "0.9**i": 0.9**INDEX,
    "0.99**i": 0.99**INDEX,
    "step": np.where(INDEX < RANK, 1.0, 1e-3),
}
METHODS = ("sketch_qrp", "sketch_lupp", "rpqr")


def matrix(s, seed=2410_03969):
    """Make a matrix with these singular values and random singular vectors."""
    rng = np.random.default_rng(seed)
    U, V = (np.linalg.qr(rng.standard_normal((N, N)))[0] for _ in range(2))
    return (U * s) @ V.T


def timed(call):
    """Return the processor time of a call and its result."""
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def main():
    """Print the table and check the bounds."""
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, lrla {lrla.__version__}"
    )
    print(
        f"{N} x {N}, rank {RANK}, 1 thread, processor time, best of {ROUNDS}; error / least error"
    )
    print(f"{'':10} {'scipy':>15}" + "".join(f"{m:>25}" for m in METHODS))
    speed, error = [], []
    with lrla.threads(1):
        for name, s in SPECTRA.items():
            A, least = matrix(s), np.linalg.norm(s[RANK:])
            calls = {m: lambda A=A, m=m: interpolative(A, RANK, method=m, rng=5) for m in METHODS}
            answers = {m: call() for m, call in calls.items()}  # compiles
            best = dict.fromkeys(["scipy", *METHODS], float("inf"))
            for _ in range(ROUNDS):
                seconds, (columns, P) = timed(lambda A=A: peers.interp_decomp(A, RANK))
                best["scipy"] = min(best["scipy"], seconds)
                for m, call in calls.items():
                    best[m] = min(best[m], timed(call)[0])
            theirs = np.linalg.norm(A - A[:, columns] @ P) / least
            line = f"{name:10} {best['scipy']:7.3f} s {theirs:5.2f}"
            for m, r in answers.items():
                ours = np.linalg.norm(A - r.skeleton @ r.coefficients) / least
                line += f"  {best[m]:7.3f} s {ours:5.2f} ({best['scipy'] / best[m]:4.1f}x)"
                if m == "sketch_qrp":
                    speed.append(best["scipy"] / best[m])
                    error.append(ours / theirs)
            print(line)
    print(
        f"sketch_qrp: median speed {np.median(speed):.1f}x (least {min(speed):.1f}x), "
        f"median error {np.median(error):.3f} of SciPy's (worst {max(error):.3f})"
    )
    return bool(np.median(speed) < FASTER or np.median(error) > WORSE)


if __name__ == "__main__":
    sys.exit(main())
