"""What a regression data set holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class RegressionData:
    """A regression problem with names.

    Parameters
    ----------
    A : ndarray of shape (m, n)
        The design, float64, rows contiguous.
    b : ndarray of shape (m,)
        The response, float64.
    names : tuple of str
        What the columns of A are.
    description : str
        Where the data come from and how the design was made.
    """

    A: np.ndarray
    b: np.ndarray
    names: tuple[str, ...]
    description: str

    def __repr__(self) -> str:
        return f"RegressionData(A={self.A.shape}, b={self.b.shape})"
