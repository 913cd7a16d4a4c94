"""Every byte of a journal cut off or flipped, and power lost at any point."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airis_mon.journal import Journal, JournalError, Options, Origin, Receipt, examine
from airis_mon.journal.fake import FaultyFiles
from airis_mon.journal.records import Frame
from airis_mon.journal.segments import Segment
from tests.journal.keeping import kept, living, opened

ONE_SEGMENT = Options(free_bytes=0)
SIZE = 64 * 1024


def written(folder: Path) -> Path:
    """Return the one segment, of about 64 KiB, of records of many lengths."""

    async def act(journal: Journal) -> None:
        number = 0
        while journal.bytes_since_snapshot < SIZE - 1024:
            number += 1
            payload = number.to_bytes(4) * (1 + number * 37 % 200)
            await journal.append(payload, Origin("sender", 1, number) if number % 2 else None)

    living(folder, act, options=ONE_SEGMENT)
    return next(folder.glob("*.segment"))


def found(folder: Path) -> tuple[list[tuple[int, bytes]], int, int]:
    journal, recovery = opened(folder, options=ONE_SEGMENT)
    records = [(record.sequence, record.payload) for record in recovery.records]
    asyncio.run(journal.close())
    return records, recovery.corrupt_records, recovery.truncated_bytes


def positions(size: int, every: int) -> range:
    return range(0, size, every)


@pytest.mark.parametrize("every", [97, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_a_cut_at_any_byte_loses_what_lies_behind_it(tmp_path: Path, every: int) -> None:
    segment = written(tmp_path / "whole")
    data = segment.read_bytes()
    everything = found(tmp_path / "whole")[0]
    ends = [frame.end for frame in examine_frames(segment)]
    for cut in positions(len(data), every):
        folder = tmp_path / "cut"
        folder.mkdir()
        (folder / segment.name).write_bytes(data[:cut])
        records, corrupt, _ = found(folder)
        whole = sum(end <= cut for end in ends)
        assert records == everything[:whole]
        assert corrupt == 0
        assert found(folder)[0] == records, "a second start finds the same"
        shutil.rmtree(folder)


@pytest.mark.parametrize("every", [89, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_a_flipped_byte_loses_its_own_record_alone(tmp_path: Path, every: int) -> None:
    segment = written(tmp_path / "whole")
    data = segment.read_bytes()
    everything = found(tmp_path / "whole")[0]
    ends = [frame.end for frame in examine_frames(segment)]
    folder = tmp_path / "flipped"
    folder.mkdir()
    for position in positions(len(data), every):
        for old in folder.iterdir():
            old.unlink()
        flipped = data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]
        (folder / segment.name).write_bytes(flipped)
        records, corrupt, torn = found(folder)
        hit = next(index for index, end in enumerate(ends) if position < end)
        in_header = position < 20
        expected = everything if in_header else everything[:hit] + everything[hit + 1 :]
        assert records == expected
        assert corrupt + bool(torn) == 1
        # What looks like a torn end is cut off, and a copy of it kept.
        assert bool(list(folder.glob("*.torn"))) == bool(torn)


def examine_frames(segment: Path) -> tuple[Frame, ...]:
    read = Segment.of(segment)
    assert read is not None
    return read.read().frames


def test_a_payload_that_looks_like_a_record_is_never_taken_for_one(tmp_path: Path) -> None:
    segment = written(tmp_path / "whole")
    hostile = segment.read_bytes()[20:2000]
    living(tmp_path / "other", lambda journal: journal.append(hostile), options=ONE_SEGMENT)
    target = next((tmp_path / "other").glob("*.segment"))
    data = bytearray(target.read_bytes())
    data[20] ^= 0xFF  # its own header is damaged, so that the reader looks for the next one
    target.write_bytes(data)
    assert found(tmp_path / "other")[0] == []


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_power_lost_at_any_point_loses_nothing_acknowledged(data: st.DataObject) -> None:
    """Acknowledged is a part of kept, kept of sent, each once; over several lives, with errors in between."""
    sent: dict[tuple[int, int], bytes] = {}
    acknowledged: set[tuple[int, int]] = set()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for life in range(data.draw(st.integers(1, 4), "lives")):
            failures = data.draw(st.lists(st.sampled_from([0, 0, 0, 0, 5, 28]), max_size=40), "errors")
            pending = iter(failures)
            files = FaultyFiles(lambda operation, path, pending=pending: next(pending, 0))  # type: ignore[misc]
            count = data.draw(st.integers(0, 25), "batches")
            size = data.draw(st.integers(1, 900), "size")

            async def act(journal: Journal, life: int = life, count: int = count, size: int = size) -> None:
                async def send(number: int) -> None:
                    sent[life, number] = bytes([life, number]) * size
                    for _ in range(2):
                        try:
                            receipt = await journal.append(sent[life, number], Origin("s", life, number))
                        except JournalError:
                            continue
                        assert isinstance(receipt, Receipt)
                        acknowledged.add((life, number))

                await asyncio.gather(*(send(number) for number in range(count)))

            with suppress(JournalError):  # it may not even start
                living(folder, act, files)
            kept_part = data.draw(st.floats(0, 1), "part of the unsynced bytes that survives")
            files.crash(lambda unsynced, part=kept_part: int(unsynced * part))  # type: ignore[misc]
        found_records = kept(folder)
        origins = [
            (record.origin.epoch, record.origin.sequence)
            for record in found_records
            if record.origin is not None
        ]
        assert len(origins) == len(found_records) == len(set(origins))
        assert acknowledged <= set(origins) <= set(sent)
        assert all(
            record.payload == sent[origin] for record, origin in zip(found_records, origins, strict=True)
        )


def test_the_oracle_sees_a_disk_that_lies(tmp_path: Path) -> None:
    files = FaultyFiles()

    async def act(journal: Journal) -> Receipt:
        files.syncs = False
        return await journal.append(b"acknowledged")

    assert not living(tmp_path, act, files).duplicate
    files.crash(lambda unsynced: 0)
    assert kept(tmp_path) == []


def test_a_fault_is_told_with_its_place(tmp_path: Path) -> None:
    segment = written(tmp_path)
    living(tmp_path, lambda journal: journal.append(b"newest"), options=ONE_SEGMENT)
    data = bytearray(segment.read_bytes())
    data[500] ^= 1
    segment.write_bytes(data)
    report = examine(tmp_path)
    assert not report.sound
    (fault,) = report.faults
    assert (fault.file, fault.torn) == (segment.name, False)
    assert fault.start <= 500 < fault.end
