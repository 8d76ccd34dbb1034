"""P12 and P13: an operator is its description, which can be stored, compared and grown."""

import copy
import json
import math
import pickle
import subprocess
import sys

import cloudpickle
import numpy as np
import pytest
from families import FAMILIES, D, M, assert_near, matrix

from lrla import sketch
from lrla.sketch._stack import Stack

SEED = 50821
LONG = ("less_scores", "row_sample_scores", "stack", "stack_srht")  # as the scores, or the parts
families = pytest.mark.parametrize("name", FAMILIES)


def same(S, T):
    return S == T and hash(S) == hash(T) and np.array_equal(S.toarray(), T.toarray())


@families
def test_p12_pickle_is_small_and_gives_the_same_matrix(name):
    S = FAMILIES[name](SEED)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert same(pickle.loads(pickle.dumps(S, protocol)), S)
    assert same(cloudpickle.loads(cloudpickle.dumps(S)), S)
    assert same(copy.copy(S), S)
    assert same(copy.deepcopy(S), S)
    if name not in LONG:
        assert len(pickle.dumps(S)) < 300


@families
def test_p12_the_largest_seeds_and_shapes_pickle_small(name):
    """A seed from the operating system has 128 bits."""
    S = FAMILIES[name](None)
    assert S.seed >> 64
    assert same(FAMILIES[name](S.seed), S)
    if name not in LONG:
        assert len(pickle.dumps(S)) < 300
    assert len(pickle.dumps(sketch.SRHT(2**31, 2**40, stream_block=4096))) < 300


@families
def test_p12_json(name):
    S = FAMILIES[name](SEED)
    text = json.dumps(S.to_dict())
    assert same(sketch.from_dict(json.loads(text)), S)
    assert json.loads(text) == S.to_dict()


