"""Summaries of rows that are seen once: few numbers, and a bound on what was lost.

`FrequentDirections` (Ghashami, Liberty, Phillips, Woodruff 2016) is the one with a certificate, for
rows in any order; `Oja` (Oja 1982; step sizes of Henriksen, Ward 2019) takes the least memory;
`top_eigenvector` (after Kacham, Woodruff 2024) is for rows in random order of which a few are heavy.
"""

from lrla.streaming._frequent_directions import DirectionsResult, FrequentDirections
from lrla.streaming._oja import Oja, OjaResult
from lrla.streaming._top_eigenvector import TopEigenvectorResult, top_eigenvector

__all__ = [
    "DirectionsResult",
    "FrequentDirections",
    "Oja",
    "OjaResult",
    "TopEigenvectorResult",
    "top_eigenvector",
]
