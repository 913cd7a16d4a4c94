"""What changed before an incident: constructed ones whose cause is known, and properties of the order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest

from airis_mon.analyzer.causes import Candidate, Event, Ranking, Signal, Window, excursions, rank
from airis_mon.cli.causes import report
from tests.analyzer.incidents import COLUMNS, STEP, Incident, incident


def ranked(of: Incident) -> Ranking:
    return rank([of.symptom], of.signals, of.events, of.window)


def place(of: Incident, found: Sequence[Candidate]) -> int:
    return next((n for n, one in enumerate(found, 1) if one.name.startswith(of.cause)), len(found) + 1)


def test_the_true_cause_comes_first_in_most_incidents_and_among_three_in_nearly_all() -> None:
    # Seeds that nothing was chosen by.
    made = [incident(seed) for seed in range(5000, 5040)]
    rankings = [ranked(one) for one in made]
    places = np.array([place(one, found.candidates) for one, found in zip(made, rankings, strict=True)])
    assert np.mean(places == 1) >= 0.85
    assert np.mean(places <= 3) >= 0.95
    late = [abs(found.begins - one.begins) for one, found in zip(made, rankings, strict=True)]
    assert np.median(late) <= 120


def flat(name: str, push: float = 0.0, at: int = 0, days: float = 2, seed: int = 0) -> Signal:
    """A signal around 10 that is pushed from a column of the window on."""
    rng = np.random.default_rng([seed, *name.encode()])
    values = rng.normal(10, 1, int(days * 1440) + COLUMNS)
    values[len(values) - COLUMNS + at :] += push
    return Signal(name, values)


END = 1_800_000_000 // STEP * STEP
WINDOW = Window(END, STEP, COLUMNS, END - 1200.0)
SYMPTOM = flat("errors", 30, 50)


def names(found: Ranking) -> list[str]:
    return [one.name for one in found.candidates]


@pytest.mark.parametrize("days", [2, 0.5])
def test_a_signal_that_left_its_band_first_comes_before_what_followed(days: float) -> None:
    symptom = flat("errors", 30, 50, days)
    signals = [flat("after", 60, 58, days), flat("first", 30, 44, days), flat("still", 0, 0, days)]
    found = rank([symptom], signals, [], WINDOW)
    assert names(found) == ["first", "after"]
    first, after = found.candidates
    assert first.lead == 360
    assert after.lead == -480
    assert first.reason.startswith("first left its band (above) 6 min before, score ")
    assert after.weight < 0.2 < first.weight
    assert (found.visible, found.begins, found.before) == (True, WINDOW.time(50), False)


def test_an_incident_that_began_before_the_window_is_said_to_have() -> None:
    found = rank([flat("errors", 30, 0)], [flat("first", 3e9, 0)], [], WINDOW)
    assert (found.visible, found.before) == (True, True)
    out = StringIO()
    report.write(out, "chat", found, 10)
    told = " ".join(out.getvalue().split())
    assert "errors is out of its band since before the window, which begins at 20" in told
    assert "look further back with a longer --since" in told
    assert "score more than 1,000" in told


def test_a_deploy_shortly_before_outweighs_one_long_before_and_one_after() -> None:
    events = [Event(WINDOW.time(column), "deploy", f"at {column}") for column in (2, 47, 60)]
    assert names(rank([SYMPTOM], [], events, WINDOW)) == ["at 47", "at 2", "at 60"]


def test_of_two_that_begin_together_what_comes_in_leads() -> None:
    pushed = [flat(name, 30, 46) for name in ("made_inside", "comes_in")]
    found = rank([SYMPTOM], [pushed[0], replace(pushed[1], outside=True)], [], WINDOW)
    assert names(found) == ["comes_in", "made_inside"]


def test_what_happens_all_the_time_explains_little() -> None:
    at = WINDOW.time(48)
    events = [Event(at, "event", "usual", per_hour=6.0), Event(at, "event", "rare")]
    found = rank([SYMPTOM], [], events, WINDOW)
    assert names(found) == ["rare", "usual"]
    assert found.candidates[1].reason == "usual, 2 min before; it happens 6 times an hour"


def test_a_course_that_goes_with_the_symptom_outweighs_one_that_does_not() -> None:
    along = flat("along", 30, 48)
    apart = flat("apart", 30, 15)
    back = Signal(
        "apart", np.where(np.arange(len(apart.values)) > len(apart.values) - 40, 10.0, apart.values)
    )
    assert names(rank([SYMPTOM], [back, along], [], WINDOW))[0] == "along"


def test_the_symptom_is_what_left_its_band_furthest() -> None:
    found = rank([flat("latency"), flat("errors", 30, 50), flat("queue", 9, 40)], [], [], WINDOW)
    assert found.symptom == "errors"
    assert "queue" in names(found)


def test_without_a_symptom_the_named_time_counts_and_that_is_said() -> None:
    found = rank([flat("errors")], [], [Event(WINDOW.at - 60, "deploy", "x")], WINDOW)
    assert (found.visible, found.begins) == (False, WINDOW.at)
    assert found.candidates[0].lead == 60


def test_one_odd_reading_and_gaps_are_no_excursion() -> None:
    signal = flat("odd")
    signal.values[-30] = 100.0
    signal.values[-20:-10] = np.nan
    assert excursions(signal.values[None], STEP, COLUMNS)[0].begins is None


def test_a_signal_that_always_stood_still_is_told_when_it_moves() -> None:
    values = np.zeros((1, 2 * 1440 + COLUMNS))
    values[0, -20:] = 1.0
    (moved,) = excursions(values, STEP, COLUMNS)
    assert moved.begins == COLUMNS - 20
    assert moved.upwards


def test_without_any_past_nothing_is_said() -> None:
    values = np.full((1, 3 + COLUMNS), 5.0)
    values[0, -20:] = 50.0
    assert excursions(values, STEP, COLUMNS)[0].begins is None
