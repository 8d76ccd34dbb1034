"""Claim: importing lrla takes at most a tenth of the time that importing NumPy takes.

Each statement runs in fresh interpreters, in turn; what an interpreter without it takes is
subtracted from the least time of each.

    python -m benchmarks.claims.import_time
"""

import platform
import subprocess
import sys
import time

RUNS = 25
LIMIT = 0.1


def seconds(statement):
    """Time a fresh interpreter that runs one statement."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def main():
    statements = ("pass", "import lrla", "import numpy")
    best = dict.fromkeys(statements, float("inf"))
    for _ in range(RUNS):
        for statement in statements:
            best[statement] = min(best[statement], seconds(statement))
    bare = best["pass"]
    ratio = (best["import lrla"] - bare) / (best["import numpy"] - bare)
    print(f"Python {platform.python_version()}, least of {RUNS} runs each")
    for statement in statements:
        print(f"{statement:14} {1e3 * best[statement]:7.1f} ms")
    print(f"import lrla / import numpy, net: {ratio:.3f} (at most {LIMIT})")
    return ratio > LIMIT


if __name__ == "__main__":
    sys.exit(main())
