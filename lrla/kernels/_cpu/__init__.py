"""Numba twins: the same names, arguments and results as the definitions one folder up."""
