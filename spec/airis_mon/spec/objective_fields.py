"""The keys of an objective: its target, its window, and the kinds of indicator that say what is good."""

from __future__ import annotations

from dataclasses import replace

from airis_mon.spec.monitor import (
    CALENDAR_WINDOWS,
    LONGEST_WINDOW,
    SHORTEST_WINDOW,
    Calendar,
    Errors,
    Events,
    Fresh,
    Latency,
    Objective,
    Quality,
)
from airis_mon.spec.quantities import PERCENT_PATTERN, parse_percent
from airis_mon.spec.reading import Reading
from airis_mon.spec.records import Field, MapOf, Record
from airis_mon.spec.scalars import Choice, Count, Duration, Flag, Parsed
from airis_mon.spec.words import DAY, HOUR, LABEL, LABEL_VALUE, MARK, METRIC, NAME, PROMQL, REMARK, WORD

DEFAULT_WINDOW = 30 * DAY
LABELS = MapOf(MARK, LABEL_VALUE, "label")
ANNOTATIONS = MapOf(replace(LABEL, reserved=("dashboard",)), REMARK, "annotation")


def _objective(
    name: str,
    target: float,
    window: float | None = None,
    calendar: Calendar | None = None,
    errors: Errors | None = None,
    latency: Latency | None = None,
    quality: Quality | None = None,
    freshness: Fresh | None = None,
    events: Events | None = None,
    fewest_failures: int = 5,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
) -> Objective:
    indicator = latency or events or quality or freshness or errors or Errors()
    return Objective(
        name,
        target,
        window or (DEFAULT_WINDOW if calendar is None else CALENDAR_WINDOWS[calendar]),
        indicator,
        fewest_failures,
        labels or {},
        calendar=calendar,
        annotations=annotations or {},
    )


def _one_period(objective: Objective, path: str, reading: Reading) -> None:
    """Refuse a window beside a calendar period."""
    calendar = objective.calendar
    if calendar is not None and objective.window != CALENDAR_WINDOWS[calendar]:
        where = f"{path}.window"
        message = "`window` and `calendar` exclude each other: one rolls, the other begins anew"
        reading.refuse(reading.places[where], where, message, "keep one of them")


OBJECTIVE = Record(
    "Objective",
    (
        Field("name", NAME, "Names the objective; appears in alerts and file names.", required=True),
        Field(
            "target",
            Parsed("a target", PERCENT_PATTERN, parse_percent),
            "Share of operations that have to be good, in percent, such as 99.9%.",
            required=True,
        ),
        Field(
            "window",
            Duration(SHORTEST_WINDOW, LONGEST_WINDOW),
            "Rolling window over which the share is promised.",
            default="30d",
        ),
        Field(
            "calendar",
            Choice(("week", "month", "quarter")),
            "Promise it over each week (from Monday), month or quarter of the calendar instead, in UTC.",
        ),
        Field(
            "fewest_failures",
            Count(1, 1_000_000),
            "Failures in the long window of an alert below which it does not fire.",
            default=5,
        ),
        Field(
            "labels",
            LABELS,
            "Labels of all that is recorded for it and of its alerts.",
        ),
        Field(
            "annotations",
            ANNOTATIONS,
            "Annotations of its burn-rate alerts, printed as they are; a `summary` replaces ours.",
        ),
        Field(
            "errors",
            Record("Errors", (), Errors),
            "Good is an operation that did not fail; written as {}.",
        ),
        Field(
            "latency",
            Record(
                "Latency",
                (
                    Field(
                        "of",
                        WORD,
                        "Distribution of the contract, such as time_to_first_token.",
                        required=True,
                    ),
                    Field(
                        "below",
                        Duration(0.000_001, HOUR),
                        "What a good operation stays below, such as 500ms; a boundary of the histogram.",
                        required=True,
                    ),
                    Field(
                        "snap",
                        Choice(("down", "up", "nearest")),
                        "Boundary to take where `below` is none: the one under it, over it, or next to it;"
                        " which one is told. Without `snap` such a `below` is refused.",
                    ),
                    Field(
                        "native",
                        Flag(),
                        "Prometheus, 3.0 or newer, keeps it as a native histogram: any duration will do.",
                        default=False,
                    ),
                ),
                Latency,
            ),
            "Good is an operation that stayed below a duration.",
        ),
        Field(
            "quality",
            Record("Quality", (), Quality),
            "Good is a prediction that was right, of those whose true answer is known; written as {}.",
        ),
        Field(
            "freshness",
            Record(
                "Freshness",
                (
                    Field(
                        "of",
                        METRIC,
                        "Gauge that holds the time of the last update in Unix seconds;"
                        " `source.selector` chooses its series, and the newest counts.",
                        required=True,
                    ),
                    Field(
                        "within",
                        Duration(1.0, 30 * DAY),
                        "How old it may be, such as 10m; two scrape intervals or more.",
                        required=True,
                    ),
                ),
                Fresh,
            ),
            "Good is a second in which the last update was not too old; failures are seconds too.",
        ),
        Field(
            "events",
            Record(
                "Events",
                (
                    Field("total", PROMQL, "All operations: sum(rate(counter[$window])).", required=True),
                    Field("bad", PROMQL, "Those that missed the objective, in the same way."),
                    Field("good", PROMQL, "Those that met it, where these are what is counted."),
                ),
                Events,
                exactly_one=("bad", "good"),
            ),
            "Good and bad operations are counted by PromQL of your own: sums of rates of counters.",
        ),
    ),
    _objective,
    check=_one_period,
    exactly_one=("errors", "latency", "quality", "freshness", "events"),
)
