"""Inputs for the twins of ``lrla/kernels/philox.py``."""

import numpy as np

KEY = (0xA4093822, 0x299F31D0)
TAG = 3 | 77 << 8
FAR = 2**32 - 2  # positions that carry into the second counter word
RANGES = ((0, 0), (0, 1), (0, 3), (5, 70), (FAR, FAR + 5))


def _shapes(counts):
    for start, stop in RANGES:
        for count in counts:
            yield f"{start}:{stop}x{count}", ("space", KEY, TAG, start, stop), count


def words():
    for label, args, count in _shapes((0, 1, 3)):
        yield label, (*args, 2**32 - 5, count), 0
    yield "many", ("space", KEY, TAG, 0, 40000, 0, 1), 0


def words_at():
    random = np.random.default_rng(61211)
    for n in (0, 1, 63, 64, 65, 20000):
        yield f"{n}", (random.integers(0, 2**62, n), KEY, TAG, 9), 0


def normal():
    for label, args, count in _shapes((0, 1, 4, 7, 256, 259)):
        yield label, (*args, count), 0
    yield "wide", ("space", KEY, TAG, 7, 8, 70002), 0
    yield "tall", ("space", KEY, TAG, 7, 30007, 3), 0


def sign():
    for label, args, count in _shapes((0, 1, 128, 131, 1003)):
        yield label, (*args, count), 0
    yield "tall", ("space", KEY, TAG, 7, 20007, 2), 0


def uniform():
    for label, args, count in _shapes((0, 1, 2, 5)):
        yield label, (*args, count), 0
    yield "tall", ("space", KEY, TAG, 7, 20007, 2), 0


def exponential():
    yield from uniform()


def integer():
    for label, args, count in _shapes((0, 1, 4, 6)):
        for bound in (1, 1000, 2**31):
            yield f"{label}<{bound}", (*args, count, bound), 0
    yield "tall", ("space", KEY, TAG, 7, 20007, 2, 11), 0


def permute():
    random = np.random.default_rng(42187)
    for size in (1, 2, 3, 16, 17, 255, 1000, 30000):
        yield f"all{size}", (np.arange(size), KEY, TAG, size), 0
    for size in (1, 2**31 - 1, 2**40, 2**62):
        for n in (0, 1, 100):
            yield f"{n}of{size}", (random.integers(0, size, n), KEY, TAG, size), 0
