"""Queues that other numbers of workers have left: delivered in order, and in nobody's way for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from airis_mon.analyzer.leftovers import Leftovers
from airis_mon.analyzer.writing import Destination
from airis_mon.journal import Bounds, JournalLockedError, Queue
from airis_mon.remote_write import Delivery, QueuedWriter, Sample, WriteResult
from tests.remote_write.receiver import Reply, Request, receiver

FOREVER = Bounds(seconds=1e12)
NOWHERE = "http://127.0.0.1:9/api/v1/write"


class Stop(threading.Event):
    """The stop of a loop, whose waiting makes time pass, up to an end."""

    def __init__(self, passed: Callable[[float], bool] = lambda _seconds: True) -> None:
        super().__init__()
        self._passed = passed

    def wait(self, timeout: float | None = None) -> bool:
        if not self._passed(timeout or 0.0):
            self.set()
        return self.is_set()


def queued(folder: Path, *times: int, at: float = 1_700_000_000.0) -> None:
    """Leave samples in a queue, as a process does that is killed while the receiver is down."""
    queue = Queue(folder, now=lambda: at)
    writer = QueuedWriter(Delivery(NOWHERE), queue, held=True)
    writer.open()
    for time in times:
        writer.write([Sample({"__name__": "y"}, time * 1000, float(time))])
    queue.close()


def times(request: Request) -> list[int]:
    return [at // 1000 for series in request.series for at, _ in series.values()]


def test_earlier_generations_go_first_and_no_folder_of_theirs_stays(tmp_path: Path) -> None:
    now = 1_700_000_000.0
    queued(tmp_path / "worker-1-of-3", 1, 2, at=now)
    queued(tmp_path, 3, 4, at=now + 60)
    queued(tmp_path / "worker-0-of-4", 5, at=now + 120)
    queued(tmp_path / "worker-0-of-2", 6, at=now + 180)
    (tmp_path / "worker-notes").mkdir()
    (tmp_path / "worker-0-of-4" / "mine.txt").write_text("kept")
    told: list[WriteResult] = []
    released = []
    with receiver(lambda _: Reply(204)) as there:
        there_now = Destination(there.url, queue_path=tmp_path, bounds=FOREVER)
        left = Leftovers(there_now, 2, told.append)
        assert (bool(left), left.samples) == (True, 5)
        with pytest.raises(JournalLockedError):
            Leftovers(Destination(there.url, queue_path=tmp_path), 1, told.append)
        left.run(Stop(), lambda: released.append(True))
        assert [at for request in there.requests for at in times(request)] == [1, 2, 3, 4, 5]
    assert sum(result.sent for result in told) == 5
    assert released == [True]
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "lock") == [
        "worker-0-of-2", "worker-0-of-4", "worker-notes",
    ]  # fmt: skip
    assert [path.name for path in (tmp_path / "worker-0-of-4").iterdir()] == ["mine.txt"]
    assert not Leftovers(Destination(NOWHERE, queue_path=tmp_path), 2, told.append)


@pytest.mark.parametrize(("status", "early"), [(500, True), (503, False)])
def test_what_is_answered_500_for_minutes_holds_up_nobody_else(
    tmp_path: Path, status: int, early: bool
) -> None:
    queued(tmp_path / "worker-1-of-3", 1)
    clock = [0.0]
    released: list[float] = []

    def passed(seconds: float) -> bool:
        clock[0] += 31 * seconds  # beyond the longest pause between two attempts
        return clock[0] < 900

    with receiver(lambda _: Reply(status)) as there:
        left = Leftovers(
            Destination(there.url, queue_path=tmp_path, bounds=FOREVER),
            2,
            lambda _result: None,
            clock=lambda: clock[0],
        )
        left.run(Stop(passed), lambda: released.append(clock[0]))
        left.close()
    assert [300 <= at <= 400 for at in released] == [True] * early
    # It stays where it is, for a receiver that takes it.
    assert (tmp_path / "worker-1-of-3").is_dir()


def test_without_a_queue_nothing_is_left(tmp_path: Path) -> None:
    for destination in (Destination(NOWHERE), Destination(NOWHERE, queue_path=tmp_path / "absent")):
        assert not Leftovers(destination, 3, lambda _result: None)
    assert [*tmp_path.iterdir()] == []
