"""`StreamingLstsq`: L13, any order and any split of the rows give the same sketch."""

import pickle

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from hypothesis import given
from hypothesis import strategies as st

from lrla import regression as R

FAMILIES = ("sparse_sign", "gaussian", "rademacher", "countsketch")


def rows(seed, m=400, n=5):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, n))
    return A, A @ np.arange(1.0, n + 1) + 0.1 * rng.standard_normal(m)


def integers(seed, m=400, n=5):
    rng = np.random.default_rng(seed)
    return rng.integers(-50, 50, (m, n)).astype(float), rng.integers(-9, 9, m).astype(float)


def stream(A, b, cuts, order=None, **options):
    out = R.StreamingLstsq(A.shape[1], rng=77, **options)
    pieces = list(zip([0, *cuts], [*cuts, len(b)], strict=True))
    for k in range(len(pieces)) if order is None else order:
        first, last = pieces[k]
        out.partial_fit(A[first:last], b[first:last], row_offset=first)
    return out


@given(
    seed=st.integers(0, 2**32 - 1),
    cuts=st.lists(st.integers(0, 400), max_size=5).map(sorted),
    data=st.data(),
)
def test_L13_order_and_split_do_not_matter(seed, cuts, data):
    A, b = integers(seed)
    order = data.draw(st.permutations(range(len(cuts) + 1)))
    one = stream(A, b, [], family="countsketch", d=60)
    many = stream(A, b, cuts, order, family="countsketch", d=60)
    assert np.array_equal(one._SA, many._SA)  # sums of integers: exact in any order
    assert np.array_equal(one._SB, many._SB)
    assert many.n_rows == 400
    assert many.squares == b @ b


@pytest.mark.parametrize("family", FAMILIES)
def test_L13_merge_is_the_sum(family):
    A, b = rows(31)
    one = stream(A, b, [], family=family, d=50)
    left = R.StreamingLstsq(5, 50, family=family, rng=77)
    right = R.StreamingLstsq(5, 50, family=family, rng=77)
    right.partial_fit(A[150:], b[150:], row_offset=150)
    left.partial_fit(scipy.sparse.csr_array(A[:150]), b[:150])
    before = right.solve().x
    left.merge(right)
    np.testing.assert_allclose(left.solve().x, one.solve().x, rtol=1e-9)
    assert np.array_equal(right.solve().x, before)
    empty = R.StreamingLstsq(5, 50, family=family, rng=77)
    empty.merge(left)
    assert np.array_equal(empty.solve().x, left.solve().x)


def test_it_solves_the_sketch_of_all_rows():
    A, b = rows(8)
    s = stream(A, b, [100, 101, 350], d=70)
    S = s.sketch
    SA, Sb = S.apply(A, rows=slice(0, 400)), S.apply(b, rows=slice(0, 400))
    np.testing.assert_allclose(s.solve().x, np.linalg.lstsq(SA, Sb)[0], rtol=1e-9)
    ridge = np.linalg.solve(SA.T @ SA + 3 * np.eye(5), SA.T @ Sb)
    np.testing.assert_allclose(s.solve(ridge=3.0).x, ridge, rtol=1e-9)
    assert s.solve().info.degrees_of_freedom == 65


def test_blocks_follow_each_other_by_default():
    A, b = rows(8)
    s = R.StreamingLstsq(5, 70, rng=77)
    for a in range(0, 400, 64):
        s.partial_fit(A[a : a + 64], b[a : a + 64])
    np.testing.assert_allclose(s.solve().x, stream(A, b, [], d=70).solve().x, rtol=1e-9)


def test_downdate_takes_rows_out():
    A, b = rows(8)
    s = stream(A, b, [100], d=70)
    s.downdate(A[60:140], b[60:140], 60)
    assert s.n_rows == 320
    kept = R.StreamingLstsq(5, 70, rng=77)
    kept.partial_fit(A[:60], b[:60], row_offset=0)
    kept.partial_fit(A[140:], b[140:], row_offset=140)
    np.testing.assert_allclose(s.solve().x, kept.solve().x, rtol=1e-8)
    s.partial_fit(A[60:140], b[60:140], row_offset=60)
    assert s.n_rows == 400


