"""Volume sampling: its law, its identities by enumeration, and regression from few labels."""

import itertools
import math

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import aslinearoperator

import lrla
from lrla.dpp import RankError, SamplingError, volume_lstsq, volume_sample
from lrla.testing import sets_p_value

ALARM = 1e-5


def data(n=8, d=3, seed=90210):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), rng.standard_normal(n)


def plain_law(A, k, ridge=0.0):
    d = A.shape[1]
    sets = itertools.combinations(range(len(A)), k)
    law = {S: np.linalg.det(A[list(S)].T @ A[list(S)] + ridge * np.eye(d)) for S in sets}
    total = sum(law.values())
    return {S: p / total for S, p in law.items()}, total


def rescaled_law(A, k):
    d = A.shape[1]
    q = np.sum(np.linalg.qr(A)[0] ** 2, axis=1) / d
    law = {}
    for S in itertools.product(range(len(A)), repeat=k):
        rows = A[list(S)] / np.sqrt(q[list(S)])[:, None]
        law[S] = np.linalg.det(rows.T @ rows) * np.prod(q[list(S)])
    total = sum(law.values())
    return {S: p / total for S, p in law.items()}


class TestIdentities:
    """The theorems that the estimators rest on, for the laws that the tests below sample from."""

    @pytest.mark.parametrize("k", [3, 5])
    def test_normalization_and_inverse_moment(self, k):
        (A, _), (n, d) = data(), (8, 3)
        law, total = plain_law(A, k)
        expected = math.comb(n - d, k - d) * np.linalg.det(A.T @ A)
        assert total == pytest.approx(expected, rel=1e-12)
        moment = sum(p * np.linalg.inv(A[list(S)].T @ A[list(S)]) for S, p in law.items())
        factor = (n - d + 1) / (k - d + 1)
        np.testing.assert_allclose(moment, factor * np.linalg.inv(A.T @ A), rtol=1e-12)

    @pytest.mark.parametrize("k", [3, 5])
    def test_plain_estimates_have_no_bias(self, k):
        A, b = data()
        law, _ = plain_law(A, k)
        mean = sum(p * np.linalg.lstsq(A[list(S)], b[list(S)])[0] for S, p in law.items())
        np.testing.assert_allclose(mean, np.linalg.lstsq(A, b)[0], atol=1e-12)

    def test_loss_at_the_smallest_size(self):
        A, b = data()
        law, _ = plain_law(A, 3)
        best = np.linalg.lstsq(A, b)[1][0]
        loss = sum(
            p * np.sum((A @ np.linalg.solve(A[list(S)], b[list(S)]) - b) ** 2)
            for S, p in law.items()
        )
        assert loss == pytest.approx(4 * best, rel=1e-12)
        assert volume_lstsq(A, b, 3, rng=5).info.expected_loss == 4

    def test_rescaled_estimates_have_no_bias(self):
        A, b = data(6, 2)
        q = np.sum(np.linalg.qr(A)[0] ** 2, axis=1) / 2
        mean, gram, inverse = np.zeros(2), np.zeros((2, 2)), np.zeros((2, 2))
        for S, p in rescaled_law(A, 3).items():
            i = list(S)
            if p < 1e-14:  # fewer than two different rows
                continue
            w = 1 / q[i]
            mean += p * np.linalg.lstsq(A[i] * np.sqrt(w)[:, None], b[i] * np.sqrt(w))[0]
            gram += p * (A[i].T * (w / 3)) @ A[i]
            inverse += p * np.linalg.inv((A[i].T * w) @ A[i])
        np.testing.assert_allclose(mean, np.linalg.lstsq(A, b)[0], atol=1e-12)
        ratio = np.linalg.eigvals(inverse @ (A.T @ A)).real * (3 - 2 + 1)
        assert np.all(ratio <= 1 + 1e-12)


