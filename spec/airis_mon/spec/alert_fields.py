"""The keys of what is watched signal by signal: thresholds, anomalies, forecasts."""

from __future__ import annotations

from typing import Any

from airis_mon.spec.monitor import (
    CANDIDATES,
    LONGEST_TIME,
    SHORTEST_TIME,
    USUAL_TIME,
    Anomaly,
    Band,
    Forecast,
    Level,
    Past,
    Side,
    Threshold,
)
from airis_mon.spec.quantities import PERCENT_PATTERN, format_duration, parse_percent
from airis_mon.spec.reading import Reading
from airis_mon.spec.records import Field, ListOf, Record
from airis_mon.spec.scalars import Choice, Duration, Number, Parsed
from airis_mon.spec.words import DAY, DIMENSION, HOUR, MINUTE, WORD

PAGE_FOR, TICKET_FOR = 5 * MINUTE, 15 * MINUTE
"""How long an anomaly stands before it is told: a page must be soon, a ticket must be sure."""

_WINDOW = Field("window", Duration(1, DAY), "Range that rates and quantiles look back.", default="5m")
_HISTORY = Field(
    "history",
    Duration(10 * MINUTE, 365 * DAY),
    "Past that the expectation is learnt from, as far as there is any; left out, 28d with `engine: analyzer` "
    "and 7d with `engine: rules`.",
)
_BY = Field(
    "by",
    ListOf(DIMENSION, "label", most=8, unique=("",)),
    "Labels to keep apart; left out, the whole model is one series.",
)


def _anomaly(**values: Any) -> Anomaly:
    usual = PAGE_FOR if values.get("severity") == "page" else TICKET_FOR
    return Anomaly(**{"duration": usual, **values})


def _pages_later(anomaly: Anomaly, path: str, reading: Reading) -> None:
    where = reading.places.get(f"{path}.page_after")
    if anomaly.page_after is None or where is None:
        return
    if anomaly.severity == "page":
        message = "an anomaly that pages at once cannot page later as well"
        reading.refuse(where, f"{path}.page_after", message, "leave out `severity: page`, or this")
    elif anomaly.page_after <= anomaly.duration:
        wait = format_duration(anomaly.duration)
        message = f"this pages no later than the ticket, which waits for {wait}: nobody would read the ticket"
        reading.refuse(
            where, f"{path}.page_after", message, f"write more than {wait}, or `severity: page` without it"
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
            "How long the score has to stay anomalous before the alert fires; left out, 5m for a page and "
            "15m for a ticket.",
            attribute="duration",
        ),
        Field(
            "page_after",
            Duration(0, 7 * DAY),
            "How long it has to stay anomalous before a ticket becomes a page as well.",
        ),
        _HISTORY,
        _BY,
    ),
    _anomaly,
    check=_pages_later,
)


def _time_for_some(forecast: Forecast, path: str, reading: Reading) -> None:
    where = reading.places.get(f"{path}.time_budget")
    # What is the default may have been filled in, as an API server does it.
    if where is not None and not forecast.candidates and forecast.time_budget != USUAL_TIME:
        message = "no candidates are there to take this time: the analyzer's own forecasters need none"
        hint = "write `candidates: [arima, ets_damped, theta]` beside it, or leave it out"
        reading.refuse(where, f"{path}.time_budget", message, hint)


FORECAST = Record(
    "Forecast",
    (
        Field("of", WORD, "Signal of the contract, such as kv_cache_usage.", required=True),
        Field("horizon", Duration(MINUTE, 90 * DAY), "How far ahead to look, such as 24h.", required=True),
        Field("capacity", Number(), "Value, in the signal's base unit, that the forecast must not reach."),
        _WINDOW,
        _HISTORY,
        _BY,
        Field(
            "candidates",
            ListOf(Choice(CANDIDATES), "candidate", most=len(CANDIDATES), unique=("",)),
            "Forecasters of statsmodels that are tried beside the analyzer's own, the most wanted first; "
            'needs `pip install "airis-mon[statsmodels]"` where the analyzer runs.',
        ),
        Field(
            "time_budget",
            Duration(SHORTEST_TIME, LONGEST_TIME),
            "CPU time that candidates may take, for all series together, each time the forecast is made: it "
            "is counted from the length of the past, and those named last are left out where it is short.",
            default=format_duration(USUAL_TIME),
        ),
    ),
    Forecast,
    check=_time_for_some,
)


def _threshold(
    of: str,
    above: float | None = None,
    below: float | None = None,
    above_past: Past | None = None,
    below_past: Past | None = None,
    above_band: Band | None = None,
    below_band: Band | None = None,
    **others: Any,
) -> Threshold:
    upper = above_past or above_band or (None if above is None else Level(above))
    lower = below_past or below_band or (None if below is None else Level(below))
    side: Side = "below" if upper is None else "above"
    return Threshold(of, side, upper or lower or Level(0.0), **others)


PAST = Record(
    "Past",
    (
        Field(
            "quantile",
            Parsed("a quantile", PERCENT_PATTERN, parse_percent),
            "Share of the past's values that lie below, in percent, such as 99%.",
            required=True,
        ),
        Field(
            "over",
            Duration(HOUR, 30 * DAY),
            "How much past; nothing fires before half of it is there.",
            default="7d",
        ),
        Field("times", Number(), "What the quantile is multiplied by; 1 where it is left out."),
    ),
    Past,
)

BAND = Record("Band", (_HISTORY,), Band)

THRESHOLD = Record(
    "Threshold",
    (
        Field("of", WORD, "Signal of the contract, such as kv_cache_usage.", required=True),
        Field("above", Number(), "Alert above this value, in the signal's base unit (seconds, ratio)."),
        Field("below", Number(), "Alert below this value."),
        Field("above_past", PAST, "Alert above a multiple of a quantile of the signal's own past."),
        Field("below_past", PAST, "Alert below a multiple of a quantile of the signal's own past."),
        Field("above_band", BAND, "Alert above what the analyzer finds usual now; written as {}."),
        Field("below_band", BAND, "Alert below what the analyzer finds usual now; written as {}."),
        _WINDOW,
        Field(
            "for",
            Duration(0, DAY),
            "How long the signal has to be beyond the bound before the alert fires.",
            default="5m",
            attribute="duration",
        ),
        Field(
            "severity",
            Choice(("page", "ticket")),
            "Whether it wakes somebody (page) or waits for working hours (ticket).",
            default="ticket",
        ),
        _BY,
    ),
    _threshold,
    exactly_one=("above", "below", "above_past", "below_past", "above_band", "below_band"),
)
