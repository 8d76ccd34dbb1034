"""Every family once, at one small size, and each as a matrix written down entry by entry."""

import math

import numpy as np
import scipy.fft
import scipy.linalg

from lrla import sketch
from lrla._core.arrays import numpy_space
from lrla._core.random import Domain, tag
from lrla.kernels import philox

D, M = 12, 45  # M is no power of two, D no multiple of 5 nonzeros
DIMS = (5, 9)
SCORES = tuple(1.0 + (7 * i) % 11 for i in range(M))

FAMILIES = {
    "gaussian": lambda rng: sketch.Gaussian(D, M, rng=rng),
    "rademacher": lambda rng: sketch.Rademacher(D, M, rng=rng),
    "sparse_sign": lambda rng: sketch.SparseSign(D, M, rng=rng),
    "sparse_sign_5": lambda rng: sketch.SparseSign(D, M, nnz_per_col=5, rng=rng),
    "sparse_uniform": lambda rng: sketch.SparseUniform(D, M, rng=rng),
    "sparse_uniform_5": lambda rng: sketch.SparseUniform(D, M, nnz_per_col=5, rng=rng),
    "countsketch": lambda rng: sketch.CountSketch(D, M, rng=rng),
    "very_sparse": lambda rng: sketch.VerySparse(D, M, rng=rng),
    "very_sparse_3": lambda rng: sketch.VerySparse(D, M, s=3, rng=rng),
    "less": lambda rng: sketch.LESS(D, M, nnz_per_row=6, rng=rng),
    "less_scores": lambda rng: sketch.LESS(D, M, nnz_per_row=6, probabilities=SCORES, rng=rng),
    "row_sample": lambda rng: sketch.RowSampling(D, M, rng=rng),
    "row_sample_scores": lambda rng: sketch.RowSampling(D, M, probabilities=SCORES, rng=rng),
    "srht": lambda rng: sketch.SRHT(D, M, rng=rng),
    "srht_plain": lambda rng: sketch.SRHT(D, M, permute=False, rng=rng),
    "srht_stream": lambda rng: sketch.SRHT(D, M, stream_block=16, rng=rng),
    "srtt": lambda rng: sketch.SRTT(D, M, rng=rng),
    "srtt_plain": lambda rng: sketch.SRTT(D, M, permute=False, rng=rng),
    "tensor_sketch": lambda rng: sketch.TensorSketch(D, DIMS, rng=rng),
    "tensor_srht": lambda rng: sketch.TensorSRHT(D, DIMS, rng=rng),
    "khatri_rao": lambda rng: sketch.KhatriRao(D, DIMS, rng=rng),
    "khatri_rao_signs": lambda rng: sketch.KhatriRao(D, DIMS, base="rademacher", rng=rng),
    "khatri_rao_normal": lambda rng: sketch.KhatriRao(D, DIMS, base="gaussian", rng=rng),
    "stack": lambda rng: sketch.SparseSign(8, M, nnz_per_col=4, rng=rng).extend(D - 8),
    "stack_srht": lambda rng: sketch.SRHT(8, M, rng=rng).extend(3).extend(1),
}