@pytest.mark.statistical
class TestLaws:
    @pytest.mark.parametrize("k", [3, 5])
    def test_plain(self, k):
        A, _ = data()
        law, _ = plain_law(A, k)
        draws = [volume_sample(A, k, rescale=None, rng=seed).indices for seed in range(2500)]
        assert all(len(set(S.tolist())) == k for S in draws)
        assert sets_p_value(draws, law) > ALARM

    def test_rescaled(self):
        A, _ = data(5, 2)
        law = rescaled_law(A, 3)
        merged = {}  # p-values for sequences, told apart by a number
        for S, p in law.items():
            merged[(S[0] + 5 * S[1] + 25 * S[2],)] = p
        draws = [volume_sample(A, 3, rescale="leverage", rng=s).indices for s in range(2500)]
        assert sets_p_value([(S[0] + 5 * S[1] + 25 * S[2],) for S in draws], merged) > ALARM

    @pytest.mark.parametrize("k", [2, 4])
    def test_regularized_is_the_reverse_iteration(self, k):
        A, _ = data(6, 3)
        ridge = 0.7
        law = {tuple(range(6)): 1.0}
        for _ in range(6 - k):  # remove one row after the other, by the definition
            smaller = {}
            for S, p in law.items():
                G = np.linalg.inv(A[list(S)].T @ A[list(S)] + ridge * np.eye(3))
                out = np.array([1 - A[i] @ G @ A[i] for i in S])
                for i, weight in zip(S, out / out.sum(), strict=True):
                    T = tuple(j for j in S if j != i)
                    smaller[T] = smaller.get(T, 0) + p * weight
            law = smaller
        draws = [volume_sample(A, k, ridge=ridge, rng=seed).indices for seed in range(2500)]
        assert sets_p_value(draws, law) > ALARM

    def test_regularized_without_ridge_is_plain(self):
        from lrla.kernels.volume import thin

        A, _ = data()
        law, _ = plain_law(A, 4)
        rng = np.random.default_rng(71)
        draws = [thin(A, 0.0, 4, rng.random((400, 2))) for _ in range(2500)]
        assert sets_p_value(draws, law) > ALARM

    def test_leverage_sampling_without_the_volume_fails(self):
        A, _ = data()
        law, _ = plain_law(A, 3)
        p = np.sum(np.linalg.qr(A)[0] ** 2, axis=1) / 3
        rng = np.random.default_rng(72)
        draws = [rng.choice(8, 3, replace=False, p=p) for _ in range(2500)]
        assert sets_p_value(draws, law) < 1e-12


@pytest.mark.parametrize(("k", "rescale"), [(3, None), (5, None), (8, None), (3, "leverage")])
def test_probabilities_of_what_was_drawn(k, rescale):
    n, d = (5, 2) if rescale else (8, 3)
    A, _ = data(n, d)
    law = rescaled_law(A, k) if rescale else plain_law(A, k)[0]
    for seed in range(5):
        sample = volume_sample(A, k, rescale=rescale, rng=seed)
        expected = np.log(law[tuple(sample.indices.tolist())])
        assert sample.info.log_prob == pytest.approx(expected, abs=1e-9)
        assert sample.info.proposals >= d
    assert volume_sample(A, k, ridge=1.0, rng=5).info.log_prob is None


@pytest.mark.statistical
def test_averages_converge_to_the_solution_with_all_rows():
    # where independent draws keep a bias: Derezinski, Warmuth and Hsu 2022, figure 1.1
    A, _ = data(200, 5)
    b = np.max(A, axis=1) ** 2
    x = np.linalg.lstsq(A, b)[0]
    result = volume_lstsq(A, b, 10, n_estimators=3000, rng=5)
    z = (result.x - x) / result.standard_errors
    assert np.max(np.abs(z)) < 5  # heavy tails below 6 moments: false alarm under 1e-5
    few = volume_lstsq(A, b, 10, n_estimators=30, rng=5)
    assert np.linalg.norm(few.standard_errors) > 3 * np.linalg.norm(result.standard_errors)


@pytest.mark.statistical
def test_few_heavy_rows_among_many():
    # plain volume sampling loses what rescaling keeps: Derezinski, Warmuth and Hsu 2018
    # one heavy row for each column, whose weight all light ones together just balance: without
    # rescaling the heavy rows count as if there were no more than half of the light ones
    d, copies = 4, 400
    A = np.vstack([np.eye(d), np.tile(np.eye(d) / np.sqrt(copies), (copies, 1))])
    b = np.concatenate([np.ones(d), np.zeros(d * copies)])
    best = np.linalg.norm(A @ np.linalg.lstsq(A, b)[0] - b) ** 2

    def loss(rescale):
        size = len(A) // 2
        runs = [volume_lstsq(A, b, size, rescale=rescale, rng=s).residual_norm for s in range(20)]
        return float(np.median(np.square(runs))) / best

    assert loss("leverage") < 1.03
    assert loss(None) > 1.08


def test_queries():
    A, b = data(500, 4)
    calls = []

    def measure(rows):
        calls.append(rows)
        return b[rows]

    result = volume_lstsq(A, measure, 9, n_estimators=3, rng=5)
    assert len(calls) == 1
    assert np.array_equal(calls[0], np.unique(calls[0]))
    assert len(calls[0]) <= 27
    assert result.residual_norm is None
    known = volume_lstsq(A, b, 9, n_estimators=3, rng=5)
    assert np.array_equal(known.x, result.x)
    assert known.residual_norm == pytest.approx(np.linalg.norm(A @ known.x - b))
    both = volume_lstsq(A, np.column_stack([b, 2 * b]), 9, n_estimators=3, rng=5)
    np.testing.assert_allclose(both.x, np.column_stack([known.x, 2 * known.x]), rtol=1e-9)
    assert both.residual_norm.shape == (2,)
    assert both.standard_errors.shape == (4, 2)


