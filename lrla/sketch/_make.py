"""Sketches by name: from user parameters, from stored descriptions, and how many rows they need."""

from __future__ import annotations

import math
from typing import Any

from lrla.sketch._base import SketchOperator, _count
from lrla.sketch._dense import Gaussian, Rademacher
from lrla.sketch._gather import LESS, RowSampling
from lrla.sketch._sparse import CountSketch, SparseSign, SparseUniform, VerySparse
from lrla.sketch._stack import Stack
from lrla.sketch._tensor import KhatriRao, TensorSketch, TensorSRHT, _Structured
from lrla.sketch._trig import SRHT, SRTT

FAMILIES: dict[str, type[SketchOperator]] = {
    cls.family: cls
    for cls in (
        Gaussian,
        Rademacher,
        SparseSign,
        SparseUniform,
        CountSketch,
        SRHT,
        SRTT,
        LESS,
        RowSampling,
        VerySparse,
        TensorSketch,
        TensorSRHT,
        KhatriRao,
        Stack,
    )
}


def _family(family: str) -> Any:  # a class; each has parameters of its own
    try:
        return FAMILIES[family]
    except (KeyError, TypeError):
        names = ", ".join(repr(name) for name in FAMILIES if name != "stack")
        raise ValueError(f"family must be one of {names}, got {family!r}") from None


def make(family: str, d: int, m: int | tuple[int, ...], **parameters: Any) -> SketchOperator:
    """Make a sketch by the name of its family.

    Parameters
    ----------
    family : str
        "gaussian", "rademacher", "sparse_sign", "sparse_uniform", "countsketch", "srht", "srtt",
        "less", "row_sample", "very_sparse", "tensor_sketch", "tensor_srht" or "khatri_rao".
    d : int
        Number of rows.
    m : int or tuple of int
        Number of columns; for the tensor families the lengths of the factors.
    **parameters
        What the class of the family takes by keyword, ``rng`` among them.

    Returns
    -------
    SketchOperator
        The sketch.

    Raises
    ------
    ValueError
        If there is no such family, or a value does not fit it.

    Examples
    --------
    >>> from lrla import sketch
    >>> sketch.make("srht", 40, 1000, rng=7) == sketch.SRHT(40, 1000, rng=7)
    True
    """
    return _family(family)(d, m, **parameters)


def from_dict(description: dict[str, Any]) -> SketchOperator:
    """Make the sketch that `SketchOperator.to_dict` described.

    Parameters
    ----------
    description : dict
        What ``to_dict`` returned, possibly through JSON.

    Returns
    -------
    SketchOperator
        An operator equal to the one described, with the same entries.

    Raises
    ------
    ValueError
        If the family is unknown, or an entry is missing.

    Examples
    --------
    >>> import json
    >>> from lrla import sketch
    >>> S = sketch.SRHT(40, 1000, rng=7)
    >>> sketch.from_dict(json.loads(json.dumps(S.to_dict()))) == S
    True
    """
    entries = dict(description)
    cls = _family(entries.pop("family", None))
    needed = ["parts"] if cls is Stack else ["d", "m", "seed", "stream"]
    needed += ["dims"] if issubclass(cls, _Structured) else []
    missing = [name for name in needed if name not in entries]
    if missing:
        raise ValueError(
            f"description must be what to_dict returned, got one of a {cls.__name__} without "
            f"{', '.join(missing)}"
        )
    if cls is Stack:
        return Stack(entries["parts"])
    stream, seed = entries.pop("stream"), entries.pop("seed")
    m = entries.pop("m")
    if issubclass(cls, _Structured):
        m = tuple(entries.pop("dims"))
    out = cls(entries.pop("d"), m, rng=seed, **entries)
    object.__setattr__(out, "stream", stream)
    return out


def embedding_size(
    n: int, *, family: str = "sparse_sign", eps: float = 0.5, delta: float = 0.01
) -> int:
    """Count the rows with which a family embeds subspaces of dimension n.

    Parameters
    ----------
    n : int
        Dimension of the subspace.
    family : str, default "sparse_sign"
        The family.
    eps : float, default 0.5
        Distortion: singular values of the sketch on the subspace lie in [1 - eps, 1 + eps].
    delta : float, default 0.01
        Probability of failure, for the families whose theorem has one.

    Returns
    -------
    int
        For "gaussian" the smallest d with sqrt(n/d) + sqrt(2 log(2/delta)/d) <= eps (Davidson and
        Szarek, both ends of the interval); for "countsketch" (n**2 + n)/(eps**2 delta) (Nelson and
        Nguyen); for "tensor_sketch" of two factors 11 n**2/(eps**2 delta) (Avron, Nguyen and
        Woodruff). "rademacher", "sparse_sign", "sparse_uniform", "srht" and "srtt" behave on all
        subspaces that were tried like a Gaussian, so they get its size; no theorem says so with
        these constants.

    Raises
    ------
    ValueError
        If n is not positive, eps or delta is not between 0 and 1, or the family is unknown or has
        no such size: it loses coordinates ("very_sparse", "less", "row_sample", "tensor_srht") or needs one that
        grows exponentially with the factors ("khatri_rao").

    Examples
    --------
    >>> from lrla import sketch
    >>> sketch.embedding_size(100, eps=0.5, delta=0.01)
    703
    """
    n, cls = _count(n, "n"), _family(family)
    if cls in (VerySparse, LESS, RowSampling, TensorSRHT, KhatriRao, Stack):
        raise ValueError(
            f"family {family!r} has no size that holds for every subspace; use 'sparse_sign', or "
            "measure with distortion"
        )
    for name, value in (("eps", eps), ("delta", delta)):
        if not 0 < value < 1:
            raise ValueError(f"{name} must be between 0 and 1, got {value}")
    if cls is CountSketch:
        return math.ceil((n * n + n) / (eps**2 * delta))
    if cls is TensorSketch:
        return math.ceil(11 * n * n / (eps**2 * delta))
    return math.ceil(((math.sqrt(n) + math.sqrt(2 * math.log(2 / delta))) / eps) ** 2)
