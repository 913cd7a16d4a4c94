"""Series that come no more are ended, and those that may come again are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.query import Labels
from airis_mon.analyzer.query.fake import Course, MemoryQuerier
from airis_mon.analyzer.schedule import Schedule
from airis_mon.remote_write import Asked, Delivery, HttpWriter, Sample, is_stale
from airis_mon.remote_write.fake import MemoryWriter
from tests.analyzer.test_cycle import AT, NOW, season
from tests.remote_write.receiver import Reply, receiver

QUERY = Query(
    "chat", "llama", "ttft", "latency", unit="seconds", history=3 * DAY, horizons=(HOUR,), by=("pod",)
)
PODS: tuple[Labels, ...] = tuple((("pod", pod),) for pod in "abc")
NAMES = {
    ("y", None),
    ("anomaly_score", None),
    *((name, horizon) for name in ("yhat", "yhat_lower", "yhat_upper") for horizon in ("0s", "1h")),
    *((f"airis_forecast_{name}", "1h") for name in ("coverage", "mase", "demoted")),
}


class World:
    def __init__(self, *pods: Labels) -> None:
        self.writer = MemoryWriter()
        self.querier = MemoryQuerier({"latency": dict.fromkeys(pods or PODS, season)}, NOW)
        self.cycle = Cycle(self.querier, self.writer, Schedule(interval=60, step=300, fit_interval=600))

    def round(self, *queries: Query) -> list[Sample]:
        """Run the next round and return the markers it wrote."""
        self.writer.samples.clear()
        outcome = self.cycle.run(queries)
        assert not outcome.written.dropped
        self.querier.time += 60
        return [sample for sample in self.writer.samples if is_stale(sample.value)]

    def only(self, *pods: Labels, course: Course = season) -> None:
        self.querier.expressions = {"latency": dict.fromkeys(pods, course)}


def test_a_series_whose_input_is_gone_is_ended_once_in_all_that_was_written_of_it() -> None:
    world = World()
    assert world.round(QUERY) == []
    world.only(*PODS[:2])
    markers = world.round(QUERY)
    assert {(s.labels["__name__"], s.labels.get("horizon")) for s in markers} == NAMES
    assert {s.timestamp_ms for s in markers} == {(AT + 60) * 1000}
    for marker in markers:
        kept = {"pod": "c", "monitor": "chat", "model": "llama", "for": "ttft"}
        assert kept.items() <= dict(marker.labels).items()
    assert len(markers) == len(NAMES)
    assert world.round(QUERY) == []


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_must_send_stale_markers_when_a_series_will_no_longer_be_appended_to(version: Asked) -> None:
    """1.0: Senders MUST send stale markers when a time series will no longer be appended to. 2.0: Senders
    MUST send stale markers if the discontinuation of time series is possible to detect. (Who writes by
    airis_mon.remote_write knows that, and writes `STALE`; in this project that is the analyzer.)"""
    querier = MemoryQuerier({"latency": dict.fromkeys(PODS, season)}, NOW)
    with receiver(lambda request: Reply()) as there:
        writer = HttpWriter(Delivery(there.url, version=version))
        cycle = Cycle(querier, writer, Schedule(interval=60, step=300, fit_interval=600))
        cycle.run((QUERY,))
        before = len(there.requests)
        querier.expressions = {"latency": dict.fromkeys(PODS[:2], season)}
        querier.time += 60
        cycle.run((QUERY,))
        writer.close()
    ended = {
        dict(series.labels)["pod"]: [is_stale(value) for _, value in series.values()]
        for request in there.requests[before:]
        for series in request.series
        if dict(series.labels)["__name__"] == "y"
    }
    assert ended == {"a": [False], "b": [False], "c": [True]}


def test_what_comes_again_is_written_again_and_ends_again() -> None:
    world = World()
    world.round(QUERY)
    world.only(*PODS[:2])
    assert world.round(QUERY)
    world.only(*PODS)
    assert world.round(QUERY) == []
    assert any(s.labels.get("pod") == "c" for s in world.writer.samples)
    world.only(*PODS[:2])
    assert {s.labels["pod"] for s in world.round(QUERY)} == {"c"}


def test_a_query_that_fails_says_nothing_about_its_series() -> None:
    world = World()
    world.round(QUERY)
    world.querier.expressions = {}
    assert world.round(QUERY) == []
    world.only(*PODS[:2])
    assert {s.labels["pod"] for s in world.round(QUERY)} == {"c"}


def test_a_value_that_is_nan_is_no_end() -> None:
    world = World()
    world.round(QUERY)
    world.only(*PODS, course=lambda at: np.full(len(at), np.nan))
    assert world.round(QUERY) == []


def test_a_query_that_a_reload_took_away_is_ended() -> None:
    world = World()
    other = replace(QUERY, signal="tpot")
    world.round(QUERY, other)
    markers = world.round(other)
    assert {(s.labels["for"], s.labels["pod"]) for s in markers} == {("ttft", pod) for pod in "abc"}
    assert world.round(other) == []


def test_a_query_that_a_reload_changed_goes_on() -> None:
    world = World()
    world.round(QUERY)
    assert world.round(replace(QUERY, false_pages_per_week=1.0)) == []


def test_what_another_expression_of_the_signal_gives_is_no_end() -> None:
    world = World()
    both = (QUERY, replace(QUERY, expr="more", by=("pod", "zone")))
    world.querier.expressions["more"] = {PODS[0]: season}
    world.round(*both)
    world.querier.expressions = {"latency": dict.fromkeys(PODS[1:], season), "more": {PODS[0]: season}}
    assert world.round(*both) == []


def test_the_end_of_the_process_ends_no_series() -> None:
    world = World()
    world.round(QUERY)
    again = Cycle(world.querier, world.writer, Schedule(interval=60, step=300, fit_interval=600))
    world.writer.samples.clear()
    again.run([QUERY])
    assert not any(is_stale(sample.value) for sample in world.writer.samples)
