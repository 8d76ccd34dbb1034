"""What can be wrong with a kernel, each by its own name."""

from __future__ import annotations


class NotPSDError(ValueError):
    """A likelihood kernel has a negative eigenvalue."""


class NotAKernelError(ValueError):
    """A marginal kernel has an eigenvalue outside [0, 1], or no process belongs to it."""


class NotOrthonormalError(ValueError):
    """Columns are not orthonormal that should be."""


class RankError(ValueError):
    """More items are asked for than the rank of the kernel allows."""


class SamplingError(RuntimeError):
    """A rejection sampler used up its budget; nothing is returned rather than a biased sample."""
