from __future__ import annotations

import subprocess
from itertools import count
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from airis_mon.exporters import series
from airis_mon.stack.servers import Server
from tests.sidecar.conftest import Sidecar, event, metric

_NUMBERS = count()


def exposed(sidecar: Sidecar, **changes: Any) -> tuple[str, float]:
    """Send one metric and return the name and value of the gauge or counter that it became."""
    source = f"s{next(_NUMBERS)}"
    answer = sidecar.post(metric(source=source, **changes))
    assert answer.status_code == 202, answer.text
    (found,) = [
        (sample.name, sample.value)
        for family in sidecar.counted.collect()
        for sample in family.samples
        if sample.labels.get("source") == source
    ]
    return found


@pytest.mark.parametrize(
    ("unit", "value", "suffix", "base"),
    [
        ("milliseconds", 160, "_seconds", 0.16),
        ("ms", 57, "_seconds", 0.057),
        ("us", 5, "_seconds", 5e-6),
        ("µs", 5, "_seconds", 5e-6),
        ("ns", 7, "_seconds", 7e-9),
        ("s", 7, "_seconds", 7),
        ("Seconds", 7, "_seconds", 7),
        ("minutes", 2, "_seconds", 120),
        ("hours", 2, "_seconds", 7200),
        ("bytes", 5, "_bytes", 5),
        ("KB", 2, "_bytes", 2000),
        ("MB", 2, "_bytes", 2e6),
        ("KiB", 2, "_bytes", 2048),
        ("MiB", 2, "_bytes", 2 * 1024**2),
        ("GiB", 2, "_bytes", 2 * 1024**3),
        ("By", 2, "_bytes", 2),
        ("percent", 57, "_ratio", 0.57),
        ("%", 29, "_ratio", 0.29),
        ("ratio", 0.5, "_ratio", 0.5),
        ("celsius", -4, "_celsius", -4),
        ("joules", 4, "_joules", 4),
        ("watts", 4, "_watts", 4),
        ("tokens", 4, "_tokens", 4),
        ("requests", 4, "_requests", 4),
        ("{token}", 4, "", 4),
        ("{page}", 4, "", 4),
        ("1", 4, "", 4),
        ("", 4, "", 4),
        ("count", 4, "", 4),
        ("tokens/s", 4, "_tokens_per_second", 4),
        ("tokens per second", 4, "_tokens_per_second", 4),
        ("{token}/s", 4, "_per_second", 4),
        ("requests/minute", 90, "_requests_per_second", 1.5),
        ("MB/s", 4, "_bytes_per_second", 4e6),
        ("ms/token", 4, "_seconds_per_token", 0.004),
        ("USD", 4, "_USD", 4),
    ],
)
def test_a_unit_becomes_the_base_unit(
    shared: Sidecar, unit: str, value: float, suffix: str, base: float
) -> None:
    assert exposed(shared, metric_name="measured", unit=unit, value=value) == (f"measured{suffix}", base)


@pytest.mark.parametrize(
    ("name", "unit", "metric_type", "exposed_name"),
    [
        ("gen_ai.client.inference.usage.input_tokens", "{token}", "counter", series.GEN_AI_INPUT_TOKENS),
        ("gen_ai.client.inference.usage.output_tokens", "tokens", "usage", series.GEN_AI_OUTPUT_TOKENS),
        ("queue.wait_seconds", "ms", "gauge", "queue_wait_seconds"),
        ("wait_ms", "ms", "gauge", "wait_seconds"),
        ("wait.milliseconds", "ms", "gauge", "wait_seconds"),
        ("wait_ms", "s", "gauge", "wait_ms_seconds"),
        ("cpu_percent", "%", "gauge", "cpu_ratio"),
        ("requests_total", "", "counter", "requests_total"),
        ("sent_tokens_total", "tokens", "counter", "sent_tokens_total"),
        ("sent_total", "bytes", "counter", "sent_bytes_total"),
        ("busy", "ms", "counter", "busy_seconds_total"),
        ("vllm.kv-cache/usage", "", "gauge", "vllm_kv_cache_usage"),
        ("  Größe__x  ", "", "gauge", "Gr_e_x"),
        ("95th", "", "gauge", "_95th"),
        ("seconds", "s", "gauge", "seconds"),
    ],
)
def test_a_name_becomes_prometheus_name(
    shared: Sidecar, name: str, unit: str, metric_type: str, exposed_name: str
) -> None:
    assert exposed(shared, metric_name=name, unit=unit, metric_type=metric_type)[0] == exposed_name


@pytest.mark.parametrize(
    ("metric_type", "kind"),
    [
        ("performance", "histogram"),
        ("latency", "histogram"),
        ("histogram", "histogram"),
        ("usage", "counter"),
        ("throughput", "counter"),
        ("counter", "counter"),
        ("quality", "gauge"),
        ("resource", "gauge"),
        ("gauge", "gauge"),
    ],
)
def test_the_metric_type_decides_the_prometheus_type(shared: Sidecar, metric_type: str, kind: str) -> None:
    assert shared.post(metric(metric_name=f"of_{metric_type}", metric_type=metric_type)).status_code == 202
    family = f"of_{metric_type}_total" if kind == "counter" else f"of_{metric_type}"
    assert f"# TYPE {family} {kind}\n" in shared.metrics()


