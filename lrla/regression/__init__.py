"""Least squares: as accurate as LAPACK and faster, or quick with error bars.

`lstsq` chooses among refined Cholesky, SPIR and FOSSILS (Epperly, Meier, Nakatsukasa 2024),
randomized Cholesky QR (Balabanov 2022) and plain QR, and returns the measured backward error.
"""

from lrla.regression._lstsq import LstsqResult, lstsq, plan_lstsq
from lrla.regression._plan import Plan

__all__ = ["LstsqResult", "Plan", "lstsq", "plan_lstsq"]
