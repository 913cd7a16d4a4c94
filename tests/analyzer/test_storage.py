"""What was learnt outlives a restart, to the bit; and a file that is no good is no harm."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.outcome import Outcome
from airis_mon.analyzer.query import Labels
from airis_mon.analyzer.query.fake import MemoryQuerier
from airis_mon.analyzer.schedule import Schedule
from airis_mon.analyzer.storage import Result, Storage
from airis_mon.remote_write.fake import MemoryWriter
from tests.analyzer.stub import season

AT = 1_700_006_400 + HOUR + 1200
SCHEDULE = Schedule(interval=60, step=300, fit_interval=600)
QUERY = Query("chat", "llama", "ttft", "latency", history=3 * DAY, horizons=(HOUR,), by=("pod",))
POD: Labels = (("__name__", "latency"), ("pod", "a"))
NEW: Labels = (("__name__", "latency"), ("pod", "new"))


def source(at: int) -> MemoryQuerier:
    def begun(times: np.ndarray) -> np.ndarray:
        return np.where(times > AT - 6 * HOUR, season(times), np.nan)

    return MemoryQuerier({"latency": {POD: season, NEW: begun}}, at + 2)


class Run:
    """A process's worth of cycles."""

    def __init__(self, folder: Path | None, at: int = AT, ttl: float = DAY) -> None:
        self.told: list[tuple[Result, str]] = []
        self.querier, self.writer = source(at), MemoryWriter()
        storage = None
        if folder is not None:
            storage = Storage(folder, lambda result, text: self.told.append((result, text)), ttl=ttl)
        self._cycle = Cycle(self.querier, self.writer, SCHEDULE, storage=storage)

    def cycles(self, count: int = 1, query: Query = QUERY) -> list[Outcome]:
        found = []
        for _ in range(count):
            found.append(self._cycle.run([query]))
            self.querier.time += 60
        return found

    @property
    def results(self) -> list[Result]:
        return [result for result, _ in self.told]


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_a_restart_learns_nothing_anew_and_writes_the_same_bits(tmp_path: Path) -> None:
    first = Run(tmp_path)
    first.cycles()
    assert first.results == ["absent", "saved"]
    whole = Run(None)
    whole.cycles(200)

    again = Run(tmp_path, AT + 60 * 100)
    again.cycles(100)
    assert again.results == ["used"]
    spans = [end - start for _, start, end, _ in again.querier.ranges]
    assert max(spans) < 3 * HOUR  # only what came since
    expected = [s for s in whole.writer.samples if s.timestamp_ms >= (AT + 6000) * 1000]
    assert again.writer.samples == expected
    assert len(expected) >= 100 * 9


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Run(None).cycles(3)
    assert files(tmp_path) == []


def test_what_was_learnt_in_another_window_is_learnt_anew_to_the_same_bits(tmp_path: Path) -> None:
    Run(tmp_path).cycles()
    later = Run(tmp_path, AT + 7 * HOUR)
    later.cycles()
    assert later.results == ["used", "saved"]
    fresh = Run(None, AT + 7 * HOUR)
    fresh.cycles()
    assert later.writer.samples == fresh.writer.samples


def test_what_is_too_old_is_not_used(tmp_path: Path) -> None:
    Run(tmp_path).cycles()
    later = Run(tmp_path, AT + 2 * HOUR, ttl=HOUR)
    later.cycles()
    assert later.results[0] == "old"
    assert "is not used: what it holds is" in later.told[0][1]


def test_what_was_learnt_of_another_query_is_not_used(tmp_path: Path) -> None:
    Run(tmp_path).cycles()
    for other in (replace(QUERY, expr="latency", history=2 * DAY), replace(QUERY, false_pages_per_week=1.0)):
        run = Run(tmp_path)
        run.cycles(query=other)
        assert run.results == ["absent", "saved"]
    assert len(files(tmp_path)) == 3


def test_files_that_no_query_has_go_when_they_are_old(tmp_path: Path) -> None:
    Run(tmp_path).cycles()
    (old,) = files(tmp_path)
    begun = old.with_name(old.name + ".k1ll3d")
    begun.write_bytes(b"half")
    mine = tmp_path / "notes.txt"
    mine.write_text("not of the analyzer")
    Run(tmp_path).cycles(query=replace(QUERY, history=2 * DAY))
    assert len(files(tmp_path)) == 4
    for path in files(tmp_path):
        os.utime(path, (time.time() - 2 * DAY,) * 2)
    Run(tmp_path).cycles(query=replace(QUERY, history=DAY))
    assert mine in files(tmp_path)
    assert len(files(tmp_path)) == 2


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("good")
    Run(folder).cycles()
    (file,) = files(folder)
    return file.read_bytes()


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_told_and_learnt_anew(tmp_path: Path, good: bytes, data: st.DataObject) -> None:
    for path in files(tmp_path):
        path.unlink()
    cut = data.draw(st.integers(0, len(good) - 1))
    flipped = good[:cut] + bytes([good[cut] ^ 0x55]) + good[cut + 1 :]
    changed = data.draw(st.sampled_from([good[:cut], flipped, good[:cut] + good, bytes(cut)]))
    run = Run(tmp_path)
    path = _place(tmp_path)
    path.write_bytes(changed)
    run.cycles()
    assert run.results[0] in ("damaged", "used")
    fresh = Run(None)
    fresh.cycles()
    assert run.writer.samples == fresh.writer.samples


def _place(folder: Path) -> Path:
    Run(folder).cycles()
    (path,) = files(folder)
    return path


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "owned",)

    path = _place(tmp_path)
    with path.open("wb") as file:
        np.savez(file, tree=np.array([Evil()], dtype=object))
    run = Run(tmp_path)
    run.cycles()
    assert run.results[0] == "damaged"
    assert not (tmp_path / "owned").exists()


def test_a_folder_that_takes_nothing_any_more_is_told_and_costs_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    run = Run(folder)
    folder.rmdir()
    (outcome,) = run.cycles()
    assert run.results == ["absent", "unsaved"]
    assert outcome.complete
    assert run.writer.samples
