from __future__ import annotations

import pytest

from airis_mon.rules.compile import artefacts
from airis_mon.spec import Errors, Latency, Location, Objective, Origin, SpecError
from tests.rules.monitors import DAY, small


def problem_of(objective: Objective) -> SpecError:
    with pytest.raises(SpecError) as caught:
        artefacts(small(objective))
    return caught.value


@pytest.mark.parametrize(
    ("objective", "path", "message", "hint"),
    [
        (
            Objective("o", 0.999, 3600.0, Errors()),
            "spec.objectives[0].window",
            "no burn rate can be watched over a window of 1h: its shortest range would be 0s",
            "write a window from 1d to 366d, such as 30d",
        ),
        (
            Objective("o", 0.999, 400 * DAY, Errors()),
            "spec.objectives[0].window",
            "no burn rate can be watched over a window of 400d",
            "write a window from 1d to 366d, such as 30d",
        ),
        (
            Objective("o", 0.6, 90 * DAY, Errors()),
            "spec.objectives[0].target",
            "no alert on this target could ever fire: even the slowest would need an error ratio above 1.2, "
            "and there is none above 1",
            "write a target above 66.67%, or a shorter window",
        ),
        (
            Objective("o", 1.0, 30 * DAY, Errors()),
            "spec.objectives[0].target",
            "a target of 1 is no share between 0 and 1",
            "write a target that can be held and missed, such as 99.9%",
        ),
    ],
)
def test_what_can_never_work_is_refused(objective: Objective, path: str, message: str, hint: str) -> None:
    (problem,) = problem_of(objective).problems
    assert (problem.path, problem.message, problem.hint) == (path, message, hint)


def test_the_contracts_problems_are_told_too() -> None:
    (problem,) = problem_of(Objective("o", 0.99, 30 * DAY, Latency("request_duration", 0.123))).problems
    assert problem.path == "spec.objectives[0].latency.below"


def test_a_problem_points_at_the_line() -> None:
    from dataclasses import replace

    place = Location("chat.yaml", 7, 15, "      window: 1h", 2)
    monitor = replace(
        small(Objective("o", 0.999, 3600.0, Errors())),
        origin=Origin("chat.yaml", {"spec.objectives[0].window": place}),
    )
    with pytest.raises(SpecError) as caught:
        artefacts(monitor)
    assert caught.value.problems[0].location == place
    assert "chat.yaml:7:15" in str(caught.value)


@pytest.mark.parametrize("days", [1, 366])
def test_the_shortest_and_the_longest_window_work(days: int) -> None:
    assert artefacts(small(Objective("o", 0.999, days * DAY, Errors())))
