"""The analyzer reads from VictoriaMetrics and writes to it: what is new is read by what comes after it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from airis_mon.analyzer.service import main
from airis_mon.remote_write import Delivery, HttpWriter, Sample
from tests.waiting import until

CONFIG = """
queries:
  - {monitor: chat, model: llama, for: over, expr: 'count(y{for="ttft"} > 0)', history: 1d}
  - {monitor: chat, model: llama, for: ttft, expr: latency, history: 1d, by: [pod]}
"""


@pytest.mark.slow  # it waits until that server lets new samples be seen
def test_a_past_is_judged_in_order_and_once_and_the_present_after_it(
    victoria_metrics_server: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = victoria_metrics_server()
    now = int(time.time()) // 60 * 60
    writer = HttpWriter(Delivery(f"{url}/api/v1/write"))
    labels = {"__name__": "latency", "pod": "a"}
    result = writer.write(
        [Sample(labels, at * 1000, 10.0 + at % 7) for at in range(now - 36_000, now + 1, 60)]
    )
    assert result.dropped == 0
    writer.close()

    def count(expr: str) -> str:
        data = {"query": expr, "time": str(now)}
        found = requests.post(f"{url}/api/v1/query", data=data, timeout=10).json()["data"]["result"]
        return str(found[0]["value"][1]) if found else ""

    until(lambda: count("count_over_time(latency[10h])") not in ("", "1"))
    config = tmp_path / "analyzer.yaml"
    config.write_text(CONFIG)
    flags = [f"--config.file={config}", f"--prometheus.url={url}"]
    begin, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - ago)) for ago in (3600, 600))
    past = ["backfill", *flags, f"--since={begin}", f"--until={end}"]
    assert main(past) == 0
    assert "chat/over: 102 samples written" in capsys.readouterr().out
    until(lambda: count('count_over_time(y{for="over"}[2h])') == "51")
    assert count('count_over_time(y{for="ttft",pod="a"}[2h])') == "51"

    assert main(past) == 0
    again = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[2].partition(" ")[0] for line in again] == ["0", "0"]
    assert main(["once", *flags]) == 0
