"""What does not fit is refused before it is formed."""

import sys

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg

from lrla._core import memory
from lrla._core.arrays import numpy_space
from lrla._core.memory import available, check_room
from lrla._core.operators import as_operator
from lrla.lowrank import KernelMatrix, rp_cholesky

M, N = 1_000_000, 2_000_000  # 16 TB, which no machine has: the tests form nothing


@pytest.mark.skipif(sys.platform != "linux", reason="nobody says elsewhere")
def test_what_is_available():
    assert 0 < available() < 1 << 50


@pytest.mark.parametrize(
    ("limit", "want"), [("max", 3 << 30), (str(2 << 30), (1 << 30) + 4096), (str(8 << 30), 3 << 30)]
)
def test_limits_of_a_container(monkeypatch, tmp_path, limit, want):
    for name, text in (
        ("memory.max", limit + "\n"),
        ("memory.current", f"{1 << 30}\n"),
        ("memory.stat", "anon 12345\ninactive_file 4000\nactive_file 96\nslab_unreclaimable 7\n"),
        ("meminfo", "MemTotal:  9999999 kB\n\nMemAvailable: 3145728 kB\nHugePages_Total: 0\n"),
    ):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(memory, "_CONTAINER", tmp_path)
    monkeypatch.setattr(memory, "_SYSTEM", tmp_path / "meminfo")
    assert available() == want


def test_where_nobody_says(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_CONTAINER", tmp_path)
    monkeypatch.setattr(memory, "_SYSTEM", tmp_path / "meminfo")
    assert available() is None
    (tmp_path / "meminfo").write_text("        total:    used:\nMem:  16 5\n")
    (tmp_path / "memory.max").write_text("123\n")
    assert available() is None
    check_room(numpy_space(), (M, N), np.float64, "it", "do not")


@pytest.mark.parametrize(("dtype", "fits"), [("f4", True), ("f8", False), ("c8", False)])
def test_bytes_are_counted(monkeypatch, dtype, fits):
    monkeypatch.setattr(memory, "available", lambda: 5 << 30)
    args = numpy_space(), (1 << 15, 1 << 15), np.dtype(dtype)  # 4 GiB in single precision
    if fits:
        check_room(*args, "it", "do not")
    else:
        with pytest.raises(MemoryError, match=r"^it has shape .* takes 8.59 GB, and 5.37 GB can"):
            check_room(*args, "it", "do not")


def test_dense_forms_of_what_is_large(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 5 << 30)
    operator = scipy.sparse.linalg.LinearOperator((M, N), matvec=lambda x: np.zeros(M), dtype="f8")
    for A in (scipy.sparse.csr_array((M, N)), operator):
        with pytest.raises(MemoryError, match="needed as a dense array here, has shape"):
            as_operator(A).todense()


def test_kernels_of_many_points(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 5 << 30)
    X = np.zeros((M, 1))
    everything = np.arange(M)
    with pytest.raises(MemoryError, match="the block of the kernel matrix has shape"):
        KernelMatrix(X).block(everything, slice(None))
    with pytest.raises(
        MemoryError, match=r"the factor has shape \(1000000, 1000000\) .* tolerance"
    ):
        rp_cholesky(KernelMatrix(X), M)
    # with a tolerance, fewer rows come about, and only these take memory
    points = KernelMatrix(np.zeros((40_000, 1)))
    assert rp_cholesky(points, 40_000, tol=1e-3).rank == 1
