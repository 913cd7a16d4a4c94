"""Which of statsmodels' forecasters are tried, at how many origins: within a budget that is counted.

A clock would make two analyzers of a pair, or a replay, try different ones. What a fit costs is told by the
length of the past instead, and was measured once, with a margin.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from airis_mon.spec import Candidate

COLUMNS_MOST = 1000
"""Newest columns that a candidate is fitted on."""
CYCLES_LEAST = 2
"""Times that a season must have passed; one that has not is not used."""
_WORDS_MAX = 300
_ORIGINS = (4, 2, 1)
"""Fits of one series, along its trials; the fewer, the longer parameters are carried forward."""


class Fate(IntEnum):
    """What became of a candidate on one series."""

    TRIED = 0
    """It was tried, and weighs by how it did."""
    SHORT = 1
    """The past before its trials is too short."""
    CONSTANT = 2
    """The series did not move."""
    NO_SEASON = 3
    """It takes a season out, and there is none that passed often enough."""
    FAILED = 4
    """No parameters were found, or no finite forecast came of them."""
    BUDGET = 5
    """There was no time for it."""

    @property
    def words(self) -> str:
        """Say it as a sentence goes on."""
        return _WORDS[self]


_WORDS: Mapping[Fate, str] = MappingProxyType(
    {
        Fate.TRIED: "tried",
        Fate.SHORT: "left out, for too short a past,",
        Fate.CONSTANT: "left out, for nothing moves,",
        Fate.NO_SEASON: "left out, for no season passed twice,",
        Fate.FAILED: "left out, for it could not be fitted,",
        Fate.BUDGET: "left out, for its time_budget is used up,",
    }
)


@dataclass(frozen=True)
class Cost:
    """CPU seconds of one fit and of carrying it to the next."""

    fit: float
    column: float
    """For each column that is learnt from."""

    def of(self, columns: int) -> float:
        """Return the seconds of one origin."""
        return self.fit + self.column * min(columns, COLUMNS_MOST)


# Twice what the dearest of several took, at 40 to 1,000 columns, with and without a season.
_COSTS: Mapping[Candidate, Cost] = MappingProxyType(
    {
        "ets": Cost(0.06, 1.5e-4),
        "ets_damped": Cost(0.06, 1.5e-4),
        "arima": Cost(0.05, 5e-5),
        "stl": Cost(0.05, 2.2e-4),
        "theta": Cost(0.02, 1e-5),
    }
)


@dataclass(frozen=True)
class Plan:
    """What is tried on each of some series."""

    names: tuple[Candidate, ...] = ()
    origins: int = 1
    """Fits of each, along the trials of a series."""
    left_out: tuple[Candidate, ...] = ()
    """Those that there is no time for."""


NONE = Plan()


@dataclass(frozen=True)
class Candidates:
    """What a document asks for."""

    names: tuple[Candidate, ...] = ()
    """Those named first are the last to be left out."""
    budget: float = 0.0
    """CPU seconds for all series of a forecast together, each time it is made."""

    def plan(self, pasts: Sequence[int]) -> Plan:
        """Return what the budget has room for, of series with pasts of so many columns."""
        for count in range(len(self.names), 0, -1):
            names = self.names[:count]
            once = sum(_COSTS[name].of(columns) for name in names for columns in pasts)
            origins = next((n for n in _ORIGINS if n * once <= self.budget), 0)
            if origins:
                return Plan(names, origins, self.names[count:])
        return Plan(left_out=self.names)


NOBODY = Candidates()


def unusable() -> str | None:
    """Return what keeps candidates from being tried here, as `statsmodels` goes on; None for nothing."""
    if importlib.util.find_spec("statsmodels") is None:
        return "which is not installed here"
    try:
        importlib.import_module("airis_mon.analyzer.forecasting.statistical")
    except Exception as error:
        # Whatever an installation trips over that was made halfway, or for other versions.
        said = " ".join(str(error).split())[:_WORDS_MAX]
        return f"which cannot be imported here: {type(error).__name__}: {said}"
    return None
