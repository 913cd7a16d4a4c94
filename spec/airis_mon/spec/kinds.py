"""The kinds of document, field by field: the one table behind decoding, JSON Schema and CRD."""

from __future__ import annotations

import re
from typing import Any

from airis_mon.spec.monitor import (
    Anomaly,
    Errors,
    Forecast,
    Latency,
    Model,
    Objective,
    PageBudget,
    Source,
)
from airis_mon.spec.problems import Location
from airis_mon.spec.quantities import PERCENT_PATTERN, parse_duration, parse_percent
from airis_mon.spec.reading import Reading
from airis_mon.spec.receivers import Email, Step, Webhook
from airis_mon.spec.records import Field, ListOf, MapOf, Record
from airis_mon.spec.scalars import Choice, Duration, Flag, Number, Parsed, Text

API_VERSION = "airis.dev/v1alpha1"
LATER_KINDS = ("PriceTable", "Maintenance", "Settings")
"""Kinds that the design has and this version has not."""

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
DEFAULT_WINDOW = 30 * DAY
RESERVED_LABELS = ("le", "monitor", "model", "for", "horizon", "objective", "severity", "team")
"""Labels that derived series and alerts carry themselves, so that nothing can be kept apart by them."""

NAME = Text(
    wanted="a name",
    pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    hint="write lower-case letters, digits and dashes, such as support-chat; it names files and Kubernetes objects",
    longest=63,
)
WORD = Text(
    wanted="the name of a signal",
    pattern="^[a-z][a-z0-9_]*$",
    hint="write lower-case letters, digits and underscores, such as request_rate",
    longest=100,
)
LABEL = Text(
    wanted="a Prometheus label",
    pattern="^[a-zA-Z][a-zA-Z0-9_]*$|^_[a-zA-Z0-9][a-zA-Z0-9_]*$",
    hint="write letters, digits and underscores; two leading underscores are Prometheus' own",
    longest=128,
)
LINE = Text(wanted="a text on one line", longest=200)
PATH = Text(wanted="the path of a file", longest=1000)
URL = Text(
    wanted="a URL",
    pattern=r"^https?://[^\s/?#@]+([/?#][^\s]*)?$",
    hint="write https://host/path; a URL that holds a secret belongs in a file",
    longest=2000,
)
MAILBOX = Text(
    wanted="a mail address",
    pattern=r"^[^@\s,<>]+@[^@\s,<>]+$",
    hint="write it as oncall@example.com",
)
HOST_PORT = Text(
    wanted="a host and port",
    pattern=r"^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}$",
    hint="write it as smtp.example.com:587",
)


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


def _objective(
    name: str,
    target: float,
    window: float = DEFAULT_WINDOW,
    errors: Errors | None = None,
    latency: Latency | None = None,
) -> Objective:
    return Objective(name, target, window, latency or errors or Errors())


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
            Duration(HOUR, 365 * DAY),
            "Rolling window over which the share is promised.",
            default="30d",
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
                        "Duration that a good operation stays below, such as 500ms; a boundary of the histogram.",
                        required=True,
                    ),
                ),
                Latency,
            ),
            "Good is an operation that stayed below a duration.",
        ),
    ),
    _objective,
    exactly_one=("errors", "latency"),
)

_WINDOW = Field("window", Duration(1, DAY), "Range that rates and quantiles look back.", default="5m")
_HISTORY = Field(
    "history", Duration(10 * MINUTE, 365 * DAY), "Past that the expectation is learnt from.", default="7d"
)
_BY = Field(
    "by",
    ListOf(LABEL, "label", most=8, unique=("",)),
    "Labels to keep apart; left out, the whole model is one series.",
)

ANOMALY = Record(
    "Anomaly",
    (
        Field("of", WORD, "Signal of the contract, such as time_to_first_token_p95.", required=True),
        _WINDOW,
        Field(
            "direction",
            Choice(("up", "down", "both")),
            "Which departures from the expectation count.",
            default="both",
        ),
        Field(
            "severity",
            Choice(("page", "ticket")),
            "Whether a standing anomaly wakes somebody (page) or waits for working hours (ticket).",
            default="ticket",
        ),
        Field(
            "for",
            Duration(0, DAY),
            "How long the score has to stay anomalous before the alert fires.",
            default="5m",
            attribute="duration",
        ),
        _HISTORY,
        _BY,
    ),
    Anomaly,
)

FORECAST = Record(
    "Forecast",
    (
        Field("of", WORD, "Signal of the contract, such as kv_cache_usage.", required=True),
        Field("horizon", Duration(MINUTE, 90 * DAY), "How far ahead to look, such as 24h.", required=True),
        Field("capacity", Number(), "Value, in the signal's base unit, that the forecast must not reach."),
        _WINDOW,
        _HISTORY,
        _BY,
    ),
    Forecast,
)

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
    key: (
        f"`{key}` is not available in this version",
        "remove it; this version has objectives, anomalies and forecasts",
    )
    for key in ("drift", "quality", "cost")
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
                        "Kind of server whose series are read: otel-genai, airis, vllm.",
                        required=True,
                    ),
                    Field(
                        "selector",
                        MapOf(LABEL, Text(wanted="a label value", longest=1000), "label", fewest=1),
                        "Labels that select this model's series, such as {job: vllm}.",
                        required=True,
                    ),
                    Field(
                        "buckets",
                        MapOf(WORD, ListOf(Number(), "boundary", most=200), "distribution"),
                        "Histogram boundaries per distribution, in base units, where the application sets its own.",
                    ),
                ),
                Source,
            ),
            "Where the model's series are, and what they are called there.",
            required=True,
        ),
        *_WATCHED,
    ),
    hints=LATER_KEYS,
)

