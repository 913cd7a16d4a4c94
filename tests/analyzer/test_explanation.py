"""What is explained: the service's own judgements, and words that follow from their numbers."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from airis_mon.analyzer import series
from airis_mon.analyzer.config import Query
from airis_mon.analyzer.explanation import listing, table
from airis_mon.analyzer.explanation.account import account, reasoned
from airis_mon.analyzer.explanation.course import Course, course
from airis_mon.analyzer.explanation.episodes import episodes, per_week
from airis_mon.analyzer.explanation.frame import drawn, time_ticks, value_range, value_ticks
from airis_mon.analyzer.explanation.grounds import Shape, grounds
from airis_mon.analyzer.explanation.page import page
from airis_mon.analyzer.explanation.reasons import headline, reasons
from airis_mon.analyzer.explanation.sources import SERIES_MAX, SourceError, candidates, recordings, samples
from airis_mon.analyzer.explanation.wording import clock, difference, moment, number, scored, span
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.methods.seasonal import Direction
from airis_mon.analyzer.query import Labels
from airis_mon.analyzer.query.fake import MemoryQuerier
from airis_mon.analyzer.recording import of_samples
from airis_mon.analyzer.replay import anomaly_scores
from airis_mon.analyzer.schedule import Schedule, fitted_at
from airis_mon.analyzer.watch import Watch
from airis_mon.spec import Severity, Window

STEP = 300
BEGIN = 1_700_006_400
QUERY = Query("chat", "llama", "ttft", "latency", unit="seconds")
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


def season(at: Integers) -> Floats:
    """A day's course with noise that is a function of time."""
    return np.asarray(10 + 5 * np.sin(2 * np.pi * at / DAY) + 0.3 * np.sin(at * 12.9898))


def past(days: float) -> tuple[Integers, Floats]:
    at = BEGIN + np.arange(round(days * DAY / STEP), dtype=np.int64) * STEP
    return at, season(at)


def why(at: Integers, values: Floats, sample: int, query: Query = QUERY) -> tuple[str, dict[str, str]]:
    recording = of_samples(at, values)
    assert recording is not None
    found = grounds(recording, query, sample)
    return headline(found), {one.title: one.text for one in reasons(found)}


def test_the_scores_are_those_of_the_replay_to_the_bit() -> None:
    at, values = past(9)
    values[2000:2040] += 7
    values[300:330] = np.nan
    keep = np.random.default_rng(1).random(len(at)) > 0.05
    recording = of_samples(at[keep], values[keep])
    assert recording is not None
    found = course(recording, QUERY)
    np.testing.assert_array_equal(found.score, anomaly_scores(at[keep], values[keep]))
    assert found.firing.any()


@pytest.mark.parametrize(
    "query",
    [
        replace(QUERY, history=3 * DAY, direction="up", false_pages_per_week=0.5),
        replace(
            QUERY, history=2 * DAY, maintenance=(Window(BEGIN + 3 * DAY, BEGIN + 3.2 * DAY),), window=600
        ),
    ],
)
def test_what_is_drawn_is_what_the_service_writes_to_the_bit(query: Query) -> None:
    labels: Labels = (("pod", "a"),)

    def values(at: Integers) -> Floats:
        incident = (at >= BEGIN + 4.4 * DAY) & (at < BEGIN + 4.42 * DAY)
        return season(at) + np.where(incident, 30.0, 0.0)

    since, until = round(BEGIN + 4.25 * DAY), round(BEGIN + 4.6 * DAY)
    schedule = Schedule(interval=60, step=60, fit_interval=600)
    querier = MemoryQuerier({query.expr: {labels: values}}, until)
    ((_, recording),) = recordings(querier, query, since, until, schedule)
    found = course(recording, query)
    watch = Watch(query, schedule.step)
    judged = 0
    for index, at in enumerate(found.timestamps.tolist()):
        if index % 3 and not found.firing[index]:
            continue
        watch.fit(querier, fitted_at(at, schedule.fit_interval))
        written = {one.labels["__name__"]: one.value for one in watch.evaluate(querier, at).samples}
        said = {
            series.ACTUAL: found.values[index],
            series.EXPECTED: found.expected[index],
            series.LOWER: found.lower[index],
            series.UPPER: found.upper[index],
            series.SCORE: found.score[index],
        }
        assert said == written
        judged += 1
    assert judged > 150
    assert 10 < found.firing.sum() < 60