@pytest.mark.parametrize(
    ("name", "unit", "bounds"),
    [
        ("took", "ms", series.GEN_AI_DURATION_BUCKETS),
        ("gen_ai.client.inference.operation.input_tokens", "{token}", series.GEN_AI_TOKEN_BUCKETS),
        ("output", "tokens", series.GEN_AI_TOKEN_BUCKETS),
        ("payload", "KiB", series.BYTE_BUCKETS),
        ("score", "percent", series.RATIO_BUCKETS),
        ("anything", "", series.DECADE_BUCKETS),
        ("airis.prediction.duration", "s", series.PREDICTION_DURATION_BUCKETS),
        ("airis_prediction_confidence", "", series.PREDICTION_CONFIDENCE_BUCKETS),
    ],
)
def test_a_histogram_s_boundaries_follow_from_its_base_unit(
    fresh: Sidecar, name: str, unit: str, bounds: tuple[float, ...]
) -> None:
    fresh.post(metric(metric_name=name, unit=unit, metric_type="histogram"))
    found = [
        float(sample.labels["le"])
        for family in fresh.counted.collect()
        for sample in family.samples
        if sample.name.endswith("_bucket") and sample.labels.get("source") == "tests"
    ]
    assert tuple(found) == (*bounds, float("inf"))


def test_a_value_on_a_boundary_falls_into_its_bucket(fresh: Sidecar) -> None:
    items = [
        metric(metric_name="took", unit="ms", metric_type="latency", value=1000 * b) for b in (0.16, 0.64)
    ]
    fresh.post(items)
    assert fresh.value("took_seconds_bucket", source="tests", le="0.16") == 1
    assert fresh.value("took_seconds_bucket", source="tests", le="0.64") == 2


def test_counters_add_up(fresh: Sidecar) -> None:
    fresh.post([metric(metric_name="done", metric_type="counter", value=value) for value in (1, 0, 2.5)])
    assert fresh.value("done_total", source="tests") == 3.5


def test_a_gauge_holds_the_value_with_the_latest_timestamp(fresh: Sidecar) -> None:
    fresh.post(
        [
            metric(timestamp="2024-01-01T00:00:00Z", value=2),
            metric(timestamp="2023-12-31T00:00:00Z", value=1),
            metric(timestamp="2024-01-01T01:00:00+01:00", value=3),
        ]
    )
    assert fresh.value("thing", source="tests") == 3
    fresh.post(metric(timestamp="2024-01-01T00:00:00.5Z", value=4))
    assert fresh.value("thing", source="tests") == 4


def test_tags_become_labels_and_metadata_does_not(fresh: Sidecar) -> None:
    tags = {
        "gen_ai.request.model": "llama",
        "ünïcode-key": "Ω",
        "le": "1",
        "quantile": "2",
        "source": "3",
        "__name__": "4",
        "9lives": "5",
        "empty": "",
        "job": "6",
    }
    answer = fresh.post(metric(tags=tags, metadata={"input_size": 1}))
    assert answer.status_code == 202, answer.text
    labels = {
        "source": "tests",
        "gen_ai_request_model": "llama",
        "_n_code_key": "Ω",
        "tag_le": "1",
        "tag_quantile": "2",
        "tag_source": "3",
        "tag_name__": "4",
        "tag_9lives": "5",
        "job": "6",
    }
    assert fresh.value("thing", **labels) == 1


def test_tags_in_another_order_are_the_same_series(fresh: Sidecar) -> None:
    fresh.post([metric(metric_type="counter", tags={"a": "1", "b": "2"})])
    fresh.post([metric(metric_type="counter", tags={"b": "2", "a": "1", "c": ""})])
    assert fresh.value("thing_total", source="tests", a="1", b="2") == 2


def test_hostile_label_values_survive_both_forms(fresh: Sidecar) -> None:
    values = ['"', "\\", "a\nb", "\r", "\x00", "\u2028", "}{", "# EOF", "\\n", "😀", "\x7f\x85"]
    fresh.post([metric(tags={"text": text}) for text in values])
    families = text_string_to_metric_families(fresh.metrics("application/openmetrics-text"))  # type: ignore[no-untyped-call]
    read = {
        sample.labels["text"] for family in families if family.name == "thing" for sample in family.samples
    }
    assert read == set(values)


def test_metrics_please_promtool_and_the_strict_parser(fresh: Sidecar, promtool: Server) -> None:
    fresh.post(
        [
            metric(metric_name="inference_time", unit="ms", metric_type="performance"),
            metric(
                metric_name="gen_ai.client.inference.usage.input_tokens", unit="{token}", metric_type="usage"
            ),
            metric(metric_name="gen_ai.client.inference.operation.input_tokens", metric_type="histogram"),
            metric(metric_name="accuracy", unit="%", metric_type="quality"),
            metric(metric_name="gpu.memory", unit="MiB", metric_type="resource"),
        ]
    )
    fresh.post(event(), "/v1/events")
    check = subprocess.run(
        [promtool.path, "check", "metrics"],
        input=fresh.metrics().encode(),
        capture_output=True,
        cwd=promtool.cwd,
        check=False,
        timeout=30,
    )
    assert (check.returncode, check.stdout + check.stderr) == (0, b"")
    text = fresh.metrics("application/openmetrics-text")
    assert len(list(text_string_to_metric_families(text))) > 10  # type: ignore[no-untyped-call]