@pytest.mark.parametrize("left", [1, 3])
@pytest.mark.parametrize("size", [1.0, 1e150, 1e-150])
def test_rounding_errors_of_rows_that_are_gone_are_no_data(left, size):
    A, b = rows(8)
    b = b + np.random.default_rng(8).standard_normal(400)
    s = stream(A * size, b, [200], d=70)
    s.downdate(A[left:] * size, b[left:], left)
    result = s.solve()
    assert (s.n_rows, result.rank) == (left, left)
    np.testing.assert_allclose(A[:left] @ result.x * size, b[:left], rtol=1e-9)
    s.downdate(A[:left] * size, b[:left], 0)
    assert (s.n_rows, s.squares) == (0, 0)
    with pytest.raises(ValueError, match="partial_fit must come before solve: there are no rows"):
        s.solve()
    s.partial_fit(A[:, :5] * size, np.stack([b, b], axis=1))  # as if it were new
    assert s.solve().rank == 5


def test_a_column_that_vanished_leaves_the_others_as_they_were():
    A, b = rows(8)
    A[:200, 2] = 0
    A[200:, 2] *= 1e10
    s = stream(A, b, [200], d=70)
    s.downdate(A[200:], b[200:], 200)
    kept = stream(np.delete(A, 2, axis=1)[:200], b[:200], [], d=70)
    result = s.solve()
    assert result.rank == 4
    np.testing.assert_allclose(np.delete(result.x, 2), kept.solve().x, rtol=1e-6)


def test_empty_blocks_are_no_rows():
    A, b = rows(8)
    s = R.StreamingLstsq(5, 70, rng=77)
    s.partial_fit(A[:0], b[:0])
    with pytest.raises(ValueError, match="there are no rows"):
        s.solve()
    s.partial_fit(A, b)
    s.downdate(A[:0], b[:0], 10)
    assert s.n_rows == 400


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_complex_right_hand_sides_of_real_rows(backend, dtype):
    A, b = rows(8)
    A = A.astype(dtype)
    both = (b * (1 + 2j)).astype("c8" if dtype == "f4" else "c16")
    want = stream(A, b, [100], d=70).solve()
    s = R.StreamingLstsq(5, 70, rng=77)
    for part, right in ((slice(0, 100), both), (slice(100, 400), both)):
        s.partial_fit(backend.asarray(A[part]), backend.asarray(right[part]))
    got, tolerance = s.solve(), 1e-4 if dtype == "f4" else 1e-9
    np.testing.assert_allclose(backend.to_numpy(got.x), want.x * (1 + 2j), rtol=tolerance)
    np.testing.assert_allclose(got.residual_norm, want.residual_norm * 5**0.5, rtol=tolerance)
    np.testing.assert_allclose(s.squares, 5 * b @ b, rtol=1e-5)


def test_blocks_may_turn_complex():
    A, b = rows(8)
    C, c = A[200:] * (1 + 1j), b[200:] * 1j
    s = R.StreamingLstsq(5, 70, rng=77)
    s.partial_fit(A[:200], b[:200])
    s.partial_fit(C, c)
    S = s.sketch.apply(np.eye(400), rows=slice(0, 400))
    want = np.linalg.lstsq(S @ np.concatenate([A[:200], C]), S @ np.concatenate([b[:200], c]))[0]
    np.testing.assert_allclose(s.solve().x, want, rtol=1e-9)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e150])
def test_right_hand_sides_of_any_size(size):
    A, b = rows(8)
    want, got = stream(A, b, [100], d=70).solve(), stream(A, b * size, [100], d=70).solve()
    np.testing.assert_allclose(got.x / size, want.x, rtol=1e-9)
    np.testing.assert_allclose(got.residual_norm / size, want.residual_norm, rtol=1e-9)
    np.testing.assert_allclose(got.standard_errors / size, want.standard_errors, rtol=1e-9)


def test_several_right_hand_sides_and_pickling():
    A, b = rows(8)
    B = np.stack([b, 2 * b], axis=1)
    s = R.StreamingLstsq(5, 70, rng=77)
    s.partial_fit(A, B)
    again = pickle.loads(pickle.dumps(s))
    again.partial_fit(A, B)
    s.partial_fit(A, B)
    assert np.array_equal(s.solve().x, again.solve().x)
    np.testing.assert_allclose(s.solve().x[:, 1], 2 * s.solve().x[:, 0], rtol=1e-9)
    np.testing.assert_allclose(s.squares, 2 * np.array([b @ b, 4 * b @ b]))


