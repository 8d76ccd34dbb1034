"""
Spaces that grow with the function
==================================

How many polynomials does a function need, and of which degrees in which variable? `AdaptiveLeastSquares`
starts from a few, lets those join that the values ask for, keeps every evaluation, and stops when
leaving points out says that the error is small enough.
"""

# %%
# The flow through a borehole depends on eight quantities, and much more on some than on others. It
# is a usual test for surrogates of expensive models; here every variable is scaled to [-1, 1].
import matplotlib.pyplot as plt
import numpy as np

from lrla.approximation import AdaptiveLeastSquares, WeightedLeastSquares, basis, total_degree

RANGES = {
    "radius of the borehole": (0.05, 0.15),
    "radius of influence": (100, 50000),
    "transmissivity, upper": (63070, 115600),
    "head, upper": (990, 1110),
    "transmissivity, lower": (63.1, 116),
    "head, lower": (700, 820),
    "length": (1120, 1680),
    "conductivity": (9855, 12045),
}
LOW, HIGH = np.array(list(RANGES.values())).T


def borehole(X):
    """Return the flow in cubic metres a year."""
    r, R, T, H, t, h, length, k = (LOW + (HIGH - LOW) * (X + 1) / 2).T
    log = np.log(R / r)
    return 2 * np.pi * T * (H - h) / (log * (1 + 2 * length * T / (log * r**2 * k) + T / t))


X = np.random.default_rng(1).uniform(-1, 1, (5000, 8))
exact = borehole(X)


def error(model):
    """Return the relative error on points that no fit has seen."""
    return np.linalg.norm(model.predict(X) - exact) / np.linalg.norm(exact)


# %%
# For smaller and smaller tolerances, the error that the method estimates of itself is near the one on
# new points. All polynomials up to a total degree need about twice as many evaluations.
errors, steps = [], []
for tol in (0.1, 3e-2, 1e-2, 3e-3, 2e-3, 5e-4):
    model = AdaptiveLeastSquares(basis("legendre", total_degree(8, 1)), tol=tol, rng=7)
    errors.append(error(model.fit(borehole)))
    steps.append(model.history_[-1])
scale = np.sqrt(np.mean(exact**2))
fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
points = [step.n_points for step in steps]
ax.loglog(points, errors, "o-", label="growing space, new points")
ax.loglog(points, [s.loo_error / scale for s in steps], "o:", color="C0", mfc="none",
          label="growing space, leave one out")  # fmt: skip
fixed = [
    WeightedLeastSquares(basis("legendre", total_degree(8, p)), rng=7).fit(borehole)
    for p in (1, 2, 3, 4)
]
ax.loglog([len(m.design_) for m in fixed], [error(m) for m in fixed], "s-", label="total degree")
ax.set(xlabel="evaluations", ylabel="relative error", title="borehole, 8 variables")
ax.legend(frameon=False)

# %%
# The degrees that were reached show what matters: the radius of the borehole most, the radius of
# influence and the transmissivities little.
degrees = model.basis_.indices.max(axis=0)
fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
ax.barh(list(RANGES), degrees)
ax.invert_yaxis()
ax.set_xlabel("largest degree in the last space")
print(f"{len(model.coef_)} polynomials, {len(model.design_)} evaluations, error {error(model):.1e}")
