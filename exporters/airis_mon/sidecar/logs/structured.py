"""JSON objects of a log into records: which key holds what, as loggers and collectors write them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from airis_mon.sidecar.items import TIMESTAMP, ItemError
from airis_mon.sidecar.logs.record import MESSAGES, LogRecord

TIMESTAMPS = ("timestamp", "time", "date", "ts", "@timestamp")
SEVERITY_KEYS = ("severity", "level", "lvl", "levelname")
TRACE_IDS = ("trace_id", "traceId", "traceid")
SOURCES = ("source", "service", "service_name")
UNKNOWN_SOURCE = "logs"

_SEVERITIES = {
    "trace": "debug", "debug": "debug", "info": "info", "information": "info", "notice": "info",
    "warn": "warning", "warning": "warning", "err": "error", "error": "error", "severe": "error",
    "crit": "critical", "critical": "critical", "fatal": "critical", "panic": "critical",
    "alert": "critical", "emerg": "critical", "emergency": "critical",
}  # fmt: skip


@dataclass(frozen=True)
class Keys:
    """Keys of a log's objects; an empty one is looked for under the usual names."""

    timestamp: str = ""
    severity: str = ""
    message: str = ""
    trace_id: str = ""

    def record(self, given: Mapping[str, object], source: str, now: float) -> LogRecord:
        """Return the record; ItemError where its time is none. Without a time it is of `now`."""
        found = _first(given, self.timestamp, TIMESTAMPS)
        moment = now if found is None else _moment(found)
        message = _first(given, self.message, MESSAGES)
        body = dict(given)
        if isinstance(message, str):
            body["message"] = message
        trace = _first(given, self.trace_id, TRACE_IDS)
        named = source or _first(given, "", SOURCES)
        return LogRecord(
            timestamp=moment,
            body=body,
            severity=severity(_first(given, self.severity, SEVERITY_KEYS)),
            source=named if isinstance(named, str) and named else UNKNOWN_SOURCE,
            trace_id=trace if isinstance(trace, str) else "",
        )


def severity(given: object) -> str:
    """Return our word for a logger's; `info` where it says none that is known."""
    if isinstance(given, str):
        return _SEVERITIES.get(given.lower(), "info")
    if isinstance(given, int | float) and not isinstance(given, bool):
        # As bunyan, pino and Python count: 10 for the least of them, 50 or 60 for the worst.
        for least, word in ((60, "critical"), (50, "error"), (40, "warning"), (30, "info")):
            if given >= least:
                return word
        return "debug"
    return "info"


def _first(given: Mapping[str, object], own: str, usual: tuple[str, ...]) -> object:
    for key in (own,) if own else usual:
        if given.get(key) is not None:
            return given[key]
    return None


def _moment(given: object) -> float:
    if isinstance(given, datetime):
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()
    if isinstance(given, int | float) and not isinstance(given, bool):
        if isinstance(given, float) and not math.isfinite(given):
            raise _no_time(given)
        # Seconds, or thousandths, millionths, billionths of one: told apart by their size.
        for largest, divisor in ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9)):
            if abs(given) < largest:
                return given / divisor
        raise _no_time(given)
    if isinstance(given, str):
        try:
            moment = datetime.fromisoformat(given[:64])
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            pass
    raise _no_time(given)


def _no_time(given: object) -> ItemError:
    shown = str(given)[:60] if isinstance(given, str | float) else type(given).__name__
    return ItemError("timestamp", f"`{shown}` is no time; write RFC 3339, or a number since 1970", TIMESTAMP)
