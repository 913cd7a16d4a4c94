"""What a batch comes to: changes of series, how they are applied, and how the journal spells them.

A record stands for itself: it names each of its series in full, so that a record that is lost loses its own
values and no other's. Values are put together per series first, so a record is short where a batch is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.items import SCHEMA, Event, ItemError
from airis_mon.sidecar.series import Distribution, Exemplar, Family, HistogramSeries, Kind, Series
from airis_mon.sidecar.translation import Total, Update

ADD = 0
REPLACE = 1
REMOVE = 2

_ENCODER = msgspec.msgpack.Encoder()
_JSON = msgspec.json.Encoder()


class Entry:
    """What one record does to one series, in one way."""

    __slots__ = ("exemplars", "operation", "series", "timestamp", "values")

    def __init__(self, series: Series, operation: int) -> None:
        self.series = series
        self.operation = operation
        self.values: list[Any] = []
        """Increments come summed up, of a gauge the latest one, observations one by one."""
        self.timestamp = float("-inf")
        self.exemplars: list[Exemplar] = []


class Batch:
    """The changes of one record, and its events."""

    def __init__(self) -> None:
        self.events: list[msgspec.Raw] = []
        """As `kept` returns them."""
        self.entries: list[Entry] = []
        self._open: dict[Series, Entry] = {}

    def add(self, series: Series, update: Update) -> None:
        """Take an update of an admitted series."""
        entry = self._open.get(series)
        if entry is None or entry.operation != ADD:
            entry = self._begin(series, ADD)
        values = entry.values
        kind = series.family.kind
        if not values or kind == "histogram":
            values.append(update.value)
            if update.timestamp > entry.timestamp:
                entry.timestamp = update.timestamp
        elif kind == "counter":
            values[0] += update.value
        elif update.timestamp >= entry.timestamp:
            values[0], entry.timestamp = update.value, update.timestamp
        if update.exemplar is not None and update.exemplar.fits:
            entry.exemplars.append(update.exemplar)

    def replace(self, series: Series, total: Total) -> None:
        """Take a sender's own state of an admitted series."""
        entry = self._entry(series, REPLACE)
        if total.timestamp >= entry.timestamp:
            entry.values, entry.timestamp = [total.value], total.timestamp
        entry.exemplars.extend(total.exemplars)

    def remove(self, series: Series) -> None:
        """Take the end of a series."""
        self._entry(series, REMOVE)

    def __bool__(self) -> bool:
        return bool(self.entries or self.events)

    def _entry(self, series: Series, operation: int) -> Entry:
        entry = self._open.get(series)
        if entry is None or entry.operation != operation:
            entry = self._begin(series, operation)
        return entry

    def _begin(self, series: Series, operation: int) -> Entry:
        # Another way than the last one has an entry of its own: what came first is to be applied first.
        entry = self._open[series] = Entry(series, operation)
        self.entries.append(entry)
        return entry

    def encode(self) -> bytes:
        """Return the record's payload."""
        return _ENCODER.encode(([_encoded(entry) for entry in self.entries], self.events))

    def apply(self, aggregates: Aggregates, sequence: int, now: float) -> None:
        """Let the changes count; called in the order of sequences, once each record is safe."""
        for entry in self.entries:
            series = entry.series
            if series.removed:
                # It ended while this record was on its way to the disk: it begins anew, as in a replay.
                series = entry.series = aggregates.restored(series.family, series.labels)
            _apply(entry, aggregates)
            series.sequence = sequence
            series.touched = now


def kept(event: Event) -> msgspec.Raw:
    """Return an event as a record holds it; ItemError for one that msgpack or JSON cannot spell."""
    try:
        if event.attributes:
            # It is acknowledged here and shown as JSON later, when it is too late to refuse it.
            _JSON.encode(event.attributes)
        return msgspec.Raw(_ENCODER.encode(event))
    except TypeError as error:
        raise ItemError("attributes", f"cannot be kept: {error}; send what JSON can say", SCHEMA) from None
    except (OverflowError, ValueError, RecursionError) as error:
        raise ItemError("", f"cannot be kept: {error}; send numbers of 64 bits at most", SCHEMA) from None


class _Definition(msgspec.Struct, array_like=True):
    """What a series is, as `_definition` writes it."""

    name: str
    kind: Kind
    documentation: str
    buckets: tuple[float, ...]
    labels: tuple[tuple[str, str], ...]

    @property
    def family(self) -> Family:
        return Family(self.name, self.kind, self.documentation, self.buckets)


class _Exemplar(msgspec.Struct, array_like=True):
    labels: tuple[tuple[str, str], ...]
    value: float
    timestamp: float


class _Distribution(msgspec.Struct, array_like=True):
    counts: tuple[int, ...]
    sum: float


class _Entry(msgspec.Struct, array_like=True):
    definition: _Definition
    operation: Literal[0, 1, 2]
    values: list[float | _Distribution]
    timestamp: float
    exemplars: list[_Exemplar]


