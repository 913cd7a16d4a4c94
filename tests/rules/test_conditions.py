"""Burns that another dialect wants alerts on are held against those of the window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airis_mon.rules.compile import artefacts
from airis_mon.spec import BurnCondition, Errors, Objective, SpecError
from tests.rules.monitors import DAY, small


@pytest.mark.parametrize(
    ("days", "condition"),
    [
        (30, BurnCondition("page", 14.4, 3600)),
        (30, BurnCondition("page", 6, 6 * 3600)),
        (30, BurnCondition("ticket", 1, 3 * DAY)),
        (28, BurnCondition("ticket", 0.933, 3 * DAY)),
    ],
)
def test_a_burn_of_the_window_is_wanted_in_vain_by_nobody(days: int, condition: BurnCondition) -> None:
    wanted = Objective("up", 0.999, days * DAY, Errors(), conditions=(condition,))
    assert artefacts(small(wanted)) == artefacts(small(replace(wanted, conditions=())))


@pytest.mark.parametrize(
    "condition",
    [
        BurnCondition("page", 2, 3600),
        BurnCondition("ticket", 14.4, 3600),
        BurnCondition("page", 14.4, 7200),
    ],
)
def test_another_burn_is_refused_with_those_that_there_are(condition: BurnCondition) -> None:
    with pytest.raises(SpecError) as caught:
        artefacts(small(Objective("up", 0.999, 30 * DAY, Errors(), conditions=(condition,))))
    (problem,) = caught.value.problems
    assert f"no {condition.severity} is on a burn rate of {condition.factor}" in problem.message
    assert problem.hint is not None
    assert "14.4 over 1h (page), 6 over 6h (page), 3 over 1d (ticket), 1 over 3d (ticket)" in problem.hint
