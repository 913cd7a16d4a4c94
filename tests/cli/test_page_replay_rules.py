"""Recordings and alerts over a past are what a real Prometheus made of them when it was the present."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from airis_mon.cli.page_replay import server
from airis_mon.cli.page_replay.evaluation import evaluate
from airis_mon.cli.page_replay.past import Need, bring
from airis_mon.cli.page_replay.workbench import Grid, WorkbenchError, workbench
from airis_mon.remote_read import HttpReader
from airis_mon.remote_write import STALE, HttpWriter, Sample
from airis_mon.rules.replay import plan
from airis_mon.stack.servers import Server
from tests.waiting import until

EVALUATION_MS, SAMPLE = 500, 0.25
"""Milliseconds between two evaluations; seconds between two samples."""
SECONDS, ENDS = 18, 14
"""How long it goes on, and when the series end: a busy machine may leave out some evaluations after that."""
QUIET, FAILING = (9, 12.5), (4, 8)
"""Seconds in which nothing is counted at all, and in which half of it fails."""


def rules() -> dict[str, Any]:
    def recording(name: str, expr: str) -> dict[str, Any]:
        return {"record": name, "expr": expr, "labels": {"monitor": "chat"}}

    def alert(name: str, expr: str, **more: str) -> dict[str, Any]:
        return {"alert": name, "expr": expr, "labels": {"severity": "page", "monitor": "chat"}, **more}

    windows = [
        recording("events:rate2s", "sum(rate(events_total[2s]))"),
        recording(
            "errors:rate2s",
            'sum(rate(events_total{code="500"}[2s])) or 0 * sum(events:rate2s{monitor="chat"})',
        ),
        recording("ratio:rate2s", 'errors:rate2s{monitor="chat"} / (events:rate2s{monitor="chat"} > 0)'),
        alert("Burns", 'ratio:rate2s{monitor="chat"} > 0.2', **{"for": "1s"}),
    ]
    slower = [
        recording("ratio:mean", 'avg_over_time(ratio:rate2s{monitor="chat"}[3s])'),
        alert("BurnsSlowly", 'ratio:mean{monitor="chat"} > 0.1', keep_firing_for="1s"),
        alert("Silent", 'absent(ratio:rate2s{monitor="chat"})', **{"for": "500ms"}),
        alert("Gone", "absent(events_total)"),
    ]
    pace = {"interval": f"{EVALUATION_MS}ms"}
    return {
        "groups": [{"name": "windows", "rules": windows, **pace}, {"name": "slower", "rules": slower, **pace}]
    }


def live_through(url: str) -> None:
    """Count events for a while: some of them fail, then there are none, then the series ends."""
    writer = HttpWriter(f"{url}/api/v1/write")
    good = bad = 0.0
    begin = time.time()
    for number in range(round(SECONDS / SAMPLE)):
        second = number * SAMPLE
        until(lambda second=second: time.time() >= begin + second, what="its time")  # type: ignore[misc]
        failing, quiet = FAILING[0] <= second < FAILING[1], QUIET[0] <= second < QUIET[1]
        good += 0 if quiet else 5
        bad += 5 if failing else 0
        now = round(time.time() * 1000)
        ends = second >= ENDS
        labels = {"__name__": "events_total", "job": "chat"}
        samples = [Sample({**labels, "code": "200"}, now, STALE if ends else good)]
        samples.append(Sample({**labels, "code": "500"}, now, STALE if ends else bad))
        assert writer.write(samples).errors == ()
    writer.close()


def test_every_alert_fires_when_it_fired(
    prometheus_server: Callable[..., Any], prometheus: Server, tmp_path: Path
) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules()))
    theirs = prometheus_server(config={"rule_files": [str(tmp_path / "rules.yaml")]})
    began = time.time()
    live_through(theirs.url)
    planned = plan([rules()])
    assert [recording.name for recording in planned.recordings][-1] == "ratio:mean"

    with requests.Session() as session, workbench(prometheus, tmp_path / "bench") as bench:
        schedule = server.schedule(session, theirs.url, planned.groups)
        assert schedule.interval == EVALUATION_MS / 1000
        assert set(schedule.offsets) == {"windows", "slower"}
        end = round(time.time() * 1000) // EVALUATION_MS * EVALUATION_MS
        grid = Grid(round(began * 1000) // EVALUATION_MS * EVALUATION_MS, end, EVALUATION_MS)
        needs = [Need(one, grid.start_ms - round(one.reach * 1000)) for one in planned.stored]
        brought = bring(HttpReader(theirs.url), needs, end, [bench])
        assert brought.series == 2
        assert brought.missing == ()
        fired = evaluate(planned, bench, grid, schedule.offsets)
        for name in ("Burns", "BurnsSlowly", "Silent", "Gone"):
            simulated = [
                (one.episode.fired_at, one.episode.resolved_at) for one in fired if one.rule.name == name
            ]
            real = _episodes(session, theirs.url, name)
            # Prometheus writes no `ALERTS` for its first evaluations, when nothing was counted yet; and what
            # begins with the last ones, one side alone may have seen.
            first_seen, last_seen = began + 3, end / 1000 - 2 * EVALUATION_MS / 1000
            simulated = [
                (fires, resolves)
                for fires, resolves in simulated
                if fires < last_seen and (resolves is None or resolves > first_seen)
            ]
            real = [(first, last) for first, last in real if first < last_seen and last > first_seen]
            assert len(simulated) == len(real) > 0, (name, simulated, real)
            for (fires, resolves), (first, last) in zip(simulated, real, strict=True):
                if first > first_seen:
                    assert abs(fires - first) <= EVALUATION_MS / 1000 + 0.1, name
                # The last evaluation at which it fired is the one before it was resolved.
                if resolves is not None:
                    assert abs(resolves - last - EVALUATION_MS / 1000) <= EVALUATION_MS / 1000 + 0.1, name


def _episodes(session: requests.Session, url: str, name: str) -> list[tuple[float, float]]:
    """Return the first and the last evaluation of each time for which an alert fired."""
    query = f'ALERTS{{alertname="{name}",alertstate="firing"}}[1m]'
    result = session.get(f"{url}/api/v1/query", params={"query": query}).json()["data"]["result"]
    times = sorted(at for series in result for at, _ in series["values"])
    found: list[tuple[float, float]] = []
    for at in times:
        if found and at - found[-1][1] < 1.5 * EVALUATION_MS / 1000:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return found


def test_what_prometheus_would_not_record_is_an_error_here_too(prometheus: Server, tmp_path: Path) -> None:
    twice = {"record": "both", "expr": 'vector(1) or label_replace(vector(2), "monitor", "chat", "", "")'}
    once = {"record": "one", "expr": "vector(1) > bool 0", "labels": {"monitor": "chat"}}
    read = [{"alert": "A", "expr": "both == one"}]
    given = {"groups": [{"name": "g", "rules": [{**twice, "labels": {"monitor": "chat"}}, once, *read]}]}
    with (
        workbench(prometheus, tmp_path / "bench") as bench,
        pytest.raises(WorkbenchError, match="`both`: two series would have the same labels"),
    ):
        evaluate(plan([given]), bench, Grid(1_700_000_000_000, 1_700_000_060_000, 60_000), {})


def test_nothing_is_evaluated_before_there_was_somebody_to_do_it() -> None:
    grid = Grid(100_000, 200_000, 10_000, floor_ms=75_000)
    assert grid.earlier(15).start_ms == 80_000
    assert grid.earlier(3600).start_ms == 80_000
    assert grid.shifted(4).earlier(3600).start_ms == 84_000
    assert replace(grid, floor_ms=0).earlier(95).start_ms == 0
