"""In words: how a sample was drawn, what theory promises for it, and what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_PAPERS = {
    "leverage": "the matrix Chernoff bound, Tropp 2012",
    "lewis": "Cohen and Peng 2015",
    "root_leverage": "Woodruff and Yasuda 2023",
    "uniform": "the same bound, for leverage scores of at most coherence * rank / m",
}
_INDEPENDENT = ("replacement", "poisson")


def explain(size: int, m: int, design: str, info: Mapping[str, Any]) -> str:
    """Say what is known of a sample, one fact to a line.

    Parameters
    ----------
    size, m : int
        Numbers of rows drawn, and of the data.
    design : str
        How the rows were drawn together.
    info : mapping
        That of the sample.
    """
    lines = [
        f"{size} of {m} rows, design {design!r}: weighted sums over them are unbiased",
    ]
    if "scheme" in info:
        lines += [*_bound(size, m, design, info), _measured(info)]
    else:
        lines.append("the scores are the caller's: what they promise is not known here")
    return "\n".join(lines)


def _bound(size: int, m: int, design: str, info: Mapping[str, Any]) -> list[str]:
    scheme, p, r = info["scheme"], info["p"], info["rank"]
    if size >= m:
        return ["all rows were taken: there is no error"]
    if size < r:
        return [f"fewer rows than the rank, {r}: some A @ x are lost, whatever theory says"]
    if scheme in ("leverage", "uniform") and p != 2:
        return [f"theory promises nothing for scheme {scheme!r} and p = {p:g}"]
    need, formula, paper = _need(scheme, p, r, info)
    lines = [
        f"scheme {scheme!r}, p = {p:g}: {formula} rows per 1 / eps**2 suffice up to logarithms "
        f"({paper})",
        f"that is {need:.3g} here: eps = {math.sqrt(need / size):.2g} with {size} rows, without "
        "the logarithms and constants",
    ]
    if design not in _INDEPENDENT:
        lines.append("assumption not met: independent draws; these vary less as a rule")
    return lines


def _need(scheme: str, p: float, r: int, info: Mapping[str, Any]) -> tuple[float, str, str]:
    S = info["total_sensitivity"]
    if scheme == "uniform":
        return r * info["coherence"], "rank * coherence", _PAPERS[scheme]
    if scheme == "sensitivity":
        if p < 2:
            return S * r ** (1 - p / 2), "S * rank**(1 - p/2)", "Chen and Derezinski 2021"
        return S ** (2 - 2 / p), "S**(2 - 2/p)", "Woodruff and Yasuda 2023"
    if scheme == "mixed":
        if p <= 2:
            return S + r, "S + rank", "Munteanu and Omlor 2024"
        formula = "rank**(2/p) * S**(2 - 4/p)"
        return r ** (2 / p) * S ** (2 - 4 / p), formula, "Woodruff and Yasuda 2023"
    if scheme == "lewis" and p > 2:
        return r ** (p / 2), "rank**(p/2)", _PAPERS[scheme]
    return r, "rank", _PAPERS[scheme]


def _measured(info: Mapping[str, Any]) -> str:
    found = info["distortion"]
    if found is None:
        return "the distortion was not measured: verify=False"
    return f"the distortion measured is {found.eps:.2g}: {info['distortion_kind']}"
