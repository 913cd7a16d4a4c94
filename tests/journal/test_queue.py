from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from airis_mon.journal import (
    Bounds,
    Item,
    JournalBrokenError,
    JournalFullError,
    JournalLockedError,
    Queue,
    Record,
)
from airis_mon.journal.fake import FaultyFiles

SMALL = Bounds(segment_bytes=1000)


@contextmanager
def opened(
    folder: Path, bounds: Bounds = SMALL, files: FaultyFiles | None = None, now: float = 0.0
) -> Iterator[Queue]:
    queue = Queue(folder, bounds, files, now=lambda: now)
    queue.open()
    try:
        yield queue
    finally:
        queue.close()


def put(queue: Queue, *numbers: int) -> None:
    queue.put([Item(b"%d" % number * 50, number, number) for number in numbers])


def taken(queue: Queue) -> list[bytes | None]:
    found = []
    while (head := queue.head()) is not None:
        found.append(queue.read(head.sequence))
        queue.consume(head.sequence)
    return found


def payloads(*numbers: int) -> list[bytes | None]:
    return [b"%d" % number * 50 for number in numbers]


def test_what_was_put_is_there_after_a_restart_in_order(tmp_path: Path) -> None:
    with opened(tmp_path) as queue:
        put(queue, *range(10, 40))
        put(queue, 40)
    with opened(tmp_path) as queue:
        assert queue.weight == sum(range(10, 41))
        assert taken(queue) == payloads(*range(10, 41))
        assert (queue.weight, queue.bytes) == (0, 0)


def test_what_was_consumed_does_not_come_back(tmp_path: Path) -> None:
    with opened(tmp_path) as queue:
        put(queue, 10, 11, 12, 13)
        queue.consume(2)
    for _ in range(3):
        with opened(tmp_path) as queue:
            assert queue.read(3) == payloads(12)[0]
            assert queue.weight == 25
    with opened(tmp_path) as queue:
        assert taken(queue) == payloads(12, 13)


def test_sequences_go_on_when_everything_was_consumed(tmp_path: Path) -> None:
    for life in range(4):
        with opened(tmp_path) as queue:
            (sequence,) = queue.put([Item(b"a", 1, life)])
            assert sequence == life + 1
            queue.consume(sequence)


def test_consumed_segments_are_deleted_but_for_the_newest_stamp(tmp_path: Path) -> None:
    with opened(tmp_path) as queue:
        for number in range(10, 60):
            put(queue, number)
        full = len(list(tmp_path.glob("*.segment")))
        taken(queue)
        assert len(list(tmp_path.glob("*.segment"))) < full / 5
        assert list(queue.recent()) == payloads(59)
    with opened(tmp_path) as queue:
        assert list(queue.recent()) == payloads(59)
        assert queue.head() is None


def test_everything_with_the_newest_stamp_is_recent(tmp_path: Path) -> None:
    with opened(tmp_path) as queue:
        queue.put([Item(b"old" * 300, 1, 1)])
        queue.put([Item(b"%d" % n * 300, 1, 2) for n in range(3)])
        queue.put([Item(b"3" * 300, 1, 2)])
        taken(queue)
    with opened(tmp_path) as queue:
        assert list(queue.recent()) == [b"%d" % n * 300 for n in range(4)]


def test_bounds_are_told_by_the_head(tmp_path: Path) -> None:
    with opened(tmp_path, Bounds(bytes=400, seconds=10.0), now=5.0) as queue:
        put(queue, 10, 11)
        assert queue.excess() is None
        put(queue, 12)
        head = queue.head()
        assert queue.excess() is head
        assert queue.expired() is None
        queue.consume(1)
        assert queue.excess() is None
    with opened(tmp_path, Bounds(bytes=400, seconds=10.0), now=15.5) as queue:
        assert queue.expired() is queue.head() is not None


