"""One line of a log, whatever it came by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class LogRecord:
    """What was logged."""

    timestamp: float
    """Seconds since 1970."""
    body: str | Mapping[str, object]
    """The message, or the fields of a structured one."""
    severity: str
    """One of `translation.SEVERITIES`."""
    source: str
    """Who logged it; the label `source`."""
    attributes: Mapping[str, object] = field(default_factory=lambda: NOTHING)
    trace_id: str = ""

    @property
    def message(self) -> str:
        """Return the text of the message, empty where there is none."""
        if isinstance(self.body, str):
            return self.body
        for name in MESSAGES:
            found = self.body.get(name)
            if isinstance(found, str):
                return found
        return ""

    def field(self, name: str) -> object:
        """Return a field by name, of the body before the attributes; None where there is none."""
        if name in ("source", "severity", "trace_id"):
            return getattr(self, name)
        if name == "message":
            return self.message
        if isinstance(self.body, Mapping) and name in self.body:
            return self.body[name]
        return self.attributes.get(name)


MESSAGES = ("message", "msg", "log", "body")
"""Keys under which structured logs have their text."""