def test_a_replica_that_is_unlike_its_peers_is_told_of_by_the_service_s_bits() -> None:
    begin, until = round(BEGIN + 3.05 * DAY), round(BEGIN + 3.1 * DAY)

    def replica(number: int) -> Callable[[Integers], Floats]:
        def values(at: Integers) -> Floats:
            own = season(at) + 0.2 * np.sin(at * (7.7 + number))
            return np.asarray(own + np.where((number == 0) & (at >= begin + 1800), 2.5, 0.0))

        return values

    pods: list[Labels] = [(("pod", name),) for name in "abcde"]
    # Of the fifth nothing is known before: it joins the others with the next fit.
    late: Callable[[Integers], Floats] = lambda at: np.where(at > begin - 7200, replica(4)(at), np.nan)  # noqa: E731
    courses = {pods[number]: replica(number) for number in range(4)} | {pods[4]: late}
    query = replace(QUERY, history=3 * DAY, false_pages_per_week=6.0)
    querier = MemoryQuerier({query.expr: courses}, until)
    schedule = Schedule(interval=60, step=300, fit_interval=600)
    found = dict(recordings(querier, query, begin, until, schedule))
    assert list(found) == pods
    said = {labels: course(one, query) for labels, one in found.items()}
    watch = Watch(query, schedule.step)
    for index, at in enumerate(said[pods[0]].timestamps.tolist()):
        watch.fit(querier, fitted_at(at, schedule.fit_interval))
        written: dict[str, dict[str, float]] = {}
        for one in watch.evaluate(querier, at).samples:
            written.setdefault(one.labels["pod"], {})[one.labels["__name__"]] = one.value
        for labels, told in said.items():
            numbers = written[dict(labels)["pod"]]
            assert told.score[index] == numbers[series.SCORE]
            edges = (told.expected[index], told.lower[index], told.upper[index])
            names = (series.EXPECTED, series.LOWER, series.UPPER)
            np.testing.assert_array_equal(edges, [numbers.get(name, np.nan) for name in names])
    assert said[pods[0]].firing.any()
    assert not said[pods[1]].firing.any()
    sample = int(np.argmax(said[pods[0]].score))
    why = grounds(found[pods[0]], query, sample)
    assert why.score == said[pods[0]].score[sample]
    assert "is unlike its 4 peers, which scores" in headline(why)
    told_why = {one.title: one.text for one in reasons(why)}
    assert "from the middle of all, usually" in told_why["Peers"]
    assert "The budget is 6 false pages a week, half of it for this." in told_why["Threshold"]


