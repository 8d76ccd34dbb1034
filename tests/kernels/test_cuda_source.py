"""What can be said about CUDA text without a GPU.

NVRTC compiles every ``.cu`` file for the oldest and the newest architecture in sight. Kernels
without barriers also run here, thread by thread: g++ compiles the same text behind a shim, and
the results are held to the definitions for grids smaller and larger than the data. What this does
not show: the loaders, speed, and anything that needs threads to run at the same time.
"""

import ctypes
import functools
import pathlib
import re
import shutil
import subprocess

import numpy as np
import pytest

import lrla.kernels
from lrla._core.arrays import numpy_space
from lrla.kernels import philox, sparse_sign, sparse_uniform

CUDA = pathlib.Path(lrla.kernels.__path__[0]) / "_cuda"
SOURCES = sorted(path.stem for path in CUDA.glob("*.cu"))
GRIDS = ((1, 32), (7, 64), (300, 128))  # less, about as much, more than there is to do
KEY, TAG = (0xA4093822, 0x299F31D0), 3 | 77 << 8
SPACE = numpy_space()

SHIM = r"""
#include <cmath>
#include <cstring>
#define __global__
#define __device__
struct Index { unsigned x, y, z; };
static Index threadIdx, blockIdx, blockDim, gridDim;
static unsigned __float_as_uint(float f) { unsigned u; memcpy(&u, &f, 4); return u; }
static float __uint_as_float(unsigned u) { float f; memcpy(&f, &u, 4); return f; }
"""
LAUNCH = r"""
extern "C" void run_%(name)s(unsigned grid_, unsigned block_, %(arguments)s) {
    gridDim = {grid_, 1, 1}; blockDim = {block_, 1, 1};
    for (unsigned g = 0; g < grid_; ++g) for (unsigned t = 0; t < block_; ++t) {
        blockIdx = {g, 0, 0}; threadIdx = {t, 0, 0};
        %(name)s(%(names)s);
    }
}
"""
TYPES = {"u32": ctypes.c_uint32, "i64": ctypes.c_int64, "int": ctypes.c_int}


def kernels(source):
    """Find the name and the arguments of every kernel that a text spells out, not by a macro."""
    found = re.findall(r'^extern "C" __global__ void\s+(\w+)\(([^)]*)\)', source, re.MULTILINE)
    return {name: [a.strip() for a in arguments.split(",")] for name, arguments in found}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Compile a file behind the shim, once, and return its kernels as functions."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    folder = tmp_path_factory.mktemp("cuda")

    @functools.cache
    def build(module):
        source = (CUDA / f"{module}.cu").read_text()
        found = kernels(source)
        text = SHIM + source
        for name, arguments in found.items():
            names = ", ".join(re.search(r"\w+$", a).group() for a in arguments)
            text += LAUNCH % {"name": name, "arguments": ", ".join(arguments), "names": names}
        path = folder / f"{module}.cpp"
        path.write_text(text)
        options = ["-O2", "-std=c++17", "-ffp-contract=off", "-shared", "-fPIC"]
        subprocess.run(["g++", *options, path, "-o", path.with_suffix(".so")], check=True)
        library = ctypes.CDLL(str(path.with_suffix(".so")))

        def call(name, grid, *args):
            function = getattr(library, f"run_{name}")
            types = [ctypes.c_void_p if "*" in a else TYPES[a.split()[0]] for a in found[name]]
            function.argtypes = [ctypes.c_uint32, ctypes.c_uint32, *types]
            pointers = [a.ctypes.data if isinstance(a, np.ndarray) else a for a in args]
            function(*grid, *pointers)

        return call

    return build


@pytest.fixture(scope="module")
def nvrtc():
    try:
        import nvidia
    except ImportError:
        pytest.skip("no wheel of NVRTC (nvidia-cuda-nvrtc) is installed")
    rooms = [pathlib.Path(p) for p in nvidia.__path__]
    found = [p for r in rooms for p in r.glob("*/lib/libnvrtc.so*") if "builtins" not in p.name]
    if not found:
        pytest.skip("no wheel of NVRTC (nvidia-cuda-nvrtc) is installed")
    return ctypes.CDLL(str(found[0]))


