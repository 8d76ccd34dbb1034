"""`sketch_and_solve`: L11 (intervals and estimates), L12 (l_inf), sizes, shapes, words."""

import math

import dask.array as da
import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from lrla import regression as R
from lrla import sketch

FAMILIES = ("gaussian", "rademacher", "sparse_sign", "srht", "srtt")


def problem(seed, m=3000, n=10, p=None):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, n)) * rng.uniform(0.1, 10, n)
    shape = (m,) if p is None else (m, p)
    return A, rng.standard_normal(shape) + A.sum(axis=1).reshape((m,) + (1,) * (len(shape) - 1))


def exact(A, b):
    return np.linalg.lstsq(A, b)[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_the_solution_of_the_sketched_problem(family):
    A, b = problem(7301)
    result = R.sketch_and_solve(A, b, d=200, family=family, rng=55)
    S = sketch.make(family, 200, 3000, rng=55)
    assert result.info.sketch == S
    np.testing.assert_allclose(result.x, exact(S @ A, S @ b), rtol=1e-10)
    # standard errors of ordinary least squares on the sketched rows, by the textbook
    r = S @ b - S @ A @ result.x
    covariance = np.linalg.inv((S @ A).T @ (S @ A)) * (r @ r) / (200 - 10)
    np.testing.assert_allclose(result.standard_errors, np.sqrt(np.diag(covariance)), rtol=1e-9)
    low, high = result.confidence_interval(0.9)
    t = scipy.stats.t.ppf(0.95, 190)
    np.testing.assert_allclose(high - low, 2 * t * result.standard_errors, rtol=1e-9)
    np.testing.assert_allclose((high + low) / 2, result.x, rtol=1e-9)
    assert result.info.degrees_of_freedom == 190
    assert math.isclose(result.residual_norm, np.linalg.norm(r) * math.sqrt(200 / 190))


@pytest.mark.statistical
@pytest.mark.parametrize("family", FAMILIES)
def test_L11_intervals_cover_and_errors_are_estimated(family):
    # 400 sketches, intervals of 95 %: coverage of one coefficient each time, in [.92, .98] but for
    # a probability below 1e-2 of a binomial with .95 (two-sided; .985 two standard errors away)
    A, b = problem(90217)
    x = exact(A, b)
    fit = np.linalg.norm
    inside, ratio = np.empty((400, 10)), np.empty(400)
    for k, seed in enumerate(np.random.SeedSequence(4471).generate_state(400)):
        result = R.sketch_and_solve(A, b, d=120, family=family, rng=int(seed))
        low, high = result.confidence_interval(0.95)
        inside[k] = (low <= x) & (x <= high)
        ratio[k] = fit(A @ (result.x - x)) / result.info.error_estimate
    assert 0.92 <= inside.mean() <= 0.98
    assert 0.9 <= np.median(ratio) <= 1.15
    narrow = [R.sketch_and_solve(A, b, d=120, family=family, rng=s) for s in range(60)]
    covered = [np.mean(np.abs(r.x - x) <= 0.5 * r.standard_errors) for r in narrow]
    assert np.mean(covered) < 0.6  # intervals a quarter as wide cover what they should: 38 %


@pytest.mark.statistical
def test_the_law_of_the_error_is_students_for_gaussian_sketches():
    # Kolmogorov-Smirnov at 1e-6: (x - x_exact)_0 / se_0 against t with d - n degrees of freedom
    A, b = problem(61803)
    x = exact(A, b)
    z = [
        float((r.x - x)[0] / r.standard_errors[0])
        for seed in np.random.SeedSequence(271).generate_state(600)
        for r in [R.sketch_and_solve(A, b, d=24, family="gaussian", rng=int(seed))]
    ]
    assert scipy.stats.kstest(z, "t", args=(14,)).pvalue > 1e-6
    assert scipy.stats.kstest(z, "norm", args=(0, 0.5)).pvalue < 1e-6  # the test can fail


@pytest.mark.statistical
def test_the_mean_excess_is_that_of_the_formula():
    # E |A (x - x*)|^2 = n / (d - n - 1) |r|^2 for Gaussian sketches: 600 draws, 5 standard errors
    A, b = problem(1123)
    x = exact(A, b)
    r2 = np.sum((b - A @ x) ** 2)
    excess = [
        np.sum((A @ (R.sketch_and_solve(A, b, d=60, family="gaussian", rng=int(s)).x - x)) ** 2)
        for s in np.random.SeedSequence(83).generate_state(600)
    ]
    wanted = 10 / (60 - 10 - 1) * r2
    assert abs(np.mean(excess) - wanted) < 5 * np.std(excess) / math.sqrt(600)


def adversary(n=64, m=4096):
    """A = [I; 0], b = e_(n+1): x = 0, and a collision puts all of b into one coefficient."""
    A = np.zeros((m, n))
    A[:n] = np.eye(n)
    b = np.zeros(m)
    b[n] = 1.0
    return A, b


@pytest.mark.statistical
def test_L12_dense_sketches_keep_the_linf_guarantee_and_countsketch_breaks_it():
    A, b = adversary()
    n = 64

    def errors(family, d):
        return np.array(
            [
                math.sqrt(n) * np.abs(
                    R.sketch_and_solve(A, b, guarantee="linf", family=family, d=d, force=True,
                                       rng=int(s)).x
                ).max()
                for s in np.random.SeedSequence(977).generate_state(100)
            ]
        )  # fmt: skip

    eps, delta = 1.3, 0.01
    d = math.ceil(n * (1 + 2 * math.log(2 * n / delta) / eps**2))
    for family in ("gaussian", "srht"):
        assert np.quantile(errors(family, d), 0.99) <= eps
    # one column of 64 is hit with probability 1 - (1 - 1/d)^64: a few of the draws, and by sqrt(n)
    assert errors("countsketch", d).max() > 0.9 * math.sqrt(n)
    assert errors("countsketch", 32 * n).max() > 0.9 * math.sqrt(n)  # however many rows


def test_linf_bound_is_evaluated_and_sized():
    A, b = problem(3302)
    result = R.sketch_and_solve(A, b, guarantee="linf", eps=0.7, rng=12)
    assert result.info.sketch.family == "srht"
    assert result.info.sketch.d == math.ceil(10 * (1 + 2 * math.log(20 / 0.01) / 0.49))
    x = exact(A, b)
    bound = 0.7 / math.sqrt(10) * np.linalg.norm(b - A @ x) / np.linalg.svd(A)[1][-1]
    assert 0.5 * bound < result.info.max_error_estimate < 2 * bound
    assert np.abs(result.x - x).max() <= result.info.max_error_estimate
    theory = R.sketch_and_solve(A, b, guarantee="linf", eps=3.0, sizing="theory", rng=12)
    assert theory.info.sketch.d == math.ceil(10 * math.log(3000 / 0.01) ** 3 / 9)


@pytest.mark.statistical
@pytest.mark.parametrize("family", ["gaussian", "srht"])
@pytest.mark.parametrize("d", [22, 30, 80, 400])
def test_linf_bound_holds_for_the_rows_that_were_given(family, d):
    # it may fail with probability 0.05 each: at most 20 of 120, but for 1e-6 of a binomial
    rng = np.random.default_rng(90210)
    A = np.linalg.qr(rng.standard_normal((2000, 20)))[0]
    b = rng.standard_normal(2000)
    x, ratios = exact(A, b), []
    for seed in range(120):
        result = R.sketch_and_solve(
            A, b, guarantee="linf", eps=0.01, d=d, delta=0.05, family=family, rng=seed
        )
        ratios.append(np.abs(result.x - x).max() / result.info.max_error_estimate)
    assert np.sum(np.array(ratios) > 1) <= 20
    assert np.median(ratios) > 0.01  # and it is no bound that says nothing


def test_linf_bound_of_exact_answers_and_of_none():
    A, b = problem(3302)
    assert R.sketch_and_solve(A, b, guarantee="linf", d=3000).info.max_error_estimate == 0
    assert R.sketch_and_solve(A, b, guarantee="linf", eps=1e-3).info.max_error_estimate == 0
    none = R.sketch_and_solve(A, np.ones((3000, 0)), guarantee="linf", d=100)
    assert none.info.max_error_estimate == 0
    assert none.x.shape == (10, 0)
    tiny = R.sketch_and_solve(A * 1e-305, b * 1e-305, guarantee="linf", d=100, rng=3)
    want = R.sketch_and_solve(A, b, guarantee="linf", d=100, rng=3)
    np.testing.assert_allclose(
        tiny.info.max_error_estimate, want.info.max_error_estimate, rtol=1e-6
    )


@pytest.mark.parametrize("guarantee", ["l2", "linf"])
@pytest.mark.parametrize("eps", [1e-170, 5e-324])
def test_accuracies_of_any_size(guarantee, eps):
    A, b = problem(44)
    for sizing in ("calibrated", "theory"):
        result = R.sketch_and_solve(A, b, eps=eps, guarantee=guarantee, sizing=sizing)
        assert result.info.sketch is None


@pytest.mark.parametrize(
    "family",
    ["less", "row_sample", "very_sparse", "countsketch", "sparse_sign", "sparse_uniform"],
)
@pytest.mark.parametrize("kind", ["dense", "csr", "dask", "operator"])
def test_no_family_passes_over_rows_that_are_not_finite(family, kind):
    A, b = problem(9, m=5000, n=5)
    A[77, 2] = np.nan
    data = {
        "dense": A,
        "csr": scipy.sparse.csr_array(A),
        "dask": da.from_array(A, chunks=(1000, 5)),
        "operator": scipy.sparse.linalg.aslinearoperator(A),
    }[kind]
    where = r"in row 77 of its product" if kind == "operator" else r"at index \(77, 2\)"
    for seed in range(3):
        with pytest.raises(ValueError, match=rf"^A must .*finite.*, got NaN or infinity {where}"):
            R.sketch_and_solve(data, b, family=family, d=30, rng=seed)


def test_results_beyond_the_range_are_refused():
    A, b = problem(44)
    with pytest.raises(
        ValueError, match=r"^x must be within the range of floating point, up to 2e"
    ):
        R.sketch_and_solve(A * 1e-200, b * 1e200)
    both = R.sketch_and_solve(A * 1e-200, (1 + 1j) * b * 1e-200, rng=1)
    want = R.sketch_and_solve(A, (1 + 1j) * b, rng=1)
    np.testing.assert_allclose(both.x, want.x, rtol=1e-9)
    np.testing.assert_allclose(both.standard_errors, want.standard_errors, rtol=1e-9)
    np.testing.assert_allclose(both.residual_norm * 1e200, want.residual_norm, rtol=1e-9)


def test_eps_sets_the_size():
    A, b = problem(44)
    for eps, d in ((0.5, 51), (0.2, 261), (2.0, 40)):
        assert R.sketch_and_solve(A, b, eps=eps, rng=1).info.sketch.d == d


def test_all_rows_give_the_exact_answer():
    A, b = problem(5)
    result = R.sketch_and_solve(A, b, d=3000, rng=1)
    assert result.info.sketch is None
    np.testing.assert_allclose(result.x, exact(A, b), rtol=1e-10)
    assert not result.standard_errors.any()
    low, high = result.confidence_interval()
    assert np.array_equal(low, high)
    assert result.info.error_estimate == 0


def test_averaging_is_the_mean_and_divides_the_variance():
    A, b = problem(71)
    result = R.sketch_and_solve(A, b, d=100, n_sketches=4, rng=9)
    first = R.sketch_and_solve(A, b, d=100, rng=9)
    assert not np.allclose(result.x, first.x)
    assert np.all(result.standard_errors < 0.75 * first.standard_errors)
    assert result.info.degrees_of_freedom == 4 * 90
    x = exact(A, b)
    one = [np.sum((R.sketch_and_solve(A, b, d=100, rng=s).x - x) ** 2) for s in range(80)]
    four = [
        np.sum((R.sketch_and_solve(A, b, d=100, n_sketches=4, rng=s).x - x) ** 2) for s in range(80)
    ]
    assert np.mean(four) < 0.5 * np.mean(one)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 12), p=st.integers(1, 3))
