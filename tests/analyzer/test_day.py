"""A day of the demo's models is on every kind of server what the analyzer computed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from airis_mon.analyzer.query import Labels
from airis_mon.remote_write import STALE
from airis_mon.stack.servers import Server
from benchmarks import day
from benchmarks import victoria_metrics as vm
from benchmarks.demo_past import DAY, DemoPast, make, queries
from benchmarks.readback import Course, compared

ONE, OTHER = (("__name__", "y"), ("pod", "a")), (("__name__", "y"), ("pod", "b"))
WRITTEN: dict[Labels, Course] = {ONE: {60: 1.0, 120: 2.0, 300: 4.0}, OTHER: {60: 5.0, 120: STALE}}
# Where nothing was written, the value before is shown for five minutes.
SHOWN: dict[Labels, Course] = {ONE: {60: 1.0, 120: 2.0, 180: 2.0, 240: 2.0, 300: 4.0}, OTHER: {60: 5.0}}


def test_what_was_written_is_told_from_what_was_not() -> None:
    there = compared(WRITTEN, SHOWN, 60)
    assert there.faithful
    assert (there.series, there.values, there.ended) == (2, 4, 1)
    faults: tuple[tuple[dict[Labels, Course], str], ...] = (
        ({ONE: {60: 1.0, 300: 4.0}}, "missing"),
        ({ONE: {60: 1.0, 120: 2.001, 300: 4.0}}, "largest"),
        ({ONE: {**SHOWN[ONE], 240: 3.0}}, "added"),
        ({ONE: {**SHOWN[ONE], 660: 4.0}}, "added"),
        ({(("__name__", "y"), ("pod", "c")): {60: 1.0}}, "added"),
        ({OTHER: {60: 5.0, 120: 5.0}}, "outlived"),
    )
    for changed, fault in faults:
        found = compared(WRITTEN, {**SHOWN, **changed}, 60)
        assert not found.faithful, fault
        assert getattr(found, fault), fault


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> DemoPast:
    """Yesterday and the three days before."""
    return make(tmp_path_factory.mktemp("past"), int(time.time()) // DAY * DAY)


def checked(account: day.Account) -> None:
    assert account.readback.faithful, account
    assert account.readback.values > 50_000
    # One instance was replaced: what it was, its band with an upper and a lower edge, and its score end.
    assert account.readback.ended == 5
    assert set(account.times) == {"anomaly_score", *(f"yhat {one}" for one in ("0s", "1h", "6h", "1d"))}
    assert min(account.times.values()) == 1.0
    assert set(account.held) == {"1h", "6h"}
    assert all(0.9 < share <= 1.0 for share in account.held.values())
    assert account.incident == 1.0
    assert account.elsewhere < 30


@pytest.mark.slow  # four days are lived through, and one of them is judged
def test_prometheus_says_of_a_day_what_was_computed(
    past: DemoPast, prometheus: Server, promtool: Server, tmp_path: Path
) -> None:
    with day.prometheus(prometheus, promtool, past, tmp_path) as url:
        checked(day.day(str(prometheus), url, past, queries(tmp_path)))


@pytest.mark.slow
def test_victoria_metrics_says_of_a_day_what_was_computed(
    past: DemoPast, victoria_metrics: Path, tmp_path: Path
) -> None:
    with day.victoria_metrics(victoria_metrics, past, tmp_path) as url:
        checked(day.day(f"VictoriaMetrics {vm.version(victoria_metrics)}", url, past, queries(tmp_path)))
