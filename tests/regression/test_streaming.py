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
    with pytest.raises(ValueError, match="streams must have equal sketches"):
        s.merge(R.StreamingLstsq(5, 70, rng=78))
    with pytest.raises(ValueError, match="overlap rows seen before"):
        s.merge(stream(A, b, [], d=70))
    assert np.array_equal(s.solve().x, before)
    assert s.n_rows == 200


def test_mistakes_in_making_one_are_named():
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        R.StreamingLstsq(0)
    with pytest.raises(ValueError, match=r"d must be at least n \+ 2 = 7, got 6"):
        R.StreamingLstsq(5, 6)
    with pytest.raises(ValueError, match=r"family must be one of sparse_sign, .*, got 'srht'"):
        R.StreamingLstsq(5, family="srht")
    with pytest.raises(ValueError, match="partial_fit must come before solve"):
        R.StreamingLstsq(5).solve()
    operator = scipy.sparse.linalg.aslinearoperator(np.ones((3, 5)))
    with pytest.raises(TypeError, match="got a linear operator"):
        R.StreamingLstsq(5).partial_fit(operator, np.ones(3))
