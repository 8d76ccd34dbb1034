"""Check what choosing costs: 20 microseconds for Tsallis-INF with up to 32 arms, ask and tell.

And 120 for ChebCB, 10 for YoungHistory. One thread, processor time, best of several rounds.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.bandit_overhead

Ends with an error if a bound is broken.
"""

import datetime
import platform
import sys
import time

import numpy as np

import lrla
from lrla.bandits import (
    UCB,
    ChebCB,
    SurfaceThompson,
    SurrogateThompson,
    ThompsonSampling,
    TsallisCB,
    TsallisINF,
    YoungHistory,
)

STEPS, ROUNDS = 1000, 9
POLICIES = {  # name: (policy, whether it takes a context, bound in microseconds)
    "TsallisINF, 8 arms": (lambda: TsallisINF(8, rng=5), False, 20),
    "TsallisINF, 20 arms": (lambda: TsallisINF(20, rng=5), False, 20),
    "TsallisINF, 32 arms": (lambda: TsallisINF(32, rng=5), False, 20),
    "TsallisINF 'iw', 32 arms": (lambda: TsallisINF(32, estimator="iw", rng=5), False, 20),
    "TsallisCB, 20 arms": (lambda: TsallisCB(20, (0, 1), rng=5), True, None),
    "ChebCB, 20 arms": (lambda: ChebCB(20, (0, 1), rng=5), True, 120),
    "SurfaceThompson, 20 arms": (lambda: SurfaceThompson(20, (0, 1), rng=5), True, None),
    "YoungHistory": (lambda: YoungHistory(diagonal=4.0), True, 10),
    "SurrogateThompson": (lambda: SurrogateThompson(tol=1e-8, diagonal=4.0, rng=5), True, None),
    "UCB, 20 arms": (lambda: UCB(20), False, None),
    "ThompsonSampling, 20 arms": (lambda: ThompsonSampling(20, rng=5), False, None),
}


def play(policy, contexts):
    """Ask and tell, with costs that cost little to make up."""
    for k, context in enumerate(contexts):
        trial = policy.ask(context)
        where = trial.arm * 0.05 if trial.params is None else trial.params["omega"] - 1.0
        policy.tell(trial, 30.0 + 100.0 * abs(where - 0.6) + k % 7, rate=0.9)


def main():
    """Print the table and check the bounds."""
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, lrla {lrla.__version__}"
    )
    print(f"ask + tell, 1 thread, processor time, best of {ROUNDS} times {STEPS}")
    print(f"{'':26} {'microseconds':>12} {'bound':>6}")
    broken = False
    some = np.random.default_rng(7).random(STEPS).tolist()
    with lrla.threads(1):
        for name, (make, seeing, bound) in POLICIES.items():
            policy, contexts = make(), some if seeing else [None] * STEPS
            best = float("inf")
            play(policy, contexts)  # compiles
            for _ in range(ROUNDS):
                start = time.process_time()
                play(policy, contexts)
                best = min(best, (time.process_time() - start) / STEPS * 1e6)
            print(f"{name:26} {best:12.1f} {bound or '-':>6}")
            broken |= bound is not None and best > bound
    return broken


if __name__ == "__main__":
    sys.exit(main())