def test_p12_another_process_draws_the_same_matrix():
    code = "import pickle, sys, hashlib; S = pickle.loads(bytes.fromhex(sys.argv[1]));" \
           "print(hashlib.sha256(S.toarray().tobytes()).hexdigest(), hash(S) is not None)"  # fmt: skip
    import hashlib

    S = sketch.SparseSign(D, M, rng=SEED)
    run = subprocess.run(
        [sys.executable, "-c", code, pickle.dumps(S).hex()],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.split()[0] == hashlib.sha256(S.toarray().tobytes()).hexdigest()


@families
def test_repr_is_a_call_that_makes_the_operator(name):
    S = FAMILIES[name](SEED)
    if name in LONG:  # too long, or not made by a call
        assert str(S.seed) in repr(S)
        return
    assert same(eval(repr(S), vars(sketch)), S)
    assert repr(S.T) == repr(S) + ".T"


@families
def test_frozen(name):
    S = FAMILIES[name](SEED)
    for attribute in ("d", "seed", "anything"):
        with pytest.raises(AttributeError, match=f"is immutable: cannot set '{attribute}'"):
            setattr(S, attribute, 3)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = S.nonsense
    with pytest.raises(AttributeError):
        S.T.d = 3


@families
def test_equal_means_the_same_description(name):
    S = FAMILIES[name](SEED)
    assert FAMILIES[name](SEED) == S
    assert FAMILIES[name](SEED + 1) != S
    assert not np.array_equal(FAMILIES[name](SEED + 1).toarray(), S.toarray())
    assert len({S, FAMILIES[name](SEED), FAMILIES[name](SEED + 1)}) == 2
    assert S != "gaussian"
    assert S.shape == (D, M)
    assert S.family in S.to_dict().values()


def test_families_and_parameters_are_part_of_the_description():
    made = [make(SEED) for make in FAMILIES.values()]
    assert len(set(made)) == len(made)
    assert sketch.SparseSign(8, 9, nnz_per_col=1, rng=3) != sketch.CountSketch(8, 9, rng=3)
    assert sketch.SparseSign(3, 9, rng=3).nnz_per_col == 3  # cut to d
    assert sketch.SRHT(3, 9, stream_block=64, rng=3).stream_block == 16  # cut to N
    assert sketch.VerySparse(3, 900, rng=3).s == 30.0


@families
def test_p13_extension_keeps_the_rows(name):
    S = FAMILIES[name](SEED)
    T = S.extend(7)
    assert T.shape == (D + 7, M)
    scale = math.sqrt(D / (D + 7))
    assert_near(T.toarray()[:D], scale * S.toarray(), unit=1e-15)
    A = matrix(M, 3, "f8", 707)
    assert_near((T @ A)[:D], scale * (S @ A))
    assert_near(T @ A, T.toarray() @ A)
    assert S.extend(7) == T
    new = T.toarray()[D:]
    if S.family == "row_sample":  # a row may be drawn again, but not all of them
        assert not np.array_equal(new, T.toarray()[:7])
    else:
        assert not any(np.array_equal(new[0], row) for row in T.toarray()[:D])
    assert_near(T.extend(2).toarray()[: D + 7] * math.sqrt((D + 9) / (D + 7)), T.toarray(),
                unit=1e-15)  # fmt: skip


def test_p13_rows_of_independent_families_are_nested():
    """No stack is needed where an operator with more rows has those of one with fewer."""
    for name in FAMILIES:
        S = FAMILIES[name](SEED)
        sparse = "sparse_sign", "sparse_uniform", "countsketch"
        stacks = S.family in (*sparse, "srht", "srtt", "tensor_sketch")
        assert isinstance(S.extend(3), Stack) is (stacks or isinstance(S, Stack)), name


def test_p13_extended_tensor_sketches_take_factors():
    factors = [matrix(5, 4, "f8", 71), matrix(9, 4, "f8", 72)]
    product = np.stack([np.kron(a, b) for a, b in zip(*[f.T for f in factors], strict=True)], 1)
    for name in ("tensor_sketch", "tensor_srht", "khatri_rao"):
        T = FAMILIES[name](SEED).extend(6)
        assert_near(T.khatri_rao(factors), T @ product)
        assert_near(T.kronecker(factors), T @ np.kron(*factors))


@pytest.mark.parametrize("rows", [0, -1, 1.5, "3", None, math.inf])
def test_p13_extension_by_no_rows_is_an_error(rows):
    for name in ("gaussian", "sparse_sign", "stack"):
        with pytest.raises(ValueError, match="d must be a positive integer, got"):
            FAMILIES[name](SEED).extend(rows)


@families
def test_make_by_name(name):
    S = FAMILIES[name](SEED)
    if isinstance(S, Stack):
        return
    parameters = {k: v for k, v in S.to_dict().items()
                  if k not in ("family", "d", "m", "seed", "stream", "dims")}  # fmt: skip
    m = getattr(S, "dims", M) if name not in ("gaussian",) else M
    assert sketch.make(S.family, D, m, rng=SEED, **parameters) == S


def test_make_says_which_families_there_are():
    for family in ("gausian", "stack ", None, 3, ["srht"]):
        with pytest.raises(ValueError, match=r"family must be one of 'gaussian', .*'khatri_rao', "):
            sketch.make(family, 4, 10)
    with pytest.raises(ValueError, match="family must be one of"):
        sketch.from_dict({"d": 3})


def test_seeds():
    """P12: None draws one that reproduces; generators advance once; the rest of SPEC 7."""
    S = sketch.SparseSign(D, M)
    assert same(sketch.SparseSign(D, M, rng=S.seed), S)
    assert sketch.SparseSign(D, M) != S
    generator = np.random.default_rng(771)
    first, second = (sketch.SparseSign(D, M, rng=generator) for _ in range(2))
    assert first != second
    again = np.random.default_rng(771)
    assert sketch.SparseSign(D, M, rng=again) == first
    with pytest.raises(TypeError, match="rng must be None, an integer, or a SeedSequence"):
        sketch.SparseSign(D, M, rng=np.random.RandomState(3))
    with pytest.raises(ValueError, match="rng must not be negative, got -3"):
        sketch.SparseSign(D, M, rng=-3)


@families
def test_cost_grows_with_the_data(name):
    S = FAMILIES[name](SEED)
    one, ten = S.cost(np.ones(M)), S.cost(np.ones((M, 10)))
    assert 0 < one.flops < ten.flops
    assert 0 < one.bytes < ten.bytes
    if not S.family.startswith(
        ("srht", "srtt", "less", "row_sample", "stack")
    ):  # those cost the same whatever A holds
        import scipy.sparse

        few = scipy.sparse.random_array((M, 10), density=0.1, rng=np.random.default_rng(5))
        assert S.cost(few).flops < ten.flops


def test_embedding_sizes():
    size = sketch.embedding_size
    # the smallest d with sqrt(n/d) + sqrt(2 log(2/delta)/d) <= eps
    for n, eps, delta in ((1, 0.5, 0.01), (64, 0.3, 1e-3), (1000, 0.9, 0.5)):
        d = size(n, family="gaussian", eps=eps, delta=delta)

        def bound(d, n=n, delta=delta):
            return math.sqrt(n / d) + math.sqrt(2 * math.log(2 / delta) / d)

        assert bound(d) <= eps < bound(d - 1)
        assert size(n, eps=eps, delta=delta) == d
        assert size(n, family="srht", eps=eps, delta=delta) == d
    assert size(10, family="countsketch", eps=0.5, delta=0.1) == math.ceil(110 / 0.025)
    assert size(10, family="tensor_sketch", eps=0.5, delta=0.1) == math.ceil(1100 / 0.025)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be a positive integer, got 0"),
        ({"n": -4}, "n must be a positive integer, got -4"),
        ({"n": 2.5}, "n must be a positive integer, got 2.5"),
        ({"n": 3, "eps": 0}, "eps must be between 0 and 1, got 0"),
        ({"n": 3, "eps": 1.0}, "eps must be between 0 and 1, got 1.0"),
        ({"n": 3, "delta": math.nan}, "delta must be between 0 and 1, got nan"),
        ({"n": 3, "family": "very_sparse"}, "'very_sparse' has no size that holds for every sub"),
        ({"n": 3, "family": "less"}, "'less' has no size that .* use 'sparse_sign', or measure w"),
        ({"n": 3, "family": "row_sample"}, "'row_sample' has no size that holds for every"),
        ({"n": 3, "family": "nope"}, "family must be one of"),
    ],
)
def test_embedding_size_mistakes(arguments, message):
    with pytest.raises(ValueError, match=message):
        sketch.embedding_size(**arguments)


