"""SOR and its relatives: sweeps, solvers and preconditioners, tuned over a sequence of systems."""

__all__: list[str] = []
