"""What counters of one side say it did: restarts, series that come late, histograms of both kinds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from airis_mon.analyzer.comparison import SideError, Span, compare, counted
from airis_mon.analyzer.query.fake import Course, MemoryQuerier
from airis_mon.analyzer.versions import Counter, Margin, Measure, Side, UncomparableError, measures, side
from airis_mon.spec import Errors, Fresh, Latency, Model, Monitor, Objective, Quality, Source

SPAN = Span(600, 900, 60)
MINE = side('version="2"')
CHOSEN = '{job="digits",version="2"}'
NAN = float("nan")


def course(*values: float) -> Course:
    """Return values at the six times of the span, NaN where there is none."""

    def at(times: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.array([values[(int(time) - SPAN.start) // SPAN.step] for time in times])

    return at


def labels(metric: str, **more: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({"__name__": metric, "job": "digits", "version": "2", **more}.items()))


def monitor(*objectives: Objective, native: bool = False) -> Monitor:
    source = Source("airis", {"job": "digits"}, native_histograms=native)
    return Monitor("digits", Model("digits"), source, objectives)


def read(measure: Measure, server: MemoryQuerier) -> tuple[Sequence[float], Sequence[float]]:
    found = counted(server, measure, MINE, SPAN)
    return found.steps.operations.tolist(), found.steps.totals.tolist()


ERRORS = Objective("availability", 0.99, 86400.0, Errors())
FAST = Objective("fast", 0.9, 86400.0, Latency("request_duration", 1.0))


def test_a_restart_is_counted_from_nought_and_a_first_failure_is_not_lost() -> None:
    good = {labels("airis_predictions_total", outcome="ok"): course(100, 110, 120, 5, 15, 25)}
    bad = {labels("airis_predictions_total", outcome="error"): course(NAN, NAN, 3, NAN, 1, 2)}
    (measure,) = measures(monitor(ERRORS))
    server = MemoryQuerier(
        {
            f"airis_predictions_total{CHOSEN}": {**good, **bad},
            'airis_predictions_total{job="digits",outcome!="ok",version="2"}': bad,
        },
        900,
    )
    operations, failures = read(measure, server)
    assert operations == [10, 10 + 3, 5, 10 + 1, 10 + 1]
    assert failures == [0, 3, 0, 1, 1]


def test_what_was_counted_before_anybody_looked_is_not_counted() -> None:
    # A process that is found late, with all of its series at once, may have run for days.
    good = {labels("airis_predictions_total", outcome="ok"): course(NAN, NAN, 5000, 5010, 5020, 5030)}
    bad = {labels("airis_predictions_total", outcome="error"): course(NAN, NAN, 70, 71, 71, 71)}
    (measure,) = measures(monitor(ERRORS))
    server = MemoryQuerier(
        {
            f"airis_predictions_total{CHOSEN}": {**good, **bad},
            'airis_predictions_total{job="digits",outcome!="ok",version="2"}': bad,
        },
        900,
    )
    assert read(measure, server) == ([0, 0, 11, 10, 10], [0, 0, 1, 0, 0])


def test_slow_operations_are_those_that_the_bucket_does_not_hold_where_there_is_one() -> None:
    metric = "airis_prediction_duration_seconds"
    counts = {
        labels(f"{metric}_count", pod="a"): course(0, 10, 20, 30, 30, 40),
        labels(f"{metric}_count", pod="b"): course(0, 99, 99, 99, 99, 99),
    }
    buckets = {labels(f"{metric}_bucket", pod="a", le="1.0"): course(0, 9, 18, 20, 20, 30)}
    (measure,) = measures(monitor(FAST))
    server = MemoryQuerier(
        {
            f"{metric}_count{CHOSEN}": counts,
            rf'{metric}_bucket{{job="digits",le=~"1|1\\.0",version="2"}}': buckets,
        },
        900,
    )
    assert read(measure, server) == ([10, 10, 10, 0, 10], [1, 1, 8, 0, 0])


def test_means_are_sums_over_counts() -> None:
    metric = "airis_prediction_confidence"
    server = MemoryQuerier(
        {
            f"{metric}_count{CHOSEN}": {labels(f"{metric}_count"): course(0, 10, 20, 2, 2, 4)},
            f"{metric}_sum{CHOSEN}": {labels(f"{metric}_sum"): course(0, 9, 17, 1.5, 1.5, 3)},
        },
        900,
    )
    (measure,) = measures(monitor(ERRORS), ["confidence_mean"])
    assert (measure.less_is_better, measure.unit, measure.shares) == (False, "ratio", False)
    assert read(measure, server) == ([10, 10, 2, 0, 2], [9, 8, 1.5, 0, 1.5])


def test_native_histograms_are_asked_for_what_they_hold_each_step() -> None:
    metric = "airis_prediction_duration_seconds"
    increase = f"sum(increase({metric}{CHOSEN}[60s]))"
    server = MemoryQuerier(
        {
            f"histogram_count({increase})": {(): course(0, 10, 20, NAN, 0, 8)},
            f"histogram_count({increase}) * (1 - histogram_fraction(-Inf, 1.0, {increase}))": {
                (): course(NAN, 1, 10, NAN, NAN, 0)
            },
            f"{metric}{CHOSEN}": {labels(metric): course(0, 0, 0, 0, 0, 0)},
        },
        900,
    )
    (measure,) = measures(monitor(FAST, native=True))
    operations, slow = read(measure, server)
    assert operations == [10, 20, 0, 0, 8]
    assert slow == pytest.approx([1, 10, 0, 0, 0])


def test_failures_in_native_histograms_are_those_of_the_matcher() -> None:
    metric = "gen_ai_client_operation_duration_seconds"
    source = Source("otel-genai", {"job": "digits"}, native_histograms=True)
    (measure,) = measures(Monitor("digits", Model("digits"), source, (ERRORS,)))
    failed = f'{metric}{{job="digits",error_type!="",version="2"}}'
    server = MemoryQuerier(
        {
            f"histogram_count(sum(increase({metric}{CHOSEN}[60s])))": {(): course(0, 10, 20, 5, 0, 8)},
            f"histogram_count(sum(increase({failed}[60s])))": {(): course(NAN, NAN, 2, 0, NAN, 9)},
            f"{metric}{CHOSEN}": {labels(metric): course(0, 0, 0, 0, 0, 0)},
        },
        900,
    )
    assert read(measure, server) == ([10, 20, 5, 0, 8], [0, 2, 0, 0, 8])


def test_own_counters_are_added_up_and_a_first_failure_of_a_target_is_not_lost() -> None:
    def counter(metric: str, sign: int = 1, code: str = "") -> Counter:
        more = (("code", f'code="{code}"'),) if code else ()
        return Counter(metric, (("job", 'job="digits"'), *more), sign)

    measure = Measure(
        name="own",
        about="events that are not good",
        unit="ratio",
        less_is_better=True,
        margin=Margin(0.01),
        operations=(counter("all"), counter("late")),
        part="good",
        counters=(counter("all"), counter("all", -1, "500")),
    )
    failed = {labels("all", code="500"): course(NAN, NAN, 2, 3, 3, 3)}
    server = MemoryQuerier(
        {
            f"all{CHOSEN}": {labels("all", code="200"): course(0, 10, 20, 30, 40, 50), **failed},
            f"late{CHOSEN}": {labels("late"): course(0, 0, 1, 1, 1, 1)},
            'all{job="digits",code="500",version="2"}': failed,
        },
        900,
    )
    assert read(measure, server) == ([10, 13, 11, 10, 10], [0, 3, 1, 0, 0])


def test_labels_that_a_side_names_take_the_place_of_the_documents() -> None:
    chosen = Counter("all", (("job", 'job="a"'), ("version", 'version="1"'), ("pod", 'pod="x"')))
    assert chosen.chosen(side('version="2"')) == 'all{job="a",pod="x",version="2"}'
    assert chosen.chosen(side('version="2"'), {"pod"}) == 'all{job="a",version="2"}'


def test_a_side_without_series_did_nothing() -> None:
    (measure,) = measures(monitor(Objective("right", 0.9, 86400.0, Quality())))
    server = MemoryQuerier(
        {
            f"airis_labelled_predictions_total{CHOSEN}": {},
            'airis_labelled_predictions_total{job="digits",correct="false",version="2"}': {},
        },
        900,
    )
    assert read(measure, server) == ([0] * 5, [0] * 5)


def test_a_monitor_without_comparable_objectives_says_what_can_be_compared() -> None:
    fresh = Objective("fresh", 0.9, 86400.0, Fresh("updated", 600.0))
    with pytest.raises(UncomparableError, match="choose among request_duration_mean, confidence_mean"):
        measures(monitor(fresh))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('version="2"', Side('version="2"', ("version",))),
        ("version=2", Side('version="2"', ("version",))),
        (' version =~ "2|3" , pod!="a\\"b" ', Side('version=~"2|3",pod!="a\\"b"', ("version", "pod"))),
        ('a="1",a!~"2",', Side('a="1",a!~"2"', ("a",))),
    ],
)
def test_matchers_are_read_as_prometheus_reads_them(text: str, expected: Side) -> None:
    assert side(text) == expected


@pytest.mark.parametrize(
    "text", ["", "version", '="2"', 'version="2" pod="a"', 'v="\n"', "v=1,,v=2", "x" * 2000]
)
def test_what_are_no_matchers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="are no label matchers"):
        side(text)


@pytest.mark.parametrize("there", [True, False])
def test_a_side_without_series_is_named_with_the_values_there_were(there: bool) -> None:
    (measure,) = measures(monitor(ERRORS))
    sides = (side("version=1"), side("version=2"))
    selector = 'airis_predictions_total{job="digits"}'
    known: dict[str, dict[tuple[tuple[str, str], ...], Course]] = {
        one.chosen(of): {} for of in sides for one in (*measure.operations, *measure.counters)
    }
    known[f"count({selector})"] = {}
    of_each = f"count by (version) (last_over_time({selector}[300s]))"
    known[of_each] = {(("version", "7"),): lambda times: times.astype(np.float64)} if there else {}
    with pytest.raises(SideError) as raised:
        compare(MemoryQuerier(known, 900), (measure,), sides, SPAN, alpha=0.05)
    assert str(raised.value) == (
        f'the baseline: no series of {selector} has version="1", nor is any other there now; in the last 5m'
        + (
            ': `version` is "7"'
            if there
            else " there was none; `airis-mon check --live` says what is missing"
        )
    )


def test_braces_in_a_value_of_a_label_are_kept() -> None:
    everything = Side("", ())
    assert Counter("a", (("path", 'path="/{}"'),)).chosen(everything) == 'a{path="/{}"}'
    assert Counter("a", ()).chosen(everything) == "a"
