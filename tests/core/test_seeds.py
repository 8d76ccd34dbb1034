"""One seed, one key, the same numbers: what ``rng`` may be and what it stands for."""

import enum
import random

import numpy as np
import pytest

from lrla._core.random import Domain, key_of, seed_of, tag


def test_none_draws_a_seed_that_stands_for_the_same_key():
    seeds = [seed_of(None) for _ in range(3)]
    assert len(set(seeds)) == 3
    assert all(type(s) is int and s >= 0 for s in seeds)
    for seed in seeds:
        assert seed_of(seed) == seed
        assert key_of(seed_of(seed)) == key_of(seed)


@pytest.mark.parametrize("value", [0, 1, 90210, 2**64, 2**200, np.int8(7), np.uint64(2**64 - 1)])
def test_integers_stand_for_themselves(value):
    assert seed_of(value) == int(value)
    assert type(seed_of(value)) is int
    assert all(0 <= word < 2**32 and type(word) is int for word in key_of(seed_of(value)))


def test_keys_are_those_of_seed_sequences():
    """Numbers frozen by NumPy's promise on SeedSequence, not by ours."""
    for seed in (0, 90210, 2**100):
        assert key_of(seed) == tuple(np.random.SeedSequence(seed).generate_state(2).tolist())
    assert len({key_of(seed) for seed in range(2000)}) == 2000


def test_generators_advance_by_one_draw():
    generator, twin = np.random.default_rng(5150), np.random.default_rng(5150)
    first, second = seed_of(generator), seed_of(generator)
    assert first != second
    assert first == int(twin.integers(0, 2**64, dtype=np.uint64))
    twin.integers(0, 2**64, dtype=np.uint64)
    assert generator.random() == twin.random()
    bits = np.random.PCG64(5150)
    assert seed_of(bits) == first
    assert seed_of(bits) == second
    assert seed_of(np.random.Philox(3)) == seed_of(np.random.Generator(np.random.Philox(3)))


def test_seed_sequences_are_not_used_up():
    sequence = np.random.SeedSequence(811)
    assert seed_of(sequence) == seed_of(sequence) == seed_of(np.random.SeedSequence(811))
    children = {seed_of(child) for child in sequence.spawn(50)}
    assert len(children | {seed_of(sequence)}) == 51


class Number(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    "rng",
    [1.0, "1", True, np.True_, [1], (1, 2), np.array([1]), np.random.RandomState(1),
     random.Random(1), np.random, object()],
    ids=["float", "str", "bool", "np.bool", "list", "tuple", "array", "RandomState", "Random",
         "module", "object"],
)  # fmt: skip
def test_what_is_no_rng(rng):
    with pytest.raises(
        TypeError, match=r"rng must be None, an integer, or .* numpy.random, got \w+"
    ):
        seed_of(rng)


def test_negative_seeds():
    with pytest.raises(ValueError, match="rng must not be negative, got -1"):
        seed_of(-1)
    with pytest.raises(ValueError, match="rng must not be negative"):
        seed_of(np.int64(-7))


def test_nothing_global_is_touched():
    np.random.seed(4)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for rng in (None, 3, np.random.default_rng(3)):
        key_of(seed_of(rng))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_tags_tell_domains_and_streams_apart():
    tags = [tag(domain, stream) for domain in Domain for stream in (0, 1, 4096, 2**24 - 1)]
    assert len(set(tags)) == len(tags)
    assert max(tags) < 2**32
    assert len({int(domain) for domain in Domain}) == len(Domain)
    for stream in (-1, 2**24):
        with pytest.raises(OverflowError, match=f"stream must be between 0 and .*, got {stream}"):
            tag(Domain.NORMAL, stream)
