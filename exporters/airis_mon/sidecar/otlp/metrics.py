"""The model of OTLP's metrics, and its decoding from JSON; field names are the protocol's.

Lists need what no honest sender leaves out (a point's time, a metric's name), so that a body of `{},{},{}` is
malformed and not a hundred times its size in memory.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import UNSET, UnsetType

from airis_mon.sidecar.otlp.attributes import Attributes
from airis_mon.sidecar.otlp.resources import Resource, Scope

DELTA = 1
CUMULATIVE = 2

MOST_EXEMPLARS = 256
"""Of one point; one a bucket is what is kept."""

NO_RECORDED_VALUE = 1
"""Bit of a point's flags: the series has ended, its value means nothing."""


class Exemplar(msgspec.Struct, frozen=True, rename="camel"):
    """One measurement."""

    time_unix_nano: int
    as_double: float | UnsetType = UNSET
    as_int: int | UnsetType = UNSET
    trace_id: str = ""
    """Hexadecimal, unlike other bytes of protobuf in JSON."""
    span_id: str = ""


class _Point(msgspec.Struct, frozen=True, rename="camel"):
    time_unix_nano: int
    attributes: Attributes = ()
    exemplars: tuple[Exemplar, ...] = ()
    flags: int = 0


class NumberPoint(_Point, frozen=True, rename="camel"):
    """A point of a gauge or a sum."""

    as_double: float | UnsetType = UNSET
    as_int: int | UnsetType = UNSET


class HistogramPoint(_Point, frozen=True, rename="camel"):
    """A point of a histogram with explicit boundaries."""

    count: int = 0
    sum: float | UnsetType = UNSET
    bucket_counts: tuple[int, ...] = ()
    explicit_bounds: tuple[float, ...] = ()


class Buckets(msgspec.Struct, frozen=True, rename="camel"):
    """Neighbouring buckets of an exponential histogram."""

    offset: int = 0
    bucket_counts: tuple[int, ...] = ()


class ExponentialPoint(_Point, frozen=True, rename="camel"):
    """A point of a histogram whose boundaries are powers of 2^(2^-scale)."""

    count: int = 0
    sum: float | UnsetType = UNSET
    scale: int = 0
    zero_count: int = 0
    zero_threshold: float = 0.0
    positive: Buckets = Buckets()
    negative: Buckets = Buckets()


Point = NumberPoint | HistogramPoint | ExponentialPoint


class Gauge(msgspec.Struct, frozen=True, rename="camel"):
    """The latest values of something."""

    data_points: tuple[NumberPoint, ...] = ()


class Sum(msgspec.Struct, frozen=True, rename="camel"):
    """Values that add up."""

    data_points: tuple[NumberPoint, ...] = ()
    aggregation_temporality: int = 0
    is_monotonic: bool = False


class Histogram(msgspec.Struct, frozen=True, rename="camel"):
    """Measurements counted in buckets."""

    data_points: tuple[HistogramPoint, ...] = ()
    aggregation_temporality: int = 0


class ExponentialHistogram(msgspec.Struct, frozen=True, rename="camel"):
    """Measurements counted in exponential buckets."""

    data_points: tuple[ExponentialPoint, ...] = ()
    aggregation_temporality: int = 0


class Summary(msgspec.Struct, frozen=True, rename="camel"):
    """Quantiles; its points are counted, and refused."""

    data_points: tuple[NumberPoint, ...] = ()


Data = Gauge | Sum | Histogram | ExponentialHistogram | Summary


class Metric(msgspec.Struct, frozen=True, rename="camel"):
    """A metric; one of its kinds is set, or none."""

    name: str
    description: str = ""
    unit: str = ""
    gauge: Gauge | UnsetType = UNSET
    sum: Sum | UnsetType = UNSET
    histogram: Histogram | UnsetType = UNSET
    exponential_histogram: ExponentialHistogram | UnsetType = UNSET
    summary: Summary | UnsetType = UNSET

    @property
    def data(self) -> Data | None:
        """Return the kind that is set."""
        for data in (self.gauge, self.sum, self.histogram, self.exponential_histogram, self.summary):
            if data is not UNSET:
                return data
        return None


class ScopeMetrics(msgspec.Struct, frozen=True, rename="camel"):
    """The metrics of one instrumentation."""

    metrics: tuple[Metric, ...]
    scope: Scope = Scope()


class ResourceMetrics(msgspec.Struct, frozen=True, rename="camel"):
    """The metrics of one process."""

    scope_metrics: tuple[ScopeMetrics, ...]
    resource: Resource = Resource()


class ExportMetrics(msgspec.Struct, frozen=True, rename="camel"):
    """A request's body."""

    resource_metrics: tuple[ResourceMetrics, ...] = ()

    def groups(self) -> Iterator[tuple[Resource, Scope, tuple[Metric, ...]]]:
        """Yield metrics together with whom they are of."""
        for of_resource in self.resource_metrics:
            for of_scope in of_resource.scope_metrics:
                yield of_resource.resource, of_scope.scope, of_scope.metrics


# Not strict: 64-bit numbers are texts in OTLP's JSON, and NaN and Infinity too.
JSON_METRICS = msgspec.json.Decoder(ExportMetrics, strict=False)
