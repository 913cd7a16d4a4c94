"""One value of one series at one time, and what makes it fit to be sent."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

NAME = "__name__"

_STALE_BITS = 0x7FF0000000000002
STALE: float = struct.unpack("<d", struct.pack("<Q", _STALE_BITS))[0]
"""The NaN that ends a series: after it, queries see nothing until a new value comes."""

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_LABELS_MAX = 60
_BYTES_MAX = 2048
_INT64 = 2**63

Labels = tuple[tuple[str, str], ...]
"""Pairs sorted by name: the identity of a series."""


def is_stale(value: float) -> bool:
    """Return whether a value is the stale marker, which is one NaN among many."""
    return bool(struct.unpack("<Q", struct.pack("<d", value))[0] == _STALE_BITS)


@dataclass(frozen=True)
class Sample:
    """One value of one series."""

    labels: Mapping[str, str]
    """All labels, `__name__` included; no order needed."""
    timestamp_ms: int
    """Milliseconds since the epoch."""
    value: float
    """Any float but NaN; `STALE` ends the series."""


@dataclass(frozen=True)
class Series:
    """Samples of one series, in time order, no two at the same time."""

    labels: Labels
    samples: tuple[tuple[int, float], ...]
    """(milliseconds, value)."""


def fault(sample: Sample) -> str | None:
    """Return why a receiver would refuse or silently lose the sample; None if it is fit to be sent."""
    if not _METRIC.match(sample.labels.get(NAME, "")):
        return f"{NAME} is {sample.labels.get(NAME)!r}: it has to match [a-zA-Z_:][a-zA-Z0-9_:]*"
    if len(sample.labels) > _LABELS_MAX:
        return f"{len(sample.labels)} labels, at most {_LABELS_MAX} are sent"
    for name, value in sample.labels.items():
        if name != NAME and not _LABEL.match(name):
            return f"label {name!r}: a name has to match [a-zA-Z_][a-zA-Z0-9_]*"
        if not value:
            return f"label {name!r} is empty: an empty label is no label, leave it out"
        if "\x00" in value or _unencodable(value):
            return f"label {name!r}: its value is no text that UTF-8 can carry"
        if len(value) > _BYTES_MAX and len(value.encode()) > _BYTES_MAX:
            return f"label {name!r}: its value is longer than {_BYTES_MAX} bytes"
    if not -_INT64 <= sample.timestamp_ms < _INT64:
        return f"timestamp {sample.timestamp_ms} ms does not fit 64 bits"
    if math.isnan(sample.value) and not is_stale(sample.value):
        return "the value is NaN: leave the sample out, or end the series with STALE"
    return None


def _unencodable(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


@dataclass(frozen=True)
class Grouped:
    """What of a write is fit to be sent, by series, and what is not."""

    series: tuple[Series, ...]
    faults: tuple[str, ...]
    """One text for each sample that was left out."""


def grouped(samples: Iterable[Sample]) -> Grouped:
    """Sort samples into series and time order, leaving out what no receiver takes.

    A receiver refuses a whole request for one wrong sample, or silently loses those that are out of order;
    so order is made here, and a second value for the same time of a series is a fault.
    """
    found: dict[Labels, dict[int, float]] = {}
    faults: list[str] = []
    for sample in samples:
        reason = fault(sample)
        if reason is None:
            values = found.setdefault(tuple(sorted(sample.labels.items())), {})
            first = values.setdefault(sample.timestamp_ms, sample.value)
            if struct.pack("<d", first) != struct.pack("<d", sample.value):
                reason = f"a second value for the same time {sample.timestamp_ms} ms"
        if reason is not None:
            faults.append(f"{described(sample.labels)}: {reason}")
    series = tuple(Series(labels, tuple(sorted(values.items()))) for labels, values in found.items())
    return Grouped(series, tuple(faults))


def described(labels: Mapping[str, str] | Labels) -> str:
    """Return a series as PromQL writes it, shortened to a line."""
    pairs = dict(labels)
    name = pairs.pop(NAME, "")
    inside = ", ".join(f"{label}={value[:80]!r}" for label, value in sorted(pairs.items())[:20])
    return f"{name}{{{inside}}}"
