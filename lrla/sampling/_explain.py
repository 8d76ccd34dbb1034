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
_CORESETS = {
    "mixed": ("mu", "Munteanu and Omlor 2024"),
    "lewis": ("mu**2", "Mai, Musco and Rao 2021"),
}
_INDEPENDENT = ("replacement", "poisson")
_ALL = "all rows were taken: there is no error"
_TOO_FEW = "fewer rows than the rank, {}: some A @ x are lost, whatever theory says"


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
    if design == "replicates":
        lines.append(
            f"of {info['n_samples']} independent samples, whose differences are the standard errors, "
            "without assumptions"
        )
    elif design == "online":
        lines += _online(info)
    elif "loss" in info:
        lines += _coreset(size, m, design, info)
    elif "scheme" in info:
        lines += [*_bound(size, m, design, info), _measured(info)]
    else:
        lines.append("what the scores promise is not known here")
    return "\n".join(lines)


def _online(info: Mapping[str, Any]) -> list[str]:
    p, eps, ridge, delta = (info[name] for name in ("p", "eps", "ridge", "delta"))
    if info["lowered"]:
        goal = "the goal"
        known = (
            f"rows were dropped to keep within the budget of {info['budget']}: totals have no bias, and "
            "their errors are what is estimated, but norms are not proven to be kept"
        )
    elif p == 2:
        goal = f"with probability {1 - delta:g}"
        known = "proven (Cohen, Musco and Pachocki 2020), with constants that are generous"
    else:
        goal = "the goal"
        known = "assumption not met: no theorem is claimed for this sampler and p other than 2"
    lines = [
        f"{goal}, the norms to the power p = {p:g} of all A @ x are kept up to eps = {eps:g} of "
        f"themselves and of the power p of sqrt(ridge) * norm(x), ridge = {ridge:g}",
        known,
    ]
    if info["error"] is not None:
        lines.append(f"the error that was measured is {info['error']:.2g}, exactly")
    if info["lost"]:
        s = "" if info["lost"] == 1 else "s"
        lines.append(f"of {info['lost']} direction{s} nothing was kept, whatever theory says")
    if info["merged"]:
        lines.append("samplers were merged: ridge and delta count once for each")
    return lines


def _coreset(size: int, m: int, design: str, info: Mapping[str, Any]) -> list[str]:
    loss, scheme, r = info["loss"], info["scheme"], info["rank"]
    if size >= m:
        return [_ALL]
    if size < r:
        return [_TOO_FEW.format(r)]
    if loss == "robust":
        return [
            "scores are the larger of leverage and Lewis weight: a rule of thumb, for the theorem "
            "(Musco, Musco, Woodruff and Yasuda 2022) is about a recursive scheme"
        ]
    if scheme not in _CORESETS:
        return [f"theory promises nothing for loss {loss!r} and scheme {scheme!r} as it is here"]
    power, paper = _CORESETS[scheme]
    return [
        f"loss {loss!r}, scheme {scheme!r}: rank * {power} rows per 1 / eps**2 suffice up to "
        f"logarithms ({paper}), with mu as mu_complexity finds it",
        f"the rank is {r}: eps = {math.sqrt(r / size):.2g} * sqrt({power}) with {size} rows, without "
        "the logarithms and constants",
        *_draws(design),
    ]


def _draws(design: str) -> list[str]:
    if design in _INDEPENDENT:
        return []
    return ["assumption not met: independent draws; these vary less as a rule"]


def _bound(size: int, m: int, design: str, info: Mapping[str, Any]) -> list[str]:
    scheme, p, r = info["scheme"], info["p"], info["rank"]
    if size >= m:
        return [_ALL]
    if size < r:
        return [_TOO_FEW.format(r)]
    if scheme in ("leverage", "uniform") and p != 2:
        return [f"theory promises nothing for scheme {scheme!r} and p = {p:g}"]
    need, formula, paper = _need(scheme, p, r, info)
    return [
        f"scheme {scheme!r}, p = {p:g}: {formula} rows per 1 / eps**2 suffice up to logarithms "
        f"({paper})",
        f"that is {need:.3g} here: eps = {math.sqrt(need / size):.2g} with {size} rows, without "
        "the logarithms and constants",
        *_draws(design),
    ]


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