def test_array_libraries_agree(backend):
    A, b = rows(8)
    want = stream(A, b, [100], d=70).solve()
    s = R.StreamingLstsq(5, 70, rng=77)
    s.partial_fit(backend.asarray(A[:100]), backend.asarray(b[:100]))
    s.partial_fit(backend.asarray(A[100:]), backend.asarray(b[100:]))
    np.testing.assert_allclose(backend.to_numpy(s.solve().x), want.x, rtol=1e-9)


def test_mistakes_are_named_and_change_nothing():
    A, b = rows(8)
    s = stream(A[:200], b[:200], [], d=70)
    before = s.solve().x
    with pytest.raises(ValueError, match=r"rows 199:210 overlap rows seen before"):
        s.partial_fit(A[199:210], b[199:210], row_offset=199)
    with pytest.raises(ValueError, match=r"rows 190:210 are not all among those seen"):
        s.downdate(A[190:210], b[190:210], 190)
    with pytest.raises(ValueError, match="A must be finite, got NaN"):
        s.partial_fit(np.full((3, 5), np.nan), np.ones(3))
    with pytest.raises(ValueError, match="b must be finite"):
        s.partial_fit(np.ones((3, 5)), np.array([1, np.inf, 1]))
    with pytest.raises(ValueError, match=r"A must have 5 columns and b as many rows as A"):
        s.partial_fit(A[:, :4], b)
    with pytest.raises(ValueError, match="b must have 1 columns like before, got 2"):
        s.partial_fit(A, np.ones((400, 2)))
    with pytest.raises(ValueError, match="row_offset must be between 0"):
        s.partial_fit(A, b, row_offset=-1)
    for bad in (2.7, np.nan, "2", None):
        with pytest.raises(ValueError, match=f"row_offset must be an integer, got {bad!r}"):
            s.downdate(A, b, row_offset=bad)
    with pytest.raises(ValueError, match=r"row_offset must be an integer, got 2.7"):
        s.partial_fit(A, b, row_offset=2.7)
    with pytest.raises(ValueError, match="b must have squares whose sum is finite; scale it down"):
        s.partial_fit(A, b * 1e300)
    with pytest.raises(ValueError, match="b must have squares whose sum is finite; scale it down"):
        s.partial_fit(A.astype("f4"), b * 1e100)
    with pytest.raises(ValueError, match="A must be of moderate size, for sums of its rows over"):
        s.partial_fit(np.full((400, 5), 1.7e308), b)
    with pytest.raises(ValueError, match=r"A must be finite, .* index \(7, 2\)"):
        s.partial_fit(np.where(np.arange(2000).reshape(400, 5) == 37, np.inf, A), b)
    with pytest.raises(TypeError, match="other must be a StreamingLstsq, got int"):
        s.merge(3)
    with pytest.raises(ValueError, match="streams must have equal sketches"):
        s.merge(R.StreamingLstsq(5, 70, rng=78))
    with pytest.raises(ValueError, match="overlap rows seen before"):
        s.merge(stream(A, b, [], d=70))
    assert np.array_equal(s.solve().x, before)
    assert s.n_rows == 200


def test_mistakes_in_making_one_are_named():
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        R.StreamingLstsq(0)
    with pytest.raises(ValueError, match=r"n must be an integer, got 3.5"):
        R.StreamingLstsq(3.5, 20)
    with pytest.raises(ValueError, match=r"d must be an integer, got 20.5"):
        R.StreamingLstsq(3, 20.5)
    with pytest.raises(ValueError, match=r"d must be at least n \+ 2 = 7, got 6"):
        R.StreamingLstsq(5, 6)
    with pytest.raises(ValueError, match=r"family must be one of sparse_sign, .*, got 'srht'"):
        R.StreamingLstsq(5, family="srht")
    with pytest.raises(ValueError, match="partial_fit must come before solve"):
        R.StreamingLstsq(5).solve()
    operator = scipy.sparse.linalg.aslinearoperator(np.ones((3, 5)))
    with pytest.raises(TypeError, match="got a linear operator"):
        R.StreamingLstsq(5).partial_fit(operator, np.ones(3))