def ptx(nvrtc, source, *options):
    program = ctypes.c_void_p()
    size = ctypes.c_size_t()
    made = nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"k.cu", 0, None, None)
    assert made == 0
    given = (ctypes.c_char_p * len(options))(*(o.encode() for o in options))
    failed = nvrtc.nvrtcCompileProgram(program, len(options), given)
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    assert not failed, log.value.decode()
    nvrtc.nvrtcGetPTXSize(program, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetPTX(program, text)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return text.value.decode()


@pytest.mark.parametrize("architecture", ["compute_80", "compute_90"])
@pytest.mark.parametrize("module", SOURCES)
def test_nvrtc_compiles_every_kernel(nvrtc, module, architecture):
    source = (CUDA / f"{module}.cu").read_text()
    text = ptx(nvrtc, source, f"--gpu-architecture={architecture}", "--std=c++17", "--fmad=false")
    assert ".entry " in text
    for name in kernels(source):
        assert f".entry {name}(" in text


def test_normals_are_compiled_without_fused_multiply_add(nvrtc):
    source = (CUDA / "philox.cu").read_text()
    options = "--gpu-architecture=compute_90", "--std=c++17"
    assert "fma.rn.f32" not in ptx(nvrtc, source, *options, "--fmad=false")
    assert "fma.rn.f32" in ptx(nvrtc, source, *options)  # so the option is what keeps them out


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("count", [1, 7, 130])
@pytest.mark.parametrize(
    ("name", "dtype", "bound"),
    [
        ("normal", np.float32, ()),
        ("sign", np.int8, ()),
        ("uniform", np.float64, ()),
        ("integer", np.int64, (1000,)),
    ],
)
def test_cuda_text_of_variates_gives_the_bits_of_the_definition(
    compiled, name, dtype, bound, count, grid
):
    start, rows = 2**32 - 5, 37
    want = getattr(philox, name).definition(SPACE, KEY, TAG, start, start + rows, count, *bound)
    out = np.zeros((rows, count), dtype)
    compiled("philox")(name, grid, out, *KEY, TAG, start, rows, count, *bound)
    np.testing.assert_array_equal(out, want)


@pytest.mark.parametrize("grid", GRIDS)
def test_cuda_text_of_words_gives_the_bits_of_the_definition(compiled, grid):
    call = compiled("philox")
    out = np.zeros((41, 12), np.int64)
    call("words", grid, out, *KEY, TAG, 5, 41, 2**32 - 4, 3)
    want = philox.words.definition(SPACE, KEY, TAG, 5, 46, 2**32 - 4, 3)
    np.testing.assert_array_equal(out, want)
    positions = np.random.default_rng(7201).integers(0, 2**62, 100)
    out = np.zeros((100, 4), np.int64)
    call("words_at", grid, out, positions, *KEY, TAG, 100, 9)
    np.testing.assert_array_equal(out, philox.words_at.definition(positions, KEY, TAG, 9))


@pytest.mark.parametrize("size", [1, 2, 17, 1000, 2**40])
def test_cuda_text_of_permute_gives_the_bits_of_the_definition(compiled, size):
    positions = np.random.default_rng(5511).integers(0, size, 200)
    out = np.zeros(200, np.int64)
    h = philox.half_bits(size)
    compiled("philox")("permute", (3, 32), out, positions, *KEY, TAG, 200, size, h)
    np.testing.assert_array_equal(out, philox.permute.definition(positions, KEY, TAG, size))


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize(("nnz", "d"), [(1, 1), (3, 10), (8, 40)])
def test_cuda_text_of_sparse_signs_gives_the_bits_of_the_definition(compiled, nnz, d, grid):
    call = compiled("sparse_sign")
    k, n = 100, 9
    words = philox.words.definition(SPACE, KEY, TAG, 3, 3 + k, 0, -(-nnz // 4))
    codes = np.zeros((k, nnz), np.int32)
    call("table", grid, codes, words, k, words.shape[1], nnz, d)
    want = sparse_sign.table.definition(SPACE, KEY, TAG, 3, 3 + k, nnz, d)
    np.testing.assert_array_equal(codes, want)

    A = np.random.default_rng(8814).standard_normal((k, n))
    sums = np.zeros((d, n))
    call("apply_f8", grid, sums, A, codes, k, n, nnz)
    np.testing.assert_array_equal(sums, sparse_sign.apply.definition(A, codes, d))
    single = A.astype(np.float32)
    sums = np.zeros((d, n))
    call("apply_f4", grid, sums, single, codes, k, n, nnz)
    want = sparse_sign.apply.definition(single, codes, d)
    np.testing.assert_array_equal(sums.astype(np.float32), want)
    sums = np.zeros((d, n), np.float32)
    call("apply_f4_single", grid, sums, single, codes, k, n, nnz)
    np.testing.assert_allclose(sums, want, atol=1e-4)

    for dtype, name in ((np.float64, "adjoint_f8"), (np.float32, "adjoint_f4")):
        Y = np.random.default_rng(6623).standard_normal((d, n)).astype(dtype)
        out = np.zeros((k, n), dtype)
        call(name, grid, out, Y, codes, k, n, nnz)
        np.testing.assert_array_equal(out, sparse_sign.adjoint.definition(Y, codes))


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize(("nnz", "d"), [(1, 1), (3, 10), (8, 40), (9, 9)])
def test_cuda_text_of_sparse_uniform_gives_the_bits_of_the_definition(compiled, nnz, d, grid):
    call = compiled("sparse_uniform")
    k, n = 100, 9
    words = philox.words.definition(SPACE, KEY, TAG, 3, 3 + k, 0, -(-nnz // 4))
    codes = np.zeros((k, nnz), np.int32)
    call("table", grid, codes, words, k, words.shape[1], nnz, d)
    want = sparse_uniform.table.definition(SPACE, KEY, TAG, 3, 3 + k, nnz, d)
    np.testing.assert_array_equal(codes, want)

    targets = np.where(codes < 0, ~codes, codes).ravel()
    order = np.argsort(targets, kind="stable")
    first = np.searchsorted(targets[order], np.arange(d + 1))
    A = np.random.default_rng(8815).standard_normal((k, n))
    sums = np.zeros((d, n))
    call("apply_f8", grid, sums, A, codes, order, first, d, n, nnz)
    np.testing.assert_array_equal(sums, sparse_uniform.apply.definition(A, codes, d))
    single = A.astype(np.float32)
    want = sparse_uniform.apply.definition(single, codes, d)
    call("apply_f4", grid, sums, single, codes, order, first, d, n, nnz)
    np.testing.assert_array_equal(sums.astype(np.float32), want)
    sums = np.zeros((d, n), np.float32)
    call("apply_f4_single", grid, sums, single, codes, order, first, d, n, nnz)
    np.testing.assert_allclose(sums, want, atol=1e-4)
