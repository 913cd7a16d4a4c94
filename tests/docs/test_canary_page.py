"""docs/canary.md: its figures are measured, its exit codes are those of the command."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from airis_mon.analyzer.comparison import difference
from airis_mon.cli.commands import canary
from tests.analyzer import scenarios

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "canary.md").read_text(encoding="utf-8")
_ABOUT: dict[str, Callable[[np.random.Generator], scenarios.Sides]] = {
    "independent, 2% fail": scenarios.independent,
    "independent, 0.05% fail": scenarios.rare,
    "one request in two minutes": scenarios.few_requests,
    "50 times more traffic on one side": scenarios.uneven,
    "requests of a minute fail together": scenarios.alike_within_steps,
    "rare bursts in which 30% fail": scenarios.bursts,
    "an outage below both": scenarios.outage_below_both,
    "traffic moves to one side in a bad hour": scenarios.traffic_moves_in_a_bad_hour,
    "minutes correlate by 0.8 with the next": scenarios.remembered(0.8),
    "minutes correlate by 0.9 with the next": scenarios.remembered(0.9),
    "minutes correlate by 0.97 with the next": scenarios.remembered(0.97),
}


def _rows(heading: str) -> dict[str, list[str]]:
    (table,) = re.findall(rf"^\| {re.escape(heading)} \|.*\n\|[- |]+\|\n((?:\|.*\|\n)+)", PAGE, re.MULTILINE)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {row[0]: row[1:] for row in rows}


def test_equal_versions_are_told_apart_as_often_as_the_page_says() -> None:
    told = _rows("what the requests are like")
    assert set(told) == set(_ABOUT)
    for about, make in _ABOUT.items():
        found = difference(*make(np.random.default_rng(scenarios.SEED)), 0.05, shares=True)
        assert abs(round(scenarios.ever_wrong(found) * scenarios.ROWS) - int(told[about][0])) <= 1, about


def test_worse_versions_are_found_as_soon_as_the_page_says() -> None:
    for fails, (half, most) in _rows("the candidate fails").items():
        rng = np.random.default_rng(13)
        sides = scenarios.failures(rng, 0.02), scenarios.failures(rng, float(fails[:-1]) / 100)
        worse = difference(*sides, 0.05, shares=True).lower > 0
        minutes = np.where(worse.any(axis=-1), worse.argmax(axis=-1) + 1, np.inf)
        assert np.quantile(minutes, 0.5) == pytest.approx(float(half.split()[0]), rel=0.02)
        assert np.quantile(minutes, 0.9) == pytest.approx(float(most.split()[0]), rel=0.02)


def test_exit_codes_are_those_of_the_command() -> None:
    told = {verdict.strip("`"): int(cells[-1]) for verdict, cells in _rows("verdict").items()}
    assert told == canary.CODES
