"""Objectives over periods of the calendar."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.rules.compile import artefacts
from airis_mon.rules.proofs.calendars import TURNS, period_of
from airis_mon.spec import CALENDAR_WINDOWS, Calendar, Errors, Monitor, Objective, decode
from airis_mon.stack.servers import Server
from tests.mutation.rules import mutants
from tests.rules.monitors import small
from tests.rules.test_proofs import failure, write

CALENDARS: tuple[Calendar, ...] = get_args(Calendar)


def monitor(calendar: Calendar) -> Monitor:
    return small(Objective("up", 0.99, CALENDAR_WINDOWS[calendar], Errors(), calendar=calendar))


@pytest.mark.parametrize("calendar", CALENDARS)
def test_every_proof_holds(calendar: Calendar, promtool: Server, tmp_path: Path) -> None:
    tests = write(tmp_path, artefacts(monitor(calendar)))
    assert [found for test in tests if (found := failure(promtool, tmp_path, test))] == []


@pytest.mark.parametrize(
    "calendar",
    [one if one == "week" else pytest.param(one, marks=pytest.mark.slow) for one in CALENDARS],
)
def test_no_rule_about_periods_is_broken_unnoticed(
    calendar: Calendar, promtool: Server, tmp_path: Path
) -> None:
    # What all objectives have is broken elsewhere.
    found = [mutant for mutant in mutants(monitor(calendar)) if ":up:period " in mutant.what]
    chosen = found[:: max(1, len(found) // 12)]
    assert [mutant.what for mutant in chosen if mutant.survives(promtool, tmp_path)] == []


def test_a_document_names_the_period_instead_of_a_window() -> None:
    text = """
    apiVersion: airis.dev/v1alpha1
    kind: ModelMonitor
    metadata: {name: chat}
    spec:
      model: {name: llama}
      source: {contract: otel-genai, selector: {job: chat}}
      objectives:
        - {name: monthly, target: 99%, calendar: month, errors: {}}
        - {name: quarterly, target: 99%, calendar: quarter, errors: {}}
        - {name: rolling, target: 99%, errors: {}}
    """
    (found,) = decode({"a.yaml": text}).bundle.monitors
    days = [(objective.calendar, objective.window / 86400) for objective in found.objectives]
    assert days == [("month", 30), ("quarter", 90), (None, 30)]


@pytest.mark.parametrize("calendar", CALENDARS)
@given(st.integers(0, 4_000_000_000))
def test_numbers_of_periods_rise_by_one_at_each_turn(calendar: Calendar, seconds: int) -> None:
    now, hour_before = (int(period_of(calendar, moment)) for moment in (seconds, seconds - 3600))
    moment = datetime.fromtimestamp(seconds, UTC)
    first = moment.weekday() == 0 if calendar == "week" else moment.day == 1
    turned = first and moment.hour == 0 and (calendar != "quarter" or moment.month in (1, 4, 7, 10))
    assert now - hour_before == turned


def test_the_turns_that_are_looked_at_are_turns_but_for_may() -> None:
    for calendar, moments in TURNS.items():
        for moment in moments:
            at = moment.timestamp()
            turns = period_of(calendar, at) != period_of(calendar, at - 1)
            assert turns == (calendar != "quarter" or moment.month != 5)