def test_columns_are_solved_like_vectors(seed, n, p):
    A, b = problem(seed, m=200, n=n, p=p)
    d = n + 2 + seed % 60
    many = R.sketch_and_solve(A, b, d=d, rng=seed)
    for j in range(p):
        one = R.sketch_and_solve(A, b[:, j], d=d, rng=seed)
        np.testing.assert_allclose(many.x[:, j], one.x, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(many.standard_errors[:, j], one.standard_errors, rtol=1e-9)
        np.testing.assert_allclose(many.residual_norm[j], one.residual_norm, rtol=1e-9)


def test_kinds_of_data_agree(backend):
    A, b = problem(6411)
    want = R.sketch_and_solve(A, b, eps=0.3, rng=6)
    got = R.sketch_and_solve(backend.asarray(A), backend.asarray(b), eps=0.3, rng=6)
    np.testing.assert_allclose(backend.to_numpy(got.x), want.x, rtol=1e-10)
    np.testing.assert_allclose(
        backend.to_numpy(got.standard_errors), want.standard_errors, rtol=1e-9
    )


def test_sparse_weighted_complex_and_scaled_data_agree():
    A, b = problem(812)
    A[np.abs(A) < 2] = 0
    want = R.sketch_and_solve(A, b, eps=0.3, rng=6)
    for other in (scipy.sparse.csr_array(A), scipy.sparse.csc_array(A), np.asfortranarray(A)):
        np.testing.assert_allclose(R.sketch_and_solve(other, b, eps=0.3, rng=6).x, want.x)
    w = np.random.default_rng(5).uniform(0, 3, 3000)
    weighted = R.sketch_and_solve(A, b, eps=0.3, weights=w, rng=6)
    rows = np.sqrt(w)
    plain = R.sketch_and_solve(rows[:, None] * A, rows * b, eps=0.3, rng=6)
    np.testing.assert_allclose(weighted.x, plain.x, rtol=1e-9)
    both = R.sketch_and_solve(A, b + 2j * b, eps=0.3, rng=6)
    np.testing.assert_allclose(both.x, (1 + 2j) * want.x, rtol=1e-9)
    np.testing.assert_allclose(both.standard_errors, math.sqrt(5) * want.standard_errors)
    huge = R.sketch_and_solve(A * 1e200, b, eps=0.3, rng=6)
    np.testing.assert_allclose(huge.x * 1e200, want.x, rtol=1e-9)
    np.testing.assert_allclose(huge.standard_errors * 1e200, want.standard_errors, rtol=1e-9)


def test_a_dependent_column_gives_least_norm_and_its_rank():
    A, b = problem(90)
    A = np.concatenate([A, A[:, :1]], axis=1)
    result = R.sketch_and_solve(A, b, eps=0.3, rng=6)
    assert result.rank == 10
    S = result.info.sketch
    np.testing.assert_allclose(result.x, np.linalg.pinv(S @ A, rcond=1e-12) @ (S @ b), rtol=1e-8)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"eps": 0.0}, r"eps must be positive, got 0.0"),
        ({"delta": 1.0}, r"delta must be between 0 and 1, got 1.0"),
        ({"guarantee": "l1"}, r"guarantee must be 'l2' or 'linf', got 'l1'"),
        ({"sizing": "guess"}, r"sizing must be 'calibrated' or 'theory', got 'guess'"),
        ({"d": 11}, r"d must be at least n \+ 2 = 12, got 11"),
        ({"n_sketches": 0}, r"n_sketches must be at least 1, got 0"),
        ({"n_sketches": 2.5}, r"n_sketches must be an integer, got 2.5"),
        ({"d": 50.5}, r"d must be an integer, got 50.5"),
        ({"d": 5000.5}, r"d must be an integer, got 5000.5"),
        ({"eps": math.nan}, r"eps must be positive, got nan"),
        ({"family": "nope"}, r"family must be one of 'gaussian', .*, got 'nope'"),
        ({"guarantee": "linf", "family": "countsketch"}, r"sparse sketch can err by sqrt\(n\)"),
        ({"guarantee": "linf", "family": "sparse_sign"}, r"force=True uses it all the same"),
    ],
)
def test_mistakes_are_named(change, words):
    A, b = problem(3)
    with pytest.raises(ValueError, match=words):
        R.sketch_and_solve(A, b, **change)


def test_other_mistakes_are_named():
    A, b = problem(3)
    with pytest.raises(
        ValueError, match=r"at least as many rows as columns, got shape \(10, 3000\)"
    ):
        R.sketch_and_solve(A.T, np.ones(10))
    with pytest.raises(ValueError, match="finite"):
        R.sketch_and_solve(np.where(A > 5, np.nan, A), b)
    with pytest.raises(ValueError, match="level must be between 0 and 1, got 95"):
        R.sketch_and_solve(A, b).confidence_interval(95)
