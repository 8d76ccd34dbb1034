"""Check how fast sensitivities are beside SciPy's linear programs, show bounds, and sum real ones.

One thread, processor time, in turns. Bounds by groups of rows and by Lewis weights are divided by the
sensitivities: medians over all rows, and over the hundredth of largest sensitivity. Sums of real data: digits (scikit-learn) and the Rand health
insurance experiment (statsmodels).

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.sensitivities

Ends with an error if bounds are wrong, or if a row takes more than a hundredth of the time of a linear program for p = 1 (a
twentieth for infinite p), or differs from it by more than 1e-4.
"""

import datetime
import itertools
import platform
import sys
import time
import warnings

import numpy as np
import scipy

import lrla
from benchmarks import peers
from lrla.sampling import sensitivities, total_sensitivity
from lrla.testing import row_designs

BOUND, ERROR = {1: 0.01, np.inf: 0.05}, 1e-4
SHAPE = (2000, 8)
FEW = 3  # rows that SciPy solves


def seconds(call):
    start = time.process_time()
    out = call()
    return time.process_time() - start, out


def real():
    """Yield (name, matrix) for data that are installed with the benchmarks."""
    from sklearn.datasets import load_digits
    from statsmodels.datasets import randhie

    yield "digits", load_digits().data
    table = randhie.load_pandas().exog.to_numpy(float)
    yield "randhie", np.column_stack([np.ones(len(table)), table])


def rows():
    """Compare the time of a row."""
    A = np.random.default_rng(7).standard_t(2, SHAPE)
    some = np.arange(0, SHAPE[0], 10)
    broken = False
    print(f"a row of {SHAPE[0]} x {SHAPE[1]}; linear programs: mean of {FEW}")
    print(f"{'p':>5} {'method':12} {'ms':>9} {'error':>9} {'gap':>9}")
    for p in (1, 1.5, 3, np.inf):
        slow = exact = None
        if p in (1, np.inf):
            slow, exact = seconds(
                lambda p=p: [peers.sensitivity_linprog(A, i, p) for i in some[:FEW]]
            )
            print(f"{p:5} {'scipy HiGHS':12} {1e3 * slow / FEW:9.2f}")
        for method in ("full", "lewis") if p != np.inf else ("full",):
            sensitivities(A, p, rows=some[:1], method=method, rng=7)  # compiles
            setup, _ = seconds(
                lambda p=p, method=method: sensitivities(A, p, rows=[], method=method, rng=7)
            )
            took, found = seconds(
                lambda p=p, method=method: sensitivities(A, p, rows=some, method=method, rng=7)
            )
            each = (took - setup) / len(some)
            error = np.nan if exact is None else np.max(np.abs(found.scores[:FEW] / exact - 1))
            print(f"{p:5} {method:12} {1e3 * each:9.3f} {error:9.1e} {found.info.gap:9.1e}")
            if slow is not None and method == "full":
                broken |= each > BOUND[p] * slow / FEW or error > ERROR
    return broken


def bounds():
    """Compare what is known of rows without a problem for each."""
    broken = False
    print(
        f"\nbounds over sensitivities, {SHAPE[0]} x {SHAPE[1]}: median of all, of the largest hundredth"
    )
    print(f"{'data':8} {'p':>3} {'method':13} {'problems':>8} {'s':>6} {'lower':>12} {'upper':>15}")
    designs = row_designs(*SHAPE, rng=7)
    for name, p in itertools.product(("gauss", "heavy", "scales"), (1, 3)):
        A, exact = designs[name], None
        for method, group in (
            ("full", None),
            ("grouped", 20),
            ("grouped", None),
            ("lewis_bounds", None),
        ):
            took, found = seconds(
                lambda A=A, p=p, method=method, group=group: sensitivities(
                    A, p, method=method, group=group, rng=7
                )
            )
            exact = found if exact is None else exact
            order = np.argsort(exact.scores)
            cells = []
            for values in (found.lower, found.upper):
                ratio = (values / exact.scores)[order]
                cells.append(f"{np.median(ratio):6.2f} {np.median(ratio[-SHAPE[0] // 100 :]):6.2f}")
            label = f"{method} {found.info.group or ''}"
            print(
                f"{name:8} {p:3} {label:13} {found.info.n_problems:8} {took:6.2f} {'  '.join(cells)}"
            )
            broken |= bool(np.any(found.lower > exact.upper * (1 + 1e-9)))
            broken |= bool(np.any(exact.lower > found.upper * (1 + 1e-9)))
    return broken


def totals():
    print(
        f"\n{'data':8} {'rows':>7} {'rank':>5} {'p':>3} {'sum':>7} {'+-':>5} {'bound':>7} {'s':>6}"
    )
    for name, A in real():
        for p in (1, 3):
            took, S = seconds(lambda A=A, p=p: total_sensitivity(A, p, eps=0.05, rng=7))
            bound = S.rank ** max(1, p / 2)
            print(
                f"{name:8} {len(A):7} {S.rank:5} {p:3} {S.value:7.2f} {S.standard_error:5.2f} "
                f"{bound:7.0f} {took:6.1f}  {S.info.method}, {S.info.n_rows} rows"
            )


def main():
    """Print the tables and check the bound."""
    warnings.simplefilter("ignore", lrla.RankDeficientWarning)
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, lrla {lrla.__version__}"
    )
    with lrla.threads(1):
        broken = rows()
        broken |= bounds()
        totals()
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
