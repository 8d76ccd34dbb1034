"""
A heat equation that tunes its own solver
=========================================

Diffusion on the unit square, with a conductivity that comes and goes within each second, by Crank
and Nicolson. Each step solves a linear system by conjugate gradients with an SSOR
preconditioner, and which relaxation factor omega is best changes with the conductivity: this is the
application in `Khodak, Chow, Balcan and Talwalkar <https://arxiv.org/abs/2310.02246>`_.

A :class:`~lrla.relaxation.RelaxationSequence` takes one line before the loop and one in it. Run as a script with ``--full``,
the grid is 100 x 100 and there are 5000 steps, as in the paper.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
import scipy.sparse

from lrla.bandits import Interval, ParameterTuner
from lrla.relaxation import RelaxationSequence, ssor_pcg

FULL = "--full" in sys.argv
NX, STEPS = (100, 5000) if FULL else (50, 1500)
DT, TOL = 1e-3, 1e-8

line = scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(NX - 1, NX - 1))
eye = scipy.sparse.eye_array(NX - 1)
laplacian = (scipy.sparse.kron(eye, line) + scipy.sparse.kron(line, eye)).tocsr() * NX**2
identity = scipy.sparse.eye_array(laplacian.shape[0], format="csr")
ticks = np.arange(1, NX) / NX
points = np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2)


def bump(center, radius):
    """A smooth bump of height 1."""
    inside = 1 - np.minimum(1 - 1e-9, np.sum((points - center) ** 2, axis=1) / radius**2)
    return np.exp(1 - 1 / inside)


def conductivity(t):
    """Half a second below 0.1, half a second up to 10."""
    return np.maximum(0.1 * np.sin(2 * np.pi * t), -10 * np.sin(2 * np.pi * t))


def system(u, t):
    """Return the system of the step that begins at time t."""
    half = t + DT / 2
    C = 0.5 * DT * conductivity(half) * laplacian
    turn = 16 * np.pi * half
    source = 32 * bump([0.5 + np.cos(turn) / 4, 0.5 + np.sin(turn) / 4], 0.125)
    return identity + C, u - C @ u + DT * source


# %%
# The loop
# --------
#
# The context is the conductivity at the start of the step. The tuner is told iterations, not
# seconds: they do not depend on what else the machine does. The pattern of the matrix is looked at
# once, in the first step.


some = range(0, STEPS, STEPS // 30)
kept = {}  # the temperatures at some steps, for later


def simulate(tuner, contexts=True):
    """Run all steps; return the omega and the iterations of each."""
    u = bump([0.5, 0.5], 0.25)
    sequence = RelaxationSequence(policy=tuner, rtol=TOL, check_every=1)
    for step in range(STEPS):
        if step in some:
            kept[step] = u
        M, b = system(u, step * DT)
        u = sequence.solve(M, b, u, context=conductivity(step * DT) if contexts else None).x
    return np.array(sequence.omegas), np.array(sequence.iterations)


space = Interval("omega", 1.0, 1.95, size=20)
blind = ParameterTuner(space, cost="iterations", rng=7)
seeing = ParameterTuner(  # ChebCB, as it has a context
    space, context_range=(0, 10), cost="iterations", rng=7
)
choices = {
    "Tsallis-INF": simulate(blind, contexts=False),
    "ChebCB": simulate(seeing),
}
print(seeing.report().splitlines()[0])

# %%
# What each omega would have cost
# -------------------------------
#
# At thirty of the steps, with all omegas.

grid = np.linspace(1.0, 1.95, 20)
costs = np.zeros((len(grid), len(some)))
for k, step in enumerate(some):
    M, b = system(kept[step], step * DT)
    for j, omega in enumerate(grid):
        run = ssor_pcg(M, b, kept[step], omega=omega, rtol=TOL, check_every=1)
        costs[j, k] = run.info.iterations
best = costs.sum(axis=1).argmin()
print(f"iterations a step: omega = 1 {costs[0].mean():.2f}, best fixed {costs[best].mean():.2f} "
      f"({grid[best]:.2f}), best of the grid each time {costs.min(axis=0).mean():.2f}")  # fmt: skip
for name, (_, counts) in choices.items():
    print(
        f"{name}: {counts.mean():.2f}, of which in the last third {counts[-STEPS // 3 :].mean():.2f}"
    )

# %%
# The choices of both policies on the map of costs. On the left over time, averaged over 25 steps:
# Tsallis-INF settles near the best fixed omega. On the right over the context, each choice of the
# second half: ChebCB follows the valley, once it has seen each conductivity.

figure = plt.figure(figsize=(12.5, 6), layout="constrained")
panels = figure.subplot_mosaic([["time", "map"], ["curve", "map"]], height_ratios=(3, 1))
upper, lower, right = panels["time"], panels["curve"], panels["map"]
levels = np.unique(np.round(np.geomspace(costs.min(), costs.max(), 12)))
filled = upper.contourf(some, grid, costs, levels, cmap="Greys", extend="both")
window = np.ones(25) / 25
for (name, (omega, _)), color in zip(choices.items(), ("C0", "C1"), strict=True):
    smooth = np.convolve(omega, window, mode="valid")
    upper.plot(np.arange(len(smooth)) + 12, smooth, color, label=name)
upper.axhline(grid[best], color="k", ls=":", label="best fixed omega")
upper.set(xlim=(0, STEPS - 1), ylabel="omega", title="Over time")
lower.plot(np.arange(STEPS), conductivity(np.arange(STEPS) * DT), "k", lw=1)
lower.set(xlabel="step", ylabel="conductivity", xlim=(0, STEPS - 1))
lower.spines[["top", "right"]].set_visible(False)

contexts, first = np.unique(np.round(conductivity(np.array(some) * DT), 6), return_index=True)
right.contourf(contexts, grid, costs[:, first], levels, cmap="Greys", extend="both")
last = np.arange(STEPS // 2, STEPS)
jitter = np.random.default_rng(1).uniform(-0.015, 0.015, (2, len(last)))
for (omega, _), color, move in zip(choices.values(), ("C0", "C1"), jitter, strict=True):
    right.plot(conductivity(last * DT), omega[last] + move, ".", color=color, ms=4, alpha=0.6)
right.plot(contexts, grid[costs[:, first].argmin(axis=0)], "k--", label="best of the grid")
right.axhline(grid[best], color="k", ls=":")
right.set(xlim=(0, 10), xlabel="conductivity, the context", title="Over the context")
figure.colorbar(filled, ax=right, label="iterations")
figure.legend(loc="outside lower center", ncols=4, frameon=False)
plt.show()
