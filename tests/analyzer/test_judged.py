"""The next process knows until when was judged: it counts what was missed, and judges nothing twice."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.judged import Judged
from airis_mon.analyzer.methods.cells import DAY
from airis_mon.analyzer.outcome import Outcome
from airis_mon.analyzer.query import Labels
from airis_mon.analyzer.query.fake import Course, MemoryQuerier
from airis_mon.analyzer.schedule import Schedule
from airis_mon.analyzer.shards import Shard
from airis_mon.remote_write.fake import MemoryWriter

NOW = 1_700_006_400
SCHEDULE = Schedule(interval=60, step=300, fit_interval=600)
QUERIES = [Query(f"m{number}", "llama", "ttft", f"x{number}", history=DAY) for number in range(6)]


class World:
    """One server and one receiver, and analyzers that come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.level = 1.0
        courses: dict[str, dict[Labels, Course]] = {
            query.expr: {(("pod", "a"),): lambda times: np.full(len(times), self.level)} for query in QUERIES
        }
        self.server = MemoryQuerier(courses, float(NOW))
        self.writer = MemoryWriter()
        self.told: list[str] = []

    def begin(self, shard: Shard = Shard()) -> Cycle:  # noqa: B008  a frozen value
        judged = Judged(self.folder, shard, self.told.append)
        return Cycle(self.server, self.writer, SCHEDULE, judged=judged)

    def run(self, at: int, queries: Sequence[Query] = QUERIES, shard: Shard = Shard()) -> Outcome:  # noqa: B008
        """Judge in a process that has only just begun."""
        self.server.time = float(at)
        return self.begin(shard).run(shard.of(queries))

    def times(self, monitor: str = "m0") -> list[int]:
        return [
            sample.timestamp_ms // 1000
            for sample in self.writer.samples
            if sample.labels["__name__"] == "y" and sample.labels["monitor"] == monitor
        ]


def test_what_was_missed_while_no_process_ran_is_known(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert (world.run(NOW).missed, world.run(NOW).repeated) == (range(NOW, NOW, 60), True)
    found = world.run(NOW + 600)
    assert (len(found.missed), found.missed[0], found.missed[-1]) == (9, NOW + 60, NOW + 540)
    assert found.resumed
    following = world.run(NOW + 660)
    assert (len(following.missed), following.resumed) == (0, True)
    assert world.told == []


def test_a_time_is_not_judged_again_though_what_is_read_has_changed(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(NOW)
    world.level = 2.0
    for at in (NOW + 59, NOW - 60, NOW):
        found = world.run(at)
        assert (found.repeated, found.back) == (True, NOW - at // 60 * 60)
    assert world.times() == [NOW]


def test_who_was_killed_in_the_middle_judges_what_is_left(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(NOW, QUERIES[:4])
    assert not world.run(NOW).repeated
    assert [world.times(query.monitor) for query in QUERIES] == [[NOW]] * 6
    # Back in time a new one is judged, and none of the others before their time has come.
    cycle = world.begin()
    new = Query("new", "llama", "ttft", "x0", history=DAY)
    for after in (-120, -60, 0, 60):
        world.server.time = float(NOW + after)
        cycle.run([*QUERIES, new])
    assert world.times("new") == [NOW - 120, NOW - 60, NOW, NOW + 60]
    assert world.times() == [NOW, NOW + 60]


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (4, 2), (2, 3)])
def test_however_many_share_the_queries_each_is_judged_once(tmp_path: Path, before: int, after: int) -> None:
    world = World(tmp_path)
    for index in range(before):
        world.run(NOW, shard=Shard(index, before))
    for at in (NOW, NOW + 180):
        outcomes = [world.run(at, shard=Shard(index, after)) for index in range(after)]
        shares = [len(Shard(index, after).of(QUERIES)) for index in range(after)]
        missed = [len(outcome.missed) for outcome, share in zip(outcomes, shares, strict=True) if share]
        assert set(missed) == ({0} if at == NOW else {2})
    assert [world.times(query.monitor) for query in QUERIES] == [[NOW, NOW + 180]] * 6


def test_a_clock_that_was_far_ahead_is_not_waited_for(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(NOW + 365 * DAY)
    assert not world.run(NOW).repeated
    assert "the server's clock is before 2024-11-14T00:00:00Z" in world.told[0]
    assert world.times() == [NOW + 365 * DAY, NOW]


def test_what_is_no_file_of_ours_is_told_and_changes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(NOW)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for damaged in (
        b"",
        whole[:-5],
        b"[]",
        b'{"judged": {"x": ["1"]}}',
        b'{"judged": {"1": [1]}}',
        b"[" * 99_999,
    ):
        file.write_bytes(damaged)
        world.told.clear()
        assert not world.run(NOW).repeated
        assert world.told[0].startswith("0-of-1.judged.json is not used: ")
        assert file.read_bytes() == whole


@given(
    st.binary(max_size=200)
    | st.recursive(st.integers() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_whatever_lies_there_is_read_without_an_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "0-of-2.judged.json").write_bytes(content)
        assert Judged(Path(folder), Shard(), lambda text: None).load(QUERIES, NOW) == {}


def test_files_that_nobody_wants_go_after_four_weeks(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(NOW)
    (file,) = tmp_path.iterdir()
    os.utime(file, (NOW, NOW))
    old = Judged(tmp_path, Shard(), world.told.append, clock=lambda: NOW + 29.0 * DAY)
    assert old.load(QUERIES, NOW) == {}
    assert [*tmp_path.iterdir()] == []


def test_a_disk_that_takes_nothing_is_told_of_once(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    world = World(folder)
    cycle = world.begin()
    folder.rename(tmp_path / "moved")
    for minute in range(3):
        world.server.time = float(NOW + 60 * minute)
        assert cycle.run(QUERIES).complete
    assert len(world.told) == 1
    assert world.told[0].startswith("0-of-1.judged.json was not written: ")
