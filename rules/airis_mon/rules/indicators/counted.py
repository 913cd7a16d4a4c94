"""Operations and failures that expressions of the document count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from airis_mon.rules.expressions import LE, Term, terms
from airis_mon.spec import Events


@dataclass(frozen=True)
class Counted:
    """Sums of rates of counters. A term that has no series counts as none, as long as others have some."""

    total: tuple[Term, ...]
    """All operations."""
    part: tuple[Term, ...]
    """Those that failed, or those that did not."""
    part_is_good: bool
    signal = "events"

    @classmethod
    def of(cls, events: Events) -> Self:
        """Return what the expressions count; ExpressionError where one cannot be used."""
        total = terms(events.total)
        if events.bad is not None:
            return cls(total, terms(events.bad), part_is_good=False)
        assert events.good is not None  # the document has exactly one of them
        return cls(total, terms(events.good), part_is_good=True)

    @property
    def boundary(self) -> float | None:
        """Boundary of the histogram that is read, for which servers have several spellings."""
        found = (one.value for term in self.part for one in term.matchers if one.label == LE)
        return next((float(value) for value in found if value != "+Inf"), None)

    @property
    def lacking(self) -> str:
        """What is wrong with the series where nothing can be computed."""
        *others, last = (term.selector for term in self.total)
        return f"neither {' nor '.join(others)} nor {last} has series" if others else f"{last} has no series"

    def operations(self, window: str) -> str:
        """Return PromQL for operations per second."""
        if len(self.total) == 1:
            return self.total[0].rate(window)
        # A sum with + would be absent where one of its terms is.
        numbered = (
            f'label_replace({term.rate(window)}, "term", "{position}", "", "")'
            for position, term in enumerate(self.total, 1)
        )
        return f"sum({' or '.join(numbered)})"

    def failures(self, window: str, events: str) -> str:
        """Return PromQL for failures per second; what has no series yet is 0 where operations are counted."""
        signs = [-term.sign if self.part_is_good else term.sign for term in self.part]
        if signs == [1]:
            return f"{self.part[0].rate(window)} or 0 * {self.operations(window)}"
        whole = [self.operations(window)] if self.part_is_good else []
        joined = self._joined(whole, signs, window)
        # Rates extrapolate each series on its own, so that a difference can be a hair below zero.
        return f"clamp_min({joined}, 0)" if -1 in signs else joined

    def part_rate(self, window: str) -> str:
        """Return PromQL for what the part counts per second, be it more than all operations or below none."""
        signs = [term.sign for term in self.part]
        return self.part[0].rate(window) if signs == [1] else self._joined([], signs, window)

    def _joined(self, whole: list[str], signs: list[int], window: str) -> str:
        """Return the sum of what stands first and of the terms of the part, each with a sign."""
        nothing = f"0 * {self.operations(window)}"
        counted = [
            f"{'+' if sign > 0 else '-'} {self._present(term, window, nothing)}"
            for sign, term in zip(signs, self.part, strict=True)
        ]
        return " ".join([*whole, *counted]).removeprefix("+ ")

    def _present(self, term: Term, window: str, nothing: str) -> str:
        """Return the rate of a term that has a value wherever operations are counted."""
        if self.total == (term,):
            return term.rate(window)
        return f"({term.rate(window)} or {nothing})"

    def rests_on(self, metric: str, labels: Mapping[str, str]) -> bool:
        """Tell whether there is a value wherever that series is."""
        return any(term.counts(metric, labels) for term in self.total)
