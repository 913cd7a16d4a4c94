"""Alerts go through the states that a real Prometheus puts them through."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import yaml

from airis_mon.remote_write import STALE, HttpWriter, Sample
from airis_mon.rules.replay import Episode, episodes
from tests.waiting import until

ALERTS = {
    "AtOnce": (0, 0),
    "Waits": (3, 0),
    "Keeps": (0, 3),
    "WaitsAndKeeps": (2, 2),
}
"""Name to `for` and `keep_firing_for`, in evaluations."""
PACE = 0.25
"""Seconds between two evaluations, and between two values."""
HOLDS = "000000" + "0110100111101111100010111000"
"""Whether the condition holds, one after the other: short and long spells, gaps of one evaluation and more.

Prometheus writes no `ALERTS` for the first evaluations, until it has looked for those of its former life."""


def _rules() -> dict[str, Any]:
    rules: list[dict[str, Any]] = [
        {"record": "tick", "expr": "vector(1)"},
        {"record": "holds", "expr": "signal > 0"},
    ]
    for name, (duration, keep) in ALERTS.items():
        rules.append(
            {"alert": name, "expr": "holds", "for": _duration(duration), "keep_firing_for": _duration(keep)}
        )
    return {"groups": [{"name": "g", "interval": _duration(1), "rules": rules}]}


def _duration(evaluations: int) -> str:
    return f"{evaluations * PACE * 1000:.0f}ms"


def test_a_real_prometheus_agrees_at_every_evaluation(
    prometheus_server: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(_rules()))
    server = prometheus_server(config={"rule_files": [str(tmp_path / "rules.yaml")]})
    writer = HttpWriter(f"{server.url}/api/v1/write")
    begin = time.time()
    for number, holds in enumerate(HOLDS):
        until(lambda number=number: time.time() >= begin + number * PACE, what="its time")  # type: ignore[misc]
        value = 1.0 if holds == "1" else STALE
        assert writer.write([Sample({"__name__": "signal"}, round(time.time() * 1000), value)]).sent == 1
    writer.close()

    evaluations = sorted(_values(server.url, "tick"))
    holds_at = set(_values(server.url, "holds"))
    assert 4 < len(holds_at) < len(evaluations)
    for name, (duration, keep) in ALERTS.items():
        found = episodes(evaluations, holds_at, duration=duration * PACE, keep_firing_for=keep * PACE)
        assert found, name
        firing = _values(server.url, f'ALERTS{{alertname="{name}",alertstate="firing"}}')
        # Evaluations go on while we ask: what came after we looked at the clock is another story.
        real = {at for at in firing if at <= evaluations[-1]}
        assert {at for at in evaluations if any(_fires(episode, at) for episode in found)} == real, name


def _fires(episode: Episode, at: float) -> bool:
    return episode.fired_at <= at and (episode.resolved_at is None or at < episode.resolved_at)


def _values(url: str, selector: str) -> list[float]:
    """Return the exact times of all samples of a series."""
    answer = requests.get(f"{url}/api/v1/query", params={"query": f"{selector}[5m]"}, timeout=5)
    result = answer.json()["data"]["result"]
    return [at for series in result for at, _ in series["values"]]


def test_an_episode_knows_when_its_condition_held_before_and_after() -> None:
    evaluations = [60.0 * number for number in range(12)]
    holds = {60.0, 120.0, 180.0, 300.0, 480.0, 540.0, 600.0, 660.0}
    assert episodes(evaluations, holds, duration=120.0) == [
        Episode(active_at=60.0, fired_at=180.0, resolved_at=240.0, forgotten_at=300.0),
        Episode(active_at=480.0, fired_at=600.0),
    ]
    assert episodes(evaluations, holds, duration=120.0, keep_firing_for=60.0) == [
        Episode(active_at=60.0, fired_at=180.0, resolved_at=420.0, forgotten_at=480.0),
        Episode(active_at=480.0, fired_at=600.0),
    ]
    assert episodes(evaluations, holds, duration=120.0, keep_firing_for=120.0) == [
        Episode(active_at=60.0, fired_at=180.0)
    ]
    assert episodes(evaluations, set(), duration=0.0) == []