@pytest.mark.statistical
def test_embedding_size_of_a_gaussian_keeps_its_promise():
    """200 trials at delta = 0.1: more than 48 failures have probability below 1e-6 if the
    guarantee holds; a quarter of the rows breaks it nearly always.
    """
    n, eps, delta = 20, 0.5, 0.1
    U = np.eye(200, n)

    def failures(d):
        count = 0
        for seed in range(61400, 61600):
            low, high = sketch.distortion(sketch.Gaussian(d, 200, rng=seed), U)
            count += low < 1 - eps or high > 1 + eps
        return count

    d = sketch.embedding_size(n, family="gaussian", eps=eps, delta=delta)
    assert failures(d) <= 48
    assert failures(d // 4) > 48  # so the test can fail


@families
def test_distortion_is_that_of_the_matrix(name, backend):
    S = FAMILIES[name](SEED)
    A = matrix(M, 6, "f8", 3321) @ np.diag([1e8, 1, 1, 1e-3, 1, 1e-6])
    Q = np.linalg.qr(A)[0]
    values = np.linalg.svd(S.toarray() @ Q, compute_uv=False)
    low, high = sketch.distortion(S, backend.asarray(A))
    assert type(low) is type(high) is float
    np.testing.assert_allclose((low, high), (values[-1], values[0]), rtol=0, atol=1e-8)


def test_distortion_of_ranges_without_full_rank():
    import scipy.sparse as sp
    import scipy.sparse.linalg as sla

    S = sketch.Gaussian(D, M, rng=9292)
    A = matrix(M, 4, "f8", 9293)
    once = sketch.distortion(S, A)
    np.testing.assert_allclose(sketch.distortion(S, np.hstack([A, A @ np.ones((4, 3))])), once,
                               rtol=1e-10)  # fmt: skip
    np.testing.assert_allclose(sketch.distortion(S, 1e200 * A), once, rtol=1e-10)
    np.testing.assert_allclose(sketch.distortion(S, sp.csc_array(A)), once, rtol=1e-10)
    np.testing.assert_allclose(sketch.distortion(S, sla.aslinearoperator(A)), once, rtol=1e-10)
    np.testing.assert_allclose(
        sketch.distortion(S, A.astype("f4")), once, rtol=1e-5
    )  # in its precision
    assert sketch.distortion(S, np.zeros((M, 3))) == (1.0, 1.0)
    assert sketch.distortion(S, np.zeros((M, 0))) == (1.0, 1.0)
    assert sketch.distortion(S, sla.aslinearoperator(np.zeros((M, 0)))) == (1.0, 1.0)
    assert sketch.distortion(S, np.eye(M, D + 1))[0] == 0.0  # more dimensions than rows
    one = sketch.distortion(S, A[:, :1])
    assert one[0] == pytest.approx(one[1])
    with pytest.raises(ValueError, match=r"cannot apply Gaussian\(d=12, m=45\) to A of shape"):
        sketch.distortion(S, np.eye(M + 1, 3))
