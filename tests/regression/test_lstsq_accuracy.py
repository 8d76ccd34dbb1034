"""How good the answers of `lstsq` are, against exact references: properties L1-L3, L7, L10, L14."""

import math

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import augmented, backward_error, problem

import lrla
from lrla.regression._factor import from_triangle
from lrla.regression._input import look
from lrla.regression._plan import spir_rows
from lrla.regression._problem import Problem
from lrla.regression._refine import backward_error as estimate

METHODS = ("auto", "gram", "spir", "fossils", "cqrrt", "direct")
SEED = 90210


def roundoff(dtype):
    return float(np.finfo(dtype).eps) / 2


@pytest.mark.parametrize("method", METHODS)
@given(m=st.integers(20, 400), n=st.integers(1, 20), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_L1_equals_lapack_on_well_conditioned_problems(method, m, n, seed):
    A, b, _ = problem(seed, m, n, cond=10, residual=1)
    x = lrla.lstsq(A, b, method=method, rng=seed).x
    want = scipy.linalg.lstsq(A, b, lapack_driver="gelsd")[0]
    np.testing.assert_allclose(x, want, rtol=0, atol=1e-10 * np.linalg.norm(want))


@pytest.mark.parametrize("method", METHODS)
@given(
    n=st.integers(1, 24),
    rows=st.integers(1, 40),
    digits=st.floats(0, 14),
    residual=st.sampled_from((0.0, 1e-12, 1e-6, 1e-2, 1.0, 1e3)),
    order=st.sampled_from("CF"),
    scale=st.sampled_from((-150, -90, 0, 90, 150)),
    dtype=st.sampled_from(("f4", "f8", "c8", "c16")),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40)
def test_L2_L14_backward_error(method, n, rows, digits, residual, order, scale, dtype, seed):
    """At most 10 u, exactly evaluated, and the certificate agrees with it within a factor of 4."""
    single = dtype in ("f4", "c8")
    digits = digits / 2.5 if single else digits
    A, b, _ = problem(seed, n + 1 + rows * n, n, 10**digits, residual, dtype)
    factor = 10.0 ** (scale // 5 if single else scale)
    A = np.asarray(A * np.asarray(factor, A.real.dtype), order=order)
    b = b * np.asarray(factor, b.real.dtype)
    result = lrla.lstsq(A, b, method=method, rng=seed)
    u = roundoff(dtype)
    true = backward_error(A, b, result.x, rank=result.rank)
    assert true <= 10 * u
    assert result
    # below u both measure the rounding errors of their own evaluation
    assert max(result.info.backward_error, u) >= true / 4
    assert result.info.backward_error <= 4 * max(true, u)


@given(
    n=st.integers(1, 20),
    digits=st.floats(0, 12),
    residual=st.sampled_from((0.0, 1e-6, 1.0, 1e3)),
    step=st.floats(-10, 0),
    seed=st.integers(0, 2**32 - 1),
)
def test_L14_certificate_of_inaccurate_solutions(n, digits, residual, step, seed):
    """Far from the solution too, where the certificate has something to say."""
    A, b, x = problem(seed, 10 * n + 2, n, 10**digits, residual)
    rng = np.random.default_rng(seed)
    x = (x + 10**step * rng.standard_normal(n))[:, None]
    asked = look(A, b, None, 0.0).problem
    size = np.linalg.norm(A, axis=0)
    asked.scale = size[:, None]
    factor, _ = from_triangle(np.linalg.qr(A / size)[1], 0.0)
    C, _, total = asked.gradient(x * asked.scale)
    Z = np.linalg.norm(x * asked.scale, axis=0)
    got = float(estimate(factor, factor.adjoint_solve(C), Z, total)[0])
    true = backward_error(A, b, x[:, 0])
    u = roundoff("f8")
    assert true / 1.5 - u <= got <= 1.5 * true + u


def test_L14_certificate_agrees_with_an_exact_perturbation():
    """The reference is no smaller than what an explicit change of A achieves, up to sqrt(2)."""
    A, b, x = problem(SEED, 60, 5, 1e3, 1e-2)
    A /= np.linalg.norm(A, axis=0)
    x = np.linalg.lstsq(A, b, rcond=None)[0] * (1 + 1e-4 * np.arange(5))
    r = b - A @ x
    # Stewart: (A + E)^H (b - (A + E) x) = 0 for E = -r r^H A / norm(r)^2
    E = -np.outer(r, r @ A) / (r @ r)
    assert np.linalg.norm((A + E).T @ (b - (A + E) @ x)) <= 1e-12
    smallest = backward_error(A, b, x) * np.linalg.norm(A)
    assert smallest <= math.sqrt(2) * np.linalg.norm(E)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("cond", [1e2, 1e6, 1e10])
@pytest.mark.parametrize("residual", [1e-3, 1.0])
def test_L3_residual_is_orthogonal_to_the_data(method, cond, residual):
    """As far as rounding A allows: that alone changes the gradient by u norm(A)^2 norm(x)."""
    A, b, _ = problem(SEED, 1000, 20, cond, residual)
    x = lrla.lstsq(A, b, method=method, rng=SEED).x
    size = np.linalg.norm(A, axis=0)
    r = b.astype(np.longdouble) - A.astype(np.longdouble) @ x.astype(np.longdouble)
    gradient = np.linalg.norm(((A / size).T.astype(np.longdouble) @ r).astype(float))
    top = np.linalg.norm(A / size, 2)
    bound = top * (np.linalg.norm(r.astype(float)) + top * np.linalg.norm(size * x))
    assert gradient <= 10 * roundoff("f8") * bound


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("cond", [1.0, 1e6, 1e12])
def test_L7_consistent_systems(method, cond):
    A, b, _ = problem(SEED, 800, 15, cond, 0.0)
    result = lrla.lstsq(A, b, method=method, rng=SEED)
    r = np.linalg.norm(b - A @ result.x)
    assert r <= 100 * roundoff("f8") * np.linalg.norm(b)
    assert abs(result.residual_norm - r) <= 100 * roundoff("f8") * np.linalg.norm(b)


@pytest.mark.parametrize("cond", [1.0, 1e4, 1e8])
@pytest.mark.parametrize("n", [10, 60])
def test_L10_passes_of_spir_are_as_predicted(cond, n):
    """Each pass of conjugate gradients gains log(d / n) / 2 digits; both rounds together all."""
    A, b, _ = problem(SEED, 200 * n, n, cond, 1e-3)
    result = lrla.lstsq(A, b, method="spir", rng=SEED)
    ratio = spir_rows(Problem(look(A, b, None, 0.0).problem.op, b[:, None]))
    predicted = 2 * math.log(1 / roundoff("f8")) / math.log(ratio)
    # a sketch, and in each round a gradient, are not iterations
    assert result.info.passes - 2 - result.info.iterations <= 1.3 * predicted
    assert result.info.sketch.d == ratio * n


# -- the experiment of arXiv:2406.03468, figure 2: m = 4000, n = 50, cond = norm(r) / u ----------

LADDER = np.logspace(0, 16, 9)


def rung(difficulty, m=4000, n=50):
    """One problem of the experiment."""
    return problem(SEED, m, n, max(difficulty, 1.0), difficulty * roundoff("f8"))[:2]


def normal_equations(A, b):
    return scipy.linalg.solve(A.T @ A, A.T @ b, assume_a="sym")


def sketch_and_precondition_from_zero(A, b):
    """Solve once by LSQR with a preconditioner from a sketch, from x = 0: not backward stable."""
    rng = np.random.default_rng(SEED)
    S = rng.standard_normal((12 * A.shape[1], A.shape[0]))
    R = np.linalg.qr(S @ A, mode="r")
    M = scipy.sparse.linalg.LinearOperator(
        A.shape,
        matvec=lambda y: A @ scipy.linalg.solve_triangular(R, y),
        rmatvec=lambda y: scipy.linalg.solve_triangular(R, A.T @ y, trans="T"),
        dtype=float,
    )
    y = scipy.sparse.linalg.lsqr(M, b, atol=1e-16, btol=1e-16, conlim=0, iter_lim=60)[0]
    return scipy.linalg.solve_triangular(R, y)


def heights(solve):
    out = []
    for difficulty in LADDER:
        A, b = rung(difficulty)
        rank = 50
        x = solve(A, b)
        if not isinstance(x, np.ndarray):
            x, rank = x.x, x.rank
        out.append(backward_error(A, b, x, rank=rank))
    return np.array(out)


@pytest.mark.parametrize("method", ["spir", "fossils", "cqrrt", "direct", "auto"])
def test_published_experiment_stays_flat(method):
    levels = heights(lambda A, b: lrla.lstsq(A, b, method=method, rng=SEED))
    assert max(levels) <= 10 * roundoff("f8")


@pytest.mark.filterwarnings("ignore:.*ill-conditioned|.*singular")
@pytest.mark.parametrize("solve", [normal_equations, sketch_and_precondition_from_zero])
def test_published_experiment_tells_unstable_methods(solve):
    """The bound of the test above is one that methods without refinement break."""
    assert max(heights(solve)[:-1]) > 100 * roundoff("f8")


# -- matrices that are known for breaking solvers ------------------------------------------------


def identity_on_top(rng):
    A = np.zeros((600, 20))
    A[:20] = np.eye(20)
    return A


def one_huge_row(rng):
    A = rng.standard_normal((600, 20))
    A[17] *= 1e12
    return A


def graded_rows(rng):
    return rng.standard_normal((600, 20)) * np.logspace(0, -16, 600)[:, None]


def dummies_with_offset(rng):
    groups = [np.eye(5)[rng.integers(0, 5, 800)] for _ in range(3)]
    return np.concatenate([np.ones((800, 1)), *groups, 1e9 + rng.standard_normal((800, 1))], axis=1)


def rare_dummies(rng):
    A = np.zeros((2000, 20))
    A[:, 0] = 1
    A[37 * np.arange(1, 20), np.arange(1, 20)] = 1
    return A


def vandermonde(rng):
    return np.vander(np.linspace(-1, 1, 900), 25)


def filip(rng):
    return np.vander(np.linspace(-8.78, -3.13, 82), 11)


def hilbert(rng):
    return np.tile(scipy.linalg.hilbert(12), (60, 1))


def lauchli(rng):
    return np.concatenate([np.ones((1, 25)), 1e-8 * np.eye(25), np.zeros((500, 25))])


def nearly_equal_columns(rng):
    A = rng.standard_normal((600, 20))
    A[:, 1] = A[:, 0] + 1e-12 * rng.standard_normal(600)
    return A


def unlucky_sample(rng):
    """Rows from all over the data are well conditioned; the rest is not."""
    A = rng.standard_normal((30000, 12))
    A[:, 1] = A[:, 0]
    A[:900, 1] += rng.standard_normal(900)
    return A


def slightly_tall(rng):
    return rng.standard_normal((45, 40))


NASTY = (
    identity_on_top, one_huge_row, graded_rows, dummies_with_offset, rare_dummies, vandermonde,
    filip, hilbert, lauchli, nearly_equal_columns, unlucky_sample, slightly_tall,
)  # fmt: skip


@pytest.mark.parametrize("make", NASTY)
@pytest.mark.parametrize("method", METHODS)
def test_nasty_matrices(make, method):
    rng = np.random.default_rng(SEED)
    A = make(rng)
    b = rng.standard_normal(A.shape[0])
    u = roundoff("f8")
    for right in (b, A @ np.ones(A.shape[1])):
        result = lrla.lstsq(A, right, method=method, rng=SEED)
        true = backward_error(A, right, result.x, rank=result.rank)
        assert true <= 10 * u
        assert max(result.info.backward_error, u) >= true / 4


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("cond", [1e8, 3e8, 1e10, 1e12])
def test_gram_does_not_trust_a_lucky_cholesky(seed, cond):
    """Rounding may leave a Gram matrix positive definite that has lost its smallest direction."""
    A, b, _ = problem(seed, 600, 30, cond, 1e-2)
    result = lrla.lstsq(A, b, method="gram", rng=SEED)
    assert backward_error(A, b, result.x, rank=result.rank) <= 10 * roundoff("f8")
    s = np.linalg.svd(A / np.linalg.norm(A, axis=0), compute_uv=False)
    assert 1 / 3 <= result.info.condition / (s[0] / s[result.rank - 1]) <= 3
    if cond >= 1e10:
        assert result.info.method == "spir"
        assert "lost digits" in result.info.reason


@pytest.mark.parametrize("method", METHODS)
def test_single_precision_at_condition_1e5(method):
    A, b, _ = problem(SEED, 2000, 30, 1e5, 1e-2, "f4")
    result = lrla.lstsq(A, b, method=method, rng=SEED)
    assert result.x.dtype == np.float32
    assert backward_error(A, b, result.x, rank=result.rank) <= 10 * roundoff("f4")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ridge", [1e-300, 1e-20, 1e-12, 1e-4, 1e8, 1e300])
def test_ridge_of_any_size_is_solved_backward_stably(method, ridge):
    A, b, _ = problem(SEED, 600, 20, 1e10, 1e-2)
    result = lrla.lstsq(A, b, method=method, ridge=ridge, rng=SEED)
    rows, right = augmented(A, b, ridge=ridge)
    assert backward_error(rows, right, result.x, rank=result.rank) <= 10 * roundoff("f8")


def test_longley():
    """Certified coefficients of NIST's Longley data, which single-pass formulas get wrong."""
    A = np.array(LONGLEY)
    b = A[:, 0].copy()
    A[:, 0] = 1
    certified = [
        -3482258.63459582, 15.0618722713733, -0.0358191792925910, -2.02022980381683,
        -1.03322686717359, -0.0511041056535807, 1829.15146461355,
    ]  # fmt: skip
    for method in METHODS:
        x = lrla.lstsq(A, b, method=method, rng=SEED).x
        np.testing.assert_allclose(x, certified, rtol=1e-9)


# employment; deflator, GNP, unemployed, armed forces, population, year (NIST StRD, linear: Longley)
LONGLEY = [
    [60323, 83.0, 234289, 2356, 1590, 107608, 1947],
    [61122, 88.5, 259426, 2325, 1456, 108632, 1948],
    [60171, 88.2, 258054, 3682, 1616, 109773, 1949],
    [61187, 89.5, 284599, 3351, 1650, 110929, 1950],
    [63221, 96.2, 328975, 2099, 3099, 112075, 1951],
    [63639, 98.1, 346999, 1932, 3594, 113270, 1952],
    [64989, 99.0, 365385, 1870, 3547, 115094, 1953],
    [63761, 100.0, 363112, 3578, 3350, 116219, 1954],
    [66019, 101.2, 397469, 2904, 3048, 117388, 1955],
    [67857, 104.6, 419180, 2822, 2857, 118734, 1956],
    [68169, 108.4, 442769, 2936, 2798, 120445, 1957],
    [66513, 110.8, 444546, 4681, 2637, 121950, 1958],
    [68655, 112.6, 482704, 3813, 2552, 123366, 1959],
    [69564, 114.2, 502601, 3931, 2514, 125368, 1960],
    [69331, 115.7, 518173, 4806, 2572, 127852, 1961],
    [70551, 116.9, 554894, 4007, 2827, 130081, 1962],
]


def test_gram_sees_directions_that_rounding_mixed():
    """Two small singular values, the larger at the level of the Gram matrix's rounding errors.

    The smallest computed direction is then a mixture of both and tells nothing by itself.
    """
    u = roundoff("f4")
    for seed in range(200):
        A, b, _ = problem(seed, 180, 3, 0.3 / u, 1e-3, "f4")
        result = lrla.lstsq(A, b, method="gram", rng=seed)
        assert result.info.method == "spir"
        assert backward_error(A, b, result.x, rank=result.rank) <= 10 * u
