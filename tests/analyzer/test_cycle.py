"""Rounds over numbers of one's own choosing: what is asked, what is written, what a failure costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from airis_mon.analyzer import learning
from airis_mon.analyzer.config import Query
from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.history import History
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.methods.seasonal import Learnt, Settings, learn
from airis_mon.analyzer.patience import Patience
from airis_mon.analyzer.query import Labels, QueryError
from airis_mon.analyzer.query.fake import Course, MemoryQuerier
from airis_mon.analyzer.schedule import Schedule
from airis_mon.remote_write import Sample
from airis_mon.remote_write.fake import MemoryWriter

NOW = 1_700_000_000.0
AT = 1_699_999_980
POD: Labels = (("__name__", "latency"), ("pod", "a"))
QUERY = Query(
    "chat", "llama", "ttft", "latency", unit="seconds", history=3 * DAY, horizons=(HOUR,), by=("pod",)
)
SCHEDULE = Schedule(interval=60, step=300, fit_interval=600)


def season(at: NDArray[np.int64]) -> NDArray[np.float64]:
    # Noise that is a function of time: whoever asks for a moment gets the same value.
    noise = np.sin(at * 12.9898) * 0.3
    return np.asarray(10 + 5 * np.sin(2 * np.pi * at / DAY) + noise)


def since(
    begin: int, course: Callable[[NDArray[np.int64]], NDArray[np.float64]]
) -> Callable[..., NDArray[np.float64]]:
    return lambda at: np.where(at >= begin, course(at), np.nan)


def querier(now: float = NOW, **courses: object) -> MemoryQuerier:
    return MemoryQuerier({"latency": {POD: season}, **courses}, now)  # type: ignore[dict-item]


def found(writer: MemoryWriter, name: str, **labels: str) -> list[Sample]:
    wanted = {"__name__": name, **labels}
    return [s for s in writer.samples if wanted.items() <= dict(s.labels).items()]


def test_everything_is_written_at_the_aligned_time_with_the_labels_of_the_contract() -> None:
    writer = MemoryWriter()
    outcome = Cycle(querier(), writer, SCHEDULE).run([QUERY])
    assert (outcome.at, outcome.scored, outcome.warming_up, outcome.complete) == (AT, 1, 0, True)
    assert {s.timestamp_ms for s in writer.samples} == {AT * 1000}
    kept = {"pod": "a", "monitor": "chat", "model": "llama", "for": "ttft"}
    written = {(s.labels["__name__"], s.labels.get("horizon")): dict(s.labels) for s in writer.samples}
    assert set(written) == {
        ("y", None),
        ("anomaly_score", None),
        *((name, horizon) for name in ("yhat", "yhat_lower", "yhat_upper") for horizon in ("0s", "1h")),
        *((f"airis_forecast_{name}", "1h") for name in ("coverage", "mase", "demoted")),
    }
    for (name, horizon), labels in written.items():
        assert labels == {**kept, "__name__": name, **({"horizon": horizon} if horizon else {})}
    truth = 10 + 5 * np.sin(2 * np.pi * np.array([AT, AT + HOUR]) / DAY)
    (now,), (later,) = (found(writer, "yhat", horizon=h) for h in ("0s", "1h"))
    assert (now.value, later.value) == pytest.approx(truth, abs=0.7)


def test_two_analyzers_write_the_same_whenever_they_were_started() -> None:
    early, late = MemoryWriter(), MemoryWriter()
    source = querier(NOW - 3000)
    old = Cycle(source, early, SCHEDULE)
    for step in range(50):
        source.time = NOW - 3000 + 60 * (step + 1)
        old.run([QUERY])
    Cycle(querier(NOW + 7), late, SCHEDULE).run([QUERY])
    last = [s for s in early.samples if s.timestamp_ms == AT * 1000]
    assert last == late.samples
    assert len(last) == 11


def test_a_moment_is_judged_once() -> None:
    writer = MemoryWriter()
    cycle = Cycle(querier(), writer, SCHEDULE)
    cycle.run([QUERY])
    count = len(writer.samples)
    assert cycle.run([QUERY]).repeated
    assert len(writer.samples) == count


def test_history_is_asked_for_in_full_once_and_then_for_what_is_new() -> None:
    source = querier()
    cycle = Cycle(source, MemoryWriter(), SCHEDULE)
    fits = []
    for _ in range(21):
        fits.append(cycle.run([QUERY]).fits)
        source.time += 60
    assert fits[0] == 1
    assert sum(fits) == 3
    spans = [end - start for _, start, end, _ in source.ranges]
    assert spans[0] == 3 * DAY + 7 * HOUR - 300  # for the forecast, and to learn what is usual
    assert spans[1] == 12 * HOUR - 300  # for the level
    assert len(spans) == 6
    assert all(span <= 1200 for span in spans[2:])


def test_what_arrives_a_little_late_is_still_learnt() -> None:
    late = AT // 300 * 300
    source = querier(latency={POD: lambda at: np.where(at == late, np.nan, season(at))})
    history = History("latency", DAY, 300)
    assert np.isnan(history.until(source, late).values[0, -1])
    source.expressions["latency"] = {POD: season}
    frame = history.until(source, late + 300)
    assert len(source.ranges) == 2
    assert frame.values.shape == (1, DAY // 300)
    np.testing.assert_array_equal(frame.values[0], season(frame.timestamps))


def test_an_incident_scores_from_its_first_moment_to_its_last() -> None:
    begin, end = AT + 60, AT + 3600
    source = querier(latency={POD: lambda at: season(at) + np.where((at >= begin) & (at < end), 6.0, 0.0)})
    writer = MemoryWriter()
    cycle = Cycle(source, writer, SCHEDULE)
    for _ in range(70):
        cycle.run([QUERY])
        source.time += 60
    scores = {s.timestamp_ms // 1000: s.value for s in found(writer, "anomaly_score")}
    assert len(scores) == 70
    for at, score in scores.items():
        assert (score >= 1) == (begin <= at < end), at - begin


def test_a_failing_query_harms_no_other() -> None:
    writer = MemoryWriter()
    bad = replace(QUERY, expr="rate(", signal="bad")
    outcome = Cycle(querier(), writer, SCHEDULE).run([bad, QUERY])
    assert [(f.query.signal, f.text) for f in outcome.failures] == [("bad", "bad_data: rate(")]
    assert not outcome.complete
    assert len(writer.samples) == 11


def test_a_model_outlives_a_failure_of_its_history() -> None:
    class Flaky(MemoryQuerier):
        broken = False

        def range(self, expr: str, start: int, end: int, step: int):  # type: ignore[no-untyped-def]
            if self.broken:
                raise QueryError("timeout")
            return super().range(expr, start, end, step)

    source = Flaky({"latency": {POD: season}}, NOW)
    writer = MemoryWriter()
    cycle = Cycle(source, writer, SCHEDULE)
    cycle.run([QUERY])
    source.broken = True
    source.time += 1800
    outcome = cycle.run([QUERY])
    assert [f.text for f in outcome.failures] == ["timeout"]
    assert outcome.scored == 1
    source.time += 3 * HOUR
    assert cycle.run([QUERY]).scored == 0
    assert found(writer, "y")[-1].timestamp_ms == (AT + 1800 + 3 * HOUR) * 1000


def test_an_hour_of_history_scores_zero_and_has_no_band() -> None:
    writer = MemoryWriter()
    source = querier(latency={POD: since(AT - HOUR, lambda at: season(at) + np.where(at >= AT, 1e6, 0))})
    outcome = Cycle(source, writer, SCHEDULE).run([replace(QUERY, history=7 * DAY)])
    assert (outcome.scored, outcome.warming_up) == (0, 1)
    (score,) = found(writer, "anomaly_score")
    assert score.value == 0
    assert found(writer, "yhat_upper", horizon="0s") == []


def test_a_series_without_a_value_has_an_expectation_and_no_score() -> None:
    writer = MemoryWriter()
    source = querier(latency={POD: lambda at: np.where(at == AT, np.nan, season(at))})
    Cycle(source, writer, SCHEDULE).run([QUERY])
    assert found(writer, "y") == found(writer, "anomaly_score") == []
    assert len(found(writer, "yhat")) == 2


def test_a_new_series_warms_up() -> None:
    other: Labels = (("pod", "new"),)
    source = querier()
    writer = MemoryWriter()
    cycle = Cycle(source, writer, SCHEDULE)
    cycle.run([QUERY])
    source.expressions["latency"] = {POD: season, other: since(AT + 60, season)}
    source.time += 60
    outcome = cycle.run([QUERY])
    assert (outcome.scored, outcome.warming_up) == (1, 1)
    (score,) = found(writer, "anomaly_score", pod="new")
    assert score.value == 0


def test_a_query_that_only_forecasts_is_not_scored() -> None:
    writer = MemoryWriter()
    outcome = Cycle(querier(), writer, SCHEDULE).run([replace(QUERY, score=False)])
    assert found(writer, "anomaly_score") == []
    assert len(found(writer, "yhat_upper", horizon="1h")) == 1
    assert (outcome.scored, outcome.warming_up) == (0, 0)


def test_a_server_that_does_not_tell_its_time_fails_the_round() -> None:
    class Down(MemoryQuerier):
        def now(self) -> float:
            raise QueryError("connection refused")

    with pytest.raises(QueryError, match="refused"):
        Cycle(Down({}, NOW), MemoryWriter(), SCHEDULE).run([QUERY])


def test_a_series_that_appears_is_learnt_with_the_next_fits_and_scored_once_it_has_a_day() -> None:
    born = AT // DAY * DAY + 2 * HOUR  # two hours after a look at the whole history
    fresh: Labels = (("__name__", "latency"), ("pod", "b"))
    source = querier(latency={POD: season, fresh: since(born, season)})

    def spoken(at: int) -> dict[str, float]:
        source.time = at + 1.0
        writer = MemoryWriter()
        Cycle(source, writer, SCHEDULE).run([QUERY])
        return {
            f"{s.labels['__name__']} {s.labels.get('horizon', '')}": s.value
            for s in writer.samples
            if dict(s.labels).get("pod") == "b"
        }

    assert set(spoken(born + HOUR)) == {"y ", "anomaly_score "}
    # Two hours of it, hours before the next look at the whole history.
    expected = spoken(born + 3 * HOUR)["yhat 0s"]
    assert expected == pytest.approx(float(season(np.array(born + 3 * HOUR))), abs=2)
    assert "yhat_upper 0s" not in spoken(born + DAY - HOUR)
    assert spoken(born + DAY)["yhat_upper 0s"] > float(season(np.array(born + DAY)))
    broken = since(born, lambda at: season(at) + 90.0 * (at > born + DAY))
    source.expressions["latency"] = {POD: season, fresh: broken}
    assert spoken(born + DAY + 600)["anomaly_score "] > 1


def test_what_a_new_series_is_scored_by_is_the_same_in_a_process_that_has_just_been_started() -> None:
    born = AT // DAY * DAY - DAY + HOUR
    fresh: Labels = (("__name__", "latency"), ("pod", "b"))
    source = querier(born + DAY - 3000.0, latency={POD: season, fresh: since(born, season)})
    early, late = MemoryWriter(), MemoryWriter()
    old = Cycle(source, early, SCHEDULE)
    for _ in range(60):
        old.run([QUERY])
        source.time += 60
    source.time -= 60
    Cycle(source, late, SCHEDULE).run([QUERY])
    moment = late.samples[0].timestamp_ms
    assert [s for s in early.samples if s.timestamp_ms == moment] == late.samples
    assert found(late, "yhat_lower", pod="b", horizon="0s")


def test_a_long_past_is_learnt_from_before_it_is_needed_to_the_same_bits() -> None:
    hasty, patient = MemoryWriter(), MemoryWriter()
    query = replace(QUERY, horizons=(HOUR, 12 * HOUR))
    source = querier(NOW - NOW % (6 * HOUR) - 300)
    cycle = Cycle(source, patient, SCHEDULE)
    for minutes in (0, *range(5, 90, 5), 91):
        source.time = NOW - NOW % (6 * HOUR) + 60 * minutes
        outcome = cycle.run([query])
        if minutes == 60:
            asked = len(source.ranges)
    # The first fit that uses the new past does not ask for it.
    assert max(end - start for _, start, end, _ in source.ranges[asked:]) <= 2400
    Cycle(source, hasty, SCHEDULE).run([query])
    assert [s for s in patient.samples if s.timestamp_ms == outcome.at * 1000] == hasty.samples


def test_what_a_round_has_no_time_for_is_what_the_next_one_begins_with() -> None:
    seconds = [0.0]

    class Slow(MemoryQuerier):
        def range(self, expr: str, start: int, end: int, step: int):  # type: ignore[no-untyped-def]
            seconds[0] += 20 if expr == "huge" else 1
            if expr == "huge":
                raise QueryError("timeout")
            return super().range(expr, start, end, step)

    source = Slow({name: {POD: season} for name in ("huge", "a", "b")}, NOW)
    queries = [replace(QUERY, expr=name, signal=name) for name in ("huge", "a", "b")]
    writer = MemoryWriter()
    cycle = Cycle(
        source, writer, SCHEDULE, clock=lambda: seconds[0], patience=Patience(learning=15, judging=60)
    )
    first = cycle.run(queries)
    assert ([f.query.signal for f in first.failures], first.scored, len(first.tallies)) == (["huge"], 0, 3)
    assert first.limited == {
        "series": 0,
        "bytes": 0,
        "timeout": 0,
        "learning": 2,
        "judging": 0,
        "comparing": 0,
    }
    source.time += 60
    second = cycle.run(queries)
    assert ([f.query.signal for f in second.failures], second.scored) == (["huge"], 2)


def test_a_round_that_takes_too_long_leaves_queries_to_the_next() -> None:
    seconds = [0.0]

    class Slow(MemoryQuerier):
        def instant(self, expr: str, at: int):  # type: ignore[no-untyped-def]
            seconds[0] += 40
            return super().instant(expr, at)

    source = Slow({name: {POD: season} for name in ("a", "b", "c")}, NOW)
    queries = [replace(QUERY, expr=name, signal=name) for name in ("a", "b", "c")]
    cycle = Cycle(
        source, MemoryWriter(), SCHEDULE, clock=lambda: seconds[0], patience=Patience(learning=30, judging=60)
    )
    outcome = cycle.run(queries)
    (failure,) = outcome.failures
    assert failure.query.signal == "c"
    assert outcome.limited["judging"] == 1
    assert "not judged: 80 s are over, and the next round begins with it" in failure.text
    source.time += 60
    assert [tally.query.signal for tally in cycle.run(queries).tallies] == ["c", "a"]


def test_what_fits_to_come_need_is_prepared_a_few_queries_a_round() -> None:
    seconds = [0.0]

    class Slow(MemoryQuerier):
        def range(self, expr: str, start: int, end: int, step: int):  # type: ignore[no-untyped-def]
            seconds[0] += 4
            return super().range(expr, start, end, step)

    names = ("a", "b", "c", "d", "e")
    due = NOW - NOW % (6 * HOUR)
    source = Slow({name: {POD: season} for name in names}, due - 300)
    queries = [replace(QUERY, expr=name, signal=name, horizons=()) for name in names]
    cycle = Cycle(source, MemoryWriter(), SCHEDULE, clock=lambda: seconds[0], patience=Patience(preparing=10))
    cycle.run(queries)
    prepared = []
    for minute in (51, 52, 53, 54):
        source.time = due + minute * 60
        before = len(source.ranges)
        assert cycle.run(queries).complete
        prepared.append(sum(end - start > DAY for _, start, end, _ in source.ranges[before:]))
    # The first of these rounds fits, which takes all the time there is for what is not urgent.
    assert prepared == [0, 3, 2, 0]


def test_a_query_of_many_series_is_prepared_in_parts_to_the_same_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds, rows = [0.0], []

    def slow(values: NDArray[np.float64], settings: Settings) -> Learnt:
        seconds[0] += 4
        rows.append(len(values))
        return learn(values, settings)

    monkeypatch.setattr(learning, "learn", slow)
    pods: dict[Labels, object] = {
        (("__name__", "latency"), ("pod", f"p{number:03}")): lambda at, add=number: season(at) + add
        for number in range(150)
    }
    due = NOW - NOW % (6 * HOUR)
    source, query = querier(due - 300, latency=pods), replace(QUERY, horizons=())
    patient, hasty = MemoryWriter(), MemoryWriter()
    cycle = Cycle(source, patient, SCHEDULE, clock=lambda: seconds[0], patience=Patience(preparing=6))
    cycle.run([query])
    learnt = []
    for minute in (51, 52, 53, 61):
        source.time = due + minute * 60
        rows.clear()
        outcome = cycle.run([query])
        learnt.append(sum(rows))
    assert learnt == [128, 22, 0, 0]
    Cycle(source, hasty, SCHEDULE).run([query])
    assert [s for s in patient.samples if s.timestamp_ms == outcome.at * 1000] == hasty.samples


def test_asking_ahead_changes_nothing_that_is_written() -> None:
    one, many = MemoryWriter(), MemoryWriter()
    courses: dict[str, object] = {f"x{n}": {POD: season} for n in range(8)}
    queries = [replace(QUERY, expr=name, signal=name) for name in (*courses, "absent")]
    Cycle(querier(NOW, **courses), one, SCHEDULE).run(queries)
    outcome = Cycle(querier(NOW, **courses), many, SCHEDULE, concurrency=4).run(queries)
    assert one.samples == many.samples
    assert [failure.query.signal for failure in outcome.failures] == ["absent"]


PODS: list[Labels] = [(("__name__", "latency"), ("pod", name)) for name in "abcde"]


def replica(own: int, factor: float = 1.0) -> Course:
    """Return one replica's share of a load with bursts that all have, times a factor at the end."""

    def course(at: NDArray[np.int64]) -> NDArray[np.float64]:
        load = season(at) + 8.0 * (np.sin(at / 1000.0) > 0.97)
        noise = 0.1 * np.sin(at * (own + 2.345))
        return np.asarray((1 + own / 10) * load * np.where(at >= AT - 60, factor, 1.0) + noise)

    return course


