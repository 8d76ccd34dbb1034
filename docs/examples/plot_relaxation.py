"""
Relaxation: one number decides
==============================

A sweep of SOR moves every unknown by omega times what Gauss and Seidel would. How much that is
worth, how far theory knows the best omega beforehand, and how a solver can find it by itself.
"""

# %%
# The model problem
# -----------------
# The Laplacian of a square with 14 x 14 unknowns. The spectral radius of a sweep says by how much
# the error falls in the end. Sweeping over all unit vectors at once gives the iteration matrix.
import matplotlib.pyplot as plt
import numpy as np
import scipy.sparse

from lrla.relaxation import (
    RelaxationSequence,
    SweepPlan,
    gauss_seidel,
    optimal_omega,
    sor,
    ssor_pcg,
)


def laplacian(n):
    line = scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(n, n))
    eye = scipy.sparse.eye_array(n)
    return scipy.sparse.csr_array(scipy.sparse.kron(line, eye) + scipy.sparse.kron(eye, line))


A = laplacian(14)
plan = SweepPlan(A)
omegas = np.concatenate([np.linspace(1, 1.6, 7), np.linspace(1.62, 1.9, 15)])
radii = []
for omega in omegas:
    X = np.eye(196)
    plan.update(omega=omega).sweep(X, np.zeros((196, 196)))
    radii.append(np.max(np.abs(np.linalg.eigvals(X))))

# %%
# Young's formula needs the spectral radius of Jacobi's iteration, which Lanczos estimates. Left of
# the best omega the radius falls steeply, to its right it is omega - 1: rather too large than too
# small.
best = optimal_omega(A, tol=1e-3, rng=1)
best

# %%
fig, left = plt.subplots(figsize=(6, 3.6), layout="constrained")
left.plot(omegas, radii, "o-", markersize=3, label="computed")
left.axvline(best.omega, color="0.6", lw=1)
left.annotate("Young's omega", (best.omega, 0.95), (1.25, 0.72), arrowprops={"arrowstyle": "->"})
left.set(xlabel="omega", ylabel="spectral radius of a sweep")

# %%
# Finding it on the way
# ---------------------
# ``sor`` starts with omega = 1 and reads off the rate at which its steps shrink what omega should
# have been. On a grid of 100 x 100:
A = laplacian(100)
b = np.random.default_rng(7).standard_normal(A.shape[0])
exact = 2 / (1 + np.sin(np.pi / 101))
runs = {
    "Gauss-Seidel, 900 sweeps": sor(A, b, omega=1.0, atol=1e-30, rtol=0, max_iter=900,
                                    callback=lambda state: state.iteration >= 900),
    "SOR, adaptive": sor(A, b, rtol=1e-8),
    "SOR, best omega": sor(A, b, omega=exact, rtol=1e-8),
    "SSOR-CG": ssor_pcg(A, b, omega=1.94, rtol=1e-8, check_every=1),
}  # fmt: skip
fig, right = plt.subplots(figsize=(6, 3.6), layout="constrained")
for name, result in runs.items():
    checks, history = result.info.checks, np.array(result.info.history)
    right.semilogy(checks, history / history[0], label=name)
right.set(xlabel="sweeps, or iterations", ylabel="norm of the true residual", ylim=(1e-9, 2))
right.legend(fontsize=8)
plt.show()

# %%
{name: (result.info.iterations, round(result.info.omega, 4)) for name, result in runs.items()}

# %%
# Learning it from system to system
# ---------------------------------
# In a time-stepping loop the matrix changes with each step. The rate of one solve tells, by the
# same theory, the best omega of all the others: here for ``A + c I`` with 100 values of c.
from lrla.bandits import YoungHistory

K, identity = laplacian(40), scipy.sparse.eye_array(1600, format="csr")
sequence = RelaxationSequence("sor", policy=YoungHistory(diagonal=4.0), rtol=1e-8)
shifts, random = 0.03 + 0.028 * np.sin(np.arange(100) / 15), np.random.default_rng(3)
plain = []
for c in shifts:
    system, b = scipy.sparse.csr_array(K + c * identity), random.standard_normal(1600)
    sequence.solve(system, b, context=c)
    plain.append(gauss_seidel(system, b, rtol=1e-8).info.iterations)

fig, ax = plt.subplots(figsize=(8, 3), layout="constrained")
ax.semilogy(plain, label="Gauss-Seidel")
ax.semilogy(sequence.iterations, label="SOR, omega learned from earlier steps")
ax.set(xlabel="time step", ylabel="sweeps")
ax.legend()
plt.show()

# %%
sum(plain), sum(sequence.iterations), sequence.n_analyses

# %%
# Where it does not converge, it says so
# --------------------------------------
# The iteration of Gauss and Seidel on a matrix that is neither dominated by its diagonal nor
# positive definite:
import warnings

with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    result = gauss_seidel(np.array([[1.0, 3.0], [3.0, 1.0]]), np.ones(2))
result.status, str(said[0].message)
