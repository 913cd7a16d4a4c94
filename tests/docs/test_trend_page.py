"""docs/trend.md: its figures are measured."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from airis_mon.analyzer.trends import changes

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "trend.md").read_text(encoding="utf-8")
ROWS = [
    (int(count), float(memory), int(told), int(found))
    for count, memory, told, found in re.findall(
        r"^\| (\d+) \| ([\d.]+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE
    )
]


@pytest.mark.parametrize(("count", "memory", "told", "found"), [row for row in ROWS if row[0] <= 500])
def test_as_many_are_told_and_found_as_the_page_says(
    count: int, memory: float, told: int, found: int
) -> None:
    rng = np.random.default_rng(1)
    drawn = rng.standard_normal((count + 500, 100))
    for at in range(1, count + 500):
        drawn[at] += memory * drawn[at - 1]
    rows, times = drawn[500:].T, 60 * np.arange(count, dtype=np.int64)
    assert abs(sum(bool(changes(times, row)) for row in rows) - told) <= 2
    rows[:, count * 2 // 3 :] += (3 if memory < 0.9 else 6) / np.sqrt(1 - memory**2)
    assert abs(sum(bool(changes(times, row)) for row in rows) - found) <= 2


def test_the_page_has_its_table() -> None:
    assert len(ROWS) == 8
