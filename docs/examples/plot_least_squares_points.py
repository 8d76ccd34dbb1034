"""
Where to ask a function
=======================

A function is to be approximated by polynomials from few of its values, and each value is expensive.
Which points are worth asking at? Weighted least squares at optimal random points comes close to the
best approximation, and the matrix of the points says beforehand whether it will.
"""

# %%
# Points that repel each other
# ----------------------------
# For 45 polynomials of two variables, 90 points from three designs: independent points of the
# optimal (Christoffel) measure; volume sampling, half of whose points repel each other; two samples
# of the projection process, in each of which all points do. The smallest eigenvalue of the Gram
# matrix G, whose expectation is the identity, says how far errors at the points are amplified.
import matplotlib.pyplot as plt
import numpy as np

from lrla.approximation import (
    WeightedLeastSquares,
    basis,
    christoffel_sample,
    greedy_subsample,
    repeated_dpp_sample,
    stable_design,
    total_degree,
    volume_rescaled_sample,
)

DESIGNS = {
    "independent": lambda space, r, seed: christoffel_sample(space, r * len(space), rng=seed),
    "volume sampling": lambda space, r, seed: volume_rescaled_sample(
        space, r * len(space), rng=seed
    ),
    "projection processes": lambda space, r, seed: repeated_dpp_sample(space, r, rng=seed),
}
COLOURS = dict(zip(DESIGNS, ("tab:red", "tab:orange", "tab:blue"), strict=True))


def smallest(space, design):
    """Return the smallest eigenvalue of the Gram matrix."""
    rows = np.sqrt(design.weights / len(design))[:, None] * space(design.points)
    return np.linalg.eigvalsh(rows.T @ rows)[0]


plane = basis("legendre", total_degree(2, 8))
figure, axes = plt.subplots(1, 3, figsize=(10, 3.7), sharey=True, layout="constrained")
for ax, (name, draw) in zip(axes, DESIGNS.items(), strict=True):
    design = draw(plane, 2, 4)
    ax.scatter(*design.points.T, s=14, color=COLOURS[name])
    ax.set_title(f"{name}\nsmallest eigenvalue {smallest(plane, design):.1g}", fontsize=10)
    ax.set_aspect("equal")

# %%
# How many points it takes
# ------------------------
# A design is called stable here if that eigenvalue is at least 0.1. Two or three samples of the
# projection process are stable with large probability. Independent points need a logarithm of the
# number m of functions more.
ratios, draws = range(1, 7), 50
spaces = {
    "Legendre, m = 11": basis("legendre", total_degree(1, 10)),
    "Legendre, m = 31": basis("legendre", total_degree(1, 30)),
    "Hermite, m = 31": basis("hermite", total_degree(1, 30)),
    "Legendre 2d, m = 45": plane,
}
figure, axes = plt.subplots(1, 4, figsize=(12, 3.2), sharey=True, layout="constrained")
for ax, (title, space) in zip(axes, spaces.items(), strict=True):
    for name, draw in DESIGNS.items():
        stable = [
            np.mean([smallest(space, draw(space, r, seed)) >= 0.1 for seed in range(draws)])
            for r in ratios
        ]
        ax.plot(ratios, stable, "o-", color=COLOURS[name], label=name)
    ax.set_title(title, fontsize=10)
    ax.set_xlabel("points per function, n / m")
axes[0].set_ylabel("probability of a stable design")
axes[0].legend(fontsize=8)

# %%
# The same experiments with 300 draws, and the errors that go with them, are checked by
# ``benchmarks/claims/boosted_least_squares.py``.
#
# Fewer points than that
# ----------------------
# `stable_design` draws until a design is stable; that costs no evaluation. `greedy_subsample` then
# removes points as long as it stays so, which ends at about as many points as functions. These are
# the test functions of Haberstich, Nouy and Perrin. "OWLS" are as many independent points as theory
# asks for; "s-BLS" is the best of 20 smaller designs of independent points, thinned. Two samples of
# the projection process, thinned, do the same without so many candidates.
FUNCTIONS = {
    "hermite": ("exp(-(x - 1)² / 4)", lambda X: np.exp(-((X[:, 0] - 1) ** 2) / 4)),
    "legendre": ("1 / (1 + 5 x²)", lambda X: 1 / (1 + 5 * X[:, 0] ** 2)),
}


def rule(m, eta, delta=0.9):
    """Return the number of independent points that are stable with probability 1 - eta."""
    return round(m * np.log(2 * m / eta) / ((1 + delta) * np.log(1 + delta) - delta))


def boosted(space, seed):
    """Choose the best of 20 designs, and thin it."""
    size = rule(len(space), 0.01 ** (1 / 20))
    design = stable_design(
        space, "christoffel", size=size, two_sided=True, n_candidates=20, rng=seed
    )
    return greedy_subsample(space, design, two_sided=True)


METHODS = {
    "OWLS": lambda space, seed: christoffel_sample(space, rule(len(space), 0.01), rng=seed),
    "m independent points": lambda space, seed: christoffel_sample(space, len(space), rng=seed),
    "s-BLS": boosted,
    "2 processes": lambda space, seed: stable_design(space, rng=seed),
    "2 processes, thinned": lambda space, seed: greedy_subsample(
        space, stable_design(space, rng=seed)
    ),
}
degrees = range(5, 41, 5)
figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for ax, (family, (title, u)) in zip(axes, FUNCTIONS.items(), strict=True):
    rng = np.random.default_rng(1)
    test = rng.standard_normal((1000, 1)) if family == "hermite" else rng.uniform(-1, 1, (1000, 1))
    for name, draw in METHODS.items():
        errors = []
        for p in degrees:
            space = basis(family, total_degree(1, p))
            found = []
            for seed in range(2):
                model = WeightedLeastSquares(space, design=draw(space, seed), condition=False)
                difference = model.fit(u).predict(test) - u(test)
                found.append(np.linalg.norm(difference) / np.linalg.norm(u(test)))
            errors.append(np.mean(found))
        label = f"{name}: {len(model.design_)} points at degree 40"
        ax.semilogy(degrees, errors, "o-", markersize=4, label=label)
    ax.set_title(f"{title}, {family}", fontsize=10)
    ax.set_xlabel("degree")
    ax.legend(fontsize=8, loc="lower left")
axes[0].set_ylabel("relative error")

# %%
# What the answer says of itself
# ------------------------------
# The constant of the maximum norm holds for these points and any function: the error is at most
# that many times the best error in the maximum norm. That of the expected squared error has
# premises, and names them. The leave-one-out error needs no bound and is close to the truth.
model = WeightedLeastSquares(plane, n_repeats=3, rng=7).fit(
    lambda X: 1 / (1 + 5 * np.sum(X**2, axis=1))
)
X = np.random.default_rng(1).uniform(-1, 1, (4000, 2))
error = np.sqrt(np.mean((model.predict(X) - 1 / (1 + 5 * np.sum(X**2, axis=1))) ** 2))
print(f"{len(model.design_)} evaluations, error {error:.4f}, leave-one-out {model.loo_error_:.4f}")
print(f"times the best error in the maximum norm: at most {model.certificate.sup_constant:.2f}")
print(f"times the best squared error: at most {model.certificate.expected_constant:.1f}, if")
for premise in model.certificate.premises:
    print(f"  {premise}")
