"""A stream of systems: what one solve finds out, the next ones use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from lrla._core.arrays import Array
from lrla._core.results import Status
from lrla.bandits import Interval, ParameterTuner, YoungHistory
from lrla.relaxation._plan import check_omega
from lrla.relaxation._problem import Problem, check_limits, pose
from lrla.relaxation._result import SolveResult
from lrla.relaxation._ssor_pcg import SplitMatrix, check_hermitian, conjugate_until
from lrla.relaxation._stationary import sweep_until
from lrla.relaxation._sweeper import Sweeper
from lrla.relaxation._system import System, read

METHODS = ("ssor_pcg", "sor")
_TOLD = {Status.MAX_ITER: "capped", Status.DIVERGED: "failed", Status.BREAKDOWN: "failed"}


class Asked(Protocol):
    """What policies and tuners of `lrla.bandits` have in common."""

    def ask(self, context: Any = None) -> Any:
        """Choose omega."""

    def tell(
        self, trial: Any, cost: float, *, status: str = "ok", rate: float | None = None
    ) -> Any:
        """Learn what it cost."""


class RelaxationSequence:
    """Solve systems one after the other, and learn the relaxation factor on the way.

    Parameters
    ----------
    method : {"ssor_pcg", "sor"}, default "ssor_pcg"
        The solver.
    policy : Policy or ParameterTuner, optional
        Chooses ``omega`` for each system, and learns from the number of iterations: anything of
        `lrla.bandits` whose trials have the parameter ``omega``. By default a `ParameterTuner` of
        20 factors from 1 to 1.95 for "ssor_pcg", and `YoungHistory` for "sor".
    order : {"natural", "multicolor", "redblack"} or array of shape (n,), default "natural"
        As for `SweepPlan`.
    warm_start : bool or "extrapolate", default False
        Whether to start from the last solution; or from where the last two point to, for systems
        that change steadily.
    rtol, atol : float, default 1e-5 and 0
        As for the solver.
    max_iter : int, optional
        As for the solver, by default its own.
    check_every : int, default 10
        As for the solver.

    Attributes
    ----------
    policy : Policy or ParameterTuner
        What chooses.
    omegas : list of float
        The factors that were used.
    iterations : list of int
        How many iterations each system took.
    n_analyses : int
        How often the structure of a matrix had to be looked at.

    Raises
    ------
    ValueError
        If the method is not known, or a limit or tolerance is out of range.

    See Also
    --------
    lrla.bandits : the policies, and what is known about their regret.

    Notes
    -----
    Where a matrix has the pattern of the one before, only its entries are arranged anew, which
    costs about three sweeps. A matrix for "ssor_pcg" is tested for being Hermitian only when its
    pattern is new.

    A solve that reaches ``max_iter`` is told as capped, one that diverges or breaks down as failed;
    nothing warns: look at the status of each result.

    References
    ----------
    .. [1] M. Khodak, E. Chow, M.-F. Balcan and A. Talwalkar, "Learning to relax: setting solver
       parameters across a sequence of linear system instances", ICLR 2024, arXiv:2310.02246.

    Examples
    --------
    Implicit time steps of a heat equation whose conductivity changes:

    >>> import numpy as np
    >>> from lrla.bandits import Grid, ParameterTuner
    >>> from lrla.relaxation import RelaxationSequence
    >>> K = 2 * np.eye(30) - np.eye(30, k=1) - np.eye(30, k=-1)
    >>> tuner = ParameterTuner(Grid("omega", [1.0, 1.4, 1.8]), cost="iterations", rng=7)
    >>> sequence, u = RelaxationSequence(policy=tuner), np.ones(30)
    >>> for t in range(20):
    ...     u = sequence.solve(np.eye(30) + (5 + t) * K, u).x
    >>> sequence.n_analyses, len(sequence.iterations)
    (1, 20)
    """

    def __init__(
        self,
        method: str = "ssor_pcg",
        *,
        policy: Asked | None = None,
        order: Any = "natural",
        warm_start: bool | str = False,
        rtol: float = 1e-5,
        atol: float = 0.0,
        max_iter: int | None = None,
        check_every: int = 10,
    ) -> None:
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
        if warm_start not in (False, True, "extrapolate"):
            raise ValueError(f"warm_start must be True, False or 'extrapolate', got {warm_start!r}")
        check_limits(max_iter, check_every)
        self.method = method
        self.policy: Asked = _default(method) if policy is None else policy
        self.warm_start = warm_start
        self.omegas: list[float] = []
        self.iterations: list[int] = []
        self.n_analyses = 0
        self._order, self._rtol, self._atol = order, rtol, atol
        self._max_iter, self._check_every = max_iter, check_every
        self._rows: Sweeper | SplitMatrix | None = None
        self._x: Array | None = None
        self._before: Array | None = None  # the solution before that

    def solve(self, A: Any, b: Any, x0: Any = None, *, context: Any = None) -> SolveResult:
        """Solve the next system.

        Parameters
        ----------
        A : array of shape (n, n) or sparse matrix
            The matrix.
        b : array of shape (n,) or (n, p)
            Right-hand sides.
        x0 : array of the shape of b, optional
            Where to start.
        context : float or array, optional
            What is known about the system, for the policies that use it.

        Returns
        -------
        SolveResult
            As from the solver.

        Raises
        ------
        ValueError, LinAlgError, TypeError
            As the solver does. The policy is then told of a failure.
        """
        system = read(A)
        problem = pose(system.op, b, x0, self._rtol, self._atol)
        start = self._start(problem) if x0 is None else None
        if start is not None:
            problem = replace(problem, x0=start)
        trial = self.policy.ask(context)
        try:
            omega = check_omega(_factor(trial))
            result = self._run(problem, system.astype(problem.b.dtype), omega)
        except Exception:
            self.policy.tell(trial, 0.0, status="failed")
            raise
        rate = result.info.rate
        self.policy.tell(
            trial, float(result.info.iterations), status=_TOLD.get(result.status, "ok"),
            rate=rate if np.isfinite(rate) else None,
        )  # fmt: skip
        self.omegas.append(omega)
        self.iterations.append(result.info.iterations)
        self._x, self._before = result.x, self._x
        return result

    def _start(self, problem: Problem) -> Array | None:
        """Say from where the solutions so far let this one start."""
        last, before, shape = self._x, self._before, problem.b.shape
        if not self.warm_start or last is None or last.shape != shape:
            return None
        if self.warm_start == "extrapolate" and before is not None and before.shape == shape:
            last = last + (last - before)
        return problem.op.space.xp.astype(last, problem.b.dtype) / problem.unit

    def _run(self, problem: Problem, system: System, omega: float) -> SolveResult:
        rows, self._rows = self._rows, None  # a failure leaves nothing behind that is half changed
        if rows is None or not _alike(rows.system, system):
            self.n_analyses += 1
            if self.method == "ssor_pcg":
                check_hermitian(system)
                rows = SplitMatrix(system, omega, self._order)
            else:
                rows = Sweeper(system, omega, self._order)
        else:
            rows.change(omega, system)
        self._rows = rows
        if isinstance(rows, SplitMatrix):
            most = 10 * system.n if self._max_iter is None else self._max_iter
            return conjugate_until(problem, rows, max_iter=most, check_every=self._check_every)
        most = 10_000 if self._max_iter is None else self._max_iter
        return sweep_until(
            "SOR", problem, rows, direction="forward", max_iter=most,
            check_every=self._check_every,
        )  # fmt: skip


def _default(method: str) -> Asked:
    if method == "sor":
        return YoungHistory()
    return ParameterTuner(Interval("omega", 1.0, 1.95, size=20), cost="iterations", rng=0)


def _factor(trial: Any) -> float:
    if not trial.params or "omega" not in trial.params:
        raise ValueError(
            "policy must choose a parameter omega, got trials without; wrap it: "
            "ParameterTuner(Interval('omega', 1, 1.95, size=20), policy=policy)"
        )
    return float(trial.params["omega"])


def _alike(one: System, other: System) -> bool:
    """Tell whether two matrices have the same dtype, library and places of entries."""
    if one.space != other.space or one.data.dtype != other.data.dtype or one.n != other.n:
        return False
    if one.data.shape != other.data.shape:
        return False
    xp = one.space.xp
    return all(
        mine is its or bool(xp.all(mine == its))
        for mine, its in zip(one.structure, other.structure, strict=True)
    )
