"""Check that counter-based float32 normals come 3 times as fast as those of NumPy's PCG64.

One thread, processor time, in turns, the best of several rounds.

    python -m benchmarks.claims.philox_normals [count]

Ends with an error if the bound is broken.
"""

import datetime
import platform
import sys
import time

import numba
import numpy as np
import scipy.stats

import lrla
from benchmarks import peers
from lrla._core.arrays import numpy_space
from lrla.kernels import philox

BOUND = 3.0
ROUNDS = 15
KEY = (0x243F6A88, 0x85A308D3)


def best(*functions):
    """Return the shortest processor time of each function, called in turns."""
    shortest = [float("inf")] * len(functions)
    for function in functions:  # compile
        function()
    for _ in range(ROUNDS):
        for i, function in enumerate(functions):
            start = time.process_time()
            function()
            shortest[i] = min(shortest[i], time.process_time() - start)
    return shortest


def main():
    """Print the table and check the bound."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1 << 22
    per_position = 1024  # rows of a sketch of the usual size
    positions = count // per_position
    count = positions * per_position

    def ours():
        return philox.normal(numpy_space(), KEY, 0, 0, positions, per_position)

    def signs():
        return philox.sign(numpy_space(), KEY, 2, 0, positions, per_position)

    print(
        f"{datetime.date.today()}  {platform.processor() or platform.machine()}, "
        f"python {platform.python_version()}, numpy {np.__version__}, "
        f"numba {numba.__version__}, lrla {lrla.__version__}"
    )
    print(f"{count} float32 normals, 1 thread, processor time, best of {ROUNDS}")
    with lrla.threads(1):
        t_ours, t_numpy, t_signs = best(ours, lambda: peers.normals_numpy(count, 90_210), signs)
    for label, seconds, z in (
        ("lrla Philox4x32-10", t_ours, ours()),
        ("numpy PCG64 ziggurat", t_numpy, peers.normals_numpy(count, 90_210)),
    ):
        distance = scipy.stats.kstest(z.ravel()[: 1 << 20].astype(float), "norm").statistic
        print(f"{label:22} {1e9 * seconds / count:6.2f} ns each   "
              f"distance from the normal distribution {distance:.1e}")  # fmt: skip
    print(f"{'lrla signs':22} {1e9 * t_signs / count:6.2f} ns each")
    ratio = t_numpy / t_ours
    print(f"bound: {BOUND:.1f} times as fast; here {ratio:.2f}")
    if ratio < BOUND:
        sys.exit("the bound is broken")


if __name__ == "__main__":
    main()
