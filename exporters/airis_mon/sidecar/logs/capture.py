"""Log records into changes and events, by declared patterns, masked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from airis_mon.exporters import series
from airis_mon.sidecar.intake import Refusal
from airis_mon.sidecar.items import VALUE, Event, ItemError, Metric
from airis_mon.sidecar.logs.masking import Masking
from airis_mon.sidecar.logs.patterns import Pattern, text
from airis_mon.sidecar.logs.record import LogRecord
from airis_mon.sidecar.series import Family
from airis_mon.sidecar.translation import Change, Translation, Update, counted

RECORDS = Family(
    series.LOG_RECORDS.removesuffix("_total"),
    "counter",
    "Log records taken in, by source and whether a declared pattern matched.",
)
MATCHED, UNMATCHED = "matched", "unmatched"
OTHER = "other"
MOST_SOURCES = 1_000
"""Sources that are told apart; further ones count as `other`."""
LONGEST_LABEL = 128
"""Characters of a label's value; the rest is cut off."""
_LONGEST_MESSAGE = 8_192
_MOST_ATTRIBUTES = 64


@dataclass(frozen=True)
class Captured:
    """What records come to; indices are those of the records."""

    changes: list[tuple[int, list[Change]]] = field(default_factory=list)
    events: dict[int, Event] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)


class Capture:
    """Turns records into what `Intake.take` takes. Without patterns records are counted, and that is all."""

    def __init__(
        self,
        moment: Callable[[float], float],
        translation: Translation,
        patterns: Iterable[Pattern] = (),
        masking: Masking | None = None,
    ) -> None:
        self._moment = moment
        self._translation = translation
        self._sources: set[str] = set()
        self.masking = masking or Masking()
        self.configure(tuple(patterns), self.masking)

    def configure(self, patterns: tuple[Pattern, ...], masking: Masking) -> None:
        """Take other patterns and another masking from now on."""
        self._patterns = patterns
        self.masking = masking
        self._sets: dict[str, set[tuple[str, ...]]] = {pattern.name: set() for pattern in patterns}

    def changes(self, records: Iterable[tuple[int, LogRecord]]) -> Captured:
        """Return the changes of all records, each given with its index."""
        captured = Captured()
        for index, record in records:
            try:
                changes, event = self._one(record)
            except ItemError as error:
                captured.refusals.append(Refusal(index, error))
                continue
            captured.changes.append((index, changes))
            if event is not None:
                captured.events[index] = event
        return captured

    def _one(self, record: LogRecord) -> tuple[list[Change], Event | None]:
        self._moment(record.timestamp)
        changes: list[Change] = []
        event: Event | None = None
        result = UNMATCHED
        for pattern in self._patterns:
            groups = pattern.match(record)
            if groups is None:
                continue
            result = MATCHED
            labels = self._labels(pattern, record, groups)
            if pattern.counter:
                changes.append(self._metric(record, "counter", pattern.counter, 1.0, "", labels))
            for measure in pattern.measures:
                value = _number(groups.get(measure.value, record.field(measure.value)), measure.value)
                changes.append(self._metric(record, measure.kind, measure.name, value, measure.unit, labels))
            if pattern.event and event is None:
                event = self._event(record, pattern.event)
                changes.append(counted(event))
        labels_of_count = ((series.RESULT, result), (series.SOURCE, self._source(record.source)))
        changes.append(Update(RECORDS, labels_of_count, 1.0, record.timestamp))
        return changes, event

    def _metric(
        self, record: LogRecord, kind: str, name: str, value: float, unit: str, labels: dict[str, str]
    ) -> Change:
        moment = datetime.fromtimestamp(record.timestamp, UTC)
        return self._translation.metric(
            Metric(
                timestamp=moment,
                source=self._source(record.source),
                metric_type=kind,
                metric_name=name,
                value=value,
                unit=unit,
                tags=labels,
            )
        )

    def _labels(self, pattern: Pattern, record: LogRecord, groups: dict[str, str]) -> dict[str, str]:
        found: list[str] = []
        for place in pattern.labels.values():
            given = groups.get(place)
            value = self.masking.value(place, text(record.field(place)) if given is None else given)
            found.append(value[:LONGEST_LABEL] if isinstance(value, str) else "")
        # A large body is captured beside the loop, which may have been given other patterns since.
        sets = self._sets.setdefault(pattern.name, set())
        values = tuple(found)
        if values not in sets:
            if len(sets) >= pattern.budget:
                values = (OTHER,) * len(values)
            else:
                sets.add(values)
        return dict(zip(pattern.labels, values, strict=True))

    def _event(self, record: LogRecord, event_type: str) -> Event:
        message = self.masking.value("message", record.message)
        attributes = dict(record.attributes)
        if not isinstance(record.body, str):
            attributes.update(record.body)
        first = dict(list(attributes.items())[:_MOST_ATTRIBUTES])
        return Event(
            timestamp=datetime.fromtimestamp(record.timestamp, UTC),
            event_type=event_type,
            severity=record.severity,
            source=self._source(record.source),
            message=message[:_LONGEST_MESSAGE] if isinstance(message, str) else "",
            attributes=self.masking.mapping(first),
            trace_id=record.trace_id[:200],
        )

    def _source(self, source: str) -> str:
        if source in self._sources:
            return source
        masked = self.masking.text(source[:200]) or "unknown"
        if masked not in self._sources:
            if len(self._sources) >= MOST_SOURCES:
                return OTHER
            self._sources.add(masked)
        return masked


def _number(value: object, name: str) -> float:
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ItemError(name, "no number stands there, and a pattern makes a metric of it", VALUE)
    return number
