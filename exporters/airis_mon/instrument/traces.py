"""The trace that is active where a call ends."""

from __future__ import annotations

import sys


def active_trace() -> str | None:
    """Return the id of OpenTelemetry's current trace as 32 hexadecimal digits, None where there is none.

    A trace that is not sampled has nothing behind its id, so it counts as none. OpenTelemetry is not imported
    for it: where nothing else has, no trace is active.
    """
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    context = trace.get_current_span().get_span_context()
    if not context.is_valid or not context.trace_flags.sampled:
        return None
    return f"{context.trace_id:032x}"