class _Record(msgspec.Struct, array_like=True):
    entries: list[_Entry]
    events: list[Event]


_DECODER = msgspec.msgpack.Decoder(_Record)


def replay(payload: bytes, sequence: int, aggregates: Aggregates, now: float) -> list[Event]:
    """Apply a record to the series that have not seen it yet; return its events.

    ValueError for a payload that no version of ours has written: nothing of it counts then.
    """
    record = _DECODER.decode(payload)
    changes = []
    for found in record.entries:
        family, labels = found.definition.family, found.definition.labels
        if found.operation == REMOVE and aggregates.found(family.name, labels) is None:
            continue
        series = aggregates.restored(family, labels)
        if series.sequence >= sequence:
            continue
        entry = Entry(series, found.operation)
        entry.values = [_value(series, value) for value in found.values]
        if found.operation == REPLACE and len(entry.values) != 1:
            raise ValueError(f"a total of `{family.name}` has {len(entry.values)} values")
        entry.timestamp = found.timestamp
        entry.exemplars = [Exemplar(one.labels, one.value, one.timestamp) for one in found.exemplars]
        changes.append(entry)
    for entry in changes:
        if entry.series.removed:
            entry.series = aggregates.restored(entry.series.family, entry.series.labels)
        _apply(entry, aggregates)
    for entry in changes:
        entry.series.sequence = sequence
        entry.series.touched = now
    return record.events


def _value(series: Series, value: float | _Distribution) -> float | Distribution:
    """Return a value of a record as its series takes it; ValueError where it does not fit."""
    if not isinstance(value, _Distribution):
        return value
    if not isinstance(series, HistogramSeries) or len(value.counts) != len(series.counts):
        raise ValueError(f"a distribution of {len(value.counts)} buckets does not fit `{series.family.name}`")
    return Distribution(value.counts, value.sum)


def events_of(payload: bytes) -> list[Event]:
    """Return the events of a record; none for one that no version of ours has written."""
    try:
        return _DECODER.decode(payload).events
    except (msgspec.DecodeError, ValueError):
        return []


def saved(series: Series) -> bytes:
    """Return the whole state of a series, for a snapshot."""
    if isinstance(series, HistogramSeries):
        value: Any = (series.counts, series.sum)
        exemplars = series.exemplars or []
    else:
        value = series.value  # type: ignore[attr-defined]
        exemplars = [series.exemplar]  # type: ignore[attr-defined]
    return _ENCODER.encode(
        (
            msgspec.Raw(_definition(series)),
            value,
            series.last,
            series.sequence,
            series.touched,
            [_said(exemplar) for exemplar in exemplars if exemplar is not None],
        )
    )


def load(states: Sequence[list[Any]], aggregates: Aggregates) -> Iterator[Series]:
    """Yield the series of a snapshot's slice, as they were."""
    for definition, value, last, sequence, touched, exemplars in states:
        family, labels = _defined(definition)
        series = aggregates.restored(family, labels)
        if isinstance(series, HistogramSeries):
            series.counts[:], series.sum = value
            for exemplar in map(_exemplar, exemplars):
                series.keep(exemplar)
        else:
            series.value = value  # type: ignore[attr-defined]
            series.exemplar = _exemplar(exemplars[0]) if exemplars else None  # type: ignore[attr-defined]
        series.last, series.sequence, series.touched = last, sequence, touched
        series.exposed = True
        yield series


def _apply(entry: Entry, aggregates: Aggregates) -> None:
    series = entry.series
    if entry.operation == REMOVE:
        aggregates.remove(series)
        return
    if entry.operation == REPLACE:
        series.replace(entry.values[0], entry.timestamp)
    else:
        for value in entry.values:
            series.add(value, entry.timestamp)
    for exemplar in entry.exemplars:
        series.keep(exemplar)
    series.exposed = True


def _encoded(entry: Entry) -> tuple[Any, ...]:
    values = [
        (value.counts, value.sum) if isinstance(value, Distribution) else value for value in entry.values
    ]
    return (
        msgspec.Raw(_definition(entry.series)),
        entry.operation,
        values,
        entry.timestamp,
        [_said(exemplar) for exemplar in entry.exemplars],
    )


def _definition(series: Series) -> bytes:
    if series.definition is None:
        family = series.family
        series.definition = _ENCODER.encode(
            (family.name, family.kind, family.documentation, family.buckets, series.labels)
        )
    return series.definition


def _defined(definition: list[Any]) -> tuple[Family, tuple[tuple[str, str], ...]]:
    found = msgspec.convert(definition, _Definition)
    return found.family, found.labels


def _said(exemplar: Exemplar) -> tuple[Any, ...]:
    return (exemplar.labels, exemplar.value, exemplar.timestamp)


def _exemplar(given: list[Any]) -> Exemplar:
    return Exemplar(tuple((key, text) for key, text in given[0]), given[1], given[2])
