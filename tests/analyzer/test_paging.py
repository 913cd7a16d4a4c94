"""The measure of `make bench-accuracy`: pages, counted by hand on small series."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.labelled import SETS, Series, runs
from benchmarks.paging import counts, numenta, pooled

STEP = 300
HOUR = 3600 // STEP


def series(*incidents: tuple[int, int], days: int = 7) -> Series:
    at = np.arange(days * 24 * HOUR, dtype=np.int64) * STEP
    return Series("one", at, np.zeros(len(at)), incidents, warm_up=24 * HOUR)


def fired(one: Series, *at: int) -> np.ndarray:
    firing = np.zeros(len(one.values), dtype=bool)
    firing[list(at)] = True
    return firing


def test_a_page_in_an_incident_is_true_and_tells_its_delay() -> None:
    one = series((600, 620))
    found = counts(one, fired(one, 603, 604))
    assert (found.true, found.false, found.found, found.incidents) == (1, 0, 1, 1)
    assert found.delays == (3 * STEP,)


@pytest.mark.parametrize(("at", "true"), [(598, 0), (599, 1), (622, 1), (623, 0)])
def test_a_page_counts_from_a_step_before_to_a_little_after(at: int, true: int) -> None:
    one = series((600, 620))
    assert counts(one, fired(one, at)).true == true


def test_always_on_pages_every_four_hours() -> None:
    one = series()
    found = counts(one, np.ones(len(one.values), dtype=bool))
    assert (found.true, found.false) == (0, 6 * 6)
    assert pooled([found])["clean_pages_per_series_week"] == pytest.approx(42, rel=0.01)


def test_what_fires_close_together_is_one_page_and_what_fires_in_the_warm_up_none() -> None:
    one = series()
    assert counts(one, fired(one, 400, 406, 412)).false == 1
    assert counts(one, fired(one, 400, 407)).false == 2
    assert counts(one, fired(one, 3, 287)).false == 0


def test_incidents_close_together_are_one() -> None:
    assert counts(series((600, 620), (626, 640)), np.zeros(2016, dtype=bool)).incidents == 1
    assert counts(series((600, 620), (627, 640)), np.zeros(2016, dtype=bool)).incidents == 2


def test_the_numenta_score_is_100_for_the_first_moment_of_each_window_and_0_for_nothing() -> None:
    one = series((600, 700), (1000, 1100))
    nothing = fired(one)
    assert numenta([one], [nothing]) == 0
    assert numenta([one], [fired(one, 600, 1000)]) == pytest.approx(100, abs=0.1)
    assert 40 < numenta([one], [fired(one, 600)]) < 60
    assert numenta([one], [fired(one, 400)]) == pytest.approx(-100 * 0.11 / 4)


def test_runs_are_told_by_their_ends() -> None:
    assert runs(np.array([True, False, True, True])) == ((0, 0), (2, 3))


def test_sets_are_read_as_they_are_published(tmp_path: Path) -> None:
    data = tmp_path / "NAB" / "data" / "real"
    data.mkdir(parents=True)
    lines = [f"2014-04-01 00:{minute:02}:00,{minute}" for minute in range(0, 60, 5)]
    (data / "a.csv").write_text("timestamp,value\n" + "\n".join(lines))
    labels = tmp_path / "NAB" / "labels"
    labels.mkdir()
    spans = {"real/a.csv": [["2014-04-01 00:10:00.000000", "2014-04-01 00:20:00.000000"]]}
    (labels / "combined_windows.json").write_text(json.dumps(spans))
    (one,) = SETS["NAB"](tmp_path)
    assert (one.incidents, one.warm_up, one.step) == (((2, 4),), 1, 300)
    cloud = tmp_path / "MS_CloudMonitoring" / "data" / "app"
    cloud.mkdir(parents=True)
    (cloud / "b.csv").write_text(
        "TimeStamp,Value,Label\n2020-01-01T00:00:00Z,1,0\n2020-01-01T01:00:00Z,,1\n2020-01-01T02:00:00Z,3,\n"
    )
    (one,) = SETS["MS"](tmp_path)
    assert one.values.tolist() == [1, 2, 3]
    assert one.incidents == ((1, 1),)
