"""The keys of a Receiver and of an EscalationPolicy."""

from __future__ import annotations

from typing import Any

from airis_mon.spec.integration_fields import INTEGRATIONS
from airis_mon.spec.reading import Reading
from airis_mon.spec.receivers import Step
from airis_mon.spec.records import Field, ListOf, Record
from airis_mon.spec.scalars import Duration
from airis_mon.spec.words import DAY, HOUR, NAME

RECEIVER = Record(
    "Receiver spec", INTEGRATIONS, at_least_one=tuple(integration.key for integration in INTEGRATIONS)
)


def _rising(steps: tuple[Step, ...], path: str, reading: Reading) -> None:
    for index in range(1, len(steps)):
        below, step = steps[index - 1], steps[index]
        # Those of the day and those of the night share a rung.
        shared = step.after == below.after and (step.timed or below.timed)
        if step.after <= below.after and not shared:
            inner = f"{path}[{index}].after"
            where = reading.places.get(inner) or reading.places.get(f"{path}[{index}]")
            reading.refuse(
                where,
                inner,
                f"step {index + 1} does not come after step {index}",
                "write `after` with a longer duration than the step before; it counts from the alert's start",
            )


def _ladders(policy: dict[str, Any], path: str, reading: Reading) -> None:
    for severity in ("page", "ticket"):
        _rising(policy.get(severity, ()), f"{path}.{severity}", reading)


_INTERVALS = ListOf(NAME, "time interval", most=5, unique=("",))

STEP = Record(
    "Step",
    (
        Field(
            "receivers",
            ListOf(NAME, "receiver", most=20, unique=("",)),
            "Names of the Receivers that are told.",
            required=True,
        ),
        Field("after", Duration(0, 7 * DAY), "How long after the alert's start.", default="0s"),
        Field(
            "active_time_intervals",
            _INTERVALS,
            "Names of TimeIntervals: told within one of them only; what stands when one begins is told then.",
        ),
        Field("mute_time_intervals", _INTERVALS, "Names of TimeIntervals: not told within any of them."),
    ),
    Step,
)

ESCALATION_POLICY = Record(
    "EscalationPolicy spec",
    (
        Field(
            "page",
            ListOf(STEP, "step", most=10),
            "Ladder of an alert that wakes somebody; a silence or a resolution ends it.",
            required=True,
        ),
        Field("ticket", ListOf(STEP, "step", most=10), "Ladder of an alert that waits for working hours."),
        Field(
            "group_wait",
            Duration(0, HOUR),
            "How long alerts that belong together are gathered before the first message.",
            default="30s",
        ),
        Field(
            "group_interval",
            Duration(1, DAY),
            "Time between messages about the same group; also how soon a resolution is told.",
            default="5m",
        ),
        Field(
            "repeat_interval",
            Duration(1, 30 * DAY),
            "Time after which a standing alert is told again.",
            default="4h",
        ),
        Field(
            "mute_time_intervals",
            _INTERVALS,
            "Names of TimeIntervals within which no step of this policy says anything.",
        ),
    ),
    check=_ladders,
)

TEAM = Record(
    "Team spec",
    (
        Field(
            "escalation",
            NAME,
            "Name of the EscalationPolicy of the team's monitors, where they name none themselves.",
            required=True,
        ),
    ),
)
