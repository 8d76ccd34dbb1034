"""Check the accuracy of boosted least squares, and how many points each design needs to be stable.

Two experiments. The first has the settings of Haberstich, Nouy and Perrin, "Boosted optimal weighted
least-squares" (Math. Comp. 2022): exp(-(x - 1)**2 / 4) on Hermite and 1 / (1 + 5 x**2) on Legendre
polynomials, delta = 0.9, eta = 0.01, the best of 100 designs, 10 repetitions, errors on 1000 test
points. Methods: I interpolates in the Gauss points, EI in empirical interpolation points, OWLS takes
independent points, BLS the best of 1 or 100 designs, conditioned (c-BLS) and thinned (s-BLS); DPP are
projection processes. The second compares independent points, volume sampling and repeated projection
processes, 300 designs each.

Then spaces that grow: the probability that 2 m or 3 m points are stable for m = 32 Legendre polynomials
if they come from the processes of the whole space, or of two or four parts of it that joined one
after the other, or from every function alone (stratified independent points). And the condition of
G for twice or four times as many points as functions out of 600, chosen by sparsification.

Expected are reference values of an independent implementation of the same experiments, the first
within a factor of 1.5 (where the mean error has a variance), the second within 3 binomial standard
errors for probabilities and 10 % for medians, beside the standard errors of the reference itself.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.boosted_least_squares

Beside these, the processor time of thinning 500 points for 50 functions, at most 0.5 s, and of a
certificate for 1000 functions and 3000 points, at most 1 s.

Ends with an error if a bound is broken.
"""

import datetime
import itertools
import math
import platform
import sys
import time

import numpy as np
import scipy
import scipy.special

import lrla
from lrla.approximation import (
    WeightedLeastSquares,
    basis,
    bss_subsample,
    christoffel_sample,
    greedy_subsample,
    hyperbolic_cross,
    repeated_dpp_sample,
    stable_design,
    total_degree,
    volume_rescaled_sample,
)
from lrla.lowrank import eim

DELTA, ETA, BEST, REPETITIONS, TESTS = 0.9, 0.01, 100, 10, 1000
DESIGNS = 300


def bell(X):
    """Return exp(-(x - 1)**2 / 4), analytic."""
    return np.exp(-((X[:, 0] - 1) ** 2) / 4)


def runge(X):
    """Return 1 / (1 + 5 norm(x)**2)."""
    return 1 / (1 + 5 * np.sum(X**2, axis=1))


def rule(m, eta):
    """Return the number of points of the experiments; `christoffel_size` rounds up."""
    rate = (1 + DELTA) * math.log(1 + DELTA) - DELTA
    return round(m * math.log(2 * m / eta) / rate)


def gauss(family, n):
    """Return Gauss points and weights of a probability measure."""
    if family == "hermite":
        x, w = scipy.special.roots_hermitenorm(n)
    else:
        x, w = np.polynomial.legendre.leggauss(n)
    return x[:, None], w / w.sum()


# mean relative errors: reference values
REFERENCE = {
    ("hermite", 11): (8.8e-4, 9.0e-4, 1.8e-3, 8e-2, 3.1e-3, 1.3e-3, 2.0e-3),
    ("hermite", 21): (2.1e-6, 2.2e-6, 3.9e-6, 7e-4, 6.6e-6, 2.6e-6, 3.1e-6),
    ("legendre", 11): (6.5e-3, 6.5e-3, 1.1e-2, 1.7, 1.5e-2, 7.7e-3, 1.1e-2),
    ("legendre", 21): (8.5e-5, 8.6e-5, 1.6e-4, 25, 2.8e-4, 1.05e-4, 1.6e-4),
}
COMPARED = (
    "OWLS", "c-BLS, best of 100", "s-BLS", "OWLS, n = m", "DPP, n = m", "2 DPP, stable",
    "2 DPP, thinned",
)  # fmt: skip
LOOSE = ("OWLS, n = m", "DPP, n = m")  # squared errors without variance: means say little


def interpolations(family, space, m):
    """Yield (method, points) of the deterministic methods."""
    yield "I, Gauss points", gauss(family, m)[0]
    candidates = gauss(family, 1000 if family == "legendre" else 300)[0]
    values = np.sqrt(m / space.christoffel(candidates))[:, None] * space(candidates)
    yield "EI", candidates[np.sort(eim(values, m).points)]


