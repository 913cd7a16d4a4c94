"""Ladders that would leave somebody untold: out of order, at times that never come, without an end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from airis_mon.alertmanager import coverage
from airis_mon.alertmanager.replay.notifications import RETENTION
from airis_mon.spec import (
    Bundle,
    EscalationPolicy,
    Maintenance,
    Problem,
    Recurrence,
    Step,
    TimeInterval,
    format_duration,
)


def problems(bundle: Bundle) -> Iterator[Problem]:
    """Yield every obstacle in the policies and their times."""
    unknown = [problem for interval in bundle.intervals for problem in _zone(interval)]
    yield from unknown
    intervals = {interval.name: interval for interval in bundle.intervals}
    if not unknown:
        for interval in bundle.intervals:
            yield from _dates(interval, "spec.intervals", interval.intervals, coverage.zone(interval))
    for maintenance in bundle.maintenance:
        yield from _maintenance(maintenance)
    for policy in bundle.policies:
        for severity, steps in (("page", policy.page), ("ticket", policy.ticket)):
            for index in range(1, len(steps)):
                yield from _order(policy, f"spec.{severity}[{index}].after", steps[: index + 1])
            if not unknown and _speaks(policy, intervals):
                for index, step in enumerate(steps):
                    yield from _times(policy, f"spec.{severity}[{index}]", step, intervals)
        if not unknown:
            if not _speaks(policy, intervals):
                yield _problem(
                    policy,
                    "spec.mute_time_intervals",
                    "this policy never tells anybody: it is mute whenever one of its steps is active",
                    "name other times, or leave them out",
                )
            yield from _end(policy, intervals)
        yield from _memory(policy)


def _problem(
    document: EscalationPolicy | TimeInterval | Maintenance, path: str, message: str, hint: str
) -> Problem:
    return Problem(message, path, document.origin.locate(path), hint)


def _zone(interval: TimeInterval) -> Iterator[Problem]:
    try:
        coverage.zone(interval)
    except (KeyError, OSError, ValueError):
        yield _problem(
            interval,
            "spec.location",
            f"`{interval.location}` is no time zone that this machine knows",
            "write a name of the time zone database, such as Europe/Berlin; its package is called tzdata",
        )


def _dates(
    document: TimeInterval | Maintenance, path: str, times: Sequence[Recurrence], where: tzinfo
) -> Iterator[Problem]:
    for index, recurrence in enumerate(times):
        if not coverage.comes(recurrence, where):
            yield _problem(
                document,
                f"{path}[{index}]",
                "this time never comes: none of these months has such a day",
                "write another day, or -1 for the last day of each month",
            )


def _maintenance(maintenance: Maintenance) -> Iterator[Problem]:
    wrong = list(_dates(maintenance, "spec.recurring", maintenance.recurring, UTC))
    yield from wrong
    if maintenance.recurring and not wrong and not coverage.ends(maintenance.recurring):
        yield _problem(
            maintenance,
            "spec.recurring",
            "this maintenance never ends: nobody would ever be told of anything",
            "write `times`, or fewer days",
        )


def _order(policy: EscalationPolicy, path: str, steps: tuple[Step, ...]) -> Iterator[Problem]:
    # A step that is told at once still gathers alerts for `group_wait`; the next must not overtake it.
    step = steps[-1]
    below = [other for other in steps if other.after < step.after]
    earliest = max((other.after or policy.group_wait for other in below), default=0.0)
    if below and step.after <= earliest:
        yield _problem(
            policy,
            path,
            f"the step before is told after {format_duration(earliest)}, so this one would not be later",
            "write `after` with a longer duration, or a shorter `group_wait`",
        )


def _memory(policy: EscalationPolicy) -> Iterator[Problem]:
    """Yield what is wrong where Alertmanager forgets what it told before that matters."""
    looks, forgets = format_duration(policy.group_interval), format_duration(RETENTION)
    if policy.repeat_interval < policy.group_interval:
        # It forgets after twice that interval. Were that before the next look, an end would be told to
        # nobody, and what stands would be told as new each time.
        yield _problem(
            policy,
            "spec.repeat_interval",
            f"Alertmanager looks at a group only every {looks}, and may have forgotten by then what it told",
            f"write {looks} or longer, or a shorter `group_interval`",
        )
    if policy.repeat_interval > RETENTION:
        yield _problem(
            policy,
            "spec.repeat_interval",
            f"Alertmanager remembers for {forgets} what it told (--data.retention), and tells it again then",
            f"write {forgets} or less",
        )


def _speaks(policy: EscalationPolicy, intervals: Mapping[str, TimeInterval]) -> bool:
    """Tell whether the times at which all of a policy is mute leave any to one of its steps."""
    steps = (*policy.page, *policy.ticket)
    return not policy.mute_time_intervals or any(
        coverage.speaks(_muted(policy, step), intervals) for step in steps
    )


def _muted(policy: EscalationPolicy, step: Step) -> Step:
    """Return a step that is mute whenever all of its policy is."""
    return replace(step, mute_time_intervals=(*step.mute_time_intervals, *policy.mute_time_intervals))


def _times(
    policy: EscalationPolicy, path: str, step: Step, intervals: Mapping[str, TimeInterval]
) -> Iterator[Problem]:
    step = _muted(policy, step)
    if step.timed and not coverage.speaks(step, intervals):
        yield _problem(
            policy,
            path,
            "this step is never told: it is mute whenever it is active",
            "name other times in `active_time_intervals` or `mute_time_intervals`",
        )


def _end(policy: EscalationPolicy, intervals: Mapping[str, TimeInterval]) -> Iterator[Problem]:
    """Yield what is wrong where a page may reach the end of its ladder and meet nobody there."""
    last = policy.page[-1].after
    rung = [step for step in policy.page if step.after == last]
    silent = coverage.silence(rung, intervals)
    if silent is None:
        return
    named = [name for step in rung for name in (*step.active_time_intervals, *step.mute_time_intervals)]
    where = intervals[named[0]]
    moment = datetime.fromtimestamp(silent, coverage.zone(where))
    yield _problem(
        policy,
        f"spec.page[{len(policy.page) - 1}]",
        f"the ladder has no end: on {moment:%A, %d %B %Y at %H:%M} ({where.location}) its last step tells "
        "nobody",
        "add a step without times, or one with the same `after` for the hours that are left",
    )