def test_a_damaged_record_is_lost_alone_and_counted(tmp_path: Path) -> None:
    with opened(tmp_path) as queue:
        put(queue, *range(10, 14))
    (first, *_) = sorted(tmp_path.glob("*.segment"))
    data = bytearray(first.read_bytes())
    data[data.index(b"11" * 20)] ^= 1
    first.write_bytes(data)
    with opened(tmp_path) as queue:
        assert queue.damaged == 1
        assert taken(queue) == payloads(10, 12, 13)


def test_damage_that_comes_later_is_noticed_when_it_is_read(tmp_path: Path) -> None:
    with opened(tmp_path) as queue:
        put(queue, 10, 11)
        (first, *_) = sorted(tmp_path.glob("*.segment"))
        data = bytearray(first.read_bytes())
        data[data.index(b"10" * 20)] ^= 1
        first.write_bytes(data)
        assert taken(queue) == [None, *payloads(11)]
        assert queue.damaged == 1


@pytest.mark.parametrize("kept", [0, 1, 30, 100])
def test_an_interrupted_write_is_cut_off_once(tmp_path: Path, kept: int) -> None:
    with opened(tmp_path) as queue:
        put(queue, 10)
        size = next(tmp_path.glob("*.segment")).stat().st_size
        put(queue, 11)
    (first,) = tmp_path.glob("*.segment")
    first.write_bytes(first.read_bytes()[: size + kept])
    for life in range(3):
        with opened(tmp_path) as queue:
            assert (queue.damaged, queue.torn_bytes) == (0, kept if life == 0 else 0)
            assert queue.weight == 10
    with opened(tmp_path) as queue:
        put(queue, 12)
        assert taken(queue) == payloads(10, 12)


def test_a_full_disk_is_an_error_and_goes_on_by_itself(tmp_path: Path) -> None:
    files = FaultyFiles()
    with opened(tmp_path, files=files) as queue:
        put(queue, 10)
        files.free = 10
        with pytest.raises(JournalFullError, match="10 bytes are free"):
            put(queue, 11)
        files.free = 2**40
        files.fail = lambda operation, path: errno.ENOSPC if operation == "write" else 0
        with pytest.raises(JournalFullError, match="is full"):
            put(queue, 12)
        files.fail = lambda operation, path: 0
        put(queue, 13)
        assert queue.weight == 23
    with opened(tmp_path) as queue:
        assert taken(queue) == payloads(10, 13)


def test_a_segment_that_failed_is_left_for_a_new_one(tmp_path: Path) -> None:
    failing = iter([errno.EIO])
    files = FaultyFiles(lambda operation, path: next(failing, 0) if operation == "sync" else 0)
    first = files.fail
    files.fail = lambda operation, path: 0
    with opened(tmp_path, files=files) as queue:
        put(queue, 10)
        files.fail = first
        put(queue, 11)
    with opened(tmp_path) as queue:
        assert taken(queue) == payloads(10, 11)


def test_a_disk_that_fails_twice_takes_nothing(tmp_path: Path) -> None:
    files = FaultyFiles()
    with opened(tmp_path, files=files) as queue:
        put(queue, 10)
        files.fail = lambda operation, path: errno.EIO
        with pytest.raises(JournalBrokenError):
            put(queue, 11)
        with pytest.raises(JournalBrokenError):
            queue.consume(1)
        assert queue.head() is None
        files.fail = lambda operation, path: 0
        put(queue, 12)
        assert taken(queue) == payloads(12)


def test_the_folder_of_a_journal_is_not_taken_for_a_queue(tmp_path: Path) -> None:
    (tmp_path / f"{7:020d}-0000abcd.snapshot").write_bytes(b"")
    with pytest.raises(JournalBrokenError, match="choose another"):
        Queue(tmp_path).open()
    other = tmp_path / "other"
    with opened(other) as queue:
        put(queue, 10)
        queue._write([Record(queue._given + 1, b"short")])
    with opened(other) as queue:
        assert list(queue.recent()) == payloads(10)
        assert (taken(queue), queue.damaged) == (payloads(10), 1)


def test_a_folder_has_one_owner(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(JournalLockedError, match="another process"):
        Queue(tmp_path).open()
