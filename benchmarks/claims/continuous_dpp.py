"""Check how much faster than DPPy polynomial ensembles are sampled, and how integrals converge.

One thread, processor time, one process, in turns. DPPy's multivariate Jacobi ensemble with uniform
weight gets its own multi-indices, and so do we. Both draw exactly: DPPy proposes from the arcsine law
of all coordinates together, we from the Christoffel measure. On the circle, where its banded model
does not run with NumPy 2, it computes the eigenvalues of a unitary matrix. Then the slopes of the mean squared
error of sums over such points (Bardenet and Hardy: -1 - 1 / d) on a bump inside the cube.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.continuous_dpp

Ends with an error if a bound is broken.
"""

import datetime
import platform
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np
import scipy

import lrla
from benchmarks import peers
from lrla.approximation import basis, dpp_sample, integrate, total_degree

ROUNDS = 3
SIZES = ((50, 1, None), (100, 2, None), (200, 2, None), (100, 4, None), (200, 4, 40))
SLOPES = {1: -2.0, 2: -1.5}
WITHIN = 0.15


def clock(call):
    """Return the processor time of a call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def cases():
    """Yield (label, draw of the peer or None, our basis, bound of the ratio or None)."""
    for size, dim, bound in SIZES:
        draw, indices = peers.jacobi_ensemble_dppy(size, dim)
        yield f"cube, N = {size}, d = {dim}", draw, basis("legendre", indices), bound
    draw = peers.circular_ensemble_dppy(200)
    yield "circle, N = 200", draw, basis("fourier", np.arange(-100, 100)), None
    space = basis("legendre", total_degree(2, 43))
    yield f"cube, N = {len(space)}, d = 2", None, space, None


def compare(draw, space):
    """Return the best times of a peer's draws and of ours."""
    dpp_sample(space, rng=0)  # compiles
    best = [np.inf, np.inf]
    for turn in range(ROUNDS):
        if draw is not None:
            best[0] = min(best[0], clock(draw))
        seeds = range(10 * turn + 1, 10 * turn + 11)
        best[1] = min(best[1], *(clock(lambda i=i: dpp_sample(space, rng=i)) for i in seeds))
    return best


def bump(X):
    """Evaluate a smooth function that vanishes near the faces of the cube."""
    inside = np.maximum(1 - (X / 0.9) ** 2, 1e-9)
    return np.prod(np.exp(-1 / inside), axis=1)


def slope(dim, repeats=400):
    """Fit the logarithm of the mean squared error to that of the number of points."""
    t, w = np.polynomial.legendre.leggauss(400)
    truth = (w / 2 @ bump(t[:, None])) ** dim
    degrees = (10, 20, 40, 80, 160) if dim == 1 else (4, 6, 8, 11, 15)
    sizes, errors = [], []
    for degree in degrees:
        indices = np.stack(np.meshgrid(*[np.arange(degree)] * dim), axis=-1).reshape(-1, dim)
        space = basis("legendre", indices)
        result = integrate(bump, space, method="bardenet_hardy", n_repeats=repeats, rng=90210)
        sizes.append(len(space))
        errors.append(np.mean((result.info.estimates - truth) ** 2))
    return np.polyfit(np.log(sizes), np.log(errors), 1)[0]


def main():
    """Print the tables and check the bounds."""
    broken = False
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, lrla {lrla.__version__}, "
        f"dppy {version('dppy')}"
    )
    print(f"1 thread, processor time in milliseconds, best of {ROUNDS} (ours: of {10 * ROUNDS})")
    print(f"{'ensemble':24}{'DPPy':>9}{'lrla':>9}{'ratio':>8}{'asked':>8}  method")
    with lrla.threads(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # DPPy's, about its bounds
        for label, draw, space, bound in cases():
            peer, ours = compare(draw, space)
            broken |= bound is not None and peer / ours < bound
            beside = f"{'':16}" if draw is None else f"{peer / ours:8.0f}{bound or '':>8}"
            print(
                f"{label:24}{'' if draw is None else f'{1e3 * peer:.1f}':>9}{1e3 * ours:9.2f}"
                f"{beside:16}  {dpp_sample(space, rng=0).info.method}"
            )
        print(f"{'slope of the squared error':24}{'found':>9}{'asked':>9}")
        for dim, asked in SLOPES.items():
            found = slope(dim)
            broken |= bool(abs(found - asked) > WITHIN)
            print(f"{f'd = {dim}':24}{found:9.2f}{asked:9.2f} within {WITHIN}")
    return broken


if __name__ == "__main__":
    sys.exit(main())
