"""How soon somebody has to hear of it."""

from __future__ import annotations

from typing import Literal

Severity = Literal["page", "ticket"]
"""A page wakes somebody; a ticket waits for working hours."""