def designs(space, m, seed):
    """Yield (method, design) of the random methods."""
    n, few = rule(m, ETA), rule(m, ETA ** (1 / BEST))
    yield "OWLS", christoffel_sample(space, n, rng=seed)
    yield (
        "BLS, best of 100",
        stable_design(
            space, "christoffel", size=few, two_sided=True, n_candidates=BEST, delta=0.999, rng=seed
        ),
    )
    yield (
        "c-BLS, best of 1",
        stable_design(space, "christoffel", size=n, two_sided=True, delta=DELTA, rng=seed),
    )
    boosted = stable_design(
        space, "christoffel", size=few, two_sided=True, n_candidates=BEST, delta=DELTA, rng=seed
    )
    yield "c-BLS, best of 100", boosted
    yield "s-BLS", greedy_subsample(space, boosted, two_sided=True, delta=DELTA)
    yield "OWLS, n = m", christoffel_sample(space, m, rng=seed)
    yield "DPP, n = m", repeated_dpp_sample(space, 1, rng=seed)
    twice = stable_design(space, n_repeats=2, delta=DELTA, rng=seed)
    yield "2 DPP, stable", twice
    yield "2 DPP, thinned", greedy_subsample(space, twice, delta=DELTA)


def boosted(family, u, m):
    """Return mean relative errors and mean numbers of points by method."""
    space = basis(family, total_degree(1, m - 1))
    errors, sizes = {}, {}
    for seed in range(REPETITIONS):
        draw = np.random.default_rng(seed)
        size = (TESTS, 1)
        X = draw.standard_normal(size) if family == "hermite" else draw.uniform(-1, 1, size)

        def add(method, model, X=X):
            error = np.linalg.norm(model.predict(X) - u(X)) / np.linalg.norm(u(X))
            errors.setdefault(method, []).append(error)
            sizes.setdefault(method, []).append(len(model.design_))

        for method, points in interpolations(family, space, m):
            add(method, WeightedLeastSquares(space, condition=False).fit(points, u(points)))
        for method, design in designs(space, m, seed):
            add(method, WeightedLeastSquares(space, design=design, condition=False).fit(u))
    return {k: (np.mean(v), np.mean(sizes[k])) for k, v in errors.items()}


# P(lambda_min >= 0.1) and median of squared error over least squared error, for independent points,
# volume sampling and repeated projection processes: reference values, of 300 designs
STABILITY = (
    ("legendre", total_degree(1, 10), 2, (0.31, 4.4), (0.83, 2.03), (0.98, 1.56)),
    ("legendre", total_degree(1, 10), 3, (0.76, 1.75), (0.97, 1.42), (1.00, 1.25)),
    ("legendre", total_degree(1, 30), 2, (0.03, 10.3), (0.49, 2.41), (0.95, 1.62)),
    ("legendre", total_degree(1, 30), 4, (0.76, 1.52), (0.95, 1.37), (1.00, 1.18)),
    ("hermite", total_degree(1, 30), 2, (0.03, 11.2), (0.48, 2.32), (0.93, 1.63)),
    ("hermite", total_degree(1, 30), 3, (0.45, 2.42), (0.86, 1.59), (1.00, 1.28)),
    ("legendre", total_degree(2, 8), 2, (0.01, 2.97), (0.28, 2.11), (0.84, 1.82)),
    ("legendre", hyperbolic_cross(2, 20), 2, (0.01, 2.58), (0.22, 2.16), (0.71, 1.95)),
    ("legendre", hyperbolic_cross(2, 20), 3, (0.86, 1.62), (0.96, 1.57), (1.00, 1.43)),
)


