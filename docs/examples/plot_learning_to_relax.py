"""
Learning to relax: omega from what solves have cost
===================================================

A simulation solves one linear system after the other, and how fast SOR is depends on its relaxation
factor omega. The best omega of a system is expensive to compute; but the number of iterations that
earlier systems took is known for free. This page repeats the basic experiment of `Khodak, Chow,
Balcan and Talwalkar <https://arxiv.org/abs/2310.02246>`_: systems A + c I with 100 unknowns, where A
is a Laplacian and the shift c is random, and policies that choose among 20 values of omega.

What follows draws systems from a pool of 200, for which all iteration counts are computed once: a
policy only looks its counts up, which changes nothing. Run as a script with ``--full``, it takes 5000
different systems and more seeds, as in the paper.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
import scipy.sparse

from lrla.bandits import UCB, ChebCB, ThompsonSampling, TsallisCB, TsallisINF, YoungHistory
from lrla.plotting import regret, work_left
from lrla.relaxation import SweepPlan, sor

FULL = "--full" in sys.argv
POOL, STEPS, SEEDS = (5000, 5000, 20) if FULL else (200, 3000, 2)
TOL = 1e-8

line = scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(10, 10))
eye = scipy.sparse.eye_array(10)
A = (scipy.sparse.kron(eye, line) + scipy.sparse.kron(line, eye)).tocsr()
n = A.shape[0]
rng = np.random.default_rng(90210)
shifts = -0.15 + 0.6 * rng.beta(0.5, 1.5, POOL)
B = rng.standard_normal((4 * POOL, n))
B = B[np.linalg.norm(B, axis=1) <= np.sqrt(n)][:POOL]  # normal vectors within their usual length
omegas = np.linspace(1.0, 1.95, 20)

# %%
# All iteration counts
# --------------------
#
# One :class:`~lrla.relaxation.SweepPlan` sweeps all systems at once, as one block-diagonal matrix.
# Systems that are done leave.


def counts(omega):
    """Count the sweeps that each system takes, from zero."""
    out, live, done = np.zeros(POOL, int), np.arange(POOL), 0
    x, start = np.zeros(POOL * n), np.linalg.norm(B, axis=1)
    while live.size:
        blocks = scipy.sparse.kron(scipy.sparse.eye_array(live.size), A)
        M = (blocks + scipy.sparse.diags_array(np.repeat(shifts[live], n))).tocsr()
        plan, b, running = SweepPlan(M, omega=omega), B[live].ravel(), np.ones(live.size, bool)
        while running.mean() > 0.7:
            plan.sweep(x, b)
            done += 1
            residual = np.linalg.norm((b - M @ x).reshape(-1, n), axis=1)
            fresh = running & (residual < TOL * start[live])
            out[live[fresh]] = done
            running &= ~fresh
        live, x = live[running], x.reshape(-1, n)[running].ravel()
    return out


table = np.stack([counts(omega) for omega in omegas], axis=1)
order = np.arange(STEPS) if FULL else rng.integers(0, POOL, STEPS)
fixed = table[order].sum(axis=0)
best = fixed.argmin()
print(f"best fixed omega {omegas[best]:.2f}: {fixed[best] / STEPS:.1f} iterations a system")
print(f"omega = 1: {fixed[0] / STEPS:.1f}")

# %%
# Policies
# --------
#
# :class:`~lrla.bandits.TsallisINF` knows nothing but counts. :class:`~lrla.bandits.TsallisCB` and
# :class:`~lrla.bandits.ChebCB` also see the shift. :class:`~lrla.bandits.UCB` and
# :class:`~lrla.bandits.ThompsonSampling` are what others would try first.

span = (-0.15, 0.65)
policies = {
    "UCB": lambda seed: UCB(20),
    "Thompson": lambda seed: ThompsonSampling(20, rng=seed),
    "Tsallis-INF": lambda seed: TsallisINF(20, cost_range=(1, None), rng=seed),
    "Tsallis-INF, 5 bins": lambda seed: TsallisCB(20, span, cost_range=(1, None), rng=seed),
    "ChebCB": lambda seed: ChebCB(20, span, cost_range=(1, None), rng=seed),
}


def play(policy):
    """Return what each step costs."""
    spent = np.zeros(STEPS)
    for t, k in enumerate(order):
        trial = policy.ask(shifts[k])
        spent[t] = table[k, trial.arm]
        policy.tell(trial, spent[t])
    return spent


spent = {
    name: np.mean([play(make(seed)) for seed in range(SEEDS)], axis=0)
    for name, make in policies.items()
}
for name, costs in spent.items():
    print(f"{name:20} {costs.sum() / fixed[best]:.3f} of the best fixed omega")

# %%
# Theory knows more: for these matrices the rate of a single solve gives the best omega for all
# shifts. :class:`~lrla.bandits.YoungHistory` uses that. It chooses any number, not one of the grid, so
# it cannot look counts up.

young, used, ideal = YoungHistory(diagonal=4.0), [], []
for k in range(100):
    trial = young.ask(shifts[k])
    M = A + shifts[k] * scipy.sparse.eye_array(n)
    run = sor(M.tocsr(), B[k], rtol=TOL, check_every=1, **trial.params)
    young.tell(trial, run.info.iterations, rate=run.info.rate)
    used.append(run.info.iterations)
    beta = 4 * np.cos(np.pi / 11) / (4 + shifts[k])
    exact = 1 + (beta / (1 + np.sqrt(1 - beta**2))) ** 2
    ideal.append(sor(M.tocsr(), B[k], omega=exact, rtol=TOL, check_every=1).info.iterations)
share = np.sum(used) / table[:100, best].sum()
print(f"{'Young from history':20} {share:.3f} of the best fixed omega")
print(f"{'Young, exact':20} {np.sum(ideal) / table[:100, best].sum():.3f}")

# %%
# On the left, the picture of the paper: how much of the work is left after how many iterations. On
# the right, the regret against the best fixed omega: where it falls below zero, a policy beats every
# fixed choice, which only those that see the shift can do. Both are drawn by :mod:`lrla.plotting`.

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.8), layout="constrained")
work_left(spent, table=table[order], ax=left)
regret(spent, table[order], ax=right)
right.plot((share - 1) * table[order, best].cumsum(), "C6-.",
           label="Young from history, at its mean over 100 systems")  # fmt: skip
left.set(xlabel="iterations", ylabel="systems left", title="Work left")
right.set(xlabel="system", ylabel="iterations", title="Regret")
right.set_ylim(None, 2.5 * (spent["Tsallis-INF"] - table[order, best]).sum())
for ax in (left, right):
    ax.get_legend().remove()
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
figure.legend(
    *right.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False
)
plt.show()
