"""One value of one series at one time, and what makes it fit to be sent."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

NAME = "__name__"

_STALE_BITS = 0x7FF0000000000002
STALE: float = struct.unpack("<d", struct.pack("<Q", _STALE_BITS))[0]
"""The NaN that ends a series: after it, queries see nothing until a new value comes."""

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_LABELS_MAX = 256
_BYTES_MAX = 65_536
"""Far above what receivers take by default (Mimir: 30 labels, 2,048 bytes), which is theirs to say."""
_INT64 = 2**63

Labels = tuple[tuple[str, str], ...]
"""Pairs sorted by name: the identity of a series."""


def is_stale(value: float) -> bool:
    """Return whether a value is the stale marker, which is one NaN among many."""
    return bool(struct.unpack("<Q", struct.pack("<d", value))[0] == _STALE_BITS)


@dataclass(frozen=True)
class Exemplar:
    """One case behind a number, such as a request by its trace."""

    labels: Labels
    """Sorted by name; `trace_id` where it is about a trace."""
    value: float
    timestamp_ms: int


@dataclass(frozen=True)
class Sample:
    """One value of one series."""

    labels: Mapping[str, str]
    """All labels, `__name__` included; no order needed."""
    timestamp_ms: int
    """Milliseconds since the epoch."""
    value: float
    """Any float; the NaN that is `STALE` ends the series."""
    start_ms: int = 0
    """When a counter began to count, in milliseconds since the epoch; 0 where that is unknown or means
    nothing, so that 1 or -1 stands for the epoch itself. Told by 2.0 alone."""
    exemplar: Exemplar | None = None
    """Told by 2.0 alone."""


@dataclass(frozen=True)
class Series:
    """Samples of one series, in time order, no two at the same time."""

    labels: Labels
    samples: tuple[tuple[int, float], ...]
    """(milliseconds, value)."""
    starts: Mapping[int, int] | None = None
    """Start of counting by the time of a sample, both in milliseconds, where it is known."""
    exemplars: tuple[Exemplar, ...] = ()

    def part(self, first: int, end: int | None = None) -> Series:
        """Return the series with some of its samples; exemplars go with the first part."""
        return Series(self.labels, self.samples[first:end], self.starts, () if first else self.exemplars)


@dataclass(frozen=True)
class Refusal:
    """A sample that will not be stored, as far as is known."""

    labels: Labels
    timestamp_ms: int
    value: float
    reason: str
    doubtful: bool = False
    """The receiver kept a part of the batch and did not say which: this one may be stored."""

    def __str__(self) -> str:
        """Return series and reason in a line."""
        return f"{described(self.labels)}: {self.reason}"


def fault(sample: Sample) -> str | None:
    """Return why a receiver would refuse or silently lose the sample; None if it is fit to be sent."""
    if not _METRIC.match(sample.labels.get(NAME, "")):
        return f"{NAME} is {sample.labels.get(NAME)!r}: it has to match [a-zA-Z_:][a-zA-Z0-9_:]*"
    if len(sample.labels) > _LABELS_MAX:
        return f"{len(sample.labels)} labels, at most {_LABELS_MAX} are sent"
    for name, value in sample.labels.items():
        reason = _label_fault(name, value)
        if reason is not None:
            return reason
    if not -_INT64 <= sample.timestamp_ms < _INT64:
        return f"timestamp {sample.timestamp_ms} ms does not fit 64 bits"
    return None if sample.exemplar is None else _exemplar_fault(sample.exemplar)


def _exemplar_fault(exemplar: Exemplar) -> str | None:
    """Return why the exemplar would not arrive, which nobody would notice; None if it is fit to be sent."""
    names = [name for name, _ in exemplar.labels]
    if any(first >= second for first, second in pairwise(names)):
        return "exemplar: its labels are not sorted by name"
    for name, value in exemplar.labels:
        reason = _label_fault(name, value)
        if reason is not None:
            return f"exemplar: {reason}"
    if not -_INT64 <= exemplar.timestamp_ms < _INT64:
        return f"exemplar: timestamp {exemplar.timestamp_ms} ms does not fit 64 bits"
    return None


@lru_cache(65_536)
def _label_fault(name: str, value: str) -> str | None:
    if name != NAME and not _LABEL.match(name):
        return f"label {name!r}: a name has to match [a-zA-Z_][a-zA-Z0-9_]*"
    if not value:
        return f"label {name!r} is empty: an empty label is no label, leave it out"
    if "\x00" in value or not (value.isascii() or _encodable(value)):
        return f"label {name!r}: its value is no text that UTF-8 can carry"
    if len(value) > _BYTES_MAX and len(value.encode()) > _BYTES_MAX:
        return f"label {name!r}: its value is longer than {_BYTES_MAX} bytes"
    return None


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


@dataclass(frozen=True)
class Grouped:
    """What of a write is fit to be sent, by series, and what is not."""

    series: tuple[Series, ...]
    refused: tuple[Refusal, ...]
    """What was left out, and why."""


def grouped(samples: Iterable[Sample]) -> Grouped:
    """Sort samples into series and time order, leaving out what no receiver takes.

    A receiver refuses a whole request for one wrong sample, or silently loses those that are out of order;
    so order is made here, and a second value for the same time of a series is a fault.
    """
    found: dict[Labels, dict[int, float]] = {}
    starts: dict[Labels, dict[int, int]] = {}
    exemplars: dict[Labels, list[Exemplar]] = {}
    refused: list[Refusal] = []
    for sample in samples:
        reason = fault(sample)
        labels = tuple(sorted(sample.labels.items()))
        if reason is None:
            values = found.setdefault(labels, {})
            first = values.setdefault(sample.timestamp_ms, sample.value)
            if first is not sample.value and struct.pack("<d", first) != struct.pack("<d", sample.value):
                reason = f"a second value for the same time {sample.timestamp_ms} ms"
        if reason is not None:
            refused.append(Refusal(labels, sample.timestamp_ms, sample.value, reason))
            continue
        if sample.start_ms:
            starts.setdefault(labels, {})[sample.timestamp_ms] = sample.start_ms
        if sample.exemplar is not None:
            exemplars.setdefault(labels, []).append(sample.exemplar)
    return Grouped(
        tuple(
            Series(
                labels,
                tuple(sorted(values.items())),
                starts.get(labels),
                _in_order(exemplars[labels]) if labels in exemplars else (),
            )
            for labels, values in found.items()
        ),
        tuple(refused),
    )


def _in_order(exemplars: list[Exemplar]) -> tuple[Exemplar, ...]:
    return tuple(sorted(exemplars, key=lambda one: one.timestamp_ms))


def described(labels: Mapping[str, str] | Labels) -> str:
    """Return a series as PromQL writes it, shortened to a line."""
    pairs = dict(labels)
    name = pairs.pop(NAME, "")
    inside = ", ".join(f"{label}={value[:80]!r}" for label, value in sorted(pairs.items())[:20])
    return f"{name}{{{inside}}}"
