"""Check that a sparse sign sketch takes at most 0.6 of the time of SciPy's ``csc @ dense``.

One thread, processor time, all methods in turns, the best of several rounds. SciPy's matrix is
drawn before its clock starts; ours is drawn again in every call.

    python -m benchmarks.claims.sketch_apply [rows columns]

The bound is checked for C-order data with 8 and with 12 rows of the sketch for every 3 columns;
other memory orders and sparse data are printed beside it. Ends with an error if it is broken.
"""

import datetime
import platform
import sys
import time

import numba
import numpy as np
import scipy
import scipy.sparse

import lrla
from benchmarks import peers
from lrla import sketch

BOUND = 0.6
ROUNDS = 7


def best(*functions):
    """Return the shortest processor time of each function, called in turns."""
    shortest = [float("inf")] * len(functions)
    for function in functions:  # compile, and touch the memory
        function()
    for _ in range(ROUNDS):
        for i, function in enumerate(functions):
            start = time.process_time()
            function()
            shortest[i] = min(shortest[i], time.process_time() - start)
    return shortest


def row(label, A, d):
    """Print one line of the table and return the ratio."""
    S = sketch.SparseSign(d, A.shape[0], rng=27_182)
    csc = S.block(0, S.m)
    want = peers.sparse_times_dense(csc, A)
    want = want.toarray() if scipy.sparse.issparse(want) else want
    error = float(np.linalg.norm(S @ A - want) / np.linalg.norm(want))

    def scipy_dense():
        product = peers.sparse_times_dense(csc, A)
        return product.toarray() if scipy.sparse.issparse(product) else product

    ours, theirs, one = best(lambda: S @ A, scipy_dense, lambda: peers.countsketch_scipy(A, d))
    print(
        f"{label:24} {d:6}   {1e3 * ours:7.1f} {1e3 * theirs:9.1f}   {ours / theirs:5.2f}"
        f"   {1e3 * one:9.1f}   {error:.0e}",
        flush=True,
    )
    return ours / theirs


def main():
    """Print the table and check the bound."""
    m, n = (int(k) for k in sys.argv[1:3]) if len(sys.argv) > 2 else (100_000, 304)
    print(
        f"{datetime.date.today()}  {platform.processor() or platform.machine()}, "
        f"python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, "
        f"numba {numba.__version__}, lrla {lrla.__version__}"
    )
    print(f"A: {m} x {n}, float64; 8 signs a column; 1 thread; ms of processor time, "
          f"best of {ROUNDS}")  # fmt: skip
    print("data                          d      lrla   csc @ A   ratio   "
          "scipy cwt (1 sign)   difference")  # fmt: skip
    random = np.random.default_rng(161)
    A = random.standard_normal((m, n))
    with lrla.threads(1):
        ratios = [row("C order", A, 4 * n), row("C order", A, 12 * n)]
        row("F order", np.asfortranarray(A), 4 * n)
        row("C order, float32", A.astype(np.float32), 4 * n)
        few = scipy.sparse.random_array((2 * m, n), density=4 / n, format="csr", rng=random)
        row("CSR, 2 m rows, 4 a row", few, 4 * n)
        row("CSC, 2 m rows, 4 a row", few.tocsc(), 4 * n)
    print(f"bound: {BOUND} in C order; worst here {max(ratios):.2f}")
    if max(ratios) > BOUND:
        sys.exit("the bound is broken")


if __name__ == "__main__":
    main()
