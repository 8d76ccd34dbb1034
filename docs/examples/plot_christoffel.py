"""
Where to look at a function
===========================

To fit m coefficients one wants to evaluate a function at few points more than m. Which? The
Christoffel measure of a space has the density ``k_m(x) / m`` with respect to the measure in which
errors are counted, ``k_m(x)`` being the sum of the squares of the orthonormal functions. Drawn from
it and weighted by the inverse, m log m points give a well conditioned fit, whatever the space.
"""

# %%
# In one dimension: polynomials up to degree 8, under five measures, and cosines (with sines beside
# them all points would be alike). Points go where the functions are large: towards the ends, or far
# out, where the measure itself has next to nothing.

import matplotlib.pyplot as plt
import numpy as np
from scipy import stats

from lrla.approximation import (
    Chebyshev,
    Fourier,
    Hermite,
    Jacobi,
    Laguerre,
    Legendre,
    basis,
    christoffel_sample,
    empirical_basis,
    hyperbolic_cross,
    total_degree,
)

families = {
    "Legendre": (Legendre(), stats.uniform(-1, 2), (-1, 1)),
    "Jacobi, a = 4, b = 0": (Jacobi(4, 0), stats.beta(1, 5, -1, 2), (-1, 1)),
    "Chebyshev, second kind": (Chebyshev(2), stats.semicircular(), (-1, 1)),
    "Hermite": (Hermite(), stats.norm(), (-8, 8)),
    "Laguerre": (Laguerre(), stats.expon(), (0, 40)),
    "cosines": (Fourier(real=True), stats.uniform(), (0, 1)),
}
fig, panels = plt.subplots(2, 3, figsize=(10, 5), layout="constrained")
for panel, (name, (family, law, ends)) in zip(panels.flat, families.items(), strict=True):
    space = basis(family, np.arange(9))
    x = np.linspace(*ends, 1001)[1:-1]
    density = law.pdf(x) * space.christoffel(x[:, None]) / len(space)
    design = christoffel_sample(space, 20000, rng=7)
    panel.hist(design.points[:, 0], 80, ends, density=True, color="0.85")
    panel.plot(x, density, label="Christoffel measure")
    panel.plot(x, law.pdf(x), "--", label="the measure itself")
    panel.set(title=name, ylim=(0, min(1.6 * density[100:-100].max(), 3)), yticks=[])
panels[0, 0].legend(frameon=False)
fig.suptitle("20000 draws and their density, degrees 0 to 8")

# %%
# In two dimensions the set of multi-indices decides, too. Where the measure is normal, total degree
# fills a disk, and a hyperbolic cross, which has few mixed products, sends points along the axes. On
# the square both send them to the border.

spaces = {
    "Legendre, total degree": basis("legendre", total_degree(2, 20)),
    "Legendre, hyperbolic cross": basis("legendre", hyperbolic_cross(2, 20)),
    "Hermite, total degree": basis("hermite", total_degree(2, 20)),
    "Hermite, hyperbolic cross": basis("hermite", hyperbolic_cross(2, 20)),
}
fig, panels = plt.subplots(2, 2, figsize=(8, 8), layout="constrained")
for panel, (name, space) in zip(panels.flat, spaces.items(), strict=True):
    limit, law = (1, stats.uniform(-1, 2)) if name.startswith("Leg") else (9.5, stats.norm())
    line = np.linspace(-limit, limit, 301)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    density = np.prod(law.pdf(grid), axis=1) * space.christoffel(grid) / len(space)
    panel.pcolormesh(line, line, density.reshape(301, 301), cmap="Blues", rasterized=True,
                     vmax=np.quantile(density, 0.98))  # fmt: skip
    points = christoffel_sample(space, 1000, stratified=True, rng=7).points
    panel.plot(*points.T, "k.", ms=2)
    panel.set(title=f"{name} ({len(space)} functions)", aspect="equal", xlim=(-limit, limit),
              ylim=(-limit, limit))  # fmt: skip
fig.suptitle("1000 draws over their density, degrees up to 20")

# %%
# What it is for: how much a fit may magnify errors, the condition number of the weighted Gram
# matrix, as the degree grows, with points drawn from the measure itself and from the Christoffel
# measure, 5 m of both.


def condition(space, points, weights):
    """Condition number of the weighted Gram matrix."""
    return np.linalg.cond(space(points) * np.sqrt(weights)[:, None]) ** 2


degrees = [2, 4, 6, 8, 10, 12, 14, 16]
fig, panels = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained", sharey=True)
rng = np.random.default_rng(7)
for panel, name in zip(panels, ("legendre", "hermite"), strict=True):
    found = []
    for degree in degrees:
        space = basis(name, total_degree(2, degree))
        n = 5 * len(space)
        for seed in range(5):
            draw = rng.uniform(-1, 1, (n, 2)) if name == "legendre" else rng.normal(size=(n, 2))
            design = christoffel_sample(space, n, rng=seed)
            found.append([condition(space, draw, np.ones(n)),
                          condition(space, design.points, design.weights)])  # fmt: skip
    plain, chosen = np.median(np.reshape(found, (len(degrees), 5, 2)), axis=1).T
    panel.semilogy(degrees, plain, "o--", label="drawn from the measure")
    panel.semilogy(degrees, chosen, "o-", label="drawn from the Christoffel measure")
    panel.set(title=f"{name.capitalize()}, two variables", xlabel="total degree")
panels[0].set_ylabel("condition of the Gram matrix")
panels[0].legend(frameon=False)

# %%
# Spaces that are no products: monomials on a ring, made orthonormal on points drawn from it. How far
# they are from orthonormal under the measure itself is measured on fresh points, and in the answer.


def ring(n, rng):
    """Draw points of the ring between the radii 1/2 and 1 uniformly."""
    radius, angle = np.sqrt(rng.uniform(0.25, 1, n)), rng.uniform(0, 2 * np.pi, n)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


powers = total_degree(2, 8)
space = empirical_basis(lambda X: np.prod(X[:, None, :] ** powers, axis=2), ring, rng=7)
print(space)
points = christoffel_sample(space, 1000, stratified=True, rng=7).points
fig, panel = plt.subplots(figsize=(5, 4.2), layout="constrained")
shown = space.candidates[:20000]
image = panel.scatter(*shown.T, c=space.scores[:20000] / len(space), s=2, cmap="Blues", vmin=0)
fig.colorbar(image, ax=panel, label="density")
panel.plot(*points.T, "k.", ms=2)
panel.set(title="polynomials of degree 8 on a ring", aspect="equal")
plt.show()
