"""A real Prometheus writes to a real sidecar process, in each version of the protocol that it speaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests
from prometheus_client.parser import text_string_to_metric_families

from airis_mon.stack.servers import Server
from tests.conftest import RunningServer, StartPrometheus
from tests.sidecar.pages import page
from tests.sidecar.test_process import running
from tests.waiting import until

EXPOSED = """\
# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{model="llama \\"3\\" é"} 1.000003e+06
# TYPE depth gauge
depth 0.1
depth{gone="soon"} 7
# TYPE nothing gauge
nothing NaN
# TYPE took_seconds histogram
took_seconds_bucket{le="0.1"} 2
took_seconds_bucket{le="+Inf"} 3
took_seconds_sum 4.5
took_seconds_count 3
"""
VERSION_2_SINCE = (2, 54)
GONE = 'depth{gone="soon"} 7\n'


def settings(server: Server) -> list[dict[str, str]]:
    """What a Prometheus can be told to write; an older one knows 1.0 alone."""
    if server.version < VERSION_2_SINCE:
        return [{}]
    return [
        {"protobuf_message": "prometheus.WriteRequest"},
        {"protobuf_message": "io.prometheus.write.v2.Request"},
    ]


def of_job(pairs: dict[str, str]) -> tuple[tuple[str, str], ...]:
    # Prometheus 3 and text differ in how they write a number that is a label.
    return tuple(sorted((key, str(float(v)) if key == "le" else v) for key, v in pairs.items()))


def has(server: RunningServer) -> dict[Any, str]:
    query = {"query": '{job="app"}'}
    answer = requests.get(f"{server.url}/api/v1/query", params=query, timeout=10).json()
    return {of_job(one["metric"]): str(float(one["value"][1])) for one in answer["data"]["result"]}


def exposes(address: str) -> dict[Any, str]:
    text = requests.get(f"http://{address}/metrics", timeout=10).text
    return {
        of_job({**sample.labels, "__name__": sample.name}): str(float(sample.value))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("job") == "app"
    }


def without_scrape_times(values: dict[Any, str]) -> dict[Any, str]:
    """Leave out what differs with each scrape."""
    return {key: value for key, value in values.items() if ("__name__", "scrape_duration_seconds") not in key}


def test_what_prometheus_has_the_sidecar_exposes(
    prometheus: Server, prometheus_server: StartPrometheus, tmp_path: Path
) -> None:
    for number, setting in enumerate(settings(prometheus)):
        check(prometheus_server, tmp_path / f"journal-{number}", setting)


def check(start: StartPrometheus, storage: Path, setting: dict[str, str]) -> None:
    text = EXPOSED

    with (
        page(lambda: (text.encode(), "text/plain; version=0.0.4")) as target,
        running("--web.listen-address=127.0.0.1:0", f"--storage.path={storage}") as (_, address),
    ):
        writing: dict[str, Any] = {
            "url": f"http://{address}/api/v1/write",
            "queue_config": {"batch_send_deadline": "100ms"},
            **setting,
        }
        job = {
            "job_name": "app",
            "scrape_interval": "500ms",
            "scrape_timeout": "500ms",
            "static_configs": [{"targets": [target]}],
        }
        server = start(config={"scrape_configs": [job], "remote_write": [writing]})

        def equal(wanted: set[str], gone: bool) -> bool:
            values = without_scrape_times(has(server))
            return (
                wanted <= set(values.values())
                and any(("gone", "soon") in key for key in values) != gone
                and values == without_scrape_times(exposes(address))
            )

        until(lambda: equal({"1000003.0", "0.1", "7.0", "nan", "4.5"}, False), what="the same on both")
        text = EXPOSED.replace(GONE, "").replace("1.000003e+06", "1.000004e+06")
        until(lambda: equal({"1000004.0", "0.1"}, True), what="the same after a series has ended")
        own = requests.get(f"{server.url}/metrics", timeout=10).text
        failed = [
            line.rpartition(" ")[2]
            for line in own.splitlines()
            if line.startswith("prometheus_remote_storage_samples_failed_total")
        ]
        assert failed == ["0"]