def _words(S, domain, part, position, count):
    """Words of one position, by the definition of the generator, one position at a time."""
    drawn = philox.words.definition(
        numpy_space(), S.key, tag(domain, part * 4096), position, position + 1, 0, -(-count // 4)
    )
    return drawn[0, :count].tolist()


def _sign(S, domain, part, position, count):
    drawn = philox.sign.definition(
        numpy_space(), S.key, tag(domain, part * 4096), position, position + 1, count
    )
    return drawn[0].astype(float)


def _normals(S, domain, part, position, count):
    drawn = philox.normal.definition(
        numpy_space(), S.key, tag(domain, part * 4096), position, position + 1, count
    )
    return drawn[0].astype(float)


def _permuted(S, part, positions, size, key=None):
    return philox.permute.definition(
        np.asarray(positions, dtype=np.int64),
        key or S.key,
        tag(Domain.SRHT_PERMUTATION, part * 4096),
        size,
    )


def _gaussian(S):
    return np.array([_normals(S, Domain.NORMAL, 0, j, S.d) for j in range(S.m)]).T / math.sqrt(S.d)


def _rademacher(S):
    columns = [_sign(S, Domain.RADEMACHER, 0, j, S.d) for j in range(S.m)]
    return np.array(columns).T / math.sqrt(S.d)


def _target(word, height):
    """A number below ``height`` and a sign, from one word."""
    return (word >> 1) * height >> 31, -1.0 if word & 1 else 1.0


def _sparse_sign(S, nnz):
    out = np.zeros(S.shape)
    for j in range(S.m):
        first = 0
        for q, word in enumerate(_words(S, Domain.SPARSE_SIGN, 0, j, nnz)):
            height = S.d // nnz + (q < S.d % nnz)
            row, sign = _target(word, height)
            out[first + row, j] = sign / math.sqrt(nnz)
            first += height
    return out


def _sparse_uniform(S):
    """Floyd's draws: each from one row more than the one before; what is taken becomes the last."""
    out = np.zeros(S.shape)
    for j in range(S.m):
        taken = []
        for q, word in enumerate(_words(S, Domain.SPARSE_UNIFORM, 0, j, S.nnz_per_col)):
            last = S.d - S.nnz_per_col + q
            row, sign = _target(word, last + 1)
            taken.append(last if row in taken else row)
            out[taken[-1], j] = sign / math.sqrt(S.nnz_per_col)
    return out


def _very_sparse(S):
    out, count = np.zeros(S.shape), round(2**31 / S.s)
    for j in range(S.m):
        for i, word in enumerate(_words(S, Domain.VERY_SPARSE, 0, j, S.d)):
            if (word >> 1) < count:
                out[i, j] = (-1.0 if word & 1 else 1.0) / math.sqrt(count / 2**31 * S.d)
    return out


def _less(S):
    s, out = S.nnz_per_row, np.zeros(S.shape)
    p = np.full(S.m, 1 / S.m) if S.probabilities is None else np.array(S.probabilities)
    p = p / p.sum()
    for i in range(S.d):
        signs = _sign(S, Domain.LESS, 1, i, s)
        words = _words(S, Domain.LESS, 0, i, 2 * s)
        for t in range(s):
            if S.probabilities is None:
                j = (words[t] >> 1) * S.m >> 31
            else:
                u = ((words[2 * t] >> 5) * 2**26 + (words[2 * t + 1] >> 6)) * 2.0**-53
                j = 0
                while p[: j + 1].sum() <= u:
                    j += 1
            out[i, j] += signs[t] / math.sqrt(s * S.d * p[j])
    return out


def _row_sample(S):
    """One uniform variate for each row, two of them in the four words of a position."""
    out = np.zeros(S.shape)
    p = np.full(S.m, 1 / S.m) if S.probabilities is None else np.array(S.probabilities)
    p = p / p.sum()
    for i in range(S.d):
        high, low = _words(S, Domain.SAMPLE, 0, i // 2, 4)[2 * (i % 2) :][:2]
        u, j = ((high >> 5) * 2**26 + (low >> 6)) * 2.0**-53, 0
        while p[: j + 1].sum() <= u:
            j += 1
        out[i, j] = 1 / math.sqrt(S.d * p[j])
    return out


def _trigonometric(S, transform):
    size = transform.shape[0]
    slots = np.arange(S.m)
    if S.permute and getattr(S, "stream_block", None) is not None:
        B = S.stream_block
        for c in range(-(-S.m // B)):
            inside = np.arange(min(B, S.m - c * B))
            key = S.key[0], (S.key[1] + c * 0x9E3779B9) % 2**32
            slots[c * B + inside] = c * B + _permuted(S, 0, inside, B, key)
    elif S.permute:
        slots = _permuted(S, 0, slots, size)
    signs = np.array([_sign(S, Domain.SRHT_SIGN, 0, j, 1)[0] for j in range(S.m)])
    rows = _permuted(S, 1, np.arange(S.d), size)
    return math.sqrt(size / S.d) * transform[rows][:, slots] * signs


def _srht(S):
    size = 2 ** math.ceil(math.log2(S.m))
    return _trigonometric(S, scipy.linalg.hadamard(size) / math.sqrt(size))


def _srtt(S):
    return _trigonometric(S, scipy.fft.dct(np.eye(S.m), axis=0, norm="ortho"))


def _tensor_sketch(S):
    out = np.zeros(S.shape)
    modes = [
        [_target(_words(S, Domain.TENSOR, k, i, 1)[0], S.d) for i in range(size)]
        for k, size in enumerate(S.dims)
    ]
    for j in range(S.m):
        index = np.unravel_index(j, S.dims)
        rows, signs = zip(*[modes[k][i] for k, i in enumerate(index)], strict=True)
        out[sum(rows) % S.d, j] = math.prod(signs)
    return out


def _kronecker_rows(S, factors):
    rows = []
    for r in range(S.d):
        row = np.ones(1)
        for F in factors:
            row = np.kron(row, F[r])
        rows.append(row / math.sqrt(S.d))
    return np.array(rows)


def _tensor_srht(S):
    factors = []
    for k, size in enumerate(S.dims):
        N = 2 ** math.ceil(math.log2(size))
        signs = np.array([_sign(S, Domain.SRHT_SIGN, k, i, 1)[0] for i in range(size)])
        rows = [_target(_words(S, Domain.TENSOR, k, r, 1)[0], N)[0] for r in range(S.d)]
        factors.append((scipy.linalg.hadamard(N)[:, :size] * signs)[rows])
    return _kronecker_rows(S, factors)


def _khatri_rao(S):
    draw = _sign if S.base == "rademacher" else _normals
    factors = []
    for k, size in enumerate(S.dims):
        F = np.array([draw(S, Domain.KHATRI_RAO, k, r, size) for r in range(S.d)])
        if S.base == "spherical":
            F *= np.array([math.sqrt(size) / np.linalg.norm(row) for row in F])[:, None]
        factors.append(F)
    return _kronecker_rows(S, factors)


REFERENCES = {
    "gaussian": _gaussian,
    "rademacher": _rademacher,
    "sparse_sign": lambda S: _sparse_sign(S, S.nnz_per_col),
    "sparse_uniform": _sparse_uniform,
    "countsketch": lambda S: _sparse_sign(S, 1),
    "very_sparse": _very_sparse,
    "less": _less,
    "row_sample": _row_sample,
    "srht": _srht,
    "srtt": _srtt,
    "tensor_sketch": _tensor_sketch,
    "tensor_srht": _tensor_srht,
    "khatri_rao": _khatri_rao,
}


def matrix(m, n, dtype, seed):
    """Data of any dtype from a 32-bit seed; small integers for the integer dtypes."""
    random, dtype = np.random.default_rng(seed), np.dtype(dtype)
    if dtype.kind in "biu":
        return random.integers(0 if dtype.kind in "bu" else -9, 10, (m, n)).astype(dtype)
    A = random.standard_normal((m, n))
    if dtype.kind == "c":
        A = A + 1j * random.standard_normal((m, n))
    return A.astype(dtype)


def assert_near(got, want, *, unit=1e-13):
    """Equal up to rounding: ``unit`` relative to the largest entry."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape
    scale = np.max(np.abs(want), initial=0.0)
    np.testing.assert_allclose(got, want, rtol=0, atol=unit * scale)
