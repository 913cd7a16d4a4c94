"""What a metric is, told with its samples by remote write 2.0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "unspecified", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"
]
KINDS: tuple[Kind, ...] = (
    "unspecified",
    "counter",
    "gauge",
    "histogram",
    "gaugehistogram",
    "summary",
    "info",
    "stateset",
)
"""In the order of their numbers on the wire."""


@dataclass(frozen=True)
class Metadata:
    """Type, help and unit of one metric."""

    kind: Kind = "unspecified"
    help: str = ""
    """One sentence, as after `# HELP`."""
    unit: str = ""
    """A base unit such as `seconds`; empty for a number without one."""


UNKNOWN = Metadata()
