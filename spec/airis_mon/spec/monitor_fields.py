"""The keys of a ModelMonitor and of a Profile."""

from __future__ import annotations

import re

from airis_mon.spec.alert_fields import ANOMALY, FORECAST, THRESHOLD
from airis_mon.spec.canary import CANARY
from airis_mon.spec.drift import DRIFT
from airis_mon.spec.money import COST
from airis_mon.spec.monitor import Model, PageBudget, Source
from airis_mon.spec.objective_fields import OBJECTIVE
from airis_mon.spec.quantities import parse_duration
from airis_mon.spec.records import Field, ListOf, MapOf, Record
from airis_mon.spec.scalars import Choice, Duration, Flag, Number, Parsed
from airis_mon.spec.words import DAY, HOUR, LABEL, LABEL_VALUE, LINE, MINUTE, NAME, URL, WORD


def _page_budget(text: str) -> PageBudget:
    hint = "write pages / duration, such as 2 / 1w"
    match = re.fullmatch(r"([0-9]{1,4}) ?/ ?(\S+)", text)
    if match is None:
        raise ValueError(f"`{text[:60]}` is no page budget", hint)
    try:
        per = parse_duration(match[2])
    except ValueError as error:
        raise ValueError(error.args[0], hint) from None
    if int(match[1]) == 0:
        raise ValueError("a budget of no pages cannot be met by any alert", hint)
    if not HOUR <= per <= 365 * DAY:
        raise ValueError(f"a page budget is given per 1h to 365d, not per {match[2]}", hint)
    return PageBudget(int(match[1]), per)


ALERTING = Record(
    "Alerting",
    (
        Field("team", LINE, "Becomes the team label of every alert.", default="unowned"),
        Field("escalation", NAME, "Name of an EscalationPolicy; without one nobody is notified."),
        Field(
            "page_budget",
            Parsed("a page budget", r"^[0-9]{1,4} ?/ ?[0-9.a-z]+$", _page_budget),
            "False pages that the team accepts, such as 2 / 1w; scores are calibrated towards it.",
            default="2 / 1w",
        ),
        Field("runbook", URL, "URL that every alert links to."),
    ),
)
"""Read as a dict: a profile's keys hold where the monitor has none."""

LATER_KEYS = {
    "quality": (
        "`quality` is promised by an objective",
        "write it there: objectives: [{name: accuracy, target: 92%, quality: {}}]",
    ),
}

_WATCHED = (
    Field(
        "objectives",
        ListOf(OBJECTIVE, "objective", fewest=0, unique=("name",)),
        "Service level objectives: a share of good operations over a window.",
    ),
    Field(
        "anomalies",
        ListOf(ANOMALY, "anomaly", fewest=0, unique=("of",)),
        "Signals that are watched for behaviour unlike their own past.",
    ),
    Field(
        "forecasts",
        ListOf(FORECAST, "forecast", fewest=0, unique=("of", "horizon")),
        "Signals whose future is drawn, and held against a capacity where one is given.",
    ),
    Field(
        "thresholds",
        ListOf(THRESHOLD, "threshold", fewest=0),
        "Signals that must stay on one side of a bound.",
    ),
    Field("alerting", ALERTING, "Who hears of it."),
)

MONITOR = Record(
    "ModelMonitor spec",
    (
        Field("profile", NAME, "Name of a Profile whose values hold where this document gives none."),
        Field(
            "model",
            Record(
                "Model",
                (
                    Field(
                        "name",
                        LINE,
                        "Name as the team says it; becomes the model label of everything derived.",
                        required=True,
                    ),
                    Field("version", LINE, "Version, shown on dashboards and in messages."),
                ),
                Model,
            ),
            "The model that is watched.",
            required=True,
        ),
        Field(
            "source",
            Record(
                "Source",
                (
                    Field(
                        "contract",
                        NAME,
                        "Kind of server whose series are read, such as vllm; promql for none of them.",
                        required=True,
                    ),
                    Field(
                        "selector",
                        MapOf(LABEL, LABEL_VALUE, "label", fewest=1),
                        "Labels that select this model's series, such as {job: vllm}; none for promql.",
                    ),
                    Field(
                        "buckets",
                        MapOf(WORD, ListOf(Number(), "boundary", most=200), "distribution"),
                        "Histogram boundaries per distribution, in base units, where they are your own.",
                    ),
                    Field(
                        "scrape_interval",
                        Duration(1, 5 * MINUTE),
                        "How often Prometheus reads this source; ranges of rates must hold four of them.",
                        default="15s",
                    ),
                    Field(
                        "native_histograms",
                        Flag(),
                        "Prometheus, 3.0 or newer, keeps all histograms of this source as native ones,"
                        " without classic buckets.",
                        default=False,
                    ),
                ),
                Source,
            ),
            "Where the model's series are, and what they are called there.",
            required=True,
        ),
        Field(
            "depends_on",
            ListOf(NAME, "monitor", most=50, unique=("",)),
            "Names of ModelMonitors without whose models this one cannot answer; while one of them pages for "
            "being down, alerts of this one are kept quiet.",
        ),
        Field(
            "engine",
            Choice(("analyzer", "rules")),
            "What finds out what is usual, for anomalies, forecasts and bands: the analyzer, or, where none "
            "runs, recording rules alone.",
            default="analyzer",
        ),
        Field("cost", COST, "What the model may cost: a budget in money, and where that is counted."),
        Field(
            "drift", DRIFT, "What the model's features should look like: a reference they are held against."
        ),
        Field(
            "canary",
            CANARY,
            "A new version beside the one that it may replace, compared by the objectives: by the "
            "analyzer, or with `engine: rules` by `airis-mon canary --write`, again and again.",
        ),
        *_WATCHED,
    ),
    at_least_one=("profile", "objectives", "anomalies", "forecasts", "thresholds", "cost", "drift"),
    hints=LATER_KEYS,
    separable=True,
)

PROFILE = Record(
    "Profile spec",
    _WATCHED,
    hints={
        **LATER_KEYS,
        "profile": ("a profile cannot build on a profile", "write its keys here"),
        **{
            key: (f"`{key}` belongs to one monitor, not to a profile", "write it in the ModelMonitor")
            for key in ("model", "source", "depends_on", "engine", "cost", "drift", "canary")
        },
    },
)