def test_a_change_of_shape_is_told_by_its_words() -> None:
    at = BEGIN + STEP * np.arange(9 * DAY // STEP, dtype=np.int64)
    values = 10 + np.random.default_rng(1).normal(0, 1, len(at))
    said, told = why(at, values, len(at) - 1)
    assert said.startswith("As usual: ")
    assert "times as far from one 5m to the next as is usual then; " in told["Shape"]
    frozen, rough = values.copy(), values.copy()
    frozen[-90:] = 10
    said, told = why(at, frozen, len(at) - 1)
    assert said.startswith(
        "Anomalous: its shape, not its level: it has hardly moved from one 5m to the next over 6h"
    )
    assert "The larger score counts." in told["Shape"]
    rough[-90:-1] += np.random.default_rng(2).normal(0, 3, 89)
    said, _ = why(at, rough, len(at) - 1)
    assert said.startswith("Anomalous: its shape, not its level: over 6h it moved 2")


@pytest.mark.parametrize("direction", ["both", "up"])
def test_a_score_below_one_is_said_to_be_the_shape_s_where_it_is(direction: Direction) -> None:
    at = BEGIN + STEP * np.arange(9 * DAY // STEP, dtype=np.int64)
    values = 10 + np.random.default_rng(1).normal(0, 1, len(at))
    values[-1] = 9
    values[-60:-1] += np.random.default_rng(2).normal(0, 1, 59)
    recording = of_samples(at, values)
    assert recording is not None
    found = grounds(recording, replace(QUERY, direction=direction), len(at) - 1)
    assert found.own < found.score < 1
    said = headline(found)
    if direction == "both":
        assert (
            f"so its level scores {found.own:.2f}; the larger score, {found.score:.2f}, is that of its shape"
            in said
        )
    else:
        assert said.endswith(f" Its score is that of its shape: {found.score:.2f}.")


def test_level_and_shape_are_both_told_where_both_are_anomalous() -> None:
    at, values = past(9)
    recording = of_samples(at, values)
    assert recording is not None
    found = grounds(recording, QUERY, len(at) - 1)
    assert found.threshold is not None
    above = found.expected + 2 * found.threshold.distance
    both = replace(found, value=above, score=3e9, shape=Shape(9.0, 2.0, 3e9, 6 * HOUR, STEP))
    assert "its shape, even more than its level, which scores 2.00: " in headline(both)
    assert "which scores more than 1,000; " in headline(both)


def test_growth_is_told_of_as_growth() -> None:
    at = BEGIN + STEP * np.arange(12 * DAY // STEP, dtype=np.int64)
    values = 20 + 2 * (at - BEGIN) / DAY + np.random.default_rng(1).normal(0, 0.05, len(at))
    values[-1] += 2
    said, told = why(at, values, len(at) - 1, replace(QUERY, unit=""))
    assert said.startswith("Anomalous: ")
    assert "of growth. Believed is the level and how it grew over a day, which was" in told["Expectation"]


def test_what_is_usual_within_five_minutes_is_told_where_it_decides() -> None:
    at = BEGIN + 60 * np.arange(5 * 1440, dtype=np.int64)
    values = season(at)
    values[np.arange(len(at)) % 5 == 2] += 20
    _, told = why(at, values, len(at) - 3)
    assert "within five minutes values lie up to" in told["Threshold"]
    _, told = why(at, season(at), len(at) - 3)
    assert "the larger of two" in told["Threshold"]


def test_a_reason_depends_on_nothing_that_comes_later() -> None:
    at, values = past(8)
    values[2000:2010] += 6
    for sample in (20, 400, 2005, 2100):
        whole, cut = (
            of_samples(at, values),
            of_samples(at[: max(40, sample + 1)], values[: max(40, sample + 1)]),
        )
        assert whole is not None
        assert cut is not None
        # The repr holds every number, NaN included, which is not equal to itself.
        assert repr(grounds(whole, QUERY, sample)) == repr(grounds(cut, QUERY, sample))


def test_the_reason_names_what_is_expected_and_what_was_tried() -> None:
    at, values = past(9)
    values[2500] += 20
    said, told = why(at, values, 2500)
    assert said.startswith("Anomalous: ")
    assert "above the expected" in said
    assert "for this time of day. Believed is the same time of the last seven days" in told["Expectation"]
    assert "the level alone by " in told["Expectation"]
    assert "standard deviations of " in told["Threshold"]
    assert "The budget is 2 false pages a week." in told["Threshold"]
    assert "was as far off; the furthest was" in told["Memory"]


def test_shares_are_percent_and_their_differences_percentage_points() -> None:
    at, values = past(9)
    values /= 100
    values[2500] += 0.2
    said, told = why(at, values, 2500, replace(QUERY, unit="ratio"))
    assert re.match(r"Anomalous: [\d.]+% is [\d.]+ percentage points above the expected [\d.]+%;", said)
    assert re.search(r"; [\d.]+ percentage points off scores 1, so this scores", said)
    assert re.search(r"a level of [\d.]+% [+-] [\d.]+ percentage points for this time", told["Expectation"])
    assert re.search(r"standard deviations of [\d.]+ percentage points ask for", told["Threshold"])
    assert re.search(r"the furthest was [\d.]+ percentage points, in", told["Memory"])
    assert [difference(one, "ratio") for one in (0.01, 0.05346)] == [
        "1 percentage point",
        "5.346 percentage points",
    ]


def test_what_came_before_is_remembered_by_its_days() -> None:
    at, values = past(14)
    for day in (9, 11, 13):
        values[day * 288 + 100 : day * 288 + 104] += 7
    said, told = why(at, values, 13 * 288 + 101)
    # The first day had no past: it is looked at in hindsight, and was like all others.
    assert "on 2 of the 14 days before" in told["Memory"]
    assert "from 06:00 on Fri 2023-11-24, Sun 2023-11-26" in told["Memory"]
    assert said.startswith("As usual")


def test_a_shift_is_said_to_be_held_and_then_taken_for_the_level() -> None:
    at, values = past(9)
    begin = 7 * 288
    values[begin:] += 6
    _, soon = why(at, values, begin + 24)
    assert "so that an incident is not learnt away" in soon["Level"]
    _, late = why(at, values, begin + 288)
    assert "the median of the last two hours" in late["Level"]


def test_a_side_that_does_not_count_is_said_not_to() -> None:
    at, values = past(5)
    values[1300] -= 9
    said, _ = why(at, values, 1300, replace(QUERY, direction="up"))
    assert said.startswith("As usual")
    assert "only what is above counts here (direction: up)" in said


def test_too_little_past_and_no_value_are_said_so() -> None:
    at, values = past(3)
    said, told = why(at, values, 100)
    assert said.startswith("Warming up")
    assert "A day with values enough is needed" in told["Past"]
    values[700] = np.nan
    assert why(at, values, 700)[0] == "No value: nothing is scored."
    assert list(why(at, values, 3)[1]) == ["Past"]


def test_maintenance_is_said_to_be_left_out() -> None:
    at, values = past(5)
    values[600:636] += 50
    planned = (Window(float(at[600]), float(at[635])),)
    _, told = why(at, values, 1300, replace(QUERY, maintenance=planned))
    assert told["Maintenance"] == "3h of that past are left out: models were worked on."
    recording = of_samples(at, values)
    assert recording is not None
    found = course(recording, replace(QUERY, maintenance=planned))
    assert at[found.left_out].min() == at[600]
    assert at[found.left_out].max() == at[635]


courses = st.sampled_from(["season", "zero", "constant", "steps", "spikes", "tiny", "huge", "negative"])


@settings(max_examples=12, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(courses, st.floats(0, 0.9), st.integers(0, 2**32 - 1), st.sampled_from(["", "seconds", "ratio"]))
def test_every_series_can_be_told_of(kind: str, gaps: float, seed: int, unit: str) -> None:
    at, values = past(2.5)
    random = np.random.default_rng(seed)
    values = {
        "season": values,
        "zero": np.zeros(len(at)),
        "constant": np.full(len(at), 7.0),
        "steps": np.repeat(random.normal(size=len(at) // 90 + 1), 90)[: len(at)],
        "spikes": np.where(random.random(len(at)) < 0.01, 1e9, 0.0),
        "tiny": values * 1e-12,
        "huge": values * 1e18,
        "negative": -values,
    }[kind]
    values[random.random(len(at)) < gaps] = np.nan
    recording = of_samples(at, values)
    assert recording is not None
    query = replace(QUERY, unit=unit)
    found = reasoned(account("one", recording, query), recording)
    assert found.why is not None
    assert headline(found.why).startswith("Anomalous") == bool(found.course.score[found.marked] >= 1)
    json.dumps(listing.values(found, 0.1), allow_nan=False)
    assert "<svg" in page(found)
    for text in (*listing.lines(found, 0.1), *(one.text for one in reasons(found.why))):
        assert not re.search(r"\b(nan|inf)\b", text)


def fired(*groups: tuple[int, int], count: int = 600, step: int = 60) -> Course:
    """A course that is anomalous from the first to the last sample of each group."""
    at = BEGIN + np.arange(count, dtype=np.int64) * step
    score, line = np.zeros(count), np.ones(count)
    for first, last in groups:
        score[first : last + 1] = 1.5
    flags = np.ones(count, dtype=bool)
    return Course(at, line, line, line - 1, line + 1, score, flags, ~flags)


WAITS: dict[Severity, int] = {"ticket": 900, "page": 3600}


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ([(10, 24)], []),
        ([(10, 25)], [("ticket", 25)]),
        ([(10, 80)], [("ticket", 25), ("page", 70)]),
        ([(10, 26), (28, 50)], [("ticket", 25), ("ticket", 43)]),
    ],
)
def test_a_severity_is_told_once_the_score_has_stood_for_as_long_as_it_waits(
    groups: list[tuple[int, int]], told: list[tuple[str, int]]
) -> None:
    (one,) = episodes(fired(*groups), WAITS)
    assert [(each.severity, (each.at - BEGIN) // 60) for each in one.told] == told
    assert one.begin == BEGIN + 600


def test_what_is_anomalous_again_within_half_an_hour_is_one_episode() -> None:
    assert len(episodes(fired((10, 12), (42, 43)), WAITS)) == 1
    assert len(episodes(fired((10, 12), (43, 44)), WAITS)) == 2
    assert episodes(fired(), WAITS) == ()


def test_an_hour_of_an_hourly_series_is_an_hour() -> None:
    (one,) = episodes(fired((10, 10), step=HOUR), WAITS)
    assert one.end - one.begin == HOUR
    assert [each.severity for each in one.told] == ["ticket"]
    assert per_week(fired((1, 1), count=168, step=HOUR), 3) == 3


@settings(max_examples=30)
@given(st.integers(1, 6000), st.integers(0, 2**32 - 1))
def test_whatever_is_drawn_was_measured_and_what_stands_out_is_drawn(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    one = fired(count=count)
    one = replace(one, values=random.normal(size=count), score=random.random(count))
    at = drawn(one)
    assert (np.diff(at) > 0).all()
    assert {int(np.argmax(one.score)), int(np.argmin(one.values)), int(np.argmax(one.values))} <= set(
        at.tolist()
    )
    assert len(at) <= 1802
    shown = value_range(one, at)
    ticks = value_ticks(shown)
    assert 2 <= len(ticks) <= 8
    assert all(shown.low <= tick <= shown.high + 1e-9 for tick in ticks)


@given(st.integers(0, 2_000_000_000), st.integers(1, 400 * DAY))
def test_times_on_the_axis_are_few_and_inside(begin: int, length: int) -> None:
    ticks = time_ticks(begin, begin + length)
    assert len(ticks) <= 16
    assert all(begin <= at <= begin + length for at, _ in ticks)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.4123456, "seconds", "412.3 ms"),
        (0.0471, "ratio", "4.71%"),
        (1234567.0, "", "1,234,567"),
        (float("nan"), "seconds", "nothing"),
        (0.0, "seconds", "0 s"),
        (-3.0, "tokens", "-3 tokens"),
        (2.5e-7, "", "2.500e-07"),
    ],
)
def test_numbers_are_read_without_counting_digits(value: float, unit: str, text: str) -> None:
    assert number(value, unit) == text


@pytest.mark.parametrize(
    ("score", "text"),
    [(0.0, "0.00"), (1.234, "1.23"), (1000.0, "1000.00"), (2022725838.0, "more than 1,000")],
)
def test_scores_are_told_up_to_a_thousand(score: float, text: str) -> None:
    assert scored(score) == text


def test_times_of_day_are_hours_and_minutes_to_the_second_or_not() -> None:
    assert [clock(BEGIN + HOUR + 59), moment(BEGIN + HOUR + 59), moment(BEGIN)] == [
        "01:00",
        "Wed 2023-11-15 01:00:59",
        "Wed 2023-11-15 00:00",
    ]


def test_spans_have_two_units() -> None:
    assert [span(each) for each in (0, 59, 3599, 5400, 90_061)] == ["0s", "59s", "59m59s", "1h30m", "1d1h"]


def test_the_table_holds_every_number_to_the_bit() -> None:
    at, values = past(2)
    recording = of_samples(at, values)
    assert recording is not None
    found = account("one", recording, QUERY).course
    out = io.StringIO()
    table.write(out, found)
    lines = out.getvalue().splitlines()
    assert lines[0].split(",") == list(table.HEADINGS)
    rows = [line.split(",") for line in lines[1:]]
    assert [float(row[1]) for row in rows] == found.values.tolist()
    assert [float(row[5]) for row in rows] == found.score.tolist()
    assert rows[0][:3] == ["2023-11-15T00:00:00Z", repr(float(values[0])), ""]


def test_a_file_of_ones_own_is_read_in_any_order_and_any_spelling_of_time(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text(
        "timestamp,value\n2023-11-15 00:10,3\n2023-11-15T01:00:00+01:00,1\n1700006700000,2\n\n1700007300,\n"
    )
    at, values = samples(file)
    assert at.tolist() == [BEGIN, BEGIN + 300, BEGIN + 600, BEGIN + 900]
    assert values[:3].tolist() == [1, 2, 3]
    assert np.isnan(values[3])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no line is `timestamp,value`"),
        ("timestamp,value\n", "no line is `timestamp,value`"),
        ("5\n", "own.csv:1: `timestamp,value` is needed"),
        ("t,v\n5,x\n", "own.csv:2: `x` is no number"),
        ("t,v\n5,-1e308\n", "own.csv:2: `-1e308` is too large to be judged, beyond 1e+300; leave it empty"),
        ("t,v\nyesterday,5\n", "own.csv:2: `yesterday` is no time"),
        ("t,v\n-5,5\n", "own.csv:2: `-5` is no time from 1970 on"),
        ("t,v\nnan,5\n", "own.csv:2: `nan` is no time"),
    ],
)
def test_a_line_that_is_no_value_is_named(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "own.csv"
    file.write_text(text)
    with pytest.raises(SourceError) as refused:
        samples(file)
    assert told in str(refused.value)


def test_the_largest_values_that_are_read_are_judged_without_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    at = BEGIN + np.arange(3 * DAY // STEP) * STEP
    signs = np.random.default_rng(1).choice(["", "-"], len(at))
    file.write_text("".join(f"{one},{sign}1e300\n" for one, sign in zip(at, signs, strict=True)))
    recording = of_samples(*samples(file))
    assert recording is not None
    found = reasoned(account("one", recording, QUERY), recording)
    assert found.course.ready.any()
    assert "<svg" in page(found)


def test_candidates_are_every_series_that_was_there_in_that_time() -> None:
    gone: Callable[[Integers], Floats] = lambda at: np.where(at < BEGIN + HOUR, 1.0, np.nan)  # noqa: E731
    querier = MemoryQuerier({"latency": {(("pod", "a"),): season, (("pod", "b"),): gone}}, BEGIN + DAY)
    found = list(candidates(querier, [QUERY], BEGIN, BEGIN + DAY))
    assert [labels for _, labels in found] == [(("pod", "a"),), (("pod", "b"),)]


def test_more_series_than_are_held_are_refused_before_they_are_read() -> None:
    courses: dict[Labels, Callable[[Integers], Floats]] = {
        (("pod", f"{number}"),): np.ones_like for number in range(SERIES_MAX + 1)
    }
    querier = MemoryQuerier({"latency": courses}, BEGIN)
    with pytest.raises(SourceError, match="chat/ttft: 2001 series, at most 2000 are judged again at once"):
        next(iter(recordings(querier, QUERY, BEGIN - HOUR, BEGIN, Schedule())))
    assert len(querier.ranges) == 1
