"""JSON lines on stderr, each with the id of the request that it belongs to."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

# A context variable has to be a module's own to be found again; each request sets its own value.
_REQUEST_ID: ContextVar[str] = ContextVar("airis_mon_request_id", default="")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def request_id() -> str:
    """Return the correlation id of the request in hand, empty outside of one."""
    return _REQUEST_ID.get()


def enter_request(identifier: str) -> None:
    """Make `identifier` the correlation id of everything that this task logs from here on."""
    _REQUEST_ID.set(identifier)


class JsonFormatter(logging.Formatter):
    """One JSON object per record: time, level, logger, msg, request_id, and whatever `extra` holds."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; a value that JSON cannot hold is written as its `str`."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
        }
        if identifier := request_id():
            line["request_id"] = identifier
        line.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # ASCII only: a log line with a lone surrogate in it must not break the writer.
        return json.dumps(line, default=str)


class _StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """The handler of `configure_logs`, of its own type so that a second call finds the first one's."""


def configure_logs(name: str, level: str = "INFO") -> logging.Logger:
    """Send every log line of this process to stderr as JSON, and return the logger `name`.

    For a process' `main` alone. `level` is a name such as `DEBUG`, `info`; ValueError where it is none.
    Called again, it replaces its earlier handler and leaves those of others alone.
    """
    root = logging.getLogger()
    root.setLevel(level.upper())
    for handler in [handler for handler in root.handlers if isinstance(handler, _StderrHandler)]:
        root.removeHandler(handler)
    handler = _StderrHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root.addHandler(handler)
    return logging.getLogger(name)
