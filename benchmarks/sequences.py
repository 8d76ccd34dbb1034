"""The sequences of linear systems of Khodak, Chow, Balcan and Talwalkar, "Learning to relax".

ICLR 2024, arXiv:2310.02246. What the paper leaves open is taken from the code published with it.
"""

import numpy as np
import scipy.sparse

from lrla.relaxation import SweepPlan, ssor_pcg

LAWS = {"low": (2.0, 6.0), "high": (0.5, 1.5)}  # of the shifts: Beta with mean 1/4
OMEGAS = np.linspace(1.0, 1.95, 20)
SHIFTS = (-0.15, 0.65)  # between what the published code expects the shifts
TOL = 1e-8


def laplacian(n):
    """The five-point Laplacian on n x n interior points, 4 on the diagonal."""
    line = scipy.sparse.diags_array([-1.0, -1.0], offsets=[-1, 1], shape=(n, n))
    eye = scipy.sparse.eye_array(n)
    return (4 * scipy.sparse.eye_array(n * n) + scipy.sparse.kron(eye, line)
            + scipy.sparse.kron(line, eye)).tocsr()  # fmt: skip


class Basic:
    """Systems ``(A + c_t I) x = b_t``: 100 unknowns, random shifts, truncated normal sides."""

    A = laplacian(10)
    diagonal = 4.0

    def __init__(self, law, n_systems, seed):
        rng = np.random.default_rng([seed, list(LAWS).index(law), 2310])
        n = self.A.shape[0]
        self.shifts = -0.15 + 0.6 * rng.beta(*LAWS[law], n_systems)
        self.B = np.empty((n_systems, n))
        for row in self.B:
            row[:] = rng.standard_normal(n)
            while np.linalg.norm(row) > np.sqrt(n):
                row[:] = rng.standard_normal(n)

    def matrix(self, t):
        return (self.A + self.shifts[t] * scipy.sparse.eye_array(self.A.shape[0])).tocsr()

    def counts(self, omega, cap=10_000):
        """Count the sweeps that each system takes, from zero, exactly.

        All systems that are not done are swept together, as one block-diagonal matrix.
        """
        n = self.A.shape[0]
        out = np.full(len(self.shifts), cap)
        live = np.arange(len(self.shifts))
        x, start = np.zeros(self.B.size), np.linalg.norm(self.B, axis=1)
        done = 0
        while live.size and done < cap:
            shifts = scipy.sparse.diags_array(np.repeat(self.shifts[live], n))
            M = (scipy.sparse.kron(scipy.sparse.eye_array(live.size), self.A) + shifts).tocsr()
            plan, b = SweepPlan(M, omega=omega), self.B[live].ravel()
            open_ = np.ones(live.size, bool)
            while done < cap and 4 * open_.sum() >= 3 * open_.size:
                plan.sweep(x, b)
                done += 1
                residual = np.linalg.norm((b - M @ x).reshape(-1, n), axis=1)
                fresh = open_ & (residual < TOL * start[live])
                out[live[fresh]] = done
                open_ &= ~fresh
            live, x = live[open_], x.reshape(-1, n)[open_].ravel()
        return out

    def table(self):
        """Count for each omega of the grid: one row for each system."""
        return np.stack([self.counts(omega) for omega in OMEGAS], axis=1)


def bump(points, center, radius):
    """A smooth bump of height 1."""
    inside = 1.0 - np.minimum(1.0, np.sum((points - center) ** 2, axis=1) / radius**2)
    with np.errstate(divide="ignore"):
        return np.exp(1.0 - 1.0 / inside)


class Heat:
    """The heat equation on the unit square by Crank-Nicolson, diffusion changing with time."""

    dt = 1e-3

    def __init__(self, nx):
        self.nx = nx
        ticks = np.arange(1, nx) / nx
        self.points = np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2)
        self.L = -laplacian(nx - 1) * nx**2
        self.eye = scipy.sparse.eye_array((nx - 1) ** 2, format="csr")
        self.u = bump(self.points, [0.5, 0.5], 0.25)
        self.t = 0.0

    @staticmethod
    def diffusion(t):
        return np.maximum(0.1 * np.sin(2 * np.pi * t), -10.0 * np.sin(2 * np.pi * t))

    @property
    def context(self):
        return float(self.diffusion(self.t))

    def system(self):
        half = self.t + self.dt / 2
        C = (0.5 * self.dt * self.diffusion(half)) * self.L
        angle = 16 * np.pi * half
        center = [0.5 + np.cos(angle) / 4, 0.5 + np.sin(angle) / 4]
        source = 32.0 * bump(self.points, center, 0.125)
        return self.eye - C, self.u + C @ self.u + self.dt * source

    def step(self, choose, learn):
        """Advance: ``choose(context)`` gives a trial and omega, ``learn(trial, count)`` takes it."""
        A, b = self.system()
        trial, omega = choose(self.context)
        result = ssor_pcg(A, b, self.u, omega=omega, rtol=TOL, check_every=1)
        learn(trial, result.info.iterations)
        self.u = result.x
        self.t += self.dt
        return result.info.iterations

    @classmethod
    def run(cls, nx, n_steps, choose, learn=lambda trial, count: None):
        """Simulate; return the count of each step."""
        heat = cls(nx)
        return np.array([heat.step(choose, learn) for _ in range(n_steps)])
