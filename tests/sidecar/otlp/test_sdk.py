"""The real OpenTelemetry SDK exports to a real sidecar process."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, UpDownCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import (
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    View,
)
from opentelemetry.sdk.resources import Resource
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.utils import floatToGoString

from airis_mon.exporters import series
from tests.sidecar.test_process import running

DURATION = "gen_ai.client.operation.duration"
CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "llama-3-70b"}
LABELS = {
    "gen_ai_operation_name": "chat",
    "gen_ai_request_model": "llama-3-70b",
    "otel_scope_name": "tests",
    "service_instance_id": "one",
    "source": "shop",
}


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where a sidecar listens that keeps what it acknowledges."""
    with running("--web.listen-address=127.0.0.1:0", f"--storage.path={tmp_path}") as (_, listening):
        yield listening


StartMeters = Callable[..., tuple[MeterProvider, PeriodicExportingMetricReader]]


@pytest.fixture
def start_meters() -> Iterator[StartMeters]:
    """Factory: `start_meters(exporter, *views)`; exports when it is told to. Ended before the sidecar is."""
    with ExitStack() as running:

        def start(
            exporter: OTLPMetricExporter, *views: View
        ) -> tuple[MeterProvider, PeriodicExportingMetricReader]:
            reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
            resource = Resource({"service.name": "shop", "service.instance.id": "one"})
            provider = MeterProvider(metric_readers=[reader], resource=resource, views=views)
            running.callback(provider.shutdown)
            return provider, reader

        yield start


def read(address: str) -> dict[tuple[str, ...], float]:
    """Every sample of /metrics, by name and label pairs."""
    text = requests.get(f"http://{address}/metrics", timeout=10).text
    return {
        (sample.name, *itertools.chain(*sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def key(name: str, **labels: str) -> tuple[str, ...]:
    return (name, *itertools.chain(*sorted({**LABELS, **labels}.items())))


@pytest.mark.parametrize("temporality", [AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA])
@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
@pytest.mark.parametrize("path", ["/v1/metrics", "/otlp/v1/metrics"])
def test_genai_metrics_have_the_names_and_values_of_our_own_instrument(
    address: str,
    start_meters: StartMeters,
    temporality: AggregationTemporality,
    compression: Compression,
    path: str,
) -> None:
    preferred = {Counter: temporality, Histogram: temporality}
    exporter = OTLPMetricExporter(
        endpoint=f"http://{address}{path}",
        compression=compression,
        preferred_temporality=preferred,  # type: ignore[arg-type]
    )
    boundaries = ExplicitBucketHistogramAggregation(series.GEN_AI_DURATION_BUCKETS)
    provider, reader = start_meters(exporter, View(instrument_name=DURATION, aggregation=boundaries))
    meter = provider.get_meter("tests", "1.0")
    tokens = meter.create_counter("gen_ai.client.inference.usage.input_tokens", unit="{token}")
    duration = meter.create_histogram(DURATION, unit="s")
    active = meter.create_up_down_counter("active")
    for amount in (374, 1_000_003):
        tokens.add(amount, CALL)
        duration.record(0.5, CALL)
        active.add(-1, CALL)
        assert reader.force_flush(10_000)
    # Once more with nothing new: cumulative totals come again.
    assert reader.force_flush(10_000)

    values = read(address)
    assert values[key(series.GEN_AI_INPUT_TOKENS)] == 374 + 1_000_003
    assert values[key(f"{series.GEN_AI_OPERATION_DURATION}_count")] == 2
    assert values[key(f"{series.GEN_AI_OPERATION_DURATION}_sum")] == 1.0
    assert values[key(f"{series.GEN_AI_OPERATION_DURATION}_bucket", le="0.32")] == 0
    assert values[key(f"{series.GEN_AI_OPERATION_DURATION}_bucket", le="0.64")] == 2
    assert values[key("active")] == -2


def test_an_exponential_histogram_is_counted_between_powers_of_two(
    address: str, start_meters: StartMeters
) -> None:
    provider, reader = start_meters(
        OTLPMetricExporter(endpoint=f"http://{address}/v1/metrics"),
        View(instrument_name="took", aggregation=ExponentialBucketHistogramAggregation()),
    )
    took = provider.get_meter("tests").create_histogram("took", unit="s")
    measured = [0.0, 0.25, 0.26, 1.0, 1.01, 2.0, 3.0, 1000.0, 1024.0, 1025.0]
    for value in measured:
        took.record(value, CALL)
    assert reader.force_flush(10_000)
    values = read(address)
    for bound in (2.0**power for power in range(-10, 27)):
        expected = sum(value <= bound for value in measured)
        le = floatToGoString(bound)  # type: ignore[no-untyped-call]
        assert values[key("took_seconds_bucket", le=le)] == expected, bound
    assert values[key("took_seconds_bucket", le="+Inf")] == len(measured)


def test_what_is_refused_is_no_failure_to_the_sdk_and_is_counted(
    address: str, start_meters: StartMeters
) -> None:
    exporter = OTLPMetricExporter(
        endpoint=f"http://{address}/v1/metrics",
        preferred_temporality={UpDownCounter: AggregationTemporality.DELTA},
    )
    provider, reader = start_meters(exporter)
    provider.get_meter("tests").create_up_down_counter("active").add(1)
    assert reader.force_flush(10_000)
    counted = 'airis_sidecar_item_errors_total{kind="otlp_data_point",reason="type"} 1.0'
    assert counted in requests.get(f"http://{address}/metrics", timeout=10).text


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
@pytest.mark.parametrize("path", ["/v1/logs", "/otlp/v1/logs"])
def test_log_records_are_counted_by_their_service(address: str, compression: Compression, path: str) -> None:
    exporter = OTLPLogExporter(endpoint=f"http://{address}{path}", compression=compression)
    provider = LoggerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger("tests")
    for number in range(3):
        logger.emit(
            timestamp=time.time_ns(),
            severity_number=SeverityNumber.ERROR,
            body={"message": "no answer", "number": number},
            attributes={"gen_ai.request.model": "llama-3-70b"},
        )
    provider.shutdown()
    values = read(address)
    assert values["airis_log_records_total", "result", "unmatched", "source", "shop"] == 3
