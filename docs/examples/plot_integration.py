"""
Integrals from points that repel each other
===========================================

The error of Monte-Carlo integration falls with the root of the number of points, however smooth the
function. Points of a projection process keep their distance from each other, as if they knew of each
other's places, and their errors fall faster; with a fit to the values, much faster.
"""

# %%
# 120 points of the process of all polynomials in two variables up to degree 14, and 120 independent
# points of the same distribution: that of points for polynomials, dense at the edges.

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import qmc

from lrla.approximation import basis, christoffel_sample, dpp_sample, integrate, total_degree

space = basis("legendre", total_degree(2, 14))
fig, axes = plt.subplots(1, 2, figsize=(8, 4.2), layout="constrained", sharey=True)
for ax, name, design in (
    (axes[0], "projection process", dpp_sample(space, rng=5)),
    (axes[1], "independent", christoffel_sample(space, len(space), rng=5)),
):
    ax.plot(*design.points.T, ".", ms=5)
    ax.set(title=name, xlim=(-1.03, 1.03), ylim=(-1.03, 1.03), aspect="equal")

# %%
# Two functions whose integrals are known: a smooth one with a peak, and one with kinks.


def peak(X):
    """Evaluate a smooth function."""
    return 1 / ((0.3 + (X[:, 0] - 0.3) ** 2) * (0.3 + (X[:, 1] + 0.2) ** 2))


def kinks(X):
    """Evaluate a function that has no derivative on two lines."""
    return np.abs(X[:, 0] - 0.3) * np.abs(X[:, 1] + 0.2)


def peak_in_one(centre):
    """Integrate one factor of the peak over [-1, 1]."""
    root = 0.3**0.5
    return (np.arctan((1 - centre) / root) + np.arctan((1 + centre) / root)) / root


truths = {
    peak: peak_in_one(0.3) * peak_in_one(-0.2),
    kinks: (0.3**2 + 1) * (0.2**2 + 1),
}

# %%
# Every method evaluates the function at as many points as the horizontal axis says: the sum of values
# over the Christoffel function (Bardenet and Hardy) and the integral of the interpolant (Ermakov and
# Zolotukhin) at one sample, least squares at three. ``measure="weight"`` asks for plain integrals,
# over an area of four. Beside them are independent uniform points, and the scrambled Sobol points of
# SciPy, which are made for integrals and are the ones to beat.

seeds = range(20)


def root_mean_square(estimates, truth):
    """Return the relative error of some estimates."""
    return np.sqrt(np.mean((np.array(estimates) / truth - 1) ** 2))


def by_processes(f, method, n_repeats):
    """Return numbers of points and errors for spaces of rising degree."""
    rows = []
    for degree in (2, 4, 6, 9, 12):
        V = basis("legendre", total_degree(2, degree), measure="weight")
        found = [
            integrate(f, V, method=method, n_repeats=n_repeats, rng=seed).estimate for seed in seeds
        ]
        rows.append((n_repeats * len(V), root_mean_square(found, truths[f])))
    return np.array(rows).T


def by_points(f, draw):
    """Return numbers of points and errors for means over points of the unit square."""
    sizes = 2 ** np.arange(3, 10)
    return sizes, [
        root_mean_square([4 * np.mean(f(2 * draw(n, seed) - 1)) for seed in seeds], truths[f])
        for n in sizes
    ]


methods = {
    "uniform": (by_points, lambda n, seed: np.random.default_rng(seed).random((n, 2))),
    "Sobol, scrambled": (by_points, lambda n, seed: qmc.Sobol(2, rng=seed).random(n)),
    "Bardenet-Hardy": (by_processes, "bardenet_hardy", 1),
    "Ermakov-Zolotukhin": (by_processes, "ermakov_zolotukhin", 1),
    "least squares": (by_processes, "wls", 3),
}
fig, axes = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
for ax, f in zip(axes, truths, strict=True):
    for name, (run, *how) in methods.items():
        ax.loglog(*run(f, *how), "o-", ms=4, label=name)
    ax.set(title=f.__name__, xlabel="evaluations", ylabel="relative error")
axes[1].legend(frameon=False)

# %%
# Where polynomials approximate the function, fitting it leaves little to integrate by chance; where
# they do not, nothing is lost against sums. Sobol points are ahead on kinks that lie along the axes;
# their error shows only when they are scrambled again and again. Here each integral comes with a
# standard error, which two of them should cover as a rule, and do:

V = basis("legendre", total_degree(2, 9), measure="weight")
for f, truth in truths.items():
    results = [integrate(f, V, rng=seed) for seed in range(50)]
    inside = np.mean([abs(r.estimate - truth) <= 2 * r.standard_error for r in results])
    print(f"{f.__name__}: {50 * inside:.0f} of 50 integrals within two standard errors; "
          f"the first is {results[0].estimate:.6f} +- {results[0].standard_error:.6f}, "
          f"the truth {truth:.6f}")  # fmt: skip
