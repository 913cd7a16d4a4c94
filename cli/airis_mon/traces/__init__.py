"""Traces of AI traffic: when each request arrived and how many tokens it took.

Belongs here: reading recorded traces, making our own, playing either of them at any speed, and sending
what is played to a sidecar.

Must not be here: durations and errors (no trace has them, and none are invented), or the servers and services
that a trace is played against.
"""

from airis_mon.traces.formats import TraceError, read, survey
from airis_mon.traces.operations import Operation, Totals
from airis_mon.traces.playback import play
from airis_mon.traces.synthetic import Traffic, operations, write_csv

__all__ = [
    "Operation",
    "Totals",
    "TraceError",
    "Traffic",
    "operations",
    "play",
    "read",
    "survey",
    "write_csv",
]
