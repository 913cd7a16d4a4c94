"""Things that happen at one time: deploys, restarts, alerts of others, what somebody reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["deploy", "restart", "outage", "alert", "dependency alert", "maintenance", "event"]

PRIOR: Mapping[Kind, float] = {
    "deploy": 0.95,
    "outage": 0.9,
    "dependency alert": 0.85,
    "restart": 0.8,
    "maintenance": 0.7,
    "alert": 0.55,
    "event": 0.5,
}
"""How likely each is to have to do with an incident right after it, before anything else is known: between
0 and 1, on the scale of signals, where a score of 3 weighs 0.75. Most incidents follow a change that
somebody made."""


@dataclass(frozen=True)
class Event:
    """One thing that happened."""

    at: float
    """Seconds since the epoch."""
    kind: Kind
    what: str
    """In words: `version changed 1.2.3 -> 1.2.4`."""
    per_hour: float = 0.0
    """How often the same happens anyway; what happens all the time explains nothing."""
