from __future__ import annotations

import asyncio
import errno
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from airis_mon.journal import (
    Journal,
    JournalBrokenError,
    JournalBusyError,
    JournalFullError,
    JournalLockedError,
    JournalVersionError,
    MemoryJournal,
    Options,
    Origin,
    Receipt,
    examine,
    records,
)
from airis_mon.journal.fake import FaultyFiles
from tests.journal.keeping import SMALL, kept, living, opened


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def segments_of(folder: Path) -> list[Path]:
    return list(folder.glob("*.segment"))


async def fill(journal: Journal, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        await journal.append(f"{number}".encode() * 50)


def test_what_was_appended_is_there_after_a_restart_in_order(tmp_path: Path) -> None:
    applied: list[int] = []

    async def act(journal: Journal) -> list[Receipt]:
        sent = [journal.append(bytes([n]) * n, applied=applied.append) for n in range(200)]
        return await asyncio.gather(*sent)

    receipts = living(tmp_path, act)
    assert [receipt.sequence for receipt in receipts] == list(range(1, 201)) == applied
    assert [record.payload for record in kept(tmp_path)] == [bytes([n]) * n for n in range(200)]
    assert [record.sequence for record in records(tmp_path)] == list(range(1, 201))
    assert len(list(tmp_path.glob("*.segment"))) > 3, "small segments rotate"
    assert examine(tmp_path).sound


def test_sequences_go_on_after_a_restart(tmp_path: Path) -> None:
    for life in range(3):
        receipt = living(tmp_path, lambda journal: journal.append(b"x"))
        assert receipt.sequence == life + 1


def test_an_origin_counts_once_whatever_the_order_and_across_restarts(tmp_path: Path) -> None:
    order = [3, 1, 2, 3, 1, 5, 4, 5, 200, 4, 150]
    fresh = {3, 1, 2, 5, 4, 200, 150}

    async def act(journal: Journal) -> list[bool]:
        return [
            (await journal.append(b"%d" % n, Origin("sender", 0, n))).duplicate for n in order
        ]  # one after the other

    first = living(tmp_path, act)
    assert [n for n, duplicate in zip(order, first, strict=True) if not duplicate] == [
        3,
        1,
        2,
        5,
        4,
        200,
        150,
    ]
    assert all(living(tmp_path, act))
    assert sorted(int(record.payload) for record in kept(tmp_path)) == sorted(fresh)


def test_a_later_life_of_a_sender_begins_anew(tmp_path: Path) -> None:
    async def act(journal: Journal) -> list[bool]:
        return [(await journal.append(b"x", Origin("sender", epoch, 7))).duplicate for epoch in (1, 2, 1, 2)]

    assert living(tmp_path, act) == [False, False, True, True]


def test_copies_in_flight_are_written_once(tmp_path: Path) -> None:
    async def act(journal: Journal) -> list[Receipt]:
        return await asyncio.gather(*(journal.append(b"same", Origin("sender", 0, 1)) for _ in range(20)))

    receipts = living(tmp_path, act)
    assert sum(not receipt.duplicate for receipt in receipts) == 1
    assert len(kept(tmp_path)) == 1


def test_a_copy_is_written_where_its_first_one_failed(tmp_path: Path) -> None:
    files = FaultyFiles()

    async def act(journal: Journal) -> list[Receipt | BaseException]:
        files.free = -1
        first = asyncio.create_task(journal.append(b"same", Origin("sender", 0, 1)))
        failed = await asyncio.gather(first, return_exceptions=True)
        files.free = 2**40
        return [*failed, await journal.append(b"same", Origin("sender", 0, 1))]

    failed, receipt = living(tmp_path, act, files)
    assert isinstance(failed, JournalFullError)
    assert receipt == Receipt(2, duplicate=False)


def test_a_full_disk_refuses_and_goes_on_by_itself(tmp_path: Path) -> None:
    full = False
    files = FaultyFiles(lambda operation, path: errno.ENOSPC if full and operation != "truncate" else 0)

    async def act(journal: Journal) -> None:
        nonlocal full
        await journal.append(b"before")
        full = True
        for _ in range(3):
            with pytest.raises(JournalFullError):
                await journal.append(b"refused")
        full = False
        await journal.append(b"after")
        assert journal.usable

    living(tmp_path, act, files)
    assert [record.payload for record in kept(tmp_path)] == [b"before", b"after"]


@pytest.mark.parametrize("numbered", [True, False])
def test_what_was_refused_does_not_count_though_it_lies_on_the_disk(tmp_path: Path, numbered: bool) -> None:
    """The disk fills up after the bytes were written, and the segment cannot even be cut."""
    full = False
    origin = Origin("sender", 0, 1) if numbered else None
    files = FaultyFiles(
        lambda operation, path: errno.ENOSPC if full and operation in ("sync", "truncate") else 0
    )

    async def act(journal: Journal) -> None:
        nonlocal full
        full = True
        for _ in range(2):
            with pytest.raises(JournalFullError):
                await journal.append(b"x", origin)
        full = False
        await journal.append(b"x", origin)

    living(tmp_path, act, files)
    assert examine(tmp_path).records > 1, "the refused one is there"
    assert len(kept(tmp_path)) == len(list(records(tmp_path))) == 1


@pytest.mark.parametrize("operation", ["write", "sync"])
def test_an_error_of_the_disk_moves_on_to_a_new_segment(tmp_path: Path, operation: str) -> None:
    failing: list[Path] = []
    synced: list[Path] = []

    def fail(asked: str, path: Path) -> int:
        if asked == "sync":
            synced.append(path)
        if asked == operation and path in failing:
            return errno.EIO
        return 0

    async def act(journal: Journal) -> None:
        await journal.append(b"one")
        failing.extend(segments_of(tmp_path))
        synced.clear()
        await journal.append(b"two")
        assert journal.usable
        assert synced.count(failing[0]) <= 1, "a failed fdatasync is never asked again"

    living(tmp_path, act, FaultyFiles(fail))
    assert [record.payload for record in kept(tmp_path)] == [b"one", b"two"]


def test_a_second_error_in_a_row_ends_the_journal(tmp_path: Path) -> None:
    broken = False

    async def act(journal: Journal) -> None:
        nonlocal broken
        await journal.append(b"one")
        broken = True
        with pytest.raises(JournalBrokenError):
            await journal.append(b"two")
        broken = False
        with pytest.raises(JournalBrokenError):
            await journal.append(b"three")
        assert not journal.usable

    living(tmp_path, act, FaultyFiles(lambda operation, path: errno.EIO if broken else 0))
    assert [record.payload for record in kept(tmp_path)] == [b"one"]


def test_torn_ends_do_not_pile_up(tmp_path: Path) -> None:
    for number in range(20):
        living(tmp_path, lambda journal, number=number: journal.append(b"%d" % number))  # type: ignore[misc]
        with max(tmp_path.glob("*.segment")).open("ab") as newest:
            newest.write(b"interrupted")
    assert [int(record.payload) for record in kept(tmp_path)] == list(range(20))
    assert len(list(tmp_path.glob("*.torn"))) == 8


def test_what_waits_is_bounded(tmp_path: Path) -> None:
    async def act(journal: Journal) -> list[object]:
        sent = [journal.append(bytes(600)) for _ in range(10)]
        return list(await asyncio.gather(*sent, return_exceptions=True))

    outcomes = living(tmp_path, act, options=Options(queue_bytes=2000, free_bytes=0))
    assert sum(isinstance(outcome, JournalBusyError) for outcome in outcomes) == 7
    assert len(kept(tmp_path)) == 3


def test_two_writers_are_one_too_many(tmp_path: Path) -> None:
    async def act(journal: Journal) -> None:
        with pytest.raises(JournalLockedError, match="another process"):
            opened(tmp_path)

    living(tmp_path, act)


def test_a_snapshot_takes_the_place_of_segments(tmp_path: Path) -> None:
    async def act(journal: Journal) -> None:
        await fill(journal, 100)
        await journal.append(b"known", Origin("sender", 0, 9))
        await journal.snapshot(chunks(b"state of ", b"101"))
        assert len(segments_of(tmp_path)) > 3, "the only snapshot may be damaged one day"
        await fill(journal, 100)
        await journal.snapshot(chunks(b"state of ", b"201"))
        await journal.append(b"later")

    living(tmp_path, act)
    assert len([record for record in records(tmp_path) if record.sequence < 90]) == 0

    async def again() -> tuple[bytes, list[int], Receipt]:
        journal, recovery = opened(tmp_path)
        state, found = b"".join(recovery.chunks), [record.sequence for record in recovery.records]
        await journal.start()
        duplicate = await journal.append(b"known", Origin("sender", 0, 9))
        await journal.close()
        return state, found, duplicate

    assert asyncio.run(again()) == (b"state of 201", [202], Receipt(0, duplicate=True))


def test_records_that_somebody_still_needs_stay(tmp_path: Path) -> None:
    async def act(journal: Journal) -> None:
        for _ in range(3):
            await fill(journal, 100)
            await journal.snapshot(chunks(b"state"), keep_from=5)

    living(tmp_path, act)
    assert min(record.sequence for record in records(tmp_path)) <= 6


def test_a_damaged_snapshot_falls_back_to_the_one_before(tmp_path: Path) -> None:
    async def act(journal: Journal) -> None:
        for state in (b"one", b"two"):
            await fill(journal, 60)
            await journal.snapshot(chunks(state))

    living(tmp_path, act)
    newest = max(tmp_path.glob("*.snapshot"))
    whole = newest.read_bytes()
    for position in range(len(whole)):
        newest.write_bytes(whole[:position] + bytes([whole[position] ^ 0x40]) + whole[position + 1 :])
        journal, recovery = opened(tmp_path)
        assert b"".join(recovery.chunks) == b"one"
        assert [record.sequence for record in recovery.records] == list(range(61, 121))
        asyncio.run(journal.close())
    assert not examine(tmp_path).sound


def test_a_snapshot_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"part"
        raise OSError("no")

    async def act(journal: Journal) -> None:
        await fill(journal, 3)
        with pytest.raises(OSError, match="no"):
            await journal.snapshot(failing())

    living(tmp_path, act)
    assert not list(tmp_path.glob("*.partial"))
    assert not list(tmp_path.glob("*.snapshot"))
    assert len(kept(tmp_path)) == 3


def test_a_later_format_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    living(tmp_path, lambda journal: journal.append(b"x"))
    segment = next(tmp_path.glob("*.segment"))
    begin = struct.pack("<8sII", b"AIRISJNL", 2, 0)
    changed = begin + struct.pack("<I", zlib.crc32(begin)) + segment.read_bytes()[20:]
    segment.write_bytes(changed)
    journal, recovery = opened(tmp_path)
    with pytest.raises(JournalVersionError, match="format 2, this version reads format 1"):
        list(recovery.records)
    asyncio.run(journal.close())
    assert segment.read_bytes() == changed


def test_a_caller_that_goes_away_does_not_take_its_batch_along(tmp_path: Path) -> None:
    async def act(journal: Journal) -> Receipt:
        origin = Origin("sender", 0, 1)
        gone = asyncio.create_task(journal.append(b"x", origin))
        await asyncio.sleep(0)
        gone.cancel()
        return await journal.append(b"x", origin)

    assert living(tmp_path, act).duplicate
    assert len(kept(tmp_path)) == 1


def test_memory_knows_duplicates_and_keeps_nothing() -> None:
    async def act() -> list[Receipt]:
        journal = MemoryJournal()
        assert not journal.durable
        applied: list[int] = []
        got = [await journal.append(b"x", Origin("a", 0, n), applied.append) for n in (1, 1, 2)]
        assert applied == [1, 2]
        return got

    assert asyncio.run(act()) == [Receipt(1, False), Receipt(0, True), Receipt(2, False)]


@pytest.mark.parametrize(
    ("producer", "epoch", "sequence"),
    [("", 0, 0), ("x" * 129, 0, 0), ("a\n", 0, 0), ("a", -1, 0), ("a", 0, 2**63)],
)
def test_an_origin_has_bounds(producer: str, epoch: int, sequence: int) -> None:
    with pytest.raises(ValueError, match=r"producer|epoch|sequence"):
        Origin(producer, epoch, sequence)


def test_small_is_small() -> None:
    assert SMALL.segment_bytes < Options().segment_bytes