def stability(family, index_set, ratio):
    """Return (probability, median, standard error of the median) for the three designs."""
    space = basis(family, index_set)
    m, dim = len(space), space.dim
    u = bell if family == "hermite" else runge
    x, w = gauss(family, 150)
    X = np.stack([a.ravel() for a in np.meshgrid(*[x[:, 0]] * dim)], axis=1)
    W = np.prod(np.meshgrid(*[w] * dim), axis=0).ravel()
    V, values = space(X), u(X)
    best = V.T @ (W * values)
    least = W @ (values - V @ best) ** 2
    for draw in (
        lambda seed: christoffel_sample(space, ratio * m, rng=seed),
        lambda seed: volume_rescaled_sample(space, ratio * m, rng=seed),
        lambda seed: repeated_dpp_sample(space, ratio, rng=seed),
    ):
        lows, squares = [], []
        for seed in range(DESIGNS):
            model = WeightedLeastSquares(space, design=draw(seed), condition=False).fit(u)
            lows.append(model.certificate.lambda_min)
            squares.append(1 + np.sum((model.coef_ - best) ** 2) / least)
        squares = np.sort(squares)
        # between the order statistics one standard error of the rank of the median away
        k = round(DESIGNS**0.5 / 2)
        spread = (squares[DESIGNS // 2 + k] - squares[DESIGNS // 2 - k]) / 2
        yield np.mean(np.array(lows) >= 1 - DELTA), np.median(squares), spread


# P(lambda_min >= 0.1) for samples of the whole space, two parts, four parts, and stratified points
NESTED = ((2, (0.917, 0.23, 0.07, 0.02)), (3, (1.0, 0.81, 0.59, 0.45)))
PARTS = ((0, 32), (0, 16, 32), (0, 8, 16, 24, 32), tuple(range(33)))


def nested(repeats):
    """Yield the share of stable designs for each way to cut the space into parts."""
    whole = basis("legendre", total_degree(1, 31))
    for cuts in PARTS:
        parts = [whole.restricted(np.arange(a, b)) for a, b in itertools.pairwise(cuts)]
        stable = 0
        for seed in range(DESIGNS):
            seeds = np.random.SeedSequence(seed).spawn(len(parts))
            X = np.concatenate(
                [
                    repeated_dpp_sample(part, repeats, rng=child).points
                    for part, child in zip(parts, seeds, strict=True)
                ]
            )
            rows = (whole.christoffel(X) * repeats)[:, None] ** -0.5 * whole(X)
            stable += np.linalg.eigvalsh(rows.T @ rows)[0] >= 1 - DELTA
        yield stable / DESIGNS


def sparsified():
    """Yield (points per function, condition of G, bound)."""
    space = basis("legendre", total_degree(1, 29))
    design = christoffel_sample(space, 600, rng=5)
    V = space(design.points)
    before = np.linalg.cond(V.T @ (design.weights[:, None] * V))
    for b in (2, 4):
        info = bss_subsample(space, design, 30 * b).info
        yield b, info.lambda_max / info.lambda_min, before * info.bound


def near(p, wanted):
    """Tell whether two shares of designs agree, the second rounded to two decimals."""
    share = min(max((p + wanted) / 2, 0.5 / DESIGNS), 1 - 0.5 / DESIGNS)
    return bool(abs(p - wanted) <= 3 * math.sqrt(2 * share * (1 - share) / DESIGNS) + 0.005)


def timings():
    """Yield (what, seconds, bound)."""
    space = basis("legendre", total_degree(1, 49))
    design = christoffel_sample(space, 500, rng=5)
    yield "thinning, n = 500, m = 50", clock(lambda: greedy_subsample(space, design)), 0.5
    space = basis("legendre", total_degree(1, 999))
    model = WeightedLeastSquares(space, design=stable_design(space, n_repeats=3, rng=5))
    yield "fit and certificate, n = 3000, m = 1000", clock(lambda: model.fit(bell)), 1.0


def clock(call):
    """Return the best processor time of three calls."""
    best = math.inf
    for _ in range(3):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


def main():
    """Print the tables and check the bounds."""
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, lrla {lrla.__version__}"
    )
    broken = []
    for (family, m), wanted in REFERENCE.items():
        u = bell if family == "hermite" else runge
        print(f"\n{family}, m = {m}: {'points':>22} {'error':>9} {'reference':>9}")
        found = boosted(family, u, m)
        for method, (error, size) in found.items():
            known = dict(zip(COMPARED, wanted, strict=True)).get(method)
            far = known is not None and method not in LOOSE and not error <= 1.5 * known
            broken += [f"{family} {m} {method}"] * far
            print(f"  {method:22} {size:16.1f} {error:9.1e} "
                  f"{'' if known is None else format(known, '9.1e')}{'  BROKEN' * far}")  # fmt: skip
    print(
        f"\nP(lambda_min >= {1 - DELTA:.1f}), median of squared over least squared error, {DESIGNS} designs"
    )
    for family, index_set, ratio, *wanted in STABILITY:
        label = f"{family} {index_set.shape[1]}d m={len(index_set)} n={ratio}m"
        line = f"{label:26}"
        for kind, (p, median, spread), (p0, median0) in zip(
            ("iid", "volume", "dpp"), stability(family, index_set, ratio), wanted, strict=True
        ):
            far = not near(p, p0)
            allowed = 0.1 * median0 + 3 * math.sqrt(2) * spread
            off = bool(abs(median - median0) > allowed)
            broken += [f"{label} {kind}"] * (far or off)
            line += (
                f"  {kind} {p:.2f} ({p0:.2f}){'!' * far} {median:5.2f} ({median0:5.2f}){'!' * off}"
            )
        print(line)
    print("\nP(lambda_min >= 0.1), m = 32, in parts that joined one after the other")
    for repeats, wanted in NESTED:
        line = f"n={repeats}m "
        for cuts, p, p0 in zip(PARTS, nested(repeats), wanted, strict=True):
            broken += [f"nested {repeats} {len(cuts) - 1}"] * (not near(p, p0))
            line += f"   {len(cuts) - 1:2} parts {p:.2f} ({p0:.2f})"
        print(line)
    for b, condition, bound in sparsified():
        print(
            f"sparsified to {b} points per function: condition {condition:.2f}, at most {bound:.1f}"
        )
        broken += [f"sparsified {b}"] * (not condition <= bound)
    for what, seconds, bound in timings():
        print(f"{what}: {seconds:.2f} s, at most {bound}")
        broken += [what] * (seconds > bound)
    for name in broken:
        print(f"out of bounds: {name}")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
