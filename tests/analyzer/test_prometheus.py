"""The real Prometheus, from days of history to a score and back."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.query import HttpQuerier
from airis_mon.analyzer.schedule import Schedule
from airis_mon.remote_write import HttpWriter, Sample
from tests.waiting import until

STEP = 60
SCHEDULE = Schedule(interval=1, step=STEP, fit_interval=600)
PAST = 4 * DAY
"""More than a query looks at, whose history ends up to seven hours ago: at no time of the day does the first
day of the series, which nobody could know anything of, lie within it."""


def usual(at: float) -> float:
    return 10 + 4 * float(np.sin(2 * np.pi * at / DAY)) + 0.3 * float(np.sin(at * 12.9898))


def backfill(promtool: Any, folder: Path, now: int) -> Path:
    """A gauge, up to a moment ago, as blocks."""
    lines = ["# TYPE latency gauge"]
    lines += [f'latency{{pod="a"}} {usual(at):.6f} {at}' for at in range(now - PAST, now, STEP)]
    text = folder / "latency.om"
    text.write_text("\n".join([*lines, "# EOF", ""]))
    data = folder / "data"
    command = [str(promtool.path), "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)]
    subprocess.run(command, check=True, capture_output=True, cwd=promtool.cwd, timeout=60)
    return data


def read(url: str, expr: str, at: float) -> list[dict[str, Any]]:
    answer = requests.get(f"{url}/api/v1/query", params={"query": expr, "time": str(at)}, timeout=10)
    result: list[dict[str, Any]] = answer.json()["data"]["result"]
    return result


def value(url: str, expr: str, at: float) -> float:
    (row,) = read(url, expr, at)
    return float(row["value"][1])


class Live:
    """A Prometheus with a past, a source that goes on writing, and an analyzer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.querier = HttpQuerier(url)
        self.source = HttpWriter(f"{url}/api/v1/write")
        self.query = Query(
            "chat", "llama", "ttft", "latency", unit="seconds", history=3 * DAY, horizons=(HOUR,)
        )

    def cycle(self) -> Cycle:
        return Cycle(self.querier, HttpWriter(f"{self.url}/api/v1/write"), SCHEDULE)

    def measure(self, off: float = 0.0) -> None:
        """Write the present value of the gauge, `off` what is usual, in a second of its own."""
        second = int(self.querier.now())
        until(lambda: int(self.querier.now()) != second, what="the next second")
        at = int(self.querier.now())
        assert (
            self.source.write([Sample({"__name__": "latency", "pod": "a"}, at * 1000, usual(at) + off)]).sent
            == 1
        )


@pytest.fixture
def live(promtool: Any, prometheus_server: Callable[..., Any], tmp_path: Path) -> Iterator[Live]:
    if shutil.disk_usage(tmp_path).free < 1 << 30:
        pytest.skip("less than 1 GiB of disk is free")
    data = backfill(promtool, tmp_path, int(time.time()) // STEP * STEP)
    there = Live(prometheus_server(data=data).url)
    yield there
    there.source.close()
    there.querier.close()


def test_a_season_is_expected_an_incident_scored_and_a_repair_noticed(live: Live) -> None:
    cycle = live.cycle()
    labels = 'monitor="chat",model="llama",for="ttft",pod="a"'

    live.measure()
    outcome = cycle.run([live.query])
    assert outcome.complete, (outcome.failures, outcome.written)
    assert (outcome.fits, outcome.scored) == (1, 1)
    at = outcome.at
    assert value(live.url, f"timestamp(yhat{{{labels},horizon='0s'}})", at) == at
    assert value(live.url, f"yhat{{{labels},horizon='0s'}}", at) == pytest.approx(usual(at), abs=0.7)
    assert value(live.url, f"yhat{{{labels},horizon='1h'}}", at) == pytest.approx(usual(at + HOUR), abs=0.9)
    for horizon in ("0s", "1h"):
        edges = [value(live.url, f"yhat_{e}{{{labels},horizon='{horizon}'}}", at) for e in ("lower", "upper")]
        assert edges[0] < usual(at) < edges[1] or horizon == "1h"
        assert edges[1] - edges[0] < 8
    assert value(live.url, f"anomaly_score{{{labels}}}", at) < 1

    live.measure(off=6.0)
    incident = cycle.run([live.query])
    assert incident.complete
    assert value(live.url, f"anomaly_score{{{labels}}}", incident.at) >= 1

    live.measure()
    repaired = cycle.run([live.query])
    assert value(live.url, f"anomaly_score{{{labels}}}", repaired.at) < 1


def test_two_analyzers_agree_to_the_bit(live: Live) -> None:
    live.measure()
    first, second = live.cycle(), live.cycle()
    # Both have to see the same second; a busy machine may need another go.
    for _ in range(20):
        one, other = first.run([live.query]), second.run([live.query])
        assert one.complete, one.written
        assert other.complete, other.written
        if one.at == other.at:
            break
    assert one.at == other.at
    assert one.written.sent == other.written.sent == 11
    assert len(read(live.url, '{monitor="chat"}', one.at)) == 11