def test_exact_data_are_recovered_at_any_scale():
    A, _ = data(300, 5)
    A = A * 10.0 ** np.array([-6, 0, 6, 3, -3])
    x = np.arange(1, 6) / np.array([1e-6, 1, 1e6, 1e3, 1e-3])
    np.testing.assert_allclose(volume_lstsq(A, A @ x, 5, rng=5).x, x, rtol=1e-6)
    np.testing.assert_allclose(volume_lstsq(A, A @ x, rng=5).x, x, rtol=1e-6)


def test_ridge_estimates():
    A, b = data(60, 4)
    result = volume_lstsq(A, b, 20, ridge=3.0, rng=5)
    S = result.indices
    expected = np.linalg.solve(A[S].T @ A[S] + 3 * np.eye(4), A[S].T @ b[S])
    np.testing.assert_allclose(result.x, expected, rtol=1e-10)
    with pytest.raises(SamplingError, match="rows are left instead of 1; increase size or ridge"):
        volume_sample(np.random.default_rng(74).standard_normal((20, 9)), 1, ridge=1e-14, rng=5)


@pytest.mark.parametrize("form", [sp.csr_array, sp.csc_array, aslinearoperator])
def test_other_forms(form):
    rng = np.random.default_rng(75)
    A = sp.random_array((400, 5), density=0.4, rng=rng)
    b = rng.standard_normal(400)
    sparse = volume_lstsq(form(A), b, 12, rng=5)
    assert np.array_equal(sparse.indices, volume_lstsq(A.toarray(), b, 12, rng=5).indices)
    np.testing.assert_allclose(sparse.x, volume_lstsq(A.toarray(), b, 12, rng=5).x, rtol=1e-9)


def test_dask():
    da = pytest.importorskip("dask.array")
    A, b = data(400, 4)
    chunked = volume_lstsq(da.from_array(A, chunks=(90, 4)), b, 12, rng=5)
    np.testing.assert_allclose(chunked.x, volume_lstsq(A, b, 12, rng=5).x, rtol=1e-9)


def test_degenerate_shapes():
    A, b = data(5, 5)
    assert list(volume_sample(A, 5, rng=5).indices) == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(volume_lstsq(A, b, rng=5).x, np.linalg.solve(A, b), rtol=1e-6)
    repeated = np.vstack([A[:, :2]] * 2)
    assert len(set(volume_sample(repeated, 2, rng=5).indices.tolist())) == 2
    assert volume_lstsq([[2.0]], [4.0], 1, rng=5).x == pytest.approx(2)
    zero = np.vstack([np.zeros((3, 2)), A[:, :2]])
    for seed in range(20):
        assert min(volume_sample(zero, 4, rescale="leverage", rng=seed).indices) >= 3
    complex_ = volume_lstsq(A[:, :2] * (1 + 1j), b, 4, rng=5)
    assert complex_.x.dtype == complex


def test_every_library(backend):
    A, b = data(60, 3)
    put = backend.asarray
    for options in ({}, {"rescale": None}, {"ridge": 0.5}):
        expected = volume_lstsq(A, b, 6, rng=5, **options)
        found = volume_lstsq(put(A), put(b), 6, rng=5, **options)
        assert np.array_equal(backend.to_numpy(found.indices), expected.indices)
        np.testing.assert_allclose(backend.to_numpy(found.x), expected.x, rtol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 2}, "size must be at least the number of columns, 3, got 2; pass a ridge"),
        ({"size": 9, "rescale": None}, "size must be at most the number of rows, 8, got 9"),
        ({"size": 0}, "size must be a positive integer, got 0"),
        ({"size": 4, "rescale": "row"}, "rescale must be 'auto', 'leverage' or None, got 'row'"),
        ({"size": 4, "ridge": -1.0}, "ridge must be finite and not negative, got -1.0"),
        ({"size": 4, "ridge": 1.0, "rescale": "leverage"}, "rescale must be None with a ridge"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        volume_sample(data()[0], **arguments)


def test_bad_data():
    A, b = data()
    with pytest.raises(ValueError, match="b must have as many rows as A"):
        volume_lstsq(A, b[:4])
    with pytest.raises(ValueError, match="b must be finite"):
        volume_lstsq(A, b * np.nan)
    with pytest.raises(ValueError, match=r"b\(rows\) must return one value for each of"):
        volume_lstsq(A, lambda rows: [1.0])
    with pytest.raises(ValueError, match=r"b\(rows\) must be finite"):
        volume_lstsq(A, lambda rows: np.full(len(rows), np.inf))
    with pytest.raises(ValueError, match="n_estimators must be a positive integer"):
        volume_lstsq(A, b, n_estimators=0)
    with pytest.raises(TypeError, match="A must be a dense array for a ridge"):
        volume_sample(sp.csr_array(A), 4, ridge=1.0)
    with (
        pytest.warns(lrla.RankDeficientWarning),
        pytest.raises(RankError, match="rank 2, less than its 3 columns"),
    ):
        volume_sample(A[:, [0, 1, 1]], 4)
