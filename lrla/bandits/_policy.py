"""What every policy shares: trials that are open, costs that are checked, and a state in JSON."""

from __future__ import annotations

import abc
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn, Self

import numpy as np

from lrla._core.arrays import numpy_space
from lrla._core.docs import described
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.numbers import whole
from lrla._core.random import Domain, key_of, seed_of, tag
from lrla.bandits._state import decode, encode
from lrla.kernels import philox

FORMAT = 1  # of the JSON state
_DRAWS = 512  # uniform numbers that are computed at a time
_ROUNDING = 1e-9  # by which a context may exceed its range without a warning
_STATUSES = ("ok", "capped", "failed")

_TRIALS = """
penalty : float, default 2
    What the cost of a trial that was capped or failed is multiplied with.
max_open : int, default 1000
    How many trials may be open; beyond, the oldest expires.
"""
_RNG = """
rng : None, int, SeedSequence, BitGenerator or Generator, optional
    Where the seed comes from.
"""
_SEED = """
seed : int
    The seed: given as ``rng`` it repeats all choices.
"""
_COUNTS = """
n_asked, n_told, n_expired : int
    Number of trials asked for, told, and expired.

Raises
------
ValueError
    If an argument is out of its range.
"""
_ARMS = """
Attributes
----------
n_arms : int
    Number of arms.
"""
SHARED = {  # what the docstrings of all policies say
    "trials": _TRIALS,
    "rng": _RNG,
    "seed": _SEED,
    "counts": _COUNTS,
    "arms": _TRIALS + _RNG[1:] + _ARMS + _SEED[1:] + _COUNTS[1:],
    "max_open": """
        max_open : int, default 1000
            How many trials may be open; beyond, the oldest expires.
        """,
    "no_rng": """
        rng : None, int, SeedSequence, BitGenerator or Generator, optional
            Nothing is random here; for the same calls as of other policies.
        """,
    "context_range": """
        context_range : (float, float) or sequence of pairs
            Between what contexts lie, for each of their dimensions. A context outside counts as the
            nearest inside, with a warning.
        """,
    "diagonal": """
        diagonal : float, optional
            The constant diagonal of A, if contexts c stand for systems A + c I.
        """,
    "context": """
        context : float or array, optional
            What is known about the problem, for the policies that use it.
        """,
    "told": """
        trial : Trial or int
            The trial, or its number. Trials may be told in any order.
        """,
    "tell": """
        Raises
        ------
        KeyError
            If there never was such a trial.
        """,
    "needs_context": """
        Raises
        ------
        ValueError
            If the policy needs a context and there is none, or it is not finite.
        """,
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What a policy says to try next.

    Parameters
    ----------
    id : int
        Its number: 0, 1, 2, ...
    arm : int or None
        Which arm to play; None from policies that choose numbers.
    params : dict or None
        Values of the parameters, by name; None from policies that choose arms.
    probability : float or None
        With which the arm was chosen; None from policies that do not know it.
    context : float, array or None
        What was known about the problem.
    """

    id: int
    arm: int | None
    params: dict[str, Any] | None
    probability: float | None
    context: Any


class Choice(NamedTuple):
    """What a policy remembers of an open trial."""

    arm: int | None
    value: float | None  # of the parameter, from policies that choose numbers
    probability: float | None
    context: Any
    memory: Any  # whatever the policy needs for learning

    @property
    def drawn(self) -> tuple[int, float]:
        """Arm and probability, from policies that draw arms."""
        assert self.arm is not None
        assert self.probability is not None
        return self.arm, self.probability

    @property
    def number(self) -> float:
        """The value, from policies that choose numbers."""
        assert self.value is not None
        return self.value


class Policy(abc.ABC):
    """Base of all policies: ask for a trial, run it, tell what it cost.

    Trials may be told in any order and any number may be open. All random numbers are a function of
    the seed and the number of the trial, so a policy that is restored from `to_json` goes on
    exactly as the original would.

    Parameters
    ----------
    penalty : float, default 2
        At least 1: what the cost of a trial that was capped or failed is multiplied with.
    max_open : int, default 1000
        At least 1: how many trials may be open; beyond, the oldest expires and is never learned
        from.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Attributes
    ----------
    seed : int
        The seed: given as ``rng`` it repeats all choices.
    n_asked, n_told, n_expired : int
        Number of trials asked for, told, and expired.
    worst : float or None
        Largest loss of trials that did not fail; None before the first.

    Notes
    -----
    Not safe for several threads without a lock around `ask` and `tell`.

    A policy of your own implements ``_choose(id, context)``, which returns a `Choice`, and
    ``_learn(choice, cost, status, rate)``; it names the attributes that are its state in
    ``_fields``, and its constructor's arguments in ``self._parameters``.
    """

    _fields: tuple[str, ...] = ()
    _needs_rate = False
    _shared = ("n_asked", "n_told", "n_expired", "worst", "_open", "_waiting")

    def __init__(self, *, penalty: float = 2.0, max_open: int = 1000, rng: Any = None) -> None:
        if not (penalty >= 1 and math.isfinite(penalty)):
            raise ValueError(f"penalty must be finite and at least 1, got {penalty}")
        if max_open < 1:
            raise ValueError(f"max_open must be at least 1, got {max_open}")
        self.penalty = float(penalty)
        self.max_open = int(max_open)
        self.seed = seed_of(rng)
        self.n_asked = self.n_told = self.n_expired = 0
        self.worst: float | None = None
        self._parameters: dict[str, Any] = {
            "penalty": self.penalty, "max_open": self.max_open, "rng": self.seed,
        }  # fmt: skip
        self._key = key_of(self.seed)
        self._open: dict[int, Choice] = {}
        self._waiting: list[Choice] = []  # failed before anything was known about costs
        self._draws: list[float] = []
        self._first_draw = -_DRAWS

    @abc.abstractmethod
    def _choose(self, id: int, context: Any) -> Choice:
        """Choose for the trial of this number."""

    @abc.abstractmethod
    def _learn(self, choice: Choice, cost: float, status: str, rate: float | None) -> None:
        """Learn the cost of a trial, penalty included."""

    def _use(self, id: int, value: float) -> None:
        """Take note that another number than the chosen one is used in an open trial."""
        self._open[id] = self._open[id]._replace(value=value)

    def _look(self, context: Any) -> Any:
        """Check a context and bring it into the policy's own form."""
        return context

    @described(**SHARED)
    def ask(self, context: Any = None) -> Trial:
        """Choose what to try next.

        Parameters
        ----------
        {context}

        Returns
        -------
        Trial
            With ``arm``, or with ``params``.

        {needs_context}
        """
        id = self.n_asked
        choice = self._choose(id, self._look(context))
        self._open[id] = choice
        self.n_asked = id + 1
        if len(self._open) > self.max_open:
            del self._open[next(iter(self._open))]
            self.n_expired += 1
        arm, value, probability, _, _ = choice
        return Trial(id, arm, None if value is None else {"omega": value}, probability, context)

    @described(**SHARED)
    def tell(
        self,
        trial: Trial | int,
        cost: float | None = None,
        *,
        status: str = "ok",
        rate: float | None = None,
    ) -> None:
        """Report what a trial cost.

        Parameters
        ----------
        {told}
        cost : float
            What it cost, for instance iterations or seconds; finite and not negative. May be left
            out if the trial failed.
        status : {"ok", "capped", "failed"}, default "ok"
            "capped" if the run was cut off at this cost before it was done: the cost is then a
            lower bound, and is multiplied with the penalty. "failed" if it broke down or diverged:
            it counts as the penalty times this cost or the worst that was ever told, whichever is
            larger.
        rate : float, optional
            Last ratio of residual norms, for the policies that use it.

        {tell}
        ValueError
            If the trial was told before or has expired, the cost is missing, negative, NaN or
            infinite, or the status is none of these.
        """
        id = trial.id if isinstance(trial, Trial) else trial
        choice = self._open.get(id)
        if choice is None:
            self._refuse(id)
        if rate is None and self._needs_rate and status != "failed":
            raise ValueError("rate must be given: this policy learns from it")
        if rate is not None and math.isnan(rate):
            raise ValueError("rate must be a number or None, got nan")
        value = self._value(cost, status)
        del self._open[id]
        self.n_told += 1
        if value is None:
            self._waiting.append(choice)
            return
        while self._waiting:  # now there is a scale for what failed before
            self._learn(self._waiting.pop(0), self.penalty * value, "failed", None)
        self._learn(choice, value, status, rate)

    def _refuse(self, id: Any) -> NoReturn:
        if isinstance(id, int | np.integer) and 0 <= id < self.n_asked:
            raise ValueError(
                f"trial {id} was told before, or expired because more than max_open = "
                f"{self.max_open} trials were open"
            )
        raise KeyError(f"there is no trial {id!r}; ask() has given {self.n_asked} of them")

    def _value(self, cost: float | None, status: str) -> float | None:
        """Return what a cost counts as; None for a failure of which no cost is known."""
        if status not in _STATUSES:
            raise ValueError(f"status must be one of {', '.join(_STATUSES)}, got {status!r}")
        if cost is None:
            if status != "failed":
                raise ValueError("cost must be given unless status='failed'")
            return None if self.worst is None else self.penalty * self.worst
        value = float(cost)
        if not 0.0 <= value < math.inf:
            raise ValueError(f"cost must be finite and not negative, got {cost}")
        if status == "failed":
            return self.penalty * max(value, self.worst or 0.0)
        if status == "capped":
            value *= self.penalty
        if self.worst is None or value > self.worst:
            self.worst = value
        return value

    def _uniform(self, id: int) -> float:
        """Return the uniform number of a trial."""
        place = id - self._first_draw
        if not 0 <= place < _DRAWS:
            self._first_draw, place = id - id % _DRAWS, id % _DRAWS
            drawn = philox.uniform(
                numpy_space(), self._key, tag(Domain.BANDIT),
                self._first_draw, self._first_draw + _DRAWS, 1,
            )  # fmt: skip
            self._draws = drawn[:, 0].tolist()
        return self._draws[place]

    def _normals(self, id: int, count: int) -> Any:
        """Return normal numbers of a trial."""
        stream = tag(Domain.BANDIT, 1)
        return philox.normal(numpy_space(), self._key, stream, id, id + 1, count)[0].astype(float)

    def to_json(self) -> str:
        """Write the whole state as text.

        Returns
        -------
        str
            JSON, for `from_json`. Its length does not grow with the number of trials told.
        """
        names = (*self._shared, *self._fields)
        state = {name: encode(getattr(self, name)) for name in names}
        head = {"lrla": FORMAT, "policy": type(self).__name__}
        parameters = {name: encode(value) for name, value in self._parameters.items()}
        return json.dumps({**head, "parameters": parameters, "state": state}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Restore a policy, open trials included: it goes on exactly as the original would.

        Parameters
        ----------
        text : str
            What `to_json` has written.

        Returns
        -------
        Policy
            Of the class that was written.

        Raises
        ------
        ValueError
            If the text is not the state of a policy of this class.
        """
        data = json.loads(text)
        name = data.get("policy") if isinstance(data, dict) else None
        known: dict[Any, Any] = {c.__name__: c for c in (cls, *_heirs(cls))}
        if name not in known or data.get("lrla") != FORMAT:
            raise ValueError(
                f"text must be what to_json of {cls.__name__} wrote, got policy {name!r}"
            )
        out: Self = known[name](**{key: decode(value) for key, value in data["parameters"].items()})
        for key, value in data["state"].items():
            setattr(out, key, decode(value))
        out._open = {id: Choice(*choice) for id, choice in out._open.items()}
        out._waiting = [Choice(*choice) for choice in out._waiting]
        return out


def _heirs(cls: type[Policy]) -> list[type[Policy]]:
    children: list[type[Policy]] = cls.__subclasses__()
    return [c for child in children for c in (child, *_heirs(child))]


class ArmPolicy(Policy):
    """Base of the policies that choose one of finitely many arms."""

    def __init__(self, n_arms: int, **shared: Any) -> None:
        super().__init__(**shared)
        self.n_arms = whole(n_arms, "n_arms", 1)
        self._parameters["n_arms"] = self.n_arms

    def _draw(self, id: int, weights: Any) -> int:
        """Choose an arm with these probabilities."""
        ends = weights.cumsum()
        return min(int(ends.searchsorted(self._uniform(id) * ends[-1], "right")), self.n_arms - 1)


def cost_interval(cost_range: Any) -> tuple[float, float | None]:
    """Check the range of costs; its upper end may be None."""
    try:
        low, high = cost_range
    except (TypeError, ValueError):
        raise ValueError(f"cost_range must be a pair (low, high), got {cost_range!r}") from None
    low = float(low)
    if not 0 <= low < (math.inf if high is None else high) or (
        high is not None and not math.isfinite(high)
    ):
        raise ValueError(
            f"cost_range must be (low, high) with 0 <= low < high, high None if not known, got "
            f"{cost_range!r}"
        )
    return low, None if high is None else float(high)


class Contexts:
    """Contexts of one or several dimensions, brought to the cube from -1 to 1.

    A context outside of the range counts as the nearest inside; the first such warns.
    """

    def __init__(self, context_range: Sequence[Any]) -> None:
        ends = np.asarray(context_range, dtype=float)
        if ends.ndim == 1:
            ends = ends[None, :]
        fine = ends.ndim == 2 and ends.shape[1] == 2 and len(ends) > 0
        if not (fine and np.all(np.isfinite(ends)) and np.all(ends[:, 0] < ends[:, 1])):
            raise ValueError(
                "context_range must be a pair (low, high) with low < high, or one pair for each "
                f"dimension, got {context_range!r}"
            )
        self.low, self.high = ends[:, 0].tolist(), ends[:, 1].tolist()
        self.warned = False

    @property
    def pairs(self) -> list[list[float]]:
        """The range as given to the constructor."""
        return [[a, b] for a, b in zip(self.low, self.high, strict=True)]

    def look(self, context: Any) -> tuple[float, ...]:
        """Return the coordinates of a context in the cube."""
        if context is None:
            raise ValueError("context must be given: this policy chooses by it")
        values = [float(c) for c in np.ravel(context)]
        if len(values) != len(self.low) or not all(map(math.isfinite, values)):
            raise ValueError(f"context must be {len(self.low)} finite number(s), got {context!r}")
        out = []
        for c, low, high in zip(values, self.low, self.high, strict=True):
            unit = (c - low) / (high - low) * 2.0 - 1.0
            if abs(unit) > 1.0 + _ROUNDING and not self.warned:
                self.warned = True
                warn(
                    f"context {context!r} is outside of context_range; it counts as the nearest "
                    "inside, and so will later ones",
                    AccuracyWarning,
                )
            out.append(min(max(unit, -1.0), 1.0))
        return tuple(out)
