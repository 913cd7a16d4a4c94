"""What keeps quiet while something weightier speaks."""

from __future__ import annotations

from typing import Any

from airis_mon.alertmanager.routes import matcher
from airis_mon.rules import series


def rules() -> list[dict[str, Any]]:
    """Return what is kept quiet: tickets only, never a page."""
    # `!=""` keeps alerts of other origin, which carry no monitor, out of both sides.
    ours = matcher(series.MONITOR, "!=", "")
    ticket = matcher(series.SEVERITY, "=", series.TICKET)
    return [
        {  # Somebody has been woken for it: the slower alert about the same promise adds nothing.
            "source_matchers": [ours, matcher(series.SEVERITY, "=", series.PAGE)],
            "target_matchers": [ours, ticket],
            "equal": ["alertname", series.MONITOR, series.OBJECTIVE_LABEL, series.FOR],
        },
        {  # What is said of a signal that has gone missing is a consequence of that.
            "source_matchers": [ours, matcher("alertname", "=", series.ABSENT_ALERT)],
            "target_matchers": [ours, matcher("alertname", "!=", series.ABSENT_ALERT), ticket],
            "equal": [series.MONITOR, series.FOR],
        },
    ]
