"""Randomness as a function: a key and a counter, never a generator that moves on.

Public functions take ``rng`` as SPEC 7 says. At the door it becomes one integer seed and from it a
64-bit Philox key; below the door every random number is a function of (key, domain, stream,
position), so that blocks, threads and devices can each compute their own.
"""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

Key = tuple[int, int]


class Domain(enum.IntEnum):
    """What random numbers are for: equal keys give unrelated numbers in different domains."""

    NORMAL = 0
    SPARSE_SIGN = 1
    RADEMACHER = 2
    SAMPLE = 3
    SRHT_SIGN = 4
    SRHT_PERMUTATION = 5
    TEST_MATRIX = 6
    KHATRI_RAO = 7
    EXPONENTIAL = 8
    INIT = 9
    VERY_SPARSE = 10
    LESS = 11
    TENSOR = 12
    SPARSE_UNIFORM = 13
    BANDIT = 40
    STREAM = 41
    DPP = 20
    CHRISTOFFEL = 21
    BOOTSTRAP = 50
    KACZMARZ = 60


def tag(domain: Domain, stream: int = 0) -> int:
    """Combine a domain and one of its 2^24 streams into a word of the Philox counter."""
    if not 0 <= stream < 1 << 24:
        raise OverflowError(f"stream must be between 0 and 2**24 - 1, got {stream}")
    return int(domain) | stream << 8


def seed_of(rng: Any) -> int:
    """Turn ``rng`` into one integer, which given as ``rng`` again stands for the same numbers.

    Parameters
    ----------
    rng : None, int, numpy.random.SeedSequence, numpy.random.Generator or numpy.random.BitGenerator
        None takes entropy from the operating system. A generator is advanced by one 64-bit draw.
    """
    if rng is None:
        import secrets

        return secrets.randbits(128)
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool):
        if rng < 0:
            raise ValueError(f"rng must not be negative, got {rng}")
        return int(rng)
    if isinstance(rng, np.random.SeedSequence):
        return int(rng.generate_state(1, np.uint64)[0])
    if isinstance(rng, np.random.Generator | np.random.BitGenerator):
        return int(np.random.default_rng(rng).integers(0, 2**64, dtype=np.uint64))
    raise TypeError(
        "rng must be None, an integer, or a SeedSequence, BitGenerator or Generator of "
        f"numpy.random, got {type(rng).__name__}; pass an integer drawn from it instead"
    )


def key_of(seed: int) -> Key:
    """Derive the Philox key that an integer seed stands for."""
    k0, k1 = np.random.SeedSequence(seed).generate_state(2, np.uint32)
    return int(k0), int(k1)
