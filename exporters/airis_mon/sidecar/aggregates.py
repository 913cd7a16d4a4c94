"""The series that items add up to, apart from how items come and how series go out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from prometheus_client import Metric
from prometheus_client.registry import Collector

from airis_mon.sidecar.items import CONFLICT, LIMIT, VALUE, ItemError
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.names import Labels
from airis_mon.sidecar.series import Distribution, Family, Series, Value, new_series
from airis_mon.sidecar.translation import EVENTS, LARGEST_INCREMENT, Total, Update

_SUFFIXES = {
    "counter": ("_total", "_created"),
    "gauge": (),
    "unknown": (),
    "histogram": ("_bucket", "_sum", "_count", "_created"),
}


class Aggregates(Collector):
    """All series, within the limits. Not safe for threads: it belongs to the event loop.

    First `admit`, which finds or makes the series and raises for what has no place; then, once the journal
    has the item, `entries` apply it. Between the two a new series holds its place but is not exposed.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._families: dict[str, Family] = {}
        self._series: dict[str, dict[Labels, Series]] = {}
        self._claims: dict[str, str] = {}
        self._shapes: dict[tuple[str, tuple[float, ...]], Family] = {}
        self._count = 0
        self._claim(EVENTS)

    @property
    def metrics(self) -> int:
        """Return how many metric names there are."""
        return len(self._families)

    @property
    def series(self) -> int:
        """Return how many label sets there are over all metrics."""
        return self._count

    def admit(self, update: Update | Total) -> Series:
        """Return the series of an update; ItemError where the name is taken or a limit is reached."""
        family = update.family
        known = self._families.get(family.name)
        if known is None:
            self._check_name(family)
        elif known.kind != family.kind:
            raise ItemError(
                "metric_type",
                f"`{family.name}` is a {known.kind} already and cannot be a {family.kind} too; "
                f"send the other values under another metric_name",
                CONFLICT,
            )
        series = self._series.get(family.name, _NONE).get(update.labels)
        if series is None:
            self._check_room(family.name)
            series = self.restored(family, update.labels)
        _check_value(series, family, update.value, isinstance(update, Total))
        return series

    def restored(self, family: Family, labels: Labels) -> Series:
        """Return the series of this name and these labels, made where there is none, past every limit.

        For what the journal holds: limits were asked when it was written, and may have changed since.
        """
        if family.name not in self._families:
            self._claim(family)
        kept = self._series[family.name]
        series = kept.get(labels)
        if series is None:
            series = kept[labels] = new_series(self._shaped(family), labels)
            self._count += 1
        return series

    def _shaped(self, family: Family) -> Family:
        """Return the family as it is kept, or one of the same name whose histograms have other boundaries.

        Two applications may have set their own; each of their series is exposed with those that it has.
        """
        kept = self._families[family.name]
        if family.buckets == kept.buckets or kept.kind != "histogram":
            return kept
        return self._shapes.setdefault((family.name, family.buckets), family)

    def found(self, name: str, labels: Labels) -> Series | None:
        """Return a series, None where there is none."""
        return self._series.get(name, _NONE).get(labels)

    def holder(self, name: str) -> Family | None:
        """Return the family that exposes a number under this very name, None where there is none."""
        family = self._families.get(self._claims.get(name, ""))
        if family is None or family.kind == "histogram":
            return None
        return family if name == family.name + ("_total" if family.kind == "counter" else "") else None

    def remove(self, series: Series) -> None:
        """Let go of a series; its place is free again, and its family's with the last one."""
        name = series.family.name
        kept = self._series.get(name)
        if kept is None or kept.get(series.labels) is not series:
            return
        del kept[series.labels]
        series.removed = True
        self._count -= 1
        if not kept and name != EVENTS.name:
            del self._series[name]
            for exposed in _exposed_names(self._families.pop(name)):
                self._claims.pop(exposed, None)
            for shape in [shape for shape in self._shapes if shape[0] == name]:
                del self._shapes[shape]

    def all_series(self) -> list[Series]:
        """Return every series as of now, the ones without a value among them."""
        return [series for kept in self._series.values() for series in kept.values()]

    def of(self, name: str) -> list[Series]:
        """Return the series of a metric that have a value."""
        return [series for series in self._series.get(name, _NONE).values() if series.exposed]

    def exposed(self) -> Iterator[tuple[Family, list[Series]]]:
        """Yield each family of now that has values, with the series that have one when it is their turn."""
        for family in list(self._families.values()):
            kept = [series for series in self._series.get(family.name, _NONE).values() if series.exposed]
            if kept:
                yield family, kept

    def collect(self) -> Iterable[Metric]:
        """Yield every metric that has a value."""
        for family, kept in self.exposed():
            metric = Metric(family.name, family.documentation, family.kind)
            for series in kept:
                metric.samples.extend(series.samples(family.name))
            yield metric

    def describe(self) -> Iterable[Metric]:
        """Yield nothing: names come with the items, so a registry must not ask for them beforehand."""
        return ()

    def _check_name(self, family: Family) -> None:
        for name in _exposed_names(family):
            if name in self._claims:
                raise ItemError(
                    "metric_name",
                    f"`{family.name}` would expose `{name}`, which belongs to the metric "
                    f"`{self._claims[name]}` already; choose another name",
                    CONFLICT,
                )
        if len(self._families) >= self._limits.metrics:
            raise ItemError(
                "metric_name",
                f"{self._limits.metrics} metric names are kept already; put what varies into a tag, or raise "
                f"--limit.metrics",
                LIMIT,
            )

    def _check_room(self, name: str) -> None:
        if len(self._series.get(name, ())) >= self._limits.series_per_metric:
            raise ItemError(
                "tags",
                f"`{name}` has {self._limits.series_per_metric} label sets already; drop the tag that varies "
                f"most, or raise --limit.series-per-metric",
                LIMIT,
            )
        if self._count >= self._limits.series:
            raise ItemError(
                "tags",
                f"{self._limits.series} label sets are kept already over all metrics; drop the tag that "
                f"varies most, or raise --limit.series",
                LIMIT,
            )

    def _claim(self, family: Family) -> None:
        self._families[family.name] = family
        self._series[family.name] = {}
        self._claims.update(dict.fromkeys(_exposed_names(family), family.name))


def _exposed_names(family: Family) -> tuple[str, ...]:
    return (family.name, *(family.name + suffix for suffix in _SUFFIXES[family.kind]))


def _check_value(series: Series, family: Family, value: Value, total: bool) -> None:
    # By the kind: isinstance asks an abstract class' registry, which costs as much as all the rest.
    kind = series.family.kind
    if kind == "histogram":
        wanted = len(series.family.buckets) + 1
        if isinstance(value, Distribution):
            # As many boundaries are not the same ones.
            fits = family.buckets == series.family.buckets and len(value.counts) == wanted
        else:
            fits = not total
        if not fits:
            raise ItemError(
                "value",
                f"this series of `{series.family.name}` has {wanted} buckets and keeps them; send one "
                f"with the same boundaries, under another name, or with another label",
                CONFLICT,
            )
    elif isinstance(value, Distribution):
        raise ItemError("value", f"a {series.family.kind} takes a number, not a histogram", VALUE)
    elif kind == "counter" and not total and (stands := series.value) + value > LARGEST_INCREMENT:  # type: ignore[attr-defined]
        raise ItemError(
            "value",
            f"`{series.family.name}` stands at {stands:g}, and a counter counts one by one up to "
            f"{LARGEST_INCREMENT:.0f} (2^53); send the rest under other tags",
            VALUE,
        )


_NONE: Mapping[Labels, Series] = MappingProxyType({})
