"""What containers should request: known use, and what is refused or said of little evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from airis_mon.analyzer.methods.cells import DAY
from airis_mon.analyzer.rightsizing import EvidenceError, Resources, Settings, Usage, advise

STEP = 300
MEBI = 1 << 20
PRESENT = Resources(cpu_request=4.0, cpu_limit=8.0, memory_request=8192 * MEBI, memory_limit=8192 * MEBI)


def usage(days: float = 14, pods: int = 2) -> Usage:
    """One core by day and little at night; a gibibyte that peaks in an hour of each day."""
    n = int(days * DAY / STEP)
    at = np.arange(n) * STEP
    busy = np.where(at % DAY < DAY // 2, 1.0, 0.1)
    memory = np.where(at % DAY < 3600, 1024.0, 700.0) * MEBI
    return Usage((at + 20_000 * DAY).astype(np.int64), np.tile(busy, (pods, 1)), np.tile(memory, (pods, 1)))


def test_requests_follow_use_and_limits_keep_their_proportion() -> None:
    advised = advise(usage(), PRESENT, killed=False, settings=Settings())
    assert advised.resources.cpu_request == pytest.approx(1.15)
    assert advised.resources.cpu_limit == pytest.approx(2.3)
    # An hour of each day counts: it is the day's peak.
    assert advised.resources.memory_request == pytest.approx(1024 * 1.15 * MEBI, rel=0.02)
    assert advised.resources.memory_limit == advised.resources.memory_request
    assert advised.notes == ()


def test_a_limit_that_is_not_there_stays_away() -> None:
    advised = advise(usage(), Resources(cpu_request=1.0), killed=False, settings=Settings())
    assert (advised.resources.cpu_limit, advised.resources.memory_limit) == (None, None)
    assert advised.resources.memory_request is not None


def test_a_limit_never_falls_below_a_peak_that_was_seen() -> None:
    rare = usage()
    rare.memory[0, 5] = 3000 * MEBI
    rare.cpu[0, 5] = 6.0
    advised = advise(rare, PRESENT, killed=False, settings=Settings())
    assert advised.resources.memory_limit is not None
    assert advised.resources.cpu_limit is not None
    assert advised.resources.memory_limit >= 3000 * MEBI
    assert advised.resources.cpu_limit >= 6.0
    assert advised.resources.cpu_request == pytest.approx(1.15)


def test_what_is_long_past_counts_less() -> None:
    at = usage()
    early = np.arange(at.cpu.shape[1]) < at.cpu.shape[1] // 2
    shrunk = replace(at, cpu=np.where(early, 4.0, 0.5) * np.ones_like(at.cpu))
    quick = advise(shrunk, PRESENT, killed=False, settings=Settings(half_life=DAY))
    slow = advise(shrunk, PRESENT, killed=False, settings=Settings(half_life=1000 * DAY))
    assert quick.cpu_used == 0.5
    assert slow.cpu_used == 4.0


def test_a_container_that_was_killed_gets_more_than_it_had() -> None:
    for limit, expected in ((8192, 8192 * 1.2), (200, 1024 * 1.15), (2000, 2400), (1100, 1320)):
        present = replace(PRESENT, memory_request=limit * MEBI, memory_limit=limit * MEBI)
        advised = advise(usage(), present, killed=True, settings=Settings())
        assert advised.resources.memory_request == pytest.approx(expected * MEBI, rel=0.02)
        assert "killed" in advised.notes[0]


def test_pods_that_come_and_go_are_one_workload() -> None:
    whole = usage(pods=2)
    half = whole.cpu.shape[1] // 2
    whole.cpu[0, half:], whole.memory[0, half:] = np.nan, np.nan
    whole.cpu[1, :half], whole.memory[1, :half] = np.nan, np.nan
    advised = advise(whole, PRESENT, killed=False, settings=Settings())
    assert advised.hours == 14 * 24
    assert advised.resources.cpu_request == pytest.approx(1.15)


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.99])
def test_the_request_is_enough_for_its_share_of_the_time(quantile: float) -> None:
    rng = np.random.default_rng(3)
    at = usage()
    used = rng.lognormal(0, 0.5, at.cpu.shape)
    settings = Settings(quantile, margin=0.0, half_life=1e9)
    advised = advise(replace(at, cpu=used), PRESENT, killed=False, settings=settings)
    assert advised.resources.cpu_request is not None
    assert np.mean(used <= advised.resources.cpu_request) == pytest.approx(quantile, abs=0.01)


def test_little_evidence_is_said_and_less_than_a_day_refused() -> None:
    assert "3.0 days" in advise(usage(3), PRESENT, killed=False, settings=Settings()).notes[0]
    with pytest.raises(EvidenceError, match=r"seen for 12\.0 hours, and 24 are needed"):
        advise(usage(0.5), PRESENT, killed=False, settings=Settings())
