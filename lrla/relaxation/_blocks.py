"""Blocks of unknowns that are moved together: the same sweeps on an equilibrated matrix.

With D the block diagonal, a block sweep for A is a sweep of single unknowns for the matrix
``inv(D) @ A``: its diagonal blocks are identities, so unknowns of a block do not see one another.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla.relaxation._system import System


def partition(blocks: Any, n: int) -> list[np.ndarray[Any, Any]]:
    """Read blocks, a size or lists of unknowns, as lists of unknowns."""
    if isinstance(blocks, int | np.integer):
        if blocks < 1 or (n and n % blocks):
            raise ValueError(
                f"blocks must divide the number of unknowns, {n}, got {blocks}; lists of unknowns "
                "may differ in length"
            )
        return list(np.arange(n).reshape(-1, int(blocks)))
    parts = [np.asarray(part, np.int64) for part in blocks]
    every = np.concatenate(parts) if parts else np.zeros(0, np.int64)
    if not np.array_equal(np.sort(every), np.arange(n)):
        raise ValueError(
            f"blocks must hold each of the unknowns 0 to {n - 1} exactly once, got {every.size} "
            f"entries of which {np.unique(every).size} differ"
        )
    return parts


def equilibrate(system: System, parts: list[np.ndarray[Any, Any]]) -> tuple[Any, Any]:
    """Return ``inv(D) @ A`` and ``inv(D)`` as canonical CSR matrices.

    Raises
    ------
    LinAlgError
        If a diagonal block is singular.
    """
    import scipy.sparse

    if not system.space.is_numpy:
        raise TypeError(
            "A must be of NumPy or SciPy where blocks are given, got an array of another library"
        )
    n = system.n
    shape = (n, n)
    A = scipy.sparse.csr_array((system.data, system.indices, system.indptr), shape=shape)
    owner, place = np.empty(n, np.int64), np.empty(n, np.int64)
    for k, part in enumerate(parts):
        owner[part], place[part] = k, np.arange(part.size)
    rows = np.repeat(np.arange(n), np.diff(system.indptr))
    inside = owner[rows] == owner[system.indices]
    r, c = rows[inside], np.asarray(system.indices)[inside]
    width = max((part.size for part in parts), default=0)
    # one stack of square blocks, the smaller ones filled up by an identity
    stack = np.zeros((len(parts), width, width), system.data.dtype)
    sizes = np.array([part.size for part in parts], np.int64)
    for k in range(width):
        stack[sizes <= k, k, k] = 1
    stack[owner[r], place[r], place[c]] = system.data[inside]
    try:
        inverse = np.linalg.inv(stack)
    except np.linalg.LinAlgError:
        first = next(k for k, B in enumerate(stack) if np.linalg.matrix_rank(B) < width)
        raise np.linalg.LinAlgError(
            f"diagonal blocks of A must be regular, got a singular one, number {first}"
        ) from None
    members = np.concatenate(parts) if parts else np.zeros(0, np.int64)
    left = np.repeat(members, sizes[owner[members]])
    right = np.concatenate([np.tile(p, p.size) for p in parts]) if parts else members
    values = inverse[owner[left], place[left], place[right]]
    D = scipy.sparse.csr_array((values, (left, right)), shape=shape)
    G = (D @ (A - _only(A, inside, shape)) + scipy.sparse.eye_array(n, dtype=A.dtype)).tocsr()
    G.sum_duplicates()
    return G, D


def _only(A: Any, inside: np.ndarray[Any, Any], shape: tuple[int, int]) -> Any:
    import scipy.sparse

    return scipy.sparse.csr_array((np.where(inside, A.data, 0), A.indices, A.indptr), shape=shape)
