"""Data points into changes of series."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from msgspec import UNSET

from airis_mon.sidecar.intake import Refusal
from airis_mon.sidecar.items import TIMESTAMP, TYPE, VALUE, ItemError
from airis_mon.sidecar.names import Labels
from airis_mon.sidecar.otlp import metrics as model
from airis_mon.sidecar.otlp.buckets import EXPONENTIAL_BOUNDS, explicit, exponential
from airis_mon.sidecar.otlp.names import family_name
from airis_mon.sidecar.otlp.resources import Resource, Scope, identity, labels
from airis_mon.sidecar.series import Exemplar, Family, Kind, Value
from airis_mon.sidecar.translation import LARGEST_INCREMENT, Change, Removal, Total, Update

LONGEST_DESCRIPTION = 500
"""Characters of it that are exposed as HELP."""

_TRACE = re.compile(r"[0-9a-f]{32}")
_SPAN = re.compile(r"[0-9a-f]{16}")


@dataclass
class Translated:
    """What the points of a request come to; an index counts points through the whole body."""

    changes: list[tuple[int, Change]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, first: int, number: int, error: ItemError) -> None:
        """Refuse neighbouring points for one reason."""
        self.refusals.extend(Refusal(index, error) for index in range(first, first + number))


class MetricTranslation:
    """Turns a request's points into changes."""

    def __init__(self, moment: Callable[[float], float]) -> None:
        self._moment = moment

    def changes(self, request: model.ExportMetrics) -> Translated:
        """Return the changes of a request, and what is wrong with the points that are none."""
        found = Translated()
        first = 0
        for resource, scope, metrics in request.groups():
            # Once for all of its metrics: a resource may be large, and so may be their number.
            sender = _sender(resource, scope)
            for metric in metrics:
                first += self._metric(found, first, sender, metric)
        return found

    def _metric(
        self, found: Translated, first: int, sender: dict[str, str] | ItemError, metric: model.Metric
    ) -> int:
        """Translate the points of a metric, of which the first has this index, and return their number."""
        data = metric.data
        if data is None:
            return 0
        points: tuple[model.Point, ...] = data.data_points
        try:
            if isinstance(sender, ItemError):
                raise sender
            family, delta = _family(metric, data)
        except ItemError as error:
            found.refuse(first, len(points), _of(metric, error))
            return len(points)
        for index, point in enumerate(points, first):
            try:
                found.changes.append((index, self._change(family, delta, sender, point)))
            except ItemError as error:
                found.refuse(index, 1, _of(metric, error))
        return len(points)

    def _change(self, family: Family, delta: bool, sender: dict[str, str], point: model.Point) -> Change:
        pairs = labels(sender, point.attributes)
        if point.flags & model.NO_RECORDED_VALUE:
            return Removal(family.name, pairs)
        if not point.time_unix_nano:
            raise ItemError("timeUnixNano", "there is none; send when the value was measured", TIMESTAMP)
        timestamp = self._moment(point.time_unix_nano / 1e9)
        family, value = _value(family, point)
        if delta:
            return _increment(family, pairs, value, timestamp, _exemplars(point))
        return Total(family, pairs, value, timestamp, _exemplars(point))


def _sender(resource: Resource, scope: Scope) -> dict[str, str] | ItemError:
    """Return the labels of who sends; the error where they cannot be had."""
    try:
        return identity(resource, scope)
    except ItemError as error:
        return error


def _family(metric: model.Metric, data: model.Data) -> tuple[Family, bool]:
    """Return the family, without boundaries, and whether its values are increments."""
    if isinstance(data, model.Summary):
        raise ItemError("summary", "quantiles do not add up; send a histogram", TYPE)
    kind: Kind = "gauge"
    delta = False
    if not isinstance(data, model.Gauge):
        temporality = data.aggregation_temporality
        if temporality not in (model.DELTA, model.CUMULATIVE):
            raise ItemError(
                "aggregationTemporality", f"1 (delta) or 2 (cumulative) is wanted, not {temporality}", TYPE
            )
        delta = temporality == model.DELTA
        if not isinstance(data, model.Sum):
            kind = "histogram"
        elif data.is_monotonic:
            kind = "counter"
        elif delta:
            raise ItemError(
                "aggregationTemporality",
                "a delta of a sum that may fall has no known start; export it as cumulative",
                TYPE,
            )
    name = family_name(metric.name, metric.unit, kind)
    said = "".join(character if character.isprintable() else " " for character in metric.description)
    return Family(name, kind, said[:LONGEST_DESCRIPTION].strip() or f"Sent by OTLP as {kind}."), delta


def _value(family: Family, point: model.Point) -> tuple[Family, Value]:
    if isinstance(point, model.HistogramPoint):
        return _bounded(family, point.explicit_bounds), explicit(point)
    if isinstance(point, model.ExponentialPoint):
        return _bounded(family, EXPONENTIAL_BOUNDS), exponential(point)
    return family, _number(family, point)


def _bounded(family: Family, bounds: tuple[float, ...]) -> Family:
    return Family(family.name, family.kind, family.documentation, bounds)


def _number(family: Family, point: model.NumberPoint | model.Exemplar) -> float:
    if point.as_double is not UNSET:
        value = point.as_double
    elif point.as_int is not UNSET:
        value = float(point.as_int)
    else:
        raise ItemError("value", "there is none; send asDouble or asInt", VALUE)
    if family.kind == "counter" and not 0 <= value < math.inf:
        raise ItemError("value", f"a counter takes 0 or more, and a finite number, got {value:g}", VALUE)
    # One NaN of all: the others have meanings, such as the end of a series.
    return math.nan if math.isnan(value) else value


def _increment(
    family: Family, pairs: Labels, value: Value, timestamp: float, exemplars: tuple[Exemplar, ...]
) -> Update:
    if isinstance(value, float) and value > LARGEST_INCREMENT:
        raise ItemError(
            "value",
            f"a delta is at most {LARGEST_INCREMENT:.0f} (2^53), got {value:g}",
            VALUE,
        )
    return Update(family, pairs, value, timestamp, exemplars[-1] if exemplars else None)


def _exemplars(point: model.Point) -> tuple[Exemplar, ...]:
    return tuple(_kept(point.exemplars[: model.MOST_EXEMPLARS]))


def _kept(exemplars: Iterable[model.Exemplar]) -> Iterable[Exemplar]:
    """Yield those that lead to a trace; the others say nothing that the series does not."""
    for exemplar in exemplars:
        if not _TRACE.fullmatch(exemplar.trace_id):
            continue
        value = exemplar.as_double if exemplar.as_double is not UNSET else exemplar.as_int
        if value is UNSET or not math.isfinite(value):
            continue
        span = (("span_id", exemplar.span_id),) if _SPAN.fullmatch(exemplar.span_id) else ()
        pairs = (*span, ("trace_id", exemplar.trace_id))
        yield Exemplar(pairs, float(value), exemplar.time_unix_nano / 1e9)


def _of(metric: model.Metric, error: ItemError) -> ItemError:
    """Return the error with the metric's name before the field."""
    return ItemError(f"{metric.name[:100]}.{error.field}", error.message, error.reason)
