"""What goes wrong around the process: each is told and counted, and nothing is written twice with two values.

What one answer of a receiver does to samples is in tests/remote_write; here it is the service that goes on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from airis_mon.analyzer.config import Configuration, Query
from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.metrics import Metrics
from airis_mon.analyzer.query import Frame, Labels, LimitError, QueryError
from airis_mon.analyzer.query.fake import MemoryQuerier
from airis_mon.analyzer.rounds import Rounds
from airis_mon.analyzer.schedule import Schedule
from airis_mon.remote_write import Sample, WriteResult
from airis_mon.remote_write.fake import MemoryWriter

NOW = 1_700_006_400
SCHEDULE = Schedule(interval=60, step=300, fit_interval=600)
QUERY = Query("chat", "llama", "ttft", "latency", history=2 * DAY, horizons=(HOUR,), by=("pod",))
POD: Labels = (("__name__", "latency"), ("pod", "a"))


def season(at: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(10 + 5 * np.sin(2 * np.pi * at / DAY) + np.sin(at * 12.9898) * 0.3)


class Server(MemoryQuerier):
    """A Prometheus that can be out of reach."""

    fault: str = ""
    limit: LimitError | None = None
    """What every question for series comes up against."""

    def now(self) -> float:
        self._reached()
        return super().now()

    def _frame(self, expr: str, times: NDArray[np.int64]) -> Frame:
        self._reached()
        if self.limit is not None:
            raise self.limit
        return super()._frame(expr, times)

    def _reached(self) -> None:
        if self.fault:
            raise QueryError(self.fault)


class Receiver(MemoryWriter):
    """One that can be out of reach."""

    fault: str = ""

    def write(self, samples: Iterable[Sample]) -> WriteResult:
        found = list(samples)
        return WriteResult(0, len(found), (self.fault,)) if self.fault else super().write(found)


class Time(threading.Event):
    """The stop of rounds, whose waiting is what moves the clock."""

    def __init__(self, passed: Callable[[float], bool]) -> None:
        super().__init__()
        self._passed = passed

    def wait(self, timeout: float | None = None) -> bool:
        if not self._passed(timeout or 0.0):
            self.set()
        return self.is_set()


@dataclass
class World:
    """Rounds on a clock of their own."""

    querier: Server = field(default_factory=lambda: Server({"latency": {POD: season}}, NOW + 2))
    writer: Receiver = field(default_factory=Receiver)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        metrics = Metrics(self.registry)
        log = logging.getLogger("tests.faults")
        self._rounds = Rounds(
            Cycle(self.querier, self.writer, SCHEDULE, clock=lambda: 0.0),
            SCHEDULE,
            Configuration((QUERY,)),
            metrics,
            log,
            clock=lambda: 0.0,
        )

    def live(self, until: float) -> None:
        """Run rounds up to a moment of the server's clock."""

        def passed(seconds: float) -> bool:
            self.querier.time += seconds
            return self.querier.time < until

        self._rounds.run(Time(passed))

    def count(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    def values(self) -> dict[tuple[object, ...], set[bytes]]:
        found: dict[tuple[object, ...], set[bytes]] = {}
        for sample in self.writer.samples:
            key = sample.timestamp_ms, *sorted(sample.labels.items())
            found.setdefault(key, set()).add(np.float64(sample.value).tobytes())
        return found

    def judged(self) -> list[int]:
        return sorted({sample.timestamp_ms // 1000 for sample in self.writer.samples})


def undisturbed(until: float) -> dict[tuple[object, ...], set[bytes]]:
    world = World()
    world.live(until)
    return world.values()


def test_an_hour_without_prometheus_is_missed_told_and_survived(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    world.live(NOW + 600)
    before = world.judged()
    world.querier.fault = "http://p is not reachable: connection refused"
    world.live(NOW + 600 + HOUR)
    assert world.judged() == before
    assert world.count("airis_analyzer_cycles_total", result="failed") >= 60
    world.querier.fault = ""
    world.live(NOW + 1200 + HOUR)
    missed = set(range(NOW, world.judged()[-1] + 1, 60)) - set(world.judged())
    assert 59 <= len(missed) <= 61
    assert world.count("airis_analyzer_evaluations_missed_total") == len(missed)
    (told,) = (record for record in caplog.records if record.message == "evaluations missed")
    assert (
        "airis-mon analyzer backfill --since 2023-11-15T00:10:00Z --until 2023-11-15T01:0"
        in told.__dict__["advice"]
    )
    # What is written after it is what would have been written without it.
    calm = undisturbed(NOW + 1200 + HOUR)
    assert {key: calm[key] for key in world.values()} == world.values()


def test_an_hour_without_a_receiver_drops_what_it_must_and_writes_nothing_late() -> None:
    world = World()
    world.live(NOW + 300)
    world.writer.fault = "http://p answered 503: the WAL is full"
    world.live(NOW + 300 + HOUR)
    assert world.count("airis_analyzer_samples_dropped_total") >= 60 * 8
    assert world.count("airis_analyzer_cycles_total", result="partial") >= 60
    world.writer.fault = ""
    world.live(NOW + 900 + HOUR)
    calm = undisturbed(NOW + 900 + HOUR)
    assert {key: calm[key] for key in world.values()} == world.values()
    assert not any(NOW + 360 <= at < NOW + 300 + HOUR for at in world.judged())


def test_a_clock_that_goes_back_judges_nothing_twice(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.live(NOW + 1200)
    count = len(world.writer.samples)
    world.querier.time -= 900
    world.live(NOW + 1080)
    assert len(world.writer.samples) == count
    assert world.count("airis_analyzer_clock_back_cycles_total") >= 10
    assert any("clock is before a time that was judged" in record.message for record in caplog.records)
    world.live(NOW + 1800)
    assert world.judged() == list(range(NOW, NOW + 1800, 60))
    assert all(len(values) == 1 for values in world.values().values())


def test_a_clock_that_jumps_ahead_is_an_outage_like_another() -> None:
    world = World()
    world.live(NOW + 600)
    world.querier.time += 2 * HOUR
    world.live(NOW + 600 + 3 * HOUR)
    assert world.count("airis_analyzer_evaluations_missed_total") == 120
    calm = undisturbed(NOW + 600 + 3 * HOUR)
    assert {key: calm[key] for key in world.values()} == world.values()


def test_a_series_that_is_renamed_ends_and_the_new_one_cannot_page() -> None:
    changed = NOW + 600
    other: Labels = (("__name__", "latency"), ("pod", "b"))
    world = World()
    world.querier.expressions["latency"] = {
        POD: lambda at: np.where(at < changed, season(at), np.nan),
        other: lambda at: np.where(at >= changed, season(at) + 1e6, np.nan),
    }
    world.live(NOW + 1800)
    scores = [s for s in world.writer.samples if s.labels["__name__"] == "anomaly_score"]
    old = [s.timestamp_ms // 1000 for s in scores if s.labels["pod"] == "a"]
    new = {s.timestamp_ms // 1000: s.value for s in scores if s.labels["pod"] == "b"}
    assert old == list(range(NOW, changed, 60))
    assert list(new) == list(range(changed, NOW + 1800, 60))
    assert set(new.values()) == {0.0}


def test_an_anomaly_that_goes_on_where_values_are_missing_is_never_written_as_over() -> None:
    begin, gap = NOW + 300, range(NOW + 600, NOW + 900)
    world = World()
    world.querier.expressions["latency"] = {
        POD: lambda at: np.where(
            (at >= gap.start) & (at < gap.stop), np.nan, season(at) + np.where(at >= begin, 9.0, 0.0)
        )
    }
    world.live(NOW + 1500)
    scores = {
        s.timestamp_ms // 1000: s.value
        for s in world.writer.samples
        if s.labels["__name__"] == "anomaly_score"
    }
    assert [at for at in range(NOW, NOW + 1500, 60) if at not in scores] == list(gap[::60])
    assert all((score >= 1) == (at >= begin) for at, score in scores.items())


def test_a_start_without_history_scores_zero_until_it_can_tell() -> None:
    begun = NOW - 900
    world = World()
    world.querier.expressions["latency"] = {
        POD: lambda at: np.where(at >= begun, season(at) + np.where(at % 7200 < 1800, 50.0, 0.0), np.nan)
    }
    world.live(NOW + 2 * HOUR)
    scores = [s.value for s in world.writer.samples if s.labels["__name__"] == "anomaly_score"]
    assert len(scores) == 120
    assert set(scores) == {0.0}
    assert world.count("airis_analyzer_series_warming_up") == 1


def test_what_the_analyzer_says_of_itself_follows_its_cycles() -> None:
    world = World()
    world.live(NOW + 1200)
    labels = {"monitor": "chat", "for": "ttft"}
    assert world.count("airis_analyzer_query_series", **labels) == 1
    assert world.count("airis_analyzer_model_age_seconds", **labels) == 540
    assert world.count("airis_analyzer_lag_seconds") == pytest.approx(2)
    for phase in ("read", "learn", "score", "write"):
        assert world.count("airis_analyzer_phase_duration_seconds_count", phase=phase) == 20
    assert world.count("airis_analyzer_limited_total", limit="series") == 0
    # A query that fails has a model that grows old, and no series.
    world.querier.expressions.clear()
    world.live(NOW + 1800)
    assert world.count("airis_analyzer_query_series", **labels) == 0
    assert world.count("airis_analyzer_model_age_seconds", **labels) == 1140
    assert world.count("airis_analyzer_query_errors_total", **labels) == 10
    world.querier.limit = LimitError("series", "the expression gives 10001 series")
    world.live(NOW + 2100)
    assert world.count("airis_analyzer_limited_total", limit="series") == 5
