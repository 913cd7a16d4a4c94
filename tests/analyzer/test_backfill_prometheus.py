"""The real Prometheus takes a backfill, or says before the first sample what has to be set."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from airis_mon.analyzer.service import main
from tests.analyzer.test_prometheus import backfill as blocks
from tests.analyzer.test_prometheus import read, value
from tests.waiting import until

CONFIG = """
queries:
  - {monitor: chat, model: llama, for: over, expr: 'count(y{for="ttft"} > 0)', history: 1d}
  - {monitor: chat, model: llama, for: ttft, expr: latency, history: 1d, by: [pod]}
"""


def test_a_past_is_filled_in_after_the_window_was_opened_and_only_once(
    promtool: Any,
    prometheus_server: Callable[..., Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # At the next five minutes what is in the blocks would be too old to be judged.
    until(lambda: time.time() % 300 < 270, seconds=60, what="time enough before the next one")
    now = int(time.time()) // 300 * 300
    server = prometheus_server(data=blocks(promtool, tmp_path, now))
    config = tmp_path / "analyzer.yaml"
    config.write_text(CONFIG)
    words = ["backfill", f"--config.file={config}", f"--prometheus.url={server.url}", "--interval=5m"]
    begin, end = now - 6 * 3600, now // 300 * 300
    spans = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment)) for moment in (begin, end)]
    flags = [*words, f"--since={spans[0]}", f"--until={spans[1]}"]
    assert main(["once", *words[1:]]) == 0  # something recent, so that the past lies behind it
    capsys.readouterr()

    assert main(flags) == 1
    refused = capsys.readouterr().err
    assert "out_of_order_time_window: 7h" in refused
    assert read(server.url, 'count_over_time(y{for="ttft"}[5h] offset 10m)', now) == []

    file = server.folder / "prometheus.yml"
    file.write_text(yaml.safe_dump({"storage": {"tsdb": {"out_of_order_time_window": "7h"}}}))
    assert requests.post(f"{server.url}/-/reload", timeout=10).status_code == 200
    assert main(flags) == 0
    out, err = capsys.readouterr()
    assert [line.partition(":")[0] for line in out.splitlines()] == ["chat/ttft by pod", "chat/over"]
    assert f"chat/ttft by pod up to {spans[1]}" in err
    times = (end - -(-begin // 300) * 300) // 300 + 1
    stored = value(server.url, 'count_over_time(y{for="ttft"}[7h])', end)
    assert stored == times
    # What reads what was written comes to the same times.
    assert value(server.url, 'count_over_time(y{for="over"}[7h])', end) == stored
    assert value(server.url, 'count_over_time(anomaly_score{for="ttft",pod="a"}[7h])', end) == stored

    assert main(flags) == 0
    again = capsys.readouterr().out
    assert again.startswith("chat/ttft by pod: 0 samples written, ")


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--since=yesterday"], 2, "write `2026-11-01T00:00:00Z`, or how long ago"),
        (["--since=2026-11-01T00:00:00"], 2, "is no time"),
        (["--since=5000d"], 1, "--since and --until are 5000d apart; up to 366d are judged at once"),
        (["--since=1h", "--until=2h"], 1, "--since has to be before --until: they are "),
        (
            ["--since=2026-11-01T00:00:30Z", "--until=2026-11-01T00:00:30Z"],
            1,
            "lies in it; write an earlier --since, such as --since 7d",
        ),
        ([], 2, "--since"),
    ],
)
def test_a_wrong_time_is_told(
    prometheus_server: Callable[..., Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    code: int,
    words: str,
) -> None:
    url = prometheus_server().url if code == 1 else "http://127.0.0.1:9"
    config = tmp_path / "analyzer.yaml"
    config.write_text(CONFIG)
    try:
        ended = main(["backfill", f"--config.file={config}", f"--prometheus.url={url}", *flags])
    except SystemExit as end:
        ended = int(str(end.code))
    assert ended == code
    assert words in capsys.readouterr().err
