"""Items into updates of series."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from airis_mon.exporters import series
from airis_mon.sidecar.items import SCHEMA, TIMESTAMP, TYPE, VALUE, Event, ItemError, Metric
from airis_mon.sidecar.names import Kind, Labels, labels, metric_name
from airis_mon.sidecar.series import Distribution, Exemplar, Family, Value
from airis_mon.sidecar.units import Unit, unit

KINDS: MappingProxyType[str, Kind] = MappingProxyType(
    {
        "performance": "histogram",
        "latency": "histogram",
        "histogram": "histogram",
        "usage": "counter",
        "throughput": "counter",
        "counter": "counter",
        "quality": "gauge",
        "resource": "gauge",
        "gauge": "gauge",
    }
)
"""Prometheus type by `metric_type`."""

SEVERITIES = ("debug", "info", "warning", "error", "critical")

LARGEST = 1e100
"""Magnitude of a value; far beyond any measurement, and no sum of such values overflows."""

LARGEST_INCREMENT = 2.0**53
"""Of a counter, in its base unit: beyond it a total no longer counts one by one, and what follows is lost."""

_BUCKETS_BY_NAME = MappingProxyType(
    {
        series.PREDICTION_DURATION: series.PREDICTION_DURATION_BUCKETS,
        series.PREDICTION_CONFIDENCE: series.PREDICTION_CONFIDENCE_BUCKETS,
    }
)
_BUCKETS_BY_UNIT = MappingProxyType(
    {
        "seconds": series.GEN_AI_DURATION_BUCKETS,
        "tokens": series.GEN_AI_TOKEN_BUCKETS,
        "bytes": series.BYTE_BUCKETS,
        "ratio": series.RATIO_BUCKETS,
    }
)
_CACHE = 10_000

__all__ = [
    "EVENTS",
    "Change",
    "Distribution",
    "Exemplar",
    "Family",
    "Removal",
    "Total",
    "Translation",
    "Update",
    "counted",
]
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Update(NamedTuple):
    """One value for one series: an increment, a gauge's value, one observation.

    A named tuple, as there is one an item: it is made in a third of the time of a frozen dataclass.
    """

    family: Family
    labels: Labels
    value: Value
    """In the base unit; a distribution is as many observations as it counts."""
    timestamp: float
    """Seconds since 1970."""
    exemplar: Exemplar | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """A series' whole state as its sender counts it; replaces ours where it is no older."""

    family: Family
    labels: Labels
    value: Value
    timestamp: float
    """Seconds since 1970."""
    exemplars: tuple[Exemplar, ...] = ()


@dataclass(frozen=True, slots=True)
class Removal:
    """The end of a series."""

    name: str
    """The family's."""
    labels: Labels


Change = Update | Total | Removal

EVENTS = Family(
    series.EVENTS.removesuffix("_total"), "counter", "Events taken in, by type, severity and source."
)


class Translation:
    """Turns items into updates; remembers what names, units and tags come to, within bounds."""

    def __init__(self, now: Callable[[], float], ahead: float) -> None:
        self._now = now
        self._ahead = ahead
        self._families: dict[tuple[str, str, str], tuple[Family, Unit]] = {}
        self._targets: dict[Hashable, tuple[Family, Unit, Labels]] = {}

    def metric(self, item: Metric) -> Update:
        """Return the update for a metric; ItemError where it cannot be one."""
        timestamp = self.moment(item.timestamp.timestamp())
        # One look for all that depends on the item's words; what they come to is worked out once.
        key = (item.metric_name, item.metric_type, item.unit, item.source, *item.tags.items())
        family, meant, found = self._targets.get(key) or self._target(key, item)
        value = item.value * meant.scale / meant.divisor
        if not -LARGEST <= value <= LARGEST:  # NaN neither
            raise ItemError("value", f"a number between -{LARGEST:g} and {LARGEST:g} is wanted", VALUE)
        if value < 0 and family.kind != "gauge":
            raise ItemError(
                "value",
                f"a {family.kind} takes 0 or more, got {item.value:g}; "
                f"send a value that falls as metric_type `gauge`",
                VALUE,
            )
        if family.kind == "counter" and value > LARGEST_INCREMENT:
            in_base = f" {meant.base}" if meant.base else ""
            raise ItemError(
                "value",
                f"a counter takes at most {LARGEST_INCREMENT:.0f}{in_base} (2^53) at once, got {value:g}: "
                f"beyond it later increments are lost; send the increment since the last item",
                VALUE,
            )
        return Update(family, found, value, timestamp)

    def _target(self, key: Hashable, item: Metric) -> tuple[Family, Unit, Labels]:
        named = (item.metric_name, item.metric_type, item.unit)
        known = self._families.get(named)
        if known is None:
            known = _remember(self._families, named, _family(item))
        return _remember(self._targets, key, (*known, labels(item.source, item.tags)))

    def event(self, item: Event) -> None:
        """ItemError for an event of the future, or a severity that is none."""
        self.moment(item.timestamp.timestamp())
        if item.severity not in SEVERITIES:
            raise ItemError("severity", _choice("severity", item.severity, SEVERITIES), SCHEMA)

    def moment(self, moment: float) -> float:
        """Return a time, in seconds since 1970, as it is; ItemError for one that no clock can have meant."""
        ahead = moment - self._now()
        if ahead > self._ahead:
            raise ItemError(
                "timestamp",
                f"{ahead:.0f} s in the future, at most {self._ahead:g} s are taken; check the sender's clock",
                TIMESTAMP,
            )
        if moment < 0:
            raise ItemError(
                "timestamp", "before 1970; check the sender's clock, and the unit it counts in", TIMESTAMP
            )
        return moment


def counted(event: Event) -> Update:
    """Return the update that counts a valid event."""
    pairs = (
        (series.EVENT_TYPE, event.event_type),
        (series.SEVERITY, event.severity),
        (series.SOURCE, event.source),
    )
    return Update(EVENTS, pairs, 1.0, event.timestamp.timestamp())


def _family(item: Metric) -> tuple[Family, Unit]:
    kind = KINDS.get(item.metric_type)
    if kind is None:
        raise ItemError("metric_type", _choice("metric_type", item.metric_type, tuple(KINDS)), TYPE)
    meant = unit(item.unit)
    name = metric_name(item.metric_name, meant, kind)
    buckets = _buckets(name, meant) if kind == "histogram" else ()
    said = f" in {meant.base}" if meant.base else ""
    return Family(name, kind, f"Sent to /v1/metrics as {kind}{said}.", buckets), meant


def _buckets(name: str, meant: Unit) -> tuple[float, ...]:
    return _BUCKETS_BY_NAME.get(name) or _BUCKETS_BY_UNIT.get(meant.base) or series.DECADE_BUCKETS


def _choice(field: str, given: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(given.lower(), known, n=1)
    suggestion = f", did you mean `{close[0]}`?" if close else ";"
    return f"unknown {field} `{given}`{suggestion} known are {', '.join(known)}"


def _remember(cache: dict[K, V], key: K, value: V) -> V:
    # Emptied, not evicted one by one: senders that fill it are rare, and filling it anew costs little.
    if len(cache) >= _CACHE:
        cache.clear()
    cache[key] = value
    return value