PROFILE = Record(
    "Profile spec",
    _WATCHED,
    hints={
        **LATER_KEYS,
        "profile": ("a profile cannot build on a profile", "write its keys here"),
        **{
            key: (f"`{key}` belongs to one monitor, not to a profile", "write it in the ModelMonitor")
            for key in ("model", "source")
        },
    },
)

_SECRET = {
    "password": (
        "secrets do not belong in a document",
        "put it in a file and write password_file: /path/of/the/file",
    )
}

RECEIVER = Record(
    "Receiver spec",
    (
        Field(
            "webhooks",
            ListOf(
                Record(
                    "Webhook",
                    (
                        Field("url", URL, "Where Alertmanager posts its webhook payload."),
                        Field("url_file", PATH, "File that holds the URL, where the URL is a secret."),
                    ),
                    Webhook,
                    exactly_one=("url", "url_file"),
                ),
                "webhook",
            ),
            "HTTP endpoints.",
        ),
        Field(
            "emails",
            ListOf(
                Record(
                    "Email",
                    (
                        Field("to", MAILBOX, "Who is written to.", required=True),
                        Field("from", MAILBOX, "Who writes.", required=True, attribute="sender"),
                        Field("smarthost", HOST_PORT, "host:port of the SMTP server.", required=True),
                        Field("username", LINE, "User of the SMTP server."),
                        Field("password_file", PATH, "File that holds the user's password."),
                        Field("require_tls", Flag(), "Refuse to send over a plain connection.", default=True),
                    ),
                    Email,
                    hints=_SECRET,
                ),
                "email",
            ),
            "Mailboxes.",
        ),
    ),
    at_least_one=("webhooks", "emails"),
)


def _rising(steps: tuple[Step, ...], path: str, reading: Reading) -> None:
    for index in range(1, len(steps)):
        if steps[index].after <= steps[index - 1].after:
            inner = f"{path}[{index}].after"
            where: Location | None = reading.places.get(inner) or reading.places.get(f"{path}[{index}]")
            reading.refuse(
                where,
                inner,
                f"step {index + 1} does not come after step {index}",
                "write `after` with a longer duration than the step before; it counts from the alert's start",
            )


def _ladders(policy: dict[str, Any], path: str, reading: Reading) -> None:
    for severity in ("page", "ticket"):
        _rising(policy.get(severity, ()), f"{path}.{severity}", reading)


STEP = Record(
    "Step",
    (
        Field(
            "receivers",
            ListOf(NAME, "receiver", most=20, unique=("",)),
            "Names of the Receivers that are told.",
            required=True,
        ),
        Field("after", Duration(0, 7 * DAY), "How long after the alert's start.", default="0s"),
    ),
    Step,
)

ESCALATION_POLICY = Record(
    "EscalationPolicy spec",
    (
        Field(
            "page",
            ListOf(STEP, "step", most=10),
            "Ladder of an alert that wakes somebody; later steps are told while it is neither silenced nor resolved.",
            required=True,
        ),
        Field("ticket", ListOf(STEP, "step", most=10), "Ladder of an alert that waits for working hours."),
        Field(
            "group_wait",
            Duration(0, HOUR),
            "How long alerts that belong together are gathered before the first message.",
            default="30s",
        ),
        Field(
            "group_interval",
            Duration(1, DAY),
            "Time between messages about the same group; also how soon a resolution is told.",
            default="5m",
        ),
        Field(
            "repeat_interval",
            Duration(1, 30 * DAY),
            "Time after which a standing alert is told again.",
            default="4h",
        ),
    ),
    check=_ladders,
)

_ANNOTATIONS = MapOf(Text(wanted="a key", longest=317), Text(pattern="^[^\\x00]*$", longest=10_000), "entry")
METADATA = Record(
    "Metadata",
    (
        Field("name", NAME, "Name of the document, unique among its kind.", required=True),
        Field("namespace", NAME, "Kubernetes namespace; not read elsewhere."),
        Field("labels", _ANNOTATIONS, "Kubernetes labels; not read elsewhere."),
        Field("annotations", _ANNOTATIONS, "Kubernetes annotations; not read elsewhere."),
    ),
)

KINDS = {
    "ModelMonitor": MONITOR,
    "Profile": PROFILE,
    "EscalationPolicy": ESCALATION_POLICY,
    "Receiver": RECEIVER,
}
"""Kind to the shape of its `spec`."""
