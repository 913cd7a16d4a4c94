"""What one round of the analyzer did: what was judged and written, how long it took, what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.evaluation import Evaluation
from airis_mon.analyzer.knowledge import Trial
from airis_mon.analyzer.phases import Phase
from airis_mon.analyzer.query import LIMITS, Limit
from airis_mon.remote_write import WriteResult


@dataclass(frozen=True)
class Failure:
    """A query that gave nothing this time, or no new model."""

    query: Query
    text: str
    limit: Limit | None = None
    """The limit that it came up against, if it was one."""


@dataclass(frozen=True)
class Tally:
    """What a query gave."""

    query: Query
    series: int
    """Series that its expression has."""
    samples: int
    """Samples to write."""
    scored: int
    warming_up: int
    trials: tuple[Trial, ...] = ()
    """What became of the candidates of its forecasts."""

    @classmethod
    def of(cls, query: Query, found: Evaluation) -> Tally:
        """Return what an evaluation comes to."""
        samples = len(found.samples)
        return cls(query, found.series, samples, found.scored, found.warming_up, found.trials)


@dataclass(frozen=True)
class Outcome:
    """What one round did."""

    now: float
    """Prometheus' time when the round began."""
    at: int
    """The time that was judged."""
    seconds: float = 0.0
    """What the round took."""
    repeated: bool = False
    """That time, or a later one, had been judged before: nothing was done."""
    back: int = 0
    """Seconds by which the server's clock is behind a time that was judged."""
    missed: range = range(0)
    """Aligned times between the one judged before and this one: nobody judged them."""
    resumed: bool = False
    """The one judged before was judged by an earlier process."""
    written: WriteResult = field(default_factory=WriteResult)
    failures: tuple[Failure, ...] = ()
    tallies: tuple[Tally, ...] = ()
    """One for each query that could be evaluated."""
    ages: Mapping[Query, int] = field(default_factory=dict)
    """Seconds from the end of what its model has seen to the time judged, of each query with a model."""
    phases: Mapping[Phase, float] = field(default_factory=dict)
    """Seconds that went into each phase."""
    fits: int = 0
    unlearnt: int = 0
    """Queries for whose past there was no time: they had no model, and come first in the next round."""

    @property
    def scored(self) -> int:
        """Series with a score that means something."""
        return sum(tally.scored for tally in self.tallies)

    @property
    def warming_up(self) -> int:
        """Series whose score is 0 because their past is too short."""
        return sum(tally.warming_up for tally in self.tallies)

    @property
    def limited(self) -> Mapping[Limit, int]:
        """How many queries came up against each limit."""
        found = Counter(failure.limit for failure in self.failures if failure.limit is not None)
        return {limit: found[limit] + (self.unlearnt if limit == "learning" else 0) for limit in LIMITS}

    @property
    def lag(self) -> float:
        """Seconds from the time that was judged to the end of the write."""
        return self.now + self.seconds - self.at

    @property
    def complete(self) -> bool:
        """Whether every query gave its samples, and all of them were taken."""
        return not self.failures and not self.written.dropped
