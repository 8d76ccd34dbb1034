"""
Learning to relax: omega from what solves have cost
===================================================

A simulation solves one linear system after the other, and how fast SOR is depends on its relaxation
factor omega. The best omega of a system is expensive to compute; but the number of iterations that
earlier systems took is known for free. This page repeats the basic experiment of `Khodak, Chow,
Balcan and Talwalkar <https://arxiv.org/abs/2310.02246>`_: systems A + c I with 100 unknowns, where A
is a Laplacian and the shift c is random, with little and with much variance, and policies that choose
among 20 values of omega.

What follows draws systems from pools of 100, for which all iteration counts are computed once: a
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
POOL, STEPS, SEEDS = (5000, 5000, 20) if FULL else (100, 2500, 1)
TOL = 1e-8

line = scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(10, 10))
eye = scipy.sparse.eye_array(10)
A = (scipy.sparse.kron(eye, line) + scipy.sparse.kron(line, eye)).tocsr()
n = A.shape[0]
rng = np.random.default_rng(90210)
laws = {"low variance": (2, 6), "high variance": (0.5, 1.5)}
pools = {law: -0.15 + 0.6 * rng.beta(*shape, POOL) for law, shape in laws.items()}
B = rng.standard_normal((4 * POOL, n))
B = B[np.linalg.norm(B, axis=1) <= np.sqrt(n)][:POOL]  # normal vectors within their usual length
omegas = np.linspace(1.0, 1.95, 20)

# %%
# All iteration counts
# --------------------
#
# One :class:`~lrla.relaxation.SweepPlan` sweeps all systems at once, as one block-diagonal matrix.
# Systems that are done leave.


def counts(omega, shifts):
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


order = np.arange(STEPS) if FULL else rng.integers(0, POOL, STEPS)
counted, tables = {}, {}
for law, shifts in pools.items():
    counted[law] = np.stack([counts(omega, shifts) for omega in omegas], axis=1)
    tables[law] = counted[law][order]
    fixed = tables[law].mean(axis=0)
    print(
        f"{law}: omega = 1 takes {fixed[0]:.1f} iterations a system, the best fixed one, "
        f"{omegas[fixed.argmin()]:.2f}, {fixed.min():.1f}"
    )

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


def play(policy, shifts, table):
    """Return what each step costs."""
    costs = np.zeros(STEPS)
    for t, k in enumerate(order):
        trial = policy.ask(shifts[k])
        costs[t] = table[t, trial.arm]
        policy.tell(trial, costs[t])
    return costs


spent = {
    law: {
        name: np.mean([play(make(seed), pools[law], table) for seed in range(SEEDS)], axis=0)
        for name, make in policies.items()
    }
    for law, table in tables.items()
}
best = {law: table.sum(axis=0).min() for law, table in tables.items()}
print(f"{'of the best fixed omega':24}" + "".join(f"{law:>15}" for law in laws))
for name in policies:
    print(f"{name:24}" + "".join(f"{spent[law][name].sum() / best[law]:15.3f}" for law in laws))

# %%
# Theory knows more: for these matrices the rate of a single solve gives the best omega for all
# shifts. :class:`~lrla.bandits.YoungHistory` uses that. It chooses any number, not one of the grid, so
# it cannot look counts up.

SOME = 60
share = {}
for law, shifts in pools.items():
    young, used, ideal = YoungHistory(diagonal=4.0), 0, 0
    for k in range(SOME):
        trial = young.ask(shifts[k])
        M = (A + shifts[k] * scipy.sparse.eye_array(n)).tocsr()
        run = sor(M, B[k], rtol=TOL, check_every=1, **trial.params)
        young.tell(trial, run.info.iterations, rate=run.info.rate)
        beta = 4 * np.cos(np.pi / 11) / (4 + shifts[k])
        exact = 1 + (beta / (1 + np.sqrt(1 - beta**2))) ** 2
        used += run.info.iterations
        ideal += sor(M, B[k], omega=exact, rtol=TOL, check_every=1).info.iterations
    of_best = counted[law][:SOME, tables[law].sum(axis=0).argmin()].sum()
    share[law] = used / of_best
    print(f"{law}: Young from history {share[law]:.3f}, exact {ideal / of_best:.3f}")

# %%
# On the left, the picture of the paper: how much of the work is left after how many iterations. On
# the right, the regret against the best fixed omega: where it falls below zero, a policy beats every
# fixed choice, which only those that see the shift can do. Both are drawn by :mod:`lrla.plotting`.

figure, axes = plt.subplots(2, 2, figsize=(12, 8.4), layout="constrained")
for (left, right), (law, table) in zip(axes, tables.items(), strict=True):
    work_left(spent[law], table=table, ax=left)
    regret(spent[law], table, ax=right)
    trials = np.arange(1, STEPS + 1)
    right.plot(trials, (share[law] - 1) * best[law] * trials / STEPS, "C6-.",
               label=f"Young from history, at its mean over {SOME} systems")  # fmt: skip
    left.set(xlabel="iterations", ylabel="systems left", title=f"Work left, {law}")
    right.set(xlabel="system", ylabel="iterations", title=f"Regret, {law}")
    right.set_ylim(None, 2.5 * (spent[law]["Tsallis-INF"].sum() - best[law]))
for ax in axes.ravel():
    ax.get_legend().remove()
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
figure.legend(
    *axes[0, 1].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False
)
plt.show()
