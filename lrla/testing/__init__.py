"""Checks for randomized methods, for this library's tests and for those of its users.

`backward_error` is the exact error of Karlson and Walden (1997) that `lrla.lstsq` estimates.
"""

from lrla.testing._designs import row_designs
from lrla.testing._least_squares import backward_error
from lrla.testing._sets import set_law, sets_p_value

__all__ = ["backward_error", "row_designs", "set_law", "sets_p_value"]
