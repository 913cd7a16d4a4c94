"""From when to when a past is judged: --since and --until, held against each other and against the clock."""

from __future__ import annotations

from airis_mon.analyzer.schedule import evaluated_at, moment
from airis_mon.spec import format_duration

LONGEST = 366 * 86400
"""Seconds that are judged at once."""


def checked(since: int, until: int, now: float, interval: int) -> tuple[int, int]:
    """Return the first and the last time to judge, the last one not after `now`; they may be the same.

    ValueError with what to write where no time of evaluation lies between them, or too many do.
    """
    until = min(until, int(now))
    if since > until:
        raise ValueError(
            f"--since has to be before --until: they are {moment(since)} and {moment(until)}; "
            f"of how long ago, the longer one comes first: --since 2h --until 1h"
        )
    if begun(since, interval) > evaluated_at(until, interval):
        raise ValueError(
            f"the span from {moment(since)} to {moment(until)} is empty: no time of evaluation, every "
            f"{format_duration(interval)}, lies in it; write an earlier --since, such as --since 7d"
        )
    if until - since > LONGEST:
        raise ValueError(
            f"--since and --until are {(until - since) // 86400}d apart; up to {format_duration(LONGEST)} "
            "are judged at once: write a later --since, or an earlier --until"
        )
    return since, until


def begun(since: int, interval: int) -> int:
    """Return the first time of evaluation that is not before `since`."""
    return -(-since // interval) * interval
