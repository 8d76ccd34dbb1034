"""Two sketches with independent rows as one: what `SketchOperator.extend` returns."""

from __future__ import annotations

import math
from typing import Any

from lrla._core.arrays import Array, space_of
from lrla._core.operators import is_sparse
from lrla.sketch._base import SketchOperator, _count


class Stack(SketchOperator):
    """Rows of two independent sketches of the same data, weighted so that E[S^T S] = I.

    Parameters
    ----------
    parts : sequence of two or more dict
        Descriptions of the sketches (`SketchOperator.to_dict`), from the first rows to the last.

    Examples
    --------
    >>> from lrla.sketch import SparseSign
    >>> S = SparseSign(40, 1000, rng=7).extend(20)
    >>> S.shape
    (60, 1000)
    """

    __slots__ = ("parts",)
    family = "stack"
    parts: tuple[SketchOperator, ...]

    def __init__(self, parts: Any) -> None:
        from lrla.sketch._make import from_dict

        self._join([from_dict(dict(p)) for p in parts])

    @classmethod
    def of(cls, *parts: SketchOperator) -> Stack:
        """Stack operators; stacks among them are taken apart first."""
        self = cls.__new__(cls)
        self._join([q for p in parts for q in (p.parts if isinstance(p, Stack) else (p,))])
        return self

    def _join(self, parts: list[SketchOperator]) -> None:
        self._describe(sum(p.d for p in parts), parts[0].m, parts[0].seed)
        object.__setattr__(self, "parts", tuple(parts))

    def to_dict(self) -> dict[str, Any]:
        """Describe the operator by values that JSON can hold."""
        return {"family": self.family, "parts": [p.to_dict() for p in self.parts]}

    def _identity(self) -> tuple[Any, ...]:
        return self.family, self.parts

    def __repr__(self) -> str:
        return f"Stack({', '.join(map(repr, self.parts))})"

    def extend(self, d: int) -> SketchOperator:
        """Return an operator with further, independent rows."""
        last = self.parts[-1]
        return Stack.of(self, last._sibling(_count(d, "d"), last.stream + 1))

    def _weight(self, part: SketchOperator) -> float:
        return math.sqrt(part.d / self.d)

    def _block(self, start: int, stop: int) -> Any:
        blocks = [self._weight(p) * p._block(start, stop) for p in self.parts]
        if is_sparse(blocks[0]):
            import scipy.sparse

            return scipy.sparse.vstack(blocks, format="csc")
        return space_of(blocks[0]).xp.concat(blocks, axis=0)

    def _rows(self, products: list[Array]) -> Array:
        weighted = [self._weight(p) * y for p, y in zip(self.parts, products, strict=True)]
        return space_of(weighted[0]).xp.concat(weighted, axis=0)

    def _apply_dense(self, A: Array, start: int) -> Array:
        return self._rows([p._apply_dense(A, start) for p in self.parts])

    def _apply_sparse(self, op: Any, start: int) -> Array:
        return self._rows([p._apply_sparse(op, start) for p in self.parts])

    def _apply_operator(self, op: Any, start: int) -> Array:
        return self._rows([p._apply_operator(op, start) for p in self.parts])

    def _adjoint_dense(self, Y: Array) -> Array:
        out, first = None, 0
        for p in self.parts:
            term = self._weight(p) * p._adjoint_dense(Y[first : first + p.d, :])
            out = term if out is None else out + term
            first += p.d
        return out

    def khatri_rao(self, factors: Any) -> Array:
        """Sketch a Khatri-Rao product, if the family of the parts can."""
        return self._rows([p.khatri_rao(factors) for p in self.parts])

    def kronecker(self, factors: Any) -> Array:
        """Sketch a Kronecker product, if the family of the parts can."""
        return self._rows([p.kronecker(factors) for p in self.parts])

    def _flops(self, size: int, n: int) -> float:
        return sum(p._flops(size, n) for p in self.parts)
