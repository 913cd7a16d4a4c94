"""The keys of what is watched signal by signal: thresholds, anomalies, forecasts."""

from __future__ import annotations

from airis_mon.spec.monitor import Anomaly, Forecast, Level, Severity, Side, Threshold
from airis_mon.spec.records import Field, ListOf, Record
from airis_mon.spec.scalars import Choice, Duration, Number
from airis_mon.spec.words import DAY, DIMENSION, MINUTE, WORD

_WINDOW = Field("window", Duration(1, DAY), "Range that rates and quantiles look back.", default="5m")
_HISTORY = Field(
    "history", Duration(10 * MINUTE, 365 * DAY), "Past that the expectation is learnt from.", default="7d"
)
_BY = Field(
    "by",
    ListOf(DIMENSION, "label", most=8, unique=("",)),
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


def _threshold(
    of: str,
    above: float | None = None,
    below: float | None = None,
    window: float = 300.0,
    severity: Severity = "ticket",
    duration: float = 300.0,
    by: tuple[str, ...] = (),
) -> Threshold:
    side: Side = "below" if above is None else "above"
    bound = Level((below or 0.0) if above is None else above)
    return Threshold(of, side, bound, window, severity, duration, by)


THRESHOLD = Record(
    "Threshold",
    (
        Field("of", WORD, "Signal of the contract, such as kv_cache_usage.", required=True),
        Field("above", Number(), "Alert above this value, in the signal's base unit (seconds, ratio)."),
        Field("below", Number(), "Alert below this value."),
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
    exactly_one=("above", "below"),
)
