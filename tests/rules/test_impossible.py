from __future__ import annotations

import re
from dataclasses import replace

import pytest

from airis_mon.rules import impossible
from airis_mon.rules.compile import artefacts
from airis_mon.rules.windows import tiers
from airis_mon.spec import (
    Errors,
    Latency,
    Location,
    Objective,
    Origin,
    SpecError,
    decode,
    parse_duration,
    parse_percent,
)
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
            Objective("o", 0.5, 30 * DAY, Errors()),
            "spec.objectives[0].target",
            "no page on this target could ever fire: even the slower one would need an error ratio above 3, "
            "and there is none above 1",
            "write 83.34% or more, the lowest target that can page over 30d",
        ),
        (
            Objective("o", 0.9444, 90 * DAY, Errors()),
            "spec.objectives[0].target",
            "no page on this target could ever fire: even the slower one would need an error ratio above "
            "1.001, and there is none above 1",
            "write 94.45% or more, the lowest target that can page over 90d",
        ),
        (
            Objective("o", 0.99, 3 * DAY, Errors()),
            "spec.objectives[0].window",
            "no rate could be taken over 30s, the shortest range of a window of 3d: it has to hold 4 readings"
            ", and Prometheus reads this source every 15s",
            "write `window: 6d` or longer\n"
            "or, where Prometheus reads it more often, `source.scrape_interval: 7s`",
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
    assert artefacts(small(Objective("o", 0.999, days * DAY, Errors()), scrape_interval=2.0))


@pytest.mark.parametrize(("days", "interval"), [(30, 15.0), (30, 60.0), (30, 75.0), (7, 15.0), (3, 5.0)])
def test_windows_that_hold_four_readings_work(days: int, interval: float) -> None:
    assert artefacts(small(Objective("o", 0.999, days * DAY, Errors()), scrape_interval=interval))


@pytest.mark.parametrize("days", [1, 1.37, 3, 5, 7, 27])
@pytest.mark.parametrize("interval", [5.0, 15.0, 18.0, 70.0])
def test_what_is_written_instead_of_a_window_works(days: float, interval: float) -> None:
    objective = Objective("o", 0.99, days * DAY, Errors())
    found = impossible.problems(small(objective, scrape_interval=interval))
    if tiers(days * DAY)[0].short >= 4 * interval:
        assert found == ()
        return
    (problem,) = found
    longer, often = map(parse_duration, re.findall(r": (\w+)`", str(problem.hint)))
    enough = replace(objective, window=longer)
    assert impossible.problems(small(enough, scrape_interval=interval)) == ()
    assert impossible.problems(small(objective, scrape_interval=often)) == ()
    a_day_less = replace(enough, window=longer - DAY)
    assert impossible.problems(small(a_day_less, scrape_interval=interval)) != ()


def test_a_source_that_is_read_too_seldom_for_every_window_is_told_how_often() -> None:
    (problem,) = impossible.problems(small(Objective("o", 0.99, 30 * DAY, Errors()), scrape_interval=76.0))
    assert problem.path == "spec.objectives[0].window"
    assert problem.hint is not None
    assert "no window has a longer one; write `source.scrape_interval: 1m15s`" in problem.hint


def test_a_default_window_is_refused_at_its_objective_and_an_inherited_one_at_its_profile() -> None:
    text = """\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: a}
spec:
  model: {name: m}
  source: {contract: airis, selector: {job: a}, scrape_interval: 2m}
"""
    own, inherited = "  objectives: [{name: o, target: 99%, errors: {}}]\n", "  profile: classifier\n"
    for more in (own, inherited):
        (monitor,) = decode({"a.yaml": text + more}).bundle.monitors
        (problem,) = impossible.problems(monitor)
        assert problem.location is not None
        assert problem.location.line == 7


@pytest.mark.parametrize("days", [3, 14, 28, 30, 90, 366])
def test_the_lowest_target_is_the_lowest(days: int) -> None:
    (problem,) = impossible.problems(small(Objective("o", 0.5, days * DAY, Errors()), scrape_interval=5.0))
    lowest = parse_percent(str(problem.hint).split()[1])
    for target, expected in ((lowest, 0), (round(lowest - 0.0001, 6), 1)):
        objective = Objective("o", target, days * DAY, Errors())
        assert len(impossible.problems(small(objective, scrape_interval=5.0))) == expected
