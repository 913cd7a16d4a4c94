"""What came by OTLP and by remote write: kept across restarts, and exposed as promtool wants it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from airis_mon.remote_write import STALE
from airis_mon.sidecar.names import OWN_SERIES
from airis_mon.stack.servers import Server
from tests.sidecar.conftest import Sidecar, metric
from tests.sidecar.otlp.messages import (
    attributes,
    counter,
    distribution,
    exponential,
    export,
    gauge,
    histogram,
    number,
)
from tests.sidecar.remote_write.requests import COUNTER, TYPES, packed, series
from tests.sidecar.test_durable import Running, running


def write(url: str, version: int, *given: Any) -> None:
    headers = {"Content-Type": TYPES[version], "Content-Encoding": "snappy"}
    answer = requests.post(f"{url}/api/v1/write", data=packed(version, *given), headers=headers, timeout=10)
    assert answer.status_code == 204, answer.text


def everything(at: int) -> dict[str, Any]:
    """Points of every kind, measured at `at` (nanoseconds)."""
    when = str(at)
    point = histogram([0.1, 1.0], [1, 2, 3], 4.5, at=when)
    several = {"count": "6", "sum": 9.0, "scale": 3, "zeroCount": "1", "timeUnixNano": when}
    of_other = {"attributes": attributes(of="other")}
    trace = {"timeUnixNano": when, "asDouble": 0.5, "traceId": "ab" * 16, "spanId": "cd" * 8}
    return export(
        counter("calls", number(3, at=when)),
        counter("more.calls", number(2, at=when), delta=True),
        gauge("depth", number("NaN", at=when, of="x"), number(0.5, at=when)),
        distribution("took", {**point, "exemplars": [trace]}),
        distribution("wait", point, delta=True),
        distribution("wait", {**histogram([2.0], [1, 1], 5.0, at=when), **of_other}, delta=True),
        exponential("size", {**several, "positive": {"offset": -4, "bucketCounts": ["2", "3"]}}, delta=True),
        scope="tests",
        service_instance_id="one",
    )


def send(sidecar: Running) -> None:
    at = time.time_ns()
    assert sidecar.post(everything(at)).json() == {}
    milliseconds = at // 1_000_000
    write(
        sidecar.url,
        1,
        series("up", (milliseconds, 1.0), job="app"),
        series("x_bucket", (milliseconds, 2.0), job="app", le="+Inf"),
        series("over", (milliseconds, STALE)),
        series("nothing", (milliseconds, float("nan"))),
    )
    write(sidecar.url, 2, series("sent_total", (milliseconds, 7.0), job="app", _type=COUNTER))


def comparable(sidecar: Running) -> dict[Any, str]:
    return {key: str(value) for key, value in sidecar.samples().items()}


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_all_of_it_is_there_after_a_restart(tmp_path: Path, end: signal.Signals) -> None:
    with running(tmp_path) as sidecar:
        write(sidecar.url, 1, series("over", (time.time_ns() // 1_000_000 - 1000, 1.0)))
        for _ in range(3):
            send(sidecar)
        before = comparable(sidecar)
        os.kill(sidecar.process.pid, end)
        sidecar.process.wait(20)
    labels = (("otel_scope_name", "tests"), ("service_instance_id", "one"), ("source", "shop"))
    assert before["more_calls_total", labels] == "6.0"
    assert before["calls_total", labels] == "3.0"
    assert before["wait_seconds_count", labels] == before["size_seconds_count", labels] == "18.0"
    assert before["took_seconds_sum", labels] == "4.5"
    assert before["wait_seconds_bucket", (("le", "2.0"), ("of", "other"), *labels)] == "3.0"
    assert not any(name == "over" for name, _ in before)
    with running(tmp_path) as sidecar:
        assert comparable(sidecar) == before
        send(sidecar)
        after = comparable(sidecar)
    assert after["wait_seconds_count", labels] == "24.0"
    assert after["sent_total", (("job", "app"),)] == "7.0"


def test_the_exposition_pleases_promtool(fresh: Sidecar, promtool: Server) -> None:
    at = 1_704_067_200_000
    assert fresh.post(everything(at * 1_000_000)).json() == {}
    write(fresh.url, 2, series("sent_total", (at, 7.0), job="app", _type=COUNTER, _help="Sent."))
    run = subprocess.run(
        [promtool.path, "check", "metrics"],
        input=fresh.metrics(),
        capture_output=True,
        text=True,
        cwd=promtool.cwd,
        check=False,
    )
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


def test_no_sender_can_write_a_series_that_the_process_has_of_itself(tmp_path: Path) -> None:
    with running(tmp_path) as sidecar:
        text = requests.get(f"{sidecar.url}/metrics", timeout=10).text
    families = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    own = {name.removesuffix("_total") for name in families if not name.startswith("airis_sidecar_")}
    assert own <= OWN_SERIES


def test_the_own_items_and_the_others_share_a_name_where_they_mean_one_kind(fresh: Sidecar) -> None:
    fresh.post(metric(metric_name="depth", value=1))
    assert fresh.post(export(gauge("depth", number(2)))).json() == {}
    write(fresh.url, 1, series("depth", (1_704_067_200_000, 3.0), job="app"))
    assert [
        fresh.value("depth", source="tests"),
        fresh.value("depth", source="shop"),
        fresh.value("depth", job="app"),
    ] == [1, 2, 3]
    refused = fresh.post(export(counter("depth", number(1)))).json()["partialSuccess"]
    assert "is a gauge already" in refused["errorMessage"] or "belongs to" in refused["errorMessage"]