def test_a_replica_that_leaves_its_peers_is_the_one_that_scores_and_a_series_says_why() -> None:
    courses = {labels: replica(own) for own, labels in enumerate(PODS)}
    source = querier(latency=courses)
    before, after = MemoryWriter(), MemoryWriter()
    Cycle(source, before, SCHEDULE).run([QUERY])
    assert all(s.value < 1 for s in found(before, "anomaly_score"))
    assert len(found(before, "airis_peer_score")) == 5
    source.expressions["latency"] = {**courses, PODS[2]: replica(2, 1.6)}
    Cycle(source, after, SCHEDULE).run([QUERY])
    scores, beside = (
        {s.labels["pod"]: s.value for s in found(after, name)}
        for name in ("anomaly_score", "airis_peer_score")
    )
    assert [pod for pod, score in scores.items() if score >= 1] == ["c"]
    assert scores["c"] == beside["c"]


def test_of_fewer_than_four_series_none_is_held_against_the_others() -> None:
    writer = MemoryWriter()
    Cycle(querier(latency=dict.fromkeys(PODS[:3], season)), writer, SCHEDULE).run([QUERY])
    assert len(found(writer, "anomaly_score")) == 3
    assert found(writer, "airis_peer_score") == []


def test_a_series_that_freezes_at_a_usual_value_scores_by_its_shape_and_a_series_says_so() -> None:
    def frozen(at: NDArray[np.int64]) -> NDArray[np.float64]:
        return noisy(np.minimum(at, AT - 4 * HOUR))

    def noisy(at: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(10 + np.sin(at * 12.9898) + np.sin(at * 0.78233))

    query = replace(QUERY, history=8 * DAY, by=())
    for course, wrong in ((noisy, False), (frozen, True)):
        writer = MemoryWriter()
        Cycle(querier(latency={POD: course}), writer, SCHEDULE).run([query])
        (score,), (shape,) = (found(writer, name) for name in ("anomaly_score", "airis_shape_score"))
        assert (shape.value >= 1) == wrong
        assert score.value == pytest.approx(shape.value) if wrong else score.value < 1
