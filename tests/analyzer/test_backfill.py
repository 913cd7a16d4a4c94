"""A past judged afterwards is the past as it was judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from airis_mon.analyzer.backfill.passes import Backfill
from airis_mon.analyzer.backfill.receiver import Receiver, RefusedError
from airis_mon.analyzer.config import Query
from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.query import Frame, Labels, QueryError
from airis_mon.analyzer.query.fake import Course, MemoryQuerier
from airis_mon.analyzer.replay import anomaly_scores
from airis_mon.analyzer.schedule import Schedule
from airis_mon.remote_write import Sample
from airis_mon.remote_write.fake import MemoryWriter

END = 1_700_006_400
START = END - 2 * HOUR
SCHEDULE = Schedule(interval=60, step=300, fit_interval=600)
QUERY = Query(
    "chat", "llama", "ttft", "latency", unit="seconds", history=2 * DAY, horizons=(HOUR,), by=("pod",)
)


def pod(name: str) -> Labels:
    return (("__name__", "latency"), ("pod", name))


def season(at: NDArray[np.int64]) -> NDArray[np.float64]:
    noise = np.sin(at * 12.9898) * 0.3
    return np.asarray(10 + 5 * np.sin(2 * np.pi * at / DAY) + noise)


def course(at: NDArray[np.int64]) -> NDArray[np.float64]:
    return season(at) + np.where((at > START + HOUR) & (at < START + HOUR + 900), 9.0, 0.0)


def only(begin: int, end: int) -> Course:
    return lambda at: np.where((at >= begin) & (at < end), season(at), np.nan)


class Server(MemoryQuerier):
    """As a server answers: what has no sample is not there, and what is no number is there all the same."""

    marks: Mapping[Labels, Course] = {}
    """Where series are that are no numbers there."""

    def _frame(self, expr: str, times: NDArray[np.int64]) -> Frame:
        asked = expr.removeprefix("(\n").removesuffix("\n) >bool -Inf")
        frame = super()._frame(asked, times)
        marks = np.array([self._marked(labels, times) for labels in frame.labels]).reshape(frame.values.shape)
        there = np.isfinite(frame.values) | marks
        values = frame.values if asked == expr else np.where(there, 1.0, np.nan)
        rows = np.flatnonzero(there.any(axis=1))
        unnamed = [tuple(p for p in labels if asked == expr or p[0] != "__name__") for labels in frame.labels]
        return Frame(tuple(unnamed[row] for row in rows), times, values[rows])

    def _marked(self, labels: Labels, times: NDArray[np.int64]) -> NDArray[np.bool_]:
        found = self.marks.get(labels)
        return np.zeros(len(times), dtype=np.bool_) if found is None else np.isfinite(found(times))


def server(now: float = END) -> Server:
    made = Server(
        {
            "latency": {
                pod("a"): course,
                pod("came"): only(START + 1200, END + DAY),
                pod("went"): only(0, START + 1800),
                pod("blinked"): lambda at: np.where(at // 600 % 3 == 0, np.nan, season(at)),
            }
        },
        now,
    )
    made.marks = {pod("blinked"): lambda at: np.where(at // 600 % 6 == 0, 1.0, np.nan)}
    return made


def key(sample: Sample) -> tuple[object, ...]:
    return sample.timestamp_ms, *sorted(sample.labels.items())


def bits(writer: MemoryWriter) -> dict[tuple[object, ...], bytes]:
    found = {key(sample): np.float64(sample.value).tobytes() for sample in writer.samples}
    assert len(found) == len(writer.samples)
    return found


def lived(source: Server, *queries: Query) -> MemoryWriter:
    writer = MemoryWriter()
    cycle = Cycle(source, writer, SCHEDULE)
    for at in range(START, END + 1, 60):
        source.time = at + 2
        assert cycle.run(queries).complete
    return writer


def test_the_past_is_judged_as_the_live_service_judged_it_to_the_bit() -> None:
    live = lived(server(), QUERY)
    source, filled = server(), MemoryWriter()
    (*_, last) = Backfill(source, filled, SCHEDULE).run([QUERY], START, END)
    assert bits(filled) == bits(live)
    assert (last.at, last.done, last.written) == (END, 1.0, len(live.samples))
    scores = [s.value for s in filled.samples if s.labels["__name__"] == "anomaly_score"]
    assert 10 <= sum(score >= 1 for score in scores) <= 20
    # A few ranges in place of hundreds of questions.
    assert len(source.ranges) <= 8


def test_times_come_in_order() -> None:
    filled = MemoryWriter()
    list(Backfill(server(), filled, SCHEDULE).run([QUERY], START, END))
    times = [sample.timestamp_ms for sample in filled.samples]
    assert times == sorted(times)
    assert {time % 60_000 for time in times} == {0}
    assert (times[0], times[-1]) == (START * 1000, END * 1000)


def test_more_than_a_day_ahead_is_judged_alike() -> None:
    # Longer than what is read ahead at once, over a learning of the long past and a level read anew.
    far = replace(QUERY, horizons=())
    schedule = Schedule(interval=300, step=300, fit_interval=3600)
    live, filled = MemoryWriter(), MemoryWriter()
    source = server()
    cycle = Cycle(source, live, schedule)
    for at in range(END - 3 * DAY, END + 1, 300):
        source.time = at
        cycle.run([far])
    list(Backfill(server(), filled, schedule).run([far], END - 3 * DAY, END))
    assert bits(filled) == bits(live)


class Stored(MemoryQuerier):
    """What is stored already, as `timestamp()` tells it."""

    def __init__(self, writer: MemoryWriter) -> None:
        super().__init__({}, END)
        self.samples = {key(sample) for sample in writer.samples}

    def _frame(self, expr: str, times: NDArray[np.int64]) -> Frame:
        name = expr.partition("timestamp(")[2].partition("{")[0]
        rows: dict[Labels, NDArray[np.float64]] = {}
        for at, *labels in self.samples:
            pairs = tuple(pair for pair in labels if isinstance(pair, tuple))
            if ("__name__", name) in pairs:
                series = tuple(sorted(pair for pair in pairs if pair[0] != "__name__"))
                row = rows.setdefault(series, np.full(len(times), np.nan))
                # The newest sample is looked back to for five minutes.
                behind = times - int(str(at)) // 1000
                near = (behind >= 0) & (behind < 300)
                row[near] = np.fmax(row[near], int(str(at)) // 1000)
        if expr.startswith("max("):
            newest = [max((np.nanmax(row) for row in rows.values() if not np.isnan(row).all()), default=0.0)]
            return Frame(((),) if rows else (), times, np.array(newest if rows else []).reshape(-1, 1))
        return Frame(
            tuple(sorted(rows)), times, np.array([rows[one] for one in sorted(rows)]).reshape(-1, len(times))
        )


def test_what_is_there_already_stays_as_it_is() -> None:
    whole = MemoryWriter()
    list(Backfill(server(), whole, SCHEDULE).run([QUERY], START, END))
    there, rest = MemoryWriter(), MemoryWriter()
    there.write([sample for sample in whole.samples if sample.timestamp_ms // 60_000 % 5 > 1])
    (*_, last) = Backfill(server(), rest, SCHEDULE, stored=Stored(there)).run([QUERY], START, END)
    assert last.kept == len(there.samples)
    assert bits(rest).keys() == bits(whole).keys() - bits(there).keys()


def test_what_is_not_taken_ends_it_with_what_to_do() -> None:
    class Refusing(MemoryWriter):
        def write(self, samples):  # type: ignore[no-untyped-def]
            found = super().write(samples)
            return replace(found, sent=found.sent - 1, dropped=1, errors=("out of order sample",))

    with pytest.raises(RefusedError, match=r"chat/ttft by pod: 1 of \d+ samples .* out of order sample"):
        list(Backfill(server(), Refusing(), SCHEDULE).run([QUERY], START, END))


def test_a_server_that_fails_ends_it() -> None:
    with pytest.raises(QueryError):
        list(Backfill(server(), MemoryWriter(), SCHEDULE).run([replace(QUERY, expr="rate(")], START, END))


NOW = 1_800_000_000


@pytest.mark.parametrize(
    ("receiver", "start", "there", "words"),
    [
        (Receiver("http://p", NOW, 0), NOW - 7 * DAY, None, "out_of_order_time_window: 7d1h"),
        (Receiver("http://p", NOW, 2 * DAY), NOW - 7 * DAY, None, "out_of_order_time_window is 2d"),
        (Receiver("http://p", NOW, 8 * DAY), NOW - 7 * DAY, NOW, None),
        (Receiver("http://p", NOW, 0), NOW - 1800, None, None),
        (Receiver("http://p", NOW, 0), NOW - 1800, NOW - 60, "takes none before them"),
        (Receiver("http://p", NOW, 0), NOW - 1800, NOW - 1900, None),
        (Receiver("http://p", None, 0), NOW - 7 * DAY, None, None),
        (Receiver("http://victoria", None, None), NOW - 7 * DAY, None, None),
    ],
)
def test_what_prometheus_would_refuse_is_known_before(
    receiver: Receiver, start: int, there: int | None, words: str | None
) -> None:
    if words is None:
        receiver.check(start, lambda: there)
        return
    with pytest.raises(RefusedError) as refused:
        receiver.check(start, lambda: there)
    assert words in str(refused.value)


def test_what_is_measured_is_what_is_lived_to_the_bit() -> None:
    # `replay` is what benchmarks score; a backfill is `run` over the past, by the test at the top.
    grid = np.arange(END - 9 * DAY, END + 1, 60, dtype=np.int64)
    noise = np.random.default_rng(7).normal(0, 0.3, len(grid))
    values = season(grid) + noise + np.where((grid > START) & (grid < START + 1800), 30.0, 0.0)
    # Whole cells are missing: in a part of one a server looks back.
    values[(grid > START - 2 * DAY) & (grid <= START - 2 * DAY + 5 * HOUR)] = np.nan

    def known(at: NDArray[np.int64]) -> NDArray[np.float64]:
        found = np.full(len(at), np.nan)
        inside = (at >= grid[0]) & (at <= grid[-1])
        found[inside] = values[(at[inside] - grid[0]) // 60]
        return found

    source = Server({"latency": {pod("a"): known}}, END)
    default = Query("chat", "llama", "ttft", "latency", unit="seconds", by=("pod",))
    filled = MemoryWriter()
    list(Backfill(source, filled, Schedule()).run([default], START, END))
    lived = {
        s.timestamp_ms // 1000: s.value for s in filled.samples if s.labels["__name__"] == "anomaly_score"
    }
    scores = anomaly_scores(grid, values)
    measured = {int(at): float(score) for at, score in zip(grid, scores, strict=True) if int(at) in lived}
    assert len(lived) >= 115
    assert lived == measured
    assert sum(score >= 1 for score in lived.values()) >= 25
