"""`airis-mon analyzer replay`, as a person types it: a past of a real Prometheus, or of a file."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.explanation.account import account
from airis_mon.analyzer.explanation.overview import DRAWN, overview
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.recording import of_samples
from airis_mon.analyzer.replay import anomaly_scores
from airis_mon.analyzer.service import main
from tests.browser import Browser

STEP = 60
CONFIG = """
queries:
  - {monitor: chat, model: llama, for: ttft, expr: latency, unit: seconds, history: 2d, by: [pod],
     alerts: {ticket: 10m, page: 30m}, false_pages_per_week: 0.5}
  - {monitor: fraud, model: trees, for: load, expr: 'avg(latency) - 3', history: 2d, direction: down}
  - {monitor: fraud, model: trees, for: disk, expr: latency, history: 2d, score: false, horizons: [1d]}
"""


def usual(at: float) -> float:
    return 10 + 0.3 * float(np.sin(at * 12.9898))


@pytest.fixture
def url(promtool: Any, prometheus_server: Callable[..., Any], tmp_path: Path) -> str:
    """Three days of two pods; one has had forty minutes of trouble."""
    now = int(time.time()) // STEP * STEP
    lines = ["# TYPE latency gauge"]
    for pod in ("a", "b"):
        for at in range(now - 3 * DAY, now + 1, STEP):
            off = 8 if pod == "b" and now - 3 * HOUR <= at < now - 3 * HOUR + 2400 else 0
            lines.append(f'latency{{pod="{pod}"}} {usual(at) + off:.6f} {at}')
    text = tmp_path / "latency.om"
    text.write_text("\n".join([*lines, "# EOF", ""]))
    data = tmp_path / "data"
    command = [str(promtool.path), "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)]
    subprocess.run(command, check=True, capture_output=True, cwd=promtool.cwd, timeout=60)
    return str(prometheus_server(data=data).url)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["replay", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_every_scored_series_is_judged_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], url: str, tmp_path: Path
) -> None:
    config = tmp_path / "analyzer.yaml"
    config.write_text(CONFIG)
    flags = [f"--config.file={config}", f"--prometheus.url={url}", "--since=6h"]
    html = tmp_path / "all.html"
    code, out, err = said(capsys, *flags, "--format=json", f"--html={html}")
    assert (code, err) == (0, "")
    found = {one["series"]: one for one in json.loads(out)["series"]}
    assert list(found) == ['chat/ttft{pod="a"}', 'chat/ttft{pod="b"}', "fraud/load"]
    assert found['chat/ttft{pod="a"}']["episodes"] == []
    bad = found['chat/ttft{pod="b"}']
    (episode,) = bad["episodes"]
    assert [one["severity"] for one in episode["told"]] == ["ticket", "page"]
    assert episode["value"] == pytest.approx(18, abs=0.5)
    assert episode["expected"] == pytest.approx(10, abs=0.5)
    assert bad["values"] == bad["judged"] in (360, 361)
    assert bad["told"]["page"]["after"] == 1800
    # One in six hours is 28 a week: half a page a week is accepted.
    assert bad["told"]["page"]["false_per_week"] == pytest.approx(28, abs=0.5)
    # A rise is none where falls alone count.
    assert found["fraud/load"]["episodes"] == []
    assert html.read_text().count("<svg") == 1
    names = requests.get(f"{url}/api/v1/label/__name__/values", timeout=10).json()["data"]
    assert "anomaly_score" not in names

    begin = int(np.datetime64(episode["begin"][:-1], "s").astype(int))
    known = tmp_path / "known.csv"
    known.write_text(f"begin,end\n{begin},{begin + 2400}\n")
    code, out, _ = said(capsys, "chat/ttft", *flags, f"--incidents={known}")
    assert code == 0
    assert out.count("chat/ttft{pod=") == 2
    assert "fraud" not in out
    assert "1 ticket (0 false), 0 a week; 1 page (0 false), 0 a week (0.5 false ones a week accepted)" in out
    assert out.splitlines()[-1].endswith("1 episode, 1 ticket, 1 page; all within their budgets")


def test_a_query_that_fails_keeps_no_other_from_being_judged(
    capsys: pytest.CaptureFixture[str], prometheus_server: Callable[..., Any], tmp_path: Path
) -> None:
    config = tmp_path / "analyzer.yaml"
    config.write_text(
        "queries:\n  - {monitor: m, model: x, for: broken, expr: 'rate(', history: 2h}\n"
        "  - {monitor: m, model: x, for: one, expr: 'vector(1)', history: 2h}\n"
    )
    server = prometheus_server()
    flags = [f"--config.file={config}", f"--prometheus.url={server.url}", "--since=1h"]
    code, out, err = said(capsys, *flags)
    assert code == 1
    assert "m/broken: " in err
    assert out.startswith("m/one: 0 episodes; ")
    code, _, err = said(capsys, "n/one", *flags)
    assert code == 1
    assert "no monitor is called `n`; known are m" in err


def test_a_file_of_ones_own_is_replayed_by_the_very_scores(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    at = 1_700_006_400 + 300 * np.arange(5 * 288, dtype=np.int64)
    values = np.array([usual(float(one)) for one in at])
    values[1200:1212] += 9
    file = tmp_path / "queue.csv"
    file.write_text("\n".join(f"{one},{value!r}" for one, value in zip(at, values.tolist(), strict=True)))
    code, out, _ = said(capsys, f"--values={file}", "--format=json")
    assert code == 0
    (one,) = json.loads(out)["series"]
    assert [each["score"] for each in one["episodes"]] == [anomaly_scores(at, values).max()]
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("5,3\n")
    _, _, err = said(capsys, f"--values={file}", f"--incidents={wrong}")
    assert "wrong.csv:1: it ends before it begins" in err
    wrong.write_text("5\n")
    assert "wrong.csv:1: `begin,end` is needed" in said(capsys, f"--values={file}", f"--incidents={wrong}")[2]


def test_what_is_no_number_is_counted_as_none(
    capsys: pytest.CaptureFixture[str], prometheus_server: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "gaps.csv"
    at = 1_700_006_400 + 300 * np.arange(600)
    file.write_text("".join(f"{one},{'nan' if place % 3 else 7}\n" for place, one in enumerate(at.tolist())))
    code, out, _ = said(capsys, f"--values={file}")
    assert code == 0
    assert "; 200 of 600 values are numbers, judged in " in out
    code, out, _ = said(capsys, f"--values={file}", "--format=json")
    (one,) = json.loads(out)["series"]
    assert (one["values"], one["numbers"]) == (600, 200)
    file.write_text("".join(f"{one},nan\n" for one in at.tolist()))
    code, out, err = said(capsys, f"--values={file}")
    assert (code, out) == (1, "")
    assert f"{file}: none of its 600 values is a number" in err
    assert f"cannot read {tmp_path}: Is a directory" in said(capsys, f"--values={tmp_path}")[2]
    code, _, err = said(capsys, f"--values={file}", f"--incidents={tmp_path / 'none.csv'}")
    assert f"cannot read {tmp_path / 'none.csv'}: No such file or directory\n" in err

    config = tmp_path / "analyzer.yaml"
    config.write_text(
        "queries:\n  - {monitor: m, model: x, for: idle, expr: 'vector(0) / 0', history: 2h}\n"
        "  - {monitor: m, model: x, for: one, expr: 'vector(1)', history: 2h}\n"
    )
    url = prometheus_server().url
    flags = [f"--config.file={config}", f"--prometheus.url={url}", "--since=1h"]
    code, out, err = said(capsys, *flags)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].endswith("; all within their budgets; 1 without a number")
    code, out, err = said(capsys, "m/idle", *flags)
    assert (code, err) == (1, "airis-mon analyzer replay: none of the values in that time is a number\n")
    assert out.splitlines()[-1].endswith("; none has a number")


@pytest.mark.slow
def test_a_reader_sees_the_overview(browser: Browser, tmp_path: Path) -> None:
    at = 1_700_006_400 + 300 * np.arange(3 * 288, dtype=np.int64)
    accounts = []
    for number in range(DRAWN + 2):
        values = np.array([usual(float(one)) for one in at])
        values[600 : 610 + number] += 9
        recording = of_samples(at, values)
        assert recording is not None
        accounts.append(account(f"chat/<b>{number}", recording, Query("chat", "x", "s", "")))
    text = overview(accounts)
    assert "<b>0" not in text
    assert text.count("<svg") == DRAWN
    file = tmp_path / "overview.html"
    file.write_text(text.replace("Content-Security-Policy", "x-lifted"), encoding="utf-8")
    for size in ((1280, 2000), (360, 2000)):
        seen = browser.seen(file, size)
        assert seen["width"] <= size[0]
        assert "chat/<b>31" in seen["text"]
        assert len(seen["links"]) == DRAWN
    assert "No series had a value in that time." in overview([])
